//! What every user of the server is told by it: a message of the day, and a welcome (XEP-0133 §4.20 to
//! §4.24 say how administrators choose them).
//!
//! A message of the day goes to each account once: at once where a device is there, to the others with
//! their next session. The welcome is for new accounts.

use std::{collections::HashMap, io, mem, path::Path, sync::Arc};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use store::AccountId;
use xmpp::{
    jid::BareJid,
    ns,
    stanza::Stanza,
    xml::{Element, Limits},
};

use super::{Extension, HookFuture, SessionHooks, document_of};
use crate::{account::Account, files, router::message, server::Server, session::Session};

/// Tells them when somebody comes online.
pub const EXTENSION: Extension = Extension {
    name: "notices",
    session: SessionHooks { available: Some(available), ..SessionHooks::NONE },
    ..Extension::NOTHING
};

/// What is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notices {
    /// The message of the day.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub day: Option<Day>,
    /// What new accounts are told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub welcome: Option<String>,
}

/// A message of the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// Which one it is: accounts are told each of them once.
    pub number: u64,
    /// Its text.
    pub text: String,
}

impl Notices {
    /// What was chosen; nothing when the file is not there.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn load(path: &Path) -> io::Result<Self> {
        files::load(path)
    }

    /// Keeps it for the next start.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        files::write_private(path, files::json(self)?.as_bytes())
    }
}

/// What a running server tells, and whom it has told. A field of the server.
#[derive(Debug, Default)]
pub struct Telling {
    notices: RwLock<Arc<Notices>>,
    /// The message of the day that each account was told last, as far as this process knows.
    told: Mutex<HashMap<AccountId, u64>>,
    /// New accounts that could not be welcomed, and how often that was tried.
    unwelcomed: Mutex<HashMap<BareJid, u32>>,
}

impl Telling {
    /// What is told from now on.
    pub fn set(&self, notices: Notices) {
        *self.notices.write() = Arc::new(notices);
    }

    fn current(&self) -> Arc<Notices> {
        self.notices.read().clone()
    }

    /// Whether an account is to be told a message of the day, which counts as done from now on.
    fn take(&self, account: AccountId, number: u64) -> bool {
        self.told.lock().insert(account, number) != Some(number)
    }

    /// It was not done after all, and is to be tried again.
    fn put_back(&self, account: AccountId, number: u64) {
        let mut told = self.told.lock();
        if told.get(&account) == Some(&number) {
            told.remove(&account);
        }
    }
}

/// Tells the accounts that have a device online the message of the day. Returns how many there were.
pub async fn tell_all(server: &Arc<Server>) -> usize {
    let mut told = 0;
    for account in server.accounts.all() {
        let online = account.lock().resources.iter().any(|resource| resource.available.is_some());
        if online && tell(server, &account).await {
            told += 1;
        }
    }
    told
}

fn available<'a>(server: &'a Arc<Server>, session: &'a Arc<Session>) -> HookFuture<'a> {
    Box::pin(async move {
        tell(server, &session.account).await;
    })
}

/// Tells an account the message of the day, if there is one that it was not told yet.
async fn tell(server: &Arc<Server>, account: &Account) -> bool {
    let notices = server.telling.current();
    let Some(day) = &notices.day else { return false };
    if !server.telling.take(account.id, day.number) {
        return false;
    }
    let number = Bytes::from(day.number.to_string());
    let told = match document_of(server, account.id, KEY).await {
        Ok(before) if before.as_ref() == Some(&number) => return false,
        Ok(_) => send(server, account.jid(), &day.text).await,
        Err(_) => false,
    };
    if !told {
        // With the next session, then.
        server.telling.put_back(account.id, day.number);
        return false;
    }
    // It is not the account's doing, so it needs no room.
    if let Err(error) = server.store.documents.save(account.id, KEY, number, u64::MAX).await {
        tracing::warn!(%error, "it could not be kept who was told the message of the day");
    }
    true
}

/// Welcomes a new account: the message waits for its first device.
pub async fn welcome(server: &Arc<Server>, account: &BareJid) {
    // An account of this name may have been there before.
    server.telling.unwelcomed.lock().remove(account);
    greet(server, account, 1).await;
}

/// Tries once more to welcome those who could not be. Called now and then.
pub async fn catch_up(server: &Arc<Server>) {
    if server.health.is_degraded() {
        return;
    }
    let waiting = mem::take(&mut *server.telling.unwelcomed.lock());
    for (account, tries) in waiting {
        greet(server, &account, tries + 1).await;
    }
}

async fn greet(server: &Arc<Server>, account: &BareJid, tries: u32) {
    let notices = server.telling.current();
    let Some(text) = &notices.welcome else { return };
    if send(server, account, text).await {
        return;
    }
    let mut unwelcomed = server.telling.unwelcomed.lock();
    if tries < MOST_TRIES && unwelcomed.len() < MOST_UNWELCOMED {
        unwelcomed.insert(account.clone(), tries);
    }
}

/// A message of the server that stays in the account's archive. `false` when it was not taken, or is not on disk.
async fn send(server: &Arc<Server>, to: &BareJid, text: &str) -> bool {
    let message = Element::new("message", ns::CLIENT)
        .with_attr("from", server.domain())
        .with_attr("to", to.as_str())
        .with_attr("type", "chat")
        .with_attr("id", server.fresh_id())
        .with_child(Element::new("body", ns::CLIENT).with_text(text));
    let Ok(message) = Stanza::parse(message.to_bytes(ns::CLIENT), &Limits::SERVER) else {
        return false;
    };
    let sent = Box::pin(message::send_and_wait(server, &to.clone().into(), &message)).await;
    if let Err(error) = &sent {
        tracing::debug!(error = error.condition.name(), "a notice was not taken");
    }
    sent.is_ok()
}

/// The document that says which message of the day an account was told.
const KEY: &str = "notice";
/// How often a welcome is tried while the store takes other things.
const MOST_TRIES: u32 = 10;
/// Accounts that are to be welcomed again.
const MOST_UNWELCOMED: usize = 1000;

#[cfg(test)]
mod tests {
    use store::{StoreError, sqlite};

    use super::*;
    use crate::model::Stage;

    #[test]
    fn an_account_is_told_each_message_once() {
        let telling = Telling::default();
        let (one, other) = (AccountId(1), AccountId(2));
        assert!(telling.take(one, 7) && !telling.take(one, 7));
        assert!(telling.take(other, 7));
        assert!(telling.take(one, 8));
    }

    #[test]
    fn who_could_not_be_told_is_told_with_the_next_session() {
        let stage = Stage::new();
        let (server, juliet) = (&stage.server, stage.juliet());
        let day = |number| Notices {
            day: Some(Day { number, text: "Tea is served".into() }),
            ..Notices::default()
        };
        server.telling.set(day(7));
        assert!(stage.run(tell(server, &juliet)) && !stage.run(tell(server, &juliet)), "once");
        server.telling.set(day(8));
        stage.run(server.store.maintenance.close()).unwrap();
        assert!(!stage.run(tell(server, &juliet)), "nothing can be read");
        assert!(server.telling.take(juliet.id, 8), "she still is to be told");
    }

    #[test]
    fn a_welcome_that_the_disk_refuses_is_tried_again_until_it_is_there() {
        let faults = Arc::new(sqlite::Faults::default());
        let options = sqlite::Options { faults: Some(faults.clone()), ..Default::default() };
        let stage = Stage::over("", options);
        let (server, juliet) = (&stage.server, stage.juliet());
        let welcome_text = Some("Be welcome".to_owned());
        server.telling.set(Notices { welcome: welcome_text, ..Notices::default() });
        let kept =
            || stage.run(server.store.archive.pending(juliet.id, 0, u32::MAX)).unwrap().len();
        // More than are made use of.
        (0..3).for_each(|_| faults.fail_commit(StoreError::Full));
        stage.run(welcome(server, juliet.jid()));
        let write = || server.store.documents.save(juliet.id, "any", Bytes::new(), u64::MAX);
        while stage.run(write()).is_err() {}
        assert_eq!(kept(), 0);
        stage.run(catch_up(server));
        assert_eq!(kept(), 1);
        stage.run(catch_up(server));
        assert_eq!(kept(), 1, "once");

        let nobody = BareJid::new("nobody@a.example").unwrap();
        stage.run(welcome(server, &nobody));
        for _ in 1..MOST_TRIES {
            assert!(server.telling.unwelcomed.lock().contains_key(&nobody));
            stage.run(catch_up(server));
        }
        assert!(server.telling.unwelcomed.lock().is_empty(), "and not for ever");
    }

    #[test]
    fn what_was_chosen_is_there_after_a_start() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notices.json");
        assert_eq!(Notices::load(&path).unwrap(), Notices::default());
        let notices = Notices {
            day: Some(Day { number: 3, text: "Tea is served".into() }),
            welcome: Some("Welcome".into()),
        };
        notices.save(&path).unwrap();
        assert_eq!(Notices::load(&path).unwrap(), notices);
        std::fs::write(&path, "{").unwrap();
        assert!(Notices::load(&path).is_err());
    }
}
