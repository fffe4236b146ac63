//! The servers that are compared, started with equal settings and stopped again.

pub mod anemone;
pub mod certificates;
pub mod ejabberd;
pub mod floor;
pub mod prosody;
pub mod scratch;
pub mod service;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::cli::PASSWORD;
use crate::crowd::Load;
use crate::login::Target;
use crate::procfs::ProcessTree;
use certificates::Certificates;
use scratch::{Medium, Scratch};
use service::{Launch, Service, output};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Kind {
    /// The TLS relay of this program.
    Floor,
    /// Debian's prosody.
    Prosody,
    /// Debian's ejabberd.
    Ejabberd,
    /// Ours.
    Anemone,
}

/// What is the same for all servers of a run.
#[derive(Debug)]
pub struct Beds {
    /// Their certificate.
    pub certificates: Certificates,
    /// The binary `anemone`.
    pub anemone: PathBuf,
}

/// What differs between the cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Whether messages are archived.
    pub archive: bool,
    /// Where the data is.
    pub medium: Medium,
    /// Accounts, `u0` and up.
    pub accounts: usize,
}

/// A running server with its accounts.
pub struct Peer {
    /// Its process.
    pub service: Service,
    /// How to start it again.
    pub launch: Launch,
    /// Its data; outlives the process.
    pub scratch: Scratch,
    /// Where clients connect, and what to measure.
    pub load: Load,
}

impl Kind {
    /// All, in the order of the table.
    pub const ALL: [Self; 4] = [Self::Floor, Self::Prosody, Self::Ejabberd, Self::Anemone];

    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Prosody => "prosody",
            Self::Ejabberd => "ejabberd",
            Self::Anemone => "anemone",
        }
    }

    /// What exactly is measured, or why it cannot be.
    pub fn version(self, beds: &Beds) -> Result<String> {
        let package =
            |name| output(Command::new("dpkg-query").args(["-W", "-f", "${Version}", name]));
        match self {
            Self::Floor => Ok(env!("CARGO_PKG_VERSION").to_owned()),
            Self::Prosody => package("prosody"),
            Self::Ejabberd => package("ejabberd"),
            Self::Anemone => output(Command::new(&beds.anemone).arg("--version")),
        }
    }
}

impl Beds {
    /// Starts a server with empty archives.
    pub async fn start(&self, kind: Kind, setting: Setting) -> Result<Peer> {
        let scratch = Scratch::new(setting.medium)?;
        self.certificates.write(scratch.path())?;
        match kind {
            Kind::Floor => floor::start(scratch).await,
            Kind::Prosody => prosody::start(setting, scratch).await,
            Kind::Ejabberd => ejabberd::start(setting, scratch).await,
            Kind::Anemone => anemone::start(self, setting, scratch).await,
        }
    }
}

impl Peer {
    /// Starts what has been prepared in `scratch`.
    async fn new(mut launch: Launch, scratch: Scratch) -> Result<Self> {
        let service = launch.start().await?;
        let ca = scratch.path().join("ca.pem");
        let target = Target::new(launch.address(), "localhost", &ca, PASSWORD)?;
        let process = ProcessTree::new(service.pid());
        Ok(Self { service, launch, scratch, load: Load { target, process } })
    }
}

/// Fills the `{{names}}` of a configuration template and writes it.
fn configure(template: &str, path: &Path, values: &[(&str, &str)]) -> Result<()> {
    let filled = values.iter().fold(template.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    });
    Ok(std::fs::write(path, filled)?)
}
