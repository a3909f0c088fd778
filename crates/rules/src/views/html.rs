//! Renders HTML to text as SpamAssassin does, and notes the links.

use std::borrow::Cow;

use gatepost_mail::DerivedBytes;

use super::computed_style::ComputedStyles;
use super::html_source::{HtmlSource, Piece};
use super::relative::{Base, resolved};

/// Bytes of one link.
pub(super) const LINK_LIMIT: usize = 8_192;
/// Links of one text.
const LINKS_LIMIT: usize = 10_000;

/// A link. One that is not wide goes out as single bytes, like text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Link {
    pub(super) target: String,
    pub(super) is_wide: bool,
}

/// One HTML text as it is read.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    /// What is read of it.
    pub(super) text: String,
    /// Links as written and as they resolve; with repetitions.
    pub(super) links: Vec<Link>,
    /// The text is more than single bytes.
    pub(super) is_wide: bool,
}

/// Whether characters beyond ASCII are in it that no single byte stands for.
fn is_wide(text: &str) -> bool {
    text.chars().any(|character| u32::from(character) > 255)
}

/// Pieces of HTML between two looks at the clock.
const BETWEEN_LOOKS: usize = 1 << 10;

/// Renders a source; `is_decoded` says that its charset was undone, and so that all of it is wide.
///
/// A link that is joined with the base of the page counts as derived; beyond the limit no more are
/// noted.
pub(super) fn render(
    source: &str,
    is_decoded: bool,
    derived: &DerivedBytes,
    expired: &dyn Fn() -> bool,
) -> Rendered {
    let source = prepared(source);
    let mut pieces = HtmlSource::new(&source);
    let mut renderer = Renderer::new(derived);
    let mut count = 0;
    while let Some(piece) = pieces.next() {
        count += 1;
        if count % BETWEEN_LOOKS == 0 && expired() {
            break;
        }
        match piece {
            Piece::Text(text) => renderer.text(&text),
            Piece::Open(name) => renderer.open(name, &pieces),
            Piece::Close(name) => renderer.close(name),
            Piece::Other => {}
        }
    }
    let is_wide_link = |target: &str| is_decoded || is_wide(target);
    let links = renderer
        .links
        .into_iter()
        .map(|target| Link {
            is_wide: is_wide_link(&target),
            target,
        })
        .collect();
    Rendered {
        is_wide: is_decoded || is_wide(&renderer.out),
        text: renderer.out,
        links,
    }
}

/// What SpamAssassin changes in a source before it is cut: `&nbsp;` is a blank, `<br/>` is `<br>`,
/// and curly quotes are straight ones.
pub(crate) fn prepared(source: &str) -> Cow<'_, str> {
    let has = |what: &str| memchr::memmem::find(source.as_bytes(), what.as_bytes()).is_some();
    let mut text = Cow::Borrowed(source);
    if has("&nbsp;") {
        text = Cow::Owned(text.replace("&nbsp;", " "));
    }
    if has("/>") {
        text = Cow::Owned(without_slashes(&text));
    }
    if has("\u{201c}") || has("\u{201d}") {
        text = Cow::Owned(text.replace(['\u{201c}', '\u{201d}'], "\""));
    }
    text
}

/// `<name />` without blanks and slash.
fn without_slashes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("/>") {
        let name = before.trim_end_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
        let start = name.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
        if start.len() < name.len() && start.ends_with('<') {
            out.push_str(name);
        } else {
            out.push_str(before);
            out.push('/');
        }
        out.push('>');
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// The last piece of text that was put out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    #[default]
    None,
    /// White space that an element stands for.
    Gap,
    /// Text that is seen; so many bytes of it are still there.
    Text(usize),
    /// Text that is not.
    Hidden,
}

struct Renderer<'d> {
    derived: &'d DerivedBytes,
    out: String,
    last: Last,
    looks: ComputedStyles,
    links: Vec<String>,
    base: Option<Base>,
    /// Scripts and styles that are open.
    scripts: u32,
    styles: u32,
}

impl<'d> Renderer<'d> {
    fn new(derived: &'d DerivedBytes) -> Self {
        Self {
            derived,
            out: String::new(),
            last: Last::default(),
            looks: ComputedStyles::default(),
            links: Vec::new(),
            base: None,
            scripts: 0,
            styles: 0,
        }
    }

    fn text(&mut self, text: &str) {
        if self.scripts > 0 || self.styles > 0 {
            return;
        }
        let is_hidden = !is_blank(text) && self.looks.hides_text();
        let start = self.out.len();
        let mut follows_gap = self.last == Last::Gap && !is_hidden;
        let mut characters = text.chars().peekable();
        let mut is_first = true;
        while let Some(character) = characters.next() {
            let is_gap = match character {
                ' ' | '\t'..='\r' => {
                    while characters
                        .next_if(|next| matches!(next, ' ' | '\t'..='\r'))
                        .is_some()
                    {}
                    true
                }
                // A hard blank that was decoded one time too few.
                '\u{c2}' => characters.next_if_eq(&'\u{a0}').is_some(),
                _ => false,
            };
            if !is_gap {
                self.out.push(character);
            } else if !(is_first && follows_gap) {
                self.out.push(' ');
            }
            is_first = false;
            follows_gap = false;
        }
        self.last = if is_hidden {
            Last::Hidden
        } else {
            Last::Text(self.out.len() - start)
        };
    }

    /// White space of an element. It takes the place of a blank at the end of the text before.
    fn gap(&mut self, gap: &str) {
        if let Last::Text(length) = self.last
            && length > 0
            && self.out.ends_with(' ')
        {
            self.out.pop();
        }
        self.out.push_str(gap);
        self.last = Last::Gap;
    }

    fn open(&mut self, name: &str, tag: &HtmlSource<'_>) {
        let mut buffer = [0; 12];
        let Some(name) = lower(name, &mut buffer) else {
            return;
        };
        match name {
            "script" => self.scripts = self.scripts.saturating_add(1),
            "style" => self.styles = self.styles.saturating_add(1),
            _ => {}
        }
        self.looks.open(name, tag);
        if let Some(gap) = gap_of(name) {
            self.gap(gap);
        }
        if tag.has_attributes() || name == "a" {
            self.note_links(name, tag);
        }
    }

    fn close(&mut self, name: &str) {
        let mut buffer = [0; 12];
        let Some(name) = lower(name, &mut buffer) else {
            return;
        };
        match name {
            "script" => self.scripts = self.scripts.saturating_sub(1),
            "style" => self.styles = self.styles.saturating_sub(1),
            _ => {}
        }
        self.looks.close(name);
        if let Some(gap) = gap_of(name) {
            self.gap(gap);
        }
    }

    fn note_links(&mut self, name: &str, tag: &HtmlSource<'_>) {
        match name {
            "body" | "table" | "tr" | "td" => self.link(tag.attribute("background")),
            "a" | "area" | "link" => {
                let target = target(tag, "href").map(|target| target.replace('\u{feff}', ""));
                if name == "a" {
                    self.keep(trimmed(target.as_deref().unwrap_or_default()).to_owned());
                }
                self.link(target.map(Cow::Owned));
                self.link(tag.attribute("data-saferedirecturl"));
            }
            "img" | "frame" | "iframe" | "embed" | "script" | "bgsound" => {
                self.link(target(tag, "src"));
            }
            "form" => self.link(tag.attribute("action")),
            "base" => {
                let Some(target) = tag
                    .attribute("href")
                    .filter(|target| !target.is_empty() && target != "0")
                else {
                    return;
                };
                let target = trimmed(&target).to_owned();
                let base = Base::read(&target);
                self.link(Some(Cow::Owned(target)));
                self.base = base.or(self.base.take());
            }
            "meta" => {
                let is_refresh = tag
                    .attribute("http-equiv")
                    .is_some_and(|value| value.to_ascii_lowercase().contains("refresh"));
                if let Some(content) = tag.attribute("content").filter(|_| is_refresh) {
                    self.link(refresh_target(&content).map(|target| Cow::Owned(target.to_owned())));
                }
            }
            _ => {}
        }
    }

    /// Notes a link as it resolves.
    fn link(&mut self, target: Option<Cow<'_, str>>) {
        let Some(target) = target else { return };
        let target = trimmed(&target);
        if target.is_empty() {
            return;
        }
        let is_whole = ["data:", "mailto:", "file:", "cid:", "tel:"]
            .iter()
            .any(|scheme| {
                target
                    .get(..scheme.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            });
        let target = if is_whole {
            target.to_owned()
        } else {
            let base = self.base.as_ref();
            if self.links.len() >= LINKS_LIMIT
                || base.is_some_and(|base| !self.derived.take(base.length() + target.len()))
            {
                return;
            }
            resolved(base, target)
        };
        if !target.is_empty() {
            self.keep(target);
        }
    }

    fn keep(&mut self, link: String) {
        if self.links.len() < LINKS_LIMIT {
            self.links.push(link);
        }
    }
}

/// Whether there is nothing in it that could be seen.
pub(crate) fn is_blank(text: &str) -> bool {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let is_gap = match character {
            ' ' | '\t'..='\r' => true,
            '\u{c2}' => characters.next() == Some('\u{a0}'),
            _ => false,
        };
        if !is_gap {
            return false;
        }
    }
    true
}

/// The value of an attribute, also of one that a slash joins to the element's name (`<a
/// x/href=…>`).
fn target<'s>(tag: &HtmlSource<'s>, name: &str) -> Option<Cow<'s, str>> {
    let is_joined = |key: &str| {
        let key = key.to_ascii_lowercase();
        key.match_indices('/').any(|(at, _)| {
            let before = key.get(..at).and_then(|before| before.bytes().next_back());
            before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && key.get(at + 1..).is_some_and(|rest| rest.starts_with(name))
        })
    };
    tag.attribute_if(is_joined).or_else(|| tag.attribute(name))
}

/// Without white space around, and not longer than the limit.
fn trimmed(target: &str) -> &str {
    let target = target.trim_matches(|c: char| c.is_whitespace() || c == '\u{a0}');
    target
        .char_indices()
        .nth(LINK_LIMIT)
        .map_or(target, |(end, _)| target.get(..end).unwrap_or(target))
}

/// What is after the last `url=`, up to a semicolon.
fn refresh_target(content: &str) -> Option<&str> {
    let lower = content.to_ascii_lowercase();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let start = lower.rmatch_indices("url").find_map(|(at, _)| {
        let is_start = at == 0
            || lower
                .as_bytes()
                .get(at - 1)
                .is_some_and(|byte| !is_word(*byte));
        let behind = content.get(at + 3..)?.trim_start();
        behind.strip_prefix('=').filter(|_| is_start)
    })?;
    let target = start.trim_start();
    Some(
        target
            .split_once(';')
            .map_or(target, |(target, _)| target.trim_end()),
    )
}

/// The white space that an element stands for.
fn gap_of(name: &str) -> Option<&'static str> {
    match name {
        "br" | "div" => Some("\n"),
        "li" | "th" | "td" | "dd" | "dt" | "embed" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
            Some(" ")
        }
        "p" | "hr" | "blockquote" | "pre" | "listing" | "plaintext" | "xmp" | "title" => {
            Some("\n\n")
        }
        _ => None,
    }
}

/// The name in lower case; `None` when it is longer than any element's name that matters.
fn lower<'b>(name: &str, buffer: &'b mut [u8; 12]) -> Option<&'b str> {
    let place = buffer.get_mut(..name.len())?;
    place.copy_from_slice(name.as_bytes());
    place.make_ascii_lowercase();
    std::str::from_utf8(place).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(source: &str, is_decoded: bool) -> Rendered {
        render(
            source,
            is_decoded,
            &DerivedBytes::of_message(source.len()),
            &|| false,
        )
    }

    #[test]
    fn html_is_rendered() {
        for (source, wanted) in [
            ("a<b>b</b> c", "ab c"),
            ("a <br/>\n b", "a\nb"),
            ("<p>a</p><p>b", "\n\na\n\n\n\nb"),
            ("<tr><td>a</td> <td>b", " a  b"),
            (
                "<title>t &lt;</title>x<script>y</script>z<style>q",
                "\n\nt <\n\nxz",
            ),
            ("a&nbsp;&nbsp;b&#160;c", "a b\u{a0}c"),
            ("<a href=\u{201d}x\u{201d}>t</a>", "t"),
            ("a</div>b<hr>c", "a\nb\n\nc"),
            (
                "<br> a <br><font color=white> b <br></font> c",
                "\na\n b \nc",
            ),
        ] {
            assert_eq!(rendered(source, true).text, wanted, "{source}");
        }
    }

    #[test]
    fn links_are_noted() {
        for (source, wanted) in [
            ("<a>x</a>", vec![""]),
            (
                "<a href=' http://example.com/ '>",
                vec!["http://example.com/", "http://example.com/"],
            ),
            (
                "<base href=http://example.com/a/b.html><a href=c>",
                vec!["http://example.com/a/b.html", "c", "http://example.com/a/c"],
            ),
            (
                "<img src=cid:a@b><img x/src=c.png><td background=d>",
                vec!["cid:a@b", "c.png", "d"],
            ),
            (
                "<meta http-equiv=refresh content='0; url=http://example.com/;x'>",
                vec!["http://example.com/"],
            ),
            (
                "<form action='mailto:a@example.com'><iframe src=>",
                vec!["mailto:a@example.com"],
            ),
        ] {
            let links = rendered(source, true).links;
            assert_eq!(
                links.iter().map(|link| &link.target).collect::<Vec<_>>(),
                wanted,
                "{source}"
            );
        }
    }

    #[test]
    fn links_stop_at_the_limits() {
        for (count, kept) in [(LINKS_LIMIT, LINKS_LIMIT), (LINKS_LIMIT + 1, LINKS_LIMIT)] {
            assert_eq!(
                rendered(&"<img src=x>".repeat(count), true).links.len(),
                kept
            );
        }
        for (length, kept) in [(LINK_LIMIT, LINK_LIMIT), (LINK_LIMIT + 1, LINK_LIMIT)] {
            assert_eq!(
                rendered(&format!("<img src={}>", "x".repeat(length)), true).links[0]
                    .target
                    .len(),
                kept
            );
        }
    }
}
