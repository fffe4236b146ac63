//! RFC 6121 §3 and §4: presence and subscriptions

use std::collections::BTreeMap;

use xmpp::ext::caps::Caps;
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::time::Millis;
use xmpp::xml::Element;

use super::{Feature, Spec, caps, idle, roster};
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::view::{Outcome, Presence};

pub(crate) const FEATURE: Feature = Feature {
    name: "presence",
    specs: &[Spec { number: "RFC 6121", version: "" }],
    online: Some(on_online),
    ended: Some(on_ended),
    presence: Some(on_presence),
    command: Some(command),
    ..Feature::NOTHING
};

/// Who is there, by address and resource.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) people: BTreeMap<BareJid, BTreeMap<String, Resource>>,
}

/// One session of somebody.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    presence: Presence,
    priority: i8,
    status: Option<String>,
    /// Since when nobody looks (XEP-0319), if it says so.
    idle: Option<Millis>,
    /// What it says it can do.
    pub(crate) caps: Option<Caps>,
}

fn on_online(cx: &mut Cx<'_>) -> Step {
    announce(cx);
    Ok(())
}

/// Tells everybody who may know that this session is there, and what it can.
pub(crate) fn announce(cx: &mut Cx<'_>) {
    let presence = Element::new("presence", ns::CLIENT)
        .with_child(caps::own(cx).to_element())
        .with_children(idle::element(cx));
    cx.send(&presence);
}

fn on_ended(cx: &mut Cx<'_>) -> Step {
    let people = std::mem::take(&mut cx.state.features.presence.people);
    for address in people.into_keys() {
        roster::touch(cx, &address);
    }
    Ok(())
}

/// The best of somebody's sessions: the highest priority, then the most available.
pub(crate) fn best(cx: &Cx<'_>, address: &BareJid) -> (Presence, Option<String>) {
    let resources = cx.state.features.presence.people.get(address);
    let resources = resources.into_iter().flat_map(BTreeMap::values);
    let key = |resource: &&Resource| (std::cmp::Reverse(resource.priority), resource.presence);
    match resources.min_by_key(key) {
        Some(best) => (best.presence, best.status.clone()),
        None => (Presence::Offline, None),
    }
}

/// When somebody last looked at any of their sessions, if all of them say that nobody does now.
pub(crate) fn idle(cx: &Cx<'_>, address: &BareJid) -> Option<Millis> {
    let resources = cx.state.features.presence.people.get(address)?;
    let since: Option<Vec<Millis>> = resources.values().map(|resource| resource.idle).collect();
    since?.into_iter().max()
}

fn on_presence(cx: &mut Cx<'_>, presence: &Element) -> Step {
    let from = match presence.attr("from") {
        Some(from) => Jid::new(from).ok(),
        None => Some(Jid::from(cx.me.clone())),
    };
    let Some(from) = from else { return Ok(()) };
    let address = from.to_bare();
    match presence.attr("type") {
        None => available(cx, &from, &address, presence),
        Some("unavailable" | "error") => unavailable(cx, &from, &address),
        Some("subscribe") => on_subscribe(cx, &address),
        // The answer to our request, or its end, comes as a push of the roster too.
        Some(_) => Ok(()),
    }
}

fn available(cx: &mut Cx<'_>, from: &Jid, address: &BareJid, presence: &Element) -> Step {
    let known = cx.state.features.roster.contacts.get(address);
    if address != cx.me && !known.is_some_and(|contact| contact.in_roster) {
        return Ok(());
    }
    let text = |name: &str| presence.child(name, ns::CLIENT).map(Element::text);
    let show = text("show");
    let resource = Resource {
        presence: match show.as_deref() {
            Some("chat") => Presence::Chat,
            Some("away") => Presence::Away,
            Some("xa") => Presence::ExtendedAway,
            Some("dnd") => Presence::Busy,
            _ => Presence::Available,
        },
        priority: text("priority").and_then(|text| text.trim().parse().ok()).unwrap_or(0),
        status: text("status")
            .filter(|text| !text.is_empty())
            .map(|text| text.chars().take(MAX_STATUS_CHARS).collect()),
        idle: idle::of(cx, presence),
        caps: presence.child("c", ns::CAPS).and_then(Caps::parse),
    };
    let caps = resource.caps.clone();
    let resources = cx.state.features.presence.people.entry(address.clone()).or_default();
    let name = from.resource().map(ToString::to_string).unwrap_or_default();
    if resources.len() < MAX_RESOURCES || resources.contains_key(&name) {
        resources.insert(name, resource);
    }
    roster::touch(cx, address);
    match caps {
        Some(caps) => caps::learn(cx, from, caps),
        None => Ok(()),
    }
}

fn unavailable(cx: &mut Cx<'_>, from: &Jid, address: &BareJid) -> Step {
    let people = &mut cx.state.features.presence.people;
    let Some(resources) = people.get_mut(address) else { return Ok(()) };
    match from.resource() {
        Some(resource) => {
            resources.remove(&resource.to_string());
        }
        None => resources.clear(),
    }
    if resources.is_empty() {
        people.remove(address);
    }
    roster::touch(cx, address);
    Ok(())
}

/// Somebody asks to see our presence. Whom we see ourselves, or asked, is let in at once.
fn on_subscribe(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let contact = roster::contact(cx, address);
    let wanted = contact.asked
        || matches!(
            contact.subscription,
            crate::store::Subscription::To | crate::store::Subscription::Both
        );
    if wanted && !contact.blocked {
        send(cx, address, "subscribed");
        return Ok(());
    }
    let asking = cx.state.features.roster.contacts.values().filter(|one| one.asks).count();
    if asking < MAX_ASKING {
        roster::change(cx, address, |contact| contact.asks = true)?;
    }
    Ok(())
}

fn send(cx: &mut Cx<'_>, to: &BareJid, kind: &str) {
    let presence = Element::new("presence", ns::CLIENT)
        .with_attr("to", to.to_string())
        .with_attr("type", kind);
    cx.send(&presence);
}

/// Asks to see somebody's presence and allows ours (RFC 6121 §3.4 where it is offered).
pub(crate) fn subscribe(cx: &mut Cx<'_>, address: &BareJid) {
    let session = cx.state.link.session.as_ref();
    let before = session.is_some_and(|session| session.offers("sub", ns::PRE_APPROVAL));
    if before || roster::contact(cx, address).asks {
        send(cx, address, "subscribed");
    }
    send(cx, address, "subscribe");
}

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    let Command::Answer { address, accept } = command else { return Ok(Some(command)) };
    roster::change(cx, &address, |contact| contact.asks = false)?;
    if accept {
        send(cx, &address, "subscribed");
        let contact = roster::contact(cx, &address);
        let seen = matches!(
            contact.subscription,
            crate::store::Subscription::To | crate::store::Subscription::Both
        );
        if !seen && !contact.asked {
            send(cx, &address, "subscribe");
        }
    } else {
        send(cx, &address, "unsubscribed");
    }
    cx.done(number, Outcome::Done);
    Ok(None)
}

/// More sessions of one person are ignored, …
const MAX_RESOURCES: usize = 32;
/// … and more people who ask at the same time.
const MAX_ASKING: usize = 200;
/// Longest status that is shown.
const MAX_STATUS_CHARS: usize = 500;
