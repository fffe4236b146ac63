//! A small service for rooms (XEP-0045): what clients rely on and nothing else.

mod config;
mod entry;

use std::collections::{BTreeMap, BTreeSet};

use xmpp::error::{Condition, StanzaError};
use xmpp::ext::delay::Delay;
use xmpp::ext::disco::{Identity, Info};
use xmpp::ext::form::Form;
use xmpp::ext::forward::Forwarded;
use xmpp::ext::muc::{Affiliation, Item, Role, status};
use xmpp::ext::rsm;
use xmpp::jid::{BareJid, FullJid, Jid};
use xmpp::ns;
use xmpp::time::Millis;
use xmpp::xml::Element;

use crate::server::{Server, bare};

/// Entries of a list of affiliations in one answer.
const LISTED_AT_ONCE: usize = 2;

/// The service's domain.
pub(crate) const ROOMS: &str = "rooms.example.net";

#[derive(Default)]
pub(crate) struct Room {
    pub(crate) affiliations: BTreeMap<BareJid, Affiliation>,
    /// Who is in it, by nickname.
    pub(crate) occupants: BTreeMap<String, FullJid>,
    pub(crate) archive: Vec<(String, Millis, Element)>,
    pub(crate) private: bool,
    name: Option<String>,
    /// Whether its owners moderate who writes: something of its form that is not asked for.
    pub(crate) moderated: bool,
    /// Its vCard, with a picture (XEP-0486).
    pub(crate) vcard: Option<Element>,
    /// What its archive answers instead of results.
    pub(crate) broken: Option<Condition>,
    /// It gives occupants ids.
    pub(crate) ids: bool,
    pub(crate) password: Option<String>,
    /// Secrets of links that make members (XEP-0488); `None` if it gives out none.
    pub(crate) tokens: Option<Vec<String>>,
    /// Who asks to become a member, by the nickname; `None` if nobody may.
    pub(crate) requests: Option<BTreeMap<String, BareJid>>,
    /// Members with a nickname of their own.
    registered: BTreeSet<BareJid>,
    /// What it says to an admin's answer instead of taking it.
    pub(crate) undecided: Option<Condition>,
}

pub(crate) fn occupant_id(address: &BareJid) -> String {
    // Says nothing about the address.
    let sum =
        address.as_str().bytes().fold(7u64, |sum, byte| sum.wrapping_mul(31) ^ u64::from(byte));
    format!("{sum:x}")
}

impl Room {
    pub(crate) fn public() -> Self {
        Self { ids: true, ..Self::default() }
    }

    fn item(&self, who: &FullJid) -> Item {
        let address = who.to_bare();
        let affiliation = self.affiliations.get(&address).copied().unwrap_or_default();
        let role = match affiliation {
            Affiliation::Owner | Affiliation::Admin => Role::Moderator,
            _ => Role::Participant,
        };
        Item {
            affiliation: Some(affiliation),
            role: Some(role),
            jid: self.private.then(|| Jid::from(who.clone())),
            ..Item::default()
        }
    }

    fn nick_of(&self, who: &FullJid) -> Option<String> {
        let mut occupants = self.occupants.iter();
        occupants.find(|(_, jid)| *jid == who).map(|(nick, _)| nick.clone())
    }
}

impl Server {
    /// Whether an address is the service's, or of a room of it.
    pub(crate) fn is_of_rooms(to: &Jid) -> bool {
        to.domain().as_str() == ROOMS
    }

    fn presence_of(&self, address: &BareJid, nick: &str, who: &FullJid, codes: &[u16]) -> Element {
        let room = &self.rooms[address];
        let x = Element::new("x", ns::MUC_USER)
            .with_child(room.item(who).to_element(ns::MUC_USER))
            .with_children(codes.iter().map(|code| status(*code)));
        let id = Element::new("occupant-id", ns::OCCUPANT_ID)
            .with_attr("id", occupant_id(&who.to_bare()));
        Element::new("presence", ns::CLIENT)
            .with_attr("from", format!("{address}/{nick}"))
            .with_child(x)
            .with_children(room.ids.then_some(id))
    }

    pub(crate) fn room_presence(&mut self, from: &FullJid, presence: &Element) {
        let to = Jid::new(presence.attr("to").unwrap()).unwrap();
        let (address, nick) = (to.to_bare(), to.resource().unwrap().to_string());
        if presence.attr("type") == Some("unavailable") {
            return self.put_out(&address, &nick, &[110]);
        }
        let created = !self.rooms.contains_key(&address);
        let room = self.rooms.entry(address.clone()).or_insert_with(|| Room {
            affiliations: BTreeMap::from([(from.to_bare(), Affiliation::Owner)]),
            ids: true,
            ..Room::default()
        });
        let affiliation = room.affiliations.get(&from.to_bare()).copied().unwrap_or_default();
        let given = presence.child("x", ns::MUC).and_then(|x| x.child("password", ns::MUC));
        let given = given.map(Element::text);
        let token = room.tokens.iter().flatten().any(|token| given.as_ref() == Some(token));
        if room.private && affiliation == Affiliation::None && token {
            room.affiliations.insert(from.to_bare(), Affiliation::Member);
        }
        let affiliation = room.affiliations.get(&from.to_bare()).copied().unwrap_or_default();
        let expired = room.tokens.is_some() && given.is_some();
        let taken = room.occupants.get(&nick).is_some_and(|other| other != from);
        let refused = match () {
            () if affiliation == Affiliation::Outcast => Some(Condition::Forbidden),
            () if room.private && affiliation < Affiliation::Member && expired => {
                Some(Condition::NotAuthorized)
            }
            () if room.private && affiliation < Affiliation::Member => {
                Some(Condition::RegistrationRequired)
            }
            () if room.password.is_some() && given != room.password => {
                Some(Condition::NotAuthorized)
            }
            () if taken => Some(Condition::Conflict),
            () => None,
        };
        if let Some(condition) = refused {
            let of_link = expired && room.password.is_none();
            let app = of_link.then(|| Element::new("expired-token", ns::MUC_TOKENS));
            let mut why = StanzaError::new(condition);
            if let Some(app) = app {
                why = why.with_app(app);
            }
            let error = Element::new("presence", ns::CLIENT)
                .with_attr("from", to.to_string())
                .with_attr("type", "error")
                .with_child(why.element());
            return self.deliver(from, &error);
        }
        if let Some(before) = room.nick_of(from) {
            room.occupants.remove(&before);
        }
        room.occupants.insert(nick.clone(), from.clone());
        let occupants = room.occupants.clone();
        for (other, who) in &occupants {
            if other != &nick {
                self.deliver(from, &self.presence_of(&address, other, who, &[]));
                self.deliver(who, &self.presence_of(&address, &nick, from, &[]));
            }
        }
        let codes: &[u16] = if created { &[110, 201] } else { &[110] };
        self.deliver(from, &self.presence_of(&address, &nick, from, codes));
        let subject = Element::new("message", ns::CLIENT)
            .with_attr("from", address.to_string())
            .with_attr("type", "groupchat")
            .with_child(Element::new("subject", ns::CLIENT));
        self.deliver(from, &subject);
        self.tell_requests(from, &address);
    }

    /// Somebody is not in a room any more; everybody is told why.
    pub(crate) fn put_out(&mut self, address: &BareJid, nick: &str, codes: &[u16]) {
        let Some(room) = self.rooms.get(address) else { return };
        let Some(who) = room.occupants.get(nick).cloned() else { return };
        let others = room.occupants.clone();
        for other in others.values() {
            let own = *other == who;
            let codes: Vec<u16> = codes
                .iter()
                .copied()
                .chain(own.then_some(110))
                .filter(|code| own || *code != 110)
                .collect();
            let presence = self.presence_of(address, nick, &who, &codes);
            self.deliver(other, &presence.with_attr("type", "unavailable"));
        }
        self.rooms.get_mut(address).unwrap().occupants.remove(nick);
    }

    pub(crate) fn room_message(&mut self, from: &FullJid, message: &Element) {
        let address = Jid::new(message.attr("to").unwrap()).unwrap().to_bare();
        if let Some(invite) =
            message.child("x", ns::MUC_USER).and_then(|x| x.child("invite", ns::MUC_USER))
        {
            let invitation = Element::new("invite", ns::MUC_USER)
                .with_attr("from", from.to_bare().to_string())
                .with_children(invite.children().cloned().collect::<Vec<_>>());
            let passed = Element::new("message", ns::CLIENT)
                .with_attr("from", address.to_string())
                .with_child(Element::new("x", ns::MUC_USER).with_child(invitation));
            for session in self.sessions_of(&bare(invite.attr("to").unwrap())) {
                self.deliver(&session, &passed);
            }
            return;
        }
        if let Some(decline) = message.child("x", ns::MUC_USER).and_then(xmpp::ext::muc::decline) {
            let passed = Element::new("message", ns::CLIENT)
                .with_attr("from", address.to_string())
                .with_child(
                    Element::new("x", ns::MUC_USER).with_child(decline.passed_on(&from.to_bare())),
                );
            for session in self.sessions_of(&decline.to.to_bare()) {
                self.deliver(&session, &passed);
            }
            return;
        }
        if let Some(form) = Form::child_of(message) {
            if let Err(condition) = self.decide(from, &address, &form) {
                let error = Element::new("message", ns::CLIENT)
                    .with_attr("from", address.to_string())
                    .with_attr("type", "error")
                    .with_attr_opt("id", message.attr("id"))
                    .with_child(StanzaError::new(condition).element());
                self.deliver(from, &error);
            }
            return;
        }
        let Some(nick) = self.rooms.get(&address).and_then(|room| room.nick_of(from)) else {
            let error = Element::new("message", ns::CLIENT)
                .with_attr("from", address.to_string())
                .with_attr("type", "error")
                .with_attr_opt("id", message.attr("id"))
                .with_child(StanzaError::new(Condition::NotAcceptable).element());
            return self.deliver(from, &error);
        };
        self.say(&address, Some((&nick, &from.to_bare())), message);
    }

    /// Everybody in a room gets a message, and its archive.
    pub(crate) fn say(
        &mut self,
        address: &BareJid,
        author: Option<(&str, &BareJid)>,
        message: &Element,
    ) {
        let mut said = message.clone();
        said.retain_children(|child| {
            !matches!(child.ns(), ns::OCCUPANT_ID | ns::MUC_USER) && child.name() != "stanza-id"
        });
        said.remove_attr("to");
        said.set_attr("type", "groupchat");
        said.set_attr(
            "from",
            match author {
                Some((nick, _)) => format!("{address}/{nick}"),
                None => address.to_string(),
            },
        );
        if let Some((_, person)) = author.filter(|_| self.rooms[address].ids) {
            said.push(
                Element::new("occupant-id", ns::OCCUPANT_ID).with_attr("id", occupant_id(person)),
            );
        }
        let kept = said.child("body", ns::CLIENT).is_some()
            || said.child("store", ns::HINTS).is_some()
            || author.is_none();
        if kept {
            self.now = self.now.plus(1000);
            let room = self.rooms.get_mut(address).unwrap();
            let id = format!(
                "r{:x}",
                (room.archive.len() as u64 + 1).wrapping_mul(2_654_435_761) % 0xffff_ffff
            );
            let mut archived = said.clone();
            if let Some((_, person)) = author.filter(|_| room.private) {
                let item = Item { jid: Some(Jid::from(person.clone())), ..Item::default() };
                archived.push(
                    Element::new("x", ns::MUC_USER).with_child(item.to_element(ns::MUC_USER)),
                );
            }
            room.archive.push((id.clone(), self.now, archived));
            said.push(
                Element::new("stanza-id", ns::STANZA_ID)
                    .with_attr("by", address.to_string())
                    .with_attr("id", id),
            );
        }
        let occupants: Vec<FullJid> = self.rooms[address].occupants.values().cloned().collect();
        for occupant in occupants {
            self.deliver(&occupant, &said);
        }
    }

    pub(crate) fn room_iq(
        &mut self,
        from: &FullJid,
        to: &Jid,
        iq: &Element,
    ) -> Result<Option<Element>, Condition> {
        let payload = iq.first_child().ok_or(Condition::BadRequest)?.clone();
        let address = to.to_bare();
        if payload.is("query", ns::DISCO_INFO) && address.as_str() == ROOMS {
            let service = Info::new().with_identity(Identity::new("conference", "text"));
            return Ok(Some(service.with_feature(ns::MUC).to_element()));
        }
        let room = self.rooms.get_mut(&address).ok_or(Condition::ItemNotFound)?;
        let nick = room.nick_of(from);
        let own = room.affiliations.get(&from.to_bare()).copied().unwrap_or_default();
        match (payload.name(), payload.ns(), iq.attr("type")) {
            ("query", ns::DISCO_INFO, _) => Ok(Some(config::info(room).to_element())),
            ("ping", ns::PING, _) => match nick {
                Some(_) => Ok(None),
                None => Err(Condition::NotAcceptable),
            },
            ("query", ns::MAM, _) if room.broken.is_some() => Err(room.broken.unwrap()),
            ("vCard", ns::VCARD, Some("get")) => {
                room.vcard.clone().map(Some).ok_or(Condition::ItemNotFound)
            }
            ("vCard", ns::VCARD, _) if own == Affiliation::Owner => {
                room.vcard = Some(payload.clone()).filter(|vcard| vcard.first_child().is_some());
                self.configured(&address);
                Ok(None)
            }
            ("query", ns::MAM, _) if nick.is_some() => self.room_archive(from, &address, &payload),
            ("query", ns::MUC_ADMIN, Some("get")) => {
                let wanted = payload.first_child().and_then(Item::parse).unwrap().affiliation;
                let listed = room.affiliations.iter().filter(|(_, one)| Some(**one) == wanted);
                let listed: Vec<String> = listed.map(|(jid, _)| jid.to_string()).collect();
                let request = rsm::Request::child_of(&payload).unwrap_or_default();
                let page = rsm::page(&listed, |jid| jid, &request, LISTED_AT_ONCE);
                let (page, described) = page.map_err(|_| Condition::ItemNotFound)?;
                let items = page.iter().map(|jid| {
                    let (jid, affiliation) = (Jid::new(jid).ok(), wanted);
                    Item { jid, affiliation, ..Item::default() }.to_element(ns::MUC_ADMIN)
                });
                let query = Element::new("query", ns::MUC_ADMIN).with_children(items);
                let partial = page.len() < listed.len();
                Ok(Some(query.with_children(partial.then(|| described.to_element()))))
            }
            ("query", ns::MUC_ADMIN, _) if own >= Affiliation::Admin => {
                let item = payload.first_child().and_then(Item::parse).unwrap();
                if let (Some(jid), Some(affiliation)) = (&item.jid, item.affiliation) {
                    room.affiliations.insert(jid.to_bare(), affiliation);
                }
                if let (Some(nick), Some(Role::None)) = (&item.nick, item.role) {
                    self.put_out(&address, nick, &[307]);
                }
                Ok(None)
            }
            ("query", ns::MUC_OWNER, _) if own == Affiliation::Owner => {
                self.owner_iq(&address, iq.attr("type") == Some("get"), &payload)
            }
            ("query", ns::REGISTER, _) => self.register(from, &address, &payload),
            (name, ns::MUC_TOKENS, _) if own >= Affiliation::Admin && room.tokens.is_some() => {
                entry::links(room.tokens.get_or_insert_default(), name, &payload)
            }
            ("moderate", ns::MODERATE, _) if own >= Affiliation::Admin => {
                let moderated = Element::new("moderated", ns::MODERATE);
                let retract = Element::new("retract", ns::RETRACT)
                    .with_attr_opt("id", payload.attr("id"))
                    .with_child(moderated);
                let message = Element::new("message", ns::CLIENT).with_child(retract);
                self.say(&address, None, &message);
                Ok(None)
            }
            _ => Err(Condition::Forbidden),
        }
    }

    fn room_archive(
        &mut self,
        from: &FullJid,
        address: &BareJid,
        query: &Element,
    ) -> Result<Option<Element>, Condition> {
        let rows = &self.rooms[address].archive;
        let wanted = rsm::Request::child_of(query).unwrap();
        let max = wanted.max.unwrap_or(self.page).min(self.page);
        let find = |id: &str| rows.iter().position(|(row, ..)| row == id);
        let (page, complete) = match &wanted.position {
            rsm::Position::After(id) => {
                let rest = &rows[find(id).ok_or(Condition::ItemNotFound)? + 1..];
                (&rest[..rest.len().min(max)], rest.len() <= max)
            }
            rsm::Position::Before(id) => {
                let at = find(id).ok_or(Condition::ItemNotFound)?;
                (&rows[at.saturating_sub(max)..at], at <= max)
            }
            rsm::Position::First => (&rows[..rows.len().min(max)], rows.len() <= max),
            _ => (&rows[rows.len().saturating_sub(max)..], rows.len() <= max),
        };
        let results: Vec<Element> = page
            .iter()
            .map(|(id, time, message)| {
                let delay = Some(Delay::new(*time));
                let forwarded = Forwarded { delay, stanza: message.clone() }.to_element();
                let result = Element::new("result", ns::MAM)
                    .with_attr_opt("queryid", query.attr("queryid"))
                    .with_attr("id", id)
                    .with_child(forwarded);
                Element::new("message", ns::CLIENT)
                    .with_attr("from", address.to_string())
                    .with_child(result)
            })
            .collect();
        let set = rsm::Response {
            first: page.first().map(|(id, ..)| (id.clone(), None)),
            last: page.last().map(|(id, ..)| id.clone()),
            count: None,
        };
        for result in results {
            self.deliver(from, &result);
        }
        let fin = Element::new("fin", ns::MAM)
            .with_attr_opt("complete", complete.then_some("true"))
            .with_child(set.to_element());
        Ok(Some(fin))
    }
}
