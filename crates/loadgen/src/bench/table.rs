//! The table: figures, ratios, targets.

use std::fmt;

use anyhow::Result;

use super::cases::Metric;
use super::{Options, Results, machine};
use crate::peer::Kind;
use crate::report::{median, plain};

/// A run in a form that can be printed; Markdown, which people read too.
#[derive(Debug)]
pub struct Table {
    results: Results,
    versions: Vec<(Kind, String)>,
    rounds: usize,
    quick: bool,
}

/// What a row says and what is promised.
struct Row {
    metric: Metric,
    title: &'static str,
    unit: &'static str,
    goal: Goal,
}

/// A promise; ratios are against the better of the peers in the same run.
enum Goal {
    /// At most this share of the better peer and, where given, this multiple of
    /// the floor.
    Less { share: Option<f64>, floor: Option<f64> },
    /// At least this multiple of the better peer.
    More { times: f64 },
    /// At most this much.
    Absolute { limit: f64 },
    /// For information; less is better.
    None,
    /// For information; more is better.
    Most,
}

const ROWS: [Row; 26] = [
    row(Metric::Chat, "chat, no archive: server CPU per message", "µs", less(8.0, Some(3.0))),
    row(
        Metric::ArchivedChat,
        "chat, archive on tmpfs: server CPU per message",
        "µs",
        less(15.0, None),
    ),
    row(
        Metric::DurableChat,
        "chat, archive on disk: acknowledged messages",
        "/s",
        Goal::More { times: 25.0 },
    ),
    row(Metric::LatencyMedian, "one-way latency at 500/s, p50", "ms", floor(2.0)),
    row(Metric::LatencyTail, "one-way latency at 500/s, p99", "ms", floor(4.0)),
    row(Metric::Login, "login, TLS and SCRAM: server CPU", "ms", less(2.0, None)),
    row(Metric::Session, "memory per idle TLS session with XEP-0198", "KiB", less(3.0, None)),
    row(Metric::Pages, "archive pages of 50, one client", "/s", Goal::More { times: 5.0 }),
    row(Metric::Process, "whole process after start", "MB", Goal::Absolute { limit: 20.0 }),
    row(Metric::OfflineStore, "message for somebody who is away: server CPU", "µs", Goal::None),
    row(Metric::OfflineFetch, "the same when they come back: server CPU", "µs", Goal::None),
    row(Metric::RoomCopy, "room of 1,000: server CPU per copy of a message", "µs", Goal::None),
    row(Metric::RoomCopies, "the same: copies delivered", "/s", Goal::Most),
    row(Metric::RoomJoin, "1,000 come into a room: server CPU per join", "ms", Goal::None),
    row(
        Metric::RoomOccupant,
        "the same: memory per occupant beside its session",
        "KiB",
        Goal::None,
    ),
    row(
        Metric::FederatedChat,
        "chat between two servers: CPU of both per message",
        "µs",
        Goal::None,
    ),
    row(Metric::FederatedRate, "the same: messages", "/s", Goal::Most),
    row(Metric::UploadByte, "upload of 10 MiB files: server CPU per MB", "ms", Goal::None),
    row(Metric::UploadRate, "the same: throughput", "MB/s", Goal::Most),
    row(Metric::DownloadByte, "fetching them: server CPU per MB", "ms", Goal::None),
    row(Metric::DownloadRate, "the same: throughput", "MB/s", Goal::Most),
    row(Metric::UploadFiles, "upload of 64 KiB files with their slots", "/s", Goal::Most),
    row(Metric::DownloadFiles, "fetching them", "/s", Goal::Most),
    row(
        Metric::Online,
        "200 who all know each other come online: server CPU each",
        "ms",
        Goal::None,
    ),
    row(Metric::OnlineTime, "the same: until everybody knows", "ms", Goal::None),
    row(Metric::Presence, "their changes of presence: server CPU per delivery", "µs", Goal::None),
];

const fn row(metric: Metric, title: &'static str, unit: &'static str, goal: Goal) -> Row {
    Row { metric, title, unit, goal }
}

const fn less(divisor: f64, floor: Option<f64>) -> Goal {
    Goal::Less { share: Some(1.0 / divisor), floor }
}

const fn floor(times: f64) -> Goal {
    Goal::Less { share: None, floor: Some(times) }
}

impl Table {
    /// The table of a run.
    pub fn new(results: Results, versions: Vec<(Kind, String)>, options: &Options) -> Result<Self> {
        Ok(Self { results, versions, rounds: options.rounds, quick: options.quick })
    }

    /// Whether every target was met that could be checked, nothing was lost by
    /// Anemone, and every case ran. Figures of a quick run meet or miss nothing.
    pub fn passed(&self) -> bool {
        self.results.failures().is_empty()
            && self.results.violations(Kind::Anemone) == 0
            && (self.quick || ROWS.iter().all(|row| self.met(row) != Some(false)))
    }

    fn has_figures(&self, row: &Row) -> bool {
        Kind::ALL.into_iter().any(|kind| self.figure(row.metric, kind).is_some())
    }

    fn figure(&self, metric: Metric, kind: Kind) -> Option<f64> {
        median(self.results.values(metric, kind))
    }

    /// The peer's figure that is harder to beat.
    fn better_peer(&self, row: &Row) -> Option<f64> {
        let peers = [Kind::Prosody, Kind::Ejabberd]
            .into_iter()
            .filter_map(|kind| self.figure(row.metric, kind));
        match row.goal {
            Goal::More { .. } | Goal::Most => peers.reduce(f64::max),
            _ => peers.reduce(f64::min),
        }
    }

    fn met(&self, row: &Row) -> Option<bool> {
        let ours = self.figure(row.metric, Kind::Anemone)?;
        match row.goal {
            Goal::Less { share, floor } => {
                let peer = share.map(|share| Some(ours <= share * self.better_peer(row)?));
                let floor =
                    floor.map(|times| Some(ours <= times * self.figure(row.metric, Kind::Floor)?));
                [peer, floor].into_iter().flatten().try_fold(true, |all, one| Some(all && one?))
            }
            Goal::More { times } => Some(ours >= times * self.better_peer(row)?),
            Goal::Absolute { limit } => Some(ours <= limit),
            Goal::None | Goal::Most => None,
        }
    }

    fn ratio(&self, row: &Row) -> Option<String> {
        // Too little was done to measure it, in a quick run.
        let ours = self.figure(row.metric, Kind::Anemone).filter(|ours| *ours > 0.0)?;
        let peer = self.better_peer(row).map(|peer| match row.goal {
            Goal::More { .. } | Goal::Most => format!("{}×", plain(ours / peer)),
            _ => format!("1/{}", plain(peer / ours)),
        });
        let floor = self
            .figure(row.metric, Kind::Floor)
            .map(|floor| format!("{}× floor", plain(ours / floor)));
        let parts: Vec<String> = [peer, floor].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Less { share, floor } => {
                let share = share.map(|share| format!("≤ 1/{}", plain_integer(1.0 / share)));
                let floor = floor.map(|times| format!("≤ {}× floor", plain_integer(times)));
                f.write_str(&[share, floor].into_iter().flatten().collect::<Vec<_>>().join(", "))
            }
            Self::More { times } => write!(f, "≥ {}×", plain_integer(*times)),
            Self::Absolute { limit } => write!(f, "≤ {}", plain_integer(*limit)),
            Self::None | Self::Most => f.write_str("–"),
        }
    }
}

fn plain_integer(value: f64) -> String {
    format!("{value:.0}")
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| case | unit | floor | prosody | ejabberd | anemone | ratio | target | met |"
        )?;
        writeln!(f, "|---|---|---:|---:|---:|---:|---|---|---|")?;
        for row in ROWS.iter().filter(|row| self.has_figures(row)) {
            write!(f, "| {} | {} |", row.title, row.unit)?;
            for kind in Kind::ALL {
                match self.figure(row.metric, kind) {
                    Some(value) => write!(f, " {} |", plain(value))?,
                    None => write!(f, " – |")?,
                }
            }
            let met = self.met(row).map_or("–", |met| if met { "yes" } else { "NO" });
            writeln!(f, " {} | {} | {met} |", self.ratio(row).as_deref().unwrap_or("–"), row.goal)?;
        }
        self.circumstances(f)
    }
}

impl Table {
    fn circumstances(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nMachine: {}.", machine::describe())?;
        let versions: Vec<String> = self
            .versions
            .iter()
            .map(|(kind, version)| format!("{} {version}", kind.name()))
            .collect();
        writeln!(f, "\nVersions: {}.", versions.join(", "))?;
        let quick = if self.quick { " This was a quick run: its figures mean little." } else { "" };
        let rounds = match self.rounds {
            1 => "from one round".to_owned(),
            several => format!("medians of {several} rounds"),
        };
        writeln!(f, "\nFigures are {rounds}; the servers took turns.{quick}")?;
        writeln!(f, "\n{SETTINGS}")?;
        let violations: Vec<String> = Kind::ALL
            .into_iter()
            .filter(|kind| self.versions.iter().any(|(present, _)| present == kind))
            .map(|kind| format!("{} {}", kind.name(), self.results.violations(kind)))
            .collect();
        writeln!(f, "\nMessages lost, doubled, reordered or damaged: {}.", violations.join(", "))?;
        for failure in self.results.failures() {
            writeln!(f, "\nFAILED: {failure}")?;
        }
        Ok(())
    }
}

const SETTINGS: &str = "\
Settings: all clients over direct TLS 1.3 with full handshakes and P-256 certificates of one \
authority, SCRAM-SHA-1 without channel binding, Bind, no compression; rate limits off in all \
servers, and federation, rooms and files where they are not the case; otherwise the modules of \
Debian's default configurations that serve clients. Prosody: \
epoll, Nagle's algorithm off (`network_settings = { nagle = false }`; Debian's default leaves it \
on), archive in SQLite, everything else in files. ejabberd: schedulers do not spin (`+sbwt none`), \
archive in SQLite, everything else in Mnesia. SQLite has each server's own settings: both peers \
run with its default, a rollback journal and `synchronous=FULL`. The floor is a relay in the load \
generator that decrypts, encrypts and does nothing else. CPU time is user and system time of the \
server's processes from `/proc/PID/stat`; memory per session is the growth of their proportional \
set size, memory after start their resident set, from `/proc/PID/smaps_rollup`. The load comes \
from one thread of the same machine; each chat has 50 pairs that both write, four messages under \
way per direction (two where each is acknowledged), every message 1.2 KB and a write of its own.

The room: open to everybody, semi-anonymous, archived, on tmpfs. 1,000 people with a session each \
come in, 16 at a time and without history; everybody is told of everybody, which makes a million \
presences, and a join's share of them is in its cost. Memory per occupant is what the room made the \
server grow by. Then five of them write the same messages of 1.2 KB, each with two under way; a copy \
is one occupant's, and counts when it has arrived. Copies per second are bounded by the load \
generator, which reads them all.

Two servers: both of a kind, on this machine, with a certificate of one authority each, which they \
prove themselves with (SASL EXTERNAL), no archive; 50 pairs write as in the other chat, one of each \
pair at each server. A message counts once and its cost is that of both servers. Anemone writes each \
to its outbox on disk (here: tmpfs) before it is sent, which the others do not.

Files (XEP-0363): Prosody's `http_file_share`, ejabberd's `mod_http_upload`, on tmpfs. Eight clients, \
each with one HTTPS connection that stays open where the server leaves it open, upload and fetch \
four files of 10 MiB (Prosody's default limit) and 125 of 64 KiB each. Slots are asked for over XMPP \
and are in the figures. Everything fetched is compared.

Presence: 200 people with 199 contacts each, both ways. All come online at once, with 39,800 \
presences to deliver; then each changes its presence five times, all at once, the next time when \
everybody knows. What a server sends beside these, such as somebody's own presence or the same one \
twice when two come online together, is in its cost and not counted as delivered.";
