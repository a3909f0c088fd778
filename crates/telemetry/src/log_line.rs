//! The log line of one message: queue id first, since that is what mail administrators grep for.

use std::fmt::{self, Write as _};

use gatepost_records::{EvidenceRecord, Judgement, MailRecord, Outcome};
use gatepost_words::Stage;
use gatepost_words::escape::ForLog;
use gatepost_words::verdict::Score;

/// Rules that are named in the line; the record has all.
const HITS_MAX: usize = 50;
/// Characters of one text of a stranger.
const TEXT_MAX: usize = 200;

/// The line, as its `Display`.
#[derive(Clone, Copy, Debug)]
pub struct LogLine<'a>(pub &'a MailRecord);

impl fmt::Display for LogLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.0;
        let queue_id = Word(record.queue_id.as_deref().unwrap_or("-"));
        write!(f, "queue_id={queue_id} verdict={}", record.verdict_name())?;
        match &record.outcome {
            Outcome::Judged(judgement) => {
                let score = Score::from_points(judgement.score);
                let required = Score::from_points(judgement.required);
                write!(f, " score={score}/{required}")?;
                if judgement.decision != record.action {
                    write!(f, " action={}", record.action)?;
                }
            }
            Outcome::Faulted { fault, policy } => {
                write!(f, " fault={fault} action={}", policy.name())?;
            }
        }
        let listener = Word(&record.listener);
        write!(
            f,
            " id={} gen={} listener={listener}",
            record.id, record.generation
        )?;
        let client = &record.client;
        write!(f, " client={}[{}]", Word(&client.host), client.address)?;
        let (from, recipients) = (Word(&record.from), record.recipients_count());
        let size = record.message.size;
        write!(
            f,
            " from={from} rcpts={recipients} size={size} stage={}",
            record.stage
        )?;
        if let Outcome::Judged(judgement) = &record.outcome {
            write_judgement(judgement, record.stage, f)?;
        }
        write!(f, " us={}", record.timings.total.unwrap_or(0))
    }
}

fn write_judgement(judgement: &Judgement, stage: Stage, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(" hits=")?;
    write_names(judgement.hits().map(|hit| hit.rule.as_str()), f)?;
    if !judgement.shadow.is_empty() {
        f.write_str(" shadow=")?;
        write_names(judgement.shadow.iter().map(|hit| hit.rule.as_str()), f)?;
    }
    if let Some(probability) = judgement.probability() {
        write!(f, " model={probability:.3}")?;
    }
    for evidence in &judgement.evidence {
        match evidence {
            EvidenceRecord::Refused { list, entry } => {
                write!(f, " refused={list}:{}", Word(entry))?;
            }
            EvidenceRecord::Deferred { list, entry } => {
                write!(f, " deferred={list}:{}", Word(entry))?;
            }
            EvidenceRecord::LimitExceeded { anomaly } => write!(f, " beyond={anomaly}")?,
            EvidenceRecord::Rule(_) | EvidenceRecord::Classifier { .. } => {}
        }
    }
    if judgement.rules_only && stage == Stage::EndOfMessage {
        f.write_str(" rules_only=yes")?;
    }
    Ok(())
}

/// The first [`HITS_MAX`] names, and how many more there are; `-` for none.
fn write_names<'a>(
    names: impl Iterator<Item = &'a str>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut count = 0;
    for name in names {
        count += 1;
        if count > HITS_MAX {
            continue;
        }
        if count > 1 {
            f.write_char(',')?;
        }
        write!(f, "{}", ForLog::short(name, TEXT_MAX))?;
    }
    match count {
        0 => f.write_char('-'),
        count if count > HITS_MAX => write!(f, ",+{}", count - HITS_MAX),
        _ => Ok(()),
    }
}

/// A value of a `key=value` line: escaped, and in quotes where blanks or an equals sign would make
/// it ambiguous.
struct Word<'a>(&'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = ForLog::short(self.0, TEXT_MAX);
        if self.0.is_empty() || self.0.contains([' ', '=', '"']) {
            write!(f, "\"{escaped}\"")
        } else {
            write!(f, "{escaped}")
        }
    }
}

#[cfg(test)]
mod tests {
    use gatepost_words::verdict::Disposition;

    use super::super::test_records::{faulted, judged};
    use super::*;

    fn judgement(record: &mut MailRecord) -> &mut Judgement {
        let Outcome::Judged(judgement) = &mut record.outcome else {
            panic!("a judged message")
        };
        judgement
    }

    #[test]
    fn a_judged_message() {
        assert_eq!(
            LogLine(&judged()).to_string(),
            "queue_id=4bXyz verdict=quarantine score=8.5/5.0 id=0000000000001 gen=0123456789ab \
             listener=inbound client=mail.example.net[192.0.2.7] from=<a@example.net> rcpts=1 \
             size=9 stage=message hits=A,B model=0.970 us=100"
        );
    }

    #[test]
    fn what_was_done_is_named_where_it_differs_and_so_are_shadow_rules() {
        let mut record = judged();
        record.action = Disposition::Defer;
        let hit = judgement(&mut record).hits().next().unwrap().clone();
        judgement(&mut record).shadow = vec![hit.clone(), hit];
        let line = LogLine(&record).to_string();
        assert!(line.contains(" score=8.5/5.0 action=defer id="), "{line}");
        assert!(line.contains(" hits=A,B shadow=A,A model="), "{line}");
    }

    #[test]
    fn what_decided_in_addition_to_the_score_is_named() {
        let mut record = judged();
        judgement(&mut record).evidence = vec![
            EvidenceRecord::LimitExceeded {
                anomaly: "parts_limit".to_owned(),
            },
            EvidenceRecord::Refused {
                list: "clients".to_owned(),
                entry: "192.0.2.0/24".to_owned(),
            },
        ];
        let line = LogLine(&record).to_string();
        assert!(
            line.contains(" hits=- beyond=parts_limit refused=clients:192.0.2.0/24 us="),
            "{line}"
        );
    }

    #[test]
    fn a_stranger_cannot_forge_a_line_or_a_field() {
        let mut record = faulted();
        record.queue_id = Some("x\nqueue_id=y verdict=accept \"\x1b[2J".to_owned());
        let line = LogLine(&record).to_string();
        assert!(
            line.starts_with(
                "queue_id=\"x\\nqueue_id=y verdict=accept \\\"\\u{1b}[2J\" verdict=fault \
                 fault=overload action=tempfail"
            ),
            "{line}"
        );
        assert!(!line.contains('\n'));
    }

    #[test]
    fn hits_are_bounded_at_n_and_n_plus_one() {
        for (count, rest) in [(HITS_MAX, false), (HITS_MAX + 1, true)] {
            let mut record = judged();
            let hit = judgement(&mut record).evidence[0].clone();
            judgement(&mut record).evidence = vec![hit; count];
            assert_eq!(LogLine(&record).to_string().contains(",+1 "), rest);
        }
    }
}
