//! What somebody of another domain may say to a person who does not know them: a short text. Links, files
//! and long messages come after an answer, so that nobody is shown what they did not ask for.
//!
//! A person knows their contacts, whom they wrote to, and the rooms they are in. What is encrypted cannot
//! be looked into; only its length counts.

use xmpp::{
    error::{Condition, ErrorType, StanzaError},
    ns,
    stanza::{Child, Stanza},
};

use super::budget;
use crate::router::{
    facts::{Facts, MessageType},
    pipeline::Letter,
    resolve::Target,
};

/// Whether a message of another domain may go to an account.
///
/// # Errors
/// What its sender is told otherwise.
pub async fn admit(letter: Letter<'_>, target: &Target) -> Result<(), StanzaError> {
    let Letter { server, message, facts, sender, .. } = letter;
    let Target::Account(account) = target else { return Ok(()) };
    let allowed = server.config().abuse.stranger_links
        || sender.domain().as_str() == server.domain()
        || budget::is_service(server, sender);
    if allowed || is_modest(message, facts) || budget::knows(&account.lock(), sender) {
        return Ok(());
    }
    match server.store.archive.wrote_to(account.id, sender.as_str()).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(StanzaError::new(Condition::PolicyViolation)
            .with_type(ErrorType::Modify)
            .with_text("they do not know you: begin with a short text, without links and files")),
        Err(error) => Err(server.store_failed("archive", &error)),
    }
}

/// Whether a message is one that anybody may send.
fn is_modest(message: &Stanza, facts: &Facts) -> bool {
    if facts.kind == MessageType::Error {
        return true;
    }
    if message.bytes().len() > if facts.encrypted { MOST_ENCRYPTED } else { MOST_BYTES } {
        return false;
    }
    message.children().all(|child| match (child.name(), child.ns().as_ref()) {
        // Beside something encrypted stands a sentence for programs that cannot read it.
        ("body" | "subject", ns::CLIENT) => {
            facts.encrypted || !has_link(&child.text(), facts.invitation)
        }
        _ => !is_media(&child),
    })
}

fn is_media(child: &Child<'_>) -> bool {
    match child.ns().as_ref() {
        "urn:xmpp:reference:0" => child.attr("type").as_deref() != Some("mention"),
        namespace => MEDIA.contains(&namespace),
    }
}

/// Whether a program would make a link of something in a text. An invitation may name its room.
fn has_link(text: &str, invitation: bool) -> bool {
    let text = text.to_lowercase();
    LINKS.iter().any(|link| text.contains(link))
        || (!invitation && text.contains("xmpp:"))
        || text.split_whitespace().any(|word| word.split_once('/').is_some_and(is_address))
}

/// Whether what stands before a slash is the name of a host: `example.org/…`, and not the address of
/// somebody: `ada@example.org/…`.
fn is_address((host, _): (&str, &str)) -> bool {
    let Some((name, top)) = host.rsplit_once('.') else { return false };
    let last = name.chars().next_back();
    let is_name = last.is_some_and(char::is_alphanumeric) && !name.contains('@');
    is_name && top.len() > 1 && top.chars().all(char::is_alphabetic)
}

const LINKS: [&str; 3] = ["://", "www.", "mailto:"];
/// Addresses of files, descriptions of files, files themselves, and formatted text, which has links.
const MEDIA: [&str; 6] = [
    "jabber:x:oob",
    "urn:xmpp:sfs:0",
    "urn:xmpp:sims:1",
    "urn:xmpp:file:metadata:0",
    "urn:xmpp:bob",
    "http://jabber.org/protocol/xhtml-im",
];
/// Bytes of a message with everything in it.
const MOST_BYTES: usize = 4 * 1024;
/// The same where it is encrypted: there is a key in it for each device.
const MOST_ENCRYPTED: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use xmpp::xml::Limits;

    use super::*;

    fn modest(inside: &str) -> bool {
        let text = format!("<message xmlns='jabber:client' type='chat'>{inside}</message>");
        let message = Stanza::parse(text.into(), &Limits::SERVER).unwrap();
        is_modest(&message, &Facts::read(&message))
    }

    #[test]
    fn a_short_text_is_all_that_a_stranger_has() {
        for good in [
            "<body>Are you the one who sells a lute? It is 1.5/2 m long, e.g./i.e. large.</body>",
            "<body>I am romeo@b.example/orchard, and/or me.</body><active xmlns='http://jabber.org/protocol/chatstates'/>",
            "<body>@you</body><reference xmlns='urn:xmpp:reference:0' type='mention'/>",
            "<received xmlns='urn:xmpp:receipts' id='1'/>",
        ] {
            assert!(modest(good), "{good}");
        }
        for bad in [
            "<body>see HTTPS://a.example</body>",
            "<body>see www.a.example</body>",
            "<body>a.example/page</body>",
            "<body>xmpp:a@a.example</body>",
            "<subject>ftp://a.example</subject>",
            "<body>x</body><x xmlns='jabber:x:oob'><url>cid:1</url></x>",
            "<body>x</body><reference xmlns='urn:xmpp:reference:0' type='data'/>",
            "<body>x</body><html xmlns='http://jabber.org/protocol/xhtml-im'/>",
            "<file-sharing xmlns='urn:xmpp:sfs:0'/>",
        ] {
            assert!(!modest(bad), "{bad}");
        }
        assert!(!modest(&format!("<body>{}</body>", "x".repeat(MOST_BYTES))));
    }

    #[test]
    fn what_is_encrypted_has_a_length_alone() {
        let note = "<body>See https://a.example</body>";
        let encrypted = |size| {
            let payload = "x".repeat(size);
            format!("{note}<encrypted xmlns='urn:xmpp:omemo:2'>{payload}</encrypted>")
        };
        assert!(modest(&encrypted(MOST_BYTES)) && !modest(&encrypted(MOST_ENCRYPTED)));
    }

    #[test]
    fn an_invitation_names_its_room() {
        let invitation = "<x xmlns='jabber:x:conference' jid='r@rooms.a.example'/>";
        assert!(modest(&format!("<body>xmpp:r@rooms.a.example?join</body>{invitation}")));
        assert!(!modest(&format!("<body>https://a.example</body>{invitation}")));
    }
}
