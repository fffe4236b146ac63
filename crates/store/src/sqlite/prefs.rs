//! Archiving preferences in SQLite.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use super::engine::Engine;
use crate::prefs::{MAX_RULES, Policy, Preferences, Prefs};
use crate::{AccountId, Fut, StoreError};

pub(super) struct Sqlite(pub(super) Arc<Engine>);

impl Prefs for Sqlite {
    fn load(&self, account: AccountId) -> Fut<'_, Option<Preferences>> {
        self.0.read_snapshot(move |db| {
            let mut select =
                db.prepare_cached("SELECT policy FROM archive_policy WHERE account = ?1")?;
            let Some(policy) = select.query_row([account.0], |row| row.get(0)).optional()? else {
                return Ok(None);
            };
            let default = match policy {
                1 => Policy::Never,
                2 => Policy::Roster,
                _ => Policy::Always,
            };
            let mut preferences = Preferences { default, ..Preferences::default() };
            let mut select = db.prepare_cached(
                "SELECT always, jid FROM archive_rule WHERE account = ?1 ORDER BY place",
            )?;
            let mut rows = select.query([account.0])?;
            while let Some(row) = rows.next()? {
                let list = match row.get(0)? {
                    true => &mut preferences.always,
                    false => &mut preferences.never,
                };
                list.push(row.get(1)?);
            }
            Ok(Some(preferences))
        })
    }

    fn save(&self, account: AccountId, preferences: Preferences) -> Fut<'_, ()> {
        self.0.write(move |db| {
            let Preferences { default, always, never } = &preferences;
            if always.len() + never.len() > MAX_RULES {
                return Err(StoreError::Limit("archiving rules of one account"));
            }
            let policy = match default {
                Policy::Always => 0,
                Policy::Never => 1,
                Policy::Roster => 2,
            };
            db.prepare_cached(
                "INSERT OR REPLACE INTO archive_policy (account, policy) VALUES (?1, ?2)",
            )?
            .execute(params![account.0, policy])?;
            db.prepare_cached("DELETE FROM archive_rule WHERE account = ?1")?
                .execute([account.0])?;
            let mut insert = db.prepare_cached(
                "INSERT INTO archive_rule (account, place, always, jid) VALUES (?1, ?2, ?3, ?4)",
            )?;
            let always = always.iter().map(|jid| (true, jid));
            let rules = always.chain(never.iter().map(|jid| (false, jid)));
            for (place, (always, jid)) in rules.enumerate() {
                insert.execute(params![account.0, place, always, jid])?;
            }
            Ok(())
        })
    }
}
