//! Between which numbers the value of each rule lies: metas that can never be true, or never false,
//! are seen by it.
//!
//! Each value is taken for itself, so `A && !A` is not seen through; what is said is sure.

use super::expression::{Operator, Step};
use super::rule::{Rule, Test};

/// The least and the greatest value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interval {
    low: f64,
    high: f64,
}

const ANY: Interval = Interval {
    low: f64::NEG_INFINITY,
    high: f64::INFINITY,
};
const TRUTH: Interval = Interval {
    low: 0.0,
    high: 1.0,
};

impl Interval {
    fn only(value: f64) -> Self {
        Self {
            low: value,
            high: value,
        }
    }

    /// Always nought.
    pub(crate) fn is_never(self) -> bool {
        self.low == 0.0 && self.high == 0.0
    }

    /// Never nought.
    pub(crate) fn is_always(self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }

    fn hull(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    fn truth(yes: bool, no: bool) -> Self {
        match (yes, no) {
            (true, false) => Self::only(1.0),
            (false, true) => Self::only(0.0),
            _ => TRUTH,
        }
    }

    /// From sums and products, where infinities may have met.
    fn checked(low: f64, high: f64) -> Self {
        if low.is_nan() || high.is_nan() {
            ANY
        } else {
            Self { low, high }
        }
    }

    fn not(self) -> Self {
        Self::truth(self.is_never(), self.is_always())
    }

    fn apply(operator: Operator, a: Self, b: Self) -> Self {
        let apart = a.high < b.low || b.high < a.low;
        #[expect(
            clippy::float_cmp,
            reason = "one and the same number, not a computed one"
        )]
        let same = a.low == a.high && b.low == b.high && a.low == b.low;
        match operator {
            Operator::Or if a.is_always() => a,
            Operator::Or if a.is_never() => b,
            // Either the left one, and then it is not 0, or the right one.
            Operator::Or if a.low >= 0.0 && b.low > 0.0 => Self {
                low: f64::MIN_POSITIVE,
                high: a.high.max(b.high),
            },
            Operator::Or => a.hull(b),
            Operator::And if a.is_always() => b,
            Operator::And if a.is_never() => a,
            Operator::And => Self::only(0.0).hull(b),
            Operator::Equal => Self::truth(same, apart),
            Operator::NotEqual => Self::truth(apart, same),
            Operator::Less => Self::truth(a.high < b.low, a.low >= b.high),
            Operator::LessOrEqual => Self::truth(a.high <= b.low, a.low > b.high),
            Operator::Greater => Self::truth(a.low > b.high, a.high <= b.low),
            Operator::GreaterOrEqual => Self::truth(a.low >= b.high, a.high < b.low),
            Operator::Add => Self::checked(a.low + b.low, a.high + b.high),
            Operator::Subtract => Self::checked(a.low - b.high, a.high - b.low),
            Operator::Multiply => {
                let all = [
                    a.low * b.low,
                    a.low * b.high,
                    a.high * b.low,
                    a.high * b.high,
                ];
                if all.iter().any(|product| product.is_nan()) {
                    return ANY;
                }
                Self {
                    low: all.iter().copied().fold(f64::INFINITY, f64::min),
                    high: all.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                }
            }
            Operator::Divide | Operator::Xor => ANY,
        }
    }
}

/// The values of all rules; what is disabled is 0. `order` has every meta after what it needs.
pub(crate) fn all(rules: &[Rule], order: &[usize]) -> Vec<Interval> {
    found(rules, order, |rule| rule.disabled.is_none())
}

/// The same as if nothing were disabled: what is 0 here is so by what the rules say.
pub(crate) fn as_written(rules: &[Rule], order: &[usize]) -> Vec<Interval> {
    found(rules, order, |_| true)
}

fn found(rules: &[Rule], order: &[usize], is_live: impl Fn(&Rule) -> bool) -> Vec<Interval> {
    let value = |rule: &Rule| {
        if is_live(rule) {
            own(rule)
        } else {
            Interval::only(0.0)
        }
    };
    let mut found: Vec<Interval> = rules.iter().map(value).collect();
    for number in order {
        let Some(rule) = rules.get(*number).filter(|rule| is_live(rule)) else {
            continue;
        };
        let Test::Meta(program) = &rule.test else {
            continue;
        };
        let value = run(program, |at| {
            found
                .get(at as usize)
                .copied()
                .unwrap_or(Interval::only(0.0))
        });
        if let Some(slot) = found.get_mut(*number) {
            // What is negative counts as one hit.
            *slot = if value.low < 0.0 {
                value.hull(TRUTH).hull(Interval::only(value.high.max(1.0)))
            } else {
                value
            };
            slot.low = slot.low.max(0.0);
        }
    }
    found
}

fn own(rule: &Rule) -> Interval {
    match &rule.test {
        Test::Meta(_) | Test::Eval(..) | Test::Never => Interval {
            low: 0.0,
            high: f64::INFINITY,
        },
        _ => Interval {
            low: 0.0,
            high: f64::from(rule.most_hits()),
        },
    }
}

/// The value of a program, given those of the rules that it names.
fn run(program: &[Step<u32>], value: impl Fn(u32) -> Interval) -> Interval {
    let mut stack: Vec<Interval> = Vec::new();
    for step in program {
        let result = match step {
            Step::Number(number) => Interval::only(*number),
            Step::Name(at) => value(*at),
            Step::Not => stack.pop().unwrap_or(ANY).not(),
            Step::Negate => {
                let top = stack.pop().unwrap_or(ANY);
                Interval {
                    low: -top.high,
                    high: -top.low,
                }
            }
            Step::Binary(operator) => {
                let right = stack.pop().unwrap_or(ANY);
                Interval::apply(*operator, stack.pop().unwrap_or(ANY), right)
            }
            Step::Select => {
                let (no, yes) = (stack.pop().unwrap_or(ANY), stack.pop().unwrap_or(ANY));
                match stack.pop().unwrap_or(ANY) {
                    condition if condition.is_always() => yes,
                    condition if condition.is_never() => no,
                    _ => yes.hull(no),
                }
            }
        };
        stack.push(result);
    }
    stack.pop().unwrap_or(ANY)
}

#[cfg(test)]
mod tests {
    use super::{Interval, run};
    use crate::ruleset::expression::compile;

    /// N is never, B is once or not, C is a count up to 5.
    fn value(text: &str) -> Interval {
        let program = compile(text, |name, _, _| Some(u32::from(name.as_bytes()[0]))).unwrap();
        run(&program, |name| match u8::try_from(name).unwrap() {
            b'N' => Interval::only(0.0),
            b'B' => Interval {
                low: 0.0,
                high: 1.0,
            },
            _ => Interval {
                low: 0.0,
                high: 5.0,
            },
        })
    }

    #[test]
    fn what_is_sure_is_seen() {
        for (text, never, always) in [
            ("B", false, false),
            ("N", true, false),
            ("!N", false, true),
            ("B && N", true, false),
            ("B || !N", false, true),
            ("B + B > 2", true, false),
            ("B + B > 1", false, false),
            ("C > 5", true, false),
            ("C > 4", false, false),
            ("C >= 0", false, true),
            ("C < 0", true, false),
            ("B == 2", true, false),
            ("B != 2", false, true),
            ("B - 1 > 0", true, false),
            ("C * 2 > 9", false, false),
            ("C * 2 > 10", true, false),
            ("B / 0 > 1", false, false),
            ("N ? 1 : 0", true, false),
            ("B && !B", false, false),
            ("B + 1", false, true),
        ] {
            let found = value(text);
            assert_eq!(
                (found.is_never(), found.is_always()),
                (never, always),
                "{text}: {found:?}"
            );
        }
    }
}
