//! Finding a key, or what may be in a section, by its path.

use super::keys::Key;
use super::table::KEYS;

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
