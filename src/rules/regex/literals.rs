//! Literals that every match must contain: one of the set, in any ASCII case. They feed the prefilter.

use super::ast::Node;
use super::byteset::ByteSet;

/// Shorter literals are found everywhere and filter nothing.
const SHORTEST: usize = 3;
/// Longer ones filter no better.
const LONGEST: usize = 24;
/// Most literals of one pattern.
const MOST: usize = 64;
/// A set of more letters (in one case) than this is no part of a literal.
const WIDEST_SET: usize = 4;

/// What is known of a part of a pattern.
struct Info {
    /// All texts that the part can match, in lower case, when they are few.
    exact: Option<Vec<Vec<u8>>>,
    /// The best set of which one must be contained.
    required: Option<Vec<Vec<u8>>>,
}

/// The literals, in lower case; `None` when the pattern has none that filter.
pub(super) fn literals(node: &Node) -> Option<Vec<Vec<u8>>> {
    let info = info(node);
    let mut best = better(info.exact.and_then(usable), info.required)?;
    best.sort_unstable();
    best.dedup();
    // A literal that contains another adds nothing.
    let all = best.clone();
    best.retain(|long| !all.iter().any(|short| short.len() < long.len() && contains(long, short)));
    Some(best)
}

fn contains(long: &[u8], short: &[u8]) -> bool {
    long.windows(short.len()).any(|window| window == short)
}

/// Recursion is bounded by the nesting limit of the parser.
fn info(node: &Node) -> Info {
    match node {
        Node::Empty | Node::Assert(_) | Node::Look { .. } => Info { exact: Some(vec![Vec::new()]), required: None },
        Node::Set(set) => Info { exact: letters(*set), required: None },
        Node::Concat(nodes) => sequence(nodes),
        Node::Alternate(nodes) => alternation(nodes),
        Node::Repeat { node, min, max, .. } => repetition(node, *min, *max),
        Node::Capture(_, node) | Node::Atomic(node) => info(node),
        Node::BackReference { .. } => Info { exact: None, required: None },
    }
}

fn letters(set: ByteSet) -> Option<Vec<Vec<u8>>> {
    let mut lower: Vec<u8> = set.bytes().map(|byte| byte.to_ascii_lowercase()).take(2 * WIDEST_SET + 1).collect();
    lower.sort_unstable();
    lower.dedup();
    (lower.len() <= WIDEST_SET).then(|| lower.into_iter().map(|byte| vec![byte]).collect())
}

fn sequence(nodes: &[Node]) -> Info {
    let mut run = vec![Vec::new()];
    let mut whole = true;
    let mut required = None;
    for node in nodes {
        let info = info(node);
        required = better(required, info.required);
        match info.exact {
            None => {
                required = better(required, usable(std::mem::replace(&mut run, vec![Vec::new()])));
                whole = false;
            }
            Some(texts) => match crossed(&run, &texts) {
                Some(longer) => run = longer,
                None => {
                    required = better(required, usable(std::mem::replace(&mut run, texts)));
                    whole = false;
                }
            },
        }
    }
    if whole {
        Info { exact: Some(run), required }
    } else {
        Info { exact: None, required: better(required, usable(run)) }
    }
}

/// Every text of the first followed by every text of the second, unless they become too many or too long.
fn crossed(first: &[Vec<u8>], second: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if first.len() * second.len() > MOST {
        return None;
    }
    let mut out = Vec::with_capacity(first.len() * second.len());
    for head in first {
        for tail in second {
            if head.len() + tail.len() > LONGEST {
                return None;
            }
            out.push([head.as_slice(), tail.as_slice()].concat());
        }
    }
    Some(out)
}

fn alternation(nodes: &[Node]) -> Info {
    let (mut exact, mut required) = (Some(Vec::new()), Some(Vec::new()));
    for node in nodes {
        let info = info(node);
        required = match (required, better(info.exact.clone().and_then(usable), info.required)) {
            (Some(all), Some(more)) => joined(all, more),
            _ => None,
        };
        exact = match (exact, info.exact) {
            (Some(all), Some(more)) => joined(all, more),
            _ => None,
        };
    }
    Info { exact, required }
}

fn joined(mut all: Vec<Vec<u8>>, more: Vec<Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    all.extend(more);
    all.sort_unstable();
    all.dedup();
    (all.len() <= MOST).then_some(all)
}

fn repetition(node: &Node, min: u32, max: Option<u32>) -> Info {
    let info = info(node);
    match (min, max) {
        (1, Some(1)) => info,
        (0, Some(1)) => Info { exact: info.exact.and_then(|exact| joined(exact, vec![Vec::new()])), required: None },
        (0, _) => Info { exact: None, required: None },
        // At least one copy stands there; several in a row make a longer literal.
        (min, max) => {
            let once = info.exact.clone().and_then(usable);
            let mut row = info.exact.clone();
            for _ in 1..min.min(8) {
                row = match (row, &info.exact) {
                    (Some(row), Some(exact)) => crossed(&row, exact),
                    _ => None,
                };
            }
            let exact = if max == Some(min) && min <= 8 { row.clone() } else { None };
            Info { exact, required: better(better(row.and_then(usable), once), info.required) }
        }
    }
}

/// Whether the set filters: each literal long enough. Longer ones are fine as they are.
fn usable(texts: Vec<Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    (!texts.is_empty() && texts.len() <= MOST && texts.iter().all(|text| text.len() >= SHORTEST)).then_some(texts)
}

/// The set whose shortest literal is longer; of equals the smaller set.
fn better(a: Option<Vec<Vec<u8>>>, b: Option<Vec<Vec<u8>>>) -> Option<Vec<Vec<u8>>> {
    let rank = |set: &Vec<Vec<u8>>| (set.iter().map(Vec::len).min().unwrap_or(0).min(8), usize::MAX - set.len());
    match (a, b) {
        (Some(a), Some(b)) => Some(if rank(&b) > rank(&a) { b } else { a }),
        (a, b) => a.or(b),
    }
}
