//! The label that the name of a directory gives.

use gatepost_words::Class;

/// By the innermost directory of a path whose name has the word `ham`, `spam` or `phish` in it:
/// `corpus/easy_ham/1.eml`.
pub fn folder_class(path: &str) -> Option<Class> {
    let word = |word: &str| match word.to_ascii_lowercase().as_str() {
        "ham" => Some(Class::Ham),
        "spam" => Some(Class::Spam),
        "phish" | "phishing" => Some(Class::Phish),
        _ => None,
    };
    let directories = path.rsplit('/').skip(1);
    let mut words = directories.flat_map(|name| name.split(|c: char| !c.is_ascii_alphanumeric()));
    words.find_map(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_directory_decides() {
        for (path, wanted) in [
            ("corpus/spam/easy_ham_2/1", Some(Class::Ham)),
            ("phishing_pot/phish/1", Some(Class::Phish)),
            ("Spam-2/cur/1:2,S", Some(Class::Spam)),
            ("hamburg/spam", None),
        ] {
            assert_eq!(folder_class(path), wanted, "{path}");
        }
    }
}
