//! What is measured, in which order and how much of it.

use std::time::Duration;

use anyhow::Result;

use crate::crowd::Load;
use crate::mode::{archive, chat, idle, latency, login, offline};
use crate::peer::scratch::Medium;
use crate::peer::{Beds, Kind, Setting};
use crate::report::Report;

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Server CPU per delivered message, no archive; µs.
    Chat,
    /// The same with the archive on tmpfs; µs.
    ArchivedChat,
    /// Acknowledged messages per second, archive on disk.
    DurableChat,
    /// Median one-way latency; ms.
    LatencyMedian,
    /// 99th percentile of the one-way latency; ms.
    LatencyTail,
    /// Server CPU per login; ms.
    Login,
    /// Memory per idle session; KiB.
    Session,
    /// Archive pages per second.
    Pages,
    /// Resident memory of the whole process after start; MB of 10^6 bytes.
    Process,
    /// Server CPU per message stored for somebody who is away; µs.
    OfflineStore,
    /// Server CPU per message fetched after coming back; µs.
    OfflineFetch,
}

/// What one stage found.
#[derive(Debug, Default)]
pub struct Figures {
    /// One value per metric.
    pub values: Vec<(Metric, f64)>,
    /// Messages lost, doubled, reordered or damaged.
    pub violations: u64,
}

/// Cases that share a start of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Stage {
    /// No archive: memory of a server that has done nothing else.
    Memory,
    /// No archive: latency, chat, logins.
    Plain,
    /// Archive on tmpfs: chat, pages, people who are away.
    Archive,
    /// Archive on disk: chat with every message acknowledged.
    Durable,
}

/// How much of everything.
#[derive(Debug, Clone)]
pub struct Scale {
    sessions: usize,
    rest: Duration,
    chat: Duration,
    durable: Duration,
    latency: Duration,
    logins: u64,
    archive_messages: u64,
    archive: Duration,
}

impl Scale {
    /// For figures.
    pub const FULL: Self = Self {
        sessions: 1000,
        rest: Duration::from_secs(5),
        chat: Duration::from_secs(5),
        durable: Duration::from_secs(12),
        latency: Duration::from_secs(10),
        logins: 1000,
        archive_messages: 2000,
        archive: Duration::from_secs(5),
    };

    /// To see that everything works.
    pub const QUICK: Self = Self {
        sessions: 100,
        rest: Duration::from_secs(1),
        chat: Duration::from_secs(1),
        durable: Duration::from_secs(4),
        latency: Duration::from_secs(1),
        logins: 100,
        archive_messages: 300,
        archive: Duration::from_secs(1),
    };

    fn first(&self) -> usize {
        self.sessions / 20
    }
}

impl Stage {
    /// All, in the order in which they are run.
    pub const ALL: [Self; 4] = [Self::Memory, Self::Plain, Self::Archive, Self::Durable];

    /// Its name in messages.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Plain => "no archive",
            Self::Archive => "archive on tmpfs",
            Self::Durable => "archive on disk",
        }
    }

    /// Whether it says anything about this server: the relay has no archive.
    pub fn includes(self, kind: Kind) -> bool {
        self == Self::Plain || kind != Kind::Floor
    }

    /// Starts the server, runs the cases, stops the server.
    pub async fn run(self, beds: &Beds, kind: Kind, scale: &Scale) -> Result<Figures> {
        let medium = if self == Self::Durable { Medium::Disk } else { Medium::Memory };
        let archive = matches!(self, Self::Archive | Self::Durable);
        let accounts = match self {
            Self::Memory => scale.first() + scale.sessions,
            Self::Plain | Self::Archive | Self::Durable => 2 * PAIRS,
        };
        let mut peer = beds.start(kind, Setting { archive, medium, accounts }).await?;
        let mut figures = Figures::default();
        match (self, kind) {
            (Self::Memory, _) => figures.memory(&peer.load, scale).await?,
            (Self::Plain, Kind::Floor) => figures.floor(&peer.load, scale).await?,
            (Self::Plain, _) => figures.plain(&peer.load, scale).await?,
            (Self::Archive, _) => figures.archive(&peer.load, scale).await?,
            (Self::Durable, _) => figures.durable(&peer.load, scale).await?,
        }
        peer.service.stop(STOP).await?;
        Ok(figures)
    }
}

impl Figures {
    async fn floor(&mut self, load: &Load, scale: &Scale) -> Result<()> {
        self.latency(load, scale).await?;
        self.chat(load, scale, Metric::Chat).await
    }

    async fn memory(&mut self, load: &Load, scale: &Scale) -> Result<()> {
        tokio::time::sleep(scale.rest).await;
        self.values.push((Metric::Process, load.process.rss()? as f64 / 1e6));
        let options =
            idle::Options { sessions: scale.sessions, first: scale.first(), rest: scale.rest };
        self.take(&idle::run(load, &options).await?, &[(Metric::Session, "memory per session")]);
        Ok(())
    }

    async fn plain(&mut self, load: &Load, scale: &Scale) -> Result<()> {
        self.latency(load, scale).await?;
        self.chat(load, scale, Metric::Chat).await?;
        let options = login::Options { rate: 100.0, logins: scale.logins, accounts: 50 };
        self.take(&login::run(load, &options).await?, &[(Metric::Login, "server CPU per login")]);
        Ok(())
    }

    async fn archive(&mut self, load: &Load, scale: &Scale) -> Result<()> {
        let options = archive::Options {
            messages: scale.archive_messages,
            page: 50,
            duration: scale.archive,
        };
        self.take(&archive::run(load, &options).await?, &[(Metric::Pages, "pages")]);
        self.chat(load, scale, Metric::ArchivedChat).await?;
        let options = offline::Options { receivers: 20, messages: 90 };
        let metrics = [
            (Metric::OfflineStore, "server CPU per stored"),
            (Metric::OfflineFetch, "server CPU per fetched"),
        ];
        self.take(&offline::run(load, &options).await?, &metrics);
        Ok(())
    }

    async fn durable(&mut self, load: &Load, scale: &Scale) -> Result<()> {
        let options = chat::Options {
            window: 2,
            warm_up: scale.durable / 4,
            duration: scale.durable,
            stream_management: true,
            acknowledged: true,
            ..chat_options(scale)
        };
        self.take(&chat::run(load, &options).await?, &[(Metric::DurableChat, "acknowledged")]);
        Ok(())
    }

    async fn latency(&mut self, load: &Load, scale: &Scale) -> Result<()> {
        let options =
            latency::Options { pairs: 10, rate: 500.0, warm_up: WARM_UP, duration: scale.latency };
        let metrics = [(Metric::LatencyMedian, "p50"), (Metric::LatencyTail, "p99")];
        self.take(&latency::run(load, &options).await?, &metrics);
        Ok(())
    }

    async fn chat(&mut self, load: &Load, scale: &Scale, metric: Metric) -> Result<()> {
        let report = chat::run(load, &chat_options(scale)).await?;
        self.take(&report, &[(metric, "server CPU per message")]);
        Ok(())
    }

    fn take(&mut self, report: &Report, metrics: &[(Metric, &'static str)]) {
        eprint!("{}\n{report}", report.mode);
        self.violations += report.violations();
        self.values.extend(
            metrics.iter().filter_map(|(metric, name)| Some((*metric, report.value(name)?))),
        );
    }
}

fn chat_options(scale: &Scale) -> chat::Options {
    chat::Options {
        pairs: PAIRS,
        window: 4,
        warm_up: WARM_UP,
        duration: scale.chat,
        stream_management: false,
        acknowledged: false,
    }
}

const PAIRS: usize = 50;

const WARM_UP: Duration = Duration::from_secs(1);

/// ejabberd takes its time.
const STOP: Duration = Duration::from_secs(20);
