//! XEP-0480: SASL Upgrade Tasks 0.2.0
//!
//! A client that has proven to know the password gives the server SCRAM keys that it lacks, for hash
//! functions it names beforehand.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::ns;
use crate::sasl::{Digest, Hash, Mechanism};
use crate::xml::Element;

/// What a client needs to compute a salted password (§3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salt {
    /// The hash function of the keys.
    pub hash: Hash,
    /// PBKDF2 rounds.
    pub iterations: u32,
    /// Random bytes.
    pub salt: Vec<u8>,
}

impl Salt {
    /// Writes `<salt/>`, without the `<task-data/>` around it.
    #[must_use]
    pub fn element(&self) -> Element {
        Element::new("salt", ns::SCRAM_UPGRADE)
            .with_attr("iterations", self.iterations.to_string())
            .with_text(BASE64_STANDARD.encode(&self.salt))
    }

    /// Reads what stands in a `<task-data/>` for the task of `hash`; `None` if that is no salt.
    #[must_use]
    pub fn parse(data: &Element, hash: Hash) -> Option<Self> {
        let element = data.child("salt", ns::SCRAM_UPGRADE)?;
        let iterations = element.attr("iterations")?.parse().ok()?;
        let salt = BASE64_STANDARD.decode(element.text().trim()).ok()?;
        (!salt.is_empty()).then_some(Self { hash, iterations, salt })
    }
}

/// The name of the task that makes keys for a hash function: without `-PLUS`, because keys know
/// nothing of channels (§2.1).
#[must_use]
pub fn task(hash: Hash) -> String {
    format!("{PREFIX}{}", Mechanism::Scram(hash).name())
}

/// The hash function that a task is about, if the task is one of ours.
#[must_use]
pub fn parse_task(name: &str) -> Option<Hash> {
    Hash::ALL.into_iter().find(|hash| task(*hash) == name.trim())
}

/// `<upgrade/>`, which offers a task among the server's features and asks for it in a request.
#[must_use]
pub fn upgrade(hash: Hash) -> Element {
    Element::new("upgrade", ns::SASL_UPGRADE).with_text(task(hash))
}

/// The tasks that the `<upgrade/>`s among some elements name, each once; those that nobody here knows
/// are left out.
pub fn upgrades<'a>(elements: impl IntoIterator<Item = &'a Element>) -> Vec<Hash> {
    let named = elements.into_iter().filter(|child| child.is("upgrade", ns::SASL_UPGRADE));
    let named: Vec<Hash> = named.filter_map(|child| parse_task(&child.text())).collect();
    Hash::ALL.into_iter().filter(|hash| named.contains(hash)).collect()
}

/// `<continue/>` (XEP-0388 §2.6.3): there is one task left to do. `data` is the last message of the
/// mechanism, if the client has not got it yet.
#[must_use]
pub fn demand(hash: Hash, data: Option<&[u8]>) -> Element {
    let task = Element::new("task", ns::SASL2).with_text(task(hash));
    Element::new("continue", ns::SASL2)
        .with_children(data.map(|data| {
            Element::new("additional-data", ns::SASL2).with_text(BASE64_STANDARD.encode(data))
        }))
        .with_child(Element::new("tasks", ns::SASL2).with_child(task))
}

/// `<next/>`: the client begins a task.
#[must_use]
pub fn next(hash: Hash) -> Element {
    Element::new("next", ns::SASL2).with_attr("task", task(hash))
}

/// `<task-data/>` with something in it.
#[must_use]
pub fn data(child: Element) -> Element {
    Element::new("task-data", ns::SASL2).with_child(child)
}

/// `<hash/>`, the client's salted password. The text is a secret: do not log the element.
#[must_use]
pub fn salted(password: &Digest) -> Element {
    Element::new("hash", ns::SCRAM_UPGRADE).with_text(BASE64_STANDARD.encode(&**password))
}

/// Reads the salted password from a `<task-data/>`; `None` if there is none of the length that `hash`
/// gives.
#[must_use]
pub fn parse_salted(data: &Element, hash: Hash) -> Option<Digest> {
    let text = data.child("hash", ns::SCRAM_UPGRADE)?.text();
    let bytes = zeroize::Zeroizing::new(BASE64_STANDARD.decode(text.trim()).ok()?);
    Digest::from_slice(hash, &bytes)
}

const PREFIX: &str = "UPGR-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_named_after_the_mechanism_without_channel_binding() {
        assert_eq!(task(Hash::Sha256), "UPGR-SCRAM-SHA-256");
        assert_eq!(parse_task(" UPGR-SCRAM-SHA-512\n"), Some(Hash::Sha512));
        for other in ["UPGR-SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "UPGR-BLOOP2", ""] {
            assert_eq!(parse_task(other), None, "{other}");
        }
        let twice = [upgrade(Hash::Sha512), upgrade(Hash::Sha256), upgrade(Hash::Sha512)];
        assert_eq!(upgrades(&twice), [Hash::Sha256, Hash::Sha512]);
    }

    #[test]
    fn what_is_written_is_read_back_and_what_is_wrong_is_not() {
        let salt = Salt { hash: Hash::Sha256, iterations: 4096, salt: vec![1, 2, 3] };
        assert_eq!(Salt::parse(&data(salt.element()), Hash::Sha256), Some(salt.clone()));
        let empty = Salt { salt: Vec::new(), ..salt };
        assert_eq!(Salt::parse(&data(empty.element()), Hash::Sha256), None);
        let digest = Hash::Sha256.pbkdf2(b"pencil", b"salt", 1);
        let element = data(salted(&digest));
        assert_eq!(parse_salted(&element, Hash::Sha256), Some(digest));
        assert_eq!(parse_salted(&element, Hash::Sha512), None, "another length");
    }
}
