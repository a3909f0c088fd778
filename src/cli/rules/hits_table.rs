//! The table of hit frequencies, for people and as JSON lines.

use serde_json::{Value, json};

use super::interval::percent_interval;
use super::label::Label;
use super::overlap::Pair;
use super::tally::{ByLabel, Tally};
use crate::cli::arguments::Format;
use crate::cli::failure::Failure;
use crate::cli::terminal::{Output, escaped};
use gatepost_rules::Rule;
use gatepost_words::percent;

/// One rule with its counts.
pub(super) struct Row<'r> {
    pub(super) rule: &'r Rule,
    hits: ByLabel,
    messages: ByLabel,
}

/// All that is printed.
pub(super) struct Table<'a> {
    pub(super) rows: Vec<Row<'a>>,
    /// Rules that hit no mail at all.
    pub(super) never: usize,
    pub(super) tally: &'a Tally,
    /// Messages that could not be looked at.
    pub(super) skipped: usize,
    /// Pairs of rules that hit the same messages, if they were asked for.
    pub(super) pairs: Option<Vec<Pair>>,
    pub(super) rules: &'a [Rule],
}

fn at(counts: &ByLabel, label: Label) -> usize {
    counts.get(label as usize).copied().unwrap_or_default()
}

impl<'r> Row<'r> {
    pub(super) fn new(rule: &'r Rule, hits: ByLabel, messages: ByLabel) -> Self {
        Self {
            rule,
            hits,
            messages,
        }
    }

    /// Messages that it hit.
    pub(super) fn total(&self) -> usize {
        self.hits.iter().sum()
    }

    /// Messages of that label that it hit.
    pub(super) fn of(&self, label: Label) -> usize {
        at(&self.hits, label)
    }

    fn percent(&self, label: Label) -> f64 {
        percent::of(self.of(label), at(&self.messages, label))
    }

    fn interval(&self, label: Label) -> [f64; 2] {
        percent_interval(self.of(label), at(&self.messages, label))
    }

    /// The share of spam among its hits, if as much ham as spam had been looked at: 1 is a good
    /// rule, 0 a good rule for ham, 0.5 tells nothing. None where it hit neither, or one of the
    /// two was not looked at.
    pub(super) fn so(&self) -> Option<f64> {
        let [spam, ham] = [Label::Spam, Label::Ham].map(|label| self.percent(label));
        let known = at(&self.messages, Label::Spam) > 0 && at(&self.messages, Label::Ham) > 0;
        (known && spam + ham > 0.0).then(|| spam / (spam + ham))
    }
}

/// Prints it.
pub(super) fn print(table: &Table<'_>, format: Format, out: &mut Output) -> Result<(), Failure> {
    match format {
        Format::Text => text(table).iter().try_for_each(|line| out.line(line)),
        Format::Json => lines(table).iter().try_for_each(|line| out.line(line)),
    }
}

fn text(table: &Table<'_>) -> Vec<String> {
    let mut lines = summary(table);
    let others = at(&table.tally.messages, Label::Unlabelled) > 0;
    let other_head = if others { " other %" } else { "" };
    lines.push(String::new());
    lines.push(format!(
        "   hits   spam %    ham %    ham % (95 %)    S/O{other_head}    score  rule"
    ));
    for row in &table.rows {
        lines.push(row_line(row, others));
    }
    if table.never > 0 {
        lines.push(format!("{} rules never hit", table.never));
    }
    if let Some(pairs) = &table.pairs {
        lines.push(String::new());
        lines.push("   both  of first  of second  rules".to_owned());
        for pair in pairs {
            lines.push(pair_line(table, pair));
        }
    }
    lines
}

/// How many messages there were, and how many of them the rules alone mark, hold and refuse.
fn summary(table: &Table<'_>) -> Vec<String> {
    let tally = table.tally;
    let mut labels = Label::ALL.to_vec();
    labels.retain(|label| at(&tally.messages, *label) > 0);
    let mut counts = Vec::new();
    for label in &labels {
        counts.push(format!("{} {}", at(&tally.messages, *label), label.name()));
    }
    let skipped = if table.skipped > 0 {
        format!("; {} skipped", table.skipped)
    } else {
        String::new()
    };
    let mut lines = vec![format!(
        "{} messages: {}{skipped}",
        tally.total(),
        counts.join(", ")
    )];
    for (what, counts) in [
        ("marked", &tally.marked),
        ("held", &tally.held),
        ("refused", &tally.refused),
    ] {
        let mut shares = Vec::new();
        for label in &labels {
            let share = percent::of(at(counts, *label), at(&tally.messages, *label));
            shares.push(format!("{share:.2} % of {}", label.name()));
        }
        lines.push(format!("  by rules alone {what:<8} {}", shares.join(", ")));
    }
    lines
}

fn row_line(row: &Row<'_>, others: bool) -> String {
    let other = if others {
        format!(" {:7.2}", row.percent(Label::Unlabelled))
    } else {
        String::new()
    };
    let so = row
        .so()
        .map_or_else(|| "-".to_owned(), |so| format!("{so:.3}"));
    let [low, high] = row.interval(Label::Ham);
    let score = if row.rule.is_subrule() {
        String::new()
    } else {
        format!("{:+.3}", row.rule.score().points())
    };
    let note = if row.rule.flags().shadow {
        "  (shadow)"
    } else {
        ""
    };
    format!(
        "{:7} {:8.3} {:8.3}  {:>14}  {so:>5}{other} {score:>8}  {}{note}",
        row.total(),
        row.percent(Label::Spam),
        row.percent(Label::Ham),
        format!("{low:.3}-{high:.3}"),
        escaped(row.rule.name()),
    )
}

fn pair_line(table: &Table<'_>, pair: &Pair) -> String {
    let [first, second] = pair.hits.map(|hits| percent::of(pair.both, hits));
    let [one, other] = pair.rules.map(|number| name(table, number));
    format!(
        "{:7} {first:7.2} % {second:8.2} %  {one} {other}",
        pair.both
    )
}

fn name(table: &Table<'_>, number: usize) -> String {
    table
        .rules
        .get(number)
        .map(|rule| escaped(rule.name()))
        .unwrap_or_default()
}

/// One line on the messages, then one for each rule, then one for each pair.
fn lines(table: &Table<'_>) -> Vec<Value> {
    let tally = table.tally;
    let by_label = |counts: &ByLabel| {
        json!({
            "spam": at(counts, Label::Spam), "ham": at(counts, Label::Ham), "unlabelled": at(counts, Label::Unlabelled),
        })
    };
    let mut lines = vec![json!({
        "messages": by_label(&tally.messages), "skipped": table.skipped, "marked": by_label(&tally.marked),
        "held": by_label(&tally.held), "refused": by_label(&tally.refused), "never_hit": table.never,
    })];
    lines.extend(table.rows.iter().map(|row| {
        json!({
            "rule": &**row.rule.name(),
            "score": row.rule.score().points(),
            "shadow": row.rule.flags().shadow,
            "hits": by_label(&row.hits),
            "spam_percent": rounded(row.percent(Label::Spam)),
            "spam_interval": row.interval(Label::Spam).map(rounded),
            "ham_percent": rounded(row.percent(Label::Ham)),
            "ham_interval": row.interval(Label::Ham).map(rounded),
            "s_o": row.so().map(rounded),
        })
    }));
    lines.extend(table.pairs.iter().flatten().map(
        |pair| json!({ "overlap": pair.rules.map(|number| name(table, number)), "both": pair.both, "hits": pair.hits }),
    ));
    lines
}

/// Four decimals: what is behind them is noise of the arithmetic.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cli::rules::judge::{Found, Standing};
    use gatepost_rules::Ruleset;
    use gatepost_words::diagnostic::Source;
    use gatepost_words::verdict::Score;

    const RULES: &str = "body A /a/\nscore A 2.5\nbody __B /b/\nbody C /c/\ntflags C shadow\n";

    fn ruleset() -> Ruleset {
        Ruleset::load(&[Arc::new(Source::new("a.cf", RULES))])
            .0
            .unwrap()
    }

    fn tally() -> Tally {
        let mut tally = Tally::default();
        for (label, hits, standing, count) in [
            (Label::Spam, &[0, 1][..], Standing::Marked, 30),
            (Label::Spam, &[], Standing::Accepted, 70),
            (Label::Ham, &[], Standing::Accepted, 299),
            (Label::Ham, &[2], Standing::Held, 1),
        ] {
            for _ in 0..count {
                tally.add(
                    label,
                    &Found {
                        hits: hits.to_vec(),
                        score: Score::ZERO,
                        standing,
                    },
                    true,
                );
            }
        }
        tally
    }

    fn table<'a>(ruleset: &'a Ruleset, tally: &'a Tally) -> Table<'a> {
        let rows = ruleset
            .rules()
            .iter()
            .zip(0..)
            .map(|(rule, number)| Row::new(rule, tally.hits(number), tally.messages));
        let pairs = Some(crate::cli::rules::overlap::overlap(&tally.lists, 5));
        Table {
            rows: rows.collect(),
            never: 7,
            tally,
            skipped: 2,
            pairs,
            rules: ruleset.rules(),
        }
    }

    #[test]
    fn the_text_says_how_much_no_hit_of_few_ham_means() {
        let (ruleset, tally) = (ruleset(), tally());
        assert_eq!(
            text(&table(&ruleset, &tally)),
            [
                "400 messages: 100 spam, 300 ham; 2 skipped",
                "  by rules alone marked   30.00 % of spam, 0.33 % of ham",
                "  by rules alone held     0.00 % of spam, 0.33 % of ham",
                "  by rules alone refused  0.00 % of spam, 0.00 % of ham",
                "",
                "   hits   spam %    ham %    ham % (95 %)    S/O    score  rule",
                "     30   30.000    0.000     0.000-1.264  1.000   +2.500  A",
                "     30   30.000    0.000     0.000-1.264  1.000           __B",
                "      1    0.000    0.333     0.059-1.864  0.000   +1.000  C  (shadow)",
                "7 rules never hit",
                "",
                "   both  of first  of second  rules",
                "     30  100.00 %   100.00 %  A __B",
            ]
        );
    }

    #[test]
    fn the_json_lines_are_the_messages_the_rules_the_pairs() {
        let (ruleset, tally) = (ruleset(), tally());
        let lines = lines(&table(&ruleset, &tally));
        assert_eq!(lines.len(), 5);
        assert_eq!(
            lines[0]["messages"],
            json!({"spam": 100, "ham": 300, "unlabelled": 0})
        );
        assert_eq!(lines[1]["rule"], "A");
        assert_eq!(lines[1]["ham_interval"], json!([0.0, 1.2643]));
        assert_eq!(
            lines[3]["hits"],
            json!({"spam": 0, "ham": 1, "unlabelled": 0})
        );
        assert_eq!(
            lines[4],
            json!({"overlap": ["A", "__B"], "both": 30, "hits": [30, 30]})
        );
    }

    #[test]
    fn without_one_of_the_classes_there_is_no_ratio() {
        let ruleset = ruleset();
        let rule = &ruleset.rules()[0];
        assert_eq!(Row::new(rule, [5, 0, 0], [10, 0, 0]).so(), None);
        assert_eq!(Row::new(rule, [0, 0, 3], [10, 10, 10]).so(), None);
        assert_eq!(
            Row::new(rule, [5, 5, 0], [10, 100, 0]).so(),
            Some(50.0 / 55.0)
        );
    }
}
