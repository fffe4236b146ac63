//! Logins per second: TCP, a full TLS handshake, SCRAM, bind, and good-bye.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::crowd::{Load, user};
use crate::histogram::Histogram;
use crate::login::Wishes;
use crate::report::{Report, micros_each};

/// How to log in.
#[derive(Debug, Clone)]
pub struct Options {
    /// Logins per second.
    pub rate: f64,
    /// Logins in all.
    pub logins: u64,
    /// Accounts that take turns.
    pub accounts: usize,
}

/// Runs the mode.
pub async fn run(load: &Load, options: &Options) -> Result<Report> {
    // The first login of an account derives the client's keys, which costs the
    // load generator more than the server; after that they are known.
    load.log_in(0, options.accounts, Wishes::default()).await?;
    let mut schedule = interval(Duration::from_secs_f64(1.0 / options.rate));
    schedule.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (before, start) = (load.process.cpu()?, Instant::now());
    let mut tasks = JoinSet::new();
    let mut took = Histogram::default();
    for number in 0..options.logins {
        schedule.tick().await;
        let target = load.target.clone();
        let name = user(number as usize % options.accounts);
        tasks.spawn(async move {
            let begin = Instant::now();
            let session = target.log_in(&name, "login", Wishes::default()).await?;
            let took = begin.elapsed();
            session.connection.close().await?;
            anyhow::Ok(took)
        });
        while let Some(done) = tasks.try_join_next() {
            took.record(done??);
        }
    }
    while let Some(done) = tasks.join_next().await {
        took.record(done??);
    }
    let wall = start.elapsed();
    let cpu = load.process.cpu()?.saturating_sub(before);
    Ok(Report::new("login")
        .with("server CPU per login", micros_each(cpu, options.logins) / 1e3, "ms")
        .with("logins", options.logins as f64 / wall.as_secs_f64(), "/s")
        .with_quantiles(&took))
}
