//! RFC 6120 §4.3: the server's features, as a client reads them.

use crate::ext::sasl_upgrade;
use crate::ns;
use crate::sasl::downgrade::Advertised;
use crate::sasl::{Hash, ht};
use crate::stream::server::Profile;
use crate::xml::Element;

/// The server's `<stream:features/>`.
#[derive(Clone, Debug)]
pub struct Offer {
    features: Element,
}

impl Offer {
    /// Takes the element.
    #[must_use]
    pub fn new(features: Element) -> Self {
        Self { features }
    }

    /// The element as it came.
    #[must_use]
    pub fn element(&self) -> &Element {
        &self.features
    }

    /// The feature of this name and namespace.
    #[must_use]
    pub fn feature(&self, name: &str, ns: &str) -> Option<&Element> {
        self.features.child(name, ns)
    }

    /// The mechanism names of a profile; empty if the profile is not offered.
    #[must_use]
    pub fn mechanisms(&self, profile: Profile) -> Vec<String> {
        let (name, ns) = match profile {
            Profile::Sasl => ("mechanisms", ns::SASL),
            Profile::Sasl2 => ("authentication", ns::SASL2),
        };
        let list = self.feature(name, ns).into_iter().flat_map(Element::children);
        list.filter(|child| child.is("mechanism", ns)).map(trimmed).collect()
    }

    /// The channel binding types, `None` without XEP-0440.
    #[must_use]
    pub fn bindings(&self) -> Option<Vec<String>> {
        let list = self.feature("sasl-channel-binding", ns::SASL_CHANNEL_BINDING)?;
        let types = list.children().filter_map(|child| child.attr("type"));
        Some(types.map(str::to_owned).collect())
    }

    /// What SASL2 can do along with the authentication.
    #[must_use]
    pub fn inline(&self, name: &str, ns: &str) -> Option<&Element> {
        self.feature("authentication", ns::SASL2)?.child("inline", ns::SASL2)?.child(name, ns)
    }

    /// Whether Bind 2 can enable this along with the session.
    #[must_use]
    pub fn binds(&self, var: &str) -> bool {
        let inline =
            self.inline("bind", ns::BIND2).and_then(|bind| bind.child("inline", ns::BIND2));
        inline.is_some_and(|inline| inline.children().any(|child| child.attr("var") == Some(var)))
    }

    /// Whether FAST is offered with this method.
    #[must_use]
    pub fn fast(&self, method: ht::Method) -> bool {
        let list = self.inline("fast", ns::FAST).into_iter().flat_map(Element::children);
        list.filter(|child| child.is("mechanism", ns::FAST))
            .any(|child| trimmed(child) == method.name())
    }

    /// The hash functions that the server would take keys for (XEP-0480).
    #[must_use]
    pub fn upgrades(&self) -> Vec<Hash> {
        let authentication = self.feature("authentication", ns::SASL2);
        sasl_upgrade::upgrades(authentication.into_iter().flat_map(Element::children))
    }

    /// What downgrade protection compares.
    pub(super) fn advertised(&self, profile: Profile, tls_version: Option<u16>) -> Advertised {
        Advertised { mechanisms: self.mechanisms(profile), bindings: self.bindings(), tls_version }
    }
}

fn trimmed(element: &Element) -> String {
    element.text().trim().to_owned()
}
