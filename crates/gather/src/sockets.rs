//! The sockets of the exchanges: one each, from a random port, closed when the exchange is over.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use mio::net::{TcpStream, UdpSocket};
use mio::{Interest, Registry, Token};

use crate::dns::{ExchangeId, Transport};
use crate::random::Random;

/// The token of the waker: no exchange has it.
pub(crate) const WAKE: Token = Token(usize::MAX);

/// Random ports that are tried before the system chooses one.
const PORTS_TRIED: usize = 8;
/// Ports below are for services.
const PORT_MIN: u16 = 1_024;
/// Messages read from one socket before the others have their turn.
const READS_MAX: usize = 32;

#[derive(Debug)]
enum Socket {
    Udp(UdpSocket),
    Tcp(Connection),
}

/// A connection on which one query is sent and one response is read.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    /// Length and query, as far as it is not sent.
    unsent: Vec<u8>,
    /// Length and response, as far as it has come.
    received: Vec<u8>,
}

/// What happened on a socket.
#[derive(Debug)]
pub(crate) enum Event {
    /// This message came.
    Message(Vec<u8>),
    /// Nothing will come any more.
    Failed,
}

/// All sockets of the stub resolver.
#[derive(Debug)]
pub(crate) struct Sockets {
    registry: Registry,
    open: HashMap<Token, Socket>,
    random: Random,
}

fn token_of(exchange: ExchangeId) -> Token {
    Token(usize::try_from(exchange.0).unwrap_or(0))
}

/// The exchange of a token.
pub(crate) fn exchange_of(token: Token) -> ExchangeId {
    ExchangeId(u64::try_from(token.0).unwrap_or(u64::MAX))
}

impl Sockets {
    pub(crate) fn new(registry: Registry) -> Self {
        Self {
            registry,
            open: HashMap::new(),
            random: Random::new(),
        }
    }

    /// Sends `message` to `server` over a new socket.
    pub(crate) fn send(
        &mut self,
        exchange: ExchangeId,
        server: SocketAddr,
        transport: Transport,
        message: &[u8],
    ) -> io::Result<()> {
        let token = token_of(exchange);
        let socket = match transport {
            Transport::Udp => {
                let mut socket = self.bind(server)?;
                // Connected: the kernel drops what comes from elsewhere, and reports refusals.
                socket.connect(server)?;
                socket.send(message)?;
                self.registry
                    .register(&mut socket, token, Interest::READABLE)?;
                Socket::Udp(socket)
            }
            Transport::Tcp => {
                let mut stream = TcpStream::connect(server)?;
                let both = Interest::READABLE | Interest::WRITABLE;
                self.registry.register(&mut stream, token, both)?;
                let length = u16::try_from(message.len()).map_err(io::Error::other)?;
                Socket::Tcp(Connection {
                    stream,
                    unsent: [&length.to_be_bytes(), message].concat(),
                    received: Vec::new(),
                })
            }
        };
        self.open.insert(token, socket);
        Ok(())
    }

    /// A socket on a random port.
    fn bind(&mut self, server: SocketAddr) -> io::Result<UdpSocket> {
        let address: IpAddr = if server.is_ipv4() {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            Ipv6Addr::UNSPECIFIED.into()
        };
        for _ in 0..PORTS_TRIED {
            let port = self.random.u16().filter(|&port| port >= PORT_MIN);
            let Some(port) = port else { continue };
            if let Ok(socket) = UdpSocket::bind(SocketAddr::new(address, port)) {
                return Ok(socket);
            }
        }
        // All taken, or forbidden: the system's choice is random too.
        UdpSocket::bind(SocketAddr::new(address, 0))
    }

    /// Closes the socket of `exchange`, if it has one.
    pub(crate) fn close(&mut self, exchange: ExchangeId) {
        // What is closed leaves the poll on its own.
        self.open.remove(&token_of(exchange));
    }

    /// Does what can be done on the socket of `token` now. Reading ends when nothing is left, as
    /// edge-triggered readiness demands, or with `true`: call again.
    pub(crate) fn proceed(&mut self, token: Token, buffer: &mut [u8]) -> (Vec<Event>, bool) {
        match self.open.get_mut(&token) {
            None => (Vec::new(), false),
            Some(Socket::Udp(socket)) => read_datagrams(socket, buffer),
            Some(Socket::Tcp(connection)) => {
                let event = match connection.proceed(buffer) {
                    Ok(None) => None,
                    Ok(Some(message)) => Some(Event::Message(message)),
                    Err(_) => Some(Event::Failed),
                };
                (event.into_iter().collect(), false)
            }
        }
    }
}

fn read_datagrams(socket: &UdpSocket, buffer: &mut [u8]) -> (Vec<Event>, bool) {
    let mut events = Vec::new();
    for _ in 0..READS_MAX {
        match socket.recv(buffer) {
            Ok(count) => {
                events.push(Event::Message(filled(buffer, count).to_vec()));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return (events, false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => {
                events.push(Event::Failed);
                return (events, false);
            }
        }
    }
    (events, true)
}

impl Connection {
    /// Writes and reads what can be without waiting; the response when it is complete.
    fn proceed(&mut self, buffer: &mut [u8]) -> io::Result<Option<Vec<u8>>> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if is_not_yet(&error) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        loop {
            if let Some(message) = self.response() {
                return Ok(Some(message));
            }
            match self.stream.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                // At most the length and 64 KiB are kept: a complete response ends reading.
                Ok(count) => self.received.extend_from_slice(filled(buffer, count)),
                Err(error) if is_not_yet(&error) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn response(&self) -> Option<Vec<u8>> {
        let (length, rest) = self.received.split_first_chunk()?;
        let message = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
        Some(message.to_vec())
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "the system reports at most the length of the buffer that it was given"
)]
fn filled(buffer: &[u8], count: usize) -> &[u8] {
    &buffer[..count]
}

/// Not connected yet, or nothing to read.
fn is_not_yet(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected
    )
}
