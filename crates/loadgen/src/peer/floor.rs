//! The relay of this program, as a process of its own.

use anyhow::Result;

use super::Peer;
use super::scratch::Scratch;
use super::service::{Launch, free_address};

pub(super) async fn start(scratch: Scratch) -> Result<Peer> {
    let address = free_address()?;
    let dir = scratch.path();
    let launch =
        Launch::new(&std::env::current_exe()?, address, &dir.join("relay.log"), |command| {
            command
                .args(["relay", "--listen", &address.to_string(), "--certificate"])
                .arg(dir.join("chain.pem"));
            command.arg("--key").arg(dir.join("key.pem"));
        })?;
    let mut peer = Peer::new(launch, scratch, "localhost").await?;
    peer.load.target.relay = true;
    Ok(peer)
}
