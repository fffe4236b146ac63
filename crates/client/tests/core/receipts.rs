//! XEP-0184: each message is answered by itself, and many missed ones not all at once.

use client::Command;
use client::store::Delivery;
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
