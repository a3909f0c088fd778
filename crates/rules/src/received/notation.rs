//! The notation in which the forms of Received fields are written, and its matcher.
//!
//! A form is text in which names in braces stand for what varies: `{helo} ({name} [{ip}]) by {by}
//! `. It is tried at the start of the field. Only runs of characters have more than one end that
//! may fit; every end that is tried is a step, and the steps of one field are limited.

use gatepost_words::bytes;
use memchr::memmem;

/// Ends of runs that are tried for one field, over all forms.
pub(super) const STEPS_LIMIT: u32 = 20_000;

/// What a run of characters is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// The name with which the client greeted.
    Helo,
    /// The name that the client's address has.
    Name,
    /// Greeting and name at once.
    Both,
    Ip,
    By,
    Ident,
    Id,
    /// A comment in which further facts may be as `key=value`.
    Comment,
    /// Nothing.
    Ignored,
}

/// The texts that a form found, by slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Found<'t>([Option<&'t str>; 8]);

impl<'t> Found<'t> {
    pub(super) fn get(&self, slot: Slot) -> Option<&'t str> {
        self.0.get(slot as usize).copied().flatten()
    }

    fn set(&mut self, slot: Slot, text: Option<&'t str>) {
        if let Some(place) = self.0.get_mut(slot as usize) {
            *place = text;
        }
    }
}

/// Which characters a run may have besides letters; a run is taken as long as it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    /// No blank, one character or more.
    Word,
    /// No blank, possibly nothing.
    Maybe,
    /// No blank and no parenthesis, possibly nothing.
    Bare,
    /// A word with a dot inside.
    Dotted,
    /// Anything up to a closing parenthesis.
    Comment,
}

/// One piece of a form.
#[derive(Clone, Copy, Debug)]
enum Piece {
    Text(&'static str),
    Run(Run, Slot),
    /// As little as possible up to the text that follows.
    Gap,
    /// An address of IPv4, or of IPv6 with or without `IPv6:`.
    Address(Slot),
    /// `user@`, or nothing.
    Ident,
    /// One of several texts.
    OneOf(&'static [&'static str]),
    /// The text, if it is there.
    Optional(&'static str),
    /// `.25` or `:25`, if it is there.
    Port,
    /// `%eth0`, if it is there.
    Zone,
    /// ` (envelope-sender <…>)`, if it is there.
    Sender,
    /// Four numbers with dots, which Microsoft writes where others write an id.
    Version,
    /// What qmail writes after its own name.
    QmailTail,
    /// The end of the field.
    End,
}

/// The names in braces.
const NAMES: &[(&str, Piece)] = &[
    ("helo", Piece::Run(Run::Word, Slot::Helo)),
    ("helo?", Piece::Run(Run::Maybe, Slot::Helo)),
    ("bare helo", Piece::Run(Run::Bare, Slot::Helo)),
    ("name", Piece::Run(Run::Word, Slot::Name)),
    ("dotted name", Piece::Run(Run::Dotted, Slot::Name)),
    ("name and helo", Piece::Run(Run::Word, Slot::Both)),
    ("by", Piece::Run(Run::Word, Slot::By)),
    ("id", Piece::Run(Run::Word, Slot::Id)),
    ("ident", Piece::Run(Run::Maybe, Slot::Ident)),
    ("ident@", Piece::Ident),
    ("comment", Piece::Run(Run::Comment, Slot::Comment)),
    ("word", Piece::Run(Run::Word, Slot::Ignored)),
    ("word?", Piece::Run(Run::Maybe, Slot::Ignored)),
    ("ip", Piece::Address(Slot::Ip)),
    ("address", Piece::Address(Slot::Ignored)),
    ("gap", Piece::Gap),
    ("greeting", Piece::OneOf(&["HELO", "EHLO"])),
    (
        "local",
        Piece::OneOf(&["localhost.localdomain", "localhost", "127.0.0.1", "::1"]),
    ),
    (" ", Piece::Optional(" ")),
    ("[", Piece::Optional("[")),
    ("]", Piece::Optional("]")),
    ("port", Piece::Port),
    ("zone", Piece::Zone),
    ("sender", Piece::Sender),
    ("version", Piece::Version),
    ("qmail", Piece::QmailTail),
    ("end", Piece::End),
];

/// A form, ready to be tried.
#[derive(Debug)]
pub(super) struct Form(Vec<Piece>);

impl Form {
    /// Reads the notation. A name in braces that is not known stands for itself (a test forbids
    /// it).
    pub(super) fn new(notation: &'static str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = notation;
        while let Some((text, behind)) = rest.split_once('{') {
            if !text.is_empty() {
                pieces.push(Piece::Text(text));
            }
            let (name, behind) = behind.split_once('}').unwrap_or((behind, ""));
            let piece = NAMES
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, piece)| *piece);
            pieces.push(piece.unwrap_or(Piece::Text(name)));
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest));
        }
        Self(pieces)
    }

    /// Tries the form at the start of `text`; `steps` is what the field has left.
    pub(super) fn find<'t>(&self, text: &'t str, steps: &mut u32) -> Option<Found<'t>> {
        let mut attempt = Attempt {
            text,
            found: Found::default(),
            steps,
        };
        attempt.fits(&self.0, 0).then_some(attempt.found)
    }
}

struct Attempt<'t, 's> {
    text: &'t str,
    found: Found<'t>,
    steps: &'s mut u32,
}

impl<'t> Attempt<'t, '_> {
    fn rest(&self, at: usize) -> &'t str {
        bytes::skip_str(self.text, at)
    }

    /// Whether the pieces fit from `at` on. It calls itself once for each run of the form: the
    /// table of forms bounds the depth, not the field.
    fn fits(&mut self, pieces: &[Piece], mut at: usize) -> bool {
        let mut left = pieces.iter();
        while let Some(piece) = left.next() {
            let rest = self.rest(at);
            let length = match *piece {
                Piece::Text(text) => rest.starts_with(text).then_some(text.len()),
                Piece::OneOf(texts) => texts
                    .iter()
                    .find(|text| rest.starts_with(**text))
                    .map(|text| text.len()),
                Piece::Optional(text) => Some(if rest.starts_with(text) {
                    text.len()
                } else {
                    0
                }),
                Piece::Address(slot) => {
                    address(rest).inspect(|length| self.found.set(slot, rest.get(..*length)))
                }
                Piece::Port => Some(port(rest)),
                Piece::Zone => Some(zone(rest)),
                Piece::Sender => Some(sender(rest)),
                Piece::Version => version(rest).inspect(|_| self.found.set(Slot::Id, Some(""))),
                Piece::QmailTail => is_qmail_tail(rest).then_some(0),
                Piece::End => rest.is_empty().then_some(0),
                Piece::Run(run, slot) => return self.run(run, slot, left.as_slice(), at),
                Piece::Gap => return self.gap(left.as_slice(), at),
                Piece::Ident => return self.ident(left.as_slice(), at),
            };
            let Some(length) = length else { return false };
            at += length;
        }
        true
    }

    /// One more end is tried.
    fn step(&mut self) -> bool {
        *self.steps = self.steps.saturating_sub(1);
        *self.steps > 0
    }

    fn run(&mut self, run: Run, slot: Slot, behind: &[Piece], at: usize) -> bool {
        let rest = self.rest(at);
        let stop = match run {
            Run::Comment => memchr::memchr(b')', rest.as_bytes()),
            Run::Bare => memchr::memchr3(b' ', b'(', b')', rest.as_bytes()),
            Run::Word | Run::Maybe | Run::Dotted => memchr::memchr(b' ', rest.as_bytes()),
        };
        let longest = stop.unwrap_or(rest.len());
        let least = usize::from(matches!(run, Run::Word | Run::Dotted));
        // What follows begins with a blank nearly always, which no word has inside.
        let least = match behind.first() {
            Some(Piece::Text(text)) if run != Run::Comment && text.starts_with(' ') => {
                longest.max(least)
            }
            _ => least,
        };
        let mut end = longest;
        loop {
            let text = rest.get(..end).filter(|text| text.len() >= least);
            let is_whole =
                run != Run::Dotted || text.is_some_and(|text| text.trim_matches('.').contains('.'));
            if text.is_some() && is_whole && self.may_follow(behind, at + end) {
                if !self.step() {
                    return false;
                }
                self.found.set(slot, text);
                if self.fits(behind, at + end) {
                    return true;
                }
            }
            if end <= least {
                return false;
            }
            end -= 1;
        }
    }

    /// A cheap look at what must be there.
    fn may_follow(&self, behind: &[Piece], at: usize) -> bool {
        match behind.first() {
            Some(Piece::Text(text)) => self
                .text
                .as_bytes()
                .get(at..)
                .is_some_and(|rest| rest.starts_with(text.as_bytes())),
            _ => self.text.is_char_boundary(at),
        }
    }

    fn gap(&mut self, behind: &[Piece], at: usize) -> bool {
        let Some(Piece::Text(next)) = behind.first() else {
            return self.fits(behind, at);
        };
        for offset in memmem::find_iter(self.rest(at).as_bytes(), next) {
            if !self.step() {
                return false;
            }
            if self.fits(behind, at + offset) {
                return true;
            }
        }
        false
    }

    fn ident(&mut self, behind: &[Piece], at: usize) -> bool {
        let word = self.rest(at).split(' ').next().unwrap_or_default();
        for (sign, _) in word.rmatch_indices('@') {
            if !self.step() {
                return false;
            }
            self.found.set(Slot::Ident, word.get(..sign));
            if self.fits(behind, at + sign + 1) {
                return true;
            }
        }
        self.found.set(Slot::Ident, None);
        self.fits(behind, at)
    }
}

/// The length of the address at the start.
pub(super) fn address(text: &str) -> Option<usize> {
    four(text).or_else(|| six(text))
}

fn four(text: &str) -> Option<usize> {
    let mut at = 0;
    for index in 0..4 {
        if index > 0 {
            text.get(at..)?.strip_prefix('.')?;
            at += 1;
        }
        let digits = text
            .bytes()
            .skip(at)
            .take(3)
            .take_while(u8::is_ascii_digit)
            .count();
        let is_octet = |length: &usize| {
            let octet = text
                .get(at..at + length)
                .filter(|octet| *length == 1 || !octet.starts_with('0'));
            octet.is_some_and(|octet| octet.parse::<u8>().is_ok())
        };
        at += (1..=digits).rev().find(is_octet)?;
    }
    Some(at)
}

/// Up to eight groups of hexadecimal digits; an address of IPv4 may follow the colons.
fn six(text: &str) -> Option<usize> {
    let prefix = text
        .get(..5)
        .filter(|start| start.eq_ignore_ascii_case("ipv6:"))
        .map_or(0, str::len);
    let bytes = text.as_bytes().get(prefix..)?;
    let group = |at: usize| {
        bytes
            .iter()
            .skip(at)
            .take(4)
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count()
    };
    let (mut at, mut colons) = (group(0), 0);
    while colons < 7 && bytes.get(at) == Some(&b':') {
        at += 1 + group(at + 1);
        colons += 1;
    }
    at += bytes
        .iter()
        .skip(at)
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
        .count();
    (colons >= 2).then_some(prefix + at)
}

fn port(text: &str) -> usize {
    let Some(digits) = text.strip_prefix(['.', ':']) else {
        return 0;
    };
    match digits.bytes().take_while(u8::is_ascii_digit).count() {
        0 => 0,
        count => 1 + count,
    }
}

fn zone(text: &str) -> usize {
    let is_zone =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'-');
    text.strip_prefix('%')
        .map_or(0, |name| 1 + name.bytes().take_while(is_zone).count())
}

fn version(text: &str) -> Option<usize> {
    let word = text.split(' ').next()?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (word.split('.').count() == 4 && word.split('.').all(is_number)).then_some(word.len())
}

fn sender(text: &str) -> usize {
    const START: &str = " (envelope-sender <";
    let word = text
        .strip_prefix(START)
        .and_then(|rest| rest.split(' ').next());
    word.filter(|word| word.len() > 2 && word.ends_with(">)"))
        .map_or(0, |word| START.len() + word.len())
}

/// qmail and its relatives name the protocol, but no id: `by mx.example.net with SMTP`.
fn is_qmail_tail(text: &str) -> bool {
    let behind = if text.starts_with(" (") {
        memmem::find(text.as_bytes(), b") with ").and_then(|at| text.get(at + 7..))
    } else {
        text.strip_prefix(" with ")
    };
    let Some(behind) = behind else { return false };
    let mut words = behind.split(' ').peekable();
    while let Some(word) = words.next() {
        let is_protocol = ["SMTP", "QMQP"]
            .into_iter()
            .find_map(|name| word.strip_prefix(name));
        let mut has_id = || words.peek().is_some_and(|next| next.starts_with("id"));
        if is_protocol.is_some_and(|rest| !rest.is_empty() || !has_id()) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{Form, NAMES, STEPS_LIMIT, Slot, address, port, zone};

    #[test]
    fn addresses_end_where_they_end() {
        for (text, wanted) in [
            ("192.0.2.1]", Some(9)),
            ("192.0.2.255 ", Some(11)),
            ("192.0.2.256", Some(10)),
            ("192.0.02.1", None),
            ("192.0.2", None),
            ("2001:db8::1]", Some(11)),
            ("IPv6:2001:db8::1", Some(16)),
            ("::ffff:192.0.2.1", Some(16)),
            ("1:2:3:4:5:6:7:8:9", Some(15)),
            ("a:b", None),
            ("", None),
        ] {
            assert_eq!(address(text), wanted, "{text}");
        }
        assert_eq!(
            (port(".25]"), port(":25"), port(":x"), zone("%eth0]")),
            (3, 3, 0, 5)
        );
    }

    #[test]
    fn forms_find_their_slots() {
        let form = Form::new("{helo} ({name}{ }[{ip}]) by {by} ");
        for text in [
            "a.example (b.example [192.0.2.1]) by mx ",
            "a.example (b.example[192.0.2.1]) by mx with",
        ] {
            let found = form.find(text, &mut 100).unwrap();
            let got =
                [Slot::Helo, Slot::Name, Slot::Ip, Slot::By].map(|slot| found.get(slot).unwrap());
            assert_eq!(got, ["a.example", "b.example", "192.0.2.1", "mx"], "{text}");
        }
        assert!(form.find("a (b [192.0.2.1]) by mx", &mut 100).is_none());
        assert!(NAMES.iter().all(|(name, _)| !name.contains(['{', '}'])));
    }

    #[test]
    fn steps_are_limited() {
        let (form, text) = (Form::new("{name}({ip})"), "(".repeat(50));
        for (steps, left) in [(49, 0), (50, 1)] {
            let mut steps = steps;
            assert!(form.find(&text, &mut steps).is_none());
            assert_eq!(steps, left);
        }
        let mut steps = STEPS_LIMIT;
        assert!(
            Form::new("{word}({word}({word}({ip}")
                .find(&"(".repeat(8_000), &mut steps)
                .is_none()
        );
        assert_eq!(steps, 0);
    }
}
