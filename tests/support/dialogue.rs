//! Replays milter dialogues (`tests/dialogue/*.milter`) against the protocol with a scripted
//! handler.
//!
//! One line, one thing. `>` is what the MTA sends, `<` what must come back, `@` what the handler
//! must have seen, `=` the outcome of the connection, `!` what the handler is to do, `#` a
//! comment. The lines `>` and `!` are played; what they produce must be exactly the `<`, `@` and
//! `=` lines between them. A file without any `@` line does not check events.
//!
//! ```text
//! ! at STAGE [when TEXT] [ACTION ;]... REPLY     the last matching line wins; without one the handler says `continue`
//! ! respond [ACTION ;]... REPLY                  the late answer of the handler (after `pending`)
//! ! progress                                     the server asks for patience
//! > OPTNEG [version=N] [actions=N] [protocol=N]  > MACRO STAGE-LETTER [NAME=VALUE]...
//! > CONNECT HOST FAMILY [PORT ADDRESS]           > HELO NAME      > MAIL PATH [PARAMETER]...   > RCPT PATH [PARAMETER]...
//! > DATA   > HEADER NAME VALUE   > EOH   > BODY [repeat=N] TEXT   > EOM [repeat=N] [TEXT]   > ABORT   > QUIT   > QUIT_NC
//! > UNKNOWN TEXT   > PACKET LETTER [TEXT]   > RAW HEX...   > SPLIT whole|bytewise|together   > EOF
//! ```
//! Words may be in double quotes, with `\n \r \t \0 \xHH \" \\`. After `> SPLIT together` packets
//! are held back and sent in one piece by `> SEND`. ACTION and REPLY are those of `parse_response`
//! below.

#![expect(clippy::disallowed_methods, reason = "dialogues are files")]
#![expect(
    clippy::let_underscore_must_use,
    reason = "writing into a String cannot fail"
)]

use std::fmt::Write as _;
use std::path::Path;

use gatepost_milter::{
    Action, Event, Macros, MilterHandler, Negotiated, Peer, Protocol, Reply, Response,
};

use wire::{decode, encode, quote, text_of, words};

#[cfg(test)]
#[path = "dialogue_tests.rs"]
mod tests;
#[path = "dialogue_wire.rs"]
mod wire;

/// Runs one dialogue; the error shows where what happened departs from what is written.
pub(crate) fn run(text: &str) -> Result<(), String> {
    let script: Vec<&str> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let with_events = script.iter().any(|line| line.starts_with('@'));
    let mut player = Player::default();
    for line in &script {
        if line.starts_with(['>', '!']) {
            player
                .play(line)
                .map_err(|error| format!("{line}\n    cannot be played: {error}"))?;
        } else if !line.starts_with(['<', '@', '=']) {
            return Err(format!("{line}\n    begins with none of > < @ = ! #"));
        }
    }
    let happened: Vec<&str> = player
        .transcript
        .iter()
        .map(String::as_str)
        .filter(|line| with_events || !line.starts_with('@'))
        .collect();
    compare(&script, &happened)
}

/// Runs all `*.milter` files of a directory, in name order; says how many there were.
pub(crate) fn run_all(directory: impl AsRef<Path>) -> Result<usize, String> {
    let directory = directory.as_ref();
    let entries = std::fs::read_dir(directory)
        .map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "milter")
    });
    files.sort();
    let mut failures = String::new();
    for file in &files {
        let result = std::fs::read_to_string(file)
            .map_err(|error| error.to_string())
            .and_then(|text| {
                if text.starts_with('#') {
                    run(&text)
                } else {
                    Err("does not begin by saying why it exists".to_owned())
                }
            });
        if let Err(error) = result {
            let _ = writeln!(failures, "{}:\n{error}\n", file.display());
        }
    }
    if failures.is_empty() {
        Ok(files.len())
    } else {
        Err(failures)
    }
}

/// The dialogue with what really happens put in: for writing new ones, to be read with care before
/// it is kept.
pub(crate) fn bless(text: &str) -> Result<String, String> {
    let with_events = text.lines().any(|line| line.starts_with('@'));
    let mut player = Player::default();
    let mut blessed = String::new();
    for line in text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.starts_with(['<', '@', '=']))
    {
        if line.starts_with(['>', '!']) {
            player
                .play(line)
                .map_err(|error| format!("{line}\n    cannot be played: {error}"))?;
        } else {
            player.transcript.push(line.to_owned());
        }
        for line in player
            .transcript
            .drain(..)
            .filter(|line| with_events || !line.starts_with('@'))
        {
            blessed.push_str(&line);
            blessed.push('\n');
        }
    }
    Ok(blessed)
}

fn compare(script: &[&str], happened: &[&str]) -> Result<(), String> {
    let length = script.len().max(happened.len());
    let Some(at) = (0..length).find(|at| script.get(*at) != happened.get(*at)) else {
        return Ok(());
    };
    let mut report = String::new();
    for line in script.iter().take(at) {
        let _ = writeln!(report, "    {line}");
    }
    let _ = writeln!(
        report,
        "  expected: {}",
        script.get(at).unwrap_or(&"(the end)")
    );
    let _ = writeln!(
        report,
        "  happened: {}",
        happened.get(at).unwrap_or(&"(nothing more)")
    );
    for line in happened.iter().skip(at + 1) {
        let _ = writeln!(report, "          : {line}");
    }
    Err(report)
}

#[derive(Default, PartialEq)]
enum Split {
    #[default]
    Whole,
    Bytewise,
    Together,
}

#[derive(Default)]
struct Player {
    protocol: Protocol,
    handler: Scripted,
    split: Split,
    held: Vec<u8>,
    transcript: Vec<String>,
    closed: bool,
}

impl Player {
    fn play(&mut self, line: &str) -> Result<(), String> {
        self.transcript.push(line.to_owned());
        let words = words(line.get(1..).unwrap_or_default())?;
        let (first, rest) = words.split_first().ok_or("empty line")?;
        let first = text_of(first);
        if line.starts_with('!') {
            return self.direct(&first, rest);
        }
        match first.as_str() {
            "SPLIT" => {
                self.split = match rest.first().map(|word| text_of(word)).as_deref() {
                    Some("whole") => Split::Whole,
                    Some("bytewise") => Split::Bytewise,
                    Some("together") => Split::Together,
                    _ => return Err("SPLIT whole|bytewise|together".to_owned()),
                };
                return Ok(());
            }
            "SEND" => {
                let bytes = std::mem::take(&mut self.held);
                self.feed(&bytes);
            }
            "EOF" => {
                self.protocol.hang_up();
                self.serve();
            }
            _ => {
                let bytes = encode(&first, rest)?;
                match self.split {
                    Split::Whole => self.feed(&bytes),
                    Split::Bytewise => bytes.iter().for_each(|byte| self.feed(&[*byte])),
                    Split::Together => self.held.extend_from_slice(&bytes),
                }
            }
        }
        Ok(())
    }

    fn direct(&mut self, verb: &str, rest: &[Vec<u8>]) -> Result<(), String> {
        match verb {
            "at" => {
                let (stage, rest) = rest.split_first().ok_or("at STAGE ...")?;
                let (when, rest) = match rest {
                    [when, text, rest @ ..] if when == b"when" => (Some(text.clone()), rest),
                    _ => (None, rest),
                };
                self.handler
                    .rules
                    .push((text_of(stage), when, parse_response(rest)?));
            }
            "respond" => {
                let mut out = Vec::new();
                self.protocol.respond(&parse_response(rest)?, &mut out);
                self.tell(&out)?;
                self.serve();
            }
            "progress" => {
                let mut out = Vec::new();
                self.protocol.progress(&mut out);
                self.tell(&out)?;
            }
            other => return Err(format!("unknown directive {other}")),
        }
        Ok(())
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.protocol.receive(bytes);
        self.serve();
    }

    fn serve(&mut self) {
        let mut out = Vec::new();
        let result = self.protocol.serve(&mut self.handler, &mut out);
        self.transcript.append(&mut self.handler.seen);
        if let Err(error) = self.tell(&out) {
            self.transcript.push(format!("= broken output: {error}"));
        }
        if let Err(error) = result {
            self.transcript.push(format!("= error: {error}"));
        }
        if self.protocol.is_closed() && !self.closed {
            self.closed = true;
            self.transcript.push("= closed".to_owned());
        }
    }

    fn tell(&mut self, mut out: &[u8]) -> Result<(), String> {
        while let Some((length, rest)) = out.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize;
            let (packet, rest) = rest
                .split_at_checked(length)
                .ok_or("a packet that is cut")?;
            let (command, payload) = packet.split_first().ok_or("a packet without a command")?;
            self.transcript
                .push(format!("< {}", decode(*command, payload)?));
            out = rest;
        }
        if out.is_empty() {
            Ok(())
        } else {
            Err("bytes behind the last packet".to_owned())
        }
    }
}

/// A handler that does what the dialogue says and notes what it saw.
#[derive(Default)]
struct Scripted {
    rules: Vec<(String, Option<Vec<u8>>, Response)>,
    seen: Vec<String>,
}

impl MilterHandler for Scripted {
    fn on_negotiated(&mut self, negotiated: &Negotiated) {
        let Negotiated {
            version,
            actions,
            protocol,
            ..
        } = negotiated;
        self.seen.push(format!(
            "@ NEGOTIATED version={version} actions={actions:#x} protocol={protocol:#x}"
        ));
    }

    fn on_event(&mut self, event: Event<'_>) -> Response {
        let (shown, key) = show(event);
        self.seen.push(format!("@ {shown}"));
        let fits = |(stage, when, _): &&(String, Option<Vec<u8>>, Response)| {
            stage == event.name()
                && when.as_ref().is_none_or(|when| {
                    key.windows(when.len().max(1))
                        .any(|window| window == &**when)
                })
        };
        self.rules.iter().rev().find(fits).map_or_else(
            || Reply::Continue.into(),
            |(_, _, response)| response.clone(),
        )
    }
}

/// An event as the dialogue writes it, and the bytes that `when` looks into.
fn show(event: Event<'_>) -> (String, Vec<u8>) {
    let mut line = event.name().to_owned();
    let mut say = |word: &[u8]| {
        let _ = write!(line, " {}", quote(word));
    };
    let mut reported = &Macros::default();
    let mut key = Vec::new();
    match event {
        Event::Connect { host, peer, macros } => {
            say(host);
            match peer {
                Peer::Ip(address, port) => say(format!("{address}:{port}").as_bytes()),
                Peer::Local => say(b"local"),
                Peer::Unknown => say(b"unknown"),
            }
            reported = macros;
            key.extend_from_slice(host);
        }
        Event::Helo { name, macros } => {
            say(name);
            reported = macros;
            key.extend_from_slice(name);
        }
        Event::MailFrom {
            path,
            parameters,
            macros,
        }
        | Event::RcptTo {
            path,
            parameters,
            macros,
        } => {
            say(path);
            for parameter in parameters {
                say(parameter);
            }
            reported = macros;
            key.extend_from_slice(path);
        }
        Event::Data { macros }
        | Event::EndOfHeaders { macros }
        | Event::EndOfMessage { macros } => reported = macros,
        Event::Header { name, value } => {
            say(name);
            say(value);
            key.extend_from_slice(name);
        }
        Event::Body { chunk: bytes } | Event::Unknown { command: bytes } => {
            say(bytes);
            key.extend_from_slice(bytes);
        }
        Event::Abort | Event::Close => {}
    }
    for (name, value) in reported.iter() {
        let _ = write!(
            line,
            " {{{}}}={}",
            String::from_utf8_lossy(name),
            quote(value)
        );
    }
    (line, key)
}

/// `ACTION ; ... REPLY`.
fn parse_response(words: &[Vec<u8>]) -> Result<Response, String> {
    let mut response = Response::from(Reply::Continue);
    for part in words.split(|word| word == b";") {
        let texts: Vec<String> = part.iter().map(|word| text_of(word)).collect();
        let words: Vec<&str> = texts.iter().map(String::as_str).collect();
        let number = |text: &str| {
            text.parse::<u32>()
                .map_err(|error| format!("{text}: {error}"))
        };
        let action = match *words.as_slice() {
            ["add-header", name, value] => Action::AddHeader {
                name: name.into(),
                value: value.into(),
            },
            ["insert-header", index, name, value] => Action::InsertHeader {
                index: number(index)?,
                name: name.into(),
                value: value.into(),
            },
            ["change-header", index, name, value] => Action::ChangeHeader {
                index: number(index)?,
                name: name.into(),
                value: value.into(),
            },
            ["change-from", path] => Action::ChangeFrom {
                path: path.into(),
                parameters: String::new(),
            },
            ["change-from", path, parameters] => Action::ChangeFrom {
                path: path.into(),
                parameters: parameters.into(),
            },
            ["add-rcpt", path] => Action::AddRecipient {
                path: path.into(),
                parameters: String::new(),
            },
            ["add-rcpt", path, parameters] => Action::AddRecipient {
                path: path.into(),
                parameters: parameters.into(),
            },
            ["delete-rcpt", path] => Action::DeleteRecipient { path: path.into() },
            ["quarantine", reason] => Action::Quarantine {
                reason: reason.into(),
            },
            _ => {
                response.reply = parse_reply(&words)?;
                continue;
            }
        };
        response.actions.push(action);
    }
    Ok(response)
}

fn parse_reply(words: &[&str]) -> Result<Reply, String> {
    Ok(match words {
        ["continue"] => Reply::Continue,
        ["accept"] => Reply::Accept,
        ["reject"] => Reply::Reject,
        ["tempfail"] => Reply::Tempfail,
        ["skip"] => Reply::Skip,
        ["pending"] => Reply::Pending,
        ["code", code, enhanced, lines @ ..] => Reply::Code {
            code: code.parse().map_err(|error| format!("{code}: {error}"))?,
            enhanced: (*enhanced).to_owned(),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        },
        other => return Err(format!("no reply and no action: {other:?}")),
    })
}
