//! How far training or measuring is; on a terminal only.

use std::cell::Cell;

use crate::cli::Exit;
use crate::cli::progress::Progress;
use crate::cli::terminal::{eprint_line, escaped};
use gatepost_training::Progress as Step;

/// A progress bar for what training reports.
pub(super) struct TrainingProgress {
    bar: Progress,
    /// Files that are not messages, or cannot be read.
    wrong: Cell<usize>,
}

impl TrainingProgress {
    /// Shows nothing where standard error is not a terminal.
    pub(super) fn new() -> Self {
        Self {
            bar: Progress::new(),
            wrong: Cell::new(0),
        }
    }

    /// Shows one report.
    pub(super) fn show(&self, progress: &Step) {
        match progress {
            Step::Reading {
                corpus,
                done,
                total,
            } => self.bar.at(&format!("reading {corpus}"), *done, *total),
            Step::Learning { epoch, done, total } => {
                self.bar.at(&format!("learning, pass {epoch}"), *done, *total);
            }
            Step::Attacking { done, total } => self.bar.at("attacked copies", *done, *total),
            Step::Epoch {
                epoch,
                held_out_loss,
                one_minus_roca_percent,
            } => self.bar.note(&format!(
                "pass {epoch}: held-out loss {held_out_loss:.5}, 1-ROCA {one_minus_roca_percent:.4} %"
            )),
            Step::Skipped {
                name,
                why,
                is_wrong,
            } => {
                self.wrong.set(self.wrong.get() + usize::from(*is_wrong));
                let (name, why) = (escaped(name), escaped(why));
                eprint_line(format_args!("gatepost: skipped {name}: {why}"));
            }
            Step::Writing => self.bar.doing("writing"),
        }
    }

    /// The exit status of the command: what is not a message is wrong input.
    pub(super) fn exit(&self) -> Exit {
        match self.wrong.get() {
            0 => Exit::Done,
            count => {
                eprint_line(format_args!("gatepost: {count} files are not messages"));
                Exit::BadInput
            }
        }
    }

    /// Takes it off the screen.
    pub(super) fn finish(&self) {
        self.bar.finish();
    }
}
