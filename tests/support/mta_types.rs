//! What an MTA offers, sends and gets.

/// What kind of MTA this is, and what it offers.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent habit"
)]
pub(crate) struct Options {
    /// Protocol version.
    pub(crate) version: u32,
    /// `SMFIF_*` bits.
    pub(crate) actions: u32,
    /// `SMFIP_*` bits.
    pub(crate) protocol: u32,
    /// Macros are sent before each header field and chunk, and empty ones too (Postfix).
    pub(crate) macros_everywhere: bool,
    /// ABORT follows each message, also an answered one (Postfix).
    pub(crate) abort_after_message: bool,
    /// IPv6 addresses are written with `IPv6:` (Sendmail).
    pub(crate) ipv6_prefix: bool,
    /// Packets without an answer are held back and written together with the next one that has an
    /// answer.
    pub(crate) coalesce: bool,
}

impl Options {
    /// Postfix 3.7.
    pub(crate) fn postfix() -> Self {
        Self {
            version: 6,
            actions: 0x1ff,
            protocol: 0x1f_ffff,
            macros_everywhere: true,
            abort_after_message: true,
            ipv6_prefix: false,
            coalesce: true,
        }
    }

    /// Sendmail 8.17.
    pub(crate) fn sendmail() -> Self {
        Self {
            macros_everywhere: false,
            abort_after_message: false,
            ipv6_prefix: true,
            coalesce: false,
            ..Self::postfix()
        }
    }

    /// An MTA that takes an answer to every header field and chunk, and offers nothing new (version
    /// 2).
    pub(crate) fn old() -> Self {
        Self {
            version: 2,
            actions: 0x3f,
            protocol: 0x7f,
            ..Self::sendmail()
        }
    }
}

/// A change of the message, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ActionSeen {
    /// `h`.
    AddHeader(String, String),
    /// `i`.
    InsertHeader(u32, String, String),
    /// `m`.
    ChangeHeader(u32, String, String),
    /// `e`, with its parameters.
    ChangeFrom(String, String),
    /// `+` and `2`, with its parameters.
    AddRecipient(String, String),
    /// `-`.
    DeleteRecipient(String),
    /// `q`.
    Quarantine(String),
}

/// The reply to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReplySeen {
    /// `c`.
    Continue,
    /// `a`.
    Accept,
    /// `r`.
    Reject,
    /// `t`.
    Tempfail,
    /// `s`.
    Skip,
    /// `y`: the text with percent signs made single.
    Code(String),
    /// The command has no answer, or the milter was not asked because it had decided before.
    None,
}

impl ReplySeen {
    /// Whether the MTA goes on with this message, and asks the milter.
    pub(crate) fn goes_on(&self) -> bool {
        matches!(self, Self::Continue | Self::Skip | Self::None)
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Changes, in order.
    pub(crate) actions: Vec<ActionSeen>,
    /// How often patience was asked for.
    pub(crate) progress: usize,
    /// The reply.
    pub(crate) reply: ReplySeen,
}

impl Answer {
    /// No answer.
    pub(crate) fn none() -> Self {
        Self {
            actions: Vec::new(),
            progress: 0,
            reply: ReplySeen::None,
        }
    }
}

/// What the milter asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Granted {
    /// Its version.
    pub(crate) version: u32,
    /// `SMFIF_*` bits.
    pub(crate) actions: u32,
    /// `SMFIP_*` bits.
    pub(crate) protocol: u32,
    /// Lists of macros by stage.
    pub(crate) symbols: Vec<(u32, String)>,
}

/// A message to send in one go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message<'a> {
    /// The reverse path, in angle brackets.
    pub(crate) sender: &'a str,
    /// Forward paths, in angle brackets.
    pub(crate) recipients: &'a [&'a str],
    /// Names and values; the value as it follows the colon.
    pub(crate) header: &'a [(&'a str, &'a str)],
    /// The body, with CRLF line ends.
    pub(crate) body: &'a [u8],
    /// The queue id.
    pub(crate) queue_id: &'a str,
}
