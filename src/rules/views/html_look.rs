//! Whether text of HTML can be seen, as SpamAssassin decides it: by colours, sizes and inline style of the elements around.

use super::html_source::HtmlSource;
use crate::rules::html_scan::Colour;

/// Elements with a style that are open at once; deeper ones look like the last of them.
const DEPTH_LIMIT: usize = 10_000;
/// Bytes of one style attribute that are read.
const STYLE_LIMIT: usize = 64 << 10;
/// Elements that change how text looks, `th` being a `td`.
const STYLED: [&str; 13] =
    ["body", "font", "table", "tr", "td", "big", "small", "basefont", "marquee", "span", "p", "div", "a"];

/// A colour, as far as it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paint {
    Known(Colour),
    Invalid,
    /// Resolved at the end of a style attribute.
    Transparent,
}

/// How text looks inside an element.
#[derive(Clone, Copy, Debug)]
struct Look {
    /// Position in [`STYLED`].
    element: usize,
    size: i64,
    front: Paint,
    back: Paint,
    has_no_display: bool,
    is_hidden: bool,
}

/// The looks of the open elements.
pub(super) struct Looks {
    open: Vec<Look>,
    /// How many elements of each name are open.
    counts: [usize; STYLED.len()],
    base_size: i64,
}

const PAGE: Look = Look {
    element: usize::MAX,
    size: 3,
    front: Paint::Known(Colour::BLACK),
    back: Paint::Known(Colour::WHITE),
    has_no_display: false,
    is_hidden: false,
};

impl Default for Looks {
    fn default() -> Self {
        Self { open: Vec::new(), counts: [0; STYLED.len()], base_size: 3 }
    }
}

impl Looks {
    fn top(&self) -> Look {
        self.open.last().copied().unwrap_or(PAGE)
    }

    /// Whether text at this place is not seen.
    pub(super) fn hides_text(&self) -> bool {
        let look = self.top();
        let is_unreadable = match (look.front, look.back) {
            (Paint::Known(front), Paint::Known(back)) => front.hides_on(back),
            _ => true,
        };
        is_unreadable || look.size <= 1 || look.has_no_display || look.is_hidden
    }

    /// A start tag; the name is in lower case.
    pub(super) fn open(&mut self, name: &str, tag: &HtmlSource<'_>) {
        let Some(element) = styled(name) else { return };
        let base =
            if name == "basefont" { tag.attribute("size").and_then(|size| digits(size.trim_start())) } else { None };
        if let Some(size) = base {
            self.base_size = size;
            return;
        }
        if matches!(name, "td" | "th" | "tr") {
            self.close_cells(element);
        }
        if self.open.len() >= DEPTH_LIMIT {
            return;
        }
        let mut look = Look { element, ..self.top() };
        match name {
            "big" => look.size += 1,
            "small" => look.size -= 1,
            _ if tag.has_attributes() => self.read_attributes(name, tag, &mut look),
            _ => {}
        }
        self.open.push(look);
        self.count(element, 1);
    }

    /// An end tag; the name is in lower case. A body is never left: text behind it is shown like that inside.
    pub(super) fn close(&mut self, name: &str) {
        let Some(element) = styled(name).filter(|_| name != "body") else { return };
        if self.counts.get(element).is_none_or(|count| *count == 0) {
            return;
        }
        while let Some(look) = self.pop() {
            if look.element == element {
                break;
            }
        }
    }

    fn pop(&mut self) -> Option<Look> {
        let look = self.open.pop()?;
        self.count(look.element, -1);
        Some(look)
    }

    fn count(&mut self, element: usize, step: isize) {
        if let Some(count) = self.counts.get_mut(element) {
            *count = count.saturating_add_signed(step);
        }
    }

    /// A cell or row ends the one before it, and what hangs open in that.
    fn close_cells(&mut self, element: usize) {
        if self.counts.get(element).is_none_or(|count| *count == 0) {
            return;
        }
        let is_row = STYLED.get(element) == Some(&"tr");
        while let Some(name) = self.open.last().and_then(|look| STYLED.get(look.element))
            && (matches!(*name, "font" | "td") || (is_row && *name == "tr"))
        {
            self.pop();
        }
    }

    fn read_attributes(&self, name: &str, tag: &HtmlSource<'_>, look: &mut Look) {
        match name {
            "body" => {
                if let Some(value) = tag.attribute("text") {
                    look.front = paint(&value);
                }
            }
            "font" | "basefont" => {
                if let Some(value) = tag.attribute("color") {
                    look.front = paint(&value);
                }
                if let Some(value) = tag.attribute("size") {
                    look.size = self.size(value.trim_start()).unwrap_or(look.size);
                }
            }
            "big" | "small" | "marquee" => {}
            _ => {
                if let Some(style) = tag.attribute("style") {
                    self.read_style(&style, look);
                }
            }
        }
    }

    fn size(&self, value: &str) -> Option<i64> {
        match value.split_at_checked(1) {
            Some(("+", number)) => digits(number).map(|number| self.base_size + number),
            Some(("-", number)) => digits(number).map(|number| self.base_size - number),
            _ => digits(value),
        }
    }

    fn read_style(&self, style: &str, look: &mut Look) {
        let style = style.get(..style.floor_char_boundary(STYLE_LIMIT)).unwrap_or_default();
        for declaration in style.split(';') {
            let Some((property, value)) = declaration.split_once(':') else { continue };
            let (property, value) = (property.trim_start_matches(is_space), value.trim_matches(is_space));
            if value.is_empty() {
                continue;
            }
            match property {
                _ if property.eq_ignore_ascii_case("color") => look.front = css_paint(value).unwrap_or(look.front),
                _ if property.eq_ignore_ascii_case("background-color") => {
                    look.back = css_paint(value).unwrap_or(look.back);
                }
                "background" => look.back = background(value).map_or(look.back, Paint::Known),
                _ => match property.trim_end_matches(is_space) {
                    "display" => look.has_no_display = value.eq_ignore_ascii_case("none"),
                    "visibility" => look.is_hidden = value.eq_ignore_ascii_case("hidden"),
                    _ => {}
                },
            }
        }
        if look.back == Paint::Transparent {
            look.back = self.top().back;
        }
        if look.front == Paint::Transparent {
            look.front = look.back;
        }
    }
}

fn styled(name: &str) -> Option<usize> {
    let name = if name == "th" { "td" } else { name };
    STYLED.iter().position(|known| *known == name)
}

fn paint(value: &str) -> Paint {
    Colour::read(value).map_or(Paint::Invalid, Paint::Known)
}

/// The colour of a declaration; `None` where it leaves it as it is.
fn css_paint(value: &str) -> Option<Paint> {
    let value = value.to_ascii_lowercase();
    let important = value.strip_suffix("important").map(|rest| rest.trim_end_matches(is_space));
    let value = important
        .and_then(|rest| rest.strip_suffix('!'))
        .map_or(value.as_str(), |rest| rest.trim_end_matches(is_space));
    match value {
        _ if value.contains("rgb") => Some(Paint::Known(Colour::loose(value))),
        "inherit" => None,
        "transparent" => Some(Paint::Transparent),
        _ => Some(paint(value)),
    }
}

/// The first colour in the last layer of a background.
fn background(value: &str) -> Option<Colour> {
    let value = value.to_ascii_lowercase();
    let (mut words, mut word) = (Vec::new(), String::new());
    // What ends what is being read: a bracket or a quote, one inside the other.
    let mut ends: Vec<char> = Vec::new();
    for c in value.chars() {
        match (ends.last(), c) {
            (Some(end), _) if *end == c => {
                word.push(c);
                ends.pop();
                if c == ')' {
                    words.push(std::mem::take(&mut word));
                }
            }
            (None | Some(')'), '"' | '\'') => {
                word.push(c);
                ends.push(c);
            }
            (None, '(') => {
                word.push(c);
                ends.push(')');
            }
            (None, ' ') => words.push(std::mem::take(&mut word)),
            (None, ',') => {
                word.clear();
                words.clear();
            }
            _ => word.push(c),
        }
    }
    words.push(word);
    words.iter().filter(|word| !word.is_empty()).find_map(|word| Colour::read(word))
}

/// The number at the start, at most nine digits of it.
fn digits(text: &str) -> Option<i64> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    text.get(..length.min(9)).filter(|digits| !digits.is_empty())?.parse().ok()
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r')
}

#[cfg(test)]
mod tests {
    use super::super::html_source::Piece;
    use super::*;

    /// Whether the text `x` of a source is hidden.
    fn hides(text: &str) -> bool {
        let (mut source, mut looks) = (HtmlSource::new(text), Looks::default());
        while let Some(piece) = source.next() {
            match piece {
                Piece::Text(text) if text == "x" => return looks.hides_text(),
                Piece::Open(name) => looks.open(&name.to_lowercase(), &source),
                Piece::Close(name) => looks.close(&name.to_lowercase()),
                _ => {}
            }
        }
        panic!("no text");
    }

    #[test]
    fn text_is_hidden() {
        for (text, wanted) in [
            ("x", false),
            ("<font color=white>x", true),
            ("<font color=#fefefe>a</font>x", false),
            ("<body bgcolor=black text=white>x", true),
            ("<font color=nonsense>x", true),
            ("<font size=1>x", true),
            ("<font size=-2>x", true),
            ("<basefont size=4><font size=-2>x", false),
            ("<small><small>x", true),
            ("<div style='display:none'>x", true),
            ("<div style='display:none !important'>x", false),
            ("<div style='display:none'></div>x", false),
            ("<div style='display:none'><p style='display:block'>x", false),
            ("<div style='visibility:hidden'><b>x", true),
            ("<div style='color:transparent'>x", true),
            ("<div style='background: url(a b) #000, black; color: RGB(1,1,1)!important'>x", true),
            ("<div style='background-color:#fff;color :#fff'>x", false),
            ("<td style='color:#fff'><td>x", false),
            ("<table><td style='color:#fff'><font><tr>x", true),
        ] {
            assert_eq!(hides(text), wanted, "{text}");
        }
    }

    #[test]
    fn depth_stops_at_the_limit() {
        for (depth, wanted) in [(DEPTH_LIMIT - 1, true), (DEPTH_LIMIT, false)] {
            assert_eq!(hides(&format!("{}<font color=white>x", "<p>".repeat(depth))), wanted, "{depth}");
        }
    }
}
