//! What a feature gets in a step.

use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::time::Millis;
use xmpp::xml::Element;

use crate::effect::{Effect, LocalFile, Now, Transfer, TransferId};
use crate::features::archive;
use crate::iq::Answer;
use crate::machine::{Options, State};
use crate::rng::Rng;
use crate::store::{Content, File, Store, StoreError};
use crate::timers::{self, TimerId};
use crate::view::{Change, Notification, Outcome, Problem};
use crate::{link, outbox, promises};

/// The result of everything that happens in a step: only the store can fail, and then the step did
/// not happen.
pub(crate) type Step<T = ()> = Result<T, StoreError>;

/// One step of the core: what it may look at, change and cause.
pub(crate) struct Cx<'a> {
    /// When the step happens.
    pub(crate) now: Now,
    /// The only source of randomness.
    pub(crate) rng: &'a mut Rng,
    /// What is kept. Everything written here and every effect of the step happen together.
    pub(crate) store: &'a dyn Store,
    /// What the program is.
    pub(crate) options: &'a Options,
    /// What is remembered while the program runs; it can be built anew from the store.
    pub(crate) state: &'a mut State,
    /// The account.
    pub(crate) me: &'a BareJid,
    pub(crate) effects: &'a mut Vec<Effect>,
}

impl Cx<'_> {
    /// The wall clock.
    pub(crate) fn time(&self) -> Millis {
        self.now.wall
    }

    /// When something happens that is shown: by the wall clock, but not before the last moment that
    /// the archive of the account told. A clock that was set back must not put what comes now before
    /// what was there.
    pub(crate) fn moment(&self) -> Millis {
        self.now.wall.max(archive::told(self))
    }

    /// Whether stanzas can be sent now.
    pub(crate) fn online(&self) -> bool {
        link::is_open(&self.state.link)
    }

    /// Sends a stanza that may be lost with the session. Nothing happens without one. Whatever
    /// must arrive goes through [`Cx::queue`].
    pub(crate) fn send(&mut self, stanza: &Element) {
        let bytes = stanza.to_bytes(ns::CLIENT);
        link::send_stanza(self, bytes, None);
    }

    /// Asks, and calls `then` with the answer: exactly once, at the latest when the session ends or
    /// after a minute. `None` asks the own account.
    pub(crate) fn iq(
        &mut self,
        to: Option<Jid>,
        set: bool,
        payload: Element,
        then: impl FnOnce(&mut Cx<'_>, Answer) -> Step + Send + 'static,
    ) -> Step {
        if self.state.link.session.is_none() {
            return then(self, Answer::Lost);
        }
        let id = self.rng.id();
        let stanza = Element::new("iq", ns::CLIENT)
            .with_attr("type", if set { "set" } else { "get" })
            .with_attr("id", &id)
            .with_attr_opt("to", to.as_ref().map(|to| to.as_str()))
            .with_child(payload);
        let until = self.now.steady.saturating_add(IQ_TIMEOUT);
        match self.state.iq.insert(id, to, until, Box::new(then)) {
            Ok(()) => {
                self.send(&stanza);
                Ok(())
            }
            Err(then) => then(self, Answer::Lost),
        }
    }

    /// Asks with `type='get'`: see [`Cx::iq`].
    pub(crate) fn iq_get(
        &mut self,
        to: Option<Jid>,
        payload: Element,
        then: impl FnOnce(&mut Cx<'_>, Answer) -> Step + Send + 'static,
    ) -> Step {
        self.iq(to, false, payload, then)
    }

    /// Asks with `type='set'`: see [`Cx::iq`].
    pub(crate) fn iq_set(
        &mut self,
        to: Option<Jid>,
        payload: Element,
        then: impl FnOnce(&mut Cx<'_>, Answer) -> Step + Send + 'static,
    ) -> Step {
        self.iq(to, true, payload, then)
    }

    /// Asks, and ends a request of the user with the answer: [`Outcome::Done`] or why not.
    pub(crate) fn iq_for(&mut self, number: u64, to: Option<Jid>, payload: Element) -> Step {
        if !self.online() {
            self.failed(number, Problem::Timeout);
            return Ok(());
        }
        self.iq_set(to, payload, move |cx, answer| {
            cx.done(number, answer.problem().map_or(Outcome::Done, Outcome::Failed));
            Ok(())
        })
    }

    /// Calls `then` after so many milliseconds, unless the program ends before.
    pub(crate) fn later(
        &mut self,
        milliseconds: u64,
        then: impl FnOnce(&mut Cx<'_>) -> Step + Send + 'static,
    ) -> TimerId {
        let then: timers::Then = Box::new(then);
        self.state.timers.add(self.now.steady.saturating_add(milliseconds), then)
    }

    /// Stops a timer.
    pub(crate) fn cancel(&mut self, timer: TimerId) {
        self.state.timers.cancel(timer);
    }

    /// Queues a message that must reach the server: see [`outbox::Outgoing`].
    pub(crate) fn queue(&mut self, outgoing: outbox::Outgoing) -> Step {
        outbox::enqueue(self, outgoing, None)
    }

    /// Queues a message, and calls `then` when the server has it or it was given up.
    pub(crate) fn queue_then(
        &mut self,
        outgoing: outbox::Outgoing,
        then: impl FnOnce(&mut Cx<'_>, Result<(), String>) -> Step + Send + 'static,
    ) -> Step {
        outbox::enqueue(self, outgoing, Some(Box::new(then)))
    }

    /// What kept a message from being protected is different now: the outbox tries again at the
    /// end of the step.
    pub(crate) fn wake_outbox(&mut self) {
        self.state.outbox.wake();
    }

    /// Starts a transfer; how it goes comes to the feature's `transfer` hook.
    pub(crate) fn transfer(&mut self, transfer: Transfer) -> TransferId {
        self.state.transfers += 1;
        let id = TransferId(self.state.transfers);
        self.effects.push(Effect::Transfer(id, transfer));
        id
    }

    /// The file of a message that is gone is of no use any more.
    pub(crate) fn forget_file(&mut self, content: &Content) {
        if let Content::File(File { local: Some(local), .. }, _) = content {
            self.effects.push(Effect::Forget(LocalFile(local.clone())));
        }
    }

    /// Something that can be seen is different.
    pub(crate) fn view(&mut self, change: Change) {
        self.effects.push(Effect::View(change));
    }

    /// Tells the user.
    pub(crate) fn notify(&mut self, notification: Notification) {
        self.effects.push(Effect::Notify(notification));
    }

    /// Says what the user is told later, unless it was seen by then.
    pub(crate) fn held(&mut self, notification: Notification) {
        self.effects.push(Effect::Held(notification));
    }

    /// Ends a request.
    pub(crate) fn done(&mut self, number: u64, outcome: Outcome) {
        if promises::ended(self, number, &outcome) {
            return;
        }
        self.effects.push(Effect::Done(number, outcome));
    }

    /// Ends a request that could not be carried out.
    pub(crate) fn failed(&mut self, number: u64, problem: Problem) {
        self.done(number, Outcome::Failed(problem));
    }
}

/// How long an answer is waited for, in milliseconds.
const IQ_TIMEOUT: u64 = 60_000;
