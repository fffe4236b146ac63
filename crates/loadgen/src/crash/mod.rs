//! Kill the server, again and again, and prove that no promise was broken.
//!
//! A round: the devices write, the server is killed (SIGKILL) at a random
//! moment and started again, sometimes killed once more before it has come to
//! itself; the devices return, get everything through, and then both archives
//! are read and everything is compared ([`checker`]). At the end the archives
//! are read once more from the beginning: what was checked must still be there.

pub mod checker;
pub mod device;
pub mod evidence;
pub mod random;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::crowd::{settle, user};
use crate::histogram::Histogram;
use crate::login::{Target, Wishes};
use crate::mam;
use crate::peer::{Beds, Kind, Peer, Setting};
use checker::{Violation, check};
use device::{Device, Notes, Orders, Phase, Place};
use evidence::{Archived, DeviceLog, MessageId};
use random::Random;

/// How to crash.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often, at least.
    pub rounds: u32,
    /// Determines all decisions; the load still depends on the machine.
    pub seed: u64,
    /// Against whom.
    pub kind: Kind,
    /// Where the data is.
    pub setting: Setting,
    /// Pairs of people.
    pub pairs: usize,
    /// Devices of each.
    pub devices: usize,
    /// Messages per second of all devices together.
    pub rate: f64,
    /// The longest time from a start to a kill; the shortest is 0.2 s.
    pub longest: Duration,
    /// SIGTERM instead, to check the checker with a server that may prepare.
    pub graceful: bool,
}

/// What happened.
#[derive(Debug, Default)]
pub struct Summary {
    /// Rounds that were completed.
    pub rounds: u32,
    /// How often the server was killed.
    pub kills: u64,
    /// Messages written.
    pub written: usize,
    /// Messages acknowledged.
    pub acknowledged: usize,
    /// Sessions that were resumed.
    pub resumed: u64,
    /// Sessions that were bound after an earlier one.
    pub rebound: u64,
    /// Catch-ups that began anew because the archive did not know the last id.
    pub misplaced: u64,
    /// Copies that devices had to merge: what came live and came again later.
    pub merged: usize,
    /// From start to the first accepted connection.
    pub starts: Histogram,
    /// What the devices complained about, apart from lost connections.
    pub complaints: Vec<String>,
    /// Broken promises; the run ends at the first round that has any.
    pub violations: Vec<Violation>,
    /// How the messages of the first violations came, where they came.
    pub evidence: Vec<String>,
}

/// Everything that is alive during a run.
struct Stage {
    peer: Peer,
    random: Random,
    orders: watch::Sender<Orders>,
    notes: Vec<Arc<Mutex<Notes>>>,
    tasks: JoinSet<Result<()>>,
    archives: Vec<Vec<Archived>>,
    kills: u64,
    starts: Histogram,
}

/// Runs the rounds.
pub async fn run(beds: &Beds, options: &Options) -> Result<Summary> {
    let mut stage = Stage::new(beds, options).await?;
    let (mut rounds, mut violations) = (0, Vec::new());
    while rounds < options.rounds && violations.is_empty() {
        rounds += 1;
        violations = stage.round(options).await.with_context(|| format!("round {rounds}"))?;
    }
    if violations.is_empty() {
        stage.reread().await?;
    }
    stage.order(Phase::Stop);
    stage.tasks.shutdown().await;
    stage.summary(rounds, violations)
}

impl Stage {
    async fn new(beds: &Beds, options: &Options) -> Result<Self> {
        let peer = beds.start(options.kind, options.setting).await?;
        let accounts = 2 * options.pairs;
        let count = accounts * options.devices;
        let (orders, watcher) = watch::channel(Orders { phase: Phase::Settle, kills: 0 });
        let (mut notes, mut tasks) = (Vec::new(), JoinSet::new());
        let mut random = Random::new(options.seed);
        for number in 0..count {
            let account = number % accounts;
            let pace = Duration::from_secs_f64(count as f64 / options.rate);
            let place = Place { number, account, partner: account ^ 1, pace };
            let own = Random::new(random.bits());
            let (device, shown) =
                Device::new(&place, peer.load.target.clone(), watcher.clone(), own);
            notes.push(shown);
            tasks.spawn(device.run());
        }
        let archives = vec![Vec::new(); accounts];
        let mut stage = Self {
            peer,
            random,
            orders,
            notes,
            tasks,
            archives,
            kills: 0,
            starts: Histogram::default(),
        };
        stage.quiet().await?;
        Ok(stage)
    }

    async fn round(&mut self, options: &Options) -> Result<Vec<Violation>> {
        self.order(Phase::Load);
        let moment = self.random.between(SHORTEST, options.longest);
        crate::crowd::run_for(moment, &mut self.tasks).await?;
        self.crash(options.graceful).await?;
        if self.random.chance(25) {
            let moment = self.random.between(Duration::ZERO, Duration::from_millis(300));
            crate::crowd::run_for(moment, &mut self.tasks).await?;
            self.crash(options.graceful).await?;
        }
        self.order(Phase::Settle);
        self.quiet().await?;
        self.audit().await
    }

    fn order(&self, phase: Phase) {
        self.orders.send_replace(Orders { phase, kills: self.kills });
    }

    async fn crash(&mut self, graceful: bool) -> Result<()> {
        match graceful {
            true => drop(self.peer.service.stop(STOP).await?),
            false => self.peer.service.kill()?,
        }
        self.kills += 1;
        let phase = self.orders.borrow().phase;
        self.order(phase);
        let start = Instant::now();
        self.peer.service = self.peer.launch.start().await?;
        self.starts.record(start.elapsed());
        Ok(())
    }

    /// Waits until every device is connected and waits for nothing.
    async fn quiet(&mut self) -> Result<()> {
        let (notes, kills) = (&self.notes, self.kills);
        let quiet =
            || notes.iter().all(|notes| notes.lock().is_ok_and(|notes| notes.quiet == Some(kills)));
        if settle(RETURN, &mut self.tasks, quiet).await? {
            return Ok(());
        }
        let complaints = self.complaints()?;
        let complaints = complaints[..complaints.len().min(5)].join("; ");
        bail!("not every device could return within {RETURN:?}: {complaints}")
    }

    /// Reads what is new in the archives and checks everything. What is only on
    /// its way to a device gets some time to arrive.
    async fn audit(&mut self) -> Result<Vec<Violation>> {
        for (account, archive) in self.archives.iter_mut().enumerate() {
            read(&self.peer.load.target, account, archive).await?;
        }
        let deadline = Instant::now() + ARRIVAL;
        loop {
            let violations = self.check()?;
            let waiting = violations.iter().all(|one| matches!(one, Violation::NotReceived(..)));
            if violations.is_empty() || !waiting || Instant::now() > deadline {
                return Ok(violations);
            }
            crate::crowd::run_for(Duration::from_millis(100), &mut self.tasks).await?;
        }
    }

    fn check(&self) -> Result<Vec<Violation>> {
        let notes: Result<Vec<_>, _> = self.notes.iter().map(|notes| notes.lock()).collect();
        let notes = notes.map_err(|_| anyhow!("a device panicked"))?;
        let logs: Vec<&DeviceLog> = notes.iter().map(|notes| &notes.log).collect();
        Ok(check(&logs, &self.archives))
    }

    /// Reads all archives from the beginning; they must be what they were.
    async fn reread(&mut self) -> Result<()> {
        for (account, known) in self.archives.iter().enumerate() {
            let mut again = Vec::new();
            read(&self.peer.load.target, account, &mut again).await?;
            if again != *known {
                bail!("the archive of u{account} has changed after it was read");
            }
        }
        Ok(())
    }

    fn complaints(&self) -> Result<Vec<String>> {
        let mut all = Vec::new();
        for notes in &self.notes {
            all.extend(
                notes.lock().map_err(|_| anyhow!("a device panicked"))?.complaints.iter().cloned(),
            );
        }
        Ok(all)
    }

    fn evidence(&self, violations: &[Violation]) -> Result<Vec<String>> {
        let mut evidence = Vec::new();
        for (message, device) in violations.iter().filter_map(Violation::at_device).take(5) {
            let notes = self.notes[device].lock().map_err(|_| anyhow!("a device panicked"))?;
            let ways = notes.log.explain(message);
            evidence.extend(ways.iter().map(|way| format!("{message} at device {device}: {way}")));
        }
        Ok(evidence)
    }

    fn summary(self, rounds: u32, violations: Vec<Violation>) -> Result<Summary> {
        let mut summary = Summary {
            rounds,
            kills: self.kills,
            evidence: self.evidence(&violations)?,
            complaints: self.complaints()?,
            starts: self.starts,
            violations,
            ..Summary::default()
        };
        for notes in &self.notes {
            summary.add(&*notes.lock().map_err(|_| anyhow!("a device panicked"))?);
        }
        Ok(summary)
    }
}

/// Appends what `archive` does not have yet.
async fn read(target: &Target, account: usize, archive: &mut Vec<Archived>) -> Result<()> {
    let mut session = target.log_in(&user(account), "audit", Wishes::default()).await?;
    loop {
        let after = archive.last().map(|item| item.id.clone());
        let page = mam::page(&mut session.connection, after.as_deref(), 50).await?;
        let empty = page.items.is_empty();
        for (id, stanza) in page.items {
            let message = MessageId::find(&stanza)
                .with_context(|| format!("a stranger in the archive of u{account}"))?;
            archive.push(Archived { id, message });
        }
        if page.complete || empty {
            return session.connection.close().await;
        }
    }
}

impl Summary {
    fn add(&mut self, notes: &Notes) {
        let live = || notes.log.arrivals.iter().filter(|arrival| arrival.live);
        let different: HashSet<MessageId> = live().map(|arrival| arrival.message).collect();
        self.written += notes.log.acknowledged.len();
        self.acknowledged += notes.log.acknowledged.iter().filter(|done| **done).count();
        self.merged += live().count() - different.len();
        self.resumed += notes.resumed;
        self.rebound += notes.rebound;
        self.misplaced += notes.misplaced;
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rounds, kills, written, acknowledged, resumed, rebound, .. } = self;
        writeln!(f, "{rounds} rounds, {kills} kills")?;
        writeln!(f, "{written} messages, {acknowledged} acknowledged")?;
        writeln!(f, "{resumed} sessions resumed, {rebound} bound anew")?;
        let Self { merged, misplaced, .. } = self;
        writeln!(f, "{merged} copies merged, {misplaced} catch-ups begun anew")?;
        let (median, longest) = (self.starts.quantile(0.5), self.starts.max());
        writeln!(f, "start to first connection: median {median:.0?}, longest {longest:.0?}")?;
        for complaint in self.complaints.iter().take(10) {
            writeln!(f, "note: {complaint}")?;
        }
        for violation in self.violations.iter().take(20) {
            writeln!(f, "VIOLATION: {violation}")?;
        }
        for line in &self.evidence {
            writeln!(f, "evidence: {line}")?;
        }
        match self.violations.len() {
            0 => writeln!(f, "nothing acknowledged was lost, doubled or out of order"),
            count => writeln!(f, "{count} violations"),
        }
    }
}

const SHORTEST: Duration = Duration::from_millis(200);

/// How long the devices may take to return and to get everything through.
const RETURN: Duration = Duration::from_secs(60);

/// How long a message may take to a device when nothing else happens.
const ARRIVAL: Duration = Duration::from_secs(60);

const STOP: Duration = Duration::from_secs(20);
