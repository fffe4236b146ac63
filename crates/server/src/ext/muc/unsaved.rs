//! What of a room is to be written to the store, in one piece for everything that one stanza caused; and
//! what could not be written, which is tried again with whatever happens next.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use store::{Fut, StoreError};
use xmpp::{
    error::{Condition, StanzaError},
    jid::Jid,
    ns,
    stanza::{Kind, Stanza},
    xml::{Element, Limits},
};

use super::{
    affiliations::Change,
    room::wait,
    service::{Cell, State},
};
use crate::{server::Server, session::frame::Frame};

/// What is not on disk as it is in memory.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    /// What there is beside the lists.
    state: bool,
    /// Addresses on the lists.
    listed: BTreeSet<Box<str>>,
}

impl Unsaved {
    /// Whether everything is on disk.
    pub(super) fn is_empty(&self) -> bool {
        !self.state && self.listed.is_empty()
    }

    /// As if these entries could not be written.
    #[cfg(test)]
    pub(super) fn note<'a>(&mut self, listed: impl IntoIterator<Item = &'a str>) {
        self.listed.extend(listed.into_iter().map(Into::into));
    }

    fn add(&mut self, other: Self) {
        self.state |= other.state;
        self.listed.extend(other.listed);
    }
}

/// A room that is being written.
pub(super) struct Saving {
    written: Fut<'static, bool>,
    /// What is not on disk should it fail.
    lost: Unsaved,
}

/// Hands to the store what changed, the rest of the room's state when `whole`, and whatever could not be
/// written before. `None` when that is nothing. The room is locked: what is handed over last is what was
/// last.
pub(super) fn save(
    server: &Server,
    cell: &Cell,
    state: &mut State,
    changes: Vec<Change>,
    whole: bool,
) -> Option<Saving> {
    let before = std::mem::take(&mut state.unsaved);
    let whole = whole || before.state || !changes.is_empty() || !before.listed.is_empty();
    if !whole {
        return None;
    }
    let lists = &state.room.affiliations;
    let again = before.listed.into_iter().map(|jid| (lists.stored(&jid), jid));
    let mut all: BTreeMap<_, _> = again.map(|(entry, jid)| (jid, entry)).collect();
    all.extend(changes);
    let lost = Unsaved { state: true, listed: all.keys().cloned().collect() };
    let stored = Some(state.room.kept().stored());
    let written = server.store.rooms.save(cell.id, stored, all.into_iter().collect());
    Some(Saving { written, lost })
}

impl Saving {
    /// Waits for the disk. What is not there is remembered.
    ///
    /// # Errors
    /// When the store could not be written.
    pub(super) async fn done(self, server: &Server, cell: &Cell) -> Result<(), StoreError> {
        let outcome = self.written.await.and_then(|found| match found {
            true => Ok(()),
            false => Err(StoreError::Corrupt(format!("room {} is not in the store", cell.name))),
        });
        if let Err(error) = &outcome {
            server.store_failed("rooms", error);
            cell.lock().unsaved.add(self.lost);
        }
        outcome
    }
}

/// Writes what could not be written when it changed. Called now and then, and before the server ends.
pub async fn catch_up(server: &Server) {
    for cell in server.rooms.all() {
        let saving = {
            let mut state = cell.lock();
            match state.unsaved.is_empty() || state.gone {
                true => None,
                false => save(server, &cell, &mut state, Vec::new(), false),
            }
        };
        if let Some(saving) = saving {
            // It is noted, and tried again.
            let _ = saving.done(server, &cell).await;
        }
    }
}

/// Whether what a stanza asks for is to be stored. Somebody can be thrown out at any time.
pub(super) fn lasts(stanza: &Stanza, to: &Jid) -> bool {
    match stanza.kind() {
        Kind::Message => true,
        Kind::Iq => {
            let set = to.resource().is_none() && stanza.type_().as_deref() == Some("set");
            let roles = stanza.child("query", ns::MUC_ADMIN).map(|query| query.element());
            let roles = roles.is_some_and(|query| {
                query.children().all(|item| item.attr("affiliation").is_none())
            });
            set && !roles
        }
        Kind::Presence | Kind::Other => false,
    }
}

/// What is told whose stanza lasts while nothing can be stored.
pub(super) fn cannot_store() -> StanzaError {
    wait(
        Condition::ResourceConstraint,
        "the server cannot store anything at the moment; try again later",
    )
}

/// The answer to a change that is not on disk: whoever asked for it is not told that it is done.
pub(super) fn refused(answer: Frame, error: &StoreError) -> Frame {
    let Ok(stanza) = Stanza::parse(answer.bytes.clone(), &Limits::TRUSTED) else { return answer };
    if stanza.type_().as_deref() != Some("result") {
        return answer;
    }
    let condition = match error {
        StoreError::Corrupt(_) => Condition::InternalServerError,
        _ => Condition::ResourceConstraint,
    };
    let error = wait(condition, "the server could not store this; try again later");
    let bytes: Bytes = Element::new("iq", ns::CLIENT)
        .with_attr("type", "error")
        .with_attr_opt("from", stanza.from())
        .with_attr_opt("to", stanza.to())
        .with_attr_opt("id", stanza.id())
        .with_child(error.element())
        .to_bytes(ns::CLIENT);
    Frame { bytes, ..answer }
}
