//! Who comes into a room for members: whoever asks (XEP-0045 §7.10, §9.9), and whoever has a link (XEP-0488).

use xmpp::error::Condition;
use xmpp::ext::form::{Field, Form, FormType};
use xmpp::ext::muc::Affiliation;
use xmpp::jid::{BareJid, FullJid};
use xmpp::ns;
use xmpp::xml::Element;

use crate::server::Server;

impl Server {
    /// §9.9: admins are told who asks to become a member.
    pub(super) fn tell_requests(&mut self, to: &FullJid, address: &BareJid) {
        let room = &self.rooms[address];
        if room.affiliations.get(&to.to_bare()).copied().unwrap_or_default() < Affiliation::Admin {
            return;
        }
        for (nick, who) in room.requests.clone().unwrap_or_default() {
            let form = Form::typed(FormType::Form, ns::MUC_REGISTER)
                .with_field(Field::untyped("x-register_jid").with_value(who.as_str()))
                .with_field(Field::untyped("muc#register_roomnick").with_value(nick))
                .with_field(Field::untyped("muc#register_faqentry").with_value("it is me"))
                .with_field(Field::untyped("muc#register_allow").with_bool(false));
            let message = Element::new("message", ns::CLIENT)
                .with_attr("from", address.to_string())
                .with_child(form.to_element());
            self.deliver(to, &message);
        }
    }

    /// An admin says whether somebody becomes a member, who is invited then.
    pub(super) fn decide(
        &mut self,
        from: &FullJid,
        address: &BareJid,
        form: &Form,
    ) -> Result<(), Condition> {
        let room = self.rooms.get_mut(address).unwrap();
        assert!(room.affiliations[&from.to_bare()] >= Affiliation::Admin);
        if let Some(condition) = room.undecided {
            return Err(condition);
        }
        let nick = form.value("muc#register_roomnick").unwrap();
        let asked = room.requests.get_or_insert_default().remove(nick);
        let who = asked.ok_or(Condition::ItemNotFound)?;
        assert_eq!(form.value("x-register_jid"), Some(who.as_str()));
        if form.boolean("muc#register_allow") != Some(true) {
            return Ok(());
        }
        room.affiliations.insert(who.clone(), Affiliation::Member);
        let invite =
            Element::new("invite", ns::MUC_USER).with_attr("from", from.to_bare().to_string());
        let passed = Element::new("message", ns::CLIENT)
            .with_attr("from", address.to_string())
            .with_child(Element::new("x", ns::MUC_USER).with_child(invite));
        for session in self.sessions_of(&who) {
            self.deliver(&session, &passed);
        }
        Ok(())
    }

    /// §7.10: somebody asks to become a member.
    pub(super) fn register(
        &mut self,
        from: &FullJid,
        address: &BareJid,
        query: &Element,
    ) -> Result<Option<Element>, Condition> {
        let room = self.rooms.get_mut(address).unwrap();
        let who = from.to_bare();
        let member = room.affiliations.get(&who).is_some_and(|one| *one >= Affiliation::Member);
        if room.registered.contains(&who) {
            let registered = Element::new("registered", ns::REGISTER);
            return Ok(Some(Element::new("query", ns::REGISTER).with_child(registered)));
        }
        if query.child("remove", ns::REGISTER).is_some() {
            room.requests.get_or_insert_default().retain(|_, one| *one != who);
            return Ok(None);
        }
        if member && Form::child_of(query).is_some() {
            room.registered.insert(who);
            return Ok(None);
        }
        let requests = room.requests.as_mut().ok_or(Condition::NotAllowed)?;
        let Some(form) = Form::child_of(query) else {
            let nick = Field::untyped("muc#register_roomnick").with_required();
            let words = Field::untyped("muc#register_faqentry");
            let form = Form::typed(FormType::Form, ns::MUC_REGISTER);
            let form = form.with_field(nick).with_field(words).to_element();
            return Ok(Some(Element::new("query", ns::REGISTER).with_child(form)));
        };
        let nick = form.value("muc#register_roomnick").ok_or(Condition::BadRequest)?.to_owned();
        if requests.contains_key(&nick) {
            return Err(Condition::Conflict);
        }
        requests.insert(nick, from.to_bare());
        for occupant in self.rooms[address].occupants.clone().into_values() {
            self.tell_requests(&occupant, address);
        }
        Ok(None)
    }
}

/// XEP-0488: what an admin asks of the links to a room.
pub(super) fn links(
    tokens: &mut Vec<String>,
    name: &str,
    payload: &Element,
) -> Result<Option<Element>, Condition> {
    let token = |text: &String| Element::new("token", ns::MUC_TOKENS).with_text(text);
    match name {
        "request" => {
            let delay = payload.attr("delay").unwrap_or("7200");
            tokens.push(format!("token {delay}/{}", tokens.len()));
            Ok(tokens.last().map(|last| token(last).with_attr("delay", delay)))
        }
        "tokens" => {
            let listed = Element::new("tokens", ns::MUC_TOKENS);
            Ok(Some(listed.with_children(tokens.iter().map(token))))
        }
        _ => {
            let known = tokens.iter().position(|token| *token == payload.text());
            tokens.remove(known.ok_or(Condition::ItemNotFound)?);
            Ok(None)
        }
    }
}
