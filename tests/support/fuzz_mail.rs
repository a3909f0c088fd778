//! What the fuzz targets `message`, `header_addresses` and `html` do: plain functions over bytes,
//! called by the wrappers in `fuzz/fuzz_targets` on nightly and by `regressions.rs` on stable.
//! Besides not panicking they hold what reading promises.

use gatepost_mail::{HeaderField, Limits, Message, decode_words, render_html};

/// Small limits, so that short inputs reach them.
const TIGHT: Limits = Limits {
    message: 1 << 20,
    depth: 3,
    parts: 5,
    headers: 8,
    header_bytes: 512,
    header_line: 128,
    recipients: 4,
    decoded_factor: 3,
    urls: 4,
    html: 1 << 10,
};

/// Reads a message with the default limits and with tight ones.
pub fn message(data: &[u8]) {
    for limits in [Limits::default(), TIGHT] {
        let message = Message::parse(data, &limits);
        assert_eq!(message.raw, data);
        assert!(
            message.body_start <= data.len(),
            "the body begins behind the message"
        );
        assert!(
            message.header.len() <= limits.headers,
            "{} header fields",
            message.header.len()
        );
        assert!(
            message.entities.len() <= limits.parts,
            "{} entities",
            message.entities.len()
        );
        assert!(
            message.urls.len() <= limits.urls,
            "{} URLs",
            message.urls.len()
        );
        for (index, entity) in message.entities.iter().enumerate() {
            assert!(
                entity.depth <= limits.depth,
                "an entity at depth {}",
                entity.depth
            );
            assert!(
                entity.parent.is_none_or(|parent| parent < index),
                "entity {index} comes before its parent"
            );
        }
        for text in &message.texts {
            assert!(
                text.entity < message.entities.len(),
                "a text without its entity"
            );
        }
        let bytes = |part: &str| part.len();
        let sources: usize = message.texts.iter().map(|text| bytes(&text.source)).sum();
        // Charset conversion to UTF-8 makes at most three bytes of one (four of two); the transfer
        // encodings only shrink.
        let most = data
            .len()
            .saturating_mul(limits.decoded_factor)
            .saturating_mul(3)
            .saturating_add(64);
        assert!(
            sources <= most,
            "{sources} bytes of text from {} bytes of mail",
            data.len()
        );
        // The same bytes give the same message.
        let again = Message::parse(data, &limits);
        assert_eq!(format!("{message:?}"), format!("{again:?}"));
        drop((message.subject(), message.body().len()));
    }
}

/// Reads the addresses of a field with these bytes as its value, and decodes them.
pub fn header_addresses(data: &[u8]) {
    let field = HeaderField::new(b"To", data);
    let addresses = field.addresses();
    assert!(addresses.len() <= 10_000, "{} addresses", addresses.len());
    assert!(
        addresses.len() <= data.len() + 1,
        "more addresses than bytes"
    );
    assert!(field.unfolded().len() <= data.len());
    assert_eq!(field.addresses(), addresses);
    drop((field.decoded(), decode_words(data)));
}

/// Renders a text as HTML with a generous budget and with a small one.
pub fn html(data: &[u8]) {
    let source = String::from_utf8_lossy(data);
    for budget in [usize::MAX, 256] {
        let (text, facts) = render_html(&source, budget);
        assert_eq!(
            facts.is_cut,
            source.floor_char_boundary(budget) < source.len()
        );
        // No entity stands for more bytes than it has.
        assert!(
            text.len() <= source.len().min(budget).saturating_mul(2) + 16,
            "{} bytes from {}",
            text.len(),
            source.len()
        );
    }
}
