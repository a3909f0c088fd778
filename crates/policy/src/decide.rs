//! Adding up, and what the sum means.

use super::lists::{Effect, Lists};
use super::{SettingError, Settings};
use gatepost_mail::{Client, Mailbox, ReversePath};
use gatepost_words::canonical::{Canonical, Encoder};
use gatepost_words::verdict::{Disposition, Evidence, Score};

/// One policy profile, checked and ready.
#[derive(Clone, Debug)]
pub struct Policy {
    required: Score,
    quarantine: Score,
    reject: Score,
    classifier_cap: f64,
    classifier_floor: f64,
    beyond_limits: Disposition,
    refuse: Lists,
    defer: Lists,
}

/// What the evidence adds up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The sum.
    pub score: Score,
    /// What is to be done with the message.
    pub disposition: Disposition,
}

/// Scores beyond this are a slip of the finger.
const POINTS_MAX: f64 = 10_000.0;

impl Policy {
    /// Checks the settings; all errors are reported together.
    pub fn new(settings: &Settings) -> Result<Self, Vec<SettingError>> {
        let mut errors = Vec::new();
        check_thresholds(settings, &mut errors);
        let refuse = Lists::new(Effect::Refuse, &settings.refuse, &mut errors);
        let defer = Lists::new(Effect::Defer, &settings.defer, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            required: Score::from_points(settings.required),
            quarantine: Score::from_points(settings.quarantine),
            reject: Score::from_points(settings.reject),
            classifier_cap: settings.classifier_cap,
            classifier_floor: settings.classifier_floor,
            beyond_limits: settings.beyond_limits,
            refuse,
            defer,
        })
    }

    /// From which score on a message is marked as spam.
    pub fn required(&self) -> Score {
        self.required
    }

    /// From which score on a message is refused.
    pub fn reject(&self) -> Score {
        self.reject
    }

    /// The points that a calibrated probability of spam is worth: its log-odds (natural logarithm),
    /// so that 0.993 is worth 5.0 and 0.99966 is worth 8.0, within the cap and the floor.
    /// Points of rules are log-odds in spirit too; so the two may be added.
    pub fn classifier_score(&self, probability: f64) -> Score {
        let odds = probability / (1.0 - probability);
        let points = odds.ln().clamp(-self.classifier_floor, self.classifier_cap);
        Score::from_points(points)
    }

    /// The fewest points that the classifier can give.
    pub fn classifier_lowest(&self) -> Score {
        Score::from_points(-self.classifier_floor)
    }

    /// Adds up and decides.
    pub fn decide(&self, evidence: &[Evidence]) -> Decision {
        let score: Score = evidence.iter().map(Evidence::score).sum();
        let by_score = if score >= self.reject {
            Disposition::Reject
        } else if score >= self.quarantine {
            Disposition::Quarantine
        } else {
            Disposition::Accept
        };
        let at_least = evidence.iter().map(|piece| match piece {
            Evidence::Refused { .. } => Disposition::Reject,
            Evidence::Deferred { .. } => Disposition::Defer,
            Evidence::LimitExceeded { .. } => self.beyond_limits,
            Evidence::Rule(_) | Evidence::Classifier { .. } => Disposition::Accept,
        });
        Decision {
            score,
            disposition: at_least.fold(by_score, Ord::max),
        }
    }

    /// What the admin's lists have against this client.
    pub fn listed_client(&self, client: &Client) -> Option<Evidence> {
        let refused = self.refuse.client(client);
        refused.or_else(|| self.defer.client(client))
    }

    /// What the admin's lists have against this HELO name.
    pub fn listed_helo(&self, name: &str) -> Option<Evidence> {
        self.refuse.helo(name).or_else(|| self.defer.helo(name))
    }

    /// What the admin's lists have against this envelope sender.
    pub fn listed_sender(&self, path: &ReversePath) -> Option<Evidence> {
        let path = match path {
            ReversePath::Null => "<>".to_owned(),
            ReversePath::Mailbox(mailbox) => mailbox.to_string(),
        };
        let refused = self.refuse.sender(&path);
        refused.or_else(|| self.defer.sender(&path))
    }

    /// What the admin's lists have against this envelope recipient.
    pub fn listed_recipient(&self, mailbox: &Mailbox) -> Option<Evidence> {
        let path = mailbox.to_string();
        let refused = self.refuse.recipient(&path);
        refused.or_else(|| self.defer.recipient(&path))
    }
}

impl Canonical for Policy {
    fn encode(&self, out: &mut Encoder) {
        let Self {
            required,
            quarantine,
            reject,
            classifier_cap,
            classifier_floor,
            beyond_limits,
            refuse,
            defer,
        } = self;
        out.float("required", required.points());
        out.float("quarantine", quarantine.points());
        out.float("reject", reject.points());
        out.float("classifier_cap", *classifier_cap);
        out.float("classifier_floor", *classifier_floor);
        out.text("beyond_limits", beyond_limits.name());
        out.nested("refuse", refuse);
        out.nested("defer", defer);
    }
}

fn check_thresholds(settings: &Settings, errors: &mut Vec<SettingError>) {
    let mut wrong = |key, value: f64, message: String| {
        errors.push(SettingError {
            key,
            value: value.to_string(),
            message,
        });
    };
    let Settings {
        required,
        quarantine,
        reject,
        classifier_cap,
        classifier_floor,
        ..
    } = *settings;
    for (key, value) in [
        ("required", required),
        ("quarantine", quarantine),
        ("reject", reject),
    ] {
        if !(value.is_finite() && value > 0.0 && value <= POINTS_MAX) {
            wrong(
                key,
                value,
                format!("must be greater than 0 and at most {POINTS_MAX}"),
            );
        }
    }
    if quarantine < required {
        wrong(
            "quarantine",
            quarantine,
            format!(
                "must not be below required = {required}: messages would be held before they are marked"
            ),
        );
    }
    if reject < quarantine {
        wrong(
            "reject",
            reject,
            format!("must not be below quarantine = {quarantine}"),
        );
    }
    if !(classifier_cap.is_finite() && classifier_cap >= 0.0) || classifier_cap >= reject {
        let message = format!(
            "must be in 0.0..{reject}: below reject, since the classifier alone never refuses a message"
        );
        wrong("classifier_cap", classifier_cap, message);
    }
    if !(classifier_floor.is_finite() && (0.0..=POINTS_MAX).contains(&classifier_floor)) {
        wrong(
            "classifier_floor",
            classifier_floor,
            format!("must be in 0.0..={POINTS_MAX}"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{Policy, Settings};
    use crate::AdminLists;
    use gatepost_words::verdict::{Disposition, Evidence, Hit, Score};

    fn hit(points: f64) -> Evidence {
        Evidence::Rule(Hit {
            rule: "R".into(),
            score: Score::from_points(points),
            description: "".into(),
        })
    }

    fn policy() -> Policy {
        Policy::new(&Settings::default()).unwrap()
    }

    #[test]
    fn thresholds_decide_at_and_just_below() {
        for (points, disposition) in [
            (0.0, Disposition::Accept),
            (7.999, Disposition::Accept),
            (8.0, Disposition::Quarantine),
            (14.999, Disposition::Quarantine),
            (15.0, Disposition::Reject),
            (-50.0, Disposition::Accept),
        ] {
            assert_eq!(
                policy().decide(&[hit(points)]).disposition,
                disposition,
                "{points}"
            );
        }
    }

    #[test]
    fn lists_defer_and_what_is_also_refused_or_held_is_not_deferred() {
        let lists = |entry: &str| AdminLists {
            helo: vec![entry.to_owned()],
            ..AdminLists::default()
        };
        let settings = Settings {
            refuse: lists("bad.*"),
            defer: lists("*.example"),
            ..Settings::default()
        };
        let policy = Policy::new(&settings).unwrap();
        let evidence = policy.listed_helo("New.example").unwrap();
        assert_eq!(
            evidence,
            Evidence::Deferred {
                list: "helo",
                entry: "*.example".into()
            }
        );
        let decide = |evidence: &[Evidence]| policy.decide(evidence).disposition;
        assert_eq!(decide(std::slice::from_ref(&evidence)), Disposition::Defer);
        assert_eq!(
            decide(&[evidence.clone(), hit(8.0)]),
            Disposition::Quarantine
        );
        let refused = policy.listed_helo("bad.example").unwrap();
        assert!(matches!(refused, Evidence::Refused { .. }));
        assert_eq!(decide(&[evidence, refused]), Disposition::Reject);
        assert_eq!(policy.listed_helo("mail.example.net"), None);
    }

    #[test]
    fn the_classifier_alone_holds_but_never_rejects() {
        let policy = policy();
        for (probability, disposition) in [
            (0.5, Disposition::Accept),
            (0.9999, Disposition::Quarantine),
            (1.0, Disposition::Quarantine),
        ] {
            let score = policy.classifier_score(probability);
            let evidence = Evidence::Classifier {
                model: "m".into(),
                probability,
                score,
            };
            assert_eq!(
                policy.decide(&[evidence]).disposition,
                disposition,
                "{probability}"
            );
        }
        assert_eq!(policy.classifier_score(0.0), policy.classifier_lowest());
        assert_eq!(policy.classifier_score(1.0), Score::from_points(10.0));
    }

    #[test]
    fn all_errors_are_reported_together() {
        let settings = Settings {
            required: 9.0,
            quarantine: 8.0,
            reject: f64::NAN,
            classifier_cap: 20.0,
            refuse: AdminLists {
                clients: vec!["192.0.2.0/99".into()],
                helo: vec![" ".into()],
                ..AdminLists::default()
            },
            ..Settings::default()
        };
        let errors = Policy::new(&settings).unwrap_err();
        let keys: Vec<_> = errors.iter().map(|error| error.key).collect();
        assert_eq!(
            keys,
            ["reject", "quarantine", "refuse.clients", "refuse.helo"]
        );
        let settings = Settings {
            classifier_cap: 15.0,
            ..Settings::default()
        };
        assert_eq!(Policy::new(&settings).unwrap_err()[0].key, "classifier_cap");
    }
}
