//! Addresses of networks that the public Internet does not route.

use std::net::{IpAddr, Ipv6Addr};

/// Whether it is the address of a private network, of a link or of the machine itself (RFC 1918, 3927, 4193, 6598).
pub(in crate::rules) fn is_private(ip: &str) -> bool {
    match ip.parse() {
        Ok(IpAddr::V4(ip)) => {
            let [a, b, ..] = ip.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || is_shared
        }
        Ok(IpAddr::V6(ip)) => ip == Ipv6Addr::LOCALHOST || ip.is_unique_local() || ip.is_unicast_link_local(),
        Err(_) => false,
    }
}
