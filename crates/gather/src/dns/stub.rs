//! A stub resolver as a state machine: it is given questions, messages and the time, and returns
//! what to send and what was found out. It does no I/O and reads no clock.
//!
//! A look-up lasts at most [`StubSettings::timeout`]. It is sent up to three times, a quarter of
//! that apart, to the next server each time; every one of these exchanges stays open until the
//! look-up ends, so that a late answer counts too. A server that reports a failure is not asked
//! again for the same look-up; one that was silent at three look-ups in a row is left alone for a
//! while ([`Breaker`]). Silent is who answered no one in that time: a resolver that waits for the
//! dead servers of one zone and answers the rest is well.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use gatepost_words::fact::Cause;

use super::exchange::{Exchange, Received};
use super::outcome::{ALIASES_MAX, Reading, read};
use super::{ExchangeId, Lookup, Message, Outcome, Transport};
use crate::breaker::Breaker;
use crate::random::Random;

/// Queries of one look-up (after each alias again so many), without those over TCP.
const ATTEMPTS_MAX: u32 = 3;
/// Exchanges of one look-up that are open at the same time.
const EXCHANGES_MAX: usize = 6;
/// Look-ups in flight: each may have a few sockets.
const LOOKUPS_MAX: usize = 256;
/// That nothing could be found out may be kept for so many seconds; the cache keeps it for less.
const FAILURE_TTL: u32 = 300;

/// What a [`Stub`] needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StubSettings {
    /// The resolvers to ask, the preferred one first.
    pub servers: Vec<SocketAddr>,
    /// A look-up ends after this.
    pub timeout: Duration,
}

/// What a [`Stub`] wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send `message` to `server`, over UDP from a new random port; messages that come back are
    /// given to [`Stub::received`] with `exchange`.
    Send {
        /// Names the socket from now on.
        exchange: ExchangeId,
        /// Where to.
        server: SocketAddr,
        /// How.
        transport: Transport,
        /// The query, for TCP without the length in front of it.
        message: Vec<u8>,
    },
    /// The exchange is over: close its socket.
    Close(ExchangeId),
    /// A look-up is over.
    Finished {
        /// As it was asked.
        lookup: Lookup,
        /// What was found out.
        outcome: Outcome,
        /// How long that lasts, in seconds.
        ttl: u32,
    },
}

#[derive(Debug)]
struct Server {
    address: SocketAddr,
    breaker: Breaker,
    last_answer: Option<Instant>,
}

#[derive(Debug)]
struct InFlight {
    /// The name at the end of the aliases found so far.
    target: Lookup,
    aliases: usize,
    ttl: u32,
    attempts: u32,
    next_attempt: Instant,
    expires: Instant,
    exchanges: Vec<Exchange>,
    /// Servers that reported a failure, or could not be reached.
    failed: Vec<usize>,
}

/// The stub resolver.
#[derive(Debug)]
pub struct Stub {
    timeout: Duration,
    servers: Vec<Server>,
    random: Random,
    // Ordered: what happens at the same moment happens in the same order.
    lookups: BTreeMap<Lookup, InFlight>,
    exchanges: HashMap<ExchangeId, Lookup>,
    next_exchange: u64,
    actions: VecDeque<Action>,
}

impl Stub {
    /// A stub without any look-up.
    pub fn new(settings: &StubSettings) -> Self {
        let server = |&address: &SocketAddr| Server {
            address,
            breaker: Breaker::CLOSED,
            last_answer: None,
        };
        Self {
            timeout: settings.timeout,
            servers: settings.servers.iter().map(server).collect(),
            random: Random::new(),
            lookups: BTreeMap::new(),
            exchanges: HashMap::new(),
            next_exchange: 0,
            actions: VecDeque::new(),
        }
    }

    /// Begins a look-up, unless the same one is in flight. It ends with [`Action::Finished`].
    pub fn start(&mut self, lookup: Lookup, now: Instant) {
        if self.lookups.contains_key(&lookup) {
            return;
        }
        if self.lookups.len() >= LOOKUPS_MAX {
            self.report(lookup, Outcome::Unknown(Cause::Overloaded), 0);
            return;
        }
        let in_flight = InFlight {
            target: lookup.clone(),
            aliases: 0,
            ttl: u32::MAX,
            attempts: 0,
            next_attempt: now,
            expires: now + self.timeout,
            exchanges: Vec::new(),
            failed: Vec::new(),
        };
        self.lookups.insert(lookup.clone(), in_flight);
        self.attempt(&lookup, now);
    }

    /// The next thing to do, until there is none.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Stub::tick`] must be called next.
    pub fn next_time(&self) -> Option<Instant> {
        let times = self.lookups.values().map(InFlight::next_time);
        times.min()
    }

    /// Sends again what was not answered, and ends what has lasted long enough.
    pub fn tick(&mut self, now: Instant) {
        let due = self
            .lookups
            .iter()
            .filter(|(_, flight)| flight.next_time() <= now);
        let due: Vec<Lookup> = due.map(|(lookup, _)| lookup.clone()).collect();
        for lookup in due {
            let expires = self.lookups.get(&lookup).map(|flight| flight.expires);
            if expires.is_some_and(|expires| expires <= now) {
                self.expire(&lookup, now);
            } else {
                self.attempt(&lookup, now);
            }
        }
    }

    /// A message came in for `exchange`.
    pub fn received(&mut self, exchange: ExchangeId, bytes: &[u8], now: Instant) {
        let Some(lookup) = self.exchanges.get(&exchange).cloned() else {
            return;
        };
        let Some(flight) = self.lookups.get_mut(&lookup) else {
            return;
        };
        let Some(open) = flight.exchanges.iter_mut().find(|open| open.id == exchange) else {
            return;
        };
        let server = open.server;
        let has_edns = open.has_edns;
        match open.receive(bytes) {
            Received::Strange if open.transport == Transport::Udp => {}
            Received::Strange => self.failed(exchange, now),
            Received::AskOverTcp => {
                self.close(&lookup, exchange);
                self.send(&lookup, server, Transport::Tcp, has_edns, now);
                self.settle_if_over(&lookup);
            }
            Received::Answer(message) => {
                self.succeed(server, now);
                self.close(&lookup, exchange);
                self.blame_silent(&lookup, self.timeout / 4, now);
                self.answered(&lookup, server, has_edns, &message, now);
            }
        }
    }

    /// `exchange` can bring nothing any more: refused, reset, closed, not sent.
    pub fn failed(&mut self, exchange: ExchangeId, now: Instant) {
        let Some(lookup) = self.exchanges.get(&exchange).cloned() else {
            return;
        };
        let server = self.close(&lookup, exchange);
        if let Some(server) = server {
            self.fail(server, now);
            self.try_another(&lookup, server, now);
        }
    }

    /// How many look-ups are in flight.
    pub fn in_flight(&self) -> usize {
        self.lookups.len()
    }

    /// How many servers are left alone now.
    pub fn servers_left_alone(&self) -> usize {
        let open = self
            .servers
            .iter()
            .filter(|server| server.breaker.is_open());
        open.count()
    }

    fn answered(
        &mut self,
        lookup: &Lookup,
        server: usize,
        has_edns: bool,
        message: &Message,
        now: Instant,
    ) {
        let Some(flight) = self.lookups.get_mut(lookup) else {
            return;
        };
        match read(message, &flight.target) {
            Reading::Settled(outcome, ttl) => {
                let ttl = ttl.min(flight.ttl);
                self.finish(lookup, outcome, ttl);
            }
            Reading::Alias {
                target,
                aliases,
                ttl,
            } => {
                flight.aliases += aliases;
                flight.ttl = flight.ttl.min(ttl);
                if flight.aliases > ALIASES_MAX {
                    self.finish(lookup, Outcome::Unknown(Cause::Failed), FAILURE_TTL);
                    return;
                }
                flight.target.name = target;
                flight.attempts = 0;
                self.close_all(lookup);
                self.attempt(lookup, now);
            }
            Reading::TooManyAliases => {
                self.finish(lookup, Outcome::Unknown(Cause::Failed), FAILURE_TTL);
            }
            Reading::NotUnderstood if has_edns => {
                self.send(lookup, server, Transport::Udp, false, now);
                self.settle_if_over(lookup);
            }
            Reading::NotUnderstood | Reading::Failed => self.try_another(lookup, server, now),
        }
    }

    /// Asks a server other than `server`, immediately, if there is one.
    fn try_another(&mut self, lookup: &Lookup, server: usize, now: Instant) {
        if let Some(flight) = self.lookups.get_mut(lookup) {
            flight.failed.push(server);
            self.attempt(lookup, now);
        }
    }

    /// Sends the query once more, if it may be; ends the look-up if nothing can be expected.
    fn attempt(&mut self, lookup: &Lookup, now: Instant) {
        let quarter = self.timeout / 4;
        let Some(flight) = self.lookups.get_mut(lookup) else {
            return;
        };
        flight.next_attempt = now + quarter;
        let count = self.servers.len();
        let first = usize::try_from(flight.attempts).unwrap_or(0);
        if flight.attempts < ATTEMPTS_MAX {
            flight.attempts += 1;
            let mut candidates = (0..count).map(|step| (first + step) % count.max(1));
            let chosen = candidates.find(|index| {
                let server = self.servers.get_mut(*index);
                !flight.failed.contains(index)
                    && server.is_some_and(|server| server.breaker.admit(now))
            });
            if let Some(server) = chosen {
                self.send(lookup, server, Transport::Udp, true, now);
            }
        }
        self.settle_if_over(lookup);
    }

    /// Ends a look-up for which no answer can come any more.
    fn settle_if_over(&mut self, lookup: &Lookup) {
        let flight = self.lookups.get(lookup);
        if flight.is_some_and(|flight| flight.exchanges.is_empty()) {
            // Of a server that is left alone nothing is kept: it may be back in a moment.
            let was_asked = flight.is_some_and(|flight| !flight.failed.is_empty());
            let ttl = if was_asked { FAILURE_TTL } else { 0 };
            self.finish(lookup, Outcome::Unknown(Cause::Failed), ttl);
        }
    }

    fn expire(&mut self, lookup: &Lookup, now: Instant) {
        self.blame_silent(lookup, Duration::ZERO, now);
        self.finish(lookup, Outcome::Unknown(Cause::Timeout), FAILURE_TTL);
    }

    /// Counts one failure of each server that had at least `time` for this look-up and answered
    /// neither it nor any other since.
    fn blame_silent(&mut self, lookup: &Lookup, time: Duration, now: Instant) {
        let Some(flight) = self.lookups.get(lookup) else {
            return;
        };
        for (index, server) in self.servers.iter_mut().enumerate() {
            let own = flight.exchanges.iter().filter(|open| open.server == index);
            let first_sent = own.map(|open| open.sent).min();
            let is_silent = first_sent.is_some_and(|sent| {
                sent + time <= now && server.last_answer.is_none_or(|last| last < sent)
            });
            if is_silent {
                server.breaker.fail(now);
            }
        }
    }

    fn send(
        &mut self,
        lookup: &Lookup,
        server: usize,
        transport: Transport,
        has_edns: bool,
        now: Instant,
    ) {
        let Some(flight) = self.lookups.get_mut(lookup) else {
            return;
        };
        let Some(address) = self.servers.get(server).map(|server| server.address) else {
            return;
        };
        if flight.exchanges.len() >= EXCHANGES_MAX {
            return;
        }
        let id = ExchangeId(self.next_exchange);
        let random = &mut self.random;
        let made = Exchange::new(id, server, transport, &flight.target, random, now);
        let Some(mut made) = made else { return };
        made.has_edns = has_edns;
        self.next_exchange += 1;
        self.actions.push_back(Action::Send {
            exchange: id,
            server: address,
            transport,
            message: made.message(),
        });
        flight.exchanges.push(made);
        self.exchanges.insert(id, lookup.clone());
    }

    /// Closes one exchange and returns its server.
    fn close(&mut self, lookup: &Lookup, exchange: ExchangeId) -> Option<usize> {
        self.exchanges.remove(&exchange)?;
        self.actions.push_back(Action::Close(exchange));
        let flight = self.lookups.get_mut(lookup)?;
        let index = flight
            .exchanges
            .iter()
            .position(|open| open.id == exchange)?;
        Some(flight.exchanges.swap_remove(index).server)
    }

    fn close_all(&mut self, lookup: &Lookup) {
        let Some(flight) = self.lookups.get_mut(lookup) else {
            return;
        };
        for open in flight.exchanges.drain(..) {
            self.exchanges.remove(&open.id);
            self.actions.push_back(Action::Close(open.id));
        }
    }

    fn finish(&mut self, lookup: &Lookup, outcome: Outcome, ttl: u32) {
        self.close_all(lookup);
        if let Some((lookup, _)) = self.lookups.remove_entry(lookup) {
            self.report(lookup, outcome, ttl);
        }
    }

    fn report(&mut self, lookup: Lookup, outcome: Outcome, ttl: u32) {
        self.actions.push_back(Action::Finished {
            lookup,
            outcome,
            ttl,
        });
    }

    fn succeed(&mut self, server: usize, now: Instant) {
        if let Some(server) = self.servers.get_mut(server) {
            server.last_answer = Some(now);
            server.breaker.succeed();
        }
    }

    fn fail(&mut self, server: usize, now: Instant) {
        if let Some(server) = self.servers.get_mut(server) {
            server.breaker.fail(now);
        }
    }
}

impl InFlight {
    /// When it is to be sent again, or ends.
    fn next_time(&self) -> Instant {
        if self.attempts < ATTEMPTS_MAX {
            self.next_attempt.min(self.expires)
        } else {
            self.expires
        }
    }
}

#[cfg(test)]
#[path = "stub_tests.rs"]
mod tests;
