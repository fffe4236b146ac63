//! ejabberd's SQLite database, in both of its schemas: the one with a database for each domain, and the
//! one with a column for it (`new_sql_schema`).

mod node;
mod person;
mod room;
mod terms;

use std::{cell::Cell, path::Path};

use rusqlite::{Connection, Params, Row};
use xmpp::xml::{Element, Limits};

use super::{Out, Place, Trouble, record::Record, sqlite};

/// The database.
struct Ejabberd {
    db: Connection,
    domain: String,
    /// The schema has the domain in a column.
    several: bool,
    /// Rows that make no sense, since that was told.
    damaged: Cell<u64>,
}

/// Reads everything that belongs to a domain and its rooms.
pub(super) fn read(path: &Path, place: &Place, out: &mut Out<'_>) -> Result<(), Trouble> {
    let Place { domain, rooms, .. } = place;
    let db = sqlite::open(path)?;
    if !sqlite::has_table(&db, "rosterusers")? {
        return Err(Trouble::unreadable(format!(
            "{} is not a database of ejabberd: it has no table `rosterusers`",
            path.display()
        )));
    }
    let several = sqlite::has_column(&db, "users", "server_host")?;
    let source = Ejabberd { db, domain: domain.clone(), several, damaged: Cell::new(0) };
    let users = source.users()?;
    if users.is_empty() {
        let why = format!("{} has no accounts of {domain}", path.display());
        return Err(Trouble::unreadable(why));
    }
    for user in users {
        person::read(&source, &user, out)?;
        source.tell_damage(&user, out)?;
    }
    room::read(&source, rooms, out)?;
    source.tell_damage(rooms, out)?;
    node::services(&source, place, out)?;
    Ok(())
}

impl Ejabberd {
    fn users(&self) -> Result<Vec<String>, Trouble> {
        // Accounts of another kind of authentication have no row but may have contacts; without an
        // account there is nobody to give them to.
        self.each("users", "username", "1 = 1", [], "username", |row| row.get(0))
    }

    /// Rows of a table of the domain.
    fn each<T, const N: usize>(
        &self,
        table: &str,
        columns: &str,
        condition: &str,
        values: [&str; N],
        order: &str,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Trouble> {
        let mut found = Vec::new();
        self.visit(table, columns, condition, values, order, |row| {
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Visits rows of a table of the domain one at a time. The parts of the statement are this program's.
    fn visit<const N: usize>(
        &self,
        table: &str,
        columns: &str,
        condition: &str,
        values: [&str; N],
        order: &str,
        visit: impl FnMut(&Row<'_>) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        if !sqlite::has_table(&self.db, table)? {
            return Ok(());
        }
        let mut values: Vec<&str> = values.to_vec();
        let mut sql = format!("SELECT {columns} FROM {table} WHERE {condition}");
        if self.several && sqlite::has_column(&self.db, table, "server_host")? {
            values.push(&self.domain);
            sql.push_str(&format!(" AND server_host = ?{}", values.len()));
        }
        sql.push_str(&format!(" ORDER BY {order}"));
        self.rows(&sql, rusqlite::params_from_iter(values), visit)
    }

    /// Visits what a statement finds; a row that makes no sense does not hold up the others.
    fn rows(
        &self,
        sql: &str,
        values: impl Params,
        mut visit: impl FnMut(&Row<'_>) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let mut select = self.db.prepare(sql)?;
        let mut rows = select.query(values)?;
        while let Some(row) = rows.next()? {
            match visit(row) {
                Err(Trouble::Damaged(_)) => self.damaged.set(self.damaged.get() + 1),
                other => other?,
            }
        }
        Ok(())
    }

    /// Says that rows were left out, and of whom.
    fn tell_damage(&self, whose: &str, out: &mut Out<'_>) -> Result<(), Trouble> {
        (0..self.damaged.take()).try_for_each(|_| out.give(Record::skipped(whose, DAMAGED)))
    }
}

const DAMAGED: &str = "a row is damaged";

/// Reads XML of a column.
fn element(text: &str) -> Option<Element> {
    Element::parse(text.as_bytes(), &Limits::SERVER).ok()
}
