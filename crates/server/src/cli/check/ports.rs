//! Whether the addresses of the configuration are served, or free for the next start.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    time::Duration,
};

use tokio::{net::TcpStream, time::timeout};

use super::Findings;
use crate::{
    admin::Status,
    config::{Config, Service},
    serve::cannot_listen,
};

pub(super) async fn look(config: &Config, status: Option<&Status>, findings: &mut Findings) {
    match status {
        Some(status) => served(config, status, findings).await,
        None => free(config, findings),
    }
}

/// Connects to every address the running server says it listens on.
async fn served(config: &Config, status: &Status, findings: &mut Findings) {
    for door in &status.listening {
        let (service, address) = (door.service, door.address);
        let answer = timeout(PATIENCE, TcpStream::connect(dialled(address))).await;
        match answer {
            Ok(Ok(_)) => findings.good("ports", format!("{address} is served ({service})")),
            _ => findings.problem(
                "ports",
                format!("{address} ({service}) takes no connections"),
                "look at the log of the server; restart it if it does not recover",
            ),
        }
    }
    let open: BTreeSet<Service> = status.listening.iter().map(|door| door.service).collect();
    for listener in config.listeners() {
        if !open.contains(&listener.service) {
            findings.warning(
                "ports",
                format!("{} ({}) is not served", listener.address, listener.service),
                "the log of the last start says why; addresses change at the next start",
            );
        }
    }
}

/// Tries every address of the configuration.
fn free(config: &Config, findings: &mut Findings) {
    for listener in config.listeners() {
        let (service, address) = (listener.service, listener.address);
        match TcpListener::bind(address) {
            Ok(_) => findings.good("ports", format!("{address} is free ({service})")),
            Err(error) => {
                let text = format!("{address} ({service}) cannot be opened");
                let fix = cannot_listen(&error, address);
                match listener.explicit {
                    true => findings.problem("ports", text, fix),
                    false => findings.warning("ports", text, fix),
                }
            }
        }
    }
}

/// An address that reaches a listener on this machine.
fn dialled(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

const PATIENCE: Duration = Duration::from_secs(3);
