//! Tests of the table of diagnostics.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{CODES, explain_code};

#[test]
fn codes_are_unique_and_in_order() {
    assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
    for entry in CODES {
        assert!(
            !entry.title.is_empty() && entry.explanation.ends_with('.'),
            "{}",
            entry.code
        );
    }
    assert_eq!(explain_code("r0102").map(|entry| entry.code), Some("R0102"));
    assert_eq!(explain_code("R9999"), None);
}

/// Every string literal in our sources that looks like a code is in the table.
#[test]
fn every_code_used_is_in_the_table() {
    let known: BTreeSet<_> = CODES.iter().map(|entry| entry.code).collect();
    let mut directories = vec![
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../src"),
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".."),
    ];
    let mut seen = 0;
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                seen += 1;
                check_file(&path, &known);
            }
        }
    }
    assert!(seen > 300);
}

#[expect(clippy::disallowed_methods, reason = "a test may read the sources")]
fn check_file(path: &Path, known: &BTreeSet<&str>) {
    let text = std::fs::read_to_string(path).unwrap();
    for literal in text.split('"') {
        let mut characters = literal.chars();
        let is_code = literal.len() == 5
            && characters.next().is_some_and(|c| "RCLM".contains(c))
            && characters.all(|c| c.is_ascii_digit());
        assert!(
            !is_code || literal == "R9999" || known.contains(literal),
            "{}: {literal}",
            path.display()
        );
    }
}
