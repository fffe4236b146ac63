//! A server and its users, all in memory: real cores, a real negotiation, and a network that loses,
//! doubles, reorders and lies as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use client::store::{Content, Login, MemoryStore, Message};
use client::view::{Change, Outcome};
use client::{Client, Command, Effect, Input, Now, Options, Request};
use xmpp::ext::delay::Delay;
use xmpp::ext::forward::Forwarded;
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::sasl::{Hash, ScramKeys, Secret, TlsInfo};
use xmpp::stream::Out;
use xmpp::stream::server::{
    AccountState, Bound, Credentials, LoginAnswer, LoginSession, Negotiation, Settings, Step,
};
use xmpp::time::Millis;
use xmpp::xml::{Element, Event, Framing, Limits, Reader};

/// The domain of everybody.
pub const DOMAIN: &str = "example.org";

/// What becomes of a stanza on its way to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Deliver,
    /// It arrives twice.
    Double,
    /// It is lost; the archive may still have it.
    Lose,
    /// It arrives later: when [`World::release`] is called.
    Hold,
}

/// Decides about a stanza for a device, and may change it.
pub type Hook = Box<dyn FnMut(&str, &mut Element) -> Fate>;

/// A node of an account.
#[derive(Clone, Debug, Default)]
pub struct Node {
    pub items: Vec<(String, Element)>,
    pub access: String,
    pub max_items: String,
}

/// An account on the server.
pub struct Account {
    keys: ScramKeys,
    pub nodes: BTreeMap<String, Node>,
    pub archive: Vec<(String, Millis, Element)>,
    pub contacts: Vec<BareJid>,
}

/// A device of somebody, with the program that may run on it.
pub struct Device {
    pub name: String,
    pub address: BareJid,
    pub store: MemoryStore,
    pub client: Option<Client>,
    link: Option<Link>,
    resource: String,
    /// Everything the program wanted to be shown.
    pub changes: Vec<Change>,
    pub notes: Vec<String>,
    pub outcomes: BTreeMap<u64, Outcome>,
    requests: u64,
    /// Every byte that left.
    pub sent: Vec<u8>,
    seed: u8,
}

struct Link {
    negotiation: Option<Negotiation>,
    reader: Reader,
    available: bool,
}

/// Everybody.
pub struct World {
    pub accounts: BTreeMap<BareJid, Account>,
    pub devices: Vec<Device>,
    pub now: Now,
    pub hook: Option<Hook>,
    held: Vec<(usize, Element)>,
    inbox: VecDeque<(usize, Element)>,
    settings: Arc<Settings>,
    counter: u64,
    /// The server refuses options of nodes that exist otherwise, as XEP-0060 §7.1.5 asks.
    pub checks_options: bool,
    /// Messages that devices sent, as they left.
    pub log: Vec<(usize, Element)>,
}

pub fn bare(text: &str) -> BareJid {
    BareJid::new(text).unwrap()
}

impl World {
    pub fn new() -> Self {
        let mut settings = Settings::new(DOMAIN);
        settings.hashes = vec![Hash::Sha256];
        settings.fast = Vec::new();
        settings.channel_binding = false;
        settings.stream_management = false;
        Self {
            accounts: BTreeMap::new(),
            devices: Vec::new(),
            now: Now { wall: Millis::parse_xep0082("2026-03-01T12:00:00Z").unwrap(), steady: 1000 },
            hook: None,
            held: Vec::new(),
            inbox: VecDeque::new(),
            settings: Arc::new(settings),
            counter: 0,
            checks_options: true,
            log: Vec::new(),
        }
    }

    /// Makes an account, if it is not there.
    pub fn account(&mut self, name: &str) -> BareJid {
        let address = bare(&format!("{name}@{DOMAIN}"));
        self.accounts.entry(address.clone()).or_insert_with(|| Account {
            keys: ScramKeys::derive(Hash::Sha256, "secret", &[7; 16], 4096).unwrap(),
            nodes: BTreeMap::new(),
            archive: Vec::new(),
            contacts: Vec::new(),
        });
        address
    }

    /// Two accounts see each other's presence.
    pub fn befriend(&mut self, one: &str, other: &str) {
        let (one, other) = (self.account(one), self.account(other));
        self.accounts.get_mut(&one).unwrap().contacts.push(other.clone());
        self.accounts.get_mut(&other).unwrap().contacts.push(one);
    }

    /// A new device, logged in: `alice/phone`.
    pub fn device(&mut self, name: &str) -> usize {
        let (account, resource) = name.split_once('/').unwrap();
        let address = self.account(account);
        let seed = u8::try_from(self.devices.len()).unwrap() + 1;
        self.devices.push(Device {
            name: name.to_owned(),
            address: address.clone(),
            store: MemoryStore::new(),
            client: None,
            link: None,
            resource: resource.to_owned(),
            changes: Vec::new(),
            notes: Vec::new(),
            outcomes: BTreeMap::new(),
            requests: 0,
            sent: Vec::new(),
            seed,
        });
        let index = self.devices.len() - 1;
        self.start(index);
        let login = Login {
            address,
            password: Some(Secret::from("secret".to_owned())),
            server: None,
            pinned: None,
            client_id: String::new(),
            token: None,
        };
        let number = self.command(index, Command::Login(login));
        self.run();
        assert_eq!(self.devices[index].outcomes.get(&number), Some(&Outcome::Done), "{name}");
        index
    }

    /// Starts the program of a device, from what is stored.
    pub fn start(&mut self, index: usize) {
        self.counter += 1;
        let device = &mut self.devices[index];
        let mut seed = [device.seed; 32];
        seed[..8].copy_from_slice(&self.counter.to_be_bytes());
        let options = Options {
            software: "Clownfish".to_owned(),
            device: device.resource.clone(),
            kind: "console".to_owned(),
        };
        let store = Box::new(device.store.clone());
        device.client = Some(Client::new(store, options, seed).unwrap());
        self.input(index, Input::Start);
    }

    /// Starts it and waits until there is nothing to do.
    pub fn online(&mut self, index: usize) {
        self.start(index);
        self.run();
    }

    /// The program ends without a word; what was not committed is gone.
    pub fn kill(&mut self, index: usize) {
        let device = &mut self.devices[index];
        device.client = None;
        device.link = None;
        device.store.crash();
        self.inbox.retain(|(to, _)| *to != index);
    }

    /// Kills and starts it again.
    pub fn restart(&mut self, index: usize) {
        self.kill(index);
        self.online(index);
    }

    /// Gives a command and says its number.
    pub fn command(&mut self, index: usize, command: Command) -> u64 {
        let device = &mut self.devices[index];
        device.requests += 1;
        let number = device.requests;
        self.input(index, Input::Command(Request { number, command }));
        number
    }

    /// Gives a command, lets everything happen and says how it ended.
    pub fn ask(&mut self, index: usize, command: Command) -> Option<Outcome> {
        let number = self.command(index, command);
        self.run();
        self.devices[index].outcomes.get(&number).cloned()
    }

    /// Writes a message.
    pub fn write(&mut self, from: usize, to: &str, text: &str) -> Option<Outcome> {
        let to = bare(&format!("{to}@{DOMAIN}"));
        self.ask(from, Command::Send { to, text: text.to_owned(), reply_to: None })
    }

    /// Lets time pass.
    pub fn wait(&mut self, millis: u64) {
        let until = self.now.steady + millis;
        while self.now.steady < until {
            let next = self.devices.iter().filter_map(|device| device.client.as_ref()?.deadline());
            let next = next.min().unwrap_or(until).clamp(self.now.steady + 1, until);
            self.now.wall = self.now.wall.plus(next - self.now.steady);
            self.now.steady = next;
            for index in 0..self.devices.len() {
                if self.devices[index].client.is_some() {
                    self.input(index, Input::Tick);
                }
            }
            self.run();
        }
    }

    /// Gives the program an input and does what it wants. A store that fails ends the program.
    pub fn input(&mut self, index: usize, input: Input) {
        let now = self.now;
        let Some(client) = self.devices[index].client.as_mut() else { return };
        match client.handle(now, input) {
            Ok(effects) => {
                for effect in effects {
                    self.effect(index, effect);
                }
            }
            Err(_) => self.kill(index),
        }
    }

    fn effect(&mut self, index: usize, effect: Effect) {
        match effect {
            Effect::Connect(_) => self.connect(index),
            Effect::Send(bytes) => {
                self.devices[index].sent.extend_from_slice(&bytes);
                if let Some(link) = &mut self.devices[index].link {
                    link.reader.push(&bytes);
                }
                self.read(index);
            }
            Effect::Close => {
                if self.devices[index].link.take().is_some() {
                    self.input(index, Input::Disconnected(client::effect::Lost::Closed));
                }
            }
            Effect::View(change) => self.devices[index].changes.push(change),
            Effect::Notify(notification) => self.devices[index].notes.push(notification.text),
            Effect::Done(number, outcome) => {
                let before = self.devices[index].outcomes.insert(number, outcome);
                assert_eq!(before, None, "a request ended twice");
            }
            Effect::StartTls { .. } | Effect::Transfer(..) | Effect::CancelTransfer(_) => {}
        }
    }

    fn connect(&mut self, index: usize) {
        self.counter += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.counter.to_be_bytes());
        let tls = TlsInfo::default();
        let negotiation =
            Negotiation::new(self.settings.clone(), Framing::Tcp, Some(tls.clone()), seed);
        let reader = Reader::new(Limits::CLIENT, Framing::Tcp);
        let link = Link { negotiation: Some(negotiation), reader, available: false };
        self.devices[index].link = Some(link);
        self.input(index, Input::Connected { tls: Some(tls), framing: Framing::Tcp });
    }

    /// Reads what a device sent.
    fn read(&mut self, index: usize) {
        loop {
            let Some(link) = &mut self.devices[index].link else { return };
            let Some(event) = link.reader.next().unwrap() else { return };
            match link.negotiation.take() {
                Some(negotiation) => self.negotiate(index, negotiation, event),
                None => {
                    if let Event::Stanza(stanza) = event {
                        let stanza = stanza.element();
                        self.on_stanza(index, stanza);
                    }
                }
            }
        }
    }

    fn negotiate(&mut self, index: usize, negotiation: Negotiation, event: Event) {
        let mut out = Out::new();
        let mut step = negotiation.handle(event, &mut out);
        loop {
            step = match step {
                Step::Scram(lookup, waiting) => {
                    let keys = self.accounts[&lookup.account].keys.clone();
                    let state = AccountState::Active;
                    waiting.answer(Credentials { keys, state }, &mut out)
                }
                Step::Login(_, waiting) => {
                    let device = &self.devices[index];
                    let jid = device.address.with_resource_str(&device.resource).unwrap();
                    let bound = Bound { jid, resume_failed: None, inline: Vec::new() };
                    let session = LoginSession::Bound(bound);
                    waiting.answer(LoginAnswer { session, token: None }, &mut out)
                }
                Step::Read(negotiation) => {
                    if let Some(link) = &mut self.devices[index].link {
                        link.negotiation = Some(negotiation);
                    }
                    break;
                }
                Step::Established(_) => break,
                other => panic!("{other:?}"),
            };
        }
        let bytes = bytes::Bytes::copy_from_slice(out.bytes());
        if let Some(link) = &mut self.devices[index].link {
            out.apply(&mut link.reader);
        }
        if !bytes.is_empty() {
            self.input(index, Input::Received(bytes));
        }
    }

    /// Lets everything happen that is under way.
    pub fn run(&mut self) {
        while let Some((index, stanza)) = self.inbox.pop_front() {
            if self.devices[index].link.is_some() {
                self.input(index, Input::Received(stanza.to_bytes(ns::CLIENT)));
            }
        }
    }

    /// Lets what was held arrive, in the order that `arrange` makes.
    pub fn release(&mut self, arrange: impl FnOnce(&mut Vec<(usize, Element)>)) {
        let mut held = std::mem::take(&mut self.held);
        arrange(&mut held);
        let hook = self.hook.take();
        self.inbox.extend(held);
        self.run();
        self.hook = hook;
    }

    /// Sends a stanza to a device, as the server would.
    pub fn deliver(&mut self, index: usize, mut stanza: Element) {
        let name = self.devices[index].name.clone();
        let fate = self.hook.as_mut().map_or(Fate::Deliver, |hook| hook(&name, &mut stanza));
        match fate {
            Fate::Deliver => self.inbox.push_back((index, stanza)),
            Fate::Double => {
                self.inbox.push_back((index, stanza.clone()));
                self.inbox.push_back((index, stanza));
            }
            Fate::Lose => {}
            Fate::Hold => self.held.push((index, stanza)),
        }
    }

    /// The devices of an account that can get messages.
    fn available(&self, address: &BareJid) -> Vec<usize> {
        let devices = self.devices.iter().enumerate();
        let here = devices.filter(|(_, device)| {
            device.address == *address && device.link.as_ref().is_some_and(|link| link.available)
        });
        here.map(|(index, _)| index).collect()
    }

    fn full(&self, index: usize) -> String {
        format!("{}/{}", self.devices[index].address, self.devices[index].resource)
    }

    fn on_stanza(&mut self, index: usize, stanza: Element) {
        match stanza.name() {
            "message" => self.on_message(index, stanza),
            "presence" => self.on_presence(index, &stanza),
            "iq" => self.on_iq(index, &stanza),
            _ => {}
        }
    }

    fn on_presence(&mut self, index: usize, stanza: &Element) {
        if stanza.attr("to").is_some() || stanza.attr("type").is_some() {
            return;
        }
        let Some(link) = &mut self.devices[index].link else { return };
        if std::mem::replace(&mut link.available, true) {
            return;
        }
        let address = self.devices[index].address.clone();
        let mut owners = vec![address.clone()];
        owners.extend(self.accounts[&address].contacts.clone());
        for owner in owners {
            for node in [ns::OMEMO_DEVICES, ns::OMEMO_LEGACY_DEVICES] {
                if let Some(event) = self.event(&owner, node) {
                    self.deliver(index, event);
                }
            }
        }
    }

    /// The event of the last item of a node.
    fn event(&self, owner: &BareJid, node: &str) -> Option<Element> {
        let (id, payload) = self.accounts.get(owner)?.nodes.get(node)?.items.last()?;
        Some(event(owner, node, id, payload))
    }

    fn on_message(&mut self, index: usize, mut message: Element) {
        message.set_attr("from", self.full(index));
        self.log.push((index, message.clone()));
        let Some(to) = message.attr("to").and_then(|to| Jid::new(to).ok()) else { return };
        self.route(&message, &to.to_bare(), Some(index));
    }

    /// What a server does with a message of one of its users to another.
    pub fn route(&mut self, message: &Element, to: &BareJid, from: Option<usize>) {
        let hint = |name: &str| message.child(name, ns::HINTS).is_some();
        let kept =
            !hint("no-store") && (hint("store") || message.child("body", ns::CLIENT).is_some());
        let sender = Jid::new(message.attr("from").unwrap()).unwrap().to_bare();
        let received = self.keep(to, message, kept);
        for device in self.available(to) {
            if Some(device) != from || sender == *to {
                self.deliver(device, received.clone());
            }
        }
        if sender == *to {
            return;
        }
        let sent = self.keep(&sender, message, kept);
        for device in self.available(&sender).into_iter().filter(|device| Some(*device) != from) {
            let forwarded = Forwarded { delay: None, stanza: sent.clone() };
            let carbon = Element::new("message", ns::CLIENT)
                .with_attr("from", sender.as_str())
                .with_attr("to", self.full(device))
                .with_attr("type", "chat")
                .with_child(Element::new("sent", ns::CARBONS).with_child(forwarded.to_element()));
            self.deliver(device, carbon);
        }
    }

    /// Keeps a message in an archive; it comes back with its id there.
    fn keep(&mut self, owner: &BareJid, message: &Element, kept: bool) -> Element {
        let mut message = message.clone();
        if let (true, Some(account)) = (kept, self.accounts.get_mut(owner)) {
            self.counter += 1;
            let id = format!("a{:08}", self.counter);
            account.archive.push((id.clone(), self.now.wall, message.clone()));
            message.push(
                Element::new("stanza-id", ns::STANZA_ID)
                    .with_attr("by", owner.as_str())
                    .with_attr("id", id),
            );
        }
        message
    }

    fn on_iq(&mut self, index: usize, iq: &Element) {
        let Some(kind @ ("get" | "set")) = iq.attr("type") else { return };
        let me = self.devices[index].address.clone();
        let owner = iq.attr("to").map_or(me.clone(), |to| Jid::new(to).unwrap().to_bare());
        let Some(payload) = iq.first_child().cloned() else { return };
        let answer = if payload.is("query", ns::MAM) && owner == me {
            Ok(Some(self.query(index, &payload)))
        } else if payload.is("pubsub", ns::PUBSUB) {
            self.pubsub(&me, &owner, kind == "set", &payload)
        } else if payload.is("pubsub", ns::PUBSUB_OWNER) && owner == me {
            self.configure(&me, kind == "set", &payload)
        } else if payload.is("query", ns::ROSTER) {
            Ok(Some(self.roster(&me)))
        } else if payload.is("query", ns::DISCO_INFO) {
            Ok(Some(disco()))
        } else if payload.is("ping", ns::PING) || kind == "set" {
            Ok(None)
        } else {
            Err("item-not-found")
        };
        let mut reply = Element::new("iq", ns::CLIENT)
            .with_attr_opt("id", iq.attr("id"))
            .with_attr_opt("from", iq.attr("to"))
            .with_attr("to", self.full(index));
        match answer {
            Ok(payload) => {
                reply.set_attr("type", "result");
                reply = reply.with_children(payload);
            }
            Err(condition) => {
                reply.set_attr("type", "error");
                let mut error = Element::new("error", ns::CLIENT).with_attr("type", "cancel");
                if condition == "precondition-not-met" {
                    error.push(Element::new("conflict", ns::STANZA_ERRORS));
                    error.push(Element::new(condition, ns::PUBSUB_ERRORS));
                } else {
                    error.push(Element::new(condition, ns::STANZA_ERRORS));
                }
                reply.push(error);
            }
        }
        self.deliver(index, reply);
    }

    fn roster(&self, me: &BareJid) -> Element {
        let item = |jid: &BareJid| {
            Element::new("item", ns::ROSTER)
                .with_attr("jid", jid.as_str())
                .with_attr("subscription", "both")
        };
        Element::new("query", ns::ROSTER).with_children(self.accounts[me].contacts.iter().map(item))
    }

    fn pubsub(
        &mut self,
        me: &BareJid,
        owner: &BareJid,
        set: bool,
        pubsub: &Element,
    ) -> Result<Option<Element>, &'static str> {
        let first = pubsub.first_child().ok_or("bad-request")?;
        let node = first.attr("node").ok_or("bad-request")?.to_owned();
        match first.name() {
            "items" if !set => {
                if owner.domain().to_string() != DOMAIN {
                    return Err("remote-server-not-found");
                }
                let account = self.accounts.get(owner).ok_or("service-unavailable")?;
                let found = account.nodes.get(&node).ok_or("item-not-found")?;
                if found.access != "open" && me != owner {
                    return Err("forbidden");
                }
                let ids: Vec<&str> = first.children().filter_map(|item| item.attr("id")).collect();
                let items =
                    found.items.iter().filter(|(id, _)| ids.is_empty() || ids.contains(&&**id));
                let items = items.map(|(id, payload)| {
                    Element::new("item", ns::PUBSUB)
                        .with_attr("id", id.as_str())
                        .with_child(payload.clone())
                });
                let items = Element::new("items", ns::PUBSUB)
                    .with_attr("node", node.as_str())
                    .with_children(items);
                Ok(Some(Element::new("pubsub", ns::PUBSUB).with_child(items)))
            }
            "publish" if set && me == owner => self.publish(me, &node, first, pubsub),
            "retract" if set && me == owner => {
                let id = first.first_child().and_then(|item| item.attr("id")).unwrap_or_default();
                let account = self.accounts.get_mut(me).unwrap();
                if let Some(node) = account.nodes.get_mut(&node) {
                    node.items.retain(|(known, _)| known != id);
                }
                Ok(None)
            }
            _ => Err("bad-request"),
        }
    }

    fn publish(
        &mut self,
        me: &BareJid,
        name: &str,
        publish: &Element,
        pubsub: &Element,
    ) -> Result<Option<Element>, &'static str> {
        let option = |name: &str| {
            let form = pubsub.child("publish-options", ns::PUBSUB)?;
            xmpp::ext::form::Form::child_of(form)?.value(name).map(str::to_owned)
        };
        let (access, most) = (option("pubsub#access_model"), option("pubsub#max_items"));
        let checks = self.checks_options;
        let account = self.accounts.get_mut(me).unwrap();
        let node = account.nodes.entry(name.to_owned()).or_insert_with(|| Node {
            items: Vec::new(),
            access: if checks { access.clone() } else { None }.unwrap_or("presence".to_owned()),
            max_items: if checks { most.clone() } else { None }.unwrap_or("1".to_owned()),
        });
        let differs =
            |wanted: &Option<String>, has: &str| wanted.as_ref().is_some_and(|it| it != has);
        if checks && (differs(&access, &node.access) || differs(&most, &node.max_items)) {
            return Err("precondition-not-met");
        }
        let item = publish.first_child().ok_or("bad-request")?;
        let id = item.attr("id").unwrap_or("current").to_owned();
        let payload = item.first_child().ok_or("bad-request")?.clone();
        node.items.retain(|(known, _)| *known != id);
        if node.max_items == "1" {
            node.items.clear();
        }
        node.items.push((id, payload));
        self.announce(me, name);
        Ok(None)
    }

    /// Tells everybody who sees the account of the last item of a node.
    pub fn announce(&mut self, owner: &BareJid, node: &str) {
        if ![ns::OMEMO_DEVICES, ns::OMEMO_LEGACY_DEVICES].contains(&node) {
            return;
        }
        let Some(event) = self.event(owner, node) else { return };
        let mut audience = vec![owner.clone()];
        audience.extend(self.accounts[owner].contacts.clone());
        for account in audience {
            for device in self.available(&account) {
                self.deliver(device, event.clone());
            }
        }
    }

    fn configure(
        &mut self,
        me: &BareJid,
        set: bool,
        pubsub: &Element,
    ) -> Result<Option<Element>, &'static str> {
        use xmpp::ext::form::{Field, Form, FormType};
        let first = pubsub.first_child().ok_or("bad-request")?;
        let name = first.attr("node").ok_or("bad-request")?;
        let account = self.accounts.get_mut(me).unwrap();
        if first.name() == "delete" {
            return account.nodes.remove(name).map(|_| None).ok_or("item-not-found");
        }
        let node = account.nodes.get_mut(name).ok_or("item-not-found")?;
        if set {
            let form = Form::child_of(first).ok_or("bad-request")?;
            if let Some(access) = form.value("pubsub#access_model") {
                node.access = access.to_owned();
            }
            if let Some(most) = form.value("pubsub#max_items") {
                node.max_items = most.to_owned();
            }
            return Ok(None);
        }
        let form = Form::typed(FormType::Form, ns::PUBSUB_NODE_CONFIG)
            .with_field(Field::untyped("pubsub#access_model").with_value(node.access.as_str()))
            .with_field(Field::untyped("pubsub#max_items").with_value(node.max_items.as_str()))
            .with_field(Field::untyped("pubsub#persist_items").with_value("1"));
        let configure = Element::new("configure", ns::PUBSUB_OWNER)
            .with_attr("node", name)
            .with_child(form.to_element());
        Ok(Some(Element::new("pubsub", ns::PUBSUB_OWNER).with_child(configure)))
    }

    /// Answers an archive query: the results, then the end.
    fn query(&mut self, index: usize, query: &Element) -> Element {
        use xmpp::ext::rsm::{Position, Request};
        let me = self.devices[index].address.clone();
        let set = query.child("set", ns::RSM).and_then(Request::parse).unwrap_or_default();
        let all = &self.accounts[&me].archive;
        let at = |id: &str| all.iter().position(|(known, ..)| known == id);
        let most = set.max.unwrap_or(100).min(100);
        let (from, to) = match &set.position {
            Position::After(id) => {
                let from = at(id).map_or(0, |at| at + 1);
                (from, (from + most).min(all.len()))
            }
            Position::Before(id) => {
                let to = at(id).unwrap_or(0);
                (to.saturating_sub(most), to)
            }
            Position::Last => (all.len().saturating_sub(most), all.len()),
            _ => (0, most.min(all.len())),
        };
        let complete = match &set.position {
            Position::Before(_) | Position::Last => from == 0,
            _ => to == all.len(),
        };
        let page: Vec<_> = all[from..to].to_vec();
        let mut answer = Element::new("set", ns::RSM);
        for (name, entry) in [("first", page.first()), ("last", page.last())] {
            if let Some((id, ..)) = entry {
                answer.push(Element::new(name, ns::RSM).with_text(id.as_str()));
            }
        }
        answer.push(Element::new("count", ns::RSM).with_text(all.len().to_string()));
        for (id, time, stanza) in page {
            let forwarded = Forwarded { delay: Some(Delay::new(time)), stanza };
            let result = Element::new("result", ns::MAM)
                .with_attr_opt("queryid", query.attr("queryid"))
                .with_attr("id", id)
                .with_child(forwarded.to_element());
            let message = Element::new("message", ns::CLIENT)
                .with_attr("from", me.as_str())
                .with_attr("to", self.full(index))
                .with_child(result);
            self.deliver(index, message);
        }
        Element::new("fin", ns::MAM)
            .with_attr_opt("complete", complete.then_some("true"))
            .with_child(answer)
    }

    /// The messages of a conversation as a device keeps them, the oldest first.
    pub fn messages(&self, index: usize, with: &str) -> Vec<Message> {
        use client::store::Timeline;
        let with = bare(&format!("{with}@{DOMAIN}"));
        self.devices[index].store.before(&with, None, 10_000).unwrap()
    }

    /// Their texts; what cannot be read is shown as its reason.
    pub fn texts(&self, index: usize, with: &str) -> Vec<String> {
        let text = |message: Message| match message.content {
            Content::Text(text) => Some(text),
            Content::Undecryptable(reason) => Some(format!("{reason:?}")),
            Content::Event(_) => None,
            other => Some(format!("{other:?}")),
        };
        self.messages(index, with).into_iter().filter_map(text).collect()
    }

    /// The OMEMO number of a device.
    pub fn number(&self, index: usize) -> u32 {
        use client::store::Devices;
        self.devices[index].store.own_device().unwrap().unwrap().id
    }

    /// Makes a device one that knows only the legacy version, for those who look for it.
    pub fn hide_omemo2(&mut self, account: &str) {
        let address = self.account(account);
        let account = self.accounts.get_mut(&address).unwrap();
        account.nodes.remove(ns::OMEMO_DEVICES);
        account.nodes.remove(ns::OMEMO_BUNDLES);
    }

    /// Makes a device look as if it knew the legacy version only: it is taken out of the newer list,
    /// and the newest event of it no longer reaches that device.
    pub fn forget_omemo2(&mut self, index: usize) {
        let number = self.number(index).to_string();
        let address = self.devices[index].address.clone();
        let account = self.accounts.get_mut(&address).unwrap();
        let list = &mut account.nodes.get_mut(ns::OMEMO_DEVICES).unwrap().items[0].1;
        list.retain_children(|device| device.attr("id") != Some(&number));
        let name = self.devices[index].name.clone();
        self.hook = Some(Box::new(move |to, stanza| {
            let event = stanza.child("event", ns::PUBSUB_EVENT).is_some();
            if to == name && event { Fate::Lose } else { Fate::Deliver }
        }));
        self.announce(&address, ns::OMEMO_DEVICES);
        self.run();
    }

    /// The devices for which the last message with content of a device is encrypted, by address.
    pub fn readers(&self, index: usize) -> Vec<(String, u32)> {
        use xmpp::ext::{omemo_legacy, omemo2};
        let mut readers = Vec::new();
        let of_device = self.log.iter().rev().filter(|(from, _)| *from == index);
        let mut with_payload = of_device.filter(|(_, message)| {
            message.children().any(|child| child.children().any(|it| it.name() == "payload"))
        });
        let Some((_, message)) = with_payload.next() else { return readers };
        for child in message.children() {
            if let Some(encrypted) = omemo2::Encrypted::parse(child) {
                for (jid, keys) in encrypted.recipients {
                    readers.extend(keys.iter().map(|key| (jid.as_str().to_owned(), key.device)));
                }
            }
            if let Some(encrypted) = omemo_legacy::Encrypted::parse(child) {
                readers.extend(encrypted.keys.iter().map(|key| ("legacy".to_owned(), key.device)));
            }
        }
        readers
    }

    /// Whether a device ever sent these bytes.
    pub fn ever_sent(&self, index: usize, text: &str) -> bool {
        let sent = &self.devices[index].sent;
        sent.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

/// The event of a personal node.
pub fn event(owner: &BareJid, node: &str, id: &str, payload: &Element) -> Element {
    let item =
        Element::new("item", ns::PUBSUB_EVENT).with_attr("id", id).with_child(payload.clone());
    let items = Element::new("items", ns::PUBSUB_EVENT).with_attr("node", node).with_child(item);
    Element::new("message", ns::CLIENT)
        .with_attr("from", owner.as_str())
        .with_attr("type", "headline")
        .with_child(Element::new("event", ns::PUBSUB_EVENT).with_child(items))
}

fn disco() -> Element {
    let feature = |var: &str| Element::new("feature", ns::DISCO_INFO).with_attr("var", var);
    Element::new("query", ns::DISCO_INFO)
        .with_child(
            Element::new("identity", ns::DISCO_INFO)
                .with_attr("category", "server")
                .with_attr("type", "im"),
        )
        .with_children([ns::MAM, ns::CARBONS, ns::DISCO_INFO].map(feature))
}
