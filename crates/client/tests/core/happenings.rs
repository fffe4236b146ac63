//! What happens in rooms besides what is said: it stands between the messages, and stays. Names and
//! pictures of rooms, and archives that do not answer.

use client::Command;
use client::store::{Content, Event, Happened, Media};
use client::view::{Affiliation, Outcome, Problem, Role};
use xmpp::error::Condition;
use xmpp::ns;
use xmpp::xml::Element;

use crate::rooms::{JULIET, MERCUTIO, SQUARE, conversation, group, join, room, square};
use crate::server::bare;
use crate::world::World;

/// What happened, in the rows in which it is kept: whom it is about, and what.
fn rows(world: &World, device: usize, with: &str) -> Vec<Vec<(String, Happened)>> {
    let messages = world.messages(device, with).into_iter();
    let rows = messages.filter_map(|message| match message.content {
        Content::Event(Event::Room(all)) => Some(all),
        _ => None,
    });
    let row = |all: Vec<client::store::Happening>| {
        let all = all.into_iter().map(|one| {
            let address = one.address.map(|address| address.to_string());
            (one.nick.or(address).unwrap_or_default(), one.what)
        });
        all.collect()
    };
    rows.map(row).collect()
}

fn one(who: &str, what: Happened) -> (String, Happened) {
    (who.to_owned(), what)
}

#[test]
fn who_comes_and_goes_in_a_channel_is_kept_in_one_row_until_something_is_said() {
    let (mut world, [romeo, juliet, mercutio]) = square();
    let order = conversation(&world, romeo, SQUARE).order;
    world.server.put_out(&bare(SQUARE), "Mercutio", &[307]);
    world.settle();
    world.run(juliet, Command::LeaveRoom(bare(SQUARE)));
    let expected = vec![
        one("Juliet", Happened::Joined),
        one("Mercutio", Happened::Joined),
        one("Mercutio", Happened::PutOut(None)),
        one("Juliet", Happened::Left),
    ];
    assert_eq!(rows(&world, romeo, SQUARE), std::slice::from_ref(&expected));
    // It is no news: nothing is unread, and the list stays as it is.
    let row = conversation(&world, romeo, SQUARE);
    assert_eq!((row.unread, row.order), (0, order));
    world.send(romeo, SQUARE, "Nobody here");
    world.settle();
    world.run(mercutio, join(SQUARE, "Mercutio"));
    let back = vec![one("Mercutio", Happened::Joined)];
    assert_eq!(rows(&world, romeo, SQUARE), [expected, back]);
}

#[test]
fn what_happens_while_the_archive_is_read_stands_behind_what_was_missed() {
    let (mut world, [romeo, juliet, _]) = square();
    let before = rows(&world, romeo, SQUARE);
    world.run(romeo, Command::Disconnect);
    for number in 0..25 {
        world.send(juliet, SQUARE, &format!("missed {number}"));
    }
    world.settle();
    world.command(romeo, Command::Reconnect);
    // After the first of three pages.
    while world.texts(romeo, SQUARE).len() < 10 {
        assert!(world.carry(romeo, true) | world.carry(romeo, false));
    }
    world.server.put_out(&bare(SQUARE), "Mercutio", &[307]);
    // Whoever sees it has not seen what is still missing.
    while rows(&world, romeo, SQUARE).len() == before.len() {
        assert!(world.carry(romeo, true) | world.carry(romeo, false));
    }
    let happened = world.last(romeo, SQUARE).id;
    world.command(romeo, Command::MarkRead(bare(SQUARE), happened));
    let seen = world.texts(romeo, SQUARE).len();
    world.settle();
    assert!((10..25).contains(&seen));
    let messages = world.messages(romeo, SQUARE);
    let missed = messages.iter().filter(|one| matches!(one.content, Content::Text(_)));
    assert_eq!(missed.count(), 25);
    assert_eq!(world.last(romeo, SQUARE).id, happened);
    let after = vec![one("Mercutio", Happened::PutOut(None))];
    assert_eq!(rows(&world, romeo, SQUARE), [before, vec![after]].concat());
    assert_eq!(conversation(&world, romeo, SQUARE).unread as usize, 25 - seen);
}

#[test]
fn a_row_holds_so_many_happenings_and_forgets_the_oldest() {
    let (mut world, [romeo, _, mercutio]) = square();
    for _ in 0..60 {
        world.run(mercutio, Command::LeaveRoom(bare(SQUARE)));
        world.run(mercutio, join(SQUARE, "Mercutio"));
    }
    let rows = rows(&world, romeo, SQUARE);
    assert_eq!((rows.len(), rows[0].len()), (1, 100));
    assert!(rows[0].iter().all(|(who, _)| who == "Mercutio"), "Juliet came first");
}

#[test]
fn a_private_group_tells_who_is_a_member_and_not_whose_device_sleeps() {
    let (mut world, romeo, juliet, group) = group();
    world.server.add_account(MERCUTIO, "rapier");
    let invite = Command::InviteToRoom { room: bare(&group), person: bare(MERCUTIO), reason: None };
    assert_eq!(world.run(romeo, invite), Some(Outcome::Done));
    world.run(juliet, Command::Disconnect);
    world.run(juliet, Command::Reconnect);
    let set = |person: &str, affiliation| Command::SetAffiliation {
        room: bare(&group),
        person: bare(person),
        affiliation,
        reason: None,
    };
    world.run(romeo, set(JULIET, Affiliation::Admin));
    world.run(romeo, set(MERCUTIO, Affiliation::None));
    let expected = [
        one(MERCUTIO, Happened::Joined),
        one("Juliet", Happened::Affiliation(Affiliation::Admin)),
        one(MERCUTIO, Happened::Removed),
    ];
    let told: Vec<_> = rows(&world, romeo, &group).concat();
    assert_eq!(told, expected);
    // Who was away meanwhile finds it when the lists are read again.
    world.run(romeo, Command::Disconnect);
    world
        .server
        .rooms
        .get_mut(&bare(&group))
        .unwrap()
        .affiliations
        .insert(bare(MERCUTIO), Affiliation::Member);
    world.run(romeo, Command::Reconnect);
    let told: Vec<_> = rows(&world, romeo, &group).concat();
    assert_eq!(told.last(), Some(&one(MERCUTIO, Happened::Joined)));
    assert_eq!(told.len(), 4);
}

#[test]
fn another_subject_role_and_nickname_are_told() {
    let (mut world, [romeo, juliet, _]) = square();
    world.send(juliet, SQUARE, "Good morrow");
    world.run(romeo, Command::SetSubject(bare(SQUARE), "Peace".into()));
    world.run(romeo, Command::SetSubject(bare(SQUARE), "Peace".into()));
    let session = world.server.rooms[&bare(SQUARE)].occupants["Juliet"].clone();
    let presence = |role: Role| {
        let item = Element::new("item", ns::MUC_USER)
            .with_attr("affiliation", "none")
            .with_attr("role", role.as_str());
        Element::new("presence", ns::CLIENT)
            .with_attr("from", format!("{SQUARE}/Mercutio"))
            .with_child(Element::new("x", ns::MUC_USER).with_child(item))
    };
    world.server.deliver(&session, &presence(Role::Visitor));
    world.settle();
    let told: Vec<_> = rows(&world, juliet, SQUARE).concat();
    let subject = Happened::Subject(Some("Peace".into()));
    assert_eq!(
        told,
        [
            one("Mercutio", Happened::Joined),
            one("Romeo", subject),
            one("Mercutio", Happened::Role(Role::Visitor)),
        ]
    );
}

#[test]
fn owners_rename_a_room_and_everything_else_of_it_stays() {
    let (mut world, romeo, juliet, group) = group();
    world.server.rooms.get_mut(&bare(&group)).unwrap().moderated = true;
    let rename = |name: &str| Command::SetRoomName(bare(&group), name.into());
    assert_eq!(world.run(romeo, rename("  The\n orchard ")), Some(Outcome::Done));
    world.settle();
    for device in [romeo, juliet] {
        assert_eq!(room(&world, device, &group).name, "The orchard");
        let told: Vec<_> = rows(&world, device, &group).concat();
        assert_eq!(told, [one("", Happened::Name("The orchard".into()))]);
    }
    let kept = &world.server.rooms[&bare(&group)];
    assert!(kept.moderated && kept.private);
    assert!(matches!(world.run(romeo, rename(" ")), Some(Outcome::Failed(Problem::Invalid(_)))));
    // Who is no owner gets the room's refusal.
    assert!(matches!(
        world.run(juliet, rename("Hers")),
        Some(Outcome::Failed(Problem::Refused(_)))
    ));
    assert_eq!(room(&world, juliet, &group).name, "The orchard");
}

/// The smallest PNG that is one to whoever looks at its beginning.
fn png(last: u8) -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n".as_slice(), &[0; 16], &[last]].concat()
}

#[test]
fn a_room_has_the_picture_that_its_owner_gave_it_and_no_other() {
    let (mut world, romeo, juliet, group) = group();
    let give = |png: Option<Vec<u8>>| Command::SetRoomAvatar(bare(&group), png);
    assert_eq!(world.run(romeo, give(Some(png(1)))), Some(Outcome::Done));
    world.settle();
    let id = room(&world, juliet, &group).avatar.expect("a picture");
    assert_eq!(world.devices[juliet].store.media(&id).unwrap(), Some(png(1)));
    assert_eq!(room(&world, romeo, &group).avatar, Some(id.clone()));
    assert!(matches!(
        world.run(juliet, give(Some(png(2)))),
        Some(Outcome::Failed(Problem::Refused(_)))
    ));
    let large = [png(1), vec![0; 70_000]].concat();
    for wrong in [large, b"no picture".to_vec()] {
        let outcome = world.run(romeo, give(Some(wrong)));
        assert!(matches!(outcome, Some(Outcome::Failed(Problem::Invalid(_)))), "{outcome:?}");
    }
    assert_eq!(world.run(romeo, give(None)), Some(Outcome::Done));
    world.settle();
    assert_eq!(room(&world, juliet, &group).avatar, None);
    let told: Vec<_> = rows(&world, juliet, &group).concat();
    assert_eq!(told, [one("", Happened::Picture), one("", Happened::Picture)]);
}

#[test]
fn what_an_archive_did_not_answer_is_said_and_asked_again() {
    let (mut world, [romeo, juliet, _]) = square();
    world.run(romeo, Command::Disconnect);
    world.send(juliet, SQUARE, "Missed");
    world.settle();
    let set = |world: &mut World, broken| {
        world.server.rooms.get_mut(&bare(SQUARE)).unwrap().broken = broken;
    };
    set(&mut world, Some(Condition::InternalServerError));
    world.run(romeo, Command::Reconnect);
    assert!(conversation(&world, romeo, SQUARE).behind);
    // What arrives live meanwhile does not hide what is missing.
    world.send(juliet, SQUARE, "Live");
    world.settle();
    assert_eq!(world.texts(romeo, SQUARE), ["Live"]);
    world.run(romeo, Command::CatchUp(bare(SQUARE)));
    assert!(conversation(&world, romeo, SQUARE).behind, "it is still broken");
    set(&mut world, None);
    world.run(romeo, Command::CatchUp(bare(SQUARE)));
    assert!(!conversation(&world, romeo, SQUARE).behind);
    assert_eq!(world.texts(romeo, SQUARE), ["Missed", "Live"]);
    // Nobody has to ask: it is tried again.
    world.run(romeo, Command::Disconnect);
    world.send(juliet, SQUARE, "Missed too");
    set(&mut world, Some(Condition::ResourceConstraint));
    world.run(romeo, Command::Reconnect);
    set(&mut world, None);
    world.pass(60_000);
    assert_eq!(world.texts(romeo, SQUARE), ["Missed", "Live", "Missed too"]);
}
