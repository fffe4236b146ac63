//! Everything about a message.

use client::Command;
use client::store::{Content, Delivery, Encryption, Message, MessageId, Way};
use ratatui::crossterm::event::KeyEvent;
use ratatui::text::{Line, Span};

use super::page::{self, Move};
use super::{Action, App, Sheet, Stay};
use crate::ui::app::Waiting;
use crate::ui::printable::Printable;
use crate::ui::{text, words};

/// Everything about a message.
#[derive(Debug)]
pub struct Details {
    message: MessageId,
    scroll: usize,
}

impl Details {
    pub(super) fn new(message: MessageId, app: &mut App, actions: &mut Vec<Action>) -> Details {
        // What the devices are called that have it: the core tells of its own accord only changes.
        let shown = app.window().and_then(|window| window.message(message));
        let numbered = shown.is_some_and(|one| one.reached.iter().any(|one| one.device.is_some()));
        if let Some(key) = app.open.clone().filter(|_| numbered) {
            let waiting = Waiting::Devices(key.with.clone());
            app.ask(key.account, Command::Devices(key.with), waiting, actions);
        }
        Details { message, scroll: 0 }
    }

    pub(super) fn on_key(&mut self, key: KeyEvent) -> Stay {
        match page::read(key) {
            Move::By(by) => self.scroll = self.scroll.saturating_add_signed(by),
            Move::Leave | Move::Take | Move::Letter('q' | 'i') => return Stay::Close,
            _ => {}
        }
        Stay::Open
    }

    pub(super) fn sheet(&self, app: &App, columns: u16) -> Sheet {
        let width = usize::from(columns).min(84).saturating_sub(6);
        let lines = match app.window().and_then(|window| window.message(self.message)) {
            Some(message) => told(app, message, width),
            None => vec![text::styled("The message is no longer here.", app.theme().dim())],
        };
        let scroll = self.scroll.min(lines.len().saturating_sub(1));
        Sheet {
            title: "Details".to_owned(),
            lines: lines.into_iter().skip(scroll).collect(),
            hints: vec![("↑↓", "scroll"), ("Esc", "leave")],
            width: 84,
            ..Sheet::default()
        }
    }
}

fn told(app: &App, message: &Message, width: usize) -> Vec<Line<'static>> {
    let mut rows = Rows { app, width, lines: Vec::new() };
    if let Some(occupant) = &message.occupant {
        rows.say("from", Printable::line(&occupant.nick).as_str());
    }
    match message.occupant.is_some() && message.sender == message.conversation {
        true => rows.say("address", "hidden by the room"),
        false if message.occupant.is_some() => {
            rows.say("address", Printable::address(&message.sender).as_str());
        }
        false => rows.say("from", Printable::address(&message.sender).as_str()),
    }
    rows.say("time", &app.clock.exact(message.time));
    if let Some(delivery) = &message.delivery {
        rows.say("state", Printable::line(&state(app, message, delivery)).as_str());
    }
    reached(&mut rows, message);
    encryption(&mut rows, message);
    if let Content::Undecryptable(reason) = message.content {
        rows.say("problem", &format!("this message {}", words::undecryptable(reason)));
    }
    if let Content::File(file, _) = &message.content {
        rows.say("file", Printable::line(&file.name).as_str());
        if let Some(kind) = &file.media_type {
            rows.say("type", Printable::line(kind).as_str());
        }
        if let Some(local) = &file.local {
            rows.say("kept as", Printable::line(local).as_str());
        }
    }
    for reaction in &message.reactions {
        let own = app.open.as_ref().and_then(|key| app.mirror(key.account));
        let nick = reaction.occupant.as_ref().map(|occupant| occupant.nick.clone());
        let address =
            || own.map_or_else(|| reaction.sender.to_string(), |m| m.name(&reaction.sender));
        let name = nick.unwrap_or_else(address);
        let emoji = reaction.emoji.join(" ");
        let said = format!("{emoji} from {name}, {}", app.clock.exact(reaction.time));
        rows.say("reaction", Printable::line(&said).as_str());
    }
    for (until, version) in message.versions.iter().rev() {
        let said = format!("{version} (until {})", app.clock.exact(*until));
        rows.say("before", Printable::line(&said).as_str());
    }
    if let Some(id) = &message.origin_id {
        rows.say("id", Printable::line(id).as_str());
    }
    if let Some(id) = &message.archive_id {
        rows.say("archive id", Printable::line(id).as_str());
    }
    rows.lines
}

/// How far a message got, and what it waits for.
fn state(app: &App, message: &Message, delivery: &Delivery) -> String {
    let waits = app.conversation().filter(|one| one.waits_for_keys);
    match waits.filter(|_| *delivery == Delivery::Queued && message.way != Way::OnlyPlain) {
        Some(conversation) => words::waits_for_keys(&conversation.name),
        None => words::delivery(delivery),
    }
}

/// Which devices of the other have the message, and since when.
fn reached(rows: &mut Rows<'_>, message: &Message) {
    for one in &message.reached {
        let label = one.device.and_then(|device| {
            let open = rows.app.open.as_ref()?;
            let devices = rows.app.mirror(open.account)?.devices.get(&message.conversation)?;
            devices.iter().find(|known| known.id == device)?.label.clone()
        });
        let name = label.or_else(|| one.program.clone()).unwrap_or_else(|| "a device".to_owned());
        let clock = &rows.app.clock;
        let delivered = one.delivered.map(|time| format!("delivered {}", clock.exact(time)));
        let read = one.read.map(|time| format!("read {}", clock.exact(time)));
        let since: Vec<String> = [delivered, read].into_iter().flatten().collect();
        rows.say("reached", Printable::line(&format!("{name}, {}", since.join(", "))).as_str());
    }
}

fn encryption(rows: &mut Rows<'_>, message: &Message) {
    match message.encryption {
        Encryption::None if message.occupant.is_some() => {
            rows.say("encryption", "none: all servers of those in the room could read it");
        }
        Encryption::None => rows.say("encryption", "none: both servers could read it"),
        Encryption::Omemo { version, device, key, trust } => {
            rows.say("encryption", words::version(version));
            rows.say("device", &format!("{device}, {} when it was read", words::trust(trust)));
            // The list of devices has the key as people compare it.
            let known = rows.app.open.as_ref().and_then(|open| {
                let devices = rows.app.mirror(open.account)?.devices.get(&message.sender)?;
                devices.iter().find(|d| d.key == Some(key))?.fingerprint.clone()
            });
            if let Some(fingerprint) = known {
                rows.say("fingerprint", Printable::line(&fingerprint).as_str());
            }
        }
    }
}

/// Rows with a label each.
struct Rows<'a> {
    app: &'a App,
    width: usize,
    lines: Vec<Line<'static>>,
}

impl Rows<'_> {
    fn say(&mut self, label: &str, said: &str) {
        let theme = self.app.theme();
        let wrapped = text::wrap(&[Span::raw(said)], self.width.saturating_sub(LABEL));
        for (index, mut line) in wrapped.into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            line.spans.insert(0, Span::styled(format!("{label:LABEL$}"), theme.dim()));
            self.lines.push(line);
        }
    }
}

/// Columns of the labels.
const LABEL: usize = 13;
