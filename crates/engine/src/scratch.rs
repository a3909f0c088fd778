//! What a worker keeps between messages: the caches of its scanner, made again when the generation
//! changes.

use std::sync::Arc;

use super::{Budget, Generation, Permit};
use gatepost_rules::Scanner;
use gatepost_words::verdict::GenerationId;

/// The working memory of one worker. Nothing of a mail outlives its judgement in here.
#[derive(Default)]
pub struct Scratch {
    scanner: Option<(GenerationId, Scanner)>,
    /// What judging makes of a message counts here; `None` offline.
    memory: Option<Permit>,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch")
            .field("generation", &self.scanner.as_ref().map(|(id, _)| id))
            .finish_non_exhaustive()
    }
}

impl Scratch {
    /// Working memory that counts what is derived of a message against a budget.
    pub(super) fn within(budget: &Arc<Budget>) -> Self {
        Self {
            scanner: None,
            memory: Some(Permit::new(budget)),
        }
    }

    /// Counts the bytes that are held for the message in hand; false where the budget does not
    /// allow them.
    pub(super) fn hold(&mut self, bytes: usize) -> bool {
        self.memory
            .as_mut()
            .is_none_or(|memory| memory.resize(bytes))
    }

    /// The scanner for that generation.
    pub(super) fn scanner(&mut self, generation: &Generation) -> &mut Scanner {
        let current = self.scanner.take().filter(|(id, _)| id == generation.id());
        let pair = current
            .unwrap_or_else(|| (generation.id().clone(), Scanner::new(generation.ruleset())));
        &mut self.scanner.insert(pair).1
    }
}
