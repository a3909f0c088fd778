//! The list against its own examples, and against the crate `psl` on hosts of many kinds.

use proptest::prelude::*;

use super::*;

fn list(text: &str) -> Result<PublicSuffixList, Vec<Diagnostic>> {
    PublicSuffixList::parse(&Arc::new(Source::new("list", text)))
}

fn messages(text: &str) -> Vec<String> {
    let wrong = list(text).unwrap_err();
    wrong.into_iter().map(|one| one.message).collect()
}

/// Suffix, whether it is listed, and registrable domain.
type Answer<'h> = (Option<(&'h str, bool)>, Option<&'h str>);

fn ours(host: &str) -> Answer<'_> {
    let list = PublicSuffixList::current();
    let suffix = list.public_suffix(host);
    let suffix = suffix.map(|suffix| (suffix.name, suffix.is_listed));
    (suffix, list.registrable_domain(host))
}

fn theirs(host: &str) -> Answer<'_> {
    let known = psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known());
    let suffix = psl::suffix_str(host).map(|suffix| (suffix, known));
    (suffix, psl::domain_str(host))
}

/// Whether both give the same answer, or ours is right: with `*.a.at` and `*.b.a.at` on the list,
/// `b.a.at` is a public suffix by the first rule; `psl` sees only that longer rules end with it.
fn agree(host: &str) -> bool {
    let list = PublicSuffixList::current();
    let is_shadowed = list.public_suffix(host).is_some_and(|suffix| {
        let (_, parent) = suffix.name.split_once('.').unwrap_or_default();
        let node = |name: &str| list.nodes.get(name).copied().unwrap_or_default();
        let of_suffix = node(suffix.name);
        node(parent).is_wildcard && of_suffix.has_children && !of_suffix.is_suffix
    });
    is_shadowed || ours(host) == theirs(host)
}

#[test]
fn a_wildcard_holds_where_longer_rules_exist_too() {
    assert_eq!(
        ours("ex.futurecms.at"),
        (Some(("ex.futurecms.at", true)), None)
    );
    assert_eq!(theirs("ex.futurecms.at").0, Some(("at", true)));
}

#[test]
fn the_embedded_list_is_read_whole() {
    let list = list(EMBEDDED).unwrap();
    assert_eq!(list.rules(), 10_397);
    assert_eq!(&list, PublicSuffixList::current());
    assert_ne!(list.digest(), 0);
}

#[test]
fn every_rule_and_its_neighbours_are_as_in_the_crate_psl() {
    for (rule, _) in rules(EMBEDDED) {
        let name = rule.trim_start_matches("*.").trim_start_matches('!');
        let above = name.split_once('.').map_or(name, |(_, above)| above);
        for host in [
            name.to_owned(),
            above.to_owned(),
            format!("{name}."),
            format!("a.{name}"),
            format!("a.b.{name}"),
            format!("a.b.c.{name}"),
            format!("a.{above}"),
            format!(".{name}"),
            format!("a..{name}"),
            format!("x{name}"),
        ] {
            assert!(
                agree(&host),
                "{host}: {:?} {:?}",
                ours(&host),
                theirs(&host)
            );
        }
    }
}

fn label() -> impl Strategy<Value = String> {
    let names: Vec<String> = rules(EMBEDDED)
        .flat_map(|(rule, _)| rule.split('.').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    prop_oneof![
        6 => proptest::sample::select(names),
        1 => "[a-z0-9-]{0,4}",
        1 => "\\PC{0,3}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn hosts_made_of_labels_of_the_list_are_as_in_the_crate_psl(labels in proptest::collection::vec(label(), 0..6)) {
        let host = labels.join(".");
        prop_assert!(agree(&host), "{host}: {:?} {:?}", ours(&host), theirs(&host));
    }

    #[test]
    fn hosts_under_rules_are_as_in_the_crate_psl(
        rule in proptest::sample::select(rules(EMBEDDED).map(|(rule, _)| rule).collect::<Vec<_>>()),
        labels in proptest::collection::vec(label(), 0..4),
    ) {
        let host = format!("{}.{}", labels.join("."), rule.trim_start_matches('!'));
        prop_assert!(agree(&host), "{host}: {:?} {:?}", ours(&host), theirs(&host));
    }
}

#[test]
fn the_rule_with_the_most_labels_and_the_exception_prevail() {
    let list = list("// comment\n\ncom\n*.ck ignored\n!www.ck\nuk\nco.uk\n*.deep.uk\n").unwrap();
    for (host, suffix, is_listed, domain) in [
        ("com", "com", true, None),
        ("a.b.com", "com", true, Some("b.com")),
        ("a.b.com.", "com", true, Some("b.com")),
        ("ck", "ck", false, None),
        ("b.ck", "b.ck", true, None),
        ("a.b.ck", "b.ck", true, Some("a.b.ck")),
        ("www.ck", "ck", true, Some("www.ck")),
        ("a.www.ck", "ck", true, Some("www.ck")),
        ("a.co.uk", "co.uk", true, Some("a.co.uk")),
        ("deep.uk", "uk", true, Some("deep.uk")),
        ("a.b.deep.uk", "b.deep.uk", true, Some("a.b.deep.uk")),
        ("a.b.internal", "internal", false, Some("b.internal")),
    ] {
        let expected = PublicSuffix {
            name: suffix,
            is_listed,
        };
        assert_eq!(list.public_suffix(host), Some(expected), "{host}");
        assert_eq!(list.registrable_domain(host), domain, "{host}");
        let listed = domain.filter(|_| is_listed);
        assert_eq!(list.listed_registrable_domain(host), listed, "{host}");
    }
    assert_eq!(list.public_suffix(""), None);
}

#[test]
fn mistakes_are_reported_with_their_place() {
    let wrong = list("com\na..b\n  *.*.x\n!com\nhttp://x\n").unwrap_err();
    let places: Vec<_> = wrong.iter().filter_map(Diagnostic::position).collect();
    assert_eq!(places, [(2, 1), (3, 3), (4, 1), (5, 1)]);
    assert!(messages("// nothing\n")[0].contains("no rules"));
    let many = "a..b\n".repeat(PublicSuffixList::DIAGNOSTICS_MAX + 1);
    assert_eq!(messages(&many).len(), PublicSuffixList::DIAGNOSTICS_MAX);
}

#[test]
fn lists_are_bounded_at_n_and_n_plus_one() {
    let rules = |count: usize| {
        let rules: Vec<_> = (0..count).map(|n| format!("a{n}")).collect();
        rules.join("\n")
    };
    assert!(list(&rules(PublicSuffixList::RULES_MAX)).is_ok());
    assert!(list(&rules(PublicSuffixList::RULES_MAX + 1)).is_err());
    let padded = |length: usize| format!("com\n{}", " ".repeat(length - 4));
    assert!(list(&padded(PublicSuffixList::BYTES_MAX)).is_ok());
    assert!(list(&padded(PublicSuffixList::BYTES_MAX + 1)).is_err());
    assert!(list(&"a".repeat(PublicSuffixList::RULE_BYTES_MAX)).is_ok());
    assert!(list(&"a".repeat(PublicSuffixList::RULE_BYTES_MAX + 1)).is_err());
    let labels = |count: usize| vec!["a"; count].join(".");
    assert!(list(&labels(PublicSuffixList::LABELS_MAX)).is_ok());
    assert!(list(&labels(PublicSuffixList::LABELS_MAX + 1)).is_err());
}
