//! `gatepost records`: what was recorded of messages, as a table or one by one.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use super::Exit;
use super::arguments::{Format, ListRecords, RecordsCommand};
use super::failure::Failure;
use super::record_text::record_text;
use super::terminal::{Output, eprint_line, escaped};
use crate::config::Loaded;
use gatepost_records::{MailRecord, RecordReader, Timestamp};
use gatepost_words::CivilTime;
use gatepost_words::clock::Clock;
use gatepost_words::verdict::Score;

/// Columns of each of the three texts of strangers in the table; all of a line fits into 80.
const TEXT_WIDTH: usize = 10;

/// Runs one of the subcommands.
pub(super) fn records(loaded: &Loaded, command: &RecordsCommand) -> Result<Exit, Failure> {
    let Some(path) = &loaded.config.records.path else {
        let message = "records are off: set `records.path`";
        return Err(Failure::new(Exit::Unavailable, message));
    };
    match command {
        RecordsCommand::List(arguments) => list(path, arguments),
        RecordsCommand::Show { id, format } => show(path, id, *format),
    }
}

fn show(path: &Path, id: &str, format: Format) -> Result<Exit, Failure> {
    let found = gatepost_records::find(path, id).map_err(|error| unreadable(path, &error))?;
    let Some(record) = found else {
        let message = format!("no record of `{id}` in {}", path.display());
        return Err(Failure::new(Exit::Unavailable, message));
    };
    let mut out = Output::new();
    match format {
        Format::Text => out.text(&record_text(&record))?,
        Format::Json => out.text(&record.to_line())?,
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn list(path: &Path, arguments: &ListRecords) -> Result<Exit, Failure> {
    let filter = Filter::of(arguments, &Clock::system())?;
    let mut reader = RecordReader::open(path).map_err(|error| unreadable(path, &error))?;
    // The newest are wanted, and the log begins with the oldest.
    let mut newest = VecDeque::new();
    for record in reader.by_ref() {
        let record = record.map_err(|error| unreadable(path, &error))?;
        if !filter.accepts(&record) {
            continue;
        }
        if newest.len() >= arguments.limit as usize {
            newest.pop_front();
        }
        newest.push_back(record);
    }
    let mut out = Output::new();
    if arguments.format == Format::Text {
        out.line(header())?;
    }
    for record in &newest {
        match arguments.format {
            Format::Text => out.line(row(record))?,
            Format::Json => out.text(&record.to_line())?,
        }
    }
    out.finish()?;
    let skipped = reader.skipped();
    if skipped > 0 {
        eprint_line(format_args!(
            "gatepost: warning: {skipped} lines of {} are not readable records",
            path.display()
        ));
    }
    Ok(Exit::Done)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("cannot read {}: {error}", path.display());
    Failure::new(Exit::of_io(error), message)
}

/// Which records are listed.
struct Filter<'a> {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    arguments: &'a ListRecords,
}

impl<'a> Filter<'a> {
    fn of(arguments: &'a ListRecords, clock: &Clock) -> Result<Self, Failure> {
        let time =
            |text: &Option<String>| text.as_deref().map(|text| moment(text, clock)).transpose();
        Ok(Self {
            since: time(&arguments.since)?,
            until: time(&arguments.until)?,
            arguments,
        })
    }

    fn accepts(&self, record: &MailRecord) -> bool {
        let wanted = self.arguments;
        let is_in_time = self.since.is_none_or(|since| record.time >= since)
            && self.until.is_none_or(|until| record.time < until);
        let verdict = wanted.verdict.as_deref();
        is_in_time
            && verdict.is_none_or(|verdict| record.verdict_name() == verdict)
            && contains(&record.from, wanted.from.as_deref())
            && contains(
                record.message.subject.as_deref().unwrap_or(""),
                wanted.subject.as_deref(),
            )
            && has_recipient(record, wanted.to.as_deref())
            && has_hit(record, wanted.rule.as_deref())
    }
}

fn contains(text: &str, part: Option<&str>) -> bool {
    part.is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()))
}

fn has_recipient(record: &MailRecord, part: Option<&str>) -> bool {
    let mut recipients = record.recipients.iter();
    part.is_none() || recipients.any(|recipient| contains(&recipient.address, part))
}

fn has_hit(record: &MailRecord, rule: Option<&str>) -> bool {
    let Some(rule) = rule else { return true };
    record.judgement().is_some_and(|judgement| {
        let mut hits = judgement.hits().chain(&judgement.shadow);
        hits.any(|hit| hit.rule == rule)
    })
}

/// A time (`2026-11-23`, `2026-11-23T09:51:07Z`), or how long ago: `30m`, `2h`, `7d`.
fn moment(text: &str, clock: &Clock) -> Result<Timestamp, Failure> {
    if let Some(ago) = duration(text) {
        let now = clock.wall();
        return Ok(Timestamp::from_system(now.checked_sub(ago).unwrap_or(now)));
    }
    let time: CivilTime = text.parse().map_err(|error| {
        let message = format!("invalid time `{text}`: {error}, or 30m, 2h, 7d for a time ago");
        Failure::new(Exit::Usage, message)
    })?;
    let seconds = u64::try_from(time.unix_seconds()).unwrap_or(0);
    Ok(Timestamp::from_unix(seconds))
}

fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

fn header() -> String {
    line(["TIME", "ID", "VERDICT", "SCORE", "FROM", "TO", "SUBJECT"])
}

fn row(record: &MailRecord) -> String {
    let time = record.time.to_string();
    let time: String = time.replace('T', " ").chars().take(16).collect();
    let score = record.judgement().map_or_else(
        || "-".to_owned(),
        |judgement| Score::from_points(judgement.score).to_string(),
    );
    let to = record.recipients.first();
    let to = to.map_or("-", |recipient| &recipient.address);
    let from = record.from.trim_start_matches('<').trim_end_matches('>');
    let subject = record.message.subject.as_deref().unwrap_or("-");
    line([
        &time,
        &escaped(&record.id),
        record.verdict_name(),
        &score,
        &narrow(from),
        &narrow(to),
        &narrow(subject),
    ])
}

/// 16 + 13 + 10 + 5 columns, three texts, and a blank between each: 80 at most.
fn line([time, id, verdict, score, from, to, subject]: [&str; 7]) -> String {
    let (from, to) = (padded(from), padded(to));
    let line = format!("{time:<16} {id:<13} {verdict:<10} {score:>5} {from} {to} {subject}");
    line.trim_end().to_owned()
}

/// A text of a stranger in at most [`TEXT_WIDTH`] columns.
fn narrow(text: &str) -> String {
    let text = escaped(text);
    if columns(&text) <= TEXT_WIDTH {
        return text;
    }
    let mut kept = String::new();
    let mut width = 0;
    for c in text.chars() {
        width += columns_of(c);
        if width >= TEXT_WIDTH {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}

fn padded(text: &str) -> String {
    let missing = TEXT_WIDTH.saturating_sub(columns(text));
    format!("{text}{}", " ".repeat(missing))
}

fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Columns on a terminal: two for East Asian scripts and pictures. Too many is harmless, too few
/// would break a line.
fn columns_of(c: char) -> usize {
    if c < '\u{1100}' || c == '…' { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn a_line_of_the_table_has_at_most_80_columns() {
        let long = "x".repeat(TEXT_WIDTH + 1);
        let text = narrow(&long);
        assert_eq!(columns(&text), TEXT_WIDTH);
        assert_eq!(narrow(&"x".repeat(TEXT_WIDTH)), "x".repeat(TEXT_WIDTH));
        assert!(columns(&narrow(&"日".repeat(30))) <= TEXT_WIDTH);
        let line = line([
            "2026-11-23 18:22",
            "000000000002d",
            "quarantine",
            "-12.5",
            &text,
            &text,
            &text,
        ]);
        assert!(columns(&line) <= 80, "{line}");
    }

    #[test]
    fn times_are_dates_or_durations() {
        let clock = Clock::manual(UNIX_EPOCH + Duration::from_hours(72));
        for (text, seconds) in [
            ("1970-01-02", 86_400),
            ("1970-01-02T00:00:01Z", 86_401),
            ("2d", 86_400),
            ("24h", 2 * 86_400),
            ("60m", 3 * 86_400 - 3_600),
        ] {
            let time = moment(text, &clock).unwrap();
            assert_eq!(time.unix_seconds(), seconds, "{text}");
        }
        assert!(moment("yesterday", &clock).is_err());
        assert!(moment("99999999999999999999d", &clock).is_err());
    }
}
