//! Messages out and in, with their ticks, and what a kill in between does to them.

use client::Command;
use client::store::{Delivery, Encryption, EncryptionMode, Store, Timeline, TrustLevel, Version};
use client::view::{Outcome, Problem};
use xmpp::error::{Condition, StanzaError};
use xmpp::ns;
use xmpp::xml::Element;

use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";

#[test]
fn ticks_go_from_queued_to_read() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    let delivery = |world: &World| world.last(romeo, JULIET).delivery;
    let id = world.send(romeo, JULIET, "hello");
    assert_eq!(delivery(&world), Some(Delivery::Queued));
    world.settle();
    assert_eq!(delivery(&world), Some(Delivery::Delivered));
    assert!(world.devices[romeo].outcomes.values().any(|one| *one == Outcome::Sent(id)));
    let read = world.last(juliet, ROMEO).id;
    assert_eq!(world.run(juliet, Command::MarkRead(bare(ROMEO), read)), Some(Outcome::Done));
    world.settle();
    assert_eq!(delivery(&world), Some(Delivery::Read));
}

#[test]
fn a_message_between_read_ones_is_read_too() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    for text in ["one", "two", "three"] {
        world.send(romeo, JULIET, text);
        world.settle();
        let read = world.last(juliet, ROMEO).id;
        world.run(juliet, Command::MarkRead(bare(ROMEO), read));
        world.settle();
        if text == "two" {
            // As if another device had written it, and it came here after the marker.
            let mut late = world.messages(romeo, JULIET).remove(0);
            assert_eq!(late.delivery, Some(Delivery::Read));
            late.delivery = Some(Delivery::Delivered);
            world.devices[romeo].store.save_message(&late).unwrap();
        }
    }
    let ticks = world.messages(romeo, JULIET).into_iter().map(|message| message.delivery);
    assert_eq!(ticks.collect::<Vec<_>>(), vec![Some(Delivery::Read); 3]);
}

#[test]
fn nothing_leaves_in_plain_text_where_encryption_is_on() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    let outcome = world.run(
        romeo,
        Command::Send { to: bare(JULIET), text: "canary".into(), reply_to: None, encryption: None },
    );
    assert_eq!(outcome, None, "it waits for keys");
    assert!(!world.devices[romeo].sent.contains("canary"));
    assert_eq!(world.last(romeo, JULIET).delivery, Some(Delivery::Queued));
    // Choosing plain text is explicit, and the message has to be sent again by hand.
    let plain = Command::SetEncryption(bare(JULIET), EncryptionMode::Plain);
    world.run(romeo, plain);
    assert!(!world.devices[romeo].sent.contains("canary"));
    let id = world.last(romeo, JULIET).id;
    assert_eq!(world.run(romeo, Command::Retry(id)), Some(Outcome::Sent(id)));
    assert!(world.devices[romeo].sent.contains("canary"));
}

#[test]
fn a_message_leaves_once_other_stanzas_made_room() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.online(JULIET, &[ROMEO]);
    for _ in 0..150 {
        for draft in ["h", ""] {
            world.command(romeo, Command::Draft(bare(JULIET), draft.into()));
        }
    }
    assert!(world.devices[romeo].sent.matches("<composing ").count() > 100);
    world.send(romeo, JULIET, "hello");
    assert!(!world.devices[romeo].sent.contains("hello"));
    world.settle();
    assert_eq!(archive(&world, JULIET), ["hello"]);
}

#[test]
fn what_waits_in_plain_text_does_not_leave_once_encryption_is_on() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.devices[romeo].reachable = false;
    world.cut(romeo);
    world.send(romeo, JULIET, "canary");
    world.command(romeo, Command::SetEncryption(bare(JULIET), EncryptionMode::Omemo));
    world.devices[romeo].reachable = true;
    world.run(romeo, Command::Reconnect);
    world.pass(10_000);
    assert!(!world.devices[romeo].sent.contains("canary"));
    assert!(matches!(world.last(romeo, JULIET).delivery, Some(Delivery::Failed(_))));
}

#[test]
fn what_was_encrypted_is_not_quoted_in_plain_text() {
    for encrypted in [false, true] {
        let mut world = World::new();
        let romeo = world.online(ROMEO, &[JULIET]);
        let juliet = world.online(JULIET, &[ROMEO]);
        world.send(juliet, ROMEO, "canary");
        world.settle();
        let mut original = world.last(romeo, JULIET);
        if encrypted {
            let (version, trust) = (Version::Omemo2, TrustLevel::Blind);
            original.encryption = Encryption::Omemo { version, device: 1, key: [1; 32], trust };
            let store = &world.devices[romeo].store;
            store.begin().unwrap();
            store.save_message(&original).unwrap();
            store.commit().unwrap();
        }
        let (to, reply_to) = (bare(JULIET), Some(original.id));
        world.run(romeo, Command::Send { to, text: "answer".into(), reply_to, encryption: None });
        assert!(world.devices[romeo].sent.contains("<reply "));
        assert_ne!(world.devices[romeo].sent.contains("canary"), encrypted);
        assert_eq!(
            world.last(juliet, ROMEO).content,
            client::store::Content::Text("answer".into())
        );
    }
}

#[test]
fn a_message_that_came_back_ends_its_request_and_can_be_sent_again() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let send =
        Command::Send { to: bare(JULIET), text: "hello".into(), reply_to: None, encryption: None };
    let number = world.command(romeo, send);
    let message = world.last(romeo, JULIET);
    world.carry(romeo, true);
    let error = Element::new("message", ns::CLIENT)
        .with_attr("type", "error")
        .with_attr("from", JULIET)
        .with_attr_opt("id", message.origin_id.as_deref())
        .with_child(StanzaError::new(Condition::ServiceUnavailable).element());
    for session in world.server.sessions_of(&bare(ROMEO)) {
        world.server.deliver(&session, &error);
    }
    world.settle();
    let outcome = world.devices[romeo].outcomes.get(&number);
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::Refused(_)))), "{outcome:?}");
    assert!(matches!(world.last(romeo, JULIET).delivery, Some(Delivery::Failed(_))));
    let again = world.run(romeo, Command::Retry(message.id));
    assert_eq!(again, Some(Outcome::Sent(message.id)));
    // The server takes an id once.
    assert_eq!(archive(&world, JULIET), ["hello", "hello"]);
}

#[test]
fn a_message_that_came_back_and_is_changed_is_another_one() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let id = world.send(romeo, JULIET, "hello");
    let before = world.last(romeo, JULIET).origin_id;
    world.settle();
    let error = Element::new("message", ns::CLIENT)
        .with_attr("type", "error")
        .with_attr("from", JULIET)
        .with_attr_opt("id", before.as_deref())
        .with_child(StanzaError::new(Condition::ServiceUnavailable).element());
    for session in world.server.sessions_of(&bare(ROMEO)) {
        world.server.deliver(&session, &error);
    }
    world.settle();
    assert!(matches!(world.last(romeo, JULIET).delivery, Some(Delivery::Failed(_))));
    let outcome = world.run(romeo, Command::Correct(id, "good evening".into()));
    assert_eq!(outcome, Some(Outcome::Sent(id)));
    // Whoever has the first would take the same id for it.
    assert_ne!(world.last(romeo, JULIET).origin_id, before);
    assert_eq!(archive(&world, JULIET), ["hello", "good evening"]);
}

#[test]
fn what_says_nothing_cannot_be_sent_again() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let id = world.send(romeo, JULIET, "hello");
    world.devices[romeo].reachable = false;
    world.cut(romeo);
    world.command(romeo, Command::Retract(id));
    let outcome = world.run(romeo, Command::Retry(id));
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::Invalid(_)))), "{outcome:?}");
}

#[test]
fn what_is_too_large_for_the_server_fails_and_holds_nothing_back() {
    let mut world = World::new();
    world.server.settings.limits_after.max_bytes = Some(20_000);
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    let large = world.send(romeo, JULIET, &"canary ".repeat(4000));
    world.send(romeo, JULIET, "after");
    world.settle();
    let failed = world.messages(romeo, JULIET).into_iter().find(|one| one.id == large).unwrap();
    let Some(Delivery::Failed(reason)) = failed.delivery else { panic!("{:?}", failed.delivery) };
    assert_eq!(reason, "it has 28 KiB, for all devices together, and the server takes 20");
    assert!(!world.devices[romeo].sent.contains("canary"));
    assert_eq!(world.texts(juliet, ROMEO), ["after"]);
    // What was made ready for a server that took more.
    world.server.settings.limits_after.max_bytes = None;
    world.server.forgetful = true;
    world.cut(romeo);
    world.pass(60_000);
    world.send(romeo, JULIET, &"large ".repeat(4000));
    world.server.settings.limits_after.max_bytes = Some(20_000);
    world.cut(romeo);
    world.pass(60_000);
    assert!(matches!(world.last(romeo, JULIET).delivery, Some(Delivery::Failed(_))));
    world.send(romeo, JULIET, "and after");
    world.settle();
    assert_eq!(world.texts(juliet, ROMEO), ["after", "and after"]);
}

#[test]
fn messages_wait_for_the_network_and_keep_their_order() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.devices[romeo].reachable = false;
    world.cut(romeo);
    for text in ["one", "two", "three"] {
        world.send(romeo, JULIET, text);
    }
    world.settle();
    assert_eq!(world.last(romeo, JULIET).delivery, Some(Delivery::Queued));
    world.devices[romeo].reachable = true;
    world.run(romeo, Command::Reconnect);
    let juliet = world.online(JULIET, &[]);
    assert_eq!(world.texts(juliet, ROMEO), ["one", "two", "three"]);
    assert_eq!(world.last(romeo, JULIET).delivery, Some(Delivery::Sent));
}

#[test]
fn discarding_takes_a_queued_message_back() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.devices[romeo].reachable = false;
    world.cut(romeo);
    let id = world.send(romeo, JULIET, "one");
    assert_eq!(world.run(romeo, Command::Discard(id)), Some(Outcome::Done));
    world.devices[romeo].reachable = true;
    world.run(romeo, Command::Reconnect);
    assert!(world.server.accounts[&bare(JULIET)].archive.is_empty());
    assert!(world.messages(romeo, JULIET).is_empty());
}

#[test]
fn what_was_not_sent_is_taken_back_without_a_word() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.devices[romeo].reachable = false;
    world.cut(romeo);
    let id = world.send(romeo, JULIET, "canary");
    let stanza = world.last(romeo, JULIET).origin_id.unwrap();
    assert_eq!(world.run(romeo, Command::Retract(id)), Some(Outcome::Done));
    assert!(world.messages(romeo, JULIET).is_empty());
    world.devices[romeo].reachable = true;
    world.run(romeo, Command::Reconnect);
    world.pass(10_000);
    assert!(!world.devices[romeo].sent.contains("canary"));
    assert!(!world.devices[romeo].sent.contains(&stanza));
    assert!(world.server.accounts[&bare(JULIET)].archive.is_empty());
}

#[test]
fn what_failed_before_it_left_is_taken_back_without_a_word() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.devices[romeo].reachable = false;
    world.cut(romeo);
    let id = world.send(romeo, JULIET, "canary");
    // It was written for a conversation in plain text, which is none when it could leave.
    world.run(romeo, Command::SetEncryption(bare(JULIET), EncryptionMode::Omemo));
    world.devices[romeo].reachable = true;
    world.run(romeo, Command::Reconnect);
    assert!(matches!(world.last(romeo, JULIET).delivery, Some(Delivery::Failed(_))));
    world.run(romeo, Command::SetEncryption(bare(JULIET), EncryptionMode::Plain));
    world.devices[romeo].sent.clear();
    assert_eq!(world.run(romeo, Command::Retract(id)), Some(Outcome::Done));
    assert!(world.messages(romeo, JULIET).is_empty());
    assert!(!world.devices[romeo].sent.contains("retract"));
}

#[test]
fn what_came_back_is_taken_back_for_all_who_have_it() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let id = world.send(romeo, JULIET, "hello");
    world.settle();
    let stanza = world.last(romeo, JULIET).origin_id.unwrap();
    let error = StanzaError::new(Condition::ServiceUnavailable).element();
    let bounced = Element::new("message", ns::CLIENT)
        .with_attr("type", "error")
        .with_attr("from", JULIET)
        .with_attr("to", ROMEO)
        .with_attr("id", &stanza)
        .with_child(error);
    let session = world.server.sessions_of(&bare(ROMEO)).remove(0);
    world.server.deliver(&session, &bounced);
    world.settle();
    assert!(matches!(world.last(romeo, JULIET).delivery, Some(Delivery::Failed(_))));
    assert_eq!(world.run(romeo, Command::Retract(id)), Some(Outcome::Done));
    assert!(world.devices[romeo].sent.contains("<retract"));
}

#[test]
fn a_message_is_kept_before_it_is_sent() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.devices[romeo].reachable = false;
    world.cut(romeo);
    let send =
        Command::Send { to: bare(JULIET), text: "hello".into(), reply_to: None, encryption: None };
    let number = world.command(romeo, send);
    let id = world.last(romeo, JULIET).id;
    assert_eq!(world.devices[romeo].kept, [(number, id)]);
    assert_eq!(world.devices[romeo].outcomes.get(&number), None);
    let changed = world.command(romeo, Command::Correct(id, "hello, Juliet".into()));
    assert_eq!(world.devices[romeo].kept.last(), Some(&(changed, id)));
    // What is refused was not kept.
    let kept = world.devices[romeo].kept.len();
    world.command(
        romeo,
        Command::Send { to: bare(JULIET), text: " ".into(), reply_to: None, encryption: None },
    );
    assert_eq!(world.devices[romeo].kept.len(), kept);
    world.devices[romeo].reachable = true;
    world.run(romeo, Command::Reconnect);
    assert_eq!(world.devices[romeo].outcomes.get(&changed), Some(&Outcome::Sent(id)));
}

#[test]
fn every_device_ends_with_the_same_timeline() {
    let mut world = World::new();
    let one = world.online(ROMEO, &[JULIET]);
    let other = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    world.send(one, JULIET, "one");
    world.send(other, JULIET, "other");
    world.send(juliet, ROMEO, "third");
    world.settle();
    world.pass(10_000);
    let archive = archive(&world, ROMEO);
    assert_eq!(world.texts(one, JULIET), archive);
    assert_eq!(world.texts(other, JULIET), archive);
    assert!(world.messages(one, JULIET).iter().all(|one| one.archive_id.is_some()));
}

/// Bodies in the order of the archive.
fn archive(world: &World, owner: &str) -> Vec<String> {
    let rows = world.server.accounts[&bare(owner)].archive.iter();
    let bodies = rows.filter_map(|row| row.message.child("body", xmpp::ns::CLIENT));
    bodies.map(xmpp::xml::Element::text).collect()
}

#[test]
fn a_kill_after_any_step_loses_and_doubles_nothing() {
    for every in 1..30 {
        let mut world = World::new();
        let romeo = world.online(ROMEO, &[JULIET]);
        let juliet = world.online(JULIET, &[ROMEO]);
        world.crash_every = Some(every + 1);
        for round in 0..6 {
            world.send(romeo, JULIET, &format!("from romeo {round}"));
            for _ in 0..3 {
                world.carry(romeo, true);
                world.carry(juliet, false);
            }
            world.send(juliet, ROMEO, &format!("from juliet {round}"));
            world.settle_some(40);
        }
        world.crash_every = None;
        world.pass(600_000);
        let expected = archive(&world, ROMEO);
        assert_eq!(expected.len(), 12, "killed every {every} steps: {expected:?}");
        assert_eq!(world.texts(romeo, JULIET), expected, "killed every {every} steps");
        assert_eq!(
            world.texts(juliet, ROMEO),
            archive(&world, JULIET),
            "killed every {every} steps"
        );
    }
}

#[test]
fn a_lost_session_sends_again_what_did_not_arrive() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    // The server gets it, the acknowledgement is lost.
    world.send(romeo, JULIET, "arrived");
    world.carry(romeo, true);
    world.cut(romeo);
    world.server.forgetful = true;
    world.send(romeo, JULIET, "later");
    world.pass(30_000);
    assert_eq!(archive(&world, JULIET), ["arrived", "later"]);
    assert_eq!(world.texts(romeo, JULIET), ["arrived", "later"]);
    let states: Vec<_> =
        world.messages(romeo, JULIET).into_iter().map(|message| message.delivery).collect();
    assert_eq!(states, [Some(Delivery::Sent), Some(Delivery::Sent)]);
}

#[test]
fn everything_works_over_websocket() {
    let mut world = World::new();
    world.framing = xmpp::xml::Framing::WebSocket;
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    world.send(romeo, JULIET, "hello");
    world.settle();
    assert_eq!(world.last(romeo, JULIET).delivery, Some(Delivery::Delivered));
    world.cut(romeo);
    world.send(juliet, ROMEO, "are you there?");
    world.settle();
    world.pass(10_000);
    assert!(world.devices[romeo].sent.contains("<resume "));
    assert_eq!(world.texts(romeo, JULIET), ["hello", "are you there?"]);
    assert_eq!(world.run(romeo, Command::Disconnect), Some(Outcome::Done));
    assert!(world.devices[romeo].sent.ends_with("xmpp-framing'/>"));
}

#[test]
fn a_resumed_session_goes_on_where_it_was() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    world.cut(romeo);
    world.send(juliet, ROMEO, "while you were away");
    world.settle();
    world.send(romeo, JULIET, "while I was away");
    world.pass(10_000);
    assert!(world.devices[romeo].sent.contains("<resume "));
    assert_eq!(world.texts(romeo, JULIET), archive(&world, ROMEO));
    assert_eq!(world.texts(juliet, ROMEO).len(), 2);
}
