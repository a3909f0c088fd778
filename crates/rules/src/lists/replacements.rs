//! Tags: short names such as `<A>` that rules write for stretches of regular expressions.

use std::collections::BTreeMap;

use gatepost_words::bytes;

/// How often tags are replaced that are inside what replaced others.
const PASSES: usize = 6;
/// Bytes that a regular expression may grow to by replacing tags.
pub(super) const EXPANDED_LIMIT: usize = 256 << 10;

/// The tags, and what may be put around and between them.
#[derive(Debug, Default)]
pub(super) struct Replacements {
    /// Texts by directive (`replace_tag`, `replace_pre`, …) and name.
    texts: BTreeMap<String, BTreeMap<String, String>>,
}

impl Replacements {
    /// Takes `NAME TEXT` of a directive.
    pub(super) fn define(&mut self, directive: &str, value: &str) {
        let (name, text) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
        let texts = self.texts.entry(directive.to_owned()).or_default();
        texts.insert(name.to_owned(), text.trim_start().to_owned());
    }

    /// The definition of a rule with its tags replaced.
    pub(super) fn expanded(&self, definition: &str) -> String {
        let mut text = definition.to_owned();
        for _ in 0..PASSES {
            let (next, has_tags) = self.pass(&text);
            if next.len() > EXPANDED_LIMIT {
                return text;
            }
            text = next;
            if !has_tags {
                break;
            }
        }
        text
    }

    fn text(&self, directive: &str, name: &str) -> &str {
        self.texts
            .get(directive)
            .and_then(|texts| texts.get(name))
            .map_or("", String::as_str)
    }

    /// Takes `<pre NAME>` out of a definition and returns what it stands for.
    fn modifier(&self, kind: &str, definition: &mut String) -> &str {
        let Some(start) = definition.find(&format!("<{kind} ")) else {
            return "";
        };
        let Some(length) = definition.get(start..).and_then(|rest| rest.find('>')) else {
            return "";
        };
        let name = bytes::slice_str(definition, start + kind.len() + 2..start + length).to_owned();
        definition.replace_range(start..=start + length, "");
        self.text(&format!("replace_{kind}"), &name)
    }

    /// Replaces every tag once; `true` when what came in has tags itself.
    fn pass(&self, definition: &str) -> (String, bool) {
        let mut definition = definition.to_owned();
        let before = self.modifier("pre", &mut definition);
        let behind = self.modifier("post", &mut definition);
        let between = self.modifier("inter", &mut definition);
        let (mut out, mut has_tags) = (String::with_capacity(definition.len()), false);
        let (mut rest, mut follows_tag) = (definition.as_str(), false);
        while let Some((start, end)) = next_tag(rest) {
            if follows_tag && start == 0 {
                out.push_str(between);
            }
            let (text, tag) = (
                bytes::head_str(rest, start),
                bytes::slice_str(rest, start..end + 1),
            );
            out.push_str(text);
            out.push_str(before);
            match self.text("replace_tag", tag.trim_matches(['<', '>'])) {
                "" => out.push_str(tag),
                replacement => {
                    has_tags |= next_tag(replacement).is_some();
                    push_escaped(&mut out, replacement);
                }
            }
            out.push_str(behind);
            follows_tag = true;
            rest = bytes::skip_str(rest, end + 1);
        }
        out.push_str(rest);
        (out, has_tags)
    }
}

/// The next `<…>` without such brackets inside.
fn next_tag(text: &str) -> Option<(usize, usize)> {
    let mut open = None;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'<' => open = Some(at),
            b'>' => match open.take() {
                Some(start) if at > start + 1 => return Some((start, at)),
                _ => {}
            },
            _ => {}
        }
    }
    None
}

/// A slash would end the expression.
fn push_escaped(out: &mut String, text: &str) {
    let mut escaped = false;
    for character in text.chars() {
        if character == '/' && !escaped {
            out.push('\\');
        }
        escaped = character == '\\' && !escaped;
        out.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::{EXPANDED_LIMIT, Replacements};

    #[test]
    fn tags_are_replaced() {
        let mut tags = Replacements::default();
        for (directive, value) in [
            ("replace_tag", "A [a4]"),
            ("replace_tag", "B <A>+/"),
            ("replace_inter", "S _"),
            ("replace_pre", "P p"),
            ("replace_post", "Q q"),
        ] {
            tags.define(directive, value);
        }
        for (text, wanted) in [
            ("/x<A>y<Z>/", "/x[a4]y<Z>/"),
            ("/<B>/", "/[a4]+\\//"),
            ("/<inter S><A><A>/", "/[a4]_[a4]/"),
            ("/<pre P><post Q><A>x/", "/p[a4]qx/"),
            ("/<inter noone><A>/", "/[a4]/"),
            ("/a<b/", "/a<b/"),
        ] {
            assert_eq!(tags.expanded(text), wanted, "{text}");
        }
    }

    #[test]
    fn growth_is_limited() {
        for (size, is_replaced) in [(EXPANDED_LIMIT - 2, true), (EXPANDED_LIMIT - 1, false)] {
            let mut tags = Replacements::default();
            tags.define("replace_tag", &format!("A {}", "a".repeat(size)));
            assert_eq!(
                tags.expanded("/<A>/").len() == size + 2,
                is_replaced,
                "{size}"
            );
        }
    }
}
