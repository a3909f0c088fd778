//! DNS messages (RFC 1035 §4.1) with EDNS(0) (RFC 6891): read without ever panicking, written.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use super::Name;
use super::reader::Reader;

/// A message has at most so many records: a response over TCP could hold 5,900.
const RECORDS_MAX: usize = 1_000;
/// The size of UDP responses that we accept: fits into one packet on every path (RFC 9715).
const UDP_SIZE: u16 = 1_232;
const CLASS_IN: u16 = 1;
const TYPE_SOA: u16 = 6;
const TYPE_OPT: u16 = 41;

const FLAG_RESPONSE: u16 = 1 << 15;
const FLAG_AUTHORITATIVE: u16 = 1 << 10;
const FLAG_TRUNCATED: u16 = 1 << 9;
const FLAG_RECURSION_DESIRED: u16 = 1 << 8;
const FLAG_RECURSION_AVAILABLE: u16 = 1 << 7;

/// Why bytes are not a DNS message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// It ends in the middle of something.
    #[error("the message ends early")]
    EndsEarly,
    /// A compression pointer that does not go back.
    #[error("a compression pointer does not go back")]
    Pointer,
    /// A label type that was never standardised (RFC 6891 §5).
    #[error("unknown label type")]
    LabelType,
    /// A name of more than 255 bytes.
    #[error("a name has more than 255 bytes")]
    LongName,
    /// The data of a record is shorter or longer than its type says.
    #[error("a record does not have the length of its type")]
    RecordLength,
    /// More than one question.
    #[error("more than one question")]
    Questions,
    /// More records than are looked at.
    #[error("more than {RECORDS_MAX} records")]
    TooManyRecords,
}

/// The types of record that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordType {
    /// An IPv4 address.
    A,
    /// The name for which this one is an alias.
    Cname,
    /// The name of an address.
    Ptr,
    /// An IPv6 address.
    Aaaa,
}

impl RecordType {
    /// Every type.
    pub const ALL: [Self; 4] = [Self::A, Self::Cname, Self::Ptr, Self::Aaaa];

    /// The number on the wire.
    pub fn code(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Cname => 5,
            Self::Ptr => 12,
            Self::Aaaa => 28,
        }
    }

    /// The name in zone files.
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Cname => "CNAME",
            Self::Ptr => "PTR",
            Self::Aaaa => "AAAA",
        }
    }

    fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// What one query asks for: the records of one type of one name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lookup {
    /// The name.
    pub name: Name,
    /// The type.
    pub kind: RecordType,
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind.name())
    }
}

/// The result that a server reports (RFC 1035 §4.1.1), extended by EDNS(0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResponseCode(pub u16);

impl ResponseCode {
    /// No error.
    pub const OK: Self = Self(0);
    /// The server does not understand the query.
    pub const FORMAT_ERROR: Self = Self(1);
    /// The server could not find out.
    pub const SERVER_FAILURE: Self = Self(2);
    /// The name does not exist: NXDOMAIN.
    pub const NO_NAME: Self = Self(3);
}

/// The data of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordData {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// The name for which the owner is an alias.
    Cname(Name),
    /// The name of an address.
    Ptr(Name),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// Of the start of a zone only how long its negative answers last (RFC 2308 §4).
    Soa {
        /// The last field, in seconds.
        minimum: u32,
    },
    /// A type that is not read: its number.
    Other(u16),
}

impl RecordData {
    /// Whether it is of the type that is asked for.
    pub fn is(&self, kind: RecordType) -> bool {
        self.code() == kind.code()
    }

    fn code(&self) -> u16 {
        match self {
            Self::A(_) => RecordType::A.code(),
            Self::Cname(_) => RecordType::Cname.code(),
            Self::Ptr(_) => RecordType::Ptr.code(),
            Self::Aaaa(_) => RecordType::Aaaa.code(),
            Self::Soa { .. } => TYPE_SOA,
            Self::Other(code) => *code,
        }
    }

    /// Bytes that it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        let owned = match self {
            Self::Cname(name) | Self::Ptr(name) => name.bytes(),
            Self::A(_) | Self::Aaaa(_) | Self::Soa { .. } | Self::Other(_) => 0,
        };
        size_of::<Self>() + owned
    }

    fn read(code: u16, reader: &mut Reader<'_>, length: usize) -> Result<Self, Malformed> {
        let begin = reader.position();
        let data = match RecordType::from_code(code) {
            Some(RecordType::A) if length == 4 => Self::A(reader.array::<4>()?.into()),
            Some(RecordType::Aaaa) if length == 16 => Self::Aaaa(reader.array::<16>()?.into()),
            Some(RecordType::A | RecordType::Aaaa) => return Err(Malformed::RecordLength),
            Some(RecordType::Cname) => Self::Cname(Name::read(reader)?),
            Some(RecordType::Ptr) => Self::Ptr(Name::read(reader)?),
            None if code == TYPE_SOA => {
                Name::read(reader)?;
                Name::read(reader)?;
                reader.take(16)?;
                let minimum = reader.u32()?;
                Self::Soa { minimum }
            }
            None => {
                reader.take(length)?;
                Self::Other(code)
            }
        };
        if reader.position() == begin + length {
            Ok(data)
        } else {
            Err(Malformed::RecordLength)
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::A(address) => out.extend_from_slice(&address.octets()),
            Self::Aaaa(address) => out.extend_from_slice(&address.octets()),
            Self::Cname(name) | Self::Ptr(name) => out.extend_from_slice(name.wire()),
            Self::Soa { minimum } => {
                // Two empty names and four numbers that are not kept.
                out.extend_from_slice(&[0; 18]);
                out.extend_from_slice(&minimum.to_be_bytes());
            }
            Self::Other(_) => {}
        }
    }
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The name that has it.
    pub name: Name,
    /// How long it lasts, in seconds.
    pub ttl: u32,
    /// What it says.
    pub data: RecordData,
}

/// One message, query or response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the flags of the header are flags"
)]
pub struct Message {
    /// Repeated by the response.
    pub id: u16,
    /// Response or query.
    pub is_response: bool,
    /// The server owns the zone.
    pub is_authoritative: bool,
    /// It did not fit; it is to be had over TCP.
    pub is_truncated: bool,
    /// The server is asked to find out.
    pub recursion_desired: bool,
    /// The server does find out.
    pub recursion_available: bool,
    /// The result.
    pub code: ResponseCode,
    /// What is asked, unless the type is not one of ours.
    pub lookup: Option<Lookup>,
    /// The answer section.
    pub answers: Vec<Record>,
    /// The authority section.
    pub authorities: Vec<Record>,
    /// Whether it speaks EDNS(0).
    pub has_edns: bool,
}

impl Message {
    /// A query for `lookup`.
    pub fn query(id: u16, lookup: Lookup) -> Self {
        Self {
            id,
            is_response: false,
            is_authoritative: false,
            is_truncated: false,
            recursion_desired: true,
            recursion_available: false,
            code: ResponseCode::OK,
            lookup: Some(lookup),
            answers: Vec::new(),
            authorities: Vec::new(),
            has_edns: true,
        }
    }

    /// Reads a message. Bytes after its last record are ignored.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let reader = &mut Reader::new(bytes);
        let id = reader.u16()?;
        let flags = reader.u16()?;
        let questions = reader.u16()?;
        let answers = usize::from(reader.u16()?);
        let authorities = usize::from(reader.u16()?);
        let additional = usize::from(reader.u16()?);
        if answers + authorities + additional > RECORDS_MAX {
            return Err(Malformed::TooManyRecords);
        }
        let lookup = match questions {
            0 => None,
            1 => read_question(reader)?,
            _ => return Err(Malformed::Questions),
        };
        let answers = read_records(reader, answers)?;
        let authorities = read_records(reader, authorities)?;
        let extended = read_additional(reader, additional)?;
        let has = |flag: u16| flags & flag != 0;
        Ok(Self {
            id,
            is_response: has(FLAG_RESPONSE),
            is_authoritative: has(FLAG_AUTHORITATIVE),
            is_truncated: has(FLAG_TRUNCATED),
            recursion_desired: has(FLAG_RECURSION_DESIRED),
            recursion_available: has(FLAG_RECURSION_AVAILABLE),
            code: ResponseCode(extended.unwrap_or(0) << 4 | flags & 15),
            lookup,
            answers,
            authorities,
            has_edns: extended.is_some(),
        })
    }

    /// The message on the wire, without compression.
    pub fn encode(&self) -> Vec<u8> {
        let name = self.lookup.as_ref().map(|lookup| lookup.name.wire());
        self.encode_with_name(name.unwrap_or_default())
    }

    /// The same, with the name in the question written as `name`: in another case.
    pub(crate) fn encode_with_name(&self, name: &[u8]) -> Vec<u8> {
        let mut flags = self.code.0 & 15;
        let mut set = |is_set: bool, flag: u16| flags |= if is_set { flag } else { 0 };
        set(self.is_response, FLAG_RESPONSE);
        set(self.is_authoritative, FLAG_AUTHORITATIVE);
        set(self.is_truncated, FLAG_TRUNCATED);
        set(self.recursion_desired, FLAG_RECURSION_DESIRED);
        set(self.recursion_available, FLAG_RECURSION_AVAILABLE);
        let count = |records: &[Record]| u16::try_from(records.len()).unwrap_or(u16::MAX);
        let header = [
            self.id,
            flags,
            u16::from(self.lookup.is_some()),
            count(&self.answers),
            count(&self.authorities),
            u16::from(self.has_edns),
        ];
        let mut out: Vec<u8> = header
            .iter()
            .flat_map(|field| field.to_be_bytes())
            .collect();
        if let Some(lookup) = &self.lookup {
            out.extend_from_slice(name);
            out.extend_from_slice(&lookup.kind.code().to_be_bytes());
            out.extend_from_slice(&CLASS_IN.to_be_bytes());
        }
        for record in self.answers.iter().chain(&self.authorities) {
            write_record(&mut out, record);
        }
        if self.has_edns {
            out.push(0);
            out.extend_from_slice(&TYPE_OPT.to_be_bytes());
            out.extend_from_slice(&UDP_SIZE.to_be_bytes());
            out.extend_from_slice(&(u32::from(self.code.0 >> 4) << 24).to_be_bytes());
            out.extend_from_slice(&[0, 0]);
        }
        out
    }
}

/// The question, or `None` where it is of a type or class that is never asked here.
fn read_question(reader: &mut Reader<'_>) -> Result<Option<Lookup>, Malformed> {
    let name = Name::read(reader)?;
    let kind = RecordType::from_code(reader.u16()?);
    let class = reader.u16()?;
    let kind = kind.filter(|_| class == CLASS_IN);
    Ok(kind.map(|kind| Lookup { name, kind }))
}

fn read_records(reader: &mut Reader<'_>, count: usize) -> Result<Vec<Record>, Malformed> {
    let mut records = Vec::new();
    for _ in 0..count {
        let name = Name::read(reader)?;
        let code = reader.u16()?;
        let class = reader.u16()?;
        let ttl = reader.u32()?;
        let length = usize::from(reader.u16()?);
        if class != CLASS_IN {
            // Of another Internet: it answers no question of ours.
            reader.take(length)?;
            continue;
        }
        let data = RecordData::read(code, reader, length)?;
        // A time of more than 31 bits is none (RFC 2181 §8).
        let ttl = if ttl > u32::MAX >> 1 { 0 } else { ttl };
        records.push(Record { name, ttl, data });
    }
    Ok(records)
}

/// Of the additional section only the OPT record: the upper bits of the result.
fn read_additional(reader: &mut Reader<'_>, count: usize) -> Result<Option<u16>, Malformed> {
    let mut extended = None;
    for _ in 0..count {
        Name::read(reader)?;
        let code = reader.u16()?;
        let _class = reader.u16()?;
        let [upper, ..] = reader.array::<4>()?;
        let length = usize::from(reader.u16()?);
        reader.take(length)?;
        if code == TYPE_OPT {
            extended = Some(u16::from(upper));
        }
    }
    Ok(extended)
}

fn write_record(out: &mut Vec<u8>, record: &Record) {
    out.extend_from_slice(record.name.wire());
    out.extend_from_slice(&record.data.code().to_be_bytes());
    out.extend_from_slice(&CLASS_IN.to_be_bytes());
    out.extend_from_slice(&record.ttl.to_be_bytes());
    let mut data = Vec::new();
    record.data.write(&mut data);
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&data);
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
