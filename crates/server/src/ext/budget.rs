//! Budgets against floods of strangers: how many people who are no contacts an account may write to,
//! and how much another domain may send to people who do not know its senders. And a budget of bytes:
//! what goes to one is bounded where it comes in, what goes to many is bounded here.
//!
//! Rooms have rates of their own (`ext::muc`), connections have theirs (`limits`).

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher as _,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use xmpp::{
    error::{Condition, ErrorType, StanzaError},
    jid::BareJid,
};

use super::{Extension, Inbound, Outbound};
use crate::{
    account::{AccountState, Resource},
    config::Config,
    limits::{Credit, Quota},
    router::{
        facts::MessageType,
        pipeline::{Flow, Pass},
    },
    server::Server,
};

/// Slows down those who write to everybody.
pub const EXTENSION: Extension = Extension {
    name: "budget",
    outbound: &[(Outbound::Admit, admit_outbound)],
    inbound: &[(Inbound::Admit, admit_inbound)],
    ..Extension::NOTHING
};

/// What was used up.
pub struct Budgets {
    /// Strangers that an account has written to, by account.
    accounts: Quota,
    /// Until when a conversation costs nothing more, by a number for account and stranger.
    spoken: Mutex<HashMap<u64, Instant>>,
    hasher: RandomState,
    /// Messages to strangers, by the domain they come from.
    domains: Quota,
    /// Strangers whom an account asked to become contacts, by account.
    contacts: Quota,
    /// Domains that this server did not talk to before, by account.
    domains_called: Quota,
    /// Bytes of items sent to subscribers at other domains, by who pays.
    items: Quota,
    /// Messages to owners about subscriptions that wait, by who pays.
    requests: Quota,
    /// Bytes that go to others because of somebody, by who pays, and through a room, by its address.
    spread: Credit,
}

impl Budgets {
    /// Nothing was used yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            accounts: Quota::new(config.abuse.strangers_per_hour, HOUR),
            spoken: Mutex::default(),
            hasher: RandomState::new(),
            domains: Quota::new(config.abuse.stranger_messages_per_hour, HOUR),
            contacts: Quota::new(contacts(config), HOUR),
            domains_called: Quota::new(NEW_DOMAINS, HOUR),
            items: Quota::new(ITEM_BYTES, HOUR),
            requests: Quota::new(REQUESTS, HOUR),
            spread: Credit::new(config.limits.fan_out_bytes_per_second),
        }
    }

    /// Takes the bounds of a configuration that was read again. What was used stays used.
    pub fn bound(&self, config: &Config) {
        self.accounts.set_limit(config.abuse.strangers_per_hour);
        self.domains.set_limit(config.abuse.stranger_messages_per_hour);
        self.contacts.set_limit(contacts(config));
        self.spread.set_rate(config.limits.fan_out_bytes_per_second);
    }

    /// Somebody publishes for subscribers at other domains, which makes so many bytes. `false` when
    /// that is too much.
    #[must_use]
    pub fn send(&self, payer: &str, bytes: u64, now: Instant) -> bool {
        self.items.take_many(payer, bytes, now)
    }

    /// Somebody's subscription waits for an owner, who would be told. `false` when that is one too
    /// many.
    #[must_use]
    pub fn ask(&self, payer: &str, now: Instant) -> bool {
        self.requests.take(payer, now)
    }

    /// An account asks a stranger to become a contact. `false` when that is one too many.
    #[must_use]
    pub fn asks(&self, account: &BareJid, now: Instant) -> bool {
        self.contacts.take(account, now)
    }

    /// Somebody at another domain asks a stranger here, which counts as much as a message. `false` when
    /// that is one too many.
    #[must_use]
    pub fn asked_from(&self, domain: &str, now: Instant) -> bool {
        self.domains.take(domain, now)
    }

    /// An account has this server look for another domain. `false` when that is one too many.
    #[must_use]
    pub fn calls(&self, account: &BareJid, now: Instant) -> bool {
        self.domains_called.take(account, now)
    }

    /// An account writes to a stranger. `false` when that is one too many.
    fn write(&self, account: &BareJid, stranger: &BareJid, now: Instant) -> bool {
        let conversation = self.hasher.hash_one((account, stranger));
        let mut spoken = self.spoken.lock();
        if spoken.get(&conversation).is_some_and(|until| *until > now) {
            return true;
        }
        if !self.accounts.take(account, now) {
            return false;
        }
        if spoken.len() >= MOST_CONVERSATIONS {
            spoken.retain(|_, until| *until > now);
        }
        // When there is no room to remember it, each message costs something.
        if spoken.len() < MOST_CONVERSATIONS {
            spoken.insert(conversation, now + HOUR);
        }
        true
    }
}

/// Strangers whom an account may ask in an hour. Who comes from elsewhere asks everybody they know, so it is
/// more than they may write to.
fn contacts(config: &Config) -> u64 {
    config.abuse.strangers_per_hour.saturating_mul(5)
}

const HOUR: Duration = Duration::from_secs(60 * 60);
const MOST_CONVERSATIONS: usize = 50_000;
/// A room, and the people of another domain together, may send so many times what one account may.
const MANY: u64 = 20;
/// Bytes of items that one account, or one other domain, has sent to other domains in an hour: a
/// thousand subscribers, and a page of text for them every minute.
const ITEM_BYTES: u64 = 256 * 1024 * 1024;
/// Domains that one account may have looked for in an hour, which are not talked to anyway.
const NEW_DOMAINS: u64 = 200;
/// Times in an hour that one account, or one other domain, has owners of nodes asked.
const REQUESTS: u64 = 30;

/// Whether somebody may invite somebody to a room of this server: strangers read it as a message of
/// theirs.
#[must_use]
pub fn may_invite(server: &Server, inviter: &BareJid, invitee: &BareJid) -> bool {
    may_reach(server, inviter, invitee)
}

/// Whether somebody may have what is published brought to somebody who did not ask for it: strangers read it
/// as messages of theirs.
///
/// # Errors
/// What they are told otherwise.
pub fn may_subscribe(
    server: &Server,
    owner: &BareJid,
    subscriber: &BareJid,
) -> Result<(), StanzaError> {
    if owner == subscriber || is_service(server, owner) || may_reach(server, owner, subscriber) {
        return Ok(());
    }
    let error = StanzaError::new(Condition::PolicyViolation).with_type(ErrorType::Wait);
    Err(error.with_text("you subscribed many people who are not your contacts; try again later"))
}

/// Whether what somebody does reaches a stranger, as one of those whom they may write to in an hour.
fn may_reach(server: &Server, inviter: &BareJid, invitee: &BareJid) -> bool {
    if !server.config().limits.throttle {
        return true;
    }
    let domain = inviter.domain().as_str();
    if domain != server.domain() {
        return server.budgets.domains.take(domain, Instant::now());
    }
    let knows =
        |account: std::sync::Arc<crate::account::Account>| account.lock().roster.contains(invitee);
    server.loaded(inviter).is_some_and(knows)
        || server.budgets.write(inviter, invitee, Instant::now())
}

/// What is told whose invitation is one too many.
#[must_use]
pub fn too_many_invitations() -> StanzaError {
    StanzaError::new(Condition::PolicyViolation).with_type(ErrorType::Wait)
}

/// Whose budget pays for somebody: the account's own one, or that of another domain.
#[must_use]
pub fn payer<'a>(server: &Server, who: &'a BareJid) -> &'a str {
    let domain = who.domain();
    if domain.as_str() == server.domain() { who.as_str() } else { domain.as_str() }
}

/// Whether more may go to many because of somebody, who owes for what went before.
///
/// # Errors
/// What they are told otherwise.
pub fn may_spread(server: &Server, who: &BareJid) -> Result<(), StanzaError> {
    let Some((payer, times)) = payer_of_bytes(server, who) else { return Ok(()) };
    if server.budgets.spread.has(payer, times, Instant::now()) {
        return Ok(());
    }
    let error = StanzaError::new(Condition::PolicyViolation).with_type(ErrorType::Wait);
    Err(error.with_text("you sent much to many; try again later"))
}

/// As [`may_spread`], for everybody in a room together.
///
/// # Errors
/// What whoever sends something is told otherwise.
pub fn room_may_spread(server: &Server, room: &BareJid) -> Result<(), StanzaError> {
    let throttle = server.config().limits.throttle;
    if !throttle || server.budgets.spread.has(room.as_str(), MANY, Instant::now()) {
        return Ok(());
    }
    let error = StanzaError::new(Condition::ResourceConstraint).with_type(ErrorType::Wait);
    Err(error.with_text("too much is written here at once"))
}

/// So many bytes went to others because of somebody.
pub fn spread(server: &Server, who: &BareJid, bytes: u64) {
    if bytes > 0
        && let Some((payer, times)) = payer_of_bytes(server, who)
    {
        server.budgets.spread.spend(payer, times, bytes, Instant::now());
    }
}

/// So many bytes went to the occupants of a room.
pub fn room_spread(server: &Server, room: &BareJid, bytes: u64) {
    if bytes > 0 && server.config().limits.throttle {
        server.budgets.spread.spend(room.as_str(), MANY, bytes, Instant::now());
    }
}

/// Whose budget of bytes pays for somebody, and how many accounts it stands for. Nobody's does for the
/// programs of the operator, and where nothing is limited.
fn payer_of_bytes<'a>(server: &Server, who: &'a BareJid) -> Option<(&'a str, u64)> {
    let domain = who.domain().as_str();
    if !server.config().limits.throttle || is_service(server, who) {
        return None;
    }
    let times = if domain == server.domain() { 1 } else { MANY };
    Some((payer(server, who), times))
}

/// Counts what people would read, in whatever type of message. Answers, receipts and errors are nobody's flood.
fn counts(pass: &Pass<'_>) -> bool {
    let facts = pass.facts;
    (facts.body || facts.subject || facts.encrypted || facts.call || facts.invitation)
        && facts.kind != MessageType::Error
        && pass.server.config().limits.throttle
}

fn admit_outbound(pass: &mut Pass<'_>) -> Flow {
    let to = pass.to.to_bare();
    let known = pass.to_self() || to.node().is_none() || knows(pass.state, &to);
    if known || !counts(pass) || is_service(pass.server, &to) {
        return Flow::Continue;
    }
    if pass.server.budgets.write(pass.account.jid(), &to, Instant::now()) {
        return Flow::Continue;
    }
    refuse("you wrote to many people who are not your contacts; try again later")
}

fn admit_inbound(pass: &mut Pass<'_>) -> Flow {
    let domain = pass.sender.domain().as_str();
    let known =
        pass.session.is_some() || domain == pass.server.domain() || knows(pass.state, pass.sender);
    if known || !counts(pass) || is_service(pass.server, pass.sender) {
        return Flow::Continue;
    }
    if pass.server.budgets.domains.take(domain, Instant::now()) {
        return Flow::Continue;
    }
    refuse(
        "your server sent many messages to people who do not know their senders; try again later",
    )
}

/// Whether somebody is a contact, or a room (or a person) that one of the account's devices shows itself to.
pub(super) fn knows(state: &AccountState, who: &BareJid) -> bool {
    let shown = |resource: &Resource| resource.directed.iter().any(|to| to.to_bare() == *who);
    state.roster.contains(who) || state.resources.iter().any(shown)
}

/// Rooms and programs of the operator have rules of their own.
pub(super) fn is_service(server: &Server, jid: &BareJid) -> bool {
    let config = server.config();
    let domain = jid.domain().as_str();
    config.components.hosts.contains(domain) || config.rooms.is_at(domain, server.domain())
}

fn refuse(text: &str) -> Flow {
    let error = StanzaError::new(Condition::PolicyViolation).with_type(ErrorType::Wait);
    Flow::Refuse(error.with_text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_no_way_around_the_budget() {
        let budgets = Budgets::new(&Config::parse("domain = \"a.example\"").unwrap());
        let now = Instant::now();
        assert!(budgets.send("me@a.example", ITEM_BYTES, now));
        assert!(!budgets.send("me@a.example", 1, now));
        assert!(budgets.send("other@a.example", 1, now));
        assert!(budgets.send("me@a.example", 1, now + HOUR * 2));
        assert!((0..REQUESTS).all(|_| budgets.ask("b.example", now)));
        assert!(!budgets.ask("b.example", now));
    }

    #[test]
    fn other_bounds_count_at_once() {
        let config = |most: u64| {
            let text = format!("domain = \"a.example\"\n[abuse]\nstrangers_per_hour = {most}");
            Config::parse(&text).unwrap()
        };
        let budgets = Budgets::new(&config(1));
        let (me, now) = (BareJid::new("me@a.example").unwrap(), Instant::now());
        let write = |who: &str| budgets.write(&me, &BareJid::new(who).unwrap(), now);
        assert!(write("one@b.example") && !write("two@b.example"));
        budgets.bound(&config(2));
        assert!(write("two@b.example") && !write("three@b.example"));
        budgets.bound(&config(1));
        assert!(!write("three@b.example"));
    }

    #[test]
    fn requests_to_become_contacts_have_an_end() {
        let text = "domain = \"a.example\"\n[abuse]\nstrangers_per_hour = 2\n\
                    stranger_messages_per_hour = 3";
        let budgets = Budgets::new(&Config::parse(text).unwrap());
        let (me, now) = (BareJid::new("me@a.example").unwrap(), Instant::now());
        assert!((0..10).all(|_| budgets.asks(&me, now)));
        assert!(!budgets.asks(&me, now) && budgets.asks(&me, now + HOUR * 2));
        assert!((0..NEW_DOMAINS).all(|_| budgets.calls(&me, now)) && !budgets.calls(&me, now));
        assert!((0..3).all(|_| budgets.asked_from("b.example", now)));
        assert!(!budgets.asked_from("b.example", now) && budgets.asked_from("c.example", now));
    }

    #[test]
    fn a_conversation_counts_once_and_a_flood_ends() {
        let text = "domain = \"a.example\"\n[abuse]\nstrangers_per_hour = 10";
        let budgets = Budgets::new(&Config::parse(text).unwrap());
        let (me, now) = (BareJid::new("me@a.example").unwrap(), Instant::now());
        let stranger = |n: u32| BareJid::new(&format!("u{n}@b.example")).unwrap();
        for n in 0..10 {
            assert!(budgets.write(&me, &stranger(n), now), "{n}");
            assert!(budgets.write(&me, &stranger(n), now), "and again");
        }
        assert!(!budgets.write(&me, &stranger(10), now));
        assert!(!budgets.write(&me, &stranger(10), now), "trying again does not help");
        assert!(budgets.write(&me, &stranger(3), now), "who is known stays known");
        let other = BareJid::new("other@a.example").unwrap();
        assert!(budgets.write(&other, &stranger(10), now));
        assert!(budgets.write(&me, &stranger(11), now + HOUR * 2));
    }
}
