//! What can be read from a stanza, and what edits make of it.

use bytes::Bytes;
use xmpp::edit::Edit;
use xmpp::ns;
use xmpp::stanza::{Kind, Stanza, write_standalone};
use xmpp::xml::{Element, Limits, XmlError};

fn stanza(text: &str) -> Stanza {
    Stanza::parse(Bytes::copy_from_slice(text.as_bytes()), &Limits::CLIENT).unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

const CHAT: &str = "<message to='juliet@example.com' id=\"a&quot;1\" type='chat' xml:lang='en'>\
    <body>Art thou not &lt;Romeo&gt;?</body>\
    <stanza-id xmlns='urn:xmpp:sid:0' id='forged' by='juliet@example.com'/>\
    <s:store xmlns:s='urn:xmpp:hints'/></message>";

#[test]
fn routing_data_is_read_without_a_tree() {
    let chat = stanza(CHAT);
    assert_eq!(chat.kind(), Kind::Message);
    assert_eq!(chat.to().as_deref(), Some("juliet@example.com"));
    assert_eq!(chat.from(), None);
    assert_eq!(chat.id().as_deref(), Some("a\"1"));
    assert_eq!(chat.type_().as_deref(), Some("chat"));
    assert_eq!(chat.lang().as_deref(), Some("en"));
    let children: Vec<_> = chat.children().map(|child| (child.ns(), child.name())).collect();
    let expected = [(ns::CLIENT, "body"), (ns::STANZA_ID, "stanza-id"), (ns::HINTS, "store")];
    assert!(children.iter().map(|(ns, name)| (&**ns, *name)).eq(expected));
    let id = chat.child("stanza-id", ns::STANZA_ID).unwrap();
    assert_eq!(id.attr("by").as_deref(), Some("juliet@example.com"));
    assert_eq!(id.attr("missing"), None);
    assert_eq!(text(id.raw()).len(), CHAT.find("<s:").unwrap() - CHAT.find("<stanza-id").unwrap());
    assert_eq!(chat.child("body", ns::CLIENT).unwrap().text(), "Art thou not <Romeo>?");
    assert_eq!(chat.child("store", ns::CLIENT).map(|child| child.name()), None);
}

#[test]
fn an_unchanged_stanza_shares_its_bytes() {
    let chat = stanza(CHAT);
    assert_eq!(Edit::new(&chat).finish().as_ptr(), chat.bytes().as_ptr());
}

#[test]
fn addresses_are_replaced_and_escaped() {
    let chat = stanza(CHAT);
    let edited = Edit::new(&chat).from("o'neill@example.com/<x>").to("b").finish();
    let (_, rest) = CHAT.split_once("xml:lang='en'").unwrap();
    let head = "<message to='b' id=\"a&quot;1\" type='chat' xml:lang='en' \
                from='o&apos;neill@example.com/&lt;x&gt;'";
    assert_eq!(text(&edited), [head, rest].concat());
    let removed = Edit::new(&chat).attr("xml:lang", None).attr("type", None).finish();
    assert!(text(&removed).starts_with("<message to='juliet@example.com' id=\"a&quot;1\"><body>"));
}

#[test]
fn children_are_dropped_and_appended() {
    let chat = stanza(CHAT);
    let edited = Edit::new(&chat)
        .drop_if(|child| child.is("stanza-id", ns::STANZA_ID))
        .append("<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='me'/>")
        .stanza()
        .unwrap();
    let ids: Vec<_> = edited
        .children()
        .filter(|child| child.is("stanza-id", ns::STANZA_ID))
        .map(|child| child.attr("id").unwrap().into_owned())
        .collect();
    assert_eq!(ids, ["1"]);
    assert_eq!(edited.children().count(), 3);
    let nothing = Edit::new(&chat).drop_if(|_| true).finish();
    assert!(text(&nothing).ends_with(" xml:lang='en'/>"));
}

#[test]
fn an_empty_element_opens_when_something_is_appended() {
    let presence = stanza("<presence from='a' />");
    let edited = Edit::new(&presence).append("<priority>1</priority>").finish();
    assert_eq!(text(&edited), "<presence from='a'><priority>1</priority></presence>");
    assert_eq!(text(&Edit::new(&presence).to("b").finish()), "<presence from='a' to='b'/>");
}

#[test]
fn text_between_children_stays_where_it_is() {
    let odd = stanza("<message> a <x xmlns='y'/> b <body/>c</message>");
    let edited = Edit::new(&odd).drop_if(|child| child.name() == "x").finish();
    assert_eq!(text(&edited), "<message> a  b <body/>c</message>");
}

#[test]
fn a_namespace_of_the_root_survives_edits() {
    let enable = stanza("<enable xmlns='urn:xmpp:sm:3' resume='true'><x/></enable>");
    let edited = Edit::new(&enable).attr("max", Some("300")).stanza().unwrap();
    assert!(edited.is("enable", ns::SM));
    assert_eq!(edited.children().next().unwrap().ns(), ns::SM);
    assert_eq!(
        text(edited.bytes()),
        "<enable xmlns='urn:xmpp:sm:3' resume='true' max='300'><x/></enable>"
    );
}

#[test]
fn stored_stanzas_get_the_namespace_they_stand_alone_with() {
    let alone = |text: &str| {
        let mut out = Vec::new();
        write_standalone(&mut out, text.as_bytes());
        String::from_utf8(out).unwrap()
    };
    assert_eq!(alone("<iq/>"), "<iq xmlns='jabber:client'/>");
    assert_eq!(alone("<iq to='a'><b/></iq>"), "<iq xmlns='jabber:client' to='a'><b/></iq>");
    assert_eq!(alone("<r xmlns='urn:xmpp:sm:3'/>"), "<r xmlns='urn:xmpp:sm:3'/>");
    let tricky = "<message id=' xmlns='>";
    assert_eq!(alone(tricky), "<message xmlns='jabber:client' id=' xmlns='>");
}

#[test]
fn replies_swap_the_addresses() {
    let iq = stanza("<iq type='get' to='b' from='a' id='7'><ping xmlns='urn:xmpp:ping'/></iq>");
    let reply = text(&iq.reply("result").to_bytes(ns::CLIENT)).to_owned();
    assert_eq!(reply, "<iq from='b' to='a' id='7' type='result'/>");
}

#[test]
fn only_one_element_is_a_stanza() {
    for text in ["", " <iq/>", "<iq/> ", "<iq/><iq/>", "<iq>", "x"] {
        let parsed = Stanza::parse(Bytes::copy_from_slice(text.as_bytes()), &Limits::CLIENT);
        assert!(matches!(parsed, Err(XmlError::Incomplete | XmlError::TrailingData)), "{text:?}");
    }
}

#[test]
fn elements_survive_a_round_trip() {
    let element = Element::new("iq", ns::CLIENT)
        .with_attr("type", "result")
        .with_attr_opt("to", None::<String>)
        .with_attr("note", "a'b\"c<d>&\t\n\r")
        .with_child(
            Element::new("query", ns::DISCO_INFO)
                .with_child(Element::new("none", ""))
                .with_child(Element::new("inner", ns::CLIENT).with_text("a\r\n]]>&\u{1F980}")),
        );
    let written = element.to_bytes("");
    assert_eq!(Element::parse(&written, &Limits::CLIENT).unwrap(), element);
    let inside = element.to_bytes(ns::CLIENT);
    assert_eq!(Stanza::parse(inside, &Limits::CLIENT).unwrap().element(), element);
    assert!(text(&written).starts_with("<iq xmlns='jabber:client' type='result' note='"));
}

#[test]
fn namespaces_of_attributes_are_kept() {
    let bytes = b"<?xml version='1.0'?>\n<a xmlns:p='urn:p' p:x='1' x='2' xml:lang='en'/>\n";
    let element = Element::parse(bytes, &Limits::CLIENT).unwrap();
    assert_eq!(element.attr("x"), Some("2"));
    assert_eq!(element.attr_ns("x", "urn:p"), Some("1"));
    assert_eq!(element.attr("xml:lang"), Some("en"));
    assert_eq!(Element::parse(&element.to_bytes(""), &Limits::CLIENT).unwrap(), element);
}

#[test]
fn deep_trees_are_dropped_without_recursion() {
    let mut element = Element::new("a", "");
    for _ in 0..200_000 {
        element = Element::new("a", "").with_child(element);
    }
    drop(element);
}
