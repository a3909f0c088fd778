//! The one table of configuration keys, put together from the sections.

use super::keys::Key;
use super::sections::{
    dns, learner, limits, listener, log, model, policy, records, rules, server, workers,
};

/// The sections, in the order in which the sample file and the manual show them.
const SECTIONS: &[&[Key]] = &[
    listener::KEYS,
    policy::KEYS,
    rules::KEYS,
    model::KEYS,
    learner::KEYS,
    dns::KEYS,
    limits::KEYS,
    workers::KEYS,
    server::KEYS,
    log::KEYS,
    records::KEYS,
];

const COUNT: usize = count();
static TABLE: [Key; COUNT] = table();

/// Every key.
pub static KEYS: &[Key] = &TABLE;

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which checks it"
)]
const fn count() -> usize {
    let (mut section, mut count) = (0, 0);
    while section < SECTIONS.len() {
        count += SECTIONS[section].len();
        section += 1;
    }
    count
}

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which checks it"
)]
const fn table() -> [Key; COUNT] {
    let mut table = [SECTIONS[0][0]; COUNT];
    let (mut section, mut next) = (0, 0);
    while section < SECTIONS.len() {
        let mut number = 0;
        while number < SECTIONS[section].len() {
            table[next] = SECTIONS[section][number];
            next += 1;
            number += 1;
        }
        section += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::KEYS;
    use crate::config::Config;
    use gatepost_words::diagnostic::Source;

    const LISTENER: &str =
        "[[listener]]\nname = \"inbound\"\nsocket = \"unix:/run/gatepost/milter.sock\"\n";

    fn config(text: &str) -> String {
        let source = Arc::new(Source::new("test.toml", text));
        let loaded = Config::from_sources(vec![source], &BTreeMap::new()).unwrap();
        format!("{:?}", loaded.config)
    }

    /// A key that is read into nothing would be accepted without any effect.
    #[test]
    fn the_example_of_every_key_makes_another_configuration() {
        let default = config("");
        assert_eq!(config(LISTENER), default);
        for key in KEYS {
            let text = match key.path.strip_prefix("listener.") {
                None => format!("{} = {}\n", key.path, key.example),
                Some(name) => {
                    let mut listener: toml::Table = LISTENER.parse().unwrap();
                    let value: toml::Table = format!("x = {}", key.example).parse().unwrap();
                    listener["listener"][0]
                        .as_table_mut()
                        .unwrap()
                        .insert(name.to_owned(), value["x"].clone());
                    listener.to_string()
                }
            };
            assert_ne!(config(&text), default, "{} = {}", key.path, key.example);
        }
    }
}
