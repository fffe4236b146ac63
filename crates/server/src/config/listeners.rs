//! The doors of the server, and which of them a configuration opens.

use std::{fmt, net::SocketAddr};

use super::Config;

/// A door of the server, as named in `[listen]` and `[metrics]`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Clients, STARTTLS.
    C2s,
    /// Clients, direct TLS.
    C2sTls,
    /// Other servers, STARTTLS.
    S2s,
    /// Other servers, direct TLS.
    S2sTls,
    /// Web with TLS.
    Https,
    /// Web without TLS, loopback only.
    Http,
    /// From plain HTTP to HTTPS.
    Redirect,
    /// `/metrics` and `/healthz` without TLS, loopback only.
    Metrics,
    /// External components, without TLS.
    Components,
    /// STUN and TURN, over UDP and TCP.
    Turn,
    /// TURN, over TLS.
    TurnTls,
    /// SOCKS5 for bytestreams between clients.
    Bytestreams,
}

/// One address the server listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// What is spoken there.
    pub service: Service,
    /// Where.
    pub address: SocketAddr,
    /// Whether the operator wrote it down. Such an address must open or the server does not
    /// start; one that is only a default may fail with a warning.
    pub explicit: bool,
}

impl Config {
    /// Every address to listen on from the start.
    pub fn listeners(&self) -> Vec<Listener> {
        let listen = &self.listen;
        let doors = [
            (Service::C2s, "listen.c2s", &listen.c2s),
            (Service::C2sTls, "listen.c2s_tls", &listen.c2s_tls),
            (Service::S2s, "listen.s2s", &listen.s2s),
            (Service::S2sTls, "listen.s2s_tls", &listen.s2s_tls),
            (Service::Https, "listen.https", &listen.https),
            (Service::Http, "listen.http", &listen.http),
            (Service::Redirect, "listen.redirect", &listen.redirect),
            (Service::Metrics, "metrics.listen", &self.metrics.listen),
            (Service::Components, "components.listen", &self.components.listen),
            (Service::Bytestreams, "listen.bytestreams", &listen.bytestreams),
        ];
        let components = !self.components.hosts.is_empty();
        let federates = self.federates();
        let wanted = doors.into_iter().filter(|(service, ..)| match service {
            Service::S2s | Service::S2sTls => federates,
            Service::Components => components,
            Service::Bytestreams => self.bytestreams.enabled,
            _ => true,
        });
        let mut all: Vec<Listener> = wanted
            .flat_map(|(service, key, addresses)| self.listeners_of(service, key, addresses))
            .collect();
        all.extend(self.relay_listeners().into_iter().filter(|listener| self.is_placed(listener)));
        all
    }

    /// The addresses of the relay for calls that are opened when it is known where it is.
    pub fn later_listeners(&self) -> Vec<Listener> {
        let mut later = self.relay_listeners();
        later.retain(|listener| !self.is_placed(listener));
        later
    }

    fn relay_listeners(&self) -> Vec<Listener> {
        if !self.turn.enabled {
            return Vec::new();
        }
        let doors = [
            (Service::Turn, "listen.turn", &self.listen.turn),
            (Service::TurnTls, "listen.turn_tls", &self.listen.turn_tls),
        ];
        let all = doors.into_iter();
        all.flat_map(|(service, key, addresses)| self.listeners_of(service, key, addresses))
            .collect()
    }

    /// Whether the operator said where the relay is.
    fn is_placed(&self, listener: &Listener) -> bool {
        listener.explicit || !self.turn.addresses.is_empty()
    }

    fn listeners_of(&self, service: Service, key: &str, addresses: &[SocketAddr]) -> Vec<Listener> {
        let explicit = self.sets(key);
        addresses.iter().map(|&address| Listener { service, address, explicit }).collect()
    }
}

/// Whether only this machine can reach the address.
pub fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Service::C2s => "c2s",
            Service::C2sTls => "c2s_tls",
            Service::S2s => "s2s",
            Service::S2sTls => "s2s_tls",
            Service::Components => "components",
            Service::Https => "https",
            Service::Http => "http",
            Service::Redirect => "redirect",
            Service::Metrics => "metrics",
            Service::Turn => "turn",
            Service::TurnTls => "turn_tls",
            Service::Bytestreams => "bytestreams",
        })
    }
}
