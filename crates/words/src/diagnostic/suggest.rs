//! Did you mean …?

/// Longest word for which a suggestion is looked for: the distance costs the product of both
/// lengths.
const WORD_LIMIT: usize = 64;

/// The candidate that is most like `word`, if one is like enough to be a slip of the hand: at most
/// a third of the characters differ. The first of several equally good ones.
pub fn did_you_mean<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length == 0 || length > WORD_LIMIT {
        return None;
    }
    let allowed = if length < 3 { 0 } else { length / 3 };
    candidates
        .filter(|candidate| {
            candidate.len() <= 4 * WORD_LIMIT
                && candidate.chars().count().abs_diff(length) <= allowed
        })
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&candidate.to_lowercase(), &word.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn suggests_only_what_is_near() {
        let keys = || ["header", "body", "rawbody", "score", "describe"].into_iter();
        for (word, wanted) in [
            ("haeder", Some("header")),
            ("scroe", Some("score")),
            ("SCORE", Some("score")),
            ("bdoy", Some("body")),
            ("elephant", None),
            ("", None),
        ] {
            assert_eq!(did_you_mean(word, keys()), wanted, "{word}");
        }
        assert_eq!(did_you_mean(&"x".repeat(65), ["x"].into_iter()), None);
    }
}
