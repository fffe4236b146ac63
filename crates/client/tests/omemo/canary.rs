//! Strings that must not be found in any byte that leaves, whatever the conversation is like.

use client::Command;
use client::effect::LocalFile;
use client::store::EncryptionMode;
use client::view::Outcome;
use xmpp::jid::BareJid;

use crate::canaries::{ALWAYS, Canaries, OLDER, OLDER_ALONE, documented, elements, in_plain_sight};
use crate::world::{World, bare};

/// The address that the server of the test gives to every file. Nobody else learns of it.
const ADDRESS: &str = "canary-address-yranac";

/// Looks in everything that a device sent: to its server, and to that with the files.
fn look_for(canaries: &Canaries, world: &World, device: usize) {
    let device = &world.devices[device];
    canaries.look_for(&device.uploaded, "with a file");
    let mut canaries = canaries.clone();
    canaries.adopt(ADDRESS);
    canaries.look_for(&device.sent, "on the stream");
}

/// A file of which everything is secret.
fn file(
    canaries: &mut Canaries,
    to_address: &BareJid,
    encryption: Option<EncryptionMode>,
) -> Command {
    let name = canaries.hatch("file");
    Command::SendFile {
        to: to_address.clone(),
        file: LocalFile(format!("/home/{}/{name}.png", canaries.hatch("folder"))),
        name: format!("{name}.png"),
        size: 1000,
        media_type: "image/png".to_owned(),
        caption: Some(canaries.hatch("caption")),
        preview: Some(client::store::Preview {
            width: 0,
            height: 0,
            thumbnail: Some(canaries.hatch_picture()),
            description: Some(canaries.hatch("description")),
            length: None,
        }),
        reply_to: None,
        encryption,
    }
}

/// Writes one of everything from one to the other.
fn chat(world: &mut World, canaries: &mut Canaries, from: usize, to: &str) {
    let to_address = bare(&format!("{to}@example.org"));
    if let Some(last) = world.messages(from, to).into_iter().rev().find(|message| !message.own) {
        world.ask(from, Command::MarkRead(to_address.clone(), last.id));
    }
    let body = canaries.hatch("body");
    assert!(matches!(world.write(from, to, &body), Some(Outcome::Sent(_))));
    let link = format!("https://example.com/{}", canaries.hatch("link"));
    world.write(from, to, &link);
    // An answer quotes what it answers.
    if let Some(first) = world.messages(from, to).into_iter().find(|message| !message.own) {
        let text = canaries.hatch("reply");
        let reply_to = Some(first.id);
        world.ask(from, Command::Send { to: to_address.clone(), text, reply_to, encryption: None });
        world.ask(from, Command::React(first.id, vec![canaries.hatch("reaction")]));
    }
    if let Some(own) = world.messages(from, to).into_iter().find(|message| message.own) {
        world.ask(from, Command::Correct(own.id, canaries.hatch("correction")));
        world.ask(from, Command::Retract(own.id));
    }
    let file = file(canaries, &to_address, None);
    assert!(matches!(world.ask(from, file), Some(Outcome::Sent(_))));
    world.ask(from, Command::Draft(to_address.clone(), canaries.hatch("draft")));
    world.ask(from, Command::Draft(to_address, String::new()));
}

fn both_chat(world: &mut World, alice: usize, bob: usize) {
    let mut canaries = Canaries::default();
    for _ in 0..2 {
        chat(world, &mut canaries, alice, "bob");
        chat(world, &mut canaries, bob, "alice");
    }
    for device in 0..world.devices.len() {
        assert!(device != alice || !world.devices[device].uploaded.is_empty());
        look_for(&canaries, world, device);
    }
}

fn plain_sight(world: &World) -> std::collections::BTreeSet<(String, String)> {
    in_plain_sight(world.log.iter().map(|(_, message)| message))
}

#[test]
fn nothing_leaves_readable_when_all_devices_have_the_newer_version() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, _, bob] =
        ["alice/phone", "alice/laptop", "bob/phone"].map(|name| world.device(name));
    both_chat(&mut world, alice, bob);
    // Not even what has no content.
    assert_eq!(plain_sight(&world), elements(&[ALWAYS]));
}

#[test]
fn nothing_leaves_readable_when_one_device_has_the_older_version_only() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, bob, laptop] =
        ["alice/phone", "bob/phone", "bob/laptop"].map(|name| world.device(name));
    world.forget_omemo2(laptop);
    both_chat(&mut world, alice, bob);
    assert!(world.log.iter().any(|(_, message)| {
        message.children().filter(|child| child.name() == "encrypted").count() == 2
    }));
    assert_eq!(plain_sight(&world), elements(&[ALWAYS, OLDER]));
}

#[test]
fn nothing_leaves_readable_when_all_devices_have_the_older_version_only() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, bob] = ["alice/phone", "bob/phone"].map(|name| world.device(name));
    world.hide_omemo2("alice");
    world.hide_omemo2("bob");
    both_chat(&mut world, alice, bob);
    assert_eq!(plain_sight(&world), elements(&[ALWAYS, OLDER, OLDER_ALONE]));
}

#[test]
fn what_leaves_in_plain_sight_is_what_the_documentation_lists() {
    let rows = [ALWAYS, OLDER, OLDER_ALONE].concat();
    let rows: Vec<&str> = rows.into_iter().map(|(row, _)| row).collect();
    assert_eq!(documented(), rows);
}

#[test]
fn nothing_leaves_readable_that_must_be_encrypted_in_a_plain_conversation() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, _] = ["alice/phone", "bob/phone"].map(|name| world.device(name));
    let with = bare("bob@example.org");
    world.ask(alice, Command::SetEncryption(with.clone(), EncryptionMode::Plain));
    let mut canaries = Canaries::default();
    let encryption = Some(EncryptionMode::Omemo);
    let text = canaries.hatch("body");
    let text = Command::Send { to: with.clone(), text, reply_to: None, encryption };
    assert!(matches!(world.ask(alice, text), Some(Outcome::Sent(_))));
    let file = file(&mut canaries, &with, encryption);
    assert!(matches!(world.ask(alice, file), Some(Outcome::Sent(_))));
    look_for(&canaries, &world, alice);
}

#[test]
#[should_panic(expected = "canary-plain-0-yranac, on the stream")]
fn what_is_in_plain_text_is_found() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, _] = ["alice/phone", "bob/phone"].map(|name| world.device(name));
    world.ask(alice, Command::SetEncryption(bare("bob@example.org"), EncryptionMode::Plain));
    let mut canaries = Canaries::default();
    world.write(alice, "bob", &canaries.hatch("plain"));
    look_for(&canaries, &world, alice);
}

#[test]
#[should_panic(expected = "with a file")]
fn a_file_in_plain_text_is_found() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, _] = ["alice/phone", "bob/phone"].map(|name| world.device(name));
    let with = bare("bob@example.org");
    let mut canaries = Canaries::default();
    let file = file(&mut canaries, &with, Some(EncryptionMode::Plain));
    world.ask(alice, file);
    look_for(&canaries, &world, alice);
}
