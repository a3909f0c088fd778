//! The command itself: reader, judges, printer.

use std::io::IsTerminal as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Sender, bounded};

use super::input::{self, Item};
use super::print::Printer;
use super::session;
use crate::cli::arguments::ScanArguments;
use crate::cli::bar::Bar;
use crate::cli::failure::Failure;
use crate::cli::generation::{assemble, compile, load_model, load_site};
use crate::cli::terminal::{Output, complain_briefly};
use crate::cli::{Exit, rule_files};
use crate::config::Loaded;
use gatepost_engine::{Generation, Scratch, TimeLeft, judge_within};
use gatepost_mail::{Facts, Specimen, Transaction};
use gatepost_words::Fault;
use gatepost_words::clock::Clock;
use gatepost_words::verdict::Verdict;

/// Mails in hand for each judging thread: read ahead of the judges, or waiting for an earlier one
/// to be printed.
const AHEAD: usize = 8;

/// How one mail ended: the verdict, or why there is none.
pub(super) type Judged = Result<Verdict, String>;

/// What the printer is given for one mail.
pub(super) struct Report {
    /// As the user named it, with the number of the message in a mailbox.
    pub(super) name: String,
    /// The verdict, or why there is none.
    pub(super) judged: Judged,
    /// Time that judging took, reading excluded.
    pub(super) elapsed: Duration,
}

/// A mail, and where its report is awaited.
struct Task {
    item: Item,
    report: Sender<Report>,
}

/// All that a judging thread needs.
struct Judge<'a> {
    generation: &'a Generation,
    transaction: &'a Transaction,
    deadline: Duration,
    clock: Clock,
}

/// Scans what was named.
pub(in crate::cli) fn scan(loaded: &Loaded, arguments: &ScanArguments) -> Result<Exit, Failure> {
    let config = &loaded.config;
    let (ruleset, warnings) = compile(&rule_files::chosen(&config.rules, &arguments.rules)?)?;
    // Warnings on the shipped rules are `rules check`'s business; on rules that were just named
    // they are news.
    if !arguments.rules.is_empty() {
        complain_briefly(&warnings);
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
        deadline: config.engine.deadline,
        clock: Clock::system(),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = arguments.jobs.map_or(cores, usize::from);
    let mut printer = Printer::new(Output::new(), arguments.format);
    let result = pipeline(arguments, &judge, jobs, &mut printer);
    result.and_then(|()| printer.finish())
}

fn pipeline(
    arguments: &ScanArguments,
    judge: &Judge<'_>,
    jobs: usize,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let (tasks, work) = bounded::<Task>(jobs * AHEAD);
    let (order, reports) = bounded::<Receiver<Report>>(jobs * AHEAD);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            input::read_all(
                &arguments.paths,
                judge.generation.limits().message,
                &mut |item| {
                    let (report, awaited) = bounded(1);
                    // Either end is gone only when the printer gave up: then reading ends too.
                    order.send(awaited).is_ok() && tasks.send(Task { item, report }).is_ok()
                },
            );
        });
        for _ in 0..jobs {
            let work = work.clone();
            scope.spawn(move || judge.work(&work));
        }
        drop(work);
        // Not where the results themselves are seen to come.
        let bar = if std::io::stdout().is_terminal() {
            Bar::hidden()
        } else {
            Bar::new()
        };
        for awaited in reports {
            // A judge answers every task; a lost one would be a bug, and shows as a missing line in
            // no silent way.
            let report = awaited
                .recv()
                .map_err(|_| Failure::new(Exit::Bug, "a judging thread died"))?;
            printer.print(&report)?;
            bar.one();
        }
        bar.finish();
        Ok(())
    })
}

impl Judge<'_> {
    fn work(&self, work: &Receiver<Task>) {
        let mut scratch = Scratch::default();
        for Task { item, report } in work {
            let begun = self.clock.now();
            let judged = item.raw.and_then(|raw| {
                catch_unwind(AssertUnwindSafe(|| self.judge(raw, begun, &mut scratch)))
                    .unwrap_or_else(|_| {
                        scratch = Scratch::default();
                        Err(Fault::Panic)
                    })
                    .map_err(|fault| fault_text(fault).to_owned())
            });
            let elapsed = self.clock.now().duration_since(begun);
            if report
                .send(Report {
                    name: item.name,
                    judged,
                    elapsed,
                })
                .is_err()
            {
                return;
            }
        }
    }

    fn judge(&self, raw: Vec<u8>, begun: Instant, scratch: &mut Scratch) -> Result<Verdict, Fault> {
        let is_late = || self.clock.now().duration_since(begun) >= self.deadline;
        let time_left = || {
            if is_late() {
                TimeLeft::None
            } else {
                TimeLeft::Plenty
            }
        };
        let specimen = Specimen {
            transaction: self.transaction.clone(),
            raw,
            facts: Facts::default(),
        };
        judge_within(self.generation, &specimen, scratch, &time_left)
    }
}

fn fault_text(fault: Fault) -> &'static str {
    match fault {
        Fault::Deadline => "not judged: the deadline passed (limits.deadline)",
        Fault::Panic => "not judged: a bug of Gatepost; please report it with this mail",
        Fault::TooLarge => "not judged: larger than limits.message",
        other => other.name(),
    }
}
