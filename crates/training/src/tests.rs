//! The whole way from a corpus to a probability, on a small corpus that is made up here.
#![expect(
    clippy::disallowed_methods,
    reason = "the corpus has to be written somewhere"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use gatepost_learn::onnx::prelude::{
    Framework, InferenceModelExt, IntoRunnable, Tensor, tensor1, tvec,
};

use super::fit::{self, Example, Part};
use super::network::{Input, Network};
use super::random::Random;
use super::standard::Standard;
use super::{Corpus, Progress, Rates, Split, TrainError, TrainSettings, besiege, evaluate, train};
use gatepost_learn::classifier::{
    BAG_SIZE, Calibration, Ledger, Manifest, Model, ModelError, Precision, WHOLE_BAGS,
};
use gatepost_learn::features::{FeatureVector, Schema, explained, extract};
use gatepost_mail::Case;
use gatepost_mail::Facts;
use gatepost_mail::{Limits, Message, Transaction};
use gatepost_words::Stage;

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
    let mut told = Vec::new();
    let first = train(&settings, &mut |progress| told.push(progress)).unwrap();
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
        told.iter()
            .any(|progress| matches!(progress, Progress::Epoch { epoch: 3, .. }))
    );
    assert_eq!(told.last(), Some(&Progress::Writing));
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
    let siege = besiege(&model, &test, &known, false, &mut |_| {}).unwrap();
    assert_eq!((siege.ham, siege.spam, siege.attacks.len()), (60, 60, 18));
    assert!(
        siege
            .attacks
            .first()
            .is_some_and(|row| row.attack == "none" && row.kept_percent > 99.9),
        "{siege:?}"
    );
    assert_eq!(
        siege,
        besiege(&model, &test, &known, false, &mut |_| {}).unwrap(),
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
        // The latest first; half of them tell only when they were written.
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

/// A network with random weights, its features and the manifest of a file for it.
fn random_network() -> (Network, Standard, Manifest, Vec<FeatureVector>) {
    let mut random = Random::new(9);
    let vectors: Vec<FeatureVector> = (0..40)
        .map(|_| {
            let mut tokens: Vec<i64> = (0..300)
                .map(|_| i64::try_from(random.below(Schema::BUCKETS)).unwrap())
                .collect();
            tokens.push(0);
            tokens.swap(0, 300);
            let segments: Vec<usize> =
                std::iter::repeat_n(301 / Schema::SEGMENTS, Schema::SEGMENTS).collect();
            tokens.truncate(segments.iter().sum());
            FeatureVector {
                tokens,
                segments,
                dense: (0..Schema::DENSE).map(|_| random.unit() * 5.0).collect(),
            }
        })
        .collect();
    let part = |number: usize| {
        if number < 30 {
            Part::Earlier
        } else {
            Part::HeldOut
        }
    };
    let examples = vectors
        .iter()
        .enumerate()
        .map(|(number, vector)| Example::of(vector, number % 2 == 0, part(number)));
    let settings = TrainSettings {
        least_messages: 1,
        epochs: 4,
        ..TrainSettings::default()
    };
    let fitted = fit::fit(examples.collect(), &settings, &mut |_| {});
    let manifest = Manifest {
        id: String::new(),
        schema_version: Schema::VERSION,
        buckets: Schema::BUCKETS,
        dense: Schema::DENSE,
        bag: BAG_SIZE,
        precision: Precision::Float,
        calibration: Calibration::default(),
        data_digest: "00".to_owned(),
        data: "none".to_owned(),
        ham: 20,
        spam: 20,
        command: "test".to_owned(),
        date: "2026-01-01".to_owned(),
    };
    (fitted.network, fitted.standard, manifest, vectors)
}

#[test]
fn trainer_and_engine_agree() {
    let (network, standard, manifest, vectors) = random_network();
    for (precision, tolerance) in [(Precision::Float, 1e-4), (Precision::Int8, 5e-2)] {
        let manifest = Manifest {
            precision,
            ..manifest.clone()
        };
        let (bytes, _) = super::export::export(&network, &standard, manifest, &vectors[0]).unwrap();
        let model = Model::load(&bytes).unwrap();
        let mut largest = 0f32;
        for vector in &vectors {
            let tokens: Vec<u32> = vector
                .tokens
                .iter()
                .map(|&token| u32::try_from(token).unwrap())
                .collect();
            let dense = standard.apply(&vector.dense);
            let expected = network.logit(&Input {
                tokens: &tokens,
                segments: &vector.segments,
                dense: &dense,
                weight: 1.0,
            });
            largest = largest.max((model.logit(vector).unwrap() - expected).abs());
        }
        assert!(largest <= tolerance, "{precision:?}: {largest}");
    }
}

/// What another ONNX runtime would do with the file: all of its graph, from the inputs that it
/// declares.
fn by_the_whole_graph(bytes: &[u8], vectors: &[FeatureVector]) -> Vec<f32> {
    let plan = gatepost_learn::onnx::onnx()
        .model_for_read(&mut &*bytes)
        .unwrap();
    let plan = plan.into_optimized().unwrap().into_runnable().unwrap();
    let answer = |vector: &FeatureVector| {
        let (count, weights) = (vector.tokens.len(), vector.weights());
        let (bags, windows) = weights.split_at(WHOLE_BAGS * count);
        let inputs = tvec!(
            tensor1(&vector.tokens).into(),
            Tensor::from_shape(&[WHOLE_BAGS, count], bags)
                .unwrap()
                .into(),
            Tensor::from_shape(&[Schema::WINDOWS, count], windows)
                .unwrap()
                .into(),
            Tensor::from_shape(&[1, vector.dense.len()], &vector.dense)
                .unwrap()
                .into(),
        );
        plan.run(inputs).unwrap()[0]
            .try_as_plain_ram()
            .unwrap()
            .as_slice::<f32>()
            .unwrap()[0]
    };
    vectors.iter().map(answer).collect()
}

/// [`Model`] works out the sums of the rows itself.
#[test]
fn the_sums_are_those_of_the_graph() {
    let (network, standard, manifest, vectors) = random_network();
    for precision in [Precision::Float, Precision::Int8] {
        let manifest = Manifest {
            precision,
            ..manifest.clone()
        };
        let (bytes, _) = super::export::export(&network, &standard, manifest, &vectors[0]).unwrap();
        let model = Model::load(&bytes).unwrap();
        for (vector, expected) in vectors.iter().zip(by_the_whole_graph(&bytes, &vectors)) {
            let found = model.logit(vector).unwrap();
            assert!(
                (found - expected).abs() <= 1e-4 * expected.abs().max(1.0),
                "{found} {expected}"
            );
        }
    }
}

#[test]
fn damaged_and_foreign_files_are_refused() {
    let (network, standard, manifest, vectors) = random_network();
    let write =
        |manifest: Manifest| super::export::export(&network, &standard, manifest, &vectors[0]);
    let (bytes, _) = write(Manifest {
        precision: Precision::Int8,
        ..manifest.clone()
    })
    .unwrap();
    let mut random = Random::new(4);
    for _ in 0..60 {
        let mut flipped = bytes.clone();
        let at = random.below(flipped.len());
        flipped[at] ^= 1 << random.below(8);
        assert!(Model::load(&flipped).is_err(), "bit flipped at {at}");
    }
    for at in [0, 1, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(
            matches!(Model::load(&bytes[..at]), Err(ModelError::Damaged { .. })),
            "cut at {at}"
        );
    }
    assert!(matches!(
        Model::load(b"not a model"),
        Err(ModelError::Damaged { .. })
    ));
    let huge = vec![0; Model::FILE_LIMIT + 1];
    assert!(matches!(
        Model::load(&huge),
        Err(ModelError::TooLarge { .. })
    ));
    assert!(!matches!(
        Model::load(&huge[..Model::FILE_LIMIT]),
        Err(ModelError::TooLarge { .. })
    ));
    let other = Manifest {
        schema_version: Schema::VERSION + 1,
        ..manifest.clone()
    };
    assert!(matches!(
        write(other),
        Err(TrainError::Model(ModelError::Schema { .. }))
    ));
    let other = Manifest {
        dense: Schema::DENSE + 1,
        ..manifest.clone()
    };
    assert!(matches!(
        write(other),
        Err(TrainError::Model(ModelError::Schema { .. }))
    ));
    let other = Manifest {
        bag: BAG_SIZE + 1,
        ..manifest.clone()
    };
    assert!(matches!(
        write(other),
        Err(TrainError::Model(ModelError::Unusable { .. }))
    ));
    let turned = Calibration {
        slope: -1.0,
        offset: 0.0,
    };
    let other = Manifest {
        calibration: turned,
        ..manifest
    };
    assert!(matches!(
        write(other),
        Err(TrainError::Model(ModelError::Unusable { .. }))
    ));
    let broken = Network {
        b2: super::weights::Weights::of(vec![f32::NAN]),
        ..network.clone()
    };
    let written = super::export::export(
        &broken,
        &standard,
        Manifest {
            calibration: Calibration::default(),
            ..random_network().2
        },
        &vectors[0],
    );
    assert!(matches!(
        written,
        Err(TrainError::Model(ModelError::Unusable { .. }))
    ));
}

#[test]
fn bad_vectors_are_refused_without_a_panic() {
    let (network, standard, manifest, vectors) = random_network();
    let (bytes, _) = super::export::export(&network, &standard, manifest, &vectors[0]).unwrap();
    let model = Model::load(&bytes).unwrap();
    let good = &vectors[1];
    assert!(model.probability(good).is_ok());
    let tokens = |tokens: Vec<i64>| {
        let mut segments = vec![0; Schema::SEGMENTS];
        segments[Schema::FIRST_WINDOW] = tokens.len();
        FeatureVector {
            tokens,
            segments,
            dense: good.dense.clone(),
        }
    };
    let buckets = i64::try_from(Schema::BUCKETS).unwrap();
    let limit = |n: usize| tokens((0..i64::try_from(n).unwrap()).collect());
    assert!(model.probability(&limit(Schema::TOKENS)).is_ok());
    for bad in [
        tokens(vec![]),
        tokens(vec![-1]),
        tokens(vec![buckets]),
        limit(Schema::TOKENS + 1),
    ] {
        assert!(matches!(
            model.probability(&bad),
            Err(ModelError::Run { .. })
        ));
    }
    for dense in [
        vec![],
        vec![0.0; Schema::DENSE + 1],
        vec![f32::NAN; Schema::DENSE],
    ] {
        assert!(
            model
                .probability(&FeatureVector {
                    dense,
                    ..tokens(vec![0])
                })
                .is_err()
        );
    }
    for segments in [
        vec![],
        vec![1],
        vec![usize::MAX; Schema::SEGMENTS],
        vec![1; Schema::SEGMENTS],
    ] {
        assert!(
            model
                .probability(&FeatureVector {
                    segments,
                    ..tokens(vec![0])
                })
                .is_err()
        );
    }
}

/// What the parts of an answer add up to is the answer of the engine, for both precisions and with
/// any units on.
#[test]
fn parts_add_up_to_the_answer() {
    let (network, standard, manifest, vectors) = random_network();
    for precision in [Precision::Float, Precision::Int8] {
        let manifest = Manifest {
            precision,
            ..manifest.clone()
        };
        let (bytes, _) = super::export::export(&network, &standard, manifest, &vectors[0]).unwrap();
        let (model, ledger) = (Model::load(&bytes).unwrap(), Ledger::read(&bytes).unwrap());
        for vector in &vectors {
            let logit = f64::from(model.logit(vector).unwrap());
            let sum = ledger.parts(vector).sum();
            assert!((sum - logit).abs() < 1e-3, "{precision:?}: {sum} {logit}");
        }
    }
    assert!(Ledger::read(b"not a model").is_err());
}

/// The same for the shipped model and mail with words: those stand in the explanation.
#[test]
fn the_shipped_model_explains_itself() {
    let bytes = include_bytes!("../../../models/model.onnx");
    let (model, ledger) = (Model::load(bytes).unwrap(), Ledger::read(bytes).unwrap());
    let long = "The minutes of the meeting, see https://www.example.com/minutes. ".repeat(200);
    for body in [
        "",
        "Cheap pills, b u y now",
        "<html><p>Dear <b>Friend</b>",
        &long,
    ] {
        for kind in ["plain", "html"] {
            let raw = format!(
                "From: a@example.com\r\nSubject: Offer\r\nContent-Type: text/{kind}\r\n\r\n{body}\r\n"
            );
            let transaction = Transaction::new(Arc::from("test"), SystemTime::UNIX_EPOCH);
            let message = Message::parse(raw.as_bytes(), &Limits::default());
            let facts = Facts::default();
            let case = Case {
                stage: Stage::EndOfMessage,
                transaction: &transaction,
                message: &message,
                facts: &facts,
            };
            let (vector, origins) = explained(&case);
            assert_eq!(
                (&vector, origins.len()),
                (&extract(&case), vector.tokens.len())
            );
            let told = ledger.contributions(&vector, &origins);
            let sum: f64 = told.iter().map(|part| part.logit).sum();
            assert!(
                (sum - model.log_odds(&vector).unwrap()).abs() < 1e-3,
                "{sum}"
            );
            assert!(
                told.iter()
                    .any(|part| (&*part.place, &*part.word) == ("subject", "offer")),
                "{told:?}"
            );
        }
    }
}

/// The shipped model loads, is the one that its manifest names, and fits this program's schema.
#[test]
fn shipped_model_and_manifest_agree() {
    let model = Model::load(include_bytes!("../../../models/model.onnx")).unwrap();
    let manifest = model.manifest();
    // As text: serde_json reads some numbers one bit beside what it wrote.
    let text = serde_json::to_string_pretty(manifest).unwrap();
    assert_eq!(
        text.trim_end(),
        include_str!("../../../models/manifest.json").trim_end()
    );
    assert!(
        include_str!("../../../models/README.md").contains(&manifest.id),
        "the model card names another model"
    );
}
