//! What is deleted on one device alone: it stays deleted there, and everybody else keeps it.

use client::Command;
use client::effect::{LocalFile, TransferEvent};
use client::store::{
    Content, Conversations, Devices, EncryptionMode, Event, File, Hidden, Message, Position,
    Timeline,
};
use client::view::{Change, Outcome, Problem};
use xmpp::error::Condition;
use xmpp::ext::form::{Field, FieldType, Form, FormType};
use xmpp::ns;
use xmpp::xml::Element;

use crate::archive::{archive, write};
use crate::files::{send_file, with_upload};
use crate::rooms::{conversation, group};
use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";

/// Romeo with a few messages of Juliet, whom nothing reaches that he does.
fn some(texts: &[&str]) -> (World, usize) {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    for text in texts {
        write(&mut world, JULIET, ROMEO, text);
    }
    world.settle();
    (world, romeo)
}

fn named(world: &World, device: usize, with: &str, text: &str) -> Message {
    let all = world.messages(device, with).into_iter();
    let mut found = all.filter(|one| matches!(&one.content, Content::Text(said) if said == text));
    found.next().expect(text)
}

/// Romeo deletes a message of that text.
fn delete(world: &mut World, device: usize, text: &str) {
    let id = named(world, device, JULIET, text).id;
    assert_eq!(world.run(device, Command::DeleteHere(id)), Some(Outcome::Done));
    let removed = world.devices[device].changes.iter().rev();
    let mut removed =
        removed.filter(|one| matches!(one, Change::MessageRemoved(_, of) if *of == id));
    assert!(removed.next().is_some());
}

/// The archive of Romeo forgot the newest message: what it has is read once more.
fn read_again(world: &mut World, device: usize) {
    world.run(device, Command::Disconnect);
    let account = world.server.accounts.get_mut(&bare(ROMEO)).unwrap();
    account.archive.pop();
    world.server.seen.clear();
    world.run(device, Command::Reconnect);
    world.pass(20_000);
    let asked = world.server.seen.iter().filter(|one| one.child("query", ns::MAM).is_some());
    assert!(asked.count() > 1, "by its id, and then by time");
}

#[test]
fn a_message_stays_deleted_when_the_archive_is_read_again() {
    let (mut world, romeo) = some(&["one", "two", "three", "four"]);
    let sent = world.devices[romeo].sent.len();
    delete(&mut world, romeo, "two");
    assert_eq!(world.devices[romeo].sent.len(), sent, "nobody hears of it");
    assert_eq!(world.texts(romeo, JULIET), ["one", "three", "four"]);
    read_again(&mut world, romeo);
    assert_eq!(world.texts(romeo, JULIET), ["one", "three", "four"]);
    world.crash(romeo);
    world.pass(20_000);
    assert_eq!(world.texts(romeo, JULIET), ["one", "three", "four"]);
    assert_eq!(archive(&world, ROMEO).iter().filter(|text| *text == "two").count(), 1);
    let other = world.online(ROMEO, &[JULIET]);
    assert!(world.texts(other, JULIET).contains(&"two".to_owned()), "other devices have it");
}

#[test]
fn the_oldest_message_stays_deleted_when_another_page_comes() {
    let mut world = World::new();
    for number in 0..25 {
        write(&mut world, JULIET, ROMEO, &format!("old {number}"));
    }
    let romeo = world.online(ROMEO, &[JULIET]);
    world.run(romeo, Command::Open(bare(JULIET)));
    delete(&mut world, romeo, "old 15");
    for _ in 0..3 {
        assert_eq!(world.run(romeo, Command::Older(bare(JULIET))), Some(Outcome::Done));
    }
    let mut rest = archive(&world, ROMEO);
    rest.retain(|text| text != "old 15");
    assert_eq!(world.texts(romeo, JULIET), rest);
}

#[test]
fn the_newest_message_makes_room_in_the_list_and_an_unread_one_counts_no_more() {
    let (mut world, romeo) = some(&["one", "two"]);
    assert_eq!(conversation(&world, romeo, JULIET).unread, 2);
    delete(&mut world, romeo, "two");
    let row = conversation(&world, romeo, JULIET);
    assert_eq!((row.unread, row.preview.map(|one| one.text)), (1, Some("one".to_owned())));
    delete(&mut world, romeo, "one");
    let row = conversation(&world, romeo, JULIET);
    assert_eq!((row.unread, row.preview, row.shown), (0, None, true));
    let gone = client::store::MessageId(1);
    let outcome = world.run(romeo, Command::DeleteHere(gone));
    assert_eq!(outcome, Some(Outcome::Failed(Problem::Unknown("message"))));
}

#[test]
fn what_is_said_of_a_deleted_message_brings_nothing_back() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    let hers = world.send(juliet, ROMEO, "wherefore");
    world.settle();
    delete(&mut world, romeo, "wherefore");
    world.run(juliet, Command::React(hers, vec!["🌹".into()]));
    world.run(juliet, Command::Correct(hers, "canary".into()));
    world.pass(20_000);
    assert!(world.messages(romeo, JULIET).is_empty());
    assert!(!world.texts(romeo, JULIET).contains(&"canary".to_owned()));
    world.run(juliet, Command::Retract(hers));
    world.crash(romeo);
    world.pass(20_000);
    assert!(world.messages(romeo, JULIET).is_empty());
    assert_eq!(world.messages(juliet, ROMEO)[0].content, Content::Retracted);
}

#[test]
fn changes_of_a_deleted_message_are_not_taken_for_messages_when_they_come_again() {
    // Encrypted, nothing of them could be read a second time.
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    let juliet = world.online(JULIET, &[]);
    let hers = world.send(juliet, ROMEO, "helo");
    world.settle();
    world.run(juliet, Command::Correct(hers, "hello".into()));
    let seen = world.last(romeo, JULIET).id;
    world.run(romeo, Command::React(seen, vec!["👋".into()]));
    world.run(juliet, Command::React(hers, vec!["👍".into()]));
    write(&mut world, JULIET, ROMEO, "last");
    world.pass(20_000);
    delete(&mut world, romeo, "hello");
    let left = world.messages(romeo, JULIET).len();
    read_again(&mut world, romeo);
    assert_eq!(world.messages(romeo, JULIET).len(), left);
}

#[test]
fn an_own_message_is_deleted_wherever_it_is_on_its_way() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    // The archive has not told its place yet.
    let id = world.send(romeo, JULIET, "sent");
    world.settle();
    assert_eq!(world.run(romeo, Command::DeleteHere(id)), Some(Outcome::Done));
    world.pass(20_000);
    assert!(world.messages(romeo, JULIET).is_empty());
    assert_eq!(world.texts(juliet, ROMEO), ["sent"]);
    // It has not left: nobody gets it.
    world.devices[romeo].reachable = false;
    world.cut(romeo);
    let id = world.send(romeo, JULIET, "waits");
    assert_eq!(world.run(romeo, Command::DeleteHere(id)), Some(Outcome::Done));
    let cancelled = Outcome::Failed(Problem::Cancelled);
    assert!(world.devices[romeo].outcomes.values().any(|one| *one == cancelled));
    world.devices[romeo].reachable = true;
    world.run(romeo, Command::Reconnect);
    world.pass(20_000);
    assert_eq!(world.texts(juliet, ROMEO), ["sent"]);
    assert!(world.messages(romeo, JULIET).is_empty());
}

#[test]
fn a_file_that_only_the_program_keeps_goes_with_its_message() {
    let mut world = World::new();
    with_upload(&mut world);
    let romeo = world.online(ROMEO, &[JULIET]);
    world.command(romeo, send_file(None));
    world.settle();
    let (id, _) = world.devices[romeo].transfers.remove(0);
    world.transfer(romeo, id, TransferEvent::Finished { size: 1000, sha256: [0; 32] });
    let is_file = |one: &Message| matches!(one.content, Content::File(..));
    let id = world.messages(romeo, JULIET).into_iter().find(is_file).unwrap().id;
    world.run(romeo, Command::DeleteHere(id));
    let file = LocalFile("/pictures/summit.jpg".into());
    assert_eq!(world.devices[romeo].forgotten, std::slice::from_ref(&file));
    // One that is on its way is not sent.
    world.command(romeo, send_file(None));
    world.settle();
    assert_eq!(world.devices[romeo].transfers.len(), 1);
    world.run(romeo, Command::ClearHistory(bare(JULIET)));
    assert!(world.devices[romeo].transfers.is_empty());
    assert_eq!(world.devices[romeo].forgotten, [file.clone(), file]);
}

#[test]
fn a_cleared_history_is_not_fetched_again_and_what_is_new_is_shown() {
    let mut world = World::new();
    for number in 0..25 {
        write(&mut world, JULIET, ROMEO, &format!("old {number}"));
    }
    world.server.add_account("nurse@example.net", "anon");
    let romeo = world.online(ROMEO, &[JULIET]);
    write(&mut world, "nurse@example.net", ROMEO, "anon");
    world.settle();
    world.run(romeo, Command::Open(bare(JULIET)));
    let last = world.last(romeo, JULIET).id;
    world.run(romeo, Command::Star(last, true));
    world.pass(20_000);
    let sent = world.devices[romeo].sent.len();
    // Another page is on its way meanwhile.
    world.command(romeo, Command::Older(bare(JULIET)));
    world.command(romeo, Command::ClearHistory(bare(JULIET)));
    world.settle();
    assert!(world.messages(romeo, JULIET).is_empty());
    assert_eq!(world.texts(romeo, "nurse@example.net"), ["anon"]);
    let window = world.devices[romeo].changes.iter().rev().find_map(|change| match change {
        Change::Window { messages, older, .. } => Some((messages.len(), *older)),
        _ => None,
    });
    assert_eq!(window, Some((0, false)));
    world.run(romeo, Command::Older(bare(JULIET)));
    assert!(world.messages(romeo, JULIET).is_empty());
    assert_eq!(world.run(romeo, Command::Starred(None)), Some(Outcome::Found(Vec::new())));
    let said = world.devices[romeo].sent.get(sent..).unwrap();
    assert!(!said.contains("<message "), "nobody hears of it: {said}");
    write(&mut world, JULIET, ROMEO, "new");
    world.settle();
    assert_eq!(world.texts(romeo, JULIET), ["new"]);
    write(&mut world, JULIET, ROMEO, "newer");
    world.settle();
    assert_eq!(conversation(&world, romeo, JULIET).unread, 2);
    read_again(&mut world, romeo);
    // The archive does not know any more where the last one stood.
    let mut texts = world.texts(romeo, JULIET);
    texts.sort();
    assert_eq!(texts, ["new", "newer"]);
}

/// Romeo with a long history, as if it had come over the years; every third message is a file.
fn long_history(messages: u64) -> (World, usize) {
    let (world, romeo) = some(&["first"]);
    let store = &world.devices[romeo].store;
    let said = world.last(romeo, JULIET);
    for number in 1..=messages {
        let local = Some(format!("/pictures/{number}.jpg"));
        let file = File { name: "a".into(), local, ..file() };
        let content = match number % 3 {
            0 => Content::File(file, None),
            _ => Content::Text(format!("old {number}")),
        };
        let archive_id = Some(format!("old {number}"));
        let (position, origin_id) = (Position(number), Some(format!("origin {number}")));
        store
            .append(&Message { content, archive_id, position, origin_id, ..said.clone() })
            .unwrap();
    }
    (world, romeo)
}

fn file() -> File {
    let (size, media_type, url, key) = (None, None, None, None);
    File { name: String::new(), size, media_type, url, key, local: None, preview: None }
}

#[test]
fn a_long_history_is_gone_at_once_and_removed_a_page_at_a_time() {
    let (mut world, romeo) = long_history(3000);
    let left = |world: &World| world.devices[romeo].store.hidden(10_000).unwrap().count();
    let start = world.devices[romeo].store.commits();
    let cleared = world.run(romeo, Command::ClearHistory(bare(JULIET)));
    assert_eq!(cleared, Some(Outcome::Done));
    assert!(world.messages(romeo, JULIET).is_empty());
    assert!((2500..3000).contains(&left(&world)), "{}", left(&world));
    // What comes meanwhile is shown, and what comes once more is not.
    write(&mut world, JULIET, ROMEO, "new");
    world.settle();
    let mut again = Element::new("message", ns::CLIENT)
        .with_attr("type", "chat")
        .with_attr("from", format!("{JULIET}/x"))
        .with_attr("id", "origin 10")
        .with_child(Element::new("body", ns::CLIENT).with_text("old 10"));
    again.push(Element::new("origin-id", ns::STANZA_ID).with_attr("id", "origin 10"));
    for session in world.server.sessions_of(&bare(ROMEO)) {
        world.server.deliver(&session, &again);
    }
    world.settle();
    assert_eq!(world.texts(romeo, JULIET), ["new"]);
    let before = left(&world);
    world.pass(3);
    assert!(left(&world) < before && left(&world) > 0, "a few steps: {}", left(&world));
    // The program ends in the middle, and goes on when it is started; not before it is there.
    let before = left(&world);
    world.crash(romeo);
    assert_eq!(left(&world), before);
    world.pass(20_000);
    assert_eq!(left(&world), 0);
    assert_eq!(world.devices[romeo].forgotten.len(), 1000);
    assert!(world.devices[romeo].store.commits() - start >= 15);
    assert_eq!(world.texts(romeo, JULIET), ["new"]);
    read_again(&mut world, romeo);
    assert!(!world.texts(romeo, JULIET).iter().any(|text| text == "first"));
}

#[test]
fn a_history_that_is_deleted_again_while_it_goes_takes_what_came_with_it() {
    let (mut world, romeo) = long_history(1000);
    world.run(romeo, Command::ClearHistory(bare(JULIET)));
    write(&mut world, JULIET, ROMEO, "new");
    world.settle();
    let waits = world.command(
        romeo,
        Command::Send { to: bare(JULIET), text: "waits".into(), reply_to: None, encryption: None },
    );
    world.run(romeo, Command::DeleteConversation(bare(JULIET)));
    let cancelled = Outcome::Failed(Problem::Cancelled);
    assert_eq!(world.devices[romeo].outcomes.get(&waits), Some(&cancelled));
    world.pass(20_000);
    assert!(world.messages(romeo, JULIET).is_empty());
    assert!(!world.devices[romeo].store.is_hiding().unwrap());
}

#[test]
fn a_deleted_conversation_is_nowhere_until_something_new_comes() {
    let (mut world, romeo) = some(&["one", "two"]);
    world.run(romeo, Command::PinConversation(bare(JULIET), true));
    world.run(romeo, Command::Draft(bare(JULIET), "canary".into()));
    let delete = Command::DeleteConversation(bare(JULIET));
    assert_eq!(world.run(romeo, delete), Some(Outcome::Done));
    assert!(matches!(world.devices[romeo].changes.last(), Some(Change::ConversationRemoved(_))));
    let listed = |world: &World| {
        let changes = world.devices[romeo].changes.iter();
        changes.filter(|one| matches!(one, Change::Conversation(_))).count()
    };
    world.devices[romeo].changes.clear();
    world.crash(romeo);
    world.pass(20_000);
    assert_eq!(listed(&world), 0);
    let kept = world.devices[romeo].store.conversations().unwrap();
    assert!(kept.iter().all(|one| one.draft.is_empty()));
    write(&mut world, JULIET, ROMEO, "three");
    world.settle();
    let row = conversation(&world, romeo, JULIET);
    assert_eq!((row.shown, row.pinned, row.unread), (true, false, 1));
    assert_eq!(row.encryption, EncryptionMode::Plain);
    assert_eq!(world.texts(romeo, JULIET), ["three"]);
    // Whoever looks at one that was deleted has it in the list again.
    world.run(romeo, Command::DeleteConversation(bare(JULIET)));
    world.run(romeo, Command::Open(bare(JULIET)));
    assert!(conversation(&world, romeo, JULIET).shown);
    assert!(world.messages(romeo, JULIET).is_empty());
    assert_eq!(
        world.run(romeo, Command::DeleteConversation(bare("a@b"))),
        Some(Outcome::Done),
        "what is not there is gone",
    );
}

#[test]
fn keys_and_sessions_stay_when_a_conversation_goes() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    let juliet = world.online(JULIET, &[]);
    world.send(romeo, JULIET, "one");
    world.settle();
    world.send(juliet, ROMEO, "two");
    world.settle();
    let keys = |world: &World| world.devices[romeo].store.identities(&bare(JULIET)).unwrap();
    let before = keys(&world);
    assert!(!before.is_empty());
    world.run(romeo, Command::DeleteConversation(bare(JULIET)));
    assert_eq!(keys(&world), before);
    world.send(juliet, ROMEO, "three");
    world.settle();
    assert_eq!(world.texts(romeo, JULIET), ["three"]);
    world.send(romeo, JULIET, "four");
    world.settle();
    assert_eq!(world.texts(juliet, ROMEO), ["one", "two", "three", "four"]);
}

#[test]
fn a_group_is_left_before_it_is_deleted_and_its_archive_brings_nothing_back() {
    let (mut world, romeo, juliet, group) = group();
    for text in ["one", "two", "three"] {
        world.send(juliet, &group, text);
        world.settle();
    }
    let id = named(&world, romeo, &group, "two").id;
    world.run(romeo, Command::DeleteHere(id));
    assert_eq!(world.texts(romeo, &group), ["one", "three"]);
    let refused = world.run(romeo, Command::DeleteConversation(bare(&group)));
    assert!(matches!(refused, Some(Outcome::Failed(Problem::Invalid(_)))), "{refused:?}");
    // The room's archive lost the newest message, and begins anew.
    let room = world.server.rooms.get_mut(&bare(&group)).unwrap();
    let (_, time, mut filler) = room.archive.pop().unwrap();
    filler.retain_children(|_| false);
    room.archive.push(("filler".into(), time, filler));
    world.crash(romeo);
    world.pass(20_000);
    assert_eq!(world.texts(romeo, &group), ["one", "three"]);
    world.run(romeo, Command::ClearHistory(bare(&group)));
    assert!(world.messages(romeo, &group).is_empty());
    world.run(romeo, Command::Open(bare(&group)));
    world.run(romeo, Command::Older(bare(&group)));
    world.crash(romeo);
    world.pass(20_000);
    let said = |world: &World| {
        let mut said = world.messages(romeo, &group);
        said.retain(|one| !matches!(one.content, Content::Event(Event::Room(_) | Event::Gap)));
        said
    };
    assert!(said(&world).is_empty(), "{:?}", said(&world));
    world.send(juliet, &group, "four");
    world.settle();
    assert_eq!(world.texts(romeo, &group), ["four"]);
    world.run(romeo, Command::LeaveRoom(bare(&group)));
    let gone = world.run(romeo, Command::DeleteConversation(bare(&group)));
    assert_eq!(gone, Some(Outcome::Done));
}

#[test]
fn the_history_on_the_server_is_deleted_and_devices_keep_theirs() {
    let (mut world, romeo) = some(&["one", "two"]);
    let deleted = world.run(romeo, Command::DeleteServerHistory);
    assert_eq!(deleted, Some(Outcome::Done));
    assert_eq!(archive(&world, ROMEO), [""; 0]);
    assert_eq!(archive(&world, JULIET), ["one", "two"], "it is nobody else's business");
    assert_eq!(world.texts(romeo, JULIET), ["one", "two"]);
    write(&mut world, JULIET, ROMEO, "three");
    world.settle();
    world.run(romeo, Command::Disconnect);
    write(&mut world, JULIET, ROMEO, "four");
    world.run(romeo, Command::Reconnect);
    world.pass(20_000);
    assert_eq!(world.texts(romeo, JULIET), ["one", "two", "three", "four"]);
    let other = world.online(ROMEO, &[JULIET]);
    world.pass(20_000);
    assert_eq!(world.texts(other, JULIET), ["three", "four"]);
}

#[test]
fn nobody_misses_a_history_that_was_deleted_on_purpose() {
    let (mut world, romeo) = some(&["one", "two"]);
    let there = world.online(ROMEO, &[JULIET]);
    world.pass(20_000);
    world.run(there, Command::Disconnect);
    assert_eq!(world.run(romeo, Command::DeleteServerHistory), Some(Outcome::Done));
    world.pass(20_000);
    write(&mut world, JULIET, ROMEO, "three");
    world.settle();
    for device in [romeo, there] {
        world.run(device, Command::Reconnect);
        world.pass(20_000);
        let messages = world.messages(device, JULIET);
        let gap = messages.iter().any(|one| one.content == Content::Event(Event::Gap));
        assert!(!gap, "{messages:?}");
        assert_eq!(world.texts(device, JULIET), ["one", "two", "three"]);
        // Who pages back comes to the end, which is no failure.
        world.run(device, Command::Open(bare(JULIET)));
        assert_eq!(world.run(device, Command::Older(bare(JULIET))), Some(Outcome::Done));
    }
}

#[test]
fn the_beginning_of_what_is_known_may_be_gone_from_the_archive() {
    let mut world = World::new();
    world.server.page = 1;
    for text in ["zero", "one"] {
        write(&mut world, JULIET, ROMEO, text);
    }
    let romeo = world.online(ROMEO, &[JULIET]);
    write(&mut world, JULIET, ROMEO, "two");
    world.settle();
    world.server.accounts.get_mut(&bare(ROMEO)).unwrap().archive.clear();
    world.run(romeo, Command::Open(bare(JULIET)));
    assert_eq!(world.run(romeo, Command::Older(bare(JULIET))), Some(Outcome::Done));
}

#[test]
fn a_server_that_deletes_no_history_says_so_and_one_that_asks_for_more_is_not_answered() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let ask = |world: &mut World, answer| {
        world.server.answers.insert(ns::COMMANDS.into(), answer);
        world.server.seen.clear();
        let outcome = world.run(romeo, Command::DeleteServerHistory);
        let asked =
            world.server.seen.iter().filter(|one| one.child("command", ns::COMMANDS).is_some());
        (outcome, asked.count())
    };
    let form = |fields: &[&str]| {
        let mut form = Form::new(FormType::Form);
        for name in fields {
            form = form.with_field(Field::new(*name, FieldType::Boolean).with_required());
        }
        Element::new("command", ns::COMMANDS).with_child(form.to_element())
    };
    let unsupported = |outcome: &Option<Outcome>| {
        matches!(outcome, Some(Outcome::Failed(Problem::Unsupported(_))))
    };
    for answer in [
        Err(Condition::ItemNotFound),
        Err(Condition::ServiceUnavailable),
        Ok(None),
        Ok(Some(form(&["sure", "password"]))),
        Ok(Some(form(&["password"]))),
    ] {
        let (outcome, asked) = ask(&mut world, answer);
        assert!(unsupported(&outcome) && asked == 1, "{outcome:?} {asked}");
    }
    // Only what says that it was done was done.
    let (outcome, asked) = ask(&mut world, Ok(Some(form(&["sure"]))));
    assert!(unsupported(&outcome) && asked == 2, "{outcome:?} {asked}");
    let note = Element::new("note", ns::COMMANDS).with_attr("type", "error").with_text("later");
    let failed = form(&["sure"]).with_attr("status", "completed").with_child(note);
    let (outcome, _) = ask(&mut world, Ok(Some(failed)));
    assert_eq!(outcome, Some(Outcome::Failed(Problem::Refused("later".into()))));
    let (outcome, _) = ask(&mut world, Err(Condition::Forbidden));
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::Refused(_)))), "{outcome:?}");
}
