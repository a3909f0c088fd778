//! `[learner]`: what the site teaches.

use crate::config::keys::{Applies, Key, Kind};
use crate::config::settings::Learner;
use crate::config::view::View;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The keys.
pub(in crate::config) const KEYS: &[Key] = &[
    Key {
        path: "learner.enabled",
        kind: Kind::Boolean,
        default: Some("true"),
        since: "0.2.0",
        applies: Applies::Reload,
        doc: "Whether what `gatepost learn` was taught takes part in judging. Without labels it changes nothing.",
        example: "false",
    },
    Key {
        path: "learner.path",
        kind: Kind::Path,
        default: Some("\"/var/lib/gatepost/learner\""),
        since: "0.2.0",
        applies: Applies::Reload,
        doc: "The directory of the label log and of what was learned from it. Who runs `gatepost learn` must be able to write \
              there, the daemon reads only. Empty means that nothing can be learned. A reload goes over to another directory, \
              which must be there; where it cannot be read, the reload fails and all stays as it was.",
        example: "\"/srv/gatepost/learner\"",
    },
    Key {
        path: "learner.log_size",
        kind: Kind::Size(MIB, 4 * GIB),
        default: Some("\"64MiB\""),
        since: "0.2.0",
        applies: Applies::Reload,
        doc: "How large the label log may become. A label takes about 3 KB: so many can be listed and taken back. What older \
              labels taught stays, but they cannot be taken back any more.",
        example: "\"256MiB\"",
    },
    Key {
        path: "learner.domains",
        kind: Kind::List,
        default: Some("[]"),
        since: "0.2.0",
        applies: Applies::Reload,
        doc: "Recipient domains that learn for themselves in addition to what all mail taught: one customer's newsletter is another \
              one's spam. A label of such a domain's mail teaches both; its mail is judged by both. The domain is that of the \
              first recipient; `gatepost learn` reads it from Received, Delivered-To or X-Original-To.",
        example: "[\"example.com\", \"example.net\"]",
    },
    Key {
        path: "learner.trusted_authservs",
        kind: Kind::List,
        default: Some("[]"),
        since: "0.2.0",
        applies: Applies::Reload,
        doc: "The authserv-ids whose `Authentication-Results` fields are believed (RFC 8601): those of your own MTA and of the \
              milters in front of this one, which must remove such fields from incoming mail. Only where one of them vouches \
              for the sender does what was learned of that sender count for it; a forged sender inherits nothing.",
        example: "[\"mx.example.com\"]",
    },
];

/// Reads `[learner]`.
pub(in crate::config) fn learner(view: View<'_>) -> Learner {
    let domains = view.list("learner.domains");
    Learner {
        enabled: view.flag("learner.enabled"),
        path: view.path("learner.path"),
        log_size: view.size("learner.log_size"),
        domains: domains
            .iter()
            .map(|domain| domain.to_ascii_lowercase())
            .collect(),
        trusted_authservs: view.list("learner.trusted_authservs"),
    }
}
