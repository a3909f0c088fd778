//! The MTA's side against our own protocol.

use std::os::unix::net::UnixStream;
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use gatepost_milter::{Action, Event, MilterHandler, Protocol, Reply, Response};

use super::*;

/// Refuses what says so, adds a field to the rest.
struct Plain;

impl MilterHandler for Plain {
    fn on_event(&mut self, event: Event<'_>) -> Response {
        let says = |bytes: &[u8], word: &str| String::from_utf8_lossy(bytes).contains(word);
        let reply = match event {
            Event::RcptTo { path, .. } if says(path, "refused") => Reply::Reject,
            Event::Header { value, .. } if says(value, "spam") => Reply::Code {
                code: 550,
                enhanced: "5.7.1".to_owned(),
                lines: vec!["100% spam".to_owned(), "go away".to_owned()],
            },
            Event::Body { chunk } if says(chunk, "enough") => Reply::Skip,
            Event::EndOfMessage { .. } => {
                let action = |name: &str| Action::AddHeader {
                    name: name.to_owned(),
                    value: "yes".to_owned(),
                };
                return Response {
                    actions: vec![action("X-One"), action("X-Two")],
                    reply: Reply::Continue,
                };
            }
            _ => Reply::Continue,
        };
        reply.into()
    }
}

/// Serves one connection in a thread; `extra` is sent behind each answer.
fn serve(options: Options, extra: &'static [u8]) -> (MtaConnection<UnixStream>, JoinHandle<()>) {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let server = spawn(move || {
        let mut protocol = Protocol::new();
        let mut buffer = [0; 1000];
        while !protocol.is_closed() {
            let mut out = Vec::new();
            match theirs.read(&mut buffer) {
                Ok(size) if size > 0 => protocol.receive(&buffer[..size]),
                _ => protocol.hang_up(),
            }
            protocol.serve(&mut Plain, &mut out).unwrap();
            if !out.is_empty() {
                out.extend_from_slice(extra);
            }
            if theirs.write_all(&out).is_err() {
                protocol.hang_up();
            }
        }
    });
    let connection = MtaConnection::new(ours, options);
    connection.set_timeout(Duration::from_secs(20)).unwrap();
    (connection, server)
}

fn course(options: &Options) {
    let (mut mta, server) = serve(options.clone(), b"");
    assert_eq!(mta.negotiate().unwrap().version, options.version);
    assert_eq!(mta.granted().symbols.is_empty(), options.version < 6);
    mta.macros(&[("j", "mx.example.org")])
        .connect("client.example.com", "2001:db8::9", 40000)
        .unwrap();
    mta.helo("client.example.com").unwrap();
    let header = [("Subject", " hello"), ("To", " bob@example.net")];
    let mut message = Message {
        sender: "<alice@example.com>",
        recipients: &["<bob@example.net>", "<refused@example.net>"],
        header: &header,
        body: &b"Hello.\r\n".repeat(20_000),
        queue_id: "4Test",
    };
    let value = if mta.granted().protocol & 0x10_0000 == 0 {
        "yes"
    } else {
        " yes"
    };
    for _ in 0..3 {
        let answer = mta.message(&message).unwrap();
        assert_eq!(answer.reply, ReplySeen::Continue);
        let names =
            ["X-One", "X-Two"].map(|name| ActionSeen::AddHeader(name.to_owned(), value.to_owned()));
        assert_eq!(answer.actions, names);
    }
    message.recipients = &["<refused@example.net>"];
    assert_eq!(mta.message(&message).unwrap().reply, ReplySeen::Reject);
    message.recipients = &["<bob@example.net>"];
    message.header = &[("Subject", " spam"), ("To", " bob@example.net")];
    let said = "550-5.7.1 100% spam\r\n550 5.7.1 go away".to_owned();
    assert_eq!(mta.message(&message).unwrap().reply, ReplySeen::Code(said));
    message.header = &header;
    message.body = b"enough";
    assert_eq!(mta.message(&message).unwrap().reply, ReplySeen::Continue);
    mta.quit_new_connection().unwrap();
    mta.connect("localhost", "", 0).unwrap();
    mta.mail(&["<>", "SIZE=10"]).unwrap();
    mta.raw(b"\0\0\0\x01A").unwrap();
    assert_eq!(
        mta.drain(Duration::from_millis(20), Duration::from_secs(20))
            .unwrap(),
        0
    );
    mta.quit().unwrap();
    assert_eq!(mta.closed().unwrap(), 0);
    assert_eq!(mta.unsolicited(), 0);
    server.join().unwrap();
}

#[test]
fn postfix() {
    course(&Options::postfix());
}

#[test]
fn sendmail() {
    course(&Options::sendmail());
}

#[test]
fn old() {
    course(&Options::old());
}

#[test]
fn an_answer_too_many_is_seen() {
    let (mut mta, server) = serve(Options::postfix(), b"\0\0\0\x01c");
    mta.negotiate().unwrap();
    assert_eq!(
        mta.drain(Duration::from_millis(20), Duration::from_secs(20))
            .unwrap(),
        1
    );
    mta.quit().unwrap();
    mta.stream().shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(mta.closed().unwrap(), 0);
    assert_eq!(mta.unsolicited(), 1);
    server.join().unwrap();
}
