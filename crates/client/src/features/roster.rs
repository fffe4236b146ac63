//! RFC 6121 §2: the roster, and other people known

use std::collections::{BTreeMap, BTreeSet};

use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::xml::Element;

use super::{Feature, IqRoute, Reply, Spec, presence, rooms};
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::iq::Answer;
use crate::store::{Contact, Store, Subscription};
use crate::timeline;
use crate::verified::roster_push;
use crate::view::{self, Change};

pub(crate) const FEATURE: Feature = Feature {
    name: "roster",
    specs: &[Spec { number: "RFC 6121", version: "" }],
    online: Some(on_online),
    iq: &[IqRoute { set: true, name: "query", ns: ns::ROSTER, handle: on_push }],
    command: Some(command),
    ..Feature::NOTHING
};

/// Everybody known.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) contacts: BTreeMap<BareJid, Contact>,
    /// Whom to draw anew at the end of the step.
    dirty: BTreeSet<BareJid>,
}

impl State {
    pub(crate) fn load(store: &dyn Store) -> Step<Self> {
        let contacts = store.contacts()?.into_iter();
        let contacts = contacts.map(|contact| (contact.address.clone(), contact)).collect();
        Ok(Self { contacts, dirty: BTreeSet::new() })
    }
}

/// What to call somebody: the roster's name, what they call themselves, or their address.
pub(crate) fn name(cx: &Cx<'_>, address: &BareJid) -> String {
    let contact = cx.state.features.roster.contacts.get(address);
    let name = contact.and_then(|contact| contact.name.as_ref().or(contact.nickname.as_ref()));
    name.cloned().unwrap_or_else(|| address.to_string())
}

/// Somebody, as they are known or unknown.
pub(crate) fn contact(cx: &Cx<'_>, address: &BareJid) -> Contact {
    let known = cx.state.features.roster.contacts.get(address);
    known.cloned().unwrap_or_else(|| Contact {
        address: address.clone(),
        in_roster: false,
        name: None,
        nickname: None,
        groups: Vec::new(),
        subscription: Subscription::None,
        asked: false,
        asks: false,
        avatar: None,
        blocked: false,
    })
}

/// Changes what is known of somebody.
pub(crate) fn change(
    cx: &mut Cx<'_>,
    address: &BareJid,
    change: impl FnOnce(&mut Contact),
) -> Step {
    let before = contact(cx, address);
    let mut after = before.clone();
    change(&mut after);
    if after == before {
        return Ok(());
    }
    touch(cx, address);
    let nothing = !after.in_roster
        && !after.asks
        && !after.blocked
        && after.nickname.is_none()
        && after.avatar.is_none();
    if nothing {
        cx.state.features.roster.contacts.remove(address);
        return cx.store.remove_contact(address);
    }
    cx.store.save_contact(&after)?;
    cx.state.features.roster.contacts.insert(address.clone(), after);
    Ok(())
}

/// What is shown of somebody may be different.
pub(crate) fn touch(cx: &mut Cx<'_>, address: &BareJid) {
    cx.state.features.roster.dirty.insert(address.clone());
    if cx.state.features.timeline.conversations.contains_key(address) {
        timeline::touch(cx, address);
    }
}

/// Whether somebody may know that this account is there.
pub(crate) fn sees_us(cx: &Cx<'_>, address: &BareJid) -> bool {
    let contact = cx.state.features.roster.contacts.get(address);
    contact.is_some_and(|contact| {
        matches!(contact.subscription, Subscription::From | Subscription::Both)
    })
}

fn on_online(cx: &mut Cx<'_>) -> Step {
    let versions = cx.state.link.session.as_ref();
    let versions = versions.is_some_and(|session| session.offers("ver", ns::ROSTER_VERSIONS));
    let known = cx.store.value(VERSION)?;
    let known = known.and_then(|version| String::from_utf8(version.to_vec()).ok());
    let version = versions.then(|| known.unwrap_or_default());
    let query = Element::new("query", ns::ROSTER).with_attr_opt("ver", version);
    cx.iq_get(None, query, on_roster)
}

/// The whole roster, or nothing when it is the one that is known (RFC 6121 §2.6.3).
fn on_roster(cx: &mut Cx<'_>, answer: Answer) -> Step {
    let Some(query) = answer.payload("query", ns::ROSTER) else { return Ok(()) };
    let items: Vec<Item> = query.children().filter_map(Item::parse).collect();
    let listed: BTreeSet<&BareJid> = items.iter().map(|item| &item.address).collect();
    let contacts = cx.state.features.roster.contacts.values();
    let gone = contacts.filter(|one| one.in_roster && !listed.contains(&one.address));
    let gone: Vec<BareJid> = gone.map(|contact| contact.address.clone()).collect();
    for address in gone {
        change(cx, &address, leave)?;
    }
    for item in items {
        item.apply(cx)?;
    }
    save_version(cx, query)
}

fn on_push(cx: &mut Cx<'_>, iq: &Element) -> Step<Reply> {
    let Some(push) = roster_push(iq, cx.me) else {
        return Ok(Err(xmpp::error::Condition::ServiceUnavailable));
    };
    for child in push.0.children() {
        if child.attr("subscription") == Some("remove") {
            if let Some(address) = child.attr("jid").and_then(|jid| BareJid::new(jid).ok()) {
                change(cx, &address, leave)?;
            }
        } else if let Some(item) = Item::parse(child) {
            item.apply(cx)?;
        }
    }
    save_version(cx, &push.0)?;
    Ok(Ok(None))
}

fn save_version(cx: &mut Cx<'_>, query: &Element) -> Step {
    match query.attr("ver") {
        Some(version) => {
            // Without one the whole roster is fetched again.
            let kept = Some(version.as_bytes()).filter(|kept| kept.len() <= MAX_VERSION_BYTES);
            cx.store.save_value(VERSION, kept)
        }
        None => Ok(()),
    }
}

fn leave(contact: &mut Contact) {
    contact.in_roster = false;
    contact.name = None;
    contact.groups.clear();
    contact.subscription = Subscription::None;
    contact.asked = false;
}

/// A contact as the server has it.
struct Item {
    address: BareJid,
    name: Option<String>,
    groups: Vec<String>,
    subscription: Subscription,
    asked: bool,
}

impl Item {
    fn parse(item: &Element) -> Option<Self> {
        if !item.is("item", ns::ROSTER) {
            return None;
        }
        let groups = item.children().filter(|child| child.is("group", ns::ROSTER));
        Some(Self {
            address: BareJid::new(item.attr("jid")?).ok()?,
            name: item.attr("name").filter(|name| !name.trim().is_empty()).map(str::to_owned),
            groups: groups.map(Element::text).take(MAX_GROUPS).collect(),
            subscription: match item.attr("subscription") {
                Some("to") => Subscription::To,
                Some("from") => Subscription::From,
                Some("both") => Subscription::Both,
                _ => Subscription::None,
            },
            asked: item.attr("ask") == Some("subscribe"),
        })
    }

    fn apply(self, cx: &mut Cx<'_>) -> Step {
        let address = self.address.clone();
        let new = !contact(cx, &address).in_roster;
        change(cx, &address, |contact| {
            contact.in_roster = true;
            contact.name = self.name;
            contact.groups = self.groups;
            contact.subscription = self.subscription;
            contact.asked = self.asked;
            if matches!(self.subscription, Subscription::From | Subscription::Both) {
                contact.asks = false;
            }
        })?;
        rooms::on_contact(cx, &address)?;
        // Whoever accepts a stranger may have their conversation on screen.
        if new && timeline::is_open(cx, &address) {
            crate::omemo::look_at(cx, &address)?;
        }
        Ok(())
    }
}

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    match command {
        Command::AddContact { address, name } => {
            let item = item(&address, name.as_deref(), &contact(cx, &address).groups);
            cx.iq_for(number, None, item)?;
            presence::subscribe(cx, &address);
        }
        Command::Rename(address, name) => {
            let groups = contact(cx, &address).groups;
            cx.iq_for(number, None, item(&address, name.as_deref(), &groups))?;
        }
        Command::RemoveContact(address) => {
            let item = Element::new("item", ns::ROSTER)
                .with_attr("jid", address.to_string())
                .with_attr("subscription", "remove");
            cx.iq_for(number, None, Element::new("query", ns::ROSTER).with_child(item))?;
        }
        command => return Ok(Some(command)),
    }
    Ok(None)
}

fn item(address: &BareJid, name: Option<&str>, groups: &[String]) -> Element {
    let groups = groups.iter().map(|group| Element::new("group", ns::ROSTER).with_text(group));
    let item = Element::new("item", ns::ROSTER)
        .with_attr("jid", address.to_string())
        .with_attr_opt("name", name)
        .with_children(groups);
    Element::new("query", ns::ROSTER).with_child(item)
}

/// Adds whoever invited this account.
pub(crate) fn greet(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    cx.iq_set(None, item(address, None, &[]), |_, _| Ok(()))?;
    presence::subscribe(cx, address);
    Ok(())
}

/// Tells the user interface who is different after the step.
pub(crate) fn finish_step(cx: &mut Cx<'_>) {
    for address in std::mem::take(&mut cx.state.features.roster.dirty) {
        let change = if cx.state.features.roster.contacts.contains_key(&address) {
            Change::Contact(Box::new(show(cx, &address)))
        } else {
            Change::ContactRemoved(address)
        };
        cx.view(change);
    }
}

/// Everybody, for a user interface that knows nothing yet.
pub(crate) fn overview(cx: &Cx<'_>) -> Vec<Change> {
    let contacts = cx.state.features.roster.contacts.keys();
    contacts.map(|address| Change::Contact(Box::new(show(cx, address)))).collect()
}

fn show(cx: &Cx<'_>, address: &BareJid) -> view::Contact {
    let kept = contact(cx, address);
    let (presence, status) = presence::best(cx, address);
    view::Contact {
        address: address.clone(),
        name: name(cx, address),
        in_roster: kept.in_roster,
        sees_us: matches!(kept.subscription, Subscription::From | Subscription::Both),
        seen: matches!(kept.subscription, Subscription::To | Subscription::Both),
        asks: kept.asks,
        asked: kept.asked,
        presence,
        status,
        idle: presence::idle(cx, address),
        avatar: kept.avatar,
        blocked: kept.blocked,
    }
}

/// The name under which the version is stored.
const VERSION: &str = "roster-version";
/// Longest version of a roster that is kept.
const MAX_VERSION_BYTES: usize = 1024;
/// More groups of one contact are ignored.
const MAX_GROUPS: usize = 32;
