//! How the site's learner is reported: in `model info` and in `check`.

use gatepost_learn::classifier::{FalsePositiveBound, FrozenSite, Probability, ham_needed};

/// The site as JSON.
pub(super) fn site_json(site: &FrozenSite) -> serde_json::Value {
    let (ham, spam) = site.learner().labels();
    let (stacker, bound) = (site.stacker(), site.false_positive_bound());
    serde_json::json!({
        "record": site.sequence(),
        "ham": ham,
        "spam": spam,
        "effective": stacker.effective,
        "weights": { "content": stacker.content, "site": stacker.site, "offset": stacker.offset },
        "claim": {
            "ham_loss_percent": 100.0 * FalsePositiveBound::LOSS,
            "confidence_percent": 100.0 * FalsePositiveBound::CONFIDENCE,
            "ham": bound.ham,
            "needed": bound.needed,
            "missing": bound.needed.saturating_sub(bound.ham),
            "log_odds": bound.threshold,
        },
    })
}

/// The lines for a site without labels.
pub(super) fn site_unknown() -> Vec<String> {
    vec![
        "site         no labels yet: the model alone judges (`gatepost learn`)".to_owned(),
        format!(
            "ham loss     0.1 % cannot be claimed: {} ham labels are missing",
            ham_needed(FalsePositiveBound::LOSS, FalsePositiveBound::CONFIDENCE)
        ),
    ]
}

/// The labels of the site, the weights of both experts, and the bound on lost ham.
pub(super) fn site_lines(site: &FrozenSite) -> Vec<String> {
    let (ham, spam) = site.learner().labels();
    let stacker = site.stacker();
    vec![
        format!(
            "site         {ham} ham, {spam} spam labels (sequence {})",
            site.sequence()
        ),
        format!(
            "weights      content model {:.3}, site learner {:.3}, offset {:+.3}; {:.0} labels in effect",
            stacker.content, stacker.site, stacker.offset, stacker.effective
        ),
        format!("ham loss     {}", loss(site.false_positive_bound())),
    ]
}

/// What may be claimed about lost ham, or what is missing for it.
pub(super) fn loss(bound: &FalsePositiveBound) -> String {
    match bound.threshold {
        Some(log_odds) => format!(
            "at most 0.1 % above probability {:.5}, at 95 % confidence ({} ham labels)",
            Probability::from_logit(log_odds).value(),
            bound.ham
        ),
        None => format!(
            "0.1 % cannot be claimed at 95 % confidence: {} of {} ham labels, {} are missing",
            bound.ham,
            bound.needed,
            bound.needed.saturating_sub(bound.ham)
        ),
    }
}
