//! Model files: what the trainer writes, the engine reads, and what is refused.

use gatepost_learn::onnx::prelude::{
    Framework, InferenceModelExt, IntoRunnable, Tensor, tensor1, tvec,
};

use super::fit::{self, Example, Part};
use super::network::{Input, Network};
use super::random::Random;
use super::standardize::Standardizer;
use super::{TrainError, TrainSettings};
use gatepost_learn::classifier::{
    Attribution, BAG_SIZE, Calibration, Manifest, Model, ModelError, Precision, WHOLE_BAGS,
};
use gatepost_learn::features::{FeatureVector, Schema, explained, extract};
use gatepost_mail::{Limits, Specimen};

/// A network with random weights, its features and the manifest of a file for it.
fn random_network() -> (Network, Standardizer, Manifest, Vec<FeatureVector>) {
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
    (fitted.network, fitted.standardizer, manifest, vectors)
}

#[test]
fn trainer_and_engine_agree() {
    let (network, standardizer, manifest, vectors) = random_network();
    for (precision, tolerance) in [(Precision::Float, 1e-4), (Precision::Int8, 5e-2)] {
        let manifest = Manifest {
            precision,
            ..manifest.clone()
        };
        let (bytes, _) =
            super::export::export(&network, &standardizer, manifest, &vectors[0]).unwrap();
        let model = Model::load(&bytes).unwrap();
        let mut largest = 0f32;
        for vector in &vectors {
            let tokens: Vec<u32> = vector
                .tokens
                .iter()
                .map(|&token| u32::try_from(token).unwrap())
                .collect();
            let dense = standardizer.apply(&vector.dense);
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
    let (network, standardizer, manifest, vectors) = random_network();
    for precision in [Precision::Float, Precision::Int8] {
        let manifest = Manifest {
            precision,
            ..manifest.clone()
        };
        let (bytes, _) =
            super::export::export(&network, &standardizer, manifest, &vectors[0]).unwrap();
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
    let (network, standardizer, manifest, vectors) = random_network();
    let write =
        |manifest: Manifest| super::export::export(&network, &standardizer, manifest, &vectors[0]);
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
}

#[test]
fn manifests_that_do_not_fit_are_refused() {
    let (network, standardizer, manifest, vectors) = random_network();
    let write =
        |manifest: Manifest| super::export::export(&network, &standardizer, manifest, &vectors[0]);
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
        &standardizer,
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
    let (network, standardizer, manifest, vectors) = random_network();
    let (bytes, _) = super::export::export(&network, &standardizer, manifest, &vectors[0]).unwrap();
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
    let (network, standardizer, manifest, vectors) = random_network();
    for precision in [Precision::Float, Precision::Int8] {
        let manifest = Manifest {
            precision,
            ..manifest.clone()
        };
        let (bytes, _) =
            super::export::export(&network, &standardizer, manifest, &vectors[0]).unwrap();
        let (model, attribution) = (
            Model::load(&bytes).unwrap(),
            Attribution::read(&bytes).unwrap(),
        );
        for vector in &vectors {
            let logit = f64::from(model.logit(vector).unwrap());
            let sum = attribution.parts(vector).sum();
            assert!((sum - logit).abs() < 1e-3, "{precision:?}: {sum} {logit}");
        }
    }
    assert!(Attribution::read(b"not a model").is_err());
}

/// The same for the shipped model and mail with words: those are in the explanation.
#[test]
fn the_shipped_model_explains_itself() {
    let bytes = include_bytes!("../../../models/model.onnx");
    let (model, attribution) = (
        Model::load(bytes).unwrap(),
        Attribution::read(bytes).unwrap(),
    );
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
            let specimen = Specimen::stored(raw);
            let message = specimen.message(&Limits::default());
            let case = specimen.case(&message);
            let (vector, origins) = explained(&case);
            assert_eq!(
                (&vector, origins.len()),
                (&extract(&case), vector.tokens.len())
            );
            let parts = attribution.contributions(&vector, &origins);
            let sum: f64 = parts.iter().map(|part| part.logit).sum();
            assert!(
                (sum - model.log_odds(&vector).unwrap()).abs() < 1e-3,
                "{sum}"
            );
            assert!(
                parts
                    .iter()
                    .any(|part| (&*part.place, &*part.word) == ("subject", "offer")),
                "{parts:?}"
            );
        }
    }
}

/// The shipped model loads, is the one that its manifest names, and fits this program's schema.
#[test]
fn shipped_model_and_manifest_agree() {
    let model = Model::load(include_bytes!("../../../models/model.onnx")).unwrap();
    let manifest = model.manifest();
    // As text: serde_json reads some numbers one bit off what it wrote.
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
