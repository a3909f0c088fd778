//! What the compiler asks about a part of the tree: its captures, whether it is anchored, with which
//! bytes it begins, how long it is.

use super::ast::{Assertion, Node};
use super::byteset::ByteSet;

/// Nodes looked at to find out which byte comes next; beyond, it may be any.
const FOLLOWING_LIMIT: usize = 8;

/// The highest number of a capture.
pub(super) fn captures(node: &Node) -> u32 {
    match node {
        Node::Empty | Node::Set(_) | Node::Assert(_) => 0,
        Node::BackReference { capture, .. } => *capture,
        Node::Concat(nodes) | Node::Alternate(nodes) => {
            nodes.iter().map(captures).max().unwrap_or(0)
        }
        Node::Capture(number, node) => captures(node).max(*number),
        Node::Repeat { node, .. } | Node::Look { node, .. } | Node::Atomic(node) => captures(node),
    }
}

/// Whether it matches only where one of those assertions holds.
pub(super) fn is_anchored(node: &Node, wanted: fn(Assertion) -> bool) -> bool {
    match node {
        Node::Assert(assertion) => wanted(*assertion),
        Node::Concat(nodes) => nodes.first().is_some_and(|node| is_anchored(node, wanted)),
        Node::Alternate(nodes) => nodes.iter().all(|node| is_anchored(node, wanted)),
        Node::Capture(_, node) | Node::Atomic(node) | Node::Repeat { node, min: 1.., .. } => {
            is_anchored(node, wanted)
        }
        _ => false,
    }
}

/// The bytes with which a sequence can begin; `None` when it may match nothing, or when there are
/// too many to be worth it.
pub(super) fn first_of<'n>(nodes: impl Iterator<Item = &'n Node>) -> Option<ByteSet> {
    let mut set = ByteSet::EMPTY;
    for node in nodes.take(FOLLOWING_LIMIT) {
        let (bytes, may_be_empty) = first(node);
        set = set.union(bytes);
        if !may_be_empty {
            return (set != ByteSet::ALL).then_some(set);
        }
    }
    None
}

/// The bytes with which a match that is not empty can begin, and whether it may be empty.
fn first(node: &Node) -> (ByteSet, bool) {
    match node {
        Node::Empty | Node::Assert(_) | Node::Look { .. } => (ByteSet::EMPTY, true),
        Node::Set(set) => (*set, false),
        Node::BackReference { .. } => (ByteSet::ALL, true),
        Node::Capture(_, node) | Node::Atomic(node) => first(node),
        Node::Repeat { node, min, max, .. } => match (min, max) {
            (_, Some(0)) => (ByteSet::EMPTY, true),
            (0, _) => (first(node).0, true),
            _ => first(node),
        },
        Node::Alternate(nodes) => nodes
            .iter()
            .map(first)
            .fold((ByteSet::EMPTY, false), |(set, empty), next| {
                (set.union(next.0), empty || next.1)
            }),
        Node::Concat(nodes) => {
            let mut set = ByteSet::EMPTY;
            for (index, node) in nodes.iter().enumerate() {
                let (bytes, may_be_empty) = first(node);
                set = set.union(bytes);
                if !may_be_empty {
                    return (set, false);
                }
                if index + 1 == FOLLOWING_LIMIT && nodes.len() > FOLLOWING_LIMIT {
                    return (ByteSet::ALL, true);
                }
            }
            (set, true)
        }
    }
}

/// How long a match is: at least, and at most.
pub(super) fn lengths(node: &Node) -> (usize, Option<usize>) {
    let most = |nodes: &[Node], join: fn(usize, usize) -> usize| {
        nodes
            .iter()
            .try_fold(0, |all, node| lengths(node).1.map(|most| join(all, most)))
    };
    let longest = match node {
        Node::Empty | Node::Assert(_) | Node::Look { .. } => Some(0),
        Node::Set(_) => Some(1),
        Node::BackReference { .. } | Node::Repeat { max: None, .. } => None,
        Node::Capture(_, node) | Node::Atomic(node) => lengths(node).1,
        Node::Repeat {
            node,
            max: Some(max),
            ..
        } => lengths(node)
            .1
            .map(|most| most.saturating_mul(*max as usize)),
        Node::Concat(nodes) => most(nodes, usize::saturating_add),
        Node::Alternate(nodes) => most(nodes, usize::max),
    };
    (node.least(), longest)
}
