//! How a match can begin: short texts, one of which is (in any ASCII case) where a match
//! starts.
//!
//! For a large pattern it is far cheaper to try it there than to run its automaton over the whole
//! text.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};

use super::ast::Node;
use super::byteset::ByteSet;

/// Bytes of a beginning.
const LENGTH: usize = 3;
/// A beginning that is shorter is nearly everywhere.
const SHORTEST: usize = 2;
/// Most beginnings.
const MOST: usize = 2_048;
/// A set of more bytes ends a beginning.
const WIDEST_SET: u32 = 40;

/// A beginning; the flag tells that nothing more can be said of it.
type Head = (Vec<u8>, bool);

/// An automaton that finds the places where a match can begin; `None` where that would be most
/// places.
pub(super) fn starts(node: &Node) -> Option<AhoCorasick> {
    let heads = extended(BTreeSet::from([(Vec::new(), false)]), node)?;
    if heads.iter().any(|(head, _)| head.len() < SHORTEST) {
        return None;
    }
    let literals: BTreeSet<Vec<u8>> = heads.into_iter().map(|(head, _)| head).collect();
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .build(literals)
        .ok()
}

/// Every beginning, with what the node adds. Recursion is bounded by the nesting limit of the
/// parser.
fn extended(heads: BTreeSet<Head>, node: &Node) -> Option<BTreeSet<Head>> {
    if heads.iter().all(|(_, ended)| *ended) {
        return Some(heads);
    }
    let heads = match node {
        // They add nothing; that they may forbid something does not matter.
        Node::Empty | Node::Assert(_) | Node::Look { .. } => heads,
        Node::BackReference { .. } => heads.into_iter().map(|(head, _)| (head, true)).collect(),
        Node::Set(set) => followed(heads, *set),
        Node::Concat(nodes) => nodes.iter().try_fold(heads, extended)?,
        Node::Alternate(nodes) => {
            let mut all = BTreeSet::new();
            for node in nodes {
                all.extend(extended(heads.clone(), node)?);
                if all.len() > MOST {
                    return None;
                }
            }
            all
        }
        Node::Repeat { node, min, max, .. } => repeated(heads, node, *min, *max)?,
        Node::Capture(_, node) | Node::Atomic(node) => extended(heads, node)?,
    };
    (heads.len() <= MOST).then_some(heads)
}

fn followed(heads: BTreeSet<Head>, set: ByteSet) -> BTreeSet<Head> {
    let lower: BTreeSet<u8> = set.bytes().map(|byte| byte.to_ascii_lowercase()).collect();
    let mut all = BTreeSet::new();
    for (head, ended) in heads {
        if ended || set.len() > WIDEST_SET {
            all.insert((head, true));
            continue;
        }
        for byte in &lower {
            let longer = [head.as_slice(), &[*byte]].concat();
            let ended = longer.len() >= LENGTH;
            all.insert((longer, ended));
        }
    }
    all
}

/// After so many rounds as a beginning is long, nothing new can come.
fn repeated(
    heads: BTreeSet<Head>,
    node: &Node,
    min: u32,
    max: Option<u32>,
) -> Option<BTreeSet<Head>> {
    let rounds = max
        .unwrap_or(u32::MAX)
        .min(u32::try_from(LENGTH).unwrap_or(u32::MAX).max(min.min(8)));
    let mut all = if min == 0 {
        heads.clone()
    } else {
        BTreeSet::new()
    };
    let mut now = heads;
    for round in 1..=rounds {
        now = extended(now, node)?;
        if round >= min || round == rounds {
            all.extend(now.iter().cloned());
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::parse::{Flags, parse};
    use super::starts;
    use crate::{Budget, Cache, Pattern};

    #[test]
    fn beginnings_are_found() {
        let node = |pattern: &str| parse(pattern.as_bytes(), Flags::default()).unwrap().node;
        for (pattern, text, wanted) in [
            ("(?:your )?(?:name|city)", "a nice CITY", Some(true)),
            ("(?:your )?(?:name|city)", "a nice town", Some(false)),
            ("a{2}b", "aab", Some(true)),
            ("a{2}b", "ab", Some(false)),
            (".abc", "abc", None),
            ("a?", "a", None),
            (r"(ab)\1", "ab", Some(true)),
        ] {
            let found = starts(&node(pattern)).map(|starts| starts.is_match(text));
            assert_eq!(found, wanted, "{pattern}");
        }
    }

    proptest! {
        /// Where no beginning is, nothing matches.
        #[test]
        fn no_match_begins_elsewhere(
            pattern in "(a|b|ab|[ab]|(\\?:ab|ba|c)|(\\?:ab)\\?|a{1,3}|(\\?:b|ca)+|1|(\\?=a)|\\^){2,6}",
            text in "[abcABC1]{0,12}",
        ) {
            let Ok(parsed) = parse(pattern.as_bytes(), Flags::default()) else { return Ok(()) };
            let Some(starts) = starts(&parsed.node) else { return Ok(()) };
            let pattern = Pattern::compile(&format!("/{pattern}/")).unwrap();
            let matches = pattern.is_match(&mut Cache::default(), &mut Budget::default(), text.as_bytes());
            prop_assert!(!matches || starts.is_match(&text));
        }
    }
}
