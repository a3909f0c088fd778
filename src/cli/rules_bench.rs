//! `gatepost rules bench`: what each rule costs, worst first.
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::Exit;
use super::arguments::Format;
use super::failure::Failure;
use super::generation::compile;
use super::scan::read_all;
use super::terminal::{Output, safe, say};
use crate::config::Loaded;
use crate::diagnostic::Source;
use crate::facts::{Case, Facts, Stage};
use crate::mail::{Limits, Message, Transaction};
use crate::rules::{Cost, Costs, Ruleset, Scanner};
use crate::verdict::RuleName;

/// A rule that takes longer for a mail is slow: all shipped rules together take a tenth of it.
const SLOW: Duration = Duration::from_millis(1);
/// How often the sample is scanned to tell slow rules.
const SLOW_ROUNDS: usize = 4;
/// Bytes of mail kept in memory, so that reading it is not measured.
const KEPT: usize = 256 << 20;

/// `rules bench`
#[derive(Debug, Args)]
pub(super) struct BenchArguments {
    /// Files, directories and mailboxes with mail [default: a small sample of our own]
    #[arg(value_name = "MAIL")]
    pub(super) mails: Vec<PathBuf>,
    /// Files and directories with rules instead of the shipped and configured ones; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(super) rules: Vec<PathBuf>,
    /// Rules to print
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(super) top: usize,
    /// How often the mails are scanned. The first time is always left out: caches are cold then
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(super) rounds: u16,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: Format,
}

/// Scans the mails again and again, and prints the table.
pub(super) fn run(loaded: &Loaded, arguments: &BenchArguments, sources: &[Arc<Source>]) -> Result<Exit, Failure> {
    let limits = loaded.config.engine.limits;
    let mails = mails(arguments, limits.message)?;
    let start = Instant::now();
    let (ruleset, _) = compile(sources)?;
    let load = start.elapsed();
    let mut scanner = Scanner::new(&ruleset);
    let (mut cold, mut costs) = (Costs::new(&ruleset), Costs::new(&ruleset));
    let bar = bar(mails.len() * (usize::from(arguments.rounds) + 1));
    for round in 0..=arguments.rounds {
        for raw in &mails {
            let costs = if round == 0 { &mut cold } else { &mut costs };
            measure(costs, &mut scanner, &ruleset, raw, &limits);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let mut out = Output::new();
    match arguments.format {
        Format::Text => text(&mut out, arguments, &ruleset, &costs, load)?,
        Format::Json => json(&mut out, arguments, &ruleset, &costs)?,
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn measure(costs: &mut Costs, scanner: &mut Scanner, ruleset: &Ruleset, raw: &[u8], limits: &Limits) {
    let message = Message::parse(raw, limits);
    let (transaction, facts) = (Transaction::new("bench".into(), UNIX_EPOCH), Facts::default());
    let case = Case { stage: Stage::EndOfMessage, transaction: &transaction, message: &message, facts: &facts };
    let start = Instant::now();
    costs.measure(scanner, ruleset, &case, &|| start.elapsed());
}

/// The rules that take longer than [`SLOW`] for a mail of the sample. The quickest of several rounds counts, so that nothing
/// else that the machine does makes a rule slow.
pub(super) fn slow(ruleset: &Ruleset) -> BTreeMap<RuleName, String> {
    let (mut scanner, mails, limits) = (Scanner::new(ruleset), sample(), Limits::default());
    let mut best: BTreeMap<RuleName, Duration> = BTreeMap::new();
    for _ in 0..SLOW_ROUNDS {
        let mut costs = Costs::new(ruleset);
        for raw in &mails {
            measure(&mut costs, &mut scanner, ruleset, raw, &limits);
        }
        for cost in costs.worst_first(ruleset) {
            let time = best.entry(cost.rule).or_insert(cost.time);
            *time = cost.time.min(*time);
        }
    }
    let count = u32::try_from(mails.len()).unwrap_or(1).max(1);
    best.retain(|_, time| *time / count > SLOW);
    let why = format!("it takes more than {} ms for a mail of our sample", SLOW.as_millis());
    best.into_keys().map(|rule| (rule, why.clone())).collect()
}

/// The mails that were named, as many as fit; else the sample.
fn mails(arguments: &BenchArguments, limit: usize) -> Result<Vec<Vec<u8>>, Failure> {
    if arguments.mails.is_empty() {
        return Ok(sample());
    }
    let (mut mails, mut bytes, mut is_full) = (Vec::new(), 0, false);
    read_all(&arguments.mails, limit, &mut |item| {
        match item.raw {
            Ok(raw) => {
                bytes += raw.len();
                is_full = bytes > KEPT;
                if !is_full {
                    mails.push(raw);
                }
            }
            Err(why) => say(format_args!("gatepost: skipped {}: {}", safe(&item.name), safe(&why))),
        }
        !is_full
    });
    if is_full {
        say(format_args!("gatepost: {} mails are {} MiB; the others are left out", mails.len(), KEPT >> 20));
    }
    if mails.is_empty() {
        return Err(Failure::new(Exit::BadInput, "none of the mails could be read"));
    }
    Ok(mails)
}

/// On a terminal only.
fn bar(length: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("scanning {wide_bar} {pos}/{len}, {per_sec}, {eta} left");
    ProgressBar::new(length as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Microseconds a mail.
fn micros(time: Duration, mails: u64) -> f64 {
    let mails = u32::try_from(mails).unwrap_or(u32::MAX).max(1);
    time.as_secs_f64() * 1e6 / f64::from(mails)
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
    let mails = costs.mails();
    out.line(format_args!(
        "{} rules loaded in {} ms; {} scans: {:.1} us a mail, {:.1} us of it in {} rules that were tried",
        ruleset.rules().len(),
        load.as_millis(),
        mails,
        micros(costs.total(), mails),
        micros(rules, mails),
        all.len()
    ))?;
    out.line(format_args!("{:>10} {:>7} {:>9} {:>7}  {:<10}  RULE", "us/mail", "share", "tried", "hits", "KIND"))?;
    for cost in all.iter().take(arguments.top) {
        let share = 100.0 * cost.time.as_secs_f64() / costs.total().as_secs_f64().max(f64::MIN_POSITIVE);
        out.line(format_args!(
            "{:>10.2} {share:>6.1}% {:>9} {:>7}  {:<10}  {}",
            micros(cost.time, mails),
            cost.tried,
            cost.hits,
            cost.kind.name(),
            safe(&cost.rule)
        ))?;
    }
    Ok(())
}

fn json(out: &mut Output, arguments: &BenchArguments, ruleset: &Ruleset, costs: &Costs) -> Result<(), Failure> {
    let line = |cost: &Cost| {
        json!({
            "rule": &*cost.rule,
            "kind": cost.kind.name(),
            "us_per_mail": micros(cost.time, costs.mails()),
            "tried": cost.tried,
            "hits": cost.hits,
            "mails": costs.mails(),
        })
    };
    costs.worst_first(ruleset).iter().take(arguments.top).try_for_each(|cost| out.line(line(cost)))
}

/// Mails of the common shapes: a letter, a newsletter, a form, a bounce, one without sense.
fn sample() -> Vec<Vec<u8>> {
    let prose = "The meeting on Thursday moves to the small room on the second floor. Please bring the figures of the last \
        quarter, and tell me by Wednesday noon if you cannot come.\n\n";
    let offer = "<p>Dear customer, our spring catalogue is here. <a href=\"https://shop.example.com/spring?id=42&amp;u=7\">\
        See the offers</a> or <a href=\"https://www.example.com/leave\">leave this list</a>.</p>\n";
    let form = "Name: ______ Address: ______ City: ______ Phone: ______ Email: ______\n";
    let noise: String = (0..4_000_u32).map(|n| char::from(b'a' + u8::try_from(n * n % 26).unwrap_or(0))).collect();
    let mail = |kind: &str, subject: &str, body: &str| {
        format!(
            "Received: from mx.example.net (mx.example.net [192.0.2.7]) by mail.example.com; Tue, 6 Jan 2026 10:00:00 +0000\n\
             From: \"A Person\" <person@example.net>\nTo: someone@example.com\nSubject: {subject}\n\
             Date: Tue, 6 Jan 2026 10:00:00 +0000\nMessage-ID: <1@example.net>\nMIME-Version: 1.0\n\
             Content-Type: {kind}; charset=utf-8\n\n{body}"
        )
        .into_bytes()
    };
    vec![
        mail("text/plain", "The meeting moves", &prose.repeat(12)),
        mail("text/html", "Spring catalogue", &format!("<html><body>{}</body></html>", offer.repeat(40))),
        mail("text/plain", "Please fill in", &form.repeat(10)),
        mail("text/plain", "Undelivered mail returned to sender", &prose.repeat(2)),
        mail("text/plain", "xqzt", &noise),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_can_be_measured() {
        let source = Arc::new(Source::new("test.cf".to_owned(), "body A /meeting/\nbody B /\\w\\d\\w/\n".to_owned()));
        let ruleset = Ruleset::load(&[source]).0.unwrap();
        let (mut scanner, mut costs) = (Scanner::new(&ruleset), Costs::new(&ruleset));
        for raw in sample() {
            measure(&mut costs, &mut scanner, &ruleset, &raw, &Limits::default());
        }
        assert_eq!(costs.mails(), 5);
        let hits =
            |name: &str| costs.worst_first(&ruleset).iter().find(|cost| &*cost.rule == name).map(|cost| cost.hits);
        assert_eq!(hits("A"), Some(2));
    }

    /// Every place of a long text is tried, and each try goes on to the limit of steps.
    #[test]
    fn a_slow_rule_is_told() {
        let rules = "body QUICK /meeting/\nbody SLOW /(?:\\w+[ .,]*)+(?!x)(\\w)\\1{6}/\n";
        let ruleset = Ruleset::load(&[Arc::new(Source::new("test.cf".to_owned(), rules.to_owned()))]).0.unwrap();
        assert_eq!(slow(&ruleset).into_keys().map(|rule| rule.to_string()).collect::<Vec<_>>(), ["SLOW"]);
    }
}
