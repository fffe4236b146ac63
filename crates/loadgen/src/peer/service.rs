//! A server as a child process.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use tokio::net::TcpStream;

/// How to start a server, as often as needed.
#[derive(Debug)]
pub struct Launch {
    command: Command,
    log: PathBuf,
    address: SocketAddr,
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Service {
    child: Child,
}

impl Launch {
    /// Will start `program`, which listens at `address`, with what `arrange`
    /// adds; its output goes to `log`.
    ///
    /// `setpriv` makes the kernel kill it should this process be killed, and
    /// then becomes the program, so that the process id stays the same.
    pub fn new(
        program: &Path,
        address: SocketAddr,
        log: &Path,
        arrange: impl FnOnce(&mut Command),
    ) -> Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        arrange(&mut command);
        Ok(Self { command, log: log.to_owned(), address })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts it and waits until it accepts connections.
    pub async fn start(&mut self) -> Result<Service> {
        let child =
            self.command.spawn().with_context(|| format!("cannot start {:?}", self.command))?;
        let mut service = Service { child };
        let deadline = Instant::now() + START;
        while TcpStream::connect(self.address).await.is_err() {
            if let Some(status) = service.child.try_wait()? {
                bail!("the server ended with {status}: {}", self.last_words());
            }
            if Instant::now() > deadline {
                bail!("the server does not listen after {START:?}: {}", self.last_words());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(service)
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Service {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop (SIGTERM) and waits; after `limit` it is killed, which is
    /// an error.
    pub async fn stop(&mut self, limit: Duration) -> Result<ExitStatus> {
        Command::new("kill").args(["-TERM", &self.pid().to_string()]).status()?;
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("the server does not stop within {limit:?}")
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Already gone is what we want; anything else cannot be helped here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback address nobody listens at: below the ports that the system gives to outgoing connections, since a
/// server that is killed must find its own one free when it starts again. Each is given out once. Another
/// process could take it before the server does; then the server fails to start and says so.
pub fn free_address() -> Result<SocketAddr> {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id().wrapping_mul(16) % u32::from(PORTS);
    for _ in 0..PORTS {
        let given = u32::from(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = FIRST_PORT + u16::try_from((first + given) % u32::from(PORTS))?;
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return Ok(listener.local_addr()?);
        }
    }
    Err(anyhow!("no free port from {FIRST_PORT} to {}", FIRST_PORT + PORTS - 1))
}

/// Runs a short command to its end and returns its output.
pub fn output(command: &mut Command) -> Result<String> {
    let done =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {command:?}"))?;
    if !done.status.success() {
        return Err(anyhow!("{command:?} failed: {}", String::from_utf8_lossy(&done.stderr)));
    }
    Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

const FIRST_PORT: u16 = 28_000;
const PORTS: u16 = 4_000;

/// Servers on a busy machine with a cold cache take this long at most.
const START: Duration = Duration::from_secs(60);
