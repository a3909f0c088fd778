//! `gatepost learn` where machines and disks do what they should not: a label that was reported as
//! learned is there afterwards, and one that was not is reported too.
#![cfg(test)]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

const GATEPOST: &str = env!("CARGO_BIN_EXE_gatepost");

/// Messages that differ, in a directory of their own.
fn messages(directory: &Path, count: usize) -> PathBuf {
    let messages = directory.join("messages");
    std::fs::create_dir(&messages).expect("a directory");
    for number in 0..count {
        let words: Vec<String> = (0..60)
            .map(|word| ((number * 7919 + word * 104_729) % 9973).to_string())
            .collect();
        let words = words.join(" ");
        let mail = format!(
            "From: anna@example.net\nSubject: number {number}\n\nThe figures of today: {words}\n"
        );
        std::fs::write(messages.join(format!("{number:04}.eml")), mail).expect("a mail");
    }
    messages
}

fn learn(label: &str, state: &Path, messages: &Path) -> Command {
    let mut command = Command::new(GATEPOST);
    command
        .env_clear()
        .args(["learn", label, "--format", "json", "--state"])
        .arg(state)
        .arg(messages);
    command
        .env("GATEPOST__MODEL__ENABLED", "false")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Learns messages as ham, and reads all that is said of it: a pipe that no process empties would stop the
/// command.
fn taught(state: &Path, messages: &Path) {
    let output = learn("ham", state, messages)
        .output()
        .expect("the command runs");
    assert!(output.status.success(), "{}", said(&output));
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    String::from_utf8_lossy(bytes)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect()
}

fn digests(lines: &[Value]) -> BTreeSet<String> {
    lines
        .iter()
        .filter_map(|line| line["digest"].as_str())
        .map(str::to_owned)
        .collect()
}

/// The digests of the active labels.
fn known(state: &Path) -> BTreeSet<String> {
    let output = Command::new(GATEPOST)
        .args(["learn", "list", "--format", "json", "--state"])
        .arg(state)
        .output();
    let output = output.expect("the command runs");
    assert!(output.status.success(), "{}", said(&output));
    let lines = lines(&output.stdout);
    let active: Vec<Value> = lines
        .into_iter()
        .filter(|line| line["active"] == true)
        .collect();
    let digests = digests(&active);
    assert_eq!(
        digests.len(),
        active.len(),
        "a message has two active labels"
    );
    digests
}

fn check(state: &Path) -> (Option<i32>, Value) {
    let mut command = Command::new(GATEPOST);
    command
        .env_clear()
        .env("GATEPOST__LEARNER__PATH", state)
        .env("GATEPOST__RECORDS__PATH", "")
        .env("GATEPOST__SERVER__CONTROL", "")
        .args(["check", "--format", "json"]);
    let output = command.output().expect("the command runs");
    let mut report = lines(&output.stdout).remove(0);
    // The socket of the defaults cannot be had everywhere.
    if let Some(problems) = report["problems"].as_array_mut() {
        problems.retain(|problem| problem["code"] != "C0113");
    }
    (output.status.code(), report)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_second_learner_waits_and_nothing_is_lost() {
    let directory = tempfile::tempdir().expect("a directory");
    let (messages, state) = (
        messages(directory.path(), 90),
        directory.path().join("state"),
    );
    let start = |from: usize| -> Child {
        let mut command = learn(
            if from.is_multiple_of(2) {
                "ham"
            } else {
                "spam"
            },
            &state,
            &messages.join(format!("{from:04}.eml")),
        );
        command
            .args((1..30).map(|step| messages.join(format!("{:04}.eml", from + 3 * step))))
            .spawn()
            .expect("it starts")
    };
    let children: Vec<Child> = (0..3).map(start).collect();
    let mut reported = BTreeSet::new();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", said(&output));
        reported.extend(digests(&lines(&output.stdout)));
    }
    assert_eq!(reported.len(), 90);
    assert_eq!(known(&state), reported);
}

/// One that learns for longer than two seconds lets others in: here between two messages that come
/// through a pipe.
#[test]
fn who_learns_for_long_lets_others_in() {
    let directory = tempfile::tempdir().expect("a directory");
    let (messages, state) = (
        messages(directory.path(), 1),
        directory.path().join("state"),
    );
    let mut long = learn("ham", &state, Path::new("-"))
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut pipe = long.stdin.take().expect("its input");
    let mut send = |number: usize| {
        // The mail before ends where this one begins.
        write!(
            pipe,
            "From a@example.net Mon Jan  5 10:00:00 2026\nSubject: long {number}\n\ntext\n\n"
        )
        .expect("it reads");
        pipe.flush().expect("it reads");
    };
    send(1);
    send(2);
    while !state.join("lock").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut other = learn("spam", &state, &messages).spawn().expect("it starts");
    std::thread::sleep(Duration::from_millis(2_500));
    assert!(
        other.try_wait().expect("our own child").is_none(),
        "it waits"
    );
    send(3);
    // Patient for ten seconds; the long one still holds its pipe open.
    let output = other.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", said(&output));
    drop(pipe);
    assert!(long.wait_with_output().expect("it ends").status.success());
    assert_eq!(known(&state).len(), 4);
}

#[test]
fn what_was_reported_is_there_after_a_kill_at_any_moment() {
    let directory = tempfile::tempdir().expect("a directory");
    let (messages, state) = (
        messages(directory.path(), 300),
        directory.path().join("state"),
    );
    let mut reported = BTreeSet::new();
    for round in 0..6 {
        let mut child = learn(
            if round % 2 == 0 { "ham" } else { "spam" },
            &state,
            &messages,
        )
        .spawn()
        .expect("it starts");
        let mut out = BufReader::new(child.stdout.take().expect("its output")).lines();
        // Ever later: within the first batches, and within the snapshots.
        let received: Vec<Value> = out
            .by_ref()
            .take(1 + round * 50)
            .map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON"))
            .collect();
        child.kill().expect("our own child");
        // What was in the pipe was reported too.
        let rest: Vec<Value> = out
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str(&line).ok())
            .collect();
        child.wait().expect("our own child");
        assert!(!received.is_empty());
        reported.extend(digests(&received));
        reported.extend(digests(&rest));
        let known = known(&state);
        assert!(
            reported.is_subset(&known),
            "round {round}: {} labels are lost",
            reported.difference(&known).count()
        );
        let (exit, report) = check(&state);
        assert!(matches!(exit, Some(0 | 69)), "round {round}: {report}");
        assert_eq!(
            report["problems"],
            Value::Array(Vec::new()),
            "round {round}"
        );
    }
}

/// A limit on the size of files stands for a full disk: the write that reaches it is cut short, the
/// next one fails.
#[test]
fn a_full_disk_is_reported_and_costs_no_label_that_was_reported() {
    let directory = tempfile::tempdir().expect("a directory");
    let (messages, state) = (
        messages(directory.path(), 600),
        directory.path().join("state"),
    );
    let within = |blocks: usize| {
        let mut shell = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let inner = learn("ham", &state, &messages);
        shell
            .arg("-c")
            .arg(script)
            .arg("sh")
            .arg(inner.get_program())
            .args(inner.get_args());
        shell
            .env("GATEPOST__MODEL__ENABLED", "false")
            .output()
            .expect("the command runs")
    };
    // Blocks of 512 bytes: the limit is reached in the first batch, and in later ones.
    for blocks in [1, 64, 130] {
        let output = within(blocks);
        assert!(!output.status.success(), "{blocks} blocks were enough");
        assert!(
            said(&output).contains("File too large"),
            "{blocks}: {}",
            said(&output)
        );
        let reported = digests(&lines(&output.stdout));
        assert!(
            reported.is_subset(&known(&state)),
            "{blocks}: a label that was reported is lost"
        );
    }
    // Room for the log, and none for the snapshot of four megabytes: the labels are safe, and the
    // rest is reported.
    let output = within(4_000);
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        said(&output).contains("the labels are kept, but no snapshot"),
        "{}",
        said(&output)
    );
    assert_eq!(known(&state).len(), 600);
    let names = std::fs::read_dir(&state).expect("the directory");
    let names = names.map(|entry| entry.expect("an entry").file_name());
    let left = names.filter(|name| name.to_string_lossy().contains("weights"));
    assert_eq!(left.count(), 0, "neither a snapshot nor half of one");
    // There is room again.
    let output = learn("ham", &state, &messages)
        .output()
        .expect("the command runs");
    assert_eq!(
        (output.status.success(), said(&output)),
        (true, String::new())
    );
    assert!(state.join("weights").exists());
}

/// As a user who may read what others learned, and not write it.
#[test]
fn a_directory_of_others_is_read_and_not_written() {
    let Ok(true) = Command::new("setpriv")
        .arg("--version")
        .output()
        .map(|output| output.status.success())
    else {
        return println!("skipped: setpriv (util-linux) is not installed");
    };
    let directory = tempfile::tempdir().expect("a directory");
    let (messages, state) = (
        messages(directory.path(), 2),
        directory.path().join("state"),
    );
    taught(&state, &messages);
    for (path, mode) in [
        (directory.path(), 0o755),
        (&state, 0o755),
        (&state.join("labels"), 0o644),
    ] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("its mode");
    }
    let as_stranger = |command: &Command| {
        let mut other = Command::new("setpriv");
        other
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(GATEPOST)
            .args(command.get_args());
        other.output().expect("setpriv runs")
    };
    let output = as_stranger(&learn("spam", &state, &messages));
    if said(&output).contains("setpriv") {
        return println!("skipped: {}", said(&output));
    }
    assert_eq!(output.status.code(), Some(77), "{}", said(&output));
    assert!(
        said(&output).contains("Permission denied"),
        "{}",
        said(&output)
    );
    let mut log = Command::new(GATEPOST);
    log.args(["learn", "list", "--format", "json", "--state"])
        .arg(&state);
    let output = as_stranger(&log);
    assert_eq!(lines(&output.stdout).len(), 2, "{}", said(&output));
}

#[test]
fn check_tells_how_the_learner_is_and_what_is_damaged() {
    let directory = tempfile::tempdir().expect("a directory");
    let (messages, state) = (
        messages(directory.path(), 600),
        directory.path().join("state"),
    );
    let (_, report) = check(&state);
    assert_eq!(
        (&report["learner"]["on"], &report["learner"]["site"]),
        (&Value::Bool(true), &Value::Null)
    );
    taught(&state, &messages);
    let (_, report) = check(&state);
    let (site, weights) = (&report["learner"]["site"], &report["learner"]["weights"]);
    assert_eq!(
        (site["ham"].as_u64(), site["claim"]["missing"].as_u64()),
        (Some(600), Some(2_395)),
        "{report}"
    );
    assert_eq!(
        (weights.as_str(), &report["problems"]),
        (Some("whole"), &Value::Array(Vec::new()))
    );

    let damage = |name: &str| {
        let path = state.join(name);
        let mut bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).expect("it is written");
    };
    let codes = |report: &Value| -> Vec<String> {
        let problems = report["problems"].as_array().cloned().unwrap_or_default();
        problems
            .iter()
            .map(|problem| problem["code"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    damage("weights");
    let (_, report) = check(&state);
    assert_eq!(
        (codes(&report), report["learner"]["weights"].as_str()),
        (vec!["L0103".to_owned()], Some("damaged"))
    );
    assert_eq!(
        report["learner"]["site"]["ham"].as_u64(),
        Some(600),
        "the log still has all"
    );
    damage("labels");
    let (exit, report) = check(&state);
    assert_eq!(codes(&report), ["L0102", "L0103"]);
    assert_eq!(report["learner"]["site"]["ham"].as_u64(), Some(599));
    // The socket of the defaults cannot be had everywhere; where it can, the damage alone is a
    // finding.
    assert!(matches!(exit, Some(1 | 69)), "{exit:?}");
    std::fs::write(state.join("labels"), "something else entirely").expect("a file");
    let (_, report) = check(&state);
    assert_eq!(codes(&report), ["L0101"], "{report}");
}

/// Labels that gatepost 0.1.0 stored stay, and new ones follow them in the same log, which the old
/// program then refuses as a whole.
#[test]
fn a_log_of_the_version_before_is_continued() {
    let directory = tempfile::tempdir().expect("a directory");
    let (messages, state) = (
        messages(directory.path(), 2),
        directory.path().join("state"),
    );
    std::fs::create_dir(&state).expect("a directory");
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/files/labels-0.1.0/labels");
    std::fs::copy(old, state.join("labels")).expect("it is copied");
    let old_labels = known(&state);
    assert_eq!(old_labels.len(), 4);
    let (_, report) = check(&state);
    assert_eq!(report["problems"], Value::Array(Vec::new()));
    let output = learn("phish", &state, &messages).output();
    let output = output.expect("the command runs");
    assert!(output.status.success(), "{}", said(&output));
    let mut expected = old_labels;
    expected.extend(digests(&lines(&output.stdout)));
    assert_eq!(expected.len(), 6);
    assert_eq!(known(&state), expected);
    let (_, report) = check(&state);
    assert_eq!(report["problems"], Value::Array(Vec::new()));
    let site = &report["learner"]["site"];
    assert_eq!(
        (site["ham"].as_u64(), site["spam"].as_u64()),
        (Some(3), Some(3))
    );
    let log = std::fs::read(state.join("labels")).expect("the log");
    assert!(log.starts_with(b"gatepost-lb3"));
}
