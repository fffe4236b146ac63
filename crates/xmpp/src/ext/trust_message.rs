//! XEP-0434: Trust Messages 0.6.0, as XEP-0450: Automatic Trust Management 0.4.0 uses them
//!
//! Only inside of an envelope (XEP-0420). Whether the sender may say any of it is not decided here.

use super::binary::{decode_array, encode};
use crate::jid::{BareJid, Jid};
use crate::ns;
use crate::xml::Element;

/// Keys in one message; further ones are left out.
pub const MAX_KEYS: usize = 500;

/// `<trust-message/>` about OMEMO keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustMessage {
    /// What the message is for: `urn:xmpp:atm:1`.
    pub usage: String,
    /// Which encryption the keys are of.
    pub encryption: String,
    /// What it says of the keys of each owner.
    pub owners: Vec<KeyOwner>,
}

/// `<key-owner/>`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyOwner {
    /// Whose keys.
    pub jid: BareJid,
    /// Keys that were authenticated, in Ed25519 form.
    pub trust: Vec<[u8; 32]>,
    /// Keys not to be trusted.
    pub distrust: Vec<[u8; 32]>,
}

impl TrustMessage {
    /// A message of automatic trust management about OMEMO keys.
    #[must_use]
    pub fn new(owners: Vec<KeyOwner>) -> Self {
        TrustMessage {
            usage: ns::AUTOMATIC_TRUST.to_owned(),
            encryption: ns::OMEMO.to_owned(),
            owners,
        }
    }

    /// Reads `<trust-message/>`. Keys of another length and owners without a valid address are left
    /// out; `None` for another element, without usage or encryption, and with nothing left.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("trust-message", ns::TRUST_MESSAGES) {
            return None;
        }
        let mut left = MAX_KEYS;
        let owners: Vec<KeyOwner> = element
            .children()
            .filter(|child| child.is("key-owner", ns::TRUST_MESSAGES))
            .filter_map(|child| KeyOwner::parse(child, &mut left))
            .collect();
        if owners.is_empty() {
            return None;
        }
        let attr = |name: &str| element.attr(name).map(str::to_owned);
        Some(TrustMessage { usage: attr("usage")?, encryption: attr("encryption")?, owners })
    }

    /// The message as `<trust-message/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        Element::new("trust-message", ns::TRUST_MESSAGES)
            .with_attr("usage", self.usage.as_str())
            .with_attr("encryption", self.encryption.as_str())
            .with_children(self.owners.iter().map(KeyOwner::to_element))
    }
}

impl KeyOwner {
    /// An owner of whom nothing is said.
    #[must_use]
    pub fn new(jid: BareJid) -> Self {
        KeyOwner { jid, trust: Vec::new(), distrust: Vec::new() }
    }

    fn parse(element: &Element, left: &mut usize) -> Option<Self> {
        let jid = Jid::new(element.attr("jid")?).ok()?.to_bare();
        let mut owner = KeyOwner::new(jid);
        for child in element.children() {
            let list = match child.name() {
                "trust" => &mut owner.trust,
                "distrust" => &mut owner.distrust,
                _ => continue,
            };
            let key = decode_array(&child.text()).filter(|_| *left > 0);
            if let Some(key) = key.filter(|_| child.ns() == ns::TRUST_MESSAGES) {
                list.push(key);
                *left = left.saturating_sub(1);
            }
        }
        (!owner.trust.is_empty() || !owner.distrust.is_empty()).then_some(owner)
    }

    fn to_element(&self) -> Element {
        let new = |name: &str, key: &[u8; 32]| {
            Element::new(name, ns::TRUST_MESSAGES).with_text(encode(key))
        };
        Element::new("key-owner", ns::TRUST_MESSAGES)
            .with_attr("jid", self.jid.as_str())
            .with_children(self.trust.iter().map(|key| new("trust", key)))
            .with_children(self.distrust.iter().map(|key| new("distrust", key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Limits;

    fn parse(xml: &str) -> Option<TrustMessage> {
        TrustMessage::parse(&Element::parse(xml.as_bytes(), &Limits::CLIENT).unwrap())
    }

    #[test]
    fn a_trust_message_survives_the_wire() {
        let owner = |jid: &str| KeyOwner::new(BareJid::new(jid).unwrap());
        let message = TrustMessage::new(vec![
            KeyOwner { trust: vec![[1; 32], [2; 32]], ..owner("alice@example.org") },
            KeyOwner { trust: vec![[3; 32]], distrust: vec![[4; 32]], ..owner("bob@example.com") },
        ]);
        assert_eq!(TrustMessage::parse(&message.to_element()), Some(message));
    }

    #[test]
    fn the_example_of_the_xep_is_read() {
        let message = parse(
            "<trust-message xmlns='urn:xmpp:tm:1' usage='urn:xmpp:atm:1' \
             encryption='urn:xmpp:omemo:2'><key-owner jid='bob@example.com'>\
             <trust>YjVI04NcbTPvXLaA95RO84HPcSvyOgEZ2r5cTyUs0C8=</trust></key-owner>\
             </trust-message>",
        )
        .unwrap();
        assert_eq!(message.usage, ns::AUTOMATIC_TRUST);
        assert_eq!(message.owners[0].trust[0][..4], [0x62, 0x35, 0x48, 0xd3]);
    }

    #[test]
    fn rubbish_is_left_out_and_nothing_is_none() {
        let of = |inner: &str| {
            parse(&format!(
                "<trust-message xmlns='urn:xmpp:tm:1' usage='u' encryption='e'>{inner}\
                 </trust-message>"
            ))
        };
        assert_eq!(of(""), None);
        assert_eq!(of("<key-owner jid='a@b'/>"), None);
        assert_eq!(of("<key-owner jid='a@b'><trust>AAAA</trust></key-owner>"), None);
        let key = encode([1; 32]);
        assert_eq!(of(&format!("<key-owner jid='@'><trust>{key}</trust></key-owner>")), None);
        let mixed = of(&format!(
            "<key-owner jid='a@b'><trust>{key}</trust><trust>*</trust><trust xmlns='x'>{key}\
             </trust></key-owner>"
        ));
        assert_eq!(mixed.unwrap().owners[0].trust, [[1; 32]]);
    }

    #[test]
    fn keys_beyond_the_limit_are_left_out() {
        let jid = BareJid::new("a@b").unwrap();
        let owner = KeyOwner { trust: vec![[1; 32]; MAX_KEYS + 1], ..KeyOwner::new(jid) };
        let read = TrustMessage::parse(&TrustMessage::new(vec![owner]).to_element()).unwrap();
        assert_eq!(read.owners[0].trust.len(), MAX_KEYS);
    }
}
