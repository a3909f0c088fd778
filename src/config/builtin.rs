//! The rules and the model that come with the program, built into it: no file needs to be
//! installed.

/// Path below `rules/` and text, in the order in which they are loaded: by name.
pub const BUILTIN_RULES: &[(&str, &str)] = &[
    (
        "attachment/file.cf",
        include_str!("../../rules/attachment/file.cf"),
    ),
    (
        "attachment/lure.cf",
        include_str!("../../rules/attachment/lure.cf"),
    ),
    (
        "auth/authentication.cf",
        include_str!("../../rules/auth/authentication.cf"),
    ),
    ("body/goods.cf", include_str!("../../rules/body/goods.cf")),
    ("body/gtube.cf", include_str!("../../rules/body/gtube.cf")),
    ("body/money.cf", include_str!("../../rules/body/money.cf")),
    (
        "body/phishing.cf",
        include_str!("../../rules/body/phishing.cf"),
    ),
    ("body/reward.cf", include_str!("../../rules/body/reward.cf")),
    (
        "composite/business.cf",
        include_str!("../../rules/composite/business.cf"),
    ),
    (
        "composite/coin.cf",
        include_str!("../../rules/composite/coin.cf"),
    ),
    (
        "composite/fraud.cf",
        include_str!("../../rules/composite/fraud.cf"),
    ),
    (
        "composite/offers.cf",
        include_str!("../../rules/composite/offers.cf"),
    ),
    (
        "composite/phishing.cf",
        include_str!("../../rules/composite/phishing.cf"),
    ),
    (
        "composite/reward.cf",
        include_str!("../../rules/composite/reward.cf"),
    ),
    (
        "composite/trade.cf",
        include_str!("../../rules/composite/trade.cf"),
    ),
    (
        "envelope/client.cf",
        include_str!("../../rules/envelope/client.cf"),
    ),
    (
        "envelope/sender.cf",
        include_str!("../../rules/envelope/sender.cf"),
    ),
    (
        "header/brand.cf",
        include_str!("../../rules/header/brand.cf"),
    ),
    (
        "header/brand_more.cf",
        include_str!("../../rules/header/brand_more.cf"),
    ),
    ("header/bulk.cf", include_str!("../../rules/header/bulk.cf")),
    (
        "header/forgery.cf",
        include_str!("../../rules/header/forgery.cf"),
    ),
    ("header/from.cf", include_str!("../../rules/header/from.cf")),
    ("header/ham.cf", include_str!("../../rules/header/ham.cf")),
    ("header/lure.cf", include_str!("../../rules/header/lure.cf")),
    (
        "header/structure.cf",
        include_str!("../../rules/header/structure.cf"),
    ),
    (
        "header/subject.cf",
        include_str!("../../rules/header/subject.cf"),
    ),
    (
        "html/disguise.cf",
        include_str!("../../rules/html/disguise.cf"),
    ),
    ("html/markup.cf", include_str!("../../rules/html/markup.cf")),
    ("url/host.cf", include_str!("../../rules/url/host.cf")),
    ("url/link.cf", include_str!("../../rules/url/link.cf")),
    ("url/path.cf", include_str!("../../rules/url/path.cf")),
];

/// The model; empty where none is built in.
pub const BUILTIN_MODEL: &[u8] = include_bytes!("../../models/model.onnx");

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::BUILTIN_RULES;

    /// The list is a projection of the directory: a rule file that is not in it would silently not
    /// be loaded.
    #[test]
    fn every_file_under_rules_is_in_the_list_in_name_order() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let mut directories = vec![root.clone()];
        let mut there: Vec<PathBuf> = Vec::new();
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else if path
                    .extension()
                    .is_some_and(|extension| extension == "cf" || extension == "pre")
                {
                    there.push(path.strip_prefix(&root).unwrap().to_owned());
                }
            }
        }
        there.sort();
        let listed: Vec<PathBuf> = BUILTIN_RULES
            .iter()
            .map(|(path, _)| PathBuf::from(path))
            .collect();
        assert_eq!(
            listed, there,
            "update BUILTIN_RULES in src/config/builtin.rs"
        );
    }
}
