//! XEP-0030: Service Discovery 2.5.0, with the extended information of XEP-0128 1.0.1
//!
//! What an entity is and can ([`Info`]) and what it holds ([`Items`]). Parsing skips what makes no
//! sense (an identity without category, an item without a valid address) instead of failing.

use crate::ext::form::Form;
use crate::ext::rsm;
use crate::jid::Jid;
use crate::ns;
use crate::xml::Element;

/// One `<identity/>`: what kind of entity this is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The category, such as `server` or `pubsub`.
    pub category: String,
    /// The type within the category, such as `im` or `pep`.
    pub kind: String,
    /// The language of the name.
    pub lang: Option<String>,
    /// A name for people.
    pub name: Option<String>,
}

/// The answer to disco#info, and with all lists empty also the question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Info {
    /// The node that was asked for.
    pub node: Option<String>,
    /// What the entity is.
    pub identities: Vec<Identity>,
    /// What the entity can.
    pub features: Vec<String>,
    /// Extended information (XEP-0128).
    pub forms: Vec<Form>,
}

/// One `<item/>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The address of the item.
    pub jid: Jid,
    /// The node at that address.
    pub node: Option<String>,
    /// A name for people.
    pub name: Option<String>,
}

/// The answer to disco#items.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Items {
    /// The node that was asked for.
    pub node: Option<String>,
    /// What the entity holds.
    pub items: Vec<Item>,
    /// Which page this is, when pages were asked for.
    pub page: Option<rsm::Response>,
}

impl Identity {
    /// An identity without a name.
    #[must_use]
    pub fn new(category: impl Into<String>, kind: impl Into<String>) -> Self {
        Identity { category: category.into(), kind: kind.into(), lang: None, name: None }
    }

    /// Sets the name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Reads `<identity/>`; `None` without category or type, which the schema requires.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        Some(Identity {
            category: element.attr("category")?.to_owned(),
            kind: element.attr("type")?.to_owned(),
            lang: element.attr("xml:lang").map(str::to_owned),
            name: element.attr("name").map(str::to_owned),
        })
    }

    /// The identity as `<identity/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        Element::new("identity", ns::DISCO_INFO)
            .with_attr("category", self.category.as_str())
            .with_attr("type", self.kind.as_str())
            .with_attr_opt("xml:lang", self.lang.as_deref())
            .with_attr_opt("name", self.name.as_deref())
    }
}

impl Info {
    /// An answer about the entity itself, without any identity yet.
    #[must_use]
    pub fn new() -> Self {
        Info::default()
    }

    /// Sets the node.
    #[must_use]
    pub fn with_node(mut self, node: impl Into<String>) -> Self {
        self.node = Some(node.into());
        self
    }

    /// Adds an identity.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identities.push(identity);
        self
    }

    /// Adds a feature.
    #[must_use]
    pub fn with_feature(mut self, feature: impl Into<String>) -> Self {
        self.features.push(feature.into());
        self
    }

    /// Adds features.
    #[must_use]
    pub fn with_features<T: Into<String>>(mut self, features: impl IntoIterator<Item = T>) -> Self {
        self.features.extend(features.into_iter().map(Into::into));
        self
    }

    /// Adds extended information.
    #[must_use]
    pub fn with_form(mut self, form: Form) -> Self {
        self.forms.push(form);
        self
    }

    /// Whether the entity has the feature.
    #[must_use]
    pub fn has_feature(&self, feature: &str) -> bool {
        self.features.iter().any(|have| have == feature)
    }

    /// Reads `<query xmlns='http://jabber.org/protocol/disco#info'/>`.
    #[must_use]
    pub fn parse(query: &Element) -> Option<Self> {
        if !query.is("query", ns::DISCO_INFO) {
            return None;
        }
        let mut info = Info { node: query.attr("node").map(str::to_owned), ..Info::default() };
        for child in query.children() {
            match (child.ns(), child.name()) {
                (ns::DISCO_INFO, "identity") => info.identities.extend(Identity::parse(child)),
                (ns::DISCO_INFO, "feature") => {
                    info.features.extend(child.attr("var").map(str::to_owned));
                }
                (ns::DATA_FORMS, "x") => info.forms.extend(Form::parse(child)),
                _ => {}
            }
        }
        Some(info)
    }

    /// The answer (or, when empty, the question) as `<query/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let features = self.features.iter().map(|feature| {
            Element::new("feature", ns::DISCO_INFO).with_attr("var", feature.as_str())
        });
        Element::new("query", ns::DISCO_INFO)
            .with_attr_opt("node", self.node.as_deref())
            .with_children(self.identities.iter().map(Identity::to_element))
            .with_children(features)
            .with_children(self.forms.iter().map(Form::to_element))
    }
}

impl Item {
    /// An item that is an address of its own.
    #[must_use]
    pub fn new(jid: impl Into<Jid>) -> Self {
        Item { jid: jid.into(), node: None, name: None }
    }

    /// Sets the node.
    #[must_use]
    pub fn with_node(mut self, node: impl Into<String>) -> Self {
        self.node = Some(node.into());
        self
    }

    /// Sets the name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    fn parse(element: &Element) -> Option<Self> {
        Some(Item {
            jid: element.attr("jid").and_then(|jid| Jid::new(jid).ok())?,
            node: element.attr("node").map(str::to_owned),
            name: element.attr("name").map(str::to_owned),
        })
    }

    /// The item as `<item/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        Element::new("item", ns::DISCO_ITEMS)
            .with_attr("jid", self.jid.as_str())
            .with_attr_opt("node", self.node.as_deref())
            .with_attr_opt("name", self.name.as_deref())
    }
}

impl Items {
    /// Reads `<query xmlns='http://jabber.org/protocol/disco#items'/>`.
    #[must_use]
    pub fn parse(query: &Element) -> Option<Self> {
        if !query.is("query", ns::DISCO_ITEMS) {
            return None;
        }
        Some(Items {
            node: query.attr("node").map(str::to_owned),
            items: query
                .children()
                .filter(|child| child.is("item", ns::DISCO_ITEMS))
                .filter_map(Item::parse)
                .collect(),
            page: rsm::Response::child_of(query),
        })
    }

    /// The answer (or, when empty, the question) as `<query/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        Element::new("query", ns::DISCO_ITEMS)
            .with_attr_opt("node", self.node.as_deref())
            .with_children(self.items.iter().map(Item::to_element))
            .with_children(self.page.iter().map(rsm::Response::to_element))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ext::form::{Field, FormType};
    use crate::xml::Limits;

    #[test]
    fn info_survives_the_wire() {
        let mut info = Info::new()
            .with_node("n")
            .with_identity(Identity::new("pubsub", "pep").with_name("Juliet"))
            .with_features(["a", "b"])
            .with_form(
                Form::typed(FormType::Result, "urn:x")
                    .with_field(Field::untyped("k").with_value("v")),
            );
        info.identities[0].lang = Some("en".into());
        assert_eq!(Info::parse(&info.to_element()), Some(info));
    }

    #[test]
    fn items_survive_the_wire() {
        let items = Items {
            node: None,
            items: vec![
                Item::new(Jid::new("romeo@montague.example").unwrap())
                    .with_node("n")
                    .with_name("x"),
            ],
            page: Some(rsm::Response { count: Some(1), ..rsm::Response::default() }),
        };
        assert_eq!(Items::parse(&items.to_element()), Some(items));
    }

    #[test]
    fn what_makes_no_sense_is_skipped() {
        let xml = "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='x'/>\
                   <feature/><feature var='ok'/><other xmlns='urn:x'/></query>";
        let info = Info::parse(&Element::parse(xml.as_bytes(), &Limits::CLIENT).unwrap()).unwrap();
        assert_eq!(info, Info::new().with_feature("ok"));
        let xml = "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='@'/></query>";
        let items =
            Items::parse(&Element::parse(xml.as_bytes(), &Limits::CLIENT).unwrap()).unwrap();
        assert_eq!(items, Items::default());
    }
}
