//! Invitations through the room (XEP-0045 §7.8.2), their refusals, and what becomes of those that do not
//! arrive.

use std::{
    collections::{VecDeque, hash_map::RandomState},
    hash::BuildHasher as _,
};

use xmpp::{
    error::{Condition, StanzaError},
    ext::muc::{self, Affiliation, Role},
    jid::{BareJid, Jid},
    ns,
    stanza::Stanza,
    time::Millis,
    xml::Element,
};

use super::{
    presence::is_gone,
    room::{Back, Effect, Effects, Room, error, in_short, wait},
    settings::cut,
};

/// What people sent to others through the room and may come back.
#[derive(Debug, Default)]
pub(super) struct Sendings {
    sent: VecDeque<Sending>,
    keys: RandomState,
}

#[derive(Debug)]
struct Sending {
    /// The hash of what it was called, with a key that nobody knows: names may be long.
    id: u64,
    recipient: Jid,
    sender: Jid,
    at: Millis,
}

impl Sendings {
    pub(super) fn note(&mut self, now: Millis, id: &str, recipient: Jid, sender: &Jid) {
        if self.sent.len() >= MOST_SENDINGS {
            self.sent.pop_front();
        }
        let id = self.keys.hash_one(id);
        self.sent.push_back(Sending { id, recipient, sender: sender.clone(), at: now });
    }

    /// Who had sent the one that comes back.
    fn returned(&mut self, id: &str, recipient: &Jid) -> Option<Jid> {
        let id = self.keys.hash_one(id);
        let found = self.sent.iter().position(|one| one.id == id && one.recipient == *recipient)?;
        self.sent.remove(found).map(|one| one.sender)
    }

    /// Whether somebody was sent something a moment ago.
    fn went_to(&self, recipient: &Jid, now: Millis) -> bool {
        self.sent.iter().any(|one| one.recipient == *recipient && now.since(one.at) < LATELY)
    }
}

impl Room {
    /// Who may make members makes one of everybody they invite.
    pub(super) fn invite(
        &mut self,
        now: Millis,
        from: &Jid,
        stanza: &Stanza,
        invites: &[muc::Invite],
        out: &mut Effects,
    ) -> Result<(), StanzaError> {
        let affiliation = self.affiliation(from);
        let inside = self.nicks.contains_key(from);
        if !inside && affiliation < Affiliation::Admin {
            return Err(error(Condition::NotAcceptable, "you are not in this room"));
        }
        let trusted = affiliation >= Affiliation::Admin || self.settings.invitations_by_occupants;
        let allowed = trusted || (!self.settings.members_only && affiliation >= Affiliation::None);
        if !allowed || (self.role(from) < Role::Participant && affiliation < Affiliation::Admin) {
            return Err(error(Condition::Forbidden, "only admins invite to this room"));
        }
        if invites.len() > MOST_INVITES {
            return Err(error(Condition::PolicyViolation, "too many invitations at once"));
        }
        if self.settings.members_only {
            let new: Vec<_> = invites.iter().map(|invite| invite.to.to_bare()).collect();
            self.has_room_for(new.iter().map(|jid| (jid, &Affiliation::Member)))?;
        }
        for _ in invites {
            // Each of them is read by somebody.
            self.pace(now, from, "you are inviting too fast")?;
        }
        let id = stanza.id().map_or_else(|| format!("i{}", self.next_id), |id| id.into_owned());
        for invite in invites {
            let bare = invite.to.to_bare();
            if self.settings.members_only && self.affiliation(&invite.to) == Affiliation::None {
                let changes = self.affiliations.set(&bare, Affiliation::Member, None);
                out.push(Effect::Save { state: false, changes });
                self.announce_affiliation(&bare, out);
            }
            self.send_invitation(now, from, &id, invite, out);
        }
        Ok(())
    }

    /// §9.5: whoever may come in from now on hears of it. Nobody fills the inboxes of others by making
    /// them members again and again: too many of these invitations are left out.
    pub(super) fn invite_member(
        &mut self,
        now: Millis,
        from: &Jid,
        member: &BareJid,
        reason: Option<String>,
        out: &mut Effects,
    ) {
        let invite = muc::Invite { to: member.clone().into(), reason, continued: None };
        if self.invitations.went_to(&invite.to, now) {
            return;
        }
        let rate = self.bounds.messages_per_second.saturating_mul(INVITATION_RATE);
        if !self.paces.take_invitation(from, now, rate) {
            return;
        }
        let id = format!("i{}-{}", self.next_id, self.affiliations.version());
        self.send_invitation(now, from, &id, &invite, out);
    }

    fn send_invitation(
        &mut self,
        now: Millis,
        from: &Jid,
        id: &str,
        invite: &muc::Invite,
        out: &mut Effects,
    ) {
        let password = self.settings.password.as_deref();
        let password = password.map(|text| Element::new("password", ns::MUC_USER).with_text(text));
        let reason = invite.reason.as_deref().map(cut);
        let invite = muc::Invite { reason, ..invite.clone() };
        let x = Element::new("x", ns::MUC_USER)
            .with_child(invite.passed_on(&self.inviter(from)))
            .with_children(password);
        self.invitations.note(now, id, invite.to.to_bare().into(), from);
        let back = self.not_invited(from, id, &invite.to);
        self.route(&invite.to, Some(id), x, back, out);
    }

    /// How an inviter hears that an invitation did not arrive: it looks as it was sent.
    fn not_invited(&self, inviter: &Jid, id: &str, invitee: &Jid) -> Back {
        let invite = Element::new("invite", ns::MUC_USER).with_attr("to", invitee.as_str());
        Back {
            to: inviter.clone(),
            from: self.jid.to_string(),
            id: Some(id.to_owned()),
            x: Some(Element::new("x", ns::MUC_USER).with_child(invite)),
        }
    }

    /// How invitees see who invites: by the real address where everybody sees it.
    fn inviter(&self, from: &Jid) -> Jid {
        let hidden = self.nicks.get(from).filter(|_| !self.settings.non_anonymous);
        let veiled = hidden.and_then(|nick| Jid::new(&self.occupant_jid(nick)).ok());
        veiled.unwrap_or_else(|| from.to_bare().into())
    }

    pub(super) fn pass_decline(
        &mut self,
        now: Millis,
        from: &Jid,
        stanza: &Stanza,
        decline: &muc::Decline,
        out: &mut Effects,
    ) -> Result<(), StanzaError> {
        self.pace(now, from, "you are declining too fast")?;
        for to in self.reachable(&decline.to) {
            let x = Element::new("x", ns::MUC_USER).with_child(decline.passed_on(&from.to_bare()));
            let id = stanza.id();
            let back = Back {
                to: from.clone(),
                from: self.jid.to_string(),
                id: id.as_deref().map(str::to_owned),
                x: None,
            };
            self.route(&to, id.as_deref(), x, back, out);
        }
        Ok(())
    }

    /// Where an inviter is reached. Only people who are in the room, or belong to it, hear of what became
    /// of their invitations: nobody uses it to reach strangers.
    fn reachable(&self, inviter: &Jid) -> Vec<Jid> {
        match inviter.resource() {
            Some(nick) if inviter.to_bare() == self.jid => {
                let occupant = self.occupants.get(nick.as_str());
                occupant.iter().flat_map(|o| &o.sessions).map(|visit| visit.jid.clone()).collect()
            }
            _ => {
                let bare = inviter.to_bare();
                let known = self.affiliation(inviter) > Affiliation::None
                    || self.occupants.values().any(|occupant| occupant.jid == bare);
                known.then(|| bare.into()).into_iter().collect()
            }
        }
    }

    /// A message of the room to somebody who may not be in it.
    fn route(&self, to: &Jid, id: Option<&str>, x: Element, back: Back, out: &mut Effects) {
        let message = Element::new("message", ns::CLIENT)
            .with_attr("from", self.jid.as_str())
            .with_attr("to", to.as_str())
            .with_attr_opt("id", id)
            .with_child(x)
            .to_bytes(ns::CLIENT);
        out.push(Effect::Route { to: to.clone(), message, back: Box::new(back) });
    }

    /// A message came back with an error: whoever wrote it hears of it, and who cannot be reached is not
    /// in the room any more.
    pub(super) fn returned(
        &mut self,
        from: &Jid,
        nick: Option<&str>,
        stanza: &Stanza,
        out: &mut Effects,
    ) {
        let Some(error) = stanza.child("error", ns::CLIENT) else { return };
        let error = StanzaError::parse(&error.element());
        match nick {
            Some(_) => self.return_private(from, stanza, &error, out),
            None => self.return_invitation(from, stanza, &error, out),
        }
        if is_gone(error.condition) {
            self.drop_out(from, out);
        }
    }

    /// An invitation that came back. Only what the room knows to have sent is believed: whatever comes
    /// back could be written by anybody, and would reach people who want to hear nothing of them.
    fn return_invitation(
        &mut self,
        from: &Jid,
        stanza: &Stanza,
        error: &StanzaError,
        out: &mut Effects,
    ) {
        let id = stanza.id().unwrap_or_default();
        let Some(inviter) = self.invitations.returned(&id, &from.to_bare().into()) else { return };
        let message = self.not_invited(&inviter, &id, from).message(error);
        out.push(Effect::Return { to: inviter, message });
    }

    /// A private message that came back from the session that it went to; one to everybody is not its
    /// author's concern.
    fn return_private(
        &mut self,
        from: &Jid,
        stanza: &Stanza,
        error: &StanzaError,
        out: &mut Effects,
    ) {
        let id = stanza.id().unwrap_or_default();
        let Some(author) = self.privates.returned(&id, from) else { return };
        let Some((by, _)) = self.occupant(from).filter(|_| self.contains(&author)) else { return };
        let message = Element::new("message", ns::CLIENT)
            .with_attr("from", self.occupant_jid(by))
            .with_attr("type", "error")
            .with_attr("id", &*id)
            .with_child(in_short(error).element())
            .to_bytes(ns::CLIENT);
        out.push(Effect::Error { to: author, message });
    }

    /// What is sent through the room costs whoever sends it as much as a message to everybody.
    pub(super) fn pace(&mut self, now: Millis, from: &Jid, text: &str) -> Result<(), StanzaError> {
        let listed = self.affiliation(from) > Affiliation::None;
        match self.paces.take(from, listed, now, self.bounds.messages_per_second) {
            true => Ok(()),
            false => Err(wait(Condition::PolicyViolation, text)),
        }
    }
}

const MOST_INVITES: usize = 50;
/// Of one room, as many are remembered.
const MOST_SENDINGS: usize = 200;
/// Whoever was invited within this time is not invited by becoming a member.
const LATELY: u64 = 10 * 60 * 1000;
/// New members whom one person may invite, for each message that they may send.
const INVITATION_RATE: u32 = 5;
