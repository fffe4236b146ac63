//! The elements of stream management.

use crate::error::Condition;
use crate::ns;
use crate::stanza::Stanza;
use crate::xml::Element;

/// A client's `<enable/>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enable {
    /// Whether the session shall be resumable.
    pub resume: bool,
    /// For how many seconds the client would like it to be.
    pub max: Option<u32>,
}

impl Enable {
    /// Reads the element.
    #[must_use]
    pub fn parse(element: &Element) -> Self {
        Self {
            resume: matches!(element.attr("resume"), Some("1" | "true")),
            max: element.attr("max").and_then(|max| max.parse().ok()),
        }
    }

    /// Writes the element.
    #[must_use]
    pub fn element(&self) -> Element {
        Element::new("enable", ns::SM)
            .with_attr_opt("resume", self.resume.then_some("true"))
            .with_attr_opt("max", self.max.map(|max| max.to_string()))
    }
}

/// A server's `<enabled/>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Enabled {
    /// The SM-ID, present if the session can be resumed.
    pub id: Option<String>,
    /// For how many seconds it can be.
    pub max: Option<u32>,
    /// Where to connect to resume.
    pub location: Option<String>,
}

impl Enabled {
    /// Reads the element. An id without `resume` is of no use and left out.
    #[must_use]
    pub fn parse(element: &Element) -> Self {
        let resume = matches!(element.attr("resume"), Some("1" | "true"));
        Self {
            id: element.attr("id").filter(|_| resume).map(str::to_owned),
            max: element.attr("max").and_then(|max| max.parse().ok()),
            location: element.attr("location").map(str::to_owned),
        }
    }

    /// Writes the element.
    #[must_use]
    pub fn element(&self) -> Element {
        Element::new("enabled", ns::SM)
            .with_attr_opt("id", self.id.as_deref())
            .with_attr_opt("resume", self.id.as_ref().map(|_| "true"))
            .with_attr_opt("max", self.max.map(|max| max.to_string()))
            .with_attr_opt("location", self.location.as_deref())
    }
}

/// `<resume/>` of a client, `<resumed/>` of a server: which session, and how many stanzas of the
/// other side were handled in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The SM-ID.
    pub previd: String,
    /// The count.
    pub h: u32,
}

impl Resume {
    /// Reads either element; `None` without a count or id, or with an id longer than
    /// [`MAX_ID_BYTES`].
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        let previd = element.attr("previd").filter(|id| id.len() <= MAX_ID_BYTES)?;
        Some(Self { previd: previd.to_owned(), h: parse_count(element.attr("h")?)? })
    }

    /// Writes a client's request.
    #[must_use]
    pub fn request(&self) -> Element {
        self.element("resume")
    }

    /// Writes a server's answer.
    #[must_use]
    pub fn resumed(&self) -> Element {
        self.element("resumed")
    }

    fn element(&self, name: &str) -> Element {
        Element::new(name, ns::SM)
            .with_attr("previd", &self.previd)
            .with_attr("h", self.h.to_string())
    }
}

/// A server's `<failed/>`; `handled` only where a session is known that can no longer be resumed.
#[must_use]
pub fn failed(condition: Condition, handled: Option<u32>) -> Element {
    Element::new("failed", ns::SM)
        .with_attr_opt("h", handled.map(|h| h.to_string()))
        .with_child(Element::new(condition.name(), ns::STANZA_ERRORS))
}

/// What stream management sends between stanzas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nonza {
    /// `<r/>`: how much was handled?
    Request,
    /// `<a/>`: so much was handled.
    Ack(u32),
    /// `<enable/>`.
    Enable(Enable),
    /// `<resume/>`.
    Resume(Resume),
    /// An element of the namespace that is none of these or lacks what it must have.
    Invalid,
}

impl Nonza {
    /// Reads a first-level element; `None` if it is not of stream management.
    #[must_use]
    pub fn parse(stanza: &Stanza) -> Option<Self> {
        if stanza.ns() != ns::SM {
            return None;
        }
        Some(match stanza.name() {
            "r" => Self::Request,
            "a" => stanza.attr("h").and_then(|h| parse_count(&h)).map_or(Self::Invalid, Self::Ack),
            "enable" => Self::Enable(Enable::parse(&stanza.element())),
            "resume" => Resume::parse(&stanza.element()).map_or(Self::Invalid, Self::Resume),
            _ => Self::Invalid,
        })
    }
}

/// `<r/>`, ready to be written.
pub const REQUEST: &[u8] = b"<r xmlns='urn:xmpp:sm:3'/>";

/// Appends `<a/>`.
pub fn write_ack(out: &mut Vec<u8>, handled: u32) {
    out.extend_from_slice(b"<a xmlns='urn:xmpp:sm:3' h='");
    out.extend_from_slice(handled.to_string().as_bytes());
    out.extend_from_slice(b"'/>");
}

/// An `xs:unsignedInt`: digits only.
fn parse_count(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// §5: SM-IDs should not be longer.
pub const MAX_ID_BYTES: usize = 4000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_survive_a_round_trip() {
        for enable in [Enable::default(), Enable { resume: true, max: Some(600) }] {
            assert_eq!(Enable::parse(&enable.element()), enable);
        }
        let enabled =
            Enabled { id: Some("some-long-sm-id".into()), max: Some(600), location: None };
        assert_eq!(Enabled::parse(&enabled.element()), enabled);
        let resume = Resume { previd: "some-long-sm-id".into(), h: u32::MAX };
        assert_eq!(Resume::parse(&resume.request()), Some(resume.clone()));
        assert_eq!(Resume::parse(&resume.resumed()), Some(resume));
    }

    #[test]
    fn counts_are_unsigned_and_fit_32_bits() {
        for (text, count) in [("0", Some(0)), ("4294967295", Some(u32::MAX))] {
            assert_eq!(parse_count(text), count);
        }
        for text in ["", "-1", "+1", "4294967296", "1 ", "a"] {
            assert_eq!(parse_count(text), None, "{text}");
        }
    }

    #[test]
    fn acks_are_written() {
        let mut out = Vec::new();
        write_ack(&mut out, 42);
        assert_eq!(out, b"<a xmlns='urn:xmpp:sm:3' h='42'/>");
    }
}
