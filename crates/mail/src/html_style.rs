//! Inline style: as much CSS as it takes to see that text is hidden.

use gatepost_words::bytes::head_str;

/// Bytes of one style attribute that are read.
const STYLE_BYTES: usize = 4 << 10;
/// Colours that differ by less in every channel look the same; SpamAssassin's distance is of
/// the same size.
const SAME_COLOUR: u32 = 12;
/// Text moved that far out of the page is not seen.
const OFF_PAGE: f32 = -900.0;

/// A colour, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    Known(u32),
    /// A picture, a gradient, or a value that is not understood.
    Unknown,
}

/// What a style attribute sets of visibility; `None` where it sets nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Style {
    /// Not seen, and nothing inside can change that.
    pub(super) is_gone: bool,
    pub(super) is_invisible: Option<bool>,
    pub(super) is_tiny: Option<bool>,
    pub(super) colour: Option<Colour>,
    pub(super) background: Option<Colour>,
}

impl Style {
    /// Reads a style attribute (character references decoded).
    pub(super) fn read(value: &str) -> Self {
        let mut style = Self::default();
        let (mut is_flat, mut is_clipped) = (false, false);
        for declaration in head_str(value, STYLE_BYTES).split(';') {
            let Some((property, value)) = declaration.split_once(':') else {
                continue;
            };
            let value = value.trim().to_ascii_lowercase();
            let value = value.trim_end_matches("!important").trim();
            match property.trim().to_ascii_lowercase().as_str() {
                "display" => style.is_gone |= value == "none",
                "visibility" => style.is_invisible = Some(matches!(value, "hidden" | "collapse")),
                "opacity" => {
                    style.is_gone |= number(value).is_some_and(|(opacity, _)| opacity <= 0.01);
                }
                "font-size" => style.is_tiny = is_tiny(value).or(style.is_tiny),
                "font" => {
                    style.is_tiny = value.split([' ', '/']).find_map(is_tiny).or(style.is_tiny);
                }
                "color" => style.colour = colour(value),
                "background-color" => style.background = colour(value),
                "background" => style.background = background(value),
                "background-image" if value != "none" => style.background = Some(Colour::Unknown),
                "height" | "width" | "max-height" | "max-width" | "line-height" => {
                    is_flat |= number(value).is_some_and(|(size, _)| size == 0.0);
                }
                "overflow" | "overflow-x" | "overflow-y" => {
                    is_clipped |= matches!(value, "hidden" | "clip");
                }
                "text-indent" | "left" | "top" | "margin-left" | "margin-top" => {
                    style.is_gone |= number(value).is_some_and(|(shift, _)| shift <= OFF_PAGE);
                }
                "clip" => {
                    let is_nought = !value.contains(|c: char| matches!(c, '1'..='9'));
                    style.is_gone |= value.starts_with("rect(0") && is_nought;
                }
                _ => {}
            }
        }
        style.is_gone |= is_flat && is_clipped;
        style
    }
}

/// Whether text of one colour on the other cannot be read.
pub(super) fn is_same(colour: Colour, background: Colour) -> bool {
    let (Colour::Known(a), Colour::Known(b)) = (colour, background) else {
        return false;
    };
    [0, 8, 16]
        .iter()
        .all(|shift| ((a >> shift) & 0xff).abs_diff((b >> shift) & 0xff) < SAME_COLOUR)
}

/// A number and its unit.
fn number(value: &str) -> Option<(f32, &str)> {
    let end = value
        .find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+'))
        .unwrap_or(value.len());
    let (digits, unit) = value.split_at_checked(end)?;
    Some((digits.parse().ok()?, unit.trim()))
}

fn is_tiny(value: &str) -> Option<bool> {
    let (size, unit) = number(value)?;
    let smallest = match unit {
        "px" | "pt" => 1.0,
        "em" | "rem" | "ex" => 0.1,
        "%" => 10.0,
        "" if size == 0.0 => 0.0,
        _ => return None,
    };
    Some(size <= smallest)
}

fn background(value: &str) -> Option<Colour> {
    if value.contains("url(") || value.contains("gradient") {
        return Some(Colour::Unknown);
    }
    if value.contains('(') {
        return colour(value);
    }
    value
        .split_ascii_whitespace()
        .find_map(|word| colour(word).filter(|found| *found != Colour::Unknown))
}

/// Reads a colour of CSS or of an old attribute; `None` where it leaves the colour as it is.
pub(super) fn colour(value: &str) -> Option<Colour> {
    let value = value.trim().to_ascii_lowercase();
    if matches!(
        value.as_str(),
        "" | "inherit" | "initial" | "unset" | "transparent" | "none" | "windowtext"
    ) {
        return None;
    }
    if let Some(known) = NAMES.iter().find(|(name, _)| *name == value) {
        return Some(Colour::Known(known.1));
    }
    if let Some(arguments) = value
        .strip_prefix("rgba(")
        .or_else(|| value.strip_prefix("rgb("))
    {
        return Some(rgb(arguments).map_or(Colour::Unknown, Colour::Known));
    }
    let digits = value.strip_prefix('#').unwrap_or(&value);
    let known = match (digits.len(), u32::from_str_radix(digits, 16)) {
        (3, Ok(short)) => Colour::Known(
            ((short & 0xf00) * 0x1100) | ((short & 0xf0) * 0x110) | ((short & 0xf) * 0x11),
        ),
        (6, Ok(long)) => Colour::Known(long),
        _ => Colour::Unknown,
    };
    Some(known)
}

fn rgb(arguments: &str) -> Option<u32> {
    let arguments = arguments.trim_end_matches(')');
    let mut channels = arguments
        .split([',', ' ', '/'])
        .filter(|part| !part.is_empty())
        .map(number);
    let mut channel = || {
        let (value, unit) = channels.next()??;
        let value = if unit == "%" { value * 2.55 } else { value };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the range of a channel"
        )]
        Some(value.clamp(0.0, 255.0) as u32)
    };
    Some((channel()? << 16) | (channel()? << 8) | channel()?)
}

/// The colours that mail uses by name.
const NAMES: [(&str, u32); 22] = [
    ("white", 0xff_ffff),
    ("black", 0x00_0000),
    ("red", 0xff_0000),
    ("green", 0x00_8000),
    ("blue", 0x00_00ff),
    ("yellow", 0xff_ff00),
    ("gray", 0x80_8080),
    ("grey", 0x80_8080),
    ("silver", 0xc0_c0c0),
    ("maroon", 0x80_0000),
    ("navy", 0x00_0080),
    ("teal", 0x00_8080),
    ("olive", 0x80_8000),
    ("purple", 0x80_0080),
    ("lime", 0x00_ff00),
    ("aqua", 0x00_ffff),
    ("fuchsia", 0xff_00ff),
    ("orange", 0xff_a500),
    ("whitesmoke", 0xf5_f5f5),
    ("snow", 0xff_fafa),
    ("ivory", 0xff_fff0),
    ("lightgrey", 0xd3_d3d3),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read() {
        for (value, expected) in [
            ("#fff", Some(Colour::Known(0xff_ffff))),
            ("#1a2", Some(Colour::Known(0x11_aa22))),
            ("00FF7f", Some(Colour::Known(0x00_ff7f))),
            ("White", Some(Colour::Known(0xff_ffff))),
            ("rgb(1, 2,3)", Some(Colour::Known(0x01_0203))),
            ("rgba(100% 0 0 / .5)", Some(Colour::Known(0xff_0000))),
            ("rgb(x)", Some(Colour::Unknown)),
            ("chucknorris", Some(Colour::Unknown)),
            ("inherit", None),
        ] {
            assert_eq!(colour(value), expected, "{value}");
        }
    }

    #[test]
    fn same_colours_cannot_be_read() {
        assert!(is_same(Colour::Known(0xff_ffff), Colour::Known(0xff_fffe)));
        assert!(is_same(Colour::Known(0x0b_0000), Colour::Known(0)));
        assert!(!is_same(Colour::Known(0x0c_0000), Colour::Known(0)));
        assert!(!is_same(Colour::Known(0), Colour::Unknown));
    }

    #[test]
    fn hiding_styles_are_seen() {
        for (value, is_hidden) in [
            ("display:none", true),
            (" DISPLAY : None !important", true),
            ("display:block", false),
            ("visibility:hidden", true),
            ("opacity:0", true),
            ("opacity:.5", false),
            ("font-size:0", true),
            ("font-size:1px", true),
            ("font-size:2px", false),
            ("font:0px/0 arial", true),
            ("font: 12px arial", false),
            ("height:0;overflow:hidden", true),
            ("height:0", false),
            ("text-indent:-9999px", true),
            ("margin-left:-5px", false),
            ("color:red", false),
            ("nonsense", false),
            ("font-size:-", false),
        ] {
            let style = Style::read(value);
            let got =
                style.is_gone || style.is_invisible == Some(true) || style.is_tiny == Some(true);
            assert_eq!(got, is_hidden, "{value}");
        }
    }
}
