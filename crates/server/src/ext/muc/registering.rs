//! Nicknames that people reserve, and with them a place on the list of members (XEP-0045 §7.10).

use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        form::{Form, FormType},
        muc::Affiliation,
    },
    jid::{BareJid, Jid},
    ns,
    time::Millis,
    xml::Element,
};

use super::{
    Input,
    admin::Answer,
    affiliations::MOST_LISTED,
    announce::News,
    requests::{self, Request},
    room::{Effect, Effects, Room, error},
};

impl Room {
    /// `get` of a registration: what is registered, or the form.
    pub(super) fn registration(&mut self, now: Millis, from: &Jid) -> Answer {
        let asks = self.must_ask(from)?;
        self.requests.expire(now);
        let query = Element::new("query", ns::REGISTER);
        let bare = from.to_bare();
        let entry = self.affiliations.entry(&bare);
        if let Some(nick) = entry.and_then(|entry| entry.nick.as_deref()) {
            let username = Element::new("username", ns::REGISTER).with_text(nick);
            let registered = Element::new("registered", ns::REGISTER);
            return Ok(Some(query.with_child(registered).with_child(username)));
        }
        let earlier = self.requests.of(&bare);
        let instructions = match (asks, earlier.is_some()) {
            (false, _) => "Reserve a nickname in this room.",
            (true, false) => "Ask the admins of this room to become a member.",
            (true, true) => "The admins of this room have not answered yet.",
        };
        let instructions = Element::new("instructions", ns::REGISTER).with_text(instructions);
        let form = requests::form(asks, earlier);
        Ok(Some(query.with_child(instructions).with_child(form.to_element())))
    }

    /// `set` of a registration: reserves a nickname, and makes a member of whoever is none, or asks admins to;
    /// or gives both back.
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
            self.forget_requests(&bare, out);
            let changes = self.affiliations.reserve(&bare, None);
            out.push(Effect::Save { state: false, changes });
            if self.affiliation(from) == Affiliation::Member {
                self.set_affiliation(&bare, Affiliation::None, News::default(), out);
                self.pardon(&bare, out);
            }
            return Ok(None);
        }
        let asks = self.must_ask(from)?;
        let bad = || StanzaError::new(Condition::BadRequest);
        let form = Form::child_of(query).ok_or_else(bad)?;
        if form.kind == FormType::Cancel {
            return Ok(None);
        }
        let other = form.form_type().is_some_and(|kind| kind != ns::MUC_REGISTER);
        if form.kind != FormType::Submit || other {
            return Err(bad());
        }
        let nick = form.value(requests::NICK).ok_or_else(bad)?;
        let nick = xmpp::jid::resource_part(nick)
            .map_err(|_| error(Condition::NotAcceptable, "that cannot be a nickname"))?;
        self.nick_is_free(from, nick.as_str())?;
        self.requests.expire(now);
        if asks && self.nick_is_asked_for(&bare, nick.as_str()) {
            return Err(StanzaError::new(Condition::Conflict));
        }
        // Everybody who sees addresses hears of it.
        self.restrain_visit(now, from, TOO_OFTEN)?;
        let local = input.config.domain.as_str();
        if asks {
            let request = Request::new(&bare, nick.as_str(), &form, now);
            self.ask_to_register(local, from, request, out)?;
            return Ok(None);
        }
        // Who belongs to the room by their domain becomes a member of their own.
        if self.affiliations.entry(&bare).is_none() {
            self.has_room_to_register(&bare, local)?;
            self.become_member(&bare, nick.as_str(), out);
        } else {
            let changes = self.affiliations.reserve(&bare, Some(nick.as_str().to_owned()));
            out.push(Effect::Save { state: false, changes });
        }
        Ok(None)
    }

    /// Whoever comes may register, and so part of the lists is kept for whom admins put there, and of the
    /// rest one other domain gets a part.
    pub(super) fn has_room_to_register(
        &self,
        who: &BareJid,
        local: &str,
    ) -> Result<(), StanzaError> {
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

    /// Who could come in may register. Where only members do, others may ask to be one if the owners want that:
    /// whether it is so is returned.
    fn must_ask(&self, from: &Jid) -> Result<bool, StanzaError> {
        let s = &self.settings;
        match self.affiliation(from) {
            Affiliation::Outcast => Err(StanzaError::new(Condition::NotAllowed)),
            Affiliation::None if s.members_only && !s.membership_requests => {
                Err(StanzaError::new(Condition::NotAllowed))
            }
            Affiliation::None => Ok(s.members_only),
            _ => Ok(false),
        }
    }
}

const TOO_OFTEN: &str = "you are registering too often";
/// People on the lists up to which somebody can register.
pub(super) const MOST_REGISTERED: usize = MOST_LISTED / 5 * 4;
