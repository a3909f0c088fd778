//! The stage end of headers: a verdict before the body is transferred, where the header alone can
//! already decide.

use super::message::anomaly_names;
use super::{Generation, Scratch, TimeLeft};
use gatepost_mail::Case;
use gatepost_mail::Facts;
use gatepost_mail::{Message, Transaction};
use gatepost_words::Fault;
use gatepost_words::Stage;
use gatepost_words::verdict::{Disposition, Evidence, HeaderEdits, Verdict};

/// Judges a header. The verdict rejects only where the rules of the header add up to more than
/// everything that could still come for the message can take off; else it accepts, which means: go
/// on.
pub fn end_of_headers(
    generation: &Generation,
    transaction: &Transaction,
    header: &[u8],
    facts: &Facts,
    scratch: &mut Scratch,
    time_left: &dyn Fn() -> TimeLeft,
) -> Result<Verdict, Fault> {
    let policy = &generation.profile(&transaction.listener).policy;
    let expired = || time_left() == TimeLeft::None;
    let message = Message::parse_until(header, generation.limits(), &expired);
    let case = Case {
        stage: Stage::EndOfHeaders,
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
    let evidence: Vec<Evidence> = scan.hits.into_iter().map(Evidence::Rule).collect();
    let score = policy.decide(&evidence).score;
    let rejects = score + generation.lowest_after_headers(policy) >= policy.reject();
    Ok(Verdict {
        disposition: if rejects {
            Disposition::Reject
        } else {
            Disposition::Accept
        },
        score,
        required: policy.required(),
        evidence,
        shadow: scan.shadow,
        anomalies: anomaly_names(&message.anomalies, &scan.anomalies),
        stage: Stage::EndOfHeaders,
        generation: generation.id().clone(),
        rules_only: true,
        header_edits: HeaderEdits::default(),
    })
}
