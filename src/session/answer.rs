//! From a verdict or a fault to what the MTA is told.

use gatepost_milter::{Action, Reply, Response};
use gatepost_words::verdict::{
    Disposition, EnhancedStatusCode, ReplyCode, SmtpReply, Verdict, VerdictId,
};
use gatepost_words::{FailurePolicy, Fault, Stage};

/// The response to a verdict. `changes` take out forged copies of our header fields.
pub(super) fn to_verdict(verdict: &Verdict, id: &VerdictId, mut changes: Vec<Action>) -> Response {
    let rewritten = verdict.marks.rewritten.iter();
    changes.extend(rewritten.map(|(name, value)| Action::ChangeHeader {
        index: 1,
        name: (*name).to_owned(),
        value: value.clone(),
    }));
    match verdict.disposition {
        Disposition::Reject => reply(&refusal(verdict, id)).into(),
        Disposition::Accept => accepted(changes, fields(verdict, id)),
        Disposition::Defer => reply(&deferred_by_policy(id)).into(),
        Disposition::Quarantine => {
            let mut response = accepted(changes, fields(verdict, id));
            let reason = format!("held by gatepost, score {} id={id}", verdict.score);
            response.actions.push(Action::Quarantine { reason });
            response
        }
    }
}

/// The response to a fault, as the failure policy wants it. There is no way from here to a refusal.
pub(super) fn to_fault(
    fault: Fault,
    policy: FailurePolicy,
    id: &VerdictId,
    removals: Vec<Action>,
) -> Response {
    let marked = || {
        accepted(
            removals,
            vec![(
                "X-Gatepost".to_owned(),
                format!("unjudged fault={fault} id={id}"),
            )],
        )
    };
    match policy {
        FailurePolicy::Tempfail => deferral(fault, id).into(),
        FailurePolicy::Accept => marked(),
        FailurePolicy::Quarantine => {
            let mut response = marked();
            response.actions.push(Action::Quarantine {
                reason: format!("not judged by gatepost ({fault}) id={id}"),
            });
            response
        }
    }
}

/// What a failure policy does. There is no way from here to a reject.
pub(super) fn action_of(policy: FailurePolicy) -> Disposition {
    match policy {
        FailurePolicy::Tempfail => Disposition::Defer,
        FailurePolicy::Accept => Disposition::Accept,
        FailurePolicy::Quarantine => Disposition::Quarantine,
    }
}

/// What a stranger is told: which kind of evidence, and the id under which the admin can `gatepost
/// explain` it. No rule names, no scores: they would only help to get around them.
fn refusal(verdict: &Verdict, id: &VerdictId) -> SmtpReply {
    let kinds = verdict.kinds();
    let kinds = if kinds.is_empty() {
        "local policy".to_owned()
    } else {
        kinds.join(", ")
    };
    let text = match verdict.stage {
        Stage::Connect | Stage::Helo | Stage::MailFrom | Stage::RcptTo => {
            format!("Refused by {kinds}; id={id}")
        }
        Stage::EndOfHeaders | Stage::EndOfMessage => {
            format!("Message refused because of its {kinds}; id={id}")
        }
    };
    SmtpReply::new(ReplyCode::REFUSED, EnhancedStatusCode::REFUSED, &text)
}

/// "Try again later", by policy: nothing is wrong with us.
fn deferred_by_policy(id: &VerdictId) -> SmtpReply {
    let text = format!("Deferred by local policy, please try again later; id={id}");
    SmtpReply::new(ReplyCode::TRY_AGAIN, EnhancedStatusCode::REFUSED, &text)
}

/// "Try again later", with what is wrong with us in general terms.
pub(super) fn deferral(fault: Fault, id: &VerdictId) -> Reply {
    let (enhanced, text) = match fault {
        Fault::Overload => (
            EnhancedStatusCode::OVERLOADED,
            "Too busy to look at this message now",
        ),
        Fault::ShuttingDown => (EnhancedStatusCode::OVERLOADED, "Service is restarting"),
        Fault::TooLarge => (
            EnhancedStatusCode::TOO_BIG,
            "Message is too large to be looked at now",
        ),
        Fault::Deadline | Fault::Panic | Fault::Cancelled => (
            EnhancedStatusCode::SYSTEM,
            "Message could not be looked at now",
        ),
    };
    reply(&SmtpReply::new(
        ReplyCode::TRY_AGAIN,
        enhanced,
        &format!("{text}, try again later; id={id}"),
    ))
}

/// The reply packet's content.
pub(super) fn reply(reply: &SmtpReply) -> Reply {
    Reply::Code {
        code: reply.code.get(),
        enhanced: reply.enhanced_code(),
        lines: reply.lines().to_vec(),
    }
}

fn accepted(mut actions: Vec<Action>, fields: Vec<(String, String)>) -> Response {
    actions.extend(
        fields
            .into_iter()
            .map(|(name, value)| Action::AddHeader { name, value }),
    );
    Response {
        actions,
        reply: Reply::Continue,
    }
}

/// The header fields that tell the verdict: those that the rule files want, else the usual ones;
/// and our own.
fn fields(verdict: &Verdict, id: &VerdictId) -> Vec<(String, String)> {
    let mut fields = verdict
        .marks
        .fields
        .clone()
        .unwrap_or_else(|| usual_fields(verdict));
    let model = verdict
        .classifier()
        .map(|(model, probability)| format!("\n\tmodel={model} probability={probability:.4}"));
    let rules_only = if verdict.rules_only {
        "\n\trules-only"
    } else {
        ""
    };
    let (disposition, generation) = (verdict.disposition, &verdict.generation);
    let own = format!(
        "{disposition} id={id} gen={generation}{}{rules_only}",
        model.unwrap_or_default()
    );
    fields.push(("X-Gatepost".to_owned(), own));
    fields
}

/// In SpamAssassin's form, so that existing filters read them.
fn usual_fields(verdict: &Verdict) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    if verdict.is_spam() {
        fields.push(("X-Spam-Flag".to_owned(), "YES".to_owned()));
    }
    fields.push(("X-Spam-Score".to_owned(), verdict.score.to_string()));
    fields.push(("X-Spam-Status".to_owned(), status(verdict)));
    fields
}

/// `Yes, score=9.1 required=5.0 tests=A,B,C`, folded before column 78 where there are many tests.
/// Rule names are ours or the admin's, of letters, digits and underscores; nothing of the mail gets
/// in.
fn status(verdict: &Verdict) -> String {
    let answer = if verdict.is_spam() { "Yes" } else { "No" };
    let mut status = format!(
        "{answer}, score={} required={}\n\ttests=",
        verdict.score, verdict.required
    );
    let mut column = 14;
    let mut separator = "";
    for hit in verdict.hits() {
        if column + hit.rule.len() > 76 {
            status.push_str(separator);
            status.push_str("\n\t");
            separator = "";
            column = 8;
        }
        status.push_str(separator);
        status.push_str(&hit.rule);
        column += hit.rule.len() + 1;
        separator = ",";
    }
    if verdict.hits().next().is_none() {
        status.push_str("none");
    }
    status
}

#[cfg(test)]
mod tests {
    use super::{deferral, fields, to_fault, to_verdict};
    use gatepost_milter::{Action, Reply};
    use gatepost_words::verdict::{
        Disposition, Evidence, GenerationId, Hit, Marks, Score, Verdict, VerdictId,
    };
    use gatepost_words::{FailurePolicy, Fault, Stage};

    fn verdict(disposition: Disposition, rules: &[&str]) -> Verdict {
        let hit = |name: &&str| {
            Evidence::Rule(Hit {
                rule: (*name).into(),
                score: Score::from_points(3.0),
                description: "".into(),
            })
        };
        Verdict {
            disposition,
            score: Score::from_points(9.0),
            required: Score::from_points(5.0),
            evidence: rules.iter().map(hit).collect(),
            shadow: Vec::new(),
            anomalies: Vec::new(),
            stage: Stage::EndOfMessage,
            generation: GenerationId::new("0123456789ab"),
            rules_only: false,
            marks: Marks::default(),
        }
    }

    #[test]
    fn a_fault_never_becomes_a_refusal() {
        let id = VerdictId::from_number(7);
        for fault in [
            Fault::Deadline,
            Fault::Panic,
            Fault::Overload,
            Fault::TooLarge,
            Fault::Cancelled,
            Fault::ShuttingDown,
        ] {
            for policy in [
                FailurePolicy::Tempfail,
                FailurePolicy::Accept,
                FailurePolicy::Quarantine,
            ] {
                let response = to_fault(fault, policy, &id, Vec::new());
                match response.reply {
                    Reply::Continue => assert_ne!(policy, FailurePolicy::Tempfail),
                    Reply::Code { code, enhanced, .. } => {
                        assert_eq!(policy, FailurePolicy::Tempfail);
                        assert!(
                            (400..500).contains(&code) && enhanced.starts_with("4."),
                            "{fault}"
                        );
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        assert!(matches!(
            deferral(Fault::Overload, &id),
            Reply::Code { code: 451, .. }
        ));
    }

    #[test]
    fn a_refusal_names_the_kind_and_the_id_but_no_rule() {
        let id = VerdictId::from_number(1234);
        let response = to_verdict(
            &verdict(Disposition::Reject, &["SECRET_RULE"]),
            &id,
            Vec::new(),
        );
        assert!(response.actions.is_empty());
        let Reply::Code { code, lines, .. } = response.reply else {
            panic!("a reply with a text is expected")
        };
        assert_eq!(code, 550);
        assert!(lines[0].contains("content rules") && lines[0].contains(id.as_str()));
        assert!(!lines[0].contains("SECRET_RULE"));
    }

    #[test]
    fn held_mail_is_marked_and_put_on_hold() {
        let id = VerdictId::from_number(1);
        let response = to_verdict(&verdict(Disposition::Quarantine, &["A"]), &id, Vec::new());
        assert!(matches!(
            response.actions.last(),
            Some(Action::Quarantine { .. })
        ));
        assert_eq!(response.reply, Reply::Continue);
    }

    #[test]
    fn long_lists_of_tests_are_folded() {
        let names: Vec<String> = (0..40)
            .map(|number| format!("SOME_RULE_NUMBER_{number}"))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let fields = fields(
            &verdict(Disposition::Accept, &names),
            &VerdictId::from_number(1),
        );
        let (_, status) = fields
            .iter()
            .find(|(name, _)| name == "X-Spam-Status")
            .unwrap();
        assert!(status.lines().all(|line| line.len() <= 78), "{status}");
        let unfolded = status.replace("\n\t", "");
        assert!(unfolded.ends_with(&names.join(",")), "{unfolded}");
    }
}
