//! Names that shipped in an earlier version: accepted for one release, with a warning.

use super::terminal::eprint_line;

/// Warns that a command or option has a new name.
pub(super) fn renamed(old: &str, new: &str) {
    eprint_line(format_args!(
        "gatepost: warning: `{old}` is now `{new}`; the old name will be removed"
    ));
}
