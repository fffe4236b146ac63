//! Throughput: pairs of clients that write to each other as fast as they may.
//!
//! Both of a pair have their account on the same server, or each on one of two servers
//! that talk to each other.
//!
//! Each direction has a window, a bound on the messages that are under way, so
//! that no queue grows and what is measured is the cost of a message and not of
//! a backlog. Every message is a write of its own, as with real clients.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::connection::{Incoming, Outgoing, complaint, send};
use crate::crowd::{Load, cpu, home, log_in, run_for, settle, user};
use crate::histogram::Histogram;
use crate::login::{Session, Wishes};
use crate::payload::{Stamp, Template, clock, is_intact};
use crate::report::{Report, micros_each};
use crate::scan;
use crate::sequence::{Sequence, Verdict};

/// How to chat.
#[derive(Debug, Clone)]
pub struct Options {
    /// Pairs of clients; both of a pair write.
    pub pairs: usize,
    /// Messages under way per direction.
    pub window: u64,
    /// How long to run before measuring.
    pub warm_up: Duration,
    /// How long to measure.
    pub duration: Duration,
    /// Whether XEP-0198 is on.
    pub stream_management: bool,
    /// Whether every message is followed by `<r/>` and counts as under way
    /// until it is acknowledged; needs `stream_management`.
    pub acknowledged: bool,
}

/// One direction of a pair. The sender's tasks and the receiver's share it.
#[derive(Debug, Default)]
struct Flow {
    sent: AtomicU64,
    arrived: AtomicU64,
    acknowledged: AtomicU64,
    seen: Mutex<Seen>,
}

/// What the receiver of a flow found.
#[derive(Debug, Default)]
struct Seen {
    sequence: Sequence,
    delays: Histogram,
}

/// What the two tasks of a client share.
#[derive(Debug, Default)]
struct Client {
    /// Something that the writer waits for has changed.
    wake: Notify,
    /// The server wants to know how much was handled.
    asked: AtomicBool,
    handled: AtomicU32,
}

/// A flow with the client that sends it.
struct Route {
    number: u32,
    flow: Arc<Flow>,
    /// The sender.
    client: Arc<Client>,
}

/// Runs the mode on one server, or on two: then one of each pair is at each.
pub async fn run(servers: &[Load], options: &Options) -> Result<Report> {
    let wishes = Wishes { stream_management: options.stream_management, presence: true };
    let sessions = log_in(servers, 0, options.pairs * 2, wishes).await?;
    let flows: Vec<Arc<Flow>> = sessions.iter().map(|_| Arc::default()).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<Arc<Client>> = sessions.iter().map(|_| Arc::default()).collect();
    let mut tasks = JoinSet::new();
    for (number, session) in sessions.into_iter().enumerate() {
        let route = |number: usize| Route {
            number: number as u32,
            flow: Arc::clone(&flows[number]),
            client: Arc::clone(&clients[number]),
        };
        let to = home(servers, number ^ 1).target.bare(&user(number ^ 1));
        start(session, &to, (route(number), route(number ^ 1)), options, &stop, &mut tasks);
    }
    let measured = measure(servers, options, &flows, &mut tasks).await?;
    stop.store(true, Relaxed);
    clients.iter().for_each(|client| client.wake.notify_one());
    let complete = || flows.iter().all(|flow| flow.in_flight(options.acknowledged) == 0);
    // A server that lost something never gets there; the verdict says so.
    settle(DRAIN, &mut tasks, complete).await?;
    run_for(LATE, &mut tasks).await?;
    tasks.shutdown().await;
    report(options, &measured, &flows)
}

/// What the measured part of a run took.
struct Measured {
    delivered: u64,
    acknowledged: u64,
    cpu: Duration,
    wall: Duration,
}

async fn measure(
    servers: &[Load],
    options: &Options,
    flows: &[Arc<Flow>],
    tasks: &mut JoinSet<Result<()>>,
) -> Result<Measured> {
    let delivered = || flows.iter().map(|flow| flow.arrived.load(Relaxed)).sum::<u64>();
    let acknowledged = || flows.iter().map(|flow| flow.acknowledged.load(Relaxed)).sum::<u64>();
    // Servers that talk to each other have to find each other first.
    let met = || flows.iter().all(|flow| flow.arrived.load(Relaxed) > 0);
    if !settle(FIRST, tasks, met).await? {
        bail!("not everybody has got a message after {FIRST:?}");
    }
    run_for(options.warm_up, tasks).await?;
    let before = (delivered(), acknowledged(), cpu(servers)?, Instant::now());
    run_for(options.duration, tasks).await?;
    Ok(Measured {
        delivered: delivered() - before.0,
        acknowledged: acknowledged() - before.1,
        cpu: cpu(servers)?.saturating_sub(before.2),
        wall: before.3.elapsed(),
    })
}

fn report(options: &Options, measured: &Measured, flows: &[Arc<Flow>]) -> Result<Report> {
    let (mut verdict, mut delays) = (Verdict::default(), Histogram::default());
    for flow in flows {
        let seen = flow.seen()?;
        verdict += seen.sequence.verdict(flow.sent.load(Relaxed));
        delays.merge(&seen.delays);
    }
    let seconds = measured.wall.as_secs_f64();
    let mut report = Report::new("chat")
        .with("server CPU per message", micros_each(measured.cpu, measured.delivered), "µs")
        .with("delivered", measured.delivered as f64 / seconds, "/s")
        .with("server CPU", 100.0 * measured.cpu.as_secs_f64() / seconds, "%");
    if options.acknowledged {
        report = report.with("acknowledged", measured.acknowledged as f64 / seconds, "/s");
    }
    Ok(report.with_quantiles(&delays).with_messages(verdict))
}

fn start(
    session: Session,
    to: &str,
    (outgoing, incoming): (Route, Route),
    options: &Options,
    stop: &Arc<AtomicBool>,
    tasks: &mut JoinSet<Result<()>>,
) {
    let before = session.sent;
    let (reader, writer) = session.connection.split();
    let template = Template::new(to, outgoing.number);
    let (client, flow) = (Arc::clone(&outgoing.client), Arc::clone(&outgoing.flow));
    tasks.spawn(write(writer, template, (client, flow), options.clone(), Arc::clone(stop)));
    tasks.spawn(async move {
        read(reader, outgoing, incoming, before).await.with_context(|| "a client of the chat")
    });
}

async fn write(
    mut writer: Outgoing,
    mut template: Template,
    (client, flow): (Arc<Client>, Arc<Flow>),
    options: Options,
    stop: Arc<AtomicBool>,
) -> Result<()> {
    let mut request = Vec::new();
    loop {
        if client.asked.swap(false, Relaxed) {
            let answer = format!("<a xmlns='urn:xmpp:sm:3' h='{}'/>", client.handled.load(Relaxed));
            send(&mut writer, answer.as_bytes()).await?;
        }
        if stop.load(Relaxed) || flow.in_flight(options.acknowledged) >= options.window {
            client.wake.notified().await;
            continue;
        }
        // Counted before it is written: it can arrive before the write returns.
        let number = flow.sent.fetch_add(1, Relaxed);
        let message = template.stamped(number);
        if options.acknowledged {
            request.clear();
            request.extend_from_slice(message);
            request.extend_from_slice(b"<r xmlns='urn:xmpp:sm:3'/>");
            send(&mut writer, &request).await?;
        } else {
            send(&mut writer, message).await?;
        }
    }
}

async fn read(
    mut reader: Incoming,
    outgoing: Route,
    incoming: Route,
    sent_before: u32,
) -> Result<()> {
    loop {
        let stanza = reader.stanza().await?;
        if scan::is_element(stanza, "message") {
            incoming.arrived(stanza)?;
        } else if scan::is_element(stanza, "r") {
            outgoing.client.handled.store(reader.handled(), Relaxed);
            outgoing.client.asked.store(true, Relaxed);
            outgoing.client.wake.notify_one();
        } else if scan::is_element(stanza, "a") {
            let handled = std::str::from_utf8(scan::attribute(stanza, "h").unwrap_or_default())?
                .parse::<u32>()?;
            // No run is long enough for the count to wrap.
            outgoing
                .flow
                .acknowledged
                .store(u64::from(handled.saturating_sub(sent_before)), Relaxed);
            outgoing.client.wake.notify_one();
        }
    }
}

impl Flow {
    fn seen(&self) -> Result<MutexGuard<'_, Seen>> {
        self.seen.lock().map_err(|_| anyhow!("a client panicked"))
    }

    fn in_flight(&self, acknowledged: bool) -> u64 {
        let arrived = self.arrived.load(Relaxed);
        let done =
            if acknowledged { arrived.min(self.acknowledged.load(Relaxed)) } else { arrived };
        self.sent.load(Relaxed).saturating_sub(done)
    }
}

impl Route {
    /// Notes a message; one that is not of this flow is an error, as is a bounce.
    fn arrived(&self, stanza: &[u8]) -> Result<()> {
        let stamp = Stamp::find(stanza).filter(|stamp| stamp.flow == self.number);
        let Some(stamp) = stamp.filter(|_| scan::attribute(stanza, "type") != Some(b"error"))
        else {
            bail!("an unexpected message: {}", complaint(stanza));
        };
        let mut seen = self.flow.seen()?;
        seen.sequence.arrived(stamp.number);
        seen.delays.record(clock().saturating_sub(stamp.sent));
        if !is_intact(stanza) {
            seen.sequence.damaged();
        }
        self.flow.arrived.store(seen.sequence.delivered(), Relaxed);
        self.client.wake.notify_one();
        Ok(())
    }
}

/// How long the first messages may take.
const FIRST: Duration = Duration::from_secs(30);

/// How long the last messages may take.
const DRAIN: Duration = Duration::from_secs(20);

/// How long to listen for doubles after everything has arrived.
const LATE: Duration = Duration::from_millis(200);
