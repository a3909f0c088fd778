//! Bad rule files and what is said about them: `tests/rules/NAME.cf` beside `NAME.stderr`.
//!
//! Also: the rules that ship load without a complaint, and their test lines hold. With `UPDATE_EXPECT=1` in the environment the `.stderr`
//! files are written anew; read the diff before you keep it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost::diagnostic::{Source, render};
use gatepost::rules::{Ruleset, check, run_tests};

fn rule_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "cf") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn source(path: &Path, root: &Path) -> Arc<Source> {
    let name = path.strip_prefix(root).unwrap().display().to_string();
    Arc::new(Source::from_bytes(name, &std::fs::read(path).unwrap()))
}

#[test]
fn bad_rule_files_are_told_about() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules");
    let files = rule_files(&root);
    assert!(files.len() >= 25, "only {} cases", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let said = render(&check(&[source(&path, &root)]), false);
        let expected = path.with_extension("stderr");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&expected, &said).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        if said != wanted {
            wrong.push(format!("--- {}\n{said}+++ wanted\n{wanted}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn our_own_rules_load_and_hold() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let sources: Vec<_> = rule_files(&root).iter().map(|path| source(path, &root)).collect();
    let (ruleset, diagnostics) = Ruleset::load(&sources);
    assert!(diagnostics.is_empty(), "{}", render(&diagnostics, false));
    let ruleset = ruleset.unwrap();
    assert!(ruleset.rules().len() >= 60);
    assert!(ruleset.rules().iter().all(|rule| rule.disabled().is_none()));
    let failed: Vec<_> = run_tests(&ruleset).into_iter().filter(|result| !result.ok).map(|result| result.rule).collect();
    assert!(failed.is_empty(), "{failed:?}");
}
