//! Links into rooms, wherever somebody gives one.

use client::Command;

use super::rooms::{command, notice, square, window};
use super::world::World;
use crate::ui::event::{Action, Event};
use crate::ui::overlay::Overlay;
use crate::ui::sample::{address, said};

/// A link into a group, as it is copied from a browser.
const PAGE: &str =
    "https://capulet.example/#/enter/feast%40rooms.capulet.example/a%20rose/The%20feast";

/// The room and the secret of the one wish to enter a room.
fn entered(asked: &[Command]) -> (&str, Option<&str>) {
    let [Command::JoinRoom { room, password, .. }] = asked else { panic!("{asked:?}") };
    (room.as_str(), password.as_ref().and_then(|secret| secret.expose_str()))
}

#[test]
fn the_page_of_a_link_leads_into_its_room_wherever_it_is_given() {
    let feast = ("feast@rooms.capulet.example", Some("a rose"));
    let mut world = World::verona(80, 24);
    world.event(Event::Paste(format!("{PAGE}\n")));
    assert!(world.screen().contains("enter this room"), "{}", world.screen());
    world.press("Enter");
    assert_eq!(entered(&world.asked()), feast);
    let mut world = square(80, 24);
    let asked = command(&mut world, &format!("/join {PAGE} Romeo"));
    assert_eq!(entered(&asked), feast);
    // What is not whole, or of another kind, is said where it was given.
    let cut = &PAGE[..60];
    assert!(command(&mut world, &format!("/join {cut}")).is_empty());
    assert!(notice(&world).contains("not whole"), "{}", notice(&world));
    world.press("Ctrl-C Ctrl-K");
    world.event(Event::Paste(cut.to_owned()));
    assert!(world.screen().contains("is not whole"), "{}", world.screen());
}

#[test]
fn a_page_in_a_message_asks_before_it_leads_into_a_room() {
    let mut world = square(80, 24);
    let text = format!("Come to {PAGE}!");
    window(&mut world, vec![said(9, 9, "Tybalt", "tybalt@capulet.example", &text)]);
    for (keys, room) in [("y", true), ("b", false), ("Esc", false)] {
        assert!(command(&mut world, "/open").is_empty());
        assert!(
            world.screen().contains("Enter feast@rooms.capulet.example?"),
            "{}",
            world.screen()
        );
        world.press(keys);
        let shown =
            world.actions.iter().any(|one| matches!(one, Action::Show(page) if page == PAGE));
        assert_eq!(shown, keys == "b");
        let asked = world.asked();
        match room {
            true => assert_eq!(entered(&asked), ("feast@rooms.capulet.example", Some("a rose"))),
            false => assert!(asked.is_empty(), "{asked:?}"),
        }
    }
}

#[test]
fn who_asks_to_be_let_in_may_have_a_link_only() {
    let mut world = square(80, 24);
    let asked = command(&mut world, &format!("/knock {PAGE}"));
    let [Command::AskToJoin { room, nick: None, words: None }] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!(*room, address("feast@rooms.capulet.example"));
}

#[test]
fn a_link_can_be_read_where_its_code_takes_all_the_room() {
    let mut world = World::verona(80, 24);
    let link =
        format!("xmpp:{}@rooms.capulet.example?join;password={}", "f".repeat(32), "s".repeat(24));
    world.app.overlay = Some(Overlay::link("An invitation for 7 days", link.clone()));
    assert!(!world.screen().contains("password"), "{}", world.screen());
    world.press("t");
    let screen = world.screen();
    assert!(screen.contains("An invitation for 7 days") && screen.contains("password"), "{screen}");
    world.press("t");
    assert!(!world.screen().contains("password"), "{}", world.screen());
    // Where there is no room for the code at all, none of the link is cut off.
    world.event(Event::Resize(40, 20));
    let shown = world.screen().replace(|c: char| c.is_whitespace() || c == '│', "");
    assert!(shown.contains(&link), "{}", world.screen());
}

#[test]
fn what_a_long_address_leads_to_is_said_on_every_screen() {
    for columns in [80, 40] {
        let mut world = World::verona(columns, 24);
        world.press("Ctrl-K");
        world.event(Event::Paste(format!("{}@rooms.capulet.example", "f".repeat(32))));
        let screen = world.screen();
        assert!(screen.contains("somebody new") && screen.contains("enter this room"), "{screen}");
    }
}
