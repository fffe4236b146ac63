//! The questions and answers between commands and a running server: one JSON object per line. The
//! answers are also what `--json` prints, so their shape is part of the interface for scripts:
//! fields are added, never renamed or removed.

mod request;
mod rows;

use serde::{Deserialize, Serialize};

pub(super) use self::rows::Door;
pub use self::{
    request::{NewInvitation, Request},
    rows::{
        Account, AuditChain, AuditEntry, Backup, Invitation, InvitationState, LedgerEntry, Member,
        Push, RemoteDomain, RemoteStream, Report, ResetLink, Room, RoomSettings, Session, SignUp,
        Status, Storage, Token, Upload,
    },
};
use crate::{
    config::Domains,
    ext::{notices::Notices, outage::Outage},
};

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
    /// A link for a new password, the only time it is shown.
    ResetLink(ResetLink),
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
    /// What administrators did, newest first.
    Audit(Vec<AuditEntry>),
    /// The record of it is as it was written.
    AuditChain(AuditChain),
    /// What everybody is told by the server.
    Notices(Notices),
    /// Domains that were chosen beside those of the configuration.
    Domains(Domains),
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
    /// Another server cannot be reached.
    Unreachable,
}

impl FaultCode {
    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FaultCode::Exists => "exists",
            FaultCode::NotFound => "not_found",
            FaultCode::Invalid => "invalid",
            FaultCode::Usage => "usage",
            FaultCode::Configuration => "configuration",
            FaultCode::NotRunning => "not_running",
            FaultCode::Running => "running",
            FaultCode::Storage => "storage",
            FaultCode::Unreachable => "unreachable",
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::Password;

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
