//! The service with a store: rooms that end, or cannot be written, while others come.

use store::{
    archive::Query,
    rooms::{Affiliation as Row, Card, NewRoom},
};
use xmpp::ext::{muc::Role, rsm};

use super::*;
use crate::{
    ext::{
        muc::{
            abroad,
            carry::{finish, perform},
            directory, missed, operator,
            service::{self, Cell, Sender},
            unsaved,
        },
        pages,
    },
    model::Stage,
    s2s::outgoing::{Entry, Input as Happened},
    session::frame::Frame,
};

const COVEN: &str = "coven@conference.a.example";
const HECATE: &str = "hecate@b.example";

fn stanza(xml: &str) -> Stanza {
    Stanza::parse(xml.to_owned().into(), &Limits::CLIENT).unwrap()
}

fn jid(text: &str) -> Jid {
    Jid::new(text).unwrap()
}

/// A room that Hecate owns.
fn coven(stage: &Stage) -> std::sync::Arc<Cell> {
    let owner = bare(HECATE);
    let made = operator::create(&stage.server, "coven", &owner, true, None);
    stage.run(made).expect("no room of that name");
    stage.run(stage.server.rooms.load(&stage.server, "coven")).unwrap().expect("a room")
}

fn rows(stage: &Stage, cell: &Cell) -> Vec<Row> {
    let mut rows = stage.run(stage.server.store.rooms.affiliations(cell.id)).unwrap();
    rows.retain(|row| *row.jid != *HECATE);
    rows
}

fn ask(stage: &Stage, from: &str, xml: &str) {
    let (from, stanza) = (jid(from), stanza(xml));
    let to = jid(&stanza.to().unwrap());
    stage.run(service::receive(&stage.server, Sender::new(&from), &to, &stanza));
}

#[test]
fn a_room_that_ends_is_not_read_back_and_takes_nobody_in() {
    let stage = Stage::new();
    let server = &stage.server;
    let old = coven(&stage);
    let nobody = jid("a.example");
    let sender = Sender::new(&nobody);
    let rest = {
        let mut state = old.lock();
        let mut out = Vec::new();
        state.room.destroy(&Element::new("destroy", ns::MUC_OWNER), &mut out);
        perform(server, &old, &mut state, &sender, out, None)
    };
    // Its end is on its way to disk, and nobody has waited for that yet.
    assert!(stage.run(server.rooms.load(server, "coven")).unwrap().is_none());
    let new = coven(&stage);
    assert_ne!(new.id, old.id);
    stage.run(finish(server, &old, &sender, rest)).unwrap();
    assert!(server.rooms.find("coven").is_some(), "the new one is not the old one");

    let hag = jid("hag66@b.example/pda");
    let join = stanza(&format!(
        "<presence to='{COVEN}/thirdwitch'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
    ));
    let to = jid(&format!("{COVEN}/thirdwitch"));
    let late = Sender::new(&hag);
    let given = service::give(server, &old, &late, &to, &join, None);
    assert!(stage.run(given).is_err(), "whoever still holds it looks again");
    stage.run(service::receive(server, Sender::new(&hag), &to, &join));
    assert_eq!((old.lock().room.sessions(), new.lock().room.sessions()), (0, 1));
}

#[test]
fn what_other_servers_are_shown_is_in_the_archive() {
    let stage = Stage::with("[federation]\nbounce_seconds = 60\n");
    let server = &stage.server;
    let cell = coven(&stage);
    let (hag, crone) = (jid("hag66@b.example/pda"), jid("crone1@b.example/desk"));
    let enter = |who: &Jid, nick: &str| {
        ask(
            &stage,
            who.as_str(),
            &format!(
                "<presence to='{COVEN}/{nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
            ),
        );
    };
    let sent = || -> Vec<String> {
        let remote = server.s2s.remote("conference.a.example", "b.example");
        let state = remote.lock();
        state.queue.fleeting().map(|entry| String::from_utf8_lossy(&entry.bytes).into()).collect()
    };
    enter(&hag, "thirdwitch");
    let before = sent().len();
    assert!(before > 0, "nothing to wait for");
    let line = format!(
        "<message type='groupchat' to='{COVEN}' id='m'><body>Thrice the brinded cat hath mew'd.</body></message>"
    );
    ask(&stage, hag.as_str(), &line);
    enter(&crone, "firstwitch");
    assert_eq!(sent().len(), before, "nothing is shown yet, and nothing overtakes it");
    stage.run(abroad::work_off(server.clone()));
    let shown = sent();
    let of_line = shown.iter().position(|one| one.contains("brinded")).expect("it is shown");
    assert_eq!(of_line, before, "in the order in which it happened");
    let of_others = shown.iter().position(|one| one.contains("firstwitch")).expect("who came");
    assert!(of_others > of_line);
    let archive = &server.store.archive;
    let page = archive.page(cell.id.archive(), Query { max: 10, ..Query::default() });
    let page = stage.run(page).expect("a page");
    assert_eq!(page.rows.len(), 1);
    enter(&hag, "thirdwitch");
    assert!(sent().len() > shown.len(), "at once when nothing waits");
}

#[test]
fn the_operator_gives_a_room_to_somebody_else_and_everybody_is_told() {
    let stage = Stage::new();
    let server = &stage.server;
    let cell = coven(&stage);
    let hag = jid("hag66@b.example/pda");
    let join = stanza(&format!(
        "<presence to='{COVEN}/thirdwitch'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
    ));
    let to = jid(&format!("{COVEN}/thirdwitch"));
    stage.run(service::receive(server, Sender::new(&hag), &to, &join));
    let role = |cell: &Cell| cell.lock().room.role(&hag);
    assert_eq!(role(&cell), xmpp::ext::muc::Role::Participant);

    let set = |who: &str, affiliation| {
        let who = bare(who);
        stage.run(operator::affiliate(server, "coven", (&who, affiliation), Some("a gift")))
    };
    let alone = set(HECATE, Affiliation::None).unwrap_err();
    let operator::ChangeError::Refused(alone) = alone else { panic!("{alone:?}") };
    assert_eq!(alone.condition, xmpp::error::Condition::Conflict, "no owner would be left");
    assert!(set("hag66@b.example", Affiliation::Owner).unwrap());
    assert_eq!(role(&cell), xmpp::ext::muc::Role::Moderator, "what follows for who is inside");
    assert!(set(HECATE, Affiliation::None).unwrap());
    let kept = rows(&stage, &cell);
    assert_eq!((&*kept[0].jid, &*kept[0].affiliation), ("hag66@b.example", "owner"));
    let nowhere = bare("hag66@b.example");
    let none = operator::affiliate(server, "nowhere", (&nowhere, Affiliation::Owner), None);
    assert!(!stage.run(none).unwrap());

    let wish = crate::admin::RoomSettings {
        title: Some("A Dark Cave".to_owned()),
        members_only: Some(true),
        ..Default::default()
    };
    assert!(stage.run(operator::configure(server, "coven", &wish)).unwrap());
    let stored = stage.run(server.store.rooms.by_name("coven")).unwrap().unwrap();
    let settings = operator::settings(&stored.state).unwrap();
    assert_eq!(settings.title.as_deref(), Some("A Dark Cave"));
    assert_eq!((settings.members_only, settings.public), (Some(true), Some(true)));
    assert_eq!(role(&cell), xmpp::ext::muc::Role::Moderator, "an owner need not leave");
    assert!(set("hag66@b.example", Affiliation::None).is_err());
    assert!(
        set(HECATE, Affiliation::Owner).unwrap()
            && set("hag66@b.example", Affiliation::None).unwrap()
    );
    assert_eq!(cell.lock().room.sessions(), 0, "who is on no list of a room for members leaves");
}

#[test]
fn changes_of_one_request_are_written_at_once_and_what_failed_with_the_next() {
    let stage = Stage::new();
    let cell = coven(&stage);
    let ban = |names: &[&str]| {
        let items: String = names
            .iter()
            .map(|name| format!("<item jid='{name}@b.example' affiliation='outcast'/>"))
            .collect();
        format!(
            "<iq type='set' id='b' to='{COVEN}'>\
             <query xmlns='http://jabber.org/protocol/muc#admin'>{items}</query></iq>"
        )
    };
    ask(&stage, "hecate@b.example/x", &ban(&["macbeth", "banquo", "ross"]));
    let listed =
        |rows: Vec<Row>| rows.into_iter().map(|row| row.jid.into()).collect::<Vec<String>>();
    let banned = ["banquo@b.example", "macbeth@b.example", "ross@b.example"];
    assert_eq!(listed(rows(&stage, &cell)), banned);

    // As it is after the disk refused two changes.
    {
        let mut state = cell.lock();
        state.room.affiliations.set(&bare("duncan@b.example"), Affiliation::Outcast, None);
        state.room.affiliations.erase(&bare("ross@b.example"));
        state.unsaved.note(["duncan@b.example", "ross@b.example"]);
    }
    drop(cell);
    stage.server.rooms.forget_idle();
    let cell = stage.server.rooms.find("coven").expect("it is not forgotten before it is on disk");
    let ping = format!("<iq type='get' id='p' to='{COVEN}'><ping xmlns='urn:xmpp:ping'/></iq>");
    ask(&stage, "hecate@b.example/x", &ping);
    let banned = ["banquo@b.example", "duncan@b.example", "macbeth@b.example"];
    assert_eq!(listed(rows(&stage, &cell)), banned);
    assert!(cell.lock().unsaved.is_empty());
}

/// Nothing of their state is looked at: it is none.
#[test]
fn a_list_of_rooms_that_fits_into_no_answer_comes_in_pages() {
    let stage = Stage::new();
    let server = &stage.server;
    for number in 0..200 {
        let card = Card { title: "é".repeat(1000).into(), public: true, ..Card::default() };
        let room = NewRoom {
            name: format!("r{number:03}").into(),
            creator: None,
            created: store::Millis(0),
            state: "none".into(),
            card,
            affiliations: Vec::new(),
        };
        stage.run(server.store.rooms.create(room, 0)).unwrap();
    }
    let list = |position: Option<rsm::Position>| {
        let page = position.map(|position| rsm::Request { position, max: None }.to_element());
        let query = Element::new("query", ns::DISCO_ITEMS).with_children(page);
        let found = stage.run(directory::public_rooms(server, &query)).unwrap();
        let size = found.to_element().to_bytes(ns::CLIENT).len();
        assert!(size < pages::room(&server.config()) + 1000);
        let names = found.items.iter().map(|item| item.jid.to_string());
        (names.collect::<Vec<String>>(), found.page.expect("it is no whole list"))
    };
    let (mut all, mut page) = list(None);
    while page.count != Some(all.len()) {
        let (more, next) = list(page.last.map(rsm::Position::After));
        assert_eq!(next.first, Some((more[0].clone(), Some(all.len()))));
        all.extend(more);
        page = next;
    }
    assert_eq!(all.len(), 200);
    assert!(all.is_sorted());
    let (last, _) = list(Some(rsm::Position::Last));
    assert!(last.len() < 200 && all.ends_with(&last));
}

/// The lists of a room that fill more than an answer.
#[test]
fn long_lists_are_answered_in_pages_that_fit() {
    let stage = Stage::new();
    let cell = coven(&stage);
    let mut state = cell.lock();
    let room = &mut state.room;
    for number in 0..2000 {
        let reason = Some("x".repeat(200));
        room.affiliations.set(&bare(&format!("w{number}@b.example")), Affiliation::Outcast, reason);
    }
    let most = room.bounds.answer_bytes;
    let hecate = jid("hecate@b.example/x");
    let list = |position: Option<rsm::Position>| {
        let page = position.map(|position| rsm::Request { position, max: None }.to_element());
        let item = Element::new("item", ns::MUC_ADMIN).with_attr("affiliation", "outcast");
        let query = Element::new("query", ns::MUC_ADMIN).with_child(item).with_children(page);
        let answer = room.list(&hecate, &query).unwrap().unwrap();
        assert!(answer.to_bytes(ns::CLIENT).len() < most + 1000);
        let items = answer.children().filter(|child| child.name() == "item");
        let names: Vec<String> = items.map(|item| item.attr("jid").unwrap().to_owned()).collect();
        (names, rsm::Response::child_of(&answer).expect("it is no whole list"))
    };
    let (mut all, mut page) = list(None);
    assert!(all.len() < 2000);
    while page.count != Some(all.len()) {
        let (more, next) = list(page.last.map(rsm::Position::After));
        assert!(!more.is_empty());
        assert_eq!(next.first, Some((more[0].clone(), Some(all.len()))));
        all.extend(more);
        page = next;
    }
    assert!(all.is_sorted());
    assert_eq!(all.len(), 2000);
    let (last, _) = list(Some(rsm::Position::Last));
    assert_eq!(all.last_chunk::<9>(), last.last_chunk::<9>());
}

#[test]
fn versions_of_long_lists_come_in_messages_that_fit() {
    let stage = Stage::new();
    let cell = coven(&stage);
    let mut state = cell.lock();
    let room = &mut state.room;
    for number in 0..6000 {
        room.affiliations.set(&bare(&format!("w{number}@b.example")), Affiliation::Member, None);
    }
    let join = xmpp::ext::muc::Join { affiliations: Some(None), ..Default::default() };
    let mut out = Vec::new();
    room.tell_affiliations(&jid("hecate@b.example/x"), &join, &mut out);
    assert!(out.len() > 1);
    let (mut since, mut told) = (None, 0);
    for (_, _, bytes) in out.iter().filter_map(Effect::stanza) {
        assert!(bytes.len() < room.bounds.answer_bytes + 1000);
        let message = Element::parse(&bytes, &Limits::TRUSTED).unwrap();
        let x = message.child("x", ns::MUC_USER).unwrap();
        let mav = x.child("mav", ns::MUC_AFFILIATIONS).unwrap();
        assert_eq!(mav.attr("since"), since.as_deref());
        since = mav.attr("until").map(str::to_owned);
        told += x.children().filter(|child| child.name() == "item").count();
    }
    assert_eq!(told, 6001);
    assert_eq!(since, Some(room.affiliations.version().to_string()));
}

#[test]
fn what_is_not_on_disk_is_not_done() {
    let stage = Stage::new();
    let cell = coven(&stage);
    stage.run(stage.server.store.maintenance.close()).unwrap();
    let nobody = jid("a.example");
    let sender = Sender::new(&nobody);
    let rest = {
        let mut state = cell.lock();
        let mut out = Vec::new();
        let banned = bare("macbeth@b.example");
        state.room.set_affiliation(&banned, Affiliation::Outcast, Default::default(), &mut out);
        perform(&stage.server, &cell, &mut state, &sender, out, None)
    };
    let error = stage.run(finish(&stage.server, &cell, &sender, rest)).unwrap_err();
    assert!(!cell.lock().unsaved.is_empty(), "it is tried again");

    let answer = |kind: &str| {
        let xml = format!("<iq xmlns='jabber:client' from='{COVEN}' type='{kind}' id='b'/>");
        let told = unsaved::refused(Frame::iq(xml.into()), &error);
        Element::parse(&told.bytes, &Limits::TRUSTED).unwrap()
    };
    let told = answer("result");
    assert_eq!((told.attr("type"), told.attr("id")), (Some("error"), Some("b")));
    assert_eq!(told.attr("from"), Some(COVEN));
    assert!(told.children().any(|child| child.name() == "error"));
    assert_eq!(answer("error").children().count(), 0, "an error stays as it is");
}

#[test]
fn while_nothing_can_be_stored_people_can_still_be_thrown_out() {
    let admin = |item: &str| {
        stanza(&format!(
            "<iq type='set' id='a'><query xmlns='http://jabber.org/protocol/muc#admin'>{item}</query></iq>"
        ))
    };
    let room = jid(COVEN);
    assert!(!unsaved::lasts(&admin("<item nick='hag' role='none'/>"), &room));
    assert!(unsaved::lasts(&admin("<item jid='a@b.example' affiliation='outcast'/>"), &room));
    assert!(!unsaved::lasts(&stanza("<iq type='get' id='a'/>"), &room));
    let occupant = jid(&format!("{COVEN}/hag"));
    assert!(!unsaved::lasts(&stanza("<iq type='set' id='a'/>"), &occupant), "it passes through");
}

#[test]
fn owners_say_how_long_messages_are_kept() {
    let stage = Stage::new();
    let cell = coven(&stage);
    let kept = |days: &str| {
        let form = format!(
            "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>\
             <value>http://jabber.org/protocol/muc#roomconfig</value></field>\
             <field var='x-roomconfig_kept_days'><value>{days}</value></field></x>"
        );
        let query = format!("<query xmlns='http://jabber.org/protocol/muc#owner'>{form}</query>");
        let iq = format!("<iq type='set' id='k' to='{COVEN}'>{query}</iq>");
        ask(&stage, &format!("{HECATE}/pda"), &iq);
        stage.run(stage.server.store.retentions.of(cell.id.archive())).unwrap().own
    };
    assert_eq!(kept("7"), Some(7));
    assert_eq!(kept("long"), Some(7), "that is no number");
    assert_eq!(kept("0"), None);
}

/// Two occupants at another domain, which gets what the room says until it does not.
fn with_occupants(stage: &Stage) -> std::sync::Arc<Cell> {
    let cell = coven(stage);
    for (witch, nick) in
        [("crone1@b.example/desktop", "firstwitch"), ("hag66@b.example/pda", "thirdwitch")]
    {
        let join = "<x xmlns='http://jabber.org/protocol/muc'/>";
        ask(stage, witch, &format!("<presence to='{COVEN}/{nick}'>{join}</presence>"));
    }
    assert_eq!(cell.lock().room.sessions(), 2);
    cell
}

#[test]
fn whoever_missed_something_is_taken_out_of_the_room() {
    let stage = Stage::with("");
    let cell = with_occupants(&stage);
    let server = &stage.server;
    let remote = server.s2s.remote("conference.a.example", "b.example");
    let refuse = |kind, xml: &str| {
        let (bytes, since) = (bytes::Bytes::from(xml.to_owned()), server.now());
        let entry = Entry { bytes, kind, parcel: None, account: None, since };
        remote.input(server, Happened::Refused(entry));
        stage.run(missed::work_off(server.clone()));
        cell.lock().room.sessions()
    };
    let hag = "hag66@b.example/pda";
    let private = format!("<message from='{COVEN}/firstwitch' to='{hag}' type='chat'/>");
    assert_eq!(refuse(Kind::Message, &private), 2, "nobody else got that");
    let error = format!("<presence from='{COVEN}/x' to='{hag}' type='error'/>");
    assert_eq!(refuse(Kind::Presence, &error), 2);
    let line = format!("<message from='{COVEN}/firstwitch' to='{hag}' type='groupchat'/>");
    assert_eq!(refuse(Kind::Message, &line), 1);
    assert!(cell.lock().room.role(&jid(hag)) == Role::None);
    let presence = format!("<presence from='{COVEN}/x' to='crone1@b.example/desktop'/>");
    assert_eq!(refuse(Kind::Presence, &presence), 0);
}

#[test]
fn occupants_at_a_domain_that_is_denied_later_leave_with_the_next_line() {
    let stage = Stage::with("");
    let cell = with_occupants(&stage);
    let server = &stage.server;
    let denied = "domain = \"a.example\"\n[federation]\ndeny = [\"b.example\"]\n";
    server.set_config(crate::config::Config::parse(denied).unwrap());
    let juliet = "juliet@a.example/balcony";
    let join = "<x xmlns='http://jabber.org/protocol/muc'/>";
    ask(&stage, juliet, &format!("<presence to='{COVEN}/juliet'>{join}</presence>"));
    stage.run(missed::work_off(server.clone()));
    let state = cell.lock();
    assert!(state.room.contains(&jid(juliet)));
    assert_eq!(state.room.sessions(), 1, "who cannot hear of her is not shown to her");
    drop(state);
    stage.run(missed::work_off(server.clone()));
    assert_eq!(cell.lock().room.sessions(), 1);
}

#[test]
fn occupants_at_a_domain_that_is_denied_leave_where_nothing_is_said() {
    let stage = Stage::with("");
    let cell = with_occupants(&stage);
    let server = &stage.server;
    let stay = ["juliet@a.example/balcony", "wicca@c.example/laptop"];
    for who in stay {
        let join = "<x xmlns='http://jabber.org/protocol/muc'/>";
        let nick = who.split('@').next().unwrap();
        ask(&stage, who, &format!("<presence to='{COVEN}/{nick}'>{join}</presence>"));
    }
    let mut config = crate::config::Config::clone(&server.config());
    config.domains.deny = vec!["b.example".to_owned()];
    server.set_config(config);
    stage.run(async {
        server.rooms.missed.noted().await;
        missed::work_off(server.clone()).await;
    });
    let state = cell.lock();
    assert!(stay.iter().all(|who| state.room.contains(&jid(who))));
    assert_eq!(state.room.sessions(), 2);
    let remote = server.s2s.remote("conference.a.example", "c.example");
    let state = remote.lock();
    let text = |entry: &Entry| String::from_utf8_lossy(&entry.bytes).into_owned();
    let told = state.queue.fleeting().map(text).filter(|it| it.contains("type='unavailable'"));
    assert_eq!(told.count(), 2, "the others hear of it");
}

#[test]
fn whoever_is_taken_out_with_others_hears_that_and_nothing_of_them() {
    let mut play = Play::open();
    play.join(HAG, "thirdwitch");
    play.join("wicca@b.example/laptop", "secondwitch");
    let gone = [HAG, "wicca@b.example/laptop"].map(jid);
    let mut out = Vec::new();
    play.room.drop_out_all(&gone.clone().into(), &mut out);
    for one in &gone {
        let told: Vec<Element> = sent(&out, one.as_str()).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(codes(&told[0]), ["333", "110"]);
    }
    assert_eq!(sent(&out, CRONE).count(), 2, "whoever stays hears of each");
    assert_eq!(play.room.sessions(), 1);
}
