//! Functions over whole small messages: HTML texts, MIME entities, anomalies.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use crate::matcher::scanner::Scanner;
use crate::ruleset::ruleset::Ruleset;
use gatepost_mail::{Case, Facts, Limits, Message, Transaction};
use gatepost_words::Stage;
use gatepost_words::diagnostic::Source;

fn load(call: &str) -> Ruleset {
    let (ruleset, diagnostics) =
        Ruleset::load(&[Arc::new(Source::new("t", format!("body X eval:{call}\n")))]);
    ruleset.unwrap_or_else(|| {
        panic!(
            "{}",
            gatepost_words::diagnostic::render(&diagnostics, false)
        )
    })
}

fn hits_at(call: &str, mail: &str, stage: Stage) -> bool {
    let ruleset = load(call);
    let (transaction, facts) = (
        Transaction::new("test".into(), UNIX_EPOCH),
        Facts::default(),
    );
    let message = Message::parse(mail.as_bytes(), &Limits::default());
    let case = Case {
        stage,
        transaction: &transaction,
        message: &message,
        facts: &facts,
    };
    !Scanner::new(&ruleset)
        .scan(&ruleset, &case, &|| false)
        .hits
        .is_empty()
}

fn hits(call: &str, mail: &str) -> bool {
    hits_at(call, mail, Stage::EndOfMessage)
}

fn html(body: &str) -> String {
    format!(
        "From: a@example.com\r\nSubject: s\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}\r\n"
    )
}

#[test]
fn html_has_what_it_has() {
    for (wanted, body) in [
        (
            "form",
            "<form action='http://www.example.com/'><input name=a></form>",
        ),
        ("password_input", "<input type=password name=p>"),
        ("script", "<script>var a = 1;</script>"),
        ("iframe", "<iframe src='http://www.example.com/'></iframe>"),
        (
            "meta_refresh",
            "<meta http-equiv=refresh content='0; url=http://www.example.com/'>",
        ),
        (
            "javascript_decoder",
            "<script>eval(unescape('%61%62'));</script>",
        ),
        ("image", "<img src='http://www.example.com/a.png'>"),
        (
            "hidden_text",
            "<span style='display:none'>not to be seen</span>",
        ),
    ] {
        let call = format!("html_has('{wanted}')");
        assert!(
            hits(&call, &html(&format!("<p>Hello</p>{body}"))),
            "{wanted}"
        );
        assert!(!hits(&call, &html("<p>Hello</p>")), "{wanted}");
        assert!(
            !hits(&call, &format!("Subject: s\r\n\r\n{body}\r\n")),
            "{wanted} in plain text"
        );
    }
}

#[test]
fn html_is_measured() {
    let half = "<p>1234567890</p><p style='display:none'>1234567890</p>";
    let image = "<img src='http://www.example.com/a.png'>";
    for (call, body, wanted) in [
        ("html_hidden_ratio('0.3','0.7')", half, true),
        ("html_hidden_ratio('0.8','1')", half, false),
        ("html_hidden_ratio('0','1')", "<p>1234567890</p>", false),
        ("html_image_only('0','50')", image, true),
        ("html_image_only('0','50')", "<p>short</p>", false),
        ("html_image_only('50','100')", image, false),
        ("html_tag_exists('marquee')", "<MARQUEE>x</MARQUEE>", true),
        ("html_tag_exists('marquee')", "<p>marquee</p>", false),
        (
            "html_title(/^Sign in$/)",
            "<title>Sign in</title><p>x</p>",
            true,
        ),
        ("html_title(/^Sign in$/)", "<p>Sign in</p>", false),
    ] {
        assert_eq!(hits(call, &html(body)), wanted, "{call} {body}");
    }
}

#[test]
fn links_show_where_they_lead() {
    for (href, text, wanted) in [
        ("http://www.example.net/", "www.example.com", true),
        ("http://www.example.net/", "https://example.com/login", true),
        ("http://mail.example.com/", "www.example.com", false),
        ("http://www.example.net/", "click here", false),
        ("mailto:a@example.net", "www.example.com", false),
        (
            "http://www.example.com@host.example.net/",
            "www.example.com",
            true,
        ),
    ] {
        let body = format!("<p><a href='{href}'>{text}</a></p>");
        assert_eq!(hits("html_link_mismatch()", &html(&body)), wanted, "{body}");
    }
}

const WITH_ATTACHMENT: &str = "From: a@example.com\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n\
    --b\r\nContent-Type: Application/X-MSDownload\r\nContent-Disposition: attachment; filename=\"Invoice.PDF.exe\"\r\n\
    Content-Transfer-Encoding: base64\r\n\r\nTVqQAAMA\r\n--b--\r\n";

#[test]
fn entities_have_names_and_types() {
    let alternative = "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain\r\n\r\nText.\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Text.</p>\r\n--b--\r\n";
    let only = html("<p>x</p>");
    for (call, mail, wanted) in [
        (
            r"check_attachment_name(/\.pdf\.exe$/i)",
            WITH_ATTACHMENT,
            true,
        ),
        (r"check_attachment_name(/\.zip$/i)", WITH_ATTACHMENT, false),
        (
            r"check_attachment_name(/./)",
            "Subject: a.exe\r\n\r\na.exe\r\n",
            false,
        ),
        (
            "check_attachment_type(/^application/)",
            WITH_ATTACHMENT,
            true,
        ),
        (
            "check_attachment_type(/^multipart/)",
            WITH_ATTACHMENT,
            false,
        ),
        (
            "check_attachment_type(m{^text/plain$})",
            WITH_ATTACHMENT,
            true,
        ),
        ("check_for_mime_html()", alternative, true),
        ("check_for_mime_html()", WITH_ATTACHMENT, false),
        ("check_for_mime_html_only()", alternative, false),
        ("check_for_mime_html_only()", &only, true),
        ("check_body_length(1000)", WITH_ATTACHMENT, true),
        ("check_body_length(50)", WITH_ATTACHMENT, false),
    ] {
        assert_eq!(hits(call, mail), wanted, "{call}");
    }
}

/// What only the header can tell is reported when the header ends.
#[test]
fn anomalies_of_the_header_come_early() {
    let header = "From: a@example.com\r\nFrom: b@example.com\r\nSubject: s\r\n\r\n";
    for (name, mail, early) in [
        ("duplicate_from", header, true),
        ("missing_from", "Subject: s\r\n\r\n", true),
        ("nul_byte", "From: a@example.com\r\n\r\na\0b\r\n", false),
    ] {
        let call = format!("check_anomaly('{name}')");
        assert_eq!(hits_at(&call, mail, Stage::EndOfHeaders), early, "{name}");
        assert!(hits(&call, mail), "{name}");
        assert!(
            !hits(&call, "From: a@example.com\r\nSubject: s\r\n\r\nx\r\n"),
            "{name}"
        );
        let wanted = if early {
            Stage::EndOfHeaders
        } else {
            Stage::EndOfMessage
        };
        assert_eq!(load(&call).get("X").unwrap().stage(), wanted);
    }
}
