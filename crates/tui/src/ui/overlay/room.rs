//! What is known of a room, and who is in it: write to them, give them a role, put them out.

use client::store::{Mute, Notify};
use client::view::{Affiliation, Member, Role};
use ratatui::crossterm::event::KeyEvent;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::page::{self, Move};
use super::{Action, App, Key, Sheet, Stay};
use crate::ui::printable::Printable;
use crate::ui::{rooms, text, words};

/// What is known of a room, and who is in it.
#[derive(Debug)]
pub struct Room {
    key: Key,
    chosen: usize,
}

impl Room {
    pub(super) fn new(key: Key) -> Room {
        Room { key, chosen: 0 }
    }

    pub(super) fn on_key(
        &mut self,
        key: KeyEvent,
        app: &mut App,
        actions: &mut Vec<Action>,
    ) -> Stay {
        let members = sorted(app.room_of(&self.key));
        let chosen = members.get(self.chosen).map(|member| (*member).clone());
        let command = match page::read(key) {
            Move::Leave | Move::Letter('q') => return Stay::Close,
            Move::By(by) => return self.go(by, members.len()),
            Move::Letter('j') => return self.go(1, members.len()),
            Move::Letter('k') => return self.go(-1, members.len()),
            Move::Take => return self.write(app, chosen, actions),
            Move::Letter('i') => {
                app.go_to(self.key.clone(), actions);
                app.begin_command("/invite ".to_owned());
                return Stay::Close;
            }
            Move::Letter('a') => "role",
            Move::Letter('x') => "kick",
            Move::Letter('b') => "ban",
            Move::Letter('d') => "devices",
            _ => return Stay::Open,
        };
        let Some(member) = chosen else { return Stay::Open };
        let who = rooms::name(&member);
        // What these do is finished in the text, where it can be thought over.
        app.go_to(self.key.clone(), actions);
        match command {
            "devices" => app.run(&format!("/devices \"{who}\""), actions),
            command => app.begin_command(format!("/{command} \"{who}\" ")),
        }
        Stay::Close
    }

    fn go(&mut self, by: isize, count: usize) -> Stay {
        self.chosen = page::moved(self.chosen, by, count);
        Stay::Open
    }

    /// Opens the conversation with somebody, whose address must be known.
    fn write(&self, app: &mut App, chosen: Option<Member>, actions: &mut Vec<Action>) -> Stay {
        let Some(with) = chosen.and_then(|member| member.address) else { return Stay::Open };
        let me = app.mirror(self.key.account).and_then(|mirror| mirror.account.as_ref());
        if me.is_none_or(|me| me.address != with) {
            app.go_to(Key { account: self.key.account, with }, actions);
        }
        Stay::Close
    }

    pub(super) fn sheet(&self, app: &App, columns: u16) -> Sheet {
        let theme = app.theme();
        let width = usize::from(columns).min(78).saturating_sub(6);
        let Some(room) = app.room_of(&self.key) else {
            let lines = vec![text::styled("Nothing is known of this room.", theme.dim())];
            return Sheet { title: "Room".to_owned(), lines, width: 78, ..Sheet::default() };
        };
        let mut lines =
            vec![text::styled(Printable::address(&room.address).into_string(), theme.dim())];
        let subject = room.subject.as_deref().filter(|subject| !subject.is_empty());
        let said = subject.map(|subject| Printable::line(subject).into_string()).into_iter();
        for said in said.chain(self.facts(app, room)) {
            lines.extend(text::wrap(&[Span::raw(said)], width));
        }
        lines.push(Line::default());
        let mut focus = None;
        for (index, member) in sorted(Some(room)).into_iter().enumerate() {
            if index == self.chosen {
                focus = Some(lines.len());
            }
            lines.push(self.row(app, room, member, index == self.chosen, width));
        }
        let mut hints = vec![("Enter", "write"), ("i", "invite")];
        if room.affiliation >= Affiliation::Admin || room.role == Role::Moderator {
            hints.extend([("a", "role"), ("x", "put out"), ("b", "ban")]);
        }
        hints.extend([("d", "devices"), ("Esc", "leave")]);
        let title = Printable::line(&room.name).into_string();
        Sheet { title, lines, focus, hints, width: 78, ..Sheet::default() }
    }

    /// What is known, in sentences.
    fn facts(&self, app: &App, room: &client::view::Room) -> Vec<String> {
        let mut said = Vec::new();
        said.extend(
            words::room_state(room).map(|state| format!("You: {}.", Printable::line(&state))),
        );
        said.push(match (room.private, room.open) {
            (true, _) => {
                "A private group: only members enter it, and they know each other.".to_owned()
            }
            (false, true) => "A public channel: everybody may enter it.".to_owned(),
            (false, false) => "Only members enter it; it hides their addresses.".to_owned(),
        });
        for one in &room.requests {
            let who = words::who_asks(&one.nick, one.address.as_ref());
            let asks = format!("{who} asks to be let in. /admit or /turn-away");
            said.push(Printable::line(&asks).into_string());
            let words = one.words.as_ref().map(|words| format!("They say: “{words}”"));
            said.extend(words.map(|words| Printable::line(&words).into_string()));
        }
        said.extend(room.asked.map(|at| {
            let at = app.clock.minute(at);
            format!("You asked to be let in, {at}. /knock withdraw takes that back.")
        }));
        let mirror = app.mirror(self.key.account);
        let conversation = mirror.and_then(|mirror| mirror.conversations.get(&self.key.with));
        said.push(match (words::unencryptable(room), conversation) {
            (Some(why), _) => format!("It cannot be encrypted: {why}."),
            (None, Some(conversation)) => {
                format!("What you write there is {}.", words::readers(conversation))
            }
            (None, None) => "What you write there is encrypted.".to_owned(),
        });
        if let (Some(mirror), Some(conversation)) = (mirror, conversation) {
            said.push(match (conversation.mute, mirror.is_quiet(conversation)) {
                (Mute::No, true) => "Only messages that name you notify: /notify all".to_owned(),
                (Mute::No, false) if conversation.notify == Notify::All || room.private => {
                    "Every message notifies: /notify mentions".to_owned()
                }
                (Mute::No, false) => String::new(),
                _ => "Nothing notifies: /notify all".to_owned(),
            });
            let kept = mirror.bookmarks.iter().find(|kept| kept.room == self.key.with);
            if kept.is_some_and(|kept| kept.autojoin) {
                said.push("All your devices enter it by themselves, until /leave.".to_owned());
            }
        }
        said.retain(|said| !said.is_empty());
        said
    }

    fn row(
        &self,
        app: &App,
        room: &client::view::Room,
        member: &Member,
        chosen: bool,
        width: usize,
    ) -> Line<'static> {
        let theme = app.theme();
        let name = Printable::line(&rooms::name(member)).into_string();
        let own = member.nick.is_some() && member.nick == room.nick;
        let style = match (own, &member.address) {
            (true, _) => theme.accent(),
            (false, Some(address)) => theme.person(address),
            (false, None) => theme.named(&name),
        };
        let (sign, sign_style) = match member.nick {
            Some(_) => ("● ", theme.good()),
            None => ("  ", Style::new()),
        };
        let mut facts: Vec<String> = Vec::new();
        facts.extend(own.then(|| "you".to_owned()));
        facts.extend(rooms::standing(member).map(str::to_owned));
        facts.extend(member.hats.iter().map(|hat| Printable::line(hat).into_string()));
        if member.nick.is_some() {
            let address = member.address.as_ref();
            facts.extend(address.map(|address| Printable::address(address).into_string()));
        }
        let facts = facts.join(" · ");
        // Half for each, and what the other does not need.
        let free = width.saturating_sub(text::width(&facts) + 6);
        let name = text::fit(&name, free.max(width / 2));
        let rest = width.saturating_sub(text::width(&name) + 6);
        let line = Line::from(vec![
            Span::raw(if chosen { "▸ " } else { "  " }),
            Span::styled(sign, sign_style),
            Span::styled(name, style.add_modifier(Modifier::BOLD)),
            Span::raw("  "),
            Span::styled(text::fit(&facts, rest), theme.dim()),
        ]);
        if chosen { line.style(theme.selected()) } else { line }
    }
}

/// Who is there first, those with more rights before the others.
fn sorted(room: Option<&client::view::Room>) -> Vec<&Member> {
    let mut members: Vec<&Member> = room.into_iter().flat_map(|room| &room.members).collect();
    members.sort_by_key(|member| {
        let away = member.nick.is_none();
        let rights = (member.affiliation, member.role);
        (away, std::cmp::Reverse(rights), rooms::name(member).to_lowercase())
    });
    members
}
