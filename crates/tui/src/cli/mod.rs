//! The command line: `clownfish login`, `send`, `listen` and the others.
//!
//! Data goes to stdout, words to stderr, and the exit code says what happened ([`CODES`]), so that a
//! script can rely on all three.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use xmpp::jid::BareJid;

use crate::failure::{CODES, Failure};
use crate::profile::{self, Profile};
use crate::ui::printable::Printable;

mod ask;
mod export;
mod line;
mod listen;
pub(crate) mod login;
mod logout;
mod printed;
mod protect;
mod rooms;
mod secret;

/// Chat over XMPP, end-to-end encrypted unless you say otherwise.
#[derive(Debug, Parser)]
#[command(name = "clownfish", version, about, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Arguments {
    #[command(flatten)]
    pub(crate) shared: Shared,
    /// Open the conversation with somebody at once
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub connect: Option<BareJid>,
    // For an account that is added in the terminal.
    #[command(flatten)]
    pub(crate) reach: login::Reach,
    #[command(subcommand)]
    pub(crate) command: Option<Verb>,
}

/// What every command understands.
#[derive(Clone, Debug, Args)]
pub struct Shared {
    /// The folder of the account; needed only when there are several
    #[arg(long, global = true, value_name = "DIR")]
    pub profile: Option<PathBuf>,
    /// The first line of this file opens the account, if it is protected by a passphrase
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Log in on this machine, as a device of its own
    Login(login::Login),
    /// Make an account with an invitation link
    Register(login::Register),
    /// Send a message, or a file; done when the server has it on disk
    #[command(after_help = CODES)]
    Send(ask::Send),
    /// Print messages as they come, those missed since the last time first
    #[command(after_help = CODES)]
    Listen(listen::Listen),
    /// List the devices of somebody, or your own
    Devices(ask::Devices),
    /// Verify devices by the address that the other side shows (xmpp:…?omemo-sid-…)
    Verify(ask::Verify),
    /// Print a link that invites somebody to your server, and to you; or invite to a room
    Invite(ask::Invite),
    /// Enter a room, by its address or a link to it; also the answer to an invitation
    #[command(after_help = CODES)]
    Join(rooms::Join),
    /// Leave a room, on all your devices
    Leave(rooms::Leave),
    /// Make a private group, encrypted, or a public channel; prints its address
    #[command(after_help = CODES)]
    Create(rooms::Create),
    /// List the rooms you are in, and those you are invited to
    Rooms(rooms::Rooms),
    /// Print the history that is stored here, a JSON object a line
    Export(export::Export),
    /// Withdraw this device and remove everything it stored here
    Logout(logout::Logout),
}

const EXAMPLES: &str = "\
Examples:
  clownfish                                     chat in the terminal
  clownfish --connect juliet@example.org        go straight to a conversation
  clownfish --proxy socks5://127.0.0.1:9050     an account that is added goes through Tor
  clownfish login bot@example.org               log in, asks for the password
  clownfish send juliet@example.org 'It works'  send an encrypted message
  clownfish send juliet@example.org --file a.png
  clownfish listen --json                       what comes in, a JSON object a line
  clownfish create 'The balcony' juliet@example.org

A bot that answers:
  clownfish listen --json | while read -r line; do
    from=$(echo \"$line\" | jq -r .from)
    echo \"$line\" | jq -e .trusted >/dev/null && clownfish send \"$from\" 'Yes!'
  done

Data goes to stdout, everything else to stderr. See `clownfish send --help` for the exit codes.";

/// Runs a command to its end. Without one, returns what was asked for: that is the user interface's.
///
/// # Errors
/// The code that the program exits with.
pub fn run() -> Result<Arguments, ExitCode> {
    let arguments = Arguments::parse();
    match arguments.command {
        None => Ok(arguments),
        Some(verb) => Err(match carry_out(&arguments.shared, verb) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => complain(&failure),
        }),
    }
}

/// Says why something failed. Returns the code that the program exits with.
#[must_use]
pub fn complain(failure: &Failure) -> ExitCode {
    eprintln!("clownfish: {}", Printable::line(&failure.to_string()));
    ExitCode::from(failure.code())
}

fn carry_out(shared: &Shared, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Login(login) => login.run(shared),
        Verb::Register(register) => register.run(shared),
        Verb::Send(send) => send.run(shared),
        Verb::Listen(listen) => listen.run(shared),
        Verb::Devices(devices) => devices.run(shared),
        Verb::Verify(verify) => verify.run(shared),
        Verb::Invite(invite) => invite.run(shared),
        Verb::Join(join) => join.run(shared),
        Verb::Leave(leave) => leave.run(shared),
        Verb::Create(create) => create.run(shared),
        Verb::Rooms(rooms) => rooms.run(shared),
        Verb::Export(export) => export.run(shared),
        Verb::Logout(logout) => logout.run(shared),
    }
}

impl Shared {
    /// The account that is meant: the named one, or the only one.
    pub(crate) fn account(&self) -> Result<Profile, Failure> {
        if let Some(folder) = &self.profile {
            let profile = Profile::at(folder);
            return match profile.exists() {
                true => Ok(profile),
                false => Err(Failure::Login(format!(
                    "there is no account in {}: clownfish login",
                    folder.display()
                ))),
            };
        }
        let mut known = profile::root().map(|root| profile::list(&root)).unwrap_or_default();
        match (known.pop(), known.len()) {
            (Some(only), 0) => Ok(only),
            (None, _) => Err(Failure::Login(
                "there is no account on this machine yet: clownfish login".to_owned(),
            )),
            (Some(_), _) => Err(Failure::Usage(
                "there are several accounts on this machine: name one with --profile".to_owned(),
            )),
        }
    }

    /// Where a new account goes.
    pub(crate) fn place(&self, address: &BareJid) -> Result<Profile, Failure> {
        match (&self.profile, profile::root()) {
            (Some(folder), _) => Ok(Profile::at(folder)),
            (None, Some(root)) => Ok(profile::place(&root, address)),
            (None, None) => {
                Err(Failure::Usage("there is no home folder: use --profile".to_owned()))
            }
        }
    }
}

fn address(text: &str) -> Result<BareJid, String> {
    let text = text.strip_prefix("xmpp:").unwrap_or(text);
    let jid = BareJid::new(text).map_err(|error| error.to_string())?;
    match jid.node() {
        Some(_) => Ok(jid),
        None => Err("it has no name before the @".to_owned()),
    }
}

/// The moment so many seconds from now.
fn deadline(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds.min(LONGEST))
}

/// A year: as good as forever, and still a moment that can be computed.
const LONGEST: u64 = 366 * 24 * 3600;

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_spellings_that_scripts_rely_on_are_understood() {
        Arguments::command().debug_assert();
        for line in [
            "clownfish login a@b.example --password-stdin --server h:1 --ca c.pem --profile d",
            "clownfish login a@b.example --password-stdin --profile d",
            "clownfish login a@b.example --plain-key",
            "clownfish login a@b.example --keyring",
            "clownfish register xmpp:b.example?register;preauth=T --name a --passphrase-file f",
            "clownfish send a@b.example text --profile d",
            "clownfish send a@b.example text --plain --profile d",
            "clownfish send a@b.example --file f --profile d",
            "clownfish listen --json --profile d --count 1 --timeout 5",
            "clownfish listen --json --profile d",
            "clownfish devices --profile d",
            "clownfish invite --profile d",
            "clownfish invite juliet@b.example --to room@rooms.example",
            "clownfish join room@rooms.example --nick Romeo",
            "clownfish join xmpp:room@rooms.example?join --profile d",
            "clownfish join https://b.example/#/enter/room%40rooms.example/T/Room --profile d",
            "clownfish leave room@rooms.example",
            "clownfish create Balcony juliet@b.example nurse@b.example --profile d",
            "clownfish create Verona --public",
            "clownfish rooms --json",
            "clownfish devices a@b.example --json",
            "clownfish verify xmpp:a@b.example?omemo-sid-1=00",
            "clownfish export --profile d",
            "clownfish --connect you@example.org",
            "clownfish --proxy socks5://127.0.0.1:9050 --server h:1 --ca c.pem",
            "clownfish --profile d",
        ] {
            parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "clownfish send a@b.example",
            "clownfish send b.example text",
            "clownfish send a@b.example/desk text",
            "clownfish listen --json --count 0",
            "clownfish login",
            "clownfish login a@b.example --plain-key --keyring",
            "clownfish login a@b.example --plain-key --passphrase-file f",
            "clownfish login a@b.example --keyring --passphrase-file f",
            "clownfish whatever",
            "clownfish invite juliet@b.example",
            "clownfish join rooms.example",
            "clownfish join https://b.example/#/enter/room%40rooms.example",
            "clownfish join https://b.example/invite/T",
            "clownfish create",
            "clownfish create Verona --public juliet@b.example",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
