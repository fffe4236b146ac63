//! Several Anemones that talk to each other: each with a domain, an authority and data of its own,
//! all on loopback. Between them are [`Cable`]s, which tests can pull out.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::certificate::Certificate;
use super::ports::Ports;
use super::process::Process;
use super::{Directory, Target, anemone, write};
use crate::client::{Endpoint, Identity, Trust};

/// One domain of a federation.
pub struct Domain {
    name: String,
    directory: Directory,
    ports: Ports,
    endpoint: Endpoint,
    process: Mutex<Option<Process>>,
}

/// How domains talk to each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wiring {
    /// TLS from the first byte instead of STARTTLS.
    pub direct: bool,
    /// The same on the port of the web.
    pub web: bool,
    /// Nobody trusts anybody's authority.
    pub strangers: bool,
    /// Dialback is allowed.
    pub dialback: bool,
}

/// Starts an Anemone for each of these domains. Each reaches each other one through a cable;
/// `extra` is appended to everybody's configuration, in its section `[federation]`.
///
/// # Errors
/// When the program is missing or does not come up.
pub async fn start(
    names: &[&str],
    wiring: Wiring,
    extra: &str,
) -> io::Result<(Vec<Domain>, Vec<Cable>)> {
    let mut domains = Vec::new();
    let mut doors = Vec::new();
    let mut authorities = Vec::new();
    for name in names {
        let directory = Directory::create(Target::Anemone)?;
        let certificate = Certificate::create(name)?;
        write(&directory.0, "certs/server.crt", &certificate.chain)?;
        write(&directory.0, "certs/server.key", &certificate.key)?;
        let (ports, between) = (Ports::choose()?, Ports::choose()?);
        let endpoint = ports.endpoint(Trust::new(&certificate.authority, name));
        authorities.push(certificate.authority_pem);
        doors.push(between);
        let name = (*name).to_owned();
        domains.push(Domain { name, directory, ports, endpoint, process: Mutex::new(None) });
    }
    let mut cables = Vec::new();
    for (to, door) in domains.iter().zip(&doors) {
        let ([starttls, direct, _], [.., web]) = (door.all(), to.ports.all());
        let port = match wiring {
            Wiring { web: true, .. } => web,
            Wiring { direct: true, .. } => direct,
            _ => starttls,
        };
        cables.push(Cable::lay(&to.name, port).await?);
    }
    for (at, domain) in domains.iter().enumerate() {
        let mut hosts = String::new();
        let mut trust = Vec::new();
        for (other, (name, cable)) in names.iter().zip(&cables).enumerate() {
            if other == at {
                continue;
            }
            let address = format!("127.0.0.1:{}", cable.port);
            for host in [(*name).to_owned(), format!("conference.{name}")] {
                hosts += &match wiring.direct || wiring.web {
                    true => format!("\"{host}\" = {{ address = \"{address}\", tls = true }}\n"),
                    false => format!("\"{host}\" = \"{address}\"\n"),
                };
            }
            if !wiring.strangers {
                write(&domain.directory.0, &format!("certs/{name}.pem"), &authorities[other])?;
                let path = domain.directory.0.join(format!("certs/{name}.pem"));
                trust.push(format!("\"{}\"", path.display()));
            }
        }
        let dialback = if wiring.dialback { "dialback = [\"*\"]\n" } else { "" };
        let federation = format!(
            "trust = [{}]\n{dialback}{extra}\n[federation.hosts]\n{hosts}",
            trust.join(", ")
        );
        domain.configure(&doors[at], &federation)?;
        domain.launch()?;
    }
    Ok((domains, cables))
}

impl Domain {
    fn configure(&self, door: &Ports, federation: &str) -> io::Result<()> {
        let data = anemone::data(&self.directory.0);
        let mut init = Command::new(anemone::program());
        init.args(["init", "--domain", &self.name, "--data"]).arg(&data);
        anemone::finish(init, None)?;
        let [c2s, c2s_tls, https] = self.ports.all();
        let [s2s, s2s_tls, _] = door.all();
        let certs = self.directory.0.join("certs");
        let text = format!(
            "domain = \"{name}\"\n\n\
             [listen]\nc2s = [\"{c2s}\"]\nc2s_tls = [\"{c2s_tls}\"]\nhttps = [\"{https}\"]\n\
             s2s = [\"{s2s}\"]\ns2s_tls = [\"{s2s_tls}\"]\nbytestreams = []\n\n\
             [tls]\ncertificate = \"{certs}/server.crt\"\nkey = \"{certs}/server.key\"\n\n\
             [login]\niterations = 4096\n\n[limits]\nthrottle = false\n\n\
             [log]\nlevel = \"debug\"\naddresses = true\n\n[federation]\n{federation}",
            name = self.name,
            certs = certs.display(),
        );
        write(&data, "anemone.toml", &text)
    }

    /// The domain.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its certificate and key, for tests that speak in its place.
    ///
    /// # Errors
    /// When its files cannot be read.
    pub fn identity(&self) -> io::Result<Identity> {
        let certs = self.directory.0.join("certs");
        let chain = CertificateDer::pem_file_iter(certs.join("server.crt"));
        let chain = chain.and_then(Iterator::collect).map_err(io::Error::other)?;
        let key = PrivateKeyDer::from_pem_file(certs.join("server.key"));
        Ok(Arc::new((chain, key.map_err(io::Error::other)?)))
    }

    /// Where its clients reach it.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Creates an account.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn create_account(&self, name: &str, password: &str) -> io::Result<()> {
        let mut command = Command::new(anemone::program());
        let address = format!("{name}@{}", self.name);
        command.args(["account", "add", &address, "--password-stdin", "--data"]);
        command.arg(anemone::data(&self.directory.0));
        anemone::finish(command, Some(password)).map(drop)
    }

    /// Runs a command of the program and returns what it prints.
    ///
    /// # Errors
    /// When the command fails.
    pub fn run(&self, arguments: &str) -> io::Result<String> {
        anemone::run(&self.directory.0, arguments)
    }

    /// Starts the server, after [`Domain::stop`] or [`Domain::kill`].
    ///
    /// # Errors
    /// When it does not come up.
    pub fn launch(&self) -> io::Result<()> {
        let command = anemone::serve(&self.directory.0);
        let process = Process::start(command, &self.log(), &self.ports.all())?;
        *self.process.lock().expect("no panic while starting") = Some(process);
        Ok(())
    }

    /// Stops the server cleanly.
    ///
    /// # Errors
    /// When it does not stop.
    pub fn stop(&self) -> io::Result<()> {
        self.take_process().map_or(Ok(()), Process::terminate)
    }

    /// Kills the server without warning.
    pub fn kill(&self) {
        drop(self.take_process());
    }

    /// The last lines of what the server logged.
    pub fn log_tail(&self, lines: usize) -> String {
        super::process::tail(&self.log(), lines)
    }

    fn log(&self) -> std::path::PathBuf {
        self.directory.0.join("server.log")
    }

    fn take_process(&self) -> Option<Process> {
        self.process.lock().expect("no panic while starting").take()
    }
}

impl Drop for Domain {
    fn drop(&mut self) {
        // The process goes before its directory does.
        drop(self.take_process());
    }
}

/// The way to one domain: connections to its port are passed on, until somebody pulls it out.
pub struct Cable {
    name: String,
    port: u16,
    plugged: Arc<AtomicBool>,
    swallows: Arc<AtomicBool>,
    connections: Arc<Mutex<JoinSet<()>>>,
}

impl Cable {
    async fn lay(name: &str, to: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let cable = Cable {
            name: name.to_owned(),
            port: listener.local_addr()?.port(),
            plugged: Arc::new(AtomicBool::new(true)),
            swallows: Arc::default(),
            connections: Arc::default(),
        };
        let (plugged, connections) = (cable.plugged.clone(), cable.connections.clone());
        let swallows = cable.swallows.clone();
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                if plugged.load(Ordering::SeqCst) {
                    connections.lock().expect("no panic").spawn(pass(from, to, swallows.clone()));
                }
            }
        });
        Ok(cable)
    }

    /// The domain it leads to.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where connections to the domain go in.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Ends all connections; new ones are accepted and lead nowhere.
    pub fn pull(&self) {
        self.plugged.store(false, Ordering::SeqCst);
        self.connections.lock().expect("no panic").abort_all();
    }

    /// Ends all connections; new ones are passed on.
    pub fn cut(&self) {
        self.connections.lock().expect("no panic").abort_all();
    }

    /// Connections stay, and what is sent over them arrives nowhere.
    pub fn swallow(&self) {
        self.swallows.store(true, Ordering::SeqCst);
    }

    /// Puts it in again.
    pub fn plug(&self) {
        self.plugged.store(true, Ordering::SeqCst);
        self.swallows.store(false, Ordering::SeqCst);
    }
}

async fn pass(from: TcpStream, to: SocketAddr, swallows: Arc<AtomicBool>) {
    if let Ok(to) = TcpStream::connect(to).await {
        let (from, to) = (from.into_split(), to.into_split());
        // Whichever side ends, the other one sees it.
        let _ = tokio::try_join!(carry(from.0, to.1, &swallows), carry(to.0, from.1, &swallows));
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    swallows: &AtomicBool,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match from.read(&mut buffer).await? {
            0 => return to.shutdown().await,
            _ if swallows.load(Ordering::SeqCst) => {}
            length => to.write_all(&buffer[..length]).await?,
        }
    }
}
