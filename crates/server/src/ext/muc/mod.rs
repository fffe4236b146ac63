//! XEP-0045: Multi-User Chat 1.35.5
//!
//! [`room::Room`] is a state machine that knows only what happens in the room; [`service`] gives it
//! stanzas and carries out what it says. The other files are parts of the machine: [`presence`]
//! (coming and going), [`announce`] (what is told of that), [`message`], [`passing`] (from one
//! occupant to another), [`inviting`], [`registering`], [`admin`], [`owner`], [`info`].

pub mod abroad;
mod admin;
pub mod affiliations;
mod announce;
mod archive;
mod bucket;
mod carry;
mod directory;
pub mod forgetting;
mod hats;
pub mod history;
mod info;
mod inviting;
pub mod kept;
mod making;
mod message;
pub mod missed;
#[cfg(any(test, feature = "model"))]
pub mod model;
pub mod moved;
mod nick;
pub mod operator;
mod owner;
mod passing;
mod presence;
mod registering;
mod requests;
pub mod room;
pub mod service;
pub mod settings;
mod spread;
#[cfg(test)]
mod tests;
mod tokens;
pub mod unsaved;
pub mod visits;
mod voices;
mod wake;

use xmpp::{
    error::{Condition, StanzaError},
    ext::{disco::Item, muc::Affiliation},
    jid::Jid,
    ns,
    stanza::{Kind, Stanza},
    time::Millis,
    xml::Element,
};

use self::{
    admin::Answer,
    room::{Effect, Effects, Room, refuse},
};
use super::{Extension, Scope, Spec};
use crate::{config::Config, iq::IqKind};

/// Rooms.
pub const EXTENSION: Extension = Extension {
    name: "rooms",
    specs: &[
        Spec { xep: 45, version: "1.35.5", title: "Multi-User Chat" },
        Spec { xep: 249, version: "1.2", title: "Direct MUC Invitations" },
        Spec { xep: 317, version: "0.3.1", title: "Hats" },
        Spec { xep: 410, version: "1.1.0", title: "MUC Self-Ping" },
        Spec { xep: 421, version: "1.0.1", title: "Occupant identifiers for semi-anonymous MUCs" },
        Spec { xep: 424, version: "0.4.2", title: "Message Retraction" },
        Spec { xep: 425, version: "0.3.0", title: "Moderated Message Retraction" },
        Spec { xep: 463, version: "0.2.0", title: "MUC Affiliations Versioning" },
        Spec { xep: 486, version: "0.1.0", title: "MUC Avatars" },
        Spec { xep: 488, version: "0.1.0", title: "MUC Token Invite" },
        Spec { xep: 500, version: "0.1.1", title: "MUC Slow Mode" },
        Spec { xep: 503, version: "0.3.0", title: "Server-side spaces" },
    ],
    offered: |config| config.rooms.enabled,
    features: &[
        (Scope::Rooms, ns::DISCO_INFO),
        (Scope::Rooms, ns::DISCO_ITEMS),
        (Scope::Rooms, ns::RSM),
        (Scope::Rooms, ns::PING),
        (Scope::Rooms, ns::MUC),
        (Scope::Rooms, ns::MUC_STABLE_ID),
        (Scope::Rooms, ns::OCCUPANT_ID),
        (Scope::Room, ns::DISCO_INFO),
        (Scope::Room, ns::DISCO_ITEMS),
        (Scope::Room, ns::RSM),
        (Scope::Room, ns::PING),
        (Scope::Room, ns::MUC),
        (Scope::Room, ns::MUC_STABLE_ID),
        (Scope::Room, ns::MUC_SELF_PING),
        (Scope::Room, ns::MUC_REQUEST),
        (Scope::Room, ns::OCCUPANT_ID),
        (Scope::Room, ns::STANZA_ID),
        (Scope::Room, ns::RETRACT),
        (Scope::Room, ns::RETRACT_TOMBSTONE),
        (Scope::Room, ns::MODERATE),
        (Scope::Room, ns::MUC_AFFILIATIONS),
        (Scope::Room, ns::REGISTER),
        (Scope::Room, ns::VCARD),
        (Scope::Room, ns::HATS),
        (Scope::Room, ns::MUC_TOKENS),
        (Scope::Room, ns::COMMANDS),
    ],
    ..Extension::NOTHING
};

/// The service among the items of the server (XEP-0045 §6.1).
#[must_use]
pub fn item(config: &Config) -> Option<Item> {
    let address = config.rooms.enabled.then(|| config.rooms.address(&config.domain))?;
    Some(Item::new(Jid::new(&address).ok()?).with_name("Rooms"))
}

/// What a room is given.
pub struct Input<'a> {
    /// The full address of the sender, proven by whoever took the stanza in.
    pub from: &'a Jid,
    /// The occupant it is for; the room itself when absent.
    pub nick: Option<&'a str>,
    /// The stanza.
    pub stanza: &'a Stanza,
    /// What the server offers.
    pub config: &'a Config,
}

impl Room {
    /// Does what a stanza asks for.
    pub fn handle(&mut self, now: Millis, input: &Input<'_>, out: &mut Effects) {
        let before = self.nicks.len();
        self.take_in(now, input, out);
        if self.nicks.len() < before {
            self.end_questions(out);
        }
    }

    fn take_in(&mut self, now: Millis, input: &Input<'_>, out: &mut Effects) {
        let Input { from, nick, stanza, .. } = *input;
        // Its invitations may come back.
        let returns = stanza.kind() == Kind::Message && stanza.type_().as_deref() == Some("error");
        if self.hides_from(from) && stanza.kind() != Kind::Presence && !returns {
            let error = StanzaError::new(Condition::ItemNotFound);
            return refuse(&self.jid, from, stanza, &error, out);
        }
        match stanza.kind() {
            Kind::Message => self.message(now, input, out),
            Kind::Presence => self.presence(now, from, nick, stanza, out),
            Kind::Iq => self.iq(now, input, out),
            Kind::Other => {}
        }
    }

    /// §10.1.1: to others it does not exist before it is configured.
    pub(super) fn hides_from(&self, who: &Jid) -> bool {
        self.locked && self.affiliation(who) < Affiliation::Owner && !self.contains(who)
    }

    fn iq(&mut self, now: Millis, input: &Input<'_>, out: &mut Effects) {
        let Input { from, nick, stanza, .. } = *input;
        if let Some(nick) = nick {
            if let Err(error) = self.pass_iq(now, from, nick, stanza, out) {
                refuse(&self.jid, from, stanza, &error, out);
            }
            return;
        }
        let kind = match stanza.type_().as_deref() {
            Some("get") => IqKind::Get,
            Some("set") => IqKind::Set,
            _ => return,
        };
        let mut children = stanza.children();
        let (Some(payload), None, Some(id)) = (children.next(), children.next(), stanza.id())
        else {
            let error = StanzaError::new(Condition::BadRequest);
            return refuse(&self.jid, from, stanza, &error, out);
        };
        let (payload, before) = (payload.element(), out.len());
        match self.answer(now, kind, &payload, input, out) {
            Ok(answer) => {
                self.reply(from, self.jid.as_str(), &id, answer, out);
                let saves = |effect: &Effect| matches!(effect, Effect::Save { .. });
                if payload.ns() == ns::MUC_ADMIN
                    && let Some(caused) = out.get_mut(before..)
                    && !caused.iter().any(saves)
                {
                    // §8.2: who changes a role is told that it is done, and then what came of it. About
                    // what lasts they are told when it is on disk.
                    caused.rotate_right(1);
                }
            }
            Err(error) => refuse(&self.jid, from, stanza, &error, out),
        }
    }

    fn answer(
        &mut self,
        now: Millis,
        kind: IqKind,
        payload: &Element,
        input: &Input<'_>,
        out: &mut Effects,
    ) -> Answer {
        let from = input.from;
        match (kind, payload.ns(), payload.name()) {
            (IqKind::Get, ns::DISCO_INFO, "query") => self.info(from, payload, input.config),
            (IqKind::Get, ns::DISCO_ITEMS, "query") => match payload.attr("node") {
                Some(node) => self.items_of(from, node),
                None => self.items(from, payload),
            },
            (IqKind::Set, ns::COMMANDS, "command") => self.command(from, payload, out),
            (IqKind::Get, ns::MUC_ADMIN, "query") => self.list(from, payload),
            (IqKind::Set, ns::MUC_ADMIN, "query") => self.change(now, from, payload, out),
            (IqKind::Get, ns::MUC_OWNER, "query") => self.configuration(from),
            (IqKind::Set, ns::MUC_OWNER, "query") => self.own(from, payload, out),
            (IqKind::Get, ns::REGISTER, "query") => self.registration(now, from),
            (IqKind::Set, ns::REGISTER, "query") => self.register(now, input, payload, out),
            (IqKind::Set, ns::MUC_TOKENS, "request" | "revoke")
            | (IqKind::Get, ns::MUC_TOKENS, "tokens") => self.token(now, from, payload, out),
            (IqKind::Get, ns::VCARD, "vCard") => self.vcard(),
            (IqKind::Set, ns::VCARD, "vCard") => self.set_vcard(from, payload, out),
            (IqKind::Get, ns::PING, "ping") => Ok(None),
            _ => Err(StanzaError::new(Condition::ServiceUnavailable)),
        }
    }
}
