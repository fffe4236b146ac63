//! What keeping archives means.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{account, missing};
use crate::archive::{
    Append, Clear, End, Page, PageError, Paging, Query, Tail, Ticket, Unit, With,
};
use crate::{AccountId, Millis, Store, StoreError};

/// A row received at 1000 × its id.
pub(crate) fn message(account: AccountId, id: u64) -> Append {
    Append {
        account,
        id,
        at: Millis(id.saturating_mul(1000)),
        with: "romeo@montague.example".into(),
        resource: Some("orchard".into()),
        outgoing: false,
        origin_hash: None,
        pending: false,
        hidden: false,
        stanza: format!("<message id='{id}'/>").into(),
    }
}

fn append(store: &Store, rows: impl IntoIterator<Item = Append>) {
    store.archive.append(rows.into_iter().collect(), None).expect("the queue has room");
}

/// Rows 1 to `count`, each a unit of its own.
async fn filled(store: &Store, count: u64) -> AccountId {
    let juliet = account(store, "juliet").await;
    for id in 1..=count {
        append(store, [message(juliet, id)]);
    }
    juliet
}

async fn page(store: &Store, account: AccountId, query: Query) -> Page {
    store.archive.page(account, query).await.expect("the page is read")
}

fn ids(page: &Page) -> Vec<u64> {
    page.rows.iter().map(|row| row.id).collect()
}

fn query(page: Paging, max: u32) -> Query {
    Query { page, max, ..Query::default() }
}

/// With everything that was given.
pub async fn rows_come_back_in_order(store: &Store) {
    let juliet = filled(store, 3).await;
    append(store, [Append { outgoing: true, ..message(juliet, 7) }]);
    let page = page(store, juliet, query(Paging::First, 10)).await;
    assert_eq!(ids(&page), [1, 2, 3, 7]);
    assert!(page.complete);
    let last = &page.rows[3];
    assert_eq!((last.at, last.outgoing, last.hidden), (Millis(7000), true, false));
    assert_eq!(last.stanza, "<message id='7'/>");
    assert_eq!(page.rows[0].stanza, "<message id='1'/>");
    let empty = store.archive.page(missing(), query(Paging::First, 10)).await.expect("read");
    assert_eq!(empty, Page { complete: true, ..Page::default() });
}

struct Record(Mutex<Vec<(u64, bool)>>);

impl Ticket for Record {
    fn settled(&self, tag: u64, outcome: Result<(), &StoreError>) {
        self.0.lock().push((tag, outcome.is_ok()));
    }
}

/// When one row is refused, the other is not written either.
pub async fn a_unit_is_kept_whole_or_not_at_all(store: &Store) {
    let (romeo, juliet) = (account(store, "romeo").await, account(store, "juliet").await);
    let record = Arc::new(Record(Mutex::default()));
    let unit = |first: Append, second: Append| -> Unit { [first, second].into_iter().collect() };
    let units = [
        unit(message(romeo, 1), message(juliet, 1)),
        unit(message(romeo, 2), message(missing(), 1)),
        unit(message(romeo, 2), message(juliet, 1)),
        unit(message(romeo, 2), message(juliet, 2)),
        unit(message(juliet, 3), message(juliet, 4)),
        unit(message(juliet, 5), message(juliet, 5)),
    ];
    for (tag, unit) in units.into_iter().enumerate() {
        store.archive.append(unit, Some((record.clone(), tag as u64))).expect("taken");
    }
    store.archive.barrier().await.expect("settled");
    let told = record.0.lock().clone();
    assert_eq!(told, [(0, true), (1, false), (2, false), (3, true), (4, true), (5, false)]);
    assert_eq!(ids(&page(store, romeo, query(Paging::First, 10)).await), [1, 2]);
    assert_eq!(ids(&page(store, juliet, query(Paging::First, 10)).await), [1, 2, 3, 4]);
}

/// An id that is there already is a mistake of the caller that must not overwrite.
pub async fn ids_are_never_taken_twice(store: &Store) {
    let juliet = filled(store, 3).await;
    let record = Arc::new(Record(Mutex::default()));
    for id in [3, 2, 0, u64::MAX, 7, 5, 5, 7, 6] {
        let unit = [message(juliet, id)].into_iter().collect();
        store.archive.append(unit, Some((record.clone(), id))).expect("taken");
    }
    store.archive.barrier().await.expect("settled");
    let told = record.0.lock().clone();
    let kept: Vec<u64> = told.iter().filter(|(_, kept)| *kept).map(|(id, _)| *id).collect();
    assert_eq!((told.len(), kept), (9, vec![7, 5, 6]));
    let all = page(store, juliet, query(Paging::First, 10)).await;
    assert_eq!(ids(&all), [1, 2, 3, 5, 6, 7], "the order is that of the ids");
    let unit = [message(juliet, 6)].into_iter().collect();
    store.archive.append(unit, Some((record.clone(), 6))).expect("taken");
    store.archive.barrier().await.expect("settled");
    assert_eq!(record.0.lock().last(), Some(&(6, false)), "also when it is in the index");
}

/// In the order of submission.
pub async fn tickets_are_told_in_order(store: &Store) {
    let juliet = account(store, "juliet").await;
    let record = Arc::new(Record(Mutex::default()));
    for id in 1..=1000 {
        let unit = [message(juliet, id)].into_iter().collect();
        store.archive.append(unit, Some((record.clone(), id))).expect("taken");
    }
    store.archive.barrier().await.expect("settled");
    let expected: Vec<(u64, bool)> = (1..=1000).map(|id| (id, true)).collect();
    assert_eq!(*record.0.lock(), expected);
}

/// No id is given twice.
pub async fn the_tail_counts_on_after_everything_is_gone(store: &Store) {
    let juliet = account(store, "juliet").await;
    let next = async || store.archive.tail(juliet, Millis(0)).await.expect("read").next;
    assert_eq!(next().await, 1);
    for id in 1..=5 {
        append(store, [message(juliet, id)]);
    }
    assert_eq!(next().await, 6);
    assert_eq!(store.archive.expire(Millis(u64::MAX), 100).await, Ok(5));
    assert_eq!(next().await, 6);
    append(store, [message(juliet, 9)]);
    assert_eq!(store.archive.purge(juliet).await, Ok(1));
    assert_eq!(next().await, 10);
    let waits = async || store.archive.tail(juliet, Millis(0)).await.expect("read").waits;
    append(store, [Append { hidden: true, pending: true, ..message(juliet, 12) }]);
    assert!(waits().await);
    assert_eq!(store.archive.clear_pending(juliet, Clear::UpTo(12)).await, Ok(1));
    assert!(!waits().await);
    assert_eq!(next().await, 13);
}

/// Newest first, outgoing ones, since a time.
pub async fn the_tail_knows_the_origins(store: &Store) {
    let juliet = account(store, "juliet").await;
    for id in 1..=6 {
        let origin_hash = (id % 2 == 0).then_some(u64::MAX - id);
        append(store, [Append { outgoing: true, origin_hash, ..message(juliet, id) }]);
    }
    let tail = store.archive.tail(juliet, Millis(4000)).await;
    let origins = vec![(u64::MAX - 6, 6), (u64::MAX - 4, 4)];
    assert_eq!(tail, Ok(Tail { next: 7, origins, waits: false }));
}

/// As a client pages with `<after/>`.
pub async fn pages_follow_each_other_forwards(store: &Store) {
    let juliet = filled(store, 25).await;
    let mut seen = Vec::new();
    let mut paging = Paging::First;
    loop {
        let page = page(store, juliet, query(paging, 10)).await;
        seen.extend(ids(&page));
        assert_eq!(page.complete, seen.len() == 25);
        if page.complete {
            break;
        }
        paging = Paging::After(page.rows.last().expect("not empty").id);
    }
    assert_eq!(seen, (1..=25).collect::<Vec<_>>());
    let behind = page(store, juliet, query(Paging::After(25), 10)).await;
    assert_eq!((ids(&behind), behind.complete), (vec![], true));
    let exact = page(store, juliet, query(Paging::After(15), 10)).await;
    assert!(exact.complete, "a full page at the end is the last");
}

/// As a client pages with `<before/>`.
pub async fn pages_follow_each_other_backwards(store: &Store) {
    let juliet = filled(store, 25).await;
    let newest = page(store, juliet, query(Paging::Last, 10)).await;
    assert_eq!((ids(&newest), newest.complete), ((16..=25).collect(), false));
    let older = page(store, juliet, query(Paging::Before(16), 10)).await;
    assert_eq!((ids(&older), older.complete), ((6..=15).collect(), false));
    let oldest = page(store, juliet, query(Paging::Before(6), 10)).await;
    assert_eq!((ids(&oldest), oldest.complete), ((1..=5).collect(), true));
    let between = Query { after_id: Some(10), before_id: Some(20), ..query(Paging::Last, 5) };
    let between = page(store, juliet, between).await;
    assert_eq!((ids(&between), between.complete), ((15..=19).collect(), false));
}

/// Flipping does not change which rows are in the page (XEP-0313 §5).
pub async fn a_page_is_flipped_only_inside(store: &Store) {
    let juliet = filled(store, 9).await;
    let flipped = Query { flip: true, count: true, ..query(Paging::After(3), 3) };
    let flipped = page(store, juliet, flipped).await;
    assert_eq!(ids(&flipped), [6, 5, 4]);
    assert_eq!((flipped.complete, flipped.first_index), (false, Some(3)));
    let last = page(store, juliet, Query { flip: true, ..query(Paging::Last, 3) }).await;
    assert_eq!(ids(&last), [9, 8, 7]);
}

/// `item-not-found` for each kind of id (XEP-0313 §4.1.3 and §4.3.2).
pub async fn unknown_ids_are_named(store: &Store) {
    let juliet = filled(store, 3).await;
    append(store, [Append { hidden: true, pending: true, ..message(juliet, 4) }]);
    let empty = Query { max: 10, ..Query::default() };
    for id in [4, 9, u64::MAX] {
        let queries = [
            query(Paging::After(id), 10),
            query(Paging::Before(id), 10),
            Query { after_id: Some(id), ..empty.clone() },
            Query { before_id: Some(id), ..empty.clone() },
            Query { ids: vec![1, id, 2], ..empty.clone() },
        ];
        for query in queries {
            let refused = store.archive.page(juliet, query).await;
            assert_eq!(refused, Err(PageError::UnknownId(id)));
        }
    }
}

/// XEP-0313 §4.1.1.
pub async fn a_bare_address_matches_every_resource(store: &Store) {
    let juliet = account(store, "juliet").await;
    let others = [
        ("romeo@montague.example", Some("orchard")),
        ("romeo@montague.example", None),
        ("nurse@capulet.example", Some("orchard")),
        ("romeo@montague.example", Some("")),
    ];
    for (id, (with, resource)) in (1..).zip(others) {
        let resource = resource.map(Into::into);
        append(store, [Append { with: with.into(), resource, ..message(juliet, id) }]);
    }
    let with = async |bare: &str, resource: Option<&str>| {
        let bare = (bare != "anybody").then(|| bare.into());
        let with = Some(With { bare, resource: resource.map(Into::into) });
        ids(&page(store, juliet, Query { with, max: 10, ..Query::default() }).await)
    };
    assert_eq!(with("romeo@montague.example", None).await, [1, 2, 4]);
    assert_eq!(with("romeo@montague.example", Some("orchard")).await, [1]);
    assert_eq!(with("romeo@montague.example", Some("")).await, [4]);
    assert_eq!(with("nurse@capulet.example", None).await, [3]);
    assert_eq!(with("juliet@capulet.example", None).await, [0; 0]);
    assert_eq!(with("anybody", Some("orchard")).await, [1, 3]);
    assert_eq!(with("anybody", None).await, [1, 2, 3, 4]);
}

/// XEP-0313 §4.1.2.
pub async fn times_are_inclusive(store: &Store) {
    let juliet = filled(store, 9).await;
    let between = |start, end| Query { start, end, max: 10, ..Query::default() };
    let cases = [
        (between(Some(Millis(3000)), Some(Millis(5000))), 3..=5),
        (between(Some(Millis(7001)), None), 8..=9),
        (between(None, Some(Millis(2999))), 1..=2),
        (between(Some(Millis(0)), Some(Millis(u64::MAX))), 1..=9),
    ];
    for (query, expected) in cases {
        let found = page(store, juliet, query).await;
        assert_eq!((ids(&found), found.complete), (expected.collect(), true));
    }
}

/// In order of the archive, with the other conditions.
pub async fn ids_are_chosen_exactly(store: &Store) {
    let juliet = filled(store, 9).await;
    let chosen = Query { ids: vec![7, 2, 5, 2], count: true, ..query(Paging::First, 10) };
    let found = page(store, juliet, chosen.clone()).await;
    assert_eq!((ids(&found), found.complete, found.count), (vec![2, 5, 7], true, Some(3)));
    assert_eq!(found.rows[1].stanza, "<message id='5'/>");
    let paged =
        page(store, juliet, Query { page: Paging::After(2), max: 1, ..chosen.clone() }).await;
    assert_eq!((ids(&paged), paged.complete, paged.first_index), (vec![5], false, Some(1)));
    let last = page(store, juliet, Query { page: Paging::Last, max: 2, ..chosen.clone() }).await;
    assert_eq!((ids(&last), last.complete), (vec![5, 7], false));
    let early = page(store, juliet, Query { end: Some(Millis(5000)), ..chosen }).await;
    assert_eq!(ids(&early), [2, 5]);
}

/// RSM's count and index are of the whole result set (XEP-0059 §2.6, §2.7).
pub async fn counts_and_indexes_agree(store: &Store) {
    let juliet = filled(store, 20).await;
    let counted =
        |page, max| Query { count: true, start: Some(Millis(11_000)), ..query(page, max) };
    let first = page(store, juliet, counted(Paging::First, 4)).await;
    assert_eq!((first.count, first.first_index, ids(&first)[0]), (Some(10), Some(0), 11));
    let later = page(store, juliet, counted(Paging::After(14), 4)).await;
    assert_eq!((later.count, later.first_index), (Some(10), Some(4)));
    let only = page(store, juliet, counted(Paging::First, 0)).await;
    assert_eq!((only.count, only.rows.len(), only.complete), (Some(10), 0, false));
    let uncounted = page(store, juliet, query(Paging::First, 4)).await;
    assert_eq!((uncounted.count, uncounted.first_index), (None, None));
}

/// Metadata (XEP-0313 §6).
pub async fn the_ends_are_the_visible_ones(store: &Store) {
    let juliet = account(store, "juliet").await;
    let hidden = |id| Append { hidden: true, pending: true, ..message(juliet, id) };
    append(store, [hidden(1)]);
    assert_eq!(store.archive.ends(juliet).await, Ok(None));
    for row in [message(juliet, 2), message(juliet, 3), hidden(4)] {
        append(store, [row]);
    }
    let end = |id| End { id, at: Millis(id * 1000) };
    assert_eq!(store.archive.ends(juliet).await, Ok(Some((end(2), end(3)))));
}

/// Only what the account sent itself counts, whoever else wrote.
pub async fn an_account_knows_to_whom_it_wrote(store: &Store) {
    let juliet = filled(store, 3).await;
    let wrote_to =
        async |bare: &str| store.archive.wrote_to(juliet, bare).await.expect("it is read");
    assert!(!wrote_to("romeo@montague.example").await, "he wrote, she did not");
    append(store, [Append { outgoing: true, ..message(juliet, 4) }]);
    assert!(wrote_to("romeo@montague.example").await);
    assert!(!wrote_to("paris@verona.example").await);
}

async fn waiting(store: &Store, account: AccountId, after: u64, limit: u32) -> Vec<u64> {
    let rows = store.archive.pending(account, after, limit).await.expect("read");
    rows.iter().map(|row| row.id).collect()
}

/// XEP-0160 from the archive: delivered rows stay archived.
pub async fn waiting_rows_are_delivered_once(store: &Store) {
    let juliet = account(store, "juliet").await;
    for id in 1..=6 {
        append(store, [Append { pending: id % 2 == 0, ..message(juliet, id) }]);
    }
    assert_eq!(waiting(store, juliet, 0, 10).await, [2, 4, 6]);
    assert_eq!(waiting(store, juliet, 0, 2).await, [2, 4]);
    assert_eq!(waiting(store, juliet, 2, 1).await, [4]);
    assert_eq!(store.archive.clear_pending(juliet, Clear::UpTo(4)).await, Ok(2));
    assert_eq!(waiting(store, juliet, 0, 10).await, [6]);
    assert_eq!(store.archive.clear_pending(juliet, Clear::Ids(vec![6, 1, 99])).await, Ok(1));
    assert_eq!(waiting(store, juliet, 0, 10).await, [0; 0]);
    assert_eq!(ids(&page(store, juliet, query(Paging::First, 10)).await), [1, 2, 3, 4, 5, 6]);
}

/// Kept for delivery alone.
pub async fn hidden_rows_go_when_delivered(store: &Store) {
    let juliet = account(store, "juliet").await;
    for id in 1..=4 {
        append(store, [Append { pending: true, hidden: id % 2 == 0, ..message(juliet, id) }]);
    }
    let rows = store.archive.pending(juliet, 0, 10).await.expect("read");
    assert_eq!(rows.iter().map(|row| row.hidden).collect::<Vec<_>>(), [false, true, false, true]);
    assert_eq!(ids(&page(store, juliet, query(Paging::First, 10)).await), [1, 3]);
    assert_eq!(store.archive.clear_pending(juliet, Clear::Ids(vec![2])).await, Ok(1));
    assert_eq!(waiting(store, juliet, 0, 10).await, [1, 3, 4]);
    assert_eq!(store.archive.clear_pending(juliet, Clear::UpTo(4)).await, Ok(3));
    store.archive.set_pending(juliet, vec![2, 4]).await.expect("set");
    assert_eq!(waiting(store, juliet, 0, 10).await, [0; 0], "a delivered hidden row came back");
}

/// A session ended without its client having acknowledged them.
pub async fn rows_can_wait_again(store: &Store) {
    let juliet = filled(store, 4).await;
    store.archive.set_pending(juliet, vec![3, 1, 99]).await.expect("set");
    assert_eq!(waiting(store, juliet, 0, 10).await, [1, 3]);
    assert_eq!(store.archive.clear_pending(juliet, Clear::UpTo(u64::MAX)).await, Ok(2));
    assert_eq!(waiting(store, juliet, 0, 10).await, [0; 0]);
}

/// By time of receipt, oldest first, up to the limit.
pub async fn expiry_takes_the_old_ones_only(store: &Store) {
    let (romeo, juliet) = (account(store, "romeo").await, account(store, "juliet").await);
    for id in 1..=1000 {
        append(store, [message(romeo, id), message(juliet, id)]);
    }
    let expire = async |before, limit| store.archive.expire(Millis(before), limit).await;
    assert_eq!(expire(1000, 1000).await, Ok(0));
    assert_eq!(expire(301_000, 10_000).await, Ok(600));
    assert_eq!(expire(301_000, 10_000).await, Ok(0));
    for account in [romeo, juliet] {
        let (first, last) = store.archive.ends(account).await.expect("read").expect("not empty");
        assert_eq!((first.id, last.id), (301, 1000));
    }
    let some = expire(u64::MAX, 500).await.expect("expired");
    assert!((500..1400).contains(&some), "{some} rows for a limit of 500");
    assert_eq!(expire(u64::MAX, 10_000).await, Ok(1400 - some));
    assert_eq!(store.archive.ends(juliet).await, Ok(None));
}

/// The stanza is kept once for both, and goes with the last.
pub async fn a_purge_leaves_the_other_side_its_copy(store: &Store) {
    let (romeo, juliet) = (account(store, "romeo").await, account(store, "juliet").await);
    for id in 1..=10 {
        append(store, [message(romeo, id), message(juliet, id)]);
    }
    append(store, [Append { pending: true, ..message(juliet, 11) }]);
    assert_eq!(store.archive.purge(juliet).await, Ok(10));
    assert_eq!(store.archive.purge(juliet).await, Ok(0));
    let waiting = store.archive.pending(juliet, 0, 100).await.expect("read");
    assert_eq!(waiting.iter().map(|row| row.id).collect::<Vec<_>>(), [11], "nobody has it yet");
    assert_eq!(store.archive.clear_pending(juliet, Clear::UpTo(11)).await, Ok(1));
    assert_eq!(store.archive.purge(juliet).await, Ok(1));
    assert_eq!(store.archive.ends(juliet).await, Ok(None));
    let left = page(store, romeo, query(Paging::First, 50)).await;
    assert_eq!(left.rows.len(), 10);
    assert_eq!(left.rows[9].stanza, "<message id='10'/>");
    append(store, [message(juliet, 11)]);
    assert_eq!(ids(&page(store, juliet, query(Paging::First, 50)).await), [11]);
    assert_eq!(store.archive.expire(Millis(u64::MAX), 100).await, Ok(11));
}

/// Without a barrier in between, and often enough to meet the writer in every place.
pub async fn reads_see_what_was_appended_before(store: &Store) {
    let juliet = account(store, "juliet").await;
    for id in 1..=300 {
        append(store, [Append { pending: true, ..message(juliet, id) }]);
        let newest = page(store, juliet, query(Paging::Last, 1)).await;
        assert_eq!(ids(&newest), [id]);
        assert_eq!(store.archive.tail(juliet, Millis(0)).await.expect("read").next, id + 1);
        let ends = store.archive.ends(juliet).await.expect("read").expect("not empty");
        assert_eq!(ends.1.id, id);
        assert_eq!(waiting(store, juliet, id - 1, 5).await, [id]);
    }
}

/// Order is by id; time filters look at every row (G10).
pub async fn a_jumping_clock_disturbs_nothing(store: &Store) {
    let juliet = account(store, "juliet").await;
    for (id, at) in [(1, 5000), (2, 90_000_000), (3, 1000), (4, 6000)] {
        append(store, [Append { at: Millis(at), ..message(juliet, id) }]);
    }
    assert_eq!(ids(&page(store, juliet, query(Paging::First, 10)).await), [1, 2, 3, 4]);
    let recent =
        Query { start: Some(Millis(5000)), end: Some(Millis(6000)), ..query(Paging::First, 10) };
    assert_eq!(ids(&page(store, juliet, recent).await), [1, 4]);
    assert_eq!(store.archive.expire(Millis(5001), 100).await, Ok(2));
    assert_eq!(ids(&page(store, juliet, query(Paging::First, 10)).await), [2, 4]);
}
