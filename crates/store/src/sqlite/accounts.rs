//! Accounts in SQLite.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::archive;
use super::engine::{Engine, failure};
use super::invites::end_resets;
use super::queue::{Fold, Job};
use crate::accounts::{Account, Accounts, Change, CreateError, Credential, NewAccount};
use crate::invites::{Kind, TokenHash};
use crate::{AccountId, Fut, Millis, SecretBytes, StoreError};

failure!(CreateError);

pub(super) struct Sqlite(pub(super) Arc<Engine>);

const SELECT_BY_NAME: &str = "SELECT id, name, admin, disabled, created_at, last_login, invited_by
     FROM account WHERE name = ?1 AND id > 0";
const SELECT_BY_ID: &str = "SELECT id, name, admin, disabled, created_at, last_login, invited_by
     FROM account WHERE id = ?1";
const SELECT_PAGE: &str = "SELECT id, name, admin, disabled, created_at, last_login, invited_by
     FROM account WHERE name > ?1 AND id > 0 ORDER BY name LIMIT ?2";
const SELECT_ADMINS: &str = "SELECT id, name, admin, disabled, created_at, last_login, invited_by
     FROM account WHERE admin = 1 AND disabled = 0 AND id > 0 ORDER BY name LIMIT 1000";

impl Accounts for Sqlite {
    fn create(&self, account: NewAccount) -> Fut<'_, AccountId, CreateError> {
        self.0.write(move |db| create(db, &account))
    }

    fn by_name(&self, name: &str) -> Fut<'_, Option<Account>> {
        let name = name.to_owned();
        self.0.read(move |db| Ok(one(db, SELECT_BY_NAME, name)?))
    }

    fn login(&self, name: &str) -> Fut<'_, Option<(Account, Vec<Credential>)>> {
        let name = name.to_owned();
        self.0.read(move |db| {
            let account = one(db, SELECT_BY_NAME, name)?;
            let keys = select_credentials(db, account.as_ref().map(|account| account.id))?;
            Ok(account.map(|account| (account, keys)))
        })
    }

    fn by_id(&self, id: AccountId) -> Fut<'_, Option<Account>> {
        self.0.read(move |db| Ok(one(db, SELECT_BY_ID, id.0)?))
    }

    fn credentials(&self, id: AccountId) -> Fut<'_, Vec<Credential>> {
        self.0.read(move |db| Ok(select_credentials(db, Some(id))?))
    }

    fn list(&self, after: Option<&str>, limit: u32) -> Fut<'_, Vec<Account>> {
        let after = after.unwrap_or_default().to_owned();
        self.0.read(move |db| {
            let mut select = db.prepare_cached(SELECT_PAGE)?;
            let rows = select.query_map(params![after, limit], parse)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn admins(&self) -> Fut<'_, Vec<Account>> {
        self.0.read(|db| {
            let mut select = db.prepare_cached(SELECT_ADMINS)?;
            let rows = select.query_map([], parse)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn count(&self) -> Fut<'_, u64> {
        self.0.read(|db| {
            let mut select = db.prepare_cached("SELECT count(*) FROM account WHERE id > 0")?;
            Ok(select.query_row([], |row| row.get(0))?)
        })
    }

    fn lacking(&self, hash: u8) -> Fut<'_, u64> {
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT count(*) FROM account AS a WHERE a.disabled = 0
                 AND EXISTS (SELECT 1 FROM credential AS c WHERE c.account = a.id)
                 AND NOT EXISTS (SELECT 1 FROM credential AS c WHERE c.account = a.id AND c.hash = ?1)",
            )?;
            Ok(select.query_row([hash], |row| row.get(0))?)
        })
    }

    fn set_credentials(&self, id: AccountId, credentials: Vec<Credential>) -> Fut<'_, bool> {
        self.0.write(move |db| {
            if !exists(db, id)? {
                return Ok(false);
            }
            replace_credentials(db, id, &credentials)?;
            Ok(true)
        })
    }

    fn add_credentials(&self, id: AccountId, credentials: Vec<Credential>) -> Fut<'_, u64> {
        self.0.write(move |db| {
            if !exists(db, id)? {
                return Ok(0);
            }
            let mut insert =
                db.prepare_cached(&format!("{INSERT_CREDENTIAL} ON CONFLICT DO NOTHING"))?;
            let mut added = 0;
            for one in &credentials {
                added += insert.execute(params![
                    id.0,
                    one.hash,
                    one.iterations,
                    one.salt,
                    one.stored_key.0,
                    one.server_key.0
                ])? as u64;
            }
            Ok(added)
        })
    }

    fn change(&self, id: AccountId, change: Change) -> Fut<'_, bool> {
        self.0.write(move |db| {
            let changed = match change {
                Change::Disabled(disabled) => db
                    .prepare_cached("UPDATE account SET disabled = ?2 WHERE id = ?1")?
                    .execute(params![id.0, disabled]),
                Change::Admin(admin) => db
                    .prepare_cached("UPDATE account SET admin = ?2 WHERE id = ?1")?
                    .execute(params![id.0, admin]),
                Change::LastLogin(at) => db
                    .prepare_cached("UPDATE account SET last_login = ?2 WHERE id = ?1")?
                    .execute(params![id.0, at]),
            };
            Ok(changed? > 0)
        })
    }

    fn delete(&self, id: AccountId, reserved_until: Millis) -> Fut<'_, bool> {
        let fold = Fold::Account(id);
        let deleted = self.0.write_folded(fold, move |db| delete(db, id, reserved_until));
        Box::pin(async move {
            if !deleted.await? {
                return Ok(false);
            }
            archive::remove_all(&self.0, id, archive::Rows::All).await?;
            self.0.submit::<bool, StoreError>(Job::Scrub).await?;
            Ok(true)
        })
    }

    fn expire_reservations(&self, now: Millis) -> Fut<'_, u64> {
        self.0.write(move |db| {
            let gone = db
                .prepare_cached("DELETE FROM reserved_name WHERE reserved_until <= ?1")?
                .execute([now])?;
            Ok::<_, StoreError>(gone as u64)
        })
    }
}

fn parse(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: AccountId(row.get(0)?),
        name: row.get(1)?,
        admin: row.get(2)?,
        disabled: row.get(3)?,
        created_at: row.get(4)?,
        last_login: row.get(5)?,
        invited_by: row.get::<_, Option<i64>>(6)?.map(AccountId),
    })
}

fn one(
    db: &Connection,
    sql: &'static str,
    key: impl rusqlite::ToSql,
) -> rusqlite::Result<Option<Account>> {
    db.prepare_cached(sql)?.query_row([key], parse).optional()
}

fn exists(db: &Connection, id: AccountId) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM account WHERE id = ?1")?.exists([id.0])
}

fn create(db: &Connection, account: &NewAccount) -> Result<AccountId, CreateError> {
    let name = &account.name;
    if db.prepare_cached("SELECT 1 FROM account WHERE name = ?1")?.exists([name])? {
        return Err(CreateError::Exists);
    }
    let mut select =
        db.prepare_cached("SELECT reserved_until FROM reserved_name WHERE name = ?1")?;
    let until: Option<Millis> = select.query_row([name], |row| row.get(0)).optional()?;
    if let Some(until) = until
        && account.created_at < until
        && !account.ignore_reservation
    {
        return Err(CreateError::Reserved { until });
    }
    db.prepare_cached("DELETE FROM reserved_name WHERE name = ?1")?.execute([name])?;
    let invited_by = account.invited_by.map(|id| id.0);
    let mut insert = db.prepare_cached(
        "INSERT INTO account (name, admin, created_at, invited_by) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let id =
        AccountId(insert.insert(params![name, account.admin, account.created_at, invited_by])?);
    insert_credentials(db, id, &account.credentials)?;
    if let Some(hash) = account.invite {
        redeem(db, id, account, hash)?;
    }
    Ok(id)
}

/// Takes one use of the invitation and what it grants.
fn redeem(
    db: &Connection,
    id: AccountId,
    account: &NewAccount,
    hash: TokenHash,
) -> Result<(), CreateError> {
    let used = super::invites::take(db, hash, account.created_at, Some(id))?;
    let invite = used.filter(|invite| invite.invite.kind == Kind::Account);
    let invite = invite.ok_or(CreateError::Invite)?;
    db.prepare_cached(
        "UPDATE account SET invited_by = ifnull(invited_by, ?2), admin = max(admin, ?3)
         WHERE id = ?1",
    )?
    .execute(params![id.0, invite.invite.created_by.map(|id| id.0), invite.invite.admin])?;
    Ok(())
}

/// The keys of an account, or those of some other one: they are not for use, they take their time.
fn select_credentials(db: &Connection, id: Option<AccountId>) -> rusqlite::Result<Vec<Credential>> {
    let mut select = db.prepare_cached(
        "SELECT hash, iterations, salt, stored_key, server_key FROM credential
         WHERE account = ifnull(?1, (SELECT min(account) FROM credential)) ORDER BY hash",
    )?;
    let rows = select.query_map([id.map(|id| id.0)], |row| {
        Ok(Credential {
            hash: row.get(0)?,
            iterations: row.get(1)?,
            salt: row.get(2)?,
            stored_key: SecretBytes(row.get(3)?),
            server_key: SecretBytes(row.get(4)?),
        })
    })?;
    rows.collect()
}

/// Replaces all keys, and ends the other ways in.
pub(super) fn replace_credentials(
    db: &Connection,
    id: AccountId,
    all: &[Credential],
) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM credential WHERE account = ?1")?.execute([id.0])?;
    insert_credentials(db, id, all)?;
    db.prepare_cached("DELETE FROM token WHERE account = ?1")?.execute([id.0])?;
    end_resets(db, id)
}

fn insert_credentials(db: &Connection, id: AccountId, all: &[Credential]) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(INSERT_CREDENTIAL)?;
    for one in all {
        let Credential { hash, iterations, salt, stored_key, server_key } = one;
        insert.execute(params![id.0, hash, iterations, salt, stored_key.0, server_key.0])?;
    }
    Ok(())
}

const INSERT_CREDENTIAL: &str =
    "INSERT INTO credential (account, hash, iterations, salt, stored_key, server_key)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

fn delete(db: &Connection, id: AccountId, until: Millis) -> Result<bool, StoreError> {
    let reserve = "INSERT OR REPLACE INTO reserved_name (name, reserved_until)
                   SELECT name, ?2 FROM account WHERE id = ?1";
    if db.prepare_cached(reserve)?.execute(params![id.0, until])? == 0 {
        return Ok(false);
    }
    db.prepare_cached("INSERT OR IGNORE INTO purge (account) VALUES (?1)")?.execute([id.0])?;
    db.prepare_cached("DELETE FROM account WHERE id = ?1")?.execute([id.0])?;
    Ok(true)
}
