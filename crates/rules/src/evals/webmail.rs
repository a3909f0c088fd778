//! Mail in the name of a large hoster that the hoster's own machines did not send: what they leave
//! in the header is missing. What each leaves is a table of patterns over the words of the Received
//! fields.

use super::signature::Arguments;
use super::trace::{Trace, has_address};
use crate::views::lazy::Views;

/// Whether the author's address ends in the domain, as a whole word.
fn is_from(views: &Views<'_>, domain: &str) -> bool {
    let from = views
        .text("From:addr")
        .lines()
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let before = from.strip_suffix(domain);
    before.is_some_and(|before| !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
}

/// Lists and groups that remove the Received fields of what they hand on.
pub(super) fn gated(views: &Views<'_>, _: &Arguments) -> bool {
    let Some(received) = views.find("Received") else {
        return true;
    };
    is_group(&received) || is_ezmlm(views, &received)
}

/// MSN's groups. Only where their name is at all are words worth reading.
fn is_group(received: &str) -> bool {
    received.contains("groups.msn.com")
        && Trace::read(received).says("from groups.msn.com (*.msn.com*")
}

/// The list manager ezmlm names itself, the list, and its qmail.
fn is_ezmlm(views: &Views<'_>, received: &str) -> bool {
    let list = views.text("Mailing-List");
    let runs = list
        .lines()
        .any(|line| line.starts_with("contact ") && line.ends_with("; run by ezmlm"));
    let delivered = views.text("Delivered-To");
    let mut delivered = delivered
        .lines()
        .filter_map(|line| line.strip_prefix("mailing list "));
    if !runs || !delivered.any(|address| address.contains('@')) {
        return false;
    }
    let received = Trace::read(received);
    received.says("*qmail * invoked from network);")
        || received.says_in_order(&["*qmail", "invoked", "by", "*);"])
}

/// What has to be in another field, too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    None,
    /// The address of the browser.
    Client,
    /// The organisation that Outlook notes.
    Organisation,
}

/// Marks of Hotmail and its later names.
const HOTMAIL: &[(Proof, &str)] = &[
    (
        Proof::None,
        "from mail pickup service by hotmail.com with Microsoft SMTPSVC;*",
    ),
    (
        Proof::Organisation,
        "from *.outbound.protection.outlook.com (*.outbound.protection.outlook.com",
    ),
    (
        Proof::Organisation,
        "from *.outbound.protection.outlook.com (*.outbound.protection.outlook.com)*",
    ),
    (Proof::Organisation, "from *.eurprd*.prod.outlook.com (#)*"),
    (Proof::Organisation, "from *.namprd*.prod.outlook.com (#)*"),
    (Proof::Client, "from hotmail.com (*.hotmail.com*"),
    (Proof::Client, "from hotmail.com (*.hotmail.msn.com*"),
    (Proof::Client, "from *.hotmail.com (*.hotmail.com*"),
    (Proof::Client, "from *.hotmail.com (*.hotmail.msn.com*"),
    (Proof::Client, "from *.hotmail.com ([#]*"),
    (Proof::Client, "from * by *.hotmail.com with HTTP;*"),
    (Proof::Client, "from * by *.hotmail.msn.com with HTTP;*"),
    (Proof::Client, "from [66.218.*] by *.yahoo.com*"),
];

/// What a message has to do with Hotmail.
#[derive(PartialEq, Eq)]
enum Hotmail {
    /// Nothing that could be wrong.
    Fine,
    /// A relay greeted with the name.
    Claimed,
    /// The author's address has the name, and nothing else.
    Missing,
}

fn hotmail(views: &Views<'_>, arguments: &Arguments) -> Hotmail {
    let received = views.text("Received");
    // Most mail has nothing to do with it: then no marks need to be looked for.
    let is_author = is_from(views, "hotmail.com");
    if !is_author && !received.contains("hotmail.com") {
        return Hotmail::Fine;
    }
    let received = Trace::read(&received);
    let has_client = has_address(&views.text("X-Originating-Ip"));
    let organisation = views.text("X-OriginatorOrg");
    let has_organisation =
        organisation.contains("hotmail.com") || organisation.contains("msonline-outlook");
    let is_proved = |proof: Proof| match proof {
        Proof::None => true,
        Proof::Client => has_client,
        Proof::Organisation => has_organisation,
    };
    let is_marked = HOTMAIL
        .iter()
        .any(|(proof, pattern)| is_proved(*proof) && received.says(pattern));
    if is_marked || gated(views, arguments) {
        return Hotmail::Fine;
    }
    match () {
        () if claims_hotmail(&received) => Hotmail::Claimed,
        () if is_author => Hotmail::Missing,
        () => Hotmail::Fine,
    }
}

/// Whether a relay greeted as `…hotmail.com`, after `from`, `HELO` or `helo=`.
fn claims_hotmail(received: &Trace) -> bool {
    let is_whole = |name: &str| {
        let behind = name.rsplit_once("hotmail.com").map(|(_, behind)| behind);
        behind.is_some_and(|behind| {
            !behind.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        })
    };
    received.pairs().any(|(before, word)| {
        let is_greeting = before.ends_with("from") || before.ends_with("HELO");
        let named = word.split_once("helo=").map(|(_, name)| name);
        named.is_some_and(is_whole) || (is_greeting && is_whole(word))
    })
}

pub(super) fn hotmail_forged(views: &Views<'_>, arguments: &Arguments) -> bool {
    hotmail(views, arguments) == Hotmail::Claimed
}

pub(super) fn hotmail_missing(views: &Views<'_>, arguments: &Arguments) -> bool {
    hotmail(views, arguments) == Hotmail::Missing
}

/// Marks of Yahoo: its web mailers, its groups, and the pages that send a story to a friend.
const YAHOO: &[&str] = &[
    "by web*.mail*.yahoo.com via HTTP*",
    "by sonic*.consmr.mail*.yahoo.com with HTTP*",
    "by smtp*.yahoo.com with SMTP*",
    "from [#] by *.dcn.yahoo.com with NNFMP*",
    "from [#] by *.groups.yahoo.com with NNFMP*",
    "from [#] by *.scd.yahoo.com with NNFMP*",
    "by *.*.yahoo.com (*.*.*/*.*.*) id *",
    "by *.*.yahoo.com (*.*.*/*.*.*) with ESMTP id *",
];

pub(super) fn yahoo(views: &Views<'_>, arguments: &Arguments) -> bool {
    if !is_from(views, "yahoo.com") || gated(views, arguments) {
        return false;
    }
    let relays = views.relays();
    let mut handed = relays.trusted.iter().chain(relays.untrusted.first());
    if handed.any(|relay| relay.rdns.ends_with(".yahoo.com")) {
        return false;
    }
    let is_resent = !views.text("Resent-From").is_empty() && !views.text("Resent-To").is_empty();
    let is_relayed = is_resent && !views.text("X-Received").is_empty();
    let received = Trace::of(views, if is_relayed { "X-Received" } else { "Received" });
    let is_story =
        is_from(views, "@reply.yahoo.com") && received.says("*mailer*.bulk.scd.yahoo.com*");
    !is_story && !YAHOO.iter().any(|pattern| received.says(pattern))
}

pub(super) fn gmail(views: &Views<'_>, _: &Arguments) -> bool {
    /// Google's own fields are long secrets.
    const SECRET_MIN: usize = 60;
    if !is_from(views, "gmail.com") {
        return false;
    }
    let is_secret = |field: &str| views.text(field).len() >= SECRET_MIN;
    let inner = Trace::of(views, "X-Received");
    let is_marked = inner.says("by 10.* with SMTP id *")
        || (inner.says("by 2002:a??:*:* with SMTP id *")
            && inner
                .pairs()
                .any(|(before, word)| before == "by" && is_inner(word)))
        || Trace::of(views, "Received").says("by smtp.googlemail.com with ESMTPSA id *")
        || (is_secret("X-Gm-Message-State") && is_secret("X-Google-Smtp-Source"));
    !is_marked
}

/// Google's inner addresses: `2002:a05:…`, two digits after the letter.
fn is_inner(word: &str) -> bool {
    let rest = word.strip_prefix("2002:a").map(str::as_bytes);
    matches!(rest, Some([b'0'..=b'9', b'0'..=b'9', b':', ..]))
}

pub(super) fn eudoramail(views: &Views<'_>, arguments: &Arguments) -> bool {
    let is_marked = || {
        Trace::of(views, "Received").says("by *whowhere.com;*")
            && has_address(&views.text("X-Sender-Ip"))
    };
    is_from(views, "eudoramail.com") && !gated(views, arguments) && !is_marked()
}

pub(super) fn juno(views: &Views<'_>, arguments: &Arguments) -> bool {
    if !is_from(views, "juno.com") || gated(views, arguments) {
        return false;
    }
    // Without the browser's address nothing tells mail of the old web mailer from a forgery.
    let has_client = !views.text("X-Originating-IP").trim().is_empty();
    let text = views.text("Received");
    let is_own = text.lines().map(Trace::read).any(|field| is_juno(&field));
    !(has_client && is_own && views.text("X-Mailer").contains("Juno "))
}

/// Whether a relay of Juno handed the message on.
fn is_juno(field: &Trace) -> bool {
    ["juno.com", "untd.com"].iter().any(|name| {
        let host = format!("*{name}*");
        field.says(&format!("cookie.{name} *"))
            || field.says_in_order(&["*from*", &host, "*[#]*", "*by*"])
            || field.says_in_order(&["*from*", &host, "*(#)*", "*by*"])
    })
}

/// Relays of AOL's naming that lack what AOL's relays write.
pub(super) fn aol_relay(views: &Views<'_>, _: &Arguments) -> bool {
    let received = views.text("Received");
    if !is_aol_name(&received) {
        return false;
    }
    let received = Trace::read(&received);
    let is_marked = received.says("*/AOL-*.*.*)*")
        || ["RELAY", "MAILRELAY", "MAILIN"]
            .iter()
            .any(|name| received.says(&format!("ESMTP id {name}*")));
    !is_marked
}

/// A word such as `rly-xw01.mx.example`.
fn is_aol_name(text: &str) -> bool {
    text.to_ascii_lowercase().split_whitespace().any(|word| {
        let name = word.strip_prefix("rly-").map(str::as_bytes);
        matches!(name, Some([a, b, c, d, b'.', ..])
            if a.is_ascii_lowercase() && b.is_ascii_lowercase() && c.is_ascii_digit() && d.is_ascii_digit())
    })
}
