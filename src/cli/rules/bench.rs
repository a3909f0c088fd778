//! `gatepost rules bench`: what each rule costs, worst first.
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::arguments::BenchArguments;
use crate::cli::Exit;
use crate::cli::arguments::Format;
use crate::cli::failure::Failure;
use crate::cli::progress::Progress;
use crate::cli::terminal::{Output, eprint_line, escaped};
use crate::config::Loaded;
use crate::daemon::compile;
use gatepost_mail::{Limits, Specimen};
use gatepost_reader::read_all;
use gatepost_rules::{Cost, Costs, Ruleset, Scanner, sample_messages};
use gatepost_words::diagnostic::Source;

/// Bytes of mail kept in memory, so that reading it is not measured.
const KEPT: usize = 256 << 20;

/// Scans the messages again and again, and prints the table.
pub(super) fn bench(
    loaded: &Loaded,
    arguments: &BenchArguments,
    sources: &[Arc<Source>],
) -> Result<Exit, Failure> {
    let limits = loaded.config.limits;
    let messages = messages(arguments, limits.message)?;
    let start = Instant::now();
    let (ruleset, _) = compile(sources)?;
    let load = start.elapsed();
    let mut scanner = Scanner::new(&ruleset);
    let (mut cold, mut costs) = (Costs::new(&ruleset), Costs::new(&ruleset));
    let bar = Progress::new();
    bar.doing("scanning");
    bar.more(messages.len() * (usize::from(arguments.rounds) + 1));
    for round in 0..=arguments.rounds {
        for raw in &messages {
            let costs = if round == 0 { &mut cold } else { &mut costs };
            measure(costs, &mut scanner, &ruleset, raw, &limits);
            bar.one();
        }
    }
    bar.finish();
    let mut out = Output::new();
    match arguments.format {
        Format::Text => text(&mut out, arguments, &ruleset, &costs, load)?,
        Format::Json => json(&mut out, arguments, &ruleset, &costs)?,
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn measure(
    costs: &mut Costs,
    scanner: &mut Scanner,
    ruleset: &Ruleset,
    raw: &[u8],
    limits: &Limits,
) {
    let specimen = Specimen::stored(raw);
    let message = specimen.message(limits);
    let start = Instant::now();
    costs.measure(scanner, ruleset, &specimen.case(&message), &|| {
        start.elapsed()
    });
}

/// The messages that were named, as many as fit; else the sample.
fn messages(arguments: &BenchArguments, limit: usize) -> Result<Vec<Vec<u8>>, Failure> {
    if arguments.messages.is_empty() {
        return Ok(sample_messages());
    }
    let (mut messages, mut bytes, mut is_full) = (Vec::new(), 0, false);
    read_all(&arguments.messages, limit, &mut |item| {
        match item.raw {
            Ok(raw) => {
                bytes += raw.len();
                is_full = bytes > KEPT;
                if !is_full {
                    messages.push(raw);
                }
            }
            Err(why) => eprint_line(format_args!(
                "gatepost: skipped {}: {}",
                escaped(&item.name),
                escaped(&why.to_string())
            )),
        }
        !is_full
    });
    if is_full {
        eprint_line(format_args!(
            "gatepost: {} messages are {} MiB; the others are left out",
            messages.len(),
            KEPT >> 20
        ));
    }
    if messages.is_empty() {
        return Err(Failure::new(
            Exit::BadInput,
            "none of the messages could be read",
        ));
    }
    Ok(messages)
}

/// Microseconds a mail.
fn micros(time: Duration, messages: u64) -> f64 {
    let messages = u32::try_from(messages).unwrap_or(u32::MAX).max(1);
    time.as_secs_f64() * 1e6 / f64::from(messages)
}

fn text(
    out: &mut Output,
    arguments: &BenchArguments,
    ruleset: &Ruleset,
    costs: &Costs,
    load: Duration,
) -> Result<(), Failure> {
    let all = costs.worst_first(ruleset);
    let rules: Duration = all.iter().map(|cost| cost.time).sum();
    let messages = costs.messages();
    out.line(format_args!(
        "{} rules loaded in {} ms; {} scans: {:.1} us a mail, {:.1} us of it in {} rules that were tried",
        ruleset.rules().len(),
        load.as_millis(),
        messages,
        micros(costs.total(), messages),
        micros(rules, messages),
        all.len()
    ))?;
    out.line(format_args!(
        "{:>10} {:>7} {:>9} {:>9} {:>7}  {:<10}  RULE",
        "us/mail", "share", "steps", "tried", "hits", "KIND"
    ))?;
    for cost in all.iter().take(arguments.top) {
        let share =
            100.0 * cost.time.as_secs_f64() / costs.total().as_secs_f64().max(f64::MIN_POSITIVE);
        out.line(format_args!(
            "{:>10.2} {share:>6.1}% {:>9} {:>9} {:>7}  {:<10}  {}",
            micros(cost.time, messages),
            cost.steps / messages.max(1),
            cost.tried,
            cost.hits,
            cost.kind.name(),
            escaped(&cost.rule)
        ))?;
    }
    Ok(())
}

fn json(
    out: &mut Output,
    arguments: &BenchArguments,
    ruleset: &Ruleset,
    costs: &Costs,
) -> Result<(), Failure> {
    let line = |cost: &Cost| {
        json!({
            "rule": &*cost.rule,
            "kind": cost.kind.name(),
            "us_per_mail": micros(cost.time, costs.messages()),
            "steps_per_mail": cost.steps / costs.messages().max(1),
            "tried": cost.tried,
            "hits": cost.hits,
            "messages": costs.messages(),
        })
    };
    costs
        .worst_first(ruleset)
        .iter()
        .take(arguments.top)
        .try_for_each(|cost| out.line(line(cost)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_can_be_measured() {
        let source = Arc::new(Source::new(
            "test.cf".to_owned(),
            "body A /meeting/\nbody B /\\w\\d\\w/\n".to_owned(),
        ));
        let ruleset = Ruleset::load(&[source]).0.unwrap();
        let (mut scanner, mut costs) = (Scanner::new(&ruleset), Costs::new(&ruleset));
        for raw in sample_messages() {
            measure(&mut costs, &mut scanner, &ruleset, &raw, &Limits::default());
        }
        assert_eq!(costs.messages(), 5);
        let hits = |name: &str| {
            costs
                .worst_first(&ruleset)
                .iter()
                .find(|cost| &*cost.rule == name)
                .map(|cost| cost.hits)
        };
        assert_eq!(hits("A"), Some(2));
    }
}
