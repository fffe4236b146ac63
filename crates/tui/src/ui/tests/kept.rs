//! A text is on the screen until it is on the disk.

use client::Command;
use client::view::{Change, Outcome, Problem};

use super::world::{ACCOUNT, JULIET, World};
use crate::ui::app::Purpose;
use crate::ui::event::{Action, Event, FromCore};
use crate::ui::sample::{address, text};

fn written(world: &World) -> &str {
    world.app.chat().unwrap().editor.text()
}

/// The numbers of the requests since the last call: of texts, and of drafts.
fn requests(world: &mut World) -> (Vec<u64>, Vec<u64>) {
    let (mut texts, mut drafts) = (Vec::new(), Vec::new());
    for action in std::mem::take(&mut world.actions) {
        let Action::Request(_, request) = action else { continue };
        match request.command {
            Command::Send { .. } | Command::Correct(..) => texts.push(request.number),
            Command::Draft(..) => drafts.push(request.number),
            _ => {}
        }
    }
    (texts, drafts)
}

fn send(world: &mut World, text: &str) -> u64 {
    world.write(text);
    requests(world);
    world.press("Enter");
    requests(world).0.pop().unwrap()
}

fn full(world: &mut World, number: u64) {
    let problem = Problem::Storage("the disk is full: free some space on /home".to_owned());
    world.event(Event::Core(ACCOUNT, FromCore::Done(number, Outcome::Failed(problem))));
}

fn notice(world: &World) -> Option<&str> {
    world.app.notice.as_ref().map(|(notice, _)| notice.text.as_str())
}

#[test]
fn a_text_that_a_full_disk_refuses_comes_back() {
    let mut world = World::balcony(80, 24);
    for text in ["Good night", "/me waves", "//help"] {
        let number = send(&mut world, text);
        assert_eq!(written(&world), "");
        full(&mut world, number);
        assert_eq!(written(&world), text);
        assert_eq!(notice(&world), Some("the disk is full: free some space on /home"));
        // It is a draft again, for when there is space; what begins like a command is none.
        assert_eq!(requests(&mut world).1.len(), usize::from(!text.starts_with('/')));
        world.press("Ctrl-U");
    }
}

#[test]
fn it_comes_back_before_what_was_written_since() {
    let mut world = World::balcony(80, 24);
    let first = send(&mut world, "one");
    world.write("two");
    full(&mut world, first);
    assert_eq!(written(&world), "one\ntwo");
}

#[test]
fn an_answer_comes_back_as_an_answer() {
    let mut world = World::balcony(80, 24);
    world.press("Up r");
    let number = send(&mut world, "So thrive my soul");
    full(&mut world, number);
    let chat = world.app.chat().unwrap();
    assert_eq!(chat.editor.text(), "So thrive my soul");
    assert!(matches!(chat.purpose, Purpose::Reply(_)), "{:?}", chat.purpose);
}

#[test]
fn what_is_on_disk_does_not_come_back() {
    let mut world = World::balcony(80, 24);
    let number = send(&mut world, "Good night");
    world.event(Event::Core(ACCOUNT, FromCore::Kept(number)));
    full(&mut world, number);
    assert_eq!(written(&world), "");
    assert!(notice(&world).is_some());
}

#[test]
fn a_draft_that_a_full_disk_refuses_is_kept_with_the_next_letter() {
    let mut world = World::balcony(80, 24);
    world.write("G");
    let (_, drafts) = requests(&mut world);
    let [number] = drafts[..] else { panic!("{drafts:?}") };
    world.write("o");
    assert_eq!(requests(&mut world).1.len(), 0);
    full(&mut world, number);
    assert_eq!(notice(&world), None);
    world.write("o");
    assert_eq!(requests(&mut world).1.len(), 1);
}

#[test]
fn what_comes_after_a_full_disk_is_shown_where_one_is() {
    let mut world = World::balcony(80, 24);
    let nurse = "nurse@capulet.example";
    world.open(nurse);
    world.change(window(nurse));
    world.open(JULIET);
    world.asked();
    // The core that told of messages is gone, and so is what it had open.
    world.event(Event::Core(ACCOUNT, FromCore::Anew));
    let asked = world.asked();
    assert!(matches!(&asked[..], [Command::Open(with)] if with.as_str() == JULIET), "{asked:?}");
    assert!(world.screen().contains("opening…"), "{}", world.screen());
    world.change(window(JULIET));
    assert!(world.screen().contains("Good night"), "{}", world.screen());
    world.open(nurse);
    let asked = world.asked();
    let open =
        |command: &&Command| matches!(command, Command::Open(with) if with.as_str() == nurse);
    assert_eq!(asked.iter().filter(open).count(), 1, "{asked:?}");
}

/// A window with one message.
fn window(with: &str) -> Change {
    let conversation = address(with);
    let messages = vec![text(1, 1, &conversation, "Good night")];
    Change::Window { conversation, messages, older: false, newer: false, first_unread: None }
}
