//! Replays of a stream that is made up here.
#![expect(
    clippy::disallowed_methods,
    reason = "the stream has to be written somewhere"
)]

use std::fmt::Write as _;
use std::path::Path;

use super::*;

/// Writes `count` messages, every third of them ham, and their index.
fn stream(directory: &Path, count: usize) -> ReplaySettings {
    let mut index = String::new();
    for number in 0..count {
        let (label, text) = if number % 3 == 0 {
            ("ham", "lunch at noon")
        } else {
            ("spam", "cheap pills now")
        };
        let raw = format!(
            "Received: from a.example (a.example [192.0.2.1]) by b.example\n\tfor <u{}@example.net>; now\nSubject: {number}\n\n{text}\n",
            number % 7
        );
        std::fs::write(directory.join(number.to_string()), raw).unwrap();
        writeln!(index, "{label} {number}").unwrap();
    }
    std::fs::write(directory.join("index"), index).unwrap();
    ReplaySettings {
        index: directory.join("index"),
        resamples: 50,
        ..ReplaySettings::default()
    }
}

fn run(settings: &ReplaySettings) -> ReplayReport {
    replay(settings, &mut |_| ()).unwrap()
}

#[test]
fn the_learner_learns_along_the_stream() {
    let directory = tempfile::tempdir().unwrap();
    let settings = stream(directory.path(), 1_500);
    let mut reports = Vec::new();
    let report = replay(&settings, &mut |progress| reports.push(progress)).unwrap();
    assert_eq!(
        (report.messages, report.ham, report.spam, report.labels),
        (1_500, 500, 1_000, 1_500)
    );
    assert!(
        report.errors < 10 && report.one_minus_roca_percent < 0.5,
        "{report:?}"
    );
    assert!(report.errors >= 1, "the first message cannot be known");
    let steps: Vec<_> = report
        .learning_curve
        .iter()
        .map(|step| (step.messages, step.labels))
        .collect();
    assert_eq!(steps, [(1_000, 1_000), (1_500, 1_500)]);
    assert_eq!(
        report.learning_curve[1].ham_errors + report.learning_curve[1].spam_errors,
        0
    );
    assert!(report.intervals.is_some());
    assert!(matches!(
        reports.last(),
        Some(Progress::Reading {
            done: 1_500,
            total: 1_500,
            ..
        })
    ));
    assert_eq!(
        run(&settings),
        report,
        "the same stream gives the same figures"
    );
    let text = report.to_string();
    assert!(
        text.contains("1-ROCA") && text.contains("    1500 "),
        "{text}"
    );
}

#[test]
fn modes_of_feedback() {
    let directory = tempfile::tempdir().unwrap();
    let full = stream(directory.path(), 1_000);
    let labels = |settings: &ReplaySettings| run(settings).labels;
    assert_eq!(
        labels(&ReplaySettings {
            delay: 1,
            ..full.clone()
        }),
        999
    );
    assert_eq!(
        labels(&ReplaySettings {
            delay: 999,
            ..full.clone()
        }),
        1
    );
    assert_eq!(
        labels(&ReplaySettings {
            delay: 1_000,
            ..full.clone()
        }),
        0
    );
    assert_eq!(
        labels(&ReplaySettings {
            first: Some(10),
            ..full.clone()
        }),
        10
    );
    let partial = labels(&ReplaySettings {
        partial: true,
        ..full.clone()
    });
    assert!(
        (142..=143).contains(&partial),
        "one of seven recipients: {partial}"
    );
    let budget = labels(&ReplaySettings {
        budget_percent: Some(20.0),
        ..full.clone()
    });
    assert!((FIRST_LABELS..=200).contains(&budget), "{budget}");
    assert_eq!(
        labels(&ReplaySettings {
            budget_percent: Some(0.0),
            ..full.clone()
        }),
        0
    );
    let late = run(&ReplaySettings {
        delay: 300,
        ..full.clone()
    });
    assert!(late.errors > run(&full).errors, "late labels cost");
    let wrong = run(&ReplaySettings {
        noise_percent: 100.0,
        ..full
    });
    assert!(
        wrong.errors > 900,
        "it believes its labels: {}",
        wrong.errors
    );
}

#[test]
fn capital_labels_are_scored_but_not_given() {
    let directory = tempfile::tempdir().unwrap();
    let settings = stream(directory.path(), 9);
    let index = std::fs::read_to_string(&settings.index)
        .unwrap()
        .replace("ham", "Ham");
    std::fs::write(&settings.index, index).unwrap();
    let report = run(&settings);
    assert_eq!((report.messages, report.ham, report.labels), (9, 3, 6));
}

/// Programs that read the JSON rely on these names: a new one may come, none may go.
#[test]
fn names_of_the_fields() {
    let directory = tempfile::tempdir().unwrap();
    let report = run(&stream(directory.path(), 20));
    let json = serde_json::to_value(&report).unwrap();
    let names: Vec<&str> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    for name in [
        "messages",
        "one_minus_roca_percent",
        "lam_percent",
        "hm_percent",
        "sm_percent",
    ] {
        assert!(
            names.contains(&name) && json[name].is_number(),
            "{name} in {names:?}"
        );
    }
    let missed: Vec<(&str, bool)> = json["spam_missed_at_ham_loss"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(loss, value)| {
            (
                loss.as_str(),
                value
                    .as_f64()
                    .is_some_and(|value| (0.0..=100.0).contains(&value)),
            )
        })
        .collect();
    assert_eq!(missed, [("0.1", true), ("0.5", true), ("1.0", true)]);
    assert_eq!(
        (
            json["messages"].as_u64(),
            json["ham"].as_u64(),
            json["spam"].as_u64()
        ),
        (Some(20), Some(7), Some(13))
    );
    assert!(
        directory.path().join("index").is_file(),
        "a replay leaves the stream as it is"
    );
}
