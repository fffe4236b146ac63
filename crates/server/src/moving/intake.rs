//! Writing into the store what a source reads.

mod nodes;
mod room;

use std::collections::{BTreeMap, BTreeSet};

use store::{
    AccountId, Millis, Store, StoreError,
    accounts::{CreateError, Credential, NewAccount},
    roster,
};
use xmpp::{
    jid::{BareJid, Jid},
    ns,
    sasl::{Hash, ScramKeys, prepare_password},
    xml::{Element, Limits},
};

use self::room::RoomDesk;
use super::{
    Wish,
    record::{Line, Person, Record, Request},
    report::Report,
    shelf::{Entry, Put, Shelf},
    vcard,
};
use crate::{
    admin::{Fault, FaultCode},
    config::Config,
    ext::{last, private, vcard as document},
    password::{self, Password},
    secret::ServerSecret,
};

/// Takes records one after the other.
pub(super) struct Intake<'a> {
    store: &'a Store,
    config: &'a Config,
    secret: &'a ServerSecret,
    wish: Wish,
    /// The source is one account, which may have had another address.
    single: bool,
    report: Report,
    now: Millis,
    owner: Owner,
}

/// Whose the next records are.
enum Owner {
    Nobody,
    /// What belongs to it is passed over: why was said.
    Refused,
    Person(Box<PersonDesk>),
    Room(Box<RoomDesk>),
}

/// An account while its things come in. In a trial run there may be no account.
struct PersonDesk {
    id: Option<AccountId>,
    jid: BareJid,
    /// The address it had at the source, when that was another one.
    former: Option<BareJid>,
    /// It had no keys when this run began: it is new, or a run before did not come to its end. Nobody
    /// can have used it.
    keyless: bool,
    password: Option<Password>,
    keys: Vec<ScramKeys>,
    contacts: Vec<roster::Item>,
    requests: Vec<Request>,
    blocked: BTreeSet<String>,
    nodes: BTreeMap<String, u32>,
    vcard: bool,
    vcard4: Option<Element>,
    shelf: Option<Shelf>,
    waiting: Vec<Line>,
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        store: &'a Store,
        config: &'a Config,
        secret: &'a ServerSecret,
        wish: Wish,
        single: bool,
    ) -> Self {
        let report = Report { dry_run: wish.dry_run, ..Report::default() };
        let now = Millis(xmpp_now());
        Intake { store, config, secret, wish, single, report, now, owner: Owner::Nobody }
    }

    /// Whose things are being taken.
    pub(super) fn whose(&self) -> &str {
        match &self.owner {
            Owner::Person(desk) => desk.jid.as_str(),
            Owner::Room(desk) => desk.jid.as_str(),
            Owner::Nobody | Owner::Refused => "",
        }
    }

    /// Takes one record.
    pub(super) async fn take(&mut self, record: Record) -> Result<(), Fault> {
        match record {
            Record::Person(person) => {
                self.end().await?;
                self.owner = self.person(*person).await?;
            }
            Record::Room(room) => {
                self.end().await?;
                self.owner = self.room(*room).await?;
            }
            Record::Service => {
                self.end().await?;
                self.owner = self.service().await?;
            }
            Record::Skipped(skipped) => self.report.skip(&skipped.what, &skipped.why),
            record => match std::mem::replace(&mut self.owner, Owner::Nobody) {
                Owner::Person(mut desk) => {
                    self.of_person(&mut desk, record).await?;
                    self.owner = Owner::Person(desk);
                }
                Owner::Room(mut desk) => {
                    if let Record::Message(line) = record {
                        self.of_room(&mut desk, line).await?;
                    }
                    self.owner = Owner::Room(desk);
                }
                other => self.owner = other,
            },
        }
        Ok(())
    }

    /// Ends the last account or room. The report says what was taken, also when that fails.
    pub(super) async fn finish(mut self) -> (Report, Result<(), Fault>) {
        let ended = self.end().await;
        (self.report, ended)
    }

    async fn end(&mut self) -> Result<(), Fault> {
        match std::mem::replace(&mut self.owner, Owner::Nobody) {
            Owner::Person(desk) => self.end_person(*desk).await,
            Owner::Room(desk) => match desk.shelf {
                Some(shelf) => Ok(shelf.close(self.store).await?),
                None => Ok(()),
            },
            Owner::Nobody | Owner::Refused => Ok(()),
        }
    }

    async fn person(&mut self, person: Person) -> Result<Owner, Fault> {
        let host = person.origin.clone().unwrap_or_else(|| self.config.domain.clone());
        let before = format!("{}@{host}", person.name);
        if self.single && self.report.accounts + self.report.accounts_known > 0 {
            self.report.skip(&before, "the file has more than one account");
            return Ok(Owner::Refused);
        }
        let name = self.wish.name.as_deref().filter(|_| self.single).unwrap_or(&person.name);
        let jid = BareJid::new(&format!("{name}@{}", self.config.domain));
        let local = jid.as_ref().ok().and_then(|jid| jid.node().map(|n| n.as_str().to_owned()));
        let (Ok(jid), Some(local)) = (jid, local) else {
            self.report.skip(&before, "that is no address");
            return Ok(Owner::Refused);
        };
        let former = BareJid::new(&before).ok().filter(|former| *former != jid);
        let known = self.store.accounts.by_name(&local).await?;
        let (id, keyless) = match &known {
            Some(account) => {
                self.report.accounts_known += 1;
                (Some(account.id), self.store.accounts.credentials(account.id).await?.is_empty())
            }
            None => {
                self.report.accounts += 1;
                (self.create(&person, &local).await?, true)
            }
        };
        if let Some(id) = id.filter(|_| keyless && !self.wish.dry_run) {
            self.describe(id, &person).await?;
        }
        let nodes = match id {
            Some(id) => self.nodes_of(id, &jid).await?,
            None => BTreeMap::new(),
        };
        let mut desk = PersonDesk {
            id,
            jid,
            former,
            keyless,
            password: person.password,
            keys: Vec::new(),
            contacts: Vec::new(),
            requests: Vec::new(),
            blocked: BTreeSet::new(),
            nodes,
            vcard: false,
            vcard4: None,
            shelf: None,
            waiting: Vec::new(),
        };
        person.keys.into_iter().for_each(|keys| self.keys(&mut desk, keys));
        Ok(Owner::Person(Box::new(desk)))
    }

    /// Keys of its password, for each hash once.
    fn keys(&mut self, desk: &mut PersonDesk, keys: ScramKeys) {
        match desk.keys.iter().any(|known| known.hash == keys.hash) {
            true => self.report.skip(desk.jid.as_str(), "more keys of a password for one hash"),
            false => desk.keys.push(keys),
        }
    }

    /// Makes an account. Its keys follow when everything else is there: so nobody logs in to half an
    /// account, or to one that is about to be disabled.
    async fn create(&mut self, person: &Person, name: &str) -> Result<Option<AccountId>, Fault> {
        if self.wish.dry_run {
            return Ok(None);
        }
        let account = NewAccount {
            name: name.into(),
            credentials: Vec::new(),
            admin: false,
            ignore_reservation: true,
            created_at: person.created.unwrap_or(self.now),
            invited_by: None,
            invite: None,
        };
        self.store.accounts.create(account).await.map(Some).map_err(|error| match error {
            CreateError::Store(error) => Fault::from(error),
            other => Fault::new(FaultCode::Invalid, format!("{name}: {other}")),
        })
    }

    async fn describe(&mut self, id: AccountId, person: &Person) -> Result<(), StoreError> {
        let changes = [
            person.disabled.then_some(store::accounts::Change::Disabled(true)),
            person.last_login.map(|at| {
                let day = at.0 / last::DAY * last::DAY;
                store::accounts::Change::LastLogin(Millis(day))
            }),
        ];
        for change in changes.into_iter().flatten() {
            self.store.accounts.change(id, change).await?;
        }
        Ok(())
    }

    /// The keys of a password that the source knows; none in a trial run.
    async fn derive(&self, password: Password) -> Result<Vec<Credential>, Fault> {
        if self.wish.dry_run {
            return Ok(Vec::new());
        }
        let iterations = self.config.login.iterations;
        let work =
            tokio::task::spawn_blocking(move || password::credentials(&password, iterations));
        let failed = |words: String| Fault::new(FaultCode::Storage, words);
        let derived = work.await.map_err(|error| failed(error.to_string()))?;
        derived.map_err(|error| failed(error.to_string()))
    }

    async fn of_person(&mut self, desk: &mut PersonDesk, record: Record) -> Result<(), Fault> {
        match record {
            Record::Keys(keys) => self.keys(desk, *keys),
            Record::Disabled(true) => self.disable(desk).await?,
            Record::Contact(contact) => self.contact(desk, contact),
            Record::Request(request) => desk.requests.push(request),
            Record::Blocked(jid) => match Jid::new(&jid) {
                Ok(jid) => drop(desk.blocked.insert(jid.as_str().to_owned())),
                Err(_) => self.report.skip(&format!("{}: {jid}", desk.jid), "that is no address"),
            },
            Record::Vcard(card) => self.vcard(desk, card).await?,
            Record::Private(element) => {
                let key = private::key(&element);
                self.document(desk, &key, &element).await?;
            }
            Record::Preferences(preferences) => self.preferences(desk, preferences).await?,
            Record::Node(node) => self.node(desk, node).await?,
            Record::Item(item) => self.item(desk, item).await?,
            Record::Message(line) => self.message(desk, line, false).await?,
            Record::Waiting(line) if desk.waiting.len() < MOST_WAITING => desk.waiting.push(line),
            Record::Waiting(_) => {
                self.report.skip(desk.jid.as_str(), "more messages wait than one account may have");
            }
            Record::Disabled(false)
            | Record::Person(_)
            | Record::Room(_)
            | Record::Service
            | Record::Skipped(_) => {}
        }
        Ok(())
    }

    async fn disable(&mut self, desk: &PersonDesk) -> Result<(), StoreError> {
        if let Some(id) = desk.id.filter(|_| desk.keyless && !self.wish.dry_run) {
            let change = store::accounts::Change::Disabled(true);
            self.store.accounts.change(id, change).await?;
        }
        Ok(())
    }

    /// Contacts know the address that the account had: at a new one it has to ask again.
    fn contact(&mut self, desk: &mut PersonDesk, mut contact: roster::Item) {
        let Ok(jid) = BareJid::new(&contact.jid) else {
            self.report.skip(&format!("{}: {}", desk.jid, contact.jid), "that is no address");
            return;
        };
        if desk.contacts.len() as u64 >= self.config.limits.contacts_per_account {
            let why = "more contacts than `contacts_per_account` in [limits] allows";
            self.report.skip(desk.jid.as_str(), why);
            return;
        }
        contact.jid = jid.as_str().into();
        if desk.former.is_some() {
            contact.subscription = roster::Subscription::None;
            contact.ask = false;
            contact.approved = false;
            let why = "contacts do not know the new address: it has to ask to see them again";
            self.report.skip(&format!("{} and {}", desk.jid, contact.jid), why);
        }
        desk.contacts.push(contact);
    }

    async fn document(
        &mut self,
        desk: &PersonDesk,
        key: &str,
        element: &Element,
    ) -> Result<(), Fault> {
        let bytes = element.to_bytes("");
        let readable = Element::parse(&bytes, &Limits::SERVER).is_ok();
        if !readable || key.len() > store::documents::MAX_KEY {
            self.report.skip(&format!("{}: {key}", desk.jid), "a document that is too large");
            return Ok(());
        }
        if let Some(id) = desk.id {
            if self.store.documents.load(id, key).await?.is_some() {
                return Ok(());
            }
            if !self.wish.dry_run {
                let saved = self.store.documents.save(id, key, bytes, u64::MAX).await;
                saved.map_err(|error| Fault::new(FaultCode::Storage, error.to_string()))?;
            }
        }
        self.report.documents += 1;
        Ok(())
    }

    /// The photo becomes an avatar, unless there is one (XEP-0398).
    async fn vcard(&mut self, desk: &mut PersonDesk, mut card: Element) -> Result<(), Fault> {
        if let Some(image) = card.child("PHOTO", ns::VCARD).and_then(vcard::image) {
            card.retain_children(|child| !child.is("PHOTO", ns::VCARD));
            if !desk.nodes.contains_key(ns::AVATAR_METADATA) {
                for (node, item) in vcard::avatar(&image) {
                    self.node(desk, node).await?;
                    self.item(desk, item).await?;
                }
            }
        }
        desk.vcard = true;
        self.document(desk, document::KEY, &card).await
    }

    async fn preferences(
        &mut self,
        desk: &PersonDesk,
        preferences: store::prefs::Preferences,
    ) -> Result<(), Fault> {
        let Some(id) = desk.id.filter(|_| !self.wish.dry_run) else { return Ok(()) };
        if self.store.prefs.load(id).await?.is_some() {
            return Ok(());
        }
        match self.store.prefs.save(id, preferences).await {
            Err(StoreError::Limit(_)) => {
                self.report.skip(desk.jid.as_str(), "a list of what to archive that is too long");
            }
            other => other?,
        }
        Ok(())
    }

    async fn message(
        &mut self,
        desk: &mut PersonDesk,
        line: Line,
        pending: bool,
    ) -> Result<(), Fault> {
        let Some(entry) = entry(desk, line, pending) else {
            self.report.skip(desk.jid.as_str(), "a message that belongs into no archive");
            return Ok(());
        };
        let shelf = shelf(self.store, desk, self.wish.dry_run).await?;
        let old = shelf.is_old(self.config, entry.at, pending, self.now);
        match shelf.put(self.store, entry).await? {
            Put::Added => {
                self.report.messages += 1;
                self.report.waiting += u64::from(pending);
                self.report.messages_old += u64::from(old);
            }
            Put::Known => self.report.messages_known += 1,
            Put::TooLarge => self.report.skip(desk.jid.as_str(), TOO_LARGE),
        }
        Ok(())
    }

    async fn end_person(&mut self, mut desk: PersonDesk) -> Result<(), Fault> {
        self.end_roster(&mut desk).await?;
        self.end_blocks(&mut desk).await?;
        if let Some(card) = desk.vcard4.take().filter(|_| !desk.vcard) {
            // Prosody answers for the old form from the new one.
            let card = vcard::from_vcard4(&card);
            self.document(&desk, document::KEY, &card).await?;
        }
        for line in std::mem::take(&mut desk.waiting) {
            self.waiting(&mut desk, line).await?;
        }
        if let Some(shelf) = desk.shelf.take() {
            shelf.close(self.store).await?;
        }
        self.end_keys(&mut desk).await
    }

    /// A message waits. One that was there before this run was delivered since, if anybody could log in.
    async fn waiting(&mut self, desk: &mut PersonDesk, mut line: Line) -> Result<(), Fault> {
        if line.at == UNKNOWN {
            line.at = self.now;
        }
        let message = own(line.message.clone(), desk.former.as_ref(), &desk.jid);
        let found = shelf(self.store, desk, self.wish.dry_run).await?.find(&message);
        let Some(found) = found else { return self.message(desk, line, true).await };
        if !found.added && !desk.keyless {
            self.report.messages_known += u64::from(!found.counted);
            return Ok(());
        }
        if let Some(id) = desk.id.filter(|_| !self.wish.dry_run) {
            self.store.archive.set_pending(id, vec![found.id]).await?;
        }
        self.report.waiting += 1;
        Ok(())
    }

    async fn end_keys(&mut self, desk: &mut PersonDesk) -> Result<(), Fault> {
        if !desk.keyless {
            return Ok(());
        }
        if let Some(password) = desk.password.take() {
            if prepare_password(password.expose()).is_ok() {
                let credentials = self.derive(password).await?;
                if let Some(id) = desk.id.filter(|_| !self.wish.dry_run) {
                    self.store.accounts.set_credentials(id, credentials).await?;
                }
                return Ok(());
            }
            self.report.skip(desk.jid.as_str(), "a password that no client could send");
        }
        let sha1_only = !desk.keys.is_empty() && desk.keys.iter().all(|k| k.hash == Hash::Sha1);
        self.report.sha1_only += u64::from(sha1_only);
        if desk.keys.is_empty() {
            self.report
                .skip(desk.jid.as_str(), "no password: give one with anemone account password");
        }
        let Some(id) = desk.id.filter(|_| !self.wish.dry_run && !desk.keys.is_empty()) else {
            return Ok(());
        };
        let credentials = desk.keys.drain(..).map(|keys| password::stored(&keys));
        self.store.accounts.set_credentials(id, credentials.collect()).await?;
        Ok(())
    }

    async fn end_roster(&mut self, desk: &mut PersonDesk) -> Result<(), Fault> {
        let there = match desk.id {
            Some(id) => self.store.roster.load(id).await?,
            None => roster::Snapshot::default(),
        };
        let mut changes = Vec::new();
        for contact in desk.contacts.drain(..) {
            if !there.items.iter().any(|item| item.jid == contact.jid) {
                self.report.contacts += 1;
                changes.push(roster::Change::Put(contact));
            }
        }
        for request in desk.requests.drain(..) {
            let Ok(from) = BareJid::new(&request.from) else { continue };
            if there.requests.iter().any(|known| &*known.jid == from.as_str()) {
                continue;
            }
            let presence = request.presence.unwrap_or_else(|| Element::new("presence", ns::CLIENT));
            let presence = presence
                .with_attr("from", from.as_str())
                .with_attr("to", desk.jid.as_str())
                .with_attr("type", "subscribe");
            self.report.requests += 1;
            changes.push(roster::Change::Ask(roster::Request {
                jid: from.as_str().into(),
                at: self.now,
                stanza: presence.to_bytes(ns::CLIENT),
            }));
        }
        match desk.id.filter(|_| !self.wish.dry_run && !changes.is_empty()) {
            Some(id) => self.store.roster.apply(id, changes).await.map(|_| ()).map_err(Into::into),
            None => Ok(()),
        }
    }

    async fn end_blocks(&mut self, desk: &mut PersonDesk) -> Result<(), Fault> {
        let there = match desk.id {
            Some(id) => self.store.blocks.load(id).await?,
            None => Vec::new(),
        };
        desk.blocked.retain(|jid| !there.iter().any(|known| **known == **jid));
        let new = std::mem::take(&mut desk.blocked);
        self.report.blocked += new.len() as u64;
        if let Some(id) = desk.id.filter(|_| !self.wish.dry_run && !new.is_empty()) {
            let change = store::blocks::Change::Block(new.into_iter().map(Into::into).collect());
            match self.store.blocks.apply(id, change).await {
                Err(StoreError::Limit(_)) => {
                    self.report.skip(desk.jid.as_str(), "too many blocked")
                }
                other => other?,
            }
        }
        Ok(())
    }
}

async fn shelf<'d>(
    store: &Store,
    desk: &'d mut PersonDesk,
    trial: bool,
) -> Result<&'d mut Shelf, StoreError> {
    match &mut desk.shelf {
        Some(shelf) => Ok(shelf),
        none => Ok(none.insert(Shelf::open(store, desk.id, desk.jid.as_str(), trial).await?)),
    }
}

/// What the archive keeps of a message; `None` when it belongs into none.
fn entry(desk: &PersonDesk, line: Line, pending: bool) -> Option<Entry> {
    let mut message = own(line.message, desk.former.as_ref(), &desk.jid);
    if message.name() != "message" || matches!(message.attr("type"), Some("error" | "groupchat")) {
        return None;
    }
    let own = desk.jid.as_str();
    let address = |name: &str| match message.attr(name) {
        Some(text) => Jid::new(text).ok(),
        None => Some(Jid::from(desk.jid.clone())),
    };
    let (from, to) = (address("from")?, address("to")?);
    let outgoing = from.to_bare() == desk.jid && to.to_bare() != desk.jid;
    let other = if outgoing { &to } else { &from };
    let (with, resource) =
        (other.to_bare().as_str().into(), other.resource().map(|part| part.as_str().into()));
    for name in ["from", "to"] {
        if message.attr(name).is_none() {
            message.set_attr(name, own);
        }
    }
    if pending {
        message.retain_children(|child| !child.is("delay", ns::DELAY));
    }
    Some(Entry { at: line.at, with, resource, outgoing, pending, message })
}

/// The message with the account's new address in the place of the former one.
fn own(mut message: Element, former: Option<&BareJid>, jid: &BareJid) -> Element {
    let Some(former) = former else { return message };
    for name in ["from", "to"] {
        let Some(there) = message.attr(name).and_then(|text| Jid::new(text).ok()) else { continue };
        if there.to_bare() == *former {
            let resource = there.resource().map(|part| format!("/{part}")).unwrap_or_default();
            message.set_attr(name, format!("{jid}{resource}"));
        }
    }
    message
}

fn xmpp_now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// The time of a message for which the source has none.
const UNKNOWN: Millis = Millis(0);
const MOST_WAITING: usize = 10_000;
const TOO_LARGE: &str = "a message that is larger than one may be";
