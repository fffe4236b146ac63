//! What is told of people who are not known.

use client::Command;
use client::view::{Notification, Occasion};

use crate::server::bare;
use crate::world::{World, notified};

const ROMEO: &str = "romeo@example.net";
const STRANGER: &str = "stranger@example.net";

/// Romeo, and somebody of whom he knows nothing and who calls themselves something.
fn world() -> (World, usize, usize) {
    let mut world = World::new();
    world.server.add_account(STRANGER, "secret");
    let romeo = world.online(ROMEO, &[STRANGER]);
    let stranger = world.online(STRANGER, &[ROMEO]);
    (world, romeo, stranger)
}

/// What Romeo was told since the last time.
fn told(world: &mut World, romeo: usize) -> Vec<Notification> {
    world.settle();
    std::mem::take(&mut world.devices[romeo].notifications)
}

#[test]
fn a_stranger_is_told_of_once_and_without_their_words() {
    let (mut world, romeo, stranger) = world();
    world.send(stranger, ROMEO, "buy my pills");
    let first = told(&mut world, romeo);
    let [Notification { conversation, occasion: Occasion::Stranger, message: Some(_) }] =
        &first[..]
    else {
        panic!("{first:?}")
    };
    assert_eq!(*conversation, bare(STRANGER));
    world.send(stranger, ROMEO, "buy them now");
    assert_eq!(told(&mut world, romeo), []);
    // Nor by the program after this one.
    world.crash(romeo);
    world.send(stranger, ROMEO, "last chance");
    assert_eq!(told(&mut world, romeo), []);
    assert_eq!(world.texts(romeo, STRANGER).len(), 3, "nothing is lost");
}

#[test]
fn a_stranger_whose_conversation_was_deleted_is_news_again() {
    let (mut world, romeo, stranger) = world();
    world.send(stranger, ROMEO, "buy my pills");
    assert_eq!(told(&mut world, romeo).len(), 1);
    world.run(romeo, Command::DeleteConversation(bare(STRANGER)));
    assert_eq!(told(&mut world, romeo), []);
    world.send(stranger, ROMEO, "buy them now");
    let again = told(&mut world, romeo);
    assert!(matches!(&again[..], [one] if one.occasion == Occasion::Stranger), "{again:?}");
    world.send(stranger, ROMEO, "last chance");
    assert_eq!(told(&mut world, romeo), [], "once");
}

#[test]
fn what_was_missed_of_a_stranger_is_told_the_same_way() {
    let (mut world, romeo, stranger) = world();
    world.run(romeo, Command::Disconnect);
    world.send(stranger, ROMEO, "buy my pills");
    world.send(stranger, ROMEO, "buy them now");
    world.settle();
    world.run(romeo, Command::Reconnect);
    let told = told(&mut world, romeo);
    assert!(matches!(&told[..], [one] if one.occasion == Occasion::Stranger), "{told:?}");
}

#[test]
fn who_was_answered_or_became_a_contact_is_heard() {
    for contact in [false, true] {
        let (mut world, romeo, stranger) = world();
        world.send(stranger, ROMEO, "hello");
        assert_eq!(told(&mut world, romeo).len(), 1);
        match contact {
            true => drop(world.run(
                romeo,
                Command::AddContact { address: bare(STRANGER), name: Some("Friend".into()) },
            )),
            false => drop(world.send(romeo, STRANGER, "hello")),
        }
        told(&mut world, romeo);
        world.send(stranger, ROMEO, "how are you?");
        let heard = told(&mut world, romeo);
        assert_eq!(heard.iter().map(|one| notified(one).1).collect::<Vec<_>>(), ["how are you?"]);
    }
}
