//! What a worker keeps between mails: the caches of its scanner, made anew when the generation
//! changes.

use super::Generation;
use gatepost_rules::Scanner;
use gatepost_words::verdict::GenerationId;

/// The working memory of one worker. Nothing of a mail outlives its judgement in here.
#[derive(Default)]
pub struct Scratch {
    scanner: Option<(GenerationId, Scanner)>,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch")
            .field("generation", &self.scanner.as_ref().map(|(id, _)| id))
            .finish()
    }
}

impl Scratch {
    /// The scanner for that generation.
    pub(super) fn scanner(&mut self, generation: &Generation) -> &mut Scanner {
        let current = self.scanner.take().filter(|(id, _)| id == generation.id());
        let pair = current
            .unwrap_or_else(|| (generation.id().clone(), Scanner::new(generation.ruleset())));
        &mut self.scanner.insert(pair).1
    }
}
