//! XEP-0045 §10.2 and XEP-0486: MUC Avatars 0.1.0: the name and the picture of a room

use xmpp::ext::avatar::Image;
use xmpp::ext::disco::Info;
use xmpp::ext::form::{Field, FieldType, Form, FormType};
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use super::{change, happenings, join};
use crate::cx::{Cx, Step};
use crate::features::bookmarks;
use crate::iq::Answer;
use crate::store::Happened;
use crate::view::{Outcome, Problem};

/// Calls a room something else: its own form, with another name in it.
pub(super) fn rename(cx: &mut Cx<'_>, number: u64, address: &BareJid, name: &str) -> Step {
    let name = join::limited(name);
    if name.is_empty() {
        cx.failed(number, Problem::Invalid("a name has at least one letter".to_owned()));
        return Ok(());
    }
    let query = Element::new("query", ns::MUC_OWNER);
    let address = address.clone();
    cx.iq_get(Some(Jid::from(address.clone())), query, move |cx, answer| {
        let form = answer.payload("query", ns::MUC_OWNER).and_then(Form::child_of);
        let Some(form) = form.filter(|form| form.field(NAME).is_some()) else {
            let none = || Problem::Unsupported("the room cannot be renamed".to_owned());
            cx.failed(number, answer.problem().unwrap_or_else(none));
            return Ok(());
        };
        let form = with_name(&form, &name);
        let query = Element::new("query", ns::MUC_OWNER).with_child(form.to_element());
        let room = address.clone();
        cx.iq_set(Some(Jid::from(address)), query, move |cx, answer| {
            if let Answer::Result(_) = answer {
                named(cx, &room, Some(name))?;
            }
            cx.done(number, answer.problem().map_or(Outcome::Done, Outcome::Failed));
            Ok(())
        })
    })
}

/// The form as it is, with another name: what is left out might go back to what it was at first.
fn with_name(form: &Form, name: &str) -> Form {
    let told = form.fields.iter().filter(|field| field.kind != Some(FieldType::Fixed));
    let told =
        told.filter(|field| !matches!(field.var.as_deref(), None | Some(NAME | "FORM_TYPE")));
    let told = told.filter(|field| !field.values.is_empty());
    let begin = Form::typed(FormType::Submit, ns::MUC_ROOM_CONFIG);
    let filled = told.fold(begin, |filled, field| {
        let var = field.var.clone().unwrap_or_default();
        filled.with_field(Field::untyped(var).with_values(field.values.clone()))
    });
    filled.with_field(Field::untyped(NAME).with_value(name))
}

/// What a room calls itself. Where the list of the account has the name that it had, that one follows.
pub(super) fn named(cx: &mut Cx<'_>, address: &BareJid, name: Option<String>) -> Step {
    let Some(room) = cx.state.features.rooms.rooms.get(address) else { return Ok(()) };
    let before = room.kept.name.clone();
    if before == name {
        return Ok(());
    }
    change(cx, address, |kept| kept.name.clone_from(&name))?;
    if let (Some(before), Some(name)) = (&before, &name) {
        bookmarks::renamed(cx, address, before, name)?;
    }
    match name {
        Some(name) => happenings::of_room(cx, address, Happened::Name(name)),
        None => Ok(()),
    }
}

/// Looks whether the room has another picture than the one that is known, and fetches it.
pub(super) fn look_at_picture(cx: &mut Cx<'_>, address: &BareJid, info: &Info) -> Step {
    let form = info.forms.iter().find(|form| form.form_type() == Some(ns::MUC_ROOM_INFO));
    let told = form.map(|form| form.values(HASH)).unwrap_or_default();
    let told = told.iter().take(MAX_FORMS).map(|hash| hash.trim().to_ascii_lowercase());
    let hashes: Vec<String> = told.filter(|hash| crate::features::avatar::is_hash(hash)).collect();
    let room = cx.state.features.rooms.rooms.get(address);
    let Some(room) = room else { return Ok(()) };
    let (known, news) = (room.kept.avatar.clone(), room.kept.picture_told);
    if !news {
        change(cx, address, |kept| kept.picture_told = true)?;
    }
    if hashes.is_empty() {
        return pictured(cx, address, None, news);
    }
    if known.is_some_and(|known| hashes.contains(&known)) {
        return Ok(());
    }
    for hash in &hashes {
        if cx.store.media(hash)?.is_some() {
            return pictured(cx, address, Some(hash.clone()), news);
        }
    }
    let address = address.clone();
    cx.iq_get(
        Some(Jid::from(address.clone())),
        Element::new("vCard", ns::VCARD),
        move |cx, answer| {
            let Some(vcard) = answer.payload("vCard", ns::VCARD) else { return Ok(()) };
            let photos = vcard.children().filter(|child| child.is("PHOTO", ns::VCARD));
            let image = photos.take(MAX_FORMS).filter_map(Image::from_photo).find(|image| {
                // A drawing of XML may hold more than a picture.
                let drawn = !image.kind.contains("svg") && image.bytes.len() <= MAX_BYTES;
                drawn && hashes.contains(&image.id())
            });
            let Some(image) = image else { return Ok(()) };
            let id = image.id();
            cx.store.save_media(&id, Some(&image.bytes))?;
            pictured(cx, &address, Some(id), news)
        },
    )
}

/// The room has this picture. Whoever comes in finds it there; later it is news.
fn pictured(cx: &mut Cx<'_>, address: &BareJid, avatar: Option<String>, news: bool) -> Step {
    let Some(room) = cx.state.features.rooms.rooms.get(address) else { return Ok(()) };
    if room.kept.avatar == avatar {
        return Ok(());
    }
    change(cx, address, |kept| kept.avatar = avatar)?;
    if news { happenings::of_room(cx, address, Happened::Picture) } else { Ok(()) }
}

/// Gives a room a picture, or takes it away (XEP-0486 §3).
pub(super) fn set_picture(
    cx: &mut Cx<'_>,
    number: u64,
    address: &BareJid,
    bytes: Option<Vec<u8>>,
) -> Step {
    let mut vcard = Element::new("vCard", ns::VCARD);
    let mut avatar = None;
    if let Some(bytes) = bytes {
        let fits = |image: &Image| image.kind == "image/png" && image.bytes.len() <= MAX_OWN_BYTES;
        let Some(image) = Image::new(bytes, None).filter(fits) else {
            let problem = "a picture is a PNG of at most 64 KiB".to_owned();
            cx.failed(number, Problem::Invalid(problem));
            return Ok(());
        };
        vcard.push(image.to_photo());
        cx.store.save_media(&image.id(), Some(&image.bytes))?;
        avatar = Some(image.id());
    }
    let room = address.clone();
    cx.iq_set(Some(Jid::from(address.clone())), vcard, move |cx, answer| {
        if let Answer::Result(_) = answer {
            pictured(cx, &room, avatar, true)?;
        }
        cx.done(number, answer.problem().map_or(Outcome::Done, Outcome::Failed));
        Ok(())
    })
}

/// The fields of the name and of the picture's hashes.
const NAME: &str = "muc#roomconfig_roomname";
const HASH: &str = "muc#roominfo_avatarhash";
/// Forms of one picture that are looked at.
const MAX_FORMS: usize = 8;
/// Largest picture of a room, and largest that is given to one.
const MAX_BYTES: usize = 256 * 1024;
const MAX_OWN_BYTES: usize = 64 * 1024;
