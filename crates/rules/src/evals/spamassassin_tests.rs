//! Every function of the table over a small message that it hits and one that it does not.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::spamassassin::SPAMASSASSIN;
use crate::matcher::scanner::Scanner;
use crate::ruleset::ruleset::Ruleset;
use gatepost_mail::{Case, Facts, Limits, Message, Transaction};
use gatepost_words::Stage;
use gatepost_words::diagnostic::Source;

/// Settings that the functions read.
const SETTINGS: &str = "util_rb_tld com net org example\nfreemail_domains free.example\n\
    blocklist_from *@blocked.example\nwelcomelist_from *@welcome.example\nblocklist_to spamtrap@example.com\n\
    welcomelist_to friend@example.com\nmore_spam_to more@example.com\nall_spam_to all@example.com\n\
    def_welcomelist_from_rcvd *@bank.example relay.example\nwelcomelist_from_rcvd *@shop.example relay.example\n\
    enlist_addrlist (BOSSES) boss@example.com\nenlist_uri_host (BAD) bad.example\nblocklist_uri_host worse.example\n\
    welcomelist_uri_host good.example\nblocklist_subject cheap *\nwelcomelist_subject order no*\n\
    welcomelist_bounce_relays out.example.com\n";

fn hits(call: &str, mail: &str) -> bool {
    let text = format!("{SETTINGS}body X eval:{call}\n");
    let (ruleset, diagnostics) = Ruleset::load(&[Arc::new(Source::new("t", text))]);
    let ruleset = ruleset.unwrap_or_else(|| {
        panic!(
            "{}",
            gatepost_words::diagnostic::render(&diagnostics, false)
        )
    });
    assert!(ruleset.get("X").is_some(), "{call}");
    let mail = mail.replace('\n', "\r\n");
    let (transaction, facts) = (
        Transaction::new("test".into(), UNIX_EPOCH),
        Facts::default(),
    );
    let message = Message::parse(mail.as_bytes(), &Limits::default());
    let case = Case {
        stage: Stage::EndOfMessage,
        transaction: &transaction,
        message: &message,
        facts: &facts,
    };
    !Scanner::new(&ruleset)
        .scan(&ruleset, &case, &|| false)
        .hits
        .is_empty()
}

/// A message of these fields and this text.
fn mail(fields: &str, text: &str) -> String {
    format!("{fields}\n\n{text}\n")
}

fn html(text: &str) -> String {
    mail(
        "Subject: s\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8",
        text,
    )
}

/// An alternative of plain text and HTML.
fn both(plain: &str, html: &str) -> String {
    let part = |kind: &str, text: &str| format!("--b\nContent-Type: text/{kind}\n\n{text}\n");
    let text = format!("{}{}--b--", part("plain", plain), part("html", html));
    mail(
        "Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b",
        &text,
    )
}

/// A GIF of 3 x 2 pixels named a.gif.
const GIF: &str = "Subject: s\nMIME-Version: 1.0\nContent-Type: image/gif; name=\"a.gif\"\n\
    Content-Transfer-Encoding: base64\n\nR0lGODlhAwACAAAAAAA=\n";
const RELAY: &str = "Received: from a.example (relay.example [192.0.2.1]) by mx.example.com (Postfix) with ESMTP id ABC";
const TEXT: &str = "Subject: s\n\nSome text.\n";
const BASE64: &str = "Subject: s\nMIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\nSGVsbG8gd29ybGQ=\n";

type Row = (&'static str, String, String);

fn row(call: &'static str, hit: impl Into<String>, miss: impl Into<String>) -> Row {
    (call, hit.into(), miss.into())
}

#[rustfmt::skip]
fn text_rows() -> Vec<Row> {
    let shout = format!("SOME WORDS THAT SHOUT {}", "AND SHOUT ".repeat(30));
    vec![
        row("check_abundant_unicode_ratio(0.02)", mail("Subject: s", "&#x0041;&#x0042;"), TEXT),
        row("check_base64_length('10')", BASE64, TEXT),
        row("check_blank_line_ratio('50','100','2')", mail("Subject: s", "a\n\n\n\nb"), mail("Subject: s", "a\nb\nc")),
        row("check_body_length('20')", TEXT, mail("Subject: s", "More than twenty bytes.")),
        row("check_for_ascii_text_illegal()", mail("Subject: s", "caf\u{e9}"), TEXT),
        row("check_for_mime('mime_base64_encoded_text')", BASE64, TEXT),
        row("check_for_mime_html()", html("<p>x</p>"), TEXT),
        row("check_for_mime_html_only()", html("<p>x</p>"), both("x", "<p>x</p>")),
        row("check_for_uppercase('75','100')", mail("Subject: s", &shout), mail("Subject: s", &shout.to_lowercase())),
        row("check_ma_non_text()", both("x", "y").replace("text/html", "image/png"), both("x", "y")),
        row("check_mime_multipart_ratio('0','0.5')", both("x", "<p>a longer text</p>"), both("the same text", "<p>x</p>")),
        row("check_msg_parse_flags('mime_epilogue_exists')", both("x", "y") + "more", both("x", "y") + "."),
        row("check_qp_ratio('0.2')", BASE64.replace("base64", "quoted-printable").replace("SGVsbG8gd29ybGQ=", "=41=42=43"), TEXT),
        row("check_stock_info('2')", mail("Subject: s", "Company Name: A\nSymbol: ABC"), mail("Subject: s", "From: a\nTo: b")),
        row("multipart_alternative_difference('99','100')", both("other words", "<p>not the same</p>"), both("same", "<p>same</p>")),
        row("multipart_alternative_difference_count('3','1')", both("a b c d e f g h", "<p>a b</p>"), both("a b", "<p>a b</p>")),
        row("tvd_vertical_words('50','100')", mail("Subject: s", "a b c d e f g h i"), mail("Subject: s", "ordinary words stand here")),
        row("subject_is_all_caps()", mail("Subject: BUY THIS NOW", "x"), mail("Subject: Buy this now", "x")),
        row("image_count('gif','1','1')", GIF, TEXT),
        row("image_name_regex('/^a/')", GIF, GIF.replace("a.gif", "b.gif")),
        row("image_named('a.gif')", GIF, GIF.replace("a.gif", "b.gif")),
        row("image_size_exact('gif','2','3')", GIF, GIF.replace("AwAC", "BAAC")),
        row("image_size_range('all','1','1','5','5')", GIF, GIF.replace("AwAC", "BgAC")),
        row("image_to_text_ratio('all','0.1','1')", GIF, GIF.replace("R0lG", "AAAA")),
        row("pixel_coverage('gif','6','6')", GIF, GIF.replace("AwAC", "BAAC")),
    ]
}

#[rustfmt::skip]
fn html_rows() -> Vec<Row> {
    let image = "<img src=a.png width=100 height=100>";
    let link = |href: &str, text: &str| html(&format!("<a href='{href}'>{text}</a>"));
    vec![
        row("html_eval('max_size','== 7')", html("<font size=7>x</font>"), html("<font size=6>x</font>")),
        row("html_image_only('0','100')", html(image), html("<p>x</p>")),
        row("html_image_ratio('0','0.01')", html(&format!("{image} word")), html("word")),
        row("html_range('max_size','4','7')", html("<font size=5>x</font>"), html("<font size=4>x</font>")),
        row("html_tag_balance('center','> 0')", html("<center>x"), html("<center>x</center>")),
        row("html_tag_exists('marquee')", html("<marquee>x</marquee>"), html("<p>marquee</p>")),
        row("html_test('embeds')", html("<embed src=x>"), html("<p>x</p>")),
        row("html_text_match('title','/^Sign in/')", html("<title>Sign in</title>"), html("<p>Sign in</p>")),
        row("html_title_subject_ratio('3.5')", html("<title>a long title</title>"), html("<title>t</title>")),
        row("check_https_http_mismatch('1','10')", link("http://www.example.net/", "https://www.example.com/"), link("http://www.example.com/", "https://www.example.com/")),
        row("check_https_ip_mismatch()", link("http://192.0.2.1/", "https://www.example.com/"), link("http://www.example.net/", "https://www.example.com/")),
        row("check_iframe_src()", html("<iframe src=http://www.example.com/></iframe>"), html("<iframe></iframe>")),
        row("check_uri_truncated()", html(&format!("<a href=http://www.example.com/{}>x</a>", "x".repeat(8_192))), html("<a href=http://www.example.com/>x</a>")),
        row("check_for_http_redirector()", link("http://www.example.com/?http://www.example.net/", "x"), link("http://www.example.com/", "x")),
        row("check_uri_host_listed('BAD')", link("http://www.bad.example/", "x"), link("http://www.good.example/", "x")),
        row("check_uri_host_in_blocklist()", link("http://www.worse.example/", "x"), link("http://www.good.example/", "x")),
        row("check_uri_host_in_welcomelist()", link("http://www.good.example/", "x"), link("http://www.bad.example/", "x")),
    ]
}

#[rustfmt::skip]
fn header_rows() -> Vec<Row> {
    let list = |users: &str| mail(&format!("To: {}", users.split(' ').map(|user| format!("{user}@{user}.example")).collect::<Vec<_>>().join(", ")), "x");
    let dated = |date: &str| mail(&format!("{RELAY}; Thu, 1 Jan 2026 00:00:00 +0000\nDate: {date}"), "x");
    vec![
        row("check_equal_from_domains()", mail("Return-Path: <a@example.net>\nFrom: a@example.com", "x"), mail("Return-Path: <a@example.com>\nFrom: a@mail.example.com", "x")),
        row("check_for_matching_env_and_hdr_from()", mail("Return-Path: <a@example.com>\nFrom: A@example.com", "x"), mail("Return-Path: <b@example.com>\nFrom: a@example.com", "x")),
        row("check_for_shifted_date('2','undef')", dated("Thu, 1 Jan 2026 03:00:00 +0000"), dated("Thu, 1 Jan 2026 01:00:00 +0000")),
        row("check_outlook_message_id()", mail("Message-Id: <000801c1a2b3$12345678$0100007f@a.example>\nDate: Thu, 1 Jan 2026 00:00:00 +0000", "x"), mail("Message-Id: <1@a.example>", "x")),
        row("check_ratware_envelope_from()", mail("Return-Path: <example.com=bob@example.net>\nTo: bob@example.com", "x"), mail("Return-Path: <bob@example.net>\nTo: bob@example.com", "x")),
        row("check_ratware_name_id()", mail("From: \"A\" <a@example.com>\nMessage-Id: <ABCDEFGHIJKLMNOPQRSTUVWXYZAB.a@example.com>", "x"), mail("From: \"A\" <a@example.com>\nMessage-Id: <AB.a@example.com>", "x")),
        row("check_unresolved_template()", mail("X-Thing: %RANDOM", "x"), mail("X-Thing: 5%", "x")),
        row("similar_recipients('0.5','undef')", list("aab aac aad aae aaf"), list("ab cd ef gh ij")),
        row("sorted_recipients()", list("a b c d e f g"), list("b a c d e f g")),
        row("check_freemail_from()", mail("From: a@free.example", "x"), mail("From: a@example.com", "x")),
        row("check_freemail_header('Reply-To')", mail("Reply-To: a@free.example", "x"), mail("Reply-To: a@example.com", "x")),
        row("check_freemail_replyto('replyto')", mail("From: a@free.example\nReply-To: b@free.example", "x"), mail("From: a@free.example\nReply-To: a@free.example", "x")),
        row("check_from_in_blocklist()", mail("From: a@blocked.example", "x"), mail("From: a@example.com", "x")),
        row("check_from_in_welcomelist()", mail("From: a@welcome.example", "x"), mail("From: a@example.com", "x")),
        row("check_from_in_default_welcomelist()", mail(&format!("{RELAY}\nFrom: a@bank.example"), "x"), mail("From: a@bank.example", "x")),
        row("check_forged_in_default_welcomelist()", mail(&format!("{}\nFrom: a@bank.example", RELAY.replace("relay", "other")), "x"), mail(&format!("{RELAY}\nFrom: a@bank.example"), "x")),
        row("check_forged_in_welcomelist()", mail(&format!("{}\nFrom: a@shop.example", RELAY.replace("relay", "other")), "x"), mail(&format!("{RELAY}\nFrom: a@shop.example"), "x")),
        row("check_from_in_list('BOSSES')", mail("From: boss@example.com", "x"), mail("From: a@example.com", "x")),
        row("check_replyto_in_list('BOSSES')", mail("Reply-To: boss@example.com", "x"), mail("From: boss@example.com", "x")),
        row("check_to_in_all_spam()", mail("To: all@example.com", "x"), mail("To: a@example.com", "x")),
        row("check_to_in_blocklist()", mail("To: spamtrap@example.com", "x"), mail("To: a@example.com", "x")),
        row("check_to_in_more_spam()", mail("To: more@example.com", "x"), mail("To: a@example.com", "x")),
        row("check_to_in_welcomelist()", mail("To: friend@example.com", "x"), mail("To: a@example.com", "x")),
        row("check_subject_in_blocklist()", mail("Subject: Very cheap things", "x"), mail("Subject: Things", "x")),
        row("check_subject_in_welcomelist()", mail("Subject: Your order no 7", "x"), mail("Subject: Things", "x")),
        row("have_any_bounce_relays()", TEXT, ""),
        row("check_welcomelist_bounce_relays()", mail("Subject: s", "> Received: from out.example.com by mx.example.net"), mail("Subject: s", "Received: from other.example.com by mx.example.net")),
    ]
}

#[rustfmt::skip]
fn relay_rows() -> Vec<Row> {
    let relay = |name: &str, helo: &str, ip: &str| format!("Received: from {helo} ({name} [{ip}]) by mx.example.com (Postfix) with ESMTP id ABC");
    let from = |domain: &str, more: &str| mail(&format!("{RELAY}\n{more}From: a@{domain}"), "x");
    let hop = |name: &str, ip: &str, by: &str| format!("Received: from h.example ({name} [{ip}]) by {by} (Postfix) with ESMTP id ABC\n");
    let trail = format!("{}{}{}", hop("a.b.example", "192.0.2.1", "mx.example.com"), hop("c.d.example", "192.0.2.2", "x.e.example"), hop("f.g.example", "192.0.2.3", "y.h.example"));
    let straight = format!("{}{}{}", hop("a.b.example", "192.0.2.1", "mx.example.com"), hop("c.d.example", "192.0.2.2", "a.b.example"), hop("f.g.example", "192.0.2.3", "c.d.example"));
    let gated = "Received: from groups.msn.com (x.msn.com [192.0.2.1]) by mx.example.com (Postfix) with ESMTP id ABC";
    vec![
        row("check_all_trusted()", mail(&relay("h.example", "h.example", "10.0.0.1"), "x"), mail(RELAY, "x")),
        row("check_no_relays()", TEXT, mail(RELAY, "x")),
        row("check_relays_unparseable()", mail("Received: from nowhere to nowhere", "x"), mail(RELAY, "x")),
        row("check_for_no_rdns_dotcom_helo()", mail(&relay("unknown", "mx.hotmail.com", "192.0.2.1"), "x"), mail(&relay("mx.hotmail.com", "mx.hotmail.com", "192.0.2.1"), "x")),
        row("helo_ip_mismatch()", mail(&relay("h.example", "203.0.113.7", "192.0.2.1"), "x"), mail(&relay("h.example", "192.0.2.7", "192.0.2.1"), "x")),
        row("check_for_forged_received_trail()", trail + "\nx\n", straight + "\nx\n"),
        row("check_mailfrom_matches_rcvd()", mail(&format!("Return-Path: <a@relay.example>\n{RELAY}"), "x"), mail(&format!("Return-Path: <a@example.com>\n{RELAY}"), "x")),
        row("check_for_forged_eudoramail_received_headers()", from("eudoramail.com", ""), from("example.com", "")),
        row("check_for_forged_gmail_received_headers()", from("gmail.com", ""), from("gmail.com", "X-Received: by 2002:a05:6402:1:0:1:2:3 with SMTP id abc\n")),
        row("check_for_forged_hotmail_received_headers()", mail(&relay("h.example", "hotmail.com", "192.0.2.1"), "x"), from("hotmail.com", "")),
        row("check_for_no_hotmail_received_headers()", from("hotmail.com", ""), from("example.com", "")),
        row("check_for_forged_juno_received_headers()", from("juno.com", ""), from("example.com", "")),
        row("check_for_forged_yahoo_received_headers()", from("yahoo.com", ""), from("yahoo.com", "Received: by web1.mail.yahoo.com via HTTP; x\n")),
        row("check_for_fake_aol_relay_in_rcvd()", mail("Received: from h.example by rly-ab01.mx.example with QMQP", "x"), mail("Received: from h.example by rly-ab01.mx.example (8.8/8.8/AOL-5.0.0) with ESMTP", "x")),
        row("gated_through_received_hdr_remover()", mail(gated, "x"), mail(RELAY, "x")),
    ]
}

#[test]
fn every_function_hits_and_does_not() {
    let rows: Vec<Row> = [text_rows(), html_rows(), header_rows(), relay_rows()].concat();
    let mut wrong = Vec::new();
    for (call, hit, miss) in &rows {
        if !hits(call, hit) {
            wrong.push(format!("{call} misses"));
        }
        // The one function that asks for settings alone has no mail that it could miss.
        if !miss.is_empty() && hits(call, miss) {
            wrong.push(format!("{call} hits in vain"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for eval in SPAMASSASSIN {
        let is_tested = rows
            .iter()
            .any(|(call, ..)| call.split('(').next() == Some(eval.name));
        assert!(is_tested, "{} has no mail", eval.name);
    }
}

#[test]
fn flags_and_traits() {
    let twice = "Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b--\n";
    let unparted = "Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\ntext here\n--b--\n";
    let inner = "Subject: s\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b--\n";
    for (call, mail, wanted) in [
        ("check_msg_parse_flags('missing_mime_headers')", twice, true),
        (
            "check_msg_parse_flags('missing_mime_headers')",
            inner,
            false,
        ),
        (
            "check_msg_parse_flags('missing_mime_head_body_separator')",
            unparted,
            true,
        ),
        (
            "check_msg_parse_flags('missing_mime_head_body_separator')",
            twice,
            false,
        ),
        (
            "check_msg_parse_flags('missing_head_body_separator')",
            "Subject: s\n",
            true,
        ),
        (
            "check_msg_parse_flags('missing_head_body_separator')",
            TEXT,
            false,
        ),
        ("check_for_mime('mime_attachment')", TEXT, false),
        ("check_for_mime('mime_base64_count')", BASE64, true),
        ("check_rbl('zen', 'list.example.')", TEXT, false),
        ("check_for_spf_pass()", TEXT, false),
    ] {
        assert_eq!(hits(call, mail), wanted, "{call}\n{mail}");
    }
    for (length, wanted) in [(8_192, false), (8_193, true)] {
        let long = mail(&format!("X-Long: {}", "x".repeat(length - 1)), "x");
        // The blank after the colon is part of the value.
        assert_eq!(
            hits("check_msg_parse_flags('truncated_header')", &long),
            wanted,
            "{length}"
        );
    }
}

#[test]
fn networks_tell_who_is_trusted() {
    let trusted = |settings: &str| {
        let text = format!("{settings}header X eval:check_all_trusted()\n");
        let (ruleset, _) = Ruleset::load(&[Arc::new(Source::new("t", text))]);
        let ruleset = ruleset.unwrap();
        let mail = format!("{RELAY}\r\nSubject: s\r\n\r\nx\r\n");
        let message = Message::parse(mail.as_bytes(), &Limits::default());
        let (transaction, facts) = (
            Transaction::new("test".into(), UNIX_EPOCH),
            Facts::default(),
        );
        let case = Case {
            stage: Stage::EndOfMessage,
            transaction: &transaction,
            message: &message,
            facts: &facts,
        };
        !Scanner::new(&ruleset)
            .scan(&ruleset, &case, &|| false)
            .hits
            .is_empty()
    };
    for (settings, wanted) in [
        ("", false),
        ("trusted_networks 192.0.2.0/24\n", true),
        ("internal_networks 192.0.2.1\n", true),
        ("trusted_networks !192.0.2.1 192.0.2.0/24\n", false),
        (
            "trusted_networks 192.0.2.0/24\nclear_trusted_networks\n",
            false,
        ),
        ("trusted_networks 198.51.100.0/24\n", false),
    ] {
        assert_eq!(trusted(settings), wanted, "{settings}");
    }
}
