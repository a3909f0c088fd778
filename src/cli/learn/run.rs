//! `gatepost learn CLASS`: reads messages and stores their labels.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use super::arguments::LearnArguments;
use super::command::{commit, failed, now, open, open_first, settings};
use super::line::{LearnResult, learn_line};
use super::summary::Summary;
use crate::cli::Exit;
use crate::cli::arguments::Format;
use crate::cli::failure::Failure;
use crate::cli::progress::Progress;
use crate::cli::terminal::{Output, eprint_line, escaped};
use crate::config::Loaded;
use crate::daemon::load_model;
use gatepost_learn::classifier::{Model, SiteLearner};
use gatepost_learn::features::TrustedAuthservIds;
use gatepost_learn::learning::{
    LabelSource, LabelStore, LearningSettings, Outcome, TrainingExample,
};
use gatepost_mail::Limits;
use gatepost_reader::{Item, Unread, read_all};
use gatepost_words::clock::Clock;
use gatepost_words::{Class, MessageDigest};

/// Messages that are synced, and reported, together.
const BATCH: usize = 64;
/// How long a command that reads many messages holds the lock at a time: a user who moves a message
/// in a mailbox waits for at most the lock's timeout, and then the label is lost.
const LOCK_HOLD_MAX: Duration = Duration::from_secs(2);
/// How long it then yields: a few times what passes between two tries of a process that waits
/// (`gatepost_store::Lock`).
const YIELD_PAUSE: Duration = Duration::from_millis(100);

/// All that is needed to learn from messages.
struct LearnRun<'a> {
    settings: LearningSettings,
    /// `None` while it yields.
    store: Option<LabelStore>,
    /// Since when it holds the lock.
    since: Instant,
    learner: SiteLearner,
    model: Option<Model>,
    trust: TrustedAuthservIds,
    limits: Limits,
    arguments: &'a LearnArguments,
    class: Class,
    out: Output,
    /// Not reported yet, since not on the disk yet.
    unsynced: Vec<(String, LearnResult)>,
    exit: Exit,
    summary: Summary,
    progress: Progress,
}

/// Learns the messages that are named as `class`, or retracts that label.
pub(super) fn learn_messages(
    loaded: &Loaded,
    arguments: &LearnArguments,
    class: Class,
) -> Result<Exit, Failure> {
    let config = &loaded.config;
    let settings = settings(&config.learner, &arguments.state)?;
    let mut run = LearnRun {
        learner: SiteLearner::new(settings.learner.clone()),
        store: Some(open_first(settings.clone())?),
        settings,
        // Not before: a command that had to wait for its turn has kept no other one waiting.
        since: Clock::system().now(),
        model: load_model(&config.model)?,
        trust: TrustedAuthservIds::new(&config.learner.trusted_authservs),
        limits: config.limits,
        arguments,
        class,
        out: Output::new(),
        unsynced: Vec::new(),
        exit: Exit::Done,
        summary: Summary::default(),
        // Not where the results themselves are seen to come.
        progress: if io::stdout().is_terminal() {
            Progress::hidden()
        } else {
            Progress::new()
        },
    };
    let mut result = Ok(());
    read_all(&arguments.paths, config.limits.message, &mut |item| {
        result = run.take(item);
        result.is_ok()
    });
    // What was learned before something failed is reported all the same.
    let reported = run.report();
    run.progress.finish();
    result.and(reported)?;
    if arguments.state.format == Format::Text {
        run.out.line(run.summary.line(class))?;
    }
    run.out.finish()?;
    Ok(run.exit)
}

impl LearnRun<'_> {
    fn take(&mut self, item: Item) -> Result<(), Failure> {
        let raw = item.as_delivered();
        let name = item.name;
        if let Err(why) = &raw {
            self.summary.unread(why);
        }
        let result = match raw {
            Err(Unread::PassedOver(why) | Unread::Nothing(why)) => {
                let (name, why) = (escaped(&name), escaped(&why));
                eprint_line(format_args!("gatepost: {name}: {why}"));
                return Ok(());
            }
            Ok(raw) => {
                let learned = self.learn(&raw);
                Ok(learned.map_err(|error| failed(&self.settings.directory, &error))?)
            }
            Err(why) => Err(why.to_string()),
        };
        if let Ok((_, outcome)) = &result {
            self.summary.outcome(*outcome);
        }
        self.progress.one();
        self.unsynced.push((name, result));
        let is_over = Clock::system().now() - self.since >= LOCK_HOLD_MAX;
        if self.unsynced.len() >= BATCH || is_over {
            self.report()?;
        }
        if is_over {
            self.yield_lock()?;
        }
        Ok(())
    }

    /// Lets other commands write that wait. What was learned is on the disk by now. (While a
    /// message is read, from a pipe that is slow, no other command can write.)
    fn yield_lock(&mut self) -> Result<(), Failure> {
        self.store = None;
        std::thread::sleep(YIELD_PAUSE);
        self.store = Some(open(self.settings.clone())?);
        self.since = Clock::system().now();
        Ok(())
    }

    fn learn(&mut self, raw: &[u8]) -> io::Result<(MessageDigest, Outcome)> {
        let example = TrainingExample::of_stored(
            raw,
            &self.learner,
            self.model.as_ref(),
            &self.trust,
            &self.limits,
        );
        let store = self
            .store
            .as_mut()
            .ok_or_else(|| io::Error::from(io::ErrorKind::WouldBlock))?;
        let outcome = if self.arguments.unlearn {
            store.unlearn(&example.digest, self.class, now())?
        } else {
            let source = LabelSource {
                name: &self.arguments.source,
                kind: self.arguments.kind.of_label(),
                time: now(),
            };
            store.learn(&example, self.class, &source)?
        };
        Ok((example.digest, outcome))
    }

    /// Syncs what was learned, then reports it.
    fn report(&mut self) -> Result<(), Failure> {
        if let Some(store) = &mut self.store {
            commit(store, &self.settings.directory)?;
        }
        for (name, result) in std::mem::take(&mut self.unsynced) {
            if result.is_err() {
                self.exit = Exit::BadInput;
            }
            let format = self.arguments.state.format;
            self.out
                .line(learn_line(&name, &result, self.class, format))?;
        }
        self.out.flush()
    }
}
