//! Globs: `*` and `?` in names of rules, addresses and hosts.

/// `*` stands for any text, `?` for one character. Linear: backs up to the last star only.
pub(crate) fn matches_glob(glob: &str, name: &str) -> bool {
    let (glob, name) = (glob.as_bytes(), name.as_bytes());
    let (mut g, mut n, mut back) = (0, 0, None);
    while let Some(letter) = name.get(n) {
        match glob.get(g) {
            Some(b'*') => {
                back = Some((g, n));
                g += 1;
            }
            Some(wanted) if wanted == letter || *wanted == b'?' => (g, n) = (g + 1, n + 1),
            _ => match &mut back {
                Some((star, from)) => {
                    *from += 1;
                    (g, n) = (*star + 1, *from);
                }
                None => return false,
            },
        }
    }
    glob.get(g..)
        .is_none_or(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::matches_glob;

    #[test]
    fn globs() {
        for (glob, name, wanted) in [
            ("URI_*", "URI_SHORT", true),
            ("*_SHORT", "URI_SHORT", true),
            ("U*I*T", "URI_SHORT", true),
            ("URI_?HORT", "URI_SHORT", true),
            ("URI", "URI_SHORT", false),
            ("*", "", true),
            ("", "A", false),
            ("A**", "A", true),
        ] {
            assert_eq!(matches_glob(glob, name), wanted, "{glob} {name}");
        }
    }
}
