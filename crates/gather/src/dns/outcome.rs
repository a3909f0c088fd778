//! What a look-up came to, and how it is read out of a response.

use gatepost_words::fact::Cause;

use super::{Lookup, Message, Name, RecordData, ResponseCode};

/// Aliases that are followed, in one response or over several (RFC 1034 §3.6.2 wants no chains).
pub(crate) const ALIASES_MAX: usize = 8;

/// The result of a look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// These records, at least one.
    Found(Vec<RecordData>),
    /// The name exists without records of the type.
    NoData,
    /// The name does not exist.
    NoName,
    /// It could not be found out.
    Unknown(Cause),
}

impl Outcome {
    /// Bytes that it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Found(records) => records.iter().map(RecordData::bytes).sum(),
            Self::NoData | Self::NoName | Self::Unknown(_) => 0,
        }
    }
}

/// What a response says about a look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// This, for so many seconds.
    Settled(Outcome, u32),
    /// An alias whose target is not in the response; after so many aliases, for so many seconds.
    Alias {
        target: Name,
        aliases: usize,
        ttl: u32,
    },
    /// More aliases than are followed.
    TooManyAliases,
    /// The server could not find out.
    Failed,
    /// The server does not understand the query.
    NotUnderstood,
}

/// Reads `response` as the answer to `lookup`.
pub(crate) fn read(response: &Message, lookup: &Lookup) -> Reading {
    match response.code {
        ResponseCode::OK | ResponseCode::NO_NAME => {}
        ResponseCode::FORMAT_ERROR => return Reading::NotUnderstood,
        _ => return Reading::Failed,
    }
    let mut name = &lookup.name;
    let mut aliases = 0;
    let mut ttl = u32::MAX;
    loop {
        let own = response
            .answers
            .iter()
            .filter(|record| record.name == *name);
        let mut found = Vec::new();
        let mut target = None;
        for record in own {
            if record.data.is(lookup.kind) {
                ttl = ttl.min(record.ttl);
                found.push(record.data.clone());
            } else if let RecordData::Cname(to) = &record.data {
                target = Some((to, record.ttl));
            }
        }
        if !found.is_empty() {
            return Reading::Settled(Outcome::Found(found), ttl);
        }
        let Some((to, lasts)) = target else { break };
        aliases += 1;
        if aliases > ALIASES_MAX {
            return Reading::TooManyAliases;
        }
        ttl = ttl.min(lasts);
        name = to;
    }
    let negative = negative_ttl(response);
    // Without a time of its own a negative answer is not kept (RFC 2308 §5).
    let kept = ttl.min(negative.unwrap_or(0));
    if response.code == ResponseCode::NO_NAME {
        Reading::Settled(Outcome::NoName, kept)
    } else if aliases > 0 && negative.is_none() {
        let target = name.clone();
        Reading::Alias {
            target,
            aliases,
            ttl,
        }
    } else if negative.is_none() && !response.is_authoritative && !response.recursion_available {
        // A referral: this server does not find out for us.
        Reading::Failed
    } else {
        Reading::Settled(Outcome::NoData, kept)
    }
}

/// How long a negative answer lasts: the lesser of the time and the last field of the zone's SOA
/// record (RFC 2308 §5).
fn negative_ttl(response: &Message) -> Option<u32> {
    let mut times = response
        .authorities
        .iter()
        .filter_map(|record| match record.data {
            RecordData::Soa { minimum } => Some(minimum.min(record.ttl)),
            _ => None,
        });
    times.next()
}
