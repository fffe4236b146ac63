//! Whom a reverse proxy on this machine forwards.

use std::net::{IpAddr, SocketAddr};

use hyper::header::HeaderMap;

use crate::config::Config;

/// Where a request comes from: the address of its connection, or that of the proxy's visitor, where the operator
/// says that the proxy tells it (`forwarded` in `[web]`).
#[must_use]
pub fn visitor(connection: IpAddr, headers: &HeaderMap, config: &Config) -> IpAddr {
    if !config.web.forwarded || !connection.to_canonical().is_loopback() {
        return connection;
    }
    // The last one is what the proxy has seen; what stands before it anybody may have written.
    let last = headers.get_all("x-forwarded-for").iter().next_back();
    let last =
        last.and_then(|value| value.to_str().ok()).and_then(|value| value.rsplit(',').next());
    last.and_then(|text| parse(text.trim())).unwrap_or(connection)
}

fn parse(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|six| six.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_proxy_on_this_machine_says_whom_it_forwards() {
        let config =
            |text: &str| Config::parse(&format!("domain = \"a.example\"\n{text}")).unwrap();
        let trusting = config("[web]\nforwarded = true\n");
        let seen = |connection: &str, values: &[&'static str], config: &Config| {
            let name = || HeaderName::from_static("x-forwarded-for");
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(name(), HeaderValue::from_static(value));
            }
            visitor(connection.parse().unwrap(), &headers, config).to_string()
        };
        for (values, expected) in [
            (&["192.0.2.1"][..], "192.0.2.1"),
            (&["203.0.113.9, 192.0.2.1"], "192.0.2.1"),
            (&["203.0.113.9", " 192.0.2.1 "], "192.0.2.1"),
            (&["192.0.2.1:4711"], "192.0.2.1"),
            (&["[2001:db8::1]:4711"], "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["192.0.2.1, unknown"], "127.0.0.1"),
            (&[], "127.0.0.1"),
        ] {
            assert_eq!(seen("127.0.0.1", values, &trusting), expected, "{values:?}");
        }
        assert_eq!(
            seen("198.51.100.7", &["192.0.2.1"], &trusting),
            "198.51.100.7",
            "no proxy of ours"
        );
        assert_eq!(seen("127.0.0.1", &["192.0.2.1"], &config("")), "127.0.0.1", "nobody said so");
    }
}
