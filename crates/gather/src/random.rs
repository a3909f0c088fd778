//! Numbers that a stranger cannot guess, from the system.

const BYTES: usize = 512;

/// A buffer of the system's random bytes.
pub(crate) struct Random {
    bytes: [u8; BYTES],
    used: usize,
}

impl Random {
    pub(crate) fn new() -> Self {
        Self {
            bytes: [0; BYTES],
            used: BYTES,
        }
    }

    /// Two random bytes; `None` if the system has none, and then nothing may be sent.
    pub(crate) fn u16(&mut self) -> Option<u16> {
        if self.used + 2 > BYTES {
            getrandom::fill(&mut self.bytes).ok()?;
            self.used = 0;
        }
        let (_, rest) = self.bytes.split_at_checked(self.used)?;
        let chunk = rest.first_chunk::<2>()?;
        self.used += 2;
        Some(u16::from_ne_bytes(*chunk))
    }

    /// So many random bits as yes and no.
    pub(crate) fn bits(&mut self, count: usize) -> Option<Vec<bool>> {
        let mut bits = Vec::with_capacity(count + 16);
        while bits.len() < count {
            let word = self.u16()?;
            bits.extend((0..16).map(|bit| word >> bit & 1 == 1));
        }
        Some(bits)
    }
}

impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Random")
    }
}
