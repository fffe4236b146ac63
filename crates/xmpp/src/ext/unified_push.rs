//! UnifiedPush over XMPP: <https://codeberg.org/iNPUTmice/up>
//!
//! A client that takes notifications for other applications of its device ([`Register`]) gets an address
//! for each of them ([`registered`]); what is posted there comes as [`push`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::ns;
use crate::time::Millis;
use crate::xml::Element;

/// A name that the client made for something of its own: a hash, which says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Name(pub [u8; 32]);

/// `<register/>`: an application wants an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// The application.
    pub application: Name,
    /// Which of the addresses of that application.
    pub instance: Name,
}

impl Register {
    /// Reads `<register/>`; `None` when a name is missing or is no SHA-256 hash in base64, as which the
    /// server would have to keep texts of any kind and length.
    #[must_use]
    pub fn parse(register: &Element) -> Option<Self> {
        if !register.is("register", ns::UNIFIED_PUSH) {
            return None;
        }
        let name = |attribute: &str| Name::parse(register.attr(attribute)?);
        Some(Self { application: name("application")?, instance: name("instance")? })
    }
}

impl Name {
    fn parse(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok()?.try_into().ok().map(Name)
    }

    fn text(self) -> String {
        STANDARD.encode(self.0)
    }
}

/// `<registered/>`: the address, and when the client has to ask again.
#[must_use]
pub fn registered(endpoint: &str, expiration: Millis) -> Element {
    Element::new("registered", ns::UNIFIED_PUSH)
        .with_attr("endpoint", endpoint)
        .with_attr("expiration", expiration.xep0082())
}

/// `<push/>`: what was posted to the address of an application.
#[must_use]
pub fn push(register: Register, payload: &[u8]) -> Element {
    Element::new("push", ns::UNIFIED_PUSH)
        .with_attr("application", register.application.text())
        .with_attr("instance", register.instance.text())
        .with_text(STANDARD.encode(payload))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Limits;

    const APPLICATION: &str = "bK3sdmrbtj3bf6XA2S12b8jJUA5TT1dhPEyeoZfVSRM=";
    const INSTANCE: &str = "EtD/1XPLmoIph7W73CZ/uyv6FAnhEAXY1GySHX17vAw=";

    fn register(application: &str, instance: &str) -> Option<Register> {
        let xml = format!(
            "<register xmlns='{}' application='{application}' instance='{instance}'/>",
            ns::UNIFIED_PUSH
        );
        Register::parse(&Element::parse(xml.as_bytes(), &Limits::SERVER).unwrap())
    }

    #[test]
    fn names_come_back_as_they_were_given() {
        let known = register(APPLICATION, INSTANCE).unwrap();
        let push = push(known, b"title=Test&message=With+UnifiedPush&priority=5&");
        assert_eq!(push.attr("application"), Some(APPLICATION));
        assert_eq!(push.attr("instance"), Some(INSTANCE));
        let text = "dGl0bGU9VGVzdCZtZXNzYWdlPVdpdGgrVW5pZmllZFB1c2gmcHJpb3JpdHk9NSY=";
        assert_eq!(push.text(), text);
    }

    #[test]
    fn only_hashes_are_names() {
        let short = STANDARD.encode([1; 31]);
        let long = STANDARD.encode([1; 33]);
        // The last character has bits that stand for nothing.
        let crooked = "bK3sdmrbtj3bf6XA2S12b8jJUA5TT1dhPEyeoZfVSRN=";
        for bad in ["", "org.example.app", "é", &short, &long, crooked] {
            assert_eq!(register(bad, INSTANCE), None, "{bad}");
            assert_eq!(register(APPLICATION, bad), None, "{bad}");
        }
        let other = Element::new("push", ns::UNIFIED_PUSH)
            .with_attr("application", APPLICATION)
            .with_attr("instance", INSTANCE);
        assert_eq!(Register::parse(&other), None);
    }

    #[test]
    fn an_address_has_an_end() {
        let element = registered("https://a.example/push/x", Millis(0));
        assert_eq!(element.attr("endpoint"), Some("https://a.example/push/x"));
        assert_eq!(element.attr("expiration").map(Millis::parse_xep0082), Some(Some(Millis(0))));
    }
}
