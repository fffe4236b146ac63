//! Devices that somebody adds to a list: told, and never believed beside a verified key.

use client::Command;
use client::store::{Devices, TrustLevel};
use client::view::Outcome;
use xmpp::ext::omemo_legacy;
use xmpp::ns;
use xmpp::xml::Element;

use crate::evil::{events, three};
use crate::world::{World, bare};

/// The server adds Mallory's device to somebody's list, with Mallory's keys.
fn inject(world: &mut World, victim: &str, mallory: usize) -> u32 {
    let number = world.number(mallory);
    let victim = bare(&format!("{victim}@example.org"));
    let from = world.accounts[&bare("mallory@example.org")].nodes.clone();
    let account = world.accounts.get_mut(&victim).unwrap();
    let bundle = from[ns::OMEMO_BUNDLES].items[0].clone();
    account.nodes.get_mut(ns::OMEMO_BUNDLES).unwrap().items.push(bundle);
    let legacy = omemo_legacy::bundle_node(number);
    account.nodes.insert(legacy.clone(), from[&legacy].clone());
    let id = number.to_string();
    for (node, ns) in [(ns::OMEMO_DEVICES, ns::OMEMO), (ns::OMEMO_LEGACY_DEVICES, ns::OMEMO_LEGACY)]
    {
        let list = &mut account.nodes.get_mut(node).unwrap().items[0].1;
        list.push(Element::new("device", ns).with_attr("id", id.as_str()));
    }
    for node in [ns::OMEMO_DEVICES, ns::OMEMO_LEGACY_DEVICES] {
        world.announce(&victim, node);
    }
    world.run();
    number
}

fn verify(world: &mut World, by: usize, owner: &str) {
    let owner = bare(&format!("{owner}@example.org"));
    let identities = world.devices[by].store.identities(&owner).unwrap();
    for identity in identities {
        let (owner, level) = (owner.clone(), TrustLevel::Verified);
        let command = Command::Trust { owner, key: identity.key, level };
        assert_eq!(world.ask(by, command), Some(Outcome::Done));
    }
}

#[test]
fn an_injected_device_gets_nothing_once_a_key_is_verified() {
    let (mut world, alice, bob, mallory) = three();
    verify(&mut world, alice, "bob");
    let injected = inject(&mut world, "bob", mallory);
    world.write(alice, "bob", "for Bob alone");
    let readers = world.readers(alice);
    assert_eq!(readers, [("bob@example.org".to_owned(), world.number(bob))]);
    assert_eq!(events(&world, alice, "bob"), [(injected, false)]);
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "for Bob alone");
}

#[test]
fn an_injected_device_is_told_before_anything_is_verified() {
    let (mut world, alice, _, mallory) = three();
    let injected = inject(&mut world, "bob", mallory);
    world.write(alice, "bob", "for whoever is Bob");
    assert_eq!(events(&world, alice, "bob"), [(injected, true)]);
}

#[test]
fn an_unknown_own_device_is_an_alarm() {
    let (mut world, alice, _, mallory) = three();
    let injected = inject(&mut world, "alice", mallory);
    assert_eq!(events(&world, alice, "alice"), [(injected, true)]);
    assert!(world.devices[alice].notes.iter().any(|note| note.contains(&injected.to_string())));
}

#[test]
fn another_key_on_a_known_device_is_not_trusted() {
    let (mut world, alice, bob, mallory) = three();
    let number = world.number(bob);
    let from =
        world.accounts[&bare("mallory@example.org")].nodes[ns::OMEMO_BUNDLES].items[0].1.clone();
    let account = world.accounts.get_mut(&bare("bob@example.org")).unwrap();
    account.nodes.get_mut(ns::OMEMO_BUNDLES).unwrap().items = vec![(number.to_string(), from)];
    let owner = bare("bob@example.org");
    world.ask(alice, Command::RepairEncryption(owner.clone()));
    let identities = world.devices[alice].store.identities(&owner).unwrap();
    let mut levels: Vec<TrustLevel> = identities.iter().map(|identity| identity.trust).collect();
    levels.sort();
    assert_eq!(levels, [TrustLevel::Undecided, TrustLevel::Blind]);
    assert_eq!(events(&world, alice, "bob"), [(number, false)]);
    world.write(alice, "bob", "still for Bob");
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "still for Bob");
    assert_eq!(world.texts(mallory, "alice"), Vec::<String>::new());
}

fn levels(world: &World, device: usize, owner: &str) -> Vec<(u32, TrustLevel)> {
    let owner = bare(&format!("{owner}@example.org"));
    let identities = world.devices[device].store.identities(&owner).unwrap();
    let mut levels: Vec<_> = identities.into_iter().map(|it| (it.devices[0], it.trust)).collect();
    levels.sort_unstable();
    levels
}

fn sorted(mut levels: Vec<(u32, TrustLevel)>) -> Vec<(u32, TrustLevel)> {
    levels.sort_unstable();
    levels
}

#[test]
fn a_key_that_was_compared_before_it_was_seen_ends_blind_trust() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, bob, mallory] =
        ["alice/phone", "bob/laptop", "mallory/server"].map(|name| world.device(name));
    let injected = inject(&mut world, "bob", mallory);
    let link = crate::verified::link(&mut world, bob);
    assert_eq!(world.ask(alice, Command::Verify(link)), Some(Outcome::Verified(1)));
    world.write(alice, "bob", "for Bob alone");
    assert_eq!(world.readers(alice), [("bob@example.org".to_owned(), world.number(bob))]);
    assert_eq!(events(&world, alice, "bob"), [(injected, false)]);
}

#[test]
fn what_was_believed_before_a_key_was_compared_is_not_any_more() {
    let (mut world, alice, bob, mallory) = three();
    let injected = inject(&mut world, "bob", mallory);
    world.write(alice, "bob", "for whoever is Bob");
    let phone = world.device("bob/phone");
    let link = crate::verified::link(&mut world, phone);
    assert_eq!(world.ask(alice, Command::Verify(link)), Some(Outcome::Verified(1)));
    let expected = vec![
        (injected, TrustLevel::Undecided),
        (world.number(bob), TrustLevel::Undecided),
        (world.number(phone), TrustLevel::Verified),
    ];
    assert_eq!(levels(&world, alice, "bob"), sorted(expected));
    assert!(events(&world, alice, "bob").contains(&(injected, false)));
}

#[test]
fn a_device_that_comes_back_to_a_list_is_told_and_not_believed() {
    let (mut world, alice, bob, mallory) = three();
    let injected = inject(&mut world, "bob", mallory);
    world.write(alice, "bob", "for whoever is Bob");
    let (owner, id) = (bare("bob@example.org"), injected.to_string());
    for node in [ns::OMEMO_DEVICES, ns::OMEMO_LEGACY_DEVICES] {
        let nodes = &mut world.accounts.get_mut(&owner).unwrap().nodes;
        let list = &mut nodes.get_mut(node).unwrap().items[0].1;
        list.retain_children(|device| device.attr("id") != Some(&id));
        world.announce(&owner, node);
    }
    world.run();
    let number = world.number(bob);
    let identities = world.devices[alice].store.identities(&owner).unwrap();
    let key = identities.iter().find(|it| it.devices.contains(&number)).unwrap().key;
    let level = TrustLevel::Verified;
    world.ask(alice, Command::Trust { owner, key, level });
    inject(&mut world, "bob", mallory);
    world.write(alice, "bob", "for Bob alone");
    assert_eq!(world.readers(alice), [("bob@example.org".to_owned(), number)]);
    assert_eq!(events(&world, alice, "bob"), [(injected, true), (injected, false)]);
}
