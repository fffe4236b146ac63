//! What occupants are told of each other: presence as each of them may see it, and what goes along when
//! somebody comes in (XEP-0045 §7.2).

use bytes::Bytes;
use xmpp::{
    edit::Edit,
    ext::{
        muc::{Affiliation, Item, Join, Role, status},
        rsm::Position,
    },
    jid::Jid,
    ns,
    stanza::{Kind, Stanza},
    time::Millis,
    xml::{Element, Limits},
};

use super::{
    presence::empty,
    room::{Effects, Occupant, Room, Shown, Visit, send},
};
use crate::ext::pages;

/// What is told of an occupant beside the presence.
#[derive(Clone, Debug, Default)]
pub(super) struct News {
    /// Why, and who did it.
    pub(super) reason: Option<String>,
    pub(super) actor: Option<String>,
    /// The nickname from now on.
    pub(super) new_nick: Option<String>,
    /// For everybody.
    pub(super) codes: Vec<u16>,
    /// For the occupant alone.
    pub(super) own_codes: Vec<u16>,
    /// An element that goes along, such as the end of the room.
    pub(super) element: Option<Element>,
    /// Others are not to know.
    pub(super) hidden: bool,
}

impl News {
    /// Whether it says no more than who is there.
    fn is_plain(&self) -> bool {
        let News { reason, actor, new_nick, codes, own_codes: _, element, hidden: _ } = self;
        reason.is_none()
            && actor.is_none()
            && new_nick.is_none()
            && codes.is_empty()
            && element.is_none()
    }
}

impl Visit {
    /// Its last presence.
    fn stanza(&self) -> Stanza {
        Stanza::parse(self.presence.clone(), &Limits::TRUSTED).unwrap_or_else(|_| empty())
    }
}

impl Room {
    /// Shows an occupant's presence to everybody, as one of its sessions has it.
    pub(super) fn announce(&self, nick: &str, session: &Jid, news: &News, out: &mut Effects) {
        let Some(occupant) = self.occupants.get(nick) else { return };
        let visit = occupant.sessions.iter().find(|visit| visit.jid == *session);
        let Some(visit) = visit.or(occupant.sessions.last()) else { return };
        self.tell(nick, occupant, visit, news, out);
    }

    /// Shows a session its own presence.
    pub(super) fn announce_to_itself(
        &self,
        nick: &str,
        session: &Jid,
        news: &News,
        out: &mut Effects,
    ) {
        let Some(occupant) = self.occupants.get(nick) else { return };
        if let Some(visit) = occupant.sessions.iter().find(|visit| visit.jid == *session) {
            let own = self.write(nick, occupant, visit, true, news, true);
            out.push(send(session, Kind::Presence, &own));
        }
    }

    /// Tells everybody that an occupant is gone, with all sessions.
    pub(super) fn announce_gone(&self, nick: &str, news: &News, out: &mut Effects) {
        let Some(occupant) = self.occupants.get(nick) else { return };
        let Some(visit) = occupant.sessions.last() else { return };
        let gone = Visit { jid: visit.jid.clone(), presence: unavailable(&visit.stanza()) };
        self.tell(nick, occupant, &gone, news, out);
    }

    /// An occupant whose role was `before` has another one now. Whoever saw the occupant before and does
    /// not any more sees it leave.
    pub(super) fn announce_role(&self, nick: &str, before: Role, news: &News, out: &mut Effects) {
        let Some(occupant) = self.occupants.get(nick) else { return };
        if self.shows(before) && !self.shows(occupant.role) {
            self.hide(nick, out);
        }
        if let Some(session) = occupant.sessions.last() {
            self.announce(nick, &session.jid, news, out);
        }
    }

    /// Others believe that an occupant has left, who is still there.
    pub(super) fn hide(&self, nick: &str, out: &mut Effects) {
        let Some(occupant) = self.occupants.get(nick) else { return };
        let Some(visit) = occupant.sessions.last() else { return };
        let gone = Visit { jid: visit.jid.clone(), presence: unavailable(&empty()) };
        let mut item = self.item(occupant, &gone, false, &News::default());
        item.role = Some(Role::None);
        let bytes = self.write_item(nick, occupant, &gone, &item, &News::default(), false);
        let others = self.occupants.iter().filter(|(other, _)| ***other != *nick);
        for session in others.flat_map(|(_, other)| &other.sessions) {
            out.push(send(&session.jid, Kind::Presence, &bytes));
        }
    }

    /// Tells one session that it is out, while others of the same person stay.
    pub(super) fn farewell(&self, nick: &str, visit: &Visit, news: &News, out: &mut Effects) {
        let Some(occupant) = self.occupants.get(nick) else { return };
        let gone = Visit { jid: visit.jid.clone(), presence: unavailable(&empty()) };
        let mut item = self.item(occupant, &gone, true, news);
        item.role = Some(Role::None);
        let bytes = self.write_item(nick, occupant, &gone, &item, news, true);
        out.push(send(&visit.jid, Kind::Presence, &bytes));
    }

    /// Others get it if the role is one that is shown; the occupant always does, at last.
    fn tell(&self, nick: &str, occupant: &Occupant, visit: &Visit, news: &News, out: &mut Effects) {
        let hidden = news.hidden || (occupant.role != Role::None && !self.shows(occupant.role));
        // Whatever others know of the occupant is another thing now.
        occupant.shown.take();
        let lasts = news.is_plain() && occupant.sessions.last().is_some_and(|last| last == visit);
        let (mut open, mut veiled) = (None, None);
        let mut bytes = |sees: bool| {
            let known = if sees { &mut open } else { &mut veiled };
            let write = || match lasts {
                true => self.shown_to(nick, occupant, sees),
                false => Some(self.write(nick, occupant, visit, sees, news, false)),
            };
            known.get_or_insert_with(write).clone()
        };
        for (other, reader) in &self.occupants {
            if **other == *nick || hidden {
                continue;
            }
            let Some(bytes) = bytes(self.sees_addresses_inside(reader.role)) else { continue };
            for session in &reader.sessions {
                out.push(send(&session.jid, Kind::Presence, &bytes));
            }
        }
        let own = self.write(nick, occupant, visit, true, news, true);
        for session in &occupant.sessions {
            out.push(send(&session.jid, Kind::Presence, &own));
        }
    }

    /// The presence of an occupant for somebody who comes in: written once, however many come.
    pub(super) fn shown_to(&self, nick: &str, occupant: &Occupant, sees: bool) -> Option<Bytes> {
        let visit = occupant.sessions.last()?;
        let of = (self.affiliation(&visit.jid), occupant.role);
        let mut shown = occupant.shown.borrow_mut();
        if shown.of != of {
            *shown = Shown { of, ..Shown::default() };
        }
        let known = if sees { &mut shown.open } else { &mut shown.veiled };
        let write = || self.write(nick, occupant, visit, sees, &News::default(), false);
        Some(known.get_or_insert_with(write).clone())
    }

    pub(super) fn sees_addresses_inside(&self, role: Role) -> bool {
        self.settings.non_anonymous || role == Role::Moderator
    }

    fn item(&self, occupant: &Occupant, visit: &Visit, sees: bool, news: &News) -> Item {
        Item {
            affiliation: Some(self.affiliation(&visit.jid).max(Affiliation::Outcast)),
            role: Some(occupant.role),
            jid: sees.then(|| visit.jid.clone()),
            nick: news.new_nick.clone(),
            reason: news.reason.clone(),
            actor: news.actor.clone(),
        }
    }

    fn write(
        &self,
        nick: &str,
        occupant: &Occupant,
        visit: &Visit,
        sees: bool,
        news: &News,
        own: bool,
    ) -> Bytes {
        let item = self.item(occupant, visit, sees, news);
        self.write_item(nick, occupant, visit, &item, news, own)
    }

    /// The presence of an occupant, without recipient.
    fn write_item(
        &self,
        nick: &str,
        occupant: &Occupant,
        visit: &Visit,
        item: &Item,
        news: &News,
        own: bool,
    ) -> Bytes {
        let mut codes: Vec<u16> = news.codes.clone();
        if own {
            codes.push(110);
            codes.extend(&news.own_codes);
        }
        let said = visit.stanza();
        let here = said.type_().is_none();
        let version = (own && here).then(|| {
            Element::new("mav", ns::MUC_AFFILIATIONS)
                .with_attr("until", self.affiliations.version().to_string())
        });
        let x = Element::new("x", ns::MUC_USER)
            .with_child(item.to_element(ns::MUC_USER))
            .with_children(news.element.clone())
            .with_children(codes.into_iter().map(status))
            .with_children(version);
        let id = Element::new("occupant-id", ns::OCCUPANT_ID).with_attr("id", &*occupant.id);
        let from = self.occupant_jid(nick);
        let presence = Edit::new(&said)
            .from(&from)
            .append(x.to_bytes(ns::CLIENT))
            .append(id.to_bytes(ns::CLIENT));
        match self.hats.of(&occupant.jid).filter(|_| here) {
            Some(hats) => presence.append(hats.to_bytes(ns::CLIENT)).finish(),
            None => presence.finish(),
        }
    }

    pub(super) fn not_here(&self, to: &Jid, nick: &str, out: &mut Effects) {
        let item = Item {
            affiliation: Some(self.affiliation(to)),
            role: Some(Role::None),
            reason: Some("You are not in the room.".to_owned()),
            ..Item::default()
        };
        let x = Element::new("x", ns::MUC_USER)
            .with_child(item.to_element(ns::MUC_USER))
            .with_children([110, 307, 333].map(status));
        let presence = Element::new("presence", ns::CLIENT)
            .with_attr("from", self.occupant_jid(nick))
            .with_attr("type", "unavailable")
            .with_child(x);
        out.push(send(to, Kind::Presence, &presence.to_bytes(ns::CLIENT)));
    }

    /// XEP-0463: what changed in the lists since the client looked.
    pub(super) fn tell_affiliations(&self, to: &Jid, join: &Join, out: &mut Effects) {
        let Some(known) = &join.affiliations else { return };
        if !self.may_see_addresses(to) {
            return;
        }
        let since = known.as_ref().and_then(|known| known.parse().ok());
        let changes = since.and_then(|since| self.affiliations.since(since));
        let (mut entries, mut since) = match changes {
            Some(changes) if changes.is_empty() => return,
            Some(changes) => (changes, known.clone()),
            None => (self.affiliations.listed().collect(), None),
        };
        entries.sort_unstable_by_key(|(_, entry)| entry.version);
        let items: Vec<(u64, Element)> = entries
            .into_iter()
            .map(|(jid, entry)| {
                let (affiliation, jid) = (Some(entry.affiliation), Some(Jid::from(jid.clone())));
                let item = Item { affiliation, jid, ..Item::default() };
                (entry.version, item.to_element(ns::MUC_USER))
            })
            .collect();
        let mut rest = items.as_slice();
        loop {
            let written = |(_, item): &(u64, Element)| item.clone();
            let fits = pages::fit(rest, &Position::First, self.bounds.answer_bytes, written);
            let (now, later) = rest.split_at(fits.end);
            rest = later;
            let until = match now.last() {
                Some((version, _)) if !rest.is_empty() => *version,
                _ => self.affiliations.version(),
            };
            let mav = Element::new("mav", ns::MUC_AFFILIATIONS)
                .with_attr_opt("since", since.replace(until.to_string()))
                .with_attr("until", until.to_string());
            let now = now.iter().map(written);
            let x = Element::new("x", ns::MUC_USER).with_child(mav).with_children(now);
            let message = Element::new("message", ns::CLIENT)
                .with_attr("from", self.jid.as_str())
                .with_child(x);
            out.push(send(to, Kind::Message, &message.to_bytes(ns::CLIENT)));
            if rest.is_empty() {
                return;
            }
        }
    }

    pub(super) fn tell_subject(&self, to: &Jid, out: &mut Effects) {
        let bytes = match &self.subject {
            Some(subject) => {
                let bytes = Bytes::from(subject.xml.clone());
                super::history::stamp(&bytes, &self.jid, Millis(subject.at))
            }
            None => Element::new("message", ns::CLIENT)
                .with_attr("from", self.jid.as_str())
                .with_attr("type", "groupchat")
                .with_child(Element::new("subject", ns::CLIENT))
                .to_bytes(ns::CLIENT),
        };
        out.push(send(to, Kind::Message, &bytes));
    }
}

/// A farewell: the client's own, or one that says nothing.
fn unavailable(presence: &Stanza) -> Bytes {
    match presence.type_() {
        Some(_) => presence.bytes().clone(),
        None => Edit::new(&empty()).attr("type", Some("unavailable")).finish(),
    }
}
