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
fn after_a_restart_what_comes_back_says_whose_it_was() {
    let mut play = Play::open();
    play.join(HAG, "thirdwitch");
    let inside = |by: &str| {
        format!(
            "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='{by}'><reason>x</reason>\
             </invite></x>"
        )
    };
    let mut told = |by: &str| {
        let effects = play.give(HECATE, None, &failure("old", &inside(by)));
        returns(&effects).into_iter().map(|(to, _)| to).collect::<Vec<_>>()
    };
    assert_eq!(told("hag66@shakespeare.example"), ["hag66@shakespeare.example"]);
    assert_eq!(told("coven@conference.shakespeare.example/thirdwitch"), [HAG]);
    assert!(told("stranger@elsewhere.example").is_empty(), "nobody reaches strangers with it");
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
