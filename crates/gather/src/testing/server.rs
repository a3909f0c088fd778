//! The server: UDP and TCP on one port of loopback, with a script for each name.
#![expect(
    clippy::disallowed_methods,
    reason = "a server for tests opens a socket"
)]

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Zone;
use crate::dns::{Message, Name, RecordData, ResponseCode};

/// How often a thread looks whether it is to end.
const TURN: Duration = Duration::from_millis(20);

/// One thing that is done about a query. A script is a list of them, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The right answer.
    Right,
    /// The right answer after this time.
    Late(Duration),
    /// A forged answer with another id.
    OtherId,
    /// A forged answer to another question.
    OtherQuestion,
    /// A forged answer from another port.
    OtherPort,
    /// A forged answer with the letters in another case.
    OtherCase,
    /// That the answer does not fit.
    Truncated,
    /// SERVFAIL.
    ServerFailure,
    /// Bytes that are not DNS, with the right id.
    Garbage,
}

#[derive(Default)]
struct Scripts {
    udp: BTreeMap<Name, Vec<Reply>>,
    tcp: BTreeMap<Name, Vec<Reply>>,
}

struct Shared {
    zone: Zone,
    scripts: Mutex<Scripts>,
    queries: AtomicUsize,
    over_tcp: AtomicUsize,
    is_ending: AtomicBool,
}

/// A DNS server on loopback. It ends when it is dropped.
pub struct TestServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl TestServer {
    /// Starts a server that answers right from `zone`.
    pub fn start(zone: Zone) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        Self::start_on(zone, listener)
    }

    /// Starts it on the address of another one that has ended.
    pub fn start_at(zone: Zone, address: SocketAddr) -> io::Result<Self> {
        Self::start_on(zone, TcpListener::bind(address)?)
    }

    fn start_on(zone: Zone, listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let udp = UdpSocket::bind(address)?;
        udp.set_read_timeout(Some(TURN))?;
        listener.set_nonblocking(true)?;
        let shared = Arc::new(Shared {
            zone,
            scripts: Mutex::default(),
            queries: AtomicUsize::new(0),
            over_tcp: AtomicUsize::new(0),
            is_ending: AtomicBool::new(false),
        });
        let of_udp = Arc::clone(&shared);
        let of_tcp = Arc::clone(&shared);
        let udp = Arc::new(udp);
        let threads = vec![
            std::thread::spawn(move || of_udp.serve_udp(&udp)),
            std::thread::spawn(move || of_tcp.serve_tcp(&listener)),
        ];
        Ok(Self {
            address,
            shared,
            threads,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on does `replies` about each query for `name`, or a name in it, over UDP. An empty
    /// script: it never answers.
    pub fn script(&self, name: &Name, replies: &[Reply]) {
        let mut scripts = self
            .shared
            .scripts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        scripts.udp.insert(name.clone(), replies.to_vec());
    }

    /// The same over TCP.
    pub fn script_tcp(&self, name: &Name, replies: &[Reply]) {
        let mut scripts = self
            .shared
            .scripts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        scripts.tcp.insert(name.clone(), replies.to_vec());
    }

    /// Queries that came in.
    pub fn queries(&self) -> usize {
        self.shared.queries.load(Ordering::SeqCst)
    }

    /// Those of them over TCP.
    pub fn queries_over_tcp(&self) -> usize {
        self.shared.over_tcp.load(Ordering::SeqCst)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.shared.is_ending.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

impl Shared {
    fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::SeqCst)
    }

    fn serve_udp(self: &Arc<Self>, socket: &Arc<UdpSocket>) {
        let mut buffer = [0; 2_048];
        while !self.is_ending() {
            let Ok((count, client)) = socket.recv_from(&mut buffer) else {
                continue;
            };
            let query = buffer.get(..count).unwrap_or_default().to_vec();
            let socket = Arc::clone(socket);
            self.reply(&query, false, move |reply, bytes| {
                let other = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
                let sent = match (reply, &other) {
                    (Reply::OtherPort, Ok(other)) => other.send_to(bytes, client),
                    _ => socket.send_to(bytes, client),
                };
                drop(sent);
            });
        }
    }

    fn serve_tcp(self: &Arc<Self>, listener: &TcpListener) {
        while !self.is_ending() {
            match listener.accept() {
                Ok((stream, _)) => drop(self.serve_connection(stream)),
                Err(_) => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }

    fn serve_connection(self: &Arc<Self>, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut query)?;
        self.over_tcp.fetch_add(1, Ordering::SeqCst);
        self.reply(&query, true, move |_, bytes| {
            let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
            // In two pieces, as a connection may bring it.
            let (first, rest) = bytes.split_at(bytes.len().min(5));
            drop(stream.write_all(&[&length, first].concat()));
            std::thread::sleep(Duration::from_millis(5));
            drop(stream.write_all(rest));
        });
        Ok(())
    }

    /// Does what the script says. Late replies are given in a thread of their own, so that others
    /// are not late too.
    fn reply(
        self: &Arc<Self>,
        query: &[u8],
        is_tcp: bool,
        mut send: impl FnMut(Reply, &[u8]) + Send + 'static,
    ) {
        self.queries.fetch_add(1, Ordering::SeqCst);
        let Ok(message) = Message::decode(query) else {
            return;
        };
        let script = self.script_of(&message, is_tcp);
        let answer = self.zone.answer(&message);
        let query = query.to_vec();
        let act = move || {
            for reply in script {
                if let Reply::Late(time) = reply {
                    std::thread::sleep(time);
                }
                send(reply, &bytes_of(reply, &query, &answer));
            }
        };
        std::thread::spawn(act);
    }

    fn script_of(&self, query: &Message, is_tcp: bool) -> Vec<Reply> {
        let scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        let scripts = if is_tcp { &scripts.tcp } else { &scripts.udp };
        let name = query.lookup.as_ref().map(|lookup| &lookup.name);
        let is_for = |zone: &Name| name.is_some_and(|name| name.is_in(zone));
        let own = scripts.iter().find(|(zone, _)| is_for(zone));
        let own = own.map(|(_, script)| script.clone());
        own.unwrap_or_else(|| vec![Reply::Right])
    }
}

/// The bytes of a reply: the letters of the question as they came, unless the reply is wrong there.
fn bytes_of(reply: Reply, query: &[u8], answer: &Message) -> Vec<u8> {
    let mut message = answer.clone();
    let length = answer
        .lookup
        .as_ref()
        .map_or(0, |lookup| lookup.name.wire().len());
    let mut name = query.get(12..12 + length).unwrap_or_default().to_vec();
    match reply {
        Reply::Right | Reply::Late(_) => {}
        Reply::Truncated => {
            message.is_truncated = true;
            message.answers.clear();
        }
        Reply::ServerFailure => {
            message.code = ResponseCode::SERVER_FAILURE;
            message.answers.clear();
        }
        Reply::Garbage => {
            let id = query.get(..2).unwrap_or_default();
            return [id, b"\xff\xff garbage that is long enough to be a header"].concat();
        }
        Reply::OtherId => {
            forge(&mut message);
            message.id ^= 1;
        }
        Reply::OtherPort => forge(&mut message),
        Reply::OtherQuestion => {
            forge(&mut message);
            if let Some(letter) = name.iter_mut().find(|byte| byte.is_ascii_digit()) {
                *letter = b'x';
            } else if let Some(letter) = name.iter_mut().find(|byte| byte.is_ascii_alphabetic()) {
                *letter = b'0';
            }
        }
        Reply::OtherCase => {
            forge(&mut message);
            for byte in name.iter_mut().filter(|byte| byte.is_ascii_alphabetic()) {
                *byte ^= 0x20;
            }
        }
    }
    message.encode_with_name(&name)
}

/// Replaces what the records say with what a forger would like.
fn forge(message: &mut Message) {
    for record in &mut message.answers {
        match &mut record.data {
            RecordData::A(address) => *address = Ipv4Addr::new(203, 0, 113, 66),
            RecordData::Ptr(name) => {
                if let Ok(forged) = Name::parse("forged.example") {
                    *name = forged;
                }
            }
            _ => {}
        }
    }
}
