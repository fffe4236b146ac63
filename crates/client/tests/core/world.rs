//! Devices, the server, and the network between them.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use client::effect::{LocalFile, Lost, Transfer, TransferEvent, TransferId};
use client::store::MemoryStore;
use client::store::{Content, EncryptionMode, Login, Message, MessageId, Timeline};
use client::view::{Change, Notification, Occasion, Outcome};
use client::{Client, Command, Effect, Input, Now, Options, Request};
use xmpp::sasl::Secret;
use xmpp::time::Millis;
use xmpp::xml::Framing;

use crate::server::{Server, bare, tls};

/// A device of somebody.
pub(crate) struct Device {
    pub(crate) store: MemoryStore,
    client: Client,
    /// The number of its connection, if it has one.
    connection: Option<usize>,
    /// Written and not yet at the server.
    to_server: VecDeque<Bytes>,
    /// How far its wall clock is ahead of the server's, in milliseconds.
    pub(crate) ahead: i64,
    /// It can reach the server.
    pub(crate) reachable: bool,
    requests: u64,
    pub(crate) outcomes: BTreeMap<u64, Outcome>,
    pub(crate) changes: Vec<Change>,
    pub(crate) notifications: Vec<Notification>,
    /// Those that wait, or waited.
    pub(crate) held: Vec<Notification>,
    pub(crate) transfers: Vec<(TransferId, Transfer)>,
    pub(crate) forgotten: Vec<LocalFile>,
    /// What is on disk, of which request.
    pub(crate) kept: Vec<(u64, MessageId)>,
    /// Everything that was written, as text.
    pub(crate) sent: String,
    /// Counts programs, so that each has a seed of its own.
    starts: u16,
    number: u8,
}

/// All of it.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) devices: Vec<Device>,
    connections: usize,
    pub(crate) steady: u64,
    /// Every device is killed and started again after so many steps.
    pub(crate) crash_every: Option<u64>,
    steps: u64,
    /// How elements are framed on new connections.
    pub(crate) framing: Framing,
}

pub(crate) fn options() -> Options {
    Options { software: "Clownfish".into(), device: "test".into(), kind: "console".into() }
}

pub(crate) fn login(address: &str, password: &str) -> Login {
    Login {
        address: bare(address),
        password: Some(Secret::from(password)),
        server: None,
        pinned: None,
        client_id: String::new(),
        token: None,
    }
}

impl World {
    /// A server with Romeo and Juliet, who are contacts.
    pub(crate) fn new() -> Self {
        let mut server = Server::new();
        server.add_account("romeo@example.net", "montague");
        server.add_account("juliet@example.net", "capulet");
        server.befriend("romeo@example.net", "juliet@example.net");
        Self {
            server,
            devices: Vec::new(),
            connections: 0,
            steady: 1000,
            crash_every: None,
            steps: 0,
            framing: Framing::Tcp,
        }
    }

    /// A device without a login.
    pub(crate) fn add_device(&mut self) -> usize {
        let store = MemoryStore::new();
        let number = u8::try_from(self.devices.len()).unwrap();
        let client = Client::new(Box::new(store.clone()), options(), [number; 32]).unwrap();
        self.devices.push(Device {
            store,
            client,
            connection: None,
            to_server: VecDeque::new(),
            ahead: 0,
            reachable: true,
            requests: 0,
            outcomes: BTreeMap::new(),
            changes: Vec::new(),
            notifications: Vec::new(),
            held: Vec::new(),
            transfers: Vec::new(),
            forgotten: Vec::new(),
            kept: Vec::new(),
            sent: String::new(),
            starts: 0,
            number,
        });
        self.devices.len() - 1
    }

    /// A device that is online, with plain conversations as far as they are given.
    pub(crate) fn online(&mut self, address: &str, plain: &[&str]) -> usize {
        let device = self.add_device();
        let password = self.server.accounts[&bare(address)].password.clone();
        let number = self.command(device, Command::Login(login(address, &password)));
        self.settle();
        assert_eq!(self.devices[device].outcomes.get(&number), Some(&Outcome::Done));
        for address in plain {
            let command = Command::SetEncryption(bare(address), EncryptionMode::Plain);
            self.command(device, command);
        }
        self.settle();
        device
    }

    fn now(&self, device: usize) -> Now {
        let wall = self.server.now.0.saturating_add_signed(self.devices[device].ahead);
        Now { wall: Millis(wall), steady: self.steady }
    }

    /// Gives a command; what follows from it happens in [`World::settle`].
    pub(crate) fn command(&mut self, device: usize, command: Command) -> u64 {
        self.devices[device].requests += 1;
        let number = self.devices[device].requests;
        self.input(device, Input::Command(Request { number, command }));
        number
    }

    /// Gives a command and says how it ended, once nothing more happens.
    pub(crate) fn run(&mut self, device: usize, command: Command) -> Option<Outcome> {
        let number = self.command(device, command);
        self.settle();
        self.devices[device].outcomes.get(&number).cloned()
    }

    pub(crate) fn input(&mut self, device: usize, input: Input) {
        let now = self.now(device);
        let effects = self.devices[device].client.handle(now, input).expect("a store that works");
        let answers: Vec<Input> =
            effects.into_iter().filter_map(|effect| self.carry_out(device, effect)).collect();
        for answer in answers {
            self.input(device, answer);
        }
        self.steps += 1;
        if let Some(every) = self.crash_every
            && self.steps.is_multiple_of(every)
        {
            self.crash(device);
        }
    }

    /// Does what a driver does, and says what it answers.
    fn carry_out(&mut self, number: usize, effect: Effect) -> Option<Input> {
        let device = &mut self.devices[number];
        match effect {
            Effect::Connect(_) => {
                if device.reachable {
                    self.connections += 1;
                    device.connection = Some(self.connections);
                    self.server.connect(self.connections, self.framing);
                    return Some(Input::Connected { tls: Some(tls()), framing: self.framing });
                }
                return Some(Input::Disconnected(Lost::Network("unreachable".into())));
            }
            Effect::Send(bytes) => {
                device.sent.push_str(std::str::from_utf8(&bytes).unwrap());
                device.to_server.push_back(bytes);
            }
            Effect::Close => {
                self.flush_to_server(number);
                if let Some(connection) = self.devices[number].connection.take() {
                    self.server.disconnect(connection);
                }
                return Some(Input::Disconnected(Lost::Closed));
            }
            Effect::StartTls { .. } => panic!("the connection is encrypted"),
            Effect::Transfer(id, transfer) => device.transfers.push((id, transfer)),
            Effect::CancelTransfer(id) => device.transfers.retain(|(known, _)| *known != id),
            Effect::Forget(file) => device.forgotten.push(file),
            Effect::Kept(number, id) => device.kept.push((number, id)),
            Effect::View(change) => device.changes.push(change),
            Effect::Notify(notification) => device.notifications.push(notification),
            Effect::Held(notification) => device.held.push(notification),
            Effect::Done(number, outcome) => {
                let before = device.outcomes.insert(number, outcome);
                assert_eq!(before, None, "a request ends once");
            }
        }
        None
    }

    fn flush_to_server(&mut self, number: usize) {
        while let Some(bytes) = self.devices[number].to_server.pop_front() {
            if let Some(connection) = self.devices[number].connection {
                self.server.receive(connection, &bytes);
            }
        }
    }

    /// One piece of what is on the way, in either direction. False when there is none.
    pub(crate) fn carry(&mut self, number: usize, up: bool) -> bool {
        let Some(connection) = self.devices[number].connection else { return false };
        if up {
            match self.devices[number].to_server.pop_front() {
                Some(bytes) => self.server.receive(connection, &bytes),
                None => return false,
            }
        } else {
            match self.server.take(connection) {
                Some(bytes) => self.input(number, Input::Received(bytes)),
                None => return false,
            }
        }
        true
    }

    /// Lets everything arrive.
    pub(crate) fn settle(&mut self) {
        loop {
            let mut moved = false;
            for device in 0..self.devices.len() {
                moved |= self.carry(device, true);
                moved |= self.carry(device, false);
            }
            if !moved {
                return;
            }
        }
    }

    /// Lets so many pieces arrive at most.
    pub(crate) fn settle_some(&mut self, pieces: usize) {
        for piece in 0..pieces {
            let device = piece % self.devices.len();
            self.carry(device, true);
            self.carry(device, false);
        }
    }

    /// Lets time pass, in steps small enough for every timer.
    pub(crate) fn pass(&mut self, milliseconds: u64) {
        let end = self.steady + milliseconds;
        loop {
            self.settle();
            let deadlines = self.devices.iter().filter_map(|device| device.client.deadline());
            let next = deadlines.min().filter(|next| *next <= end);
            let Some(next) = next else { break };
            self.steady = self.steady.max(next);
            for device in 0..self.devices.len() {
                if self.devices[device].client.deadline().is_some_and(|at| at <= self.steady) {
                    self.input(device, Input::Tick);
                }
            }
        }
        self.steady = end;
    }

    /// The connection breaks; what was on the way is lost.
    pub(crate) fn cut(&mut self, number: usize) {
        self.lose(number, Lost::Network("cut".into()));
    }

    /// The connection ends in this way; what was on the way is lost.
    pub(crate) fn lose(&mut self, number: usize, lost: Lost) {
        let device = &mut self.devices[number];
        device.to_server.clear();
        if let Some(connection) = device.connection.take() {
            self.server.disconnect(connection);
            self.input(number, Input::Disconnected(lost));
        }
    }

    /// The program is killed and started again. The rest of what it wanted to do is not done.
    pub(crate) fn crash(&mut self, number: usize) {
        let device = &mut self.devices[number];
        device.to_server.clear();
        if let Some(connection) = device.connection.take() {
            self.server.disconnect(connection);
        }
        device.store.crash();
        device.starts += 1;
        let mut seed = [device.number; 32];
        seed[..2].copy_from_slice(&device.starts.to_be_bytes());
        device.client = Client::new(Box::new(device.store.clone()), options(), seed).unwrap();
        let every = self.crash_every.take();
        self.input(number, Input::Start);
        self.crash_every = every;
    }

    pub(crate) fn transfer(&mut self, device: usize, id: TransferId, event: TransferEvent) {
        self.input(device, Input::Transfer(id, event));
        self.settle();
    }

    /// The messages of a conversation, the oldest first.
    pub(crate) fn messages(&self, device: usize, with: &str) -> Vec<Message> {
        self.devices[device].store.before(&bare(with), None, 100_000).unwrap()
    }

    /// Their texts.
    pub(crate) fn texts(&self, device: usize, with: &str) -> Vec<String> {
        let messages = self.messages(device, with).into_iter();
        messages.filter_map(|message| text_of(&message.content)).collect()
    }

    /// The last message of a conversation.
    pub(crate) fn last(&self, device: usize, with: &str) -> Message {
        self.messages(device, with).pop().expect("a message")
    }

    pub(crate) fn send(&mut self, device: usize, to: &str, text: &str) -> MessageId {
        self.command(
            device,
            Command::Send { to: bare(to), text: text.to_owned(), reply_to: None, encryption: None },
        );
        self.last(device, to).id
    }
}

pub(crate) fn text_of(content: &Content) -> Option<String> {
    match content {
        Content::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// The title and the text of a notification.
pub(crate) fn notified(notification: &Notification) -> (&str, &str) {
    match &notification.occasion {
        Occasion::Said { title, text } => (title, text),
        Occasion::Stranger => panic!("a stranger"),
    }
}
