//! Rooms that come from another server.

use bytes::Bytes;
use store::{
    Millis,
    rooms::{Card, RoomId},
};
use xmpp::{
    ext::{
        form::{Field, Form, FormType},
        muc::Item,
    },
    jid::{BareJid, Jid},
    ns,
    xml::Element,
};

use super::{
    history::MOST_LINES,
    kept::Kept,
    room::{Subject, occupant_id},
    settings::{self, Settings},
};
use crate::secret::{ServerSecret, mac};

/// What makes the occupant ids of a room (XEP-0421).
#[must_use]
pub fn salt(secret: &ServerSecret, jid: &BareJid, id: RoomId) -> [u8; 32] {
    let key = secret.derive("occupant-id");
    mac(&key, &[jid.as_str().as_bytes(), &id.0.to_be_bytes()])
}

/// A room as it is stored, with what lists show of it. What the form does not say is as in a public channel, and so is
/// what makes no sense here.
#[must_use]
pub fn state(
    jid: &BareJid,
    config: &Form,
    subject: Option<(&str, &str, Millis)>,
    vcard: Option<String>,
) -> (Bytes, Card) {
    let mut settings = Settings::channel();
    // A room with a password says so in two fields, which belong together.
    let (secret, rest): (Vec<Field>, Vec<Field>) =
        config.fields.iter().cloned().partition(|field| {
            field
                .var
                .as_deref()
                .is_some_and(|var| var.contains("passwordprotected") || var.contains("secret"))
        });
    let groups = std::iter::once(secret).chain(rest.into_iter().map(|field| vec![field]));
    for fields in groups {
        let form = Form { fields, ..Form::new(FormType::Submit) };
        if let Ok(changed) = settings::submitted(&settings, &form, MOST_LINES as u32) {
            settings = changed;
        }
    }
    let subject = subject.map(|(text, nick, at)| {
        let from = if nick.is_empty() { jid.to_string() } else { format!("{jid}/{nick}") };
        let message = Element::new("message", ns::CLIENT)
            .with_attr("from", from)
            .with_attr("type", "groupchat")
            .with_child(Element::new("subject", ns::CLIENT).with_text(text));
        let xml = String::from_utf8_lossy(&message.to_bytes(ns::CLIENT)).into_owned();
        Subject { xml, text: text.to_owned(), at: at.0 }
    });
    Kept::of(settings, subject, vcard).stored()
}

/// A message of an archive as this server keeps it.
pub struct Moved {
    /// Who wrote it; the room where that is not known.
    pub author: BareJid,
    /// Their nickname.
    pub nick: Option<String>,
    /// The message, with the occupant id that the person has here.
    pub message: Element,
}

/// A message of the archive as this server keeps it. `None` for what belongs into no archive.
#[must_use]
pub fn line(room: &BareJid, salt: &[u8; 32], mut message: Element) -> Option<Moved> {
    let from = Jid::new(message.attr("from")?).ok().filter(|from| from.to_bare() == *room)?;
    let payload = |child: &Element| !ENVELOPE.iter().any(|(name, ns)| child.is(name, ns));
    let content = message.children().filter(|child| payload(child));
    let said = content.filter(|child| !child.is("subject", ns::CLIENT)).count();
    if message.name() != "message" || message.attr("type") != Some("groupchat") || said == 0 {
        return None;
    }
    message.remove_attr("to");
    message.retain_children(|child| !child.is("delay", ns::DELAY));
    let x = message.child("x", ns::MUC_USER).and_then(|x| x.child("item", ns::MUC_USER));
    let author = x.and_then(Item::parse).and_then(|item| item.jid).map(|jid| jid.to_bare());
    if let Some(author) = &author {
        message.retain_children(|child| !child.is("occupant-id", ns::OCCUPANT_ID));
        let id = occupant_id(salt, author);
        message.push(Element::new("occupant-id", ns::OCCUPANT_ID).with_attr("id", id));
    }
    let nick = from.resource().map(|nick| nick.as_str().to_owned());
    Some(Moved { author: author.unwrap_or_else(|| room.clone()), nick, message })
}

/// What rooms and archives add to messages.
const ENVELOPE: [(&str, &str); 4] = [
    ("x", ns::MUC_USER),
    ("occupant-id", ns::OCCUPANT_ID),
    ("stanza-id", ns::STANZA_ID),
    ("delay", ns::DELAY),
];
