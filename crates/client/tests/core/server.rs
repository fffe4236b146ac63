//! A small server in memory: accounts with roster, archive and personal nodes; sessions that can be
//! resumed; copies for the other devices. It does what clients rely on and nothing else.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use xmpp::error::{Condition, StanzaError};
use xmpp::ext::delay::Delay;
use xmpp::ext::disco::{Identity, Info};
use xmpp::ext::form::Form;
use xmpp::ext::forward::Forwarded;
use xmpp::ext::{bind2, rsm};
use xmpp::jid::{BareJid, FullJid, Jid};
use xmpp::ns;
use xmpp::sasl::{ScramKeys, Secret, TlsInfo, ht};
use xmpp::sm::{self, Nonza, Sm};
use xmpp::stanza::{Kind, Stanza};
use xmpp::stream::Out;
use xmpp::stream::server::{
    AccountState, Bound, Candidate, Credentials, IssuedToken, Login, LoginAnswer, LoginSession,
    Negotiation, PasswordCheck, PreauthAnswer, Registration, ResumeFailed, Resumed,
    Session as Made, Settings, Step,
};
use xmpp::time::Millis;
use xmpp::xml::{Element, Event, Framing, Limits, Reader};

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

    fn negotiate(&mut self, number: usize, negotiation: Negotiation, event: Event) {
        let mut out = Out::new();
        let mut step = negotiation.handle(event, &mut out);
        loop {
            step = match step {
                Step::Read(_) | Step::Established(_) | Step::Closed(_) | Step::StartTls(_) => break,
                question => self.answer(number, question, &mut out),
            };
        }
        let Some(connection) = self.connections.get_mut(&number) else { return };
        match connection.framing {
            Framing::Tcp if out.is_empty() => {}
            Framing::Tcp => {
                connection.to_client.push_back(Bytes::copy_from_slice(out.bytes()));
            }
            Framing::WebSocket => {
                connection.to_client.extend(out.frames().map(Bytes::copy_from_slice));
            }
        }
        out.apply(&mut connection.reader);
        match step {
            Step::Read(negotiation) => connection.negotiation = Some(negotiation),
            Step::Established(established) => {
                connection.session = Some(established.jid.clone());
                let resumed = matches!(established.session, Made::Resumed { .. });
                self.established(number, established.jid, resumed);
            }
            _ => {}
        }
    }

    fn established(&mut self, number: usize, jid: FullJid, resumed: bool) {
        let id = format!("sm-{jid}");
        let session = self.sessions.entry(jid).or_insert_with(|| Session {
            sm: Sm::new(sm::Limits { stanzas: 100_000, ..sm::Limits::SESSION }),
            id,
            connection: None,
        });
        session.connection = Some(number);
        if resumed {
            let again: Vec<Bytes> = session.sm.unacked().map(|one| one.bytes.clone()).collect();
            for bytes in again {
                self.push_raw(number, bytes);
            }
        }
    }

    fn answer(&mut self, number: usize, step: Step, out: &mut Out) -> Step {
        match step {
            Step::Scram(lookup, waiting) => {
                let keys = match self.accounts.get(&lookup.account) {
                    Some(account) => {
                        let password = &account.password;
                        ScramKeys::derive(lookup.hash, password, b"0123456789abcdef", 4096).unwrap()
                    }
                    None => ScramKeys::fake(&[9; 32], lookup.account.as_str(), lookup.hash, 4096),
                };
                waiting.answer(Credentials { keys, state: AccountState::Active }, out)
            }
            Step::Password(_, waiting) => waiting.answer(PasswordCheck::Wrong, out),
            Step::Token(lookup, waiting) => {
                let known = self.tokens.get(&(lookup.account, lookup.client));
                let fitting =
                    known.into_iter().flatten().filter(|(_, method)| *method == lookup.method);
                let candidates: Vec<_> = fitting
                    .map(|(token, _)| Candidate {
                        token: Secret::from(token.as_str()),
                        valid: true,
                        state: AccountState::Active,
                    })
                    .collect();
                waiting.answer(&candidates, out)
            }
            Step::Refused(_, waiting) => waiting.answer(out),
            Step::Preauth(token, waiting) => {
                let accepted = token == "invitation";
                waiting.answer(
                    if accepted {
                        PreauthAnswer::Accepted { username: None }
                    } else {
                        PreauthAnswer::Rejected
                    },
                    out,
                )
            }
            Step::Register(request, waiting) => {
                let password = request.password.expose_str().unwrap().to_owned();
                let account = Account { password, ..Account::default() };
                let answer = match self.accounts.entry(request.account) {
                    Entry::Vacant(free) => {
                        free.insert(account);
                        Ok(())
                    }
                    Entry::Occupied(_) => Err(StanzaError::new(Condition::Conflict)),
                };
                waiting.answer(answer, out)
            }
            Step::Login(login, waiting) => {
                let answer = self.login(number, login);
                waiting.answer(answer, out)
            }
            Step::Bind(request, waiting) => {
                let resource = request.resource.unwrap_or_else(|| "made-by-server".into());
                let account = request.authenticated.account();
                let jid = account.with_resource_str(&resource).unwrap();
                self.sessions.remove(&jid);
                waiting.answer(Ok(jid), out)
            }
            Step::Resume(request, waiting) => {
                let answer = self.resume(request.authenticated.account(), &request.resume);
                waiting.answer(answer, out)
            }
            _ => unreachable!("not a question"),
        }
    }

    fn login(&mut self, _: usize, login: Login) -> LoginAnswer {
        let account = login.authenticated.account().clone();
        let client = login.user_agent.as_ref().and_then(|agent| agent.id.clone()).unwrap();
        let key = (account.clone(), client.clone());
        if login.fast.is_some_and(|fast| fast.invalidate) {
            self.tokens.remove(&key);
        }
        let token = login.request_token.map(|method| {
            self.count += 1;
            let token = format!("token-{}", self.count);
            self.tokens.entry(key).or_default().push((token.clone(), method));
            IssuedToken { token: Secret::from(token), expiry: self.now.plus(86_400_000) }
        });
        let resumed = login.resume.as_ref().map(|resume| self.resume(&account, resume));
        let session = match (resumed, login.bind) {
            (Some(Ok(resumed)), _) => LoginSession::Resumed(resumed),
            (failed, None) => LoginSession::Unbound { resume_failed: failed.and_then(Result::err) },
            (failed, Some(bind)) => {
                let name = client.get(..8).unwrap();
                let resource = bind2::resource(bind.tag.as_deref(), name).unwrap();
                let jid = account.with_resource(&resource);
                self.sessions.remove(&jid);
                let enabled = bind.enable.map(|_| {
                    sm::Enabled { id: Some(format!("sm-{jid}")), ..sm::Enabled::default() }
                        .element()
                });
                LoginSession::Bound(Bound {
                    jid,
                    resume_failed: failed.and_then(Result::err),
                    inline: enabled.into_iter().collect(),
                })
            }
        };
        LoginAnswer { session, token }
    }

    fn resume(&mut self, account: &BareJid, resume: &sm::Resume) -> Result<Resumed, ResumeFailed> {
        let found = self.sessions.iter_mut().find(|(jid, session)| {
            !self.forgetful && jid.to_bare() == *account && session.id == resume.previd
        });
        let Some((jid, session)) = found else {
            return Err(ResumeFailed { condition: Condition::ItemNotFound, handled: None });
        };
        session.sm.rewind();
        drop(session.sm.acknowledge(resume.h).expect("a right count"));
        Ok(Resumed { jid: jid.clone(), handled: session.sm.ack_value() })
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
                session.sm = Sm::new(sm::Limits { stanzas: 100_000, ..sm::Limits::SESSION });
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

    fn on_message(&mut self, from: &FullJid, mut message: Element) {
        message.set_attr("from", from.to_string());
        let to = message.attr("to").map(|to| Jid::new(to).unwrap());
        if to.is_some_and(|to| Self::is_of_rooms(&to)) {
            return self.room_message(from, &message);
        }
        let origin = message.child("origin-id", ns::STANZA_ID).and_then(|one| one.attr("id"));
        let origin = origin.map(str::to_owned);
        let sender = from.to_bare();
        if let Some(origin) = origin
            && !self.accounts.get_mut(&sender).unwrap().taken.insert(origin)
        {
            return;
        }
        self.route(&sender, Some(from), message);
    }

    /// Sends a message that some account wrote, on a device that is not part of the test if there
    /// is no `session`.
    pub(crate) fn route(&mut self, sender: &BareJid, session: Option<&FullJid>, message: Element) {
        let to = Jid::new(message.attr("to").unwrap()).unwrap().to_bare();
        let hint = |name| message.child(name, ns::HINTS).is_some();
        let kept = message.child("body", ns::CLIENT).is_some() || hint("store");
        let kept = kept && !hint("no-store");
        if kept {
            self.keep(sender, &to, &message);
        }
        let copy =
            Element::new("message", ns::CLIENT).with_attr("from", sender.to_string()).with_child(
                Element::new("sent", ns::CARBONS)
                    .with_child(Forwarded { delay: None, stanza: message.clone() }.to_element()),
            );
        for other in self.sessions_of(sender) {
            if Some(&other) != session && kept {
                self.deliver(&other, &copy);
            }
        }
        if !self.accounts.contains_key(&to) || to == *sender {
            return;
        }
        let mut delivered = message;
        let id = kept.then(|| self.keep(&to, sender, &delivered));
        if let Some(id) = id.filter(|_| self.stanza_ids) {
            delivered.retain_children(|child| !child.is("stanza-id", ns::STANZA_ID));
            delivered.push(
                Element::new("stanza-id", ns::STANZA_ID)
                    .with_attr("by", to.to_string())
                    .with_attr("id", id),
            );
        }
        for session in self.sessions_of(&to) {
            self.deliver(&session, &delivered);
        }
    }

    fn keep(&mut self, owner: &BareJid, with: &BareJid, message: &Element) -> String {
        self.count += 1;
        self.now = self.now.plus(1000);
        // Ids are no numbers and not ascending: nobody may count with them.
        let id = format!("{:x}-{}", self.count.wrapping_mul(2_654_435_761) % 0xffff, self.count);
        let kept = Archived {
            id: id.clone(),
            time: self.now,
            with: with.clone(),
            message: message.clone(),
        };
        self.accounts.get_mut(owner).unwrap().archive.push(kept);
        id
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
            _ => Err(Condition::ServiceUnavailable),
        }
    }

    fn info(&self, query: &Element) -> Info {
        let info = Info::new()
            .with_identity(Identity::new("server", "im"))
            .with_feature(ns::MAM)
            .with_feature(ns::CARBONS)
            .with_feature(ns::BLOCKING);
        let told =
            [(self.stanza_ids, ns::STANZA_ID), (self.publish_options, ns::PUBSUB_PUBLISH_OPTIONS)];
        let told = told.into_iter().filter(|(told, _)| *told);
        let info = told.fold(info, |info, (_, feature)| info.with_feature(feature));
        match query.attr("node") {
            Some(node) => info.with_node(node),
            None => info,
        }
    }

    fn roster(
        &mut self,
        account: &BareJid,
        kind: Option<&str>,
        query: &Element,
    ) -> Option<Element> {
        if kind == Some("set") {
            let mut item = query.first_child().unwrap().clone();
            let address = bare(item.attr("jid").unwrap());
            let roster = &mut self.accounts.get_mut(account).unwrap().roster;
            if item.attr("subscription") == Some("remove") {
                roster.remove(&address);
            } else {
                let known = roster.get(&address).and_then(|known| known.attr("subscription"));
                item.set_attr("subscription", known.unwrap_or("none").to_owned());
                roster.insert(address, item.clone());
            }
            let push = Element::new("iq", ns::CLIENT)
                .with_attr("type", "set")
                .with_attr("id", "roster-push")
                .with_child(
                    Element::new("query", ns::ROSTER).with_attr("ver", "2").with_child(item),
                );
            for session in self.sessions_of(account) {
                self.deliver(&session, &push);
            }
            return None;
        }
        let items = self.accounts[account].roster.values().cloned();
        Some(Element::new("query", ns::ROSTER).with_attr("ver", "1").with_children(items))
    }

    fn archive(&mut self, from: &FullJid, query: &Element) -> Result<Option<Element>, Condition> {
        let account = from.to_bare();
        let form = xmpp::ext::form::Form::child_of(query).unwrap();
        let with = form.value("with").map(bare);
        let start = form.value("start").and_then(Millis::parse_xep0082);
        let rows = self.accounts[&account].archive.iter();
        let rows: Vec<&Archived> = rows
            .filter(|row| with.as_ref().is_none_or(|with| *with == row.with))
            .filter(|row| start.is_none_or(|start| row.time >= start))
            .collect();
        let wanted = rsm::Request::child_of(query).unwrap();
        let max = wanted.max.unwrap_or(self.page).min(self.page);
        let find = |id: &str| rows.iter().position(|row| row.id == id);
        let (page, complete) = match &wanted.position {
            rsm::Position::After(id) => {
                let at = find(id).ok_or(Condition::ItemNotFound)?;
                let rest = &rows[at + 1..];
                (&rest[..rest.len().min(max)], rest.len() <= max)
            }
            rsm::Position::First => (&rows[..rows.len().min(max)], rows.len() <= max),
            rsm::Position::Before(id) => {
                let at = find(id).ok_or(Condition::ItemNotFound)?;
                (&rows[at.saturating_sub(max)..at], at <= max)
            }
            rsm::Position::Last => (&rows[rows.len().saturating_sub(max)..], rows.len() <= max),
            rsm::Position::Index(_) => return Err(Condition::FeatureNotImplemented),
        };
        let results: Vec<Element> = page
            .iter()
            .map(|row| {
                let delay = Some(Delay::new(row.time));
                let forwarded = Forwarded { delay, stanza: row.message.clone() }.to_element();
                Element::new("result", ns::MAM)
                    .with_attr_opt("queryid", query.attr("queryid"))
                    .with_attr("id", &row.id)
                    .with_child(forwarded)
            })
            .collect();
        let set = rsm::Response {
            first: page.first().map(|row| (row.id.clone(), None)),
            last: page.last().map(|row| row.id.clone()),
            count: None,
        };
        let fin = Element::new("fin", ns::MAM)
            .with_attr_opt("complete", complete.then_some("true"))
            .with_child(set.to_element());
        for result in results {
            let message = Element::new("message", ns::CLIENT)
                .with_attr("from", account.to_string())
                .with_child(result);
            self.deliver(from, &message);
        }
        Ok(Some(fin))
    }

    fn pubsub(&mut self, owner: &BareJid, query: &Element) -> Result<Option<Element>, Condition> {
        let request = query.first_child().unwrap();
        let node = request.attr("node").unwrap().to_owned();
        let account = self.accounts.get_mut(owner).ok_or(Condition::ServiceUnavailable)?;
        match request.name() {
            "items" => {
                let items = account.nodes.get(&node).ok_or(Condition::ItemNotFound)?;
                let wanted: Vec<&str> =
                    request.children().filter_map(|item| item.attr("id")).collect();
                let items = items
                    .iter()
                    .filter(|(id, _)| wanted.is_empty() || wanted.contains(&id.as_str()));
                let items = items.map(|(id, payload)| {
                    Element::new("item", ns::PUBSUB).with_attr("id", id).with_child(payload.clone())
                });
                let items =
                    Element::new("items", ns::PUBSUB).with_attr("node", node).with_children(items);
                Ok(Some(Element::new("pubsub", ns::PUBSUB).with_child(items)))
            }
            "publish" => {
                let item = request.first_child().unwrap();
                let id = item.attr("id").unwrap_or("current").to_owned();
                let payload = item.first_child().unwrap().clone();
                account.nodes.entry(node.clone()).or_default().insert(id.clone(), payload.clone());
                let item =
                    Element::new("item", ns::PUBSUB_EVENT).with_attr("id", id).with_child(payload);
                self.tell(owner, &node, item);
                Ok(None)
            }
            "retract" => {
                let id = request.first_child().and_then(|item| item.attr("id")).unwrap().to_owned();
                if let Some(items) = account.nodes.get_mut(&node) {
                    items.remove(&id);
                }
                let item = Element::new("retract", ns::PUBSUB_EVENT).with_attr("id", id);
                self.tell(owner, &node, item);
                Ok(None)
            }
            _ => Err(Condition::FeatureNotImplemented),
        }
    }

    /// An event for the devices of the owner and of their contacts.
    fn tell(&mut self, owner: &BareJid, node: &str, item: Element) {
        let items =
            Element::new("items", ns::PUBSUB_EVENT).with_attr("node", node).with_child(item);
        let message = Element::new("message", ns::CLIENT)
            .with_attr("from", owner.to_string())
            .with_attr("type", "headline")
            .with_child(Element::new("event", ns::PUBSUB_EVENT).with_child(items));
        let friends: Vec<BareJid> = self.accounts[owner].roster.keys().cloned().collect();
        for friend in friends.iter().chain([owner]) {
            for session in self.sessions_of(friend) {
                self.deliver(&session, &message);
            }
        }
    }
}

/// Whether something is to be published with more options than the two that everybody knows.
fn asks_much(pubsub: &Element) -> bool {
    let options = pubsub.child("publish-options", ns::PUBSUB).and_then(Form::child_of);
    options.is_some_and(|form| form.value("pubsub#max_items").is_some())
}

pub(crate) fn bare(address: &str) -> BareJid {
    BareJid::new(address).unwrap()
}
