//! XEP-0297: Stanza Forwarding 1.0

use crate::ext::delay::Delay;
use crate::ns;
use crate::xml::Element;

/// A stanza inside another one. Whoever reads it must know who is allowed to wrap: a forwarded
/// stanza claims a sender that nobody has checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Forwarded {
    /// When the forwarding entity received the stanza.
    pub delay: Option<Delay>,
    /// The stanza.
    pub stanza: Element,
}

impl Forwarded {
    /// Reads `<forwarded/>`; `None` for another element or when there is no stanza inside.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("forwarded", ns::FORWARD) {
            return None;
        }
        let stanza = element.children().find(|child| {
            matches!(child.name(), "message" | "presence" | "iq")
                && matches!(child.ns(), ns::CLIENT | ns::SERVER)
        })?;
        let delay = element.child("delay", ns::DELAY).and_then(Delay::parse);
        Some(Forwarded { delay, stanza: stanza.clone() })
    }

    /// Reads the `<forwarded/>` among the children of `parent`.
    #[must_use]
    pub fn child_of(parent: &Element) -> Option<Self> {
        parent.child("forwarded", ns::FORWARD).and_then(Forwarded::parse)
    }

    /// The wrapper as `<forwarded/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        Element::new("forwarded", ns::FORWARD)
            .with_children(self.delay.iter().map(Delay::to_element))
            .with_child(self.stanza.clone())
    }
}

/// Wraps a serialised stanza, without building an element, for the message path.
///
/// `stanza` is one complete element that declares its namespace only when that is not
/// `jabber:client`, as everywhere in this workspace; inside the wrapper it gets the declaration,
/// since it would otherwise inherit the namespace of the wrapper (XEP-0297 §3.2 rule 3).
pub fn write_forwarded(out: &mut Vec<u8>, stanza: &[u8], delay: Option<&Delay>) {
    out.extend_from_slice(b"<forwarded xmlns='urn:xmpp:forward:0'>");
    if let Some(delay) = delay {
        delay.write(out);
    }
    write_with_namespace(out, stanza);
    out.extend_from_slice(b"</forwarded>");
}

/// Writes a serialised stanza so that it means the same inside an element of any namespace.
pub fn write_with_namespace(out: &mut Vec<u8>, stanza: &[u8]) {
    let name_end = stanza
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>'))
        .unwrap_or(stanza.len());
    let (name, rest) = stanza.split_at(name_end);
    out.extend_from_slice(name);
    if !declares_namespace(rest) {
        out.extend_from_slice(b" xmlns='jabber:client'");
    }
    out.extend_from_slice(rest);
}

/// Whether the rest of a start tag, after the name, has an `xmlns` attribute.
fn declares_namespace(mut rest: &[u8]) -> bool {
    loop {
        rest = rest.trim_ascii_start();
        let Some(equals) = rest.iter().position(|byte| matches!(byte, b'=' | b'>')) else {
            return false;
        };
        let (name, value) = rest.split_at(equals);
        let Some((b'=', value)) = value.split_first() else { return false };
        if name.trim_ascii_end() == b"xmlns" {
            return true;
        }
        let Some((quote, value)) = value.trim_ascii_start().split_first() else { return false };
        let Some(end) = value.iter().position(|byte| byte == quote) else { return false };
        rest = value.get(end.saturating_add(1)..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Millis;
    use crate::xml::Limits;

    fn wrapped(stanza: &str, delay: Option<&Delay>) -> String {
        let mut out = Vec::new();
        write_forwarded(&mut out, stanza.as_bytes(), delay);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_stanza_without_namespace_gets_one() {
        assert_eq!(
            wrapped("<message to='a'><body>x</body></message>", None),
            "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' to='a'>\
             <body>x</body></message></forwarded>"
        );
        assert!(wrapped("<message/>", None).contains("<message xmlns='jabber:client'/>"));
    }

    #[test]
    fn a_stanza_with_a_namespace_keeps_it() {
        let stanza = "<iq a=\" xmlns='x' > \"  xmlns = 'jabber:server'/>";
        assert!(wrapped(stanza, None).contains(stanza));
        let misleading = "<iq id='xmlns='><a xmlns='b'/></iq>";
        assert!(wrapped(misleading, None).contains("<iq xmlns='jabber:client' id='xmlns='>"));
    }

    #[test]
    fn what_is_wrapped_can_be_read() {
        let delay = Delay::new(Millis(1_278_802_105_000));
        let xml = wrapped("<message to='a@b'><body>x</body></message>", Some(&delay));
        let element = Element::parse(xml.as_bytes(), &Limits::CLIENT).unwrap();
        let forwarded = Forwarded::parse(&element).unwrap();
        assert_eq!(forwarded.delay, Some(delay));
        assert_eq!(forwarded.stanza.attr("to"), Some("a@b"));
        assert_eq!(Forwarded::parse(&forwarded.to_element()), Some(forwarded));
    }

    #[test]
    fn a_wrapper_without_a_stanza_is_none() {
        assert_eq!(Forwarded::parse(&Element::new("forwarded", ns::FORWARD)), None);
    }
}
