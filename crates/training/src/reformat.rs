//! The same mail in another form: plain text as a page of HTML with a plain copy, a page as plain
//! text.
//!
//! In the corpora most ham is plain text of mailing lists and most HTML is spam. A model that
//! learned from that alone would take every newsletter for spam. So some mail of both classes is
//! learned once more in the form that it does not have.

use std::fmt::Write as _;

use super::random::Random;
use gatepost_mail::{Limits, Message};
use gatepost_words::bytes::{self, Cursor};

/// Paragraphs of a text that become paragraphs of a page; the rest is in the last.
const PARAGRAPHS: usize = 60;

/// The mail in the other form; `None` where it has no text.
pub(super) fn reformat(raw: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let message = Message::parse(raw, &Limits::default());
    let is_page = message.texts.iter().any(|text| text.html.is_some());
    // Of a page with a plain copy, the page.
    let texts = message
        .texts
        .iter()
        .filter(|text| text.html.is_some() == is_page);
    let text = texts
        .map(|text| text.rendered.replace('\r', ""))
        .collect::<Vec<_>>()
        .join("\n\n");
    if text.trim().is_empty() {
        return None;
    }
    let mut out = header(bytes::head(raw, message.body_start));
    if is_page {
        out.extend(
            b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
        );
        out.extend(text.replace('\n', "\r\n").into_bytes());
        return Some(out);
    }
    let html = page(&text, random);
    if random.unit() < 0.3 {
        out.extend(
            b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
        );
        out.extend(html.into_bytes());
        return Some(out);
    }
    let boundary = format!("b{:016x}", random.next());
    let part = |kind: &str, text: &str| {
        format!(
            "--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
        )
    };
    let head = format!(
        "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"{boundary}\"\r\n\r\n"
    );
    let parts = [
        head,
        part("plain", &text.replace('\n', "\r\n")),
        part("html", &html),
        format!("--{boundary}--\r\n"),
    ];
    out.extend(parts.concat().into_bytes());
    Some(out)
}

/// The header without what describes the old form.
fn header(header: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut is_kept = true;
    for line in header.split_inclusive(|&byte| byte == b'\n') {
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
        if !matches!(line.first(), Some(b' ' | b'\t')) {
            let name = Cursor::new(line).take_until(b':').to_ascii_lowercase();
            is_kept = !name.starts_with(b"content-") && name != b"mime-version";
        }
        if is_kept {
            out.extend_from_slice(line);
        }
    }
    out
}

/// A page as programs for newsletters write it: tables, images, links, a foot. It adds no word to
/// the text.
fn page(text: &str, random: &mut Random) -> String {
    let mut out = String::from("<!DOCTYPE html>\r\n<html><head><meta charset=\"utf-8\">");
    if random.unit() < 0.7 {
        out.push_str("<style type=\"text/css\">body{margin:0;padding:0}td{font-family:Arial,sans-serif}</style>");
    }
    out.push_str("</head>\r\n<body>");
    let in_table = random.unit() < 0.6;
    if in_table {
        out.push_str(
            "<table width=\"600\" align=\"center\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tbody>\r\n",
        );
    }
    for paragraph in text
        .splitn(PARAGRAPHS, "\n\n")
        .filter(|paragraph| !paragraph.trim().is_empty())
    {
        let words = paragraph
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('\n', "<br>\r\n");
        let inner = decorated(&words, random);
        let written = if in_table {
            writeln!(
                out,
                "<tr><td style=\"padding:10px;color:#333333\">{inner}</td></tr>\r"
            )
        } else if random.unit() < 0.5 {
            writeln!(out, "<p>{inner}</p>\r")
        } else {
            writeln!(
                out,
                "<div><span style=\"font-size:14px\">{inner}</span></div>\r"
            )
        };
        // Writing to a String cannot fail.
        written.unwrap_or_default();
    }
    if in_table {
        out.push_str("</tbody></table>\r\n");
    }
    out.push_str("<hr>");
    for _ in 0..random.below(6) {
        write!(out, "<a href=\"{}\">&#8226;</a> ", address(random, "")).unwrap_or_default();
    }
    if random.unit() < 0.5 {
        let image = address(random, ".gif");
        write!(
            out,
            "<img src=\"{image}\" width=\"1\" height=\"1\" alt=\"\">"
        )
        .unwrap_or_default();
    }
    out + "\r\n</body></html>"
}

/// A paragraph, perhaps bold, as a link, or next to an image.
fn decorated(words: &str, random: &mut Random) -> String {
    match random.below(8) {
        0 => format!("<b>{words}</b>"),
        1 => format!(
            "<a href=\"{}\" target=\"_blank\">{words}</a>",
            address(random, "")
        ),
        2 => format!(
            "<img src=\"{}\" width=\"560\" border=\"0\" alt=\"\"><br>{words}",
            address(random, ".jpg")
        ),
        3 => format!("<strong><font color=\"#cc0000\" size=\"4\">{words}</font></strong>"),
        4 => format!(
            "{words}<br><a href=\"{}\"><img src=\"{}\"></a>",
            address(random, ""),
            address(random, ".png")
        ),
        _ => words.to_owned(),
    }
}

/// A link such as newsletters have.
fn address(random: &mut Random, ending: &str) -> String {
    const HOSTS: [&str; 6] = [
        "www.example.com",
        "news.example.net",
        "click.mail.example.com",
        "images.example.org",
        "example.com",
        "t.news.example.de",
    ];
    let scheme = if random.unit() < 0.6 { "https" } else { "http" };
    let host = random.one_of(HOSTS);
    let query = if ending.is_empty() && random.unit() < 0.6 {
        format!("?u={:x}", random.next())
    } else {
        String::new()
    };
    format!(
        "{scheme}://{host}/{:x}{ending}{query}",
        random.next() >> (8 * random.below(7))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &[u8] = b"From: a@example.com\r\nSubject: Lunch\r\nContent-Type: text/plain;\r\n\tcharset=us-ascii\r\nMIME-Version: 1.0\r\nX: y\r\n\r\nShall we <meet>?\r\n\r\nAt noon & late\r\n";

    #[test]
    fn there_and_back_the_words_stay() {
        for seed in 0..40 {
            let page = reformat(PLAIN, &mut Random::new(seed)).unwrap();
            let message = Message::parse(&page, &Limits::default());
            assert!(message.texts.iter().any(|text| text.html.is_some()));
            assert!(page.starts_with(
                b"From: a@example.com\r\nSubject: Lunch\r\nX: y\r\nMIME-Version: 1.0\r\n"
            ));
            let plain = reformat(&page, &mut Random::new(seed)).unwrap();
            let message = Message::parse(&plain, &Limits::default());
            assert!(message.texts.iter().all(|text| text.html.is_none()));
            let words: Vec<&str> = message.texts[0]
                .rendered
                .split_whitespace()
                .filter(|word| *word != "\u{2022}")
                .collect();
            let words: Vec<&str> = words
                .into_iter()
                .filter(|word| word.chars().any(char::is_alphanumeric))
                .collect();
            assert_eq!(
                words,
                ["Shall", "we", "<meet>?", "At", "noon", "late"],
                "{seed}"
            );
        }
    }

    #[test]
    fn the_seed_decides_and_no_text_is_left_alone() {
        assert_eq!(
            reformat(PLAIN, &mut Random::new(3)),
            reformat(PLAIN, &mut Random::new(3))
        );
        for raw in [
            &b"Subject: x\r\n\r\n"[..],
            b"Content-Type: image/png\r\n\r\nxx",
            b"",
        ] {
            assert!(reformat(raw, &mut Random::new(1)).is_none());
        }
    }
}
