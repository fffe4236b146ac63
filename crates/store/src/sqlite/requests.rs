//! Requests for an account in SQLite.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Row, params};

use super::engine::Engine;
use crate::requests::{MAX_OPEN, NewRequest, Request, RequestId, Requests, State};
use crate::{Fut, Millis, StoreError};

pub(super) struct Sqlite(pub(super) Arc<Engine>);

impl Requests for Sqlite {
    fn create(&self, request: NewRequest) -> Fut<'_, RequestId> {
        self.0.write(move |db| {
            let mut count = db.prepare_cached("SELECT count(*) FROM request WHERE state = ?1")?;
            let open: usize = count.query_row([number(State::Open)], |row| row.get(0))?;
            if open >= MAX_OPEN {
                return Err(StoreError::Limit("requests for an account"));
            }
            let NewRequest { name, contact, text, at } = &request;
            let mut insert = db.prepare_cached(
                "INSERT INTO request (name, contact, text, at) VALUES (?1, ?2, ?3, ?4)",
            )?;
            Ok(RequestId(insert.insert(params![name, contact, text, at])?))
        })
    }

    fn list(
        &self,
        state: Option<State>,
        after: Option<RequestId>,
        limit: u32,
    ) -> Fut<'_, Vec<Request>> {
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT id, name, contact, text, at, state, decided_at FROM request
                 WHERE id > ?1 AND (?2 IS NULL OR state = ?2) ORDER BY id LIMIT ?3",
            )?;
            let after = after.map_or(i64::MIN, |id| id.0);
            let rows = select.query_map(params![after, state.map(number), limit], parse)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn decide(&self, id: RequestId, state: State, at: Millis) -> Fut<'_, Option<Request>> {
        self.0.write(move |db| {
            let mut update = db.prepare_cached(
                "UPDATE request SET state = ?2, decided_at = ?3 WHERE id = ?1 AND state = ?4
                 RETURNING id, name, contact, text, at, state, decided_at",
            )?;
            let decided = params![id.0, number(state), at, number(State::Open)];
            Ok(update.query_row(decided, parse).optional()?)
        })
    }

    fn expire(&self, before: Millis) -> Fut<'_, u64> {
        self.0.write(move |db| {
            let mut delete = db.prepare_cached("DELETE FROM request WHERE at < ?1")?;
            Ok(delete.execute([before])? as u64)
        })
    }
}

fn number(state: State) -> i64 {
    match state {
        State::Open => 0,
        State::Approved => 1,
        State::Declined => 2,
    }
}

fn parse(row: &Row<'_>) -> rusqlite::Result<Request> {
    Ok(Request {
        id: RequestId(row.get(0)?),
        request: NewRequest {
            name: row.get(1)?,
            contact: row.get(2)?,
            text: row.get(3)?,
            at: row.get(4)?,
        },
        state: match row.get(5)? {
            1 => State::Approved,
            2 => State::Declined,
            _ => State::Open,
        },
        decided_at: row.get(6)?,
    })
}
