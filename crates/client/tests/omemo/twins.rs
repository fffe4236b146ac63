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

/// Names of devices, shared with what decides about stanzas.
type Names = Rc<RefCell<BTreeSet<String>>>;

/// Everybody writes, corrects, reacts, reads and takes back at random; what the server sends to a
/// device is late, comes twice, or is lost with its connection, and programs are killed.
struct Storm {
    world: World,
    devices: [usize; 4],
    dice: Dice,
    /// Whose connection broke, and to whom everything is late.
    broken: Names,
    late: Names,
}

/// With whom a device talks.
fn with(device: usize) -> &'static str {
    if device < 3 { "bob" } else { "alice" }
}

impl Storm {
    fn new(seed: u64) -> Self {
        let mut world = World::new();
        world.befriend("alice", "bob");
        let names = ["alice/phone", "alice/laptop", "alice/tablet", "bob/phone"];
        let devices = names.map(|name| world.device(name));
        let (broken, late) = (Names::default(), Names::default());
        let mut fates = Dice(seed ^ 0xffff);
        let (breaks, waits) = (broken.clone(), late.clone());
        world.hook = Some(Box::new(move |name, stanza| {
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
        }));
        Self { world, devices, dice: Dice(seed), broken, late }
    }

    fn roll(&mut self, sides: usize) -> usize {
        usize::try_from(self.dice.roll(sides as u64)).unwrap()
    }

    /// Programs whose connection broke end, so that nothing reaches them behind a hole; so does that of
    /// a device, if there is one. The others get what was late.
    fn lose(&mut self, device: Option<usize>) {
        let broken = std::mem::take(&mut *self.broken.borrow_mut());
        let ends =
            |one: &usize| device == Some(*one) || broken.contains(&self.world.devices[*one].name);
        let gone: Vec<usize> = self.devices.into_iter().filter(ends).collect();
        for one in &gone {
            self.world.kill(*one);
        }
        self.late.borrow_mut().clear();
        self.world.release(|held| held.retain(|(to, _)| !gone.contains(to)));
    }

    /// One of the last own messages.
    fn own(&mut self, device: usize) -> Option<Message> {
        let messages = self.world.messages(device, with(device)).into_iter();
        let mut own: Vec<Message> = messages.filter(|one| one.own).collect();
        let last = own.split_off(own.len().saturating_sub(3));
        let at = self.roll(last.len().max(1));
        last.get(at).cloned()
    }

    fn deed(&mut self, number: usize) {
        let at = self.roll(4);
        let device = self.devices[at];
        let deed = self.roll(20);
        match deed {
            0 => self.lose(Some(device)),
            1 => {
                self.lose(Some(device));
                self.world.online(device);
            }
            2..=4 => {
                self.late.borrow_mut().insert(self.world.devices[device].name.clone());
            }
            5 => self.world.wait(3_000),
            _ if self.world.devices[device].client.is_none() => self.world.online(device),
            6..=15 => self.change(device, deed, number),
            _ => {
                self.world.write(device, with(device), &format!("message {number}"));
            }
        }
    }

    /// Corrects, reacts, takes back or reads.
    fn change(&mut self, device: usize, deed: usize, number: usize) {
        let own = self.own(device);
        let messages = self.world.messages(device, with(device));
        let last = messages.iter().rfind(|one| !matches!(one.content, Content::Event(_)));
        let command = match (deed, own, last) {
            (6..=9, Some(own), _) => {
                let name = &self.world.devices[device].name;
                Command::Correct(own.id, format!("{name} corrects {number}"))
            }
            (10..=12, _, Some(last)) => {
                let emoji = ["👍", "😀", "🎉"][self.roll(3)];
                Command::React(last.id, vec![emoji.to_owned()])
            }
            (13, Some(own), _) if self.roll(3) == 0 => Command::Retract(own.id),
            (14..=15, _, Some(last)) => {
                let address = bare(&format!("{}@example.org", with(device)));
                Command::MarkRead(address, last.id)
            }
            _ => return,
        };
        self.world.ask(device, command);
    }

    /// Everything arrives, and everybody has been there once more.
    fn end(&mut self) {
        self.lose(None);
        self.world.hook = None;
        for device in self.devices {
            self.world.restart(device);
        }
        self.world.wait(60_000);
    }
}

fn storm(seed: u64) {
    let mut storm = Storm::new(seed);
    for number in 0..120 {
        storm.deed(number);
        let broken = !storm.broken.borrow().is_empty();
        if broken || number % 5 == 4 {
            storm.lose(None);
        }
    }
    storm.end();
    let first = shown(&storm.world, storm.devices[0], "bob");
    assert!(first.len() > 5, "{}", first.len());
    for device in &storm.devices[1..3] {
        let other = shown(&storm.world, *device, "bob");
        let differ: Vec<_> = first.iter().zip(&other).filter(|(one, other)| one != other).collect();
        assert!(first == other, "seed {seed}: {} {} {differ:#?}", first.len(), other.len());
    }
}

#[test]
fn three_devices_end_with_the_same_texts_reactions_and_ticks() {
    for seed in 1..=6 {
        storm(seed);
    }
}
