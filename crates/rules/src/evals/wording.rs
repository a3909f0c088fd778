//! The form of the text: its length, its capitals, its blanks, and whether HTML and plain text say
//! the same.

use std::collections::BTreeMap;

use super::encoding::is_read_as_plain;
use super::signature::Arguments;
use crate::views::lazy::Views;
use gatepost_mail::EntityKind;

/// Fewer bytes have no share of capitals.
const CAPITALS_MIN: usize = 200;
/// Bytes of a paragraph that has no share of blanks.
const SHORT: usize = 5;
/// Lengths of a line of base64.
const CODE_LINE: std::ops::RangeInclusive<usize> = 60..=76;
/// Families of character sets by a piece of their names: their bytes look like capitals when they
/// are not decoded, or their letters have no case.
const CASELESS: &[&str] = &[
    // Cyrillic and Georgian.
    "koi",
    "cp1251",
    "windows-1251",
    "pt154",
    "georgianps",
    "isoir",
    // Chinese, Japanese, Korean, Thai.
    "big5",
    "gb",
    "euc",
    "jis",
    "jp",
    "tis",
];

/// Whether the letters of a character set (lower case) tell nothing by their case.
pub(super) fn is_caseless(charset: &str) -> bool {
    CASELESS.iter().any(|piece| charset.contains(piece))
}

/// Whether a share in percent is more than argument 0 and at most argument 1.
fn is_between(arguments: &Arguments, share: f64) -> bool {
    arguments.number(0).is_none_or(|min| share > min)
        && arguments.number(1).is_none_or(|max| share <= max)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of one message are far below 2^52"
)]
pub(super) fn body_length(views: &Views<'_>, arguments: &Arguments) -> bool {
    let length = views.case().message.body().len() as f64;
    arguments.number(0).is_some_and(|limit| length <= limit)
}

pub(super) fn capitals(views: &Views<'_>, arguments: &Arguments) -> bool {
    let mut charsets = views
        .case()
        .message
        .entities
        .iter()
        .filter_map(|entity| entity.charset.as_deref());
    if charsets.any(is_caseless) {
        return false;
    }
    let (mut length, mut lower, mut upper) = (0, 0, 0);
    for paragraph in views
        .body()
        .iter()
        .filter(|paragraph| has_words(paragraph) && !is_code(paragraph))
    {
        length += paragraph.len();
        for byte in paragraph {
            // Digits count as small letters: dates and numbers do not shout.
            lower += usize::from(byte.is_ascii_lowercase() || byte.is_ascii_digit());
            upper += usize::from(byte.is_ascii_uppercase());
        }
    }
    length >= CAPITALS_MIN
        && is_between(arguments, gatepost_words::percent::of(upper, upper + lower))
}

fn has_words(paragraph: &[u8]) -> bool {
    paragraph.trim_ascii().iter().any(u8::is_ascii_whitespace)
}

/// Whether it begins with two lines of base64 or the like.
fn is_code(paragraph: &[u8]) -> bool {
    let is_code_line = |line: &[u8]| {
        let is_digit =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        CODE_LINE.contains(&line.len()) && line.iter().all(is_digit)
    };
    let mut lines = paragraph.split(|byte| *byte == b' ');
    // A blank has to be after the second one.
    let first_two = lines
        .by_ref()
        .take(2)
        .filter(|line| is_code_line(line))
        .count();
    first_two == 2 && lines.next().is_some()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of one message are far below 2^52"
)]
pub(super) fn blank_lines(views: &Views<'_>, arguments: &Arguments) -> bool {
    let (mut blank, mut lines) = (0, 0);
    for line in views
        .rawbody()
        .iter()
        .flat_map(|chunk| chunk.split_inclusive(|byte| *byte == b'\n'))
    {
        lines += 1;
        blank += usize::from(
            line.iter()
                .all(|byte| byte.is_ascii_whitespace() || *byte == 0x0b),
        );
    }
    let is_judged = lines > 0
        && arguments
            .number(2)
            .is_none_or(|least| lines as f64 >= least);
    // Too short a text has less than none; a minimum of 0 takes it, too.
    let share = if is_judged {
        gatepost_words::percent::of(blank, lines)
    } else {
        -1.0
    };
    let reaches = arguments
        .number(0)
        .is_none_or(|min| min == 0.0 || share > min);
    reaches && arguments.number(1).is_none_or(|max| share <= max)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of one message are far below 2^52"
)]
pub(super) fn vertical_words(views: &Views<'_>, arguments: &Arguments) -> bool {
    let share = |paragraph: &Vec<u8>| {
        let blanks = memchr::memchr_iter(b' ', paragraph).count();
        let others = paragraph.len() - blanks;
        if blanks > others {
            100
        } else {
            100 * blanks / others
        }
    };
    let shares = views
        .body()
        .iter()
        .filter(|paragraph| paragraph.len() > SHORT)
        .map(share);
    let most = shares.max().map_or(-1.0, |share| share as f64);
    // A maximum of 100 means no maximum.
    let is_below = arguments
        .number(1)
        .is_none_or(|max| max >= 100.0 || most < max);
    arguments.number(0).is_none_or(|min| most >= min) && is_below
}

/// How the versions of one text differ in their words.
#[derive(Debug, Default, PartialEq)]
struct Difference {
    /// Different words of the HTML and of the plain text.
    html: usize,
    plain: usize,
    /// Words of the HTML that the plain text has not, or less often.
    missing: usize,
}

/// Words by how often they occur.
type Words<'t> = BTreeMap<&'t str, usize>;

fn add_words<'t>(text: &'t str, words: &mut Words<'t>) {
    let is_word = |word: &&str| word.chars().any(|c| c.is_alphanumeric() || c == '_');
    for word in text.split_whitespace().filter(is_word) {
        *words.entry(word).or_default() += 1;
    }
}

/// The difference of one multipart/alternative; `None` when it has no HTML.
fn difference_of(views: &Views<'_>, outer: usize) -> Option<Difference> {
    let (mut html, mut plain) = (Words::new(), Words::new());
    for text in views
        .case()
        .message
        .texts
        .iter()
        .filter(|text| is_inside(views, text.entity, outer))
    {
        match &text.html {
            Some(facts) => {
                add_words(&text.rendered, &mut html);
                if html.is_empty() && facts.image_count > 0 {
                    // A picture says something that no word of the plain text says.
                    html.insert("\n", 1);
                }
            }
            None => add_words(&text.rendered, &mut plain),
        }
    }
    let unread = unread_texts(views, outer);
    for text in &unread {
        add_words(text, &mut plain);
    }
    let is_missing =
        |(word, count): &(&&str, &usize)| plain.get(**word).is_none_or(|other| other < *count);
    let missing = html.iter().filter(is_missing).count();
    (!html.is_empty()).then_some(Difference {
        html: html.len(),
        plain: plain.len(),
        missing,
    })
}

/// Text of a kind that readers do not show, but SpamAssassin takes for plain, such as `text/plain
/// charset=us-ascii`.
fn unread_texts(views: &Views<'_>, outer: usize) -> Vec<String> {
    let message = views.case().message;
    let is_read = |index: usize| message.texts.iter().any(|text| text.entity == index);
    let leaves = message
        .entities
        .iter()
        .enumerate()
        .filter(|(_, entity)| entity.kind == EntityKind::Leaf);
    leaves
        .filter(|(index, entity)| {
            is_read_as_plain(entity) && is_inside(views, *index, outer) && !is_read(*index)
        })
        .map(|(_, entity)| String::from_utf8_lossy(&entity.content).into_owned())
        .collect()
}

fn is_inside(views: &Views<'_>, entity: usize, outer: usize) -> bool {
    let entities = &views.case().message.entities;
    let mut inner = entity;
    // Parents are before their children, so that this ends.
    while let Some(parent) = entities
        .get(inner)
        .and_then(|entity| entity.parent)
        .filter(|parent| *parent < inner)
    {
        if parent == outer {
            return true;
        }
        inner = parent;
    }
    false
}

/// Each multipart/alternative that has HTML.
fn differences(views: &Views<'_>) -> Vec<Difference> {
    let entities = views.case().message.entities.iter().enumerate();
    let alternatives = entities.filter(|(_, entity)| {
        entity.kind == EntityKind::Multipart && entity.media_type.is("multipart", "alternative")
    });
    alternatives
        .filter_map(|(outer, _)| difference_of(views, outer))
        .collect()
}

/// Calendars send their invitation as HTML alone.
fn is_invitation(views: &Views<'_>) -> bool {
    let kinds = views
        .case()
        .message
        .entities
        .iter()
        .map(|entity| entity.media_type.to_string());
    kinds.eq(["multipart/alternative", "text/html", "text/calendar"])
}

pub(super) fn difference(views: &Views<'_>, arguments: &Arguments) -> bool {
    let all = if is_invitation(views) {
        Vec::new()
    } else {
        differences(views)
    };
    let most = all
        .iter()
        .map(|one| gatepost_words::percent::of(one.missing, one.html))
        .fold(0.0, f64::max);
    let reaches = arguments
        .number(0)
        .is_none_or(|min| min == 0.0 || most > min);
    reaches && arguments.number(1).is_none_or(|max| most <= max)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "words of one message are far below 2^52"
)]
pub(super) fn difference_count(views: &Views<'_>, arguments: &Arguments) -> bool {
    let all = if is_invitation(views) {
        Vec::new()
    } else {
        differences(views)
    };
    let Some(last) = all.last() else { return false };
    let is_long = arguments
        .number(1)
        .is_none_or(|least| last.html as f64 > least);
    is_long
        && arguments
            .number(0)
            .is_some_and(|ratio| last.plain as f64 / last.html as f64 > ratio)
}

#[cfg(test)]
mod tests {
    use super::{is_caseless, is_code};

    #[test]
    fn charsets_without_case() {
        for (charset, wanted) in [
            ("koi8-r", true),
            ("gb2312", true),
            ("iso-2022-jp", true),
            ("utf-8", false),
            ("windows-1252", false),
        ] {
            assert_eq!(is_caseless(charset), wanted, "{charset}");
        }
    }

    #[test]
    fn lines_of_code() {
        let line = |length: usize| "A".repeat(length);
        for (text, wanted) in [
            (format!("{} {} x", line(60), line(76)), true),
            (format!("{} {}", line(60), line(76)), false),
            (format!("{} {} x", line(59), line(76)), false),
            (format!("{} {} x", line(60), line(77)), false),
        ] {
            assert_eq!(is_code(text.as_bytes()), wanted, "{text}");
        }
    }
}
