//! Windows on conversations: at the end, and around a message.

use client::store::{Content, Conversations, Delivery, MessageId};
use client::view::{Change, Outcome, Problem};
use client::{Command, view};

use crate::server::bare;
use crate::world::{World, login, text_of};

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";

/// A user interface that does what the changes say.
#[derive(Default)]
struct Screen {
    rows: Vec<client::store::Message>,
    newer: bool,
    older: bool,
}

impl Screen {
    fn put(&mut self, messages: Vec<client::store::Message>) {
        for message in messages {
            self.rows.retain(|row| row.id != message.id);
            self.rows.push(message);
        }
        self.rows.sort_by_key(|row| row.position);
    }

    fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Window { messages, older, newer, .. } => {
                    self.rows.clear();
                    (self.older, self.newer) = (older, newer);
                    self.put(messages);
                }
                Change::Messages { messages, .. } => self.put(messages),
                Change::Older { messages, older, .. } => {
                    self.older = older;
                    self.put(messages);
                }
                Change::Newer { messages, newer, .. } => {
                    self.newer = newer;
                    self.put(messages);
                }
                Change::MessageRemoved(_, id) => self.rows.retain(|row| row.id != id),
                _ => {}
            }
        }
    }

    fn texts(&self) -> Vec<String> {
        self.rows.iter().filter_map(|row| text_of(&row.content)).collect()
    }
}

/// Romeo has a hundred and fifty messages from Juliet.
fn history() -> (World, usize, usize) {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    for number in 0..150 {
        world.send(juliet, ROMEO, &format!("message {number}"));
        world.settle();
    }
    (world, romeo, juliet)
}

fn id_of(world: &World, device: usize, text: &str) -> MessageId {
    let mut messages = world.messages(device, JULIET).into_iter();
    messages.find(|one| text_of(&one.content).as_deref() == Some(text)).unwrap().id
}

fn take(world: &mut World, device: usize) -> Vec<view::Change> {
    std::mem::take(&mut world.devices[device].changes)
}

#[test]
fn a_window_opens_around_a_message_and_grows_to_the_end() {
    let (mut world, romeo, juliet) = history();
    let mut screen = Screen::default();
    let target = id_of(&world, romeo, "message 60");
    let outcome = world.run(romeo, Command::OpenAt(bare(JULIET), target));
    assert_eq!(outcome, Some(Outcome::Done));
    screen.apply(take(&mut world, romeo));
    assert!(screen.older && screen.newer);
    assert!(screen.rows.iter().any(|row| row.id == target));
    assert!(screen.rows.len() < 100);
    // What is new does not stand right after what was found.
    world.send(juliet, ROMEO, "new");
    world.settle();
    screen.apply(take(&mut world, romeo));
    assert!(!screen.texts().contains(&"new".to_owned()));
    // What changes inside of it is shown.
    world.run(romeo, Command::React(target, vec!["👍".into()]));
    screen.apply(take(&mut world, romeo));
    assert!(screen.rows.iter().any(|row| row.id == target && !row.reactions.is_empty()));
    let mut pages = 0;
    while screen.newer {
        world.run(romeo, Command::Newer(bare(JULIET)));
        screen.apply(take(&mut world, romeo));
        pages += 1;
        assert!(pages < 10);
    }
    world.run(romeo, Command::Older(bare(JULIET)));
    screen.apply(take(&mut world, romeo));
    // At the end, what is new joins.
    world.send(juliet, ROMEO, "newer");
    world.settle();
    screen.apply(take(&mut world, romeo));
    let mut all: Vec<String> = (0..150).map(|number| format!("message {number}")).collect();
    all.extend(["new".to_owned(), "newer".to_owned()]);
    assert_eq!(screen.texts(), all);
}

#[test]
fn a_window_around_the_newest_message_reaches_to_the_end() {
    let (mut world, romeo, juliet) = history();
    let mut screen = Screen::default();
    let target = id_of(&world, romeo, "message 149");
    world.run(romeo, Command::OpenAt(bare(JULIET), target));
    screen.apply(take(&mut world, romeo));
    assert!(!screen.newer);
    world.send(juliet, ROMEO, "new");
    world.settle();
    screen.apply(take(&mut world, romeo));
    assert_eq!(screen.texts().last().map(String::as_str), Some("new"));
}

#[test]
fn opening_again_leads_back_to_the_end() {
    let (mut world, romeo, juliet) = history();
    let mut screen = Screen::default();
    let target = id_of(&world, romeo, "message 10");
    world.run(romeo, Command::OpenAt(bare(JULIET), target));
    world.run(romeo, Command::Open(bare(JULIET)));
    world.send(juliet, ROMEO, "new");
    world.settle();
    screen.apply(take(&mut world, romeo));
    assert!(!screen.newer);
    assert_eq!(screen.texts().last().map(String::as_str), Some("new"));
}

#[test]
fn a_message_that_moves_behind_the_end_of_a_window_leaves_it() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    for number in 0..40 {
        world.send(juliet, ROMEO, &format!("message {number}"));
    }
    world.settle();
    // It stands here before what follows; the archive has it at the very end.
    let target = world.send(romeo, JULIET, "own");
    world.server.archives = false;
    for number in 0..60 {
        let message = format!(
            "<message xmlns='jabber:client' type='chat' from='{JULIET}/x' to='{ROMEO}' id='a{number}'>\
             <body>after {number}</body><origin-id xmlns='urn:xmpp:sid:0' id='a{number}'/></message>"
        );
        let limits = &xmpp::xml::Limits::TRUSTED;
        let message = xmpp::xml::Element::parse(message.as_bytes(), limits).unwrap();
        world.server.route(&bare(JULIET), None, message);
        while world.carry(romeo, false) {}
    }
    world.server.archives = true;
    let mut screen = Screen::default();
    world.command(romeo, Command::OpenAt(bare(JULIET), target));
    screen.apply(take(&mut world, romeo));
    assert!(screen.newer && screen.rows.iter().any(|row| row.id == target));
    world.pass(20_000);
    screen.apply(take(&mut world, romeo));
    assert_eq!(world.last(romeo, JULIET).id, target);
    assert!(!screen.rows.iter().any(|row| row.id == target));
    assert!(screen.newer);
}

#[test]
fn a_window_around_what_is_not_there_does_not_open() {
    let (mut world, romeo, _) = history();
    take(&mut world, romeo);
    for (address, id) in [(JULIET, MessageId(9999)), (ROMEO, id_of(&world, romeo, "message 3"))] {
        let outcome = world.run(romeo, Command::OpenAt(bare(address), id));
        assert_eq!(outcome, Some(Outcome::Failed(Problem::Unknown("message"))));
    }
    let outcome = world.run(romeo, Command::Newer(bare(JULIET)));
    assert_eq!(outcome, Some(Outcome::Failed(Problem::Unknown("window"))));
    assert!(take(&mut world, romeo).is_empty());
}

/// Whatever the archive is doing when a conversation is opened, what stands in it then is shown.
#[test]
fn a_window_that_opens_while_the_archive_is_read_shows_what_comes_from_it() {
    for pieces in 0..40 {
        let mut world = World::new();
        let romeo = world.online(ROMEO, &[JULIET]);
        let juliet = world.online(JULIET, &[ROMEO]);
        world.crash(romeo);
        world.send(juliet, ROMEO, "before");
        world.settle_some(pieces);
        world.command(romeo, Command::Open(bare(JULIET)));
        world.send(juliet, ROMEO, "after");
        world.pass(10_000);
        let mut screen = Screen::default();
        screen.apply(take(&mut world, romeo));
        assert_eq!(screen.texts(), ["before", "after"], "opened after {pieces} pieces");
    }
}

#[test]
fn a_new_device_that_opens_a_conversation_at_once_shows_what_was_written_before() {
    for pieces in (0..36).step_by(3) {
        let mut world = World::new();
        let juliet = world.online(JULIET, &[ROMEO]);
        for number in 0..8 {
            world.send(juliet, ROMEO, &format!("message {number}"));
        }
        world.settle();
        let romeo = world.add_device();
        world.command(romeo, Command::Login(login(ROMEO, "montague")));
        world.settle_some(pieces);
        world.command(romeo, Command::Open(bare(JULIET)));
        world.pass(10_000);
        let mut screen = Screen::default();
        screen.apply(take(&mut world, romeo));
        assert_eq!(screen.texts().last().map(String::as_str), Some("message 7"), "{pieces}");
    }
}

#[test]
fn what_stands_behind_the_messages_is_kept_for_each_conversation() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let behind = |world: &World| {
        let all = world.devices[romeo].store.conversations().unwrap();
        all.into_iter().find(|one| one.address == bare(JULIET)).unwrap().wallpaper
    };
    let set = |name: Option<&str>| Command::SetWallpaper(bare(JULIET), name.map(str::to_owned));
    assert_eq!(world.run(romeo, set(Some("dusk"))), Some(Outcome::Done));
    world.crash(romeo);
    assert_eq!(behind(&world).as_deref(), Some("dusk"));
    let long = world.run(romeo, set(Some(&"d".repeat(33))));
    assert!(matches!(long, Some(Outcome::Failed(Problem::Invalid(_)))), "{long:?}");
    assert_eq!(behind(&world).as_deref(), Some("dusk"));
    assert_eq!(world.run(romeo, set(None)), Some(Outcome::Done));
    assert_eq!(behind(&world), None);
}

#[test]
fn all_is_read_without_a_window_and_a_hidden_conversation_stays_hidden() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    world.send(romeo, JULIET, "one");
    world.send(romeo, JULIET, "two");
    world.settle();
    world.run(juliet, Command::Hide(bare(ROMEO)));
    assert_eq!(world.run(juliet, Command::MarkAllRead(bare(ROMEO))), Some(Outcome::Done));
    world.settle();
    let row = |world: &World| {
        let changes = world.devices[juliet].changes.iter().rev();
        let mut rows = changes.filter_map(|change| match change {
            Change::Conversation(row) => Some((row.unread, row.shown)),
            _ => None,
        });
        rows.next().expect("a row")
    };
    assert_eq!(row(&world), (0, false));
    assert_eq!(world.last(romeo, JULIET).delivery, Some(Delivery::Read));
    let windows = world.devices[juliet].changes.iter();
    assert_eq!(windows.filter(|change| matches!(change, Change::Window { .. })).count(), 0);
    // Whoever looks at it goes on to see what is new.
    world.run(juliet, Command::Open(bare(ROMEO)));
    assert_eq!(world.run(juliet, Command::MarkAllRead(bare(ROMEO))), Some(Outcome::Done));
    world.send(romeo, JULIET, "three");
    world.settle();
    let shown = world.devices[juliet].changes.iter().rev().find_map(|change| match change {
        Change::Messages { messages, .. } => messages.last().cloned(),
        _ => None,
    });
    assert_eq!(shown.map(|message| message.content), Some(Content::Text("three".into())));
    assert_eq!(world.run(juliet, Command::MarkAllRead(bare("a@b"))), Some(Outcome::Done));
}
