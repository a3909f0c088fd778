//! Texts without what disguises words: only letters that few signs stand for, in lower case, and
//! the digits that look like them. A pattern such as `r[_\W]?e[_\W]?s[_\W]?t` has no literal of its
//! own; in skeletons it has one.
//!
//! Each byte of a text becomes at most one byte, whatever is around it. So where a pattern
//! matches a text, the pattern that is made in the same way out of its sets matches the skeleton,
//! and has literals that must be there.

use super::ast::{Greed, Node};
use super::byteset::ByteSet;
use super::literals::{Clause, clauses};

/// The outcome for a byte. Digits and signs stand for `a`, `i` and `l` everywhere, so these are
/// left out, too.
fn bone(byte: u8) -> Option<u8> {
    match byte.to_ascii_lowercase() {
        b'a' | b'i' | b'l' => None,
        letter @ b'b'..=b'z' => Some(letter),
        b'3' => Some(b'e'),
        b'0' => Some(b'o'),
        _ => None,
    }
}

/// The skeletons of texts.
#[derive(Debug)]
pub struct Skeletons([Option<u8>; 256]);

impl Skeletons {
    /// The table of bytes.
    pub fn new() -> Self {
        let mut table = [None; 256];
        table
            .iter_mut()
            .zip(0..=u8::MAX)
            .for_each(|(slot, byte)| *slot = bone(byte));
        Self(table)
    }

    /// The skeleton of a text, in place of what `skeleton` held.
    pub fn write(&self, text: &[u8], skeleton: &mut Vec<u8>) {
        skeleton.clear();
        skeleton.extend(
            text.iter()
                .filter_map(|byte| self.0.get(usize::from(*byte)).copied().flatten()),
        );
    }
}

impl Default for Skeletons {
    fn default() -> Self {
        Self::new()
    }
}

/// What is in the skeleton of every text that matches.
pub(super) fn clauses_of_skeleton(node: &Node) -> Vec<Clause> {
    clauses(&mapped(node))
}

/// The pattern for skeletons. Recursion is bounded by the nesting limit of the parser.
fn mapped(node: &Node) -> Node {
    match node {
        Node::Empty | Node::Assert(_) | Node::Look { .. } => Node::Empty,
        Node::Set(set) => image(*set),
        Node::Concat(nodes) => {
            let mut nodes: Vec<Node> = nodes.iter().map(mapped).collect();
            nodes.retain(|node| *node != Node::Empty);
            if nodes.is_empty() {
                Node::Empty
            } else {
                Node::Concat(nodes)
            }
        }
        Node::Alternate(nodes) => {
            let nodes: Vec<Node> = nodes.iter().map(mapped).collect();
            let is_empty = nodes.iter().all(|node| *node == Node::Empty);
            if is_empty {
                Node::Empty
            } else {
                Node::Alternate(nodes)
            }
        }
        Node::Repeat {
            node,
            min,
            max,
            greed,
        } => match mapped(node) {
            Node::Empty => Node::Empty,
            node => Node::Repeat {
                node: Box::new(node),
                min: *min,
                max: *max,
                greed: *greed,
            },
        },
        Node::Capture(_, node) | Node::Atomic(node) => mapped(node),
        // Whatever it was: any text.
        Node::BackReference { .. } => Node::Repeat {
            node: Box::new(Node::Set(ByteSet::ALL)),
            min: 0,
            max: None,
            greed: Greed::Greedy,
        },
    }
}

fn image(set: ByteSet) -> Node {
    let (mut image, mut may_vanish) = (ByteSet::EMPTY, false);
    for byte in set.bytes() {
        match bone(byte) {
            Some(bone) => image.insert(bone),
            None => may_vanish = true,
        }
    }
    match (image == ByteSet::EMPTY, may_vanish) {
        // A set without any byte never matches; to say nothing of it is right, too.
        (true, _) => Node::Empty,
        (false, false) => Node::Set(image),
        (false, true) => Node::Repeat {
            node: Box::new(Node::Set(image)),
            min: 0,
            max: Some(1),
            greed: Greed::Greedy,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::parse::{Flags, parse};
    use super::{Skeletons, clauses_of_skeleton};
    use crate::{Budget, Cache, Pattern};

    fn skeleton(text: &str) -> String {
        let mut skeleton = Vec::new();
        Skeletons::new().write(text.as_bytes(), &mut skeleton);
        String::from_utf8(skeleton).unwrap()
    }

    #[test]
    fn skeletons_of_texts() {
        for (text, wanted) in [
            ("R-3_s.T 0", "resto"),
            ("a4@i1!l|", ""),
            ("\u{e9}T\u{e0}", "t"),
            ("", ""),
        ] {
            assert_eq!(skeleton(text), wanted, "{text}");
        }
    }

    #[test]
    fn gaps_vanish() {
        for (pattern, wanted) in [
            (r"r[_\W]?[e3][_\W]?s[_\W]{0,3}t", Some("rest")),
            (r"(?:\b|\s)_{0,3}d[_\W]?[a4@]rv\bon", Some("drvon")),
            (r"t.s.t", None),
            (r"[a4]i1", None),
            (r"(t)es\1", Some("tes")),
        ] {
            let node = parse(pattern.as_bytes(), Flags::default()).unwrap().node;
            let literals = clauses_of_skeleton(&node)
                .into_iter()
                .next()
                .map(|clause| clause.literals);
            assert_eq!(
                literals,
                wanted.map(|wanted| vec![wanted.as_bytes().to_vec()]),
                "{pattern}"
            );
        }
    }

    const PIECES: &[&str] = &[
        "t",
        "e",
        "s",
        "[e3]",
        "[s5]",
        "a",
        r"[_\W]?",
        r"[_\W]{0,2}",
        "(?:te|s)",
        r"(?:te|\W)",
        "t{2}",
        "(?:te|s){2}",
        ".",
        r"\b",
        "(?=t)",
        "[^t]",
        "(?:tes){2,3}",
        "(t|e)",
        r"\1",
    ];

    proptest! {
        /// What must be in the skeleton is there wherever the pattern matches.
        #[test]
        fn skeletons_have_what_they_must(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 2..9),
            text in "[tesTES305a_ -]{0,16}",
        ) {
            let pattern = pieces.concat();
            let Ok(parsed) = parse(pattern.as_bytes(), Flags::default()) else { return Ok(()) };
            let compiled = Pattern::compile(&format!("/{pattern}/")).unwrap();
            if compiled.is_match(&mut Cache::default(), &mut Budget::default(), text.as_bytes()) {
                let skeleton = skeleton(&text);
                for clause in clauses_of_skeleton(&parsed.node) {
                    let places = |literal: &Vec<u8>| {
                        skeleton.as_bytes().windows(literal.len()).filter(|window| window == literal).count()
                    };
                    let found: usize = clause.literals.iter().map(places).sum();
                    prop_assert!(found >= usize::from(clause.times), "{clause:?} in {skeleton}");
                }
            }
        }
    }
}
