//! Tests of the view: the same message gives the same bytes in the daemon and from a mailbox.

use std::sync::Arc;
use std::time::SystemTime;

use super::*;
use gatepost_mail::{Client, ClientAddress, Limits, Mailbox, ReversePath};

const MAIL: &str = "Received: from inner.example by mail.example; Mon, 5 Jan 2026 10:00:00 +0000\r\nFrom: a@example.com\r\nSubject: folded\r\n line\r\n\r\nbody\r\n";

fn text(view: &SiteView) -> String {
    String::from_utf8_lossy(view.bytes()).into_owned()
}

fn stored(raw: &[u8]) -> SiteView {
    SiteView::of_stored(raw, &TrustedAuthservIds::none())
}

/// What is claimed, as text.
fn claimed(view: &SiteView) -> String {
    let parts = view
        .identity()
        .iter()
        .map(|range| &view.bytes()[range.clone()]);
    String::from_utf8(parts.flatten().copied().collect()).unwrap()
}

#[test]
fn what_can_be_forged_is_marked_as_a_claim() {
    let raw = "Return-Path: <a@example.com>\nReceived: from mx.example.com (mx.example.com [192.0.2.9]) by x\nReceived: from y\n\tby z\nFrom: a@example.com\nSubject: s\n\nFrom: body\n";
    let view = stored(raw.as_bytes());
    assert_eq!(
        claimed(&view),
        "helo mx.example.com\nfrom a@example.com\nReceived: from y\n\tby z\nFrom: a@example.com\n"
    );
    assert_eq!(view.sender(), None);
    assert!(
        !text(&view).contains("auth "),
        "where no server is trusted nothing is said"
    );
    let long = stored("From: a@example.com\n folded\n".repeat(1_000).as_bytes());
    assert!(
        long.identity()
            .iter()
            .all(|range| range.end <= SiteView::LIMIT)
    );
}

#[test]
fn a_trusted_server_attests_only_above_the_first_relay() {
    let trust = TrustedAuthservIds::new(&["mx.example.net".to_owned()]);
    let pass = "Authentication-Results: mx.example.net; dmarc=pass header.from=example.com\n";
    let own = "Received: from h (h [192.0.2.9]) by mx.example.net\n";
    let relay = "Received: from inner by h\n";
    let rest = "From: <ann@example.com>\n\nbody\n";
    for (mail, sender) in [
        (format!("{own}{pass}{relay}{rest}"), Some("example.com")),
        (format!("{pass}{own}{relay}{rest}"), Some("example.com")),
        (format!("{own}{relay}{pass}{rest}"), None),
        (format!("{own}{relay}{rest}"), None),
        (
            format!("{own}{pass}From: <boss@example.org>\n\nbody\n"),
            None,
        ),
    ] {
        let view = SiteView::of_stored(mail.as_bytes(), &trust);
        assert_eq!(view.sender(), sender, "{mail}");
        let line = if sender.is_some() {
            "auth aligned\n"
        } else {
            "auth none\n"
        };
        assert!(text(&view).contains(line), "{mail}");
    }
}

/// What the daemon saw and what is read back from the mailbox give the same bytes.
#[test]
fn stored_mail_gives_the_view_of_the_daemon() {
    let mut transaction = Transaction::new(Arc::from("test"), SystemTime::UNIX_EPOCH);
    transaction.client = Client {
        host: "mx.example.com".to_owned(),
        address: ClientAddress::Ip([192, 0, 2, 9].into()),
        port: Some(9),
    };
    transaction.helo = Some("mx.example.com".to_owned());
    transaction.envelope.reverse_path = ReversePath::parse(b"<a@example.com>");
    transaction.envelope.forward_paths = vec![Mailbox::parse(b"<b@example.net>")];
    let seen = SiteView::of_case(
        &transaction,
        &Message::parse(MAIL.as_bytes(), &Limits::default()),
        &TrustedAuthservIds::none(),
    );
    let raw = format!(
        "From a@example.com Mon Jan  5 10:00:01 2026\nReturn-Path: <a@example.com>\nX-Spam-Status: Yes,\n\tscore=9\nDelivered-To: b@example.net\nReceived: from mx.example.com (mx.example.com [192.0.2.9])\n\tby mail.example (Postfix) with ESMTP id 1\n\tfor <b@example.net>; Mon, 5 Jan 2026 10:00:01 +0000\n{}",
        MAIL.replace('\r', "")
    );
    assert_eq!(text(&stored(raw.as_bytes())), text(&seen));
    assert_eq!(
        text(&seen),
        format!(
            "helo mx.example.com\nhost mx.example.com\nip 192.0.2.9\nfrom a@example.com\nrcpt b@example.net\n{}",
            MAIL.replace('\r', "").replace("\nbody\n", "")
        )
    );
    assert_eq!(
        (seen.text(), stored(raw.as_bytes())),
        ("folded line\nbody\n\n", seen.clone())
    );
}

#[test]
fn marks_never_enter() {
    let expected = stored(b"Subject: a\n\nb");
    for mark in [
        "X-Spam-Flag: YES",
        "X-UUID: 1",
        "Status: RO",
        "LINES: 3",
        "Resent-From: x@example.com",
        "X-MS-Has-Attach: 1",
    ] {
        assert_eq!(
            stored(format!("{mark}\nSubject: a\n\nb").as_bytes()),
            expected,
            "{mark}"
        );
    }
    assert!(!is_mark(b"subject") && !is_mark(b"x-mailer") && !is_mark(b"x-spam") && !is_mark(b""));
}

#[test]
fn the_domain_is_that_of_the_recipient() {
    let of = |raw: &str| stored(raw.as_bytes()).domain().map(str::to_owned);
    assert_eq!(
        of("Received: from x by mx for <a@One.Example>; now\n\n").as_deref(),
        Some("one.example")
    );
    assert_eq!(
        of("Delivered-To: b@two.example\nReceived: from x by mx; now\n\n").as_deref(),
        Some("two.example")
    );
    assert_eq!(
        of("X-Original-To: <c@three.example>\n\n").as_deref(),
        Some("three.example")
    );
    assert_eq!(
        (of("To: d@four.example\n\n"), of("Delivered-To: local\n\n")),
        (None, None)
    );
}

#[test]
fn bounded_and_total() {
    let field = |n: usize| {
        let view = stored(format!("Subject: {}\n\n", "x".repeat(n)).as_bytes());
        (
            view.bytes().len() - view.session(),
            view.bytes().ends_with(b"x\n"),
        )
    };
    let overhead = field(0).0;
    for (n, length) in [(0, overhead), (SiteView::FIELD - overhead, SiteView::FIELD)] {
        assert_eq!(field(n).0, length, "{n}");
    }
    assert_eq!(
        field(SiteView::FIELD - overhead + 1),
        (SiteView::FIELD, true),
        "cut, and the line ends"
    );
    let fields = |n: usize| stored("X: y\n".repeat(n).as_bytes()).bytes().len();
    assert_eq!(fields(10_000), SiteView::LIMIT);
    let body = |n: usize| stored(format!("\n{}", "x".repeat(n)).as_bytes());
    // An empty subject and a line end belong to the text.
    for n in [
        SiteView::TEXT - 3,
        SiteView::TEXT - 2,
        SiteView::TEXT - 1,
        3 * SiteView::TEXT,
    ] {
        assert_eq!(body(n).text().len(), SiteView::TEXT.min(n + 2), "{n}");
    }
}

#[test]
fn beginning_and_end_of_a_long_text_are_seen() {
    let lines = |count: usize, end: &str| {
        format!(
            "Subject: a{end}{end}{}",
            (0..count).fold(String::new(), |text, n| text + &format!("{n}{end}"))
        )
    };
    for count in [10, 500, 1_000, 1_500, 3_000] {
        let view = stored(lines(count, "\n").as_bytes());
        assert_eq!(
            view,
            stored(lines(count, "\r\n").as_bytes()),
            "line ends, {count} lines"
        );
        assert!(
            view.text().starts_with("a\n0\n1\n"),
            "the beginning is seen"
        );
        assert!(
            view.text()
                .trim_end()
                .ends_with(&format!("\n{}", count - 1)),
            "the end is seen"
        );
    }
    let blank = stored(format!("Subject: a\n\n{}buy pills", "=0D".repeat(30_000)).as_bytes());
    let hidden = format!(
        "Content-Transfer-Encoding: quoted-printable\nSubject: a\n\n{}buy pills",
        "=0D".repeat(30_000)
    );
    assert!(
        stored(hidden.as_bytes()).text().contains("buy pills"),
        "carriage returns hide nothing"
    );
    assert!(blank.text().contains("buy pills"));
    for raw in [
        &b""[..],
        b"\n",
        b"From ",
        b"From x",
        b"a",
        b":",
        b" \n\t",
        b"Received:",
        b"Received: from (\n\n",
        b"\xff\xfe\r",
    ] {
        assert!(stored(raw).bytes().len() <= SiteView::LIMIT);
    }
}
