//! The system's keyring, through `secret-tool` of libsecret.
//!
//! The Secret Service is spoken over D-Bus; a library for that is some sixty crates, for two calls
//! at the start of a program. `secret-tool` is on every desktop that has libsecret, and takes the
//! secret through a pipe, never as an argument.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::error::OpenError;
use crate::seal::{Key, random_key};

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

    /// Whether it keeps a key and gives it back, tried with one that opens nothing. A keyring may ask
    /// its user to unlock it meanwhile; it has so long for everything.
    ///
    /// # Errors
    /// It does not, or not in time.
    pub fn check(&self, wait: Duration) -> Result<(), OpenError> {
        let until = Some(Instant::now() + wait);
        let key = random_key().map_err(|error| OpenError::Keyring(error.to_string()))?;
        let id = format!("check-{}", std::process::id());
        self.store_until(&id, &key, until)?;
        let kept = self.load_until(&id, until);
        self.remove(&id);
        match kept? == key {
            true => Ok(()),
            false => Err(OpenError::Keyring("it gave back another key".into())),
        }
    }

    /// Keeps a key under an id.
    pub(crate) fn store(&self, id: &str, key: &Key) -> Result<(), OpenError> {
        self.store_until(id, key, None)
    }

    /// The key under an id.
    pub(crate) fn load(&self, id: &str) -> Result<Key, OpenError> {
        self.load_until(id, None)
    }

    fn store_until(&self, id: &str, key: &Key, until: Option<Instant>) -> Result<(), OpenError> {
        let mut command = self.command("store");
        command.args(["--label", "Clownfish: the key of an account"]).args(attributes(id));
        let text = Zeroizing::new(STANDARD.encode(&key[..]));
        let Said { status, stderr, .. } = self.run(command, Some(text.as_bytes()), until)?;
        match status.success() {
            true => Ok(()),
            false => Err(refused(&stderr, "it does not keep the key")),
        }
    }

    fn load_until(&self, id: &str, until: Option<Instant>) -> Result<Key, OpenError> {
        let mut command = self.command("lookup");
        command.args(attributes(id));
        let Said { stdout, stderr, .. } = self.run(command, None, until)?;
        let bytes = STANDARD.decode(stdout.trim_ascii_end()).map(Zeroizing::new);
        let key = bytes.ok().and_then(|bytes| <[u8; 32]>::try_from(&bytes[..]).ok());
        let none = "it gave no key for this account: it is locked, or it is the keyring of another \
                    user. Unlock it, and start again";
        key.map(Zeroizing::new).ok_or_else(|| refused(&stderr, none))
    }

    /// Runs the program to its end. What it says is a few words.
    fn run(
        &self,
        mut command: Command,
        input: Option<&[u8]>,
        until: Option<Instant>,
    ) -> Result<Said, OpenError> {
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = command.spawn().map_err(|error| self.missing(&error))?;
        // Without the pipe, or when it breaks, the program says what is wrong.
        if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
            let _ = pipe.write_all(input);
        }
        let status = wait(&mut child, until).map_err(|error| self.missing(&error))?;
        let Some(status) = status else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(OpenError::Keyring("it does not answer".into()));
        };
        let mut said = Said { status, stdout: Zeroizing::default(), stderr: Vec::new() };
        said.stdout.reserve(MOST_SAID);
        if let Some(pipe) = child.stdout.take() {
            let _ = pipe.take(MOST_SAID as u64).read_to_end(&mut said.stdout);
        }
        if let Some(pipe) = child.stderr.take() {
            let _ = pipe.take(MOST_SAID as u64).read_to_end(&mut said.stderr);
        }
        Ok(said)
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

/// How the program ended, and what it said.
struct Said {
    status: ExitStatus,
    stdout: Zeroizing<Vec<u8>>,
    stderr: Vec<u8>,
}

/// Waits for the end of a program; `None` when it did not come in time.
fn wait(child: &mut Child, until: Option<Instant>) -> std::io::Result<Option<ExitStatus>> {
    let Some(until) = until else { return child.wait().map(Some) };
    loop {
        let status = child.try_wait()?;
        if status.is_some() || Instant::now() >= until {
            return Ok(status);
        }
        std::thread::sleep(AGAIN);
    }
}

const AGAIN: Duration = Duration::from_millis(10);
/// Less than what a pipe holds, so that the program ends whether it is read or not.
const MOST_SAID: usize = 4096;

fn attributes(id: &str) -> [&str; 4] {
    ["application", "clownfish", "account-key", id]
}

fn refused(stderr: &[u8], otherwise: &str) -> OpenError {
    let said = String::from_utf8_lossy(stderr);
    let said: String = said.trim().chars().filter(|c| !c.is_control()).take(200).collect();
    OpenError::Keyring(if said.is_empty() { otherwise.into() } else { said })
}
