//! Stars: the same on all devices of an account, and known to nobody else.

use client::Command;
use client::store::{Content, Devices, Message, MessageId, Profile, TrustLevel};
use client::view::{Change, Outcome, Problem};
use xmpp::ns;
use xmpp::xml::Element;

use crate::world::{Fate, World, bare};

/// Alice on two devices, Bob on one, and three messages.
fn three() -> (World, [usize; 3]) {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let devices = ["alice/phone", "alice/laptop", "bob/phone"].map(|name| world.device(name));
    let [phone, _, bob] = devices;
    world.write(phone, "bob", "first");
    world.write(bob, "alice", "second");
    world.write(phone, "bob", "third");
    world.wait(20_000);
    (world, devices)
}

fn id(world: &World, device: usize, with: &str, text: &str) -> MessageId {
    let messages = world.messages(device, with).into_iter();
    let mut found = messages.filter(|one| one.content == Content::Text(text.into()));
    found.next().expect("it is there").id
}

fn star(world: &mut World, device: usize, text: &str, set: bool) -> Option<Outcome> {
    let id = id(world, device, "bob", text);
    world.ask(device, Command::Star(id, set))
}

/// The texts that have a star.
fn starred(world: &mut World, device: usize, with: Option<&str>) -> Vec<String> {
    let with = with.map(|with| bare(&format!("{with}@example.org")));
    let Some(Outcome::Found(found)) = world.ask(device, Command::Starred(with)) else { panic!() };
    let text = |message: Message| match message.content {
        Content::Text(text) => text,
        other => panic!("{other:?}"),
    };
    found.into_iter().map(text).collect()
}

#[test]
fn a_star_is_there_on_all_devices_of_the_account_and_nobody_else_hears_of_it() {
    let (mut world, [phone, laptop, bob]) = three();
    assert_eq!(star(&mut world, phone, "second", true), Some(Outcome::Done));
    assert_eq!(star(&mut world, laptop, "first", true), Some(Outcome::Done));
    world.write(bob, "alice", "fourth");
    for device in [phone, laptop] {
        assert_eq!(starred(&mut world, device, None), ["second", "first"]);
        assert_eq!(starred(&mut world, device, Some("bob")), ["second", "first"]);
        assert_eq!(starred(&mut world, device, Some("alice")), [""; 0]);
        assert_eq!(world.texts(device, "alice"), [""; 0], "it is no message");
    }
    assert_eq!(star(&mut world, laptop, "second", false), Some(Outcome::Done));
    for device in [phone, laptop] {
        world.restart(device);
        assert_eq!(starred(&mut world, device, None), ["first"]);
        assert!(!world.ever_sent(device, "urn:clownfish:stars"));
    }
    assert_eq!(starred(&mut world, bob, None), [""; 0]);
}

#[test]
fn who_was_away_learns_of_stars_from_the_archive() {
    let (mut world, [phone, laptop, bob]) = three();
    world.kill(laptop);
    world.write(bob, "alice", "while you were away");
    star(&mut world, phone, "while you were away", true);
    star(&mut world, phone, "first", true);
    world.wait(20_000);
    world.online(laptop);
    world.wait(20_000);
    assert_eq!(starred(&mut world, laptop, None), ["while you were away", "first"]);
}

#[test]
fn of_two_devices_that_disagree_the_later_word_counts() {
    for first in [0, 1] {
        let (mut world, [phone, laptop, _]) = three();
        star(&mut world, phone, "first", true);
        // What the server sends arrives only when both have said something.
        world.hook = Some(Box::new(|_, _| Fate::Hold));
        let devices = [phone, laptop];
        let ids = devices.map(|device| id(&world, device, "bob", "first"));
        for side in [first, 1 - first] {
            world.now.wall = world.now.wall.plus(1000);
            world.command(devices[side], Command::Star(ids[side], false));
            world.command(devices[side], Command::Star(ids[side], side == 0));
        }
        world.hook = None;
        world.release(|_| {});
        world.wait(30_000);
        let expected: &[&str] = if first == 1 { &["first"] } else { &[] };
        for device in devices {
            assert_eq!(starred(&mut world, device, None), expected, "{first} {device}");
        }
    }
}

#[test]
fn a_clock_that_is_ahead_on_one_device_keeps_no_star_from_being_taken_away() {
    let (mut world, [phone, laptop, _]) = three();
    world.devices[phone].ahead = 86_400_000;
    star(&mut world, phone, "first", true);
    star(&mut world, laptop, "first", false);
    for device in [phone, laptop] {
        assert_eq!(starred(&mut world, device, None), [""; 0]);
    }
}

#[test]
fn only_an_encrypted_word_of_the_account_itself_counts() {
    let (mut world, [phone, laptop, _]) = three();
    let message = world.messages(phone, "bob").into_iter().next_back().unwrap();
    let forged = Element::new("star", "urn:clownfish:stars:0")
        .with_attr("with", "bob@example.org")
        .with_attr("by", message.sender.to_string())
        .with_attr("id", message.origin_id.unwrap())
        .with_attr("set", "true")
        .with_attr("time", "1900000000000");
    for from in ["alice@example.org/laptop", "alice@example.org", "bob@example.org/phone"] {
        for device in [phone, laptop] {
            let stanza = Element::new("message", ns::CLIENT)
                .with_attr("from", from)
                .with_attr("to", "alice@example.org")
                .with_child(forged.clone());
            world.deliver(device, stanza);
            world.run();
            assert_eq!(starred(&mut world, device, None), [""; 0], "{from}");
        }
    }
}

#[test]
fn what_was_taken_back_is_not_listed_and_cannot_be_starred() {
    let (mut world, [phone, laptop, _]) = three();
    star(&mut world, phone, "first", true);
    let id = id(&world, phone, "bob", "first");
    world.ask(phone, Command::Retract(id));
    for device in [phone, laptop] {
        assert_eq!(starred(&mut world, device, None), [""; 0]);
    }
    world.ask(phone, Command::Star(id, false));
    let refused = world.ask(phone, Command::Star(id, true));
    assert!(matches!(refused, Some(Outcome::Failed(Problem::Invalid(_)))), "{refused:?}");
    let unknown = world.ask(phone, Command::Star(MessageId(9999), true));
    assert_eq!(unknown, Some(Outcome::Failed(Problem::Unknown("message"))));
}

#[test]
fn a_star_goes_with_a_message_that_is_taken_back() {
    let (mut world, [phone, laptop, bob]) = three();
    star(&mut world, phone, "second", true);
    let taken = id(&world, bob, "alice", "second");
    world.ask(bob, Command::Retract(taken));
    world.wait(20_000);
    for device in [phone, laptop] {
        let kept = world.devices[device].store.value("stars").unwrap();
        assert_eq!(kept, None, "it takes no room");
        assert!(world.messages(device, "bob").iter().all(|one| !one.starred));
    }
}

#[test]
fn what_others_write_beside_a_star_is_shown() {
    let (mut world, [phone, ..]) = three();
    let star = Element::new("star", "urn:clownfish:stars:0");
    let stanza = carol("one", "look up").with_child(star);
    world.deliver(phone, stanza);
    world.run();
    assert_eq!(world.texts(phone, "carol"), ["look up"]);
}

/// A message in plain text from somebody of whom nothing is known.
fn carol(id: &str, text: &str) -> Element {
    Element::new("message", ns::CLIENT)
        .with_attr("from", "carol@example.org/phone")
        .with_attr("to", "alice@example.org")
        .with_attr("type", "chat")
        .with_attr("id", id)
        .with_child(Element::new("body", ns::CLIENT).with_text(text))
}

#[test]
fn the_star_of_a_correction_belongs_to_what_it_corrects() {
    let (mut world, [phone, laptop, _]) = three();
    let correction = carol("two", "right")
        .with_child(Element::new("replace", ns::CORRECT).with_attr("id", "one"));
    for device in [phone, laptop] {
        world.deliver(device, correction.clone());
    }
    world.run();
    let row = id(&world, phone, "carol", "right");
    assert_eq!(world.ask(phone, Command::Star(row, true)), Some(Outcome::Done));
    for device in [phone, laptop] {
        assert_eq!(starred(&mut world, device, None), ["right"]);
        world.deliver(device, carol("one", "wrong"));
    }
    world.wait(20_000);
    for device in [phone, laptop] {
        assert_eq!(world.texts(device, "carol"), ["right"]);
        assert_eq!(starred(&mut world, device, Some("carol")), ["right"]);
    }
    let original = id(&world, laptop, "carol", "right");
    assert_eq!(world.ask(laptop, Command::Star(original, false)), Some(Outcome::Done));
    for device in [phone, laptop] {
        assert_eq!(starred(&mut world, device, None), [""; 0]);
    }
}

#[test]
fn a_device_that_gets_no_messages_decides_nothing() {
    let (mut world, [phone, laptop, _]) = three();
    let owner = bare("alice@example.org");
    for identity in world.devices[phone].store.identities(&owner).unwrap() {
        let (owner, level) = (owner.clone(), TrustLevel::Distrusted);
        world.ask(phone, Command::Trust { owner, key: identity.key, level });
    }
    star(&mut world, laptop, "first", true);
    world.wait(20_000);
    assert_eq!(starred(&mut world, laptop, None), ["first"]);
    assert_eq!(starred(&mut world, phone, None), [""; 0]);
}

#[test]
fn a_star_is_refused_when_it_could_not_be_told() {
    let (mut world, [phone, ..]) = three();
    world.ask(phone, Command::Disconnect);
    let mut set = true;
    let refused = (0..20_000).find_map(|_| {
        let outcome = star(&mut world, phone, "first", set);
        set = !set;
        outcome.filter(|outcome| *outcome != Outcome::Done)
    });
    let words = "too many messages wait".to_owned();
    assert_eq!(refused, Some(Outcome::Failed(Problem::Invalid(words))));
    // The last word that was taken counts.
    let expected: &[&str] = if set { &["first"] } else { &[] };
    assert_eq!(starred(&mut world, phone, None), expected);
}

/// Whether a device was told that its list of stars is different, since this was asked last.
fn told(world: &mut World, device: usize) -> bool {
    std::mem::take(&mut world.devices[device].changes).contains(&Change::Stars)
}

#[test]
fn whoever_shows_the_list_is_told_when_it_is_different() {
    let (mut world, [phone, laptop, bob]) = three();
    for device in [phone, laptop, bob] {
        told(&mut world, device);
    }
    star(&mut world, phone, "second", true);
    assert_eq!([phone, laptop, bob].map(|one| told(&mut world, one)), [true, true, false]);
    // What it says, when its author says it differently, and when it is taken back.
    let second = id(&world, bob, "alice", "second");
    world.ask(bob, Command::Correct(second, "second thoughts".into()));
    assert_eq!([phone, laptop].map(|one| told(&mut world, one)), [true, true]);
    assert_eq!(starred(&mut world, laptop, None), ["second thoughts"]);
    world.ask(bob, Command::Retract(second));
    world.wait(20_000);
    assert_eq!([phone, laptop].map(|one| told(&mut world, one)), [true, true]);
    for device in [phone, laptop] {
        assert_eq!(starred(&mut world, device, None), [""; 0]);
    }
    world.write(bob, "alice", "without a star");
    assert_eq!([phone, laptop].map(|one| told(&mut world, one)), [false, false]);
}

#[test]
fn the_star_of_a_message_that_is_given_up_goes_everywhere() {
    let (mut world, [phone, laptop, _]) = three();
    world.befriend("alice", "dave");
    world.write(phone, "dave", "never sent");
    let waiting = id(&world, phone, "dave", "never sent");
    assert_eq!(world.ask(phone, Command::Star(waiting, true)), Some(Outcome::Done));
    assert_eq!(starred(&mut world, phone, None), ["never sent"]);
    told(&mut world, phone);
    assert_eq!(world.ask(phone, Command::Discard(waiting)), Some(Outcome::Done));
    assert!(told(&mut world, phone));
    assert_eq!(starred(&mut world, phone, None), [""; 0]);
    assert_eq!(world.devices[phone].store.value("stars").unwrap(), None);
    // The other device waits for no such message any more.
    let kept = world.devices[laptop].store.value("stars").unwrap().unwrap();
    let kept = String::from_utf8(kept.to_vec()).unwrap();
    assert!(kept.contains("\"set\":false") && !kept.contains("\"set\":true"), "{kept}");
}
