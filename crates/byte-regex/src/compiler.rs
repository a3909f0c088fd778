//! The tree as a program for the backtracking engine ([`super::backtrack`]).
//!
//! Counted repetitions are loops with a counter, never copies, so that a program is no longer than
//! its pattern.

use std::collections::BTreeMap;

use super::ast::{Assertion, Greed, Node};
use super::byteset::ByteSet;
use super::node_facts::{captures, first_of, is_anchored, lengths};
use super::program::{END_OF_TEXT, Loop, NO_SET, Op, Program, Run, capture_slot};

/// Steps of one program.
const OPS_LIMIT: usize = 1 << 18;
/// Bytes that a look-behind reaches back; Perl's own limit.
const BEHIND_LIMIT: usize = 255;
/// Fewer branches are tried one by one.
const DISPATCH_LEAST: usize = 6;
/// Steps of all chains of a dispatch, by branch: where most branches can begin with most bytes, it
/// saves nothing.
const CHAIN_SHARE: usize = 8;

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
