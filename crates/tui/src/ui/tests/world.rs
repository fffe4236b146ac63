//! A user interface with people in it, driven as the runtime drives it.

use client::Command;
use client::store::{
    Content, Delivery, Encryption, EncryptionMode, Event as Happened, File, Message, MessageId,
    Mute, Reaction, Reply, TrustLevel, Undecryptable, Version,
};
use client::view::{Change, Connection, Device, Presence, Preview, Readers};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::ui::app::{App, Key};
use crate::ui::clock::Clock;
use crate::ui::event::{AccountNumber, Action, Event, FromCore};
use crate::ui::sample::{self, NOW, address, at, own, text};
use crate::ui::settings::Settings;
use crate::ui::theme::{Background, Depth, Theme};
use xmpp::jid::BareJid;

pub(super) const JULIET: &str = "juliet@capulet.example";
pub(super) const ACCOUNT: AccountNumber = AccountNumber(0);

/// An application and everything it wanted to be done.
pub(super) struct World {
    pub(super) app: App,
    pub(super) actions: Vec<Action>,
}

impl World {
    /// Nobody is there.
    pub(super) fn empty(columns: u16, rows: u16) -> World {
        let theme = Theme { background: Background::Dark, depth: Depth::True };
        let clock = Clock::new(at(NOW), TimeZone::UTC);
        let app = App::new(Settings::default(), theme, clock, (columns, rows));
        World { app, actions: Vec::new() }
    }

    /// Romeo's account, with conversations of every kind.
    pub(super) fn verona(columns: u16, rows: u16) -> World {
        let mut world = World::empty(columns, rows);
        world.event(Event::Account(ACCOUNT));
        world.change(Change::Account(sample::account()));
        for (with, name, presence) in [
            (JULIET, "Juliet Capulet", Presence::Available),
            ("mercutio@verona.example", "Mercutio", Presence::Away),
            ("benvolio@montague.example", "Benvolio", Presence::Offline),
            ("nurse@capulet.example", "Nurse", Presence::Busy),
        ] {
            world.change(Change::Contact(Box::new(sample::contact(with, name, presence))));
        }
        for conversation in conversations() {
            world.change(Change::Conversation(Box::new(conversation)));
        }
        world
    }

    /// In the conversation with Juliet.
    pub(super) fn balcony(columns: u16, rows: u16) -> World {
        let mut world = World::verona(columns, rows);
        world.open(JULIET);
        world.change(Change::Window {
            conversation: address(JULIET),
            messages: messages(),
            older: true,
            newer: false,
            first_unread: None,
        });
        world
    }

    pub(super) fn event(&mut self, event: Event) {
        self.actions.extend(self.app.update(event));
    }

    pub(super) fn change(&mut self, change: Change) {
        self.event(Event::Core(ACCOUNT, FromCore::View(change)));
    }

    pub(super) fn open(&mut self, with: &str) {
        let key = Key { account: ACCOUNT, with: address(with) };
        let mut actions = Vec::new();
        self.app.go_to(key, &mut actions);
        self.actions.extend(actions);
    }

    /// Presses keys as they are written: `Ctrl-K`, `Enter`, `a`.
    pub(super) fn press(&mut self, keys: &str) {
        for key in keys.split(' ') {
            self.event(Event::Key(parsed(key)));
        }
    }

    pub(super) fn write(&mut self, text: &str) {
        for letter in text.chars() {
            self.event(Event::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE)));
        }
    }

    /// The commands that were asked for since the last call.
    pub(super) fn asked(&mut self) -> Vec<Command> {
        let actions = std::mem::take(&mut self.actions);
        actions
            .into_iter()
            .filter_map(|action| match action {
                Action::Request(_, request) => Some(request.command),
                _ => None,
            })
            .collect()
    }

    pub(super) fn buffer(&self) -> Buffer {
        let (columns, rows) = self.app.size;
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| crate::ui::draw(&self.app, frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// The screen as text, without the spaces at the ends of rows.
    pub(super) fn screen(&self) -> String {
        let buffer = self.buffer();
        let mut out = String::new();
        for y in 0..buffer.area.height {
            let mut row = String::new();
            let mut skip = 0;
            for x in 0..buffer.area.width {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                let symbol = buffer[(x, y)].symbol();
                skip = crate::ui::text::width(symbol).saturating_sub(1);
                row.push_str(symbol);
            }
            out.push_str(row.trim_end());
            out.push('\n');
        }
        out
    }
}

/// A key from how it is written.
fn parsed(written: &str) -> KeyEvent {
    let mut modifiers = KeyModifiers::NONE;
    let mut rest = written;
    for (prefix, modifier) in [
        ("Ctrl-", KeyModifiers::CONTROL),
        ("Alt-", KeyModifiers::ALT),
        ("Shift-", KeyModifiers::SHIFT),
    ] {
        if let Some(after) = rest.strip_prefix(prefix) {
            modifiers |= modifier;
            rest = after;
        }
    }
    let code = match rest {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Backspace" => KeyCode::Backspace,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "PageUp" => KeyCode::PageUp,
        "PageDown" => KeyCode::PageDown,
        "End" => KeyCode::End,
        "Space" => KeyCode::Char(' '),
        "F1" => KeyCode::F(1),
        letter => {
            let letter = letter.chars().next().unwrap();
            let control = modifiers != KeyModifiers::NONE;
            KeyCode::Char(if control { letter.to_ascii_lowercase() } else { letter })
        }
    };
    KeyEvent::new(code, modifiers)
}

fn conversations() -> Vec<client::view::Conversation> {
    let of = sample::conversation;
    let mut juliet = of(JULIET, "Juliet Capulet", 26, "Good night, good night!");
    juliet.readers = Readers { theirs: 2, own: 1, left_out: 0, verified: true };
    let mut mercutio =
        of("mercutio@verona.example", "Mercutio", 25, "A plague o' both your houses!");
    mercutio.unread = 3;
    let mut benvolio = of("benvolio@montague.example", "Benvolio", 20, "");
    benvolio.preview = Some(Preview {
        own: true,
        author: None,
        text: "In love? Out of her favour".to_owned(),
        said: true,
        time: at("2026-11-27T09:00:00Z"),
        delivery: Some(Delivery::Delivered),
    });
    let mut nurse = of("nurse@capulet.example", "Nurse", 22, "Anon!");
    nurse.typing = vec!["Nurse".to_owned()];
    let mut friar = of("laurence@cell.example", "Friar Laurence", 18, "Wisely and slow");
    friar.draft = "Father, what news?".to_owned();
    friar.pinned = true;
    let mut rosaline = of("rosaline@capulet.example", "Rosaline", 10, "…");
    rosaline.mute = Mute::Forever;
    rosaline.unread = 12;
    let mut tybalt = of("tybalt@capulet.example", "tybalt@capulet.example", 24, "Turn and draw");
    tybalt.request = true;
    tybalt.unread = 1;
    vec![juliet, mercutio, benvolio, nurse, friar, rosaline, tybalt]
}

/// A conversation with everything a message can be.
fn messages() -> Vec<Message> {
    let juliet = address(JULIET);
    let romeo = address("romeo@montague.example");
    let yesterday = at("2026-11-27T21:58:00Z");
    let first = Message {
        time: yesterday,
        ..text(1, 1, &juliet, "O Romeo, Romeo! wherefore art thou Romeo?")
    };
    let second = Message {
        time: yesterday,
        ..text(
            2,
            2,
            &juliet,
            "Deny thy father and refuse thy name; or, if thou wilt not, be but sworn my love, and I'll no longer be a Capulet.",
        )
    };
    let mut answer = own(3, 3, &juliet, "Shall I hear more, or shall I *speak* at this?");
    let reached = |device, program: &str, delivered, read: Option<&str>| client::store::Reached {
        device,
        resource: program.to_owned(),
        program: Some(program.to_owned()),
        delivered: Some(at(delivered)),
        read: read.map(at),
    };
    answer.reached = vec![
        reached(Some(7), "Clownfish", "2026-11-28T14:06:10Z", Some("2026-11-28T14:06:40Z")),
        reached(None, "Conversations", "2026-11-28T15:30:00Z", None),
    ];
    answer.reactions = vec![Reaction {
        occupant: None,
        sender: juliet.clone(),
        emoji: vec!["👍".to_owned(), "😮".to_owned()],
        time: at(NOW),
        mark: client::store::Mark::default(),
        earlier: Vec::new(),
    }];
    let mut reply = text(
        4,
        6,
        &juliet,
        "How cam'st thou hither, tell me, and wherefore?\n> The orchard walls are high\nand hard to climb",
    );
    reply.reply = Some(Reply {
        id: "x".to_owned(),
        author: Some(romeo.clone()),
        message: Some(MessageId(3)),
        quote: None,
    });
    reply.versions = vec![(at("2026-11-28T14:07:00Z"), "How camest thou".to_owned())];
    let mut messages = vec![first, second, answer, reply];
    messages.extend(later_messages(&juliet));
    messages
}

/// What happened after that: devices, files, and what did not work.
fn later_messages(juliet: &BareJid) -> Vec<Message> {
    let device = Message {
        content: Content::Event(Happened::NewDevice {
            owner: juliet.clone(),
            device: 27_182,
            key: [3; 32],
            trusted: false,
        }),
        ..text(5, 8, juliet, "")
    };
    let mut file = own(6, 10, juliet, "");
    file.content = Content::File(
        File {
            name: "orchard wall.jpg".to_owned(),
            size: Some(1_234_567),
            media_type: Some("image/jpeg".to_owned()),
            url: None,
            key: None,
            local: Some("/home/romeo/orchard wall.jpg".to_owned()),
            preview: None,
        },
        Some("With love's light wings".to_owned()),
    );
    file.delivery = Some(Delivery::Sent);
    let retracted = Message { content: Content::Retracted, ..text(7, 12, juliet, "") };
    let undecryptable = Message {
        content: Content::Undecryptable(Undecryptable::NotForThisDevice),
        ..text(8, 13, juliet, "")
    };
    let plain =
        Message { encryption: Encryption::None, ..text(9, 14, juliet, "I hear some noise within") };
    let me = text(10, 15, juliet, "/me looks from the balcony");
    let mut failed = own(11, 20, juliet, "Lady, by yonder blessed moon I swear");
    failed.delivery = Some(Delivery::Failed("the server does not know this address".to_owned()));
    let mut queued = own(12, 21, juliet, "see https://moon.example/inconstant");
    queued.delivery = Some(Delivery::Queued);
    let last = text(13, 26, juliet, "Good night, good night!");
    vec![device, file, retracted, undecryptable, plain, me, failed, queued, last]
}

/// Devices of Juliet's.
pub(super) fn devices() -> Vec<Device> {
    let device = |id, label: Option<&str>, trust, active| Device {
        id,
        this: false,
        label: label.map(str::to_owned),
        versions: vec![Version::Legacy, Version::Omemo2],
        key: Some([id as u8; 32]),
        fingerprint: Some(["6b4e15a9"; 8].join(" ")),
        trust,
        active,
        last_used: Some(at("2026-11-28T12:30:00Z")),
        unused: false,
    };
    vec![
        device(27_182, None, TrustLevel::Undecided, true),
        device(11_235, Some("Juliet's phone"), TrustLevel::Verified, true),
        device(81_321, Some("old laptop"), TrustLevel::Blind, false),
    ]
}

pub(super) fn plain_text(world: &mut World) {
    let mut juliet = conversations().remove(0);
    juliet.encryption = EncryptionMode::Plain;
    world.change(Change::Conversation(Box::new(juliet)));
}

pub(super) fn connection(world: &mut World, connection: Connection) {
    world.change(Change::Account(client::view::Account { connection, ..sample::account() }));
}
