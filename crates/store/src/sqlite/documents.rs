//! Private documents in SQLite.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

use super::engine::{Engine, failure};
use crate::documents::{Documents, MAX_KEY, SaveError};
use crate::{AccountId, Fut, StoreError};

failure!(SaveError);

pub(super) struct Sqlite(pub(super) Arc<Engine>);

impl Documents for Sqlite {
    fn load(&self, account: AccountId, key: &str) -> Fut<'_, Option<Bytes>> {
        let key = key.to_owned();
        self.0.read(move |db| {
            let mut select =
                db.prepare_cached("SELECT body FROM document WHERE account = ?1 AND key = ?2")?;
            let body = select.query_row(params![account.0, key], |row| row.get::<_, Vec<u8>>(0));
            Ok(body.optional()?.map(Bytes::from))
        })
    }

    fn save(
        &self,
        account: AccountId,
        key: &str,
        document: Bytes,
        quota: u64,
    ) -> Fut<'_, u64, SaveError> {
        let key = key.to_owned();
        self.0.write(move |db| {
            if key.len() > MAX_KEY {
                return Err(StoreError::Limit("length of a document's key").into());
            }
            db.prepare_cached(
                "INSERT INTO document (account, key, body) VALUES (?1, ?2, ?3)
                 ON CONFLICT (account, key) DO UPDATE SET body = ?3",
            )?
            .execute(params![account.0, key, document.as_ref()])?;
            let used = used(db, account)?;
            if used > quota { Err(SaveError::Quota) } else { Ok(used) }
        })
    }

    fn delete(&self, account: AccountId, key: &str) -> Fut<'_, bool> {
        let key = key.to_owned();
        self.0.write(move |db| {
            let mut delete =
                db.prepare_cached("DELETE FROM document WHERE account = ?1 AND key = ?2")?;
            Ok(delete.execute(params![account.0, key])? > 0)
        })
    }

    fn keys(&self, account: AccountId, prefix: &str) -> Fut<'_, Vec<(Box<str>, u64)>> {
        let prefix = prefix.to_owned();
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT key, length(body) FROM document
                 WHERE account = ?1 AND key >= ?2 AND substr(key, 1, length(?2)) = ?2 ORDER BY key",
            )?;
            let rows = select
                .query_map(params![account.0, prefix], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn used(db: &Connection, account: AccountId) -> rusqlite::Result<u64> {
    db.prepare_cached(
        "SELECT ifnull(sum(length(CAST(key AS BLOB)) + length(body)), 0) FROM document
         WHERE account = ?1",
    )?
    .query_row([account.0], |row| row.get(0))
}
