//! A server as a child process.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A child process that is killed when dropped.
pub(super) struct Process(Child);

/// How long a server may take to come up or to stop, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

impl Process {
    /// Starts the command and waits until it accepts connections at all these addresses.
    pub(super) fn start(
        mut command: Command,
        log: &Path,
        doors: &[SocketAddr],
    ) -> io::Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().map_err(|error| {
            let program = command.get_program().to_string_lossy().into_owned();
            io::Error::other(format!("{program} cannot be started: {error}"))
        })?;
        let mut process = Process(child);
        let deadline = Instant::now() + PATIENCE;
        while !doors.iter().all(|address| TcpStream::connect(address).is_ok()) {
            if let Some(status) = process.0.try_wait()? {
                let tail = tail(log, 20);
                return Err(io::Error::other(format!("the server ended ({status}):\n{tail}")));
            }
            if Instant::now() > deadline {
                let tail = tail(log, 20);
                return Err(io::Error::other(format!("the server does not listen:\n{tail}")));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(process)
    }

    /// Asks the server to stop and waits until it has.
    pub(super) fn terminate(mut self) -> io::Result<()> {
        Command::new("kill").arg(self.0.id().to_string()).status()?;
        let deadline = Instant::now() + PATIENCE;
        while self.0.try_wait()?.is_none() {
            if Instant::now() > deadline {
                return Err(io::Error::other("the server does not stop"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The last lines of a file.
pub(super) fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
