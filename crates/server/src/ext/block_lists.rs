//! Block lists that others keep: nodes (XEP-0060) whose items are SHA-256 hashes of addresses and
//! domains, as <https://xmppbl.org> and Prosody's `mod_rtbl` have them.
//!
//! The server subscribes to the lists that `[abuse]` names, and follows what is published. Whoever is on
//! one of them and no contact can neither write to people here, nor ask for their presence, nor come
//! into rooms. Only hashes go over the network, so a list tells nobody who is on it, and only the service
//! that keeps a list can change it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use parking_lot::RwLock;
use sha2::{Digest as _, Sha256};
use xmpp::{
    error::{Condition, StanzaError},
    ext::rsm,
    jid::{BareJid, Jid},
    ns,
    stanza::{Kind, Stanza},
    time::Millis,
    xml::Element,
};

use super::{Extension, Inbound};
use crate::{
    components::pending::Purpose,
    config::Config,
    router::pipeline::{Flow, Pass},
    server::Server,
};

/// Keeps away whom others have found to be a nuisance.
pub const EXTENSION: Extension =
    Extension { name: "block_lists", inbound: &[(Inbound::Admit, admit)], ..Extension::NOTHING };

/// Where a list is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The pubsub service.
    pub service: String,
    /// The node.
    pub node: String,
}

impl Place {
    /// Reads `SERVICE/NODE`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (service, node) = text.split_once('/')?;
        let known = Jid::new(service).ok().filter(|jid| jid.resource().is_none())?;
        (!node.is_empty())
            .then(|| Self { service: known.as_str().to_owned(), node: node.to_owned() })
    }
}

type Hash = [u8; 32];

/// The lists, as far as they were read.
#[derive(Default)]
pub struct BlockLists(RwLock<HashMap<Place, List>>);

#[derive(Default)]
struct List {
    hashes: HashSet<Hash>,
    /// A new copy, while it is read.
    reading: Option<Reading>,
    /// When the service was asked last, and when it had told everything.
    asked: Option<Millis>,
    loaded: Option<Millis>,
}

/// A copy of a list that is not whole yet.
struct Reading {
    /// When it began. Pages of an earlier one are not pages of this one.
    begun: Millis,
    hashes: HashSet<Hash>,
    pages: usize,
    /// Items of all pages, whatever they were.
    seen: usize,
    /// Where the last page ended.
    last: Option<String>,
}

/// Entries of one list; what is beyond is left out.
const MOST: usize = 500_000;
/// Items of one page.
const PAGE: usize = 500;
/// After so many milliseconds a service that did not answer is asked again, and a list is read anew:
/// a notification may have been lost.
const RETRY: u64 = 2 * 60 * 1000;
const REREAD: u64 = 6 * 60 * 60 * 1000;

impl BlockLists {
    /// Whether an address or its domain is on a list.
    #[must_use]
    pub fn name(&self, jid: &BareJid) -> bool {
        let lists = self.0.read();
        // Nearly every server has none.
        if lists.values().all(|list| list.hashes.is_empty()) {
            return false;
        }
        let (address, domain) = (hash(jid.as_str()), hash(jid.domain().as_str()));
        lists.values().any(|list| list.hashes.contains(&address) || list.hashes.contains(&domain))
    }

    /// Entries of all lists.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.read().values().map(|list| list.hashes.len()).sum()
    }

    /// Whether nobody is on a list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lists that are due; their reading begins. Those that the operator does not want any more are
    /// forgotten.
    fn due(&self, config: &Config, now: Millis) -> Vec<Place> {
        let wanted: Vec<Place> =
            config.abuse.block_lists.iter().filter_map(|text| Place::parse(text)).collect();
        let mut lists = self.0.write();
        lists.retain(|place, _| wanted.contains(place));
        let late = |since: Option<Millis>, span: u64| {
            since.is_none_or(|since| now.0.saturating_sub(since.0) >= span)
        };
        let mut due = Vec::new();
        for place in wanted {
            let list = lists.entry(place.clone()).or_default();
            if late(list.loaded, REREAD) && late(list.asked, RETRY) {
                list.asked = Some(now);
                list.reading = Some(Reading {
                    begun: now,
                    hashes: HashSet::new(),
                    pages: 0,
                    seen: 0,
                    last: None,
                });
                due.push(place);
            }
        }
        due
    }

    /// Takes a page of items of the reading that began then. Tells what comes next.
    fn take_page(&self, place: &Place, begun: Millis, answer: &Element, now: Millis) -> Next {
        let mut lists = self.0.write();
        let Some(list) = lists.get_mut(place) else { return Next::Nothing };
        let Some(reading) = list.reading.as_mut().filter(|reading| reading.begun == begun) else {
            return Next::Nothing;
        };
        let Some(items) = answer.child("items", ns::PUBSUB) else { return Next::Nothing };
        // It goes on: nobody is asked a second time meanwhile.
        list.asked = Some(now);
        match reading.take(items, rsm::Response::child_of(answer)) {
            Some(last) => Next::Page(last),
            None => {
                list.hashes = list.reading.take().map(|whole| whole.hashes).unwrap_or_default();
                list.loaded = Some(now);
                Next::Whole
            }
        }
    }

    /// Something was published or removed: in the list that is in force, and in the one that is read.
    fn change(&self, place: &Place, event: &Element) {
        let mut lists = self.0.write();
        let Some(list) = lists.get_mut(place) else { return };
        let reading = list.reading.as_mut().map(|reading| &mut reading.hashes);
        for hashes in [Some(&mut list.hashes), reading].into_iter().flatten() {
            for child in event.children() {
                let Some(hash) = child.attr("id").and_then(parse) else { continue };
                match child.name() {
                    "item" if hashes.len() < MOST => drop(hashes.insert(hash)),
                    "retract" => drop(hashes.remove(&hash)),
                    _ => {}
                }
            }
        }
    }

    /// Whether a reading that began then goes on.
    fn reads(&self, place: &Place, begun: Millis) -> bool {
        let lists = self.0.read();
        let reading = lists.get(place).and_then(|list| list.reading.as_ref());
        reading.is_some_and(|reading| reading.begun == begun)
    }

    /// A service did not answer, or is there again: it may be asked at any time.
    fn ask_again(&self, concerned: impl Fn(&Place) -> bool) {
        let mut lists = self.0.write();
        for (_, list) in lists.iter_mut().filter(|(place, _)| concerned(place)) {
            list.asked = None;
        }
    }

    fn clear(&self, place: &Place) {
        if let Some(list) = self.0.write().get_mut(place) {
            list.hashes = HashSet::new();
            if let Some(reading) = &mut list.reading {
                reading.hashes.clear();
            }
        }
    }
}

/// What comes after a page.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// The page after this item.
    Page(String),
    /// That was all.
    Whole,
    /// It was no page of what is read.
    Nothing,
}

impl Reading {
    /// Takes a page. Gives the id to go on from, or nothing when that was all.
    fn take(&mut self, items: &Element, page: Option<rsm::Response>) -> Option<String> {
        let mut count = 0;
        for id in items.children().filter_map(|item| item.attr("id")) {
            count += 1;
            if self.hashes.len() < MOST {
                self.hashes.extend(parse(id));
            }
        }
        self.pages += 1;
        // Without a description of the page it was the whole list. A service that does not get on, or
        // not to an end, is not asked for ever.
        let page = page?;
        let index = page.first.as_ref().and_then(|(_, index)| *index);
        let before = index.unwrap_or(self.seen);
        self.seen += count;
        let is_end = page.count.is_some_and(|total| before + count >= total);
        let last = page.last.filter(|_| count > 0 && !is_end)?;
        let goes_on = self.last.as_ref() != Some(&last)
            && self.pages < MOST.div_ceil(PAGE)
            && self.hashes.len() < MOST;
        self.last = Some(last.clone());
        goes_on.then_some(last)
    }
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

/// A hash in hex.
fn parse(id: &str) -> Option<Hash> {
    let digits: Vec<u8> = id
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()?;
    let mut hash = Hash::default();
    if digits.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0, |byte, digit| (byte << 4) | digit);
    }
    Some(hash)
}

/// A component is there that may keep lists.
pub fn returned(server: &Arc<Server>, domain: &str) {
    server.block_lists.ask_again(|place| place.service == domain);
    refresh(server);
}

/// Asks for what is due. Called now and then.
pub fn refresh(server: &Arc<Server>) {
    let now = server.steady();
    for place in server.block_lists.due(&server.config(), now) {
        let subscribe = Element::new("subscribe", ns::PUBSUB)
            .with_attr("node", &place.node)
            .with_attr("jid", server.domain());
        let subscribe = Element::new("pubsub", ns::PUBSUB).with_child(subscribe);
        post(server, &place.service, "set", server.fresh_id(), subscribe);
        ask(server, &place, now, None);
    }
}

fn ask(server: &Arc<Server>, place: &Place, begun: Millis, after: Option<String>) {
    let position = after.map_or(rsm::Position::First, rsm::Position::After);
    let page = rsm::Request { max: Some(PAGE), position };
    let items = Element::new("items", ns::PUBSUB).with_attr("node", &place.node);
    let pubsub = Element::new("pubsub", ns::PUBSUB).with_child(items).with_child(page.to_element());
    let id = server.fresh_id();
    let Ok(to) = Jid::new(&place.service) else { return };
    let purpose = Purpose::BlockList { place: place.clone(), begun };
    if server.components.pending.add(server, id.clone(), to, purpose).is_ok() {
        post(server, &place.service, "get", id, pubsub);
    }
}

fn post(server: &Arc<Server>, service: &str, kind: &str, id: String, payload: Element) {
    let Ok(to) = Jid::new(service) else { return };
    let iq = Element::new("iq", ns::CLIENT)
        .with_attr("type", kind)
        .with_attr("id", id)
        .with_attr("from", server.domain())
        .with_attr("to", service)
        .with_child(payload);
    server.s2s.post(server, server.domain(), &to, Kind::Iq, iq.to_bytes(ns::CLIENT));
}

/// A service answered.
pub fn answered(server: &Arc<Server>, place: &Place, begun: Millis, answer: &Stanza) {
    let pubsub = answer.child("pubsub", ns::PUBSUB).map(|pubsub| pubsub.element());
    match pubsub.filter(|_| answer.type_().as_deref() == Some("result")) {
        Some(pubsub) => {
            match server.block_lists.take_page(place, begun, &pubsub, server.steady()) {
                Next::Page(last) => ask(server, place, begun, Some(last)),
                Next::Nothing => {}
                Next::Whole => {
                    let Place { service, node } = place;
                    let entries = server.block_lists.len();
                    tracing::info!(service, node, entries, "block_list_read");
                }
            }
        }
        None if !server.block_lists.reads(place, begun) => {}
        None => {
            server.block_lists.ask_again(|other| other == place);
            let Place { service, node } = place;
            tracing::warn!(service, node, "a block list cannot be read");
        }
    }
}

/// A message for the server: what a list's service says has changed. `false` when it is none.
pub fn notified(server: &Server, from: &Jid, message: &Stanza) -> bool {
    let Some(event) = message.child("event", ns::PUBSUB_EVENT) else { return false };
    let event = event.element();
    let Some(child) = event.first_child() else { return false };
    let node = child.attr("node").unwrap_or_default().to_owned();
    // The service's own address, which the stream or the secret has proven.
    let place = Place { service: from.as_str().to_owned(), node };
    match child.name() {
        "items" => server.block_lists.change(&place, child),
        "purge" | "delete" => server.block_lists.clear(&place),
        _ => return false,
    }
    true
}

/// The sender sees that it is not wanted here, and nobody is disturbed.
fn admit(pass: &mut Pass<'_>) -> Flow {
    let stranger = pass.session.is_none()
        && pass.sender.domain().as_str() != pass.server.domain()
        && !pass.state.roster.contains(pass.sender);
    match stranger && pass.server.block_lists.name(pass.sender) {
        true => Flow::Refuse(refusal()),
        false => Flow::Continue,
    }
}

/// What somebody on a list is told.
#[must_use]
pub fn refusal() -> StanzaError {
    StanzaError::new(Condition::PolicyViolation)
        .with_text("this address is on a block list that this server follows")
}

#[cfg(test)]
mod tests {
    use xmpp::xml::Limits;

    use super::*;

    fn place() -> Place {
        Place::parse("xmppbl.example/bans").unwrap()
    }

    fn hex(text: &str) -> String {
        hash(text).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn lists() -> BlockLists {
        let config = "domain = \"a.example\"\n[abuse]\nblock_lists = [\"xmppbl.example/bans\"]";
        let lists = BlockLists::default();
        let due = lists.due(&Config::parse(config).unwrap(), Millis(1));
        assert_eq!(due, [place()]);
        lists
    }

    fn page(ids: &[String], set: &str) -> Element {
        let items: String = ids.iter().map(|id| format!("<item id='{id}'/>")).collect();
        let text = format!(
            "<pubsub xmlns='{}'><items node='bans'>{items}</items>{set}</pubsub>",
            ns::PUBSUB
        );
        Element::parse(text.as_bytes(), &Limits::SERVER).unwrap()
    }

    #[test]
    fn a_list_is_read_page_by_page_and_then_followed() {
        let lists = lists();
        let set =
            "<set xmlns='http://jabber.org/protocol/rsm'><last>x</last><count>2</count></set>";
        let first = page(&[hex("mallory@b.example")], set);
        let take = |page: &Element| lists.take_page(&place(), Millis(1), page, Millis(2));
        assert_eq!(take(&first), Next::Page("x".into()));
        assert!(lists.is_empty(), "half a list is none");
        let second = page(&[hex("evil.example"), "nonsense".into()], &set.replace('x', "y"));
        assert_eq!(take(&second), Next::Whole);
        let named = |jid: &str| lists.name(&BareJid::new(jid).unwrap());
        assert!(named("mallory@b.example") && named("anybody@evil.example"));
        assert!(!named("romeo@b.example"));
        let event = format!(
            "<items xmlns='e'><retract id='{}'/><item id='{}'/></items>",
            hex("evil.example"),
            hex("eve@c.example").to_uppercase()
        );
        lists.change(&place(), &Element::parse(event.as_bytes(), &Limits::SERVER).unwrap());
        assert!(!named("anybody@evil.example") && named("eve@c.example"));
    }

    #[test]
    fn a_list_without_pages_is_whole() {
        let lists = lists();
        let all = page(&[hex("mallory@b.example")], "");
        assert_eq!(lists.take_page(&place(), Millis(1), &all, Millis(2)), Next::Whole);
        assert_eq!(lists.len(), 1);
    }

    #[test]
    fn a_late_page_is_no_part_of_a_newer_copy() {
        let lists = lists();
        lists.ask_again(|_| true);
        let config = "domain = \"a.example\"\n[abuse]\nblock_lists = [\"xmppbl.example/bans\"]";
        assert_eq!(lists.due(&Config::parse(config).unwrap(), Millis(9)).len(), 1);
        let all = page(&[hex("mallory@b.example")], "");
        assert_eq!(lists.take_page(&place(), Millis(1), &all, Millis(10)), Next::Nothing);
        assert!(lists.is_empty() && !lists.reads(&place(), Millis(1)));
        assert!(lists.reads(&place(), Millis(9)));
    }

    #[test]
    fn a_service_that_repeats_itself_is_not_asked_for_ever() {
        let lists = lists();
        let set = "<set xmlns='http://jabber.org/protocol/rsm'><last>x</last></set>";
        let same = page(&[hex("mallory@b.example")], set);
        let take = || lists.take_page(&place(), Millis(1), &same, Millis(2));
        assert_eq!((take(), take()), (Next::Page("x".into()), Next::Whole));
    }

    #[test]
    fn a_slow_reading_is_not_begun_anew() {
        let lists = lists();
        let set = "<set xmlns='http://jabber.org/protocol/rsm'><last>x</last></set>";
        let first = page(&[hex("mallory@b.example")], set);
        lists.take_page(&place(), Millis(1), &first, Millis(RETRY));
        let config = "domain = \"a.example\"\n[abuse]\nblock_lists = [\"xmppbl.example/bans\"]";
        let config = Config::parse(config).unwrap();
        assert_eq!(lists.due(&config, Millis(RETRY + 1)), []);
        assert_eq!(lists.due(&config, Millis(2 * RETRY)).len(), 1, "a page that never came");
    }

    #[test]
    fn what_changes_while_a_list_is_read_is_not_lost() {
        let lists = lists();
        let set = "<set xmlns='http://jabber.org/protocol/rsm'><last>x</last></set>";
        let take = |page: &Element| lists.take_page(&place(), Millis(1), page, Millis(2));
        take(&page(&[hex("mallory@b.example")], set));
        let event = format!(
            "<items xmlns='e'><retract id='{}'/><item id='{}'/></items>",
            hex("mallory@b.example"),
            hex("eve@c.example")
        );
        lists.change(&place(), &Element::parse(event.as_bytes(), &Limits::SERVER).unwrap());
        assert_eq!(take(&page(&[], "")), Next::Whole);
        let named = |jid: &str| lists.name(&BareJid::new(jid).unwrap());
        assert!(named("eve@c.example") && !named("mallory@b.example"));
    }

    #[test]
    fn lists_of_the_server_itself_are_refused() {
        for (own, good) in [
            ("a.example", false),
            ("pubsub.a.example", false),
            ("conference.a.example", false),
            ("gateway.a.example", true),
            ("pubsub.b.example", true),
        ] {
            let text = format!("domain = \"a.example\"\n[abuse]\nblock_lists = [\"{own}/bans\"]");
            assert_eq!(Config::parse(&text).is_ok(), good, "{own}");
        }
    }

    #[test]
    fn places_have_a_service_and_a_node() {
        assert_eq!(place().node, "bans");
        for bad in ["xmppbl.example", "xmppbl.example/", "/bans", "not a domain/bans"] {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
    }
}
