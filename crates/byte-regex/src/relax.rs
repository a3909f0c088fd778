//! A pattern that a finite automaton can decide and that matches wherever the one as written does,
//! and maybe elsewhere.
//!
//! It tells cheaply, in linear time, which texts are worth a try of the backtracking engine, and
//! from which place on.

use std::collections::BTreeMap;

use super::ast::{Greed, Node};
use super::byteset::ByteSet;

/// Nodes of captures that are repeated where they are referred to; beyond, a reference may be any
/// text.
const COPIED_LIMIT: usize = 4_096;

/// Look-around is dropped, what never gives back may give back, and a back-reference is any text
/// that its capture could have matched.
pub(super) fn relaxed(node: &Node) -> Node {
    let mut captures = BTreeMap::new();
    gather(node, &mut captures);
    Relaxer {
        captures,
        left: COPIED_LIMIT,
    }
    .node(node)
}

/// How many sets an automaton has to keep apart.
pub(super) fn written_out(node: &Node) -> usize {
    match node {
        Node::Empty | Node::Assert(_) | Node::Look { .. } | Node::BackReference { .. } => 0,
        Node::Set(_) => 1,
        Node::Concat(nodes) | Node::Alternate(nodes) => {
            nodes.iter().map(written_out).fold(0, usize::saturating_add)
        }
        Node::Repeat { node, min, max, .. } => {
            written_out(node).saturating_mul(max.unwrap_or(*min).max(1) as usize)
        }
        Node::Capture(_, node) | Node::Atomic(node) => written_out(node),
    }
}

fn gather<'n>(node: &'n Node, captures: &mut BTreeMap<u32, &'n Node>) {
    match node {
        Node::Empty | Node::Set(_) | Node::Assert(_) | Node::BackReference { .. } => {}
        Node::Concat(nodes) | Node::Alternate(nodes) => {
            for node in nodes {
                gather(node, captures);
            }
        }
        Node::Capture(number, inner) => {
            captures.insert(*number, inner);
            gather(inner, captures);
        }
        Node::Repeat { node, .. } | Node::Look { node, .. } | Node::Atomic(node) => {
            gather(node, captures);
        }
    }
}

struct Relaxer<'n> {
    captures: BTreeMap<u32, &'n Node>,
    left: usize,
}

impl Relaxer<'_> {
    /// Recursion is bounded by the nesting limit of the parser.
    fn node(&mut self, node: &Node) -> Node {
        match node {
            Node::Empty | Node::Set(_) | Node::Assert(_) => node.clone(),
            Node::Concat(nodes) => Node::Concat(nodes.iter().map(|node| self.node(node)).collect()),
            Node::Alternate(nodes) => {
                Node::Alternate(nodes.iter().map(|node| self.node(node)).collect())
            }
            Node::Repeat {
                node,
                min,
                max,
                greed,
            } => {
                let greed = if *greed == Greed::Possessive {
                    Greed::Greedy
                } else {
                    *greed
                };
                Node::Repeat {
                    node: Box::new(self.node(node)),
                    min: *min,
                    max: *max,
                    greed,
                }
            }
            Node::Capture(_, node) | Node::Atomic(node) => self.node(node),
            Node::Look { .. } => Node::Empty,
            Node::BackReference { capture, fold } => {
                let inner = self.captures.get(capture).copied();
                inner
                    .and_then(|inner| self.copy(inner, *fold))
                    .unwrap_or_else(anything)
            }
        }
    }

    /// The texts of a capture, wherever they are; `None` when that would be too much.
    fn copy(&mut self, node: &Node, fold: bool) -> Option<Node> {
        self.left = self.left.checked_sub(1)?;
        Some(match node {
            Node::Empty | Node::Assert(_) | Node::Look { .. } => Node::Empty,
            Node::Set(set) => Node::Set(if fold { set.folded() } else { *set }),
            Node::Concat(nodes) => Node::Concat(
                nodes
                    .iter()
                    .map(|node| self.copy(node, fold))
                    .collect::<Option<_>>()?,
            ),
            Node::Alternate(nodes) => Node::Alternate(
                nodes
                    .iter()
                    .map(|node| self.copy(node, fold))
                    .collect::<Option<_>>()?,
            ),
            Node::Repeat { node, min, max, .. } => {
                let node = Box::new(self.copy(node, fold)?);
                Node::Repeat {
                    node,
                    min: *min,
                    max: *max,
                    greed: Greed::Greedy,
                }
            }
            Node::Capture(_, node) | Node::Atomic(node) => self.copy(node, fold)?,
            Node::BackReference { .. } => anything(),
        })
    }
}

fn anything() -> Node {
    Node::Repeat {
        node: Box::new(Node::Set(ByteSet::ALL)),
        min: 0,
        max: None,
        greed: Greed::Greedy,
    }
}
