//! Invitations in SQLite.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::accounts::replace_credentials;
use super::engine::{Engine, failure};
use crate::accounts::Credential;
use crate::invites::{Invite, InviteId, Invites, Kind, NewInvite, TokenHash, UseError};
use crate::{AccountId, Fut, Millis, StoreError};

failure!(UseError);

pub(super) struct Sqlite(pub(super) Arc<Engine>);

impl Invites for Sqlite {
    fn create(&self, invite: NewInvite) -> Fut<'_, InviteId> {
        self.0.write(move |db| {
            let mut insert = db.prepare_cached(
                "INSERT INTO invite (hash, kind, created_by, created_at, name, subject, expires_at,
                        uses, note, admin)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?;
            let id = insert.insert(params![
                invite.hash.0,
                number(invite.kind),
                invite.created_by.map(|id| id.0),
                invite.created_at,
                invite.name,
                invite.subject.map(|id| id.0),
                invite.expires_at,
                invite.uses,
                invite.note,
                invite.admin
            ])?;
            Ok(InviteId(id))
        })
    }

    fn by_hash(&self, hash: TokenHash) -> Fut<'_, Option<Invite>> {
        self.0.read_snapshot(move |db| Ok(by_hash(db, hash)?))
    }

    fn list(
        &self,
        created_by: Option<AccountId>,
        before: Option<InviteId>,
        limit: u32,
    ) -> Fut<'_, Vec<Invite>> {
        self.0.read_snapshot(move |db| {
            let mut select = db.prepare_cached(
                "SELECT id, hash, kind, created_by, created_at, name, subject, expires_at, uses,
                        note, revoked, admin
                 FROM invite WHERE id < ?1 AND (?2 IS NULL OR created_by = ?2)
                 ORDER BY id DESC LIMIT ?3",
            )?;
            let before = before.map_or(i64::MAX, |id| id.0);
            let by = created_by.map(|id| id.0);
            let rows = select.query_map(params![before, by, limit], parse)?;
            let mut invites: Vec<Invite> = rows.collect::<Result<_, _>>()?;
            for invite in &mut invites {
                invite.used_by = uses(db, invite.id)?;
            }
            Ok(invites)
        })
    }

    fn consume(
        &self,
        hash: TokenHash,
        now: Millis,
        by: Option<AccountId>,
    ) -> Fut<'_, Invite, UseError> {
        self.0.write(move |db| take(db, hash, now, by)?.ok_or(UseError::Invalid))
    }

    fn reset(
        &self,
        hash: TokenHash,
        now: Millis,
        credentials: Vec<Credential>,
    ) -> Fut<'_, AccountId, UseError> {
        self.0.write(move |db| {
            let found = by_hash(db, hash)?.filter(|found| found.invite.kind == Kind::Reset);
            let account = found.and_then(|found| found.invite.subject).ok_or(UseError::Invalid)?;
            take(db, hash, now, Some(account))?.ok_or(UseError::Invalid)?;
            replace_credentials(db, account, &credentials)?;
            Ok(account)
        })
    }

    fn revoke(&self, id: InviteId) -> Fut<'_, bool> {
        self.0.write(move |db| {
            let mut update = db.prepare_cached("UPDATE invite SET revoked = 1 WHERE id = ?1")?;
            Ok(update.execute([id.0])? > 0)
        })
    }

    fn expire(&self, before: Millis) -> Fut<'_, u64> {
        self.0.write(move |db| {
            let mut delete = db.prepare_cached("DELETE FROM invite WHERE expires_at < ?1")?;
            Ok(delete.execute([before])? as u64)
        })
    }
}

/// Takes one use; `None` when it cannot be used.
pub(super) fn take(
    db: &Connection,
    hash: TokenHash,
    now: Millis,
    by: Option<AccountId>,
) -> Result<Option<Invite>, StoreError> {
    let Some(invite) = by_hash(db, hash)?.filter(|invite| invite.is_valid(now)) else {
        return Ok(None);
    };
    db.prepare_cached("UPDATE invite SET uses = uses - 1 WHERE id = ?1")?.execute([invite.id.0])?;
    db.prepare_cached("INSERT INTO invite_use (invite, account, at) VALUES (?1, ?2, ?3)")?
        .execute(params![invite.id.0, by.map(|id| id.0), now])?;
    Ok(by_hash(db, hash)?)
}

/// Links with which somebody could set the password of an account are good for nothing any more.
pub(super) fn end_resets(db: &Connection, account: AccountId) -> rusqlite::Result<()> {
    let sql = "UPDATE invite SET revoked = 1 WHERE subject = ?1 AND kind = ?2 AND uses > 0";
    db.prepare_cached(sql)?.execute(params![account.0, number(Kind::Reset)])?;
    Ok(())
}

fn by_hash(db: &Connection, hash: TokenHash) -> rusqlite::Result<Option<Invite>> {
    let mut select = db.prepare_cached(
        "SELECT id, hash, kind, created_by, created_at, name, subject, expires_at, uses, note,
                revoked, admin
         FROM invite WHERE hash = ?1",
    )?;
    let Some(mut invite) = select.query_row([hash.0], parse).optional()? else { return Ok(None) };
    invite.used_by = uses(db, invite.id)?;
    Ok(Some(invite))
}

fn uses(db: &Connection, id: InviteId) -> rusqlite::Result<Vec<(Option<AccountId>, Millis)>> {
    let mut select =
        db.prepare_cached("SELECT account, at FROM invite_use WHERE invite = ?1 ORDER BY rowid")?;
    let rows = select
        .query_map([id.0], |row| Ok((row.get::<_, Option<i64>>(0)?.map(AccountId), row.get(1)?)))?;
    rows.collect()
}

fn parse(row: &Row<'_>) -> rusqlite::Result<Invite> {
    Ok(Invite {
        id: InviteId(row.get(0)?),
        invite: NewInvite {
            hash: TokenHash(row.get(1)?),
            kind: match row.get(2)? {
                1 => Kind::Contact,
                2 => Kind::Reset,
                _ => Kind::Account,
            },
            created_by: row.get::<_, Option<i64>>(3)?.map(AccountId),
            created_at: row.get(4)?,
            name: row.get(5)?,
            subject: row.get::<_, Option<i64>>(6)?.map(AccountId),
            expires_at: row.get(7)?,
            uses: row.get(8)?,
            admin: row.get(11)?,
            note: row.get(9)?,
        },
        revoked: row.get(10)?,
        used_by: Vec::new(),
    })
}

fn number(kind: Kind) -> i64 {
    match kind {
        Kind::Account => 0,
        Kind::Contact => 1,
        Kind::Reset => 2,
    }
}
