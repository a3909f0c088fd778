//! What rules cost: growth with their number, and a stock set over real mail. CPU time of one
//! thread, without sockets.
//!
//! ```text
//! cargo bench --bench rules                          growth over synthetic rules; SpamAssassin's stock set where it is installed
//! cargo bench --bench rules -- --rules DIR --rules DIR --list FILE     one line for that set over the messages named in FILE
//! ```
//! Messages: 500 of ../shared/corpora (spamassassin, `split=test`), or those of `--list`; what is
//! absent is skipped with a reason. Prints tables; `tests/bench/records/` keeps dated results.
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads files and the clock"
)]
#![expect(clippy::print_stdout, reason = "its output is the table")]
#![expect(clippy::expect_used, reason = "a benchmark that cannot run has failed")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use std::{env, fs};

use gatepost_mail::Case;
use gatepost_mail::Facts;
use gatepost_mail::{Limits, Message, Transaction};
use gatepost_rules::{Ruleset, Scanner};
use gatepost_training::{Corpus, Split};
use gatepost_words::Stage;
use gatepost_words::diagnostic::Source;

/// Where Debian puts the stock rules.
const STOCK: &str = "/usr/share/spamassassin";
/// Rules of the synthetic sets.
const SIZES: [usize; 3] = [100, 1_000, 10_000];

fn main() {
    let (mut rules, mut list) = (Vec::new(), None);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rules" => rules.extend(arguments.next().map(PathBuf::from)),
            "--list" => list = arguments.next(),
            _ => {}
        }
    }
    let messages = match list.map_or_else(|| corpus(500), |list| listed(&list)) {
        Ok(messages) => messages,
        Err(reason) => return println!("skipped: {reason}"),
    };
    println!(
        "{:<24} {:>8} {:>10} {:>12} {:>12} {:>10} {:>9}",
        "", "rules", "load ms", "cold us", "warm us", "hits/mail", "RSS MiB"
    );
    if rules.is_empty() {
        growth(&messages);
    }
    let stock = if rules.is_empty() {
        vec![PathBuf::from(STOCK)]
    } else {
        rules
    };
    match directories(&stock) {
        Ok(sources) => drop(measure("stock", &sources, &messages)),
        Err(reason) => println!("stock: skipped: {reason}"),
    }
}

fn growth(messages: &[Vec<u8>]) {
    let costs: Vec<f64> = SIZES
        .iter()
        .map(|size| {
            let source = Source::new("synthetic.cf".to_owned(), synthetic(*size));
            measure("synthetic", &[Arc::new(source)], messages)
        })
        .collect();
    if let (Some(first), Some(last)) = (costs.first(), costs.last()) {
        println!("growth from first to last: {:.2}x", last / first);
    }
}

/// Microseconds of CPU a mail with warm caches: parsing, views, rules, metas.
fn measure(name: &str, sources: &[Arc<Source>], messages: &[Vec<u8>]) -> f64 {
    let start = cpu_us();
    let ruleset = Ruleset::load(sources).0.expect("the rules load");
    let load = cpu_us() - start;
    let mut scanner = Scanner::new(&ruleset);
    let mut hits = 0;
    let mut round = || {
        let start = cpu_us();
        hits = messages
            .iter()
            .map(|raw| scan(&mut scanner, &ruleset, raw))
            .sum();
        (cpu_us() - start) / count(messages.len())
    };
    let cold = round();
    let warm = (0..3).map(|_| round()).fold(f64::INFINITY, f64::min);
    println!(
        "{name:<24} {:>8} {:>10.0} {cold:>12.1} {warm:>12.1} {:>10.1} {:>9.0}",
        ruleset.rules().len(),
        load / 1e3,
        count(hits) / count(messages.len()),
        resident_mib()
    );
    warm
}

fn scan(scanner: &mut Scanner, ruleset: &Ruleset, raw: &[u8]) -> usize {
    let message = Message::parse(raw, &Limits::default());
    let (transaction, facts) = (
        Transaction::new("bench".into(), SystemTime::UNIX_EPOCH),
        Facts::default(),
    );
    let case = Case {
        stage: Stage::EndOfMessage,
        transaction: &transaction,
        message: &message,
        facts: &facts,
    };
    scanner.scan(ruleset, &case, &|| false).hits.len()
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number.max(1)).unwrap_or(u32::MAX))
}

/// CPU time of this thread.
fn cpu_us() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat")
        .expect("Linux tells the time of a thread");
    text.split_whitespace()
        .next()
        .and_then(|nanos| nanos.parse::<f64>().ok())
        .expect("nanoseconds")
        / 1e3
}

fn resident_mib() -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|number| number.parse::<f64>().ok())
        .unwrap_or(0.0)
        / 1024.0
}

fn corpus(messages: usize) -> Result<Vec<Vec<u8>>, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    if !directory.join("spamassassin.tar.zst").exists() {
        return Err(format!(
            "{} has no spamassassin.tar.zst",
            directory.display()
        ));
    }
    let corpus = Corpus {
        directory,
        name: "spamassassin".to_owned(),
        split: Some(Split::Test),
    };
    corpus.messages(messages).map_err(|error| error.to_string())
}

fn listed(list: &str) -> Result<Vec<Vec<u8>>, String> {
    let names = fs::read_to_string(list).map_err(|error| format!("{list}: {error}"))?;
    names
        .lines()
        .map(|name| fs::read(name).map_err(|error| format!("{name}: {error}")))
        .collect()
}

/// The files of directories as SpamAssassin reads them: `*.pre`, then `*.cf`, in name order.
fn directories(paths: &[PathBuf]) -> Result<Vec<Arc<Source>>, String> {
    let mut files = Vec::new();
    for suffix in ["pre", "cf"] {
        for path in paths {
            let entries =
                fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let mut found: Vec<PathBuf> = entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .collect();
            found.retain(|file| {
                file.extension()
                    .is_some_and(|extension| extension == suffix)
            });
            found.sort();
            files.extend(found);
        }
    }
    let read = |file: &PathBuf| {
        let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(Arc::new(Source::from_bytes(
            file.display().to_string(),
            &bytes,
        )))
    };
    files.iter().map(read).collect()
}

/// So many rules of mixed kinds, the same ones every time: in each hundred 36 of words in the body,
/// 8 with gaps, 6 with alternatives, 5 with look-around or back-references, 1 without any literal,
/// 18 on header fields, 8 rawbody, 8 uri, 1 full, 1 mimeheader, 8 metas.
fn synthetic(size: usize) -> String {
    let mut random = Random(2_026);
    let mut text = String::new();
    for number in 0..size {
        let (one, two) = (random.word(), random.word());
        let name = format!("S{number}");
        let line = match number % 100 {
            0..36 => format!("body {name} /\\b{one}\\b/i"),
            36..44 => format!("body {name} /{one}.{{1,30}}{two}/i"),
            44..50 => format!("body {name} /(?:{one}|{two}|{})s?\\b/i", random.word()),
            50..53 => format!("body {name} /(?<!un){one}(?!ly)/i"),
            53 => format!("body {name} /\\b(\\w{{4,12}}) {one} \\1\\b/i"),
            54 => format!("body {name} /(?=.{{0,40}}{one})[a-z]+ {two}/i"),
            55 => format!("body {name} /\\b[A-Z]{{3}}[~^|]\\d{{{}}}/", 2 + number % 5),
            56..68 => format!("header {name} Subject =~ /{one}/i"),
            68..71 => format!("header {name} From:name =~ /\\b{one}\\b/i"),
            71..74 => format!("header {name} Received =~ /{one}\\.example/"),
            74..82 => format!("rawbody {name} /<[^>]{{0,60}}{one}/i"),
            82..90 => format!("uri {name} m{{^https?://[^/]*{one}}}i"),
            90 => format!("full {name} /^X-{one}:/m"),
            91 => format!("mimeheader {name} Content-Type =~ /{one}/i"),
            _ => format!(
                "meta {name} S{} && !S{} || (S{} + S{} > 1)",
                number / 2,
                number / 3,
                number / 5,
                number / 7
            ),
        };
        writeln!(text, "{line}\nscore {name} 0.1").expect("memory");
    }
    text
}

/// Numbers that are the same in every run (an LCG; Knuth's constants).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// Something like a word.
    fn word(&mut self) -> String {
        let mut word = String::new();
        for _ in 0..2 + self.below(3) {
            let pick = |random: &mut Self, letters: &str| {
                let at = random.below(letters.len() as u64);
                letters
                    .chars()
                    .nth(usize::try_from(at).unwrap_or(0))
                    .unwrap_or('a')
            };
            let (consonant, vowel) = (pick(self, "bcdfghjklmnpqrstvwxz"), pick(self, "aeiouy"));
            word.push(consonant);
            word.push(vowel);
            if self.below(3) == 0 {
                word.push(pick(self, "lmnrstxk"));
            }
        }
        word
    }
}
