//! An account of Prosody: one store for each thing it keeps.

use store::{
    Millis,
    prefs::{Policy, Preferences},
    roster::{Item as Contact, Subscription},
};
use xmpp::{
    sasl::{Hash, ScramKeys},
    xml::Element,
};

use super::{Entry, Storage, node};
use crate::{
    moving::{
        self, BAD_KEYS, Out, Trouble,
        record::{Line, Person, Record, Request},
        table::{Table, Value},
    },
    password::Password,
};

/// Reads an account with everything that belongs to it.
pub(super) fn read(
    storage: &dyn Storage,
    host: &str,
    user: &str,
    out: &mut Out<'_>,
) -> Result<(), Trouble> {
    let address = format!("{user}@{host}");
    let desk = Desk { storage, host, user, address: &address };
    let Some(account) = desk.load("accounts", out)? else { return Ok(()) };
    let person = person(user, &account);
    let damaged = person.keys.is_empty() && account.text("stored_key").is_some();
    out.give(Record::Person(Box::new(person)))?;
    if damaged {
        out.give(Record::skipped(address.as_str(), BAD_KEYS))?;
    }
    for store in storage.stores(host, user)? {
        match store.as_str() {
            "roster" => desk.each(out, &store, roster)?,
            "vcard" => desk.each(out, &store, |table, out| match table.element() {
                Some(vcard) => out.give(Record::Vcard(vcard)),
                None => Ok(()),
            })?,
            "private" => desk.each(out, &store, private)?,
            "blocklist" => desk.each(out, &store, |table, out| {
                table.named().try_for_each(|(jid, _)| out.give(Record::Blocked(jid.to_owned())))
            })?,
            "archive_prefs" => desk.each(out, &store, |table, out| {
                out.give(Record::Preferences(preferences(table)))
            })?,
            "pep" => desk.each(out, &store, |nodes, out| node::personal(&desk, nodes, out))?,
            "archive" => desk.messages(out, "archive", Record::Message)?,
            "offline" => desk.messages(out, "offline", Record::Waiting)?,
            known if known.starts_with("pep_") || IGNORED.contains(&known) => {}
            other => {
                let why = format!("Prosody's store `{other}` means nothing here");
                out.give(Record::skipped(address.as_str(), why))?;
            }
        }
    }
    Ok(())
}

pub(super) struct Desk<'a> {
    pub(super) storage: &'a dyn Storage,
    pub(super) host: &'a str,
    pub(super) user: &'a str,
    pub(super) address: &'a str,
}

impl Desk<'_> {
    /// What the account has in a store; a store that is damaged is left out, the others are not.
    pub(super) fn load(&self, store: &str, out: &mut Out<'_>) -> Result<Option<Table>, Trouble> {
        match self.storage.load(self.host, self.user, store) {
            Err(Trouble::Unreadable(words) | Trouble::Damaged(words)) => {
                out.give(Record::skipped(format!("{}: {words}", self.address), DAMAGED))?;
                Ok(None)
            }
            other => other,
        }
    }

    fn each<'o>(
        &self,
        out: &mut Out<'o>,
        store: &str,
        read: impl FnOnce(&Table, &mut Out<'o>) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        self.load(store, out)?.map_or(Ok(()), |table| read(&table, out))
    }

    pub(super) fn archive(
        &self,
        out: &mut Out<'_>,
        store: &str,
        mut read: impl FnMut(Entry, &mut Out<'_>) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let mut take = |entry: Entry| read(entry, out);
        match self.storage.archive(self.host, self.user, store, &mut take) {
            Err(Trouble::Unreadable(words) | Trouble::Damaged(words)) => {
                out.give(Record::skipped(format!("{}: {words}", self.address), DAMAGED))
            }
            other => other,
        }
    }

    fn messages(
        &self,
        out: &mut Out<'_>,
        store: &str,
        kind: fn(Line) -> Record,
    ) -> Result<(), Trouble> {
        self.archive(out, store, |entry, out| {
            let at = millis(entry.when).unwrap_or_default();
            out.give(kind(Line { at, message: entry.value }))
        })
    }
}

fn person(user: &str, account: &Table) -> Person {
    let created = millis(account.number("created"));
    Person {
        name: user.to_owned(),
        origin: None,
        keys: keys(account).into_iter().collect(),
        password: account
            .text("password")
            .filter(|text| !text.is_empty())
            .map(|text| Password::new(text.to_owned())),
        disabled: account.is_true("disabled"),
        created,
        last_login: None,
    }
}

/// The keys, which are for one hash function: its length says which.
fn keys(account: &Table) -> Option<ScramKeys> {
    let (stored, server) = (hex(account.text("stored_key")?)?, hex(account.text("server_key")?)?);
    let hash = Hash::ALL.into_iter().find(|hash| hash.digest(b"").len() == stored.len())?;
    let iterations = account.number("iteration_count")? as u32;
    // The salt is a text, and used as it is.
    let salt = account.text("salt")?.as_bytes().to_vec();
    moving::keys(hash, iterations, salt, &stored, &server)
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair.get(1)?).ok()).collect()
}

fn roster(table: &Table, out: &mut Out<'_>) -> Result<(), Trouble> {
    for (jid, contact) in table.named().filter(|(jid, _)| *jid != "pending") {
        let Some(contact) = contact.table() else { continue };
        let mut groups: Vec<&str> = contact
            .table("groups")
            .into_iter()
            .flat_map(Table::named)
            .map(|(name, _)| name)
            .collect();
        groups.sort_unstable();
        out.give(Record::Contact(Contact {
            jid: jid.into(),
            name: contact.text("name").filter(|name| !name.is_empty()).map(Into::into),
            subscription: match contact.text("subscription") {
                Some("to") => Subscription::To,
                Some("from") => Subscription::From,
                Some("both") => Subscription::Both,
                _ => Subscription::None,
            },
            ask: contact.text("ask") == Some("subscribe"),
            approved: contact.is_true("approved"),
            groups: groups.into_iter().map(Into::into).collect(),
        }))?;
    }
    let pending = table.of_false().and_then(Value::table).and_then(|rest| rest.table("pending"));
    // Before 0.9 under a name that is no address.
    let pending = pending.or_else(|| table.table("pending"));
    for (jid, stanza) in pending.into_iter().flat_map(Table::named) {
        let presence = stanza.table().and_then(Table::element);
        out.give(Record::Request(Request { from: jid.to_owned(), presence }))?;
    }
    Ok(())
}

fn private(table: &Table, out: &mut Out<'_>) -> Result<(), Trouble> {
    let documents = table.named().filter_map(|(_, value)| value.table()?.element());
    documents.into_iter().try_for_each(|document: Element| out.give(Record::Private(document)))
}

fn preferences(table: &Table) -> Preferences {
    let default = match table.of_false() {
        Some(Value::Bool(false)) => Policy::Never,
        Some(Value::Text(word)) if word == "roster" => Policy::Roster,
        _ => Policy::Always,
    };
    let listed = |wanted: bool| {
        let entries = table.named().filter(move |(_, value)| **value == Value::Bool(wanted));
        entries.map(|(jid, _)| jid.into()).collect()
    };
    Preferences { default, always: listed(true), never: listed(false) }
}

/// Prosody counts seconds.
pub(super) fn millis(seconds: Option<f64>) -> Option<Millis> {
    seconds.filter(|seconds| *seconds > 0.0).map(|seconds| Millis((seconds * 1000.0) as u64))
}

const DAMAGED: &str = "a file or a row is damaged";
/// Stores that Prosody makes for itself, and those of devices, which ask again by themselves.
const IGNORED: [&str; 19] = [
    "accounts",
    "account_activity",
    "account_details",
    "account_roles",
    "archive_cleanup",
    "auth_tokens",
    "cloud_notify",
    "cron",
    "invite_token",
    "lastlog",
    "lastlog2",
    "offline_cleanup",
    "pep_data",
    "privacy",
    "push2",
    "roles",
    "smacks_h",
    "tokens",
    "cloud_notify_registrations",
];
