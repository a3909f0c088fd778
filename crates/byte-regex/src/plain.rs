//! What is left of a pattern for plain texts: those of ASCII bytes without `&`.
//!
//! Most texts are plain, and patterns against disguised words (a letter, all its look-alikes in
//! UTF-8 and as HTML entities) shrink to a few literals when only plain texts are asked. On these
//! the smaller pattern matches exactly as the whole one does: only what could never match is left
//! out.

use super::ast::Node;
use super::byteset::ByteSet;
use super::literals::beginnings;

/// Sets that keep more bytes than this stay as they are: nothing is won.
const SMALL_SET: u32 = 24;

/// The bytes of plain texts.
fn plain() -> ByteSet {
    ByteSet::that(|byte| byte.is_ascii() && byte != b'&')
}

/// Whether a text is plain.
pub fn is_plain(text: &[u8]) -> bool {
    text.is_ascii() && memchr::memchr(b'&', text).is_none()
}

/// A pattern, asked about plain texts only.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// It is no other.
    Same,
    /// It matches none.
    Never,
    /// It is smaller.
    Smaller(Node),
}

/// What is left of a pattern.
pub(super) fn for_plain_texts(node: &Node) -> Plain {
    match reduced(node, plain()) {
        None => Plain::Never,
        Some(smaller) if smaller == *node => Plain::Same,
        Some(smaller) => Plain::Smaller(smaller),
    }
}

/// The pattern without what needs other bytes; `None` when nothing is left. Recursion is bounded by
/// the nesting limit of the parser.
fn reduced(node: &Node, bytes: ByteSet) -> Option<Node> {
    let boxed = |node: &Node| reduced(node, bytes).map(Box::new);
    Some(match node {
        Node::Empty | Node::Assert(_) | Node::BackReference { .. } => node.clone(),
        Node::Set(set) => {
            let kept = set.intersection(bytes);
            match kept.len() {
                0 => return None,
                1..=SMALL_SET => Node::Set(kept),
                _ => Node::Set(*set),
            }
        }
        Node::Concat(nodes) => Node::Concat(
            nodes
                .iter()
                .map(|node| reduced(node, bytes))
                .collect::<Option<_>>()?,
        ),
        Node::Alternate(nodes) => {
            let mut kept: Vec<Node> = nodes
                .iter()
                .filter_map(|node| reduced(node, bytes))
                .collect();
            if kept.len() > 1 {
                Node::Alternate(kept)
            } else {
                kept.pop()?
            }
        }
        Node::Repeat {
            node,
            min,
            max,
            greed,
        } => match boxed(node) {
            Some(node) => Node::Repeat {
                node,
                min: *min,
                max: *max,
                greed: *greed,
            },
            None if *min == 0 => Node::Empty,
            None => return None,
        },
        Node::Capture(number, node) => Node::Capture(*number, boxed(node)?),
        Node::Look {
            ahead,
            negative,
            node,
        } => match boxed(node) {
            Some(node) => Node::Look {
                ahead: *ahead,
                negative: *negative,
                node,
            },
            None if *negative => Node::Empty,
            None => return None,
        },
        Node::Atomic(node) => Node::Atomic(boxed(node)?),
    })
}

/// Most literals for what was left out.
const MOST_DROPPED: usize = 2_048;
/// A literal of more bytes tells enough.
const LONG_ENOUGH: usize = 2;

/// Literals (in lower case) of which one is in every text that the pattern matches by something
/// that was left out of it; `None` where they are too many.
pub(super) fn dropped(node: &Node) -> Option<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    match reduced(node, plain()) {
        Some(_) => left_out(node, &mut found),
        None => needed(node, &mut found),
    }
    found.sort_unstable();
    found.dedup();
    (found.len() <= MOST_DROPPED).then_some(found)
}

/// Adds literals for what [`reduced`] leaves out of a pattern of which something is left.
fn left_out(node: &Node, found: &mut Vec<Vec<u8>>) {
    let mut part = |node: &Node| match reduced(node, plain()) {
        Some(_) => left_out(node, found),
        None => needed(node, found),
    };
    match node {
        Node::Set(set) if set.intersection(plain()).len() <= SMALL_SET => {
            found.extend(
                set.intersection(plain().complement())
                    .bytes()
                    .map(|byte| vec![byte]),
            );
        }
        // What is looked at is no part of the literals of a pattern.
        Node::Empty
        | Node::Assert(_)
        | Node::BackReference { .. }
        | Node::Set(_)
        | Node::Look { .. } => {}
        Node::Concat(nodes) | Node::Alternate(nodes) => nodes.iter().for_each(part),
        Node::Repeat { node, .. } | Node::Capture(_, node) | Node::Atomic(node) => part(node),
    }
}

/// Adds literals of which one is in every text that matches a pattern of which nothing is left.
fn needed(node: &Node, found: &mut Vec<Vec<u8>>) {
    let begins = beginnings(node);
    if !begins.is_empty() && begins.iter().all(|text| text.len() >= LONG_ENOUGH) {
        found.extend(begins);
        return;
    }
    match node {
        Node::Set(set) => found.extend(set.bytes().map(|byte| vec![byte])),
        Node::Concat(nodes) => {
            if let Some(part) = nodes.iter().find(|node| reduced(node, plain()).is_none()) {
                needed(part, found);
            }
        }
        Node::Alternate(nodes) => nodes.iter().for_each(|node| needed(node, found)),
        Node::Repeat { node, .. }
        | Node::Capture(_, node)
        | Node::Look { node, .. }
        | Node::Atomic(node) => {
            needed(node, found);
        }
        // Of these something is always left.
        Node::Empty | Node::Assert(_) | Node::BackReference { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::parse::{Flags, parse};
    use super::{Plain, for_plain_texts, is_plain};
    use crate::{Budget, Cache, Pattern};

    #[test]
    fn plain_texts_are_ascii_without_entities() {
        for (text, wanted) in [
            ("", true),
            ("a #1;\n", true),
            ("a&b", false),
            ("\u{e9}", false),
            ("\x7f", true),
        ] {
            assert_eq!(is_plain(text.as_bytes()), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_left_out_has_literals() {
        let dropped = |pattern: &str| {
            super::dropped(&parse(pattern.as_bytes(), Flags::default()).unwrap().node).unwrap()
        };
        for (pattern, wanted) in [
            ("abc", &[][..]),
            (r"[v\xc0]i", &[b"\xc0".as_slice()][..]),
            (r"(?:v|\xe1\x80|&#1;)i", &[b"&#1;", b"\xe1\x80"]),
            (r"a(?:\xe1\x80)?(?!\xc0)", &[b"\xe1\x80"]),
            (r"a(?=\xe1\x80)", &[b"\xe1\x80"]),
            (r"&.{3}b", &[b"&"]),
            (r"[^a]", &[]),
        ] {
            assert_eq!(dropped(pattern), wanted, "{pattern}");
        }
    }

    #[test]
    fn patterns_shrink() {
        let node = |pattern: &str| parse(pattern.as_bytes(), Flags::default()).unwrap().node;
        for (pattern, wanted) in [
            (r"(?:[v\xc0]|\xe1.|&#1;)i", Some("vi")),
            (r"a\xc0?b", None),
            (r"a(?!\xc0)b", None),
        ] {
            let Plain::Smaller(smaller) = for_plain_texts(&node(pattern)) else {
                panic!("{pattern}")
            };
            if let Some(wanted) = wanted {
                assert_eq!(smaller, node(wanted), "{pattern}");
            }
        }
        for pattern in [".", "abc", r"[^\x80-\xff]+", r"(?:a|b)*$"] {
            assert_eq!(for_plain_texts(&node(pattern)), Plain::Same, "{pattern}");
        }
        for pattern in [r"\xc0", "a&b", r"(?:\xc0|&)", r"(?=\x80)a"] {
            assert_eq!(for_plain_texts(&node(pattern)), Plain::Never, "{pattern}");
        }
    }

    proptest! {
        /// What is left decides plain texts as the whole pattern does.
        #[test]
        fn both_forms_agree(
            pattern in "(a|b|[ab\\xc0]|(\\?:a|&1;|\\xc0|b)|\\xe1\\?|(\\?!\\xc0|a)|[^a]|(b|&)+|.){1,5}",
            text in "[ab1;]{0,8}",
        ) {
            let Ok(pattern) = Pattern::compile(&format!("/(?:{pattern})/")) else { return Ok(()) };
            let (mut cache, mut budget) = (Cache::default(), Budget::default());
            let plain = pattern.is_match(&mut cache, &mut budget, text.as_bytes());
            prop_assert_eq!(plain, pattern.count_whole(&mut cache, &mut budget, text.as_bytes(), 1) > 0);
        }
    }
}
