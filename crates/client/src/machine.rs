//! The core itself: one input, one step.

use xmpp::jid::BareJid;

use crate::command::Request;
use crate::cx::{Cx, Step};
use crate::effect::{Effect, Input, Now};
use crate::features::{self, Feature, Hook};
use crate::promises::{self, Kept};
use crate::rng::Rng;
use crate::store::{Login, Store, StoreError};
use crate::timers::Timers;
use crate::view::Problem;
use crate::{account, iq, link, outbox, timeline};

/// What the program is, for others to see where it may be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The program, `Clownfish`.
    pub software: String,
    /// What the owner calls this device, `laptop`. Told to the own server only.
    pub device: String,
    /// The kind of program, as service discovery names it: `console`, `web`, `phone`.
    pub kind: String,
}

/// The core of a client: one account, one store.
///
/// After an error the core is in no defined state: drop it, and build another from the store.
pub struct Client {
    store: Box<dyn Store + Send>,
    options: Options,
    rng: Rng,
    state: State,
}

/// What is remembered while the program runs.
#[derive(Default)]
pub(crate) struct State {
    /// The login, as it is stored.
    pub(crate) login: Option<Login>,
    /// The connection and the session.
    pub(crate) link: link::Link,
    /// Questions that wait for an answer.
    pub(crate) iq: iq::Table,
    /// What happens later.
    pub(crate) timers: Timers,
    /// What is being sent.
    pub(crate) outbox: outbox::State,
    /// What the user was promised.
    pub(crate) promises: promises::State,
    /// Everything is to be removed at the end of the step.
    pub(crate) wipe: bool,
    /// How many transfers were begun.
    pub(crate) transfers: u64,
    /// The memory of the features.
    pub(crate) features: features::State,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let address = self.state.login.as_ref().map(|login| &login.address);
        f.debug_struct("Client").field("address", &address).finish_non_exhaustive()
    }
}

impl Client {
    /// Builds the core from what is stored. `seed` is 32 random bytes of the system that nothing
    /// else uses.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn new(
        store: Box<dyn Store + Send>,
        options: Options,
        seed: [u8; 32],
    ) -> Result<Client, StoreError> {
        let login = store.login()?;
        let me = login.as_ref().map(|login| &login.address);
        let state = State {
            features: features::State::load(&*store, me)?,
            outbox: outbox::State::load(&*store)?,
            promises: promises::State::load(&*store)?,
            login,
            ..State::default()
        };
        Ok(Client { store, options, rng: Rng::new(seed), state })
    }

    /// Takes one input and everything that is due. What it causes is on disk before the effects are
    /// returned; the driver carries them out in their order.
    ///
    /// # Errors
    /// The store refuses. The step did not happen: drop this core, build a new one from the store,
    /// and go on with a new connection.
    pub fn handle(&mut self, now: Now, input: Input) -> Result<Vec<Effect>, StoreError> {
        self.handle_all(now, [input])
    }

    /// Takes inputs that wait together as one step: one commit for all of them, then the effects of
    /// all. For drivers whose commits are slow and whose inputs come in small pieces, such as
    /// messages of a WebSocket. Nothing comes after a logout.
    ///
    /// # Errors
    /// As [`Client::handle`]; none of the inputs happened.
    pub fn handle_all(
        &mut self,
        now: Now,
        inputs: impl IntoIterator<Item = Input>,
    ) -> Result<Vec<Effect>, StoreError> {
        self.store.begin()?;
        let mut effects = Vec::new();
        match self.step(now, inputs, &mut effects) {
            Ok(()) if self.state.wipe => {
                self.store.rollback();
                self.store.wipe()?;
                self.state = State::default();
                Ok(effects)
            }
            Ok(()) => {
                self.store.commit()?;
                Ok(link::join_sends(&self.state.link, effects))
            }
            Err(error) => {
                self.store.rollback();
                Err(error)
            }
        }
    }

    /// A picture by the name that an account or a contact has for it, SHA-1 of its bytes.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn picture(&self, avatar: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.media(avatar)
    }

    /// The moment of the steady clock at which [`Input::Tick`] is wanted.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let state = &self.state;
        [state.timers.deadline(), state.iq.deadline(), link::deadline(&state.link)]
            .into_iter()
            .flatten()
            .min()
    }

    fn step(
        &mut self,
        now: Now,
        inputs: impl IntoIterator<Item = Input>,
        effects: &mut Vec<Effect>,
    ) -> Step {
        for input in inputs {
            self.take(now, input, effects)?;
            if self.state.wipe {
                return Ok(());
            }
        }
        let Some(me) = self.address() else { return Ok(()) };
        let mut cx = self.cx(now, &me, effects);
        on_time(&mut cx)?;
        outbox::flush(&mut cx)?;
        link::finish_step(&mut cx);
        features::finish_step(&mut cx)?;
        promises::finish_step(&mut cx)
    }

    fn take(&mut self, now: Now, input: Input, effects: &mut Vec<Effect>) -> Step {
        let input = match input {
            Input::Command(request) => match account::before(self, request, effects)? {
                Some(request) => Input::Command(request),
                None => return Ok(()),
            },
            input => input,
        };
        let Some(me) = self.address() else { return Ok(()) };
        on_input(&mut self.cx(now, &me, effects), input)
    }

    fn address(&self) -> Option<BareJid> {
        self.state.login.as_ref().map(|login| login.address.clone())
    }

    fn cx<'a>(&'a mut self, now: Now, me: &'a BareJid, effects: &'a mut Vec<Effect>) -> Cx<'a> {
        Cx {
            now,
            rng: &mut self.rng,
            store: &*self.store,
            options: &self.options,
            state: &mut self.state,
            me,
            effects,
        }
    }

    pub(crate) fn parts(&mut self) -> (&dyn Store, &mut State, &mut Rng) {
        (&*self.store, &mut self.state, &mut self.rng)
    }
}

fn on_input(cx: &mut Cx<'_>, input: Input) -> Step {
    match input {
        Input::Start => account::start(cx),
        Input::Command(request) => on_command(cx, request),
        Input::Transfer(id, event) => {
            for feature in features::ALL {
                if let Some(transfer) = feature.transfer
                    && transfer(cx, id, &event)?
                {
                    break;
                }
            }
            Ok(())
        }
        Input::Connected { tls, framing } => link::on_connected(cx, tls, framing),
        Input::TlsStarted(tls) => link::on_tls(cx, tls),
        Input::Received(bytes) => link::on_bytes(cx, &bytes),
        Input::Disconnected(lost) => link::on_disconnected(cx, lost),
        Input::NetworkChanged => link::on_network_changed(cx),
        Input::Tick => Ok(()),
    }
}

/// A command goes to the first feature that knows it.
fn on_command(cx: &mut Cx<'_>, request: Request) -> Step {
    let number = request.number;
    match promises::make(cx, &request)? {
        Err(problem) => {
            cx.failed(number, problem);
            return Ok(());
        }
        Ok(Kept::Yes) if !cx.online() => {
            cx.state.features.deferred.push(request);
            return Ok(());
        }
        Ok(_) => {}
    }
    let known = account::command(cx, number, request.command)?;
    let known = match known {
        Some(command) => timeline::command(cx, number, command)?,
        None => None,
    };
    let Some(mut command) = known else { return Ok(()) };
    for feature in features::ALL {
        let Some(hook) = feature.command else { continue };
        match hook(cx, number, command)? {
            Some(unknown) => command = unknown,
            None => return Ok(()),
        }
    }
    cx.failed(number, Problem::Unsupported("this program has no such function".to_owned()));
    Ok(())
}

/// There is a session: what waited for it is carried out.
pub(crate) fn run_deferred(cx: &mut Cx<'_>) -> Step {
    for request in std::mem::take(&mut cx.state.features.deferred) {
        on_command(cx, request)?;
    }
    Ok(())
}

/// What is due by now, however late it is.
fn on_time(cx: &mut Cx<'_>) -> Step {
    link::on_time(cx)?;
    while let Some(then) = cx.state.iq.expired(cx.now.steady) {
        then(cx, iq::Answer::Lost)?;
    }
    // A timer that sets another one for the same moment must not keep the step from ending.
    for _ in 0..MAX_TIMERS_A_STEP {
        let Some(then) = cx.state.timers.pop(cx.now.steady) else { break };
        then(cx)?;
    }
    Ok(())
}

/// Calls a hook of every feature.
pub(crate) fn each(cx: &mut Cx<'_>, hook: fn(&Feature) -> Option<Hook>) -> Step {
    for feature in features::ALL {
        if let Some(hook) = hook(feature) {
            hook(cx)?;
        }
    }
    Ok(())
}

/// More timers than this in one step wait for the next one, which is due at once.
const MAX_TIMERS_A_STEP: usize = 256;
