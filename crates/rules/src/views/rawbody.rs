//! The decoded text parts in chunks, as `rawbody` rules see them.

use super::text_parts::{LineEnds, Role, content, leaves, role};
use gatepost_mail::Message;
use gatepost_words::bytes;

/// A text that is not longer stays in one piece; longer ones are cut between this and twice this.
const CHUNK: usize = 2_048;
/// How far after the limit a part may be cut, to cut it at a good place.
const CUT_SLACK: usize = 1_024;

/// The chunks of all parts, and whether a part was longer than `limit`.
pub(super) fn chunks(message: &Message<'_>, limit: usize) -> (Vec<Vec<u8>>, bool) {
    let mut chunks = Vec::new();
    let mut is_cut = false;
    let lines = LineEnds::of(message);
    for entity in leaves(message) {
        if role(entity) == Role::Other || entity.media_type.is("text", "calendar") {
            continue;
        }
        let content = content(entity, lines);
        let seen = cut(&content, limit);
        is_cut |= seen.len() < content.len();
        split(seen, &mut chunks);
    }
    (chunks, is_cut)
}

/// A part up to its limit, cut after a line end, else `>`, else a blank that is near.
fn cut(content: &[u8], limit: usize) -> &[u8] {
    let Some(slack) = content.get(limit..).filter(|slack| !slack.is_empty()) else {
        return content;
    };
    let slack = bytes::head(slack, CUT_SLACK + 1);
    let more = b"\n> "
        .iter()
        .find_map(|byte| memchr::memchr(*byte, slack))
        .map_or(0, |at| at + 1);
    bytes::head(content, limit + more)
}

/// Pieces of 2,048 to 4,096 bytes, cut after a line end, else after `>`, else after a blank.
fn split(text: &[u8], chunks: &mut Vec<Vec<u8>>) {
    if text.len() <= CHUNK {
        chunks.push(text.to_vec());
        return;
    }
    let mut rest = text;
    while rest.len() > 2 * CHUNK {
        let window = bytes::slice(rest, CHUNK..2 * CHUNK);
        let end = b"\n> "
            .iter()
            .find_map(|byte| memchr::memchr(*byte, window))
            .unwrap_or(0)
            + CHUNK
            + 1;
        let (chunk, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        chunks.push(chunk.to_vec());
        rest = behind;
    }
    if !rest.is_empty() {
        chunks.push(rest.to_vec());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_split() {
        let sizes = |text: String| {
            let mut chunks = Vec::new();
            split(text.as_bytes(), &mut chunks);
            chunks.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(String::new()), [0]);
        assert_eq!(sizes("a".repeat(2 * CHUNK)), [2 * CHUNK]);
        assert_eq!(sizes("a".repeat(2 * CHUNK + 1)), [CHUNK + 1, CHUNK]);
        assert_eq!(
            sizes(format!("{}\n{}", "a".repeat(CHUNK + 10), "b".repeat(CHUNK))),
            [CHUNK + 11, CHUNK]
        );
        assert_eq!(
            sizes(format!("{} >{}", "a".repeat(CHUNK), "b".repeat(CHUNK))),
            [CHUNK + 2, CHUNK]
        );
    }

    #[test]
    fn parts_are_cut() {
        assert_eq!(cut(b"aaaaa", 5), b"aaaaa");
        assert_eq!(cut(b"aaaaabbb", 5), b"aaaaa");
        assert_eq!(cut(b"aaaaa b>b\nb", 5), b"aaaaa b>b\n");
        assert_eq!(cut(b"aaaaa b>b", 5), b"aaaaa b>");
    }
}
