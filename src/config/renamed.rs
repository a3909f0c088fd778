//! Keys that have another name now. The old one is accepted with a warning for one release.

use std::sync::Arc;

use toml::{Table, Value};

use super::origin::Origin;
use gatepost_words::diagnostic::{Diagnostic, Source};

/// A key under its old and its new name; both are in the same section.
#[derive(Clone, Copy, Debug)]
pub struct Renamed {
    /// The path that is accepted with a warning.
    pub old: &'static str,
    /// The path of the key.
    pub new: &'static str,
    /// The version that no longer accepts the old one.
    pub until: &'static str,
}

/// All of them.
pub const RENAMED: &[Renamed] = &[Renamed {
    old: "policy.beyond_limits",
    new: "policy.on_limit_exceeded",
    until: "0.3.0",
}];

/// The entry of an old name. `listener.policy.X` is looked up as `policy.X`.
pub(super) fn renamed(path: &str) -> Option<&'static Renamed> {
    let path = path
        .strip_prefix("listener.")
        .filter(|rest| rest.starts_with("policy."))
        .unwrap_or(path);
    RENAMED.iter().find(|renamed| renamed.old == path)
}

impl Renamed {
    fn names(&self) -> (&'static str, &'static str, &'static str) {
        let (section, old) = self.old.rsplit_once('.').unwrap_or(("", self.old));
        let new = self.new.rsplit_once('.').map_or(self.new, |(_, new)| new);
        (section, old, new)
    }

    /// `path`, which ends in the old name, with the new one.
    pub(super) fn new_path(&self, path: &str) -> String {
        let (_, old, new) = self.names();
        let section = path.strip_suffix(old).unwrap_or_default();
        format!("{section}{new}")
    }

    /// The warning at the place where the old name is used.
    pub(super) fn warning(&self, origin: &Origin) -> Diagnostic {
        let text = format!("`{}` is now called `{}`", self.old, self.new);
        let help = format!(
            "write `{}`: Gatepost {} no longer accepts the old name",
            self.new, self.until
        );
        origin
            .mark(Diagnostic::warning("C0112", text), "")
            .help(help)
    }

    /// The error where both names are used.
    pub(super) fn both(&self, origin: &Origin) -> Diagnostic {
        let text = format!(
            "`{}` and its old name `{}` are both set",
            self.new, self.old
        );
        origin
            .mark(Diagnostic::error("C0112", text), "")
            .help("remove the old name")
    }
}

/// The text of a file with the new names; the file itself where it uses no old one.
pub(super) fn with_new_names(source: &Arc<Source>, uses_old: bool) -> String {
    if !uses_old {
        return source.text.clone();
    }
    // It was parsed before, so it parses.
    let Ok(mut table) = source.text.parse::<Table>() else {
        return source.text.clone();
    };
    for renamed in RENAMED {
        rename(&mut table, renamed);
        for listener in table
            .get_mut("listener")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(listener) = listener.as_table_mut() {
                rename(listener, renamed);
            }
        }
    }
    table.to_string()
}

fn rename(table: &mut Table, renamed: &Renamed) {
    let (section, old, new) = renamed.names();
    let mut here = table;
    for part in section.split('.') {
        match here.get_mut(part).and_then(Value::as_table_mut) {
            Some(inner) => here = inner,
            None => return,
        }
    }
    if let Some(value) = here.remove(old) {
        here.insert(new.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{Config, KEYS, Loaded};
    use gatepost_words::verdict::Disposition;

    fn load(text: &str, environment: &[(&str, &str)]) -> Result<Loaded, Vec<Diagnostic>> {
        let pairs = environment.iter();
        let environment: BTreeMap<String, String> = pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Config::from_sources(vec![Arc::new(Source::new("a.toml", text))], &environment)
    }

    #[test]
    fn a_new_name_is_a_key_and_an_old_one_is_none() {
        for renamed in RENAMED {
            assert!(
                KEYS.iter().any(|key| key.path == renamed.new),
                "{}",
                renamed.new
            );
            assert!(
                KEYS.iter().all(|key| key.path != renamed.old),
                "{}",
                renamed.old
            );
        }
    }

    #[test]
    fn an_old_name_has_its_effect_and_a_warning() {
        let listener = "[[listener]]\nname = \"a\"\nsocket = \"unix:/a\"\n";
        for (text, environment) in [
            ("[policy]\nbeyond_limits = \"accept\"\n", &[][..]),
            ("policy.beyond_limits = \"accept\"\n", &[]),
            ("", &[("GATEPOST__POLICY__BEYOND_LIMITS", "accept")]),
        ] {
            let loaded = load(text, environment).unwrap();
            let codes: Vec<_> = loaded.warnings.iter().map(|warning| warning.code).collect();
            assert_eq!(codes, ["C0112"], "{text}");
            assert_eq!(loaded.config.policy.beyond_limits, Disposition::Accept);
            assert!(
                loaded
                    .merged
                    .places
                    .contains_key("policy.on_limit_exceeded")
            );
        }
        let loaded = load(
            &format!("{listener}policy.beyond_limits = \"accept\"\n"),
            &[],
        )
        .unwrap();
        assert_eq!(
            loaded.config.listeners[0].policy.beyond_limits,
            Disposition::Accept
        );
        assert_eq!(loaded.config.policy.beyond_limits, Disposition::Quarantine);
    }

    #[test]
    fn a_value_under_an_old_name_is_checked_and_both_names_are_an_error() {
        let wrong = load("policy.beyond_limits = \"refuse\"\n", &[]).unwrap_err();
        assert!(
            wrong[0].to_string().starts_with("a.toml:1:24"),
            "{}",
            wrong[0]
        );
        let both = "[policy]\nbeyond_limits = \"accept\"\non_limit_exceeded = \"reject\"\n";
        assert_eq!(load(both, &[]).unwrap_err()[0].code, "C0112");
    }
}
