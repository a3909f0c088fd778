//! The daemon with `[dns]`: its resolver asks a server on loopback that answers right, late, wrong
//! or never. Rules see what became known; no client waits longer than `dns.timeout`, and the others
//! do not wait at all.

use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use gatepost_gather::dns::Name;
use gatepost_gather::testing::{Reply, TestServer, Zone};

use super::daemon::{Daemon, binary};
use super::postfix::{PATIENCE, wait_until};
use crate::support::mta::{Message, MtaConnection, Options};

const RULES: &str = "\
header DNS_NO_NAME      eval:check_client_has_no_name()
score  DNS_NO_NAME      0.1
header DNS_CONFIRMED    eval:check_client_name_confirmed()
score  DNS_CONFIRMED    0.1
header DNS_UNCONFIRMED  eval:check_client_name_unconfirmed()
score  DNS_UNCONFIRMED  0.1
";
const TIMEOUT: Duration = Duration::from_secs(2);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(4);

struct Site {
    dns: TestServer,
    daemon: Daemon,
}

impl Site {
    /// With these keys in `[dns]`, next to the server's address.
    fn start(keys: &str) -> Self {
        let zones = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/zones/clients.zone");
        let zone = std::fs::read_to_string(zones).expect("the zone file");
        let dns = TestServer::start(Zone::parse(&zone).expect("a zone")).expect("a DNS server");
        let section = format!("[dns]\nservers = [\"{}\"]\n{keys}\n", dns.address());
        let mut daemon = Daemon::start(&section);
        daemon.terminate();
        daemon.write_rules("20_dns.cf", RULES);
        daemon.start_again();
        Self { dns, daemon }
    }

    fn script(&self, address: &str, replies: &[Reply]) {
        let address: IpAddr = address.parse().expect("an address");
        self.dns.script(&Name::reverse(address), replies);
    }

    /// One message of that client: the rules of [`RULES`] that hit, and how long it took.
    fn judged(&self, client: &str) -> (Vec<String>, Duration) {
        let begin = Instant::now();
        let stream = UnixStream::connect(self.daemon.path("milter.sock")).expect("the daemon");
        let mut mta = MtaConnection::new(stream, Options::postfix());
        mta.set_timeout(PATIENCE).expect("a time-out");
        mta.negotiate().expect("an answer to the offer");
        mta.connect("unknown", client, 40_000)
            .expect("an answer to CONNECT");
        mta.helo("mail.example.net").expect("an answer to HELO");
        let queue_id = format!("4{}", client.replace(['.', ':'], "x"));
        let message = Message {
            sender: "<anna@example.net>",
            recipients: &["<ben@example.com>"],
            header: &[("From", " anna@example.net"), ("Subject", " minutes")],
            body: b"The minutes of Thursday are on the shelf.\r\n",
            queue_id: &queue_id,
        };
        let answer = mta.message(&message).expect("an answer");
        let took = begin.elapsed();
        assert!(answer.reply.goes_on(), "{answer:?}");
        let mut record = String::new();
        let is_there = wait_until(PATIENCE, || {
            let records = self.daemon.records();
            let own = records.lines().find(|line| line.contains(&queue_id));
            record = own.unwrap_or_default().to_owned();
            record.ends_with('}')
        });
        assert!(is_there, "no record of {queue_id}");
        let rules = ["DNS_NO_NAME", "DNS_CONFIRMED", "DNS_UNCONFIRMED"];
        let hits = rules
            .into_iter()
            .filter(|rule| record.contains(&format!("\"{rule}\"")));
        (hits.map(ToOwned::to_owned).collect(), took)
    }
}

#[test]
fn rules_see_the_names_of_the_client_and_no_client_waits_longer_than_configured() {
    let site = Site::start("client_names = true\ntimeout = \"2s\"");
    site.script("192.0.2.20", &[Reply::Late(TIMEOUT / 4)]);
    site.script("192.0.2.21", &[Reply::OtherId, Reply::OtherPort]);
    site.script("192.0.2.22", &[]);
    site.script("192.0.2.23", &[Reply::Late(TIMEOUT * 3)]);
    std::thread::scope(|scope| {
        let slow = [
            ("192.0.2.20", vec!["DNS_CONFIRMED"]),
            ("192.0.2.21", vec![]),
            ("192.0.2.22", vec![]),
            ("192.0.2.23", vec![]),
        ];
        for (client, expected) in slow {
            let site = &site;
            scope.spawn(move || {
                let (hits, took) = site.judged(client);
                assert_eq!(hits, expected, "{client}");
                assert!(took < TIMEOUT + SLACK, "{client}: {took:?}");
            });
        }
        // Meanwhile, one after the other, with others waiting for their facts.
        for (client, expected) in [
            ("192.0.2.1", "DNS_CONFIRMED"),
            ("192.0.2.2", "DNS_UNCONFIRMED"),
            ("192.0.2.99", "DNS_NO_NAME"),
        ] {
            assert_eq!(site.judged(client).0, [expected], "{client}");
        }
    });
}

#[test]
fn nothing_is_asked_unless_configured() {
    let site = Site::start("");
    assert!(site.judged("192.0.2.1").0.is_empty());
    assert_eq!(site.dns.queries(), 0);
}

#[test]
fn check_says_what_leaves_the_machine() {
    for (keys, expected) in [
        ("", "nothing is asked"),
        ("client_names = true", "client address"),
    ] {
        let site = Site::start(keys);
        let output = std::process::Command::new(binary())
            .arg("--config")
            .arg(site.daemon.path("gatepost.toml"))
            .arg("check")
            .output()
            .expect("the command runs");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = printed.lines().find(|line| line.starts_with("dns"));
        let line = line.unwrap_or_default();
        assert!(line.contains(expected), "{printed}");
        if !keys.is_empty() {
            assert!(line.contains(&site.dns.address().to_string()), "{printed}");
        }
    }
}
