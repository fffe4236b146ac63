//! Messages to everybody (XEP-0045 §7.4), the subject (§8.1), and their way into the archive.

use bytes::Bytes;
use xmpp::{
    edit::Edit,
    error::{Condition, StanzaError},
    ext::muc::{Affiliation, Role},
    jid::Jid,
    ns,
    stanza::{Child, Kind, Stanza},
    time::Millis,
    xml::Element,
};

use super::{
    Input,
    room::{Effect, Effects, Line, Room, Subject, error, refuse, send, wait},
};
use crate::{
    push::rooms,
    router::{
        facts::{Facts, MessageType},
        pipeline::stanza_id,
    },
};

impl Room {
    /// A message to the room or to one occupant.
    pub(super) fn message(&mut self, now: Millis, input: &Input<'_>, out: &mut Effects) {
        let Input { from, nick, stanza, config } = *input;
        let facts = Facts::read(stanza);
        let outcome = match (facts.kind, nick) {
            (MessageType::Error, _) => return self.returned(from, nick, stanza, out),
            (MessageType::Groupchat, None) => self.groupchat(now, from, stanza, &facts, out),
            // §7.5: clients would take it for a message to everybody.
            (MessageType::Groupchat, Some(_)) => Err(StanzaError::new(Condition::BadRequest)),
            (_, Some(nick)) => self.private_message(now, from, nick, stanza, out),
            (_, None) => self.request(now, (from, &config.domain), stanza, out),
        };
        if let Err(error) = outcome {
            refuse(&self.jid, from, stanza, &error, out);
        }
    }

    fn groupchat(
        &mut self,
        now: Millis,
        from: &Jid,
        stanza: &Stanza,
        facts: &Facts,
        out: &mut Effects,
    ) -> Result<(), StanzaError> {
        let Some((nick, occupant)) = self.occupant(from) else {
            return Err(error(Condition::NotAcceptable, "you are not in this room"));
        };
        let (nick, role): (Box<str>, Role) = (nick.into(), occupant.role);
        let id = occupant.id.clone();
        if role < Role::Participant {
            return Err(error(Condition::Forbidden, "visitors can only read here"));
        }
        let subject = subject(stanza, facts);
        if subject.is_some() && role < Role::Moderator && !self.settings.subject_by_participants {
            return Err(error(Condition::Forbidden, "moderators change the subject here"));
        }
        let origin = self.origin(from, stanza, facts);
        if let Some(first) = origin.and_then(|origin| self.sent.find(origin)) {
            // It was lost on its way back: whoever sent it gets it again, nobody else does.
            let bytes = self.reflection(&nick, &id, stanza, facts, Some(first));
            out.push(send(from, Kind::Message, &bytes));
            return Ok(());
        }
        self.restrain(now, from, facts)?;
        let kept =
            (self.settings.archived && worth_keeping(facts)) || facts.body || facts.encrypted;
        let archive_id = kept.then(|| self.take_id());
        let bytes = self.reflection(&nick, &id, stanza, facts, archive_id);
        if let Some(text) = subject {
            let xml = String::from_utf8_lossy(&bytes).into_owned();
            self.subject = Some(Subject { xml, text, at: now.0 });
            out.push(Effect::Save { state: true, changes: Vec::new() });
        } else if let Some(id) = archive_id {
            self.keep(now, Some(nick.clone()), (id, origin), bytes.clone(), facts, out);
        }
        // Behind the line in the archive, which other servers wait for (`abroad`).
        self.reflect(&bytes, facts.lasting() || facts.subject, out);
        if facts.body || facts.encrypted {
            let text = stanza.child("body", ns::CLIENT).map(|body| rooms::beginning(&body.text()));
            out.push(Effect::Wake { author: from.to_bare(), text });
        }
        self.retraction(&id, stanza, now, out);
        Ok(())
    }

    /// Rates, and slow mode (XEP-0500).
    fn restrain(&mut self, now: Millis, from: &Jid, facts: &Facts) -> Result<(), StanzaError> {
        let affiliation = self.affiliation(from);
        let (keeps_order, listed) =
            (affiliation >= Affiliation::Admin, affiliation > Affiliation::None);
        let (slow, rate) = (self.settings.slow_mode, self.bounds.messages_per_second);
        let slowed = facts.body && slow > 0 && !keeps_order;
        if slowed && !self.paces.take_turn(from, listed, now, slow) {
            let text = format!("wait {slow} seconds between two messages in this room");
            return Err(wait(Condition::PolicyViolation, &text));
        }
        if !self.paces.take(from, listed, now, rate) {
            return Err(wait(Condition::PolicyViolation, "you are writing too fast"));
        }
        if !self.bucket.take(now, rate.saturating_mul(ROOM_RATE)) {
            return Err(wait(Condition::ResourceConstraint, "too much is written here at once"));
        }
        Ok(())
    }

    /// The message as everybody gets it: from the occupant, without what only the room may say, with
    /// the ids that the room gives.
    fn reflection(
        &self,
        nick: &str,
        occupant_id: &str,
        stanza: &Stanza,
        facts: &Facts,
        archive_id: Option<u64>,
    ) -> Bytes {
        let from = self.occupant_jid(nick);
        let fresh;
        let room = self.jid.as_str();
        let mut edit = Edit::new(stanza)
            .from(&from)
            .attr("to", None)
            .drop_if(|child| of_the_room(child, room, facts));
        if stanza.id().is_none() {
            // §7.4: reflections of one message have one id.
            fresh = format!("m{}", archive_id.unwrap_or(self.next_id));
            edit = edit.id(&fresh);
        }
        if let Some(id) = archive_id {
            edit = edit.append(stanza_id(room, id));
        }
        let id = Element::new("occupant-id", ns::OCCUPANT_ID).with_attr("id", occupant_id);
        edit.append(id.to_bytes(ns::CLIENT)).finish()
    }

    /// Puts a reflected message where newcomers and the archive find it.
    fn keep(
        &mut self,
        now: Millis,
        nick: Option<Box<str>>,
        (id, origin): (u64, Option<u64>),
        bytes: Bytes,
        facts: &Facts,
        out: &mut Effects,
    ) {
        if let Some(origin) = origin {
            self.sent.note(origin, id);
        }
        if (facts.body || facts.encrypted) && !facts.hints.no_store {
            self.history.push(id, now, bytes.clone());
        }
        if !self.settings.archived || !worth_keeping(facts) {
            return;
        }
        let occupant = nick.as_deref().and_then(|nick| self.occupants.get(nick));
        let stanza = match occupant {
            // XEP-0313 §6.1.2: who may see addresses learns from the archive whose message it was.
            Some(occupant) => self.with_address(&bytes, occupant),
            None => bytes,
        };
        let author = occupant.map(|occupant| occupant.jid.clone()).zip(nick);
        out.push(Effect::Archive(Box::new(Line { id, at: now, author, origin, stanza })));
    }

    fn with_address(&self, bytes: &Bytes, occupant: &super::room::Occupant) -> Bytes {
        let item = xmpp::ext::muc::Item {
            affiliation: Some(self.affiliation(&occupant.jid)),
            role: Some(occupant.role),
            jid: Some(occupant.jid.clone().into()),
            ..Default::default()
        };
        let x = Element::new("x", ns::MUC_USER).with_child(item.to_element(ns::MUC_USER));
        match Stanza::parse(bytes.clone(), &xmpp::xml::Limits::TRUSTED) {
            Ok(stanza) => Edit::new(&stanza).append(x.to_bytes(ns::CLIENT)).finish(),
            Err(_) => bytes.clone(),
        }
    }

    /// A message that the room itself sends to everybody and that belongs to its history.
    pub(super) fn say(&mut self, now: Millis, message: Element, out: &mut Effects) {
        let id = self.take_id();
        let bytes = message.to_bytes(ns::CLIENT);
        let Ok(stanza) = Stanza::parse(bytes, &xmpp::xml::Limits::TRUSTED) else { return };
        let bytes = Edit::new(&stanza).append(stanza_id(self.jid.as_str(), id)).finish();
        if self.settings.archived {
            let line = Line { id, at: now, author: None, origin: None, stanza: bytes.clone() };
            out.push(Effect::Archive(Box::new(line)));
        }
        self.broadcast(Kind::Message, &bytes, out);
    }

    /// XEP-0424: whoever takes back a message of theirs leaves a tombstone in the archive.
    fn retraction(&mut self, author: &str, stanza: &Stanza, now: Millis, out: &mut Effects) {
        let Some(retract) = stanza.child("retract", ns::RETRACT) else { return };
        let Some(id) = retract.attr("id").and_then(|id| id.parse().ok()) else { return };
        let tombstone = Element::new("retracted", ns::RETRACT)
            .with_attr("stamp", now.xep0082())
            .with_attr_opt("id", stanza.id());
        out.push(Effect::Retract { id, author: author.to_owned(), tombstone: Box::new(tombstone) });
    }

    /// A number for what a device called a message, together with what it says. A device that comes back may
    /// have another address; two that chose the same id say other things.
    fn origin(&self, from: &Jid, stanza: &Stanza, facts: &Facts) -> Option<u64> {
        let id = facts.origin_id.as_ref().filter(|_| facts.lasting())?;
        let from = from.to_bare();
        let mut parts: Vec<&[u8]> = vec![b"origin", from.as_str().as_bytes(), id];
        parts.extend(stanza.children().map(|child| child.raw()));
        let [a, b, c, d, e, f, g, h, ..] = self.salted(&parts);
        // The store keeps 63 bits: SQLite's integers are signed.
        Some(u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1)
    }

    pub(super) fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }
}

/// A message that changes the subject has one, and neither text nor thread (§8.1).
fn subject(stanza: &Stanza, facts: &Facts) -> Option<String> {
    if !facts.subject || facts.body || stanza.child("thread", ns::CLIENT).is_some() {
        return None;
    }
    stanza.child("subject", ns::CLIENT).map(|subject| subject.text().into_owned())
}

/// What clients may not say through a room: whatever speaks in its name, or in that of a server.
fn of_the_room(child: &Child<'_>, room: &str, facts: &Facts) -> bool {
    let namespace = child.ns();
    match (child.name(), namespace.as_ref()) {
        (_, ns::MUC | ns::MUC_USER | ns::OCCUPANT_ID | ns::MAM | ns::CARBONS) => true,
        ("moderated", ns::MODERATE) | ("moderate", ns::MODERATE) => true,
        ("stanza-id", ns::STANZA_ID) if facts.stanza_ids => child
            .attr("by")
            .is_none_or(|by| by == room || Jid::new(&by).is_ok_and(|by| by.as_str() == room)),
        _ => false,
    }
}

/// What belongs into the history of a room.
fn worth_keeping(facts: &Facts) -> bool {
    !facts.hints.no_store
        && !facts.hints.no_permanent_store
        && (facts.lasting() || facts.hints.store)
}

/// A room takes so many times what one occupant may send.
pub(super) const ROOM_RATE: u32 = 20;
