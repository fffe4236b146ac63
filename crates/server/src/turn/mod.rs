//! STUN and TURN for calls (RFC 8489, RFC 8656): how two devices find a way to each other, and a relay
//! where there is none. Whoever has an account gets a password for it (`ext/calls.rs`).
//!
//! [`machine`] is one client without sockets, [`session`] gives it some, [`udp`] is the door without
//! connections; [`relay`] is what they share, and what the operator decides.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::sleep,
};

use crate::{
    config::{Listener, Service},
    ext::calls,
    net::{conn::Peer, listen::down},
    serve,
    server::Server,
};

pub mod address;
pub mod check;
pub mod credentials;
pub mod frames;
pub mod machine;
pub mod probe;
pub mod relay;
pub mod session;
pub mod udp;

#[cfg(test)]
mod tests;

/// How clients of the relay say over TLS what they are (RFC 7443).
pub const ALPN: &[u8] = b"stun.turn";

/// Notes who has an account, before the doors open: passwords from before the start are good for them
/// and for nobody who was deleted or disabled since.
///
/// # Errors
/// When the store could not be read.
pub async fn restore(server: &Server) -> Result<(), store::StoreError> {
    let admit = |code: &str, dismissals| {
        // The doors are closed: nobody is dismissed meanwhile.
        let admitted = server.turn.admit(code, dismissals);
        debug_assert!(admitted);
    };
    admit(&credentials::code(&server.secret, credentials::CHECK), server.turn.dismissals_so_far());
    let mut after: Option<Box<str>> = None;
    loop {
        let dismissals = server.turn.dismissals_so_far();
        let page = server.store.accounts.list(after.as_deref(), PAGE).await?;
        for account in page.iter().filter(|account| !account.disabled) {
            if let Ok(address) = server.address(&account.name) {
                admit(&credentials::code(&server.secret, address.as_str()), dismissals);
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE as usize => after = Some(last.name.clone()),
            _ => return Ok(()),
        }
    }
}

/// The relay serves an account no longer.
pub fn dismiss(server: &Server, account: &str) {
    server.turn.dismiss(&credentials::code(&server.secret, account));
}

/// Finds out where the relay is, again from time to time, and opens its doors when that is known.
pub async fn run(server: Arc<Server>) {
    let mut shutdown = server.shutdown.subscribe();
    let mut later = server.config().later_listeners();
    let mut first = true;
    server.turn.set_found(address::configured(&server.config()));
    loop {
        let found = address::find(&server.config()).await;
        if found.addresses.is_empty() {
            if first && server.config().turn.enabled {
                tracing::info!(
                    "no address of this machine can be reached from the internet, so there is no \
                     relay for calls; `addresses` in [turn] says otherwise"
                );
            }
        } else {
            if *server.turn.found() != found {
                tracing::info!(hosts = ?found.hosts(), "relay for calls");
            }
            for listener in std::mem::take(&mut later) {
                open(&server, &listener);
            }
        }
        server.turn.set_found(found);
        first = false;
        tokio::select! {
            () = sleep(AGAIN) => {}
            () = down(&mut shutdown) => return,
        }
    }
}

fn open(server: &Arc<Server>, listener: &Listener) {
    let (address, service) = (listener.address, listener.service);
    match serve::open(listener) {
        Ok(opened) => opened.serve(server, *listener),
        Err(error) => {
            let reason = serve::cannot_listen(&error, address);
            tracing::warn!(%address, %service, "cannot listen: {reason}");
        }
    }
}

/// A client with a connection, from its first frame to its end.
pub async fn connection<S>(server: Arc<Server>, stream: S, peer: Peer)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let client = std::net::SocketAddr::new(peer.address.ip().to_canonical(), peer.address.port());
    let line = session::Connection::new(stream);
    session::run(server, client, peer.admission, line).await;
}

/// What clients are told of the relay (XEP-0215): every way in, the best one first.
#[must_use]
pub fn services(server: &Server) -> Vec<calls::Service> {
    let found = server.turn.found();
    let mut services = Vec::new();
    let mut add = |kind: &str, host: &str, port: u16, transport: &str| {
        let [kind, host, transport] = [kind, host, transport].map(str::to_owned);
        services.push(calls::Service { kind, host, port, transport });
    };
    let ports = server.ports();
    let port_of = |wanted: Service| {
        ports.iter().find(|(service, _)| *service == wanted).map(|(_, address)| address.port())
    };
    for host in found.hosts() {
        if let Some(port) = port_of(Service::Turn) {
            add("stun", &host, port, "udp");
            add("turn", &host, port, "udp");
            add("turn", &host, port, "tcp");
        }
    }
    // A certificate is good for a name.
    if let (Some(name), Some(port)) = (&found.name, port_of(Service::TurnTls)) {
        add("turns", name, port, "tcp");
    }
    services
}

/// Accounts that are read at a time.
const PAGE: u32 = 500;
/// How often it is looked where the relay is: addresses of homes change.
const AGAIN: Duration = Duration::from_secs(600);
