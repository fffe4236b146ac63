//! What notifies, in step between the devices of an account (XEP-0492).

use client::Command;
use client::store::{Mute, Notify};
use client::view::{Change, Conversation, Outcome};
use xmpp::ns;
use xmpp::time::Millis;
use xmpp::xml::{Element, Limits};

use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";
const CHATS: &str = "urn:clownfish:chats:0";

fn parse(xml: &str) -> Element {
    Element::parse(xml.as_bytes(), &Limits::TRUSTED).unwrap()
}

/// A row of the list of conversations, if it was ever shown.
fn row(world: &World, device: usize, address: &str) -> Option<Conversation> {
    let mut changes = world.devices[device].changes.iter().rev();
    changes.find_map(|change| match change {
        Change::Conversation(one) if one.address == bare(address) => Some((**one).clone()),
        _ => None,
    })
}

fn shown(world: &World, device: usize, address: &str) -> (Mute, Notify) {
    let row = row(world, device, address).unwrap();
    (row.mute, row.notify)
}

fn do_it(world: &mut World, device: usize, command: Command) {
    assert_eq!(world.run(device, command), Some(Outcome::Done));
}

/// Two devices of Romeo in a group that he made.
fn group() -> (World, usize, usize, String) {
    let mut world = World::new();
    let first = world.online(ROMEO, &[]);
    let second = world.online(ROMEO, &[]);
    let create = Command::CreateRoom { room: None, name: None, public: false, people: Vec::new() };
    let outcome = world.run(first, create);
    let Some(Outcome::Room(group)) = outcome else { panic!("{outcome:?}") };
    world.pass(60_000);
    (world, first, second, group.to_string())
}

/// What is written in the list of rooms.
fn written(world: &World, room: &str) -> Vec<String> {
    let payload = &world.server.accounts[&bare(ROMEO)].nodes[ns::BOOKMARKS][room];
    let extensions = payload.child("extensions", ns::BOOKMARKS);
    let notify = extensions.and_then(|it| it.child("notify", ns::NOTIFICATION_SETTINGS));
    notify.into_iter().flat_map(Element::children).map(|one| one.name().to_owned()).collect()
}

#[test]
fn what_is_chosen_for_a_room_is_so_on_all_devices() {
    let (mut world, first, second, group) = group();
    assert_eq!(written(&world, &group), [""; 0]);
    let room = || bare(&group);
    do_it(&mut world, first, Command::Mute(room(), Mute::Forever));
    assert_eq!(written(&world, &group), ["never"]);
    assert_eq!(shown(&world, second, &group).0, Mute::Forever);
    do_it(&mut world, second, Command::Mute(room(), Mute::No));
    do_it(&mut world, second, Command::Notify(room(), Notify::Mentions));
    assert_eq!(written(&world, &group), ["on-mention"]);
    assert_eq!(shown(&world, first, &group), (Mute::No, Notify::Mentions));
    do_it(&mut world, first, Command::Notify(room(), Notify::All));
    assert_eq!(written(&world, &group), ["always"]);
    assert_eq!(shown(&world, second, &group), (Mute::No, Notify::All));
    // It is written once.
    let writes = |world: &World| {
        let seen = world.server.seen.iter().filter_map(|iq| iq.child("pubsub", ns::PUBSUB));
        let publish = seen.filter_map(|pubsub| pubsub.child("publish", ns::PUBSUB));
        publish.filter(|one| one.attr("node") == Some(ns::BOOKMARKS)).count()
    };
    let before = writes(&world);
    do_it(&mut world, first, Command::Mute(room(), Mute::Forever));
    world.pass(60_000);
    assert_eq!(writes(&world), before + 1);
    // What is muted for an hour is so on one device.
    do_it(&mut world, first, Command::Mute(room(), Mute::No));
    let soon = Mute::Until(Millis(world.server.now.0 + 3_600_000));
    do_it(&mut world, first, Command::Mute(room(), soon));
    assert_eq!(written(&world, &group), ["always"]);
    assert_eq!(shown(&world, second, &group).0, Mute::No);
}

#[test]
fn what_is_chosen_without_a_connection_is_told_by_the_next_program() {
    let (mut world, first, second, group) = group();
    world.run(first, Command::Disconnect);
    do_it(&mut world, first, Command::Mute(bare(&group), Mute::Forever));
    do_it(&mut world, first, Command::Mute(bare(JULIET), Mute::Forever));
    world.crash(first);
    world.pass(60_000);
    world.run(first, Command::Reconnect);
    world.pass(60_000);
    assert_eq!(written(&world, &group), ["never"]);
    for address in [group.as_str(), JULIET] {
        for device in [first, second] {
            assert_eq!(shown(&world, device, address).0, Mute::Forever, "{address} {device}");
        }
    }
}

#[test]
fn people_are_muted_on_all_devices_and_on_those_that_come_later() {
    let mut world = World::new();
    let first = world.online(ROMEO, &[JULIET]);
    let second = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    do_it(&mut world, first, Command::Mute(bare(JULIET), Mute::Forever));
    assert_eq!(shown(&world, second, JULIET).0, Mute::Forever);
    let third = world.online(ROMEO, &[]);
    let seen = row(&world, third, JULIET).unwrap();
    assert!(seen.mute == Mute::Forever, "{seen:?}");
    for device in [first, second, third] {
        world.devices[device].notifications.clear();
    }
    world.send(juliet, ROMEO, "wherefore art thou?");
    world.settle();
    for device in [first, second, third] {
        assert_eq!(world.devices[device].notifications.len(), 0);
    }
    do_it(&mut world, second, Command::Mute(bare(JULIET), Mute::No));
    for device in [first, third] {
        assert_eq!(shown(&world, device, JULIET).0, Mute::No);
    }
    // Nobody else sees it, and nobody else decides it.
    let options = world.server.seen.iter().filter_map(|iq| iq.child("pubsub", ns::PUBSUB));
    let options = options.filter(|pubsub| {
        pubsub.child("publish", ns::PUBSUB).and_then(|one| one.attr("node")) == Some(CHATS)
    });
    for pubsub in options {
        let form = pubsub.child("publish-options", ns::PUBSUB);
        let form = form.and_then(xmpp::ext::form::Form::child_of).unwrap();
        assert_eq!(form.value("pubsub#access_model"), Some("whitelist"));
    }
    let forged = format!(
        "<message xmlns='jabber:client' type='headline' from='{JULIET}'>\
         <event xmlns='http://jabber.org/protocol/pubsub#event'><items node='{CHATS}'>\
         <item id='{JULIET}'><chat xmlns='{CHATS}' jid='{JULIET}'>\
         <notify xmlns='urn:xmpp:notification-settings:1'><never/></notify></chat></item></items>\
         </event></message>"
    );
    for session in world.server.sessions_of(&bare(ROMEO)) {
        world.server.deliver(&session, &parse(&forged));
    }
    world.settle();
    assert_eq!(shown(&world, first, JULIET).0, Mute::No);
}

#[test]
fn other_programs_keep_their_settings_beside() {
    let (mut world, first, second, group) = group();
    let payload = |notify: &str| {
        parse(&format!(
            "<conference xmlns='urn:xmpp:bookmarks:1' autojoin='true'><extensions>\
             <state xmlns='urn:example'/>{notify}</extensions></conference>"
        ))
    };
    let notify = "<notify xmlns='urn:xmpp:notification-settings:1'>\
                  <on-mention identity-category='client' identity-type='console'/>\
                  <never><advanced><weather xmlns='custom:ns-2'>raining</weather></advanced></never>\
                  </notify>";
    let publish = |world: &mut World, payload: Element| {
        let account = world.server.accounts.get_mut(&bare(ROMEO)).unwrap();
        account.nodes.get_mut(ns::BOOKMARKS).unwrap().insert(group.clone(), payload);
        for device in [first, second] {
            world.run(device, Command::Disconnect);
            world.run(device, Command::Reconnect);
        }
        world.pass(60_000);
    };
    publish(&mut world, payload(notify));
    for device in [first, second] {
        assert_eq!(shown(&world, device, &group), (Mute::No, Notify::Mentions));
    }
    do_it(&mut world, first, Command::Notify(bare(&group), Notify::All));
    assert_eq!(shown(&world, second, &group), (Mute::No, Notify::All));
    let kept = &world.server.accounts[&bare(ROMEO)].nodes[ns::BOOKMARKS][&group];
    let extensions = kept.child("extensions", ns::BOOKMARKS).unwrap();
    assert!(extensions.child("state", "urn:example").is_some());
    let notify = extensions.child("notify", ns::NOTIFICATION_SETTINGS).unwrap();
    let names: Vec<&str> = notify.children().map(Element::name).collect();
    assert_eq!(names, ["always", "never"]);
    let never = notify.child("never", ns::NOTIFICATION_SETTINGS).unwrap();
    assert!(never.child("advanced", ns::NOTIFICATION_SETTINGS).is_some());
    // Who takes it away chooses what is usual.
    publish(&mut world, payload(""));
    for device in [first, second] {
        assert_eq!(shown(&world, device, &group), (Mute::No, Notify::Usual));
    }
}

#[test]
fn on_a_server_that_would_show_it_to_others_it_stays_here() {
    let mut world = World::new();
    world.server.publish_options = false;
    let romeo = world.online(ROMEO, &[JULIET]);
    do_it(&mut world, romeo, Command::Mute(bare(JULIET), Mute::Forever));
    world.pass(60_000);
    assert_eq!(shown(&world, romeo, JULIET).0, Mute::Forever);
    assert!(!world.devices[romeo].sent.contains("notification-settings"));
}
