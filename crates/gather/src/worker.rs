//! The thread of the resolver: takes requests, waits for sockets and times, hands results around.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use gatepost_words::clock::Clock;
use gatepost_words::fact::Cause;
use mio::{Events, Poll, Token};

use crate::Answer;
use crate::dns::{Action, Cache, Lookup, Outcome, Stub, StubSettings};
use crate::pending::Pending;
use crate::resolver::{Counters, Settings};
use crate::sockets::{Event, Sockets, WAKE, exchange_of};
use crate::task::{Step, Task};

/// Requests that are worked on at the same time; further ones are refused as overload.
const REQUESTS_MAX: usize = 4_096;
/// Requests taken in before sockets have their turn.
const INTAKE_MAX: usize = 64;
/// The thread wakes up so often, whatever happens.
const IDLE: Duration = Duration::from_secs(1);
const EVENTS: usize = 256;
/// Answers leave so long before their deadline: the one who asked looks at the same clock, and an
/// answer in part (names, but not yet which of them is confirmed) is worth more than none.
const LEAD: Duration = Duration::from_millis(20);
/// The largest message.
const BUFFER: usize = 64 << 10;

/// One request being worked on.
struct Request {
    pending: Pending,
    /// When it is answered with what is known then.
    due: Instant,
    tasks: Vec<Progress>,
}

enum Progress {
    Running(Task),
    Finished(Answer),
}

/// Who waits for a look-up: a request and which of its tasks.
type Waiting = (u64, usize);

/// The state of the thread.
struct State {
    stub: Stub,
    cache: Cache,
    sockets: Sockets,
    requests: HashMap<u64, Request>,
    next_request: u64,
    deadlines: BTreeSet<(Instant, u64)>,
    waiting: HashMap<Lookup, Vec<Waiting>>,
    /// Results to be handed to those who wait: a queue, so that no result recurses into the next.
    results: VecDeque<(Lookup, Outcome, Vec<Waiting>)>,
    /// Sockets that had more to read than their turn allowed.
    unread: Vec<Token>,
    counters: Arc<Counters>,
}

/// The thread's own: what it needs to begin again after a panic, and its state.
pub(crate) struct Worker {
    settings: Settings,
    clock: Clock,
    poll: Poll,
    received: Receiver<Pending>,
    counters: Arc<Counters>,
    buffer: Vec<u8>,
}

impl Worker {
    pub(crate) fn new(
        settings: Settings,
        clock: Clock,
        poll: Poll,
        received: Receiver<Pending>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            settings,
            clock,
            poll,
            received,
            counters,
            buffer: vec![0; BUFFER],
        }
    }

    /// Works until the resolver is closed (`true`) or something panics (`false`): then what was
    /// asked is answered `Unknown(Failed)`, and this may be called again.
    pub(crate) fn run_until_panic(&mut self) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.run())).is_ok()
    }

    /// Works until the resolver is closed, or the system refuses to wait for sockets.
    fn run(&mut self) {
        let Ok(registry) = self.poll.registry().try_clone() else {
            return;
        };
        let counters = Arc::clone(&self.counters);
        let mut state = State::new(&self.settings, Sockets::new(registry), counters);
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let now = self.clock.now();
            let Some(has_more) = self.take_requests(&mut state, now) else {
                return;
            };
            let mut wait = state
                .next_time()
                .map_or(IDLE, |time| time.saturating_duration_since(now));
            if has_more || !state.unread.is_empty() {
                wait = Duration::ZERO;
            }
            if let Err(error) = self.poll.poll(&mut events, Some(wait.min(IDLE)))
                && error.kind() != std::io::ErrorKind::Interrupted
            {
                return;
            }
            let now = self.clock.now();
            let mut ready = std::mem::take(&mut state.unread);
            for event in &events {
                ready.push(event.token());
            }
            for token in ready {
                if token != WAKE {
                    state.proceed(token, &mut self.buffer, now);
                }
            }
            state.stub.tick(now);
            state.settle(now);
            state.expire(now);
        }
    }

    /// Takes requests in; whether there are more, or `None` if the resolver is closed.
    fn take_requests(&self, state: &mut State, now: Instant) -> Option<bool> {
        for _ in 0..INTAKE_MAX {
            match self.received.try_recv() {
                Ok(pending) => state.take(pending, now),
                Err(TryRecvError::Empty) => return Some(false),
                Err(TryRecvError::Disconnected) => return None,
            }
        }
        Some(true)
    }
}

impl State {
    fn new(settings: &Settings, sockets: Sockets, counters: Arc<Counters>) -> Self {
        let stub = StubSettings {
            servers: settings.servers.clone(),
            timeout: settings.timeout,
        };
        Self {
            stub: Stub::new(&stub),
            cache: Cache::new(settings.cache),
            sockets,
            requests: HashMap::new(),
            next_request: 0,
            deadlines: BTreeSet::new(),
            waiting: HashMap::new(),
            results: VecDeque::new(),
            unread: Vec::new(),
            counters,
        }
    }

    fn next_time(&self) -> Option<Instant> {
        let deadline = self.deadlines.first().map(|(deadline, _)| *deadline);
        deadline.into_iter().chain(self.stub.next_time()).min()
    }

    fn take(&mut self, pending: Pending, now: Instant) {
        if pending.deadline <= now {
            pending.unknown(Cause::Timeout);
            return;
        }
        if self.requests.len() >= REQUESTS_MAX {
            self.counters.count_overloaded();
            pending.unknown(Cause::Overloaded);
            return;
        }
        let id = self.next_request;
        self.next_request += 1;
        let due = pending.deadline.checked_sub(LEAD).unwrap_or(now);
        self.deadlines.insert((due, id));
        let tasks: Vec<Task> = pending.questions.iter().map(Task::new).collect();
        let first: Vec<Vec<Lookup>> = tasks.iter().map(Task::begin).collect();
        let tasks = tasks.into_iter().map(Progress::Running).collect();
        let request = Request {
            pending,
            due,
            tasks,
        };
        self.requests.insert(id, request);
        for (task, lookups) in first.into_iter().enumerate() {
            self.need(lookups, (id, task), now);
        }
        self.answer_if_complete(id);
        self.settle(now);
    }

    /// Looks up for a task: in the cache, or on the network.
    fn need(&mut self, lookups: Vec<Lookup>, task: Waiting, now: Instant) {
        for lookup in lookups {
            if let Some(outcome) = self.cache.get(&lookup, now) {
                self.counters.count_from_cache();
                self.results.push_back((lookup, outcome, vec![task]));
            } else {
                self.waiting.entry(lookup.clone()).or_default().push(task);
                self.stub.start(lookup, now);
            }
        }
    }

    fn proceed(&mut self, token: Token, buffer: &mut [u8], now: Instant) {
        let (events, has_more) = self.sockets.proceed(token, buffer);
        for event in events {
            match event {
                Event::Message(bytes) => self.stub.received(exchange_of(token), &bytes, now),
                Event::Failed => self.stub.failed(exchange_of(token), now),
            }
        }
        if has_more {
            self.unread.push(token);
        }
    }

    /// Does what the stub wants and hands results around, until neither brings anything new. It
    /// ends: each look-up is bounded, and a task asks for no look-up twice.
    fn settle(&mut self, now: Instant) {
        loop {
            if let Some(action) = self.stub.next_action() {
                self.act(action, now);
            } else if let Some((lookup, outcome, waiting)) = self.results.pop_front() {
                for task in waiting {
                    self.hand_over(task, &lookup, &outcome, now);
                }
            } else {
                return;
            }
        }
    }

    fn act(&mut self, action: Action, now: Instant) {
        match action {
            Action::Send {
                exchange,
                server,
                transport,
                message,
            } => {
                self.counters.count_query();
                let sent = self.sockets.send(exchange, server, transport, &message);
                if sent.is_err() {
                    self.stub.failed(exchange, now);
                }
            }
            Action::Close(exchange) => self.sockets.close(exchange),
            Action::Finished {
                lookup,
                outcome,
                ttl,
            } => {
                let waiting = self.waiting.remove(&lookup).unwrap_or_default();
                self.cache.put(lookup.clone(), outcome.clone(), ttl, now);
                self.results.push_back((lookup, outcome, waiting));
            }
        }
    }

    fn hand_over(
        &mut self,
        (id, index): Waiting,
        lookup: &Lookup,
        outcome: &Outcome,
        now: Instant,
    ) {
        // Its deadline may have passed already.
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        let Some(progress) = request.tasks.get_mut(index) else {
            return;
        };
        let Progress::Running(task) = progress else {
            return;
        };
        match task.answered(lookup, outcome) {
            Step::Wait => {}
            Step::Need(lookups) => self.need(lookups, (id, index), now),
            Step::Done(answer) => {
                *progress = Progress::Finished(answer);
                self.answer_if_complete(id);
            }
        }
    }

    fn answer_if_complete(&mut self, id: u64) {
        let is_complete = self.requests.get(&id).is_some_and(|request| {
            let mut tasks = request.tasks.iter();
            tasks.all(|progress| matches!(progress, Progress::Finished(_)))
        });
        if is_complete {
            self.answer(id);
        }
    }

    /// Answers a request with what is known now.
    fn answer(&mut self, id: u64) {
        let Some(request) = self.requests.remove(&id) else {
            return;
        };
        self.deadlines.remove(&(request.due, id));
        let answers = request.tasks.into_iter().map(|progress| match progress {
            Progress::Running(task) => task.answer(),
            Progress::Finished(answer) => answer,
        });
        request.pending.answer(answers.collect());
    }

    /// Answers the requests whose deadline has come.
    fn expire(&mut self, now: Instant) {
        while let Some(&(deadline, id)) = self.deadlines.first()
            && deadline <= now
        {
            self.deadlines.remove(&(deadline, id));
            self.answer(id);
        }
    }
}
