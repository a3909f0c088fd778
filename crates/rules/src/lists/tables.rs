//! The tables that settings fill.

use std::collections::{BTreeMap, BTreeSet};

use super::freemail::FreeMail;
use super::networks::Networks;
use super::replacements::Replacements;
use gatepost_byte_regex::FirstGroup;
use gatepost_words::glob::matches as matches_glob;

/// Entries of all lists together; what comes beyond is not kept.
pub(super) const ENTRIES_LIMIT: usize = 500_000;
/// Fields that name the client of a web mailer, where no setting names others.
const ORIGINATING_IP_FIELDS: &[&str] = &[
    "X-Yahoo-Post-IP",
    "X-Originating-IP",
    "X-Apparently-From",
    "X-SenderIP",
    "X-AOL-IP",
];

/// What the settings said.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    freemail: FreeMail,
    /// Top-level, two-level and three-level registries.
    registries: [BTreeSet<String>; 3],
    /// Globs of addresses, of subjects and of relays by the name of their list, such as
    /// `welcomelist_from`.
    globs: BTreeMap<String, BTreeSet<String>>,
    /// Globs of addresses with the relay that must bring them.
    received: BTreeMap<String, Vec<(String, String)>>,
    /// Hosts by list; `false` for those that are excepted.
    hosts: BTreeMap<String, BTreeMap<String, bool>>,
    trusted: Networks,
    internal: Networks,
    submission: Networks,
    /// `None`: the usual ones.
    originating_ip_fields: Option<Vec<String>>,
    always_trust_envelope_sender: bool,
    replacements: Replacements,
    /// The rules in which tags are replaced.
    pub(crate) replaced_rules: BTreeSet<String>,
    /// URLs that only lead on to another, which the first group is.
    redirectors: Vec<FirstGroup>,
    entries: usize,
}

/// `whitelist_…` and `blacklist_…` under their present names.
fn present_name(key: &str) -> String {
    key.replace("whitelist", "welcomelist")
        .replace("blacklist", "blocklist")
}

impl Lists {
    /// Takes a setting; `false` when it is none of these, or its value does not fit.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> bool {
        let key = present_name(key);
        if self.entries > ENTRIES_LIMIT {
            return false;
        }
        self.entries += value.split_whitespace().count();
        self.set_networks(&key, value)
            .or_else(|| self.set_addresses(&key, value))
            .unwrap_or_else(|| self.set_table(&key, value))
    }

    fn set_table(&mut self, key: &str, value: &str) -> bool {
        match key {
            "freemail_domains" => self.freemail.add(words(value)),
            "freemail_welcomelist" => self.freemail.except(words(value)),
            "util_rb_tld" => self.add_registries(0, value),
            "util_rb_2tld" => self.add_registries(1, value),
            "util_rb_3tld" => self.add_registries(2, value),
            "clear_util_rb" => self.registries = Default::default(),
            "redirector_pattern" => self.redirectors.extend(FirstGroup::compile(value)),
            "replace_rules" => self
                .replaced_rules
                .extend(value.split_whitespace().map(str::to_owned)),
            "replace_tag" | "replace_pre" | "replace_inter" | "replace_post" => {
                self.replacements.define(key, value);
            }
            "enlist_addrlist" | "enlist_uri_host" | "delist_uri_host" => {
                return self.enlist(key, value);
            }
            "welcomelist_uri_host" => {
                return self.enlist("enlist_uri_host", &format!("(WELCOME) {value}"));
            }
            "blocklist_uri_host" => {
                return self.enlist("enlist_uri_host", &format!("(BLOCK) {value}"));
            }
            _ => return false,
        }
        true
    }

    /// Lists of globs; `None` when the key names none.
    fn set_addresses(&mut self, key: &str, value: &str) -> Option<bool> {
        match key {
            "welcomelist_from"
            | "welcomelist_to"
            | "blocklist_from"
            | "blocklist_to"
            | "more_spam_to"
            | "all_spam_to"
            | "welcomelist_allows_relays"
            | "welcomelist_bounce_relays" => self
                .globs
                .entry(key.to_owned())
                .or_default()
                .extend(words(value)),
            // A subject has blanks; the glob may be anywhere in it.
            "welcomelist_subject" | "blocklist_subject" => {
                let glob = format!("*{}*", value.trim().to_lowercase());
                self.globs.entry(key.to_owned()).or_default().insert(glob);
            }
            "welcomelist_from_rcvd" | "def_welcomelist_from_rcvd" => {
                let mut pieces = words(value);
                let pair = pieces.next().zip(pieces.next());
                let fits = pair.is_some() && pieces.next().is_none();
                self.received
                    .entry(key.to_owned())
                    .or_default()
                    .extend(pair);
                return Some(fits);
            }
            "unwelcomelist_from_rcvd" => {
                for list in ["welcomelist_from_rcvd", "def_welcomelist_from_rcvd"] {
                    let gone: BTreeSet<String> = words(value).collect();
                    self.received
                        .entry(list.to_owned())
                        .or_default()
                        .retain(|(glob, _)| !gone.contains(glob));
                }
            }
            "unwelcomelist_from" | "unwelcomelist_to" | "unblocklist_from" | "unblocklist_to" => {
                let list = self
                    .globs
                    .entry(key.trim_start_matches("un").to_owned())
                    .or_default();
                for word in words(value) {
                    list.remove(&word);
                }
            }
            _ => return None,
        }
        Some(true)
    }

    /// Settings of networks and relays; `None` when the key names none.
    fn set_networks(&mut self, key: &str, value: &str) -> Option<bool> {
        let networks = match key.trim_start_matches("clear_") {
            "trusted_networks" => &mut self.trusted,
            "internal_networks" => &mut self.internal,
            "msa_networks" => &mut self.submission,
            "originating_ip_headers" => {
                let fields = self.originating_ip_fields.get_or_insert_default();
                if key.starts_with("clear_") {
                    fields.clear();
                }
                let new: Vec<String> = value
                    .split_whitespace()
                    .map(|name| name.trim_end_matches(':').to_owned())
                    .collect();
                fields.extend(new);
                return Some(true);
            }
            "always_trust_envelope_sender" => {
                self.always_trust_envelope_sender = value.trim() == "1";
                return Some(matches!(value.trim(), "0" | "1"));
            }
            _ => return None,
        };
        if key.starts_with("clear_") {
            networks.clear();
        }
        Some(networks.add(value))
    }

    /// The networks that the site trusts and that are its own, and those of its submission servers;
    /// `None` when no setting tells of them. One of the first two stands for the other when
    /// that is missing.
    pub(crate) fn networks(&self) -> Option<[&Networks; 3]> {
        let (trusted, internal) = match (self.trusted.is_empty(), self.internal.is_empty()) {
            (true, true) => return None,
            (true, false) => (&self.internal, &self.internal),
            (false, true) => (&self.trusted, &self.trusted),
            (false, false) => (&self.trusted, &self.internal),
        };
        Some([trusted, internal, &self.submission])
    }

    /// Fields that hold the address of a web mailer's client.
    pub(crate) fn originating_ip_fields(&self) -> Vec<&str> {
        match &self.originating_ip_fields {
            Some(fields) => fields.iter().map(String::as_str).collect(),
            None => ORIGINATING_IP_FIELDS.to_vec(),
        }
    }

    fn add_registries(&mut self, level: usize, value: &str) {
        if let Some(set) = self.registries.get_mut(level) {
            set.extend(words(value));
        }
    }

    /// Takes `(NAME) entry…`; `false` when the name is missing.
    fn enlist(&mut self, key: &str, value: &str) -> bool {
        let Some((list, entries)) = value
            .trim_start()
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'))
        else {
            return false;
        };
        let list = list.trim().to_uppercase();
        if key == "enlist_addrlist" {
            self.globs.entry(list).or_default().extend(words(entries));
            return true;
        }
        let hosts = self.hosts.entry(list).or_default();
        for word in words(entries) {
            let (is_wanted, host) = word
                .strip_prefix('!')
                .map_or((true, word.as_str()), |host| (false, host));
            if key == "enlist_uri_host" {
                hosts.insert(host.to_owned(), is_wanted);
            } else {
                hosts.remove(host);
            }
        }
        true
    }

    /// Whether the list of that name has anything.
    pub(crate) fn has_list(&self, list: &str) -> bool {
        self.globs.get(list).is_some_and(|globs| !globs.is_empty())
    }

    /// Whether a glob of the list of that name fits an address, a subject or a host.
    pub(crate) fn lists(&self, list: &str, text: &str) -> bool {
        let text = text.to_lowercase();
        self.globs
            .get(list)
            .is_some_and(|globs| globs.iter().any(|glob| matches_glob(glob, &text)))
    }

    /// The relays that may bring mail of that address, of one list.
    pub(crate) fn relays_of<'l>(&'l self, list: &str, address: &str) -> Vec<&'l str> {
        let pairs = self.received.get(list).into_iter().flatten();
        pairs
            .filter(|(glob, _)| matches_glob(glob, address))
            .map(|(_, relay)| relay.as_str())
            .collect()
    }

    /// Whether a host or a domain above it is in the list of that name, and not excepted; the
    /// nearest entry decides.
    pub(crate) fn has_host(&self, list: &str, host: &str) -> bool {
        let Some(hosts) = self.hosts.get(list) else {
            return false;
        };
        let mut rest = host;
        loop {
            if let Some(wanted) = hosts.get(rest) {
                return *wanted;
            }
            match rest.split_once('.') {
                Some((_, above)) => rest = above,
                None => return false,
            }
        }
    }

    /// Whether an address (lower case) is of a free mail hoster.
    pub(crate) fn is_freemail(&self, address: &str) -> bool {
        self.freemail.has(address)
    }

    /// The definition of a rule with its tags replaced.
    pub(crate) fn expanded(&self, definition: &str) -> String {
        self.replacements.expanded(definition)
    }

    /// Where a redirector leads: by the first pattern that matches with a group with a dot.
    pub(crate) fn redirect_target(&self, url: &str) -> Option<String> {
        let targets = self
            .redirectors
            .iter()
            .filter_map(|pattern| pattern.find(url.as_bytes()));
        targets
            .map(String::from_utf8_lossy)
            .find(|target| target.contains('.'))
            .map(std::borrow::Cow::into_owned)
    }

    /// Whether it is a top-level domain. Where no setting lists them, those for documentation (RFC
    /// 2606 §2) count too, so that rules can be tested with them.
    pub(crate) fn is_tld(&self, tld: &str) -> bool {
        match self.registries.first() {
            Some(set) if !set.is_empty() => set.contains(tld),
            _ if matches!(tld, "example" | "test" | "invalid") => true,
            _ => gatepost_mail::public_suffix(tld).is_some_and(|suffix| suffix.is_listed),
        }
    }

    /// The registered domain of a host in lower case: one label more than the longest registry
    /// above it. Without tables of our own, as the public suffix list has it.
    pub(crate) fn registered(&self, host: &str) -> Option<String> {
        let [top, two, three] = &self.registries;
        if top.is_empty() {
            return gatepost_mail::registrable_domain(host).map(str::to_owned);
        }
        // The labels from the right: one, two, three, four of them.
        let mut tails = [host; 4];
        let mut starts = host.rmatch_indices('.').map(|(at, _)| at + 1);
        for tail in &mut tails {
            *tail = starts.next().and_then(|at| host.get(at..)).unwrap_or(host);
        }
        let [one, second, third, fourth] = tails;
        if !top.contains(one) {
            return None;
        }
        let domain = match () {
            () if three.contains(third) => fourth,
            () if two.contains(second) => third,
            () => second,
        };
        (host.contains('.') && !self.is_registry(domain)).then(|| domain.to_owned())
    }

    fn is_registry(&self, name: &str) -> bool {
        self.registries.iter().any(|set| set.contains(name))
    }
}

fn words(value: &str) -> impl Iterator<Item = String> {
    value.split_whitespace().map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::{ENTRIES_LIMIT, Lists};

    fn lists(settings: &[(&str, &str)]) -> Lists {
        let mut lists = Lists::default();
        for (key, value) in settings {
            assert!(lists.set(key, value), "{key}");
        }
        lists
    }

    #[test]
    fn registered_domains() {
        let lists = lists(&[
            ("util_rb_tld", "com uk"),
            ("util_rb_2tld", "co.uk"),
            ("util_rb_3tld", "x.co.uk"),
        ]);
        for (host, wanted) in [
            ("a.b.co.uk", Some("b.co.uk")),
            ("b.co.uk", Some("b.co.uk")),
            ("co.uk", None),
            ("a.b.x.co.uk", Some("b.x.co.uk")),
            ("www.example.com", Some("example.com")),
            ("com", None),
            ("x.zz", None),
            ("", None),
        ] {
            assert_eq!(lists.registered(host).as_deref(), wanted, "{host}");
        }
    }

    #[test]
    fn hosts_and_addresses_are_listed() {
        let mut lists = lists(&[
            ("enlist_uri_host", "(good) example.com !bad.example.com"),
            ("blacklist_uri_host", "example.net"),
            (
                "enlist_addrlist",
                "(BOSSES) boss@example.com *@board.example",
            ),
            ("blacklist_from", "*@example.net ?@example.org"),
            ("unblacklist_from", "?@example.org"),
            ("welcomelist_subject", "Order No ?"),
        ]);
        for (list, host, wanted) in [
            ("GOOD", "www.example.com", true),
            ("GOOD", "x.bad.example.com", false),
            ("GOOD", "com", false),
            ("BLOCK", "example.net", true),
            ("WELCOME", "example.net", false),
        ] {
            assert_eq!(lists.has_host(list, host), wanted, "{list} {host}");
        }
        for (list, text, wanted) in [
            ("blocklist_from", "A@example.net", true),
            ("blocklist_from", "a@example.org", false),
            ("BOSSES", "x@BOARD.example", true),
            ("BOSSES", "x@example.com", false),
            ("welcomelist_subject", "re: order no 7", true),
            ("welcomelist_subject", "order", false),
            ("nowhere", "a", false),
        ] {
            assert_eq!(lists.lists(list, text), wanted, "{list} {text}");
        }
        assert!(
            lists.set("delist_uri_host", "(GOOD) example.com")
                && !lists.has_host("GOOD", "example.com")
        );
        assert!(lists.has_list("BOSSES") && !lists.has_list("welcomelist_from"));
        assert!(!lists.set("enlist_uri_host", "example.com") && !lists.set("banana", "1"));
    }

    #[test]
    fn relays_may_bring_mail() {
        let mut lists = lists(&[("whitelist_from_rcvd", "*@example.com example.net")]);
        assert_eq!(
            lists.relays_of("welcomelist_from_rcvd", "a@example.com"),
            ["example.net"]
        );
        assert!(
            lists
                .relays_of("welcomelist_from_rcvd", "a@example.org")
                .is_empty()
        );
        assert!(lists.set("unwhitelist_from_rcvd", "*@example.com"));
        assert!(
            lists
                .relays_of("welcomelist_from_rcvd", "a@example.com")
                .is_empty()
        );
        assert!(!lists.set("whitelist_from_rcvd", "*@example.com"));
    }

    #[test]
    fn networks_stand_for_each_other() {
        let mut lists = Lists::default();
        assert!(lists.networks().is_none());
        assert!(lists.set("internal_networks", "192.0.2.0/24"));
        assert!(
            lists.networks().is_some_and(
                |[trusted, internal, _]| trusted == internal && trusted.has("192.0.2.1")
            )
        );
        assert!(lists.set("trusted_networks", "192.0.2.0/24 198.51.100.1"));
        assert!(lists.networks().is_some_and(|[trusted, internal, _]| {
            trusted.has("198.51.100.1") && !internal.has("198.51.100.1")
        }));
        assert!(
            lists.set("clear_trusted_networks", "") && lists.set("clear_internal_networks", "")
        );
        assert!(lists.networks().is_none() && !lists.set("trusted_networks", "nonsense"));
        assert_eq!(lists.originating_ip_fields().len(), 5);
        assert!(
            lists.set("clear_originating_ip_headers", "")
                && lists.set("originating_ip_headers", "X-Client:")
        );
        assert_eq!(lists.originating_ip_fields(), ["X-Client"]);
    }

    #[test]
    fn entries_are_limited() {
        let mut lists = Lists {
            entries: ENTRIES_LIMIT,
            ..Lists::default()
        };
        assert!(lists.set("freemail_domains", "example.com"));
        assert!(!lists.set("freemail_domains", "example.net"));
        assert!(lists.is_freemail("a@example.com") && !lists.is_freemail("a@example.net"));
    }
}
