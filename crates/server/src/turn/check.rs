//! Whether the relay for calls relays: two clients send each other a packet through it. `anemone check turn`
//! does it, and the server itself from time to time.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rustls::{ClientConfig, RootCertStore};

use super::{
    credentials::{self, Credentials},
    probe::{Failure, Probe, Way},
};
use crate::{config::Home, dns, ext::calls::Service, s2s::verify::add_authorities, server::Server};

/// What was found when the relay was tried last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tried {
    /// It was not tried yet, or there is none.
    #[default]
    Never,
    /// Every way into it works.
    Works,
    /// So many ways do not, and why the first of them does not.
    Fails(i64, String),
}

/// Tries every way into the relay, and notes what came of it.
pub async fn look(server: &Arc<Server>) {
    let services = super::services(server);
    let ways: Vec<&Service> =
        services.iter().filter(|service| service.kind.starts_with("turn")).collect();
    if ways.is_empty() || !server.config().turn.enabled {
        return note(server, Tried::Never);
    }
    let credentials =
        credentials::issue(&server.secret, credentials::CHECK, server.now().plus(60_000));
    let tls = tls(server.home());
    let (mut failed, mut why) = (0, None);
    for service in ways {
        if let Err(error) = relay(service, &credentials, &tls).await {
            failed += 1;
            why.get_or_insert_with(|| format!("{}: {error}", service.address()));
        }
    }
    note(server, why.map_or(Tried::Works, |why| Tried::Fails(failed, why)));
}

fn note(server: &Server, found: Tried) {
    let before = server.turn.tried();
    server.metrics.turn_failing.set(match &found {
        Tried::Fails(ways, _) => *ways,
        Tried::Never | Tried::Works => 0,
    });
    if found != before
        && let Tried::Fails(_, why) = &found
    {
        tracing::warn!(why, "the relay for calls cannot be used from this machine");
    }
    server.turn.set_tried(found);
}

/// Two clients, and a packet from one to the other through their addresses at the relay.
///
/// # Errors
/// What went wrong, in words.
pub async fn relay(
    service: &Service,
    credentials: &Credentials,
    tls: &Arc<ClientConfig>,
) -> Result<(), String> {
    let found = dns::addresses(&service.host, service.port, PATIENCE).await;
    let Some(&server) = found.first() else {
        return Err(format!("{} was not found", service.host));
    };
    let mut first = client(service, server, credentials, tls).await?;
    let mut second = client(service, server, credentials, tls).await?;
    let refused = |what: &str| {
        let what = what.to_owned();
        move |failure: Failure| format!("{what}: {failure}")
    };
    let (from, to) = (first.relay(), second.relay());
    first.permit(to.ip()).await.map_err(refused("permission for a packet"))?;
    second.permit(from.ip()).await.map_err(refused("permission for a packet"))?;
    first.send(to, PACKET).await.map_err(refused("a packet to the relay"))?;
    let (sender, packet) = second
        .receive()
        .await
        .map_err(refused(&format!("a packet from {from} to {to} was lost on its way")))?;
    if (sender, &packet[..]) != (from, PACKET) {
        return Err(format!("the packet from {from} came changed, from {sender}"));
    }
    // They end by themselves when this does not arrive.
    let _ = first.end().await;
    let _ = second.end().await;
    Ok(())
}

async fn client(
    service: &Service,
    server: SocketAddr,
    credentials: &Credentials,
    tls: &Arc<ClientConfig>,
) -> Result<Probe, String> {
    let connecting = async {
        match (service.kind.as_str(), service.transport.as_str()) {
            ("turns", _) => Way::tls(server, &service.host, tls.clone()).await,
            (_, "tcp") => Way::tcp(server).await,
            _ => Way::udp(server).await,
        }
    };
    let way = tokio::time::timeout(PATIENCE, connecting).await;
    let way = way.map_err(|_| format!("{server} does not answer"))?;
    let way = way.map_err(|error| format!("{server} cannot be reached: {error}"))?;
    Probe::allocate(way, server, &credentials.name, &credentials.password)
        .await
        .map_err(|failure| format!("no address at the relay ({server}): {failure}"))
}

/// Trusts what clients trust, and the server's own authority.
///
/// # Panics
/// Never: the provider has the versions of TLS.
#[must_use]
pub fn tls(home: &Home) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    // There is none where the certificate is somebody else's.
    let _ = add_authorities(&mut roots, &home.authority());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has both versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

const PACKET: &[u8] = b"anemone check";
const PATIENCE: Duration = Duration::from_secs(5);
