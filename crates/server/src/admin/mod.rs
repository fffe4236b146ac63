//! What the operator does with a server: one set of operations, used by the running server for the
//! commands that come over its socket, and by the commands themselves when it is stopped.

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

pub use self::{
    audit::By,
    operations::Operations,
    protocol::{
        Account, AuditChain, AuditEntry, Backup, Fault, FaultCode, Invitation, InvitationState,
        LedgerEntry, Member, NewInvitation, Push, RemoteDomain, RemoteStream, Report, Request,
        ResetLink, Response, Room, RoomSettings, Session, SignUp, Status, Storage, Token, Upload,
    },
    telling::LONGEST_TEXT,
};
use xmpp::{ext::muc::Affiliation, jid::BareJid};

use crate::{
    config::{Config, Domains, Service},
    ext::notices::Notices,
    s2s::holding::Held,
};

mod account;
pub mod audit;
mod federation;
mod invitation;
mod ledger;
pub mod listing;
pub mod live;
pub(crate) mod operations;
mod protocol;
mod push;
mod report;
pub mod reset;
mod retention;
mod room;
pub mod socket;
mod telling;
mod upload;

/// What only a running server can do or tell. Implemented by the server, absent when a command
/// opens the database itself.
pub trait Live: Send + Sync {
    /// The configuration in force.
    fn config(&self) -> Arc<Config>;

    /// The addresses it listens on, with the real ports.
    fn listening(&self) -> Vec<(Service, SocketAddr)>;
    /// The addresses of the relay for calls (RFC 7065).
    fn calls(&self) -> Vec<String>;

    /// When its certificate stops being valid.
    fn certificate_expires(&self) -> SystemTime;

    /// Whether the relay for calls works, as [`Status::relay`] says it.
    fn relay(&self) -> String;

    /// Why the clock is not believed, if it is not.
    fn clock(&self) -> Option<String>;

    /// How much waits for other servers.
    fn waiting(&self) -> Held;

    /// Its sessions, of one account (a local part) or of all, connected and resumable ones.
    fn sessions(&self, account: Option<&str>) -> Vec<Session>;

    /// Ends the sessions of an account, or the one with this resource. Returns how many there
    /// were when they are gone.
    fn end_sessions<'a>(
        &'a self,
        account: &'a str,
        resource: Option<&'a str>,
        why: End,
    ) -> Pending<'a, usize>;

    /// Deletes an account with everything that belongs to it: ends its sessions, cancels its
    /// subscriptions with its contacts (XEP-0077 §3.2), and removes it from memory and store.
    fn delete<'a>(&'a self, account: &'a str) -> Pending<'a, ()>;

    /// A link that signs in to the administration's pages, once; `None` without randomness.
    fn admin_link(&self) -> Option<String>;

    /// An account (a local part) was disabled or enabled, which decides what those hear who write to
    /// somebody who moved.
    ///
    /// # Errors
    /// When the store could not be read.
    fn closed<'a>(&'a self, account: &'a str) -> Pending<'a, Result<(), store::StoreError>>;

    /// Publishes where an account (a local part) moved, or takes that back.
    ///
    /// # Errors
    /// When the store failed.
    fn moved<'a>(
        &'a self,
        account: &'a str,
        to: Option<&'a BareJid>,
    ) -> Pending<'a, Result<(), store::StoreError>>;

    /// Reads configuration and certificate again. Returns sentences about what changed or will
    /// change at the next start.
    ///
    /// # Errors
    /// A sentence; everything is as before then.
    fn reload(&self) -> Pending<'_, Result<Vec<String>, String>>;

    /// Other servers.
    ///
    /// # Errors
    /// When the store could not be read.
    fn federation(&self) -> Pending<'_, Result<Vec<RemoteDomain>, store::StoreError>>;

    /// Looks for another server now. Returns what came of it, in a sentence.
    ///
    /// # Errors
    /// Why it cannot be reached.
    fn try_domain<'a>(&'a self, domain: &'a str) -> Pending<'a, Result<String, String>>;

    /// Gives what waits for a domain back to its senders. Returns how many stanzas that is; nothing while
    /// there is a stream.
    fn give_back(&self, domain: &str) -> Option<u64>;

    /// Ends the streams of a domain. Returns how many there were.
    fn end_streams(&self, domain: &str) -> usize;

    /// Makes a room for an account (both local parts), for everybody or for members only.
    ///
    /// # Errors
    /// Why not.
    fn create_room<'a>(
        &'a self,
        name: &'a str,
        owner: &'a str,
        public: bool,
        title: Option<String>,
    ) -> Pending<'a, Result<(), (FaultCode, String)>>;

    /// Ends a room for good. `false` when there was none.
    ///
    /// # Errors
    /// When the store could not be read.
    fn destroy_room<'a>(
        &'a self,
        name: &'a str,
        reason: Option<&'a str>,
    ) -> Pending<'a, Result<bool, store::StoreError>>;

    /// Sets somebody's affiliation in a room (a local part). `false` when there is no such room.
    ///
    /// # Errors
    /// Why not.
    fn affiliate<'a>(
        &'a self,
        room: &'a str,
        who: (&'a BareJid, Affiliation),
        reason: Option<&'a str>,
    ) -> Pending<'a, Result<bool, (FaultCode, String)>>;

    /// Changes how a room (a local part) is meant to be used. `false` when there is no such room.
    ///
    /// # Errors
    /// Why not.
    fn configure_room<'a>(
        &'a self,
        room: &'a str,
        settings: &'a RoomSettings,
    ) -> Pending<'a, Result<bool, (FaultCode, String)>>;

    /// How many people are in a room.
    fn occupants(&self, room: &str) -> usize;

    /// Devices that want to be woken, of one account (a local part) or of all.
    fn pushes(&self, account: Option<&str>) -> Vec<Push>;

    /// Takes the registrations of an account out of memory, when they are gone from the store.
    fn forget_pushes(&self, account: &str);

    /// Sends a message to every device that is online. Returns how many there were.
    fn tell_online(&self, text: &str) -> usize;

    /// Tells people this from now on. Returns how many accounts were told something at once.
    fn tell(&self, notices: Notices) -> Pending<'_, usize>;

    /// Somebody made an account (a local part): it is welcomed.
    fn welcome<'a>(&'a self, account: &'a str) -> Pending<'a, ()>;

    /// Talks to other domains according to these lists from now on.
    fn set_domains(&self, domains: Domains);

    /// Goes down when it is time; a later order takes the place of an earlier one.
    fn order(&self, order: Order);

    /// The order that waits for its time.
    fn ordered(&self) -> Option<Order>;

    /// Does not go down after all. Returns what was ordered.
    fn call_off(&self) -> Option<Order>;

    /// The page for Prometheus.
    fn metrics(&self) -> String;
}

/// The time now, as answers write it.
pub fn timestamp() -> String {
    operations::stamp(operations::now())
}

/// A time in words, such as `3 hours`.
#[must_use]
pub fn duration(seconds: u64) -> String {
    match seconds {
        1 => "1 second".to_owned(),
        0..120 => format!("{seconds} seconds"),
        120..7200 => format!("{} minutes", seconds / 60),
        7200..172_800 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A future of a trait method.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The server is to go down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// When.
    pub at: Instant,
    /// It begins anew afterwards.
    pub restart: bool,
}

impl Order {
    /// What it is called: `restart` or `stop`.
    #[must_use]
    pub fn name(self) -> &'static str {
        if self.restart { "restart" } else { "stop" }
    }

    /// How long it is until then.
    #[must_use]
    pub fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }
}

/// Why the operator's command ends sessions; decides what their clients are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// `session kick`: the client may connect again.
    Kicked,
    /// The account was disabled.
    Disabled,
    /// The password was changed by the operator: the client must log in anew.
    Password,
}
