//! `[model]`: the content model.

use crate::config::keys::{Applies, Key, Kind};
use crate::config::settings::Model;
use crate::config::view::View;

/// The keys.
pub(in crate::config) const KEYS: &[Key] = &[
    Key {
        path: "model.enabled",
        kind: Kind::Boolean,
        default: Some("true"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "Whether the classifier is asked. Without it only the rules speak.",
        example: "false",
    },
    Key {
        path: "model.path",
        kind: Kind::Path,
        default: Some("\"\""),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "A model file written by `gatepost model train`, with its manifest next to it. Empty means the model that is \
              built into the program. A model that does not fit is refused, and the last good one stays.",
        example: "\"/var/lib/gatepost/model.onnx\"",
    },
];

/// Reads `[model]`.
pub(in crate::config) fn model(view: View<'_>) -> Model {
    Model {
        enabled: view.flag("model.enabled"),
        path: view.path("model.path"),
    }
}
