//! Prosody 0.12 and 13: what it keeps of accounts and rooms, in files (`storage = "internal"`) or in
//! SQLite (`storage = "sql"`).

mod files;
mod node;
mod person;
mod room;
mod sql;

use std::path::Path;

use xmpp::xml::Element;

use super::{Out, Place, Trouble, record::Record, table::Table};

/// One of Prosody's storages.
trait Storage {
    /// Hosts: domains and services.
    fn hosts(&self) -> Result<Vec<String>, Trouble>;

    /// Who has something in a store of a host, in order.
    fn users(&self, host: &str, store: &str) -> Result<Vec<String>, Trouble>;

    /// The stores in which somebody has something.
    fn stores(&self, host: &str, user: &str) -> Result<Vec<String>, Trouble>;

    /// What somebody has in a store of the first kind: keys with values.
    fn load(&self, host: &str, user: &str, store: &str) -> Result<Option<Table>, Trouble>;

    /// What somebody has in a store of the second kind: stanzas in order of time.
    fn archive(
        &self,
        host: &str,
        user: &str,
        store: &str,
        take: &mut dyn FnMut(Entry) -> Result<(), Trouble>,
    ) -> Result<(), Trouble>;
}

/// One stanza of an archive.
struct Entry {
    /// Its id.
    key: String,
    /// When it was kept, in seconds.
    when: Option<f64>,
    /// The other side; for items of nodes the publisher.
    with: String,
    /// The stanza.
    value: Element,
}

/// Reads everything that belongs to a domain and its rooms.
pub(super) fn read(path: &Path, place: &Place, out: &mut Out<'_>) -> Result<(), Trouble> {
    let Place { domain, rooms, .. } = place;
    let storage: Box<dyn Storage> = match path.is_dir() {
        true => Box::new(files::Files::open(path)?),
        false => Box::new(sql::Sql::open(path)?),
    };
    let storage = &*storage;
    let hosts = storage.hosts()?;
    if !hosts.iter().any(|host| host == domain) {
        return Err(Trouble::unreadable(format!(
            "{} has nothing of {domain}, the domain of this server; it has: {}",
            path.display(),
            hosts.join(", ")
        )));
    }
    for host in &hosts {
        let people = storage.users(host, "accounts")?;
        match host == domain {
            true => {
                for user in people {
                    person::read(storage, host, &user, out)?;
                }
            }
            false if !people.is_empty() => {
                let why = "accounts of another domain; they need a server of their own";
                out.give(Record::skipped(format!("{host}: {} accounts", people.len()), why))?;
            }
            false => {}
        }
        if !storage.users(host, "uploads")?.is_empty() {
            let why = "uploaded files are not moved; links to them end with the old server";
            out.give(Record::skipped(host.as_str(), why))?;
        }
        node::services(storage, host, place, out)?;
        for name in storage.users(host, "config")? {
            match host == rooms {
                true => room::read(storage, host, &name, out)?,
                false => {
                    let why = format!(
                        "rooms of this server are at {rooms}; set `address` in [rooms] to where they \
                         were, and run this again"
                    );
                    out.give(Record::skipped(format!("{name}@{host}"), why))?;
                }
            }
        }
    }
    Ok(())
}
