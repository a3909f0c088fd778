//! The tree as text for regex-automata (Unicode and UTF-8 off).
//!
//! Every byte is written as `\xNN` or a plain letter and every set as a bracketed class, so that
//! nothing in the text can be taken for syntax.

use super::ast::{Assertion, Greed, Node};
use super::byteset::ByteSet;

/// What may follow a part of a pattern before its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Nothing at all.
    Nothing,
    /// Something that may be empty.
    Anything,
    /// At least one byte.
    Bytes,
}

/// The text, or `None` where the tree holds what a finite automaton cannot decide.
pub(super) fn translate(node: &Node) -> Option<String> {
    written(node, false)
}

/// Text for a pattern that matches wherever the tree does, and maybe elsewhere. Look-around,
/// back-references and the like must be gone already ([`super::relax`]).
pub(super) fn translate_loosely(node: &Node) -> Option<String> {
    written(node, true)
}

fn written(node: &Node, loose: bool) -> Option<String> {
    let mut out = Out {
        text: String::new(),
        loose,
    };
    write_node(node, Rest::Nothing, &mut out).then_some(out.text)
}

/// What is written.
struct Out {
    text: String,
    /// It may match more than the tree.
    loose: bool,
}

/// Recursion is bounded by the nesting limit of the parser.
fn write_node(node: &Node, rest: Rest, out: &mut Out) -> bool {
    match node {
        Node::Empty => out.text.push_str("(?:)"),
        Node::Set(set) => write_set(*set, &mut out.text),
        Node::Assert(assertion) => return write_assertion(*assertion, rest, out),
        Node::Concat(nodes) => return write_sequence(nodes, rest, out),
        Node::Alternate(nodes) => {
            out.text.push_str("(?:");
            for (index, node) in nodes.iter().enumerate() {
                if index > 0 {
                    out.text.push('|');
                }
                if !write_node(node, rest, out) {
                    return false;
                }
            }
            out.text.push(')');
        }
        Node::Repeat {
            node,
            min,
            max,
            greed,
        } => {
            let inner = if *max == Some(1) {
                rest
            } else {
                Rest::Anything
            };
            out.text.push_str("(?:");
            if *greed == Greed::Possessive || !write_node(node, inner, out) {
                return false;
            }
            out.text.push(')');
            write_quantifier(*min, *max, &mut out.text);
            if *greed == Greed::Lazy {
                out.text.push('?');
            }
        }
        Node::Capture(_, node) => {
            out.text.push_str("(?:");
            if !write_node(node, rest, out) {
                return false;
            }
            out.text.push(')');
        }
        Node::Look { .. } | Node::BackReference { .. } | Node::Atomic(_) => return false,
    }
    true
}

fn write_sequence(nodes: &[Node], rest: Rest, out: &mut Out) -> bool {
    nodes.iter().enumerate().all(|(index, node)| {
        let following = nodes.get(index + 1..).unwrap_or_default();
        let least: usize = following.iter().map(Node::least).sum();
        let rest = match rest {
            _ if least > 0 => Rest::Bytes,
            rest if following.is_empty() => rest,
            Rest::Bytes => Rest::Bytes,
            _ => Rest::Anything,
        };
        write_node(node, rest, out)
    })
}

fn write_assertion(assertion: Assertion, rest: Rest, out: &mut Out) -> bool {
    let loose = out.loose;
    out.text.push_str(match assertion {
        Assertion::Start => r"\A",
        // regex-automata lets it hold after a last line feed too; Perl does not.
        Assertion::LineStart if rest == Rest::Bytes || loose => "(?m:^)",
        // Only at the very end may the line feed be taken into the match instead of being looked
        // at.
        Assertion::End if rest == Rest::Nothing => r"(?:\n?\z)",
        Assertion::End if loose => "(?m:$)",
        Assertion::LineStart | Assertion::End => return false,
        Assertion::LineEnd => "(?m:$)",
        Assertion::VeryEnd => r"\z",
        Assertion::WordBoundary => r"\b",
        Assertion::NoWordBoundary => r"\B",
    });
    true
}

fn write_quantifier(min: u32, max: Option<u32>, out: &mut String) {
    match (min, max) {
        (0, None) => out.push('*'),
        (1, None) => out.push('+'),
        (0, Some(1)) => out.push('?'),
        (min, None) => out.extend([format!("{{{min},}}")]),
        (min, Some(max)) => out.extend([format!("{{{min},{max}}}")]),
    }
}

fn write_set(set: ByteSet, out: &mut String) {
    let mut bytes = set.bytes();
    match (bytes.next(), bytes.next()) {
        (None, _) => out.push_str("[a&&b]"),
        (Some(byte), None) => write_byte(byte, out),
        _ => {
            out.push('[');
            for (low, high) in ranges(set) {
                write_byte(low, out);
                if high > low {
                    out.push('-');
                    write_byte(high, out);
                }
            }
            out.push(']');
        }
    }
}

fn write_byte(byte: u8, out: &mut String) {
    if byte.is_ascii_alphanumeric() {
        out.push(char::from(byte));
    } else {
        out.extend([format!("\\x{byte:02X}")]);
    }
}

/// The runs of a set.
fn ranges(set: ByteSet) -> Vec<(u8, u8)> {
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    for byte in set.bytes() {
        match ranges.last_mut() {
            Some((_, high)) if high.checked_add(1) == Some(byte) => *high = byte,
            _ => ranges.push((byte, byte)),
        }
    }
    ranges
}
