//! What is taken for a room because somebody says so, and is a person or nothing at all.

use client::Command;
use client::view::{Change, Kind, Outcome, Problem, RoomState};
use xmpp::error::Condition;
use xmpp::ns;

use crate::rooms::{JULIET, MERCUTIO, conversation, invite_to, join, room};
use crate::server::bare;
use crate::world::World;

const TYBALT: &str = "tybalt@example.net";

/// Juliet, Mercutio who is nobody to her yet, and Tybalt who is not here.
fn world() -> (World, usize, usize) {
    let mut world = World::new();
    for account in [MERCUTIO, TYBALT] {
        world.server.add_account(account, "rapier");
    }
    let juliet = world.online(JULIET, &[]);
    let mercutio = world.online(MERCUTIO, &[JULIET]);
    (world, juliet, mercutio)
}

/// Tybalt says that Mercutio's address is the one of a room.
fn invite(world: &mut World) {
    invite_to(world, TYBALT, MERCUTIO);
}

fn is_forgotten(world: &World, device: usize, address: &str) -> bool {
    world.devices[device].changes.contains(&Change::RoomRemoved(bare(address)))
}

#[test]
fn an_invitation_to_the_address_of_a_person_hides_nothing_that_they_write() {
    for (declined, away) in [(false, false), (true, false), (false, true)] {
        let (mut world, juliet, mercutio) = world();
        invite(&mut world);
        assert_eq!(room(&world, juliet, MERCUTIO).state, RoomState::Invited);
        if declined {
            world.run(juliet, Command::LeaveRoom(bare(MERCUTIO)));
        }
        if away {
            world.run(juliet, Command::Disconnect);
        }
        world.send(mercutio, JULIET, "Is it you?");
        world.settle();
        if away {
            world.run(juliet, Command::Reconnect);
            world.pass(20_000);
        }
        assert_eq!(world.texts(juliet, MERCUTIO), ["Is it you?"], "{declined} {away}");
        assert_eq!(world.messages(juliet, MERCUTIO).len(), 1, "the invitation is gone");
        let row = conversation(&world, juliet, MERCUTIO);
        assert_eq!((row.kind, row.unread), (Kind::Person, 1));
        assert!(is_forgotten(&world, juliet, MERCUTIO));
        // It stays so, whatever is said, and for the next program.
        invite(&mut world);
        world.crash(juliet);
        world.pass(20_000);
        world.send(mercutio, JULIET, "It is.");
        world.settle();
        assert_eq!(world.texts(juliet, MERCUTIO), ["Is it you?", "It is."]);
    }
}

#[test]
fn a_contact_is_no_room_whatever_somebody_said_before() {
    let (mut world, juliet, _) = world();
    invite(&mut world);
    let add = Command::AddContact { address: bare(MERCUTIO), name: None };
    assert_eq!(world.run(juliet, add), Some(Outcome::Done));
    assert!(is_forgotten(&world, juliet, MERCUTIO));
    assert_eq!(conversation(&world, juliet, MERCUTIO).kind, Kind::Person);
}

#[test]
fn who_enters_the_address_of_a_person_is_told_so_and_they_see_nothing() {
    let (mut world, juliet, mercutio) = world();
    let refused = Some(Outcome::Failed(Problem::Refused("there is no such room".to_owned())));
    assert_eq!(world.run(juliet, join(MERCUTIO, "J")), refused);
    // Servers say little of people who are no contacts.
    let nothing = Err(Condition::ServiceUnavailable);
    world.server.answers.insert(ns::DISCO_INFO.to_owned(), nothing);
    assert_eq!(world.run(juliet, join(MERCUTIO, "J")), refused);
    let sent = &world.devices[juliet].sent;
    assert!(!sent.contains(&format!("{MERCUTIO}/J")), "{sent}");
    assert!(!sent.contains("<conference"), "no list of rooms has it: {sent}");
    assert!(is_forgotten(&world, juliet, MERCUTIO));
    world.send(mercutio, JULIET, "Is it you?");
    world.settle();
    assert_eq!(world.texts(juliet, MERCUTIO), ["Is it you?"]);
}

#[test]
fn who_enters_a_room_whose_server_is_not_found_is_told_and_nothing_is_tried_for_ever() {
    let (mut world, juliet, _) = world();
    let nowhere = "square@nowhere.example";
    let nothing = Err(Condition::RemoteServerNotFound);
    world.server.answers.insert(ns::DISCO_INFO.to_owned(), nothing);
    let outcome = world.run(juliet, join(nowhere, "J"));
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::Refused(_)))), "{outcome:?}");
    assert!(is_forgotten(&world, juliet, nowhere));
    let before = world.devices[juliet].sent.len();
    world.pass(10 * 60_000);
    assert!(!world.devices[juliet].sent[before..].contains(nowhere));
}
