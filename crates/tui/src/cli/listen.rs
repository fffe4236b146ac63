//! `clownfish listen`: messages as they come, each once, also those that came while nobody listened.
//!
//! What was printed is remembered by the number that the store gives a message, which grows with
//! every one that arrives. Messages that stand before everything that was there at login are history
//! and are not printed. Lines are printed when nothing is missing, in the archive's order; what arrived
//! live while older messages were fetched has a lower number than they, and is printed after them.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use clap::Args;
use client::Command;
use client::effect::LocalFile;
use client::store::{Content, Message, MessageId, Position};
use client::view::{Change, Connection, Outcome};
use serde_json::json;
use xmpp::jid::BareJid;

use super::ask::print;
use super::line::{json_line, text_line};
use super::printed::Printed;
use super::{Shared, deadline};
use crate::disk;
use crate::driver::{Output, files};
use crate::failure::Failure;
use crate::port::{Port, failed};
use crate::profile::{LISTENED, Profile};
use crate::twin::Twin;
use crate::ui::printable::Printable;

#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// A JSON object a line; without it, one line of text
    #[arg(long)]
    json: bool,
    /// End after so many messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after so long; an error when --count was not reached
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// Print what this account writes on its other devices as well
    #[arg(long)]
    own: bool,
    /// Fetch files into this folder before they are printed
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
}

impl Listen {
    pub(crate) fn run(self, shared: &Shared) -> Result<(), Failure> {
        let profile = shared.account()?;
        let ways = profile.ways().map_err(Failure::Usage)?;
        // Taken at once, as long as somebody reads what is printed.
        let (sender, said) = channel();
        let output = move |output| {
            // The listener may have ended.
            let _ = sender.send(output);
        };
        let port = Arc::new(Port::start(&profile, shared.unlock(&profile)?, ways, output)?);
        let socket = profile.socket();
        let _twin = Twin::serve(&socket, &port)
            .map_err(|error| Failure::Storage(disk::words(&error, &socket)))?;
        let picture = Picture::new(Printed::load(&profile).unwrap_or_default(), self.own);
        let mut listener =
            Listener { options: &self, profile: &profile, port: &port, picture, unsaved: false };
        listener.listen(&said)?;
        // Otherwise what was printed will be printed once more; the code says so.
        if listener.unsaved { listener.picture.printed.save(&profile) } else { Ok(()) }
    }
}

struct Listener<'a> {
    options: &'a Listen,
    profile: &'a Profile,
    port: &'a Port,
    picture: Picture,
    /// There was no space for what was printed.
    unsaved: bool,
}

impl Listener<'_> {
    fn listen(&mut self, said: &Receiver<Output>) -> Result<(), Failure> {
        let until = deadline(self.options.timeout.unwrap_or(super::LONGEST));
        let mut left = self.options.count.unwrap_or(u64::MAX);
        loop {
            // A command that the core was too busy for is tried again soon.
            let soon = Instant::now() + AGAIN;
            let later = Instant::now() + LATER;
            let wake = match (self.picture.wanted.is_empty(), self.unsaved) {
                (false, _) => until.min(soon),
                (true, true) => until.min(later),
                (true, false) => until,
            };
            match said.recv_timeout(wake.saturating_duration_since(Instant::now())) {
                Ok(output) => self.take(output)?,
                Err(RecvTimeoutError::Timeout) if Instant::now() >= until => {
                    return self.timed_out(left);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::Other("the account has ended".to_owned()));
                }
            }
            // Everything that was said by now, so that lines are in order.
            while let Ok(output) = said.try_recv() {
                self.take(output)?;
            }
            if self.print(&mut left)? {
                return Ok(());
            }
            if self.unsaved {
                self.remember()?;
            }
            self.ask();
        }
    }

    fn take(&mut self, output: Output) -> Result<(), Failure> {
        match output {
            Output::View(change) => {
                if let Change::Account(account) = &change {
                    say_connection(&account.connection);
                }
                self.picture.apply(change);
            }
            Output::Viewed => self.picture.whole = true,
            Output::Storage(reason) => {
                eprintln!("clownfish: {reason}; trying again");
                self.picture.begin_anew();
            }
            Output::Notify(_) | Output::Kept(_) | Output::Done(..) | Output::Anew => {}
        }
        match self.picture.hopeless {
            true => self.port.wait_online(Instant::now()).map(drop),
            false => Ok(()),
        }
    }

    /// Prints what is ready. Says whether that was all that was wanted.
    fn print(&mut self, left: &mut u64) -> Result<bool, Failure> {
        if !self.picture.is_ready() {
            return Ok(false);
        }
        let me = self.port.account().map(|account| account.address);
        let mut out = io::stdout().lock();
        while *left > 0
            && let Some(message) = self.picture.take_next()
        {
            let mut line = json_line(&message, me.as_ref());
            if let (Some(folder), Content::File(file, _)) = (&self.options.files, &message.content)
            {
                match self.fetch(folder, message.id, &file.name) {
                    Ok(path) => line["file"]["path"] = json!(path),
                    Err(failure) => line["error"] = json!(failure.to_string()),
                }
            }
            let line = if self.options.json { line.to_string() } else { text_line(&message) };
            print(&mut out, &line)?;
            // After it is printed: who is killed in between sees a line twice rather than never.
            self.remember()?;
            *left -= 1;
        }
        Ok(*left == 0)
    }

    /// Keeps what was printed. On a full disk that is said once and done later.
    fn remember(&mut self) -> Result<(), Failure> {
        let error = match self.picture.printed.write(self.profile) {
            Ok(()) => {
                self.unsaved = false;
                return Ok(());
            }
            Err(error) => error,
        };
        let words = disk::words(&error, &self.profile.path(LISTENED));
        if !disk::is_full(&error) {
            return Err(Failure::Storage(words));
        }
        if !std::mem::replace(&mut self.unsaved, true) {
            eprintln!("clownfish: {words}; until then what is printed may be printed once more");
        }
        Ok(())
    }

    fn fetch(&self, folder: &Path, id: MessageId, name: &str) -> Result<String, Failure> {
        let path = files::free_path(folder, name, |_| false);
        let path = path
            .to_str()
            .ok_or_else(|| Failure::Usage(format!("{}: the name is not text", folder.display())))?;
        let command = Command::Download(id, LocalFile(path.to_owned()));
        match self.port.call(command, Instant::now() + FETCH)? {
            Outcome::Failed(problem) => Err(failed(problem)),
            _ => Ok(path.to_owned()),
        }
    }

    fn ask(&mut self) {
        while let Some(command) = self.picture.wanted.pop_front() {
            let again = match &command {
                Command::Older(address) => Command::Older(address.clone()),
                Command::Open(address) => Command::Open(address.clone()),
                _ => continue,
            };
            if self.port.try_request(command).is_none() {
                self.picture.wanted.push_front(again);
                return;
            }
        }
    }

    fn timed_out(&self, left: u64) -> Result<(), Failure> {
        match self.options.count {
            None => Ok(()),
            Some(count) => {
                let words = format!("{} of {count} messages came in time", count - left);
                Err(Failure::Timeout(words))
            }
        }
    }
}

fn say_connection(connection: &Connection) {
    match connection {
        Connection::Online => eprintln!("clownfish: listening"),
        Connection::Waiting { reason, .. } => {
            eprintln!("clownfish: no connection: {}; trying again", Printable::line(reason));
        }
        _ => {}
    }
}

/// What is known of the messages that were not printed yet.
struct Picture {
    printed: Printed,
    own: bool,
    online: bool,
    /// No step is half told: what it brought for other conversations may belong before what is
    /// known.
    whole: bool,
    /// It will not get better without somebody doing something.
    hopeless: bool,
    pending: BTreeMap<MessageId, Message>,
    opened: HashSet<BareJid>,
    /// Where what came begins in rooms; what stands before was there before this account.
    since: HashMap<BareJid, Position>,
    /// Windows of which more is on its way.
    loading: HashSet<BareJid>,
    wanted: VecDeque<Command>,
}

impl Picture {
    fn new(printed: Printed, own: bool) -> Self {
        Self {
            printed,
            own,
            online: false,
            whole: false,
            hopeless: false,
            pending: BTreeMap::new(),
            opened: HashSet::new(),
            since: HashMap::new(),
            loading: HashSet::new(),
            wanted: VecDeque::new(),
        }
    }

    /// The core is built again, from the store: it has no windows, and tells everything once more.
    fn begin_anew(&mut self) {
        *self = Self::new(std::mem::take(&mut self.printed), self.own);
    }

    fn apply(&mut self, change: Change) {
        self.whole = false;
        match change {
            Change::Account(account) => {
                self.online = account.connection == Connection::Online;
                self.hopeless = matches!(
                    account.connection,
                    Connection::Refused(_) | Connection::Untrusted { .. }
                );
            }
            Change::Conversation(conversation)
                if conversation.order.0 > self.printed.floor
                    && !self.opened.contains(&conversation.address) =>
            {
                self.opened.insert(conversation.address.clone());
                self.loading.insert(conversation.address.clone());
                self.wanted.push_back(Command::Open(conversation.address));
            }
            Change::Window { conversation, messages, older, .. }
            | Change::Older { conversation, messages, older } => {
                self.take_page(conversation, messages, older);
            }
            Change::Messages { messages, .. } => {
                for message in messages {
                    self.take(message);
                }
            }
            Change::MessageRemoved(_, id) => drop(self.pending.remove(&id)),
            Change::Room(room) => {
                if let Some(since) = room.since {
                    let old = |message: &Message| {
                        message.conversation == room.address && message.position < since
                    };
                    self.pending.retain(|_, message| !old(message));
                    self.since.insert(room.address, since);
                }
            }
            Change::ConversationRemoved(address) => {
                self.opened.remove(&address);
                self.loading.remove(&address);
                self.pending.retain(|_, message| message.conversation != address);
            }
            _ => {}
        }
    }

    /// Goes back as far as there may be something that was not printed, and is stored here: a page
    /// that is not full is the last one of those.
    fn take_page(&mut self, conversation: BareJid, messages: Vec<Message>, older: bool) {
        let full = messages.len() >= PAGE;
        let new = messages.first().is_some_and(|first| self.is_new(first));
        for message in messages {
            self.take(message);
        }
        if full && new && older {
            self.loading.insert(conversation.clone());
            self.wanted.push_back(Command::Older(conversation));
        } else {
            self.loading.remove(&conversation);
        }
    }

    fn is_new(&self, message: &Message) -> bool {
        message.id.0 > self.printed.id
            && !self.printed.beyond.contains(&message.id.0)
            && message.position.0 > self.printed.floor
            && self.since.get(&message.conversation).is_none_or(|since| message.position >= *since)
    }

    fn take(&mut self, message: Message) {
        let says = match &message.content {
            Content::Text(_) | Content::File(..) | Content::Undecryptable(_) => true,
            Content::Retracted | Content::Event(_) => false,
        };
        if self.is_new(&message) && says && (self.own || !message.own) {
            self.pending.insert(message.id, message);
        } else {
            self.pending.remove(&message.id);
        }
    }

    /// Whether nothing is missing that belongs before what is pending.
    fn is_ready(&self) -> bool {
        self.online && self.whole && self.loading.is_empty()
    }

    /// Takes the pending message that comes first in the archive's order.
    fn take_next(&mut self) -> Option<Message> {
        let (&id, _) = self.pending.iter().min_by_key(|(_, message)| message.position)?;
        let message = self.pending.remove(&id)?;
        let waiting = self.pending.first_key_value().map(|(id, _)| *id);
        self.printed.add(id, waiting);
        Some(message)
    }
}

/// Messages in a page of a window.
const PAGE: usize = 50;
const AGAIN: Duration = Duration::from_millis(100);
/// How soon a disk that was full is tried again.
const LATER: Duration = Duration::from_secs(1);
/// How long a file may take; what comes meanwhile waits.
const FETCH: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use client::store::conformance::message;

    use super::*;

    fn account(connection: Connection) -> Change {
        Change::Account(client::view::Account {
            address: BareJid::new("juliet@example.org").unwrap(),
            connection,
            nickname: None,
            avatar: None,
            device: Some(1),
            queued: 0,
            privacy: client::view::Privacy::default(),
        })
    }

    fn conversation(address: &BareJid) -> client::view::Conversation {
        client::view::Conversation {
            address: address.clone(),
            kind: client::view::Kind::Person,
            name: String::new(),
            preview: None,
            unread: 0,
            mentions: 0,
            draft: String::new(),
            typing: Vec::new(),
            mute: client::store::Mute::No,
            notify: client::store::Notify::Usual,
            pinned: false,
            wallpaper: None,
            behind: false,
            encryption: client::store::EncryptionMode::Omemo,
            readers: client::view::Readers::default(),
            waits_for_keys: false,
            request: false,
            order: Position(200),
            shown: true,
        }
    }

    fn numbered(id: i64, position: u64) -> Message {
        Message { id: MessageId(id), ..message("romeo@example.org", position, &id.to_string()) }
    }

    fn window(messages: Vec<Message>, older: bool) -> Change {
        let conversation = BareJid::new("romeo@example.org").unwrap();
        Change::Window { conversation, messages, older, newer: false, first_unread: None }
    }

    /// The numbers of what is printed now.
    fn printed(picture: &mut Picture) -> Vec<i64> {
        match picture.is_ready() {
            true => {
                std::iter::from_fn(|| picture.take_next()).map(|message| message.id.0).collect()
            }
            false => Vec::new(),
        }
    }

    /// Changes of one step.
    fn step(picture: &mut Picture, changes: impl IntoIterator<Item = Change>) {
        changes.into_iter().for_each(|change| picture.apply(change));
        picture.whole = true;
    }

    fn picture() -> Picture {
        let mut picture = Picture::new(Printed { id: 10, floor: 100, ..Printed::default() }, false);
        picture.loading.insert(BareJid::new("romeo@example.org").unwrap());
        picture
    }

    #[test]
    fn only_what_came_since_the_last_time_is_printed_and_in_order() {
        let mut picture = picture();
        let own = Message { own: true, ..numbered(15, 206) };
        // 12 is an old message that was fetched later.
        let page =
            vec![numbered(12, 50), numbered(10, 200), numbered(14, 204), numbered(13, 205), own];
        step(&mut picture, [window(page, true)]);
        assert_eq!(printed(&mut picture), [0; 0]);
        step(&mut picture, [account(Connection::CatchingUp)]);
        assert_eq!(printed(&mut picture), [0; 0]);
        step(&mut picture, [account(Connection::Online)]);
        // What arrived while the page was fetched stands behind it.
        assert_eq!(picture.take_next().map(|message| message.id.0), Some(14));
        assert_eq!((picture.printed.id, picture.printed.beyond.len()), (10, 1));
        // Killed now, the next one begins with what is left.
        let message = numbered(14, 204);
        assert!(!picture.is_new(&message) && picture.is_new(&numbered(13, 205)));
        assert_eq!(printed(&mut picture), [13]);
        assert_eq!((picture.printed.id, picture.printed.beyond.len()), (14, 0));
    }

    #[test]
    fn nothing_is_printed_while_older_pages_may_hold_something_new() {
        let mut picture = picture();
        picture.apply(account(Connection::Online));
        let page = |from: i64| (from..from + 50).map(|id| numbered(id, 200 + id as u64)).collect();
        step(&mut picture, [window(page(61), true)]);
        assert_eq!(picture.wanted.len(), 1);
        assert_eq!(printed(&mut picture), [0; 0]);
        let conversation = BareJid::new("romeo@example.org").unwrap();
        let messages = (8..61).map(|id| numbered(id, 200 + id as u64)).collect();
        step(&mut picture, [Change::Older { conversation, messages, older: true }]);
        assert_eq!(printed(&mut picture), (11..111).collect::<Vec<_>>());
    }

    #[test]
    fn a_message_that_is_taken_back_in_time_is_not_printed() {
        let mut picture = picture();
        picture.apply(window(vec![numbered(11, 201), numbered(12, 202)], false));
        let conversation = BareJid::new("romeo@example.org").unwrap();
        let taken_back = Message { content: Content::Retracted, ..numbered(11, 201) };
        picture.apply(Change::Messages { conversation, messages: vec![taken_back] });
        step(&mut picture, [account(Connection::Online)]);
        assert_eq!(printed(&mut picture), [12]);
    }

    #[test]
    fn what_a_step_brings_for_another_conversation_is_waited_for() {
        let mut picture = picture();
        step(&mut picture, [window(Vec::new(), false), account(Connection::Online)]);
        let messages = |address: &str, id: i64| Change::Messages {
            conversation: BareJid::new(address).unwrap(),
            messages: vec![Message { id: MessageId(id), ..message(address, 200, "") }],
        };
        picture.apply(messages("romeo@example.org", 12));
        assert_eq!(printed(&mut picture), [0; 0]);
        step(&mut picture, [messages("tybalt@example.org", 11)]);
        assert_eq!(printed(&mut picture), [11, 12]);
    }

    #[test]
    fn listening_goes_on_after_a_problem_with_the_storage() {
        let mut picture = picture();
        let romeo = BareJid::new("romeo@example.org").unwrap();
        let known = || Change::Conversation(Box::new(conversation(&romeo)));
        picture.loading.clear();
        step(&mut picture, [known(), window(vec![numbered(11, 201)], false)]);
        picture.begin_anew();
        assert_eq!(picture.wanted.len(), 0);
        step(&mut picture, [known(), account(Connection::Online)]);
        assert!(matches!(picture.wanted.pop_front(), Some(Command::Open(whom)) if whom == romeo));
        assert_eq!(printed(&mut picture), [0; 0]);
        step(&mut picture, [window(vec![numbered(11, 201)], false)]);
        assert_eq!(printed(&mut picture), [11]);
    }

    #[test]
    fn what_was_said_in_a_room_before_it_was_entered_is_not_printed() {
        let mut picture = picture();
        let messages = vec![numbered(11, 201), numbered(12, 202), numbered(13, 203)];
        picture.apply(window(messages, false));
        let room = client::view::Room {
            address: BareJid::new("romeo@example.org").unwrap(),
            name: String::new(),
            subject: None,
            avatar: None,
            nick: None,
            state: client::view::RoomState::In,
            invited_by: None,
            private: true,
            open: false,
            anonymous: false,
            links: false,
            requests: Vec::new(),
            asked: None,
            since: Some(Position(202)),
            affiliation: client::view::Affiliation::None,
            role: client::view::Role::Participant,
            members: Vec::new(),
        };
        step(&mut picture, [Change::Room(Box::new(room)), account(Connection::Online)]);
        assert_eq!(printed(&mut picture), [12, 13]);
        // Nor when it is fetched later.
        let conversation = BareJid::new("romeo@example.org").unwrap();
        let messages = vec![numbered(14, 150), numbered(15, 204)];
        step(&mut picture, [Change::Older { conversation, messages, older: false }]);
        assert_eq!(printed(&mut picture), [15]);
    }
}
