//! Statements, prepared once.

use client::store::Result;

use crate::SqliteStore;
use crate::error::from_sqlite;

impl SqliteStore {
    /// The number of the next row; nobody else writes, and no number is given twice.
    pub(crate) fn next_id(&self, table: &str) -> Result<i64> {
        let last: Option<i64> = self
            .rows("SELECT seq FROM sqlite_sequence WHERE name = ?1", [table], |row| row.get(0))?
            .pop();
        Ok(last.unwrap_or(0) + 1)
    }

    /// Runs a statement.
    pub(crate) fn run(&self, sql: &'static str, params: impl rusqlite::Params) -> Result<()> {
        self.check_step()?;
        let mut statement = self.db.prepare_cached(sql).map_err(from_sqlite)?;
        statement.execute(params).map_err(from_sqlite)?;
        Ok(())
    }

    /// All rows of a query.
    pub(crate) fn rows<T>(
        &self,
        sql: &'static str,
        params: impl rusqlite::Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.db.prepare_cached(sql).map_err(from_sqlite)?;
        let rows = statement.query_map(params, read).map_err(from_sqlite)?;
        rows.collect::<rusqlite::Result<_>>().map_err(from_sqlite)
    }
}
