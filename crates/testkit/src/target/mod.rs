//! Servers to run plays on: Anemone, and Debian's prosody to check the plays themselves.

mod anemone;
mod certificate;
pub mod federation;
mod ports;
mod process;
mod prosody;

use std::io;
use std::path::{Path, PathBuf};

use crate::client::{Endpoint, Identity, Trust};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use certificate::Certificate;
use ports::Ports;
use process::Process;

/// The domain every play happens in.
pub const DOMAIN: &str = "verona.example";

/// The domain of a component, with the setting `a gateway`.
pub const GATEWAY: &str = "gateway.verona.example";

/// Domains with servers of their own, which plays speak for, with the setting `federation`.
pub const PEERS: [&str; 2] = ["mantua.example", "padua.example"];

/// What that component proves to know.
pub const GATEWAY_SECRET: &str = "the secret of the gateway";

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// The product.
    Anemone,
    /// Prosody 0.12 as Debian 12 packages it.
    Prosody,
}

impl Target {
    /// Every kind, the product first.
    pub const ALL: [Target; 2] = [Target::Anemone, Target::Prosody];

    /// The name as it stands in plays and test names.
    pub fn name(self) -> &'static str {
        match self {
            Target::Anemone => "anemone",
            Target::Prosody => "prosody",
        }
    }

    /// Why the server cannot do what a play needs; `None` if it can.
    ///
    /// The product lacks nothing: a play it cannot perform is a failure, not a skip.
    pub fn lacks(self, feature: &str) -> Option<String> {
        match self {
            Target::Anemone => None,
            Target::Prosody => prosody::lacks(feature),
        }
    }

    /// Why plays cannot run on this kind of server here; `None` if they can.
    pub fn missing(self) -> Option<String> {
        match self {
            Target::Anemone => anemone::missing(),
            Target::Prosody => prosody::missing(),
        }
    }
}

/// What a play can ask of the configuration by `setting:`.
pub const SETTINGS: &[&str] = &[
    "open registration",
    "closed registration",
    "invitations by admins",
    "plaintext login",
    "PLAIN login",
    "contact addresses",
    "one second to log in",
    "small stanzas",
    "little for many",
    "few strangers",
    "no archive",
    "rooms by admins",
    "channels by default",
    "small upload quota",
    "push to this machine",
    "a gateway",
    "a privileged gateway",
    "a block list",
    "outages",
    "server information",
    "data policy",
    "public addresses",
    "call services",
    "a relay",
    "a proxy",
    "web clients of app.example",
    "federation",
    "dialback with padua.example",
    "no padua.example",
    "small foreign stanzas",
];

/// The settings with which there is the component of [`GATEWAY`].
const WITH_GATEWAY: [&str; 3] = ["a gateway", "a privileged gateway", "a block list"];

/// A running server with an empty database of its own. Stopped and deleted when dropped.
pub struct Server {
    target: Target,
    settings: Vec<String>,
    directory: Directory,
    ports: Ports,
    endpoint: Endpoint,
    certificate: Certificate,
    process: std::sync::Mutex<Option<Process>>,
}

impl Server {
    /// Starts a server with the given settings and waits until it listens.
    ///
    /// # Errors
    /// When the program is missing or does not come up.
    pub fn start(target: Target, settings: &[String]) -> io::Result<Self> {
        if let Some(setting) = settings.iter().find(|s| !SETTINGS.contains(&s.as_str())) {
            return Err(io::Error::other(format!("`{setting}` is not a setting")));
        }
        let directory = Directory::create(target)?;
        let certificate = Certificate::create(DOMAIN)?;
        certificate.write(&directory.0)?;
        let ports = Ports::choose()?;
        match target {
            Target::Anemone => anemone::configure(&directory.0, &ports, settings)?,
            Target::Prosody => prosody::configure(&directory.0, &ports, settings)?,
        }
        let server = Server {
            target,
            settings: settings.to_vec(),
            endpoint: ports.endpoint(Trust::new(&certificate.authority, DOMAIN)),
            certificate,
            directory,
            ports,
            process: std::sync::Mutex::new(None),
        };
        server.launch()?;
        Ok(server)
    }

    fn launch(&self) -> io::Result<()> {
        let command = match self.target {
            Target::Anemone => anemone::serve(&self.directory.0),
            Target::Prosody => prosody::serve(&self.directory.0),
        };
        let mut doors = self.ports.all().to_vec();
        if self.settings.iter().any(|setting| setting == "federation") {
            doors.extend([self.federation(false), self.federation(true)]);
        }
        if self.settings.iter().any(|setting| WITH_GATEWAY.contains(&setting.as_str())) {
            doors.push(self.components());
        }
        let process = Process::start(command, &self.log(), &doors)?;
        *self.process.lock().expect("no panic while starting") = Some(process);
        Ok(())
    }

    /// Which kind of server this is.
    pub fn target(&self) -> Target {
        self.target
    }

    /// The settings it was started with.
    pub fn settings(&self) -> &[String] {
        &self.settings
    }

    /// Where clients reach the server.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Where the component of [`GATEWAY`] connects, where there is one.
    pub fn components(&self) -> std::net::SocketAddr {
        self.ports.address(self.ports.components)
    }

    /// Where other servers connect, in plain text first or with TLS at once.
    pub fn federation(&self, direct: bool) -> std::net::SocketAddr {
        self.ports.address(if direct { self.ports.s2s_tls } else { self.ports.s2s })
    }

    /// Where the server looks for one of [`PEERS`].
    pub fn peer(&self, domain: &str) -> Option<std::net::SocketAddr> {
        let at = PEERS.iter().position(|peer| *peer == domain)?;
        Some(self.ports.address(self.ports.peers[at]))
    }

    /// A certificate for another domain, of the authority that the server trusts.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn identity(&self, domain: &str) -> io::Result<Identity> {
        self.certificate.issue(domain)
    }

    /// TLS for another program on this machine, called `localhost`, whom the server trusts where it
    /// is set up to.
    ///
    /// # Errors
    /// When the certificate cannot be used.
    pub fn neighbour(&self) -> io::Result<rustls::ServerConfig> {
        let chain = CertificateDer::pem_slice_iter(self.certificate.chain.as_bytes());
        let chain: Result<Vec<_>, _> = chain.collect();
        let key = PrivateKeyDer::from_pem_slice(self.certificate.key.as_bytes());
        accepting(chain.map_err(io::Error::other)?, key.map_err(io::Error::other)?)
    }

    /// TLS for a domain that the server connects to, which need not look at the server's certificate.
    ///
    /// # Errors
    /// When the certificate cannot be used.
    pub fn accepting(&self, identity: &Identity) -> io::Result<rustls::ServerConfig> {
        let (chain, key) = &**identity;
        let mut config = accepting(chain.clone(), key.clone_key())?;
        config.alpn_protocols = vec![b"xmpp-server".to_vec()];
        Ok(config)
    }

    /// Creates an account.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn create_account(&self, name: &str, password: &str) -> io::Result<()> {
        match self.target {
            Target::Anemone => anemone::create_account(&self.directory.0, name, password),
            Target::Prosody => prosody::create_account(&self.directory.0, name, password),
        }
    }

    /// Makes an invitation and returns its token.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn invite(&self) -> io::Result<String> {
        match self.target {
            Target::Anemone => anemone::invite(&self.directory.0),
            Target::Prosody => prosody::invite(&self.directory.0),
        }
    }

    /// Runs a command of the server's own program and returns what it prints.
    ///
    /// # Errors
    /// When the command fails.
    pub fn run(&self, arguments: &str) -> io::Result<String> {
        match self.target {
            Target::Anemone => anemone::run(&self.directory.0, arguments),
            Target::Prosody => Err(io::Error::other("plays do not use prosody's commands")),
        }
    }

    /// Stops the server cleanly and starts it again on the same data and ports.
    ///
    /// # Errors
    /// When it does not stop or does not come up.
    pub fn restart(&self) -> io::Result<()> {
        if let Some(process) = self.take_process() {
            process.terminate()?;
        }
        self.launch()
    }

    /// Kills the server without warning and starts it again on the same data and ports.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn kill(&self) -> io::Result<()> {
        drop(self.take_process());
        self.launch()
    }

    fn take_process(&self) -> Option<Process> {
        self.process.lock().expect("no panic while starting").take()
    }

    fn log(&self) -> PathBuf {
        self.directory.0.join("server.log")
    }

    /// The last lines of what the server logged.
    pub fn log_tail(&self, lines: usize) -> String {
        process::tail(&self.log(), lines)
    }
}

fn accepting(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> io::Result<rustls::ServerConfig> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(io::Error::other)
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process goes before its directory does.
        drop(self.take_process());
    }
}

/// A temporary directory, deleted when dropped.
struct Directory(PathBuf);

impl Directory {
    fn create(target: Target) -> io::Result<Self> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("play-{}-{}-{count}", target.name(), std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Directory(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if std::env::var_os("PLAY_KEEP").is_none() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// Writes a file below the server's directory.
fn write(directory: &Path, name: &str, content: &str) -> io::Result<()> {
    let path = directory.join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(path, content)
}
