//! What was chosen for one message, whatever its conversation says.

use client::Command;
use client::effect::{Transfer, TransferEvent};
use client::store::{Content, Conversations, Delivery, Encryption, EncryptionMode};
use client::view::{Outcome, Problem};
use xmpp::ns;

use crate::files::{send_file, with_upload};
use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";

fn write(text: &str, encryption: Option<EncryptionMode>) -> Command {
    Command::Send { to: bare(JULIET), text: text.to_owned(), reply_to: None, encryption }
}

fn mode(world: &World, device: usize) -> EncryptionMode {
    let all = world.devices[device].store.conversations().unwrap();
    all.into_iter().find(|one| one.address == bare(JULIET)).unwrap().encryption
}

/// What the server was told about the files it shall take.
fn announced(world: &World) -> Vec<String> {
    let requests = world.server.seen.iter().filter_map(|one| one.child("request", ns::HTTP_UPLOAD));
    requests.map(|request| request.attr("filename").unwrap().to_owned()).collect()
}

#[test]
fn what_must_be_encrypted_does_not_leave_otherwise_in_a_plain_conversation() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let outcome = world.run(romeo, write("canary", Some(EncryptionMode::Omemo)));
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::NotEncryptable(_)))), "{outcome:?}");
    // Not even when it is tried again: the choice is that of the message.
    let id = world.last(romeo, JULIET).id;
    let outcome = world.run(romeo, Command::Retry(id));
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::NotEncryptable(_)))), "{outcome:?}");
    assert!(!world.devices[romeo].sent.contains("canary"));
    assert_eq!(mode(&world, romeo), EncryptionMode::Plain);
    assert!(matches!(world.run(romeo, write("as usual", None)), Some(Outcome::Sent(_))));
}

#[test]
fn a_file_that_must_be_encrypted_is_uploaded_encrypted_from_a_plain_conversation() {
    let mut world = World::new();
    with_upload(&mut world);
    let romeo = world.online(ROMEO, &[JULIET]);
    world.command(romeo, send_file(Some(EncryptionMode::Omemo)));
    // The server answers after whatever else the user does.
    world.command(romeo, Command::SetEncryption(bare(JULIET), EncryptionMode::Plain));
    world.settle();
    for _ in 0..2 {
        let (_, transfer) = world.devices[romeo].transfers.remove(0);
        let Transfer::Upload { cipher: Some(_), .. } = transfer else { panic!("{transfer:?}") };
        world.crash(romeo);
        world.settle();
    }
    let (transfer, _) = world.devices[romeo].transfers.remove(0);
    world.transfer(romeo, transfer, TransferEvent::Finished { size: 1016, sha256: [0; 32] });
    // Nobody can read it here: then nothing of it leaves.
    let all = world.messages(romeo, JULIET);
    let failed = all.iter().filter(|one| matches!(one.delivery, Some(Delivery::Failed(_))));
    assert_eq!(failed.count(), 2);
    assert!(announced(&world).iter().all(|name| !name.contains("summit")));
    for canary in ["summit", "<body>look", "down.example.net"] {
        assert!(!world.devices[romeo].sent.contains(canary), "{canary}");
    }
}

#[test]
fn a_file_of_an_encrypted_conversation_stays_encrypted_while_it_waits() {
    let mut world = World::new();
    with_upload(&mut world);
    let romeo = world.online(ROMEO, &[]);
    world.devices[romeo].reachable = false;
    world.cut(romeo);
    world.command(romeo, send_file(None));
    world.command(romeo, Command::SetEncryption(bare(JULIET), EncryptionMode::Plain));
    world.crash(romeo);
    world.devices[romeo].reachable = true;
    world.run(romeo, Command::Reconnect);
    let (_, transfer) = world.devices[romeo].transfers.remove(0);
    assert!(matches!(transfer, Transfer::Upload { cipher: Some(_), .. }), "{transfer:?}");
    assert!(announced(&world).iter().all(|name| !name.contains("summit")));
}

#[test]
fn plain_text_by_choice_leaves_an_encrypted_conversation_as_it_is() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    world.devices[romeo].reachable = false;
    world.cut(romeo);
    world.command(romeo, write("chosen", Some(EncryptionMode::Plain)));
    // Killed before it could be sent: the choice is still there, and is that message's alone.
    world.crash(romeo);
    assert_eq!(mode(&world, romeo), EncryptionMode::Omemo);
    world.devices[romeo].reachable = true;
    world.run(romeo, Command::Reconnect);
    assert!(world.devices[romeo].sent.contains("chosen"));
    let message = world.last(romeo, JULIET);
    assert_eq!((message.delivery, message.encryption), (Some(Delivery::Sent), Encryption::None));
    assert_eq!(world.run(romeo, write("canary", None)), None, "it waits for keys");
    assert!(!world.devices[romeo].sent.contains("canary"));
}

#[test]
fn a_file_leaves_in_plain_text_by_choice() {
    let mut world = World::new();
    with_upload(&mut world);
    let romeo = world.online(ROMEO, &[]);
    let juliet = world.online(JULIET, &[]);
    let number = world.command(romeo, send_file(Some(EncryptionMode::Plain)));
    world.settle();
    let (id, transfer) = world.devices[romeo].transfers.remove(0);
    assert!(matches!(transfer, Transfer::Upload { cipher: None, .. }), "{transfer:?}");
    assert_eq!(announced(&world), ["summit.jpg"]);
    world.transfer(romeo, id, TransferEvent::Finished { size: 1000, sha256: [0; 32] });
    let outcome = world.devices[romeo].outcomes.get(&number);
    assert!(matches!(outcome, Some(Outcome::Sent(_))), "{outcome:?}");
    let got = world.messages(juliet, ROMEO);
    assert!(got.iter().any(|one| one.content == Content::Text("look".into())));
    assert!(got.iter().any(|one| matches!(&one.content, Content::File(file, _)
        if file.key.is_none() && file.name == "summit.jpg")));
    assert_eq!(mode(&world, romeo), EncryptionMode::Omemo);
}

#[test]
fn what_is_said_of_a_protected_message_is_protected_in_a_plain_conversation() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[]);
    let sent = world.run(romeo, write("first canary", Some(EncryptionMode::Omemo)));
    assert!(matches!(sent, Some(Outcome::Sent(_))), "{sent:?}");
    assert_eq!(mode(&world, romeo), EncryptionMode::Plain);
    let id = world.last(romeo, JULIET).id;
    world.devices[romeo].sent.clear();
    let correct = Command::Correct(id, "second canary".into());
    assert_eq!(world.run(romeo, correct), Some(Outcome::Done));
    assert_eq!(world.texts(juliet, ROMEO), ["second canary"]);
    let react = Command::React(id, vec!["👍".into()]);
    assert_eq!(world.run(romeo, react), Some(Outcome::Done));
    assert_eq!(world.last(juliet, ROMEO).reactions.len(), 1);
    assert_eq!(world.run(romeo, Command::Retract(id)), Some(Outcome::Done));
    assert_eq!(world.last(juliet, ROMEO).content, Content::Retracted);
    for canary in ["canary", "👍", "took back"] {
        assert!(!world.devices[romeo].sent.contains(canary), "{canary}");
    }
    // Juliet's own message was protected as well, and her conversation is not any more.
    world.send(juliet, ROMEO, "hers");
    world.settle();
    world.run(juliet, Command::SetEncryption(bare(ROMEO), EncryptionMode::Plain));
    let hers = world.last(romeo, JULIET);
    assert_eq!(hers.content, Content::Text("hers".into()));
    assert_eq!(world.run(romeo, Command::React(hers.id, vec!["👍".into()])), Some(Outcome::Done));
    assert_eq!(world.last(juliet, ROMEO).reactions.len(), 1);
    assert!(!world.devices[romeo].sent.contains("👍"));
}

#[test]
fn what_could_not_be_encrypted_is_gone_when_it_is_taken_back() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let outcome = world.run(romeo, write("canary", Some(EncryptionMode::Omemo)));
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::NotEncryptable(_)))), "{outcome:?}");
    let id = world.last(romeo, JULIET).id;
    world.devices[romeo].sent.clear();
    assert_eq!(world.run(romeo, Command::Retract(id)), Some(Outcome::Done));
    assert!(world.messages(romeo, JULIET).is_empty());
    assert!(!world.devices[romeo].sent.contains("retract"));
}
