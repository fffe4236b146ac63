//! XEP-0184: each message is answered by itself, and many missed ones not all at once.

use client::Command;
use client::store::{Delivery, Reached};
use xmpp::ns;
use xmpp::xml::Element;

use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";

/// Juliet wrote so many messages while Romeo was away.
fn missed(count: usize) -> (World, usize, usize) {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    world.run(romeo, Command::Disconnect);
    for number in 0..count {
        world.send(juliet, ROMEO, &format!("missed {number}"));
    }
    world.settle();
    world.devices[romeo].sent.clear();
    (world, romeo, juliet)
}

/// How many of Juliet's messages got that far.
fn ticks(world: &World, juliet: usize, wanted: &Delivery) -> usize {
    let messages = world.messages(juliet, ROMEO).into_iter();
    messages.filter(|message| message.delivery.as_ref() == Some(wanted)).count()
}

fn receipts(world: &World, device: usize) -> usize {
    world.devices[device].sent.matches("<received xmlns='urn:xmpp:receipts'").count()
}

#[test]
fn after_a_long_absence_every_message_is_answered_a_few_at_a_time() {
    let (mut world, romeo, juliet) = missed(95);
    world.run(romeo, Command::Reconnect);
    world.settle();
    assert_eq!(receipts(&world, romeo), 20);
    world.pass(2_500);
    assert_eq!(receipts(&world, romeo), 40);
    world.pass(20_000);
    assert_eq!(receipts(&world, romeo), 95, "each one once");
    assert_eq!(ticks(&world, juliet, &Delivery::Delivered), 95);
    let last = world.last(romeo, JULIET).id;
    world.run(romeo, Command::MarkRead(bare(JULIET), last));
    assert_eq!(ticks(&world, juliet, &Delivery::Read), 95);
    // Who is there answers at once.
    world.send(juliet, ROMEO, "live");
    world.settle();
    assert_eq!(world.last(juliet, ROMEO).delivery, Some(Delivery::Delivered));
}

#[test]
fn what_two_absences_and_the_time_between_them_share_is_answered_once() {
    let (mut world, romeo, juliet) = missed(60);
    world.server.forgetful = true;
    world.run(romeo, Command::Reconnect);
    world.settle();
    world.send(juliet, ROMEO, "live");
    world.settle();
    assert_eq!(receipts(&world, romeo), 21);
    world.run(romeo, Command::Disconnect);
    for number in 0..60 {
        world.send(juliet, ROMEO, &format!("missed once more {number}"));
    }
    world.settle();
    world.command(romeo, Command::Reconnect);
    // Another comes while the archive is read, which has it as well.
    while !world.texts(romeo, JULIET).iter().any(|text| text.starts_with("missed once")) {
        world.settle_some(2);
    }
    world.send(juliet, ROMEO, "meanwhile");
    world.pass(60_000);
    assert_eq!(ticks(&world, juliet, &Delivery::Delivered), 122);
    assert_eq!(receipts(&world, romeo), 122, "each one once");
}

/// Something that Juliet wrote with another program, and what it asks for.
fn ask(world: &mut World, id: &str, asks: &[(&str, &str)]) {
    let asks = asks.iter().map(|(name, ns)| Element::new(*name, *ns));
    let message = Element::new("message", ns::CLIENT)
        .with_attr("type", "chat")
        .with_attr("from", format!("{JULIET}/phone"))
        .with_attr("to", ROMEO)
        .with_attr("id", id)
        .with_child(Element::new("body", ns::CLIENT).with_text(id))
        .with_children(asks);
    world.server.route(&bare(JULIET), None, message);
}

#[test]
fn who_asks_for_a_receipt_gets_no_marker_and_who_asks_for_a_marker_no_receipt() {
    let (request, markable) = (("request", ns::RECEIPTS), ("markable", ns::CHAT_MARKERS));
    // At once, and when it is owed.
    for missed_before in [0, 30] {
        let (mut world, romeo, _) = missed(missed_before);
        ask(&mut world, "only-marker", &[markable]);
        ask(&mut world, "only-receipt", &[request]);
        ask(&mut world, "neither", &[]);
        world.run(romeo, Command::Reconnect);
        world.pass(60_000);
        assert_eq!(receipts(&world, romeo), missed_before + 1);
        let last = world.last(romeo, JULIET).id;
        world.run(romeo, Command::MarkRead(bare(JULIET), last));
        let sent = &world.devices[romeo].sent;
        let told = |name: &str, ns: &str, id: &str| {
            sent.contains(&format!("<{name} xmlns='{ns}' id='{id}'/>"))
        };
        assert!(told("received", ns::RECEIPTS, "only-receipt"));
        assert!(!told("received", ns::RECEIPTS, "only-marker"));
        assert!(told("displayed", ns::CHAT_MARKERS, "only-marker"));
        assert!(!told("displayed", ns::CHAT_MARKERS, "only-receipt"));
        assert!(!sent.contains("'neither'"));
    }
}

#[test]
fn what_is_not_answered_yet_is_answered_by_the_next_start_of_the_program() {
    // Killed while it reads, and while it answers.
    for pieces in [30, 150, 10_000] {
        let (mut world, romeo, juliet) = missed(95);
        world.command(romeo, Command::Reconnect);
        world.settle_some(pieces);
        world.pass(if pieces > 1000 { 3_000 } else { 0 });
        world.crash(romeo);
        world.pass(60_000);
        assert_eq!(ticks(&world, juliet, &Delivery::Delivered), 95, "{pieces}");
        // And when the connection is lost meanwhile.
        let (mut world, romeo, juliet) = missed(95);
        world.server.forgetful = true;
        world.command(romeo, Command::Reconnect);
        world.settle_some(pieces);
        world.cut(romeo);
        world.pass(60_000);
        assert_eq!(ticks(&world, juliet, &Delivery::Delivered), 95, "{pieces}");
    }
}

#[test]
fn a_receipt_says_nothing_of_the_messages_before_it() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let first = world.send(romeo, JULIET, "first");
    world.send(romeo, JULIET, "second");
    world.settle();
    let second = world.last(romeo, JULIET);
    let receipt = Element::new("message", ns::CLIENT)
        .with_attr("from", format!("{JULIET}/phone"))
        .with_attr("to", ROMEO)
        .with_child(
            Element::new("received", ns::RECEIPTS).with_attr("id", second.origin_id.unwrap()),
        );
    world.server.route(&bare(JULIET), None, receipt);
    world.settle();
    let messages = world.messages(romeo, JULIET);
    assert_eq!(messages[0].id, first);
    let deliveries: Vec<_> = messages.into_iter().map(|one| one.delivery).collect();
    assert_eq!(deliveries, [Some(Delivery::Sent), Some(Delivery::Delivered)]);
}

#[test]
fn of_thousands_the_newest_are_answered() {
    let (mut world, romeo, juliet) = missed(1100);
    world.run(romeo, Command::Reconnect);
    world.pass(200_000);
    assert_eq!(receipts(&world, romeo), 1020);
    let messages = world.messages(juliet, ROMEO);
    let open = messages.iter().position(|one| one.delivery == Some(Delivery::Sent));
    assert_eq!(open, Some(20));
    assert!(messages[100..].iter().all(|one| one.delivery == Some(Delivery::Delivered)));
}

/// What the devices of the other told of the last message of a device.
fn reached(world: &World, device: usize, with: &str) -> Vec<Reached> {
    world.last(device, with).reached
}

#[test]
fn each_device_of_the_other_tells_when_a_message_came_and_was_seen() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let phone = world.online(JULIET, &[ROMEO]);
    let laptop = world.online(JULIET, &[ROMEO]);
    // So that she answers.
    world.send(phone, ROMEO, "Romeo?");
    world.settle();
    world.send(romeo, JULIET, "My dear?");
    world.settle();
    let both = reached(&world, romeo, JULIET);
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(both.iter().all(|one| one.delivered.is_some() && one.read.is_none()));
    assert!(both.iter().all(|one| one.program.as_deref() == Some("Clownfish")));
    assert_ne!(both[0].resource, both[1].resource);
    let last = world.last(laptop, ROMEO).id;
    world.run(laptop, Command::MarkRead(bare(ROMEO), last));
    world.settle();
    let after = reached(&world, romeo, JULIET);
    let read: Vec<_> = after.iter().filter(|one| one.read.is_some()).collect();
    assert_eq!((after.len(), read.len()), (2, 1));
    assert!(read[0].read >= read[0].delivered);
    // It is all there after a restart, and what the archive tells once more is never later.
    world.crash(romeo);
    world.pass(60_000);
    let again = reached(&world, romeo, JULIET);
    assert_eq!(again.len(), 2);
    for (before, after) in after.iter().zip(&again) {
        assert_eq!(before.resource, after.resource);
        assert!(after.delivered.is_some() && after.delivered <= before.delivered, "{after:?}");
        assert_eq!(before.read.is_some(), after.read.is_some());
    }
}

#[test]
fn who_was_away_learns_from_the_archive_when_it_was() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    world.run(juliet, Command::Disconnect);
    for text in ["first", "second", "third"] {
        world.send(romeo, JULIET, text);
    }
    world.settle();
    world.send(juliet, ROMEO, "I come");
    world.run(romeo, Command::Disconnect);
    world.run(juliet, Command::Reconnect);
    let last = world.last(juliet, ROMEO).id;
    world.run(juliet, Command::MarkRead(bare(ROMEO), last));
    world.pass(60_000);
    let before = world.server.now;
    world.server.now = before.plus(3_600_000);
    world.run(romeo, Command::Reconnect);
    world.pass(60_000);
    for message in world.messages(romeo, JULIET).into_iter().filter(|message| message.own) {
        let [one] = &message.reached[..] else { panic!("{:?}", message.reached) };
        assert_eq!(message.delivery, Some(Delivery::Read));
        // A marker counts for those before it as well.
        assert!(one.read.is_some_and(|read| read <= before), "{one:?}");
        assert!(one.delivered.is_some_and(|delivered| delivered <= before), "{one:?}");
    }
}

#[test]
fn nobody_else_tells_that_a_message_came() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.send(romeo, JULIET, "My dear?");
    world.settle();
    let id = world.last(romeo, JULIET).origin_id.unwrap();
    for (name, ns) in [("received", ns::RECEIPTS), ("displayed", ns::CHAT_MARKERS)] {
        for from in ["mercutio@example.net/x", "romeo@example.net/x", "example.net"] {
            let told = Element::new("message", ns::CLIENT)
                .with_attr("from", from)
                .with_attr("to", ROMEO)
                .with_child(Element::new(name, ns).with_attr("id", &id));
            for session in world.server.sessions_of(&bare(ROMEO)) {
                world.server.deliver(&session, &told);
            }
        }
    }
    world.settle();
    assert_eq!(reached(&world, romeo, JULIET), []);
}
