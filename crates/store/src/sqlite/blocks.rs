//! Block lists in SQLite.

use std::sync::Arc;

use rusqlite::params;

use super::engine::Engine;
use crate::blocks::{Blocks, Change, MAX_BLOCKS};
use crate::{AccountId, Fut, StoreError};

pub(super) struct Sqlite(pub(super) Arc<Engine>);

impl Blocks for Sqlite {
    fn load(&self, account: AccountId) -> Fut<'_, Vec<Box<str>>> {
        self.0.read(move |db| {
            let mut select =
                db.prepare_cached("SELECT jid FROM block WHERE account = ?1 ORDER BY jid")?;
            let rows = select.query_map([account.0], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn apply(&self, account: AccountId, change: Change) -> Fut<'_, ()> {
        self.0.write(move |db| {
            let (sql, jids) = match &change {
                Change::Block(jids) => {
                    ("INSERT OR IGNORE INTO block (account, jid) VALUES (?1, ?2)", jids)
                }
                Change::Unblock(jids) => {
                    ("DELETE FROM block WHERE account = ?1 AND jid = ?2", jids)
                }
                Change::UnblockAll => {
                    db.prepare_cached("DELETE FROM block WHERE account = ?1")?
                        .execute([account.0])?;
                    return Ok(());
                }
            };
            let mut statement = db.prepare_cached(sql)?;
            for jid in jids {
                statement.execute(params![account.0, jid])?;
            }
            let mut count = db.prepare_cached("SELECT count(*) FROM block WHERE account = ?1")?;
            let count: usize = count.query_row([account.0], |row| row.get(0))?;
            match count > MAX_BLOCKS {
                true => Err(StoreError::Limit("blocked addresses of one account")),
                false => Ok(()),
            }
        })
    }
}
