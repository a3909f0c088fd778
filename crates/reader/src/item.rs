//! What the reader hands over: one message, or why there is none.

use std::fmt;

/// Recipients of one envelope that are kept.
const RECIPIENTS_MAX: usize = 10_000;

/// One thing that was read.
#[derive(Clone, Debug)]
pub struct Item {
    /// As the user named it, with the number of the message in a mailbox.
    pub name: String,
    /// Its bytes, or why there are none.
    pub raw: Result<Vec<u8>, Unread>,
    /// What the queue file of an MTA says of its transaction.
    pub envelope: Option<Box<Envelope>>,
}

/// Why there is no message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It cannot be read, or is beyond a limit.
    Failed(String),
    /// It is something else: an image, an index of a mail server, a device.
    NotAMessage(String),
    /// It was left out on purpose, and can be named to be read: a hidden folder, a link to a directory.
    PassedOver(String),
    /// A directory that was named holds no message.
    Nothing(String),
}

/// The transaction of a message in a queue file. Texts of strangers, without control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// MAIL FROM; empty is the null path.
    pub sender: String,
    /// RCPT TO.
    pub recipients: Vec<String>,
    /// Address of the client.
    pub client_address: Option<String>,
    /// Its verified host name, or `unknown`.
    pub client_name: Option<String>,
    /// HELO.
    pub helo: Option<String>,
    /// Login name of an authenticated client.
    pub authenticated: Option<String>,
    /// The name of the queue file.
    pub queue_id: Option<String>,
}

impl Item {
    /// A message.
    pub(crate) fn message(name: &str, raw: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            raw: Ok(raw),
            envelope: None,
        }
    }

    /// Something that is not handed over as a message.
    pub(crate) fn unread(name: impl Into<String>, why: Unread) -> Self {
        Self {
            name: name.into(),
            raw: Err(why),
            envelope: None,
        }
    }

    /// The message as a mailbox holds it: where there is an envelope, its sender and first recipient
    /// are written as the fields that delivery adds.
    pub fn as_delivered(&self) -> Result<Vec<u8>, Unread> {
        let mut raw = self.raw.clone()?;
        // An editor's mark, which would be read as a part of the first field's name.
        if raw.starts_with(b"\xef\xbb\xbf") {
            raw.drain(..3);
        }
        let Some(envelope) = &self.envelope else {
            return Ok(raw);
        };
        let mut delivered = format!("Return-Path: <{}>\n", envelope.sender).into_bytes();
        if let Some(recipient) = envelope.recipients.first() {
            delivered.extend_from_slice(format!("Delivered-To: {recipient}\n").as_bytes());
        }
        delivered.extend_from_slice(&raw);
        Ok(delivered)
    }
}

impl Unread {
    /// What an error of the operating system comes to.
    pub(crate) fn of_io(error: &std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }

    /// A message beyond the limit.
    pub(crate) fn too_large(limit: usize) -> Self {
        Self::Failed(format!("larger than {limit} bytes (limits.message)"))
    }

    /// Something else than a message; `what` begins with an article.
    pub(crate) fn is(what: &str) -> Self {
        Self::NotAMessage(format!("not a message: {what}"))
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why)
            | Self::NotAMessage(why)
            | Self::PassedOver(why)
            | Self::Nothing(why) => f.write_str(why),
        }
    }
}

impl Envelope {
    /// Notes an attribute of Postfix (`client_address=192.0.2.1`), in records and in `postcat`'s text.
    pub(crate) fn attribute(&mut self, name: &str, value: &[u8]) {
        let place = match name {
            "client_address" => &mut self.client_address,
            "client_name" => &mut self.client_name,
            "helo_name" => &mut self.helo,
            "sasl_username" => &mut self.authenticated,
            _ => return,
        };
        *place = Some(clean(value));
    }

    /// Notes a recipient.
    pub(crate) fn recipient(&mut self, value: &[u8]) {
        if self.recipients.len() < RECIPIENTS_MAX {
            self.recipients.push(clean(value));
        }
    }
}

/// Text of a queue file without what could end a line.
pub(crate) fn clean(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.chars().filter(|c| !c.is_control()).collect()
}
