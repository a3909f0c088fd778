//! The matcher against itself without its shortcuts. For tests and fuzzing; nothing here is a
//! promise.

use super::scanner::Scanner;
use crate::limits::MULTIPLE_LIMIT;
use crate::ruleset::rule::{Rule, Test};
use crate::ruleset::ruleset::Ruleset;
use crate::views::key::ViewKey;
use crate::views::lazy::Views;
use gatepost_byte_regex::{Budget, Cache, disagreement};
use gatepost_mail::{AnomalyKind, Case};

/// Tries one regular expression, with its delimiters, on one text by every engine; an error says
/// what does not agree.
pub fn regex(pattern: &str, text: &[u8]) -> Result<(), String> {
    disagreement(pattern, text).map_or(Ok(()), |why| {
        Err(format!(
            "{pattern} on {:?}: {why}",
            text.escape_ascii().to_string()
        ))
    })
}

/// Each rule alone, without prefilters.
#[derive(Debug)]
pub struct Oracle {
    caches: Vec<Cache>,
}

impl Oracle {
    /// Scratch space for that set.
    pub fn new(ruleset: &Ruleset) -> Self {
        Self {
            caches: vec![Cache::default(); ruleset.rules().len()],
        }
    }

    /// Scans the case, and compares each rule that is a regular expression with what it finds
    /// alone. Gives the number of rules that hit; 0 where a limit was reached, for then nothing
    /// can be compared. An error names what differs.
    pub fn compare(
        &mut self,
        ruleset: &Ruleset,
        scanner: &mut Scanner,
        case: &Case<'_>,
    ) -> Result<usize, String> {
        let scan = scanner.scan(ruleset, case, &|| false);
        if scan
            .anomalies
            .iter()
            .any(|anomaly| anomaly.kind == AnomalyKind::RuleLimit)
        {
            return Ok(0);
        }
        let views = Views::new(case, &ruleset.lists);
        let (mut hits, mut wrong) = (0, Vec::new());
        for (number, rule) in ruleset.rules().iter().enumerate() {
            let is_on = rule.disabled().is_none() && rule.stage() <= case.stage;
            let Some(alone) = is_on.then(|| self.alone(number, rule, &views)).flatten() else {
                continue;
            };
            let found = scanner.value_of(number);
            hits += usize::from(alone != 0.0);
            #[expect(clippy::float_cmp, reason = "both are counts")]
            if alone != found && !views.budget().was_reached() {
                wrong.push(format!("{}: {found} where {alone} is right", rule.name()));
            }
        }
        if wrong.is_empty() {
            Ok(hits)
        } else {
            Err(wrong.join("\n"))
        }
    }

    /// The value of a rule over the texts of its view.
    fn alone(&mut self, number: usize, rule: &Rule, views: &Views<'_>) -> Option<f64> {
        let Test::Pattern {
            view,
            pattern,
            negated,
            if_unset,
        } = &rule.test
        else {
            return None;
        };
        let texts = views.texts(view);
        if texts.is_empty() {
            let is_header = matches!(view, ViewKey::Header(_));
            let unset = || pattern.matches(if_unset.as_deref().unwrap_or_default().as_bytes());
            let hits = match (is_header, *negated) {
                (false, negated) => negated,
                (true, true) => if_unset.is_none() || !unset(),
                (true, false) => unset(),
            };
            return Some(f64::from(u8::from(hits)));
        }
        let most = if rule.flags.multiple {
            rule.flags.max_hits.unwrap_or(MULTIPLE_LIMIT)
        } else {
            1
        };
        let skipped = usize::from(rule.flags.no_subject && *view == ViewKey::Body);
        let cache = self.caches.get_mut(number)?;
        let mut found = 0;
        for text in texts.iter().skip(skipped) {
            let budget: &mut Budget = &mut views.budget();
            found += pattern.count_whole(cache, budget, text, most - found);
        }
        Some(if *negated {
            f64::from(u8::from(found == 0))
        } else {
            f64::from(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, LazyLock};
    use std::time::UNIX_EPOCH;

    use proptest::prelude::*;

    use super::{Oracle, regex};
    use crate::matcher::scanner::Scanner;
    use crate::ruleset::ruleset::Ruleset;
    use gatepost_mail::{Case, Facts, Limits, Message, Transaction};
    use gatepost_words::Stage;
    use gatepost_words::diagnostic::Source;

    const RULES: &str = r"
body WORD /offer/i
body TWO /offer.{0,20}today/
body CLASSES /\b[A-Z]{3,}\b/
body DISGUISED /(?:[v\xc0]|\xce\xbd|&\#118;)[i1!]\s?[a@\xe0]g/i
body FORM /(?:(?:name|city|phone|e-?mail)\s?[:_]{1,9}\s*){3}/i
body LETTERS /(?:o[_\W]{0,3}f[_\W]{0,3}f)/i
body AHEAD /(?=o)(?!offer)[o0]ff?er/i
body AGAIN /\b(\w{3,})\s\1\b/i
body MANY /e/
tflags MANY multiple maxhits=7
body LATE /today$/
tflags LATE nosubject
rawbody RAW /<b>\s*offer/i
rawbody LINE /^name:/im
uri LINK m{//[a-z]+\.example/offer}
full ALL_OF_IT /^Subject: offer/m
header SUBJECT Subject =~ /offer/i
header NO_SUBJECT Subject !~ /city/i
header UNSET X-Other =~ /none/ [if-unset: none]
header SAME ALL =~ /\nFrom: ([^\n]+)\n(?:[^\n]+\n)*Subject: [^\n]*\1/is
mimeheader PART Content-Type =~ /html/
";

    static RULESET: LazyLock<Ruleset> = LazyLock::new(|| {
        let source = Source::new("test.cf".to_owned(), RULES.to_owned());
        let (ruleset, diagnostics) = Ruleset::load(&[Arc::new(source)]);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        ruleset.unwrap()
    });

    proptest! {
        /// Rules of every kind find together what each finds alone.
        #[test]
        fn the_scanner_finds_what_each_rule_finds_alone(
            words in prop::collection::vec(prop::sample::select(vec![
                "offer", "OFFER", "today", "v1ag", "\u{3bd}i\u{e0}g", "name: ", "city:__", "phone_", "e-mail: ", "o.f-f", "0fer", "\n",
                "\n\n", "name name", "<b> offer</b>", "http://www.example/offer", "&#118;iag", "ABC", " ", "&amp;", "eee",
            ]), 0..30),
            subject in prop::sample::select(vec!["offer", "a@example.com", "city", ""]),
            kind in prop::sample::select(vec!["text/plain", "text/html"]),
        ) {
            let raw = format!(
                "From: a@example.com\r\nSubject: {subject}\r\nContent-Type: {kind}; charset=utf-8\r\n\r\n{}\r\n",
                words.concat()
            );
            let message = Message::parse(raw.as_bytes(), &Limits::default());
            let (transaction, facts) = (Transaction::new("test".into(), UNIX_EPOCH), Facts::default());
            let case = Case { stage: Stage::EndOfMessage, transaction: &transaction, message: &message, facts: &facts };
            let compared = Oracle::new(&RULESET).compare(&RULESET, &mut Scanner::new(&RULESET), &case);
            prop_assert!(compared.is_ok(), "{:?}", compared);
        }

        /// Every engine says the same of a pattern.
        #[test]
        fn engines_agree(
            pattern in "(a|b|[ab]|\\.|(a|bc)|(\\?:ab|b)|\\\\1|(\\?=a)|(\\?!b)|(\\?<=a)|(\\?>a|ab)|\\^|\\$|\\\\b|a\\?|b\\+|(\\?:ab){2,3}|[^a]\\*|\\xc3){1,6}",
            text in "[abc\n\u{e9}]{0,10}",
        ) {
            let agreed = regex(&format!("/{pattern}/"), text.as_bytes());
            prop_assert!(agreed.is_ok(), "{:?}", agreed);
        }
    }
}
