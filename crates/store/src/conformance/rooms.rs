//! What keeping rooms means.

use bytes::Bytes;

use super::account;
use super::archive::message;
use crate::archive::{Append, Query};
use crate::rooms::{Affiliation, Card, CreateError, Listed, NewRoom, Room, RoomId, Select};
use crate::{AccountId, Millis, Store};

fn new_room(name: &str, creator: Option<AccountId>) -> NewRoom {
    NewRoom {
        name: name.into(),
        creator,
        created: Millis(5),
        state: Bytes::from_static(b"new"),
        card: Card { title: name.to_uppercase().into(), ..Card::default() },
        affiliations: Vec::new(),
    }
}

async fn room(store: &Store, name: &str) -> RoomId {
    store.rooms.create(new_room(name, None), 1).await.expect("the room is made")
}

fn entry(jid: &str, affiliation: &str, version: u64) -> Affiliation {
    Affiliation {
        jid: jid.into(),
        affiliation: affiliation.into(),
        nick: Some("hag".into()),
        reason: None,
        version,
    }
}

fn set(entry: &Affiliation) -> (Box<str>, Option<Affiliation>) {
    (entry.jid.clone(), Some(entry.clone()))
}

/// Names are unique, numbers are not used again, and nobody makes more than allowed.
pub async fn rooms_are_made_once(store: &Store) {
    let juliet = account(store, "juliet").await;
    let rooms = &store.rooms;
    let first = rooms.create(new_room("coven", Some(juliet)), 1).await.expect("made");
    let second = rooms.create(new_room("coven", None), 1).await;
    assert_eq!(second, Err(CreateError::Exists));
    let more = rooms.create(new_room("heath", Some(juliet)), 1).await;
    assert_eq!(more, Err(CreateError::Limit));
    let heath = room(store, "heath").await;
    let expected = Room {
        id: first,
        name: "coven".into(),
        creator: Some(juliet),
        created: Millis(5),
        state: Bytes::from_static(b"new"),
    };
    assert_eq!(rooms.by_name("coven").await, Ok(Some(expected.clone())));
    assert_eq!(rooms.by_name("forres").await, Ok(None));
    assert_eq!(rooms.delete(heath).await, Ok(true));
    assert_eq!(rooms.delete(heath).await, Ok(false));
    assert!(room(store, "heath").await > heath);
    assert_eq!(store.accounts.delete(juliet, Millis(0)).await, Ok(true));
    assert_eq!(rooms.by_name("coven").await, Ok(Some(Room { creator: None, ..expected })));
}

/// State and lists.
pub async fn lists_are_changed_by_address(store: &Store) {
    let coven = room(store, "coven").await;
    let rooms = &store.rooms;
    let (owner, member) = (entry("a@b.example", "owner", 1), entry("c@b.example", "member", 2));
    let state = Some((Bytes::from_static(b"changed"), Card::default()));
    assert_eq!(rooms.save(coven, state.clone(), vec![set(&owner), set(&member)]).await, Ok(true));
    assert_eq!(rooms.by_name("coven").await.expect("read").expect("there").state, "changed");
    assert_eq!(rooms.affiliations(coven).await, Ok(vec![owner.clone(), member.clone()]));
    let banned = entry("c@b.example", "outcast", 3);
    assert_eq!(rooms.save(coven, None, vec![set(&banned)]).await, Ok(true));
    assert_eq!(rooms.affiliations(coven).await, Ok(vec![owner, banned]));
    let with_lists = NewRoom { affiliations: vec![member.clone()], ..new_room("heath", None) };
    let heath = rooms.create(with_lists, 1).await.expect("made");
    assert_eq!(rooms.affiliations(heath).await, Ok(vec![member]));
    let both: Vec<Box<str>> = vec!["coven".into(), "heath".into()];
    assert_eq!(rooms.with("c@b.example").await, Ok(both));
    assert_eq!(rooms.save(coven, None, vec![("c@b.example".into(), None)]).await, Ok(true));
    assert_eq!(rooms.with("c@b.example").await, Ok(vec!["heath".into()]));
    assert_eq!(rooms.by_name("coven").await.expect("read").expect("there").state, "changed");
    assert_eq!(rooms.save(RoomId(9999), state, vec![]).await, Ok(false));
}

/// Lists are in order of name, and read from both ends.
pub async fn rooms_are_listed_by_name(store: &Store) {
    let rooms = &store.rooms;
    let juliet = account(store, "juliet").await;
    for name in ["forres", "birnam", "heath"] {
        let card = Card { public: true, title: name.to_uppercase().into(), ..Card::default() };
        rooms.create(NewRoom { card, ..new_room(name, None) }, 1).await.expect("made");
    }
    let coven = rooms.create(new_room("coven", Some(juliet)), 1).await.expect("made");
    let names = async |public, select, limit| {
        let listed = rooms.list(public, select, limit).await.expect("read");
        listed.into_iter().map(|room| room.name.into()).collect::<Vec<String>>()
    };
    assert_eq!(names(false, Select::First, 9).await, ["birnam", "coven", "forres", "heath"]);
    assert_eq!(names(true, Select::First, 9).await, ["birnam", "forres", "heath"]);
    assert_eq!(names(true, Select::First, 2).await, ["birnam", "forres"]);
    assert_eq!(names(true, Select::After("coven".into()), 1).await, ["forres"]);
    assert_eq!(names(false, Select::Before("forres".into()), 1).await, ["coven"]);
    assert_eq!(names(true, Select::Before("zion".into()), 2).await, ["forres", "heath"]);
    assert_eq!(names(true, Select::Last, 2).await, ["forres", "heath"]);
    assert_eq!(names(true, Select::From(1), 1).await, ["forres"]);
    assert_eq!(names(true, Select::From(7), 1).await, [""; 0]);
    assert_eq!(rooms.count_public("forres").await, Ok((1, 3)));
    let expected = Listed {
        id: coven,
        name: "coven".into(),
        creator: Some(juliet),
        created: Millis(5),
        card: Card { title: "COVEN".into(), ..Card::default() },
    };
    assert_eq!(rooms.card("coven").await, Ok(Some(expected.clone())));
    let card = Card {
        public: true,
        members_only: true,
        persistent: true,
        title: "".into(),
        kept_days: Some(3),
    };
    let changes =
        vec![set(&entry("a@b.example", "owner", 1)), set(&entry("c@b.example", "none", 2))];
    assert_eq!(rooms.save(coven, Some((Bytes::new(), card.clone())), changes).await, Ok(true));
    assert_eq!(rooms.card("coven").await, Ok(Some(Listed { card, ..expected })));
    assert_eq!(rooms.count_affiliated(coven, &["owner", "member"]).await, Ok(1));
    assert_eq!(rooms.count_public("").await, Ok((0, 4)));
    assert_eq!(rooms.delete(coven).await, Ok(true));
    assert_eq!(rooms.card("coven").await, Ok(None));
    assert_eq!(rooms.count_public("").await, Ok((0, 3)));
}

/// Visits are taken once.
pub async fn visits_are_taken_once(store: &Store) {
    let (coven, heath) = (room(store, "coven").await, room(store, "heath").await);
    let rooms = &store.rooms;
    let visit = Bytes::from_static(b"three witches");
    rooms.hibernate(vec![(coven, visit.clone()), (heath, visit.clone())]).await.expect("kept");
    assert_eq!(rooms.delete(heath).await, Ok(true));
    assert_eq!(rooms.wake().await, Ok(vec![("coven".into(), visit)]));
    assert_eq!(rooms.wake().await, Ok(vec![]));
}

/// A room has an archive of its own, which goes with it.
pub async fn a_room_has_an_archive(store: &Store) {
    let coven = room(store, "coven").await;
    let of = coven.archive();
    let archive = &store.archive;
    let first = archive.tail(of, Millis(0)).await.expect("read").next;
    for id in first..first + 3 {
        let unit = [Append { account: of, ..message(of, id) }].into_iter().collect();
        archive.append(unit, None).expect("taken");
    }
    archive.barrier().await.expect("settled");
    let query = Query { max: 10, ..Query::default() };
    let page = archive.page(of, query.clone()).await.expect("read");
    assert_eq!(page.rows.len(), 3);
    let tombstone = Bytes::from_static(b"<message id='gone'/>");
    assert_eq!(archive.replace(of, first + 1, tombstone.clone()).await, Ok(true));
    assert_eq!(archive.replace(of, first + 7, tombstone.clone()).await, Ok(false));
    let page = archive.page(of, query.clone()).await.expect("read");
    assert_eq!(page.rows[1].stanza, tombstone);
    assert_eq!(page.rows[2].id, first + 2);
    assert_eq!(store.rooms.delete(coven).await, Ok(true));
    assert_eq!(archive.page(of, query).await.expect("read").rows, []);
    let late = [message(of, first + 9)].into_iter().collect();
    archive.append(late, None).expect("taken");
    archive.barrier().await.expect("settled");
    assert_eq!(archive.ends(of).await, Ok(None), "nothing is kept for a room that is gone");
}
