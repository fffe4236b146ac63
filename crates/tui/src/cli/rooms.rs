//! Commands about rooms: `join`, `leave`, `create`, `rooms`.

use std::io;

use clap::Args;
use xmpp::jid::BareJid;

use super::ask::{Patience, print};
use super::{Shared, address};
use crate::failure::Failure;
use crate::twin::{Ask, Reply, RoomLine};
use crate::ui::printable::Printable;
use crate::ui::room_link::{self, RoomLink};

#[derive(Debug, Args)]
pub(crate) struct Join {
    /// The room's address, or a link into it: xmpp:…?join, or the page https://…/#/enter/…
    #[arg(value_name = "ROOM", value_parser = room_link::parse)]
    room: RoomLink,
    /// What to be called there; your own name without it
    #[arg(long)]
    nick: Option<String>,
    /// The first line of this file is the room's password
    #[arg(long, value_name = "FILE")]
    password_file: Option<std::path::PathBuf>,
    #[command(flatten)]
    patience: Patience,
}

#[derive(Debug, Args)]
pub(crate) struct Leave {
    /// The room's address
    #[arg(value_name = "ROOM", value_parser = address)]
    room: BareJid,
    #[command(flatten)]
    patience: Patience,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What to call it
    name: String,
    /// Who becomes a member and is invited
    #[arg(value_name = "WHO", value_parser = address)]
    people: Vec<BareJid>,
    /// Everybody may enter it, and it is not encrypted
    #[arg(long, conflicts_with = "people")]
    public: bool,
    #[command(flatten)]
    patience: Patience,
}

#[derive(Debug, Args)]
pub(crate) struct Rooms {
    /// A JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    patience: Patience,
}

impl Join {
    pub(crate) fn run(self, shared: &Shared) -> Result<(), Failure> {
        let RoomLink { room, secret, .. } = self.room;
        let password = match &self.password_file {
            Some(file) => {
                let wrong = |error| Failure::Usage(format!("{}: {error}", file.display()));
                let text = std::fs::read_to_string(file).map_err(wrong)?;
                text.lines().next().map(str::to_owned)
            }
            None => secret,
        };
        let ask = Ask::Join { room, nick: self.nick, password };
        self.patience.ask(shared, ask).map(drop)
    }
}

impl Leave {
    pub(crate) fn run(self, shared: &Shared) -> Result<(), Failure> {
        self.patience.ask(shared, Ask::Leave(self.room)).map(drop)
    }
}

impl Create {
    pub(crate) fn run(self, shared: &Shared) -> Result<(), Failure> {
        let ask = Ask::Create { name: self.name, public: self.public, people: self.people };
        match self.patience.ask(shared, ask)? {
            Reply::Text(address) => print(&mut io::stdout().lock(), &address),
            _ => Err(Failure::Other("the answer does not fit the question".to_owned())),
        }
    }
}

impl Rooms {
    pub(crate) fn run(self, shared: &Shared) -> Result<(), Failure> {
        let Reply::Rooms(found) = self.patience.ask(shared, Ask::Rooms)? else {
            return Err(Failure::Other("the answer does not fit the question".to_owned()));
        };
        let mut out = io::stdout().lock();
        for room in found {
            let line = match self.json {
                true => serde_json::to_string(&room).map_err(|e| Failure::Other(e.to_string()))?,
                false => in_words(&room),
            };
            print(&mut out, &line)?;
        }
        Ok(())
    }
}

fn in_words(room: &RoomLine) -> String {
    let kind = if room.private { "private" } else { "public" };
    let mut line = format!("{}  {}  {kind}", room.room, Printable::line(&room.name));
    match (room.state.as_str(), &room.invited_by, &room.reason) {
        ("in", ..) => line.push_str(&format!("  {} members", room.members)),
        ("invited", Some(by), _) => line.push_str(&format!("  invited by {by}")),
        ("refused", _, Some(reason)) => {
            line.push_str(&format!("  refused: {}", Printable::line(reason)));
        }
        (state, ..) => line.push_str(&format!("  {state}")),
    }
    line
}
