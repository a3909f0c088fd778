//! End to end without Postfix: messages a second, latency of the verdict and CPU a mail at 1, 16, 256
//! and 1000 connections, over a UNIX socket and over TCP.
//!
//! ```text
//! cargo bench --bench load                                     the daemon that cargo built, default rules and model
//! GATEPOST=/path/to/gatepost cargo bench --bench load -- --messages 20000 --connections 1,16
//! cargo bench --bench load -- --corpus DIR                     the messages of that directory instead of one small ham
//! cargo bench --bench load -- --socket unix:/run/gatepost/milter.sock --pid 4711      a daemon that runs already
//! cargo bench --bench load --features libmilter -- --front-end native,libmilter        one next to the other
//! cargo bench --bench load -- --bare yes             without rules and model: what protocol, session and pool cost
//! cargo bench --bench load -- --idle 5000            what so many idle connections take of memory
//! ```
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark starts processes, reads files and the clock"
)]
#![expect(clippy::print_stdout, reason = "its output is the table")]
#![expect(unreachable_pub, reason = "`load` is written as a library")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

mod load;

use load::{Load, Target};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The mail that is sent when no corpus is given: 15 header fields and 2 kB of text, as in
/// tests/bench/records.
fn small_ham() -> Vec<u8> {
    let mut text = String::from(
        "From: Anna <anna@example.net>\nTo: Ben <ben@example.com>\nSubject: minutes of the meeting\n",
    );
    text.push_str("Date: Mon, 23 Nov 2026 10:00:00 +0100\nMessage-ID: <4711@example.net>\nMIME-Version: 1.0\n");
    for number in '0'..='8' {
        text.push_str("X-Field-");
        text.push(number);
        text.push_str(": a value of ordinary length, to be read and left alone\n");
    }
    text.push('\n');
    while text.len() < 3_000 {
        text.push_str(
            "Hello Ben, the minutes of Thursday's meeting are on the shelf in the office.\n",
        );
    }
    text.into_bytes()
}

/// What the command line asks for.
struct Options {
    total: usize,
    connections: Vec<usize>,
    messages: Vec<Vec<u8>>,
    /// A daemon that runs already, and its process id.
    running: Option<(Target, u32)>,
    front_ends: Vec<String>,
    idle: usize,
    bare: bool,
}

fn options() -> Outcome<Options> {
    let mut options = Options {
        total: 5_000,
        connections: vec![1, 16, 256, 1000],
        messages: vec![small_ham()],
        running: None,
        front_ends: vec!["native".to_owned()],
        idle: 0,
        bare: false,
    };
    let (mut socket, mut pid) = (None, 0);
    let mut arguments = env::args().skip(1);
    while let Some(name) = arguments.next() {
        if name == "--bench" {
            continue; // cargo's own
        }
        let value = arguments
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--messages" => options.total = value.parse()?,
            "--connections" => {
                options.connections = value.split(',').map(str::parse).collect::<Result<_, _>>()?;
            }
            "--corpus" => options.messages = corpus(Path::new(&value))?,
            "--socket" => socket = Some(target(&value)?),
            "--pid" => pid = value.parse()?,
            "--front-end" => options.front_ends = value.split(',').map(str::to_owned).collect(),
            "--bare" => options.bare = value == "yes",
            "--idle" => options.idle = value.parse()?,
            _ => return Err(format!("unknown argument {name}").into()),
        }
    }
    options.running = socket.map(|socket| (socket, pid));
    Ok(options)
}

/// All files of a directory, in name order.
fn corpus(directory: &Path) -> Outcome<Vec<Vec<u8>>> {
    let mut files: Vec<PathBuf> = fs::read_dir(directory)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    let messages: Vec<Vec<u8>> = files
        .iter()
        .filter(|file| file.is_file())
        .map(fs::read)
        .collect::<Result<_, _>>()?;
    if messages.is_empty() {
        Err(format!("no files in {}", directory.display()).into())
    } else {
        Ok(messages)
    }
}

/// `unix:/path` or `inet:PORT@ADDRESS`.
fn target(text: &str) -> Outcome<Target> {
    if let Some(path) = text.strip_prefix("unix:") {
        return Ok(Target::Unix(path.into()));
    }
    let (port, address) = text
        .strip_prefix("inet:")
        .and_then(|rest| rest.split_once('@'))
        .ok_or("unix:/path or inet:PORT@ADDRESS")?;
    Ok(Target::Tcp(format!("{address}:{port}").parse()?))
}

/// A daemon of our own.
struct Daemon {
    child: Child,
    directory: tempfile::TempDir,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop((self.child.kill(), self.child.wait()));
    }
}

/// Starts the daemon with one listener.
fn start(socket: &str, front_end: &str, bare: bool) -> Outcome<Daemon> {
    let binary =
        env::var_os("GATEPOST").or_else(|| option_env!("CARGO_BIN_EXE_gatepost").map(Into::into));
    let binary = binary.ok_or("GATEPOST names no binary")?;
    let directory = tempfile::tempdir()?;
    let socket = socket.replace("DIR", &directory.path().display().to_string());
    let config = directory.path().join("gatepost.toml");
    let dir = directory.path().display();
    fs::write(
        &config,
        format!(
            "[[listener]]\nname = \"load\"\nsocket = \"{socket}\"\nfront_end = \"{front_end}\"\n\
             [server]\ncontrol = \"{dir}/control.sock\"\n[records]\npath = \"{dir}/records.jsonl\"\n[rules]\npaths = []\nshipped = {}\n[model]\nenabled = {}\n",
            !bare, !bare
        ),
    )?;
    let log = fs::File::create(directory.path().join("log"))?;
    let mut command = Command::new(binary);
    command
        .arg("run")
        .arg("--config")
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    let mut daemon = Daemon {
        child: command.spawn()?,
        directory,
    };
    let target = target(&socket)?;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(30) {
        let up = match &target {
            Target::Unix(path) => std::os::unix::net::UnixStream::connect(path).is_ok(),
            Target::Tcp(address) => std::net::TcpStream::connect(address).is_ok(),
        };
        if up {
            println!(
                "serving after {:.0} ms",
                begin.elapsed().as_secs_f64() * 1e3
            );
            return Ok(daemon);
        }
        if daemon.child.try_wait()?.is_some() {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    Err(format!(
        "the daemon does not serve:\n{}",
        fs::read_to_string(daemon.directory.path().join("log"))?
    )
    .into())
}

/// One line of the table for each number of connections.
fn measure(name: &str, options: &Options, target: &Target, pid: u32) -> Outcome<()> {
    for connections in &options.connections {
        let load = Load {
            target: target.clone(),
            connections: *connections,
            total: options.total.max(*connections),
            per_connection: 100,
            messages: options.messages.clone(),
            pid,
        };
        let report = load::run(&load)?;
        let milliseconds = |share: f64| report.quantile(share).as_secs_f64() * 1e3;
        println!(
            "{name:<5} {connections:>5} {:>7} {:>8.0} {:>8.2} {:>8.2} {:>8} {:>6} {:>6}/{}/{}/{} {:>4}",
            report.answered,
            report.rate(),
            milliseconds(0.5),
            milliseconds(0.99),
            report.cpu_per_mail().as_micros(),
            report.peak_resident >> 20,
            report.accepted - report.quarantined,
            report.quarantined,
            report.rejected,
            report.deferred,
            report.violations,
        );
    }
    Ok(())
}

/// Opens connections as Postfix does, says hello on each, and tells what they take while nothing
/// happens.
fn idle(options: &Options, target: &Target, pid: u32) -> Outcome<()> {
    use std::io::{Read as _, Write as _};
    let Target::Unix(path) = target else {
        return Err("--idle measures over a UNIX socket".into());
    };
    let begin = load::resident(pid);
    let hello: &[u8] = b"\0\0\0\x0dO\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff\
        \0\0\0\x1fCmail.example.net\x004\x11\x22192.0.2.7\0\0\0\0\x12Hmail.example.net\0";
    let mut open = Vec::new();
    for _ in 0..options.idle {
        let mut stream = std::os::unix::net::UnixStream::connect(path)?;
        stream.write_all(hello)?;
        // The answer to OPTNEG and two times `continue`: all has been served when the last came.
        let mut answer = Vec::new();
        while !answer.ends_with(b"\0\0\0\x01c\0\0\0\x01c") {
            let mut buffer = [0; 1024];
            let length = stream.read(&mut buffer)?;
            answer.extend_from_slice(
                buffer
                    .get(..length)
                    .filter(|bytes| !bytes.is_empty())
                    .ok_or("hung up")?,
            );
        }
        open.push(stream);
    }
    let after = load::resident(pid);
    println!(
        "{} idle connections: {} MiB before, {} MiB with them",
        open.len(),
        begin >> 20,
        after >> 20
    );
    Ok(())
}

fn main() -> Outcome<()> {
    let options = options()?;
    println!(
        "{:<5} conns  messages    msg/s   p50 ms   p99 ms  CPU us peak MB accept/hold/reject/defer wrong",
        ""
    );
    if let Some((target, pid)) = &options.running {
        return measure("given", &options, target, *pid);
    }
    for front_end in &options.front_ends {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?
            .local_addr()?
            .port();
        for (name, socket) in [
            ("unix", "unix:DIR/milter.sock".to_owned()),
            ("tcp", format!("inet:{port}@127.0.0.1")),
        ] {
            println!("{front_end}");
            let daemon = start(&socket, front_end, options.bare)?;
            let socket = socket.replace("DIR", &daemon.directory.path().display().to_string());
            let target = target(&socket)?;
            if options.idle > 0 {
                idle(&options, &target, daemon.child.id())?;
                break;
            }
            measure(name, &options, &target, daemon.child.id())?;
        }
    }
    Ok(())
}
