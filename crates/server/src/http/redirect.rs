//! Plain HTTP for everybody, usually port 80: sends browsers on to HTTPS, and answers the certificate
//! authority (RFC 8555 §8.3).

use std::{convert::Infallible, sync::Arc};

use hyper::{
    Request, StatusCode, body::Incoming, header, server::conn::http1, service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, time::timeout};

use super::{Answer, HEADER_TIMEOUT, MAX_HEADER, headers, text};
use crate::{acme, net::conn::Peer, server::Server};

/// Serves one connection, within the time that one may take before a login.
pub async fn serve(server: Arc<Server>, stream: TcpStream, peer: Peer) {
    let limit = server.config().limits.unauthenticated();
    let service = service_fn(|request: Request<Incoming>| {
        let answer = headers::harden(answer(&server, &request), false);
        async move { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ = timeout(limit, connection) => {}
        () = peer.admission.evicted() => {}
    }
}

fn answer(server: &Server, request: &Request<Incoming>) -> Answer {
    let path = request.uri().path();
    if let Some(token) = path.strip_prefix(acme::PATH) {
        return challenge(server, token);
    }
    let wanted = request.uri().path_and_query().map_or("/", |wanted| wanted.as_str());
    // To the domain, whatever the client calls the machine: nothing it says is sent back to it but
    // the path.
    let place = format!("https://{}{wanted}", server.domain());
    let mut answer = text(StatusCode::PERMANENT_REDIRECT, format!("{place}\n"));
    if let Ok(place) = header::HeaderValue::from_str(&place) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    answer
}

/// What the certificate authority looks for.
#[must_use]
pub fn challenge(server: &Server, token: &str) -> Answer {
    match server.tls.challenges().page(token) {
        Some(page) => text(StatusCode::OK, page),
        None => text(StatusCode::NOT_FOUND, "nothing is being checked\n"),
    }
}
