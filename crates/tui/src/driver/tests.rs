//! The driver with a store in memory and servers that are a few lines.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use bytes::Bytes;
use client::effect::{Lost, Target};
use client::store::conformance::profile::login;
use client::store::{Login, MemoryStore, Profile, Store, StoreError};
use client::view::{Change, Connection, Outcome, Problem};
use client::{Command, Input, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use xmpp::jid::BareJid;

use super::connection::Link;
use super::tls::Trust;
use super::{Config, Driver, Message, Output, Ways};

/// A bound for what takes a moment.
const PATIENCE: Duration = Duration::from_secs(60);

fn ways() -> Ways {
    Ways { trust: Trust::system(), proxy: None, isolation: String::new() }
}

fn start(store: &MemoryStore) -> (Driver, Receiver<Output>) {
    let (sender, said) = channel();
    let store = store.clone();
    let options =
        Options { software: "Test".into(), device: "test".into(), kind: "console".into() };
    let driver = Driver::start(Config {
        store: Box::new(move || {
            store.crash();
            Ok(Box::new(store.clone()) as Box<dyn Store + Send>)
        }),
        place: "/proc/self".into(),
        options,
        ways: ways(),
        output: Box::new(move |output| drop(sender.send(output))),
    });
    (driver.unwrap(), said)
}

/// Waits for something that is said.
fn wait<T>(said: &Receiver<Output>, mut wanted: impl FnMut(Output) -> Option<T>) -> T {
    loop {
        let output = said.recv_timeout(PATIENCE).expect("it is said in time");
        if let Some(found) = wanted(output) {
            return found;
        }
    }
}

fn outcome(said: &Receiver<Output>, number: u64) -> Outcome {
    wait(said, |output| match output {
        Output::Done(done, outcome) if done == number => Some(outcome),
        _ => None,
    })
}

fn store_with_login(server: String) -> MemoryStore {
    let store = MemoryStore::new();
    store.save_login(&Login { server: Some(server), pinned: None, ..login("secret") }).unwrap();
    store
}

#[test]
fn a_core_whose_store_refuses_is_built_anew() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let store = store_with_login(server.local_addr().unwrap().to_string());
    let (driver, said) = start(&store);
    let connecting = |output: Output| match output {
        Output::View(Change::Account(account)) => {
            (account.connection == Connection::Connecting).then_some(())
        }
        _ => None,
    };
    wait(&said, connecting);
    let draft = || Command::Draft(BareJid::new("romeo@example.org").unwrap(), "Ay me".into());
    store.fail_next_commit(StoreError::Full);
    let number = driver.request(draft());
    let failed = outcome(&said, number);
    let full = "the disk is full: free some space on /proc".to_owned();
    assert_eq!(failed, Outcome::Failed(Problem::Storage(full.clone())));
    let reason = wait(&said, |output| match output {
        Output::Storage(reason) => Some(reason),
        _ => None,
    });
    assert_eq!(reason, full);
    // The new core has no windows, tells everything again, and works.
    wait(&said, |output| matches!(output, Output::Anew).then_some(()));
    wait(&said, connecting);
    let number = driver.request(draft());
    assert_eq!(outcome(&said, number), Outcome::Done);
}

#[test]
fn a_server_that_is_not_there_is_a_network_problem() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap().to_string();
    drop(closed);
    let (_driver, said) = start(&store_with_login(address));
    let reason = wait(&said, |output| match output {
        Output::View(Change::Account(account)) => match account.connection {
            Connection::Waiting { reason, .. } => Some(reason),
            _ => None,
        },
        _ => None,
    });
    assert!(reason.contains("refused"), "{reason}");
}

fn target(listener: &TcpListener) -> Target {
    let server = listener.local_addr().unwrap().to_string();
    Target { domain: "example.org".into(), server: Some(server), pinned: None }
}

async fn next(inbox: &mut mpsc::Receiver<Message>) -> Input {
    let message = tokio::time::timeout(PATIENCE, inbox.recv()).await.expect("in time");
    match message {
        Some(Message::Link(7, input)) => *input,
        _ => panic!("something of this connection"),
    }
}

#[tokio::test]
async fn a_server_without_direct_tls_is_spoken_to_without() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (sender, mut inbox) = mpsc::channel(8);
    let link = Link::open(7, ways(), target(&listener), sender);
    // The greeting of TLS makes no sense to it.
    drop(listener.accept().await.unwrap());
    let (mut server, _) = listener.accept().await.unwrap();
    assert!(matches!(next(&mut inbox).await, Input::Connected { tls: None, .. }));
    assert!(link.send(Bytes::from_static(b"<stream>")));
    let mut said = [0; 8];
    server.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"<stream>");
    server.write_all(b"<proceed/>").await.unwrap();
    assert!(matches!(next(&mut inbox).await, Input::Received(bytes) if bytes == "<proceed/>"));
    link.close();
    assert!(matches!(next(&mut inbox).await, Input::Disconnected(Lost::Closed)));
    assert_eq!(server.read(&mut said).await.unwrap(), 0);
}

#[tokio::test]
async fn a_server_that_hangs_up_is_noticed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (sender, mut inbox) = mpsc::channel(8);
    let _link = Link::open(7, ways(), target(&listener), sender);
    drop(listener.accept().await.unwrap());
    let (server, _) = listener.accept().await.unwrap();
    assert!(matches!(next(&mut inbox).await, Input::Connected { .. }));
    drop(server);
    assert!(matches!(next(&mut inbox).await, Input::Disconnected(Lost::Ended)));
}

#[tokio::test]
async fn what_waits_to_be_written_is_bounded() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (sender, mut inbox) = mpsc::channel(8);
    let link = Link::open(7, ways(), target(&listener), sender);
    drop(listener.accept().await.unwrap());
    // It never reads.
    let (_server, _) = listener.accept().await.unwrap();
    assert!(matches!(next(&mut inbox).await, Input::Connected { .. }));
    let piece = Bytes::from(vec![0; 1 << 20]);
    let taken = (0..100).take_while(|_| link.send(piece.clone())).count();
    assert!((32..64).contains(&taken), "{taken} MiB were taken");
}
