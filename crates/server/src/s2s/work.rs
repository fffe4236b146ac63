//! What the queues want to be done apart from writing, and the time that passes for them.
//!
//! What one queue wants is done in order, by a task that is there as long as there is something. So a
//! domain for which much goes back to its senders holds up no other, and no more of that is read from the
//! store before it has gone.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use parking_lot::Mutex;
use store::Fut;
use tokio::time::{MissedTickBehavior, interval};
use xmpp::time::Millis;

use super::{
    Federation, RESUMABLE, Remote, connect, forgetting, outbox,
    outgoing::{Bounce, Bounds, Effect, Entry, Input},
    presence,
};
use crate::{
    components,
    ext::muc::{abroad, missed},
    net::listen::down,
    server::Server,
};

/// What a queue wants to be done, in order.
#[derive(Debug, Default)]
pub(super) struct Work(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Effect>,
    /// Somebody does it, or was asked to.
    begun: bool,
    /// What the store did not take, and what has to keep its place behind that.
    put_off: VecDeque<Effect>,
    /// When it is tried again.
    again: Millis,
}

impl Work {
    /// Adds something. Tells whether somebody has to begin.
    fn add(&self, effect: Effect) -> bool {
        let mut state = self.0.lock();
        let durable = |effect: &Effect| match effect {
            Effect::Bounce(entry, _) => entry.parcel.is_some(),
            _ => true,
        };
        // Who sends more than can be given back is not told of everything.
        if state.waiting.len() >= MOST_WAITING && !durable(&effect) {
            return false;
        }
        state.waiting.push_back(effect);
        !std::mem::replace(&mut state.begun, true)
    }

    /// What is next. Whoever gets nothing has done it all, and ends.
    fn next(&self) -> Option<Effect> {
        let mut state = self.0.lock();
        while let Some(next) = state.waiting.pop_front() {
            let behind = match next {
                Effect::Bounce(..) => !state.put_off.is_empty(),
                // No more is read from the store than is held here anyway.
                Effect::Load { .. } => state.put_off.len() >= MOST_PUT_OFF,
                _ => false,
            };
            if !behind {
                return Some(next);
            }
            state.put_off.push_back(next);
        }
        state.waiting = VecDeque::new();
        state.begun = false;
        None
    }

    /// These could not be done, and are tried again in a while.
    fn put_off(&self, effects: Vec<Effect>, now: Millis) {
        if effects.is_empty() {
            return;
        }
        let mut state = self.0.lock();
        state.again = now.plus(PAUSE);
        // What came later may have been put off before.
        effects.into_iter().rev().for_each(|effect| state.put_off.push_front(effect));
    }

    /// Whether something was put off.
    pub(super) fn is_behind(&self) -> bool {
        !self.0.lock().put_off.is_empty()
    }

    /// Takes up what was put off for long enough. Tells whether somebody has to begin.
    fn take_up(&self, now: Millis) -> bool {
        let mut state = self.0.lock();
        if state.put_off.is_empty() || now < state.again {
            return false;
        }
        let mut waiting = std::mem::take(&mut state.put_off);
        waiting.append(&mut state.waiting);
        state.waiting = waiting;
        !std::mem::replace(&mut state.begun, true)
    }
}

impl Federation {
    /// A queue wants something to be done.
    pub(super) fn want(&self, server: &Server, remote: &Arc<Remote>, effect: Effect) {
        if let Effect::Bounce(entry, why) = &effect
            && missed::note(server, entry, *why)
        {
            server.metrics.s2s_bounced.increment();
            return;
        }
        if remote.work.add(effect) {
            // An error means that the server is going down.
            drop(self.work.send(remote.clone()));
        }
    }
}

/// Has done what the queues want, and lets time pass for them, until the server goes down.
pub async fn supervise(server: Arc<Server>) {
    let Some(mut work) = server.s2s.waiting_work.lock().take() else { return };
    let mut shutdown = server.shutdown.subscribe();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = down(&mut shutdown) => return,
            Some(remote) = work.recv() => drop(tokio::spawn(work_off(server.clone(), remote))),
            () = server.rooms.missed.noted() => {
                drop(tokio::spawn(missed::work_off(server.clone())));
            }
            () = server.rooms.abroad.noted() => {
                drop(tokio::spawn(abroad::work_off(server.clone())));
            }
            _ = ticks.tick() => tick(&server),
        }
    }
}

/// Does what a queue wants until there is nothing left.
async fn work_off(server: Arc<Server>, remote: Arc<Remote>) {
    let (mut done, mut returned) = (0, Vec::new());
    while let Some(effect) = remote.work.next() {
        // What is on disk is found there at the next start.
        if *server.shutdown.borrow() {
            return;
        }
        match effect {
            Effect::Bounce(entry, why) => match outbox::bounce(&server, &entry, why).await {
                Some(settled) => returned.push((entry, why, settled)),
                None => remote.work.put_off(vec![Effect::Bounce(entry, why)], server.steady()),
            },
            effect => perform(&server, &remote, effect),
        }
        done += 1;
        if done % PORTION == 0 {
            settle(&server, &remote, &mut returned).await;
            // Others have their turn, and the store's queue room for them.
            let _ = server.store.archive.barrier().await;
        }
    }
    settle(&server, &remote, &mut returned).await;
}

/// Waits until it is on disk that stanzas went back. Those of which it is not do so once more.
async fn settle(
    server: &Server,
    remote: &Remote,
    returned: &mut Vec<(Entry, Bounce, Fut<'_, bool>)>,
) {
    let mut failed = Vec::new();
    for (entry, why, settled) in returned.drain(..) {
        if settled.await != Ok(true) {
            failed.push(Effect::Bounce(entry, why));
        }
    }
    remote.work.put_off(failed, server.steady());
}

fn perform(server: &Arc<Server>, remote: &Arc<Remote>, effect: Effect) {
    match effect {
        Effect::Connect => {
            tokio::spawn(connect::run(server.clone(), remote.clone()));
        }
        Effect::Load { after, limit } => {
            tokio::spawn(outbox::load(server.clone(), remote.clone(), after, limit));
        }
        Effect::Refresh => presence::refresh(server, &remote.pair),
        Effect::Bounce(..) | Effect::Wake | Effect::Done(_) | Effect::Broken => {}
    }
}

fn tick(server: &Arc<Server>) {
    let federation = &server.s2s;
    federation.holding.bound(&server.config());
    let bounce = server.config().federation.bounce_seconds * 1000;
    *federation.bounds.lock() = Bounds::with_bounce(bounce);
    let now = server.steady();
    for remote in federation.remotes() {
        let due = remote.lock().queue.deadline().is_some_and(|deadline| deadline <= now);
        if due {
            remote.input(server, Input::Tick);
        }
        if remote.work.take_up(now) {
            // An error means that the server is going down.
            drop(federation.work.send(remote));
        }
    }
    let moment = Millis(now.0.saturating_sub(RESUMABLE.as_millis() as u64));
    federation.resumable.lock().retain(|_, inbound| !inbound.abandoned(moment));
    federation.questions.expire(now);
    components::tick(server);
    forgetting::forget_idle(federation, now);
}

/// How long what the store did not take is put off, in milliseconds.
const PAUSE: u64 = 30_000;
/// So many of a queue are put off before no more is read from the store.
const MOST_PUT_OFF: usize = 1000;
/// How often time passes for the queues.
const TICK: Duration = Duration::from_millis(500);
/// Effects after which others have their turn.
const PORTION: usize = 64;
/// So many of a queue wait to be carried out before nothing is given back any more that is not on disk.
const MOST_WAITING: usize = 10_000;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use store::{StoreError, archive::Unit, sqlite};
    use xmpp::{
        jid::Jid,
        stanza::{Kind, Stanza},
        xml::Limits,
    };

    use super::*;
    use crate::{
        account::Account,
        model::Stage,
        s2s::{
            Durable,
            outgoing::{Failure, Phase},
        },
    };

    /// Juliet's message to a domain that this server, which keeps to itself, does not find.
    fn send(stage: &Stage, juliet: &Account, domain: &str, number: usize) {
        let to = Jid::new(&format!("romeo@{domain}")).unwrap();
        let bytes = Bytes::from(format!(
            "<message from='juliet@a.example/x' to='{to}' id='{domain}{number}'><body>?</body></message>"
        ));
        let account = Some(juliet.id);
        let (local, kind) = ("a.example", Kind::Message);
        let letter = Durable { local, to: &to, kind, bytes, account };
        stage.server.s2s.send(&stage.server, letter, Unit::new(), None).unwrap();
    }

    /// The ids of the messages that came back, in order, once nothing waits.
    fn returned(stage: &Stage, juliet: &Account) -> Vec<String> {
        let server = &stage.server;
        stage.run(async {
            loop {
                server.store.archive.barrier().await.unwrap();
                if server.store.outbox.waiting().await.unwrap().is_empty() {
                    break;
                }
            }
            let rows = server.store.archive.pending(juliet.id, 0, u32::MAX).await.unwrap();
            let stanza = |bytes: &Bytes| Stanza::parse(bytes.clone(), &Limits::TRUSTED).unwrap();
            rows.iter().map(|row| stanza(&row.stanza).id().unwrap().into_owned()).collect()
        })
    }

    #[test]
    fn a_domain_for_which_much_comes_back_holds_up_no_other() {
        let stage = Stage::new();
        let juliet = stage.juliet();
        for number in 0..MANY {
            send(&stage, &juliet, "dead.example", number);
        }
        send(&stage, &juliet, "gone.example", 0);
        stage.run(async {
            tokio::spawn(supervise(stage.server.clone()));
        });
        let returned = returned(&stage, &juliet);
        assert_eq!(returned.len(), MANY + 1, "each comes back once, and its row is gone");
        let other = returned.iter().position(|id| id == "gone.example0").unwrap();
        assert!(other <= 2 * PORTION, "it came back as number {other}");
        let dead: Vec<&String> = returned.iter().filter(|id| id.starts_with("dead")).collect();
        let sent: Vec<String> = (0..MANY).map(|number| format!("dead.example{number}")).collect();
        assert_eq!(dead, sent.iter().collect::<Vec<_>>(), "in the order in which they were sent");
    }

    #[test]
    fn what_could_not_be_given_back_is_as_soon_as_the_store_takes_it() {
        let faults = Arc::new(sqlite::Faults::default());
        let options = sqlite::Options { faults: Some(faults.clone()), ..Default::default() };
        let stage = Stage::over("", options);
        let (server, juliet) = (&stage.server, stage.juliet());
        send(&stage, &juliet, "dead.example", 0);
        let remote = server.s2s.remote("a.example", "dead.example");
        stage.run(async {
            server.store.archive.barrier().await.unwrap();
            // More than are made use of: the disk stays full.
            let fill = || (0..3).for_each(|_| faults.fail_commit(StoreError::Full));
            fill();
            assert!(server.store.outbox.waiting().await.is_err());
            tokio::spawn(supervise(server.clone()));
            while !remote.work.is_behind() {
                fill();
                let _ = server.store.outbox.waiting().await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert!(!remote.work.take_up(server.steady()), "a full disk is given time");
            while !server.store.outbox.waiting().await.is_ok_and(|waiting| waiting.is_empty()) {
                if remote.work.take_up(server.steady().plus(PAUSE)) {
                    server.s2s.work.send(remote.clone()).unwrap();
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        assert_eq!(returned(&stage, &juliet), ["dead.example0"]);
    }

    #[test]
    fn a_clock_that_jumps_gives_nothing_back_and_holds_nothing_up() {
        const YEAR: i64 = 365 * 24 * 60 * 60 * 1000;
        let stage = Stage::new();
        let (server, juliet) = (&stage.server, stage.juliet());
        send(&stage, &juliet, "late.example", 0);
        let remote = server.s2s.remote("a.example", "late.example");
        stage.run(async {
            for jump in [YEAR, -2 * YEAR, YEAR] {
                server.move_clock(jump);
                remote.input(server, Input::Failed(Failure::passing("nobody answers")));
                tick(server);
                let state = remote.lock();
                assert_eq!(state.queue.held().stanzas, 1, "it still waits");
                let Phase::Resting { until } = state.queue.phase() else { panic!("it rests") };
                assert!(until < server.steady().plus(60 * 60 * 1000), "it is tried again soon");
            }
        });
    }

    #[test]
    fn what_is_put_off_keeps_its_order() {
        let work = Work::default();
        let bounce = |parcel| {
            let (bytes, since) = (Bytes::from_static(b"<message/>"), Millis(0));
            let (kind, parcel) = (Kind::Message, Some(parcel));
            Effect::Bounce(Entry { bytes, kind, parcel, account: None, since }, Bounce::Timeout)
        };
        for parcel in 1..=4 {
            work.add(bounce(parcel));
        }
        work.add(Effect::Connect);
        assert_eq!(work.next(), Some(bounce(1)), "on its way to disk");
        assert_eq!(work.next(), Some(bounce(2)));
        work.put_off(vec![bounce(2)], Millis(0));
        assert_eq!(work.next(), Some(Effect::Connect), "which needs no store");
        assert_eq!(work.next(), None);
        work.put_off(vec![bounce(1)], Millis(0));
        assert!(!work.take_up(Millis(PAUSE - 1)));
        assert!(work.take_up(Millis(PAUSE)));
        let order: Vec<_> = std::iter::from_fn(|| work.next()).collect();
        assert_eq!(order, [bounce(1), bounce(2), bounce(3), bounce(4)]);
        assert!(!work.is_behind());
    }

    #[test]
    fn what_is_not_on_disk_is_given_back_within_bounds() {
        let work = Work::default();
        let bounce = |parcel| {
            let (bytes, since) = (Bytes::from_static(b"<iq/>"), Millis(0));
            let entry = Entry { bytes, kind: Kind::Iq, parcel, account: None, since };
            Effect::Bounce(entry, Bounce::Full)
        };
        assert!(work.add(bounce(None)), "somebody has to begin");
        for _ in 0..2 * MOST_WAITING {
            assert!(!work.add(bounce(None)), "somebody has begun");
        }
        work.add(bounce(Some(1)));
        let mut left = std::iter::from_fn(|| work.next());
        assert_eq!(left.by_ref().take(MOST_WAITING).last(), Some(bounce(None)));
        assert_eq!(left.collect::<Vec<_>>(), [bounce(Some(1))]);
        assert!(work.add(bounce(None)), "and begins again");
    }

    const MANY: usize = 900;
}
