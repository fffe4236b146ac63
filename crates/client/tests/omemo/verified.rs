//! Verification, by hand and by what verified devices say (XEP-0450).

use client::Command;
use client::store::{Delivery, Devices, TrustLevel};
use client::view::Outcome;
use xmpp::jid::BareJid;

use crate::world::{Fate, World, bare};

/// What one device thinks of the keys of another's account, by device.
fn levels(world: &World, device: usize, owner: &str) -> Vec<(u32, TrustLevel)> {
    let owner = bare(&format!("{owner}@example.org"));
    let identities = world.devices[device].store.identities(&owner).unwrap();
    identities.into_iter().map(|identity| (identity.devices[0], identity.trust)).collect()
}

pub(crate) fn level(world: &World, device: usize, other: usize) -> Option<TrustLevel> {
    let owner = world.devices[other].address.as_str().split('@').next().unwrap().to_owned();
    let number = world.number(other);
    levels(world, device, &owner).into_iter().find(|(id, _)| *id == number).map(|(_, level)| level)
}

/// The link that a device shows to be scanned.
pub(crate) fn link(world: &mut World, device: usize) -> String {
    let owner: BareJid = world.devices[device].address.clone();
    let Some(Outcome::Devices(devices)) = world.ask(device, Command::Devices(owner.clone())) else {
        panic!()
    };
    let this = devices.iter().find(|device| device.this).unwrap();
    let print = this.fingerprint.as_ref().unwrap().replace(' ', "");
    format!("xmpp:{owner}?message;omemo-sid-{}={print}", this.id)
}

/// Two devices scan each other.
pub(crate) fn scan(world: &mut World, one: usize, other: usize) {
    for (scanner, shown) in [(one, other), (other, one)] {
        let link = link(world, shown);
        assert_eq!(world.ask(scanner, Command::Verify(link)), Some(Outcome::Verified(1)));
    }
}

/// Alice with two devices, Bob with two, who all wrote to each other.
pub(crate) fn four() -> (World, [usize; 4]) {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let names = ["alice/phone", "alice/laptop", "bob/phone", "bob/laptop"];
    let devices = names.map(|name| world.device(name));
    for (device, with) in devices.into_iter().zip(["bob", "bob", "alice", "alice"]) {
        world.write(device, with, "hello");
    }
    (world, devices)
}

#[test]
fn a_scanned_link_verifies_and_ends_blind_trust() {
    let (mut world, [phone, _, bob, bobs]) = four();
    scan(&mut world, phone, bob);
    assert_eq!(level(&world, phone, bob), Some(TrustLevel::Verified));
    assert_eq!(level(&world, phone, bobs), Some(TrustLevel::Blind));
    let third = world.device("bob/tablet");
    world.write(phone, "bob", "who reads this?");
    assert_eq!(level(&world, phone, third), Some(TrustLevel::Undecided));
    let readers: Vec<u32> = world.readers(phone).into_iter().map(|(_, device)| device).collect();
    assert!(readers.contains(&world.number(bob)) && readers.contains(&world.number(bobs)));
    assert!(!readers.contains(&world.number(third)));
}

#[test]
fn one_scan_is_enough_for_all_devices_of_both() {
    let (mut world, [phone, laptop, bob, bobs]) = four();
    scan(&mut world, phone, laptop);
    scan(&mut world, bob, bobs);
    scan(&mut world, phone, bob);
    for (device, other) in [
        (phone, laptop),
        (phone, bob),
        (phone, bobs),
        (laptop, phone),
        (laptop, bob),
        (laptop, bobs),
        (bob, bobs),
        (bob, phone),
        (bob, laptop),
        (bobs, bob),
        (bobs, phone),
        (bobs, laptop),
    ] {
        let names = (&world.devices[device].name, &world.devices[other].name);
        assert_eq!(level(&world, device, other), Some(TrustLevel::Verified), "{names:?}");
    }
}

#[test]
fn a_device_that_comes_later_is_vouched_for() {
    let (mut world, [phone, laptop, bob, _]) = four();
    scan(&mut world, phone, laptop);
    scan(&mut world, phone, bob);
    let tablet = world.device("alice/tablet");
    world.write(phone, "alice", "hello, tablet");
    world.write(tablet, "bob", "hello from the tablet");
    assert_eq!(level(&world, bob, tablet), Some(TrustLevel::Undecided));
    scan(&mut world, phone, tablet);
    assert_eq!(level(&world, bob, tablet), Some(TrustLevel::Verified));
    assert_eq!(level(&world, laptop, tablet), Some(TrustLevel::Verified));
    assert_eq!(level(&world, tablet, bob), Some(TrustLevel::Verified));
}

#[test]
fn distrust_spreads_and_ends_reading() {
    let (mut world, [phone, laptop, bob, bobs]) = four();
    scan(&mut world, phone, laptop);
    scan(&mut world, phone, bob);
    let owner = bare("bob@example.org");
    let identities = world.devices[phone].store.identities(&owner).unwrap();
    let number = world.number(bobs);
    let lost = identities.iter().find(|identity| identity.devices.contains(&number)).unwrap();
    let command = Command::Trust { owner, key: lost.key, level: TrustLevel::Distrusted };
    assert_eq!(world.ask(phone, command), Some(Outcome::Done));
    assert_eq!(level(&world, laptop, bobs), Some(TrustLevel::Distrusted));
    for device in [phone, laptop] {
        world.write(device, "bob", "not for the lost one");
        let readers = world.readers(device);
        assert!(readers.iter().all(|(_, device)| *device != number), "{readers:?}");
    }
    world.write(bobs, "alice", "from the thief");
    assert_eq!(world.texts(phone, "bob").last().unwrap(), "Distrusted");
}

#[test]
fn a_link_with_another_key_is_refused() {
    let (mut world, [phone, _, bob, _]) = four();
    let wrong = link(&mut world, phone).split_once('=').unwrap().1.to_owned();
    let link = format!("xmpp:bob@example.org?omemo-sid-{}={wrong}", world.number(bob));
    assert!(matches!(world.ask(phone, Command::Verify(link)), Some(Outcome::Failed(_))));
    assert_eq!(level(&world, phone, bob), Some(TrustLevel::Blind));
    let nothing = "xmpp:bob@example.org?message".to_owned();
    assert!(matches!(world.ask(phone, Command::Verify(nothing)), Some(Outcome::Failed(_))));
}

#[test]
fn a_link_that_is_scanned_before_the_key_was_seen_counts() {
    let mut world = World::new();
    let alice = world.device("alice/phone");
    let bob = world.device("bob/phone");
    let link = link(&mut world, bob);
    assert_eq!(world.ask(alice, Command::Verify(link)), Some(Outcome::Verified(1)));
    world.write(alice, "bob", "hello");
    assert_eq!(level(&world, alice, bob), Some(TrustLevel::Verified));
}

#[test]
fn trust_messages_are_not_shown_and_do_not_reach_unverified_devices() {
    let (mut world, [phone, laptop, bob, bobs]) = four();
    scan(&mut world, phone, laptop);
    let before: Vec<Vec<String>> =
        [laptop, bob, bobs].map(|device| world.texts(device, "alice")).to_vec();
    let sent = world.log.len();
    scan(&mut world, phone, bob);
    assert_eq!([laptop, bob, bobs].map(|device| world.texts(device, "alice")).to_vec(), before);
    let told: Vec<(usize, String)> = world.log[sent..]
        .iter()
        .map(|(from, message)| (*from, String::from_utf8(message.to_bytes("").to_vec()).unwrap()))
        .collect();
    assert!(!told.is_empty());
    let unverified = format!("rid='{}'", world.number(bobs));
    assert!(told.iter().all(|(_, xml)| !xml.contains(&unverified)), "{told:?}");
    assert!(told.iter().all(|(_, xml)| !xml.contains("trust-message")));
}

#[test]
fn a_link_that_is_scanned_before_there_are_keys_is_refused() {
    let mut world = World::new();
    let bob = world.device("bob/phone");
    let link = link(&mut world, bob);
    world.hook = Some(Box::new(|name, stanza| {
        let answer = stanza.name() == "iq" && stanza.attr("type") == Some("error");
        let event = stanza.child("event", xmpp::ns::PUBSUB_EVENT).is_some();
        if name == "alice/phone" && (answer || event) { Fate::Lose } else { Fate::Deliver }
    }));
    let alice = world.device("alice/phone");
    let outcome = world.ask(alice, Command::Verify(link));
    assert!(matches!(outcome, Some(Outcome::Failed(_))), "{outcome:?}");
}

#[test]
fn what_is_encrypted_for_a_device_does_not_leave_after_it_is_distrusted() {
    let (mut world, [phone, _, _, bobs]) = four();
    world.hook = Some(Box::new(|name, stanza| {
        let acknowledges = stanza.name() == "iq" && stanza.first_child().is_none();
        if name == "alice/phone" && acknowledges { Fate::Lose } else { Fate::Deliver }
    }));
    world.write(phone, "bob", "not for the lost one");
    world.kill(phone);
    world.hook = None;
    world.accounts.get_mut(&bare("alice@example.org")).unwrap().archive.clear();
    let sent = world.log.len();
    world.start(phone);
    let (owner, number) = (bare("bob@example.org"), world.number(bobs));
    let identities = world.devices[phone].store.identities(&owner).unwrap();
    let key = identities.iter().find(|it| it.devices.contains(&number)).unwrap().key;
    world.ask(phone, Command::Trust { owner, key, level: TrustLevel::Distrusted });
    let last = world.messages(phone, "bob").pop().unwrap();
    assert!(matches!(last.delivery, Some(Delivery::Failed(_))), "{last:?}");
    let again = world.log[sent..].iter().filter(|(from, message)| {
        *from == phone && message.attr("id") == last.origin_id.as_deref()
    });
    assert_eq!(again.count(), 0);
    assert!(matches!(world.ask(phone, Command::Retry(last.id)), Some(Outcome::Sent(_))));
    assert!(world.readers(phone).iter().all(|(_, device)| *device != number));
}
