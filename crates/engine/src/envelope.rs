//! The stages HELO, MAIL and RCPT.

use super::Generation;
use gatepost_mail::{Mailbox, ReversePath};
use gatepost_words::Stage;
use gatepost_words::verdict::{Evidence, HeaderEdits, Verdict};

/// Judges a greeting. `None`: nothing speaks against it.
pub fn helo(generation: &Generation, listener: &str, name: &str) -> Option<Verdict> {
    let policy = &generation.profile(listener).policy;
    policy
        .listed_helo(name)
        .map(|evidence| verdict(generation, listener, Stage::Helo, evidence))
}

/// Judges an envelope sender. `None`: nothing speaks against it.
pub fn mail_from(generation: &Generation, listener: &str, path: &ReversePath) -> Option<Verdict> {
    let policy = &generation.profile(listener).policy;
    policy
        .listed_sender(path)
        .map(|evidence| verdict(generation, listener, Stage::MailFrom, evidence))
}

/// Judges one envelope recipient; the others are not concerned. `None`: nothing speaks against it.
pub fn rcpt_to(generation: &Generation, listener: &str, mailbox: &Mailbox) -> Option<Verdict> {
    let policy = &generation.profile(listener).policy;
    policy
        .listed_recipient(mailbox)
        .map(|evidence| verdict(generation, listener, Stage::RcptTo, evidence))
}

/// The verdict on one piece of evidence, before there is a message.
pub(super) fn verdict(
    generation: &Generation,
    listener: &str,
    stage: Stage,
    evidence: Evidence,
) -> Verdict {
    let policy = &generation.profile(listener).policy;
    let evidence = vec![evidence];
    let decision = policy.decide(&evidence);
    Verdict {
        disposition: decision.disposition,
        score: decision.score,
        required: policy.required(),
        evidence,
        shadow: Vec::new(),
        anomalies: Vec::new(),
        stage,
        generation: generation.id().clone(),
        rules_only: false,
        header_edits: HeaderEdits::default(),
    }
}
