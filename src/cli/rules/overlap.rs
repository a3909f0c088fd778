//! Pairs of rules that hit the same messages: one of the two is perhaps not needed, or both are one
//! idea that scores twice.

use super::interval::percent_interval;

/// Pairs that are held before the best of them are picked.
const PAIRS: usize = 1 << 16;

/// Two rules, by number, the one with the smaller number first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pair {
    pub(super) rules: [usize; 2],
    /// Messages that both hit.
    pub(super) both: usize,
    /// Messages that each of them hit.
    pub(super) hits: [usize; 2],
    /// What the pairs are ranked by: the share of messages hit by either that are hit by both, as far
    /// as so few messages can tell (the low end of its 95 % interval).
    rank: f64,
}

/// The `most` pairs that overlap most. `lists` holds, for each mail, the numbers of the rules that
/// hit it, ascending.
///
/// Memory is that of the lists once more; time is that of all pairs in them.
pub(super) fn overlap(lists: &[Vec<usize>], most: usize) -> Vec<Pair> {
    let rules = lists
        .iter()
        .filter_map(|list| list.last())
        .max()
        .map_or(0, |highest| highest + 1);
    let mut messages_of: Vec<Vec<&[usize]>> = vec![Vec::new(); rules];
    for list in lists {
        for (place, rule) in list.iter().enumerate() {
            if let (Some(messages), Some(rest)) =
                (messages_of.get_mut(*rule), list.get(place + 1..))
            {
                messages.push(rest);
            }
        }
    }
    let mut pairs = Vec::new();
    let mut together = vec![0_usize; rules];
    for (first, messages) in messages_of.iter().enumerate() {
        together.fill(0);
        for second in messages.iter().copied().flatten() {
            if let Some(count) = together.get_mut(*second) {
                *count += 1;
            }
        }
        let with_hits = together
            .iter()
            .zip(&messages_of)
            .enumerate()
            .filter(|(_, (both, _))| **both > 0);
        pairs.extend(with_hits.map(|(second, (both, others))| {
            pair([first, second], *both, [messages.len(), others.len()])
        }));
        if pairs.len() >= PAIRS {
            pick(&mut pairs, most);
        }
    }
    pick(&mut pairs, most);
    pairs
}

fn pair(rules: [usize; 2], both: usize, hits: [usize; 2]) -> Pair {
    let either = hits.iter().sum::<usize>() - both;
    Pair {
        rules,
        both,
        hits,
        rank: percent_interval(both, either)[0],
    }
}

fn pick(pairs: &mut Vec<Pair>, most: usize) {
    pairs.sort_by(|a, b| {
        b.rank
            .total_cmp(&a.rank)
            .then_with(|| a.rules.cmp(&b.rules))
    });
    pairs.truncate(most);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_counted_and_ranked_by_what_can_be_trusted() {
        // 0 and 1 always together, forty times; 2 and 3 always together, once; 0 and 4 sometimes.
        let mut lists = vec![vec![0, 1]; 38];
        lists.extend([vec![0, 1, 4], vec![0, 1, 4], vec![2, 3], vec![4], vec![]]);
        let found = overlap(&lists, 10);
        let short: Vec<_> = found
            .iter()
            .map(|pair| (pair.rules, pair.both, pair.hits))
            .collect();
        assert_eq!(
            short,
            [
                ([0, 1], 40, [40, 40]),
                ([2, 3], 1, [1, 1]),
                ([0, 4], 2, [40, 3]),
                ([1, 4], 2, [40, 3]),
            ]
        );
        assert_eq!(overlap(&lists, 1).len(), 1);
        assert!(overlap(&lists, 0).is_empty() && overlap(&[], 10).is_empty());
        lists.reverse();
        assert_eq!(
            overlap(&lists, 10),
            found,
            "the order of the messages does not matter"
        );
    }
}
