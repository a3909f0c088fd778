//! From the tables that reading filled to a set of rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::loader;
use super::tables::Tables;
use crate::ruleset::definition::Defined;
use crate::ruleset::expression::Step;
use crate::ruleset::kind::RuleKind;
use crate::ruleset::metas::Metas;
use crate::ruleset::prefilter::ViewRules;
use crate::ruleset::rule::{Rule, Test};
use crate::ruleset::{expression, metas};
use crate::views::key::ViewKey;
use gatepost_words::Stage;
use gatepost_words::diagnostic::{Diagnostic, Source};
use gatepost_words::verdict::Score;

use crate::ruleset::ruleset::Ruleset;

impl Ruleset {
    /// Reads the sources as one text, later lines winning, and reports everything that is wrong with
    /// them. With an error among the diagnostics there is no set: the caller keeps the one it
    /// has.
    pub fn load(sources: &[Arc<Source>]) -> (Option<Self>, Vec<Diagnostic>) {
        let mut tables = loader::read(sources);
        let compiled = metas::compile_all(&tables.rules, &tables.index);
        let mut diagnostics = std::mem::take(&mut tables.diagnostics);
        diagnostics.extend(compiled.diagnostics.iter().cloned());
        if diagnostics.iter().any(Diagnostic::is_error) {
            return (None, diagnostics);
        }
        (
            Some(Self::assemble(tables, compiled, digest(sources))),
            diagnostics,
        )
    }

    fn assemble(mut tables: Tables, mut compiled: Metas, digest: [u8; 32]) -> Self {
        let defined = std::mem::take(&mut tables.rules);
        let mut rules: Vec<Rule> = Vec::with_capacity(defined.len());
        for (number, defined) in defined.into_iter().enumerate() {
            let program = compiled.programs.remove(&number);
            rules.push(tables.rule(defined, program));
        }
        let Tables {
            lists, mut extras, ..
        } = tables;
        resolve_metas(&mut rules, &compiled.order);
        extras.resolve(&rules, &compiled.order);
        let index = rules
            .iter()
            .enumerate()
            .map(|(number, rule)| (Arc::clone(&rule.name), number))
            .collect();
        let (views, others) = group(&rules);
        let live = |number: &usize| {
            rules
                .get(*number)
                .is_some_and(|rule| rule.disabled.is_none())
        };
        let metas: Vec<usize> = compiled.order.into_iter().filter(live).collect();
        let (dependents, always_due) = dependents_of(&rules, &metas);
        Self {
            rules,
            index,
            views,
            others,
            metas,
            dependents,
            always_due,
            lists,
            extras,
            digest,
        }
    }
}

impl Tables {
    /// The rule of a definition, with everything that other lines declare about it. A meta comes
    /// with its program.
    fn rule(&mut self, defined: Defined, program: Option<Vec<Step<u32>>>) -> Rule {
        let name = defined.name;
        let test = program.map_or(defined.test, Test::Meta);
        let flags = self.flags.remove(&name);
        let flags = flags.map(|(flags, _)| flags).unwrap_or_default();
        let declared_score = self.scores.remove(&name).map(|(score, _)| score);
        let is_subrule = name.starts_with("__");
        let score = if is_subrule {
            Score::ZERO
        } else {
            default_score(declared_score, &name, flags.nice)
        };
        let mut disabled = defined.disabled;
        if declared_score == Some(0.0) && disabled.is_none() {
            disabled = Some("its score is 0".to_owned());
        }
        let description = self.descriptions.remove(&name);
        let description = description.map_or_else(|| "".into(), |(text, _)| text.into());
        Rule {
            score,
            has_score: declared_score.is_some() || is_subrule,
            description,
            tests: self.tests.remove(&name).unwrap_or_default(),
            name: name.into(),
            kind: defined.kind,
            definition: defined.definition,
            source: defined.at.0,
            span: defined.at.1,
            earlier: defined.earlier,
            flags,
            disabled,
            stage: stage(&test),
            test,
        }
    }
}

/// SpamAssassin's defaults: 1.0, 0.01 for `T_…`, negative for `tflags nice`.
fn default_score(score: Option<f64>, name: &str, nice: bool) -> Score {
    let default = if name.starts_with("T_") { 0.01 } else { 1.0 };
    Score::from_points(score.unwrap_or(if nice { -default } else { default }))
}

/// The first stage at which a test that is no meta can be decided.
fn stage(test: &Test) -> Stage {
    match test {
        Test::Pattern {
            view: ViewKey::Header(_),
            ..
        }
        | Test::Exists(_)
        | Test::Meta(_)
        | Test::Never => Stage::EndOfHeaders,
        Test::Pattern { .. } | Test::UriDetail(_) | Test::Template(_) => Stage::EndOfMessage,
        Test::Eval(eval, arguments) => eval.stage(arguments),
    }
}

/// Stages of metas, and metas that can never hit: as in SpamAssassin a meta of score 0 is never
/// evaluated, and nothing that names it ever hits.
fn resolve_metas(rules: &mut [Rule], order: &[usize]) {
    for number in order {
        let Some(Rule {
            test: Test::Meta(program),
            ..
        }) = rules.get(*number)
        else {
            continue;
        };
        let needs: Vec<&Rule> = metas::names(program)
            .filter_map(|at| rules.get(at))
            .collect();
        let stage = needs
            .iter()
            .map(|rule| rule.stage)
            .max()
            .unwrap_or(Stage::EndOfHeaders);
        let dead = needs
            .iter()
            .find(|rule| rule.kind == RuleKind::Meta && rule.disabled.is_some());
        let why = dead.map(|rule| format!("it names {}, a meta that is disabled", rule.name));
        if let Some(rule) = rules.get_mut(*number) {
            rule.stage = stage;
            rule.disabled = rule.disabled.take().or(why);
        }
    }
}

/// By rule, the positions of the metas that name it; and the positions of those that are always due,
/// because their value is not 0 even when nothing hits.
fn dependents_of(rules: &[Rule], metas: &[usize]) -> (Vec<Vec<usize>>, Vec<usize>) {
    let mut dependents = vec![Vec::new(); rules.len()];
    let (mut always_due, mut stack) = (Vec::new(), Vec::new());
    for (position, number) in metas.iter().enumerate() {
        let Some(Rule {
            test: Test::Meta(program),
            ..
        }) = rules.get(*number)
        else {
            continue;
        };
        for at in metas::names(program) {
            if let Some(positions) = dependents
                .get_mut(at)
                .filter(|positions| positions.last() != Some(&position))
            {
                positions.push(position);
            }
        }
        if expression::run(program, &mut stack, |_| 0.0).is_some_and(|value| value != 0.0) {
            always_due.push(position);
        }
    }
    (dependents, always_due)
}

/// Sorts the rules that are neither metas nor disabled by the view that they look at.
fn group(rules: &[Rule]) -> (Vec<ViewRules>, Vec<usize>) {
    let mut views: BTreeMap<&ViewKey, Vec<usize>> = BTreeMap::new();
    let mut others = Vec::new();
    for (number, rule) in rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.disabled.is_none())
    {
        match &rule.test {
            Test::Pattern { view, .. } => views.entry(view).or_default().push(number),
            Test::Exists(_) | Test::Eval(..) | Test::UriDetail(_) => others.push(number),
            Test::Meta(_) | Test::Template(_) | Test::Never => {}
        }
    }
    (
        views
            .into_iter()
            .map(|(key, numbers)| ViewRules::new(key, &numbers, rules))
            .collect(),
        others,
    )
}

fn digest(sources: &[Arc<Source>]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for source in sources {
        hash.update((source.text.len() as u64).to_le_bytes());
        hash.update(source.text.as_bytes());
    }
    hash.finalize().into()
}
