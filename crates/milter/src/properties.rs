//! Properties of the protocol: how the bytes are cut does not matter, nothing panics, every command
//! has its one answer.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Notes the events and answers by what it was given.
#[derive(Default)]
struct Noting {
    replies: Vec<Reply>,
    seen: Vec<String>,
}

impl MilterHandler for Noting {
    fn on_event(&mut self, event: Event<'_>) -> Response {
        let reply = self
            .replies
            .get(self.seen.len() % self.replies.len().max(1))
            .cloned();
        self.seen.push(format!("{event:?}"));
        reply.unwrap_or(Reply::Continue).into()
    }
}

type Outcome = (Vec<String>, Vec<u8>, Option<ProtocolError>);

fn play(bytes: &[u8], cuts: &[usize], replies: &[Reply]) -> Outcome {
    let mut protocol = Protocol::new();
    let mut handler = Noting {
        replies: replies.to_vec(),
        seen: Vec::new(),
    };
    let mut out = Vec::new();
    let mut failed = None;
    let mut rest = bytes;
    let mut cuts = cuts.iter().cycle();
    while !rest.is_empty() && failed.is_none() {
        let size = cuts
            .next()
            .map_or(rest.len(), |cut| (*cut).clamp(1, rest.len()));
        let (piece, after) = rest.split_at(size);
        protocol.receive(piece);
        failed = protocol.serve(&mut handler, &mut out).err();
        rest = after;
    }
    protocol.hang_up();
    failed = failed.or(protocol.serve(&mut handler, &mut out).err());
    assert!(protocol.is_closed());
    (handler.seen, out, failed)
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        6 => Just(Reply::Continue),
        1 => Just(Reply::Accept),
        1 => Just(Reply::Reject),
        1 => Just(Reply::Tempfail),
        1 => Just(Reply::Skip),
        1 => Just(Reply::Code { code: 550, enhanced: "5.7.1".into(), lines: vec!["No.".into()] }),
    ]
}

/// A packet of some command, with a payload that may or may not make sense.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let command = prop::sample::select(b"DCHMRTLNBEAKU".to_vec());
    let text = prop::sample::select(vec![
        "",
        "C",
        "E",
        "<a@example.com>",
        "\0",
        "4\0\x19192.0.2.9",
        "Subject",
        "IPv6:",
    ]);
    (command, vec(text, 0..5), vec(any::<u8>(), 0..9)).prop_map(|(command, texts, tail)| {
        let mut out = Vec::new();
        write_packet(&mut out, command, &[texts.concat().as_bytes(), &tail]);
        out
    })
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let mut hello = Vec::new();
    write_packet(
        &mut hello,
        b'O',
        &[b"\0\0\0\x06\0\0\x01\xff", b"\0\x1f\xff\xff"],
    );
    let mut old = Vec::new();
    write_packet(&mut old, b'O', &[b"\0\0\0\x02\0\0\0\x3f", b"\0\0\0\x7f"]);
    (prop::sample::select(vec![hello, old]), vec(packet(), 0..40))
        .prop_map(|(hello, packets)| [hello, packets.concat()].concat())
}

/// Answers in `out`, without the changes and the answer to OPTNEG.
fn verdicts(out: &[u8]) -> usize {
    let mut decoder = Decoder::default();
    decoder.receive(out);
    let mut count = 0;
    while let Some(frame) = decoder.peek().expect("our own packets are well-formed") {
        count += usize::from(b"carstyO".contains(&frame.command));
        decoder.consume();
    }
    assert_eq!(decoder.buffered(), 0);
    count
}

/// Commands of a stream that have an answer, where nothing is pending, nothing fails and `nr` tells
/// about L and B.
fn answered(bytes: &[u8], nr: bool) -> usize {
    let mut decoder = Decoder::default();
    decoder.receive(bytes);
    let mut count = 0;
    while let Ok(Some(frame)) = decoder.peek() {
        count += usize::from(
            b"OCHMRTNEU".contains(&frame.command) || (!nr && b"LB".contains(&frame.command)),
        );
        decoder.consume();
    }
    count
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn any_cut_gives_the_same(bytes in stream(), cuts in vec(1_usize..40, 1..8), replies in vec(reply(), 1..9)) {
        let whole = play(&bytes, &[], &replies);
        prop_assert_eq!(&whole, &play(&bytes, &cuts, &replies));
        prop_assert_eq!(&whole, &play(&bytes, &[1], &replies));
    }

    #[test]
    fn one_answer_for_each_command(bytes in stream(), replies in vec(reply(), 1..9)) {
        let (_, out, failed) = play(&bytes, &[], &replies);
        let nr = bytes.get(8) == Some(&6);
        if failed.is_none() {
            prop_assert_eq!(verdicts(&out), answered(&bytes, nr));
        }
    }

    #[test]
    fn events_come_in_order(bytes in stream(), replies in vec(reply(), 1..9)) {
        let (seen, _, _) = play(&bytes, &[], &replies);
        let mut rank = 0;
        let closes = seen.iter().filter(|event| event.starts_with("Close")).count();
        prop_assert!(closes >= 1 && seen.last().is_some_and(|event| event.starts_with("Close")));
        for event in &seen {
            let name = event.split([' ', '{']).next().unwrap_or_default();
            let next = match name {
                "Connect" | "Helo" | "Abort" | "Close" => 0,
                "MailFrom" => 1,
                "RcptTo" => 2,
                "Data" => 3,
                "Header" => 4,
                "EndOfHeaders" => 5,
                "Body" => 6,
                "EndOfMessage" => 7,
                _ => continue,
            };
            let repeats = matches!(name, "RcptTo" | "Header" | "Body");
            prop_assert!(next <= 1 || (rank >= 1 && (next > rank || (repeats && next == rank))), "{name} in {seen:?}");
            rank = if next == 7 { 0 } else { next };
        }
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..400), cuts in vec(1_usize..40, 1..8)) {
        play(&bytes, &cuts, &[]);
    }

    #[test]
    fn decoding_is_bounded_by_what_came(bytes in vec(prop_oneof![Just(0_u8), 0_u8..4, any::<u8>()], 0..2000), cut in 1_usize..50) {
        let mut decoder = Decoder::default();
        let mut received = 0;
        for piece in bytes.chunks(cut) {
            decoder.receive(piece);
            received += piece.len();
            while let Ok(Some(_)) = decoder.peek() {
                decoder.consume();
            }
            prop_assert!(decoder.capacity() <= 2 * received + 64);
            prop_assert!(decoder.buffered() <= received);
        }
    }

    #[test]
    fn packets_round_trip(packets in vec((any::<u8>(), vec(any::<u8>(), 0..300)), 0..20), cut in 1_usize..50) {
        let mut bytes = Vec::new();
        for (command, payload) in &packets {
            write_packet(&mut bytes, *command, &[payload]);
        }
        let mut decoder = Decoder::default();
        let mut read = Vec::new();
        for piece in bytes.chunks(cut) {
            decoder.receive(piece);
            while let Some(frame) = decoder.peek().unwrap() {
                read.push((frame.command, frame.payload.to_vec()));
                decoder.consume();
            }
        }
        prop_assert_eq!(read, packets);
        prop_assert_eq!(decoder.buffered(), 0);
    }
}
