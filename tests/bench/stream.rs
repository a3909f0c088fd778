//! Milter connections over either kind of socket.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Where the daemon listens.
#[derive(Clone, Debug)]
pub enum Target {
    /// A UNIX socket.
    Unix(PathBuf),
    /// A TCP socket.
    Tcp(SocketAddr),
}

#[derive(Debug)]
pub(super) enum Stream {
    Unix(mio::net::UnixStream),
    Tcp(mio::net::TcpStream),
}

impl Stream {
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write(bytes),
            Self::Tcp(stream) => stream.write(bytes),
        }
    }
}

/// Connects; the daemon may be busy accepting, so that a full backlog is tried again for a while.
pub(super) fn connect(target: &Target, patience: Duration) -> io::Result<Stream> {
    let begin = Instant::now();
    loop {
        let attempt = match target {
            Target::Unix(path) => {
                std::os::unix::net::UnixStream::connect(path).and_then(|stream| {
                    stream.set_nonblocking(true)?;
                    Ok(Stream::Unix(mio::net::UnixStream::from_std(stream)))
                })
            }
            Target::Tcp(address) => TcpStream::connect(address).and_then(|stream| {
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(mio::net::TcpStream::from_std(stream)))
            }),
        };
        match attempt {
            Err(error) if error.kind() == ErrorKind::WouldBlock && begin.elapsed() < patience => {
                std::thread::sleep(Duration::from_millis(1));
            }
            other => return other,
        }
    }
}
