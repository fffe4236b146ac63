//! XEP-0313: Message Archive Management 1.1.3, XEP-0441 preferences, XEP-0359 stanza ids

pub mod clearing;
mod prefs;
pub(crate) mod query;
pub mod retention;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::atomic::Ordering,
};

use store::{AccountId, Millis, Store, StoreError, archive::Append};
use xmpp::{
    error::{Condition, ErrorType, StanzaError},
    jid::{BareJid, Jid},
    ns,
    stanza::Stanza,
};

pub use self::prefs::Prefs;
use super::{Extension, Inbound, IqRoute, Outbound, Scope, Spec};
use crate::{
    account::{Account, AccountState},
    iq::IqKind,
    router::{
        facts::{Facts, MessageType},
        pipeline::{Direction, Flow, Pass},
    },
    server::Server,
    session::Session,
};

/// Keeps conversations for the account's devices.
pub const EXTENSION: Extension = Extension {
    name: "archive",
    offered: |config| config.archive.enabled,
    specs: &[
        Spec { xep: 313, version: "1.1.3", title: "Message Archive Management" },
        Spec { xep: 441, version: "0.2.0", title: "Message Archive Management Preferences" },
        Spec { xep: 359, version: "0.7.0", title: "Unique and Stable Stanza IDs" },
        Spec { xep: 334, version: "1.0.0", title: "Message Processing Hints" },
    ],
    features: &[
        (Scope::Account, ns::MAM),
        (Scope::Account, ns::MAM_EXTENDED),
        (Scope::Account, ns::STANZA_ID),
        (Scope::Server, ns::STANZA_ID),
        (Scope::Server, ns::HINTS),
    ],
    iq: &[
        route(None, "query", query::query),
        route(Some(IqKind::Get), "metadata", query::metadata),
        route(None, "prefs", prefs::prefs),
    ],
    outbound: &[(Outbound::Admit, admit), (Outbound::Once, once), (Outbound::Record, record)],
    inbound: &[(Inbound::Once, once_from_elsewhere), (Inbound::Record, record)],
    ..Extension::NOTHING
};

pub use self::query::metadata_element;

/// Origin ids that are remembered for each account: a repeated sending is recognised within so many
/// messages, and within this time.
const MAX_SENT: usize = store::archive::MAX_ORIGINS;
const REMEMBERED: u64 = 7 * 24 * 60 * 60 * 1000;

const fn route(kind: Option<IqKind>, name: &'static str, handler: super::IqHandler) -> IqRoute {
    IqRoute { scope: Scope::Own, kind, ns: ns::MAM, name, handler }
}

/// Offline messages on their way to a device.
#[derive(Debug)]
pub struct Flushing {
    /// Number of the session.
    pub session: u64,
    /// Archive id up to which it was given everything.
    pub after: u64,
    /// How often that began anew.
    pub round: u64,
    /// Archive id of the newest one that began to wait since then and was not queued for the session.
    pub missed: u64,
}

/// The archive's part of an account in memory.
#[derive(Debug, Default)]
pub struct ArchiveState {
    /// What is kept.
    pub prefs: Prefs,
    /// The session that offline messages are being handed to, and the last one it got. What comes meanwhile
    /// waits for it behind them, so that the device sees everything in order; another device that comes
    /// online meanwhile does not get them, too.
    pub flushing: Option<Flushing>,
    /// How often something began to wait for a device since the account is in memory.
    waits: u64,
    /// The same when the store was seen to have nothing that waits.
    nothing_waited: Option<u64>,
    next_id: u64,
    sent: HashMap<u64, u64>,
    sent_order: VecDeque<u64>,
    /// Messages of other servers that came lately, for when they come again.
    received: HashSet<u64>,
    received_order: VecDeque<u64>,
}

impl ArchiveState {
    /// Reads counter, preferences and recently sent messages of an account.
    ///
    /// # Errors
    /// When the store could not be read.
    pub async fn load(
        store: &Store,
        account: AccountId,
        now: xmpp::time::Millis,
    ) -> Result<Self, StoreError> {
        // The account may have been in memory a moment ago, with rows still on their way to disk.
        store.archive.barrier().await?;
        let tail = store.archive.tail(account, Millis(now.0.saturating_sub(REMEMBERED))).await?;
        let mut state = Self {
            prefs: Prefs::load(store, account).await?,
            flushing: None,
            waits: 0,
            nothing_waited: (!tail.waits).then_some(0),
            next_id: tail.next,
            sent: HashMap::new(),
            sent_order: VecDeque::new(),
            received: HashSet::new(),
            received_order: VecDeque::new(),
        };
        for (origin, id) in tail.origins.into_iter().rev() {
            state.remember(origin, id);
        }
        Ok(state)
    }

    /// Id of the newest message, recorded or on its way to disk.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.next_id.saturating_sub(1)
    }

    /// Something waits for a device from now on.
    pub fn begins_to_wait(&mut self) {
        self.waits += 1;
    }

    /// How often something began to wait; for [`Self::none_waits`].
    #[must_use]
    pub fn waits(&self) -> u64 {
        self.waits
    }

    /// The store has nothing that waits. It was asked when something had begun to wait so often.
    pub fn none_waits(&mut self, waits: u64) {
        self.nothing_waited = Some(waits);
    }

    /// Whether it is known that nothing waits.
    #[must_use]
    pub fn waits_for_nothing(&self) -> bool {
        self.nothing_waited == Some(self.waits)
    }

    fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    fn remember(&mut self, origin: u64, id: u64) {
        if self.sent.insert(origin, id).is_none() {
            self.sent_order.push_back(origin);
        }
        if self.sent_order.len() > MAX_SENT
            && let Some(oldest) = self.sent_order.pop_front()
        {
            self.sent.remove(&oldest);
        }
    }
}

/// The next id in an account's archive, for a row that is written outside of the stages.
pub fn take_id(state: &mut AccountState) -> u64 {
    state.archive.take_id()
}

/// While the disk refuses to write, what must be kept is refused before anybody sees it: its sender
/// can try again, and nobody gets it twice.
fn admit(pass: &mut Pass<'_>) -> Flow {
    if pass.server.health.is_degraded() && worth_keeping(pass.facts) {
        let text = "the server cannot store messages at the moment; try again later";
        let error = StanzaError::new(Condition::ResourceConstraint).with_text(text);
        return Flow::Refuse(error.with_type(ErrorType::Wait));
    }
    Flow::Continue
}

/// The store could not keep a message: when its sender tries again, that is the first time.
pub fn forget(server: &Server, session: &Session, message: &Stanza) {
    let to = match message.to().map(|to| Jid::new(&to)) {
        Some(Ok(to)) => to.to_bare(),
        Some(Err(_)) => return,
        None => session.account.jid().clone(),
    };
    let own = session.account.jid();
    if let Some(origin) = origin(server, own, message, &Facts::read(message), &to) {
        session.account.lock().archive.sent.remove(&origin);
    }
}

/// A client that lost an acknowledgement sends again, with the same origin id: the message has
/// arrived already, and arrives only once.
fn once(pass: &mut Pass<'_>) -> Flow {
    match origin(pass.server, pass.sender, pass.message, pass.facts, &pass.to.to_bare()) {
        Some(origin) if pass.state.archive.sent.contains_key(&origin) => Flow::Repeated,
        _ => Flow::Continue,
    }
}

/// A server that lost its connection to this one sends again what may not have arrived, without a
/// change: it arrives only once. Lines of conversations only, and only those with an id: others
/// cannot be told from new ones that say the same.
fn once_from_elsewhere(pass: &mut Pass<'_>) -> Flow {
    let Some(origin) = received(pass) else { return Flow::Continue };
    let archive = &mut pass.state.archive;
    if archive.sent.contains_key(&origin) || !archive.received.insert(origin) {
        return Flow::Repeated;
    }
    archive.received_order.push_back(origin);
    if archive.received_order.len() > MAX_SENT
        && let Some(oldest) = archive.received_order.pop_front()
    {
        archive.received.remove(&oldest);
    }
    Flow::Continue
}

/// What recognises a message of another server; `None` for those of this one.
fn received(pass: &Pass<'_>) -> Option<u64> {
    let named = pass.message.id().is_some() || pass.facts.origin_id.is_some();
    // Notifications and errors may say the same twice, and mean it.
    let wanted = named && worth_keeping(pass.facts);
    (pass.session.is_none() && wanted).then(|| whole(pass.server, pass.message))
}

/// A message of another server was not taken: should it come again, that is the first time.
pub fn forget_received(server: &Server, account: &Account, message: &Stanza) {
    account.lock().archive.received.remove(&whole(server, message));
}

/// A number for a message as it came, sender and recipient included.
fn whole(server: &Server, message: &Stanza) -> u64 {
    server.origins.number(&[message.bytes()])
}

fn record(pass: &mut Pass<'_>) -> Flow {
    let outbound = pass.direction == Direction::Outbound;
    // A message to oneself stands in one archive, so it is kept once: on its way in.
    if (outbound && pass.to_self()) || !worth_keeping(pass.facts) {
        return Flow::Continue;
    }
    let pending = !outbound && pass.unreachable();
    if !pass.server.archives() && !pending {
        return set_aside(pass);
    }
    let other = if outbound { pass.to.clone() } else { pass.from_jid() };
    let with = other.to_bare();
    let listed = || pass.state.roster.contains(&with);
    let kept = pass.server.archives() && pass.state.archive.prefs.keep(&other, listed);
    if !kept && !pending {
        return set_aside(pass);
    }
    let id = pass.state.archive.take_id();
    pass.archived = Some(id);
    pass.pending = pending;
    pass.hidden = !kept;
    if pending {
        pass.state.archive.begins_to_wait();
        not_queued(pass, id);
    }
    // A message to oneself is recorded on its way in; its repetition is recognised all the same.
    let own = outbound || pass.to_self();
    let to = pass.to.to_bare();
    let sent = || origin(pass.server, pass.sender, pass.message, pass.facts, &to);
    let origin = own.then(sent).flatten();
    if let Some(origin) = origin {
        pass.state.archive.remember(origin, id);
    }
    let origin = origin.or_else(|| received(pass));
    // Lowered by the router once the unit is submitted; until then readers of the archive wait.
    pass.account.unsubmitted.fetch_add(1, Ordering::AcqRel);
    pass.effects.recorded.push(pass.account.clone());
    let append = Append {
        account: pass.account.id,
        id,
        at: Millis(pass.now.0),
        with: with.as_str().into(),
        resource: other.resource().map(|part| part.as_str().into()),
        outgoing: outbound,
        origin_hash: origin,
        pending,
        hidden: !kept,
        stanza: pass.form(),
    };
    pass.effects.appends.push(append);
    Flow::Continue
}

/// No archive keeps a message, and a device gets it. Should that not take it, it waits in its place.
fn set_aside(pass: &mut Pass<'_>) -> Flow {
    if pass.direction == Direction::Inbound {
        pass.place = Some(pass.state.archive.take_id());
    }
    Flow::Continue
}

/// A message waits, and does not come by itself to the devices for which it is not queued: to the one that is
/// being given what waits it comes from the store, and others get nothing newer before they say whether they
/// take it.
fn not_queued(pass: &mut Pass<'_>, id: u64) {
    let chosen = pass.chosen();
    let AccountState { archive, resources, .. } = &mut *pass.state;
    let others = resources.iter().enumerate().filter(|(at, _)| !chosen.contains(at));
    for (_, resource) in others {
        if let Some(flushing) = archive.flushing.as_mut()
            && flushing.session == resource.session.number
        {
            flushing.missed = id;
        }
        if !resource.carbons {
            resource.session.link().set_awaited_backlog(true);
        }
    }
}

/// What belongs into a history (XEP-0313 §5.1.3, XEP-0334 §4.3).
#[must_use]
pub fn worth_keeping(facts: &Facts) -> bool {
    if facts.hints.no_store || facts.hints.no_permanent_store || facts.forwarded {
        return false;
    }
    match facts.kind {
        MessageType::Chat | MessageType::Normal => facts.lasting() || facts.hints.store,
        MessageType::Headline => facts.hints.store,
        MessageType::Error | MessageType::Groupchat => false,
    }
}

/// A number for what a device called the message, together with the recipient and what it says. A device
/// that comes back may have another address; two that chose the same id say other things.
fn origin(
    server: &Server,
    from: &BareJid,
    message: &Stanza,
    facts: &Facts,
    to: &BareJid,
) -> Option<u64> {
    let id = facts.origin_id.as_ref().filter(|_| facts.lasting() || facts.hints.store)?;
    let mut parts: Vec<&[u8]> = vec![from.as_str().as_bytes(), to.as_str().as_bytes(), id];
    parts.extend(message.children().map(|child| child.raw()));
    Some(server.origins.number(&parts))
}
