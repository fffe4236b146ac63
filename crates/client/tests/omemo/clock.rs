//! Wall clocks that jump: keys last as long as they must, and what is said of them counts.

use client::Command;
use client::store::{Devices, TrustLevel, Version};
use client::view::Outcome;
use xmpp::ns;

use crate::storm::one_prekey;
use crate::verified::{four, level, scan};
use crate::world::{Fate, World, bare};

const YEAR: i64 = 365 * 24 * 60 * 60 * 1000;
const HOUR: u64 = 60 * 60 * 1000;

/// The number of the signed prekey that somebody publishes.
fn signed_prekey(world: &World, account: &str) -> u32 {
    let nodes = &world.accounts[&bare(&format!("{account}@example.org"))].nodes;
    let bundle = &nodes[ns::OMEMO_BUNDLES].items[0].1;
    let key = bundle.children().find(|child| child.name() == "spk").unwrap();
    key.attr("id").unwrap().parse().unwrap()
}

#[test]
fn a_clock_that_jumps_to_and_fro_does_not_wear_out_signed_prekeys() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let early = world.device("alice/phone");
    let bob = world.device("bob/laptop");
    // What begins a session with Bob's first keys is long on its way.
    world.hook = Some(Box::new(|to, stanza| {
        let encrypted = stanza.children().any(|child| child.name() == "encrypted");
        if to == "bob/laptop" && encrypted { Fate::Hold } else { Fate::Deliver }
    }));
    world.write(early, "bob", "with keys of yesterday");
    world.hook = None;
    let first = signed_prekey(&world, "bob");
    for (number, ahead) in [YEAR, 0, -YEAR, 0, YEAR].into_iter().enumerate() {
        world.devices[bob].ahead = ahead;
        // A session that begins takes a prekey, and Bob's keys are looked after.
        let alice = world.device(&format!("alice/{number}"));
        world.write(alice, "bob", &format!("from {number}"));
        world.wait(HOUR);
    }
    assert_eq!(signed_prekey(&world, "bob"), first + 1, "one replacement a day");
    world.release(|_| {});
    let texts = world.texts(bob, "alice");
    assert_eq!(texts.len(), 6, "{texts:?}");
    assert_eq!(texts[5], "with keys of yesterday");
    // The clock is right again, and rotation goes on.
    world.devices[bob].ahead = 0;
    world.wait(8 * 24 * HOUR);
    assert!(signed_prekey(&world, "bob") > first + 1);
    assert!(signed_prekey(&world, "bob") <= first + 4);
}

#[test]
fn everything_can_be_read_whatever_the_clocks_of_both_sides_do() {
    for (ours, theirs) in [(YEAR, -YEAR), (-YEAR, YEAR), (YEAR, YEAR)] {
        let mut world = World::new();
        world.befriend("alice", "bob");
        let alice = world.device("alice/phone");
        let bob = world.device("bob/laptop");
        let mut expected = Vec::new();
        for round in 0..3 {
            let jumped = round % 2 == 1;
            world.devices[alice].ahead = if jumped { ours } else { 0 };
            world.devices[bob].ahead = if jumped { 0 } else { theirs };
            for number in 0..3 {
                for (from, to, name) in [(alice, "bob", "alice"), (bob, "alice", "bob")] {
                    let text = format!("{name} {round} {number}");
                    world.write(from, to, &text);
                    expected.push(text);
                }
            }
            // One is away meanwhile, and its clock is another when it is back.
            world.kill(bob);
            for number in 0..60 {
                let text = format!("away {round} {number}");
                world.write(alice, "bob", &text);
                expected.push(text);
            }
            world.devices[bob].ahead = if jumped { theirs } else { 0 };
            world.online(bob);
        }
        assert_eq!(world.texts(bob, "alice"), expected);
        assert_eq!(world.texts(alice, "bob"), expected);
    }
}

#[test]
fn a_used_prekey_is_kept_for_its_hour_when_the_clock_jumps() {
    for ahead in [YEAR, -YEAR] {
        let mut world = World::new();
        world.befriend("alice", "bob");
        world.befriend("carol", "bob");
        let [alice, bob, carol] =
            ["alice/phone", "bob/laptop", "carol/tablet"].map(|name| world.device(name));
        one_prekey(&mut world, "bob");
        // Both have the same prekey of Bob's; Carol's message takes a while.
        world.ask(carol, Command::Devices(bare("bob@example.org")));
        world.write(alice, "bob", "from Alice");
        world.devices[bob].ahead = ahead;
        world.ask(bob, Command::Reconnect);
        world.write(carol, "bob", "from Carol");
        assert_eq!(world.texts(bob, "carol"), ["from Carol"], "{ahead}");
    }
}

#[test]
fn the_last_use_of_a_device_is_not_in_the_future_for_long() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let alice = world.device("alice/phone");
    let bob = world.device("bob/laptop");
    world.devices[bob].ahead = YEAR;
    world.write(alice, "bob", "one");
    world.devices[bob].ahead = 0;
    world.write(alice, "bob", "two");
    let owner = bare("alice@example.org");
    let entries = world.devices[bob].store.device_list(&owner, Version::Omemo2).unwrap();
    assert!(entries[0].last_used.is_some_and(|at| at <= world.now.wall), "{entries:?}");
    // And nobody is left out for having been silent, as far as a wrong clock knows.
    world.devices[bob].ahead = YEAR;
    world.write(bob, "alice", "three");
    assert_eq!(world.texts(alice, "bob"), ["one", "two", "three"]);
}

#[test]
fn decisions_about_keys_that_a_wrong_clock_dated_do_not_outweigh_later_ones() {
    // The clock of the device that decides, or that of the one that is told.
    for wrong in [0, 1] {
        let (mut world, [phone, laptop, bob, bobs]) = four();
        scan(&mut world, phone, laptop);
        scan(&mut world, phone, bob);
        let owner = bare("bob@example.org");
        let number = world.number(bobs);
        let identities = world.devices[phone].store.identities(&owner).unwrap();
        let key = identities.iter().find(|one| one.devices.contains(&number)).unwrap().key;
        let decide = |world: &mut World, level| {
            let command = Command::Trust { owner: owner.clone(), key, level };
            assert_eq!(world.ask(phone, command), Some(Outcome::Done));
        };
        world.devices[[phone, laptop][wrong]].ahead = YEAR;
        decide(&mut world, TrustLevel::Distrusted);
        assert_eq!(level(&world, laptop, bobs), Some(TrustLevel::Distrusted));
        world.devices[[phone, laptop][wrong]].ahead = 0;
        world.wait(1000);
        decide(&mut world, TrustLevel::Verified);
        assert_eq!(level(&world, laptop, bobs), Some(TrustLevel::Verified), "{wrong}");
    }
}

#[test]
fn a_clock_that_was_set_back_takes_no_decision_back() {
    let (mut world, [phone, laptop, bob, bobs]) = four();
    scan(&mut world, phone, laptop);
    scan(&mut world, phone, bob);
    let owner = bare("bob@example.org");
    let decide = |world: &mut World, by: usize, of: usize, level| {
        let number = world.number(of);
        let identities = world.devices[by].store.identities(&owner).unwrap();
        let key = identities.iter().find(|one| one.devices.contains(&number)).unwrap().key;
        let command = Command::Trust { owner: owner.clone(), key, level };
        assert_eq!(world.ask(by, command), Some(Outcome::Done));
    };
    decide(&mut world, phone, bobs, TrustLevel::Distrusted);
    // The archive tells a later moment, and the clock is set back by decades.
    world.wait(1000);
    world.write(phone, "bob", "still here");
    world.wait(HOUR);
    world.devices[phone].ahead = -50 * YEAR;
    decide(&mut world, phone, bob, TrustLevel::Verified);
    world.devices[phone].ahead = 0;
    // What the laptop says is dated before the decision.
    world.devices[laptop].ahead = -YEAR;
    decide(&mut world, laptop, bobs, TrustLevel::Verified);
    assert_eq!(level(&world, phone, bobs), Some(TrustLevel::Distrusted));
}
