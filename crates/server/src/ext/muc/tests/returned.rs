//! What comes back reaches whoever sent it.

use super::*;

const HECATE: &str = "hecate@elsewhere.example";

fn invite(play: &mut Play, from: &str) -> Effects {
    let xml = "<message id='nzd143v8'><x xmlns='http://jabber.org/protocol/muc#user'>\
               <invite to='hecate@elsewhere.example'/></x></message>";
    play.give(from, None, xml)
}

fn failure(id: &str, inside: &str) -> String {
    format!(
        "<message type='error' id='{id}'>{inside}<error type='cancel'><item-not-found \
         xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )
}

/// Who is told, and by which error.
fn returns(effects: &Effects) -> Vec<(String, Element)> {
    let returns = effects.iter().filter_map(|effect| match effect {
        Effect::Return { to, message } => {
            Some((to.to_string(), Element::parse(message, &Limits::TRUSTED).unwrap()))
        }
        _ => None,
    });
    returns.collect()
}

#[test]
fn an_invitation_that_comes_back_is_told_to_its_inviter_once() {
    let mut play = Play::open();
    play.join(HAG, "thirdwitch");
    let effects = invite(&mut play, HAG);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Route { .. })));
    let forged = play.give("mallory@elsewhere.example", None, &failure("nzd143v8", ""));
    assert!(returns(&forged).is_empty(), "only who was invited can send it back");
    let returned = returns(&play.give(HECATE, None, &failure("nzd143v8", "")));
    let [(to, error)] = returned.as_slice() else { panic!("{returned:?}") };
    assert_eq!(to, HAG);
    assert_eq!((error.attr("type"), error.attr("id")), (Some("error"), Some("nzd143v8")));
    assert_eq!(error.attr("from"), Some("coven@conference.shakespeare.example"));
    let x = error.child("x", ns::MUC_USER).unwrap();
    assert_eq!(x.child("invite", ns::MUC_USER).unwrap().attr("to"), Some(HECATE));
    let error = error.children().find(|child| child.name() == "error").unwrap();
    assert_eq!(error.first_child().unwrap().name(), "item-not-found");
    assert!(returns(&play.give(HECATE, None, &failure("nzd143v8", ""))).is_empty());
}

#[test]
fn nobody_is_told_of_an_invitation_that_the_room_did_not_send() {
    let mut play = Play::open();
    play.join(HAG, "thirdwitch");
    invite(&mut play, HAG);
    for by in ["hag66@shakespeare.example", "coven@conference.shakespeare.example/thirdwitch"] {
        let inside = format!(
            "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='{by}'/></x>\
             <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>read me</text>"
        );
        let forged = [("mallory@elsewhere.example", "nzd143v8"), (HECATE, "another")];
        for (from, id) in forged {
            let effects = play.give(from, None, &failure(id, &inside));
            assert!(effects.is_empty(), "{from} {id}: {effects:?}");
        }
    }
    let text = "<error type='wait'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
                <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>read me</text></error>";
    let xml = format!("<message type='error' id='nzd143v8'>{text}</message>");
    let effects = play.give(HECATE, None, &xml);
    let [Effect::Return { message, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let message = String::from_utf8_lossy(message);
    assert!(message.contains("conflict") && !message.contains("read me"), "{message}");
}

#[test]
fn a_private_message_that_reached_one_device_did_not_fail() {
    let mut play = Play::open();
    play.join(HAG, "thirdwitch");
    let devices = ["wicca@elsewhere.example/phone", "wicca@elsewhere.example/laptop"];
    for device in devices {
        play.join(device, "secondwitch");
    }
    let private = "<message type='chat' id='p1'><body>x</body></message>";
    let effects = play.give(HAG, Some("secondwitch"), private);
    let routed = effects.iter().find_map(|effect| match effect {
        Effect::Route { to, .. } => Some(to.to_string()),
        _ => None,
    });
    assert_eq!(routed.as_deref(), Some(devices[1]));
    let error = "<message type='error' id='p1'><error type='wait'><policy-violation \
                 xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>";
    let told = |effects: &Effects| error_of(effects, HAG);
    assert_eq!(told(&play.give(devices[0], Some("thirdwitch"), error)), None);
    let effects = play.give(devices[1], Some("thirdwitch"), error);
    assert_eq!(told(&effects).as_deref(), Some("policy-violation"));
}

#[test]
fn a_private_message_that_comes_back_names_nobody() {
    let mut play = Play::new(Settings::channel());
    play.join(HAG, "thirdwitch");
    let wicca = "wiccarocks@elsewhere.example/laptop";
    play.join(wicca, "secondwitch");
    let xml = "<message type='error' id='p1'><body>x</body>\
               <error type='cancel' by='wiccarocks@elsewhere.example'><service-unavailable \
               xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text \
               xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>wiccarocks is away</text></error></message>";
    let line = xml.replace("p1", "g1");
    let effects = play.give(wicca, Some("thirdwitch"), &line);
    assert!(sent(&effects, HAG).all(|stanza| stanza.name() == "presence"), "it was not private");
    play.join(wicca, "secondwitch");
    let private = "<message type='chat' id='p1'><body>x</body></message>";
    play.give(HAG, Some("secondwitch"), private);
    let effects = play.give(wicca, Some("thirdwitch"), xml);
    let error = sent(&effects, HAG).next().unwrap();
    assert_eq!(error.attr("from"), Some("coven@conference.shakespeare.example/secondwitch"));
    assert_eq!((error.attr("type"), error.attr("id")), (Some("error"), Some("p1")));
    let text = String::from_utf8(error.to_bytes("").to_vec()).unwrap();
    assert!(!text.contains("wiccarocks"), "{text}");
    assert!(play.room.occupant(&Jid::new(wicca).unwrap()).is_none(), "and who is gone has left");
}
