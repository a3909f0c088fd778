//! Command line of `gatepost learn`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::arguments::Format;
use gatepost_words::{CivilTime, LabelKind};

/// `learn`
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LearnCommand {
    /// Learn messages as spam
    Spam(LearnArguments),
    /// Learn messages as ham
    Ham(LearnArguments),
    /// Learn messages as phishing: they pose as another sender to get secrets or money
    Phish(LearnArguments),
    /// Learn messages as malware: they carry or link to harmful software
    Malware(LearnArguments),
    /// Learn messages as bulk mail that was asked for: newsletters, notifications
    Bulk(LearnArguments),
    /// Learn messages as unwanted: neither harmful nor spam
    Unwanted(LearnArguments),
    /// List the labels that can be retracted
    List {
        #[command(flatten)]
        state: StateArguments,
    },
    /// The old name of `list`
    #[command(hide = true)]
    Log {
        #[command(flatten)]
        state: StateArguments,
    },
    /// Retract the label of a message: as if it had never been given
    Undo {
        /// The message's digest as `learn` prints it, or its first 8 digits or more
        #[arg(required = true, value_name = "DIGEST", value_parser = digest)]
        digests: Vec<String>,
        #[command(flatten)]
        state: StateArguments,
    },
    /// Retract all labels that were given at a time or later
    Rollback {
        /// YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SSZ, in UTC
        #[arg(value_name = "DATE", value_parser = date)]
        date: u64,
        /// Only those of this source
        #[arg(long, value_name = "NAME")]
        source: Option<String>,
        #[command(flatten)]
        state: StateArguments,
    },
}

/// `learn spam`, `learn ham` and the other classes
#[derive(Debug, Args)]
pub(in crate::cli) struct LearnArguments {
    /// Message files, directories, Maildirs (their cur/ and new/), mailboxes (mbox), queue files of
    /// Postfix, gzip, bzip2 and zstd included; or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Retract this label instead
    #[arg(long)]
    pub(super) unlearn: bool,
    /// Who gives the label, such as a user's name; `list` shows it and `rollback --source` finds
    /// it
    #[arg(long, value_name = "NAME", default_value = "command")]
    pub(super) source: String,
    /// On what occasion the label is given; `list` shows it, and the learner treats all alike
    #[arg(long, value_enum, default_value = "correction")]
    pub(super) kind: Kind,
    #[command(flatten)]
    pub(super) state: StateArguments,
}

/// The kinds of labels on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Kind {
    /// A person moved or reported the message
    Correction,
    /// The message was drawn at random
    AuditSample,
    /// A whole archive is labelled
    BulkImport,
}

impl Kind {
    pub(super) fn of_label(self) -> LabelKind {
        match self {
            Self::Correction => LabelKind::Correction,
            Self::AuditSample => LabelKind::AuditSample,
            Self::BulkImport => LabelKind::BulkImport,
        }
    }
}

/// Where labels are stored, and how results are printed.
#[derive(Debug, Args)]
pub(in crate::cli) struct StateArguments {
    /// The directory of the labels [default: learner.path]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) state: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    pub(in crate::cli) format: Format,
}

fn digest(text: &str) -> Result<String, String> {
    let is_digits =
        (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digits {
        Ok(text.to_owned())
    } else {
        Err("a digest has 8 to 64 hexadecimal digits".to_owned())
    }
}

/// A date, or a date and time, in UTC, as seconds since 1970.
fn date(text: &str) -> Result<u64, String> {
    let time: CivilTime = text.parse().map_err(|error| format!("{error}"))?;
    u64::try_from(time.unix_seconds()).map_err(|_| "expected a date from 1970 on".to_owned())
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
        }
    }

    #[test]
    fn kinds_have_the_names_that_records_show() {
        for kind in Kind::value_variants() {
            let shown = kind.to_possible_value().unwrap();
            assert_eq!(shown.get_name(), kind.of_label().name());
        }
    }
}
