//! XEP-0380: Explicit Message Encryption 0.4.0

use crate::ns;
use crate::xml::Element;

/// Says how a message is encrypted, for those who cannot read it. It names one method even when a
/// message is encrypted with two, so it decides nothing for those who can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    /// The namespace of the method.
    pub namespace: String,
    /// A name for people, of methods that are not known everywhere.
    pub name: Option<String>,
}

impl Encryption {
    /// The note for one of the listed methods, which go without a name.
    #[must_use]
    pub fn new(namespace: impl Into<String>) -> Self {
        Encryption { namespace: namespace.into(), name: None }
    }

    /// Reads `<encryption/>`; `None` for another element and without a namespace.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("encryption", ns::ENCRYPTION) {
            return None;
        }
        Some(Encryption {
            namespace: element.attr("namespace").filter(|it| !it.is_empty())?.to_owned(),
            name: element.attr("name").map(str::to_owned),
        })
    }

    /// The note as `<encryption/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        Element::new("encryption", ns::ENCRYPTION)
            .with_attr("namespace", self.namespace.as_str())
            .with_attr_opt("name", self.name.as_deref())
    }
}

/// What people call a method: the XEP's own list comes before what a sender wrote.
#[must_use]
pub fn known_name(namespace: &str) -> Option<&'static str> {
    match namespace {
        "urn:xmpp:otr:0" => Some("OTR"),
        ns::PGP_LEGACY => Some("Legacy OpenPGP"),
        ns::OPENPGP => Some("OpenPGP for XMPP"),
        ns::OMEMO_LEGACY => Some("OMEMO"),
        "urn:xmpp:omemo:1" => Some("OMEMO 1"),
        ns::OMEMO => Some("OMEMO 2"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_survives_the_wire() {
        for name in [None, Some("Rot 13".to_owned())] {
            let note = Encryption { name, ..Encryption::new("urn:example:rot13") };
            assert_eq!(Encryption::parse(&note.to_element()), Some(note));
        }
        assert_eq!(Encryption::parse(&Element::new("encryption", ns::ENCRYPTION)), None);
        assert_eq!(Encryption::parse(&Element::new("encryption", "urn:other")), None);
    }

    #[test]
    fn listed_methods_have_names() {
        assert_eq!(known_name(ns::OMEMO), Some("OMEMO 2"));
        assert_eq!(known_name("urn:example:rot13"), None);
    }
}
