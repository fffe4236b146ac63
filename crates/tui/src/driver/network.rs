//! Noticing that the machine has another network, or has slept.
//!
//! Looking at the own address every few seconds sends nothing and works on every system. Sleep shows
//! as a wall clock that went on while the steady one stood still.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc;

use super::Message;

/// Tells the core about every change, until it is gone.
pub(super) async fn watch(inbox: mpsc::Sender<Message>) {
    let mut before = Look::now();
    loop {
        tokio::time::sleep(PERIOD).await;
        let now = Look::now();
        let changed = now.differs_from(&before);
        before = now;
        if changed && inbox.send(Message::NetworkChanged).await.is_err() || inbox.is_closed() {
            return;
        }
    }
}

struct Look {
    steady: Instant,
    wall: SystemTime,
    addresses: [Option<IpAddr>; 2],
}

impl Look {
    fn now() -> Self {
        // Addresses for documentation (RFC 5737, RFC 3849): connecting a datagram socket only asks
        // which own address would be used, and sends nothing.
        let addresses = [
            own_address(([0, 0, 0, 0], 0).into(), ([192, 0, 2, 1], 9).into()),
            own_address(([0_u16; 8], 0).into(), ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 9).into()),
        ];
        Self { steady: Instant::now(), wall: SystemTime::now(), addresses }
    }

    /// Losing the network is no reason to try again; another one is, and so is a sleep.
    fn differs_from(&self, before: &Self) -> bool {
        let steady = self.steady.duration_since(before.steady);
        let wall = self.wall.duration_since(before.wall).unwrap_or_default();
        let slept = wall > steady + SLEPT;
        let moved = self
            .addresses
            .iter()
            .zip(&before.addresses)
            .any(|(now, before)| now.is_some() && now != before);
        slept || moved
    }
}

fn own_address(from: SocketAddr, to: SocketAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind(from).ok()?;
    socket.connect(to).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

const PERIOD: Duration = Duration::from_secs(5);
const SLEPT: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_address_and_a_sleep_are_changes_and_a_lost_network_is_not() {
        let look = |seconds: u64, wall: u64, address: Option<[u8; 4]>| Look {
            steady: START.with(|start| *start) + Duration::from_secs(seconds),
            wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + wall),
            addresses: [address.map(IpAddr::from), None],
        };
        thread_local!(static START: Instant = Instant::now());
        let home = Some([192, 168, 0, 2]);
        let before = look(0, 0, home);
        assert!(!look(5, 5, home).differs_from(&before));
        assert!(look(5, 5, Some([10, 0, 0, 1])).differs_from(&before));
        assert!(look(5, 3600, home).differs_from(&before));
        assert!(!look(5, 5, None).differs_from(&before));
        assert!(look(5, 5, home).differs_from(&look(0, 0, None)));
        // The wall clock was set back.
        let earlier = Look { wall: SystemTime::UNIX_EPOCH, ..look(5, 0, home) };
        assert!(!earlier.differs_from(&before));
    }
}
