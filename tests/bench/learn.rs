//! What learning one label costs, and what the learner costs a mail that is judged.
//!
//! ```text
//! cargo bench --bench learn                 3,000 messages of ../shared/corpora, spamassassin `split=test`; skips what is absent
//! ```
//! Aim: a label learned in at most 50 microseconds at the median, everything in memory; judging by
//! what was learned adds view, slots and score to a mail. Wall-clock time on a shared machine:
//! compare within one run.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "its output is the table")]
#![expect(clippy::expect_used, reason = "a benchmark that cannot run has failed")]

#[path = "times.rs"]
mod times;

use std::hint;
use std::path::Path;
use std::time::{Duration, Instant};

use gatepost_learn::classifier::{PrequentialSample, Site, SiteSettings, Stacker};
use gatepost_learn::features::{SiteView, TrustedAuthservIds};
use gatepost_learn::learning::{LabelSource, LabelStore, LearningSettings, TrainingExample, info};
use gatepost_mail::Limits;
use gatepost_training::{Corpus, Split};
use gatepost_words::{Class, LabelKind};

use self::times::{head, tell, time};

const MESSAGES: usize = 3_000;

/// Who gives the labels.
const SOURCE: LabelSource<'static> = LabelSource {
    name: "bench",
    kind: LabelKind::BulkImport,
    time: 1,
};

fn main() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    let corpus = Corpus {
        directory,
        name: "spamassassin".to_owned(),
        split: Some(Split::Test),
    };
    let messages = match corpus.messages(MESSAGES) {
        Ok(messages) => messages,
        Err(error) => return println!("skipped: {error}"),
    };
    head();
    in_memory(&messages);
    on_disk(&messages);
}

/// View, slots, score and label of each mail, in turn. The labels are those of a coin: the dearest
/// case, nothing is ever sure.
fn in_memory(messages: &[Vec<u8>]) {
    let trust = TrustedAuthservIds::none();
    let mut site = Site::new(SiteSettings::default());
    let mut times: [Vec<Duration>; 4] = Default::default();
    for (number, raw) in messages.iter().enumerate() {
        let begin = Instant::now();
        let view = SiteView::of_stored(raw, &trust);
        let viewed = Instant::now();
        let slots = site.learner().slots(&view);
        let slotted = Instant::now();
        hint::black_box(site.learner().score_slots(&slots));
        let scored = Instant::now();
        site.learn(&slots, Class::from_is_spam(number % 2 == 0), None);
        let learned = Instant::now();
        let spans = [
            viewed - begin,
            slotted - viewed,
            scored - slotted,
            learned - scored,
        ];
        for (times, span) in times.iter_mut().zip(spans) {
            times.push(span);
        }
    }
    for (name, times) in ["view", "slots", "score", "learn (slots known)"]
        .into_iter()
        .zip(times)
    {
        tell(name, times);
    }
    let samples: Vec<PrequentialSample> = site.samples().copied().collect();
    tell(
        "fit of the stacker",
        (0..20)
            .map(|_| time(|| _ = hint::black_box(Stacker::fit(&samples))))
            .collect(),
    );
    tell(
        "a frozen site to judge by",
        (0..20)
            .map(|_| time(|| drop(hint::black_box(site.freeze(1)))))
            .collect(),
    );
}

/// What `gatepost learn` does for one mail without the model, and what a start costs.
fn on_disk(messages: &[Vec<u8>]) {
    let directory = tempfile::tempdir().expect("a directory");
    let settings = LearningSettings::in_directory(directory.path());
    let site = Site::new(settings.learner.clone());
    let mut store = LabelStore::open(settings.clone(), Duration::ZERO).expect("the store opens");
    let mut times = Vec::new();
    for (number, raw) in messages.iter().enumerate() {
        let example = TrainingExample::of_stored(
            raw,
            site.learner(),
            None,
            &TrustedAuthservIds::none(),
            &Limits::default(),
        );
        times.push(time(|| {
            _ = hint::black_box(
                store
                    .learn(&example, Class::from_is_spam(number % 2 == 0), &SOURCE)
                    .expect("it is learned"),
            );
        }));
    }
    tell("into the log (not yet on the disk)", times);
    tell(
        "to the disk, with a snapshot",
        vec![time(|| {
            assert!(store.commit().expect("it is kept").is_none(), "no snapshot");
        })],
    );
    let start = || drop(hint::black_box(info(&settings).expect("it is read")));
    tell(
        "start from the snapshot",
        (0..20).map(|_| time(start)).collect(),
    );
}
