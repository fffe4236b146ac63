//! RFC 7395 §3.1: the handshake of a WebSocket that carries XMPP.

use bytes::Bytes;
use hyper::{
    Response, StatusCode,
    header::{self, HeaderMap, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use xmpp::{stream::TlsInfo, xml::Framing};

use super::{Answer, Visit, full, origin, text};
use crate::net::{conn, ws::WebSocket};

/// Answers the handshake and hands the connection over.
#[must_use]
pub fn upgrade(mut visit: Visit) -> Answer {
    if let Some(refusal) = origin::refusal(&visit) {
        return refusal;
    }
    let headers = visit.request.headers();
    let words = "this address speaks XMPP over WebSocket\n";
    // Who sends no key wants to see whether there is something here.
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY) else {
        return text(StatusCode::OK, words);
    };
    if !wants_websocket(headers) {
        return text(StatusCode::UPGRADE_REQUIRED, words);
    }
    if !has_token(headers, &header::SEC_WEBSOCKET_PROTOCOL, "xmpp") {
        return text(StatusCode::BAD_REQUEST, "the sub-protocol must be \"xmpp\"\n");
    }
    let accept = derive_accept_key(key.as_bytes());
    let Some(mut peer) = visit.peer.lock().take() else {
        return text(StatusCode::BAD_REQUEST, "this connection was used already\n");
    };
    if visit.address != peer.address.ip() {
        // Somebody whom a proxy forwards counts as whoever comes without one.
        match visit.server.gate.admit(visit.address) {
            Ok(admission) => peer.admission = admission,
            Err(_) => return text(StatusCode::SERVICE_UNAVAILABLE, "too many connections\n"),
        }
        peer.address.set_ip(visit.address);
    }
    peer.transport = "websocket";
    // A connection without TLS came in over loopback: from this machine, where nothing is in between,
    // or from a reverse proxy with TLS of its own. The login is as it is inside TLS, and cannot be
    // bound to a channel.
    let info = peer.info.take();
    peer.info = Some(info.unwrap_or(TlsInfo { version: None, exporter: None, end_point: None }));
    let server = visit.server.clone();
    let upgrading = hyper::upgrade::on(&mut visit.request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrading.await else { return };
        server.metrics.websocket_opened.increment();
        let limit = usize::try_from(server.config().limits.stanza_bytes).unwrap_or(usize::MAX);
        // Larger than any stanza: it is the reader that refuses those, with an XMPP error.
        let limit = limit.saturating_mul(2);
        let socket = WebSocket::new(TokioIo::new(upgraded), limit).await;
        // Boxed: an idle connection has no room set aside for the login.
        let opening = Box::pin(conn::established(server, socket, peer, Framing::WebSocket));
        if let Some(mut connection) = opening.await {
            connection.run().await;
        }
    });
    switching(&accept)
}

fn switching(accept: &str) -> Answer {
    let mut answer = Response::new(full(Bytes::new()));
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("xmpp"));
    if let Ok(accept) = HeaderValue::from_str(accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    answer
}

fn wants_websocket(headers: &HeaderMap) -> bool {
    has_token(headers, &header::UPGRADE, "websocket")
        && has_token(headers, &header::CONNECTION, "upgrade")
        && has_token(headers, &header::SEC_WEBSOCKET_VERSION, "13")
}

fn has_token(headers: &HeaderMap, name: &header::HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
}
