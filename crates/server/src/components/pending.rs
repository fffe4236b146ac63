//! Requests that somebody else answers in the server's stead, until they are answered: those of
//! accounts that a component makes (XEP-0356), those that a component answers (XEP-0355), and
//! questions of the server's own to other domains.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use xmpp::{jid::Jid, stanza::Stanza, time::Millis};

use crate::{
    account::Account,
    ext::{
        block_lists::{self, Place},
        delegation, privilege,
    },
    server::Server,
    session::Session,
};

/// The requests that wait, by the ids they were sent with.
#[derive(Default)]
pub struct Pending(Mutex<HashMap<String, Waiting>>);

/// A component that acts for an account (XEP-0356).
#[derive(Clone)]
pub struct Acting {
    /// The account.
    pub account: Arc<Account>,
    /// The component.
    pub component: Jid,
    /// The id of the request that carried the account's one. `None` when the component asked in
    /// its own name, and is answered like that.
    pub carrier: Option<String>,
    /// What the account's request was called, if it went on under another id.
    pub inner: Option<String>,
}

/// Whoever asked what a component answers.
#[derive(Clone)]
pub enum Origin {
    /// A session of this server.
    Session(Arc<Session>),
    /// Somebody at another domain.
    Remote(Jid),
}

/// What becomes of an answer.
pub enum Purpose {
    /// It goes to the component that acts for an account.
    Privileged(Acting),
    /// It is unwrapped for whoever asked.
    Delegated {
        /// Who that is.
        origin: Origin,
        /// The request.
        request: Stanza,
    },
    /// It says whether a domain lets others name it (XEP-0485).
    Learn(String),
    /// It is a page of a block list.
    BlockList {
        /// Which.
        place: Place,
        /// When its reading began.
        begun: Millis,
    },
}

struct Waiting {
    whom: Jid,
    purpose: Purpose,
    expires: Millis,
}

impl Pending {
    /// Notes a request to `whom`. Gives back what it was for when too many wait.
    ///
    /// # Errors
    /// The purpose, when there is no room.
    pub fn add(
        &self,
        server: &Server,
        id: String,
        whom: Jid,
        purpose: Purpose,
    ) -> Result<(), Purpose> {
        let mut waiting = self.0.lock();
        if waiting.len() >= MOST {
            return Err(purpose);
        }
        let expires = server.steady().plus(PATIENCE);
        waiting.insert(id, Waiting { whom, purpose, expires });
        Ok(())
    }

    /// Whether anything waits for an answer from this address under this id.
    #[must_use]
    pub fn waits(&self, id: &str, from: &Jid) -> bool {
        self.0.lock().get(id).is_some_and(|found| found.whom == *from)
    }

    /// Takes an answer, if it is one and comes from who was asked. `true` when it was.
    pub fn answered(&self, server: &Arc<Server>, from: &Jid, answer: &Stanza) -> bool {
        let Some(id) = answer.id() else { return false };
        let purpose = {
            let mut waiting = self.0.lock();
            match waiting.get(&*id) {
                Some(found) if found.whom == *from => waiting.remove(&*id),
                _ => return false,
            }
        };
        match purpose.map(|waiting| waiting.purpose) {
            Some(Purpose::Privileged(acting)) => privilege::pass_back(server, &acting, answer),
            Some(Purpose::Delegated { origin, request }) => {
                delegation::answered(server, &origin, &request, answer);
            }
            Some(Purpose::Learn(domain)) => server.info.learned(server, &domain, answer),
            Some(Purpose::BlockList { place, begun }) => {
                block_lists::answered(server, &place, begun, answer);
            }
            None => {}
        }
        true
    }

    /// Ends those that waited too long, and those for a component that is gone.
    pub(super) fn give_up(&self, server: &Arc<Server>, gone: Option<&str>) {
        let now = server.steady();
        let over: Vec<Waiting> = {
            let mut waiting = self.0.lock();
            let late = |one: &Waiting| match gone {
                Some(domain) => one.whom.domain().as_str() == domain,
                None => one.expires <= now,
            };
            waiting.extract_if(|_, one| late(one)).map(|(_, one)| one).collect()
        };
        for one in over {
            match one.purpose {
                Purpose::Privileged(acting) => privilege::unanswered(server, &acting, &one.whom),
                Purpose::Delegated { origin, request } => {
                    delegation::unanswered(server, &origin, &request);
                }
                Purpose::Learn(_) | Purpose::BlockList { .. } => {}
            }
        }
    }
}

/// Requests that may wait, and for how many milliseconds.
const MOST: usize = 10_000;
const PATIENCE: u64 = 60_000;
