//! Tests of the codec: known bytes, limits, and what is written is read as the same.

use proptest::prelude::*;

use super::*;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn lookup(text: &str, kind: RecordType) -> Lookup {
    let name = name(text);
    Lookup { name, kind }
}

#[test]
fn a_query_is_what_the_standards_say() {
    let query = Message::query(0x1234, lookup("mx.example", RecordType::Aaaa));
    let expected = b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\x01\x02mx\x07example\0\0\x1c\0\x01\
        \0\0\x29\x04\xd0\0\0\0\0\0\0";
    assert_eq!(query.encode(), expected);
    assert_eq!(Message::decode(expected), Ok(query));
}

/// As a resolver sends it: compressed, over an alias (RFC 2317), with OPT.
const DELEGATED: &[u8] = b"\xab\xcd\x81\x80\0\x01\0\x02\0\0\0\x01\
    \x0210\x012\x010\x03192\x07in-addr\x04arpa\0\0\x0c\0\x01\
    \xc0\x0c\0\x05\0\x01\0\0\x0e\x10\0\x09\x0210\x03sub\xc0\x0f\
    \xc0\x35\0\x0c\0\x01\0\0\0\x3c\0\x10\x02mx\x07Example\x03org\0\
    \0\0\x29\x10\0\0\0\0\0\0\0";

#[test]
fn a_compressed_response_is_read() {
    let message = Message::decode(DELEGATED).unwrap();
    assert!(message.is_response && message.recursion_available && message.has_edns);
    let asked = lookup("10.2.0.192.in-addr.arpa", RecordType::Ptr);
    assert_eq!(message.lookup, Some(asked));
    let alias = name("10.sub.2.0.192.in-addr.arpa");
    assert_eq!(message.answers[0].data, RecordData::Cname(alias.clone()));
    assert_eq!(message.answers[1].name, alias);
    assert_eq!(
        message.answers[1].data,
        RecordData::Ptr(name("mx.example.org"))
    );
}

#[test]
fn every_beginning_of_a_message_is_refused() {
    for end in 0..DELEGATED.len() {
        assert_eq!(
            Message::decode(&DELEGATED[..end]),
            Err(Malformed::EndsEarly),
            "{end}"
        );
    }
}

#[test]
fn the_upper_bits_of_the_result_come_from_opt() {
    let mut message = Message::query(1, lookup("a.example", RecordType::A));
    message.code = ResponseCode(16);
    assert_eq!(Message::decode(&message.encode()), Ok(message));
}

#[test]
fn data_of_another_length_than_its_type_is_refused() {
    for (kind, length) in [(1, 3), (1, 5), (28, 15), (28, 4), (12, 1), (5, 9), (6, 22)] {
        let mut bytes = b"\0\0\x80\0\0\0\0\x01\0\0\0\0\0".to_vec();
        bytes.extend([0, kind, 0, 1, 0, 0, 0, 60, 0, length]);
        bytes.extend([0; 64]);
        let decoded = Message::decode(&bytes);
        // One zero byte is a name: the root.
        let is_name = (kind, length) == (12, 1) || kind == 6;
        let expected = if is_name {
            Ok(())
        } else {
            Err(Malformed::RecordLength)
        };
        assert_eq!(decoded.map(|_| ()), expected, "type {kind}, {length} bytes");
    }
}

#[test]
fn a_message_has_at_most_a_thousand_records() {
    let with = |count: u16| {
        let mut bytes = b"\0\0\x80\0\0\0".to_vec();
        bytes.extend(count.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(b"\0\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01".repeat(count.into()));
        Message::decode(&bytes).map(|message| message.answers.len())
    };
    assert_eq!(with(1_000), Ok(1_000));
    assert_eq!(with(1_001), Err(Malformed::TooManyRecords));
}

#[test]
fn a_long_chain_of_pointers_ends() {
    let mut bytes = DELEGATED.to_vec();
    let mut last = 0xc00c_u16;
    for _ in 0..200 {
        let place = u16::try_from(bytes.len()).unwrap();
        bytes.extend(last.to_be_bytes());
        last = 0xc000 | place;
    }
    let end = bytes.len() - 2;
    let at = |place: usize| Name::read(&mut Reader::new(&bytes).at(place));
    assert!(at(DELEGATED.len() + 2 * 100).is_ok());
    assert_eq!(at(end), Err(Malformed::Pointer));
}

#[test]
fn a_time_of_32_bits_is_none() {
    let record = Record {
        name: name("a.example"),
        ttl: u32::MAX,
        data: RecordData::A([192, 0, 2, 1].into()),
    };
    let mut message = Message::query(1, lookup("a.example", RecordType::A));
    message.answers.push(record);
    let read = Message::decode(&message.encode()).unwrap();
    assert_eq!(read.answers[0].ttl, 0);
}

fn names() -> impl Strategy<Value = Name> {
    let label = proptest::collection::vec(any::<u8>(), 1..20);
    proptest::collection::vec(label, 0..8).prop_map(|labels| {
        let mut wire = Vec::new();
        for label in labels {
            wire.push(u8::try_from(label.len()).unwrap());
            wire.extend(label);
        }
        wire.push(0);
        Name::read(&mut Reader::new(&wire)).unwrap()
    })
}

fn records() -> impl Strategy<Value = Record> {
    let data = prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| RecordData::A(octets.into())),
        any::<[u8; 16]>().prop_map(|octets| RecordData::Aaaa(octets.into())),
        names().prop_map(RecordData::Cname),
        names().prop_map(RecordData::Ptr),
        any::<u32>().prop_map(|minimum| RecordData::Soa { minimum }),
        Just(RecordData::Other(99)),
    ];
    let ttl = 0..u32::MAX >> 1;
    (names(), ttl, data).prop_map(|(name, ttl, data)| Record { name, ttl, data })
}

fn messages() -> impl Strategy<Value = Message> {
    let lookups = (names(), proptest::sample::select(RecordType::ALL.to_vec()));
    let lookups = lookups.prop_map(|(name, kind)| Lookup { name, kind });
    let sections = (
        proptest::collection::vec(records(), 0..6),
        proptest::collection::vec(records(), 0..6),
    );
    let header = (any::<u16>(), any::<[bool; 6]>(), 0..4096_u16);
    (header, proptest::option::of(lookups), sections).prop_map(|(header, lookup, sections)| {
        let (id, flags, code) = header;
        let has_edns = flags[5];
        Message {
            id,
            is_response: flags[0],
            is_authoritative: flags[1],
            is_truncated: flags[2],
            recursion_desired: flags[3],
            recursion_available: flags[4],
            code: ResponseCode(if has_edns { code } else { code & 15 }),
            lookup,
            answers: sections.0,
            authorities: sections.1,
            has_edns,
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same(message in messages()) {
        prop_assert_eq!(Message::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(Message::decode(&bytes));
    }

    #[test]
    fn a_damaged_response_is_read_without_a_panic(at in 0..DELEGATED.len(), byte in any::<u8>()) {
        let mut bytes = DELEGATED.to_vec();
        bytes[at] = byte;
        if let Ok(message) = Message::decode(&bytes) {
            prop_assert_eq!(Message::decode(&message.encode()).map(|again| again.answers), Ok(message.answers));
        }
    }
}
