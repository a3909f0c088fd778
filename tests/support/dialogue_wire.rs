//! The words of a dialogue, and what they are on the wire.

#![expect(
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]
#![expect(
    clippy::let_underscore_must_use,
    reason = "writing into a String cannot fail"
)]

use std::fmt::Write as _;

/// What `> COMMAND WORD...` is on the wire.
pub(super) fn encode(command: &str, words: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let mut payload = Vec::new();
    let letter = match command {
        "RAW" => {
            let hex = |word: &Vec<u8>| {
                u8::from_str_radix(&text_of(word), 16).map_err(|error| error.to_string())
            };
            return words.iter().map(hex).collect();
        }
        "OPTNEG" => {
            payload = negotiation(words)?;
            b'O'
        }
        "MACRO" => {
            payload = macros(words)?;
            b'D'
        }
        "CONNECT" => {
            payload = connect(words)?;
            b'C'
        }
        "PACKET" => {
            let (letter, rest) = words.split_first().ok_or("PACKET LETTER")?;
            payload.extend(rest.concat());
            *letter.first().ok_or("PACKET LETTER")?
        }
        "BODY" | "EOM" => {
            let (count, text) = match words {
                [count, text] if count.starts_with(b"repeat=") => {
                    (number(&text_of(&count[7..]))?, text.as_slice())
                }
                [text] => (1, text.as_slice()),
                [] => (0, [].as_slice()),
                _ => return Err("[repeat=N] [TEXT]".to_owned()),
            };
            (0..count).for_each(|_| payload.extend_from_slice(text));
            if command == "BODY" { b'B' } else { b'E' }
        }
        _ => {
            for word in words {
                payload.extend_from_slice(word);
                payload.push(0);
            }
            match command {
                "HELO" => b'H',
                "MAIL" => b'M',
                "RCPT" => b'R',
                "DATA" => b'T',
                "HEADER" => b'L',
                "EOH" => b'N',
                "UNKNOWN" => b'U',
                "ABORT" => b'A',
                "QUIT" => b'Q',
                "QUIT_NC" => b'K',
                other => return Err(format!("unknown command {other}")),
            }
        }
    };
    let length = u32::try_from(payload.len() + 1).map_err(|error| error.to_string())?;
    Ok([&length.to_be_bytes(), [letter].as_slice(), &payload].concat())
}

/// The payload of OPTNEG: what is not given is that of a current MTA.
fn negotiation(words: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let mut payload = Vec::new();
    for (name, default) in [("version", 6), ("actions", 0x1ff), ("protocol", 0x1f_ffff)] {
        let given = words.iter().find_map(|word| {
            let text = text_of(word);
            let value = text.strip_prefix(name)?.strip_prefix('=');
            value.map(number)
        });
        payload.extend_from_slice(&given.unwrap_or(Ok(default))?.to_be_bytes());
    }
    Ok(payload)
}

/// The payload of MACRO: a letter, then names and values.
fn macros(words: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let (stage, pairs) = words.split_first().ok_or("MACRO STAGE-LETTER")?;
    let mut payload = stage.clone();
    for pair in pairs {
        let at = pair.iter().position(|byte| *byte == b'=');
        let at = at.ok_or("NAME=VALUE")?;
        payload.extend_from_slice(&pair[..at]);
        payload.push(0);
        payload.extend_from_slice(&pair[at + 1..]);
        payload.push(0);
    }
    Ok(payload)
}

/// The payload of CONNECT.
fn connect(words: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let [host, family, rest @ ..] = words else {
        return Err("CONNECT HOST FAMILY [PORT ADDRESS]".to_owned());
    };
    let mut payload = [host.as_slice(), b"\0", family].concat();
    if let [port, address] = rest {
        payload.extend_from_slice(
            &text_of(port)
                .parse::<u16>()
                .map_err(|error| error.to_string())?
                .to_be_bytes(),
        );
        payload.extend_from_slice(address);
        payload.push(0);
    }
    Ok(payload)
}

/// An answer as the dialogue writes it. Strict: a payload that an MTA could stumble over is an
/// error.
pub(super) fn decode(command: u8, payload: &[u8]) -> Result<String, String> {
    let bare = |name: &str| {
        if payload.is_empty() {
            Ok(name.to_owned())
        } else {
            Err(format!("{name} with a payload"))
        }
    };
    let indexed = |name: &str| {
        Ok(format!(
            "{name} {}{}",
            word_at(payload, 0)?,
            strings(&payload[4..])?
        ))
    };
    match command {
        b'c' => bare("CONTINUE"),
        b'a' => bare("ACCEPT"),
        b'r' => bare("REJECT"),
        b't' => bare("TEMPFAIL"),
        b's' => bare("SKIP"),
        b'p' => bare("PROGRESS"),
        b'y' => Ok(format!("REPLY_CODE{}", strings(payload)?)),
        b'h' => Ok(format!("ADD_HEADER{}", strings(payload)?)),
        b'i' => indexed("INSERT_HEADER"),
        b'm' => indexed("CHANGE_HEADER"),
        b'e' => Ok(format!("CHANGE_FROM{}", strings(payload)?)),
        b'+' => Ok(format!("ADD_RCPT{}", strings(payload)?)),
        b'2' => Ok(format!("ADD_RCPT_PAR{}", strings(payload)?)),
        b'-' => Ok(format!("DELETE_RCPT{}", strings(payload)?)),
        b'q' => Ok(format!("QUARANTINE{}", strings(payload)?)),
        b'O' => negotiated(payload),
        other => Err(format!("unknown answer 0x{other:02x}")),
    }
}

/// A number of 32 bits in network order.
fn word_at(payload: &[u8], at: usize) -> Result<u32, String> {
    let bytes = payload.get(at..at + 4).ok_or("a truncated number")?;
    let bytes = bytes.try_into().map_err(|_| "a truncated number")?;
    Ok(u32::from_be_bytes(bytes))
}

/// Strings, each closed by NUL.
fn strings(bytes: &[u8]) -> Result<String, String> {
    let bytes = bytes
        .strip_suffix(b"\0")
        .ok_or("a string without its NUL")?;
    let words = bytes.split(|byte| *byte == 0);
    Ok(words
        .flat_map(|word| [" ".to_owned(), quote(word)])
        .collect())
}

/// The answer to OPTNEG, with its lists of macros.
fn negotiated(payload: &[u8]) -> Result<String, String> {
    let [version, actions, protocol] = [0, 4, 8].map(|at| word_at(payload, at));
    let mut line = format!(
        "OPTNEG version={} actions={:#x} protocol={:#x}",
        version?, actions?, protocol?
    );
    let mut rest = &payload[12..];
    while let Some((stage, after)) = rest.split_first_chunk::<4>() {
        let end = after.iter().position(|byte| *byte == 0);
        let end = end.ok_or("a list of macros without its NUL")?;
        let stage = u32::from_be_bytes(*stage);
        let _ = write!(line, " {stage}={}", quote(&after[..end]));
        rest = &after[end + 1..];
    }
    if rest.is_empty() {
        Ok(line)
    } else {
        Err("bytes after the lists of macros".to_owned())
    }
}

/// Splits a line into words; see the head of this file.
pub(super) fn words(line: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut all = Vec::new();
    let mut characters = line.trim().chars().peekable();
    while let Some(first) = characters.next() {
        let mut word = Vec::new();
        match first {
            ' ' => continue,
            ';' => word.push(b';'),
            '"' => loop {
                match characters.next().ok_or("a quote that is not closed")? {
                    '"' => break,
                    '\\' => word.push(match characters.next().ok_or("a backslash at the end")? {
                        'n' => b'\n',
                        'r' => b'\r',
                        't' => b'\t',
                        '0' => 0,
                        'x' => {
                            let hex: String = characters.by_ref().take(2).collect();
                            u8::from_str_radix(&hex, 16)
                                .map_err(|error| format!("{hex}: {error}"))?
                        }
                        other => u8::try_from(other).map_err(|error| error.to_string())?,
                    }),
                    other => word.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
                }
            },
            _ => {
                word.extend_from_slice(first.encode_utf8(&mut [0; 4]).as_bytes());
                while let Some(next) = characters.next_if(|next| !matches!(next, ' ' | ';')) {
                    word.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
        all.push(word);
    }
    Ok(all)
}

/// A word as it may be written back: plain where it can, in quotes where it must, described by its size
/// where it is long.
pub(super) fn quote(word: &[u8]) -> String {
    if word.len() > 1200 {
        return format!("({} bytes)", word.len());
    }
    if !word.is_empty()
        && word
            .iter()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b';'))
    {
        return text_of(word);
    }
    let mut text = String::from("\"");
    for byte in word {
        match byte {
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            0 => text.push_str("\\0"),
            b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => text.push(char::from(*byte)),
            other => {
                let _ = write!(text, "\\x{other:02x}");
            }
        }
    }
    text.push('"');
    text
}

fn number(text: &str) -> Result<u32, String> {
    let parsed = text
        .strip_prefix("0x")
        .map_or_else(|| text.parse(), |hex| u32::from_str_radix(hex, 16));
    parsed.map_err(|error| format!("{text}: {error}"))
}

pub(super) fn text_of(word: &[u8]) -> String {
    String::from_utf8_lossy(word).into_owned()
}
