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

use super::names::Names;
use super::scratch::Scratch;
use super::service::{Launch, free_address};
use super::{Peer, Scene, Setting, configure};
use crate::cli::PASSWORD;
use crate::crowd::user;

pub(super) async fn start(setting: Setting, scratch: Scratch) -> Result<Peer> {
    let (address, api) = (free_address()?, free_address()?);
    let dir = scratch.path();
    let domain = setting.scene.domain();
    let mut modules = if setting.archive { MAM.to_owned() } else { String::new() };
    let (mut listeners, mut options) = (String::new(), String::new());
    // Without the first two, those of the machine are asked.
    let mut resolver = "{resolv_conf, \"\"}.\n{hosts_file, \"\"}.\n{lookup, [dns]}.\n".to_owned();
    let mut names = None;
    match setting.scene {
        Scene::Chat | Scene::Contacts => {}
        Scene::Rooms => modules.push_str(ROOMS),
        Scene::Files => {
            let https = free_address()?.port().to_string();
            listeners = WEB.replace("{{https}}", &https);
            modules.push_str(&FILES.replace("{{https}}", &https));
        }
        Scene::Federation(place) => {
            listeners = SERVERS.replace("{{s2s_port}}", &place.port.to_string());
            options = FEDERATION.to_owned();
            let known = Names::start(place.other, place.other_port).await?;
            let port = known.address().port();
            resolver.push_str(&format!("{{nameserver, {{127,0,0,1}}, {port}}}.\n"));
            names = Some(known);
        }
    }
    let values = [
        ("listeners", listeners.as_str()),
        ("options", &options),
        ("modules", &modules),
        ("domain", domain),
        ("dir", &*dir.to_string_lossy()),
        ("port", &address.port().to_string()),
        ("api_port", &api.port().to_string()),
    ];
    let config = dir.join("ejabberd.yml");
    configure(TEMPLATE, &config, &values)?;
    std::fs::write(dir.join("inetrc"), resolver)?;
    let libraries = libraries()?;
    let launch = Launch::new(Path::new("erl"), address, &dir.join("output.log"), |command| {
        command.args(["-noinput", "+K", "true", "+P", "250000"]);
        command.args(["+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"]);
        command.args(["-mnesia", "dir"]).arg(format!("\"{}\"", dir.join("mnesia").display()));
        command.args(["-s", "ejabberd"]);
        command.current_dir(dir).env("HOME", dir).env("ERL_LIBS", libraries);
        command.env("ERL_INETRC", dir.join("inetrc"));
        command
            .env("EJABBERD_CONFIG_PATH", &config)
            .env("EJABBERD_LOG_PATH", dir.join("ejabberd.log"));
        command.env("ERL_CRASH_DUMP_BYTES", "0");
    })?;
    let mut peer = Peer::new(launch, scratch, domain).await?;
    peer.names = names;
    for number in 0..setting.accounts {
        let account =
            format!(r#"{{"user":"{}","host":"{domain}","password":"{PASSWORD}"}}"#, user(number));
        call(api, "register", &account)
            .await
            .with_context(|| format!("account {number} of ejabberd"))?;
    }
    if setting.scene == Scene::Contacts {
        let everybody = format!(r#"{{"host":"{domain}","group":"all"}}"#);
        call(api, "push_alltoall", &everybody).await.context("the rosters of ejabberd")?;
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

/// One call of mod_http_api.
async fn call(api: SocketAddr, name: &str, body: &str) -> Result<()> {
    let mut socket = TcpStream::connect(api).await?;
    let request = format!(
        "POST /api/{name} HTTP/1.1\r\nHost: {api}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    if !answer.starts_with("HTTP/1.1 200") {
        bail!("{name} failed: {answer}");
    }
    Ok(())
}

const TEMPLATE: &str = include_str!("../../../../bench/ejabberd.yml");

const MAM: &str = "  mod_mam:\n    db_type: sql\n    assume_mam_usage: true\n    default: always\n";

/// Rooms as large as the case needs; the archive as in Debian's configuration.
const ROOMS: &str = "  mod_muc:\n    host: \"conference.@HOST@\"\n    max_users: 2000\n    \
    default_room_options:\n      mam: true\n      max_users: 2000\n";

const WEB: &str = "  - port: {{https}}\n    ip: \"127.0.0.1\"\n    module: ejabberd_http\n    \
    tls: true\n    request_handlers:\n      /upload: mod_http_upload\n";

const FILES: &str = "  mod_http_upload:\n    docroot: \"{{dir}}/uploads\"\n    \
    put_url: \"https://localhost:{{https}}/upload\"\n    max_size: 104857600\n    \
    access: all\n";

const SERVERS: &str = "  - port: {{s2s_port}}\n    ip: \"127.0.0.1\"\n    \
    module: ejabberd_s2s_in\n    max_stanza_size: 524288\n    shaper: none\n";

const FEDERATION: &str = "ca_file: \"{{dir}}/ca.pem\"\ns2s_use_starttls: required\n\
    outgoing_s2s_families: [ipv4]\n";
