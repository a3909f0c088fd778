//! What a rule is, in words, for `gatepost explain RULE`.

use crate::ruleset::metas;
use crate::ruleset::rule::{Rule, Test};
use crate::ruleset::ruleset::Ruleset;
use crate::ruleset::shortcircuit::Class;
use crate::views::key::ViewKey;

/// All that is known of a rule: several lines, the last one ended.
pub fn explain(ruleset: &Ruleset, rule: &Rule) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!("{}  ({} rule)", rule.name, rule.kind.name()));
    if !rule.description.is_empty() {
        line(format!("  {}", rule.description));
    }
    line(String::new());
    line(format!("  looks at   {}", subject(rule)));
    line(format!("  test       {}", rule.definition));
    line(format!("  score      {}", score(rule)));
    if let Some(order) = order(ruleset, rule) {
        line(format!("  order      {order}"));
    }
    let (file, number, column) = rule.position();
    line(format!("  defined    {file}:{number}:{column}"));
    line(format!(
        "  decided    at the end of the {}",
        if rule.stage == gatepost_words::Stage::EndOfMessage {
            "message"
        } else {
            "header"
        }
    ));
    if let Some(why) = &rule.disabled {
        line(format!("  disabled   {why}"));
    }
    if let Test::Eval(eval, _) = &rule.test {
        line(format!("  hits when  {}", eval.summary));
    }
    if let Test::Meta(program) = &rule.test {
        let mut names: Vec<_> = metas::names(program)
            .filter_map(|number| ruleset.rules().get(number))
            .collect();
        names.sort_by(|a, b| a.name.cmp(&b.name));
        names.dedup_by(|a, b| a.name == b.name);
        for needed in names {
            line(
                format!("  needs      {}  {}", needed.name, needed.description)
                    .trim_end()
                    .to_owned(),
            );
        }
    }
    for test in &rule.tests {
        line(format!(
            "  {}  {}",
            if test.must_hit {
                "must hit "
            } else {
                "must not "
            },
            test.text
        ));
    }
    out
}

fn subject(rule: &Rule) -> String {
    match &rule.test {
        Test::Pattern { view, .. } => view_name(view),
        Test::Template(template) => {
            let names: Vec<_> = template.names().collect();
            format!(
                "{}, with what other rules captured as {}",
                view_name(&template.view),
                names.join(", ")
            )
        }
        Test::UriDetail(_) => "what is known of each URL".to_owned(),
        Test::Exists(request) => format!("whether the header field {request} exists"),
        Test::Eval(eval, _) => format!("what the function {} looks at", eval.name),
        Test::Meta(_) => "other rules".to_owned(),
        Test::Never => "nothing: it cannot be decided yet".to_owned(),
    }
}

fn view_name(view: &ViewKey) -> String {
    match view {
        ViewKey::Header(request) => format!("the header field {request}"),
        ViewKey::MimeParts(parts) => {
            format!("the header field {} of some MIME entities", parts.request)
        }
        ViewKey::Mime(request) => format!("the header field {request} of each MIME entity"),
        ViewKey::Body => "the text as a person reads it, and the subject".to_owned(),
        ViewKey::RawBody => "the decoded text with its HTML".to_owned(),
        ViewKey::Uri => "the URLs".to_owned(),
        ViewKey::Full => "the message as received".to_owned(),
    }
}

/// When it runs, where that is not the usual, and whether it ends the scan.
fn order(ruleset: &Ruleset, rule: &Rule) -> Option<String> {
    let priority = ruleset.extras.priority(&rule.name);
    let ends = ruleset
        .extras
        .shortcircuits
        .class(&rule.name)
        .map(|class| match class {
            Class::Spam => "a hit ends the scan: spam",
            Class::Ham => "a hit ends the scan: good mail",
            Class::On | Class::Off => "a hit ends the scan",
        });
    match (priority, ends) {
        (0, None) => None,
        (priority, None) => Some(format!("priority {priority}")),
        (priority, Some(ends)) => Some(format!("priority {priority}; {ends}")),
    }
}

fn score(rule: &Rule) -> String {
    if rule.is_subrule() {
        "none: a part of other rules".to_owned()
    } else if rule.flags.shadow {
        format!("none: a shadow rule, which would count {}", rule.score)
    } else {
        rule.score.to_string()
    }
}
