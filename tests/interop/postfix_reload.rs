//! Reload and restart under load: 200 messages a second, and every one of them is accounted for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::daemon::{Daemon, signal};
use super::postfix::{Postfix, SmtpAnswer, header_values};
use super::postfix_verdicts::mail;
use super::skip;

/// SMTP clients at work at the same time. Postfix's `default_process_limit` is 100.
const CLIENTS: usize = 20;
/// Messages a second, over all clients.
const RATE: u32 = 200;
const GTUBE: &str = concat!(
    "XJS*C4JDBQADN1.NSBN3*2IDNEN*",
    "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
);

/// What is to become of a mail of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Delivered,
    Held,
    Refused,
}

/// What a client was answered about one mail.
struct Sent {
    name: String,
    wanted: Wanted,
    answer: SmtpAnswer,
}

/// The sums that the issue asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Account {
    sent: usize,
    deferred: usize,
    wrong: usize,
    lost: usize,
    duplicated: usize,
    unscanned: usize,
}

/// One client's share of the load: sends on one connection at its pace until reported to stop, and
/// connects again when deferred.
fn client(postfix: &Postfix, number: usize, phase: &str, stop: &AtomicBool) -> Vec<Sent> {
    let pace = Duration::from_secs(1) * u32::try_from(CLIENTS).expect("few") / RATE;
    let mut all = Vec::new();
    let mut smtp = None;
    let mut next = Instant::now()
        + pace * u32::try_from(number).expect("few") / u32::try_from(CLIENTS).expect("few");
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        next += pace;
        let (wanted, body) = match all.len() % 5 {
            3 => (Wanted::Held, "gatepost-test-hold-me"),
            4 => (Wanted::Refused, GTUBE),
            _ => (Wanted::Delivered, "nothing special"),
        };
        let name = format!("{phase} client {number} mail {}", all.len());
        let connection = smtp.get_or_insert_with(|| {
            let mut smtp = postfix.client();
            smtp.command("EHLO client.example.net");
            smtp
        });
        let answer = connection.mail(
            "anna@example.net",
            &["ben@example.com"],
            &mail(&name, "", body),
        );
        if answer.is_transient() {
            // After one failure Postfix defers every further mail of that SMTP session.
            smtp = None;
        }
        all.push(Sent {
            name,
            wanted,
            answer,
        });
    }
    all
}

/// Runs the load while `disturb` does what it does, and gives what all clients were answered.
fn load(postfix: &Postfix, phase: &str, disturb: impl FnOnce()) -> Vec<Sent> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let stop = &stop;
        let clients: Vec<_> = (0..CLIENTS)
            .map(|n| scope.spawn(move || client(postfix, n, phase, stop)))
            .collect();
        disturb();
        stop.store(true, Ordering::Relaxed);
        clients
            .into_iter()
            .flat_map(|client| client.join().expect("a client"))
            .collect()
    })
}

/// Compares what the clients were answered with what is in the maildir and the hold queue.
fn account(postfix: &Postfix, sent: &[Sent]) -> Account {
    assert!(postfix.wait_idle(), "mail is stuck in the queue");
    let mut found: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
    let mut sums = Account {
        sent: sent.len(),
        ..Account::default()
    };
    let delivered = postfix
        .delivered()
        .into_iter()
        .map(|mail| (mail.text, Wanted::Delivered));
    let held = postfix
        .queue("hold")
        .into_iter()
        .map(|id| (postfix.held(&id), Wanted::Held));
    for (text, place) in delivered.chain(held) {
        sums.unscanned += usize::from(header_values(&text, "X-Gatepost").len() != 1);
        found
            .entry(header_values(&text, "Subject").concat())
            .or_default()
            .push(place);
    }
    for mail in sent {
        let places = found.get(&mail.name).map_or(&[][..], Vec::as_slice);
        sums.duplicated += places.len().saturating_sub(1);
        if mail.answer.is_transient() {
            // The client keeps it and comes back. Where the reply itself was lost, delivery is not
            // our doing.
            sums.deferred += 1;
            sums.wrong += usize::from(mail.answer.code != 0 && !places.is_empty());
            continue;
        }
        let reported = if mail.answer.is_positive() {
            mail.wanted != Wanted::Refused
        } else {
            mail.wanted == Wanted::Refused
        };
        let right_place = places.first().is_none_or(|place| *place == mail.wanted);
        sums.wrong += usize::from(!reported || !right_place);
        sums.lost += usize::from(mail.answer.is_positive() && places.is_empty());
    }
    sums
}

#[test]
fn reloads_and_a_restart_under_load_lose_nothing_and_let_nothing_through() {
    if skip(Postfix::missing()) {
        return;
    }
    let mut daemon = Daemon::start("");
    let postfix = Postfix::start(&daemon.milter(), &[]);
    // The same rules under ever new generations: each reload really loads something else.
    let pid = daemon.pid();
    let begin = Instant::now();
    let sent = load(&postfix, "reload", || {
        let mut round = 0;
        while begin.elapsed() < Duration::from_secs(10) {
            round += 1;
            daemon.write_rules(
                "20_round.cf",
                &format!(
                    "body TEST_ROUND /round {round} of nothing/\nscore TEST_ROUND 0.{round}\n"
                ),
            );
            signal(pid, "HUP");
            thread::sleep(Duration::from_millis(100));
        }
        println!("{round} reloads");
    });
    let seconds = begin.elapsed().as_secs_f64();
    let sums = account(&postfix, &sent);
    println!("reload: {sums:?}, {} messages in {seconds:.1} s", sums.sent);
    assert_eq!(
        sums,
        Account {
            sent: sums.sent,
            ..Account::default()
        },
        "{}\n{}",
        first_odd(&sent),
        daemon.log()
    );
    assert!(daemon.is_running());

    let before = sent.len();
    let mut all = sent;
    all.extend(load(&postfix, "restart", || {
        thread::sleep(Duration::from_secs(2));
        assert!(daemon.terminate().success(), "{}", daemon.log());
        thread::sleep(Duration::from_millis(500));
        daemon.start_again();
        thread::sleep(Duration::from_secs(2));
    }));
    let sums = account(&postfix, &all);
    println!(
        "restart: {sums:?}, {} of them in this phase",
        all.len() - before
    );
    assert!(all.len() > before);
    assert_eq!(
        sums,
        Account {
            sent: sums.sent,
            deferred: sums.deferred,
            ..Account::default()
        },
        "{}",
        first_odd(&all)
    );
    let last = postfix.send(
        "anna@example.net",
        &["ben@example.com"],
        &mail("afterwards", "", ""),
    );
    assert!(last.is_positive(), "{}", last.text);
}

/// The first answer that was not asked for, for the message of a failed test.
fn first_odd(sent: &[Sent]) -> String {
    let odd = sent
        .iter()
        .find(|mail| mail.answer.is_positive() == (mail.wanted == Wanted::Refused));
    odd.map_or_else(String::new, |mail| {
        format!("{} ({:?}): {}", mail.name, mail.wanted, mail.answer.text)
    })
}

#[test]
fn a_broken_rule_file_on_reload_leaves_the_old_set_at_work() {
    if skip(Postfix::missing()) {
        return;
    }
    let mut daemon = Daemon::start("");
    let postfix = Postfix::start(&daemon.milter(), &[]);
    let refused = || {
        postfix.send(
            "anna@example.net",
            &["ben@example.com"],
            &mail("old", "X-Test-Refuse-Header: 1\n", ""),
        )
    };
    assert_eq!(refused().code, 550);
    // The old rule is gone from the files, and what replaces it does not load.
    daemon.write_rules(
        "10_test.cf",
        "body TEST_BROKEN /(unclosed/\nscore TEST_BROKEN 1\n",
    );
    daemon.signal("HUP");
    let logged = super::postfix::wait_until(Duration::from_secs(10), || {
        daemon.log().contains("10_test.cf")
    });
    assert!(
        logged,
        "the daemon does not say what is broken:\n{}",
        daemon.log()
    );
    assert!(daemon.is_running());
    assert_eq!(refused().code, 550, "the old set is gone");
    // Once fixed, the new set is taken.
    daemon.write_rules(
        "10_test.cf",
        "body TEST_FIXED /nothing of the kind/\nscore TEST_FIXED 1\n",
    );
    daemon.signal("HUP");
    let taken = super::postfix::wait_until(Duration::from_secs(10), || refused().is_positive());
    assert!(taken, "the fixed set is not taken:\n{}", daemon.log());
}
