//! The relay of this program, as a process of its own.

use anyhow::Result;

use super::scratch::Scratch;
use super::service::{Service, free_address};
use super::{Peer, START};

pub(super) async fn start(scratch: Scratch) -> Result<Peer> {
    let address = free_address()?;
    let dir = scratch.path();
    let mut service = Service::start(&std::env::current_exe()?, &dir.join("relay.log"), |command| {
        command.args(["relay", "--listen", &address.to_string(), "--certificate"]).arg(dir.join("chain.pem"));
        command.arg("--key").arg(dir.join("key.pem"));
    })?;
    service.ready(address, START).await?;
    let mut peer = Peer::new(service, scratch, address)?;
    peer.load.target.relay = true;
    Ok(peer)
}
