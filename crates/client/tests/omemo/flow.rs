//! What happens when nobody is in the way.

use client::Command;
use client::store::{Delivery, Devices, Encryption, TrustLevel, Version};
use client::view::{Change, Outcome};
use xmpp::ns;

use crate::world::{Fate, World, bare};

/// Alice and Bob, one device each, each other's contacts.
fn two() -> (World, usize, usize) {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let alice = world.device("alice/phone");
    let bob = world.device("bob/laptop");
    (world, alice, bob)
}

#[test]
fn a_new_device_publishes_its_keys_in_both_versions_for_everybody() {
    let mut world = World::new();
    let alice = world.device("alice/phone");
    let id = world.number(alice).to_string();
    let nodes = &world.accounts[&bare("alice@example.org")].nodes;
    let legacy_bundle = format!("eu.siacs.conversations.axolotl.bundles:{id}");
    for node in [ns::OMEMO_DEVICES, ns::OMEMO_BUNDLES, ns::OMEMO_LEGACY_DEVICES, &legacy_bundle] {
        let node = nodes.get(node).unwrap_or_else(|| panic!("{node}"));
        assert_eq!((node.items.len(), node.access.as_str()), (1, "open"));
    }
    assert_eq!(nodes[ns::OMEMO_BUNDLES].max_items, "max");
    assert_eq!(nodes[ns::OMEMO_BUNDLES].items[0].0, id);
    let prekeys = |node: &str| {
        let bundle = &nodes[node].items[0].1;
        bundle.children().find(|child| child.name() == "prekeys").unwrap().children().count()
    };
    assert_eq!((prekeys(ns::OMEMO_BUNDLES), prekeys(&legacy_bundle)), (100, 100));
}

#[test]
fn a_message_reaches_the_other_encrypted() {
    let (mut world, alice, bob) = two();
    assert!(matches!(world.write(alice, "bob", "hello, Bob"), Some(Outcome::Sent(_))));
    assert!(!world.ever_sent(alice, "hello, Bob"));
    let messages = world.messages(bob, "alice");
    assert_eq!(world.texts(bob, "alice"), ["hello, Bob"]);
    let Encryption::Omemo { version, device, trust, .. } = messages[0].encryption else {
        panic!("{:?}", messages[0])
    };
    assert_eq!((version, device), (Version::Omemo2, world.number(alice)));
    assert_eq!(trust, TrustLevel::Blind);
    world.write(bob, "alice", "hello, Alice");
    assert_eq!(world.texts(alice, "bob"), ["hello, Bob", "hello, Alice"]);
    let own = &world.messages(alice, "bob")[0];
    assert_eq!(own.delivery, Some(Delivery::Delivered));
    assert!(matches!(
        own.encryption,
        Encryption::Omemo { version: Version::Omemo2, device, trust: TrustLevel::Verified, .. }
            if device == world.number(alice)
    ));
}

#[test]
fn a_device_that_knows_only_the_legacy_version_can_read() {
    let (mut world, alice, bob) = two();
    world.hide_omemo2("bob");
    world.write(alice, "bob", "hello, Bob");
    assert_eq!(world.texts(bob, "alice"), ["hello, Bob"]);
    let Encryption::Omemo { version, .. } = world.messages(bob, "alice")[0].encryption else {
        panic!()
    };
    assert_eq!(version, Version::Legacy);
    assert!(!world.ever_sent(alice, "hello, Bob"));
    world.hide_omemo2("alice");
    world.restart(bob);
    world.write(bob, "alice", "hello, Alice");
    assert_eq!(world.texts(alice, "bob"), ["hello, Bob", "hello, Alice"]);
}

#[test]
fn every_device_of_both_sides_reads_everything() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let devices = ["alice/phone", "alice/laptop", "bob/phone", "bob/laptop"];
    let [phone, laptop, bob, bobs] = devices.map(|name| world.device(name));
    for round in 0..3 {
        world.write(phone, "bob", &format!("from the phone {round}"));
        world.write(bobs, "alice", &format!("from Bob's laptop {round}"));
        world.write(laptop, "bob", &format!("from the laptop {round}"));
        world.write(bob, "alice", &format!("from Bob's phone {round}"));
    }
    let all = world.texts(phone, "bob");
    assert_eq!(all.len(), 12, "{all:?}");
    assert_eq!(world.texts(laptop, "bob"), all);
    assert_eq!(world.texts(bob, "alice"), all);
    assert_eq!(world.texts(bobs, "alice"), all);
}

#[test]
fn what_was_written_while_a_device_was_away_is_read_when_it_is_back() {
    let (mut world, alice, bob) = two();
    world.write(alice, "bob", "first");
    world.write(bob, "alice", "second");
    world.kill(bob);
    let expected: Vec<String> = (0..20).map(|number| format!("away {number}")).collect();
    for text in &expected {
        world.write(alice, "bob", text);
    }
    world.online(bob);
    assert_eq!(world.texts(bob, "alice")[2..], expected);
    world.write(bob, "alice", "back");
    assert_eq!(world.texts(alice, "bob").last().unwrap(), "back");
}

#[test]
fn who_cannot_be_reached_gets_nothing() {
    let mut world = World::new();
    let alice = world.device("alice/phone");
    let outcome = world.write(alice, "bob", "unreadable");
    assert!(matches!(outcome, Some(Outcome::Failed(_))), "{outcome:?}");
    assert!(!world.ever_sent(alice, "unreadable"));
    let delivery = world.messages(alice, "bob")[0].delivery.clone();
    assert!(matches!(delivery, Some(Delivery::Failed(_))), "{delivery:?}");
}

#[test]
fn devices_are_shown_with_their_signed_labels() {
    let (mut world, alice, bob) = two();
    let owner = bare("bob@example.org");
    let Some(Outcome::Devices(devices)) = world.ask(alice, Command::Devices(owner)) else {
        panic!()
    };
    assert_eq!(devices.len(), 1);
    assert_eq!((devices[0].id, devices[0].this), (world.number(bob), false));
    assert_eq!(devices[0].label.as_deref(), Some("laptop"));
    assert_eq!(devices[0].versions, [Version::Omemo2, Version::Legacy]);
    assert!(devices[0].active);
    assert_eq!(devices[0].fingerprint.as_ref().unwrap().len(), 64 + 7);
    world.ask(bob, Command::SetDeviceLabel("Bob's laptop".to_owned()));
    let owner = bare("bob@example.org");
    let Some(Outcome::Devices(devices)) = world.ask(alice, Command::Devices(owner)) else {
        panic!()
    };
    assert_eq!(devices[0].label.as_deref(), Some("Bob's laptop"));
}

#[test]
fn a_new_device_shows_itself_before_the_list_with_it_is_published() {
    let mut world = World::new();
    let owner = world.account("alice");
    let laptop = world.device("alice/laptop");
    // Nothing that the new one publishes is answered.
    world.hook = Some(Box::new(|name, stanza| {
        let answer = stanza.name() == "iq" && stanza.first_child().is_none();
        if name == "alice/phone" && answer { Fate::Hold } else { Fate::Deliver }
    }));
    let phone = world.device("alice/phone");
    let shown = |world: &World| -> Vec<(u32, Option<String>, bool, bool)> {
        let mut lists = world.devices[phone].changes.iter().filter_map(|change| match change {
            Change::Devices(whose, devices) if *whose == owner => Some(devices),
            _ => None,
        });
        let last = lists.next_back().into_iter().flatten();
        last.map(|one| (one.id, one.label.clone(), one.this, one.active)).collect()
    };
    let own = |label: &str, active| (world.number(phone), Some(label.to_owned()), true, active);
    let (before, renamed) = (own("phone", false), own("The phone", false));
    let published = own("The phone", true);
    let other = (world.number(laptop), Some("laptop".to_owned()), false, true);
    assert_eq!(shown(&world), [before, other.clone()]);
    world.ask(phone, Command::SetDeviceLabel("The phone".to_owned()));
    assert_eq!(shown(&world), [renamed, other.clone()]);
    world.hook = None;
    world.release(|_| {});
    assert_eq!(shown(&world), [published, other]);
}

#[test]
fn a_device_is_removed_with_its_keys() {
    let mut world = World::new();
    let phone = world.device("alice/phone");
    let laptop = world.device("alice/laptop");
    let gone = world.number(laptop);
    world.kill(laptop);
    assert_eq!(world.ask(phone, Command::RemoveDevice(gone)), Some(Outcome::Done));
    let nodes = &world.accounts[&bare("alice@example.org")].nodes;
    assert_eq!(nodes[ns::OMEMO_DEVICES].items[0].1.children().count(), 1);
    assert_eq!(nodes[ns::OMEMO_LEGACY_DEVICES].items[0].1.children().count(), 1);
    assert_eq!(nodes[ns::OMEMO_BUNDLES].items.len(), 1);
    assert!(!nodes.contains_key(&format!("eu.siacs.conversations.axolotl.bundles:{gone}")));
    let lists = world.devices[phone]
        .store
        .device_list(&bare("alice@example.org"), Version::Omemo2)
        .unwrap();
    assert_eq!(lists.iter().filter(|entry| entry.active).count(), 1);
}

#[test]
fn own_devices_that_nobody_heard_of_for_long_are_listed_as_such() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [phone, laptop, old] =
        ["alice/phone", "alice/laptop", "alice/old"].map(|name| world.device(name));
    world.device("bob/phone");
    world.write(laptop, "bob", "hello");
    world.kill(old);
    let unused = |world: &mut World| {
        let asked = world.ask(phone, Command::Devices(bare("alice@example.org")));
        let Some(Outcome::Devices(devices)) = asked else { panic!("{asked:?}") };
        let unused: Vec<u32> = devices.iter().filter(|one| one.unused).map(|one| one.id).collect();
        unused
    };
    assert_eq!(unused(&mut world), [0; 0]);
    world.now.wall = world.now.wall.plus(80 * 24 * 60 * 60 * 1000);
    world.write(laptop, "bob", "still here");
    assert_eq!(unused(&mut world), [0; 0]);
    world.now.wall = world.now.wall.plus(11 * 24 * 60 * 60 * 1000);
    let number = world.number(old);
    assert_eq!(unused(&mut world), [number]);
    assert_eq!(world.ask(phone, Command::RemoveDevice(number)), Some(Outcome::Done));
    assert_eq!(unused(&mut world), [0; 0]);
    world.now.wall = world.now.wall.plus(90 * 24 * 60 * 60 * 1000);
    let laptop = world.number(laptop);
    assert_eq!(unused(&mut world), [laptop]);
}
