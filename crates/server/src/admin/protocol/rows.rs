//! What answers are made of.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{admin::duration, config::Service};

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
    /// Where it says it moved (XEP-0283); only when one account is asked about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub moved_to: Option<String>,
    /// Days for which its messages are kept, 0 for ever; only when one account is asked about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kept_days: Option<u64>,
}

/// One invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Its number.
    pub id: i64,
    /// What for: `account`, `contact`, or `password` for a link that sets one.
    #[serde(default)]
    pub kind: String,
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

/// A link with which somebody sets a new password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetLink {
    /// Whose.
    pub account: String,
    /// The page to open in a browser.
    pub link: String,
    /// When it ends.
    pub expires: String,
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
    /// It never answers whether what was sent has arrived, so that counts as arrived.
    #[serde(default)]
    pub silent: bool,
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
    /// `certificate`, `DANE`, `POSH`, `host-meta` or `dialback`: how this server knows the other one.
    pub known_by: String,
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
    /// How it is meant to be used; only when one room is asked about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub settings: Option<RoomSettings>,
    /// Days for which its messages are kept, 0 for ever; only when one room is asked about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kept_days: Option<u64>,
}

impl Room {
    /// Who comes in and who finds it, in words.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match (self.public, self.members_only) {
            (true, false) => "public",
            (false, false) => "public, not in the list",
            (true, true) => "for members, in the list",
            (false, true) => "for members",
        }
    }
}

/// How a room is meant to be used. What is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoomSettings {
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A sentence about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Everybody can find it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
    /// Only members come in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members_only: Option<bool>,
    /// Newcomers can only read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderated: Option<bool>,
    /// Messages are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

impl RoomSettings {
    /// The names of what is to change.
    #[must_use]
    pub fn changed(&self) -> Vec<&'static str> {
        [
            ("title", self.title.is_some()),
            ("description", self.description.is_some()),
            ("public", self.public.is_some()),
            ("members-only", self.members_only.is_some()),
            ("moderated", self.moderated.is_some()),
            ("archived", self.archived.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, changes)| changes.then_some(name))
        .collect()
    }
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

/// Something that an administrator did, or tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number.
    pub number: i64,
    /// When.
    pub at: String,
    /// By which way in: `command line`, `web` or `app`.
    pub door: String,
    /// Who: an account's address, or the number of a user of the machine.
    pub actor: String,
    /// The command, as the command line has it.
    pub did: String,
    /// On whom or what.
    pub subject: String,
    /// `done`, or the kind of reason why not.
    pub outcome: String,
    /// Its hash in hex.
    pub hash: String,
}

/// The record of what administrators did, when it is as it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditChain {
    /// How many entries it has.
    pub entries: u64,
    /// The number of the first one that is still kept.
    pub first: Option<i64>,
    /// The number of the last one.
    pub last: Option<i64>,
    /// The hash of the last one in hex.
    pub hash: Option<String>,
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
    /// Whether that relay works: `off`, `absent` where no address of the machine can be reached from the
    /// internet, `untried`, `works`, or why not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub relay: Option<String>,
    /// When the certificate stops being valid, while a server runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub certificate_expires: Option<String>,
    /// Whole days until then; 0 when it is over.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub certificate_days: Option<u64>,
    /// Stanzas that wait for other servers.
    #[serde(default)]
    pub waiting: u64,
    /// Their bytes.
    #[serde(default)]
    pub waiting_bytes: u64,
    /// Bytes that are free on the disk with the data.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub disk_free_bytes: Option<u64>,
    /// Whether messages were found on disk that are not as they were written.
    #[serde(default)]
    pub damaged: bool,
    /// Why the clock of the machine is not believed, if it is not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub clock: Option<String>,
    /// What is ordered: `restart` or `stop`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ordered: Option<String>,
    /// Seconds until that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ordered_seconds: Option<u64>,
}

impl Status {
    /// Until when the certificate is good, in words.
    #[must_use]
    pub fn certificate(&self) -> Option<String> {
        let day = self.certificate_expires.as_deref()?.split('T').next()?;
        Some(match self.certificate_days {
            Some(0) => format!("until {day}, which is now or over"),
            Some(1) => format!("until {day}, one more day"),
            Some(days) => format!("until {day}, {days} more days"),
            None => format!("until {day}"),
        })
    }

    /// What to know of messages that are not as they were written.
    #[must_use]
    pub fn damage(&self) -> Option<String> {
        self.damaged.then(|| {
            "the disk gave back messages that are not as they were written; they are not given out, and `anemone \
             check --deep` counts them: look at the health of the disk"
                .to_owned()
        })
    }

    /// What is ordered, in words.
    #[must_use]
    pub fn order(&self) -> Option<String> {
        let what = if self.ordered.as_deref()? == "restart" { "restarts" } else { "goes down" };
        Some(format!("{what} in {}", duration(self.ordered_seconds.unwrap_or(0))))
    }

    /// Whether calls are relayed, in words.
    #[must_use]
    pub fn relaying(&self) -> Option<String> {
        let words = match self.relay.as_deref()? {
            "off" => "off",
            "absent" => {
                "there is none: no address of this machine can be reached from the internet"
            }
            "untried" => "not tried yet",
            "works" => "works",
            why => return Some(format!("does not work from this machine: {why}")),
        };
        Some(words.to_owned())
    }
}

/// One address the server listens on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// What is spoken there.
    pub service: Service,
    /// Where.
    pub address: SocketAddr,
}
