//! Helpers of the tests: a small MTA, a service whose workers are the test itself, and a server on
//! its own thread.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam::channel::{Receiver, Sender, unbounded};

use super::loop_requests::LoopRequests;
use super::run::serve_with;
use super::{
    Address, FrontEnd, Listener, Observation, Reloaded, Request, ServeError, Service, Settings,
};
use crate::session::{self, Delivery};
use gatepost_engine::{Budget, Completion, Notify, Report};
use gatepost_milter::{Action, Event, MilterHandler, Reply, Response};
use gatepost_words::clock::Clock;

mod mta;

pub(super) use mta::{MESSAGE_ANSWERS, Mta, greeting, message, optneg, packet};

/// How long a test waits before it fails; never part of what it checks.
pub(super) const TIMEOUT: Duration = Duration::from_mins(1);

/// Bytes that the buffers of all connections of a test may take, and an eighth more.
pub(super) const BUDGET: usize = 8 << 20;

/// How the test's handler answers the end of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// At once, with one header.
    Now,
    /// Later: the job goes to [`TestService::jobs`].
    Later,
}

/// A job that waits for the test to finish it.
pub(super) struct Job {
    notify: Arc<dyn Notify>,
    ticket: u64,
}

impl Job {
    /// Reports, which the test's handler answers with a deferral.
    pub(super) fn finish(self) {
        self.notify.completed(Completion {
            ticket: self.ticket,
            report: Report::Gathered(Vec::new()),
        });
    }
}

/// The service.
pub(super) struct TestService {
    mode: Mode,
    sender: Sender<Job>,
    /// Jobs, in the order in which they came.
    pub(super) jobs: Receiver<Job>,
    /// What the buffers of all connections draw on.
    pub(super) budget: Arc<Budget>,
    /// All that was observed.
    pub(super) seen: Mutex<Vec<Observation>>,
    /// Names of the events, `listener:EVENT`.
    pub(super) events: Arc<Mutex<Vec<String>>>,
}

impl TestService {
    /// How often something was observed.
    pub(super) fn count(&self, which: impl Fn(&Observation) -> bool) -> usize {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| which(seen))
            .count()
    }

    /// Waits until `which` was observed `times` times.
    pub(super) fn wait_for(&self, times: usize, which: impl Fn(&Observation) -> bool) {
        let mut waited = Duration::ZERO;
        while self.count(&which) < times {
            assert!(
                waited < TIMEOUT,
                "seen only {} of {times}",
                self.count(&which)
            );
            std::thread::sleep(Duration::from_millis(2));
            waited += Duration::from_millis(2);
        }
    }

    /// How often an event was given to a handler.
    pub(super) fn count_events(&self, name: &str) -> usize {
        self.events
            .lock()
            .unwrap()
            .iter()
            .filter(|event| event.ends_with(name))
            .count()
    }
}

impl Service for TestService {
    type Connection = Handler;

    fn open(&self, index: usize, notify: Arc<dyn Notify>) -> Handler {
        let (mode, jobs, events) = (self.mode, self.sender.clone(), Arc::clone(&self.events));
        Handler {
            index,
            mode,
            notify,
            jobs,
            events,
            ticket: 0,
            waiting: None,
            in_transaction: false,
            sender: Vec::new(),
        }
    }

    fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    fn reload(&self) -> Result<Reloaded, String> {
        Ok(Reloaded {
            generation: "2".to_owned(),
            ..Reloaded::default()
        })
    }

    fn query(&self, request: &Request) -> Result<String, String> {
        match request {
            Request::Metrics => Ok("messages_total 1\n".to_owned()),
            other => Err(format!("{other:?}")),
        }
    }

    fn shutting_down(&self) {
        self.events.lock().unwrap().push("DRAIN".to_owned());
    }

    fn observe(&self, observation: Observation) {
        self.seen.lock().unwrap().push(observation);
    }
}

/// The handler of one connection.
pub(super) struct Handler {
    index: usize,
    mode: Mode,
    notify: Arc<dyn Notify>,
    jobs: Sender<Job>,
    events: Arc<Mutex<Vec<String>>>,
    ticket: u64,
    waiting: Option<u64>,
    in_transaction: bool,
    sender: Vec<u8>,
}

/// Every change there is, with some that cannot be said as they are.
fn every_action() -> Vec<Action> {
    let text = |text: &str| text.to_owned();
    vec![
        Action::AddHeader {
            name: text("X-Added"),
            value: text("one\n two\r\nX-Evil: 3"),
        },
        Action::AddHeader {
            name: text("X Bad"),
            value: text("left out"),
        },
        Action::InsertHeader {
            index: 0,
            name: text("X-Inserted"),
            value: text("yes"),
        },
        Action::ChangeHeader {
            index: 1,
            name: text("Subject"),
            value: text("changed"),
        },
        Action::ChangeHeader {
            index: 2,
            name: text("X-Spam-Flag"),
            value: String::new(),
        },
        Action::ChangeHeader {
            index: 0,
            name: text("Subject"),
            value: text("left out"),
        },
        Action::ChangeFrom {
            path: text("<c@example.com>"),
            parameters: text("RET=HDRS"),
        },
        Action::AddRecipient {
            path: text("<d@example.net>"),
            parameters: String::new(),
        },
        Action::AddRecipient {
            path: text("<e@example.net>"),
            parameters: text("NOTIFY=NEVER"),
        },
        Action::DeleteRecipient {
            path: text("<b@example.net>"),
        },
        Action::Quarantine {
            reason: text("held\nfor a look"),
        },
    ]
}

impl Handler {
    /// Hands a job to the test; its report brings the answer.
    fn later(&mut self) -> Response {
        self.ticket += 1;
        self.waiting = Some(self.ticket);
        let job = Job {
            notify: Arc::clone(&self.notify),
            ticket: self.ticket,
        };
        self.jobs.send(job).unwrap();
        Reply::Pending.into()
    }

    /// The answer to the end of a message.
    fn ended(&mut self) -> Response {
        self.in_transaction = false;
        if self.sender == b"<actions@example.com>" {
            return Response {
                actions: every_action(),
                reply: Reply::Accept,
            };
        }
        let header = Action::AddHeader {
            name: "X-Test".to_owned(),
            value: "yes".to_owned(),
        };
        Response {
            actions: vec![header],
            reply: Reply::Continue,
        }
    }
}

impl MilterHandler for Handler {
    fn on_event(&mut self, event: Event<'_>) -> Response {
        self.events
            .lock()
            .unwrap()
            .push(format!("{}:{}", self.index, event.name()));
        match event {
            Event::Helo { name: b"panic", .. } => panic!("planned"),
            Event::Connect {
                host: b"later.example.com",
                ..
            }
            | Event::Helo {
                name: b"later.example.com",
                ..
            }
            | Event::RcptTo {
                path: b"<later@example.net>",
                ..
            }
            | Event::MailFrom {
                path: b"<wait@example.com>",
                ..
            } => return self.later(),
            Event::MailFrom { path, .. } => {
                self.in_transaction = true;
                self.sender = path.to_vec();
            }
            Event::RcptTo {
                path: b"<refused@example.net>",
                ..
            } => {
                let lines = vec!["not 100% welcome".to_owned(), "go away".to_owned()];
                return Reply::Code {
                    code: 550,
                    enhanced: "5.7.1".to_owned(),
                    lines,
                }
                .into();
            }
            Event::RcptTo {
                path: b"<deferred@example.net>",
                ..
            } => return Reply::Tempfail.into(),
            Event::Header { name: b"Bad", .. } => return Reply::Reject.into(),
            Event::Body { chunk } if chunk.starts_with(b"skip") => return Reply::Skip.into(),
            Event::Abort | Event::Close => {
                self.in_transaction = false;
                self.waiting = None;
            }
            Event::EndOfMessage { .. }
                if self.mode == Mode::Later || self.sender == b"<later@example.com>" =>
            {
                return self.later();
            }
            Event::EndOfMessage { .. } => return self.ended(),
            _ => {}
        }
        Reply::Continue.into()
    }
}

impl session::Connection for Handler {
    fn on_completed(&mut self, completion: Completion) -> Delivery {
        if self.waiting != Some(completion.ticket) {
            return Delivery::Late;
        }
        self.waiting = None;
        self.in_transaction = false;
        Delivery::Respond(Reply::Tempfail.into())
    }

    fn in_transaction(&self) -> bool {
        self.in_transaction
    }
}

/// A running server.
pub(super) struct Site {
    directory: PathBuf,
    temporary: Option<tempfile::TempDir>,
    pub(super) service: Arc<TestService>,
    pub(super) requests: Arc<LoopRequests>,
    thread: JoinHandle<Result<(), ServeError>>,
}

impl Site {
    /// Starts one with the listeners `0` and `1` in a directory of its own, its settings changed by
    /// `change`.
    pub(super) fn start(mode: Mode, change: impl FnOnce(&mut Settings)) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut site = Self::start_in(temporary.path().to_owned(), mode, change);
        site.temporary = Some(temporary);
        site
    }

    /// The same in a given directory.
    pub(super) fn start_in(
        directory: PathBuf,
        mode: Mode,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let listener = |name: &str| Listener {
            name: name.into(),
            address: Address::Unix {
                path: directory.join(name),
                mode: 0o660,
                group: None,
            },
            front_end: FrontEnd::Native,
        };
        let mut settings = Settings {
            listeners: vec![listener("0"), listener("1")],
            ..Settings::default()
        };
        change(&mut settings);
        let (sender, jobs) = unbounded();
        let service = Arc::new(TestService {
            mode,
            sender,
            jobs,
            budget: Budget::new(BUDGET),
            seen: Mutex::default(),
            events: Arc::default(),
        });
        let (ready, is_ready) = unbounded();
        let served = Arc::clone(&service);
        let thread = std::thread::spawn(move || {
            serve_with(settings, served, Clock::system(), false, |requests| {
                ready.send(Arc::clone(requests)).unwrap();
            })
        });
        let requests = is_ready.recv_timeout(TIMEOUT).expect("the server starts");
        Self {
            directory,
            temporary: None,
            service,
            requests,
            thread,
        }
    }

    /// Path of a file next to the sockets.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Connects to a listener.
    pub(super) fn connect(&self, name: &str) -> Mta<UnixStream> {
        let stream = UnixStream::connect(self.path(name)).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        Mta { stream }
    }

    /// Waits for the end.
    pub(super) fn join(self) -> Result<(), ServeError> {
        self.thread.join().unwrap()
    }

    /// Drains and waits for the end, which must be a good one.
    pub(super) fn end(self) {
        self.requests.terminate();
        self.join().unwrap();
    }
}
