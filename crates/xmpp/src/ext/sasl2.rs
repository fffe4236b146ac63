//! XEP-0388: Extensible SASL Profile 1.0.4

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::ns;
use crate::sasl::{Condition, Failure};
use crate::xml::Element;

/// What a client says about itself. For the account's owner only: never shown to anybody else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserAgent {
    /// A UUID that stays the same for one installation, in lower case.
    pub id: Option<String>,
    /// The program.
    pub software: Option<String>,
    /// The machine.
    pub device: Option<String>,
}

impl UserAgent {
    /// Reads `<user-agent/>`. An id that is no UUID is ignored, long texts are cut.
    #[must_use]
    pub fn parse(element: &Element) -> Self {
        let text = |name| {
            let child: &Element = element.child(name, ns::SASL2)?;
            let text: String = child.text().trim().chars().take(MAX_TEXT_CHARS).collect();
            (!text.is_empty()).then_some(text)
        };
        let id = element.attr("id").filter(|id| is_uuid(id)).map(str::to_ascii_lowercase);
        Self { id, software: text("software"), device: text("device") }
    }

    /// Writes `<user-agent/>`.
    #[must_use]
    pub fn element(&self) -> Element {
        let text = |name, text: &Option<String>| {
            text.as_ref().map(|text| Element::new(name, ns::SASL2).with_text(text))
        };
        Element::new("user-agent", ns::SASL2)
            .with_attr_opt("id", self.id.as_deref())
            .with_children(text("software", &self.software))
            .with_children(text("device", &self.device))
    }
}

/// A client's `<authenticate/>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticate {
    /// The mechanism's name.
    pub mechanism: String,
    /// The initial response, still as base64.
    pub initial_response: Option<String>,
    /// What the client says about itself.
    pub user_agent: Option<UserAgent>,
    /// Requests of other protocols.
    pub inline: Vec<Element>,
}

impl Authenticate {
    /// Reads the element; without a mechanism its name is empty, which no mechanism has.
    #[must_use]
    pub fn parse(element: &Element) -> Self {
        let response = element.child("initial-response", ns::SASL2);
        let user_agent = element.child("user-agent", ns::SASL2);
        let inline = element.children().filter(|child| child.ns() != ns::SASL2);
        Self {
            mechanism: element.attr("mechanism").unwrap_or_default().to_owned(),
            initial_response: response.map(Element::text),
            user_agent: user_agent.map(UserAgent::parse),
            inline: inline.cloned().collect(),
        }
    }

    /// Writes the element.
    #[must_use]
    pub fn element(&self) -> Element {
        let response = self.initial_response.as_ref();
        Element::new("authenticate", ns::SASL2)
            .with_attr("mechanism", &self.mechanism)
            .with_children(
                response.map(|text| Element::new("initial-response", ns::SASL2).with_text(text)),
            )
            .with_children(self.user_agent.as_ref().map(UserAgent::element))
            .with_children(self.inline.iter().cloned())
    }

    /// The request of another protocol.
    #[must_use]
    pub fn request(&self, name: &str, ns: &str) -> Option<&Element> {
        self.inline.iter().find(|child| child.is(name, ns))
    }
}

/// A server's `<success/>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Success {
    /// The mechanism's last message.
    pub additional_data: Option<Vec<u8>>,
    /// The bare JID, or the full one if a resource was bound.
    pub authorization_identifier: String,
    /// What became of the requests of other protocols.
    pub inline: Vec<Element>,
}

impl Success {
    /// Reads the element; `None` without an identifier or with data that is no base64.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        let data = element.child("additional-data", ns::SASL2);
        let additional_data = match data {
            Some(data) => Some(BASE64_STANDARD.decode(data.text().trim()).ok()?),
            None => None,
        };
        let inline = element.children().filter(|child| child.ns() != ns::SASL2);
        Some(Self {
            additional_data,
            authorization_identifier: element
                .child("authorization-identifier", ns::SASL2)?
                .text()
                .trim()
                .to_owned(),
            inline: inline.cloned().collect(),
        })
    }

    /// Writes the element.
    #[must_use]
    pub fn element(&self) -> Element {
        let data = self.additional_data.as_ref().map(|data| BASE64_STANDARD.encode(data));
        let identifier = Element::new("authorization-identifier", ns::SASL2)
            .with_text(&self.authorization_identifier);
        Element::new("success", ns::SASL2)
            .with_children(
                data.map(|data| Element::new("additional-data", ns::SASL2).with_text(data)),
            )
            .with_child(identifier)
            .with_children(self.inline.iter().cloned())
    }
}

/// Writes `<failure/>`, of this profile or, with `ns::SASL`, of RFC 6120.
#[must_use]
pub fn failure(failure: &Failure, ns: &'static str) -> Element {
    let text = failure.text.as_ref();
    Element::new("failure", ns)
        .with_child(Element::new(failure.condition.name(), ns::SASL))
        .with_children(
            text.map(|text| Element::new("text", ns).with_attr("xml:lang", "en").with_text(text)),
        )
}

/// Reads `<failure/>` of either profile; unknown conditions count as `not-authorized`.
#[must_use]
pub fn parse_failure(element: &Element) -> Failure {
    let condition = element
        .children()
        .filter(|child| child.ns() == ns::SASL)
        .find_map(|child| Condition::from_name(child.name()));
    let text = element.children().find(|child| child.name() == "text").map(Element::text);
    Failure { condition: condition.unwrap_or(Condition::NotAuthorized), text }
}

/// The pattern of the XEP's schema.
fn is_uuid(id: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut parts = id.split('-');
    let fits = lengths.into_iter().all(|length| {
        parts.next().is_some_and(|part| {
            part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    });
    fits && parts.next().is_none()
}

/// Enough for the names of programs and machines.
const MAX_TEXT_CHARS: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn agent() -> UserAgent {
        UserAgent {
            id: Some("d4565fa7-4d72-4749-b3d3-740edbf87770".into()),
            software: Some("AwesomeXMPP".into()),
            device: Some("Kiva's Phone".into()),
        }
    }

    #[test]
    fn a_request_survives_a_round_trip() {
        let request = Authenticate {
            mechanism: "SCRAM-SHA-1".into(),
            initial_response: Some("bixh".into()),
            user_agent: Some(agent()),
            inline: vec![Element::new("bind", ns::BIND2)],
        };
        assert_eq!(Authenticate::parse(&request.element()), request);
        assert!(request.request("bind", ns::BIND2).is_some());
    }

    #[test]
    fn a_success_survives_a_round_trip() {
        let success = Success {
            additional_data: Some(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=".to_vec()),
            authorization_identifier: "juliet@montague.example/Balcony".into(),
            inline: vec![Element::new("bound", ns::BIND2)],
        };
        assert_eq!(Success::parse(&success.element()), Some(success));
        assert_eq!(Success::parse(&Element::new("success", ns::SASL2)), None);
    }

    #[test]
    fn failures_survive_a_round_trip_in_both_profiles() {
        for profile in [ns::SASL, ns::SASL2] {
            let sent = Failure::new(Condition::AccountDisabled).with_text("Ask Rosaline.");
            assert_eq!(parse_failure(&failure(&sent, profile)), sent);
        }
    }

    #[test]
    fn an_id_that_is_no_uuid_is_ignored() {
        let mut element = agent().element();
        element.set_attr("id", "my-phone");
        assert_eq!(UserAgent::parse(&element), UserAgent { id: None, ..agent() });
        element.set_attr("id", "D4565FA7-4D72-4749-B3D3-740EDBF87770");
        assert_eq!(UserAgent::parse(&element), agent());
    }
}
