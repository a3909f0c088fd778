//! The table of functions: ours here, with those of SpamAssassin and those that ask the network.

use super::network::NETWORK;
use super::signature::Kind::{self, Anomaly, Number, Text, Word};
use super::signature::{Eval, eval};
use super::spamassassin::SPAMASSASSIN;
use super::{client_names, envelope, header, html, mime};
use gatepost_words::Stage::{EndOfHeaders as Header, EndOfMessage as Whole};

/// Every function, sorted by name.
const EVALS: &[Eval] = &[
    eval(
        "check_anomaly",
        &[Anomaly],
        Whole,
        "The message has that anomaly (see `gatepost explain bare_cr` and the like).",
        header::anomaly,
    ),
    eval(
        "check_attachment_name",
        &[Kind::Pattern],
        Whole,
        "The file name of an attachment matches.",
        mime::attachment_name,
    ),
    eval(
        "check_attachment_type",
        &[Kind::Pattern],
        Whole,
        "The media type (`main/sub`, lower case) of an entity that is not multipart matches.",
        mime::attachment_type,
    ),
    eval(
        "check_authenticated",
        &[],
        Header,
        "The client logged in.",
        envelope::authenticated,
    ),
    eval(
        "check_client_has_no_name",
        &[],
        Header,
        "The client's address has no name in the DNS; only with `dns.client_names`.",
        client_names::has_no_name,
    ),
    eval(
        "check_client_host",
        &[Kind::Pattern],
        Header,
        "The client's verified host name (`unknown` where there is none) matches.",
        envelope::client_host,
    ),
    eval(
        "check_client_name_confirmed",
        &[],
        Header,
        "A name of the client's address has that address in the DNS; only with `dns.client_names`.",
        client_names::name_confirmed,
    ),
    eval(
        "check_client_name_unconfirmed",
        &[],
        Header,
        "No name of the client's address has that address in the DNS; only with `dns.client_names`.",
        client_names::name_unconfirmed,
    ),
    eval(
        "check_for_from_to_same",
        &[],
        Header,
        "The author's address is also the only recipient in the header.",
        header::from_to_same,
    ),
    eval(
        "check_for_missing_to_header",
        &[],
        Header,
        "There is no To (nor Apparently-To) field, or it is empty.",
        header::missing_to,
    ),
    eval(
        "check_for_no_rdns",
        &[],
        Header,
        "The client has no verified host name.",
        envelope::no_rdns,
    ),
    eval(
        "check_for_to_in_subject",
        &[Word(&["address", "user"])],
        Header,
        "The subject holds the recipient's address, or its part before the @.",
        header::to_in_subject,
    ),
    eval(
        "check_from_differs_from_reply_to",
        &[],
        Header,
        "Reply-To leads to another registered domain than From.",
        header::reply_to_differs,
    ),
    eval(
        "check_from_name_has_address",
        &[],
        Header,
        "The display name of From shows an address of another registered domain.",
        header::from_name_has_address,
    ),
    eval(
        "check_header_count_range",
        &[Text, Number, Number],
        Header,
        "That field stands at least MIN and at most MAX times in the header.",
        header::count_range,
    ),
    eval(
        "check_helo",
        &[Kind::Pattern],
        Header,
        "The argument of HELO or EHLO matches.",
        envelope::helo,
    ),
    eval(
        "check_illegal_chars",
        &[Text, Number, Number],
        Header,
        "The raw field (or ALL) has that ratio and that count of bytes above 127.",
        header::illegal_chars,
    ),
    eval(
        "check_null_sender",
        &[],
        Header,
        "The envelope's sender is empty, as in delivery reports.",
        envelope::null_sender,
    ),
    eval(
        "check_own_client",
        &[],
        Header,
        "The client logged in, has a private address, or is on this machine.",
        envelope::own_client,
    ),
    eval(
        "check_recipient_count",
        &[Number, Number],
        Header,
        "The envelope has at least MIN and at most MAX recipients.",
        envelope::recipient_count,
    ),
    eval(
        "html_has",
        &[Word(html::TRAITS)],
        Whole,
        "An HTML text has such a thing.",
        html::has,
    ),
    eval(
        "html_hidden_ratio",
        &[Number, Number],
        Whole,
        "The hidden part of all HTML text lies within MIN (inclusive) and MAX (inclusive); 1 is all of it.",
        html::hidden_ratio,
    ),
    eval(
        "html_link_mismatch",
        &[],
        Whole,
        "The text of a link shows another registered domain than the one it leads to.",
        html::link_mismatch,
    ),
    eval(
        "html_title",
        &[Kind::Pattern],
        Whole,
        "The title of an HTML text matches.",
        html::title,
    ),
];

/// Every function.
pub(crate) fn all() -> impl Iterator<Item = &'static Eval> {
    EVALS.iter().chain(SPAMASSASSIN).chain(NETWORK)
}

/// The function of that name; `whitelist` and `blacklist` are old names of `welcomelist` and
/// `blocklist`.
pub(crate) fn find(name: &str) -> Option<&'static Eval> {
    let present = name
        .replace("whitelist", "welcomelist")
        .replace("blacklist", "blocklist");
    let among = |table: &'static [Eval]| {
        table
            .binary_search_by(|eval| eval.name.cmp(&present))
            .ok()
            .and_then(|index| table.get(index))
    };
    among(EVALS)
        .or_else(|| among(SPAMASSASSIN))
        .or_else(|| among(NETWORK))
}

/// Whether a function asks the network or a store, so that it never hits here.
pub(crate) fn asks_network(eval: &Eval) -> bool {
    NETWORK.iter().any(|one| one.name == eval.name)
}

#[cfg(test)]
mod tests {
    use super::{EVALS, all, find};
    use crate::evals::network::NETWORK;
    use crate::evals::signature::BadCall;
    use crate::evals::spamassassin::SPAMASSASSIN;

    #[test]
    fn the_table_is_sorted() {
        assert!(EVALS.is_sorted_by(|a, b| a.name < b.name));
        assert!(SPAMASSASSIN.is_sorted_by(|a, b| a.name < b.name));
        assert!(NETWORK.is_sorted_by(|a, b| a.name < b.name));
        assert!(all().all(|eval| eval.summary.ends_with('.')));
        assert!(find("html_has").is_some() && find("nope").is_none());
    }

    #[test]
    fn arguments_are_checked() {
        let fits = |name: &str, text: &str| find(name).unwrap().arguments(text).is_ok();
        assert!(fits("check_anomaly", "'bare_cr'") && !fits("check_anomaly", "'bare_crx'"));
        assert!(
            fits("check_for_shifted_date", "'96', 'undef'")
                && !fits("check_for_shifted_date", "'96'")
        );
        assert!(!fits("subject_is_all_caps", "1") && fits("subject_is_all_caps", ""));
        assert!(fits("html_has", "'form'") && !fits("html_has", "'banana'"));
        let bad = find("check_helo").unwrap().arguments("'/a(/'");
        assert!(matches!(bad, Err(BadCall::Pattern(1, problem)) if problem.span == (2..3)));
    }
}
