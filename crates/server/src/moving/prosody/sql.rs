//! `storage = "sql"` with SQLite: the tables `prosody` (keys with values) and `prosodyarchive`.

use std::path::Path;

use rusqlite::{Connection, Row, params};
use xmpp::xml::{Element, Limits};

use super::{Entry, Storage};
use crate::moving::{
    Trouble, sqlite, stanza,
    table::{self, Table, Value},
};

pub(super) struct Sql {
    db: Connection,
}

impl Sql {
    pub(super) fn open(path: &Path) -> Result<Sql, Trouble> {
        let db = sqlite::open(path)?;
        match sqlite::has_table(&db, "prosody")? {
            true => Ok(Sql { db }),
            false => Err(Trouble::unreadable(format!(
                "{} is not a database of Prosody: it has no table `prosody`",
                path.display()
            ))),
        }
    }

    fn texts(&self, sql: &str, values: &[&str]) -> Result<Vec<String>, Trouble> {
        let mut select = self.db.prepare(sql)?;
        let rows = select.query_map(rusqlite::params_from_iter(values), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Storage for Sql {
    fn hosts(&self) -> Result<Vec<String>, Trouble> {
        self.texts("SELECT DISTINCT host FROM prosody ORDER BY host", &[])
    }

    fn users(&self, host: &str, store: &str) -> Result<Vec<String>, Trouble> {
        let sql = "SELECT user FROM prosody WHERE host = ?1 AND store = ?2 UNION \
                   SELECT user FROM prosodyarchive WHERE host = ?1 AND store = ?2 ORDER BY user";
        self.texts(sql, &[host, store])
    }

    fn stores(&self, host: &str, user: &str) -> Result<Vec<String>, Trouble> {
        let sql = "SELECT store FROM prosody WHERE host = ?1 AND user = ?2 UNION \
                   SELECT store FROM prosodyarchive WHERE host = ?1 AND user = ?2 ORDER BY store";
        self.texts(sql, &[host, user])
    }

    fn load(&self, host: &str, user: &str, store: &str) -> Result<Option<Table>, Trouble> {
        let sql =
            "SELECT key, type, value FROM prosody WHERE host = ?1 AND user = ?2 AND store = ?3";
        let mut select = self.db.prepare(sql)?;
        let mut rows = select.query(params![host, user, store])?;
        let mut found = None;
        while let Some(row) = rows.next()? {
            let table: &mut Table = found.get_or_insert_default();
            let (key, kind, value): (String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            let Some(value) = table::of_sql(&kind, &value) else {
                return Err(Trouble::unreadable(format!("`{key}` in {store} of {user}")));
            };
            match value {
                // What has keys that are no texts is kept together under no name.
                Value::Table(rest) if key.is_empty() => table.merge(rest),
                value => table.set(&key, value),
            }
        }
        Ok(found)
    }

    fn archive(
        &self,
        host: &str,
        user: &str,
        store: &str,
        take: &mut dyn FnMut(Entry) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let sql = "SELECT key, \"when\", \"with\", type, value FROM prosodyarchive \
                   WHERE host = ?1 AND user = ?2 AND store = ?3 ORDER BY sort_id";
        let mut select = self.db.prepare(sql)?;
        let mut rows = select.query(params![host, user, store])?;
        while let Some(row) = rows.next()? {
            if let Some(entry) = entry(row)? {
                take(entry)?;
            }
        }
        Ok(())
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Option<Entry>> {
    let (kind, value): (String, String) = (row.get(3)?, row.get(4)?);
    let value = match kind.as_str() {
        "xml" => {
            // A stanza, which declares no namespace, or an item, which does.
            let element = Element::parse(value.as_bytes(), &Limits::SERVER).ok();
            match element {
                Some(element) if element.ns().is_empty() => stanza(value.as_bytes()),
                element => element,
            }
        }
        kind => table::of_sql(kind, &value).and_then(|value| value.table()?.element()),
    };
    let (key, with, when) = (row.get(0)?, row.get(2)?, row.get(1)?);
    Ok(value.map(|value| Entry { key, when: Some(when), with, value }))
}
