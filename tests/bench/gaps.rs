//! How long judging goes on without looking at the clock, on the worst messages we know, each as
//! large as the limits allow: what a deadline can be late by.

use std::cell::Cell;
use std::time::{Duration, Instant};

use gatepost_engine::{Generation, Scratch, TimeLeft, end_of_message};
use gatepost_mail::Facts;

/// Bytes of each message; the default limit is 50 MiB.
const SIZE: usize = 48 << 20;

/// A name and what makes the message.
type Shape = (&'static str, fn() -> Vec<u8>);

const SHAPES: [Shape; 17] = [
    ("plain text, short lines", || {
        text("the minutes of the meeting are on the shelf\n")
    }),
    ("plain text, one line", || {
        text("the minutes of the meeting are on the shelf ")
    }),
    ("plain text, one word", || text("a")),
    ("line feeds only", || text("\n")),
    ("addresses of the web", || {
        text("see http://www.example.com/a?b=c and example.org\n")
    }),
    ("dots and slashes", || text("www.a.b.c.d.e/")),
    ("letters that grow by NFKC", || text("\u{fdfa} \u{3316}")),
    ("combining marks", || text("e\u{301}\u{327}\u{323}")),
    ("base64, binary", || {
        encoded(
            "application/octet-stream",
            "base64",
            "AAECAwQFBgcICQoLDA0ODw==",
        )
    }),
    ("base64, text", || {
        encoded(
            "text/plain; charset=utf-8",
            "base64",
            "VGhlIG1pbnV0ZXMgb2YgdGhlIG1lZXRpbmcK\n",
        )
    }),
    ("quoted-printable", || {
        encoded(
            "text/plain; charset=utf-8",
            "quoted-printable",
            "=C3=A4 =E2=82=AC=\n",
        )
    }),
    ("ISO-2022-JP", || {
        encoded(
            "text/plain; charset=iso-2022-jp",
            "7bit",
            "\u{1b}$B$3$s\u{1b}(B ",
        )
    }),
    ("UTF-16", || {
        encoded("text/plain; charset=utf-16", "8bit", "a\0b\0c\0 \0")
    }),
    ("HTML, tags", || {
        html("<p style=\"color:#fff;font-size:1px\">a</p>")
    }),
    ("HTML, open elements", || {
        html("<div><b><a href=http://a.example/>")
    }),
    ("HTML, entities", || html("&amp;&#x41;&nbsp;&lt;")),
    ("HTML, one attribute", || html("<a href=\"")),
];

const FIELDS: [(&str, &str, &str); 6] = [
    (
        "Received fields",
        "Received",
        "from a.example (b.example [192.0.2.7]) by c.example with ESMTP id 4711; Mon, 23 Nov 2026 10:00:00 +0000",
    ),
    ("encoded words", "Subject", "=?utf-8?q?=C3=A4?= "),
    ("addresses", "To", "\"a, b\" <a@example.com>, "),
    ("comments", "To", "((((((((("),
    ("identifiers", "References", "<a@example.com> "),
    (
        "parameters",
        "Content-Type",
        "text/plain; a*0*=utf-8''%41; a*1*=%42;",
    ),
];

/// The longest times without a look at the clock, one line for each shape.
pub(crate) fn gaps(generation: &Generation) {
    let (longest, whole) = ("longest", "whole");
    println!(
        "{:<44} {longest:>10} {whole:>10}",
        "milliseconds without a look at the clock"
    );
    for (name, make) in SHAPES {
        measure(generation, name, &make());
    }
    for (name, field, value) in FIELDS {
        measure(generation, name, &header(field, value, 90 << 10));
        measure(
            generation,
            &format!("{name}, short"),
            &header(field, value, 900),
        );
    }
}

fn measure(generation: &Generation, name: &str, raw: &[u8]) {
    let (begin, mut scratch) = (Instant::now(), Scratch::default());
    let last = Cell::new(begin);
    let longest = Cell::new(Duration::ZERO);
    let look = || {
        let now = Instant::now();
        longest.set(longest.get().max(now - last.replace(now)));
        TimeLeft::Plenty
    };
    let transaction = super::transaction();
    let verdict = end_of_message(
        generation,
        &transaction,
        raw,
        &Facts::default(),
        &mut scratch,
        &look,
    );
    drop(std::hint::black_box(verdict));
    look();
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{name:<44} {:>10.1} {:>10.1}",
        millis(longest.get()),
        millis(begin.elapsed())
    );
}

fn text(unit: &str) -> Vec<u8> {
    encoded("text/plain; charset=utf-8", "8bit", unit)
}

fn html(unit: &str) -> Vec<u8> {
    encoded("text/html; charset=utf-8", "8bit", unit)
}

fn encoded(kind: &str, encoding: &str, unit: &str) -> Vec<u8> {
    let mut message = format!(
        "From: a@example.com\nSubject: x\nMIME-Version: 1.0\nContent-Type: {kind}\n\
         Content-Transfer-Encoding: {encoding}\n\n"
    );
    message.push_str(&unit.repeat(SIZE / unit.len()));
    message.into_bytes()
}

/// A header of nearly 1 MiB of such fields.
fn header(name: &str, value: &str, bytes: usize) -> Vec<u8> {
    let field = format!("{name}: {}\n", value.repeat(bytes / value.len()));
    let mut message = field.repeat((1_000 << 10) / field.len());
    message.push_str("From: a@example.com\n\nhello\n");
    message.into_bytes()
}
