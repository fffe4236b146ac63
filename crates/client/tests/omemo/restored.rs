//! Profiles that were put back to an earlier state.

use std::collections::BTreeSet;

use client::Command;
use client::store::{Content, Event};
use xmpp::ext::{omemo_legacy, omemo2};
use xmpp::ns;

use crate::world::{World, bare};

const ALICE: &str = "alice@example.org";

/// Alice and Bob, who have written to each other.
fn two() -> (World, usize, usize) {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let alice = world.device("alice/phone");
    let bob = world.device("bob/laptop");
    // The first session only makes the keys.
    world.restart(alice);
    world.write(alice, "bob", "hello");
    world.write(bob, "alice", "hello, Alice");
    world.write(alice, "bob", "one");
    (world, alice, bob)
}

/// Puts a device back to what was kept of it, and starts it.
fn restore(world: &mut World, device: usize, backup: &client::store::MemoryStore) {
    world.kill(device);
    world.devices[device].store = backup.backup();
    world.online(device);
    world.wait(20_000);
}

/// How often the user was told.
fn told(world: &World, device: usize) -> usize {
    let messages = world.messages(device, "alice");
    messages.iter().filter(|one| one.content == Content::Event(Event::Restored)).count()
}

/// What was encrypted for a device: the bytes of every key, and how many sessions were begun.
fn keys_to(world: &World, from: usize, device: u32) -> (Vec<Vec<u8>>, usize) {
    let (mut keys, mut begun) = (Vec::new(), 0);
    for (_, message) in world.log.iter().filter(|(index, _)| *index == from) {
        if let Some(element) = message.child("encrypted", ns::OMEMO) {
            let encrypted = omemo2::Encrypted::parse(element).unwrap();
            for (_, entries) in encrypted.recipients {
                for key in entries.into_iter().filter(|key| key.device == device) {
                    begun += usize::from(key.exchange);
                    keys.push(key.data);
                }
            }
        }
        if let Some(element) = message.child("encrypted", ns::OMEMO_LEGACY) {
            let encrypted = omemo_legacy::Encrypted::parse(element).unwrap();
            let keys_for = encrypted.keys.into_iter().filter(|key| key.device == device);
            keys.extend(keys_for.map(|key| key.data));
        }
    }
    (keys, begun)
}

/// The ratchet key and the number in a message that is no key exchange: together they name a key.
fn name(data: &[u8]) -> Option<Vec<u8>> {
    // {1: mac, 2: {1: n, 2: pn, 3: ratchet key, 4: ciphertext}}
    let rest = data.strip_prefix(&[0x0a, 16])?.get(16..)?;
    rest.get(2..2 + 40).map(<[u8]>::to_vec)
}

#[test]
fn no_key_is_used_twice_after_a_restoration() {
    let (mut world, alice, bob) = two();
    let backup = world.devices[alice].store.backup();
    for text in ["two", "three"] {
        world.write(alice, "bob", text);
    }
    world.restart(alice);
    let device = world.number(bob);
    let (before, _) = keys_to(&world, alice, device);
    restore(&mut world, alice, &backup);
    assert_eq!(told(&world, alice), 1);
    world.write(alice, "bob", "after");
    world.write(alice, "bob", "after that");
    let (all, begun) = keys_to(&world, alice, device);
    assert!(begun >= 2, "a new session was begun");
    let names: Vec<Vec<u8>> = all.iter().filter_map(|data| name(data)).collect();
    let different: BTreeSet<&Vec<u8>> = names.iter().collect();
    assert_eq!(names.len(), different.len(), "a key was used twice");
    assert!(all.len() > before.len());
    let texts = world.texts(bob, "alice");
    assert!(texts.ends_with(&["after".to_owned(), "after that".to_owned()]), "{texts:?}");
    world.write(bob, "alice", "welcome back");
    assert_eq!(world.texts(alice, "bob").last().map(String::as_str), Some("welcome back"));
}

#[test]
fn the_archive_tells_of_a_restoration_without_another_session_in_between() {
    let (mut world, alice, bob) = two();
    let backup = world.devices[alice].store.backup();
    // Within the same session: the counts are the same.
    world.write(alice, "bob", "two");
    let (_, begun) = keys_to(&world, alice, world.number(bob));
    restore(&mut world, alice, &backup);
    assert_eq!(told(&world, alice), 1);
    world.write(alice, "bob", "after");
    assert!(keys_to(&world, alice, world.number(bob)).1 > begun);
    assert_eq!(world.texts(bob, "alice").last().map(String::as_str), Some("after"));
}

#[test]
fn nothing_is_encrypted_before_it_is_known() {
    let (mut world, alice, bob) = two();
    let backup = world.devices[alice].store.backup();
    world.write(alice, "bob", "two");
    world.restart(alice);
    world.kill(alice);
    world.devices[alice].store = backup.backup();
    let before = keys_to(&world, alice, world.number(bob)).0.len();
    world.start(alice);
    // Written at once, while the session is being made.
    let to = bare("bob@example.org");
    world.command(
        alice,
        Command::Send { to, text: "at once".into(), reply_to: None, encryption: None },
    );
    world.run();
    world.wait(20_000);
    let (keys, _) = keys_to(&world, alice, world.number(bob));
    assert!(keys.len() > before);
    let names: Vec<Vec<u8>> = keys.iter().filter_map(|data| name(data)).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert_eq!(world.texts(bob, "alice").last().map(String::as_str), Some("at once"));
}

#[test]
fn a_profile_that_only_goes_on_is_not_taken_for_restored() {
    let (mut world, alice, bob) = two();
    for round in 0..4 {
        world.restart(alice);
        world.write(alice, "bob", &format!("round {round}"));
        world.write(bob, "alice", &format!("answer {round}"));
        let last = world.messages(alice, "bob").last().unwrap().id;
        world.ask(alice, Command::React(last, vec!["🐢".into()]));
        world.ask(alice, Command::MarkRead(bare("bob@example.org"), last));
        world.wait(20_000);
    }
    let (_, begun) = keys_to(&world, alice, world.number(bob));
    world.restart(alice);
    world.write(alice, "bob", "last");
    assert_eq!(keys_to(&world, alice, world.number(bob)).1, begun);
    assert_eq!(told(&world, alice), 0);
}

#[test]
fn the_count_is_for_nobody_else() {
    let (world, ..) = two();
    let node = &world.accounts[&bare(ALICE)].nodes["urn:clownfish:sessions:0"];
    assert_eq!((node.access.as_str(), node.max_items.as_str()), ("whitelist", "max"));
}
