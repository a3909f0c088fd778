//! Tips for shares: tables of labels such as `Symbol:` and `Target price:` that advertise one.

use std::collections::BTreeSet;

use super::signature::Arguments;
use crate::views::lazy::Views;

/// Bytes of a label before its colon.
const LABEL_LENGTH: std::ops::RangeInclusive<usize> = 3..=30;
/// Labels that are counted separately.
const LABELS_LIMIT: usize = 100;

/// Ends of labels, letters only, that sell shares.
const ENDS: &[&str] = &[
    "company",
    "companyname",
    "currentp",
    "currentprice",
    "expectations",
    "marketperformance",
    "openingp",
    "openingprice",
    "position",
    "projected",
    "rating",
    "recommendation",
    "sector",
    "target",
    "ticker",
    "weekhigh",
    "weekshigh",
];
/// What is estimated, and the word for it.
const SPANS: &[&str] = &["day", "month", "price", "week", "year"];
const ESTIMATES: &[&str] = &["target", "estimate", "estimates"];
/// Words that senders disguise with a letter between the others, each a start of the next.
const DISGUISED: &[&str] = &["s", "stock", "sym", "symbol"];

#[expect(clippy::cast_precision_loss, reason = "labels are limited")]
pub(super) fn labels(views: &Views<'_>, arguments: &Arguments) -> bool {
    let message = views.case().message;
    let plain = message.texts.iter().find(|text| {
        text.html.is_none()
            && message
                .entities
                .get(text.entity)
                .is_some_and(|entity| entity.media_type.is("text", "plain"))
    });
    let mut found = BTreeSet::new();
    for line in plain.iter().flat_map(|text| text.rendered.lines()) {
        let Some((label, value)) = line.split_once(':') else {
            continue;
        };
        let label = label.trim();
        if LABEL_LENGTH.contains(&label.len())
            && !value.trim().is_empty()
            && found.len() < LABELS_LIMIT
        {
            let letters: String = label.chars().filter(char::is_ascii_alphabetic).collect();
            found.extend(tip(&letters.to_ascii_lowercase()).map(str::to_owned));
        }
    }
    arguments
        .number(0)
        .is_some_and(|least| least == 0.0 || found.len() as f64 >= least)
}

/// The longest end of a label that is a word of such tables.
fn tip(label: &str) -> Option<&str> {
    let starts = 0..label.len();
    if matches!(label, "tradedate" | "tradingdate") {
        return Some(label);
    }
    starts
        .into_iter()
        .filter_map(|start| label.get(start..))
        .find(|end| {
            let is_estimate = || {
                let rest = SPANS.iter().find_map(|span| end.strip_prefix(span));
                rest.is_some_and(|rest| ESTIMATES.contains(&rest))
            };
            ENDS.contains(end)
                || is_estimate()
                || DISGUISED.iter().any(|word| is_disguised(end, word))
        })
}

/// Whether a text is the word with at most one letter more between each two of its letters.
fn is_disguised(text: &str, word: &str) -> bool {
    let mut rest = text;
    for (index, letter) in word.char_indices() {
        let direct = rest.strip_prefix(letter);
        let behind_other = || {
            rest.get(1..)
                .filter(|_| index > 0)
                .and_then(|rest| rest.strip_prefix(letter))
        };
        let Some(next) = direct.or_else(behind_other) else {
            return false;
        };
        rest = next;
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::tip;

    #[test]
    fn labels_of_tips() {
        for (label, wanted) in [
            ("companyname", Some("companyname")),
            ("thecompany", Some("company")),
            ("stock", Some("stock")),
            ("sxtock", Some("sxtock")),
            ("symbol", Some("symbol")),
            ("monthtarget", Some("monthtarget")),
            ("priceestimates", Some("priceestimates")),
            ("tradedate", Some("tradedate")),
            ("weekshigh", Some("weekshigh")),
            ("subject", None),
            ("from", None),
            ("", None),
        ] {
            assert_eq!(tip(label), wanted, "{label}");
        }
    }
}
