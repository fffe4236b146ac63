//! Conversations in which some devices know the older version only, and what is not protected at
//! all.

use client::Command;
use client::store::{Content, Encryption, Message, Version};
use xmpp::ns;
use xmpp::xml::Element;

use crate::world::World;

/// Alice, and Bob with a device of either kind.
fn mixed() -> (World, [usize; 3]) {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let devices = ["alice/phone", "bob/phone", "bob/laptop"].map(|name| world.device(name));
    world.forget_omemo2(devices[2]);
    world.write(devices[0], "bob", "hello");
    world.write(devices[1], "alice", "hello, Alice");
    (world, devices)
}

fn find(world: &World, device: usize, with: &str, text: &str) -> Message {
    let messages = world.messages(device, with).into_iter();
    let mut found = messages.filter(|message| message.content == Content::Text(text.to_owned()));
    found.next().unwrap_or_else(|| panic!("{text}"))
}

fn version(message: &Message) -> Option<Version> {
    match message.encryption {
        Encryption::Omemo { version, .. } => Some(version),
        Encryption::None => None,
    }
}

#[test]
fn each_device_reads_with_the_best_version_that_it_has() {
    let (world, [_, phone, laptop]) = mixed();
    assert_eq!(version(&find(&world, phone, "alice", "hello")), Some(Version::Omemo2));
    assert_eq!(version(&find(&world, laptop, "alice", "hello")), Some(Version::Legacy));
}

#[test]
fn a_reaction_is_an_answer_for_older_devices() {
    let (mut world, [alice, phone, laptop]) = mixed();
    let original = find(&world, alice, "bob", "hello, Alice");
    world.ask(alice, Command::React(original.id, vec!["👍".to_owned(), "🎉".to_owned()]));
    let reactions = &find(&world, phone, "alice", "hello, Alice").reactions;
    assert_eq!(reactions[0].emoji, ["👍", "🎉"]);
    assert_eq!(reactions[0].sender.as_str(), "alice@example.org");
    let answer = find(&world, laptop, "alice", "👍🎉");
    assert_eq!(Some(answer.reply.unwrap().id), original.origin_id);
    assert!(!world.ever_sent(alice, "👍"));
    // Taking it back cannot be said to them.
    world.ask(alice, Command::React(original.id, Vec::new()));
    let reactions = &find(&world, phone, "alice", "hello, Alice").reactions;
    assert!(reactions.iter().all(|reaction| reaction.emoji.is_empty()));
}

#[test]
fn corrections_and_retractions_reach_devices_of_both_kinds() {
    let (mut world, [alice, phone, laptop]) = mixed();
    let original = find(&world, alice, "bob", "hello");
    world.ask(alice, Command::Correct(original.id, "good morning".to_owned()));
    for device in [phone, laptop] {
        let corrected = find(&world, device, "alice", "good morning");
        assert_eq!(corrected.versions[0].1, "hello");
    }
    world.ask(alice, Command::Retract(original.id));
    for device in [phone, laptop] {
        let messages = world.messages(device, "alice");
        let retracted = messages.iter().filter(|message| message.content == Content::Retracted);
        assert_eq!(retracted.count(), 1, "{}", world.devices[device].name);
    }
    assert!(!world.ever_sent(alice, "good morning"));
}

#[test]
fn what_is_not_protected_changes_nothing_that_was() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, bob] = ["alice/phone", "bob/phone"].map(|name| world.device(name));
    world.write(bob, "alice", "original");
    world.write(alice, "bob", "answer");
    let id = |world: &World, text: &str| find(world, alice, "bob", text).origin_id.unwrap();
    for (from, id) in [
        ("bob@example.org/phone", id(&world, "original")),
        ("alice@example.org/phone", id(&world, "answer")),
    ] {
        let about = |name: &str, ns: &str| Element::new(name, ns).with_attr("id", id.as_str());
        let body = Element::new("body", ns::CLIENT).with_text("forged");
        for content in [
            vec![about("replace", ns::CORRECT), body.clone()],
            vec![about("retract", ns::RETRACT), body],
            vec![about("retract", ns::RETRACT)],
        ] {
            let forged = Element::new("message", ns::CLIENT)
                .with_attr("type", "chat")
                .with_attr("from", from)
                .with_attr("to", "alice@example.org")
                .with_attr("id", format!("forged{}", world.counter))
                .with_children(content);
            world.counter += 1;
            world.deliver(alice, forged);
        }
    }
    world.run();
    for text in ["original", "answer"] {
        assert_eq!(find(&world, alice, "bob", text).versions, []);
    }
}
