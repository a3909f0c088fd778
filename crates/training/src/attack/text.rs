//! What is done to one text.

use std::fmt::Write as _;

use super::super::random::Random;
use super::mail::Part;

/// Text within HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('\n', "<br>\n")
}

/// Something after the text.
pub(super) fn append(part: &Part, padding: &str) -> Part {
    let text = if part.html {
        let at = part
            .text
            .to_ascii_lowercase()
            .rfind("</body")
            .unwrap_or(part.text.len());
        insert(&part.text, at, &format!("<p>{}</p>", escaped(padding)))
    } else {
        format!("{}\r\n\r\n{padding}\r\n", part.text)
    };
    Part {
        html: part.html,
        text,
    }
}

/// Something before the text.
pub(super) fn before(part: &Part, padding: &str) -> Part {
    let text = if part.html {
        insert(
            &part.text,
            body(&part.text),
            &format!("<p>{}</p>", escaped(padding)),
        )
    } else {
        format!("{padding}\r\n\r\n{}", part.text)
    };
    Part {
        html: part.html,
        text,
    }
}

/// Something that HTML does not show, before the text.
pub(super) fn hide(part: &Part, padding: &str) -> Part {
    let page = page(part);
    let hidden = format!(
        "<div style=\"display:none;font-size:0\">{}</div>",
        escaped(padding)
    );
    Part {
        html: true,
        text: insert(&page, body(&page), &hidden),
    }
}

/// The text as HTML.
fn page(part: &Part) -> String {
    if part.html {
        part.text.clone()
    } else {
        format!("<html><body>{}</body></html>", escaped(&part.text))
    }
}

/// Where the content of a page begins.
fn body(html: &str) -> usize {
    let lower = html.to_ascii_lowercase();
    let tag = lower
        .find("<body")
        .and_then(|at| lower.get(at..)?.find('>').map(|end| at + end + 1));
    tag.unwrap_or(0)
}

fn insert(text: &str, at: usize, what: &str) -> String {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    [before, what, after].concat()
}

/// Words cut in two by comments and empty tags.
pub(super) fn cut_words(part: &Part, random: &mut Random) -> Part {
    let page = Part {
        html: true,
        text: page(part),
    };
    let text = visible_words(&page, |word| {
        let length = word.chars().count();
        if length < 4 || random.unit() < 0.5 {
            return word.to_owned();
        }
        let at = 1 + random.below(length - 2);
        let cut = if random.unit() < 0.5 {
            "<!-- x -->"
        } else {
            "<span></span>"
        };
        let head: String = word.chars().take(at).collect();
        let tail: String = word.chars().skip(at).collect();
        [&head, cut, &tail].concat()
    });
    Part { html: true, text }
}

/// The first link around an image: nothing to read is left.
pub(super) fn image_only(part: &Part) -> Part {
    let start = part
        .text
        .find("http://")
        .or_else(|| part.text.find("https://"));
    let link = start.and_then(|at| part.text.get(at..)).and_then(|rest| {
        rest.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>'))
            .next()
            .map(str::to_owned)
    });
    let link = link.unwrap_or_else(|| "http://www.example.com/".to_owned());
    let text = format!(
        "<html><body><a href=\"{link}\"><img src=\"cid:1\" width=600 height=800></a></body></html>"
    );
    Part { html: true, text }
}

/// Links with a user name, a port and escaped letters in the path.
pub(super) fn disguise_links(text: &str, random: &mut Random) -> String {
    let mut out = String::with_capacity(text.len() + 200);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("http://") {
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>'))
            .unwrap_or(after.len());
        let (link, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        let (host, path) = link
            .split_once('/')
            .map_or((link, ""), |(host, path)| (host, path));
        let host = host.rsplit('@').next().unwrap_or(host);
        let port = if host.contains(':') { "" } else { ":80" };
        out.push_str(before);
        out.push_str("http://www.example.com@");
        out.push_str(host);
        out.push_str(port);
        out.push('/');
        for c in path.chars() {
            if c.is_ascii_alphanumeric() && random.unit() < 0.3 {
                // Writing to a String cannot fail.
                write!(out, "%{:02x}", u32::from(c)).unwrap_or_default();
            } else {
                out.push(c);
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Changes the words that are seen; tags, entities and addresses stay.
pub(super) fn visible_words(part: &Part, mut edit: impl FnMut(&str) -> String) -> String {
    let mut out = String::with_capacity(part.text.len() * 2);
    let mut rest = part.text.as_str();
    while !rest.is_empty() {
        let tag = part.html && rest.starts_with('<');
        let end = if tag {
            rest.find('>').map_or(rest.len(), |at| at + 1)
        } else {
            let stops = |c: char| part.html && c == '<';
            let space = rest.starts_with(char::is_whitespace);
            rest.find(|c: char| stops(c) || c.is_whitespace() != space)
                .unwrap_or(rest.len())
        };
        let (piece, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let word =
            !tag && !piece.starts_with(char::is_whitespace) && !piece.contains(['&', '@', '/']);
        if word {
            out.push_str(&edit(piece));
        } else {
            out.push_str(piece);
        }
        rest = after;
    }
    out
}

/// A letter for each letter: vowels for vowels, other letters for other letters.
pub(super) struct Key([u8; 26]);

impl Key {
    pub(super) fn new(random: &mut Random) -> Self {
        let is_vowel = |letter: &u8| b"aeiouy".contains(letter);
        let letters = || b'a'..=b'z';
        let mut vowels: Vec<u8> = letters().filter(is_vowel).collect();
        let mut others: Vec<u8> = letters().filter(|letter| !is_vowel(letter)).collect();
        random.shuffle(&mut vowels);
        random.shuffle(&mut others);
        let mut key = [b'a'; 26];
        for (letter, to) in letters().zip(&mut key) {
            let from = if is_vowel(&letter) {
                &mut vowels
            } else {
                &mut others
            };
            *to = from.pop().unwrap_or(letter);
        }
        Self(key)
    }

    /// A word by this key; what is no letter of a to z stays.
    pub(super) fn apply(&self, word: &str) -> String {
        let letter = |c: char| {
            let at = u8::try_from(c.to_ascii_lowercase())
                .ok()
                .and_then(|c| c.checked_sub(b'a'));
            let to = at
                .and_then(|at| self.0.get(usize::from(at)))
                .map(|&to| char::from(to));
            to.map_or(c, |to| {
                if c.is_ascii_uppercase() {
                    to.to_ascii_uppercase()
                } else {
                    to
                }
            })
        };
        word.chars().map(letter).collect()
    }
}

/// Half of the letters become letters that look the same.
pub(super) fn homoglyphs(word: &str, random: &mut Random) -> String {
    word.chars()
        .map(|c| {
            if random.unit() < 0.5 {
                look_alike(c)
            } else {
                c
            }
        })
        .collect()
}

/// A Cyrillic, Greek, Armenian or full-width letter, or one of the mathematical ones: all of them
/// are seen in real spam.
fn look_alike(c: char) -> char {
    match c {
        'a' => 'а',
        'b' => 'Ь',
        'c' => 'с',
        'd' => 'ԁ',
        'e' => 'е',
        'g' => 'ɡ',
        'h' => 'һ',
        'i' => 'і',
        'j' => 'ј',
        'k' => 'κ',
        'l' => 'ӏ',
        'm' => 'м',
        'n' => 'ո',
        'o' => 'о',
        'p' => 'р',
        'q' => 'ԛ',
        'r' => 'г',
        's' => 'ѕ',
        't' => 'т',
        'u' => 'υ',
        'v' => 'ν',
        'w' => 'ԝ',
        'x' => 'х',
        'y' => 'у',
        'z' => 'ᴢ',
        'A' => 'А',
        'B' => 'В',
        'C' => 'С',
        'E' => 'Е',
        'H' => 'Н',
        'I' => 'І',
        'K' => 'К',
        'M' => 'М',
        'N' => 'Ν',
        'O' => 'О',
        'P' => 'Р',
        'S' => 'Ѕ',
        'T' => 'Т',
        'X' => 'Х',
        'Y' => 'Υ',
        'Z' => 'Ζ',
        other => other,
    }
}

/// Invisible characters after some letters.
pub(super) fn zero_width(word: &str, random: &mut Random) -> String {
    const SIGNS: [char; 4] = ['\u{200b}', '\u{200c}', '\u{ad}', '\u{2060}'];
    let mut out = String::new();
    for c in word.chars() {
        out.push(c);
        if c.is_alphabetic() && random.unit() < 0.3 {
            out.extend(SIGNS.get(random.below(SIGNS.len())));
        }
    }
    out
}

/// Words with spaces, dots, dashes or underscores between all letters.
pub(super) fn spaced(words: &str, random: &mut Random) -> String {
    let one = |word: &str, random: &mut Random| {
        if word.chars().count() < 3 || !word.chars().all(char::is_alphabetic) || random.unit() < 0.5
        {
            return word.to_owned();
        }
        let separator = random.one_of([" ", " ", ".", "-", "_"]);
        let letters: Vec<String> = word.chars().map(String::from).collect();
        letters.join(separator)
    };
    words
        .split(' ')
        .map(|word| one(word, random))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Letters of some words swapped, doubled or left out.
pub(super) fn typos(words: &str, random: &mut Random) -> String {
    let one = |word: &str, random: &mut Random| {
        let mut letters: Vec<char> = word.chars().collect();
        if letters.len() < 4 || random.unit() < 0.5 {
            return word.to_owned();
        }
        let at = 1 + random.below(letters.len() - 2);
        match random.below(3) {
            0 => letters.swap(at, at + 1),
            1 => letters.insert(at, letters.get(at).copied().unwrap_or('x')),
            _ => {
                letters.remove(at);
            }
        }
        letters.into_iter().collect()
    };
    words
        .split(' ')
        .map(|word| one(word, random))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> Part {
        Part {
            html: true,
            text: text.to_owned(),
        }
    }

    #[test]
    fn tags_and_addresses_stay() {
        let part = html("<a href=\"x\">one two</a> a&amp;b http://x.example/y z@x.example");
        let expected = "<a href=\"x\">ONE TWO</a> a&amp;b http://x.example/y z@x.example";
        assert_eq!(visible_words(&part, str::to_uppercase), expected);
        let plain = Part {
            html: false,
            text: "a <b c\n".to_owned(),
        };
        assert_eq!(visible_words(&plain, str::to_uppercase), "A <B C\n");
        assert_eq!(
            visible_words(&html("a <open"), str::to_uppercase),
            "A <open"
        );
    }

    #[test]
    fn a_key_keeps_vowels_capitals_and_all_else() {
        let key = Key::new(&mut Random::new(4));
        let out = key.apply("Hello, Wörld 7!");
        assert!(
            out != "Hello, Wörld 7!"
                && out.ends_with(" 7!")
                && out.contains("ö")
                && out.contains(", "),
            "{out}"
        );
        let (first, rest) = out.split_at(1);
        assert!(
            first.chars().all(char::is_uppercase)
                && rest.chars().skip(1).take(2).all(|c| !"aeiouy".contains(c)),
            "{out}"
        );
        let mut letters: Vec<char> = key.apply("abcdefghijklmnopqrstuvwxyz").chars().collect();
        letters.sort_unstable();
        assert_eq!(
            letters.into_iter().collect::<String>(),
            "abcdefghijklmnopqrstuvwxyz"
        );
    }

    #[test]
    fn padding_goes_inside_the_page() {
        let page = html("<HTML><BODY bgcolor=red>x</BODY></HTML>");
        assert_eq!(
            append(&page, "a<b").text,
            "<HTML><BODY bgcolor=red>x<p>a&lt;b</p></BODY></HTML>"
        );
        assert_eq!(
            before(&page, "a").text,
            "<HTML><BODY bgcolor=red><p>a</p>x</BODY></HTML>"
        );
        assert!(
            hide(&page, "a")
                .text
                .contains("red><div style=\"display:none;font-size:0\">a</div>x")
        );
        assert!(
            hide(
                &Part {
                    html: false,
                    text: "x".to_owned()
                },
                "a"
            )
            .html
        );
    }

    #[test]
    fn links_lead_to_the_same_place() {
        let out = disguise_links(
            "see http://pills.example/buy?x=1 and <a href=\"http://b.example\">",
            &mut Random::new(1),
        );
        assert!(
            out.starts_with("see http://www.example.com@pills.example:80/"),
            "{out}"
        );
        assert!(
            out.contains("http://www.example.com@b.example:80/\">"),
            "{out}"
        );
    }
}
