//! The Date field next to the time of arrival, and next to the time that Outlook hides in message
//! ids.

use std::time::UNIX_EPOCH;

use super::signature::Arguments;
use super::times::seconds;
use crate::views::lazy::Views;
use gatepost_mail::ClientAddress;

/// Received fields that are looked at for times.
const TIMES_LIMIT: usize = 100;
/// A time and its zone after a date: `1 Jan 2026 00:00:00 +0000` has five words.
const STAMP_WORDS: usize = 5;

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds since 1970 are far below 2^52"
)]
pub(super) fn shifted(views: &Views<'_>, arguments: &Arguments) -> bool {
    let distance = views.date_distance(|| distance(views));
    distance.is_some_and(|distance| arguments.spans(distance as f64 / 3600.0, false))
}

/// How far the date lies ahead of the arrival, in seconds; `None` where there is no date to ask
/// for.
fn distance(views: &Views<'_>) -> Option<i64> {
    let message = views.case().message;
    let mut fields = ["Resent-Date", "Date"]
        .into_iter()
        .flat_map(|name| message.fields(name));
    let date = fields.find_map(|field| seconds(&field.decoded()));
    let arrival = connected(views);
    if arrival.is_some() && date.is_none() {
        return None;
    }
    let arrivals = arrival.map_or_else(|| times(&handovers(views)), |time| vec![time]);
    Some(date.map_or(0, |date| nearest(date, &arrivals)))
}

/// When the MTA handed over the message; `None` of a message from a file.
fn connected(views: &Views<'_>) -> Option<i64> {
    let transaction = views.case().transaction;
    let ClientAddress::Ip(_) = transaction.client.address else {
        return None;
    };
    let since = transaction
        .arrived
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    Some(i64::try_from(since).unwrap_or(i64::MAX))
}

/// How far the date lies ahead of the time that is nearest to it; nothing to compare with is no
/// distance.
fn nearest(date: i64, times: &[i64]) -> i64 {
    // The oldest field is often the author's own machine, whose clock says nothing about itself.
    let times = match times {
        [others @ .., last] if !others.is_empty() && *last == date => others,
        _ => times,
    };
    times
        .iter()
        .map(|time| date - time)
        .min_by_key(|distance| distance.abs())
        .unwrap_or(0)
}

/// The Received fields, nearest first, without those of a machine that fetched the message from a
/// mailbox much later.
fn handovers(views: &Views<'_>) -> Vec<String> {
    let fields = views.case().message.fields("Received").take(TIMES_LIMIT);
    let mut lines: Vec<String> = fields
        .map(|field| String::from_utf8_lossy(&field.unfolded()).into_owned())
        .collect();
    let own = usize::from(lines.first().is_some_and(|line| is_local(line)));
    if lines
        .get(own)
        .is_some_and(|line| line.contains("by localhost with ") && line.contains(" (fetchmail-"))
    {
        lines.drain(..=own);
    }
    lines
}

/// Whether a field was written for mail from the machine itself.
fn is_local(line: &str) -> bool {
    let mut words = line
        .split_whitespace()
        .skip_while(|word| *word != "from")
        .skip(1)
        .take(3);
    words.next() == Some("localhost")
        || words.any(|word| word.contains("127.0.0.1"))
        || line.contains(" invoked by uid ")
}

fn times(lines: &[String]) -> Vec<i64> {
    lines.iter().filter_map(|line| stamp(line)).collect()
}

/// The first date with time and zone in a field.
fn stamp(line: &str) -> Option<i64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.windows(STAMP_WORDS).find_map(|window| match window {
        [day, month, year, time, _] => {
            let is_date = day.ends_with(|c: char| c.is_ascii_digit())
                && month.chars().count() == 3
                && year.bytes().all(|byte| byte.is_ascii_digit());
            // A semicolon may be right before the day.
            let start = day
                .find(|c: char| c.is_ascii_digit())
                .filter(|_| is_date && time.matches(':').count() == 2)?;
            let rest = window.get(1..)?.join(" ");
            seconds(&format!("{} {rest}", day.get(start..)?))
        }
        _ => None,
    })
}

/// Outlook makes its message ids of the time: of the Date field or of the last Received field.
pub(super) fn outlook_id(views: &Views<'_>, _: &Arguments) -> bool {
    /// Outlook's clock ticks once in 429 seconds, its ids say; so much may it be off.
    const SLACK: i64 = 250;
    let Some(token) = outlook_time(&views.text("MESSAGEID")) else {
        return false;
    };
    let is_off = |time: Option<i64>| (token - ticks(time.unwrap_or(0))).abs() >= SLACK;
    let newest = views
        .case()
        .message
        .field("Received")
        .map(|field| String::from_utf8_lossy(&field.unfolded()).into_owned());
    let newest = newest.and_then(|line| stamp(&line));
    is_off(seconds(&views.text("Date"))) && is_off(newest)
}

/// The time in an id such as `<000801c1a2b3$12345678$0100007f@example>`: digits 5 to 12 of the
/// first group.
fn outlook_time(id: &str) -> Option<i64> {
    let (inside, _) = id.strip_prefix('<')?.split_once('@')?;
    let groups: Vec<&str> = inside.split('$').collect();
    let is_hex = |group: &&str| {
        group
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let fits = groups.iter().all(is_hex) && groups.iter().map(|group| group.len()).eq([12, 8, 8]);
    let time = groups
        .first()
        .filter(|_| fits)
        .and_then(|group| group.get(4..))?;
    i64::from_str_radix(time, 16).ok()
}

/// Seconds since 1970 in Windows' file time of 100 ns since 1601, of which the id has the upper 32
/// bits.
fn ticks(seconds: i64) -> i64 {
    const TICKS_PER_SECOND: i128 = 10_000_000;
    const SECONDS_TO_1970: i128 = 11_644_473_600;
    let ticks = (i128::from(seconds) + SECONDS_TO_1970) * TICKS_PER_SECOND;
    i64::try_from(ticks >> 32).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{is_local, nearest, outlook_time, stamp, ticks};

    #[test]
    fn the_nearest_time_counts() {
        for (times, wanted) in [
            (vec![], 0),
            (vec![90], 10),
            (vec![300, 95, 10], 5),
            (vec![300, 100], -200),
            (vec![100], 0),
            (vec![100, 100, 300], 0),
        ] {
            assert_eq!(nearest(100, &times), wanted, "{times:?}");
        }
    }

    #[test]
    fn stamps_and_local_fields() {
        for (line, wanted) in [
            ("from a by b; Thu, 1 Jan 1970 00:00:10 +0000", Some(10)),
            ("from a by b;1 Jan 1970 00:00:10 GMT", Some(10)),
            ("from a by b; 1 Jan 1970 00:00 +0000", None),
            ("from a by b", None),
        ] {
            assert_eq!(stamp(line), wanted, "{line}");
        }
        assert!(
            is_local("from localhost (localhost) by a") && is_local("from a (b [127.0.0.1]) by c")
        );
        assert!(
            is_local("(qmail 1 invoked by uid 2); x") && !is_local("from a (b [192.0.2.1]) by c")
        );
    }

    #[test]
    fn outlook_ids() {
        assert_eq!(
            outlook_time("<000801c1a2b3$12345678$0100007f@a.example>"),
            Some(0x01c1_a2b3)
        );
        for id in [
            "<000801c1a2b3$12345678$0100007@a>",
            "<000801C1a2b3$12345678$0100007f@a>",
            "<a@b>",
            "",
        ] {
            assert_eq!(outlook_time(id), None, "{id}");
        }
        // 2001-01-01 00:00:00.
        assert_eq!(ticks(978_307_200), 0x01c0_7385);
    }
}
