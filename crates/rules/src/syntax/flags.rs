//! `tflags` lines.

use super::lines::first_word;
use crate::ruleset::rule::RuleFlags;
use crate::views::mime_parts::PartRange;
use gatepost_words::bytes;

/// Flags that change how a rule is looked at.
const MEANINGFUL: &[&str] = &[
    "shadow",
    "nice",
    "multiple",
    "nosubject",
    "net",
    "concat",
    "learn",
    "userconf",
];

/// Flags of automatic learning, of network lists and of publishing: known, but nothing here asks
/// for them.
const ACCEPTED: &[&str] = &[
    "a",
    "autolearn_body",
    "autolearn_force",
    "domains_only",
    "ips_only",
    "noautolearn",
    "noawl",
    "nolog",
    "notrim",
    "ns",
    "publish",
];

/// Every flag, for did-you-mean.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    MEANINGFUL
        .iter()
        .chain(ACCEPTED)
        .copied()
        .chain(["maxhits=1", "range=1"])
}

/// Reads the flags; of each that is not known, its place is reported to `unknown`.
pub(crate) fn parse(text: &str, mut unknown: impl FnMut(std::ops::Range<usize>)) -> RuleFlags {
    let mut flags = RuleFlags::default();
    let mut offset = 0;
    while let (word, next, _) = first_word(bytes::skip_str(text, offset))
        && !word.is_empty()
    {
        if !take(&mut flags, word) {
            unknown(offset..offset + word.len());
        }
        offset += next;
    }
    flags
}

fn take(flags: &mut RuleFlags, word: &str) -> bool {
    match word.split_once('=') {
        Some(("maxhits", number)) => {
            flags.max_hits = number.parse().ok().filter(|most| *most > 0);
            flags.max_hits.is_some()
        }
        Some(("range", range)) => {
            flags.parts = PartRange::parse(range);
            flags.parts.is_some()
        }
        Some(_) => false,
        None => {
            match word {
                "shadow" => flags.shadow = true,
                "nice" => flags.nice = true,
                "multiple" => flags.multiple = true,
                "nosubject" => flags.no_subject = true,
                "net" => flags.net = true,
                "concat" => flags.concat = true,
                _ => return MEANINGFUL.contains(&word) || ACCEPTED.contains(&word),
            }
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{all, parse};

    #[test]
    fn every_flag_is_known() {
        for word in all() {
            parse(word, |span| panic!("{word}: {span:?}"));
        }
    }

    #[test]
    fn flags_are_read_and_others_reported() {
        let mut unknown = Vec::new();
        let flags = parse("multiple maxhits=3 nise range=2- maxhits=0 net", |span| {
            unknown.push(span);
        });
        assert!(flags.multiple && flags.net && !flags.nice);
        assert_eq!((flags.max_hits, unknown), (None, vec![19..23, 33..42]));
        assert_eq!(parse("maxhits=4", |_| {}).max_hits, Some(4));
    }
}
