//! `[server]`: connections and the control socket.

use crate::config::keys::{Applies, Key, Kind};
use crate::config::settings::Server;
use crate::config::view::View;

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600_000;

/// The keys.
pub(in crate::config) const KEYS: &[Key] = &[
    Key {
        path: "server.idle_timeout",
        kind: Kind::Duration(SECOND, 24 * HOUR),
        default: Some("\"330s\""),
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "How long nothing may move on a milter connection before it is closed. Should be above the 300 s of Postfix' \
              milter_content_timeout: it is the MTA that should lose its patience first.",
        example: "\"30m\"",
    },
    Key {
        path: "server.drain_timeout",
        kind: Kind::Duration(0, HOUR),
        default: Some("\"25s\""),
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "How long the daemon goes on after SIGTERM to finish the messages that are past MAIL. What is left then is \
              dropped, and the clients try again.",
        example: "\"10s\"",
    },
    Key {
        path: "server.control",
        kind: Kind::Path,
        default: Some("\"/run/gatepost/control.sock\""),
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "The UNIX socket on which `gatepost reload` and `gatepost metrics` reach the daemon; only its own user may \
              connect. Empty switches it off.",
        example: "\"/run/gatepost/other.sock\"",
    },
];

/// Reads `[server]`.
pub(in crate::config) fn server(view: View<'_>) -> Server {
    Server {
        idle_timeout: view.duration("server.idle_timeout"),
        drain_timeout: view.duration("server.drain_timeout"),
        control: view.path("server.control"),
    }
}
