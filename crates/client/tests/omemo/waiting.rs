//! Messages for people who have no keys yet: they wait, and leave encrypted by themselves.

use client::Command;
use client::store::{Conversations, Delivery, EncryptionMode, MessageId};
use client::view::{Change, Outcome};
use xmpp::ns;
use xmpp::xml::Element;

use crate::world::{World, bare};

/// Alice, and Bob who has not opened a program that encrypts.
fn alice() -> (World, usize) {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let alice = world.device("alice/phone");
    (world, alice)
}

/// Whether it is shown that messages to somebody wait for keys.
fn waits(world: &World, device: usize, with: &str) -> bool {
    let with = bare(&format!("{with}@example.org"));
    let mut shown = world.devices[device].changes.iter().rev().filter_map(|change| match change {
        Change::Conversation(one) if one.address == with => Some(one.waits_for_keys),
        _ => None,
    });
    shown.next().expect("the conversation is shown")
}

fn queued(world: &World, device: usize) -> usize {
    let all = world.messages(device, "bob");
    all.iter().filter(|one| one.delivery == Some(Delivery::Queued)).count()
}

fn last(world: &World, device: usize) -> MessageId {
    world.messages(device, "bob").pop().unwrap().id
}

#[test]
fn what_is_written_before_there_are_keys_leaves_in_order_once_there_are() {
    let (mut world, alice) = alice();
    for text in ["first", "second"] {
        assert_eq!(world.write(alice, "bob", text), None);
    }
    assert!(waits(&world, alice, "bob"));
    world.restart(alice);
    assert!(waits(&world, alice, "bob"));
    assert_eq!(world.write(alice, "bob", "third"), None);
    assert_eq!(queued(&world, alice), 3);
    let bob = world.device("bob/phone");
    assert_eq!(world.texts(bob, "alice"), ["first", "second", "third"]);
    assert!(!waits(&world, alice, "bob"));
    assert_eq!(queued(&world, alice), 0);
    for text in ["first", "second", "third"] {
        assert!(!world.ever_sent(alice, text), "{text}");
    }
}

#[test]
fn what_waits_for_keys_can_be_called_off_and_changed_in_its_place() {
    let (mut world, alice) = alice();
    for text in ["first", "second", "third"] {
        world.write(alice, "bob", text);
    }
    let ids: Vec<MessageId> = world.messages(alice, "bob").iter().map(|one| one.id).collect();
    assert_eq!(world.ask(alice, Command::Correct(ids[0], "corrected".into())), None);
    assert_eq!(world.ask(alice, Command::Discard(ids[1])), Some(Outcome::Done));
    world.restart(alice);
    let bob = world.device("bob/phone");
    assert_eq!(world.texts(bob, "alice"), ["corrected", "third"]);
    let (mut world, alice) = self::alice();
    world.write(alice, "bob", "only");
    let only = last(&world, alice);
    assert_eq!(world.ask(alice, Command::Retract(only)), Some(Outcome::Done));
    assert!(!waits(&world, alice, "bob"));
    let bob = world.device("bob/phone");
    assert!(world.messages(bob, "alice").is_empty());
}

#[test]
fn plain_text_is_chosen_for_one_message_that_waits_and_for_no_other() {
    let (mut world, alice) = alice();
    for text in ["first", "second", "third"] {
        world.write(alice, "bob", text);
    }
    let ids: Vec<MessageId> = world.messages(alice, "bob").iter().map(|one| one.id).collect();
    let (second, third) = (ids[1], ids[2]);
    assert_eq!(world.ask(alice, Command::SendPlain(second)), Some(Outcome::Sent(second)));
    assert!(world.ever_sent(alice, "second"));
    assert_eq!(queued(&world, alice), 2);
    assert!(waits(&world, alice, "bob"));
    let all = world.devices[alice].store.conversations().unwrap();
    assert!(all.iter().all(|one| one.encryption == EncryptionMode::Omemo));
    // Not even when everything else is written in plain text from now on.
    let plain = Command::SetEncryption(bare("bob@example.org"), EncryptionMode::Plain);
    world.ask(alice, plain);
    world.wait(20 * 60 * 1000);
    for text in ["first", "third"] {
        assert!(!world.ever_sent(alice, text), "{text}");
    }
    assert_eq!(world.ask(alice, Command::SendPlain(third)), Some(Outcome::Sent(third)));
    let bob = world.device("bob/phone");
    let mut texts = world.texts(bob, "alice");
    texts.sort();
    assert_eq!(texts, ["first", "second", "third"]);
    assert!(!world.ever_sent(alice, "first"));
}

#[test]
fn keys_are_found_that_nobody_tells_of() {
    let mut world = World::new();
    let alice = world.device("alice/phone");
    world.account("bob");
    world.write(alice, "bob", "to a stranger");
    assert!(waits(&world, alice, "bob"));
    let bob = world.device("bob/phone");
    assert!(waits(&world, alice, "bob"));
    world.wait(11 * 60 * 1000);
    assert_eq!(world.texts(bob, "alice"), ["to a stranger"]);
    assert!(!waits(&world, alice, "bob"));
}

#[test]
fn a_list_of_devices_may_come_before_their_keys() {
    let (mut world, alice) = alice();
    world.kill(alice);
    let bob = world.device("bob/phone");
    let owner = bare("bob@example.org");
    let nodes = &mut world.accounts.get_mut(&owner).unwrap().nodes;
    let (later, now) =
        std::mem::take(nodes).into_iter().partition(|(name, _)| name.contains("bundle"));
    *nodes = now;
    world.online(alice);
    world.write(alice, "bob", "as soon as it goes");
    assert!(waits(&world, alice, "bob"));
    let mut later: std::collections::BTreeMap<_, _> = later;
    world.accounts.get_mut(&owner).unwrap().nodes.append(&mut later);
    world.wait(2 * 60 * 1000);
    assert_eq!(world.texts(bob, "alice"), ["as soon as it goes"]);
    assert!(!world.ever_sent(alice, "as soon as it goes"));
}

#[test]
fn what_tells_that_a_message_arrived_does_not_wait_behind_one() {
    let (mut world, alice) = alice();
    world.write(alice, "bob", "whenever you can");
    let plain = Element::new("message", ns::CLIENT)
        .with_attr("from", "bob@example.org/old")
        .with_attr("to", "alice@example.org")
        .with_attr("type", "chat")
        .with_attr("id", "plain")
        .with_child(Element::new("body", ns::CLIENT).with_text("who is there?"))
        .with_child(Element::new("request", ns::RECEIPTS));
    world.deliver(alice, plain);
    world.run();
    assert!(
        world
            .log
            .iter()
            .any(|(from, one)| { *from == alice && one.child("received", ns::RECEIPTS).is_some() })
    );
    assert!(waits(&world, alice, "bob"));
}
