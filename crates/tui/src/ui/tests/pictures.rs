//! Pictures in the conversation.

use std::path::PathBuf;

use client::store::{Content, Encryption, File, Message, MessageId, Preview};
use client::view::Change;

use super::world::{JULIET, World};
use crate::picture::{Canvas, Unfit, Way};
use crate::ui::app::Key;
use crate::ui::event::{Action, Event, PictureWanted, Place};
use crate::ui::sample::{address, text};

/// The picture of a garden wall, in a file.
fn garden(folder: &tempfile::TempDir) -> PathBuf {
    let path = folder.path().join("wall.png");
    let image = image::RgbImage::from_fn(64, 64, |x, y| {
        image::Rgb([(x * 3) as u8, (y * 3) as u8, if (x / 8 + y / 8) % 2 == 0 { 90 } else { 30 }])
    });
    image.save(&path).unwrap();
    path
}

/// A message of Juliet's with a picture, fetched or not.
fn message(id: i64, local: Option<String>) -> Message {
    let file = File {
        name: "orchard.png".to_owned(),
        size: Some(12_345),
        media_type: Some("image/png".to_owned()),
        url: Some("https://capulet.example/orchard.png".to_owned()),
        key: None,
        local,
        preview: None,
    };
    let content = Content::File(file, Some("The orchard".to_owned()));
    Message { content, ..text(id, 26, &address(JULIET), "") }
}

fn arrives(world: &mut World, message: Message) {
    world.change(Change::Messages { conversation: address(JULIET), messages: vec![message] });
}

/// Carries out what is wanted before something is drawn, until nothing is.
fn look(world: &mut World, canvas: Canvas) -> Vec<Action> {
    let mut others = Vec::new();
    loop {
        let mut wanted = None;
        for action in world.app.look() {
            match action {
                Action::Picture(picture) => wanted = Some(picture),
                other => others.push(other),
            }
        }
        let Some(wanted) = wanted else { return others };
        let picture = canvas.load(wanted.path.as_ref(), wanted.most);
        world.event(Event::Picture(wanted, picture));
    }
}

const BLOCKS: Canvas = Canvas { way: Way::Blocks, cell: (4, 8), tmux: false };

/// A conversation with a picture in it.
pub(super) fn orchard(columns: u16, rows: u16) -> World {
    let folder = tempfile::tempdir().unwrap();
    let path = garden(&folder).to_string_lossy().into_owned();
    let mut world = World::balcony(columns, rows);
    world.event(Event::Pictures(true));
    arrives(&mut world, message(40, Some(path)));
    look(&mut world, BLOCKS);
    world
}

#[test]
fn what_is_drawn_stays_in_its_rows_while_it_scrolls() {
    for way in [Way::Blocks, Way::Kitty, Way::Iterm2, Way::Sixel] {
        let folder = tempfile::tempdir().unwrap();
        let path = garden(&folder).to_string_lossy().into_owned();
        let mut world = World::balcony(80, 24);
        world.event(Event::Pictures(true));
        arrives(&mut world, message(40, Some(path)));
        look(&mut world, Canvas { way, ..BLOCKS });
        for _ in 0..20 {
            let buffer = world.buffer();
            let panes = world.app.panes();
            let composer = panes.composer.unwrap();
            assert_eq!(buffer[(composer.x + 1, composer.y)].symbol(), "›", "{way:?}");
            let list = panes.list.unwrap();
            for y in list.top()..list.bottom() {
                assert!(buffer[(list.x, y)].symbol().chars().count() == 1, "{way:?}");
            }
            world.press("Ctrl-Up");
        }
    }
}

#[test]
fn only_what_is_in_sight_is_read_and_only_where_pictures_are_shown() {
    let mut world = World::balcony(80, 24);
    arrives(&mut world, message(40, Some("/pictures/orchard.png".to_owned())));
    assert!(world.app.look().is_empty(), "the terminal cannot");
    world.event(Event::Pictures(true));
    let mut wanted = world.app.look();
    let Some(Action::Picture(wanted)) = wanted.pop() else { panic!("{wanted:?}") };
    // The picture of the other message is older: the newest one is read first.
    assert_eq!(wanted.path, "/pictures/orchard.png");
    world.event(Event::Picture(wanted, Err(Unfit::Missing)));
    world.event(Event::Pictures(true));
    for _ in 0..10 {
        world.press("PageUp");
    }
    for action in world.app.look() {
        let Action::Picture(PictureWanted { path, .. }) = action else { panic!("{action:?}") };
        assert_ne!(path, "/pictures/orchard.png");
    }
}

#[test]
fn a_picture_that_cannot_be_shown_says_why() {
    let mut world = World::balcony(80, 24);
    world.event(Event::Pictures(true));
    arrives(&mut world, message(40, Some("/none".to_owned())));
    look(&mut world, BLOCKS);
    assert!(world.screen().contains(&Unfit::Missing.to_string()));
}

#[test]
fn nothing_is_drawn_below_something_that_lies_over_it() {
    let mut world = orchard(80, 24);
    let is_drawn = |world: &World| world.screen().contains(['▀', '▄']);
    assert!(is_drawn(&world));
    world.press("Ctrl-K");
    assert!(!is_drawn(&world));
    world.press("Esc");
    assert!(is_drawn(&world));
}

fn downloads(actions: &[Action]) -> Vec<MessageId> {
    let downloads = actions.iter().filter_map(|action| match action {
        Action::Download { message, into: Place::Account, .. } => Some(*message),
        _ => None,
    });
    downloads.collect()
}

#[test]
fn nothing_is_fetched_unless_it_is_asked_for() {
    let mut world = World::balcony(80, 24);
    world.event(Event::Pictures(true));
    arrives(&mut world, message(40, None));
    assert!(downloads(&look(&mut world, BLOCKS)).is_empty());
    world.actions.clear();
    world.press("Up z");
    assert_eq!(downloads(&world.actions), [MessageId(40)]);
}

#[test]
fn by_itself_only_what_contacts_sent_encrypted_is_fetched_and_once() {
    let mut world = World::balcony(80, 24);
    world.app.settings.fetch_pictures = true;
    world.event(Event::Pictures(true));
    arrives(&mut world, Message { encryption: Encryption::None, ..message(41, None) });
    let mut large = message(42, None);
    if let Content::File(file, _) = &mut large.content {
        file.size = Some(1 << 30);
    }
    arrives(&mut world, large);
    assert!(downloads(&look(&mut world, BLOCKS)).is_empty());
    arrives(&mut world, message(43, None));
    assert_eq!(downloads(&look(&mut world, BLOCKS)), [MessageId(43)]);
    assert!(downloads(&look(&mut world, BLOCKS)).is_empty());

    let tybalt = address("tybalt@capulet.example");
    let mut stranger = message(44, None);
    stranger.conversation = tybalt.clone();
    stranger.sender = tybalt.clone();
    world.change(Change::Window {
        conversation: tybalt.clone(),
        messages: vec![stranger],
        older: false,
        newer: false,
        first_unread: None,
    });
    world.event(Event::GoTo(Key { account: super::world::ACCOUNT, with: tybalt }));
    assert!(world.screen().contains("orchard.png"));
    assert!(downloads(&look(&mut world, BLOCKS)).is_empty());
}

#[test]
fn a_sound_says_how_long_it_is_before_it_is_fetched() {
    let mut world = World::balcony(100, 30);
    let mut sound = message(40, None);
    let mut paper = message(41, None);
    if let Content::File(file, caption) = &mut paper.content {
        file.name = "paper.pdf".to_owned();
        file.media_type = Some("application/pdf".to_owned());
        file.preview = Some(Preview { length: Some(125_000), ..Preview::default() });
        *caption = None;
    }
    arrives(&mut world, paper);
    assert!(world.screen().contains("paper.pdf") && !world.screen().contains("2:05"));
    if let Content::File(file, caption) = &mut sound.content {
        file.name = "voice.ogg".to_owned();
        file.media_type = Some("audio/ogg".to_owned());
        file.preview = Some(Preview { length: Some(63_400), ..Preview::default() });
        *caption = None;
    }
    arrives(&mut world, sound);
    let screen = world.screen();
    assert!(screen.contains("voice.ogg") && screen.contains("1:03 · 12 kB"), "{screen}");
}
