//! A running program takes requests of another one: `clownfish send` while `clownfish` or
//! `clownfish listen` has the account open.
//!
//! Only one program may have an account open; two would use ratchet keys twice. So the second hands
//! its request over, through a socket in the account's folder that only its user can open. One
//! line of JSON goes each way.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use client::store::{EncryptionMode, TrustLevel, Version};
use client::view::{Device, Outcome, Problem, Room, RoomState};
use client::{Command, effect::LocalFile};
use serde::{Deserialize, Serialize};
use xmpp::jid::BareJid;

use crate::failure::Failure;
use crate::port::{Port, failed};

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Write a message: encrypted or not at all, or in plain text, whatever the conversation's own
    /// choice is.
    Send {
        /// To whom.
        to: BareJid,
        /// The text; with a file, what goes with it.
        text: Option<String>,
        /// A file, with its whole path.
        file: Option<PathBuf>,
        /// In plain text.
        plain: bool,
    },
    /// The devices of somebody; the own ones without an address.
    Devices(Option<BareJid>),
    /// Verify what an address with fingerprints names.
    Verify(String),
    /// An invitation.
    Invite,
    /// Enter a room.
    Join {
        /// Which.
        room: BareJid,
        /// The nickname there; the account's own without it.
        nick: Option<String>,
        /// Its password.
        password: Option<String>,
    },
    /// Leave a room.
    Leave(BareJid),
    /// Make a room.
    Create {
        /// What to call it.
        name: String,
        /// Everybody may enter it.
        public: bool,
        /// Who is invited.
        people: Vec<BareJid>,
    },
    /// Invite somebody to a room.
    InviteTo {
        /// Where to.
        room: BareJid,
        /// Whom.
        person: BareJid,
    },
    /// The rooms that are known.
    Rooms,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// The server has it.
    Sent,
    /// The devices.
    Devices(Vec<DeviceLine>),
    /// So many keys are verified now.
    Verified(usize),
    /// A link.
    Text(String),
    /// Rooms.
    Rooms(Vec<RoomLine>),
    /// It could not be done: the exit code, and why.
    Failed(u8, String),
}

/// A device, as it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceLine {
    /// Its number.
    pub id: u32,
    /// It is this one.
    pub this: bool,
    /// What its owner calls it.
    pub label: Option<String>,
    /// `omemo` or `omemo:2`.
    pub versions: Vec<String>,
    /// Its key, as people compare it.
    pub fingerprint: Option<String>,
    /// `undecided`, `blind`, `verified` or `distrusted`.
    pub trust: String,
    /// In the published list now.
    pub active: bool,
    /// When it was last heard of.
    pub last_used: Option<String>,
    /// It is listed, and was not heard of for 90 days.
    #[serde(default)]
    pub unused: bool,
}

/// A room, as it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomLine {
    /// Its address.
    pub room: BareJid,
    /// What it is called.
    pub name: String,
    /// `in`, `out`, `invited`, `entering` or `refused`.
    pub state: String,
    /// Why it was refused.
    pub reason: Option<String>,
    /// Who invites.
    pub invited_by: Option<BareJid>,
    /// Only members enter it and they know each other: what is written there can be encrypted.
    pub private: bool,
    /// What the room calls this account.
    pub nick: Option<String>,
    /// How many people are there or may come.
    pub members: usize,
}

impl From<Room> for RoomLine {
    fn from(room: Room) -> Self {
        let (state, reason) = match room.state {
            RoomState::In => ("in", None),
            RoomState::Out => ("out", None),
            RoomState::Invited => ("invited", None),
            RoomState::Entering => ("entering", None),
            RoomState::Refused(reason) => ("refused", Some(reason)),
        };
        Self {
            room: room.address,
            name: room.name,
            state: state.to_owned(),
            reason,
            invited_by: room.invited_by,
            private: room.private,
            nick: room.nick,
            members: room.members.len(),
        }
    }
}

/// The name of a version in what is printed.
#[must_use]
pub fn version_name(version: Version) -> &'static str {
    match version {
        Version::Legacy => "omemo",
        Version::Omemo2 => "omemo:2",
    }
}

/// The name of a decision in what is printed.
#[must_use]
pub fn trust_name(trust: TrustLevel) -> &'static str {
    match trust {
        TrustLevel::Undecided => "undecided",
        TrustLevel::Blind => "blind",
        TrustLevel::Verified => "verified",
        TrustLevel::Distrusted => "distrusted",
    }
}

impl From<Device> for DeviceLine {
    fn from(device: Device) -> Self {
        Self {
            id: device.id,
            this: device.this,
            label: device.label,
            versions: device.versions.into_iter().map(|one| version_name(one).into()).collect(),
            fingerprint: device.fingerprint,
            trust: trust_name(device.trust).into(),
            active: device.active,
            last_used: device.last_used.map(|time| time.xep0082()),
            unused: device.unused,
        }
    }
}

/// Carries out what is wanted, with an account at work.
///
/// # Errors
/// It could not be done by then.
pub fn perform(port: &Port, ask: Ask, until: Instant) -> Result<Reply, Failure> {
    port.hurry();
    let account = port.wait_online(until)?;
    let outcome = match ask {
        Ask::Send { to, text, file, plain } => {
            let mode = if plain { EncryptionMode::Plain } else { EncryptionMode::Omemo };
            let encryption = Some(mode);
            let text_or_file = match file {
                Some(path) => file_command(to, &path, text, encryption)?,
                None => {
                    let text = text.unwrap_or_default();
                    Command::Send { to, text, reply_to: None, encryption }
                }
            };
            port.call(text_or_file, until)?
        }
        Ask::Devices(address) => {
            port.call(Command::Devices(address.unwrap_or(account.address)), until)?
        }
        Ask::Verify(uri) => port.call(Command::Verify(uri), until)?,
        Ask::Invite => port.call(Command::Invite, until)?,
        Ask::Join { room, nick, password } => {
            let password = password.map(Into::into);
            port.call(Command::JoinRoom { room, nick, password }, until)?
        }
        Ask::Leave(room) => port.call(Command::LeaveRoom(room), until)?,
        Ask::Create { name, public, people } => {
            let (room, name) = (None, Some(name));
            let make = Command::CreateRoom { room, name, public, people: Vec::new() };
            let made = port.call(make, until)?;
            // One by one: whoever waits may end the program after the last.
            if let Outcome::Room(room) = &made {
                for person in people {
                    let room = room.clone();
                    let invite = Command::InviteToRoom { room, person, reason: None };
                    if let Outcome::Failed(problem) = port.call(invite, until)? {
                        return Err(explain(problem));
                    }
                }
            }
            made
        }
        Ask::InviteTo { room, person } => {
            drop(port.wait_rooms(until));
            port.call(Command::InviteToRoom { room, person, reason: None }, until)?
        }
        Ask::Rooms => {
            let rooms = port.wait_rooms(until);
            return Ok(Reply::Rooms(rooms.into_iter().map(RoomLine::from).collect()));
        }
    };
    match outcome {
        Outcome::Sent(_) | Outcome::Done => Ok(Reply::Sent),
        Outcome::Devices(devices) => {
            Ok(Reply::Devices(devices.into_iter().map(DeviceLine::from).collect()))
        }
        Outcome::Verified(count) => Ok(Reply::Verified(count)),
        Outcome::Text(text) => Ok(Reply::Text(text)),
        Outcome::Failed(problem) => Err(explain(problem)),
        Outcome::Room(room) => Ok(Reply::Text(room.to_string())),
        Outcome::Links(links) => {
            let links: Vec<String> = links.into_iter().map(|link| link.link).collect();
            Ok(Reply::Text(links.join("\n")))
        }
        Outcome::Withdrawn(_) => Ok(Reply::Sent),
        Outcome::Found(_) | Outcome::Part { .. } | Outcome::Downloaded(_) => {
            Err(Failure::Other("the answer does not fit the question".to_owned()))
        }
    }
}

fn explain(problem: Problem) -> Failure {
    match failed(problem) {
        Failure::NotEncryptable(words) => Failure::NotEncryptable(format!(
            "{words}. Nothing was sent; --plain sends it without encryption"
        )),
        other => other,
    }
}

/// The command that sends a file, with what was chosen for it.
///
/// # Errors
/// There is no such file.
pub(crate) fn file_command(
    to: BareJid,
    path: &Path,
    caption: Option<String>,
    encryption: Option<EncryptionMode>,
) -> Result<Command, Failure> {
    let wrong = |error: io::Error| Failure::Usage(format!("{}: {error}", path.display()));
    let metadata = std::fs::metadata(path).map_err(wrong)?;
    if !metadata.is_file() {
        return Err(Failure::Usage(format!("{} is not a file", path.display())));
    }
    let text = path
        .to_str()
        .ok_or_else(|| Failure::Usage(format!("{}: the name is not text", path.display())))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Command::SendFile {
        to,
        file: LocalFile(text.to_owned()),
        media_type: media_type(&name).to_owned(),
        name,
        size: metadata.len(),
        caption,
        preview: None,
        reply_to: None,
        encryption,
    })
}

/// What a file is, by its name: what recipients can show in place.
fn media_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("txt" | "log" | "md") => "text/plain",
        Some("pdf") => "application/pdf",
        Some("mp3") => "audio/mpeg",
        Some("ogg" | "opus") => "audio/ogg",
        Some("mp4") => "video/mp4",
        Some("webm") => "video/webm",
        Some("zip") => "application/zip",
        _ => "application/octet-stream",
    }
}

/// A request as it goes over the socket.
#[derive(Serialize, Deserialize)]
struct Line {
    ask: Ask,
    /// How long whoever asks will wait.
    seconds: u64,
}

/// Hands a request to the program that has the account open. `None` when none listens.
///
/// # Errors
/// It could not do it.
pub fn hand_over(socket: &Path, ask: Ask, wait: Duration) -> Option<Result<Reply, Failure>> {
    let mut stream = UnixStream::connect(address(socket).path()).ok()?;
    Some(converse(&mut stream, ask, wait).unwrap_or_else(|error| {
        Err(Failure::Other(format!("the program that has the account open went away: {error}")))
    }))
}

fn converse(
    stream: &mut UnixStream,
    ask: Ask,
    wait: Duration,
) -> io::Result<Result<Reply, Failure>> {
    stream.set_read_timeout(Some(wait + GRACE))?;
    stream.set_write_timeout(Some(GRACE))?;
    let line = Line { ask, seconds: wait.as_secs() };
    writeln!(stream, "{}", serde_json::to_string(&line)?)?;
    let answer = read_line(stream)?;
    Ok(match serde_json::from_str(&answer)? {
        Reply::Failed(code, words) => Err(Failure::from_code(code, words)),
        reply => Ok(reply),
    })
}

fn read_line(stream: &UnixStream) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(MOST_BYTES)).read_line(&mut line)?;
    match line.ends_with('\n') {
        true => Ok(line),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Takes requests until it is dropped.
#[derive(Debug)]
pub struct Twin {
    socket: PathBuf,
    ended: Arc<AtomicBool>,
}

impl Twin {
    /// Takes requests for an account at work. Whoever calls this has the account's lock, so a socket
    /// that is there already was left by a program that was killed.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn serve(socket: &Path, port: &Arc<Port>) -> io::Result<Self> {
        match std::fs::remove_file(socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // The folder is its user's alone, so nobody gets in between both calls.
        let listener = UnixListener::bind(address(socket).path())?;
        std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
        let port = Arc::downgrade(port);
        let ended = Arc::<AtomicBool>::default();
        let end = Arc::clone(&ended);
        let accept = move || {
            let busy = Arc::new(());
            for stream in listener.incoming() {
                let (Ok(stream), Some(port)) = (stream, port.upgrade()) else { return };
                if end.load(Ordering::Acquire) {
                    return;
                }
                if Arc::strong_count(&busy) > MOST_AT_ONCE {
                    continue;
                }
                let busy = Arc::clone(&busy);
                let serve = move || {
                    let _busy = busy;
                    // Whoever asked may have gone.
                    let _ = answer(&stream, &port);
                };
                let _ = std::thread::Builder::new().name("twin".to_owned()).spawn(serve);
            }
        };
        std::thread::Builder::new().name("twins".to_owned()).spawn(accept)?;
        Ok(Self { socket: socket.to_owned(), ended })
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        // Wakes the thread, which finds that this is the end.
        let wake = UnixStream::connect(address(&self.socket).path());
        let _ = std::fs::remove_file(&self.socket);
        drop(wake);
    }
}

fn answer(stream: &UnixStream, port: &Port) -> io::Result<()> {
    stream.set_read_timeout(Some(GRACE))?;
    stream.set_write_timeout(Some(GRACE))?;
    let line: Line = serde_json::from_str(&read_line(stream)?)?;
    let until = Instant::now() + Duration::from_secs(line.seconds.min(MOST_SECONDS));
    let reply = perform(port, line.ask, until)
        .unwrap_or_else(|failure| Reply::Failed(failure.code(), failure.to_string()));
    let mut stream = stream;
    writeln!(stream, "{}", serde_json::to_string(&reply)?)
}

/// A path to the socket that is short enough for one (`unix(7)`: 108 bytes).
struct Address {
    path: PathBuf,
    /// The path leads through it.
    _folder: Option<std::fs::File>,
}

impl Address {
    fn path(&self) -> &Path {
        &self.path
    }
}

fn address(socket: &Path) -> Address {
    use std::os::fd::AsRawFd;
    let folder = socket.parent().and_then(|folder| std::fs::File::open(folder).ok());
    if let (true, Some(folder), Some(name)) =
        (socket.as_os_str().len() > 100, folder, socket.file_name())
    {
        let path = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
        return Address { path, _folder: Some(folder) };
    }
    Address { path: socket.to_owned(), _folder: None }
}

/// How long either side may take for its line.
const GRACE: Duration = Duration::from_secs(10);
/// Longest line.
const MOST_BYTES: u64 = 1024 * 1024;
const MOST_SECONDS: u64 = 3600;
const MOST_AT_ONCE: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_the_way() {
        let to = BareJid::new("romeo@example.org").unwrap();
        let ask = Ask::Send { to, text: Some("a\nb".into()), file: None, plain: false };
        let line = serde_json::to_string(&Line { ask: ask.clone(), seconds: 5 }).unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<Line>(&line).unwrap().ask, ask);
        let reply = Reply::Failed(5, "so".into());
        let line = serde_json::to_string(&reply).unwrap();
        assert_eq!(serde_json::from_str::<Reply>(&line).unwrap(), reply);
    }

    #[test]
    fn a_long_path_still_leads_to_a_socket() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        let socket = deep.join("control.sock");
        let listener = UnixListener::bind(address(&socket).path()).unwrap();
        UnixStream::connect(address(&socket).path()).unwrap();
        listener.accept().unwrap();
        assert!(socket.exists());
        assert!(hand_over(&folder.path().join("none"), Ask::Invite, GRACE).is_none());
    }

    #[test]
    fn what_is_no_file_is_not_sent() {
        let to = BareJid::new("romeo@example.org").unwrap();
        file_command(to.clone(), Path::new("/"), None, None).unwrap_err();
        file_command(to, Path::new("/nothing/here"), None, None).unwrap_err();
        assert_eq!(media_type("A.JPG"), "image/jpeg");
        assert_eq!(media_type("a"), "application/octet-stream");
    }
}
