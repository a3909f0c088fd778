//! What `gatepost check` reports about the site's own learner.

use serde_json::json;

use super::check_report::CheckReport;
use super::site_report::{loss, site_json};
use crate::config::Config;
use crate::daemon::learning_settings;
use gatepost_learn::learning::{Health, LearningSettings, examine};
use gatepost_store::Condition;
use gatepost_words::diagnostic::Diagnostic;

/// Notes on or off, labels, and what is missing for the claim about lost ham; gives what is
/// damaged. Nothing of it stops the daemon, which then judges by fewer labels: so these are
/// warnings.
pub(super) fn learner(config: &Config, report: &mut CheckReport) -> Vec<Diagnostic> {
    let Some(settings) = learning_settings(config) else {
        let why = if config.learner.enabled {
            "`learner.path` is empty"
        } else {
            "`learner.enabled` is false"
        };
        report.note(
            "learner",
            format_args!("off: {why}"),
            json!({ "on": false, "why": why }),
        );
        return Vec::new();
    };
    let directory = settings.directory.display().to_string();
    let health = match examine(&settings) {
        Ok(health) => health,
        Err(error) => {
            let text = format!("{directory}: {error}");
            let value = json!({ "on": true, "directory": directory, "error": error.to_string() });
            report.note("learner", "on, but the labels cannot be read", value);
            return vec![
                Diagnostic::warning("L0101", format!("the labels cannot be read: {text}"))
                    .help("let the user of the daemon read the directory and what is in it; mail is judged without it"),
            ];
        }
    };
    let value = json!({
        "on": true,
        "directory": directory,
        "site": health.site.as_deref().map(site_json),
        "log_damaged_bytes": health.damaged,
        "weights": name(health.weights),
        "base": name(health.base),
    });
    if let Some(site) = &health.site {
        let (ham, spam) = site.learner().labels();
        report.line(
            "learner",
            format_args!(
                "{ham} ham, {spam} spam labels (sequence {})",
                site.sequence()
            ),
        );
        report.line("ham loss", loss(site.false_positive_bound()));
    } else {
        report.line(
            "learner",
            "no labels yet: the model alone judges (`gatepost learn`)",
        );
    }
    report.field("learner", value);
    damage(&settings, &health)
}

fn name(condition: Condition) -> &'static str {
    match condition {
        Condition::Missing => "missing",
        Condition::Whole => "whole",
        Condition::OtherSchema => "other_schema",
        Condition::Damaged => "damaged",
    }
}

/// What is damaged, why that may be, and what to do.
fn damage(settings: &LearningSettings, health: &Health) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let directory = settings.directory.display();
    let is_useless = |condition| matches!(condition, Condition::Damaged | Condition::OtherSchema);
    if health.damaged > 0 {
        let what = format!(
            "{} bytes of the label log in {directory} cannot be read",
            health.damaged
        );
        found.push(Diagnostic::warning("L0102", what).help(
            "the labels in them are lost, all others hold; check the disk, and give the lost labels again or restore the \
             directory from a backup",
        ));
    }
    if is_useless(health.base) {
        let what = format!("{directory}/base is {}", reason(health.base));
        found.push(Diagnostic::warning("L0103", what).help(
            "what was learned from labels that are in no log any more is lost: restore `base` from a backup, or move the \
             directory away and learn an archive again",
        ));
    }
    if is_useless(health.weights) {
        let what = format!("{directory}/weights is {}", reason(health.weights));
        found.push(Diagnostic::warning("L0103", what).help(
            "nothing is lost, a start only takes longer: remove the file; `gatepost learn` writes a new one when it is due",
        ));
    }
    found
}

fn reason(condition: Condition) -> &'static str {
    if condition == Condition::Damaged {
        "damaged"
    } else {
        "of another version of the learner"
    }
}
