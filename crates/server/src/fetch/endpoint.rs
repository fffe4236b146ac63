//! Where something is asked for over HTTPS, and which addresses this server does not go to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hyper::Uri;

/// The address of a document or of a push resource (RFC 8030 §5), taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Over TLS.
    pub tls: bool,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Host and port as they stand in the address.
    pub authority: String,
    /// What is asked for there.
    pub path: String,
}

/// Longest address of an endpoint in bytes.
pub const MAX_ENDPOINT: usize = 2048;

impl Endpoint {
    /// Reads an address. `private` permits those of private networks, and those of this machine
    /// also without TLS.
    ///
    /// # Errors
    /// What is wrong with it, in words for whoever sent it.
    pub fn parse(text: &str, private: bool) -> Result<Self, &'static str> {
        if text.len() > MAX_ENDPOINT {
            return Err("the endpoint is too long");
        }
        let uri: Uri = text.parse().map_err(|_| "the endpoint is not an address")?;
        let authority = uri.authority().ok_or("the endpoint is not an address")?;
        if authority.as_str().contains('@') {
            return Err("the endpoint must not name a user");
        }
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|six| six.strip_suffix(']')).unwrap_or(host);
        let ip: Option<IpAddr> = host.parse().ok();
        let here = ip.is_some_and(|ip| ip.to_canonical().is_loopback()) || host == "localhost";
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if private && here => false,
            _ => return Err("the endpoint must begin with https://"),
        };
        if !private && (here || ip.is_some_and(|ip| !is_public(ip))) {
            return Err("the endpoint is in a private network");
        }
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        if host.is_empty() || port == 0 {
            return Err("the endpoint is not an address");
        }
        Ok(Self {
            tls,
            host: host.to_owned(),
            port,
            authority: authority.as_str().to_owned(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }

    /// The origin (RFC 6454 §6.2): whom a proof of who we are is for.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.to_lowercase(),
        };
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => format!("{scheme}://{host}"),
            (_, port) => format!("{scheme}://{host}:{port}"),
        }
    }
}

/// Whether an address belongs to the open internet. What does not could be something that only
/// this machine can reach, and no user may have it asked.
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
    // Global unicast addresses only (RFC 4291 §2.4), without tunnels and examples.
    let global = a & 0xe000 == 0x2000;
    let tunnel = a == 0x2002 || (a == 0x2001 && b == 0);
    let example = (a == 0x2001 && b == 0xdb8) || a & 0xfff0 == 0x3ff0;
    global && !tunnel && !example
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_taken_apart() {
        let endpoint = Endpoint::parse("https://Push.example/send/abc?x=1", false).unwrap();
        assert_eq!((endpoint.host.as_str(), endpoint.port), ("Push.example", 443));
        assert_eq!(endpoint.path, "/send/abc?x=1");
        assert_eq!(endpoint.origin(), "https://push.example");
        let six = Endpoint::parse("https://[2600::1]:8443/", false).unwrap();
        assert_eq!(
            (six.host.as_str(), six.origin().as_str()),
            ("2600::1", "https://[2600::1]:8443")
        );
    }

    #[test]
    fn what_only_this_machine_can_reach_is_refused() {
        for bad in [
            "http://push.example/",
            "https://localhost/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://192.168.1.1/",
            "https://169.254.169.254/latest",
            "https://user@push.example/",
            "ftp://push.example/",
            "push.example",
            "",
        ] {
            assert!(Endpoint::parse(bad, false).is_err(), "{bad}");
        }
        let long = format!("https://push.example/{}", "x".repeat(MAX_ENDPOINT));
        assert!(Endpoint::parse(&long, false).is_err());
    }

    #[test]
    fn private_networks_are_a_decision_of_the_operator() {
        for good in ["https://192.168.1.1/", "https://localhost:8443/", "http://127.0.0.1:80/"] {
            assert!(Endpoint::parse(good, true).is_ok(), "{good}");
        }
        assert!(Endpoint::parse("http://192.168.1.1/", true).is_err(), "never in plain text");
    }

    #[test]
    fn addresses_of_the_open_internet_are_told_from_others() {
        for public in ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "172.16.0.1",
            "192.0.0.8",
            "192.168.0.1",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2001:db8::1",
            "2002:7f00:1::",
            "fc00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }
}
