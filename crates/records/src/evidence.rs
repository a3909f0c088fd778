//! Evidence as it is recorded: every kind, with its contribution in points.

use serde::{Deserialize, Serialize};

use gatepost_words::verdict::{Evidence, Hit};

use super::draft::truncate;

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EvidenceRecord {
    /// A rule hit.
    Rule(HitRecord),
    /// The classifier.
    Classifier {
        /// The content model; `none` where the site learner judged alone.
        model: String,
        /// How many labels the site learner had applied, where there is one.
        site_sequence: Option<u64>,
        /// Calibrated probability of spam.
        probability: f64,
        /// Its contribution.
        points: f64,
    },
    /// The message has more of something than is read.
    LimitExceeded {
        /// The anomaly's name.
        anomaly: String,
    },
    /// An entry of one of the admin's lists of what is refused.
    Refused {
        /// Which list.
        list: String,
        /// The entry that matched.
        entry: String,
    },
    /// An entry of one of the admin's lists of what is deferred.
    Deferred {
        /// Which list.
        list: String,
        /// The entry that matched.
        entry: String,
    },
}

/// One rule that hit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HitRecord {
    /// Its name.
    pub rule: String,
    /// Its contribution; what it would contribute, for a shadow rule.
    pub points: f64,
    /// Its `describe` text.
    pub description: String,
}

impl HitRecord {
    pub(super) fn of(hit: &Hit) -> Self {
        Self {
            rule: hit.rule.to_string(),
            points: hit.score.points(),
            description: truncate(&hit.description),
        }
    }
}

impl EvidenceRecord {
    pub(super) fn of(evidence: &Evidence) -> Self {
        match evidence {
            Evidence::Rule(hit) => Self::Rule(HitRecord::of(hit)),
            Evidence::Classifier {
                model,
                probability,
                score,
            } => Self::classifier(model, *probability, score.points()),
            Evidence::LimitExceeded { anomaly } => Self::LimitExceeded {
                anomaly: (*anomaly).to_owned(),
            },
            Evidence::Refused { list, entry } => Self::Refused {
                list: (*list).to_owned(),
                entry: truncate(entry),
            },
            Evidence::Deferred { list, entry } => Self::Deferred {
                list: (*list).to_owned(),
                entry: truncate(entry),
            },
        }
    }

    /// `name` is the model's id, and `+N` after it where a site learner with N labels took part.
    pub(super) fn classifier(name: &str, probability: f64, points: f64) -> Self {
        let split = name.rsplit_once('+');
        let site = split.and_then(|(model, sequence)| Some((model, sequence.parse().ok()?)));
        let (model, site_sequence) = match site {
            Some((model, sequence)) => (model, Some(sequence)),
            None => (name, None),
        };
        Self::Classifier {
            model: model.to_owned(),
            site_sequence,
            probability,
            points,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::EvidenceRecord;

    #[test]
    fn the_site_learners_sequence_is_read_off_the_models_name() {
        for (name, expected) in [
            ("m1", ("m1", None)),
            ("m1+7", ("m1", Some(7))),
            ("none+0", ("none", Some(0))),
            ("a+b", ("a+b", None)),
        ] {
            let EvidenceRecord::Classifier {
                model,
                site_sequence,
                ..
            } = EvidenceRecord::classifier(name, 0.5, 1.0)
            else {
                panic!("a classifier")
            };
            assert_eq!((model.as_str(), site_sequence), expected);
        }
    }
}
