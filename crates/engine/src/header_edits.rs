//! What rule files want to be written to a mail: their templates, filled in with the verdict.

use gatepost_mail::Case;
use gatepost_rules::{ReportFacts, Rewrite, Ruleset, Scanner};
use gatepost_words::CivilTime;
use gatepost_words::verdict::{HeaderEdits, Hit, RuleName, Verdict};

/// What `_VERSION_` tells.
const VERSION: &str = concat!("Gatepost ", env!("CARGO_PKG_VERSION"));
/// What `_HOSTNAME_` tells unless `report_hostname` says better: judging does not ask the machine
/// for its name.
const HOSTNAME: &str = "localhost";

/// Fills in the templates; nothing where the rule files have none.
pub(super) fn header_edits(
    ruleset: &Ruleset,
    scanner: &Scanner,
    case: &Case<'_>,
    verdict: &Verdict,
) -> HeaderEdits {
    let reports = ruleset.reports();
    if !reports.is_customised() && !reports.rewrites_any() {
        return HeaderEdits::default();
    }
    let hits: Vec<Hit> = verdict.hits().cloned().collect();
    let subtests: Vec<RuleName> = scanner
        .values(ruleset)
        .filter(|(rule, _)| rule.is_subrule())
        .map(|(rule, _)| rule.name().clone())
        .collect();
    let facts = ReportFacts {
        is_spam: verdict.is_spam(),
        score: verdict.score,
        required: verdict.required,
        hits: &hits,
        subtests: &subtests,
        version: VERSION,
        hostname: HOSTNAME,
        date: &CivilTime::from_system(case.transaction.arrived)
            .rfc5322()
            .to_string(),
        learned: "disabled",
        value: &|request| ruleset.header_value(case, request),
    };
    let rewritten = Rewrite::ALL.into_iter().filter_map(|rewrite| {
        let original = match case.message.field(rewrite.field()) {
            // Letters in no known charset cannot be set again without loss: the field stays.
            Some(field) => String::from_utf8(field.unfolded()).ok()?,
            // A message without Subject gets one.
            None if rewrite == Rewrite::Subject => String::new(),
            None => return None,
        };
        let value = reports.rewritten(rewrite, original.trim(), &facts)?;
        Some((rewrite.field(), value.trim_end().to_owned()))
    });
    HeaderEdits {
        rewritten: rewritten.collect(),
        fields: reports.is_customised().then(|| reports.headers(&facts)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::testing::generation;
    use crate::{Scratch, TimeLeft, end_of_message};
    use gatepost_mail::{Facts, Transaction};
    use gatepost_policy::Settings;
    use gatepost_words::FailurePolicy;

    fn edits_of(rules: &str, mail: impl AsRef<[u8]>) -> HeaderEdits {
        let generation = generation(rules, &Settings::default(), FailurePolicy::Tempfail);
        let transaction = Transaction::new(
            "test".into(),
            UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        );
        let plenty = || TimeLeft::Plenty;
        end_of_message(
            &generation,
            &transaction,
            mail.as_ref(),
            &Facts::default(),
            &mut Scratch::default(),
            &plenty,
        )
        .unwrap()
        .header_edits
    }

    const MAIL: &str = "Subject: Lunch\r\n  today\r\nFrom: a@example.com\r\n\r\nHello\r\n";

    #[test]
    fn without_templates_nothing_is_said() {
        assert_eq!(
            edits_of("body A /Hello/\nscore A 9\n", MAIL),
            HeaderEdits::default()
        );
    }

    #[test]
    fn templates_are_filled_in() {
        let rules = "body A /Hello/\nscore A 9\nbody __B /Hello/\nclear_headers\n\
                     add_header all Level _STARS(*)_\nadd_header all Why _TESTS(;)_ _SUBTESTS(;)_ _HEADER(From:addr)_\n\
                     rewrite_header Subject *****SPAM*****\n";
        let header_edits = edits_of(rules, MAIL);
        let fields = header_edits.fields.unwrap();
        assert_eq!(
            fields,
            [
                ("X-Spam-Level".to_owned(), "*********".to_owned()),
                ("X-Spam-Why".to_owned(), "A __B a@example.com".to_owned())
            ]
        );
        assert_eq!(
            header_edits.rewritten,
            [("Subject", "*****SPAM***** Lunch  today".to_owned())]
        );
    }

    #[test]
    fn good_mail_and_unknown_letters_are_not_rewritten() {
        let rules = "body A /Hello/\nscore A 1\nrewrite_header Subject SPAM\n";
        assert!(edits_of(rules, MAIL).rewritten.is_empty());
        let rules = "body A /Hello/\nscore A 9\nrewrite_header Subject SPAM\n";
        let latin_1 = b"Subject: caf\xe9\r\n\r\nHello\r\n";
        assert!(edits_of(rules, latin_1).rewritten.is_empty());
    }

    #[test]
    fn raw_utf_8_and_missing_subjects_are_rewritten() {
        let rules = "body A /Hello/\nscore A 9\nrewrite_header Subject SPAM\n\
                     rewrite_header From SPAM\n";
        for (mail, wanted) in [
            ("Subject: caf\u{e9}\r\n\r\nHello\r\n", "SPAM caf\u{e9}"),
            ("To: a@example.com\r\n\r\nHello\r\n", "SPAM"),
            ("Subject:\r\n\r\nHello\r\n", "SPAM"),
        ] {
            let edits = edits_of(rules, mail);
            assert_eq!(edits.rewritten, [("Subject", wanted.to_owned())], "{mail}");
        }
    }
}
