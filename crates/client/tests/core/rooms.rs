//! Rooms: entering, writing, who may do what, and what is believed.

use client::Command;
use client::store::{
    Content, Conversations, Delivery, Encryption, EncryptionMode, Event, Notify, Timeline,
};
use client::view::{Affiliation, Change, Kind, Outcome, Problem, Role, Room, RoomState};
use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::xml::{Element, Limits};

use crate::muc;
use crate::server::bare;
use crate::world::{World, login, notified, text_of};

const ROMEO: &str = "romeo@example.net";
pub(crate) const JULIET: &str = "juliet@example.net";
pub(crate) const MERCUTIO: &str = "mercutio@example.net";
pub(crate) const SQUARE: &str = "square@rooms.example.net";

/// Somebody invites Juliet to an address, past the room itself (XEP-0249).
pub(crate) fn invite_to(world: &mut World, from: &str, room: &str) {
    let message = parse(&format!(
        "<message xmlns='jabber:client' from='{from}/x' to='{JULIET}'>\
         <x xmlns='jabber:x:conference' jid='{room}'/><store xmlns='urn:xmpp:hints'/></message>"
    ));
    world.server.route(&bare(from), None, message);
    world.settle();
}

pub(crate) fn parse(xml: &str) -> Element {
    Element::parse(xml.as_bytes(), &Limits::TRUSTED).unwrap()
}

pub(crate) fn join(room: &str, nick: &str) -> Command {
    Command::JoinRoom { room: bare(room), nick: Some(nick.into()), password: None }
}

/// A room as a user interface has it.
pub(crate) fn room(world: &World, device: usize, address: &str) -> Room {
    let mut changes = world.devices[device].changes.iter().rev();
    let found = changes.find_map(|change| match change {
        Change::Room(room) if room.address == bare(address) => Some((**room).clone()),
        _ => None,
    });
    found.expect("a room")
}

/// The messages of a conversation without what happened between them.
fn said(world: &World, device: usize, with: &str) -> Vec<client::store::Message> {
    let mut messages = world.messages(device, with);
    messages.retain(|one| !matches!(one.content, Content::Event(Event::Room(_))));
    messages
}

/// A row of the list of conversations.
pub(crate) fn conversation(
    world: &World,
    device: usize,
    address: &str,
) -> client::view::Conversation {
    let mut changes = world.devices[device].changes.iter().rev();
    let found = changes.find_map(|change| match change {
        Change::Conversation(one) if one.address == bare(address) => Some((**one).clone()),
        _ => None,
    });
    found.expect("a conversation")
}

/// Romeo and Juliet in a private group that Romeo made.
pub(crate) fn group() -> (World, usize, usize, String) {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    let juliet = world.online(JULIET, &[]);
    let create = Command::CreateRoom {
        room: None,
        name: Some("The balcony".into()),
        public: false,
        people: vec![bare(JULIET)],
    };
    let outcome = world.run(romeo, create);
    let Some(Outcome::Room(address)) = outcome else { panic!("{outcome:?}") };
    let address = address.to_string();
    let outcome = world.run(juliet, join(&address, "Juliet"));
    assert_eq!(outcome, Some(Outcome::Room(bare(&address))));
    (world, romeo, juliet, address)
}

/// Romeo, Juliet and Mercutio in a public channel.
pub(crate) fn square() -> (World, [usize; 3]) {
    let mut world = World::new();
    world.server.add_account(MERCUTIO, "rapier");
    let mut public = muc::Room::public();
    public.affiliations.insert(bare(ROMEO), Affiliation::Owner);
    world.server.rooms.insert(bare(SQUARE), public);
    let people = [(ROMEO, "Romeo"), (JULIET, "Juliet"), (MERCUTIO, "Mercutio")];
    let devices = people.map(|(address, nick)| {
        let device = world.online(address, &[]);
        assert_eq!(world.run(device, join(SQUARE, nick)), Some(Outcome::Room(bare(SQUARE))));
        device
    });
    (world, devices)
}

#[test]
fn a_private_group_is_made_others_are_invited_and_everything_is_encrypted() {
    let (mut world, romeo, juliet, group) = group();
    assert!(world.server.rooms[&bare(&group)].private);
    let seen = room(&world, juliet, &group);
    assert_eq!((seen.name.as_str(), &seen.state), ("The balcony", &RoomState::In));
    assert!(seen.private && seen.affiliation == Affiliation::Member);
    assert_eq!(seen.members.len(), 2);
    world.send(romeo, &group, "canary in the group");
    world.settle();
    world.send(juliet, &group, "canary answered");
    world.settle();
    for device in [romeo, juliet] {
        assert_eq!(world.texts(device, &group), ["canary in the group", "canary answered"]);
        let mut texts = world.messages(device, &group);
        texts.retain(|one| matches!(one.content, Content::Text(_)));
        assert!(texts.iter().all(|one| matches!(one.encryption, Encryption::Omemo { .. })));
    }
    let own = &world.messages(romeo, &group)[0];
    assert_eq!(own.delivery, Some(Delivery::Delivered));
    assert!(own.archive_id.is_some());
    let hers = &world.messages(romeo, &group)[1];
    assert_eq!((&hers.sender, hers.own), (&bare(JULIET), false));
    assert_eq!(hers.occupant.as_ref().map(|one| one.nick.as_str()), Some("Juliet"));
    let seen = world.server.seen.iter().map(|stanza| format!("{:?}", stanza.to_bytes("")));
    assert!(!seen.collect::<String>().contains("canary"));
    let row = conversation(&world, juliet, &group);
    assert_eq!((row.kind, row.readers.theirs), (Kind::Room, 1));
}

#[test]
fn a_room_that_is_wanted_before_its_place_is_known_is_made_then() {
    let mut world = World::new();
    let romeo = world.add_device();
    let password = world.server.accounts[&bare(ROMEO)].password.clone();
    world.command(romeo, Command::Login(login(ROMEO, &password)));
    let create =
        || Command::CreateRoom { room: None, name: None, public: false, people: Vec::new() };
    // While the login is under way, too.
    let (first, mut later) = (world.command(romeo, create()), None);
    for _ in 0..200 {
        world.settle_some(1);
        if world.devices[romeo].outcomes.len() == 1 && later.is_none() {
            later = Some(world.command(romeo, create()));
        }
    }
    world.settle();
    for number in [first, later.expect("the login ended")] {
        let outcome = world.devices[romeo].outcomes.get(&number);
        assert!(matches!(outcome, Some(Outcome::Room(_))), "{outcome:?}");
    }
}

#[test]
fn what_was_missed_comes_from_the_room_in_its_order_without_doubles() {
    let (mut world, romeo, juliet, group) = group();
    world.send(romeo, &group, "before");
    world.settle();
    world.run(juliet, Command::Disconnect);
    for number in 0..25 {
        world.send(romeo, &group, &format!("missed {number}"));
        world.settle();
    }
    world.run(juliet, Command::Reconnect);
    world.pass(5_000);
    world.send(juliet, &group, "back");
    world.settle();
    world.crash(juliet);
    world.settle();
    world.send(romeo, &group, "after");
    world.pass(5_000);
    let mut all = vec!["before".to_owned()];
    all.extend((0..25).map(|number| format!("missed {number}")));
    all.extend(["back".to_owned(), "after".to_owned()]);
    for device in [romeo, juliet] {
        assert_eq!(world.texts(device, &group), all);
    }
}

#[test]
fn who_writes_at_the_same_time_as_others_ends_with_the_order_of_the_room() {
    let (mut world, [romeo, juliet, mercutio]) = square();
    world.send(romeo, SQUARE, "romeo's");
    world.send(juliet, SQUARE, "juliet's");
    // The room gets hers first.
    while world.carry(juliet, true) {}
    world.settle();
    for device in [romeo, juliet, mercutio] {
        assert_eq!(world.texts(device, SQUARE), ["juliet's", "romeo's"]);
    }
    let row = conversation(&world, romeo, SQUARE);
    assert_eq!((row.unread, row.preview.map(|preview| preview.own)), (1, Some(true)));
}

#[test]
fn what_is_written_without_a_connection_arrives_once() {
    let (mut world, romeo, juliet, group) = group();
    world.server.forgetful = true;
    // It leaves, and the connection breaks before anybody knows that it arrived.
    world.send(romeo, &group, "once");
    world.carry(romeo, true);
    world.cut(romeo);
    world.send(romeo, &group, "twice");
    world.pass(120_000);
    for device in [romeo, juliet] {
        assert_eq!(world.texts(device, &group), ["once", "twice"]);
    }
    assert!(
        world.messages(romeo, &group).iter().all(|one| one.delivery == Some(Delivery::Delivered))
    );
}

#[test]
fn a_public_channel_is_as_readable_as_it_is_and_only_mentions_interrupt() {
    let (mut world, [romeo, juliet, mercutio]) = square();
    assert_eq!(conversation(&world, romeo, SQUARE).encryption, EncryptionMode::Plain);
    world.devices[romeo].notifications.clear();
    world.send(juliet, SQUARE, "good morrow");
    world.settle();
    assert!(world.devices[romeo].notifications.is_empty());
    assert_eq!(conversation(&world, romeo, SQUARE).mentions, 0);
    world.send(mercutio, SQUARE, "romeo, romeo!");
    world.settle();
    let row = conversation(&world, romeo, SQUARE);
    assert_eq!((row.unread, row.mentions), (2, 1));
    let told: Vec<_> =
        world.devices[romeo].notifications.iter().map(|one| notified(one).0).collect();
    assert_eq!(told, ["Mercutio (square)"]);
    // Addresses are not known there.
    let last = world.last(romeo, SQUARE);
    assert_eq!((&last.sender, last.own), (&bare(SQUARE), false));
    world.run(romeo, Command::MarkRead(bare(SQUARE), last.id));
    let row = conversation(&world, romeo, SQUARE);
    assert_eq!((row.unread, row.mentions), (0, 0));
    // Nobody tells what they have read or received there.
    for name in ["received", "displayed", "request", "markable"] {
        let mut seen = world.server.seen.iter().filter(|one| one.attr("to") == Some(SQUARE));
        assert!(!seen.any(|one| one.children().any(|child| child.name() == name)), "{name}");
    }
}

#[test]
fn a_channel_whose_readers_are_unknown_gets_nothing_that_must_be_encrypted() {
    let (mut world, [romeo, ..]) = square();
    world.run(romeo, Command::SetEncryption(bare(SQUARE), EncryptionMode::Omemo));
    world.send(romeo, SQUARE, "canary");
    world.pass(20_000);
    let last = world.last(romeo, SQUARE);
    assert!(matches!(last.delivery, Some(Delivery::Failed(_))), "{:?}", last.delivery);
    assert!(!world.devices[romeo].sent.contains("canary"));
}

#[test]
fn messages_are_changed_by_who_wrote_them_and_nobody_else() {
    let (mut world, [romeo, juliet, mercutio]) = square();
    world.send(juliet, SQUARE, "hers");
    world.settle();
    let id = world.last(juliet, SQUARE).id;
    let origin = world.last(romeo, SQUARE).origin_id.unwrap();
    let archive = world.last(romeo, SQUARE).archive_id.unwrap();
    let changes = [
        format!("<body>forged</body><replace xmlns='urn:xmpp:message-correct:0' id='{origin}'/>"),
        format!(
            "<retract xmlns='urn:xmpp:message-retract:1' id='{archive}'/><store xmlns='urn:xmpp:hints'/>"
        ),
        format!(
            "<retract xmlns='urn:xmpp:message-retract:1' id='{archive}'>\
             <moderated xmlns='urn:xmpp:message-moderate:1'/></retract>"
        ),
    ];
    for change in changes {
        let message = parse(&format!("<message xmlns='jabber:client'>{change}</message>"));
        world.server.say(&bare(SQUARE), Some(("Mercutio", &bare(MERCUTIO))), &message);
        world.settle();
        let mut messages = world.messages(romeo, SQUARE).into_iter();
        let hers = messages.find(|one| one.archive_id.as_ref() == Some(&archive)).unwrap();
        assert_eq!(text_of(&hers.content).as_deref(), Some("hers"), "{change}");
    }
    world.run(juliet, Command::Correct(id, "hers, better".into()));
    world.run(mercutio, Command::React(said(&world, mercutio, SQUARE)[0].id, vec!["🐢".into()]));
    for device in [romeo, juliet, mercutio] {
        let hers = said(&world, device, SQUARE).remove(0);
        assert_eq!(text_of(&hers.content).as_deref(), Some("hers, better"));
        assert_eq!(hers.reactions.len(), 1);
    }
    // The owner may, through the room. The star that somebody gave it goes as well.
    let target = said(&world, romeo, SQUARE)[0].id;
    let theirs = said(&world, mercutio, SQUARE)[0].id;
    assert_eq!(world.run(mercutio, Command::Star(theirs, true)), Some(Outcome::Done));
    world.devices[mercutio].changes.clear();
    assert_eq!(world.run(romeo, Command::Moderate(target, None)), Some(Outcome::Done));
    assert!(world.devices[mercutio].changes.contains(&Change::Stars));
    assert_eq!(world.run(mercutio, Command::Starred(None)), Some(Outcome::Found(Vec::new())));
    for device in [romeo, juliet, mercutio] {
        assert_eq!(said(&world, device, SQUARE)[0].content, Content::Retracted);
    }
}

#[test]
fn replies_name_the_message_as_the_room_does() {
    let (mut world, [romeo, juliet, _]) = square();
    world.send(juliet, SQUARE, "wherefore art thou?");
    world.settle();
    let original = world.last(romeo, SQUARE).id;
    let (to, reply_to) = (bare(SQUARE), Some(original));
    world.run(romeo, Command::Send { to, text: "here".into(), reply_to, encryption: None });
    let received = world.last(juliet, SQUARE);
    assert_eq!(text_of(&received.content).as_deref(), Some("here"));
    let reply = received.reply.unwrap();
    assert_eq!(reply.message, Some(said(&world, juliet, SQUARE)[0].id));
    assert_eq!(Some(reply.id), said(&world, juliet, SQUARE)[0].archive_id);
    let sent = &world.devices[romeo].sent;
    assert!(sent.contains(&format!("to='{SQUARE}/Juliet'")));
    // It is meant for her.
    assert_eq!(conversation(&world, juliet, SQUARE).mentions, 1);
}

#[test]
fn a_taken_nickname_is_changed_a_little() {
    let (mut world, _) = square();
    world.server.add_account("tybalt@example.net", "sword");
    let tybalt = world.online("tybalt@example.net", &[]);
    world.run(tybalt, join(SQUARE, "Romeo"));
    assert_eq!(room(&world, tybalt, SQUARE).nick.as_deref(), Some("Romeo_"));
}

#[test]
fn a_nickname_is_changed_or_it_is_said_why_not() {
    let (mut world, [romeo, ..]) = square();
    let rename = |nick: &str| Command::SetRoomNick(bare(SQUARE), nick.into());
    assert_eq!(world.run(romeo, rename("Montague")), Some(Outcome::Done));
    assert_eq!(room(&world, romeo, SQUARE).nick.as_deref(), Some("Montague"));
    let taken = Problem::Refused("somebody else has this nickname".into());
    assert_eq!(world.run(romeo, rename("Juliet")), Some(Outcome::Failed(taken)));
    assert_eq!(room(&world, romeo, SQUARE).nick.as_deref(), Some("Montague"));
}

#[test]
fn which_messages_notify_is_chosen_for_each_room() {
    let (mut world, [romeo, juliet, _]) = square();
    let mut told = |notify| {
        world.run(romeo, Command::Notify(bare(SQUARE), notify));
        world.devices[romeo].notifications.clear();
        world.send(juliet, SQUARE, "good morrow");
        world.send(juliet, SQUARE, "good morrow, Romeo");
        world.settle();
        world.devices[romeo].notifications.len()
    };
    assert_eq!([Notify::All, Notify::Mentions, Notify::Usual].map(&mut told), [2, 1, 1]);
    let (mut world, romeo, juliet, group) = group();
    world.run(romeo, Command::Notify(bare(&group), Notify::Mentions));
    world.devices[romeo].notifications.clear();
    world.send(juliet, &group, "good morrow");
    world.settle();
    assert!(world.devices[romeo].notifications.is_empty());
}

#[test]
fn where_the_own_time_in_a_room_begins_is_told() {
    let (mut world, [romeo, juliet, _]) = square();
    world.send(romeo, SQUARE, "before");
    world.settle();
    world.server.add_account("tybalt@example.net", "sword");
    let tybalt = world.online("tybalt@example.net", &[]);
    world.run(tybalt, join(SQUARE, "Tybalt"));
    world.send(juliet, SQUARE, "after");
    world.settle();
    let since = room(&world, tybalt, SQUARE).since.expect("a place");
    let said = world.devices[tybalt].store.before(&bare(SQUARE), None, 10).unwrap();
    let is_new: Vec<_> =
        said.iter().map(|one| (text_of(&one.content), one.position >= since)).collect();
    assert_eq!(is_new, [(Some("before".into()), false), (Some("after".into()), true)]);
}

#[test]
fn somebody_who_was_only_looked_at_may_turn_out_to_be_a_room() {
    let (mut world, _) = square();
    world.server.add_account("tybalt@example.net", "sword");
    let tybalt = world.online("tybalt@example.net", &[]);
    world.run(tybalt, Command::Open(bare(SQUARE)));
    assert_eq!(world.run(tybalt, join(SQUARE, "Tybalt")), Some(Outcome::Room(bare(SQUARE))));
    let row = conversation(&world, tybalt, SQUARE);
    assert_eq!((row.kind, row.encryption), (Kind::Room, EncryptionMode::Plain));
}

#[test]
fn a_room_that_refuses_says_why() {
    let (mut world, romeo, _, group) = group();
    world.server.add_account(MERCUTIO, "rapier");
    let mercutio = world.online(MERCUTIO, &[]);
    for (address, words) in [(group.as_str(), "members"), ("nowhere@rooms.example.net", "no such")]
    {
        let outcome = world.run(mercutio, join(address, "M"));
        let Some(Outcome::Failed(Problem::Refused(reason))) = outcome else {
            panic!("{outcome:?}")
        };
        assert!(reason.contains(words), "{reason}");
    }
    assert!(!world.server.rooms.contains_key(&bare("nowhere@rooms.example.net")));
    let outcome =
        world.run(romeo, Command::SetSubject(bare("nowhere@rooms.example.net"), "x".into()));
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::Invalid(_)))));
}

#[test]
fn who_is_put_out_learns_it_and_stays_out() {
    let (mut world, [romeo, juliet, _]) = square();
    let (nick, reason) = ("Juliet".into(), None);
    let kick = Command::SetRole { room: bare(SQUARE), nick, role: Role::None, reason };
    assert_eq!(world.run(romeo, kick), Some(Outcome::Done));
    world.pass(700_000);
    let state = room(&world, juliet, SQUARE).state;
    assert_eq!(state, RoomState::Refused("you were removed from the room".into()));
    // What she writes now goes nowhere, and says so.
    world.send(juliet, SQUARE, "unheard");
    world.settle();
    let last = world.last(juliet, SQUARE);
    assert!(matches!(last.delivery, Some(Delivery::Failed(_))), "{:?}", last.delivery);
    assert!(
        !room(&world, romeo, SQUARE)
            .members
            .iter()
            .any(|one| one.nick.as_deref() == Some("Juliet"))
    );
}

#[test]
fn a_room_that_lost_us_is_entered_again() {
    let (mut world, [romeo, juliet, _]) = square();
    world.server.rooms.get_mut(&bare(SQUARE)).unwrap().occupants.remove("Romeo");
    world.send(juliet, SQUARE, "unheard");
    world.settle();
    assert!(world.texts(romeo, SQUARE).is_empty());
    world.pass(12 * 60_000);
    assert!(world.server.rooms[&bare(SQUARE)].occupants.contains_key("Romeo"));
    assert_eq!(world.texts(romeo, SQUARE), ["unheard"]);
}

#[test]
fn all_devices_enter_and_leave_by_the_list() {
    let (mut world, [romeo, ..]) = square();
    let other = world.online(ROMEO, &[]);
    world.settle();
    // The nickname is the other device's.
    assert_eq!(room(&world, other, SQUARE).state, RoomState::In);
    assert_eq!(world.run(romeo, Command::LeaveRoom(bare(SQUARE))), Some(Outcome::Done));
    for device in [romeo, other] {
        assert_eq!(room(&world, device, SQUARE).state, RoomState::Out);
    }
    world.crash(other);
    world.settle();
    assert_eq!(room(&world, other, SQUARE).state, RoomState::Out);
}

#[test]
fn a_list_of_members_is_read_to_its_end() {
    let (mut world, romeo, _, group) = group();
    let listed = &mut world.server.rooms.get_mut(&bare(&group)).unwrap().affiliations;
    let added: Vec<BareJid> =
        (0..5).map(|number| bare(&format!("member{number}@capulet.example"))).collect();
    listed.extend(added.iter().map(|one| (one.clone(), Affiliation::Member)));
    world.crash(romeo);
    world.settle();
    let members = room(&world, romeo, &group).members;
    for one in &added {
        let times = members.iter().filter(|member| member.address.as_ref() == Some(one)).count();
        assert_eq!(times, 1, "{one} in {members:?}");
    }
}

#[test]
fn nothing_of_a_room_is_believed_from_anybody_else() {
    let (mut world, romeo, _, group) = group();
    world.send(romeo, &group, "one");
    world.settle();
    let before = format!("{:?}", world.messages(romeo, &group));
    let members = room(&world, romeo, &group).members;
    let forged = [
        // Somebody who is no room, with a message and an archive of it.
        format!(
            "<message xmlns='jabber:client' type='groupchat' from='{MERCUTIO}/x'><body>x</body></message>"
        ),
        format!(
            "<message xmlns='jabber:client' from='{MERCUTIO}'><result xmlns='urn:xmpp:mam:2' \
             queryid='q' id='1'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' \
             type='groupchat' from='{group}/Juliet'><body>x</body></message></forwarded></result></message>"
        ),
        // The room, with results that nobody asked for.
        format!(
            "<message xmlns='jabber:client' from='{group}'><result xmlns='urn:xmpp:mam:2' \
             queryid='q' id='1'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' \
             type='groupchat' from='{group}/Juliet'><body>x</body></message></forwarded></result></message>"
        ),
        // An occupant who whispers.
        format!(
            "<message xmlns='jabber:client' type='chat' from='{group}/Juliet' id='w'><body>x</body></message>"
        ),
        format!(
            "<presence xmlns='jabber:client' from='{MERCUTIO}/x'><x xmlns='{}'><item \
             affiliation='owner' jid='{MERCUTIO}'/></x></presence>",
            ns::MUC_USER
        ),
    ];
    for forged in forged {
        for session in world.server.sessions_of(&bare(ROMEO)) {
            world.server.deliver(&session, &parse(&forged));
        }
        world.settle();
        assert_eq!(format!("{:?}", world.messages(romeo, &group)), before, "{forged}");
    }
    assert_eq!(room(&world, romeo, &group).members, members);
    let known: Vec<BareJid> = {
        let conversations = world.devices[romeo].store.conversations().unwrap();
        conversations.into_iter().map(|one| one.address).collect()
    };
    assert!(!known.contains(&bare(MERCUTIO)), "{known:?}");
}

#[test]
fn a_new_member_reads_from_then_on_and_one_who_left_does_not() {
    let (mut world, romeo, juliet, group) = group();
    world.server.add_account(MERCUTIO, "rapier");
    let mercutio = world.online(MERCUTIO, &[]);
    let person = bare(MERCUTIO);
    let invite = Command::InviteToRoom { room: bare(&group), person, reason: None };
    assert_eq!(world.run(romeo, invite), Some(Outcome::Done));
    world.run(mercutio, join(&group, "Mercutio"));
    world.send(juliet, &group, "welcome");
    world.settle();
    assert_eq!(world.texts(mercutio, &group), ["welcome"]);
    let (person, affiliation) = (bare(MERCUTIO), Affiliation::None);
    let room = bare(&group);
    world.run(
        romeo,
        Command::SetAffiliation { room: room.clone(), person, affiliation, reason: None },
    );
    world.server.put_out(&room, "Mercutio", &[321]);
    world.settle();
    world.send(juliet, &group, "without him");
    world.settle();
    let last = world.server.rooms[&room].archive.last().unwrap().2.clone();
    let encrypted = last.child("encrypted", ns::OMEMO).unwrap();
    let keys = encrypted.child("header", ns::OMEMO).unwrap();
    let owners: Vec<_> = keys.children().filter_map(|keys| keys.attr("jid")).collect();
    assert!(!owners.contains(&MERCUTIO), "{owners:?}");
    assert_eq!(world.last(romeo, &group).archive_id, world.last(juliet, &group).archive_id);
}

#[test]
fn older_messages_of_a_room_come_from_its_archive() {
    let (mut world, [romeo, juliet, _]) = square();
    for number in 0..40 {
        world.send(juliet, SQUARE, &format!("message {number}"));
        world.settle();
    }
    let late = world.online(ROMEO, &[]);
    assert!(world.texts(late, SQUARE).len() < 40);
    world.run(late, Command::Open(bare(SQUARE)));
    for _ in 0..10 {
        world.run(late, Command::Older(bare(SQUARE)));
    }
    assert_eq!(world.texts(late, SQUARE), world.texts(romeo, SQUARE));
}
