//! The servers that are compared, started with equal settings and stopped again.

pub mod anemone;
pub mod certificates;
pub mod contacts;
pub mod ejabberd;
pub mod floor;
pub mod names;
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
use names::Names;
use scratch::{Medium, Scratch};
use service::{Launch, Service, free_address, output};

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
    /// What else there is.
    pub scene: Scene,
}

/// What a server is set up for, beside chat between its own accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// Nothing else.
    Chat,
    /// Rooms at `conference.localhost`, which whoever likes may enter.
    Rooms,
    /// Files, by HTTPS; slots at `upload.localhost`.
    Files,
    /// All accounts have each other as contacts.
    Contacts,
    /// Another server to talk to.
    Federation(Place),
}

/// Where a server and the one that it talks to are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its own domain.
    pub domain: &'static str,
    /// The port at 127.0.0.1 at which it listens for the other.
    pub port: u16,
    /// The other one's domain.
    pub other: &'static str,
    /// The other one's port at 127.0.0.1.
    pub other_port: u16,
}

impl Place {
    /// Places for two that talk to each other, at ports that nobody uses.
    pub fn pair() -> Result<[Self; 2]> {
        let (domain, other) = ("left.test", "right.test");
        let (port, other_port) = (free_address()?.port(), free_address()?.port());
        let left = Self { domain, port, other, other_port };
        let right = Self { domain: other, port: other_port, other: domain, other_port: port };
        Ok([left, right])
    }
}

impl Scene {
    /// The domain of the accounts.
    pub fn domain(&self) -> &'static str {
        match self {
            Self::Federation(place) => place.domain,
            _ => "localhost",
        }
    }
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
    /// The name server that it asks, where it cannot do without.
    pub names: Option<Names>,
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
        self.certificates.write(scratch.path(), setting.scene.domain())?;
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
    async fn new(mut launch: Launch, scratch: Scratch, domain: &str) -> Result<Self> {
        let service = launch.start().await?;
        let ca = scratch.path().join("ca.pem");
        let target = Target::new(launch.address(), domain, &ca, PASSWORD)?;
        let process = ProcessTree::new(service.pid());
        Ok(Self { service, launch, scratch, load: Load { target, process }, names: None })
    }
}

/// Fills the `{{names}}` of a configuration template and writes it.
fn configure(template: &str, path: &Path, values: &[(&str, &str)]) -> Result<()> {
    let filled = values.iter().fold(template.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    });
    Ok(std::fs::write(path, filled)?)
}
