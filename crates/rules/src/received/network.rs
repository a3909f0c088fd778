//! Addresses of networks that the public Internet does not route.

use std::net::IpAddr;

/// Whether it is the address of a private network, of a carrier's shared network, of a link or of
/// the machine itself (RFC 1918, 3927, 4193, 4291 §2.5.6, 6598). An IPv4 address that is written as
/// one of IPv6 is that IPv4 address.
pub(crate) fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || is_shared
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// The same of the text of an address; what is none is not private.
pub(crate) fn is_private_text(ip: &str) -> bool {
    ip.parse().is_ok_and(is_private)
}
