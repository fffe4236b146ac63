//! Loss, doubles, disorder, programs that end at any moment: nothing is lost, nothing is doubled.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use client::store::{Content, Event, StoreError};
use xmpp::ns;
use xmpp::xml::Element;

use crate::world::{Fate, World, bare};

/// Numbers that look random and are the same each time (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            let other = usize::try_from(self.roll(at as u64 + 1)).unwrap();
            list.swap(at, other);
        }
    }
}

pub(crate) fn is_encrypted(stanza: &Element) -> bool {
    let has = |stanza: &Element| stanza.children().any(|child| child.name() == "encrypted");
    has(stanza) || stanza.to_bytes("").windows(10).any(|window| window == b"<encrypted")
}

/// What every device must have in the end: each text once.
fn expect(world: &World, devices: &[(usize, &str)], texts: &BTreeSet<String>, seed: u64) {
    for (device, with) in devices {
        let read = world.texts(*device, with);
        let set: BTreeSet<String> = read.iter().cloned().collect();
        let name = &world.devices[*device].name;
        let missing: Vec<&String> = texts.difference(&set).collect();
        let strange: Vec<&String> = set.difference(texts).collect();
        assert!(
            missing.is_empty() && strange.is_empty(),
            "{name}, seed {seed}: {missing:?} {strange:?}"
        );
        assert_eq!(read.len(), texts.len(), "{name} has doubles, seed {seed}: {read:?}");
    }
}

fn storm(seed: u64) {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let names = ["alice/phone", "alice/laptop", "bob/phone", "bob/laptop"];
    let devices = names.map(|name| world.device(name));
    let with = |device: usize| if device < 2 { "bob" } else { "alice" };
    let mut dice = Dice(seed);
    let mut fates = Dice(seed ^ 0xffff);
    // A connection that breaks loses what was on it, and everything after it until it is back.
    let broken: Rc<RefCell<BTreeSet<String>>> = Rc::default();
    let breaks = broken.clone();
    world.hook = Some(Box::new(move |name, stanza| {
        let mut broken = breaks.borrow_mut();
        if broken.contains(name) {
            return Fate::Lose;
        }
        if !is_encrypted(stanza) {
            return Fate::Deliver;
        }
        match fates.roll(12) {
            0 => {
                broken.insert(name.to_owned());
                Fate::Lose
            }
            1 | 2 => Fate::Double,
            // The results of a query stay in front of its end.
            3 | 4 if stanza.child("result", ns::MAM).is_none() => Fate::Hold,
            _ => Fate::Deliver,
        }
    }));
    let mut texts = BTreeSet::new();
    for number in 0..60 {
        let device = devices[usize::try_from(dice.roll(4)).unwrap()];
        match dice.roll(12) {
            0 => world.kill(device),
            1 => world.restart(device),
            2 => release(&mut world, &broken, &mut dice),
            _ if world.devices[device].client.is_some() => {
                let text = format!("message {number}");
                world.write(device, with(device), &text);
                texts.insert(text);
            }
            _ => {}
        }
        for device in end_broken(&mut world, &broken) {
            world.online(device);
        }
        if number % 3 == 0 {
            release(&mut world, &broken, &mut dice);
        }
    }
    end_broken(&mut world, &broken);
    world.hook = None;
    for device in devices {
        world.restart(device);
    }
    // Also what was held for those that were not running.
    release(&mut world, &broken, &mut dice);
    for device in devices {
        world.restart(device);
    }
    let all: Vec<(usize, &str)> = devices.iter().map(|device| (*device, with(*device))).collect();
    expect(&world, &all, &texts, seed);
    for device in devices {
        let name = &world.devices[device].name;
        let own = world.messages(device, name.split('/').next().unwrap());
        let restored = own.iter().any(|one| one.content == Content::Event(Event::Restored));
        assert!(!restored, "{name}, seed {seed}: nothing was put back");
    }
}

/// Ends the programs whose connection broke, and says which.
fn end_broken(world: &mut World, broken: &RefCell<BTreeSet<String>>) -> Vec<usize> {
    let gone = std::mem::take(&mut *broken.borrow_mut());
    let devices = world.devices.iter().enumerate();
    let gone: Vec<usize> =
        devices.filter(|(_, one)| gone.contains(&one.name)).map(|(index, _)| index).collect();
    for device in &gone {
        world.kill(*device);
    }
    gone
}

/// Lets what was held arrive, in any order. Nothing arrives on a connection behind what was lost with
/// it: no server does that, and no client could know that something is missing.
fn release(world: &mut World, broken: &RefCell<BTreeSet<String>>, dice: &mut Dice) {
    let gone = end_broken(world, broken);
    world.release(|held| dice.shuffle(held));
    for device in gone {
        world.online(device);
    }
}

#[test]
fn four_devices_end_with_every_message_once() {
    for seed in 1..=8 {
        storm(seed);
    }
}

#[test]
fn a_device_that_was_away_for_five_hundred_messages_reads_them_all() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let alice = world.device("alice/phone");
    let bob = world.device("bob/laptop");
    world.write(alice, "bob", "before");
    world.write(bob, "alice", "before, too");
    world.kill(bob);
    let mut texts: BTreeSet<String> = (0..500).map(|number| format!("away {number}")).collect();
    for text in &texts {
        world.write(alice, "bob", text);
    }
    world.online(bob);
    world.write(bob, "alice", "back");
    texts.extend(["before", "before, too", "back"].map(str::to_owned));
    expect(&world, &[(alice, "bob"), (bob, "alice")], &texts, 0);
}

#[test]
fn sixty_messages_one_way_get_a_sign_of_life() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let alice = world.device("alice/phone");
    let bob = world.device("bob/laptop");
    world.write(alice, "bob", "hello");
    world.write(bob, "alice", "hello");
    // Receipts move the ratchet as well: none arrive here.
    world.hook = Some(Box::new(|name, stanza| {
        let lost = name == "alice/phone" && is_encrypted(stanza) && stanza.name() == "message";
        if lost { Fate::Lose } else { Fate::Deliver }
    }));
    let before = empties(&world, bob);
    for number in 0..60 {
        world.write(alice, "bob", &format!("{number}"));
    }
    assert_eq!(world.texts(bob, "alice").len(), 62);
    assert!(empties(&world, bob) <= before + 1, "one is enough");
}

/// How many messages without content a device sent.
fn empties(world: &World, device: usize) -> usize {
    let messages = world.log.iter().filter(|(from, _)| *from == device);
    let encrypted = messages
        .filter_map(|(_, message)| message.children().find(|child| child.name() == "encrypted"));
    encrypted.filter(|it| it.children().all(|child| child.name() != "payload")).count()
}

/// Leaves one prekey in the published bundles, so that everybody takes the same.
pub(crate) fn one_prekey(world: &mut World, account: &str) {
    let address = bare(&format!("{account}@example.org"));
    for (name, node) in &mut world.accounts.get_mut(&address).unwrap().nodes {
        if !name.contains("bundles") {
            continue;
        }
        for (_, bundle) in &mut node.items {
            for prekeys in bundle.children_mut().filter(|child| child.name() == "prekeys") {
                let mut kept = 0;
                prekeys.retain_children(|_| {
                    kept += 1;
                    kept == 1
                });
            }
        }
    }
}

#[test]
fn two_who_take_the_same_prekey_are_both_read_and_answered() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    world.befriend("carol", "bob");
    let [alice, bob, carol] =
        ["alice/phone", "bob/laptop", "carol/tablet"].map(|name| world.device(name));
    world.kill(bob);
    one_prekey(&mut world, "bob");
    world.write(alice, "bob", "from Alice");
    world.write(carol, "bob", "from Carol");
    world.online(bob);
    assert_eq!(world.texts(bob, "alice"), ["from Alice"]);
    assert_eq!(world.texts(bob, "carol"), ["from Carol"]);
    // Everybody who began a session is answered, so nobody stays with the prekey.
    assert!(empties(&world, bob) >= 2);
    world.write(bob, "alice", "to Alice");
    world.write(bob, "carol", "to Carol");
    assert_eq!(world.texts(alice, "bob"), ["from Alice", "to Alice"]);
    assert_eq!(world.texts(carol, "bob"), ["from Carol", "to Carol"]);
    let bundles = &world.accounts[&bare("bob@example.org")].nodes[ns::OMEMO_BUNDLES];
    let prekeys = bundles.items[0].1.children().find(|child| child.name() == "prekeys").unwrap();
    assert_eq!(prekeys.children().count(), 100, "the bundle is filled up again");
}

#[test]
fn two_who_begin_at_the_same_time_understand_each_other() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let alice = world.device("alice/phone");
    let bob = world.device("bob/laptop");
    world.hook =
        Some(Box::new(|_, stanza| if is_encrypted(stanza) { Fate::Hold } else { Fate::Deliver }));
    world.write(alice, "bob", "one");
    world.write(bob, "alice", "two");
    world.hook = None;
    world.release(|_| {});
    world.write(alice, "bob", "three");
    world.write(bob, "alice", "four");
    for (device, with) in [(alice, "bob"), (bob, "alice")] {
        let mut texts = world.texts(device, with);
        texts.sort();
        assert_eq!(texts, ["four", "one", "three", "two"]);
    }
}

/// A conversation in which the program of one side ends when it is about to commit for the nth
/// time, or has just written for the nth time.
fn interrupted(victim: usize, commit: usize, write: bool) {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let devices = ["alice/phone", "bob/laptop"].map(|name| world.device(name));
    let error = || StoreError::Io("the disk is gone".to_owned());
    let store = world.devices[devices[victim]].store.clone();
    if write {
        store.fail_write(commit, error());
    }
    let mut texts = BTreeSet::new();
    for number in 0..4 {
        let from = number % 2;
        let with = ["bob", "alice"][from];
        let text = format!("message {number}");
        for attempt in 0..3 {
            for device in devices {
                if world.devices[device].client.is_none() {
                    world.online(device);
                }
            }
            let written = world.texts(devices[from], with).contains(&text);
            if written {
                break;
            }
            if !write && number == commit / 4 && attempt == 0 {
                store.fail_next_commit(error());
            }
            world.write(devices[from], with, &text);
        }
        texts.insert(text);
    }
    for device in devices {
        world.restart(device);
    }
    let all = [(devices[0], "bob"), (devices[1], "alice")];
    expect(&world, &all, &texts, commit as u64);
}

#[test]
fn a_program_that_ends_at_any_moment_loses_and_doubles_nothing() {
    for victim in 0..2 {
        for write in 0..60 {
            interrupted(victim, write, true);
        }
        for commit in 0..16 {
            interrupted(victim, commit, false);
        }
    }
}
