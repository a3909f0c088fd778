//! Metas: names become numbers, circles are found, and an order is made in which every meta follows
//! what it needs.

use gatepost_words::glob::matches as matches_glob;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::definition::Defined;
use super::expression::{Step, compile};
use gatepost_words::diagnostic::{Diagnostic, did_you_mean};

/// The programs of all metas by rule number, and an order to run them in.
pub(crate) struct Metas {
    pub(crate) programs: BTreeMap<usize, Vec<Step<u32>>>,
    pub(crate) order: Vec<usize>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Compiles the metas among the rules.
pub(crate) fn compile_all(rules: &[Defined], index: &BTreeMap<String, usize>) -> Metas {
    let mut metas = Metas {
        programs: BTreeMap::new(),
        order: Vec::new(),
        diagnostics: Vec::new(),
    };
    for (number, rule) in rules.iter().enumerate() {
        if rule.kind == crate::ruleset::kind::RuleKind::Meta && rule.disabled.is_none() {
            let program = compile_one(number, rule, rules, index, &mut metas.diagnostics);
            metas
                .programs
                .extend(program.map(|program| (number, program)));
        }
    }
    metas.sort(rules);
    metas
}

fn compile_one(
    number: usize,
    rule: &Defined,
    rules: &[Defined],
    index: &BTreeMap<String, usize>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Vec<Step<u32>>> {
    let place = |span: std::ops::Range<usize>| {
        // No backslash is dropped inside of an expression: `#` cannot be in one.
        rule.definition_at.start + span.start..rule.definition_at.start + span.end
    };
    let mut unknown = Vec::new();
    let mut globs: Vec<String> = Vec::new();
    let compiled = compile(&rule.definition, |name, argument, span| match argument {
        None if name == "local_tests_only" => Some(Value::Constant(1.0)),
        None => Some(
            if let Some(at) = index.get(name).and_then(|at| u32::try_from(*at).ok()) {
                Value::Rule(at)
            } else {
                unknown.push((name.to_owned(), span));
                Value::Constant(0.0)
            },
        ),
        Some(glob) if name == "rules_matching" => {
            globs.push(glob.to_owned());
            Some(Value::Glob(globs.len() - 1))
        }
        Some(_) => None,
    });
    for (name, span) in unknown {
        let message = format!("there is no rule {name}; it counts as 0");
        let diagnostic = Diagnostic::warning("R0209", message).at(&rule.at.0, place(span), "");
        diagnostics.push(
            match did_you_mean(&name, index.keys().map(String::as_str)) {
                Some(guess) => diagnostic.help(format!("did you mean {guess}?")),
                None => diagnostic,
            },
        );
    }
    match compiled {
        Ok(steps) => Some(expand(steps, &globs, number, rules)),
        Err(problem) => {
            let code = if problem.too_large { "R0211" } else { "R0208" };
            diagnostics.push(Diagnostic::error(code, problem.message).at(
                &rule.at.0,
                place(problem.span),
                "",
            ));
            None
        }
    }
}

#[derive(Clone, Copy)]
enum Value {
    Rule(u32),
    Constant(f64),
    /// `rules_matching(glob)`.
    Glob(usize),
}

/// Constants and globs become steps of their own. A glob never means the meta itself.
fn expand(
    steps: Vec<Step<Value>>,
    globs: &[String],
    own: usize,
    rules: &[Defined],
) -> Vec<Step<u32>> {
    let mut out = Vec::with_capacity(steps.len());
    for step in steps {
        match step {
            Step::Name(Value::Rule(at)) => out.push(Step::Name(at)),
            Step::Name(Value::Constant(number)) | Step::Number(number) => {
                out.push(Step::Number(number));
            }
            Step::Name(Value::Glob(at)) => {
                let glob = globs.get(at).map_or("", String::as_str);
                out.push(Step::Number(0.0));
                for (number, rule) in rules
                    .iter()
                    .enumerate()
                    .filter(|(number, _)| *number != own)
                {
                    if matches_glob(glob, &rule.name) {
                        out.push(Step::Name(u32::try_from(number).unwrap_or(u32::MAX)));
                        out.extend([
                            Step::Not,
                            Step::Not,
                            Step::Binary(crate::ruleset::expression::Operator::Add),
                        ]);
                    }
                }
            }
            Step::Not => out.push(Step::Not),
            Step::Negate => out.push(Step::Negate),
            Step::Binary(operator) => out.push(Step::Binary(operator)),
            Step::Select => out.push(Step::Select),
        }
    }
    out
}

/// The rules that a program names.
pub(crate) fn names(program: &[Step<u32>]) -> impl Iterator<Item = usize> {
    program.iter().filter_map(|step| match step {
        Step::Name(at) => usize::try_from(*at).ok(),
        _ => None,
    })
}

impl Metas {
    /// Orders the metas; each circle is an error, and its metas are left out.
    fn sort(&mut self, rules: &[Defined]) {
        let mut waiting: BTreeMap<usize, usize> = BTreeMap::new();
        let mut needed_by: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (number, program) in &self.programs {
            let needs = names(program).filter(|at| self.programs.contains_key(at));
            let mut count = 0;
            for at in needs {
                needed_by.entry(at).or_default().push(*number);
                count += 1;
            }
            waiting.insert(*number, count);
        }
        let mut ready: Vec<usize> = waiting
            .iter()
            .rev()
            .filter(|(_, count)| **count == 0)
            .map(|(at, _)| *at)
            .collect();
        while let Some(number) = ready.pop() {
            self.order.push(number);
            waiting.remove(&number);
            for dependent in needed_by.get(&number).into_iter().flatten() {
                if let Some(count) = waiting.get_mut(dependent) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(*dependent);
                    }
                }
            }
        }
        self.report_cycles(&mut waiting, rules);
    }

    /// What is left waits, directly or not, for a circle. Each step goes to a meta that also waits,
    /// so that every walk ends in one.
    fn report_cycles(&mut self, waiting: &mut BTreeMap<usize, usize>, rules: &[Defined]) {
        while let Some(start) = waiting.keys().next().copied() {
            let mut path = vec![start];
            let circle = loop {
                let last = path.last().copied().unwrap_or(start);
                let next = self
                    .programs
                    .get(&last)
                    .and_then(|program| names(program).find(|at| waiting.contains_key(at)));
                let Some(next) = next else {
                    break Vec::<usize>::new();
                };
                if let Some(from) = path.iter().position(|at| *at == next) {
                    break path.iter().skip(from).copied().collect();
                }
                path.push(next);
            };
            let names: Vec<_> = circle
                .iter()
                .chain(circle.first())
                .filter_map(|at| rules.get(*at))
                .collect();
            if let Some(first) = names.first() {
                let shown: Vec<_> = names
                    .iter()
                    .map(|rule| rule.name.as_str())
                    .take(12)
                    .collect();
                let message = format!(
                    "cyclic dependency between meta rules: {}",
                    shown.join(" -> ")
                );
                let mut diagnostic = Diagnostic::error("R0210", message).at(
                    &first.at.0,
                    first.at.1.clone(),
                    "begins here",
                );
                for rule in names
                    .iter()
                    .skip(1)
                    .take(names.len().saturating_sub(2).min(4))
                {
                    diagnostic =
                        diagnostic.also(&Arc::clone(&rule.at.0), rule.at.1.clone(), "goes on here");
                }
                self.diagnostics.push(diagnostic);
            }
            waiting.retain(|at, _| !path.contains(at));
        }
    }
}
