//! XEP-0488: MUC Token Invite 0.1.0: links that make whoever follows them a member

use xmpp::error::Condition;
use xmpp::ext::muc::Affiliation;
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use super::{Phase, Room, join};
use crate::cx::{Cx, Step};
use crate::iq::Answer;
use crate::omemo::uri;
use crate::view::{Outcome, Problem, RoomLink};

/// Whether the room gives out links, and this account may ask for them: who makes members may. Whoever
/// wants to come into an open room needs none, and where everybody has to know a password they would not do.
pub(super) fn offered(room: &Room, own: Affiliation) -> bool {
    let inside = room.phase == Phase::In && !room.kept.open && !room.has(join::PASSWORD_PROTECTED);
    inside && room.has(ns::MUC_TOKENS) && own >= Affiliation::Admin
}

/// Asks for a link that is good for so many seconds.
pub(super) fn make(cx: &mut Cx<'_>, number: u64, room: BareJid, seconds: Option<u32>) -> Step {
    let delay = seconds.map(|seconds| seconds.to_string());
    let request = Element::new("request", ns::MUC_TOKENS).with_attr_opt("delay", delay);
    cx.iq_set(Some(Jid::from(room.clone())), request, move |cx, answer| {
        match tokens(answer.payload("token", ns::MUC_TOKENS)).next() {
            Some(token) => cx.done(number, Outcome::Links(vec![token.link(&room)])),
            None => {
                let none = || Problem::Unsupported("it gave no invitation".to_owned());
                cx.failed(number, answer.problem().unwrap_or_else(none));
            }
        }
        Ok(())
    })
}

/// The links that this account may withdraw.
pub(super) fn list(cx: &mut Cx<'_>, number: u64, room: BareJid) -> Step {
    listed(cx, number, room, move |cx, room, tokens| {
        let links = tokens.iter().map(|token| token.link(&room)).collect();
        cx.done(number, Outcome::Links(links));
        Ok(())
    })
}

/// Withdraws all links that this account may withdraw.
pub(super) fn revoke(cx: &mut Cx<'_>, number: u64, room: BareJid) -> Step {
    revoke_listed(cx, number, room, 0, 0)
}

/// Withdraws those that are listed, until the list is empty: not all of them need be in one, and others
/// may have been made meanwhile.
fn revoke_listed(
    cx: &mut Cx<'_>,
    number: u64,
    room: BareJid,
    round: usize,
    withdrawn: usize,
) -> Step {
    listed(cx, number, room, move |cx, room, tokens| {
        if tokens.is_empty() {
            cx.done(number, Outcome::Withdrawn(withdrawn));
            return Ok(());
        }
        if round >= ROUNDS {
            cx.failed(number, Problem::Refused("some links are still good".to_owned()));
            return Ok(());
        }
        let texts = tokens.into_iter().map(|token| token.text).collect();
        revoke_all(cx, number, room, texts, move |cx, room, count| {
            revoke_listed(cx, number, room, round + 1, withdrawn + count)
        })
    })
}

fn listed(
    cx: &mut Cx<'_>,
    number: u64,
    room: BareJid,
    then: impl FnOnce(&mut Cx<'_>, BareJid, Vec<Token>) -> Step + Send + 'static,
) -> Step {
    let query = Element::new("tokens", ns::MUC_TOKENS);
    cx.iq_get(Some(Jid::from(room.clone())), query, move |cx, answer| {
        if let Some(problem) = answer.problem() {
            cx.failed(number, problem);
            return Ok(());
        }
        let listed = answer.payload("tokens", ns::MUC_TOKENS);
        let listed = listed.into_iter().flat_map(Element::children);
        then(cx, room, tokens(listed).take(MOST).collect())
    })
}

/// Withdraws one after the other; says how many there were.
fn revoke_all(
    cx: &mut Cx<'_>,
    number: u64,
    room: BareJid,
    listed: Vec<String>,
    then: impl FnOnce(&mut Cx<'_>, BareJid, usize) -> Step + Send + 'static,
) -> Step {
    let count = listed.len();
    let then: Box<Then> = Box::new(move |cx, room| then(cx, room, count));
    revoke_next(cx, number, room, listed, then)
}

type Then = dyn FnOnce(&mut Cx<'_>, BareJid) -> Step + Send;

fn revoke_next(
    cx: &mut Cx<'_>,
    number: u64,
    room: BareJid,
    mut listed: Vec<String>,
    then: Box<Then>,
) -> Step {
    let Some(token) = listed.pop() else { return then(cx, room) };
    let revoke = Element::new("revoke", ns::MUC_TOKENS).with_text(token);
    cx.iq_set(Some(Jid::from(room.clone())), revoke, move |cx, answer| {
        match answer.problem() {
            // One that is over is as good as withdrawn.
            Some(problem) if !is_gone(&answer) => {
                cx.failed(number, problem);
                Ok(())
            }
            _ => revoke_next(cx, number, room, listed, then),
        }
    })
}

fn is_gone(answer: &Answer) -> bool {
    matches!(answer, Answer::Error(error) if error.condition == Condition::ItemNotFound)
}

/// What a room says of a link.
struct Token {
    text: String,
    seconds: Option<u64>,
    uses: Option<u64>,
}

impl Token {
    fn link(&self, room: &BareJid) -> RoomLink {
        let link = uri::invitation_link(room, &self.text);
        RoomLink { link, seconds: self.seconds, uses: self.uses }
    }
}

fn tokens<'a>(elements: impl IntoIterator<Item = &'a Element>) -> impl Iterator<Item = Token> {
    let tokens = elements.into_iter().filter(|one| one.is("token", ns::MUC_TOKENS));
    let number = |token: &Element, name| token.attr(name).and_then(|text| text.trim().parse().ok());
    let tokens = tokens.map(move |token| Token {
        text: token.text(),
        seconds: number(token, "delay"),
        uses: number(token, "counter"),
    });
    tokens.filter(|token| (1..=MAX_TOKEN_BYTES).contains(&token.text.len()))
}

/// Links of one list that are withdrawn together, how many lists of them, and the longest secret of one.
const MOST: usize = 1000;
const ROUNDS: usize = 5;
const MAX_TOKEN_BYTES: usize = 1024;
