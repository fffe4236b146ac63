//! Whether the relay for calls relays: two clients send each other a packet through it.

use super::Findings;
use crate::{
    admin::{self, Status},
    config::{Config, Home},
    ext::calls::Service,
    secret::ServerSecret,
    turn::{
        check::{relay, tls},
        credentials,
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

const WITHOUT_ADDRESS: &str = "where the machine is behind a router, set `addresses` in [turn] to \
    the router's address outside, and have the router pass on the ports of [listen] `turn` and \
    `turn_tls` and the ports of [turn]; or `enabled = false` in [turn] if nobody makes calls";
