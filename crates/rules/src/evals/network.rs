//! Functions that ask the network or a store of what was learned. Judging asks no one, so that they
//! never hit; what the world says of a message comes as facts.

use super::signature::Kind::Text;
use super::signature::{Arguments, Eval, optional};
use crate::views::lazy::Views;
use gatepost_words::Stage::EndOfHeaders;

/// Every such function of SpamAssassin, sorted by name.
pub(super) const NETWORK: &[Eval] = &[
    asks("check_access_database"),
    asks("check_arc_signed"),
    asks("check_arc_valid"),
    asks("check_bayes"),
    asks("check_dcc"),
    asks("check_dcc_reputation_range"),
    asks("check_dkim_adsp"),
    asks("check_dkim_dependable"),
    asks("check_dkim_signall"),
    asks("check_dkim_signed"),
    asks("check_dkim_signsome"),
    asks("check_dkim_testing"),
    asks("check_dkim_valid"),
    asks("check_dkim_valid_author_sig"),
    asks("check_dkim_valid_envelopefrom"),
    asks("check_dmarc_missing"),
    asks("check_dmarc_none"),
    asks("check_dmarc_pass"),
    asks("check_dmarc_quarantine"),
    asks("check_dmarc_reject"),
    asks("check_dns_sender"),
    asks("check_for_def_dkim_welcomelist_from"),
    asks("check_for_def_spf_welcomelist_from"),
    asks("check_for_dkim_welcomelist_from"),
    asks("check_for_spf_fail"),
    asks("check_for_spf_helo_fail"),
    asks("check_for_spf_helo_neutral"),
    asks("check_for_spf_helo_none"),
    asks("check_for_spf_helo_pass"),
    asks("check_for_spf_helo_permerror"),
    asks("check_for_spf_helo_softfail"),
    asks("check_for_spf_helo_temperror"),
    asks("check_for_spf_neutral"),
    asks("check_for_spf_none"),
    asks("check_for_spf_pass"),
    asks("check_for_spf_permerror"),
    asks("check_for_spf_softfail"),
    asks("check_for_spf_temperror"),
    asks("check_for_spf_welcomelist_from"),
    asks("check_from_in_auto_welcomelist"),
    asks("check_hashbl_bodyre"),
    asks("check_hashbl_emails"),
    asks("check_hashbl_tag"),
    asks("check_hashbl_uris"),
    asks("check_pyzor"),
    asks("check_razor2"),
    asks("check_razor2_range"),
    asks("check_rbl"),
    asks("check_rbl_accreditor"),
    asks("check_rbl_envfrom"),
    asks("check_rbl_from_domain"),
    asks("check_rbl_from_host"),
    asks("check_rbl_headers"),
    asks("check_rbl_ns_from"),
    asks("check_rbl_rcvd"),
    asks("check_rbl_sub"),
    asks("check_rbl_swe"),
    asks("check_rbl_txt"),
    asks("check_senders_reputation"),
    asks("check_uridnsbl"),
];

const fn asks(name: &'static str) -> Eval {
    const TEXTS: &[crate::evals::signature::Kind] = &[Text; 16];
    optional(
        name,
        TEXTS,
        0,
        EndOfHeaders,
        "Asks the network or what was learned; while judging it never hits.",
        never,
    )
}

fn never(_: &Views<'_>, _: &Arguments) -> bool {
    false
}
