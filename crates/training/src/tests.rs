//! The whole way from a corpus to a probability, on a small corpus that is made up here.
#![expect(
    clippy::disallowed_methods,
    reason = "the corpus has to be written somewhere"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use super::random::Random;
use super::{
    Corpus, Progress, Rates, Split, TrainError, TrainSettings, evaluate, evaluate_attacks, train,
};
use gatepost_learn::classifier::Model;

const HAM: [&str; 8] = [
    "meeting", "minutes", "garden", "train", "lunch", "review", "library", "weather",
];
const SPAM: [&str; 8] = [
    "pills",
    "casino",
    "winner",
    "lottery",
    "cheap",
    "guaranteed",
    "credit",
    "urgent",
];

/// Writes `made.tar.zst` and `made.tsv` with `count` messages of each class.
fn made_up(directory: &Path, count: usize) -> Corpus {
    let mut random = Random::new(11);
    let mut archive = Vec::new();
    let mut list = "path\tlabel\tdate\trecv_date\tsha256\tsize\tnote\n".to_owned();
    for number in 0..2 * count {
        let (label, words) = if number % 2 == 0 {
            ("ham", HAM)
        } else {
            ("spam", SPAM)
        };
        let mut text = format!(
            "From: a{number}@example.com\nSubject: {}\n\n",
            words[random.below(8)]
        );
        for _ in 0..30 {
            write!(text, "{} ", words[random.below(8)]).unwrap();
            // Words of its own, or all would be near copies of each other.
            let own: String = (0..8)
                .map(|_| char::from(b"abcdefghijklmnopqrstuvwxyz"[random.below(26)]))
                .collect();
            write!(text, "{own} ").unwrap();
        }
        let path = format!("made/{label}/{number}.eml");
        let split = if number % 4 < 2 { "train" } else { "test" };
        writeln!(
            list,
            "{path}\t{label}\t\t\tdigest{number}\t{}\tsplit={split}",
            text.len()
        )
        .unwrap();
        archive.extend(member(&path, text.as_bytes()));
    }
    archive.extend([0; 1024]);
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.write_all(&archive).unwrap();
    std::fs::write(directory.join("made.tar.zst"), encoder.finish().unwrap()).unwrap();
    std::fs::write(directory.join("made.tsv"), list).unwrap();
    Corpus {
        directory: directory.to_owned(),
        name: "made".to_owned(),
        split: Some(Split::Train),
    }
}

pub(super) fn member(path: &str, data: &[u8]) -> Vec<u8> {
    let mut block = vec![0u8; 512];
    block[..path.len()].copy_from_slice(path.as_bytes());
    block[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
    block[156] = b'0';
    block.extend_from_slice(data);
    block.resize(block.len().next_multiple_of(512), 0);
    block
}

fn settings(corpus: Corpus) -> TrainSettings {
    TrainSettings {
        corpora: vec![corpus],
        epochs: 6,
        rates: Rates {
            rows: 0.1,
            layers: 0.05,
            token_dropout: 0.2,
            ..Rates::default()
        },
        command: "gatepost model train".to_owned(),
        date: "2026-01-01".to_owned(),
        ..TrainSettings::default()
    }
}

#[test]
fn same_seed_same_file_and_a_model_that_works() {
    let directory = tempfile::tempdir().unwrap();
    let corpus = made_up(directory.path(), 120);
    let settings = settings(corpus.clone());
    let mut reports = Vec::new();
    let first = train(&settings, &mut |progress| reports.push(progress)).unwrap();
    let second = train(&settings, &mut |_| {}).unwrap();
    assert!(
        first.onnx == second.onnx,
        "the same seed and data give the same bytes"
    );
    let other = train(
        &TrainSettings {
            seed: 2,
            ..settings
        },
        &mut |_| {},
    )
    .unwrap();
    assert!(first.onnx != other.onnx, "another seed gives another file");
    assert!(
        reports
            .iter()
            .any(|progress| matches!(progress, Progress::Epoch { epoch: 3, .. }))
    );
    assert_eq!(reports.last(), Some(&Progress::Writing));
    assert!(first.onnx.len() <= 5 << 20, "{}", first.onnx.len());

    let model = Model::load(&first.onnx).unwrap();
    assert_eq!(model.manifest(), &first.manifest);
    assert_eq!((first.manifest.ham, first.manifest.spam), (60, 60));
    let test = Corpus {
        split: Some(Split::Test),
        ..corpus
    };
    let report = evaluate(&model, None, &test, &mut |_| {}).unwrap();
    assert_eq!((report.messages, report.errors), (120, 0), "{report}");

    let known = Corpus {
        split: Some(Split::Train),
        ..test.clone()
    };
    let attacked = evaluate_attacks(&model, &test, &known, false, &mut |_| {}).unwrap();
    assert_eq!(
        (attacked.ham, attacked.spam, attacked.attacks.len()),
        (60, 60, 18)
    );
    assert!(
        attacked
            .attacks
            .first()
            .is_some_and(|row| row.attack == "none" && row.kept_percent > 99.9),
        "{attacked:?}"
    );
    assert_eq!(
        attacked,
        evaluate_attacks(&model, &test, &known, false, &mut |_| {}).unwrap(),
        "the same table again"
    );
}

/// Where a list does not say what is for training, the earlier 70 % of each label are; near copies
/// of them are not measured.
#[test]
fn parts_by_time() {
    let directory = tempfile::tempdir().unwrap();
    let corpus = made_up(directory.path(), 10);
    let mut list = "path\tlabel\tdate\trecv_date\tsha256\tsize\tnote\n".to_owned();
    for number in 0..20 {
        let label = if number % 2 == 0 { "ham" } else { "spam" };
        // The latest first; half of them say only when they were written.
        let day = format!("2026-01-{:02}T00:00:00Z", 28 - number);
        let (date, received) = if number % 4 < 2 {
            (day.as_str(), "")
        } else {
            ("2030", day.as_str())
        };
        writeln!(
            list,
            "made/{label}/{number}.eml\t{label}\t{date}\t{received}\td\t1\t"
        )
        .unwrap();
    }
    std::fs::write(directory.path().join("made.tsv"), list).unwrap();
    let read = |split| {
        let mut paths = Vec::new();
        Corpus {
            split,
            ..corpus.clone()
        }
        .read(&mut |_| {}, |sample| paths.push(sample.path))
        .unwrap();
        paths
    };
    let (earlier, later) = (read(Some(Split::Train)), read(Some(Split::Test)));
    let expected: Vec<String> = (0..6)
        .map(|n| format!("made/{}/{n}.eml", if n % 2 == 0 { "ham" } else { "spam" }))
        .collect();
    assert_eq!(later, expected, "the last three of each label");
    assert_eq!((earlier.len(), read(None).len()), (14, 20));
    assert!(corpus.is_cut_by_time().unwrap());
}

#[test]
fn too_little_data_and_bad_lists_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let corpus = made_up(directory.path(), 30);
    let failed = train(&settings(corpus.clone()), &mut |_| {}).unwrap_err();
    assert!(
        matches!(
            failed,
            TrainError::TooLittle {
                ham: 15,
                spam: 15,
                least: 20
            }
        ),
        "{failed}"
    );
    std::fs::write(directory.path().join("made.tsv"), "path\tlabel\nx\tham\n").unwrap();
    let failed = train(&settings(corpus.clone()), &mut |_| {})
        .unwrap_err()
        .to_string();
    assert!(
        failed.contains("made.tsv:2: fewer than five columns"),
        "{failed}"
    );
    std::fs::remove_file(directory.path().join("made.tsv")).unwrap();
    let failed = train(&settings(corpus), &mut |_| {})
        .unwrap_err()
        .to_string();
    assert!(failed.contains("made.tsv"), "{failed}");
}
