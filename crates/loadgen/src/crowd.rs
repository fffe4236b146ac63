//! Many clients at once.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::login::{Session, Target, Wishes};
use crate::procfs::ProcessTree;

/// A server under load and the process whose resources are counted.
#[derive(Clone)]
pub struct Load {
    /// Where the clients connect.
    pub target: Target,
    /// The server's process.
    pub process: ProcessTree,
}

impl Load {
    /// Logs `count` users in, `u{first}` and up, each with one resource; a few
    /// at a time, in the order of their numbers in the result.
    pub async fn log_in(&self, first: usize, count: usize, wishes: Wishes) -> Result<Vec<Session>> {
        log_in(std::slice::from_ref(self), first, count, wishes).await
    }
}

/// The same with several servers that take turns: user N at the server N modulo
/// their number.
pub async fn log_in(
    servers: &[Load],
    first: usize,
    count: usize,
    wishes: Wishes,
) -> Result<Vec<Session>> {
    let gate = Arc::new(Semaphore::new(LOGINS_AT_ONCE));
    let mut tasks = JoinSet::new();
    for number in first..first + count {
        let (target, gate) = (home(servers, number).target.clone(), Arc::clone(&gate));
        tasks.spawn(async move {
            let _permit = gate.acquire_owned().await?;
            let session = target.log_in(&user(number), "load", wishes).await?;
            anyhow::Ok((number, session))
        });
    }
    let mut sessions = Vec::with_capacity(count);
    while let Some(done) = tasks.join_next().await {
        sessions.push(done??);
    }
    sessions.sort_by_key(|(number, _)| *number);
    Ok(sessions.into_iter().map(|(_, session)| session).collect())
}

/// The server of a user, see [`log_in`].
///
/// # Panics
///
/// Without any server.
pub fn home(servers: &[Load], number: usize) -> &Load {
    &servers[number % servers.len()]
}

/// CPU time of all these servers together.
pub fn cpu(servers: &[Load]) -> Result<Duration> {
    servers.iter().map(|load| load.process.cpu()).sum()
}

/// The name of test account `number`.
pub fn user(number: usize) -> String {
    format!("u{number}")
}

/// Waits for `duration`, but no longer than until the first task fails; a task
/// that ends without being asked to is a failure too.
pub async fn run_for(duration: Duration, tasks: &mut JoinSet<Result<()>>) -> Result<()> {
    tokio::select! {
        () = tokio::time::sleep(duration) => Ok(()),
        Some(ended) = tasks.join_next() => {
            ended??;
            Err(anyhow!("a client stopped before the run was over"))
        }
    }
}

/// Polls `done` until it holds, for at most `limit`; returns whether it did.
pub async fn settle(
    limit: Duration,
    tasks: &mut JoinSet<Result<()>>,
    mut done: impl FnMut() -> bool,
) -> Result<bool> {
    let deadline = tokio::time::Instant::now() + limit;
    while !done() {
        if tokio::time::Instant::now() > deadline {
            return Ok(false);
        }
        run_for(Duration::from_millis(5), tasks).await?;
    }
    Ok(true)
}

const LOGINS_AT_ONCE: usize = 16;
