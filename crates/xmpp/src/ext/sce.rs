//! XEP-0420: Stanza Content Encryption 0.5.0
//!
//! What is encrypted instead of a body: the children of a stanza, and what protects them against
//! being moved to another stanza.

use crate::jid::{BareJid, Jid};
use crate::ns;
use crate::time::Millis;
use crate::xml::{Element, Limits};

/// Bytes of one envelope, padding included.
pub const MAX_BYTES: usize = 256 * 1024;
/// How long before it reached a server an envelope may have been closed: it may have waited for
/// the network.
pub const MAX_AGE: u64 = 7 * DAY;
/// How much later than the server's the clock of its sender may show: one day, for wrong time
/// zones.
pub const MAX_AHEAD: u64 = DAY;

const DAY: u64 = 24 * 60 * 60 * 1000;

/// What is read of an envelope: it came from somebody.
const LIMITS: Limits =
    Limits { element_bytes: MAX_BYTES, depth: 32, skip_oversized: false, ..Limits::CLIENT };

/// `<envelope/>`, without its padding.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Envelope {
    /// The children of the stanza.
    pub content: Vec<Element>,
    /// When it was closed.
    pub time: Option<Millis>,
    /// To whom; the room in rooms.
    pub to: Option<Jid>,
    /// From whom.
    pub from: Option<Jid>,
}

/// How a stanza contradicts the envelope in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// It comes from somebody else.
    #[error("the envelope is from somebody else")]
    From,
    /// It was meant for somebody else.
    #[error("the envelope is for somebody else")]
    To,
    /// It was closed at another time.
    #[error("the envelope is of another time")]
    Time,
}

impl Envelope {
    /// Reads decrypted bytes. `None` when they are no envelope, not exactly one element, or when
    /// an affix is there that cannot be read. Content that only servers may add is dropped.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let envelope = Element::parse(bytes, &LIMITS).ok()?;
        if !envelope.is("envelope", ns::SCE) {
            return None;
        }
        let address = |name: &str| match envelope.child(name, ns::SCE) {
            Some(affix) => Jid::new(affix.attr("jid")?).ok().map(Some),
            None => Some(None),
        };
        let time = match envelope.child("time", ns::SCE) {
            Some(affix) => Some(parse_time(affix.attr("stamp")?)?),
            None => None,
        };
        let (to, from) = (address("to")?, address("from")?);
        let content = envelope.into_children().find(|child| child.is("content", ns::SCE))?;
        let content = content.into_children().filter(|child| !is_for_servers(child)).collect();
        Some(Envelope { content, time, to, from })
    }

    /// The bytes to encrypt. `padding` is random text without meaning.
    #[must_use]
    pub fn to_bytes(&self, padding: &str) -> Vec<u8> {
        let affix =
            |name: &str, jid: &Jid| Element::new(name, ns::SCE).with_attr("jid", jid.as_str());
        let time = |time: &Millis| Element::new("time", ns::SCE).with_attr("stamp", time.xep0082());
        let content = self.content.iter().filter(|child| !is_for_servers(child)).cloned();
        let envelope = Element::new("envelope", ns::SCE)
            .with_child(Element::new("content", ns::SCE).with_children(content))
            .with_children(self.time.iter().map(time))
            .with_children(self.to.iter().map(|jid| affix("to", jid)))
            .with_children(self.from.iter().map(|jid| affix("from", jid)))
            .with_child(Element::new("rpad", ns::SCE).with_text(padding));
        let mut bytes = Vec::with_capacity(512);
        envelope.write(&mut bytes, "");
        bytes
    }

    /// Compares the affixes that are there with the stanza that brought them: who sent it, to whom
    /// it was addressed, and when a server had it, where that is known.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn verify(
        &self,
        from: &BareJid,
        to: &BareJid,
        received: Option<Millis>,
    ) -> Result<(), Mismatch> {
        let differs = |affix: &Option<Jid>, jid: &BareJid| {
            affix.as_ref().is_some_and(|affix| affix.to_bare() != *jid)
        };
        if differs(&self.from, from) {
            return Err(Mismatch::From);
        }
        if differs(&self.to, to) {
            return Err(Mismatch::To);
        }
        match (self.time, received) {
            (Some(closed), Some(received))
                if received.since(closed) > MAX_AGE || closed.since(received) > MAX_AHEAD =>
            {
                Err(Mismatch::Time)
            }
            _ => Ok(()),
        }
    }
}

/// Whether an element says something that only counts when a server could see it (§7), or that
/// would let its sender speak for a server.
#[must_use]
pub fn is_for_servers(element: &Element) -> bool {
    match element.ns() {
        ns::HINTS
        | ns::ADDRESS
        | ns::ENCRYPTION
        | ns::OMEMO_LEGACY
        | ns::SCE
        | ns::CARBONS
        | ns::MAM
        | ns::FORWARD
        | ns::DELAY
        | ns::LEGACY_DELAY
        | ns::PUBSUB_EVENT
        | ns::MUC_USER
        | ns::STANZA_ERRORS => true,
        ns::STANZA_ID => element.name() == "stanza-id",
        ns::OMEMO => element.name() == "encrypted",
        ns::CLIENT => element.name() == "error",
        _ => false,
    }
}

/// How many characters of padding make an envelope of `length` bytes as long as many others are:
/// 256, 512, 1024, 2048 or 4096 bytes, then the next multiple of 4096.
#[must_use]
pub fn padding_for(length: usize) -> usize {
    let small = [256, 512, 1024, 2048, 4096].into_iter().find(|bucket| length <= *bucket);
    small.unwrap_or_else(|| length.div_ceil(4096).saturating_mul(4096)).saturating_sub(length)
}

/// XEP-0082; examples of the XEPs leave the zone out, which then is UTC.
fn parse_time(stamp: &str) -> Option<Millis> {
    Millis::parse_xep0082(stamp).or_else(|| Millis::parse_xep0082(&format!("{stamp}Z")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    fn body(text: &str) -> Element {
        Element::new("body", ns::CLIENT).with_text(text)
    }

    fn envelope() -> Envelope {
        Envelope {
            content: vec![body("hi & bye"), Element::new("x", ns::OOB)],
            time: Some(Millis(1_278_802_105_000)),
            to: Some(Jid::new("b@example").unwrap()),
            from: Some(Jid::new("a@example/phone").unwrap()),
        }
    }

    #[test]
    fn an_envelope_survives_the_wire() {
        let bytes = envelope().to_bytes("<&>random");
        assert_eq!(Envelope::parse(&bytes), Some(envelope()));
        assert!(String::from_utf8(bytes).unwrap().contains("<body xmlns='jabber:client'>hi"));
    }

    #[test]
    fn padding_may_be_of_any_length() {
        for length in [0, 1, 5000] {
            assert_eq!(
                Envelope::parse(&envelope().to_bytes(&"x".repeat(length))),
                Some(envelope())
            );
        }
    }

    #[test]
    fn envelopes_within_a_bucket_have_one_length() {
        let length = |text: &str| {
            let envelope = Envelope { content: vec![body(text)], ..Envelope::default() };
            let bare = envelope.to_bytes("x").len() - 1;
            envelope.to_bytes(&"x".repeat(padding_for(bare))).len()
        };
        assert_eq!(length("a"), 256);
        assert_eq!(length("a"), length("as long as this"));
        assert_eq!(length(&"a".repeat(5000)), 8192);
        assert_eq!(padding_for(4096), 0);
        assert_eq!(padding_for(4097), 4095);
    }

    #[test]
    fn the_example_of_the_trust_messages_is_read() {
        let xml = b"<envelope xmlns='urn:xmpp:sce:1'><rpad>QHqW2a</rpad>\
            <time stamp='2020-01-01T12:00:00'/><from jid='alice@example.org/A1'/>\
            <to jid='alice@example.org'/><content><a xmlns='urn:a'/></content></envelope>";
        let envelope = Envelope::parse(xml).unwrap();
        assert_eq!(envelope.time, Millis::parse_xep0082("2020-01-01T12:00:00Z"));
        assert_eq!(envelope.content, [Element::new("a", "urn:a")]);
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        for xml in [
            "",
            "hello",
            "<envelope xmlns='urn:xmpp:sce:0'><content/></envelope>",
            "<envelope xmlns='urn:xmpp:sce:1'/>",
            "<envelope xmlns='urn:xmpp:sce:1'><content/></envelope><a/>",
            "<envelope xmlns='urn:xmpp:sce:1'><content/><from/></envelope>",
            "<envelope xmlns='urn:xmpp:sce:1'><content/><to jid='@'/></envelope>",
            "<envelope xmlns='urn:xmpp:sce:1'><content/><time stamp='now'/></envelope>",
        ] {
            assert_eq!(Envelope::parse(xml.as_bytes()), None, "{xml}");
        }
    }

    #[test]
    fn elements_for_servers_are_dropped_on_both_ways() {
        let inside = [
            Element::new("store", ns::HINTS),
            Element::new("stanza-id", ns::STANZA_ID),
            Element::new("addresses", ns::ADDRESS),
            Element::new("encryption", ns::ENCRYPTION),
            Element::new("encrypted", ns::OMEMO),
            Element::new("error", ns::CLIENT),
            Element::new("received", ns::CARBONS),
        ];
        let mut xml = b"<envelope xmlns='urn:xmpp:sce:1'><content>".to_vec();
        for element in &inside {
            element.write(&mut xml, ns::SCE);
        }
        xml.extend_from_slice(b"<origin-id xmlns='urn:xmpp:sid:0' id='1'/></content></envelope>");
        let kept = vec![Element::new("origin-id", ns::STANZA_ID).with_attr("id", "1")];
        assert_eq!(Envelope::parse(&xml).unwrap().content, kept);
        let envelope = Envelope { content: inside.to_vec(), ..Envelope::default() };
        assert_eq!(Envelope::parse(&envelope.to_bytes("")), Some(Envelope::default()));
    }

    #[test]
    fn affixes_are_compared_with_the_stanza() {
        let at = Millis(1_278_802_105_000);
        let (from, to) = (bare("a@example"), bare("b@example"));
        assert_eq!(envelope().verify(&from, &to, Some(at)), Ok(()));
        assert_eq!(envelope().verify(&to, &to, Some(at)), Err(Mismatch::From));
        assert_eq!(envelope().verify(&from, &from, Some(at)), Err(Mismatch::To));
        let verify_at = |millis| envelope().verify(&from, &to, Some(Millis(millis)));
        assert_eq!(verify_at(at.0 + MAX_AGE), Ok(()));
        assert_eq!(verify_at(at.0 + MAX_AGE + 1), Err(Mismatch::Time));
        assert_eq!(verify_at(at.0 - MAX_AHEAD), Ok(()));
        assert_eq!(verify_at(at.0 - MAX_AHEAD - 1), Err(Mismatch::Time));
        assert_eq!(Envelope::default().verify(&from, &to, None), Ok(()));
    }
}
