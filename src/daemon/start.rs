//! Starting the daemon, and serving until SIGTERM.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use thiserror::Error;

use super::allocator;
use super::generation::load_generation;
use super::learner::Learner;
use super::memory::{budget_within, keep_trimmed, memory_available};
use super::needs::{Provided, missing_files, unusable_sockets};
use super::server_settings::server_settings;
use super::service::Daemon;
use crate::config::{Config, Loaded, Paths};
use crate::server::{self, PassedSockets, ServeError};
use gatepost_engine::{CommitSettings, Durable, Engine, Generation, Services};
use gatepost_gather::{Gather, Resolver, system_servers};
use gatepost_telemetry::Telemetry;
use gatepost_words::clock::Clock;
use gatepost_words::diagnostic::Diagnostic;

/// From the decision to its record on the disk, where `records.durable` wants it there first. After
/// that it is a fault; Postfix waits much longer.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the last log lines and records may take to be written before the process exits.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Why the daemon did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// Rules, model or policies do not load.
    #[error("the rules, the model or a policy do not load")]
    Generation(Vec<Diagnostic>),
    /// Sockets that cannot be opened.
    #[error("a socket cannot be opened")]
    Needs(Vec<Diagnostic>),
    /// Threads that were refused.
    #[error("cannot start {0}: {1}")]
    Threads(&'static str, #[source] io::Error),
}

/// Serves until SIGTERM. `warn` is given the warnings on the rules before the log begins. The outer
/// error is one of the start; the inner one, which was logged, is one of serving.
pub fn run(
    paths: &Paths,
    loaded: &Loaded,
    warn: impl Fn(&[Diagnostic]),
) -> Result<Result<(), ServeError>, StartError> {
    allocator::configure();
    let (generation, warnings) = load_generation(&loaded.config).map_err(StartError::Generation)?;
    warn(&warnings);
    let passed = PassedSockets::of_process();
    let provided = Provided {
        sockets: passed.addresses(),
        directories: Vec::new(),
    };
    let unusable = unusable_sockets(&loaded.config, &provided);
    if !unusable.is_empty() {
        return Err(StartError::Needs(unusable));
    }
    warn(&missing_files(&loaded.config, &provided));
    let mut settings = server_settings(&loaded.config);
    settings.passed = passed;
    let clock = Clock::system();
    gatepost_telemetry::init_log(loaded.config.log, clock.clone());
    let daemon = Arc::new(start(paths, loaded, generation, &clock)?);
    gatepost_telemetry::log_panics();
    let ready = || {
        log::info!(
            "gatepost {} is ready; generation {}",
            env!("CARGO_PKG_VERSION"),
            daemon.engine.generation().id()
        );
    };
    let served = server::serve(settings, Arc::clone(&daemon), clock, ready);
    match &served {
        Ok(()) => log::info!(
            "gatepost has stopped; generation {}",
            daemon.engine.generation().id()
        ),
        // Through the log, which has a deadline: standard error may be a full pipe.
        Err(error) => log::error!("{error}"),
    }
    daemon.telemetry.close(CLOSE_TIMEOUT);
    Ok(served)
}

/// Threads that a daemon still starts: each worker may be replaced twice, and learner, reloads, the
/// control socket and commits have theirs.
fn threads_to_come(workers: usize) -> usize {
    workers.saturating_mul(3).saturating_add(8)
}

/// Starts publisher, workers and learner.
fn start(
    paths: &Paths,
    loaded: &Loaded,
    generation: Generation,
    clock: &Clock,
) -> Result<Daemon, StartError> {
    let config = &loaded.config;
    let telemetry = Telemetry::start(&config.records, clock.clone())
        .map_err(|error| StartError::Threads("the publisher", error))?;
    let telemetry = Arc::new(telemetry);
    let services = Services {
        clock: clock.clone(),
        telemetry: Arc::clone(&telemetry),
        gather: Some(resolver(config, clock)?),
        commit: commit_settings(config.durable, &telemetry),
    };
    let mut settings = config.engine;
    settings.bytes_in_flight = budget_within(
        config.engine.bytes_in_flight,
        memory_available(threads_to_come(config.engine.worker_threads())),
    );
    if settings.bytes_in_flight < config.engine.bytes_in_flight {
        log::warn!(
            "memory: {} MiB of messages may be held, not the configured {} MiB: the cgroup or a \
             resource limit allows no more (workers.bytes_in_flight)",
            settings.bytes_in_flight >> 20,
            config.engine.bytes_in_flight >> 20,
        );
    }
    let engine = Engine::start_with(settings, generation, services)
        .map_err(|error| StartError::Threads("the workers", error))?;
    keep_trimmed(engine.budget());
    let learner = Learner::start(config, Arc::clone(&engine));
    let names = config.listeners.iter();
    Ok(Daemon {
        engine,
        learner,
        telemetry,
        listeners: names.map(|listener| Arc::clone(&listener.name)).collect(),
        paths: paths.clone(),
        started: loaded.merged.clone(),
        loaded: Mutex::new(loaded.merged.clone()),
    })
}

/// What makes records durable before the answer; `None` where nothing does.
fn commit_settings(durable: Durable, telemetry: &Telemetry) -> Option<CommitSettings> {
    // Without a record file there is no writer: the configuration has warned of it.
    let writer = telemetry.durable_writer()?;
    let is_wanted = durable != Durable::Nothing;
    is_wanted.then(|| CommitSettings {
        durable,
        timeout: COMMIT_TIMEOUT,
        writer: Arc::new(writer),
    })
}

/// Starts the resolver. It is there even where nothing is asked: a reload may switch that on.
fn resolver(config: &Config, clock: &Clock) -> Result<Arc<dyn Gather>, StartError> {
    let mut settings = gatepost_gather::Settings {
        servers: config.dns.servers.clone(),
        ..gatepost_gather::Settings::default()
    };
    if settings.servers.is_empty() {
        settings.servers = system_servers().unwrap_or_else(|error| {
            log::error!("cannot read /etc/resolv.conf: {error}; look-ups fail (dns.servers)");
            Vec::new()
        });
    }
    let resolver = Resolver::start(settings, clock.clone())
        .map_err(|error| StartError::Threads("the resolver", error))?;
    Ok(Arc::new(resolver))
}
