//! `[limits]`: of reading, of connections, of time.

use crate::config::keys::{Applies, Key, Kind};
use crate::config::view::View;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const HOUR: u64 = 3_600_000;

/// The keys.
pub(in crate::config) const KEYS: &[Key] = &[
    Key {
        path: "limits.message",
        kind: Kind::Size(KIB, GIB),
        default: Some("\"50MiB\""),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "Bytes of one message. What is larger is not judged: `policy.on_fault` decides, and it is never called spam. \
              Should not be below the MTA's own limit (message_size_limit of Postfix).",
        example: "\"20MiB\"",
    },
    Key {
        path: "limits.depth",
        kind: Kind::Integer(1, 1_000),
        default: Some("64"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "How deep MIME entities may nest. What lies deeper is not read, and an anomaly says so.",
        example: "32",
    },
    Key {
        path: "limits.parts",
        kind: Kind::Integer(1, 100_000),
        default: Some("1000"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "How many MIME entities of one message are read. The rest is left alone, and an anomaly says so.",
        example: "200",
    },
    Key {
        path: "limits.headers",
        kind: Kind::Integer(1, 1_000_000),
        default: Some("10000"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "How many header fields of one message are read. The rest is left alone, and an anomaly says so.",
        example: "2000",
    },
    Key {
        path: "limits.header_bytes",
        kind: Kind::Size(KIB, 64 * MIB),
        default: Some("\"1MiB\""),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "Bytes of the header of one message. A longer header is not judged: `policy.on_fault` decides.",
        example: "\"256KiB\"",
    },
    Key {
        path: "limits.header_line",
        kind: Kind::Size(KIB, 16 * MIB),
        default: Some("\"100KiB\""),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "Bytes of one header field, its folded lines together. The rest of a longer field is not read, and an \
              anomaly says so.",
        example: "\"64KiB\"",
    },
    Key {
        path: "limits.recipients",
        kind: Kind::Integer(1, 1_000_000),
        default: Some("10000"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "Recipients of one mail. A mail with more is not judged: `policy.on_fault` decides.",
        example: "1000",
    },
    Key {
        path: "limits.urls",
        kind: Kind::Integer(1, 1_000_000),
        default: Some("10000"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "How many different URLs of one message are kept for the rules. The rest is left alone, and an anomaly says \
              so.",
        example: "2000",
    },
    Key {
        path: "limits.connections",
        kind: Kind::Integer(1, 1_000_000),
        default: Some("5000"),
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "Milter connections that are open at the same time, over all listeners. One SMTP session is one connection, \
              so this should not be below the process limit of Postfix' smtpd.",
        example: "500",
    },
    Key {
        path: "limits.deadline",
        kind: Kind::Duration(100, HOUR),
        default: Some("\"20s\""),
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "How long after the end of a message its verdict may take, queueing included. Then it is a fault. Must be \
              below the MTA's milter_content_timeout (300 s in Postfix).",
        example: "\"10s\"",
    },
];

/// The limits of reading.
pub(in crate::config) fn reading(view: View<'_>) -> gatepost_mail::Limits {
    gatepost_mail::Limits {
        message: view.size("limits.message"),
        depth: view.count("limits.depth"),
        parts: view.count("limits.parts"),
        headers: view.count("limits.headers"),
        header_bytes: view.size("limits.header_bytes"),
        header_line: view.size("limits.header_line"),
        recipients: view.count("limits.recipients"),
        urls: view.count("limits.urls"),
        ..gatepost_mail::Limits::default()
    }
}
