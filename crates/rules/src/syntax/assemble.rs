//! From the tables that reading filled to a set of rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::loader;
use super::tables::Tables;
use crate::ruleset::definition::Defined;
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
    /// Reads the sources as one text, later lines winning, and tells everything that is wrong with
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

    fn assemble(tables: Tables, mut compiled: Metas, digest: [u8; 32]) -> Self {
        let Tables {
            rules: defined,
            mut scores,
            mut descriptions,
            mut flags,
            mut tests,
            lists,
            mut extras,
            ..
        } = tables;
        let mut rules: Vec<Rule> = Vec::with_capacity(defined.len());
        for (
            number,
            Defined {
                name,
                kind,
                definition,
                at,
                earlier,
                mut test,
                mut disabled,
                ..
            },
        ) in defined.into_iter().enumerate()
        {
            if let Some(program) = compiled.programs.remove(&number) {
                test = Test::Meta(program);
            }
            let flags = flags
                .remove(&name)
                .map(|(flags, _)| flags)
                .unwrap_or_default();
            let score = scores.remove(&name).map(|(score, _)| score);
            if score == Some(0.0) && disabled.is_none() {
                disabled = Some("its score is 0".to_owned());
            }
            rules.push(Rule {
                score: if name.starts_with("__") {
                    Score::ZERO
                } else {
                    default_score(score, &name, flags.nice)
                },
                has_score: score.is_some() || name.starts_with("__"),
                description: descriptions
                    .remove(&name)
                    .map_or_else(|| "".into(), |(text, _)| text.into()),
                tests: tests.remove(&name).unwrap_or_default(),
                name: name.into(),
                kind,
                definition,
                source: at.0,
                span: at.1,
                earlier,
                flags,
                disabled,
                stage: stage(&test),
                test,
            });
        }
        settle_metas(&mut rules, &compiled.order);
        extras.settle(&rules, &compiled.order);
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
        let (dependents, restless) = woken(&rules, &metas);
        Self {
            rules,
            index,
            views,
            others,
            metas,
            dependents,
            restless,
            lists,
            extras,
            digest,
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
fn settle_metas(rules: &mut [Rule], order: &[usize]) {
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

/// What wakes each meta: by rule, where the metas stand that name it; and those that are awake
/// without any.
fn woken(rules: &[Rule], metas: &[usize]) -> (Vec<Vec<usize>>, Vec<usize>) {
    let mut dependents = vec![Vec::new(); rules.len()];
    let (mut restless, mut stack) = (Vec::new(), Vec::new());
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
            restless.push(position);
        }
    }
    (dependents, restless)
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
