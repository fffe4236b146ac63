//! Screens as they look, compared with files. `UPDATE_SNAPSHOTS=1` writes the files anew.

use std::path::PathBuf;

use client::view::{Change, Connection, Outcome};

use super::world::{ACCOUNT, JULIET, World, connection, devices, plain_text};
use crate::ui::event::{Event, FromCore, Notice};
use crate::ui::overlay::Overlay;
use crate::ui::sample::{address, at, text};
use crate::ui::settings::Keys;

/// Compares a screen with its file.
fn compare(name: &str, screen: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("src/ui/tests/screens")
        .join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, screen).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(screen == expected, "{name} looks different now:\n{screen}\nbefore:\n{expected}");
}

/// The sizes at which a screen is compared: a small terminal, a large one, half of one.
const SIZES: [(u16, u16); 3] = [(80, 24), (140, 40), (40, 24)];

pub(super) fn at_all_sizes(name: &str, prepare: impl Fn(u16, u16) -> World) {
    for (columns, rows) in SIZES {
        compare(&format!("{name}-{columns}x{rows}"), &prepare(columns, rows).screen());
    }
}

#[test]
fn the_list_of_conversations() {
    at_all_sizes("list", World::verona);
}

#[test]
fn a_conversation() {
    at_all_sizes("conversation", World::balcony);
}

#[test]
fn a_chosen_message_and_the_keys_for_it() {
    at_all_sizes("message", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        world.press("Up Up Up");
        world
    });
}

#[test]
fn unread_messages_below_their_line() {
    at_all_sizes("unread", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        world.event(Event::Focus(false));
        let juliet = address(JULIET);
        let messages =
            vec![text(20, 27, &juliet, "Romeo!"), text(21, 28, &juliet, "Hist! Romeo, hist!")];
        world.change(Change::Messages { conversation: juliet, messages });
        world
    });
}

#[test]
fn writing_several_lines_in_answer_to_a_message() {
    at_all_sizes("writing", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        world.press("Up Enter");
        world.write("Sleep dwell upon thine eyes, peace in thy breast! Would I were sleep and peace, so sweet to rest!");
        world.press("Alt-Enter");
        world.write("Hence will I to my ghostly father's cell");
        world
    });
}

#[test]
fn a_conversation_in_plain_text_without_a_connection() {
    at_all_sizes("plain", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        plain_text(&mut world);
        let until = at("2026-11-28T14:30:30Z");
        connection(&mut world, Connection::Waiting { reason: "no network".to_owned(), until });
        world
    });
}

#[test]
fn a_stranger_who_writes() {
    at_all_sizes("request", |columns, rows| {
        let mut world = World::verona(columns, rows);
        world.open("tybalt@capulet.example");
        let tybalt = address("tybalt@capulet.example");
        let messages = vec![text(1, 24, &tybalt, "Turn thee, look upon thy death")];
        world.change(Change::Window {
            conversation: tybalt,
            messages,
            older: false,
            newer: false,
            first_unread: None,
        });
        world.event(Event::Notice(Notice::bad("there is no /fight; perhaps /file?")));
        world
    });
}

#[test]
fn going_to_somebody() {
    at_all_sizes("jump", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        world.press("Ctrl-K");
        world.write("cap");
        world
    });
}

#[test]
fn help() {
    at_all_sizes("help", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        world.press("F1");
        world
    });
}

#[test]
fn searching() {
    at_all_sizes("search", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        world.press("Ctrl-F");
        world.write("night");
        world.press("Enter");
        let juliet = address(JULIET);
        let found = vec![
            text(13, 26, &juliet, "Good night, good night!"),
            text(
                30,
                2,
                &juliet,
                "What man art thou that thus bescreen'd in night so stumblest on my counsel?",
            ),
        ];
        let number = world.actions.iter().rev().find_map(|action| match action {
            crate::ui::Action::Request(_, request) => Some(request.number),
            _ => None,
        });
        let part = Outcome::Part { found, next: None };
        world.event(Event::Core(ACCOUNT, FromCore::Done(number.unwrap(), part)));
        world
    });
}

#[test]
fn devices_of_a_contact() {
    at_all_sizes("devices", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        world.change(Change::Devices(address(JULIET), devices()));
        world.write("/devices");
        world.press("Enter");
        world
    });
}

#[test]
fn the_code_of_a_device() {
    at_all_sizes("code", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        world.change(Change::Devices(address(JULIET), devices()));
        world.write("/devices");
        world.press("Enter Q");
        world
    });
}

#[test]
fn a_contact() {
    at_all_sizes("contact", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        world.write("/contact");
        world.press("Enter");
        world
    });
}

#[test]
fn details_of_a_message() {
    at_all_sizes("details", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        world.app.select(client::store::MessageId(4));
        world.press("I");
        world
    });
}

#[test]
fn details_of_an_own_message() {
    at_all_sizes("reached", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        world.app.select(client::store::MessageId(3));
        world.press("I");
        world
    });
}

#[test]
fn an_account_whose_certificate_is_not_trusted() {
    at_all_sizes("account", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        let problem = "it is for another name: verona.example".to_owned();
        connection(&mut world, Connection::Untrusted { problem, fingerprint: [0xab; 32] });
        world.write("/account");
        world.press("Enter");
        world
    });
}

#[test]
fn a_question_before_plain_text() {
    at_all_sizes("question", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        world.write("/encrypt off");
        world.press("Enter");
        world
    });
}

#[test]
fn the_first_run() {
    at_all_sizes("welcome", |columns, rows| {
        let mut world = World::empty(columns, rows);
        world.app.overlay = Some(Overlay::welcome());
        world
    });
    at_all_sizes("invited", |columns, rows| {
        let mut world = World::empty(columns, rows);
        world.app.overlay = Some(Overlay::welcome());
        world
            .event(Event::Paste("xmpp:juliet@capulet.example?roster;preauth=abc;ibr=y".to_owned()));
        world.press("Enter");
        world.write("romeo");
        world
    });
}

#[test]
fn what_protects_a_new_account() {
    at_all_sizes("protection", |columns, rows| {
        let mut world = World::empty(columns, rows);
        world.app.overlay = Some(Overlay::welcome());
        world.app.keyring =
            Err("the program secret-tool is missing (package libsecret-tools)".to_owned());
        world.write("romeo@montague.example");
        world.press("Enter");
        world.write("star-crossed");
        world.press("Enter");
        world
    });
}

#[test]
fn several_messages_are_chosen() {
    at_all_sizes("several", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        world.press("Up v Up Up Up");
        world
    });
}

#[test]
fn normal_mode_of_vim_with_a_command_begun() {
    at_all_sizes("vim", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        world.app.settings.keys = Keys::Vim;
        world.write("so light a foot will ne'er wear out");
        world.press("Esc 2 d");
        world
    });
    at_all_sizes("colon", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        world.app.settings.keys = Keys::Vim;
        world.press("Esc :");
        world.write("set mouse on");
        world
    });
}

#[test]
fn all_keys_in_the_help() {
    at_all_sizes("keys", |columns, rows| {
        let mut world = World::balcony(columns, rows);
        world.app.settings.keys = Keys::Vim;
        world.write("/help keys");
        world.press("Enter");
        world
    });
}

#[test]
fn a_picture_in_the_conversation() {
    at_all_sizes("picture", super::pictures::orchard);
}

#[test]
fn nothing_is_there_yet() {
    at_all_sizes("nothing", |columns, rows| {
        let mut world = World::empty(columns, rows);
        world.event(Event::Account(ACCOUNT));
        connection(&mut world, Connection::Connecting);
        world
    });
}

#[test]
fn every_size_can_be_drawn() {
    for columns in [1, 2, 3, 7, 10, 20, 39, 63, 64, 65, 300] {
        for rows in [1, 2, 3, 4, 5, 8, 17, 100] {
            let mut world = World::balcony(columns, rows);
            let _ = world.screen();
            for keys in ["PageUp", "Up Up", "F1", "Esc Ctrl-K", "Esc Ctrl-F", "Esc Esc Esc"] {
                world.press(keys);
                let _ = world.screen();
            }
            for line in [
                "/devices",
                "/account",
                "/contact",
                "/members",
                "/details",
                "/encrypt off",
                "/react",
                "/login",
            ] {
                world.app.overlay = None;
                world.app.run(line, &mut Vec::new());
                let _ = world.screen();
            }
        }
    }
}
