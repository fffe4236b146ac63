//! `docs/clownfish-xeps.md` comes from the code: it must be what the code says now.
//!
//! `UPDATE_DOCS=1 cargo test -p clownfish --test generated_docs` (or `make docs`) writes it anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

#[test]
fn the_list_of_specifications_is_current() {
    let mut specs: BTreeMap<&str, (&str, Vec<&str>)> = BTreeMap::new();
    for (feature, number, version) in client::specifications().chain(DRIVER.iter().copied()) {
        let (known, features) = specs.entry(number).or_insert((version, Vec::new()));
        assert_eq!(*known, version, "{number} in two versions");
        features.push(feature);
    }
    let mut text = String::from(HEAD);
    for (number, (version, features)) in specs {
        let title = TITLES.iter().find(|(known, _)| *known == number);
        let (_, title) = title.unwrap_or_else(|| panic!("{number} has no title here"));
        writeln!(text, "| {number}: {title} | {version} | {} |", features.join(", ")).unwrap();
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/clownfish-xeps.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "{} is not current: run `make docs`", path.display());
}

const HEAD: &str = "\
# What Clownfish follows

Written from the list of features in `crates/client/src/features`; run `make docs` after a change. It is the
same in the terminal and in the browser. Beside XEP-0384 as it is now, Clownfish speaks its version 0.3.0
(`eu.siacs.conversations.axolotl`). What the server follows stands in [xeps.md](xeps.md).

| specification | version | feature |
|---|---|---|
";

/// What the terminal does beside the core.
const DRIVER: &[(&str, &str, &str)] =
    &[("finding the server, in the terminal", "XEP-0368", "1.1.0")];

const TITLES: &[(&str, &str)] = &[
    ("RFC 5802", "SCRAM"),
    ("RFC 5929", "Channel Bindings for TLS"),
    ("RFC 6120", "XMPP: Core"),
    ("RFC 6121", "XMPP: Instant Messaging and Presence"),
    ("RFC 7395", "An XMPP Subprotocol for WebSocket"),
    ("RFC 7677", "SCRAM-SHA-256 and SCRAM-SHA-256-PLUS"),
    ("RFC 9266", "Channel Bindings for TLS 1.3"),
    ("XEP-0030", "Service Discovery"),
    ("XEP-0045", "Multi-User Chat"),
    ("XEP-0050", "Ad-Hoc Commands"),
    ("XEP-0059", "Result Set Management"),
    ("XEP-0060", "Publish-Subscribe"),
    ("XEP-0066", "Out of Band Data"),
    ("XEP-0077", "In-Band Registration"),
    ("XEP-0084", "User Avatar"),
    ("XEP-0085", "Chat State Notifications"),
    ("XEP-0115", "Entity Capabilities"),
    ("XEP-0163", "Personal Eventing Protocol"),
    ("XEP-0172", "User Nickname"),
    ("XEP-0184", "Message Delivery Receipts"),
    ("XEP-0191", "Blocking Command"),
    ("XEP-0198", "Stream Management"),
    ("XEP-0199", "XMPP Ping"),
    ("XEP-0231", "Bits of Binary"),
    ("XEP-0245", "The /me Command"),
    ("XEP-0249", "Direct MUC Invitations"),
    ("XEP-0264", "Jingle Content Thumbnails"),
    ("XEP-0280", "Message Carbons"),
    ("XEP-0308", "Last Message Correction"),
    ("XEP-0313", "Message Archive Management"),
    ("XEP-0317", "Hats"),
    ("XEP-0319", "Last User Interaction in Presence"),
    ("XEP-0333", "Displayed Markers"),
    ("XEP-0334", "Message Processing Hints"),
    ("XEP-0352", "Client State Indication"),
    ("XEP-0357", "Push Notifications"),
    ("XEP-0359", "Unique and Stable Stanza IDs"),
    ("XEP-0363", "HTTP File Upload"),
    ("XEP-0368", "SRV records for XMPP over TLS"),
    ("XEP-0377", "Blocking Command Reports"),
    ("XEP-0380", "Explicit Message Encryption"),
    ("XEP-0384", "OMEMO Encryption"),
    ("XEP-0386", "Bind 2"),
    ("XEP-0388", "Extensible SASL Profile"),
    ("XEP-0393", "Message Styling"),
    ("XEP-0401", "Ad-hoc Account Invitation Generation"),
    ("XEP-0402", "PEP Native Bookmarks"),
    ("XEP-0410", "MUC Self-Ping (Schrödinger's Chat)"),
    ("XEP-0420", "Stanza Content Encryption"),
    ("XEP-0421", "Occupant identifiers for semi-anonymous MUCs"),
    ("XEP-0424", "Message Retraction"),
    ("XEP-0425", "Moderated Message Retraction"),
    ("XEP-0428", "Fallback Indication"),
    ("XEP-0434", "Trust Messages (TM)"),
    ("XEP-0440", "SASL Channel-Binding Type Capability"),
    ("XEP-0444", "Message Reactions"),
    ("XEP-0445", "Pre-Authenticated In-Band Registration"),
    ("XEP-0446", "File metadata element"),
    ("XEP-0447", "Stateless file sharing"),
    ("XEP-0448", "Encryption for stateless file sharing"),
    ("XEP-0450", "Automatic Trust Management (ATM)"),
    ("XEP-0454", "OMEMO Media sharing"),
    ("XEP-0461", "Message Replies"),
    ("XEP-0474", "SASL SCRAM Downgrade Protection"),
    ("XEP-0478", "Stream Limits Advertisement"),
    ("XEP-0484", "Fast Authentication Streamlining Tokens"),
    ("XEP-0486", "MUC Avatars"),
    ("XEP-0488", "MUC Token Invite"),
    ("XEP-0490", "Message Displayed Synchronization"),
    ("XEP-0492", "Chat notification settings"),
];
