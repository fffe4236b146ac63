//! XEP-0480: after the proof, and before the client is told of its success, it may give keys that its
//! account lacks.

use std::collections::VecDeque;

use super::exchange::{self, Attempt};
use super::login::{self, Request};
use super::state::{Core, Next, State};
use super::{Authenticated, Profile, Step, UpgradeLookup, Waiting};
use crate::error::{StreamCondition, StreamError};
use crate::ext::sasl_upgrade::{self, Salt};
use crate::ns;
use crate::sasl::{Condition, Hash, Mechanism, ScramKeys};
use crate::stream::Out;
use crate::xml::Element;

/// A login that was proven and asks for tasks.
#[derive(Debug)]
pub struct UpgradePending {
    authenticated: Authenticated,
    request: Box<Request>,
    data: Option<Vec<u8>>,
}

/// The tasks that are left.
#[derive(Debug)]
pub(super) struct Upgrading {
    authenticated: Authenticated,
    request: Box<Request>,
    tasks: VecDeque<Salt>,
    /// Whether the client has the salt of the first one.
    salted: bool,
    keys: Vec<ScramKeys>,
}

impl Waiting<UpgradePending> {
    /// Goes on with what the account lacks: salts for some of the hash functions that were asked
    /// about, or none.
    #[must_use]
    pub fn answer(self, lacking: Vec<Salt>, out: &mut Out) -> Step {
        self.resume(out, |core, pending, out| {
            let UpgradePending { authenticated, request, data } = pending;
            let wanted = |salt: &Salt| request.upgrades.contains(&salt.hash);
            let tasks = lacking.into_iter().filter(wanted).collect();
            let (salted, keys) = (false, Vec::new());
            let upgrading = Upgrading { authenticated, request, tasks, salted, keys };
            Ok(go_on(core, upgrading, data, out))
        })
    }
}

/// What to ask the driver when a client has proven itself: nothing, unless it wants tasks that are
/// offered. Whoever came with a token does not know the password.
pub(super) fn proven(
    core: &mut Core,
    authenticated: Authenticated,
    mut request: Box<Request>,
    data: Option<Vec<u8>>,
) -> Next {
    let offered = &core.settings.upgrades;
    request.upgrades.retain(|hash| offered.contains(hash));
    if request.upgrades.is_empty() || matches!(authenticated.mechanism(), Mechanism::Token(_)) {
        return login::proven(core, authenticated, *request, data, Vec::new());
    }
    let account = authenticated.account().clone();
    let lookup = UpgradeLookup { account, hashes: request.upgrades.clone() };
    Next::Upgrade(lookup, UpgradePending { authenticated, request, data })
}

/// Demands the next task, or finishes the login.
fn go_on(core: &mut Core, upgrading: Upgrading, data: Option<Vec<u8>>, out: &mut Out) -> Next {
    match upgrading.tasks.front() {
        Some(task) => {
            out.element(&sasl_upgrade::demand(task.hash, data.as_deref()), core.framing);
            Next::Read(State::Upgrading(Box::new(upgrading)))
        }
        None => {
            let Upgrading { authenticated, request, keys, .. } = upgrading;
            login::proven(core, authenticated, *request, data, keys)
        }
    }
}

/// While a task is going on.
pub(super) fn on_element(
    core: &mut Core,
    mut upgrading: Upgrading,
    element: &Element,
    out: &mut Out,
) -> Result<Next, StreamError> {
    if element.ns() != ns::SASL2 {
        // XEP-0388 §2.4: any other traffic ends the connection.
        return Err(StreamError::new(StreamCondition::PolicyViolation)
            .with_text("Finish or abort the task first."));
    }
    let Some(task) = upgrading.tasks.front().cloned() else {
        return Err(StreamCondition::PolicyViolation.into());
    };
    match (element.name(), upgrading.salted) {
        ("abort", _) => Ok(refused(upgrading, Condition::Aborted)),
        ("next", false) => {
            let named = element.attr("task").and_then(sasl_upgrade::parse_task);
            if named != Some(task.hash) {
                return Ok(refused(upgrading, Condition::MalformedRequest));
            }
            out.element(&sasl_upgrade::data(task.element()), core.framing);
            upgrading.salted = true;
            Ok(Next::Read(State::Upgrading(Box::new(upgrading))))
        }
        ("task-data", true) => match keys(element, &task) {
            Some(keys) => {
                upgrading.keys.push(keys);
                upgrading.tasks.pop_front();
                upgrading.salted = false;
                Ok(go_on(core, upgrading, None, out))
            }
            None => Ok(refused(upgrading, Condition::MalformedRequest)),
        },
        _ => Err(StreamCondition::PolicyViolation.into()),
    }
}

fn keys(data: &Element, task: &Salt) -> Option<ScramKeys> {
    let Salt { hash, iterations, salt }: &Salt = task;
    let hash: Hash = *hash;
    let salted = sasl_upgrade::parse_salted(data, hash)?;
    Some(ScramKeys::from_salted(hash, &salted, salt, *iterations))
}

fn refused(upgrading: Upgrading, condition: Condition) -> Next {
    let mechanism = upgrading.authenticated.mechanism();
    let attempt = Attempt { profile: Profile::Sasl2, mechanism, request: None };
    let account = upgrading.authenticated.account().clone();
    exchange::refused(attempt, Some(account), condition.into())
}
