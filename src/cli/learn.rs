//! `gatepost learn spam|ham|log|undo|rollback`: telling the site's own learner what is what.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde::Serialize;

use super::Exit;
use super::arguments::{Format, LearnArguments, LearnCommand, StateArguments};
use super::failure::Failure;
use super::generation::{learning_in, load_model};
use super::scan::input::{self, Item};
use super::terminal::{Output, safe, say};
use crate::config::{self, Loaded};
use gatepost_learn::classifier::{Model, SiteLearner};
use gatepost_learn::features::Trust;
use gatepost_learn::learning::{Book, LearningSettings, Lesson, Listed, Outcome, Undone, listed};
use gatepost_mail::Limits;
use gatepost_store::Digest;
use gatepost_words::clock::Clock;

/// Mails that are brought to the disk, and told, together.
const BATCH: usize = 64;
/// How long to wait for another command that writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a command that reads many mails keeps others waiting at a time: who moves a mail in a
/// mailbox waits for at most [`PATIENCE`], and then the label is lost.
const TURN: Duration = Duration::from_secs(2);
/// How long it then stands aside: a few times what passes between two tries of one who waits
/// (`state::Lock`).
const ASIDE: Duration = Duration::from_millis(100);

/// Learns, or tells what was learned, or takes it back.
pub(super) fn learn(loaded: &Loaded, command: &LearnCommand) -> Result<Exit, Failure> {
    match command {
        LearnCommand::Spam(arguments) => mails(loaded, arguments, true),
        LearnCommand::Ham(arguments) => mails(loaded, arguments, false),
        LearnCommand::Log { state } => log(loaded, state),
        LearnCommand::Undo { digests, state } => undo(loaded, digests, state),
        LearnCommand::Rollback {
            date,
            source,
            state,
        } => rollback(loaded, *date, source.as_deref(), state),
    }
}

/// Where learning is kept, as the configuration or the command line says.
pub(super) fn settings(
    learner: &config::Learner,
    state: &StateArguments,
) -> Result<LearningSettings, Failure> {
    let Some(directory) = state.state.as_ref().or(learner.path.as_ref()) else {
        let message = "nothing can be learned: `learner.path` is empty; set it, or name a directory with --state";
        return Err(Failure::new(Exit::BadConfig, message));
    };
    Ok(learning_in(directory, learner))
}

fn open(settings: LearningSettings) -> Result<Book, Failure> {
    let directory = settings.directory.clone();
    Book::open(settings, PATIENCE).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => {
            let message = format!(
                "{}: another command is learning; try again (what was told as learned before is kept)",
                directory.display()
            );
            Failure::new(Exit::TryLater, message)
        }
        _ => failed(&directory, &error),
    })
}

/// Opens the book for a command, and tells once what is damaged.
fn open_first(settings: LearningSettings) -> Result<Book, Failure> {
    let book = open(settings)?;
    tell_damage(book.damaged());
    Ok(book)
}

fn failed(directory: &Path, error: &io::Error) -> Failure {
    let exit = Exit::of_io(error);
    let help = if exit == Exit::NotPermitted {
        "; labels are written by the user to whom the directory belongs"
    } else {
        ""
    };
    Failure::new(exit, format!("{}: {error}{help}", directory.display()))
}

/// Makes certain what was learned. That the tidying up behind it failed is told, and no failure.
fn commit(book: &mut Book, directory: &Path) -> Result<(), Failure> {
    if let Some(error) = book.commit().map_err(|error| failed(directory, &error))? {
        let directory = directory.display();
        say(format_args!(
            "gatepost: warning: {directory}: the labels are kept, but no snapshot of them can be written: {error}; the \
             next command tries again"
        ));
    }
    Ok(())
}

fn tell_damage(bytes: u64) {
    if bytes > 0 {
        say(format_args!(
            "gatepost: warning: {bytes} bytes of the label log are damaged; the labels in them are lost"
        ));
    }
}

fn now() -> u64 {
    Clock::system()
        .wall()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// What became of one mail; the form of a line of `--format json`.
#[derive(Serialize)]
struct Told<'a> {
    file: String,
    outcome: &'static str,
    label: &'static str,
    digest: Option<String>,
    error: Option<&'a str>,
}

/// What became of a mail, or why it could not be learned.
type Taught = Result<(Digest, Outcome), String>;

/// All that is needed to learn from mails.
struct Teacher<'a> {
    settings: LearningSettings,
    /// `None` while it stands aside.
    book: Option<Book>,
    /// Since when it keeps others waiting.
    since: Instant,
    learner: SiteLearner,
    model: Option<Model>,
    trust: Trust,
    limits: Limits,
    arguments: &'a LearnArguments,
    spam: bool,
    out: Output,
    /// Not told yet, since not on the disk yet.
    waiting: Vec<(String, Taught)>,
    exit: Exit,
}

fn mails(loaded: &Loaded, arguments: &LearnArguments, spam: bool) -> Result<Exit, Failure> {
    let config = &loaded.config;
    let settings = settings(&config.learner, &arguments.state)?;
    let mut teacher = Teacher {
        learner: SiteLearner::new(settings.learner.clone()),
        book: Some(open_first(settings.clone())?),
        settings,
        // Not before: one that had to wait for its turn has kept nobody waiting.
        since: Clock::system().now(),
        model: load_model(&config.model)?,
        trust: Trust::of(&config.learner.trusted_authservs),
        limits: config.limits,
        arguments,
        spam,
        out: Output::new(),
        waiting: Vec::new(),
        exit: Exit::Done,
    };
    let mut result = Ok(());
    input::read_all(&arguments.paths, config.limits.message, &mut |item| {
        result = teacher.take(item);
        result.is_ok()
    });
    // What was learned before something failed is told all the same.
    let told = teacher.tell();
    result.and(told)?;
    teacher.out.finish()?;
    Ok(teacher.exit)
}

impl Teacher<'_> {
    fn take(&mut self, Item { name, raw }: Item) -> Result<(), Failure> {
        let outcome = match raw {
            Ok(raw) if raw.trim_ascii().is_empty() => Err("the mail is empty".to_owned()),
            Ok(raw) => Ok(self
                .learn(&raw)
                .map_err(|error| failed(&self.settings.directory, &error))?),
            Err(error) => Err(error),
        };
        self.waiting.push((name, outcome));
        let is_over = Clock::system().now() - self.since >= TURN;
        if self.waiting.len() < BATCH && !is_over {
            return Ok(());
        }
        self.tell()?;
        if is_over { self.stand_aside() } else { Ok(()) }
    }

    /// Lets others write that wait. What was learned is on the disk by now. (While a mail is read,
    /// from a pipe that is slow, nobody is let in.)
    fn stand_aside(&mut self) -> Result<(), Failure> {
        self.book = None;
        std::thread::sleep(ASIDE);
        self.book = Some(open(self.settings.clone())?);
        self.since = Clock::system().now();
        Ok(())
    }

    fn learn(&mut self, raw: &[u8]) -> io::Result<(Digest, Outcome)> {
        let lesson = Lesson::of_stored(
            raw,
            &self.learner,
            self.model.as_ref(),
            &self.trust,
            &self.limits,
        );
        let book = self
            .book
            .as_mut()
            .ok_or_else(|| io::Error::from(io::ErrorKind::WouldBlock))?;
        let outcome = if self.arguments.unlearn {
            book.unlearn(&lesson.digest, self.spam, now())?
        } else {
            book.learn(&lesson, self.spam, &self.arguments.source, now())?
        };
        Ok((lesson.digest, outcome))
    }

    /// Brings what was learned to the disk, then tells it.
    fn tell(&mut self) -> Result<(), Failure> {
        if let Some(book) = &mut self.book {
            commit(book, &self.settings.directory)?;
        }
        for (name, outcome) in std::mem::take(&mut self.waiting) {
            if outcome.is_err() {
                self.exit = Exit::BadInput;
            }
            let line = match self.arguments.state.format {
                Format::Json => json(name, &outcome, self.spam),
                Format::Text => text(&name, &outcome, self.spam),
            };
            self.out.line(line)?;
        }
        Ok(())
    }
}

fn class(spam: bool) -> &'static str {
    if spam { "spam" } else { "ham" }
}

fn json(file: String, outcome: &Taught, spam: bool) -> String {
    let told = Told {
        file,
        outcome: outcome
            .as_ref()
            .map_or("failed", |(_, outcome)| outcome.name()),
        label: class(spam),
        digest: outcome.as_ref().ok().map(|(digest, _)| digest.short()),
        error: outcome.as_ref().err().map(String::as_str),
    };
    serde_json::to_string(&told).unwrap_or_default()
}

fn text(name: &str, outcome: &Taught, spam: bool) -> String {
    let (name, this, other) = (safe(name), class(spam), class(!spam));
    let (digest, outcome) = match outcome {
        Ok((digest, outcome)) => (digest.short(), outcome),
        Err(error) => return format!("{name}: not learned: {}", safe(error)),
    };
    let what = match outcome {
        Outcome::Learned => format!("learned as {this}"),
        Outcome::Already => format!("already learned as {this}; nothing to do"),
        Outcome::Relearned => format!("learned as {this}; the label {other} was taken back"),
        Outcome::Unlearned => format!("the label {this} was taken back"),
        Outcome::Unknown => "no label is known; nothing to take back".to_owned(),
        Outcome::OtherLabel => format!("learned as {other}, not as {this}; left as it is"),
    };
    format!("{name}: {what}  {digest}")
}

/// One label, as a line of `--format json`.
#[derive(Serialize)]
struct LabelLine<'a> {
    sequence: u64,
    time: u64,
    label: &'static str,
    digest: String,
    source: &'a str,
    in_force: bool,
}

fn label_line(label: &Listed, format: Format) -> String {
    let Listed {
        sequence,
        time,
        digest,
        spam,
        source,
        in_force,
    } = label;
    if format == Format::Json {
        let (sequence, time, in_force) = (*sequence, *time, *in_force);
        let line = LabelLine {
            sequence,
            time,
            label: class(*spam),
            digest: digest.short(),
            source,
            in_force,
        };
        return serde_json::to_string(&line).unwrap_or_default();
    }
    let state = if *in_force { "" } else { "  (taken back)" };
    let day = gatepost_telemetry::date(*time);
    let clock = format!(
        "{:02}:{:02}:{:02}",
        time / 3_600 % 24,
        time / 60 % 60,
        time % 60
    );
    format!(
        "{day}T{clock}Z  {:<4}  {}  {}{state}",
        class(*spam),
        digest.short(),
        safe(source)
    )
}

fn log(loaded: &Loaded, state: &StateArguments) -> Result<Exit, Failure> {
    let settings = settings(&loaded.config.learner, state)?;
    let (labels, damaged) =
        listed(&settings).map_err(|error| failed(&settings.directory, &error))?;
    tell_damage(damaged);
    let mut out = Output::new();
    for label in &labels {
        out.line(label_line(label, state.format))?;
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn undo(loaded: &Loaded, digests: &[String], state: &StateArguments) -> Result<Exit, Failure> {
    let settings = settings(&loaded.config.learner, state)?;
    let directory = settings.directory.clone();
    let mut book = open_first(settings)?;
    let mut undone = Vec::new();
    for prefix in digests {
        undone.push((
            prefix,
            book.undo(prefix, now())
                .map_err(|error| failed(&directory, &error))?,
        ));
    }
    commit(&mut book, &directory)?;
    let mut out = Output::new();
    let mut exit = Exit::Done;
    for (prefix, undone) in undone {
        let why = match undone {
            Undone::Label(label) => {
                out.line(label_line(&label, state.format))?;
                continue;
            }
            Undone::None => {
                "no label in force of such a mail; `gatepost learn log` lists those that can be taken back".to_owned()
            }
            Undone::Ambiguous(count) => format!("{count} mails begin so; write more digits"),
        };
        say(format_args!("gatepost: {}: {why}", safe(prefix)));
        exit = Exit::Unavailable;
    }
    out.finish()?;
    Ok(exit)
}

fn rollback(
    loaded: &Loaded,
    since: u64,
    source: Option<&str>,
    state: &StateArguments,
) -> Result<Exit, Failure> {
    let settings = settings(&loaded.config.learner, state)?;
    let directory = settings.directory.clone();
    let mut book = open_first(settings)?;
    let count = book
        .rollback(since, source, now())
        .map_err(|error| failed(&directory, &error))?;
    commit(&mut book, &directory)?;
    let mut out = Output::new();
    match state.format {
        Format::Json => out.line(serde_json::json!({ "taken_back": count }))?,
        Format::Text => out.line(format_args!("{count} labels were taken back"))?,
    }
    out.finish()?;
    Ok(Exit::Done)
}

/// `YYYY-MM-DD`, or `YYYY-MM-DDTHH:MM:SSZ`, in UTC, as seconds since 1970.
pub(super) fn date(text: &str) -> Result<u64, String> {
    seconds(text)
        .ok_or_else(|| "write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ, in UTC, from 1970 on".to_owned())
}

fn seconds(text: &str) -> Option<u64> {
    let (day, clock) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let [year, month, date] = numbers(day, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock.strip_suffix('Z')?, ':', [2, 2, 2])?;
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let lengths = [
        31,
        if is_leap { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let before = usize::try_from(month.checked_sub(1)?).ok()?;
    let is_day = year >= 1970 && date >= 1 && date <= *lengths.get(before)?;
    if !is_day || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leaps(year - 1) - leaps(1969);
    let days = years + lengths.iter().take(before).sum::<u64>() + date - 1;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[u64; N]> {
    let parts: Vec<&str> = text.split(separator).collect();
    let is_right = |(part, digits): (&&str, &usize)| {
        part.len() == *digits && part.bytes().all(|b| b.is_ascii_digit())
    };
    if parts.len() != N || !parts.iter().zip(&digits).all(is_right) {
        return None;
    }
    let numbers: Option<Vec<u64>> = parts.iter().map(|part| part.parse().ok()).collect();
    numbers?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        for (text, expected) in [
            ("1970-01-01", Some(0)),
            ("1970-01-01T00:00:01Z", Some(1)),
            ("2000-03-01", Some(951_868_800)),
            ("2024-02-29", Some(1_709_164_800)),
            ("2026-11-23T18:22:04Z", Some(1_795_458_124)),
            ("2023-02-29", None),
            ("1969-12-31", None),
            ("2026-13-01", None),
            ("2026-00-01", None),
            ("2026-01-00", None),
            ("2026-01-01T24:00:00Z", None),
            ("2026-1-1", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(date(text).ok(), expected, "{text}");
            if let (Some(expected), false) = (expected, text.contains('T')) {
                assert_eq!(gatepost_telemetry::date(expected), text);
            }
        }
    }

    #[test]
    fn every_outcome_is_told() {
        let digest = Digest([0xab; 32]);
        let told = |outcome| text("a\u{1b}.eml", &Ok((digest, outcome)), true);
        assert_eq!(
            told(Outcome::Learned),
            format!("{}: learned as spam  abababababababab", safe("a\u{1b}.eml"))
        );
        let all = [
            Outcome::Learned,
            Outcome::Already,
            Outcome::Relearned,
            Outcome::Unlearned,
            Outcome::Unknown,
            Outcome::OtherLabel,
        ];
        let mut lines: Vec<String> = all.map(told).into();
        lines.push(text("a", &Err("too large".to_owned()), true));
        lines.sort();
        lines.dedup();
        assert_eq!(lines.len(), 7, "{lines:?}");
        assert!(
            json("a".to_owned(), &Err("x".to_owned()), false).contains("\"outcome\":\"failed\"")
        );
    }
}
