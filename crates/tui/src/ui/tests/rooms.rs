//! Rooms: how they look, and what is done in them.

use client::Command;
use client::store::{Content, Message, MessageId};
use client::store::{Encryption, EncryptionMode, Event as Happened, Mute, Notify, Reply};
use client::view::{Affiliation, Bookmark, Change, JoinRequest, Outcome, Role, Room, RoomState};

use super::screens::at_all_sizes;
use super::world::{ACCOUNT, JULIET, World};
use crate::ui::app::Key;
use crate::ui::event::{Action, Event, FromCore};
use crate::ui::overlay::Overlay;
use crate::ui::sample::{self, SQUARE, address, own, said};

/// In the square, among friends and a Capulet.
pub(super) fn square(columns: u16, rows: u16) -> World {
    let mut world = World::verona(columns, rows);
    world.change(Change::Room(Box::new(sample::room())));
    world.change(Change::Conversation(Box::new(sample::square(28))));
    world.open(SQUARE);
    window(&mut world, messages());
    world.asked();
    world
}

pub(super) fn window(world: &mut World, messages: Vec<Message>) {
    world.change(Change::Window {
        conversation: address(SQUARE),
        messages,
        older: false,
        newer: false,
        first_unread: None,
    });
}

fn messages() -> Vec<Message> {
    let with = address(SQUARE);
    let mercutio = |id, at, words| said(id, at, "Mercutio", "mercutio@verona.example", words);
    let mut answer = own(5, 21, &with, "Courage, man; the hurt cannot be much.");
    answer.reply =
        Some(Reply { id: "x".to_owned(), author: None, message: Some(MessageId(4)), quote: None });
    vec![
        said(
            1,
            10,
            "Benvolio",
            "benvolio@montague.example",
            "The day is hot, the Capulets abroad.",
        ),
        mercutio(2, 12, "By my heel, I care not."),
        said(3, 13, "Tybalt", "tybalt@capulet.example", "Romeo, thou art a villain."),
        mercutio(4, 20, "I am hurt. A plague o' both your houses!"),
        answer,
        mercutio(6, 22, "/me falls"),
        mercutio(7, 28, "Help me into some house, @Romeo, or I shall faint."),
    ]
}

/// A channel that everybody may enter and that hides addresses.
fn market(columns: u16, rows: u16, mode: EncryptionMode) -> World {
    let mut world = World::verona(columns, rows);
    let mut room = public(sample::room());
    room.subject = None;
    world.change(Change::Room(Box::new(room)));
    let mut conversation = sample::square(28);
    conversation.encryption = mode;
    world.change(Change::Conversation(Box::new(conversation)));
    world.open(SQUARE);
    let of_room = |message: Message| Message {
        sender: address(SQUARE),
        encryption: Encryption::None,
        ..message
    };
    let messages = messages().into_iter().filter(|message| !message.own).map(of_room);
    window(&mut world, messages.collect());
    world.asked();
    world
}

fn public(mut room: Room) -> Room {
    (room.private, room.open, room.anonymous) = (false, true, true);
    (room.affiliation, room.role) = (Affiliation::None, Role::Participant);
    room.members.retain(|member| member.nick.is_some());
    for member in &mut room.members {
        (member.address, member.affiliation) = (None, Affiliation::None);
    }
    room
}

/// The room in another state.
fn state(world: &mut World, state: RoomState) {
    let mut room = sample::room();
    room.invited_by = (state == RoomState::Invited).then(|| address(JULIET));
    if state != RoomState::In {
        room.members.clear();
        room.nick = None;
    }
    room.state = state;
    world.change(Change::Room(Box::new(room)));
}

pub(super) fn command(world: &mut World, line: &str) -> Vec<Command> {
    world.asked();
    world.app.overlay = None;
    let mut actions = Vec::new();
    world.app.run(line, &mut actions);
    world.actions.extend(actions);
    world.asked()
}

pub(super) fn notice(world: &World) -> &str {
    world.app.notice.as_ref().map_or("", |(notice, _)| notice.text.as_str())
}

fn written(world: &World) -> &str {
    world.app.chat().unwrap().editor.text()
}

#[test]
fn a_private_group_and_a_public_channel() {
    at_all_sizes("room", square);
    at_all_sizes("channel", |columns, rows| market(columns, rows, EncryptionMode::Plain));
}

#[test]
fn a_channel_where_encryption_is_wanted_and_impossible() {
    at_all_sizes("impossible", |columns, rows| market(columns, rows, EncryptionMode::Omemo));
}

#[test]
fn who_is_in_a_room() {
    at_all_sizes("members", |columns, rows| {
        let mut world = square(columns, rows);
        world.write("/members");
        world.press("Enter Down");
        world
    });
}

#[test]
fn rooms_in_the_list_with_unread_messages_and_mentions() {
    at_all_sizes("rooms", |columns, rows| {
        let mut world = World::verona(columns, rows);
        world.change(Change::Room(Box::new(sample::room())));
        let mut square = sample::square(28);
        (square.unread, square.mentions) = (12, 2);
        world.change(Change::Conversation(Box::new(square)));
        let mut market = sample::square(27);
        market.address = address("market@conference.verona.example");
        "The market".clone_into(&mut market.name);
        market.unread = 140;
        let mut room = public(sample::room());
        room.address = market.address.clone();
        world.change(Change::Room(Box::new(room)));
        world.change(Change::Conversation(Box::new(market)));
        world
    });
}

#[test]
fn an_invitation_is_shown_and_answered() {
    let invited = |columns, rows| {
        let mut world = World::verona(columns, rows);
        state(&mut world, RoomState::Invited);
        let mut conversation = sample::square(28);
        conversation.request = true;
        world.change(Change::Conversation(Box::new(conversation)));
        world.open(SQUARE);
        let by = address(JULIET);
        let reason = Some("It is a feast".to_owned());
        let content = Content::Event(Happened::Invited { by, reason });
        window(&mut world, vec![Message { content, ..sample::text(1, 28, &address(SQUARE), "") }]);
        world
    };
    at_all_sizes("asked", invited);
    let mut world = invited(80, 24);
    let asked = command(&mut world, "/accept");
    assert!(
        matches!(&asked[..], [Command::JoinRoom { room, nick: None, .. }] if room.as_str() == SQUARE),
        "{asked:?}"
    );
    let asked = command(&mut world, "/refuse");
    assert!(matches!(&asked[..], [Command::LeaveRoom(_), Command::Hide(_)]), "{asked:?}");
}

#[test]
fn a_room_that_one_is_not_in_says_why_and_what_to_do() {
    let mut world = square(80, 24);
    state(&mut world, RoomState::Refused("you were removed from the room".to_owned()));
    let screen = world.screen();
    assert!(screen.contains("you were removed from the room · /join again"), "{screen}");
    state(&mut world, RoomState::Out);
    assert!(world.screen().contains("/join enters it"));
    let asked = command(&mut world, "/join");
    assert!(matches!(&asked[..], [Command::JoinRoom { nick: None, .. }]), "{asked:?}");
}

#[test]
fn tab_completes_nicknames() {
    let mut world = square(80, 24);
    world.write("mer");
    world.press("Tab");
    assert_eq!(written(&world), "Mercutio: ");
    world.write("look, @tyb");
    world.press("Tab");
    assert_eq!(written(&world), "Mercutio: look, @Tybalt ");
    world.write("b");
    world.press("Tab Tab");
    assert_eq!(written(&world), "Mercutio: look, @Tybalt Ben");
    assert_eq!(notice(&world), "Ben  Benvolio");
}

#[test]
fn commands_complete_people_of_the_room_and_names_with_spaces() {
    let mut world = square(80, 24);
    let mut room = sample::room();
    room.members[2].nick = Some("Queen Mab".to_owned());
    world.change(Change::Room(Box::new(room)));
    for (typed, completed) in [
        ("/kick ty", "/kick Tybalt "),
        ("/kick que", "/kick \"Queen Mab\" "),
        ("/kick \"Queen m", "/kick \"Queen Mab\" "),
        ("/role \"Queen Mab\" ad", "/role \"Queen Mab\" admin "),
        ("/create \"Our house\" ben", "/create \"Our house\" benvolio@montague.example "),
        (
            "/create x nurse@capulet.example jul",
            "/create x nurse@capulet.example juliet@capulet.example ",
        ),
        ("/join squ", "/join square@conference.verona.example "),
    ] {
        world.press("Ctrl-C");
        world.write(typed);
        world.press("Tab");
        assert_eq!(written(&world), completed);
    }
}

#[test]
fn rooms_are_made_entered_and_left() {
    let mut world = square(80, 24);
    let asked = command(&mut world, "/create \"Our house\" mercutio juliet@capulet.example");
    let [Command::CreateRoom { name: Some(name), public: false, people, room: None }] = &asked[..]
    else {
        panic!("{asked:?}")
    };
    let people: Vec<&str> = people.iter().map(|person| person.as_str()).collect();
    assert_eq!((name.as_str(), people), ("Our house", vec!["mercutio@verona.example", JULIET]));
    let asked = command(&mut world, "/channel Verona verona@conference.montague.example");
    assert!(matches!(&asked[..], [Command::CreateRoom { public: true, room: Some(_), .. }]));
    let asked = command(&mut world, "/join xmpp:a@b.example?join;password=x Romeo");
    assert!(
        matches!(&asked[..], [Command::JoinRoom { nick: Some(nick), password: Some(_), .. }] if nick == "Romeo"),
        "{asked:?}"
    );
    assert_eq!(command(&mut world, "/join juliet").len(), 0);
    assert!(notice(&world).contains("conference.example.org"));
    let asked = command(&mut world, "/leave");
    assert!(matches!(&asked[..], [Command::LeaveRoom(_), Command::Hide(_)]), "{asked:?}");
    assert_eq!(world.app.open, None);
}

#[test]
fn the_room_that_was_asked_for_is_opened_once_it_is_entered() {
    let mut world = World::verona(80, 24);
    world.app.run("/join square@conference.verona.example", &mut world.actions);
    let number = world.actions.iter().find_map(|action| match action {
        Action::Request(_, request) => Some(request.number),
        _ => None,
    });
    assert_eq!(world.app.open, None);
    let entered = FromCore::Done(number.unwrap(), Outcome::Room(address(SQUARE)));
    world.event(Event::Core(ACCOUNT, entered));
    assert_eq!(world.app.open, Some(Key { account: ACCOUNT, with: address(SQUARE) }));
}

#[test]
fn roles_are_given_and_people_are_put_out() {
    let mut world = square(80, 24);
    let asked = command(&mut world, "/role mercutio admin");
    assert!(
        matches!(&asked[..], [Command::SetAffiliation { person, affiliation: Affiliation::Admin, .. }] if person.as_str() == "mercutio@verona.example"),
        "{asked:?}"
    );
    let asked = command(&mut world, "/role Tybalt visitor");
    assert!(
        matches!(&asked[..], [Command::SetRole { nick, role: Role::Visitor, .. }] if nick == "Tybalt"),
        "{asked:?}"
    );
    let asked = command(&mut world, "/kick Tybalt He draws");
    assert!(
        matches!(&asked[..], [Command::SetRole { role: Role::None, reason: Some(reason), .. }] if reason == "He draws"),
        "{asked:?}"
    );
    assert_eq!(command(&mut world, "/kick laurence@cell.example").len(), 0);
    assert!(notice(&world).contains("is not there now"));
    assert_eq!(command(&mut world, "/ban Tybalt").len(), 0);
    world.press("y");
    let asked = world.asked();
    assert!(
        matches!(&asked[..], [Command::SetAffiliation { affiliation: Affiliation::Outcast, .. }]),
        "{asked:?}"
    );
    // Where addresses are hidden nobody can be banned by a nickname.
    let mut world = market(80, 24, EncryptionMode::Plain);
    assert_eq!(command(&mut world, "/ban Tybalt").len(), 0);
    assert!(notice(&world).contains("hides the address"));
}

#[test]
fn moderators_take_back_what_others_wrote() {
    let mut world = square(80, 24);
    world.app.select(MessageId(3));
    world.press("x y");
    let asked = world.asked();
    assert!(matches!(asked.last(), Some(Command::Moderate(MessageId(3), None))), "{asked:?}");
    let mut world = market(80, 24, EncryptionMode::Plain);
    world.app.select(MessageId(3));
    world.press("x");
    assert!(world.app.overlay.is_none());
    assert!(notice(&world).contains("moderators"));
}

#[test]
fn what_notifies_is_chosen_and_counted() {
    let mut world = square(80, 24);
    let asked = command(&mut world, "/notify mentions");
    assert!(
        matches!(&asked[..], [Command::Mute(_, Mute::No), Command::Notify(_, Notify::Mentions)]),
        "{asked:?}"
    );
    let asked = command(&mut world, "/notify none");
    assert!(matches!(&asked[..], [Command::Mute(_, Mute::Forever), _]), "{asked:?}");
    let mut square = sample::square(28);
    (square.unread, square.mentions) = (5, 1);
    let calls = |notify, mute| {
        let one = client::view::Conversation { notify, mute, ..square.clone() };
        world.app.mirror(ACCOUNT).unwrap().calls(&one)
    };
    assert_eq!(calls(Notify::Usual, Mute::No), 5);
    assert_eq!(calls(Notify::Mentions, Mute::No), 1);
    assert_eq!(calls(Notify::All, Mute::Forever), 0);
}

#[test]
fn a_public_room_cannot_be_encrypted_and_says_why() {
    let mut world = market(80, 24, EncryptionMode::Plain);
    assert_eq!(command(&mut world, "/encrypt on").len(), 0);
    assert!(notice(&world).contains("everybody may enter"), "{}", notice(&world));
}

#[test]
fn who_comes_and_goes_is_told_in_passing() {
    let mut world = square(80, 24);
    let mut room = sample::room();
    room.members.retain(|member| member.nick.as_deref() != Some("Tybalt"));
    world.change(Change::Room(Box::new(room)));
    assert!(world.screen().contains("─ Tybalt left ─"), "{}", world.screen());
    world.event(Event::Time(sample::at(sample::NOW).plus(20_000)));
    assert!(!world.screen().contains("Tybalt left"));
}

#[test]
fn the_jump_knows_rooms_of_the_list_and_addresses_of_others() {
    let mut world = World::verona(80, 24);
    world.change(Change::Bookmarks(vec![Bookmark {
        room: address(SQUARE),
        name: Some("The square".to_owned()),
        autojoin: false,
        nick: None,
        password: false,
    }]));
    world.press("Ctrl-K");
    world.write("square");
    world.press("Enter");
    let asked = world.asked();
    assert!(
        matches!(&asked[..], [Command::JoinRoom { room, .. }] if room.as_str() == SQUARE),
        "{asked:?}"
    );
    // A new address is a person, or a room; a link says which.
    world.press("Ctrl-K");
    world.write("new@rooms.example");
    assert!(world.screen().contains("somebody new") && world.screen().contains("enter this room"));
    world.press("Down Enter");
    assert!(matches!(&world.asked()[..], [Command::JoinRoom { .. }]));
    world.press("Ctrl-K");
    world.event(Event::Paste("xmpp:new@rooms.example?join".to_owned()));
    assert!(!world.screen().contains("somebody new"));
    world.press("Enter");
    assert!(matches!(&world.asked()[..], [Command::JoinRoom { .. }]));
}

#[test]
fn the_page_of_a_room_begins_commands() {
    let mut world = square(80, 24);
    let key = Key { account: ACCOUNT, with: address(SQUARE) };
    world.app.overlay = Some(Overlay::room(key.clone()));
    world.press("Down x");
    assert_eq!(written(&world), "/kick \"Benvolio\" ");
    world.app.overlay = Some(Overlay::room(key.clone()));
    world.press("i");
    assert_eq!(written(&world), "/invite ");
    world.press("Ctrl-C");
    // What somebody is writing is not lost.
    world.write("half a thought");
    world.app.overlay = Some(Overlay::room(key));
    world.press("i");
    assert_eq!(written(&world), "half a thought");
}

#[test]
fn making_a_room_inviting_and_giving_a_role_are_completed_where_one_writes() {
    at_all_sizes("creating", |columns, rows| {
        let mut world = square(columns, rows);
        world.write("/create \"Our house\" ju");
        world.press("Tab");
        world.write("m");
        world.press("Tab Tab");
        world
    });
    at_all_sizes("role", |columns, rows| {
        let mut world = square(columns, rows);
        world.write("/role Ben m");
        world.press("Tab Tab");
        world
    });
}

#[test]
fn entering_a_room_by_a_link_and_waiting_to_be_in() {
    at_all_sizes("link", |columns, rows| {
        let mut world = World::verona(columns, rows);
        world.press("Ctrl-K");
        world.event(Event::Paste("xmpp:feast@rooms.capulet.example?join".to_owned()));
        world
    });
    at_all_sizes("entering", |columns, rows| {
        let mut world = square(columns, rows);
        state(&mut world, RoomState::Entering);
        window(&mut world, Vec::new());
        world
    });
}

#[test]
fn a_room_that_was_left_and_one_that_puts_out() {
    at_all_sizes("left", |columns, rows| {
        let mut world = square(columns, rows);
        state(&mut world, RoomState::Out);
        world
    });
    at_all_sizes("refused", |columns, rows| {
        let mut world = square(columns, rows);
        let reason = "Tybalt removed you from the room: enough for today".to_owned();
        state(&mut world, RoomState::Refused(reason));
        world
    });
    at_all_sizes("destroy", |columns, rows| {
        let mut world = square(columns, rows);
        world.write("/destroy");
        world.press("Enter");
        world
    });
}

#[test]
fn what_is_written_in_a_room_that_cannot_be_reached_waits_and_that_is_said() {
    let mut world = square(80, 24);
    state(&mut world, RoomState::Out);
    assert!(world.screen().contains("you are not in this room"), "{}", world.screen());
    let (room, name, nick) = (address(SQUARE), None, None);
    let kept = Bookmark { room, name, autojoin: true, nick, password: false };
    world.change(Change::Bookmarks(vec![kept]));
    assert!(world.screen().contains("what you write waits"), "{}", world.screen());
}

#[test]
fn the_keys_of_somebody_in_a_room() {
    at_all_sizes("keysof", |columns, rows| {
        let mut world = square(columns, rows);
        world.write("/devices Benvolio");
        world.press("Enter");
        let benvolio = address("benvolio@montague.example");
        world.change(Change::Devices(benvolio, super::world::devices()));
        world
    });
}

#[test]
fn who_writes_in_a_room_is_named() {
    let mut world = square(140, 40);
    let mut write = |names: &[&str]| {
        let mut square = sample::square(28);
        square.typing = names.iter().map(|name| (*name).to_owned()).collect();
        world.change(Change::Conversation(Box::new(square)));
        world.screen()
    };
    assert!(write(&["Tybalt"]).contains("Tybalt is writing…"));
    assert!(write(&["Tybalt", "Ben"]).contains("Tybalt and Ben are writing…"));
    let many = write(&["Ty\u{202e}balt", "Ben", "Juliet"]);
    assert!(many.contains("and 2 others are writing…") && !many.contains('\u{202e}'));
    assert!(!write(&[]).contains("Tybalt is writing…"));
}

#[test]
fn a_link_to_a_group_is_shown_and_withdrawn_where_the_room_gives_any() {
    let mut world = square(80, 24);
    assert!(command(&mut world, "/link").is_empty());
    assert!(notice(&world).contains("no links"), "{}", notice(&world));
    world.change(Change::Room(Box::new(Room { links: true, ..sample::room() })));
    let asked = command(&mut world, "/link");
    let [Command::RoomLink { room, seconds: Some(604_800) }] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!(*room, address(SQUARE));
    let asked = command(&mut world, "/link withdraw");
    assert!(matches!(&asked[..], [Command::RevokeRoomLinks(_)]), "{asked:?}");
    world.change(Change::Room(Box::new(Room { open: true, ..sample::room() })));
    assert!(command(&mut world, "/link").is_empty());
    assert!(notice(&world).contains("everybody may enter"), "{}", notice(&world));
}

#[test]
fn who_asks_to_be_let_in_is_shown_and_answered() {
    let mut world = square(100, 30);
    let request = |nick: &str, words: &str| JoinRequest {
        nick: nick.to_owned(),
        address: Some(address("tybalt@capulet.example")),
        words: Some(words.to_owned()),
    };
    let requests = vec![request("Tybalt", "I hate the word")];
    world.change(Change::Room(Box::new(Room { requests, ..sample::room() })));
    assert!(notice(&world).contains("Tybalt asks to be let in"), "{}", notice(&world));
    world.app.overlay = Some(Overlay::room(Key { account: ACCOUNT, with: address(SQUARE) }));
    let screen = world.screen();
    assert!(screen.contains("“Tybalt” (tybalt@capulet.example) asks to be let in"), "{screen}");
    world.press("Esc");
    assert!(command(&mut world, "/admit Paris").is_empty());
    let lines = ["/admit tybalt", "/admit tybalt@capulet.example", "/turn-away Tybalt"];
    for (line, allowed) in lines.into_iter().zip([true, true, false]) {
        let asked = command(&mut world, line);
        let [Command::AnswerJoinRequest { nick, person, allow, .. }] = &asked[..] else {
            panic!("{asked:?}")
        };
        assert_eq!((nick.as_str(), *allow), ("Tybalt", allowed));
        assert_eq!(person.as_ref(), Some(&address("tybalt@capulet.example")));
    }
    let asked = command(&mut world, "/knock withdraw");
    assert!(matches!(asked[..], [Command::WithdrawJoinRequest(_)]), "{asked:?}");
    let asked = command(&mut world, "/knock a@b.example \"Romeo M\" It is me");
    let [Command::AskToJoin { nick: Some(nick), words: Some(words), .. }] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!((nick.as_str(), words.as_str()), ("Romeo M", "It is me"));
}
