//! The core with its words translated.

use std::collections::BTreeSet;

use bytes::Bytes;
use client::effect::{FileKey, Lost, Transfer, TransferEvent, TransferId};
use client::store::{Store, StoreError};
use client::{Client, Input, Now, Options};
use xmpp::sasl::TlsInfo;
use xmpp::xml::Framing;

use crate::files::{self, Files};
use crate::page::{self, Notice, Request};
use crate::worker::{Cipher, Device, Effect, Event, Sealed};
use crate::{ask, hex, show};

/// Bytes of the system that nothing else uses, or `None` when it gives none.
pub type Random = Box<dyn FnMut() -> Option<[u8; 60]>>;

/// One account at work.
///
/// After an error it is in no defined state: drop it, and make another from the store.
pub struct Engine {
    client: Client,
    files: Files,
    /// There is no account in the store.
    empty: bool,
    /// Requests to sign out that have not ended.
    leaving: BTreeSet<u64>,
    /// Transfers of files that are not kept here: the core is told in a step of its own.
    hopeless: Vec<TransferId>,
    random: Random,
}

impl Engine {
    /// Builds the core from what is stored.
    ///
    /// # Errors
    /// The store cannot be read, or there is no randomness: keys that somebody can guess are worse
    /// than none.
    pub fn new(
        store: Box<dyn Store + Send>,
        device: Device,
        mut random: Random,
    ) -> Result<Self, StoreError> {
        let empty = store.login()?.is_none();
        let options =
            Options { software: "Clownfish".to_owned(), device: device.label, kind: device.kind };
        let bytes = random().ok_or_else(|| StoreError::Io("there is no randomness".to_owned()))?;
        let mut seed = [0; 32];
        seed.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        let client = Client::new(store, options, seed)?;
        Ok(Self {
            client,
            files: Files::default(),
            empty,
            leaving: BTreeSet::new(),
            hopeless: Vec::new(),
            random,
        })
    }

    /// Takes events that wait together as one step. What they cause is on disk before the effects
    /// are returned.
    ///
    /// # Errors
    /// The store refuses; none of the events happened.
    pub fn handle(&mut self, now: Now, events: Vec<Event>) -> Result<Vec<Effect>, StoreError> {
        let mut effects = Vec::new();
        let mut inputs = Vec::with_capacity(events.len());
        for event in events {
            if matches!(event, Event::Start) && self.empty {
                effects.push(Effect::Tell { notice: Notice::SignedOut });
            }
            match self.input(event) {
                Ok(input) => inputs.push(input),
                Err(refused) => effects.push(*refused),
            }
        }
        loop {
            for effect in self.client.handle_all(now, inputs)? {
                self.effect(effect, &mut effects);
            }
            if self.hopeless.is_empty() {
                return Ok(only_latest(effects));
            }
            let hopeless = std::mem::take(&mut self.hopeless).into_iter();
            let failed = || TransferEvent::Failed("the file is not here".to_owned());
            inputs = hopeless.map(|id| Input::Transfer(id, failed())).collect();
        }
    }

    /// The moment of the steady clock at which [`Event::Tick`] is wanted.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.client.deadline()
    }

    /// A place for a file that the page gives, with its key; `None` without randomness.
    pub fn give(&mut self) -> Option<Sealed> {
        let local = self.files.add(&(self.random)()?);
        files::sealed(&local)
    }

    /// The file that the page calls so, with its key; `None` when it is not known.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<Sealed> {
        files::sealed(&self.files.of_name(name)?)
    }

    /// The bytes of a picture that an account or a contact names.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn picture(&self, avatar: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.client.picture(avatar)
    }

    /// An event in the words of the core, or the answer to it when it makes no sense.
    fn input(&mut self, event: Event) -> Result<Input, Box<Effect>> {
        Ok(match event {
            Event::Start => Input::Start,
            Event::Connected { secure } => {
                // A page cannot see the certificate: nothing to bind to.
                let tls = secure.then(TlsInfo::default);
                Input::Connected { tls, framing: Framing::WebSocket }
            }
            Event::Received { text } => Input::Received(Bytes::from(text)),
            Event::Disconnected { reason } => {
                Input::Disconnected(reason.map_or(Lost::Closed, Lost::Network))
            }
            Event::NetworkChanged => Input::NetworkChanged,
            Event::Tick => Input::Tick,
            Event::Leave => {
                let command = client::Command::Disconnect;
                Input::Command(client::Request { number: OWN, command })
            }
            Event::Asked { request } => return self.request(request),
            Event::Progress { transfer, done } => {
                Input::Transfer(TransferId(transfer), TransferEvent::Progress(done))
            }
            Event::Finished { transfer, size, sha256 } => {
                let event = match hex::read(&sha256) {
                    Some(sha256) => TransferEvent::Finished { size, sha256 },
                    None => TransferEvent::Failed("the file has no checksum".to_owned()),
                };
                Input::Transfer(TransferId(transfer), event)
            }
            Event::Failed { transfer, reason } => {
                Input::Transfer(TransferId(transfer), TransferEvent::Failed(reason))
            }
        })
    }

    fn request(&mut self, request: Request) -> Result<Input, Box<Effect>> {
        let Request { number, command } = request;
        let leaves = matches!(command, page::Command::SignOut);
        match ask::command(command, &mut self.files, &mut self.random) {
            Ok(command) => {
                if leaves {
                    self.leaving.insert(number);
                }
                Ok(Input::Command(client::Request { number, command }))
            }
            Err(problem) => {
                let outcome = page::Outcome::Failed { problem: show::problem(&problem) };
                Err(Box::new(Effect::Tell { notice: Notice::Done { number, outcome } }))
            }
        }
    }

    fn effect(&mut self, effect: client::Effect, effects: &mut Vec<Effect>) {
        let effect = match effect {
            client::Effect::Connect(target) => Effect::Connect { domain: target.domain },
            // A WebSocket is secure from the start, or it is not used: the core never asks.
            client::Effect::StartTls { .. } => return,
            client::Effect::Send(bytes) => match String::from_utf8(bytes.into()) {
                Ok(text) => Effect::Send { text },
                Err(_) => return,
            },
            client::Effect::Close => Effect::Close,
            client::Effect::Transfer(id, transfer) => match self::transfer(id, transfer) {
                Some(effect) => effect,
                None => return self.hopeless.push(id),
            },
            client::Effect::CancelTransfer(id) => Effect::CancelTransfer { transfer: id.0 },
            client::Effect::Forget(local) => match files::sealed(&local) {
                Some(sealed) => Effect::Forget { file: sealed.name },
                None => return,
            },
            client::Effect::View(change) => match show::change(change, &mut self.files) {
                Some(notice) => Effect::Tell { notice },
                None => return,
            },
            client::Effect::Notify(notification) => {
                Effect::Tell { notice: show::notification(notification, false) }
            }
            client::Effect::Held(notification) => {
                Effect::Tell { notice: show::notification(notification, true) }
            }
            // It is in the timeline now, which tells what becomes of it: the page waits no longer.
            client::Effect::Kept(number, id) => {
                let outcome = page::Outcome::Kept { message: id.0 };
                Effect::Tell { notice: Notice::Done { number, outcome } }
            }
            client::Effect::Done(OWN, _) => return,
            client::Effect::Done(number, outcome) => {
                let gone =
                    self.leaving.remove(&number) && matches!(outcome, client::view::Outcome::Done);
                let outcome = show::outcome(outcome, &mut self.files);
                effects.push(Effect::Tell { notice: Notice::Done { number, outcome } });
                if !gone {
                    return;
                }
                self.empty = true;
                effects.push(Effect::Tell { notice: Notice::SignedOut });
                Effect::Wiped
            }
        };
        effects.push(effect);
    }
}

fn transfer(id: TransferId, transfer: Transfer) -> Option<Effect> {
    Some(match transfer {
        Transfer::Upload { file, url, headers, cipher } => Effect::Upload {
            transfer: id.0,
            file: files::sealed(&file)?,
            url,
            headers,
            cipher: cipher.as_ref().map(self::cipher),
        },
        Transfer::Download { url, cipher, most, into } => Effect::Download {
            transfer: id.0,
            url,
            cipher: cipher.as_ref().map(self::cipher),
            most,
            into: files::sealed(&into)?,
        },
    })
}

fn cipher(key: &FileKey) -> Cipher {
    Cipher { key: hex::write(&key.key), iv: hex::write(&key.iv) }
}

/// The number of requests that the page did not make; its own fit into a double.
const OWN: u64 = u64::MAX;

/// Of what describes the same thing as a whole only the last is of use: many events of one step
/// change the same conversation.
fn only_latest(effects: Vec<Effect>) -> Vec<Effect> {
    let mut seen = BTreeSet::new();
    let mut kept: Vec<Effect> = Vec::with_capacity(effects.len());
    for effect in effects.into_iter().rev() {
        let whole = match &effect {
            Effect::Tell { notice: Notice::Account(_) } => Some((0, String::new())),
            Effect::Tell { notice: Notice::Conversation(one) } => Some((1, one.address.clone())),
            Effect::Tell { notice: Notice::Contact(one) } => Some((2, one.address.clone())),
            Effect::Tell { notice: Notice::Devices { address, .. } } => Some((3, address.clone())),
            Effect::Tell { notice: Notice::Room(one) } => Some((4, one.address.clone())),
            _ => None,
        };
        if whole.is_none_or(|whole| seen.insert(whole)) {
            kept.push(effect);
        }
    }
    kept.reverse();
    kept
}
