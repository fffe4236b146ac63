//! Who writes in a group: what is told, and what is shown.

use client::Command;
use client::view::{Outcome, Privacy};

use crate::rooms::{JULIET, MERCUTIO, SQUARE, conversation, join, parse, square};
use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const COMPOSING: &str = "<composing ";

/// Romeo, Juliet and Mercutio in a private group.
fn group() -> (World, [usize; 3], String) {
    let mut world = World::new();
    world.server.add_account(MERCUTIO, "rapier");
    let devices = [ROMEO, JULIET, MERCUTIO].map(|address| world.online(address, &[]));
    let people = vec![bare(JULIET), bare(MERCUTIO)];
    let name = Some("The balcony".to_owned());
    let create = Command::CreateRoom { room: None, name, public: false, people };
    let outcome = world.run(devices[0], create);
    let Some(Outcome::Room(address)) = outcome else { panic!("{outcome:?}") };
    let address = address.to_string();
    for (device, nick) in [(devices[1], "Juliet"), (devices[2], "Mercutio")] {
        let outcome = world.run(device, join(&address, nick));
        assert_eq!(outcome, Some(Outcome::Room(bare(&address))));
    }
    (world, devices, address)
}

fn draft(world: &mut World, device: usize, with: &str, text: &str) {
    world.run(device, Command::Draft(bare(with), text.to_owned()));
}

fn typing(world: &World, device: usize, with: &str) -> Vec<String> {
    conversation(world, device, with).typing
}

/// Romeo hears from the room that somebody of this name writes.
fn hear(world: &mut World, group: &str, nick: &str) {
    let xml = format!(
        "<message xmlns='jabber:client' type='groupchat' from='{group}/{nick}'>\
         <composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
    );
    for session in world.server.sessions_of(&bare(ROMEO)) {
        world.server.deliver(&session, &parse(&xml));
    }
    world.settle();
}

#[test]
fn a_group_sees_by_name_who_writes_until_they_stop_or_say_it() {
    let (mut world, [romeo, juliet, mercutio], group) = group();
    draft(&mut world, juliet, &group, "w");
    draft(&mut world, mercutio, &group, "A plague");
    assert_eq!(typing(&world, romeo, &group), ["Juliet", "Mercutio"]);
    assert_eq!(typing(&world, juliet, &group), ["Mercutio"], "nobody is told of themselves");
    world.send(juliet, &group, "wherefore art thou?");
    world.settle();
    assert_eq!(typing(&world, romeo, &group), ["Mercutio"]);
    draft(&mut world, mercutio, &group, "");
    assert!(typing(&world, romeo, &group).is_empty());
    draft(&mut world, mercutio, &group, "A plague");
    assert_eq!(typing(&world, romeo, &group), ["Mercutio"]);
    world.run(mercutio, Command::LeaveRoom(bare(&group)));
    assert!(typing(&world, romeo, &group).is_empty());
}

#[test]
fn who_falls_silent_has_stopped_after_a_minute() {
    let (mut world, [romeo, ..], group) = group();
    hear(&mut world, &group, "Juliet");
    assert_eq!(typing(&world, romeo, &group), ["Juliet"]);
    world.pass(59_000);
    assert_eq!(typing(&world, romeo, &group), ["Juliet"]);
    world.pass(2_000);
    assert!(typing(&world, romeo, &group).is_empty());
}

#[test]
fn only_who_is_there_and_not_blocked_is_shown() {
    let (mut world, [romeo, juliet, _], group) = group();
    for number in 0..100 {
        hear(&mut world, &group, &format!("nobody{number}"));
    }
    assert!(typing(&world, romeo, &group).is_empty());
    hear(&mut world, &group, "Juliet");
    assert_eq!(typing(&world, romeo, &group), ["Juliet"]);
    let block = Command::Block { address: bare(JULIET), report: false };
    assert_eq!(world.run(romeo, block), Some(Outcome::Done));
    draft(&mut world, juliet, &group, "and again");
    world.run(romeo, Command::PinConversation(bare(&group), true));
    assert!(typing(&world, romeo, &group).is_empty());
}

#[test]
fn a_channel_is_told_nothing_and_nobody_who_switched_it_off_tells_a_group() {
    let (mut world, [romeo, ..]) = square();
    draft(&mut world, romeo, SQUARE, "w");
    assert!(!world.devices[romeo].sent.contains(COMPOSING));

    let (mut world, [romeo, ..], group) = self::group();
    draft(&mut world, romeo, &group, "w");
    let told = |world: &World| world.devices[romeo].sent.matches(COMPOSING).count();
    assert_eq!(told(&world), 1);
    assert!(world.devices[romeo].sent.contains("type='groupchat'"));
    let off = Privacy { typing: false, ..Privacy::default() };
    world.run(romeo, Command::SetPrivacy(off));
    draft(&mut world, romeo, &group, "");
    draft(&mut world, romeo, &group, "what light");
    assert_eq!(told(&world), 1);
}
