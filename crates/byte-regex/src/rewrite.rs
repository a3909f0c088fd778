//! Patterns that are slow as written, in another form that matches exactly the same texts.

use super::ast::{Assertion, Greed, Node};
use super::byteset::ByteSet;

/// Shorter runs are no trouble.
const SHORTEST: u32 = 16;

/// For `/\S.{250}/` and the like: a byte out of A, then a run of at least n bytes out of B, where A
/// is a part of B.
///
/// Every byte out of A begins another count, so that an automaton has up to 2^n states. But the
/// first one in a run of B is enough: if a later one has n bytes of B after it, the first has too.
/// So the run is entered at its start, skips to the first A, and counts once. Only whether it
/// matches is the same, not where.
pub(super) fn for_yes_or_no(node: &Node) -> Option<Node> {
    let Node::Concat(nodes) = inside(node) else {
        return None;
    };
    let (Some(first), Some(run)) = (nodes.first().map(inside), nodes.get(1).map(inside)) else {
        return None;
    };
    if !nodes.iter().skip(2).all(Node::always_matches) {
        return None;
    }
    let (Node::Set(first), Node::Repeat { node, min, .. }) = (first, run) else {
        return None;
    };
    let Node::Set(among) = inside(node) else {
        return None;
    };
    if *min < SHORTEST || first.intersection(among.complement()) != ByteSet::EMPTY {
        return None;
    }
    let repeat = |set: ByteSet, min: u32, max: Option<u32>| Node::Repeat {
        node: Box::new(Node::Set(set)),
        min,
        max,
        greed: Greed::Greedy,
    };
    let start = Node::Alternate(vec![
        Node::Assert(Assertion::Start),
        Node::Set(among.complement()),
    ]);
    let skipped = among.intersection(first.complement());
    Some(Node::Concat(vec![
        start,
        repeat(skipped, 0, None),
        Node::Set(*first),
        repeat(*among, *min, Some(*min)),
    ]))
}

/// What is in captures.
fn inside(mut node: &Node) -> &Node {
    while let Node::Capture(_, inner) = node {
        node = inner;
    }
    node
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{Budget, Cache, Pattern};

    proptest! {
        /// The rewritten pattern finds what the one as written finds; `count` uses the one as written.
        #[test]
        fn rewriting_changes_nothing(
            first in prop::sample::select(vec![r"\S", "[a-c]", "a", ".", r"[^\n]", "(b)"]),
            run in prop::sample::select(vec![".", "[a-d]", r"[^\n]", "(?:[a-c])", "a"]),
            tail in prop::sample::select(vec!["", ".*", "x?"]),
            text in "([a-e]{0,24}[ \n]{0,2}){0,6}",
        ) {
            let pattern = Pattern::compile(&format!("/{first}{run}{{16}}{tail}/")).unwrap();
            let (mut cache, mut budget) = (Cache::default(), Budget::default());
            let counted = pattern.count(&mut cache, &mut budget, text.as_bytes(), 1) > 0;
            prop_assert_eq!(pattern.is_match(&mut cache, &mut budget, text.as_bytes()), counted);
            prop_assert_eq!(pattern.matches(text.as_bytes()), counted);
        }
    }

    #[test]
    fn only_safe_shapes_are_rewritten() {
        for (pattern, wanted) in [
            (r"/\S.{250}/", true),
            (r"/(\S).{250,}/", true),
            (r"/\S.{250}x/", false),
            (r"/\n.{250}/", false),
            (r"/\S.{15}/", false),
            (r"/\S.{16}/", true),
        ] {
            assert_eq!(
                Pattern::compile(pattern).unwrap().is_rewritten(),
                wanted,
                "{pattern}"
            );
        }
    }
}
