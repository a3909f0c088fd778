//! The Public Suffix List (<https://publicsuffix.org>): where a registry ends and a registrant's own
//! domain begins.
//!
//! The list is data. One is embedded, a site may use a newer one ([`PublicSuffixList::parse`]), and
//! a lookup costs a few hash lookups.
//!
//! # Which list is in use
//!
//! URLs are normalised while a message is parsed, rules ask for registered domains of any text, and
//! features compare domains: the list is read in the deepest corners of judging. It is therefore
//! one for the whole process, [`PublicSuffixList::current`]: the embedded one, unless
//! [`PublicSuffixList::make_current`] was called before its first use. It cannot change afterwards,
//! so two generations of one process never read different lists; a new file takes effect with a
//! restart. Its [`PublicSuffixList::digest`] belongs into the identity of a generation.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use gatepost_words::bytes::{head_str, skip_str};
use gatepost_words::diagnostic::{Diagnostic, Source};

/// The list that is compiled in.
const EMBEDDED: &str = include_str!("../data/public_suffix_list.dat");

static CURRENT: OnceLock<PublicSuffixList> = OnceLock::new();

/// The rules of a public suffix list.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicSuffixList {
    /// Every suffix that a rule names, and every ending of it in whole labels.
    nodes: HashMap<Box<str>, Node>,
    rules: usize,
    digest: u64,
}

/// What the rules say about one domain name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each comes from another rule of the list"
)]
struct Node {
    /// It is a public suffix: a rule `NAME`.
    is_suffix: bool,
    /// Every name one label longer is a public suffix: a rule `*.NAME`.
    is_wildcard: bool,
    /// It is not one, whatever the wildcard above it says: a rule `!NAME`.
    is_exception: bool,
    /// Rules name something below it.
    has_children: bool,
}

/// The public suffix of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicSuffix<'h> {
    /// The suffix, without trailing dot.
    pub name: &'h str,
    /// Whether a rule of the list says so. Otherwise it is the last label, by the rule `*` that
    /// holds where no other does: an internal name, a misspelt one, or a new top-level domain.
    pub is_listed: bool,
}

impl fmt::Debug for PublicSuffixList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rules, digest, .. } = self;
        write!(
            f,
            "PublicSuffixList {{ rules: {rules}, digest: {digest:x} }}"
        )
    }
}

impl Default for PublicSuffixList {
    /// The embedded list.
    fn default() -> Self {
        let source = Arc::new(Source::new("public_suffix_list.dat", EMBEDDED));
        // A test reads it; were it damaged all the same, every suffix would be unlisted.
        Self::parse(&source).unwrap_or_else(|_| Self::empty())
    }
}

impl PublicSuffixList {
    /// Bytes of the largest list that is read; the list of 2026 has 0.3 MB.
    pub const BYTES_MAX: usize = 4 << 20;
    /// Rules of the largest list; the list of 2026 has 10,397.
    pub const RULES_MAX: usize = 100_000;
    /// Bytes of the longest rule: a domain name has at most 253 (RFC 1035 §2.3.4), and as many
    /// again for characters that are more bytes in UTF-8 than in DNS.
    pub const RULE_BYTES_MAX: usize = 512;
    /// Labels of the longest rule; the list of 2026 has 5.
    pub const LABELS_MAX: usize = 16;
    /// Mistakes that are reported; the rest is then not read.
    pub const DIAGNOSTICS_MAX: usize = 20;

    /// Reads a list in the format of publicsuffix.org: one rule a line, up to the first white space;
    /// lines that start with `//` are comments. The sections (ICANN, private) are not distinguished:
    /// a domain under a private suffix has another owner than its neighbours, and that is what every
    /// reader of the list here asks about. On error all mistakes, at least one.
    pub fn parse(source: &Arc<Source>) -> Result<Self, Vec<Diagnostic>> {
        let text = source.text.as_str();
        if text.len() > Self::BYTES_MAX {
            let message = format!("the list has {} bytes", text.len());
            let help = format!("at most {} bytes are read", Self::BYTES_MAX);
            return Err(vec![Diagnostic::error(CODE, message).help(help)]);
        }
        let mut list = Self::empty();
        let mut wrong = Vec::new();
        for (rule, span) in rules(text) {
            let result = list.add(rule);
            if let Err(message) = result {
                wrong.push(Diagnostic::error(CODE, message).at(source, span, ""));
            }
            if wrong.len() == Self::DIAGNOSTICS_MAX {
                break;
            }
        }
        if list.rules == 0 && wrong.is_empty() {
            let help = "expected a list in the format of https://publicsuffix.org/list/";
            wrong.push(Diagnostic::error(CODE, "the list has no rules").help(help));
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        list.digest = fnv_1a(text.as_bytes());
        Ok(list)
    }

    /// The list of this process.
    pub fn current() -> &'static Self {
        CURRENT.get_or_init(Self::default)
    }

    /// Makes this the list of this process. Called once, when the program starts; returned as an
    /// error where a list is in use already.
    pub fn make_current(self) -> Result<(), Self> {
        CURRENT.set(self)
    }

    /// Number of rules.
    pub fn rules(&self) -> usize {
        self.rules
    }

    /// A number that identifies the text of the list (FNV-1a, 64 bits). Not against forgery: who can
    /// replace the file can replace the program.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// The public suffix of a host in lower case: by the rule with the most labels, or the exception,
    /// as publicsuffix.org defines it; names in other scripts as they are listed, in Unicode. One
    /// trailing dot is ignored. `None` for an empty host.
    pub fn public_suffix<'h>(&self, host: &'h str) -> Option<PublicSuffix<'h>> {
        if host.is_empty() {
            return None;
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        let mut suffix = PublicSuffix {
            name: "",
            is_listed: false,
        };
        let mut parent = Node::default();
        for (depth, tail) in endings(host).enumerate() {
            let node = self.nodes.get(tail).copied().unwrap_or_default();
            if node.is_exception {
                // One label less: that is what the last round, or the wildcard's parent, left.
                let without = tail.split_once('.').map_or("", |(_, parent)| parent);
                return Some(PublicSuffix {
                    name: without,
                    is_listed: true,
                });
            }
            let is_listed = node.is_suffix || parent.is_wildcard;
            if is_listed || depth == 0 {
                suffix = PublicSuffix {
                    name: tail,
                    is_listed,
                };
            }
            if !node.has_children {
                break;
            }
            parent = node;
        }
        Some(suffix)
    }

    /// The public suffix and one label more: the domain that its owner has registered. `None` where
    /// the host is itself a public suffix. Under an unlisted top-level domain it is the last two
    /// labels.
    pub fn registrable_domain<'h>(&self, host: &'h str) -> Option<&'h str> {
        let suffix = self.public_suffix(host)?.name;
        let host = host.strip_suffix('.').unwrap_or(host);
        let above = host.strip_suffix(suffix)?.strip_suffix('.')?;
        if above.is_empty() {
            return None;
        }
        let label = above.rsplit('.').next().unwrap_or(above);
        Some(skip_str(host, above.len() - label.len()))
    }

    /// [`PublicSuffixList::registrable_domain`] under a suffix that is on the list.
    pub fn listed_registrable_domain<'h>(&self, host: &'h str) -> Option<&'h str> {
        let is_listed = self.public_suffix(host)?.is_listed;
        self.registrable_domain(host).filter(|_| is_listed)
    }

    fn empty() -> Self {
        Self {
            nodes: HashMap::new(),
            rules: 0,
            digest: 0,
        }
    }

    fn add(&mut self, rule: &str) -> Result<(), String> {
        if self.rules == Self::RULES_MAX {
            return Err(format!("more than {} rules", Self::RULES_MAX));
        }
        let rule = rule.to_lowercase();
        let (name, kind) = match (rule.strip_prefix('!'), rule.strip_prefix("*.")) {
            (Some(name), _) => (name, Kind::Exception),
            (None, Some(name)) => (name, Kind::Wildcard),
            (None, None) => (rule.as_str(), Kind::Suffix),
        };
        check(name, kind)?;
        self.rules += 1;
        for ending in endings(name) {
            let node = self.nodes.entry(ending.into()).or_default();
            if ending.len() < name.len() {
                node.has_children = true;
                continue;
            }
            match kind {
                Kind::Suffix => node.is_suffix = true,
                Kind::Exception => node.is_exception = true,
                Kind::Wildcard => {
                    node.is_wildcard = true;
                    node.has_children = true;
                }
            }
        }
        Ok(())
    }
}

/// The registrable domain of a host, by the list of this process.
pub fn registrable_domain(host: &str) -> Option<&str> {
    PublicSuffixList::current().registrable_domain(host)
}

/// The public suffix of a host, by the list of this process.
pub fn public_suffix(host: &str) -> Option<PublicSuffix<'_>> {
    PublicSuffixList::current().public_suffix(host)
}

/// The kind of diagnostic.
const CODE: &str = "C0130";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Suffix,
    Wildcard,
    Exception,
}

fn check(name: &str, kind: Kind) -> Result<(), String> {
    let shown = head_str(name, 64);
    if name.len() > PublicSuffixList::RULE_BYTES_MAX {
        let max = PublicSuffixList::RULE_BYTES_MAX;
        return Err(format!("a rule of more than {max} bytes: `{shown}…`"));
    }
    let labels = name.split('.').count();
    if labels > PublicSuffixList::LABELS_MAX {
        let max = PublicSuffixList::LABELS_MAX;
        return Err(format!("a rule of more than {max} labels: `{shown}`"));
    }
    if name.split('.').any(str::is_empty) {
        return Err(format!("invalid rule `{shown}`: it has an empty label"));
    }
    if name.contains(['*', '!', '/', '@', ':']) || name.contains(char::is_control) {
        return Err(format!(
            "invalid rule `{shown}`: expected a domain name, `*.` and a domain name, or `!` and a domain name"
        ));
    }
    if kind == Kind::Exception && labels < 2 {
        return Err(format!("the exception `!{shown}` leaves no suffix"));
    }
    Ok(())
}

/// The endings of a name in whole labels, the shortest first: `uk`, `co.uk`, `example.co.uk`.
fn endings(name: &str) -> impl Iterator<Item = &str> {
    let dots = name.rmatch_indices('.').map(|(at, _)| at + 1);
    dots.chain([0]).map(|start| skip_str(name, start))
}

/// The rules of the text and where each is.
fn rules(text: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    let mut start = 0;
    let lines = text.split_inclusive('\n').map(move |line| {
        let at = start;
        start += line.len();
        (at, line)
    });
    lines.filter_map(|(at, line)| {
        let trimmed = line.trim_start();
        let rule = trimmed.split_whitespace().next()?;
        let at = at + line.len() - trimmed.len();
        (!rule.starts_with("//")).then(|| (rule, at..at + rule.len()))
    })
}

fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
#[path = "public_suffix_tests.rs"]
mod tests;
