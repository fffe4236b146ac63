//! The servers of a run: one that is killed, or two Anemones that talk to each other and are both
//! killed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
};

use crate::cli::PASSWORD;
use crate::login::Target;
use crate::peer::scratch::Scratch;
use crate::peer::service::{Launch, Service, free_address, output};
use crate::peer::{Beds, Kind, Setting, anemone};

/// One server, and how to start it again.
pub struct Server {
    /// Its process.
    pub service: Service,
    /// How to start it.
    pub launch: Launch,
    /// Where its clients connect.
    pub target: Target,
    /// How often it has been killed.
    pub kills: u64,
    /// Its data directory, if it is an Anemone.
    pub data: Option<PathBuf>,
    /// Outlives the process.
    _scratch: Scratch,
}

/// Starts a server of this kind; of Anemone two, as different domains with a federation between them
/// that consists of nothing but loopback.
pub async fn start(beds: &Beds, kind: Kind, setting: Setting) -> Result<Vec<Server>> {
    if kind != Kind::Anemone {
        let peer = beds.start(kind, setting).await?;
        let (service, launch, target) = (peer.service, peer.launch, peer.load.target);
        return Ok(vec![Server {
            service,
            launch,
            target,
            kills: 0,
            data: None,
            _scratch: peer.scratch,
        }]);
    }
    let identity = Identity::new()?;
    let doors = [free_address()?, free_address()?];
    let mut servers = Vec::new();
    for at in 0..DOMAINS.len() {
        let scratch = Scratch::new(setting.medium)?;
        identity.write(scratch.path())?;
        let clients = free_address()?;
        let data = scratch.path().join("data");
        output(
            Command::new(&beds.anemone)
                .args(["init", "--domain", DOMAINS[at], "--data"])
                .arg(&data),
        )?;
        let dir = scratch.path().display();
        let config = format!(
            "domain = \"{domain}\"\n\
             [listen]\nc2s = []\nc2s_tls = [\"{clients}\"]\ns2s = []\ns2s_tls = [\"{door}\"]\n\
             https = [\"{web}\"]\nbytestreams = []\n\
             [tls]\ncertificate = \"{dir}/chain.pem\"\nkey = \"{dir}/key.pem\"\n\
             [registration]\npolicy = \"closed\"\n\
             [limits]\nthrottle = false\n\
             [login]\niterations = 4096\n\
             [federation]\ntrust = [\"{dir}/ca.pem\"]\n\
             [federation.hosts]\n{hosts}",
            domain = DOMAINS[at],
            door = doors[at],
            web = free_address()?,
            hosts = hosts(1 - at, &doors[1 - at].to_string()),
        );
        std::fs::write(data.join("anemone.toml"), config)?;
        let mut launch =
            Launch::new(&beds.anemone, clients, &data.join("output.log"), |command| {
                command.arg("serve").arg("--data").arg(&data);
            })?;
        let service = launch.start().await?;
        let target = Target::new(clients, DOMAINS[at], &scratch.path().join("ca.pem"), PASSWORD)?;
        let data = Some(data);
        servers.push(Server { service, launch, target, kills: 0, data, _scratch: scratch });
    }
    Ok(servers)
}

impl Server {
    /// Adds an account to an Anemone of ours; the other kinds have theirs from the beginning.
    pub fn add_account(&self, binary: &Path, name: &str) -> Result<()> {
        let Some(data) = &self.data else { return Ok(()) };
        anemone::add_account(binary, data, &self.target.bare(name))
    }
}

/// Where a domain and its rooms are.
fn hosts(at: usize, door: &str) -> String {
    let place = format!("{{ address = \"{door}\", tls = true }}");
    let domain = DOMAINS[at];
    format!("\"{domain}\" = {place}\n\"conference.{domain}\" = {place}\n")
}

/// One certificate for both domains and their rooms, and the authority that signed it, PEM.
struct Identity {
    authority: String,
    chain: String,
    key: String,
}

impl Identity {
    fn new() -> Result<Self> {
        let named = |name: &str, domains| -> Result<CertificateParams> {
            let mut params = CertificateParams::new(domains)?;
            params.distinguished_name = DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, name);
            Ok(params)
        };
        let mut authority = named("Crash authority", Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let domains = DOMAINS.iter().flat_map(|name| [(*name).to_owned(), rooms(name)]).collect();
        let certificate = named(DOMAINS[0], domains)?.signed_by(&key, &authority)?;
        Ok(Self {
            chain: format!("{}{}", certificate.pem(), authority.pem()),
            authority: authority.pem(),
            key: key.serialize_pem(),
        })
    }

    fn write(&self, directory: &Path) -> Result<()> {
        std::fs::write(directory.join("ca.pem"), &self.authority)?;
        std::fs::write(directory.join("chain.pem"), &self.chain)?;
        Ok(std::fs::write(directory.join("key.pem"), &self.key)?)
    }
}

/// The domain of a server's rooms.
pub fn rooms(domain: &str) -> String {
    format!("conference.{domain}")
}

/// The rooms are on the first one.
const DOMAINS: [&str; 2] = ["near.example", "far.example"];
