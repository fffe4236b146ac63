//! A storm of presence: many people who are all contacts of each other come
//! online at once, change what they say about themselves, and go.
//!
//! A presence of one of N people has N - 1 receivers, so each wave of N
//! presences makes N × (N - 1) deliveries, and is over when the last has come.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use tokio::task::JoinSet;

use crate::connection::{Incoming, Outgoing, complaint, excerpt, send};
use crate::crowd::{Load, run_for, settle};
use crate::login::Wishes;
use crate::payload::{Stamp, clock};
use crate::report::{Report, micros_each, millis};
use crate::scan;
use crate::sequence::{Sequence, Verdict};

/// How much of it.
#[derive(Debug, Clone)]
pub struct Options {
    /// People; their accounts must have each other as contacts.
    pub people: usize,
    /// How often each changes its presence.
    pub changes: u64,
}

/// What everybody knows of everybody.
struct Crowd {
    people: usize,
    /// The number of the presence with which half of the people go.
    farewell: u64,
    /// For each of the people, what came of each of the others.
    seen: Vec<Mutex<Vec<Sequence>>>,
    /// Deliveries that had to be made and were.
    delivered: AtomicU64,
    /// When the last of them was, on [`clock`].
    last: AtomicU64,
}

/// What a wave took.
#[derive(Default)]
struct Wave {
    deliveries: u64,
    cpu: Duration,
    wall: Duration,
}

/// Runs the mode with `u0` and up.
pub async fn run(load: &Load, options: &Options) -> Result<Report> {
    let sessions = load.log_in(0, options.people, Wishes::default()).await?;
    let crowd = Arc::new(Crowd::new(options.people, options.changes + 1));
    let (mut tasks, mut writers) = (JoinSet::new(), Vec::new());
    for (number, session) in sessions.into_iter().enumerate() {
        let (reader, writer) = session.connection.split();
        let crowd = Arc::clone(&crowd);
        tasks.spawn(async move {
            crowd.watch(number, reader).await.with_context(|| format!("u{number}"))
        });
        writers.push(writer);
    }
    let everybody = options.people as u64;
    let all = everybody * everybody.saturating_sub(1);
    let online = crowd.wave(load, &mut writers, 0, all, &mut tasks).await?;
    let mut changes = Wave::default();
    for number in 1..=options.changes {
        let wave = crowd.wave(load, &mut writers, number, all, &mut tasks).await?;
        changes.deliveries += wave.deliveries;
        changes.cpu += wave.cpu;
        changes.wall += wave.wall;
    }
    // Half of them, so that there is somebody to be told.
    let half = options.people / 2;
    let told = (half * (options.people - half)) as u64;
    let going = writers.get_mut(..half).unwrap_or_default();
    let gone = crowd.wave(load, going, crowd.farewell, told, &mut tasks).await?;
    run_for(LATE, &mut tasks).await?;
    tasks.shutdown().await;
    let verdict = crowd.verdict()?;
    Ok(Report::new("presence")
        .with("until all are online", online.wall.as_secs_f64() * 1e3, "ms")
        .with("server CPU per person online", millis(online.cpu) / everybody as f64, "ms")
        .with("until a change is known", millis(changes.wall) / options.changes.max(1) as f64, "ms")
        .with("server CPU per presence", micros_each(changes.cpu, changes.deliveries), "µs")
        .with("until half are gone", millis(gone.wall), "ms")
        .with("server CPU per farewell", micros_each(gone.cpu, gone.deliveries), "µs")
        .with_messages(verdict))
}

impl Crowd {
    fn new(people: usize, farewell: u64) -> Self {
        let seen = || Mutex::new((0..people).map(|_| Sequence::default()).collect());
        Self {
            people,
            farewell,
            seen: (0..people).map(|_| seen()).collect(),
            delivered: AtomicU64::new(0),
            last: AtomicU64::new(0),
        }
    }

    /// Presence `number` of all with a writer, and until `deliveries` were made.
    async fn wave(
        &self,
        load: &Load,
        writers: &mut [Outgoing],
        number: u64,
        deliveries: u64,
        tasks: &mut JoinSet<Result<()>>,
    ) -> Result<Wave> {
        let (cpu, start) = (load.process.cpu()?, clock());
        let due = self.delivered.load(Relaxed) + deliveries;
        for (flow, writer) in writers.iter_mut().enumerate() {
            let flow = u32::try_from(flow)?;
            send(writer, self.presence(flow, number).as_bytes()).await?;
        }
        // Who lost something never gets there; the verdict says so.
        settle(LIMIT, tasks, || self.delivered.load(Relaxed) >= due).await?;
        let last = Duration::from_nanos(self.last.load(Relaxed));
        let cpu = load.process.cpu()?.saturating_sub(cpu);
        Ok(Wave { deliveries, cpu, wall: last.saturating_sub(start) })
    }

    fn presence(&self, flow: u32, number: u64) -> String {
        let status = Stamp { flow, number, sent: clock() }.id();
        let (kind, show) = match number {
            number if number == self.farewell => (" type='unavailable'", ""),
            number if number.is_multiple_of(2) => ("", ""),
            _ => ("", "<show>away</show>"),
        };
        format!("<presence{kind}>{show}<status>{status}</status></presence>")
    }

    /// Reads what one of the people gets, for ever.
    async fn watch(&self, owner: usize, mut reader: Incoming) -> Result<()> {
        loop {
            let stanza = reader.stanza().await?;
            if scan::is_element(stanza, "presence") {
                self.note(owner, stanza)?;
            }
        }
    }

    fn note(&self, owner: usize, stanza: &[u8]) -> Result<()> {
        if scan::attribute(stanza, "type") == Some(b"error") {
            bail!("a presence came back: {}", complaint(stanza));
        }
        let Some(stamp) = Stamp::find(stanza) else {
            // RFC 6121 §4.3.2: some servers answer for those who are not there.
            if scan::attribute(stanza, "type") == Some(b"unavailable") {
                return Ok(());
            }
            bail!("an unexpected presence: {}", excerpt(stanza));
        };
        let contact = stamp.flow as usize;
        // Some servers send people their own presence; and who goes may be told of
        // others who go, or not.
        if contact == owner || (stamp.number == self.farewell && !self.stays(owner)) {
            return Ok(());
        }
        let mut seen = self.seen(owner)?;
        let sequence = seen.get_mut(contact).context("a presence of a stranger")?;
        let before = sequence.delivered();
        // Who comes online is announced, and is also asked for by those who come
        // after: the same presence may come both ways (RFC 6121 §4.2.2, §4.3).
        if stamp.number > 0 || before == 0 {
            sequence.arrived(stamp.number);
        }
        if sequence.delivered() > before {
            let now = u64::try_from(clock().as_nanos()).unwrap_or(u64::MAX);
            self.last.store(now, Relaxed);
            self.delivered.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    /// Whether one of the people is there until the end.
    fn stays(&self, number: usize) -> bool {
        number >= self.people / 2
    }

    fn verdict(&self) -> Result<Verdict> {
        let mut verdict = Verdict::default();
        for owner in 0..self.people {
            for (contact, sequence) in self.seen(owner)?.iter().enumerate() {
                let farewell = u64::from(self.stays(owner) && !self.stays(contact));
                if contact != owner {
                    verdict += sequence.verdict(self.farewell + farewell);
                }
            }
        }
        Ok(verdict)
    }

    fn seen(&self, owner: usize) -> Result<MutexGuard<'_, Vec<Sequence>>> {
        let seen = self.seen.get(owner).context("no such person")?;
        seen.lock().map_err(|_| anyhow!("a client panicked"))
    }
}

/// How long a wave may take.
const LIMIT: Duration = Duration::from_secs(120);

/// How long to listen for doubles after everything has arrived.
const LATE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_presence_may_come_twice_when_somebody_comes_online_and_never_later() {
        let crowd = Crowd::new(2, 2);
        let from = |flow, number| crowd.presence(flow, number).into_bytes();
        for number in [0, 0, 1] {
            crowd.note(0, &from(1, number)).unwrap();
            crowd.note(1, &from(0, number)).unwrap();
        }
        assert_eq!(crowd.delivered.load(Relaxed), 4);
        assert_eq!(crowd.verdict().unwrap().lost, 1, "the farewell of the first");
        crowd.note(1, &from(0, 2)).unwrap();
        crowd.note(0, &from(1, 2)).unwrap();
        assert_eq!(crowd.verdict().unwrap().violations(), 0);
        crowd.note(1, &from(0, 1)).unwrap();
        crowd.note(1, b"<presence from='u0@localhost' type='unavailable'/>").unwrap();
        assert_eq!(crowd.verdict().unwrap().doubled, 1);
        assert!(crowd.note(0, b"<presence from='x@y'/>").is_err());
    }
}
