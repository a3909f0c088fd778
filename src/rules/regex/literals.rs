//! Literals that every match must contain, in any ASCII case. They feed the prefilter.
//!
//! What is known of a pattern is a short list of clauses: of each clause at least one literal stands in every text that
//! matches. Two clauses tell far more than one where one of them is common, such as `https://`.

use super::ast::Node;
use super::byteset::ByteSet;

/// At least one of these, in lower case.
pub(in crate::rules) type Clause = Vec<Vec<u8>>;

/// Clauses kept of a pattern.
pub(in crate::rules) const CLAUSES: usize = 3;
/// Shorter literals are found everywhere and filter nothing, unless they have something rarer than small letters.
const SHORTEST: usize = 3;
/// Longer ones filter no better.
const LONGEST: usize = 24;
/// Most texts that are put together from parts.
const MOST_TEXTS: usize = 64;
/// Most literals of one clause.
const MOST_LITERALS: usize = 512;
/// Clauses with more literals than this are kept as they are instead of being searched for what they repeat.
const MOST_COMPARED: usize = 64;
/// A set of more letters (in one case) than this is no part of a literal.
const WIDEST_SET: usize = 4;
/// Stands in nearly every URL: parts of it filter worst.
const COMMON: &[u8] = b"https://www.";

/// What is known of a part of a pattern.
enum Info {
    /// All texts that the part can match, in lower case: they are few.
    Exact(Vec<Vec<u8>>),
    /// Clauses, best first; maybe none.
    Required(Vec<Clause>),
}

impl Info {
    fn clauses(self) -> Vec<Clause> {
        match self {
            Self::Exact(texts) => usable(texts).into_iter().collect(),
            Self::Required(clauses) => clauses,
        }
    }
}

/// The clauses of a pattern; none when nothing filters.
pub(super) fn clauses(node: &Node) -> Vec<Clause> {
    best(info(node).clauses()).into_iter().map(without_longer).collect()
}

/// A literal that contains another adds nothing.
fn without_longer(mut clause: Clause) -> Clause {
    clause.sort_unstable();
    clause.dedup();
    if clause.len() <= MOST_COMPARED {
        let all = clause.clone();
        clause.retain(|long| !all.iter().any(|short| short.len() < long.len() && contains(long, short)));
    }
    clause
}

fn contains(long: &[u8], short: &[u8]) -> bool {
    long.windows(short.len()).any(|window| window == short)
}

/// Recursion is bounded by the nesting limit of the parser.
fn info(node: &Node) -> Info {
    match node {
        Node::Empty | Node::Assert(_) | Node::Look { .. } => Info::Exact(vec![Vec::new()]),
        Node::Set(set) => letters(*set).map_or_else(|| Info::Required(Vec::new()), Info::Exact),
        Node::Concat(nodes) => sequence(nodes),
        Node::Alternate(nodes) => alternation(nodes),
        Node::Repeat { node, min, max, .. } => repetition(node, *min, *max),
        Node::Capture(_, node) | Node::Atomic(node) => info(node),
        Node::BackReference { .. } => Info::Required(Vec::new()),
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
    let mut found = Vec::new();
    for node in nodes {
        let next = match info(node) {
            Info::Required(clauses) => {
                found.extend(clauses);
                vec![Vec::new()]
            }
            Info::Exact(texts) => {
                if let Some(longer) = crossed(&run, &texts) {
                    run = longer;
                    continue;
                }
                texts
            }
        };
        found.extend(usable(std::mem::replace(&mut run, next)));
        whole = false;
    }
    if whole {
        return Info::Exact(run);
    }
    found.extend(usable(run));
    Info::Required(best(found))
}

/// Every text of the first followed by every text of the second, unless they become too many or too long.
fn crossed(first: &[Vec<u8>], second: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if first.len() * second.len() > MOST_TEXTS {
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
    let infos: Vec<Info> = nodes.iter().map(info).collect();
    let exact = infos.iter().map(|info| match info {
        Info::Exact(texts) => texts.len(),
        Info::Required(_) => MOST_TEXTS + 1,
    });
    if exact.fold(0, usize::saturating_add) <= MOST_TEXTS {
        let texts = infos.into_iter().flat_map(|info| match info {
            Info::Exact(texts) => texts,
            Info::Required(_) => Vec::new(),
        });
        return Info::Exact(sorted(texts.collect()));
    }
    let branches: Vec<Vec<Clause>> = infos.into_iter().map(Info::clauses).collect();
    // A text that matches by one branch satisfies every clause of that branch, and so any union with one of them in it.
    let union = |nth: usize| {
        let picked = branches.iter().map(|clauses| clauses.get(nth).or(clauses.last()));
        let all = picked.collect::<Option<Vec<&Clause>>>()?;
        let clause = sorted(all.into_iter().flatten().cloned().collect());
        (clause.len() <= MOST_LITERALS).then_some(clause)
    };
    Info::Required(best((0..CLAUSES).filter_map(union).collect()))
}

fn sorted(mut texts: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    texts.sort_unstable();
    texts.dedup();
    texts
}

fn repetition(node: &Node, min: u32, max: Option<u32>) -> Info {
    let inner = info(node);
    match (inner, min, max) {
        (inner, 1, Some(1)) => inner,
        (Info::Exact(mut texts), 0, Some(1)) if texts.len() < MOST_TEXTS => {
            texts.push(Vec::new());
            Info::Exact(sorted(texts))
        }
        (_, 0, _) => Info::Required(Vec::new()),
        // At least one copy stands there; several in a row make a longer literal.
        (Info::Exact(texts), min, max) => {
            let row = (1..min.min(8)).try_fold(texts.clone(), |row, _| crossed(&row, &texts));
            match row {
                Some(row) if max == Some(min) && min <= 8 => Info::Exact(row),
                row => Info::Required(row.and_then(usable).or_else(|| usable(texts)).into_iter().collect()),
            }
        }
        (required, ..) => required,
    }
}

/// The texts as a clause, if it filters.
fn usable(texts: Vec<Vec<u8>>) -> Option<Clause> {
    let is_rare = |byte: &u8| !byte.is_ascii_alphabetic() && !byte.is_ascii_whitespace();
    let filters = |text: &Vec<u8>| text.len() >= SHORTEST || (text.len() + 1 == SHORTEST && text.iter().any(is_rare));
    (!texts.is_empty() && texts.len() <= MOST_LITERALS && texts.iter().all(filters)).then_some(texts)
}

/// The clauses that filter best, in that order, each once.
fn best(mut clauses: Vec<Clause>) -> Vec<Clause> {
    // How long the shortest literal is, counting what stands everywhere as nothing; of equals the smaller clause.
    let worth = |text: &Vec<u8>| if contains(COMMON, text) { 0 } else { text.len().min(8) };
    clauses.sort_by_cached_key(|clause| {
        let shortest = clause.iter().map(worth).min().unwrap_or(0);
        (usize::MAX - shortest, clause.len())
    });
    clauses.dedup();
    clauses.truncate(CLAUSES);
    clauses
}
