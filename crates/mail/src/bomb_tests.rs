//! Every bomb is read on a thread with a small stack, within the limits.

use std::cell::Cell;

use super::{Limits, Message};

#[expect(unreachable_pub, reason = "shared with the integration tests")]
#[path = "../../../tests/support/bombs.rs"]
mod bombs;

/// Bytes of the thread's stack: an eighth of what threads have.
const STACK: usize = 256 << 10;

fn read_and_use(raw: &[u8], limits: &Limits) {
    let message = Message::parse(raw, limits);
    let copied = message.clone();
    assert!(!format!("{:?}", copied.header).is_empty());
    drop(copied);
    for field in message
        .header
        .iter()
        .filter(|field| field.is("To") || field.is("Subject"))
    {
        assert!(field.addresses().len() <= 10_000);
        assert!(field.decoded().len() <= 3 * limits.header_line);
    }
    assert!(message.entities.len() <= limits.parts);
    assert!(
        message
            .entities
            .iter()
            .all(|entity| entity.depth <= limits.depth)
    );
    let fields: Vec<_> = message
        .entities
        .iter()
        .flat_map(|entity| &entity.header)
        .collect();
    assert!(fields.len() <= limits.headers);
    assert!(
        fields
            .iter()
            .all(|field| field.name.len() + field.raw.len() <= limits.header_line)
    );
    assert!(
        fields
            .iter()
            .map(|field| field.name.len() + field.raw.len())
            .sum::<usize>()
            <= limits.header_bytes
    );
    let owned = |text: &std::borrow::Cow<'_, [u8]>| {
        if matches!(text, std::borrow::Cow::Owned(_)) {
            text.len()
        } else {
            0
        }
    };
    let decoded: usize = message
        .entities
        .iter()
        .map(|entity| owned(&entity.content))
        .sum();
    assert!(decoded <= limits.decoded_factor * raw.len() + (64 << 10));
    let rendered: usize = message
        .texts
        .iter()
        .filter(|text| text.html.is_some())
        .map(|text| text.rendered.len())
        .sum();
    assert!(rendered <= 2 * limits.html);
    assert!(
        message.urls.len() <= limits.urls
            && message.urls.iter().all(|url| url.raw.len() <= 4 << 10)
    );
    assert!(message.anomalies.len() <= 16 * super::AnomalyKind::ALL.len());
}

#[test]
fn bombs_are_read_on_a_small_stack() {
    for (name, raw) in bombs::shapes() {
        let read = move || read_and_use(&raw, &Limits::default());
        let reader = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn(read)
            .unwrap();
        assert!(reader.join().is_ok(), "{name}");
    }
}

/// However the bytes are arranged, the clock is looked at while they are read, and a message that
/// was stopped says so.
#[test]
fn loops_over_bytes_look_at_the_clock() {
    let html = "Content-Type: text/html\n\n";
    for (name, header, unit) in [
        ("line feeds", "\n", "\n"),
        ("addresses", "\n", "http://www.example.com/a "),
        ("tags", html, "<p>a</p>"),
        ("links", html, "<a href=http://example.com/>"),
    ] {
        let raw = format!("{header}{}", unit.repeat((1 << 20) / unit.len()));
        let looks = Cell::new(0);
        let look = |last: usize| {
            looks.set(looks.get() + 1);
            looks.get() > last
        };
        let limits = Limits::default();
        let message = Message::parse_until(raw.as_bytes(), &limits, &|| look(usize::MAX));
        assert!(message.is_complete, "{name}");
        assert!(looks.get() > 10, "{name}: {} looks", looks.get());
        let last = looks.replace(0) / 2;
        let message = Message::parse_until(raw.as_bytes(), &limits, &|| look(last));
        assert!(!message.is_complete, "{name}");
        assert!(looks.get() < last + 10, "{name}: {} looks", looks.get());
    }
}
