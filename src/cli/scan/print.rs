//! Printing what was judged, for people or as JSON lines.

use serde::Serialize;

use super::command::Report;
use crate::cli::Exit;
use crate::cli::arguments::Format;
use crate::cli::failure::Failure;
use crate::cli::terminal::{Output, eprint_line};
use gatepost_reader::Unread;
use gatepost_words::escape::ForTerminal;
use gatepost_words::verdict::{Disposition, Evidence, Verdict};

/// One line of `--format json`; the order of the fields is part of the form.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    verdict: Option<&'static str>,
    score: Option<f64>,
    required: Option<f64>,
    hits: Vec<HitLine<'a>>,
    model: Option<ModelLine<'a>>,
    anomalies: &'a [&'static str],
    error: Option<String>,
    elapsed_us: u64,
}

#[derive(Serialize)]
struct HitLine<'a> {
    rule: &'a str,
    score: f64,
    description: &'a str,
}

#[derive(Serialize)]
struct ModelLine<'a> {
    id: &'a str,
    probability: f64,
}

/// Prints reports and remembers how bad they were.
pub(super) struct Printer {
    out: Output,
    format: Format,
    exit: Exit,
    counts: Counts,
}

/// How many of each.
#[derive(Default)]
struct Counts {
    messages: usize,
    not_messages: usize,
    passed_over: usize,
}

impl Printer {
    pub(super) fn new(out: Output, format: Format) -> Self {
        Self {
            out,
            format,
            exit: Exit::Done,
            counts: Counts::default(),
        }
    }

    /// Prints one report.
    pub(super) fn print(&mut self, report: &Report) -> Result<(), Failure> {
        let exit = match &report.judged {
            Ok(verdict) if verdict.disposition == Disposition::Accept => Exit::Done,
            Ok(_) => Exit::Finding,
            Err(Unread::PassedOver(why) | Unread::Nothing(why)) => {
                let is_counted = matches!(report.judged, Err(Unread::PassedOver(_)));
                self.counts.passed_over += usize::from(is_counted);
                let name = ForTerminal(&report.name);
                eprint_line(format_args!("gatepost: {name}: {}", ForTerminal(why)));
                return Ok(());
            }
            Err(Unread::NotAMessage(_)) => {
                self.counts.not_messages += 1;
                Exit::BadInput
            }
            Err(Unread::Failed(_)) => Exit::BadInput,
        };
        self.counts.messages += usize::from(report.judged.is_ok());
        self.exit = self.exit.max(exit);
        match self.format {
            Format::Json => {
                let line = serde_json::to_string(&line(report));
                self.out
                    .line(line.map_err(|error| Failure::new(Exit::Bug, error.to_string()))?)
            }
            Format::Text => self.out.text(&text(report)),
        }
    }

    /// The worst of all: unreadable input, a finding, or nothing.
    pub(super) fn finish(self) -> Result<Exit, Failure> {
        self.out.finish()?;
        let Counts {
            messages,
            not_messages,
            passed_over,
        } = self.counts;
        if not_messages + passed_over > 0 {
            eprint_line(format_args!(
                "gatepost: {messages} messages judged; not messages: {not_messages}, passed over: {passed_over}"
            ));
        }
        Ok(self.exit)
    }
}

fn line(report: &Report) -> Line<'_> {
    let verdict = report.judged.as_ref().ok();
    let hits = verdict.into_iter().flat_map(Verdict::hits);
    Line {
        file: &report.name,
        verdict: verdict.map(|verdict| verdict.disposition.name()),
        score: verdict.map(|verdict| verdict.score.points()),
        required: verdict.map(|verdict| verdict.required.points()),
        hits: hits
            .map(|hit| HitLine {
                rule: &hit.rule,
                score: hit.score.points(),
                description: &hit.description,
            })
            .collect(),
        model: verdict
            .and_then(Verdict::classifier)
            .map(|(id, probability)| ModelLine { id, probability }),
        anomalies: verdict.map_or(&[], |verdict| &verdict.anomalies),
        error: report.judged.as_ref().err().map(Unread::to_string),
        elapsed_us: u64::try_from(report.elapsed.as_micros()).unwrap_or(u64::MAX),
    }
}

fn text(report: &Report) -> String {
    let name = ForTerminal(&report.name);
    let verdict = match &report.judged {
        Ok(verdict) => verdict,
        Err(error) => return format!("{name}: error: {}\n", ForTerminal(&error.to_string())),
    };
    let spam = if verdict.disposition == Disposition::Accept && verdict.is_spam() {
        ", marked as spam"
    } else {
        ""
    };
    let mut lines = vec![format!(
        "{name}: {}  {} of {}{spam}",
        verdict.disposition, verdict.score, verdict.required
    )];
    for evidence in &verdict.evidence {
        lines.push(match evidence {
            Evidence::Rule(hit) => {
                let points = hit.score.points();
                format!(
                    "  {points:>+8.3}  {}  {}",
                    ForTerminal(&hit.rule),
                    ForTerminal(&hit.description)
                )
                .trim_end()
                .to_owned()
            }
            Evidence::Classifier {
                model,
                probability,
                score,
            } => {
                format!(
                    "  {:>+8.3}  classifier: probability {probability:.4}, model {}",
                    score.points(),
                    ForTerminal(model)
                )
            }
            Evidence::Refused { list, entry } => {
                format!("  refused by policy.refuse.{list}: {}", ForTerminal(entry))
            }
            Evidence::Deferred { list, entry } => {
                format!("  deferred by policy.defer.{list}: {}", ForTerminal(entry))
            }
            Evidence::LimitExceeded { anomaly } => {
                format!("  beyond the limits of reading: {anomaly}")
            }
        });
    }
    if !verdict.anomalies.is_empty() {
        lines.push(format!("  anomalies: {}", verdict.anomalies.join(", ")));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use gatepost_words::verdict::{GenerationId, HeaderEdits, Hit, Score};

    fn report(judged: Result<Verdict, Unread>) -> Report {
        Report {
            name: "a\u{1b}b".to_owned(),
            judged,
            elapsed: Duration::from_micros(7),
        }
    }

    fn verdict() -> Verdict {
        let hit = Hit {
            rule: "A".into(),
            score: Score::from_points(4.0),
            description: "x\ny".into(),
        };
        let score = Score::from_points(1.5);
        Verdict {
            disposition: Disposition::Accept,
            score: Score::from_points(5.5),
            required: Score::from_points(5.0),
            evidence: vec![
                Evidence::Rule(hit),
                Evidence::Classifier {
                    model: "m".into(),
                    probability: 0.75,
                    score,
                },
            ],
            shadow: Vec::new(),
            anomalies: vec!["bare_lf"],
            stage: gatepost_words::Stage::EndOfMessage,
            generation: GenerationId::new("g"),
            rules_only: false,
            header_edits: HeaderEdits::default(),
        }
    }

    #[test]
    fn the_json_form_is_fixed() {
        assert_eq!(
            serde_json::to_string(&line(&report(Ok(verdict())))).unwrap(),
            "{\"file\":\"a\\u001bb\",\"verdict\":\"accept\",\"score\":5.5,\"required\":5.0,\
             \"hits\":[{\"rule\":\"A\",\"score\":4.0,\"description\":\"x\\ny\"}],\
             \"model\":{\"id\":\"m\",\"probability\":0.75},\"anomalies\":[\"bare_lf\"],\"error\":null,\"elapsed_us\":7}"
        );
        assert_eq!(
            serde_json::to_string(&line(&report(Err(Unread::Failed("no".to_owned()))))).unwrap(),
            "{\"file\":\"a\\u001bb\",\"verdict\":null,\"score\":null,\"required\":null,\"hits\":[],\"model\":null,\
             \"anomalies\":[],\"error\":\"no\",\"elapsed_us\":7}"
        );
    }

    #[test]
    fn the_text_form_shows_nothing_raw() {
        assert_eq!(
            text(&report(Ok(verdict()))),
            "a\u{fffd}b: accept  5.5 of 5.0, marked as spam\n    +4.000  A  x y\n    +1.500  classifier: probability \
             0.7500, model m\n  anomalies: bare_lf\n"
        );
    }
}
