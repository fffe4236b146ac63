//! `clownfish login` and `clownfish register`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use client::store::{Login as StoredLogin, StoreError};
use client::view::{Change, Outcome};
use client::{Command, Credentials};
use client_sqlite::Unlock;
use xmpp::jid::BareJid;
use xmpp::sasl::Secret;

use super::printed::{self, Newest};
use super::protect::{PROTECTION, Protect};
use super::{Shared, address, deadline, secret};
use crate::disk;
use crate::driver::Output;
use crate::driver::socks::Proxy;
use crate::failure::Failure;
use crate::port::{Port, failed};
use crate::profile::Profile;
use crate::ui::event::Invitation;
use crate::ui::overlay::invitation;

#[derive(Debug, Args)]
#[command(after_help = PROTECTION)]
pub(crate) struct Login {
    /// Your address, like juliet@example.org
    #[arg(value_name = "JID", value_parser = address)]
    address: BareJid,
    #[command(flatten)]
    way: Way,
}

#[derive(Debug, Args)]
#[command(after_help = PROTECTION)]
pub(crate) struct Register {
    /// The invitation: xmpp:…?register;preauth=…, or the address of its page
    link: String,
    /// The name you want, when the invitation does not say one
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    way: Way,
}

/// How the server is reached, and how what is stored is protected.
#[derive(Debug, Args)]
struct Way {
    /// Read the password from the first line of stdin
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    reach: Reach,
    /// Trust the server's certificate with this SHA-256, and no other
    #[arg(long, value_name = "FINGERPRINT", value_parser = fingerprint)]
    pin: Option<[u8; 32]>,
    #[command(flatten)]
    protect: Protect,
    /// Wait so long for the server
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

/// How the server of a new account is reached. It is remembered with the account.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Reach {
    /// The server, when the domain's records do not lead to it
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) server: Option<String>,
    /// Let the authorities of this PEM file vouch for the server, and no others
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Go through a proxy, names included: socks5://127.0.0.1:9050
    #[arg(long, value_name = "PROXY")]
    proxy: Option<Proxy>,
}

impl Reach {
    /// Keeps it with an account, whose folder is there.
    pub(crate) fn keep(&self, profile: &Profile) -> Result<(), Failure> {
        if let Some(file) = &self.ca {
            profile.set_authorities(file)?;
        }
        if self.proxy.is_some() {
            let failed = |error| Failure::Storage(disk::words(&error, profile.folder()));
            profile.set_proxy(self.proxy.as_ref()).map_err(failed)?;
        }
        Ok(())
    }
}

const AGAIN: Duration = Duration::from_millis(50);
const TELLING: Duration = Duration::from_millis(500);

impl Login {
    pub(crate) fn run(self, shared: &Shared) -> Result<(), Failure> {
        let profile = shared.place(&self.address)?;
        profile.check_place()?;
        let login = self.way.login(self.address)?;
        self.way.enter(shared, &profile, Command::Login(login))
    }
}

impl Register {
    pub(crate) fn run(self, shared: &Shared) -> Result<(), Failure> {
        let invitation = invitation::parse(&self.link).map_err(Failure::Usage)?;
        let address = invited(&invitation, self.name.as_deref())?;
        let profile = shared.place(&address)?;
        profile.check_place()?;
        let login = self.way.login(address)?;
        let Invitation { token, inviter, .. } = invitation;
        self.way.enter(shared, &profile, Command::Register { login, token: Some(token), inviter })
    }
}

impl Way {
    fn login(&self, address: BareJid) -> Result<StoredLogin, Failure> {
        let password = match self.password_stdin {
            true => secret::from_stdin()?,
            false if secret::somebody_is_there() => {
                secret::ask(&format!("Password of {address}: "))?
            }
            false => {
                let words = "there is no terminal to ask for the password at: --password-stdin";
                return Err(Failure::Usage(words.to_owned()));
            }
        };
        Ok(self.stored(address, password))
    }

    fn stored(&self, address: BareJid, password: Secret) -> StoredLogin {
        StoredLogin {
            address,
            password: Some(password),
            server: self.reach.server.clone(),
            pinned: self.pin,
            client_id: String::new(),
            token: None,
        }
    }

    /// Connects, waits until this device can be written to, and leaves.
    fn enter(&self, shared: &Shared, profile: &Profile, command: Command) -> Result<(), Failure> {
        let ask = !self.password_stdin && secret::somebody_is_there();
        let unlock = self.protect.choose(shared, profile, ask)?;
        let attempt = profile.attempt()?;
        let new = attempt.is_new();
        match self.try_enter(profile, &unlock, command, new) {
            Ok(()) => attempt.keep(),
            Err(failure) => {
                // Nothing is left of a login that did not work; the next one chooses anew.
                attempt.failed(&failure);
                return Err(failure);
            }
        }
        eprintln!("Logged in. The account is in {}", profile.folder().display());
        if let (true, Some(protection)) = (new, profile.protection()?) {
            eprintln!("What it stores there is protected by {protection}.");
        }
        Ok(())
    }

    /// The login that was there is still there when the new one fails.
    fn try_enter(
        &self,
        profile: &Profile,
        unlock: &Unlock,
        command: Command,
        new: bool,
    ) -> Result<(), Failure> {
        let refused = |error: StoreError| Failure::Storage(error.to_string());
        let open = || profile.opener(unlock.clone())().map_err(Failure::from);
        let before = match new {
            true => None,
            false => Some(Credentials::of(&*open()?).map_err(refused)?),
        };
        let entered = self.go_in(profile, unlock.clone(), command);
        if let (Err(_), Some(before)) = (&entered, before) {
            open().and_then(|store| before.put_back(&*store).map_err(refused)).unwrap_or_else(
                |problem| eprintln!("clownfish: the earlier login is gone: {problem}"),
            );
        }
        entered
    }

    fn go_in(&self, profile: &Profile, unlock: Unlock, command: Command) -> Result<(), Failure> {
        let until = deadline(self.timeout);
        self.reach.keep(profile)?;
        let ways = profile.ways().map_err(Failure::Usage)?;
        let newest = Newest::default();
        let seen = newest.clone();
        let output = move |said| {
            if let Output::View(Change::Conversation(conversation)) = said {
                seen.raise(conversation.order);
            }
        };
        let port = Port::start(profile, unlock, ways, output)?;
        match port.call(command, until)? {
            Outcome::Failed(problem) => return Err(refused(&port, failed(problem))),
            _ => wait_for_keys(&port, until)?,
        }
        // `listen` begins here: what is in the archive was said before this device was there.
        printed::begin(profile, &newest)
    }
}

/// The connection may know better why a login failed.
fn refused(port: &Port, failure: Failure) -> Failure {
    // It tells about itself in the same step, after the request has ended.
    match port.wait_online(Instant::now() + TELLING) {
        Err(better @ (Failure::Certificate { .. } | Failure::Network(_))) => better,
        _ => failure,
    }
}

/// Until others can write to this device: the server has its keys.
fn wait_for_keys(port: &Port, until: Instant) -> Result<(), Failure> {
    let me = port.wait_online(until)?.address;
    loop {
        let outcome = port.call(Command::Devices(me.clone()), until)?;
        let Outcome::Devices(devices) = outcome else { return Ok(()) };
        if devices.iter().any(|device| device.this && device.active && device.versions.len() == 2) {
            return Ok(());
        }
        if Instant::now() >= until {
            let words = "logged in, but the server does not take this device's keys";
            return Err(Failure::Timeout(words.to_owned()));
        }
        std::thread::sleep(AGAIN);
    }
}

/// SHA-256 in hexadecimal, with or without colons.
fn fingerprint(text: &str) -> Result<[u8; 32], String> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    let wrong = || "a SHA-256 has 64 hexadecimal digits".to_owned();
    if digits.len() != 64 || !digits.is_ascii() {
        return Err(wrong());
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        let pair = digits.get(at * 2..at * 2 + 2).ok_or_else(wrong)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}

/// The account that an invitation makes: the name in it, or the chosen one.
fn invited(invitation: &Invitation, chosen: Option<&str>) -> Result<BareJid, Failure> {
    let name = invitation.name.as_deref().or(chosen);
    let name =
        name.ok_or_else(|| Failure::Usage("choose the name of the account: --name".to_owned()))?;
    BareJid::new(&format!("{name}@{}", invitation.domain))
        .map_err(|error| Failure::Usage(format!("{name} is no name: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jid(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    #[test]
    fn an_invitation_says_the_name_or_it_is_chosen() {
        let account = |link: &str, name| invited(&invitation::parse(link).unwrap(), name);
        let open = "xmpp:example.org?register;preauth=T";
        assert_eq!(account(open, Some("romeo")), Ok(jid("romeo@example.org")));
        account(open, None).unwrap_err();
        account(open, Some("a@b")).unwrap_err();
        let named = "xmpp:juliet@example.org?register;preauth=T";
        assert_eq!(account(named, Some("romeo")), Ok(jid("juliet@example.org")));
        let page = "https://example.org:5443/invite/T";
        assert_eq!(account(page, Some("romeo")), Ok(jid("romeo@example.org")));
    }

    #[test]
    fn fingerprints_are_read_as_they_are_shown() {
        let shown = crate::driver::tls::shown(&[0xab; 32]);
        assert_eq!(fingerprint(&shown), Ok([0xab; 32]));
        assert_eq!(fingerprint(&"ab".repeat(32)), Ok([0xab; 32]));
        for wrong in ["", "ab", &"zz".repeat(32), &"é".repeat(32)] {
            fingerprint(wrong).unwrap_err();
        }
    }
}
