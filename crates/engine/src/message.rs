//! The stage end of message: the whole message is judged. A pure function of transaction, bytes, facts
//! and generation; only the deadline comes in from outside, as a question that a replay answers
//! with "plenty".

use super::header_edits::header_edits;
use super::{Generation, Scratch};
use gatepost_learn::classifier::Probability;
use gatepost_learn::features::{self, SiteView};
use gatepost_mail::Case;
use gatepost_mail::Facts;
use gatepost_mail::{Anomaly, AnomalyKind, Message, Transaction};
use gatepost_policy::Policy;
use gatepost_words::Fault;
use gatepost_words::Stage;
use gatepost_words::verdict::{Evidence, HeaderEdits, Verdict};

/// What is left until the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeLeft {
    /// Enough for everything.
    Plenty,
    /// Enough for the rules, too little for the classifier.
    RulesOnly,
    /// Nothing, or the MTA does not wait any more.
    None,
}

/// Judges a message.
pub fn end_of_message(
    generation: &Generation,
    transaction: &Transaction,
    raw: &[u8],
    facts: &Facts,
    scratch: &mut Scratch,
    time_left: &dyn Fn() -> TimeLeft,
) -> Result<Verdict, Fault> {
    let policy = &generation.profile(&transaction.listener).policy;
    let expired = || time_left() == TimeLeft::None;
    let message = Message::parse_until(raw, generation.limits(), &expired);
    if !message.is_complete {
        return Err(Fault::Deadline);
    }
    if !scratch.hold(message.derived.used()) {
        return Err(Fault::Overload);
    }
    let case = Case {
        stage: Stage::EndOfMessage,
        transaction,
        message: &message,
        facts,
    };

    let scan = scratch
        .scanner(generation)
        .scan(generation.ruleset(), &case, &expired);
    if !scan.complete {
        return Err(Fault::Deadline);
    }
    if !scratch.hold(message.derived.used()) {
        return Err(Fault::Overload);
    }
    let mut evidence: Vec<Evidence> = scan.hits.into_iter().map(Evidence::Rule).collect();

    let rules_only = match time_left() {
        TimeLeft::None => return Err(Fault::Deadline),
        TimeLeft::RulesOnly => true,
        TimeLeft::Plenty => {
            evidence.extend(classify(generation, policy, &case));
            false
        }
    };
    evidence.extend(limit_exceeded(
        message.anomalies.iter().chain(&scan.anomalies),
    ));

    let decision = policy.decide(&evidence);
    let mut verdict = Verdict {
        disposition: decision.disposition,
        score: decision.score,
        required: policy.required(),
        evidence,
        shadow: scan.shadow,
        anomalies: anomaly_names(&message.anomalies, &scan.anomalies),
        stage: Stage::EndOfMessage,
        generation: generation.id().clone(),
        rules_only,
        header_edits: HeaderEdits::default(),
    };
    verdict.header_edits = header_edits(
        generation.ruleset(),
        scratch.scanner(generation),
        &case,
        &verdict,
    );
    Ok(verdict)
}

/// The verdict on a message that took the whole deadline at an earlier try. It is not judged again:
/// it passed a limit, that of the time for one message, and is handled as the policy wants that.
pub(super) fn held_for_judging_time(generation: &Generation, transaction: &Transaction) -> Verdict {
    let policy = &generation.profile(&transaction.listener).policy;
    let anomaly = AnomalyKind::JudgingTime.name();
    let evidence = vec![Evidence::LimitExceeded { anomaly }];
    let decision = policy.decide(&evidence);
    Verdict {
        disposition: decision.disposition,
        score: decision.score,
        required: policy.required(),
        evidence,
        shadow: Vec::new(),
        anomalies: vec![anomaly],
        stage: Stage::EndOfMessage,
        generation: generation.id().clone(),
        rules_only: true,
        header_edits: HeaderEdits::default(),
    }
}

/// The classifier's evidence; none where there is no expert, or where none has an opinion on this
/// message (a model that fails on one message is not a reason to defer it: the rules have judged).
fn classify(generation: &Generation, policy: &Policy, case: &Case<'_>) -> Option<Evidence> {
    let content = generation.model().and_then(|model| {
        let log_odds = model.log_odds(&features::extract(case)).ok()?;
        Some((model.manifest().id.as_str(), log_odds))
    });
    let (model, log_odds) = match (generation.site(), content) {
        (None, None) => return None,
        (None, Some((id, log_odds))) => (id.into(), log_odds),
        (Some(site), content) => {
            let view = SiteView::of_case(case.transaction, case.message, generation.trust());
            let name = site.name(content.map(|(id, _)| id));
            (
                name,
                site.log_odds(content.map(|(_, log_odds)| log_odds), &view),
            )
        }
    };
    let probability = Probability::from_logit(log_odds).value();
    let score = policy.classifier_score(probability);
    Some(Evidence::Classifier {
        model,
        probability,
        score,
    })
}

fn limit_exceeded<'a>(mut anomalies: impl Iterator<Item = &'a Anomaly>) -> Option<Evidence> {
    let anomaly = anomalies.find(|anomaly| anomaly.kind.is_limit())?;
    Some(Evidence::LimitExceeded {
        anomaly: anomaly.kind.name(),
    })
}

/// The names of the anomalies, each once, in the order of their first appearance.
pub(super) fn anomaly_names(of_message: &[Anomaly], of_rules: &[Anomaly]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for anomaly in of_message.iter().chain(of_rules) {
        if !names.contains(&anomaly.kind.name()) {
            names.push(anomaly.kind.name());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::testing::generation;
    use gatepost_learn::classifier::{Site, SiteSettings};
    use gatepost_learn::features::TrustedAuthservIds;
    use gatepost_policy::Settings;
    use gatepost_words::verdict::Disposition;
    use gatepost_words::{Class, FailurePolicy};

    /// A site that learned again and again that this is spam, and other messages ham.
    fn sure(raw: &[u8], labels: usize) -> Site {
        let mut site = Site::new(SiteSettings {
            bits: 16,
            rate: 0.05,
            ..SiteSettings::default()
        });
        for number in 0..labels {
            let ham = format!("Subject: lunch {number}\n\nsee you then\n").into_bytes();
            for (raw, class) in [(raw, Class::Spam), (ham.as_slice(), Class::Ham)] {
                let slots = site
                    .learner()
                    .slots(&SiteView::of_stored(raw, &TrustedAuthservIds::none()));
                site.learn(&slots, class, None);
            }
        }
        site
    }

    /// A page whose short links are joined with a base of 4,000 bytes.
    fn base_bomb(links: usize) -> Vec<u8> {
        let mut page = b"From: a@example.com\nContent-Type: text/html\n\n".to_vec();
        page.extend(b"<base href=\"http://e.example/");
        page.resize(page.len() + 4_000, b'b');
        page.extend(b"\">\n");
        for link in 0..links {
            page.extend(format!("<a href={link:x}>\n").bytes());
        }
        page
    }

    #[test]
    fn links_joined_with_a_large_base_are_held_beyond_the_limit_of_derived_bytes() {
        let rules = "uri A /never/\n";
        let generation = generation(rules, &Settings::default(), FailurePolicy::Tempfail);
        let transaction = Transaction::new("test".into(), UNIX_EPOCH);
        for (links, disposition) in [(20, Disposition::Accept), (2_500, Disposition::Quarantine)] {
            let verdict = end_of_message(
                &generation,
                &transaction,
                &base_bomb(links),
                &Facts::default(),
                &mut Scratch::default(),
                &|| TimeLeft::Plenty,
            )
            .unwrap();
            assert_eq!(verdict.disposition, disposition, "{links} links");
            let is_beyond = verdict.anomalies.contains(&"derived_limit");
            assert_eq!(is_beyond, disposition == Disposition::Quarantine);
        }
    }

    #[test]
    fn what_the_site_taught_judges_and_never_rejects_alone() {
        let raw = b"Subject: prize\n\nyou have won a prize\n";
        let generation = generation("", &Settings::default(), FailurePolicy::Tempfail);
        let transaction = Transaction::new("test".into(), UNIX_EPOCH);
        let judge = |generation: &Generation| {
            let mut scratch = Scratch::default();
            let plenty = || TimeLeft::Plenty;
            end_of_message(
                generation,
                &transaction,
                raw,
                &Facts::default(),
                &mut scratch,
                &plenty,
            )
            .unwrap()
        };
        assert_eq!(
            judge(&generation).classifier(),
            None,
            "no expert, no opinion"
        );
        for (labels, disposition) in [(0, Disposition::Accept), (2_000, Disposition::Accept)] {
            let site = Arc::new(sure(raw, labels).freeze(7));
            let taught = generation.with_site(Some(site));
            assert_eq!(taught.id(), generation.id());
            let trusting =
                taught.with_trust(TrustedAuthservIds::new(&["mx.example.com".to_owned()]), &[]);
            assert_ne!(
                trusting.id(),
                generation.id(),
                "trust changes verdicts, so it changes the name"
            );
            assert_eq!(
                taught.with_trust(TrustedAuthservIds::none(), &[]).id(),
                generation.id()
            );
            let verdict = judge(&taught);
            let (name, probability) = verdict.classifier().unwrap();
            assert_eq!(name, "none+7");
            if labels == 0 {
                assert!((probability - 0.5).abs() < 1e-9, "{probability}");
            } else {
                assert!(probability > 0.99, "{probability}");
                assert_ne!(verdict.disposition, Disposition::Reject);
                assert!(verdict.is_spam());
            }
            assert!(verdict.disposition <= Disposition::Quarantine.max(disposition));
            assert_eq!(judge(&taught), verdict, "same input, same verdict");
        }
    }
}
