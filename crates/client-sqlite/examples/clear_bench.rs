//! How long it takes to delete a long history, and the longest step of it: `cargo run --release --example clear_bench -- 100000`.

use std::time::{Duration, Instant};

use client::store::conformance::{address, conversation, message};
use client::store::{Conversations, Login, Message, Profile, Store, Timeline};
use client::{Client, Command, Input, Now, Options, Request};
use client_sqlite::{SqliteStore, Unlock};
use xmpp::time::Millis;

fn main() {
    let count: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(folder.path(), &Unlock::Plain).expect("opened");
    fill(&store, count);
    let options =
        Options { software: "Clownfish".into(), device: "bench".into(), kind: "console".into() };
    let mut client = Client::new(Box::new(store), options, [1; 32]).expect("built");
    let mut steady = 1000;
    let mut longest = Duration::ZERO;
    let mut step = |client: &mut Client, steady: u64, input: Input| {
        let started = Instant::now();
        let now = Now { wall: Millis(1_800_000_000_000), steady };
        client.handle(now, input).expect("a step");
        longest = longest.max(started.elapsed());
        started.elapsed()
    };
    step(&mut client, steady, Input::Start);
    let started = Instant::now();
    let command = Command::ClearHistory(address(ROMEO));
    let first = step(&mut client, steady, Input::Command(Request { number: 1, command }));
    println!("{count} messages are out of sight after {first:.1?}");
    let mut steps = 1;
    // Whatever comes later than that is no part of it.
    while let Some(due) = client.deadline().filter(|due| *due <= steady + 1) {
        steady = due;
        step(&mut client, steady, Input::Tick);
        steps += 1;
    }
    let whole = started.elapsed();
    println!("removed in {whole:.1?}, in {steps} steps of at most {longest:.1?}");
}

fn fill(store: &SqliteStore, count: u64) {
    let login = Login {
        address: address("juliet@example.org"),
        password: Some("capulet".into()),
        server: None,
        pinned: None,
        client_id: "1".into(),
        token: None,
    };
    store.begin().expect("begun");
    store.save_login(&login).expect("saved");
    store.save_conversation(&conversation(ROMEO)).expect("saved");
    for number in 1..=count {
        let said = Message {
            origin_id: Some(format!("51b98c5f-6a2b-4d3c-9f6a-{number:012}")),
            archive_id: Some(number.to_string()),
            ..message(ROMEO, number << 20, "So shaken as we are, so wan with care, find we a time.")
        };
        store.append(&said).expect("appended");
    }
    store.commit().expect("committed");
}

const ROMEO: &str = "romeo@example.org";
