//! XEP-0488: MUC Token Invite 0.1.0: links that make whoever follows them a member

use xmpp::error::Condition;
use xmpp::ext::muc::Affiliation;
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use super::{Phase, Room};
use crate::cx::{Cx, Step};
use crate::iq::Answer;
use crate::omemo::uri;
use crate::view::{Outcome, Problem};

/// Whether the room gives out links, and this account may ask for them: who makes members may. Whoever
/// wants to come into an open room needs none.
pub(super) fn offered(room: &Room, own: Affiliation) -> bool {
    let inside = room.phase == Phase::In && !room.kept.open;
    inside && room.has(ns::MUC_TOKENS) && own >= Affiliation::Admin
}

/// Asks for a link that is good for so many seconds.
pub(super) fn make(cx: &mut Cx<'_>, number: u64, room: BareJid, seconds: Option<u32>) -> Step {
    let delay = seconds.map(|seconds| seconds.to_string());
    let request = Element::new("request", ns::MUC_TOKENS).with_attr_opt("delay", delay);
    cx.iq_set(Some(Jid::from(room.clone())), request, move |cx, answer| {
        match tokens(answer.payload("token", ns::MUC_TOKENS)).next() {
            Some(token) => cx.done(number, Outcome::Text(uri::invitation_link(&room, &token))),
            None => {
                let none = || Problem::Unsupported("it gave no invitation".to_owned());
                cx.failed(number, answer.problem().unwrap_or_else(none));
            }
        }
        Ok(())
    })
}

/// Withdraws all links that this account may withdraw.
pub(super) fn revoke(cx: &mut Cx<'_>, number: u64, room: BareJid) -> Step {
    let query = Element::new("tokens", ns::MUC_TOKENS);
    cx.iq_get(Some(Jid::from(room.clone())), query, move |cx, answer| {
        if let Some(problem) = answer.problem() {
            cx.failed(number, problem);
            return Ok(());
        }
        let listed = answer.payload("tokens", ns::MUC_TOKENS);
        let listed = listed.into_iter().flat_map(Element::children);
        revoke_all(cx, number, room, tokens(listed).take(MOST).collect())
    })
}

fn revoke_all(cx: &mut Cx<'_>, number: u64, room: BareJid, mut listed: Vec<String>) -> Step {
    let Some(token) = listed.pop() else {
        cx.done(number, Outcome::Done);
        return Ok(());
    };
    let revoke = Element::new("revoke", ns::MUC_TOKENS).with_text(token);
    cx.iq_set(Some(Jid::from(room.clone())), revoke, move |cx, answer| {
        match answer.problem() {
            // One that is over is as good as withdrawn.
            Some(problem) if !is_gone(&answer) => {
                cx.failed(number, problem);
                Ok(())
            }
            _ => revoke_all(cx, number, room, listed),
        }
    })
}

fn is_gone(answer: &Answer) -> bool {
    matches!(answer, Answer::Error(error) if error.condition == Condition::ItemNotFound)
}

fn tokens<'a>(elements: impl IntoIterator<Item = &'a Element>) -> impl Iterator<Item = String> {
    let tokens = elements.into_iter().filter(|one| one.is("token", ns::MUC_TOKENS));
    let texts = tokens.map(|token| token.text().trim().to_owned());
    texts.filter(|token| (1..=MAX_TOKEN_BYTES).contains(&token.len()))
}

/// Links of one room that are withdrawn together, and the longest secret of one.
const MOST: usize = 1000;
const MAX_TOKEN_BYTES: usize = 1024;
