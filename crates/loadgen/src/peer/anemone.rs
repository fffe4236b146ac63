//! Our own server.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::scratch::Scratch;
use super::service::{Launch, free_address, output};
use super::{Beds, Peer, Setting, configure};
use crate::cli::PASSWORD;
use crate::crowd::user;

pub(super) async fn start(beds: &Beds, setting: Setting, scratch: Scratch) -> Result<Peer> {
    let address = free_address()?;
    // Beside the certificates, not among them: `init` writes an authority of its own.
    let dir = scratch.path().join("data");
    let dir = dir.as_path();
    output(
        Command::new(&beds.anemone)
            .arg("init")
            .arg("--data")
            .arg(dir)
            .args(["--domain", "localhost"]),
    )?;
    let values = [
        ("dir", scratch.path().to_string_lossy().into_owned()),
        ("port", address.port().to_string()),
        ("archive", setting.archive.to_string()),
    ];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    configure(TEMPLATE, &dir.join("anemone.toml"), &values)?;
    let launch = Launch::new(&beds.anemone, address, &dir.join("output.log"), |command| {
        command.arg("serve").arg("--data").arg(dir);
    })?;
    let peer = Peer::new(launch, scratch).await?;
    for number in 0..setting.accounts {
        add_account(&beds.anemone, dir, &user(number))?;
    }
    Ok(peer)
}

fn add_account(binary: &Path, data: &Path, name: &str) -> Result<()> {
    let mut child = Command::new(binary)
        .args(["account", "add", &format!("{name}@localhost"), "--password-stdin", "--data"])
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("no standard input")?.write_all(PASSWORD.as_bytes())?;
    let done = child.wait_with_output()?;
    if !done.status.success() {
        bail!("cannot add {name}: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}

const TEMPLATE: &str = include_str!("../../../../bench/anemone.toml");
