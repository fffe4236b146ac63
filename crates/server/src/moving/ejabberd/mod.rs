//! ejabberd's SQLite database, in both of its schemas: the one with a database for each domain, and the
//! one with a column for it (`new_sql_schema`).

mod person;
mod room;
mod terms;

use std::path::Path;

use rusqlite::{Connection, Row};
use xmpp::xml::{Element, Limits};

use super::{Out, Trouble, record::Record, sqlite};

/// The database.
struct Ejabberd {
    db: Connection,
    domain: String,
    /// The schema has the domain in a column.
    several: bool,
}

/// Reads everything that belongs to a domain and its rooms.
pub(super) fn read(
    path: &Path,
    domain: &str,
    rooms: &str,
    out: &mut Out<'_>,
) -> Result<(), Trouble> {
    let db = sqlite::open(path)?;
    if !sqlite::has_table(&db, "rosterusers")? {
        return Err(Trouble::unreadable(format!(
            "{} is not a database of ejabberd: it has no table `rosterusers`",
            path.display()
        )));
    }
    let several = sqlite::has_column(&db, "users", "server_host")?;
    let source = Ejabberd { db, domain: domain.to_owned(), several };
    let users = source.users()?;
    if users.is_empty() {
        let why = format!("{} has no accounts of {domain}", path.display());
        return Err(Trouble::unreadable(why));
    }
    for user in users {
        person::read(&source, &user, out)?;
    }
    room::read(&source, rooms, out)?;
    let services = "SELECT count(*) FROM pubsub_node WHERE instr(host, '@') = 0";
    let nodes: i64 = source.db.query_row(services, [], |row| row.get(0))?;
    if nodes > 0 {
        let why = "nodes of a service for publishing, which this server does not have";
        out.give(Record::skipped(format!("{nodes} nodes"), why))?;
    }
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
        mut visit: impl FnMut(&Row<'_>) -> Result<(), Trouble>,
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
        let mut select = self.db.prepare(&sql)?;
        let mut rows = select.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            visit(row)?;
        }
        Ok(())
    }
}

/// Reads XML of a column.
fn element(text: &str) -> Option<Element> {
    Element::parse(text.as_bytes(), &Limits::SERVER).ok()
}
