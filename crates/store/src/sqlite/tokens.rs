//! Login tokens in SQLite.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::engine::Engine;
use super::values::unsigned;
use crate::tokens::{MAX_DEVICES, Slot, Token, Tokens};
use crate::{AccountId, Fut, Millis, SecretBytes};

pub(super) struct Sqlite(pub(super) Arc<Engine>);

impl Tokens for Sqlite {
    fn load(&self, account: AccountId, client: &str) -> Fut<'_, Vec<Token>> {
        let client = client.to_owned();
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT account, client, slot, mechanism, key, description, created_at, expires_at,
                        last_used, counter
                 FROM token WHERE account = ?1 AND client = ?2 ORDER BY slot",
            )?;
            let rows = select.query_map(params![account.0, client], parse)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn save(&self, token: Token) -> Fut<'_, ()> {
        self.0.write(move |db| {
            db.prepare_cached(
                "INSERT OR REPLACE INTO token (account, client, slot, mechanism, key, description,
                        created_at, expires_at, last_used, counter)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                token.account.0,
                token.client,
                number(token.slot),
                token.mechanism,
                token.key.0,
                token.description,
                token.created_at,
                token.expires_at,
                token.last_used,
                counter(token.counter)
            ])?;
            Ok(make_room(db, &token)?)
        })
    }

    fn used(
        &self,
        account: AccountId,
        client: &str,
        slot: Slot,
        at: Millis,
        count: Option<u64>,
    ) -> Fut<'_, bool> {
        let client = client.to_owned();
        self.0.write(move |db| {
            let mut select = db.prepare_cached(
                "SELECT counter FROM token WHERE account = ?1 AND client = ?2 AND slot = ?3",
            )?;
            let last = select
                .query_row(params![account.0, client, number(slot)], |row| row.get::<_, i64>(0))
                .optional()?;
            let Some(last) = last else { return Ok(false) };
            let next = count.map_or(last, counter);
            if count.is_some() && next <= last {
                return Ok(false);
            }
            if slot == Slot::New {
                let replaced = params![account.0, client, number(Slot::Current)];
                db.prepare_cached(
                    "DELETE FROM token WHERE account = ?1 AND client = ?2 AND slot = ?3",
                )?
                .execute(replaced)?;
            }
            db.prepare_cached(
                "UPDATE token SET slot = ?4, last_used = ?5, counter = ?6
                 WHERE account = ?1 AND client = ?2 AND slot = ?3",
            )?
            .execute(params![
                account.0,
                client,
                number(slot),
                number(Slot::Current),
                at,
                next
            ])?;
            Ok(true)
        })
    }

    fn list(&self, account: Option<AccountId>, limit: u32) -> Fut<'_, Vec<Token>> {
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT account, client, slot, mechanism, key, description, created_at, expires_at,
                        last_used, counter
                 FROM token WHERE account >= ?1 AND account <= ?2
                 ORDER BY account, client, slot LIMIT ?3",
            )?;
            let (first, last) =
                account.map_or((i64::MIN, i64::MAX), |account| (account.0, account.0));
            let rows = select.query_map(params![first, last, limit], parse)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn revoke(&self, account: AccountId, client: Option<&str>) -> Fut<'_, u64> {
        let client = client.map(str::to_owned);
        self.0.write(move |db| {
            let mut delete = db.prepare_cached(
                "DELETE FROM token WHERE account = ?1 AND (?2 IS NULL OR client = ?2)",
            )?;
            Ok(delete.execute(params![account.0, client])? as u64)
        })
    }

    fn expire(&self, now: Millis) -> Fut<'_, u64> {
        self.0.write(move |db| {
            let mut delete = db.prepare_cached("DELETE FROM token WHERE expires_at < ?1")?;
            Ok(delete.execute([now])? as u64)
        })
    }
}

fn number(slot: Slot) -> i64 {
    match slot {
        Slot::Current => 0,
        Slot::New => 1,
    }
}

fn counter(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn parse(row: &Row<'_>) -> rusqlite::Result<Token> {
    Ok(Token {
        account: AccountId(row.get(0)?),
        client: row.get(1)?,
        slot: if row.get::<_, i64>(2)? == 0 { Slot::Current } else { Slot::New },
        mechanism: row.get(3)?,
        key: SecretBytes(row.get(4)?),
        description: row.get(5)?,
        created_at: row.get(6)?,
        expires_at: row.get(7)?,
        last_used: row.get(8)?,
        counter: unsigned(row.get(9)?),
    })
}

/// Devices beyond the limit lose their tokens, those unused for longest first, never the one just
/// served.
fn make_room(db: &Connection, token: &Token) -> rusqlite::Result<()> {
    db.prepare_cached(
        "DELETE FROM token WHERE account = ?1 AND client IN (
             SELECT client FROM token WHERE account = ?1 AND client <> ?2 GROUP BY client
             ORDER BY max(ifnull(last_used, created_at)) DESC LIMIT -1 OFFSET ?3)",
    )?
    .execute(params![token.account.0, token.client, MAX_DEVICES - 1])?;
    Ok(())
}
