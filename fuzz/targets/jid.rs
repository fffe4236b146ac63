//! Addresses: preparation is final, and parts come together again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use xmpp::jid::{FullJid, Jid};

fuzz_target!(|text: &str| {
    let Ok(jid) = Jid::new(text) else { return };
    let again = Jid::new(jid.as_str()).expect("a prepared address is an address");
    assert_eq!(again, jid);
    let bare = jid.to_bare();
    assert_eq!((bare.node(), bare.domain()), (jid.node(), jid.domain()));
    assert_eq!(bare.is_full(), false);
    match jid.resource() {
        Some(resource) => assert_eq!(bare.with_resource(resource), jid),
        None => assert_eq!(bare, jid),
    }
    assert_eq!(FullJid::new(text).is_ok(), jid.resource().is_some());
    let parts = [
        jid.node().map(|p| p.as_str()),
        Some(jid.domain().as_str()),
        jid.resource().map(|p| p.as_str()),
    ];
    for part in parts.into_iter().flatten() {
        assert!(!part.is_empty() && part.len() <= 1023);
        assert!(!part.chars().any(char::is_control));
    }
});
