//! What a configuration key is. The keys themselves stand in `table`; sample file, manual, schema,
//! `explain`, validation and did-you-mean are projections of that one table.

use super::table::KEYS;

/// One configuration key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Dotted path, such as `limits.message`. Paths that begin with `listener.` live in each
    /// `[[listener]]`.
    pub path: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// The default, as it would be written in TOML; `None` where the key has to be given.
    pub default: Option<&'static str>,
    /// The version of Gatepost that brought the key.
    pub since: &'static str,
    /// One paragraph: what it does, and why one would change it.
    pub doc: &'static str,
    /// A value other than the default, as it would be written in TOML.
    pub example: &'static str,
}

/// What a value looks like, with its range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Any text; may be empty.
    Text,
    /// A name for logs and metrics: 1 to 32 of `a-z 0-9 _ -`.
    Name,
    /// A file; empty means none.
    Path,
    /// A milter socket, `unix:/path` or `inet:PORT@ADDRESS`.
    Socket,
    /// Permission bits in octal, such as `"0660"`.
    Mode,
    /// `true` or `false`.
    Boolean,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number within these bounds.
    Integer(i64, i64),
    /// Points of score within these bounds.
    Points(f64, f64),
    /// Bytes within these bounds: a number, or text such as `"50MiB"`.
    Size(u64, u64),
    /// Milliseconds within these bounds, written as text such as `"20s"`.
    Duration(u64, u64),
    /// A list of texts, none of them empty.
    List,
}

impl Kind {
    /// The range or the form, in words: `a size from 1KiB to 1GiB, such as "50MiB"`.
    pub fn describe(self) -> String {
        use super::units::{show_duration, show_size};
        match self {
            Self::Text => "a text".to_owned(),
            Self::Name => "a name of 1 to 32 characters out of a-z, 0-9, `-` and `_`".to_owned(),
            Self::Path => "the path of a file, or an empty text for none".to_owned(),
            Self::Socket => "a socket: \"unix:/PATH\" or \"inet:PORT@ADDRESS\"".to_owned(),
            Self::Mode => "permission bits in octal, from \"0000\" to \"0777\"".to_owned(),
            Self::Boolean => "true or false".to_owned(),
            Self::Choice(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                format!("one of {}", words.join(", "))
            }
            Self::Integer(min, max) => format!("a whole number from {min} to {max}"),
            Self::Points(min, max) => format!("a number of points from {min:.1} to {max:.1}"),
            Self::Size(min, max) => format!(
                "a size from {} to {}, such as \"50MiB\"",
                show_size(min),
                show_size(max)
            ),
            Self::Duration(min, max) => {
                format!(
                    "a duration from {} to {}, such as \"20s\"",
                    show_duration(min),
                    show_duration(max)
                )
            }
            Self::List => "a list of texts, such as [\"a\", \"b\"]".to_owned(),
        }
    }
}

impl Key {
    /// Everything before the last dot: `limits`, `policy.refuse`, `listener`.
    pub fn section(&self) -> &'static str {
        self.path
            .rsplit_once('.')
            .map_or("", |(section, _)| section)
    }

    /// Everything behind the last dot.
    pub fn name(&self) -> &'static str {
        self.path
            .rsplit_once('.')
            .map_or(self.path, |(_, name)| name)
    }

    /// The environment variable that sets it; `None` for the keys of a listener.
    pub fn variable(&self) -> Option<String> {
        (!self.path.starts_with("listener."))
            .then(|| format!("GATEPOST__{}", self.path.replace('.', "__").to_uppercase()))
    }
}

/// The key of that path. `listener.policy.X` is a listener's own value for `policy.X`, and so the
/// same key.
pub fn find(path: &str) -> Option<&'static Key> {
    let path = in_profile(path);
    KEYS.iter().find(|key| key.path == path)
}

/// Whether the path names a section: something that has keys in it.
pub(super) fn is_section(path: &str) -> bool {
    if path == "listener.policy" || path == "listener" {
        return true;
    }
    let path = in_profile(path);
    KEYS.iter().any(|key| {
        key.path
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

/// What may stand directly in a section (names of keys and of sections in it), for did-you-mean.
pub(super) fn names_in(section: &str) -> Vec<&'static str> {
    let profile = in_profile(section);
    let mut names: Vec<&'static str> = Vec::new();
    for key in KEYS {
        let rest = if profile.is_empty() {
            Some(key.path)
        } else {
            key.path
                .strip_prefix(profile)
                .and_then(|rest| rest.strip_prefix('.'))
        };
        let Some(name) = rest.and_then(|rest| rest.split('.').next()) else {
            continue;
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if section == "listener" {
        names.push("policy");
    }
    names
}

/// `listener.policy.X` is looked up as `policy.X`.
fn in_profile(path: &str) -> &str {
    match path.strip_prefix("listener.") {
        Some(rest) if rest == "policy" || rest.starts_with("policy.") => rest,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_has_the_keys_of_the_policy_as_its_own() {
        assert_eq!(
            find("listener.policy.required").unwrap().path,
            "policy.required"
        );
        assert_eq!(
            find("listener.policy.refuse.helo").unwrap().path,
            "policy.refuse.helo"
        );
        assert!(find("listener.limits.depth").is_none());
        for (path, there) in [
            ("policy", true),
            ("policy.refuse", true),
            ("listener.policy.refuse", true),
            ("polic", false),
        ] {
            assert_eq!(is_section(path), there, "{path}");
        }
    }

    #[test]
    fn names_in_a_section_are_what_may_stand_there() {
        assert!(names_in("").contains(&"listener") && names_in("").contains(&"limits"));
        assert_eq!(
            names_in("policy.refuse"),
            ["clients", "helo", "senders", "recipients"]
        );
        assert!(
            names_in("listener").contains(&"policy") && names_in("listener").contains(&"socket")
        );
    }

    #[test]
    fn the_table_is_complete_and_its_own_defaults_and_examples_are_valid() {
        for key in KEYS {
            assert!(
                key.doc.ends_with('.') && key.doc.len() > 40,
                "{}: the paragraph is too short",
                key.path
            );
            assert_eq!(
                KEYS.iter().filter(|other| other.path == key.path).count(),
                1,
                "{}",
                key.path
            );
            assert!(!key.example.is_empty(), "{}", key.path);
            for text in key.default.iter().chain([&key.example]) {
                let document = format!("x = {text}\n");
                let table: toml::Table = document.parse().unwrap();
                let value = serde_json::to_value(&table["x"]).unwrap();
                assert_eq!(
                    super::super::value::check(key.kind, &value),
                    Ok(()),
                    "{} = {text}",
                    key.path
                );
            }
        }
    }
}
