//! A server and its users, all in memory: real cores, a real negotiation, and a network that loses,
//! doubles, reorders and lies as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use client::effect::{Transfer, TransferEvent};
use client::store::{Content, Login, MemoryStore, Message};
use client::view::{Change, Occasion, Outcome};
use client::{Client, Command, Effect, Input, Now, Options, Request};
use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::sasl::{Hash, ScramKeys, Secret, TlsInfo};
use xmpp::stream::Out;
use xmpp::stream::server::{
    AccountState, Bound, Credentials, LoginAnswer, LoginSession, Negotiation, Settings, Step,
};
use xmpp::time::Millis;
use xmpp::xml::{Element, Event, Framing, Limits, Reader};

/// The domain of everybody.
pub(crate) const DOMAIN: &str = "example.org";

/// What becomes of a stanza on its way to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
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
pub(crate) type Hook = Box<dyn FnMut(&str, &mut Element) -> Fate>;

/// A node of an account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub(crate) items: Vec<(String, Element)>,
    pub(crate) access: String,
    pub(crate) max_items: String,
}

/// An account on the server.
pub(crate) struct Account {
    keys: ScramKeys,
    pub(crate) nodes: BTreeMap<String, Node>,
    pub(crate) archive: Vec<(String, Millis, Element)>,
    pub(crate) contacts: Vec<BareJid>,
}

/// A device of somebody, with the program that may run on it.
pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) address: BareJid,
    pub(crate) store: MemoryStore,
    pub(crate) client: Option<Client>,
    pub(crate) link: Option<Link>,
    resource: String,
    /// Everything the program wanted to be shown.
    pub(crate) changes: Vec<Change>,
    pub(crate) notes: Vec<String>,
    pub(crate) outcomes: BTreeMap<u64, Outcome>,
    requests: u64,
    /// How far its wall clock is ahead of everybody's, in milliseconds.
    pub(crate) ahead: i64,
    /// Every byte that left on the stream.
    pub(crate) sent: Vec<u8>,
    /// What left with files.
    pub(crate) uploaded: Vec<u8>,
    seed: u8,
}

pub(crate) struct Link {
    negotiation: Option<Negotiation>,
    reader: Reader,
    pub(crate) available: bool,
}

/// Everybody.
pub(crate) struct World {
    pub(crate) accounts: BTreeMap<BareJid, Account>,
    pub(crate) devices: Vec<Device>,
    pub(crate) now: Now,
    pub(crate) hook: Option<Hook>,
    held: Vec<(usize, Element)>,
    inbox: VecDeque<(usize, Element)>,
    settings: Arc<Settings>,
    pub(crate) counter: u64,
    /// The server refuses options of nodes that exist otherwise, as XEP-0060 §7.1.5 asks.
    pub(crate) checks_options: bool,
    /// Messages that devices sent, as they left.
    pub(crate) log: Vec<(usize, Element)>,
}

pub(crate) fn bare(text: &str) -> BareJid {
    BareJid::new(text).unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
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
    pub(crate) fn account(&mut self, name: &str) -> BareJid {
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
    pub(crate) fn befriend(&mut self, one: &str, other: &str) {
        let (one, other) = (self.account(one), self.account(other));
        self.accounts.get_mut(&one).unwrap().contacts.push(other.clone());
        self.accounts.get_mut(&other).unwrap().contacts.push(one);
    }

    /// A new device, logged in: `alice/phone`.
    pub(crate) fn device(&mut self, name: &str) -> usize {
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
            ahead: 0,
            sent: Vec::new(),
            uploaded: Vec::new(),
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
    pub(crate) fn start(&mut self, index: usize) {
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
    pub(crate) fn online(&mut self, index: usize) {
        self.start(index);
        self.run();
    }

    /// The program ends without a word; what was not committed is gone.
    pub(crate) fn kill(&mut self, index: usize) {
        let device = &mut self.devices[index];
        device.client = None;
        device.link = None;
        device.store.crash();
        self.inbox.retain(|(to, _)| *to != index);
    }

    /// Kills and starts it again.
    pub(crate) fn restart(&mut self, index: usize) {
        self.kill(index);
        self.online(index);
    }

    /// Gives a command and says its number.
    pub(crate) fn command(&mut self, index: usize, command: Command) -> u64 {
        let device = &mut self.devices[index];
        device.requests += 1;
        let number = device.requests;
        self.input(index, Input::Command(Request { number, command }));
        number
    }

    /// Gives a command, lets everything happen and says how it ended.
    pub(crate) fn ask(&mut self, index: usize, command: Command) -> Option<Outcome> {
        let number = self.command(index, command);
        self.run();
        self.devices[index].outcomes.get(&number).cloned()
    }

    /// Writes a message.
    pub(crate) fn write(&mut self, from: usize, to: &str, text: &str) -> Option<Outcome> {
        let to = bare(&format!("{to}@{DOMAIN}"));
        self.ask(
            from,
            Command::Send { to, text: text.to_owned(), reply_to: None, encryption: None },
        )
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, millis: u64) {
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
    pub(crate) fn input(&mut self, index: usize, input: Input) {
        let wall = Millis(self.now.wall.0.saturating_add_signed(self.devices[index].ahead));
        let now = Now { wall, ..self.now };
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
            Effect::Notify(notification) => {
                if let Occasion::Said { text, .. } = notification.occasion {
                    self.devices[index].notes.push(text);
                }
            }
            Effect::Done(number, outcome) => {
                let before = self.devices[index].outcomes.insert(number, outcome);
                assert_eq!(before, None, "a request ended twice");
            }
            Effect::Transfer(id, transfer @ Transfer::Upload { .. }) => {
                self.devices[index].uploaded.extend(crate::canaries::request(&transfer));
                let event = TransferEvent::Finished { size: 1000, sha256: [7; 32] };
                self.input(index, Input::Transfer(id, event));
            }
            Effect::StartTls { .. }
            | Effect::Transfer(..)
            | Effect::CancelTransfer(_)
            | Effect::Forget(_)
            | Effect::Held(_)
            | Effect::Kept(..) => {}
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
    pub(crate) fn run(&mut self) {
        while let Some((index, stanza)) = self.inbox.pop_front() {
            if self.devices[index].link.is_some() {
                self.input(index, Input::Received(stanza.to_bytes(ns::CLIENT)));
            }
        }
    }

    /// Lets what was held arrive, in the order that `arrange` makes. What is for a program that is not
    /// running waits on.
    pub(crate) fn release(&mut self, arrange: impl FnOnce(&mut Vec<(usize, Element)>)) {
        let mut held = std::mem::take(&mut self.held);
        arrange(&mut held);
        let runs = |to: usize| self.devices[to].link.is_some();
        let (held, waits) = held.into_iter().partition(|(to, _)| runs(*to));
        self.held = waits;
        let hook = self.hook.take();
        self.inbox.extend(held);
        self.run();
        self.hook = hook;
    }

    /// Sends a stanza to a device, as the server would.
    pub(crate) fn deliver(&mut self, index: usize, mut stanza: Element) {
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
    pub(crate) fn available(&self, address: &BareJid) -> Vec<usize> {
        let devices = self.devices.iter().enumerate();
        let here = devices.filter(|(_, device)| {
            device.address == *address && device.link.as_ref().is_some_and(|link| link.available)
        });
        here.map(|(index, _)| index).collect()
    }

    pub(crate) fn full(&self, index: usize) -> String {
        format!("{}/{}", self.devices[index].address, self.devices[index].resource)
    }

    /// The messages of a conversation as a device keeps them, the oldest first.
    pub(crate) fn messages(&self, index: usize, with: &str) -> Vec<Message> {
        use client::store::Timeline;
        let with = bare(&format!("{with}@{DOMAIN}"));
        self.devices[index].store.before(&with, None, 10_000).unwrap()
    }

    /// Their texts; what cannot be read is shown as its reason.
    pub(crate) fn texts(&self, index: usize, with: &str) -> Vec<String> {
        let text = |message: Message| match message.content {
            Content::Text(text) => Some(text),
            Content::Undecryptable(reason) => Some(format!("{reason:?}")),
            Content::Event(_) => None,
            other => Some(format!("{other:?}")),
        };
        self.messages(index, with).into_iter().filter_map(text).collect()
    }

    /// The OMEMO number of a device.
    pub(crate) fn number(&self, index: usize) -> u32 {
        use client::store::Devices;
        self.devices[index].store.own_device().unwrap().unwrap().id
    }

    /// Makes a device one that knows only the legacy version, for those who look for it.
    pub(crate) fn hide_omemo2(&mut self, account: &str) {
        let address = self.account(account);
        let account = self.accounts.get_mut(&address).unwrap();
        account.nodes.remove(ns::OMEMO_DEVICES);
        account.nodes.remove(ns::OMEMO_BUNDLES);
    }

    /// Makes a device look as if it knew the legacy version only: it is taken out of the newer list,
    /// and the newest event of it no longer reaches that device.
    pub(crate) fn forget_omemo2(&mut self, index: usize) {
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
    pub(crate) fn readers(&self, index: usize) -> Vec<(String, u32)> {
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
    pub(crate) fn ever_sent(&self, index: usize, text: &str) -> bool {
        let sent = &self.devices[index].sent;
        sent.windows(text.len()).any(|window| window == text.as_bytes())
    }
}
