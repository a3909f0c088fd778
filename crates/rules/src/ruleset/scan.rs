//! The result of a scan.

use gatepost_mail::Anomaly;
use gatepost_words::verdict::Hit;

/// What a scan found.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// The rules that hit and score, in the order of their definition. Sub-rules are not reported.
    pub hits: Vec<Hit>,
    /// The shadow rules that hit: counted, never scored.
    pub shadow: Vec<Hit>,
    /// What the rules themselves found odd, such as a limit that was reached.
    pub anomalies: Vec<Anomaly>,
    /// Whether all rules of the stage were decided before the deadline. If not, the hits are those
    /// decided so far, and no meta was.
    pub complete: bool,
}
