//! `[records]`

use crate::config::keys::{Applies, Key, Kind};
use crate::config::view::View;
use gatepost_engine::Durable;

const KIB: u64 = 1 << 10;
const GIB: u64 = 1 << 30;

/// The keys.
pub(in crate::config) const KEYS: &[Key] = &[
    Key {
        path: "records.path",
        kind: Kind::Path,
        default: Some("\"/var/lib/gatepost/records.jsonl\""),
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "The file that keeps one line for each verdict, so that `gatepost explain ID` can tell why. Empty switches it \
              off. A file that cannot be written is reported and never stops mail.",
        example: "\"/var/log/gatepost/records.jsonl\"",
    },
    Key {
        path: "records.size",
        kind: Kind::Size(64 * KIB, 64 * GIB),
        default: Some("\"64MiB\""),
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "When the record file reaches this size it is renamed to `*.1`, and a new one begins: twice this is the most \
              that records take on disk.",
        example: "\"256MiB\"",
    },
    Key {
        path: "records.durable",
        kind: Kind::Choice(&["none", "held", "all"]),
        default: Some("\"none\""),
        since: "0.2.0",
        applies: Applies::Restart,
        doc: "Which records are on the disk before the answer: `held` those of messages that are held or refused, `all` \
              those of all messages. Where that fails, or takes longer than five seconds, `policy.on_fault` decides.",
        example: "\"held\"",
    },
];

/// Which records must be on the disk before the answer.
pub(in crate::config) fn durable(view: View<'_>) -> Durable {
    match view.text("records.durable") {
        "held" => Durable::Held,
        "all" => Durable::All,
        _ => Durable::Nothing,
    }
}

/// Reads `[records]`.
pub(in crate::config) fn records(view: View<'_>) -> gatepost_records::RecordSettings {
    gatepost_records::RecordSettings {
        path: view.path("records.path"),
        size: view.size("records.size"),
    }
}
