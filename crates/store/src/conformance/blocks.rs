//! What keeping block lists means.

use super::account;
use crate::blocks::{Change, MAX_BLOCKS};
use crate::{Store, StoreError};

/// Adding twice and removing what is not there are fine.
pub async fn a_list_is_a_set(store: &Store) {
    let juliet = account(store, "juliet").await;
    let block = |jids: &[&str]| Change::Block(jids.iter().map(|jid| (*jid).into()).collect());
    let steps = [
        (
            block(&["tybalt@x.example", "paris@x.example"]),
            vec!["paris@x.example", "tybalt@x.example"],
        ),
        (block(&["paris@x.example"]), vec!["paris@x.example", "tybalt@x.example"]),
        (Change::Unblock(vec!["paris@x.example".into(), "a@b".into()]), vec!["tybalt@x.example"]),
        (Change::UnblockAll, vec![]),
    ];
    for (change, expected) in steps {
        store.blocks.apply(juliet, change).await.expect("applied");
        let list = store.blocks.load(juliet).await.expect("read");
        assert_eq!(list.iter().map(|jid| &**jid).collect::<Vec<_>>(), expected);
    }
}

/// A change that passes the bound changes nothing.
pub async fn a_list_is_bounded(store: &Store) {
    let juliet = account(store, "juliet").await;
    let many =
        |count: usize| (0..count).map(|number| format!("{number}@x.example").into()).collect();
    store.blocks.apply(juliet, Change::Block(many(MAX_BLOCKS))).await.expect("applied");
    let refused = store.blocks.apply(juliet, Change::Block(vec!["one@more.example".into()])).await;
    assert!(matches!(refused, Err(StoreError::Limit(_))));
    assert_eq!(store.blocks.load(juliet).await.expect("read").len(), MAX_BLOCKS);
}
