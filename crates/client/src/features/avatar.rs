//! XEP-0084: User Avatar 1.1.4

use xmpp::ext::avatar::{Image, Metadata};
use xmpp::ext::pubsub::Item;
use xmpp::ext::pubsub::event::Event;
use xmpp::jid::BareJid;
use xmpp::ns;

use super::{Feature, Spec, roster};
use crate::account;
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::iq::Answer;
use crate::pep::{self, Access, Items, Options};
use crate::verified::{PersonalEvent, Verified};
use crate::view::{Outcome, Problem};

pub(crate) const FEATURE: Feature = Feature {
    name: "avatar",
    specs: &[Spec { number: "XEP-0084", version: "1.1.4" }],
    notify: &[ns::AVATAR_METADATA],
    events: &[(ns::AVATAR_METADATA, on_event)],
    command: Some(command),
    ..Feature::NOTHING
};

/// Somebody has another picture, or none: contacts, and the own account.
fn on_event(cx: &mut Cx<'_>, event: &Verified<PersonalEvent>) -> Step {
    let owner = event.owner.clone();
    let known = cx.state.features.roster.contacts.contains_key(&owner);
    if !known && owner != *cx.me {
        return Ok(());
    }
    let metadata = match &event.event {
        Event::Items(_, items) => items.last().and_then(Item::payload).and_then(Metadata::parse),
        Event::Retract(..) | Event::Purge(_) | Event::Delete(..) => None,
        Event::Configuration(..) | Event::Subscription(_) => return Ok(()),
    };
    let info = metadata.as_ref().and_then(Metadata::stored);
    let Some(info) = info.filter(|info| info.bytes <= MAX_BYTES && is_hash(&info.id)) else {
        return set(cx, &owner, None);
    };
    let id = info.id.to_ascii_lowercase();
    if cx.store.media(&id)?.is_some() {
        return set(cx, &owner, Some(id));
    }
    let kind = info.kind.clone();
    let person = owner.clone();
    pep::items(cx, &owner, ns::AVATAR_DATA, &[&id.clone()], move |cx, items| {
        let Items::Some(items) = items else { return Ok(()) };
        let Event::Items(_, items) = &items.event else { return Ok(()) };
        let data = items.first().and_then(Item::payload);
        let image = data.and_then(|data| Image::from_data(data, Some(&kind)));
        // The id is the hash of the picture: another one is not shown.
        match image.filter(|image| image.id() == id && image.bytes.len() as u64 <= MAX_BYTES) {
            Some(image) => {
                cx.store.save_media(&id, Some(&image.bytes))?;
                set(cx, &person, Some(id))
            }
            None => Ok(()),
        }
    })
}

/// Whether a text is a SHA-1 in hexadecimal.
pub(crate) fn is_hash(id: &str) -> bool {
    id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn set(cx: &mut Cx<'_>, owner: &BareJid, id: Option<String>) -> Step {
    roster::change(cx, owner, |contact| contact.avatar = id)?;
    if owner == cx.me { account::show(cx) } else { Ok(()) }
}

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    let Command::SetAvatar(bytes) = command else { return Ok(Some(command)) };
    let Some(bytes) = bytes else {
        publish_metadata(cx, number, "none".to_owned(), Metadata(Vec::new()))?;
        return Ok(None);
    };
    let image = Image::new(bytes, Some("image/png"));
    let Some(image) = image.filter(|image| image.bytes.len() <= MAX_OWN_BYTES) else {
        let problem = "a picture is a PNG of at most 64 KiB".to_owned();
        cx.failed(number, Problem::Invalid(problem));
        return Ok(None);
    };
    let id = image.id();
    cx.store.save_media(&id, Some(&image.bytes))?;
    let item = Item::new(id.clone()).with_payload(image.to_data());
    pep::publish(cx, ns::AVATAR_DATA, item, OPTIONS, move |cx, answer| match answer {
        Answer::Result(_) => publish_metadata(cx, number, id, Metadata(vec![image.info()])),
        answer => {
            cx.failed(number, answer.problem().unwrap_or(Problem::Timeout));
            Ok(())
        }
    })?;
    Ok(None)
}

fn publish_metadata(cx: &mut Cx<'_>, number: u64, id: String, metadata: Metadata) -> Step {
    let item = Item::new(id).with_payload(metadata.to_element());
    pep::publish(cx, ns::AVATAR_METADATA, item, OPTIONS, move |cx, answer| {
        cx.done(number, answer.problem().map_or(Outcome::Done, Outcome::Failed));
        Ok(())
    })
}

const OPTIONS: Options = Options { access: Access::Presence, many: false };
/// Largest picture of others, and of this account.
const MAX_BYTES: u64 = 256 * 1024;
const MAX_OWN_BYTES: usize = 64 * 1024;
