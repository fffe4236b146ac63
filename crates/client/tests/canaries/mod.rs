//! Strings that must not be found in any byte that leaves, and what may leave in plain sight: the list
//! in `docs/encryption.md`, with the elements that its rows mean.

#![allow(dead_code, reason = "both programs of tests have it, and use different parts")]

use std::collections::BTreeSet;

use client::effect::Transfer;
use xmpp::ns;
use xmpp::xml::Element;

/// Everything that is written, with strings that occur nowhere else.
#[derive(Clone, Default)]
pub(crate) struct Canaries {
    all: Vec<String>,
}

impl Canaries {
    pub(crate) fn hatch(&mut self, what: &str) -> String {
        let canary = format!("canary-{what}-{}-yranac", self.all.len());
        self.all.push(canary.clone());
        canary
    }

    /// The same as a small picture that stands in its own address.
    pub(crate) fn hatch_picture(&mut self) -> String {
        let mut canary = self.hatch("thumbnail");
        while !canary.len().is_multiple_of(3) {
            canary.push('!');
        }
        format!("data:image/jpeg;base64,{}", base64(canary.as_bytes()))
    }

    /// Something that is secret and was not made here.
    pub(crate) fn adopt(&mut self, canary: &str) {
        self.all.push(canary.to_owned());
    }

    /// Looks for them in bytes, also as base64 at every offset and in hexadecimal.
    pub(crate) fn look_for(&self, bytes: &[u8], where_it_left: &str) {
        if let Some((canary, how)) = self.find(bytes) {
            panic!("{canary}{how}, {where_it_left}");
        }
    }

    /// The first of them that is in bytes, and how.
    fn find(&self, bytes: &[u8]) -> Option<(&str, &str)> {
        let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        self.all.iter().find_map(|canary| {
            let hex: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
            let in_base64 = || {
                (0..3).any(|offset| {
                    // The characters of base64 that do not depend on what stands beside.
                    let padded = [&vec![b' '; offset], canary.as_bytes()].concat();
                    let encoded = base64(&padded[..padded.len() / 3 * 3]);
                    has(&encoded[4..])
                })
            };
            let how = match () {
                () if has(canary) => "",
                () if has(&hex) => " in hexadecimal",
                () if in_base64() => " as base64",
                () => return None,
            };
            Some((canary.as_str(), how))
        })
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks_exact(3) {
        let word = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for shift in [18, 12, 6, 0] {
            text.push(char::from(DIGITS[(word >> shift) as usize & 63]));
        }
    }
    text
}

/// What a driver writes for an upload, as the core wants it: the request and its headers. A body that is
/// not to be encrypted would be the file as it is; that an encrypted one is, with nothing else of the
/// file beside it, the driver's own tests show (`crates/tui/tests/wire.rs`).
pub(crate) fn request(transfer: &Transfer) -> Vec<u8> {
    let Transfer::Upload { file, url, headers, cipher } = transfer else { return Vec::new() };
    let headers = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    let body = cipher.as_ref().map_or(file.0.as_str(), |_| "");
    format!("PUT {url}\r\n{}\r\n{body}", headers.collect::<String>()).into_bytes()
}

/// A row of a table in `docs/encryption.md`, and the elements that it means: name and namespace.
type Row = (&'static str, &'static [(&'static str, &'static str)]);

/// What stands in plain sight in every conversation.
pub(crate) const ALWAYS: &[Row] = &[
    ("the ids of messages (`id`, `origin-id`, `stanza-id`)", &[("origin-id", ns::STANZA_ID)]),
    (
        "hints to the server: keep this, or do not (XEP-0334)",
        &[("store", ns::HINTS), ("no-store", ns::HINTS)],
    ),
    (
        "that it is a text or a file, encrypted with which version (XEP-0380)",
        &[("encryption", ns::ENCRYPTION)],
    ),
    (
        "that somebody is writing, or stopped (XEP-0085)",
        &[("composing", ns::CHAT_STATES), ("active", ns::CHAT_STATES)],
    ),
];

/// What stands there as well when a device with the older version only takes part.
pub(crate) const OLDER: &[Row] = &[
    (
        "receipts and read markers (XEP-0184, XEP-0333)",
        &[
            ("request", ns::RECEIPTS),
            ("received", ns::RECEIPTS),
            ("markable", ns::CHAT_MARKERS),
            ("displayed", ns::CHAT_MARKERS),
        ],
    ),
    ("corrections (XEP-0308)", &[("replace", ns::CORRECT)]),
    ("replies (XEP-0461)", &[("reply", ns::REPLY)]),
    ("retractions (XEP-0424)", &[("retract", ns::RETRACT)]),
    ("reactions (XEP-0444)", &[("reply", ns::REPLY)]),
];

/// What stands there when no device has the newer version.
pub(crate) const OLDER_ALONE: &[Row] =
    &[("a text for programs without OMEMO", &[("body", ns::CLIENT)])];

const FALLBACK: &str = "This message is encrypted with OMEMO, which this program cannot read.";

/// The first column of the tables in the documentation.
pub(crate) fn documented() -> Vec<&'static str> {
    let text = include_str!("../../../../docs/encryption.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    rows.filter(|first| *first != "what").collect()
}

/// The elements of some rows.
pub(crate) fn elements(rows: &[&[Row]]) -> BTreeSet<(String, String)> {
    let rows = rows.iter().flat_map(|rows| rows.iter());
    let elements = rows.flat_map(|(_, elements)| elements.iter());
    elements.map(|(name, ns)| ((*name).to_owned(), (*ns).to_owned())).collect()
}

/// What stands beside the encrypted parts of messages. None of it has a content.
pub(crate) fn in_plain_sight<'a>(
    messages: impl Iterator<Item = &'a Element>,
) -> BTreeSet<(String, String)> {
    let children = messages.flat_map(Element::children);
    let beside = children.filter(|child| {
        child.name() != "encrypted" || ![ns::OMEMO, ns::OMEMO_LEGACY].contains(&child.ns())
    });
    let named = beside.map(|child| {
        let empty = child.nodes().is_empty();
        assert!(empty || (child.is("body", ns::CLIENT) && child.text() == FALLBACK), "{child:?}");
        (child.name().to_owned(), child.ns().to_owned())
    });
    named.collect()
}

#[test]
fn the_strings_would_be_found() {
    let mut canaries = Canaries::default();
    let canary = canaries.hatch("plain");
    let how = |text: String| canaries.find(text.as_bytes()).map(|(_, how)| how.to_owned());
    assert_eq!(how("nothing of it".into()), None);
    assert_eq!(how(format!("before {canary} after")).as_deref(), Some(""));
    assert_eq!(base64(b"hello, Bob!."), "aGVsbG8sIEJvYiEu");
    let encoded = base64(format!("12{canary}345678").as_bytes());
    assert_eq!(how(encoded).as_deref(), Some(" as base64"));
}
