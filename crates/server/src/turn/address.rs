//! At which addresses the internet reaches this machine.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use crate::{config::Config, dns, net::address::is_public};

/// Where the relay is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The addresses: none, or one of each kind.
    pub addresses: Vec<IpAddr>,
    /// The name that leads to all of them, where one does.
    pub name: Option<String>,
}

impl Found {
    /// The address of a kind.
    #[must_use]
    pub fn of(&self, v6: bool) -> Option<IpAddr> {
        self.addresses.iter().copied().find(|ip| ip.is_ipv6() == v6)
    }

    /// Whether an address is one of the relay's.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.addresses.contains(&ip)
    }

    /// Where clients are sent: the name, or the addresses themselves.
    #[must_use]
    pub fn hosts(&self) -> Vec<String> {
        match &self.name {
            Some(name) => vec![name.clone()],
            None => self.addresses.iter().map(ToString::to_string).collect(),
        }
    }
}

/// What the configuration says of them, which needs no looking.
#[must_use]
pub fn configured(config: &Config) -> Found {
    let turn = &config.turn;
    if !turn.enabled {
        return Found::default();
    }
    let addresses = one_of_each(turn.addresses.iter().copied());
    let name = turn.name.clone().filter(|_| !addresses.is_empty());
    Found { addresses, name }
}

/// Looks for them: what the configuration says, what this machine has, what the domain has.
pub async fn find(config: &Config) -> Found {
    let turn = &config.turn;
    let known = configured(config);
    if !turn.enabled || known.name.is_some() {
        return known;
    }
    let name = turn.name.clone().or_else(|| idna::domain_to_ascii(&config.domain).ok());
    let named: Vec<IpAddr> = match &name {
        Some(name) => {
            let found = dns::addresses(name, PORT, PATIENCE).await;
            found.into_iter().map(|address| address.ip().to_canonical()).collect()
        }
        None => Vec::new(),
    };
    let addresses = match known.addresses.is_empty() {
        false => known.addresses,
        true => {
            let own = [local(false), local(true)].into_iter().flatten();
            // Behind a router: the address that the domain has is passed on to this machine. That is
            // usual for IPv4 alone.
            let behind = named.iter().copied().filter(|ip| ip.is_ipv4() && is_public(*ip));
            one_of_each(own.chain(behind))
        }
    };
    let leads_here = !addresses.is_empty() && addresses.iter().all(|ip| named.contains(ip));
    Found { addresses, name: name.filter(|_| leads_here) }
}

fn one_of_each(addresses: impl Iterator<Item = IpAddr>) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    for ip in addresses {
        if !found.iter().any(|other| other.is_ipv6() == ip.is_ipv6()) {
            found.push(ip);
        }
    }
    found
}

/// The address that packets to the internet leave from, if it is a public one. Nothing is sent.
fn local(v6: bool) -> Option<IpAddr> {
    let socket = UdpSocket::bind(SocketAddr::new(unspecified(v6), 0)).ok()?;
    // Addresses that belong to nobody (RFC 5737, RFC 3849).
    let elsewhere: IpAddr = match v6 {
        false => Ipv4Addr::new(192, 0, 2, 1).into(),
        true => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    socket.connect((elsewhere, PORT)).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| is_public(*ip))
}

/// Whether this machine has an address itself.
#[must_use]
pub fn is_local(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

/// All addresses of a kind.
#[must_use]
pub fn unspecified(v6: bool) -> IpAddr {
    if v6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() }
}

const PORT: u16 = 3478;
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_operator_says_is_believed() {
        let text = "domain = \"verona.invalid\"\n[turn]\naddresses = [\"127.0.0.1\", \"::1\"]\n";
        let found = find(&Config::parse(text).unwrap()).await;
        assert_eq!(found.hosts(), ["127.0.0.1", "::1"], "the name leads nowhere");
        let named = format!("{text}name = \"relay.invalid\"\n");
        let found = find(&Config::parse(&named).unwrap()).await;
        assert_eq!(found.hosts(), ["relay.invalid"]);
        assert_eq!(found.of(true), Some(Ipv6Addr::LOCALHOST.into()));
        let off = format!("{text}enabled = false\n");
        assert_eq!(find(&Config::parse(&off).unwrap()).await, Found::default());
    }

    #[test]
    fn this_machine_knows_itself() {
        assert!(is_local(Ipv4Addr::LOCALHOST.into()));
        assert!(!is_local(Ipv4Addr::new(192, 0, 2, 1).into()));
    }
}
