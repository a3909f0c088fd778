//! The parts of a message that are read as text.

use std::borrow::Cow;

use super::charset::{Decoded, Trust, decode};
use gatepost_mail::{Entity, EntityKind, Message, TransferEncoding};
use gatepost_words::bytes;

/// Blank lines in a row that are kept.
const BLANK_LINES: usize = 20;
/// Bytes of a line in a part of a multipart.
const PART_LINE: usize = 2_048;

/// One part, decoded.
pub(super) struct TextSource<'m> {
    /// The text, charset undone.
    pub(super) source: Cow<'m, str>,
    /// See [`super::charset::Decoded`].
    pub(super) is_wide: bool,
    /// It is rendered as HTML.
    pub(super) is_html: bool,
}

/// How SpamAssassin takes a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Read as it is.
    Plain,
    /// Rendered.
    Html,
    /// Text or message, but only `rawbody` rules see it.
    Raw,
    /// Nothing that is read.
    Other,
}

/// The role of an entity: a file name that ends like one of HTML makes it HTML, any unknown kind of
/// text is plain.
pub(super) fn role(entity: &Entity<'_>) -> Role {
    let kind = &entity.media_type;
    let is_named_html = entity
        .file_name
        .as_deref()
        .and_then(|name| name.rsplit_once('.'))
        .is_some_and(|(_, extension)| {
            ["htm", "html", "shtm", "shtml"]
                .iter()
                .any(|known| extension.trim_end_matches('\n').eq_ignore_ascii_case(known))
        });
    match (entity.kind, kind.main.as_str(), kind.sub.as_str()) {
        (EntityKind::Leaf, main, sub) if is_named_html || (main, sub) == ("text", "html") => {
            Role::Html
        }
        (EntityKind::Leaf, "text", "calendar" | "x-vcard") | (EntityKind::Leaf, "message", _) => {
            Role::Raw
        }
        (EntityKind::Leaf, "text", _) | (EntityKind::Multipart, _, _) => Role::Plain,
        _ => Role::Other,
    }
}

/// The leaves in order. A multipart without parts has one, which is empty.
pub(super) fn leaves<'m, 'a>(message: &'m Message<'a>) -> impl Iterator<Item = &'m Entity<'a>> {
    let entities = &message.entities;
    entities.iter().enumerate().filter_map(|(index, entity)| {
        let has_parts = entities
            .get(index + 1)
            .is_some_and(|next| next.parent == Some(index));
        (entity.kind == EntityKind::Leaf || (entity.kind == EntityKind::Multipart && !has_parts))
            .then_some(entity)
    })
}

/// The leaves in order; `None` for those that are not read.
pub(super) fn sources<'m>(message: &'m Message<'_>) -> Vec<Option<TextSource<'m>>> {
    let lines = LineEnds::of(message);
    let source = |entity: &'m Entity<'_>| {
        let role = role(entity);
        if !matches!(role, Role::Plain | Role::Html) {
            return None;
        }
        let charset = entity.text_charset();
        let decoded = match content(entity, lines) {
            Cow::Borrowed(content) => decode(content, charset.as_deref(), Trust::Guess),
            Cow::Owned(content) => {
                let decoded = decode(&content, charset.as_deref(), Trust::Guess);
                Decoded {
                    text: Cow::Owned(decoded.text.into_owned()),
                    is_wide: decoded.is_wide,
                }
            }
        };
        Some(TextSource {
            source: decoded.text,
            is_wide: decoded.is_wide,
            is_html: role == Role::Html,
        })
    };
    leaves(message).map(source).collect()
}

/// How lines end, as the first and the last line of the message say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnds {
    /// CRLF; it becomes LF.
    Internet,
    /// LF; what carriage returns there are stay.
    Unix,
}

impl LineEnds {
    /// How the lines of a message end.
    pub(super) fn of(message: &Message<'_>) -> Self {
        let raw = message.raw;
        let start = if raw.starts_with(b"From ") {
            memchr::memchr(b'\n', raw).map_or(0, |end| end + 1)
        } else {
            0
        };
        let first = bytes::skip(raw, start);
        let first_end = memchr::memchr(b'\n', first).and_then(|end| first.get(..end));
        let is_internet =
            first_end.is_some_and(|line| line.ends_with(b"\r")) || raw.ends_with(b"\r\n");
        if is_internet {
            Self::Internet
        } else {
            Self::Unix
        }
    }
}

/// The content of a leaf with its line ends and blank lines as SpamAssassin keeps them.
pub(super) fn content<'m>(entity: &'m Entity<'_>, lines: LineEnds) -> Cow<'m, [u8]> {
    if entity.encoding == TransferEncoding::Base64 {
        return unix_lines(&entity.content);
    }
    // The line end before a delimiter and the blank line after a header are part of the runs that
    // are shortened.
    let part = usize::from(entity.parent.is_some());
    let keeps = BlankLines {
        first: BLANK_LINES - part,
        last: BLANK_LINES - part,
    };
    let is_kept = lines == LineEnds::Unix && entity.encoding != TransferEncoding::QuotedPrintable;
    let text = if is_kept {
        Cow::Borrowed(&*entity.content)
    } else {
        unix_lines(&entity.content)
    };
    let text = applied(text, |text| keeps.shortened(text));
    let has_long_lines = part > 0 && entity.encoding != TransferEncoding::QuotedPrintable;
    if has_long_lines {
        applied(text, with_short_lines)
    } else {
        text
    }
}

fn applied(text: Cow<'_, [u8]>, change: impl Fn(&[u8]) -> Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => change(text),
        Cow::Owned(text) => match change(&text) {
            Cow::Borrowed(_) => Cow::Owned(text),
            Cow::Owned(changed) => Cow::Owned(changed),
        },
    }
}

/// Lines of parts are broken after so many bytes; the line end counts.
fn with_short_lines(text: &[u8]) -> Cow<'_, [u8]> {
    if text
        .split_inclusive(|byte| *byte == b'\n')
        .all(|line| line.len() <= PART_LINE)
    {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len() + text.len() / PART_LINE + 1);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let mut rest = line;
        while let Some((start, behind)) = rest
            .split_at_checked(PART_LINE)
            .filter(|(_, behind)| !behind.is_empty())
        {
            out.extend_from_slice(start);
            out.push(b'\n');
            rest = behind;
        }
        out.extend_from_slice(rest);
    }
    Cow::Owned(out)
}

/// How many blank lines are kept at the start and at the end of a part.
struct BlankLines {
    first: usize,
    last: usize,
}

impl BlankLines {
    /// Longer runs of blank lines lose those after the first one.
    fn shortened<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let (mut out, mut copied) = (Vec::new(), 0);
        // Where the lines of the run begin that is being read.
        let mut run: Vec<usize> = Vec::new();
        let mut at = 0;
        for line in text
            .split_inclusive(|byte| *byte == b'\n')
            .map(Some)
            .chain([None])
        {
            if line.is_some_and(|line| {
                line.iter()
                    .all(|byte| byte.is_ascii_whitespace() || *byte == 0x0b)
            }) {
                run.push(at);
            } else if !run.is_empty() {
                let most = match (run.first(), line) {
                    (_, None) => self.last,
                    (Some(0), _) => self.first,
                    _ => BLANK_LINES,
                };
                if let Some(from) = run.get(1).filter(|_| run.len() > most)
                    && let Some(to) = run.get(run.len() - (most - 1))
                {
                    out.extend_from_slice(bytes::slice(text, copied..*from));
                    copied = *to;
                }
                run.clear();
            }
            at += line.map_or(0, <[u8]>::len);
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        out.extend_from_slice(bytes::skip(text, copied));
        Cow::Owned(out)
    }
}

/// Text with CRLF as LF.
fn unix_lines(content: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memmem::find(content, b"\r\n").is_none() {
        return Cow::Borrowed(content);
    }
    let mut text = Vec::with_capacity(content.len());
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                text.extend_from_slice(line);
                text.push(b'\n');
            }
            None => text.extend_from_slice(line),
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_runs_of_blank_lines_are_shortened() {
        let keeps = BlankLines {
            first: 19,
            last: 18,
        };
        for (before, count, behind, kept) in [
            ("a\n", 20, "b", 20),
            ("a\n", 21, "b", 20),
            ("", 19, "b", 19),
            ("", 20, "b", 19),
            ("a\n", 18, "", 18),
            ("a\n", 19, "", 18),
        ] {
            let text = |count| format!("{before}{}{behind}", "\n".repeat(count));
            assert_eq!(
                keeps.shortened(text(count).as_bytes()),
                text(kept).as_bytes(),
                "{before:?} {count} {behind:?}"
            );
        }
    }

    #[test]
    fn lines_of_parts_are_broken_at_the_limit() {
        for (length, wanted) in [(PART_LINE - 1, 1), (PART_LINE, 2), (2 * PART_LINE, 3)] {
            let text = format!("a\n{}\n", "b".repeat(length));
            let got = with_short_lines(text.as_bytes());
            assert_eq!(
                memchr::memchr_iter(b'\n', &got).count(),
                1 + wanted,
                "{length}"
            );
        }
    }

    #[test]
    fn line_ends_are_reported() {
        for (raw, wanted) in [
            ("A: b\r\n\r\nc\n", LineEnds::Internet),
            ("A: b\n\nc\r\n", LineEnds::Internet),
            ("From a\r\nA: b\n\nc\r\nd\n", LineEnds::Unix),
            ("", LineEnds::Unix),
        ] {
            let message = Message::parse(raw.as_bytes(), &gatepost_mail::Limits::default());
            assert_eq!(LineEnds::of(&message), wanted, "{raw:?}");
        }
    }
}
