//! Sockets that a service manager has opened for us (sd_listen_fds(3)). It keeps them open while the
//! daemon restarts: no client is refused, connections wait for the new daemon.
#![cfg_attr(
    test,
    expect(clippy::disallowed_methods, reason = "tests open sockets and files")
)]

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::AddressFamily;
use rustix::net::sockopt::{socket_acceptconn, socket_domain};

use super::Address;
use super::systemd::number;
use super::systemd_descriptors::take;
use gatepost_words::SocketAddress;

/// The sockets that were passed, by their addresses.
#[derive(Clone, Debug, Default)]
pub struct PassedSockets(Vec<Arc<PassedSocket>>);

#[derive(Debug)]
struct PassedSocket {
    /// As the configuration writes it.
    address: String,
    listener: PassedListener,
}

/// A socket that listens already.
#[derive(Debug)]
pub(super) enum PassedListener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl PassedSockets {
    /// What this process was passed; nothing where it was not started so. To be called once, before
    /// any socket is opened.
    pub fn of_process() -> Self {
        let is_ours = number("LISTEN_PID") == Some(u64::from(std::process::id()));
        let count = number("LISTEN_FDS").filter(|_| is_ours).unwrap_or(0);
        if count == 0 {
            return Self::default();
        }
        let mut sockets = Vec::new();
        for descriptor in take(u16::try_from(count).unwrap_or(u16::MAX)) {
            match adopt(descriptor) {
                Ok(socket) => sockets.push(Arc::new(socket)),
                Err(error) => log::error!("a socket of the service manager is of no use: {error}"),
            }
        }
        Self(sockets)
    }

    /// Their addresses, as the configuration writes them.
    pub fn addresses(&self) -> Vec<String> {
        let sockets = self.0.iter();
        sockets.map(|socket| socket.address.clone()).collect()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one with that address.
    pub(super) fn find(&self, address: &Address) -> io::Result<Option<PassedListener>> {
        let wanted = address.to_string();
        let found = self.0.iter().find(|socket| socket.address == wanted);
        found.map(|socket| socket.listener.try_clone()).transpose()
    }

    /// Reports those that are at none of these addresses: their clients would wait for ever.
    pub(super) fn report_others(&self, known: &[String]) {
        for socket in &self.0 {
            if !known.contains(&socket.address) {
                log::warn!(
                    "the service manager passes {}, which is the socket of no listener: write \
                     `socket = \"{}\"` in the configuration",
                    socket.address,
                    socket.address
                );
            }
        }
    }
}

impl PassedListener {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Unix(listener) => Self::Unix(listener.try_clone()?),
            Self::Tcp(listener) => Self::Tcp(listener.try_clone()?),
        })
    }
}

/// Finds out what a descriptor is, and prepares it for the event loop.
fn adopt(descriptor: OwnedFd) -> io::Result<PassedSocket> {
    fcntl_setfd(&descriptor, FdFlags::CLOEXEC)?;
    if !socket_acceptconn(descriptor.as_fd())? {
        let text = "it does not listen (ListenStream=, Accept=no)";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    if socket_domain(descriptor.as_fd())? == AddressFamily::UNIX {
        let listener = UnixListener::from(descriptor);
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let path = address.as_pathname().map(std::path::Path::to_owned);
        let path = path.ok_or_else(|| io::Error::other("its address has no path"))?;
        return Ok(PassedSocket {
            address: SocketAddress::Unix(path).to_string(),
            listener: PassedListener::Unix(listener),
        });
    }
    let listener = TcpListener::from(descriptor);
    listener.set_nonblocking(true)?;
    Ok(PassedSocket {
        address: SocketAddress::Inet(listener.local_addr()?).to_string(),
        listener: PassedListener::Tcp(listener),
    })
}

#[cfg(test)]
impl PassedSockets {
    /// As if these had been passed.
    pub(super) fn of(descriptors: Vec<OwnedFd>) -> Self {
        let adopted = descriptors.into_iter().map(adopt);
        Self(adopted.map(|socket| Arc::new(socket.unwrap())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_found_by_its_address_and_stays_open() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let inet = Address::Inet(tcp.local_addr().unwrap());
        let unix = UnixListener::bind(&path).unwrap();
        let passed = PassedSockets::of(vec![tcp.into(), unix.into()]);
        let unix = Address::Unix {
            path: path.clone(),
            mode: 0o660,
            group: None,
        };
        for address in [&inet, &unix] {
            drop(passed.find(address).unwrap().unwrap());
            assert!(passed.addresses().contains(&address.to_string()));
        }
        std::os::unix::net::UnixStream::connect(&path).unwrap();
        let other = Address::Inet("192.0.2.1:1".parse().unwrap());
        assert!(passed.find(&other).unwrap().is_none());
    }

    #[test]
    fn a_socket_that_does_not_listen_is_refused() {
        let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        assert!(adopt(one.into()).is_err());
        assert!(adopt(std::fs::File::open("/dev/null").unwrap().into()).is_err());
    }
}
