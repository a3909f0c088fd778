//! One query on its way: what was sent, and whether what comes back is its answer.

use std::time::Instant;

use super::{Lookup, Message};
use crate::random::Random;

/// Names an exchange to the one who does its I/O.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExchangeId(pub u64);

/// How a query is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// One datagram, from a port that is used for nothing else and cannot be guessed.
    Udp,
    /// A connection.
    Tcp,
}

/// Datagrams that are not the answer: after so many an attacker is guessing, and TCP is used.
const STRANGE_MAX: u8 = 16;

/// A query that was sent.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) id: ExchangeId,
    /// Index of the server.
    pub(super) server: usize,
    pub(super) transport: Transport,
    pub(super) has_edns: bool,
    pub(super) sent: Instant,
    query_id: u16,
    lookup: Lookup,
    /// The name as it was sent, letter by letter.
    name: Vec<u8>,
    strange: u8,
}

/// What a message that came in for an exchange is.
#[derive(Debug)]
pub(super) enum Received {
    /// The answer.
    Answer(Message),
    /// The answer does not fit into a datagram, or it cannot be trusted as one: ask over TCP.
    AskOverTcp,
    /// Something else, perhaps forged: the answer may still come.
    Strange,
}

impl Exchange {
    /// A query with a random id and a name in random case. `None`: the system has no random bytes.
    pub(super) fn new(
        id: ExchangeId,
        server: usize,
        transport: Transport,
        lookup: &Lookup,
        random: &mut Random,
        sent: Instant,
    ) -> Option<Self> {
        let query_id = random.u16()?;
        let mut bits = random.bits(lookup.name.wire().len())?.into_iter();
        let name = lookup.name.wire_in_case(|| bits.next().unwrap_or(false));
        Some(Self {
            id,
            server,
            transport,
            has_edns: true,
            sent,
            query_id,
            lookup: lookup.clone(),
            name,
            strange: 0,
        })
    }

    /// The bytes to send.
    pub(super) fn message(&self) -> Vec<u8> {
        let mut query = Message::query(self.query_id, self.lookup.clone());
        query.has_edns = self.has_edns;
        query.encode_with_name(&self.name)
    }

    /// Judges what came in. An answer repeats id, question and the case of each letter.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> Received {
        let answer = Message::decode(bytes).ok().filter(|message| {
            message.is_response
                && message.id == self.query_id
                && message.lookup.as_ref() == Some(&self.lookup)
        });
        let Some(message) = answer else {
            return self.count_strange();
        };
        if self.transport == Transport::Tcp {
            return Received::Answer(message);
        }
        // The question follows the header of twelve bytes.
        let has_same_case = bytes
            .get(12..)
            .is_some_and(|rest| rest.starts_with(&self.name));
        if message.is_truncated || !has_same_case {
            return Received::AskOverTcp;
        }
        Received::Answer(message)
    }

    fn count_strange(&mut self) -> Received {
        self.strange = self.strange.saturating_add(1);
        if self.transport == Transport::Udp && self.strange >= STRANGE_MAX {
            Received::AskOverTcp
        } else {
            Received::Strange
        }
    }
}
