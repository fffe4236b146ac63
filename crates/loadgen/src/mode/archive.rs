//! History: pages of an archive, fetched by one client as fast as they come.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::crowd::{Load, user};
use crate::feed::feed;
use crate::histogram::Histogram;
use crate::login::Wishes;
use crate::mam;
use crate::payload::Stamp;
use crate::report::{Report, micros_each};
use crate::sequence::{Sequence, Verdict};

/// How to fetch.
#[derive(Debug, Clone)]
pub struct Options {
    /// Messages in the archive.
    pub messages: u64,
    /// Messages per page.
    pub page: usize,
    /// How long to go through the archive again and again.
    pub duration: Duration,
}

/// Runs the mode: `u1` fills the archive of `u0`, `u0` reads it.
pub async fn run(load: &Load, options: &Options) -> Result<Report> {
    let receiver = load
        .target
        .log_in(&user(0), "load", Wishes { presence: true, ..Wishes::default() })
        .await?;
    let sender = load
        .target
        .log_in(&user(1), "load", Wishes { stream_management: true, presence: false })
        .await?;
    let (mut reader, writer) = receiver.connection.split();
    let drain = tokio::spawn(async move { while reader.stanza().await.is_ok() {} });
    feed(sender, &load.target.bare(&user(0)), 0, options.messages).await?;
    drain.abort();
    drop(writer);

    let mut client = load.target.log_in(&user(0), "reader", Wishes::default()).await?.connection;
    let (mut took, mut verdict) = (Histogram::default(), Verdict::default());
    let (before, start) = (load.process.cpu()?, Instant::now());
    // At least one whole pass, or nothing would be proved.
    while verdict.sent == 0 || start.elapsed() < options.duration {
        verdict += pass(&mut client, options, &mut took).await?;
    }
    let (wall, cpu) = (start.elapsed(), load.process.cpu()?.saturating_sub(before));
    Ok(Report::new("archive")
        .with("pages", took.len() as f64 / wall.as_secs_f64(), "/s")
        .with("server CPU per page", micros_each(cpu, took.len()) / 1e3, "ms")
        .with_quantiles(&took)
        .with_messages(verdict))
}

/// Reads the whole archive once.
async fn pass(
    client: &mut crate::connection::Connection<crate::connection::Secured>,
    options: &Options,
    took: &mut Histogram,
) -> Result<Verdict> {
    let mut sequence = Sequence::default();
    let mut last: Option<String> = None;
    loop {
        let begin = Instant::now();
        let page = mam::page(client, last.as_deref(), options.page).await?;
        took.record(begin.elapsed());
        for (_, stanza) in &page.items {
            match Stamp::find(stanza) {
                Some(stamp) => sequence.arrived(stamp.number),
                None => bail!("a stranger in the archive"),
            }
        }
        last = page.items.into_iter().next_back().map(|(id, _)| id);
        if page.complete || last.is_none() {
            return Ok(sequence.verdict(options.messages));
        }
    }
}
