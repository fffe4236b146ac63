//! What keeping archiving preferences means.

use super::account;
use crate::prefs::{MAX_RULES, Policy, Preferences};
use crate::{Store, StoreError};

/// The last ones count, in the order given.
pub async fn preferences_are_replaced(store: &Store) {
    let juliet = account(store, "juliet").await;
    assert_eq!(store.prefs.load(juliet).await, Ok(None));
    for default in [Policy::Never, Policy::Roster, Policy::Always] {
        let preferences = Preferences {
            default,
            always: vec!["romeo@x.example".into(), "nurse@x.example".into()],
            never: vec!["paris@x.example".into()],
        };
        store.prefs.save(juliet, preferences.clone()).await.expect("saved");
        assert_eq!(store.prefs.load(juliet).await, Ok(Some(preferences)));
    }
    store.prefs.save(juliet, Preferences::default()).await.expect("saved");
    assert_eq!(store.prefs.load(juliet).await, Ok(Some(Preferences::default())));
}

/// Too many rules are refused.
pub async fn rules_are_bounded(store: &Store) {
    let juliet = account(store, "juliet").await;
    let always = (0..=MAX_RULES).map(|number| format!("{number}@x.example").into()).collect();
    let refused = store.prefs.save(juliet, Preferences { always, ..Preferences::default() }).await;
    assert!(matches!(refused, Err(StoreError::Limit(_))));
    assert_eq!(store.prefs.load(juliet).await, Ok(None));
}
