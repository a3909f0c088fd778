//! What `gatepost explain` tells of a rule.

use crate::cli::terminal::escaped;
use gatepost_rules::{self, Rule, RuleKind, Ruleset};

/// Metas that are named at most.
const METAS: usize = 20;

/// What is reported of a rule; `None` where there is none of that name.
pub(in crate::cli) fn explain(ruleset: &Ruleset, name: &str) -> Option<String> {
    let rule = ruleset.get(name)?;
    let text = gatepost_rules::explain(ruleset, rule);
    let metas: Vec<&Rule> = ruleset
        .rules()
        .iter()
        .filter(|meta| names(meta, name))
        .collect();
    let shown = metas
        .iter()
        .take(METAS)
        .map(|meta| format!("  used by    {}  {}", meta.name(), meta.description()));
    let more = metas.len().checked_sub(METAS).filter(|more| *more > 0);
    let more = more.map(|more| format!("  used by    {more} metas more"));
    let lines = text.lines().map(str::to_owned).chain(shown).chain(more);
    Some(lines.map(|line| escaped(line.trim_end()) + "\n").collect())
}

/// Whether a meta names that rule.
fn names(meta: &Rule, name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    meta.kind() == RuleKind::Meta
        && meta
            .definition()
            .split(|c| !is_word(c))
            .any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use gatepost_words::diagnostic::Source;

    #[test]
    fn metas_that_need_a_rule_are_named() {
        let mut text = "body A /a/\nbody AB /ab/\nbody B /A/\nmeta C AB\n".to_owned();
        text.extend((0..METAS + 2).map(|number| format!("meta M{number:02} A && B\n")));
        let ruleset = Ruleset::load(&[Arc::new(Source::new("a.cf", text))])
            .0
            .unwrap();
        let reported = explain(&ruleset, "A").unwrap();
        assert!(
            reported.contains("used by    M19\n")
                && !reported.contains("M20")
                && !reported.contains("by    C"),
            "{reported}"
        );
        assert!(
            reported.ends_with("used by    2 metas more\n"),
            "{reported}"
        );
        assert!(explain(&ruleset, "AB").unwrap().ends_with("used by    C\n"));
        assert!(explain(&ruleset, "D").is_none());
    }
}
