//! The one calendar: UTC, proleptic Gregorian, seconds of Unix time.
//!
//! The arithmetic is the crate `jiff`'s; this names the few acts that Gatepost needs and decides
//! what is done outside of the years that it knows (-9999 to 9999): the nearest time that exists.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, tz::Offset};

/// A date and a time of day in UTC, to the second. Prints as RFC 3339: `2026-11-23T09:51:07Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CivilTime(DateTime);

/// A text that is not a time that [`CivilTime`] reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTime;

impl fmt::Display for InvalidTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ, in UTC")
    }
}

impl std::error::Error for InvalidTime {}

impl CivilTime {
    /// The time of a number of seconds since 1970-01-01T00:00:00Z.
    pub fn from_unix(seconds: i64) -> Self {
        let seconds = seconds.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        let timestamp = Timestamp::from_second(seconds).unwrap_or_default();
        Self(Offset::UTC.to_datetime(timestamp))
    }

    /// The time of a clock, to the second; one before 1970 is taken for the beginning of 1970.
    pub fn from_system(time: SystemTime) -> Self {
        Self::from_unix(i64::try_from(unix_seconds(time)).unwrap_or(i64::MAX))
    }

    /// Midnight of a date; `None` where the calendar has no such date.
    pub fn from_date(year: i64, month: i64, day: i64) -> Option<Self> {
        let (year, month) = (year.try_into().ok()?, month.try_into().ok()?);
        let date = Date::new(year, month, day.try_into().ok()?).ok()?;
        Some(Self(date.to_datetime(Time::midnight())))
    }

    /// The same date at another time of day; `None` where no clock shows it (there is no second
    /// 60).
    pub fn at(self, hour: i64, minute: i64, second: i64) -> Option<Self> {
        let (hour, minute) = (hour.try_into().ok()?, minute.try_into().ok()?);
        let time = Time::new(hour, minute, second.try_into().ok()?, 0).ok()?;
        Some(Self(self.0.date().to_datetime(time)))
    }

    /// Seconds since 1970-01-01T00:00:00Z; negative before.
    pub fn unix_seconds(self) -> i64 {
        // The offset is zero, so every date-time of the calendar but the last hours of its last
        // year is a timestamp.
        Offset::UTC
            .to_timestamp(self.0)
            .unwrap_or(Timestamp::MAX)
            .as_second()
    }

    /// The year.
    pub fn year(self) -> i64 {
        self.0.year().into()
    }

    /// The month, from 1 to 12.
    pub fn month(self) -> i64 {
        self.0.month().into()
    }

    /// The day of the month, from 1.
    pub fn day(self) -> i64 {
        self.0.day().into()
    }

    /// Days in the month of this date.
    pub fn days_in_month(self) -> i64 {
        self.0.days_in_month().into()
    }

    /// The date alone, as `2026-11-23`.
    pub fn date(self) -> impl fmt::Display {
        self.0.date()
    }

    /// In the form of a Date field (RFC 5322 §3.3): `Mon, 23 Nov 2026 09:51:07 +0000`.
    pub fn rfc5322(self) -> impl fmt::Display {
        Rfc5322(self.0)
    }
}

/// Whole seconds since 1970; 0 before.
pub fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

impl fmt::Display for CivilTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Z", self.0)
    }
}

impl FromStr for CivilTime {
    type Err = InvalidTime;

    /// Reads `YYYY-MM-DD` (its midnight) or `YYYY-MM-DDTHH:MM:SSZ`, and nothing else of what ISO
    /// 8601 allows.
    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        read(text).ok_or(InvalidTime)
    }
}

fn read(text: &str) -> Option<CivilTime> {
    let (day, clock) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let [year, month, day] = numbers(day, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock.strip_suffix('Z')?, ':', [2, 2, 2])?;
    CivilTime::from_date(year, month, day)?.at(hour, minute, second)
}

/// `N` numbers of that many digits each between separators.
fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(separator);
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

struct Rfc5322(DateTime);

impl fmt::Display for Rfc5322 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let name = |names: &'static [&'static str], number: i8| {
            let index = usize::try_from(number - 1).ok()?;
            names.get(index).copied()
        };
        let weekday = name(&DAYS, self.0.weekday().to_monday_one_offset()).ok_or(fmt::Error)?;
        let month = name(&MONTHS, self.0.month()).ok_or(fmt::Error)?;
        let (day, year) = (self.0.day(), self.0.year());
        write!(f, "{weekday}, {day} {month} {year:04} ")?;
        let (hour, minute, second) = (self.0.hour(), self.0.minute(), self.0.second());
        write!(f, "{hour:02}:{minute:02}:{second:02} +0000")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_printed_and_read_back() {
        for (seconds, text) in [
            (-1, "1969-12-31T23:59:59Z"),
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_795_458_124, "2026-11-23T18:22:04Z"),
            (4_102_444_799, "2099-12-31T23:59:59Z"),
        ] {
            let time = CivilTime::from_unix(seconds);
            assert_eq!(time.to_string(), text);
            assert_eq!(text.parse(), Ok(time));
            assert_eq!(time.unix_seconds(), seconds);
        }
    }

    #[test]
    fn dates() {
        let time: CivilTime = "2024-02-29".parse().unwrap();
        assert_eq!(time.unix_seconds(), 1_709_164_800);
        assert_eq!(time.date().to_string(), "2024-02-29");
        assert_eq!((time.year(), time.month(), time.day()), (2024, 2, 29));
        assert_eq!(time.days_in_month(), 29);
        for (year, month, day) in [(2023, 2, 29), (2026, 13, 1), (2026, 0, 1), (2026, 1, 0)] {
            assert_eq!(CivilTime::from_date(year, month, day), None);
        }
    }

    #[test]
    fn what_is_not_a_time_is_refused() {
        for text in [
            "",
            "2023-02-29",
            "2026-13-01",
            "2026-1-1",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00Z ",
            "2026-01-01-01",
            "+026-01-01",
        ] {
            assert_eq!(text.parse::<CivilTime>(), Err(InvalidTime), "{text}");
        }
    }

    #[test]
    fn date_fields() {
        for (seconds, text) in [
            (0, "Thu, 1 Jan 1970 00:00:00 +0000"),
            (1_795_427_467, "Mon, 23 Nov 2026 09:51:07 +0000"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 +0000"),
        ] {
            assert_eq!(CivilTime::from_unix(seconds).rfc5322().to_string(), text);
        }
    }

    #[test]
    fn clocks_out_of_range_give_the_nearest_time() {
        let ancient = UNIX_EPOCH - Duration::from_secs(5);
        assert_eq!(CivilTime::from_system(ancient).unix_seconds(), 0);
        assert_eq!(CivilTime::from_unix(i64::MAX).year(), 9999);
        assert_eq!(CivilTime::from_unix(i64::MIN).year(), -9999);
        for seconds in [i64::MIN, i64::MAX] {
            let time = CivilTime::from_unix(seconds);
            assert_eq!(CivilTime::from_unix(time.unix_seconds()), time);
        }
    }
}
