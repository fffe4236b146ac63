//! Messages without content: they answer key exchanges, move ratchets on, and replace sessions that
//! no longer work (XEP-0384, "Business Rules").
//!
//! They wait in the outbox as an order, and are encrypted when they are sent.

use omemo::payload;
use xmpp::ext::hints::Hint;
use xmpp::jid::BareJid;
use xmpp::xml::Element;

use crate::cx::{Cx, Step};
use crate::features::{Protected, rooms};
use crate::outbox::Outgoing;
use crate::store::{SessionKey, Subscription, Version};

use super::bundles::Found;
use super::{bundles, encrypt, load_sessions, notes, own, restored, wire};

/// An empty message that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// To which device.
    key: SessionKey,
    /// In a new session.
    renew: bool,
}

impl Order {
    fn to_element(&self) -> Element {
        let version = if self.key.version == Version::Legacy { "legacy" } else { "2" };
        Element::new("empty", ORDER)
            .with_attr("owner", self.key.owner.as_str())
            .with_attr("device", self.key.device.to_string())
            .with_attr("version", version)
            .with_attr_opt("renew", self.renew.then_some("true"))
    }

    pub(super) fn parse(payload: &[Element]) -> Option<Self> {
        let [order] = payload else { return None };
        if !order.is("empty", ORDER) {
            return None;
        }
        let version = match order.attr("version")? {
            "legacy" => Version::Legacy,
            _ => Version::Omemo2,
        };
        let owner = BareJid::new(order.attr("owner")?).ok()?;
        let device = order.attr("device")?.parse().ok()?;
        let renew = order.attr("renew").is_some();
        Some(Order { key: SessionKey { owner, device, version }, renew })
    }
}

/// Queues an empty message, once however many reasons there are.
fn queue(cx: &mut Cx<'_>, key: &SessionKey, renew: bool) -> Step {
    let entry = (key.owner.clone(), key.device, key.version);
    if !cx.state.features.omemo.answering.insert(entry) && !renew {
        return Ok(());
    }
    let id = cx.rng.id();
    let (to, payload) = (key.owner.clone(), vec![Order { key: key.clone(), renew }.to_element()]);
    cx.queue(Outgoing { to, message: None, id, payload, encrypted: true })
}

/// A device gets an empty message: now, or when everything that was missed is here.
pub(super) fn answer(cx: &mut Cx<'_>, key: &SessionKey) -> Step {
    if !may_know(cx, &key.owner)? {
        return Ok(());
    }
    if cx.state.link.caught_up {
        return queue(cx, key, false);
    }
    let SessionKey { owner, device, version } = key.clone();
    cx.state.features.omemo.notes.answer_later(notes::Session { owner, device, version });
    notes::save(cx)
}

/// An answer tells that this account is there, and so does a question. Strangers are not told.
pub(super) fn may_know(cx: &Cx<'_>, owner: &BareJid) -> Step<bool> {
    let met = !rooms::shared_with(cx, owner).is_empty();
    if owner == cx.me || met || crate::timeline::conversation(cx, owner).accepted {
        return Ok(true);
    }
    let contacts = cx.store.contacts()?;
    Ok(contacts.iter().any(|contact| {
        contact.address == *owner
            && (contact.in_roster || contact.subscription != Subscription::None)
    }))
}

/// Nothing is missing any more: everybody who began a session meanwhile gets an answer, so that
/// nobody stays with a prekey that two have used.
pub(super) fn caught_up(cx: &mut Cx<'_>) -> Step {
    restored::read(cx)?;
    forget_used(cx)?;
    let answers = std::mem::take(&mut cx.state.features.omemo.notes.answers);
    if !answers.is_empty() {
        notes::save(cx)?;
    }
    for notes::Session { owner, device, version } in answers {
        queue(cx, &SessionKey { owner, device, version }, false)?;
    }
    own::on_list(cx)
}

/// Notes that a prekey was used, so that it is deleted in time.
pub(super) fn forget_later(cx: &mut Cx<'_>) {
    let (now, steady) = (cx.time(), cx.now.steady);
    let memory = &mut cx.state.features.omemo;
    if memory.notes.used_since.is_none() {
        memory.notes.used_since = Some(now);
        memory.used_since = Some(steady);
        cx.later(GRACE, forget_used);
    }
}

/// Deletes the prekeys that were used, when everybody who fetched them before they were taken out of
/// the bundle has had the time to use them, and what was missed is here (XEP-0384, "Business
/// Rules"). Their owners have moved on from them by then.
fn forget_used(cx: &mut Cx<'_>) -> Step {
    let Some(since) = cx.state.features.omemo.notes.used_since else { return Ok(()) };
    // How long the program has run the steady clock knows. A wall clock that was set back must not
    // keep keys for ever.
    let age = match cx.state.features.omemo.used_since {
        Some(since) => cx.now.steady.saturating_sub(since),
        None if since > cx.time() => GRACE,
        None => cx.time().since(since),
    };
    if age < GRACE {
        cx.later(GRACE - age, forget_used);
        return Ok(());
    }
    if !cx.state.link.caught_up {
        return Ok(());
    }
    cx.state.features.omemo.used_since = None;
    cx.state.features.omemo.notes.used_since = None;
    notes::save(cx)?;
    let device = cx.state.features.omemo.device.as_mut();
    if device.is_some_and(omemo::Device::forget_used_pre_keys) { own::save(cx) } else { Ok(()) }
}

/// A message could not be read because a session is out of step: a new one is begun, at most once a
/// day for each person, so that nobody can make us do it all the time. What was to be read is lost
/// all the same; the next message can be read.
pub(super) fn heal(cx: &mut Cx<'_>, key: &SessionKey) -> Step {
    let now = cx.time();
    if !may_know(cx, &key.owner)? || !super::lists::active(cx, &key.owner)?.contains(&key.device) {
        return Ok(());
    }
    if !cx.state.features.omemo.notes.may_heal(&key.owner, now) {
        return Ok(());
    }
    notes::save(cx)?;
    queue(cx, key, true)
}

/// Begins new sessions with all devices of somebody, because the user wants it.
pub(super) fn repair(cx: &mut Cx<'_>, owner: &BareJid) -> Step<usize> {
    let this = cx.state.features.omemo.device_id();
    let mut count = 0;
    for device in super::lists::active(cx, owner)? {
        if owner == cx.me && Some(device) == this {
            continue;
        }
        for version in super::VERSIONS {
            if super::lists::is_active(cx, owner, version, device)? {
                queue(cx, &SessionKey { owner: owner.clone(), device, version }, true)?;
                count += 1;
                break;
            }
        }
    }
    Ok(count)
}

/// Encrypts an empty message.
pub(super) fn protect(cx: &mut Cx<'_>, order: &Order) -> Step<Protected> {
    let key = &order.key;
    let mut sessions = load_sessions(cx, key)?;
    if order.renew {
        let bundle = match bundles::find(cx, key)? {
            Found::Bundle(bundle) => bundle,
            Found::Soon => return Ok(Protected::Wait),
            Found::Missing | Found::Broken => return Ok(Protected::Drop),
        };
        let memory = &mut cx.state.features.omemo;
        if !memory.pace.may_begin(&key.owner, cx.now.steady) {
            return Ok(Protected::Drop);
        }
        let Some(device) = &memory.device else { return Ok(Protected::Drop) };
        if sessions.initiate(device, &bundle, cx.rng).is_err() {
            return Ok(Protected::Drop);
        }
        cx.state.features.omemo.bundles.forget(key);
        cx.store.save_session(key, Some(&sessions.to_bytes()))?;
    } else if !sessions.is_open() {
        return Ok(Protected::Drop);
    }
    let sealed = payload::empty(wire(key.version), cx.rng);
    let keys = std::slice::from_ref(key);
    let element = match key.version {
        Version::Omemo2 => encrypt::address_omemo2(cx, &sealed, keys)?,
        Version::Legacy => encrypt::address_legacy(cx, &sealed, keys)?,
    };
    Ok(match element {
        Some((element, _)) => Protected::Ready(vec![element, Hint::Store.to_element()]),
        None => Protected::Drop,
    })
}

/// How long a used prekey is kept, in milliseconds: bundles that others fetched are used within
/// minutes.
const GRACE: u64 = 60 * 60 * 1000;
/// The namespace of orders. They never leave.
const ORDER: &str = "clownfish:omemo:empty";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_survives_the_outbox() {
        for version in [Version::Legacy, Version::Omemo2] {
            for renew in [false, true] {
                let owner = BareJid::new("a@b").unwrap();
                let order = Order { key: SessionKey { owner, device: 7, version }, renew };
                assert_eq!(Order::parse(&[order.to_element()]), Some(order));
            }
        }
        assert_eq!(Order::parse(&[]), None);
        assert_eq!(Order::parse(&[Element::new("empty", "urn:x")]), None);
    }
}
