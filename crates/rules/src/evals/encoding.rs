//! How the entities of a message are declared and encoded (RFC 2045).

use super::signature::Arguments;
use crate::views::lazy::Views;
use gatepost_mail::{Entity, EntityKind, HeaderField};

/// Bytes of a line that may be quoted-printable: 76, two of slack, and the line end.
const QP_LINE: usize = 79;
/// Names of US-ASCII in the IANA registry of character sets.
const ASCII_NAMES: [&str; 11] = [
    "us-ascii",
    "ascii",
    "csascii",
    "us",
    "iso646-us",
    "iso_646.irv:1991",
    "iso-ir-6",
    "ansi_x3.4-1968",
    "ansi_x3.4-1986",
    "ibm367",
    "cp367",
];

pub(super) fn entities<'v>(views: &'v Views<'_>) -> impl Iterator<Item = &'v Entity<'v>> {
    views.case().message.entities.iter()
}

fn leaves<'v>(views: &'v Views<'_>) -> impl Iterator<Item = &'v Entity<'v>> {
    entities(views).filter(|entity| entity.kind == EntityKind::Leaf)
}

/// The last field of that name in lower case; empty where there is none.
fn field(entity: &Entity<'_>, name: &str) -> String {
    let last = entity
        .header
        .iter()
        .rev()
        .find(|field| field.is(name))
        .map(HeaderField::decoded);
    last.unwrap_or_default().trim().to_ascii_lowercase()
}

fn encoding(entity: &Entity<'_>) -> String {
    field(entity, "Content-Transfer-Encoding")
}

/// The lines of an entity as they are in the message, with line feeds alone, as SpamAssassin
/// counts them.
fn lines<'v>(views: &'v Views<'_>, entity: &Entity<'_>) -> impl Iterator<Item = Line<'v>> {
    let raw = views
        .case()
        .message
        .raw
        .get(entity.body.clone())
        .unwrap_or_default();
    raw.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let has_end = text.len() < line.len();
        Line {
            text: text.strip_suffix(b"\r").filter(|_| has_end).unwrap_or(text),
            has_end,
        }
    })
}

struct Line<'v> {
    text: &'v [u8],
    has_end: bool,
}

impl Line<'_> {
    fn len(&self) -> usize {
        self.text.len() + usize::from(self.has_end)
    }
}

pub(super) fn check(views: &Views<'_>, arguments: &Arguments) -> bool {
    let any = |fits: fn(&Entity<'_>) -> bool| entities(views).any(fits);
    match arguments.text(0) {
        "mime_base64_count" => any(|entity| encoding(entity).contains("base64")),
        "mime_base64_encoded_text" => any(is_hidden_ascii),
        "mime_bad_iso_charset" => {
            any(|entity| entity.charset.as_deref().is_some_and(is_unknown_iso))
        }
        "mime_attachment" => {
            any(|entity| field(entity, "Content-Disposition").contains("attachment"))
        }
        "mime_body_html_count" => any(|entity| entity.media_type.is("text", "html")),
        "mime_body_text_count" => any(is_other_text),
        "mime_multipart_alternative" => any(is_alternative),
        "mime_ascii_text_illegal" => ascii_text_illegal(views, arguments),
        "mime_qp_count" => quoting(views).needless > 0,
        "mime_qp_ratio" => quoting(views).ratio() > 0.0,
        "mime_qp_long_line" => quoted_lines(views).any(|line| line.len() > QP_LINE),
        _ => false,
    }
}

/// Kinds of text that SpamAssassin knows no better stand for plain text.
pub(super) fn is_read_as_plain(entity: &Entity<'_>) -> bool {
    entity.media_type.main == "text"
        && !matches!(
            entity.media_type.sub.as_str(),
            "html" | "calendar" | "x-vcard"
        )
}

fn is_other_text(entity: &Entity<'_>) -> bool {
    entity.media_type.main == "text" && entity.media_type.sub != "html"
}

fn is_alternative(entity: &Entity<'_>) -> bool {
    entity.media_type.is("multipart", "alternative")
}

/// Text that would need no base64.
fn is_hidden_ascii(entity: &Entity<'_>) -> bool {
    let charset = entity.charset.as_deref().unwrap_or_default();
    let disposition = field(entity, "Content-Disposition");
    let is_shown_apart = ["attachment", "inline"]
        .iter()
        .any(|kind| disposition.starts_with(kind));
    let is_ascii = charset.is_empty() || ASCII_NAMES.iter().any(|name| charset.contains(name));
    entity.media_type.main == "text"
        && encoding(entity).contains("base64")
        && is_ascii
        && !is_shown_apart
}

/// A character set that calls itself one of ISO's, which ISO does not know.
fn is_unknown_iso(charset: &str) -> bool {
    let Some((_, rest)) = charset.split_once("iso-") else {
        return false;
    };
    let (number, part) = rest.split_once('-').unwrap_or((rest, ""));
    let digits = part.bytes().take_while(u8::is_ascii_digit).count();
    let is_known = match number {
        "8859" => (1..=2).contains(&digits),
        "2022" => part.starts_with("jp") || part.starts_with("kr"),
        _ => false,
    };
    !number.is_empty() && !part.is_empty() && !is_known
}

/// The lines in quoted-printable, without those that report spam.
fn quoted_lines<'v>(views: &'v Views<'_>) -> impl Iterator<Item = Line<'v>> {
    let quoted = leaves(views).filter(|entity| encoding(entity) == "quoted-printable");
    quoted
        .flat_map(|entity| lines(views, entity))
        .filter(|line| !line.text.starts_with(b"SPAM: "))
}

/// How much of the text in quoted-printable is quoted for nothing.
#[derive(Default)]
struct Quoting {
    bytes: usize,
    needless: usize,
}

impl Quoting {
    #[expect(
        clippy::cast_precision_loss,
        reason = "bytes of one message are far below 2^52"
    )]
    fn ratio(&self) -> f64 {
        if self.bytes == 0 {
            0.0
        } else {
            self.needless as f64 / self.bytes as f64
        }
    }
}

fn quoting(views: &Views<'_>) -> Quoting {
    let mut sum = Quoting::default();
    for line in quoted_lines(views) {
        sum.bytes += line.len();
        sum.needless += needless(line.text);
    }
    if sum.bytes == 0 {
        // Without such lines the entities that declare the encoding count.
        let declares = |entity: &&Entity<'_>| {
            let encoding = encoding(entity);
            encoding.contains("quoted-printable") && !encoding.contains("base64")
        };
        sum.needless = entities(views).filter(declares).count();
    }
    sum
}

/// Characters of a line that need no quoting; blanks and tabs at its end do.
fn needless(line: &[u8]) -> usize {
    let value = |high: u8, low: u8| {
        let digit = |byte: u8| {
            char::from(byte)
                .to_digit(16)
                .filter(|_| !byte.is_ascii_lowercase())
        };
        digit(high)
            .zip(digit(low))
            .map(|(high, low)| high * 16 + low)
    };
    let is_needless = |three: &&[u8]| match three {
        [b'=', high, low] => value(*high, *low)
            .is_some_and(|byte| byte == 9 || (0x20..0x7f).contains(&byte) && byte != 0x3d),
        _ => false,
    };
    let end = line.trim_ascii_end();
    let trailing = end
        .rchunks_exact(3)
        .take_while(|three| matches!(*three, b"=09" | b"=20"))
        .count();
    line.windows(3)
        .filter(is_needless)
        .count()
        .saturating_sub(trailing)
}

pub(super) fn qp_ratio(views: &Views<'_>, arguments: &Arguments) -> bool {
    arguments
        .number(0)
        .is_some_and(|least| quoting(views).ratio() >= least)
}

pub(super) fn html(views: &Views<'_>, _: &Arguments) -> bool {
    entities(views).any(|entity| entity.media_type.is("text", "html"))
}

pub(super) fn html_only(views: &Views<'_>, arguments: &Arguments) -> bool {
    let is_declared = views
        .text("Content-Type")
        .to_ascii_lowercase()
        .starts_with("text/html");
    is_declared || (html(views, arguments) && !entities(views).any(is_other_text))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of one message are far below 2^52"
)]
pub(super) fn multipart_ratio(views: &Views<'_>, arguments: &Arguments) -> bool {
    // The last part of either kind counts; what is before the alternatives is no version of the
    // same text.
    let (mut has_alternatives, mut text, mut html) = (false, None, None);
    for entity in entities(views) {
        has_alternatives |= is_alternative(entity);
        let slot = match (
            entity.media_type.main.as_str(),
            entity.media_type.sub.as_str(),
        ) {
            ("text", "plain") => &mut text,
            ("text", "html") => &mut html,
            _ => continue,
        };
        if entity.kind == EntityKind::Leaf
            && !field(entity, "Content-Disposition").contains("attachment")
        {
            let size: usize = lines(views, entity).map(|line| line.len()).sum();
            *slot = Some(if has_alternatives { size } else { 0 });
        }
    }
    let ratio = match (text, html) {
        (Some(text), Some(html)) if has_alternatives && html > 0 => text as f64 / html as f64,
        _ => 1.0,
    };
    arguments.spans(ratio, false)
}

pub(super) fn ascii_text_illegal(views: &Views<'_>, _: &Arguments) -> bool {
    leaves(views).any(|entity| {
        let is_ascii = entity
            .charset
            .as_deref()
            .is_none_or(|charset| charset == "us-ascii");
        let is_illegal = |byte: &u8| matches!(byte, 0 | b'\r' | 0x80..);
        is_read_as_plain(entity)
            && is_ascii
            && lines(views, entity).any(|line| line.text.iter().any(is_illegal))
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of one message are far below 2^52"
)]
pub(super) fn unicode_ratio(views: &Views<'_>, arguments: &Arguments) -> bool {
    /// The bytes of `&#x0041;`.
    const CODE: usize = 8;
    let is_code = |window: &&[u8]| match window {
        [b'&', b'#', b'x', digits @ .., b';'] => digits
            .iter()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')),
        _ => false,
    };
    let is_plain = |entity: &&Entity<'_>| {
        entity.media_type.is("text", "plain")
            && matches!(encoding(entity).as_str(), "" | "7bit" | "8bit")
    };
    let (mut others, mut codes) = (0, 0);
    for line in leaves(views)
        .filter(is_plain)
        .flat_map(|entity| lines(views, entity))
    {
        let found = line.text.windows(CODE).filter(is_code).count();
        codes += found;
        others += line.len() - CODE * found;
    }
    others > 0
        && arguments
            .number(0)
            .is_some_and(|ratio| codes as f64 / others as f64 >= ratio)
}

pub(super) fn other_than_text(views: &Views<'_>, _: &Arguments) -> bool {
    let all = &views.case().message.entities;
    all.iter().any(|entity| {
        let parent = entity.parent.and_then(|parent| all.get(parent));
        let kind = &entity.media_type;
        let is_usual =
            kind.main == "text" || kind.is("multipart", "related") || kind.is("application", "rtf");
        parent.is_some_and(is_alternative) && !is_usual
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of one message are far below 2^52"
)]
pub(super) fn base64_length(views: &Views<'_>, arguments: &Arguments) -> bool {
    // Calendars send one long line.
    let is_looked_at = |entity: &&Entity<'_>| {
        encoding(entity) == "base64" && !entity.media_type.is("application", "ics")
    };
    let encoded = leaves(views)
        .filter(is_looked_at)
        .flat_map(|entity| lines(views, entity));
    let longest = encoded.map(|line| line.len()).max().unwrap_or(0) as f64;
    arguments.number(1).is_none_or(|max| longest <= max)
        && arguments.number(0).is_none_or(|min| longest >= min)
}

#[cfg(test)]
mod tests {
    use super::{is_unknown_iso, needless};

    #[test]
    fn needless_quoting() {
        for (line, wanted) in [
            ("=41=42", 2),
            ("=3D=0A=FF=7F", 0),
            ("=09=7E", 2),
            ("=4a=aa", 0),
            ("text=20=20", 0),
            ("=41=20=20", 1),
            ("=20text", 1),
            ("=", 0),
        ] {
            assert_eq!(needless(line.as_bytes()), wanted, "{line}");
        }
    }

    #[test]
    fn character_sets_of_iso() {
        for (charset, wanted) in [
            ("iso-8859-1", false),
            ("iso-8859-15", false),
            ("iso-8859-x", true),
            ("iso-2022-jp", false),
            ("iso-1234-5", true),
            ("iso-8859", false),
            ("utf-8", false),
        ] {
            assert_eq!(is_unknown_iso(charset), wanted, "{charset}");
        }
    }
}
