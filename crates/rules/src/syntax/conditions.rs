//! `if`, `ifplugin`, `else`, `endif`, and what we answer to their questions.

use std::collections::{BTreeMap, BTreeSet};

use crate::evals::table::find;
use crate::ruleset::expression;
use crate::ruleset::expression::Malformed;

/// The version of SpamAssassin whose language this is.
const VERSION: f64 = 4.000_001;
/// The version of Perl that rules may assume.
const PERL_VERSION: f64 = 5.036;

/// Plugins whose rules we run, at least in part. Others are answered as not loaded.
const PLUGINS: &[&str] = &[
    "BodyEval",
    "Check",
    "FreeMail",
    "HTMLEval",
    "HeaderEval",
    "MIMEEval",
    "MIMEHeader",
    "RelayEval",
    "ReplaceTags",
    "Shortcircuit",
    "URIDetail",
    "URIEval",
    "WLBLEval",
];

/// Plugins that come with SpamAssassin 4.0.1, and older names of them, in order. The settings of
/// these are known; a file with another one is Perl code that we cannot run.
const STOCK_PLUGINS: &[&str] = &[
    "ASN",
    "AWL",
    "AccessDB",
    "AntiVirus",
    "AskDNS",
    "AuthRes",
    "AutoLearnThreshold",
    "Bayes",
    "BodyEval",
    "BodyRuleBaseExtractor",
    "Check",
    "DCC",
    "DKIM",
    "DMARC",
    "DNSEval",
    "DecodeShortURLs",
    "Dmarc",
    "DomainKeys",
    "ExtractText",
    "FreeMail",
    "FromNameSpoof",
    "HTMLEval",
    "HTTPSMismatch",
    "Hashcash",
    "HashBL",
    "HeaderEval",
    "ImageInfo",
    "MIMEEval",
    "MIMEHeader",
    "OLEVBMacro",
    "OneLineBodyRuleType",
    "P595Body",
    "PDFInfo",
    "PhishTag",
    "Phishing",
    "Pyzor",
    "RaciallyCharged",
    "Razor2",
    "RelayCountry",
    "RelayEval",
    "ReplaceTags",
    "ResourceLimits",
    "Reuse",
    "Rule2XSBody",
    "SPF",
    "Shortcircuit",
    "SpamCop",
    "Test",
    "TextCat",
    "TxRep",
    "URIDNSBL",
    "URIDetail",
    "URIEval",
    "URILocalBL",
    "VBounce",
    "WLBLEval",
    "WelcomeListSubject",
    "WhiteListSubject",
];

/// Abilities that rule files ask for with `can(Mail::SpamAssassin::…)`: those of 4.0.1, in order.
const FEATURES: &[&str] = &[
    "Conf::feature_bayes_auto_learn_on_error",
    "Conf::feature_bayes_stopwords",
    "Conf::feature_blocklist_welcomelist",
    "Conf::feature_bug6558_free",
    "Conf::feature_capture_rules",
    "Conf::feature_compile_regexp",
    "Conf::feature_dns_block_rule",
    "Conf::feature_dns_local_ports_permit_avoid",
    "Conf::feature_dns_query_restriction",
    "Conf::feature_edns",
    "Conf::feature_geodb",
    "Conf::feature_get_host",
    "Conf::feature_header_address_parser",
    "Conf::feature_header_first_last",
    "Conf::feature_header_match_many",
    "Conf::feature_local_tests_only",
    "Conf::feature_meta_rules_matching",
    "Conf::feature_originating_ip_headers",
    "Conf::feature_registryboundaries",
    "Conf::feature_subjprefix",
    "Conf::feature_uri_host_listed",
    "Conf::feature_welcomelist_blocklist",
    "Conf::feature_yesno_takes_args",
    "Conf::has_tflags_nolog",
    "Conf::has_tflags_nosubject",
    "Conf::perl_min_version_5010000",
    "Plugin::ASN::has_asn_geodb",
    "Plugin::ASN::has_asn_lookup_ipv6",
    "Plugin::ASN::has_check_asn",
    "Plugin::ASN::has_check_asn_tag",
    "Plugin::AskDNS::has_tag_header",
    "Plugin::BodyEval::has_check_body_length",
    "Plugin::BodyEval::has_plaintext_body_sig_ratio",
    "Plugin::DKIM::has_arc",
    "Plugin::DNSEval::has_tflags_domains_only",
    "Plugin::DNSEval::has_tflags_ips_only",
    "Plugin::DecodeShortURLs::has_autoclean",
    "Plugin::DecodeShortURLs::has_clear",
    "Plugin::DecodeShortURLs::has_get",
    "Plugin::DecodeShortURLs::has_max_redirections",
    "Plugin::DecodeShortURLs::has_short_url",
    "Plugin::DecodeShortURLs::has_short_url_code",
    "Plugin::DecodeShortURLs::has_short_url_redir",
    "Plugin::DecodeShortURLs::has_timeout",
    "Plugin::DecodeShortURLs::has_user_agent",
    "Plugin::HashBL::has_hashbl_attachments",
    "Plugin::HashBL::has_hashbl_bodyre",
    "Plugin::HashBL::has_hashbl_bodyre_num",
    "Plugin::HashBL::has_hashbl_email_domain",
    "Plugin::HashBL::has_hashbl_email_domain_alias",
    "Plugin::HashBL::has_hashbl_email_regex",
    "Plugin::HashBL::has_hashbl_email_welcomelist",
    "Plugin::HashBL::has_hashbl_email_whitelist",
    "Plugin::HashBL::has_hashbl_emails",
    "Plugin::HashBL::has_hashbl_ignore",
    "Plugin::HashBL::has_hashbl_sha256",
    "Plugin::HashBL::has_hashbl_tag",
    "Plugin::HashBL::has_hashbl_uris",
    "Plugin::MIMEEval::has_check_abundant_unicode_ratio",
    "Plugin::MIMEEval::has_check_for_ascii_text_illegal",
    "Plugin::MIMEEval::has_check_qp_ratio",
    "Plugin::MIMEHeader::has_all_header",
    "Plugin::MIMEHeader::has_capture_rules",
    "Plugin::MIMEHeader::has_tflags_concat",
    "Plugin::MIMEHeader::has_tflags_multiple",
    "Plugin::MIMEHeader::has_tflags_range",
    "Plugin::OLEVBMacro::has_olemacro_mhtml_uri",
    "Plugin::OLEVBMacro::has_olemacro_redirect_uri",
    "Plugin::OLEVBMacro::has_olertfobject",
    "Plugin::Pyzor::has_fork",
    "Plugin::Pyzor::has_perl",
    "Plugin::Razor2::has_fork",
    "Plugin::SPF::has_check_for_spf_errors",
    "Plugin::SPF::has_check_spf_skipped_noenvfrom",
    "Plugin::URIDNSBL::has_subtest_for_ranges",
    "Plugin::URIDNSBL::has_tflags_domains_only",
    "Plugin::URIDNSBL::has_tflags_notrim",
    "Plugin::URIDNSBL::has_uridnsbl_a_ns",
    "Plugin::URIDNSBL::has_uridnsbl_for_a",
    "Plugin::URIDNSBL::has_uridnsbl_skip_mailto",
    "Plugin::URIDetail::has_host_key",
];

/// What the rule files said about plugins so far.
#[derive(Debug, Default)]
pub(crate) struct Plugins {
    /// Named by `loadplugin`, without the common prefix. Where no file loads any, we answer with
    /// our own list.
    loaded: Option<BTreeSet<String>>,
    /// Named by `loadplugin`, but not of SpamAssassin's own.
    foreign: BTreeSet<String>,
    /// `enable_compat` was said of these.
    compatible: BTreeSet<String>,
    /// What was answered: the same question gets the same answer in all files.
    answers: BTreeMap<String, bool>,
}

impl Plugins {
    /// Takes `loadplugin NAME`. One that is not SpamAssassin's own stays unloaded.
    pub(crate) fn load(&mut self, value: &str) {
        let name = value.split_whitespace().next().unwrap_or_default();
        if let Some(foreign) = Self::foreign(name) {
            self.foreign.insert(foreign.to_owned());
        } else {
            let loaded = self.loaded.get_or_insert_default();
            loaded.insert(short(name).to_owned());
        }
    }

    /// The short name of a plugin that does not come with SpamAssassin.
    pub(crate) fn foreign(value: &str) -> Option<&str> {
        let name = short(value.split_whitespace().next().unwrap_or_default());
        (!STOCK_PLUGINS.contains(&name)).then_some(name)
    }

    /// The plugins that were to be loaded but do not come with SpamAssassin: an unknown setting may
    /// be theirs.
    pub(crate) fn foreign_loaded(&self) -> impl Iterator<Item = &str> {
        self.foreign.iter().map(String::as_str)
    }

    /// Whether the files say which plugins are there.
    pub(crate) fn are_named(&self) -> bool {
        self.loaded.is_some()
    }

    /// Takes `enable_compat NAME`.
    pub(crate) fn enable(&mut self, value: &str) {
        self.compatible
            .insert(format!("Conf::compat_{}", value.trim()));
    }

    /// Whether `ifplugin NAME` holds.
    pub(crate) fn has(&self, name: &str) -> bool {
        let name = match short(name.trim()) {
            "Dmarc" => "DMARC",
            "WhiteListSubject" => "WelcomeListSubject",
            "RaciallyCharged" => return true,
            name => name,
        };
        match &self.loaded {
            Some(loaded) => loaded.contains(name),
            None => PLUGINS.contains(&name),
        }
    }

    /// Whether `can(NAME)` holds.
    fn can(&self, name: &str) -> bool {
        let name = full(name);
        match name
            .strip_prefix("Plugin::")
            .and_then(|rest| rest.split_once("::"))
        {
            Some((plugin, _)) => self.has(plugin) && FEATURES.binary_search(&name).is_ok(),
            None => FEATURES.binary_search(&name).is_ok() || self.compatible.contains(name),
        }
    }

    /// Whether `has(NAME)` holds: `can`, or an eval function of a plugin that is there.
    fn has_function(&self, name: &str) -> bool {
        let function = full(name)
            .strip_prefix("Plugin::")
            .and_then(|rest| rest.split_once("::"));
        self.can(name)
            || function
                .is_some_and(|(plugin, function)| self.has(plugin) && find(function).is_some())
    }

    /// Decides the condition of an `if` line.
    pub(crate) fn holds(&mut self, condition: &str) -> Result<bool, Malformed> {
        if let Some(answer) = self.answers.get(condition) {
            return Ok(*answer);
        }
        let answer = holds(condition, self)?;
        self.answers.insert(condition.to_owned(), answer);
        Ok(answer)
    }
}

fn full(name: &str) -> &str {
    name.trim()
        .strip_prefix("Mail::SpamAssassin::")
        .unwrap_or(name.trim())
}

fn short(name: &str) -> &str {
    name.strip_prefix("Mail::SpamAssassin::Plugin::")
        .unwrap_or(name)
}

fn holds(condition: &str, plugins: &Plugins) -> Result<bool, Malformed> {
    let answer = |name: &str, argument: Option<&str>, _| match (name, argument) {
        ("version", None) => Some(VERSION),
        ("perl_version", None) => Some(PERL_VERSION),
        ("local_tests_only", None) => Some(1.0),
        ("plugin", Some(name)) => Some(truth(plugins.has(name))),
        ("can", Some(name)) => Some(truth(plugins.can(name))),
        ("has", Some(name)) => Some(truth(plugins.has_function(name))),
        _ => None,
    };
    let steps = expression::compile(condition, answer)?;
    Ok(expression::run(&steps, &mut Vec::new(), |value| value).is_some_and(|value| value != 0.0))
}

fn truth(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

/// The blocks around a line.
#[derive(Debug, Default)]
pub(crate) struct Blocks<P> {
    open: Vec<Block<P>>,
}

#[derive(Debug)]
struct Block<P> {
    place: P,
    /// Whether lines in this branch count, the blocks around it included.
    active: bool,
    /// Whether lines around the block count.
    outer: bool,
    seen_else: bool,
}

impl<P: Clone> Blocks<P> {
    /// Whether lines count here.
    pub(crate) fn active(&self) -> bool {
        self.open.last().is_none_or(|block| block.active)
    }

    /// How deep we are.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Opens a block.
    pub(crate) fn open(&mut self, place: P, holds: bool) {
        let outer = self.active();
        self.open.push(Block {
            place,
            active: outer && holds,
            outer,
            seen_else: false,
        });
    }

    /// Turns to the other branch; `false` where no `else` may be.
    pub(crate) fn turn(&mut self) -> bool {
        let Some(block) = self.open.last_mut().filter(|block| !block.seen_else) else {
            return false;
        };
        block.seen_else = true;
        block.active = block.outer && !block.active;
        true
    }

    /// Closes a block; `false` when none is open.
    pub(crate) fn close(&mut self) -> bool {
        self.open.pop().is_some()
    }

    /// Where the blocks begin that are still open; closes them.
    pub(crate) fn unclosed(&mut self) -> Vec<P> {
        self.open.drain(..).map(|block| block.place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Blocks, Plugins};

    fn holds(condition: &str) -> Result<bool, crate::ruleset::expression::Malformed> {
        super::holds(condition, &Plugins::default())
    }

    #[test]
    fn loaded_plugins_are_all_there_are() {
        let mut plugins = Plugins::default();
        plugins.load("Mail::SpamAssassin::Plugin::DKIM");
        plugins.enable("welcomelist_blocklist");
        assert!(plugins.has("Mail::SpamAssassin::Plugin::DKIM") && !plugins.has("BodyEval"));
        for (condition, wanted) in [
            ("can(Mail::SpamAssassin::Plugin::DKIM::has_arc)", true),
            (
                "can(Mail::SpamAssassin::Plugin::BodyEval::has_check_body_length)",
                false,
            ),
            (
                "can(Mail::SpamAssassin::Conf::compat_welcomelist_blocklist)",
                true,
            ),
        ] {
            assert_eq!(super::holds(condition, &plugins), Ok(wanted), "{condition}");
        }
    }

    #[test]
    fn plugins_of_others_stay_unloaded() {
        let mut plugins = Plugins::default();
        plugins.load("Mail::SpamAssassin::Plugin::SH SH.pm");
        assert!(!plugins.has("Mail::SpamAssassin::Plugin::SH"));
        assert!(plugins.has("BodyEval"), "nothing is said about our own");
        assert_eq!(plugins.foreign_loaded().collect::<Vec<_>>(), ["SH"]);
        let stock: Vec<_> = super::PLUGINS.iter().collect();
        assert!(stock.iter().all(|name| Plugins::foreign(name).is_none()));
    }

    #[test]
    fn answers() {
        for (condition, wanted) in [
            ("(version >= 3.004000)", true),
            ("(version < 4.000000)", false),
            ("version == 4.000001", true),
            ("plugin(Mail::SpamAssassin::Plugin::MIMEHeader)", true),
            ("!plugin ( Mail::SpamAssassin::Plugin::DKIM )", true),
            ("can(Mail::SpamAssassin::Conf::feature_bug6558_free)", true),
            (
                "has(Mail::SpamAssassin::Conf::nothing) || perl_version >= 5.010000",
                true,
            ),
            ("local_tests_only && !0", true),
            (
                "has(Mail::SpamAssassin::Plugin::HeaderEval::no_such_function)",
                false,
            ),
            (
                "has(Mail::SpamAssassin::Plugin::HeaderEval::check_for_shifted_date)",
                true,
            ),
            (
                "can(Mail::SpamAssassin::Plugin::HeaderEval::check_for_shifted_date)",
                false,
            ),
            ("can(Mail::SpamAssassin::Conf::has_tflags_nosubject)", true),
            (
                "can(Mail::SpamAssassin::Plugin::MIMEHeader::has_tflags_range)",
                true,
            ),
            (
                "can(Mail::SpamAssassin::Plugin::DMARC::has_anything)",
                false,
            ),
        ] {
            assert_eq!(holds(condition), Ok(wanted), "{condition}");
        }
        assert!(holds("banana").is_err());
        assert!(holds("").is_err());
    }

    #[test]
    fn features_are_in_order() {
        assert!(super::FEATURES.is_sorted_by(|a, b| a < b));
    }

    /// As the reference keeps its answers.
    #[test]
    fn the_same_question_gets_the_same_answer() {
        let mut plugins = Plugins::default();
        let question = "plugin(Mail::SpamAssassin::Plugin::DKIM)";
        assert_eq!(plugins.holds(question), Ok(false));
        plugins.load("Mail::SpamAssassin::Plugin::DKIM");
        assert_eq!(
            (
                plugins.holds(question),
                plugins.holds(&format!("({question})"))
            ),
            (Ok(false), Ok(true))
        );
    }

    #[test]
    fn blocks_nest() {
        let mut blocks = Blocks { open: Vec::new() };
        blocks.open(1, false);
        blocks.open(2, true);
        assert!(!blocks.active());
        assert!(
            blocks.turn() && !blocks.active(),
            "an else in a skipped block stays skipped"
        );
        assert!(!blocks.turn(), "only one else");
        assert!(blocks.close() && blocks.turn() && blocks.active());
        assert_eq!(blocks.unclosed(), [1]);
        assert!(!blocks.close() && !blocks.turn());
    }
}
