//! What was acknowledged is there after `kill -9` at any moment (G1), on both sides, once, in order.
//!
//! The test starts itself again as a child process that appends units and prints the number of each
//! one that was settled; kills it; and looks at what is on disk.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Directory, close};
use crate::archive::{Append, Paging, Query, Ticket, Unit};
use crate::conformance::{account, block_on};
use crate::sqlite::{Options, open};
use crate::{AccountId, Millis, Store, StoreError};

const DIRECTORY: &str = "ANEMONE_STORE_CRASH_DATABASE";
const ROUNDS: u64 = 20;

struct Printer;

impl Ticket for Printer {
    fn settled(&self, tag: u64, outcome: Result<(), &StoreError>) {
        outcome.expect("the device works");
        let mut out = std::io::stdout().lock();
        writeln!(out, "settled {tag}").and_then(|()| out.flush()).expect("the parent listens");
    }
}

fn row(account: AccountId, id: u64, number: u64, outgoing: bool) -> Append {
    Append {
        account,
        id,
        at: Millis(number),
        with: "other@capulet.example".into(),
        resource: None,
        outgoing,
        origin_hash: outgoing.then_some(number),
        pending: !outgoing,
        hidden: false,
        stanza: format!("<message id='{number}'>{}</message>", "x".repeat(number as usize % 5000))
            .into(),
    }
}

async fn existing(store: &Store, name: &str) -> AccountId {
    match store.accounts.by_name(name).await.expect("read") {
        Some(found) => found.id,
        None => account(store, name).await,
    }
}

/// The numbers in an archive, in its order.
async fn numbers(store: &Store, account: AccountId) -> Vec<u64> {
    let mut numbers = Vec::new();
    let mut page = Paging::First;
    loop {
        let query = Query { page, max: 250, ..Query::default() };
        let found = store.archive.page(account, query).await.expect("read");
        numbers.extend(found.rows.iter().map(|row| row.at.0));
        match found.rows.last() {
            Some(row) if !found.complete => page = Paging::After(row.id),
            _ => return numbers,
        }
    }
}

/// Only does something when the other test starts it: appends until it is killed.
#[test]
fn child_appends_until_it_is_killed() {
    let Some(path) = std::env::var_os(DIRECTORY) else { return };
    let store = open(path.as_ref(), Options::default()).expect("opens after a crash");
    block_on(async {
        let romeo = existing(&store, "romeo").await;
        let juliet = existing(&store, "juliet").await;
        let tail = async |account| store.archive.tail(account, Millis(0)).await.expect("read");
        let (mut sent, mut received) = (tail(romeo).await.next, tail(juliet).await.next);
        let mut number = numbers(&store, romeo).await.last().copied().unwrap_or(0);
        loop {
            number += 1;
            let rows = [row(romeo, sent, number, true), row(juliet, received, number, false)];
            let unit: Unit = rows.into_iter().collect();
            while store.archive.append(unit.clone(), Some((Arc::new(Printer), number))).is_err() {
                std::thread::yield_now();
            }
            (sent, received) = (sent + 1, received + 1);
            // Something for the other paths: folds by reads, deliveries, retention.
            if number.is_multiple_of(97) {
                store.archive.pending(juliet, 0, 5).await.expect("read");
            }
            if number.is_multiple_of(501) {
                let upto = crate::archive::Clear::UpTo(received - 200);
                store.archive.clear_pending(juliet, upto).await.expect("cleared");
            }
        }
    });
}

/// Lets a child run for a while and kills it. Returns the last number it saw settled.
fn run_and_kill(directory: &Directory, lifetime: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["sqlite::tests::crash::child_appends_until_it_is_killed", "--exact", "--nocapture"])
        .env(DIRECTORY, directory.database())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let output = BufReader::new(child.stdout.take().expect("piped"));
    let reading = std::thread::spawn(move || {
        let mut last = 0;
        for line in output.lines().map_while(Result::ok) {
            // The harness's own words stand before the first one, on the same line.
            if let Some((_, number)) = line.split_once("settled ") {
                last = number.parse().unwrap_or(last);
            }
        }
        last
    });
    let started = Instant::now();
    while started.elapsed() < lifetime {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
    reading.join().expect("read")
}

#[test]
fn what_was_settled_survives_kill_9() {
    let directory = Directory::new();
    let mut settled = 0;
    let mut before: Vec<u64> = Vec::new();
    for round in 0..ROUNDS {
        // From before the first commit to well after the first checkpoint.
        let lifetime = Duration::from_millis(20 + (round * 7919) % 300);
        settled = settled.max(run_and_kill(&directory, lifetime));
        let store = directory.open();
        block_on(async {
            let romeo = existing(&store, "romeo").await;
            let juliet = existing(&store, "juliet").await;
            let (sent, received) = (numbers(&store, romeo).await, numbers(&store, juliet).await);
            assert_eq!(sent, received, "round {round}: a unit is on one side only");
            let last = sent.last().copied().unwrap_or(0);
            assert!(last >= settled, "round {round}: {settled} was settled, {last} is the last");
            assert_eq!(sent, (1..=last).collect::<Vec<_>>(), "round {round}: a gap or a double");
            assert_eq!(sent[..before.len()], before, "round {round}: history changed");
            before = sent;
        });
        if round % 5 == 4 {
            assert_eq!(block_on(store.maintenance.check()), Ok(vec![]), "round {round}");
        }
        close(store);
    }
    assert!(settled > 100, "the children hardly ran: {settled}");
}
