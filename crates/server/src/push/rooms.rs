//! Who is woken for a line in a room: people whose device sleeps, and members who are not there.
//!
//! Each decides for themselves, with what their clients keep in the bookmark of the room
//! (XEP-0492). Without a word from them, a private room wakes for every line and a public one for
//! those that name them.

use std::sync::Arc;

use xmpp::{
    ext::notify::{self, Identity, Notify},
    jid::BareJid,
    ns,
    xml::Element,
};

use super::Reason;
use crate::{account::Account, ext::pubsub, net::listen::down, server::Server};

/// A line that may wake somebody.
pub struct Line {
    /// The room.
    pub room: BareJid,
    /// Whether it is for members only.
    pub private: bool,
    /// The text, if it can be read here; only its beginning.
    pub text: Option<Arc<str>>,
    /// Whom it is for.
    pub people: Vec<Person>,
}

impl Line {
    /// The same line, for nobody yet.
    pub(super) fn for_others(&self) -> Line {
        let (room, private, text) = (self.room.clone(), self.private, self.text.clone());
        Line { room, private, text, people: Vec::new() }
    }
}

/// Somebody on this server who gets the line.
pub struct Person {
    /// The name of the account.
    pub name: Box<str>,
    /// What they are called in the room, if that is known.
    pub nick: Option<String>,
    /// Only the device that was bound with this resource, when only that one is in the room.
    pub resource: Option<Box<str>>,
}

/// The beginning of a text in which somebody may be named.
#[must_use]
pub fn beginning(text: &str) -> String {
    text.chars().take(SEARCHED).collect()
}

/// Looks at the lines that wait until the server goes down.
pub(super) async fn watch(server: Arc<Server>) {
    let mut shutdown = server.shutdown.subscribe();
    loop {
        tokio::select! {
            () = down(&mut shutdown) => return,
            line = server.pushes.lines.next() => tell(&server, line).await,
        }
    }
}

/// Wakes those who want to be woken for a line.
async fn tell(server: &Arc<Server>, line: Line) {
    for person in &line.people {
        let account = match server.accounts.load(server, &person.name).await {
            Ok(Some(account)) => account,
            Ok(None) => continue,
            Err(error) => {
                server.store_failed("push", &error);
                continue;
            }
        };
        let mut asleep = server.pushes.asleep(&person.name, &account.lock());
        asleep.retain(|r| person.resource.as_ref().is_none_or(|only| *only == r.resource));
        if asleep.is_empty() || !wakes(server, &account, &line, person).await {
            continue;
        }
        for registration in asleep {
            server.pushes.wake(&registration, Reason::Line, server.steady());
        }
    }
}

async fn wakes(server: &Arc<Server>, account: &Arc<Account>, line: &Line, who: &Person) -> bool {
    let bookmark = pubsub::own_item(server, account, ns::BOOKMARKS, Some(line.room.as_str())).await;
    let bookmark = bookmark.ok().flatten().and_then(|item| item.payload);
    let usual = if line.private { Notify::Always } else { Notify::OnMention };
    match bookmark.as_ref().and_then(wanted).unwrap_or(usual) {
        Notify::Always => true,
        Notify::Never => false,
        Notify::OnMention => {
            let noted = bookmark.as_ref().and_then(|b| b.child("nick", ns::BOOKMARKS));
            let noted = noted.map(|nick| nick.text());
            let nick = who.nick.as_deref().or(noted.as_deref()).unwrap_or(&who.name);
            line.text.as_deref().is_some_and(|text| names(text, nick))
        }
    }
}

/// What a bookmark says for phones: it is phones that are woken (XEP-0492).
fn wanted(bookmark: &Element) -> Option<Notify> {
    let extensions = bookmark.child("extensions", ns::BOOKMARKS)?;
    let settings = extensions.child("notify", ns::NOTIFICATION_SETTINGS)?;
    notify::read(settings, Identity { category: "client", kind: "phone" })
}

/// Whether a text names somebody: the nickname as a word of its own, in whatever case.
fn names(text: &str, nick: &str) -> bool {
    let (text, nick) = (text.to_lowercase(), nick.to_lowercase());
    let nick = nick.trim();
    if nick.is_empty() {
        return false;
    }
    text.match_indices(nick).any(|(at, found)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|tail| tail.chars().next());
        let inside = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        !inside(before) && !inside(after)
    })
}

/// Characters of a text that are searched for names.
const SEARCHED: usize = 4000;

#[cfg(test)]
mod tests {
    use xmpp::xml::Limits;

    use super::*;

    #[test]
    fn a_nickname_is_a_word() {
        for text in ["Ada: hello", "hello ada", "what does ADA, say?", "@ada", "ada"] {
            assert!(names(text, "Ada"), "{text}");
        }
        for text in ["Canada", "adage", "", "hello"] {
            assert!(!names(text, "Ada"), "{text}");
        }
        assert!(names("so says mad hatter.", "Mad Hatter"));
        assert!(!names("anything", " "));
    }

    #[test]
    fn the_most_specific_setting_counts() {
        let read = |inner: &str| {
            let xml = format!(
                "<conference xmlns='urn:xmpp:bookmarks:1'><extensions>\
                 <notify xmlns='urn:xmpp:notification-settings:1'>{inner}</notify>\
                 </extensions></conference>"
            );
            wanted(&Element::parse(xml.as_bytes(), &Limits::SERVER).unwrap())
        };
        assert_eq!(read("<never/>"), Some(Notify::Never));
        assert_eq!(
            read(
                "<never identity-category='client' identity-type='pc'/><always/>\
                 <on-mention identity-category='client' identity-type='phone'/>"
            ),
            Some(Notify::OnMention)
        );
        assert_eq!(read("<always/><never identity-category='client'/>"), Some(Notify::Never));
        assert_eq!(read("<sometimes/>"), None);
    }
}
