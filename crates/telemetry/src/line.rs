//! The log line of one mail: queue id first, since that is what mail administrators grep for.

use std::fmt;

use super::{Ending, MailRecord};
use gatepost_words::Stage;
use gatepost_words::escape::ForLog;
use gatepost_words::verdict::Evidence;

/// Rules that are named in the line; the record has all.
const HITS_MAX: usize = 50;
/// Characters of one text of a stranger.
const TEXT_MAX: usize = 200;

/// The line, as its `Display`.
#[derive(Clone, Copy, Debug)]
pub struct MailLine<'a>(pub &'a MailRecord<'a>);

impl fmt::Display for MailLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.0;
        let transaction = record.transaction;
        let queue_id = transaction.queue_id.as_deref().unwrap_or("-");
        write!(
            f,
            "queue_id={} verdict={}",
            word(queue_id),
            record.verdict_name()
        )?;
        match &record.ending {
            Ending::Judged(verdict) => write!(f, " score={}/{}", verdict.score, verdict.required)?,
            Ending::Faulted { fault, action, .. } => write!(f, " fault={fault} action={action}")?,
        }
        write!(
            f,
            " id={} gen={} listener={}",
            record.id,
            record.generation(),
            word(&transaction.listener)
        )?;
        let client = &transaction.client;
        write!(f, " client={}[{}]", word(&client.host), client.address)?;
        let from = transaction.envelope.reverse_path.to_string();
        let recipients = transaction.envelope.forward_paths.len();
        write!(
            f,
            " from={} rcpts={recipients} size={} stage={}",
            word(&from),
            record.size,
            record.stage
        )?;
        if let Ending::Judged(verdict) = &record.ending {
            f.write_str(" hits=")?;
            for (number, hit) in verdict.hits().take(HITS_MAX).enumerate() {
                write!(
                    f,
                    "{}{}",
                    if number > 0 { "," } else { "" },
                    ForLog::short(&hit.rule, TEXT_MAX)
                )?;
            }
            match verdict.hits().count() {
                0 => f.write_str("-")?,
                count if count > HITS_MAX => write!(f, ",+{}", count - HITS_MAX)?,
                _ => {}
            }
            if let Some((_, probability)) = verdict.classifier() {
                write!(f, " model={probability:.3}")?;
            }
            for evidence in &verdict.evidence {
                match evidence {
                    Evidence::Refused { list, entry } => {
                        write!(f, " refused={list}:{}", word(entry))?;
                    }
                    Evidence::Deferred { list, entry } => {
                        write!(f, " deferred={list}:{}", word(entry))?;
                    }
                    Evidence::LimitExceeded { anomaly } => write!(f, " beyond={anomaly}")?,
                    Evidence::Rule(_) | Evidence::Classifier { .. } => {}
                }
            }
            if verdict.rules_only && record.stage == Stage::EndOfMessage {
                f.write_str(" rules_only=yes")?;
            }
        }
        write!(f, " us={}", record.elapsed_us())
    }
}

/// A value of a `key=value` line: escaped, and in quotes where blanks or an equals sign would make
/// it ambiguous.
fn word(text: &str) -> Word<'_> {
    Word(text)
}

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
    use std::time::{Duration, SystemTime};

    use super::super::mail::tests::{transaction, verdict};
    use super::*;
    use gatepost_words::verdict::{GenerationId, VerdictId};

    fn line(queue_id: &str, ending: Ending<'_>) -> String {
        let mut transaction = transaction();
        transaction.queue_id = Some(queue_id.to_owned());
        let id = VerdictId::from_number(1);
        let record = MailRecord {
            id: &id,
            time: SystemTime::UNIX_EPOCH,
            transaction: &transaction,
            size: 9,
            elapsed: Duration::from_micros(7),
            stage: Stage::EndOfMessage,
            ending,
        };
        MailLine(&record).to_string()
    }

    #[test]
    fn a_judged_mail() {
        assert_eq!(
            line("4bXyz", Ending::Judged(&verdict())),
            "queue_id=4bXyz verdict=quarantine score=8.5/5.0 id=0000000000001 gen=0123456789ab listener=inbound \
             client=mail.example.net[192.0.2.7] from=<a@example.net> rcpts=1 size=9 stage=message hits=A,B \
             model=0.970 us=7"
        );
    }

    #[test]
    fn what_decided_beside_the_score_is_named() {
        let mut verdict = verdict();
        verdict.evidence = vec![
            Evidence::LimitExceeded {
                anomaly: "parts_limit",
            },
            Evidence::Refused {
                list: "clients",
                entry: "192.0.2.0/24".into(),
            },
        ];
        let line = line("q", Ending::Judged(&verdict));
        assert!(
            line.contains(" hits=- beyond=parts_limit refused=clients:192.0.2.0/24 us="),
            "{line}"
        );
    }

    #[test]
    fn a_stranger_cannot_forge_a_line_or_a_field() {
        let generation = GenerationId::new("g");
        let ending = Ending::Faulted {
            fault: "deadline",
            action: "tempfail",
            generation: &generation,
        };
        let line = line("x\nqueue_id=y verdict=accept \"\x1b[2J", ending);
        assert!(
            line.starts_with(
                "queue_id=\"x\\nqueue_id=y verdict=accept \\\"\\u{1b}[2J\" verdict=fault"
            ),
            "{line}"
        );
        assert!(!line.contains('\n'));
    }

    #[test]
    fn hits_are_bounded_at_n_and_n_plus_one() {
        for (count, rest) in [(HITS_MAX, false), (HITS_MAX + 1, true)] {
            let mut verdict = verdict();
            let hit = verdict.evidence[0].clone();
            verdict.evidence = vec![hit; count];
            assert_eq!(line("q", Ending::Judged(&verdict)).contains(",+1 "), rest);
        }
    }
}
