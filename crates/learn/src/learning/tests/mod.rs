//! What must hold whatever is learned and retracted in whatever order.
#![expect(clippy::disallowed_methods, reason = "tests damage files")]

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::classifier::{SiteSettings, Slots};
use gatepost_words::{Class, LabelKind, MessageDigest};

mod damage;

fn settings(directory: &Path) -> LearningSettings {
    let learner = SiteSettings {
        bits: 16,
        ..SiteSettings::default()
    };
    LearningSettings {
        learner,
        ..LearningSettings::in_directory(directory)
    }
}

fn example(number: u8) -> TrainingExample {
    let first = u32::from(number) * 10;
    // In every section of tables of 2^16, the bits of these tests: header, words, and windows of
    // the text.
    let slots = Slots::from_numbers(
        (first..first + 40)
            .map(|slot| slot | (slot % 6) << 16)
            .collect(),
    );
    TrainingExample {
        digest: MessageDigest([number; 32]),
        slots,
        content: Some(f32::from(number % 7) - 3.0),
    }
}

fn class(is_spam: bool) -> Class {
    Class::from_is_spam(is_spam)
}

fn source(name: &str, time: u64) -> LabelSource<'_> {
    LabelSource {
        name,
        kind: LabelKind::Correction,
        time,
    }
}

fn store(settings: &LearningSettings) -> LabelStore {
    LabelStore::open(settings.clone(), Duration::ZERO).unwrap()
}

/// The weights that a start would have now.
fn weights(settings: &LearningSettings) -> Vec<f32> {
    info(settings)
        .unwrap()
        .map(|opinion| opinion.learner().weights().to_vec())
        .unwrap_or_default()
}

#[test]
fn every_outcome_has_its_word() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory.path().join("made"));
    let mut store = store(&settings);
    let digest = example(1).digest;
    assert_eq!(
        store.unlearn(&digest, class(true), 1).unwrap(),
        Outcome::Unknown
    );
    for (spam, outcome) in [
        (true, Outcome::Learned),
        (true, Outcome::Already),
        (false, Outcome::Relearned(Class::Spam)),
        (false, Outcome::Already),
    ] {
        assert_eq!(
            store
                .learn(&example(1), class(spam), &source("ann", 2))
                .unwrap(),
            outcome
        );
    }
    assert_eq!(
        store.unlearn(&digest, class(true), 3).unwrap(),
        Outcome::OtherLabel(Class::Ham)
    );
    assert_eq!(
        store.unlearn(&digest, class(false), 3).unwrap(),
        Outcome::Unlearned
    );
    assert_eq!(
        store.unlearn(&digest, class(false), 3).unwrap(),
        Outcome::Unknown
    );
    assert!(
        LabelStore::open(settings, Duration::ZERO)
            .unwrap_err()
            .kind()
            == std::io::ErrorKind::WouldBlock
    );
}

#[test]
fn labels_are_retracted_by_digest_time_and_source() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let mut store = store(&settings);
    for (number, name, time) in [
        (0x11, "ann", 10),
        (0x12, "bob", 20),
        (0x13, "ann", 30),
        (0x14, "ann", 40),
    ] {
        store
            .learn(&example(number), class(true), &source(name, time))
            .unwrap();
    }
    assert_eq!(store.undo("1", 50).unwrap(), Undone::Ambiguous(4));
    assert_eq!(store.undo("ff", 50).unwrap(), Undone::None);
    assert!(
        matches!(store.undo("14", 50).unwrap(), Undone::Label(entry) if entry.label.time == 40)
    );
    assert_eq!(store.rollback(20, Some("ann"), 50).unwrap(), 1);
    assert_eq!(store.rollback(20, Some("ann"), 50).unwrap(), 0);
    let active = |store: &LabelStore| store.labels().iter().filter(|label| label.active).count();
    assert_eq!(active(&store), 2);
    assert_eq!(store.rollback(0, None, 50).unwrap(), 2);
    store.commit().unwrap();
    assert!(
        weights(&settings)
            .iter()
            .all(|weight| weight.abs() < f32::EPSILON),
        "nothing is left of them"
    );
    drop(store);
    assert_eq!(
        active(&LabelStore::open(settings, Duration::ZERO).unwrap()),
        0
    );
}

#[test]
fn the_logs_stay_within_their_bound_and_nothing_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let settings = LearningSettings {
        log_size: 4_000,
        ..settings(directory.path())
    };
    let unbounded = tempfile::tempdir().unwrap();
    let reference = self::settings(unbounded.path());
    let (mut small, mut large) = (store(&settings), store(&reference));
    for number in 0..200 {
        for store in [&mut small, &mut large] {
            store
                .learn(
                    &example(number),
                    class(number % 3 == 0),
                    &source("ann", u64::from(number)),
                )
                .unwrap();
            store.commit().unwrap();
        }
    }
    for name in ["labels", "labels.1"] {
        let length = std::fs::metadata(directory.path().join(name))
            .unwrap()
            .len();
        assert!(length <= settings.log_size / 2 + 300, "{name}: {length}");
    }
    assert!(small.labels().len() < 60 && large.labels().len() == 200);
    assert!(
        weights(&settings) == weights(&reference),
        "what the dropped labels taught is kept"
    );
    // Too old to be retracted: reported, and nothing changes.
    assert_eq!(
        small.unlearn(&example(0).digest, class(true), 300).unwrap(),
        Outcome::Unknown
    );
    // The newest can be retracted, and then both agree again.
    for store in [&mut small, &mut large] {
        assert!(matches!(
            store.undo(&example(199).digest.to_string(), 300).unwrap(),
            Undone::Label(_)
        ));
        store.commit().unwrap();
    }
    assert!(weights(&settings) == weights(&reference));
}

#[test]
fn a_machine_that_stops_within_the_change_of_logs_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let settings = LearningSettings {
        log_size: 4_000,
        ..settings(directory.path())
    };
    let mut writer = store(&settings);
    let path = |name: &str| directory.path().join(name);
    for number in 0..60 {
        let stop = tempfile::tempdir().unwrap();
        let copy = |name: &str| std::fs::copy(path(name), stop.path().join(name)).is_ok();
        writer
            .learn(&example(number), class(number % 2 == 0), &source("ann", 1))
            .unwrap();
        // Before the change: all files as they are.
        for name in ["labels", "labels.1", "base", "weights"] {
            copy(name);
        }
        writer.commit().unwrap();
        let expected = weights(&settings);
        let stopped = LearningSettings {
            directory: stop.path().to_owned(),
            ..settings.clone()
        };
        assert!(weights(&stopped) == expected, "{number}: before");
        // Between the new base and the renaming.
        if path("base").exists() {
            copy("base");
            assert!(weights(&stopped) == expected, "{number}: with the new base");
        }
        // Between the renaming and the new log.
        if std::fs::metadata(path("labels")).unwrap().len() == 16 {
            std::fs::rename(stop.path().join("labels"), stop.path().join("labels.1")).unwrap();
            assert!(weights(&stopped) == expected, "{number}: without a log");
            let mut again = LabelStore::open(stopped.clone(), Duration::ZERO).unwrap();
            assert_eq!(
                again
                    .learn(&example(200), class(true), &source("ann", 2))
                    .unwrap(),
                Outcome::Learned
            );
        }
    }
}

#[test]
fn a_follower_reads_what_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let mut follower = LabelLogFollower::new(settings.clone());
    assert!(follower.poll().unwrap().is_none(), "there is no store yet");
    let mut store = store(&settings);
    for number in 0..30 {
        store
            .learn(&example(number), class(number % 2 == 0), &source("ann", 1))
            .unwrap();
        if number % 7 == 6 {
            store
                .undo(&example(number - 3).digest.to_string(), 2)
                .unwrap();
        }
        store.commit().unwrap();
        let latest = follower.poll().unwrap().unwrap();
        assert!(
            latest.learner().weights() == weights(&settings),
            "after {number}"
        );
        assert!(follower.poll().unwrap().is_none(), "nothing new");
    }
}

/// As [`example`], of more messages than a byte counts.
fn one_of_many(number: u64) -> TrainingExample {
    let first = u32::try_from(number).unwrap() * 13;
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_le_bytes());
    let slots = Slots::from_numbers((first..first + 40).map(|slot| slot % (1 << 16)).collect());
    TrainingExample {
        digest: MessageDigest(digest),
        slots,
        content: None,
    }
}

/// A start from the snapshot and what follows it knows what a start that learns everything
/// knows: with labels after it, with labels retracted, and after the log was replaced by a new
/// one.
#[test]
fn a_start_from_the_snapshot_knows_what_all_labels_taught() {
    let directory = tempfile::tempdir().unwrap();
    let settings = LearningSettings {
        log_size: 100_000,
        ..settings(directory.path())
    };
    let mut writer = store(&settings);
    let mut snapshots = 0;
    for number in 0..1_700 {
        writer
            .learn(
                &one_of_many(number),
                class(number % 3 == 0),
                &source("ann", number),
            )
            .unwrap();
        if number % 100 != 99 {
            continue;
        }
        if number == 899 {
            writer
                .undo(&one_of_many(870).digest.to_string(), number)
                .unwrap();
        }
        assert!(writer.commit().unwrap().is_none());
        let found = weights(&settings);
        let slow = tempfile::tempdir().unwrap();
        for name in ["labels", "labels.1", "base"] {
            // Not all of them are there from the beginning.
            drop(std::fs::copy(
                directory.path().join(name),
                slow.path().join(name),
            ));
        }
        let slowly = LearningSettings {
            directory: slow.path().to_owned(),
            ..settings.clone()
        };
        assert!(found == weights(&slowly), "after {number}");
        snapshots += usize::from(directory.path().join("weights").exists());
    }
    assert!(
        snapshots > 10 && directory.path().join("base").exists(),
        "{snapshots}: the test has missed its object"
    );
}

#[test]
fn a_snapshot_of_another_log_is_not_believed() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let mut first = store(&settings);
    for number in 0..600 {
        first
            .learn(&one_of_many(number), class(true), &source("ann", 1))
            .unwrap();
    }
    first.commit().unwrap();
    drop(first);
    // The log is removed and the snapshot forgotten.
    std::fs::remove_file(directory.path().join("labels")).unwrap();
    assert!(weights(&settings).is_empty(), "there is no log");
    let mut second = store(&settings);
    assert!(!directory.path().join("weights").exists());
    second
        .learn(&one_of_many(700), class(false), &source("ann", 1))
        .unwrap();
    second.commit().unwrap();
    let opinion = info(&settings).unwrap().unwrap();
    assert_eq!(
        (opinion.learner().labels(), opinion.sequence()),
        ((1, 0), 1)
    );
}

/// Time is what the clock said, order is that of the records: a clock that is put back changes
/// neither what is learned nor what can be taken back.
#[test]
fn a_clock_that_goes_backwards() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let mut writer = store(&settings);
    for (number, time) in [(1, 5_000), (2, 10), (3, u64::MAX), (4, 0)] {
        assert_eq!(
            writer
                .learn(&example(number), class(true), &source("ann", time))
                .unwrap(),
            Outcome::Learned
        );
    }
    writer.commit().unwrap();
    let order: Vec<u64> = writer
        .labels()
        .iter()
        .map(|entry| entry.label.time)
        .collect();
    assert_eq!(order, [5_000, 10, u64::MAX, 0]);
    // By the times that the labels carry, whenever this one is given.
    assert_eq!(writer.rollback(11, None, 1).unwrap(), 2);
    assert_eq!(
        writer.unlearn(&example(2).digest, class(true), 0).unwrap(),
        Outcome::Unlearned
    );
    writer.commit().unwrap();
    drop(writer);
    let again = store(&settings);
    let left: Vec<u64> = again
        .labels()
        .iter()
        .filter(|label| label.active)
        .map(|entry| entry.label.time)
        .collect();
    assert_eq!(left, [0]);
}

/// A snapshot that cannot be written is reported, and the labels hold; it is made as soon as it can be.
#[test]
fn labels_do_not_need_their_snapshot() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let mut writer = store(&settings);
    // Directories take the names under which the new file would be written.
    let taken = |number: u32| {
        let name = format!(".weights.{}-{number}.new", std::process::id());
        directory.path().join(name)
    };
    for number in 0..400 {
        std::fs::create_dir(taken(number)).unwrap();
    }
    let mut failed = Vec::new();
    for number in 0..600 {
        writer
            .learn(
                &one_of_many(number),
                class(number % 2 == 0),
                &source("ann", 1),
            )
            .unwrap();
        if writer.commit().unwrap().is_some() {
            failed.push(number + 1);
        }
    }
    assert_eq!(failed, [256, 512], "not with every label");
    assert_eq!(info(&settings).unwrap().unwrap().sequence(), 600);
    for number in 0..400 {
        std::fs::remove_dir(taken(number)).unwrap();
    }
    drop(writer);
    assert!(store(&settings).commit().unwrap().is_none());
    assert!(directory.path().join("weights").exists());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Whatever came and went: what remains is as if only the active labels had ever been given, bit for bit, also
    /// over restarts and through a follower.
    #[test]
    fn what_is_retracted_leaves_no_trace(
        steps in proptest::collection::vec((0_u8..12, proptest::sample::select(&Class::ALL), 0_u8..6, any::<bool>()), 1..40),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let settings = settings(directory.path());
        let mut follower = LabelLogFollower::new(settings.clone());
        let mut latest = None;
        let mut store = Some(store(&settings));
        for (number, class, action, restart) in steps {
            let open = store.as_mut().unwrap();
            match action {
                0 => drop(open.unlearn(&example(number).digest, class, 1).unwrap()),
                1 => drop(open.undo(&example(number).digest.to_string(), 1).unwrap()),
                _ => drop(open.learn(&example(number), class, &source("ann", 1)).unwrap()),
            }
            open.commit().unwrap();
            latest = follower.poll().unwrap().or(latest);
            if restart {
                drop(store.take());
                store = Some(self::store(&settings));
            }
        }
        let clean = tempfile::tempdir().unwrap();
        let reference = self::settings(clean.path());
        let mut only = self::store(&reference);
        for entry in store.unwrap().labels().iter().filter(|entry| entry.active) {
            let number = entry.label.message.0[0];
            only.learn(&example(number), entry.label.class, &source("ann", 1)).unwrap();
        }
        let expected = weights(&reference);
        let found = weights(&settings);
        let nothing = |weights: &[f32]| weights.iter().all(|weight| *weight == 0.0);
        prop_assert!(found == expected || (expected.is_empty() && nothing(&found)));
        if let Some(latest) = latest {
            prop_assert!(latest.learner().weights() == found);
        }
    }
}
