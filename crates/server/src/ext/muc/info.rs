//! What a room says about itself (XEP-0045 §6.4, §6.5), and which nickname is reserved (§7.12).

use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        disco::{Identity, Info},
        form::{Field, FieldType, Form, FormType},
        muc::{Affiliation, Role},
        rsm,
    },
    jid::Jid,
    ns,
    stanza::Kind,
    time::Millis,
    xml::Element,
};

use super::{
    admin::Answer,
    room::{Effects, Occupant, Room, error, send},
    settings::cut,
};
use crate::config::Config;
use crate::ext::{Scope, features, pages};

/// Nodes of service discovery.
const OWN_NICK: &str = "x-roomuser-item";
const TRAFFIC: &str = "http://jabber.org/protocol/muc#traffic";

impl Room {
    /// disco#info of the room.
    pub(super) fn info(&self, from: &Jid, query: &Element, config: &Config) -> Answer {
        match query.attr("node") {
            None => {}
            Some(OWN_NICK) => return Ok(Some(self.own_nick(from))),
            // §14.1.1: everything passes.
            Some(TRAFFIC) => return Err(StanzaError::new(Condition::ServiceUnavailable)),
            Some(node) => {
                let command = self.describe_command(from, node);
                let nothing = || StanzaError::new(Condition::ItemNotFound);
                return command.map(Some).ok_or_else(nothing);
            }
        }
        let s = &self.settings;
        let name = match s.name.is_empty() {
            true => self.jid.node().map(|node| node.as_str().to_owned()).unwrap_or_default(),
            false => s.name.clone(),
        };
        let either = |is: bool, yes: &'static str, no: &'static str| if is { yes } else { no };
        let kinds = [
            either(s.password.is_some(), "muc_passwordprotected", "muc_unsecured"),
            either(s.public, "muc_public", "muc_hidden"),
            either(s.persistent, "muc_persistent", "muc_temporary"),
            either(s.members_only, "muc_membersonly", "muc_open"),
            either(s.moderated, "muc_moderated", "muc_unmoderated"),
            either(s.non_anonymous, "muc_nonanonymous", "muc_semianonymous"),
        ];
        let archive = s.archived.then_some([ns::MAM, ns::MAM_EXTENDED]).into_iter().flatten();
        let info = Info::new()
            .with_identity(Identity::new("conference", "text").with_name(name))
            .with_features(features(config, Scope::Room))
            .with_features(archive)
            .with_features(kinds)
            .with_form(self.details(from));
        if s.space.is_empty() {
            return Ok(Some(info.to_element()));
        }
        let parent = Field::new("parent", FieldType::TextSingle).with_value(&s.space);
        let space = Form::typed(FormType::Result, ns::SPACES).with_field(parent);
        Ok(Some(info.with_features([ns::SPACES]).with_form(space).to_element()))
    }

    /// §6.4: the form `muc#roominfo`.
    fn details(&self, from: &Jid) -> Form {
        let s = &self.settings;
        let field =
            |var: &str, value: String| Field::new(var, FieldType::TextSingle).with_value(value);
        let owners =
            self.affiliations.listed().filter(|(_, e)| e.affiliation == Affiliation::Owner);
        let mut form = Form::typed(FormType::Result, ns::MUC_ROOM_INFO)
            .with_field(field("muc#roominfo_description", s.description.clone()))
            .with_field(field("muc#roomconfig_roomname", s.name.clone()))
            .with_field(field("muc#roominfo_occupants", self.occupants.len().to_string()))
            .with_field(field("muc#roominfo_lang", s.lang.clone()))
            .with_field(field("muc#maxhistoryfetch", s.history.to_string()))
            .with_field(field("muc#roominfo_slow_mode_duration", s.slow_mode.to_string()))
            .with_field(
                Field::new("muc#roomconfig_changesubject", FieldType::Boolean)
                    .with_bool(s.subject_by_participants),
            )
            .with_field(
                Field::new("muc#roominfo_changesubject", FieldType::Boolean)
                    .with_bool(s.subject_by_participants),
            );
        if s.public {
            // Who wants to come in can ask them; rooms that nobody finds tell nobody.
            let owners = owners.map(|(jid, _)| jid.as_str());
            form = form.with_field(
                Field::new("muc#roominfo_contactjid", FieldType::JidMulti).with_values(owners),
            );
        }
        if let Some(subject) = self.subject.as_ref().filter(|_| self.may_read(from)) {
            // §13.4: it was said in the room, for those who may hear it.
            form = form.with_field(field("muc#roominfo_subject", subject.text.clone()));
        }
        if !s.space.is_empty() {
            form = form
                .with_field(field("muc#roominfo_pubsub", s.space.clone()))
                .with_field(field("muc#roomconfig_pubsub", s.space.clone()));
        }
        if let Some(hash) = self.hats.hash() {
            form = form.with_field(field("hats#hash", hash));
        }
        if let Some(hash) = self.avatar_hash() {
            form = form.with_field(field("muc#roominfo_avatarhash", hash));
        }
        form
    }

    /// disco#items: who is there, in rooms that anybody may look into (§6.5), as far as their coming was shown; page
    /// by page where they are many.
    pub(super) fn items(&self, from: &Jid, query: &Element) -> Answer {
        let own = self.nicks.get(from);
        let s = &self.settings;
        let open = s.public && !s.members_only && !s.moderated && s.non_anonymous;
        let seen = |nick: &str, occupant: &Occupant| {
            own.is_some_and(|own| **own == *nick)
                || (self.shows(occupant.role) && (open || own.is_some()))
        };
        let seen = self.occupants.iter().filter(|(nick, occupant)| seen(nick, occupant));
        let nicks: Vec<&str> = seen.map(|(nick, _)| nick.as_ref()).collect();
        let room = self.jid.as_str();
        let written = |number: usize| {
            Element::new("item", ns::DISCO_ITEMS)
                .with_attr("jid", format!("{room}/{}", nicks[number]))
        };
        let asked = rsm::Request::child_of(query);
        let (range, said) = pages::page(&nicks, asked.as_ref(), self.bounds.answer_bytes, written);
        let answer = Element::new("query", ns::DISCO_ITEMS).with_children(range.map(written));
        Ok(Some(answer.with_children(said.map(|said| said.to_element()))))
    }

    /// disco#items of a node: the commands, or one of them, which has none.
    pub(super) fn items_of(&self, from: &Jid, node: &str) -> Answer {
        if node == ns::COMMANDS {
            return Ok(Some(self.commands(from)));
        }
        let known = self.describe_command(from, node).is_some();
        let nothing = Element::new("query", ns::DISCO_ITEMS).with_attr("node", node);
        known.then_some(Some(nothing)).ok_or_else(|| StanzaError::new(Condition::ItemNotFound))
    }

    /// §7.12: the nickname that is reserved for whoever asks.
    fn own_nick(&self, from: &Jid) -> Element {
        let entry = self.affiliations.entry(&from.to_bare());
        let info = Info::new().with_node(OWN_NICK);
        match entry.and_then(|entry| entry.nick.as_deref()) {
            Some(nick) => info.with_identity(Identity::new("conference", "text").with_name(nick)),
            None => info,
        }
        .to_element()
    }

    /// XEP-0425: a moderator takes back a message of somebody. `author` is the occupant id of who had
    /// sent it.
    pub(super) fn moderate(
        &mut self,
        now: Millis,
        from: &Jid,
        id: u64,
        reason: Option<String>,
        out: &mut Effects,
    ) -> Result<Element, StanzaError> {
        self.may_moderate(from)?;
        let (nick, occupant) = match self.occupant(from) {
            Some((nick, occupant)) => (nick.to_owned(), occupant.id.to_string()),
            None => (String::new(), self.occupant_id(&from.to_bare())),
        };
        let by = if nick.is_empty() { self.jid.to_string() } else { self.occupant_jid(&nick) };
        let moderated = Element::new("moderated", ns::MODERATE).with_attr("by", by).with_child(
            Element::new("occupant-id", ns::OCCUPANT_ID).with_attr("id", occupant.as_str()),
        );
        let reason = reason.map(|text| Element::new("reason", ns::RETRACT).with_text(cut(&text)));
        let message_id = format!("r{id}-{}", self.next_id);
        let retract = Element::new("retract", ns::RETRACT)
            .with_attr("id", id.to_string())
            .with_child(moderated.clone())
            .with_children(reason.clone());
        let message = Element::new("message", ns::CLIENT)
            .with_attr("from", self.jid.as_str())
            .with_attr("type", "groupchat")
            .with_attr("id", message_id.as_str())
            .with_child(retract);
        self.say(now, message, out);
        self.history.remove(id);
        Ok(Element::new("retracted", ns::RETRACT)
            .with_attr("stamp", now.xep0082())
            .with_attr("id", message_id)
            .with_child(moderated)
            .with_children(reason))
    }

    pub(super) fn may_moderate(&self, from: &Jid) -> Result<(), StanzaError> {
        match self.role(from) == Role::Moderator || self.affiliation(from) >= Affiliation::Admin {
            true => Ok(()),
            false => {
                Err(error(Condition::Forbidden, "only moderators take back what others wrote"))
            }
        }
    }

    /// Answers a request to one session.
    pub(super) fn reply(
        &self,
        to: &Jid,
        from: &str,
        id: &str,
        payload: Option<Element>,
        out: &mut Effects,
    ) {
        let answer = Element::new("iq", ns::CLIENT)
            .with_attr("from", from)
            .with_attr("type", "result")
            .with_attr("id", id)
            .with_children(payload);
        out.push(send(to, Kind::Iq, &answer.to_bytes(ns::CLIENT)));
    }
}
