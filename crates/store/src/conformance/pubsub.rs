//! What keeping nodes means.

use super::{account, missing};
use crate::pubsub::{
    Change, Item, Node, OVERHEAD, Order, PageError, Publication, PublishError, Query, Select,
    Share, Subscription,
};
use crate::{AccountId, Millis, Store, StoreError};

const NODE: &str = "urn:example:node";

fn item(id: &str, at: u64) -> Item {
    Item {
        id: id.into(),
        publisher: "juliet@capulet.example/balcony".into(),
        published: Millis(at),
        payload: Some(format!("<p xmlns='urn:p'>{id}</p>").into()),
    }
}

fn publication(items: Vec<Item>) -> Publication {
    Publication {
        node: NODE.into(),
        create: None,
        items,
        keep: 100,
        reject_when_full: false,
        horizon: None,
        quota: u64::MAX,
        share: None,
    }
}

fn query(select: Select) -> Query {
    Query { node: NODE.into(), select, max: 100, max_bytes: u64::MAX, ..Query::default() }
}

/// An account with a node.
async fn with_node(store: &Store, items: &[&str]) -> AccountId {
    let owner = account(store, "juliet").await;
    let create = Change::Create("config".into(), Millis(7));
    store.pubsub.change(owner, NODE, vec![create]).await.expect("made");
    for (at, id) in items.iter().enumerate() {
        let publication = publication(vec![item(id, at as u64)]);
        store.pubsub.publish(owner, publication).await.expect("published");
    }
    owner
}

async fn ids(store: &Store, owner: AccountId, query: Query) -> Vec<String> {
    let page = store.pubsub.items(owner, query).await.expect("read");
    page.items.iter().map(|item| item.id.to_string()).collect()
}

/// A node is made once, keeps its configuration, and goes with everything in it.
pub async fn nodes_are_made_once_and_deleted_whole(store: &Store) {
    let owner = with_node(store, &["a"]).await;
    let create = Change::Create("other".into(), Millis(8));
    let twice = store.pubsub.change(owner, NODE, vec![create]).await;
    assert!(matches!(twice, Err(StoreError::Conflict(_))), "{twice:?}");
    let expected = Node {
        name: NODE.into(),
        config: "config".into(),
        created: Millis(7),
        affiliations: Vec::new(),
        subscriptions: Vec::new(),
    };
    assert_eq!(store.pubsub.nodes(owner).await, Ok(vec![expected]));
    assert_eq!(store.pubsub.change(owner, NODE, vec![Change::Delete]).await, Ok(1));
    assert_eq!(store.pubsub.nodes(owner).await, Ok(Vec::new()));
    assert_eq!(store.pubsub.used(owner).await, Ok(0));
    assert_eq!(ids(store, owner, query(Select::First)).await, Vec::<String>::new());
}

/// Affiliations and subscriptions are kept by address; what is set again is replaced.
pub async fn affiliations_and_subscriptions_are_kept_by_address(store: &Store) {
    let owner = with_node(store, &[]).await;
    let sub = |jid: &str, pending| Subscription { jid: jid.into(), pending, deliver: !pending };
    let entry = |jid: &str, word: Option<&str>| (jid.into(), word.map(Into::into));
    let changes = vec![
        Change::Affiliate(vec![entry("b@x", Some("member")), entry("a@x", Some("outcast"))]),
        Change::Affiliate(vec![entry("b@x", Some("publisher")), entry("a@x", None)]),
        Change::Subscribe(vec![sub("c@x", true), sub("d@x/r", false)]),
        Change::Subscribe(vec![sub("c@x", false)]),
        Change::Unsubscribe(vec!["d@x/r".into(), "nobody@x".into()]),
    ];
    store.pubsub.change(owner, NODE, changes).await.expect("changed");
    let nodes = store.pubsub.nodes(owner).await.expect("read");
    assert_eq!(nodes[0].affiliations, [("b@x".into(), "publisher".into())]);
    assert_eq!(nodes[0].subscriptions, [sub("c@x", false)]);
}

/// Changes of one call are made all or none.
pub async fn changes_are_all_or_nothing(store: &Store) {
    let owner = with_node(store, &["a"]).await;
    let create = Change::Create("again".into(), Millis(9));
    let failed = store.pubsub.change(owner, NODE, vec![Change::Purge, create]).await;
    assert!(failed.is_err());
    assert_eq!(ids(store, owner, query(Select::First)).await, ["a"]);
    let unknown = store.pubsub.change(owner, "urn:other", vec![Change::Purge]).await;
    assert!(matches!(unknown, Err(StoreError::Conflict(_))), "{unknown:?}");
}

/// A publication makes the node if it shall, and only then.
pub async fn a_publication_makes_the_node_it_expects_to_make(store: &Store) {
    let owner = account(store, "juliet").await;
    let plain = publication(vec![item("a", 1)]);
    let making = Publication { create: Some(("config".into(), Millis(1))), ..plain.clone() };
    let result = store.pubsub.publish(owner, plain.clone()).await;
    assert_eq!(result, Err(PublishError::Node));
    assert!(store.pubsub.publish(owner, making.clone()).await.is_ok());
    assert_eq!(store.pubsub.publish(owner, making).await, Err(PublishError::Node));
    assert!(store.pubsub.publish(owner, plain).await.is_ok());
    assert_eq!(ids(store, owner, query(Select::First)).await, ["a"]);
}

/// What is published again becomes the newest; the oldest make room.
pub async fn the_newest_stay_when_a_node_is_full(store: &Store) {
    let owner = with_node(store, &["a", "b", "c", "a"]).await;
    assert_eq!(ids(store, owner, query(Select::First)).await, ["b", "c", "a"]);
    let full = Publication { keep: 3, ..publication(vec![item("d", 9), item("e", 9)]) };
    let published = store.pubsub.publish(owner, full).await.expect("published");
    assert_eq!(published.evicted, ["b".into(), "c".into()]);
    let refused =
        Publication { keep: 3, reject_when_full: true, ..publication(vec![item("f", 9)]) };
    assert_eq!(store.pubsub.publish(owner, refused.clone()).await, Err(PublishError::NodeFull));
    // Replacing needs no room.
    let again = Publication { items: vec![item("e", 10)], ..refused };
    assert!(store.pubsub.publish(owner, again).await.is_ok());
    assert_eq!(ids(store, owner, query(Select::First)).await, ["a", "d", "e"]);
    let configured = Change::Configure("other".into(), 1);
    assert_eq!(store.pubsub.change(owner, NODE, vec![configured]).await, Ok(2));
    assert_eq!(ids(store, owner, query(Select::First)).await, ["e"]);
}

/// The quota counts everything, a publication beyond it leaves no trace, and space comes back.
pub async fn the_quota_holds(store: &Store) {
    let owner = with_node(store, &[]).await;
    let empty = store.pubsub.used(owner).await.expect("read");
    assert_eq!(empty, (NODE.len() + "config".len()) as u64 + OVERHEAD);
    let one = publication(vec![item("a", 1)]);
    let used = store.pubsub.publish(owner, one.clone()).await.expect("published").used;
    let row = item("a", 1);
    let payload = row.payload.as_ref().map_or(0, bytes::Bytes::len);
    let cost = (row.id.len() + row.publisher.len() + payload) as u64 + OVERHEAD;
    assert_eq!(used, empty + cost);
    let tight = Publication { quota: used, ..publication(vec![item("b", 2)]) };
    assert_eq!(store.pubsub.publish(owner, tight).await, Err(PublishError::Quota));
    assert_eq!(ids(store, owner, query(Select::First)).await, ["a"]);
    // Over a quota that was lowered one may still replace.
    let replace = Publication { quota: 0, ..one };
    assert!(store.pubsub.publish(owner, replace).await.is_ok());
    store.pubsub.change(owner, NODE, vec![Change::Purge]).await.expect("purged");
    assert_eq!(store.pubsub.used(owner).await, Ok(empty));
}

/// Nodes of one owner have a bound of their own, and the others do not feel it.
pub async fn a_share_is_bounded(store: &Store) {
    let account = with_node(store, &["a"]).await;
    let own = |jid: &str| Change::Affiliate(vec![(jid.into(), Some("owner".into()))]);
    store.pubsub.change(account, NODE, vec![own("b@x")]).await.expect("changed");
    let make = vec![Change::Create("config".into(), Millis(1)), own("c@x")];
    store.pubsub.change(account, "urn:other", make).await.expect("made");
    let used = store.pubsub.used(account).await.expect("read");
    let share = |jid: &str, quota| Publication {
        share: Some(Share { jid: jid.into(), affiliation: "owner".into(), quota }),
        ..publication(vec![item("b", 2)])
    };
    let full = store.pubsub.publish(account, share("b@x", 300)).await;
    assert_eq!(full, Err(PublishError::Quota));
    assert_eq!(store.pubsub.used(account).await, Ok(used), "nothing of it is left");
    let other = Publication { node: "urn:other".into(), ..share("c@x", 400) };
    assert!(store.pubsub.publish(account, other).await.is_ok());
    assert!(store.pubsub.publish(account, share("b@x", 10_000)).await.is_ok());
}

/// Pages are cut where asked, with the number of their first item.
pub async fn items_are_read_in_pages(store: &Store) {
    let owner = with_node(store, &["a", "b", "c", "d", "e"]).await;
    let two = |select| Query { max: 2, ..query(select) };
    for (select, expected, index) in [
        (Select::First, ["a", "b"], 0),
        (Select::After("b".into()), ["c", "d"], 2),
        (Select::Before("d".into()), ["b", "c"], 1),
        (Select::Last, ["d", "e"], 3),
        (Select::Index(1), ["b", "c"], 1),
    ] {
        let page = store.pubsub.items(owner, two(select)).await.expect("read");
        let ids: Vec<&str> = page.items.iter().map(|item| &*item.id).collect();
        assert_eq!((ids.as_slice(), page.count, page.index), (&expected[..], 5, index));
    }
    let chosen = Select::Ids(vec!["d".into(), "x".into(), "a".into(), "d".into()]);
    assert_eq!(ids(store, owner, query(chosen)).await, ["a", "d"]);
    for select in [Select::After("x".into()), Select::Before("x".into()), Select::Index(6)] {
        let page = store.pubsub.items(owner, query(select)).await;
        assert_eq!(page, Err(PageError::UnknownItem));
    }
    let count = store.pubsub.items(owner, Query { max: 0, ..query(Select::First) }).await;
    let count = count.expect("read");
    assert_eq!((count.items.len(), count.count), (0, 5));
}

/// The other order, and everything from the other end (the example of XEP-0413 §4.5).
pub async fn items_have_two_orders(store: &Store) {
    let owner = with_node(store, &["A", "B", "C", "D", "C", "A"]).await;
    let two = |select, order, descending| Query { max: 2, order, descending, ..query(select) };
    for (select, order, descending, expected, index) in [
        (Select::First, Order::Modified, false, ["B", "D"], 0),
        (Select::After("D".into()), Order::Modified, false, ["C", "A"], 2),
        (Select::First, Order::Made, false, ["A", "B"], 0),
        (Select::First, Order::Made, true, ["D", "C"], 0),
        (Select::After("C".into()), Order::Made, true, ["B", "A"], 2),
        (Select::Before("A".into()), Order::Made, true, ["C", "B"], 1),
        (Select::Last, Order::Made, true, ["B", "A"], 2),
        (Select::Index(1), Order::Made, true, ["C", "B"], 1),
        (Select::First, Order::Modified, true, ["A", "C"], 0),
    ] {
        let page = store.pubsub.items(owner, two(select.clone(), order, descending)).await;
        let page = page.expect("read");
        let ids: Vec<&str> = page.items.iter().map(|item| &*item.id).collect();
        assert_eq!((ids.as_slice(), page.index), (&expected[..], index), "{select:?} {order:?}");
    }
}

/// The service of the server has nodes like an account, and is in no list of accounts.
pub async fn the_service_has_nodes_and_is_no_account(store: &Store) {
    let create = Change::Create("config".into(), Millis(7));
    let made = store.pubsub.change(AccountId::PUBSUB, NODE, vec![create]).await;
    assert_eq!(made, Ok(0));
    let published = store.pubsub.publish(AccountId::PUBSUB, publication(vec![item("a", 1)])).await;
    published.expect("published");
    assert_eq!(ids(store, AccountId::PUBSUB, query(Select::First)).await, ["a"]);
    assert_eq!(store.accounts.list(None, 10).await.expect("read"), []);
    assert_eq!(store.accounts.count().await, Ok(0));
}

/// Pages end where their bytes do, but never before their first item; ids alone are cheap.
pub async fn pages_are_bounded_in_bytes(store: &Store) {
    let owner = with_node(store, &["a", "b", "c"]).await;
    let size = item("a", 0).payload.map_or(0, |payload| payload.len() as u64);
    let within = |bytes, select| Query { max_bytes: bytes, ..query(select) };
    assert_eq!(ids(store, owner, within(0, Select::First)).await, ["a"]);
    assert_eq!(ids(store, owner, within(2 * size, Select::First)).await, ["a", "b"]);
    assert_eq!(ids(store, owner, within(2 * size, Select::Last)).await, ["b", "c"]);
    let query = Query { ids_only: true, ..within(0, Select::First) };
    let page = store.pubsub.items(owner, query).await.expect("read");
    assert_eq!(page.items.len(), 3);
    assert!(page.items.iter().all(|item| item.payload.is_none()));
}

/// Expired items are not read, and the next publication removes them without calling it eviction.
pub async fn expired_items_are_gone(store: &Store) {
    let owner = with_node(store, &["a", "b", "c"]).await;
    let late = Query { horizon: Some(Millis(1)), ..query(Select::First) };
    assert_eq!(ids(store, owner, late).await, ["b", "c"]);
    let next = Publication { horizon: Some(Millis(2)), ..publication(vec![item("d", 5)]) };
    let published = store.pubsub.publish(owner, next).await.expect("published");
    assert!(published.evicted.is_empty());
    assert_eq!(ids(store, owner, query(Select::First)).await, ["c", "d"]);
}

/// Items survive as they were published, with and without payload.
pub async fn items_come_back_as_published(store: &Store) {
    let owner = with_node(store, &[]).await;
    let bare = Item { payload: None, ..item("bare", 1) };
    let full = item("full", 2);
    let both = publication(vec![bare.clone(), full.clone()]);
    store.pubsub.publish(owner, both).await.expect("published");
    let page = store.pubsub.items(owner, query(Select::First)).await.expect("read");
    assert_eq!(page.items, [bare, full]);
    let retract = Change::Retract(vec!["bare".into(), "unknown".into()]);
    assert_eq!(store.pubsub.change(owner, NODE, vec![retract]).await, Ok(1));
    assert_eq!(ids(store, owner, query(Select::First)).await, ["full"]);
}

/// Accounts do not see each other's nodes, and an account that does not exist has none.
pub async fn nodes_belong_to_one_account(store: &Store) {
    let juliet = with_node(store, &["a"]).await;
    let romeo = account(store, "romeo").await;
    assert_eq!(store.pubsub.nodes(romeo).await, Ok(Vec::new()));
    assert_eq!(ids(store, romeo, query(Select::First)).await, Vec::<String>::new());
    assert_eq!(store.pubsub.used(missing()).await, Ok(0));
    assert_eq!(ids(store, juliet, query(Select::First)).await, ["a"]);
}
