//! What people say about themselves, between the forms in which servers keep it.

use xmpp::{
    ext::{
        avatar::{Image, Metadata},
        form::{Field, Form, FormType},
    },
    ns,
    xml::Element,
};

use super::record::{Item, Node};

/// The image of a photo.
pub(super) fn image(photo: &Element) -> Option<Image> {
    Image::from_photo(photo)
}

/// The two nodes of an avatar (XEP-0084) with what is in them, open as vCards are.
pub(super) fn avatar(image: &Image) -> [(Node, Item); 2] {
    let info = image.info();
    let id = info.id.clone();
    let pair = |node: &str, payload| {
        let access = Field::untyped("pubsub#access_model").with_value("open");
        let config = Form::typed(FormType::Submit, ns::PUBSUB_NODE_CONFIG).with_field(access);
        let item = Item {
            node: node.to_owned(),
            id: id.clone(),
            publisher: None,
            published: None,
            payload: Some(payload),
        };
        (Node { name: node.to_owned(), config: Some(config), ..Node::default() }, item)
    };
    [
        pair(ns::AVATAR_DATA, image.to_data()),
        pair(ns::AVATAR_METADATA, Metadata(vec![info]).to_element()),
    ]
}

/// A vcard-temp with what a vCard4 says in the fields that both have (XEP-0292 §8 is the other way round).
pub(super) fn from_vcard4(card: &Element) -> Element {
    let mut old = Element::new("vCard", ns::VCARD);
    let value = |field: &Element| {
        let value = field.children().find(|child| child.name() != "parameters");
        value.map(Element::text).filter(|text| !text.trim().is_empty())
    };
    for field in card.children().filter(|field| field.ns() == ns::VCARD4) {
        let simple = SIMPLE.iter().find(|(new, _)| *new == field.name()).map(|(_, old)| *old);
        match (field.name(), simple, value(field)) {
            (_, Some(name), Some(text)) => old.push(Element::new(name, ns::VCARD).with_text(text)),
            ("n", ..) => old.push(name(field)),
            ("email", _, Some(text)) => old.push(nested("EMAIL", "USERID", text)),
            ("tel", _, Some(text)) => {
                let number = text.strip_prefix("tel:").unwrap_or(&text).to_owned();
                old.push(nested("TEL", "NUMBER", number));
            }
            ("org", _, Some(text)) => old.push(nested("ORG", "ORGNAME", text)),
            _ => {}
        }
    }
    old
}

fn nested(outer: &str, inner: &str, text: String) -> Element {
    Element::new(outer, ns::VCARD).with_child(Element::new(inner, ns::VCARD).with_text(text))
}

fn name(field: &Element) -> Element {
    let parts = [("surname", "FAMILY"), ("given", "GIVEN"), ("additional", "MIDDLE")];
    let parts = parts.iter().filter_map(|(new, old)| {
        let text = field.child(new, ns::VCARD4)?.text();
        (!text.is_empty()).then(|| Element::new(*old, ns::VCARD).with_text(text))
    });
    Element::new("N", ns::VCARD).with_children(parts)
}

const SIMPLE: [(&str, &str); 7] = [
    ("fn", "FN"),
    ("nickname", "NICKNAME"),
    ("url", "URL"),
    ("bday", "BDAY"),
    ("title", "TITLE"),
    ("role", "ROLE"),
    ("note", "DESC"),
];

#[cfg(test)]
mod tests {
    use xmpp::xml::Limits;

    use super::*;

    #[test]
    fn a_new_card_becomes_an_old_one() {
        let new = "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>Romeo M</text></fn>\
                   <n><surname>M</surname><given/></n><nickname><text>Ro</text></nickname>\
                   <tel><parameters><type><text>home</text></type></parameters><uri>tel:+1</uri></tel>\
                   <note><text/></note></vcard>";
        let new = Element::parse(new.as_bytes(), &Limits::SERVER).unwrap();
        let old = from_vcard4(&new).to_bytes("");
        assert_eq!(
            String::from_utf8_lossy(&old),
            "<vCard xmlns='vcard-temp'><FN>Romeo M</FN><N><FAMILY>M</FAMILY></N>\
             <NICKNAME>Ro</NICKNAME><TEL><NUMBER>+1</NUMBER></TEL></vCard>"
        );
    }
}
