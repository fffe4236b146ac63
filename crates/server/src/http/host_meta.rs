//! XEP-0156: Discovering Alternative XMPP Connection Methods 1.4.0

use hyper::{StatusCode, header};

use super::{Answer, Visit, headers, typed};

/// `/.well-known/host-meta` (RFC 6415).
#[must_use]
pub fn xml(visit: &Visit) -> Answer {
    let mut body = Vec::from(
        &b"<?xml version='1.0' encoding='utf-8'?>\n\
           <XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n  \
           <Link rel='urn:xmpp:alt-connections:websocket' href='"[..],
    );
    xmpp::xml::escape_into(&mut body, &address(visit));
    body.extend_from_slice(b"'/>\n</XRD>\n");
    headers::readable_by_all(typed(StatusCode::OK, "application/xrd+xml; charset=utf-8", body))
}

/// `/.well-known/host-meta.json`.
#[must_use]
pub fn json(visit: &Visit) -> Answer {
    let link = serde_json::json!({
        "rel": "urn:xmpp:alt-connections:websocket",
        "href": address(visit),
    });
    let body = serde_json::json!({ "links": [link] }).to_string();
    headers::readable_by_all(typed(StatusCode::OK, "application/json", body))
}

/// Where the WebSocket is: at the address under which this page was asked for, since that is one
/// that works.
fn address(visit: &Visit) -> String {
    let scheme = if visit.secure { "wss" } else { "ws" };
    let asked = visit.request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = asked.filter(|host| plausible(host)).unwrap_or_else(|| visit.server.domain());
    format!("{scheme}://{host}/xmpp-websocket")
}

/// Whether a `Host` header can stand in an address.
fn plausible(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    !host.is_empty() && host.len() <= 300 && host.bytes().all(allowed)
}
