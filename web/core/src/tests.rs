//! The translation between core, worker and page.

use client::store::{
    Content, Delivery, Encryption, File, Happened, Happening, MemoryStore, Message, MessageId,
    Place, Position, Preview, Reached, StoreError, TrustLevel, Version,
};
use client::view::{Affiliation, Change, Member, Outcome, Problem, Role, Room, RoomState};
use client::{Command as Ask, Now};
use serde_json::{Value, json};
use xmpp::jid::BareJid;
use xmpp::time::Millis;

use crate::files::Files;
use crate::worker::{Device, Event};
use crate::{Engine, ask, show};

fn engine(store: &MemoryStore) -> Engine {
    let device = Device { label: "Firefox on Linux".into(), kind: "web".into() };
    let mut count = 0;
    let random = move || {
        count += 1;
        Some([count; 60])
    };
    Engine::new(Box::new(store.clone()), device, Box::new(random)).unwrap()
}

/// Gives events as the worker does; returns the effects as the worker gets them.
fn handle(engine: &mut Engine, events: Value) -> Vec<Value> {
    let events: Vec<Event> = serde_json::from_value(events).unwrap();
    let now = Now { wall: Millis(1_700_000_000_000), steady: 1000 };
    let effects = engine.handle(now, events).unwrap();
    let effects = serde_json::to_value(&effects).unwrap();
    effects.as_array().unwrap().clone()
}

fn notices(effects: &[Value]) -> Vec<&Value> {
    effects.iter().filter(|one| one["do"] == "tell").map(|one| &one["notice"]).collect()
}

fn sign_in(engine: &mut Engine) -> Vec<Value> {
    let command = json!({
        "do": "signIn", "address": "romeo@example.org", "password": "secret",
    });
    handle(engine, json!([{ "is": "asked", "request": { "number": 1, "command": command } }]))
}

#[test]
fn without_randomness_nothing_begins() {
    let device = || Device { label: "Firefox on Linux".into(), kind: "web".into() };
    let store = MemoryStore::new();
    let none = Engine::new(Box::new(store.clone()), device(), Box::new(|| None));
    assert!(matches!(none, Err(StoreError::Io(_))));
    // What is asked for later and needs some fails as well, and nothing is named or sealed by zeros.
    let mut once = Some([7; 60]);
    let random = Box::new(move || once.take());
    let mut engine = Engine::new(Box::new(store), device(), random).unwrap();
    sign_in(&mut engine);
    assert!(engine.give().is_none());
    let command = json!({ "do": "download", "message": 1 });
    let request = json!({ "is": "asked", "request": { "number": 2, "command": command } });
    let effects = handle(&mut engine, json!([request]));
    assert_eq!(notices(&effects)[0]["outcome"]["is"], "failed", "{effects:?}");
}

#[test]
fn an_empty_store_says_that_nobody_is_signed_in() {
    let effects = handle(&mut engine(&MemoryStore::new()), json!([{ "is": "start" }]));
    assert_eq!(notices(&effects), [&json!({ "is": "signedOut" })]);
}

#[test]
fn signing_in_connects_and_speaks_websocket() {
    let store = MemoryStore::new();
    let mut engine = engine(&store);
    let effects = sign_in(&mut engine);
    assert!(effects.contains(&json!({ "do": "connect", "domain": "example.org" })), "{effects:?}");
    let account = notices(&effects).into_iter().rfind(|one| one["is"] == "account").unwrap();
    assert_eq!(account["connection"]["is"], "connecting");
    let effects = handle(&mut engine, json!([{ "is": "connected", "secure": true }]));
    let sent = effects.iter().find(|one| one["do"] == "send").unwrap();
    let text = sent["text"].as_str().unwrap();
    assert!(text.starts_with("<open ") && text.contains("to='example.org'"), "{text}");
    assert!(engine.deadline().is_some());
}

#[test]
fn a_request_to_send_ends_for_the_page_when_the_message_is_kept() {
    let store = MemoryStore::new();
    let mut engine = engine(&store);
    sign_in(&mut engine);
    let send =
        json!({ "do": "send", "to": "juliet@example.org", "text": "hello", "replyTo": null });
    let asked = json!([{ "is": "asked", "request": { "number": 2, "command": send } }]);
    let effects = handle(&mut engine, asked);
    let ends: Vec<_> = notices(&effects).into_iter().filter(|one| one["is"] == "done").collect();
    let [end] = ends.as_slice() else { panic!("{ends:?}") };
    assert_eq!((&end["number"], &end["outcome"]["is"]), (&json!(2), &json!("kept")));
    // It is on disk: another core sends it.
    drop(engine);
    store.crash();
    let account = handle(&mut self::engine(&store), json!([{ "is": "start" }]));
    let account = notices(&account).into_iter().rfind(|one| one["is"] == "account").unwrap();
    assert_eq!(account["queued"], 1);
}

#[test]
fn a_connection_that_others_can_read_is_not_used() {
    let mut engine = engine(&MemoryStore::new());
    sign_in(&mut engine);
    handle(&mut engine, json!([{ "is": "connected", "secure": false }]));
    let features = "<features xmlns='http://etherx.jabber.org/streams'>\
                    <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
                    <mechanism>SCRAM-SHA-256</mechanism></mechanisms></features>";
    let open = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='1' \
                version='1.0' xml:lang='en'/>";
    let events = json!([
        { "is": "received", "text": open },
        { "is": "received", "text": features },
    ]);
    let effects = handle(&mut engine, events);
    let text: String = effects.iter().filter_map(|one| one["text"].as_str()).collect();
    assert!(!text.contains("<auth"), "{text}");
    assert!(effects.contains(&json!({ "do": "close" })), "{effects:?}");
}

#[test]
fn what_makes_no_sense_ends_with_the_reason_and_reaches_no_core() {
    let mut engine = engine(&MemoryStore::new());
    let asked = |number: u64, command: Value| json!([{ "is": "asked", "request": { "number": number, "command": command } }]);
    for (command, kind) in [
        (json!({ "do": "open", "address": "@" }), "invalid"),
        (json!({ "do": "trust", "address": "a@b.c", "key": "00", "level": "verified" }), "invalid"),
        (json!({ "do": "setAvatar", "png": "%" }), "invalid"),
        (
            json!({
                "do": "sendFile", "to": "a@b.c", "file": "unknown", "name": "a", "size": 1,
                "mediaType": "text/plain", "caption": null,
            }),
            "unknown",
        ),
    ] {
        let effects = handle(&mut engine, asked(7, command.clone()));
        let [done] = notices(&effects)[..] else { panic!("{effects:?}") };
        assert_eq!((&done["is"], &done["number"]), (&json!("done"), &json!(7)));
        assert_eq!(done["outcome"]["problem"]["kind"], kind, "{command}");
    }
}

#[test]
fn every_file_has_a_key_of_its_own_that_the_page_does_not_get() {
    let mut engine = engine(&MemoryStore::new());
    let (one, other) = (engine.give().unwrap(), engine.give().unwrap());
    assert_ne!(one.name, other.name);
    assert_ne!(one.cipher.key, other.cipher.key);
    let again = engine.file(&one.name).unwrap();
    assert_eq!((again.cipher.key, again.cipher.iv), (one.cipher.key, one.cipher.iv));
    assert!(engine.file("unknown").is_none());
}

#[test]
fn leaving_answers_no_request_of_the_page() {
    let mut engine = engine(&MemoryStore::new());
    sign_in(&mut engine);
    let effects = handle(&mut engine, json!([{ "is": "leave" }]));
    let numbers = notices(&effects).into_iter().filter(|one| one["is"] == "done");
    assert!(numbers.into_iter().all(|one| one["number"] == 1), "{effects:?}");
    assert!(effects.contains(&json!({ "do": "close" })));
}

#[test]
fn signing_out_says_so_and_lets_everything_be_removed() {
    let store = MemoryStore::new();
    let mut engine = engine(&store);
    sign_in(&mut engine);
    let request = json!({ "number": 2, "command": { "do": "signOut" } });
    let effects = handle(&mut engine, json!([{ "is": "asked", "request": request }]));
    let told = notices(&effects);
    assert!(told.contains(&&json!({ "is": "done", "number": 2, "outcome": { "is": "done" } })));
    assert_eq!(told.last(), Some(&&json!({ "is": "signedOut" })));
    assert_eq!(effects.last(), Some(&json!({ "do": "wiped" })));
}

#[test]
fn a_room_is_told_with_everybody_in_it() {
    let address = BareJid::new("garden@conference.example.org").unwrap();
    let feste = Member {
        nick: Some("Feste".into()),
        address: None,
        affiliation: Affiliation::Admin,
        role: Role::Moderator,
        hats: vec!["Fool".into()],
    };
    let room = Room {
        address,
        name: "Garden".into(),
        subject: None,
        avatar: Some("0a".repeat(20)),
        nick: Some("Viola".into()),
        state: RoomState::Refused("only members may enter".into()),
        invited_by: Some(BareJid::new("olivia@example.org").unwrap()),
        private: true,
        open: false,
        anonymous: false,
        links: false,
        requests: vec![client::view::JoinRequest {
            nick: "Malvolio".into(),
            address: BareJid::new("malvolio@example.org").ok(),
            words: None,
        }],
        asked: Some(Millis(9)),
        since: None,
        affiliation: Affiliation::None,
        role: Role::Visitor,
        members: vec![feste],
    };
    let told = show::change(Change::Room(Box::new(room)), &mut Files::default()).unwrap();
    let asking = serde_json::to_value(&told).unwrap()["requests"].clone();
    let malvolio =
        json!([{ "nick": "Malvolio", "address": "malvolio@example.org", "words": null }]);
    assert_eq!(asking, malvolio);
    let told = serde_json::to_value(told).unwrap();
    assert_eq!(told["is"], "room");
    assert_eq!(told["asked"], 9);
    assert_eq!(told["address"], "garden@conference.example.org");
    assert_eq!(told["state"], json!({ "is": "refused", "reason": "only members may enter" }));
    assert_eq!(told["invitedBy"], "olivia@example.org");
    assert_eq!(told["avatar"], json!("0a".repeat(20)));
    let feste = json!({
        "nick": "Feste", "address": null, "affiliation": "admin", "role": "moderator",
        "hats": ["Fool"],
    });
    assert_eq!(told["members"], json!([feste]));
}

#[test]
fn what_happened_in_a_room_is_told_with_whom_it_is_about() {
    let one = |nick: &str, what| Happening {
        time: Millis(7),
        nick: Some(nick.to_owned()),
        address: BareJid::new("feste@example.org").ok(),
        what,
    };
    let shown = shown(Content::Event(client::store::Event::Room(vec![
        one("Feste", Happened::Affiliation(Affiliation::Admin)),
        one("Feste", Happened::PutOut(Some("too much singing".into()))),
    ])));
    let told = |what: Value| json!({ "time": 7, "nick": "Feste", "address": "feste@example.org", "what": what });
    let wanted = json!({
        "is": "room",
        "happenings": [
            told(json!({ "is": "affiliation", "affiliation": "admin" })),
            told(json!({ "is": "putOut", "reason": "too much singing" })),
        ],
    });
    assert_eq!(shown["content"], wanted);
}

#[test]
fn a_group_is_not_made_with_somebody_who_has_no_address() {
    let mut engine = engine(&MemoryStore::new());
    let command = json!({
        "do": "createRoom", "address": null, "name": null, "public": false, "people": ["@"],
    });
    let asked = json!([{ "is": "asked", "request": { "number": 3, "command": command } }]);
    let effects = handle(&mut engine, asked);
    let [done] = notices(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(done["outcome"]["problem"]["kind"], "invalid");
}

#[test]
fn windows_say_whether_they_reach_to_the_end() {
    let romeo = BareJid::new("romeo@example.org").unwrap();
    let files = &mut Files::default();
    let window = Change::Window {
        conversation: romeo.clone(),
        messages: vec![message(Content::Retracted)],
        older: false,
        newer: true,
        first_unread: None,
    };
    let window = serde_json::to_value(show::change(window, files).unwrap()).unwrap();
    assert_eq!((&window["is"], &window["newer"]), (&json!("window"), &json!(true)));
    let newer = Change::Newer { conversation: romeo, messages: Vec::new(), newer: false };
    let newer = serde_json::to_value(show::change(newer, files).unwrap()).unwrap();
    let wanted = json!({
        "is": "newer", "address": "romeo@example.org", "messages": [], "newer": false,
    });
    assert_eq!(newer, wanted);
}

fn message(content: Content) -> Message {
    let romeo = BareJid::new("romeo@example.org").unwrap();
    let key = [1; 32];
    let trust = TrustLevel::Blind;
    Message {
        id: MessageId(3),
        conversation: romeo.clone(),
        position: Position(255),
        sender: romeo,
        own: false,
        time: Millis(5),
        content,
        origin_id: None,
        archive_id: None,
        encryption: Encryption::Omemo { version: Version::Omemo2, device: 9, key, trust },
        delivery: Some(Delivery::Failed("why".into())),
        reached: vec![Reached {
            device: Some(7),
            resource: "canary".into(),
            program: Some("Clownfish".into()),
            delivered: Some(Millis(6)),
            read: None,
        }],
        reply: None,
        reactions: Vec::new(),
        starred: true,
        versions: vec![(Millis(1), "before".into())],
        edits: Vec::new(),
        wants: None,
        stayed: false,
        elsewhere: false,
        way: client::store::Way::default(),
        occupant: None,
    }
}

fn shown(content: Content) -> Value {
    serde_json::to_value(show::message(message(content), &mut Files::default())).unwrap()
}

#[test]
fn a_message_is_shown_without_anything_secret() {
    let name = "0a".repeat(16);
    let file = File {
        name: "a.jpg".into(),
        size: Some(4),
        media_type: None,
        url: Some("https://example.org/canary".into()),
        key: Some("canary".into()),
        local: Some(format!("{name}:canary")),
        preview: Some(Preview { length: Some(42_500), ..Preview::default() }),
    };
    let shown = shown(Content::File(file, Some("look".into())));
    assert_eq!(shown["content"]["file"]["length"], 42_500);
    assert_eq!(shown["content"]["file"]["picture"], Value::Null, "a sound looks like nothing");
    assert!(!shown.to_string().contains("canary"), "{shown}");
    assert_eq!(shown["content"]["file"]["local"], json!(name));
    assert_eq!(shown["content"]["file"]["uploaded"], true);
    assert_eq!(shown["content"]["lines"][0]["spans"][0]["text"], "look");
    assert_eq!(shown["place"], "00000000000000ff");
    assert_eq!(shown["encryption"], json!({ "is": "omemo", "device": 9, "trust": "blind" }));
    assert_eq!(shown["delivery"], json!({ "is": "failed", "reason": "why" }));
    assert_eq!(shown["starred"], true);
    let reached = json!([{ "device": 7, "program": "Clownfish", "delivered": 6, "read": null }]);
    assert_eq!(shown["reached"], reached);
    assert_eq!(shown["versions"], json!([{ "until": 1, "text": "before" }]));
}

#[test]
fn a_text_has_styles_and_addresses() {
    let shown = shown(Content::Text("/me sees *https://example.org*\n> `https://code`".into()));
    let content = &shown["content"];
    assert_eq!((&content["is"], &content["action"]), (&json!("text"), &json!(true)));
    let spans = content["lines"][0]["spans"].as_array().unwrap();
    let texts: Vec<_> = spans.iter().map(|span| span["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["sees ", "*", "https://example.org", "*"]);
    assert_eq!(spans[2]["link"], "https://example.org");
    assert!(spans[2]["strong"].as_bool().unwrap() && spans[0]["link"].is_null());
    let quoted = &content["lines"][1];
    assert_eq!(quoted["quote"], 1);
    assert!(quoted["spans"].as_array().unwrap().iter().all(|span| span["link"].is_null()));
}

#[test]
fn places_sort_as_positions_do() {
    let place = |position| {
        let one = Message { position: Position(position), ..message(Content::Retracted) };
        show::message(one, &mut Files::default()).place
    };
    let positions = [0, 1, 15, 16, 255, 1 << 40, u64::MAX];
    assert!(positions.windows(2).all(|pair| place(pair[0]) < place(pair[1])));
}

#[test]
fn outcomes_and_changes_have_the_names_of_the_page() {
    let files = &mut Files::default();
    let outcome = show::outcome(Outcome::Sent(MessageId(8)), files);
    assert_eq!(serde_json::to_value(outcome).unwrap(), json!({ "is": "sent", "message": 8 }));
    let found = show::outcome(Outcome::Found(vec![message(Content::Retracted)]), files);
    let found = serde_json::to_value(found).unwrap();
    assert_eq!(found["messages"][0]["address"], "romeo@example.org");
    let next = Some(Place { position: Position(0x2a), id: MessageId(-7) });
    let part = Outcome::Part { found: vec![message(Content::Retracted)], next };
    let part = serde_json::to_value(show::outcome(part, files)).unwrap();
    assert_eq!((&part["is"], part["messages"].as_array().unwrap().len()), (&json!("part"), 1));
    let on = json!({ "do": "search", "text": "a b", "address": null, "from": part["next"] });
    let asked = ask::command(serde_json::from_value(on).unwrap(), files, || None).unwrap();
    let Ask::Search { from, .. } = asked else { panic!("a search") };
    assert_eq!(from, next);
    for bad in ["", "12", "zz 1", "12 x", "12 1 1"] {
        let on = json!({ "do": "files", "address": "romeo@example.org", "kinds": ["picture"], "from": bad });
        let asked = ask::command(serde_json::from_value(on).unwrap(), files, || None);
        assert!(matches!(asked, Err(Problem::Invalid(_))), "{bad:?}");
    }
    let romeo = BareJid::new("romeo@example.org").unwrap();
    let change = show::change(Change::MessageRemoved(romeo, MessageId(3)), files).unwrap();
    let wanted = json!({ "is": "messageRemoved", "address": "romeo@example.org", "message": 3 });
    assert_eq!(serde_json::to_value(change).unwrap(), wanted);
}
