//! `clownfish logout`: this device is withdrawn, and nothing of it is left here.

use clap::Args;
use client::Command;
use client::store::Store;
use client::view::Outcome;
use client_sqlite::SqliteStore;

use super::{Shared, deadline};
use crate::failure::Failure;
use crate::port::{Port, failed};

#[derive(Debug, Args)]
pub(crate) struct Logout {
    /// Also when the server cannot be told
    #[arg(long)]
    force: bool,
    /// Wait so long for the server
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
}

impl Logout {
    pub(crate) fn run(self, shared: &Shared) -> Result<(), Failure> {
        let profile = shared.account()?;
        let unlock = shared.unlock(&profile)?;
        let ways = profile.ways().map_err(Failure::Usage)?;
        let port = Port::start(&profile, unlock.clone(), ways, drop)?;
        let until = deadline(self.timeout);
        let told =
            port.wait_online(until).and_then(|_| match port.call(Command::Logout, until)? {
                Outcome::Failed(problem) => Err(failed(problem)),
                _ => Ok(()),
            });
        drop(port);
        if let (Err(failure), false) = (told, self.force) {
            return Err(failure);
        }
        let store = SqliteStore::open(profile.folder(), &unlock)?;
        store.wipe().map_err(|error| Failure::Storage(error.to_string()))?;
        drop(store);
        profile.remove()?;
        eprintln!("Logged out. Nothing of the account is left in {}", profile.folder().display());
        Ok(())
    }
}
