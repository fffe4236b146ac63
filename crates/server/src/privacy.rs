//! The privacy ledger: what is stored, about whom, why, and for how long.
//!
//! [`HOLDINGS`] is the one list. A test compares it with the tables of the database, so a table that is
//! not in it does not come into being; how long things stay is said by the configuration and the constants
//! that the deletion itself uses.

use store::{
    AccountId, Store, StoreError,
    archive::{PageError, Query},
    uploads::Purpose,
};

use crate::{
    config::Config,
    ext::{archive::retention, unified_push},
    housekeeping,
    s2s::reached,
};

/// A kind of thing that is stored.
pub struct Holding {
    /// What, for the list of an account.
    pub kind: Kind,
    /// The tables of the database that hold it.
    pub tables: &'static [&'static str],
    /// What it is, in words.
    pub what: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// Whether the operator can read it.
    pub readable: Readable,
    /// How long it stays.
    pub kept: fn(&Config) -> String,
}

/// Whether the operator can read something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readable {
    /// Yes.
    Yes,
    /// As far as people did not encrypt it.
    UnlessEncrypted,
    /// Only what a secret was turned into, which does not lead back to it.
    Derived,
}

impl Readable {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Readable::Yes => "readable by the operator",
            Readable::UnlessEncrypted => {
                "readable by the operator unless it is end-to-end encrypted"
            }
            Readable::Derived => "only keys made from it, which do not lead back",
        }
    }
}

/// The kinds. What is counted for an account is decided by a `match` without a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Name, role, day of the last login, inviter.
    Account,
    /// Keys of the password.
    Keys,
    /// Contacts and requests.
    Contacts,
    /// Blocked addresses.
    Blocks,
    /// Messages, and those that wait.
    Messages,
    /// What is to be archived.
    Preferences,
    /// vCard, private documents, last activity.
    Documents,
    /// Nodes with their items.
    Nodes,
    /// Uploaded files.
    Files,
    /// Login tokens of devices.
    Tokens,
    /// Where devices want to be woken.
    Push,
    /// Addresses for applications of devices.
    Endpoints,
    /// Invitations.
    Invitations,
    /// Rooms with their lists.
    Rooms,
    /// Sessions during a restart.
    Sessions,
    /// Messages on their way to other servers.
    Outbox,
    /// Names of deleted accounts.
    Reserved,
    /// Requests for an account from the front door.
    SignUps,
    /// What administrators did.
    Audit,
}

/// Everything that is stored.
pub const HOLDINGS: &[Holding] = &[
    Holding {
        kind: Kind::Account,
        tables: &["account"],
        what: "name, role, when the account was made and by whose invitation, the day of the last login",
        purpose: "to have an account; the day shows which ones nobody uses",
        readable: Readable::Yes,
        kept: with_the_account,
    },
    Holding {
        kind: Kind::Keys,
        tables: &["credential"],
        what: "the password",
        purpose: "to log in",
        readable: Readable::Derived,
        kept: with_the_account,
    },
    Holding {
        kind: Kind::Contacts,
        tables: &["roster", "roster_item", "roster_removed", "roster_request"],
        what: "contacts, their names and groups, who may see whose presence, requests that wait",
        purpose: "to show contacts on every device",
        readable: Readable::Yes,
        kept: until_removed,
    },
    Holding {
        kind: Kind::Blocks,
        tables: &["block"],
        what: "blocked addresses",
        purpose: "to keep them away",
        readable: Readable::Yes,
        kept: until_removed,
    },
    Holding {
        kind: Kind::Messages,
        tables: &["log", "archive", "archive_floor", "purge"],
        what: "messages of people and of rooms: with whom, when, and the message as it came",
        purpose: "for devices that were not there",
        readable: Readable::UnlessEncrypted,
        kept: |config| {
            let general = match config.archive.retention_days {
                0 => "until the account or the room is deleted".to_owned(),
                days => retention::words(days),
            };
            format!(
                "{general}; longer or shorter where an administrator says so of an account or a room, and shorter \
                 where its owner wants that"
            )
        },
    },
    Holding {
        kind: Kind::Preferences,
        tables: &["archive_policy", "archive_rule", "archive_retention"],
        what: "whose messages are to be kept, and for how long",
        purpose: "people decide what is kept of theirs",
        readable: Readable::Yes,
        kept: until_removed,
    },
    Holding {
        kind: Kind::Documents,
        tables: &["document"],
        what: "the profile (vCard), settings of apps, when the account was last connected",
        purpose: "to show the profile; contacts see since when somebody is away",
        readable: Readable::Yes,
        kept: until_removed,
    },
    Holding {
        kind: Kind::Nodes,
        tables: &["pubsub_node", "pubsub_item", "pubsub_affiliation", "pubsub_subscription"],
        what: "avatars, bookmarks, public keys of devices, how far messages were read; what is published \
               at the service of the server, reports of abuse among it",
        purpose: "to keep devices in step, and for contacts to see",
        readable: Readable::Yes,
        kept: until_removed,
    },
    Holding {
        kind: Kind::Files,
        tables: &["upload", "upload_leftover", "upload_usage"],
        what: "uploaded files with name, size and type",
        purpose: "to pass files on to others",
        readable: Readable::UnlessEncrypted,
        kept: |config| match config.upload.retention_days {
            0 => "until it is deleted".to_owned(),
            days => format!(
                "{days} days; those that apps marked as lasting (profiles among them) until they \
                 are deleted"
            ),
        },
    },
    Holding {
        kind: Kind::Tokens,
        tables: &["token"],
        what: "for each device a login token with the names of app and device, and when it was used",
        purpose: "to log in without the password, and to end single devices",
        readable: Readable::Derived,
        kept: |config| format!("{} days after the last use", config.login.token_days),
    },
    Holding {
        kind: Kind::Push,
        tables: &["push"],
        what: "where devices want to be woken",
        purpose: "to wake them when something comes",
        readable: Readable::Yes,
        kept: |_| "until the app or its service ends it".to_owned(),
    },
    Holding {
        kind: Kind::Endpoints,
        tables: &["endpoint", "endpoint_message"],
        what: "addresses for notifications of other applications, which have no names here, and what was \
               posted there until the device has it",
        purpose: "to pass notifications on to applications of a device",
        readable: Readable::UnlessEncrypted,
        kept: |config| {
            format!(
                "{} days after the device asked for the address last; a notification {} days at most",
                config.unified_push.days,
                unified_push::LONGEST.as_secs() / (24 * 60 * 60)
            )
        },
    },
    Holding {
        kind: Kind::Invitations,
        tables: &["invite", "invite_use"],
        what: "invitations: who made them, a remark, who used them and when",
        purpose: "to let people in, and to see who invited whom",
        readable: Readable::Yes,
        kept: |_| format!("{} days after their end", housekeeping::LISTED_DAYS),
    },
    Holding {
        kind: Kind::Rooms,
        tables: &["room", "room_card", "room_affiliation"],
        what: "rooms: their configuration, subject, who belongs to them, who is banned and who asks to belong, \
               who wears a hat, whose voice a moderator gave or took, and who gave \
               out links to let others in",
        purpose: "to have rooms",
        readable: Readable::Yes,
        kept: |_| "until the room is destroyed, or somebody leaves its lists".to_owned(),
    },
    Holding {
        kind: Kind::Sessions,
        tables: &["session"],
        what: "sessions of devices, with what they have not acknowledged",
        purpose: "to go on after a restart of the server",
        readable: Readable::UnlessEncrypted,
        kept: |config| format!("{} seconds, during a restart", config.limits.resume_seconds),
    },
    Holding {
        kind: Kind::Outbox,
        tables: &["outbox"],
        what: "messages for other servers that did not arrive yet",
        purpose: "to deliver them when the other server can be reached",
        readable: Readable::UnlessEncrypted,
        kept: |config| {
            format!("until they arrive, {} seconds at most", config.federation.bounce_seconds)
        },
    },
    Holding {
        kind: Kind::Outbox,
        tables: &["outbox_reached"],
        what: "which other servers there were connections with, and on which day the last one began",
        purpose: "to tell a server that cannot be found for a while from one that never was",
        readable: Readable::Yes,
        kept: |_| format!("{} days after the last connection", reached::KEPT_DAYS),
    },
    Holding {
        kind: Kind::Reserved,
        tables: &["reserved_name"],
        what: "names of deleted accounts",
        purpose: "so that no stranger gets what is meant for their former owner",
        readable: Readable::Yes,
        kept: |_| format!("{} days", crate::auth::removal::RESERVED_DAYS),
    },
    Holding {
        kind: Kind::SignUps,
        tables: &["request"],
        what: "requests for an account: name, how to reach the person, what they wrote",
        purpose: "to answer them",
        readable: Readable::Yes,
        kept: |_| format!("{} days", housekeeping::LISTED_DAYS),
    },
    Holding {
        kind: Kind::Audit,
        tables: &["audit"],
        what: "what administrators did: when, who, which command, on whom or what",
        purpose: "so that it can be seen who did something, and that nobody changed that afterwards",
        readable: Readable::Yes,
        kept: |config| format!("{} days; the last entry always", config.log.audit_days),
    },
];

fn with_the_account(_: &Config) -> String {
    "until the account is deleted".to_owned()
}

fn until_removed(_: &Config) -> String {
    "until its owner removes it, or the account is deleted".to_owned()
}

/// How much of a kind is stored of an account, in words; `None` when it is of no account.
///
/// # Errors
/// When the store could not be read.
pub async fn amount(
    store: &Store,
    account: AccountId,
    address: &str,
    kind: Kind,
) -> Result<Option<String>, StoreError> {
    let counted = |number: u64, nouns: &str| Ok(Some(count(number, nouns)));
    match kind {
        Kind::Account => Ok(Some("1 account".to_owned())),
        Kind::Keys => counted(store.accounts.credentials(account).await?.len() as u64, "keys"),
        Kind::Contacts => {
            let roster = store.roster.load(account).await?;
            let (contacts, requests) = (roster.items.len(), roster.requests.len());
            let [contacts, requests] = [(contacts, "contacts"), (requests, "requests")]
                .map(|(number, nouns)| count(number as u64, nouns));
            Ok(Some(format!("{contacts}, {requests}")))
        }
        Kind::Blocks => counted(store.blocks.load(account).await?.len() as u64, "addresses"),
        Kind::Messages => {
            let words = match messages(store, account).await? {
                Some(number) => count(number, "messages"),
                None => "more messages than are counted".to_owned(),
            };
            Ok(Some(words))
        }
        Kind::Preferences => {
            let prefs = store.prefs.load(account).await?;
            let lists = prefs.map_or(0, |prefs| prefs.always.len() + prefs.never.len());
            counted(lists as u64, "addresses")
        }
        Kind::Documents => {
            let keys = store.documents.keys(account, "").await?;
            let bytes: u64 = keys.iter().map(|(_, bytes)| bytes).sum();
            let documents = count(keys.len() as u64, "documents");
            Ok(Some(format!("{documents}, {}", crate::files::size(bytes))))
        }
        Kind::Nodes => {
            let nodes = store.pubsub.nodes(account).await?.len();
            let bytes = store.pubsub.used(account).await?;
            let nodes = count(nodes as u64, "nodes");
            Ok(Some(format!("{nodes}, {}", crate::files::size(bytes))))
        }
        Kind::Files => {
            let all =
                vec![Purpose::Message, Purpose::Profile, Purpose::Ephemeral, Purpose::Permanent];
            let usage = store.uploads.usage(account, all).await?;
            let files = count(usage.files, "files");
            Ok(Some(format!("{files}, {}", crate::files::size(usage.bytes))))
        }
        Kind::Tokens => {
            counted(store.tokens.list(Some(account), MOST).await?.len() as u64, "tokens")
        }
        Kind::Push => counted(store.push.list(Some(account)).await?.len() as u64, "devices"),
        Kind::Endpoints => {
            counted(store.endpoints.list(account).await?.len() as u64, "addresses of applications")
        }
        Kind::Invitations => {
            let made = store.invites.list(Some(account), None, MOST).await?.len() as u64;
            counted(made, "invitations")
        }
        Kind::Rooms => counted(store.rooms.with(address).await?.len() as u64, "rooms"),
        Kind::Audit => counted(store.audit.about(address).await?, "entries"),
        // During a restart, on their way, or of nobody who has an account.
        Kind::Sessions | Kind::Outbox | Kind::Reserved | Kind::SignUps => Ok(None),
    }
}

/// A number of things, whose name is given for many of them.
fn count(number: u64, nouns: &str) -> String {
    let (noun, rest) = nouns.split_once(' ').unwrap_or((nouns, ""));
    let one = match noun {
        "addresses" => "address",
        "entries" => "entry",
        many => many.trim_end_matches('s'),
    };
    let noun = if number == 1 { one } else { noun };
    format!("{number} {noun} {rest}").trim_end().to_owned()
}

/// Messages in an archive; `None` when there are too many to count.
///
/// # Errors
/// When the store could not be read.
pub async fn messages(store: &Store, account: AccountId) -> Result<Option<u64>, StoreError> {
    let query = Query { count: true, ..Query::default() };
    match store.archive.page(account, query).await {
        Ok(page) => Ok(page.count),
        Err(PageError::Store(error)) => Err(error),
        Err(PageError::UnknownId(_)) => Ok(None),
    }
}

const MOST: u32 = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// What the database needs for itself.
    const TECHNICAL: [&str; 2] = ["meta", "sqlite_sequence"];

    #[test]
    fn one_thing_is_not_called_many() {
        for (nouns, one) in [
            ("rooms", "1 room"),
            ("entries", "1 entry"),
            ("addresses of applications", "1 address of applications"),
        ] {
            assert_eq!(count(1, nouns), one);
            assert_eq!(count(2, nouns), format!("2 {nouns}"));
        }
    }

    #[tokio::test]
    async fn every_table_is_in_the_ledger() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("anemone.db");
        let store = store::sqlite::open(&path, store::sqlite::Options::default()).unwrap();
        store.maintenance.close().await.unwrap();
        let db = rusqlite::Connection::open(&path).unwrap();
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
        let mut select = db.prepare(sql).unwrap();
        let tables = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let mut tables: Vec<String> = tables.map(Result::unwrap).collect();
        tables.retain(|name| !TECHNICAL.contains(&name.as_str()));
        let mut listed: Vec<&str> = HOLDINGS.iter().flat_map(|one| one.tables).copied().collect();
        listed.sort_unstable();
        assert_eq!(tables, listed);
    }

    #[test]
    fn how_long_things_stay_is_what_the_configuration_says() {
        let mut config = Config::for_domain("example.org").unwrap();
        config.archive.retention_days = 12;
        let messages = HOLDINGS.iter().find(|one| one.kind == Kind::Messages).unwrap();
        assert!((messages.kept)(&config).starts_with("12 days; longer or shorter where"));
        config.archive.retention_days = 0;
        assert!((messages.kept)(&config).starts_with("until"));
    }
}
