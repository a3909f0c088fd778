//! `[log]`

use crate::config::keys::{Applies, Key, Kind};
use crate::config::view::View;

/// The keys.
pub(in crate::config) const KEYS: &[Key] = &[
    Key {
        path: "log.level",
        kind: Kind::Choice(&["error", "warn", "info", "debug", "trace"]),
        default: Some("\"info\""),
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "What is logged: at `info` one line for each mail and one for each fault, and nothing else but start, reload \
              and stop.",
        example: "\"warn\"",
    },
    Key {
        path: "log.format",
        kind: Kind::Choice(&["text", "json"]),
        default: Some("\"text\""),
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "How a log line looks: words for people and grep with the queue id first, or one JSON object a line.",
        example: "\"json\"",
    },
];

/// Reads `[log]`.
pub(in crate::config) fn log(view: View<'_>) -> gatepost_telemetry::LogSettings {
    let level = view.text("log.level").parse();
    gatepost_telemetry::LogSettings {
        level: level.unwrap_or(log::LevelFilter::Info),
        json: view.text("log.format") == "json",
    }
}
