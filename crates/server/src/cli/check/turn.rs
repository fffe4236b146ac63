//! Whether the relay for calls relays: two clients send each other a packet through it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rustls::{ClientConfig, RootCertStore};

use super::Findings;
use crate::{
    admin::{self, Status},
    config::{Config, Home},
    dns,
    ext::calls::Service,
    s2s::verify::add_authorities,
    secret::ServerSecret,
    turn::{
        credentials::{self, Credentials},
        probe::{Failure, Probe, Way},
    },
};

pub(super) async fn look(
    home: &Home,
    config: &Config,
    status: Option<&Status>,
    findings: &mut Findings,
) {
    if !config.turn.enabled {
        return findings.good("turn", "the relay for calls is off ([turn])");
    }
    let Some(status) = status else {
        return findings.good("turn", "the relay for calls is looked at while the server runs");
    };
    let services: Vec<Service> =
        status.calls.iter().filter_map(|address| Service::parse(address)).collect();
    if services.is_empty() {
        let text = "there is no relay for calls: no address of this machine can be reached from \
                    the internet";
        return match config.domain == "localhost" {
            true => findings.good("turn", text),
            false => findings.warning("turn", text, WITHOUT_ADDRESS),
        };
    }
    // Whoever has no secret has been told already.
    let Ok(secret) = ServerSecret::load(home) else { return };
    let expires = xmpp::time::Millis(admin::operations::now().0).plus(60_000);
    let credentials = credentials::issue(&secret, credentials::CHECK, expires);
    let tls = tls(home);
    for service in services.iter().filter(|service| service.kind.starts_with("turn")) {
        match relay(service, &credentials, &tls).await {
            Ok(()) => {
                findings.good("turn", format!("{} relays packets", service.address()));
            }
            Err(why) => findings.problem(
                "turn",
                format!("{} does not work: {why}", service.address()),
                firewall(config, service),
            ),
        }
    }
}

/// What must be open for a service.
fn firewall(config: &Config, service: &Service) -> String {
    let (first, last) = (config.turn.first_port, config.turn.last_port);
    format!(
        "let {} to port {} and UDP to ports {first} to {last} through the firewall, and pass them \
         on to this machine where it is behind a router; a router that does not lead its own \
         address back inside fails here and may still work from outside",
        service.transport.to_uppercase(),
        service.port,
    )
}

/// Two clients, and a packet from one to the other through their addresses at the relay.
async fn relay(
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
fn tls(home: &Home) -> Arc<ClientConfig> {
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
const WITHOUT_ADDRESS: &str = "where the machine is behind a router, set `addresses` in [turn] to \
    the router's address outside, and have the router pass on the ports of [listen] `turn` and \
    `turn_tls` and the ports of [turn]; or `enabled = false` in [turn] if nobody makes calls";
