//! Our own server.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::scratch::Scratch;
use super::service::{Launch, free_address, output};
use super::{Beds, Peer, Scene, Setting, configure, contacts};
use crate::cli::PASSWORD;
use crate::crowd::user;

pub(super) async fn start(beds: &Beds, setting: Setting, scratch: Scratch) -> Result<Peer> {
    let address = free_address()?;
    // Beside the certificates, not among them: `init` writes an authority of its own.
    let dir = scratch.path().join("data");
    let dir = dir.as_path();
    let domain = setting.scene.domain();
    output(
        Command::new(&beds.anemone).arg("init").arg("--data").arg(dir).args(["--domain", domain]),
    )?;
    let (mut s2s, mut https, mut more) = (String::new(), String::new(), String::new());
    match setting.scene {
        Scene::Chat | Scene::Contacts => {}
        Scene::Rooms => more = "\n[rooms]\ndefault = \"channel\"\n".to_owned(),
        Scene::Files => https = format!("\"{}\"", free_address()?),
        Scene::Federation(place) => {
            s2s = format!("\"127.0.0.1:{}\"", place.port);
            more = format!(
                "\n[federation]\ntrust = [\"{{{{dir}}}}/ca.pem\"]\n\n[federation.hosts]\n\
                 \"{}\" = \"127.0.0.1:{}\"\n",
                place.other, place.other_port
            );
        }
    }
    let values = [
        ("more", more.as_str()),
        ("s2s", &s2s),
        ("https", &https),
        ("domain", domain),
        ("dir", &*scratch.path().to_string_lossy()),
        ("port", &address.port().to_string()),
        ("archive", if setting.archive { "true" } else { "false" }),
    ];
    configure(TEMPLATE, &dir.join("anemone.toml"), &values)?;
    // What a process needs that has done nothing but add accounts is one of the figures of the
    // scene without more.
    let moves_in = setting.scene != Scene::Chat;
    if moves_in {
        move_in(beds, setting, dir, &scratch.path().join("prosody"))?;
    }
    let launch = Launch::new(&beds.anemone, address, &dir.join("output.log"), |command| {
        command.arg("serve").arg("--data").arg(dir);
    })?;
    let accounts = if moves_in { 0 } else { setting.accounts };
    let data = dir.to_owned();
    let peer = Peer::new(launch, scratch, domain).await?;
    for number in 0..accounts {
        add_account(&beds.anemone, &data, &format!("{}@{domain}", user(number)))?;
    }
    Ok(peer)
}

/// Many accounts, or such with contacts, come as from another server.
fn move_in(beds: &Beds, setting: Setting, data: &Path, from: &Path) -> Result<()> {
    let domain = setting.scene.domain();
    contacts::accounts(from, domain, setting.accounts)?;
    if setting.scene == Scene::Contacts {
        contacts::rosters(from, domain, setting.accounts)?;
    }
    output(
        Command::new(&beds.anemone).args(["import", "prosody"]).arg(from).arg("--data").arg(data),
    )?;
    Ok(())
}

/// Adds an account with the password of all, whether the server runs or not.
pub fn add_account(binary: &Path, data: &Path, address: &str) -> Result<()> {
    let mut child = Command::new(binary)
        .args(["account", "add", address, "--password-stdin", "--data"])
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("no standard input")?.write_all(PASSWORD.as_bytes())?;
    let done = child.wait_with_output()?;
    if !done.status.success() {
        bail!("cannot add {address}: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}

const TEMPLATE: &str = include_str!("../../../../bench/anemone.toml");
