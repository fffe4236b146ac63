//! What keeping the login, values and media means.

use xmpp::sasl::Secret;
use xmpp::time::Millis;

use super::address;
use crate::store::{Login, MAX_VALUE_BYTES, Store, StoredToken};

/// A login with a password.
#[must_use]
pub fn login(password: &str) -> Login {
    Login {
        address: address("juliet@example.org"),
        password: Some(Secret::from(password)),
        server: Some("xmpp.example.org:5223".into()),
        pinned: Some([7; 32]),
        client_id: "51b98c5f-6a2b-4d3c-9f6a-1f1e5c0f6e1d".into(),
        token: None,
    }
}

/// Nothing of an earlier login stays.
pub fn a_login_is_replaced_as_a_whole(store: &dyn Store) {
    assert!(store.login().unwrap().is_none());
    store.save_login(&login("secret")).unwrap();
    let found = store.login().unwrap().expect("kept");
    assert_eq!(found.address, address("juliet@example.org"));
    assert_eq!(found.password, Some(Secret::from("secret")));
    assert_eq!(found.server.as_deref(), Some("xmpp.example.org:5223"));
    assert_eq!(found.pinned, Some([7; 32]));
    assert_eq!(found.client_id, login("").client_id);
    let token = StoredToken {
        secret: Secret::from("token"),
        mechanism: "HT-SHA-256-EXPR".into(),
        expiry: Millis(5),
    };
    let other = Login { password: None, server: None, pinned: None, ..login("") };
    store.save_login(&Login { token: Some(token), ..other }).unwrap();
    let found = store.login().unwrap().expect("kept");
    assert_eq!((&found.password, &found.server, found.pinned), (&None, &None, None));
    let token = found.token.expect("kept");
    assert_eq!(token.secret, Secret::from("token"));
    assert_eq!((token.mechanism.as_str(), token.expiry), ("HT-SHA-256-EXPR", Millis(5)));
}

/// One does not touch another.
pub fn values_are_kept_by_name(store: &dyn Store) {
    assert!(store.value("a").unwrap().is_none());
    store.save_value("a", Some(b"1")).unwrap();
    store.save_value("b", Some(b"")).unwrap();
    store.save_value("a", Some(b"2")).unwrap();
    assert_eq!(store.value("a").unwrap().as_deref().map(Vec::as_slice), Some(&b"2"[..]));
    assert_eq!(store.value("b").unwrap().as_deref().map(Vec::as_slice), Some(&b""[..]));
    store.save_value("a", None).unwrap();
    store.save_value("never there", None).unwrap();
    assert!(store.value("a").unwrap().is_none());
    assert!(store.value("b").unwrap().is_some());
}

/// The largest is kept, a larger one is refused and changes nothing.
pub fn values_have_a_limit(store: &dyn Store) {
    let most = vec![1; MAX_VALUE_BYTES];
    store.save_value("a", Some(&most)).unwrap();
    store.save_value("a", Some(&vec![2; MAX_VALUE_BYTES + 1])).unwrap_err();
    assert_eq!(store.value("a").unwrap().as_deref(), Some(&most));
}

/// One does not touch another, and values are something else.
pub fn media_are_kept_by_key(store: &dyn Store) {
    store.save_media("a", Some(b"1")).unwrap();
    store.save_media("b", Some(b"2")).unwrap();
    assert!(store.value("a").unwrap().is_none());
    assert_eq!(store.media("a").unwrap().as_deref(), Some(&b"1"[..]));
    store.save_media("a", None).unwrap();
    assert_eq!(store.media("a").unwrap(), None);
    assert_eq!(store.media("b").unwrap().as_deref(), Some(&b"2"[..]));
}

/// The largest is kept, a larger one is refused and changes nothing.
pub fn media_have_a_limit(store: &dyn Store) {
    let most = vec![1; MAX_VALUE_BYTES];
    store.save_media("a", Some(&most)).unwrap();
    store.save_media("a", Some(&vec![2; MAX_VALUE_BYTES + 1])).unwrap_err();
    assert_eq!(store.media("a").unwrap(), Some(most));
}
