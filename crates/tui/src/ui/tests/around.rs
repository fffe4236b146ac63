//! Windows that do not reach to the end of a conversation.

use client::Command;
use client::store::{Delivery, Message, MessageId, Place, Position, Reply};
use client::view::{Change, Outcome};

use super::world::{ACCOUNT, JULIET, World};
use crate::ui::Action;
use crate::ui::app::Focus;
use crate::ui::event::{Event, FromCore};
use crate::ui::sample::{address, own, text};

/// Messages from one number to another; the first stands far before those of the balcony.
fn old(from: i64, to: i64) -> Vec<Message> {
    let juliet = address(JULIET);
    (from..=to).map(|id| text(id, id as u64, &juliet, &format!("message {id}"))).collect()
}

fn window(world: &mut World, messages: Vec<Message>, newer: bool) {
    world.change(Change::Window {
        conversation: address(JULIET),
        messages,
        older: true,
        newer,
        first_unread: None,
    });
}

/// Ends the last request.
fn answer(world: &mut World, outcome: Outcome) {
    let number = world.actions.iter().rev().find_map(|action| match action {
        Action::Request(_, request) => Some(request.number),
        _ => None,
    });
    world.event(Event::Core(ACCOUNT, FromCore::Done(number.unwrap(), outcome)));
}

/// In a window around a message that was found.
fn found() -> World {
    let mut world = World::balcony(80, 24);
    world.press("Ctrl-F");
    world.write("message");
    world.press("Enter");
    answer(&mut world, Outcome::Part { found: old(1050, 1050), next: None });
    world.asked();
    world.press("Enter");
    let asked = world.asked();
    assert!(
        asked.iter().any(|c| matches!(c, Command::OpenAt(_, MessageId(1050)))),
        "the window around it is opened"
    );
    window(&mut world, old(1025, 1075), true);
    world
}

#[test]
fn what_was_found_is_chosen_once_the_window_around_it_is_there() {
    let mut world = found();
    assert_eq!(world.app.focus, Focus::Message(MessageId(1050)));
    let screen = world.screen();
    assert!(screen.contains("message 1050") && screen.contains("the newest"), "{screen}");
    // Another window later does not lead there again.
    window(&mut world, old(1, 30), false);
    assert_ne!(world.app.focus, Focus::Message(MessageId(5)));
}

#[test]
fn scrolling_down_asks_for_newer_messages_and_the_end_is_one_key_away() {
    let mut world = found();
    for _ in 0..5 {
        world.press("PageDown");
    }
    let asked = world.asked();
    assert!(matches!(&asked[..], [Command::Newer(_)]), "{}", asked.len());
    let more =
        Change::Newer { conversation: address(JULIET), messages: old(1076, 1100), newer: true };
    world.change(more);
    world.press("Ctrl-End");
    assert!(matches!(&world.asked()[..], [Command::Open(_)]));
}

#[test]
fn nothing_is_marked_read_that_is_not_the_end() {
    let mut world = found();
    world.press("Esc");
    let mut juliet = world.app.conversation().unwrap().clone();
    juliet.unread = 2;
    world.asked();
    world.change(Change::Conversation(Box::new(juliet)));
    for _ in 0..3 {
        world.press("PageDown");
    }
    assert!(!world.asked().iter().any(|command| matches!(command, Command::MarkRead(..))));
}

#[test]
fn who_writes_comes_back_to_the_end() {
    let mut world = found();
    world.press("Esc");
    world.write("Good morrow");
    world.asked();
    world.press("Enter");
    let asked = world.asked();
    assert!(
        matches!(&asked[..], [Command::Open(_), Command::Send { .. }, Command::Draft(..)]),
        "{}",
        asked.len()
    );
}

#[test]
fn a_quote_leads_to_what_it_answers() {
    let mut world = World::balcony(80, 24);
    let mut answer = text(40, 30, &address(JULIET), "Ay me!");
    answer.reply = Some(Reply {
        id: "x".to_owned(),
        author: None,
        message: Some(MessageId(900)),
        quote: None,
    });
    world.change(Change::Messages { conversation: address(JULIET), messages: vec![answer] });
    world.asked();
    world.press("Up g");
    assert!(matches!(&world.asked()[..], [Command::OpenAt(_, MessageId(900))]));
    window(&mut world, old(880, 920), true);
    assert_eq!(world.app.focus, Focus::Message(MessageId(900)));
    world.press("g");
    assert!(world.app.notice.as_ref().unwrap().0.text.contains("answers no other"));
}

#[test]
fn a_long_window_begins_anew_where_one_is() {
    let mut world = World::balcony(80, 24);
    window(&mut world, old(1000, 2100), false);
    world.asked();
    for _ in 0..200 {
        world.press("PageUp");
    }
    let asked = world.asked();
    assert!(matches!(&asked[..], [Command::OpenAt(_, MessageId(1000))]), "{}", asked.len());
    window(&mut world, old(975, 1025), true);
    assert_eq!(world.app.window().unwrap().len(), 51);
    assert!(world.screen().contains("message 1000"));
    assert_eq!(world.app.focus, Focus::Composer);
}

#[test]
fn a_page_that_did_not_come_can_be_asked_for_again() {
    let mut world = World::balcony(80, 24);
    for _ in 0..10 {
        world.press("PageUp");
    }
    let number = world.actions.iter().rev().find_map(|action| match action {
        Action::Request(_, request) => Some(request.number),
        _ => None,
    });
    let failed = Outcome::Failed(client::view::Problem::Timeout);
    world.event(Event::Core(ACCOUNT, FromCore::Done(number.unwrap(), failed)));
    world.asked();
    world.press("PageUp");
    assert!(matches!(&world.asked()[..], [Command::Older(_)]));
}

#[test]
fn a_search_shows_what_it_has_and_goes_on_until_other_words_are_typed() {
    let mut world = World::balcony(80, 24);
    world.asked();
    world.press("Ctrl-F");
    world.write("message");
    world.press("Enter");
    assert!(world.screen().contains("still searching"), "{}", world.screen());
    let next = Some(Place { position: Position(1050), id: MessageId(1050) });
    answer(&mut world, Outcome::Part { found: old(1050, 1051), next });
    let screen = world.screen();
    assert!(screen.contains("message 1051") && screen.contains("still searching"), "{screen}");
    let asked = world.asked();
    let from: Vec<Option<Place>> = asked
        .into_iter()
        .filter_map(|command| match command {
            Command::Search { text, from, .. } if text == "message" => Some(from),
            _ => None,
        })
        .collect();
    assert_eq!(from, [None, next]);
    // The next part brings one that was there already.
    world.press("Enter");
    assert!(matches!(world.asked().last(), Some(Command::OpenAt(..))), "what is there can be used");

    let mut world = World::balcony(80, 24);
    world.press("Ctrl-F");
    world.write("message");
    world.press("Enter");
    answer(&mut world, Outcome::Part { found: old(1050, 1051), next });
    answer(&mut world, Outcome::Part { found: old(1049, 1050), next });
    let screen = world.screen();
    assert_eq!(screen.matches("message 1050").count(), 1, "{screen}");
    world.write("s");
    world.asked();
    assert!(!world.screen().contains("still searching"));
    world.press("Enter");
    let late = std::mem::take(&mut world.actions);
    world.write("!");
    world.actions = late;
    answer(&mut world, Outcome::Part { found: old(1060, 1060), next });
    assert_eq!(world.asked().len(), 1, "only what was asked before");
    assert!(!world.screen().contains("message 1060"), "{}", world.screen());
}

#[test]
fn the_list_of_stars_follows_other_devices() {
    let mut world = World::balcony(80, 24);
    world.write("/starred");
    world.press("Enter");
    answer(&mut world, Outcome::Found(old(1050, 1052)));
    world.press("Down");
    assert!(world.asked().iter().any(|command| matches!(command, Command::Starred(None))));
    world.change(Change::Stars);
    answer(&mut world, Outcome::Found(old(1050, 1051)));
    assert!(matches!(&world.asked()[..], [Command::Starred(None)]));
    let screen = world.screen();
    assert!(!screen.contains("message 1052") && screen.contains("message 1051"), "{screen}");
    // What was chosen is still chosen.
    world.press("Enter");
    let asked = world.asked();
    assert!(asked.iter().any(|one| matches!(one, Command::OpenAt(_, MessageId(1051)))));
    // Nobody asks when no list is shown.
    world.change(Change::Stars);
    assert!(world.asked().is_empty());
}

#[test]
fn what_waits_for_keys_says_so_and_leaves_in_plain_text_only_after_a_question() {
    let mut world = World::balcony(80, 24);
    let juliet = address(JULIET);
    let mut shown = world.app.conversation().unwrap().clone();
    shown.waits_for_keys = true;
    world.change(Change::Conversation(Box::new(shown)));
    let mut waiting = own(900, 900, &juliet, "too early");
    waiting.delivery = Some(Delivery::Queued);
    world.change(Change::Messages { conversation: juliet, messages: vec![waiting] });
    let screen = world.screen();
    assert!(screen.contains("waiting for the keys of Juli"), "{screen}");
    assert!(screen.contains("/plain"), "{screen}");
    world.asked();
    world.write("/plain");
    world.press("Enter");
    assert!(world.asked().iter().all(|one| !matches!(one, Command::SendPlain(_))));
    world.press("y");
    assert!(matches!(&world.asked()[..], [Command::SendPlain(MessageId(900))]));
}
