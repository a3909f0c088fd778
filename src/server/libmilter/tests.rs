//! The same dialogues through both front-ends: the answers must be equal, byte for byte.

use std::io::{Read, Write};

use crate::server::testing::{Mode, Site, TIMEOUT, greeting, packet};
use crate::server::tests::{CHILD, child};
use crate::server::{FrontEnd, Observation};

/// OPTNEG of an MTA that offers everything but NR_BODY, which libmilter is not asked for.
fn optneg() -> Vec<u8> {
    packet(b'O', &[0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x17, 0xff, 0xff])
}

fn message(sender: &str, recipient: &str, header: &str, body: &[&str], tail: &str) -> Vec<u8> {
    let mut bytes = [
        packet(b'D', b"Mi\x004XyZ\0"),
        packet(b'M', format!("{sender}\0").as_bytes()),
        packet(b'R', format!("{recipient}\0NOTIFY=NEVER\0").as_bytes()),
        packet(b'R', b"<b@example.net>\0"),
        packet(b'T', b""),
        packet(b'L', format!("{header}\0 test\0").as_bytes()),
        packet(b'N', b""),
    ]
    .concat();
    for chunk in body {
        bytes.extend(packet(b'B', chunk.as_bytes()));
    }
    bytes.extend(packet(b'E', tail.as_bytes()));
    bytes
}

/// Answers that come later at an early stage. CONNECT is not among them: it comes once, in the
/// greeting that every dialogue begins with.
fn waits() -> Vec<(&'static str, Vec<u8>)> {
    let plain = "<a@example.com>";
    let ordinary = message(plain, "<c@example.net>", "Subject", &["Hello\r\n"], "");
    vec![
        ("a wait at HELO", packet(b'H', b"later.example.com\0")),
        (
            "a wait at MAIL",
            [packet(b'M', b"<wait@example.com>\0"), ordinary].concat(),
        ),
        (
            "a wait at RCPT",
            message(plain, "<later@example.net>", "Subject", &["x"], ""),
        ),
    ]
}

fn dialogues() -> Vec<(&'static str, Vec<u8>)> {
    let (plain, abort) = ("<a@example.com>", packet(b'A', b""));
    let (end, refused) = (
        packet(b'E', b""),
        message(plain, "<c@example.net>", "Bad", &[], ""),
    );
    let ordinary = message(plain, "<c@example.net>", "Subject", &["Hello\r\n"], "");
    vec![
        ("one mail", ordinary.clone()),
        (
            "several, with the ABORT of Postfix",
            [&*ordinary, &abort, &*ordinary, &abort, &*ordinary].concat(),
        ),
        (
            "every action",
            message(
                "<actions@example.com>",
                "<c@example.net>",
                "Subject",
                &["x"],
                "",
            ),
        ),
        (
            "a refused recipient",
            message(plain, "<refused@example.net>", "Subject", &["x"], ""),
        ),
        (
            "a deferred recipient",
            message(plain, "<deferred@example.net>", "Subject", &["x"], ""),
        ),
        // After a verdict an MTA says nothing more of that message; here the two would differ.
        (
            "a refused header field",
            [refused.strip_suffix(&*end).unwrap(), &abort, &ordinary].concat(),
        ),
        (
            "no body, null sender",
            message("<>", "<c@example.net>", "Subject", &[], ""),
        ),
        (
            "body in BODYEOB",
            message(plain, "<c@example.net>", "Subject", &["x"], "the end"),
        ),
        (
            "skip",
            message(plain, "<c@example.net>", "Subject", &["skip"], ""),
        ),
        (
            "a worker",
            message(
                "<later@example.com>",
                "<c@example.net>",
                "Subject",
                &["x"],
                "",
            ),
        ),
        (
            "ABORT in the middle",
            [packet(b'M', b"<a@example.com>\0"), abort, ordinary].concat(),
        ),
        (
            "HELO twice",
            [
                packet(b'H', b"mail.example.com\0"),
                packet(b'M', b"<a@example.com>\0"),
            ]
            .concat(),
        ),
    ]
}

/// Plays one dialogue through both front-ends.
fn compare(site: &Site, name: &str, bytes: &[u8]) {
    let start = |listener: &str| {
        let mut mta = site.connect(listener);
        mta.send(&optneg());
        assert_eq!(mta.answers(1), "O", "{name}");
        mta.send(&[greeting(), bytes.to_vec()].concat());
        mta
    };
    let (mut library, mut native) = (start("1"), start("0"));
    library.send(&packet(b'Q', b""));
    let mut expected = Vec::new();
    library.stream.read_to_end(&mut expected).unwrap();
    // QUIT takes an open question back, so here it comes after the last answer.
    let mut answers = vec![0; expected.len()];
    native.stream.read_exact(&mut answers).unwrap();
    native.send(&packet(b'Q', b""));
    native.stream.read_to_end(&mut answers).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&answers),
        String::from_utf8_lossy(&expected),
        "{name}"
    );
    assert!(answers.len() >= 15, "{name}");
}

#[test]
fn both_front_ends_answer_alike() {
    let Some(directory) = std::env::var_os(CHILD) else {
        let directory = tempfile::tempdir().unwrap();
        let output = child(
            "libmilter::tests::both_front_ends_answer_alike",
            directory.path(),
        )
        .output()
        .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        return;
    };
    let site = Site::start_in(directory.into(), Mode::Now, |settings| {
        settings.listeners[1].front_end = FrontEnd::Libmilter;
    });
    let jobs = site.service.jobs.clone();
    std::thread::spawn(move || jobs.iter().for_each(crate::server::testing::Job::finish));
    for (name, bytes) in dialogues().into_iter().chain(waits()) {
        compare(&site, name, &bytes);
    }
    // A panic defers on either side, and the daemon lives on.
    let mut mta = site.connect("1");
    mta.send(&[optneg(), packet(b'H', b"panic\0")].concat());
    assert_eq!(mta.answers(2), "Ot");
    // A mail that has begun is finished in a drain, a new one is deferred.
    let (mut begun, mut new) = (site.connect("1"), site.connect("1"));
    for mta in [&mut begun, &mut new] {
        mta.send(&[optneg(), greeting()].concat());
        assert_eq!(mta.answers(3), "Occ");
    }
    begun.send(&packet(b'M', b"<a@example.com>\0"));
    assert_eq!(begun.answers(1), "c");
    assert_eq!(
        site.service
            .count(|seen| *seen == Observation::HandlerPanic),
        1
    );
    site.requests.terminate();
    let mut waited = std::time::Duration::ZERO;
    while site.service.count_events("DRAIN") == 0 {
        assert!(waited < TIMEOUT);
        std::thread::sleep(std::time::Duration::from_millis(2));
        waited += std::time::Duration::from_millis(2);
    }
    new.stream
        .write_all(&packet(b'M', b"<a@example.com>\0"))
        .unwrap();
    assert_eq!(new.answers(1), "t");
    begun.send(&[packet(b'R', b"<b@example.net>\0"), packet(b'E', b"")].concat());
    assert_eq!(begun.answers(3), "chc");
    let path = site.path("1");
    site.join().unwrap();
    assert!(!path.exists());
}
