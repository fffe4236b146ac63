//! Coming in, leaving, nicknames and presence (XEP-0045 §7.2, §7.6, §7.7, §7.14).

use bytes::Bytes;
use xmpp::{
    edit::Edit,
    error::{Condition, ErrorType, StanzaError},
    ext::muc::{Affiliation, Item, Join, Role, status},
    jid::Jid,
    ns,
    stanza::{Child, Kind, Stanza},
    time::Millis,
    xml::{Element, Limits},
};

use super::message::ROOM_RATE;
use super::room::{Effects, Occupant, Room, Visit, error, refuse, send, wait};

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

impl Room {
    /// Presence to an occupant address, or to the room.
    pub(super) fn presence(
        &mut self,
        now: Millis,
        from: &Jid,
        nick: Option<&str>,
        stanza: &Stanza,
        out: &mut Effects,
    ) {
        match stanza.type_().as_deref() {
            None => self.available(now, from, nick, stanza, out),
            Some("unavailable") => self.leave(from, Some(stanza), out),
            Some("error") => self.failed(from, stanza, out),
            // Subscriptions to rooms mean nothing, and probes tell nothing that occupants do not get.
            Some(_) => {}
        }
    }

    fn available(
        &mut self,
        now: Millis,
        from: &Jid,
        nick: Option<&str>,
        stanza: &Stanza,
        out: &mut Effects,
    ) {
        let Some(nick) = nick else {
            let error = StanzaError::new(Condition::JidMalformed).with_type(ErrorType::Modify);
            return refuse(&self.jid, from, stanza, &error, out);
        };
        let join = stanza.child("x", ns::MUC).and_then(|x| Join::parse(&x.element()));
        if let Err(error) = self.restrain_presence(now, from) {
            return refuse(&self.jid, from, stanza, &error, out);
        }
        let outcome = match (join, self.nicks.get(from).cloned()) {
            (Some(join), _) => self.join(now, from, nick, (stanza, &join), out),
            (None, Some(known)) if *known == *nick => {
                self.update(from, &known, stanza, out);
                Ok(())
            }
            (None, Some(known)) => self.rename(from, &known, nick, stanza, out),
            // §7.2.17: it believes to be in the room.
            (None, None) => {
                self.not_here(from, nick, out);
                Ok(())
            }
        };
        if let Err(error) = outcome {
            refuse(&self.jid, from, stanza, &error, out);
        }
    }

    /// Everybody hears of everybody who comes, and of every change: these cost as much as messages.
    fn restrain_presence(&mut self, now: Millis, from: &Jid) -> Result<(), StanzaError> {
        let rate = self.bounds.messages_per_second;
        let text = "you are changing your presence too fast";
        if !self.paces.has(from, now, rate) {
            return Err(wait(Condition::PolicyViolation, text));
        }
        // Of whoever comes with too many others nothing is kept.
        if !self.crowd.take(now, rate.saturating_mul(ROOM_RATE)) {
            let text = "too many people come and go here at once";
            return Err(wait(Condition::ResourceConstraint, text));
        }
        let listed = self.affiliation(from) > Affiliation::None;
        if !self.paces.take(from, listed, now, rate) {
            return Err(wait(Condition::PolicyViolation, text));
        }
        Ok(())
    }

    fn join(
        &mut self,
        now: Millis,
        from: &Jid,
        nick: &str,
        (stanza, join): (&Stanza, &Join),
        out: &mut Effects,
    ) -> Result<(), StanzaError> {
        let known = self.nicks.get(from).cloned();
        let affiliation = self.affiliation(from);
        let created = self.occupants.is_empty() && self.locked;
        self.admit(from, affiliation, nick, known.is_some(), join)?;
        if let Some(known) = known.filter(|known| **known != *nick) {
            // It lost track of its own name: what others see is a change of it.
            self.rename(from, &known, nick, stanza, out)?;
        }
        self.enter(from, nick, affiliation, stanza);
        self.tell_affiliations(from, join, out);
        self.show_others_to(from, nick, out);
        let mut own_codes = Vec::new();
        if self.settings.non_anonymous {
            own_codes.push(100);
        }
        if created {
            own_codes.push(201);
        }
        let news = News { own_codes, ..News::default() };
        self.announce(nick, from, &news, out);
        for bytes in self.history.choose(&self.jid, self.settings.history, join.history, now) {
            out.push(send(from, Kind::Message, &bytes));
        }
        self.tell_subject(from, out);
        Ok(())
    }

    /// Who may come in (§7.2.5 to §7.2.11).
    fn admit(
        &self,
        from: &Jid,
        affiliation: Affiliation,
        nick: &str,
        inside: bool,
        join: &Join,
    ) -> Result<(), StanzaError> {
        let refuse = |condition| Err(StanzaError::new(condition));
        if affiliation == Affiliation::Outcast {
            return refuse(Condition::Forbidden);
        }
        if self.locked && affiliation < Affiliation::Owner {
            return refuse(Condition::ItemNotFound);
        }
        if self.settings.members_only && affiliation < Affiliation::Member {
            return refuse(Condition::RegistrationRequired);
        }
        let password = self.settings.password.as_ref();
        if password.is_some_and(|password| join.password.as_ref() != Some(password)) && !inside {
            return refuse(Condition::NotAuthorized);
        }
        self.nick_is_free(from, nick)?;
        let most = match self.settings.max_users {
            0 => self.bounds.occupants,
            most => most.min(self.bounds.occupants),
        };
        // §7.2.10: who keeps order gets in although it is full.
        let reserve = if affiliation >= Affiliation::Admin { RESERVE } else { 0 };
        if self.nicks.len() >= (most + reserve) as usize && !inside {
            let error = StanzaError::new(Condition::ServiceUnavailable);
            return Err(error.with_type(ErrorType::Wait));
        }
        Ok(())
    }

    /// §7.2.9: a nickname is somebody's while that person is there, or when it is reserved.
    pub(super) fn nick_is_free(&self, from: &Jid, nick: &str) -> Result<(), StanzaError> {
        let bare = from.to_bare();
        let used = self.occupants.get(nick).is_some_and(|occupant| occupant.jid != bare);
        let reserved = self.affiliations.owner_of(nick).is_some_and(|owner| *owner != bare);
        if used || reserved {
            return Err(StanzaError::new(Condition::Conflict));
        }
        Ok(())
    }

    fn enter(&mut self, from: &Jid, nick: &str, affiliation: Affiliation, stanza: &Stanza) {
        let presence = sanitized(stanza);
        let (role, bare) = (self.initial_role(affiliation), from.to_bare());
        let id = self.occupant_id(&bare);
        let occupant = self.occupants.entry(nick.into()).or_insert_with(|| Occupant {
            jid: bare,
            role,
            id,
            sessions: Vec::new(),
        });
        occupant.sessions.retain(|visit| visit.jid != *from);
        occupant.sessions.push(Visit { jid: from.clone(), presence });
        self.nicks.insert(from.clone(), nick.into());
    }

    /// Everybody who is there, before the newcomer learns that it is there, too (§7.1).
    fn show_others_to(&self, to: &Jid, own: &str, out: &mut Effects) {
        for (nick, occupant) in &self.occupants {
            if **nick != *own && self.shows(occupant.role) {
                self.show_to(to, nick, out);
            }
        }
    }

    /// The presence of one occupant, for one session.
    fn show_to(&self, to: &Jid, nick: &str, out: &mut Effects) {
        let Some(occupant) = self.occupants.get(nick) else { return };
        if let Some(visit) = occupant.sessions.last() {
            let sees = self.sees_addresses_inside(self.role(to));
            let bytes = self.write(nick, occupant, visit, sees, &News::default(), false);
            out.push(send(to, Kind::Presence, &bytes));
        }
    }

    /// Another presence under the same name.
    fn update(&mut self, from: &Jid, nick: &str, stanza: &Stanza, out: &mut Effects) {
        if let Some(occupant) = self.occupants.get_mut(nick) {
            occupant.sessions.retain(|visit| visit.jid != *from);
            let presence = sanitized(stanza);
            occupant.sessions.push(Visit { jid: from.clone(), presence });
        }
        self.announce(nick, from, &News::default(), out);
    }

    /// §7.6: another name. Who has several sessions takes this one along only.
    fn rename(
        &mut self,
        from: &Jid,
        old: &str,
        new: &str,
        stanza: &Stanza,
        out: &mut Effects,
    ) -> Result<(), StanzaError> {
        self.nick_is_free(from, new)?;
        let Some(occupant) = self.occupants.get(old) else { return Ok(()) };
        let (role, alone) = (occupant.role, occupant.sessions.len() == 1);
        if role == Role::Visitor && self.settings.moderated {
            return Err(error(Condition::Forbidden, "visitors keep their name here"));
        }
        let news = News { new_nick: Some(new.to_owned()), codes: vec![303], ..News::default() };
        if alone {
            self.announce_gone(old, &news, out);
        } else if let Some(visit) = occupant.sessions.iter().find(|visit| visit.jid == *from) {
            self.farewell(old, &visit.clone(), &news, out);
        }
        let affiliation = self.affiliation(from);
        self.remove(from);
        // Another session of the same person may have that name already.
        let before = self.occupants.get(new).map_or(Role::None, |occupant| occupant.role);
        self.enter(from, new, affiliation, stanza);
        if let Some(occupant) = self.occupants.get_mut(new) {
            // Another name is no way around what holds for the old one.
            occupant.role = role;
        }
        if !alone && self.shows(role) {
            // The sessions that keep the old name are somebody else to this one from now on.
            self.show_to(from, old, out);
        }
        self.announce_role(new, before, &News::default(), out);
        Ok(())
    }

    /// §7.14: somebody leaves, or is gone.
    pub(super) fn leave(&mut self, from: &Jid, stanza: Option<&Stanza>, out: &mut Effects) {
        let Some(nick) = self.nicks.get(from).cloned() else { return };
        let Some(occupant) = self.occupants.get_mut(&nick) else { return };
        if occupant.sessions.len() > 1 {
            let Some(at) = occupant.sessions.iter().position(|visit| visit.jid == *from) else {
                return;
            };
            let visit = occupant.sessions.remove(at);
            self.nicks.remove(from);
            self.farewell(&nick, &visit, &News::default(), out);
            // The others see what the sessions that stay say.
            if let Some(visit) = self.occupants.get(&nick).and_then(|o| o.sessions.last().cloned())
            {
                self.announce(&nick, &visit.jid, &News::default(), out);
            }
            return;
        }
        if let (Some(visit), Some(stanza)) = (occupant.sessions.last_mut(), stanza) {
            visit.presence = sanitized(stanza);
        }
        let role = std::mem::take(&mut occupant.role);
        let news = News { hidden: !self.shows(role), ..News::default() };
        self.announce_gone(&nick, &news, out);
        self.remove(from);
        self.destroy_if_empty(out);
    }

    /// A stanza that could not reach an occupant came back: the occupant is not there any more.
    fn failed(&mut self, from: &Jid, stanza: &Stanza, out: &mut Effects) {
        let error = stanza.child("error", ns::CLIENT);
        let error = error.map(|error| StanzaError::parse(&error.element()));
        if error.is_some_and(|error| is_gone(error.condition)) {
            self.drop_out(from, out);
        }
    }

    /// Removes somebody who cannot be reached (§7.15).
    pub(super) fn drop_out(&mut self, from: &Jid, out: &mut Effects) {
        let Some(nick) = self.nicks.get(from).cloned() else { return };
        if self.occupants.get(&nick).is_some_and(|occupant| occupant.sessions.len() > 1) {
            return self.leave(from, None, out);
        }
        let news = News { codes: vec![307, 333], ..News::default() };
        self.expel(&nick, &news, out);
        self.destroy_if_empty(out);
    }

    /// Takes an occupant with all sessions out of the room, and says why.
    pub(super) fn expel(&mut self, nick: &str, news: &News, out: &mut Effects) {
        let Some(occupant) = self.occupants.get_mut(nick) else { return };
        let role = std::mem::take(&mut occupant.role);
        for visit in &mut occupant.sessions {
            visit.presence = empty();
        }
        let news = News { hidden: !self.shows(role), ..news.clone() };
        self.announce_gone(nick, &news, out);
        if let Some(occupant) = self.occupants.remove(nick) {
            for visit in occupant.sessions {
                self.nicks.remove(&visit.jid);
            }
        }
    }

    /// A room that does not persist ends with its last occupant, and so does one that was never
    /// configured.
    pub(super) fn destroy_if_empty(&mut self, out: &mut Effects) {
        if self.occupants.is_empty() && (self.locked || !self.settings.persistent) {
            out.push(super::room::Effect::Destroy);
        }
    }

    fn remove(&mut self, from: &Jid) {
        let Some(nick) = self.nicks.remove(from) else { return };
        let Some(occupant) = self.occupants.get_mut(&nick) else { return };
        occupant.sessions.retain(|visit| visit.jid != *from);
        if occupant.sessions.is_empty() {
            self.occupants.remove(&nick);
        }
    }

    /// Shows an occupant's presence to everybody, as one of its sessions has it.
    pub(super) fn announce(&self, nick: &str, session: &Jid, news: &News, out: &mut Effects) {
        let Some(occupant) = self.occupants.get(nick) else { return };
        let visit = occupant.sessions.iter().find(|visit| visit.jid == *session);
        let Some(visit) = visit.or(occupant.sessions.last()) else { return };
        self.tell(nick, occupant, visit, news, out);
    }

    /// Tells everybody that an occupant is gone, with all sessions.
    pub(super) fn announce_gone(&self, nick: &str, news: &News, out: &mut Effects) {
        let Some(occupant) = self.occupants.get(nick) else { return };
        let Some(visit) = occupant.sessions.last() else { return };
        let gone = Visit { jid: visit.jid.clone(), presence: unavailable(&visit.presence) };
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
    fn farewell(&self, nick: &str, visit: &Visit, news: &News, out: &mut Effects) {
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
        let (open, veiled) = (
            self.write(nick, occupant, visit, true, news, false),
            self.write(nick, occupant, visit, false, news, false),
        );
        for (other, reader) in &self.occupants {
            if **other == *nick || hidden {
                continue;
            }
            let sees = self.sees_addresses_inside(reader.role);
            for session in &reader.sessions {
                out.push(send(&session.jid, Kind::Presence, if sees { &open } else { &veiled }));
            }
        }
        let own = self.write(nick, occupant, visit, true, news, true);
        for session in &occupant.sessions {
            out.push(send(&session.jid, Kind::Presence, &own));
        }
    }

    fn sees_addresses_inside(&self, role: Role) -> bool {
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
        let version = (own && visit.presence.type_().is_none()).then(|| {
            Element::new("mav", ns::MUC_AFFILIATIONS)
                .with_attr("until", self.affiliations.version().to_string())
        });
        let x = Element::new("x", ns::MUC_USER)
            .with_child(item.to_element(ns::MUC_USER))
            .with_children(news.element.clone())
            .with_children(codes.into_iter().map(status))
            .with_children(version);
        let id = Element::new("occupant-id", ns::OCCUPANT_ID).with_attr("id", occupant.id.as_str());
        let from = self.occupant_jid(nick);
        let presence = Edit::new(&visit.presence)
            .from(&from)
            .append(x.to_bytes(ns::CLIENT))
            .append(id.to_bytes(ns::CLIENT));
        let here = visit.presence.type_().is_none();
        match self.hats.of(&occupant.jid).filter(|_| here) {
            Some(hats) => presence.append(hats.to_bytes(ns::CLIENT)).finish(),
            None => presence.finish(),
        }
    }

    fn not_here(&self, to: &Jid, nick: &str, out: &mut Effects) {
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
    fn tell_affiliations(&self, to: &Jid, join: &Join, out: &mut Effects) {
        let Some(known) = &join.affiliations else { return };
        if !self.may_see_addresses(to) {
            return;
        }
        let version = self.affiliations.version();
        let since = known.as_ref().and_then(|known| known.parse().ok());
        let changes = since.and_then(|since| self.affiliations.since(since));
        let mut mav = Element::new("mav", ns::MUC_AFFILIATIONS);
        let entries: Vec<_> = match (&changes, known) {
            (Some(changes), _) if changes.is_empty() => return,
            (Some(changes), Some(known)) => {
                mav.set_attr("since", known.as_str());
                changes.iter().map(|(jid, affiliation)| (*jid, *affiliation)).collect()
            }
            _ => self.affiliations.listed().map(|(jid, entry)| (jid, entry.affiliation)).collect(),
        };
        mav.set_attr("until", version.to_string());
        let items = entries.into_iter().map(|(jid, affiliation)| {
            let jid = Some(Jid::from(jid.clone()));
            let item = Item { affiliation: Some(affiliation), jid, ..Item::default() };
            item.to_element(ns::MUC_USER)
        });
        let x = Element::new("x", ns::MUC_USER).with_child(mav).with_children(items);
        let message =
            Element::new("message", ns::CLIENT).with_attr("from", self.jid.as_str()).with_child(x);
        out.push(send(to, Kind::Message, &message.to_bytes(ns::CLIENT)));
    }

    fn tell_subject(&self, to: &Jid, out: &mut Effects) {
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

/// The presence without addresses and without what only the room may say.
fn sanitized(stanza: &Stanza) -> Stanza {
    let of_the_room = |child: &Child<'_>| {
        let namespace = child.ns();
        matches!(
            namespace.as_ref(),
            ns::MUC | ns::MUC_USER | ns::MUC_ADMIN | ns::MUC_OWNER | ns::OCCUPANT_ID | ns::HATS
        )
    };
    let bytes = Edit::new(stanza).attr("to", None).attr("from", None).drop_if(of_the_room).finish();
    Stanza::parse(bytes, &Limits::TRUSTED).unwrap_or_else(|_| empty())
}

/// A farewell: the client's own, or one that says nothing.
fn unavailable(presence: &Stanza) -> Stanza {
    if presence.type_().is_some() {
        return presence.clone();
    }
    let bytes = Edit::new(&empty()).attr("type", Some("unavailable")).finish();
    Stanza::parse(bytes, &Limits::TRUSTED).unwrap_or_else(|_| empty())
}

/// A presence that says nothing.
fn empty() -> Stanza {
    let bytes = Bytes::from_static(b"<presence/>");
    Stanza::parse(bytes, &Limits::TRUSTED).expect("the shortest presence is one")
}

/// Errors that say that somebody is not there, rather than that something went wrong (§7.15).
pub(super) fn is_gone(condition: Condition) -> bool {
    matches!(
        condition,
        Condition::Gone
            | Condition::ItemNotFound
            | Condition::RecipientUnavailable
            | Condition::Redirect
            | Condition::RemoteServerNotFound
            | Condition::RemoteServerTimeout
            | Condition::JidMalformed
            | Condition::ServiceUnavailable
    )
}

/// Places for who keeps order in a room that is full.
const RESERVE: u32 = 5;
