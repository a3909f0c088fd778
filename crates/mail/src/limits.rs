//! The limits of reading. Each is documented and tested at n and n + 1.

use gatepost_words::canonical::{Canonical, Encoder};

/// What reading a message may cost at most. What is beyond a limit is not read, and an anomaly
/// reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole message; `session` enforces it while the message comes in.
    pub message: usize,
    /// Depth of MIME nesting.
    pub depth: usize,
    /// MIME entities.
    pub parts: usize,
    /// Header fields of the message.
    pub headers: usize,
    /// Bytes of the message's header.
    pub header_bytes: usize,
    /// Bytes of one header field.
    pub header_line: usize,
    /// Recipients of one transaction.
    pub recipients: usize,
    /// Decoded bytes, as a multiple of the message's bytes.
    pub decoded_factor: usize,
    /// URLs.
    pub urls: usize,
    /// Bytes of HTML that are rendered, over all parts.
    pub html: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: 50 << 20,
            depth: 64,
            parts: 1_000,
            headers: 10_000,
            header_bytes: 1 << 20,
            header_line: 100 << 10,
            recipients: 10_000,
            decoded_factor: 3,
            urls: 10_000,
            html: 4 << 20,
        }
    }
}

impl Canonical for Limits {
    fn encode(&self, out: &mut Encoder) {
        let Self {
            message,
            depth,
            parts,
            headers,
            header_bytes,
            header_line,
            recipients,
            decoded_factor,
            urls,
            html,
        } = *self;
        out.size("message", message);
        out.size("depth", depth);
        out.size("parts", parts);
        out.size("headers", headers);
        out.size("header_bytes", header_bytes);
        out.size("header_line", header_line);
        out.size("recipients", recipients);
        out.size("decoded_factor", decoded_factor);
        out.size("urls", urls);
        out.size("html", html);
    }
}
