//! Presence across domains: RFC 6121 §3 and §4 with contacts elsewhere, and what the server itself
//! wants to know of their clients (XEP-0115).

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use xmpp::{
    edit::Edit,
    ext::caps::Caps,
    jid::{BareJid, Jid},
    ns,
    stanza::{Kind, Stanza},
    stream::s2s::receiving::Pair,
    time::Millis,
    xml::Element,
};

use crate::{
    account::Account,
    ext::{
        block_lists,
        caps::{self, Features},
        muc, privilege,
    },
    im::{presence, subscribing, subscription::Change},
    router::resolve::{Target, resolve},
    server::Server,
};

/// The devices of contacts elsewhere whose presence an account sees.
#[derive(Debug, Default)]
pub struct Seen {
    contacts: HashMap<BareJid, Vec<Device>>,
    devices: usize,
}

/// One device of a contact elsewhere.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its full address.
    pub jid: Jid,
    /// What its client can do, once that is known.
    pub features: Option<Arc<Features>>,
}

/// Devices that are remembered for one account, and for one of its contacts.
const MAX_DEVICES: usize = 5000;
const MAX_PER_CONTACT: usize = 20;

impl Seen {
    /// The devices of a contact.
    #[must_use]
    pub fn of(&self, contact: &BareJid) -> &[Device] {
        self.contacts.get(contact).map_or(&[], Vec::as_slice)
    }

    /// A device is there. `false` when there are too many to remember it.
    fn arrived(&mut self, jid: &Jid) -> bool {
        let devices = self.contacts.entry(jid.to_bare()).or_default();
        if devices.iter().any(|device| device.jid == *jid) {
            return true;
        }
        if devices.len() >= MAX_PER_CONTACT || self.devices >= MAX_DEVICES {
            return false;
        }
        devices.push(Device { jid: jid.clone(), features: None });
        self.devices += 1;
        true
    }

    /// A device is gone; with a bare address, all of them.
    fn left(&mut self, jid: &Jid) {
        let Some(devices) = self.contacts.get_mut(&jid.to_bare()) else { return };
        let before = devices.len();
        devices.retain(|device| jid.resource().is_some() && device.jid != *jid);
        self.devices -= before - devices.len();
        if devices.is_empty() {
            self.contacts.remove(&jid.to_bare());
        }
    }

    /// Nobody looks any more: whoever comes next asks anew.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// What the client of a device can do is known now. Returns what was known before; `None` when
    /// the device is not remembered.
    pub fn adopt(&mut self, jid: &Jid, features: &Arc<Features>) -> Option<Option<Arc<Features>>> {
        let devices = self.contacts.get_mut(&jid.to_bare())?;
        let device = devices.iter_mut().find(|device| device.jid == *jid)?;
        Some(device.features.replace(features.clone()))
    }
}

/// Questions about capabilities that the server asked clients elsewhere.
#[derive(Default)]
pub struct Questions(Mutex<HashMap<String, Question>>);

/// One such question.
pub struct Question {
    /// The account in whose name it was asked. Holding it keeps it in memory.
    pub account: Arc<Account>,
    /// Who was asked.
    pub jid: Jid,
    /// What is to be verified.
    pub caps: Caps,
    expires: Millis,
}

/// Questions that may be open, and for how many milliseconds.
const MAX_QUESTIONS: usize = 2000;
const PATIENCE: u64 = 60_000;

impl Questions {
    /// Asks a client elsewhere what it can do (XEP-0115 §6.2).
    pub fn ask(&self, server: &Server, account: &Arc<Account>, jid: &Jid, caps: &Caps) {
        let id = server.fresh_id();
        {
            let mut open = self.0.lock();
            let asked = open.values().any(|question| {
                question.jid == *jid
                    && question.caps.ver == caps.ver
                    && Arc::ptr_eq(&question.account, account)
            });
            if asked || open.len() >= MAX_QUESTIONS {
                return;
            }
            let question = Question {
                account: account.clone(),
                jid: jid.clone(),
                caps: caps.clone(),
                expires: server.steady().plus(PATIENCE),
            };
            open.insert(id.clone(), question);
        }
        let iq = Element::new("iq", ns::CLIENT)
            .with_attr("type", "get")
            .with_attr("id", id)
            .with_attr("from", account.bare())
            .with_attr("to", jid.as_str())
            .with_child(caps::question(caps));
        server.s2s.post(server, server.domain(), jid, Kind::Iq, iq.to_bytes(ns::CLIENT));
    }

    /// The question that an answer belongs to, if it comes from who was asked.
    pub fn answered(&self, id: &str, from: &Jid) -> Option<Question> {
        let mut open = self.0.lock();
        open.get(id).filter(|question| question.jid == *from)?;
        open.remove(id)
    }

    /// Forgets those that are not answered any more.
    pub(super) fn expire(&self, now: Millis) {
        self.0.lock().retain(|_, question| question.expires > now);
    }
}

/// Takes a presence stanza of another server.
pub(super) async fn receive(server: &Arc<Server>, stanza: &Stanza, from: &Jid, to: &Jid) {
    let type_ = stanza.type_();
    if let Some(change) = type_.as_deref().and_then(Change::parse) {
        let (from, to) = (from.to_bare(), to.to_bare());
        // As if it had been blocked (XEP-0191): nobody is asked.
        let unwanted = change == Change::Subscribe && server.block_lists.name(&from);
        if to.node().is_some() && !unwanted {
            let bytes = Edit::new(stanza).from(from.as_str()).to(to.as_str()).finish();
            subscribing::receive(server, &from, &to, bytes, change).await;
        }
        return;
    }
    let target = match resolve(server, to).await {
        Ok(target) => target,
        Err(error) => {
            server.store_failed("presence", &error);
            return;
        }
    };
    match (type_.as_deref(), target) {
        (Some("probe"), Target::Account(account)) => probed(server, &account, from),
        // RFC 6121 §4.3.2: as to a stranger.
        (Some("probe"), Target::Nobody) => unsubscribed(server, to.to_bare().as_str(), from),
        (None | Some("unavailable" | "error"), Target::Account(account)) => {
            show(server, &account, stanza, from, to);
        }
        (None, Target::Rooms) if server.block_lists.name(&from.to_bare()) => {
            let mut refused = stanza.reply("error");
            refused.push(block_lists::refusal().element());
            let bytes = refused.to_bytes(ns::CLIENT);
            server.s2s.post(server, to.domain().as_str(), from, Kind::Presence, bytes);
        }
        (None | Some("unavailable" | "error"), Target::Rooms) => {
            let sender = muc::service::Sender::new(from);
            Box::pin(muc::service::receive(server, sender, to, stanza)).await;
        }
        _ => {}
    }
}

/// RFC 6121 §4.3.2: who may know is told what is there.
fn probed(server: &Server, account: &Arc<Account>, from: &Jid) {
    let stanzas = {
        let state = account.lock();
        if state.blocks.refuses(from) {
            return;
        }
        let seen = state.roster.shows_presence_to(&from.to_bare());
        seen.then(|| presence::presences(&state))
    };
    let Some(stanzas) = stanzas else { return unsubscribed(server, account.bare(), from) };
    if stanzas.is_empty() {
        let gone = Element::new("presence", ns::CLIENT)
            .with_attr("type", "unavailable")
            .with_attr("from", account.bare())
            .with_attr("to", from.as_str());
        let bytes = gone.to_bytes(ns::CLIENT);
        server.s2s.post(server, server.domain(), from, Kind::Presence, bytes);
    }
    for stanza in stanzas {
        let bytes = Edit::new(&stanza).to(from.as_str()).finish();
        server.s2s.post(server, server.domain(), from, Kind::Presence, bytes);
    }
}

fn unsubscribed(server: &Server, local: &str, from: &Jid) {
    let contact = from.to_bare();
    let answer = Element::new("presence", ns::CLIENT)
        .with_attr("type", "unsubscribed")
        .with_attr("from", local)
        .with_attr("to", contact.as_str());
    let bytes = answer.to_bytes(ns::CLIENT);
    server.s2s.post(server, server.domain(), from, Kind::Presence, bytes);
}

/// Shows the presence of somebody elsewhere to the devices it is for, and remembers who is there.
fn show(server: &Arc<Server>, account: &Arc<Account>, stanza: &Stanza, from: &Jid, to: &Jid) {
    let available = stanza.type_().is_none();
    let watched = {
        let mut state = account.lock();
        if state.blocks.refuses(from) {
            return;
        }
        let bytes = Edit::new(stanza).from(from.as_str()).finish();
        for resource in &state.resources {
            let meant = match to.resource() {
                Some(only) => resource.session.resource() == only.as_str(),
                None => resource.available.is_some(),
            };
            if meant {
                resource.session.deliver(presence::frame(bytes.clone(), stanza));
            }
        }
        let contact = state.roster.contact(&from.to_bare());
        let watched = contact.is_some_and(|contact| contact.standing.to);
        if watched && available && from.resource().is_some() && !state.resources.is_empty() {
            state.seen.arrived(from);
        } else if !available {
            state.seen.left(from);
        }
        watched
    };
    if watched {
        privilege::show_contact(server, stanza, from);
    }
    if watched && available && from.resource().is_some() {
        caps::elsewhere(server, account, from, stanza);
    }
}

/// Presence was lost on the way, or this server was away: the other domain is told how things
/// stand, and asked.
pub fn refresh(server: &Arc<Server>, pair: &Pair) {
    for account in server.accounts.all() {
        refresh_account(server, &account, |contact| contact.domain().as_str() == pair.remote);
    }
}

/// After a start: the sessions that go on know nothing of contacts elsewhere any more.
pub fn refresh_all(server: &Arc<Server>) {
    for account in server.accounts.all() {
        refresh_account(server, &account, |contact| contact.domain().as_str() != server.domain());
    }
}

fn refresh_account(
    server: &Arc<Server>,
    account: &Arc<Account>,
    concerned: impl Fn(&BareJid) -> bool,
) {
    let (stanzas, told, asked) = {
        let state = account.lock();
        let mut told = state.roster.subscribers();
        told.retain(|contact| {
            concerned(contact) && !state.blocks.forbids(&Jid::from(contact.clone()))
        });
        let mut asked = state.roster.subscribed_to();
        asked.retain(&concerned);
        (presence::presences(&state), told, asked)
    };
    if stanzas.is_empty() {
        return;
    }
    for contact in &told {
        for stanza in &stanzas {
            presence::deliver_to_account(server, account.jid(), contact, stanza);
        }
    }
    for contact in asked {
        presence::probe_elsewhere(server, account.bare(), &contact);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jid(text: &str) -> Jid {
        Jid::new(text).unwrap()
    }

    #[test]
    fn devices_come_and_go_one_by_one_or_together() {
        let mut seen = Seen::default();
        let contact = jid("juliet@capulet.example").to_bare();
        for device in ["balcony", "chamber", "balcony"] {
            assert!(seen.arrived(&jid(&format!("juliet@capulet.example/{device}"))));
        }
        assert_eq!((seen.of(&contact).len(), seen.devices), (2, 2));
        seen.left(&jid("juliet@capulet.example/balcony"));
        assert_eq!(seen.of(&contact)[0].jid, jid("juliet@capulet.example/chamber"));
        seen.left(&jid("juliet@capulet.example"));
        assert_eq!((seen.of(&contact).len(), seen.devices), (0, 0));
    }

    #[test]
    fn a_contact_with_a_thousand_devices_does_not_fill_the_memory() {
        let mut seen = Seen::default();
        let device = |number: usize| jid(&format!("juliet@capulet.example/{number}"));
        let kept = (0..1000).filter(|&number| seen.arrived(&device(number))).count();
        assert_eq!(kept, MAX_PER_CONTACT);
        assert!(seen.arrived(&jid("nurse@capulet.example/x")));
    }
}
