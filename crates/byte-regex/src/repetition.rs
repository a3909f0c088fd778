//! Repetitions in the backtracking engine ([`super::backtrack`]): runs of one set, whose ends are found
//! by looking ahead, and loops with a counter.

use super::ast::Greed;
use super::backtrack::{Frame, Search};
use super::budget::LimitReached;
use super::byteset::ByteSet;
use super::program::{Loop, NO_SET, Run};

impl Search<'_> {
    /// How far bytes of the set go, at most that many.
    fn span(&self, set: ByteSet, stop: Option<u8>, most: usize) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if let Some(stop) = stop {
            let window = rest.get(..most).unwrap_or(rest);
            return memchr::memchr(stop, window).unwrap_or(window.len());
        }
        rest.iter()
            .take(most)
            .take_while(|byte| set.contains(**byte))
            .count()
    }

    pub(super) fn run(&mut self, number: u32) -> Result<bool, LimitReached> {
        let Some(Run {
            set,
            min,
            max,
            greed,
            follow,
            stop,
        }) = self.program.runs.get(number as usize).copied()
        else {
            return Ok(false);
        };
        let count = self.span(set, stop, if greed == Greed::Lazy { min } else { max });
        self.spend(count)?;
        if count < min {
            return Ok(false);
        }
        match greed {
            Greed::Possessive => Ok(self.consume(count)),
            Greed::Greedy => self.give(self.pc + 1, self.at + min, self.at + count, follow),
            Greed::Lazy => {
                let left = max - min;
                self.take(number, self.pc + 1, self.at + min, left)
            }
        }
    }

    /// A greedy run that began long ago ends at `high`, or at the next lower place after which the
    /// rest can follow.
    pub(super) fn give(
        &mut self,
        pc: usize,
        low: usize,
        high: usize,
        follow: u32,
    ) -> Result<bool, LimitReached> {
        let found = (low..=high)
            .rev()
            .find(|at| follow == NO_SET || self.fits(follow, *at));
        self.spend(high - found.unwrap_or(low))?;
        let Some(at) = found else { return Ok(false) };
        if at > low {
            self.push(Frame::Give {
                pc,
                low,
                at,
                follow,
            })?;
        }
        (self.pc, self.at) = (pc, at);
        Ok(true)
    }

    /// A lazy run ends at `at`, or at the next higher place after which the rest can follow.
    pub(super) fn take(
        &mut self,
        number: u32,
        pc: usize,
        mut at: usize,
        mut left: usize,
    ) -> Result<bool, LimitReached> {
        let Some(Run { set, follow, .. }) = self.program.runs.get(number as usize).copied() else {
            return Ok(false);
        };
        let from = at;
        while follow != NO_SET && !self.fits(follow, at) {
            if left == 0 || !self.byte(at).is_some_and(|byte| set.contains(byte)) {
                self.spend(at - from)?;
                return Ok(false);
            }
            at += 1;
            left -= 1;
        }
        self.spend(at - from)?;
        if left > 0 {
            self.push(Frame::Take {
                run: number,
                pc,
                at,
                left,
            })?;
        }
        (self.pc, self.at) = (pc, at);
        Ok(true)
    }

    pub(super) fn counter(&self, number: u32) -> Option<Loop> {
        self.program.loops.get(number as usize).copied()
    }

    /// Once more, or on? As Perl: a round that matched nothing is the last one, unless more are
    /// asked for.
    pub(super) fn decide(&mut self, number: u32) -> Result<bool, LimitReached> {
        let Some(Loop {
            min,
            max,
            lazy,
            slot,
            after,
        }) = self.counter(number)
        else {
            return Ok(false);
        };
        let done = self.slot(slot);
        let again = self.pc + 1;
        if done < min {
            return self.round(number, again + 1);
        }
        if self.slot(slot + 1) == self.at || done >= max {
            return Ok(self.go(after));
        }
        if lazy {
            self.push(Frame::Choice {
                pc: again,
                at: self.at,
            })?;
            return Ok(self.go(after));
        }
        self.push(Frame::Choice {
            pc: after as usize,
            at: self.at,
        })?;
        self.round(number, again + 1)
    }

    pub(super) fn round(&mut self, number: u32, body: usize) -> Result<bool, LimitReached> {
        let Some(Loop { slot, .. }) = self.counter(number) else {
            return Ok(false);
        };
        self.set_slot(slot, self.slot(slot).saturating_add(1))?;
        self.set_slot(slot + 1, self.at)?;
        self.pc = body;
        Ok(true)
    }
}
