//! Opening the databases of other servers, to read.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::Trouble;

/// Opens a database read-only.
pub(super) fn open(path: &Path) -> Result<Connection, Trouble> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags);
    let db = db.map_err(|error| Trouble::unreadable(format!("{}: {error}", path.display())))?;
    // Finds out whether it is a database at all, and whether somebody writes to it.
    let read = db.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0));
    match read {
        Ok(_) => Ok(db),
        Err(error) => Err(Trouble::unreadable(format!(
            "{} cannot be read: {error}; stop the other server first",
            path.display()
        ))),
    }
}

/// Whether there is a table of that name.
pub(super) fn has_table(db: &Connection, name: &str) -> Result<bool, Trouble> {
    let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1";
    Ok(db.query_row(sql, [name], |row| row.get::<_, i64>(0))? > 0)
}

/// Whether a table has a column of that name.
pub(super) fn has_column(db: &Connection, table: &str, column: &str) -> Result<bool, Trouble> {
    let sql = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2";
    Ok(db.query_row(sql, [table, column], |row| row.get::<_, i64>(0))? > 0)
}
