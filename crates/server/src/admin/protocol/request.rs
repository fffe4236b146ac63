//! What can be asked.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::RoomSettings;
use crate::password::Password;

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
    /// Make a link with which its owner sets a new password.
    AccountResetLink {
        /// Whose.
        account: String,
    },
    /// Delete the messages in the archive of an account.
    AccountClear {
        /// Whose.
        account: String,
    },
    /// Say for how long the messages of an account are kept.
    AccountRetention {
        /// Whose.
        account: String,
        /// Days, 0 for ever; as long as those of others when absent.
        days: Option<u32>,
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
    /// Look for another server now, and tell what came of it.
    FederationTry {
        /// Its domain.
        domain: String,
    },
    /// Give what waits for another server back to its senders.
    FederationGiveBack {
        /// Its domain.
        domain: String,
    },
    /// End the streams of another server.
    FederationEnd {
        /// Its domain.
        domain: String,
    },
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
    /// Change how a room is meant to be used.
    RoomSet {
        /// Its address, or its local part.
        room: String,
        /// What is to change.
        settings: RoomSettings,
    },
    /// Make somebody an owner, admin or member of a room, ban them, or none of it.
    RoomAffiliation {
        /// Its address, or its local part.
        room: String,
        /// Whom: an address, a domain, or the name of an account.
        who: String,
        /// `owner`, `admin`, `member`, `outcast` or `none`.
        affiliation: String,
        /// What the people in it are told.
        reason: Option<String>,
    },
    /// Say for how long the messages of a room are kept.
    RoomRetention {
        /// Its address, or its local part.
        room: String,
        /// Days, 0 for ever; as long as those of others when absent.
        days: Option<u32>,
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
    /// What administrators did, newest first.
    AuditList {
        /// Those before the entry with this number.
        before: Option<i64>,
        /// So many.
        most: u32,
    },
    /// Whether the record of what administrators did is as it was written.
    AuditVerify {
        /// The beginning of a hash that must be in it.
        known: Option<String>,
    },
    /// The message of the day, and what new accounts are told.
    NoticesShow {},
    /// Tell everybody who is online.
    NoticeNow {
        /// What they are told.
        text: String,
    },
    /// Set, correct or delete the message of the day.
    NoticeDay {
        /// What everybody is told; nothing any more when absent.
        text: Option<String>,
        /// Also those who were told another one already.
        anew: bool,
    },
    /// Set or delete what new accounts are told.
    NoticeWelcome {
        /// What they are told; nothing any more when absent.
        text: Option<String>,
    },
    /// Domains that were chosen beside those of the configuration.
    DomainsShow {},
    /// Choose them.
    DomainsSet {
        /// Those that are not talked to; as before when absent.
        deny: Option<Vec<String>>,
        /// Those to talk to, which leaves out all others unless it is empty; as before when absent.
        allow: Option<Vec<String>>,
    },
    /// Put a domain on the list of those that are not talked to, or take it off.
    DomainDeny {
        /// The domain, or `*.` and a domain.
        domain: String,
        /// It is to be on the list.
        listed: bool,
    },
    /// The same with the list of those to talk to, which leaves out all others.
    DomainAllow {
        /// The domain, or `*.` and a domain.
        domain: String,
        /// It is to be on the list.
        listed: bool,
    },
    /// Take the server down.
    Stop {
        /// It begins anew afterwards.
        restart: bool,
        /// Seconds until then.
        after: u64,
        /// What people are told before.
        text: Option<String>,
    },
    /// The server is not to go down after all.
    StopCancel {
        /// What people are told.
        text: Option<String>,
    },
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

impl Request {
    /// The command's name for the log and the record, which must hold nothing else of it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::AccountAdd { .. } => "account add",
            Self::AccountList {} => "account list",
            Self::AccountShow { .. } => "account show",
            Self::AccountEnable { enabled: true, .. } => "account enable",
            Self::AccountEnable { .. } => "account disable",
            Self::AccountAdmin { admin: true, .. } => "account admin",
            Self::AccountAdmin { .. } => "account admin --revoke",
            Self::AccountPassword { .. } => "account password",
            Self::AccountResetLink { .. } => "account reset-link",
            Self::AccountClear { .. } => "account clear",
            Self::AccountRetention { .. } => "account retention",
            Self::AccountDelete { .. } => "account delete",
            Self::AccountMove { .. } => "account move",
            Self::AccountExport { .. } => "account export",
            Self::InviteNew(_) => "invite new",
            Self::InviteList { .. } => "invite list",
            Self::InviteRevoke { .. } => "invite revoke",
            Self::RequestList { .. } => "request list",
            Self::RequestApprove { .. } => "request approve",
            Self::RequestRefuse { .. } => "request refuse",
            Self::SessionList { .. } => "session list",
            Self::SessionKick { .. } => "session kick",
            Self::FederationList {} => "federation list",
            Self::FederationTry { .. } => "federation try",
            Self::FederationGiveBack { .. } => "federation give-back",
            Self::FederationEnd { .. } => "federation end",
            Self::TokenList { .. } => "token list",
            Self::TokenRevoke { .. } => "token revoke",
            Self::UploadList { .. } => "upload list",
            Self::UploadDelete { .. } => "upload delete",
            Self::RoomList {} => "room list",
            Self::RoomShow { .. } => "room show",
            Self::RoomMembers { .. } => "room members",
            Self::RoomCreate { .. } => "room create",
            Self::RoomSet { .. } => "room set",
            Self::RoomAffiliation { .. } => "room affiliation",
            Self::RoomRetention { .. } => "room retention",
            Self::RoomDestroy { .. } => "room destroy",
            Self::PushList { .. } => "push list",
            Self::PushDelete { .. } => "push delete",
            Self::ReportList {} => "report list",
            Self::ReportDelete { .. } => "report delete",
            Self::OutageAnnounce { .. } => "outage announce",
            Self::OutageEnd {} => "outage end",
            Self::OutageShow {} => "outage show",
            Self::AuditList { .. } => "audit list",
            Self::AuditVerify { .. } => "audit verify",
            Self::NoticesShow {} => "notice show",
            Self::NoticeNow { .. } => "notice now",
            Self::NoticeDay { .. } => "notice motd",
            Self::NoticeWelcome { .. } => "notice welcome",
            Self::DomainsShow {} => "federation domains",
            Self::DomainsSet { .. } => "choose domains",
            Self::DomainDeny { listed: true, .. } => "federation deny",
            Self::DomainDeny { .. } => "federation deny --remove",
            Self::DomainAllow { listed: true, .. } => "federation allow",
            Self::DomainAllow { .. } => "federation allow --remove",
            Self::Stop { restart: true, .. } => "restart",
            Self::Stop { .. } => "stop",
            Self::StopCancel { .. } => "stop --cancel",
            Self::Storage {} => "storage",
            Self::Privacy { .. } => "privacy",
            Self::AdminLink {} => "admin link",
            Self::Backup { .. } => "backup",
            Self::Reload {} => "reload",
            Self::Metrics {} => "metrics",
            Self::Status {} => "status",
        }
    }

    /// Whether it changes nothing and hands out nothing that lets somebody in.
    #[must_use]
    pub fn only_asks(&self) -> bool {
        matches!(
            self,
            Self::AccountList {}
                | Self::AccountShow { .. }
                | Self::InviteList { .. }
                | Self::RequestList { .. }
                | Self::SessionList { .. }
                | Self::FederationList {}
                | Self::TokenList { .. }
                | Self::UploadList { .. }
                | Self::RoomList {}
                | Self::RoomShow { .. }
                | Self::RoomMembers { .. }
                | Self::PushList { .. }
                | Self::ReportList {}
                | Self::OutageShow {}
                | Self::AuditList { .. }
                | Self::AuditVerify { .. }
                | Self::NoticesShow {}
                | Self::DomainsShow {}
                | Self::Storage {}
                | Self::Privacy { .. }
                | Self::Metrics {}
                | Self::Status {}
        )
    }
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
