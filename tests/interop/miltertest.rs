//! Runs the Lua scripts next to this file under miltertest (Debian package `miltertest`), an MTA
//! side that is not ours.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::daemon::Daemon;
use super::skip;

fn missing() -> Option<String> {
    let there = Command::new("miltertest")
        .arg("-V")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    (!there).then(|| "miltertest is not installed (apt-get install miltertest)".to_owned())
}

/// Runs every script against that socket (miltertest's own notation) and panics with its output
/// when one fails.
pub fn run_scripts(socket: &str) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
    let mut scripts: Vec<PathBuf> = std::fs::read_dir(&here)
        .unwrap_or_else(|error| panic!("{}: {error}", here.display()))
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "lua"))
        .collect();
    scripts.sort();
    assert!(!scripts.is_empty(), "no scripts in {}", here.display());
    for script in scripts {
        let output = Command::new("miltertest")
            // Verbose: miltertest says nothing about a script's error, but where it was is seen
            // from the last step.
            .arg("-v")
            .arg("-s")
            .arg(&script)
            .arg("-D")
            .arg(format!("socket={socket}"))
            .stdin(Stdio::null())
            .output()
            .expect("miltertest starts");
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.status.success(), "{}:\n{text}", script.display());
        // Every script says so at its end: one that stops half way must not count.
        assert!(
            text.contains("script done"),
            "{} did not come to its end:\n{text}",
            script.display()
        );
    }
}

const REFUSE: &str = "[policy.refuse]\nrecipients = [\"refused@example.com\"]\nsenders = [\"refused@example.net\"]\n";

#[test]
fn the_native_front_end_passes_miltertest() {
    if skip(missing()) {
        return;
    }
    let daemon = Daemon::start(REFUSE);
    run_scripts(&daemon.milter());
}

#[cfg(feature = "libmilter")]
#[test]
fn the_libmilter_front_end_passes_miltertest() {
    if skip(missing()) {
        return;
    }
    let daemon = Daemon::start_with("front_end = \"libmilter\"", REFUSE);
    run_scripts(&daemon.milter());
}
