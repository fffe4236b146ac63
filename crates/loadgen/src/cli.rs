//! What `loadgen` can be told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::bench;
use crate::bench::cases::Stage;
use crate::crash;
use crate::crowd::Load;
use crate::login::{Target, Tls};
use crate::mode::{archive, chat, idle, latency, login, offline};
use crate::peer::certificates::Certificates;
use crate::peer::scratch::Medium;
use crate::peer::{Beds, Kind, Scene, Setting};
use crate::procfs::ProcessTree;
use crate::relay;
use crate::report::Report;

/// Puts load on an XMPP server and says what it cost.
#[derive(Debug, Parser)]
#[command(name = "loadgen", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Logins per second, and the server's CPU time for each
    Login {
        #[command(flatten)]
        server: Server,
        /// Logins per second
        #[arg(long, default_value_t = 100.0)]
        rate: f64,
        /// Logins in all
        #[arg(long, default_value_t = 1000)]
        logins: u64,
        /// Accounts that take turns
        #[arg(long, default_value_t = 50)]
        accounts: usize,
    },
    /// Memory per idle session with TLS and stream management
    Idle {
        #[command(flatten)]
        server: Server,
        /// Sessions, each of another account
        #[arg(long, default_value_t = 1000)]
        sessions: usize,
        /// Seconds to wait before each measurement
        #[arg(long, default_value_t = 5.0)]
        rest: f64,
    },
    /// One-way latency of paced messages
    Latency {
        #[command(flatten)]
        server: Server,
        /// Messages per second of all pairs together
        #[arg(long, default_value_t = 500.0)]
        rate: f64,
        /// Pairs of clients
        #[arg(long, default_value_t = 10)]
        pairs: usize,
        /// Seconds to measure
        #[arg(long, default_value_t = 10.0)]
        seconds: f64,
    },
    /// Throughput of 1.2 KB OMEMO messages between pairs
    Chat {
        #[command(flatten)]
        server: Server,
        /// Pairs of clients
        #[arg(long, default_value_t = 50)]
        pairs: usize,
        /// Messages under way per direction
        #[arg(long, default_value_t = 4)]
        window: u64,
        /// Seconds to measure
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
        /// Use stream management
        #[arg(long)]
        sm: bool,
        /// Ask for an acknowledgement of every message and wait for it
        #[arg(long, requires = "sm")]
        acknowledged: bool,
    },
    /// Messages to people who are away, and their return
    Offline {
        #[command(flatten)]
        server: Server,
        /// People who are away
        #[arg(long, default_value_t = 20)]
        receivers: usize,
        /// Messages for each
        #[arg(long, default_value_t = 90)]
        messages: u64,
    },
    /// Pages of an archive
    Archive {
        #[command(flatten)]
        server: Server,
        /// Messages in the archive
        #[arg(long, default_value_t = 2000)]
        messages: u64,
        /// Seconds to fetch
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
    },
    /// Compare Anemone with prosody, ejabberd and the floor
    Bench(Bench),
    /// Kill the server again and again and prove that nothing acknowledged was lost
    Crash(Crash),
    /// Be the floor: a bare TLS relay
    Relay {
        /// Where to listen; the address is printed once it does
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Certificate chain, PEM
        #[arg(long)]
        certificate: PathBuf,
        /// Private key, PEM
        #[arg(long)]
        key: PathBuf,
    },
}

/// What to compare.
#[derive(Debug, Args)]
struct Bench {
    /// How often; figures are medians
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Against whom
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Kind::ALL)]
    servers: Vec<Kind>,
    /// Which stages
    #[arg(long, visible_alias = "case", value_enum, value_delimiter = ',', default_values_t = Stage::ALL)]
    stages: Vec<Stage>,
    /// Less of everything, to see that it works
    #[arg(long)]
    quick: bool,
    /// The binary to measure
    #[arg(long, default_value = "target/release/anemone")]
    anemone: PathBuf,
    /// Also write the table, with the command, into this file
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

/// How to crash.
#[derive(Debug, Args)]
struct Crash {
    /// Rounds, each with one or two kills
    #[arg(long, default_value_t = 200)]
    rounds: u32,
    /// Repeat an earlier run's decisions; random without
    #[arg(long)]
    seed: Option<u64>,
    /// Whom to kill
    #[arg(long, value_enum, default_value_t = Kind::Anemone)]
    server: Kind,
    /// The binary to kill
    #[arg(long, default_value = "target/release/anemone")]
    anemone: PathBuf,
    /// Pairs of people
    #[arg(long, default_value_t = 3)]
    pairs: usize,
    /// Devices of each
    #[arg(long, default_value_t = 2)]
    devices: usize,
    /// Messages per second of all devices together
    #[arg(long, default_value_t = 300.0)]
    rate: f64,
    /// The longest time to a kill in seconds; the shortest is 0.2
    #[arg(long, default_value_t = 5.0)]
    longest: f64,
    /// Data on tmpfs instead of the disk
    #[arg(long)]
    tmpfs: bool,
    /// SIGTERM instead of SIGKILL
    #[arg(long)]
    graceful: bool,
}

/// The server to load. Its accounts `u0`, `u1`, … must exist.
#[derive(Debug, Args)]
struct Server {
    /// Where it listens
    #[arg(long)]
    address: SocketAddr,
    /// Its process, with whatever that has started
    #[arg(long)]
    pid: u32,
    /// PEM file with the certificate that signed the server's
    #[arg(long)]
    ca: PathBuf,
    /// Its domain
    #[arg(long, default_value = "localhost")]
    domain: String,
    /// The password of all accounts
    #[arg(long, default_value = PASSWORD)]
    password: String,
    /// STARTTLS instead of direct TLS
    #[arg(long)]
    starttls: bool,
    /// It is `loadgen relay`
    #[arg(long)]
    relay: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The password of test accounts; they exist only while a bench runs.
pub const PASSWORD: &str = "loadgen-password";

impl Server {
    fn load(&self) -> Result<Load> {
        let mut target = Target::new(self.address, &self.domain, &self.ca, &self.password)?;
        target.relay = self.relay;
        target.tls = if self.starttls { Tls::StartTls } else { Tls::Direct };
        Ok(Load { target, process: ProcessTree::new(self.pid) })
    }
}

/// Runs the command line. Exit code 1: a violation or an error.
pub fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let command = Cli::parse().command;
    let work = async {
        tokio::select! {
            done = run(command) => done,
            done = interrupted() => done,
        }
    };
    let done = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(work));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("loadgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<bool> {
    let (report, json) = match command {
        Command::Bench(arguments) => return compare(arguments).await,
        Command::Crash(arguments) => return crash_test(arguments).await,
        Command::Login { server, rate, logins, accounts } => (
            login::run(&server.load()?, &login::Options { rate, logins, accounts }).await?,
            server.json,
        ),
        Command::Idle { server, sessions, rest } => {
            let options = idle::Options {
                sessions,
                first: sessions / 20,
                rest: Duration::from_secs_f64(rest),
            };
            (idle::run(&server.load()?, &options).await?, server.json)
        }
        Command::Latency { server, rate, pairs, seconds } => {
            let duration = Duration::from_secs_f64(seconds);
            let options = latency::Options { pairs, rate, warm_up: WARM_UP, duration };
            (latency::run(&server.load()?, &options).await?, server.json)
        }
        Command::Chat { server, pairs, window, seconds, sm, acknowledged } => {
            let options = chat::Options {
                pairs,
                window,
                warm_up: WARM_UP,
                duration: Duration::from_secs_f64(seconds),
                stream_management: sm,
                acknowledged,
            };
            (chat::run(&[server.load()?], &options).await?, server.json)
        }
        Command::Offline { server, receivers, messages } => (
            offline::run(&server.load()?, &offline::Options { receivers, messages }).await?,
            server.json,
        ),
        Command::Archive { server, messages, seconds } => {
            let options =
                archive::Options { messages, page: 50, duration: Duration::from_secs_f64(seconds) };
            (archive::run(&server.load()?, &options).await?, server.json)
        }
        Command::Relay { listen, certificate, key } => {
            relay::serve(listen, &certificate, &key, |address| println!("{address}")).await?;
            return Ok(true);
        }
    };
    show(&report, json)?;
    Ok(report.violations() == 0)
}

async fn compare(arguments: Bench) -> Result<bool> {
    let Bench { rounds, servers, stages, quick, anemone, write } = arguments;
    let options = bench::Options { rounds, servers, stages, quick, anemone };
    let table = bench::run(&options).await?;
    print!("{table}");
    if let Some(file) = write {
        let heading = "# Benchmarks\n\n\
            `make bench BENCH='--write docs/benchmarks.md'` wrote this page: Anemone beside \
            Debian's prosody and ejabberd and beside a bare TLS relay, all started and measured \
            in one run.\n";
        std::fs::write(file, format!("{heading}\n{table}"))?;
    }
    Ok(table.passed())
}

async fn crash_test(arguments: Crash) -> Result<bool> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| anyhow!("no randomness: {error}"))?;
    let options = crash::Options {
        rounds: arguments.rounds,
        seed: arguments.seed.unwrap_or(u64::from_ne_bytes(random)),
        kind: arguments.server,
        setting: Setting {
            archive: true,
            accounts: 2 * arguments.pairs,
            medium: if arguments.tmpfs { Medium::Memory } else { Medium::Disk },
            scene: Scene::Chat,
        },
        pairs: arguments.pairs,
        devices: arguments.devices,
        rate: arguments.rate,
        longest: Duration::from_secs_f64(arguments.longest),
        graceful: arguments.graceful,
    };
    let beds = Beds { certificates: Certificates::new()?, anemone: arguments.anemone };
    println!("{} rounds against {}, seed {}", options.rounds, options.kind.name(), options.seed);
    let summary = crash::run(&beds, &options).await?;
    print!("{summary}");
    Ok(summary.violations.is_empty() && summary.missing.is_empty())
}

/// Until the terminal or the system asks to stop; then everything that was
/// started is dropped, and so stopped, like after a failure.
async fn interrupted() -> Result<bool> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = tokio::signal::ctrl_c() => done?,
        _ = terminate.recv() => {}
    }
    bail!("interrupted")
}

fn show(report: &Report, json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(report)?);
    } else {
        print!("{}\n{report}", report.mode);
    }
    Ok(())
}

const WARM_UP: Duration = Duration::from_secs(1);
