//! The body of the fuzz target `milter_frames`, a plain function so that ordinary tests can replay
//! what fuzzing found.
//!
//! A command of the input decides how it is cut, a second one what the handler answers; the rest is
//! the MTA's bytes.

use gatepost_milter::{Action, Answer, Event, MilterHandler, Protocol, Reply, Response};

/// Plays arbitrary bytes against the protocol. Panics where an invariant is broken: an answer too
/// many or too few, an event where none may come, output that an MTA cannot read, memory beyond
/// what came.
pub(crate) fn milter_frames(data: &[u8]) {
    let Some(([cut, mut seed], bytes)) = data
        .split_first_chunk::<2>()
        .map(|(head, rest)| (*head, rest))
    else {
        return;
    };
    let cut = usize::from(cut).max(1);
    // Half of the inputs get an honest negotiation in front, so that fuzzing need not find it.
    let hello: &[u8] = if seed & 1 == 0 {
        b"\0\0\0\x0dO\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff"
    } else {
        b""
    };
    let mut protocol = Protocol::new();
    let mut handler = Random {
        seed: &mut seed,
        closed: 0,
    };
    let mut due = 0;
    let mut answers = 0;
    for piece in hello.chunks(cut).chain(bytes.chunks(cut)) {
        protocol.receive(piece);
        let alive = play(&mut protocol, &mut handler, &mut due, &mut answers);
        if !alive {
            break;
        }
    }
    protocol.hang_up();
    play(&mut protocol, &mut handler, &mut due, &mut answers);
    let mut out = Vec::new();
    assert!(protocol.is_closed() && !protocol.owes_answer());
    protocol.respond(&Reply::Accept.into(), &mut out);
    protocol.progress(&mut out);
    assert!(out.is_empty(), "an answer after the end");
    assert!(handler.closed >= 1, "the end was not reported");
    assert_eq!(answers, due, "answers written, answers due");
}

/// Serves what is ready, step by step; `false` when the protocol was broken.
fn play(
    protocol: &mut Protocol,
    handler: &mut Random<'_>,
    due: &mut usize,
    answers: &mut usize,
) -> bool {
    let mut pending = false;
    loop {
        let mut own = Vec::new();
        let step = match protocol.poll(&mut own) {
            Ok(Some(step)) => step,
            Ok(None) if pending => {
                let mut out = Vec::new();
                protocol.progress(&mut out);
                assert!(out.is_empty() || out == b"\0\0\0\x01p");
                out.clear();
                protocol.respond(&handler.reply().into(), &mut out);
                // Pending once more is allowed; then this answer still comes.
                if out.is_empty() {
                    protocol.respond(&Reply::Tempfail.into(), &mut out);
                }
                assert_eq!(verdicts(&out), 1, "the late answer");
                *answers += 1;
                pending = false;
                continue;
            }
            Ok(None) => return true,
            Err(_) => {
                // The question that was open is not answered any more.
                *due -= usize::from(pending);
                let Ok(Some(step)) = protocol.poll(&mut own) else {
                    panic!("no Close after an error")
                };
                assert!(matches!(step.event(), Event::Close));
                handler.on_event(step.event());
                assert!(matches!(protocol.poll(&mut own), Ok(None)));
                return false;
            }
        };
        if matches!(step.event(), Event::Abort | Event::Close) {
            *due -= usize::from(pending);
            pending = false;
        }
        assert!(!pending, "an event while an answer is owed");
        let answer = step.answer;
        let response = handler.on_event(step.event());
        verdicts(&own);
        let mut out = Vec::new();
        protocol.respond(&response, &mut out);
        match answer {
            Answer::Due => {
                *due += 1;
                pending = response.reply == Reply::Pending;
                assert_eq!(
                    verdicts(&out),
                    usize::from(!pending),
                    "one answer for each due event"
                );
                *answers += usize::from(!pending);
            }
            Answer::Later | Answer::None => assert!(out.is_empty(), "an answer that was not due"),
        }
        if !pending {
            let mut second = Vec::new();
            protocol.respond(&response, &mut second);
            assert!(second.is_empty(), "a second answer");
        }
    }
}

/// Answers in a piece of output; panics where it is no sequence of whole packets, or goes on behind
/// a refusal.
fn verdicts(mut out: &[u8]) -> usize {
    let mut count = 0;
    let mut changes = 0;
    while let Some((length, rest)) = out.split_first_chunk::<4>() {
        let (packet, rest) = rest
            .split_at_checked(u32::from_be_bytes(*length) as usize)
            .expect("a whole packet");
        match packet.first().expect("a command") {
            b'c' | b'a' | b's' => count += 1,
            b'r' | b't' | b'y' => {
                assert_eq!(changes, 0, "changes in front of a refusal");
                count += 1;
            }
            b'O' => {}
            b'h' | b'i' | b'm' | b'e' | b'+' | b'2' | b'-' | b'q' => {
                assert_eq!(count, 0, "changes behind the verdict");
                changes += 1;
            }
            other => panic!("unknown answer 0x{other:02x}"),
        }
        out = rest;
    }
    assert!(out.is_empty(), "a packet that is cut");
    count
}

/// Answers at random, but the same for the same input.
struct Random<'a> {
    seed: &'a mut u8,
    closed: usize,
}

impl Random<'_> {
    fn reply(&mut self) -> Reply {
        *self.seed = self.seed.wrapping_mul(109).wrapping_add(89);
        match *self.seed >> 3 {
            0 => Reply::Accept,
            1 => Reply::Reject,
            2 => Reply::Tempfail,
            3 => Reply::Skip,
            4 | 5 => Reply::Pending,
            6 => Reply::Code {
                code: 550,
                enhanced: "5.7.1".to_owned(),
                lines: vec!["100%".to_owned(), "no".to_owned()],
            },
            7 => Reply::Code {
                code: u16::from(*self.seed),
                enhanced: String::new(),
                lines: Vec::new(),
            },
            _ => Reply::Continue,
        }
    }
}

impl MilterHandler for Random<'_> {
    fn on_event(&mut self, event: Event<'_>) -> Response {
        self.closed += usize::from(matches!(event, Event::Close));
        let actions = vec![
            Action::AddHeader {
                name: "X-Test".to_owned(),
                value: "a\nb".to_owned(),
            },
            Action::Quarantine {
                reason: "held".to_owned(),
            },
        ];
        Response {
            actions,
            reply: self.reply(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::milter_frames;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

        #[test]
        fn arbitrary_bytes(data in vec(any::<u8>(), 0..300)) {
            milter_frames(&data);
        }

        #[test]
        fn packets(head in any::<[u8; 2]>(), commands in vec((any::<prop::sample::Index>(), vec(any::<u8>(), 0..6)), 0..60)) {
            let mut data = head.to_vec();
            for (at, payload) in &commands {
                let command = *at.get(b"DCHMMMRRTLNNBEEEEAAUKQO");
                data.extend_from_slice(&u32::try_from(payload.len() + 1).unwrap().to_be_bytes());
                data.push(command);
                data.extend_from_slice(payload);
            }
            milter_frames(&data);
        }
    }
}
