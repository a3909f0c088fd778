//! Fills in the templates of [`super::report`]. Pure: everything that is not in the template comes
//! with the facts.
//!
//! What a stranger may have written (header values, host names, the text) is shown as printable
//! ASCII on one line, and cut.

use crate::ruleset::report_templates::{ReportTemplates, Rewrite};
use crate::ruleset::ruleset::Ruleset;
use crate::views::lazy::Views;
use gatepost_mail::Case;
use gatepost_words::bytes;
use gatepost_words::escape::ForHeader;
use gatepost_words::verdict::{Hit, RuleName, Score};

/// Characters shown of one value from a message.
const VALUE_LIMIT: usize = 1_000;
/// Bytes of a whole field.
const FIELD_LIMIT: usize = 8 << 10;
/// Where fields are folded.
const FOLD_WIDTH: usize = 78;
/// Most stars of `_STARS_`.
const STARS_LIMIT: i32 = 50;

/// What is known of a message when it was judged.
#[derive(Clone, Copy)]
pub struct ReportFacts<'f> {
    /// Whether it is marked as spam.
    pub is_spam: bool,
    /// Its score.
    pub score: Score,
    /// The score from which it is marked.
    pub required: Score,
    /// The rules that hit.
    pub hits: &'f [Hit],
    /// The sub-rules that hit.
    pub subtests: &'f [RuleName],
    /// What we call ourselves, with the version.
    pub version: &'f str,
    /// The host that we run on, unless `report_hostname` says another.
    pub hostname: &'f str,
    /// The date, RFC 5322.
    pub date: &'f str,
    /// What became of learning: `no`, `ham`, `spam`, `disabled`.
    pub learned: &'f str,
    /// The value of a header request such as `From:addr`: [`Ruleset::header_value`] of the case.
    pub value: &'f dyn Fn(&str) -> Option<String>,
}

impl Ruleset {
    /// What the rule files want to be written to a message.
    pub fn reports(&self) -> &ReportTemplates {
        &self.extras.reports
    }

    /// The value that a header rule sees, such as of `From:addr` or `X-Spam-Relays-External`.
    pub fn header_value(&self, case: &Case<'_>, request: &str) -> Option<String> {
        Views::new(case, &self.lists).find(request)
    }
}

impl ReportTemplates {
    /// The fields to add, in order: names with `X-Spam-`, values with `\n\t` where they are folded.
    pub fn headers(&self, facts: &ReportFacts<'_>) -> Vec<(String, String)> {
        let [spam, ham] = &self.fields;
        let fields = if facts.is_spam { spam } else { ham };
        let filled = fields.iter().map(|(name, text)| {
            let name = format!("X-Spam-{name}");
            let value = self.field_value(&self.filled(text, facts), name.len());
            (name, value)
        });
        filled.filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The new value of a field that is to be marked; `None` when it stays as it is. `original` is
    /// the value on one line, decoded or not: it is put in as it is.
    pub fn rewritten(
        &self,
        rewrite: Rewrite,
        original: &str,
        facts: &ReportFacts<'_>,
    ) -> Option<String> {
        let mark = self.rewrites.get(&rewrite).filter(|_| facts.is_spam);
        let mark = mark.map(|text| one_line(&self.filled(text, facts), VALUE_LIMIT));
        let prefix = if rewrite == Rewrite::Subject {
            self.subject_prefix(facts)
        } else {
            String::new()
        };
        if rewrite != Rewrite::Subject {
            return mark.map(|mark| format!("{original} ({mark})"));
        }
        let marks: Vec<_> = mark
            .into_iter()
            .chain(Some(prefix).filter(|prefix| !prefix.is_empty()))
            .collect();
        (!marks.is_empty()).then(|| format!("{} {original}", marks.join(" ")))
    }

    /// What `subjprefix` lines want before the subject, of the rules that hit.
    fn subject_prefix(&self, facts: &ReportFacts<'_>) -> String {
        let prefixes = facts
            .hits
            .iter()
            .filter_map(|hit| self.subject_prefixes.get(&*hit.rule));
        let prefixes: Vec<_> = prefixes
            .map(|(text, _)| one_line(text, VALUE_LIMIT))
            .collect();
        prefixes.join(" ")
    }

    /// Printable ASCII, lines marked as continued, folded if that is wanted and no line end was
    /// written by hand.
    fn field_value(&self, text: &str, name: usize) -> String {
        let mut value = String::new();
        let lines: Vec<&str> = text.trim().lines().collect();
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                value.push_str("\n\t");
            }
            let line = one_line(line.trim_end(), FIELD_LIMIT);
            if self.fold && lines.len() == 1 {
                value.push_str(&folded(&line, name + 2));
            } else {
                value.push_str(&line);
            }
            if value.len() >= FIELD_LIMIT {
                value.truncate(FIELD_LIMIT);
                break;
            }
        }
        value.trim_end().to_owned()
    }

    /// A template with its tags filled in; what is no tag stays.
    fn filled(&self, template: &str, facts: &ReportFacts<'_>) -> String {
        let (mut out, mut rest) = (String::new(), template);
        while let Some(at) = rest.find('_') {
            let (before, behind) = rest.split_at_checked(at).unwrap_or((rest, ""));
            out.push_str(before);
            let filled = tag(behind).and_then(|(name, argument, length)| {
                Some((self.value(name, argument, facts)?, behind.get(length..)?))
            });
            let (value, next) =
                filled.unwrap_or_else(|| ("_".to_owned(), bytes::skip_str(behind, 1)));
            out.push_str(&value);
            rest = next;
        }
        out.push_str(rest);
        out
    }

    /// What a tag stands for; `None` when there is none such.
    fn value(&self, name: &str, argument: Option<&str>, facts: &ReportFacts<'_>) -> Option<String> {
        let from_mail = |request: &str| {
            one_line(
                (facts.value)(request).unwrap_or_default().trim(),
                VALUE_LIMIT,
            )
        };
        let separator = argument.filter(|text| !text.is_empty()).unwrap_or(",");
        Some(match name {
            "YESNO" => yes_no(facts.is_spam, argument),
            "YESNOCAPS" => yes_no(facts.is_spam, argument).to_uppercase(),
            "SCORE" => padded(&shown_score(facts), argument),
            "REQD" => format!("{:.1}", facts.required.points()),
            "VERSION" => {
                let tags = self.version_tags.iter().map(|tag| format!("-{tag}"));
                [facts.version.to_owned()].into_iter().chain(tags).collect()
            }
            "HOSTNAME" => self
                .hostname
                .as_deref()
                .unwrap_or(facts.hostname)
                .to_owned(),
            "DATE" => facts.date.to_owned(),
            "STARS" => stars(facts.score, argument),
            "TESTS" => joined(facts.hits.iter().map(|hit| hit.rule.to_string()), separator),
            "TESTSSCORES" => joined(
                facts
                    .hits
                    .iter()
                    .map(|hit| format!("{}={}", hit.rule, hit.score.points())),
                separator,
            ),
            "SUBTESTS" | "SUBTESTSCOLLAPSED" => {
                joined(facts.subtests.iter().map(ToString::to_string), separator)
            }
            "AUTOLEARN" => facts.learned.to_owned(),
            "SUMMARY" => self.summary(facts),
            "REPORT" => format!("\n{}", self.short_report(facts)),
            "SUBJPREFIX" => self.subject_prefix(facts),
            "CONTACTADDRESS" => self.contact.clone(),
            "HEADER" => from_mail(argument?),
            "SENDERDOMAIN" => domain(&from_mail("EnvelopeFrom:addr")),
            "AUTHORDOMAIN" => domain(&from_mail("From:first:addr")),
            "RELAYSTRUSTED" => from_mail("X-Spam-Relays-Trusted"),
            "RELAYSUNTRUSTED" => from_mail("X-Spam-Relays-Untrusted"),
            "RELAYSINTERNAL" => from_mail("X-Spam-Relays-Internal"),
            "RELAYSEXTERNAL" => from_mail("X-Spam-Relays-External"),
            "FIRSTTRUSTEDIP" => relay_word(&from_mail("X-Spam-Relays-Trusted"), "ip", true),
            "LASTEXTERNALIP" => relay_word(&from_mail("X-Spam-Relays-External"), "ip", false),
            "LASTEXTERNALRDNS" => relay_word(&from_mail("X-Spam-Relays-External"), "rdns", false),
            "LASTEXTERNALHELO" => relay_word(&from_mail("X-Spam-Relays-External"), "helo", false),
            "FIRSTTRUSTEDREVIP" => {
                reversed(&relay_word(&from_mail("X-Spam-Relays-Trusted"), "ip", true))
            }
            "LASTEXTERNALREVIP" => reversed(&relay_word(
                &from_mail("X-Spam-Relays-External"),
                "ip",
                false,
            )),
            "SC" | "SCRULE" | "SCTYPE" => shortcircuit(name, facts),
            _ if UNKNOWN_VALUES.contains(&name) => String::new(),
            _ => return None,
        })
    }

    /// A table of the rules that hit: points, name, description.
    fn summary(&self, facts: &ReportFacts<'_>) -> String {
        let lines = sorted(facts.hits).into_iter().map(|hit| {
            let text = format!(
                "{:>4.1} {:<22} {}",
                hit.score.points(),
                hit.rule,
                hit.description
            );
            wrapped(&text, self.wrap_width, "                            ")
        });
        lines.collect()
    }

    /// The same for a header field.
    fn short_report(&self, facts: &ReportFacts<'_>) -> String {
        let lines = sorted(facts.hits).into_iter().map(|hit| {
            let text = format!(
                "* {:>4.1} {} {}",
                hit.score.points(),
                hit.rule,
                hit.description
            );
            wrapped(&text, self.wrap_width, "*      ")
        });
        lines.collect()
    }
}

/// Tags of things that do not exist here: nothing is shown for them.
const UNKNOWN_VALUES: &[&str] = &[
    "ADDEDHEADER",
    "ADDEDHEADERHAM",
    "ADDEDHEADERSPAM",
    "AUTOLEARNSCORE",
    "BAYES",
    "BAYESTC",
    "BAYESTCHAMMY",
    "BAYESTCLEARNED",
    "BAYESTCSPAMMY",
    "DCCB",
    "DCCR",
    "HAMMYTOKENS",
    "LANGUAGES",
    "PREVIEW",
    "PYZOR",
    "RBL",
    "REMOTEHOSTADDR",
    "REMOTEHOSTNAME",
    "RULESVERSION",
    "SPAMMYTOKENS",
    "SUBVERSION",
    "TIMING",
    "TOKENSUMMARY",
];

/// The tag at the start of a text (which begins with `_`): name, argument, length.
fn tag(text: &str) -> Option<(&str, Option<&str>, usize)> {
    let run = text.get(1..)?;
    let run = run.get(
        ..run
            .find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
            .unwrap_or(run.len()),
    )?;
    let run = run
        .find("__")
        .map_or(run, |double| run.get(..=double).unwrap_or(run));
    if !run.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let behind = text.get(1 + run.len()..)?;
    if let Some(inside) = behind.strip_prefix('(').filter(|_| !run.ends_with('_')) {
        let end = inside.find(")_")?;
        return Some((run, inside.get(..end), 1 + run.len() + 1 + end + 2));
    }
    let end = run.rfind('_')?;
    Some((run.get(..end)?, None, end + 2))
}

/// One line of printable ASCII, at most so long.
fn one_line(text: &str, limit: usize) -> String {
    let shown: String = text
        .chars()
        .take(limit)
        .map(|c| {
            if matches!(c, '\n' | '\r' | '\t') {
                ' '
            } else {
                c
            }
        })
        .collect();
    ForHeader(&shown).to_string()
}

fn yes_no(is_spam: bool, argument: Option<&str>) -> String {
    let words = argument.map(|words| words.split_once(',').unwrap_or((words, "No")));
    let (yes, no) = words.unwrap_or(("Yes", "No"));
    if is_spam {
        yes.to_owned()
    } else {
        no.to_owned()
    }
}

/// One decimal; good mail is never shown with the score of spam.
fn shown_score(facts: &ReportFacts<'_>) -> String {
    let (score, required) = (facts.score.points(), facts.required.points());
    let shown = format!("{score:.1}");
    if !facts.is_spam && shown == format!("{required:.1}") {
        format!("{:.1}", required - 0.1)
    } else {
        shown
    }
}

/// `_SCORE(00)_`: filled up with blanks or noughts.
fn padded(score: &str, pad: Option<&str>) -> String {
    let pad = pad
        .filter(|pad| pad.chars().all(|c| c == '0') || pad.chars().all(|c| c == ' '))
        .unwrap_or_default();
    let missing = (pad.len() + 3).saturating_sub(score.len());
    format!("{}{score}", bytes::head_str(pad, missing.min(pad.len())))
}

fn stars(score: Score, argument: Option<&str>) -> String {
    let star = argument.filter(|text| !text.is_empty()).unwrap_or("*");
    let count = (0..STARS_LIMIT)
        .take_while(|count| f64::from(*count) + 1.0 <= score.points())
        .count();
    star.repeat(count)
}

/// In alphabetic order; `none` when there is nothing.
fn joined(names: impl Iterator<Item = String>, separator: &str) -> String {
    let mut names: Vec<String> = names.collect();
    names.sort();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(separator)
    }
}

fn sorted(hits: &[Hit]) -> Vec<&Hit> {
    let mut hits: Vec<&Hit> = hits.iter().collect();
    hits.sort_by(|a, b| a.rule.cmp(&b.rule));
    hits
}

fn domain(address: &str) -> String {
    address
        .rsplit_once('@')
        .map(|(_, host)| host.trim_end_matches('>').to_lowercase())
        .unwrap_or_default()
}

/// A word of the first or last relay in the text of a relays field.
fn relay_word(relays: &str, key: &str, last: bool) -> String {
    let mut all = relays.split('[').filter(|relay| relay.contains("ip="));
    let relay = if last { all.next_back() } else { all.next() }.unwrap_or_default();
    relay
        .split(' ')
        .find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
        .unwrap_or_default()
        .to_owned()
}

/// The address as lists in DNS want it.
fn reversed(address: &str) -> String {
    match address.parse() {
        Ok(std::net::IpAddr::V4(address)) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}")
        }
        Ok(std::net::IpAddr::V6(address)) => {
            let nibbles = address
                .octets()
                .into_iter()
                .rev()
                .flat_map(|byte| [byte & 15, byte >> 4]);
            nibbles
                .map(|nibble| format!("{nibble:x}"))
                .collect::<Vec<_>>()
                .join(".")
        }
        Err(_) => String::new(),
    }
}

fn shortcircuit(tag: &str, facts: &ReportFacts<'_>) -> String {
    let hit = facts
        .hits
        .iter()
        .find(|hit| &*hit.rule == crate::ruleset::shortcircuit::NAME);
    let word = match hit {
        Some(hit) if hit.score < Score::ZERO => "ham",
        Some(hit) if hit.score > Score::ZERO => "spam",
        Some(_) => "default",
        None if tag == "SCRULE" => "none",
        None => "no",
    };
    word.to_owned()
}

/// Breaks after blanks and commas.
fn folded(line: &str, used: usize) -> String {
    let (mut out, mut width) = (String::new(), used);
    for piece in line.split_inclusive([' ', ',']) {
        if width + piece.trim_end().len() > FOLD_WIDTH && width > used.min(8) {
            out.truncate(out.trim_end().len());
            out.push_str("\n\t");
            width = 8;
        }
        out.push_str(piece);
        width += piece.len();
    }
    out
}

/// Breaks at blanks; further lines begin with `indent`. Ends with a line end.
fn wrapped(text: &str, most: usize, indent: &str) -> String {
    let (mut out, mut width) = (String::new(), 0);
    for piece in text.split_inclusive(' ') {
        if width + piece.trim_end().len() > most && width > indent.len() {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out.push_str(indent);
            width = indent.len();
        }
        out.push_str(piece);
        width += piece.len();
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

#[cfg(test)]
#[path = "tags_tests.rs"]
mod tests;
