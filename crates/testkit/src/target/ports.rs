//! Free ports for a server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use super::PEERS;
use crate::client::{Endpoint, Trust};

/// The ports of one server, all on loopback.
pub(super) struct Ports {
    pub(super) c2s: u16,
    pub(super) c2s_tls: u16,
    pub(super) https: u16,
    /// Where components connect, if the server is set up for one.
    pub(super) components: u16,
    /// Where clients of the relay for calls come, if the server is set up with one.
    pub(super) turn: u16,
    /// The proxy for bytestreams, if the server is set up with one.
    pub(super) bytestreams: u16,
    /// Where other servers connect, with STARTTLS and with TLS at once, if the server federates.
    pub(super) s2s: u16,
    pub(super) s2s_tls: u16,
    /// Where each of [`PEERS`] is, if the server federates.
    pub(super) peers: [u16; PEERS.len()],
}

impl Ports {
    /// Finds ports nobody listens on.
    ///
    /// They lie below the range from which the system takes ports for outgoing connections, and each
    /// process starts looking elsewhere: otherwise tests that run side by side would take them away.
    pub(super) fn choose() -> io::Result<Self> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let spread = u16::try_from(std::process::id() % 700).unwrap_or(0) * 16;
        let mut held = Vec::new();
        for _ in 0..2000 {
            let step = NEXT.fetch_add(1, Ordering::Relaxed);
            let port = 20_000 + spread.wrapping_add(step) % 12_000;
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                held.push(listener);
            }
            if held.len() == 8 + PEERS.len() {
                let port = |at: usize| held[at].local_addr().map(|address| address.port());
                return Ok(Ports {
                    c2s: port(0)?,
                    c2s_tls: port(1)?,
                    https: port(2)?,
                    components: port(3)?,
                    turn: port(4)?,
                    bytestreams: port(5)?,
                    s2s: port(6)?,
                    s2s_tls: port(7)?,
                    peers: [port(8)?, port(9)?],
                });
            }
        }
        Err(io::Error::other("no free ports between 20000 and 32000"))
    }

    pub(super) fn endpoint(&self, trust: Trust) -> Endpoint {
        let [c2s, c2s_tls, https] = self.all();
        Endpoint { c2s, c2s_tls, https, websocket_path: "/xmpp-websocket".into(), trust }
    }

    pub(super) fn address(&self, port: u16) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    }

    pub(super) fn all(&self) -> [SocketAddr; 3] {
        [self.c2s, self.c2s_tls, self.https].map(|port| self.address(port))
    }
}
