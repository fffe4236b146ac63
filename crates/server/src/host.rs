//! What the server asks of the system it runs on: file descriptors, no core dumps, and a word with
//! the service manager.

use std::time::Duration;

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};
use sd_notify::NotifyState;

/// Prepares the process: as many file descriptors as it may have, and no memory in core dumps or
/// debuggers, since it holds keys. Returns how many connections the descriptors are enough for.
pub fn prepare() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(MOST_DESCRIPTORS).min(MOST_DESCRIPTORS);
    let raised = Rlimit { current: Some(most), maximum: limit.maximum };
    let descriptors = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => most,
        Err(error) => {
            tracing::warn!(%error, "cannot raise the number of open files");
            limit.current.unwrap_or(MOST_DESCRIPTORS)
        }
    };
    let no_core = Rlimit { current: Some(0), maximum: Some(0) };
    let hidden = setrlimit(Resource::Core, no_core)
        .and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable));
    if let Err(error) = hidden {
        tracing::warn!(%error, "cannot keep the memory of the server out of core dumps");
    }
    descriptors.saturating_sub(RESERVED_DESCRIPTORS)
}

/// Tells the service manager that the server serves.
pub fn ready() {
    notify(&[NotifyState::Ready]);
}

/// Tells the service manager that the server reads its configuration again; [`ready`] ends that.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}

/// Tells the service manager that the server is going down.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Tells the service manager that the server still lives.
pub fn alive() {
    notify(&[NotifyState::Watchdog]);
}

/// How often [`alive`] has to be said; `None` when nobody listens.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

fn notify(state: &[NotifyState<'_>]) {
    // Without a service manager this does nothing. When it cannot be reached, it will say so.
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}

/// More than a server on one machine ever uses; some systems say "unlimited", and tables grow with
/// the number.
const MOST_DESCRIPTORS: u64 = 1 << 18;
/// For the database, the log, listeners and commands.
const RESERVED_DESCRIPTORS: u64 = 64;
