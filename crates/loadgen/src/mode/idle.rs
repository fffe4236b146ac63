//! Memory: what the server needs for a session that says nothing.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::crowd::{Load, user};
use crate::login::{Session, Wishes};
use crate::report::Report;

/// How many sessions to keep.
#[derive(Debug, Clone)]
pub struct Options {
    /// Sessions, each of another account.
    pub sessions: usize,
    /// Sessions that are there before the first measurement, so that what a
    /// server allocates once is not counted.
    pub first: usize,
    /// How long to wait before a measurement, for servers that collect garbage.
    pub rest: Duration,
}

/// Runs the mode: sessions with TLS, XEP-0198 and presence.
pub async fn run(load: &Load, options: &Options) -> Result<Report> {
    let wishes = Wishes { stream_management: true, presence: true };
    let mut held = load.log_in(0, options.first, wishes).await?;
    tokio::time::sleep(options.rest).await;
    let (before, cpu_before) = (load.process.pss()?, load.process.cpu()?);
    held.extend(load.log_in(options.first, options.sessions, wishes).await?);
    let cpu = load.process.cpu()?.saturating_sub(cpu_before);
    tokio::time::sleep(options.rest).await;
    let after = load.process.pss()?;
    farewell(held).await?;
    let each = after.saturating_sub(before) as f64 / options.sessions as f64;
    Ok(Report::new("idle")
        .with("memory per session", each / 1024.0, "KiB")
        .with("memory in all", after as f64 / (1024.0 * 1024.0), "MiB")
        .with("server CPU per session", cpu.as_secs_f64() * 1e3 / options.sessions as f64, "ms"))
}

/// Closes all sessions. One that the server has dropped would have counted for
/// nothing, so each must still answer.
async fn farewell(sessions: Vec<Session>) -> Result<()> {
    let mut tasks = JoinSet::new();
    for (number, mut session) in sessions.into_iter().enumerate() {
        tasks.spawn(async move {
            session.connection.barrier().await.with_context(|| user(number))?;
            session.connection.close().await
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}
