//! The extensions: one file each, all of them in the list [`ALL`].
//!
//! An [`Extension`] says what it is (specifications, features) and where it takes part: requests
//! by namespace, messages by named stage, presence and the life of a session. The order in which
//! things happen is the order of the variants of [`Outbound`] and [`Inbound`], nothing else:
//! hooks within one stage must commute, and if two must be ordered they are two stages.

pub mod administration;
pub mod archive;
pub mod avatar;
pub mod block_lists;
pub mod blocking;
pub mod bookmarks;
pub mod budget;
pub mod bytestreams;
pub mod calls;
pub mod caps;
pub mod carbons;
pub mod commands;
pub mod data_policy;
pub mod delegation;
pub mod disco;
pub mod invite;
pub mod last;
pub mod moved;
pub mod muc;
pub mod notices;
pub mod offline;
pub mod outage;
pub mod pages;
pub mod ping;
pub mod private;
pub mod privilege;
pub mod pubsub;
pub mod push;
pub mod registration;
pub mod reporting;
pub mod roster;
pub mod server_info;
pub mod session;
pub mod strangers;
pub mod time;
pub mod unified_push;
pub mod upload;
pub mod vcard;
pub mod version;

use std::{collections::HashMap, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;
use store::{AccountId, documents::SaveError};
use xmpp::{
    error::{Condition, StanzaError},
    ext::form::Form,
    jid::{BareJid, Jid},
    stanza::Stanza,
    xml::Element,
};

use crate::{
    account::Account,
    components::pending::Acting,
    config::Config,
    iq::{Iq, IqKind},
    router::pipeline::{Flow, Pass},
    server::Server,
    session::{Session, frame::Frame},
};

/// Everything the server can do beyond routing, in the order in which features are listed.
pub const ALL: &[&Extension] = &[
    &disco::EXTENSION,
    &roster::EXTENSION,
    &blocking::EXTENSION,
    &reporting::EXTENSION,
    &block_lists::EXTENSION,
    &budget::EXTENSION,
    &carbons::EXTENSION,
    &archive::EXTENSION,
    &offline::EXTENSION,
    &push::EXTENSION,
    &unified_push::EXTENSION,
    &caps::EXTENSION,
    &pubsub::EXTENSION,
    &pubsub::service::EXTENSION,
    &avatar::EXTENSION,
    &vcard::EXTENSION,
    &private::EXTENSION,
    &bookmarks::EXTENSION,
    &moved::EXTENSION,
    &muc::EXTENSION,
    &upload::EXTENSION,
    &registration::EXTENSION,
    &commands::EXTENSION,
    &invite::EXTENSION,
    &administration::EXTENSION,
    &calls::EXTENSION,
    &bytestreams::EXTENSION,
    &privilege::EXTENSION,
    &delegation::EXTENSION,
    &notices::EXTENSION,
    &outage::EXTENSION,
    &data_policy::EXTENSION,
    &server_info::EXTENSION,
    &last::EXTENSION,
    &session::EXTENSION,
    &ping::EXTENSION,
    &version::EXTENSION,
    &time::EXTENSION,
];

/// One feature of the server.
pub struct Extension {
    /// Its name: configuration section, metric prefix.
    pub name: &'static str,
    /// The specifications that it implements.
    pub specs: &'static [Spec],
    /// Whether its features are announced and its requests answered. Hooks always run: what they
    /// do without the feature is theirs to decide.
    pub offered: fn(&Config) -> bool,
    /// Features for service discovery (XEP-0030).
    pub features: &'static [(Scope, &'static str)],
    /// What service discovery tells beyond features (XEP-0128), as far as there is anything to tell.
    pub forms: &'static [(Scope, FormHook)],
    /// Requests it answers.
    pub iq: &'static [IqRoute],
    /// Its part in messages that leave an account.
    pub outbound: &'static [(Outbound, MessageHook)],
    /// Its part in messages that reach an account.
    pub inbound: &'static [(Inbound, MessageHook)],
    /// Its part in the life of a session.
    pub session: SessionHooks,
}

impl Extension {
    /// Takes no part in anything: the rest of an extension that says only what it does.
    pub const NOTHING: Self = Self {
        name: "",
        specs: &[],
        offered: |_| true,
        features: &[],
        forms: &[],
        iq: &[],
        outbound: &[],
        inbound: &[],
        session: SessionHooks::NONE,
    };
}

/// A specification and the version that was implemented.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Number of the XEP.
    pub xep: u16,
    /// The version whose text was followed.
    pub version: &'static str,
    /// Its common name.
    pub title: &'static str,
}

/// Whose address a request or a feature belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The sender's own account: no `to`, or the sender's bare address.
    Own,
    /// The bare address of any local account, the sender's own included.
    Account,
    /// The domain of the server.
    Server,
    /// The service for files.
    Upload,
    /// The proxy for bytestreams.
    Bytestreams,
    /// The service for rooms.
    Rooms,
    /// A room.
    Room,
    /// The pubsub service.
    Pubsub,
}

/// A request that an extension answers.
pub struct IqRoute {
    /// To whom it is addressed.
    pub scope: Scope,
    /// `get`, `set`, or both when `None`.
    pub kind: Option<IqKind>,
    /// Namespace of the payload.
    pub ns: &'static str,
    /// Local name of the payload.
    pub name: &'static str,
    /// What answers it.
    pub handler: IqHandler,
}

/// Who sent a request.
#[derive(Clone, Copy)]
pub enum Asker<'a> {
    /// A session of this server.
    Session(&'a Arc<Session>),
    /// Somebody at another domain, who speaks for its own domain alone.
    Remote(&'a Jid),
    /// A component that acts for an account (XEP-0356).
    Component(&'a Acting),
}

impl Asker<'_> {
    /// The address: a full one for sessions, any for others.
    #[must_use]
    pub fn jid(&self) -> Jid {
        match self {
            Asker::Session(session) => session.jid.clone().into(),
            Asker::Remote(jid) => (*jid).clone(),
            Asker::Component(Acting { component, carrier: None, .. }) => component.clone(),
            Asker::Component(acting) => acting.account.jid().clone().into(),
        }
    }

    /// The bare address.
    #[must_use]
    pub fn bare(&self) -> BareJid {
        match self {
            Asker::Session(session) => session.account.jid().clone(),
            Asker::Remote(jid) => jid.to_bare(),
            Asker::Component(acting) => acting.account.jid().clone(),
        }
    }
}

/// Who asks, and about whom.
pub struct IqContext<'a> {
    /// The server.
    pub server: &'a Arc<Server>,
    /// Who sent the request.
    pub asker: Asker<'a>,
    /// The account it is about; `None` when the request is addressed to the server itself.
    pub account: Option<&'a Arc<Account>>,
    after: Mutex<Vec<Frame>>,
    finally: Mutex<Option<HookFuture<'static>>>,
}

impl<'a> IqContext<'a> {
    /// The context of a request.
    #[must_use]
    pub fn new(
        server: &'a Arc<Server>,
        asker: Asker<'a>,
        account: Option<&'a Arc<Account>>,
    ) -> Self {
        Self { server, asker, account, after: Mutex::default(), finally: Mutex::default() }
    }

    /// The session that sent the request. What concerns that device asks for it.
    ///
    /// # Errors
    /// `forbidden` when the request comes from another server.
    pub fn session(&self) -> Result<&'a Arc<Session>, StanzaError> {
        match self.asker {
            Asker::Session(session) => Ok(session),
            Asker::Remote(_) | Asker::Component(_) => Err(StanzaError::new(Condition::Forbidden)),
        }
    }

    /// The account in whose name the request is made: by one of its sessions, or by a component
    /// that may. For what needs no device of its own.
    ///
    /// # Errors
    /// `forbidden` when the request comes from another server.
    pub fn owner(&self) -> Result<&'a Arc<Account>, StanzaError> {
        match self.asker {
            Asker::Session(session) => Ok(&session.account),
            Asker::Component(acting) => Ok(&acting.account),
            Asker::Remote(_) => Err(StanzaError::new(Condition::Forbidden)),
        }
    }

    /// Frames that the sender gets right after the answer.
    pub fn after(&self, frames: Vec<Frame>) {
        self.after.lock().extend(frames);
    }

    /// Something to do when the answer is queued.
    pub fn finally(&self, work: HookFuture<'static>) {
        *self.finally.lock() = Some(work);
    }

    /// The frames to send after the answer, and what to do after that.
    #[must_use]
    pub fn into_rest(self) -> (Vec<Frame>, Option<HookFuture<'static>>) {
        (self.after.into_inner(), self.finally.into_inner())
    }
}

/// The answer's payload (`None` for an empty result), or the error for the sender.
pub type IqAnswer = Result<Option<Element>, StanzaError>;

/// What an [`IqHandler`] returns.
pub type IqFuture<'a> = Pin<Box<dyn Future<Output = IqAnswer> + Send + 'a>>;

/// Makes a form for service discovery, if there is anything to tell.
pub type FormHook = fn(&Config) -> Option<Form>;

/// Answers a request. Runs on the task of the sender's connection: later stanzas of the same
/// client wait until it is done, which keeps them in order (RFC 6120 §10.1).
pub type IqHandler = for<'a> fn(&'a IqContext<'a>, &'a Iq) -> IqFuture<'a>;

/// Takes part in a message's way. It never awaits and never touches a socket or the store: what
/// must happen goes into the effects of the [`Pass`].
pub type MessageHook = fn(&mut Pass<'_>) -> Flow;

/// Where a hook stands on the way of a message that leaves an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outbound {
    /// Removes what only servers may write.
    Sanitize,
    /// Refuses what the account may not send.
    Admit,
    /// Recognises what was sent before and arrived.
    Once,
    /// Keeps it in the sender's archive.
    Record,
    /// Copies it to the sender's other devices.
    Copy,
}

/// Where a hook stands on the way of a message that reaches an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Inbound {
    /// Refuses what the account does not want.
    Admit,
    /// Recognises what another server sent before and arrived.
    Once,
    /// Takes messages that are for the account itself rather than for its clients.
    Claim,
    /// Keeps it in the recipient's archive.
    Record,
    /// Chooses the devices (RFC 6121 §8.5).
    Deliver,
    /// Copies it to the devices that were not chosen.
    Copy,
    /// Wakes devices that sleep.
    Wake,
    /// No device was there to take it.
    Miss,
}

/// What an extension does when a session begins or ends.
pub struct SessionHooks {
    /// The client takes messages from now on: it sent its first available presence with a priority that does.
    /// Called in the lock in which that was noted, before a message can be queued for it.
    pub takes_messages: Option<fn(&mut crate::account::AccountState, &Arc<Session>)>,
    /// After that, when the presence was told to everybody.
    pub available: Option<SessionHook>,
    /// After the session was bound, before its first stanza is read.
    pub bound: Option<SessionHook>,
    /// After the session ended for good.
    pub closed: Option<SessionHook>,
    /// After each available presence was broadcast; told whether it was the first one.
    pub presence: Option<PresenceHook>,
    /// An iq result or error from the client to the server itself: the answer to a question of
    /// the extension, which recognises it by the id. Returns whether it was its own.
    pub answer: Option<AnswerHook>,
}

impl SessionHooks {
    /// Takes no part.
    pub const NONE: Self = Self {
        takes_messages: None,
        available: None,
        bound: None,
        closed: None,
        presence: None,
        answer: None,
    };
}

/// What a [`SessionHook`] returns.
pub type HookFuture<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Something an extension does at a point in the life of a session.
pub type SessionHook = for<'a> fn(&'a Arc<Server>, &'a Arc<Session>) -> HookFuture<'a>;

/// Something an extension does when a resource is available; `true` for its first presence.
pub type PresenceHook = for<'a> fn(&'a Arc<Server>, &'a Arc<Session>, bool) -> HookFuture<'a>;

/// Takes a client's answer to a question of the server.
pub type AnswerHook = fn(&Arc<Server>, &Arc<Session>, &Stanza) -> bool;

/// The lists of all extensions, turned into tables once at start.
pub struct Registry {
    iq: HashMap<(&'static str, &'static str), Vec<(&'static Extension, &'static IqRoute)>>,
    outbound: Vec<MessageHook>,
    inbound: Vec<MessageHook>,
}

impl Registry {
    /// Builds the tables from [`ALL`].
    #[must_use]
    pub fn new() -> Self {
        let mut iq: HashMap<_, Vec<_>> = HashMap::new();
        for extension in ALL.iter().copied() {
            for route in extension.iq {
                iq.entry((route.ns, route.name)).or_default().push((extension, route));
            }
        }
        Self { iq, outbound: ordered(|e| e.outbound), inbound: ordered(|e| e.inbound) }
    }

    /// The route for a request, or `None` when nobody answers it.
    #[must_use]
    pub fn route(
        &self,
        config: &Config,
        scopes: &[Scope],
        kind: IqKind,
        payload: &Element,
    ) -> Option<IqHandler> {
        // The table's keys are static while the payload's strings are not, so the lookup goes
        // through a borrowed key of the same hash.
        let routes = self.iq.get(&(payload.ns(), payload.name()) as &(&str, &str))?;
        let fits = |(extension, route): &&(&Extension, &IqRoute)| {
            scopes.contains(&route.scope)
                && route.kind.is_none_or(|only| only == kind)
                && (extension.offered)(config)
        };
        routes.iter().find(fits).map(|(_, route)| route.handler)
    }

    /// Hooks for messages that leave an account, in order.
    #[must_use]
    pub fn outbound(&self) -> &[MessageHook] {
        &self.outbound
    }

    /// Hooks for messages that reach an account, in order.
    #[must_use]
    pub fn inbound(&self) -> &[MessageHook] {
        &self.inbound
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

/// The features that service discovery lists for a scope.
pub fn features(config: &Config, scope: Scope) -> impl Iterator<Item = &'static str> {
    let of = move |extension: &'static Extension| {
        extension.features.iter().filter(move |(of, _)| *of == scope).map(|(_, feature)| *feature)
    };
    ALL.iter().copied().filter(|extension| (extension.offered)(config)).flat_map(of)
}

/// The forms that service discovery shows for a scope. What several extensions say under one name is
/// one form (XEP-0128 §3).
#[must_use]
pub fn forms(config: &Config, scope: Scope) -> Vec<Form> {
    let offered = ALL.iter().copied().filter(|extension| (extension.offered)(config));
    let forms = offered.flat_map(|extension| extension.forms).filter(|(of, _)| *of == scope);
    let mut all: Vec<Form> = Vec::new();
    for form in forms.filter_map(|(_, form)| form(config)) {
        match all.iter_mut().find(|other| other.form_type() == form.form_type()) {
            Some(other) => {
                let fields = form
                    .fields
                    .into_iter()
                    .filter(|field| field.var.as_deref() != Some("FORM_TYPE"));
                other.fields.extend(fields);
            }
            None => all.push(form),
        }
    }
    all
}

fn ordered<S: Copy + Ord + 'static>(
    hooks: impl Fn(&'static Extension) -> &'static [(S, MessageHook)],
) -> Vec<MessageHook> {
    let mut all: Vec<_> = ALL.iter().copied().flat_map(hooks).copied().collect();
    // Stable: within a stage hooks commute, so the order of the list is as good as any.
    all.sort_by_key(|(stage, _)| *stage);
    all.into_iter().map(|(_, hook)| hook).collect()
}

/// Reads a document of the sender's own account.
///
/// # Errors
/// When the store could not be read.
pub async fn document(context: &IqContext<'_>, key: &str) -> Result<Option<Bytes>, StanzaError> {
    document_of(context.server, context.owner()?.id, key).await
}

/// Reads a document of any account.
///
/// # Errors
/// When the store could not be read.
pub async fn document_of(
    server: &Server,
    account: AccountId,
    key: &str,
) -> Result<Option<Bytes>, StanzaError> {
    let loaded = server.store.documents.load(account, key).await;
    loaded.map_err(|error| server.store_failed("documents", &error))
}

/// Keeps a document of the sender's own account.
///
/// # Errors
/// `resource-constraint` when the account's quota is used up, or when the store failed.
pub async fn save_document(
    context: &IqContext<'_>,
    key: &str,
    document: Bytes,
) -> Result<(), StanzaError> {
    save_document_of(context.server, context.owner()?.id, key, document).await
}

/// Keeps a document of any account.
///
/// # Errors
/// `resource-constraint` when the account's quota is used up, or when the store failed.
pub async fn save_document_of(
    server: &Server,
    account: AccountId,
    key: &str,
    document: Bytes,
) -> Result<(), StanzaError> {
    if key.len() > store::documents::MAX_KEY {
        return Err(StanzaError::new(Condition::NotAcceptable));
    }
    let quota = server.config().limits.private_bytes_per_account;
    let saved = server.store.documents.save(account, key, document, quota).await;
    saved.map(drop).map_err(|error| match error {
        SaveError::Quota => StanzaError::new(Condition::ResourceConstraint)
            .with_text("the space for private documents is used up"),
        SaveError::Store(error) => server.store_failed("documents", &error),
    })
}
