//! What keeping rosters means.

use super::{account, missing};
use crate::roster::{
    Change, Difference, Item, MAX_REMOVALS, MAX_REQUESTS, Request, Snapshot, Subscription,
};
use crate::{Millis, Store, StoreError};

fn item(jid: &str) -> Item {
    Item { jid: jid.into(), ..Item::default() }
}

fn request(jid: String, at: u64) -> Change {
    let stanza = format!("<presence type='subscribe' from='{jid}'/>").into();
    Change::Ask(Request { jid: jid.into(), at: Millis(at), stanza })
}

/// An account without contacts, and one that does not exist.
pub async fn an_unknown_roster_is_empty(store: &Store) {
    let juliet = account(store, "juliet").await;
    assert_eq!(store.roster.load(juliet).await, Ok(Snapshot::default()));
    assert_eq!(store.roster.since(juliet, 0).await, Ok(Some((0, vec![]))));
    assert_eq!(store.roster.load(missing()).await, Ok(Snapshot::default()));
    let refused = store.roster.apply(missing(), vec![Change::Put(item("a@b.example"))]).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
}

/// Every property survives.
pub async fn items_come_back_as_put(store: &Store) {
    let juliet = account(store, "juliet").await;
    let full = Item {
        jid: "romeo@montague.example".into(),
        name: Some("Rómeo".into()),
        subscription: Subscription::Both,
        ask: true,
        approved: true,
        groups: vec!["Friends".into(), "".into(), "Verona\n1".into()],
    };
    let bare = Item { subscription: Subscription::From, ..item("nurse@capulet.example") };
    let to = Item { subscription: Subscription::To, ..item("paris@verona.example") };
    let puts = [&full, &bare, &to].map(|item| Change::Put(item.clone()));
    store.roster.apply(juliet, puts.into()).await.expect("applied");
    let loaded = store.roster.load(juliet).await.expect("read");
    assert_eq!(loaded.items, [bare, to, full]);
}

/// Versions count changes of items; removing nothing is no change.
pub async fn every_change_has_a_version(store: &Store) {
    let juliet = account(store, "juliet").await;
    let changes = vec![Change::Put(item("a@x.example")), Change::Put(item("b@x.example"))];
    assert_eq!(store.roster.apply(juliet, changes).await, Ok(2));
    let nothing = vec![Change::Remove("c@x.example".into())];
    assert_eq!(store.roster.apply(juliet, nothing).await, Ok(2));
    let removal = vec![Change::Remove("a@x.example".into())];
    assert_eq!(store.roster.apply(juliet, removal).await, Ok(3));
    assert_eq!(store.roster.load(juliet).await.expect("read").version, 3);
}

/// Each address appears once, as it is now, in the order of change.
pub async fn differences_tell_what_changed(store: &Store) {
    let juliet = account(store, "juliet").await;
    let renamed = Item { name: Some("B".into()), ..item("b@x.example") };
    let changes = vec![
        Change::Put(item("a@x.example")),
        Change::Put(item("b@x.example")),
        Change::Put(item("c@x.example")),
        Change::Put(renamed.clone()),
        Change::Remove("a@x.example".into()),
    ];
    store.roster.apply(juliet, changes).await.expect("applied");
    let all = store.roster.since(juliet, 0).await.expect("read").expect("known");
    let removed = Difference::Removed("a@x.example".into());
    let c = Difference::Item(item("c@x.example"));
    assert_eq!(all, (5, vec![c, Difference::Item(renamed), removed.clone()]));
    assert_eq!(store.roster.since(juliet, 4).await, Ok(Some((5, vec![removed]))));
    assert_eq!(store.roster.since(juliet, 5).await, Ok(Some((5, vec![]))));
    assert_eq!(store.roster.since(juliet, 6).await, Ok(None), "a version of the future");
    store.roster.apply(juliet, vec![Change::Put(item("a@x.example"))]).await.expect("applied");
    let back = store.roster.since(juliet, 4).await.expect("read").expect("known");
    assert_eq!(back, (6, vec![Difference::Item(item("a@x.example"))]));
}

/// Removals are remembered up to a bound; before it the whole roster must be sent.
pub async fn old_versions_are_forgotten(store: &Store) {
    let juliet = account(store, "juliet").await;
    let rounds = MAX_REMOVALS + 5;
    let mut changes = Vec::new();
    for number in 0..rounds {
        let jid = format!("{number}@x.example");
        changes.push(Change::Put(item(&jid)));
        changes.push(Change::Remove(jid.into()));
    }
    let version = store.roster.apply(juliet, changes).await.expect("applied");
    assert_eq!(version, 2 * rounds as u64);
    assert_eq!(store.roster.since(juliet, 0).await, Ok(None));
    let known = version - 2 * MAX_REMOVALS as u64;
    let (_, differences) = store.roster.since(juliet, known).await.expect("read").expect("known");
    assert_eq!(differences.len(), MAX_REMOVALS);
}

/// A request is kept whole and once per address.
pub async fn requests_wait_until_answered(store: &Store) {
    let juliet = account(store, "juliet").await;
    let changes = vec![
        request("romeo@montague.example".into(), 5),
        request("paris@verona.example".into(), 4),
        request("romeo@montague.example".into(), 6),
    ];
    assert_eq!(store.roster.apply(juliet, changes).await, Ok(0), "requests have no version");
    let waiting = store.roster.load(juliet).await.expect("read").requests;
    let jids: Vec<&str> = waiting.iter().map(|request| &*request.jid).collect();
    assert_eq!(jids, ["paris@verona.example", "romeo@montague.example"]);
    assert!(waiting[1].stanza.starts_with(b"<presence"));
    let answer = vec![
        Change::Answered("romeo@montague.example".into()),
        Change::Put(item("romeo@montague.example")),
    ];
    assert_eq!(store.roster.apply(juliet, answer).await, Ok(1));
    assert_eq!(store.roster.load(juliet).await.expect("read").requests.len(), 1);
}

/// Strangers cannot fill the disk.
pub async fn requests_are_bounded(store: &Store) {
    let juliet = account(store, "juliet").await;
    let many = (0..MAX_REQUESTS).map(|number| request(format!("{number}@x.example"), 1)).collect();
    store.roster.apply(juliet, many).await.expect("applied");
    let more = vec![Change::Put(item("a@x.example")), request("one@more.example".into(), 2)];
    let refused = store.roster.apply(juliet, more).await;
    assert!(matches!(refused, Err(StoreError::Limit(_))));
    let loaded = store.roster.load(juliet).await.expect("read");
    assert_eq!((loaded.requests.len(), loaded.items.len()), (MAX_REQUESTS, 0));
    let again = vec![request("7@x.example".into(), 2)];
    store.roster.apply(juliet, again).await.expect("replacing is no growth");
}
