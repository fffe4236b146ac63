//! XEP-0220: Server Dialback 1.1.1, its elements and keys

use crate::error::{Condition, StanzaError};
use crate::jid::domain_part;
use crate::ns;
use crate::sasl::Hash;
use crate::stanza::Stanza;
use crate::xml::Element;

/// Longest key that is taken; ours have 64 characters.
const MAX_KEY_BYTES: usize = 1024;

/// `<db:result/>` or `<db:verify/>` with a key: somebody claims to be a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who sends the element. In a result the domain that wants to be believed, in a verify the one
    /// that wants to know.
    pub from: String,
    /// Whom it is addressed to.
    pub to: String,
    /// The stream the key was made for; `None` in a result, where it is the stream it comes on.
    pub id: Option<String>,
    /// The key.
    pub key: String,
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The key is right.
    Valid,
    /// It is not.
    Invalid,
    /// It could not be found out (§2.4).
    Error(Condition),
}

impl Claim {
    /// Reads either element with a key; `None` when it is an answer or addressed badly.
    #[must_use]
    pub fn parse(stanza: &Stanza) -> Option<Self> {
        if stanza.ns() != ns::DIALBACK || stanza.type_().is_some() {
            return None;
        }
        let domain = |text: &str| domain_part(text).ok().map(|domain| domain.as_str().to_owned());
        let key = stanza.element().text();
        let key = key.trim();
        let id = stanza.id().map(|id| id.into_owned());
        let id = match stanza.name() {
            "result" => None,
            "verify" => Some(id?),
            _ => return None,
        };
        (!key.is_empty() && key.len() <= MAX_KEY_BYTES).then_some(())?;
        Some(Self {
            from: domain(&stanza.from()?)?,
            to: domain(&stanza.to()?)?,
            id,
            key: key.to_owned(),
        })
    }

    /// The element that carries the claim.
    #[must_use]
    pub fn element(&self) -> Element {
        let name = if self.id.is_some() { "verify" } else { "result" };
        Element::new(name, ns::DIALBACK)
            .with_attr("from", &self.from)
            .with_attr("to", &self.to)
            .with_attr_opt("id", self.id.as_deref())
            .with_text(&self.key)
    }

    /// The answer to it.
    #[must_use]
    pub fn answer(&self, verdict: &Verdict) -> Element {
        let name = if self.id.is_some() { "verify" } else { "result" };
        let element = Element::new(name, ns::DIALBACK)
            .with_attr("from", &self.to)
            .with_attr("to", &self.from)
            .with_attr_opt("id", self.id.as_deref());
        match verdict {
            Verdict::Valid => element.with_attr("type", "valid"),
            Verdict::Invalid => element.with_attr("type", "invalid"),
            Verdict::Error(condition) => element
                .with_attr("type", "error")
                .with_child(StanzaError::new(*condition).element()),
        }
    }
}

impl Verdict {
    /// Reads an answer; `None` when it is a claim.
    #[must_use]
    pub fn parse(stanza: &Stanza) -> Option<Self> {
        match stanza.type_()?.as_ref() {
            "valid" => Some(Self::Valid),
            "invalid" => Some(Self::Invalid),
            "error" => {
                let error = stanza.element();
                let error = error.child("error", ns::CLIENT);
                let mut names = error.into_iter().flat_map(Element::children);
                let condition = names.find_map(|child| Condition::from_name(child.name()));
                Some(Self::Error(condition.unwrap_or(Condition::UndefinedCondition)))
            }
            _ => None,
        }
    }
}

/// The key by which `originating` proves to `receiving`, on the stream `id`, that it is itself.
///
/// Each part goes in with its length in front, so that no two different claims have one key. Which
/// computation is used is nobody's business but the originating server's (XEP-0185 only proposes
/// one).
#[must_use]
pub fn key(secret: &[u8], receiving: &str, originating: &str, id: &str) -> String {
    let lengths = [receiving, originating, id].map(|part| (part.len() as u64).to_be_bytes());
    let [first, second, third] = &lengths;
    let parts: [&[u8]; 6] =
        [first, receiving.as_bytes(), second, originating.as_bytes(), third, id.as_bytes()];
    let mac = Hash::Sha256.hmac(secret, &parts);
    mac.iter().fold(String::with_capacity(64), |mut hex, byte| {
        for half in [byte >> 4, byte & 15] {
            hex.extend(char::from_digit(u32::from(half), 16));
        }
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Limits;

    fn stanza(element: &Element) -> Stanza {
        Stanza::parse(element.to_bytes(ns::CLIENT), &Limits::SERVER).unwrap()
    }

    fn claim(id: Option<&str>) -> Claim {
        Claim {
            from: "capulet.example".into(),
            to: "montague.example".into(),
            id: id.map(Into::into),
            key: "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3".into(),
        }
    }

    #[test]
    fn claims_survive_a_round_trip() {
        for claim in [claim(None), claim(Some("D60000229F"))] {
            assert_eq!(Claim::parse(&stanza(&claim.element())), Some(claim));
        }
    }

    #[test]
    fn answers_are_told_apart_from_claims() {
        let claim = claim(Some("D60000229F"));
        for verdict in
            [Verdict::Valid, Verdict::Invalid, Verdict::Error(Condition::RemoteServerTimeout)]
        {
            let answer = stanza(&claim.answer(&verdict));
            assert_eq!(Claim::parse(&answer), None);
            assert_eq!(Verdict::parse(&answer), Some(verdict));
            assert_eq!(answer.from().as_deref(), Some("montague.example"));
            assert_eq!(answer.id().as_deref(), Some("D60000229F"));
        }
        assert_eq!(Verdict::parse(&stanza(&claim.element())), None);
    }

    #[test]
    fn a_claim_without_addresses_or_key_is_none() {
        let bad = [
            Element::new("result", ns::DIALBACK).with_attr("to", "a.example").with_text("k"),
            Element::new("verify", ns::DIALBACK)
                .with_attr("from", "a.example")
                .with_attr("to", "b.example")
                .with_text("k"),
            Element::new("result", ns::DIALBACK)
                .with_attr("from", "a.example")
                .with_attr("to", "b.example"),
            Element::new("result", ns::DIALBACK)
                .with_attr("from", "a@a.example")
                .with_attr("to", "b.example")
                .with_text("k"),
        ];
        for element in bad {
            assert_eq!(Claim::parse(&stanza(&element)), None);
        }
    }

    #[test]
    fn moving_a_letter_between_the_parts_changes_the_key() {
        let one = key(b"secret", "a.example", "b.example", "id");
        assert_eq!(one.len(), 64);
        assert_ne!(one, key(b"secret", "a.exampleb", ".example", "id"));
        assert_ne!(one, key(b"secret", "a.example", "b.examplei", "d"));
        assert_ne!(one, key(b"other", "a.example", "b.example", "id"));
    }
}
