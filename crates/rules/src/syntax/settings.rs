//! The settings that define no rule: every one that SpamAssassin knows is accepted, and what one
//! does not do here is said.

use std::ops::RangeInclusive;

use super::setting_names as names;

/// The outcome for a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SettingSupport {
    /// It is read.
    Taken,
    /// It steers a part of SpamAssassin that does not exist here, and changes no verdict.
    Idle,
    /// It is decided elsewhere; the text says where.
    Elsewhere(&'static str),
    /// It would change which rules hit, but is not implemented; the text says what it belongs to.
    Missing(&'static str),
}

/// Directives that define rules of a kind that we cannot run yet, and what they need.
pub(crate) const UNSUPPORTED_RULES: &[(&str, &str)] = &[
    ("askdns", NETWORK),
    ("uridnsbl", NETWORK),
    ("uridnssub", NETWORK),
    ("urifullnsrhsbl", NETWORK),
    ("urifullnsrhssub", NETWORK),
    ("urinsrhsbl", NETWORK),
    ("urinsrhssub", NETWORK),
    ("urirhsbl", NETWORK),
    ("urirhssub", NETWORK),
    ("uri_block_cc", COUNTRIES),
    ("uri_block_cidr", COUNTRIES),
    ("uri_block_cont", COUNTRIES),
    ("uri_block_isp", COUNTRIES),
];

/// Directives that the loader itself understands.
pub(crate) const DIRECTIVES: &[&str] = &[
    "body",
    "describe",
    "else",
    "endif",
    "full",
    "header",
    "if",
    "ifplugin",
    "include",
    "lang",
    "meta",
    "mimeheader",
    "rawbody",
    "require_version",
    "score",
    "test",
    "tflags",
    "uri",
    "uri_detail",
    "capture_templates",
    "enable_compat",
    "loadplugin",
    "priority",
    "reuse",
    "score_set",
    "shortcircuit",
    "tryplugin",
];

const NETWORK: &str = "network tests";
const COUNTRIES: &str = "a table of countries and networks";
const LIMITS: &str = "the limits of reading are fixed: see `gatepost config show`, table [limits]";
const POLICY: &str = "scores that mark, hold and refuse are set in gatepost.toml, table [policy]";

/// The fate of a setting; `None` when there is none of that name. `value` matters to those that are
/// switched off anyway.
pub(crate) fn setting_support(key: &str, value: &str) -> Option<SettingSupport> {
    let is_off = value.trim() == "0" || value.trim().eq_ignore_ascii_case("no");
    let has = |group: &[&str]| group.contains(&key);
    Some(match key {
        // What was asked for is how it is.
        "normalize_charset" | "parse_dkim_uris" | "skip_rbl_checks" | "skip_uribl_checks"
            if !is_off =>
        {
            SettingSupport::Idle
        }
        "body_part_scan_size" if value.trim() == "50000" => SettingSupport::Idle,
        "rawbody_part_scan_size" if value.trim() == "500000" => SettingSupport::Idle,
        "dns_available" if is_off => SettingSupport::Idle,
        _ if is_off && key.starts_with("use_") && (has(names::POLICY) || has(names::NETWORK)) => {
            SettingSupport::Idle
        }
        "body_part_scan_size" | "rawbody_part_scan_size" | "time_limit" => {
            SettingSupport::Elsewhere(LIMITS)
        }
        "report_safe" if is_off => SettingSupport::Idle,
        "report_safe" => SettingSupport::Elsewhere(
            "Gatepost adds header fields and never wraps a mail into a report",
        ),
        "use_bayes" | "use_bayes_rules" | "use_learner" => {
            SettingSupport::Elsewhere("the classifier is set up in gatepost.toml, table [model]")
        }
        _ if has(names::POLICY) => SettingSupport::Elsewhere(POLICY),
        _ if has(names::REPORT) || has(names::SHORT) => SettingSupport::Taken,
        _ if has(names::BAYES) || has(names::PLACES) => SettingSupport::Idle,
        _ if has(names::LISTS) => SettingSupport::Missing("a list or network of the site"),
        _ if has(names::NETWORK) => SettingSupport::Missing(NETWORK),
        _ if has(names::TEXT) => SettingSupport::Missing("how texts are read"),
        _ if has(names::PLUGINS) => {
            SettingSupport::Missing("a plugin that looks into attachments or names")
        }
        _ => return free_suffix(key),
    })
}

/// Settings whose name ends as the admin likes: those that SpamAssassin's plugins read themselves.
fn free_suffix(key: &str) -> Option<SettingSupport> {
    let ends = |prefix: &str, length: RangeInclusive<usize>, fits: fn(&u8) -> bool| {
        key.strip_prefix(prefix)
            .is_some_and(|end| length.contains(&end.len()) && end.as_bytes().iter().all(fits))
    };
    // HashBL.pm: a list of domains that a rule names.
    if ends("hashbl_acl_", 1..=32, u8::is_ascii_alphanumeric) {
        return Some(SettingSupport::Missing(NETWORK));
    }
    // Bayes.pm: the stop words of a language.
    ends("bayes_stopword_", 2..=2, u8::is_ascii_alphabetic).then_some(SettingSupport::Idle)
}

/// What a kind of rule needs that we lack.
pub(crate) fn lacking(kind: &str) -> Option<&'static str> {
    UNSUPPORTED_RULES
        .iter()
        .find(|(name, _)| *name == kind)
        .map(|(_, what)| *what)
}

/// Whether a reason why a rule is disabled is that it asks the network.
pub(crate) fn needs_network(reason: &str) -> bool {
    reason.contains(NETWORK)
}

/// Every word that may begin a line, for did-you-mean. The rule language first: of equal guesses
/// the first is taken.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    let groups = [
        names::REPORT,
        names::SHORT,
        names::LISTS,
        names::POLICY,
        names::TEXT,
        names::NETWORK,
        names::BAYES,
        names::PLACES,
        names::PLUGINS,
    ];
    let kinds = UNSUPPORTED_RULES.iter().map(|(name, _)| *name);
    DIRECTIVES
        .iter()
        .copied()
        .chain(kinds)
        .chain(groups.into_iter().flatten().copied())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{DIRECTIVES, SettingSupport, UNSUPPORTED_RULES, all, setting_support};

    #[test]
    fn names_are_unique_and_all_have_a_fate() {
        let names: Vec<_> = all().collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(names.len() > 380, "{}", names.len());
        for name in names
            .iter()
            .skip(DIRECTIVES.len() + UNSUPPORTED_RULES.len())
        {
            assert!(setting_support(name, "1").is_some(), "{name}");
        }
        assert_eq!(setting_support("no_such_setting", "1"), None);
    }

    #[test]
    fn some_settings_end_as_the_admin_likes() {
        let network = Some(SettingSupport::Missing(super::NETWORK));
        let idle = Some(SettingSupport::Idle);
        let longest = format!("hashbl_acl_{}", "a".repeat(32));
        let long = format!("{longest}a");
        for (key, wanted) in [
            ("hashbl_acl_freemail", network),
            ("hashbl_acl_2", network),
            (longest.as_str(), network),
            (long.as_str(), None),
            ("hashbl_acl_", None),
            ("hashbl_acl_a_b", None),
            ("bayes_stopword_de", idle),
            ("bayes_stopword_deu", None),
        ] {
            assert_eq!(setting_support(key, "example.com"), wanted, "{key}");
        }
    }

    #[test]
    fn what_is_so_anyway_needs_no_word() {
        for (key, value, idle) in [
            ("use_bayes", "0", true),
            ("report", "Spam detection software has", true),
            ("unsafe_report", "x", true),
            ("clear_report_template", "", true),
            ("clear_unsafe_report_template", "", true),
            ("add_header", "all Flag x", false),
            ("use_bayes", "1", false),
            ("normalize_charset", "1", true),
            ("normalize_charset", "0", false),
            ("body_part_scan_size", "50000", true),
            ("body_part_scan_size", "50001", false),
            ("skip_rbl_checks", "1", true),
            ("skip_rbl_checks", "0", false),
            ("lock_method", "flock", true),
            ("bayes_stopword_en", "a|b", true),
            ("ok_locales", "en", false),
        ] {
            assert_eq!(
                setting_support(key, value) == Some(SettingSupport::Idle),
                idle,
                "{key} {value}"
            );
        }
    }
}
