//! What goes into the core and what comes out of it.

use bytes::Bytes;
use xmpp::stream::TlsInfo;
use xmpp::time::Millis;
use xmpp::xml::Framing;

use crate::command::Request;
use crate::store::MessageId;
use crate::view::{Change, Notification, Outcome};

/// Two clocks, read by the driver at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The wall clock: shown to people, sent in stanzas. It may jump in both directions.
    pub wall: Millis,
    /// Milliseconds since the driver started, never going back. Deadlines are counted in it.
    pub steady: u64,
}

/// What happened.
pub enum Input {
    /// The driver is ready. If the account has credentials, a connection is made.
    Start,
    /// The connection that [`Effect::Connect`] asked for exists.
    Connected {
        /// The channel, when it is encrypted already: direct TLS or a secure WebSocket.
        tls: Option<TlsInfo>,
        /// How elements are framed on it.
        framing: Framing,
    },
    /// TLS was started after [`Effect::StartTls`].
    TlsStarted(TlsInfo),
    /// Bytes arrived. Over WebSocket: one message.
    Received(Bytes),
    /// There is no connection any more, or none could be made.
    Disconnected(Lost),
    /// The machine has another network, or woke up: try again at once.
    NetworkChanged,
    /// Somebody wants something.
    Command(Request),
    /// How far a transfer got, or how it ended.
    Transfer(TransferId, TransferEvent),
    /// The moment of [`Client::deadline`](crate) came.
    Tick,
}

/// Why there is no connection. The words are the driver's, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// No network, no such host, nobody listens, or the peer went away: worth another try.
    Network(String),
    /// The certificate is not one to trust. Not tried again until the user decides.
    Certificate {
        /// What is wrong, in words.
        problem: String,
        /// SHA-256 of the certificate, to be pinned by [`Command::Pin`](crate::Command::Pin).
        fingerprint: [u8; 32],
    },
    /// The server hung up. Worth another try as well, but who does that after each login is asked less
    /// and less.
    Ended,
    /// The driver closed it, as [`Effect::Close`] asked.
    Closed,
}

/// What the driver has to do, in order. All of it is safe to do: the step is on disk.
pub enum Effect {
    /// Find the server of a domain and connect: SRV records, direct TLS before STARTTLS.
    Connect(Target),
    /// Start TLS on the connection; answer with [`Input::TlsStarted`].
    StartTls {
        /// The name the certificate must have.
        domain: String,
        /// The certificate that is trusted without any authority, if the user pinned one.
        pinned: Option<[u8; 32]>,
    },
    /// Write these bytes.
    Send(Bytes),
    /// Close the connection after what was sent is written.
    Close,
    /// Upload or download a file.
    Transfer(TransferId, Transfer),
    /// Stop a transfer and forget what there is of it.
    CancelTransfer(TransferId),
    /// The message of a file is gone. Where only this program keeps the file, it goes as well; what
    /// the user put somewhere stays.
    Forget(LocalFile),
    /// Something that can be seen is different now.
    View(Change),
    /// Tell the user, if this conversation is not on screen.
    Notify(Notification),
    /// A notification waits, because another device of the account is in use (ADR 28). It comes as
    /// [`Effect::Notify`] when it is due; a driver that is about to be stopped shows it before.
    Held(Notification),
    /// What a request to send or to change a message wants is on disk with this step, and will be
    /// done whatever becomes of this program. How it goes on is told by the timeline; the request
    /// ends with [`Effect::Done`] as every other.
    Kept(u64, MessageId),
    /// The end of a request: exactly one for every [`Request`].
    Done(u64, Outcome),
}

/// Whom to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The domain of the account, for SRV records, TLS and the stream.
    pub domain: String,
    /// An address that replaces what DNS says, `host:port`.
    pub server: Option<String>,
    /// The certificate that is trusted without any authority, if the user pinned one.
    pub pinned: Option<[u8; 32]>,
}

/// A transfer of this core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransferId(pub u64);

/// A file on its way. The driver reads and writes files; the core decides on keys and addresses.
#[derive(Clone)]
pub enum Transfer {
    /// PUT a file (XEP-0363 §4), encrypted while it is read.
    Upload {
        /// Where the driver finds the file.
        file: LocalFile,
        /// Where to put it.
        url: String,
        /// Header fields the server asked for.
        headers: Vec<(String, String)>,
        /// AES-256-GCM (XEP-0454); the tag follows the ciphertext. `None` sends it as it is.
        cipher: Option<FileKey>,
    },
    /// GET a file and decrypt it.
    Download {
        /// Where it is.
        url: String,
        /// How it was encrypted.
        cipher: Option<FileKey>,
        /// More bytes than this are an error.
        most: u64,
        /// Where to keep it.
        into: LocalFile,
    },
}

/// A name for a file that the driver understands: a path, or a key of the browser's storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalFile(pub String);

/// Key and nonce of one encrypted file (XEP-0454 §3).
#[derive(Clone, PartialEq, Eq, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub struct FileKey {
    /// AES-256 key.
    pub key: [u8; 32],
    /// Nonce: 12 bytes; 16 from old clients.
    pub iv: Vec<u8>,
}

impl std::fmt::Debug for FileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileKey(..)")
    }
}

impl std::fmt::Debug for Transfer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Upload { .. } => f.write_str("Upload(..)"),
            Self::Download { .. } => f.write_str("Download(..)"),
        }
    }
}

/// Bytes are printed as their number: they hold passwords, tokens and texts.
impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start => f.write_str("Start"),
            Self::Connected { framing, .. } => write!(f, "Connected({framing:?})"),
            Self::TlsStarted(_) => f.write_str("TlsStarted(..)"),
            Self::Received(bytes) => write!(f, "Received({} bytes)", bytes.len()),
            Self::Disconnected(lost) => f.debug_tuple("Disconnected").field(lost).finish(),
            Self::NetworkChanged => f.write_str("NetworkChanged"),
            Self::Command(request) => f.debug_tuple("Command").field(request).finish(),
            Self::Transfer(id, event) => f.debug_tuple("Transfer").field(id).field(event).finish(),
            Self::Tick => f.write_str("Tick"),
        }
    }
}

/// Bytes are printed as their number, and what is shown not at all.
impl std::fmt::Debug for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect(target) => f.debug_tuple("Connect").field(target).finish(),
            Self::StartTls { domain, .. } => write!(f, "StartTls({domain})"),
            Self::Send(bytes) => write!(f, "Send({} bytes)", bytes.len()),
            Self::Close => f.write_str("Close"),
            Self::Transfer(id, transfer) => {
                f.debug_tuple("Transfer").field(id).field(transfer).finish()
            }
            Self::CancelTransfer(id) => f.debug_tuple("CancelTransfer").field(id).finish(),
            Self::Forget(_) => f.write_str("Forget(..)"),
            Self::View(_) => f.write_str("View(..)"),
            Self::Notify(_) => f.write_str("Notify(..)"),
            Self::Held(_) => f.write_str("Held(..)"),
            Self::Kept(number, id) => f.debug_tuple("Kept").field(number).field(id).finish(),
            Self::Done(number, _) => write!(f, "Done({number}, ..)"),
        }
    }
}

/// What became of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferEvent {
    /// So many bytes of the file are through.
    Progress(u64),
    /// All of it. For a download: the file is where it was wanted.
    Finished {
        /// Bytes of the file, decrypted.
        size: u64,
        /// SHA-256 of the bytes on the server.
        sha256: [u8; 32],
    },
    /// It ended; whether to try again is the user's choice.
    Failed(String),
}

#[cfg(test)]
mod tests {
    use xmpp::jid::BareJid;
    use xmpp::xml::{Element, Limits};

    use super::*;
    use crate::Command;
    use crate::incoming::{Incoming, Source};
    use crate::store::{
        Content, Conversation, EncryptionMode, Event, File, Mute, Notify, Position, Queued,
        QueuedId, Reaction, Reply,
    };
    use crate::view::{self, Preview};

    fn canary() -> String {
        "canary".to_owned()
    }

    fn juliet() -> BareJid {
        BareJid::new("juliet@example.com").unwrap()
    }

    fn assert_secret(printed: &[String]) {
        let number = format!("{:?}", b"canary");
        for printed in printed {
            assert!(!printed.contains("canary") && !printed.contains(&number), "{printed}");
        }
    }

    fn message() -> crate::store::Message {
        let juliet = juliet();
        let mut message = crate::timeline::blank(&juliet, &juliet, Millis(0));
        let file = File {
            name: canary(),
            size: None,
            media_type: None,
            url: Some(canary()),
            key: Some(canary()),
            local: None,
            preview: None,
        };
        message.content = Content::File(file, Some(canary()));
        message.versions.push((Millis(0), canary()));
        message.reactions.push(Reaction {
            sender: juliet,
            occupant: None,
            emoji: vec![canary()],
            time: Millis(0),
            mark: crate::store::Mark::default(),
            earlier: Vec::new(),
        });
        message.reply =
            Some(Reply { id: String::new(), author: None, message: None, quote: Some(canary()) });
        message
    }

    #[test]
    fn rows_print_nothing_secret() {
        let message = message();
        let events = [Event::OptOut { reason: Some(canary()) }, Event::Gap];
        let contents = [Content::Text(canary()), Content::Event(events[0].clone())];
        let kept = Conversation {
            address: juliet(),
            draft: canary(),
            read_up_to: None,
            unread: 0,
            latest: None,
            order: Position::default(),
            mute: Mute::No,
            pinned: false,
            shown: true,
            encryption: EncryptionMode::Omemo,
            accepted: true,
            announced: true,
            room: false,
            mentions: 0,
            notify: Notify::Usual,
            wallpaper: None,
            cleared: None,
            deleted: false,
        };
        let queued = Queued {
            id: QueuedId(1),
            conversation: juliet(),
            message: None,
            payload: b"canary".to_vec(),
            stanza_id: "1".into(),
            bytes: Some(b"canary".to_vec()),
            encrypted: true,
        };
        assert_secret(&[
            format!("{message:?} {:?}", message.content),
            format!("{:?} {:?}", message.reply, message.reactions),
            format!("{contents:?} {events:?}"),
            format!("{kept:?}"),
            format!("{queued:?}"),
        ]);
    }

    #[test]
    fn views_print_nothing_secret() {
        let preview = Preview {
            own: false,
            author: None,
            text: canary(),
            said: true,
            time: Millis(0),
            delivery: None,
        };
        let shown = view::Conversation {
            address: juliet(),
            name: String::new(),
            preview: Some(preview),
            unread: 0,
            draft: canary(),
            typing: Vec::new(),
            mute: Mute::No,
            pinned: false,
            behind: false,
            encryption: EncryptionMode::Omemo,
            readers: view::Readers::default(),
            waits_for_keys: false,
            request: false,
            kind: view::Kind::Person,
            mentions: 0,
            notify: Notify::Usual,
            wallpaper: None,
            order: Position::default(),
            shown: true,
        };
        let occasion = view::Occasion::Said { title: canary(), text: canary() };
        let notification = Notification { conversation: juliet(), occasion, message: None };
        assert_secret(&[
            format!("{:?}", Change::Conversation(Box::new(shown))),
            format!("{notification:?}"),
            format!("{:?}", Effect::Notify(notification)),
            format!("{:?} {:?}", Outcome::Text(canary()), Outcome::Found(vec![message()])),
        ]);
    }

    #[test]
    fn inputs_and_effects_print_nothing_secret() {
        let stanza = b"<message xmlns='jabber:client' from='juliet@example.com'>\
            <body>canary</body></message>";
        let stanza = Element::parse(stanza, &Limits::TRUSTED).unwrap();
        let incoming = Incoming::new(&stanza, &juliet(), Source::Live, Millis(0)).unwrap();
        let command =
            Command::Send { to: juliet(), text: canary(), reply_to: None, encryption: None };
        let request = Request { number: 1, command };
        let headers = vec![("Authorization".to_owned(), canary())];
        let local = LocalFile("file".into());
        let transfer = Transfer::Upload { file: local, url: canary(), headers, cipher: None };
        let bytes = Bytes::from_static(b"canary");
        assert_secret(&[
            format!("{incoming:?}"),
            format!("{:?}", Input::Command(request)),
            format!("{:?}", Input::Received(bytes.clone())),
            format!("{:?}", Effect::Send(bytes)),
            format!("{:?}", Effect::Transfer(TransferId(1), transfer)),
        ]);
    }
}
