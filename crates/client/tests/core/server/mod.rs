//! A small server in memory: accounts with roster, archive and personal nodes; sessions that can be
//! resumed; copies for the other devices. It does what clients rely on and nothing else.

mod login;
mod messages;
mod nodes;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use xmpp::error::{Condition, StanzaError};
use xmpp::ext::form::Form;
use xmpp::jid::{BareJid, FullJid, Jid};
use xmpp::ns;
use xmpp::sasl::{TlsInfo, ht};
use xmpp::sm::{self, Nonza, Sm};
use xmpp::stanza::{Kind, Stanza};
use xmpp::stream::server::{Negotiation, Registration, Settings};
use xmpp::time::Millis;
use xmpp::xml::{Element, Event, Framing, Limits, Reader};

use nodes::asks_much;

/// The whole server.
pub(crate) struct Server {
    pub(crate) settings: Settings,
    pub(crate) accounts: BTreeMap<BareJid, Account>,
    sessions: BTreeMap<FullJid, Session>,
    connections: BTreeMap<usize, Connection>,
    tokens: BTreeMap<(BareJid, String), Vec<(String, ht::Method)>>,
    /// Counts everything that needs a name.
    count: u64,
    /// The wall clock.
    pub(crate) now: Millis,
    /// Results of one page of an archive at most.
    pub(crate) page: usize,
    /// Resumption is refused.
    pub(crate) forgetful: bool,
    /// Whether archives exist.
    pub(crate) archives: bool,
    /// It says that it writes ids, writes them, and removes those of others.
    pub(crate) stanza_ids: bool,
    /// It says that it checks how nodes are configured.
    pub(crate) publish_options: bool,
    /// It refuses what is published with options that it does not know, and knows no `max`.
    pub(crate) few_options: bool,
    /// Rooms, at [`crate::muc::ROOMS`].
    pub(crate) rooms: BTreeMap<BareJid, crate::muc::Room>,
    /// Answers that replace those below, by the namespace of the request's payload.
    pub(crate) answers: BTreeMap<String, Result<Option<Element>, Condition>>,
    /// Every stanza that came from a client, for tests that look at what left.
    pub(crate) seen: Vec<Element>,
}

#[derive(Default)]
pub(crate) struct Account {
    pub(crate) password: String,
    pub(crate) roster: BTreeMap<BareJid, Element>,
    pub(crate) archive: Vec<Archived>,
    pub(crate) nodes: BTreeMap<String, BTreeMap<String, Element>>,
    /// Ids of messages that were taken, so that a repetition is recognised.
    taken: BTreeSet<String>,
}

#[derive(Clone)]
pub(crate) struct Archived {
    pub(crate) id: String,
    pub(crate) time: Millis,
    pub(crate) with: BareJid,
    pub(crate) message: Element,
}

struct Session {
    sm: Sm<()>,
    id: String,
    connection: Option<usize>,
}

struct Connection {
    reader: Reader,
    framing: Framing,
    /// Acknowledgements come when everything is on disk, later than what others wrote meanwhile.
    acknowledgements: VecDeque<Bytes>,
    to_client: VecDeque<Bytes>,
    negotiation: Option<Negotiation>,
    session: Option<FullJid>,
}

pub(crate) fn tls() -> TlsInfo {
    TlsInfo { version: Some(0x0304), exporter: Some([5; 32]), end_point: Some(vec![6; 32]) }
}

impl Server {
    pub(crate) fn new() -> Self {
        let mut settings = Settings::new("example.net");
        settings.registration = Registration::Invite;
        settings.features_after = vec![
            Element::new("ver", ns::ROSTER_VERSIONS),
            Element::new("sub", ns::PRE_APPROVAL),
            Element::new("csi", ns::CSI),
        ];
        Self {
            settings,
            accounts: BTreeMap::new(),
            sessions: BTreeMap::new(),
            connections: BTreeMap::new(),
            tokens: BTreeMap::new(),
            count: 0,
            now: Millis(1_700_000_000_000),
            page: 10,
            forgetful: false,
            archives: true,
            stanza_ids: true,
            publish_options: true,
            few_options: false,
            rooms: BTreeMap::new(),
            answers: BTreeMap::new(),
            seen: Vec::new(),
        }
    }

    pub(crate) fn add_account(&mut self, name: &str, password: &str) {
        let account = Account { password: password.to_owned(), ..Account::default() };
        self.accounts.insert(bare(name), account);
    }

    /// Makes two accounts contacts of each other.
    pub(crate) fn befriend(&mut self, one: &str, other: &str) {
        for (owner, contact) in [(one, other), (other, one)] {
            let item = Element::new("item", ns::ROSTER)
                .with_attr("jid", contact)
                .with_attr("subscription", "both");
            self.accounts.get_mut(&bare(owner)).unwrap().roster.insert(bare(contact), item);
        }
    }

    pub(crate) fn connect(&mut self, number: usize, framing: Framing) {
        let settings = Arc::new(self.settings.clone());
        let negotiation = Negotiation::new(settings, framing, Some(tls()), [7; 32]);
        let connection = Connection {
            reader: Reader::new(Limits::BEFORE_AUTH, framing),
            framing,
            to_client: VecDeque::new(),
            acknowledgements: VecDeque::new(),
            negotiation: Some(negotiation),
            session: None,
        };
        self.connections.insert(number, connection);
    }

    /// The connection is gone; the session waits to be resumed.
    pub(crate) fn disconnect(&mut self, number: usize) {
        let Some(connection) = self.connections.remove(&number) else { return };
        if let Some(session) = connection.session.and_then(|jid| self.sessions.get_mut(&jid)) {
            session.connection = None;
        }
    }

    /// The next bytes for a client.
    pub(crate) fn take(&mut self, number: usize) -> Option<Bytes> {
        let connection = self.connections.get_mut(&number)?;
        connection.to_client.pop_front().or_else(|| connection.acknowledgements.pop_front())
    }

    pub(crate) fn receive(&mut self, number: usize, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        connection.reader.push(bytes);
        loop {
            let Some(connection) = self.connections.get_mut(&number) else { return };
            let Some(event) = connection.reader.next().expect("XML from the client") else {
                if connection.framing == Framing::WebSocket {
                    connection.reader.end_message().expect("whole elements");
                }
                return;
            };
            match connection.negotiation.take() {
                Some(negotiation) => self.negotiate(number, negotiation, event),
                None => self.on_event(number, event),
            }
        }
    }

    fn on_event(&mut self, number: usize, event: Event) {
        let jid = self.connections.get(&number).and_then(|one| one.session.clone()).unwrap();
        match event {
            Event::Stanza(stanza) => self.on_stanza(number, &jid, &stanza),
            Event::Close => {
                self.sessions.remove(&jid);
                self.push_raw(number, Bytes::from_static(b"</stream:stream>"));
            }
            Event::Open(_) | Event::Oversized(_) => panic!("unexpected"),
        }
    }

    fn push_raw(&mut self, number: usize, bytes: Bytes) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        let bytes = match connection.framing {
            Framing::Tcp => bytes,
            Framing::WebSocket if bytes.starts_with(b"</") => {
                Bytes::from_static(b"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
            }
            Framing::WebSocket => {
                let mut alone = Vec::new();
                xmpp::stanza::write_standalone(&mut alone, &bytes);
                alone.into()
            }
        };
        connection.to_client.push_back(bytes);
    }

    fn on_stanza(&mut self, number: usize, jid: &FullJid, stanza: &Stanza) {
        let session = self.sessions.get_mut(jid).unwrap();
        match Nonza::parse(stanza) {
            Some(Nonza::Request) => {
                let mut bytes = Vec::new();
                sm::write_ack(&mut bytes, session.sm.ack_value());
                if let Some(connection) = self.connections.get_mut(&number) {
                    connection.acknowledgements.push_back(bytes.into());
                }
                return;
            }
            Some(Nonza::Ack(h)) => return drop(session.sm.acknowledge(h).expect("a right count")),
            Some(Nonza::Enable(_)) => {
                session.sm =
                    Sm::new(sm::Limits { stanzas: 100_000, bytes: 1 << 30, ..sm::Limits::SESSION });
                let id = Some(session.id.clone());
                let enabled = sm::Enabled { id, ..sm::Enabled::default() }.element();
                return self.push_raw(number, enabled.to_bytes(ns::CLIENT));
            }
            Some(other) => panic!("{other:?}"),
            None => {}
        }
        if stanza.kind() == Kind::Other {
            return;
        }
        let seq = session.sm.received();
        session.sm.settled(seq);
        let element = stanza.element();
        self.seen.push(element.clone());
        match stanza.kind() {
            Kind::Message => self.on_message(jid, element),
            Kind::Presence => self.on_presence(jid, element),
            Kind::Iq => self.on_iq(jid, element),
            Kind::Other => {}
        }
    }

    /// Gives a stanza to a session.
    pub(crate) fn deliver(&mut self, to: &FullJid, stanza: &Element) {
        let Some(session) = self.sessions.get_mut(to) else { return };
        let bytes = stanza.to_bytes(ns::CLIENT);
        session.sm.sent(Millis(0), bytes.clone(), ()).expect("room");
        if let Some(number) = session.connection {
            self.push_raw(number, bytes);
        }
    }

    pub(crate) fn sessions_of(&self, account: &BareJid) -> Vec<FullJid> {
        self.sessions.keys().filter(|jid| jid.to_bare() == *account).cloned().collect()
    }

    fn on_presence(&mut self, from: &FullJid, mut presence: Element) {
        presence.set_attr("from", from.to_string());
        let account = from.to_bare();
        let to = presence.attr("to").map(|to| Jid::new(to).unwrap());
        if to.is_some_and(|to| Self::is_of_rooms(&to)) {
            return self.room_presence(from, &presence);
        }
        if let Some(to) = presence.attr("to") {
            let to = bare(to);
            presence.set_attr("from", account.to_string());
            for session in self.sessions_of(&to) {
                self.deliver(&session, &presence);
            }
            return;
        }
        let friends: Vec<BareJid> = self.accounts[&account].roster.keys().cloned().collect();
        for friend in friends.iter().chain([&account]) {
            for session in self.sessions_of(friend) {
                self.deliver(&session, &presence);
            }
        }
    }

    fn on_iq(&mut self, from: &FullJid, mut iq: Element) {
        iq.set_attr("from", from.to_string());
        let to = iq.attr("to").map(|to| Jid::new(to).unwrap());
        let of_person = to.clone().filter(|to| !Self::is_of_rooms(to));
        if let Some(to) = of_person.and_then(|to| to.try_into_full().ok()) {
            if self.sessions.contains_key(&to) {
                self.deliver(&to, &iq);
            }
            return;
        }
        if !matches!(iq.attr("type"), Some("get" | "set")) {
            return;
        }
        let reply = self.reply(from, to.as_ref(), &iq);
        let kind = if reply.is_ok() { "result" } else { "error" };
        let mut answer = Element::new("iq", ns::CLIENT)
            .with_attr("type", kind)
            .with_attr_opt("id", iq.attr("id"))
            .with_attr_opt("from", to.map(|to| to.to_string()))
            .with_attr("to", from.to_string());
        match reply {
            Ok(payload) => answer = answer.with_children(payload),
            Err(condition) => answer.push(StanzaError::new(condition).element()),
        }
        self.deliver(from, &answer);
    }

    fn reply(
        &mut self,
        from: &FullJid,
        to: Option<&Jid>,
        iq: &Element,
    ) -> Result<Option<Element>, Condition> {
        let payload = iq.first_child().ok_or(Condition::BadRequest)?.clone();
        if let Some(to) = to.filter(|to| Self::is_of_rooms(to)) {
            return self.room_iq(from, to, iq);
        }
        if let Some(answer) = self.answers.get(payload.ns()) {
            return answer.clone();
        }
        let account = from.to_bare();
        let owner = match to {
            None => account.clone(),
            Some(to) => to.to_bare(),
        };
        match (payload.name(), payload.ns()) {
            ("ping", ns::PING) | ("enable", ns::CARBONS) => Ok(None),
            ("query", ns::ROSTER) => Ok(self.roster(&account, iq.attr("type"), &payload)),
            ("query", ns::DISCO_INFO) => Ok(Some(self.info(&payload).to_element())),
            ("query", ns::DISCO_ITEMS) => {
                let item =
                    Element::new("item", ns::DISCO_ITEMS).with_attr("jid", crate::muc::ROOMS);
                Ok(Some(Element::new("query", ns::DISCO_ITEMS).with_child(item)))
            }
            ("query", ns::MAM) if self.archives => self.archive(from, &payload),
            ("pubsub", ns::PUBSUB) if self.few_options && asks_much(&payload) => {
                Err(Condition::ResourceConstraint)
            }
            ("pubsub", ns::PUBSUB) => self.pubsub(&owner, &payload),
            ("pubsub", ns::PUBSUB_OWNER) if self.few_options => {
                let form = payload.first_child().and_then(Form::child_of);
                let most = form.as_ref().and_then(|form| form.value("pubsub#max_items"));
                let number = most.is_some_and(|most| most.parse::<u32>().is_ok());
                if number { Ok(None) } else { Err(Condition::NotAcceptable) }
            }
            ("block" | "unblock", ns::BLOCKING) => {
                let push = Element::new("iq", ns::CLIENT)
                    .with_attr("type", "set")
                    .with_attr("id", "push")
                    .with_child(payload);
                self.deliver(from, &push);
                Ok(None)
            }
            ("blocklist", ns::BLOCKING) => Ok(Some(payload)),
            ("command", ns::COMMANDS) if payload.attr("node") == Some("delete-history") => {
                self.delete_history(&account, &payload)
            }
            _ => Err(Condition::ServiceUnavailable),
        }
    }
}

pub(crate) fn bare(address: &str) -> BareJid {
    BareJid::new(address).unwrap()
}
