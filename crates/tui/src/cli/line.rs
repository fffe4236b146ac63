//! A message as a line: of JSON for scripts, of text for people.

use client::store::{Content, Encryption, Message, TrustLevel, Undecryptable};
use serde_json::{Value, json};
use xmpp::jid::BareJid;

use crate::twin::{trust_name, version_name};
use crate::ui::printable::Printable;

pub(super) fn json_line(message: &Message, me: Option<&BareJid>) -> Value {
    let (encryption, device, trust) = match &message.encryption {
        Encryption::None => ("none", None, None),
        Encryption::Omemo { version, device, trust, .. } => {
            (version_name(*version), Some(*device), Some(*trust))
        }
    };
    let trusted = matches!(trust, Some(TrustLevel::Blind | TrustLevel::Verified));
    let to = if message.own { Some(&message.conversation) } else { me };
    let mut line = json!({
        "from": message.sender,
        "to": to,
        "body": null,
        "encryption": encryption,
        "device": device,
        "trusted": trusted,
        "trust": trust.map(trust_name),
        "time": message.time.xep0082(),
        "id": message.origin_id,
    });
    if let Some(occupant) = &message.occupant {
        line["room"] = json!(message.conversation);
        line["nick"] = json!(occupant.nick);
        line["from"] = json!(author(message));
        line["to"] = json!(message.conversation);
    }
    match &message.content {
        Content::Text(text) => line["body"] = json!(text),
        Content::File(file, caption) => {
            line["body"] = json!(caption.as_deref().unwrap_or_default());
            line["file"] = json!({
                "name": file.name,
                "size": file.size,
                "media_type": file.media_type,
                "length_ms": file.preview.as_ref().and_then(|preview| preview.length),
                "url": file.url,
                "key": file.key,
            });
        }
        Content::Undecryptable(reason) => line["error"] = json!(in_words(*reason)),
        Content::Retracted | Content::Event(_) => {}
    }
    if let Some(reply) = &message.reply {
        line["reply_to"] = json!(reply.id);
    }
    line
}

/// Who wrote a message: in a room that hides addresses, the address they have there.
fn author(message: &Message) -> String {
    match &message.occupant {
        Some(occupant) if message.sender == message.conversation => {
            format!("{}/{}", message.conversation, occupant.nick)
        }
        _ => message.sender.to_string(),
    }
}

/// Without what could do something to a terminal.
pub(super) fn text_line(message: &Message) -> String {
    let says = match &message.content {
        Content::Text(text) => text.clone(),
        Content::File(file, None) => format!("[{}]", file.name),
        Content::File(file, Some(caption)) => format!("[{}] {caption}", file.name),
        Content::Undecryptable(reason) => format!("[{}]", in_words(*reason)),
        Content::Retracted | Content::Event(_) => String::new(),
    };
    let mark = match &message.encryption {
        Encryption::None => "not encrypted",
        Encryption::Omemo { trust, .. } => trust_name(*trust),
    };
    let says = Printable::line(&says);
    let time = message.time.xep0082();
    match &message.occupant {
        Some(occupant) => {
            let room = Printable::address(&message.conversation);
            format!("{time} {} in {room} ({mark}): {says}", Printable::line(&occupant.nick))
        }
        None => format!("{time} {} ({mark}): {says}", Printable::address(&message.sender)),
    }
}

fn in_words(reason: Undecryptable) -> &'static str {
    match reason {
        Undecryptable::NotForThisDevice => "not encrypted for this device",
        Undecryptable::NoSession => "there is no session with the device that sent it",
        Undecryptable::UnknownKey => "made with a key that this device no longer has",
        Undecryptable::Forged => "damaged, or not from whom it says",
        Undecryptable::KeyUsed => {
            "made with a key that is gone: it came too late, or was read already"
        }
        Undecryptable::TooFarAhead => "too many messages before it are missing",
        Undecryptable::Malformed => "it makes no sense",
        Undecryptable::Contradiction => "it says to be from or for somebody else",
        Undecryptable::Distrusted => "its device is distrusted",
        Undecryptable::UnknownEncryption => "encrypted in a way that is not known here",
    }
}

#[cfg(test)]
mod tests {
    use client::store::conformance::message;
    use client::store::{File, Preview};

    use super::*;

    #[test]
    fn a_line_has_what_scripts_rely_on() {
        let encryption = Encryption::Omemo {
            version: client::store::Version::Legacy,
            device: 31,
            key: [0; 32],
            trust: TrustLevel::Blind,
        };
        let secret =
            Message { encryption, ..message("romeo@example.org", 1, "a \"b\"\n\u{1b}[31m") };
        let line = json_line(&secret, None);
        assert_eq!(line["from"], "romeo@example.org");
        assert_eq!(line["body"], "a \"b\"\n\u{1b}[31m");
        assert_eq!((&line["encryption"], &line["device"]), (&json!("omemo"), &json!(31)));
        assert_eq!(line["trusted"], true);
        let text = line.to_string();
        assert!(!text.contains('\n') && !text.contains('\u{1b}'), "{text}");
        let plain = json_line(&message("romeo@example.org", 1, "a"), None);
        assert_eq!((&plain["encryption"], &plain["trusted"]), (&json!("none"), &json!(false)));
        assert_eq!(plain["device"], Value::Null);
        assert!(!text_line(&secret).contains('\u{1b}'));
    }

    #[test]
    fn a_line_of_a_sound_says_how_long_it_is() {
        let preview = Some(Preview { length: Some(63_000), ..Preview::default() });
        let (name, size, media_type, url) = ("a.ogg".into(), None, None, None);
        let file = File { name, size, media_type, url, key: None, local: None, preview };
        let sound = Content::File(file, None);
        let line =
            json_line(&Message { content: sound, ..message("romeo@example.org", 1, "") }, None);
        assert_eq!(line["file"]["length_ms"], 63_000);
    }

    #[test]
    fn a_line_of_a_room_has_the_room_and_the_nickname() {
        let occupant = client::store::Occupant { nick: "Mab".to_owned(), id: None };
        let known = message("queen@example.org", 1, "a");
        let room = BareJid::new("square@rooms.example.org").unwrap();
        let known = Message { occupant: Some(occupant), conversation: room.clone(), ..known };
        let line = json_line(&known, None);
        assert_eq!((&line["room"], &line["nick"]), (&json!(room), &json!("Mab")));
        assert_eq!(line["from"], "queen@example.org");
        let hidden = Message { sender: room, ..known };
        assert_eq!(json_line(&hidden, None)["from"], "square@rooms.example.org/Mab");
        assert_eq!(json_line(&message("queen@example.org", 1, "a"), None).get("room"), None);
    }
}
