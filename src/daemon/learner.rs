//! The learner in the daemon: receives new labels, and switches to another directory on a reload.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::generation::learning_settings;
use crate::config::Config;
use gatepost_engine::Engine;
use gatepost_learn::classifier::FrozenSite;
use gatepost_learn::learning::{LabelLogFollower, LearningSettings};

/// How often the daemon looks for new labels.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Brings the labels that commands store to the engine. The learner is a help, not a need: what
/// cannot be read is logged, and mail is judged without it.
pub(super) struct Learner {
    engine: Arc<Engine>,
    /// What is followed; `None` while the learner is off. Locked while it is exchanged and passed
    /// to the engine, so that a site of the old directory never comes after one of the new.
    following: Mutex<Option<Following>>,
}

struct Following {
    settings: LearningSettings,
    follower: LabelLogFollower,
    /// Whether the last look failed: that is logged once, not every second.
    is_broken: bool,
}

/// What a reload changes.
pub(super) struct Change(Option<(Following, Option<Arc<FrozenSite>>)>);

impl Learner {
    /// Reads the labels given until now, and from here on in a thread of its own, which ends with
    /// the process.
    pub(super) fn start(config: &Config, engine: Arc<Engine>) -> Arc<Self> {
        let following = learning_settings(config).map(Following::new);
        let learner = Arc::new(Self {
            engine,
            following: Mutex::new(following),
        });
        learner.look();
        let own = Arc::clone(&learner);
        let started = std::thread::Builder::new()
            .name("learner".to_owned())
            .spawn(move || {
                loop {
                    std::thread::sleep(LOOK_EVERY);
                    own.look();
                }
            });
        if let Err(error) = started {
            log::error!("cannot start the thread that reads new labels: {error}");
        }
        learner
    }

    fn look(&self) {
        let mut following = self.lock();
        let Some(Following {
            settings,
            follower,
            is_broken,
        }) = following.as_mut()
        else {
            return;
        };
        match follower.poll() {
            Ok(None) => *is_broken = false,
            Ok(Some(site)) => {
                *is_broken = false;
                log::info!(
                    "label log updated: {}",
                    label_counts(&settings.directory, Some(&site))
                );
                self.engine.replace_site(Some(&site));
            }
            Err(error) if !std::mem::replace(is_broken, true) => {
                let directory = settings.directory.display();
                log::error!(
                    "cannot read the label log: {directory}: {error}; labels read before still hold"
                );
            }
            Err(_) => {}
        }
    }

    /// What the configuration changes, ready to be put in place; `None` where it changes nothing.
    /// An error says why it cannot be, and nothing has changed.
    pub(super) fn prepare(&self, config: &Config) -> Result<Option<Change>, String> {
        let wanted = learning_settings(config);
        let following = self.lock();
        let Some(settings) = wanted else {
            return Ok(following.is_some().then_some(Change(None)));
        };
        if following
            .as_ref()
            .is_some_and(|now| now.settings == settings)
        {
            return Ok(None);
        }
        let before = following.as_ref().map(|now| now.settings.directory.clone());
        drop(following);
        let directory = settings.directory.display().to_string();
        let broken = |error: std::io::Error| {
            format!("learner.path: {directory}: {error}; the learner stays as it was")
        };
        // A new site starts without the directory. One that switches to another has most likely
        // misspelt its name.
        if before.is_some_and(|before| before != settings.directory) {
            settings.directory.read_dir().map_err(broken)?;
        }
        let mut following = Following::new(settings);
        let site = following.follower.poll().map_err(broken)?;
        Ok(Some(Change(Some((following, site)))))
    }

    /// Puts a change in place, and describes it.
    pub(super) fn apply(&self, Change(wanted): Change) -> String {
        let mut following = self.lock();
        let (next, site) = wanted.unzip();
        let site = site.flatten();
        self.engine.replace_site(site.as_ref());
        let text = match &next {
            None => "the learner is off".to_owned(),
            Some(next) => format!(
                "the learner follows {}",
                label_counts(&next.settings.directory, site.as_deref())
            ),
        };
        *following = next;
        text
    }

    fn lock(&self) -> MutexGuard<'_, Option<Following>> {
        self.following
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Following {
    fn new(settings: LearningSettings) -> Self {
        Self {
            follower: LabelLogFollower::new(settings.clone()),
            settings,
            is_broken: false,
        }
    }
}

/// A directory, and the labels that it holds.
fn label_counts(directory: &Path, site: Option<&FrozenSite>) -> String {
    let directory = directory.display();
    match site {
        None => format!("{directory}: no labels yet"),
        Some(site) => {
            let (ham, spam) = site.learner().labels();
            format!(
                "{directory}: {ham} ham, {spam} spam (sequence {})",
                site.sequence()
            )
        }
    }
}
