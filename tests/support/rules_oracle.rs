//! The matcher against each rule alone, over real mail, where the corpora are there.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use gatepost_mail::Case;
use gatepost_mail::Facts;
use gatepost_mail::{Limits, Message, Transaction};
use gatepost_rules::oracle::Oracle;
use gatepost_rules::{Ruleset, Scanner};
use gatepost_training::{Corpus, Split};
use gatepost_words::Stage;
use gatepost_words::diagnostic::Source;

/// Messages of each corpus.
const MESSAGES: usize = 30;

/// The files of a directory with that suffix, in name order.
fn files(directory: &Path, suffix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == suffix)
    });
    files.sort();
    files
}

/// Our own rules, and SpamAssassin's where they are installed.
fn sets() -> Vec<(&'static str, Ruleset)> {
    let own = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules"), "cf");
    let mut own_below: Vec<PathBuf> = own;
    for directory in [
        "envelope",
        "header",
        "body",
        "html",
        "url",
        "attachment",
        "auth",
        "composite",
    ] {
        own_below.extend(files(
            &Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("rules")
                .join(directory),
            "cf",
        ));
    }
    let mut stock = files(Path::new("/etc/spamassassin"), "pre");
    stock.extend(files(Path::new("/usr/share/spamassassin"), "cf"));
    let mut sets = Vec::new();
    for (name, files) in [("own", own_below), ("stock", stock)] {
        let read = |file: &PathBuf| {
            let bytes =
                fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            Arc::new(Source::from_bytes(file.display().to_string(), &bytes))
        };
        match Ruleset::load(&files.iter().map(read).collect::<Vec<_>>()).0 {
            Some(ruleset) if !files.is_empty() => sets.push((name, ruleset)),
            _ => eprintln!("skipped: the {name} rules are not there"),
        }
    }
    sets
}

#[test]
fn together_the_rules_find_what_each_finds_alone() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    let sets = sets();
    for (corpus, split) in [
        ("spamassassin", Some(Split::Test)),
        ("lists", None),
        ("newsletters", None),
    ] {
        if !directory.join(format!("{corpus}.tar.zst")).exists() {
            eprintln!("skipped: {} has no {corpus}.tar.zst", directory.display());
            continue;
        }
        let corpus = Corpus {
            directory: directory.clone(),
            name: corpus.to_owned(),
            split,
        };
        let messages = corpus
            .messages(MESSAGES)
            .unwrap_or_else(|error| panic!("{error}"));
        for (name, ruleset) in &sets {
            let (mut scanner, mut oracle, mut hits) =
                (Scanner::new(ruleset), Oracle::new(ruleset), 0);
            for raw in &messages {
                let message = Message::parse(raw, &Limits::default());
                let (transaction, facts) = (
                    Transaction::new("test".into(), UNIX_EPOCH),
                    Facts::default(),
                );
                let case = Case {
                    stage: Stage::EndOfMessage,
                    transaction: &transaction,
                    message: &message,
                    facts: &facts,
                };
                match oracle.compare(ruleset, &mut scanner, &case) {
                    Ok(found) => hits += found,
                    Err(why) => panic!("{name} rules, {}: {why}", corpus.name),
                }
            }
            assert!(
                hits > 0,
                "none of the {name} rules hit a mail of {}",
                corpus.name
            );
        }
    }
}
