//! What the queues want to be done apart from writing, and the time that passes for them.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};
use xmpp::time::Millis;

use super::{
    RESUMABLE, Remote, connect, forgetting, outbox,
    outgoing::{Bounds, Effect, Input},
    presence,
};
use crate::{components, net::listen::down, server::Server};

/// What a queue wants to be done.
pub(super) type Work = (Arc<Remote>, Effect);

/// Carries out what the queues want, and lets time pass for them, until the server goes down.
pub async fn supervise(server: Arc<Server>) {
    let Some(mut work) = server.s2s.waiting_work.lock().take() else { return };
    let mut shutdown = server.shutdown.subscribe();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = down(&mut shutdown) => return,
            Some((remote, effect)) = work.recv() => perform(&server, remote, effect).await,
            _ = ticks.tick() => tick(&server),
        }
    }
}

async fn perform(server: &Arc<Server>, remote: Arc<Remote>, effect: Effect) {
    match effect {
        Effect::Connect => {
            tokio::spawn(connect::run(server.clone(), remote));
        }
        Effect::Load { after, limit } => {
            tokio::spawn(outbox::load(server.clone(), remote, after, limit));
        }
        Effect::Bounce(entry, why) => outbox::bounce(server, &remote, entry, why).await,
        Effect::Refresh => presence::refresh(server, &remote.pair),
        Effect::Wake | Effect::Done(_) | Effect::Broken => {}
    }
}

fn tick(server: &Arc<Server>) {
    let federation = &server.s2s;
    federation.holding.bound(&server.config());
    let bounce = server.config().federation.bounce_seconds * 1000;
    *federation.bounds.lock() = Bounds::with_bounce(bounce);
    let now = server.now();
    for remote in federation.remotes() {
        let due = remote.lock().queue.deadline().is_some_and(|deadline| deadline <= now);
        if due {
            remote.input(server, Input::Tick);
        }
    }
    let moment = Millis(now.0.saturating_sub(RESUMABLE.as_millis() as u64));
    federation.resumable.lock().retain(|_, inbound| !inbound.abandoned(moment));
    federation.questions.expire(now);
    components::tick(server);
    forgetting::forget_idle(federation, now);
}

/// How often time passes for the queues.
const TICK: Duration = Duration::from_millis(500);
