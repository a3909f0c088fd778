//! Plots as SVG: a frame, two axes, lines. Small enough to be written by hand, plain enough to be
//! read as text.

use std::fmt::Write as _;

use super::measure::Report;
use super::replay::Step;

/// How an axis is divided.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    /// Evenly.
    Linear,
    /// By powers of ten.
    Logarithmic,
}

/// One axis.
#[derive(Clone, Debug, PartialEq)]
struct Axis {
    label: &'static str,
    scale: Scale,
    low: f64,
    high: f64,
}

/// A plot, ready to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    title: String,
    x: Axis,
    y: Axis,
    lines: Vec<(String, Vec<(f64, f64)>)>,
}

/// Size of the picture and of its margins, in pixels.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 60.0;
/// Colours that can be distinguished without seeing red and green (Okabe and Ito).
const COLOURS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];
/// Points of one line; more are thinned out.
const POINTS_MAX: usize = 400;

impl Plot {
    /// Spam missed against ham lost, both in percent and by powers of ten: where a filter is used,
    /// near no ham lost, is not squeezed into a corner.
    pub fn roc(reports: &[Report]) -> Self {
        let line = |report: &Report| (report.corpus.clone(), report.curves.roc.clone());
        Self {
            title: "Spam missed against ham lost".to_owned(),
            x: Axis {
                label: "ham lost, %",
                scale: Scale::Logarithmic,
                low: 0.01,
                high: 100.0,
            },
            y: Axis {
                label: "spam missed, %",
                scale: Scale::Logarithmic,
                low: 0.01,
                high: 100.0,
            },
            lines: reports.iter().map(line).collect(),
        }
    }

    /// How much of the mail was spam, against the predicted probability; the diagonal is a
    /// calibrated filter.
    pub fn reliability(reports: &[Report]) -> Self {
        let line = |report: &Report| (report.corpus.clone(), report.curves.reliability.clone());
        let diagonal = ("calibrated".to_owned(), vec![(0.0, 0.0), (1.0, 1.0)]);
        Self {
            title: "Share of spam against predicted probability".to_owned(),
            x: Axis {
                label: "predicted probability",
                scale: Scale::Linear,
                low: 0.0,
                high: 1.0,
            },
            y: Axis {
                label: "share of spam",
                scale: Scale::Linear,
                low: 0.0,
                high: 1.0,
            },
            lines: reports.iter().map(line).chain([diagonal]).collect(),
        }
    }

    /// What was wrong in each thousand messages of a replay.
    #[expect(
        clippy::cast_precision_loss,
        reason = "message counts are far below 2^52"
    )]
    pub fn learning(steps: &[Step]) -> Self {
        let line = |name: &str, value: fn(&Step) -> f64| {
            (
                name.to_owned(),
                steps
                    .iter()
                    .map(|step| (step.messages as f64, value(step)))
                    .collect::<Vec<_>>(),
            )
        };
        let lines = vec![
            line("1-ROCA, %", |step| step.one_minus_roca_percent),
            line("ham errors", |step| step.ham_errors as f64),
            line("spam errors", |step| step.spam_errors as f64),
        ];
        let high = |of: fn(&(f64, f64)) -> f64| {
            let points = lines.iter().flat_map(|(_, points)| points);
            points.map(of).fold(1.0, f64::max)
        };
        Self {
            title: "Errors in each thousand messages".to_owned(),
            x: Axis {
                label: "messages",
                scale: Scale::Linear,
                low: 0.0,
                high: round_up(high(|point| point.0)),
            },
            y: Axis {
                label: "of a thousand",
                scale: Scale::Logarithmic,
                low: 0.001,
                high: high(|point| point.1),
            },
            lines,
        }
    }

    /// The picture.
    pub fn to_svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        );
        text(
            &mut svg,
            (WIDTH / 2.0, TOP / 2.0 + 4.0),
            "middle",
            &self.title,
        );
        text(
            &mut svg,
            (f64::midpoint(LEFT, WIDTH - RIGHT), HEIGHT - 12.0),
            "middle",
            self.x.label,
        );
        text(&mut svg, (8.0, TOP - 8.0), "start", self.y.label);
        for value in self.x.marks() {
            let x = LEFT + self.x.share(value) * (WIDTH - LEFT - RIGHT);
            rule(&mut svg, (x, TOP), (x, HEIGHT - BOTTOM));
            text(
                &mut svg,
                (x, HEIGHT - BOTTOM + 18.0),
                "middle",
                &value.to_string(),
            );
        }
        for value in self.y.marks() {
            let y = HEIGHT - BOTTOM - self.y.share(value) * (HEIGHT - TOP - BOTTOM);
            rule(&mut svg, (LEFT, y), (WIDTH - RIGHT, y));
            text(&mut svg, (LEFT - 6.0, y + 4.0), "end", &value.to_string());
        }
        for (number, (name, points)) in self.lines.iter().enumerate() {
            let colour = COLOURS
                .get(number % COLOURS.len())
                .copied()
                .unwrap_or("black");
            let path: Vec<String> = thinned(points).map(|point| self.place(point)).collect();
            writeln!(
                svg,
                "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>",
                path.join(" ")
            )
            .unwrap_or_default();
            #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
            let y = TOP + 16.0 + 16.0 * number as f64;
            writeln!(
                svg,
                "<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"3\" fill=\"{colour}\"/>",
                WIDTH - 220.0,
                y - 5.0
            )
            .unwrap_or_default();
            text(&mut svg, (WIDTH - 202.0, y), "start", name);
        }
        svg + "</svg>\n"
    }

    fn place(&self, (x, y): (f64, f64)) -> String {
        let x = LEFT + self.x.share(x) * (WIDTH - LEFT - RIGHT);
        let y = HEIGHT - BOTTOM - self.y.share(y) * (HEIGHT - TOP - BOTTOM);
        format!("{x:.1},{y:.1}")
    }
}

impl Axis {
    /// Where on the axis a value is, from 0 to 1; what is outside is put at the end.
    fn share(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic => {
                (value.max(self.low) / self.low).log10() / (self.high / self.low).log10()
            }
        };
        if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// The values at which a line is drawn.
    fn marks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => (0..=5)
                .map(|n| self.low + (self.high - self.low) * f64::from(n) / 5.0)
                .collect(),
            Scale::Logarithmic => {
                let powers = (-6..=9).map(|power| 10_f64.powi(power));
                powers
                    .filter(|value| (self.low * 0.999..=self.high * 1.001).contains(value))
                    .collect()
            }
        }
    }
}

/// The next number that is 1, 2 or 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(1.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|step| *step >= value)
        .unwrap_or(value)
}

/// Every so many points, and the last.
fn thinned(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    let every = points.len().div_ceil(POINTS_MAX).max(1);
    let last = points.len().saturating_sub(1);
    points
        .iter()
        .copied()
        .enumerate()
        .filter(move |(n, _)| n.is_multiple_of(every) || *n == last)
        .map(|(_, point)| point)
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, words: &str) {
    let words = words
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"
    )
    .unwrap_or_default();
}

fn rule(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#ddd\"/>"
    )
    .unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::super::scored::Scored;
    use super::*;
    use gatepost_words::Class;

    fn report(name: &str) -> Report {
        let scored: Vec<Scored> = (0..4_000_u32)
            .map(|n| {
                let probability = f64::from(n % 1_000) / 1_000.0;
                Scored {
                    score: probability,
                    probability,
                    class: Some(Class::from_is_spam((n * 7919) % 1_000 < n % 1_000)),
                }
            })
            .collect();
        Report::of(name.to_owned(), &scored)
    }

    #[test]
    fn plots_have_a_line_for_each_report_and_escape_its_name() {
        let reports = [report("a <b> & c"), report("d")];
        for (plot, lines) in [(Plot::roc(&reports), 2), (Plot::reliability(&reports), 3)] {
            let svg = plot.to_svg();
            assert_eq!(svg.matches("<polyline").count(), lines);
            assert!(svg.contains("a &lt;b&gt; &amp; c") && svg.ends_with("</svg>\n"));
            assert!(!svg.contains("NaN") && !svg.contains("inf"));
        }
        assert!(
            report("x")
                .curves
                .reliability
                .iter()
                .all(|(predicted, was)| (predicted - was).abs() < 0.1)
        );
    }

    #[test]
    fn what_lies_outside_or_is_missing_does_no_harm() {
        let empty = Report::of(String::new(), &[]);
        let step = Step {
            messages: 0,
            labels: 0,
            one_minus_roca_percent: f64::NAN,
            ham_errors: 0,
            spam_errors: 5_000,
        };
        for plot in [
            Plot::roc(std::slice::from_ref(&empty)),
            Plot::reliability(&[empty]),
            Plot::learning(&[]),
            Plot::learning(&[step]),
        ] {
            assert!(!plot.to_svg().contains("NaN"), "{plot:?}");
        }
    }

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, expected) in [
            (37_710.0, 50_000.0),
            (1_000.0, 1_000.0),
            (1_001.0, 2_000.0),
            (0.0, 1.0),
            (7.0, 10.0),
        ] {
            assert!((round_up(value) - expected).abs() < 1e-6, "{value}");
        }
    }

    #[test]
    fn lines_are_thinned() {
        let points: Vec<(f64, f64)> = (0..10_000).map(|n| (f64::from(n), 0.0)).collect();
        let thin: Vec<_> = thinned(&points).collect();
        assert!(thin.len() <= POINTS_MAX + 1 && thin.last() == points.last());
    }
}
