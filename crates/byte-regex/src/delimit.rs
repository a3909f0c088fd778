//! Where a pattern begins and ends: `/…/i`, `m{…}x`, `m,…,`.

use std::ops::Range;

use super::problem::Problem;

/// A pattern between its delimiters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delimited<'t> {
    /// The pattern.
    pub(super) pattern: &'t str,
    /// Where it begins in the text that was given.
    pub(super) start: usize,
    /// The letters after it.
    pub(super) modifiers: &'t str,
}

impl Delimited<'_> {
    /// Where the modifiers are.
    pub(super) fn modifiers_span(&self) -> Range<usize> {
        let start = self.start + self.pattern.len() + 1;
        start..start + self.modifiers.len()
    }
}

/// Finds pattern and modifiers. The closing delimiter is the last one, as in SpamAssassin.
pub(super) fn delimited(text: &str) -> Result<Delimited<'_>, Problem> {
    let missing = || {
        Problem::wrong(
            "R0301",
            "a regular expression needs delimiters",
            0..text.len(),
        )
    };
    let (start, open) = match text.strip_prefix('m') {
        Some(rest) => (
            2,
            rest.chars()
                .next()
                .filter(|c| c.is_ascii() && !c.is_ascii_alphanumeric() && *c != '_'),
        ),
        None => (1, text.chars().next().filter(|c| *c == '/')),
    };
    let open = open
        .filter(|c| !c.is_ascii_whitespace())
        .ok_or_else(missing)?;
    let close = match open {
        '{' => '}',
        '(' => ')',
        '<' => '>',
        '[' => ']',
        other => other,
    };
    let rest = text.get(start..).unwrap_or_default();
    let without_letters = rest.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let Some(pattern) = without_letters.strip_suffix(close) else {
        let end = without_letters.rfind(close);
        return Err(match end {
            Some(end) => Problem::wrong(
                "R0301",
                format!("only letters may follow the closing `{close}`"),
                start + end + 1..text.len(),
            ),
            None => Problem::wrong(
                "R0301",
                format!("the closing `{close}` is missing"),
                text.len()..text.len(),
            ),
        });
    };
    if open == close
        && let Some(at) = unescaped(pattern, close)
    {
        let message =
            format!("`{close}` inside of the regular expression must be written `\\{close}`");
        return Err(Problem::wrong("R0301", message, start + at..start + at + 1));
    }
    let modifiers = rest.get(without_letters.len()..).unwrap_or_default();
    Ok(Delimited {
        pattern,
        start,
        modifiers,
    })
}

/// Where the character is without a backslash before it.
fn unescaped(pattern: &str, character: char) -> Option<usize> {
    let mut escaped = false;
    for (offset, c) in pattern.char_indices() {
        if c == character && !escaped {
            return Some(offset);
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::delimited;

    #[test]
    fn finds_the_ends() {
        for (text, pattern, modifiers) in [
            ("/a/", "a", ""),
            (r"/a\/b/i", r"a\/b", "i"),
            ("m{a{2}}x", "a{2}", "x"),
            ("m,a/b,is", "a/b", "is"),
            ("m'a'", "a", ""),
            ("//", "", ""),
        ] {
            let found = delimited(text).unwrap();
            assert_eq!(
                (found.pattern, found.modifiers),
                (pattern, modifiers),
                "{text}"
            );
        }
    }

    #[test]
    fn says_what_is_missing() {
        for (text, span) in [
            ("a", 0..1),
            ("", 0..0),
            ("/a", 2..2),
            ("/a/b/", 2..3),
            ("mxax", 0..4),
            ("/a/ i", 3..5),
            ("m", 0..1),
            ("m aa", 0..4),
        ] {
            assert_eq!(delimited(text).unwrap_err().span, span, "{text}");
        }
    }
}
