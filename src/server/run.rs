//! Putting it together: opens everything, runs the loop, closes everything.

use std::collections::VecDeque;
use std::sync::Arc;

use mio::net::UnixListener;
use mio::{Interest, Poll, Token, Waker};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::acceptor::Acceptor;
use super::completion_queue::CompletionQueue;
use super::control::ControlServer;
use super::event_loop::{CONTROL, EventLoop, FIRST_LISTENER, SIGNALS, WAKE, input_buffer};
use super::libmilter_front_end::LibmilterFrontEnd;
use super::listener::{Bound, SocketFile, bind_unix};
use super::loop_requests::LoopRequests;
use super::reload::Reloader;
use super::serve_error::ServeError;
use super::service::Service;
use super::settings::{FrontEnd, Settings};
use super::shutdown::Shutdown;
use super::signals::Signals;
use super::slots::Slots;
use super::systemd;
use super::throttle::Throttle;
use super::timers::Timers;
use super::watchdog::Watchdog;
use gatepost_words::clock::Clock;

/// Permission bits of the control socket.
const CONTROL_MODE: u32 = 0o600;

/// Serves until SIGTERM or SIGINT; calls `ready` when all sockets are open.
///
/// `Ok` after a drain. [`ServeError::Forced`] after a second signal: the caller exits at once.
/// Where a listener used libmilter, its thread may still be ending; the caller exits soon in any
/// case.
pub fn serve<S: Service>(
    settings: Settings,
    service: Arc<S>,
    clock: Clock,
    ready: impl FnOnce(),
) -> Result<(), ServeError> {
    serve_with(settings, service, clock, true, |_| ready())
}

/// As [`serve`]; `ready` gets the tray of requests. Tests run without signals: those belong to the
/// whole process.
pub(super) fn serve_with<S: Service>(
    settings: Settings,
    service: Arc<S>,
    clock: Clock,
    with_signals: bool,
    ready: impl FnOnce(&Arc<LoopRequests>),
) -> Result<(), ServeError> {
    raise_descriptor_limit(settings.connections_max);
    let mut event_loop = open(settings, service, clock, with_signals)?;
    ready(&event_loop.requests);
    systemd::notify("READY=1");
    let result = event_loop.run();
    event_loop.reloader.close();
    result
}

fn open<S: Service>(
    settings: Settings,
    service: Arc<S>,
    clock: Clock,
    with_signals: bool,
) -> Result<EventLoop<S>, ServeError> {
    if settings.listeners.is_empty() {
        return Err(ServeError::NoListener);
    }
    let poll = Poll::new().map_err(|error| ServeError::System("make an event queue", error))?;
    let waker = Waker::new(poll.registry(), WAKE)
        .map_err(|error| ServeError::System("make a waker", error))?;
    let requests = Arc::new(LoopRequests::new(waker));
    let acceptor = open_acceptor(&settings, &poll)?;
    let libmilter = LibmilterFrontEnd::open(&settings, &service, &requests)?;
    // Signals before the reload thread: a SIGHUP that comes early must not kill us.
    let watch = || Signals::watch(poll.registry(), SIGNALS);
    let signals = with_signals
        .then(watch)
        .transpose()
        .map_err(|error| ServeError::System("watch for signals", error))?;
    let reloading = Arc::clone(&service);
    // The thread ends by itself when the desk is closed; a reload under way does not hold up the
    // exit.
    let (reloader, _) = Reloader::start(move || reloading.reload())
        .map_err(|error| ServeError::System("start the reload thread", error))?;
    let control = open_control(&settings, &service, &reloader, &poll)?;
    let now = clock.now();
    Ok(EventLoop {
        timers: Timers::new(now, settings.progress_interval.min(settings.idle_timeout)),
        shutdown: Shutdown::new(settings.drain_timeout),
        watchdog: Watchdog::of_process(now),
        completions: CompletionQueue::new(Arc::clone(&requests)),
        settings,
        service,
        clock,
        poll,
        requests,
        acceptor,
        signals,
        control,
        reloader,
        libmilter,
        connections: Slots::new(),
        ready: VecDeque::new(),
        input: input_buffer(),
        output: Vec::new(),
        overload_log: Throttle::default(),
        protocol_error_log: Throttle::default(),
        memory_log: Throttle::default(),
    })
}

fn open_acceptor(settings: &Settings, poll: &Poll) -> Result<Acceptor, ServeError> {
    let mut acceptor = Acceptor::new();
    let listeners = settings.listeners.iter();
    let known: Vec<String> = listeners
        .map(|listener| listener.address.to_string())
        .collect();
    settings.passed.report_others(&known);
    for (index, listener) in settings.listeners.iter().enumerate() {
        match listener.front_end {
            FrontEnd::Native => {
                // Entrances are numbered as they are added, so a listener of libmilter leaves no
                // gap.
                let bound = Bound::open(
                    &listener.address,
                    &settings.passed,
                    poll.registry(),
                    Token(FIRST_LISTENER + acceptor.len()),
                )?;
                log::info!("listener {}: {}", listener.name, bound.address);
                acceptor.add(index, bound);
            }
            FrontEnd::Libmilter => {}
        }
    }
    Ok(acceptor)
}

/// The control socket: its listener, its server, and the file that goes with it.
fn open_control<S: Service>(
    settings: &Settings,
    service: &Arc<S>,
    reloader: &Arc<Reloader>,
    poll: &Poll,
) -> Result<Option<(UnixListener, ControlServer, SocketFile)>, ServeError> {
    let Some(path) = &settings.control else {
        return Ok(None);
    };
    let (listener, file) = bind_unix(path, CONTROL_MODE, None)?;
    let mut listener = UnixListener::from_std(listener);
    poll.registry()
        .register(&mut listener, CONTROL, Interest::READABLE)
        .map_err(|error| ServeError::System("watch the control socket", error))?;
    let service = Arc::clone(service);
    Ok(Some((
        listener,
        ControlServer::new(
            Arc::new(move |request| service.query(request)),
            Arc::clone(reloader),
        ),
        file,
    )))
}

/// Raises the soft limit of descriptors to the hard one, and says so when even that is too small.
fn raise_descriptor_limit(connections_max: usize) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: limit.maximum,
                maximum: limit.maximum,
            },
        )
    {
        log::warn!("cannot raise the limit of open files: {error}");
    }
    let needed =
        u64::try_from(connections_max.saturating_add(Settings::REFUSED_MAX)).unwrap_or(u64::MAX);
    if let Some(available) = getrlimit(Resource::Nofile).current
        && available < needed.saturating_add(64)
    {
        log::warn!(
            "the limit of open files is {available}, too few for {connections_max} connections (LimitNOFILE=)"
        );
    }
}
