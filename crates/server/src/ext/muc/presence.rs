//! Coming in, leaving, nicknames and presence (XEP-0045 §7.2, §7.6, §7.7, §7.14).

use bytes::Bytes;
use xmpp::{
    edit::Edit,
    error::{Condition, ErrorType, StanzaError},
    ext::muc::{Affiliation, Join, Role},
    jid::{BareJid, Jid},
    ns,
    stanza::{Child, Kind, Stanza},
    time::Millis,
    xml::{Element, Limits},
};

use super::announce::News;
use super::message::ROOM_RATE;
use super::nick::likeness;
use super::room::{Effects, Occupant, Room, Visit, error, refuse, send, wait};

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
        // §13.1: a name that cannot be seen is none.
        let Some(nick) = nick.filter(|nick| likeness(nick).is_some()) else {
            let error = StanzaError::new(Condition::JidMalformed).with_type(ErrorType::Modify);
            return refuse(&self.jid, from, stanza, &error, out);
        };
        let join = stanza.child("x", ns::MUC).and_then(|x| Join::parse(&x.element()));
        // Who may not come in, or is not there, pays nothing, and so takes nobody else's place.
        let lets_in = match (&join, self.nicks.contains_key(from)) {
            (Some(join), _) => self.lets_in(from, join, now),
            (None, true) => Ok(()),
            // §7.2.17: it believes to be in the room.
            (None, false) => return self.not_here(from, nick, out),
        };
        let text = "you are changing your presence too fast";
        if let Err(error) =
            fits(stanza).and(lets_in).and_then(|()| self.restrain_visit(now, from, text))
        {
            return refuse(&self.jid, from, stanza, &error, out);
        }
        let outcome = match (join, self.nicks.get(from).cloned()) {
            (Some(join), _) => self.join(now, from, nick, (stanza, &join), out),
            (None, Some(known)) if *known != *nick => self.rename(from, &known, nick, stanza, out),
            (None, _) => {
                self.update(from, nick, stanza, out);
                Ok(())
            }
        };
        if let Err(error) = outcome {
            refuse(&self.jid, from, stanza, &error, out);
        }
    }

    /// Everybody hears of everybody who comes, and of every change: these cost as much as messages.
    pub(super) fn restrain_visit(
        &mut self,
        now: Millis,
        from: &Jid,
        text: &str,
    ) -> Result<(), StanzaError> {
        let rate = self.bounds.messages_per_second;
        if !self.paces.has(from, now, rate) {
            return Err(wait(Condition::PolicyViolation, text));
        }
        // Of whoever comes with too many others nothing is kept. Strangers do not stand in the way of those
        // who belong to the room.
        let listed = self.affiliation(from) > Affiliation::None;
        let crowd = if listed { &mut self.regulars } else { &mut self.crowd };
        if !crowd.take(now, rate.saturating_mul(ROOM_RATE)) {
            let crowded = "too many people come and go here at once";
            return Err(wait(Condition::ResourceConstraint, crowded));
        }
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
        let before = self.shown_presence(from, nick);
        self.admit(from, affiliation, nick, known.is_some(), join)?;
        self.redeem(now, from, join, out)?;
        if let Some(known) = known.filter(|known| **known != *nick) {
            // It lost track of its own name: what others see is a change of it.
            self.rename(from, &known, nick, stanza, out)?;
        }
        self.enter(from, nick, stanza);
        self.tell_affiliations(from, join, out);
        self.show_others_to(from, nick, out);
        let codes = [
            (self.settings.non_anonymous, 100),
            (self.settings.is_logged(), 170),
            (created, 201),
            (is_altered(stanza, nick), 210),
        ];
        let own_codes = codes.into_iter().filter(|(holds, _)| *holds).map(|(_, code)| code);
        let news = News { own_codes: own_codes.collect(), ..News::default() };
        // §13.3: others need no presence that they have.
        match before.is_some() && before == self.shown_presence(from, nick) {
            true => self.announce_to_itself(nick, from, &news, out),
            false => self.announce(nick, from, &news, out),
        }
        for bytes in
            self.history.choose((&self.jid, from), self.settings.history, join.history, now)
        {
            out.push(send(from, Kind::Message, &bytes));
        }
        self.tell_subject(from, out);
        self.tell_requests(now, from, out);
        Ok(())
    }

    /// Whether somebody may come in, whatever they say (§7.2.6, §7.2.8, §10.1.1).
    fn lets_in(&self, from: &Jid, join: &Join, now: Millis) -> Result<(), StanzaError> {
        let refuse = |condition| Err(StanzaError::new(condition));
        let affiliation = self.affiliation(from);
        if affiliation == Affiliation::Outcast {
            return refuse(Condition::Forbidden);
        }
        if self.locked && affiliation < Affiliation::Owner {
            return refuse(Condition::ItemNotFound);
        }
        let invited = self.is_invited(from, join, now);
        if self.settings.members_only && affiliation < Affiliation::Member && !invited {
            return Err(self.not_a_member(join));
        }
        Ok(())
    }

    /// The way in of those who may (§7.2.5 to §7.2.11).
    fn admit(
        &self,
        from: &Jid,
        affiliation: Affiliation,
        nick: &str,
        inside: bool,
        join: &Join,
    ) -> Result<(), StanzaError> {
        let refuse = |condition| Err(StanzaError::new(condition));
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
        self.nick_is_free_for(&from.to_bare(), nick)
    }

    /// Nobody takes a name that others could take for somebody else's.
    pub(super) fn nick_is_free_for(&self, who: &BareJid, nick: &str) -> Result<(), StanzaError> {
        let like = likeness(nick);
        let like = like.ok_or_else(|| error(Condition::NotAcceptable, "nothing is no name"))?;
        let alike = |other: &Occupant| other.jid != *who && other.like.matches(&like);
        let used = self.occupants.values().any(alike);
        if used || self.affiliations.is_kept_from(who, nick, &like) {
            return Err(StanzaError::new(Condition::Conflict));
        }
        Ok(())
    }

    /// What others see a session say under a name, without its id.
    fn shown_presence(&self, from: &Jid, nick: &str) -> Option<Bytes> {
        let sessions = &self.occupants.get(nick)?.sessions;
        let visit = sessions.last().filter(|visit| visit.jid == *from)?;
        let said = Stanza::parse(visit.presence.clone(), &Limits::TRUSTED).ok()?;
        Some(Edit::new(&said).attr("id", None).finish())
    }

    fn enter(&mut self, from: &Jid, nick: &str, stanza: &Stanza) {
        let presence = sanitized(stanza);
        let bare = from.to_bare();
        let role = self.role_of_newcomer(&bare);
        let id = self.occupant_id(&bare);
        let new = || Occupant::new(nick, bare, role, id);
        let occupant = self.occupants.entry(nick.into()).or_insert_with(new);
        occupant.sessions.retain(|visit| visit.jid != *from);
        occupant.sessions.push(Visit { jid: from.clone(), presence });
        occupant.shown.take();
        self.nicks.insert(from.clone(), nick.into());
    }

    /// Everybody who is there, before the newcomer learns that it is there, too (§7.1).
    fn show_others_to(&self, to: &Jid, own: &str, out: &mut Effects) {
        let sees = self.sees_addresses_inside(self.role(to));
        for (nick, occupant) in &self.occupants {
            if **nick != *own
                && self.shows(occupant.role)
                && let Some(bytes) = self.shown_to(nick, occupant, sees)
            {
                out.push(send(to, Kind::Presence, &bytes));
            }
        }
    }

    /// The presence of one occupant, for one session.
    fn show_to(&self, to: &Jid, nick: &str, out: &mut Effects) {
        let Some(occupant) = self.occupants.get(nick) else { return };
        let sees = self.sees_addresses_inside(self.role(to));
        if let Some(bytes) = self.shown_to(nick, occupant, sees) {
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
        let spoke_last = occupant.sessions.last().is_some_and(|visit| visit.jid == *from);
        if role == Role::Visitor && self.settings.moderated {
            return Err(error(Condition::Forbidden, "visitors keep their name here"));
        }
        let news = News { new_nick: Some(new.to_owned()), codes: vec![303], ..News::default() };
        if alone {
            self.announce_gone(old, &news, out);
        } else if let Some(visit) = occupant.sessions.iter().find(|visit| visit.jid == *from) {
            self.farewell(old, &visit.clone(), &news, out);
        }
        self.remove(from);
        // The others see what the sessions that stay say.
        if let Some(visit) = self.occupants.get(old).and_then(|o| o.sessions.last().cloned())
            && spoke_last
        {
            self.announce(old, &visit.jid, &News::default(), out);
        }
        // Another session of the same person may have that name already.
        let before = self.occupants.get(new).map_or(Role::None, |occupant| occupant.role);
        self.enter(from, new, stanza);
        if let Some(occupant) = self.occupants.get_mut(new) {
            // Another name is no way around what holds for the old one.
            occupant.role = role;
        }
        if !alone && self.shows(role) {
            // The sessions that keep the old name are somebody else to this one from now on.
            self.show_to(from, old, out);
        }
        let own_codes = if is_altered(stanza, new) { vec![210] } else { Vec::new() };
        self.announce_role(new, before, &News { own_codes, ..News::default() }, out);
        Ok(())
    }

    /// §7.14: somebody leaves, or is gone.
    pub(super) fn leave(&mut self, from: &Jid, stanza: Option<&Stanza>, out: &mut Effects) {
        let Some(nick) = self.nicks.get(from).cloned() else { return };
        if self.locked && self.nicks.len() == 1 {
            // §10.1.3: whoever leaves it before it is configured does not want it.
            return self.destroy(&Element::new("destroy", ns::MUC_OWNER), out);
        }
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

    /// Removes somebody who cannot be reached (§11.1). Nobody threw them out, so that is not said.
    pub(super) fn drop_out(&mut self, from: &Jid, out: &mut Effects) {
        let Some(nick) = self.nicks.get(from).cloned() else { return };
        if self.occupants.get(&nick).is_some_and(|occupant| occupant.sessions.len() > 1) {
            return self.leave(from, None, out);
        }
        let news = News { codes: vec![333], ..News::default() };
        self.expel(&nick, &news, out);
        self.destroy_if_empty(out);
    }

    /// Takes an occupant with all sessions out of the room, and says why.
    pub(super) fn expel(&mut self, nick: &str, news: &News, out: &mut Effects) {
        let Some(occupant) = self.occupants.get_mut(nick) else { return };
        let role = std::mem::take(&mut occupant.role);
        for visit in &mut occupant.sessions {
            visit.presence = empty().bytes().clone();
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
        occupant.shown.take();
        if occupant.sessions.is_empty() {
            self.occupants.remove(&nick);
        }
    }
}

/// Whether a presence is as small as everybody's has to be: it stays, and everybody who comes after it gets
/// it, so that a few large ones would fill a line.
fn fits(stanza: &Stanza) -> Result<(), StanzaError> {
    if stanza.bytes().len() <= MOST_BYTES {
        return Ok(());
    }
    let error = error(Condition::PolicyViolation, "a presence in a room has to be smaller");
    Err(error.with_type(ErrorType::Modify))
}

/// The presence without addresses and without what only the room may say.
fn sanitized(stanza: &Stanza) -> Bytes {
    let of_the_room = |child: &Child<'_>| {
        let namespace = child.ns();
        matches!(
            namespace.as_ref(),
            ns::MUC | ns::MUC_USER | ns::MUC_ADMIN | ns::MUC_OWNER | ns::OCCUPANT_ID | ns::HATS
        )
    };
    let bytes = Edit::new(stanza).attr("to", None).attr("from", None).drop_if(of_the_room).finish();
    // It stays as long as its session: nothing larger is to stay with it.
    Bytes::copy_from_slice(&bytes)
}

/// Whether the room calls somebody otherwise than they wrote it (§7.2.2): names are prepared.
fn is_altered(stanza: &Stanza, nick: &str) -> bool {
    let to = stanza.to();
    let asked = to.as_deref().and_then(|to| to.split_once('/'));
    asked.is_some_and(|(_, asked)| asked != nick)
}

/// A presence that says nothing.
pub(super) fn empty() -> Stanza {
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

/// Bytes of one presence. What a server takes at least (RFC 6120 §13.12), it takes here as well.
const MOST_BYTES: usize = 10_000;

/// Places for who keeps order in a room that is full.
const RESERVE: u32 = 5;
