//! Files and their owners: what a command of root leaves, and what `check` finds for the daemon's
//! user.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Output};

use super::daemon::binary;

/// A user and group without rights.
const OTHER: u32 = 65_534;

fn gatepost(state: &Path, arguments: &[&str]) -> Output {
    let path = |name: &str| state.join(name).display().to_string();
    Command::new(binary())
        .args(arguments)
        .env("GATEPOST__LEARNER__PATH", path("learner"))
        .env("GATEPOST__RECORDS__PATH", path("records.jsonl"))
        .env("GATEPOST__SERVER__CONTROL", path("control.sock"))
        .output()
        .expect("the command runs")
}

/// A directory that the other user owns; `None` where we are not root.
fn state() -> Option<tempfile::TempDir> {
    let directory = tempfile::tempdir().expect("a directory");
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(directory.path(), open).expect("its mode");
    let is_root = chown(directory.path(), Some(OTHER), Some(OTHER)).is_ok();
    let reason = "only root can give files away".to_owned();
    if super::skip((!is_root).then_some(reason)) {
        return None;
    }
    Some(directory)
}

#[test]
fn what_root_learns_belongs_to_the_owner_of_the_state_directory() {
    let Some(directory) = state() else { return };
    let ham = crate::folder("cli").join("files/ham.eml");
    let ham = ham.display().to_string();
    let output = gatepost(directory.path(), &["learn", "ham", &ham]);
    assert!(output.status.success(), "{output:?}");
    let line = String::from_utf8_lossy(&output.stdout).into_owned();
    let first = line.lines().next().expect("a line for the message");
    let digest = first.split_whitespace().last().expect("a digest");
    for arguments in [&["learn", "undo", digest], &["learn", "ham", &*ham]] {
        let output = gatepost(directory.path(), arguments);
        assert!(output.status.success(), "{output:?}");
    }
    let learner = directory.path().join("learner");
    let mut found = 0;
    for entry in std::fs::read_dir(&learner).expect("the directory") {
        let path = entry.expect("an entry").path();
        let owner = std::fs::metadata(&path).expect("its owner").uid();
        assert_eq!(owner, OTHER, "{}", path.display());
        found += 1;
    }
    assert!(found >= 2);
    assert_eq!(std::fs::metadata(&learner).expect("it").uid(), OTHER);
}

#[test]
fn a_check_has_the_rights_of_the_daemon() {
    let Some(directory) = state() else { return };
    let weights = directory.path().join("learner/weights");
    std::fs::create_dir(directory.path().join("learner")).expect("a directory");
    std::fs::write(&weights, "x").expect("a file");
    let closed = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&weights, closed).expect("its mode");
    let output = gatepost(
        directory.path(),
        &["check", "--as", "65534", "--format", "json"],
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let expected = format!("{} belongs to root:root with mode 0600", weights.display());
    assert!(text.contains(&expected), "{text}");
    assert!(!text.contains("records.path"), "{text}");

    chown(directory.path(), Some(0), Some(0)).expect("root");
    let output = gatepost(
        directory.path(),
        &["check", "--as", "65534", "--format", "json"],
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for expected in ["records.path", "server.control", "may not make files in it"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert_eq!(output.status.code(), Some(69), "{text}");
}

#[test]
fn a_record_file_that_is_none_is_found() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join("records.jsonl")).expect("a directory");
    let output = gatepost(directory.path(), &["check", "--format", "json"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let expected = "records.jsonl is not a regular file";
    assert!(text.contains(expected) && text.contains("C0114"), "{text}");
    assert_ne!(output.status.code(), Some(0), "{text}");
}
