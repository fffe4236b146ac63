//! What a room says about itself (XEP-0045 §6.4, §6.5), and nicknames that people reserve (§7.10,
//! §7.12).

use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        disco::{Identity, Info, Item, Items},
        form::{Field, FieldType, Form, FormType},
        muc::{Affiliation, Role},
    },
    jid::{BareJid, Jid},
    ns,
    stanza::Kind,
    time::Millis,
    xml::Element,
};

use super::{
    Input,
    admin::Answer,
    affiliations::MOST_LISTED,
    announce::News,
    room::{Effect, Effects, Room, error, send},
    settings::cut,
};
use crate::config::Config;
use crate::ext::{Scope, features};

/// Nodes of service discovery.
const OWN_NICK: &str = "x-roomuser-item";
const TRAFFIC: &str = "http://jabber.org/protocol/muc#traffic";
const TOO_OFTEN: &str = "you are registering too often";
/// People on the lists up to which somebody can register.
pub(super) const MOST_REGISTERED: usize = MOST_LISTED / 5 * 4;

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
        Ok(Some(info.to_element()))
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
        if let Some(hash) = self.hats.hash() {
            form = form.with_field(field("hats#hash", hash));
        }
        if let Some(hash) = self.avatar_hash() {
            form = form.with_field(field("muc#roominfo_avatarhash", hash));
        }
        form
    }

    /// disco#items: who is there, in rooms that anybody may look into (§6.5).
    pub(super) fn items(&self, from: &Jid) -> Answer {
        let inside = self.nicks.contains_key(from);
        let open = self.settings.public && !self.settings.members_only && !self.settings.moderated;
        let nicks =
            self.occupants.keys().filter(|_| inside || (open && self.settings.non_anonymous));
        let items =
            nicks.filter_map(|nick| Some(Item::new(Jid::new(&self.occupant_jid(nick)).ok()?)));
        Ok(Some(Items { items: items.collect(), ..Items::default() }.to_element()))
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

    /// `get` of a registration: what is registered, or the form.
    pub(super) fn registration(&self, from: &Jid) -> Answer {
        self.may_register(from)?;
        let query = Element::new("query", ns::REGISTER);
        let entry = self.affiliations.entry(&from.to_bare());
        if let Some(nick) = entry.and_then(|entry| entry.nick.as_deref()) {
            let username = Element::new("username", ns::REGISTER).with_text(nick);
            let registered = Element::new("registered", ns::REGISTER);
            return Ok(Some(query.with_child(registered).with_child(username)));
        }
        let form = Form::typed(FormType::Form, ns::MUC_REGISTER)
            .with_title("Registration with the room")
            .with_field(
                Field::new("muc#register_roomnick", FieldType::TextSingle)
                    .with_label("Nickname")
                    .with_required(),
            );
        let instructions = Element::new("instructions", ns::REGISTER)
            .with_text("Reserve a nickname in this room.");
        Ok(Some(query.with_child(instructions).with_child(form.to_element())))
    }

    /// `set` of a registration: reserves a nickname, and makes a member of whoever is none; or gives
    /// both back.
    pub(super) fn register(
        &mut self,
        now: Millis,
        input: &Input<'_>,
        query: &Element,
        out: &mut Effects,
    ) -> Answer {
        let from = input.from;
        let bare = from.to_bare();
        if query.child("remove", ns::REGISTER).is_some() {
            self.restrain_visit(now, from, TOO_OFTEN)?;
            let changes = self.affiliations.reserve(&bare, None);
            out.push(Effect::Save { state: false, changes });
            if self.affiliation(from) == Affiliation::Member {
                self.set_affiliation(&bare, Affiliation::None, News::default(), out);
            }
            return Ok(None);
        }
        self.may_register(from)?;
        let bad = || StanzaError::new(Condition::BadRequest);
        let form = Form::child_of(query).ok_or_else(bad)?;
        if form.kind == FormType::Cancel {
            return Ok(None);
        }
        let other = form.form_type().is_some_and(|kind| kind != ns::MUC_REGISTER);
        if form.kind != FormType::Submit || other {
            return Err(bad());
        }
        let nick = form.value("muc#register_roomnick").ok_or_else(bad)?;
        let nick = xmpp::jid::resource_part(nick)
            .map_err(|_| error(Condition::NotAcceptable, "that cannot be a nickname"))?;
        self.nick_is_free(from, nick.as_str())?;
        // Everybody who sees addresses hears of it.
        self.restrain_visit(now, from, TOO_OFTEN)?;
        // Who belongs to the room by their domain becomes a member of their own.
        if self.affiliations.entry(&bare).is_none() {
            self.has_room_to_register(&bare, input.config.domain.as_str())?;
            self.set_affiliation(&bare, Affiliation::Member, News::default(), out);
        }
        let changes = self.affiliations.reserve(&bare, Some(nick.as_str().to_owned()));
        out.push(Effect::Save { state: false, changes });
        Ok(None)
    }

    /// Whoever comes may register, and so part of the lists is kept for whom admins put there, and of the
    /// rest one other domain gets a part.
    fn has_room_to_register(&self, who: &BareJid, local: &str) -> Result<(), StanzaError> {
        let (mut all, mut alike) = (0, 0);
        for (listed, _) in self.affiliations.listed() {
            all += 1;
            alike += usize::from(listed.domain() == who.domain());
        }
        let is_local = who.domain().as_str() == local;
        let most_alike = if is_local { MOST_REGISTERED } else { MOST_REGISTERED / 10 };
        match all < MOST_REGISTERED && alike < most_alike {
            true => Ok(()),
            false => Err(error(Condition::ResourceConstraint, "the lists of this room are full")),
        }
    }

    /// Who could come in may register.
    fn may_register(&self, from: &Jid) -> Result<(), StanzaError> {
        let open = !self.settings.members_only;
        match self.affiliation(from) {
            Affiliation::Outcast => Err(StanzaError::new(Condition::NotAllowed)),
            Affiliation::None if !open => Err(StanzaError::new(Condition::NotAllowed)),
            _ => Ok(()),
        }
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
