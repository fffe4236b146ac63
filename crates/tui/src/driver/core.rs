//! The thread of the core.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use client::effect::{Effect, Lost, TransferEvent, TransferId};
use client::store::{Store, StoreError};
use client::{Client, Command, Input, Now, Options, Request};
use client_sqlite::OpenError;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use xmpp::time::Millis;

use super::connect::Ways;
use super::connection::Link;
use super::http::Home;
use super::{Config, Message, Output, storage_failed, transfer};
use crate::disk;

pub(super) struct Core {
    open: Box<dyn FnMut() -> Result<Box<dyn Store + Send>, OpenError> + Send>,
    place: PathBuf,
    options: Options,
    ways: Ways,
    output: Box<dyn FnMut(Output) + Send>,
    runtime: Handle,
    inbox: mpsc::Sender<Message>,
    started: Instant,
    /// `None` between a failure of the store and the next try.
    client: Option<Client>,
    again_at: Instant,
    failures: u32,
    /// Why the store refused the last time.
    refusal: String,
    links: u64,
    link: Option<Link>,
    /// How the connection ended, when the core was not told yet.
    lost: Option<Lost>,
    /// Where the certificate is trusted that the user decided for.
    home: Option<Home>,
    transfers: HashMap<TransferId, AbortHandle>,
    /// Requests without an outcome yet.
    requests: BTreeSet<u64>,
}

impl Core {
    pub(super) fn new(
        config: Config,
        runtime: Handle,
        inbox: mpsc::Sender<Message>,
    ) -> Result<Self, OpenError> {
        let mut core = Self {
            open: config.store,
            place: config.place,
            options: config.options,
            ways: config.ways,
            output: config.output,
            runtime,
            inbox,
            started: Instant::now(),
            client: None,
            again_at: Instant::now(),
            failures: 0,
            refusal: String::new(),
            links: 0,
            link: None,
            lost: None,
            home: None,
            transfers: HashMap::new(),
            requests: BTreeSet::new(),
        };
        core.client = Some(core.build()?);
        Ok(core)
    }

    fn build(&mut self) -> Result<Client, OpenError> {
        let failed = |detail: String| OpenError::Access { path: "the store".into(), detail };
        let store = (self.open)()?;
        let seed = seed(getrandom::fill).map_err(failed)?;
        self.home = store.login().ok().flatten().and_then(|login| {
            let domain = login.address.domain().as_str().to_owned();
            login.pinned.map(|pinned| Home { domain, pinned })
        });
        let client = Client::new(store, self.options.clone(), seed);
        client.map_err(|error| failed(error.to_string()))
    }

    /// Works until it is told to stop.
    pub(super) fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        let runtime = self.runtime.clone();
        let _inside = runtime.enter();
        self.step(Input::Start);
        loop {
            let wait = self.deadline().map(|at| at.saturating_duration_since(Instant::now()));
            let message = match wait {
                Some(wait) => runtime.block_on(async {
                    tokio::time::timeout(wait, messages.recv()).await.map_err(|_| ())
                }),
                None => Ok(runtime.block_on(messages.recv())),
            };
            match message {
                Err(()) => self.on_time(),
                Ok(Some(Message::Stop) | None) => return self.stop(&mut messages),
                Ok(Some(message)) => self.on_message(message),
            }
        }
    }

    fn on_message(&mut self, message: Message) {
        match message {
            Message::Link(number, input) => self.on_link(number, *input),
            Message::Transfer(id, event) => {
                if !matches!(event, TransferEvent::Progress(_)) {
                    self.transfers.remove(&id);
                }
                self.step(Input::Transfer(id, event));
            }
            Message::Request(request) => self.on_request(*request),
            Message::NetworkChanged => self.step(Input::NetworkChanged),
            Message::Stop => {}
        }
    }

    /// What an earlier connection says is over.
    fn on_link(&mut self, number: u64, input: Input) {
        if self.link.as_ref().is_none_or(|link| link.number() != number) {
            return;
        }
        if matches!(input, Input::Disconnected(_)) {
            self.link = None;
        }
        self.step(input);
    }

    fn on_request(&mut self, request: Request) {
        if self.client.is_none() {
            let refused = storage_failed(&self.refusal);
            return (self.output)(Output::Done(request.number, refused));
        }
        self.requests.insert(request.number);
        self.step(Input::Command(request));
    }

    fn on_time(&mut self) {
        if self.client.is_some() {
            return self.step(Input::Tick);
        }
        match self.build() {
            Ok(client) => {
                self.client = Some(client);
                (self.output)(Output::Anew);
                self.step(Input::Start);
            }
            Err(OpenError::Full { path }) => self.wait(disk::full(&path)),
            Err(error) => self.wait(error.to_string()),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.client {
            Some(client) => client.deadline().map(|at| self.started + Duration::from_millis(at)),
            None => Some(self.again_at),
        }
    }

    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Now { wall: Millis(millis(wall)), steady: millis(self.started.elapsed()) }
    }

    fn step(&mut self, input: Input) {
        let mut next = Some(input);
        while let Some(input) = next {
            let now = self.now();
            let Some(client) = &mut self.client else { return };
            match client.handle(now, input) {
                Ok(effects) => {
                    self.failures = 0;
                    let viewed = effects.iter().any(|effect| matches!(effect, Effect::View(_)));
                    for effect in effects {
                        self.carry_out(effect);
                    }
                    if viewed {
                        (self.output)(Output::Viewed);
                    }
                }
                Err(error) => self.store_failed(&error),
            }
            next = self.lost.take().map(Input::Disconnected);
        }
    }

    /// Everything begins anew, from the last whole step.
    fn store_failed(&mut self, error: &StoreError) {
        self.client = None;
        self.link = None;
        self.lost = None;
        for (_, transfer) in self.transfers.drain() {
            transfer.abort();
        }
        let reason = match error {
            StoreError::Full => disk::full(&self.place),
            other => other.to_string(),
        };
        for number in std::mem::take(&mut self.requests) {
            (self.output)(Output::Done(number, storage_failed(&reason)));
        }
        self.wait(reason);
    }

    fn wait(&mut self, reason: String) {
        let wait = FIRST_WAIT.saturating_mul(1 << self.failures.min(6)).min(LONGEST_WAIT);
        self.failures = self.failures.saturating_add(1);
        self.again_at = Instant::now() + wait;
        self.refusal.clone_from(&reason);
        (self.output)(Output::Storage(reason));
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Connect(target) => {
                self.links += 1;
                self.lost = None;
                let domain = target.domain.clone();
                self.home = target.pinned.map(|pinned| Home { domain, pinned });
                let (ways, inbox) = (self.ways.clone(), self.inbox.clone());
                self.link = Some(Link::open(self.links, ways, target, inbox));
            }
            Effect::StartTls { domain, pinned } => {
                if let Some(link) = &self.link {
                    link.start_tls(domain, pinned);
                }
            }
            Effect::Send(bytes) => {
                let sent = self.link.as_ref().is_none_or(|link| link.send(bytes));
                if !sent {
                    self.lose(Lost::Network("the server takes nothing any more".to_owned()));
                }
            }
            Effect::Close => match &self.link {
                Some(link) => link.close(),
                None => self.lose(Lost::Closed),
            },
            Effect::Transfer(id, transfer) => self.transfer(id, transfer),
            Effect::CancelTransfer(id) => {
                if let Some(transfer) = self.transfers.remove(&id) {
                    transfer.abort();
                }
            }
            // Files are where the user put them.
            Effect::Forget(_) => {}
            // A terminal is not stopped without its program, which ends with what it waits for.
            Effect::Held(_) => {}
            Effect::Kept(number, _) => (self.output)(Output::Kept(number)),
            Effect::View(change) => (self.output)(Output::View(change)),
            Effect::Notify(notification) => (self.output)(Output::Notify(notification)),
            Effect::Done(number, outcome) => {
                self.requests.remove(&number);
                (self.output)(Output::Done(number, outcome));
            }
        }
    }

    /// The connection is over, whatever it will say. The core is told in a step of its own: this one
    /// is not over yet.
    fn lose(&mut self, lost: Lost) {
        self.link = None;
        self.lost.get_or_insert(lost);
    }

    fn transfer(&mut self, id: TransferId, transfer: client::effect::Transfer) {
        let (ways, home, inbox) = (self.ways.clone(), self.home.clone(), self.inbox.clone());
        let task = tokio::spawn(async move {
            let progress = Progress::new(id, inbox.clone());
            let report = |event| progress.tell(event);
            let end = transfer::run(&ways, home.as_ref(), transfer, &report).await;
            let _ = inbox.send(Message::Transfer(id, end)).await;
        });
        self.transfers.insert(id, task.abort_handle());
    }

    /// Takes leave of the server, as long as it listens.
    fn stop(mut self, messages: &mut mpsc::Receiver<Message>) {
        for (_, transfer) in self.transfers.drain() {
            transfer.abort();
        }
        if self.link.is_none() || self.client.is_none() {
            return;
        }
        self.step(Input::Command(Request { number: 0, command: Command::Disconnect }));
        let until = Instant::now() + LEAVE;
        let runtime = self.runtime.clone();
        while self.link.is_some() {
            let wait = until.saturating_duration_since(Instant::now());
            let next =
                runtime.block_on(async { tokio::time::timeout(wait, messages.recv()).await });
            match next {
                Ok(Some(Message::Link(number, input))) => self.on_link(number, *input),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }
}

/// Tells how far a transfer is, not more often than somebody looks.
struct Progress {
    id: TransferId,
    inbox: mpsc::Sender<Message>,
    last: std::sync::Mutex<Instant>,
}

impl Progress {
    fn new(id: TransferId, inbox: mpsc::Sender<Message>) -> Self {
        Self { id, inbox, last: std::sync::Mutex::new(Instant::now()) }
    }

    fn tell(&self, event: TransferEvent) {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if last.elapsed() >= PROGRESS {
            *last = Instant::now();
            // When the core is busy, the next one will do.
            let _ = self.inbox.try_send(Message::Transfer(self.id, event));
        }
    }
}

/// How long leaving may take.
const LEAVE: Duration = Duration::from_secs(3);
const PROGRESS: Duration = Duration::from_millis(200);
/// Waiting after the store refused.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Random bytes of the system for a core, or why there are none. Never zeros instead.
fn seed(fill: impl FnOnce(&mut [u8]) -> Result<(), getrandom::Error>) -> Result<[u8; 32], String> {
    let mut seed = [0; 32];
    fill(&mut seed).map_err(|error| format!("no randomness: {error}"))?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use super::seed;

    #[test]
    fn without_randomness_no_core_is_made() {
        assert!(seed(|_| Err(getrandom::Error::UNSUPPORTED)).is_err());
        let fill = |bytes: &mut [u8]| {
            bytes.fill(7);
            Ok(())
        };
        assert_eq!(seed(fill), Ok([7; 32]));
    }
}
