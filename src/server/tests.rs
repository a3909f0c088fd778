//! The server against a small MTA, over real sockets.
#![expect(
    clippy::disallowed_methods,
    reason = "tests connect to the server under test"
)]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::testing::{
    BUDGET, MESSAGE_ANSWERS, Mode, Mta, Site, TIMEOUT, greeting, message, optneg, packet,
};
use super::{Address, Observation, PassedSockets, Request, Settings, control};

/// In a child process: the directory in which it serves.
pub(super) const CHILD: &str = "GATEPOST_TEST_CHILD";

/// Everything an MTA says in one session, with one message.
fn dialogue() -> Vec<u8> {
    [
        optneg(),
        greeting(),
        message(),
        packet(b'E', b""),
        packet(b'A', b""),
        packet(b'Q', b""),
    ]
    .concat()
}

/// O, CONNECT, HELO, the message, the header and the verdict.
const DIALOGUE_ANSWERS: usize = 3 + MESSAGE_ANSWERS + 2;

#[test]
fn two_listeners_take_several_messages_each() {
    let site = Site::start(Mode::Now, |_| ());
    let mut connections: Vec<_> = ["0", "1", "0"]
        .iter()
        .map(|name| site.connect(name))
        .collect();
    for mta in &mut connections {
        mta.greet();
    }
    for _ in 0..3 {
        for mta in &mut connections {
            mta.mail();
        }
    }
    for mut mta in connections {
        mta.send(&packet(b'Q', b""));
        mta.expect_end();
    }
    assert_eq!(site.service.count_events("0:EOM"), 6);
    assert_eq!(site.service.count_events("1:EOM"), 3);
    assert_eq!(site.service.count_events("CLOSE"), 3);
    let paths = [site.path("0"), site.path("1")];
    site.end();
    assert!(
        paths.iter().all(|path| !path.exists()),
        "our sockets are removed"
    );
}

#[test]
fn byte_by_byte_and_all_at_once_are_the_same() {
    let site = Site::start(Mode::Now, |_| ());
    for pieces in [1, 2, 3, 7, 4096] {
        let mut mta = site.connect("0");
        for piece in dialogue().chunks(pieces) {
            mta.send(piece);
        }
        // Data and end in one event: everything is still answered.
        mta.stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(mta.answers(DIALOGUE_ANSWERS), "Occcccchc".to_owned());
        mta.expect_end();
    }
    site.end();
}

#[test]
fn tcp_works_too() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let site = Site::start(Mode::Now, |settings| {
        settings.listeners[0].address = Address::Inet(port);
    });
    let mut mta = Mta {
        stream: TcpStream::connect(port).unwrap(),
    };
    mta.greet();
    mta.mail();
    mta.mail();
    drop(mta);
    site.service
        .wait_for(1, |seen| *seen == Observation::Closed(0));
    site.end();
}

/// Runs one test of this file again, alone in a process of its own.
pub(super) fn child(test: &str, directory: &std::path::Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        &format!("server::{test}"),
        "--test-threads=1",
        "--nocapture",
    ]);
    command.env(CHILD, directory);
    command
}

#[test]
fn a_hang_up_at_any_byte_leaks_nothing() {
    // Alone in a process: other tests open descriptors of their own.
    let Some(directory) = std::env::var_os(CHILD) else {
        let directory = tempfile::tempdir().unwrap();
        let output = child(
            "tests::a_hang_up_at_any_byte_leaks_nothing",
            directory.path(),
        )
        .output()
        .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        return;
    };
    let site = Site::start_in(directory.into(), Mode::Now, |_| ());
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let mut warm = site.connect("0");
    warm.greet();
    drop(warm);
    site.service
        .wait_for(1, |seen| matches!(seen, Observation::Closed(_)));
    let before = descriptors();
    let bytes = dialogue();
    for cut in 0..=bytes.len() {
        let mut mta = site.connect(if cut % 2 == 0 { "0" } else { "1" });
        mta.send(&bytes[..cut]);
        if cut % 3 == 0 {
            mta.stream.shutdown(Shutdown::Both).unwrap();
        }
    }
    site.service.wait_for(bytes.len() + 2, |seen| {
        matches!(seen, Observation::Closed(_))
    });
    assert_eq!(descriptors(), before);
    assert_eq!(
        site.service.count_events("CLOSE"),
        bytes.len() + 2,
        "each handler saw its end, once"
    );
    assert_eq!(
        site.service
            .count(|seen| *seen == Observation::ProtocolError),
        0
    );
    site.end();
}

#[test]
fn a_hang_up_while_a_worker_is_busy_cancels_and_its_report_is_dropped() {
    let site = Site::start(Mode::Later, |_| ());
    let mut gone = site.connect("0");
    gone.greet();
    gone.submit();
    let late = site.service.jobs.recv_timeout(TIMEOUT).unwrap();
    drop(gone);
    site.service
        .wait_for(1, |seen| matches!(seen, Observation::Closed(_)));
    assert_eq!(site.service.count_events("CLOSE"), 1);

    // The next connection moves into the same slot; the late report must not reach it.
    let mut mta = site.connect("0");
    mta.greet();
    mta.submit();
    let job = site.service.jobs.recv_timeout(TIMEOUT).unwrap();
    late.finish();
    site.service
        .wait_for(1, |seen| *seen == Observation::LateCompletion);
    job.finish();
    assert_eq!(mta.answers(1), "t");
    site.end();
}

#[test]
fn abort_takes_the_question_back_and_its_report_is_dropped() {
    let site = Site::start(Mode::Later, |_| ());
    let mut mta = site.connect("0");
    mta.greet();
    mta.submit();
    let late = site.service.jobs.recv_timeout(TIMEOUT).unwrap();
    mta.send(&packet(b'A', b""));
    mta.submit();
    let job = site.service.jobs.recv_timeout(TIMEOUT).unwrap();
    late.finish();
    site.service
        .wait_for(1, |seen| *seen == Observation::LateCompletion);
    job.finish();
    assert_eq!(mta.answers(1), "t");
    site.end();
}

#[test]
fn an_mta_that_waits_gets_progress() {
    let site = Site::start(Mode::Later, |settings| {
        settings.progress_interval = Duration::from_millis(5);
    });
    let mut mta = site.connect("0");
    mta.greet();
    mta.submit();
    let job = site.service.jobs.recv_timeout(TIMEOUT).unwrap();
    assert_eq!(mta.answers(3), "ppp");
    job.finish();
    let verdict = std::iter::repeat_with(|| mta.answers(1)).find(|answer| answer != "p");
    assert_eq!(verdict.as_deref(), Some("t"));
    mta.send(&packet(b'Q', b""));
    mta.expect_end();
    site.end();
}

#[test]
fn connections_over_the_limit_are_deferred_then_closed() {
    let site = Site::start(Mode::Now, |settings| settings.connections_max = 2);
    let mut served: Vec<_> = (0..2).map(|_| site.connect("0")).collect();
    for mta in &mut served {
        mta.greet();
    }
    let mut deferred: Vec<_> = (0..Settings::REFUSED_MAX)
        .map(|_| site.connect("0"))
        .collect();
    for mta in &mut deferred {
        mta.send(&optneg());
        assert_eq!(mta.answers(1), "O");
        mta.send(&greeting());
        let (command, text) = mta.next().unwrap();
        assert_eq!(command, b'y');
        assert!(
            text.starts_with(b"451 4.3.2 "),
            "{}",
            String::from_utf8_lossy(&text)
        );
    }
    let mut closed = site.connect("0");
    closed.expect_end();
    assert_eq!(
        site.service
            .count(|seen| matches!(seen, Observation::Refused(0))),
        Settings::REFUSED_MAX + 1
    );
    for mta in &mut served {
        mta.mail();
    }
    drop(served);
    drop(deferred);
    site.service.wait_for(2 + Settings::REFUSED_MAX, |seen| {
        matches!(seen, Observation::Closed(_))
    });
    site.connect("0").greet();
    site.end();
}

#[test]
fn who_does_not_read_is_not_read_from() {
    const HELOS: usize = 200_000;
    let site = Site::start(Mode::Now, |_| ());
    let mut mta = site.connect("0");
    mta.greet();
    let bytes = packet(b'H', b"mail.example.com\0").repeat(HELOS);
    mta.stream.set_nonblocking(true).unwrap();
    let (mut written, mut stuck) = (0, 0);
    while written < bytes.len() && stuck < 100 {
        match mta.stream.write(&bytes[written..]) {
            Ok(length) => (written, stuck) = (written + length, 0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                stuck += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(
        written < bytes.len(),
        "the server takes commands without end from one that reads no answer"
    );
    // Others are served meanwhile.
    let mut other = site.connect("1");
    other.greet();
    other.mail();

    mta.stream.set_nonblocking(false).unwrap();
    let mut writer = mta.stream.try_clone().unwrap();
    let rest = bytes[written..].to_vec();
    let writing = std::thread::spawn(move || writer.write_all(&rest).unwrap());
    let mut answers = vec![0; 5 * HELOS];
    mta.stream.read_exact(&mut answers).unwrap();
    assert!(answers.chunks(5).all(|answer| answer == [0, 0, 0, 1, b'c']));
    writing.join().unwrap();
    mta.mail();
    site.end();
}

#[test]
fn a_panic_ends_one_connection_only() {
    let site = Site::start(Mode::Now, |_| ());
    let (mut bad, mut good) = (site.connect("0"), site.connect("0"));
    good.greet();
    bad.send(&[optneg(), packet(b'H', b"panic\0")].concat());
    site.service
        .wait_for(1, |seen| *seen == Observation::HandlerPanic);
    // Whatever was answered before, the connection ends.
    while bad.next().is_some() {}
    good.mail();
    site.end();
}

#[test]
fn a_port_scanner_is_sent_away() {
    let site = Site::start(Mode::Now, |_| ());
    for garbage in [
        &b"GET / HTTP/1.1\r\nHost: mail.example.com\r\n\r\n"[..],
        &[0, 0, 0, 0],
        &[0xff; 64],
    ] {
        let mut scanner = site.connect("0");
        scanner.send(garbage);
        scanner.expect_end();
    }
    site.service
        .wait_for(3, |seen| *seen == Observation::ProtocolError);
    site.end();
}

#[test]
fn unfinished_packets_are_counted_and_bounded() {
    let site = Site::start(Mode::Now, |_| ());
    let budget = site.service.budget.clone();
    let mut half_packet = (1_u32 << 20).to_be_bytes().to_vec();
    half_packet.resize((1 << 20) - 100, b'B');
    let mut hoarders = Vec::new();
    for _ in 0..12 {
        let mut hoarder = site.connect("0");
        hoarder.greet();
        // The last ones are closed while they send.
        drop(hoarder.stream.write_all(&half_packet));
        hoarders.push(hoarder);
    }
    site.service
        .wait_for(1, |seen| *seen == Observation::OverMemory);
    let counted = budget.used();
    assert!(counted > 7 << 20, "what is held is counted: {counted}");
    assert!(counted <= BUDGET + BUDGET / 8, "{counted}");
    // The hoarders do not keep others out: one of them has to make room.
    let mut good = site.connect("0");
    good.greet();
    good.mail();
    drop(good);
    drop(hoarders);
    site.service
        .wait_for(13, |seen| matches!(seen, Observation::Closed(_)));
    site.end();
    assert_eq!(budget.used(), 0);
}

#[test]
fn who_is_silent_for_too_long_is_sent_away() {
    let site = Site::start(Mode::Now, |settings| {
        settings.idle_timeout = Duration::from_millis(20);
    });
    let mut mta = site.connect("0");
    mta.expect_end();
    assert_eq!(
        site.service.count(|seen| *seen == Observation::IdleTimeout),
        1
    );
    site.end();
}

#[test]
fn the_control_socket_answers_and_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control");
    let site = Site::start(Mode::Now, |settings| settings.control = Some(path.clone()));
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let text = |request: &Request| control(&path, request).unwrap().text;
    assert_eq!(text(&Request::Ping), "pong");
    assert_eq!(text(&Request::Metrics), "messages_total 1\n");
    assert_eq!(text(&Request::Reload), "generation 2");
    let config = Request::Config {
        changed: false,
        key: None,
    };
    assert!(!control(&path, &config).unwrap().ok);
    site.requests.reload();
    site.end();
    assert!(!path.exists());
}

#[test]
fn no_listener_and_a_taken_socket_are_errors() {
    let site = Site::start(Mode::Now, |_| ());
    let taken = Address::Unix {
        path: site.path("0"),
        mode: 0o660,
        group: None,
    };
    let poll = mio::Poll::new().unwrap();
    let error = super::listener::Bound::open(
        &taken,
        &PassedSockets::default(),
        poll.registry(),
        mio::Token(0),
    )
    .unwrap_err();
    assert!(matches!(error, super::BindError::Live(_)), "{error}");
    site.connect("0").greet();
    site.end();
}

#[test]
fn out_of_descriptors_the_server_lives_on() {
    const SOCKET_LIMIT: u64 = 48;
    if let Some(directory) = std::env::var_os(CHILD) {
        let limit = rustix::process::Rlimit {
            current: Some(SOCKET_LIMIT),
            maximum: Some(SOCKET_LIMIT),
        };
        rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).unwrap();
        let site = Site::start_in(directory.into(), Mode::Now, |_| ());
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        assert!(site.service.count(|seen| *seen == Observation::AcceptError) > 0);
        site.end();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut server = child(
        "tests::out_of_descriptors_the_server_lives_on",
        directory.path(),
    )
    .stdin(Stdio::piped())
    .stdout(Stdio::null())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let path = directory.path().join("0");
    let connect = || {
        let stream = UnixStream::connect(&path).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        Mta { stream }
    };
    while UnixStream::connect(&path).is_err() {
        assert_eq!(server.try_wait().unwrap(), None, "the server ended");
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut crowd: Vec<_> = (0..SOCKET_LIMIT + 20).map(|_| connect()).collect();
    for mta in &mut crowd {
        // Some of them were closed at once.
        mta.stream.write_all(&optneg()).unwrap_or_default();
    }
    let answered = crowd.iter_mut().filter_map(Mta::next).count();
    assert!(
        answered > 0 && answered < crowd.len(),
        "{answered} of {} were served",
        crowd.len()
    );
    drop(crowd);
    let mut mta = connect();
    mta.greet();
    mta.mail();
    drop(server.stdin.take());
    let output = server.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
