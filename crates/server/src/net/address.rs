//! Which addresses belong to the open internet. Users and other servers say where this server connects to,
//! and what does not belong to it could be something that only this machine can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Of the addresses that a name leads to, those that may be connected to: all with `private`, or else the
/// public ones.
pub fn permitted(
    found: impl IntoIterator<Item = SocketAddr>,
    private: bool,
) -> impl Iterator<Item = SocketAddr> {
    found.into_iter().filter(move |address| private || is_public(address.ip()))
}

/// Whether an address belongs to the open internet.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 240;
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    // NAT64 (RFC 6052): the address behind it counts.
    if [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0] {
        let [[i, j], [k, l]] = [g.to_be_bytes(), h.to_be_bytes()];
        return is_public_v4(Ipv4Addr::new(i, j, k, l));
    }
    // Global unicast addresses only (RFC 4291 §2.4), without tunnels, tests (RFC 2928) and examples.
    let global = a & 0xe000 == 0x2000;
    let tunnel = a == 0x2002 || (a == 0x2001 && b < 0x200);
    let example = (a == 0x2001 && b == 0xdb8) || a & 0xfff0 == 0x3ff0;
    global && !tunnel && !example
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_open_internet_are_told_from_others() {
        for public in ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.1.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:192.168.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::808:808",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[test]
    fn of_several_addresses_the_public_ones_are_left() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let found = ["10.0.0.1:1", "8.8.8.8:1", "[::1]:1"].map(address);
        let public: Vec<SocketAddr> = permitted(found, false).collect();
        assert_eq!(public, [address("8.8.8.8:1")]);
        assert_eq!(permitted(found, true).count(), 3);
    }
}
