//! Sets of bytes of which every match must contain one: the cheapest filter there is, for patterns
//! without literals.

use super::ast::Node;
use super::byteset::ByteSet;

/// Sets kept of a pattern.
const MOST: usize = 4;
/// A set that weighs more is in nearly every text and filters nothing.
const HEAVIEST: u32 = 120;

/// The sets, the rarest first; maybe none.
pub(super) fn needs(node: &Node) -> Vec<ByteSet> {
    match node {
        Node::Set(set) => lightest(vec![*set]),
        Node::Concat(nodes) => lightest(nodes.iter().flat_map(needs).collect()),
        Node::Alternate(nodes) => alternation(nodes),
        Node::Repeat { node, min: 1.., .. } | Node::Capture(_, node) | Node::Atomic(node) => {
            needs(node)
        }
        Node::Empty
        | Node::Assert(_)
        | Node::Repeat { .. }
        | Node::Look { .. }
        | Node::BackReference { .. } => Vec::new(),
    }
}

/// A text that matches by one branch has a byte of each set of that branch, and so of any union
/// with one of them in it.
fn alternation(nodes: &[Node]) -> Vec<ByteSet> {
    let branches: Vec<Vec<ByteSet>> = nodes.iter().map(needs).collect();
    let union = |nth: usize| {
        let picked = branches.iter().map(|sets| sets.get(nth).or(sets.last()));
        picked.collect::<Option<Vec<_>>>().map(|sets| {
            sets.into_iter()
                .fold(ByteSet::EMPTY, |all, set| all.union(*set))
        })
    };
    lightest((0..MOST).filter_map(union).collect())
}

fn lightest(mut sets: Vec<ByteSet>) -> Vec<ByteSet> {
    sets.retain(|set| weight(*set) <= HEAVIEST);
    sets.sort_by_cached_key(|set| weight(*set));
    sets.dedup();
    sets.truncate(MOST);
    sets
}

/// How likely a text of some lines has a byte of the set; a rough guess.
fn weight(set: ByteSet) -> u32 {
    CLASSES.iter().fold(set.len(), |all, (class, more)| {
        all.saturating_add(set.intersection(*class).len() * more)
    })
}

/// How much more than 1 the bytes of a class weigh. Those of several classes weigh the sum.
const CLASSES: &[(ByteSet, u32)] = &[
    (ByteSet::range(b'!', b'~'), 5),
    (ByteSet::range(b'0', b'9'), 2),
    (ByteSet::range(b'A', b'Z'), 4),
    (ByteSet::range(b'a', b'z'), 34),
    (ByteSet::range(b'd', b'e'), 60),
    (ByteSet::range(b'h', b'i'), 60),
    (ByteSet::range(b'n', b'o'), 60),
    (ByteSet::range(b'r', b't'), 60),
    (ByteSet::range(b'a', b'a'), 60),
    (ByteSet::range(b'l', b'l'), 60),
    (ByteSet::range(b',', b','), 94),
    (ByteSet::range(b'.', b'.'), 94),
    (ByteSet::range(b'\n', b'\n'), 99),
    (ByteSet::range(b' ', b' '), 99),
];
