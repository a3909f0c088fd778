//! The two front-ends, held equal: the same messages through the native one and through libmilter,
//! each in a daemon of its own, must meet the same replies and the same actions. The messages are the
//! golden ones, and real ones where `../shared` is there.
#![cfg(feature = "libmilter")]

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use gatepost_mail::{Limits, Message as Parsed};
use gatepost_training::{Corpus, Split};

use super::daemon::Daemon;
use crate::support::golden;
use crate::support::mta::{Message, MtaConnection, Options};

const POLICY: &str = "[policy.refuse]\nrecipients = [\"refused@example.com\"]\nsenders = [\"refused@example.net\"]\n";
/// Real messages that are compared.
const REAL: usize = 100;

/// One mail as an MTA would send it: header fields (name, value with its leading space, LF and
/// white space between lines), body with CRLF line ends.
struct Mail {
    name: String,
    sender: &'static str,
    recipients: Vec<&'static str>,
    header: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Mail {
    fn read(name: &str, raw: &[u8]) -> Self {
        let parsed = Parsed::parse(raw, &Limits::default());
        // An MTA cuts values at NUL and passes what is left on; longer ones than 60,000 bytes it
        // cuts itself.
        let text = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes)
                .replace(['\0', '\r'], "")
                .chars()
                .take(50_000)
                .collect()
        };
        let header = parsed
            .header
            .iter()
            .map(|field| (text(&field.name), text(&field.raw)))
            .collect();
        let mut body = Vec::new();
        for line in parsed.body().split_inclusive(|byte| *byte == b'\n') {
            let line = line
                .strip_suffix(b"\n")
                .map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
            body.extend_from_slice(line);
            body.extend_from_slice(b"\r\n");
        }
        Self {
            name: name.to_owned(),
            sender: "<anna@example.net>",
            recipients: vec!["<ben@example.com>"],
            header,
            body,
        }
    }
}

fn messages() -> Vec<Mail> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden = golden::messages(&root.join("tests/golden"));
    let mut messages: Vec<Mail> = golden
        .iter()
        .map(|path| {
            Mail::read(
                &path.display().to_string(),
                &std::fs::read(path).expect("a golden mail"),
            )
        })
        .collect();
    assert!(messages.len() >= 60, "the golden messages are gone");
    for (sender, recipients) in [
        ("<refused@example.net>", vec!["<ben@example.com>"]),
        ("<>", vec!["<ben@example.com>", "<refused@example.com>"]),
        ("<anna@example.net>", vec!["<refused@example.com>"]),
    ] {
        let plain = Mail::read(
            "envelope",
            b"From: a@example.net\r\nSubject: hello\r\n\r\nhello\r\n",
        );
        messages.push(Mail {
            sender,
            recipients,
            ..plain
        });
    }
    let corpus = Corpus {
        directory: root.join("../shared/corpora"),
        name: "spamassassin".to_owned(),
        split: Some(Split::Test),
    };
    match corpus.messages(REAL) {
        Ok(real) => messages.extend(real.iter().map(|raw| Mail::read("spamassassin", raw))),
        Err(reason) => println!("without real messages: {reason}"),
    }
    messages
}

/// What a mail met: the reply and the actions, without the id, which is never the same twice.
fn met(connection: &mut MtaConnection<UnixStream>, mail: &Mail) -> String {
    let header: Vec<(&str, &str)> = mail
        .header
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let message = Message {
        sender: mail.sender,
        recipients: &mail.recipients,
        header: &header,
        body: &mail.body,
        queue_id: "4Differential",
    };
    let answer = connection
        .message(&message)
        .unwrap_or_else(|error| panic!("{}: {error}", mail.name));
    without_ids(&format!("{:?} {:?}", answer.reply, answer.actions))
}

fn without_ids(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("id=") {
        out.push_str(before);
        out.push_str("id=*");
        rest = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    }
    out + rest
}

fn open(daemon: &Daemon) -> MtaConnection<UnixStream> {
    let socket = daemon.milter();
    let path = socket
        .trim_start_matches("unix:")
        .trim_start_matches("local:");
    let mut connection = MtaConnection::new(
        UnixStream::connect(path).expect("a listening daemon"),
        Options::postfix(),
    );
    connection
        .set_timeout(Duration::from_mins(1))
        .expect("a time-out");
    connection.negotiate().expect("an answer to the offer");
    connection
        .connect("mail.example.net", "192.0.2.7", 40_000)
        .expect("an answer to CONNECT");
    connection
        .helo("mail.example.net")
        .expect("an answer to HELO");
    connection
}

#[test]
fn native_and_libmilter_front_ends_say_the_same_differential() {
    let native = Daemon::start(POLICY);
    let libmilter = Daemon::start_with("front_end = \"libmilter\"", POLICY);
    let (mut left, mut right) = (open(&native), open(&libmilter));
    let mut differences = Vec::new();
    let mut kinds = std::collections::BTreeSet::new();
    let messages = messages();
    for mail in &messages {
        let (one, other) = (met(&mut left, mail), met(&mut right, mail));
        kinds.insert(one.split_whitespace().next().unwrap_or_default().to_owned());
        if one != other {
            differences.push(format!(
                "{}\n  native    {one}\n  libmilter {other}",
                mail.name
            ));
        }
    }
    assert_eq!((left.unsolicited(), right.unsolicited()), (0, 0));
    assert!(
        differences.is_empty(),
        "{} of {} messages differ\n{}",
        differences.len(),
        messages.len(),
        differences.join("\n")
    );
    assert!(
        kinds.len() >= 2,
        "all messages met the same reply: {kinds:?}"
    );
    println!(
        "{} messages met the same in both front-ends",
        messages.len()
    );
}
