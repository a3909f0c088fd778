//! The engine for what a finite automaton cannot decide: look-around, back-references, groups that
//! never give back.
//!
//! It tries one way after the other, in Perl's order, with an explicit stack of what else could be
//! tried. That takes exponential time for some patterns, so every step is counted: a search that
//! takes too many is given up, and that is reported ([`super::Budget::was_reached`]) instead of being
//! taken for an answer.

use super::ast::Assertion;
use super::budget::{LimitReached, Steps};
use super::program::{END_OF_TEXT, NO_SET, NONE, Op, Program, Run, capture_slot};

/// Choices and remembered values of one search, 32 bytes each.
const STACK_LIMIT: usize = 1 << 17;
/// How many of them stay allocated between searches.
const STACK_KEPT: usize = 1 << 10;
/// Bytes compared or skipped for one step.
const BYTES_PER_STEP: usize = 16;

/// What to do when the way that is being tried fails.
#[derive(Clone, Copy, Debug)]
pub(super) enum Frame {
    /// Try another way.
    Choice { pc: usize, at: usize },
    /// A greedy run ends earlier.
    Give {
        pc: usize,
        low: usize,
        at: usize,
        follow: u32,
    },
    /// A lazy run takes one more.
    Take {
        run: u32,
        pc: usize,
        at: usize,
        left: usize,
    },
    /// A look-behind begins further back.
    Back {
        pc: usize,
        at: usize,
        by: u32,
        most: u32,
    },
    /// A slot gets its value back.
    Undo { slot: u32, value: usize },
}

/// Scratch space of searches.
#[derive(Clone, Debug, Default)]
pub(super) struct Machine {
    stack: Vec<Frame>,
    slots: Vec<usize>,
}

impl Machine {
    /// What the last match left in a slot.
    pub(super) fn slot(&self, slot: u32) -> usize {
        self.slots.get(slot as usize).copied().unwrap_or(NONE)
    }
}

impl Program {
    /// The first match that begins at `from` or later; an empty one not at `not_empty_at`.
    pub(super) fn find(
        &self,
        machine: &mut Machine,
        steps: &mut Steps,
        text: &[u8],
        from: usize,
        not_empty_at: Option<usize>,
    ) -> Result<Option<(usize, usize)>, LimitReached> {
        machine.stack.clear();
        machine.slots.clear();
        machine.slots.resize(self.slots, NONE);
        let mut search = Search {
            program: self,
            machine,
            steps,
            text,
            pc: 0,
            at: 0,
            not_empty_at,
        };
        let found = search.find(from);
        machine.stack.clear();
        machine.stack.shrink_to(STACK_KEPT);
        found
    }
}

impl Program {
    /// Whether it matches at one of the starts.
    pub(super) fn matches_at(
        &self,
        machine: &mut Machine,
        steps: &mut Steps,
        text: &[u8],
        starts: impl Iterator<Item = usize>,
    ) -> Result<bool, LimitReached> {
        machine.stack.clear();
        machine.slots.clear();
        machine.slots.resize(self.slots, NONE);
        let mut search = Search {
            program: self,
            machine,
            steps,
            text,
            pc: 0,
            at: 0,
            not_empty_at: None,
        };
        let mut found = Ok(false);
        for start in starts {
            found = search.attempt(start).map(|end| end.is_some());
            if found != Ok(false) {
                break;
            }
        }
        machine.stack.clear();
        machine.stack.shrink_to(STACK_KEPT);
        found
    }
}

/// One search: where the program and the text are.
pub(super) struct Search<'s> {
    pub(super) program: &'s Program,
    machine: &'s mut Machine,
    steps: &'s mut Steps,
    pub(super) text: &'s [u8],
    pub(super) pc: usize,
    pub(super) at: usize,
    not_empty_at: Option<usize>,
}

impl Search<'_> {
    fn find(&mut self, from: usize) -> Result<Option<(usize, usize)>, LimitReached> {
        let Some(last) = self.text.len().checked_sub(self.program.least) else {
            return Ok(None);
        };
        let mut start = from;
        while let Some(place) = self.next_start(start).filter(|place| *place <= last) {
            if let Some(end) = self.attempt(place)? {
                return Ok(Some((place, end)));
            }
            start = place + 1;
        }
        Ok(None)
    }

    /// The next place, from `start` on, where a match can begin.
    fn next_start(&self, mut start: usize) -> Option<usize> {
        if self.program.anchored {
            return (start == 0).then_some(0);
        }
        loop {
            if self.program.line_anchored && start > 0 {
                let rest = self.text.get(start - 1..)?;
                start += memchr::memchr(b'\n', rest)?;
            }
            let Some(first) = self.program.first else {
                return Some(start);
            };
            let rest = self.text.get(start..)?;
            if !self.program.line_anchored {
                if let Some(only) = self.program.only_first {
                    return memchr::memchr(only, rest).map(|skipped| start + skipped);
                }
                return rest
                    .iter()
                    .position(|byte| first.contains(*byte))
                    .map(|skipped| start + skipped);
            }
            if rest.first().is_some_and(|byte| first.contains(*byte)) {
                return Some(start);
            }
            start += 1;
            if start > self.text.len() {
                return None;
            }
        }
    }

    /// A match at `start`. Without one every slot is as before.
    fn attempt(&mut self, start: usize) -> Result<Option<usize>, LimitReached> {
        (self.pc, self.at) = (0, start);
        loop {
            self.spend(0)?;
            let goes_on = match self.program.ops.get(self.pc) {
                Some(op) => self.step(*op)?,
                None if self.not_empty_at == Some(start) && self.at == start => false,
                None => return Ok(Some(self.at)),
            };
            if !goes_on && !self.back()? {
                return Ok(None);
            }
        }
    }

    /// Counts one step, and those for that many bytes.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), LimitReached> {
        let cost = 1 + (bytes / BYTES_PER_STEP) as u64;
        self.steps.spend(cost)
    }

    pub(super) fn push(&mut self, frame: Frame) -> Result<(), LimitReached> {
        if self.machine.stack.len() >= STACK_LIMIT {
            return Err(LimitReached);
        }
        self.machine.stack.push(frame);
        Ok(())
    }

    pub(super) fn slot(&self, slot: u32) -> usize {
        self.machine
            .slots
            .get(slot as usize)
            .copied()
            .unwrap_or(NONE)
    }

    /// Sets a slot, and remembers what it held.
    pub(super) fn set_slot(&mut self, slot: u32, value: usize) -> Result<(), LimitReached> {
        let before = self.slot(slot);
        if before != value {
            self.push(Frame::Undo {
                slot,
                value: before,
            })?;
            self.restore(slot, value);
        }
        Ok(())
    }

    fn restore(&mut self, slot: u32, value: usize) {
        if let Some(place) = self.machine.slots.get_mut(slot as usize) {
            *place = value;
        }
    }

    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }

    /// Whether the byte at a place is in the set of that number.
    pub(super) fn fits(&self, set: u32, at: usize) -> bool {
        let set = self.program.sets.get(set as usize);
        set.is_none_or(|set| self.byte(at).is_some_and(|byte| set.contains(byte)))
    }

    pub(super) fn go(&mut self, pc: u32) -> bool {
        self.pc = pc as usize;
        true
    }

    fn next(&mut self) -> bool {
        self.pc += 1;
        true
    }

    /// One step; `false` when this way fails.
    fn step(&mut self, op: Op) -> Result<bool, LimitReached> {
        Ok(match op {
            Op::Byte(byte) => self.byte(self.at) == Some(byte) && self.consume(1),
            Op::Set(set) => self.at < self.text.len() && self.fits(set, self.at) && self.consume(1),
            Op::Assert(assertion) => self.holds(assertion) && self.next(),
            Op::Fail => false,
            Op::Jump(pc) => self.go(pc),
            Op::Dispatch(number) => {
                let entry = self.byte(self.at).map_or(END_OF_TEXT, usize::from);
                let table = self.program.dispatches.get(number as usize);
                table
                    .and_then(|table| table.get(entry))
                    .is_some_and(|pc| self.go(*pc))
            }
            Op::Branch { first, otherwise } => {
                if first != NO_SET && !self.fits(first, self.at) {
                    return Ok(self.go(otherwise));
                }
                self.push(Frame::Choice {
                    pc: otherwise as usize,
                    at: self.at,
                })?;
                self.next()
            }
            Op::Later { now } => {
                self.push(Frame::Choice {
                    pc: self.pc + 1,
                    at: self.at,
                })?;
                self.go(now)
            }
            Op::Run(number) => return self.run(number),
            Op::LoopStart(number) => {
                let Some(entry) = self.counter(number) else {
                    return Ok(false);
                };
                self.set_slot(entry.slot, 0)?;
                self.set_slot(entry.slot + 1, NONE)?;
                self.next()
            }
            Op::Loop(number) => return self.decide(number),
            Op::LoopAgain(number) => return self.round(number, self.pc + 1),
            Op::Open(capture) => {
                self.set_slot(capture_slot(capture) + 2, self.at)?;
                self.next()
            }
            Op::Close(capture) => {
                let slot = capture_slot(capture);
                self.set_slot(slot, self.slot(slot + 2))?;
                self.set_slot(slot + 1, self.at)?;
                self.next()
            }
            Op::BackReference { capture, fold } => return self.refer(capture, fold),
            Op::Enter { slot } => self.enter(slot)?,
            Op::EnterNegative { slot, otherwise } => {
                self.enter(slot)?;
                self.push(Frame::Choice {
                    pc: otherwise as usize,
                    at: self.at,
                })?;
                true
            }
            Op::Back { least, most } => return self.go_back(self.pc + 1, self.at, least, most),
            Op::BackAgain { slot } => self.at == self.slot(slot + 1) && self.next(),
            Op::LeaveLook { slot } => {
                self.at = self.slot(slot + 1);
                self.commit(slot)?
            }
            Op::LeaveAtomic { slot } => self.commit(slot)?,
            Op::LeaveNegative { slot } => self.abandon(slot)?,
        })
    }

    pub(super) fn consume(&mut self, bytes: usize) -> bool {
        self.at += bytes;
        self.next()
    }

    fn holds(&self, assertion: Assertion) -> bool {
        let length = self.text.len();
        let before = self.at.checked_sub(1).and_then(|at| self.byte(at));
        let after = self.byte(self.at);
        let is_word = |byte: Option<u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        match assertion {
            Assertion::Start => self.at == 0,
            Assertion::LineStart => self.at == 0 || (before == Some(b'\n') && self.at < length),
            Assertion::End => self.at == length || (self.at + 1 == length && after == Some(b'\n')),
            Assertion::LineEnd => self.at == length || after == Some(b'\n'),
            Assertion::VeryEnd => self.at == length,
            Assertion::WordBoundary => is_word(before) != is_word(after),
            Assertion::NoWordBoundary => is_word(before) == is_word(after),
        }
    }

    /// The text of a capture again. One that matched nothing yet fails.
    fn refer(&mut self, capture: u32, fold: bool) -> Result<bool, LimitReached> {
        let slot = capture_slot(capture);
        let (start, end) = (self.slot(slot), self.slot(slot + 1));
        let Some(wanted) = self.text.get(start..end) else {
            return Ok(false);
        };
        let Some(found) = self
            .text
            .get(self.at..)
            .and_then(|rest| rest.get(..wanted.len()))
        else {
            return Ok(false);
        };
        let same = if fold {
            wanted
                .iter()
                .zip(found)
                .all(|(one, other)| lower(*one) == lower(*other))
        } else {
            wanted == found
        };
        let length = wanted.len();
        self.spend(length)?;
        Ok(same && self.consume(length))
    }

    /// Remembers how high the stack is, and where the text is.
    fn enter(&mut self, slot: u32) -> Result<bool, LimitReached> {
        self.set_slot(slot + 1, self.at)?;
        // The note of this very slot lies under the height that it holds.
        let height = self.machine.stack.len() + 1;
        let value = self.slot(slot);
        self.push(Frame::Undo { slot, value })?;
        self.restore(slot, height);
        Ok(self.next())
    }

    /// Forgets the choices since [`Search::enter`], but not the values to restore.
    fn commit(&mut self, slot: u32) -> Result<bool, LimitReached> {
        let height = self.slot(slot).min(self.machine.stack.len());
        self.spend(self.machine.stack.len() - height)?;
        let mut kept = height;
        for index in height..self.machine.stack.len() {
            if matches!(self.machine.stack.get(index), Some(Frame::Undo { .. })) {
                self.machine.stack.swap(kept, index);
                kept += 1;
            }
        }
        self.machine.stack.truncate(kept);
        Ok(self.next())
    }

    /// Undoes everything since [`Search::enter`], the other way included; then fails.
    fn abandon(&mut self, slot: u32) -> Result<bool, LimitReached> {
        let height = self.slot(slot).min(self.machine.stack.len());
        self.spend(self.machine.stack.len() - height)?;
        while self.machine.stack.len() > height {
            if let Some(Frame::Undo { slot, value }) = self.machine.stack.pop() {
                self.restore(slot, value);
            }
        }
        Ok(false)
    }

    fn go_back(&mut self, pc: usize, at: usize, by: u32, most: u32) -> Result<bool, LimitReached> {
        let Some(start) = at.checked_sub(by as usize) else {
            return Ok(false);
        };
        if by < most {
            self.push(Frame::Back { pc, at, by, most })?;
        }
        (self.pc, self.at) = (pc, start);
        Ok(true)
    }

    /// Goes to the latest other way; `false` when there is none.
    fn back(&mut self) -> Result<bool, LimitReached> {
        while let Some(frame) = self.machine.stack.pop() {
            let goes_on = match frame {
                Frame::Undo { slot, value } => {
                    self.restore(slot, value);
                    false
                }
                Frame::Choice { pc, at } => {
                    (self.pc, self.at) = (pc, at);
                    true
                }
                Frame::Give {
                    pc,
                    low,
                    at,
                    follow,
                } => at > low && self.give(pc, low, at - 1, follow)?,
                Frame::Take { run, pc, at, left } => {
                    let Some(Run { set, .. }) = self.program.runs.get(run as usize).copied() else {
                        continue;
                    };
                    let fits = self.byte(at).is_some_and(|byte| set.contains(byte));
                    fits && left > 0 && self.take(run, pc, at + 1, left - 1)?
                }
                Frame::Back { pc, at, by, most } => self.go_back(pc, at, by + 1, most)?,
            };
            if goes_on {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Without case, as [`ByteSet::folded`] sees it.
fn lower(byte: u8) -> u8 {
    match byte {
        b'A'..=b'Z' | 0xC0..=0xD6 | 0xD8..=0xDE => byte + 0x20,
        _ => byte,
    }
}
