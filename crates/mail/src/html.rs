//! Renders HTML to the text that is read, and notes what rules and the classifier want to know of
//! it.
//!
//! Hidden text stays in the text, as in SpamAssassin, but is counted. Classes and style sheets are
//! not evaluated: only inline style, the `hidden` attribute and the old colour attributes are.

use gatepost_words::bytes::{head_str, skip_str};

use super::html_entities::decode_entities;
use super::html_facts::{HtmlFacts, Link, LinkKind};
use super::html_style::{Colour, Style, colour, is_same};
use super::html_token::{Token, Tokenizer};

/// Open elements that are tracked; deeper ones inherit from the last of them.
const OPEN_ELEMENTS: usize = 256;
/// Links kept of one text.
const LINKS: usize = 10_000;
/// Distinct tag names that are counted.
const TAGS: usize = 256;
/// Bytes kept of an attribute, a title or the text of a link.
const VALUE_BYTES: usize = 4 << 10;

/// Tokens between two looks at the clock.
const BETWEEN_LOOKS: usize = 1 << 10;

/// Renders at most `budget` bytes of HTML to text (`<br>` and blocks become line ends, other white
/// space one space) and returns what was seen on the way. Linear in the source.
pub fn render_html(source: &str, budget: usize) -> (String, HtmlFacts) {
    render_html_until(source, budget, &|| false)
}

/// The same, but stops where `expired` says that the time is up.
pub(super) fn render_html_until(
    source: &str,
    budget: usize,
    expired: &dyn Fn() -> bool,
) -> (String, HtmlFacts) {
    let whole = source;
    let source = head_str(whole, budget);
    let mut renderer = Renderer::default();
    renderer.facts.is_cut = source.len() < whole.len();
    renderer.text.reserve(source.len() / 3);
    let mut tokens = Tokenizer::new(source);
    let mut count = 0;
    while let Some(token) = tokens.next() {
        count += 1;
        if count % BETWEEN_LOOKS == 0 && expired() {
            break;
        }
        match token {
            Token::Text(text) => renderer.push_text(&decode_entities(text)),
            Token::Raw { element, text } => renderer.raw(element, text),
            Token::Open(name) => renderer.open(name, &tokens),
            Token::Close(name) => renderer.close(name),
            Token::Comment(length) => renderer.facts.comments_bytes += length,
        }
    }
    renderer.end_anchor();
    renderer.text.truncate(renderer.text.trim_end().len());
    (renderer.text, renderer.facts)
}

/// What is inherited from the elements around.
#[derive(Clone, Copy, Debug)]
struct Look {
    is_gone: bool,
    is_invisible: bool,
    is_tiny: bool,
    colour: Colour,
    background: Colour,
}

impl Default for Look {
    fn default() -> Self {
        let (colour, background) = (Colour::Known(0), Colour::Known(0xff_ffff));
        Self {
            is_gone: false,
            is_invisible: false,
            is_tiny: false,
            colour,
            background,
        }
    }
}

impl Look {
    fn is_hidden(&self) -> bool {
        self.is_gone || self.is_invisible || self.is_tiny || is_same(self.colour, self.background)
    }
}

/// White space that is due before the next word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Space,
    Line,
    Paragraph,
}

#[derive(Default)]
struct Renderer {
    text: String,
    facts: HtmlFacts,
    gap: Gap,
    /// The open elements: a hash of each name, and the look inside. Two lists, so that names are
    /// searched fast.
    names: Vec<u32>,
    looks: Vec<Look>,
    look: Look,
    is_hidden: bool,
    /// The open `a`: its link, and where its text begins.
    anchor: Option<(usize, usize)>,
}

impl Renderer {
    fn gap(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    fn push_text(&mut self, text: &str) {
        if text.starts_with(is_white) {
            self.gap(Gap::Space);
        }
        for word in text.split(is_white).filter(|word| !word.is_empty()) {
            let gap = if self.text.is_empty() {
                ""
            } else {
                ["", " ", "\n", "\n\n"]
                    .get(self.gap as usize)
                    .copied()
                    .unwrap_or(" ")
            };
            self.text.push_str(gap);
            self.text.push_str(word);
            self.gap = Gap::Space;
            let count = if self.is_hidden {
                &mut self.facts.hidden_bytes
            } else {
                &mut self.facts.visible_bytes
            };
            *count += word.len();
        }
        let ends_in_word = text.chars().next_back().is_some_and(|c| !is_white(c));
        if ends_in_word {
            self.gap = Gap::None;
        }
    }

    fn raw(&mut self, element: &'static str, text: &str) {
        match element {
            "script" => self.facts.javascript_decoders += count_decoders(text),
            "title" => {
                let title = decode_entities(text);
                if self.facts.title.is_empty() {
                    title
                        .split_whitespace()
                        .for_each(|word| push_word(&mut self.facts.title, word));
                }
                self.gap(Gap::Paragraph);
                self.push_text(&title);
                self.gap(Gap::Paragraph);
            }
            "textarea" | "xmp" => self.push_text(&decode_entities(text)),
            _ => {}
        }
    }

    fn open(&mut self, name: &str, tokens: &Tokenizer<'_>) {
        // Names longer than any element's are all the same to us.
        let mut buffer = [0_u8; 12];
        let name = lower(name, &mut buffer);
        self.count(name);
        let gap = gap_of(name);
        let is_second_break = name == "br" && self.gap >= Gap::Line;
        self.gap(if is_second_break { Gap::Paragraph } else { gap });
        self.close_implied(name, gap);
        self.note(name, tokens);
        if is_void(name) {
            return;
        }
        let look = if tokens.has_attributes() {
            self.look_inside(name, tokens)
        } else {
            self.look
        };
        if self.names.len() < OPEN_ELEMENTS {
            self.names.push(hash(name));
            self.looks.push(look);
            self.look = look;
            self.is_hidden = look.is_hidden();
        }
    }

    /// A paragraph ends where the next block begins; items, rows and cells end where the next of
    /// them begins.
    fn close_implied(&mut self, name: &str, gap: Gap) {
        let Some(top) = self.names.last() else { return };
        let is_block = gap >= Gap::Line && name != "br";
        let is_implied = (is_block && *top == hash("p"))
            || (matches!(name, "li" | "td" | "th" | "tr" | "dt" | "dd" | "option")
                && *top == hash(name));
        if is_implied {
            self.truncate(self.names.len().saturating_sub(1));
        }
    }

    fn close(&mut self, name: &str) {
        let mut buffer = [0_u8; 12];
        let name = lower(name, &mut buffer);
        self.gap(gap_of(name));
        if name == "a" {
            self.end_anchor();
        }
        let name = hash(name);
        if self.names.contains(&name)
            && let Some(at) = self.names.iter().rposition(|open| *open == name)
        {
            self.truncate(at);
        }
    }

    /// Leaves all elements from `length` on; the look is that of the last one still open.
    fn truncate(&mut self, length: usize) {
        self.names.truncate(length);
        self.looks.truncate(length);
        self.look = self.looks.last().copied().unwrap_or_default();
        self.is_hidden = self.look.is_hidden();
    }

    fn count(&mut self, name: &str) {
        match self
            .facts
            .tags
            .binary_search_by(|(known, _)| known.as_str().cmp(name))
        {
            Ok(at) => {
                if let Some((_, count)) = self.facts.tags.get_mut(at) {
                    *count = count.saturating_add(1);
                }
            }
            Err(at) if self.facts.tags.len() < TAGS => {
                self.facts.tags.insert(at, (name.to_owned(), 1));
            }
            Err(_) => {}
        }
    }

    /// How text inside the element looks.
    fn look_inside(&self, name: &str, tokens: &Tokenizer<'_>) -> Look {
        let mut look = self.look;
        look.is_gone |= tokens.attribute("hidden").is_some();
        let attribute = |name: &str| {
            tokens
                .attribute(name)
                .and_then(|value| colour(&decode_entities(value)))
        };
        let old_colour = if name == "body" {
            attribute("text")
        } else {
            attribute("color")
        };
        look.colour = old_colour.unwrap_or(look.colour);
        look.background = attribute("bgcolor").unwrap_or(look.background);
        if tokens.attribute("background").is_some() {
            look.background = Colour::Unknown;
        }
        if let Some(style) = tokens.attribute("style") {
            let style = Style::read(&decode_entities(style));
            look.is_gone |= style.is_gone;
            look.is_invisible = style.is_invisible.unwrap_or(look.is_invisible);
            look.is_tiny = style.is_tiny.unwrap_or(look.is_tiny);
            look.colour = style.colour.unwrap_or(look.colour);
            look.background = style.background.unwrap_or(look.background);
        }
        look
    }

    /// Notes links and the other facts of an element.
    fn note(&mut self, name: &str, tokens: &Tokenizer<'_>) {
        use LinkKind::{Anchor, Area, Base, Form, Frame, Image, Link as LinkTag, Refresh, Script};
        let link = match name {
            "a" => {
                self.end_anchor();
                Some(("href", Anchor))
            }
            "area" => Some(("href", Area)),
            "img" | "image" => {
                self.facts.image_count += 1;
                Some(("src", Image))
            }
            "form" => {
                self.facts.has_form = true;
                Some(("action", Form))
            }
            "iframe" | "frame" => {
                self.facts.has_iframe = true;
                Some(("src", Frame))
            }
            "embed" => Some(("src", Frame)),
            "object" => Some(("data", Frame)),
            "script" => {
                self.facts.has_script = true;
                Some(("src", Script))
            }
            "link" => Some(("href", LinkTag)),
            "base" => Some(("href", Base)),
            "input" | "button" => {
                let is_password = tokens
                    .attribute("type")
                    .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("password"));
                self.facts.has_password_input |= is_password;
                self.link(Form, tokens.attribute("formaction"));
                Some(("src", Image))
            }
            "meta" => {
                let equivalent = tokens.attribute("http-equiv").unwrap_or_default();
                if equivalent.trim().eq_ignore_ascii_case("refresh") {
                    self.facts.has_meta_refresh = true;
                    self.link(
                        Refresh,
                        tokens.attribute("content").and_then(refresh_target),
                    );
                }
                None
            }
            _ => None,
        };
        if !tokens.has_attributes() {
            return;
        }
        if let Some((attribute, kind)) = link {
            let before = self.facts.links.len();
            self.link(kind, tokens.attribute(attribute));
            if kind == Anchor && self.facts.links.len() > before {
                self.anchor = Some((before, self.text.len()));
            }
        }
        self.link(Image, tokens.attribute("background"));
        let has_handler = ["onload", "onclick", "onerror", "onmouseover"]
            .iter()
            .any(|on| tokens.attribute(on).is_some());
        self.facts.has_script |= has_handler;
    }

    fn link(&mut self, kind: LinkKind, value: Option<&str>) {
        let Some(value) = value else { return };
        if self.facts.links.len() < LINKS {
            let value = head_str(value, VALUE_BYTES).trim();
            let href = decode_entities(value).into_owned();
            if !href.is_empty() {
                self.facts.links.push(Link {
                    href,
                    text: String::new(),
                    kind,
                });
            }
        }
    }

    fn end_anchor(&mut self) {
        let Some((link, start)) = self.anchor.take() else {
            return;
        };
        let text = skip_str(&self.text, start).trim();
        let text = head_str(text, VALUE_BYTES);
        if let Some(link) = self.facts.links.get_mut(link) {
            text.clone_into(&mut link.text);
        }
    }
}

fn push_word(text: &mut String, word: &str) {
    if text.len().saturating_add(word.len()) < VALUE_BYTES {
        text.push_str(if text.is_empty() { "" } else { " " });
        text.push_str(word);
    }
}

/// White space that collapses; `&nbsp;` too, as in SpamAssassin.
fn is_white(c: char) -> bool {
    matches!(c, ' ' | '\n' | '\r' | '\t' | '\x0c' | '\u{a0}')
}

/// The name in lower case; a name longer than the buffer is cut.
fn lower<'b>(name: &str, buffer: &'b mut [u8; 12]) -> &'b str {
    let mut length = 0;
    for (place, byte) in buffer.iter_mut().zip(name.bytes().take_while(u8::is_ascii)) {
        *place = byte.to_ascii_lowercase();
        length += 1;
    }
    buffer
        .get(..length)
        .and_then(|name| std::str::from_utf8(name).ok())
        .unwrap_or_default()
}

/// FNV-1a. Names that collide only end one another's look; nothing is found by it.
fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "image"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

fn gap_of(name: &str) -> Gap {
    match name {
        "br" | "div" | "tr" | "table" | "center" | "section" | "article" | "header" | "footer"
        | "form" | "body" | "html" | "li" | "dt" | "dd" => Gap::Line,
        "p" | "hr" | "blockquote" | "pre" | "ul" | "ol" | "dl" | "h1" | "h2" | "h3" | "h4"
        | "h5" | "h6" | "listing" => Gap::Paragraph,
        "td" | "th" | "embed" | "option" | "caption" => Gap::Space,
        _ => Gap::None,
    }
}

/// The target in `5; url=https://example.com/`.
fn refresh_target(content: &str) -> Option<&str> {
    let (_, target) = content.split_once(['=', ';'])?;
    let target = target.trim();
    let target = match target.split_once('=') {
        Some((key, target)) if key.trim().eq_ignore_ascii_case("url") => target,
        _ => target,
    };
    Some(target.trim().trim_matches(['"', '\'']))
}

fn count_decoders(script: &str) -> usize {
    let script = script.as_bytes();
    [
        &b"atob("[..],
        b"unescape(",
        b"fromCharCode",
        b"msSaveBlob",
        b"msSaveOrOpenBlob",
        b"new Blob",
        b"decodeURIComponent(",
    ]
    .iter()
    .map(|name| memchr::memmem::find_iter(script, name).count())
    .sum()
}

#[cfg(test)]
#[path = "html_tests.rs"]
mod tests;
