//! Data forms (XEP-0004), given to everything that takes one.

use std::{cell::RefCell, fmt::Write as _};

use xmpp::{
    error::{Condition, StanzaError},
    ext::form::{Form, FormType},
    jid::Jid,
    ns,
    xml::{Element, Limits},
};

use super::{Stage, Tape};
use crate::{ext::Scope, iq::IqKind};

/// Makes a form of the tape, and submits it everywhere.
///
/// # Panics
/// When it is not the same form after it was written, or somebody who takes it fails.
pub fn play(input: &[u8]) {
    let mut tape = Tape::new(input);
    let xml = match tape.chance(3) {
        true => String::from_utf8_lossy(tape.rest()).into_owned(),
        false => form(&mut tape),
    };
    let Ok(element) = Element::parse(xml.as_bytes(), &Limits::CLIENT) else { return };
    let Some(form) = Form::parse(&element) else { return };
    let written = form.to_element();
    let again = Form::parse(&written).expect("what was written is a form");
    assert_eq!(again, form, "{written:?}");
    let bytes = written.to_bytes(ns::CLIENT);
    assert_eq!(Element::parse(&bytes, &Limits::TRUSTED).as_ref(), Ok(&written));
    super::rooms::submit(&written);
    super::rooms::submit(&element);
    submit(&element);
}

/// Submits a form to every handler of a request that has a place for one.
fn submit(form: &Element) {
    thread_local! {
        static STAGE: RefCell<Option<(Stage, u32)>> = const { RefCell::new(None) };
    }
    let (stage, played) = STAGE.take().unwrap_or_else(|| (Stage::new(), 0));
    let owner = Jid::new("juliet@a.example/1").expect("an address");
    let account = stage.juliet();
    let pubsub = |namespace: &str, inside: Vec<Element>| {
        Element::new("pubsub", namespace).with_children(inside)
    };
    let node = |name: &str, namespace: &str| Element::new(name, namespace).with_attr("node", "n");
    let holder = |name: &str| Element::new(name, ns::PUBSUB).with_child(form.clone());
    let publish = node("publish", ns::PUBSUB)
        .with_child(Element::new("item", ns::PUBSUB).with_attr("id", "1"));
    let options =
        node("options", ns::PUBSUB).with_attr("jid", "juliet@a.example").with_child(form.clone());
    let subscribe = node("subscribe", ns::PUBSUB).with_attr("jid", "juliet@a.example");
    let requests = [
        pubsub(ns::PUBSUB, vec![node("create", ns::PUBSUB), holder("configure")]),
        pubsub(ns::PUBSUB, vec![publish, holder("publish-options")]),
        pubsub(ns::PUBSUB, vec![subscribe, holder("options")]),
        pubsub(ns::PUBSUB, vec![options]),
        pubsub(
            ns::PUBSUB_OWNER,
            vec![node("configure", ns::PUBSUB_OWNER).with_child(form.clone())],
        ),
        Element::new("query", ns::MAM).with_child(form.clone()),
        Element::new("query", ns::REGISTER).with_child(form.clone()),
        Element::new("query", "jabber:iq:search").with_child(form.clone()),
        Element::new("enable", "urn:xmpp:push:0")
            .with_attr("jid", "push.b.example")
            .with_child(form.clone()),
        command("http://jabber.org/protocol/admin#add-user", form),
        command("urn:xmpp:invite#invite", form),
        command("files", form),
        pubsub(ns::PUBSUB_OWNER, vec![node("delete", ns::PUBSUB_OWNER)]),
    ];
    const SCOPES: &[Scope] = &[Scope::Own, Scope::Account, Scope::Server, Scope::Upload];
    for request in &requests {
        for kind in [IqKind::Get, IqKind::Set] {
            let answer = stage.ask(&owner, SCOPES, Some(&account), kind, request);
            sound(answer.as_ref().err());
        }
    }
    if let Err(error) = crate::ext::archive::query::parse(&requests[5]) {
        sound(Some(&error));
    }
    if played < PLAYS {
        STAGE.set(Some((stage, played + 1)));
    }
}

/// Errors are about the form and not about the server.
fn sound(error: Option<&StanzaError>) {
    assert!(error.is_none_or(|error| error.condition != Condition::InternalServerError));
}

fn command(node: &str, form: &Element) -> Element {
    Element::new("command", ns::COMMANDS).with_attr("node", node).with_child(form.clone())
}

fn form(tape: &mut Tape<'_>) -> String {
    let kinds = [FormType::Submit, FormType::Submit, FormType::Form, FormType::Cancel];
    let kind = kinds[tape.below(kinds.len())].as_str();
    let mut xml = format!("<x xmlns='jabber:x:data' type='{kind}'>");
    if tape.chance(8) {
        xml.push_str("<title>a</title><instructions>b</instructions><reported/>");
    }
    for _ in 0..tape.below(8) {
        let var = tape.one_of(VARS);
        let types = ["", " type='hidden'", " type='boolean'", " type='jid-multi'", " type='x'"];
        let kind = types[tape.below(types.len())];
        let _ = write!(xml, "<field var='{var}'{kind}>");
        for _ in 0..tape.below(4) {
            let _ = match tape.chance(4) {
                true => {
                    let piece = String::from_utf8_lossy(tape.piece());
                    let text: String =
                        piece.chars().filter(|c| !c.is_control() && !"<&".contains(*c)).collect();
                    write!(xml, "<value>{text}</value>")
                }
                false => write!(xml, "<value>{}</value>", tape.one_of(VALUES)),
            };
        }
        if tape.chance(8) {
            xml.push_str("<option label='a'><value>b</value></option><required/><desc>c</desc>");
        }
        xml.push_str("</field>");
    }
    xml.push_str("</x>");
    xml
}

const VARS: &[&str] = &[
    "FORM_TYPE",
    "muc#roomconfig_roomname",
    "muc#roomconfig_membersonly",
    "muc#roomconfig_whois",
    "muc#roomconfig_maxusers",
    "muc#roomconfig_presencebroadcast",
    "muc#roomconfig_roomowners",
    "muc#roomconfig_roomadmins",
    "muc#roomconfig_roomsecret",
    "muc#roomconfig_passwordprotectedroom",
    "muc#roomconfig_slow_mode_duration",
    "muc#maxhistoryfetch",
    "muc#register_roomnick",
    "muc#role",
    "muc#roomnick",
    "muc#request_allow",
    "hats#uri",
    "hats#title",
    "hats#hue",
    "hats#jid",
    "pubsub#max_items",
    "pubsub#access_model",
    "pubsub#item_expire",
    "pubsub#persist_items",
    "pubsub#deliver",
    "pubsub#title",
    "with",
    "start",
    "end",
    "before-id",
    "after-id",
    "ids",
    "username",
    "password",
    "accountjid",
    "",
];
const VALUES: &[&str] = &[
    "",
    "0",
    "1",
    "true",
    "max",
    "open",
    "anyone",
    "none",
    "moderator",
    "http://jabber.org/protocol/muc#roomconfig",
    "http://jabber.org/protocol/muc#request",
    "http://jabber.org/protocol/pubsub#node_config",
    "http://jabber.org/protocol/pubsub#publish-options",
    "urn:xmpp:mam:2",
    "juliet@a.example",
    "a@a.example",
    "not an address @",
    "1469-07-21T02:56:15Z",
    "2026-02-30T25:00:00+99:00",
    "-1",
    "18446744073709551616",
    "360.5",
    "x",
];
/// With one server.
const PLAYS: u32 = 300;

#[cfg(test)]
mod tests {
    use crate::model;

    #[test]
    fn whoever_takes_a_form_takes_any() {
        for seed in 0..150 {
            super::play(&model::bytes(seed, 300));
        }
    }
}
