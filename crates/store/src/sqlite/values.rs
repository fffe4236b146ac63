//! Our types as SQLite values.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::Millis;

impl ToSql for Millis {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.signed().into())
    }
}

impl FromSql for Millis {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Millis(i64::column_result(value)?.max(0) as u64))
    }
}

impl Millis {
    /// As SQLite has it: a time beyond the year 292 million is that year's.
    pub(super) fn signed(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }
}

/// A number of the database that cannot be negative.
pub(super) fn unsigned(value: i64) -> u64 {
    value.max(0) as u64
}
