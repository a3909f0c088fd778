//! Reply: from what was decided to what this MTA can do.

use gatepost_milter::{Action, Reply, Response};
use gatepost_words::verdict::{
    Disposition, EnhancedStatusCode, ReplyCode, SmtpReply, Verdict, VerdictId,
};
use gatepost_words::{FailurePolicy, Fault, Stage};

/// What the MTA is asked to do, and which disposition that amounts to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// What is done; recorded next to what was decided.
    pub(super) action: Disposition,
    /// How the MTA is answered.
    pub(super) response: Response,
}

/// The answer to a verdict. `changes` take out forged copies of our header fields.
pub(super) fn to_verdict(
    verdict: &Verdict,
    id: &VerdictId,
    may_quarantine: bool,
    mut changes: Vec<Action>,
) -> Answer {
    let decision = verdict.disposition;
    let rewritten = verdict.header_edits.rewritten.iter();
    changes.extend(rewritten.map(|(name, value)| Action::ChangeHeader {
        index: 1,
        name: (*name).to_owned(),
        value: value.clone(),
    }));
    let (action, response) = match decision {
        Disposition::Reject => (decision, reply(&refusal(verdict, id)).into()),
        Disposition::Accept => (decision, accepted(changes, fields(verdict, id))),
        Disposition::Defer => (decision, reply(&deferred_by_policy(id)).into()),
        Disposition::Quarantine if may_quarantine => {
            let mut response = accepted(changes, fields(verdict, id));
            let reason = format!("held by gatepost, score {} id={id}", verdict.score);
            response.actions.push(Action::Quarantine { reason });
            (decision, response)
        }
        // The MTA did not offer to hold messages: to deliver it all the same would let pass what
        // was to be looked at first.
        Disposition::Quarantine => (Disposition::Defer, reply(&cannot_hold(id)).into()),
    };
    Answer { action, response }
}

/// The answer to a fault, as the failure policy wants it and the stage and the MTA allow it. There
/// is no way from here to a reject.
pub(super) fn to_fault(
    fault: Fault,
    id: &VerdictId,
    policy: FailurePolicy,
    may_quarantine: bool,
    removals: Vec<Action>,
) -> Answer {
    let marked = || {
        let field = format!("unjudged fault={fault} id={id}");
        accepted(removals, vec![("X-Gatepost".to_owned(), field)])
    };
    match policy {
        FailurePolicy::Accept => Answer {
            action: Disposition::Accept,
            response: marked(),
        },
        FailurePolicy::Quarantine if may_quarantine => {
            let mut response = marked();
            response.actions.push(Action::Quarantine {
                reason: format!("not judged by gatepost ({fault}) id={id}"),
            });
            Answer {
                action: Disposition::Quarantine,
                response,
            }
        }
        // What was to be held must not pass unjudged where the MTA cannot hold it.
        FailurePolicy::Quarantine | FailurePolicy::Tempfail => Answer {
            action: Disposition::Defer,
            response: deferral(fault, id).into(),
        },
    }
}

/// What the failure policy means at a stage: before the end of the message there is nothing that
/// could be held or let pass, so only deferring is left.
pub(super) fn policy_at(stage: Stage, policy: FailurePolicy) -> FailurePolicy {
    match stage {
        Stage::EndOfMessage => policy,
        Stage::Connect | Stage::Helo | Stage::MailFrom | Stage::RcptTo | Stage::EndOfHeaders => {
            FailurePolicy::Tempfail
        }
    }
}

/// What the client reads: which kind of evidence, and the id under which the admin can `gatepost
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

/// The reply where the message is to be held and the MTA cannot hold any.
fn cannot_hold(id: &VerdictId) -> SmtpReply {
    let text = format!("Message cannot be held for review; please try again later; id={id}");
    SmtpReply::new(ReplyCode::TRY_AGAIN, EnhancedStatusCode::SYSTEM, &text)
}

/// "Try again later", by policy: nothing is wrong with us.
fn deferred_by_policy(id: &VerdictId) -> SmtpReply {
    let text = format!("Deferred by local policy; please try again later; id={id}");
    SmtpReply::new(ReplyCode::TRY_AGAIN, EnhancedStatusCode::REFUSED, &text)
}

/// "Try again later", with what is wrong with us in general terms.
pub(super) fn deferral(fault: Fault, id: &VerdictId) -> Reply {
    let (enhanced, text) = match fault {
        Fault::Overload => (
            EnhancedStatusCode::OVERLOADED,
            "Too busy to scan this message",
        ),
        Fault::ShuttingDown => (EnhancedStatusCode::OVERLOADED, "Service is restarting"),
        Fault::TooLarge => (
            EnhancedStatusCode::TOO_BIG,
            "Message is too large to be scanned",
        ),
        Fault::Commit => (EnhancedStatusCode::SYSTEM, "Message could not be recorded"),
        Fault::Deadline | Fault::Panic | Fault::Cancelled => {
            (EnhancedStatusCode::SYSTEM, "Message could not be scanned")
        }
    };
    reply(&SmtpReply::new(
        ReplyCode::TRY_AGAIN,
        enhanced,
        &format!("{text}; please try again later; id={id}"),
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
        .header_edits
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
    use super::{Answer, deferral, fields, policy_at, to_fault, to_verdict};
    use gatepost_milter::{Action, Reply};
    use gatepost_words::verdict::{
        Disposition, Evidence, GenerationId, HeaderEdits, Hit, Score, Verdict, VerdictId,
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
            header_edits: HeaderEdits::default(),
        }
    }

    #[test]
    fn no_fault_under_any_policy_at_any_stage_is_a_reject() {
        let id = VerdictId::from_number(7);
        let policies = [
            FailurePolicy::Tempfail,
            FailurePolicy::Accept,
            FailurePolicy::Quarantine,
        ];
        for fault in Fault::ALL {
            for (stage, policy) in Stage::ALL
                .into_iter()
                .flat_map(|stage| policies.map(|policy| (stage, policy)))
            {
                for may_quarantine in [true, false] {
                    let effective = policy_at(stage, policy);
                    let answer = to_fault(fault, &id, effective, may_quarantine, Vec::new());
                    check_fault(stage, policy, may_quarantine, &answer);
                }
            }
        }
        assert!(matches!(
            deferral(Fault::Overload, &id),
            Reply::Code { code: 451, .. }
        ));
    }

    fn check_fault(stage: Stage, policy: FailurePolicy, may_quarantine: bool, answer: &Answer) {
        let passes = stage == Stage::EndOfMessage
            && match policy {
                FailurePolicy::Tempfail => false,
                FailurePolicy::Accept => true,
                FailurePolicy::Quarantine => may_quarantine,
            };
        match &answer.response.reply {
            Reply::Continue => {
                assert!(passes, "{stage} {policy:?}");
                let actions = &answer.response.actions;
                let is_marked = actions
                    .iter()
                    .any(|action| matches!(action, Action::AddHeader { .. }));
                let is_held = actions
                    .iter()
                    .any(|action| matches!(action, Action::Quarantine { .. }));
                assert!(is_marked);
                assert_eq!(is_held, policy == FailurePolicy::Quarantine);
                assert_eq!(is_held, answer.action == Disposition::Quarantine);
            }
            Reply::Code { code, enhanced, .. } => {
                assert!(!passes, "{stage} {policy:?}");
                assert!((400..500).contains(code) && enhanced.starts_with("4."));
                assert_eq!(answer.action, Disposition::Defer);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_mta_that_cannot_hold_defers_what_was_to_be_held() {
        let id = VerdictId::from_number(1);
        let held = verdict(Disposition::Quarantine, &["A"]);
        let answer = to_verdict(&held, &id, false, Vec::new());
        assert_eq!(answer.action, Disposition::Defer);
        assert!(answer.response.actions.is_empty());
        assert!(matches!(
            answer.response.reply,
            Reply::Code { code: 451, .. }
        ));
    }

    #[test]
    fn a_policy_that_defers_says_so_with_its_own_code() {
        let id = VerdictId::from_number(1);
        let answer = to_verdict(&verdict(Disposition::Defer, &[]), &id, true, Vec::new());
        assert_eq!(answer.action, Disposition::Defer);
        let Reply::Code { code, enhanced, .. } = answer.response.reply else {
            panic!("a reply with a text is expected")
        };
        assert_eq!((code, enhanced.as_str()), (451, "4.7.1"));
    }

    #[test]
    fn a_refusal_names_the_kind_and_the_id_but_no_rule() {
        let id = VerdictId::from_number(1234);
        let rejected = verdict(Disposition::Reject, &["SECRET_RULE"]);
        let response = to_verdict(&rejected, &id, true, Vec::new()).response;
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
        let held = verdict(Disposition::Quarantine, &["A"]);
        let response = to_verdict(&held, &id, true, Vec::new()).response;
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
