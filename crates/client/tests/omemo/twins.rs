//! Devices of one account that change the same encrypted messages: they end with the same.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use client::Command;
use client::store::{Content, Delivery, Message};

use crate::storm::Dice;
use crate::world::{Fate, World, bare};

/// What must be the same of a message on all devices of an account.
type Shown = (Option<String>, Content, Vec<String>, Vec<(String, Vec<String>)>, Option<Delivery>);

fn shown(world: &World, device: usize, with: &str) -> Vec<Shown> {
    let messages = world.messages(device, with).into_iter();
    let of = |message: Message| {
        let mut reactions: Vec<_> = message.reactions.into_iter().collect();
        reactions.retain(|one| !one.emoji.is_empty());
        let mut reactions: Vec<_> =
            reactions.into_iter().map(|one| (one.sender.to_string(), one.emoji)).collect();
        reactions.sort();
        let versions = message.versions.into_iter().map(|(_, text)| text).collect();
        (message.origin_id, message.content, versions, reactions, message.delivery)
    };
    messages.filter(|one| !matches!(one.content, Content::Event(_))).map(of).collect()
}

#[test]
fn of_two_encrypted_corrections_at_once_the_later_in_the_archive_counts_everywhere() {
    for first in [0, 1] {
        let mut world = World::new();
        world.befriend("alice", "bob");
        let [phone, laptop, bob] =
            ["alice/phone", "alice/laptop", "bob/phone"].map(|name| world.device(name));
        world.write(phone, "bob", "hello");
        world.write(bob, "alice", "hello, Alice");
        world.write(phone, "bob", "first");
        world.wait(20_000);
        let own = |world: &World, device: usize| {
            let messages = world.messages(device, "bob");
            messages.into_iter().rfind(|one| one.content == Content::Text("first".into())).unwrap()
        };
        let devices = [phone, laptop];
        let ids = devices.map(|device| own(&world, device).id);
        // What the server sends arrives only when both have written.
        world.hook = Some(Box::new(|_, _| Fate::Hold));
        for side in [first, 1 - first] {
            world.command(devices[side], Command::Correct(ids[side], format!("side {side}")));
            world.command(devices[side], Command::React(ids[side], vec![format!("{side}")]));
        }
        world.hook = None;
        world.release(|_| {});
        world.wait(30_000);
        for device in devices {
            let last = shown(&world, device, "bob").pop().unwrap();
            assert_eq!(last.1, Content::Text(format!("side {}", 1 - first)), "{first}");
            assert_eq!(last.2, ["first".to_owned(), format!("side {first}")]);
            assert_eq!(last.3[0].1, [format!("{}", 1 - first)]);
        }
    }
}

/// Everybody writes, corrects, reacts, reads and takes back at random; what the server sends to a
/// device is late, comes twice, or is lost with its connection, and programs are killed.
fn storm(seed: u64) {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let names = ["alice/phone", "alice/laptop", "alice/tablet", "bob/phone"];
    let devices = names.map(|name| world.device(name));
    let with = |device: usize| if device < 3 { "bob" } else { "alice" };
    let mut dice = Dice(seed);
    let mut fates = Dice(seed ^ 0xffff);
    let broken: Rc<RefCell<BTreeSet<String>>> = Rc::default();
    let late: Rc<RefCell<BTreeSet<String>>> = Rc::default();
    let (breaks, waits) = (broken.clone(), late.clone());
    let fate = move |name: &str, stanza: &mut xmpp::xml::Element| {
        let mut broken = breaks.borrow_mut();
        if broken.contains(name) {
            return Fate::Lose;
        }
        // Nothing overtakes what is late.
        if waits.borrow().contains(name) {
            return Fate::Hold;
        }
        match fates.roll(60) {
            0 => {
                broken.insert(name.to_owned());
                Fate::Lose
            }
            1..=3 if stanza.name() == "message" => Fate::Double,
            _ => Fate::Deliver,
        }
    };
    world.hook = Some(Box::new(fate));
    for number in 0..120 {
        let device = devices[usize::try_from(dice.roll(4)).unwrap()];
        let name = world.devices[device].name.clone();
        let own = |world: &World, dice: &mut Dice| {
            let messages = world.messages(device, with(device));
            let mut own: Vec<Message> = messages.into_iter().filter(|one| one.own).collect();
            let last = own.split_off(own.len().saturating_sub(3));
            let at = usize::try_from(dice.roll(last.len().max(1) as u64)).unwrap();
            last.get(at).cloned()
        };
        match dice.roll(20) {
            0 => {
                world.release(|held| held.retain(|(to, _)| *to != device));
                world.kill(device);
                late.borrow_mut().clear();
            }
            1 => {
                world.release(|held| held.retain(|(to, _)| *to != device));
                late.borrow_mut().clear();
                world.restart(device);
            }
            2..=4 => {
                late.borrow_mut().insert(name);
            }
            5 => world.wait(3_000),
            _ if world.devices[device].client.is_none() => world.online(device),
            6..=9 => {
                if let Some(message) = own(&world, &mut dice) {
                    let text = format!("{name} corrects {number}");
                    world.ask(device, Command::Correct(message.id, text));
                }
            }
            10..=12 => {
                let messages = world.messages(device, with(device));
                let of_people = |one: &&Message| !matches!(one.content, Content::Event(_));
                if let Some(last) = messages.iter().rfind(of_people) {
                    let emoji = ["👍", "😀", "🎉"][usize::try_from(dice.roll(3)).unwrap()];
                    world.ask(device, Command::React(last.id, vec![emoji.to_owned()]));
                }
            }
            13 => {
                if let Some(message) = own(&world, &mut dice).filter(|_| dice.roll(3) == 0) {
                    world.ask(device, Command::Retract(message.id));
                }
            }
            14..=15 => {
                if let Some(last) = world.messages(device, with(device)).pop() {
                    let address = bare(&format!("{}@example.org", with(device)));
                    world.ask(device, Command::MarkRead(address, last.id));
                }
            }
            _ => {
                world.write(device, with(device), &format!("message {number}"));
            }
        }
        if number % 5 == 4 {
            late.borrow_mut().clear();
            world.release(|_| {});
        }
        let gone = std::mem::take(&mut *broken.borrow_mut());
        for device in devices {
            let name = &world.devices[device].name;
            if gone.contains(name) {
                late.borrow_mut().remove(name);
                world.release(|held| held.retain(|(to, _)| *to != device));
                world.restart(device);
            }
        }
    }
    late.borrow_mut().clear();
    world.hook = None;
    world.release(|_| {});
    for device in devices {
        world.restart(device);
    }
    world.wait(60_000);
    let first = shown(&world, devices[0], "bob");
    assert!(first.len() > 5, "{}", first.len());
    for device in &devices[1..3] {
        let other = shown(&world, *device, "bob");
        let differ: Vec<_> = first.iter().zip(&other).filter(|(one, other)| one != other).collect();
        assert!(first == other, "seed {seed}: {} {} {differ:#?}", first.len(), other.len());
    }
}

#[test]
fn three_devices_end_with_the_same_texts_reactions_and_ticks() {
    for seed in 1..=12 {
        storm(seed);
    }
}
