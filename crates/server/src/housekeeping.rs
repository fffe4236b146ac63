//! What the server does by the clock: ends abandoned sessions, renews its certificate, forgets what
//! is too old, and keeps the numbers for the operator up to date.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use store::{Millis, StoreError, archive::Before};
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, interval_at},
};

use crate::{
    calendar::News,
    ext::{archive::retention, block_lists, muc, notices, server_info, upload},
    files, host,
    metrics::Condition,
    net::listen::down,
    server::Server,
    session::life,
    turn,
};

/// Runs until the server goes down.
pub async fn run(server: Arc<Server>) {
    let mut shutdown = server.shutdown.subscribe();
    let mut often = ticks(SWEEP);
    let mut minutes = ticks(MINUTE);
    let mut hours = interval_at(Instant::now() + MINUTE, HOUR);
    let mut watchdog = ticks(host::watchdog().unwrap_or(HOUR));
    let (mut looking, mut forgetting) = (Chore::default(), Chore::default());
    // Before anything is judged by it.
    look_at_clock(&server);
    loop {
        tokio::select! {
            () = down(&mut shutdown) => return,
            _ = watchdog.tick() => host::alive(),
            _ = often.tick() => {
                look_at_clock(&server);
                life::sweep(&server).await;
                observe(&server);
            }
            _ = minutes.tick() => {
                renew(&server).await;
                watch(&server).await;
                upload::sweep(&server).await;
                muc::unsaved::catch_up(&server).await;
                notices::catch_up(&server).await;
                server.rooms.forget_idle();
                server_info::refresh(&server).await;
                block_lists::refresh(&server);
            }
            _ = hours.tick() => {
                server.calendar.keep(server.home());
                let worker = server.clone();
                looking.begin(async move { turn::check::look(&worker).await });
                let worker = server.clone();
                forgetting.begin(async move { forget(&worker).await });
            }
        }
    }
}

/// Work that may take long, so that nothing else waits for it. It is not begun again before it has ended.
#[derive(Default)]
struct Chore(Option<JoinHandle<()>>);

impl Chore {
    fn begin(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        if self.0.as_ref().is_none_or(JoinHandle::is_finished) {
            self.0 = Some(tokio::spawn(work));
        }
    }
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Numbers that are counted elsewhere.
fn observe(server: &Server) {
    let (all, unauthenticated) = server.gate.inside();
    crate::s2s::status::observe(server);
    server.metrics.connections.set(clamped(all));
    server.metrics.connections_unauthenticated.set(clamped(unauthenticated));
    server.metrics.push_registrations.set(clamped(server.pushes.all().len() as u64));
    let accounts = server.accounts.all();
    let detached = accounts.iter().map(|account| {
        let state = account.lock();
        state.resources.iter().filter(|resource| !resource.session.connected()).count() as u64
    });
    server.metrics.sessions_detached.set(clamped(detached.sum()));
    server.metrics.storage_damaged.set(i64::from(server.health.is_damaged()));
    look_at_disk(server);
}

/// Whether the server serves in full, or only reads.
pub(crate) fn look_at_disk(server: &Server) {
    let health = &server.metrics.health;
    // Starting and going down are said by who does it.
    if matches!(health.condition(), Condition::Ready | Condition::ReadOnly) {
        health.set(match server.health.is_degraded() {
            true => Condition::ReadOnly,
            false => Condition::Ready,
        });
    }
}

/// A clock that jumps makes nothing old.
fn look_at_clock(server: &Server) {
    match server.calendar.look(server.now(), Instant::now().into_std()) {
        News::None => return,
        News::Believed => tracing::info!("the clock is believed again"),
        News::Doubted => {
            server.metrics.errors_environment.increment();
            let problem = server.calendar.problem().unwrap_or_default();
            tracing::warn!(problem, "clock_doubted");
        }
    }
    server.metrics.clock_doubted.set(i64::from(server.calendar.problem().is_some()));
}

/// What runs out some day: the certificate, and the disk.
async fn watch(server: &Server) {
    let expires = server.tls.current().facts.not_after.duration_since(SystemTime::UNIX_EPOCH);
    server.metrics.certificate_expires.set(clamped(expires.unwrap_or_default().as_secs()));
    if let Ok(free) = files::free(server.home().path()).await {
        server.metrics.disk_free.set(clamped(free));
    }
}

/// Reads and signs certificates away from the tasks that serve connections.
async fn renew(server: &Arc<Server>) {
    let worker = server.clone();
    let refreshed = tokio::task::spawn_blocking(move || worker.tls.refresh(SystemTime::now()));
    match refreshed.await {
        Ok(Ok(true)) => {
            let expires = server.tls.current().facts.expiry_day();
            tracing::info!(expires, "a new certificate is in use");
        }
        Ok(Ok(false)) | Err(_) => {}
        Ok(Err(error)) => {
            server.metrics.errors_environment.increment();
            tracing::warn!(%error, "the certificate changed and cannot be used; the old one stays");
        }
    }
}

/// Removes what is past its time from the store, until the server goes down.
async fn forget(server: &Server) {
    let mut shutdown = server.shutdown.subscribe();
    let expired = tokio::select! {
        () = down(&mut shutdown) => return,
        expired = expire(server) => expired,
    };
    if let Err(error) = expired {
        server.store_failed("removing what is too old", &error);
    }
}

async fn expire(server: &Server) -> Result<(), StoreError> {
    let store = &server.store;
    let now = Millis(server.calendar.judging(server.now()).0);
    let before = |span: Duration| {
        Millis(now.0.saturating_sub(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    };
    // The last one with old keys may have a new password.
    server.choose_hashes().await?;
    store.tokens.expire(now).await?;
    store.endpoints.expire(now).await?;
    store.accounts.expire_reservations(now).await?;
    store.invites.expire(before(KEPT_FOR_LISTS)).await?;
    store.requests.expire(before(KEPT_FOR_LISTS)).await?;
    let days = Duration::from_secs(server.config().log.audit_days * 24 * 60 * 60);
    store.audit.expire(before(days)).await?;
    let removed = expire_messages(server).await?;
    if removed > 0 {
        let freed = store.maintenance.compact().await?;
        tracing::info!(removed, freed, "old messages were removed");
    }
    Ok(())
}

/// Removes messages that were kept for long enough. Tells how many.
async fn expire_messages(server: &Server) -> Result<u64, StoreError> {
    let mut removed = 0;
    let outcome = remove_messages(server, &mut removed).await;
    if removed > 0 {
        server.store.maintenance.scrub().await?;
    }
    outcome.map(|()| removed)
}

/// The same, and counts them, without leaving the files clean of them.
async fn remove_messages(server: &Server, removed: &mut u64) -> Result<(), StoreError> {
    let (store, config) = (&server.store, server.config());
    let now = server.calendar.judging(server.now()).0;
    let before = |days: u64| Millis(if days > 0 { now.saturating_sub(days * DAY) } else { 0 });
    // Also goes on with deleting what belonged to deleted accounts.
    loop {
        let some = store.archive.expire(before(config.archive.retention_days), SOME_ROWS).await?;
        *removed += some;
        if some < SOME_ROWS {
            break;
        }
    }
    for said in store.retentions.list().await? {
        // What no device has yet is nobody's to delete but the operator's.
        let pending = before(retention::most_days(&config, &said));
        let oldest = Before { delivered: before(retention::days(&config, &said)), pending };
        while oldest.delivered > Millis(0) {
            let some = store.archive.expire_one(said.archive, oldest, SOME_ROWS).await?;
            *removed += some;
            if some < SOME_ROWS {
                break;
            }
        }
    }
    Ok(())
}

fn clamped(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

const SWEEP: Duration = Duration::from_secs(5);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
/// Days for which invitations and requests stay in the lists after their end.
pub const LISTED_DAYS: u64 = 30;
const KEPT_FOR_LISTS: Duration = Duration::from_secs(LISTED_DAYS * 24 * 60 * 60);
/// Milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1000;
/// Rows per transaction: others write in between.
const SOME_ROWS: u64 = 500;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use store::{
        AccountId,
        accounts::NewAccount,
        archive::{Append, Query},
    };
    use tokio::sync::Semaphore;

    use super::*;
    use crate::model::Stage;

    /// Messages that came so many days ago.
    const AGES: [u64; 4] = [400, 100, 40, 10];

    fn fill(server: &Server, account: AccountId) {
        for (id, age) in (1..).zip(AGES) {
            let message = Append {
                account,
                id,
                at: Millis(server.now().0 - age * DAY),
                with: "nurse@a.example".into(),
                resource: None,
                outgoing: false,
                origin_hash: None,
                pending: false,
                hidden: false,
                stanza: "<message/>".into(),
            };
            server.store.archive.append([message].into_iter().collect(), None).unwrap();
        }
    }

    #[tokio::test]
    async fn long_work_holds_up_nobody_and_is_done_by_one_at_a_time() {
        let (begun, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let work = || {
            let (begun, gate) = (begun.clone(), gate.clone());
            async move {
                begun.fetch_add(1, Ordering::Relaxed);
                gate.acquire().await.unwrap().forget();
            }
        };
        let mut chore = Chore::default();
        for _ in 0..3 {
            chore.begin(work());
            tokio::task::yield_now().await;
        }
        assert_eq!(begun.load(Ordering::Relaxed), 1);
        gate.add_permits(1);
        while !chore.0.as_ref().unwrap().is_finished() {
            tokio::task::yield_now().await;
        }
        chore.begin(work());
        tokio::task::yield_now().await;
        assert_eq!(begun.load(Ordering::Relaxed), 2, "it ended");
    }

    #[test]
    fn a_message_that_no_device_has_stays_for_as_long_as_the_operator_says() {
        let stage = Stage::new();
        let (server, juliet) = (&stage.server, stage.juliet().id);
        let left = stage.run(async {
            fill(server, juliet);
            let archive = &server.store.archive;
            archive.set_pending(juliet, (1..=AGES.len() as u64).collect()).await.unwrap();
            server.store.retentions.choose(juliet, Some(7)).await.unwrap();
            assert_eq!(expire_messages(server).await, Ok(3), "older than for all others");
            archive.pending(juliet, 0, u32::MAX).await.unwrap().len()
        });
        assert_eq!(left, 1);
    }

    #[test]
    fn a_clock_that_jumps_ahead_removes_nothing() {
        let stage = Stage::new();
        let (server, juliet) = (&stage.server, stage.juliet().id);
        stage.run(async {
            fill(server, juliet);
            // It is the calendar that lags behind: the wall clock of a test is what it is.
            let jumped = server.now().plus(400 * DAY);
            server.calendar.look(jumped, Instant::now().into_std());
            expire(server).await.unwrap();
            let all = Query { max: 9, ..Query::default() };
            let rows =
                async || server.store.archive.page(juliet, all.clone()).await.unwrap().rows.len();
            assert_eq!(rows().await, AGES.len());
            look_at_clock(server);
            expire(server).await.unwrap();
            assert_eq!(rows().await, 1, "the clock is right again");
        });
    }

    #[test]
    fn each_archive_is_kept_for_as_long_as_was_said_of_it() {
        let stage = Stage::new();
        let (server, juliet) = (&stage.server, stage.juliet().id);
        let left = stage.run(async {
            let mut all = vec![juliet];
            for name in ["romeo", "nurse", "peter"] {
                let account = NewAccount {
                    name: name.into(),
                    credentials: Vec::new(),
                    admin: false,
                    ignore_reservation: false,
                    created_at: Millis(0),
                    invited_by: None,
                    invite: None,
                };
                all.push(server.store.accounts.create(account).await.unwrap());
            }
            all.iter().for_each(|account| fill(server, *account));
            let retentions = &server.store.retentions;
            retentions.choose(all[0], Some(7)).await.unwrap();
            retentions.set(all[1], Some(90)).await.unwrap();
            retentions.set(all[2], Some(0)).await.unwrap();
            assert_eq!(expire_messages(server).await, Ok(4 + 2 + 3));
            let mut left = Vec::new();
            for account in all {
                let query = Query { max: 9, ..Query::default() };
                left.push(server.store.archive.page(account, query).await.unwrap().rows.len());
            }
            left
        });
        assert_eq!(left, [0, 2, 4, 1]);
    }
}
