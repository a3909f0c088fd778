//! How text of HTML looks, and whether it can be seen, as SpamAssassin decides it: by colours,
//! sizes and inline style of the elements around.

use super::html_scan::colour::Colour;
use super::html_source::HtmlSource;
use gatepost_words::bytes;

/// Elements with a style that are open at once; deeper ones look like the last of them.
const DEPTH_LIMIT: usize = 10_000;
/// Bytes of one style attribute that are read.
const STYLE_LIMIT: usize = 64 << 10;
/// Elements that change how text looks, `th` being a `td`.
const STYLED: [&str; 13] = [
    "body", "font", "table", "tr", "td", "big", "small", "basefont", "marquee", "span", "p", "div",
    "a",
];

/// A colour, as far as it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paint {
    Known(Colour),
    Invalid,
    /// `#` without digits, which SpamAssassin takes for a colour that is like no other.
    Empty,
    /// Resolved at the end of a style attribute.
    Transparent,
}

/// What is wrong with the colours of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It can hardly be distinguished from what is after it.
    LowContrast,
    /// One colour is none.
    InvalidColour,
}

/// How text looks inside an element.
#[derive(Clone, Copy, Debug)]
struct ComputedStyle {
    /// Position in [`STYLED`].
    element: usize,
    size: i64,
    front: Paint,
    back: Paint,
    has_no_display: bool,
    is_hidden: bool,
}

/// The looks of the open elements, and the extremes of size that were met.
#[derive(Debug)]
pub(crate) struct ComputedStyles {
    open: Vec<ComputedStyle>,
    /// How many elements of each name are open.
    counts: [usize; STYLED.len()],
    base_size: i64,
    /// The largest size that an attribute left, in the steps of 1 to 7 that `font` counts.
    pub(crate) largest: i64,
    /// The smallest.
    pub(crate) smallest: i64,
}

const PAGE: ComputedStyle = ComputedStyle {
    element: usize::MAX,
    size: 3,
    front: Paint::Known(Colour::BLACK),
    back: Paint::Known(Colour::WHITE),
    has_no_display: false,
    is_hidden: false,
};

impl Default for ComputedStyles {
    fn default() -> Self {
        let (counts, usual) = ([0; STYLED.len()], PAGE.size);
        Self {
            open: Vec::new(),
            counts,
            base_size: usual,
            largest: usual,
            smallest: usual,
        }
    }
}

impl ComputedStyles {
    fn top(&self) -> ComputedStyle {
        self.open.last().copied().unwrap_or(PAGE)
    }

    /// Whether text at this place is not seen.
    pub(super) fn hides_text(&self) -> bool {
        let look = self.top();
        self.fault().is_some() || look.size <= 1 || look.has_no_display || look.is_hidden
    }

    /// What is wrong with the colours of text at this place. Two colours that are none are taken
    /// for the same.
    pub(crate) fn fault(&self) -> Option<Fault> {
        let look = self.top();
        match (look.front, look.back) {
            (Paint::Known(front), Paint::Known(back)) => {
                front.hides_on(back).then_some(Fault::LowContrast)
            }
            (front, back) if front == back => Some(Fault::LowContrast),
            (Paint::Invalid, _) | (_, Paint::Invalid) => Some(Fault::InvalidColour),
            _ => None,
        }
    }

    /// A start tag; the name is in lower case.
    pub(crate) fn open(&mut self, name: &str, tag: &HtmlSource<'_>) {
        let Some(element) = styled(name) else { return };
        let base = if name == "basefont" {
            tag.attribute("size")
                .and_then(|size| digits(size.trim_start()))
        } else {
            None
        };
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
        let mut look = ComputedStyle {
            element,
            ..self.top()
        };
        match name {
            "big" => look.size += 1,
            "small" => look.size -= 1,
            _ if tag.has_attributes() => {
                self.read_attributes(name, tag, &mut look);
                if may_change(name)
                    .iter()
                    .any(|attribute| tag.attribute(attribute).is_some())
                {
                    self.note_size(look.size);
                }
            }
            _ => {}
        }
        self.open.push(look);
        self.count(element, 1);
    }

    /// As SpamAssassin: what is a new largest size is no candidate for the smallest.
    fn note_size(&mut self, size: i64) {
        if size > self.largest {
            self.largest = size;
        } else {
            self.smallest = self.smallest.min(size);
        }
    }

    /// An end tag; the name is in lower case. A body is never left: text after it is shown like
    /// that inside.
    pub(crate) fn close(&mut self, name: &str) {
        let Some(element) = styled(name).filter(|_| name != "body") else {
            return;
        };
        if self.counts.get(element).is_none_or(|count| *count == 0) {
            return;
        }
        while let Some(look) = self.pop() {
            if look.element == element {
                break;
            }
        }
    }

    fn pop(&mut self) -> Option<ComputedStyle> {
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

    fn read_attributes(&self, name: &str, tag: &HtmlSource<'_>, look: &mut ComputedStyle) {
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

    fn read_style(&self, style: &str, look: &mut ComputedStyle) {
        let style = bytes::head_str(style, style.floor_char_boundary(STYLE_LIMIT));
        for declaration in style.split(';') {
            let Some((property, written)) = declaration.split_once(':') else {
                continue;
            };
            let (property, value) = (
                property.trim_start_matches(is_space),
                written.trim_matches(is_space),
            );
            let is_colour = property.eq_ignore_ascii_case("color")
                || property.eq_ignore_ascii_case("background-color");
            // A value goes over one line. Nothing is no declaration, but a blank is a colour, which
            // is none.
            let is_blank = value.is_empty() && is_colour && written.contains(|c| c != '\n');
            if value.contains('\n') || (value.is_empty() && !is_blank) {
                continue;
            }
            match property {
                _ if property.eq_ignore_ascii_case("color") => {
                    look.front = css_paint(value).unwrap_or(look.front);
                }
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
    let digits = value.trim_matches(is_space).trim_start_matches('#');
    let is_empty = digits.is_empty() && value.contains('#');
    Colour::read(value).map_or(
        if is_empty {
            Paint::Empty
        } else {
            Paint::Invalid
        },
        Paint::Known,
    )
}

/// The colour of a declaration; `None` where it leaves it as it is.
fn css_paint(value: &str) -> Option<Paint> {
    let value = value.to_ascii_lowercase();
    let important = value
        .strip_suffix("important")
        .map(|rest| rest.trim_end_matches(is_space));
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
    words
        .iter()
        .filter(|word| !word.is_empty())
        .find_map(|word| Colour::read(word))
}

/// The attributes that SpamAssassin looks at. After each it compares the size, whether it changed
/// or not.
fn may_change(name: &str) -> &'static [&'static str] {
    match name {
        "body" => &["text", "bgcolor", "link", "alink", "vlink", "background"],
        "font" | "basefont" => &["color", "face", "size"],
        "marquee" => &["bgcolor", "background"],
        "table" | "td" | "th" | "tr" => &["bgcolor", "style"],
        _ => &["style"],
    }
}

/// The number at the start, at most nine digits of it.
fn digits(text: &str) -> Option<i64> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    text.get(..length.min(9))
        .filter(|digits| !digits.is_empty())?
        .parse()
        .ok()
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::html_source::Piece;

    /// Whether the text `x` of a source is hidden.
    fn hides(text: &str) -> bool {
        at_x(text).hides_text()
    }

    /// The style where the text `x` of a source is.
    fn at_x(text: &str) -> ComputedStyles {
        let (mut source, mut looks) = (HtmlSource::new(text), ComputedStyles::default());
        while let Some(piece) = source.next() {
            match piece {
                Piece::Text(text) if text == "x" => return looks,
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
            (
                "<div style='display:none'><p style='display:block'>x",
                false,
            ),
            ("<div style='visibility:hidden'><b>x", true),
            ("<div style='color:transparent'>x", true),
            (
                "<div style='background: url(a b) #000, black; color: RGB(1,1,1)!important'>x",
                true,
            ),
            ("<div style='background-color:#fff;color :#fff'>x", false),
            ("<td style='color:#fff'><td>x", false),
            ("<table><td style='color:#fff'><font><tr>x", true),
        ] {
            assert_eq!(hides(text), wanted, "{text}");
        }
    }

    #[test]
    fn colours_are_judged() {
        let (low, invalid) = (Some(Fault::LowContrast), Some(Fault::InvalidColour));
        for (text, wanted) in [
            ("<font color='#fefefe'>x", low),
            ("<font color=nonsense>x", invalid),
            ("<p style='COLOR: rgb(255,255,250) !important'>x", low),
            ("<p style='color: rgb(255 255 255 / 90%)'>x", None),
            ("<p style='color:inherit'>x", None),
            ("<p style='color:initial'>x", invalid),
            ("<p style='color: !important'>x", invalid),
            ("<p style='color: '>x", invalid),
            ("<p style='background-color: ; color:'>x", invalid),
            ("<p style='color:'>x", None),
            ("<p style='color:#'>x", None),
            ("<p style='color:#;background-color:#'>x", low),
            ("<p style='color:#;background-color:no'>x", invalid),
            ("<p style='color:\n'>x", None),
            ("<p style='color:\nno'>x", invalid),
            ("<p style='color:n\no'>x", None),
            ("<p style='color : no'>x", None),
            ("<p style='color: a; background-color: b'>x", low),
            ("<p style='background: black, white'>x", None),
            ("<p style='Background: black'>x", None),
            ("<p style='background: black'>x", low),
            ("<p color=white>x", None),
        ] {
            assert_eq!(at_x(text).fault(), wanted, "{text:?}");
        }
    }

    #[test]
    fn sizes_are_noted() {
        for (text, wanted) in [
            ("<big>x", (3, 3)),
            ("<big><font face=a>x", (4, 3)),
            ("<basefont size=4><font size=+2><font size=-3>x", (6, 1)),
            ("<font size=7pt>x", (7, 3)),
            ("<small><font data-a=b>x", (3, 3)),
            ("<small><td bgcolor=red>x", (3, 2)),
        ] {
            let looks = at_x(text);
            assert_eq!((looks.largest, looks.smallest), wanted, "{text}");
        }
    }

    #[test]
    fn depth_stops_at_the_limit() {
        for (depth, wanted) in [(DEPTH_LIMIT - 1, true), (DEPTH_LIMIT, false)] {
            assert_eq!(
                hides(&format!("{}<font color=white>x", "<p>".repeat(depth))),
                wanted,
                "{depth}"
            );
        }
    }
}
