//! Registered domains (the public suffix and one label more).

/// The registered domain of a host or of what is after the @ of an address, in lower case.
pub(super) fn registered_domain(address: &str) -> Option<String> {
    let host = address
        .rsplit('@')
        .next()
        .unwrap_or(address)
        .trim_end_matches('.')
        .to_ascii_lowercase();
    gatepost_mail::registrable_domain(&host).map(str::to_owned)
}
