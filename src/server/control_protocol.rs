//! What goes over the control socket: one line of JSON each way.
//!
//! `{"command":"config","changed":true,"key":"policy"}` is answered by
//! `{"ok":true,"text":"…"}`, or `{"ok":false,"text":"why not"}`. A bare word instead of the JSON
//! object, as 0.1.0 sent it, is answered as 0.1.0 did: a line `ok` or `error`, then the text.

use serde::{Deserialize, Serialize};

/// What the daemon can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "command", rename_all = "lowercase")]
pub enum Request {
    /// Whether it is there.
    Ping,
    /// Its metrics, in Prometheus' text format.
    Metrics,
    /// Load rules, model, policy and limits again.
    Reload,
    /// The configuration in force.
    Config {
        /// Only what differs from the defaults.
        #[serde(default)]
        changed: bool,
        /// Only this key or section.
        #[serde(default)]
        key: Option<String>,
    },
}

impl Request {
    /// The request of a line; whether it came as a bare word.
    pub(super) fn parse(line: &str) -> Result<(Self, bool), String> {
        if line.starts_with('{') {
            let request = serde_json::from_str(line);
            let request = request.map_err(|error| format!("invalid request: {error}"))?;
            return Ok((request, false));
        }
        let request = match line {
            "ping" => Self::Ping,
            "metrics" | "stats" => Self::Metrics,
            "reload" => Self::Reload,
            _ => {
                return Err("unknown command: expected one of ping, metrics, reload".to_owned());
            }
        };
        Ok((request, true))
    }
}

/// What the daemon answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Answer {
    /// Whether it was done.
    pub ok: bool,
    /// The result, or why it was not done.
    pub text: String,
    /// What a reload changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload: Option<Reloaded>,
}

/// What a reload changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Reloaded {
    /// The generation now in force.
    pub generation: String,
    /// Keys with another value than before, in force from now on.
    pub changed: Vec<String>,
    /// Keys with another value than at the start, which need a restart.
    pub restart: Vec<String>,
    /// What else there is to know, such as labels that were read.
    pub notes: Vec<String>,
}

impl std::fmt::Display for Reloaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "generation {}", self.generation)?;
        for note in &self.notes {
            write!(f, "; {note}")?;
        }
        if !self.changed.is_empty() {
            write!(f, "; changed: {}", self.changed.join(", "))?;
        }
        if !self.restart.is_empty() {
            write!(f, "; needs a restart: {}", self.restart.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_objects_or_the_words_of_the_first_version() {
        let config = Request::Config {
            changed: true,
            key: None,
        };
        for (line, expected) in [
            (r#"{"command":"ping"}"#, (Request::Ping, false)),
            (r#"{"command":"config","changed":true}"#, (config, false)),
            ("stats", (Request::Metrics, true)),
            ("reload", (Request::Reload, true)),
        ] {
            assert_eq!(Request::parse(line), Ok(expected), "{line}");
        }
        for line in ["", "dance", "{", r#"{"command":"dance"}"#] {
            assert!(Request::parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_reload_names_what_changed_and_what_waits() {
        let reloaded = Reloaded {
            generation: "g".to_owned(),
            changed: vec!["policy.reject".to_owned()],
            restart: vec![
                "limits.connections".to_owned(),
                "workers.threads".to_owned(),
            ],
            notes: vec!["the learner is off".to_owned()],
        };
        assert_eq!(
            reloaded.to_string(),
            "generation g; the learner is off; changed: policy.reject; \
             needs a restart: limits.connections, workers.threads"
        );
    }
}
