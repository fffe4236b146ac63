//! Subscription requests that wait for an answer (RFC 6121 §3.1.3): what is kept of them, how many there
//! are, and how they are handed over.
//!
//! Anybody may send a request to anybody, it waits on disk, and every device gets it whenever it comes
//! online. The RFC therefore advises limits on their number and size.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use store::roster::MAX_REQUESTS;
use xmpp::{
    error::{Condition, ErrorType, StanzaError},
    jid::{BareJid, Jid},
    ns,
    stanza::{Kind, Stanza},
    xml::{Element, Limits},
};

use super::subscription::Standing;
use crate::{
    account::{Account, AccountState},
    server::Server,
    session::{Session, frame::Frame},
};

/// What is kept of a request, and shown: all of it, unless it is large. Of a large one that is who asks,
/// in which words, and by which nickname: whatever else was in it is not worth a place in the inbox of
/// somebody who never asked for it. `None` when it is no stanza.
#[must_use]
pub fn kept(stanza: &Bytes) -> Option<Bytes> {
    if stanza.len() <= LARGEST {
        // It waits for long: nothing larger is to wait with it.
        return Some(Bytes::copy_from_slice(stanza));
    }
    let whole = Stanza::parse(stanza.clone(), &Limits::TRUSTED).ok()?;
    let id = whole.id().filter(|id| id.len() <= LONGEST_ID);
    let mut short = Element::new("presence", ns::CLIENT)
        .with_attr_opt("from", whole.from())
        .with_attr_opt("to", whole.to())
        .with_attr_opt("type", whole.type_())
        .with_attr_opt("id", id);
    for (name, namespace, most) in [("status", ns::CLIENT, STATUS), ("nick", ns::NICK, NICK)] {
        if let Some(child) = whole.child(name, namespace) {
            let text: String = child.text().chars().take(most).collect();
            short.push(Element::new(name, namespace).with_text(text));
        }
    }
    Some(short.to_bytes(ns::CLIENT))
}

/// Whether somebody's request may be kept, if it has to be: another domain sends so many of them in an
/// hour, and an account has so many waiting. Whoever is refused for the former is told.
pub(super) fn admits(server: &Server, account: &Account, from: &BareJid) -> bool {
    let (fits, first) = {
        let mut state = account.lock();
        let Standing { from: seen, approved, pending_in, .. } =
            state.roster.contact(from).map(|contact| contact.standing).unwrap_or_default();
        if seen || approved || pending_in {
            return true;
        }
        state.roster.has_room_for_a_request()
    };
    if !fits {
        if first {
            tracing::info!(account = account.bare(), "too many subscription requests wait");
        }
        return false;
    }
    let domain = from.domain().as_str();
    let throttled = server.config().limits.throttle && domain != server.domain();
    if !throttled || server.budgets.asked_from(domain, Instant::now()) {
        return true;
    }
    let error = StanzaError::new(Condition::PolicyViolation)
        .with_type(ErrorType::Wait)
        .with_text("your server asked many people here; try again later");
    let refusal = Element::new("presence", ns::CLIENT)
        .with_attr("from", account.bare())
        .with_attr("to", from.as_str())
        .with_attr("type", "error")
        .with_child(error.element());
    let to = Jid::from(from.clone());
    server.s2s.post(server, server.domain(), &to, Kind::Presence, refusal.to_bytes(ns::CLIENT));
    false
}

/// Whether an account may ask one more person whom it does not know.
///
/// # Errors
/// When it asked too many within the hour.
pub(super) fn may_ask(server: &Server, account: &Account) -> Result<(), StanzaError> {
    let throttled = server.config().limits.throttle;
    if !throttled || server.budgets.asks(account.jid(), Instant::now()) {
        return Ok(());
    }
    Err(StanzaError::new(Condition::PolicyViolation)
        .with_type(ErrorType::Wait)
        .with_text("you asked many people to become your contacts; try again later"))
}

/// The requests that wait for an account, as a device gets them that comes online: not those of people
/// who are blocked, and no more than fit into what one session may leave unread.
#[must_use]
pub fn waiting(state: &AccountState) -> Vec<Bytes> {
    let mut bytes = 0;
    let wanted = state.roster.requests();
    let wanted = wanted.filter(|(jid, _)| !state.blocks.refuses(&Jid::from((*jid).clone())));
    wanted
        .map(|(_, request)| request.clone())
        .take_while(|request| {
            bytes += request.len();
            bytes <= MOST_BYTES
        })
        .collect()
}

/// Hands them to a device.
pub(super) fn hand_over(session: &Arc<Session>, requests: Vec<Bytes>) {
    for request in requests {
        session.deliver_bulk(Frame::presence(request));
    }
}

/// Whether so many requests of so many bytes leave a place for another one.
pub(super) fn leave_room(count: usize, bytes: usize) -> bool {
    count < MAX_REQUESTS && bytes + LARGEST_KEPT <= MOST_BYTES
}

/// Bytes up to which a request is kept as it came.
const LARGEST: usize = 4096;
const STATUS: usize = 500;
const NICK: usize = 100;
const LONGEST_ID: usize = 256;
/// What one may come to: two addresses of full length beside its texts, every character escaped.
const LARGEST_KEPT: usize = 16 * 1024;
/// What all of one account come to.
const MOST_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(status: &str, more: &str) -> Bytes {
        let text = format!(
            "<presence from='romeo@b.example' to='juliet@a.example' type='subscribe' id='s1'>\
             <status>{status}</status><nick xmlns='{}'>Romeo</nick>{more}</presence>",
            ns::NICK
        );
        Bytes::from(text)
    }

    #[test]
    fn a_request_is_kept_whole() {
        let whole = request("May I?", "<x xmlns='urn:example'/>");
        assert_eq!(kept(&whole), Some(whole));
    }

    #[test]
    fn of_a_large_request_the_words_are_kept() {
        let large = format!("<x xmlns='urn:example'>{}</x>", "z".repeat(100_000));
        let short = kept(&request(&"&amp;".repeat(50_000), &large)).unwrap();
        assert!(short.len() <= LARGEST, "{}", short.len());
        let short = Stanza::parse(short, &Limits::SERVER).unwrap();
        assert_eq!(short.from().as_deref(), Some("romeo@b.example"));
        assert_eq!(short.type_().as_deref(), Some("subscribe"));
        assert_eq!(short.id().as_deref(), Some("s1"));
        assert_eq!(short.child("status", ns::CLIENT).unwrap().text().len(), STATUS);
        assert_eq!(short.child("nick", ns::NICK).unwrap().text(), "Romeo");
        assert!(short.child("x", "urn:example").is_none());
    }

    #[test]
    fn what_waits_fits_into_a_mailbox() {
        let most = crate::session::mailbox::MailboxLimits::DEFAULT.bytes;
        assert!(MOST_BYTES * 2 < most);
        assert!(leave_room(0, 0) && !leave_room(MAX_REQUESTS, 0));
        assert!(!leave_room(1, MOST_BYTES));
        let long = format!("{}@b.example", "x".repeat(1000));
        let whole = request(&"&amp;".repeat(50_000), "");
        let whole = String::from_utf8(whole.to_vec()).unwrap().replace("romeo@b.example", &long);
        assert!(kept(&Bytes::from(whole)).unwrap().len() <= LARGEST_KEPT);
    }
}
