//! The socket `anemone.sock` in the data directory, on which a running server takes commands. Only
//! the user the server runs as, and root, can open it.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::process::getuid;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    time::timeout,
};

use super::{
    By, Fault, FaultCode, Operations, Request, Response,
    protocol::{Hello, PROTOCOL},
};
use crate::config::Home;

/// The listening socket. Dropping it removes the file.
#[derive(Debug)]
pub struct CommandSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl CommandSocket {
    /// Opens the socket of a data directory, in place of one that a crashed server left behind.
    /// The caller holds the lock of the database, so no other server can be listening.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn open(home: &Home) -> io::Result<CommandSocket> {
        let path = home.socket();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let directory = fs::File::open(home.path())?;
        let listener = UnixListener::bind(reachable(&path, &directory))?;
        // Until here the directory alone kept others out.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(CommandSocket { listener, path })
    }

    /// Answers commands until it is dropped.
    pub async fn serve(self, operations: Arc<Operations>) {
        let places = Arc::new(Semaphore::new(MOST_CONVERSATIONS));
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a command could not connect");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let operations = operations.clone();
            tokio::spawn(async move {
                if let Err(error) = converse(stream, &operations).await {
                    tracing::debug!(%error, "a command broke off");
                }
                drop(place);
            });
        }
    }
}

impl Drop for CommandSocket {
    fn drop(&mut self) {
        // Gone already when somebody cleaned up by hand.
        let _ = fs::remove_file(&self.path);
    }
}

/// One conversation: greet, read questions, answer them in turn.
async fn converse(mut stream: UnixStream, operations: &Operations) -> io::Result<()> {
    let user = stream.peer_cred()?.uid();
    if user != getuid().as_raw() && user != 0 {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    let hello = Hello { anemone: env!("CARGO_PKG_VERSION").to_owned(), protocol: PROTOCOL };
    write_line(&mut stream, &hello).await?;
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut stream).take(LONGEST_QUESTION);
        let read = timeout(PATIENCE, limited.read_until(b'\n', &mut line)).await??;
        if read == 0 {
            return Ok(());
        }
        let response = match serde_json::from_slice::<Request>(&line) {
            Ok(request) => operations.perform(&By::CommandLine(user), request).await,
            Err(error) => Response::Error(Fault::new(
                FaultCode::Invalid,
                format!("the server does not understand the command: {error}"),
            )),
        };
        write_line(stream.get_mut(), &response).await?;
    }
}

/// A conversation with the running server, from a command's side.
#[derive(Debug)]
pub struct Conversation {
    stream: BufReader<UnixStream>,
}

impl Conversation {
    /// Connects to the server that runs on a data directory. `None` when none does.
    ///
    /// # Errors
    /// When one runs and cannot be talked to, in words.
    pub async fn open(home: &Home) -> Result<Option<Conversation>, Fault> {
        let path = home.socket();
        let Ok(directory) = fs::File::open(home.path()) else { return Ok(None) };
        if !directory.metadata().is_ok_and(|found| found.is_dir()) {
            return Ok(None);
        }
        let stream = match UnixStream::connect(reachable(&path, &directory)).await {
            Ok(stream) => stream,
            Err(error) => return absent(&path, &error).map(|()| None),
        };
        let mut conversation = Conversation { stream: BufReader::new(stream) };
        let hello: Hello = timeout(GREETING, conversation.read()).await.unwrap_or_else(|_| {
            Err(Fault::new(
                FaultCode::NotRunning,
                "the running server does not answer; if it stays so, restart it",
            ))
        })?;
        if hello.protocol != PROTOCOL {
            let ours = env!("CARGO_PKG_VERSION");
            return Err(Fault::new(
                FaultCode::NotRunning,
                format!(
                    "the running server is version {} and this command is version {ours}; restart \
                     the server",
                    hello.anemone
                ),
            ));
        }
        Ok(Some(conversation))
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn ask(&mut self, request: &Request) -> Result<Response, Fault> {
        write_line(self.stream.get_mut(), request).await.map_err(|error| broken(&error))?;
        self.read().await
    }

    async fn read<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, Fault> {
        let mut line = Vec::new();
        let mut limited = (&mut self.stream).take(LONGEST_ANSWER);
        limited.read_until(b'\n', &mut line).await.map_err(|error| broken(&error))?;
        serde_json::from_slice(&line).map_err(|error| broken(&io::Error::from(error)))
    }
}

/// Whether a failed connection means that no server runs.
fn absent(path: &Path, error: &io::Error) -> Result<(), Fault> {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(()),
        io::ErrorKind::PermissionDenied => Err(Fault::new(
            FaultCode::Configuration,
            format!(
                "you may not use {}; run the command as the user who runs the server, or as root",
                path.display()
            ),
        )),
        _ => Err(Fault::new(FaultCode::NotRunning, format!("{}: {error}", path.display()))),
    }
}

fn broken(error: &io::Error) -> Fault {
    Fault::new(FaultCode::NotRunning, format!("the server broke off the conversation: {error}"))
}

async fn write_line(stream: &mut UnixStream, value: &impl serde::Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    stream.write_all(&line).await
}

/// The name of a socket has room for about a hundred bytes only. A longer one is reached through
/// the open directory.
fn reachable(path: &Path, directory: &fs::File) -> PathBuf {
    use std::os::fd::AsRawFd as _;
    if path.as_os_str().len() <= LONGEST_NAME {
        return path.to_owned();
    }
    let name = path.file_name().unwrap_or_default();
    PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(name)
}

/// Commands at a time; more wait in the kernel's queue.
const MOST_CONVERSATIONS: usize = 16;
const LONGEST_QUESTION: u64 = 64 * 1024;
const LONGEST_ANSWER: u64 = 256 * 1024 * 1024;
const LONGEST_NAME: usize = 100;
const PATIENCE: Duration = Duration::from_secs(60);
const GREETING: Duration = Duration::from_secs(5);
