//! `[rules]`: which rules are loaded.

use std::path::PathBuf;

use crate::config::keys::{Applies, Key, Kind};
use crate::config::settings::Rules;
use crate::config::view::View;

/// The keys.
pub(in crate::config) const KEYS: &[Key] = &[
    Key {
        path: "rules.shipped",
        kind: Kind::Boolean,
        default: Some("true"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "Whether the rules that come with Gatepost are loaded, before those of `rules.paths`. Switch them off only \
              where another complete rule set is used.",
        example: "false",
    },
    Key {
        path: "rules.paths",
        kind: Kind::List,
        default: Some("[\"/etc/gatepost/rules\"]"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "Files and directories with the site's own rules, in SpamAssassin's .cf language. A directory is read as \
              SpamAssassin reads one: `*.pre`, then `*.cf`, in name order; later lines win. The default directory may be \
              missing, a path that is configured may not.",
        example: "[\"/etc/gatepost/rules\", \"/etc/mail/spamassassin\"]",
    },
    Key {
        path: "rules.public_suffix_list",
        kind: Kind::Path,
        default: Some("\"\""),
        since: "0.2.0",
        applies: Applies::Restart,
        doc: "A newer public suffix list, in the format of https://publicsuffix.org/list/: it says where the domain of a \
              registrant begins (`example.co.uk`). Empty means the one that is built in. Another content of the file \
              takes effect with a restart too.",
        example: "\"/usr/share/publicsuffix/public_suffix_list.dat\"",
    },
];

/// Reads `[rules]`. `is_set` says whether `rules.paths` is other than the default.
pub(in crate::config) fn rules(view: View<'_>, is_set: bool) -> Rules {
    let paths = view.list("rules.paths");
    Rules {
        shipped: view.flag("rules.shipped"),
        paths: paths.into_iter().map(PathBuf::from).collect(),
        may_be_missing: !is_set,
        public_suffix_list: view.path("rules.public_suffix_list"),
    }
}
