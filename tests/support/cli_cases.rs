//! Commands with their output and exit status: `NAME.toml` in `tests/cli`, run against the real
//! binary.
//!
//! ```toml
//! why = "one sentence"
//! args = ["scan", "--no-model", "spam.eml"]   # run in tests/cli/files
//! stdin = "ham.eml"                           # a file there, optional
//! exit = 1
//! stdout = ["spam.eml: reject *"]             # every line, in order; `*` stands for anything, `...` for any lines
//! stderr = []                                 # likewise; where a list is left out nothing is compared
//! env = { NO_COLOR = "1" }                    # optional
//! before = [["learn", "ham", "--state", "SCRATCH", "ham.eml"]] # commands that must succeed first, optional
//! ```
//!
//! `SCRATCH` in arguments and variables is the path of an empty directory of the case's own.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    why: String,
    #[serde(default)]
    before: Vec<Vec<String>>,
    args: Vec<String>,
    stdin: Option<String>,
    exit: i32,
    stdout: Option<Vec<String>>,
    stderr: Option<Vec<String>>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// Runs every case in `folder` against `binary`; all failures are reported together. Returns how many
/// cases there were.
pub fn run_all(folder: &Path, binary: &Path) -> Result<usize, String> {
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut cases: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable directory").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    cases.sort();
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            run(case, &folder.join("files"), binary)
                .err()
                .map(|why| format!("{}: {why}", case.display()))
        })
        .collect();
    if failures.is_empty() {
        Ok(cases.len())
    } else {
        Err(failures.join("\n"))
    }
}

fn run(case: &Path, files: &Path, binary: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(case).map_err(|error| error.to_string())?;
    let case: Case = toml::from_str(&text).map_err(|error| error.to_string())?;
    if case.why.trim().len() < 10 {
        return Err("say why this case exists".to_owned());
    }
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    let scratch = scratch
        .path()
        .to_str()
        .ok_or("a scratch directory that is no UTF-8")?;
    let filled = |args: &[String]| {
        args.iter()
            .map(|arg| arg.replace("SCRATCH", scratch))
            .collect::<Vec<_>>()
    };
    for args in &case.before {
        let before = Command::new(binary)
            .args(filled(args))
            .current_dir(files)
            .env_clear()
            .output();
        let before = before.map_err(|error| error.to_string())?;
        if !before.status.success() {
            return Err(format!(
                "{args:?} failed: {}",
                String::from_utf8_lossy(&before.stderr)
            ));
        }
    }
    let mut child = Command::new(binary)
        .args(filled(&case.args))
        .current_dir(files)
        // Nothing of the machine may show: no variables of ours, no terminal, no journal.
        .env_clear()
        .envs(
            case.env
                .iter()
                .map(|(name, value)| (name, value.replace("SCRATCH", scratch))),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let input = match &case.stdin {
        Some(name) => {
            std::fs::read(files.join(name)).map_err(|error| format!("{name}: {error}"))?
        }
        None => Vec::new(),
    };
    let mut stdin = child.stdin.take().ok_or("no standard input")?;
    // A command that does not read its input closes it: no failure of the case.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    writer
        .join()
        .map_err(|_| "the writer of standard input died".to_owned())?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (said(&output.stdout), said(&output.stderr));
    if output.status.code() != Some(case.exit) {
        return Err(format!(
            "exit status {:?}, expected {}\n{stdout}\n{stderr}",
            output.status.code(),
            case.exit
        ));
    }
    compare("stdout", case.stdout.as_deref(), &stdout)?;
    compare("stderr", case.stderr.as_deref(), &stderr)
}

fn compare(what: &str, expected: Option<&[String]>, said: &str) -> Result<(), String> {
    let lines: Vec<&str> = said.lines().collect();
    match expected {
        Some(patterns) if !all_match(patterns, &lines) => Err(format!(
            "{what} is\n{said}\nexpected\n{}",
            patterns.join("\n")
        )),
        _ => Ok(()),
    }
}

/// Whether the lines are those of the patterns, `...` standing for any lines.
fn all_match(patterns: &[String], lines: &[&str]) -> bool {
    match patterns.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=lines.len()).any(|skip| all_match(rest, &lines[skip..]))
        }
        Some((first, rest)) => {
            lines.first().is_some_and(|line| matches(first, line)) && all_match(rest, &lines[1..])
        }
    }
}

/// Whether a line is as the pattern says, `*` standing for anything.
fn matches(pattern: &str, line: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| matches(after, &rest[at..]))
        }),
    }
}

#[test]
fn patterns_can_fail() {
    for (pattern, line, hit) in [
        ("a*c", "abc", true),
        ("a*c", "ab", false),
        ("a", "ab", false),
        ("*", "", true),
    ] {
        assert_eq!(matches(pattern, line), hit, "{pattern} {line}");
    }
    let patterns = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    assert!(all_match(
        &patterns(&["a", "...", "d"]),
        &["a", "b", "c", "d"]
    ));
    assert!(!all_match(&patterns(&["a", "...", "x"]), &["a", "b"]));
    assert!(!all_match(&patterns(&["a"]), &["a", "b"]));
}
