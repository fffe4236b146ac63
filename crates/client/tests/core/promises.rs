//! Requests that had not been answered when the program ended.

use client::Command;
use client::store::{Contacts, EncryptionMode};
use client::view::Outcome;
use xmpp::error::Condition;
use xmpp::ns;
use xmpp::sasl::Secret;

use crate::server::bare;
use crate::world::{World, notified};

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";

fn nickname(world: &World) -> Option<String> {
    let nodes = &world.server.accounts[&bare(ROMEO)].nodes;
    Some(nodes.get(ns::NICK)?.values().next()?.text())
}

fn name_of_juliet(world: &World) -> Option<String> {
    let item = &world.server.accounts[&bare(ROMEO)].roster[&bare(JULIET)];
    item.attr("name").map(str::to_owned)
}

fn told(world: &World, device: usize) -> Vec<String> {
    let about =
        world.devices[device].notifications.iter().filter(|one| notified(one).0 == "Not done");
    about.map(|one| notified(one).1.to_owned()).collect()
}

#[test]
fn what_waited_for_the_network_is_done_by_the_next_program() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.devices[romeo].reachable = false;
    world.cut(romeo);
    let requests = [
        Command::Rename(bare(JULIET), Some("Sun".into())),
        Command::SetNickname("Montague".into()),
        Command::Block { address: bare("tybalt@example.net"), report: false },
    ];
    for request in requests {
        assert_eq!(world.run(romeo, request), None);
    }
    for _ in 0..2 {
        world.crash(romeo);
        world.pass(1_000);
    }
    assert_eq!((name_of_juliet(&world), nickname(&world)), (None, None));
    world.devices[romeo].reachable = true;
    world.run(romeo, Command::Reconnect);
    assert_eq!(name_of_juliet(&world).as_deref(), Some("Sun"));
    assert_eq!(nickname(&world).as_deref(), Some("Montague"));
    let contacts = world.devices[romeo].store.contacts().unwrap();
    assert!(contacts.iter().any(|one| one.address == bare("tybalt@example.net") && one.blocked));
    assert_eq!(told(&world, romeo), [""; 0]);
    // Once: another restart has nothing to do.
    world.server.seen.clear();
    world.crash(romeo);
    world.pass(60_000);
    let again = |element: &xmpp::xml::Element| {
        element.child("block", ns::BLOCKING).is_some()
            || element.child("pubsub", ns::PUBSUB).is_some_and(|pubsub| {
                let publish = pubsub.child("publish", ns::PUBSUB);
                publish.is_some_and(|publish| publish.attr("node") == Some(ns::NICK))
            })
    };
    assert!(!world.server.seen.iter().any(again));
}

#[test]
fn what_was_sent_and_not_answered_is_sent_again() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.command(romeo, Command::Rename(bare(JULIET), Some("Sun".into())));
    // It never reached the server.
    world.crash(romeo);
    world.pass(60_000);
    assert_eq!(name_of_juliet(&world).as_deref(), Some("Sun"));
}

#[test]
fn what_cannot_be_done_again_or_is_refused_is_told() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.command(romeo, Command::ChangePassword(Secret::from("capulet")));
    world.command(romeo, Command::SetNickname("Montague".into()));
    world.server.answers.insert(ns::PUBSUB.to_owned(), Err(Condition::NotAllowed));
    world.crash(romeo);
    world.pass(60_000);
    let told = told(&world, romeo);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("Changing the password was not finished"), "{told:?}");
    assert!(told[1].starts_with("Changing your name did not work"), "{told:?}");
    world.devices[romeo].notifications.clear();
    world.crash(romeo);
    world.pass(60_000);
    assert_eq!(self::told(&world, romeo), [""; 0]);
}

#[test]
fn what_was_wanted_long_ago_is_not_done_without_asking() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.devices[romeo].reachable = false;
    world.cut(romeo);
    world.command(romeo, Command::Rename(bare(JULIET), Some("Sun".into())));
    world.server.now = world.server.now.plus(8 * 24 * 60 * 60 * 1000);
    world.devices[romeo].reachable = true;
    world.crash(romeo);
    world.pass(60_000);
    assert_eq!(name_of_juliet(&world), None);
    assert!(told(&world, romeo)[0].starts_with("Renaming juliet@example.net was not finished"));
}

#[test]
fn what_was_answered_is_forgotten() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let rename = Command::Rename(bare(JULIET), Some("Sun".into()));
    assert_eq!(world.run(romeo, rename), Some(Outcome::Done));
    world.run(romeo, Command::SetEncryption(bare(JULIET), EncryptionMode::Plain));
    let roster = &mut world.server.accounts.get_mut(&bare(ROMEO)).unwrap().roster;
    roster.get_mut(&bare(JULIET)).unwrap().set_attr("name", "Moon");
    world.crash(romeo);
    world.pass(60_000);
    assert_eq!(name_of_juliet(&world).as_deref(), Some("Moon"));
}

#[test]
fn what_was_read_is_told_to_own_devices_after_a_restart() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    world.send(juliet, ROMEO, "hello");
    world.settle();
    let last = world.last(romeo, JULIET).id;
    world.run(romeo, Command::MarkRead(bare(JULIET), last));
    world.crash(romeo);
    world.pass(60_000);
    assert!(world.server.accounts[&bare(ROMEO)].nodes[ns::MDS].contains_key(JULIET));
}
