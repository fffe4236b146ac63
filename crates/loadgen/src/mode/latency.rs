//! Ping-pong: how long one message takes on a server that is not busy.
//!
//! The first of each pair writes on a schedule, whatever has become of the
//! messages before; the second answers each with one of its own. Every message
//! carries the time at which it was written, and both clients are in this
//! process and read the same clock, so each way is measured by itself.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::connection::{Incoming, Outgoing, excerpt, send};
use crate::crowd::{Load, run_for, settle, user};
use crate::histogram::Histogram;
use crate::login::Wishes;
use crate::payload::{Stamp, Template, clock};
use crate::report::{Report, micros_each, millis};
use crate::scan;
use crate::sequence::{Sequence, Verdict};

/// How to measure.
#[derive(Debug, Clone)]
pub struct Options {
    /// Pairs of clients.
    pub pairs: usize,
    /// Messages per second of all clients together.
    pub rate: f64,
    /// How long to run before measuring.
    pub warm_up: Duration,
    /// How long to measure.
    pub duration: Duration,
}

/// What the receiver of one direction found.
#[derive(Debug, Default)]
struct Way {
    sent: AtomicU64,
    seen: Mutex<(Sequence, Histogram)>,
}

/// Runs the mode.
pub async fn run(load: &Load, options: &Options) -> Result<Report> {
    let wishes = Wishes { presence: true, ..Wishes::default() };
    let mut sessions = load.log_in(0, options.pairs * 2, wishes).await?.into_iter();
    let ways: Vec<Arc<Way>> = (0..options.pairs * 2).map(|_| Arc::default()).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    let pace = Duration::from_secs_f64(2.0 * options.pairs as f64 / options.rate);
    let measured_from = clock() + options.warm_up;
    for (pair, both) in ways.chunks_exact(2).enumerate() {
        let (Some(first), Some(second)) = (sessions.next(), sessions.next()) else {
            bail!("a session is missing")
        };
        let (ping, pong) = (Arc::clone(&both[0]), Arc::clone(&both[1]));
        let template =
            |number: usize| Template::new(&load.target.bare(&user(number ^ 1)), number as u32);
        let (reader, writer) = first.connection.split();
        // The pairs take turns instead of writing all at once.
        let offset = pace.mul_f64(pair as f64 / options.pairs as f64);
        let schedule = (interval_from(offset, pace), Arc::clone(&stop));
        tasks.spawn(serve(writer, template(2 * pair), Arc::clone(&ping), schedule));
        tasks.spawn(receive(reader, Arc::clone(&pong), 2 * pair as u32 + 1, measured_from));
        let (reader, writer) = second.connection.split();
        tasks.spawn(answer((reader, writer), template(2 * pair + 1), (ping, pong), measured_from));
    }
    run_for(options.warm_up, &mut tasks).await?;
    let before = (load.process.cpu()?, arrived(&ways)?);
    run_for(options.duration, &mut tasks).await?;
    let cpu = load.process.cpu()?.saturating_sub(before.0);
    let messages = arrived(&ways)? - before.1;
    stop.store(true, Relaxed);
    let quiet = || {
        ways.iter().all(|way| way.delivered().is_ok_and(|count| count == way.sent.load(Relaxed)))
    };
    settle(DRAIN, &mut tasks, quiet).await?;
    run_for(LATE, &mut tasks).await?;
    tasks.shutdown().await;
    report(&ways, cpu, messages)
}

fn interval_from(offset: Duration, pace: Duration) -> tokio::time::Interval {
    let mut interval = interval_at(Instant::now() + offset, pace);
    interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
    interval
}

/// Writes on schedule until told to stop; then keeps the connection.
async fn serve(
    mut writer: Outgoing,
    mut template: Template,
    way: Arc<Way>,
    (mut schedule, stop): (tokio::time::Interval, Arc<AtomicBool>),
) -> Result<()> {
    loop {
        schedule.tick().await;
        if stop.load(Relaxed) {
            continue;
        }
        let number = way.sent.fetch_add(1, Relaxed);
        send(&mut writer, template.stamped(number)).await?;
    }
}

/// Reads the answers, for ever.
async fn receive(mut reader: Incoming, way: Arc<Way>, flow: u32, from: Duration) -> Result<()> {
    loop {
        way.note(reader.stanza().await?, flow, from)?;
    }
}

/// Answers every message with one, for ever.
async fn answer(
    (mut reader, mut writer): (Incoming, Outgoing),
    mut template: Template,
    (ping, pong): (Arc<Way>, Arc<Way>),
    from: Duration,
) -> Result<()> {
    let flow = Stamp::find(template.stamped(0)).map_or(0, |stamp| stamp.flow);
    loop {
        if ping.note(reader.stanza().await?, flow ^ 1, from)? {
            let number = pong.sent.fetch_add(1, Relaxed);
            send(&mut writer, template.stamped(number)).await?;
        }
    }
}

impl Way {
    /// Notes a stanza; returns whether it was a message of this way.
    fn note(&self, stanza: &[u8], flow: u32, from: Duration) -> Result<bool> {
        let arrival = clock();
        if !scan::is_element(stanza, "message") {
            return Ok(false);
        }
        let Some(stamp) = Stamp::find(stanza).filter(|stamp| stamp.flow == flow) else {
            bail!("an unexpected message: {}", excerpt(stanza));
        };
        let mut seen = self.seen.lock().map_err(|_| anyhow!("a client panicked"))?;
        seen.0.arrived(stamp.number);
        if stamp.sent >= from {
            seen.1.record(arrival.saturating_sub(stamp.sent));
        }
        Ok(true)
    }

    fn delivered(&self) -> Result<u64> {
        Ok(self.seen.lock().map_err(|_| anyhow!("a client panicked"))?.0.delivered())
    }
}

fn arrived(ways: &[Arc<Way>]) -> Result<u64> {
    ways.iter().map(|way| way.delivered()).sum()
}

fn report(ways: &[Arc<Way>], cpu: Duration, messages: u64) -> Result<Report> {
    let (mut verdict, mut delays) = (Verdict::default(), Histogram::default());
    for way in ways {
        let seen = way.seen.lock().map_err(|_| anyhow!("a client panicked"))?;
        verdict += seen.0.verdict(way.sent.load(Relaxed));
        delays.merge(&seen.1);
    }
    Ok(Report::new("latency")
        .with_quantiles(&delays)
        .with("mean", millis(delays.mean()), "ms")
        .with("server CPU per message", micros_each(cpu, messages), "µs")
        .with_messages(verdict))
}

/// How long the last messages may take.
const DRAIN: Duration = Duration::from_secs(5);

/// How long to listen for doubles after everything has arrived.
const LATE: Duration = Duration::from_millis(200);
