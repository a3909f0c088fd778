//! What can be said of a pattern without a text: that nothing can match it, and that one finds all
//! that another finds.

use std::collections::VecDeque;

use super::ast::{Assertion, Node};
use super::byteset::ByteSet;
use super::delimit::delimited;
use super::parse::{Flags, parse};
use super::pattern::bytes_of;

/// Alternatives of one pattern that are written out.
const ALTERNATIVES: usize = 64;
/// Bytes and places of one alternative.
const LENGTH: usize = 64;

/// One place of an alternative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Set(ByteSet),
    Assert(Assertion),
}

/// What is known of a pattern without a text.
#[derive(Debug)]
pub struct PatternFacts {
    node: Node,
    alternatives: Option<Vec<Vec<Item>>>,
}

impl PatternFacts {
    /// From a pattern with its delimiters.
    pub fn new(text: &str) -> Option<Self> {
        let parts = delimited(text).ok()?;
        let mut flags = Flags::default();
        for letter in parts.modifiers.bytes() {
            flags.set(letter, true);
        }
        let node = parse(&bytes_of(parts.pattern), flags).ok()?.node;
        let alternatives = written_out(&node);
        Some(Self { node, alternatives })
    }

    /// Why no text matches; `one_line` when texts have no line feed but at their end.
    pub fn never(&self, one_line: bool) -> Option<&'static str> {
        let mut reason = None;
        let mut before = Before {
            bytes: false,
            line_feed: false,
        };
        let possible = can_match(&self.node, &mut before, one_line, &mut reason);
        if possible {
            None
        } else {
            reason.or(Some("nothing can match it"))
        }
    }

    /// Whether every text that this matches is matched by `other` too, as far as can be seen: both
    /// are a few plain alternatives, and each of ours holds one of theirs.
    pub fn is_within(&self, other: &Self) -> bool {
        let (Some(ours), Some(theirs)) = (&self.alternatives, &other.alternatives) else {
            return false;
        };
        ours.iter()
            .all(|ours| theirs.iter().any(|theirs| holds(ours, theirs)))
    }
}

/// What is before a place, at least.
#[derive(Clone, Copy)]
struct Before {
    bytes: bool,
    /// A line feed, and nothing else, matched there.
    line_feed: bool,
}

/// Walks a pattern from left to right. Says no only when it is sure. Recursion is bounded by the
/// parser's nesting limit.
fn can_match(
    node: &Node,
    before: &mut Before,
    one_line: bool,
    reason: &mut Option<&'static str>,
) -> bool {
    match node {
        Node::Set(set) => {
            if set.len() == 0 {
                *reason = Some("a class in it is empty");
                return false;
            }
            if one_line && before.line_feed {
                *reason = Some("it contains a line end, but is tried on one line at a time");
                return false;
            }
            *before = Before {
                bytes: true,
                line_feed: *set == ByteSet::of(b'\n'),
            };
            true
        }
        Node::Assert(Assertion::Start) if before.bytes => {
            *reason = Some("something must match before its start");
            false
        }
        Node::Empty | Node::Assert(_) | Node::Look { .. } | Node::BackReference { .. } => true,
        Node::Concat(nodes) => {
            let mut ended = false;
            nodes.iter().all(|node| {
                if ended && node.least() > 0 {
                    *reason = Some("something must match after its end");
                    return false;
                }
                ended |= matches!(node, Node::Assert(Assertion::VeryEnd));
                can_match(node, before, one_line, reason)
            })
        }
        Node::Alternate(nodes) => {
            let mut after = Before {
                bytes: true,
                line_feed: true,
            };
            let mut any = false;
            for node in nodes {
                let mut own = *before;
                if can_match(node, &mut own, one_line, reason) {
                    any = true;
                    after = Before {
                        bytes: after.bytes && own.bytes,
                        line_feed: after.line_feed && own.line_feed,
                    };
                }
            }
            *before = after;
            any
        }
        Node::Repeat { min: 0, .. } => {
            before.line_feed = false;
            true
        }
        Node::Repeat { node, max, .. } => {
            let mut own = *before;
            let possible = can_match(node, &mut own, one_line, reason);
            *before = Before {
                bytes: own.bytes,
                line_feed: own.line_feed && *max == Some(1),
            };
            possible
        }
        Node::Capture(_, node) | Node::Atomic(node) => can_match(node, before, one_line, reason),
    }
}

/// The alternatives of a pattern, if they are few and plain.
fn written_out(node: &Node) -> Option<Vec<Vec<Item>>> {
    let join = |mut so_far: Vec<Vec<Item>>, next: &[Vec<Item>]| {
        if so_far.len() * next.len() > ALTERNATIVES {
            return None;
        }
        so_far = so_far
            .iter()
            .flat_map(|head| {
                next.iter()
                    .map(move |tail| [head.as_slice(), tail].concat())
            })
            .collect();
        so_far
            .iter()
            .all(|items| items.len() <= LENGTH)
            .then_some(so_far)
    };
    match node {
        Node::Empty => Some(vec![Vec::new()]),
        Node::Set(set) => Some(vec![vec![Item::Set(*set)]]),
        Node::Assert(assertion) => Some(vec![vec![Item::Assert(*assertion)]]),
        Node::Concat(nodes) => {
            let mut all = vec![Vec::new()];
            for node in nodes {
                all = join(all, &written_out(node)?)?;
            }
            Some(all)
        }
        Node::Alternate(nodes) => {
            let mut all = Vec::new();
            for node in nodes {
                all.extend(written_out(node)?);
            }
            (all.len() <= ALTERNATIVES).then_some(all)
        }
        Node::Repeat {
            node,
            min,
            max: Some(max),
            ..
        } if *max <= 3 => {
            let one = written_out(node)?;
            let mut power = vec![Vec::new()];
            let mut all = Vec::new();
            for count in 0..=*max {
                if count >= *min {
                    all.extend(power.iter().cloned());
                }
                if count < *max {
                    power = join(power, &one)?;
                }
            }
            (all.len() <= ALTERNATIVES).then_some(all)
        }
        Node::Capture(_, node) => written_out(node),
        Node::Repeat { .. } | Node::Look { .. } | Node::BackReference { .. } | Node::Atomic(_) => {
            None
        }
    }
}

/// Whether wherever `ours` matches, `theirs` matches somewhere inside: byte for byte no wider, and
/// its places are asked for by ours too.
fn holds(ours: &[Item], theirs: &[Item]) -> bool {
    if theirs.is_empty() {
        return true;
    }
    (0..ours.len()).any(|start| {
        let mut rest: VecDeque<&Item> = theirs.iter().collect();
        for item in ours.iter().skip(start) {
            let fits = match (item, rest.front()) {
                (_, None) => return true,
                (Item::Set(ours), Some(Item::Set(theirs))) => ours.intersection(*theirs) == *ours,
                (Item::Assert(ours), Some(Item::Assert(theirs))) => {
                    if ours != theirs {
                        continue;
                    }
                    true
                }
                (Item::Assert(_), Some(Item::Set(_))) => continue,
                (Item::Set(_), Some(Item::Assert(_))) => false,
            };
            if !fits {
                return false;
            }
            rest.pop_front();
        }
        rest.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::PatternFacts;

    fn doubt(pattern: &str) -> PatternFacts {
        PatternFacts::new(pattern).unwrap_or_else(|| panic!("{pattern}"))
    }

    #[test]
    fn impossible_patterns_are_seen() {
        for (pattern, one_line, never) in [
            (r"/a^b/", false, true),
            (r"/(?:a|b)^/", false, true),
            (r"/a?^b/", false, false),
            (r"/a^b/m", false, false),
            (r"/a\zb/", false, true),
            (r"/a\zb?/", false, false),
            (r"/[^\s\S]/", false, true),
            (r"/(?:[^\s\S]|a)/", false, false),
            (r"/foo\nbar/", true, true),
            (r"/foo\nbar/", false, false),
            (r"/foo\n/", true, false),
            (r"/foo\n?bar/", true, false),
            (r"/foo\sbar/", true, false),
            (r"/foo(?:\n|x)bar/", true, false),
        ] {
            assert_eq!(doubt(pattern).never(one_line).is_some(), never, "{pattern}");
        }
    }

    #[test]
    fn one_pattern_within_another_is_seen() {
        for (ours, theirs, within) in [
            ("/cheap pills/", "/pills/", true),
            ("/cheap pills/", "/PILLS/i", true),
            ("/PILLS/i", "/pills/", false),
            ("/(?:red|green) car/", "/green|red/", true),
            ("/(?:red|blue) car/", "/green|red/", false),
            (r"/\bpills\b/", "/pills/", true),
            ("/pills/", r"/\bpills\b/", false),
            (r"/\bpills\b/", r"/\bpills/", true),
            (r"/^pills/", r"/\bpills/", false),
            ("/a[12]/", "/a[1-3]/", true),
            ("/colou?r/", "/col/", true),
            ("/pi.*lls/", "/pi/", false),
            ("/ab/", "/abc/", false),
        ] {
            assert_eq!(
                doubt(ours).is_within(&doubt(theirs)),
                within,
                "{ours} {theirs}"
            );
        }
    }

    #[test]
    fn alternatives_are_limited() {
        let branches = |count: usize| {
            format!(
                "/(?:{})x/",
                (0..count)
                    .map(|n| format!("a{n:02}"))
                    .collect::<Vec<_>>()
                    .join("|")
            )
        };
        assert!(doubt(&branches(64)).is_within(&doubt("/a/")));
        assert!(!doubt(&branches(65)).is_within(&doubt("/a/")));
        assert!(doubt(&format!("/{}/", "a".repeat(64))).is_within(&doubt("/a/")));
        assert!(!doubt(&format!("/{}/", "a".repeat(65))).is_within(&doubt("/a/")));
    }
}
