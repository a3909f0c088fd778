//! What is left of a pattern for plain texts: those of ASCII bytes without `&`.
//!
//! Most texts are plain, and patterns against disguised words (a letter, all its look-alikes in UTF-8 and as HTML entities)
//! shrink to a few literals when only plain texts are asked. On these the smaller pattern matches exactly as the whole one
//! does: only what could never match is left out.

use super::ast::Node;
use super::byteset::ByteSet;

/// Sets that keep more bytes than this stay as they are: nothing is won.
const SMALL_SET: u32 = 24;

/// The bytes of plain texts.
fn plain() -> ByteSet {
    ByteSet::that(|byte| byte.is_ascii() && byte != b'&')
}

/// Whether a text is plain.
pub(in crate::rules) fn is_plain(text: &[u8]) -> bool {
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

/// The pattern without what needs other bytes; `None` when nothing is left. Recursion is bounded by the nesting limit of
/// the parser.
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
        Node::Concat(nodes) => Node::Concat(nodes.iter().map(|node| reduced(node, bytes)).collect::<Option<_>>()?),
        Node::Alternate(nodes) => {
            let mut kept: Vec<Node> = nodes.iter().filter_map(|node| reduced(node, bytes)).collect();
            if kept.len() > 1 { Node::Alternate(kept) } else { kept.pop()? }
        }
        Node::Repeat { node, min, max, greed } => match boxed(node) {
            Some(node) => Node::Repeat { node, min: *min, max: *max, greed: *greed },
            None if *min == 0 => Node::Empty,
            None => return None,
        },
        Node::Capture(number, node) => Node::Capture(*number, boxed(node)?),
        Node::Look { ahead, negative, node } => match boxed(node) {
            Some(node) => Node::Look { ahead: *ahead, negative: *negative, node },
            None if *negative => Node::Empty,
            None => return None,
        },
        Node::Atomic(node) => Node::Atomic(boxed(node)?),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::parse::{Flags, parse};
    use super::{Plain, for_plain_texts, is_plain};
    use crate::rules::regex::{Budget, Cache, Pattern};

    #[test]
    fn plain_texts_are_ascii_without_entities() {
        for (text, wanted) in [("", true), ("a #1;\n", true), ("a&b", false), ("\u{e9}", false), ("\x7f", true)] {
            assert_eq!(is_plain(text.as_bytes()), wanted, "{text}");
        }
    }

    #[test]
    fn patterns_shrink() {
        let node = |pattern: &str| parse(pattern.as_bytes(), Flags::default()).unwrap().node;
        for (pattern, wanted) in [(r"(?:[v\xc0]|\xe1.|&#1;)i", Some("vi")), (r"a\xc0?b", None), (r"a(?!\xc0)b", None)] {
            let Plain::Smaller(smaller) = for_plain_texts(&node(pattern)) else { panic!("{pattern}") };
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
