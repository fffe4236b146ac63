//! What notifies while another device of the account is in use.

use client::Command;
use client::store::Mute;
use client::view::Notification;
use xmpp::xml::{Element, Limits};

use crate::server::bare;
use crate::world::{World, notified};

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";
const TYBALT: &str = "tybalt@example.net";

/// Longer than a message waits, shorter than a device counts as used.
const WAITS: u64 = 20_000;
/// Longer than a device counts as used.
const LONG: u64 = 61_000;

/// Romeo's phone, at which nobody looks, his laptop, at which he may, and Juliet.
fn scene() -> (World, usize, usize, usize) {
    let mut world = World::new();
    let phone = world.online(ROMEO, &[JULIET]);
    let laptop = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    world.run(phone, Command::SetActive(false));
    world.pass(LONG);
    // That a device was added is told at once.
    for device in [phone, laptop] {
        world.devices[device].notifications.clear();
    }
    (world, phone, laptop, juliet)
}

/// What a device told since the last time.
fn told(world: &mut World, device: usize) -> Vec<String> {
    world.settle();
    let all: Vec<Notification> = std::mem::take(&mut world.devices[device].notifications);
    all.iter().map(|one| notified(one).1.to_owned()).collect()
}

/// What it tells of a message of Juliet.
fn says(world: &mut World, juliet: usize, text: &str, device: usize) -> Vec<String> {
    world.send(juliet, ROMEO, text);
    told(world, device)
}

/// A message of Romeo on another device, as its copy reaches the phone.
fn copy(world: &mut World, from: &str, payload: &str) {
    let xml = format!(
        "<message xmlns='jabber:client' from='{from}'><sent xmlns='urn:xmpp:carbons:2'>\
         <forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' type='chat' \
         from='{ROMEO}/other' to='{JULIET}'>{payload}</message></forwarded></sent></message>"
    );
    arrives(world, &xml);
}

/// A stanza reaches all devices of Romeo.
fn arrives(world: &mut World, xml: &str) {
    let stanza = Element::parse(xml.as_bytes(), &Limits::TRUSTED).unwrap();
    for session in world.server.sessions_of(&bare(ROMEO)) {
        world.server.deliver(&session, &stanza);
    }
    world.settle();
}

#[test]
fn what_is_seen_on_the_device_in_use_notifies_on_no_other() {
    let (mut world, phone, laptop, juliet) = scene();
    world.send(laptop, JULIET, "but soft");
    assert_eq!(says(&mut world, juliet, "who is there?", laptop), ["who is there?"]);
    assert_eq!(told(&mut world, phone), [""; 0], "it waits");
    let id = world.last(laptop, JULIET).id;
    world.run(laptop, Command::MarkRead(bare(JULIET), id));
    world.pass(WAITS);
    assert_eq!(told(&mut world, phone), [""; 0], "it was seen");
    // By what was seen the laptop is in use as well.
    assert_eq!(says(&mut world, juliet, "again", phone), [""; 0]);
}

#[test]
fn what_nobody_sees_notifies_after_a_while() {
    let (mut world, phone, laptop, juliet) = scene();
    world.send(laptop, JULIET, "but soft");
    assert_eq!(says(&mut world, juliet, "first", phone), [""; 0]);
    world.pass(10_000);
    assert_eq!(says(&mut world, juliet, "second", phone), [""; 0]);
    world.pass(10_000);
    assert_eq!(told(&mut world, phone), ["first"], "each waits for as long");
    world.pass(10_000);
    assert_eq!(told(&mut world, phone), ["second"]);
    world.pass(LONG);
    assert_eq!(says(&mut world, juliet, "third", phone), ["third"], "nobody is at the laptop");
}

#[test]
fn what_waits_is_known_to_the_driver_and_is_what_is_told_later() {
    let (mut world, phone, laptop, juliet) = scene();
    world.send(laptop, JULIET, "but soft");
    assert_eq!(says(&mut world, juliet, "first", phone), [""; 0]);
    let held = std::mem::take(&mut world.devices[phone].held);
    assert_eq!(held.iter().map(|one| notified(one).1).collect::<Vec<_>>(), ["first"]);
    world.pass(WAITS);
    world.settle();
    assert_eq!(std::mem::take(&mut world.devices[phone].notifications), held);
    // Of what nobody wants to hear nothing waits that could be shown.
    world.run(phone, Command::Mute(bare(JULIET), Mute::Forever));
    copy(&mut world, ROMEO, "<body>but soft</body>");
    assert_eq!(says(&mut world, juliet, "second", phone), [""; 0]);
    assert_eq!(world.devices[phone].held, []);
}

#[test]
fn what_waits_notifies_without_a_connection_as_well() {
    let (mut world, phone, laptop, juliet) = scene();
    world.send(laptop, JULIET, "but soft");
    assert_eq!(says(&mut world, juliet, "first", phone), [""; 0]);
    world.devices[phone].reachable = false;
    world.cut(phone);
    world.pass(WAITS);
    assert_eq!(told(&mut world, phone), ["first"]);
}

#[test]
fn what_was_taken_back_meanwhile_notifies_nowhere() {
    let (mut world, phone, laptop, juliet) = scene();
    world.send(laptop, JULIET, "but soft");
    let id = world.send(juliet, ROMEO, "a slip");
    world.pass(1000);
    world.run(juliet, Command::Retract(id));
    world.pass(WAITS);
    assert_eq!(told(&mut world, phone), [""; 0]);
}

#[test]
fn nothing_waits_where_somebody_looks() {
    let (mut world, phone, laptop, juliet) = scene();
    world.send(laptop, JULIET, "but soft");
    assert_eq!(says(&mut world, juliet, "first", phone), [""; 0]);
    world.run(phone, Command::SetActive(true));
    assert_eq!(told(&mut world, phone), ["first"]);
    world.send(laptop, JULIET, "it speaks");
    assert_eq!(says(&mut world, juliet, "second", phone), ["second"]);
}

#[test]
fn what_somebody_does_shows_that_a_device_is_in_use_and_what_programs_do_does_not() {
    let state = |name| format!("<{name} xmlns='http://jabber.org/protocol/chatstates'/>");
    let payloads = [
        (true, state("composing")),
        (true, state("active")),
        (false, state("inactive")),
        (false, state("gone")),
        (true, "<displayed xmlns='urn:xmpp:chat-markers:0' id='x'/>".to_owned()),
        (false, "<received xmlns='urn:xmpp:receipts' id='x'/>".to_owned()),
        (true, "<body>but soft</body>".to_owned()),
    ];
    for (used, payload) in payloads {
        let (mut world, phone, _, juliet) = scene();
        copy(&mut world, ROMEO, &payload);
        let at_once = says(&mut world, juliet, "who is there?", phone);
        assert_eq!(at_once.is_empty(), used, "{payload}");
    }
}

#[test]
fn nobody_else_says_that_another_device_is_in_use() {
    let (mut world, phone, _, juliet) = scene();
    for forger in [JULIET, TYBALT, "romeo@example.net/other", "example.net"] {
        copy(&mut world, forger, "<body>but soft</body>");
        let seen = format!(
            "<message xmlns='jabber:client' from='{forger}'>\
             <event xmlns='http://jabber.org/protocol/pubsub#event'>\
             <items node='urn:xmpp:mds:displayed:0'><item id='{JULIET}'>\
             <displayed xmlns='urn:xmpp:mds:displayed:0'><stanza-id xmlns='urn:xmpp:sid:0' \
             by='{ROMEO}' id='of nothing'/></displayed></item></items></event></message>"
        );
        arrives(&mut world, &seen);
        assert_eq!(says(&mut world, juliet, forger, phone), [forger]);
    }
}

#[test]
fn what_this_device_has_seen_itself_shows_no_other_one() {
    let (mut world, phone, _, juliet) = scene();
    world.send(juliet, ROMEO, "first");
    world.settle();
    let id = world.last(phone, JULIET).id;
    world.run(phone, Command::MarkRead(bare(JULIET), id));
    // The server tells everybody of it, also who said it.
    world.pass(5000);
    told(&mut world, phone);
    assert_eq!(says(&mut world, juliet, "second", phone), ["second"]);
}
