//! What is measured, and in which order.

use std::time::Duration;

use anyhow::Result;

use super::scale::Scale;
use crate::crowd::Load;
use crate::mode::{archive, chat, idle, latency, login, offline, presence, rooms, upload};
use crate::peer::scratch::Medium;
use crate::peer::{Beds, Kind, Place, Scene, Setting};
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
    /// Server CPU per copy of a message to a room; µs.
    RoomCopy,
    /// Copies per second.
    RoomCopies,
    /// Server CPU for each of many who come into a room, everybody told of them;
    /// ms.
    RoomJoin,
    /// Memory per occupant, beside that of the session; KiB.
    RoomOccupant,
    /// CPU of both servers per message from one to the other; µs.
    FederatedChat,
    /// Such messages per second.
    FederatedRate,
    /// Server CPU per MB uploaded; ms.
    UploadByte,
    /// MB uploaded per second.
    UploadRate,
    /// Server CPU per MB fetched; ms.
    DownloadByte,
    /// MB fetched per second.
    DownloadRate,
    /// Small files uploaded per second, each with its slot.
    UploadFiles,
    /// Small files fetched per second.
    DownloadFiles,
    /// Server CPU for each of many who come online together; ms.
    Online,
    /// Until everybody knows that everybody is there; ms.
    OnlineTime,
    /// Server CPU per change of presence delivered; µs.
    Presence,
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
    /// A room with many occupants, archive on tmpfs.
    Rooms,
    /// Chat between two servers of a kind, no archive.
    Federation,
    /// Files on tmpfs: up and down.
    Files,
    /// Presence of many people who know each other.
    Presence,
}

impl Stage {
    /// All, in the order in which they are run.
    pub const ALL: [Self; 8] = [
        Self::Memory,
        Self::Plain,
        Self::Archive,
        Self::Durable,
        Self::Rooms,
        Self::Federation,
        Self::Files,
        Self::Presence,
    ];

    /// Its name in messages.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Plain => "no archive",
            Self::Archive => "archive on tmpfs",
            Self::Durable => "archive on disk",
            Self::Rooms => "rooms",
            Self::Federation => "federation",
            Self::Files => "files",
            Self::Presence => "presence",
        }
    }

    /// Whether it says anything about this server: the relay does nothing but
    /// relay.
    pub fn includes(self, kind: Kind) -> bool {
        self == Self::Plain || kind != Kind::Floor
    }

    /// Starts the server, runs the cases, stops the server.
    pub async fn run(self, beds: &Beds, kind: Kind, scale: &Scale) -> Result<Figures> {
        if self == Self::Federation {
            return federation(beds, kind, scale).await;
        }
        let mut peer = beds.start(kind, self.setting(scale)).await?;
        let mut figures = Figures::default();
        match (self, kind) {
            (Self::Memory, _) => figures.memory(&peer.load, scale).await?,
            (Self::Plain, Kind::Floor) => figures.floor(&peer.load, scale).await?,
            (Self::Plain | Self::Federation, _) => figures.plain(&peer.load, scale).await?,
            (Self::Archive, _) => figures.archive(&peer.load, scale).await?,
            (Self::Durable, _) => figures.durable(&peer.load, scale).await?,
            (Self::Rooms, _) => figures.rooms(&peer.load, scale).await?,
            (Self::Files, _) => figures.files(&peer.load, scale).await?,
            (Self::Presence, _) => figures.presence(&peer.load, scale).await?,
        }
        peer.service.stop(STOP).await?;
        Ok(figures)
    }

    fn setting(self, scale: &Scale) -> Setting {
        let (accounts, scene) = match self {
            Self::Memory => (scale.first() + scale.sessions, Scene::Chat),
            Self::Plain | Self::Archive | Self::Durable | Self::Federation => {
                (2 * PAIRS, Scene::Chat)
            }
            Self::Rooms => (scale.occupants, Scene::Rooms),
            Self::Files => (scale.files.clients, Scene::Files),
            Self::Presence => (scale.people, Scene::Contacts),
        };
        Setting {
            archive: matches!(self, Self::Archive | Self::Durable | Self::Rooms),
            medium: if self == Self::Durable { Medium::Disk } else { Medium::Memory },
            accounts,
            scene,
        }
    }
}

/// Two servers of a kind, and what both together use.
async fn federation(beds: &Beds, kind: Kind, scale: &Scale) -> Result<Figures> {
    let mut peers = Vec::new();
    for place in Place::pair()? {
        let setting =
            Setting { scene: Scene::Federation(place), ..Stage::Federation.setting(scale) };
        peers.push(beds.start(kind, setting).await?);
    }
    let loads: Vec<Load> = peers.iter().map(|peer| peer.load.clone()).collect();
    let mut figures = Figures::default();
    let metrics =
        [(Metric::FederatedChat, "server CPU per message"), (Metric::FederatedRate, "delivered")];
    figures.take(&chat::run(&loads, &chat_options(scale)).await?, &metrics);
    for peer in &mut peers {
        peer.service.stop(STOP).await?;
    }
    Ok(figures)
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
        self.take(
            &chat::run(std::slice::from_ref(load), &options).await?,
            &[(Metric::DurableChat, "acknowledged")],
        );
        Ok(())
    }

    async fn rooms(&mut self, load: &Load, scale: &Scale) -> Result<()> {
        let options = rooms::Options {
            occupants: scale.occupants,
            senders: 5,
            window: 2,
            rest: scale.rest,
            warm_up: WARM_UP,
            duration: scale.talk,
        };
        let metrics = [
            (Metric::RoomCopy, "server CPU per copy"),
            (Metric::RoomCopies, "copies"),
            (Metric::RoomJoin, "server CPU per join"),
            (Metric::RoomOccupant, "memory per occupant"),
        ];
        self.take(&rooms::run(load, &options).await?, &metrics);
        Ok(())
    }

    async fn files(&mut self, load: &Load, scale: &Scale) -> Result<()> {
        let metrics = [
            (Metric::UploadByte, "server CPU per MB up"),
            (Metric::UploadRate, "large up"),
            (Metric::DownloadByte, "server CPU per MB down"),
            (Metric::DownloadRate, "large down"),
            (Metric::UploadFiles, "small files up"),
            (Metric::DownloadFiles, "small files down"),
        ];
        self.take(&upload::run(load, &scale.files).await?, &metrics);
        Ok(())
    }

    async fn presence(&mut self, load: &Load, scale: &Scale) -> Result<()> {
        let options = presence::Options { people: scale.people, changes: scale.changes };
        let metrics = [
            (Metric::Online, "server CPU per person online"),
            (Metric::OnlineTime, "until all are online"),
            (Metric::Presence, "server CPU per presence"),
        ];
        self.take(&presence::run(load, &options).await?, &metrics);
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
        let report = chat::run(std::slice::from_ref(load), &chat_options(scale)).await?;
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

/// Servers that still tell the last thousand occupants of a room who has gone take
/// their time.
const STOP: Duration = Duration::from_secs(120);
