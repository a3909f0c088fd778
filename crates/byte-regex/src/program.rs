//! The tree as a program for the backtracking engine ([`super::backtrack`]).
//!
//! Counted repetitions are loops with a counter, never copies, so that a program is no longer than
//! its pattern.

use std::collections::BTreeMap;

use super::ast::{Assertion, Greed, Node};
use super::byteset::ByteSet;

/// Steps of one program.
const OPS_LIMIT: usize = 1 << 18;
/// Bytes that a look-behind reaches back; Perl's own limit.
const BEHIND_LIMIT: usize = 255;
/// Nodes looked at to find out which byte comes next; beyond, it may be any.
const FOLLOWING_LIMIT: usize = 8;
/// No set: any byte or the end may come.
pub(super) const NO_SET: u32 = u32::MAX;
/// Fewer branches are tried one by one.
const DISPATCH_LEAST: usize = 6;
/// Steps of all chains of a dispatch, by branch: where most branches can begin with most bytes, it
/// saves nothing.
const CHAIN_SHARE: usize = 8;
/// The entry of a dispatch for the end of the text.
pub(super) const END_OF_TEXT: usize = 256;
/// A slot that holds nothing.
pub(super) const NONE: usize = usize::MAX;

/// One step. Numbers of steps, sets, runs, loops and slots are positions in the tables of the
/// [`Program`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    /// This byte.
    Byte(u8),
    /// A byte out of the set.
    Set(u32),
    /// Nothing can follow.
    Fail,
    /// A place.
    Assert(Assertion),
    /// Go on elsewhere.
    Jump(u32),
    /// Where the next byte says: the branches that can begin with it, one after the other.
    Dispatch(u32),
    /// The next step if the next byte is in the set; if that fails, `otherwise`.
    Branch { first: u32, otherwise: u32 },
    /// `now`; if that fails, the next step.
    Later { now: u32 },
    /// A repetition of one set.
    Run(u32),
    /// A loop begins to count.
    LoopStart(u32),
    /// A loop decides: once more, or on.
    Loop(u32),
    /// A loop goes round once more.
    LoopAgain(u32),
    /// A capture opens.
    Open(u32),
    /// A capture closes.
    Close(u32),
    /// What a capture matched.
    BackReference { capture: u32, fold: bool },
    /// Look-around, or an atomic group, begins. The slots hold the height of the stack and the
    /// place.
    Enter { slot: u32 },
    /// A negative look-around begins: if what follows fails, `otherwise`.
    EnterNegative { slot: u32, otherwise: u32 },
    /// Goes back by `least` bytes, or more up to `most`.
    Back { least: u32, most: u32 },
    /// The look-behind must end where it was asked.
    BackAgain { slot: u32 },
    /// A look-around matched: forget its choices, return to the place.
    LeaveLook { slot: u32 },
    /// An atomic group matched: forget its choices.
    LeaveAtomic { slot: u32 },
    /// A negative look-around matched: fail.
    LeaveNegative { slot: u32 },
}

/// A repetition of one set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) set: ByteSet,
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) greed: Greed,
    /// What must follow.
    pub(super) follow: u32,
    /// The only byte that is not in the set.
    pub(super) stop: Option<u8>,
}

/// A repetition of anything else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loop {
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) lazy: bool,
    /// Holds how many rounds are done; the next slot, where the last one began.
    pub(super) slot: u32,
    /// Where it goes on.
    pub(super) after: u32,
}

/// Where an alternation goes on, by the next byte; the last entry is for the end of the text.
pub(super) type Dispatch = Box<[u32; END_OF_TEXT + 1]>;

/// A program.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) ops: Vec<Op>,
    pub(super) sets: Vec<ByteSet>,
    pub(super) runs: Vec<Run>,
    pub(super) loops: Vec<Loop>,
    pub(super) dispatches: Vec<Dispatch>,
    pub(super) slots: usize,
    /// With which bytes a match can begin; `None` when it may be empty.
    pub(super) first: Option<ByteSet>,
    /// The only byte with which one can.
    pub(super) only_first: Option<u8>,
    /// It matches at the start only.
    pub(super) anchored: bool,
    /// It matches at the starts of lines only.
    pub(super) line_anchored: bool,
    /// Shorter texts do not match.
    pub(super) least: usize,
}

/// The slot of a capture: where it begins; the next two, where it ends, and where the open one
/// began.
pub(super) fn capture_slot(capture: u32) -> u32 {
    capture.saturating_sub(1).saturating_mul(3)
}

impl Program {
    /// Compiles a tree. An error says what is wrong with it.
    pub(super) fn new(node: &Node) -> Result<Self, &'static str> {
        let mut compiler = Compiler {
            program: Self {
                ops: Vec::new(),
                sets: Vec::new(),
                runs: Vec::new(),
                loops: Vec::new(),
                dispatches: Vec::new(),
                slots: 0,
                first: first_of([node].into_iter()),
                only_first: first_of([node].into_iter()).and_then(ByteSet::only),
                anchored: is_anchored(node, |place| place == Assertion::Start),
                line_anchored: is_anchored(node, |place| {
                    matches!(place, Assertion::Start | Assertion::LineStart)
                }),
                least: node.least(),
            },
            slots: capture_slot(captures(node).saturating_add(1)),
            known: BTreeMap::new(),
            problem: None,
        };
        compiler.node(node, &[]);
        if let Some(problem) = compiler.problem {
            return Err(problem);
        }
        compiler.program.slots = compiler.slots as usize;
        Ok(compiler.program)
    }
}

struct Compiler {
    program: Program,
    slots: u32,
    known: BTreeMap<ByteSet, u32>,
    problem: Option<&'static str>,
}

impl Compiler {
    fn push(&mut self, op: Op) -> usize {
        if self.program.ops.len() >= OPS_LIMIT {
            self.problem
                .get_or_insert("the regular expression is too large for backtracking");
        } else {
            self.program.ops.push(op);
        }
        self.program.ops.len().saturating_sub(1)
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most OPS_LIMIT")]
    fn here(&self) -> u32 {
        self.program.ops.len() as u32
    }

    fn patch(&mut self, at: usize, op: Op) {
        if let Some(slot) = self.program.ops.get_mut(at) {
            *slot = op;
        }
    }

    fn slots(&mut self, count: u32) -> u32 {
        let slot = self.slots;
        self.slots = slot.saturating_add(count);
        slot
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most one for each of OPS_LIMIT steps"
    )]
    fn set(&mut self, set: ByteSet) -> u32 {
        let sets = &mut self.program.sets;
        *self.known.entry(set).or_insert_with(|| {
            sets.push(set);
            sets.len() as u32 - 1
        })
    }

    fn first_set<'n>(&mut self, nodes: impl Iterator<Item = &'n Node>) -> u32 {
        first_of(nodes).map_or(NO_SET, |set| self.set(set))
    }

    /// Recursion is bounded by the nesting limit of the parser. `following` is what comes after in
    /// the same sequence.
    fn node(&mut self, node: &Node, following: &[Node]) {
        match node {
            Node::Empty => {}
            Node::Set(set) => {
                let mut bytes = set.bytes();
                let op = match (bytes.next(), bytes.next()) {
                    (Some(byte), None) => Op::Byte(byte),
                    _ => Op::Set(self.set(*set)),
                };
                self.push(op);
            }
            Node::Assert(assertion) => drop(self.push(Op::Assert(*assertion))),
            Node::Concat(nodes) => {
                for (index, node) in nodes.iter().enumerate() {
                    self.node(node, nodes.get(index + 1..).unwrap_or_default());
                }
            }
            Node::Alternate(nodes) => self.alternation(nodes),
            Node::Repeat {
                node,
                min,
                max,
                greed,
            } => self.repetition(node, (*min, *max), *greed, following),
            Node::Capture(number, node) => {
                self.push(Op::Open(*number));
                self.node(node, &[]);
                self.push(Op::Close(*number));
            }
            Node::Look {
                ahead,
                negative,
                node,
            } => self.look(*ahead, *negative, node),
            Node::BackReference { capture, fold } => {
                self.push(Op::BackReference {
                    capture: *capture,
                    fold: *fold,
                });
            }
            Node::Atomic(node) => self.atomic(node),
        }
    }

    fn alternation(&mut self, nodes: &[Node]) {
        if nodes.len() >= DISPATCH_LEAST && self.dispatch(nodes) {
            return;
        }
        let mut jumps = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            if index + 1 == nodes.len() {
                self.node(node, &[]);
                break;
            }
            let first = self.first_set([node].into_iter());
            let branch = self.push(Op::Jump(0));
            self.node(node, &[]);
            jumps.push(self.push(Op::Jump(0)));
            let otherwise = self.here();
            self.patch(branch, Op::Branch { first, otherwise });
        }
        let end = self.here();
        for at in jumps {
            self.patch(at, Op::Jump(end));
        }
    }

    /// Many branches: for each byte, the chain of those that can begin with it, in their order.
    /// `false` where that would take too many steps.
    fn dispatch(&mut self, nodes: &[Node]) -> bool {
        let firsts: Vec<_> = nodes
            .iter()
            .map(|node| first_of([node].into_iter()))
            .collect();
        // A branch without a set can begin with anything, or match nothing.
        let can_begin = |byte: usize| {
            let fits = |first: &Option<ByteSet>| match (first, u8::try_from(byte)) {
                (Some(first), Ok(byte)) => first.contains(byte),
                (Some(_), Err(_)) => false,
                (None, _) => true,
            };
            firsts
                .iter()
                .enumerate()
                .filter(|(_, first)| fits(first))
                .map(|(number, _)| number)
                .collect::<Vec<_>>()
        };
        let mut chains: BTreeMap<Vec<usize>, u32> = BTreeMap::new();
        let by_byte: Vec<Vec<usize>> = (0..=END_OF_TEXT).map(can_begin).collect();
        chains.extend(by_byte.iter().map(|chain| (chain.clone(), 0)));
        if chains.keys().map(Vec::len).sum::<usize>() > nodes.len() * CHAIN_SHARE {
            return false;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most one for each of OPS_LIMIT steps"
        )]
        let number = self.program.dispatches.len() as u32;
        self.program.dispatches.push(Box::new([0; END_OF_TEXT + 1]));
        self.push(Op::Dispatch(number));
        let mut jumps = Vec::new();
        let mut starts = Vec::new();
        for node in nodes {
            starts.push(self.here());
            self.node(node, &[]);
            jumps.push(self.push(Op::Jump(0)));
        }
        let start_of = |branch: &usize| starts.get(*branch).copied().unwrap_or_default();
        for (chain, place) in &mut chains {
            *place = self.here();
            match chain.split_last() {
                None => {
                    self.push(Op::Fail);
                }
                Some((last, before)) => {
                    for branch in before {
                        self.push(Op::Later {
                            now: start_of(branch),
                        });
                    }
                    self.push(Op::Jump(start_of(last)));
                }
            }
        }
        if let Some(table) = self.program.dispatches.get_mut(number as usize) {
            for (entry, chain) in table.iter_mut().zip(&by_byte) {
                *entry = chains.get(chain).copied().unwrap_or_default();
            }
        }
        let end = self.here();
        for at in jumps {
            self.patch(at, Op::Jump(end));
        }
        true
    }

    fn atomic(&mut self, node: &Node) {
        let slot = self.slots(2);
        self.push(Op::Enter { slot });
        self.node(node, &[]);
        self.push(Op::LeaveAtomic { slot });
    }

    fn repetition(
        &mut self,
        node: &Node,
        (min, max): (u32, Option<u32>),
        greed: Greed,
        following: &[Node],
    ) {
        if let Node::Set(set) = node {
            let follow = self.first_set(following.iter());
            let max = max.map_or(usize::MAX, |max| max as usize);
            // Where what follows cannot begin with a byte of the set, only the longest run can be
            // followed by it.
            let ends_once = self
                .program
                .sets
                .get(follow as usize)
                .is_some_and(|follow| !follow.meets(*set));
            let greed = if ends_once { Greed::Possessive } else { greed };
            #[expect(
                clippy::cast_possible_truncation,
                reason = "at most one for each of OPS_LIMIT steps"
            )]
            let number = self.program.runs.len() as u32;
            self.program.runs.push(Run {
                set: *set,
                min: min as usize,
                max,
                greed,
                follow,
                stop: set.complement().only(),
            });
            self.push(Op::Run(number));
            return;
        }
        if greed == Greed::Possessive {
            // Built here and not as a node of its own: the tree would have to be copied.
            let slot = self.slots(2);
            self.push(Op::Enter { slot });
            self.repetition(node, (min, max), Greed::Greedy, &[]);
            self.push(Op::LeaveAtomic { slot });
            return;
        }
        match (min, max) {
            (_, Some(0)) => {}
            (1, Some(1)) => self.node(node, following),
            (0, Some(1)) => {
                let at = self.push(Op::Jump(0));
                let first = if greed == Greed::Greedy {
                    self.first_set([node].into_iter())
                } else {
                    NO_SET
                };
                self.node(node, &[]);
                let end = self.here();
                let lazy = greed == Greed::Lazy;
                self.patch(
                    at,
                    if lazy {
                        Op::Later { now: end }
                    } else {
                        Op::Branch {
                            first,
                            otherwise: end,
                        }
                    },
                );
            }
            _ => self.counted(
                node,
                min as usize,
                max.map_or(usize::MAX, |max| max as usize),
                greed == Greed::Lazy,
            ),
        }
    }

    fn counted(&mut self, node: &Node, min: usize, max: usize, lazy: bool) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most one for each of OPS_LIMIT steps"
        )]
        let number = self.program.loops.len() as u32;
        let slot = self.slots(2);
        self.program.loops.push(Loop {
            min,
            max,
            lazy,
            slot,
            after: 0,
        });
        self.push(Op::LoopStart(number));
        let decide = self.here();
        self.push(Op::Loop(number));
        self.push(Op::LoopAgain(number));
        self.node(node, &[]);
        self.push(Op::Jump(decide));
        let after = self.here();
        if let Some(entry) = self.program.loops.get_mut(number as usize) {
            entry.after = after;
        }
    }

    fn look(&mut self, ahead: bool, negative: bool, node: &Node) {
        let slot = self.slots(2);
        let enter = self.push(Op::Enter { slot });
        if !ahead {
            let (least, most) = lengths(node);
            let Some(most) = most.filter(|most| *most <= BEHIND_LIMIT) else {
                self.problem
                    .get_or_insert("a look-behind may match at most 255 bytes");
                return;
            };
            #[expect(clippy::cast_possible_truncation, reason = "at most BEHIND_LIMIT")]
            self.push(Op::Back {
                least: least as u32,
                most: most as u32,
            });
        }
        self.node(node, &[]);
        if !ahead {
            self.push(Op::BackAgain { slot });
        }
        self.push(if negative {
            Op::LeaveNegative { slot }
        } else {
            Op::LeaveLook { slot }
        });
        if negative {
            let otherwise = self.here();
            self.patch(enter, Op::EnterNegative { slot, otherwise });
        }
    }
}

/// The highest number of a capture.
fn captures(node: &Node) -> u32 {
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
fn is_anchored(node: &Node, wanted: fn(Assertion) -> bool) -> bool {
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
fn first_of<'n>(nodes: impl Iterator<Item = &'n Node>) -> Option<ByteSet> {
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
fn lengths(node: &Node) -> (usize, Option<usize>) {
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
