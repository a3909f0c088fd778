//! Single facts that any mailer may write into a Received field, read word by word. The field has
//! single blanks.

use gatepost_words::bytes;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
/// Protocols of clients that logged in or sent from a web page (RFC 3848, RFC 6531, the IANA
/// registry of mail transmission types), and the name that Exim gives them.
const LOGGED_IN: [&str; 12] = [
    "ESMTPA",
    "ESMTPSA",
    "LMTPA",
    "LMTPSA",
    "UTF8SMTPA",
    "UTF8SMTPSA",
    "UTF8LMTPA",
    "UTF8LMTPSA",
    "ASMTP",
    "HTTP",
    "HTTPS",
    "HTTPU",
];
/// How Courier names a login (RFC 4422, RFC 4616, RFC 2195, RFC 2831).
const MECHANISMS: [&str; 4] = ["LOGIN", "PLAIN", "CRAM-MD5", "DIGEST-MD5"];
/// Shorter ids say nothing.
const ID_MIN: usize = 3;

/// The words that follow a keyword inside the field.
fn after<'t>(line: &'t str, keyword: &str) -> impl Iterator<Item = &'t str> {
    line.split(' ')
        .zip(line.split(' ').skip(1))
        .skip(1)
        .filter(move |(word, _)| *word == keyword)
        .map(|(_, next)| next)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The line without the time of arrival at its end (RFC 5322 §3.3) and what parts it from the rest.
pub(super) fn without_date(line: &str) -> &str {
    let before_word = |text: &str| text.rfind([' ', ';']).map_or(0, |at| at + 1);
    let mut words = line.rsplitn(5, ' ');
    let (Some(_zone), Some(time), Some(year), Some(month), Some(rest)) = (
        words.next(),
        words.next(),
        words.next(),
        words.next(),
        words.next(),
    ) else {
        return line;
    };
    let pieces: Vec<&str> = time.split(':').collect();
    let is_time = (2..=3).contains(&pieces.len()) && pieces.iter().all(|piece| is_digits(piece));
    let day = before_word(rest);
    if !is_time
        || !is_digits(year)
        || !MONTHS.contains(&month)
        || day == 0
        || !rest.get(day..).is_some_and(is_digits)
    {
        return line;
    }
    let mut before = bytes::head_str(rest, day);
    let name = before
        .strip_suffix(", ")
        .map(|text| (text, before_word(text)));
    if let Some((text, start)) = name.filter(|(_, start)| *start > 0)
        && text.get(start..).is_some_and(|day| DAYS.contains(&day))
    {
        before = bytes::head_str(text, start);
    }
    before.trim_end_matches([' ', ';'])
}

/// The id under which the mailer took the message.
pub(super) fn id(line: &str) -> Option<&str> {
    after(line, "id").find_map(|word| {
        let word = word.strip_prefix('<').unwrap_or(word);
        word.split(['<', '>', ';'])
            .next()
            .filter(|id| id.len() >= ID_MIN)
    })
}

/// The host that took the message.
pub(super) fn by(line: &str) -> Option<&str> {
    after(line, "by").next()
}

/// The first greeting that is anywhere: `helo=name`, `HELO name`, `EHLO name`.
pub(super) fn helo(line: &str) -> Option<&str> {
    const STARTS: [&str; 3] = ["helo=", "HELO ", "EHLO "];
    let is_helo = |byte: u8| byte.is_ascii_alphanumeric() || b"-.^+_&:=?!@%*$\\/".contains(&byte);
    memchr::memchr3_iter(b'h', b'H', b'E', line.as_bytes()).find_map(|at| {
        let (before, rest) = (line.get(..at)?, line.get(at..)?);
        let rest = STARTS.iter().find_map(|start| rest.strip_prefix(start))?;
        let length = rest.bytes().take_while(|byte| is_helo(*byte)).count();
        (length > 0 && !before.ends_with(is_word))
            .then(|| rest.get(..length))
            .flatten()
    })
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// The value of `key=` up to the next blank.
pub(super) fn value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let start = text.find(key)? + key.len();
    text.get(start..)?.split(' ').next()
}

/// The sender of the envelope, where the mailer notes it: `envelope-from <a@example.com>`,
/// `Return-Path: a@example.com`.
pub(super) fn envelope_sender(line: &str) -> Option<&str> {
    const KEYS: [(&str, &str, &[&str]); 3] = [
        ("return", "path", &[" ", ": "]),
        ("envelope", "sender", &[" ", "="]),
        ("envelope", "from", &[" ", "="]),
    ];
    let is = |text: Option<&str>, wanted: &str| {
        text.is_some_and(|text| text.eq_ignore_ascii_case(wanted))
    };
    memchr::memchr_iter(b'-', line.as_bytes()).find_map(|hyphen| {
        let value = KEYS.iter().find_map(|(before, behind, ends)| {
            let start = hyphen.checked_sub(before.len())?;
            let end = hyphen + 1 + behind.len();
            let is_key =
                is(line.get(start..hyphen), before) && is(line.get(hyphen + 1..end), behind);
            let rest = line.get(end..).filter(|_| is_key)?;
            ends.iter().find_map(|end| rest.strip_prefix(end))
        })?;
        let word = value.split(' ').next()?.trim_end_matches(|c| !is_word(c));
        (!word.is_empty()).then_some(word)
    })
}

/// The first address in brackets.
pub(super) fn bracketed_address(line: &str) -> Option<&str> {
    line.match_indices('[').find_map(|(at, _)| {
        let rest = line.get(at + 1..)?;
        let length = crate::received::notation::address(rest)?;
        rest.get(length..)?
            .starts_with(']')
            .then(|| rest.get(..length))
            .flatten()
    })
}

/// How the client logged in; empty when it did not.
pub(super) fn login(line: &str) -> String {
    gmail_login(line).unwrap_or_else(|| named_login(line).to_owned())
}

/// Google names no protocol of its own for clients that logged in, but gives them ids of another
/// kind.
fn gmail_login(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(" by mx.google.com with ESMTPS id ")?;
    let word = rest.split(' ').next().filter(|word| is_gmail_id(word))?;
    let (_, transport) = rest.get(word.len()..)?.split_once("(version=")?;
    let (version, cipher) = transport.split(')').next()?.split_once(" cipher=")?;
    Some(format!("GMail - transport={version} cipher={cipher}"))
}

/// `n9sm1234567abc.12.2026.01.02.03.04.05`: a short mark, `sm`, digits and three letters; then
/// times.
fn is_gmail_id(id: &str) -> bool {
    let mut groups = id.split('.');
    let Some((mark, rest)) = groups.next().and_then(|first| first.split_once("sm")) else {
        return false;
    };
    let letters = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_first = (1..=4).contains(&mark.len())
        && (2..=9).contains(&(rest.len() - letters.len()))
        && letters.len() == 3
        && letters.bytes().all(|byte| byte.is_ascii_lowercase());
    let times: Vec<&str> = groups.collect();
    is_first && times.len() == 7 && times.iter().all(|time| is_digits(time))
}

fn named_login(line: &str) -> &str {
    /// Mailers that say so in words: two texts that are in their fields, and the name that rules
    /// know.
    const SAID: [(&str, &str, &str); 3] = [
        (") (Authenticated sender: ", " (Postfix) with ", "Postfix"),
        (" (account ", "CommuniGate Pro", "Communigate"),
        (" with Microsoft Exchange Server HTTP-DAV", "", "HTTP-DAV"),
    ];
    let said = || {
        SAID.into_iter()
            .find(|(one, other, _)| line.contains(one) && line.contains(other))
    };
    let has_by = line.contains(" by ");
    let protocol = if has_by { protocol(line) } else { None };
    protocol
        .or_else(|| courier_login(line))
        .or_else(|| is_sendmail_login(line).then_some("Sendmail"))
        .or_else(|| said().map(|(_, _, name)| name))
        .or_else(|| if has_by { web_login(line) } else { None })
        .unwrap_or_default()
}

/// `with ESMTPSA`.
fn protocol(line: &str) -> Option<&str> {
    let pairs = line.split(' ').zip(line.split(' ').skip(1)).skip(1);
    let named = pairs
        .filter(|(word, _)| word.eq_ignore_ascii_case("with"))
        .filter_map(|(_, next)| next.split(';').next());
    named.into_iter().find(|name| {
        LOGGED_IN
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    })
}

/// `(AUTH: PLAIN user, TLS: …) by `.
fn courier_login(line: &str) -> Option<&str> {
    line.split("(AUTH: ").skip(1).find_map(|rest| {
        let (inside, _) = rest.split_once(") by ")?;
        let mut words = inside.split(' ');
        let mechanism = words.next().filter(|word| MECHANISMS.contains(word))?;
        let user = words.next().filter(|user| !user.is_empty())?;
        (user.ends_with(',') || words.next().is_none()).then_some(mechanism)
    })
}

/// After the client's address a comment says `authenticated`, before `by`.
fn is_sendmail_login(line: &str) -> bool {
    let Some((_, rest)) = line
        .strip_prefix("from ")
        .and_then(|rest| rest.split_once(']'))
    else {
        return false;
    };
    let closing = ["]) ", ")] ", ")) "]
        .iter()
        .filter_map(|end| line.find(end))
        .min();
    closing.is_some() && in_order(rest, &[" ", "(", "authenticated", ")", " by"])
}

/// `(via HTTP)`, with one character more or none.
fn web_login(line: &str) -> Option<&str> {
    const START: &str = "(via HTTP";
    memchr::memchr_iter(b'(', line.as_bytes()).find_map(|at| {
        line.get(at..at + START.len())
            .filter(|start| start.eq_ignore_ascii_case(START))?;
        let (name, behind) = line.get(at + 5..)?.split_once(')')?;
        let ends = behind.is_empty() || behind.starts_with([' ', ';']);
        (line.get(..at)?.ends_with(' ') && name.chars().count() <= 5 && ends).then_some(name)
    })
}

/// Whether the texts are in this order.
fn in_order(text: &str, pieces: &[&str]) -> bool {
    let behind = pieces.iter().try_fold(text, |rest, piece| {
        rest.split_once(piece).map(|(_, behind)| behind)
    });
    behind.is_some()
}

/// The sender's address between angle brackets or not.
pub(super) fn bare(text: &str) -> &str {
    text.trim_matches(['<', '>', ' '])
}

#[cfg(test)]
mod tests {
    use super::{bracketed_address, by, envelope_sender, helo, id, login, without_date};

    #[test]
    fn dates_are_cut_off() {
        for (line, wanted) in [
            ("by mx; Thu, 1 Jan 2026 00:00:00 +0000", "by mx"),
            ("by mx ; 01 Jan 2026 00:00 GMT", "by mx"),
            ("by mx;Thu, 1 Jan 2026 00:00:00 +0000", "by mx"),
            ("by mx;1 Jan 2026 00:00:00 +0000", "by mx"),
            (
                "by mx; 1 Foo 2026 00:00:00 +0000",
                "by mx; 1 Foo 2026 00:00:00 +0000",
            ),
            (
                "by mx; 1 Jan 2026 00:00:00:00 +0000",
                "by mx; 1 Jan 2026 00:00:00:00 +0000",
            ),
            ("1 Jan 2026 00:00:00 +0000", "1 Jan 2026 00:00:00 +0000"),
            ("", ""),
        ] {
            assert_eq!(without_date(line), wanted, "{line}");
        }
    }

    #[test]
    fn words_behind_keywords() {
        assert_eq!(id("from a by b id <ab> x id <abc;d>"), Some("abc"));
        assert_eq!(id("id abc"), None);
        assert_eq!(by("from a by b.example; x"), Some("b.example;"));
        for (line, wanted) in [
            ("x helo=a.example) EHLO b", Some("a.example")),
            ("x (EHLO b.example) helo=a", Some("b.example")),
            ("xhelo=a", None),
            ("helo=)", None),
        ] {
            assert_eq!(helo(line), wanted, "{line}");
        }
        for (line, wanted) in [
            ("x (envelope-from <a@example.com>)", Some("<a@example.com")),
            (
                "x envelope-sender <> Return-Path: b@example.com",
                Some("b@example.com"),
            ),
            ("x envelope-from", None),
        ] {
            assert_eq!(envelope_sender(line), wanted, "{line}");
        }
        assert_eq!(
            bracketed_address("a [x] [192.0.2.1 [192.0.2.2]"),
            Some("192.0.2.2")
        );
    }

    #[test]
    fn logins() {
        for (line, wanted) in [
            ("from a by b with ESMTPSA id c", "ESMTPSA"),
            ("from a by b with esmtpa; x", "esmtpa"),
            ("from a by b with ESMTPS id c", ""),
            ("from a with ESMTPA", ""),
            ("from a ([192.0.2.1]) (AUTH: PLAIN user) by b", "PLAIN"),
            ("from a (AUTH: LOGIN user, TLS: x) by b", "LOGIN"),
            ("from a (AUTH: OTHER user) by b", ""),
            (
                "from a (b [192.0.2.1]) (user=c authenticated bits=0) by d",
                "Sendmail",
            ),
            (
                "from a (b [192.0.2.1] (may be forged)) (authenticated) by d",
                "Sendmail",
            ),
            ("from a (b) (authenticated) by d", ""),
            (
                "from a (b [192.0.2.1]) (Authenticated sender: c) by d (Postfix) with ESMTP",
                "Postfix",
            ),
            (
                "from a (account c) by d (CommuniGate Pro SMTP)",
                "Communigate",
            ),
            ("from a by b (via HTTPS) id", "HTTPS"),
            ("from a by b (via HTTPSX) id", ""),
            (
                "from a ([192.0.2.1]) by mx.google.com with ESMTPS id n9sm12345abc.1.2026.01.02.03.04.05 for <b> (version=TLS1 cipher=AES)",
                "GMail - transport=TLS1 cipher=AES",
            ),
            (
                "from a ([192.0.2.1]) by mx.google.com with ESMTPS id n9si12345abc.1.2026.01.02.03.04.05 (version=T cipher=A)",
                "",
            ),
        ] {
            assert_eq!(login(line), wanted, "{line}");
        }
    }
}
