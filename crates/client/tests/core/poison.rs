//! What somebody writes so that it cannot be read keeps nobody from the rest.

use client::Command;
use client::store::Contacts;
use client::view::{Change, Connection, RoomState};
use xmpp::xml::Element;

use crate::rooms::{JULIET, SQUARE, parse, room, square};
use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";

/// A text with so many levels of elements beside it.
fn nested(text: &str, levels: usize) -> Element {
    let (open, close) = ("<a>".repeat(levels), "</a>".repeat(levels));
    parse(&format!(
        "<message xmlns='jabber:client' from='{ROMEO}/x' to='{JULIET}' type='chat' id='{text}'>\
         <body>{text}</body>{open}{close}</message>"
    ))
}

fn is_online(world: &World, device: usize) -> bool {
    let mut changes = world.devices[device].changes.iter().rev();
    changes.find_map(|change| match change {
        Change::Account(account) => Some(account.connection == Connection::Online),
        _ => None,
    }) == Some(true)
}

#[test]
fn what_is_nested_deeper_than_anybody_reads_is_passed_live_copied_and_from_the_archive() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    world.run(juliet, Command::Disconnect);
    // As deep as Anemone takes it: the archive and copies wrap it once more.
    world.server.route(&bare(ROMEO), None, nested("deep", 62));
    world.server.route(&bare(ROMEO), None, nested("deeper", 300));
    world.send(romeo, JULIET, "after it");
    world.settle();
    assert!(is_online(&world, romeo));
    world.run(juliet, Command::Reconnect);
    world.pass(20_000);
    assert!(is_online(&world, juliet));
    assert_eq!(world.texts(juliet, ROMEO), ["deep", "after it"]);
    world.server.route(&bare(ROMEO), None, nested("once more", 300));
    world.send(romeo, JULIET, "live");
    world.pass(20_000);
    assert!(is_online(&world, juliet) && is_online(&world, romeo));
    assert_eq!(world.texts(juliet, ROMEO), ["deep", "after it", "live"]);
}

#[test]
fn a_roster_of_thousands_is_read() {
    let mut world = World::new();
    let roster = &mut world.server.accounts.get_mut(&bare(JULIET)).unwrap().roster;
    for number in 0..3000 {
        let address = format!("contact{number}@example.com");
        let item = parse(&format!(
            "<item xmlns='jabber:iq:roster' jid='{address}' subscription='none'>\
             <group>Everybody</group></item>"
        ));
        roster.insert(bare(&address), item);
    }
    let juliet = world.online(JULIET, &[]);
    assert_eq!(world.devices[juliet].store.contacts().unwrap().len(), 3001);
}

#[test]
fn a_room_that_tells_more_of_its_people_than_is_kept_can_be_entered_again() {
    let (mut world, [romeo, ..]) = square();
    let session = world.server.sessions_of(&bare(ROMEO)).remove(0);
    for number in 0..450 {
        let (person, id) = (format!("{number:0>900}@example.com"), format!("{number:0>500}"));
        let presence = parse(&format!(
            "<presence xmlns='jabber:client' from='{SQUARE}/Nick{number}'>\
             <x xmlns='http://jabber.org/protocol/muc#user'>\
             <item affiliation='member' role='participant' jid='{person}'/></x>\
             <occupant-id xmlns='urn:xmpp:occupant-id:0' id='{id}'/></presence>"
        ));
        world.server.deliver(&session, &presence);
    }
    world.settle();
    assert!(room(&world, romeo, SQUARE).members.len() > 450);
    world.crash(romeo);
    world.pass(20_000);
    assert_eq!(room(&world, romeo, SQUARE).state, RoomState::In);
    assert!(is_online(&world, romeo));
}
