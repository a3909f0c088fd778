//! Memory: what a burst took goes back to the system, and under a limit of the system messages are
//! deferred before the daemon is ended.

use std::fs;
use std::io::Write as _;
use std::thread;

use super::daemon::Daemon;
use super::postfix::{PATIENCE, wait_until};
use crate::support::mta::Message;

const MIB: usize = 1 << 20;

/// The answer to a message with that body.
fn judged(daemon: &Daemon, body: &[u8]) -> String {
    let mut mta = daemon.greet();
    let message = Message {
        sender: "<anna@example.net>",
        recipients: &["<ben@example.com>"],
        header: &[("From", " anna@example.net"), ("Subject", " minutes")],
        body,
        queue_id: "4Memory",
    };
    format!("{:?}", mta.message(&message).expect("an answer"))
}

/// Bytes of memory that the process holds.
fn resident(daemon: &Daemon) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid()));
    let status = status.expect("a running daemon");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    number
        .and_then(|number| number.parse::<usize>().ok())
        .expect("a number of kB")
        << 10
}

#[test]
fn what_half_packets_took_is_given_back() {
    let daemon = Daemon::start("");
    let before = resident(&daemon);
    let mut hoarders: Vec<_> = (0..200).map(|_| daemon.connect()).collect();
    for hoarder in &mut hoarders {
        let mut packet = u32::try_from(MIB).expect("a length").to_be_bytes().to_vec();
        packet.push(b'B');
        packet.resize(MIB - 100, b'x');
        hoarder
            .stream()
            .write_all(&packet)
            .expect("most of a packet");
    }
    let is_held = || resident(&daemon) > before + 150 * MIB;
    assert!(wait_until(PATIENCE, is_held), "{} bytes", resident(&daemon));
    drop(hoarders);
    let is_given_back = || resident(&daemon) < before + 32 * MIB;
    assert!(
        wait_until(PATIENCE, is_given_back),
        "{} bytes",
        resident(&daemon)
    );
}

#[test]
fn under_a_limit_of_the_system_mail_is_deferred_and_the_daemon_lives() {
    for limit in ["--as", "--data"] {
        let mut daemon = Daemon::start("");
        daemon.terminate();
        daemon.start_again_under(&format!("{limit}={}", 900 * MIB));
        let line = b"the minutes of the meeting are on the shelf in the office\r\n";
        let large = line.repeat(25 * MIB / line.len());
        let answers: Vec<String> = thread::scope(|scope| {
            let judge = || judged(&daemon, &large);
            let threads: Vec<_> = (0..30).map(|_| scope.spawn(judge)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("an answer"))
                .collect()
        });
        let deferred = answers
            .iter()
            .filter(|answer| answer.contains("451"))
            .count();
        assert!(deferred > 0, "{limit}: {answers:?}");
        assert!(daemon.is_running(), "{limit}");
        let answer = judged(&daemon, b"the minutes\r\n");
        assert!(!answer.contains("451"), "{limit}: {answer}");
        daemon.expect_log("WARN memory: ");
    }
}
