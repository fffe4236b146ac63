//! What keeping stanzas for other domains means.

use std::sync::Arc;

use parking_lot::Mutex;
use smallvec::smallvec;

use super::archive::message;
use super::{account, missing};
use crate::archive::{Append, Clear, Query, Ticket, Unit};
use crate::outbox::{Parcel, Waiting};
use crate::{AccountId, Millis, Store, StoreError};

fn parcel(id: u64, remote: &str) -> Parcel {
    Parcel {
        id,
        local: "capulet.example".into(),
        remote: remote.into(),
        account: None,
        at: Millis(1000 * id),
        stanza: format!("<message id='{id}'/>").into(),
    }
}

fn send(store: &Store, parcel: Parcel) {
    store.outbox.send(parcel, Unit::new(), None).expect("the queue has room");
}

async fn load(store: &Store, remote: &str, after: u64, limit: u32) -> Vec<Parcel> {
    store.archive.barrier().await.expect("settled");
    let loaded = store.outbox.load("capulet.example".into(), remote.into(), after, limit);
    loaded.await.expect("loaded")
}

fn ids(parcels: &[Parcel]) -> Vec<u64> {
    parcels.iter().map(|parcel| parcel.id).collect()
}

#[derive(Default)]
struct Told(Mutex<Vec<(u64, bool)>>);

impl Ticket for Told {
    fn settled(&self, tag: u64, outcome: Result<(), &StoreError>) {
        self.0.lock().push((tag, outcome.is_ok()));
    }
}

/// Each domain by itself, in order, as it was given.
pub async fn parcels_wait_until_they_are_done(store: &Store) {
    let first = store.outbox.next().await.expect("read");
    for (offset, remote) in ["a.example", "b.example", "a.example", "a.example"].iter().enumerate()
    {
        send(store, parcel(first + offset as u64, remote));
    }
    let all = load(store, "a.example", 0, 10).await;
    assert_eq!(all[0], parcel(first, "a.example"));
    assert_eq!(ids(&all), [first, first + 2, first + 3]);
    assert_eq!(ids(&load(store, "a.example", first, 1).await), [first + 2]);
    store.outbox.done(vec![first, first + 2, 9999]).await.expect("done");
    assert_eq!(ids(&load(store, "a.example", 0, 10).await), [first + 3]);
    assert_eq!(store.outbox.next().await, Ok(first + 4));
    let waiting = |remote: &str, id: u64| Waiting {
        local: "capulet.example".into(),
        remote: remote.into(),
        count: 1,
        bytes: parcel(id, remote).stanza.len() as u64,
        newest: id,
        since: Millis(1000 * id),
    };
    let expected = vec![waiting("a.example", first + 3), waiting("b.example", first + 1)];
    assert_eq!(store.outbox.waiting().await, Ok(expected));
}

/// Neither the parcel nor the rows without the other.
pub async fn a_parcel_and_its_archive_row_are_one_unit(store: &Store) {
    let juliet = account(store, "juliet").await;
    let told = Arc::new(Told::default());
    let unit = |account: AccountId, id: u64| -> Unit { smallvec![message(account, id)] };
    let ticket = |tag| Some((told.clone() as Arc<dyn Ticket>, tag));
    store.outbox.send(parcel(1, "a.example"), unit(juliet, 1), ticket(1)).expect("taken");
    // The row is refused, then the parcel.
    store.outbox.send(parcel(2, "a.example"), unit(juliet, 1), ticket(2)).expect("taken");
    store.outbox.send(parcel(1, "a.example"), unit(juliet, 2), ticket(3)).expect("taken");
    let strange = Parcel { account: Some(missing()), ..parcel(3, "a.example") };
    store.outbox.send(strange, unit(juliet, 3), ticket(4)).expect("taken");
    assert_eq!(ids(&load(store, "a.example", 0, 10).await), [1]);
    assert_eq!(*told.0.lock(), [(1, true), (2, false), (3, false), (4, false)]);
    let page = store.archive.page(juliet, Query { max: 10, ..Query::default() }).await;
    let rows = page.expect("read").rows;
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [1]);
}

/// By a row that was written, even if a device has had it since, and by no other.
pub async fn a_parcel_goes_once_its_sender_is_told(store: &Store) {
    let juliet = account(store, "juliet").await;
    for id in 1..=3 {
        send(store, parcel(id, "a.example"));
    }
    let row = |id| Append { pending: true, hidden: true, ..message(juliet, id) };
    store.archive.append(smallvec![row(7)], None).expect("taken");
    assert_eq!(store.outbox.returned(1, juliet, 7).await, Ok(true));
    assert_eq!(store.outbox.returned(2, juliet, 8).await, Ok(false));
    assert_eq!(ids(&load(store, "a.example", 0, 10).await), [2, 3]);
    assert_eq!(store.archive.clear_pending(juliet, Clear::UpTo(7)).await, Ok(1));
    assert_eq!(store.outbox.returned(3, juliet, 7).await, Ok(true));
    assert_eq!(ids(&load(store, "a.example", 0, 10).await), [2]);
}

/// What an account sent goes with it.
pub async fn parcels_of_a_deleted_account_are_gone(store: &Store) {
    let (romeo, juliet) = (account(store, "romeo").await, account(store, "juliet").await);
    send(store, Parcel { account: Some(romeo), ..parcel(1, "a.example") });
    send(store, Parcel { account: Some(juliet), ..parcel(2, "a.example") });
    send(store, parcel(3, "a.example"));
    store.accounts.delete(romeo, Millis(0)).await.expect("deleted");
    assert_eq!(ids(&load(store, "a.example", 0, 10).await), [2, 3]);
}

/// The latest first, each once, and none for ever.
pub async fn domains_that_were_reached_are_known_for_a_while(store: &Store) {
    let reached = |remote: &str, at, horizon| {
        store.outbox.reached(remote.into(), Millis(at), Millis(horizon))
    };
    reached("a.example", 1000, 0).await.expect("noted");
    reached("b.example", 2000, 0).await.expect("noted");
    reached("a.example", 3000, 0).await.expect("noted");
    let a: (Box<str>, _) = ("a.example".into(), Millis(3000));
    let b: (Box<str>, _) = ("b.example".into(), Millis(2000));
    assert_eq!(store.outbox.all_reached(10).await, Ok(vec![a.clone(), b]));
    assert_eq!(store.outbox.all_reached(1).await, Ok(vec![a.clone()]));
    reached("c.example", 4000, 2001).await.expect("noted");
    let c: (Box<str>, _) = ("c.example".into(), Millis(4000));
    assert_eq!(store.outbox.all_reached(10).await, Ok(vec![c, a]));
}
