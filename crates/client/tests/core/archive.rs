//! The archive: nothing missing, nothing twice, everything in its order.

use client::Command;
use client::store::{Archives, Content, Event, MessageId};
use client::view::{Change, Outcome};
use xmpp::error::Condition;
use xmpp::ext::rsm;
use xmpp::ns;
use xmpp::xml::Element;

use crate::server::{Archived, bare};
use crate::world::{World, login, notified, text_of};

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";

/// Juliet writes on a device that is not part of the test.
pub(crate) fn write(world: &mut World, from: &str, to: &str, text: &str) {
    let id = format!("id-of-{text}");
    let message = Element::new("message", ns::CLIENT)
        .with_attr("type", "chat")
        .with_attr("from", format!("{from}/elsewhere"))
        .with_attr("to", to)
        .with_attr("id", &id)
        .with_child(Element::new("body", ns::CLIENT).with_text(text))
        .with_child(Element::new("origin-id", ns::STANZA_ID).with_attr("id", &id));
    world.server.route(&bare(from), None, message);
}

pub(crate) fn archive(world: &World, owner: &str) -> Vec<String> {
    let rows = world.server.accounts[&bare(owner)].archive.iter();
    rows.filter_map(|row| row.message.child("body", ns::CLIENT)).map(Element::text).collect()
}

#[test]
fn what_was_missed_comes_in_pages_and_counts_as_unread() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    write(&mut world, JULIET, ROMEO, "live");
    world.settle();
    world.run(romeo, Command::Disconnect);
    for number in 0..35 {
        write(&mut world, JULIET, ROMEO, &format!("missed {number}"));
    }
    world.devices[romeo].notifications.clear();
    world.run(romeo, Command::Reconnect);
    assert_eq!(world.texts(romeo, JULIET), archive(&world, ROMEO));
    assert_eq!(unread(&world, romeo), 36);
    // One notification for all of them.
    let told: Vec<_> =
        world.devices[romeo].notifications.iter().map(|one| notified(one).1).collect();
    assert_eq!(told, ["missed 34"]);
}

fn unread(world: &World, device: usize) -> u32 {
    let mut changes = world.devices[device].changes.iter().rev();
    let found = changes.find_map(|change| match change {
        Change::Conversation(conversation) if conversation.address == bare(JULIET) => {
            Some(conversation.unread)
        }
        _ => None,
    });
    found.unwrap_or(0)
}

#[test]
fn a_page_that_was_cut_is_read_again_without_doubles() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    write(&mut world, JULIET, ROMEO, "live");
    world.settle();
    world.run(romeo, Command::Disconnect);
    for number in 0..25 {
        write(&mut world, JULIET, ROMEO, &format!("missed {number}"));
    }
    world.server.forgetful = true;
    for cut in 0..20 {
        world.command(romeo, Command::Reconnect);
        world.settle_some(5 + cut);
        if cut % 2 == 0 { world.cut(romeo) } else { world.crash(romeo) }
    }
    world.pass(600_000);
    assert_eq!(world.texts(romeo, JULIET), archive(&world, ROMEO));
}

#[test]
fn what_arrives_while_catching_up_moves_to_its_place() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    write(&mut world, JULIET, ROMEO, "first");
    world.settle();
    world.run(romeo, Command::Disconnect);
    for number in 0..30 {
        write(&mut world, JULIET, ROMEO, &format!("missed {number}"));
    }
    world.command(romeo, Command::Reconnect);
    for number in 0..12 {
        world.settle_some(3);
        write(&mut world, JULIET, ROMEO, &format!("live {number}"));
        world.send(romeo, JULIET, &format!("own {number}"));
    }
    world.pass(20_000);
    assert_eq!(world.texts(romeo, JULIET), archive(&world, ROMEO));
}

#[test]
fn a_message_that_the_archive_has_twice_stands_at_its_first_place() {
    let mut world = World::new();
    let awake = world.online(ROMEO, &[JULIET]);
    let asleep = world.online(ROMEO, &[JULIET]);
    world.settle();
    world.run(asleep, Command::Disconnect);
    for text in ["one", "two", "one", "three"] {
        write(&mut world, JULIET, ROMEO, text);
    }
    world.settle();
    // This one sees the second copy before the first.
    world.command(asleep, Command::Reconnect);
    world.settle_some(3);
    write(&mut world, JULIET, ROMEO, "two");
    // The stretch with the copies is read once more after this.
    world.send(awake, JULIET, "four");
    world.pass(20_000);
    for device in [awake, asleep] {
        assert_eq!(world.texts(device, JULIET), ["one", "two", "three", "four"]);
    }
}

#[test]
fn an_own_message_that_is_not_acknowledged_yet_gets_its_place() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    write(&mut world, JULIET, ROMEO, "one");
    // Both are on their way at the same moment; the server has Juliet's first.
    world.send(romeo, JULIET, "three");
    write(&mut world, JULIET, ROMEO, "two");
    world.carry(romeo, true);
    write(&mut world, JULIET, ROMEO, "four");
    // All of it arrives before the acknowledgement.
    world.pass(20_000);
    assert_eq!(archive(&world, ROMEO), ["one", "two", "three", "four"]);
    assert_eq!(world.texts(romeo, JULIET), archive(&world, ROMEO));
}

#[test]
fn an_archive_that_forgot_the_last_message_is_read_by_time() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    for text in ["one", "two", "three"] {
        write(&mut world, JULIET, ROMEO, text);
    }
    world.settle();
    world.run(romeo, Command::Disconnect);
    for text in ["four", "five"] {
        write(&mut world, JULIET, ROMEO, text);
    }
    world.server.accounts.get_mut(&bare(ROMEO)).unwrap().archive.drain(..3);
    world.run(romeo, Command::Reconnect);
    assert_eq!(world.texts(romeo, JULIET), ["one", "two", "three", "four", "five"]);
    let messages = world.messages(romeo, JULIET);
    assert_eq!(messages[3].content, Content::Event(Event::Gap));
}

#[test]
fn nothing_is_missing_when_the_archive_forgot_a_single_message() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    for text in ["one", "two", "three"] {
        write(&mut world, JULIET, ROMEO, text);
    }
    world.settle();
    world.run(romeo, Command::Disconnect);
    write(&mut world, JULIET, ROMEO, "four");
    world.server.accounts.get_mut(&bare(ROMEO)).unwrap().archive.remove(2);
    world.run(romeo, Command::Reconnect);
    assert_eq!(world.texts(romeo, JULIET), ["one", "two", "three", "four"]);
    assert_eq!(world.messages(romeo, JULIET).len(), 4);
}

#[test]
fn archives_that_do_not_get_on_are_not_asked_without_end() {
    let set = rsm::Response { first: None, last: Some("same".into()), count: None };
    let fin = Element::new("fin", ns::MAM).with_child(set.to_element());
    for answer in [Err(Condition::ItemNotFound), Ok(Some(fin))] {
        let mut world = World::new();
        let romeo = world.online(ROMEO, &[JULIET]);
        write(&mut world, JULIET, ROMEO, "live");
        world.settle();
        world.run(romeo, Command::Disconnect);
        world.server.answers.insert(ns::MAM.to_owned(), answer);
        world.server.seen.clear();
        world.run(romeo, Command::Reconnect);
        let asked = world.server.seen.iter().filter(|one| one.child("query", ns::MAM).is_some());
        assert!(asked.count() <= 2);
    }
}

#[test]
fn what_an_archive_did_not_answer_is_said_and_asked_at_once_if_somebody_wants() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    write(&mut world, JULIET, ROMEO, "one");
    world.settle();
    world.run(romeo, Command::Disconnect);
    write(&mut world, JULIET, ROMEO, "two");
    let behind = |world: &World| {
        let mut changes = world.devices[romeo].changes.iter().rev();
        let found = changes.find_map(|change| match change {
            Change::Conversation(one) if one.address == bare(JULIET) => Some(one.behind),
            _ => None,
        });
        found.expect("a conversation")
    };
    world.server.answers.insert(ns::MAM.to_owned(), Err(Condition::ResourceConstraint));
    world.command(romeo, Command::Reconnect);
    world.settle();
    assert!(behind(&world));
    world.server.answers.clear();
    world.command(romeo, Command::CatchUp(bare(JULIET)));
    world.pass(1);
    assert!(!behind(&world));
    assert_eq!(world.texts(romeo, JULIET), ["one", "two"]);
    // Without a connection nothing is said of the archive: the next session asks it again.
    world.run(romeo, Command::Disconnect);
    world.server.answers.insert(ns::MAM.to_owned(), Err(Condition::ResourceConstraint));
    world.command(romeo, Command::Reconnect);
    world.settle();
    assert!(behind(&world));
    world.server.answers.clear();
    world.run(romeo, Command::Disconnect);
    assert!(!behind(&world));
}

#[test]
fn the_first_messages_of_a_new_account_are_news() {
    let mut world = World::new();
    let device = world.add_device();
    world.server.answers.insert(ns::MAM.to_owned(), Err(Condition::ResourceConstraint));
    let login = login("mercutio@example.net", "plague");
    let token = Some("invitation".into());
    world.run(device, Command::Register { login, token, inviter: None });
    world.run(device, Command::Disconnect);
    write(&mut world, JULIET, "mercutio@example.net", "welcome");
    world.server.answers.clear();
    world.run(device, Command::Reconnect);
    assert_eq!(world.texts(device, JULIET), ["welcome"]);
    assert_eq!(unread(&world, device), 1);
    assert_eq!(world.devices[device].notifications.len(), 1);
}

#[test]
fn what_only_the_archive_brings_is_told_at_once() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.send(romeo, JULIET, "own");
    world.settle();
    // It is in the archive, and was not delivered.
    let message = Element::new("message", ns::CLIENT)
        .with_attr("type", "chat")
        .with_attr("from", JULIET)
        .with_attr("to", ROMEO)
        .with_child(Element::new("body", ns::CLIENT).with_text("not delivered"));
    let (id, with, time) = ("not-delivered".into(), bare(JULIET), world.server.now);
    let account = world.server.accounts.get_mut(&bare(ROMEO)).unwrap();
    account.archive.push(Archived { id, time, with, message });
    world.pass(10_000);
    let told: Vec<_> =
        world.devices[romeo].notifications.iter().map(|one| notified(one).1).collect();
    assert_eq!(told, ["not delivered"]);
}

#[test]
fn servers_without_archives_work() {
    let mut world = World::new();
    world.server.archives = false;
    let romeo = world.online(ROMEO, &[JULIET]);
    write(&mut world, JULIET, ROMEO, "live");
    world.settle();
    assert_eq!(world.texts(romeo, JULIET), ["live"]);
}

#[test]
fn a_new_device_has_the_last_page_and_older_ones_on_demand() {
    let mut world = World::new();
    for number in 0..35 {
        write(&mut world, JULIET, ROMEO, &format!("old {number}"));
    }
    let romeo = world.online(ROMEO, &[JULIET]);
    assert_eq!(world.texts(romeo, JULIET).len(), 10);
    assert_eq!(unread(&world, romeo), 0);
    assert!(world.devices[romeo].notifications.is_empty());
    world.run(romeo, Command::Open(bare(JULIET)));
    for _ in 0..4 {
        assert_eq!(world.run(romeo, Command::Older(bare(JULIET))), Some(Outcome::Done));
    }
    assert_eq!(world.texts(romeo, JULIET), archive(&world, ROMEO));
    let older = world.devices[romeo].changes.iter().rev().find_map(|change| match change {
        Change::Older { older, .. } => Some(*older),
        _ => None,
    });
    assert_eq!(older, Some(false));
    let known = world.devices[romeo].store.archive(&bare(JULIET)).unwrap();
    assert!(known.complete);
}

#[test]
fn what_was_read_on_another_device_is_read_here() {
    let mut world = World::new();
    let one = world.online(ROMEO, &[JULIET]);
    let other = world.online(ROMEO, &[JULIET]);
    write(&mut world, JULIET, ROMEO, "one");
    write(&mut world, JULIET, ROMEO, "two");
    world.settle();
    assert_eq!((unread(&world, one), unread(&world, other)), (2, 2));
    let id = world.last(one, JULIET).id;
    world.run(one, Command::MarkRead(bare(JULIET), id));
    world.pass(5_000);
    assert_eq!((unread(&world, one), unread(&world, other)), (0, 0));
    // And on one that was not there.
    write(&mut world, JULIET, ROMEO, "three");
    world.settle();
    world.run(other, Command::Disconnect);
    let id = world.last(one, JULIET).id;
    world.run(one, Command::MarkRead(bare(JULIET), id));
    world.pass(5_000);
    world.run(other, Command::Reconnect);
    assert_eq!(unread(&world, other), 0);
}

#[test]
fn own_messages_of_other_devices_mark_what_was_before_as_read() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    write(&mut world, JULIET, ROMEO, "question");
    world.settle();
    assert_eq!(unread(&world, romeo), 1);
    write(&mut world, ROMEO, JULIET, "answer");
    world.settle();
    assert_eq!(unread(&world, romeo), 0);
    let last = world.last(romeo, JULIET);
    assert!(last.own);
    assert_eq!(last.content, Content::Text("answer".into()));
}

#[test]
fn an_archive_that_refuses_for_a_while_is_asked_again() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    write(&mut world, JULIET, ROMEO, "live");
    world.settle();
    world.run(romeo, Command::Disconnect);
    write(&mut world, JULIET, ROMEO, "missed");
    world.server.answers.insert(ns::MAM.to_owned(), Err(Condition::ResourceConstraint));
    world.run(romeo, Command::Reconnect);
    write(&mut world, JULIET, ROMEO, "later");
    world.pass(30_000);
    assert_eq!(world.texts(romeo, JULIET), ["live", "later"]);
    world.server.answers.clear();
    world.pass(30_000);
    assert_eq!(world.texts(romeo, JULIET), archive(&world, ROMEO));
}

/// The first unread message, as a window that opens now shows it.
fn first_unread(world: &mut World, device: usize) -> Option<MessageId> {
    world.run(device, Command::Open(bare(JULIET)));
    let mut changes = world.devices[device].changes.iter().rev();
    changes
        .find_map(|change| match change {
            Change::Window { first_unread, .. } => Some(*first_unread),
            _ => None,
        })
        .expect("a window")
}

#[test]
fn what_moves_with_an_own_message_stays_unread() {
    for theirs_first in [false, true] {
        let mut world = World::new();
        let romeo = world.online(ROMEO, &[JULIET]);
        world.send(romeo, JULIET, "own");
        if theirs_first {
            write(&mut world, JULIET, ROMEO, "unseen");
        } else {
            world.settle();
            write(&mut world, JULIET, ROMEO, "unseen");
        }
        world.pass(20_000);
        assert_eq!(world.texts(romeo, JULIET), archive(&world, ROMEO));
        let messages = world.messages(romeo, JULIET);
        let unseen = messages.iter().find(|message| !message.own).expect("a message").id;
        assert_eq!(unread(&world, romeo), 1, "{theirs_first}");
        assert_eq!(first_unread(&mut world, romeo), Some(unseen), "{theirs_first}");
        world.run(romeo, Command::MarkRead(bare(JULIET), unseen));
        world.pass(5_000);
        assert_eq!(unread(&world, romeo), 0);
        assert!(world.server.accounts[&bare(ROMEO)].nodes[ns::MDS].contains_key(JULIET));
    }
}

#[test]
fn what_was_said_about_a_message_is_done_when_the_message_comes() {
    let mut world = World::new();
    write(&mut world, JULIET, ROMEO, "reacted");
    write(&mut world, JULIET, ROMEO, "retracted");
    write(&mut world, JULIET, ROMEO, "corected");
    for number in 0..12 {
        write(&mut world, JULIET, ROMEO, &format!("between {number}"));
    }
    let about = |payload: &str| {
        let xml = format!(
            "<message xmlns='jabber:client' type='chat' from='{JULIET}/elsewhere' to='{ROMEO}' \
             id='{}'>{payload}<store xmlns='urn:xmpp:hints'/></message>",
            payload.len()
        );
        Element::parse(xml.as_bytes(), &xmpp::xml::Limits::TRUSTED).unwrap()
    };
    for payload in [
        "<reactions xmlns='urn:xmpp:reactions:0' id='id-of-reacted'><reaction>🐢</reaction></reactions>",
        "<retract xmlns='urn:xmpp:message-retract:1' id='id-of-retracted'/>",
        "<body>corrected</body><replace xmlns='urn:xmpp:message-correct:0' id='id-of-corected'/>",
    ] {
        world.server.route(&bare(JULIET), None, about(payload));
    }
    let romeo = world.online(ROMEO, &[JULIET]);
    // The correction is a message of its own until its original comes.
    let texts = world.texts(romeo, JULIET);
    assert_eq!(texts.last().map(String::as_str), Some("corrected"));
    assert!(!texts.contains(&"corected".to_owned()));
    // What waits survives the program.
    world.crash(romeo);
    world.settle();
    world.run(romeo, Command::Open(bare(JULIET)));
    for _ in 0..4 {
        world.run(romeo, Command::Older(bare(JULIET)));
    }
    let messages = world.messages(romeo, JULIET);
    assert_eq!(messages.len(), 15);
    assert_eq!(messages[0].reactions.len(), 1);
    assert_eq!(messages[1].content, Content::Retracted);
    assert_eq!(text_of(&messages[2].content).as_deref(), Some("corrected"));
    assert_eq!(messages[2].versions[0].1, "corected");
    assert_eq!(world.texts(romeo, JULIET).iter().filter(|text| *text == "corrected").count(), 1);
}
