//! Sessions at rest in SQLite.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::params;

use super::engine::Engine;
use crate::sessions::{Hibernated, Sessions};
use crate::{AccountId, Fut, Millis, StoreError};

pub(super) struct Sqlite(pub(super) Arc<Engine>);

/// Sessions saved in one transaction.
const AT_ONCE: usize = 64;

impl Sessions for Sqlite {
    fn save(&self, sessions: Vec<Hibernated>) -> Fut<'_, ()> {
        let mut rest = sessions.into_iter();
        let mut next = move || {
            let some: Vec<Hibernated> = rest.by_ref().take(AT_ONCE).collect();
            (!some.is_empty()).then_some(some)
        };
        let first = next().map(|some| self.save_some(some));
        Box::pin(async move {
            if let Some(first) = first {
                first.await?;
            }
            while let Some(some) = next() {
                self.save_some(some).await?;
            }
            Ok(())
        })
    }

    fn take_all(&self, now: Millis) -> Fut<'_, Vec<Hibernated>> {
        self.0.write(move |db| {
            let mut select = db.prepare_cached(
                "DELETE FROM session RETURNING id, account, expires_at, snapshot",
            )?;
            let rows = select.query_map([], |row| {
                Ok(Hibernated {
                    id: row.get(0)?,
                    account: AccountId(row.get(1)?),
                    expires_at: row.get(2)?,
                    snapshot: Bytes::from(row.get::<_, Vec<u8>>(3)?),
                })
            })?;
            let mut sessions: Vec<Hibernated> = rows.collect::<Result<_, _>>()?;
            sessions.retain(|session| now < session.expires_at);
            sessions.sort_unstable_by(|one, other| one.id.cmp(&other.id));
            Ok(sessions)
        })
    }
}

impl Sqlite {
    fn save_some(&self, sessions: Vec<Hibernated>) -> Fut<'static, ()> {
        self.0.write(move |db| {
            let mut insert = db.prepare_cached(
                "INSERT OR REPLACE INTO session (id, account, expires_at, snapshot)
                 SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM account WHERE id = ?2)",
            )?;
            for session in &sessions {
                let Hibernated { id, account, expires_at, snapshot } = session;
                insert.execute(params![id, account.0, expires_at, snapshot.as_ref()])?;
            }
            Ok::<_, StoreError>(())
        })
    }
}
