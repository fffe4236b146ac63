//! One account at work, for whoever wants an answer before going on.
//!
//! A [`Port`] starts the driver and looks at everything it says: answers to its own requests go to
//! whoever waits for them, the rest is passed on.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use client::view::{Account, Change, Connection, Outcome, Problem, Room, RoomState};
use client::{Command, Options};
use client_sqlite::{OpenError, Unlock};
use xmpp::jid::BareJid;

use crate::driver::{Config, Driver, Output, Ways, tls};
use crate::failure::Failure;
use crate::profile::Profile;

/// An account at work.
#[derive(Debug)]
pub struct Port {
    driver: Driver,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    account: Option<Account>,
    rooms: BTreeMap<BareJid, Room>,
    waiting: HashMap<u64, SyncSender<Outcome>>,
    /// The store refuses.
    storage: Option<String>,
}

/// What the program tells about itself.
#[must_use]
pub fn options() -> Options {
    let device = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let device = device.trim().split('.').next().unwrap_or_default().to_owned();
    Options {
        software: "Clownfish".to_owned(),
        device: if device.is_empty() { "terminal".to_owned() } else { device },
        kind: "console".to_owned(),
    }
}

impl Port {
    /// Starts an account. `output` takes what is not an answer to a [`call`](Self::call), on the
    /// core's thread: it must not wait for long.
    ///
    /// # Errors
    /// The store cannot be opened.
    pub fn start(
        profile: &Profile,
        unlock: Unlock,
        ways: Ways,
        output: impl FnMut(Output) + Send + 'static,
    ) -> Result<Self, OpenError> {
        Self::over(Config {
            store: profile.opener(unlock),
            place: profile.folder().to_owned(),
            options: options(),
            ways,
            output: Box::new(output),
        })
    }

    fn over(mut config: Config) -> Result<Self, OpenError> {
        let shared = Arc::<Shared>::default();
        let (seen, mut output) = (Arc::clone(&shared), config.output);
        config.output = Box::new(move |said| seen.observe(said).into_iter().for_each(&mut output));
        Ok(Self { driver: Driver::start(config)?, shared })
    }

    /// Gives a command to the core; its end is passed on with this number.
    pub fn request(&self, command: Command) -> u64 {
        self.driver.request(command)
    }

    /// The same, without waiting: `None` when the core is too busy.
    pub fn try_request(&self, command: Command) -> Option<u64> {
        self.driver.try_request(command)
    }

    /// Gives a command to the core with a number of the caller's, from
    /// [`FIRST_OWN_NUMBER`](crate::driver::FIRST_OWN_NUMBER) on. `false` when the core is too busy.
    pub fn try_submit(&self, number: u64, command: Command) -> bool {
        self.driver.try_submit(number, command)
    }

    /// Carries out a command and waits for its end.
    ///
    /// # Errors
    /// It does not end in time.
    pub fn call(&self, command: Command, until: Instant) -> Result<Outcome, Failure> {
        let (sender, answer) = sync_channel(1);
        let number = self.driver.number();
        self.shared.state().waiting.insert(number, sender);
        self.driver.submit(number, command);
        let outcome = receive(&answer, until);
        if outcome.is_err() {
            self.shared.state().waiting.remove(&number);
        }
        outcome
    }

    /// Connects now, where the next try is a while away: somebody wants something.
    pub fn hurry(&self) {
        let waiting = |account: &Account| matches!(account.connection, Connection::Waiting { .. });
        if self.shared.state().account.as_ref().is_some_and(waiting) {
            self.driver.submit(self.driver.number(), Command::Reconnect);
        }
    }

    /// Waits until there is a session and nothing is missing.
    ///
    /// # Errors
    /// There is none in time, or never without somebody doing something.
    pub fn wait_online(&self, until: Instant) -> Result<Account, Failure> {
        let mut state = self.shared.state();
        loop {
            match state.account.as_ref().map(|account| (&account.connection, account)) {
                Some((Connection::Online, account)) => return Ok(account.clone()),
                Some((Connection::Refused(reason), _)) => {
                    return Err(Failure::Login(reason.clone()));
                }
                Some((Connection::Untrusted { problem, fingerprint }, _)) => {
                    let fingerprint = tls::shown(fingerprint);
                    return Err(Failure::Certificate { problem: problem.clone(), fingerprint });
                }
                _ => {}
            }
            if let Some(reason) = &state.storage {
                return Err(Failure::Storage(reason.clone()));
            }
            let wait = until.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                return Err(not_online(state.account.as_ref()));
            }
            let waited = self.shared.changed.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The rooms that are known, as soon as none is about to be entered, or after a while.
    #[must_use]
    pub fn wait_rooms(&self, until: Instant) -> Vec<Room> {
        let until = until.min(Instant::now() + ENTERING);
        let mut state = self.shared.state();
        loop {
            let wait = until.saturating_duration_since(Instant::now());
            let entering = state.rooms.values().any(|room| room.state == RoomState::Entering);
            if !entering || wait.is_zero() {
                return state.rooms.values().cloned().collect();
            }
            let waited = self.shared.changed.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The own account, as it was last told.
    #[must_use]
    pub fn account(&self) -> Option<Account> {
        self.shared.state().account.clone()
    }
}

fn receive(answer: &Receiver<Outcome>, until: Instant) -> Result<Outcome, Failure> {
    let wait = until.saturating_duration_since(Instant::now());
    answer.recv_timeout(wait).map_err(|error| match error {
        RecvTimeoutError::Timeout => Failure::Timeout("there was no answer in time".to_owned()),
        RecvTimeoutError::Disconnected => Failure::Other("the program is ending".to_owned()),
    })
}

fn not_online(account: Option<&Account>) -> Failure {
    match account.map(|account| &account.connection) {
        Some(Connection::Waiting { reason, .. }) => Failure::Network(reason.clone()),
        Some(Connection::Offline) => Failure::Network("the account is offline".to_owned()),
        None => Failure::Login("there is no account here yet: clownfish login".to_owned()),
        _ => Failure::Timeout("the server did not answer in time".to_owned()),
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note, and gives back what is for others.
    fn observe(&self, said: Output) -> Option<Output> {
        let mut state = self.state();
        match &said {
            Output::View(Change::Account(account)) => {
                state.storage = None;
                state.account = Some(account.clone());
                self.changed.notify_all();
            }
            Output::View(Change::Room(room)) => {
                state.rooms.insert(room.address.clone(), (**room).clone());
                self.changed.notify_all();
            }
            Output::View(Change::RoomRemoved(address)) => {
                state.rooms.remove(address);
                self.changed.notify_all();
            }
            Output::Storage(reason) => {
                state.storage = Some(reason.clone());
                self.changed.notify_all();
            }
            _ => {}
        }
        match said {
            Output::Done(number, outcome) => match state.waiting.remove(&number) {
                // Whoever waited may have gone.
                Some(waiting) => {
                    let _ = waiting.send(outcome);
                    None
                }
                None => Some(Output::Done(number, outcome)),
            },
            said => Some(said),
        }
    }
}

/// How long a room is waited for that does not answer.
const ENTERING: Duration = Duration::from_secs(10);

/// What went wrong with a command, sorted for scripts.
pub(crate) fn failed(problem: Problem) -> Failure {
    let words = problem.to_string();
    match problem {
        Problem::NotEncryptable(_) => Failure::NotEncryptable(words),
        Problem::Login(_)
        | Problem::Unreachable(_)
        | Problem::NameTaken
        | Problem::NotInvited(_) => Failure::Login(words),
        Problem::Timeout => Failure::Timeout(words),
        Problem::Storage(_) => Failure::Storage(words),
        Problem::Invalid(_) | Problem::Unknown(_) => Failure::Usage(words),
        Problem::Refused(_)
        | Problem::Unsupported(_)
        | Problem::Transfer(_)
        | Problem::Cancelled => Failure::Other(words),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::mpsc::channel;

    use client::store::conformance::profile::login;
    use client::store::{Login, MemoryStore, Profile as _, Store};

    use super::*;

    /// A bound for what takes a moment.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// An account whose server is not there, and what it says of its connection.
    fn port() -> (Port, Receiver<Connection>) {
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let store = MemoryStore::new();
        store.save_login(&Login { server: Some(nobody), pinned: None, ..login("secret") }).unwrap();
        let (sender, said) = channel();
        let port = Port::over(Config {
            store: Box::new(move || Ok(Box::new(store.clone()) as Box<dyn Store + Send>)),
            place: "/proc/self".into(),
            options: options(),
            ways: Ways { trust: tls::Trust::system(), proxy: None, isolation: String::new() },
            output: Box::new(move |output| {
                if let Output::View(Change::Account(account)) = output {
                    drop(sender.send(account.connection));
                }
            }),
        });
        (port.unwrap(), said)
    }

    fn wait(said: &Receiver<Connection>, wanted: impl Fn(&Connection) -> bool) {
        while !wanted(&said.recv_timeout(PATIENCE).expect("it is said in time")) {}
    }

    #[test]
    fn who_hurries_does_not_wait_for_the_next_try() {
        let (port, said) = port();
        // Each wait is twice as long as the one before it: the sixth is longer than our patience.
        for _ in 0..8 {
            wait(&said, |is| matches!(is, Connection::Waiting { .. }));
            port.hurry();
            wait(&said, |is| *is == Connection::Connecting);
        }
    }

    #[test]
    fn who_hurries_does_not_connect_what_was_disconnected() {
        let (port, said) = port();
        wait(&said, |is| matches!(is, Connection::Waiting { .. }));
        let until = Instant::now() + PATIENCE;
        assert_eq!(port.call(Command::Disconnect, until), Ok(Outcome::Done));
        wait(&said, |is| *is == Connection::Offline);
        port.hurry();
        // The core carries out one thing after the other.
        let draft = Command::Draft(BareJid::new("romeo@example.org").unwrap(), "Ay me".into());
        assert_eq!(port.call(draft, until), Ok(Outcome::Done));
        assert_eq!(said.try_iter().find(|is| *is != Connection::Offline), None);
    }
}
