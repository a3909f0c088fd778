//! Each verdict at each stage, as a client of Postfix sees it, and where the mail is afterwards.

use super::daemon::Daemon;
use super::postfix::{PATIENCE, Postfix, Smtp, SmtpAnswer, header_values, wait_until};
use super::skip;

/// The Generic Test for Unsolicited Bulk Email, in two halves so that this file itself is no test
/// mail.
const GTUBE: &str = concat!(
    "XJS*C4JDBQADN1.NSBN3*2IDNEN*",
    "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
);

/// A refuse list with one entry of each kind.
const REFUSE: &str = "\
[policy.refuse]
clients = [\"192.0.2.66\"]
helo = [\"refused.example.net\"]
senders = [\"refused@example.net\"]
recipients = [\"refused@example.com\"]
";

const FROM: &str = "anna@example.net";
const TO: &str = "ben@example.com";

/// A plain mail; `header` are further lines of its header.
pub(super) fn mail(subject: &str, header: &str, body: &str) -> String {
    format!(
        "From: Anna <{FROM}>\nTo: Ben <{TO}>\nSubject: {subject}\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n\
         Message-ID: <{id}@example.net>\n{header}\nHello Ben,\n\nthe minutes of Thursday's meeting are on the shelf.\n{body}\n\nAnna\n",
        id = subject.replace(' ', "."),
    )
}

/// Daemon and Postfix, or `None` where there can be no Postfix.
fn both(policy: &str) -> Option<(Daemon, Postfix)> {
    if skip(Postfix::missing()) {
        return None;
    }
    let daemon = Daemon::start(policy);
    let postfix = Postfix::start(&daemon.milter(), &[]);
    Some((daemon, postfix))
}

fn assert_refused(answer: &SmtpAnswer) {
    assert_eq!(answer.code, 550, "{}", answer.text);
    assert!(answer.text.contains("5.7.1"), "{}", answer.text);
}

/// The reply names the kind of evidence and an id that the admin can explain.
fn assert_refused_for(answer: &SmtpAnswer, kind: &str) {
    assert_refused(answer);
    assert!(
        answer.text.contains(kind),
        "{} does not name {kind}",
        answer.text
    );
    assert!(answer.text.contains("id="), "{}", answer.text);
}

#[test]
fn accepted_mail_carries_our_header_once_and_no_forged_one() {
    let Some((_daemon, postfix)) = both("") else {
        return;
    };
    let forged = "X-Spam-Flag: NO\nX-Spam-Status: No, score=-99.0 forged\nX-Gatepost: accept forged\n\
                  x-gatepost: accept forged too\nX-Spam-Score: -99.0\n folded forged\nX-Kept: as it was\n";
    let answer = postfix.send(FROM, &[TO], &mail("accepted", forged, ""));
    assert!(answer.is_positive(), "{}", answer.text);
    let delivered = postfix.wait_delivered(1);
    let mail = &delivered[0];
    assert!(!mail.text.contains("forged"), "{}", mail.text);
    assert_eq!(mail.header("X-Kept"), ["as it was"]);
    for name in ["X-Gatepost", "X-Spam-Status", "X-Spam-Score"] {
        assert_eq!(mail.header(name).len(), 1, "{name}\n{}", mail.text);
    }
    assert!(
        mail.header("X-Gatepost")[0].starts_with("accept"),
        "{}",
        mail.text
    );
    assert!(
        mail.header("X-Spam-Status")[0].starts_with("No"),
        "{}",
        mail.text
    );
    assert!(
        mail.text.contains("the minutes of Thursday's meeting"),
        "{}",
        mail.text
    );
}

#[test]
fn a_refused_client_gets_no_further_than_mail() {
    let Some((_daemon, postfix)) = both(REFUSE) else {
        return;
    };
    let mut client = postfix.client();
    client.command("EHLO client.example.net");
    // To XCLIENT Postfix answers as with a greeting: 220 or 554. Our own text comes with the next
    // command.
    client.command("XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.66");
    assert_refused_for(
        &client.mail(FROM, &[TO], &mail("refused", "", "")),
        "local policy",
    );
    client.quit();
    // The neighbour is not blocked.
    let mut client = postfix.client();
    client.command("EHLO client.example.net");
    client.command("XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.67");
    client.command("EHLO client.example.net");
    let answer = client.mail(FROM, &[TO], &mail("neighbour", "", ""));
    assert!(answer.is_positive(), "{}", answer.text);
    postfix.wait_delivered(1);
}

#[test]
fn a_client_refused_at_connect_gets_the_reason() {
    let Some((_daemon, postfix)) = both("[policy.refuse]\nclients = [\"127.0.0.0/8\"]\n") else {
        return;
    };
    let mut client = Smtp::connect(postfix.port);
    let greeting = client.reply();
    assert!([220, 554].contains(&greeting.code), "{}", greeting.text);
    client.command("EHLO client.example.net");
    assert_refused_for(
        &client.mail(FROM, &[TO], &mail("refused", "", "")),
        "local policy",
    );
    assert!(
        postfix.log().contains("milter-reject: CONNECT"),
        "{}",
        postfix.log()
    );
    assert!(postfix.delivered().is_empty());
}

#[test]
fn a_refused_helo_is_refused_before_any_mail() {
    let Some((_daemon, postfix)) = both(REFUSE) else {
        return;
    };
    let mut client = postfix.client();
    let mut answer = client.command("EHLO refused.example.net");
    if answer.is_positive() {
        answer = client.command(&format!("MAIL FROM:<{FROM}>"));
    }
    assert_refused_for(&answer, "local policy");
    assert!(postfix.delivered().is_empty());
}

#[test]
fn a_refused_sender_leaves_the_connection_usable() {
    let Some((_daemon, postfix)) = both(REFUSE) else {
        return;
    };
    let mut client = postfix.client();
    client.command("EHLO client.example.net");
    assert_refused_for(
        &client.mail("refused@example.net", &[TO], &mail("refused", "", "")),
        "local policy",
    );
    let answer = client.mail(FROM, &[TO], &mail("next", "", ""));
    assert!(answer.is_positive(), "{}", answer.text);
    postfix.wait_delivered(1);
}

#[test]
fn a_refused_recipient_does_not_refuse_the_others() {
    let Some((_daemon, postfix)) = both(REFUSE) else {
        return;
    };
    let mut client = postfix.client();
    client.command("EHLO client.example.net");
    assert!(client.command(&format!("MAIL FROM:<{FROM}>")).is_positive());
    assert!(client.command("RCPT TO:<carol@example.com>").is_positive());
    assert_refused_for(
        &client.command("RCPT TO:<refused@example.com>"),
        "local policy",
    );
    assert!(client.command("RCPT TO:<ben@example.com>").is_positive());
    let answer = client.data(&mail("recipients", "", ""));
    assert!(answer.is_positive(), "{}", answer.text);
    let mut recipients: Vec<String> = postfix
        .wait_delivered(2)
        .iter()
        .map(super::postfix::Delivered::recipient)
        .collect();
    recipients.sort();
    assert_eq!(recipients, ["ben@example.com", "carol@example.com"]);
}

#[test]
fn a_header_verdict_is_given_at_the_end_of_the_header() {
    let Some((daemon, postfix)) = both("") else {
        return;
    };
    let answer = postfix.send(
        FROM,
        &[TO],
        &mail("header", "X-Test-Refuse-Header: yes\n", ""),
    );
    assert_refused_for(&answer, "content rules");
    assert!(postfix.delivered().is_empty());
    // Postfix names no stage in its own log (cleanup reports every refusal as END-OF-MESSAGE); the
    // record does.
    let recorded = || daemon.records().contains("\"stage\":\"headers\"");
    assert!(
        wait_until(PATIENCE, recorded),
        "no record of the stage `headers`:\n{}",
        daemon.records()
    );
}

#[test]
fn gtube_is_refused_at_the_end_of_the_message() {
    let Some((_daemon, postfix)) = both("") else {
        return;
    };
    assert_refused_for(
        &postfix.send(FROM, &[TO], &mail("gtube", "", GTUBE)),
        "content rules",
    );
    assert!(postfix.delivered().is_empty());
    assert!(postfix.queue("hold").is_empty());
}

#[test]
fn quarantined_mail_is_on_hold_with_our_headers() {
    let Some((_daemon, postfix)) = both("") else {
        return;
    };
    let forged = "X-Gatepost: accept forged\n";
    let answer = postfix.send(FROM, &[TO], &mail("held", forged, "gatepost-test-hold-me"));
    assert!(answer.is_positive(), "{}", answer.text);
    assert!(postfix.wait_idle());
    let held = postfix.queue("hold");
    assert_eq!(held.len(), 1, "{}", postfix.log());
    assert!(
        answer.text.contains(&held[0]),
        "the client was sent another queue id: {}",
        answer.text
    );
    let text = postfix.held(&held[0]);
    let ours = header_values(&text, "X-Gatepost");
    assert_eq!(ours.len(), 1, "{text}");
    assert!(ours[0].starts_with("quarantine"), "{text}");
    assert!(postfix.delivered().is_empty());
    // The admin lets it go: it is delivered, and not judged again.
    assert!(postfix.run("postsuper", &["-H", &held[0]]).status.success());
    postfix.run("postqueue", &["-f"]);
    postfix.wait_delivered(1);
}

#[test]
fn several_messages_on_one_connection_each_get_their_own_verdict() {
    let Some((_daemon, postfix)) = both(REFUSE) else {
        return;
    };
    let mut client = postfix.client();
    client.command("EHLO client.example.net");
    for round in 0..3 {
        let name = |what: &str| format!("{what} {round}");
        assert_refused(&client.mail(FROM, &[TO], &mail(&name("gtube"), "", GTUBE)));
        assert!(
            client
                .mail(FROM, &[TO], &mail(&name("ham"), "", ""))
                .is_positive()
        );
        assert!(client.command(&format!("MAIL FROM:<{FROM}>")).is_positive());
        assert!(client.command("RSET").is_positive());
        assert!(
            client
                .mail(
                    FROM,
                    &[TO],
                    &mail(&name("held"), "", "gatepost-test-hold-me")
                )
                .is_positive()
        );
        assert_refused(&client.mail(
            FROM,
            &["refused@example.com"],
            &mail(&name("nobody"), "", ""),
        ));
        assert_refused(&client.mail(
            FROM,
            &[TO],
            &mail(&name("header"), "X-Test-Refuse-Header: yes\n", ""),
        ));
        assert!(client.command("EHLO client.example.net").is_positive());
        assert!(
            client
                .mail("", &[TO], &mail(&name("null sender"), "", ""))
                .is_positive()
        );
    }
    client.quit();
    let delivered = postfix.wait_delivered(6);
    for mail in &delivered {
        let subject = mail.header("Subject").concat();
        assert!(
            subject.starts_with("ham") || subject.starts_with("null sender"),
            "{subject} was delivered"
        );
        assert_eq!(mail.header("X-Gatepost").len(), 1, "{}", mail.text);
    }
    assert_eq!(postfix.queue("hold").len(), 3);
}

/// SpamAssassin's `add_header` and `rewrite_header`, written by Postfix.
#[test]
fn rule_files_say_what_is_written_to_a_mail() {
    if skip(Postfix::missing()) {
        return;
    }
    let mut daemon = Daemon::start("");
    daemon.write_rules(
        "20_marks.cf",
        "body TEST_MARK /gatepost-test-mark-me/\ndescribe TEST_MARK The test asked to be marked\nscore TEST_MARK 22\n\
         clear_headers\nadd_header all Level _STARS(*)_\nadd_header spam Flag _YESNOCAPS_\n\
         add_header all Tests _TESTS(,)_\nrewrite_header Subject [marked]\n",
    );
    daemon.kill();
    daemon.start_again();
    let postfix = Postfix::start(&daemon.milter(), &[]);
    assert!(
        postfix
            .send(
                FROM,
                &[TO],
                &mail("spam", "X-Spam-Level: forged\n", "gatepost-test-mark-me")
            )
            .is_positive()
    );
    let delivered = postfix.wait_delivered(1);
    let spam = &delivered[0];
    assert_eq!(spam.header("Subject"), ["[marked] spam"], "{}", spam.text);
    assert_eq!(spam.header("X-Spam-Flag"), ["YES"]);
    assert!(
        spam.header("X-Spam-Level").concat().starts_with("*****"),
        "{}",
        spam.text
    );
    assert!(
        spam.header("X-Spam-Tests").concat().contains("TEST_MARK"),
        "{}",
        spam.text
    );
    assert!(
        spam.header("X-Spam-Status").is_empty() && !spam.text.contains("forged"),
        "{}",
        spam.text
    );
    assert_eq!(spam.header("X-Gatepost").len(), 1);
}
