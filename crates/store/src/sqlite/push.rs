//! Push registrations in SQLite.

use std::sync::Arc;

use rusqlite::{Row, params};

use super::engine::Engine;
use crate::push::{Push, Registration};
use crate::{AccountId, Fut};

pub(super) struct Sqlite(pub(super) Arc<Engine>);

impl Push for Sqlite {
    fn save(&self, registration: Registration) -> Fut<'_, ()> {
        self.0.write(move |db| {
            let Registration { account, service, node, resource, enabled_at, details } =
                &registration;
            db.prepare_cached(
                "INSERT OR REPLACE INTO push (account, service, node, resource, enabled_at, details)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![account.0, service, node, resource, enabled_at, &details[..]])?;
            Ok(())
        })
    }

    fn update(&self, registration: Registration) -> Fut<'_, ()> {
        self.0.write(move |db| {
            let Registration { account, service, node, enabled_at, details, .. } = &registration;
            db.prepare_cached(
                "UPDATE push SET details = ?5
                 WHERE account = ?1 AND service = ?2 AND node = ?3 AND enabled_at = ?4",
            )?
            .execute(params![account.0, service, node, enabled_at, &details[..]])?;
            Ok(())
        })
    }

    fn delete(&self, account: AccountId, service: &str, node: Option<&str>) -> Fut<'_, u64> {
        let (service, node) = (service.to_owned(), node.map(str::to_owned));
        self.0.write(move |db| {
            let mut delete = db.prepare_cached(
                "DELETE FROM push
                 WHERE account = ?1 AND service = ?2 AND (?3 IS NULL OR node = ?3)",
            )?;
            Ok(delete.execute(params![account.0, service, node])? as u64)
        })
    }

    fn list(&self, account: Option<AccountId>) -> Fut<'_, Vec<Registration>> {
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT account, service, node, resource, enabled_at, details FROM push
                 WHERE account >= ?1 AND account <= ?2 ORDER BY account, service, node",
            )?;
            let (first, last) =
                account.map_or((i64::MIN, i64::MAX), |account| (account.0, account.0));
            let rows = select.query_map(params![first, last], parse)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn parse(row: &Row<'_>) -> rusqlite::Result<Registration> {
    Ok(Registration {
        account: AccountId(row.get(0)?),
        service: row.get(1)?,
        node: row.get(2)?,
        resource: row.get(3)?,
        enabled_at: row.get(4)?,
        details: row.get::<_, Vec<u8>>(5)?.into(),
    })
}
