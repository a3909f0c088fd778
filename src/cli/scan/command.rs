//! The command itself.

use std::io::IsTerminal as _;
use std::time::Duration;

use super::print::Printer;
use super::session;
use crate::cli::Exit;
use crate::cli::arguments::ScanArguments;
use crate::cli::failure::Failure;
use crate::cli::loading::load_site;
use crate::cli::pipeline::{self, Panicked};
use crate::cli::progress::Progress;
use crate::cli::terminal::{Output, print_diagnostics_briefly};
use crate::config::Loaded;
use crate::daemon::{assemble, chosen_rules, compile, load_model};
use gatepost_engine::{Generation, Scratch, TimeLeft, judge_within};
use gatepost_mail::{Facts, Specimen, Transaction};
use gatepost_reader::{Item, Unread, read_all};
use gatepost_words::Fault;
use gatepost_words::clock::Clock;
use gatepost_words::verdict::Verdict;

/// How one mail ended: the verdict, or why there is none.
pub(super) type Judged = Result<Verdict, Unread>;

/// What the printer is given for one mail.
pub(super) struct Report {
    /// As the user named it, with the number of the message in a mailbox.
    pub(super) name: String,
    /// The verdict, or why there is none.
    pub(super) judged: Judged,
    /// Time that judging took, reading excluded.
    pub(super) elapsed: Duration,
}

/// All that a judging thread needs.
struct Judge<'a> {
    generation: &'a Generation,
    transaction: &'a Transaction,
    /// Whether the transaction was named: then it counts, not the envelope of a queue file.
    is_session_named: bool,
    deadline: Duration,
    clock: Clock,
}

/// Scans what was named.
pub(in crate::cli) fn scan(loaded: &Loaded, arguments: &ScanArguments) -> Result<Exit, Failure> {
    let config = &loaded.config;
    let (ruleset, warnings) = compile(&chosen_rules(&config.rules, &arguments.rules)?)?;
    // Warnings on the shipped rules are `rules check`'s business; on rules that were just named
    // they are news.
    if !arguments.rules.is_empty() {
        print_diagnostics_briefly(&warnings);
    }
    let model = if arguments.no_model {
        None
    } else {
        load_model(&config.model)?
    };
    let site = if arguments.no_model {
        None
    } else {
        load_site(config)
    };
    let generation = assemble(config, ruleset, model)?.with_site(site);
    let transaction = session::read(arguments.session.as_deref())?;
    let judge = Judge {
        generation: &generation,
        transaction: &transaction,
        is_session_named: arguments.session.is_some(),
        deadline: config.engine.deadline,
        clock: Clock::system(),
    };
    let mut printer = Printer::new(Output::new(), arguments.format);
    judge_all(arguments, &judge, &mut printer)?;
    printer.finish()
}

fn judge_all(
    arguments: &ScanArguments,
    judge: &Judge<'_>,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let limit = judge.generation.limits().message;
    // Not where the results themselves are seen to come.
    let bar = if std::io::stdout().is_terminal() {
        Progress::hidden()
    } else {
        Progress::new()
    };
    pipeline::in_order(
        pipeline::jobs(arguments.jobs),
        |take| read_all(&arguments.paths, limit, take),
        Scratch::default,
        |scratch, item: &mut Item| judge.judge(item, scratch),
        |done| {
            printer.print(&Report {
                name: done.item.name,
                judged: done.result.unwrap_or_else(|Panicked| refused(Fault::Panic)),
                elapsed: done.elapsed,
            })?;
            bar.one();
            Ok(())
        },
    )?;
    bar.finish();
    Ok(())
}

impl Judge<'_> {
    fn judge(&self, item: &mut Item, scratch: &mut Scratch) -> Judged {
        let raw = std::mem::replace(&mut item.raw, Ok(Vec::new()))?;
        let begun = self.clock.now();
        let time_left = || {
            if self.clock.now().duration_since(begun) >= self.deadline {
                TimeLeft::None
            } else {
                TimeLeft::Plenty
            }
        };
        let mut transaction = self.transaction.clone();
        if let (false, Some(envelope)) = (self.is_session_named, &item.envelope) {
            session::fill(&mut transaction, envelope);
        }
        let specimen = Specimen {
            transaction,
            raw,
            facts: Facts::default(),
        };
        judge_within(self.generation, &specimen, scratch, &time_left).or_else(refused)
    }
}

fn refused(fault: Fault) -> Judged {
    Err(Unread::Failed(fault_text(fault).to_owned()))
}

fn fault_text(fault: Fault) -> &'static str {
    match fault {
        Fault::Deadline => "not judged: the deadline passed (limits.deadline)",
        Fault::Panic => "not judged: a bug of Gatepost; please report it with this mail",
        Fault::TooLarge => "not judged: larger than limits.message",
        other => other.name(),
    }
}
