//! A record as people read it: every text of a stranger through `ForTerminal`.

use std::fmt::{self, Write as _};

use super::terminal::escaped;
use gatepost_records::{EvidenceRecord, HitRecord, Judgement, MailRecord, Outcome};
use gatepost_words::verdict::Score;

/// All of a record, some lines of text.
pub(super) fn record_text(record: &MailRecord) -> String {
    let mut lines = vec![headline(record)];
    if let Outcome::Judged(judgement) = &record.outcome {
        lines.extend(judgement.evidence.iter().map(evidence_line));
        lines.extend(judgement.shadow.iter().map(shadow_line));
        lines.push(format!("  anomalies   {}", joined(&judgement.anomalies)));
    }
    lines.extend(session_lines(record));
    lines.extend(message_lines(record));
    lines.push(format!("  time        {}", times(record)));
    lines.join("\n") + "\n"
}

fn headline(record: &MailRecord) -> String {
    let head = match &record.outcome {
        Outcome::Judged(judgement) => judged(judgement, record),
        Outcome::Faulted { fault, policy } => {
            format!("could not be judged: {fault} ({})", policy.name())
        }
    };
    let (id, generation) = (escaped(&record.id), escaped(&record.generation));
    format!("{head}    id {id}    generation {generation}")
}

/// What was done is named where it is not what was decided.
fn judged(judgement: &Judgement, record: &MailRecord) -> String {
    let Judgement {
        decision,
        score,
        required,
        ..
    } = judgement;
    let (score, required) = (Score::from_points(*score), Score::from_points(*required));
    let done = if *decision == record.action {
        String::new()
    } else {
        format!(" (done: {})", record.action)
    };
    format!("{decision}{done}  {score} of {required}")
}

fn evidence_line(evidence: &EvidenceRecord) -> String {
    match evidence {
        EvidenceRecord::Rule(hit) => hit_line(hit, ""),
        EvidenceRecord::Classifier {
            model,
            site_sequence,
            probability,
            points,
        } => {
            let site = site_sequence.map(|sequence| format!("+{sequence}"));
            format!(
                "  {points:>+7.3}  classifier: probability {probability:.4}, model {}{}",
                escaped(model),
                site.unwrap_or_default()
            )
        }
        EvidenceRecord::LimitExceeded { anomaly } => {
            format!("  beyond the limits of reading: {}", escaped(anomaly))
        }
        EvidenceRecord::Refused { list, entry } => {
            format!(
                "  refused by policy.refuse.{}: {}",
                escaped(list),
                escaped(entry)
            )
        }
        EvidenceRecord::Deferred { list, entry } => {
            format!(
                "  deferred by policy.defer.{}: {}",
                escaped(list),
                escaped(entry)
            )
        }
    }
}

fn shadow_line(hit: &HitRecord) -> String {
    hit_line(hit, "(shadow, not counted) ")
}

fn hit_line(hit: &HitRecord, note: &str) -> String {
    let (rule, description) = (escaped(&hit.rule), escaped(&hit.description));
    let line = format!("  {:>+7.3}  {rule}  {note}{description}", hit.points);
    line.trim_end().to_owned()
}

fn session_lines(record: &MailRecord) -> Vec<String> {
    let client = &record.client;
    let mut client = format!(
        "{}[{}]   helo {}",
        escaped(&client.host),
        escaped(&client.address),
        shown(record.helo.as_deref())
    );
    if let Some(login) = &record.authenticated {
        append(&mut client, format_args!("   login {}", escaped(login)));
    }
    if let Some(tls) = &record.tls {
        append(&mut client, format_args!("   tls {}", escaped(tls)));
    }
    let (queue_id, listener) = (shown(record.queue_id.as_deref()), escaped(&record.listener));
    let (stage, direction) = (record.stage, record.direction);
    let mut lines = vec![
        format!("  queue id    {queue_id}   listener {listener}   stage {stage}   {direction}"),
        format!("  client      {client}"),
        format!("  from        {}", escaped(&record.from)),
        format!("  to          {}", recipients(record)),
    ];
    for fact in &record.facts {
        if let Some(value) = &fact.value {
            let value = escaped(&value.to_string());
            lines.push(format!("  fact        {}: {value}", escaped(&fact.name)));
        }
    }
    lines
}

/// Adds to a text.
fn append(text: &mut String, more: fmt::Arguments<'_>) {
    text.write_fmt(more).unwrap_or_default();
}

fn recipients(record: &MailRecord) -> String {
    let addresses: Vec<&str> = record
        .recipients
        .iter()
        .map(|recipient| recipient.address.as_str())
        .collect();
    let missing = record.recipients_count() - addresses.len() as u64;
    let mut text = joined(&addresses);
    if missing > 0 {
        append(&mut text, format_args!(", and {missing} more"));
    }
    text
}

fn message_lines(record: &MailRecord) -> Vec<String> {
    let message = &record.message;
    let fields = [
        ("subject", &message.subject),
        ("header from", &message.from),
        ("message-id", &message.message_id),
        ("sha256", &message.sha256),
    ];
    let mut lines: Vec<String> = fields
        .into_iter()
        .filter_map(|(name, value)| Some(format!("  {name:<11} {}", escaped(value.as_deref()?))))
        .collect();
    let took = record.timings.total.unwrap_or(0);
    lines.push(format!(
        "  size        {} bytes, judged in {took} us",
        message.size
    ));
    lines
}

fn times(record: &MailRecord) -> String {
    let mut text = record.time.to_string();
    if !record.node.is_empty() {
        append(&mut text, format_args!(" on {}", escaped(&record.node)));
    }
    let timings = &record.timings;
    for (act, took) in [
        ("plan", timings.plan),
        ("gather", timings.gather),
        ("judge", timings.judge),
        ("commit", timings.commit),
        ("reply", timings.reply),
    ] {
        if let Some(took) = took {
            append(&mut text, format_args!("   {act} {took} us"));
        }
    }
    text
}

fn joined(texts: &[impl AsRef<str>]) -> String {
    if texts.is_empty() {
        return "none".to_owned();
    }
    let texts: Vec<String> = texts.iter().map(|text| escaped(text.as_ref())).collect();
    texts.join(", ")
}

fn shown(text: Option<&str>) -> String {
    text.map_or_else(|| "-".to_owned(), escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_shown_without_control_characters() {
        let record = MailRecord::from_line(
            br#"{"version":1,"id":"0123456789abc","time":5,"queue_id":null,"listener":"l",
            "stage":"message","verdict":"reject","score":15.5,"required":5.0,"generation":"g",
            "client":{"host":"h","address":"192.0.2.1"},"helo":null,"authenticated":null,
            "hits":[{"rule":"A","score":15.5,"description":"x\u001b[2J"}],"size":1,"elapsed_us":2,
            "from":"<a@example.net>\n","recipients":["b@example.com"],"recipients_count":3,
            "anomalies":[]}"#,
        );
        let text = record_text(&record.unwrap());
        assert!(
            text.starts_with("reject  15.5 of 5.0    id 0123456789abc    generation g\n"),
            "{text}"
        );
        assert!(text.contains("+15.500  A  x"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(text.contains("from        <a@example.net> \n"), "{text}");
        assert!(text.contains("b@example.com, and 2 more\n"), "{text}");
    }
}
