//! Invitations to rooms: from whom, to which devices, and what becomes of them.

use client::Command;
use client::store::{Content, EncryptionMode, Event};
use client::view::{Affiliation, Outcome, Problem, RoomState};
use xmpp::jid::BareJid;
use xmpp::ns;

use crate::rooms::{conversation, group, invite_to, join, parse, room, square};
use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";
const MERCUTIO: &str = "mercutio@example.net";
const SQUARE: &str = "square@rooms.example.net";

#[test]
fn an_invitation_is_shown_once_and_answered_by_entering() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    let juliet = world.online(JULIET, &[]);
    let create = Command::CreateRoom {
        room: None,
        name: Some("The balcony".into()),
        public: false,
        people: vec![bare(JULIET)],
    };
    let Some(Outcome::Room(group)) = world.run(romeo, create) else { panic!() };
    let group = group.as_str();
    assert_eq!(conversation(&world, juliet, group).name, "The balcony");
    // It came through the room and directly.
    let messages = world.messages(juliet, group);
    let [invitation] = &messages[..] else { panic!("{messages:?}") };
    let expected = Event::Invited { by: bare(ROMEO), reason: None };
    assert_eq!(invitation.content, Content::Event(expected));
    assert!(conversation(&world, juliet, group).request);
    assert_eq!(room(&world, juliet, group).invited_by, Some(bare(ROMEO)));
    assert_eq!(room(&world, juliet, group).state, RoomState::Invited);
    assert_eq!(world.devices[juliet].notifications.len(), 1);
    assert_eq!(world.run(juliet, join(group, "J")), Some(Outcome::Room(bare(group))));
    assert!(!conversation(&world, juliet, group).request);
    assert_eq!(conversation(&world, juliet, group).encryption, EncryptionMode::Omemo);
}

#[test]
fn who_invited_is_told_that_somebody_does_not_come_and_encrypts_nothing_for_them() {
    let mut world = World::new();
    world.server.add_account(MERCUTIO, "rapier");
    let romeo = world.online(ROMEO, &[]);
    let juliet = world.online(JULIET, &[]);
    let mercutio = world.online(MERCUTIO, &[]);
    let people = vec![bare(JULIET), bare(MERCUTIO)];
    let create = Command::CreateRoom { room: None, name: None, public: false, people };
    let Some(Outcome::Room(group)) = world.run(romeo, create) else { panic!() };
    world.run(mercutio, join(group.as_str(), "Mercutio"));
    let is_member = |world: &World, who: &str| {
        let members = room(world, romeo, group.as_str()).members;
        members.iter().any(|member| member.address == Some(bare(who)))
    };
    assert!(is_member(&world, JULIET) && is_member(&world, MERCUTIO));
    world.devices[romeo].notifications.clear();
    assert_eq!(world.run(juliet, Command::LeaveRoom(group.clone())), Some(Outcome::Done));
    let declined = |world: &World, device: usize| {
        let messages = world.messages(device, group.as_str()).into_iter();
        let events = messages.filter_map(|one| match one.content {
            Content::Event(Event::Declined { by, .. }) => Some(by.to_string()),
            _ => None,
        });
        events.collect::<Vec<_>>()
    };
    assert_eq!(declined(&world, romeo), [JULIET]);
    assert_eq!(world.devices[romeo].notifications.len(), 1);
    assert_eq!(declined(&world, mercutio), [""; 0]);
    assert!(!is_member(&world, JULIET) && is_member(&world, MERCUTIO));
    let affiliations = &world.server.rooms[&group].affiliations;
    assert_eq!(affiliations.get(&bare(JULIET)), Some(&Affiliation::None));
    // Once, and of nobody who was not invited or is there.
    for from in [JULIET, MERCUTIO, "paris@example.net"] {
        let forged = parse(&format!(
            "<message xmlns='jabber:client' from='{group}'>\
             <x xmlns='http://jabber.org/protocol/muc#user'><decline from='{from}'/></x></message>"
        ));
        for session in world.server.sessions_of(&bare(ROMEO)) {
            world.server.deliver(&session, &forged);
        }
    }
    world.settle();
    assert_eq!(declined(&world, romeo), [JULIET]);
    assert!(is_member(&world, MERCUTIO));
    // Occupants do not speak for the room.
    let invite = Command::InviteToRoom {
        room: group.clone(),
        person: bare("paris@example.net"),
        reason: None,
    };
    assert_eq!(world.run(romeo, invite), Some(Outcome::Done));
    let whispered = parse(&format!(
        "<message xmlns='jabber:client' from='{group}/Mercutio'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><decline from='paris@example.net'/></x>\
         </message>"
    ));
    for session in world.server.sessions_of(&bare(ROMEO)) {
        world.server.deliver(&session, &whispered);
    }
    world.settle();
    assert_eq!(declined(&world, romeo), [JULIET]);
    // They may be invited again, and come.
    let invite = Command::InviteToRoom { room: group.clone(), person: bare(JULIET), reason: None };
    assert_eq!(world.run(romeo, invite), Some(Outcome::Done));
    assert_eq!(world.run(juliet, join(group.as_str(), "J")), Some(Outcome::Room(group.clone())));
    world.send(juliet, group.as_str(), "here I am");
    world.settle();
    assert_eq!(world.texts(romeo, group.as_str()), ["here I am"]);
}

#[test]
fn an_invitation_from_a_person_is_declined_in_silence() {
    let mut world = World::new();
    let juliet = world.online(JULIET, &[]);
    let direct = parse(&format!(
        "<message xmlns='jabber:client' from='{ROMEO}/x'>\
         <x xmlns='jabber:x:conference' jid='{SQUARE}'/></message>"
    ));
    for session in world.server.sessions_of(&bare(JULIET)) {
        world.server.deliver(&session, &direct);
    }
    world.settle();
    assert_eq!(room(&world, juliet, SQUARE).state, RoomState::Invited);
    world.server.seen.clear();
    assert_eq!(world.run(juliet, Command::LeaveRoom(bare(SQUARE))), Some(Outcome::Done));
    let told = world.server.seen.iter().filter(|one| one.name() == "message");
    assert_eq!(told.count(), 0);
}

/// Romeo's invitation to a group of his, and to a square that he only knows, for two devices of
/// Juliet's.
fn invited(direct: bool) -> (World, [usize; 2], BareJid) {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    let devices = [world.online(JULIET, &[]), world.online(JULIET, &[])];
    if direct {
        invite_directly(&mut world);
        return (world, devices, bare(SQUARE));
    }
    let people = vec![bare(JULIET)];
    let create = Command::CreateRoom { room: None, name: None, public: false, people };
    let Some(Outcome::Room(group)) = world.run(romeo, create) else { panic!() };
    (world, devices, group)
}

/// As the server keeps it for those who are away.
fn invite_directly(world: &mut World) {
    invite_to(world, ROMEO, SQUARE);
}

fn state(world: &World, device: usize, address: &BareJid) -> RoomState {
    room(world, device, address.as_str()).state
}

#[test]
fn an_invitation_that_one_device_declines_is_gone_on_the_others() {
    for direct in [false, true] {
        let (mut world, [here, there], group) = invited(direct);
        assert_eq!(state(&world, there, &group), RoomState::Invited);
        assert_eq!(conversation(&world, there, group.as_str()).unread, 1);
        assert_eq!(world.run(here, Command::LeaveRoom(group.clone())), Some(Outcome::Done));
        for device in [here, there] {
            assert_eq!(state(&world, device, &group), RoomState::Out, "{direct}");
            assert!(!conversation(&world, device, group.as_str()).request, "{direct}");
            let own = world.messages(device, JULIET).into_iter();
            let mut shown = own.filter(|one| !matches!(one.content, Content::Event(_)));
            assert!(shown.next().is_none(), "nothing of it is a message");
        }
        assert_eq!(conversation(&world, there, group.as_str()).unread, 0);
        // It stays so when the program starts anew.
        world.crash(there);
        world.pass(10_000);
        assert_eq!(state(&world, there, &group), RoomState::Out, "{direct}");
    }
}

#[test]
fn an_invitation_that_was_answered_while_a_device_was_away_is_not_open_there() {
    for (accept, before) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut world = World::new();
        let public = crate::muc::Room::public();
        world.server.rooms.insert(bare(SQUARE), public);
        let [here, there] = [world.online(JULIET, &[]), world.online(JULIET, &[])];
        // It has the invitation already, or gets it together with the answer.
        if before {
            invite_directly(&mut world);
        }
        world.run(there, Command::Disconnect);
        if !before {
            invite_directly(&mut world);
        }
        let group = bare(SQUARE);
        assert_eq!(state(&world, here, &group), RoomState::Invited);
        if accept {
            let entered = world.run(here, join(SQUARE, "J"));
            assert_eq!(entered, Some(Outcome::Room(group.clone())));
            // Left again: nothing but the answer tells of it.
            world.run(here, Command::LeaveRoom(group.clone()));
        } else {
            world.run(here, Command::LeaveRoom(group.clone()));
        }
        world.run(there, Command::Reconnect);
        world.pass(10_000);
        assert_eq!(state(&world, there, &group), RoomState::Out, "{accept} {before}");
        assert!(!conversation(&world, there, SQUARE).request);
        // A later invitation is a new one.
        invite_directly(&mut world);
        for device in [here, there] {
            assert_eq!(state(&world, device, &group), RoomState::Invited, "{accept} {before}");
        }
    }
}

#[test]
fn an_invitation_that_one_device_accepts_is_entered_by_the_others() {
    let (mut world, [here, there], group) = invited(false);
    assert_eq!(world.run(here, join(group.as_str(), "J")), Some(Outcome::Room(group.clone())));
    assert_eq!(state(&world, there, &group), RoomState::In);
    assert!(!conversation(&world, there, group.as_str()).request);
}

#[test]
fn a_refusal_that_another_program_of_this_account_sent_to_the_room_counts() {
    let (mut world, [here, there], group) = invited(false);
    let decline = |from: &str| {
        parse(&format!(
            "<message xmlns='jabber:client' from='{JULIET}'>\
             <sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
             <message xmlns='jabber:client' from='{from}' to='{group}'>\
             <x xmlns='{}'><decline to='{ROMEO}'/></x></message></forwarded></sent></message>",
            ns::MUC_USER
        ))
    };
    // Only this account's own.
    for (from, state_after) in [
        ("mercutio@example.net/x", RoomState::Invited),
        ("juliet@example.net/other-program", RoomState::Out),
    ] {
        for session in world.server.sessions_of(&bare(JULIET)) {
            world.server.deliver(&session, &decline(from));
        }
        world.settle();
        for device in [here, there] {
            assert_eq!(state(&world, device, &group), state_after);
        }
    }
}

#[test]
fn nobody_else_answers_invitations_for_this_account() {
    let (mut world, [here, there], group) = invited(false);
    // Neither does the server in its name: what a device says of it is encrypted.
    let ours = [JULIET, "juliet@example.net/x"];
    let others = [ROMEO, "romeo@example.net/x", MERCUTIO, "example.net", group.as_str()];
    for from in ours.into_iter().chain(others) {
        let forged = parse(&format!(
            "<message xmlns='jabber:client' from='{from}'>\
             <answered xmlns='urn:clownfish:invitations:0' room='{group}'/></message>"
        ));
        for session in world.server.sessions_of(&bare(JULIET)) {
            world.server.deliver(&session, &forged);
        }
    }
    world.settle();
    for device in [here, there] {
        assert_eq!(state(&world, device, &group), RoomState::Invited);
    }
}

/// A group of Romeo's that gives out links, and Mercutio, who does not belong to it.
fn group_with_links() -> (World, [usize; 3], String) {
    let (mut world, romeo, juliet, group) = group();
    world.server.add_account(MERCUTIO, "rapier");
    let mercutio = world.online(MERCUTIO, &[]);
    assert!(!room(&world, romeo, &group).links, "a room that has none offers none");
    world.server.rooms.get_mut(&bare(&group)).unwrap().tokens = Some(Vec::new());
    for device in [romeo, juliet] {
        world.crash(device);
    }
    world.pass(20_000);
    (world, [romeo, juliet, mercutio], group)
}

/// Enters by the password in a link.
fn follow(world: &mut World, device: usize, link: &str) -> Option<Outcome> {
    let (address, password) = link.split_once("?join;password=").unwrap();
    let room = bare(address.strip_prefix("xmpp:").unwrap());
    let password = password.replace("%20", " ").replace("%2F", "/");
    world.run(device, Command::JoinRoom { room, nick: None, password: Some(password.into()) })
}

#[test]
fn whoever_follows_a_link_to_a_group_becomes_a_member() {
    let (mut world, [romeo, juliet, mercutio], group) = group_with_links();
    assert!(room(&world, romeo, &group).links);
    assert!(!room(&world, juliet, &group).links, "only who makes members gets links");
    let week = Some(7 * 24 * 60 * 60);
    let link = Command::RoomLink { room: bare(&group), seconds: week };
    let Some(Outcome::Links(links)) = world.run(romeo, link) else { panic!() };
    assert_eq!((links[0].seconds, links[0].uses), (Some(604_800), None));
    let link = links[0].link.clone();
    assert_eq!(link, format!("xmpp:{group}?join;password=token%20604800%2F0"));
    assert_eq!(follow(&mut world, mercutio, &link), Some(Outcome::Room(bare(&group))));
    world.pass(20_000);
    let members = room(&world, romeo, &group).members;
    let here = members.iter().find(|one| one.address == Some(bare(MERCUTIO))).unwrap();
    assert_eq!(here.affiliation, Affiliation::Member);
    assert!(conversation(&world, mercutio, &group).readers.theirs > 0, "he can write to them");
    world.send(romeo, &group, "welcome");
    world.settle();
    assert!(world.texts(mercutio, &group).contains(&"welcome".to_owned()));
    // The link is over, and he belongs there all the same.
    let withdrawn = world.run(romeo, Command::RevokeRoomLinks(bare(&group)));
    assert_eq!(withdrawn, Some(Outcome::Withdrawn(1)));
    world.crash(mercutio);
    world.pass(20_000);
    assert_eq!(room(&world, mercutio, &group).state, RoomState::In);
}

#[test]
fn links_that_were_withdrawn_let_nobody_in_and_say_why() {
    let (mut world, [romeo, juliet, mercutio], group) = group_with_links();
    let ask = || Command::RoomLink { room: bare(&group), seconds: None };
    let links = [0, 1].map(|_| match world.run(romeo, ask()) {
        Some(Outcome::Links(links)) => links[0].link.clone(),
        other => panic!("{other:?}"),
    });
    let refused = world.run(juliet, ask());
    assert!(matches!(refused, Some(Outcome::Failed(Problem::Refused(_)))), "{refused:?}");
    // A room calls them what it likes.
    let tokens = &mut world.server.rooms.get_mut(&bare(&group)).unwrap().tokens;
    tokens.get_or_insert_default().push(" token\n".into());
    let listed = world.run(romeo, Command::RoomLinks(bare(&group)));
    assert!(matches!(&listed, Some(Outcome::Links(links)) if links.len() == 3), "{listed:?}");
    for count in [3, 0] {
        let withdrawn = world.run(romeo, Command::RevokeRoomLinks(bare(&group)));
        assert_eq!(withdrawn, Some(Outcome::Withdrawn(count)));
    }
    world.server.rooms.get_mut(&bare(&group)).unwrap().password = Some("rose".into());
    world.crash(romeo);
    world.pass(20_000);
    assert!(!room(&world, romeo, &group).links, "they would not do");
    world.server.rooms.get_mut(&bare(&group)).unwrap().password = None;
    for link in links {
        let words = "this link is not valid any more; ask for another one".to_owned();
        let outcome = follow(&mut world, mercutio, &link);
        assert_eq!(outcome, Some(Outcome::Failed(Problem::Refused(words))));
    }
}

#[test]
fn a_link_serves_for_one_entry_and_whoever_was_removed_stays_out() {
    let (mut world, [romeo, _, mercutio], group) = group_with_links();
    let link = Command::RoomLink { room: bare(&group), seconds: None };
    let Some(Outcome::Links(links)) = world.run(romeo, link) else { panic!() };
    let link = links[0].link.clone();
    assert_eq!(follow(&mut world, mercutio, &link), Some(Outcome::Room(bare(&group))));
    world.run(
        romeo,
        Command::SetAffiliation {
            room: bare(&group),
            person: bare(MERCUTIO),
            affiliation: Affiliation::None,
            reason: None,
        },
    );
    // This service admits whoever comes with the secret, also somebody whom it put out.
    world.server.put_out(&bare(&group), "mercutio", &[321]);
    world.settle();
    assert!(matches!(room(&world, mercutio, &group).state, RoomState::Refused(_)));
    world.crash(mercutio);
    world.pass(120_000);
    assert!(matches!(room(&world, mercutio, &group).state, RoomState::Refused(_)));
    let members = &world.server.rooms[&bare(&group)].affiliations;
    assert_ne!(members.get(&bare(MERCUTIO)), Some(&Affiliation::Member));
}

#[test]
fn a_password_is_replaced_by_one_that_works_only() {
    let (mut world, [_, device, _]) = square();
    let enter = |password: &str| Command::JoinRoom {
        room: bare(SQUARE),
        nick: None,
        password: Some(password.into()),
    };
    world.server.rooms.get_mut(&bare(SQUARE)).unwrap().password = Some("rose".into());
    world.run(device, Command::LeaveRoom(bare(SQUARE)));
    assert_eq!(world.run(device, enter("rose")), Some(Outcome::Room(bare(SQUARE))));
    // Somebody's link, while inside and while outside.
    assert_eq!(world.run(device, enter("thorn")), Some(Outcome::Room(bare(SQUARE))));
    world.crash(device);
    world.pass(20_000);
    assert_eq!(state(&world, device, &bare(SQUARE)), RoomState::In);
    world.server.put_out(&bare(SQUARE), "Juliet", &[307]);
    world.settle();
    let refused = world.run(device, enter("thorn"));
    assert!(matches!(refused, Some(Outcome::Failed(Problem::Refused(_)))), "{refused:?}");
    world.crash(device);
    world.pass(20_000);
    assert_eq!(state(&world, device, &bare(SQUARE)), RoomState::In, "by the one that works");
}
