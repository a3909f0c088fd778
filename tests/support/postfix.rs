//! A private Postfix for the tests: its own directories, loopback only, nothing leaves the machine;
//! and a small SMTP client that can do what a well-behaved one would not (stop in mid-message,
//! pretend to be another client with XCLIENT).
//!
//! Where a mail is can be proved: delivered is a file in the maildir, held is a line of `postqueue
//! -j`, refused is the SMTP reply. The configuration under test is
//! `contrib/postfix/main.cf.fragment` itself; only the socket's path is replaced.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

/// The lines that the admin is asked to add to main.cf.
const FRAGMENT: &str = include_str!("../../contrib/postfix/main.cf.fragment");
/// The socket as the fragment writes it.
const FRAGMENT_SOCKET: &str = "unix:gatepost/milter.sock";
/// `nobody`, who owns the maildir: virtual(8) delivers as nobody with a privilege.
const NOBODY: u32 = 65534;
/// How long the tests wait for something that happens soon: delivery, start, stop.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running Postfix instance; dropping it stops it and removes everything.
#[derive(Debug)]
pub struct Postfix {
    dir: tempfile::TempDir,
    /// The port of smtpd on 127.0.0.1.
    pub port: u16,
}

/// A mail in the maildir.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// The file as delivered.
    pub text: String,
}

impl Delivered {
    /// The values of a header field, unfolded, in order.
    pub fn header(&self, name: &str) -> Vec<String> {
        header_values(&self.text, name)
    }

    /// For whom it was delivered.
    pub fn recipient(&self) -> String {
        self.header("Delivered-To")
            .into_iter()
            .next()
            .unwrap_or_default()
    }
}

/// The values of a header field in a message's text, unfolded, in order.
pub fn header_values(text: &str, name: &str) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    let mut inside = false;
    for line in text.lines().take_while(|line| !line.is_empty()) {
        if line.starts_with([' ', '\t']) {
            if let (true, Some(value)) = (inside, values.last_mut()) {
                value.push(' ');
                value.push_str(line.trim());
            }
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        inside = field.eq_ignore_ascii_case(name);
        if inside {
            values.push(value.trim().to_owned());
        }
    }
    values
}

impl Postfix {
    /// Why there can be no private Postfix here; `None` when there can.
    pub fn missing() -> Option<String> {
        let uid = Command::new("id").arg("-u").output().ok()?.stdout;
        if uid.trim_ascii() != b"0" {
            return Some("Postfix must be started by root".to_owned());
        }
        let there = Command::new("postconf")
            .args(["-d", "-h", "mail_version"])
            .output()
            .is_ok_and(|out| out.status.success());
        (!there).then(|| "Postfix is not installed (apt-get install postfix)".to_owned())
    }

    /// Starts an instance that asks the milter at `milter` (`unix:/path` or `inet:127.0.0.1:port`);
    /// `extra` is added to main.cf, later lines win.
    pub fn start(milter: &str, extra: &[(&str, &str)]) -> Self {
        // Between finding a free port and Postfix binding it, another test may take it: try again
        // with another one.
        let mut last = String::new();
        for _ in 0..5 {
            match Self::try_start(milter, extra) {
                Ok(postfix) => return postfix,
                Err(reason) => last = reason,
            }
        }
        panic!("Postfix does not start: {last}");
    }

    fn try_start(milter: &str, extra: &[(&str, &str)]) -> Result<Self, String> {
        let dir = tempfile::Builder::new()
            .prefix("gatepost-postfix-")
            .tempdir()
            .map_err(|e| e.to_string())?;
        let port = free_port();
        let postfix = Self { dir, port };
        postfix
            .lay_out(milter, extra)
            .map_err(|error| error.to_string())?;
        let output = postfix.run("postfix", &["start"]);
        if !output.status.success() {
            return Err(format!(
                "{}{}{}",
                lossy(&output.stdout),
                lossy(&output.stderr),
                postfix.log()
            ));
        }
        if !wait_until(PATIENCE, || TcpStream::connect(("127.0.0.1", port)).is_ok()) {
            return Err(postfix.log());
        }
        Ok(postfix)
    }

    /// Makes the directories and writes main.cf and master.cf.
    fn lay_out(&self, milter: &str, extra: &[(&str, &str)]) -> io::Result<()> {
        let root = self.dir.path();
        fs::set_permissions(root, fs::Permissions::from_mode(0o755))?;
        for name in ["etc", "queue", "data", "mail", "log"] {
            fs::create_dir(root.join(name))?;
        }
        chown(root.join("data"), Some(postfix_uid()), None)?;
        chown(root.join("mail"), Some(NOBODY), Some(NOBODY))?;
        fs::write(root.join("etc/main.cf"), main_cf(root, milter, extra))?;
        fs::write(root.join("etc/master.cf"), master_cf(self.port))
    }

    /// Runs one of Postfix's commands on this instance.
    pub fn run(&self, command: &str, args: &[&str]) -> Output {
        Command::new(command)
            .arg("-c")
            .arg(self.dir.path().join("etc"))
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// What Postfix logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log/mail.log")).unwrap_or_default()
    }

    /// A client that has read the greeting.
    pub fn client(&self) -> Smtp {
        let mut client = Smtp::connect(self.port);
        let greeting = client.reply();
        assert_eq!(greeting.code, 220, "{}", greeting.text);
        client
    }

    /// Sends one mail on a connection of its own and gives the reply that decided: the first
    /// negative one, or that to the end of the message.
    pub fn send(&self, from: &str, to: &[&str], message: &str) -> SmtpAnswer {
        let mut client = self.client();
        client.command("EHLO client.example.net");
        let answer = client.mail(from, to, message);
        client.quit();
        answer
    }

    /// The messages in the maildir.
    pub fn delivered(&self) -> Vec<Delivered> {
        let mut files: Vec<PathBuf> = ["new", "cur"]
            .iter()
            .filter_map(|name| fs::read_dir(self.dir.path().join("mail/inbox").join(name)).ok())
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        files.sort();
        files
            .iter()
            .map(|file| Delivered {
                text: lossy(&fs::read(file).unwrap_or_default()),
            })
            .collect()
    }

    /// Waits until so many messages were delivered, and gives them; panics with Postfix's log when
    /// they do not come.
    pub fn wait_delivered(&self, count: usize) -> Vec<Delivered> {
        wait_until(PATIENCE, || self.delivered().len() >= count);
        let messages = self.delivered();
        assert_eq!(messages.len(), count, "delivered messages\n{}", self.log());
        messages
    }

    /// The ids of the messages in that queue (`hold`, `active`, `deferred`, `incoming`).
    pub fn queue(&self, name: &str) -> Vec<String> {
        let output = self.run("postqueue", &["-j"]);
        let wanted = format!("\"queue_name\": \"{name}\"");
        let lines = lossy(&output.stdout);
        lines
            .lines()
            .filter(|line| line.contains(&wanted))
            .filter_map(|line| field(line, "queue_id"))
            .collect()
    }

    /// The text of a held mail, header edits included.
    pub fn held(&self, queue_id: &str) -> String {
        lossy(&self.run("postcat", &["-hbq", queue_id]).stdout)
    }

    /// Waits until no mail is on its way any more: everything is delivered or held.
    pub fn wait_idle(&self) -> bool {
        wait_until(PATIENCE * 2, || {
            ["incoming", "active", "deferred", "maildrop"]
                .iter()
                .all(|queue| self.queue(queue).is_empty())
        })
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // `abort` is a stop that does not wait for deliveries; the directory goes away right behind
        // it.
        let output = self.run("postfix", &["abort"]);
        if !output.status.success() {
            self.run("postfix", &["stop"]);
        }
        let pid_file = self.dir.path().join("queue/pid/master.pid");
        let pid = fs::read_to_string(pid_file).unwrap_or_default();
        let stat = Path::new("/proc").join(pid.trim()).join("stat");
        // A zombie is gone too: in a container there may be no process that collects it.
        let gone = || {
            pid.trim().is_empty()
                || fs::read_to_string(&stat).is_ok_and(|text| text.contains(") Z "))
                || !stat.exists()
        };
        wait_until(PATIENCE, gone);
    }
}

/// `"name": "value"` of a JSON line as postqueue writes it: no value that we ask for needs
/// unescaping.
fn field(line: &str, name: &str) -> Option<String> {
    let (_, rest) = line.split_once(&format!("\"{name}\": \""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A port of 127.0.0.1 that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its number").port()
}

/// Asks every 20 ms whether it has come about, for at most `patience`.
pub fn wait_until(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + patience;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn postfix_uid() -> u32 {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = passwd
        .lines()
        .find(|line| line.starts_with("postfix:"))
        .expect("the user postfix");
    line.split(':')
        .nth(2)
        .and_then(|uid| uid.parse().ok())
        .expect("its uid")
}

/// main.cf: the surroundings, then the fragment under test, then what the test asks for.
fn main_cf(root: &Path, milter: &str, extra: &[(&str, &str)]) -> String {
    assert!(
        FRAGMENT.contains(FRAGMENT_SOCKET),
        "the fragment names another socket than the tests replace"
    );
    let root = root.display();
    let mut text = format!(
        "compatibility_level = 3.6\n\
         queue_directory = {root}/queue\ndata_directory = {root}/data\n\
         maillog_file = {root}/log/mail.log\nmaillog_file_prefixes = {root}\n\
         myhostname = mx.example.com\nmydestination =\nalias_maps =\nalias_database =\nlocal_recipient_maps =\n\
         inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\n\
         disable_dns_lookups = yes\nsmtpd_peername_lookup = no\nsmtp_host_lookup = native\n\
         default_transport = error:nothing leaves this test\nrelay_transport = error:nothing leaves this test\n\
         smtpd_relay_restrictions = reject_unauth_destination\nsmtpd_recipient_restrictions =\n\
         virtual_mailbox_domains = example.com\nvirtual_mailbox_base = {root}/mail\n\
         virtual_mailbox_limit = 0\nvirtual_mailbox_maps = static:inbox/\nvirtual_uid_maps = static:{NOBODY}\nvirtual_gid_maps = static:{NOBODY}\n\
         smtpd_authorized_xclient_hosts = 127.0.0.1\n\
         smtpd_client_connection_count_limit = 0\nsmtpd_error_sleep_time = 0\nsmtpd_soft_error_limit = 1000\n\
         smtpd_hard_error_limit = 1000\nsmtpd_recipient_limit = 20000\nmessage_size_limit = 104857600\nin_flow_delay = 0\n\
         smtpd_tls_security_level = none\nsmtp_tls_security_level = none\nbiff = no\n\n"
    );
    text.push_str(&FRAGMENT.replace(FRAGMENT_SOCKET, milter));
    for (key, value) in extra {
        writeln!(text, "{key} = {value}").expect("a String takes everything");
    }
    text
}

/// master.cf: the daemons that this needs, none of them in a chroot.
fn master_cf(port: u16) -> String {
    const SERVICES: [&str; 16] = [
        "postlog   unix-dgram n - n -    1 postlogd",
        "cleanup   unix       n - n -    0 cleanup",
        "qmgr      unix       n - n 300  1 qmgr",
        "rewrite   unix       - - n -    - trivial-rewrite",
        "bounce    unix       - - n -    0 bounce",
        "defer     unix       - - n -    0 bounce",
        "trace     unix       - - n -    0 bounce",
        "verify    unix       - - n -    1 verify",
        "flush     unix       n - n 1000 0 flush",
        "proxymap  unix       - - n -    - proxymap",
        "error     unix       - - n -    - error",
        "retry     unix       - - n -    - error",
        "discard   unix       - - n -    - discard",
        "virtual   unix       - n n -    - virtual",
        "anvil     unix       - - n -    1 anvil",
        "showq     unix       n - n -    - showq",
    ];
    let mut text = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
    for service in SERVICES {
        text.push_str(service);
        text.push('\n');
    }
    text
}

/// A complete SMTP reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpAnswer {
    /// The three digits; 0 when the connection was closed instead.
    pub code: u16,
    /// All lines, joined by line feeds, codes included.
    pub text: String,
}

impl SmtpAnswer {
    /// 2xx.
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// 4xx, or the connection was closed: the client comes back.
    pub fn is_transient(&self) -> bool {
        self.code / 100 == 4 || self.code == 0
    }
}

/// A connection to smtpd, one command at a time.
#[derive(Debug)]
pub struct Smtp {
    stream: BufReader<TcpStream>,
}

impl Smtp {
    /// Connects; the greeting is still to be read.
    pub fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("smtpd listens");
        stream
            .set_read_timeout(Some(Duration::from_mins(3)))
            .expect("a time-out");
        stream.set_nodelay(true).expect("no delay");
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// Reads one reply.
    pub fn reply(&mut self) -> SmtpAnswer {
        let mut text = String::new();
        loop {
            let mut line = String::new();
            let read = self.stream.read_line(&mut line).unwrap_or(0);
            if read == 0 {
                return SmtpAnswer {
                    code: 0,
                    text: text + "(connection closed)",
                };
            }
            let line = line.trim_end();
            let last = line.as_bytes().get(3) != Some(&b'-');
            text.push_str(line);
            if last {
                let code = line
                    .get(..3)
                    .and_then(|digits| digits.parse().ok())
                    .unwrap_or(0);
                return SmtpAnswer { code, text };
            }
            text.push('\n');
        }
    }

    /// Sends raw bytes; whether the other side still took them.
    pub fn raw(&mut self, bytes: &[u8]) -> bool {
        self.stream.get_mut().write_all(bytes).is_ok()
    }

    /// Sends a command and reads its reply.
    pub fn command(&mut self, line: &str) -> SmtpAnswer {
        self.raw(format!("{line}\r\n").as_bytes());
        self.reply()
    }

    /// A whole transaction on this connection: the first reply that ends it, or that to the end of
    /// the message. Refused recipients do not end it while one is left.
    pub fn mail(&mut self, from: &str, to: &[&str], message: &str) -> SmtpAnswer {
        let answer = self.command(&format!("MAIL FROM:<{from}>"));
        if !answer.is_positive() {
            return answer;
        }
        let answers: Vec<SmtpAnswer> = to
            .iter()
            .map(|rcpt| self.command(&format!("RCPT TO:<{rcpt}>")))
            .collect();
        if !answers.iter().any(SmtpAnswer::is_positive) {
            self.command("RSET");
            return answers.into_iter().next_back().expect("a recipient");
        }
        self.data(message)
    }

    /// DATA, the message with its dots doubled, and the end: the reply that decides.
    pub fn data(&mut self, message: &str) -> SmtpAnswer {
        let answer = self.command("DATA");
        if answer.code != 354 {
            return answer;
        }
        self.raw(dot_stuffed(message).as_bytes());
        self.command(".")
    }

    /// Says good-bye and reads to the end.
    pub fn quit(mut self) {
        self.raw(b"QUIT\r\n");
        let mut rest = Vec::new();
        // The other side may have closed already; there is nothing to learn from that here.
        drop(self.stream.read_to_end(&mut rest));
    }
}

/// The message as DATA carries it: CRLF line ends, leading dots doubled, a line end at the end.
pub fn dot_stuffed(message: &str) -> String {
    let mut text = String::with_capacity(message.len() + 64);
    for line in message.lines() {
        if line.starts_with('.') {
            text.push('.');
        }
        text.push_str(line);
        text.push_str("\r\n");
    }
    text
}
