//! What the cores say.

use client::view::{Change, Notification, Occasion, Outcome, Room};
use xmpp::jid::BareJid;

use super::list::Row;
use super::{AccountNumber, Action, App, Key, Notice, Waiting};
use crate::ui::event::FromCore;
use crate::ui::overlay::Overlay;
use crate::ui::printable::Printable;
use crate::ui::rooms;

impl App {
    pub(super) fn on_core(
        &mut self,
        number: AccountNumber,
        from: FromCore,
        actions: &mut Vec<Action>,
    ) {
        match from {
            FromCore::View(change) => self.on_change(number, change, actions),
            FromCore::Notify(notification) => self.on_notify(number, &notification, actions),
            FromCore::Kept(request) => self.kept(request),
            FromCore::Anew => self.open_anew(number, actions),
            FromCore::Done(request, outcome) => {
                let waiting = self.waiting.remove(&request).unwrap_or(Waiting::Quiet);
                self.on_done(number, waiting, outcome, actions);
            }
        }
    }

    fn on_change(&mut self, number: AccountNumber, change: Change, actions: &mut Vec<Action>) {
        let touched = touched(&change).map(|with| Key { account: number, with: with.clone() });
        if let Change::Conversation(conversation) = &change {
            let key = Key { account: number, with: conversation.address.clone() };
            self.take_draft(&key, &conversation.draft);
        }
        if let Change::Room(room) = &change {
            self.notice_passing(number, room);
        }
        if change == Change::Stars {
            self.list_stars_again(number, actions);
        }
        if let Change::ConversationRemoved(with) = &change {
            self.close_if(&Key { account: number, with: with.clone() });
        }
        let opened = matches!(change, Change::Window { .. });
        let arrived = match &change {
            Change::Messages { messages, .. } => {
                messages.iter().find(|message| !message.own).map(|message| message.id)
            }
            _ => None,
        };
        let known = arrived.is_some_and(|id| {
            let window = self.mirror(number).zip(touched.as_ref());
            window
                .and_then(|(m, key)| m.windows.get(&key.with))
                .is_some_and(|w| w.message(id).is_some())
        });
        self.accounts.entry(number).or_default().apply(change);
        if self.greeting == Some(number)
            && let Some(with) = self.first_contact(number)
        {
            self.greeting = None;
            if self.open.is_none() && self.overlay.is_none() {
                self.go_to(Key { account: number, with }, actions);
            }
        }
        let Some(key) = touched else { return };
        if opened && !self.reach_goal(&key) {
            self.show_unread(&key, actions);
        }
        if let Some(id) = arrived.filter(|_| !known) {
            self.draw_unread_line(&key, id);
        }
    }

    /// Messages with a star that are on screen are listed as they are now.
    fn list_stars_again(&mut self, number: AccountNumber, actions: &mut Vec<Action>) {
        let Some(Overlay::Search(search)) = &self.overlay else { return };
        if let Some(command) = search.again(number) {
            let turn = self.turn();
            self.ask(number, command, Waiting::Search(turn), actions);
        }
    }

    /// Who comes into the room on screen, or leaves it, is told for a moment.
    fn notice_passing(&mut self, number: AccountNumber, after: &Room) {
        let key = Key { account: number, with: after.address.clone() };
        if self.open.as_ref() != Some(&key) {
            return;
        }
        if let Some(said) = rooms::asking(self.room_of(&key), after) {
            self.say(Notice::good(Printable::line(&said).into_string()));
        }
        let said = self.room_of(&key).and_then(|before| rooms::passing(before, after));
        if let Some(said) = said {
            self.passing = Some((key, said, self.clock.now.plus(PASSING)));
        }
    }

    /// A window that has just come begins at what is unread.
    fn show_unread(&mut self, key: &Key, actions: &mut Vec<Action>) {
        let first = self.mirror(key.account).and_then(|m| m.windows.get(&key.with)?.first_unread);
        let Some(chat) = self.chats.get_mut(key) else { return };
        chat.unread_from = first;
        chat.anchor = None;
        if self.open.as_ref() != Some(key) {
            return;
        }
        if first.is_some() {
            self.scroll_to(first);
        }
        self.scroll(0, actions);
    }

    /// What arrives while nobody looks is below the unread line.
    fn draw_unread_line(&mut self, key: &Key, id: client::store::MessageId) {
        let looking = self.focused && self.open.as_ref() == Some(key);
        if let Some(chat) = self.chats.get_mut(key)
            && chat.unread_from.is_none()
            && (!looking || chat.anchor.is_some())
        {
            chat.unread_from = Some(id);
        }
    }

    fn on_notify(&mut self, number: AccountNumber, note: &Notification, actions: &mut Vec<Action>) {
        let key = Key { account: number, with: note.conversation.clone() };
        if self.focused && self.open.as_ref() == Some(&key) {
            return;
        }
        if self.settings.bell {
            actions.push(Action::Bell);
        }
        if self.settings.notify {
            let (title, text) = match &note.occasion {
                Occasion::Said { title, .. } if self.settings.hide_content => {
                    (title.as_str(), "new message")
                }
                Occasion::Said { title, text } => (title.as_str(), text.as_str()),
                Occasion::Stranger => STRANGER,
            };
            actions.push(Action::Desktop(
                Printable::line(title).into_string(),
                Printable::line(text).into_string(),
            ));
        }
    }

    fn on_done(
        &mut self,
        number: AccountNumber,
        waiting: Waiting,
        outcome: Outcome,
        actions: &mut Vec<Action>,
    ) {
        match (waiting, outcome) {
            (Waiting::Page(key), Outcome::Done) => self.end_page(&key),
            (Waiting::Page(key), Outcome::Failed(problem)) => {
                self.end_page(&key);
                self.say(Notice::bad(Printable::line(&problem.to_string()).into_string()));
            }
            (Waiting::SignIn, outcome) => self.on_signed_in(number, &outcome, actions),
            (Waiting::Search(turn), outcome) => self.on_search(number, turn, outcome, actions),
            // The disk is full, which was said, and there will be more letters.
            (Waiting::Draft(key), Outcome::Failed(_)) => self.draft_not_kept(&key),
            (waiting, Outcome::Failed(problem)) => {
                if let Waiting::Sending(sending) = waiting {
                    self.give_back(*sending, actions);
                }
                let text = Printable::line(&problem.to_string());
                self.say(Notice::bad(text.into_string()));
            }
            (Waiting::Invitation, Outcome::Text(link)) => {
                self.overlay = Some(Overlay::link("An invitation", link));
            }
            (Waiting::Invitation, Outcome::Links(links)) => {
                if let Some(link) = links.into_iter().next() {
                    let title = rooms::link_title(&link);
                    self.overlay = Some(Overlay::link(&title, link.link));
                }
            }
            (Waiting::Invitation, Outcome::Withdrawn(count)) => {
                let links = crate::ui::clock::count(count as u64, "link");
                self.say(Notice::good(format!("no link leads here any more: {links} withdrawn")));
            }
            (Waiting::Open, Outcome::Downloaded(file)) => {
                actions.extend(file.local.map(Action::Show));
            }
            (Waiting::Save, Outcome::Downloaded(file)) => {
                let place = file.local.unwrap_or(file.name);
                let text = format!("saved as {}", Printable::line(&place));
                self.say(Notice::good(text));
            }
            (_, Outcome::Verified(count)) => {
                let keys = crate::ui::clock::count(count as u64, "key");
                self.say(Notice::good(format!("{keys} verified")));
            }
            (Waiting::Enter, Outcome::Room(room)) => {
                self.notice = None;
                self.go_to(Key { account: number, with: room }, actions);
            }
            (Waiting::Devices(owner), Outcome::Devices(devices)) => {
                let change = Change::Devices(owner, devices);
                self.accounts.entry(number).or_default().apply(change);
            }
            (Waiting::Say(text), _) => self.say(Notice::good(text)),
            _ => {}
        }
    }

    fn on_search(
        &mut self,
        number: AccountNumber,
        turn: u64,
        outcome: Outcome,
        actions: &mut Vec<Action>,
    ) {
        if let Outcome::Failed(problem) = &outcome {
            self.say(Notice::bad(Printable::line(&problem.to_string()).into_string()));
        }
        let Some(Overlay::Search(search)) = &mut self.overlay else { return };
        match outcome {
            Outcome::Found(messages) => search.starred_are(number, messages),
            Outcome::Part { found, next } => {
                if let Some(command) = search.part(number, turn, found, next) {
                    self.ask(number, command, Waiting::Search(turn), actions);
                }
            }
            _ => search.failed(number, turn),
        }
    }

    /// Somebody whom an account has in its roster, if there is anybody.
    fn first_contact(&self, number: AccountNumber) -> Option<BareJid> {
        let mut contacts = self.mirror(number)?.contacts.values();
        contacts.find(|contact| contact.in_roster).map(|contact| contact.address.clone())
    }

    fn on_signed_in(
        &mut self,
        number: AccountNumber,
        outcome: &Outcome,
        actions: &mut Vec<Action>,
    ) {
        let account = self.accounts.get(&number).and_then(|mirror| mirror.account.as_ref());
        let Some(Overlay::Welcome(welcome)) = &mut self.overlay else { return };
        match outcome {
            Outcome::Failed(problem) => {
                welcome.failed(problem, account.map(|account| &account.connection));
            }
            _ => {
                let (invited, inviter) = (welcome.is_invited(), welcome.inviter());
                self.overlay = None;
                let of_it = |row: &&Row<'_>| row.key.account == number;
                let with = inviter
                    .or_else(|| self.rows().iter().find(of_it).map(|row| row.key.with.clone()))
                    .or_else(|| self.first_contact(number));
                self.greeting = (invited && with.is_none()).then_some(number);
                match with {
                    Some(with) => self.go_to(Key { account: number, with }, actions),
                    None => self.say(Notice::good("you are connected; Ctrl-K writes to somebody")),
                }
            }
        }
    }
}

/// The conversation whose messages a change is about.
fn touched(change: &Change) -> Option<&BareJid> {
    match change {
        Change::Window { conversation, .. }
        | Change::Messages { conversation, .. }
        | Change::Older { conversation, .. }
        | Change::Newer { conversation, .. } => Some(conversation),
        _ => None,
    }
}

/// What is told of somebody who is not known, and writes for the first time.
const STRANGER: (&str, &str) =
    ("Somebody new wrote to you", "They hear nothing of you until you answer.");
/// How long who comes and goes is shown, in milliseconds.
const PASSING: u64 = 8000;
