//! Several inputs in one step.

use client::store::{Conversations, MemoryStore, Profile, StoreError};
use client::view::Outcome;
use client::{Client, Command, Effect, Input, Now, Request};
use xmpp::time::Millis;

use crate::server::bare;
use crate::world::{login, options};

const NOW: Now = Now { wall: Millis(1_700_000_000_000), steady: 1000 };

fn requests() -> Vec<Input> {
    let draft = |text: &str| Command::Draft(bare("juliet@example.net"), text.into());
    let commands = [
        Command::Login(login("romeo@example.net", "montague")),
        draft("O"),
        draft("O, I am fortune's fool"),
    ];
    let numbered = (1..).zip(commands);
    numbered.map(|(number, command)| Input::Command(Request { number, command })).collect()
}

fn ended(effects: &[Effect]) -> Vec<u64> {
    let ends = effects.iter().filter_map(|effect| match effect {
        Effect::Done(number, Outcome::Done) => Some(*number),
        _ => None,
    });
    ends.collect()
}

#[test]
fn inputs_that_wait_together_are_one_commit() {
    let store = MemoryStore::new();
    let mut client = Client::new(Box::new(store.clone()), options(), [1; 32]).unwrap();
    let before = store.commits();
    let effects = client.handle_all(NOW, requests()).unwrap();
    assert_eq!(store.commits(), before + 1);
    assert_eq!(ended(&effects), [2, 3]);
    let drafts: Vec<_> = store.conversations().unwrap().into_iter().map(|one| one.draft).collect();
    assert_eq!(drafts, ["O, I am fortune's fool"]);
}

#[test]
fn when_they_cannot_be_kept_none_of_them_happened() {
    let store = MemoryStore::new();
    let mut client = Client::new(Box::new(store.clone()), options(), [1; 32]).unwrap();
    store.fail_next_commit(StoreError::Full);
    assert!(matches!(client.handle_all(NOW, requests()), Err(StoreError::Full)));
    assert!(store.login().unwrap().is_none() && store.conversations().unwrap().is_empty());
}

#[test]
fn nothing_comes_after_a_logout() {
    let store = MemoryStore::new();
    let mut client = Client::new(Box::new(store.clone()), options(), [1; 32]).unwrap();
    client.handle_all(NOW, requests()).unwrap();
    let mut inputs = vec![Input::Command(Request { number: 9, command: Command::Logout })];
    inputs.extend(requests());
    let effects = client.handle_all(NOW, inputs).unwrap();
    assert_eq!(ended(&effects), [9]);
    assert!(store.login().unwrap().is_none() && store.conversations().unwrap().is_empty());
}
