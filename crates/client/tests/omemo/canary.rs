//! Strings that must not be found in any byte that leaves, whatever the conversation is like.

use client::Command;
use client::effect::LocalFile;
use client::store::EncryptionMode;
use client::view::Outcome;
use xmpp::jid::BareJid;

use crate::world::{World, bare};

/// Everything that is written, with strings that occur nowhere else.
struct Canaries {
    all: Vec<String>,
}

impl Canaries {
    fn new() -> Self {
        // The address that the server of the test gives to every file.
        Self { all: vec!["canary-address-yranac".to_owned()] }
    }

    fn hatch(&mut self, what: &str) -> String {
        let canary = format!("canary-{what}-{}-yranac", self.all.len());
        self.all.push(canary.clone());
        canary
    }

    /// Looks for them in all bytes of a device, also as base64 at every offset.
    fn look_for(&self, world: &World, device: usize) {
        for canary in &self.all {
            assert!(!world.ever_sent(device, canary), "{canary}");
            for offset in 0..3 {
                // The characters of base64 that do not depend on what stands beside.
                let padded = [&vec![b' '; offset], canary.as_bytes()].concat();
                let encoded = base64(&padded[..padded.len() / 3 * 3]);
                let inner = &encoded[4..];
                assert!(!world.ever_sent(device, inner), "{canary} as base64");
            }
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks_exact(3) {
        let word = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for shift in [18, 12, 6, 0] {
            text.push(char::from(DIGITS[(word >> shift) as usize & 63]));
        }
    }
    text
}

/// A file of which everything is secret.
fn file(
    canaries: &mut Canaries,
    to_address: &BareJid,
    encryption: Option<EncryptionMode>,
) -> Command {
    Command::SendFile {
        to: to_address.clone(),
        file: LocalFile("/home/secret".to_owned()),
        name: format!("{}.png", canaries.hatch("file")),
        size: 1000,
        media_type: "image/png".to_owned(),
        caption: Some(canaries.hatch("caption")),
        preview: Some(client::store::Preview {
            width: 0,
            height: 0,
            thumbnail: Some(format!("data:image/jpeg;base64,{}", canaries.hatch("thumbnail"))),
            description: Some(canaries.hatch("description")),
        }),
        reply_to: None,
        encryption,
    }
}

/// Writes one of everything from one to the other.
fn chat(world: &mut World, canaries: &mut Canaries, from: usize, to: &str) {
    let to_address = bare(&format!("{to}@example.org"));
    let body = canaries.hatch("body");
    assert!(matches!(world.write(from, to, &body), Some(Outcome::Sent(_))));
    let link = format!("https://example.com/{}", canaries.hatch("link"));
    world.write(from, to, &link);
    // An answer quotes what it answers.
    if let Some(first) = world.messages(from, to).into_iter().find(|message| !message.own) {
        let text = canaries.hatch("reply");
        let reply_to = Some(first.id);
        world.ask(from, Command::Send { to: to_address.clone(), text, reply_to, encryption: None });
        world.ask(from, Command::MarkRead(to_address.clone(), first.id));
        world.ask(from, Command::React(first.id, vec![canaries.hatch("reaction")]));
    }
    if let Some(own) = world.messages(from, to).into_iter().find(|message| message.own) {
        world.ask(from, Command::Correct(own.id, canaries.hatch("correction")));
        world.ask(from, Command::Retract(own.id));
    }
    let file = file(canaries, &to_address, None);
    assert!(matches!(world.ask(from, file), Some(Outcome::Sent(_))));
    world.ask(from, Command::Draft(to_address, canaries.hatch("draft")));
}

fn both_chat(world: &mut World, alice: usize, bob: usize) {
    let mut canaries = Canaries::new();
    for _ in 0..2 {
        chat(world, &mut canaries, alice, "bob");
        chat(world, &mut canaries, bob, "alice");
    }
    for device in 0..world.devices.len() {
        canaries.look_for(world, device);
    }
}

#[test]
fn nothing_leaves_readable_when_all_devices_have_the_newer_version() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, _, bob] =
        ["alice/phone", "alice/laptop", "bob/phone"].map(|name| world.device(name));
    both_chat(&mut world, alice, bob);
    // Not even what has no content.
    let log = world.log.iter().map(|(_, message)| message);
    for message in log {
        for child in message.children() {
            let fine = ["encrypted", "encryption", "store", "origin-id"].contains(&child.name())
                || child.ns() == "http://jabber.org/protocol/chatstates"
                || child.ns() == "urn:xmpp:hints";
            assert!(fine, "{message:?}");
        }
    }
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
}

#[test]
fn nothing_leaves_readable_when_all_devices_have_the_older_version_only() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, bob] = ["alice/phone", "bob/phone"].map(|name| world.device(name));
    world.hide_omemo2("alice");
    world.hide_omemo2("bob");
    both_chat(&mut world, alice, bob);
}

#[test]
fn nothing_leaves_readable_that_must_be_encrypted_in_a_plain_conversation() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, _] = ["alice/phone", "bob/phone"].map(|name| world.device(name));
    let with = bare("bob@example.org");
    world.ask(alice, Command::SetEncryption(with.clone(), EncryptionMode::Plain));
    let mut canaries = Canaries::new();
    let encryption = Some(EncryptionMode::Omemo);
    let text = canaries.hatch("body");
    let text = Command::Send { to: with.clone(), text, reply_to: None, encryption };
    assert!(matches!(world.ask(alice, text), Some(Outcome::Sent(_))));
    let file = file(&mut canaries, &with, encryption);
    assert!(matches!(world.ask(alice, file), Some(Outcome::Sent(_))));
    canaries.look_for(&world, alice);
}

#[test]
fn the_strings_would_be_found() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, _] = ["alice/phone", "bob/phone"].map(|name| world.device(name));
    let with = bare("bob@example.org");
    world.ask(alice, Command::SetEncryption(with, EncryptionMode::Plain));
    let canary = Canaries::new().hatch("plain");
    world.write(alice, "bob", &canary);
    assert!(world.ever_sent(alice, &canary));
    assert_eq!(base64(b"hello, Bob!."), "aGVsbG8sIEJvYiEu");
}
