//! Looking through own history.

use client::Command;
use client::command::MAX_SEARCH_BYTES;
use client::store::{Content, File, FileKind, Message, Place, Position, Timeline};
use client::view::{Outcome, Problem};

use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";

fn search(text: &str, from: Option<Place>) -> Command {
    Command::Search { text: text.into(), conversation: None, from }
}

/// All parts, to the end.
fn parts(
    world: &mut World,
    device: usize,
    ask: impl Fn(Option<Place>) -> Command,
) -> Vec<Vec<Message>> {
    let (mut from, mut all) = (None, Vec::new());
    loop {
        let Some(Outcome::Part { found, next }) = world.run(device, ask(from)) else { panic!() };
        all.push(found);
        if next.is_none() {
            return all;
        }
        from = next;
    }
}

/// Puts `count` messages into the history of somebody, which differ in what they say.
fn fill(world: &mut World, device: usize, count: u64, content: impl Fn(u64) -> Content) {
    let other = world.online(JULIET, &[ROMEO]);
    world.send(other, ROMEO, "the first");
    world.settle();
    let first = world.last(device, JULIET);
    for number in 1..=count {
        let position = Position(first.position.0 + number);
        let made = Message {
            position,
            content: content(number),
            origin_id: None,
            archive_id: None,
            ..first.clone()
        };
        world.devices[device].store.append(&made).unwrap();
    }
}

#[test]
fn history_can_be_searched_for_several_words() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    world.send(romeo, JULIET, "But SOFT, what light");
    world.send(juliet, ROMEO, "good night");
    world.settle();
    let found = parts(&mut world, romeo, |from| search("light  soft", from)).concat();
    assert_eq!(found.len(), 1);
    assert_eq!(parts(&mut world, romeo, |from| search("light night", from)), [vec![]]);
    for nothing in ["", " \n"] {
        assert_eq!(parts(&mut world, romeo, |from| search(nothing, from)), [vec![]]);
    }
    let long = "a".repeat(MAX_SEARCH_BYTES + 1);
    let refused = world.run(romeo, search(&long, None));
    assert!(matches!(refused, Some(Outcome::Failed(Problem::Invalid(_)))), "{refused:?}");
}

#[test]
fn a_search_of_a_long_history_comes_in_parts() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let said = |number| if number == 3 { "the needle" } else { "hay" };
    fill(&mut world, romeo, 1200, |number| Content::Text(said(number).into()));
    let rare = parts(&mut world, romeo, |from| search("needle", from));
    assert!(rare.len() > 1, "one part");
    assert_eq!(rare.concat().len(), 1);
    let often = parts(&mut world, romeo, |from| search("HAY", from));
    assert!(often.iter().all(|part| part.len() < 500), "a part is limited");
    let often: Vec<Position> = often.concat().iter().map(|message| message.position).collect();
    assert_eq!(often.len(), 1199);
    assert!(often.is_sorted_by(|newer, older| newer > older), "the newest first");
}

#[test]
fn files_of_a_conversation_come_from_the_whole_history() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let file = |number: u64| File {
        name: format!("{number}.{}", if number.is_multiple_of(2) { "png" } else { "pdf" }),
        size: None,
        media_type: None,
        url: None,
        key: None,
        local: None,
        preview: None,
    };
    fill(&mut world, romeo, 700, |number| match number {
        1..=4 => Content::File(file(number), None),
        _ => Content::Text("a.png".into()),
    });
    let mut names = |with: &str, kinds: &[FileKind]| -> Vec<String> {
        let (conversation, kinds) = (bare(with), kinds.to_vec());
        let ask = |from| Command::Files {
            conversation: conversation.clone(),
            kinds: kinds.clone(),
            from,
        };
        let found = parts(&mut world, romeo, ask).concat();
        let name = |message: &Message| match &message.content {
            Content::File(file, _) => file.name.clone(),
            other => panic!("{other:?}"),
        };
        found.iter().map(name).collect()
    };
    assert_eq!(names(JULIET, &[FileKind::Picture]), ["4.png", "2.png"]);
    assert_eq!(names(JULIET, &FileKind::ALL), ["4.png", "3.pdf", "2.png", "1.pdf"]);
    assert_eq!(names("nurse@example.net", &FileKind::ALL), [""; 0]);
}
