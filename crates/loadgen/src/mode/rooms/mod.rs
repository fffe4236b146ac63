//! A room with many occupants: their coming in, and messages to all of them.
//!
//! Everybody who comes in learns who is there, and everybody there learns who
//! comes in, so N occupants cause N² presences. Then some of them write; each
//! message makes N copies. A sender has a bound on the copies that are under
//! way, so that what is measured is the cost of a copy and not of a backlog.

mod audience;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::connection::{Connection, Outgoing, Secured, excerpt, send};
use crate::crowd::{Load, run_for, settle};
use crate::login::{Session, Wishes};
use crate::payload::Template;
use crate::report::{Report, micros_each, millis};
use crate::scan;
use audience::{Audience, Flow, nick};

/// How to talk.
#[derive(Debug, Clone)]
pub struct Options {
    /// Occupants, each with a connection of its own.
    pub occupants: usize,
    /// Those of them who write.
    pub senders: usize,
    /// Messages of one sender that are under way.
    pub window: u64,
    /// How long to wait before memory is measured, for servers that collect
    /// garbage.
    pub rest: Duration,
    /// How long to write before measuring.
    pub warm_up: Duration,
    /// How long to measure, at least.
    pub duration: Duration,
}

/// What a part of a run took.
struct Part {
    cpu: Duration,
    wall: Duration,
    copies: u64,
}

/// Runs the mode: `u0` makes the room, all others come in, some write.
pub async fn run(load: &Load, options: &Options) -> Result<Report> {
    let wishes = Wishes { stream_management: false, presence: true };
    let mut sessions = load.log_in(0, options.occupants, wishes).await?;
    tokio::time::sleep(options.rest).await;
    let before = load.process.pss()?;

    let room = format!("bench@conference.{}", load.target.domain);
    let owner = sessions.first_mut().context("a room without occupants")?;
    create(&mut owner.connection, &room).await.context("making the room")?;
    let audience = Arc::new(Audience::new(&room, options.occupants, options.senders));
    audience.entered(0, 0)?;

    let mut tasks = JoinSet::new();
    let (writers, joins) = enter(load, sessions, &audience, &mut tasks).await?;
    run_for(options.rest, &mut tasks).await?;
    let grown = load.process.pss()?.saturating_sub(before);

    let talk = talk(load, options, &audience, writers, &mut tasks).await?;
    tasks.shutdown().await;
    let seconds = talk.wall.as_secs_f64();
    let (entered, delays) = (audience.presences()?, audience.delays()?);
    let mut verdict = audience.messages()?;
    verdict += entered;
    Ok(Report::new("rooms")
        .with("server CPU per join", millis(joins.cpu) / options.occupants as f64, "ms")
        .with("server CPU per presence", micros_each(joins.cpu, entered.sent), "µs")
        .with("until everybody is there", joins.wall.as_secs_f64(), "s")
        .with("memory per occupant", grown as f64 / 1024.0 / options.occupants as f64, "KiB")
        .with("server CPU per copy", micros_each(talk.cpu, talk.copies), "µs")
        .with("copies", talk.copies as f64 / seconds, "/s")
        .with("server CPU", 100.0 * talk.cpu.as_secs_f64() / seconds, "%")
        .with_quantiles(&delays)
        .with_messages(verdict))
}

/// Makes the room and accepts how it is (XEP-0045 §10.1.2).
async fn create(owner: &mut Connection<Secured>, room: &str) -> Result<()> {
    owner.send(join(room, 0)).await?;
    loop {
        let stanza = owner.stanza().await?;
        if scan::is_element(stanza, "presence") {
            if scan::attribute(stanza, "type") == Some(b"error") {
                bail!("refused: {}", excerpt(stanza));
            }
            if scan::attribute(stanza, "from").is_some_and(|from| from.starts_with(room.as_bytes()))
            {
                break;
            }
        }
    }
    let accept = format!(
        "<iq type='set' id='accept' to='{room}'><query xmlns='http://jabber.org/protocol/muc#owner'>\
         <x xmlns='jabber:x:data' type='submit'/></query></iq>"
    );
    let answer = owner.request("accept", accept).await?;
    if scan::attribute(answer.as_bytes(), "type") != Some(b"result") {
        bail!("not configured: {answer}");
    }
    Ok(())
}

/// XEP-0045 §7.2, without history.
fn join(room: &str, number: usize) -> String {
    format!(
        "<presence to='{room}/{}'><x xmlns='http://jabber.org/protocol/muc'>\
         <history maxstanzas='0'/></x></presence>",
        nick(number)
    )
}

/// All but the first come in, a few at a time, and everybody waits until all
/// know of all.
async fn enter(
    load: &Load,
    sessions: Vec<Session>,
    audience: &Arc<Audience>,
    tasks: &mut JoinSet<Result<()>>,
) -> Result<(Vec<Outgoing>, Part)> {
    let (mut outside, mut inside) = (VecDeque::new(), Vec::new());
    for (number, session) in sessions.into_iter().enumerate() {
        let (reader, writer) = session.connection.split();
        let audience = Arc::clone(audience);
        tasks.spawn(async move {
            audience.listen(number, reader).await.with_context(|| format!("occupant {number}"))
        });
        match number {
            0 => inside.push((number, writer)),
            _ => outside.push_back((number, writer)),
        }
    }
    let occupants = outside.len() + 1;
    let (outside, entered) = (Arc::new(Mutex::new(outside)), Arc::new(Mutex::new(inside)));
    let (cpu, start) = (load.process.cpu()?, Instant::now());
    let mut doors = JoinSet::new();
    for _ in 0..JOINS_AT_ONCE {
        let (outside, entered) = (Arc::clone(&outside), Arc::clone(&entered));
        let audience = Arc::clone(audience);
        doors.spawn(async move {
            loop {
                let Some((number, mut writer)) = outside.lock().await.pop_front() else {
                    return anyhow::Ok(());
                };
                send(&mut writer, join(audience.room(), number).as_bytes()).await?;
                audience.is_inside(number).await?;
                entered.lock().await.push((number, writer));
            }
        });
    }
    if !settle(ENTER, tasks, || audience.is_complete()).await? {
        bail!("after {ENTER:?} not all of {occupants} know who is in the room");
    }
    while let Some(door) = doors.join_next().await {
        door??;
    }
    let (wall, cpu) = (start.elapsed(), load.process.cpu()?.saturating_sub(cpu));
    let mut writers = std::mem::take(&mut *entered.lock().await);
    writers.sort_by_key(|(number, _)| *number);
    let writers = writers.into_iter().map(|(_, writer)| writer).collect();
    Ok((writers, Part { cpu, wall, copies: 0 }))
}

/// Some of the occupants write; ends when everything has arrived.
async fn talk(
    load: &Load,
    options: &Options,
    audience: &Arc<Audience>,
    writers: Vec<Outgoing>,
    tasks: &mut JoinSet<Result<()>>,
) -> Result<Part> {
    // Evenly among those who came early and late; the others only listen.
    let every = (writers.len() / options.senders.max(1)).max(1);
    let (mut flows, mut silent) = (0, Vec::new());
    for (number, writer) in writers.into_iter().enumerate() {
        if number % every == 0 && flows < options.senders {
            tasks.spawn(write(writer, Arc::clone(audience), flows, options.window));
            flows += 1;
        } else {
            silent.push(writer);
        }
    }
    let copies = || audience.flows().iter().map(|flow| flow.copies.load(Relaxed)).sum::<u64>();
    let heard = || audience.flows().iter().all(|flow| flow.copies.load(Relaxed) > 0);
    if !settle(FIRST, tasks, heard).await? {
        bail!("after {FIRST:?} not every sender has been heard");
    }
    run_for(options.warm_up, tasks).await?;
    let before = (copies(), load.process.cpu()?, Instant::now());
    run_for(options.duration, tasks).await?;
    // A server may deliver all that is under way in one go, and then nothing for a while: several
    // times as much must have come, or the figure is one of chance.
    let burst = options.window * audience.flows().len() as u64 * audience.size();
    settle(LONGEST, tasks, || copies() - before.0 >= 4 * burst).await?;
    let part = Part {
        copies: copies() - before.0,
        cpu: load.process.cpu()?.saturating_sub(before.1),
        wall: before.2.elapsed(),
    };
    audience.stop();
    let under_way = || audience.flows().iter().any(|flow| audience.under_way(flow) > 0);
    // A server that lost something never gets there; the verdict says so.
    settle(DRAIN, tasks, || !under_way()).await?;
    run_for(LATE, tasks).await?;
    drop(silent);
    Ok(part)
}

async fn write(
    mut writer: Outgoing,
    audience: Arc<Audience>,
    flow: usize,
    window: u64,
) -> Result<()> {
    let number = u32::try_from(flow)?;
    let flow: &Flow = audience.flows().get(flow).ok_or_else(|| anyhow!("no such flow"))?;
    let mut template = Template::to_room(audience.room(), number);
    loop {
        if audience.has_stopped() || audience.under_way(flow) > (window - 1) * audience.size() {
            flow.wake.notified().await;
            continue;
        }
        let number = flow.sent.fetch_add(1, Relaxed);
        send(&mut writer, template.stamped(number)).await?;
    }
}

/// Joins under way.
const JOINS_AT_ONCE: usize = 16;

/// How long everybody may take to come in.
const ENTER: Duration = Duration::from_secs(1200);

/// How long the first messages may take.
const FIRST: Duration = Duration::from_secs(60);

/// How much longer a slow server is measured.
const LONGEST: Duration = Duration::from_secs(60);

/// How long the last ones may take.
const DRAIN: Duration = Duration::from_secs(60);

/// How long to listen for doubles after everything has arrived.
const LATE: Duration = Duration::from_millis(500);
