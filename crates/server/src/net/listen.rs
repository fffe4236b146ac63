//! Listeners: from a listening socket to a connection with its transport.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};
use tokio_rustls::{
    LazyConfigAcceptor, TlsAcceptor,
    rustls::{ServerConfig, server::Acceptor},
    server::TlsStream,
};
use xmpp::{stream::TlsInfo, xml::Framing};

use super::{
    conn::{self, Client, Encrypted, Peer},
    tls::{ALPN_XMPP_CLIENT, ALPN_XMPP_SERVER, Served, exporter},
};
use crate::{
    acme, bytestreams, components,
    config::{Listener, Service},
    http,
    s2s::accept,
    server::Server,
    turn,
};

/// Opens the socket of a listener.
///
/// # Errors
/// When the address is taken or not ours.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4()?,
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts connections until the server shuts down.
pub async fn accept(server: Arc<Server>, listener: Listener, socket: TcpListener) {
    let mut shutdown = server.shutdown.subscribe();
    let mut told: Option<Instant> = None;
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = down(&mut shutdown) => return,
        };
        match accepted {
            Ok((stream, address)) => admit(&server, &listener, stream, address),
            Err(error) => {
                // Out of descriptors, most likely: connections that end free some.
                server.metrics.errors_environment.increment();
                if told.is_none_or(|at| at.elapsed() >= SAID_AGAIN) {
                    tracing::warn!(%error, address = %listener.address, "cannot accept connections");
                    told = Some(Instant::now());
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn admit(server: &Arc<Server>, listener: &Listener, stream: TcpStream, address: SocketAddr) {
    // Nothing is said to who is not let in: whoever floods the server gets no help.
    let Ok(admission) = server.gate.admit(address.ip()) else { return };
    if let Err(error) = configure(&stream) {
        tracing::debug!(%error, "cannot set socket options");
    }
    let peer = Peer { address, admission, transport: "tcp", info: None };
    // An idle connection is mostly memory. The task keeps no room for the handshake and the login:
    // they are on the heap and given back when they are over.
    let opening = Box::pin(open(server.clone(), listener.service, stream, peer));
    tokio::spawn(async move {
        if let Some(mut client) = opening.await {
            client.run().await;
        }
    });
}

/// One connection, from its first byte to its session. What has none, such as a visit to a page, is
/// over when this is.
async fn open(
    server: Arc<Server>,
    service: Service,
    stream: TcpStream,
    mut peer: Peer,
) -> Option<Client> {
    let tls = server.tls.current();
    let config = match service {
        Service::C2s => return conn::plain(server, stream, peer).await,
        Service::C2sTls => &tls.direct,
        Service::Https => &tls.https,
        Service::Http => {
            http::serve(server, stream, peer).await;
            return None;
        }
        Service::Redirect => {
            http::redirect::serve(server, stream, peer).await;
            return None;
        }
        Service::Metrics => {
            http::metrics(server, stream).await;
            return None;
        }
        Service::Components => {
            components::serve(server, stream, peer).await;
            return None;
        }
        Service::S2s => {
            accept::plain(server, stream, peer).await;
            return None;
        }
        Service::Bytestreams => {
            bytestreams::serve(server, stream, peer).await;
            return None;
        }
        Service::Turn => {
            turn::connection(server, stream, peer).await;
            return None;
        }
        Service::TurnTls => {
            let stream = handshake(&server, &tls.turn, stream, &peer).await?;
            turn::connection(server, stream, peer).await;
            return None;
        }
        Service::S2sTls => {
            let stream = handshake(&server, &tls.s2s_direct, stream, &peer).await?;
            accept::direct(server, stream, peer).await;
            return None;
        }
    };
    let stream = match service {
        Service::Https => Box::pin(handshake_on_web(&server, &tls, stream, &peer)).await?,
        _ => handshake(&server, config, stream, &peer).await?,
    };
    peer.info = Some(tls_info(&stream, &tls));
    peer.transport = "tls";
    Box::pin(speak(server, service, stream, peer)).await
}

/// XEP-0368 §3: the application protocol decides what is spoken, so that one port can do.
async fn speak(
    server: Arc<Server>,
    service: Service,
    stream: Encrypted,
    peer: Peer,
) -> Option<Client> {
    let protocol = stream.get_ref().1.alpn_protocol();
    // RFC 8737 §3: a certificate authority wants the handshake, and nothing after it.
    if protocol == Some(acme::ALPN) {
        return None;
    }
    if protocol == Some(ALPN_XMPP_SERVER) {
        accept::direct(server, stream, peer).await;
        return None;
    }
    if protocol == Some(turn::ALPN) {
        if server.config().turn.enabled {
            turn::connection(server, stream, peer).await;
        }
        return None;
    }
    let xmpp = match protocol {
        Some(name) => name == ALPN_XMPP_CLIENT,
        None => matches!(service, Service::C2sTls),
    };
    if xmpp {
        conn::established(server, stream, peer, Framing::Tcp).await.map(Client::Encrypted)
    } else {
        http::serve(server, stream, peer).await;
        None
    }
}

/// The TLS handshake, within its time and as long as the connection need not make room for others.
pub async fn handshake(
    server: &Server,
    config: &Arc<ServerConfig>,
    stream: TcpStream,
    peer: &Peer,
) -> Option<Encrypted> {
    within(server, TlsAcceptor::from(config.clone()).accept(stream), peer).await
}

/// The handshake on the port of the web, where other servers come as well (XEP-0368 §3): they alone are asked
/// for a certificate.
async fn handshake_on_web(
    server: &Server,
    tls: &Served,
    stream: TcpStream,
    peer: &Peer,
) -> Option<Encrypted> {
    let federates = server.config().federates();
    let accepting = async {
        let begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let is_server = begun
            .client_hello()
            .alpn()
            .is_some_and(|mut names| names.any(|name| name == ALPN_XMPP_SERVER));
        let config = if is_server && federates { &tls.s2s_direct } else { &tls.https };
        begun.into_stream(config.clone()).await
    };
    within(server, accepting, peer).await
}

async fn within(
    server: &Server,
    accepting: impl Future<Output = io::Result<TlsStream<TcpStream>>>,
    peer: &Peer,
) -> Option<Encrypted> {
    let accepted = tokio::select! {
        accepted = timeout(server.config().limits.handshake(), accepting) => accepted,
        () = peer.admission.evicted() => return None,
    };
    if let Ok(Ok(stream)) = accepted {
        return Some(Box::new(stream));
    }
    server.metrics.tls_failed.increment();
    None
}

/// Resolves when the server goes down.
pub async fn down(shutdown: &mut watch::Receiver<bool>) {
    // An error means that the server itself is gone.
    let _ = shutdown.wait_for(|down| *down).await;
}

/// What channel binding needs to know of a connection.
#[must_use]
pub fn tls_info(stream: &TlsStream<TcpStream>, tls: &Served) -> TlsInfo {
    let connection = stream.get_ref().1;
    TlsInfo {
        version: connection.protocol_version().map(u16::from),
        exporter: exporter(connection),
        end_point: Some(tls.end_point().to_vec()),
    }
}

/// The kernel finds dead peers for us, without a timer for each connection: unacknowledged data
/// ends a connection after a minute, silence is probed after some minutes. A phone that sleeps
/// need not be woken for that more often.
///
/// # Errors
/// When the system refuses an option.
pub fn configure(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(3);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))
}

const BACKLOG: u32 = 1024;
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// A log that tells of the same again and again fills the disk, too.
const SAID_AGAIN: Duration = Duration::from_secs(60);
const UNACKNOWLEDGED: Duration = Duration::from_secs(60);
const KEEPALIVE_AFTER: Duration = Duration::from_secs(300);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
