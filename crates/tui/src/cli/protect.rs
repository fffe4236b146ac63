//! What protects what a new account stores here: an option says it, or somebody is asked, or it is the
//! best there is where nobody can be asked.

use std::time::Duration;

use clap::Args;
use client_sqlite::{Keyring, Protection, Unlock};
use xmpp::sasl::Secret;

use super::{Shared, secret};
use crate::failure::Failure;
use crate::keyring;
use crate::profile::Profile;
use crate::ui::printable::Printable;

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Protect {
    /// Protect what is stored by a key in the system keyring
    #[arg(long, conflicts_with_all = ["passphrase_file", "plain_key"])]
    keyring: bool,
    /// Keep the key of what is stored in a file beside it, which only you can read
    #[arg(long, conflicts_with = "passphrase_file")]
    plain_key: bool,
}

pub(super) const PROTECTION: &str = "\
What is stored (messages, keys, the login) is always encrypted. Its key is protected by
  --keyring               the keyring of the desktop, which opens when you log in there
  --passphrase-file FILE  a passphrase, which is then needed each time
  --plain-key             nothing: it lies beside the data in a file that only you can read.
                          That does not help against somebody who gets at your files
Without any of these you are asked. Where nobody can be asked, with --password-stdin or without a
terminal, it is the keyring if that works, else the file; what is taken is said on stderr.";

impl Protect {
    /// What opens the account, or will open it. `ask` says whether somebody is there.
    pub(super) fn choose(
        self,
        shared: &Shared,
        profile: &Profile,
        ask: bool,
    ) -> Result<Unlock, Failure> {
        if let Some(protection) = profile.protection()? {
            self.fits(protection)?;
            return shared.unlock(profile);
        }
        if let Some(file) = &shared.passphrase_file {
            return Ok(Unlock::Passphrase(secret::from_file(file)?));
        }
        match (self.keyring, self.plain_key, ask) {
            (true, ..) => Ok(Unlock::Keyring(Keyring::default())),
            (_, true, _) => Ok(Unlock::Plain),
            (_, _, true) => asked(),
            _ => Ok(by_itself()),
        }
    }

    /// An account that is there stays as it was protected.
    fn fits(self, protection: Protection) -> Result<(), Failure> {
        let other = (self.keyring && protection != Protection::Keyring)
            || (self.plain_key && protection != Protection::Plain);
        match other {
            true => Err(Failure::Usage(format!(
                "the account is here already, protected by {protection}; log out first to choose anew"
            ))),
            false => Ok(()),
        }
    }
}

/// Nobody can be asked: the keyring if it works, else the file, which is said before it is written.
fn by_itself() -> Unlock {
    let works = keyring::present(|name| std::env::var_os(name)).and_then(|()| {
        Keyring::default().check(WITHOUT_ANYBODY).map_err(|error| error.to_string())
    });
    match works {
        Ok(()) => Unlock::Keyring(Keyring::default()),
        Err(reason) => {
            eprintln!(
                "clownfish: the key of what is stored here will lie beside it, in a file that only \
                 you can read, because {}. --passphrase-file protects it; --plain-key says that \
                 this is meant",
                Printable::line(&reason)
            );
            Unlock::Plain
        }
    }
}

fn asked() -> Result<Unlock, Failure> {
    let present = keyring::present(|name| std::env::var_os(name));
    let (first, usual) = match &present {
        Ok(()) => {
            ("the system keyring, which opens when you log in to your desktop".to_owned(), 'k')
        }
        Err(reason) => (format!("the system keyring: not here, {reason}"), 'p'),
    };
    eprintln!(
        "What is stored here is encrypted. What shall protect its key?\n  \
         k  {first}\n  \
         p  a passphrase, asked for at every start\n  \
         n  nothing more: it lies beside the data, in a file that only you can read"
    );
    loop {
        let answer = secret::ask_openly(&format!("k, p or n [{usual}]: "))?;
        match choice(&answer, usual) {
            Some('k') => match Keyring::default().check(WITH_SOMEBODY) {
                Ok(()) => return Ok(Unlock::Keyring(Keyring::default())),
                Err(error) => eprintln!("{}.", Printable::line(&error.to_string())),
            },
            Some('p') => {
                if let Some(passphrase) = new_passphrase()? {
                    return Ok(Unlock::Passphrase(passphrase));
                }
            }
            Some('n') => return Ok(Unlock::Plain),
            _ => {}
        }
    }
}

/// The letter that was meant; an empty line means the usual one.
fn choice(answer: &str, usual: char) -> Option<char> {
    match answer.trim().to_ascii_lowercase().as_str() {
        "" => Some(usual),
        "k" => Some('k'),
        "p" => Some('p'),
        "n" => Some('n'),
        _ => None,
    }
}

/// A passphrase, typed twice; `None` when it is no good, which was said.
fn new_passphrase() -> Result<Option<Secret>, Failure> {
    let first = secret::ask("Passphrase: ")?;
    let letters = std::str::from_utf8(first.expose()).map_or(0, |text| text.chars().count());
    if letters < SHORTEST {
        eprintln!("At least eight letters: whoever has the files can try as often as they like.");
        return Ok(None);
    }
    let again = secret::ask("The same once more: ")?;
    if first.expose() != again.expose() {
        eprintln!("These were two different ones.");
        return Ok(None);
    }
    Ok(Some(first))
}

/// Fewest letters of a passphrase that is typed.
const SHORTEST: usize = 8;
/// How long a keyring may take that asks nobody, or its user.
const WITHOUT_ANYBODY: Duration = Duration::from_secs(5);
const WITH_SOMEBODY: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_answer_is_the_usual_one_and_nonsense_is_none() {
        assert_eq!(choice("", 'k'), Some('k'));
        assert_eq!(choice("  ", 'p'), Some('p'));
        assert_eq!(choice(" N ", 'k'), Some('n'));
        assert_eq!(choice("yes", 'k'), None);
    }

    #[test]
    fn an_account_that_is_there_stays_as_it_was_protected() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(folder.path());
        drop(profile.opener(Unlock::Plain)().unwrap());
        let shared = Shared { profile: None, passphrase_file: None };
        let choose =
            |keyring, plain_key| Protect { keyring, plain_key }.choose(&shared, &profile, false);
        assert!(matches!(choose(false, false), Ok(Unlock::Plain)));
        assert!(matches!(choose(false, true), Ok(Unlock::Plain)));
        assert!(matches!(choose(true, false), Err(Failure::Usage(_))));
        std::fs::remove_file(profile.path("account.key")).unwrap();
        assert!(matches!(choose(false, true), Err(Failure::Storage(_))));
    }
}
