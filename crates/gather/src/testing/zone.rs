//! Zones in a subset of the master file format (RFC 1035 §5): one record a line, `$ORIGIN`,
//! `$TTL`, `@`, an empty owner for the last one, comments; no parentheses, quotes or escapes.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::dns::{Lookup, Message, Name, Record, RecordData, ResponseCode};

/// Aliases that an answer follows, so that circles end.
const ALIASES_MAX: usize = 20;

/// The records of one or more zones.
#[derive(Clone, Debug, Default)]
pub struct Zone {
    records: Vec<Record>,
}

impl Zone {
    /// Reads a zone file; the error names the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut zone = Self::default();
        let mut origin = String::new();
        let mut ttl = 3_600;
        let mut owner = String::new();
        for (index, line) in text.lines().enumerate() {
            let content = line.split(';').next().unwrap_or_default();
            let words: Vec<&str> = content.split_ascii_whitespace().collect();
            let wrong = |why: &str| format!("line {}: {why}: {line}", index + 1);
            match words.as_slice() {
                [] => {}
                ["$ORIGIN", name] => origin = absolute(name, &origin),
                ["$TTL", seconds] => {
                    ttl = seconds.parse().map_err(|_| wrong("not a time"))?;
                }
                words => {
                    let mut words = words;
                    if !content.starts_with([' ', '\t'])
                        && let Some((first, rest)) = words.split_first()
                    {
                        owner = absolute(first, &origin);
                        words = rest;
                    }
                    let record = record(&owner, words, ttl, &origin);
                    zone.records.push(record.map_err(|why| wrong(&why))?);
                }
            }
        }
        Ok(zone)
    }

    /// This zone and `other`.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.records.extend(other.records);
        self
    }

    /// The right answer to a query.
    pub fn answer(&self, query: &Message) -> Message {
        let mut answer = query.clone();
        answer.is_response = true;
        answer.is_authoritative = true;
        let Some(lookup) = &query.lookup else {
            return answer;
        };
        let mut name = lookup.name.clone();
        for _ in 0..ALIASES_MAX {
            let own = |record: &&Record| record.name == name;
            let all: Vec<&Record> = self.records.iter().filter(own).collect();
            let wanted = all.iter().filter(|record| record.data.is(lookup.kind));
            let found: Vec<Record> = wanted.map(|record| (*record).clone()).collect();
            if !found.is_empty() {
                answer.answers.extend(found);
                return answer;
            }
            let alias = all.iter().find_map(|record| match &record.data {
                RecordData::Cname(target) => Some((record, target)),
                _ => None,
            });
            let Some((record, target)) = alias else { break };
            answer.answers.push((**record).clone());
            name = target.clone();
        }
        self.deny(
            &mut answer,
            &Lookup {
                name,
                kind: lookup.kind,
            },
        );
        answer
    }

    /// That there is no such record: with the SOA record, and NXDOMAIN where there is no name.
    fn deny(&self, answer: &mut Message, lookup: &Lookup) {
        let exists = self
            .records
            .iter()
            .any(|record| record.name.is_in(&lookup.name));
        let soa = self.records.iter().find(|record| {
            matches!(record.data, RecordData::Soa { .. }) && lookup.name.is_in(&record.name)
        });
        // What leaves our zones is left to the one who asked.
        if let Some(soa) = soa {
            answer.authorities.push(soa.clone());
            if !exists {
                answer.code = ResponseCode::NO_NAME;
            }
        } else if answer.answers.is_empty() {
            answer.code = ResponseCode::NO_NAME;
        }
    }
}

/// `name` as an absolute one: relative to `origin` without a final dot.
fn absolute(name: &str, origin: &str) -> String {
    match name {
        "@" => origin.to_owned(),
        name if name.ends_with('.') => name.to_owned(),
        name => format!("{name}.{origin}"),
    }
}

/// One line after its owner: `[TTL] [IN] TYPE DATA`.
fn record(owner: &str, words: &[&str], ttl: u32, origin: &str) -> Result<Record, String> {
    let mut words = words.iter().copied().peekable();
    let own_ttl = words.next_if(|word| word.parse::<u32>().is_ok());
    let ttl = own_ttl.and_then(|word| word.parse().ok()).unwrap_or(ttl);
    let _class = words.next_if_eq(&"IN");
    let kind = words.next().ok_or("no type")?;
    let data = words.next_back().ok_or("no data")?;
    let name = |text: &str| Name::parse(&absolute(text, origin)).map_err(|error| error.to_string());
    let data = match kind {
        "A" => RecordData::A(
            data.parse::<Ipv4Addr>()
                .map_err(|error| error.to_string())?,
        ),
        "AAAA" => RecordData::Aaaa(
            data.parse::<Ipv6Addr>()
                .map_err(|error| error.to_string())?,
        ),
        "CNAME" => RecordData::Cname(name(data)?),
        "PTR" => RecordData::Ptr(name(data)?),
        "SOA" => RecordData::Soa {
            minimum: data.parse().map_err(|_| "the last field is not a number")?,
        },
        _ => return Err(format!("unknown type {kind}")),
    };
    Ok(Record {
        name: Name::parse(owner).map_err(|error| error.to_string())?,
        ttl,
        data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::RecordType;

    const TEXT: &str = "$ORIGIN example.\n$TTL 60\n@ IN SOA ns hostmaster 1 2 3 4 30 ; comment\n\
        mx 5 IN A 192.0.2.1\n   A 192.0.2.2\nalias CNAME mx\nfar CNAME mx.elsewhere.test.\nb.a AAAA 2001:db8::1\n";

    fn ask(name: &str, kind: RecordType) -> Message {
        let name = Name::parse(name).unwrap();
        let query = Message::query(1, Lookup { name, kind });
        Zone::parse(TEXT).unwrap().answer(&query)
    }

    #[test]
    fn a_zone_file_is_read_and_answered_from() {
        let found = ask("mx.example", RecordType::A);
        let ttls: Vec<u32> = found.answers.iter().map(|record| record.ttl).collect();
        assert_eq!(ttls, [5, 60]);
        assert_eq!(ask("alias.example", RecordType::A).answers.len(), 3);
        let far = ask("far.example", RecordType::A);
        assert_eq!((far.answers.len(), far.authorities.len()), (1, 0));
        let code = |name| ask(name, RecordType::A).code;
        assert_eq!(code("no.example"), ResponseCode::NO_NAME);
        assert_eq!(code("a.example"), ResponseCode::OK, "an empty non-terminal");
        assert_eq!(ask("no.example", RecordType::A).authorities.len(), 1);
    }

    #[test]
    fn a_wrong_line_is_named() {
        let wrong = Zone::parse("mx A 192.0.2.1\nmx A 192.0.2\n").unwrap_err();
        assert!(wrong.starts_with("line 2: "), "{wrong}");
    }
}
