//! XEP-0156: Discovering Alternative XMPP Connection Methods 1.4.0

use std::net::IpAddr;

use hyper::{StatusCode, header};

use super::{Answer, Visit, bosh, headers, typed};

/// `/.well-known/host-meta` (RFC 6415).
#[must_use]
pub fn xml(visit: &Visit) -> Answer {
    let mut body = Vec::from(
        &b"<?xml version='1.0' encoding='utf-8'?>\n\
           <XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n"[..],
    );
    for (rel, href) in links(visit) {
        body.extend_from_slice(format!("  <Link rel='{rel}' href='").as_bytes());
        xmpp::xml::escape_attribute_into(&mut body, &href);
        body.extend_from_slice(b"'/>\n");
    }
    body.extend_from_slice(b"</XRD>\n");
    headers::readable_by_all(typed(StatusCode::OK, "application/xrd+xml; charset=utf-8", body))
}

/// `/.well-known/host-meta.json`.
#[must_use]
pub fn json(visit: &Visit) -> Answer {
    let links = links(visit).map(|(rel, href)| serde_json::json!({ "rel": rel, "href": href }));
    let body = serde_json::json!({ "links": links }).to_string();
    headers::readable_by_all(typed(StatusCode::OK, "application/json", body))
}

/// The ways to connect, the best first.
fn links(visit: &Visit) -> [(&'static str, String); 2] {
    let websocket = address(visit);
    let bosh = websocket.replacen("ws", "http", 1).replace(WEBSOCKET, bosh::PATH);
    [("urn:xmpp:alt-connections:websocket", websocket), ("urn:xmpp:alt-connections:xbosh", bosh)]
}

/// Where the WebSocket is: at the address under which this page was asked for, since that is one
/// that works.
#[must_use]
pub fn address(visit: &Visit) -> String {
    let asked = visit.request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = asked.filter(|host| plausible(host)).unwrap_or_else(|| visit.server.domain());
    // What came without TLS came from a reverse proxy, which has TLS, or from a browser on this
    // machine, which says so in the name it uses.
    let scheme = if visit.secure || !is_this_machine(host) { "wss" } else { "ws" };
    format!("{scheme}://{host}{WEBSOCKET}")
}

/// The path of the WebSocket.
const WEBSOCKET: &str = "/xmpp-websocket";

/// Whether a `Host` header names the machine itself.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(six) => six.split(']').next(),
        None => host.split(':').next(),
    };
    let name = name.unwrap_or_default();
    name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Whether a `Host` header can stand in an address.
fn plausible(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    !host.is_empty() && host.len() <= 300 && host.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_machine_itself_is_reached_without_tls() {
        for yes in ["localhost", "localhost:5280", "127.0.0.1:80", "[::1]:5280", "[::1]"] {
            assert!(is_this_machine(yes), "{yes}");
        }
        for no in ["localhost.example", "example.org:5280", "192.0.2.1", "[2001:db8::1]", "", "["] {
            assert!(!is_this_machine(no), "{no}");
        }
    }
}
