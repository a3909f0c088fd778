//! How long something took, and how a bench tells it.

use std::time::{Duration, Instant};

/// How long it took.
pub(crate) fn time(act: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    act();
    begin.elapsed()
}

/// The first line of the table.
pub(crate) fn head() {
    println!(
        "{:<48} {:>9} {:>9} {:>9}",
        "microseconds", "median", "p90", "p99"
    );
}

/// One line of the table: median, 90th and 99th percentile in microseconds.
pub(crate) fn tell(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| {
        let index = times.len().saturating_sub(1) * share / 100;
        times
            .get(index)
            .map_or(0.0, |time| time.as_secs_f64() * 1e6)
    };
    println!("{name:<48} {:>9.1} {:>9.1} {:>9.1}", at(50), at(90), at(99));
}
