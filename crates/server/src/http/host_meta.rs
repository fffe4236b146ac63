//! XEP-0156: Discovering Alternative XMPP Connection Methods 1.4.0, and XEP-0487: Host Meta 2 0.1.0

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use hyper::{StatusCode, header};
use serde_json::{Value, json};

use super::{Answer, Visit, bosh, headers, typed};
use crate::config::Service;

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

/// `/.well-known/host-meta.json`: where the operator gave the public addresses, everything that
/// somebody needs to connect (XEP-0487).
#[must_use]
pub fn json(visit: &Visit) -> Answer {
    let links = links(visit);
    let config = visit.server.config();
    let body = match config.listen.public.as_slice() {
        [] => {
            let links = links.map(|(rel, href)| json!({ "rel": rel, "href": href }));
            json!({ "links": links })
        }
        ips => json!({
            "xmpp": { "ttl": TTL },
            "links": every_way(&config.domain, ips, links, &visit.server.ports()),
        }),
    };
    headers::readable_by_all(typed(StatusCode::OK, "application/json", body.to_string()))
}

/// All links of XEP-0487, with where and by which name.
fn every_way(
    domain: &str,
    ips: &[IpAddr],
    web: [(&'static str, String); 2],
    ports: &[(Service, SocketAddr)],
) -> Vec<Value> {
    let domain = idna::domain_to_ascii(domain).unwrap_or_default();
    let direct = ports.iter().filter_map(|(service, address)| match service {
        Service::C2sTls => Some(("urn:xmpp:alt-connections:tls", address.port())),
        Service::S2sTls => Some(("urn:xmpp:alt-connections:s2s-tls", address.port())),
        _ => None,
    });
    let direct = direct.collect::<BTreeSet<_>>().into_iter().map(|(rel, port)| {
        json!({ "rel": rel, "port": port, "ips": ips, "priority": 10, "weight": 50,
                "sni": domain })
    });
    let web = web.into_iter().zip([20, 30]).map(|((rel, href), priority)| {
        let name = href.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next());
        json!({ "rel": rel, "href": href, "ips": ips, "priority": priority, "weight": 50,
                "sni": name })
    });
    direct.chain(web).collect()
}

/// Seconds for which the document is good.
const TTL: u64 = 60 * 60;

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
    let host = host(visit);
    // What came without TLS came from a reverse proxy, which has TLS, or from a browser on this
    // machine, which says so in the name it uses.
    let scheme = if visit.secure || !is_this_machine(host) { "wss" } else { "ws" };
    format!("{scheme}://{host}{WEBSOCKET}")
}

/// Host and port under which this page was asked for.
#[must_use]
pub fn host(visit: &Visit) -> &str {
    let asked = visit.request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    asked.filter(|host| plausible(host)).unwrap_or_else(|| visit.server.domain())
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
