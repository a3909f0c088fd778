//! What fuzzing does with DNS: any bytes are read as a message without a panic and within bounds,
//! what was read is written and read again as the same, and a stub resolver that receives them
//! still ends its look-up in time.

use std::net::Ipv4Addr;
use std::time::Duration;

use gatepost_gather::dns::{
    Action, Lookup, Message, Name, RecordType, Stub, StubSettings, Transport,
};
use gatepost_words::clock::Clock;

const TIMEOUT: Duration = Duration::from_secs(2);

/// A message as it came, and as the answer to a query.
pub fn dns_message(data: &[u8]) {
    if let Ok(message) = Message::decode(data) {
        check(&message, data.len());
    }
    stub(data);
}

fn check(message: &Message, length: usize) {
    let records = message.answers.len() + message.authorities.len();
    // The shortest record has an empty name and no data.
    assert!(
        records * 11 <= length,
        "{records} records in {length} bytes"
    );
    for record in message.answers.iter().chain(&message.authorities) {
        let shown = record.name.to_string();
        assert!(shown.len() <= 4 * 255 && shown.is_ascii(), "{shown}");
        assert!(!shown.contains(|c: char| c.is_ascii_control() || c == ' '));
    }
    let written = message.encode();
    let again = Message::decode(&written).expect("what was written can be read");
    assert_eq!(
        again, *message,
        "what was written is read as something else"
    );
}

/// The bytes as every answer that a look-up gets, with the id and the question that it expects.
fn stub(data: &[u8]) {
    let settings = StubSettings {
        servers: vec![(Ipv4Addr::LOCALHOST, 53).into()],
        timeout: TIMEOUT,
    };
    let mut stub = Stub::new(&settings);
    let begin = Clock::system().now();
    let lookup = Lookup {
        name: Name::parse("1.2.0.192.in-addr.arpa").expect("a name"),
        kind: RecordType::Ptr,
    };
    stub.start(lookup, begin);
    let mut finished = 0;
    let mut sent = 0;
    for _ in 0..200 {
        match stub.next_action() {
            Some(Action::Send {
                exchange,
                transport,
                message,
                ..
            }) => {
                sent += 1;
                stub.received(exchange, data, begin);
                stub.received(exchange, &fitted(data, &message, transport), begin);
            }
            Some(Action::Close(_)) => {}
            Some(Action::Finished { .. }) => finished += 1,
            None => break,
        }
    }
    stub.tick(begin + TIMEOUT);
    while let Some(action) = stub.next_action() {
        finished += usize::from(matches!(action, Action::Finished { .. }));
    }
    assert_eq!((finished, stub.in_flight()), (1, 0), "a look-up ends once");
    assert!(sent <= 50, "{sent} queries for one look-up");
}

/// `data` with the header's id, the response bit and the question of `query`.
fn fitted(data: &[u8], query: &[u8], transport: Transport) -> Vec<u8> {
    let mut header = [0; 12];
    let count = data.len().min(12);
    header[..count].copy_from_slice(&data[..count]);
    header[..2].copy_from_slice(&query[..2]);
    header[2] |= 0x80;
    if transport == Transport::Tcp {
        header[2] &= !0x02;
    }
    header[4..6].copy_from_slice(&[0, 1]);
    // Header, question and OPT (eleven bytes) are what a query has.
    let question = &query[12..query.len().saturating_sub(11).max(12)];
    [&header, question, &data[count..]].concat()
}
