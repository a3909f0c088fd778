//! `gatepost rules list`: the rules, or what of them cannot be used.

use std::collections::BTreeMap;

use serde_json::json;

use crate::cli::Exit;
use crate::cli::arguments::Format;
use crate::cli::failure::Failure;
use crate::cli::terminal::{Output, escaped};
use gatepost_rules::{Rule, Ruleset};

/// Characters of a line of names.
const WIDTH: usize = 100;

/// One line for each rule.
pub(super) fn list(ruleset: &Ruleset, format: Format) -> Result<Exit, Failure> {
    let mut out = Output::new();
    for rule in ruleset.rules() {
        match format {
            Format::Json => out.line(json!({
                "rule": &**rule.name(),
                "kind": rule.kind().name(),
                "score": rule.score().points(),
                "description": rule.description(),
                "stage": rule.stage().name(),
                "shadow": rule.flags().shadow,
                "disabled": rule.disabled(),
            }))?,
            Format::Text => out.line(row(rule))?,
        }
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn row(rule: &Rule) -> String {
    let note = match (rule.disabled(), rule.flags().shadow) {
        (Some(why), _) => format!("  (disabled: {})", escaped(why)),
        (None, true) => "  (shadow)".to_owned(),
        (None, false) => String::new(),
    };
    let score = if rule.is_subrule() {
        String::new()
    } else {
        format!("{:+.3}", rule.score().points())
    };
    let row = format!(
        "{score:>8}  {:<10}  {}  {}",
        rule.kind().name(),
        escaped(rule.name()),
        escaped(rule.description())
    );
    row.trim_end().to_owned() + &note
}

/// What Gatepost cannot do of a set: why, and the rules or settings that this costs, most first.
struct MissingFeature {
    why: String,
    /// Names of rules; of a setting there is none.
    rules: Vec<String>,
    /// Lines of the files that change nothing.
    lines: usize,
}

/// Counts and names what is disabled because Gatepost cannot do it, and why; a finding where there
/// is any.
pub(super) fn unsupported(ruleset: &Ruleset, format: Format) -> Result<Exit, Failure> {
    let lacks = lacks(ruleset);
    let rules: usize = lacks.iter().map(|lack| lack.rules.len()).sum();
    let mut out = Output::new();
    match format {
        Format::Text => {
            out.line(format_args!(
                "{rules} of {} rules cannot be used",
                ruleset.rules().len()
            ))?;
            for lack in &lacks {
                let what = if lack.rules.is_empty() {
                    "lines"
                } else {
                    "rules"
                };
                let count = lack.lines.max(lack.rules.len());
                out.line(format_args!("{count:>7} {what}  {}", escaped(&lack.why)))?;
                wrapped(&lack.rules)
                    .iter()
                    .try_for_each(|line| out.line(format_args!("               {line}")))?;
            }
        }
        Format::Json => {
            for lack in &lacks {
                out.line(json!({ "why": lack.why, "rules": lack.rules, "lines": lack.lines }))?;
            }
        }
    }
    out.finish()?;
    Ok(if lacks.is_empty() {
        Exit::Done
    } else {
        Exit::Finding
    })
}

fn lacks(ruleset: &Ruleset) -> Vec<MissingFeature> {
    let mut by_rule: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in ruleset.unsupported() {
        by_rule
            .entry(one.reason)
            .or_default()
            .push(escaped(one.rule.name()));
    }
    let mut by_setting: BTreeMap<String, usize> = BTreeMap::new();
    for setting in ruleset.ignored_settings() {
        *by_setting
            .entry(format!("`{}`: {}", setting.name, setting.reason))
            .or_default() += 1;
    }
    let rules = by_rule.into_iter().map(|(why, rules)| MissingFeature {
        why,
        rules,
        lines: 0,
    });
    let settings = by_setting.into_iter().map(|(why, lines)| MissingFeature {
        why,
        rules: Vec::new(),
        lines,
    });
    let mut lacks: Vec<MissingFeature> = rules.chain(settings).collect();
    lacks.sort_by_key(|lack| std::cmp::Reverse((lack.rules.len(), lack.lines)));
    lacks
}

/// Names, in lines that a terminal can show.
fn wrapped(names: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for name in names {
        match lines.last_mut() {
            Some(line) if line.len() + name.len() < WIDTH => {
                line.push(' ');
                line.push_str(name);
            }
            _ => lines.push(name.clone()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use gatepost_words::diagnostic::Source;

    #[test]
    fn what_the_author_switched_off_is_no_lack() {
        let text = "header A eval:no_such_function()\nheader B eval:no_such_function()\nbody C /c/\nscore C 0\n\
                    body D /d/\nmeta E A\nscore E 0\nmeta F E\n";
        let (ruleset, _) = Ruleset::load(&[Arc::new(Source::new("a.cf", text))]);
        let ruleset = ruleset.unwrap();
        assert_eq!(ruleset.get("C").unwrap().disabled(), Some("its score is 0"));
        let lacks = lacks(&ruleset);
        let names: Vec<&[String]> = lacks.iter().map(|lack| lack.rules.as_slice()).collect();
        assert_eq!(names[0], ["A", "B"], "{}", lacks[0].why);
        assert!(!names.iter().any(|names| {
            names
                .iter()
                .any(|name| ["C", "D", "E"].contains(&name.as_str()))
        }));
    }

    #[test]
    fn names_are_wrapped() {
        let names = vec![
            "x".repeat(49),
            "y".repeat(49),
            "z".repeat(49),
            "w".repeat(200),
        ];
        assert_eq!(
            wrapped(&names).iter().map(String::len).collect::<Vec<_>>(),
            [99, 49, 200]
        );
        assert!(wrapped(&[]).is_empty());
    }
}
