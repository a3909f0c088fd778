//! Tests of reading whole messages.

use proptest::prelude::*;

use super::*;

fn read(raw: &str) -> Message<'_> {
    Message::parse(raw.as_bytes(), &Limits::default())
}

fn kinds(message: &Message<'_>) -> Vec<AnomalyKind> {
    message.anomalies.iter().map(|odd| odd.kind).collect()
}

/// `parent type/subtype content` of each entity.
fn tree(message: &Message<'_>) -> Vec<String> {
    let show = |entity: &Entity<'_>| {
        let parent = entity
            .parent
            .map_or("-".to_owned(), |parent| parent.to_string());
        format!(
            "{parent} {} {:?}",
            entity.media_type,
            String::from_utf8_lossy(&entity.content)
        )
    };
    message.entities.iter().map(show).collect()
}

const ALTERNATIVE: &str = "From: a@example.com\nSubject: =?utf-8?q?=C3=84?=\nContent-Type: multipart/alternative; boundary=b\n\n\
    --b\n\nplain\n--b\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\nPHA+aDwvcD4=\n--b--\n";

#[test]
fn a_plain_message_is_read() {
    let message = read("From: a@example.com\r\nSubject: s\r\n\r\nHello http://example.com/\r\n");
    assert_eq!(message.subject(), "s");
    assert_eq!(message.body(), b"Hello http://example.com/\r\n");
    assert_eq!(
        tree(&message),
        [r#"- text/plain "Hello http://example.com/\r\n""#]
    );
    assert_eq!(message.texts[0].rendered, "Hello http://example.com/\r\n");
    assert_eq!(message.urls[0].host, "example.com");
    assert_eq!(kinds(&message), []);
}

#[test]
fn multiparts_are_read() {
    let message = read(ALTERNATIVE);
    assert_eq!(message.subject(), "Ä");
    let expected = [
        r#"- multipart/alternative """#,
        r#"0 text/plain "plain""#,
        r#"0 text/html "<p>h</p>""#,
    ];
    assert_eq!(tree(&message), expected);
    let texts: Vec<_> = message
        .texts
        .iter()
        .map(|text| text.rendered.as_ref())
        .collect();
    assert_eq!(texts, ["plain", "h"]);
    assert_eq!(kinds(&message), []);
    assert_eq!(&message.raw[message.entities[1].body.clone()], b"plain");
}

/// A name, the message, its tree, and what is odd about it.
type Case<'c> = (&'c str, String, &'c [&'c str], &'c [AnomalyKind]);

const MIXED: &str = "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n";

fn check(cases: &[Case<'_>]) {
    for (what, raw, entities, odd) in cases {
        let message = read(raw);
        assert_eq!(tree(&message), *entities, "{what}");
        assert_eq!(kinds(&message), *odd, "{what}");
        let crlf = raw.replace('\n', "\r\n");
        let again: Vec<_> = tree(&read(&crlf))
            .iter()
            .map(|line| line.replace("\\r\\n", "\\n"))
            .collect();
        assert_eq!(again, *entities, "{what}, with CRLF");
    }
}

#[test]
fn trees_of_parts_are_read() {
    use AnomalyKind::*;
    check(&[
        (
            "nested",
            format!(
                "{MIXED}\n--b\nContent-Type: multipart/x; boundary=c\n\n--c\n\n1\n--c--\n--b\n\n2\n--b--\n"
            ),
            &[
                "- multipart/mixed \"\"",
                "0 multipart/x \"\"",
                "1 text/plain \"1\"",
                "0 text/plain \"2\"",
            ],
            &[],
        ),
        (
            "same boundary",
            format!(
                "{MIXED}\n--b\nContent-Type: multipart/x; boundary=b\n\n--b\n\n1\n--b--\n--b\n\n2\n--b--\n"
            ),
            &[
                "- multipart/mixed \"\"",
                "0 multipart/x \"\"",
                "1 text/plain \"1\"",
                "0 text/plain \"2\"",
            ],
            &[NestedSameBoundary],
        ),
        (
            "inner not closed",
            format!(
                "{MIXED}\n--b\nContent-Type: multipart/x; boundary=c\n\n--c\n\n1\n--b\n\n2\n--b--\n"
            ),
            &[
                "- multipart/mixed \"\"",
                "0 multipart/x \"\"",
                "1 text/plain \"1\"",
                "0 text/plain \"2\"",
            ],
            &[UnclosedBoundary],
        ),
    ]);
}

#[test]
fn texts_around_and_in_place_of_parts_are_read() {
    use AnomalyKind::*;
    check(&[
        (
            "prefix",
            format!("{MIXED}\n--b\n\n1\n--bb\n--b--x\n--b-- \n"),
            &[
                "- multipart/mixed \"\"",
                "0 text/plain \"1\\n--bb\\n--b--x\"",
            ],
            &[],
        ),
        (
            "texts around",
            format!("{MIXED}\npre\n--b\n\n1\n--b--\npost\n"),
            &["- multipart/mixed \"\"", "0 text/plain \"1\""],
            &[PreambleText, PreambleText],
        ),
        (
            "no part",
            format!("{MIXED}\ntext\n"),
            &["- text/plain \"text\\n\""],
            &[UnclosedBoundary],
        ),
        (
            "no boundary",
            "From: a@example.com\nContent-Type: multipart/mixed\n\ntext".to_owned(),
            &["- text/plain \"text\""],
            &[MissingBoundary],
        ),
        (
            "no blank line",
            format!("{MIXED}--b\n--b\nContent-Type: text/x\n--b--\n"),
            &[
                "- multipart/mixed \"\"",
                "0 text/plain \"\"",
                "0 text/x \"\"",
            ],
            &[],
        ),
    ]);
}

#[test]
fn trees_of_messages_are_read() {
    use AnomalyKind::*;
    check(&[
        (
            "digest",
            "From: a@example.com\nContent-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: s\n\nx\n--b--"
                .to_owned(),
            &["- multipart/digest \"\"", "0 message/rfc822 \"\"", "1 text/plain \"x\""],
            &[],
        ),
        (
            "message in message",
            "From: a@example.com\nContent-Type: message/rfc822\n\nContent-Type: message/global\n\nA: b\n\nx".to_owned(),
            &["- message/rfc822 \"\"", "0 message/global \"\"", "1 text/plain \"x\""],
            &[],
        ),
        (
            "encoded message",
            "From: a@example.com\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQTogYgoKeA=="
                .to_owned(),
            &["- message/rfc822 \"\"", "0 text/plain \"x\""],
            &[EncodedComposite],
        ),
        (
            "encoded multipart",
            format!("{MIXED}Content-Transfer-Encoding: base64\n\nLS1iCgoxCi0tYi0tCg=="),
            &["- multipart/mixed \"\"", "0 text/plain \"1\""],
            &[EncodedComposite],
        ),
        (
            "multipart not encoded, though declared",
            format!("{MIXED}Content-Transfer-Encoding: base64\n\n--b\n\n1\n--b--\n"),
            &["- multipart/mixed \"\"", "0 text/plain \"1\""],
            &[EncodedComposite],
        ),
    ]);
}

#[test]
fn an_encoded_composite_inside_others_keeps_the_order() {
    let raw = "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\
        Content-Transfer-Encoding: quoted-printable\n\nContent-Type: text/x=\n-y\n\n=31\n--b\n\n2\n--b--\n";
    let message = read(raw);
    let expected = [
        "- multipart/mixed \"\"",
        "0 message/rfc822 \"\"",
        "1 text/x-y \"1\"",
        "0 text/plain \"2\"",
    ];
    assert_eq!(tree(&message), expected);
    assert_eq!(message.entities[2].header[0].raw.as_ref(), b" text/x-y");
    assert_eq!(message.entities[2].depth, 2);
}

#[test]
fn oddities_are_noted() {
    use AnomalyKind::*;
    for (raw, odd) in [
        ("", vec![EmptyHeader, MissingFrom]),
        ("A: b\r\n\r\nx", vec![MissingFrom]),
        (
            "From: a\nFrom: b\nSubject: c\nSubject: d\n\n",
            vec![DuplicateFrom, DuplicateSubject],
        ),
        ("From: a\rb\n\n", vec![BareCr]),
        ("From: a\r\n\r\nx\ny", vec![BareLf]),
        ("From: a\n\n\0", vec![NulByte]),
        (
            "From: a\nContent-Type: a/b\nContent-Type: text/plain\n\n",
            vec![DuplicateContentType],
        ),
        (
            "From: a\nContent-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: 8bit\n\n",
            vec![DuplicateEncoding],
        ),
        (
            "From: a\nContent-Transfer-Encoding: x-uue\n\n",
            vec![UnknownEncoding],
        ),
        (
            "From: a\nContent-Type: text/plain; charset=x-none\n\nä",
            vec![],
        ),
        (
            "From: a\nContent-Transfer-Encoding: base64\n\n!",
            vec![BadBase64],
        ),
        (
            "From: a\nContent-Transfer-Encoding: quoted-printable\n\n=x",
            vec![BadQuotedPrintable],
        ),
        (
            "From: a\nContent-Type: multipart/x; boundary=b; boundary=c\n\n--b--",
            vec![DuplicateBoundary],
        ),
    ] {
        assert_eq!(kinds(&read(raw)), odd, "{raw:?}");
    }
    let bytes = b"From: \xe4\nContent-Type: text/plain; charset=x-none\n\n\xe4";
    let message = Message::parse(bytes, &Limits::default());
    assert_eq!(kinds(&message), [EightBitHeader, UnknownCharset]);
}

#[test]
fn a_multipart_that_is_closed_before_it_began_is_text() {
    let head = "From: a\nContent-Type: multipart/mixed; boundary=b\n\n";
    for (body, expected) in [
        ("text\n--b--\n", "text\n--b--\n"),
        ("--b--\ntext", "--b--\ntext"),
    ] {
        let raw = format!("{head}{body}");
        assert_eq!(read(&raw).texts[0].rendered, expected);
    }
    assert!(read(&format!("{head}--b--\n")).texts.is_empty());
}

#[test]
fn a_file_name_may_be_several_encoded_words() {
    let message = read(
        "Content-Type: application/octet-stream\nContent-Disposition: attachment;\n \
         filename=\"=?utf-8?B?UmVjaG51bmdf?=\n =?utf-8?B?TW9uYXQuZXhl?=\"\n\nx\n",
    );
    let names: Vec<_> = message
        .entities
        .iter()
        .map(|entity| entity.file_name.as_deref())
        .collect();
    assert_eq!(names, [Some("Rechnung_Monat.exe")]);
}

#[test]
fn names_and_dispositions_are_read() {
    let raw = "From: a\nContent-Type: application/x; name=\"=?utf-8?q?=C3=84=2Epdf?=\"\nContent-Disposition: ATTACHMENT\n\n";
    let message = read(raw);
    assert_eq!(message.entities[0].file_name.as_deref(), Some("Ä.pdf"));
    assert!(message.entities[0].is_attachment && message.texts.is_empty());
    let message = read("From: a\nContent-Type: application/octet-stream; name=x.HTM\n\n<b>x");
    assert_eq!(message.texts[0].rendered, "x");
}

#[test]
fn limits_hold_at_n_and_n_plus_one() {
    use AnomalyKind::*;
    let nested = |depth: usize| {
        format!(
            "From: a\n{}",
            "Content-Type: message/rfc822\n\n".repeat(depth)
        )
    };
    let limits = Limits {
        depth: 3,
        parts: 4,
        decoded_factor: 1,
        html: 6,
        ..Limits::default()
    };
    let parse = |raw: &str| {
        let message = Message::parse(raw.as_bytes(), &limits);
        let deepest = message
            .entities
            .iter()
            .map(|entity| entity.depth)
            .max()
            .unwrap();
        (message.entities.len(), deepest, kinds(&message))
    };
    assert_eq!(parse(&format!("{}\nx", nested(3))), (4, 3, vec![]));
    assert_eq!(
        parse(&format!("{}\nx", nested(4))),
        (4, 3, vec![DepthLimit])
    );
    let many = |parts: usize| {
        format!(
            "From: a\nContent-Type: multipart/x; boundary=b\n\n{}--b--",
            "--b\n\nx\n".repeat(parts)
        )
    };
    assert_eq!(parse(&many(3)), (4, 1, vec![]));
    assert_eq!(parse(&many(4)), (4, 1, vec![PartsLimit]));
    let html = |text: &str| format!("From: a\nContent-Type: text/html\n\n{text}");
    assert_eq!(parse(&html("<b>123")).2, vec![]);
    assert_eq!(parse(&html("<b>1234")).2, vec![HtmlLimit]);
    for (line, odd) in [(LINE_BYTES, vec![]), (LINE_BYTES + 1, vec![OverlongLine])] {
        assert_eq!(
            parse(&format!("From: a\r\n\r\n{}\r\n", "x".repeat(line))).2,
            odd
        );
    }
}

#[test]
fn decoding_stops_at_the_limit() {
    // Undone, the transfer encoding gives n bytes and the charset twice as many: 3 n, whatever the
    // factor.
    let raw = |count: usize| {
        let body = "5OTk".repeat(count / 3);
        format!(
            "From: a\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: base64\n\n{body}"
        )
    };
    let limits = Limits {
        decoded_factor: 0,
        ..Limits::default()
    };
    for (count, is_over) in [(15_000, false), (60_000, true), (90_000, true)] {
        let raw = raw(count);
        let message = Message::parse(raw.as_bytes(), &limits);
        assert_eq!(
            kinds(&message).contains(&AnomalyKind::DecodedLimit),
            is_over,
            "{count}"
        );
        let decoded = message.entities[0].content.len() + message.texts[0].source.len();
        assert!(decoded <= 64 << 10, "{decoded}");
    }
}

proptest! {
    #[test]
    fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let first = format!("{:?}", Message::parse(&bytes, &Limits::default()));
        prop_assert_eq!(first, format!("{:?}", Message::parse(&bytes, &Limits::default())));
    }

    #[test]
    fn pieces_of_mail_can_be_read(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..60)) {
        let raw = pieces.concat();
        let message = read(&raw);
        let first = format!("{message:?}");
        prop_assert_eq!(first, format!("{:?}", read(&raw)));
        for (index, entity) in message.entities.iter().enumerate() {
            prop_assert!(entity.parent.is_none_or(|parent| parent < index));
            prop_assert!(entity.body.start <= entity.body.end);
        }
        for field in &message.header {
            field.addresses();
            field.decoded();
        }
    }

    #[test]
    fn line_ends_do_not_matter(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..60)) {
        let raw = pieces.concat().replace('\r', "");
        let crlf = raw.replace('\n', "\r\n");
        let texts = |message: &Message<'_>| -> Vec<String> {
            message.texts.iter().map(|text| text.rendered.replace('\r', "")).collect()
        };
        prop_assert_eq!(texts(&read(&raw)), texts(&read(&crlf)));
    }
}

const PIECES: &[&str] = &[
    "\n",
    "\n",
    "\r\n",
    "\r",
    " ",
    "x",
    "Subject: =?utf-8?q?a?=\n",
    "From: \"a\" <a@example.com>, (b) c:;\n",
    "Content-Type: ",
    "multipart/mixed; boundary=b\n",
    "multipart/mixed; boundary=\"c\"\n",
    "text/html; charset=utf-8\n",
    "message/rfc822\n",
    "--b\n",
    "--c\n",
    "--b--\n",
    "--c--\n",
    "Content-Transfer-Encoding: base64\n",
    "Content-Transfer-Encoding: quoted-printable\n",
    "LS1iCgoxCi0tYi0tCg==\n",
    "=31=\n",
    "=\n",
    "<p style='display:none'>",
    "<a href=http://example.com/?",
    "</a>",
    "<!--",
    "-->",
    "<script>",
    "&amp;",
    "http://example.net/",
    "ä",
    "; name*0*=utf-8''%C3",
    "; name*1=x\n",
    "(",
    "\"",
    "\\",
    "<",
    ">",
    ",",
    ":",
    "@",
];
