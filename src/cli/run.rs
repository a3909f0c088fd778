//! `gatepost run`: the daemon.

use std::sync::Arc;
use std::time::Duration;

use super::Exit;
use super::failure::Failure;
use super::generation::load_generation;
use super::learner::Learner;
use super::program::load;
use super::terminal::complain;
use crate::config::{self, Config, Loaded, Place};
use crate::server::{self, Observation, ServeError, Service};
use crate::session::Session;
use gatepost_engine::{Engine, Notify};
use gatepost_telemetry::{self, Gauges, Telemetry};
use gatepost_words::SocketAddress;
use gatepost_words::clock::Clock;
use gatepost_words::diagnostic::Diagnostic;

/// How long the last log lines and records may take to be written before the process exits.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves until SIGTERM.
pub(super) fn run(place: &Place) -> Result<Exit, Failure> {
    let Loaded { config, .. } = load(place)?;
    let (generation, warnings) = load_generation(&config)?;
    complain(&warnings);
    let settings = server_settings(&config)?;
    let clock = Clock::system();
    gatepost_telemetry::init_log(config.log, clock.clone());
    let telemetry = Telemetry::start(&config.records, clock.clone()).map_err(|error| {
        Failure::new(
            Exit::of_io(&error),
            format!("cannot start the publisher: {error}"),
        )
    })?;
    let telemetry = Arc::new(telemetry);
    gatepost_telemetry::log_panics();
    let id = generation.id().clone();
    let engine = Engine::start(
        config.engine,
        generation,
        clock.clone(),
        Arc::clone(&telemetry),
    )
    .map_err(|error| {
        Failure::new(
            Exit::of_io(&error),
            format!("cannot start the workers: {error}"),
        )
    })?;
    let learner = Learner::start(&config, Arc::clone(&engine));
    let listeners = config
        .listeners
        .iter()
        .map(|listener| Arc::clone(&listener.name))
        .collect();
    let daemon = Arc::new(Daemon {
        engine,
        learner,
        telemetry,
        listeners,
        place: place.clone(),
    });
    let ready = || {
        log::info!(
            "gatepost {} is ready; generation {id}",
            env!("CARGO_PKG_VERSION")
        );
    };
    let served = server::serve(settings, Arc::clone(&daemon), clock, ready);
    let id = daemon.engine.generation().id().clone();
    let exit = match served {
        Ok(()) => {
            log::info!("gatepost has stopped; generation {id}");
            Exit::Done
        }
        // Through the log, which has a deadline: standard error may be a full pipe.
        Err(error) => {
            log::error!("{error}");
            exit_of(&error)
        }
    };
    daemon.telemetry.close(CLOSE_TIMEOUT);
    Ok(exit)
}

fn exit_of(error: &ServeError) -> Exit {
    match error {
        ServeError::NoListener | ServeError::NoLibmilter(_) | ServeError::LibmilterTwice => {
            Exit::BadConfig
        }
        ServeError::Forced => Exit::TryLater,
        ServeError::System(_, error) | ServeError::Poll(error) => Exit::of_io(error),
        ServeError::Bind(_) | ServeError::Libmilter(_) => Exit::Unavailable,
    }
}

/// What the server needs to know of the configuration.
pub(super) fn server_settings(config: &Config) -> Result<server::Settings, Failure> {
    let mut listeners = Vec::new();
    for listener in &config.listeners {
        listeners.push(server::Listener {
            name: Arc::clone(&listener.name),
            address: address(listener),
            front_end: match listener.front_end {
                config::FrontEnd::Native => server::FrontEnd::Native,
                config::FrontEnd::Libmilter => server::FrontEnd::Libmilter,
            },
        });
    }
    Ok(server::Settings {
        listeners,
        connections_max: config.connections,
        idle_timeout: config.server.idle_timeout,
        drain_timeout: config.server.drain_timeout,
        control: config.server.control.clone(),
        ..server::Settings::default()
    })
}

/// A listener's socket in the server's words.
pub(super) fn address(listener: &config::Listener) -> server::Address {
    match &listener.socket {
        SocketAddress::Unix(path) => server::Address::Unix {
            path: path.clone(),
            mode: listener.mode,
            group: listener.group.clone(),
        },
        SocketAddress::Inet(address) => server::Address::Inet(*address),
    }
}

/// What the sockets lead to.
struct Daemon {
    engine: Arc<Engine>,
    learner: Arc<Learner>,
    telemetry: Arc<Telemetry>,
    listeners: Vec<Arc<str>>,
    place: Place,
}

impl Service for Daemon {
    type Connection = Session;

    fn open(&self, index: usize, notify: Arc<dyn Notify>) -> Session {
        // The server counts the listeners that we gave it, so the name is always there.
        let listener = self
            .listeners
            .get(index)
            .cloned()
            .unwrap_or_else(|| Arc::from("unknown"));
        Session::new(Arc::clone(&self.engine), listener, notify)
    }

    /// Rules, model, policies and learner are read anew and swapped together. Sockets, limits and
    /// workers need a restart.
    fn reload(&self) -> Result<String, String> {
        let loaded = Config::load(&self.place).map_err(|wrong| one_text(&wrong))?;
        let (generation, warnings) =
            load_generation(&loaded.config).map_err(|wrong| one_text(&wrong))?;
        let change = self.learner.prepare(&loaded.config)?;
        for warning in loaded.warnings.iter().chain(&warnings) {
            log::warn!("{warning}");
        }
        let id = generation.id().clone();
        let names: Vec<&Arc<str>> = loaded
            .config
            .listeners
            .iter()
            .map(|listener| &listener.name)
            .collect();
        let note = if names.iter().copied().eq(&self.listeners) {
            ""
        } else {
            "; listeners changed: that needs a restart"
        };
        self.engine.replace_generation(generation);
        let learner = change
            .map(|change| format!("; {}", self.learner.apply(change)))
            .unwrap_or_default();
        Ok(format!("generation {id}{learner}{note}"))
    }

    fn stats(&self) -> String {
        self.telemetry.metrics().render_prometheus(&Gauges {
            queue_depth: self.engine.queue_depth(),
            bytes_in_flight: self.engine.budget().used(),
            panics: self.engine.panics(),
            generation: self.engine.generation().id().to_string(),
        })
    }

    fn observe(&self, what: Observation) {
        let is_known = self.telemetry.metrics().count_connection(what.name());
        debug_assert!(is_known, "{what:?} is not among the metrics");
    }

    fn shutting_down(&self) {
        log::info!(
            "gatepost is stopping: mails that have begun are finished, new ones are deferred"
        );
    }
}

fn one_text(wrong: &[Diagnostic]) -> String {
    wrong
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
