//! From the merged tree to types, and what only shows when values are seen together.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::layers::Merged;
use super::lookup::find;
use super::origin::Origin;
use super::sections;
use super::settings::{Config, FrontEnd, Listener};
use super::view::View;
use gatepost_engine::Durable;
use gatepost_words::SocketAddress;
use gatepost_words::diagnostic::Diagnostic;

/// Builds the configuration. Values are known to fit their keys; contradictions between them are
/// found here.
pub(super) fn build(merged: &Merged) -> Result<(Config, Vec<Diagnostic>), Vec<Diagnostic>> {
    let view = View { tree: &merged.tree };
    let mut errors = Vec::new();
    let policy = sections::policy::profile(view, "policy");
    check_profile(&policy, "policy", None, &merged.places, &mut errors);
    let listeners = listeners(view, &merged.places, &mut errors);
    check_unique(&listeners, &merged.places, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let config = Config {
        listeners,
        policy,
        on_fault: sections::policy::on_fault(view, "policy"),
        rules: sections::rules::rules(view, merged.places.contains_key("rules.paths")),
        model: sections::model::model(view),
        learner: sections::learner::learner(view),
        dns: sections::dns::dns(view),
        connections: view.count("limits.connections"),
        limits: sections::limits::reading(view),
        engine: sections::workers::engine_settings(view),
        server: sections::server::server(view),
        log: sections::log::log(view),
        records: sections::records::records(view),
        durable: sections::records::durable(view),
    };
    let warnings = warnings(&config, &merged.places);
    Ok((config, warnings))
}

fn listeners(
    view: View<'_>,
    places: &BTreeMap<String, Origin>,
    errors: &mut Vec<Diagnostic>,
) -> Vec<Listener> {
    let count = view
        .get("listener")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    let mut listeners = Vec::new();
    for number in 0..count {
        let at = |name: &str| format!("listener.{number}.{name}");
        for required in ["name", "socket"] {
            if view.get(&at(required)).is_none() {
                let missing =
                    Diagnostic::error("C0111", format!("the listener has no `{required}`"));
                let example = find(&format!("listener.{required}")).map_or("", |key| key.example);
                let missing = missing.help(format!("add {required} = {example}"));
                errors.push(match places.get(&format!("listener.{number}")) {
                    Some(place) => place.mark(missing, "this one"),
                    None => missing,
                });
            }
        }
        let policy = sections::policy::profile(view, &at("policy"));
        check_profile(&policy, &at("policy"), Some("policy"), places, errors);
        listeners.extend(sections::listener::listener(view, number));
    }
    listeners
}

/// What the policy room says of a profile, shown at the value that was written.
fn check_profile(
    settings: &gatepost_policy::Settings,
    section: &str,
    fallback: Option<&str>,
    places: &BTreeMap<String, Origin>,
    errors: &mut Vec<Diagnostic>,
) {
    let Err(found) = gatepost_policy::Policy::new(settings) else {
        return;
    };
    // A listener that sets nothing of its own has the mistakes of [policy], which were reported there.
    if fallback.is_some()
        && !places
            .keys()
            .any(|path| path.starts_with(&format!("{section}.")))
    {
        return;
    }
    for error in found {
        let path = format!("{section}.{}", error.key);
        let related = ["quarantine", "required", "reject"].map(|name| format!("{section}.{name}"));
        let candidates = std::iter::once(&path).chain(&related).map(String::as_str);
        let inherited = fallback.map(|fallback| format!("{fallback}.{}", error.key));
        let place = candidates
            .chain(inherited.as_deref())
            .find_map(|path| places.get(path));
        let code = if error.key.contains('.') {
            "C0105"
        } else {
            "C0106"
        };
        let shown = shown_path(&path);
        let diagnostic = Diagnostic::error(
            code,
            format!("`{shown}` = {}: {}", error.value, error.message),
        );
        errors.push(match place {
            Some(place) => place.mark(diagnostic, ""),
            None => diagnostic,
        });
    }
}

/// `listener.0.policy.reject` is `listener.policy.reject` for people.
fn shown_path(path: &str) -> String {
    path.split('.')
        .filter(|part| part.parse::<usize>().is_err())
        .collect::<Vec<_>>()
        .join(".")
}

fn check_unique(
    listeners: &[Listener],
    places: &BTreeMap<String, Origin>,
    errors: &mut Vec<Diagnostic>,
) {
    for (number, listener) in listeners.iter().enumerate() {
        let earlier = listeners.iter().take(number).enumerate();
        for (other, earlier) in earlier {
            let same = [
                (
                    "name",
                    earlier.name == listener.name,
                    listener.name.to_string(),
                ),
                (
                    "socket",
                    earlier.socket == listener.socket,
                    listener.socket.to_string(),
                ),
            ];
            for (key, same, value) in same {
                if same {
                    let diagnostic = Diagnostic::error(
                        "C0109",
                        format!("two listeners have the {key} `{value}`"),
                    );
                    let here = places.get(&format!("listener.{number}.{key}"));
                    let there = places.get(&format!("listener.{other}.{key}"));
                    let diagnostic = match here {
                        Some(place) => place.mark(diagnostic, "again"),
                        None => diagnostic,
                    };
                    errors.push(match there {
                        Some(place) => place.also(diagnostic, "first"),
                        None => diagnostic,
                    });
                }
            }
        }
    }
    let libmilter: Vec<_> = listeners
        .iter()
        .enumerate()
        .filter(|(_, listener)| listener.front_end == FrontEnd::Libmilter)
        .collect();
    if let [_, (second, _), ..] = libmilter.as_slice() {
        let diagnostic = Diagnostic::error("C0106", "libmilter can serve one listener only")
            .help("give the others front_end = \"native\"");
        errors.push(match places.get(&format!("listener.{second}.front_end")) {
            Some(place) => place.mark(diagnostic, "the second"),
            None => diagnostic,
        });
    }
}

/// What works and is probably not meant.
fn warnings(config: &Config, places: &BTreeMap<String, Origin>) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    let mut warn = |path: &str, message: &str, help: &str| {
        let diagnostic = Diagnostic::warning("C0106", message).help(help);
        warnings.push(match places.get(path) {
            Some(place) => place.mark(diagnostic, ""),
            None => diagnostic,
        });
    };
    if config.engine.bytes_in_flight < config.limits.message {
        warn(
            "workers.bytes_in_flight",
            "`workers.bytes_in_flight` is smaller than `limits.message`: a message of the largest size is never judged",
            "make it several times the size of a message",
        );
    }
    if config.durable != Durable::Nothing && config.records.path.is_none() {
        warn(
            "records.durable",
            "`records.durable` has no effect: records are off",
            "set records.path, or leave records.durable out",
        );
    }
    if config.limits.header_bytes > config.limits.message {
        warn(
            "limits.header_bytes",
            "`limits.header_bytes` is larger than `limits.message`",
            "no header is larger than its message",
        );
    }
    if config.engine.deadline >= Duration::from_mins(5) {
        warn(
            "limits.deadline",
            "`limits.deadline` is not below the 300 s that Postfix waits for an answer",
            "make it smaller, or raise milter_content_timeout in main.cf",
        );
    }
    if !config.rules.shipped && config.rules.paths.is_empty() {
        warn(
            "rules.shipped",
            "there are no rules: the shipped ones are off and `rules.paths` is empty",
            "name a path, or set `rules.shipped = true`",
        );
    }
    for (number, listener) in config.listeners.iter().enumerate() {
        if listener.mode & 0o006 != 0 && matches!(listener.socket, SocketAddress::Unix(_)) {
            warn(
                &format!("listener.{number}.mode"),
                "the socket is world-writable",
                "use \"0660\" and the MTA's group",
            );
        }
    }
    warnings
}
