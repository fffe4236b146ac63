//! What one client, one address or one account may use in a time: rates of a connection and of all
//! connections of an account or a domain, how many connections there may be, how often a password may
//! be guessed, how often a form may be sent.
//! Everything here keeps a bounded amount of memory, no address in full, and is switched off by
//! `[limits] throttle = false`.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hash},
    net::{IpAddr, Ipv6Addr},
};

pub use self::{
    bucket::{Bucket, Pace},
    credit::Credit,
    gate::{Admission, Gate, Refusal},
    paces::Paces,
    quota::Quota,
    throttle::{LoginThrottle, Verdict},
};

mod bucket;
mod credit;
mod gate;
mod paces;
mod quota;
mod throttle;

/// The part of an address that one household or one machine has to itself.
fn address_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(masked(v6, 64)),
        v4 => v4,
    }
}

/// The part of an address that one provider gives to one customer at most: IPv4 /24, IPv6 /48.
fn network_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            IpAddr::from([a, b, c, 0])
        }
        IpAddr::V6(v6) => IpAddr::V6(masked(v6, 48)),
    }
}

fn masked(address: Ipv6Addr, prefix: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - prefix)))
}

/// Turns what is counted into a number that says nothing about it outside this process.
#[derive(Debug, Default)]
struct Blind(RandomState);

impl Blind {
    fn key(&self, value: impl Hash) -> u64 {
        self.0.hash_one(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_household_counts_as_one_address() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(address_of(ip("2001:db8:1:2:3::4")), ip("2001:db8:1:2::"));
        assert_eq!(network_of(ip("2001:db8:1:2:3::4")), ip("2001:db8:1::"));
        assert_eq!(address_of(ip("::ffff:192.0.2.7")), ip("192.0.2.7"));
        assert_eq!(network_of(ip("192.0.2.7")), ip("192.0.2.0"));
    }
}
