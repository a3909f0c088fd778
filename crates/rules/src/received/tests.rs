//! Fields as mailers write them, with documentation addresses.

use super::field::{FIELD_LIMIT, Parsed, parse};
use super::network::is_private_text;

/// Field and what is read of it: address, name, greeting, receiver, id, ident, login, and whether a name is missing.
#[rustfmt::skip]
const HANDOVERS: &[(&str, &str)] = &[
    // Postfix and Sendmail.
    ("from a.example (h.example [192.0.2.1]) by mx.example (Postfix) with ESMTP id ABC; Thu, 1 Jan 2026 00:00:00 +0000", "192.0.2.1|h.example|a.example|mx.example|ABC||"),
    ("from a.example (h.example[192.0.2.1]) by mx.example (Postfix) with ESMTP id ABC", "192.0.2.1|h.example|a.example|mx.example|ABC||"),
    ("from a.example (unknown [192.0.2.1]) by mx.example (Postfix) with ESMTP id ABC", "192.0.2.1||a.example|mx.example|ABC|||-"),
    ("from a.example (h.example [IPv6:2001:db8::1]) by mx.example (Postfix) with ESMTP id ABC", "2001:db8::1|h.example|a.example|mx.example|ABC||"),
    ("from a.example (h.example [::ffff:192.0.2.1]) by mx.example (Postfix) with ESMTP id ABC", "192.0.2.1|h.example|a.example|mx.example|ABC||"),
    ("from a.example (user@h.example [192.0.2.1]) by mx.example (8.12/8.12) with SMTP id abc", "192.0.2.1|h.example|a.example|mx.example|abc|user|"),
    ("from a.example (IDENT:u@h.example [192.0.2.1]) by mx.example (8.12/8.12) with SMTP id abc", "192.0.2.1|h.example|a.example|mx.example|abc|u|"),
    ("from a.example (h.example [192.0.2.1] (may be forged)) by mx.example (8.12/8.12) with SMTP id abc", "192.0.2.1|h.example|a.example|mx.example|abc||"),
    ("from a.example (h.example [192.0.2.1] (may be forged)) by mx.example with SMTP id abc", "192.0.2.1||a.example|mx.example|abc||"),
    ("from a.example ([192.0.2.1]) by mx.example (8.12/8.12) with SMTP id abc", "192.0.2.1||a.example|mx.example|abc|||-"),
    ("from a.example (u@[192.0.2.1]) by mx.example (8.12/8.12) with SMTP id abc", "192.0.2.1||a.example|mx.example|abc|u||-"),
    ("from a.example (h.example. [192.0.2.1]) by mx.example (Postfix) with ESMTPSA id ABC", "192.0.2.1|h.example|a.example|mx.example|ABC||ESMTPSA"),
    ("from a.example (h.example [192.0.2.1]) (Authenticated sender: u) by mx.example (Postfix) with ESMTP id ABC", "192.0.2.1|h.example|a.example|mx.example|ABC||Postfix"),
    ("from a.example (h.example [192.0.2.1]) (user=u authenticated bits=0) by mx.example (8.12/8.12) with ESMTP id abc", "192.0.2.1|h.example|a.example|mx.example|abc||Sendmail"),
    ("from a.example (<unknown>[192.0.2.1]) by mx.example ", "192.0.2.1||a.example|mx.example|||"),
    ("from a.example (h[192.0.2.1]) by mx.example with SMTP id abc", "192.0.2.1|h|a.example|mx.example|abc||"),
    ("from a.example (192.0.2.1 [192.0.2.1]) by mx.example with SMTP (Gateway 5.5) id abc", "192.0.2.1|192.0.2.1|a.example|mx.example|abc||"),
    ("from a.example (unverified [192.0.2.1]) by mx.example (Gate 1)", "192.0.2.1|unverified|a.example|mx.example|||"),
    ("from a.example (unverified [192.0.2.1]) by mx.example <B1@mx.example>", "192.0.2.1|unverified|a.example|mx.example|||"),
    ("FROM a.example (h.example [192.0.2.1]) BY mx.example ID abc.def ; 1 Jan 2026 00:00:00 -0000", "192.0.2.1|h.example|a.example|mx.example|abc.def||"),
    ("FROM a.example (unverified [192.0.2.1]) BY mx.example (Gate 1) WITH SMTP ID <abc> FOR <b@example.com>", "192.0.2.1||a.example|mx.example|abc|||-"),
    // Exim.
    ("from [192.0.2.1] (helo=a.example) by mx.example with esmtp (Exim 4.94) id abc-def", "192.0.2.1||a.example|mx.example|abc-def||"),
    ("from [192.0.2.1] (helo=a.example ident=u) by mx.example with esmtp (Exim 4.94) id abc-def", "192.0.2.1||a.example|mx.example|abc-def|u|"),
    ("from h.example ([192.0.2.1] helo=a.example) by mx.example with esmtp (Exim 4.94) id abc-def", "192.0.2.1|h.example|a.example|mx.example|abc-def||"),
    ("from h.example ([192.0.2.1]:25 ident=u) by mx.example with esmtp (Exim 4.94) id abc-def", "192.0.2.1|h.example|h.example|mx.example|abc-def|u|"),
    ("from h.example [192.0.2.1] by mx.example with esmtp (Exim 4.94) id abc-def", "192.0.2.1|h.example|h.example|mx.example|abc-def||"),
    ("from h.example (a.example) [192.0.2.1]:4242 by mx.example with esmtp (Exim 4.94) id abc-def", "192.0.2.1|h.example|a.example|mx.example|abc-def||"),
    ("from h.example ([192.0.2.1] helo=a.example) by mx.example with asmtp (TLSv1:AES:256) (Exim 4.34) id abc-def", "192.0.2.1|h.example|a.example|mx.example|abc-def||asmtp"),
    ("from h.example ([192.0.2.1] helo=a.example) by mx.example with smtp id abc", "192.0.2.1|h.example|a.example|mx.example|abc||"),
    // qmail and its relatives.
    ("from unknown (HELO a.example) (192.0.2.1) by mx.example with SMTP; 1 Jan 2026 00:00:00 -0000", "192.0.2.1||a.example|mx.example|||"),
    ("from h.example (HELO a.example) (192.0.2.1) by mx.example with SMTP", "192.0.2.1|h.example|a.example|mx.example|||"),
    ("from h.example (EHLO a.example) (u@192.0.2.1) by mx.example with SMTP", "192.0.2.1|h.example|a.example|mx.example||u|"),
    ("from h.example (u@192.0.2.1) by mx.example with SMTP", "192.0.2.1|h.example|h.example|mx.example||u|"),
    ("from h.example (192.0.2.1) by mx.example with QMQP", "192.0.2.1|h.example|h.example|mx.example|||"),
    ("from h.example (HELO a.example) (u@[192.0.2.1]) (envelope-sender <b@example.com>) by mx.example (qmail-ldap-1.03) with SMTP", "192.0.2.1|h.example|a.example|mx.example||u|"),
    ("from unknown (HELO a.example) (192.0.2.1) by mx.example with (AES encrypted) SMTP", "192.0.2.1||a.example|mx.example|||"),
    ("from h.example (HELO a.example) (192.0.2.1) by mx.example (qpsmtpd/0.94) with ESMTP", "192.0.2.1|h.example|a.example|mx.example|||"),
    ("from h.example (EHLO a.example) [192.0.2.1] by mx.example (x) with ESMTP", "192.0.2.1|h.example|a.example|mx.example|||"),
    ("from h.example (HELO a.example) ([192.0.2.1]) by mx.example with ESMTP id abc", "192.0.2.1|h.example|a.example|mx.example|abc||"),
    ("from h.example (HELO a.example) (192.0.2.1, x) by mx.example with SMTP id abc", "192.0.2.1|h.example|a.example|mx.example|abc||"),
    ("from h.example (LHLO a.example) (192.0.2.1) by mx.example with LMTP id abc", "192.0.2.1|h.example|a.example|mx.example|abc||"),
    // Microsoft.
    ("from a.example ([192.0.2.1]) by mx.example with Microsoft SMTPSVC(5.0.2195)", "192.0.2.1||a.example|mx.example|||"),
    ("from a.example ([192.0.2.1] RDNS failed) by mx.example with Microsoft SMTPSVC(5.0.2195)", "192.0.2.1||a.example|mx.example|||"),
    ("from a.example (192.0.2.1) by mx.example (192.0.2.2) with Microsoft SMTP Server id 15.1; x", "192.0.2.1|a.example|a.example|mx.example|15.1||"),
    ("from a.example (2001:db8::1) by mx.example with Microsoft SMTP Server id 15.1", "2001:db8::1|a.example|a.example|mx.example|15.1||"),
    ("from a.example ([fe80::1%12]) by mx.example ([fe80::2%12]) with mapi id 15.01.02.03", "fe80::1||a.example|mx.example|||"),
    ("from a.example ([192.0.2.1]) by mx.example with Microsoft Exchange Server HTTP-DAV", "192.0.2.1||a.example|mx.example|||HTTP-DAV|-"),
    // Others that name themselves.
    ("from a.example (192.0.2.1:4242) by mx.example with [XMail 1.27 ESMTP Server] id <S123>", "192.0.2.1||a.example|mx.example|S123||"),
    ("from [192.0.2.9] ([192.0.2.1:4242] helo=a.example) by mx.example (envelope-from <b@example.com>) (ecelerity 4.2)", "192.0.2.9||a.example|mx.example|||"),
    ("from a.example (192.0.2.1) by mx.example (Scalix SMTP Relay 11.0)", "192.0.2.1||a.example|mx.example|||"),
    ("from a.example ([192.0.2.1]) by mx.example (Lotus Domino Release 8.5) with ESMTP id 2026-1", "192.0.2.1||a.example|mx.example|2026-1||"),
    ("from a.example ([192.0.2.1]) by mx.example via smtpd (for [192.0.2.9]) with SMTP(x)", "192.0.2.1||a.example|mx.example|||"),
    ("from h.example(192.0.2.1) by mx.example via smap (V2.1) id xma", "192.0.2.1|h.example||mx.example|xma||"),
    ("from h.example(192.0.2.1, HELO a.example) by mx.example via smap (V2.1) id xma", "192.0.2.1|h.example|a.example|mx.example|xma||"),
    ("from a.example (softdnserr [192.0.2.1]) by mx.example with ESMTP id abc", "192.0.2.1||a.example|mx.example|abc||"),
    ("from [192.0.2.1] (account u HELO a.example) by mx.example (CommuniGate Pro SMTP 5) with ESMTP id 1234", "192.0.2.1||a.example|mx.example|1234||Communigate"),
    ("from h.example ([192.0.2.1] verified) by mx.example (CommuniGate Pro SMTP 5) with ESMTP id 1234", "192.0.2.1|h.example|h.example|mx.example|1234||"),
    ("from a.example (u@192.0.2.1 with login) by mx.example with SMTP", "192.0.2.1||a.example|mx.example|||"),
    ("from h.example ([192.0.2.1]) (AUTH: PLAIN u, TLS: x) by mx.example with esmtp id abc", "192.0.2.1||h.example|mx.example|abc||PLAIN|-"),
    ("(from a.example [192.0.2.1]) by mx.example (NAVGW 2.5.2.12) with SMTP id M1", "192.0.2.1||a.example|mx.example|||"),
    // Browsers and bare addresses.
    ("from 192.0.2.1 ([192.0.2.1]) by mx.example with HTTP", "192.0.2.1|||mx.example|||HTTP"),
    ("from [192.0.2.1] by mx.example via HTTP; Thu, 1 Jan 2026 00:00:00 +0000", "192.0.2.1|||mx.example|||"),
    ("from [192.0.2.1] by mx.example (via HTTPS) id abc", "192.0.2.1|||mx.example|abc||HTTPS"),
    ("from [192.0.2.1] by mx.example with ESMTP id abc", "192.0.2.1|||mx.example|abc||"),
    ("from ([192.0.2.1]) by mx.example with ESMTP id abc", "192.0.2.1|||mx.example|abc||"),
    ("from (a.example [192.0.2.1]) by mx.example with ESMTP id abc", "192.0.2.1||a.example|mx.example|abc||"),
    ("from a.example ( [192.0.2.1]) by mx.example with ESMTP id abc", "192.0.2.1|||mx.example|abc||"),
    ("from a.example [(192.0.2.1)] by mx.example (192.0.2.2) with SMTP", "192.0.2.1||a.example|mx.example|||"),
    ("from a.example [192.0.2.1] by mx.example [192.0.2.2] with SMTP (x)", "192.0.2.1||a.example|mx.example||||-"),
    ("from a.example [192.0.2.1] by mx.example with SMTP", "192.0.2.1||a.example|mx.example|||"),
    ("from 192.0.2.1 by mx.example (InterScan E-Mail VirusWall NT)", "192.0.2.1|||mx.example|||"),
    ("from 192.0.2.1 (EHLO a.example) by mx.example with SMTP", "192.0.2.1||a.example|mx.example|||"),
    ("from h.example(192.0.2.1) by mx.example with SMTP", "192.0.2.1|h.example||mx.example|||"),
    ("from a.example ([192.0.2.1] [192.0.2.9]) by mx.example with SMTP", "192.0.2.9||a.example|mx.example||||-"),
    ("from h.example(192.0.2.1), claiming to be \"a.example\" via SMTP by mx.example, id abc", "192.0.2.1|h.example|a.example|mx.example|abc||"),
    ("from X-Originating-IP: 192.0.2.1", "192.0.2.1||||||"),
];

#[test]
fn handovers_are_read() {
    assert!(HANDOVERS.len() >= 60);
    let mut wrong = Vec::new();
    for (field, wanted) in HANDOVERS {
        let got = match parse(field) {
            Parsed::Relay(relay) => {
                let texts = [
                    &relay.ip,
                    &relay.rdns,
                    &relay.helo,
                    &relay.by,
                    &relay.id,
                    &relay.ident,
                    &relay.auth,
                ];
                let line = texts.map(String::as_str).join("|");
                if relay.has_no_name {
                    format!("{line}|-")
                } else {
                    line
                }
            }
            other => format!("{other:?}"),
        };
        if got != *wanted {
            wrong.push(format!("{field}\n  is     {got}\n  wanted {wanted}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn senders_and_folds() {
    let field = "from a.example (h.example\r\n\t[192.0.2.1])\r\n by mx.example (Postfix) with ESMTP id ABC\r\n (envelope-from <b@example.com>)";
    let Parsed::Relay(relay) = parse(field) else {
        panic!("{field}")
    };
    assert_eq!(
        (relay.ip.as_str(), relay.envelope_from.as_deref()),
        ("192.0.2.1", Some("b@example.com"))
    );
    let odd = "from a#b (h<x> [192.0.2.1]) by mx.example (Postfix) with ESMTP id ABC";
    let Parsed::Relay(relay) = parse(odd) else {
        panic!("{odd}")
    };
    assert_eq!((relay.helo.as_str(), relay.rdns.as_str()), ("a!b", "h!x!"));
}

#[test]
fn what_is_no_handover_is_skipped() {
    for field in [
        "by mx.example id abc",
        "from alice by mx.example with local (Exim 4.94)",
        "from alice@example.com by x.example id 1",
        "from a.example (h.example) by mx.example (LSMTP for Windows NT v1.1b) with SMTP id <1@mx.example>",
        "from mail pickup service by mx.example with Microsoft SMTPSVC;",
        "from alice by mx.example; Thu, 1 Jan 2026 00:00:00 +0000",
        "(from alice@localhost) by mx.example (8.12/8.12) id abc",
        "from 1234 named unknown by gmailapi.google.com with HTTPREST; x",
        "from mx.example id <B1>; Thu, 1 Jan 2026 00:00:00 +0000",
    ] {
        let field = field.trim_end_matches(" x");
        assert_eq!(parse(field), Parsed::Skipped(None), "{field}");
    }
    let noted = "from b@example.com by mx.example by uid 7791 with qmail-scanner-1.14 (envelope-from <c@example.com>) with qmail-scanner";
    assert!(matches!(parse(noted), Parsed::Skipped(_)));
    assert_eq!(
        parse("from a.example [192.0.2.1] by localhost with IMAP (fetchmail-6.3)"),
        Parsed::Fetched
    );
    assert_eq!(parse("from nowhere to nowhere"), Parsed::Unreadable);
}

#[test]
fn fields_are_cut_at_the_limit() {
    let (start, end) = (
        "from a.example (h.example [192.0.2.1]) by mx.example (",
        " id ABC",
    );
    for (length, wanted) in [(FIELD_LIMIT, "ABC"), (FIELD_LIMIT + 1, "")] {
        let field = format!(
            "{start}{}{end}",
            "x".repeat(length - start.len() - end.len())
        );
        let Parsed::Relay(relay) = parse(&field) else {
            panic!("{length}")
        };
        assert_eq!(relay.id, wanted, "{length}");
    }
}

#[test]
fn private_networks_are_known() {
    for (ip, wanted) in [
        ("10.1.1.1", true),
        ("192.0.2.1", false),
        ("100.64.0.1", true),
        ("100.128.0.1", false),
        ("::1", true),
        ("fd00::1", true),
        ("2001:db8::1", false),
        ("fe80::1", true),
        ("::ffff:10.1.1.1", true),
        ("::ffff:192.0.2.1", false),
        ("x", false),
    ] {
        assert_eq!(is_private_text(ip), wanted, "{ip}");
    }
}
