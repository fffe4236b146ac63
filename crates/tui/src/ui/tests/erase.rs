//! Deleting on this device alone.

use client::Command;
use client::store::MessageId;
use client::view::Change;

use super::world::{JULIET, World};
use crate::ui::sample::address;

/// What is asked for once somebody is sure.
fn sure(world: &mut World, line: &str) -> Vec<Command> {
    world.write(line);
    world.press("Enter");
    assert!(asked(world).is_empty(), "it asks first");
    let screen = world.screen();
    assert!(screen.contains("Only on this device"), "{screen}");
    world.press("y");
    asked(world)
}

/// What was asked for, besides what is being written.
fn asked(world: &mut World) -> Vec<Command> {
    let mut asked = world.asked();
    asked.retain(|one| !matches!(one, Command::Draft(..)));
    asked
}

#[test]
fn a_message_a_history_and_a_conversation_are_deleted_after_a_question() {
    let mut world = World::balcony(100, 30);
    world.asked();
    let newest = sure(&mut world, "/erase");
    assert!(matches!(newest[..], [Command::DeleteHere(MessageId(_))]));
    let history = sure(&mut world, "/erase history");
    assert!(matches!(&history[..], [Command::ClearHistory(with)] if *with == address(JULIET)));
    let chat = sure(&mut world, "/erase chat");
    assert!(matches!(&chat[..], [Command::DeleteConversation(with)] if *with == address(JULIET)));
    assert!(world.app.open.is_some());
    world.change(Change::ConversationRemoved(address(JULIET)));
    assert!(world.app.open.is_none(), "it is left when it is gone");
    assert!(!world.screen().contains("Juliet Capulet"));
}

#[test]
fn the_history_on_the_server_is_deleted_after_a_question() {
    for (answer, deleted) in [("d", true), ("n", false), ("Enter", false)] {
        let mut world = World::balcony(100, 30);
        world.asked();
        world.write("/delete-history");
        world.press("Enter");
        assert!(asked(&mut world).is_empty(), "it asks first");
        let screen = world.screen();
        assert!(screen.contains("Your devices keep what they have"), "{screen}");
        world.press(answer);
        let asked = asked(&mut world);
        assert_eq!(matches!(asked[..], [Command::DeleteServerHistory]), deleted, "{answer}");
    }
}

#[test]
fn nothing_is_deleted_when_somebody_is_not_sure() {
    let mut world = World::balcony(100, 30);
    world.asked();
    for answer in ["n", "Esc"] {
        world.write("/erase history");
        world.press("Enter");
        world.press(answer);
        assert!(asked(&mut world).is_empty());
        assert!(world.app.overlay.is_none());
    }
}
