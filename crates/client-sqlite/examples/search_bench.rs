//! How long a search through everything takes, and its longest part: `cargo run --release --example search_bench -- 100000`.

use std::time::{Duration, Instant};

use client::store::{Content, Look, Message, MessageId, Position, Store, Timeline, Wanted, Words};
use client_sqlite::{SqliteStore, Unlock};
use xmpp::jid::BareJid;
use xmpp::time::Millis;

fn main() {
    let count: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(folder.path(), &Unlock::Plain).expect("opened");
    let started = Instant::now();
    store.begin().expect("begun");
    for number in 0..count {
        store.append(&message(number)).expect("appended");
    }
    store.commit().expect("committed");
    println!("{count} messages written in one step: {:.1?}", started.elapsed());
    for text in ["needle", "word 17", "nothing of that kind"] {
        let (started, mut longest, mut found) = (Instant::now(), Duration::ZERO, 0);
        let wanted = Wanted::Words(Words::of(text).expect("words"));
        let mut from = None;
        loop {
            let part = Instant::now();
            let look = Look { wanted: &wanted, conversation: None, from, rows: 500, found: 100 };
            let looked = store.look(&look).expect("searched");
            longest = longest.max(part.elapsed());
            found += looked.found.len();
            from = looked.next;
            if from.is_none() {
                break;
            }
        }
        let whole = started.elapsed();
        println!("{text:?}: {found} found in {whole:.1?}, a part in at most {longest:.1?}");
    }
    let started = Instant::now();
    store.before(&message(0).conversation, None, 50).expect("read");
    println!("a page of 50: {:.1?}", started.elapsed());
    let started = Instant::now();
    for number in 0..100 {
        store.begin().expect("begun");
        store.append(&message(count + number)).expect("appended");
        store.commit().expect("committed");
    }
    println!("a message in a step of its own: {:.1?}", started.elapsed() / 100);
}

fn message(number: u64) -> Message {
    let contact = |n: u64| BareJid::new(&format!("contact{n}@example.org")).expect("an address");
    let needle = if number == 0 { "needle" } else { "" };
    let filler = "So shaken as we are, so wan with care, find we a time for frighted peace. ";
    Message {
        id: MessageId(0),
        conversation: contact(number % 200),
        position: Position(number << 20),
        sender: contact(number % 200),
        own: false,
        time: Millis(1_700_000_000_000 + number * 1000),
        content: Content::Text(format!("{needle} word {} {filler}", number % 1000)),
        origin_id: Some(format!("51b98c5f-6a2b-4d3c-9f6a-{number:012}")),
        archive_id: Some(number.to_string()),
        encryption: client::store::Encryption::None,
        delivery: None,
        reached: Vec::new(),
        reply: None,
        reactions: Vec::new(),
        starred: false,
        versions: Vec::new(),
        edits: Vec::new(),
        wants: None,
        stayed: false,
        elsewhere: false,
        way: client::store::Way::default(),
        occupant: None,
    }
}
