//! What the sockets lead to: opens sessions, reloads, renders the metrics.

use std::sync::{Arc, Mutex, PoisonError};

use super::generation::load_generation;
use super::learner::Learner;
use crate::config::{self, Changes, Config, Merged, Paths, Which, in_force};
use crate::server::{Observation, Reloaded, Request, Service};
use crate::session::Session;
use gatepost_engine::{Budget, Engine, Notify};
use gatepost_telemetry::{Gauges, Telemetry};
use gatepost_words::diagnostic::Diagnostic;

/// What the sockets lead to.
pub(super) struct Daemon {
    pub(super) engine: Arc<Engine>,
    pub(super) learner: Arc<Learner>,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) listeners: Vec<Arc<str>>,
    pub(super) paths: Paths,
    /// The configuration of the start.
    pub(super) started: Merged,
    /// That of the last reload; that of the start before there was one.
    pub(super) loaded: Mutex<Merged>,
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

    fn budget(&self) -> &Arc<Budget> {
        self.engine.budget()
    }

    /// Rules, model, policies, limits of reading and learner are read again and exchanged together.
    /// The keys that differ are reported: those in force from now on, and those that wait for a
    /// restart, also from an earlier reload.
    fn reload(&self) -> Result<Reloaded, String> {
        let loaded = Config::load(&self.paths).map_err(|errors| one_text(&errors))?;
        let (generation, warnings) =
            load_generation(&loaded.config).map_err(|errors| one_text(&errors))?;
        let generation = generation.keeping_profiles(&self.engine.generation());
        let learner = self.learner.prepare(&loaded.config)?;
        for warning in loaded.warnings.iter().chain(&warnings) {
            log::warn!("{warning}");
        }
        let generation_id = generation.id().to_string();
        let mut last = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        self.engine.replace_generation(generation);
        let notes = learner.map(|change| self.learner.apply(change));
        let changed = Changes::between(&last, &loaded.merged).reload;
        let restart = Changes::between(&self.started, &loaded.merged).restart;
        *last = loaded.merged;
        Ok(Reloaded {
            generation: generation_id,
            changed,
            restart,
            notes: notes.into_iter().collect(),
        })
    }

    fn query(&self, request: &Request) -> Result<String, String> {
        match request {
            Request::Metrics => Ok(self.metrics()),
            Request::Config { changed, key } => self.configuration(*changed, key.as_deref()),
            Request::Ping | Request::Reload => Err("the server answers this itself".to_owned()),
        }
    }

    fn observe(&self, what: Observation) {
        self.telemetry.metrics().count_connection(what.event());
    }

    fn shutting_down(&self) {
        log::info!("shutting down: finishing transactions in progress, deferring new ones");
    }
}

impl Daemon {
    fn metrics(&self) -> String {
        self.telemetry.render_prometheus(&Gauges {
            queue_depth: self.engine.queue_depth(),
            bytes_in_flight: self.engine.budget().used(),
            panics: self.engine.panics(),
            stuck_workers: self.engine.stuck_workers(),
            generation: self.engine.generation().id().to_string(),
        })
    }

    /// The values in force, with what waits for a restart.
    fn configuration(&self, changed: bool, key: Option<&str>) -> Result<String, String> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = Changes::between(&self.started, &loaded).restart;
        let which = if changed { Which::Changed } else { Which::All };
        let text = config::show(&in_force(&self.started, &loaded), which, key, &waiting);
        let mut text =
            text.ok_or_else(|| format!("there is no key `{}`", key.unwrap_or_default()))?;
        if !waiting.is_empty() {
            text.push_str("\n# needs a restart: ");
            text.push_str(&waiting.join(", "));
            text.push('\n');
        }
        Ok(text)
    }
}

fn one_text(errors: &[Diagnostic]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
