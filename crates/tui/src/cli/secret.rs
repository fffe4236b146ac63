//! Passwords and passphrases: from a pipe, a file, or the terminal.

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::Path;

use client_sqlite::{Keyring, Protection, Unlock};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use xmpp::sasl::Secret;
use zeroize::Zeroizing;

use super::Shared;
use crate::failure::Failure;
use crate::profile::Profile;

impl Shared {
    /// What opens an account.
    pub(crate) fn unlock(&self, profile: &Profile) -> Result<Unlock, Failure> {
        match profile.protection()? {
            None => Err(Failure::Login("there is no account yet: clownfish login".to_owned())),
            Some(Protection::Plain) => Ok(Unlock::Plain),
            Some(Protection::Keyring) => Ok(Unlock::Keyring(Keyring::default())),
            Some(Protection::Passphrase) => match &self.passphrase_file {
                Some(file) => Ok(Unlock::Passphrase(from_file(file)?)),
                None => {
                    let folder = profile.folder().file_name().unwrap_or_default();
                    let question = format!("Passphrase of {}: ", folder.to_string_lossy());
                    Ok(Unlock::Passphrase(ask(&question).map_err(|_| {
                        Failure::Storage(
                            "the account is protected by a passphrase: use --passphrase-file"
                                .to_owned(),
                        )
                    })?))
                }
            },
        }
    }
}

/// The first line of stdin.
pub(crate) fn from_stdin() -> Result<Secret, Failure> {
    first_line(&mut io::stdin().lock())
        .map_err(|error| Failure::Usage(format!("there is no password on stdin: {error}")))
}

/// The first line of a file.
pub(crate) fn from_file(path: &Path) -> Result<Secret, Failure> {
    let wrong = |error: io::Error| Failure::Usage(format!("{}: {error}", path.display()));
    first_line(&mut io::BufReader::new(File::open(path).map_err(wrong)?)).map_err(wrong)
}

fn first_line(reader: &mut impl BufRead) -> io::Result<Secret> {
    let mut line = Zeroizing::new(Vec::with_capacity(MOST_BYTES));
    reader.take(MOST_BYTES as u64).read_until(b'\n', &mut line)?;
    while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        line.pop();
    }
    match line.is_empty() {
        true => Err(io::Error::other("it is empty")),
        false => Ok(Secret::new(line.to_vec())),
    }
}

/// Asks at the terminal, without showing what is typed.
pub(crate) fn ask(question: &str) -> Result<Secret, Failure> {
    let asking = || -> io::Result<Secret> {
        let terminal = File::options().read(true).write(true).open("/dev/tty")?;
        // First, since it drops what was typed before: nobody knew the question.
        let quiet = Quiet::begin(&terminal)?;
        write!(&terminal, "{question}")?;
        let secret = first_line(&mut io::BufReader::new(&terminal));
        drop(quiet);
        writeln!(&terminal)?;
        secret
    };
    asking().map_err(|error| Failure::Usage(format!("nothing was typed: {error}")))
}

/// Asks at the terminal for something that everybody may see.
pub(crate) fn ask_openly(question: &str) -> Result<String, Failure> {
    let asking = || -> io::Result<String> {
        let terminal = File::options().read(true).write(true).open("/dev/tty")?;
        write!(&terminal, "{question}")?;
        let mut line = String::new();
        let reader = io::BufReader::new(&terminal);
        match reader.take(MOST_BYTES as u64).read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line),
        }
    };
    asking().map_err(|error| Failure::Usage(format!("nothing was typed: {error}")))
}

/// Whether there is somebody to ask.
pub(crate) fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// A terminal that does not show what is typed, until this is dropped.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn begin(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        quiet.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// Longest line that is read.
const MOST_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_line_counts() {
        let read =
            |text: &str| first_line(&mut text.as_bytes()).map(|secret| secret.expose().to_vec());
        assert_eq!(read("secret\nmore\n").unwrap(), b"secret");
        assert_eq!(read(" with spaces \r\n").unwrap(), b" with spaces ");
        assert_eq!(read("no newline").unwrap(), b"no newline");
        read("\n").unwrap_err();
        read("").unwrap_err();
    }
}
