//! What backtracking may cost: for one text, and for all texts of a message.

/// Steps for one text, whatever its length. One step takes about 5 ns.
pub(crate) const TEXT_STEPS: u64 = 200_000;
/// Further steps for each byte of a text.
pub(crate) const BYTE_STEPS: u64 = 4;
/// Steps for all rules and texts of one message.
pub(crate) const MAIL_STEPS: u64 = 10_000_000;
/// What backtracking may still cost.
#[derive(Clone, Debug)]
pub struct Budget {
    left: u64,
    reached: bool,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            left: MAIL_STEPS,
            reached: false,
        }
    }
}

impl Budget {
    /// Whether a search was given up, and so its answer is not known.
    pub fn was_reached(&self) -> bool {
        self.reached
    }

    /// So many steps.
    #[cfg(test)]
    pub(super) fn of(left: u64) -> Self {
        Self {
            left,
            reached: false,
        }
    }

    /// Steps that are left.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Takes what the searches in one text may cost.
    pub(super) fn for_text(&self, text: &[u8]) -> Steps {
        let steps = TEXT_STEPS
            .saturating_add(BYTE_STEPS.saturating_mul(text.len() as u64))
            .min(self.left);
        Steps::of(steps)
    }

    /// Settles what they did cost.
    pub(super) fn charge(&mut self, steps: &Steps, reached: bool) {
        self.left = self.left.saturating_sub(steps.given - steps.left);
        self.reached |= reached;
    }
}

/// What the searches in one text may still cost.
pub(super) struct Steps {
    given: u64,
    left: u64,
}

impl Steps {
    /// So many.
    pub(super) fn of(steps: u64) -> Self {
        Self {
            given: steps,
            left: steps,
        }
    }

    /// Takes some; an error when there are not so many.
    pub(super) fn spend(&mut self, steps: u64) -> Result<(), LimitReached> {
        self.left = self.left.checked_sub(steps).ok_or(LimitReached)?;
        Ok(())
    }
}

/// A search took too many steps or too much memory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LimitReached;
