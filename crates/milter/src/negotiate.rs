//! Option negotiation: what the MTA offers, what of it we ask for, and the macros that we want with
//! each stage.

use super::ProtocolError;
use super::wire::write_packet;

/// The newest protocol version that we speak.
const VERSION: u32 = 6;
/// The oldest one (libmilter's limit too).
const VERSION_MIN: u32 = 2;

/// Changes that a filter may make (`SMFIF_*`).
pub(super) mod actions {
    pub(in super::super) const ADDHDRS: u32 = 0x01;
    pub(in super::super) const ADDRCPT: u32 = 0x04;
    pub(in super::super) const DELRCPT: u32 = 0x08;
    pub(in super::super) const CHGHDRS: u32 = 0x10;
    pub(in super::super) const QUARANTINE: u32 = 0x20;
    pub(in super::super) const CHGFROM: u32 = 0x40;
    pub(in super::super) const ADDRCPT_PAR: u32 = 0x80;
    pub(in super::super) const SETSYMLIST: u32 = 0x100;

    /// All that we ask for. CHGBODY (0x02) is not among it: bodies are never replaced.
    pub(in super::super) const WANTED: u32 =
        ADDHDRS | ADDRCPT | DELRCPT | CHGHDRS | QUARANTINE | CHGFROM | ADDRCPT_PAR | SETSYMLIST;
}

/// Protocol options (`SMFIP_*`).
mod options {
    pub(super) const NR_HDR: u32 = 0x80;
    pub(super) const NOUNKNOWN: u32 = 0x100;
    pub(super) const SKIP: u32 = 0x400;
    pub(super) const NR_BODY: u32 = 0x8_0000;
    pub(super) const HDR_LEADSPC: u32 = 0x10_0000;

    /// All that we ask for. Not the other NR flags: an answer at MAIL, RCPT and DATA carries the
    /// acknowledgement without which Postfix's own Nagle costs 42 ms a message over TCP, and
    /// end of headers is where a header verdict is given. The size bits (`SMFIP_MDS_*`) are
    /// never offered back.
    pub(super) const WANTED: u32 = NR_HDR | NOUNKNOWN | SKIP | NR_BODY | HDR_LEADSPC;
}

/// The macros wanted with each stage (`SMFIM_*` number, names). They replace the MTA's own list of
/// that stage; `{client_addr}` and its kin are not sent by default.
pub const SYMBOL_LISTS: [(u32, &str); 7] = [
    (
        0,
        "j {daemon_name} {client_addr} {client_port} {client_ptr} v _",
    ),
    (1, "{tls_version} {cipher} {cipher_bits}"),
    (
        2,
        "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}",
    ),
    (3, "i {rcpt_addr} {rcpt_host} {rcpt_mailer}"),
    (4, "i"),
    (5, "i"),
    (6, "i"),
];

/// What both sides agreed on. The default is a version 6 MTA that offered nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent bit of the wire"
)]
pub struct Negotiated {
    /// Protocol version, 2 to 6.
    pub version: u32,
    /// `SMFIF_*` bits: the changes that the MTA will make.
    pub actions: u32,
    /// `SMFIP_*` bits that we asked for.
    pub protocol: u32,
    /// Header values come, and go, with exactly what follows the colon (`SMFIP_HDR_LEADSPC`).
    pub leading_space: bool,
    /// The rest of a body may be skipped (`SMFIP_SKIP`).
    pub skip: bool,
    /// Header fields are not answered (`SMFIP_NR_HDR`).
    pub nr_header: bool,
    /// Body chunks are not answered (`SMFIP_NR_BODY`).
    pub nr_body: bool,
}

impl Default for Negotiated {
    fn default() -> Self {
        Self::new(VERSION, 0, 0)
    }
}

impl Negotiated {
    /// Of what an MTA offers, what we take.
    pub(super) fn new(version: u32, actions: u32, protocol: u32) -> Self {
        let protocol = protocol & options::WANTED;
        Self {
            version: version.min(VERSION),
            actions: actions & actions::WANTED,
            protocol,
            leading_space: protocol & options::HDR_LEADSPC != 0,
            skip: protocol & options::SKIP != 0,
            nr_header: protocol & options::NR_HDR != 0,
            nr_body: protocol & options::NR_BODY != 0,
        }
    }

    /// Reads the payload of OPTNEG: version, actions, protocol options, 32 bits each. More may
    /// follow and is ignored.
    pub(super) fn read(payload: &[u8]) -> Result<Self, ProtocolError> {
        let mut words = payload
            .chunks_exact(4)
            .filter_map(|word| word.try_into().ok().map(u32::from_be_bytes));
        let (Some(version), Some(actions), Some(protocol)) =
            (words.next(), words.next(), words.next())
        else {
            return Err(ProtocolError::ShortNegotiation {
                length: payload.len(),
            });
        };
        if version < VERSION_MIN {
            return Err(ProtocolError::OldVersion { version });
        }
        Ok(Self::new(version, actions, protocol))
    }

    /// Writes our answer to OPTNEG.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut payload = Vec::with_capacity(384);
        for word in [self.version, self.actions, self.protocol] {
            payload.extend_from_slice(&word.to_be_bytes());
        }
        if self.may(actions::SETSYMLIST) {
            for (stage, names) in SYMBOL_LISTS {
                payload.extend_from_slice(&stage.to_be_bytes());
                payload.extend_from_slice(names.as_bytes());
                payload.push(0);
            }
        }
        write_packet(out, b'O', &[&payload]);
    }

    /// Whether one of these `SMFIF_*` bits was agreed on.
    pub(super) fn may(&self, action: u32) -> bool {
        self.actions & action != 0
    }

    /// Whether the MTA can put a message on hold.
    pub fn may_quarantine(&self) -> bool {
        self.may(actions::QUARANTINE)
    }
}
