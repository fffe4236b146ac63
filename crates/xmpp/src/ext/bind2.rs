//! XEP-0386: Bind 2 1.1.0

use crate::jid::{JidError, ResourcePart, resource_part};
use crate::ns;
use crate::sm::Enable;
use crate::xml::Element;

/// A client's `<bind/>` inside `<authenticate/>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bind {
    /// A name for the client that becomes part of its address.
    pub tag: Option<String>,
    /// Enable carbons (XEP-0280).
    pub carbons: bool,
    /// Enable stream management (XEP-0198).
    pub enable: Option<Enable>,
    /// The client is inactive from the start (XEP-0352).
    pub inactive: bool,
    /// Requests of further extensions.
    pub other: Vec<Element>,
}

impl Bind {
    /// Reads the element.
    #[must_use]
    pub fn parse(element: &Element) -> Self {
        let mut bind = Self::default();
        for child in element.children() {
            match (child.name(), child.ns()) {
                ("tag", ns::BIND2) => {
                    let tag: String = child.text().trim().chars().take(MAX_TAG_CHARS).collect();
                    bind.tag = (!tag.is_empty()).then_some(tag);
                }
                ("enable", ns::CARBONS) => bind.carbons = true,
                ("enable", ns::SM) => bind.enable = Some(Enable::parse(child)),
                ("inactive", ns::CSI) => bind.inactive = true,
                ("active", ns::CSI) => bind.inactive = false,
                (_, ns::BIND2) => {}
                _ => bind.other.push(child.clone()),
            }
        }
        bind
    }

    /// Writes the element.
    #[must_use]
    pub fn element(&self) -> Element {
        let tag = self.tag.as_ref().map(|tag| Element::new("tag", ns::BIND2).with_text(tag));
        let carbons = self.carbons.then(|| Element::new("enable", ns::CARBONS));
        let inactive = self.inactive.then(|| Element::new("inactive", ns::CSI));
        Element::new("bind", ns::BIND2)
            .with_children(tag)
            .with_children(carbons)
            .with_children(self.enable.as_ref().map(Enable::element))
            .with_children(inactive)
            .with_children(self.other.iter().cloned())
    }
}

/// The resource of a session: the client's tag and an identifier the server made (§3.2.1). The
/// identifier is random, or derived from account, tag and user agent id with a secret when clients
/// shall keep their addresses; the user agent id itself must not show.
///
/// # Errors
/// If tag and identifier together are no resourcepart. Without the tag a server's own identifier
/// always is one.
pub fn resource(tag: Option<&str>, identifier: &str) -> Result<ResourcePart, JidError> {
    match tag {
        Some(tag) => resource_part(&format!("{tag}/{identifier}")),
        None => resource_part(identifier),
    }
}

/// The server's `<bound/>`.
#[must_use]
pub fn bound(inline: Vec<Element>) -> Element {
    Element::new("bound", ns::BIND2).with_children(inline)
}

/// The stream feature inside SASL2's `<inline/>`.
#[must_use]
pub fn feature<'a>(vars: impl IntoIterator<Item = &'a str>) -> Element {
    let vars = vars.into_iter().map(|var| Element::new("feature", ns::BIND2).with_attr("var", var));
    Element::new("bind", ns::BIND2)
        .with_child(Element::new("inline", ns::BIND2).with_children(vars))
}

/// Tags stand in addresses that every contact sees and stores.
const MAX_TAG_CHARS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_survives_a_round_trip() {
        let bind = Bind {
            tag: Some("AwesomeXMPP".into()),
            carbons: true,
            enable: Some(Enable { resume: true, max: Some(300) }),
            inactive: true,
            other: vec![Element::new("enable", "urn:example:extension")],
        };
        assert_eq!(Bind::parse(&bind.element()), bind);
    }

    #[test]
    fn the_resource_begins_with_the_tag() {
        assert_eq!(resource(Some("App"), "rQ7L").unwrap().as_str(), "App/rQ7L");
        assert_eq!(resource(None, "rQ7L").unwrap().as_str(), "rQ7L");
        assert!(resource(Some("a\u{7}b"), "rQ7L").is_err());
    }
}
