//! What owners do (XEP-0045 §10): configure, hand over, destroy; and the room's picture (XEP-0486).

use std::collections::BTreeMap;

use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        form::{Field, FieldType, Form, FormType},
        muc::{Affiliation, Item, Role},
    },
    jid::{BareJid, Jid},
    ns,
    xml::Element,
};

use super::{
    admin::Answer,
    announce::News,
    history::MOST_LINES,
    room::{Effect, Effects, Room, error},
    settings::{self, Settings, cut},
};

impl Room {
    /// `get` of `muc#owner`: the form.
    pub(super) fn configuration(&self, from: &Jid) -> Answer {
        self.only_owners(from)?;
        let mut form = settings::form(&self.settings);
        for (var, label, affiliation) in
            [(OWNERS, "Owners", Affiliation::Owner), (ADMINS, "Admins", Affiliation::Admin)]
        {
            let listed = self.affiliations.listed().filter(|(_, e)| e.affiliation == affiliation);
            let field = Field::new(var, FieldType::JidMulti)
                .with_label(label)
                .with_values(listed.map(|(jid, _)| jid.as_str()));
            form = form.with_field(field);
        }
        Ok(Some(Element::new("query", ns::MUC_OWNER).with_child(form.to_element())))
    }

    /// `set` of `muc#owner`: a form that was filled in, or the end of the room.
    pub(super) fn own(&mut self, from: &Jid, query: &Element, out: &mut Effects) -> Answer {
        self.only_owners(from)?;
        if let Some(destroy) = query.child("destroy", ns::MUC_OWNER) {
            self.destroy(destroy, out);
            return Ok(None);
        }
        let form = Form::child_of(query).ok_or_else(|| StanzaError::new(Condition::BadRequest))?;
        match form.kind {
            FormType::Submit => self.configure(&form, out)?,
            // §10.1.3: whoever does not want to configure the new room does not want it at all.
            FormType::Cancel if self.locked => {
                self.destroy(&Element::new("destroy", ns::MUC_OWNER), out);
            }
            FormType::Cancel => {}
            _ => return Err(StanzaError::new(Condition::BadRequest)),
        }
        Ok(None)
    }

    fn only_owners(&self, from: &Jid) -> Result<(), StanzaError> {
        match self.affiliation(from) {
            Affiliation::Owner => Ok(()),
            _ => Err(error(Condition::Forbidden, "only owners configure the room")),
        }
    }

    /// What a submitted form changes, whoever submits it.
    pub(super) fn configure(&mut self, form: &Form, out: &mut Effects) -> Result<(), StanzaError> {
        let new = settings::submitted(&self.settings, form, MOST_LINES as u32)?;
        let lists = self.submitted_lists(form)?;
        let was_new = std::mem::take(&mut self.locked);
        let old = std::mem::replace(&mut self.settings, new);
        out.push(Effect::Save { state: true, changes: Vec::new() });
        if self.settings.shown != old.shown {
            self.show_anew(&old, out);
        }
        for (jid, affiliation) in lists {
            self.set_affiliation(&jid, affiliation, News::default(), out);
        }
        let codes = changed_codes(&old, &self.settings, was_new);
        if !codes.is_empty() {
            self.broadcast_status(&codes, out);
        }
        if self.settings.members_only && !old.members_only {
            self.expel_strangers(out);
        }
        if self.settings.moderated != old.moderated {
            self.renew_roles(out);
        }
        // Those who had to leave may have been the last, and the room may no longer persist.
        self.destroy_if_empty(out);
        Ok(())
    }

    /// Other roles are shown from now on: occupants appear, or seem to leave.
    fn show_anew(&self, old: &Settings, out: &mut Effects) {
        for (nick, occupant) in &self.occupants {
            match (old.shows(occupant.role), self.shows(occupant.role)) {
                (true, false) => self.hide(nick, out),
                (false, true) => self.announce_role(nick, occupant.role, &News::default(), out),
                _ => {}
            }
        }
    }

    /// Who is to be owner or admin from now on, where the form says so (§10.2).
    fn submitted_lists(&self, form: &Form) -> Result<Vec<(BareJid, Affiliation)>, StanzaError> {
        // §10.2: who owns the room no longer is an admin, unless the form says who those are.
        let former_owner = match form.field(ADMINS) {
            Some(_) => Affiliation::Member,
            None => Affiliation::Admin,
        };
        let mut changes = BTreeMap::new();
        let mut kept = Vec::new();
        for (var, affiliation, below) in [
            (OWNERS, Affiliation::Owner, former_owner),
            (ADMINS, Affiliation::Admin, Affiliation::Member),
        ] {
            let Some(field) = form.field(var) else { continue };
            let wanted: Vec<BareJid> = field
                .values
                .iter()
                .filter(|value| !value.trim().is_empty())
                .map(|value| BareJid::new(value.trim()))
                .collect::<Result<_, _>>()
                .map_err(|_| StanzaError::new(Condition::JidMalformed))?;
            let is_owner = |jid: &BareJid| self.affiliation(jid) == Affiliation::Owner;
            if affiliation == Affiliation::Owner && !wanted.iter().any(is_owner) {
                // §10.2: whoever goes leaves the room to another owner, not to a slip of the pen.
                return Err(error(Condition::Conflict, "the room needs one of its owners"));
            }
            kept.extend(wanted.into_iter().map(|jid| (jid, affiliation)));
            let listed = self.affiliations.listed().filter(|(_, e)| e.affiliation == affiliation);
            changes.extend(listed.map(|(jid, _)| (jid.clone(), below)));
        }
        for (jid, affiliation) in kept {
            // Who is on both lists is an owner, and nobody stops being one by being named an admin where
            // the form says nothing of owners.
            let owns = self.affiliation(&jid.clone().into()) == Affiliation::Owner
                && form.field(OWNERS).is_none();
            let known = changes.get(&jid).copied();
            if !owns && known != Some(Affiliation::Owner) {
                changes.insert(jid, affiliation);
            }
        }
        self.has_room_for(&changes)?;
        Ok(changes.into_iter().collect())
    }

    /// §10.2.1: who is no member has to leave a room that is for members from now on.
    fn expel_strangers(&mut self, out: &mut Effects) {
        let strangers: Vec<Box<str>> = self
            .occupants
            .iter()
            .filter(|(_, occupant)| self.affiliation(&occupant.jid) < Affiliation::Member)
            .map(|(nick, _)| nick.clone())
            .collect();
        let news = News { codes: vec![322], ..News::default() };
        for nick in strangers {
            self.expel(&nick, &news, out);
        }
    }

    /// Who has no affiliation gets voice, or loses it.
    fn renew_roles(&mut self, out: &mut Effects) {
        self.forget_voices();
        let others: Vec<Box<str>> = self
            .occupants
            .iter()
            .filter(|(_, occupant)| self.affiliation(&occupant.jid) == Affiliation::None)
            .filter(|(_, occupant)| occupant.role != Role::Moderator)
            .map(|(nick, _)| nick.clone())
            .collect();
        let role = self.initial_role(Affiliation::None);
        for nick in others {
            let Some(occupant) = self.occupants.get_mut(&nick) else { continue };
            let before = std::mem::replace(&mut occupant.role, role);
            self.announce_role(&nick, before, &News::default(), out);
        }
    }

    /// §10.9: everybody is told, and where to go instead.
    pub(super) fn destroy(&mut self, wish: &Element, out: &mut Effects) {
        let venue = wish.attr("jid").and_then(|jid| Jid::new(jid).ok());
        let told = |name: &str| {
            let text = wish.child(name, ns::MUC_OWNER).map(Element::text);
            text.map(|text| Element::new(name, ns::MUC_USER).with_text(cut(&text)))
        };
        let end = Element::new("destroy", ns::MUC_USER)
            .with_attr_opt("jid", venue.map(|jid| jid.as_str().to_owned()))
            .with_children(told("password"))
            .with_children(told("reason"));
        let nicks: Vec<Box<str>> = self.occupants.keys().cloned().collect();
        for nick in nicks {
            self.end_visit(&nick, &end, out);
        }
        self.occupants.clear();
        self.nicks.clear();
        out.push(Effect::Destroy);
    }

    /// Each occupant hears of its own end alone: there is nobody left to hear of the others'.
    fn end_visit(&self, nick: &str, end: &Element, out: &mut Effects) {
        let Some(occupant) = self.occupants.get(nick) else { return };
        let item = Item {
            affiliation: Some(Affiliation::None),
            role: Some(Role::None),
            ..Item::default()
        };
        let x = Element::new("x", ns::MUC_USER)
            .with_child(item.to_element(ns::MUC_USER))
            .with_child(end.clone())
            .with_child(xmpp::ext::muc::status(110));
        let bytes = Element::new("presence", ns::CLIENT)
            .with_attr("from", self.occupant_jid(nick))
            .with_attr("type", "unavailable")
            .with_child(x)
            .to_bytes(ns::CLIENT);
        for visit in &occupant.sessions {
            out.push(super::room::send(&visit.jid, xmpp::stanza::Kind::Presence, &bytes));
        }
    }

    /// The room's vCard, for who may see the room.
    pub(super) fn vcard(&self) -> Answer {
        let text =
            self.vcard.as_deref().ok_or_else(|| StanzaError::new(Condition::ItemNotFound))?;
        let vcard = Element::parse(text.as_bytes(), &xmpp::xml::Limits::SERVER);
        vcard.map(Some).map_err(|_| StanzaError::new(Condition::InternalServerError))
    }

    /// XEP-0486 §3: an owner sets the room's picture, or takes it away.
    pub(super) fn set_vcard(&mut self, from: &Jid, vcard: &Element, out: &mut Effects) -> Answer {
        self.only_owners(from)?;
        let text = vcard.to_bytes("");
        if text.len() > LARGEST_VCARD {
            return Err(error(Condition::NotAcceptable, "the picture is too large"));
        }
        let empty = vcard.children().next().is_none();
        self.vcard = (!empty).then(|| String::from_utf8_lossy(&text).into_owned());
        out.push(Effect::Save { state: true, changes: Vec::new() });
        self.broadcast_status(&[104], out);
        Ok(None)
    }

    /// The hash of the picture (XEP-0486 §3), as XEP-0153 has it.
    pub(super) fn avatar_hash(&self) -> Option<String> {
        let vcard = Element::parse(self.vcard.as_deref()?.as_bytes(), &xmpp::xml::Limits::SERVER);
        let vcard = vcard.ok()?;
        let photo = vcard.child("PHOTO", ns::VCARD)?;
        Some(xmpp::ext::avatar::Image::from_photo(photo)?.id())
    }
}

/// §10.2.1: what changed about who sees whom.
fn changed_codes(old: &Settings, new: &Settings, was_new: bool) -> Vec<u16> {
    let mut codes = Vec::new();
    if !was_new {
        codes.push(104);
    }
    match (old.non_anonymous, new.non_anonymous) {
        (false, true) => codes.push(172),
        (true, false) => codes.push(173),
        _ => {}
    }
    match (old.is_logged(), new.is_logged()) {
        (false, true) => codes.push(170),
        (true, false) => codes.push(171),
        _ => {}
    }
    codes
}

const OWNERS: &str = "muc#roomconfig_roomowners";
const ADMINS: &str = "muc#roomconfig_roomadmins";
const LARGEST_VCARD: usize = 128 * 1024;
