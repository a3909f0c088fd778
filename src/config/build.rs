//! From the merged tree to types, and what only shows when values are seen together.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::document::Place;
use super::keys::find;
use super::layers::Merged;
use super::settings::{Config, FrontEnd, Learner, Listener, Model, Rules, Server};
use super::units;
use super::value::read_size;
use gatepost_words::SocketAddress;
use gatepost_words::diagnostic::Diagnostic;
use gatepost_words::verdict;

/// Builds the configuration. Values are known to fit their keys; contradictions between them are
/// found here.
pub(super) fn build(merged: &Merged) -> Result<(Config, Vec<Diagnostic>), Vec<Diagnostic>> {
    let view = View { tree: &merged.tree };
    let mut wrong = Vec::new();
    let policy = profile(&view, "policy");
    check_profile(&policy, "policy", None, &merged.places, &mut wrong);
    let listeners = listeners(&view, &merged.places, &mut wrong);
    check_twice(&listeners, &merged.places, &mut wrong);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let config = Config {
        listeners,
        policy,
        on_fault: on_fault(&view, "policy"),
        rules: Rules {
            shipped: view.flag("rules.shipped"),
            paths: view
                .list("rules.paths")
                .into_iter()
                .map(PathBuf::from)
                .collect(),
            may_be_missing: !merged.places.contains_key("rules.paths"),
        },
        model: Model {
            enabled: view.flag("model.enabled"),
            path: view.path("model.path"),
        },
        learner: Learner {
            enabled: view.flag("learner.enabled"),
            path: view.path("learner.path"),
            log_size: view.size("learner.log_size"),
            domains: view
                .list("learner.domains")
                .iter()
                .map(|domain| domain.to_ascii_lowercase())
                .collect(),
            trusted_authservs: view.list("learner.trusted_authservs"),
        },
        connections: view.count("limits.connections"),
        limits: limits(&view),
        engine: engine_settings(&view),
        server: Server {
            idle_timeout: view.duration("server.idle_timeout"),
            drain_timeout: view.duration("server.drain_timeout"),
            control: view.path("server.control"),
        },
        log: gatepost_telemetry::LogSettings {
            level: level(view.text("log.level")),
            json: view.text("log.format") == "json",
        },
        records: gatepost_telemetry::RecordSettings {
            path: view.path("records.path"),
            size: view.size("records.size"),
        },
    };
    let warnings = warnings(&config, &merged.places);
    Ok((config, warnings))
}

/// Reads values out of the tree. What is not there, or does not fit, was reported before and reads
/// as nothing.
struct View<'t> {
    tree: &'t Value,
}

impl<'t> View<'t> {
    fn get(&self, path: &str) -> Option<&'t Value> {
        self.tree.pointer(&format!("/{}", path.replace('.', "/")))
    }

    fn text(&self, path: &str) -> &'t str {
        self.get(path).and_then(Value::as_str).unwrap_or_default()
    }

    fn flag(&self, path: &str) -> bool {
        self.get(path).and_then(Value::as_bool).unwrap_or_default()
    }

    fn points(&self, path: &str) -> f64 {
        self.get(path).and_then(Value::as_f64).unwrap_or_default()
    }

    fn count(&self, path: &str) -> usize {
        self.get(path)
            .and_then(Value::as_u64)
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or_default()
    }

    fn size(&self, path: &str) -> usize {
        let bytes = self
            .get(path)
            .and_then(|value| read_size(value).ok())
            .unwrap_or_default();
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    fn duration(&self, path: &str) -> Duration {
        Duration::from_millis(units::duration(self.text(path)).unwrap_or_default())
    }

    fn list(&self, path: &str) -> Vec<String> {
        let entries = self
            .get(path)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        entries
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }

    fn path(&self, path: &str) -> Option<PathBuf> {
        Some(self.text(path))
            .filter(|text| !text.is_empty())
            .map(PathBuf::from)
    }
}

fn profile(view: &View<'_>, section: &str) -> gatepost_policy::Settings {
    let at = |name: &str| pick(view, section, name);
    gatepost_policy::Settings {
        required: view.points(&at("required")),
        quarantine: view.points(&at("quarantine")),
        reject: view.points(&at("reject")),
        classifier_cap: view.points(&at("classifier_cap")),
        classifier_floor: view.points(&at("classifier_floor")),
        beyond_limits: match view.text(&at("beyond_limits")) {
            "accept" => verdict::Disposition::Accept,
            "reject" => verdict::Disposition::Reject,
            _ => verdict::Disposition::Quarantine,
        },
        refuse: gatepost_policy::AdminLists {
            clients: view.list(&at("refuse.clients")),
            helo: view.list(&at("refuse.helo")),
            senders: view.list(&at("refuse.senders")),
            recipients: view.list(&at("refuse.recipients")),
        },
        defer: gatepost_policy::AdminLists::default(),
    }
}

fn on_fault(view: &View<'_>, section: &str) -> gatepost_words::FailurePolicy {
    match view.text(&pick(view, section, "on_fault")) {
        "accept" => gatepost_words::FailurePolicy::Accept,
        "quarantine" => gatepost_words::FailurePolicy::Quarantine,
        _ => gatepost_words::FailurePolicy::Tempfail,
    }
}

/// A listener's own value where it has one, else that of `[policy]`.
fn pick(view: &View<'_>, section: &str, name: &str) -> String {
    let own = format!("{section}.{name}");
    if view.get(&own).is_some() {
        own
    } else {
        format!("policy.{name}")
    }
}

fn limits(view: &View<'_>) -> gatepost_mail::Limits {
    gatepost_mail::Limits {
        message: view.size("limits.message"),
        depth: view.count("limits.depth"),
        parts: view.count("limits.parts"),
        headers: view.count("limits.headers"),
        header_bytes: view.size("limits.header_bytes"),
        header_line: view.size("limits.header_line"),
        recipients: view.count("limits.recipients"),
        urls: view.count("limits.urls"),
        ..gatepost_mail::Limits::default()
    }
}

fn engine_settings(view: &View<'_>) -> gatepost_engine::Settings {
    gatepost_engine::Settings {
        workers: view.count("workers.threads"),
        queue: view.count("workers.queue"),
        deadline: view.duration("limits.deadline"),
        bytes_in_flight: view.size("workers.bytes_in_flight"),
    }
}

fn level(word: &str) -> log::LevelFilter {
    word.parse().unwrap_or(log::LevelFilter::Info)
}

fn listeners(
    view: &View<'_>,
    places: &BTreeMap<String, Place>,
    wrong: &mut Vec<Diagnostic>,
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
                wrong.push(match places.get(&format!("listener.{number}")) {
                    Some(place) => place.mark(missing, "this one"),
                    None => missing,
                });
            }
        }
        let policy = profile(view, &at("policy"));
        check_profile(&policy, &at("policy"), Some("policy"), places, wrong);
        let Ok(socket) = view.text(&at("socket")).parse() else {
            continue;
        };
        let text = |name: &str| match view.get(&at(name)) {
            Some(_) => view.text(&at(name)).to_owned(),
            None => default_text(name),
        };
        listeners.push(Listener {
            name: view.text(&at("name")).into(),
            socket,
            mode: units::mode(&text("mode")).unwrap_or(0o660),
            group: Some(text("group")).filter(|group| !group.is_empty()),
            front_end: if text("front_end") == "libmilter" {
                FrontEnd::Libmilter
            } else {
                FrontEnd::Native
            },
            policy,
            on_fault: on_fault(view, &at("policy")),
        });
    }
    listeners
}

fn default_text(name: &str) -> String {
    let default = find(&format!("listener.{name}"))
        .and_then(|key| key.default)
        .unwrap_or_default();
    default.trim_matches('"').to_owned()
}

/// What the policy room says of a profile, shown at the value that was written.
fn check_profile(
    settings: &gatepost_policy::Settings,
    section: &str,
    fallback: Option<&str>,
    places: &BTreeMap<String, Place>,
    wrong: &mut Vec<Diagnostic>,
) {
    let Err(errors) = gatepost_policy::Policy::new(settings) else {
        return;
    };
    // A listener that sets nothing of its own has the mistakes of [policy], which were told there.
    if fallback.is_some()
        && !places
            .keys()
            .any(|path| path.starts_with(&format!("{section}.")))
    {
        return;
    }
    for error in errors {
        let path = format!("{section}.{}", error.key);
        let related = ["quarantine", "required", "reject"].map(|name| format!("{section}.{name}"));
        let candidates = std::iter::once(&path).chain(&related).map(String::as_str);
        let inherited = fallback.map(|fallback| format!("{fallback}.{}", error.key));
        let place = candidates
            .chain(inherited.as_deref())
            .find_map(|path| places.get(path));
        let code = if error.key.starts_with("refuse.") {
            "C0105"
        } else {
            "C0106"
        };
        let shown = shown_path(&path);
        let diagnostic = Diagnostic::error(
            code,
            format!("`{shown}` = {}: {}", error.value, error.message),
        );
        wrong.push(match place {
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

fn check_twice(
    listeners: &[Listener],
    places: &BTreeMap<String, Place>,
    wrong: &mut Vec<Diagnostic>,
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
                    wrong.push(match there {
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
        wrong.push(match places.get(&format!("listener.{second}.front_end")) {
            Some(place) => place.mark(diagnostic, "the second"),
            None => diagnostic,
        });
    }
}

/// What works and is probably not meant.
fn warnings(config: &Config, places: &BTreeMap<String, Place>) -> Vec<Diagnostic> {
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
                "everybody on this machine may use the socket",
                "use \"0660\" and the MTA's group",
            );
        }
    }
    warnings
}
