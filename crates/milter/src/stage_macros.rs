//! The macros that the MTA sends ahead of the command they belong to.

use super::Macros;
use super::command::{Kind, split};

/// The stages whose macros are kept, by the command that they precede. `L` and `B` are not among
/// them: Postfix sends an (often empty) packet before each header and chunk, and libmilter ignores
/// those as well.
const STAGES: [u8; 8] = *b"CHMRTNEU";

/// Macros that were received and whose command has not come yet.
#[derive(Debug, Default)]
pub(super) struct StageMacros {
    stages: [Macros; STAGES.len()],
}

impl StageMacros {
    /// Reads the payload of `D`: a command byte, then names and values, each closed by NUL. It
    /// replaces what came before for the same stage. An empty packet has no macros; a last name
    /// without a value has an empty one, a value without a name is dropped.
    pub(super) fn read(&mut self, payload: &[u8]) {
        let Some((stage, pairs)) = payload.split_first() else {
            return;
        };
        let Some(macros) = self.of(*stage) else {
            return;
        };
        *macros = Macros::default();
        let mut rest = pairs;
        let mut count = 0;
        while !rest.is_empty() && count < Macros::MAX {
            let (name, after) = split(rest);
            let (value, after) = split(after);
            if !name.is_empty() {
                macros.set(name, value);
            }
            rest = after;
            count += 1;
        }
    }

    /// Hands out the macros of a command; the next one of its kind has none until they come again.
    pub(super) fn take(&mut self, kind: Kind) -> Macros {
        let stage = match kind {
            Kind::Connect => b'C',
            Kind::Helo => b'H',
            Kind::Mail => b'M',
            Kind::Rcpt => b'R',
            Kind::Data => b'T',
            Kind::EndOfHeaders => b'N',
            Kind::EndOfMessage => b'E',
            Kind::Unknown => b'U',
            _ => return Macros::default(),
        };
        self.of(stage).map(std::mem::take).unwrap_or_default()
    }

    /// Bytes of all macros that wait for their stage.
    pub(super) fn bytes(&self) -> usize {
        self.stages.iter().map(Macros::bytes).sum()
    }

    /// Forgets the macros of stages after MAIL, where a message ends.
    pub(super) fn forget_message(&mut self) {
        self.forget(*b"RTNE");
    }

    /// Forgets what belongs to an SMTP session; those of CONNECT may have come already for the next
    /// one.
    pub(super) fn forget_session(&mut self) {
        self.forget(*b"HMRTNEU");
    }

    fn forget<const N: usize>(&mut self, stages: [u8; N]) {
        for stage in stages {
            if let Some(macros) = self.of(stage) {
                *macros = Macros::default();
            }
        }
    }

    fn of(&mut self, stage: u8) -> Option<&mut Macros> {
        STAGES
            .iter()
            .zip(&mut self.stages)
            .find(|(known, _)| **known == stage)
            .map(|(_, macros)| macros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_up_to_the_limit() {
        for (count, kept) in [(Macros::MAX, Macros::MAX), (Macros::MAX + 1, Macros::MAX)] {
            let pairs: Vec<u8> = (0..count)
                .flat_map(|at| format!("{{m{at}}}\0v\0").into_bytes())
                .collect();
            let mut macros = StageMacros::default();
            macros.read(&[b"C", pairs.as_slice()].concat());
            assert_eq!(macros.take(Kind::Connect).iter().count(), kept);
            assert_eq!(macros.take(Kind::Connect).iter().count(), 0);
        }
    }
}
