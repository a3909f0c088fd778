//! The offline judge: one message through all stages of its session, as the daemon would judge it.
//! Every command that judges stored messages uses it.

use super::{Generation, Scratch, TimeLeft, connect, end_of_message, helo, mail_from, rcpt_to};
use gatepost_mail::Specimen;
use gatepost_words::Fault;
use gatepost_words::verdict::Verdict;

/// Judges a message without a deadline.
pub fn judge(
    generation: &Generation,
    specimen: &Specimen,
    scratch: &mut Scratch,
) -> Result<Verdict, Fault> {
    judge_within(generation, specimen, scratch, &|| TimeLeft::Plenty)
}

/// Judges a message as long as there is time left.
pub fn judge_within(
    generation: &Generation,
    specimen: &Specimen,
    scratch: &mut Scratch,
    time_left: &dyn Fn() -> TimeLeft,
) -> Result<Verdict, Fault> {
    // What is refused early is not judged further.
    if let Some(verdict) = before_the_message(generation, specimen) {
        return Ok(verdict);
    }
    end_of_message(
        generation,
        &specimen.transaction,
        &specimen.raw,
        &specimen.facts,
        scratch,
        time_left,
    )
}

/// The stages from CONNECT to RCPT, in their order; the first verdict ends the session.
fn before_the_message(generation: &Generation, specimen: &Specimen) -> Option<Verdict> {
    let transaction = &specimen.transaction;
    let listener = &*transaction.listener;
    let envelope = &transaction.envelope;
    if let Some(verdict) = connect(generation, listener, &transaction.client) {
        return Some(verdict);
    }
    if let Some(name) = &transaction.helo
        && let Some(verdict) = helo(generation, listener, name)
    {
        return Some(verdict);
    }
    if let Some(verdict) = mail_from(generation, listener, &envelope.reverse_path) {
        return Some(verdict);
    }
    let mut recipients = envelope.forward_paths.iter();
    recipients.find_map(|path| rcpt_to(generation, listener, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::generation;
    use gatepost_mail::{Limits, Mailbox};
    use gatepost_policy::{AdminLists, Settings};
    use gatepost_words::FailurePolicy;
    use gatepost_words::Stage;
    use gatepost_words::verdict::Disposition;

    #[test]
    fn the_first_stage_that_refuses_ends_the_session() {
        let settings = Settings {
            refuse: AdminLists {
                helo: vec!["bad.example".to_owned()],
                recipients: vec!["trap@example.com".to_owned()],
                ..AdminLists::default()
            },
            ..Settings::default()
        };
        let generation = generation(
            "body A /y/\nscore A 20\n",
            &settings,
            FailurePolicy::Tempfail,
        );
        let mut scratch = Scratch::default();
        let mut specimen = Specimen::stored(*b"Subject: x\n\ny\n");
        let mut stage = |specimen: &Specimen| {
            let verdict = judge(&generation, specimen, &mut scratch).unwrap();
            assert_eq!(verdict.disposition, Disposition::Reject);
            verdict.stage
        };
        assert_eq!(stage(&specimen), Stage::EndOfMessage);
        let recipients = [&b"a@example.com"[..], b"trap@example.com"];
        specimen.transaction.envelope.forward_paths = recipients.map(Mailbox::parse).to_vec();
        assert_eq!(stage(&specimen), Stage::RcptTo);
        specimen.transaction.helo = Some("bad.example".to_owned());
        assert_eq!(stage(&specimen), Stage::Helo);
    }

    #[test]
    fn time_that_is_up_is_a_fault_and_limits_come_from_the_generation() {
        let generation = generation("", &Settings::default(), FailurePolicy::Tempfail);
        let specimen = Specimen::stored(*b"Subject: x\n\ny\n");
        let mut scratch = Scratch::default();
        let late = judge_within(&generation, &specimen, &mut scratch, &|| TimeLeft::None);
        assert_eq!(late, Err(Fault::Deadline));
        let limits = Limits {
            headers: 0,
            ..Limits::default()
        };
        let strict = generation.with_limits(limits);
        let verdict = judge(&strict, &specimen, &mut scratch).unwrap();
        assert_eq!(verdict.disposition, Disposition::Quarantine);
    }
}
