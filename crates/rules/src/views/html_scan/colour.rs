//! Colours of HTML and CSS.

/// The names of CSS Color Module Level 3 §4.3, sorted.
#[rustfmt::skip]
const NAMES: &[(&str, u32)] = &[
    ("aliceblue", 0xf0_f8ff), ("antiquewhite", 0xfa_ebd7), ("aqua", 0x00_ffff), ("aquamarine", 0x7f_ffd4),
    ("azure", 0xf0_ffff), ("beige", 0xf5_f5dc), ("bisque", 0xff_e4c4), ("black", 0x00_0000), ("blanchedalmond", 0xff_ebcd),
    ("blue", 0x00_00ff), ("blueviolet", 0x8a_2be2), ("brown", 0xa5_2a2a), ("burlywood", 0xde_b887), ("cadetblue", 0x5f_9ea0),
    ("chartreuse", 0x7f_ff00), ("chocolate", 0xd2_691e), ("coral", 0xff_7f50), ("cornflowerblue", 0x64_95ed),
    ("cornsilk", 0xff_f8dc), ("crimson", 0xdc_143c), ("cyan", 0x00_ffff), ("darkblue", 0x00_008b), ("darkcyan", 0x00_8b8b),
    ("darkgoldenrod", 0xb8_860b), ("darkgray", 0xa9_a9a9), ("darkgreen", 0x00_6400), ("darkgrey", 0xa9_a9a9),
    ("darkkhaki", 0xbd_b76b), ("darkmagenta", 0x8b_008b), ("darkolivegreen", 0x55_6b2f), ("darkorange", 0xff_8c00),
    ("darkorchid", 0x99_32cc), ("darkred", 0x8b_0000), ("darksalmon", 0xe9_967a), ("darkseagreen", 0x8f_bc8f),
    ("darkslateblue", 0x48_3d8b), ("darkslategray", 0x2f_4f4f), ("darkslategrey", 0x2f_4f4f), ("darkturquoise", 0x00_ced1),
    ("darkviolet", 0x94_00d3), ("deeppink", 0xff_1493), ("deepskyblue", 0x00_bfff), ("dimgray", 0x69_6969),
    ("dimgrey", 0x69_6969), ("dodgerblue", 0x1e_90ff), ("firebrick", 0xb2_2222), ("floralwhite", 0xff_faf0),
    ("forestgreen", 0x22_8b22), ("fuchsia", 0xff_00ff), ("gainsboro", 0xdc_dcdc), ("ghostwhite", 0xf8_f8ff),
    ("gold", 0xff_d700), ("goldenrod", 0xda_a520), ("gray", 0x80_8080), ("green", 0x00_8000), ("greenyellow", 0xad_ff2f),
    ("grey", 0x80_8080), ("honeydew", 0xf0_fff0), ("hotpink", 0xff_69b4), ("indianred", 0xcd_5c5c), ("indigo", 0x4b_0082),
    ("ivory", 0xff_fff0), ("khaki", 0xf0_e68c), ("lavender", 0xe6_e6fa), ("lavenderblush", 0xff_f0f5),
    ("lawngreen", 0x7c_fc00), ("lemonchiffon", 0xff_facd), ("lightblue", 0xad_d8e6), ("lightcoral", 0xf0_8080),
    ("lightcyan", 0xe0_ffff), ("lightgoldenrodyellow", 0xfa_fad2), ("lightgray", 0xd3_d3d3), ("lightgreen", 0x90_ee90),
    ("lightgrey", 0xd3_d3d3), ("lightpink", 0xff_b6c1), ("lightsalmon", 0xff_a07a), ("lightseagreen", 0x20_b2aa),
    ("lightskyblue", 0x87_cefa), ("lightslategray", 0x77_8899), ("lightslategrey", 0x77_8899),
    ("lightsteelblue", 0xb0_c4de), ("lightyellow", 0xff_ffe0), ("lime", 0x00_ff00), ("limegreen", 0x32_cd32),
    ("linen", 0xfa_f0e6), ("magenta", 0xff_00ff), ("maroon", 0x80_0000), ("mediumaquamarine", 0x66_cdaa),
    ("mediumblue", 0x00_00cd), ("mediumorchid", 0xba_55d3), ("mediumpurple", 0x93_70db), ("mediumseagreen", 0x3c_b371),
    ("mediumslateblue", 0x7b_68ee), ("mediumspringgreen", 0x00_fa9a), ("mediumturquoise", 0x48_d1cc),
    ("mediumvioletred", 0xc7_1585), ("midnightblue", 0x19_1970), ("mintcream", 0xf5_fffa), ("mistyrose", 0xff_e4e1),
    ("moccasin", 0xff_e4b5), ("navajowhite", 0xff_dead), ("navy", 0x00_0080), ("oldlace", 0xfd_f5e6), ("olive", 0x80_8000),
    ("olivedrab", 0x6b_8e23), ("orange", 0xff_a500), ("orangered", 0xff_4500), ("orchid", 0xda_70d6),
    ("palegoldenrod", 0xee_e8aa), ("palegreen", 0x98_fb98), ("paleturquoise", 0xaf_eeee), ("palevioletred", 0xdb_7093),
    ("papayawhip", 0xff_efd5), ("peachpuff", 0xff_dab9), ("peru", 0xcd_853f), ("pink", 0xff_c0cb), ("plum", 0xdd_a0dd),
    ("powderblue", 0xb0_e0e6), ("purple", 0x80_0080), ("red", 0xff_0000), ("rosybrown", 0xbc_8f8f), ("royalblue", 0x41_69e1),
    ("saddlebrown", 0x8b_4513), ("salmon", 0xfa_8072), ("sandybrown", 0xf4_a460), ("seagreen", 0x2e_8b57),
    ("seashell", 0xff_f5ee), ("sienna", 0xa0_522d), ("silver", 0xc0_c0c0), ("skyblue", 0x87_ceeb), ("slateblue", 0x6a_5acd),
    ("slategray", 0x70_8090), ("slategrey", 0x70_8090), ("snow", 0xff_fafa), ("springgreen", 0x00_ff7f),
    ("steelblue", 0x46_82b4), ("tan", 0xd2_b48c), ("teal", 0x00_8080), ("thistle", 0xd8_bfd8), ("tomato", 0xff_6347),
    ("turquoise", 0x40_e0d0), ("violet", 0xee_82ee), ("wheat", 0xf5_deb3), ("white", 0xff_ffff), ("whitesmoke", 0xf5_f5f5),
    ("yellow", 0xff_ff00), ("yellowgreen", 0x9a_cd32),
];

/// Text of less contrast can hardly be read; 191 is black on white.
const CONTRAST_MIN: f64 = 12.0;

/// Red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour([u8; 3]);

impl Colour {
    pub(crate) const BLACK: Self = Self([0; 3]);
    pub(crate) const WHITE: Self = Self([255; 3]);

    fn from_number(number: u32) -> Self {
        let [_, red, green, blue] = number.to_be_bytes();
        Self([red, green, blue])
    }

    /// The value of an attribute: a name, `#fff` or `#ffffff`, or `rgb(1, 2, 3)`. `None` is one
    /// that browsers guess at.
    pub(crate) fn read(value: &str) -> Option<Self> {
        let value = value.trim_ascii().to_ascii_lowercase();
        if let Ok(index) = NAMES.binary_search_by(|(name, _)| (*name).cmp(&value)) {
            return NAMES
                .get(index)
                .map(|(_, number)| Self::from_number(*number));
        }
        match value.strip_prefix('#') {
            Some(digits) => Self::hexadecimal(digits),
            None => Self::function(&value),
        }
    }

    /// More digits than six are ignored, fewer than six but more than three cut to three, missing
    /// ones are 0.
    fn hexadecimal(text: &str) -> Option<Self> {
        let digits: Vec<u32> = text
            .chars()
            .filter(|c| *c != '#')
            .map(|c| c.to_digit(16))
            .collect::<Option<_>>()?;
        let digit = |index: usize| digits.get(index).copied().unwrap_or(0);
        let number = match digits.len() {
            0 => return None,
            1..6 => (0..3).fold(0, |number, index| (number << 8) | (digit(index) * 0x11)),
            _ => (0..6).fold(0, |number, index| (number << 4) | digit(index)),
        };
        Some(Self::from_number(number))
    }

    /// `rgb(1, 2, 3)` or `rgb(10%, 20%, 30%)`.
    fn function(value: &str) -> Option<Self> {
        let (_, rest) = value.split_once("rgb(")?;
        let (inside, _) = rest.split_once(')')?;
        let mut shares = inside.split(',').map(|share| {
            let share = share.trim_ascii();
            let (digits, whole) = share
                .strip_suffix('%')
                .map_or((share, 255.0), |digits| (digits, 100.0));
            digits
                .parse::<u32>()
                .ok()
                .map(|number| byte(f64::from(number) * 255.0 / whole))
        });
        let mut next = || shares.next().flatten();
        let colour = Self([next()?, next()?, next()?]);
        shares.next().is_none().then_some(colour)
    }

    /// What a style says somewhere around `rgb`: its numbers, whatever else is there. Missing
    /// ones are 0.
    pub(crate) fn loose(value: &str) -> Self {
        let kept: String = value
            .chars()
            .filter(|c| c.is_ascii_digit() || *c == ',')
            .collect();
        let mut numbers = kept.split(',').map(|number| number.parse().map_or(0, byte));
        let mut next = || numbers.next().unwrap_or(0);
        Self([next(), next(), next()])
    }

    /// Whether text of this colour can hardly be read on the other. The eye sees green best and
    /// blue least (the weights of ITU-R BT.709).
    pub(crate) fn hides_on(self, ground: Self) -> bool {
        let weights = [0.2126, 0.7152, 0.0722];
        let channels = self.0.into_iter().zip(ground.0).zip(weights);
        let squares = channels
            .map(|((one, other), weight)| (weight * (f64::from(one) - f64::from(other))).powi(2));
        squares.sum::<f64>().sqrt() < CONTRAST_MIN
    }
}

/// A share of a colour; more than 255 is 255.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number lies between 0 and 255"
)]
fn byte(number: f64) -> u8 {
    number.min(255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::{Colour, NAMES};

    #[test]
    fn colours_are_read() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0) && NAMES.len() == 147);
        for (value, wanted) in [
            ("#fff", Some(0xff_ffff)),
            (" Red ", Some(0xff_0000)),
            ("#12345", Some(0x11_2233)),
            ("#1", Some(0x11_0000)),
            ("#1234567", Some(0x12_3456)),
            ("rgb(1, 2,3)", Some(0x01_0203)),
            ("rgb(100%,0%,50%)", Some(0xff_007f)),
            ("rgb(1,2)", None),
            ("rgb(1,2,3,4)", None),
            ("ffffff", None),
            ("#", None),
            ("#ggg", None),
            ("banana", None),
        ] {
            assert_eq!(
                Colour::read(value),
                wanted.map(Colour::from_number),
                "{value}"
            );
        }
        assert_eq!(Colour::loose("rgba(1, 300,x)"), Colour([1, 255, 0]));
        assert_eq!(
            Colour::loose("rgb(255 255 255 / 0.95)"),
            Colour([255, 0, 0])
        );
    }

    #[test]
    fn contrast() {
        for (one, other, wanted) in [
            ("#fff", "#fefefe", true),
            ("#fff", "#eee", false),
            ("blue", "black", false),
            ("#00f", "#00a", true),
        ] {
            let (one, other) = (Colour::read(one).unwrap(), Colour::read(other).unwrap());
            assert_eq!(one.hides_on(other), wanted, "{one:?} {other:?}");
        }
    }
}
