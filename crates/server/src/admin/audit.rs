//! Who did what: an entry for everything that changes something, by whichever way in it was asked for.
//!
//! An entry has names and addresses, and never a password or what somebody wrote. The hash of each is in the
//! next one, and the beginning of it in the log: whoever can write the database can make the whole chain anew,
//! and not what the log said of it.

use std::fmt::Write as _;

use store::audit::{Entry, EntryHash, NewEntry};

use super::{
    Fault, FaultCode, Operations, Request, Response,
    operations::{now, stamp},
    protocol::{AuditChain, AuditEntry},
};
use crate::ext::archive::retention;

/// Who asks, and by which way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// A command on the machine, by the user with this number.
    CommandLine(u32),
    /// The pages at `/admin`: the account (a local part), or whoever had a link of the command line.
    Web(Option<Box<str>>),
    /// A command of a client (XEP-0050): the bare address.
    Client(Box<str>),
}

impl By {
    fn door(&self) -> &'static str {
        match self {
            By::CommandLine(_) => "command line",
            By::Web(_) => "web",
            By::Client(_) => "app",
        }
    }
}

impl Operations {
    /// Writes down what was done without a [`Request`].
    pub async fn note(&self, by: &By, command: &str, subject: &str) {
        self.note_outcome(by, command, subject, "done").await;
    }

    /// The same for what may have failed.
    pub async fn note_outcome(&self, by: &By, command: &str, subject: &str, outcome: &str) {
        let entry = self.entry(by, command, subject.to_owned());
        self.keep(entry, outcome).await;
    }

    /// What is written down of a request when it is answered; nothing of one that only asks.
    pub(super) fn audited(&self, by: &By, request: &Request) -> Option<NewEntry> {
        if request.only_asks() {
            return None;
        }
        Some(self.entry(by, request.name(), self.subject(request)))
    }

    /// Writes down a request with what became of it.
    pub(super) async fn audit(&self, mut entry: NewEntry, response: &Response) {
        if let Response::Invitation(made) = response {
            let space = if entry.subject.is_empty() { "" } else { ", " };
            entry.subject = format!("{}{space}invitation {}", entry.subject, made.id).into();
        }
        let outcome = match response {
            Response::Error(fault) => fault.code.name(),
            _ => "done",
        };
        self.keep(entry, outcome).await;
    }

    fn entry(&self, by: &By, command: &str, subject: String) -> NewEntry {
        let actor = match by {
            By::CommandLine(user) => format!("user {user}"),
            By::Web(Some(name)) => self.address(name),
            By::Web(None) => "whoever had the link".to_owned(),
            By::Client(address) => address.to_string(),
        };
        NewEntry {
            at: now(),
            door: by.door().into(),
            actor: actor.into(),
            command: command.into(),
            subject: subject.chars().take(LONGEST_SUBJECT).collect::<String>().into(),
            outcome: Box::default(),
        }
    }

    async fn keep(&self, mut entry: NewEntry, outcome: &str) {
        entry.outcome = outcome.into();
        let (command, door) = (entry.command.clone(), entry.door.clone());
        match self.store.audit.append(entry).await {
            Ok(kept) => {
                let (number, hash) = (kept.number, beginning(&kept.hash));
                tracing::info!(%command, %door, outcome, number, hash, "operator's command");
            }
            Err(error) => {
                tracing::error!(%command, %door, outcome, %error, "it is not among what was done");
            }
        }
    }

    /// On whom or what, in its normal form where it has one.
    fn subject(&self, request: &Request) -> String {
        let account = |account: &str| match self.name(account) {
            Ok(name) => self.address(&name),
            Err(_) => account.to_owned(),
        };
        match request {
            Request::AccountAdd { account: name, admin, .. } => {
                let role = if *admin { ", an administrator" } else { "" };
                format!("{}{role}", account(name))
            }
            Request::AccountEnable { account: name, .. }
            | Request::AccountAdmin { account: name, .. }
            | Request::AccountPassword { account: name, .. }
            | Request::AccountDelete { account: name }
            | Request::AccountClear { account: name }
            | Request::AccountResetLink { account: name }
            | Request::AccountExport { account: name, .. }
            | Request::PushDelete { account: name }
            | Request::UploadDelete { account: name, file: None }
            | Request::TokenRevoke { account: name, device: None } => account(name),
            Request::AccountRetention { account: name, days } => {
                format!("{}, {}", account(name), kept(*days))
            }
            Request::RoomRetention { room, days } => {
                format!("{}, {}", self.shown_room(room), kept(*days))
            }
            Request::AccountMove { account: name, to } => match to {
                Some(to) => format!("{}, to {to}", account(name)),
                None => format!("{}, back", account(name)),
            },
            Request::SessionKick { address } => match address.split_once('/') {
                Some((bare, resource)) => format!("{}/{resource}", account(bare)),
                None => account(address),
            },
            Request::TokenRevoke { account: name, device: Some(what) }
            | Request::UploadDelete { account: name, file: Some(what) } => {
                format!("{}, {what}", account(name))
            }
            Request::InviteNew(wish) => invited(wish, account),
            Request::InviteRevoke { id } => format!("invitation {id}"),
            Request::RequestApprove { id } | Request::RequestRefuse { id } => {
                format!("request {id}")
            }
            Request::RoomCreate { room, owner, .. } => {
                format!("{}, of {}", self.shown_room(room), account(owner))
            }
            Request::RoomSet { room, settings } => {
                format!("{}, {}", self.shown_room(room), settings.changed().join(" and "))
            }
            Request::RoomAffiliation { room, who, affiliation, .. } => {
                let who = self.person(who).map_or_else(|_| who.clone(), |who| who.to_string());
                format!("{}, {who}: {affiliation}", self.shown_room(room))
            }
            Request::RoomDestroy { room, .. } => self.shown_room(room),
            other => self.subject_of_all(other),
        }
    }

    /// The same of what is about no account and no room.
    fn subject_of_all(&self, request: &Request) -> String {
        match request {
            Request::FederationTry { domain }
            | Request::FederationGiveBack { domain }
            | Request::FederationEnd { domain } => {
                self.domain(domain).unwrap_or_else(|_| domain.clone())
            }
            Request::DomainDeny { domain, .. } | Request::DomainAllow { domain, .. } => {
                super::telling::shown(domain)
            }
            Request::NoticeNow { .. } => "everybody who is online".to_owned(),
            Request::DomainsSet { deny, allow } => {
                let lists = [("deny", deny), ("allow", allow)];
                let lists =
                    lists.into_iter().filter_map(|(name, list)| Some((name, list.as_deref()?)));
                lists.map(|(name, list)| domains(name, list)).collect::<Vec<_>>().join(", ")
            }
            Request::ReportDelete { id } => format!("report {id}"),
            Request::Backup { path } => path.display().to_string(),
            _ => String::new(),
        }
    }

    fn shown_room(&self, room: &str) -> String {
        match self.room_name(room) {
            Ok(name) => self.room_address(&name),
            Err(_) => room.to_owned(),
        }
    }

    /// What was done, newest first.
    pub(super) async fn audit_list(
        &self,
        before: Option<i64>,
        most: u32,
    ) -> Result<Response, Fault> {
        if most == 0 || most > MOST {
            let words = format!("so many entries at a time: from 1 to {MOST}");
            return Err(Fault::new(FaultCode::Invalid, words));
        }
        let entries = self.store.audit.newest(before, most).await?;
        Ok(Response::Audit(entries.iter().map(describe).collect()))
    }

    /// Reads the whole chain. `known` is the beginning of a hash that must be in it.
    pub(super) async fn audit_verify(&self, known: Option<&str>) -> Result<Response, Fault> {
        let known = known.map(str::to_ascii_lowercase);
        let is_hash = |text: &str| {
            (16..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if known.as_deref().is_some_and(|known| !is_hash(known)) {
            let words = "a hash has 64 digits (0-9, a-f), of which the first 16 are enough";
            return Err(Fault::new(FaultCode::Invalid, words));
        }
        let mut chain = AuditChain::default();
        let (mut last, mut seen) = (None::<Entry>, false);
        loop {
            let after = last.as_ref().map(|entry| entry.number);
            let page = self.store.audit.oldest(after, PAGE).await?;
            for entry in page {
                let fits = last.as_ref().is_none_or(|last| entry.follows(last));
                if !fits
                    || !entry.is_genuine()
                    || (entry.number == 1 && entry.previous != EntryHash::default())
                {
                    return Err(broken(&entry, fits));
                }
                seen |= known.as_deref().is_some_and(|known| whole(&entry.hash).starts_with(known));
                chain.entries += 1;
                chain.first.get_or_insert(entry.number);
                last = Some(entry);
            }
            if last.as_ref().map(|entry| entry.number) == after {
                break;
            }
        }
        if known.is_some() && !seen {
            let words = "the entries fit together, and none of them has that hash: the record is another \
                         one than it was, or that entry is past its time";
            return Err(Fault::new(FaultCode::Storage, words));
        }
        chain.last = last.as_ref().map(|entry| entry.number);
        chain.hash = last.as_ref().map(|entry| whole(&entry.hash));
        Ok(Response::AuditChain(chain))
    }
}

pub(super) fn broken(entry: &Entry, fits: bool) -> Fault {
    let number = entry.number;
    let words = match fits {
        true => format!("entry {number} was changed after it was written"),
        false => format!("what stood before entry {number} was taken out or changed"),
    };
    Fault::new(FaultCode::Storage, words)
}

fn kept(days: Option<u32>) -> String {
    days.map_or("as others".to_owned(), |days| retention::words(days.into()))
}

fn invited(wish: &super::NewInvitation, account: impl Fn(&str) -> String) -> String {
    let mut parts = Vec::new();
    if let Some(name) = &wish.name {
        parts.push(format!("for {}", account(name)));
    }
    if wish.admin {
        parts.push("for an administrator".to_owned());
    }
    if let Some(contact) = &wish.contact_of {
        parts.push(format!("a contact of {}", account(contact)));
    }
    parts.join(", ")
}

/// A list of domains: the first of them, and how many more.
fn domains(name: &str, list: &[String]) -> String {
    let shown = list.iter().take(MOST_DOMAINS).map(String::as_str).collect::<Vec<_>>();
    match (shown.as_slice(), list.len() - shown.len()) {
        ([], _) => format!("{name}: none"),
        (shown, 0) => format!("{name}: {}", shown.join(", ")),
        (shown, more) => format!("{name}: {} and {more} more", shown.join(", ")),
    }
}

pub(super) fn describe(entry: &Entry) -> AuditEntry {
    let NewEntry { at, door, actor, command, subject, outcome } = &entry.entry;
    AuditEntry {
        number: entry.number,
        at: stamp(*at),
        door: door.to_string(),
        actor: actor.to_string(),
        did: command.to_string(),
        subject: subject.to_string(),
        outcome: outcome.to_string(),
        hash: whole(&entry.hash),
    }
}

fn whole(hash: &EntryHash) -> String {
    hash.0.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn beginning(hash: &EntryHash) -> String {
    whole(hash).chars().take(16).collect()
}

const LONGEST_SUBJECT: usize = 500;
/// Domains of one list that an entry names.
const MOST_DOMAINS: usize = 8;
/// Entries that are listed at a time.
pub const MOST: u32 = 10_000;
const PAGE: u32 = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{Config, Home},
        password::Password,
    };

    fn operations(directory: &tempfile::TempDir) -> Operations {
        let options = store::sqlite::Options::default();
        let store = store::sqlite::open(&directory.path().join("anemone.db"), options).unwrap();
        let config = Config::for_domain("example.org").unwrap();
        Operations::stopped(store, Home::new(directory.path().to_owned()), config)
    }

    async fn listed(operations: &Operations) -> Vec<AuditEntry> {
        match operations
            .perform(&By::CommandLine(0), Request::AuditList { before: None, most: 50 })
            .await
        {
            Response::Audit(entries) => entries,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_changes_something_is_written_down_without_what_is_secret() {
        let directory = tempfile::tempdir().unwrap();
        let operations = operations(&directory);
        let ada = By::Web(Some("ada".into()));
        let password = || Password::new("wherefore art".to_owned());
        let add =
            Request::AccountAdd { account: "Romeo".into(), password: password(), admin: false };
        operations.perform(&By::CommandLine(1000), add).await;
        operations.perform(&ada, Request::AccountList {}).await;
        let again =
            Request::AccountAdd { account: "romeo".into(), password: password(), admin: true };
        operations.perform(&ada, again).await;
        let client = By::Client("ada@example.org".into());
        operations.perform(&client, Request::AccountDelete { account: "romeo".into() }).await;
        let wish = super::super::NewInvitation {
            uses: 1,
            note: "a secret remark".into(),
            ..Default::default()
        };
        operations.perform(&ada, Request::InviteNew(wish)).await;
        operations.note(&By::Web(None), "sign in", "").await;

        let entries = listed(&operations).await;
        let short: Vec<[&str; 5]> = entries
            .iter()
            .map(|e| [&e.door, &e.actor, &e.did, &e.subject, &e.outcome].map(String::as_str))
            .collect();
        assert_eq!(
            short,
            [
                ["web", "whoever had the link", "sign in", "", "done"],
                ["web", "ada@example.org", "invite new", "invitation 1", "done"],
                ["app", "ada@example.org", "account delete", "romeo@example.org", "done"],
                [
                    "web",
                    "ada@example.org",
                    "account add",
                    "romeo@example.org, an administrator",
                    "exists"
                ],
                ["command line", "user 1000", "account add", "romeo@example.org", "done"],
            ]
        );
        let all = serde_json::to_string(&entries).unwrap();
        assert!(!all.contains("wherefore") && !all.contains("remark"), "{all}");
    }

    #[test]
    fn domains_are_named_and_not_all_of_a_long_list() {
        let list = |count: usize| (0..count).map(|n| format!("d{n}.example")).collect::<Vec<_>>();
        assert_eq!(domains("deny", &[]), "deny: none");
        assert_eq!(domains("deny", &list(2)), "deny: d0.example, d1.example");
        let long = domains("allow", &list(MOST_DOMAINS + 3));
        assert!(long.ends_with("d7.example and 3 more"), "{long}");
    }

    #[tokio::test]
    async fn a_change_of_the_record_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let verify = async |operations: &Operations, known: Option<&str>| {
            let known = known.map(str::to_owned);
            operations.perform(&By::CommandLine(0), Request::AuditVerify { known }).await
        };
        let first = operations(&directory);
        assert_eq!(verify(&first, None).await, Response::AuditChain(AuditChain::default()));
        for number in 0..4 {
            first.note(&By::CommandLine(0), "import", &format!("file {number}")).await;
        }
        let Response::AuditChain(chain) = verify(&first, None).await else { panic!("whole") };
        assert_eq!((chain.entries, chain.first, chain.last), (4, Some(1), Some(4)));
        let hash = chain.hash.unwrap();
        assert!(matches!(verify(&first, Some(&hash)).await, Response::AuditChain(_)));
        assert!(matches!(verify(&first, Some(&hash[..16])).await, Response::AuditChain(_)));
        assert!(matches!(verify(&first, Some(&"0".repeat(64))).await, Response::Error(_)));
        assert!(matches!(verify(&first, Some("nonsense")).await, Response::Error(_)));
        first.store.maintenance.close().await.unwrap();
        drop(first);

        let tampered = async |sql: &str| {
            let copy = tempfile::tempdir().unwrap();
            std::fs::copy(directory.path().join("anemone.db"), copy.path().join("anemone.db"))
                .unwrap();
            let db = rusqlite::Connection::open(copy.path().join("anemone.db")).unwrap();
            assert_eq!(db.execute(sql, []).unwrap(), 1);
            drop(db);
            match verify(&operations(&copy), None).await {
                Response::Error(fault) => fault.message,
                other => panic!("{sql}: {other:?}"),
            }
        };
        let told = tampered("UPDATE audit SET actor = 'eve' WHERE number = 2").await;
        assert!(told.contains("entry 2 was changed"), "{told}");
        let told = tampered("DELETE FROM audit WHERE number = 2").await;
        assert!(told.contains("before entry 3"), "{told}");
        let told = tampered("UPDATE audit SET previous = zeroblob(32) WHERE number = 3").await;
        assert!(told.contains("before entry 3"), "{told}");
    }
}
