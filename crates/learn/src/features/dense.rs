//! Structure features: counts, ratios and relations. Of names and addresses only how they relate,
//! never what they are.

use super::domain::{of_address, registrable, relation};
use super::normalise::invisible;
use gatepost_mail::Case;
use gatepost_mail::{AnomalyKind, EntityKind, HtmlFacts, LinkKind, Message, TransferEncoding, Url};

/// The texts that were cut out for the 4-grams; ratios are taken from the same.
pub(super) struct Texts<'a> {
    /// The subject without list tag.
    pub(super) subject: &'a str,
    /// Head and tail of the visible text.
    pub(super) sample: &'a str,
}

const MIME: [&str; 12] = [
    "parts",
    "depth",
    "has_html",
    "has_plain",
    "html_only",
    "attachments",
    "images",
    "messages",
    "base64_texts",
    "quoted_printable_texts",
    "mime_anomalies",
    "header_anomalies",
];
const SUBJECT: [&str; 9] = [
    "subject_length",
    "subject_upper",
    "subject_digits",
    "subject_non_ascii",
    "subject_exclamations",
    "subject_questions",
    "subject_money",
    "subject_is_reply",
    "subject_is_empty",
];
const TEXT: [&str; 12] = [
    "text_length",
    "text_upper",
    "text_digits",
    "text_non_ascii",
    "text_space",
    "text_exclamations",
    "text_money",
    "text_invisible",
    "word_length",
    "line_length",
    "quoted_lines",
    "empty_lines",
];
const LINKS: [&str; 11] = [
    "urls",
    "url_domains",
    "url_address_hosts",
    "url_with_user",
    "url_with_port",
    "url_punycode",
    "url_secure",
    "url_with_query",
    "url_longest",
    "url_labels",
    "url_escapes",
];
const HEADER: [&str; 13] = [
    "reply_to_relation",
    "message_id_relation",
    "envelope_relation",
    "link_relation",
    "name_has_address",
    "from_digits",
    "from_hyphens",
    "recipients",
    "no_to",
    "no_date",
    "no_message_id",
    "is_reply",
    "from_equals_to",
];
const HTML: [&str; 9] = [
    "hidden_ratio",
    "html_tags",
    "html_per_text",
    "html_images",
    "html_links",
    "html_forms",
    "html_active",
    "html_deceiving_links",
    "html_comments",
];

/// How many structure features there are.
pub(super) const COUNT: usize =
    MIME.len() + SUBJECT.len() + TEXT.len() + LINKS.len() + HEADER.len() + HTML.len();

/// Their names, in order.
pub(super) static NAMES: std::sync::LazyLock<Vec<&'static str>> =
    std::sync::LazyLock::new(|| [&MIME[..], &SUBJECT, &TEXT, &LINKS, &HEADER, &HTML].concat());

/// Header fields of To and Cc, URLs and links that are looked at.
const LOOKED_AT: usize = 200;

/// All structure features, in the order of [`NAMES`].
pub(super) fn dense(case: &Case<'_>, texts: &Texts<'_>) -> Vec<f32> {
    let message = case.message;
    let mut values = Vec::with_capacity(COUNT);
    values.extend(mime(message));
    values.extend(subject(texts.subject));
    values.extend(text(message, texts.sample));
    values.extend(links(&message.urls));
    values.extend(header(case));
    values.extend(html(message));
    values
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts are bounded by the limits of reading; f32 is what the model takes"
)]
fn count(number: usize) -> f32 {
    (number as f32).ln_1p()
}

#[expect(clippy::cast_precision_loss, reason = "a ratio")]
fn ratio(part: usize, whole: usize) -> f32 {
    if whole == 0 {
        0.0
    } else {
        part as f32 / whole as f32
    }
}

fn flag(is: bool) -> f32 {
    if is { 1.0 } else { 0.0 }
}

/// Bytes of a text, whatever its line ends.
fn length(text: &str) -> usize {
    text.len() - memchr::memchr_iter(b'\r', text.as_bytes()).count()
}

fn mime(message: &Message<'_>) -> [f32; MIME.len()] {
    let leaves = || {
        message
            .entities
            .iter()
            .filter(|entity| entity.kind == EntityKind::Leaf)
    };
    let texts = |encoding: TransferEncoding| {
        leaves()
            .filter(|entity| entity.media_type.main == "text" && entity.encoding == encoding)
            .count()
    };
    let has = |sub: &str| {
        leaves().any(|entity| entity.media_type.is("text", sub) && !entity.is_attachment)
    };
    let anomalies = |mime: bool| {
        message
            .anomalies
            .iter()
            .filter(|anomaly| about(anomaly.kind) == Some(mime))
            .count()
    };
    [
        count(message.entities.len()),
        count(
            message
                .entities
                .iter()
                .map(|entity| entity.depth)
                .max()
                .unwrap_or(0),
        ),
        flag(has("html")),
        flag(has("plain")),
        flag(has("html") && !has("plain")),
        count(
            leaves()
                .filter(|entity| entity.is_attachment || entity.file_name.is_some())
                .count(),
        ),
        count(
            leaves()
                .filter(|entity| entity.media_type.main == "image")
                .count(),
        ),
        count(
            message
                .entities
                .iter()
                .filter(|entity| entity.kind == EntityKind::Message)
                .count(),
        ),
        count(texts(TransferEncoding::Base64)),
        count(texts(TransferEncoding::QuotedPrintable)),
        count(anomalies(true)),
        count(anomalies(false)),
    ]
}

/// Whether an anomaly is about MIME (`true`), about the header (`false`), or may come from how the
/// mail was stored.
fn about(kind: AnomalyKind) -> Option<bool> {
    match kind {
        AnomalyKind::EightBitHeader
        | AnomalyKind::MissingFrom
        | AnomalyKind::DuplicateFrom
        | AnomalyKind::DuplicateSubject => Some(false),
        AnomalyKind::DuplicateContentType
        | AnomalyKind::DuplicateEncoding
        | AnomalyKind::DuplicateBoundary
        | AnomalyKind::MissingBoundary
        | AnomalyKind::UnclosedBoundary
        | AnomalyKind::NestedSameBoundary
        | AnomalyKind::UnknownEncoding
        | AnomalyKind::EncodedComposite
        | AnomalyKind::BadBase64
        | AnomalyKind::BadQuotedPrintable
        | AnomalyKind::UnknownCharset
        | AnomalyKind::BadCharset => Some(true),
        _ => None,
    }
}

/// Counts of kinds of characters.
#[derive(Default)]
struct Characters {
    all: usize,
    letters: usize,
    upper: usize,
    digits: usize,
    non_ascii: usize,
    space: usize,
    exclamations: usize,
    questions: usize,
    money: usize,
    invisible: usize,
}

impl Characters {
    fn of(text: &str) -> Self {
        let mut counts = Self::default();
        for c in text.chars().filter(|&c| c != '\r') {
            counts.all += 1;
            if c.is_ascii() {
                counts.letters += usize::from(c.is_ascii_alphabetic());
                counts.upper += usize::from(c.is_ascii_uppercase());
                counts.digits += usize::from(c.is_ascii_digit());
                counts.space += usize::from(c.is_ascii_whitespace());
                counts.exclamations += usize::from(c == '!');
                counts.questions += usize::from(c == '?');
                counts.money += usize::from(matches!(c, '$' | '%'));
            } else {
                counts.letters += usize::from(c.is_alphabetic());
                counts.upper += usize::from(c.is_uppercase());
                counts.non_ascii += 1;
                counts.money += usize::from(matches!(c, '€' | '£' | '¥'));
                counts.invisible += usize::from(invisible(c));
            }
        }
        counts
    }
}

fn subject(subject: &str) -> [f32; SUBJECT.len()] {
    let characters = Characters::of(subject);
    let start = subject.get(..3).unwrap_or_default().to_ascii_lowercase();
    [
        count(characters.all),
        ratio(characters.upper, characters.letters),
        ratio(characters.digits, characters.all),
        ratio(characters.non_ascii, characters.all),
        count(characters.exclamations),
        count(characters.questions),
        count(characters.money),
        flag(matches!(
            start.as_str(),
            "re:" | "aw:" | "sv:" | "fw:" | "fwd" | "wg:"
        )),
        flag(subject.trim().is_empty()),
    ]
}

fn text(message: &Message<'_>, sample: &str) -> [f32; TEXT.len()] {
    let characters = Characters::of(sample);
    let (mut lines, mut quoted, mut empty) = (0, 0, 0);
    for line in sample.lines() {
        lines += 1;
        quoted += usize::from(line.starts_with(['>', '|']));
        empty += usize::from(line.trim().is_empty());
    }
    let words = sample.split_whitespace().count();
    [
        count(
            message
                .texts
                .iter()
                .map(|text| length(&text.rendered))
                .sum(),
        ),
        ratio(characters.upper, characters.letters),
        ratio(characters.digits, characters.all),
        ratio(characters.non_ascii, characters.all),
        ratio(characters.space, characters.all),
        ratio(100 * characters.exclamations, characters.all).min(4.0),
        ratio(100 * characters.money, characters.all).min(4.0),
        count(characters.invisible),
        ratio(characters.all - characters.space, words).min(30.0),
        ratio(characters.all, lines).min(300.0).ln_1p(),
        ratio(quoted, lines),
        ratio(empty, lines),
    ]
}

fn links(urls: &[Url]) -> [f32; LINKS.len()] {
    let looked_at = || urls.iter().take(LOOKED_AT);
    let total = looked_at().count();
    let share = |is: &dyn Fn(&Url) -> bool| ratio(looked_at().filter(|url| is(url)).count(), total);
    let mut domains: Vec<&str> = looked_at()
        .map(|url| url.registrable.as_deref().unwrap_or(url.host.as_str()))
        .collect();
    domains.sort_unstable();
    domains.dedup();
    let authority = |url: &Url| {
        url.raw
            .split("//")
            .nth(1)
            .and_then(|rest| rest.split(['/', '?', '#']).next().map(str::to_owned))
    };
    [
        count(urls.len()),
        count(domains.len()),
        share(&|url| url.host.parse::<std::net::IpAddr>().is_ok() || url.host.starts_with('[')),
        share(&|url| authority(url).is_some_and(|authority| authority.contains('@'))),
        share(&|url| authority(url).is_some_and(|authority| authority.contains(':'))),
        share(&|url| url.host.contains("xn--") || !url.host.is_ascii()),
        share(&|url| url.scheme == "https"),
        share(&|url| url.path.contains('?')),
        count(looked_at().map(|url| url.raw.len()).max().unwrap_or(0)),
        count(
            looked_at()
                .map(|url| url.host.split('.').count())
                .max()
                .unwrap_or(0),
        ),
        share(&|url| url.raw.contains('%')),
    ]
}

fn header(case: &Case<'_>) -> [f32; HEADER.len()] {
    let message = case.message;
    let addresses = |name: &str| {
        message
            .field(name)
            .map(gatepost_mail::HeaderField::addresses)
            .unwrap_or_default()
    };
    let from = addresses("From");
    let from = from.first();
    let address = from.map(|from| from.address.as_str()).unwrap_or_default();
    let domain = of_address(address);
    let reply_to = addresses("Reply-To")
        .first()
        .and_then(|reply_to| of_address(&reply_to.address));
    let message_id = message
        .field("Message-ID")
        .map(gatepost_mail::HeaderField::decoded);
    let message_id_domain = message_id.as_deref().and_then(of_address);
    let envelope = case
        .transaction
        .envelope
        .reverse_path
        .mailbox()
        .map(|mailbox| registrable(&mailbox.domain));
    let to = addresses("To");
    let name = from
        .and_then(|from| from.display_name.as_deref())
        .unwrap_or_default();
    let own_link = message
        .urls
        .iter()
        .take(LOOKED_AT)
        .any(|url| url.registrable == domain && domain.is_some());
    let with_domain = message
        .urls
        .iter()
        .take(LOOKED_AT)
        .any(|url| url.registrable.is_some());
    let digits = address.bytes().filter(u8::is_ascii_digit).count();
    [
        relation(domain.as_deref(), reply_to.as_deref()),
        relation(domain.as_deref(), message_id_domain.as_deref()),
        relation(domain.as_deref(), envelope.as_deref()),
        if !with_domain || domain.is_none() {
            0.0
        } else if own_link {
            1.0
        } else {
            -1.0
        },
        flag(name.contains('@')),
        ratio(digits, address.len()),
        count(address.bytes().filter(|&byte| byte == b'-').count()),
        count(to.len() + addresses("Cc").len()),
        flag(message.field("To").is_none()),
        flag(message.field("Date").is_none()),
        flag(message_id.is_none()),
        flag(message.field("In-Reply-To").is_some() || message.field("References").is_some()),
        flag(!address.is_empty() && to.iter().any(|to| to.address.eq_ignore_ascii_case(address))),
    ]
}

fn html(message: &Message<'_>) -> [f32; HTML.len()] {
    let all = || {
        message
            .texts
            .iter()
            .filter_map(|text| text.html.as_ref().map(|html| (text, html)))
    };
    let sum = |of: &dyn Fn(&HtmlFacts) -> usize| all().map(|(_, html)| of(html)).sum::<usize>();
    let hidden = sum(&|html| html.hidden_bytes);
    let visible = sum(&|html| html.visible_bytes);
    let source: usize = all().map(|(text, _)| length(&text.source)).sum();
    let tags = sum(&|html| {
        html.tags
            .iter()
            .map(|(_, count)| usize::try_from(*count).unwrap_or(0))
            .sum()
    });
    let active = |html: &HtmlFacts| {
        usize::from(html.has_script)
            + usize::from(html.has_iframe)
            + usize::from(html.has_meta_refresh)
    };
    [
        ratio(hidden, hidden + visible),
        count(tags),
        ratio(visible, source),
        count(sum(&|html| html.image_count)),
        count(sum(&|html| html.links.len())),
        count(sum(&|html| {
            usize::from(html.has_form) + usize::from(html.has_password_input)
        })),
        count(sum(&active)),
        count(sum(&|html| {
            html.links
                .iter()
                .take(LOOKED_AT)
                .filter(|link| deceives(link))
                .count()
        })),
        ratio(sum(&|html| html.comments_bytes), source),
    ]
}

/// Whether a link shows one host and leads to another organisation's.
fn deceives(link: &gatepost_mail::Link) -> bool {
    let host = |url: &str| {
        let rest = url.trim().split_once("://").map(|(_, rest)| rest)?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let host = authority.rsplit('@').next()?.split(':').next()?;
        (!host.is_empty()).then(|| registrable(host))
    };
    link.kind == LinkKind::Anchor
        && relation(host(&link.text).as_deref(), host(&link.href).as_deref()) < 0.0
}
