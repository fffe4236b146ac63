//! How a command reaches the server's data: over the socket of the running server, or by opening
//! the database.

use std::{
    fs,
    future::Future,
    os::unix::fs::MetadataExt as _,
    time::{Duration, Instant},
};

use rustix::process::geteuid;
use store::{OpenError, Store, sqlite};

use crate::{
    admin::{By, Fault, FaultCode, Operations, Request, Response, socket::Conversation},
    config::{Config, Home},
};

/// Runs a command to its end.
pub(super) fn block_on<T>(command: impl Future<Output = T>) -> Result<T, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Fault::new(FaultCode::Configuration, format!("the command cannot run: {error}"))
    })?;
    Ok(runtime.block_on(command))
}

/// Asks the running server, or does what it would do when it is stopped.
pub(super) async fn ask(home: &Home, request: &Request) -> Result<Response, Fault> {
    let patience = Instant::now() + STARTING;
    loop {
        if let Some(mut conversation) = Conversation::open(home).await? {
            return conversation.ask(request).await;
        }
        match open(home) {
            Ok(store) => return ask_stopped(home, store, request).await,
            // A server that is starting or stopping, or another command: both take a moment.
            Err(fault) if fault.code == FaultCode::Running && Instant::now() < patience => {
                tokio::time::sleep(AGAIN).await;
            }
            Err(fault) => return Err(fault),
        }
    }
}

async fn ask_stopped(home: &Home, store: Store, request: &Request) -> Result<Response, Fault> {
    let config = configuration(home)?;
    let operations = Operations::stopped(store.clone(), home.clone(), config);
    let response = operations.perform(&By::CommandLine(geteuid().as_raw()), request.clone()).await;
    store.maintenance.close().await?;
    Ok(response)
}

/// The configuration of the data directory.
pub(super) fn configuration(home: &Home) -> Result<Config, Fault> {
    Config::load(home).map_err(|error| Fault::new(FaultCode::Configuration, error.to_string()))
}

/// Opens the database of a server that is stopped.
pub(super) fn open(home: &Home) -> Result<Store, Fault> {
    configuration(home)?;
    owned_by_this_user(home)?;
    let options = sqlite::Options { readers: 1, ..sqlite::Options::default() };
    sqlite::open(&home.database(), options).map_err(|error| match error {
        OpenError::InUse { .. } => Fault::new(
            FaultCode::Running,
            format!("{error}; it holds the data and does not answer on its socket yet"),
        ),
        _ => Fault::new(FaultCode::Configuration, error.to_string()),
    })
}

/// Files that root makes in another user's directory would be unreadable for the server.
pub(super) fn owned_by_this_user(home: &Home) -> Result<(), Fault> {
    let Ok(directory) = fs::metadata(home.path()) else { return Ok(()) };
    let (owner, user) = (directory.uid(), geteuid().as_raw());
    if owner == user || !geteuid().is_root() {
        return Ok(());
    }
    let name = user_name(owner).unwrap_or_else(|| format!("#{owner}"));
    Err(Fault::new(
        FaultCode::Configuration,
        format!(
            "{} belongs to the user {name}, and the server is not running: run the command as \
             that user (sudo -u '{name}' anemone …), or start the server first",
            home.path().display()
        ),
    ))
}

fn user_name(id: u32) -> Option<String> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}

/// How long a command waits for a server that has the data and no socket.
const STARTING: Duration = Duration::from_secs(15);
const AGAIN: Duration = Duration::from_millis(50);
