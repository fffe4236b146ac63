//! Strings that must not be found in any byte that leaves a private group.

use client::Command;
use client::effect::{LocalFile, Transfer, TransferEvent};
use client::store::{Content, Message, Preview};
use client::view::Outcome;

use crate::canaries::{ALWAYS, Canaries, OLDER, elements, in_plain_sight, request};
use crate::files::with_upload;
use crate::rooms::{MERCUTIO, group, join};
use crate::server::bare;
use crate::world::World;

/// Sends a file and finishes the upload. Says what left with it.
fn send_file(world: &mut World, device: usize, room: &str, canaries: &mut Canaries) -> Vec<u8> {
    let name = canaries.hatch("file");
    let file = Command::SendFile {
        to: bare(room),
        file: LocalFile(format!("/home/{}/{name}.png", canaries.hatch("folder"))),
        name: format!("{name}.png"),
        size: 1000,
        media_type: "image/png".into(),
        caption: Some(canaries.hatch("caption")),
        preview: Some(Preview {
            width: 3,
            height: 2,
            thumbnail: Some(canaries.hatch_picture()),
            description: Some(canaries.hatch("description")),
            length: None,
        }),
        reply_to: None,
        encryption: None,
    };
    let number = world.command(device, file);
    world.settle();
    let (id, transfer) = world.devices[device].transfers.remove(0);
    assert!(matches!(transfer, Transfer::Upload { cipher: Some(_), .. }));
    world.transfer(device, id, TransferEvent::Finished { size: 1000, sha256: [0; 32] });
    let outcome = world.devices[device].outcomes.get(&number);
    assert!(matches!(outcome, Some(Outcome::Sent(_))), "{outcome:?}");
    request(&transfer)
}

/// Writes one of everything.
fn chat(world: &mut World, device: usize, room: &str, canaries: &mut Canaries) {
    let text = canaries.hatch("body");
    world.send(device, room, &text);
    world.send(device, room, &format!("https://example.com/{}", canaries.hatch("link")));
    world.settle();
    let messages = world.messages(device, room);
    if let Some(first) = messages.iter().find(|message| !message.own && message.origin_id.is_some())
    {
        let (text, reply_to) = (canaries.hatch("reply"), Some(first.id));
        let reply = Command::Send { to: bare(room), text, reply_to, encryption: None };
        assert!(matches!(world.run(device, reply), Some(Outcome::Sent(_))));
        let reaction = Command::React(first.id, vec![canaries.hatch("reaction")]);
        assert_eq!(world.run(device, reaction), Some(Outcome::Done));
        world.run(device, Command::MarkRead(bare(room), first.id));
    }
    let text = |message: &&Message| matches!(message.content, Content::Text(_)) && message.own;
    let own = messages.iter().rev().find(text).expect("an own text");
    let correction = Command::Correct(own.id, canaries.hatch("correction"));
    assert_eq!(world.run(device, correction), Some(Outcome::Done));
    assert_eq!(world.run(device, Command::Retract(own.id)), Some(Outcome::Done));
    world.run(device, Command::Draft(bare(room), canaries.hatch("draft")));
    world.run(device, Command::Draft(bare(room), String::new()));
    let uploaded = send_file(world, device, room, canaries);
    canaries.look_for(&uploaded, "with a file");
}

fn in_a_group(older: bool) {
    let (mut world, romeo, juliet, room) = group();
    if older {
        world.server.add_account(MERCUTIO, "rapier");
        let mercutio = world.online(MERCUTIO, &[]);
        let nodes = &mut world.server.accounts.get_mut(&bare(MERCUTIO)).unwrap().nodes;
        nodes.retain(|name, _| !name.starts_with("urn:xmpp:omemo:2"));
        let invite =
            Command::InviteToRoom { room: bare(&room), person: bare(MERCUTIO), reason: None };
        assert_eq!(world.run(romeo, invite), Some(Outcome::Done));
        world.run(mercutio, join(&room, "Mercutio"));
    }
    with_upload(&mut world);
    world.server.forgetful = true;
    for device in [romeo, juliet] {
        world.run(device, Command::Disconnect);
        world.run(device, Command::Reconnect);
    }
    world.pass(60_000);
    let before = world.server.seen.len();
    let mut canaries = Canaries::default();
    for _ in 0..2 {
        for device in [romeo, juliet] {
            chat(&mut world, device, &room, &mut canaries);
        }
    }
    for device in [romeo, juliet] {
        canaries.look_for(world.devices[device].sent.as_bytes(), "on the stream");
    }
    let messages = world.server.seen[before..].iter().filter(|stanza| stanza.name() == "message");
    let in_room = messages.filter(|message| message.attr("type") == Some("groupchat"));
    let seen = in_plain_sight(in_room);
    // Of a room nobody tells what they received or read.
    let telling = ["request", "received", "markable", "displayed"];
    let mut listed = elements(if older { &[ALWAYS, OLDER] } else { &[ALWAYS] });
    listed.retain(|(name, _)| !telling.contains(&name.as_str()));
    assert_eq!(seen, listed);
}

#[test]
fn nothing_leaves_a_group_readable() {
    in_a_group(false);
}

#[test]
fn nothing_leaves_a_group_readable_when_one_device_has_the_older_version_only() {
    in_a_group(true);
}
