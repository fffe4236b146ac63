//! The system's keyring, through `secret-tool` of libsecret.
//!
//! The Secret Service is spoken over D-Bus; a library for that is some sixty crates, for two calls
//! at the start of a program. `secret-tool` is on every desktop that has libsecret, and takes the
//! secret through a pipe, never as an argument.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::error::OpenError;
use crate::seal::Key;

/// How to reach the keyring.
#[derive(Clone, Debug)]
pub struct Keyring {
    program: PathBuf,
}

impl Default for Keyring {
    fn default() -> Self {
        Self { program: "secret-tool".into() }
    }
}

impl Keyring {
    /// A program that takes the arguments of `secret-tool`.
    #[must_use]
    pub fn with_program(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into() }
    }

    /// Keeps a key under an id.
    pub(crate) fn store(&self, id: &str, key: &Key) -> Result<(), OpenError> {
        let mut child = self
            .command("store")
            .args(["--label", "Clownfish: the key of an account"])
            .args(attributes(id))
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|error| self.missing(&error))?;
        let text = Zeroizing::new(STANDARD.encode(&key[..]));
        // Without the pipe, or when it breaks, the program says what is wrong.
        if let Some(mut pipe) = child.stdin.take() {
            let _ = pipe.write_all(text.as_bytes());
        }
        let output = child.wait_with_output().map_err(|error| self.missing(&error))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(refused(&output.stderr, "it does not keep the key")),
        }
    }

    /// The key under an id.
    pub(crate) fn load(&self, id: &str) -> Result<Key, OpenError> {
        let output = self
            .command("lookup")
            .args(attributes(id))
            .stdin(Stdio::null())
            .output()
            .map_err(|error| self.missing(&error))?;
        let text = Zeroizing::new(output.stdout);
        let bytes = STANDARD.decode(text.trim_ascii_end()).map(Zeroizing::new);
        let key = bytes.ok().and_then(|bytes| <[u8; 32]>::try_from(&bytes[..]).ok());
        let none = "it gave no key for this account: it is locked, or it is the keyring of another \
                    user. Unlock it, and start again";
        key.map(Zeroizing::new).ok_or_else(|| refused(&output.stderr, none))
    }

    /// Forgets the key under an id, if the keyring lets us.
    pub(crate) fn remove(&self, id: &str) {
        let _ = self.command("clear").args(attributes(id)).stdin(Stdio::null()).output();
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(verb).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn missing(&self, error: &std::io::Error) -> OpenError {
        let program = self.program.display();
        let help = "install the package libsecret-tools, or protect the account by a passphrase";
        OpenError::Keyring(format!("{program} cannot be run: {error}; {help}"))
    }
}

fn attributes(id: &str) -> [&str; 4] {
    ["application", "clownfish", "account-key", id]
}

fn refused(stderr: &[u8], otherwise: &str) -> OpenError {
    let said = String::from_utf8_lossy(stderr);
    let said: String = said.trim().chars().filter(|c| !c.is_control()).take(200).collect();
    OpenError::Keyring(if said.is_empty() { otherwise.into() } else { said })
}
