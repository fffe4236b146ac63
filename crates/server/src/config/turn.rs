//! `[turn]`: the server's own STUN and TURN.

use std::{fmt, net::IpAddr, str::FromStr};

use toml::de::DeValue;

use super::schema::{Value, quote, section};

section! {
    /// STUN and TURN for calls inside this server: how two devices find a way to each other, and a
    /// relay where there is none. Clients learn of it by themselves (XEP-0215), with passwords made
    /// for each of them. It needs an address that the internet can reach; without one it stays
    /// closed. Its ports are `turn` and `turn_tls` in `[listen]`.
    pub struct Turn as "turn" {
        /// Whether there is a relay.
        pub enabled: bool = true;
        /// The addresses at which the relay can be reached from outside, without port. When the
        /// list is empty it is found out: an address of this machine, or the one that the domain
        /// has where the machine is behind a router that passes everything on.
        pub addresses: Vec<IpAddr> = Vec::new();
        /// A name that leads to these addresses and that the certificate is good for, when that is
        /// not the domain.
        pub name: Option<String> = None;
        /// The first port that relays use, over UDP. A firewall must let packets to these ports in.
        pub first_port: u64 = 49_152, in 1024..=65_535;
        /// The last one. Each relayed call takes a port or a few.
        pub last_port: u64 = 49_251, in 1024..=65_535;
        /// Relays that the devices of one account may have at a time.
        pub relays_per_account: u64 = 20, in 1..=10_000;
        /// Bytes per second of one relay, both ways together; what is more is dropped.
        pub bytes_per_second: u64 = 1_048_576, in 1024..=1_073_741_824;
        /// Networks that are not part of the open internet and may be reached through the relay,
        /// such as "192.168.1.0/24". With such a network, everybody with an account can send packets
        /// into it.
        pub private_networks: Vec<Network> = Vec::new();
    }
}

/// A range of addresses, written as an address and how many of its bits are fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Whether an address is in the range.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(ip)) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                network.to_bits() & mask == ip.to_bits() & mask
            }
            (IpAddr::V6(network), IpAddr::V6(ip)) => {
                let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
                network.to_bits() & mask == ip.to_bits() & mask
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = text.split_once('/').ok_or(())?;
        let address: IpAddr = address.parse().map_err(drop)?;
        let bits: u32 = bits.parse().map_err(drop)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        if bits > most { Err(()) } else { Ok(Self { address, bits }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.bits)
    }
}

impl Value for Network {
    fn allowed() -> String {
        "a network such as \"192.168.1.0/24\" or \"fd00::/8\"".to_owned()
    }

    fn read(value: &DeValue<'_>) -> Result<Self, ()> {
        value.as_str().ok_or(())?.parse()
    }

    fn show(&self) -> Option<String> {
        Some(quote(&self.to_string()))
    }
}

impl Value for IpAddr {
    fn allowed() -> String {
        "an address such as \"192.0.2.1\" or \"2001:db8::1\"".to_owned()
    }

    fn read(value: &DeValue<'_>) -> Result<Self, ()> {
        value.as_str().and_then(|text| text.parse().ok()).ok_or(())
    }

    fn show(&self) -> Option<String> {
        Some(quote(&self.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_network_holds_its_addresses() {
        let holds = |network: &str, ip: &str| {
            network.parse::<Network>().unwrap().contains(ip.parse().unwrap())
        };
        assert!(holds("192.168.1.0/24", "192.168.1.77") && !holds("192.168.1.0/24", "192.168.2.1"));
        assert!(holds("10.0.0.1/32", "10.0.0.1") && !holds("10.0.0.1/32", "10.0.0.2"));
        assert!(holds("0.0.0.0/0", "1.2.3.4") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("127.0.0.0/8", "::ffff:127.0.0.1"));
        assert!(holds("fd00::/8", "fd12::1") && !holds("fd00::/8", "fe80::1"));
        assert!(holds("::/0", "2001:db8::1"));
        for bad in ["", "192.168.1.0", "192.168.1.0/33", "::/129", "x/8", "10.0.0.0/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_section_is_read_and_its_ports_are_in_order() {
        let read = |lines: &str| {
            Config::parse(&format!("domain = \"a.example\"\n[turn]\n{lines}\n")).map_err(drop)
        };
        let config = read(
            "addresses = [\"192.0.2.1\", \"2001:db8::1\"]\nprivate_networks = [\"10.0.0.0/8\"]",
        );
        assert_eq!(config.unwrap().turn.addresses.len(), 2);
        assert!(read("first_port = 50000\nlast_port = 49999").is_err());
        assert!(read("addresses = [\"a.example\"]").is_err());
    }
}
