//! Tests of rendering HTML.

use super::*;

fn render(source: &str) -> (String, HtmlFacts) {
    render_html(source, usize::MAX)
}

#[test]
fn html_is_rendered() {
    for (source, expected) in [
        ("", ""),
        ("plain", "plain"),
        ("a<b>b</b>c", "abc"),
        ("a <b> b</b>\n\tc", "a b c"),
        ("a<br>b<br/><br>c", "a\nb\n\nc"),
        ("<p>a</p><p>b<p>c", "a\n\nb\n\nc"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<td>a</td><td>b</td>", "a b"),
        (
            "a<script>x<b></script>b<style>y</style>c<!-- d -->e",
            "abce",
        ),
        ("<title>T &amp; t</title>x", "T & t\n\nx"),
        ("a&nbsp;&lt;b&gt;", "a <b>"),
        ("<span style='display:none'>h</span>v", "hv"),
        ("1 < 2", "1 < 2"),
        ("a<unknown x='>'>b", "ab"),
    ] {
        assert_eq!(render(source).0, expected, "{source:?}");
    }
}

#[test]
fn hidden_text_is_counted() {
    for (source, hidden, visible) in [
        ("abc", 0, 3),
        ("<div style='display:none'>ab<b>c</b></div>d", 3, 1),
        ("<div style='display:none'><div>ab</div>c</div>d", 3, 1),
        ("<p style='font-size:0'>ab<p>c", 2, 1),
        ("<font color=#ffffff>ab</font>c", 2, 1),
        ("<body bgcolor=black><font color=white>ab</font>", 0, 2),
        ("<div style='color:#fff;background:url(x)'>ab</div>", 0, 2),
        ("<div hidden>ab</div>", 2, 0),
        (
            "<div style='visibility:hidden'>ab<b style='visibility:visible'>c</b></div>",
            2,
            1,
        ),
        ("<img style='display:none'>ab", 0, 2),
        ("</div>ab", 0, 2),
    ] {
        let facts = render(source).1;
        assert_eq!(
            (facts.hidden_bytes, facts.visible_bytes),
            (hidden, visible),
            "{source:?}"
        );
    }
}

#[test]
fn facts_are_noted() {
    let source = "<html><head><title>Hello</title><base href='http://example.com/'>\
        <meta http-equiv=Refresh content='0; URL=\"http://example.net/r?a=b\"'></head><body background=bg.png>\
        <A HREF='http://example.com/?a=1&amp;b=2'>click <b>here</b></A><img src=i.png><form action=/f>\
        <input type=PASSWORD></form><iframe src=x></iframe><script src=s.js>atob('x');new Blob()</script><!--c--></body>";
    let facts = render(source).1;
    let links: Vec<_> = facts
        .links
        .iter()
        .map(|link| (link.kind, link.href.as_str(), link.text.as_str()))
        .collect();
    assert_eq!(
        links,
        [
            (LinkKind::Base, "http://example.com/", ""),
            (LinkKind::Refresh, "http://example.net/r?a=b", ""),
            (LinkKind::Image, "bg.png", ""),
            (
                LinkKind::Anchor,
                "http://example.com/?a=1&b=2",
                "click here"
            ),
            (LinkKind::Image, "i.png", ""),
            (LinkKind::Form, "/f", ""),
            (LinkKind::Frame, "x", ""),
            (LinkKind::Script, "s.js", ""),
        ]
    );
    assert!(facts.has_form && facts.has_password_input && facts.has_script && facts.has_iframe);
    assert!(facts.has_meta_refresh);
    assert_eq!(
        (
            facts.title.as_str(),
            facts.image_count,
            facts.javascript_decoders
        ),
        ("Hello", 1, 2)
    );
    assert_eq!(facts.comments_bytes, 8);
    assert!(facts.tags.contains(&("b".to_owned(), 1)) && facts.tags.is_sorted());
}

#[test]
fn quiet_html_has_no_facts() {
    let (_, facts) = render("<p>a</p>");
    assert_eq!(
        facts,
        HtmlFacts {
            tags: vec![("p".to_owned(), 1)],
            visible_bytes: 1,
            ..HtmlFacts::default()
        }
    );
}

#[test]
fn limits_hold_at_n_and_n_plus_one() {
    for (count, kept) in [(LINKS, LINKS), (LINKS + 1, LINKS)] {
        assert_eq!(render(&"<a href=x>".repeat(count)).1.links.len(), kept);
    }
    for (count, kept) in [(TAGS, TAGS), (TAGS + 1, TAGS)] {
        let source = (0..count)
            .map(|index| format!("<t{index}>"))
            .collect::<Vec<_>>()
            .concat();
        assert_eq!(render(&source).1.tags.len(), kept);
    }
    for (budget, is_cut) in [(3, true), (4, false)] {
        let (text, facts) = render_html("abé", budget);
        assert_eq!(
            (text.as_str(), facts.is_cut),
            (if is_cut { "ab" } else { "abé" }, is_cut)
        );
    }
    // The element beyond the limit is not tracked: it hides nothing.
    for (depth, hidden) in [(OPEN_ELEMENTS - 1, 1), (OPEN_ELEMENTS, 0)] {
        let source = format!("{}<i hidden>x", "<b>".repeat(depth));
        assert_eq!(render(&source).1.hidden_bytes, hidden, "{depth}");
    }
    for (length, kept) in [(VALUE_BYTES, VALUE_BYTES), (VALUE_BYTES + 1, VALUE_BYTES)] {
        assert_eq!(
            render(&format!("<a href={}>", "x".repeat(length))).1.links[0]
                .href
                .len(),
            kept
        );
    }
}
