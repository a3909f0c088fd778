//! A record as one line of JSON, and back.

use std::fmt::{self, Write as _};

use serde::Deserialize;

use gatepost_words::escape::is_unsafe;

use super::MailRecord;
use super::version_1::Version1;

/// Why a line is not a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableRecord(String);

impl fmt::Display for UnreadableRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnreadableRecord {}

/// The first thing that is read of a record.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl MailRecord {
    /// One line, its line feed included.
    pub fn to_line(&self) -> String {
        // The type has string keys only and no value that fails to print.
        let json = serde_json::to_string(self).unwrap_or_default();
        let mut line = escape_json(&json);
        line.push('\n');
        line
    }

    /// Reads a line of this version or of the one before it.
    pub fn from_line(line: &[u8]) -> Result<Self, UnreadableRecord> {
        let unreadable = |error: serde_json::Error| UnreadableRecord(error.to_string());
        let Versioned { version } = serde_json::from_slice(line).map_err(unreadable)?;
        match version {
            1 => {
                let old: Version1 = serde_json::from_slice(line).map_err(unreadable)?;
                old.into_record().map_err(UnreadableRecord)
            }
            Self::VERSION => serde_json::from_slice(line).map_err(unreadable),
            newer => Err(UnreadableRecord(format!(
                "version {newer}: this program reads up to version {}",
                Self::VERSION
            ))),
        }
    }
}

/// JSON without characters that a terminal or an editor acts on or does not show: C1 controls,
/// bidirectional controls and separators as `\u` escapes. They can only be inside of strings.
fn escape_json(json: &str) -> String {
    if !json.chars().any(is_unsafe) {
        return json.to_owned();
    }
    let mut escaped = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if is_unsafe(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing to a string does not fail.
                write!(escaped, "\\u{unit:04x}").unwrap_or_default();
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_shown_is_escaped_and_read_back() {
        let text = "a\u{9b}\u{202e}\u{2028}\u{7f}\u{200b}\u{1b}é日";
        let json = serde_json::to_string(text).unwrap();
        let escaped = escape_json(&json);
        assert_eq!(
            escaped,
            "\"a\\u009b\\u202e\\u2028\\u007f\\u200b\\u001bé日\""
        );
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
    }

    #[test]
    fn newer_versions_are_refused_by_number() {
        let error = MailRecord::from_line(br#"{"version":3}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "version 3: this program reads up to version 2"
        );
        assert!(MailRecord::from_line(b"{").is_err());
    }
}
