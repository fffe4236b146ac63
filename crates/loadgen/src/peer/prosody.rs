//! Debian's prosody.

use std::fs;
use std::path::Path;

use anyhow::Result;
use xmpp::sasl::{Hash, ScramKeys};

use super::scratch::Scratch;
use super::service::{Launch, free_address};
use super::{Peer, Setting, configure};
use crate::cli::PASSWORD;
use crate::crowd::user;

pub(super) async fn start(setting: Setting, scratch: Scratch) -> Result<Peer> {
    let address = free_address()?;
    let dir = scratch.path();
    let config = dir.join("prosody.cfg.lua");
    let values = [
        ("dir", dir.to_string_lossy().into_owned()),
        ("port", address.port().to_string()),
        ("mam", if setting.archive { "\"mam\";".to_owned() } else { String::new() }),
    ];
    configure(TEMPLATE, &config, &values.each_ref().map(|(name, value)| (*name, value.as_str())))?;
    accounts(dir, setting.accounts)?;
    let launch = Launch::new(Path::new("prosody"), address, &dir.join("output.log"), |command| {
        command.arg("-F").arg("--config").arg(&config);
    })?;
    Peer::new(launch, scratch).await
}

/// Writes accounts the way mod_auth_internal_hashed stores them: `prosodyctl
/// register` would take a process and a tenth of a second for each. All have
/// the same keys, which no server is the faster for.
fn accounts(dir: &Path, count: usize) -> Result<()> {
    let folder = dir.join("localhost/accounts");
    fs::create_dir_all(&folder)?;
    let salt = "8d2f4f4c-6f0c-4a55-9d0b-0c1b5e6a7f10";
    let keys = ScramKeys::derive(Hash::Sha1, PASSWORD, salt.as_bytes(), ITERATIONS)?;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let text = format!(
        "return {{\n\t[\"iteration_count\"] = {ITERATIONS};\n\t[\"salt\"] = \"{salt}\";\n\
         \t[\"stored_key\"] = \"{}\";\n\t[\"server_key\"] = \"{}\";\n}};\n",
        hex(&keys.stored_key),
        hex(&keys.server_key)
    );
    for number in 0..count {
        fs::write(folder.join(format!("{}.dat", user(number))), &text)?;
    }
    Ok(())
}

const TEMPLATE: &str = include_str!("../../../../bench/prosody.cfg.lua");

/// Prosody's own default.
const ITERATIONS: u32 = 10_000;
