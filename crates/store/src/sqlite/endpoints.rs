//! Addresses of applications in SQLite.

use std::sync::Arc;

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::engine::Engine;
use super::values::unsigned;
use crate::endpoints::{Endpoint, EndpointId, Endpoints, Message, MessageId, Most, Waiting, Word};
use crate::{AccountId, Fut, Millis};

pub(super) struct Sqlite(pub(super) Arc<Engine>);

impl Endpoints for Sqlite {
    fn register(&self, endpoint: Endpoint, now: Millis, limit: u64) -> Fut<'_, EndpointId> {
        self.0.write(move |db| Ok(register(db, &endpoint, now, limit)?))
    }

    fn load(&self, id: EndpointId) -> Fut<'_, Option<Endpoint>> {
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT id, account, application, instance, resource, expires_at
                 FROM endpoint WHERE id = ?1",
            )?;
            Ok(select.query_row([id], parse).optional()?)
        })
    }

    fn list(&self, account: AccountId) -> Fut<'_, Vec<Endpoint>> {
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT id, account, application, instance, resource, expires_at
                 FROM endpoint WHERE account = ?1 ORDER BY id",
            )?;
            let rows = select.query_map([account.0], parse)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn keep(&self, message: Message, now: Millis, most: Most) -> Fut<'_, bool> {
        self.0.write(move |db| Ok(keep(db, &message, now, most)?))
    }

    fn waiting(
        &self,
        account: AccountId,
        resource: &str,
        after: u64,
        now: Millis,
        limit: u32,
    ) -> Fut<'_, Vec<Waiting>> {
        let resource = resource.to_owned();
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT message.number, message.id, application, instance, payload
                 FROM endpoint_message AS message JOIN endpoint ON endpoint.id = message.endpoint
                 WHERE account = ?1 AND resource = ?2 AND message.number > ?3
                       AND message.expires_at > ?4 AND endpoint.expires_at > ?4
                 ORDER BY message.number LIMIT ?5",
            )?;
            let rows = select.query_map(
                params![account.0, resource, signed(after), now, limit],
                parse_waiting,
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn answered(
        &self,
        account: AccountId,
        resource: &str,
        id: MessageId,
        word: Word,
    ) -> Fut<'_, bool> {
        let resource = resource.to_owned();
        self.0.write(move |db| {
            let mut select = db.prepare_cached(
                "SELECT endpoint.id
                 FROM endpoint_message AS message JOIN endpoint ON endpoint.id = message.endpoint
                 WHERE message.id = ?1 AND account = ?2 AND resource = ?3",
            )?;
            let found: Option<EndpointId> =
                select.query_row(params![id, account.0, resource], |row| row.get(0)).optional()?;
            let Some(endpoint) = found else { return Ok(false) };
            match word {
                Word::Taken => db
                    .prepare_cached("DELETE FROM endpoint_message WHERE id = ?1")?
                    .execute([id])?,
                Word::Unknown => {
                    db.prepare_cached("DELETE FROM endpoint WHERE id = ?1")?.execute([endpoint])?
                }
            };
            Ok(true)
        })
    }

    fn expire(&self, now: Millis) -> Fut<'_, u64> {
        self.0.write(move |db| {
            let messages = db
                .prepare_cached("DELETE FROM endpoint_message WHERE expires_at <= ?1")?
                .execute([now])?;
            let endpoints =
                db.prepare_cached("DELETE FROM endpoint WHERE expires_at <= ?1")?.execute([now])?;
            Ok((messages + endpoints) as u64)
        })
    }
}

fn register(
    db: &Connection,
    endpoint: &Endpoint,
    now: Millis,
    limit: u64,
) -> rusqlite::Result<EndpointId> {
    let Endpoint { id, account, application, instance, resource, expires } = endpoint;
    let renewed = db
        .prepare_cached(
            "UPDATE endpoint SET resource = ?4, expires_at = ?5
             WHERE account = ?1 AND application = ?2 AND instance = ?3 AND expires_at > ?6
             RETURNING id",
        )?
        .query_row(params![account.0, application, instance, resource, expires, now], |row| {
            row.get(0)
        })
        .optional()?;
    if let Some(id) = renewed {
        return Ok(id);
    }
    // Whoever posted there was told that it has ended, and does not come back to the same address.
    db.prepare_cached(
        "DELETE FROM endpoint WHERE account = ?1 AND application = ?2 AND instance = ?3",
    )?
    .execute(params![account.0, application, instance])?;
    db.prepare_cached(
        "DELETE FROM endpoint WHERE id IN (
             SELECT id FROM endpoint WHERE account = ?1
             ORDER BY expires_at DESC, id LIMIT -1 OFFSET ?2)",
    )?
    .execute(params![account.0, signed(limit.saturating_sub(1))])?;
    db.prepare_cached(
        "INSERT INTO endpoint (id, account, application, instance, resource, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![id, account.0, application, instance, resource, expires])?;
    Ok(*id)
}

fn keep(db: &Connection, message: &Message, now: Millis, most: Most) -> rusqlite::Result<bool> {
    let Message { id, endpoint, topic, expires, payload } = message;
    let account: Option<i64> = db
        .prepare_cached("SELECT account FROM endpoint WHERE id = ?1 AND expires_at > ?2")?
        .query_row(params![endpoint, now], |row| row.get(0))
        .optional()?;
    let Some(account) = account else { return Ok(false) };
    db.prepare_cached(
        "DELETE FROM endpoint_message WHERE endpoint = ?1 AND (expires_at <= ?2 OR topic = ?3)",
    )?
    .execute(params![endpoint, now, topic])?;
    db.prepare_cached(
        "INSERT INTO endpoint_message (id, endpoint, topic, expires_at, payload)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![id, endpoint, topic, expires, &payload[..]])?;
    db.prepare_cached(
        "DELETE FROM endpoint_message WHERE number IN (
             SELECT number FROM endpoint_message WHERE endpoint = ?1
             ORDER BY number DESC LIMIT -1 OFFSET ?2)",
    )?
    .execute(params![endpoint, signed(most.of_endpoint)])?;
    db.prepare_cached(
        "DELETE FROM endpoint_message WHERE number IN (
             SELECT number FROM endpoint_message AS message
             JOIN endpoint ON endpoint.id = message.endpoint
             WHERE account = ?1 ORDER BY number DESC LIMIT -1 OFFSET ?2)",
    )?
    .execute(params![account, signed(most.of_account)])?;
    Ok(true)
}

fn parse(row: &Row<'_>) -> rusqlite::Result<Endpoint> {
    Ok(Endpoint {
        id: row.get(0)?,
        account: AccountId(row.get(1)?),
        application: row.get(2)?,
        instance: row.get(3)?,
        resource: row.get(4)?,
        expires: row.get(5)?,
    })
}

fn parse_waiting(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    Ok(Waiting {
        number: unsigned(row.get(0)?),
        id: row.get(1)?,
        application: row.get(2)?,
        instance: row.get(3)?,
        payload: row.get::<_, Vec<u8>>(4)?.into(),
    })
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl ToSql for EndpointId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(&self.0[..]))
    }
}

impl FromSql for EndpointId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(EndpointId)
    }
}

impl ToSql for MessageId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(&self.0[..]))
    }
}

impl FromSql for MessageId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(MessageId)
    }
}
