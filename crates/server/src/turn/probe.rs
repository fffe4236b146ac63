//! A client of a relay, for looking whether one works: `anemone check turn` and tests.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    net::{TcpStream, UdpSocket},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use turn_client_proto::{
    api::{Transmit, TurnClientApi as _, TurnConfig, TurnEvent, TurnPollRet, TurnRecvRet},
    stun::{Instant as Moment, auth::Feature},
    types::{AddressFamily, TransportType, TurnCredentials, prelude::DelayedTransmitBuild as _},
    udp::TurnClientUdp,
};

use super::{
    address::unspecified,
    frames::MOST_BYTES,
    session::{Connection, Line},
};

/// Why a relay did not do what was asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing came back in time.
    #[error("it does not answer")]
    Silent,
    /// It said no.
    #[error("it refuses")]
    Refused,
    /// The connection ended.
    #[error("it ended the connection")]
    Gone,
}

/// A client that has an address at a relay.
pub struct Probe<L = Way> {
    line: L,
    client: TurnClientUdp,
    began: Instant,
    server: SocketAddr,
    own: SocketAddr,
    relay: SocketAddr,
    received: Option<(SocketAddr, Vec<u8>)>,
}

/// The ways to a relay.
pub enum Way {
    /// Packets.
    Udp(UdpSocket),
    /// A connection.
    Tcp(Box<Connection<TcpStream>>),
    /// A connection with TLS.
    Tls(Box<Connection<TlsStream<TcpStream>>>),
}

impl Way {
    /// Packets to a relay.
    ///
    /// # Errors
    /// As the system has them.
    pub async fn udp(relay: SocketAddr) -> io::Result<(Way, SocketAddr)> {
        let socket = UdpSocket::bind((unspecified(relay.is_ipv6()), 0)).await?;
        socket.connect(relay).await?;
        let own = socket.local_addr()?;
        Ok((Way::Udp(socket), own))
    }

    /// A connection to a relay.
    ///
    /// # Errors
    /// As the system has them.
    pub async fn tcp(relay: SocketAddr) -> io::Result<(Way, SocketAddr)> {
        let stream = TcpStream::connect(relay).await?;
        let own = stream.local_addr()?;
        Ok((Way::Tcp(Box::new(Connection::new(stream))), own))
    }

    /// A connection with TLS to a relay, whose certificate must be good for `name`.
    ///
    /// # Errors
    /// As the system has them, and what is wrong with the certificate.
    pub async fn tls(
        relay: SocketAddr,
        name: &str,
        config: Arc<ClientConfig>,
    ) -> io::Result<(Way, SocketAddr)> {
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let stream = TcpStream::connect(relay).await?;
        let own = stream.local_addr()?;
        let stream = TlsConnector::from(config).connect(name, stream).await?;
        Ok((Way::Tls(Box::new(Connection::new(stream))), own))
    }
}

impl Line for Way {
    async fn next(&mut self) -> Option<Vec<u8>> {
        match self {
            Way::Udp(socket) => {
                let mut buffer = vec![0; MOST_BYTES];
                let length = socket.recv(&mut buffer).await.ok()?;
                buffer.truncate(length);
                Some(buffer)
            }
            Way::Tcp(connection) => connection.next().await,
            Way::Tls(connection) => connection.next().await,
        }
    }

    async fn send(&mut self, frame: Vec<u8>) -> bool {
        match self {
            Way::Udp(socket) => socket.send(&frame).await.is_ok(),
            Way::Tcp(connection) => connection.send(frame).await,
            Way::Tls(connection) => connection.send(frame).await,
        }
    }
}

impl<L: Line> Probe<L> {
    /// Asks a relay for an address of the kind that the relay itself has.
    ///
    /// # Errors
    /// When there is none.
    pub async fn allocate(
        (line, own): (L, SocketAddr),
        server: SocketAddr,
        name: &str,
        password: &str,
    ) -> Result<Self, Failure> {
        let mut config = TurnConfig::new(TurnCredentials::new(name, password));
        // The hash of a name is known to the relay when it made the name itself.
        config.set_anonymous_username(Feature::Disabled);
        if server.is_ipv6() {
            config.set_address_family(AddressFamily::IPV6);
        }
        let client = TurnClientUdp::allocate(own, server, config);
        let (began, relay) = (Instant::now(), server);
        let mut probe = Probe { line, client, began, server, own, relay, received: None };
        let relay = probe
            .until(|event| match event {
                TurnEvent::AllocationCreated(_, relay) => Some(Ok(*relay)),
                TurnEvent::AllocationCreateFailed(_) => Some(Err(Failure::Refused)),
                _ => None,
            })
            .await??;
        probe.relay = relay;
        Ok(probe)
    }

    /// The address at the relay.
    #[must_use]
    pub fn relay(&self) -> SocketAddr {
        self.relay
    }

    /// Asks to exchange packets with an address.
    ///
    /// # Errors
    /// When that is refused.
    pub async fn permit(&mut self, peer: IpAddr) -> Result<(), Failure> {
        let moment = self.moment();
        let asked = self.client.create_permission(TransportType::Udp, peer, moment);
        asked.map_err(|_| Failure::Refused)?;
        self.until(|event| match event {
            TurnEvent::PermissionCreated(..) => Some(Ok(())),
            TurnEvent::PermissionCreateFailed(..) => Some(Err(Failure::Refused)),
            _ => None,
        })
        .await?
    }

    /// Asks for a channel to a place, which makes packets shorter.
    ///
    /// # Errors
    /// When that is refused.
    pub async fn bind(&mut self, peer: SocketAddr) -> Result<(), Failure> {
        let moment = self.moment();
        let asked = self.client.bind_channel(TransportType::Udp, peer, moment);
        asked.map_err(|_| Failure::Refused)?;
        self.until(|event| match event {
            TurnEvent::ChannelCreated(..) => Some(Ok(())),
            TurnEvent::ChannelCreateFailed(..) => Some(Err(Failure::Refused)),
            _ => None,
        })
        .await?
    }

    /// Sends a packet through the relay.
    ///
    /// # Errors
    /// When the relay is gone, or does not permit it.
    pub async fn send(&mut self, peer: SocketAddr, data: &[u8]) -> Result<(), Failure> {
        let moment = self.moment();
        let sent = self.client.send_to(TransportType::Udp, peer, data, moment);
        let Some(frame) = sent.map_err(|_| Failure::Refused)? else { return Ok(()) };
        match self.line.send(frame.data.build()).await {
            true => Ok(()),
            false => Err(Failure::Gone),
        }
    }

    /// The next packet that comes through the relay, and from where.
    ///
    /// # Errors
    /// When none comes.
    pub async fn receive(&mut self) -> Result<(SocketAddr, Vec<u8>), Failure> {
        let receiving = async {
            loop {
                if let Some(received) = self.received.take() {
                    return Ok(received);
                }
                self.step().await?;
            }
        };
        timeout(PATIENCE, receiving).await.map_err(|_| Failure::Silent)?
    }

    /// Gives the address back.
    ///
    /// # Errors
    /// When the relay is gone.
    pub async fn end(mut self) -> Result<(), Failure> {
        let moment = self.moment();
        let _ = self.client.delete(moment);
        self.flush().await?;
        // It counts until the relay has heard of it. Packets of others may come before its answer, which
        // ends the client.
        let answered = async { while self.step().await.is_ok() {} };
        let _ = timeout(ENDING, answered).await;
        Ok(())
    }

    async fn until<T>(&mut self, wanted: impl Fn(&TurnEvent) -> Option<T>) -> Result<T, Failure> {
        let waiting = async {
            loop {
                while let Some(event) = self.client.poll_event() {
                    if let Some(found) = wanted(&event) {
                        return Ok(found);
                    }
                }
                self.step().await?;
            }
        };
        timeout(PATIENCE, waiting).await.map_err(|_| Failure::Silent)?
    }

    /// Says what is to be said, and waits for an answer or for the time to say it again.
    async fn step(&mut self) -> Result<(), Failure> {
        self.flush().await?;
        let moment = self.moment();
        let wait = match self.client.poll(moment) {
            TurnPollRet::WaitUntil(until) => until.saturating_duration_since(moment),
            TurnPollRet::Closed => return Err(Failure::Gone),
            _ => Duration::ZERO,
        };
        self.flush().await?;
        let frame = tokio::select! {
            frame = self.line.next() => frame.ok_or(Failure::Gone)?,
            () = sleep(wait.max(SHORTEST_WAIT)) => return Ok(()),
        };
        let moment = self.moment();
        let transmit = Transmit::new(&frame[..], TransportType::Udp, self.server, self.own);
        if let TurnRecvRet::PeerData(data) = self.client.recv(transmit, moment) {
            self.received = Some((data.peer, data.data().to_vec()));
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        while let Some(transmit) = self.client.poll_transmit(self.moment()) {
            if !self.line.send(transmit.data.build()).await {
                return Err(Failure::Gone);
            }
        }
        Ok(())
    }

    fn moment(&self) -> Moment {
        Moment::ZERO + self.began.elapsed()
    }
}

const PATIENCE: Duration = Duration::from_secs(5);
/// How long the relay may take to hear that an address is given back.
const ENDING: Duration = Duration::from_secs(1);
const SHORTEST_WAIT: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests;
