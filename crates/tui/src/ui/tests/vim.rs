//! The keys of vim: in the text, on messages, behind `:`.

use client::Command;
use client::store::MessageId;

use super::world::{JULIET, World};
use crate::ui::app::Focus;
use crate::ui::event::Action;
use crate::ui::settings::Keys;
use crate::ui::vim::Mode;

fn balcony() -> World {
    let mut world = World::balcony(80, 24);
    world.app.settings.keys = Keys::Vim;
    world
}

fn written(world: &World) -> &str {
    world.app.chat().unwrap().editor.text()
}

fn copied(world: &mut World) -> String {
    let copied = std::mem::take(&mut world.actions).into_iter().find_map(|action| match action {
        Action::Copy(text) => Some(text),
        _ => None,
    });
    copied.unwrap()
}

#[test]
fn letters_are_typed_until_escape_and_commands_afterwards() {
    let mut world = balcony();
    world.write("so light a foot");
    world.press("Esc");
    assert_eq!(world.app.vim.mode, Mode::Normal);
    world.press("0 d w A");
    world.write("!");
    assert_eq!(written(&world), "light a foot!");
    world.press("Esc");
    world.asked();
    world.press("Enter");
    assert!(
        matches!(&world.asked()[..], [Command::Send { text, .. }, ..] if text == "light a foot!")
    );
}

#[test]
fn the_messages_stand_above_the_text() {
    let mut world = balcony();
    world.write("half a thought");
    world.press("Esc k k g g");
    assert_eq!(world.app.focus, Focus::Message(MessageId(1)));
    world.press("3 j");
    assert_eq!(world.app.focus, Focus::Message(MessageId(4)));
    world.press("G j");
    assert_eq!((world.app.focus, world.app.vim.mode), (Focus::Composer, Mode::Normal));
    world.press("Esc i");
    assert_eq!((world.app.focus, world.app.vim.mode), (Focus::Composer, Mode::Insert));
    assert_eq!(written(&world), "half a thought");
}

#[test]
fn whole_screens_and_places_on_them() {
    let mut world = balcony();
    world.press("Esc Esc H");
    let Focus::Message(top) = world.app.focus else { panic!("a message") };
    world.press("M");
    let Focus::Message(middle) = world.app.focus else { panic!("a message") };
    world.press("L");
    let Focus::Message(bottom) = world.app.focus else { panic!("a message") };
    assert!(top < middle && middle < bottom, "{top:?} {middle:?} {bottom:?}");
}

#[test]
fn messages_are_copied_and_taken_back_with_two_letters() {
    let mut world = balcony();
    world.press("Esc Esc y y");
    assert_eq!(copied(&mut world), "Good night, good night!");
    world.press("k d d y");
    assert!(matches!(&world.asked()[..], [Command::Retract(MessageId(12))]));
    world.press("y Esc j");
    assert_eq!(world.app.focus, Focus::Message(MessageId(13)), "y alone did nothing");
}

#[test]
fn several_messages_are_copied_with_names_and_times() {
    let mut world = balcony();
    world.press("Esc Esc V 3 k");
    assert_eq!(world.app.marked().len(), 4);
    world.press("y");
    assert_eq!(
        copied(&mut world),
        "[2026-11-28 14:15] Juliet Capulet: /me looks from the balcony\n\
         [2026-11-28 14:20] romeo@montague.example: Lady, by yonder blessed moon I swear\n\
         [2026-11-28 14:21] romeo@montague.example: see https://moon.example/inconstant\n\
         [2026-11-28 14:26] Juliet Capulet: Good night, good night!"
    );
    assert!(world.app.marked.is_none());
    world.asked();
    world.press("G V k k d");
    assert!(world.asked().is_empty(), "it asks first");
    world.press("y");
    let asked = world.asked();
    assert!(
        matches!(&asked[..], [Command::Retract(MessageId(11)), Command::Retract(MessageId(12))]),
        "{asked:?}"
    );
}

#[test]
fn words_are_looked_for_in_both_directions() {
    let mut world = balcony();
    world.press("Esc /");
    world.write("romeo");
    world.press("Enter");
    assert_eq!(world.app.focus, Focus::Message(MessageId(1)));
    world.press("? o n Enter");
    let first = world.app.focus;
    world.press("n");
    assert_ne!(world.app.focus, first);
    world.press("N");
    assert_eq!(world.app.focus, first);
    world.press("/");
    world.write("tybalt");
    world.press("Enter");
    assert!(world.app.notice.as_ref().unwrap().0.text.contains("/search tybalt"));
}

#[test]
fn what_vim_has_behind_a_colon_works_and_so_do_all_commands() {
    let mut world = balcony();
    world.write("It is my lady");
    world.press("Esc");
    world.asked();
    world.press(": w Enter");
    assert!(
        matches!(&world.asked()[..], [Command::Send { text, .. }, ..] if text == "It is my lady")
    );
    world.press(":");
    world.write("set mouse on");
    world.press("Enter");
    assert!(world.app.settings.mouse);
    world.press(": b n Enter");
    assert_ne!(world.app.open.as_ref().unwrap().with.to_string(), JULIET);
    world.press(":");
    world.write("e juliet");
    world.press("Enter Esc :");
    world.write("mu");
    world.press("Tab Enter");
    assert!(world.asked().iter().any(|command| matches!(command, Command::Mute(..))));
    world.press(": q Enter");
    assert!(world.actions.iter().any(|action| matches!(action, Action::Quit)));
}

#[test]
fn the_next_conversation_is_gone_to_in_normal_mode() {
    let mut world = balcony();
    world.press("Esc g t");
    let next = world.app.open.clone().unwrap();
    assert_ne!(next.with.to_string(), JULIET);
    assert_eq!(world.app.vim.mode, Mode::Normal);
    world.press("g T");
    assert_eq!(world.app.open.unwrap().with.to_string(), JULIET);
}

#[test]
fn an_answer_is_typed_at_once_and_given_up_by_escape() {
    let mut world = balcony();
    world.press("Esc Esc r");
    assert_eq!(world.app.vim.mode, Mode::Insert);
    world.write("o");
    assert_eq!(written(&world), "o");
    world.press("Esc Esc");
    assert_eq!(world.app.chat().unwrap().purpose, crate::ui::app::Purpose::New);
}

#[test]
fn what_is_written_goes_to_another_program_and_comes_back() {
    let mut world = balcony();
    world.write("one");
    world.press("Ctrl-X Ctrl-E");
    let (key, text) = world
        .actions
        .iter()
        .find_map(|action| match action {
            Action::Write(key, text) => Some((key.clone(), text.clone())),
            _ => None,
        })
        .unwrap();
    assert_eq!(text, "one");
    world.event(crate::ui::Event::Written(key, "one\n\ttwo\x1b[2J\n".to_owned()));
    assert_eq!(written(&world), "one\n\ttwo[2J");
    let kept = world.asked();
    assert!(matches!(kept.last(), Some(Command::Draft(_, text)) if text.starts_with("one\n")));
    world.press("Ctrl-X a");
    assert_eq!(written(&world), "one\n\ttwo[2J", "half a command types nothing");
}
