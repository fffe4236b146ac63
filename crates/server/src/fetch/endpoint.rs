//! Where something is asked for over HTTPS, and which addresses this server does not go to.

use std::net::IpAddr;

use hyper::Uri;

use crate::net::address::is_public;

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
}
