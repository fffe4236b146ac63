//! Hostile text wherever somebody else can put some: nothing of it reaches the terminal raw.

use client::store::{Content, Delivery, Event as Happened, File, MessageId, Reaction, Reply};
use client::view::{Change, Connection, Notification, Occasion, Preview};
use ratatui::buffer::Buffer;

use super::world::{ACCOUNT, JULIET, World, connection, devices};
use crate::ui::event::{Action, Event, FromCore, Notice};
use crate::ui::printable::{FIRST_STRONG_ISOLATE, POP_ISOLATE, is_forbidden};
use crate::ui::sample::{self, address, text};

/// Strings that do something to some terminal.
fn corpus() -> Vec<String> {
    let mut corpus: Vec<String> = [
        "\x1b[2J\x1b[H",
        "\x1b]0;title\x07",
        "\x1b]52;c;ZXZpbA==\x1b\\",
        "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
        "\x1b]777;notify;a;b\x07",
        "\x1bP1$r0m\x1b\\",
        "\x1b[?1049h\x1b[6n",
        "\u{9b}31m\u{9d}0;x\u{9c}",
        "\x07\x08\x0b\x0c\x0e\x0f\x7f",
        "\u{202e}gpj.exe",
        "\u{2066}a\u{2067}b\u{2068}c",
        "\u{200b}\u{200e}\u{200f}\u{feff}\u{ad}",
        "a\r\nb\u{2028}c\u{2029}d\u{85}e",
        "שלום \u{202d}עולם",
        "Z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}",
        "👩‍👩‍👧‍👦\u{fe0f}\u{20e3}",
        "\u{e0001}\u{e0041}",
        "\u{1160}\u{3164}\u{ffa0}",
    ]
    .map(str::to_owned)
    .to_vec();
    // Every control character between letters, and every character that changes direction.
    corpus.extend((0..0xa0u32).filter_map(char::from_u32).map(|c| format!("a{c}b")));
    corpus.extend((0x2000..0x2070u32).filter_map(char::from_u32).map(|c| format!("a{c}b{c}")));
    corpus
}

/// What is on the screen is harmless: no control characters, isolates closed on every row.
fn harmless(buffer: &Buffer, hostile: &str) {
    for y in 0..buffer.area.height {
        let mut open = 0;
        for x in 0..buffer.area.width {
            for character in buffer[(x, y)].symbol().chars() {
                match character {
                    FIRST_STRONG_ISOLATE => open += 1,
                    POP_ISOLATE => open -= 1,
                    other => assert!(!is_forbidden(other), "{other:?} of {hostile:?} at {x}, {y}"),
                }
                assert!((0..=1).contains(&open), "isolates of {hostile:?} on row {y}");
            }
        }
        assert_eq!(open, 0, "isolates of {hostile:?} on row {y}");
    }
}

fn infected(hostile: &str, columns: u16) -> World {
    let mut world = World::balcony(columns, 30);
    let juliet = address(JULIET);
    let mut contact = sample::contact(JULIET, hostile, client::view::Presence::Available);
    contact.status = Some(hostile.to_owned());
    world.change(Change::Contact(Box::new(contact)));
    let mut conversation = sample::conversation("mercutio@verona.example", hostile, 40, hostile);
    conversation.draft = hostile.to_owned();
    world.change(Change::Conversation(Box::new(conversation)));
    let mut conversation = sample::conversation(JULIET, hostile, 41, hostile);
    conversation.preview = Some(Preview {
        own: true,
        author: Some(hostile.to_owned()),
        text: hostile.to_owned(),
        said: true,
        time: sample::at(sample::NOW),
        delivery: Some(Delivery::Sent),
    });
    world.change(Change::Conversation(Box::new(conversation)));
    let words = text(20, 30, &juliet, &format!("{hostile} and `{hostile}`\n> {hostile}"));
    let mut answer = text(21, 31, &juliet, hostile);
    answer.reply = Some(Reply {
        id: hostile.to_owned(),
        author: None,
        message: None,
        quote: Some(hostile.to_owned()),
    });
    answer.reactions = vec![Reaction {
        occupant: None,
        sender: juliet.clone(),
        emoji: vec![hostile.to_owned()],
        time: sample::at(sample::NOW),
        mark: client::store::Mark::default(),
        earlier: Vec::new(),
    }];
    answer.versions = vec![(sample::at(sample::NOW), hostile.to_owned())];
    answer.origin_id = Some(hostile.to_owned());
    let mut file = text(22, 32, &juliet, "");
    file.content = Content::File(
        File {
            name: hostile.to_owned(),
            size: None,
            media_type: Some(hostile.to_owned()),
            url: None,
            key: None,
            local: None,
            preview: None,
        },
        Some(hostile.to_owned()),
    );
    let mut opt_out = text(24, 34, &juliet, "");
    opt_out.content = Content::Event(Happened::OptOut { reason: Some(hostile.to_owned()) });
    let mut failed = sample::own(23, 33, &juliet, &format!("/me {hostile}"));
    failed.delivery = Some(Delivery::Failed(hostile.to_owned()));
    world.change(Change::Messages {
        conversation: juliet.clone(),
        messages: vec![words, answer, file, failed, opt_out],
    });
    let mut all = devices();
    all[0].label = Some(hostile.to_owned());
    all[1].fingerprint = Some(hostile.to_owned());
    world.change(Change::Devices(juliet, all));
    connection(&mut world, Connection::Refused(hostile.to_owned()));
    world
}

#[test]
fn no_hostile_text_reaches_the_terminal() {
    for (index, hostile) in corpus().into_iter().enumerate() {
        let mut world = infected(&hostile, [40, 80][index % 2]);
        harmless(&world.buffer(), &hostile);
        for line in ["/devices", "/contact", "/account", "/qr"] {
            world.app.run(line, &mut Vec::new());
            harmless(&world.buffer(), &hostile);
            world.app.overlay = None;
        }
        for id in [20, 21, 22] {
            world.app.select(MessageId(id));
            world.press("I");
            harmless(&world.buffer(), &hostile);
            world.press("Esc r");
            harmless(&world.buffer(), &hostile);
        }
        world.press("Esc Ctrl-K");
        harmless(&world.buffer(), &hostile);
        world.press("Esc");
        world.event(Event::Notice(Notice::bad(hostile.clone())));
        harmless(&world.buffer(), &hostile);
    }
}

#[test]
fn no_hostile_text_of_a_room_reaches_the_terminal() {
    for (index, hostile) in corpus().into_iter().enumerate() {
        let mut world = World::verona([40, 80][index % 2], 30);
        let mut room = sample::room();
        hostile.clone_into(&mut room.name);
        room.subject = Some(hostile.clone());
        room.members[0].nick = Some(hostile.clone());
        room.members[1].hats = vec![hostile.clone()];
        let mut conversation = sample::square(30);
        hostile.clone_into(&mut conversation.name);
        if let Some(preview) = &mut conversation.preview {
            preview.author = Some(hostile.clone());
        }
        world.change(Change::Room(Box::new(room.clone())));
        world.change(Change::Conversation(Box::new(conversation)));
        harmless(&world.buffer(), &hostile);
        world.open(sample::SQUARE);
        let words = format!("Romeo, {hostile}");
        let said = sample::said(1, 1, &hostile, "ben@verona.example", &words);
        world.change(Change::Window {
            conversation: address(sample::SQUARE),
            messages: vec![said],
            older: false,
            newer: false,
            first_unread: None,
        });
        harmless(&world.buffer(), &hostile);
        world.app.run("/members", &mut Vec::new());
        harmless(&world.buffer(), &hostile);
        world.press("Esc");
        world.write("b");
        world.press("Tab");
        harmless(&world.buffer(), &hostile);
        room.members.remove(0);
        world.change(Change::Room(Box::new(room.clone())));
        harmless(&world.buffer(), &hostile);
        room.state = client::view::RoomState::Refused(hostile.clone());
        world.change(Change::Room(Box::new(room)));
        harmless(&world.buffer(), &hostile);
    }
}

#[test]
fn no_hostile_text_reaches_a_notification_or_the_title() {
    for hostile in corpus() {
        let mut world = World::balcony(80, 24);
        let conversation = address("mercutio@verona.example");
        let occasion = Occasion::Said { title: hostile.clone(), text: hostile.clone() };
        let note = Notification { conversation, occasion, message: None };
        world.event(Event::Core(ACCOUNT, FromCore::Notify(note)));
        let told: Vec<&String> = world
            .actions
            .iter()
            .flat_map(|action| match action {
                Action::Desktop(title, text) => vec![title, text],
                Action::Title(title) => vec![title],
                _ => Vec::new(),
            })
            .collect();
        let isolates = [FIRST_STRONG_ISOLATE, POP_ISOLATE];
        let bad = |text: &&&String| text.chars().any(|c| is_forbidden(c) && !isolates.contains(&c));
        assert!(!told.is_empty());
        assert_eq!(told.iter().find(bad), None, "{hostile:?}");
    }
}
