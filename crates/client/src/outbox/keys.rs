//! Messages that wait because nobody they are for has published keys yet.
//!
//! Who was just invited or added has none until they open a program that encrypts. What is written to
//! them stays in its place in the queue and leaves, encrypted, as soon as there is a device that can
//! read it. All that waits in a conversation waits for the same keys, so this is told of
//! conversations; after a restart it is found out again.

use std::collections::BTreeSet;

use xmpp::jid::BareJid;

use crate::cx::{Cx, Step};
use crate::store::{Queued, Way};
use crate::timeline;

/// Conversations in which messages wait for keys.
#[derive(Default)]
pub(super) struct Keyless {
    with: BTreeSet<BareJid>,
    /// It is looked for keys again at some time.
    later: bool,
}

/// Whether messages of a conversation wait because nobody has keys yet, so far as is known.
pub(crate) fn waits_for_keys(cx: &Cx<'_>, with: &BareJid) -> bool {
    cx.state.outbox.keyless.with.contains(with)
}

/// Whether a row is a message of the timeline that leaves encrypted.
pub(super) fn needs(queued: &Queued) -> bool {
    queued.encrypted && queued.message.is_some()
}

/// Whether a row may wait for keys. Whoever chose for this very message that it leaves encrypted or not
/// at all wants to know now.
pub(super) fn may_wait(cx: &Cx<'_>, queued: &Queued) -> Step<bool> {
    let Some(id) = queued.message else { return Ok(false) };
    Ok(cx.store.message(id)?.is_some_and(|message| message.way != Way::OnlyEncrypted))
}

/// There are no keys for what waits in a conversation.
pub(super) fn missing(cx: &mut Cx<'_>, with: &BareJid) {
    if cx.state.outbox.keyless.with.insert(with.clone()) {
        timeline::touch(cx, with);
    }
}

/// There are keys for what waits in a conversation.
pub(super) fn found(cx: &mut Cx<'_>, with: &BareJid) {
    if cx.state.outbox.keyless.with.remove(with) {
        timeline::touch(cx, with);
    }
}

/// A row of a conversation is gone: perhaps nothing waits there any more.
pub(super) fn settle(cx: &mut Cx<'_>, with: &BareJid) {
    if !waits_for_keys(cx, with) {
        return;
    }
    let mut rows = cx.state.outbox.rows.values().map(|row| &row.queued);
    if !rows.any(|queued| queued.conversation == *with && needs(queued)) {
        found(cx, with);
    }
}

/// Keys may come without anybody telling of it: it is looked for them from time to time.
pub(super) fn look_again_later(cx: &mut Cx<'_>) {
    let keyless = &mut cx.state.outbox.keyless;
    if keyless.with.is_empty() || std::mem::replace(&mut keyless.later, true) {
        return;
    }
    cx.later(LOOK_AGAIN, |cx| {
        cx.state.outbox.keyless.later = false;
        cx.wake_outbox();
        Ok(())
    });
}

/// How often the keys of somebody are looked for, in milliseconds. What is not old is not fetched
/// again.
const LOOK_AGAIN: u64 = 60_000;
