//! Dates of the header (RFC 5322 §3.3, with the obsolete forms of §4.3) and what else senders write
//! for one.
//!
//! A text is read as words in any order: a day, a month and a year after each other, a time with
//! colons, a zone. What does not exist in the calendar is moved to what does, so that every rule
//! sees the time that SpamAssassin sees.

use gatepost_words::CivilTime;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
/// Words of one text that are looked at.
const WORDS_LIMIT: usize = 64;
/// The years that are reckoned with.
const YEARS: (i64, i64) = (1970, 2037);

/// Zones by name, as `hhmm` east of Greenwich; those that are not here are taken for Greenwich.
#[rustfmt::skip]
const ZONES: &[(i64, &[&str])] = &[
    (0, &["GMT", "UT", "UTC", "WET"]),
    (100, &["BST", "CET", "IST", "MET", "MEZ", "WEST"]),
    (200, &["CEST", "EET", "MEST", "MESZ"]),
    (300, &["EEST", "IDT", "MSK"]),
    (400, &["MSD"]),
    (800, &["AWST", "HKT", "PHT", "SGT"]),
    (900, &["JST", "KST"]),
    (930, &["ACST"]),
    (1000, &["AEST"]),
    (1030, &["ACDT"]),
    (1100, &["AEDT"]),
    (1200, &["NZST"]),
    (1300, &["NZDT"]),
    (-200, &["BRST"]),
    (-230, &["NDT"]),
    (-300, &["ADT", "BRT"]),
    (-330, &["NST"]),
    (-400, &["AST", "EDT"]),
    (-500, &["CDT", "EST"]),
    (-600, &["CST", "MDT"]),
    (-700, &["MST", "PDT"]),
    (-800, &["AKDT", "PST"]),
    (-900, &["AKST", "HADT"]),
    (-1000, &["HAST", "HST"]),
];

/// Seconds since 1970, or `None` when the text holds no date.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let mut words: Vec<&str> = text
        .split(|c: char| c == ',' || c.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
        .take(WORDS_LIMIT)
        .collect();
    let (day, month, year) = take_date(&mut words)?;
    let time = take_time(&mut words);
    let (day, month, year) = existing(day, month, year);
    let here = days(year, month, day) * 86_400 + time - zone(&words);
    Some(here.max(0))
}

fn number(word: &str) -> Option<i64> {
    let is_number = (1..10).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { word.parse().ok() } else { None }
}

fn month(word: &str) -> Option<i64> {
    let at = MONTHS
        .iter()
        .position(|month| month.eq_ignore_ascii_case(word))?;
    i64::try_from(at + 1).ok()
}

/// Day, month and year.
type Date = (i64, i64, i64);

/// Takes day, month and year out of the words: `1 Jan 2026`, else `Jan 1 00:00:00 2026`, else `1
/// Jan 26`.
fn take_date(words: &mut Vec<&str>) -> Option<Date> {
    let find = |length: usize, read: &dyn Fn(&[&str]) -> Option<Date>| {
        let mut windows = words.windows(length).enumerate();
        windows.find_map(|(at, window)| read(window).map(|date| (at, length, date)))
    };
    let in_order = |digits: std::ops::RangeInclusive<usize>| {
        move |window: &[&str]| match window {
            [day, name, year] if digits.contains(&year.len()) => {
                Some((number(day)?, month(name)?, number(year)?))
            }
            _ => None,
        }
    };
    let as_asctime = |window: &[&str]| match window {
        [name, day, time, year] if year.len() == 4 => {
            (clock(time).is_some() && time.matches(':').count() == 2).then_some(())?;
            Some((number(day)?, month(name)?, number(year)?))
        }
        _ => None,
    };
    let found = find(3, &in_order(4..=4))
        .or_else(|| find(4, &as_asctime))
        .or_else(|| find(3, &in_order(2..=3)));
    let (at, length, (day, month, year)) = found?;
    let year_length = words.get(at + length - 1).map_or(0, |year| year.len());
    // In asctime's order the time goes with the date, and midnight stands for it, as in
    // SpamAssassin.
    words.drain(at..at + length);
    let year = match (year_length, year) {
        (2, ..50) => year + 2000,
        (2 | 3, _) => year + 1900,
        _ => year,
    };
    Some((day, month, year))
}

/// `9:30` or `09:30:00` in seconds.
fn clock(word: &str) -> Option<i64> {
    let mut parts = word.splitn(4, ':');
    let hour = parts
        .next()
        .filter(|part| part.len() <= 2)
        .and_then(number)?;
    let minute = parts
        .next()
        .filter(|part| part.len() == 2)
        .and_then(number)?;
    let second = match parts.next() {
        Some(part) => Some(part).filter(|part| part.len() == 2).and_then(number)?,
        None => 0,
    };
    parts
        .next()
        .is_none()
        .then(|| hour.min(23) * 3600 + minute.min(59) * 60 + second.min(59))
}

/// Takes the first time out of the words; without one it is midnight.
fn take_time(words: &mut Vec<&str>) -> i64 {
    let found = words
        .iter()
        .enumerate()
        .find_map(|(at, word)| clock(word).map(|seconds| (at, seconds)));
    let Some((at, seconds)) = found else { return 0 };
    words.remove(at);
    seconds
}

/// Seconds east of Greenwich: `+0100` anywhere (or `+01:00`, as some programs write), else the
/// first word in capitals.
fn zone(words: &[&str]) -> i64 {
    let numeric = words.iter().find_map(|word| {
        let sign = if word.starts_with('-') { -1 } else { 1 };
        let digits = word.strip_prefix(['+', '-'])?;
        let digits = match digits.split_once(':') {
            Some((hours, minutes)) if hours.len() == 2 => format!("{hours}{minutes}"),
            _ => digits.to_owned(),
        };
        let digits = Some(digits).filter(|digits| digits.len() == 4)?;
        number(&digits).map(|number| sign * number)
    });
    let offset = numeric.or_else(|| {
        let pieces = words
            .iter()
            .flat_map(|word| word.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
        let is_name = |name: &&str| {
            (2..=4).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_uppercase())
        };
        let name = pieces.into_iter().find(is_name)?;
        ZONES
            .iter()
            .find(|(_, names)| names.contains(&name))
            .map(|(offset, _)| *offset)
    });
    let offset = offset.unwrap_or(0);
    (offset / 100) * 3600 + (offset % 100) * 60
}

/// The date itself if the calendar has it, else the first of the next month; years within the
/// limits.
fn existing(day: i64, month: i64, year: i64) -> Date {
    // Leap years repeat every 400 years; the year may be any number here.
    let same = CivilTime::from_date(2000 + year.rem_euclid(400), month, 1);
    let length = same.map_or(31, CivilTime::days_in_month);
    let (day, month, year) = match (day > length, month) {
        (false, _) => (day, month, year),
        (true, 12) => (1, 1, year + 1),
        (true, _) => (1, month + 1, year),
    };
    (day, month, year.clamp(YEARS.0, YEARS.1))
}

/// Days since 1970. A day that the month does not have counts on from its first.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let first = CivilTime::from_date(year, month, 1).map_or(0, CivilTime::unix_seconds);
    first / 86_400 + day - 1
}

#[cfg(test)]
mod tests {
    use super::{WORDS_LIMIT, seconds};

    #[test]
    fn dates_are_read() {
        for (text, wanted) in [
            ("Thu, 1 Jan 1970 00:00:00 +0000", Some(0)),
            ("Fri, 21 Nov 1997 09:55:06 -0600", Some(880_127_706)),
            ("21 Nov 97 09:55:06 CST", Some(880_127_706)),
            ("Fri Nov 21 09:55:06 1997 -0600", Some(880_092_000)),
            ("Tue, 29 Feb 2000 12:00 +0100 (CET)", Some(951_822_000)),
            ("Tue, 29 Feb 2000 12:00 +01:00", Some(951_822_000)),
            ("Tue, 29 Feb 2000 12:00 -01:30", Some(951_831_000)),
            ("Mon, 23 Nov 2026 14:00:00 GMT", Some(1_795_442_400)),
            ("23 Nov 2026 14:00:00 (MEZ)", Some(1_795_438_800)),
            ("23 Nov 2026 14:00:00 XYZ", Some(1_795_442_400)),
            ("23 Nov 126 14:00:00", Some(1_795_442_400)),
            ("31 Apr 2026 00:00:00", Some(1_777_593_600)),
            ("32 Dec 2025 00:00:00", Some(1_767_225_600)),
            ("1 Jan 2026 25:61:61", Some(1_767_311_999)),
            ("1 Jan 2026", Some(1_767_225_600)),
            ("1 Jan 1960 00:00:00 +0100", Some(0)),
            ("yesterday", None),
            ("99 Foo 2020 00:00:00", None),
            ("2026-01-01", None),
            ("", None),
        ] {
            assert_eq!(seconds(text), wanted, "{text}");
        }
    }

    #[test]
    fn words_are_limited() {
        for (before, is_read) in [(WORDS_LIMIT - 3, true), (WORDS_LIMIT - 2, false)] {
            assert_eq!(
                seconds(&format!("{}1 Jan 2026", "x ".repeat(before))).is_some(),
                is_read,
                "{before}"
            );
        }
    }
}
