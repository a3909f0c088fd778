//! What the MTA sends: one event for each command of the mail filter protocol, with the macros of
//! its stage.

use std::net::IpAddr;

use super::Macros;

/// The kind of address that CONNECT names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// `4` or `6`: an IP address (an `IPv6:` prefix, as Sendmail writes it, is taken off) and port.
    Ip(IpAddr, u16),
    /// `L`: a UNIX-domain socket.
    Local,
    /// `U`, or an address that cannot be read.
    Unknown,
}

/// One step of the SMTP session. Byte strings are as on the wire, without their closing NUL.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A client connected.
    Connect {
        /// Its host name, or an address literal, or `unknown`.
        host: &'a [u8],
        /// Its address.
        peer: Peer,
        /// `{daemon_name}`, `{client_addr}`, …
        macros: &'a Macros,
    },
    /// HELO or EHLO; may come again (after STARTTLS).
    Helo {
        /// The argument.
        name: &'a [u8],
        /// `{tls_version}`, …
        macros: &'a Macros,
    },
    /// MAIL FROM.
    MailFrom {
        /// The path, with its angle brackets.
        path: &'a [u8],
        /// ESMTP parameters, such as `SIZE=1000`.
        parameters: &'a [&'a [u8]],
        /// `{auth_authen}`, `i`, …
        macros: &'a Macros,
    },
    /// One RCPT TO.
    RcptTo {
        /// The path, with its angle brackets.
        path: &'a [u8],
        /// ESMTP parameters.
        parameters: &'a [&'a [u8]],
        /// `{rcpt_addr}`, `i`, …
        macros: &'a Macros,
    },
    /// The DATA command.
    Data {
        /// `i`, …
        macros: &'a Macros,
    },
    /// One header field.
    Header {
        /// The field name, without the colon.
        name: &'a [u8],
        /// The field body. Lines are joined by LF and white space; with
        /// [`super::Negotiated::leading_space`] it begins with exactly what followed the
        /// colon, else one leading space was eaten by the MTA.
        value: &'a [u8],
    },
    /// The header is complete.
    EndOfHeaders {
        /// `i`, …
        macros: &'a Macros,
    },
    /// A piece of the body, with CRLF line ends, cut anywhere.
    Body {
        /// The bytes.
        chunk: &'a [u8],
    },
    /// The message is complete. Body data that came inside this command was given as
    /// [`Event::Body`] before.
    EndOfMessage {
        /// `i`, `{msg_id}`, …
        macros: &'a Macros,
    },
    /// The transaction is broken off, or (Postfix) over. Never answered. Also after a message that
    /// was answered.
    Abort,
    /// An SMTP command that the MTA does not know; only when UNKNOWN was not switched off.
    Unknown {
        /// The command line.
        command: &'a [u8],
    },
    /// The session is over (QUIT, QUIT_NC, or the MTA hung up). Never answered.
    Close,
}

impl Event<'_> {
    /// A name for dialogues and traces.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "CONNECT",
            Self::Helo { .. } => "HELO",
            Self::MailFrom { .. } => "MAIL",
            Self::RcptTo { .. } => "RCPT",
            Self::Data { .. } => "DATA",
            Self::Header { .. } => "HEADER",
            Self::EndOfHeaders { .. } => "EOH",
            Self::Body { .. } => "BODY",
            Self::EndOfMessage { .. } => "EOM",
            Self::Abort => "ABORT",
            Self::Unknown { .. } => "UNKNOWN",
            Self::Close => "CLOSE",
        }
    }
}
