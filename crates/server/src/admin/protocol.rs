//! The questions and answers between commands and a running server: one JSON object per line. The
//! answers are also what `--json` prints, so their shape is part of the interface for scripts:
//! fields are added, never renamed or removed.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{config::Service, ext::outage::Outage, password::Password};

/// The first line of a conversation, sent by the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    /// The version of the running program.
    pub(super) anemone: String,
    /// The version of these questions and answers.
    pub(super) protocol: u32,
}

/// Raised when a question changes its meaning.
pub(super) const PROTOCOL: u32 = 1;

/// A question. Accounts are named by their local part or their address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Make an account.
    AccountAdd {
        /// Whose.
        account: String,
        /// Its password.
        password: Password,
        /// May use administration commands.
        admin: bool,
    },
    /// All accounts.
    AccountList {},
    /// One account.
    AccountShow {
        /// Whose.
        account: String,
    },
    /// Forbid or allow login.
    AccountEnable {
        /// Whose.
        account: String,
        /// Allowed.
        enabled: bool,
    },
    /// Give or take administration.
    AccountAdmin {
        /// Whose.
        account: String,
        /// Given.
        admin: bool,
    },
    /// Set a password, end all sessions and revoke all tokens.
    AccountPassword {
        /// Whose.
        account: String,
        /// The new one.
        password: Password,
    },
    /// Delete an account with everything that belongs to it.
    AccountDelete {
        /// Whose.
        account: String,
    },
    /// Say where an account moved (XEP-0283), or that it did not.
    AccountMove {
        /// Whose.
        account: String,
        /// The new address.
        to: Option<String>,
    },
    /// Write an account into a new file of XEP-0227 in the data directory.
    AccountExport {
        /// Whose.
        account: String,
        /// The file, which must not exist.
        path: PathBuf,
    },
    /// Make an invitation.
    InviteNew(NewInvitation),
    /// Invitations that can be used, or all of them.
    InviteList {
        /// Also those that are used up, expired or revoked.
        all: bool,
    },
    /// Revoke an invitation.
    InviteRevoke {
        /// Its number in the list.
        id: i64,
    },
    /// Requests for an account that wait, or all of them.
    RequestList {
        /// Also those that were decided.
        all: bool,
    },
    /// Turn a request into an invitation.
    RequestApprove {
        /// Its number in the list.
        id: i64,
    },
    /// Refuse a request.
    RequestRefuse {
        /// Its number in the list.
        id: i64,
    },
    /// The sessions of an account or of all.
    SessionList {
        /// Whose.
        account: Option<String>,
    },
    /// End the sessions of a bare address, or the one of a full address.
    SessionKick {
        /// Whose.
        address: String,
    },
    /// Other servers: who is connected, what waits, what fails.
    FederationList {},
    /// The login tokens of an account or of all.
    TokenList {
        /// Whose.
        account: Option<String>,
    },
    /// Revoke the tokens of one device of an account, or of all its devices.
    TokenRevoke {
        /// Whose.
        account: String,
        /// The device as the list names it.
        device: Option<String>,
    },
    /// The uploaded files of an account, or of all accounts.
    UploadList {
        /// Whose.
        account: Option<String>,
    },
    /// Delete one uploaded file of an account, or all of them.
    UploadDelete {
        /// Whose.
        account: String,
        /// The file as the list names it.
        file: Option<String>,
    },
    /// All rooms.
    RoomList {},
    /// One room.
    RoomShow {
        /// Its address, or its local part.
        room: String,
    },
    /// Who belongs to a room, and who is banned from it.
    RoomMembers {
        /// Its address, or its local part.
        room: String,
    },
    /// Make a room.
    RoomCreate {
        /// Its address, or its local part.
        room: String,
        /// Whose it is.
        owner: String,
        /// A channel for everybody instead of a group for members.
        public: bool,
        /// What people call it.
        title: Option<String>,
    },
    /// End a room for good, with its archive.
    RoomDestroy {
        /// Its address, or its local part.
        room: String,
        /// What the people in it are told.
        reason: Option<String>,
    },
    /// Devices that want to be woken, of an account or of all.
    PushList {
        /// Whose.
        account: Option<String>,
    },
    /// Wake no device of an account any more, until its client asks again.
    PushDelete {
        /// Whose.
        account: String,
    },
    /// Reports that people made when they blocked somebody.
    ReportList {},
    /// Delete a report.
    ReportDelete {
        /// Its number in the list.
        id: String,
    },
    /// Tell apps and people of an outage (XEP-0455).
    OutageAnnounce {
        /// What they are told.
        text: String,
        /// Seconds until it begins; 0 when it is here.
        after: u64,
        /// Seconds that it takes, if that is known.
        seconds: Option<u64>,
    },
    /// The outage is over, or will not be.
    OutageEnd {},
    /// The outage that is announced.
    OutageShow {},
    /// How much every account takes.
    Storage {},
    /// What is stored, why and for how long; with an account, how much of it.
    Privacy {
        /// Of whom.
        account: Option<String>,
    },
    /// A link that signs in to the administration's pages, once.
    AdminLink {},
    /// Copy the database into a new file in the data directory.
    Backup {
        /// The file, which must not exist.
        path: PathBuf,
    },
    /// Read configuration and certificate again.
    Reload {},
    /// Numbers in the format of Prometheus.
    Metrics {},
    /// How the server is.
    Status {},
}

/// An invitation to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewInvitation {
    /// The name the new account must have.
    pub name: Option<String>,
    /// How often it can be used.
    pub uses: u32,
    /// Seconds until it ends; the configured time when absent.
    pub expires_seconds: Option<u64>,
    /// The new account may use administration commands.
    pub admin: bool,
    /// An account that becomes a contact of the new one.
    pub contact_of: Option<String>,
    /// A remark for the list.
    pub note: String,
}

/// An answer: an object with one field that says what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// It is done; a sentence about it.
    Done(String),
    /// All accounts.
    Accounts(Vec<Account>),
    /// A new invitation, the only time its link is shown.
    Invitation(Box<Invitation>),
    /// Invitations, newest first, without their links.
    Invitations(Vec<Invitation>),
    /// Requests for an account, oldest first.
    Requests(Vec<SignUp>),
    /// Sessions.
    Sessions(Vec<Session>),
    /// Other servers.
    Federation(Vec<RemoteDomain>),
    /// Login tokens.
    Tokens(Vec<Token>),
    /// Uploaded files.
    Uploads(Vec<Upload>),
    /// Rooms.
    Rooms(Vec<Room>),
    /// Who belongs to a room.
    Members(Vec<Member>),
    /// Devices that want to be woken.
    Pushes(Vec<Push>),
    /// Reports, oldest first.
    Reports(Vec<Report>),
    /// The outage that is announced; empty when there is none.
    Outage(Outage),
    /// How much every account takes.
    Storage(Vec<Storage>),
    /// The privacy ledger.
    Privacy(Vec<LedgerEntry>),
    /// A link.
    Link(String),
    /// An account is in a file, with so many messages.
    Exported(u64),
    /// A finished copy of the database.
    Backup(Backup),
    /// What a reload did, in sentences.
    Reloaded(Vec<String>),
    /// The page for Prometheus.
    Metrics(String),
    /// How the server is.
    Status(Box<Status>),
    /// It was not done.
    Error(Fault),
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What kind of reason, for scripts.
    pub code: FaultCode,
    /// The reason and what to do, for people.
    pub message: String,
}

/// Kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultCode {
    /// The thing exists already.
    Exists,
    /// There is no such thing.
    NotFound,
    /// Something given is not allowed.
    Invalid,
    /// The command was called in a way it cannot be.
    Usage,
    /// The configuration or the data directory cannot be used.
    Configuration,
    /// The server must run for this.
    NotRunning,
    /// The server must not run for this.
    Running,
    /// Disk or database failed.
    Storage,
}

impl Fault {
    /// A fault with its sentence.
    pub fn new(code: FaultCode, message: impl Into<String>) -> Fault {
        Fault { code, message: message.into() }
    }
}

impl From<store::StoreError> for Fault {
    fn from(error: store::StoreError) -> Fault {
        Fault::new(FaultCode::Storage, error.to_string())
    }
}

/// One account. Times are in the format of XEP-0082.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its address.
    pub address: String,
    /// May use administration commands.
    pub admin: bool,
    /// May not log in.
    pub disabled: bool,
    /// When it was made.
    pub created: String,
    /// The day on which it last logged in, such as `2026-01-02`.
    pub last_login: Option<String>,
    /// Who invited it, while that account exists.
    pub invited_by: Option<String>,
    /// Bytes of its uploaded files.
    #[serde(default)]
    pub upload_bytes: u64,
}

/// One invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Its number.
    pub id: i64,
    /// The page to open in a browser; only in the answer to its making.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub link: Option<String>,
    /// The address that an app opens; only in the answer to its making.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uri: Option<String>,
    /// Whether it can be used.
    pub state: InvitationState,
    /// How often it still can be used.
    pub uses: u32,
    /// When it ends.
    pub expires: String,
    /// The name the new account must have.
    pub name: Option<String>,
    /// The new account may use administration commands.
    pub admin: bool,
    /// Who invites: an account, or the operator when absent.
    pub invited_by: Option<String>,
    /// A remark.
    pub note: String,
    /// The accounts made with it, as far as they still exist.
    pub used_by: Vec<String>,
    /// Something the operator should know, such as that registration is closed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub notice: Option<String>,
}

/// Whether an invitation can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// It can.
    Open,
    /// It was used as often as it could be.
    Used,
    /// Its time is over.
    Expired,
    /// Somebody revoked it.
    Revoked,
}

/// A request for an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignUp {
    /// Its number.
    pub id: i64,
    /// The wanted name.
    pub name: String,
    /// How to reach the person.
    pub contact: String,
    /// What the person wrote.
    pub text: String,
    /// When.
    pub at: String,
    /// `waiting`, `approved` or `refused`.
    pub state: String,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its full address.
    pub address: String,
    /// Whether it has a connection; otherwise it waits to be resumed.
    pub connected: bool,
    /// When it began.
    pub since: String,
    /// The network it is connected from, such as `192.0.2.0/24`.
    pub network: Option<String>,
    /// `tls`, `websocket` or `plain`.
    pub transport: String,
    /// How it logged in, such as `SCRAM-SHA-256-PLUS`.
    pub mechanism: Option<String>,
    /// The client's own description.
    pub client: Option<String>,
}

/// Another domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteDomain {
    /// The other domain.
    pub domain: String,
    /// The domain of this server that talks to it.
    pub from: String,
    /// How the way there is: `idle`, `connecting`, `connected` or `failing`.
    pub state: String,
    /// Why it cannot be reached, in words.
    pub problem: Option<String>,
    /// For how long.
    pub failing_seconds: Option<u64>,
    /// Why it was last not let in, in words.
    pub refused: Option<String>,
    /// How long ago.
    pub refused_seconds: Option<u64>,
    /// Stanzas that wait for it.
    pub waiting: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
    /// No more may wait for it (`waiting_stanzas` and `waiting_bytes` in `[federation]`).
    pub full: bool,
    /// For how long the oldest of the lasting ones has waited.
    pub oldest_seconds: Option<u64>,
    /// Its open streams.
    pub streams: Vec<RemoteStream>,
}

/// A stream of another domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteStream {
    /// `incoming` or `outgoing`: who opened it.
    pub direction: String,
    /// `certificate` or `dialback`: how the one who opened it proved who it is.
    pub proof: String,
    /// Stanzas go both ways on it (XEP-0288).
    pub both_ways: bool,
    /// Both sides acknowledge (XEP-0198).
    pub managed: bool,
    /// For how long it has been open.
    pub seconds: u64,
}

/// The login tokens of one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The account's address.
    pub account: String,
    /// The id of the device.
    pub device: String,
    /// The device and program as they describe themselves.
    pub description: String,
    /// The mechanism it is for.
    pub mechanism: String,
    /// When it was given out.
    pub created: String,
    /// When it ends.
    pub expires: String,
    /// When it was last used.
    pub last_used: Option<String>,
}

/// An uploaded file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its name for commands.
    pub file: String,
    /// The account's address.
    pub account: String,
    /// The name its owner gave it.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its media type.
    pub media: String,
    /// `message`, `profile`, `ephemeral` or `permanent`.
    pub purpose: String,
    /// When it was uploaded.
    pub created: String,
    /// When it ends.
    pub expires: Option<String>,
}

/// A room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Its address.
    pub address: String,
    /// What people call it.
    pub title: Option<String>,
    /// Everybody can find it.
    pub public: bool,
    /// Only members come in.
    pub members_only: bool,
    /// Members, admins and owners.
    pub members: u64,
    /// People who are in it, while a server runs.
    pub occupants: Option<u64>,
    /// Who made it, while that account exists.
    pub creator: Option<String>,
    /// When it was made.
    pub created: String,
}

/// Somebody on the lists of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// A bare address, or a domain.
    pub address: String,
    /// `owner`, `admin`, `member` or `outcast`.
    pub affiliation: String,
    /// The nickname that is reserved for it.
    pub nick: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// A device that wants to be woken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// The account's address.
    pub account: String,
    /// The app server, or the origin of the push service.
    pub service: String,
    /// The resource that the device was bound with when it asked.
    pub resource: String,
    /// When it asked last.
    pub enabled: String,
    /// Attempts in a row that failed.
    pub failures: u32,
    /// Why the last one failed, in words.
    pub problem: Option<String>,
}

/// A report that somebody made when blocking somebody else (XEP-0377).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its number for commands.
    pub id: String,
    /// When it was made.
    pub at: String,
    /// Who was blocked.
    pub address: String,
    /// Who blocked.
    pub by: String,
    /// `spam`, `abuse`, or another reason by its whole name.
    pub reason: String,
    /// What the reporter wrote.
    pub text: Option<String>,
    /// Messages that the reporter means, by their ids in the reporter's archive.
    pub messages: Vec<String>,
}

/// How much an account takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    /// Its address.
    pub address: String,
    /// Messages in its archive; nothing when there are too many to count.
    pub messages: Option<u64>,
    /// Bytes of its nodes: avatars, keys, bookmarks.
    pub node_bytes: u64,
    /// Bytes of its vCard and private documents.
    pub document_bytes: u64,
    /// Bytes of its uploaded files.
    pub upload_bytes: u64,
}

/// One kind of thing that is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// What.
    pub what: String,
    /// What for.
    pub purpose: String,
    /// For how long.
    pub kept: String,
    /// Who can read it.
    pub readable: String,
    /// How much there is of the account that was asked about.
    pub amount: Option<String>,
}

/// A finished copy of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in hex.
    pub sha256: String,
    /// Accounts in it.
    pub accounts: u64,
    /// Archived messages in it.
    pub messages: u64,
}

/// How the server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Whether a server runs; otherwise the command read the database itself.
    pub running: bool,
    /// The version of the program.
    pub version: String,
    /// The domain served.
    pub domain: String,
    /// Where it listens.
    pub listening: Vec<Door>,
    /// How many accounts there are.
    pub accounts: u64,
    /// How many sessions there are.
    pub sessions: u64,
    /// The size of the database with its log.
    pub database_bytes: u64,
    /// Whether writing to disk works.
    pub storing: bool,
    /// The services of the server's own relay for calls, as addresses (RFC 7065).
    #[serde(default)]
    pub calls: Vec<String>,
}

/// One address the server listens on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// What is spoken there.
    pub service: Service,
    /// Where.
    pub address: SocketAddr,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_an_object_that_names_what_it_holds() {
        let done = Response::Done("ada@example.org was added.".to_owned());
        assert_eq!(
            serde_json::to_string(&done).unwrap(),
            "{\"done\":\"ada@example.org was added.\"}"
        );
        let fault = Response::Error(Fault::new(FaultCode::NotFound, "no"));
        assert_eq!(
            serde_json::to_string(&fault).unwrap(),
            "{\"error\":{\"code\":\"not_found\",\"message\":\"no\"}}"
        );
        let accounts = serde_json::to_string(&Response::Accounts(Vec::new())).unwrap();
        assert_eq!(accounts, "{\"accounts\":[]}");
    }

    #[test]
    fn a_question_survives_the_socket_and_keeps_its_password_out_of_logs() {
        let password = Password::new("wherefore".to_owned());
        let question = Request::AccountAdd { account: "ada".to_owned(), password, admin: false };
        let line = serde_json::to_string(&question).unwrap();
        assert!(line.starts_with("{\"command\":\"account_add\""));
        assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), question);
        assert!(!format!("{question:?}").contains("wherefore"));
    }
}
