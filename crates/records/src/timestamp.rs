//! The time of a record: RFC 3339 in UTC, with milliseconds.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use gatepost_words::CivilTime;

/// Milliseconds since 1970-01-01T00:00:00Z. Prints as `2026-11-23T09:51:07.123Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Of a clock; one before 1970 is taken for the beginning of 1970.
    pub fn from_system(time: SystemTime) -> Self {
        let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    /// Of whole seconds.
    pub fn from_unix(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Whole seconds since 1970.
    pub fn unix_seconds(self) -> u64 {
        self.0 / 1_000
    }

    /// As a time of the system.
    pub fn to_system(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.0)
    }

    fn read(text: &str) -> Option<Self> {
        let (seconds, fraction) = text.strip_suffix('Z')?.split_once('.')?;
        if fraction.len() != 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let time: CivilTime = format!("{seconds}Z").parse().ok()?;
        let seconds = u64::try_from(time.unix_seconds()).ok()?;
        let millis: u64 = fraction.parse().ok()?;
        Some(Self(seconds.checked_mul(1_000)?.checked_add(millis)?))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.unix_seconds()).unwrap_or(i64::MAX);
        let time = CivilTime::from_unix(seconds).to_string();
        let time = time.strip_suffix('Z').unwrap_or(&time);
        write!(f, "{time}.{:03}Z", self.0 % 1_000)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| D::Error::custom("expected YYYY-MM-DDTHH:MM:SS.mmmZ"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_kept() {
        let time = UNIX_EPOCH + Duration::from_millis(1_795_458_124_007);
        let time = Timestamp::from_system(time);
        let text = "2026-11-23T18:22:04.007Z";
        assert_eq!(time.to_string(), text);
        assert_eq!(Timestamp::read(text), Some(time));
        for wrong in ["2026-11-23T18:22:04Z", "2026-11-23T18:22:04.07Z", "x", ""] {
            assert_eq!(Timestamp::read(wrong), None, "{wrong}");
        }
    }
}
