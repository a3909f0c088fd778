//! Bad rule files and what is said about them: `NAME.cf` with `NAME.stderr` next to it.
//!
//! A name that begins with `good-` must be loaded without a word. Also: the rules that ship load
//! without a diagnostic, and their test lines hold. `BLESS=1` writes the `.stderr` files; read them
//! before you commit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost_rules::{Ruleset, check, run_tests};
use gatepost_words::diagnostic::{Source, render};

/// Fewer shipped rules than this mean that they were not found.
const SHIPPED_LEAST: usize = 60;

/// Runs every case in `folder`, and the shipped rules next to it as one more; all failures are reported
/// at once. Returns how many cases there were.
pub(crate) fn run_all(folder: &Path) -> Result<usize, String> {
    let bless = std::env::var_os("BLESS").is_some();
    let cases = rule_files(folder);
    let mut failures = Vec::new();
    for case in &cases {
        if let Err(failure) = run(case, folder, bless) {
            failures.push(format!("{}: {failure}", case.display()));
        }
    }
    if let Err(failure) = shipped(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")) {
        failures.push(format!("the shipped rules: {failure}"));
    }
    if failures.is_empty() {
        Ok(cases.len() + 1)
    } else {
        Err(failures.join("\n"))
    }
}

/// All `.cf` files below a folder, in the order of their paths.
fn rule_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        let entries = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("a readable directory").path();
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

fn source(path: &Path, root: &Path) -> Result<Arc<Source>, String> {
    let name = path
        .strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string();
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    Ok(Arc::new(Source::from_bytes(name, &bytes)))
}

fn run(case: &Path, root: &Path, bless: bool) -> Result<(), String> {
    let (_, reported) = check(&[source(case, root)?]);
    let said = render(&reported, false);
    let expected = case.with_extension("stderr");
    let is_good = case
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("good-"));
    if is_good != reported.is_empty() {
        return Err(format!("what was said is\n{said}"));
    }
    if is_good {
        return if expected.exists() {
            Err("it has a .stderr, but nothing is said".to_owned())
        } else {
            Ok(())
        };
    }
    if bless {
        return std::fs::write(&expected, said).map_err(|error| error.to_string());
    }
    let wanted =
        std::fs::read_to_string(&expected).map_err(|error| format!("its .stderr: {error}"))?;
    if said == wanted {
        Ok(())
    } else {
        Err(format!("said\n{said}\nexpected\n{wanted}"))
    }
}

fn shipped(root: &Path) -> Result<(), String> {
    let sources = rule_files(root)
        .iter()
        .map(|path| source(path, root))
        .collect::<Result<Vec<_>, _>>()?;
    let (ruleset, diagnostics) = Ruleset::load(&sources);
    let Some(ruleset) = ruleset.filter(|_| diagnostics.is_empty()) else {
        return Err(render(&diagnostics, false));
    };
    if ruleset.rules().len() < SHIPPED_LEAST {
        return Err(format!("only {} were found", ruleset.rules().len()));
    }
    let disabled = ruleset
        .rules()
        .iter()
        .filter_map(|rule| Some(format!("{}: {}", rule.name(), rule.disabled()?)));
    let failed = run_tests(&ruleset).into_iter().filter(|result| !result.ok);
    let failed = failed.map(|result| {
        format!(
            "{} ({:?}): a test line does not hold",
            result.rule, result.position
        )
    });
    let wrong: Vec<_> = disabled.chain(failed).collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}
