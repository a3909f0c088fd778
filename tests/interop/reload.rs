//! What a reload reports: what it put in force, and what waits for a restart.

use std::process::{Command, Output};

use super::daemon::{Daemon, binary};

fn gatepost(daemon: &Daemon, arguments: &[&str]) -> String {
    let output: Output = Command::new(binary())
        .arg("--config")
        .arg(daemon.path("gatepost.toml"))
        .args(arguments)
        .output()
        .expect("the command runs");
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

/// Replaces text in the configuration of the daemon.
fn configure(daemon: &Daemon, from: &str, to: &str) {
    let path = daemon.path("gatepost.toml");
    let text = std::fs::read_to_string(&path).expect("the configuration");
    assert!(text.contains(from), "{from}");
    std::fs::write(&path, text.replace(from, to)).expect("the configuration");
}

#[test]
fn a_reload_names_what_it_changed_and_what_needs_a_restart() {
    let mut daemon = Daemon::start("[limits]\nparts = 100\nconnections = 50\n");
    let first = gatepost(&daemon, &["reload"]);
    assert!(first.starts_with("generation "), "{first}");
    assert!(
        !first.contains("changed") && !first.contains("restart"),
        "{first}"
    );

    configure(&daemon, "parts = 100", "parts = 2");
    configure(&daemon, "connections = 50", "connections = 60");
    configure(&daemon, "reject = 75.0", "reject = 80.0");
    configure(&daemon, "milter.sock", "other.sock");
    let changed = gatepost(&daemon, &["reload"]);
    let waiting = "needs a restart: limits.connections, listener.inbound.socket";
    assert!(
        changed.contains("; changed: policy.reject, limits.parts; ") && changed.contains(waiting),
        "{changed}"
    );
    assert_ne!(
        first.split(';').next().map(str::trim),
        changed.split(';').next().map(str::trim),
        "other limits make another generation"
    );
    daemon.expect_log(waiting);

    // What is in force is what the daemon says, not what the files say.
    let running = gatepost(&daemon, &["config", "show", "--running"]);
    assert!(running.contains("parts = 2  # "), "{running}");
    assert!(running.contains("connections = 50  # "), "{running}");
    assert!(running.contains("milter.sock"), "{running}");
    assert!(running.contains(&format!("# {waiting}")), "{running}");
    let one = gatepost(
        &daemon,
        &["config", "show", "--running", "limits.connections"],
    );
    assert!(one.contains("which needs a restart"), "{one}");

    // It waits until there is a restart, and no longer.
    let again = gatepost(&daemon, &["reload"]);
    assert!(
        !again.contains("changed") && again.contains(waiting),
        "{again}"
    );
    configure(&daemon, "other.sock", "milter.sock");
    daemon.kill();
    daemon.start_again();
    let last = gatepost(&daemon, &["reload"]);
    assert!(
        !last.contains("changed") && !last.contains("restart"),
        "{last}"
    );
    let running = gatepost(&daemon, &["config", "show", "--running"]);
    assert!(running.contains("connections = 60  # "), "{running}");
}

/// Whether a sender that the listener's policy refuses is refused.
fn is_refused(daemon: &Daemon) -> bool {
    let mut mta = daemon.greet();
    let answer = mta.mail(&["<anna@example.net>"]);
    format!("{:?}", answer.expect("an answer to MAIL")).contains("550")
}

#[test]
fn a_listener_that_left_the_configuration_keeps_its_policy_until_the_restart() {
    let daemon = Daemon::start_with("policy.refuse.senders = [\"anna@example.net\"]\n", "");
    assert!(is_refused(&daemon));
    configure(&daemon, "name = \"inbound\"", "name = \"mx\"");
    let answer = gatepost(&daemon, &["reload"]);
    assert!(answer.contains("needs a restart: listener."), "{answer}");
    assert!(is_refused(&daemon));
    // What it keeps does not change with a second reload.
    gatepost(&daemon, &["reload"]);
    assert!(is_refused(&daemon));
}
