//! Which servers attest a sender, and what they attest: the `Authentication-Results` fields
//! (RFC 8601) that the site's own MTA, or a milter in front of this one, has written.
//!
//! A sender may write anything into a message, such a field included. So a field counts only where its
//! authserv-id is one that the admin named, where it is above the first `Received` field of a
//! relay (ours are put on top), and where what passed is aligned with the domain of the one `From`
//! address (RFC 7489 §3.1, relaxed). The MTA must still remove incoming fields that carry its own
//! name (RFC 8601 §5); OpenDKIM and OpenDMARC do.

use super::domain;
use gatepost_words::bytes;
use gatepost_words::canonical::{Canonical, Encoder};

/// Bytes of one field that are read.
const FIELD: usize = 4 << 10;
/// Fields of one message that are read.
const FIELDS: usize = 20;

/// The authserv-ids that are trusted; none by default, and then no sender is authenticated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedAuthservIds {
    authservs: Vec<String>,
}

impl TrustedAuthservIds {
    /// No server is trusted: every identity counts as unauthenticated.
    pub fn none() -> Self {
        Self::default()
    }

    /// TrustedAuthservIds in what these servers write (RFC 8601 §2.5: usually the host name of the MTA).
    pub fn new(authservs: &[String]) -> Self {
        Self {
            authservs: authservs
                .iter()
                .map(|name| name.to_ascii_lowercase())
                .collect(),
        }
    }

    /// Whether no server is trusted.
    pub fn is_empty(&self) -> bool {
        self.authservs.is_empty()
    }

    /// The registrable domain of the sender, where a trusted field among `results` (values of
    /// `Authentication-Results`) attests it. `from` holds the values of all `From` fields:
    /// with more than one, or none, nothing is attested.
    pub(super) fn aligned(&self, results: &[&[u8]], from: &[&[u8]]) -> Option<String> {
        let [from] = from else { return None };
        let sender = domain::of_address(&address(&text(from))?)?;
        let attests = |value: &&[u8]| self.attests(&text(value), &sender);
        results.iter().take(FIELDS).any(attests).then_some(sender)
    }

    /// Whether one field, by a trusted server, attests that sender.
    fn attests(&self, value: &str, sender: &str) -> bool {
        let value = without_comments(value);
        let mut parts = value.split(';');
        let Some(authserv) = parts.next().and_then(|part| part.split_whitespace().next()) else {
            return false;
        };
        let authserv = authserv.trim_matches('"').to_ascii_lowercase();
        self.authservs.contains(&authserv) && parts.any(|part| passes(part, sender))
    }
}

impl Canonical for TrustedAuthservIds {
    fn encode(&self, out: &mut Encoder) {
        let Self { authservs } = self;
        out.list("authservs", authservs.iter().map(String::as_str));
    }
}

/// Whether one result is a pass for that domain: of DMARC, or of DKIM or SPF in alignment.
fn passes(part: &str, sender: &str) -> bool {
    let mut words = part.split_whitespace().map(str::to_ascii_lowercase);
    let properties: &[&str] = match words.next().as_deref() {
        Some("dmarc=pass") => &["header.from"],
        Some("dkim=pass") => &["header.d", "header.i"],
        Some("spf=pass") => &["smtp.mailfrom"],
        _ => return false,
    };
    words.any(|word| {
        let Some((name, value)) = word.split_once('=') else {
            return false;
        };
        let host = value.trim_matches(['"', '<', '>']);
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        properties.contains(&name) && !host.is_empty() && domain::registrable(host) == sender
    })
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(bytes::head(value, FIELD)).into_owned()
}

/// The address of a From field with exactly one: what is in the last angle brackets, or the
/// field itself. A list of addresses has none that could be attested.
fn address(value: &str) -> Option<String> {
    let bare = without_quotes(&without_comments(value));
    let inside = bare
        .rsplit_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map(|(inside, _)| inside);
    let is_one = bare.matches('@').count() == 1 && !bare.contains(',');
    is_one.then(|| inside.unwrap_or(&bare).trim().to_owned())
}

/// Without what is in parentheses (RFC 5322 §3.2.2), which may nest.
fn without_comments(value: &str) -> String {
    let mut depth = 0_u32;
    let mut quoted = false;
    let mut escaped = false;
    let keep = |&c: &char| {
        let outside = depth == 0;
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' if outside => quoted = !quoted,
            '(' if !quoted => depth = depth.saturating_add(1),
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        outside && depth == 0
    };
    value.chars().filter(keep).collect()
}

/// Without quoted strings: a display name may hold anything.
fn without_quotes(value: &str) -> String {
    let mut quoted = false;
    let mut escaped = false;
    let keep = |&c: &char| {
        let before = quoted;
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        !before && !quoted
    };
    value.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aligned(results: &[&str], from: &[&str]) -> Option<String> {
        let trust = TrustedAuthservIds::new(&["MX.example.net".to_owned()]);
        let bytes = |values: &[&'static str]| {
            values
                .iter()
                .map(|value| value.as_bytes())
                .collect::<Vec<_>>()
        };
        let leak = |values: &[&str]| -> Vec<&'static str> {
            values
                .iter()
                .map(|value| &*Box::leak((*value).to_owned().into_boxed_str()))
                .collect()
        };
        trust.aligned(&bytes(&leak(results)), &bytes(&leak(from)))
    }

    #[test]
    fn only_a_trusted_aligned_pass_attests() {
        let from = "Ann <ann@mail.example.com>";
        for (results, attested) in [
            (
                "mx.example.net; dmarc=pass (p=none) header.from=mail.example.com",
                true,
            ),
            (
                "mx.example.net 1; spf=fail smtp.mailfrom=x; dkim=pass header.d=example.com header.s=a",
                true,
            ),
            (
                "mx.example.net;\r\n\tdkim=pass reason=\"ok\" header.i=@example.com",
                true,
            ),
            (
                "mx.example.net; spf=pass smtp.mailfrom=ann@bounce.example.com",
                true,
            ),
            (
                "mx.example.net; spf=pass smtp.mailfrom=ann@bounce.example.org",
                false,
            ),
            ("mx.example.net; dkim=pass header.d=example.org", false),
            ("mx.example.net; dmarc=fail header.from=example.com", false),
            (
                "mx.example.net (x; dmarc=pass header.from=example.com); none",
                false,
            ),
            ("mx.example.net; spf=pass smtp.helo=example.com", false),
            (
                "other.example.net; dmarc=pass header.from=example.com",
                false,
            ),
            ("; dmarc=pass header.from=example.com", false),
            ("", false),
        ] {
            assert_eq!(
                aligned(&[results], &[from]).is_some(),
                attested,
                "{results}"
            );
        }
        assert_eq!(
            aligned(
                &["mx.example.net; dmarc=pass header.from=example.com"],
                &[from]
            )
            .unwrap(),
            "example.com"
        );
        let trusted = b"mx.example.net; dmarc=pass header.from=example.com";
        assert_eq!(
            TrustedAuthservIds::none().aligned(&[trusted], &[from.as_bytes()]),
            None
        );
    }

    #[test]
    fn a_from_field_must_name_one_address() {
        let pass = "mx.example.net; dmarc=pass header.from=example.com";
        for (from, attested) in [
            (&["ann@example.com"][..], true),
            (&["\"a, <boss@example.org>\" <ann@example.com>"], true),
            (&["(boss@example.org) ann@example.com"], true),
            (&["ann@example.com, boss@example.org"], false),
            (&["<ann@example.org> <x@example.com>"], false),
            (&["ann@example.com", "boss@example.com"], false),
            (&["unrelated"], false),
            (&[""], false),
            (&[], false),
        ] {
            assert_eq!(aligned(&[pass], from).is_some(), attested, "{from:?}");
        }
    }

    #[test]
    fn a_field_has_its_limit() {
        let pass = |length: usize| {
            format!(
                "mx.example.net; {}dkim=pass header.d=example.com",
                " ".repeat(length)
            )
        };
        let room = FIELD - pass(0).len();
        for (length, attested) in [(room, true), (room + 1, false)] {
            assert_eq!(
                aligned(&[&pass(length)], &["a@example.com"]).is_some(),
                attested,
                "{length}"
            );
        }
        let fields = |count: usize| {
            let mut fields = vec!["mx.example.net; none"; count];
            fields.push("mx.example.net; dkim=pass header.d=example.com");
            fields
        };
        assert!(aligned(&fields(FIELDS - 1), &["a@example.com"]).is_some());
        assert!(aligned(&fields(FIELDS), &["a@example.com"]).is_none());
    }
}
