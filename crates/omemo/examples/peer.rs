//! One device on standard input and output, for cross tests with other implementations.
//!
//! `peer VERSION SEED` reads a command per line and answers each with one line:
//!
//! | command | answer |
//! |---|---|
//! | `bundle` | `IK SPK_ID SPK SPKS ID:PK,…` |
//! | `initiate IK SPK_ID SPK SPKS ID:PK,…` | `ok` |
//! | `encrypt PLAINTEXT` | `kex MESSAGE` or `message MESSAGE` |
//! | `decrypt MESSAGE` | `ok PLAINTEXT` |
//!
//! or with `error REASON`. Bytes are hexadecimal, VERSION is `legacy` or `omemo2`. With the same
//! seed and commands the answers are the same: private keys of real people have no place here.

use std::error::Error;
use std::io::{self, BufRead, Write};

use omemo::{Bundle, BundleParts, Device, DeviceId, Sessions, Version};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

pub(crate) struct Peer {
    version: Version,
    rng: ChaCha20Rng,
    device: Device,
    sessions: Sessions,
}

impl Peer {
    pub(crate) fn new(version: Version, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let device = Device::generate(DeviceId::random(&mut rng), 0, &mut rng);
        Self { version, rng, device, sessions: Sessions::new(version) }
    }

    pub(crate) fn answer(&mut self, line: &str) -> Result<String, Box<dyn Error>> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["bundle"] => Ok(write_bundle(&self.device.bundle(self.version))),
            ["initiate", ref parts @ ..] => {
                let bundle = Bundle::verify(self.version, read_bundle(parts)?)?;
                self.sessions.initiate(&self.device, &bundle, &mut self.rng)?;
                Ok("ok".into())
            }
            ["encrypt", plaintext] => {
                let message = self.sessions.encrypt(&unhex(plaintext)?, &mut self.rng)?.message;
                let kind = if message.key_exchange { "kex" } else { "message" };
                Ok(format!("{kind} {}", hex(&message.bytes)))
            }
            ["decrypt", message] => {
                let read = self.sessions.decrypt(&mut self.device, &unhex(message)?)?;
                Ok(format!("ok {}", hex(&read.plaintext)))
            }
            _ => Err("no such command".into()),
        }
    }
}

fn write_bundle(parts: &BundleParts) -> String {
    let pre_keys: Vec<_> =
        parts.pre_keys.iter().map(|(id, key)| format!("{id}:{}", hex(key))).collect();
    format!(
        "{} {} {} {} {}",
        hex(&parts.identity_key),
        parts.signed_pre_key_id,
        hex(&parts.signed_pre_key),
        hex(&parts.signature),
        pre_keys.join(",")
    )
}

fn read_bundle(words: &[&str]) -> Result<BundleParts, Box<dyn Error>> {
    let &[identity_key, signed_pre_key_id, signed_pre_key, signature, pre_keys] = words else {
        return Err("a bundle has five parts".into());
    };
    let pre_keys = pre_keys.split(',').map(|pre_key| {
        let (id, key) = pre_key.split_once(':').ok_or("a prekey is ID:PK")?;
        Ok::<_, Box<dyn Error>>((id.parse()?, unhex(key)?))
    });
    Ok(BundleParts {
        identity_key: unhex(identity_key)?,
        signed_pre_key_id: signed_pre_key_id.parse()?,
        signed_pre_key: unhex(signed_pre_key)?,
        signature: unhex(signature)?,
        pre_keys: pre_keys.collect::<Result<_, _>>()?,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(hex: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let pairs = (0..hex.len()).step_by(2);
    pairs.map(|at| Ok(u8::from_str_radix(hex.get(at..at + 2).ok_or("half a byte")?, 16)?)).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let version = match arguments.next().as_deref() {
        Some("legacy") => Version::Legacy,
        Some("omemo2") => Version::Omemo2,
        _ => return Err("usage: peer legacy|omemo2 SEED".into()),
    };
    let mut peer = Peer::new(version, arguments.next().unwrap_or_default().parse()?);
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        match peer.answer(&line?) {
            Ok(answer) => writeln!(out, "{answer}")?,
            Err(error) => writeln!(out, "error {error}")?,
        }
        out.flush()?;
    }
    Ok(())
}
