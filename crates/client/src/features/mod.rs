//! What this client can do: one feature is one file, and one line in [`ALL`].

pub(crate) mod archive;
mod avatar;
mod blocking;
pub(crate) mod bookmarks;
pub(crate) mod caps;
pub(crate) mod chat_states;
mod correct;
pub(crate) mod elsewhere;
pub(crate) mod file;
mod history;
pub(crate) mod idle;
mod invite;
pub(crate) mod later;
pub(crate) mod logout;
mod look;
pub(crate) mod markers;
pub(crate) mod mds;
pub(crate) mod message;
mod nick;
pub(crate) mod notify;
mod ping;
pub(crate) mod presence;
mod privacy;
mod push;
mod react;
pub(crate) mod receipts;
pub(crate) mod reply;
mod retract;
pub(crate) mod rooms;
pub(crate) mod roster;
pub(crate) mod server;
pub(crate) mod star;
pub(crate) mod upload;

use xmpp::jid::BareJid;
use xmpp::xml::Element;

use crate::command::{Command, Request};
use crate::cx::{Cx, Step};
use crate::effect::{TransferEvent, TransferId};
use crate::incoming::Incoming;
use crate::link;
use crate::pep;
use crate::store::{Queued, Store};
use crate::timeline;
use crate::verified::{PersonalEvent, Verified};
use crate::view::Privacy;

/// Every feature. Hooks of one kind are called in this order; where the order matters, stages say
/// so.
pub(crate) const ALL: &[&Feature] = &[
    &server::FEATURE,
    &crate::omemo::FEATURE,
    &roster::FEATURE,
    &presence::FEATURE,
    &idle::FEATURE,
    &caps::FEATURE,
    &mds::FEATURE,
    &archive::FEATURE,
    &blocking::FEATURE,
    &bookmarks::FEATURE,
    &rooms::FEATURE,
    &notify::FEATURE,
    &nick::FEATURE,
    &avatar::FEATURE,
    &receipts::FEATURE,
    &markers::FEATURE,
    &chat_states::FEATURE,
    &correct::FEATURE,
    &retract::FEATURE,
    &react::FEATURE,
    &reply::FEATURE,
    &star::FEATURE,
    &look::FEATURE,
    &file::FEATURE,
    &message::FEATURE,
    &upload::FEATURE,
    &invite::FEATURE,
    &history::FEATURE,
    &push::FEATURE,
    &logout::FEATURE,
    &ping::FEATURE,
    &privacy::FEATURE,
];

/// What the features remember while the program runs: one field each.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) timeline: timeline::State,
    pub(crate) server: server::State,
    pub(crate) omemo: crate::omemo::Memory,
    pub(crate) roster: roster::State,
    pub(crate) presence: presence::State,
    pub(crate) idle: idle::State,
    pub(crate) elsewhere: elsewhere::State,
    pub(crate) caps: caps::State,
    pub(crate) bookmarks: bookmarks::State,
    pub(crate) rooms: rooms::State,
    pub(crate) notify: notify::State,
    pub(crate) later: later::State,
    pub(crate) star: star::State,
    pub(crate) receipts: receipts::State,
    pub(crate) mds: mds::State,
    pub(crate) archive: archive::State,
    pub(crate) chat_states: chat_states::State,
    pub(crate) upload: upload::State,
    /// What others may know.
    pub(crate) privacy: Privacy,
    /// The request that ends with the logout.
    pub(crate) logout: Option<u64>,
    /// Requests that wait for a session.
    pub(crate) deferred: Vec<Request>,
}

impl State {
    /// Builds it from the store.
    pub(crate) fn load(store: &dyn Store, me: Option<&BareJid>) -> Step<Self> {
        Ok(Self {
            timeline: timeline::State::load(store)?,
            server: server::State::load(store)?,
            omemo: crate::omemo::Memory::load(store)?,
            roster: roster::State::load(store)?,
            bookmarks: bookmarks::State::load(store)?,
            rooms: rooms::State::load(store)?,
            notify: notify::State::load(store)?,
            later: later::State::load(store)?,
            star: star::State::load(store)?,
            archive: archive::State::load(store, me)?,
            mds: mds::State::load(store)?,
            receipts: receipts::State::load(store)?,
            privacy: privacy::load(store)?,
            ..Self::default()
        })
    }
}

/// Everything there is to see, for a user interface that knows nothing yet.
pub(crate) fn overview(cx: &mut Cx<'_>) -> Step {
    let mut changes = roster::overview(cx);
    changes.push(bookmarks::overview(cx));
    changes.extend(rooms::overview(cx));
    changes.extend(timeline::overview(cx)?);
    for change in changes {
        cx.view(change);
    }
    Ok(())
}

/// Shows what the step changed.
pub(crate) fn finish_step(cx: &mut Cx<'_>) -> Step {
    rooms::finish_step(cx)?;
    timeline::finish_step(cx)?;
    star::finish_step(cx);
    roster::finish_step(cx);
    Ok(())
}

/// A specification and the version that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    /// `XEP-0280`, `RFC 6121`.
    pub(crate) number: &'static str,
    /// The version; empty for an RFC.
    pub(crate) version: &'static str,
}

/// What one feature wants to be told and answers. The default wants nothing.
pub(crate) struct Feature {
    /// The common name of the specification.
    pub(crate) name: &'static str,
    /// What it follows.
    pub(crate) specs: &'static [Spec],
    /// What service discovery tells others (XEP-0030).
    pub(crate) features: &'static [&'static str],
    /// Personal nodes of contacts whose events are wanted (XEP-0060 §9.1).
    pub(crate) notify: &'static [&'static str],
    /// There is a new session.
    pub(crate) online: Option<Hook>,
    /// The earlier session goes on.
    pub(crate) resumed: Option<Hook>,
    /// The session is gone for good.
    pub(crate) ended: Option<Hook>,
    /// Nothing is missing from the archive any more.
    pub(crate) caught_up: Option<Hook>,
    /// Presence arrived.
    pub(crate) presence: Option<fn(&mut Cx<'_>, &Element) -> Step>,
    /// Requests it answers.
    pub(crate) iq: &'static [IqRoute],
    /// Personal nodes whose events it takes.
    pub(crate) events: &'static [(&'static str, EventHook)],
    /// What it does with messages.
    pub(crate) message: &'static [(Stage, MessageHook)],
    /// How it protects what is sent. The first feature that has an answer decides.
    pub(crate) protect: Option<ProtectHook>,
    /// Commands it carries out. What it does not know it gives back.
    pub(crate) command: Option<CommandHook>,
    /// A transfer got on. True when it was one of this feature's.
    pub(crate) transfer: Option<TransferHook>,
}

impl Feature {
    /// Wants nothing.
    pub(crate) const NOTHING: Feature = Feature {
        name: "",
        specs: &[],
        features: &[],
        notify: &[],
        online: None,
        resumed: None,
        ended: None,
        caught_up: None,
        presence: None,
        iq: &[],
        events: &[],
        message: &[],
        protect: None,
        command: None,
        transfer: None,
    };
}

/// Looks after something that concerns the whole session.
pub(crate) type Hook = fn(&mut Cx<'_>) -> Step;

/// Protects the payload of a queued message.
pub(crate) type ProtectHook = fn(&mut Cx<'_>, &Queued, &[Element]) -> Step<Protected>;

/// Carries a command out, or gives it back.
pub(crate) type CommandHook = fn(&mut Cx<'_>, u64, Command) -> Step<Option<Command>>;

/// Takes what becomes of a transfer. True when it was one of the feature's.
pub(crate) type TransferHook = fn(&mut Cx<'_>, TransferId, &TransferEvent) -> Step<bool>;

/// Takes an event of a personal node, from the node's owner.
pub(crate) type EventHook = fn(&mut Cx<'_>, &Verified<PersonalEvent>) -> Step;

/// Looks at a message in one stage.
pub(crate) type MessageHook = fn(&mut Cx<'_>, &mut Incoming) -> Step<Flow>;

/// The stages of a message on its way in, in their order. Hooks of one stage must not depend on
/// each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Replace an encrypted message by what was in it, or by the reason why it cannot be read.
    /// What was seen before does not come here.
    Decrypt,
    /// What says something about other messages: receipts, markers, typing. Goes on.
    Signal,
    /// What changes an earlier message: corrections, reactions, retractions. Ends the way.
    Amend,
    /// What is a message of its own.
    Show,
}

impl Stage {
    /// In their order.
    pub(crate) const ALL: [Stage; 4] = [Stage::Decrypt, Stage::Signal, Stage::Amend, Stage::Show];
}

/// Whether a message goes on to the next hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// It does.
    Next,
    /// Everything is done.
    Done,
}

/// What became of a payload that must be protected.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Protected {
    /// These are the children of the message to be sent.
    Ready(Vec<Element>),
    /// Something has to be fetched first. [`Cx::wake_outbox`] asks again.
    Wait,
    /// Nobody it is for has published keys yet, in words: when somebody does, it can be done.
    NoKeys(String),
    /// It cannot be done; why, in words.
    Impossible(String),
    /// It is not worth anything to anybody: forget it.
    Drop,
}

/// A request that is answered.
pub(crate) struct IqRoute {
    /// `set` or `get`.
    pub(crate) set: bool,
    /// The payload's name.
    pub(crate) name: &'static str,
    /// The payload's namespace.
    pub(crate) ns: &'static str,
    /// Answers with a result, with its payload if there is one, or with an error.
    pub(crate) handle: fn(&mut Cx<'_>, &Element) -> Step<Reply>,
}

/// The answer to a request.
pub(crate) type Reply = Result<Option<Element>, xmpp::error::Condition>;

/// What this client follows: the name of each feature, with number and version of a specification
/// (an RFC has none). `docs/clownfish-xeps.md` comes from
/// there.
pub fn specifications() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let base = [("streams and sessions", link::SPECS), ("personal nodes", pep::SPECS)];
    let features = ALL.iter().map(|feature| (feature.name, feature.specs));
    base.into_iter()
        .chain(features)
        .flat_map(|(name, specs)| specs.iter().map(move |spec| (name, spec.number, spec.version)))
}

/// The name of each feature, and whether it acts on what others send without being asked: it must then
/// know whom to believe.
pub fn features() -> impl Iterator<Item = (&'static str, bool)> {
    ALL.iter().map(|feature| {
        let hears = feature.presence.is_some()
            || !feature.iq.is_empty()
            || !feature.events.is_empty()
            || !feature.message.is_empty();
        (feature.name, hears)
    })
}
