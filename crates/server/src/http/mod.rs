//! The web side: host-meta, WebSocket, BOSH, the front door, invitations, metrics.
//!
//! Pages need no script and no third party; [`headers`] says so to browsers. Clownfish, the client that
//! runs in them, has rules of its own ([`web::policy`]).

pub mod admin;
pub mod apps;
pub mod bosh;
pub mod deadline;
pub mod forwarded;
pub mod front_door;
pub mod headers;
pub mod host_meta;
pub mod html;
pub mod invite;
pub mod join;
pub mod origin;
pub mod redirect;
pub mod request;
pub mod reset;
pub mod unified_push;
pub mod upload;
pub mod web;
pub mod websocket;
mod words;

use std::{convert::Infallible, io, net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, header, server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::{net::TcpStream, time::timeout};

use self::{deadline::Deadline, words::Words};
use crate::{
    admin::reset::PATH as RESET,
    ext::outage::{self, Outage},
    housekeeping,
    net::{conn::Peer, listen::down, wire::Transport},
    server::Server,
};

/// What every page answers with.
pub type Answer = Response<Body>;

/// The content of an answer: most are at hand, files are read while they are sent.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A request, and what is known of the connection it came over.
pub struct Visit {
    /// The server.
    pub server: Arc<Server>,
    /// The request.
    pub request: Request<Incoming>,
    /// The connection; taken by a request that turns it into a WebSocket.
    pub peer: Arc<Mutex<Option<Peer>>>,
    /// Where the visitor comes from.
    pub address: IpAddr,
    /// Whether the connection is encrypted.
    pub secure: bool,
    /// When the connection ends.
    pub deadline: Deadline,
}

impl Visit {
    /// In which language the visitor reads.
    #[must_use]
    pub(crate) fn words(&self) -> &'static Words {
        Words::asked_for(self.request.headers())
    }
}

/// Serves one connection. It ends when its [`Deadline`] is over, however slowly its visitor reads or
/// writes, and when it has to make room for others.
pub async fn serve<T: Transport + 'static>(server: Arc<Server>, stream: T, peer: Peer) {
    let (secure, address) = (peer.info.is_some(), peer.address.ip());
    let evicted = peer.admission.eviction();
    let deadline = Deadline::new(server.config().limits.unauthenticated());
    let peer = Arc::new(Mutex::new(Some(peer)));
    let mut shutdown = server.shutdown.subscribe();
    let visited = deadline.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (server, peer, deadline) = (server.clone(), peer.clone(), visited.clone());
        let address = forwarded::visitor(address, request.headers(), &server.config());
        let visit = Visit { server, request, peer, address, secure, deadline };
        async move { Ok::<_, Infallible>(route(visit).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        // Peers that break off or speak nonsense are not worth a line in the log.
        _ = connection.as_mut() => return,
        () = evicted => return,
        () = deadline.over() => {}
        () = down(&mut shutdown) => {}
    }
    connection.as_mut().graceful_shutdown();
    // The answer that is on its way still gets there, unless its reader is too slow.
    let _ = timeout(LAST_ANSWER, connection).await;
}

/// Serves the loopback address for metrics and health.
pub async fn metrics(server: Arc<Server>, stream: TcpStream) {
    let limit = server.config().limits.unauthenticated();
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = match request.uri().path() {
            "/metrics" => text(StatusCode::OK, server.metrics.text()),
            "/healthz" => health(&server),
            _ => text(StatusCode::NOT_FOUND, "nothing here\n"),
        };
        async move { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER)
        .serve_connection(TokioIo::new(stream), service);
    let _ = timeout(limit, connection).await;
}

async fn route(visit: Visit) -> Answer {
    let path = visit.request.uri().path().to_owned();
    let method = visit.request.method().clone();
    let words = visit.words();
    let strict = visit.secure
        && headers::is_public(&visit.server.config().domain)
        && headers::is_usual_port(visit.request.uri(), visit.request.headers());
    let answer = match (path.as_str(), &method) {
        ("/xmpp-websocket", _) => websocket::upgrade(visit),
        (bosh::PATH, _) => bosh::handle(visit).await,
        ("/.well-known/host-meta", &Method::GET | &Method::HEAD) => host_meta::xml(&visit),
        ("/.well-known/host-meta.json", &Method::GET | &Method::HEAD) => host_meta::json(&visit),
        (outage::PATH, &Method::GET | &Method::HEAD) => planned(&visit.server),
        // Behind a reverse proxy that has port 80.
        (path, &Method::GET) if path.starts_with(crate::acme::PATH) => {
            redirect::challenge(&visit.server, &path[crate::acme::PATH.len()..])
        }
        ("/healthz", &Method::GET | &Method::HEAD) => health(&visit.server),
        ("/style.css", &Method::GET | &Method::HEAD) => html::style(),
        ("/favicon.ico", &Method::GET | &Method::HEAD) => web::icon(),
        ("/", &Method::GET | &Method::HEAD) => match web::file(&visit) {
            Some(client) => client,
            None => front_door::show(&visit).await,
        },
        ("/about", &Method::GET | &Method::HEAD) => front_door::show(&visit).await,
        (path, _) if path == admin::PATH || path.starts_with("/admin/") => {
            Box::pin(admin::handle(visit)).await
        }
        ("/request", _) => request::handle(visit).await,
        (path, _) if path.starts_with(RESET) => reset::handle(visit, &path[RESET.len()..]).await,
        (path, _) if path.starts_with(crate::ext::upload::PATH) => {
            upload::handle(visit, &path[crate::ext::upload::PATH.len()..]).await
        }
        (path, _) if path.starts_with(crate::ext::unified_push::PATH) => {
            unified_push::handle(visit, &path[crate::ext::unified_push::PATH.len()..]).await
        }
        (path, &Method::GET | &Method::HEAD) if path.starts_with(INVITE) => {
            invite::show(&visit, &path[INVITE.len()..]).await
        }
        (path, &Method::POST) if path.starts_with(INVITE) => {
            join::submit(visit, &path[INVITE.len()..]).await
        }
        (_, &Method::GET | &Method::HEAD) => web::file(&visit).unwrap_or_else(|| nothing(words)),
        ("/share", _) => web::shared(&visit).unwrap_or_else(|| nothing(words)),
        _ => nothing(words),
    };
    headers::harden(answer, strict)
}

fn nothing(words: &Words) -> Answer {
    words.notice(StatusCode::NOT_FOUND, words.nothing_here)
}

/// XEP-0455: what is announced of outages.
fn planned(server: &Server) -> Answer {
    // A file that cannot be read is the operator's to see; apps learn of nothing then.
    let outage = Outage::load(&server.home().outage()).unwrap_or_else(|error| {
        tracing::warn!(%error, "outage.json cannot be read");
        Outage::default()
    });
    let body = serde_json::to_vec(&outage).unwrap_or_default();
    headers::readable_by_all(typed(StatusCode::OK, "application/json", body))
}

fn health(server: &Server) -> Answer {
    housekeeping::look_at_disk(server);
    let (well, words) = server.metrics.health.answer();
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    text(status, format!("{words}\n"))
}

/// A plain text answer.
#[must_use]
pub fn text(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    typed(status, "text/plain; charset=utf-8", text)
}

/// A content that is at hand.
#[must_use]
pub fn full(content: impl Into<Bytes>) -> Body {
    Full::new(content.into()).map_err(|never| match never {}).boxed_unsync()
}

/// An answer with a media type.
#[must_use]
pub fn typed(status: StatusCode, media: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(full(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media));
    answer
}

/// What the addresses of invitations begin with.
const INVITE: &str = "/invite/";
/// How long a client may take for the head of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the last answer of a connection may take.
const LAST_ANSWER: Duration = Duration::from_secs(5);
/// Size of a request's head.
const MAX_HEADER: usize = 16 * 1024;
