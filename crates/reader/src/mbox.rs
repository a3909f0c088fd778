//! Splitting a mailbox into its messages as it is read (mbox, RFC 4155, and what programs make of it).

use std::io::{self, BufRead, Read as _};

use gatepost_words::bytes::skip;

use super::item::{Item, Unread};
use super::sniff;

/// Bytes of one line that are looked at together.
const LINE_MAX: u64 = 1 << 20;
/// Bytes of a From_ line.
const FROM_LINE_MAX: usize = 1000;

/// Hands over each message, named `MAILBOX:NUMBER`; a mailbox with one message only is named like a
/// file.
pub(crate) fn split(
    name: &str,
    mut reader: impl BufRead,
    limit: usize,
    take: &mut dyn FnMut(Item) -> bool,
) -> bool {
    let mut splitter = Splitter {
        name,
        limit,
        style: FromLine::None,
        message: Message::default(),
        number: 0,
        candidate: None,
        after_empty: false,
    };
    let mut line = Vec::new();
    match read_line(&mut reader, &mut line) {
        Ok(_) => splitter.style = FromLine::of(skip(&line, sniff::mark(&line))),
        Err(error) => return take(Item::unread(name, Unread::of_io(&error))),
    }
    let mut in_from_line = line.last() != Some(&b'\n');
    let mut at_line_start = true;
    loop {
        match read_line(&mut reader, &mut line) {
            Ok(0) => return take(splitter.last()),
            Ok(_) => {}
            Err(error) => return take(Item::unread(name, Unread::of_io(&error))),
        }
        let is_whole = line.last() == Some(&b'\n');
        if in_from_line {
            in_from_line = !is_whole;
            continue;
        }
        if let Some(message) = splitter.line(&line, at_line_start)
            && !take(message)
        {
            return false;
        }
        at_line_start = is_whole;
    }
}

fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    line.clear();
    reader.by_ref().take(LINE_MAX).read_until(b'\n', line)
}

/// The mailbox between two lines.
struct Splitter<'a> {
    name: &'a str,
    limit: usize,
    /// How the first message begins: a program writes all alike.
    style: FromLine,
    message: Message,
    /// Messages that were finished.
    number: usize,
    /// A line that separates messages, or not: the next line decides. With it, whether an empty
    /// line was before it.
    candidate: Option<(Vec<u8>, bool)>,
    /// Whether the last line was empty.
    after_empty: bool,
}

impl Splitter<'_> {
    /// Takes a line, or a part of a long one; gives the message that ended before it.
    fn line(&mut self, line: &[u8], at_line_start: bool) -> Option<Item> {
        let mut ended = None;
        if let Some((candidate, after_empty)) = self.candidate.take() {
            if self.separates(&candidate, after_empty, line) {
                self.number += 1;
                let name = format!("{}:{}", self.name, self.number);
                ended = Some(std::mem::take(&mut self.message).finish(name, self.limit));
            } else {
                self.message.push(&candidate, self.limit);
            }
        }
        if at_line_start && FromLine::of(line) != FromLine::None {
            self.candidate = Some((line.to_vec(), self.after_empty));
        } else if at_line_start {
            self.message.push(unquoted(line), self.limit);
        } else {
            self.message.push(line, self.limit);
        }
        self.after_empty = at_line_start && matches!(line, b"\n" | b"\r\n");
        ended
    }

    fn separates(&self, candidate: &[u8], after_empty: bool, next: &[u8]) -> bool {
        let is_field = sniff::field_name(next).is_some() || next.starts_with(b">From ");
        match FromLine::of(candidate) {
            FromLine::Dated => after_empty || is_field,
            // In text it is a patch that is quoted.
            FromLine::Git => self.style == FromLine::Git && is_field,
            FromLine::Address => self.style == FromLine::Address && after_empty && is_field,
            FromLine::Bare => is_field && (after_empty || self.style == FromLine::Bare),
            FromLine::None => false,
        }
    }

    /// The message at the end of the mailbox.
    fn last(mut self) -> Item {
        if let Some((candidate, _)) = self.candidate.take() {
            self.message.push(&candidate, self.limit);
        }
        let name = if self.number == 0 {
            self.name.to_owned()
        } else {
            format!("{}:{}", self.name, self.number + 1)
        };
        self.message.finish(name, self.limit)
    }
}

/// A line that begins with `From `.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FromLine {
    /// `From sender Wdy Mon DD HH:MM:SS YYYY`, with or without a time zone: rare in running text.
    Dated,
    /// `From COMMIT Mon Sep 17 00:00:00 2001`, as `git format-patch` begins a patch.
    Git,
    /// `From sender`, without a date.
    Address,
    /// `From ` alone, as Thunderbird writes it.
    Bare,
    /// Anything else.
    None,
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl FromLine {
    fn of(line: &[u8]) -> Self {
        let Some(rest) = line.strip_prefix(b"From ") else {
            return Self::None;
        };
        if line.len() > FROM_LINE_MAX || line.last() != Some(&b'\n') {
            return Self::None;
        }
        let text = String::from_utf8_lossy(rest);
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            [] => Self::Bare,
            ["-"] => Self::Address,
            [word] if word.contains('@') => Self::Address,
            [commit, "Mon", "Sep", "17", "00:00:00", "2001"] if is_commit(commit) => Self::Git,
            words if is_dated(words) => Self::Dated,
            _ => Self::None,
        }
    }
}

fn is_commit(word: &str) -> bool {
    [40, 64].contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_dated(words: &[&str]) -> bool {
    let Some(day) = words.iter().position(|word| DAYS.contains(word)) else {
        return false;
    };
    let after = skip_words(words, day + 1);
    let is_clock = |word: &&str| {
        word.split(':').count() >= 2 && word.starts_with(|c: char| c.is_ascii_digit())
    };
    let is_year = |word: &&str| word.len() == 4 && word.parse::<u16>().is_ok();
    after.iter().any(is_clock) && after.iter().any(is_year)
}

fn skip_words<'a, 'b>(words: &'a [&'b str], count: usize) -> &'a [&'b str] {
    words.get(count..).unwrap_or_default()
}

/// What stands in the first message of a mailbox that UW IMAP, Pine or Dovecot keeps.
const INTERNAL: &[u8] = b"DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA";

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
        if self.is_too_large || self.raw.len() > limit {
            return Item::unread(name, Unread::too_large(limit));
        }
        if self.raw.trim_ascii().is_empty() {
            let why = "the message is empty".to_owned();
            return Item::unread(name, Unread::NotAMessage(why));
        }
        if memchr::memmem::find(&self.raw, INTERNAL).is_some_and(|at| at < 1000)
            && self.raw.len() < 4096
        {
            let why = "the mailbox's own index, not a message".to_owned();
            return Item::unread(name, Unread::PassedOver(why));
        }
        Item::message(&name, self.raw)
    }
}

/// `>From `, `>>From `: one `>` was put before it when the message was stored (mboxrd).
fn unquoted(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|byte| **byte == b'>').count();
    match line.get(quotes..) {
        Some(rest) if quotes > 0 && rest.starts_with(b"From ") => skip(line, 1),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str, limit: usize) -> Vec<(String, Result<String, Unread>)> {
        let mut seen = Vec::new();
        split("m", text.as_bytes(), limit, &mut |item| {
            let raw = item.raw.map(|raw| String::from_utf8(raw).unwrap());
            seen.push((item.name, raw));
            true
        });
        seen
    }

    fn texts(text: &str) -> Vec<String> {
        let all = messages(text, 100_000).into_iter();
        all.map(|(_, raw)| raw.unwrap()).collect()
    }

    const FROM: &str = "From a@example.net Mon Jan  1 00:00:00 2024\n";
    const PATCH: &str = "From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001\n";

    #[test]
    fn messages_are_split_and_unquoted() {
        let text = format!("{FROM}A: 1\n\n>From here\nFrom where\n\n{FROM}B: 2\n\nb\n");
        let first = "A: 1\n\nFrom here\nFrom where\n".to_owned();
        let expected = [
            ("m:1".to_owned(), Ok(first)),
            ("m:2".to_owned(), Ok("B: 2\n\nb\n".to_owned())),
        ];
        assert_eq!(messages(&text, 1000), expected);
    }

    #[test]
    fn no_empty_line_is_needed_between_messages() {
        let text = format!("{FROM}A: 1\n\na\n{FROM}B: 2\n\nb\n{FROM}C: 3\n\nc\n");
        assert_eq!(texts(&text), ["A: 1\n\na\n", "B: 2\n\nb\n", "C: 3\n\nc\n"]);
    }

    #[test]
    fn bare_and_undated_from_lines_separate() {
        for from in ["From \n", "From \r\n", "From -\n", "From a@example.net\n"] {
            let text = format!("{from}A: 1\n\na\n\n{from}B: 2\n\nb\n");
            assert_eq!(texts(&text), ["A: 1\n\na\n", "B: 2\n\nb\n"], "{from:?}");
        }
        let text = "From \nA: 1\n\na\nFrom \nB: 2\n\nb\n";
        assert_eq!(texts(text).len(), 2, "without an empty line");
        let text = format!("{FROM}A: 1\n\na\n\nFrom \nB: 2\n\nb\n");
        assert_eq!(texts(&text).len(), 2, "two programs wrote it");
    }

    #[test]
    fn a_quoted_patch_does_not_separate_and_a_file_of_patches_is_split() {
        let patch = format!("{PATCH}From: a@example.net\nSubject: [PATCH] x\n\n---\n");
        let text = format!("{FROM}A: 1\n\nSee:\n\n{patch}");
        assert_eq!(texts(&text).len(), 1);
        assert_eq!(texts(&format!("{patch}\n{patch}")).len(), 2);
    }

    #[test]
    fn text_that_looks_a_little_like_it_does_not_split() {
        for text in [
            "x\n\nFrom Monday on we meet\nx\nFrom a Mon Jan 1 00:00:00 2024\nand on\n",
            "x\n\nFrom the\nTo: b\n",
            "x\n\nFrom b@example.net\nTo: b\n",
            "x\n\nFrom \nno field\n",
            "x\nFrom a Mon Jan 1 00:00:00 2024",
        ] {
            let seen = messages(&format!("{FROM}A: 1\n\n{text}"), 1000);
            assert_eq!(seen.len(), 1, "{text:?}");
            assert_eq!(seen[0].0, "m", "a single message is named like its file");
            assert!(seen[0].1.as_ref().unwrap().ends_with(text), "{text:?}");
        }
    }

    #[test]
    fn a_message_has_its_limit_at_n_and_n_plus_one_and_the_next_is_read() {
        for (limit, fits) in [(6, true), (5, false)] {
            let seen = messages(&format!("{FROM}A: 12\n\n{FROM}B: 2\n"), limit);
            assert_eq!((seen[0].1.is_ok(), seen.len()), (fits, 2));
            assert!(seen[1].1.is_ok());
        }
    }

    #[test]
    fn the_index_of_a_mailbox_is_passed_over() {
        let index = "From MAILER-DAEMON Mon Jan  1 00:00:00 2024\nFrom: x\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n\nx\n\n";
        let seen = messages(&format!("{index}{FROM}A: 1\n"), 1000);
        assert!(matches!(seen[0].1, Err(Unread::PassedOver(_))) && seen[1].1.is_ok());
    }
}
