//! Splitting a mailbox into its messages as it is read (mbox, RFC 4155).

use gatepost_words::bytes;
use std::io::{BufRead, Read as _};

use super::input::{Item, too_large};

/// Bytes of one line that are looked at together.
const LINE_MAX: u64 = 1 << 20;

/// Hands over each message, named `MAILBOX:NUMBER`; a mailbox with one message only is named like a
/// file.
pub(super) fn split(
    name: &str,
    mut reader: impl BufRead,
    limit: usize,
    take: &mut dyn FnMut(Item) -> bool,
) -> bool {
    let mut message = Message::default();
    let mut number = 0_usize;
    let mut line = Vec::new();
    let mut at_line_start = true;
    // The first line is a From_ line in any form; later ones are reported from body text by their form
    // and the empty line before.
    let mut first = true;
    let mut after_empty = true;
    loop {
        line.clear();
        let length = match reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut line) {
            Ok(length) => length,
            Err(error) => {
                return take(Item {
                    name: name.to_owned(),
                    raw: Err(error.to_string()),
                });
            }
        };
        if length == 0 {
            let name = if number == 0 {
                name.to_owned()
            } else {
                format!("{name}:{}", number + 1)
            };
            return take(message.finish(name, limit));
        }
        if first {
            first = line.last() != Some(&b'\n');
            continue;
        }
        if at_line_start && after_empty && is_from_line(&line) {
            number += 1;
            if !take(std::mem::take(&mut message).finish(format!("{name}:{number}"), limit)) {
                return false;
            }
            first = line.last() != Some(&b'\n');
        } else {
            message.push(
                if at_line_start {
                    unquoted(&line)
                } else {
                    &line
                },
                limit,
            );
        }
        after_empty = at_line_start && matches!(line.as_slice(), b"\n" | b"\r\n");
        at_line_start = line.last() == Some(&b'\n');
    }
}

#[derive(Default)]
struct Message {
    raw: Vec<u8>,
    is_too_large: bool,
}

impl Message {
    fn push(&mut self, line: &[u8], limit: usize) {
        // The empty line that ends a message in a mailbox may stand one beyond the limit.
        if self.raw.len() + line.len() > limit.saturating_add(2) {
            self.is_too_large = true;
        } else if !self.is_too_large {
            self.raw.extend_from_slice(line);
        }
    }

    fn finish(mut self, name: String, limit: usize) -> Item {
        // The empty line before the next From_ line belongs to the mailbox.
        for end in [&b"\r\n\r\n"[..], b"\n\n"] {
            if self.raw.ends_with(end) {
                self.raw.truncate(self.raw.len() - end.len() / 2);
                break;
            }
        }
        let fits = !self.is_too_large && self.raw.len() <= limit;
        Item {
            name,
            raw: if fits {
                Ok(self.raw)
            } else {
                Err(too_large(limit))
            },
        }
    }
}

/// `>From `, `>>From `: one `>` was put before it when the message was stored (mboxrd).
fn unquoted(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|byte| **byte == b'>').count();
    match line.get(quotes..) {
        Some(rest) if quotes > 0 && rest.starts_with(b"From ") => bytes::skip(line, 1),
        _ => line,
    }
}

/// As asctime(3) writes them.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// `From sender Wdy Mon DD HH:MM:SS YYYY`, with or without a time zone: seldom met in running text.
fn is_from_line(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else {
        return false;
    };
    let text = String::from_utf8_lossy(rest);
    let words: Vec<&str> = text.split_whitespace().collect();
    let Some(day) = words.iter().position(|word| DAYS.contains(word)) else {
        return false;
    };
    let clock = words
        .iter()
        .skip(day + 1)
        .any(|word| word.split(':').count() >= 2 && word.starts_with(|c: char| c.is_ascii_digit()));
    let year = words
        .iter()
        .skip(day + 1)
        .any(|word| word.len() == 4 && word.parse::<u16>().is_ok());
    clock && year
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str, limit: usize) -> Vec<(String, Result<String, String>)> {
        let mut seen = Vec::new();
        split("m", text.as_bytes(), limit, &mut |item| {
            seen.push((
                item.name,
                item.raw.map(|raw| String::from_utf8(raw).unwrap()),
            ));
            true
        });
        seen
    }

    const FROM: &str = "From a@example.net Mon Jan  1 00:00:00 2024\n";

    #[test]
    fn messages_are_split_and_unquoted() {
        let text = format!("{FROM}A: 1\n\n>From here\nFrom where\n\n{FROM}B: 2\n\nb\n");
        assert_eq!(
            messages(&text, 1000),
            [
                (
                    "m:1".to_owned(),
                    Ok("A: 1\n\nFrom here\nFrom where\n".to_owned())
                ),
                ("m:2".to_owned(), Ok("B: 2\n\nb\n".to_owned())),
            ]
        );
    }

    #[test]
    fn text_that_looks_a_little_like_it_does_not_split() {
        let text = format!(
            "{FROM}A: 1\n\nx\n\nFrom Monday on we meet\nx\nFrom a Mon Jan 1 00:00:00 2024\n"
        );
        let seen = messages(&text, 1000);
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].0, "m", "a single message is named like its file");
    }

    #[test]
    fn a_message_has_its_limit_at_n_and_n_plus_one_and_the_next_is_read() {
        for (limit, fits) in [(6, true), (5, false)] {
            let seen = messages(&format!("{FROM}A: 12\n\n{FROM}B: 2\n"), limit);
            assert_eq!((seen[0].1.is_ok(), seen.len()), (fits, 2));
            assert!(seen[1].1.is_ok());
        }
    }
}
