//! The closed enums of `words` in JSON: by name.

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::Serializer;

use gatepost_words::verdict::Disposition;
use gatepost_words::{Direction, FailurePolicy, Fault, Stage};

/// An enum with a name for each value.
pub(super) trait Named: Copy + Sized + 'static {
    /// Every value.
    fn all() -> impl Iterator<Item = Self>;
    /// The value's name.
    fn name(self) -> &'static str;
}

macro_rules! named {
    ($($name:ty: $all:expr;)*) => {$(
        impl Named for $name {
            fn all() -> impl Iterator<Item = Self> {
                $all.into_iter()
            }

            fn name(self) -> &'static str {
                <$name>::name(self)
            }
        }
    )*};
}

named! {
    Disposition: Disposition::ALL;
    Direction: Direction::ALL;
    FailurePolicy: [Self::Tempfail, Self::Accept, Self::Quarantine];
    Fault: Fault::ALL;
    Stage: Stage::ALL;
}

/// The value of that name.
pub(super) fn from_name<T: Named>(name: &str) -> Option<T> {
    T::all().find(|value| value.name() == name)
}

pub(super) fn serialize<T: Named, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.name())
}

pub(super) fn deserialize<'de, T: Named, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let name = String::deserialize(deserializer)?;
    from_name(&name).ok_or_else(|| D::Error::custom(format!("unknown name `{name}`")))
}

/// The same for a value that may be missing.
pub(super) mod optional {
    use super::{Deserialize, Deserializer, Error, Named, Serializer, from_name};

    #[expect(clippy::ref_option, reason = "serde calls it with this type")]
    pub(crate) fn serialize<T: Named, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.serialize_some(value.name()),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T: Named, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let Some(name) = Option::<String>::deserialize(deserializer)? else {
            return Ok(None);
        };
        let value = from_name(&name);
        value
            .map(Some)
            .ok_or_else(|| D::Error::custom(format!("unknown name `{name}`")))
    }
}
