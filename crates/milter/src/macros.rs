//! Macros: names and values that the MTA sends with a stage (`{client_addr}`, `i`, …).

/// The macros of one stage. Names are without braces; a stage's macros do not leak into the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Macros {
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Macros {
    /// How many macros of one stage are kept; the rest is dropped.
    pub const MAX: usize = 256;

    /// Adds one; braces around the name are taken off. A later value of the same name replaces the
    /// earlier one.
    pub fn set(&mut self, name: &[u8], value: &[u8]) {
        let name = bare(name);
        if let Some(pair) = self.pairs.iter_mut().find(|(known, _)| known == name) {
            pair.1 = value.to_vec();
        } else if self.pairs.len() < Self::MAX {
            self.pairs.push((name.to_vec(), value.to_vec()));
        }
    }

    /// The value of a macro, named with or without braces.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let name = bare(name.as_bytes());
        self.pairs
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| &**value)
    }

    /// The value as text, invalid UTF-8 replaced; `None` where it is missing or empty.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// Bytes of all names and values.
    pub(super) fn bytes(&self) -> usize {
        let pairs = self.pairs.iter();
        pairs.map(|(name, value)| name.len() + value.len()).sum()
    }

    /// All pairs, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.pairs.iter().map(|(name, value)| (&**name, &**value))
    }
}

fn bare(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"{")
        .and_then(|name| name.strip_suffix(b"}"))
        .unwrap_or(name)
}
