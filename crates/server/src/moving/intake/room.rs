//! Rooms that come in, with their lists and archives.

use store::rooms::{Affiliation, NewRoom, RoomId};
use xmpp::jid::BareJid;

use super::{Intake, Owner, TOO_LARGE};
use crate::{
    admin::{Fault, FaultCode},
    ext::muc::moved,
    moving::{
        record::{Line, Room},
        shelf::{Entry, Put, Shelf},
    },
};

/// A room while its things come in. In a trial run there may be no room.
pub(super) struct RoomDesk {
    id: Option<RoomId>,
    pub(super) jid: BareJid,
    salt: [u8; 32],
    pub(super) shelf: Option<Shelf>,
}

impl Intake<'_> {
    pub(super) async fn room(&mut self, room: Room) -> Result<Owner, Fault> {
        let Some(name) = room.jid.node().map(|node| node.as_str().to_owned()) else {
            return Ok(Owner::Refused);
        };
        let known = self.store.rooms.by_name(&name).await?;
        let id = match &known {
            Some(known) => Some(known.id),
            None => {
                self.report.rooms += 1;
                self.make_room(&room, &name).await?
            }
        };
        let salt = match id {
            Some(id) => moved::salt(self.secret, &room.jid, id),
            None => [0; 32],
        };
        Ok(Owner::Room(Box::new(RoomDesk { id, jid: room.jid, salt, shelf: None })))
    }

    async fn make_room(&mut self, room: &Room, name: &str) -> Result<Option<RoomId>, Fault> {
        if self.wish.dry_run {
            return Ok(None);
        }
        let owner = room
            .affiliations
            .iter()
            .find(|(_, affiliation, ..)| *affiliation == xmpp::ext::muc::Affiliation::Owner);
        let owner = owner.and_then(|(jid, ..)| BareJid::new(jid).ok());
        let owner = owner.filter(|jid| jid.domain().as_str() == self.config.domain);
        let creator = match owner.as_ref().and_then(|jid| jid.node()) {
            Some(node) => self.store.accounts.by_name(node.as_str()).await?.map(|row| row.id),
            None => None,
        };
        let subject =
            room.subject.as_ref().map(|(text, nick, at)| (text.as_str(), nick.as_str(), *at));
        let (state, card) = moved::state(&room.jid, &room.config, subject, room.vcard.clone());
        let mut affiliations: Vec<Affiliation> = Vec::new();
        for (jid, affiliation, nick, reason) in &room.affiliations {
            let Ok(jid) = BareJid::new(jid) else { continue };
            affiliations.push(Affiliation {
                jid: jid.as_str().into(),
                affiliation: affiliation.as_str().into(),
                nick: nick.as_deref().map(Into::into),
                reason: reason.as_deref().map(Into::into),
                version: affiliations.len() as u64 + 1,
            });
        }
        let (name, created) = (name.into(), self.now);
        let row = NewRoom { name, creator, created, state, card, affiliations };
        let made = self.store.rooms.create(row, u64::MAX).await;
        made.map(Some).map_err(|error| Fault::new(FaultCode::Storage, error.to_string()))
    }

    pub(super) async fn of_room(&mut self, desk: &mut RoomDesk, line: Line) -> Result<(), Fault> {
        let Some(moved) = moved::line(&desk.jid, &desk.salt, line.message) else {
            self.report.skip(desk.jid.as_str(), "a message that belongs into no archive");
            return Ok(());
        };
        let shelf = match &mut desk.shelf {
            Some(shelf) => shelf,
            none => {
                let (archive, by) = (desk.id.map(RoomId::archive), desk.jid.as_str());
                none.insert(Shelf::open(self.store, archive, by, self.wish.dry_run).await?)
            }
        };
        let old = shelf.is_old(self.config, line.at, false, self.now);
        let entry = Entry {
            at: line.at,
            with: moved.author.as_str().into(),
            resource: moved.nick.map(Into::into),
            outgoing: false,
            pending: false,
            message: moved.message,
        };
        match shelf.put(self.store, entry).await? {
            Put::Added => {
                self.report.room_messages += 1;
                self.report.messages_old += u64::from(old);
            }
            Put::Known => self.report.messages_known += 1,
            Put::TooLarge => self.report.skip(desk.jid.as_str(), TOO_LARGE),
        }
        Ok(())
    }
}
