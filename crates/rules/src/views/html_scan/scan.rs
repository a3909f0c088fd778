//! The walk over one HTML text, and what it counts.

use std::collections::BTreeMap;

use super::elements;
use super::elements::Kind;
use crate::views::computed_style::{ComputedStyles, Fault};
use crate::views::html::{is_blank, prepared};
use crate::views::html_source::{HtmlSource, Piece};

/// Different names of elements that are counted.
const NAMES_LIMIT: usize = 512;
/// Bytes of the texts of all links.
const ANCHORS_LIMIT: usize = 64 << 10;
/// Titles that are kept.
const TITLES_LIMIT: usize = 64;
/// Comments that are kept.
const COMMENTS_LIMIT: usize = 200;
/// Bytes of a link beyond which SpamAssassin cuts it.
const LINK_LIMIT: usize = 8_192;
/// The window of which a picture's share in percent is taken, and the side of one that does not
/// tell.
const WINDOW: (f64, f64) = (800.0, 600.0);
const UNKNOWN_SIDE: f64 = 200.0;

/// What was counted.
#[expect(clippy::struct_excessive_bools, reason = "independent findings")]
#[derive(Debug, Default)]
pub(crate) struct HtmlScan {
    /// How many elements of each name are open at the end; a name that occurred at all has an
    /// entry.
    pub(crate) inside: BTreeMap<String, i32>,
    /// Characters of the source.
    pub(crate) length: usize,
    /// Characters of the rendered text that are no white space.
    pub(crate) non_space: usize,
    /// Square pixels of all pictures that tell their size.
    pub(crate) image_area: f64,
    pub(crate) low_contrast: bool,
    pub(crate) invalid_colour: bool,
    pub(crate) bad_font_face: bool,
    pub(crate) embeds: bool,
    pub(crate) form_mailto: bool,
    pub(crate) has_iframe_source: bool,
    /// A link is longer than 8,192 bytes.
    pub(crate) has_long_link: bool,
    pub(crate) titles: Vec<String>,
    /// The texts of links; a picture is `<img>`.
    pub(crate) anchors: Vec<String>,
    /// Comments with their brackets.
    pub(crate) comments: Vec<String>,
    /// Sizes of text in steps of 1 to 7.
    largest: i64,
    smallest: i64,
    tags: Tally,
    elements: Tally,
    /// End tags of what was not open.
    closed_extra: u32,
    /// Words that a tag cuts in two.
    cut_words: u32,
}

/// How many there were, and how many different ones.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    all: u32,
    names: u32,
}

impl Tally {
    fn count(&mut self, is_new: bool) {
        self.all += 1;
        self.names += u32::from(is_new);
    }
}

/// The share of `part` in all; `None` of nothing.
fn share(part: u32, all: u32) -> Option<f64> {
    (all > 0).then(|| f64::from(part) / f64::from(all))
}

struct Walk {
    scan: HtmlScan,
    looks: ComputedStyles,
    /// The last character that was shown.
    last: Option<char>,
    anchor_bytes: usize,
}

impl HtmlScan {
    /// Counts one HTML text.
    pub(crate) fn read(source: &str, rendered: &str) -> Self {
        let scan = Self {
            length: source.chars().filter(|c| *c != '\r').count(),
            non_space: rendered.chars().filter(|c| !c.is_whitespace()).count(),
            ..Self::default()
        };
        let mut walk = Walk {
            scan,
            looks: ComputedStyles::default(),
            last: None,
            anchor_bytes: 0,
        };
        let prepared = prepared(source);
        let mut pieces = HtmlSource::new(&prepared);
        while let Some(piece) = pieces.next() {
            match piece {
                Piece::Open(name) => walk.open(&name.to_ascii_lowercase(), &pieces),
                Piece::Close(name) => walk.close(&name.to_ascii_lowercase()),
                Piece::Text(text) => walk.text(&text),
                Piece::Other => {}
            }
        }
        walk.scan.read_comments(source);
        (walk.scan.largest, walk.scan.smallest) = (walk.looks.largest, walk.looks.smallest);
        walk.scan
    }

    /// A count by its name in rules; `None` where SpamAssassin has no value either.
    #[expect(
        clippy::cast_precision_loss,
        reason = "characters of one message are far below 2^52"
    )]
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        let others = |tally: fn(&Tally) -> u32| {
            let (tags, elements) = (tally(&self.tags), tally(&self.elements));
            share(tags.saturating_sub(elements), tags).filter(|_| elements > 0)
        };
        match name {
            "length" => Some(self.length as f64),
            "max_size" => Some(self.largest as f64),
            "min_size" => Some(self.smallest as f64),
            "bad_tag_ratio" => others(|tally| tally.all),
            "non_element_ratio" => others(|tally| tally.names),
            "closed_extra_ratio" => share(self.closed_extra, self.tags.all),
            "obfuscation_ratio" => {
                share(self.cut_words, self.tags.all).filter(|_| self.cut_words > 0)
            }
            _ => None,
        }
    }

    /// Keeps the comments, and counts a document type as an element.
    fn read_comments(&mut self, source: &str) {
        let mut rest = source;
        for _ in 0..COMMENTS_LIMIT {
            let Some((_, behind)) = rest.split_once("<!") else {
                break;
            };
            if let Some(comment) = behind.strip_prefix("--") {
                let Some((inside, next)) = comment.split_once("-->") else {
                    break;
                };
                self.comments.push(format!("<!--{inside}-->"));
                rest = next;
                continue;
            }
            if behind
                .get(..7)
                .is_some_and(|name| name.eq_ignore_ascii_case("doctype"))
            {
                self.tags.all += 1;
                self.elements.all += 1;
                self.inside.insert("!doctype".to_owned(), 0);
            }
            rest = behind;
        }
    }
}

impl Walk {
    /// Counts a tag and tells what its name is; `None` when there are too many names.
    fn count(&mut self, name: &str, step: i32) -> Option<Kind> {
        let is_new = !self.scan.inside.contains_key(name);
        if is_new && self.scan.inside.len() >= NAMES_LIMIT {
            return None;
        }
        let kind = elements::kind(name);
        self.scan.tags.count(is_new);
        if matches!(kind, Kind::Element | Kind::Namespace) {
            self.scan.elements.count(is_new);
        }
        let open = self.scan.inside.entry(name.to_owned()).or_default();
        if *open + step < 0 {
            self.scan.closed_extra += 1;
        }
        *open = (*open + step).max(0);
        Some(kind)
    }

    fn open(&mut self, name: &str, tag: &HtmlSource<'_>) {
        let Some(Kind::Element | Kind::Shown) = self.count(name, 1) else {
            return;
        };
        self.looks.open(name, tag);
        self.part_text(name);
        self.look_at(name, |key| tag.attribute(key));
    }

    fn close(&mut self, name: &str) {
        let Some(Kind::Element | Kind::Shown) = self.count(name, -1) else {
            return;
        };
        self.looks.close(name);
        self.part_text(name);
    }

    fn part_text(&mut self, name: &str) {
        if elements::parts_text(name) {
            self.last = Some('\n');
        }
    }

    /// ComputedStyles at the attributes of a start tag.
    fn look_at<V: AsRef<str>>(&mut self, name: &str, value: impl Fn(&str) -> Option<V>) {
        let scan = &mut self.scan;
        let link = elements::link_attribute(name).and_then(&value);
        scan.has_long_link |= link.is_some_and(|link| link.as_ref().trim().len() > LINK_LIMIT);
        match name {
            "font" => {
                scan.bad_font_face |=
                    value("face").is_some_and(|face| !is_font_face(face.as_ref()));
            }
            "img" => {
                let (width, height) = WINDOW;
                let sides = value("width").zip(value("height"));
                let area = sides
                    .map(|sides| side(sides.0.as_ref(), width) * side(sides.1.as_ref(), height));
                scan.image_area += area.unwrap_or(0.0);
                self.anchor_text("<img>\n");
            }
            "form" => {
                let action = value("action");
                scan.form_mailto |= action
                    .is_some_and(|action| action.as_ref().to_ascii_lowercase().contains("mailto:"));
            }
            "object" | "embed" => scan.embeds = true,
            "iframe" => {
                scan.has_iframe_source |=
                    value("src").is_some_and(|source| !source.as_ref().trim().is_empty());
            }
            "title" if scan.titles.len() < TITLES_LIMIT => scan.titles.push(String::new()),
            "a" if self.anchor_bytes < ANCHORS_LIMIT => scan.anchors.push(String::new()),
            _ => {}
        }
    }

    /// Adds to the text of the link that is open.
    fn anchor_text(&mut self, text: &str) {
        if !self.is_inside("a") {
            return;
        }
        self.anchor_bytes += text.len();
        if let Some(anchor) = self
            .scan
            .anchors
            .last_mut()
            .filter(|_| self.anchor_bytes < ANCHORS_LIMIT)
        {
            anchor.push_str(text);
        }
    }

    fn is_inside(&self, name: &str) -> bool {
        self.scan.inside.get(name).is_some_and(|open| *open > 0)
    }

    fn text(&mut self, text: &str) {
        if self.is_inside("script") || self.is_inside("style") {
            return;
        }
        self.anchor_text(text);
        if self.is_inside("title")
            && let Some(title) = self.scan.titles.last_mut()
        {
            title.push_str(text);
        }
        let is_word = |c: char| !c.is_whitespace() && !c.is_ascii_punctuation();
        let is_cut = self.last.is_some_and(is_word) && text.starts_with(is_word);
        self.scan.cut_words += u32::from(is_cut);
        self.last = text.chars().next_back().or(self.last);
        if is_blank(text) {
            return;
        }
        match self.looks.fault() {
            Some(Fault::LowContrast) => self.scan.low_contrast = true,
            Some(Fault::InvalidColour) => self.scan.invalid_colour = true,
            None => {}
        }
    }
}

/// A side of a picture in pixels or in percent of the window.
fn side(value: &str, window: f64) -> f64 {
    let (digits, unit) = value
        .strip_suffix('%')
        .map_or((value, 1.0), |digits| (digits, window / 100.0));
    let is_number =
        (1..10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let pixels = digits
        .parse::<f64>()
        .ok()
        .filter(|_| is_number)
        .map_or(0.0, |number| number * unit);
    if pixels > 0.0 { pixels } else { UNKNOWN_SIDE }
}

/// Whether it is a list of names of fonts as people write them: letters, blanks and hyphens, a
/// digit at the end, with or without quotation marks.
fn is_font_face(face: &str) -> bool {
    let face = face.strip_suffix(';').unwrap_or(face);
    face.split(',').enumerate().all(|(index, name)| {
        let name = name.trim_start();
        // Some systems have fonts of their own whose names begin with a dot.
        let marks: &[char] = if index == 0 {
            &['"', '\'', '.']
        } else {
            &['"', '\'']
        };
        let name = name.strip_prefix(marks).unwrap_or(name);
        let name = name.strip_suffix(['"', '\'']).unwrap_or(name);
        let letters = name
            .strip_suffix(|c: char| c.is_ascii_digit())
            .unwrap_or(name);
        let is_start = |c: char| c.is_ascii_alphabetic() || (index == 0 && c == ' ');
        letters.len() >= 2
            && letters.starts_with(is_start)
            && letters.ends_with(|c: char| c.is_ascii_alphabetic())
            && letters
                .bytes()
                .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b' ' | b'-'))
    })
}

#[cfg(test)]
mod tests {
    use super::{COMMENTS_LIMIT, HtmlScan, LINK_LIMIT, NAMES_LIMIT, is_font_face, side};

    fn scan(source: &str) -> HtmlScan {
        HtmlScan::read(source, "")
    }

    fn is(one: Option<f64>, other: f64) -> bool {
        one.is_some_and(|one| (one - other).abs() < 1e-9)
    }

    #[test]
    fn html_is_counted() {
        let scan = HtmlScan::read(
            "<center><img width=10 height=10><font size=6 color=#fefefe>\u{e9}</font></p>",
            "\u{e9} x",
        );
        assert_eq!(scan.inside.get("center"), Some(&1));
        assert!(
            (scan.image_area - 100.0).abs() < 0.1
                && scan.low_contrast
                && is(scan.number("max_size"), 6.0)
        );
        assert!(
            is(scan.number("closed_extra_ratio"), 0.2) && scan.non_space == 2 && scan.length == 71
        );
        assert!(scan.number("banana").is_none());
    }

    #[test]
    fn tags_and_elements_are_kept_apart() {
        let scan = scan("<!DOCTYPE html><p><x><x><o:p></o:p><embed>");
        // Tags: doctype, p, x, x, o:p twice, embed; elements: doctype, p, o:p twice.
        assert!(is(scan.number("bad_tag_ratio"), 3.0 / 7.0));
        assert!(is(scan.number("non_element_ratio"), 2.0 / 4.0));
        assert!(scan.embeds && scan.inside.contains_key("!doctype"));
    }

    #[test]
    fn words_that_are_cut() {
        for (source, wanted) in [
            ("vi<b>ag</b>ra", Some(1.0)),
            ("vi <b>ag</b> ra", None),
            ("vi<br>ag", None),
            ("a<b>!</b>b", None),
        ] {
            let ratio = scan(source).number("obfuscation_ratio");
            assert!(
                wanted.map_or(ratio.is_none(), |wanted| is(ratio, wanted)),
                "{source} {ratio:?}"
            );
        }
    }

    #[test]
    fn attributes_are_looked_at() {
        assert!(
            scan("<form action='MAILTO:a@example.com'>").form_mailto
                && !scan("<form action=x>").form_mailto
        );
        assert!(
            scan("<iframe src=x></iframe>").has_iframe_source
                && !scan("<iframe src=' '></iframe>").has_iframe_source
        );
        assert!(scan("<font face='#1'>").bad_font_face && !scan("<font face=Arial>").bad_font_face);
        let texts = scan("<a href=x>one<img></a> two <title>t</title>");
        assert_eq!(
            (texts.anchors, texts.titles),
            (vec!["one<img>\n".to_owned()], vec!["t".to_owned()])
        );
        for (length, is_long) in [(LINK_LIMIT, false), (LINK_LIMIT + 1, true)] {
            assert_eq!(
                scan(&format!("<a href={}>", "x".repeat(length))).has_long_link,
                is_long,
                "{length}"
            );
        }
    }

    #[test]
    fn comments_and_names_are_limited() {
        for (count, kept) in [
            (COMMENTS_LIMIT, COMMENTS_LIMIT),
            (COMMENTS_LIMIT + 1, COMMENTS_LIMIT),
        ] {
            assert_eq!(scan(&"<!--x-->".repeat(count)).comments.len(), kept);
        }
        for (count, kept) in [(NAMES_LIMIT, NAMES_LIMIT), (NAMES_LIMIT + 1, NAMES_LIMIT)] {
            let names: Vec<String> = (0..count).map(|number| format!("<x{number}>")).collect();
            let source = names.concat();
            assert_eq!(scan(&source).inside.len(), kept);
        }
    }

    #[test]
    fn sides_and_faces() {
        for (value, wanted) in [
            ("10", 10.0),
            ("50%", 400.0),
            ("0", 200.0),
            ("x", 200.0),
            ("10px", 200.0),
        ] {
            assert!((side(value, 800.0) - wanted).abs() < 1e-9, "{value}");
        }
        for (face, wanted) in [
            ("Arial, Helvetica", true),
            ("'Open Sans', sans-serif;", true),
            (".SFUIDisplay", true),
            ("Univers5", true),
            ("Arial,.x", false),
            ("#1", false),
            ("", false),
        ] {
            assert_eq!(is_font_face(face), wanted, "{face}");
        }
    }
}
