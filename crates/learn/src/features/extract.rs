//! From a case to its features.

use super::dense::{self, Texts};
use super::hash::{bucket, gram};
use super::language::is_foreign;
use super::normalise;
use super::shape;
use super::vector::{Bag, Origin};
use super::{FeatureVector, Schema};
use gatepost_mail::Case;
use gatepost_words::bytes;

/// Salts of the name spaces of 4-grams.
const SUBJECT: u64 = 0x73;
const TEXT: u64 = 0x74;
/// Bytes of the subject that are read.
const SUBJECT_BYTES: usize = 512;
/// A rule of this many underscores begins the footer of a mailing list.
const FOOTER_RULE: &str = "______________________________";
/// Footers are shorter than this, in bytes.
const FOOTER_BYTES: usize = 600;

/// The features of a case. Never fails; the work is bounded by the limits of reading a message and
/// of [`Schema`].
pub fn extract(case: &Case<'_>) -> FeatureVector {
    collect(case, Bag::new(Schema::BUCKETS, Schema::SHAPE_TOKENS)).0
}

/// The same features, and for each token where it is from.
pub fn explained(case: &Case<'_>) -> (FeatureVector, Vec<Origin>) {
    collect(
        case,
        Bag::new(Schema::BUCKETS, Schema::SHAPE_TOKENS).explained(),
    )
}

fn collect(case: &Case<'_>, mut bag: Bag) -> (FeatureVector, Vec<Origin>) {
    let message = case.message;
    let subject = message.subject();
    let subject = without_list_tag(head(&subject, SUBJECT_BYTES));
    let text = visible_text(case);

    bag.add(Schema::ALWAYS, || Origin {
        place: "always",
        word: String::new(),
    });
    shape::add(message, &mut bag);
    bag.next(Schema::SUBJECT_TOKENS);

    let mut words = Vec::with_capacity(Schema::HEAD + Schema::TAIL);
    normalise::append(&text, &mut words);
    words.push(' ');
    let mut characters = Vec::with_capacity(SUBJECT_BYTES);
    normalise::append(subject, &mut characters);
    characters.push(' ');
    // A subject is too short to show its language; it is that of the text.
    let (first_window, _) = words.split_at(words.len().min(Schema::WINDOW));
    if is_foreign(first_window) {
        characters.clear();
    }
    add_grams(&characters, SUBJECT, "subject", &mut bag);
    // The words of the subject say the same as in the text, too.
    add_grams(&characters, TEXT, "subject", &mut bag);
    bag.next(Schema::WINDOW);

    for window in 0..Schema::WINDOWS {
        let start = window * Schema::WINDOW;
        // The 4-grams that begin in the window end up to three characters after it.
        let end = words.len().min(start + Schema::WINDOW + 3);
        // A window after the end of the text has nothing.
        if let Some(stretch) = words.get(start..end)
            && !is_foreign(stretch)
        {
            add_grams(stretch, TEXT, "text", &mut bag);
        }
        bag.next(Schema::WINDOW);
    }

    let texts = Texts {
        subject,
        sample: &text,
    };
    let (tokens, segments, origins) = bag.finish();
    (
        FeatureVector {
            tokens,
            segments,
            dense: dense::dense(case, &texts),
        },
        origins,
    )
}

fn add_grams(characters: &[char], salt: u64, place: &'static str, bag: &mut Bag) {
    for (at, &window) in characters.array_windows::<4>().enumerate() {
        let origin = || Origin {
            place,
            word: word_at(characters, at + 1),
        };
        bag.add(
            bucket(gram(window, salt), Schema::SHAPE_BUCKETS..Schema::BUCKETS),
            origin,
        );
    }
}

/// The word at that place; a space belongs to the word after it.
fn word_at(characters: &[char], at: usize) -> String {
    let (before, after) = characters.split_at(at.min(characters.len()));
    let start = if after.first() == Some(&' ') {
        at + 1
    } else {
        before
            .iter()
            .rposition(|&c| c == ' ')
            .map_or(0, |space| space + 1)
    };
    let word = characters.iter().skip(start).take_while(|&&c| c != ' ');
    word.map(|&c| normalise::spoken(c)).collect()
}

/// The first bytes, truncated at a character.
fn head(text: &str, bytes: usize) -> &str {
    bytes::head_str(text, bytes)
}

/// The last bytes, truncated at a character.
fn tail(text: &str, bytes: usize) -> &str {
    bytes::tail_str(text, bytes)
}

/// The subject without `[name-of-list]` before it, as that names the collector rather than the
/// mail.
fn without_list_tag(subject: &str) -> &str {
    let trimmed = subject.trim_start();
    let tag = trimmed
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    match tag {
        Some((name, rest)) if !name.is_empty() && name.len() <= 40 => rest.trim_start(),
        _ => trimmed,
    }
}

/// Head and tail of all texts that a person would read, without the footer of a mailing list.
fn visible_text(case: &Case<'_>) -> String {
    let mut texts = case
        .message
        .texts
        .iter()
        .map(|text| without_footer(&text.rendered));
    let Some(first) = texts.next() else {
        return String::new();
    };
    let mut whole = String::from(cut(first));
    for text in texts {
        whole.push('\n');
        whole.push_str(&cut(text));
    }
    cut(&whole).into_owned()
}

/// Head and tail of one text, whatever its line ends: carriage returns do not count. They are at
/// most every second character of a text with line ends, so twice the window is enough to look at.
fn cut(text: &str) -> std::borrow::Cow<'_, str> {
    const WHOLE: usize = Schema::HEAD + Schema::TAIL;
    if text.len() > 2 * WHOLE {
        let first = head(text, 2 * Schema::HEAD).replace('\r', "");
        let last = tail(text, 2 * Schema::TAIL).replace('\r', "");
        return format!(
            "{}\n{}",
            head(&first, Schema::HEAD),
            tail(&last, Schema::TAIL)
        )
        .into();
    }
    let text = if text.contains('\r') {
        text.replace('\r', "").into()
    } else {
        std::borrow::Cow::Borrowed(text)
    };
    if text.len() <= WHOLE {
        return text;
    }
    format!(
        "{}\n{}",
        head(&text, Schema::HEAD),
        tail(&text, Schema::TAIL)
    )
    .into()
}

fn without_footer(text: &str) -> &str {
    match text.rfind(FOOTER_RULE) {
        Some(at) if text.len() - at <= FOOTER_BYTES => {
            bytes::head_str(text, at).trim_end_matches('_')
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use super::*;
    use gatepost_mail::Facts;
    use gatepost_mail::{Limits, Message, Transaction};
    use gatepost_words::Stage;

    fn features(raw: &str) -> FeatureVector {
        at(raw, SystemTime::UNIX_EPOCH)
    }

    fn at(raw: &str, arrived: SystemTime) -> FeatureVector {
        let transaction = Transaction::new(Arc::from("test"), arrived);
        let message = Message::parse(raw.as_bytes(), &Limits::default());
        let facts = Facts::default();
        extract(&Case {
            stage: Stage::EndOfMessage,
            transaction: &transaction,
            message: &message,
            facts: &facts,
        })
    }

    const PLAIN: &str = "From: Ann <ann@example.com>\r\nTo: bob@example.net\r\nSubject: Lunch\r\nDate: Mon, 5 Jan 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\nShall we meet at noon?\r\n";

    fn with(header: &str) -> String {
        format!("{header}{PLAIN}")
    }

    #[test]
    fn vectors_have_the_shape_of_the_schema() {
        for raw in [
            "",
            "\r\n",
            "x",
            PLAIN,
            "Subject: \u{0}\r\n\r\n\u{fffd}",
            &"a b c ".repeat(90_000),
        ] {
            let vector = features(raw);
            assert_eq!(vector.dense.len(), Schema::DENSE);
            assert!(
                vector.dense.iter().all(|value| value.is_finite()),
                "{:?}",
                vector.dense
            );
            assert_eq!(vector.tokens.first(), Some(&0));
            assert_eq!(vector.segments.len(), Schema::SEGMENTS);
            assert_eq!(vector.segments.iter().sum::<usize>(), vector.tokens.len());
            assert!(vector.tokens.len() <= Schema::TOKENS);
        }
    }

    #[test]
    fn tokens_stop_at_the_limit() {
        let many: String = (0..20_000u32)
            .filter_map(|i| char::from_u32(0x4e00 + i))
            .collect();
        let html: String = (0..600).fold(String::new(), |html, i| html + &format!("<x{i}>"));
        let raw = format!("Content-Type: text/html; charset=utf-8\r\n\r\n{html}{many}");
        assert!(features(&raw).tokens.len() <= Schema::TOKENS);
    }

    /// What reveals the collector, the receiver or the day must not change the vector.
    #[test]
    fn no_leak() {
        let expected = features(PLAIN);
        for header in [
            "X-Spam-Status: Yes, score=99\r\n",
            "X-Virus-Scanned: y\r\nX-UUID: 1\r\nX-Miltered: m\r\nX-Barracuda-Spam-Score: 9\r\nX-ASG-Debug-ID: 1\r\n",
            "X-Keywords: \r\nDelivery-Date: Mon\r\nX-Pyzor: 1\r\nX-Loop: a\r\nOld-Return-Path: <a@example.org>\r\n",
            "Resent-From: a@example.org\r\nStatus: RO\r\nX-Status: A\r\nContent-Length: 5\r\nLines: 1\r\n",
            "Delivered-To: zz@example.org\r\nX-Original-To: zz@example.org\r\nReturn-Path: <x@example.org>\r\n",
            "X-MS-Exchange-Organization-SCL: 9\r\nX-Microsoft-Antispam: BCL:9\r\nX-Forefront-Antispam-Report: x\r\n",
            "X-EOPAttributedMessage: 0\r\nX-IncomingTopHeaderMarker: x\r\nX-SID-PRA: x\r\nX-Sender-IP: 192.0.2.1\r\n",
            "Received: from a.example by b.example; Mon, 5 Jan 2026 10:00:00 +0000\r\n",
            "List-Id: <x.example.org>\r\nList-Unsubscribe: <mailto:u@example.org>\r\nX-Mailman-Version: 2\r\n",
            "Precedence: bulk\r\nErrors-To: e@example.org\r\nSender: s@example.org\r\nDKIM-Signature: v=1\r\nX-Mailer: M\r\n",
        ] {
            assert_eq!(features(&with(header)), expected, "{header:?}");
        }
        let other_day = PLAIN.replace("5 Jan 2026", "7 Mar 1999");
        assert_eq!(features(&other_day), expected, "the date");
        assert_eq!(
            features(&PLAIN.replace("<1@example.com>", "<abc.9@mx.example.com>")),
            expected,
            "the Message-ID"
        );
        assert_eq!(
            features(&PLAIN.replace("bob@example.net", "eve@example.org")),
            expected,
            "the recipient"
        );
        for lines in [0, 300, 500, 700, 1_000, 2_000] {
            let long = format!("{PLAIN}{}", "some words\r\n".repeat(lines));
            assert_eq!(
                features(&long.replace("\r\n", "\n")),
                features(&long),
                "line ends, {lines} lines"
            );
        }
        assert_eq!(
            features(&PLAIN.replace("Subject: Lunch", "Subject: [Lists] Lunch")),
            expected,
            "list tag"
        );
        assert_eq!(
            at(PLAIN, SystemTime::UNIX_EPOCH + Duration::from_secs(9)),
            expected,
            "the clock"
        );
        let footer = format!("{PLAIN}{}\r\nList mailing list\r\n", "_".repeat(47));
        assert_eq!(features(&footer).tokens, expected.tokens, "footer");
    }

    #[test]
    fn what_counts_does_change_it() {
        let expected = features(PLAIN);
        for (from, to) in [
            ("noon", "midnight"),
            ("Lunch", "Pills"),
            ("Message-ID: <1@example.com>\r\n", ""),
            ("<1@example.com>", "<1@example.org>"),
            ("\r\nShall", "\r\nhttp://192.0.2.7/ Shall"),
        ] {
            assert_ne!(
                features(&PLAIN.replace(from, to)),
                expected,
                "{from:?} -> {to:?}"
            );
        }
    }

    #[test]
    fn head_and_tail_of_long_text() {
        let long = format!("{PLAIN}{}", "word ".repeat(5_000));
        let changed = |at: usize| {
            let mut bytes = long.clone().into_bytes();
            bytes[at] = b'Z';
            features(&String::from_utf8(bytes).unwrap()).tokens != features(&long).tokens
        };
        let start = long.len() - 25_000;
        assert!(changed(start + 100), "the head is read");
        assert!(changed(long.len() - 100), "the tail is read");
        assert!(!changed(start + 12_000), "the middle is not");
    }
}
