//! What a room says of itself, and what its owners make of it (XEP-0045 §10).

use xmpp::error::Condition;
use xmpp::ext::disco::{Identity, Info};
use xmpp::ext::form::{Field, Form, FormType};
use xmpp::ext::muc::status;
use xmpp::jid::{BareJid, FullJid};
use xmpp::ns;
use xmpp::xml::Element;

use super::Room;
use crate::server::Server;

impl Server {
    /// §10: what owners ask for.
    pub(super) fn owner_iq(
        &mut self,
        address: &BareJid,
        get: bool,
        payload: &Element,
    ) -> Result<Option<Element>, Condition> {
        let room = self.rooms.get_mut(address).ok_or(Condition::ItemNotFound)?;
        if get {
            return Ok(Some(
                Element::new("query", ns::MUC_OWNER).with_child(form(room).to_element()),
            ));
        }
        if payload.child("destroy", ns::MUC_OWNER).is_some() {
            self.rooms.remove(address);
            return Ok(None);
        }
        let form = Form::child_of(payload).unwrap();
        room.private = form.value("muc#roomconfig_membersonly") == Some("1")
            && form.value("muc#roomconfig_whois") == Some("anyone");
        // What is left out goes back to what it is in a new room.
        room.moderated = form.value("muc#roomconfig_moderatedroom") == Some("1");
        room.name = form.value("muc#roomconfig_roomname").map(str::to_owned);
        self.configured(address);
        Ok(None)
    }

    /// §10.2.1: everybody is told that the room is configured anew.
    pub(super) fn configured(&mut self, address: &BareJid) {
        let x = Element::new("x", ns::MUC_USER).with_child(status(104));
        let message = Element::new("message", ns::CLIENT)
            .with_attr("from", address.to_string())
            .with_attr("type", "groupchat")
            .with_child(x);
        let occupants: Vec<FullJid> = self.rooms[address].occupants.values().cloned().collect();
        for occupant in occupants {
            self.deliver(&occupant, &message);
        }
    }
}

/// The form that owners fill in, as it is filled in now.
fn form(room: &Room) -> Form {
    let fields = ["roomname", "persistentroom", "membersonly", "publicroom", "whois"];
    let form =
        fields.iter().fold(Form::typed(FormType::Form, ns::MUC_ROOM_CONFIG), |form, name| {
            form.with_field(Field::untyped(format!("muc#roomconfig_{name}")))
        });
    let truth = |truth: bool| if truth { "1" } else { "0" };
    let whois = if room.private { "anyone" } else { "moderators" };
    [
        ("roomname", room.name.as_deref().unwrap_or_default()),
        ("membersonly", truth(room.private)),
        ("whois", whois),
        ("moderatedroom", truth(room.moderated)),
    ]
    .into_iter()
    .fold(form, |mut form, (name, value)| {
        let var = format!("muc#roomconfig_{name}");
        form.fields.retain(|field| field.var.as_ref() != Some(&var));
        form.with_field(Field::untyped(var).with_value(value))
    })
}

pub(super) fn info(room: &Room) -> Info {
    let identity = Identity::new("conference", "text");
    let identity = match &room.name {
        Some(name) => identity.with_name(name.as_str()),
        None => identity,
    };
    let mut features = vec![ns::MUC, ns::MAM, ns::STANZA_ID];
    features.extend(room.ids.then_some(ns::OCCUPANT_ID));
    features.extend(room.tokens.as_ref().map(|_| ns::MUC_TOKENS));
    features.extend(match room.private {
        true => ["muc_membersonly", "muc_nonanonymous"],
        false => ["muc_open", "muc_semianonymous"],
    });
    features.extend(room.password.as_ref().map(|_| "muc_passwordprotected"));
    let photo = room.vcard.as_ref().and_then(|vcard| vcard.child("PHOTO", ns::VCARD));
    let hash = photo.and_then(xmpp::ext::avatar::Image::from_photo).map(|image| image.id());
    let details = Form::typed(FormType::Result, ns::MUC_ROOM_INFO);
    let details = hash.into_iter().fold(details, |form, hash| {
        form.with_field(Field::untyped("muc#roominfo_avatarhash").with_value(hash))
    });
    features
        .into_iter()
        .fold(Info::new().with_form(details).with_identity(identity), |info, feature| {
            info.with_feature(feature)
        })
}
