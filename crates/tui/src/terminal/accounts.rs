//! The accounts at work, each with a core on its own thread.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use client::effect::LocalFile;
use client::store::Login;
use client::view::{Outcome, Problem};
use client::{Command, Request};
use client_sqlite::{Keyring, Unlock};

use super::Incoming;
use crate::cli::Shared;
use crate::cli::login::Reach;
use crate::driver::{Output, files};
use crate::failure::Failure;
use crate::port::Port;
use crate::profile::{self, Attempt, Profile};
use crate::twin::{Twin, file_command};
use crate::ui::event::{AccountNumber, Event, FromCore, Place, Protection, SignIn};

/// The accounts at work.
pub(super) struct Accounts {
    shared: Shared,
    reach: Reach,
    sender: SyncSender<Incoming>,
    open: BTreeMap<AccountNumber, Account>,
    started: usize,
    /// Requests that end an account, or make one.
    logouts: HashMap<u64, AccountNumber>,
    logins: HashMap<u64, AccountNumber>,
    fetching: Fetching,
}

/// Where files are on their way to, by the requests that fetch them: several of one name may be at once, and
/// none of them has its name before it is whole.
#[derive(Default)]
struct Fetching(HashMap<u64, PathBuf>);

impl Fetching {
    /// A place in a folder for the file of a request.
    fn place(&mut self, request: u64, folder: &Path, name: &str) -> PathBuf {
        let path = files::free_path(folder, name, |path| self.0.values().any(|one| one == path));
        self.0.insert(request, path.clone());
        path
    }

    fn ended(&mut self, request: u64) {
        self.0.remove(&request);
    }
}

struct Account {
    profile: Profile,
    port: Arc<Port>,
    _twin: Option<Twin>,
    /// There was never a session: nothing is kept of it.
    attempt: Option<Attempt>,
}

impl Accounts {
    pub(super) fn new(shared: Shared, reach: Reach, sender: SyncSender<Incoming>) -> Accounts {
        Accounts {
            shared,
            reach,
            sender,
            open: BTreeMap::new(),
            started: 0,
            logouts: HashMap::new(),
            logins: HashMap::new(),
            fetching: Fetching::default(),
        }
    }

    /// Opens every account that is meant: the named one, or all of this machine. What keeps some of
    /// them closed is told in words.
    ///
    /// # Errors
    /// None of them can be opened.
    pub(super) fn open_all(&mut self) -> Result<(Vec<AccountNumber>, Vec<String>), Failure> {
        let profiles = match (&self.shared.profile, profile::root()) {
            (Some(folder), _) => vec![Profile::at(folder)],
            (None, Some(root)) => profile::list(&root),
            (None, None) => Vec::new(),
        };
        let mut numbers = Vec::new();
        let mut closed = Vec::new();
        for profile in profiles.into_iter().filter(Profile::exists) {
            let unlock = self.shared.unlock(&profile);
            match unlock.and_then(|unlock| self.start_soon(&profile, &unlock)) {
                Ok(number) => numbers.push(number),
                Err(failure) => closed.push((profile, failure)),
            }
        }
        if numbers.is_empty() && !closed.is_empty() {
            let (_, first) = closed.swap_remove(0);
            return Err(first);
        }
        let words = closed.into_iter().map(|(profile, failure)| {
            let folder = profile.folder().file_name().unwrap_or_default().to_string_lossy();
            format!("{folder} stays closed: {failure}")
        });
        Ok((numbers, words.collect()))
    }

    /// Starts an account. A program that is just ending, or a command, may have it for a moment.
    fn start_soon(&mut self, profile: &Profile, unlock: &Unlock) -> Result<AccountNumber, Failure> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.start(profile, unlock.clone()) {
                Err(Failure::InUse(_)) if Instant::now() < until => std::thread::sleep(AGAIN),
                done => return done,
            }
        }
    }

    fn start(&mut self, profile: &Profile, unlock: Unlock) -> Result<AccountNumber, Failure> {
        let number = AccountNumber(self.started);
        let ways = profile.ways().map_err(Failure::Usage)?;
        let sender = self.sender.clone();
        let output = move |said| {
            // The user interface may have ended; then nobody wants to know.
            let _ = sender.send(Incoming::Core(number, said));
        };
        let port = Arc::new(Port::start(profile, unlock, ways, output)?);
        let twin = Twin::serve(&profile.socket(), &port).ok();
        self.started += 1;
        let profile = profile.clone();
        self.open.insert(number, Account { profile, port, _twin: twin, attempt: None });
        Ok(number)
    }

    /// Gives a request to a core. What cannot be taken ends at once.
    pub(super) fn request(&mut self, number: AccountNumber, request: Request) -> Option<Event> {
        if matches!(request.command, Command::Logout | Command::DeleteAccount) {
            self.logouts.insert(request.number, number);
        }
        let account = self.open.get(&number)?;
        match account.port.try_submit(request.number, request.command) {
            true => None,
            false => {
                let words = "there is too much to do at the moment; try again".to_owned();
                Some(done(number, request.number, Problem::Invalid(words)))
            }
        }
    }

    /// Makes an account here, and logs in.
    pub(super) fn sign_in(&mut self, sign_in: SignIn) -> Vec<Event> {
        let mut events = Vec::new();
        let SignIn { address, password, protection, invitation, pinned, number: request } = sign_in;
        let place = match self.shared.place(&address) {
            Ok(place) => place,
            Err(failure) => return vec![failed(AccountNumber(self.started), request, &failure)],
        };
        let known = self.open.iter().find(|(_, account)| account.profile == place);
        // A program that was killed at its first login left an account that is nobody's yet.
        let fresh = |a: &Account| a.attempt.is_some() || a.port.account().is_none();
        let number = match known.map(|(number, account)| (*number, fresh(account))) {
            Some((number, true)) => number,
            None if !place.exists() => match self.make(&place, protection) {
                Ok(number) => {
                    events.push(Event::Account(number));
                    number
                }
                Err(failure) => {
                    return vec![failed(AccountNumber(self.started), request, &failure)];
                }
            },
            _ => {
                let failure = Failure::Usage("this account is here already".to_owned());
                return vec![failed(AccountNumber(self.started), request, &failure)];
            }
        };
        self.logins.insert(request, number);
        let login = Login {
            address,
            password: Some(password),
            server: self.reach.server.clone(),
            pinned,
            client_id: String::new(),
            token: None,
        };
        let command = match invitation {
            None => Command::Login(login),
            Some(invitation) => Command::Register {
                login,
                token: Some(invitation.token),
                inviter: invitation.inviter,
            },
        };
        events.extend(self.request(number, Request { number: request, command }));
        events
    }

    /// Makes a place for an account, which goes again unless there is a session some time.
    fn make(&mut self, place: &Profile, protection: Protection) -> Result<AccountNumber, Failure> {
        let unlock = match protection {
            Protection::Plain => Unlock::Plain,
            Protection::Passphrase(passphrase) => Unlock::Passphrase(passphrase),
            Protection::Keyring => Unlock::Keyring(Keyring::default()),
        };
        let attempt = place.attempt()?;
        let started = self.reach.keep(place).and_then(|()| self.start(place, unlock));
        match started {
            Ok(number) => {
                let account = self.open.get_mut(&number);
                if let Some(account) = account {
                    account.attempt = Some(attempt);
                }
                Ok(number)
            }
            Err(failure) => {
                attempt.failed(&failure);
                Err(failure)
            }
        }
    }

    /// Takes note of what a core says, and passes it on.
    pub(super) fn said(&mut self, number: AccountNumber, output: Output) -> Vec<Event> {
        match output {
            Output::View(change) => vec![Event::Core(number, FromCore::View(change))],
            Output::Viewed => Vec::new(),
            Output::Notify(note) => vec![Event::Core(number, FromCore::Notify(note))],
            Output::Anew => vec![Event::Core(number, FromCore::Anew)],
            Output::Kept(request) => vec![Event::Core(number, FromCore::Kept(request))],
            Output::Storage(reason) => {
                let text = format!("{reason}; trying again");
                vec![Event::Notice(crate::ui::event::Notice::bad(text))]
            }
            Output::Done(request, outcome) => {
                self.fetching.ended(request);
                let well = !matches!(outcome, Outcome::Failed(_));
                if let Some(number) = self.logins.remove(&request)
                    && let Some(account) = self.open.get_mut(&number).filter(|_| well)
                    && let Some(attempt) = account.attempt.take()
                {
                    attempt.keep();
                }
                let mut events = vec![Event::Core(number, FromCore::Done(request, outcome))];
                if let Some(number) = self.logouts.remove(&request).filter(|_| well) {
                    self.remove(number);
                    events.push(Event::AccountGone(number));
                }
                events
            }
        }
    }

    /// Sends a file.
    pub(super) fn send_file(
        &mut self,
        number: AccountNumber,
        request: u64,
        to: &xmpp::jid::BareJid,
        path: &str,
        caption: Option<String>,
    ) -> Option<Event> {
        let path = at_home(path);
        let command = std::path::absolute(&path)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
            .and_then(|path| file_command(to.clone(), &path, caption, None));
        match command {
            Ok(command) => self.request(number, Request { number: request, command }),
            Err(failure) => Some(failed(number, request, &failure)),
        }
    }

    /// Fetches a file.
    pub(super) fn download(
        &mut self,
        number: AccountNumber,
        request: u64,
        message: client::store::MessageId,
        name: &str,
        into: Place,
    ) -> Option<Event> {
        let account = self.open.get(&number)?;
        let downloads = std::env::var_os("HOME").map(|home| PathBuf::from(home).join("Downloads"));
        let folder = match &into {
            Place::Folder(folder) => at_home(&folder.to_string_lossy()),
            Place::Account => account.profile.files(),
            Place::Downloads => {
                downloads.filter(|f| f.is_dir()).unwrap_or_else(|| account.profile.files())
            }
        };
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        let numbered = (into == Place::Account).then(|| format!("{}-{name}", message.0));
        let path = self.fetching.place(request, &folder, numbered.as_deref().unwrap_or(name));
        let file = LocalFile(path.to_string_lossy().into_owned());
        let command = Command::Download(message, file);
        let refused = self.request(number, Request { number: request, command });
        if refused.is_some() {
            self.fetching.ended(request);
        }
        refused
    }

    /// Ends an account and removes what it has here.
    fn remove(&mut self, number: AccountNumber) {
        let Some(account) = self.open.remove(&number) else { return };
        let removed = std::thread::Builder::new().name("logout".to_owned()).spawn(move || {
            let Account { profile, port, _twin, .. } = account;
            drop((_twin, port));
            let _ = profile.remove();
        });
        // Without a thread it is removed at the next logout.
        drop(removed);
    }

    /// Ends all accounts. What never got into one is not kept.
    pub(super) fn close(self) {
        for (_, Account { port, _twin, attempt, .. }) in self.open {
            drop((_twin, port));
            if let Some(attempt) = attempt {
                attempt.undo();
            }
        }
    }
}

fn done(number: AccountNumber, request: u64, problem: Problem) -> Event {
    Event::Core(number, FromCore::Done(request, Outcome::Failed(problem)))
}

fn failed(number: AccountNumber, request: u64, failure: &Failure) -> Event {
    done(number, request, Problem::Invalid(failure.to_string()))
}

/// A path as it is typed: `~` is the home folder.
fn at_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// How long to wait for an account that another program has.
const PATIENCE: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_name_that_are_fetched_at_once_do_not_take_each_others_place() {
        let folder = tempfile::tempdir().unwrap();
        let mut fetching = Fetching::default();
        let first = fetching.place(1, folder.path(), "image.jpg");
        let second = fetching.place(2, folder.path(), "image.jpg");
        assert_eq!(first, folder.path().join("image.jpg"));
        assert_eq!(second, folder.path().join("image (2).jpg"));
        // One that did not come leaves its place.
        fetching.ended(1);
        assert_eq!(fetching.place(3, folder.path(), "image.jpg"), first);
    }
}
