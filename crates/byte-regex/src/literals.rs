//! Literals that every match must contain, in any ASCII case. They feed the prefilter.
//!
//! What is known of a pattern is a short list of clauses: of each clause at least one literal
//! is in every text that matches, or several where the pattern repeats. Two clauses tell far
//! more than one where one of them is common, such as `https://`.

use super::ast::Node;
use super::byteset::ByteSet;

/// What is in every text that matches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clause {
    /// At least one of these, in lower case.
    pub literals: Texts,
    /// At so many places at least.
    pub times: u8,
}

type Texts = Vec<Vec<u8>>;

/// Clauses kept of a pattern.
pub const CLAUSES: usize = 3;
/// Shorter literals are found everywhere and filter nothing, unless they have something rarer than
/// small letters.
const SHORTEST: usize = 3;
/// Longer ones filter no better.
const LONGEST: usize = 24;
/// A literal that long is not multiplied by what many bytes could follow.
const LONG_ENOUGH: usize = 4;
/// Most texts that are put together from parts.
const MOST_TEXTS: usize = 64;
/// Most literals of one clause.
const MOST_LITERALS: usize = 512;
/// Clauses with more literals than this are kept as they are instead of being searched for what
/// they repeat.
const MOST_COMPARED: usize = 64;
/// A set of more letters (in one case) than this is no part of a literal.
const WIDEST_SET: usize = 12;
/// A set of more letters than this is no part of a literal that is long enough without it.
const WIDE_SET: usize = 4;
/// Copies of a repeated part that are put together.
const COPIES: u32 = 8;
/// Most places that are counted.
const MOST_TIMES: u8 = 15;
/// Longer literals are not rarer.
const LONG: usize = 16;
/// Stands in nearly every URL: parts of it filter worst.
const COMMON: &[u8] = b"https://www.";

/// What is known of a part of a pattern.
enum Info {
    /// All texts that the part can match, in lower case: they are few.
    Exact(Texts),
    /// How each match begins and ends, and clauses, best first; maybe none.
    Partial {
        head: Texts,
        tail: Texts,
        clauses: Vec<Clause>,
    },
}

impl Info {
    /// Nothing is known.
    fn unknown() -> Self {
        Self::Partial {
            head: nothing(),
            tail: nothing(),
            clauses: Vec::new(),
        }
    }

    fn clauses(self) -> Vec<Clause> {
        match self {
            Self::Exact(texts) => usable(&texts).into_iter().collect(),
            Self::Partial { clauses, .. } => clauses,
        }
    }

    fn head(&self) -> &Texts {
        match self {
            Self::Exact(head) | Self::Partial { head, .. } => head,
        }
    }

    fn tail(&self) -> &Texts {
        match self {
            Self::Exact(tail) | Self::Partial { tail, .. } => tail,
        }
    }
}

/// The empty text.
fn nothing() -> Texts {
    vec![Vec::new()]
}

/// The clauses of a pattern; none when nothing filters.
pub(super) fn clauses(node: &Node) -> Vec<Clause> {
    best(info(node).clauses())
        .into_iter()
        .map(without_longer)
        .collect()
}

/// How each match begins, in lower case; maybe with nothing.
pub(super) fn beginnings(node: &Node) -> Texts {
    info(node).head().clone()
}

/// A literal that contains another adds nothing.
fn without_longer(mut clause: Clause) -> Clause {
    let literals = &mut clause.literals;
    literals.sort_unstable();
    literals.dedup();
    if literals.len() <= MOST_COMPARED {
        let all = literals.clone();
        literals.retain(|long| {
            !all.iter()
                .any(|short| short.len() < long.len() && contains(long, short))
        });
    }
    clause
}

fn contains(long: &[u8], short: &[u8]) -> bool {
    long.windows(short.len()).any(|window| window == short)
}

/// Recursion is bounded by the nesting limit of the parser.
fn info(node: &Node) -> Info {
    match node {
        Node::Empty | Node::Assert(_) | Node::Look { .. } => Info::Exact(nothing()),
        Node::Set(set) => letters(*set).map_or_else(Info::unknown, Info::Exact),
        Node::Concat(nodes) => sequence(nodes),
        Node::Alternate(nodes) => alternation(nodes),
        Node::Repeat { node, min, max, .. } => repetition(node, *min, *max),
        Node::Capture(_, node) | Node::Atomic(node) => info(node),
        Node::BackReference { .. } => Info::unknown(),
    }
}

fn letters(set: ByteSet) -> Option<Texts> {
    if set.len() as usize > 2 * WIDEST_SET {
        return None;
    }
    let lower = sorted(
        set.bytes()
            .map(|byte| vec![byte.to_ascii_lowercase()])
            .collect(),
    );
    (lower.len() <= WIDEST_SET).then_some(lower)
}

fn sequence(nodes: &[Node]) -> Info {
    let mut head: Option<Texts> = None;
    let mut run = nothing();
    let mut found = Vec::new();
    for node in nodes {
        let info = info(node);
        let joined = crossed(&run, info.head());
        match (info, joined) {
            (Info::Exact(_), Some(longer)) => run = longer,
            (Info::Exact(texts), None) => {
                found.extend(usable(&run));
                head.get_or_insert(run);
                run = texts;
            }
            (
                Info::Partial {
                    head: begins,
                    tail,
                    clauses,
                },
                joined,
            ) => {
                let before = std::mem::replace(&mut run, tail);
                let texts = joined.unwrap_or_else(|| {
                    found.extend(usable(&begins));
                    before
                });
                found.extend(usable(&texts));
                head.get_or_insert(texts);
                found.extend(clauses);
            }
        }
    }
    let Some(head) = head else {
        return Info::Exact(run);
    };
    found.extend(usable(&run));
    Info::Partial {
        head,
        tail: run,
        clauses: best(found),
    }
}

/// Every text of the first followed by every text of the second, unless they become too many or too
/// long.
fn crossed(first: &Texts, second: &Texts) -> Option<Texts> {
    let is_enough = second.len() > WIDE_SET && first.iter().all(|text| text.len() >= LONG_ENOUGH);
    if is_enough || first.len() * second.len() > MOST_TEXTS {
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
    let is_exact = infos.iter().all(|info| matches!(info, Info::Exact(_)));
    let (head, tail) = (
        union(infos.iter().map(Info::head)),
        union(infos.iter().map(Info::tail)),
    );
    let head = match head {
        Some(texts) if is_exact => return Info::Exact(texts),
        head => head.unwrap_or_else(nothing),
    };
    let branches: Vec<Vec<Clause>> = infos.into_iter().map(Info::clauses).collect();
    // A text that matches by one branch satisfies every clause of that branch, and so any union
    // with one of them in it.
    let nth_clause = |nth: usize| {
        let picked = branches
            .iter()
            .map(|clauses| clauses.get(nth).or(clauses.last()));
        let all = picked.collect::<Option<Vec<&Clause>>>()?;
        let times = all.iter().map(|clause| clause.times).min()?;
        let literals = sorted(
            all.into_iter()
                .flat_map(|clause| &clause.literals)
                .cloned()
                .collect(),
        );
        (literals.len() <= MOST_LITERALS).then_some(Clause { literals, times })
    };
    let clauses = best((0..CLAUSES).filter_map(nth_clause).collect());
    Info::Partial {
        head,
        tail: tail.unwrap_or_else(nothing),
        clauses,
    }
}

/// All of them, unless they are too many.
fn union<'t>(parts: impl Iterator<Item = &'t Texts> + Clone) -> Option<Texts> {
    let count = parts.clone().map(Vec::len).fold(0, usize::saturating_add);
    (count <= MOST_TEXTS).then(|| sorted(parts.flatten().cloned().collect()))
}

fn sorted(mut texts: Texts) -> Texts {
    texts.sort_unstable();
    texts.dedup();
    texts
}

fn repetition(node: &Node, min: u32, max: Option<u32>) -> Info {
    let times = u8::try_from(min).unwrap_or(MOST_TIMES).min(MOST_TIMES);
    match (info(node), min, max) {
        (inner, 1, Some(1)) => inner,
        (Info::Exact(mut texts), 0, Some(1)) if texts.len() < MOST_TEXTS => {
            texts.push(Vec::new());
            Info::Exact(sorted(texts))
        }
        (_, 0, _) => Info::unknown(),
        // At least one copy is there; several in a row make a longer literal.
        (Info::Exact(texts), min, max) => {
            let (mut row, mut copies) = (texts.clone(), 1);
            while copies < min.min(COPIES)
                && let Some(longer) = crossed(&row, &texts)
            {
                (row, copies) = (longer, copies + 1);
            }
            if copies == min && max == Some(min) {
                return Info::Exact(row);
            }
            let many = usable(&texts).map(|clause| Clause { times, ..clause });
            let clauses = best(usable(&row).into_iter().chain(many).collect());
            Info::Partial {
                head: row.clone(),
                tail: row,
                clauses,
            }
        }
        (
            Info::Partial {
                head,
                tail,
                mut clauses,
            },
            ..,
        ) => {
            for clause in &mut clauses {
                clause.times = clause.times.saturating_mul(times).min(MOST_TIMES);
            }
            Info::Partial {
                head,
                tail,
                clauses,
            }
        }
    }
}

/// The texts as a clause, if it filters.
fn usable(texts: &Texts) -> Option<Clause> {
    let is_rare = |byte: &u8| !byte.is_ascii_alphabetic() && !byte.is_ascii_whitespace();
    let filters = |text: &Vec<u8>| {
        text.len() >= SHORTEST || (text.len() + 1 == SHORTEST && text.iter().any(is_rare))
    };
    let fits = !texts.is_empty() && texts.len() <= MOST_LITERALS && texts.iter().all(filters);
    fits.then(|| Clause {
        literals: texts.clone(),
        times: 1,
    })
}

/// The clauses that filter best, in that order, each once.
fn best(mut clauses: Vec<Clause>) -> Vec<Clause> {
    // How long the shortest literal is, counting what is everywhere as nothing, and how often
    // one must be; of equals the smaller clause.
    let worth = |text: &Vec<u8>| {
        if contains(COMMON, text) {
            0
        } else {
            text.len().min(LONG)
        }
    };
    clauses.sort_by_cached_key(|clause| {
        let shortest = clause.literals.iter().map(worth).min().unwrap_or(0);
        (
            usize::MAX - shortest - 2 * usize::from(clause.times),
            clause.literals.len(),
        )
    });
    clauses.dedup();
    clauses.truncate(CLAUSES);
    clauses
}
