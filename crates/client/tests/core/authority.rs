//! Payloads that carry authority, from everybody who must not send them: nothing may change.

use client::store::{Contacts, Conversations, Encryption, Profile, Timeline, TrustLevel, Version};
use xmpp::ns;
use xmpp::xml::{Element, Limits};

use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";

/// Who could want to pretend to be the account, its server, or a contact.
const STRANGERS: [&str; 7] = [
    "mercutio@example.net",
    "juliet@example.net",
    "juliet@example.net/balcony",
    "romeo@example.net/other",
    "example.net",
    "romeo@example.net.evil.example",
    "evil.example/romeo@example.net",
];

fn parse(xml: &str) -> Element {
    Element::parse(xml.as_bytes(), &Limits::TRUSTED).unwrap()
}

/// Everything that can be seen of a device's store.
fn picture(world: &World, device: usize) -> String {
    let store = &world.devices[device].store;
    let mut conversations = store.conversations().unwrap();
    conversations.sort_by_key(|conversation| conversation.address.to_string());
    let mut contacts = store.contacts().unwrap();
    contacts.sort_by_key(|contact| contact.address.to_string());
    let version = store.value("roster-version").unwrap();
    let messages: Vec<_> = ["juliet@example.net", "mercutio@example.net", "tybalt@example.net"]
        .into_iter()
        .flat_map(|with| world.messages(device, with))
        .collect();
    let messages = serde_json::to_string(&messages).unwrap();
    format!("{conversations:?} {contacts:?} {version:?} {messages}")
}

const FORWARDED: &str = "<forwarded xmlns='urn:xmpp:forward:0'>\
    <message xmlns='jabber:client' type='chat' from='romeo@example.net/x' to='tybalt@example.net' \
    id='f1'><body>forged</body></message></forwarded>";

fn payloads() -> Vec<String> {
    let event = |node: &str, item: &str| {
        format!(
            "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='{node}'>{item}\
             </items></event>"
        )
    };
    vec![
        format!("<sent xmlns='urn:xmpp:carbons:2'>{FORWARDED}</sent>"),
        format!("<received xmlns='urn:xmpp:carbons:2'>{FORWARDED}</received>"),
        format!("<result xmlns='urn:xmpp:mam:2' queryid='q' id='1'>{FORWARDED}</result>"),
        event(
            ns::MDS,
            "<item id='juliet@example.net'><displayed xmlns='urn:xmpp:mds:displayed:0'>\
             <stanza-id xmlns='urn:xmpp:sid:0' by='romeo@example.net' id='STANZA'/></displayed>\
             </item>",
        ),
    ]
}

#[test]
fn messages_with_authority_are_refused_from_everybody_else() {
    for payload in payloads() {
        for from in STRANGERS {
            let mut world = World::new();
            let romeo = world.online(ROMEO, &[JULIET]);
            let juliet = world.online(JULIET, &[ROMEO]);
            world.send(juliet, ROMEO, "unread");
            world.settle();
            let id = world.last(romeo, JULIET).archive_id.unwrap();
            let before = picture(&world, romeo);
            let payload = payload.replace("STANZA", &id);
            let xml = format!("<message xmlns='jabber:client' from='{from}'>{payload}</message>");
            for session in world.server.sessions_of(&bare(ROMEO)) {
                world.server.deliver(&session, &parse(&xml));
            }
            world.settle();
            assert_eq!(picture(&world, romeo), before, "{xml}");
        }
    }
}

#[test]
fn an_archive_result_that_nobody_asked_for_is_refused() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let before = picture(&world, romeo);
    let xml = format!(
        "<message xmlns='jabber:client' from='{ROMEO}'>\
         <result xmlns='urn:xmpp:mam:2' queryid='q' id='1'>{FORWARDED}</result></message>"
    );
    for session in world.server.sessions_of(&bare(ROMEO)) {
        world.server.deliver(&session, &parse(&xml));
    }
    world.settle();
    assert_eq!(picture(&world, romeo), before);
}

#[test]
fn a_carbon_of_somebody_else_is_refused() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let before = picture(&world, romeo);
    let inner = FORWARDED.replace("from='romeo@example.net/x'", "from='juliet@example.net/x'");
    let xml = format!(
        "<message xmlns='jabber:client' from='{ROMEO}'>\
         <sent xmlns='urn:xmpp:carbons:2'>{inner}</sent></message>"
    );
    for session in world.server.sessions_of(&bare(ROMEO)) {
        world.server.deliver(&session, &parse(&xml));
    }
    world.settle();
    assert_eq!(picture(&world, romeo), before);
}

#[test]
fn pushes_are_refused_from_everybody_else() {
    let pushes = [
        "<query xmlns='jabber:iq:roster' ver='9'>\
         <item jid='tybalt@example.net' subscription='both'/></query>",
        "<query xmlns='jabber:iq:roster'>\
         <item jid='juliet@example.net' subscription='remove'/></query>",
        "<block xmlns='urn:xmpp:blocking'><item jid='juliet@example.net'/></block>",
        "<unblock xmlns='urn:xmpp:blocking'/>",
    ];
    for push in pushes {
        for from in STRANGERS {
            let mut world = World::new();
            let romeo = world.online(ROMEO, &[JULIET]);
            let before = picture(&world, romeo);
            let xml =
                format!("<iq xmlns='jabber:client' type='set' id='p' from='{from}'>{push}</iq>");
            for session in world.server.sessions_of(&bare(ROMEO)) {
                world.server.deliver(&session, &parse(&xml));
            }
            world.settle();
            assert_eq!(picture(&world, romeo), before, "{xml}");
            // It is answered all the same.
            assert!(world.server.seen.iter().any(|stanza| {
                stanza.attr("id") == Some("p") && stanza.attr("type") == Some("error")
            }));
        }
    }
}

#[test]
fn answers_of_others_are_no_answers() {
    for from in STRANGERS {
        let mut world = World::new();
        let romeo = world.online(ROMEO, &[JULIET]);
        world.server.answers.insert(ns::BLOCKING.into(), Ok(None));
        let number =
            world.command(romeo, client::Command::Block { address: bare(JULIET), report: false });
        // The question is on its way; somebody guesses its id.
        let sent = world.devices[romeo].sent.clone();
        let at = sent.rfind("<iq type='set' id='").unwrap() + 19;
        let id: String = sent[at..].chars().take_while(|letter| *letter != '\'').collect();
        let xml = format!("<iq xmlns='jabber:client' type='result' id='{id}' from='{from}'/>");
        for session in world.server.sessions_of(&bare(ROMEO)) {
            world.server.deliver(&session, &parse(&xml));
        }
        while world.carry(romeo, false) {}
        assert_eq!(world.devices[romeo].outcomes.get(&number), None, "{xml}");
        world.settle();
        assert!(world.devices[romeo].outcomes.contains_key(&number));
    }
}

#[test]
fn others_cannot_change_what_somebody_wrote() {
    let changes = [
        "<body>changed</body><replace xmlns='urn:xmpp:message-correct:0' id='ID'/>",
        "<retract xmlns='urn:xmpp:message-retract:1' id='ID'/>",
        "<received xmlns='urn:xmpp:receipts' id='OWN'/>",
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='OWN'/>",
        "<reactions xmlns='urn:xmpp:reactions:0' id='ID'><reaction>x</reaction></reactions>",
    ];
    for change in changes {
        let mut world = World::new();
        let romeo = world.online(ROMEO, &[JULIET]);
        let juliet = world.online(JULIET, &[ROMEO]);
        world.send(juliet, ROMEO, "hers");
        world.settle();
        let hers = world.last(romeo, JULIET).origin_id.unwrap();
        world.run(juliet, client::Command::Disconnect);
        world.send(romeo, JULIET, "his");
        world.settle();
        let his = world.last(romeo, JULIET).origin_id.unwrap();
        let before = world.messages(romeo, JULIET);
        let change = change.replace("ID", &hers).replace("OWN", &his);
        let xml = format!(
            "<message xmlns='jabber:client' type='chat' from='tybalt@example.net/x' id='x'>\
             {change}</message>"
        );
        for session in world.server.sessions_of(&bare(ROMEO)) {
            world.server.deliver(&session, &parse(&xml));
        }
        world.settle();
        assert_eq!(world.messages(romeo, JULIET), before, "{xml}");
    }
}

#[test]
fn a_reaction_in_plain_text_to_what_was_hidden_is_not_believed() {
    let (legacy, modern) = (Version::Legacy, Version::Omemo2);
    for (version, seen) in [(None, true), (Some(legacy), true), (Some(modern), false)] {
        let mut world = World::new();
        let romeo = world.online(ROMEO, &[JULIET]);
        world.send(romeo, JULIET, "Shall I send the money?");
        world.settle();
        let mut message = world.last(romeo, JULIET);
        if let Some(version) = version {
            let trust = TrustLevel::Verified;
            message.encryption = Encryption::Omemo { version, device: 1, key: [1; 32], trust };
            world.devices[romeo].store.save_message(&message).unwrap();
        }
        let xml = format!(
            "<message xmlns='jabber:client' type='chat' from='{JULIET}/x' id='x'>\
             <reactions xmlns='urn:xmpp:reactions:0' id='{}'><reaction>+</reaction></reactions>\
             </message>",
            message.origin_id.unwrap()
        );
        for session in world.server.sessions_of(&bare(ROMEO)) {
            world.server.deliver(&session, &parse(&xml));
        }
        world.settle();
        assert_eq!(!world.last(romeo, JULIET).reactions.is_empty(), seen, "{version:?}");
    }
}

/// A message of Juliet with ids in the name of Romeo's archive.
fn with_ids(text: &str, ids: &[&str]) -> Element {
    let ids: String = ids
        .iter()
        .map(|id| format!("<stanza-id xmlns='urn:xmpp:sid:0' by='{ROMEO}' id='{id}'/>"))
        .collect();
    parse(&format!(
        "<message xmlns='jabber:client' type='chat' from='{JULIET}/balcony' to='{ROMEO}' \
         id='{text}'><body>{text}</body>{ids}</message>"
    ))
}

#[test]
fn an_id_of_the_archive_is_believed_only_from_a_server_that_guards_it() {
    for guards in [true, false] {
        let mut world = World::new();
        world.server.stanza_ids = guards;
        let romeo = world.online(ROMEO, &[JULIET]);
        world.server.route(&bare(JULIET), None, with_ids("first", &[]));
        world.pass(20_000);
        world.run(romeo, client::Command::Disconnect);
        world.run(romeo, client::Command::Reconnect);
        let first = world.last(romeo, JULIET).archive_id.unwrap();
        // With the id of what is here already, the second would be taken for a repetition.
        world.server.route(&bare(JULIET), None, with_ids("second", &[&first]));
        world.settle();
        assert_eq!(world.texts(romeo, JULIET), ["first", "second"], "{guards}");
        assert_eq!(world.last(romeo, JULIET).archive_id.is_some(), guards);
        world.run(romeo, client::Command::Disconnect);
        world.run(romeo, client::Command::Reconnect);
        assert_eq!(world.texts(romeo, JULIET), ["first", "second"], "{guards}");
        let row = world.server.accounts[&bare(ROMEO)].archive.last().unwrap();
        assert_eq!(world.last(romeo, JULIET).archive_id.as_ref(), Some(&row.id));
    }
}

#[test]
fn of_two_ids_of_one_archive_none_is_believed() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    for session in world.server.sessions_of(&bare(ROMEO)) {
        world.server.deliver(&session, &with_ids("hello", &["one", "two"]));
    }
    world.settle();
    assert_eq!(world.last(romeo, JULIET).archive_id, None);
}

#[test]
fn that_ids_are_guarded_is_remembered_until_the_server_says_otherwise() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.server.route(&bare(JULIET), None, with_ids("first", &[]));
    world.settle();
    assert!(world.last(romeo, JULIET).archive_id.is_some());
    assert!(world.devices[romeo].store.value("stanza-ids").unwrap().is_some());
    world.server.stanza_ids = false;
    world.server.forgetful = true;
    world.cut(romeo);
    world.pass(60_000);
    assert_eq!(world.devices[romeo].store.value("stanza-ids").unwrap(), None);
}
