//! The account's list of rooms.

use client::Command;
use client::view::{Bookmark, Change, Outcome, Problem};
use xmpp::ext::form::Form;
use xmpp::ns;
use xmpp::xml::{Element, Limits};

use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";
const ORCHARD: &str = "orchard@rooms.example.net";
const COUNCIL: &str = "council@rooms.example.net";

fn parse(xml: &str) -> Element {
    Element::parse(xml.as_bytes(), &Limits::TRUSTED).unwrap()
}

/// The list as a user interface has it.
fn shown(world: &World, device: usize) -> Vec<Bookmark> {
    let mut changes = world.devices[device].changes.iter().rev();
    let found = changes.find_map(|change| match change {
        Change::Bookmarks(bookmarks) => Some(bookmarks.clone()),
        _ => None,
    });
    found.unwrap_or_default()
}

fn rooms(world: &World, device: usize) -> Vec<String> {
    shown(world, device).iter().map(|bookmark| bookmark.room.to_string()).collect()
}

fn set(room: &str) -> Command {
    Command::SetBookmark {
        room: bare(room),
        name: Some("The orchard".into()),
        autojoin: true,
        nick: Some("Montague".into()),
        password: None,
    }
}

#[test]
fn a_list_that_was_there_is_read_kept_and_shown() {
    let mut world = World::new();
    let payload = parse(
        "<conference xmlns='urn:xmpp:bookmarks:1' name='Council' autojoin='1'><nick>Puck</nick>\
         <password>canary</password></conference>",
    );
    let account = world.server.accounts.get_mut(&bare(ROMEO)).unwrap();
    let node = account.nodes.entry(ns::BOOKMARKS.into()).or_default();
    node.insert(COUNCIL.into(), payload.clone());
    node.insert("not an address@@".into(), payload);
    node.insert(ORCHARD.into(), parse("<other xmlns='urn:example'/>"));
    let romeo = world.online(ROMEO, &[]);
    let expected = Bookmark {
        room: bare(COUNCIL),
        name: Some("Council".into()),
        autojoin: true,
        nick: Some("Puck".into()),
        password: true,
    };
    assert_eq!(shown(&world, romeo), std::slice::from_ref(&expected));
    assert!(!format!("{:?}", world.devices[romeo].changes).contains("canary"));
    // It is there before the network is.
    world.devices[romeo].reachable = false;
    world.devices[romeo].changes.clear();
    world.crash(romeo);
    assert_eq!(shown(&world, romeo), [expected]);
}

#[test]
fn a_room_is_added_changed_and_removed_on_all_devices() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    let other = world.online(ROMEO, &[]);
    assert_eq!(world.run(romeo, set(ORCHARD)), Some(Outcome::Done));
    for device in [romeo, other] {
        assert_eq!(rooms(&world, device), [ORCHARD]);
    }
    let rename = Command::SetBookmark {
        room: bare(ORCHARD),
        name: Some("Capulet's\norchard".into()),
        autojoin: false,
        nick: None,
        password: None,
    };
    assert_eq!(world.run(other, rename), Some(Outcome::Done));
    for device in [romeo, other] {
        let shown = shown(&world, device);
        assert_eq!(shown[0].name.as_deref(), Some("Capulet'sorchard"));
        assert!(!shown[0].autojoin && shown[0].nick.is_none());
    }
    let removed = world.run(romeo, Command::RemoveBookmark(bare(ORCHARD)));
    assert_eq!(removed, Some(Outcome::Done));
    for device in [romeo, other] {
        assert!(rooms(&world, device).is_empty());
    }
}

#[test]
fn the_list_is_published_for_nobody_else() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    world.run(romeo, set(ORCHARD));
    let published = world.server.seen.iter().find_map(|iq| {
        let pubsub = iq.child("pubsub", ns::PUBSUB)?;
        let publish = pubsub.child("publish", ns::PUBSUB)?;
        (publish.attr("node") == Some(ns::BOOKMARKS)).then_some(pubsub)
    });
    let options = published.unwrap().child("publish-options", ns::PUBSUB).unwrap();
    let form = Form::child_of(options).unwrap();
    for (field, value) in [
        ("pubsub#persist_items", "true"),
        ("pubsub#max_items", "max"),
        ("pubsub#send_last_published_item", "never"),
        ("pubsub#access_model", "whitelist"),
    ] {
        assert_eq!(form.value(field), Some(value), "{field}");
    }
}

#[test]
fn a_server_that_would_not_keep_the_list_private_does_not_get_it() {
    let mut world = World::new();
    world.server.publish_options = false;
    let romeo = world.online(ROMEO, &[]);
    let outcome = world.run(romeo, set(ORCHARD));
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::Unsupported(_)))), "{outcome:?}");
    assert!(!world.devices[romeo].sent.contains("orchard"));
}

/// As Debian's ejabberd does.
#[test]
fn a_server_that_refuses_an_option_is_asked_for_less_and_then_for_room() {
    let mut world = World::new();
    world.server.few_options = true;
    let romeo = world.online(ROMEO, &[]);
    assert_eq!(world.run(romeo, set(ORCHARD)), Some(Outcome::Done));
    assert!(world.server.accounts[&bare(ROMEO)].nodes[ns::BOOKMARKS].contains_key(ORCHARD));
    let seen = world.server.seen.iter();
    let pubsub = seen.filter_map(|iq| iq.child("pubsub", ns::PUBSUB)).rfind(|pubsub| {
        let publish = pubsub.child("publish", ns::PUBSUB);
        publish.is_some_and(|publish| publish.attr("node") == Some(ns::BOOKMARKS))
    });
    let options = pubsub.unwrap().child("publish-options", ns::PUBSUB);
    let form = options.and_then(Form::child_of).unwrap();
    assert_eq!(form.value("pubsub#access_model"), Some("whitelist"), "for nobody else, still");
    let seen = world.server.seen.iter();
    let rooms = seen.filter_map(|iq| iq.child("pubsub", ns::PUBSUB_OWNER)).filter_map(|pubsub| {
        let configure = pubsub.child("configure", ns::PUBSUB_OWNER)?;
        let form = Form::child_of(configure)?;
        let ours = configure.attr("node") == Some(ns::BOOKMARKS);
        form.value("pubsub#max_items").filter(|_| ours).map(str::to_owned)
    });
    assert_eq!(rooms.collect::<Vec<_>>(), ["max", "1000"]);
}

#[test]
fn what_other_programs_keep_of_a_room_stays() {
    let mut world = World::new();
    let payload = parse(
        "<conference xmlns='urn:xmpp:bookmarks:1' name='Old'><password>secret</password>\
         <extensions><state xmlns='urn:example' minimized='true'/></extensions></conference>",
    );
    let account = world.server.accounts.get_mut(&bare(ROMEO)).unwrap();
    account.nodes.entry(ns::BOOKMARKS.into()).or_default().insert(ORCHARD.into(), payload);
    let romeo = world.online(ROMEO, &[]);
    world.crash(romeo);
    world.settle();
    world.run(romeo, set(ORCHARD));
    let kept = &world.server.accounts[&bare(ROMEO)].nodes[ns::BOOKMARKS][ORCHARD];
    assert_eq!(kept.attr("name"), Some("The orchard"));
    let extensions = kept.child("extensions", ns::BOOKMARKS).unwrap();
    assert!(extensions.child("state", "urn:example").is_some());
    assert_eq!(kept.child("password", ns::BOOKMARKS).unwrap().text(), "secret");
    // An empty password takes it away.
    let open = Command::SetBookmark {
        room: bare(ORCHARD),
        name: None,
        autojoin: true,
        nick: None,
        password: Some(xmpp::sasl::Secret::from("")),
    };
    world.run(romeo, open);
    let kept = &world.server.accounts[&bare(ROMEO)].nodes[ns::BOOKMARKS][ORCHARD];
    assert!(kept.child("password", ns::BOOKMARKS).is_none());
}

#[test]
fn lists_of_others_are_not_ours() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    world.run(romeo, set(ORCHARD));
    let conference = "<conference xmlns='urn:xmpp:bookmarks:1' autojoin='true'/>";
    for item in
        [format!("<item id='{COUNCIL}'>{conference}</item>"), format!("<retract id='{ORCHARD}'/>")]
    {
        for from in [JULIET, "mercutio@example.net", "romeo@example.net/other", "example.net"] {
            let event = parse(&format!(
                "<message xmlns='jabber:client' type='headline' from='{from}'>\
                 <event xmlns='http://jabber.org/protocol/pubsub#event'>\
                 <items node='urn:xmpp:bookmarks:1'>{item}</items></event></message>"
            ));
            for session in world.server.sessions_of(&bare(ROMEO)) {
                world.server.deliver(&session, &event);
            }
        }
    }
    world.settle();
    assert_eq!(rooms(&world, romeo), [ORCHARD]);
}

#[test]
fn changes_that_were_missed_are_there_with_the_next_session() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    world.run(romeo, set(ORCHARD));
    world.run(romeo, Command::Disconnect);
    let account = world.server.accounts.get_mut(&bare(ROMEO)).unwrap();
    let node = account.nodes.get_mut(ns::BOOKMARKS).unwrap();
    let payload = node.remove(ORCHARD).unwrap();
    node.insert(COUNCIL.into(), payload);
    world.run(romeo, Command::Reconnect);
    assert_eq!(rooms(&world, romeo), [COUNCIL]);
}
