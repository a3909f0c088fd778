//! Domains and how they relate. Only the relation reaches the model, never the name.

use gatepost_mail::registrable_domain;

/// The registrable domain (public suffix list) of `host` in lower case; the host itself where there
/// is none.
pub(super) fn registrable(host: &str) -> String {
    let host = host.trim_matches('.').to_ascii_lowercase();
    registrable_domain(&host).map(str::to_owned).unwrap_or(host)
}

/// 1 where both belong to the same organisation, -1 where they do not, 0 where one is not known.
pub(super) fn relation(left: Option<&str>, right: Option<&str>) -> f32 {
    match (left, right) {
        (Some(left), Some(right)) if !left.is_empty() && !right.is_empty() => {
            if left == right {
                1.0
            } else {
                -1.0
            }
        }
        _ => 0.0,
    }
}

/// The registrable domain of an address such as `a@b.example`.
pub(super) fn of_address(address: &str) -> Option<String> {
    let (_, host) = address.rsplit_once('@')?;
    let host = host.trim_matches(|c: char| c == '>' || c == '<' || c.is_whitespace());
    (!host.is_empty()).then(|| registrable(host))
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;

    #[test]
    fn relations() {
        let a = of_address("x@mail.example.com");
        let b = of_address("<y@EXAMPLE.com>");
        let c = of_address("z@example.net");
        assert_eq!(relation(a.as_deref(), b.as_deref()), 1.0);
        assert_eq!(relation(a.as_deref(), c.as_deref()), -1.0);
        assert_eq!(relation(a.as_deref(), None), 0.0);
        assert_eq!(of_address("postmaster"), None);
        assert_eq!(registrable("a.b.example.co.uk"), "example.co.uk");
    }
}
