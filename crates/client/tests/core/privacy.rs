//! What contacts learn of what an account does, when its owner does not want them to.

use client::Command;
use client::store::Delivery;
use client::view::{Change, Outcome, Privacy};
use xmpp::ns;

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
