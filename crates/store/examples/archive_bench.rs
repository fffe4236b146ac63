//! What the archive costs: `cargo run --release -p store --example archive_bench -- DIR [key=value…]`
//!
//! Keys: `messages` (200000), `accounts` (1000), `bytes` of a stanza (1200), `rate` in messages per
//! second (0: as fast as the queue takes them), `keep` (1: leave the database in DIR and go on with it
//! next time). Each message is a unit of two rows, for two accounts chosen at random.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use store::accounts::NewAccount;
use store::archive::{Append, Paging, Query, Ticket, Unit, With};
use store::{AccountId, Millis, Store, StoreError, sqlite};

struct Settings(HashMap<String, u64>);

impl Settings {
    fn number(&self, key: &str, default: u64) -> u64 {
        self.0.get(key).copied().unwrap_or(default)
    }
}

/// A small generator, so that runs are alike.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[derive(Default)]
struct Settled(AtomicU64);

impl Ticket for Settled {
    fn settled(&self, tag: u64, outcome: Result<(), &StoreError>) {
        assert!(outcome.is_ok(), "message {tag}: {outcome:?}");
        self.0.fetch_add(1, Ordering::Release);
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().expect("a directory");
    let settings = Settings(
        arguments
            .filter_map(|word| {
                let (key, value) = word.split_once('=')?;
                Some((key.to_owned(), value.parse().ok()?))
            })
            .collect(),
    );
    let path = Path::new(&directory).join("bench.db");
    if settings.number("keep", 0) == 0 {
        remove(&path);
    }
    let opened = Instant::now();
    let store = sqlite::open(&path, sqlite::Options::default()).expect("the database opens");
    println!("open: {:.3} s", opened.elapsed().as_secs_f64());
    let mut archives = archives(&store, settings.number("accounts", 1000));
    append(&store, &mut archives, &settings);
    read(&store, &archives);
    let sizes = wait(store.maintenance.sizes());
    println!("sizes: {} MB database, {} MB log", sizes.database >> 20, sizes.log >> 20);
    if settings.number("keep", 0) == 0 {
        let started = Instant::now();
        let rows = wait(store.archive.expire(Millis(u64::MAX), u64::MAX));
        println!("expire: {:.0} rows/s", rows as f64 / started.elapsed().as_secs_f64());
    }
    let closed = Instant::now();
    wait(store.maintenance.close());
    println!("close: {:.3} s", closed.elapsed().as_secs_f64());
    if settings.number("keep", 0) == 0 {
        remove(&path);
    }
}

fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
}

fn wait<T>(future: store::Fut<'_, T>) -> T {
    runtime().block_on(future).expect("done")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime")
}

/// Accounts with the next id of each.
fn archives(store: &Store, count: u64) -> Vec<(AccountId, u64)> {
    runtime().block_on(async {
        let mut archives = Vec::new();
        for number in 0..count {
            let name = format!("account{number:06}").into_boxed_str();
            let id = match store.accounts.by_name(&name).await.expect("read") {
                Some(account) => account.id,
                None => create(store, name).await,
            };
            archives.push((id, store.archive.tail(id, Millis(0)).await.expect("read").next));
        }
        archives
    })
}

async fn create(store: &Store, name: Box<str>) -> AccountId {
    let account = NewAccount {
        name,
        credentials: Vec::new(),
        admin: false,
        ignore_reservation: true,
        created_at: Millis(0),
        invited_by: None,
        invite: None,
    };
    store.accounts.create(account).await.expect("created")
}

fn append(store: &Store, archives: &mut [(AccountId, u64)], settings: &Settings) {
    let messages = settings.number("messages", 200_000);
    let rate = settings.number("rate", 0);
    let body = "a".repeat(settings.number("bytes", 1200) as usize);
    let stanza = Bytes::from(body);
    let settled = Arc::new(Settled::default());
    let mut random = Random(7);
    let before = cpu();
    let started = Instant::now();
    for message in 0..messages {
        let one = random.below(archives.len() as u64);
        let other = (one * 31 + random.below(20) * 7 + 1) % archives.len() as u64;
        let unit: Unit = [(one, other, true), (other, one, false)]
            .into_iter()
            .map(|(me, with, outgoing)| {
                let archive = &mut archives[me as usize];
                archive.1 += 1;
                Append {
                    account: archive.0,
                    id: archive.1 - 1,
                    at: Millis(1_700_000_000_000 + message),
                    with: format!("account{with:06}@chat.example").into(),
                    resource: Some("Conversations.a1b2".into()),
                    outgoing,
                    origin_hash: outgoing.then_some(message),
                    pending: false,
                    hidden: false,
                    stanza: stanza.clone(),
                }
            })
            .collect();
        if rate > 0 {
            pace(started, message, rate);
        }
        while store.archive.append(unit.clone(), Some((settled.clone(), message))).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    wait(store.archive.barrier());
    let (elapsed, after) = (started.elapsed().as_secs_f64(), cpu());
    assert_eq!(settled.0.load(Ordering::Acquire), messages);
    let rows = 2.0 * messages as f64;
    let per_row = |name: &str| {
        let spent = |at: &HashMap<String, u64>| at.get(name).copied().unwrap_or(0) as f64;
        (spent(&after) - spent(&before)) / 1e3 / rows
    };
    println!(
        "append: {:.0} messages/s, {:.0} rows/s, {:.2} µs CPU per row (writer {:.2}, this thread {:.2})",
        messages as f64 / elapsed,
        rows / elapsed,
        after.keys().map(|name| per_row(name)).sum::<f64>(),
        per_row("store-write"),
        per_row("archive_bench"),
    );
}

fn pace(started: Instant, message: u64, rate: u64) {
    let due = Duration::from_secs_f64(message as f64 / rate as f64);
    if let Some(early) = due.checked_sub(started.elapsed())
        && early > Duration::from_millis(1)
    {
        std::thread::sleep(early);
    }
}

/// CPU of the reading threads.
fn reading() -> u64 {
    cpu().iter().filter(|(name, _)| name.starts_with("store-read")).map(|(_, time)| time).sum()
}

/// Nanoseconds of CPU by thread name.
fn cpu() -> HashMap<String, u64> {
    let mut spent = HashMap::new();
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let text = |name| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let time: u64 =
            text("schedstat").split(' ').next().and_then(|t| t.parse().ok()).unwrap_or(0);
        *spent.entry(text("comm").trim().to_owned()).or_default() += time;
    }
    spent
}

fn read(store: &Store, archives: &[(AccountId, u64)]) {
    let mut random = Random(11);
    let with = |number: u64| With {
        bare: Some(format!("account{number:06}@chat.example").into()),
        resource: None,
    };
    let last = Query { page: Paging::Last, max: 50, ..Query::default() };
    let kinds: [(&str, Query); 5] = [
        ("newest 50", last.clone()),
        ("newest 50 with a count", Query { count: true, ..last.clone() }),
        ("newest 50 with one contact", Query { with: Some(with(38)), ..last.clone() }),
        ("newest 50 with a stranger", Query { with: Some(with(999_999)), ..last.clone() }),
        (
            "50 since a time",
            Query { start: Some(Millis(1_700_000_090_000)), page: Paging::First, ..last },
        ),
    ];
    runtime().block_on(async {
        for (name, query) in kinds {
            let mut times = Vec::new();
            let mut rows = 0;
            let before = reading();
            for _ in 0..500 {
                let (account, _) = archives[random.below(archives.len() as u64) as usize];
                let started = Instant::now();
                rows += store.archive.page(account, query.clone()).await.expect("read").rows.len();
                times.push(started.elapsed());
            }
            times.sort_unstable();
            println!(
                "page, {name}: median {:?}, 99 % {:?}, {} µs CPU of the reader, {:.1} rows",
                times[250],
                times[495],
                (reading() - before) / 500_000,
                rows as f64 / 500.0
            );
        }
    });
}
