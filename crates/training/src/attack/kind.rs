//! The kinds of attack, and what each does to a mail.

use super::super::random::Random;
use super::Good;
use super::mail::{Encoding, Part, Rewriter, with_fields_of};
use super::text;

/// One way to hide spam.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// 100 words of ham after the text.
    Words100,
    /// 300 words of ham after the text.
    Words300,
    /// 300 words of ham before the text.
    Words300First,
    /// 1,500 characters of a ham after the text.
    HamBehind,
    /// 1,500 characters of a ham before the text.
    HamBefore,
    /// 6,000 characters of ham after the text: more than is read of the head of a text.
    FloodBehind,
    /// 6,000 characters of ham before the text.
    FloodBefore,
    /// Half of the letters become letters of other scripts that look the same.
    Homoglyphs,
    /// Invisible characters after 30 % of the letters.
    ZeroWidth,
    /// The letters of half of the words are spaced out.
    Spaced,
    /// Letters of half of the words are swapped, doubled or left out.
    Typos,
    /// 300 words of ham that HTML does not show.
    Hidden,
    /// Words cut by HTML comments and empty tags.
    CutByTags,
    /// Links with a user name, a port, and escaped letters.
    Links,
    /// Text as base 64 and the subject as an encoded word.
    Encoded,
    /// Only the first link, around an image, is left of the text.
    ImageOnly,
    /// The header fields of a ham, but for those that say from whom, to whom and when a message is
    /// and how it is made.
    HamHeader,
}

impl Attack {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 17] = [
        Self::Words100,
        Self::Words300,
        Self::Words300First,
        Self::HamBehind,
        Self::HamBefore,
        Self::FloodBehind,
        Self::FloodBefore,
        Self::Homoglyphs,
        Self::ZeroWidth,
        Self::Spaced,
        Self::Typos,
        Self::Hidden,
        Self::CutByTags,
        Self::Links,
        Self::Encoded,
        Self::ImageOnly,
        Self::HamHeader,
    ];

    /// Those that hide most: training sees them oftener.
    pub(in super::super) const HARDEST: [Self; 3] =
        [Self::FloodBehind, Self::FloodBefore, Self::ImageOnly];

    /// The name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Words100 => "words-100",
            Self::Words300 => "words-300",
            Self::Words300First => "words-300-first",
            Self::HamBehind => "ham-behind",
            Self::HamBefore => "ham-before",
            Self::FloodBehind => "flood-behind",
            Self::FloodBefore => "flood-before",
            Self::Homoglyphs => "homoglyphs",
            Self::ZeroWidth => "zero-width",
            Self::Spaced => "spaced",
            Self::Typos => "typos",
            Self::Hidden => "hidden",
            Self::CutByTags => "cut-by-tags",
            Self::Links => "links",
            Self::Encoded => "encoded",
            Self::ImageOnly => "image-only",
            Self::HamHeader => "ham-header",
        }
    }

    /// Whether ham is written so as well, by people and programs that hide nothing.
    pub(in super::super) fn happens_to_ham(self) -> bool {
        matches!(
            self,
            Self::Words100 | Self::HamBehind | Self::HamBefore | Self::FloodBehind | Self::Encoded
        )
    }

    /// The mail after the attack; `None` where it has no text that could be changed.
    pub(in super::super) fn apply(
        self,
        raw: &[u8],
        good: &Good,
        random: &mut Random,
    ) -> Option<Vec<u8>> {
        if self == Self::HamHeader {
            return Some(with_fields_of(raw, good.header(random)));
        }
        let encoding = if self == Self::Encoded {
            Encoding::Base64
        } else {
            Encoding::EightBit
        };
        let mut rewriter = Rewriter::new(raw, encoding);
        if matches!(
            self,
            Self::Homoglyphs | Self::ZeroWidth | Self::Spaced | Self::Typos | Self::Encoded
        ) {
            rewriter.subject(|subject| self.letters(subject, random));
        }
        let padding = self.padding(good, random);
        rewriter.texts(|part| match self {
            Self::Words100 | Self::Words300 | Self::HamBehind | Self::FloodBehind => {
                text::append(part, &padding)
            }
            Self::Words300First | Self::HamBefore | Self::FloodBefore => {
                text::before(part, &padding)
            }
            Self::Hidden => text::hide(part, &padding),
            Self::CutByTags => text::cut_words(part, random),
            Self::Links => Part {
                html: part.html,
                text: text::disguise_links(&part.text, random),
            },
            Self::Encoded | Self::HamHeader => part.clone(),
            Self::ImageOnly => text::image_only(part),
            Self::Homoglyphs | Self::ZeroWidth | Self::Spaced | Self::Typos => Part {
                html: part.html,
                text: text::visible_words(part, |word| self.letters(word, random)),
            },
        })
    }

    /// What is put around the text, if anything.
    fn padding(self, good: &Good, random: &mut Random) -> String {
        match self {
            Self::Words100 => good.words(100, random),
            Self::Words300 | Self::Words300First | Self::Hidden => good.words(300, random),
            Self::HamBehind | Self::HamBefore => good.passage(1_500, random),
            Self::FloodBehind | Self::FloodBefore => good.passage(6_000, random),
            _ => String::new(),
        }
    }

    /// A word, or several, with their letters changed.
    fn letters(self, words: &str, random: &mut Random) -> String {
        match self {
            Self::Homoglyphs => text::homoglyphs(words, random),
            Self::ZeroWidth => text::zero_width(words, random),
            Self::Spaced => text::spaced(words, random),
            Self::Typos => text::typos(words, random),
            _ => words.to_owned(),
        }
    }
}

/// The message in a pseudo-language: each letter of its text stands for another, vowels
/// for vowels. What is left is how the mail is made; training learns from it that words it does not
/// know speak for nothing.
pub(in super::super) fn pseudo_language(raw: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let key = text::Key::new(random);
    let mut rewriter = Rewriter::new(raw, Encoding::EightBit);
    rewriter.subject(|subject| key.apply(subject));
    rewriter.texts(|part| Part {
        html: part.html,
        text: text::visible_words(part, |word| key.apply(word)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::message_features::features_of;
    use super::*;

    const PLAIN: &[u8] = b"From: a@example.com\r\nSubject: Cheap pills for you\r\nContent-Type: text/plain\r\n\r\nBuy cheap pills now at http://pills.example/buy today\r\n";
    const PAGE: &[u8] = b"From: a@example.com\r\nSubject: Cheap pills\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nBuy cheap pills now\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<html><body><p>Buy <b>cheap</b> pills =\r\nnow</p><a href=3D\"http://pills.example/buy\">here</a></body></html>\r\n--b--\r\n";

    fn good() -> Good {
        let mut good = Good::default();
        good.add(
            "minutes of the meeting in the library about the garden and the weather "
                .repeat(40)
                .as_str(),
        );
        good.add_mail(
            b"From: h@example.org\r\nIn-Reply-To: <1@example.org>\r\nX-Mailer: m\r\n\r\nx\r\n",
        );
        good
    }

    #[test]
    fn each_attack_changes_the_mail_and_repeats() {
        for raw in [PLAIN, PAGE] {
            for attack in Attack::ALL {
                let attacked = |seed| attack.apply(raw, &good(), &mut Random::new(seed)).unwrap();
                let changed = attacked(1);
                assert_eq!(changed, attacked(1), "{}", attack.name());
                assert_ne!(
                    features_of(&changed).0,
                    features_of(raw).0,
                    "{}",
                    attack.name()
                );
                assert!(
                    changed.starts_with(b"From: a@example.com\r\nSubject: "),
                    "{}",
                    attack.name()
                );
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names = Attack::ALL.map(Attack::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Attack::ALL.len());
    }

    #[test]
    fn mail_without_text_is_left_alone() {
        let image = b"Content-Type: image/png\r\n\r\nxx";
        assert!(
            Attack::HamBehind
                .apply(image, &good(), &mut Random::new(1))
                .is_none()
        );
        let nothing = Good::default();
        assert!(
            Attack::Words300
                .apply(PLAIN, &nothing, &mut Random::new(1))
                .is_some(),
            "no good words: nothing to add"
        );
    }
}
