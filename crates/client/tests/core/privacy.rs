//! What contacts learn of what an account does, when its owner does not want them to.

use client::Command;
use client::store::Delivery;
use client::view::{Change, Outcome, Privacy};
use xmpp::ns;
use xmpp::time::Millis;
use xmpp::xml::Element;

use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";

fn privacy(world: &World, device: usize) -> Privacy {
    let mut changes = world.devices[device].changes.iter().rev();
    let last = changes.find_map(|change| match change {
        Change::Account(account) => Some(account.privacy),
        _ => None,
    });
    last.expect("an account")
}

/// Romeo on two devices, Juliet on one; they have written to each other.
fn three() -> (World, [usize; 3]) {
    let mut world = World::new();
    let one = world.online(ROMEO, &[JULIET]);
    let other = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    world.send(juliet, ROMEO, "hello");
    world.settle();
    world.send(one, JULIET, "hello");
    world.settle();
    (world, [one, other, juliet])
}

#[test]
fn typing_is_told_only_to_whom_may_know() {
    let (mut world, [romeo, ..]) = three();
    let states = |world: &World| {
        let sent = &world.devices[romeo].sent;
        ["<composing ", "<paused ", "<active "].map(|state| sent.matches(state).count())
    };
    world.run(romeo, Command::Draft(bare(JULIET), "w".into()));
    assert_eq!(states(&world), [1, 0, 1]);
    let off = Privacy { typing: false, ..Privacy::default() };
    assert_eq!(world.run(romeo, Command::SetPrivacy(off)), Some(Outcome::Done));
    // What was told is taken back, and no more is told: not even after a restart.
    assert_eq!(states(&world), [1, 0, 2]);
    world.crash(romeo);
    world.pass(60_000);
    assert_eq!(privacy(&world, romeo), off);
    world.run(romeo, Command::Draft(bare(JULIET), "wh".into()));
    world.run(romeo, Command::Draft(bare(JULIET), String::new()));
    world.send(romeo, JULIET, "what light");
    world.pass(60_000);
    assert_eq!(states(&world), [1, 0, 2]);
    world.run(romeo, Command::SetPrivacy(Privacy::default()));
    world.send(romeo, JULIET, "through yonder window");
    world.settle();
    assert_eq!(states(&world), [1, 0, 3]);
}

#[test]
fn what_was_read_is_told_to_own_devices_only() {
    let (mut world, [one, other, juliet]) = three();
    let off = Privacy { read: false, ..Privacy::default() };
    world.run(one, Command::SetPrivacy(off));
    let id = world.send(juliet, ROMEO, "do you see it?");
    world.settle();
    let last = world.last(one, JULIET).id;
    world.run(one, Command::MarkRead(bare(JULIET), last));
    world.pass(10_000);
    assert!(!world.devices[one].sent.contains("<displayed xmlns='urn:xmpp:chat-markers:0'"));
    let delivery = |world: &World| {
        let messages = world.messages(juliet, ROMEO);
        messages.into_iter().find(|message| message.id == id).unwrap().delivery
    };
    assert_eq!(delivery(&world), Some(Delivery::Delivered));
    let unread = world.devices[other].changes.iter().rev().find_map(|change| match change {
        Change::Conversation(one) if one.address == bare(JULIET) => Some(one.unread),
        _ => None,
    });
    assert_eq!(unread, Some(0));
    assert!(world.server.accounts[&bare(ROMEO)].nodes[ns::MDS].contains_key(JULIET));
    // The other device was not told to keep quiet.
    world.send(juliet, ROMEO, "and this?");
    world.settle();
    let last = world.last(other, JULIET).id;
    world.run(other, Command::MarkRead(bare(JULIET), last));
    world.pass(10_000);
    assert_eq!(delivery(&world), Some(Delivery::Read));
}

const MINUTE: u64 = 60_000;

/// When a device believes that Romeo was last there.
fn idle(world: &World, device: usize) -> Option<Millis> {
    let mut changes = world.devices[device].changes.iter().rev();
    let last = changes.find_map(|change| match change {
        Change::Contact(one) if one.address == bare(ROMEO) => Some(one.idle),
        _ => None,
    });
    last.expect("a contact")
}

fn told(world: &World, device: usize) -> usize {
    world.devices[device].sent.matches("<idle xmlns='urn:xmpp:idle:1'").count()
}

#[test]
fn nobody_hears_since_when_nobody_looks_unless_the_user_wants_it() {
    let (mut world, [one, other, juliet]) = three();
    for device in [one, other] {
        world.run(device, Command::SetActive(false));
    }
    world.pass(20 * MINUTE);
    assert_eq!((told(&world, one), told(&world, other)), (0, 0));
    assert_eq!(idle(&world, juliet), None);
}

#[test]
fn contacts_learn_when_somebody_last_looked_at_any_device_and_that_they_are_back() {
    // The server of this test tells of nobody who was there before.
    let mut world = World::new();
    let juliet = world.online(JULIET, &[ROMEO]);
    let one = world.online(ROMEO, &[JULIET]);
    let other = world.online(ROMEO, &[JULIET]);
    let since = world.server.now;
    for device in [one, other] {
        world.run(device, Command::SetPrivacy(Privacy { idle: true, ..Privacy::default() }));
    }
    world.run(one, Command::SetActive(false));
    world.pass(6 * MINUTE);
    assert_eq!(told(&world, one), 1);
    assert_eq!(idle(&world, juliet), None, "the other device is looked at");
    world.run(other, Command::SetActive(false));
    // Whoever comes back soon tells nothing.
    world.run(other, Command::SetActive(true));
    world.pass(6 * MINUTE);
    assert_eq!(told(&world, other), 0);
    world.run(other, Command::SetActive(false));
    world.pass(6 * MINUTE);
    assert_eq!(idle(&world, juliet), Some(since), "the clock of this test stands still");
    // A new session says it as well, and once.
    world.cut(one);
    world.server.forgetful = true;
    world.pass(MINUTE);
    assert_eq!(told(&world, one), 2);
    world.run(one, Command::SetActive(true));
    world.settle();
    assert_eq!(idle(&world, juliet), None);
    world.run(one, Command::SetActive(false));
    world.pass(6 * MINUTE);
    assert_eq!(idle(&world, juliet), Some(since));
    // What was told is taken back when it is no longer to be known.
    for device in [one, other] {
        world.run(device, Command::SetPrivacy(Privacy::default()));
    }
    world.settle();
    assert_eq!(idle(&world, juliet), None);
    assert_eq!(privacy(&world, one), Privacy::default());
}

#[test]
fn a_wrong_clock_or_nonsense_of_others_shows_nothing_odd() {
    let (mut world, [_, _, juliet]) = three();
    let now = world.server.now;
    for (since, expected) in [
        ("2969-07-21T02:56:15Z", Some(now)),
        ("1969-07-21T02:56:15Z", None),
        ("yesterday", None),
        ("", None),
    ] {
        let presence = |from: &str| {
            Element::new("presence", ns::CLIENT)
                .with_attr("from", from)
                .with_child(Element::new("idle", ns::IDLE).with_attr("since", since))
        };
        let session = world.server.sessions_of(&bare(JULIET)).remove(0);
        for romeo in world.server.sessions_of(&bare(ROMEO)) {
            world.server.deliver(&session, &presence(&romeo.to_string()));
        }
        world.settle();
        assert_eq!(idle(&world, juliet), expected, "{since}");
    }
}

#[test]
fn what_changed_while_the_connection_was_cut_is_told_when_the_session_goes_on() {
    for look in [true, false] {
        let mut world = World::new();
        let juliet = world.online(JULIET, &[ROMEO]);
        let romeo = world.online(ROMEO, &[JULIET]);
        world.run(romeo, Command::SetPrivacy(Privacy { idle: true, ..Privacy::default() }));
        world.run(romeo, Command::SetActive(false));
        world.pass(6 * MINUTE);
        assert!(idle(&world, juliet).is_some());
        world.cut(romeo);
        match look {
            true => world.run(romeo, Command::SetActive(true)),
            false => world.run(romeo, Command::SetPrivacy(Privacy::default())),
        };
        world.pass(10_000);
        assert!(world.devices[romeo].sent.contains("<resume "));
        assert_eq!(idle(&world, juliet), None, "{look}");
    }
}

#[test]
fn since_when_nobody_looks_is_told_when_that_came_to_pass_without_a_connection() {
    let mut world = World::new();
    let juliet = world.online(JULIET, &[ROMEO]);
    let romeo = world.online(ROMEO, &[JULIET]);
    world.run(romeo, Command::SetPrivacy(Privacy { idle: true, ..Privacy::default() }));
    world.run(romeo, Command::SetActive(false));
    world.pass(5 * MINUTE - 1000);
    world.cut(romeo);
    world.pass(MINUTE);
    assert_eq!(told(&world, romeo), 1);
    assert!(idle(&world, juliet).is_some());
}
