//! Tests of the commands.

use super::*;
use crate::ui::app::App;
use crate::ui::clock::Clock;
use crate::ui::event::{Event, FromCore};
use crate::ui::sample;
use crate::ui::settings::Settings;
use crate::ui::theme::{Background, Depth, Theme};
use client::store::{Content, Delivery, File};
use client::view::{Change, JoinRequest, Presence, Room};
use jiff::tz::TimeZone;

/// Romeo in a conversation where every command makes sense.
fn romeo() -> App {
    let theme = Theme { background: Background::Dark, depth: Depth::True };
    let clock = Clock::new(sample::at(sample::NOW), TimeZone::UTC);
    let mut app = App::new(Settings::default(), theme, clock, (80, 24));
    let account = AccountNumber(0);
    let juliet = sample::address("juliet@capulet.example");
    let mut failed = sample::own(3, 3, &juliet, "https://moon.example");
    failed.delivery = Some(Delivery::Failed("no reason".to_owned()));
    let mut file = sample::text(2, 2, &juliet, "");
    let name = "boat.jpg".to_owned();
    let empty = File {
        name,
        size: None,
        media_type: None,
        url: None,
        key: None,
        local: None,
        preview: None,
    };
    file.content = Content::File(empty, None);
    let messages = vec![sample::text(1, 1, &juliet, "Romeo"), file, failed];
    app.update(Event::Account(account));
    app.update(Event::Pictures(true));
    app.go_to(Key { account, with: juliet.clone() }, &mut Vec::new());
    for change in [
        Change::Account(sample::account()),
        Change::Contact(Box::new(sample::contact(
            "juliet@capulet.example",
            "Juliet",
            Presence::Away,
        ))),
        Change::Conversation(Box::new(sample::conversation(
            "juliet@capulet.example",
            "Juliet",
            1,
            "",
        ))),
        Change::Window {
            conversation: juliet,
            messages,
            older: false,
            newer: false,
            first_unread: None,
        },
    ] {
        app.update(Event::Core(account, FromCore::View(change)));
    }
    app
}

/// Romeo in a private group of his, into which others want to come.
fn in_a_room() -> App {
    let mut app = romeo();
    let account = AccountNumber(0);
    let square = sample::address(sample::SQUARE);
    let messages = vec![sample::said(9, 9, "Tybalt", "tybalt@capulet.example", "Draw!")];
    let asks = |nick: &str| JoinRequest { nick: nick.to_owned(), address: None, words: None };
    let requests = vec![asks("Mercutio"), asks("Tybalt")];
    app.go_to(Key { account, with: square.clone() }, &mut Vec::new());
    for change in [
        Change::Room(Box::new(Room { links: true, requests, ..sample::room() })),
        Change::Conversation(Box::new(sample::square(2))),
        Change::Window {
            conversation: square,
            messages,
            older: false,
            newer: false,
            first_unread: None,
        },
    ] {
        app.update(Event::Core(account, FromCore::View(change)));
    }
    app
}

#[test]
fn every_example_works_as_it_is_printed() {
    for command in COMMANDS {
        assert!(!command.examples.is_empty(), "/{} has no example", command.name);
        for example in command.examples {
            let (found, values) =
                parse(example).unwrap_or_else(|problem| panic!("{example}: {problem}"));
            assert_eq!(found.name, command.name, "{example}");
            // With somebody, or in a room.
            let done = (found.run)(&mut romeo(), &values, &mut Vec::new());
            let done = done.or_else(|_| (found.run)(&mut in_a_room(), &values, &mut Vec::new()));
            assert_eq!(done, Ok(()), "{example}");
        }
    }
}

#[test]
fn names_are_used_once() {
    let names = COMMANDS.iter().flat_map(|c| std::iter::once(c.name).chain(c.alias));
    let mut names: Vec<&str> = names.collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn only_the_last_argument_takes_the_rest_and_optional_ones_come_last() {
    for command in COMMANDS {
        let rest = command.arguments.iter().rev().skip(1).any(|a| matches!(a.kind, Kind::Rest));
        assert!(!rest, "/{}", command.name);
        assert!(command.arguments.is_sorted_by_key(|a| !a.required), "/{}", command.name);
    }
}

#[test]
fn quotes_keep_words_together() {
    let (_, values) = parse("/file \"~/our boat.jpg\" On the lake ").unwrap();
    assert_eq!((values.text(0), values.text(1)), ("~/our boat.jpg", "On the lake"));
}

#[test]
fn what_is_wrong_is_said_with_what_would_be_right() {
    let problem = |line: &str| parse(line).unwrap_err();
    assert_eq!(problem("/add"), "it is typed /add ADDRESS [NAME]");
    assert_eq!(problem("/theme pink"), "it is typed /theme auto|dark|light");
    assert_eq!(problem("/pin down"), "“down” is too much: it is typed /pin");
    assert_eq!(problem("/devises"), "there is no /devises; perhaps /devices?");
    assert!(problem("/").contains("/help"));
    assert!(problem("/ünknown").contains("/help"));
}

#[test]
fn completion_goes_as_far_as_all_candidates_agree() {
    let app = romeo();
    assert_eq!(complete(&app, "/dev"), Completion::Text("/devices ".to_owned()));
    assert_eq!(
        complete(&app, "/un"),
        Completion::Choices(["unban", "unblock", "unmute", "unpin"].map(Into::into).to_vec())
    );
    assert_eq!(complete(&app, "/theme l"), Completion::Text("/theme light ".to_owned()));
    assert_eq!(
        complete(&app, "/chat j"),
        Completion::Text("/chat juliet@capulet.example ".to_owned())
    );
    assert_eq!(complete(&app, "/nothing x"), Completion::Nothing);
    assert_eq!(complete(&app, "text"), Completion::Nothing);
}

#[test]
fn people_are_found_by_name_or_by_address() {
    let app = romeo();
    let with = |typed| person(&app, Some(typed)).map(|key| key.with.to_string());
    assert_eq!(with("juliet").as_deref(), Ok("juliet@capulet.example"));
    assert_eq!(with("paris@verona.example").as_deref(), Ok("paris@verona.example"));
    assert!(with("paris").is_err());
    assert!(with("@").is_err());
}
