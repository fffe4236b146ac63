//! Commands that one request answers: `send`, `devices`, `verify`, `invite`.
//!
//! When another program has the account open, it carries the request out.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use client::command::MAX_TEXT_BYTES;
use xmpp::jid::BareJid;

use super::{Shared, address, deadline};
use crate::failure::Failure;
use crate::port::Port;
use crate::profile::Profile;
use crate::twin::{self, Ask, DeviceLine, Reply};
use crate::ui::printable::Printable;

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// To whom
    #[arg(value_name = "TO", value_parser = address)]
    to: BareJid,
    /// The text; `-` reads it from stdin
    #[arg(value_name = "TEXT", required_unless_present = "file")]
    text: Option<String>,
    /// A file; a text goes with it
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Send it without encryption
    #[arg(long)]
    plain: bool,
    #[command(flatten)]
    patience: Patience,
}

#[derive(Debug, Args)]
pub(crate) struct Devices {
    /// Whose; your own without it
    #[arg(value_parser = address)]
    address: Option<BareJid>,
    /// A JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    patience: Patience,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// What the other side shows: xmpp:juliet@example.org?omemo-sid-123=…
    uri: String,
    #[command(flatten)]
    patience: Patience,
}

#[derive(Debug, Args)]
pub(crate) struct Invite {
    /// Whom, to a room
    #[arg(value_name = "WHO", value_parser = address, requires = "to")]
    person: Option<BareJid>,
    /// The room
    #[arg(long, value_name = "ROOM", value_parser = address, requires = "person")]
    to: Option<BareJid>,
    #[command(flatten)]
    patience: Patience,
}

#[derive(Debug, Args)]
pub(super) struct Patience {
    /// Wait so long at most
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

impl Send {
    pub(crate) fn run(self, shared: &Shared) -> Result<(), Failure> {
        let text = match self.text.as_deref() {
            Some("-") => Some(from_stdin()?),
            _ => self.text,
        };
        if text.as_deref().is_some_and(|text| text.len() > MAX_TEXT_BYTES) {
            return Err(Failure::Usage(format!("a text has at most {MAX_TEXT_BYTES} bytes")));
        }
        if self.file.is_none() && text.as_deref().is_none_or(|text| text.trim().is_empty()) {
            return Err(Failure::Usage("there is nothing to send".to_owned()));
        }
        let file = self.file.map(|path| {
            // The other program may have another working directory.
            std::path::absolute(&path)
                .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
        });
        let file = file.transpose()?;
        let ask = Ask::Send { to: self.to, text, file, plain: self.plain };
        self.patience.ask(shared, ask).map(drop)
    }
}

fn from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    io::stdin()
        .lock()
        .take(MAX_TEXT_BYTES as u64 + 1)
        .read_to_string(&mut text)
        .map_err(|error| Failure::Usage(format!("stdin cannot be read: {error}")))?;
    // What `echo` adds is no part of the text.
    let length = text.strip_suffix('\n').map_or(text.len(), str::len);
    text.truncate(length);
    Ok(text)
}

impl Devices {
    pub(crate) fn run(self, shared: &Shared) -> Result<(), Failure> {
        let asked = self.address.clone();
        let Reply::Devices(devices) = self.patience.ask(shared, Ask::Devices(self.address))? else {
            return Err(Failure::Other("the answer does not fit the question".to_owned()));
        };
        if let (true, Some(who)) = (devices.is_empty(), asked) {
            eprintln!(
                "{} has no device that can read encrypted messages, or there is nobody of this address.",
                Printable::address(&who)
            );
        }
        let mut out = io::stdout().lock();
        for device in devices {
            let line = match self.json {
                true => {
                    serde_json::to_string(&device).map_err(|e| Failure::Other(e.to_string()))?
                }
                false => in_words(&device),
            };
            print(&mut out, &line)?;
        }
        Ok(())
    }
}

fn in_words(device: &DeviceLine) -> String {
    let key = device.fingerprint.as_deref().unwrap_or("no key yet");
    let mut line = format!("{:>10}  {:<10}  {key}", device.id, device.trust);
    if let Some(label) = &device.label {
        line.push_str("  ");
        line.push_str(Printable::line(label).as_str());
    }
    line.push_str(match (device.this, device.active) {
        (true, true) => "  (this one)",
        (true, false) => "  (this one, not published)",
        (false, true) => "",
        (false, false) => "  (no longer in use)",
    });
    line
}

impl Verify {
    pub(crate) fn run(self, shared: &Shared) -> Result<(), Failure> {
        match self.patience.ask(shared, Ask::Verify(self.uri))? {
            Reply::Verified(0) => {
                Err(Failure::Other("none of these keys is known; nothing was verified".to_owned()))
            }
            Reply::Verified(count) => {
                eprintln!("{count} verified.");
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Invite {
    pub(crate) fn run(self, shared: &Shared) -> Result<(), Failure> {
        if let (Some(person), Some(room)) = (self.person, self.to) {
            return self.patience.ask(shared, Ask::InviteTo { room, person }).map(drop);
        }
        match self.patience.ask(shared, Ask::Invite)? {
            Reply::Text(link) => print(&mut io::stdout().lock(), &link),
            _ => Err(Failure::Other("the server gave no link".to_owned())),
        }
    }
}

/// A line of data. Nobody reads any more when the other end of the pipe is closed.
pub(super) fn print(out: &mut impl Write, line: &str) -> Result<(), Failure> {
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| Failure::Other(format!("stdout cannot be written: {error}")))
}

impl Patience {
    /// Asks the program that has the account open, or does it here.
    pub(super) fn ask(&self, shared: &Shared, ask: Ask) -> Result<Reply, Failure> {
        let profile = shared.account()?;
        let wait = Duration::from_secs(self.timeout);
        if let Some(reply) = twin::hand_over(&profile.socket(), ask.clone(), wait) {
            return reply;
        }
        let until = deadline(self.timeout);
        loop {
            let error = match open(shared, &profile) {
                Ok(port) => return twin::perform(&port, ask, until),
                Err(error) => error,
            };
            // Another command has it for a moment, or a program is just starting or ending.
            if !matches!(error, Failure::InUse(_)) || std::time::Instant::now() >= until {
                return Err(error);
            }
            std::thread::sleep(AGAIN);
            if let Some(reply) = twin::hand_over(&profile.socket(), ask.clone(), wait) {
                return reply;
            }
        }
    }
}

fn open(shared: &Shared, profile: &Profile) -> Result<Port, Failure> {
    let ways = profile.ways().map_err(Failure::Usage)?;
    Ok(Port::start(profile, shared.unlock(profile)?, ways, drop)?)
}

const AGAIN: Duration = Duration::from_millis(100);
