//! Globs, as admins write them in lists and rules: `*` for any text, `?` for one byte.

/// Whether `pattern` matches all of `text`, byte for byte. Two positions and one to fall back to:
/// at most `pattern.len() * text.len()` steps, no recursion.
pub fn matches(pattern: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> bool {
    let (pattern, text) = (pattern.as_ref(), text.as_ref());
    let (mut p, mut t) = (0, 0);
    // The last star, and where the text that it stands for ends. An earlier star need never be
    // tried again: what it could leave to a later one, that one can take itself.
    let mut fallback: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                fallback = Some((p, t));
                p += 1;
            }
            Some(wanted) if wanted == byte || *wanted == b'?' => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star, end)) = &mut fallback else {
                    return false;
                };
                *end += 1;
                p = *star + 1;
                t = *end;
            }
        }
    }
    crate::bytes::skip(pattern, p)
        .iter()
        .all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn globs_match_the_whole_text() {
        for (pattern, text, expected) in [
            ("*@example.net", "a@example.net", true),
            ("*@example.net", "a@example.net.example", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("<>", "<>", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("**", "x", true),
            ("A**", "A", true),
            ("a*", "a*b", true),
            ("*_SHORT", "URI_SHORT", true),
            ("U*I*T", "URI_SHORT", true),
            ("URI", "URI_SHORT", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_more_than_the_product_of_the_lengths() {
        let pattern = "a*".repeat(5_000) + "b";
        assert!(!matches(pattern, "a".repeat(20_000)));
    }
}
