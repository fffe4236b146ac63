//! XEP-0203: Delayed Delivery 2.0

use crate::jid::Jid;
use crate::ns;
use crate::time::Millis;
use crate::xml::{Element, escape_attribute_into, escape_into};

/// When a stanza was sent that arrives late, and who held it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delay {
    /// Who sent or held the stanza. Anybody can write anything here: believe it only when the
    /// stanza comes from an entity that may say so.
    pub from: Option<Jid>,
    /// When the stanza was first sent.
    pub stamp: Millis,
    /// A reason for people.
    pub reason: Option<String>,
}

impl Delay {
    /// A delay without sender and reason.
    #[must_use]
    pub fn new(stamp: Millis) -> Self {
        Delay { from: None, stamp, reason: None }
    }

    /// Sets who held the stanza.
    #[must_use]
    pub fn with_from(mut self, from: impl Into<Jid>) -> Self {
        self.from = Some(from.into());
        self
    }

    /// Reads `<delay/>`; `None` for another element or without a readable time.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("delay", ns::DELAY) {
            return None;
        }
        Some(Delay {
            from: element.attr("from").and_then(|from| Jid::new(from).ok()),
            stamp: Millis::parse_xep0082(element.attr("stamp")?)?,
            reason: Some(element.text()).filter(|reason| !reason.trim().is_empty()),
        })
    }

    /// The delay as `<delay/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let element = Element::new("delay", ns::DELAY)
            .with_attr_opt("from", self.from.as_ref().map(Jid::as_str))
            .with_attr("stamp", self.stamp.xep0082());
        match &self.reason {
            Some(reason) => element.with_text(reason.as_str()),
            None => element,
        }
    }

    /// Writes the delay without building an element, for the message path.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<delay xmlns='urn:xmpp:delay'");
        if let Some(from) = &self.from {
            out.extend_from_slice(b" from='");
            escape_attribute_into(out, from.as_str());
            out.push(b'\'');
        }
        out.extend_from_slice(b" stamp='");
        out.extend_from_slice(self.stamp.xep0082().as_bytes());
        match &self.reason {
            Some(reason) => {
                out.extend_from_slice(b"'>");
                escape_into(out, reason);
                out.extend_from_slice(b"</delay>");
            }
            None => out.extend_from_slice(b"'/>"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Limits;

    #[test]
    fn a_delay_survives_the_wire() {
        let delay = Delay {
            reason: Some("held & kept".into()),
            ..Delay::new(Millis(1_278_802_105_000)).with_from(Jid::new("capulet.example").unwrap())
        };
        assert_eq!(Delay::parse(&delay.to_element()), Some(delay.clone()));
        let mut bytes = Vec::new();
        delay.write(&mut bytes);
        assert_eq!(Delay::parse(&Element::parse(&bytes, &Limits::CLIENT).unwrap()), Some(delay));
    }

    #[test]
    fn the_short_form_is_written_as_in_the_xep() {
        let mut bytes = Vec::new();
        Delay::new(Millis(1_278_802_105_000)).write(&mut bytes);
        let delay = Delay::parse(&Element::parse(&bytes, &Limits::CLIENT).unwrap()).unwrap();
        assert_eq!(delay, Delay::new(Millis(1_278_802_105_000)));
    }

    #[test]
    fn an_unreadable_time_is_no_delay() {
        let element = Element::new("delay", ns::DELAY).with_attr("stamp", "yesterday");
        assert_eq!(Delay::parse(&element), None);
        assert_eq!(Delay::parse(&Element::new("delay", ns::DELAY)), None);
    }
}
