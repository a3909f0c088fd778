//! The Date field (RFC 5322 §3.3, with the obsolete forms of §4.3) beside the time of arrival.

use std::time::UNIX_EPOCH;

use super::Arguments;
use crate::rules::views::Views;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
pub(super) fn shifted(views: &Views<'_>, arguments: &Arguments) -> bool {
    let Some(date) = views.case().message.field("Date").and_then(|field| seconds(&field.decoded())) else {
        return false;
    };
    let arrived = match views.case().transaction.arrived.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs() as f64,
        Err(error) => -(error.duration().as_secs() as f64),
    };
    arguments.spans((date as f64 - arrived) / 3600.0, false)
}

/// Seconds since 1970, or `None` when it is no date.
fn seconds(text: &str) -> Option<i64> {
    let text = text.split('(').next().unwrap_or_default();
    let text = text.split_once(',').map_or(text, |(_, rest)| rest);
    let mut words = text.split_whitespace();
    let day: i64 = words.next()?.parse().ok().filter(|day| (1..=31).contains(day))?;
    let name = words.next()?.to_ascii_lowercase();
    let month = i64::try_from(MONTHS.iter().position(|month| name.starts_with(month))?).ok()? + 1;
    let year: i64 = words.next()?.parse().ok().filter(|year| (0..=9999).contains(year))?;
    let year = match year {
        0..=49 => year + 2000,
        50..=999 => year + 1900,
        _ => year,
    };
    let mut clock = words.next()?.splitn(3, ':').map(|part| part.parse::<i64>().ok().filter(|n| (0..=60).contains(n)));
    let (hour, minute) = (clock.next()??, clock.next()??);
    let second = clock.next().flatten().unwrap_or(0);
    let zone = zone(words.next().unwrap_or("+0000"));
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - zone)
}

/// Seconds east of Greenwich; unknown names are Greenwich.
fn zone(text: &str) -> i64 {
    let hours = match text.to_ascii_uppercase().as_str() {
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        _ => 0,
    };
    let Some(number) = text.strip_prefix(['+', '-']).and_then(|digits| digits.parse::<i64>().ok()) else {
        return hours * 3600;
    };
    let seconds = (number / 100 % 100) * 3600 + (number % 100) * 60;
    if text.starts_with('-') { -seconds } else { seconds }
}

/// Days since 1970 of a date of the Gregorian calendar, by counting from 1 March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 153 + 2) / 5 + day
        - 719_469
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn dates() {
        for (text, wanted) in [
            ("Thu, 1 Jan 1970 00:00:00 +0000", Some(0)),
            ("Fri, 21 Nov 1997 09:55:06 -0600", Some(880_127_706)),
            ("21 Nov 97 09:55:06 CST", Some(880_127_706)),
            ("Tue, 29 Feb 2000 12:00 +0100 (CET)", Some(951_822_000)),
            ("Mon, 23 Nov 2026 14:00:00 GMT", Some(1_795_442_400)),
            ("yesterday", None),
            ("99 Foo 2020 00:00:00", None),
            ("", None),
        ] {
            assert_eq!(seconds(text), wanted, "{text}");
        }
    }
}
