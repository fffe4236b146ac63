//! Accounts and rosters in files of Prosody's internal storage, which Anemone takes in as well.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;
use xmpp::sasl::{Hash, ScramKeys};

use crate::cli::PASSWORD;
use crate::crowd::user;

/// Writes accounts `u0` and up of `domain` the way mod_auth_internal_hashed stores
/// them: `prosodyctl register` would take a process and a tenth of a second for
/// each. All have the same keys, which no server is the faster for.
pub fn accounts(data: &Path, domain: &str, count: usize) -> Result<()> {
    let salt = "8d2f4f4c-6f0c-4a55-9d0b-0c1b5e6a7f10";
    let keys = ScramKeys::derive(Hash::Sha1, PASSWORD, salt.as_bytes(), ITERATIONS)?;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let text = format!(
        "return {{\n\t[\"iteration_count\"] = {ITERATIONS};\n\t[\"salt\"] = \"{salt}\";\n\
         \t[\"stored_key\"] = \"{}\";\n\t[\"server_key\"] = \"{}\";\n}};\n",
        hex(&keys.stored_key),
        hex(&keys.server_key)
    );
    store(data, domain, "accounts", count, |_| text.clone())
}

/// Writes rosters in which each of `count` accounts has all others as contacts
/// who know of each other's presence.
pub fn rosters(data: &Path, domain: &str, count: usize) -> Result<()> {
    store(data, domain, "roster", count, |owner| {
        let mut text = "return {\n\t[false] = { [\"version\"] = 1; };\n".to_owned();
        for contact in (0..count).filter(|&contact| contact != owner) {
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "\t[\"{}@{domain}\"] = {{ [\"subscription\"] = \"both\"; [\"groups\"] = {{}}; }};",
                user(contact)
            );
        }
        text + "};\n"
    })
}

fn store(
    data: &Path,
    domain: &str,
    name: &str,
    count: usize,
    text: impl Fn(usize) -> String,
) -> Result<()> {
    let folder = data.join(domain.replace('.', "%2e")).join(name);
    fs::create_dir_all(&folder)?;
    for number in 0..count {
        fs::write(folder.join(format!("{}.dat", user(number))), text(number))?;
    }
    Ok(())
}

/// Prosody's own default.
const ITERATIONS: u32 = 10_000;
