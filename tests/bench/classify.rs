//! What the classifier costs a mail, stage by stage, on one core: features, content model, site
//! learner and stacker; what a label costs; and what loading costs.
//!
//! ```text
//! cargo bench --bench classify              3,000 messages each of spamassassin `split=test`, csdmc2010 and lists in
//!                                           ../shared/corpora; skips what is absent
//! cargo bench --bench classify -- --messages 500
//! ```
//! Aims: all four together at most 200 microseconds at the median for messages of about 5.5 kB, a
//! label at most 50, the model and what was learned each loaded within 50 ms. Wall-clock time on a
//! shared machine: compare within one run.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "its output is the table")]
#![expect(clippy::expect_used, reason = "a benchmark that cannot run has failed")]

#[path = "times.rs"]
mod times;

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};
use std::{env, hint};

use gatepost::config::BUILTIN_MODEL;
use gatepost_learn::classifier::{FrozenSite, Model, Site, SiteSettings};
use gatepost_learn::features::{SiteView, TrustedAuthservIds, extract};
use gatepost_learn::learning::{LabelSource, LabelStore, LearningSettings, TrainingExample, info};
use gatepost_mail::Case;
use gatepost_mail::Facts;
use gatepost_mail::{Limits, Message, Transaction};
use gatepost_training::{Corpus, Split};
use gatepost_words::{Class, LabelKind, Stage};

use self::times::{head, tell, time};

/// Bytes of a mail that counts as one of about 5.5 kB.
const MIDDLE: std::ops::Range<usize> = 4_500..6_500;
/// Labels that the site has taught before it is measured.
const LABELS: usize = 3_000;
/// Labels behind the snapshot: nearly as many as there can be before the next one is made.
const BEHIND: usize = 200;
/// Loads that are measured.
const LOADS: usize = 20;

/// Who gives the labels.
const SOURCE: LabelSource<'static> = LabelSource {
    name: "bench",
    kind: LabelKind::BulkImport,
    time: 1,
};

fn main() {
    let mut most = 3_000;
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--messages" {
            most = arguments
                .next()
                .and_then(|text| text.parse().ok())
                .unwrap_or(most);
        }
    }
    let messages = messages(most);
    if messages.is_empty() {
        return println!("skipped: no messages");
    }
    let model = Model::load(BUILTIN_MODEL).expect("the shipped model loads");
    let trust = TrustedAuthservIds::none();
    let site = taught(&messages, &trust);
    let frozen = site.freeze(1);
    head();
    judge(
        "of about 5.5 kB",
        messages.iter().filter(|raw| MIDDLE.contains(&raw.len())),
        &model,
        &frozen,
    );
    judge("of every size", messages.iter(), &model, &frozen);
    labels(&messages, &model, site);
    loads(&messages, &model);
}

fn messages(most: usize) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    let mut messages = Vec::new();
    for (name, split) in [
        ("spamassassin", Some(Split::Test)),
        ("csdmc2010", None),
        ("lists", None),
    ] {
        let corpus = Corpus {
            directory: directory.clone(),
            name: name.to_owned(),
            split,
        };
        match corpus.messages(most) {
            Ok(found) => messages.extend(found),
            Err(error) => println!("without {name}: {error}"),
        }
    }
    messages
}

/// The labels are those of a coin: the dearest case, for nothing is ever sure.
fn taught(messages: &[Vec<u8>], trust: &TrustedAuthservIds) -> Site {
    let mut site = Site::new(SiteSettings::default());
    for (number, raw) in messages.iter().cycle().take(LABELS).enumerate() {
        let slots = site.learner().slots(&SiteView::of_stored(raw, trust));
        site.learn(&slots, Class::from_is_spam(number % 2 == 0), Some(0.5));
    }
    site
}

/// Every stage, then all of them together as the daemon runs them, over messages that are parsed
/// already.
fn judge<'m>(
    name: &str,
    messages: impl Iterator<Item = &'m Vec<u8>>,
    model: &Model,
    frozen: &FrozenSite,
) {
    let limits = Limits::default();
    let transaction = Transaction::new("bench".into(), SystemTime::UNIX_EPOCH);
    let (facts, trust) = (Facts::default(), TrustedAuthservIds::none());
    let raws: Vec<&[u8]> = messages.map(Vec::as_slice).collect();
    let bytes: usize = raws.iter().map(|raw| raw.len()).sum();
    println!(
        "{} messages {name}, {} bytes each on average",
        raws.len(),
        bytes / raws.len().max(1)
    );
    let parsed: Vec<Message<'_>> = raws
        .iter()
        .map(|raw| Message::parse(raw, &limits))
        .collect();
    let mut times: [Vec<Duration>; 5] = Default::default();
    // The first round only warms up.
    for round in 0..3 {
        for message in &parsed {
            let case = Case {
                stage: Stage::EndOfMessage,
                transaction: &transaction,
                message,
                facts: &facts,
            };
            let begun = Instant::now();
            let vector = extract(&case);
            let extracted = Instant::now();
            let content = model.log_odds(&vector).ok();
            let asked = Instant::now();
            let view = SiteView::of_case(&transaction, message, &trust);
            let viewed = Instant::now();
            hint::black_box(frozen.log_odds(content, &view));
            let ended = Instant::now();
            let spans = [
                extracted - begun,
                asked - extracted,
                viewed - asked,
                ended - viewed,
                ended - begun,
            ];
            for (times, span) in times.iter_mut().zip(spans).filter(|_| round > 0) {
                times.push(span);
            }
        }
    }
    let stages = [
        "features",
        "content model",
        "view of the site learner",
        "site learner and stacker",
        "all four together",
    ];
    for (stage, times) in stages.into_iter().zip(times) {
        tell(stage, times);
    }
}

/// What a label costs, with and without what comes before it.
fn labels(messages: &[Vec<u8>], model: &Model, mut site: Site) {
    let (trust, limits) = (TrustedAuthservIds::none(), Limits::default());
    let mut times: [Vec<Duration>; 3] = Default::default();
    for (number, raw) in messages
        .iter()
        .filter(|raw| MIDDLE.contains(&raw.len()))
        .enumerate()
    {
        let begun = Instant::now();
        let example = TrainingExample::of_stored(raw, site.learner(), Some(model), &trust, &limits);
        let read = Instant::now();
        let slots = site.learner().slots(&SiteView::of_stored(raw, &trust));
        let viewed = Instant::now();
        site.learn(
            &slots,
            Class::from_is_spam(number % 2 == 0),
            example.content,
        );
        let learned = Instant::now();
        for (times, span) in times
            .iter_mut()
            .zip([read - begun, learned - read, learned - viewed])
        {
            times.push(span);
        }
    }
    println!("labels of messages of about 5.5 kB");
    for (name, times) in [
        "example: parse, model, view, slots, digest",
        "view, slots and learning",
        "learning alone",
    ]
    .into_iter()
    .zip(times)
    {
        tell(name, times);
    }
}

fn loads(messages: &[Vec<u8>], model: &Model) {
    println!("loads");
    let load = || {
        drop(hint::black_box(
            Model::load(BUILTIN_MODEL).expect("it loads"),
        ));
    };
    tell("content model", (0..LOADS).map(|_| time(load)).collect());
    let directory = tempfile::tempdir().expect("a directory");
    let settings = LearningSettings::in_directory(directory.path());
    let learner = Site::new(settings.learner.clone());
    let mut store = LabelStore::open(settings.clone(), Duration::ZERO).expect("the store opens");
    for (number, raw) in messages.iter().take(LABELS).enumerate() {
        let example = TrainingExample::of_stored(
            raw,
            learner.learner(),
            Some(model),
            &TrustedAuthservIds::none(),
            &Limits::default(),
        );
        store
            .learn(&example, Class::from_is_spam(number % 2 == 0), &SOURCE)
            .expect("it is learned");
    }
    assert!(
        store.commit().expect("it is kept").is_none(),
        "the snapshot was not written"
    );
    let start = || drop(hint::black_box(info(&settings).expect("it is read")));
    tell(
        "what was learned, from the snapshot",
        (0..LOADS).map(|_| time(start)).collect(),
    );
    for raw in messages.iter().skip(LABELS).take(BEHIND) {
        let example = TrainingExample::of_stored(
            raw,
            learner.learner(),
            Some(model),
            &TrustedAuthservIds::none(),
            &Limits::default(),
        );
        store
            .learn(&example, Class::Spam, &SOURCE)
            .expect("it is learned");
        store.commit().expect("it is kept");
    }
    tell(
        "the same with 200 labels behind it",
        (0..LOADS).map(|_| time(start)).collect(),
    );
    std::fs::remove_file(directory.path().join("weights")).expect("there is a snapshot");
    tell(
        "all from the log, without a snapshot",
        (0..3).map(|_| time(start)).collect(),
    );
}
