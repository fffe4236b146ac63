//! The core of the clients against whole servers: the product and, where it is installed, prosody.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use client::effect::Lost;
use client::store::{Content, Delivery, Encryption, EncryptionMode, Login, MemoryStore};
use client::store::{Conversations, Message, Timeline};
use client::view::{Account, Change, Connection, Outcome};
use client::{Client, Command, Effect, Input, Now, Options, Request};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use testkit::client::{Endpoint, PATIENCE};
use testkit::target::{DOMAIN, Server, Target};
use xmpp::jid::BareJid;
use xmpp::sasl::{Secret, TlsInfo};
use xmpp::time::Millis;
use xmpp::xml::Framing;

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A program with a connection: the smallest driver there can be.
struct Driver<'a> {
    endpoint: &'a Endpoint,
    address: BareJid,
    store: MemoryStore,
    client: Client,
    stream: Option<Stream>,
    started: Instant,
    account: Option<Account>,
    outcomes: Vec<(u64, Outcome)>,
    requests: u64,
}

/// Counts programs, so that no two have the same seed.
static STARTS: AtomicU8 = AtomicU8::new(1);

fn build(store: &MemoryStore) -> Client {
    let options =
        Options { software: "Clownfish".into(), device: "test".into(), kind: "console".into() };
    let seed = [STARTS.fetch_add(1, Ordering::Relaxed); 32];
    Client::new(Box::new(store.clone()), options, seed).expect("an empty store")
}

impl<'a> Driver<'a> {
    fn new(endpoint: &'a Endpoint, name: &str) -> Self {
        let store = MemoryStore::new();
        let address = BareJid::new(&format!("{name}@{DOMAIN}")).unwrap();
        Self {
            endpoint,
            client: build(&store),
            address,
            store,
            stream: None,
            started: Instant::now(),
            account: None,
            outcomes: Vec::new(),
            requests: 0,
        }
    }

    /// A program that is logged in.
    fn online(endpoint: &'a Endpoint, name: &str, password: &str) -> Self {
        let mut driver = Self::new(endpoint, name);
        let login = Login {
            address: driver.address.clone(),
            password: Some(Secret::from(password)),
            server: None,
            pinned: None,
            client_id: String::new(),
            token: None,
        };
        driver.command(Command::Login(login));
        driver
    }

    fn command(&mut self, command: Command) -> u64 {
        self.requests += 1;
        let number = self.requests;
        self.input(Input::Command(Request { number, command }));
        number
    }

    fn is_online(&self) -> bool {
        let connection = self.account.as_ref().map(|account| &account.connection);
        if let Some(Connection::Refused(reason)) = connection {
            panic!("{}: {reason}", self.address);
        }
        connection == Some(&Connection::Online)
    }

    fn input(&mut self, input: Input) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = Now {
            wall: Millis(u64::try_from(since.as_millis()).unwrap()),
            steady: u64::try_from(self.started.elapsed().as_millis()).unwrap(),
        };
        for effect in self.client.handle(now, input).expect("a store that works") {
            match effect {
                Effect::Connect(_) => {
                    let input = match self.connect() {
                        Ok(tls) => Input::Connected { tls: Some(tls), framing: Framing::Tcp },
                        Err(error) => Input::Disconnected(Lost::Network(error.to_string())),
                    };
                    self.input(input);
                }
                Effect::Send(bytes) => {
                    if let Some(stream) = &mut self.stream {
                        // A connection that is gone is noticed when it is read.
                        let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
                    }
                }
                Effect::Close => {
                    if self.stream.take().is_some() {
                        self.input(Input::Disconnected(Lost::Closed));
                    }
                }
                Effect::View(Change::Account(account)) => self.account = Some(account),
                Effect::Done(number, outcome) => self.outcomes.push((number, outcome)),
                Effect::StartTls { .. } => panic!("the connection is encrypted"),
                Effect::View(_)
                | Effect::Notify(_)
                | Effect::Held(_)
                | Effect::Transfer(..)
                | Effect::CancelTransfer(_)
                | Effect::Forget(_)
                | Effect::Kept(..) => {}
            }
        }
    }

    fn connect(&mut self) -> std::io::Result<TlsInfo> {
        let tcp = TcpStream::connect(self.endpoint.c2s_tls)?;
        tcp.set_read_timeout(Some(Duration::from_millis(20)))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(std::io::Error::other)?
            .with_root_certificates(self.endpoint.trust.roots())
            .with_no_client_auth();
        config.alpn_protocols = vec![b"xmpp-client".to_vec()];
        let name = ServerName::try_from(DOMAIN).map_err(std::io::Error::other)?;
        let mut connection = ClientConnection::new(Arc::new(config), name.to_owned())
            .map_err(std::io::Error::other)?;
        let mut tcp = tcp;
        while connection.is_handshaking() {
            match connection.complete_io(&mut tcp) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                result => drop(result?),
            }
        }
        let exporter = connection
            .export_keying_material([0; 32], b"EXPORTER-Channel-Binding", None)
            .map_err(std::io::Error::other)?;
        self.stream = Some(StreamOwned::new(connection, tcp));
        Ok(TlsInfo { version: Some(0x0304), exporter: Some(exporter), end_point: None })
    }

    /// Reads what there is, for a moment.
    fn turn(&mut self) {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap();
        if self.client.deadline().is_some_and(|deadline| deadline <= elapsed) {
            self.input(Input::Tick);
        }
        let Some(stream) = &mut self.stream else { return };
        let mut buffer = [0; 16 * 1024];
        match stream.read(&mut buffer) {
            Ok(0) => self.lost(),
            Ok(count) => self.input(Input::Received(Bytes::copy_from_slice(&buffer[..count]))),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => self.lost(),
        }
    }

    fn lost(&mut self) {
        self.stream = None;
        self.input(Input::Disconnected(Lost::Network("the peer went away".into())));
    }

    /// The program is killed and started again.
    fn restart(&mut self) {
        self.stream = None;
        self.store.crash();
        self.client = build(&self.store);
        self.account = None;
        self.input(Input::Start);
    }

    fn messages(&self, with: &BareJid) -> Vec<Message> {
        self.store.before(with, None, 1000).unwrap()
    }

    fn texts(&self, with: &BareJid) -> Vec<String> {
        let messages = self.messages(with).into_iter();
        messages
            .filter_map(|message| match message.content {
                Content::Text(text) => Some(text),
                _ => None,
            })
            .collect()
    }

    /// Reads until the keys of this device are published.
    fn publish(&mut self) {
        let end = Instant::now() + PATIENCE;
        loop {
            let number = self.command(Command::Devices(self.address.clone()));
            while !self.outcomes.iter().any(|(done, _)| *done == number) {
                assert!(Instant::now() < end, "keys are published: {}", self.state());
                self.turn();
            }
            let listed = self.outcomes.iter().any(|(done, outcome)| match outcome {
                Outcome::Devices(devices) => {
                    *done == number && devices.iter().any(|one| one.this && one.active)
                }
                _ => false,
            });
            if listed {
                return;
            }
            self.turn();
        }
    }

    /// Everything that helps to understand why something did not happen.
    fn state(&self) -> String {
        let conversations = self.store.conversations().unwrap().into_iter();
        let messages: Vec<Message> =
            conversations.flat_map(|one| self.messages(&one.address)).collect();
        format!("{:?}\n{messages:#?}\n{:?}", self.account, self.outcomes)
    }

    fn send(&mut self, to: &BareJid, text: &str) {
        let text = text.to_owned();
        self.command(Command::Send { to: to.clone(), text, reply_to: None, encryption: None });
    }
}

/// Lets everybody read until a condition holds.
fn until(drivers: &mut [&mut Driver<'_>], what: &str, holds: impl Fn(&[&mut Driver<'_>]) -> bool) {
    let end = Instant::now() + PATIENCE * 2;
    while !holds(drivers) {
        if Instant::now() > end {
            let states: Vec<String> = drivers.iter().map(|driver| driver.state()).collect();
            panic!("waited for: {what}\n{}", states.join("\n"));
        }
        for driver in drivers.iter_mut() {
            driver.turn();
        }
    }
}

/// Runs on every server that is there. The product must be.
fn everywhere(play: impl Fn(&Server)) {
    for target in Target::ALL {
        match target.missing() {
            Some(reason) if target == Target::Anemone => panic!("{reason}"),
            Some(_) => continue,
            None => {}
        }
        let server = Server::start(target, &[]).expect("a server");
        for (name, password) in [("romeo", "montague"), ("juliet", "capulet")] {
            server.create_account(name, password).expect("an account");
        }
        play(&server);
    }
}

#[test]
fn two_people_and_three_devices_end_with_the_same_timeline() {
    everywhere(|server| {
        let endpoint = server.endpoint();
        let mut romeo = Driver::online(endpoint, "romeo", "montague");
        let mut juliet = Driver::online(endpoint, "juliet", "capulet");
        let everybody = |drivers: &[&mut Driver<'_>]| drivers.iter().all(|one| one.is_online());
        until(&mut [&mut romeo, &mut juliet], "both are online", everybody);
        let (to_juliet, to_romeo) = (juliet.address.clone(), romeo.address.clone());
        romeo.command(Command::SetEncryption(to_juliet.clone(), EncryptionMode::Plain));
        juliet.command(Command::SetEncryption(to_romeo.clone(), EncryptionMode::Plain));
        romeo.send(&to_juliet, "one");
        juliet.send(&to_romeo, "two");
        romeo.send(&to_juliet, "three");
        until(&mut [&mut romeo, &mut juliet], "three messages on both sides", |drivers| {
            drivers[0].texts(&to_juliet).len() == 3 && drivers[1].texts(&to_romeo).len() == 3
        });
        // One is killed, misses something, and comes back; another device of the account joins.
        romeo.restart();
        juliet.send(&to_romeo, "four");
        let mut phone = Driver::online(endpoint, "romeo", "montague");
        until(&mut [&mut romeo, &mut phone, &mut juliet], "all are online", everybody);
        juliet.send(&to_romeo, "five");
        until(&mut [&mut romeo, &mut phone, &mut juliet], "the same timeline", |drivers| {
            let mut timelines = vec![drivers[0].texts(&to_juliet), drivers[1].texts(&to_juliet)];
            timelines.push(drivers[2].texts(&to_romeo));
            timelines.iter().all(|one| one.len() == 5 && *one == timelines[0])
        });
    });
}

#[test]
fn what_is_written_is_encrypted_and_read_on_the_other_side() {
    everywhere(|server| {
        let endpoint = server.endpoint();
        let mut romeo = Driver::online(endpoint, "romeo", "montague");
        let mut juliet = Driver::online(endpoint, "juliet", "capulet");
        until(&mut [&mut romeo, &mut juliet], "both are online", |drivers| {
            let ready = |one: &&mut Driver<'_>| {
                one.account.as_ref().is_some_and(|account| account.device.is_some())
            };
            drivers.iter().all(|one| one.is_online()) && drivers.iter().all(ready)
        });
        let (to_juliet, to_romeo) = (juliet.address.clone(), romeo.address.clone());
        // Whoever is too early hears that there are no keys.
        for driver in [&mut romeo, &mut juliet] {
            driver.publish();
        }
        romeo.send(&to_juliet, "wherefore");
        until(&mut [&mut romeo, &mut juliet], "it arrives", |drivers| {
            drivers[1].texts(&to_romeo) == ["wherefore"]
        });
        juliet.send(&to_romeo, "therefore");
        until(&mut [&mut romeo, &mut juliet], "the answer arrives", |drivers| {
            let messages = drivers[0].messages(&to_juliet);
            let protected = messages
                .iter()
                .filter(|one| !one.own)
                .all(|one| one.encryption != Encryption::None);
            let sent = messages
                .iter()
                .filter(|one| one.own)
                .all(|one| matches!(one.delivery, Some(Delivery::Sent | Delivery::Delivered)));
            drivers[0].texts(&to_juliet) == ["wherefore", "therefore"] && protected && sent
        });
    });
}
