//! What differs between two configurations, key by key: what a reload puts in force, and what waits
//! for a restart.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::keys::Applies;
use super::layers::Merged;
use super::lookup::find;
use super::table::KEYS;

/// The keys that differ, as people write them: `policy.reject`, `listener.inbound.socket`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Keys that a reload puts in force.
    pub reload: Vec<String>,
    /// Keys that need a restart.
    pub restart: Vec<String>,
}

impl Changes {
    /// What is different in `new`.
    pub fn between(old: &Merged, new: &Merged) -> Self {
        let mut changes = Self::default();
        for key in KEYS.iter().filter(|key| !key.is_of_listener()) {
            let pointer = pointer(key.path);
            if old.tree.pointer(&pointer) != new.tree.pointer(&pointer) {
                changes.note(key.path.to_owned(), key.applies);
            }
        }
        changes.listeners(&listeners(&old.tree), &listeners(&new.tree));
        changes
    }

    fn note(&mut self, path: String, applies: Applies) {
        match applies {
            Applies::Reload => self.reload.push(path),
            Applies::Restart => self.restart.push(path),
        }
    }

    /// Listeners are distinguished by their names.
    fn listeners(&mut self, old: &[(&str, &Value)], new: &[(&str, &Value)]) {
        let named = |listeners: &[(&str, &Value)]| -> Vec<String> {
            let names = listeners.iter();
            names.map(|(name, _)| (*name).to_owned()).collect()
        };
        let (before, after) = (named(old), named(new));
        let all: BTreeSet<&String> = before.iter().chain(&after).collect();
        for name in all {
            let find = |listeners: &[(&str, &Value)]| {
                let mut found = listeners.iter().filter(|(other, _)| other == name);
                found.next().map(|(_, value)| (*value).clone())
            };
            match (find(old), find(new)) {
                (Some(old), Some(new)) => self.listener(name, &old, &new),
                _ => self.restart.push(format!("listener.{name}")),
            }
        }
        let is_same_set = before.iter().collect::<BTreeSet<_>>() == after.iter().collect();
        if is_same_set && before != after {
            self.restart.push("the order of the listeners".to_owned());
        }
    }

    fn listener(&mut self, name: &str, old: &Value, new: &Value) {
        let (old, new) = (leaves(old), leaves(new));
        let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for path in paths {
            if old.get(path) != new.get(path)
                && let Some(key) = find(&format!("listener.{path}"))
            {
                self.note(format!("listener.{name}.{path}"), key.applies);
            }
        }
    }
}

/// The configuration in force after reloads: keys that need a restart as they were at the start,
/// all others as they were last loaded.
pub fn in_force(started: &Merged, loaded: &Merged) -> Merged {
    let mut merged = loaded.clone();
    for key in KEYS
        .iter()
        .filter(|key| key.applies == Applies::Restart && !key.is_of_listener())
    {
        let pointer = pointer(key.path);
        if let (Some(value), Some(old)) = (
            merged.tree.pointer_mut(&pointer),
            started.tree.pointer(&pointer),
        ) {
            *value = old.clone();
        }
        match started.places.get(key.path) {
            Some(place) => merged.places.insert(key.path.to_owned(), place.clone()),
            None => merged.places.remove(key.path),
        };
    }
    listeners_in_force(&mut merged, started, loaded);
    merged
}

/// The listeners of the start, each with the policy that was last loaded for its name.
fn listeners_in_force(merged: &mut Merged, started: &Merged, loaded: &Merged) {
    let policies = listeners(&loaded.tree);
    let mut all = started.tree.get("listener").cloned().unwrap_or_default();
    for listener in all.as_array_mut().into_iter().flatten() {
        let name = listener.get("name").cloned().unwrap_or_default();
        let mut same = policies.iter().filter(|(other, _)| name == *other);
        let (Some((_, now)), Some(listener)) = (same.next(), listener.as_object_mut()) else {
            continue;
        };
        match now.get("policy") {
            Some(policy) => listener.insert("policy".to_owned(), policy.clone()),
            None => listener.remove("policy"),
        };
    }
    if let Some(tree) = merged.tree.as_object_mut() {
        tree.insert("listener".to_owned(), all);
    }
    merged
        .places
        .retain(|path, _| !path.starts_with("listener."));
    for (path, place) in &started.places {
        if path.starts_with("listener.") {
            merged.places.insert(path.clone(), place.clone());
        }
    }
}

fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

/// Name and table of each listener, in order.
fn listeners(tree: &Value) -> Vec<(&str, &Value)> {
    let all = tree.get("listener").and_then(Value::as_array);
    let mut listeners = Vec::new();
    for listener in all.into_iter().flatten() {
        let name = listener.get("name").and_then(Value::as_str);
        listeners.push((name.unwrap_or_default(), listener));
    }
    listeners
}

/// The values of a table by their dotted paths. Depth is bounded: only known keys are in it.
fn leaves(table: &Value) -> Map<String, Value> {
    let mut found = Map::new();
    let mut waiting = vec![(String::new(), table)];
    while let Some((prefix, value)) = waiting.pop() {
        for (name, value) in value.as_object().into_iter().flatten() {
            let path = format!("{prefix}{name}");
            if value.is_object() {
                waiting.push((format!("{path}."), value));
            } else {
                found.insert(path, value.clone());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::config::{Config, Which, show};
    use gatepost_words::diagnostic::Source;

    fn merged(text: &str) -> Merged {
        let source = Arc::new(Source::new("a.toml", text));
        let loaded = Config::from_sources(vec![source], &BTreeMap::new());
        loaded.unwrap().merged
    }

    fn changes(old: &str, new: &str) -> (Vec<String>, Vec<String>) {
        let changes = Changes::between(&merged(old), &merged(new));
        (changes.reload, changes.restart)
    }

    const ONE: &str = "[[listener]]\nname = \"in\"\nsocket = \"unix:/a\"\n";

    #[test]
    fn every_key_that_differs_is_in_one_of_the_two_lists() {
        assert_eq!(changes("", ""), (vec![], vec![]));
        for key in KEYS.iter().filter(|key| !key.is_of_listener()) {
            let text = format!("{} = {}\n", key.path, key.example);
            let expected = vec![key.path.to_owned()];
            let found = changes("", &text);
            match key.applies {
                Applies::Reload => assert_eq!(found, (expected, vec![])),
                Applies::Restart => assert_eq!(found, (vec![], expected)),
            }
        }
    }

    #[test]
    fn sockets_and_listeners_wait_and_their_policies_do_not() {
        let restart = |path: &str| (vec![], vec![path.to_owned()]);
        assert_eq!(
            changes(ONE, &ONE.replace("/a", "/b")),
            restart("listener.in.socket")
        );
        assert_eq!(
            changes(ONE, &format!("{ONE}mode = \"0600\"\n")),
            restart("listener.in.mode")
        );
        let (reload, waiting) = changes(ONE, &format!("{ONE}policy.refuse.helo = [\"x\"]\n"));
        assert_eq!(reload, ["listener.in.policy.refuse.helo"]);
        assert!(waiting.is_empty());
        let other = ONE.replace("in", "out").replace("/a", "/b");
        assert_eq!(
            changes(ONE, &format!("{ONE}{other}")),
            restart("listener.out")
        );
        let (_, waiting) = changes(ONE, &other);
        assert_eq!(waiting, ["listener.in", "listener.out"]);
        let (_, waiting) = changes(&format!("{ONE}{other}"), &format!("{other}{ONE}"));
        assert_eq!(waiting, ["the order of the listeners"]);
    }

    #[test]
    fn what_is_in_force_is_the_start_for_what_needs_a_restart_and_the_last_load_for_the_rest() {
        let started = merged(&format!("policy.reject = 16.0\n{ONE}"));
        let loaded = merged(&format!(
            "policy.reject = 17.0\nlimits.connections = 9\n{}policy.reject = 18.0\n",
            ONE.replace("/a", "/b")
        ));
        let text = show(&in_force(&started, &loaded), Which::Changed, None, &[]).unwrap();
        assert!(text.contains("reject = 17.0  # a.toml:1"), "{text}");
        assert!(!text.contains("connections"), "{text}");
        assert!(text.contains("socket = \"unix:/a\""), "{text}");
        assert!(text.contains("policy.reject = 18.0"), "{text}");
    }
}
