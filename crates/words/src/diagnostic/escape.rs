//! Making text of a file safe to print on a terminal.

/// Appends a character; what a terminal would obey or hide (controls, direction marks, zero-width
/// characters) is written as `\u{..}`, a tab as four blanks.
pub(super) fn push(out: &mut String, character: char) {
    match character {
        '\t' => out.push_str("    "),
        c if c.is_control() || is_invisible(c) => out.extend(c.escape_unicode()),
        c => out.push(c),
    }
}

/// A whole text, escaped.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push(&mut out, c));
    out
}

/// Characters that take no room or turn the direction of writing; and those that stand for raw
/// bytes.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}')
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_reaches_the_terminal_raw() {
        for (text, shown) in [
            ("plain \u{e9}", "plain \u{e9}"),
            ("a\tb", "a    b"),
            ("\x1b[31m", "\\u{1b}[31m"),
            ("\u{202e}evil", "\\u{202e}evil"),
            ("\u{9b}x\u{f780}", "\\u{9b}x\\u{f780}"),
        ] {
            assert_eq!(escaped(text), shown);
        }
    }
}
