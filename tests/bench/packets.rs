//! Packets of the milter protocol, as Postfix sends them.

/// Body bytes in one packet.
const CHUNK: usize = 65_535;

/// A message as packets, made once for all sessions. The steps that may go without an answer stand
/// apart.
#[derive(Debug)]
pub(super) struct Mail {
    pub(super) fields: Vec<Vec<u8>>,
    pub(super) chunks: Vec<Vec<u8>>,
}

impl Mail {
    pub(super) fn new(message: &[u8]) -> Self {
        let text = normalised(message);
        let (header, body) = split(&text);
        let mut fields: Vec<Vec<u8>> = Vec::new();
        for line in header.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r\n").unwrap_or(line);
            if line
                .first()
                .is_some_and(|byte| matches!(byte, b' ' | b'\t'))
                && !fields.is_empty()
            {
                // Folded lines are joined by a line feed in the milter protocol.
                let field = fields
                    .last_mut()
                    .map(|field| field.extend_from_slice(&[b"\n", line].concat()));
                debug_assert!(field.is_some());
            } else if let Some(colon) = line.iter().position(|byte| *byte == b':') {
                let (name, value) = line.split_at(colon);
                fields.push([name, b"\0", value.get(1..).unwrap_or_default()].concat());
            }
        }
        let fields = fields
            .iter()
            .map(|field| [macros(b'L', &[]), packet(b'L', &[field, b"\0"])].concat())
            .collect();
        let chunks = body
            .chunks(CHUNK)
            .map(|chunk| [macros(b'B', &[]), packet(b'B', &[chunk])].concat())
            .collect();
        Self { fields, chunks }
    }
}

/// With CRLF line ends throughout, as Postfix hands a body over.
fn normalised(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 32);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        out.extend_from_slice(bare.strip_suffix(b"\r").unwrap_or(bare));
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn split(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.windows(4).position(|window| window == b"\r\n\r\n");
    end.map_or((text, &[][..]), |end| {
        (
            text.get(..end + 2).unwrap_or(text),
            text.get(end + 4..).unwrap_or_default(),
        )
    })
}

pub(super) fn packet(command: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut out = Vec::with_capacity(4 + length);
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    out.push(command);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// A macro packet for the stage; Postfix sends one before every command, an empty one where there
/// is nothing to tell.
pub(super) fn macros(stage: u8, values: &[(&str, &str)]) -> Vec<u8> {
    let mut text = vec![stage];
    for (name, value) in values {
        text.extend_from_slice(name.as_bytes());
        text.push(0);
        text.extend_from_slice(value.as_bytes());
        text.push(0);
    }
    packet(b'D', &[&text])
}
