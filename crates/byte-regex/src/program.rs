//! The program that the backtracking engine ([`super::backtrack`]) runs: its steps and tables. The
//! compiler ([`super::compiler`]) makes it from the tree.

use super::ast::{Assertion, Greed};
use super::byteset::ByteSet;

/// No set: any byte or the end may come.
pub(super) const NO_SET: u32 = u32::MAX;
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
