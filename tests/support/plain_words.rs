//! Plain English: words that read as a private dialect, and what to write instead. The glossary is
//! in `CONTRIBUTING.md`.
//!
//! A word counts wherever it is a word of its own: in comments, texts, and between the underscores
//! of names. Messages (`.eml`, `.mbox`) and dated records are not ours to rewrite; of rule files
//! only the comments are looked at, since patterns quote what strangers write.

use std::path::{Path, PathBuf};

/// Word, and what to write instead.
const DIALECT: &[(&str, &str)] = &[
    ("anew", "again"),
    ("beside", "next to, in addition to, compared with"),
    ("besiege", "evaluate_attacks"),
    ("besieged", "attacked"),
    ("complain", "report"),
    ("complained", "reported"),
    ("complains", "reports"),
    ("complaint", "diagnostic, report"),
    ("complaints", "diagnostics, reports"),
    ("heard", "received, read"),
    ("mails", "messages"),
    ("mend", "fix"),
    ("mended", "fixed"),
    ("mending", "fixing"),
    ("mends", "fixes"),
    ("nobody", "no client, no process, no reader"),
    ("somebody", "a person, another process"),
    ("told", "reported, printed, logged, sent, returned"),
    ("whoever", "a client, a process, a person who"),
];

/// Phrases of more than one word.
const PHRASES: &[(&str, &str)] = &[
    ("becomes of", "the outcome, the result"),
    ("is no such choice", "invalid value: expected one of …"),
    ("has no such choice", "invalid value: expected one of …"),
];

/// Where a word is right: end of the path, and the word.
const RIGHT: &[(&str, &str)] = &[
    // The account of that name, which every Unix system has.
    ("contrib/dovecot/try", "nobody"),
    ("tests/bench/peers/spamd.sh", "nobody"),
    ("tests/support/postfix.rs", "nobody"),
    // A name in a message of a test.
    ("tests/interop/postfix_verdicts.rs", "nobody"),
    // These lists themselves.
    ("tests/support/plain_words.rs", "*"),
    ("CONTRIBUTING.md", "*"),
    // Names and texts that 0.1.0 shipped: still accepted, still recorded.
    ("CHANGELOG.md", "*"),
];

/// Folders and files that are read.
const ROOTS: &[&str] = &[
    ".ci",
    "Cargo.toml",
    "CHANGELOG.md",
    "README.md",
    "contrib",
    "crates",
    "fuzz/fuzz_targets",
    "models/README.md",
    "rules",
    "src",
    "tests",
];

const EXTENSIONS: &[&str] = &[
    "", "cf", "lua", "md", "milter", "pl", "py", "rs", "sh", "stderr", "toml",
];

fn is_ours(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let extension = path
        .extension()
        .map_or("", |extension| extension.to_str().unwrap_or("?"));
    // Transcripts of `tests/cli/files` and views are messages of strangers, made up or not.
    let is_data = [
        "/records/",
        "/files/",
        "/tests/views/",
        "/data/",
        "/target/",
    ];
    EXTENSIONS.contains(&extension) && !is_data.iter().any(|part| text.contains(part))
}

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut waiting: Vec<PathBuf> = ROOTS.iter().map(|name| root.join(name)).collect();
    let mut files = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if is_ours(&path) {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The words of one line: runs of ASCII letters, in lower case.
fn words(line: &str) -> impl Iterator<Item = String> + '_ {
    line.split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
}

fn findings(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let is_right = |word: &str| {
        let here = RIGHT.iter().filter(|(file, _)| name.ends_with(file));
        here.into_iter()
            .any(|(_, right)| *right == "*" || *right == word)
    };
    let is_rules = Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "cf");
    for (number, line) in text.lines().enumerate() {
        let is_pattern = is_rules && !line.trim_start().starts_with('#');
        if is_pattern {
            continue;
        }
        let mut report = |bad: &str, better: &str| {
            if !is_right(bad) {
                found.push(format!("{name}:{}: `{bad}`: write {better}", number + 1));
            }
        };
        for word in words(line) {
            if let Some((bad, better)) = DIALECT.iter().find(|(bad, _)| *bad == word) {
                report(bad, better);
            }
        }
        let lower = line.to_ascii_lowercase();
        for (bad, better) in PHRASES.iter().filter(|(bad, _)| lower.contains(bad)) {
            report(bad, better);
        }
    }
    found
}

#[test]
fn texts_and_names_are_plain_english() {
    let mut found = Vec::new();
    let files = files();
    assert!(files.len() > 500, "only {} files were found", files.len());
    for path in files {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
        found.extend(findings(&name.to_string_lossy(), &text));
    }
    let count = found.len();
    assert!(found.is_empty(), "{count} times:\n{}", found.join("\n"));
}

#[test]
fn nothing_cites_a_document_that_is_not_here() {
    let mut found = Vec::new();
    for path in files() {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let is_this = path.ends_with("tests/support/plain_words.rs");
        let cites = |line: &&str| {
            ["research/", "design §", "design.md", "house.md"]
                .iter()
                .any(|name| line.contains(name))
        };
        for line in text.lines().filter(|_| !is_this).filter(cites) {
            found.push(format!("{}: {line}", path.display()));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_list_finds_words_in_names_and_texts() {
    let found = findings(
        "src/x.rs",
        "let told_twice = 1; // Mails\nretold, emails\nwhat becomes of it",
    );
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(findings("rules/x.cf", "body X /i told you/").is_empty());
    assert_eq!(findings("rules/x.cf", "# told").len(), 1);
    assert!(findings("contrib/dovecot/try", "user=nobody").is_empty());
}
