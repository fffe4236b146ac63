//! Kill the servers, again and again, and prove that no promise was broken.
//!
//! There are two Anemones, which are federated: pairs of people on one of them, a
//! pair with somebody on each, and rooms that people of both write into
//! ([`cast`]). A round: the devices write, the owner of the rooms changes them
//! ([`keeper`]), and uploads and deletes files ([`filer`]); one server or both are killed (SIGKILL) at a random moment and
//! started again, sometimes killed once more before they have come to themselves;
//! the devices return, get everything through, and then all archives are read and
//! everything is compared ([`checker`]). At the end the archives are read once more
//! from the beginning: what was checked must still be there.

pub mod cast;
pub mod checker;
pub mod device;
pub mod evidence;
pub mod filer;
pub mod keeper;
pub mod random;
pub mod servers;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::crowd::settle;
use crate::histogram::Histogram;
use crate::login::{Target, Wishes};
use crate::mam;
use crate::peer::{Beds, Kind, Setting};
use cast::{Archive, Cast};
use checker::{Violation, check};
use device::{Device, Notes, Orders, Phase};
use evidence::{Archived, DeviceLog, MessageId};
use filer::Filer;
use keeper::{Claims, Keeper};
use random::Random;
use servers::Server;

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
    /// Pairs of people on the first server.
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
    /// How often servers were killed.
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
    /// What the owner of the rooms was promised and did not find.
    pub missing: Vec<String>,
    /// How the messages of the first violations came, where they came.
    pub evidence: Vec<String>,
}

/// Everything that is alive during a run.
struct Stage {
    servers: Vec<Server>,
    cast: Cast,
    claims: Option<Arc<Mutex<Vec<Claims>>>>,
    files: Option<Arc<Mutex<filer::Claims>>>,
    anemone: PathBuf,
    random: Random,
    orders: watch::Sender<Orders>,
    notes: Vec<Arc<Mutex<Notes>>>,
    tasks: JoinSet<Result<()>>,
    archives: Vec<Vec<Archived>>,
    starts: Histogram,
}

/// Runs the rounds.
pub async fn run(beds: &Beds, options: &Options) -> Result<Summary> {
    let mut stage = Stage::new(beds, options).await?;
    let (mut rounds, mut violations, mut missing) = (0, Vec::new(), Vec::new());
    while rounds < options.rounds && violations.is_empty() && missing.is_empty() {
        rounds += 1;
        (violations, missing) =
            stage.round(options).await.with_context(|| format!("round {rounds}"))?;
    }
    if violations.is_empty() {
        stage.reread().await?;
    }
    stage.order(Phase::Stop);
    stage.tasks.shutdown().await;
    if violations.is_empty() && missing.is_empty() {
        missing = stage.inspect().await?;
    }
    stage.summary(rounds, violations, missing)
}

impl Stage {
    async fn new(beds: &Beds, options: &Options) -> Result<Self> {
        let setting = Setting { accounts: 2 * options.pairs, ..options.setting };
        let servers = servers::start(beds, options.kind, setting).await?;
        let cast = Cast::new(&servers, options.pairs, options.devices);
        for (name, server) in &cast.accounts {
            servers[*server].add_account(&beds.anemone, name)?;
        }
        let (orders, watcher) = watch::channel(Orders { phase: Phase::Settle, kills: [0; 2] });
        let archives = cast.archives().iter().map(|_| Vec::new()).collect();
        let mut stage = Self {
            servers,
            cast,
            claims: None,
            files: None,
            anemone: beds.anemone.clone(),
            random: Random::new(options.seed),
            orders,
            notes: Vec::new(),
            tasks: JoinSet::new(),
            archives,
            starts: Histogram::default(),
        };
        stage.open_rooms(&watcher).await?;
        let places = std::mem::take(&mut stage.cast.places);
        let pace = Duration::from_secs_f64(places.len() as f64 / options.rate);
        for place in places {
            let own = Random::new(stage.random.bits());
            let target = stage.servers[place.server].target.clone();
            let (device, shown) = Device::new(place, pace, target, watcher.clone(), own);
            stage.notes.push(shown);
            stage.tasks.spawn(device.run());
        }
        stage.quiet().await?;
        Ok(stage)
    }

    /// The rooms are made, and their owner begins to change them.
    async fn open_rooms(&mut self, orders: &watch::Receiver<Orders>) -> Result<()> {
        let Some(owner) = self.cast.owner() else { return Ok(()) };
        let (target, rooms) = (self.servers[0].target.clone(), self.cast.rooms.clone());
        let (keeper, claims) = Keeper::new(owner, target, rooms, orders.clone());
        for (at, room) in self.cast.rooms.iter().enumerate() {
            keeper.found(room, at > 0, &self.cast.members(&self.servers, room)).await?;
        }
        self.claims = Some(claims);
        self.tasks.spawn(keeper.run());
        let target = self.servers[0].target.clone();
        let (filer, files) = Filer::new(owner, target, orders.clone());
        self.files = Some(files);
        self.tasks.spawn(filer.run());
        Ok(())
    }

    async fn round(&mut self, options: &Options) -> Result<(Vec<Violation>, Vec<String>)> {
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
        let violations = self.audit().await?;
        Ok((violations, self.claimed().await?))
    }

    fn order(&self, phase: Phase) {
        let mut kills = [0; 2];
        for (count, server) in kills.iter_mut().zip(&self.servers) {
            *count = server.kills;
        }
        self.orders.send_replace(Orders { phase, kills });
    }

    /// Kills the first server, the other one, or both; then they are started again.
    async fn crash(&mut self, graceful: bool) -> Result<()> {
        let chosen: &[usize] = match (self.servers.len(), self.random.bits() % 4) {
            (1, _) | (_, 0 | 1) => &[0],
            (_, 2) => &[1],
            _ => &[0, 1],
        };
        for &at in chosen {
            let server = &mut self.servers[at];
            match graceful {
                true => drop(server.service.stop(STOP).await?),
                false => server.service.kill()?,
            }
            server.kills += 1;
        }
        let phase = self.orders.borrow().phase;
        self.order(phase);
        for &at in chosen {
            let (server, start) = (&mut self.servers[at], Instant::now());
            server.service = server.launch.start().await?;
            self.starts.record(start.elapsed());
        }
        Ok(())
    }

    /// What the owner of the rooms was promised and is not there.
    async fn claimed(&self) -> Result<Vec<String>> {
        let (server, mut missing) = (&self.servers[0], Vec::new());
        let Some(owner) = self.cast.owner() else { return Ok(missing) };
        if let Some(claims) = &self.claims {
            let rooms = &self.cast.rooms;
            missing.extend(keeper::verify(owner, &server.target, rooms, claims).await?);
        }
        if let (Some(files), Some(data)) = (&self.files, &server.data) {
            let place = (self.anemone.as_path(), data.as_path());
            missing.extend(filer::verify(owner, &server.target, place, files).await?);
        }
        Ok(missing)
    }

    /// Stops the servers and reads everything that they have written.
    async fn inspect(&mut self) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        for server in &mut self.servers {
            server.service.stop(STOP).await?;
            if let Some(data) = &server.data {
                wrong.extend(filer::inspect(&self.anemone, data)?);
            }
        }
        Ok(wrong)
    }

    /// Waits until every device is connected and waits for nothing.
    async fn quiet(&mut self) -> Result<()> {
        let (notes, kills) = (&self.notes, self.orders.borrow().kills);
        let quiet = || {
            let quiet = |notes: &Arc<Mutex<Notes>>| {
                notes.lock().is_ok_and(|notes| notes.quiet == Some(kills[notes.server]))
            };
            notes.iter().all(quiet)
        };
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
        let deadline = Instant::now() + ARRIVAL;
        loop {
            for (archive, known) in self.cast.archives().iter().zip(&mut self.archives) {
                read(&self.servers[archive.server].target, archive, known).await?;
            }
            let violations = self.check()?;
            let waiting = violations.iter().all(Violation::may_pass);
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
        for (archive, known) in self.cast.archives().iter().zip(&self.archives) {
            let mut again = Vec::new();
            read(&self.servers[archive.server].target, archive, &mut again).await?;
            if again != *known {
                bail!("{archive:?} has changed after it was read");
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
            let ways = match notes.log.arrivals.iter().any(|arrival| arrival.message == message) {
                true => notes.log.explain(message),
                false => notes.log.explain_absence(message, &self.archives[notes.log.reads]),
            };
            evidence.extend(ways.iter().map(|way| format!("{message} at device {device}: {way}")));
        }
        Ok(evidence)
    }

    fn summary(
        self,
        rounds: u32,
        violations: Vec<Violation>,
        missing: Vec<String>,
    ) -> Result<Summary> {
        let mut summary = Summary {
            rounds,
            missing,
            kills: self.servers.iter().map(|server| server.kills).sum(),
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

/// Appends what `known` does not have yet.
async fn read(target: &Target, archive: &Archive, known: &mut Vec<Archived>) -> Result<()> {
    let mut session = target.log_in(&archive.reader, "audit", Wishes::default()).await?;
    let mut after = known.last().map(|item| item.id.clone());
    loop {
        let (connection, room) = (&mut session.connection, archive.room.as_deref());
        let page = mam::page_of(connection, room, after.as_deref(), 50).await?;
        let empty = page.items.is_empty();
        for (id, stanza) in page.items {
            after = Some(id.clone());
            // Whoever becomes a member of a room is invited by it.
            if is_invitation(&stanza) {
                continue;
            }
            let message = MessageId::find(&stanza)
                .with_context(|| format!("a stranger in the archive {archive:?}"))?;
            known.push(Archived { id, message });
        }
        if page.complete || empty {
            return session.connection.close().await;
        }
    }
}

/// Whether a message is a room's invitation (XEP-0045 §7.8.2), which no device of the test wrote.
fn is_invitation(stanza: &[u8]) -> bool {
    MessageId::find(stanza).is_none() && memchr::memmem::find(stanza, b"<invite ").is_some()
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
        for line in &self.missing {
            writeln!(f, "VIOLATION: {line}")?;
        }
        for line in &self.evidence {
            writeln!(f, "evidence: {line}")?;
        }
        match self.violations.len() + self.missing.len() {
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
