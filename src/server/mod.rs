//! Sockets, threads, timers, signals and shutdown: everything around the milter protocol that is
//! not the protocol.
//!
//! One thread runs the event loop for all listeners and all connections; workers report to it
//! through a queue. What a slow, silent, greedy or vanished MTA can do is bounded here:
//! connections, bytes read at a turn, bytes waiting to be written, time without a sign of life. The
//! loop ends for two reasons only: a signal, or a failure of `epoll` itself.
//!
//! * [`serve`] runs until it is asked to end; [`Service`] is what it serves.
//! * [`probe`] looks whether an address can be used, [`control()`] speaks to a running daemon.
//! * SIGTERM and SIGINT drain (messages that have begun are answered), a second one ends immediately,
//!   SIGHUP reloads.

mod acceptor;
mod accounts;
mod completion_queue;
mod connection;
mod control;
mod control_protocol;
mod event_loop;
mod handler;
#[cfg(feature = "libmilter")]
mod libmilter;
mod libmilter_front_end;
mod listener;
mod loop_requests;
mod obstacle;
mod passed_sockets;
mod reload;
mod run;
mod serve_error;
mod service;
mod settings;
mod shutdown;
mod signals;
mod slots;
mod stream;
mod systemd;
mod systemd_descriptors;
mod throttle;
mod timers;
mod watchdog;

#[cfg(test)]
mod drain_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use accounts::{Account, account};
pub use control::control;
pub use control_protocol::{Answer, Reloaded, Request};
pub use listener::{BindError, Probe, probe};
pub use obstacle::{Obstacle, Wanted, obstacle};
pub use passed_sockets::PassedSockets;
pub use run::serve;
pub use serve_error::ServeError;
pub use service::{Observation, Service};
pub use settings::{Address, FrontEnd, Listener, Settings};
