//! Rooms as the operator handles them.

use store::rooms::{Listed, Select};
use xmpp::{ext::muc::Affiliation, jid::BareJid};

use super::{
    Fault, FaultCode, Operations, Response, RoomSettings,
    operations::{MOST_ROWS, stamp},
    protocol::{Member, Room},
};
use crate::ext::muc::operator;

impl Operations {
    pub(super) async fn room_list(&self) -> Result<Response, Fault> {
        let mut found = Vec::new();
        let mut after: Option<Box<str>> = None;
        loop {
            let select = after.map_or(Select::First, Select::After);
            let page = self.store.rooms.list(false, select, PAGE).await?;
            for row in &page {
                found.push(self.describe_room(row).await?);
            }
            match page.last() {
                Some(last) if found.len() < MOST_ROWS as usize => after = Some(last.name.clone()),
                _ => return Ok(Response::Rooms(found)),
            }
        }
    }

    pub(super) async fn room_show(&self, room: &str) -> Result<Response, Fault> {
        let row = self.room(room).await?;
        let mut room = self.describe_room(&row).await?;
        let stored = self.store.rooms.by_name(&row.name).await?;
        room.settings = stored.and_then(|stored| operator::settings(&stored.state));
        room.kept_days = Some(self.kept_days(row.id.archive()).await?);
        Ok(Response::Rooms(vec![room]))
    }

    pub(super) async fn room_members(&self, room: &str) -> Result<Response, Fault> {
        let row = self.room(room).await?;
        let listed = self.store.rooms.affiliations(row.id).await?;
        let listed = listed.into_iter().filter(|entry| &*entry.affiliation != "none");
        let members = listed.map(|entry| Member {
            address: entry.jid.into(),
            affiliation: entry.affiliation.into(),
            nick: entry.nick.map(Into::into),
            reason: entry.reason.map(Into::into),
        });
        Ok(Response::Members(members.collect()))
    }

    pub(super) async fn room_create(
        &self,
        room: &str,
        owner: &str,
        public: bool,
        title: Option<String>,
    ) -> Result<Response, Fault> {
        let live = self.running()?;
        let owner = self.account(owner).await?;
        let name = self.room_name(room)?;
        let made = live.create_room(&name, &owner.name, public, title).await;
        made.map_err(|(code, message)| Fault::new(code, message))?;
        Ok(Response::Done(format!(
            "{} was made and belongs to {}.",
            self.room_address(&name),
            self.address(&owner.name)
        )))
    }

    pub(super) async fn room_set(
        &self,
        room: &str,
        settings: &RoomSettings,
    ) -> Result<Response, Fault> {
        let live = self.running()?;
        let row = self.room(room).await?;
        if settings.changed().is_empty() {
            return Err(Fault::new(FaultCode::Usage, "say what is to change"));
        }
        let done = live.configure_room(&row.name, settings).await;
        self.changed(&row, done)?;
        let what = settings.changed().join(", ");
        let address = self.room_address(&row.name);
        Ok(Response::Done(format!("{address} was changed: {what}. The people in it are told.")))
    }

    pub(super) async fn room_affiliation(
        &self,
        room: &str,
        who: &str,
        affiliation: &str,
        reason: Option<&str>,
    ) -> Result<Response, Fault> {
        let live = self.running()?;
        let row = self.room(room).await?;
        let who = self.person(who)?;
        let wanted = Affiliation::parse(affiliation).ok_or_else(|| {
            let words = "an affiliation is owner, admin, member, outcast or none";
            Fault::new(FaultCode::Invalid, words)
        })?;
        let done = live.affiliate(&row.name, (&who, wanted), reason).await;
        self.changed(&row, done)?;
        let address = self.room_address(&row.name);
        Ok(Response::Done(match wanted {
            Affiliation::None => format!("{who} is on no list of {address} any more."),
            Affiliation::Outcast => format!("{who} is banned from {address}."),
            Affiliation::Member => format!("{who} is a member of {address}."),
            Affiliation::Admin => format!("{who} is an admin of {address}."),
            Affiliation::Owner => format!("{who} is an owner of {address}."),
        }))
    }

    /// What became of a change: the room may have ended meanwhile.
    fn changed(&self, row: &Listed, done: Result<bool, (FaultCode, String)>) -> Result<(), Fault> {
        match done {
            Ok(true) => Ok(()),
            Ok(false) => {
                let address = self.room_address(&row.name);
                Err(Fault::new(FaultCode::NotFound, format!("there is no room {address}")))
            }
            Err((code, message)) => Err(Fault::new(code, message)),
        }
    }

    /// Somebody on a list of a room: the name of an account here, any other address, or a whole domain.
    pub(super) fn person(&self, who: &str) -> Result<BareJid, Fault> {
        let full = match who.contains(['@', '.']) {
            true => who.to_owned(),
            false => self.address(who),
        };
        BareJid::new(&full).map_err(|_| {
            let words = format!("`{who}` is neither an address nor the name of an account");
            Fault::new(FaultCode::Invalid, words)
        })
    }

    pub(super) async fn room_destroy(
        &self,
        room: &str,
        reason: Option<String>,
    ) -> Result<Response, Fault> {
        let row = self.room(room).await?;
        match &self.live {
            Some(live) => live.destroy_room(&row.name, reason.as_deref()).await?,
            None => self.store.rooms.delete(row.id).await?,
        };
        let address = self.room_address(&row.name);
        Ok(Response::Done(format!("{address} was destroyed with its archive.")))
    }

    pub(super) async fn describe_room(&self, row: &Listed) -> Result<Room, Fault> {
        let card = &row.card;
        let creator = match row.creator {
            Some(id) => self.address_of(id).await?,
            None => None,
        };
        let people = self.store.rooms.count_affiliated(row.id, &["member", "admin", "owner"]);
        Ok(Room {
            address: self.room_address(&row.name),
            title: Some(card.title.to_string()).filter(|title| !title.is_empty()),
            public: card.public,
            members_only: card.members_only,
            members: people.await?,
            occupants: self.live.as_ref().map(|live| live.occupants(&row.name) as u64),
            creator,
            created: stamp(row.created),
            settings: None,
            kept_days: None,
        })
    }

    pub(super) async fn room(&self, room: &str) -> Result<Listed, Fault> {
        let name = self.room_name(room)?;
        let found = self.store.rooms.card(&name).await?;
        found.ok_or_else(|| {
            let address = self.room_address(&name);
            Fault::new(FaultCode::NotFound, format!("there is no room {address}"))
        })
    }

    /// The local part, in its normal form, of a room named by it or by its address.
    pub(super) fn room_name(&self, room: &str) -> Result<String, Fault> {
        let config = self.config();
        let service = config.rooms.address(&config.domain);
        let full = match room.contains('@') {
            true => room.to_owned(),
            false => format!("{room}@{service}"),
        };
        let jid = BareJid::new(&full).ok().filter(|jid| jid.domain().as_str() == service);
        let name = jid.and_then(|jid| jid.node().map(|node| node.as_str().to_owned()));
        name.ok_or_else(|| {
            let message = format!("`{room}` is not the address of a room, such as chat@{service}");
            Fault::new(FaultCode::Invalid, message)
        })
    }

    pub(super) fn room_address(&self, name: &str) -> String {
        let config = self.config();
        format!("{name}@{}", config.rooms.address(&config.domain))
    }
}

const PAGE: u32 = 200;
