//! How text looks: the styles of the elements that are open, each inside of the one before.

use super::colour::Colour;
use crate::mail::decode_entities;

/// Elements with a style that are open at once.
pub(super) const STYLES_LIMIT: usize = 256;
/// The size of text that no element changes, in the steps of 1 to 7 that `font` counts.
pub(super) const USUAL_SIZE: i32 = 3;

#[derive(Clone, Debug)]
struct Style {
    element: String,
    size: i32,
    /// `None`: a colour that browsers guess at.
    text: Option<Colour>,
    ground: Option<Colour>,
}

/// What is wrong with the look of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Invisible,
    UnknownColour,
}

/// The styles that are open, and the extremes of size that were met.
#[derive(Debug)]
pub(super) struct Styles {
    open: Vec<Style>,
    base_size: i32,
    pub(super) largest: i32,
    pub(super) smallest: i32,
}

impl Styles {
    pub(super) fn new() -> Self {
        let usual =
            Style { element: String::new(), size: USUAL_SIZE, text: Some(Colour::BLACK), ground: Some(Colour::WHITE) };
        Self { open: vec![usual], base_size: USUAL_SIZE, largest: USUAL_SIZE, smallest: USUAL_SIZE }
    }

    /// A start tag of an element that changes the look.
    pub(super) fn open(&mut self, element: &str, attributes: &[(&str, &str)]) {
        let element = alias(element);
        let size = attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case("size"));
        if let (true, Some(size)) = (element == "basefont", size.and_then(|(_, value)| leading_number(value))) {
            self.base_size = size;
            return;
        }
        self.close_cells(element);
        let Some(outer) = self.open.last().filter(|_| self.open.len() < STYLES_LIMIT) else { return };
        let mut style = Style { element: element.to_owned(), ..outer.clone() };
        match element {
            "big" => style.size += 1,
            "small" => style.size -= 1,
            _ => {
                for (key, value) in attributes {
                    self.apply(&mut style, &key.to_ascii_lowercase(), &decode_entities(value));
                }
            }
        }
        self.open.push(style);
    }

    /// An end tag: closes what was opened inside, too. Browsers go on behind the end of the body.
    pub(super) fn close(&mut self, element: &str) {
        let element = alias(element);
        let opened = self.open.iter().rposition(|style| style.element == element && element != "body");
        if let Some(at) = opened {
            self.open.truncate(at.max(1));
        }
    }

    /// Cells and rows end where the next one begins; so do the fonts that were not closed in them.
    fn close_cells(&mut self, element: &str) {
        let ended: &[&str] = match element {
            "td" => &["font", "td"],
            "tr" => &["font", "td", "tr"],
            _ => return,
        };
        if self.open.iter().any(|style| style.element == element) {
            let kept = self.open.iter().rposition(|style| !ended.contains(&style.element.as_str()));
            self.open.truncate(kept.map_or(1, |last| last + 1));
        }
    }

    /// Takes one attribute, if the element has it.
    fn apply(&mut self, style: &mut Style, key: &str, value: &str) {
        match (style.element.as_str(), key) {
            ("font" | "basefont", "color") | ("body", "text") => style.text = Colour::read(value),
            ("font" | "basefont", "size") => style.size = self.resized(style.size, value),
            ("table" | "td" | "tr" | "span" | "p" | "div" | "a", "style") => self.declare(style, value),
            // These change nothing that is judged, but the sizes are looked at.
            ("font" | "basefont", "face")
            | ("body", "bgcolor" | "link" | "alink" | "vlink" | "background")
            | ("marquee", "bgcolor" | "background")
            | ("table" | "td" | "tr", "bgcolor") => {}
            _ => return,
        }
        // As SpamAssassin: what is a new largest size is no candidate for the smallest.
        if style.size > self.largest {
            self.largest = style.size;
        } else {
            self.smallest = self.smallest.min(style.size);
        }
    }

    /// `+1` and `-1` are counted from the base size.
    fn resized(&self, size: i32, value: &str) -> i32 {
        let value = value.trim_start();
        let relative =
            |sign: char| value.strip_prefix(sign).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        match (relative('+').and_then(leading_number), relative('-').and_then(leading_number)) {
            (Some(more), _) => self.base_size + more,
            (_, Some(less)) => self.base_size - less,
            _ => leading_number(value).unwrap_or(size),
        }
    }

    /// Takes the colours of a `style` attribute.
    fn declare(&self, style: &mut Style, declarations: &str) {
        let outer = self.open.last().and_then(|outer| outer.ground);
        let (mut is_text_clear, mut is_ground_clear) = (false, false);
        for (property, value) in declarations.split(';').filter_map(|declaration| declaration.split_once(':')) {
            let lower = value.trim_ascii().to_ascii_lowercase();
            let value = without_important(&lower);
            let is_clear = value == "transparent";
            match property.trim_ascii().to_ascii_lowercase().as_str() {
                "color" | "background-color" if lower.is_empty() || value == "inherit" => {}
                "color" => (style.text, is_text_clear) = (read(value), is_clear),
                "background-color" => (style.ground, is_ground_clear) = (read(value), is_clear),
                "background" => {
                    if let Some(colour) = layer_colour(&lower) {
                        (style.ground, is_ground_clear) = (Some(colour), false);
                    }
                }
                _ => {}
            }
        }
        if is_ground_clear {
            style.ground = outer;
        }
        if is_text_clear {
            style.text = style.ground;
        }
    }

    /// What is wrong with text that stands here.
    pub(super) fn fault(&self) -> Option<Fault> {
        let style = self.open.last()?;
        match (style.text, style.ground) {
            (Some(text), Some(ground)) => text.hides_on(ground).then_some(Fault::Invisible),
            // Two guesses are taken for the same colour.
            (None, None) => Some(Fault::Invisible),
            _ => Some(Fault::UnknownColour),
        }
    }
}

/// Header cells look like cells.
fn alias(element: &str) -> &str {
    if element == "th" { "td" } else { element }
}

fn read(value: &str) -> Option<Colour> {
    if value.contains("rgb") { Some(Colour::loose(value)) } else { Colour::read(value) }
}

fn without_important(value: &str) -> &str {
    let before = value.strip_suffix("important").map(str::trim_ascii_end).and_then(|rest| rest.strip_suffix('!'));
    before.map_or(value, str::trim_ascii_end)
}

/// The first colour of the lowest layer of a `background`.
fn layer_colour(value: &str) -> Option<Colour> {
    let mut layer = None;
    let (mut start, mut depth, mut quote) = (0, 0_u32, None);
    let mut take = |word: &str| layer = layer.or_else(|| Colour::read(word));
    let mut found = Vec::new();
    for (at, letter) in value.char_indices() {
        match (letter, quote) {
            ('"' | '\'', None) => quote = Some(letter),
            (_, Some(open)) if letter == open => quote = None,
            ('(', None) => depth += 1,
            (')', None) => depth = depth.saturating_sub(1),
            (' ' | ',', None) if depth == 0 => {
                found.push((value.get(start..at).unwrap_or_default(), letter == ','));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push((value.get(start..).unwrap_or_default(), false));
    let last = found.iter().rposition(|(_, ends)| *ends).map_or(0, |at| at + 1);
    found.iter().skip(last).for_each(|(word, _)| take(word));
    layer
}

/// The number at the start.
fn leading_number(text: &str) -> Option<i32> {
    let text = text.trim_start();
    let end = text.bytes().take(6).take_while(u8::is_ascii_digit).count();
    text.get(..end).and_then(|digits| digits.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::{Fault, STYLES_LIMIT, Styles, layer_colour};
    use crate::rules::html_scan::colour::Colour;

    #[test]
    fn looks_are_judged() {
        for (element, key, value, wanted) in [
            ("font", "color", "#fefefe", Some(Fault::Invisible)),
            ("font", "color", "black", None),
            ("font", "color", "nonsense", Some(Fault::UnknownColour)),
            ("p", "style", "COLOR: rgb(255,255,250) !important", Some(Fault::Invisible)),
            ("p", "style", "color:inherit", None),
            ("p", "style", "color: !important", Some(Fault::UnknownColour)),
            ("p", "style", "color: transparent; background-color: red", Some(Fault::Invisible)),
            ("p", "style", "background: url(a,b) red, 10% black", Some(Fault::Invisible)),
            ("p", "style", "background: black, white", None),
            ("p", "style", "background-color: transparent", None),
            ("p", "style", "color: x; background-color: y", Some(Fault::Invisible)),
            ("p", "color", "white", None),
        ] {
            let mut styles = Styles::new();
            styles.open(element, &[(key, value)]);
            assert_eq!(styles.fault(), wanted, "{element} {key} {value}");
            styles.close(element);
            assert_eq!(styles.fault(), None);
        }
    }

    #[test]
    fn sizes_are_counted_from_the_base() {
        let mut styles = Styles::new();
        styles.open("basefont", &[("size", "4")]);
        styles.open("font", &[("size", "+2")]);
        styles.open("font", &[("size", "-3")]);
        assert_eq!((styles.largest, styles.smallest), (6, 1));
        styles.open("big", &[]);
        styles.open("font", &[("face", "x"), ("size", "7pt")]);
        assert_eq!((styles.largest, styles.smallest), (7, 1));
    }

    #[test]
    fn cells_end_at_the_next() {
        let mut styles = Styles::new();
        for element in ["table", "tr", "td"] {
            styles.open(element, &[]);
        }
        styles.open("font", &[("color", "white")]);
        styles.open("th", &[]);
        assert_eq!((styles.fault(), styles.open.len()), (None, 4));
        styles.open("tr", &[]);
        assert_eq!(styles.open.len(), 3);
    }

    #[test]
    fn open_styles_are_limited() {
        let mut styles = Styles::new();
        for _ in 0..STYLES_LIMIT {
            styles.open("p", &[]);
        }
        assert_eq!(styles.open.len(), STYLES_LIMIT);
        assert_eq!(layer_colour("a, \"b, red\" #00f x"), Colour::read("blue"));
    }
}
