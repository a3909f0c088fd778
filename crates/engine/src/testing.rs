//! What the tests of `engine` and `session` share: small generations, and a place to report to.
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "helpers of tests: what fails here fails a test"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use crossbeam::channel::{Receiver, Sender, unbounded};

use super::{Completion, Generation, Notify, Profile};
use gatepost_policy::{Policy, Settings};
use gatepost_rules::Ruleset;
use gatepost_words::FailurePolicy;
use gatepost_words::diagnostic::Source;

/// A generation of these rules, without a model.
pub fn generation(rules: &str, settings: &Settings, on_fault: FailurePolicy) -> Generation {
    let source = Arc::new(Source {
        name: "test.cf".to_owned(),
        text: rules.to_owned(),
    });
    let (ruleset, diagnostics) = Ruleset::load(&[source]);
    let ruleset = ruleset.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let policy = Policy::new(settings).expect("the settings are good");
    Generation::new(ruleset, None, Profile { policy, on_fault }, BTreeMap::new())
}

/// Collects what workers report.
pub struct Inbox {
    sender: Sender<Completion>,
}

impl Inbox {
    /// An inbox, and what arrives in it.
    pub fn open() -> (Arc<Self>, Receiver<Completion>) {
        let (sender, receiver) = unbounded();
        (Arc::new(Self { sender }), receiver)
    }
}

impl Notify for Inbox {
    fn completed(&self, completion: Completion) {
        self.sender
            .send(completion)
            .expect("the test still listens");
    }
}
