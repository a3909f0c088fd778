//! The outcome of mail when the daemon fails: it is deferred, never lost, never let through
//! unscanned.

use std::thread;
use std::time::Duration;

use super::daemon::{Daemon, open_files};
use super::postfix::{Postfix, dot_stuffed, wait_until};
use super::postfix_verdicts::mail;
use super::skip;

const FROM: &str = "anna@example.net";
const TO: &str = "ben@example.com";

fn both(policy: &str) -> Option<(Daemon, Postfix)> {
    if skip(Postfix::missing()) {
        return None;
    }
    let daemon = Daemon::start(policy);
    let postfix = Postfix::start(&daemon.milter(), &[]);
    Some((daemon, postfix))
}

#[test]
fn what_is_too_large_to_judge_is_deferred_and_the_connection_goes_on() {
    let Some((_daemon, postfix)) = both("[limits]\nmessage = \"64KiB\"\n") else {
        return;
    };
    let mut client = postfix.client();
    client.command("EHLO client.example.net");
    let line = "A line that is repeated until the message is over the limit of this test.\n";
    let answer = client.mail(FROM, &[TO], &mail("large", "", &line.repeat(2_000)));
    assert_eq!(answer.code / 100, 4, "{}", answer.text);
    let answer = client.mail(FROM, &[TO], &mail("small", "", line));
    assert!(answer.is_positive(), "{}", answer.text);
    let delivered = postfix.wait_delivered(1);
    assert_eq!(delivered[0].header("Subject"), ["small"]);
}

#[test]
fn without_the_daemon_mail_is_deferred() {
    let Some((mut daemon, postfix)) = both("") else {
        return;
    };
    daemon.kill();
    let answer = postfix.send(FROM, &[TO], &mail("alone", "", ""));
    assert_eq!(answer.code / 100, 4, "{}", answer.text);
    assert!(postfix.delivered().is_empty());
    assert!(postfix.wait_idle());
}

#[test]
fn killed_in_mid_message_the_client_is_deferred_and_the_same_mail_passes_after_a_restart() {
    let Some((mut daemon, postfix)) = both("") else {
        return;
    };
    let text = mail("killed", "", &"and so on\n".repeat(500));
    let wire = dot_stuffed(&text);
    let (first, second) = wire.split_at(wire.len() / 2);

    let mut client = postfix.client();
    client.command("EHLO client.example.net");
    assert!(client.command(&format!("MAIL FROM:<{FROM}>")).is_positive());
    assert!(client.command(&format!("RCPT TO:<{TO}>")).is_positive());
    assert_eq!(client.command("DATA").code, 354);
    client.raw(first.as_bytes());
    daemon.kill();
    client.raw(second.as_bytes());
    let answer = client.command(".");
    assert!(answer.is_transient(), "{}", answer.text);
    assert!(postfix.wait_idle());
    assert!(
        postfix.delivered().is_empty() && postfix.queue("hold").is_empty(),
        "{}",
        postfix.log()
    );

    // The socket of the killed daemon is still there: a restart must not stumble over it.
    daemon.start_again();
    let answer = postfix.send(FROM, &[TO], &text);
    assert!(answer.is_positive(), "{}", answer.text);
    let delivered = postfix.wait_delivered(1);
    assert_eq!(
        delivered[0].header("X-Gatepost").len(),
        1,
        "{}",
        delivered[0].text
    );
}

/// The moment of the kill is not ours to choose, so every outcome is checked by one law: a mail is
/// delivered exactly when its client was answered 250, and then it carries our header.
#[test]
fn killed_at_any_moment_of_the_verdict_no_mail_passes_unscanned() {
    let Some((mut daemon, postfix)) = both("") else {
        return;
    };
    let (mut accepted, mut deferred) = (0, 0);
    for round in 0..8 {
        let text = mail(
            &format!("round {round}"),
            "",
            &"some text to read\n".repeat(60_000),
        );
        let mut client = postfix.client();
        client.command("EHLO client.example.net");
        client.command(&format!("MAIL FROM:<{FROM}>"));
        client.command(&format!("RCPT TO:<{TO}>"));
        assert_eq!(client.command("DATA").code, 354);
        client.raw(dot_stuffed(&text).as_bytes());
        client.raw(b".\r\n");
        thread::sleep(Duration::from_millis(round * 8));
        daemon.kill();
        let answer = client.reply();
        assert!(
            answer.is_positive() || answer.is_transient(),
            "{}",
            answer.text
        );
        if answer.is_positive() {
            accepted += 1;
        } else {
            deferred += 1;
        }
        daemon.start_again();
    }
    println!("killed during the verdict: {accepted} accepted before, {deferred} deferred");
    assert!(postfix.wait_idle());
    for mail in postfix.wait_delivered(accepted) {
        assert_eq!(
            mail.header("X-Gatepost").len(),
            1,
            "delivered unscanned: {}",
            mail.header("Subject").concat()
        );
    }
    assert!(postfix.queue("hold").is_empty());
}

#[test]
fn a_client_that_hangs_up_in_mid_message_leaves_nothing_behind() {
    let Some((daemon, postfix)) = both("") else {
        return;
    };
    // One connection first, so that what is opened once is open.
    postfix.send(FROM, &[TO], &mail("first", "", ""));
    let before = open_files(daemon.pid());
    let wire = dot_stuffed(&mail("cut", "", &"and so on\n".repeat(200)));
    for cut in (1..wire.len()).step_by(wire.len() / 12) {
        let mut client = postfix.client();
        client.command("EHLO client.example.net");
        client.command(&format!("MAIL FROM:<{FROM}>"));
        client.command(&format!("RCPT TO:<{TO}>"));
        client.command("DATA");
        client.raw(wire.get(..cut).expect("ASCII").as_bytes());
        drop(client);
    }
    let answer = postfix.send(FROM, &[TO], &mail("last", "", ""));
    assert!(answer.is_positive(), "{}", answer.text);
    postfix.wait_delivered(2);
    // Postfix keeps smtpd processes, but each closes its milter connection with its client.
    assert!(
        wait_until(Duration::from_secs(10), || open_files(daemon.pid())
            <= before + 1),
        "{before} descriptors before"
    );
}

#[test]
fn on_sigterm_what_is_past_mail_is_answered() {
    let Some((mut daemon, postfix)) = both("") else {
        return;
    };
    let wire = dot_stuffed(&mail("drained", "", ""));
    let (first, second) = wire.split_at(wire.len() / 2);
    let mut client = postfix.client();
    client.command("EHLO client.example.net");
    client.command(&format!("MAIL FROM:<{FROM}>"));
    client.command(&format!("RCPT TO:<{TO}>"));
    assert_eq!(client.command("DATA").code, 354);
    client.raw(first.as_bytes());
    daemon.signal("TERM");
    thread::sleep(Duration::from_millis(300));
    assert!(
        daemon.is_running(),
        "the daemon left a mail that was past MAIL"
    );
    client.raw(second.as_bytes());
    let answer = client.command(".");
    assert!(answer.is_positive(), "{}", answer.text);
    client.quit();
    assert!(daemon.wait().success(), "{}", daemon.log());
    let delivered = postfix.wait_delivered(1);
    assert_eq!(
        delivered[0].header("X-Gatepost").len(),
        1,
        "{}",
        delivered[0].text
    );
}

#[test]
fn a_second_sigterm_ends_at_once() {
    let Some((mut daemon, postfix)) = both("") else {
        return;
    };
    let mut client = postfix.client();
    client.command("EHLO client.example.net");
    client.command(&format!("MAIL FROM:<{FROM}>"));
    client.command(&format!("RCPT TO:<{TO}>"));
    assert_eq!(client.command("DATA").code, 354);
    daemon.signal("TERM");
    thread::sleep(Duration::from_millis(300));
    daemon.signal("TERM");
    assert!(
        wait_until(Duration::from_secs(5), || !daemon.is_running()),
        "the second SIGTERM did not end it"
    );
    client.raw(dot_stuffed(&mail("abandoned", "", "")).as_bytes());
    let answer = client.command(".");
    assert!(answer.is_transient(), "{}", answer.text);
    assert!(postfix.delivered().is_empty());
}
