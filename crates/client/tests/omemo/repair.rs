//! What is put right by itself, or when the user asks for it.

use client::Command;
use client::store::{Devices, SessionKey, Version};
use client::view::{Change, Outcome, Readers};
use xmpp::ext::omemo2;
use xmpp::ns;
use xmpp::xml::Element;

use crate::world::{Fate, World, bare};

const DAY: u64 = 24 * 60 * 60 * 1000;

fn two() -> (World, usize, usize) {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, bob] = ["alice/phone", "bob/laptop"].map(|name| world.device(name));
    world.write(alice, "bob", "hello");
    world.write(bob, "alice", "hello");
    (world, alice, bob)
}

/// A device loses its sessions with another, as a restored backup does.
fn forget(world: &mut World, device: usize, other: usize) {
    for version in [Version::Legacy, Version::Omemo2] {
        let (owner, number) = (world.devices[other].address.clone(), world.number(other));
        let key = SessionKey { owner, device: number, version };
        world.devices[device].store.save_session(&key, None).unwrap();
    }
}

#[test]
fn a_lost_session_heals_once_a_day() {
    let (mut world, alice, bob) = two();
    forget(&mut world, bob, alice);
    world.write(alice, "bob", "lost");
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "NoSession");
    world.write(alice, "bob", "found");
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "found");
    forget(&mut world, bob, alice);
    world.write(alice, "bob", "lost again");
    world.write(alice, "bob", "still lost");
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "NoSession");
    world.wait(DAY);
    world.write(alice, "bob", "the last one that is lost");
    world.write(alice, "bob", "found again");
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "found again");
}

#[test]
fn what_cannot_be_read_and_is_no_text_is_not_shown() {
    let (mut world, alice, bob) = two();
    let [own, bobs] = world.messages(alice, "bob").try_into().unwrap();
    let before = world.messages(bob, "alice").len();
    let (with, emoji) = (bare("bob@example.org"), vec!["👍".to_owned()]);
    let deeds = [
        Command::MarkRead(with, bobs.id),
        Command::React(bobs.id, emoji),
        Command::Retract(own.id),
    ];
    for deed in deeds {
        forget(&mut world, bob, alice);
        let sent = world.log.len();
        let name = format!("{deed:?}");
        world.ask(alice, deed);
        let mut left = world.log[sent..].iter().filter(|(from, _)| *from == alice);
        assert!(left.any(|(_, message)| message.child("encrypted", ns::OMEMO).is_some()), "{name}");
        assert_eq!(world.messages(bob, "alice").len(), before, "{name}");
    }
    // Neither where it was never meant to be read, as on a device that its sender does not trust.
    world.hook = Some(Box::new(|name, stanza| {
        if name == "bob/laptop"
            && let Some(encrypted) = stanza.children_mut().find(|it| it.name() == "encrypted")
            && let Some(header) = encrypted.children_mut().find(|it| it.name() == "header")
        {
            header.retain_children(|_| false);
        }
        Fate::Deliver
    }));
    world.ask(alice, Command::React(bobs.id, vec!["🎉".to_owned()]));
    assert_eq!(world.messages(bob, "alice").len(), before);
    world.write(alice, "bob", "a text");
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "NotForThisDevice");
}

#[test]
fn the_user_can_have_sessions_replaced_at_any_time() {
    let (mut world, alice, bob) = two();
    for round in 0..3 {
        forget(&mut world, bob, alice);
        world.write(alice, "bob", "lost");
        let owner = bare("alice@example.org");
        assert_eq!(world.ask(bob, Command::RepairEncryption(owner)), Some(Outcome::Done));
        let text = format!("found {round}");
        world.write(alice, "bob", &text);
        assert_eq!(world.texts(bob, "alice").last().unwrap(), &text);
    }
    let nobody = bare("nobody@example.org");
    let outcome = world.ask(bob, Command::RepairEncryption(nobody));
    assert!(matches!(outcome, Some(Outcome::Failed(_))));
}

#[test]
fn a_device_without_keys_does_not_keep_a_message_from_the_others() {
    let (mut world, alice, bob) = two();
    let owner = bare("bob@example.org");
    let nodes = &mut world.accounts.get_mut(&owner).unwrap().nodes;
    let list = &mut nodes.get_mut(ns::OMEMO_DEVICES).unwrap().items[0].1;
    list.push(Element::new("device", ns::OMEMO).with_attr("id", "4711"));
    world.announce(&owner, ns::OMEMO_DEVICES);
    world.run();
    assert!(matches!(world.write(alice, "bob", "for whoever can"), Some(Outcome::Sent(_))));
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "for whoever can");
    world.ask(alice, Command::Open(owner));
    let readers = readers(&world, alice, "bob");
    assert_eq!((readers.theirs, readers.left_out), (1, 1));
}

#[test]
fn a_long_list_of_devices_keeps_no_message_from_who_can_read() {
    let (mut world, alice, bob) = two();
    let owner = bare("bob@example.org");
    let nodes = &mut world.accounts.get_mut(&owner).unwrap().nodes;
    let list = &mut nodes.get_mut(ns::OMEMO_DEVICES).unwrap().items[0].1;
    for id in 1..=100 {
        list.push(Element::new("device", ns::OMEMO).with_attr("id", id.to_string()));
    }
    world.announce(&owner, ns::OMEMO_DEVICES);
    world.run();
    assert!(matches!(world.write(alice, "bob", "for whoever can"), Some(Outcome::Sent(_))));
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "for whoever can");
    let readers = world.readers(alice);
    assert_eq!(readers, [("bob@example.org".to_owned(), world.number(bob))]);
}

fn readers(world: &World, device: usize, with: &str) -> Readers {
    let with = bare(&format!("{with}@example.org"));
    let changes = world.devices[device].changes.iter().rev();
    let mut conversations = changes.filter_map(|change| match change {
        Change::Conversation(conversation) if conversation.address == with => Some(conversation),
        _ => None,
    });
    conversations.next().unwrap().readers
}

#[test]
fn who_can_read_is_shown() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let names = ["alice/phone", "alice/laptop", "bob/phone", "bob/laptop"];
    let [phone, _, bob, _] = names.map(|name| world.device(name));
    world.write(phone, "bob", "hello");
    let expected = Readers { theirs: 2, own: 1, left_out: 0, verified: false };
    assert_eq!(readers(&world, phone, "bob"), expected);
    world.ask(bob, Command::Open(bare("alice@example.org")));
    assert_eq!(readers(&world, bob, "alice"), expected);
}

#[test]
fn keys_are_replaced_every_week_and_published() {
    let (mut world, alice, bob) = two();
    let published = |world: &World| {
        let nodes = &world.accounts[&bare("alice@example.org")].nodes;
        omemo2::Bundle::parse(&nodes[ns::OMEMO_BUNDLES].items[0].1).unwrap()
    };
    let before = published(&world);
    world.wait(6 * DAY);
    assert_eq!(published(&world).signed_prekey, before.signed_prekey);
    world.wait(3 * DAY);
    let after = published(&world);
    assert_ne!(after.signed_prekey, before.signed_prekey);
    assert_eq!((after.identity, after.prekeys.len()), (before.identity, 100));
    world.write(bob, "alice", "still here");
    assert_eq!(world.texts(alice, "bob").last().unwrap(), "still here");
}

#[test]
fn used_prekeys_are_deleted_after_an_hour() {
    let (mut world, alice, bob) = two();
    let kept = |world: &World| {
        let used = [alice, bob].map(|device| {
            let own = world.devices[device].store.own_device().unwrap().unwrap();
            omemo::Device::from_bytes(&own.keys).unwrap().forget_used_pre_keys()
        });
        used.contains(&true)
    };
    assert!(kept(&world));
    world.wait(50 * 60 * 1000);
    assert!(kept(&world));
    world.wait(20 * 60 * 1000);
    assert!(!kept(&world));
}

#[test]
fn bundles_that_somebody_removed_are_published_again_within_a_day() {
    let (mut world, alice, _) = two();
    let me = bare("alice@example.org");
    world.accounts.get_mut(&me).unwrap().nodes.retain(|name, _| !name.contains("bundles"));
    world.wait(DAY + 60_000);
    world.restart(alice);
    let nodes = &world.accounts[&me].nodes;
    assert_eq!(nodes[ns::OMEMO_BUNDLES].items.len(), 1);
    assert_eq!(nodes.keys().filter(|name| name.contains("bundles")).count(), 2);
}

#[test]
fn strangers_are_not_told_that_somebody_is_there() {
    let mut world = World::new();
    let [alice, spam] = ["alice/phone", "spam/bot"].map(|name| world.device(name));
    world.write(spam, "alice", "buy this");
    assert_eq!(world.texts(alice, "spam"), ["buy this"]);
    // Looking at what they wrote asks their server for nothing.
    world.ask(alice, Command::Open(bare("spam@example.org")));
    world.ask(alice, Command::Close(bare("spam@example.org")));
    assert!(world.log.iter().all(|(from, _)| *from != alice), "{:?}", world.log);
    assert!(!world.ever_sent(alice, "spam@example.org"));
    world.write(alice, "spam", "no");
    assert_eq!(world.texts(spam, "alice"), ["buy this", "no"]);
}

#[test]
fn devices_of_a_stranger_are_asked_for_when_they_are_accepted() {
    let mut world = World::new();
    let [alice, carol] = ["alice/phone", "carol/phone"].map(|name| world.device(name));
    world.write(carol, "alice", "we met");
    world.ask(alice, Command::Open(bare("carol@example.org")));
    assert_eq!(readers(&world, alice, "carol").theirs, 0);
    assert!(!world.ever_sent(alice, "carol@example.org"));
    let item = Element::new("item", ns::ROSTER)
        .with_attr("jid", "carol@example.org")
        .with_attr("subscription", "none");
    let push = Element::new("iq", ns::CLIENT)
        .with_attr("id", "push")
        .with_attr("type", "set")
        .with_child(Element::new("query", ns::ROSTER).with_child(item));
    world.deliver(alice, push);
    world.run();
    assert_eq!(readers(&world, alice, "carol").theirs, 1);
}

#[test]
fn a_server_that_cannot_be_reached_is_named() {
    let mut world = World::new();
    let alice = world.device("alice/phone");
    let number = world.command(
        alice,
        Command::Send {
            to: bare("bob@gone.example"),
            text: "hello?".to_owned(),
            reply_to: None,
            encryption: None,
        },
    );
    world.run();
    let outcome = format!("{:?}", world.devices[alice].outcomes.get(&number));
    assert!(outcome.contains("cannot be reached"), "{outcome}");
    assert!(!world.ever_sent(alice, "hello?"));
}

#[test]
fn an_error_is_not_taken_for_an_empty_list() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let names = ["alice/phone", "alice/laptop", "bob/laptop"];
    let [phone, laptop, bob] = names.map(|name| world.device(name));
    world.write(phone, "bob", "hello");
    world.kill(phone);
    world.hook = Some(Box::new(|name, stanza| {
        if name != "alice/phone" {
            return Fate::Deliver;
        }
        if stanza.child("event", ns::PUBSUB_EVENT).is_some() {
            return Fate::Lose;
        }
        if stanza.child("pubsub", ns::PUBSUB).is_some() {
            let condition = Element::new("internal-server-error", ns::STANZA_ERRORS);
            let error = Element::new("error", ns::CLIENT).with_attr("type", "cancel");
            stanza.retain_children(|_| false);
            stanza.set_attr("type", "error");
            stanza.push(error.with_child(condition));
        }
        Fate::Deliver
    }));
    world.online(phone);
    world.wait(5 * 60_000);
    let list = |world: &World| {
        let nodes = &world.accounts[&bare("alice@example.org")].nodes;
        omemo2::Devices::parse(&nodes[ns::OMEMO_DEVICES].items[0].1).unwrap().0.len()
    };
    assert_eq!(list(&world), 2);
    world.hook = None;
    world.wait(5 * 60_000);
    assert!(matches!(world.write(phone, "bob", "still here"), Some(Outcome::Sent(_))));
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "still here");
    assert_eq!(world.texts(laptop, "bob").last().unwrap(), "still here");
    assert_eq!(list(&world), 2);
}

#[test]
fn keys_that_were_lost_are_asked_for_again_in_the_next_session() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, bob] = ["alice/phone", "bob/laptop"].map(|name| world.device(name));
    world.hook = Some(Box::new(|name, stanza| {
        let items = stanza.child("pubsub", ns::PUBSUB).and_then(Element::first_child);
        let node = items.and_then(|items| items.attr("node")).unwrap_or_default();
        let lost = name == "alice/phone" && node.contains("bundles");
        if lost { Fate::Lose } else { Fate::Deliver }
    }));
    world.write(alice, "bob", "in a while");
    world.wait(61_000);
    world.hook = None;
    world.devices[alice].link = None;
    world.input(alice, client::Input::Disconnected(client::effect::Lost::Closed));
    world.wait(20_000);
    assert!(matches!(world.write(alice, "bob", "now"), Some(Outcome::Sent(_))));
    // With the newer version, not for want of it with the older one.
    assert_eq!(world.readers(alice), [("bob@example.org".to_owned(), world.number(bob))]);
    assert_eq!(world.texts(bob, "alice"), ["in a while", "now"]);
}
