//! `[[listener]]`: where MTAs connect.

use super::policy;
use crate::config::keys::{Applies, Key, Kind};
use crate::config::settings::{FrontEnd, Listener};
use crate::config::units;
use crate::config::view::View;

/// The keys.
pub(in crate::config) const KEYS: &[Key] = &[
    Key {
        path: "listener.name",
        kind: Kind::Name,
        default: None,
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "The name of the listener and of its policy profile. It stands in logs, metrics and verdict records; two \
              listeners cannot share one.",
        example: "\"submission\"",
    },
    Key {
        path: "listener.socket",
        kind: Kind::Socket,
        default: None,
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "Where the MTA connects: `unix:/PATH`, `inet:PORT@ADDRESS` or `inet6:PORT@[ADDRESS]`, with an address of this machine. A socket \
              file needs no port and is protected by its permissions; behind a chrooted Postfix (Debian) it has to lie \
              below /var/spool/postfix.",
        example: "\"inet:8891@127.0.0.1\"",
    },
    Key {
        path: "listener.mode",
        kind: Kind::Mode,
        default: Some("\"0660\""),
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "Permission bits of a UNIX socket, in octal. A process that may write to the socket may ask for verdicts, so it \
              should be open to the MTA's group and to no other.",
        example: "\"0600\"",
    },
    Key {
        path: "listener.group",
        kind: Kind::Text,
        default: Some("\"\""),
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "The group that a UNIX socket is given, by name or number; empty leaves the group of the process. With \
              Postfix this is usually `postfix`.",
        example: "\"postfix\"",
    },
    Key {
        path: "listener.front_end",
        kind: Kind::Choice(&["native", "libmilter"]),
        default: Some("\"native\""),
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "Who speaks the milter protocol on this listener: Gatepost's own event loop, or Sendmail's libmilter. The \
              second is there only in a build with the cargo feature `libmilter`, and for one listener at most.",
        example: "\"libmilter\"",
    },
];

/// Reads listener `number`; `None` where its socket was found wrong before.
pub(in crate::config) fn listener(view: View<'_>, number: usize) -> Option<Listener> {
    let at = |name: &str| format!("listener.{number}.{name}");
    let text = |name: &str| match view.get(&at(name)) {
        Some(_) => view.text(&at(name)).to_owned(),
        None => default_text(name),
    };
    Some(Listener {
        name: view.text(&at("name")).into(),
        socket: view.text(&at("socket")).parse().ok()?,
        mode: units::mode(&text("mode")).unwrap_or(0o660),
        group: Some(text("group")).filter(|group| !group.is_empty()),
        front_end: if text("front_end") == "libmilter" {
            FrontEnd::Libmilter
        } else {
            FrontEnd::Native
        },
        policy: policy::profile(view, &at("policy")),
        on_fault: policy::on_fault(view, &at("policy")),
    })
}

fn default_text(name: &str) -> String {
    let mut named = KEYS.iter().filter(|key| key.name() == name);
    let default = named.next().and_then(|key| key.default).unwrap_or_default();
    default.trim_matches('"').to_owned()
}
