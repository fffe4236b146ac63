//! Messages for people who are away, and their return.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use tokio::task::JoinSet;

use crate::connection::{excerpt, is_answer, is_stanza};
use crate::crowd::{Load, user};
use crate::feed::feed;
use crate::login::{Target, Wishes};
use crate::payload::Stamp;
use crate::report::{Report, micros_each};
use crate::scan;
use crate::sequence::{Sequence, Verdict};

/// How much to store.
#[derive(Debug, Clone)]
pub struct Options {
    /// People who are away; each has one friend who writes.
    pub receivers: usize,
    /// Messages for each.
    pub messages: u64,
}

/// Runs the mode: `u1` writes to `u0`, `u3` to `u2` and so on, nobody is there;
/// then all come back, twice: the second time nothing may be left.
pub async fn run(load: &Load, options: &Options) -> Result<Report> {
    let all = options.receivers as u64 * options.messages;
    let (before, start) = (load.process.cpu()?, Instant::now());
    store(load, options).await?;
    let (stored_in, stored_cpu) = (start.elapsed(), load.process.cpu()?.saturating_sub(before));

    let (before, start) = (load.process.cpu()?, Instant::now());
    let mut verdict = fetch(load, options, true).await?;
    let (fetched_in, fetched_cpu) = (start.elapsed(), load.process.cpu()?.saturating_sub(before));
    // Whatever comes at a second login has been delivered before.
    verdict.doubled += fetch(load, options, false).await?.delivered;
    Ok(Report::new("offline")
        .with("stored", all as f64 / stored_in.as_secs_f64(), "/s")
        .with("server CPU per stored", micros_each(stored_cpu, all), "µs")
        .with("fetched", all as f64 / fetched_in.as_secs_f64(), "/s")
        .with("server CPU per fetched", micros_each(fetched_cpu, all), "µs")
        .with_messages(verdict))
}

async fn store(load: &Load, options: &Options) -> Result<()> {
    let mut tasks = JoinSet::new();
    for pair in 0..options.receivers {
        let (target, messages) = (load.target.clone(), options.messages);
        tasks.spawn(async move {
            let wishes = Wishes { stream_management: true, presence: false };
            let sender = target.log_in(&user(2 * pair + 1), "load", wishes).await?;
            feed(sender, &target.bare(&user(2 * pair)), 2 * pair as u32, messages).await
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

/// Everybody comes back and reads what waits: all of it, or only what comes
/// until the server has handled the first presence.
async fn fetch(load: &Load, options: &Options, all: bool) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    let mut tasks = JoinSet::new();
    for pair in 0..options.receivers {
        let (target, expected) = (load.target.clone(), if all { options.messages } else { 0 });
        tasks.spawn(async move { receive(&target, 2 * pair, expected).await });
    }
    while let Some(done) = tasks.join_next().await {
        verdict += done??;
    }
    Ok(verdict)
}

async fn receive(target: &Target, number: usize, expected: u64) -> Result<Verdict> {
    let mut client = target.log_in(&user(number), "load", Wishes::default()).await?.connection;
    client.send("<presence/>").await?;
    client.send("<iq type='get' id='here'><ping xmlns='urn:xmpp:ping'/></iq>").await?;
    let (mut sequence, mut ponged) = (Sequence::default(), false);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !ponged || sequence.delivered() < expected {
        let Ok(stanza) = tokio::time::timeout_at(deadline, client.stanza()).await else { break };
        let stanza = stanza?;
        ponged |= is_answer(stanza, "here");
        if scan::is_element(stanza, "message") {
            let stamp = Stamp::find(stanza)
                .ok_or_else(|| anyhow!("a strange message: {}", excerpt(stanza)))?;
            sequence.arrived(stamp.number);
        } else if !is_stanza(stanza) {
            bail!("unexpected: {}", excerpt(stanza));
        }
    }
    client.close().await?;
    Ok(sequence.verdict(expected))
}

/// After this long a message that has not come counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);
