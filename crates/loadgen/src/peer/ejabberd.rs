//! Debian's ejabberd.
//!
//! It runs without Erlang's distribution: no node name, no port mapper, no
//! cookie that another node on this machine could meet. Its schedulers do not
//! spin while they wait (`+sbwt none`), or their waiting would count as work.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::scratch::Scratch;
use super::service::{Launch, free_address};
use super::{Peer, Setting, configure};
use crate::cli::PASSWORD;
use crate::crowd::user;

pub(super) async fn start(setting: Setting, scratch: Scratch) -> Result<Peer> {
    let (address, api) = (free_address()?, free_address()?);
    let dir = scratch.path();
    let values = [
        ("dir", dir.to_string_lossy().into_owned()),
        ("port", address.port().to_string()),
        ("api_port", api.port().to_string()),
        ("mam", if setting.archive { MAM.to_owned() } else { String::new() }),
    ];
    let config = dir.join("ejabberd.yml");
    configure(TEMPLATE, &config, &values.each_ref().map(|(name, value)| (*name, value.as_str())))?;
    let libraries = libraries()?;
    let launch = Launch::new(Path::new("erl"), address, &dir.join("output.log"), |command| {
        command.args(["-noinput", "+K", "true", "+P", "250000"]);
        command.args(["+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"]);
        command.args(["-mnesia", "dir"]).arg(format!("\"{}\"", dir.join("mnesia").display()));
        command.args(["-s", "ejabberd"]);
        command.current_dir(dir).env("HOME", dir).env("ERL_LIBS", libraries);
        command
            .env("EJABBERD_CONFIG_PATH", &config)
            .env("EJABBERD_LOG_PATH", dir.join("ejabberd.log"));
        command.env("ERL_CRASH_DUMP_BYTES", "0");
    })?;
    let peer = Peer::new(launch, scratch).await?;
    for number in 0..setting.accounts {
        register(api, &user(number))
            .await
            .with_context(|| format!("account {number} of ejabberd"))?;
    }
    Ok(peer)
}

/// The folder with Debian's Erlang libraries of ejabberd, which depends on the
/// machine's architecture.
fn libraries() -> Result<PathBuf> {
    for entry in std::fs::read_dir("/usr/lib")? {
        let folder = entry?.path();
        let Ok(inside) = std::fs::read_dir(&folder) else { continue };
        if inside
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("ejabberd-"))
        {
            return Ok(folder);
        }
    }
    bail!("ejabberd is not installed; run bench/setup.sh")
}

/// One call of mod_http_api's `register`.
async fn register(api: SocketAddr, name: &str) -> Result<()> {
    let body = format!(r#"{{"user":"{name}","host":"localhost","password":"{PASSWORD}"}}"#);
    let mut socket = TcpStream::connect(api).await?;
    let request = format!(
        "POST /api/register HTTP/1.1\r\nHost: {api}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    if !answer.starts_with("HTTP/1.1 200") {
        bail!("registration failed: {answer}");
    }
    Ok(())
}

const TEMPLATE: &str = include_str!("../../../../bench/ejabberd.yml");

const MAM: &str = "  mod_mam:\n    db_type: sql\n    assume_mam_usage: true\n    default: always\n";
