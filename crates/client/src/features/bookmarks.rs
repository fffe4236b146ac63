//! XEP-0402: PEP Native Bookmarks 1.2.0

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xmpp::ext::bookmarks::Bookmark;
use xmpp::ext::pubsub::Item;
use xmpp::ext::pubsub::event::Event;
use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::sasl::Secret;
use xmpp::xml::{Element, Limits};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Feature, Spec, notify, rooms, server};
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::iq::Answer;
use crate::pep::{self, Access, Items, Options};
use crate::store::{Store, StoreError};
use crate::verified::{PersonalEvent, Verified};
use crate::view::{self, Change, Outcome, Problem};

pub(crate) const FEATURE: Feature = Feature {
    name: "bookmarks",
    specs: &[Spec { number: "XEP-0402", version: "1.2.0" }],
    notify: &[ns::BOOKMARKS],
    online: Some(on_online),
    events: &[(ns::BOOKMARKS, on_event)],
    command: Some(command),
    ..Feature::NOTHING
};

/// The rooms that the account keeps in its list.
#[derive(Default)]
pub(crate) struct State {
    /// The payload of each item, with what other programs keep in it.
    rooms: BTreeMap<BareJid, Element>,
}

/// One room as it is stored. It may hold a password.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Row {
    room: String,
    payload: String,
}

impl State {
    pub(crate) fn load(store: &dyn Store) -> Step<Self> {
        let Some(bytes) = store.value(BOOKMARKS)? else { return Ok(Self::default()) };
        let rows: Vec<Row> = serde_json::from_slice(&bytes)
            .map_err(|error| StoreError::Damaged(format!("bookmarks: {:?}", error.classify())))?;
        let read = |row: &Row| {
            let payload = Element::parse(row.payload.as_bytes(), &Limits::TRUSTED).ok()?;
            Some((BareJid::new(&row.room).ok()?, payload))
        };
        Ok(Self { rooms: rows.iter().filter_map(read).collect() })
    }

    /// Keeps a room, if it can be read and there is space for it.
    fn put(&mut self, item: &Item) {
        let (Some(id), Some(payload)) = (item.id.as_deref(), item.payload()) else { return };
        let Some(bookmark) = Bookmark::from_item(id, payload) else { return };
        self.rooms.remove(&bookmark.room);
        let bytes: usize = self.rooms.values().map(bytes_of).sum();
        if self.rooms.len() < MOST && bytes.saturating_add(bytes_of(payload)) <= MOST_BYTES {
            self.rooms.insert(bookmark.room, payload.clone());
        }
    }
}

fn bytes_of(payload: &Element) -> usize {
    payload.to_bytes("").len()
}

/// The whole list (§3.2).
fn on_online(cx: &mut Cx<'_>) -> Step {
    let me = cx.me.clone();
    pep::items(cx, &me, ns::BOOKMARKS, &[], |cx, items| match items {
        Items::Some(event) => {
            let Event::Items(_, items) = &event.event else { return Ok(()) };
            let mut state = State::default();
            items.iter().for_each(|item| state.put(item));
            replace(cx, state)
        }
        Items::None => replace(cx, State::default()),
        Items::Unreachable | Items::Lost => Ok(()),
    })
}

/// Another device changed the list. Nobody but the account can.
fn on_event(cx: &mut Cx<'_>, event: &Verified<PersonalEvent>) -> Step {
    if event.owner != *cx.me {
        return Ok(());
    }
    let mut state = State { rooms: cx.state.features.bookmarks.rooms.clone() };
    match &event.event {
        Event::Items(_, items) if items.iter().any(|item| item.payload().is_none()) => {
            // The event says that something is different, and not what.
            return on_online(cx);
        }
        Event::Items(_, items) => items.iter().for_each(|item| state.put(item)),
        Event::Retract(_, ids) => {
            for room in ids.iter().filter_map(|id| BareJid::new(id).ok()) {
                state.rooms.remove(&room);
            }
        }
        Event::Purge(_) | Event::Delete(..) => state.rooms.clear(),
        Event::Configuration(..) | Event::Subscription(_) => return Ok(()),
    }
    replace(cx, state)
}

fn replace(cx: &mut Cx<'_>, state: State) -> Step {
    if state.rooms == cx.state.features.bookmarks.rooms {
        return notify::on_bookmarks(cx, &state.rooms);
    }
    let text = |payload: &Element| String::from_utf8_lossy(&payload.to_bytes("")).into_owned();
    let rows = state.rooms.iter();
    let rows: Vec<Row> =
        rows.map(|(room, one)| Row { room: room.to_string(), payload: text(one) }).collect();
    let bytes = serde_json::to_vec(&rows).map(Zeroizing::new);
    let bytes = bytes.map_err(|error| StoreError::Io(error.to_string()))?;
    cx.store.save_value(BOOKMARKS, Some(&bytes))?;
    let before = std::mem::replace(&mut cx.state.features.bookmarks, state);
    let change = overview(cx);
    cx.view(change);
    let enters = |rooms: &BTreeMap<BareJid, Element>, room: &BareJid| {
        let kept = rooms.get(room).and_then(|payload| Bookmark::from_item(room.as_str(), payload));
        kept.is_some_and(|kept| kept.autojoin)
    };
    let rooms = &cx.state.features.bookmarks.rooms;
    let left = before.rooms.keys();
    let left = left.filter(|room| enters(&before.rooms, room) && !enters(rooms, room));
    let left: Vec<BareJid> = left.cloned().collect();
    rooms::on_bookmarks(cx, &left)?;
    notify::on_bookmarks(cx, &before.rooms)
}

/// The list, for a user interface.
pub(crate) fn overview(cx: &Cx<'_>) -> Change {
    let rooms = cx.state.features.bookmarks.rooms.keys();
    let bookmarks = rooms.filter_map(|room| {
        let kept = get(cx, room)?;
        Some(view::Bookmark {
            room: kept.room,
            name: kept.name.map(|name| limited(&name)).filter(|name| !name.is_empty()),
            autojoin: kept.autojoin,
            nick: kept.nick,
            password: kept.password.is_some_and(|password| !password.is_empty()),
        })
    });
    Change::Bookmarks(bookmarks.collect())
}

/// What is kept of a room.
pub(crate) fn get(cx: &Cx<'_>, room: &BareJid) -> Option<Bookmark> {
    let payload = cx.state.features.bookmarks.rooms.get(room)?;
    Bookmark::from_item(room.as_str(), payload)
}

/// The entry of a room, with what other programs keep in it.
pub(crate) fn payload<'a>(cx: &'a Cx<'_>, room: &BareJid) -> Option<&'a Element> {
    cx.state.features.bookmarks.rooms.get(room)
}

/// All of it.
pub(crate) fn all(cx: &Cx<'_>) -> Vec<Bookmark> {
    cx.state.features.bookmarks.rooms.keys().filter_map(|room| get(cx, room)).collect()
}

/// Devices enter the room by themselves from now on, if the list can be kept.
pub(crate) fn enter_by_itself(cx: &mut Cx<'_>, room: &BareJid, name: Option<String>) -> Step {
    let known = get(cx, room);
    if known.as_ref().is_some_and(|known| known.autojoin) {
        return Ok(());
    }
    let mut bookmark = known.unwrap_or_else(|| Bookmark {
        room: room.clone(),
        name: None,
        autojoin: true,
        nick: None,
        password: None,
    });
    bookmark.autojoin = true;
    bookmark.name = bookmark.name.or(name);
    publish(cx, None, &bookmark)
}

/// A room is called something else: where the list has the name that it had, it gets the new one.
pub(crate) fn renamed(cx: &mut Cx<'_>, room: &BareJid, before: &str, after: &str) -> Step {
    match get(cx, room).filter(|known| known.name.as_deref() == Some(before)) {
        Some(known) => publish(cx, None, &Bookmark { name: Some(after.to_owned()), ..known }),
        None => Ok(()),
    }
}

/// Devices do not enter the room by themselves any more.
pub(crate) fn leave(cx: &mut Cx<'_>, room: &BareJid) -> Step {
    match get(cx, room).filter(|known| known.autojoin) {
        Some(known) => publish(cx, None, &Bookmark { autojoin: false, ..known }),
        None => Ok(()),
    }
}

/// The room is gone.
pub(crate) fn forget(cx: &mut Cx<'_>, room: &BareJid) -> Step {
    if get(cx, room).is_some() { remove(cx, None, room.clone()) } else { Ok(()) }
}

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    match command {
        Command::SetBookmark { room, name, autojoin, nick, password } => {
            let password = password.as_ref();
            let kept = get(cx, &room).and_then(|known| known.password);
            let password = match password.map(Secret::expose_str) {
                None => kept,
                Some(Some(new)) => Some(new.to_owned()).filter(|new| !new.is_empty()),
                Some(None) => {
                    cx.failed(number, Problem::Invalid("a password is text".to_owned()));
                    return Ok(None);
                }
            };
            let name = name.map(|name| limited(&name)).filter(|name| !name.is_empty());
            let nick = nick.filter(|nick| !nick.trim().is_empty());
            publish(cx, Some(number), &Bookmark { room, name, autojoin, nick, password })?;
        }
        Command::RemoveBookmark(room) => remove(cx, Some(number), room)?,
        command => return Ok(Some(command)),
    }
    Ok(None)
}

/// One line.
fn limited(name: &str) -> String {
    let shown = name.chars().filter(|letter| !letter.is_control());
    shown.take(MAX_NAME_CHARS).collect::<String>().trim().to_owned()
}

/// Adds a room, or changes what is kept of it. What others put beside stays (§3.4).
fn publish(cx: &mut Cx<'_>, number: Option<u64>, bookmark: &Bookmark) -> Step {
    if !server::offers(cx, ns::PUBSUB_PUBLISH_OPTIONS) {
        // Without them contacts could see the list (§3.3).
        let problem = Problem::Unsupported("it does not keep lists of rooms private".to_owned());
        if let Some(number) = number {
            cx.failed(number, problem);
        }
        return Ok(());
    }
    let payload = bookmark.to_payload(payload(cx, &bookmark.room));
    put(cx, &bookmark.room, payload, move |cx, answer| {
        end(cx, number, &answer);
        Ok(())
    })
}

/// Publishes the entry of a room, and keeps it when the server has it.
fn put(
    cx: &mut Cx<'_>,
    room: &BareJid,
    payload: Element,
    then: impl FnOnce(&mut Cx<'_>, Answer) -> Step + Send + 'static,
) -> Step {
    let item = Item::new(room.to_string()).with_payload(payload);
    let options = Options { access: Access::Private, many: true };
    pep::publish(cx, ns::BOOKMARKS, item.clone(), options, move |cx, answer| {
        if let Answer::Result(_) = answer {
            let mut state = State { rooms: cx.state.features.bookmarks.rooms.clone() };
            state.put(&item);
            replace(cx, state)?;
        }
        then(cx, answer)
    })
}

/// Puts something of that name and namespace beside what is kept of a room (§3.4), made from what
/// was there. A room that is not in the list is not put there for it.
pub(crate) fn extend(
    cx: &mut Cx<'_>,
    room: &BareJid,
    (name, namespace): (&str, &str),
    new: impl FnOnce(Option<&Element>) -> Element,
    then: impl FnOnce(&mut Cx<'_>, Answer) -> Step + Send + 'static,
) -> Step {
    let Some(mut payload) = payload(cx, room).cloned() else { return then(cx, Answer::Lost) };
    let mut extensions = match payload.child("extensions", ns::BOOKMARKS) {
        Some(extensions) => extensions.clone(),
        None => Element::new("extensions", ns::BOOKMARKS),
    };
    let new = new(extensions.child(name, namespace));
    extensions.retain_children(|child| !child.is(name, namespace));
    extensions.push(new);
    payload.retain_children(|child| !child.is("extensions", ns::BOOKMARKS));
    payload.push(extensions);
    put(cx, room, payload, then)
}

fn end(cx: &mut Cx<'_>, number: Option<u64>, answer: &Answer) {
    if let Some(number) = number {
        cx.done(number, answer.problem().map_or(Outcome::Done, Outcome::Failed));
    }
}

fn remove(cx: &mut Cx<'_>, number: Option<u64>, room: BareJid) -> Step {
    let id = room.to_string();
    pep::retract(cx, ns::BOOKMARKS, &id, move |cx, answer| {
        if let Answer::Result(_) = answer {
            let mut state = State { rooms: cx.state.features.bookmarks.rooms.clone() };
            state.rooms.remove(&room);
            replace(cx, state)?;
        }
        end(cx, number, &answer);
        Ok(())
    })
}

/// The name under which the list is stored.
const BOOKMARKS: &str = "bookmarks";
/// Rooms in the list, and the bytes of all their entries; others are not kept.
const MOST: usize = 1000;
const MOST_BYTES: usize = 256 * 1024;
/// Longest name of a room that is shown.
const MAX_NAME_CHARS: usize = 200;
