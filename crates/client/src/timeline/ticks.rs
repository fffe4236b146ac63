//! How far own messages got, the same on all devices.
//!
//! A receipt is for one message. A displayed marker is for one and for all before it, and what is
//! before it the archive decides: while it is read, messages move. So the marker counts for its
//! message at once, and for those before it when everything stands where it stays.

use std::collections::BTreeMap;

use xmpp::jid::BareJid;

use super::save;
use crate::cx::{Cx, Step};
use crate::store::{
    Delivery, MOST_DEVICES, Message, MessageId, Position, Reached, Store, StoreError,
};

/// Conversations whose markers have to be looked at when the archive is read, each from the lowest
/// place on at which something is different. It is stored: the read may be interrupted.
#[derive(Default)]
pub(super) struct State(BTreeMap<BareJid, Position>);

impl State {
    pub(super) fn load(store: &dyn Store) -> Step<Self> {
        match store.value(NAME)? {
            Some(bytes) => serde_json::from_slice(&bytes).map(Self).map_err(|error| {
                StoreError::Damaged(format!("conversations with moved ticks: {error}"))
            }),
            None => Ok(Self::default()),
        }
    }
}

/// An own message has another place, or a marker came while places change.
pub(super) fn note(cx: &mut Cx<'_>, address: &BareJid, position: Position) -> Step {
    // Pages that were scrolled back to are looked at when they are here.
    if position.0 < super::MIDDLE {
        return Ok(());
    }
    let noted = &mut cx.state.features.timeline.ticks.0;
    let known = noted.get(address);
    if known.is_some_and(|known| *known <= position) || (known.is_none() && noted.len() >= MOST) {
        return Ok(());
    }
    noted.insert(address.clone(), position);
    keep(cx)
}

fn keep(cx: &Cx<'_>) -> Step {
    let noted = &cx.state.features.timeline.ticks.0;
    let bytes = serde_json::to_vec(noted).map_err(|error| StoreError::Io(error.to_string()))?;
    cx.store.save_value(NAME, Some(&bytes).filter(|_| !noted.is_empty()).map(Vec::as_slice))
}

/// The archive was read: everything stands where it stays.
pub(crate) fn end_moves(cx: &mut Cx<'_>) -> Step {
    cx.state.features.timeline.moves.clear();
    let noted = std::mem::take(&mut cx.state.features.timeline.ticks.0);
    for (address, position) in &noted {
        spread_from(cx, address, None, *position, Later::default())?;
    }
    if noted.is_empty() { Ok(()) } else { keep(cx) }
}

/// The read ended before its time: it begins anew.
pub(crate) fn forget_moves(cx: &mut Cx<'_>) {
    cx.state.features.timeline.moves.clear();
}

/// The archive of one conversation was read.
pub(crate) fn end_moves_of(cx: &mut Cx<'_>, address: &BareJid) {
    cx.state.features.timeline.moves.remove(address);
}

/// A message got further. It never gets back: acknowledgements overtake each other.
pub(crate) fn raise(cx: &mut Cx<'_>, id: MessageId, delivery: Delivery) -> Step {
    reach(cx, id, delivery, &[])
}

/// Devices tell that a message got as far as that there.
pub(crate) fn reach(cx: &mut Cx<'_>, id: MessageId, delivery: Delivery, told: &[Reached]) -> Step {
    let Some(mut message) = cx.store.message(id)? else { return Ok(()) };
    let further = match &message.delivery {
        Some(Delivery::Failed(_)) => delivery != Delivery::Queued,
        Some(before) => *before < delivery,
        None => false,
    };
    if further {
        message.delivery = Some(delivery);
    }
    // Each of them is told, whatever the others change.
    let mut news = false;
    for told in told {
        news |= message.reach(told);
    }
    if further || news { save(cx, &message) } else { Ok(()) }
}

/// An own message was seen: so were those before it, as far as it is known which they are.
pub(crate) fn spread(cx: &mut Cx<'_>, message: &Message) -> Step {
    let (address, position) = (&message.conversation, message.position);
    if crate::features::archive::is_reading(cx) {
        return note(cx, address, position);
    }
    if message.elsewhere && message.archive_id.is_none() {
        // What was written here meanwhile may stand before it or behind: the archive will tell.
        note(cx, address, position)?;
    }
    let behind = Position(position.0.saturating_add(1));
    spread_from(cx, address, Some(behind), position, Later::default())
}

/// A page came before what is known: messages behind it may have been seen.
pub(crate) fn spread_to_older(
    cx: &mut Cx<'_>,
    address: &BareJid,
    from: Position,
    until: Position,
) -> Step {
    let behind = cx.store.after(address, Position(until.0.saturating_sub(1)), REACH)?;
    let mut later = Later::default();
    behind.iter().for_each(|message| later.look_at(message));
    spread_from(cx, address, Some(until), from, later)
}

/// What is known of the messages behind one: which were seen, and where.
#[derive(Default)]
struct Later {
    /// One that has its place in the archive was seen.
    placed: Option<Vec<Reached>>,
    /// One that has none yet was seen, and was written on this device.
    unplaced: Option<Vec<Reached>>,
    /// One that has none yet was seen, and came from another device.
    copied: Option<Vec<Reached>>,
}

impl Later {
    fn look_at(&mut self, message: &Message) {
        if message.own && message.delivery == Some(Delivery::Read) {
            let seen = match message.archive_id {
                Some(_) => &mut self.placed,
                None if message.elsewhere => &mut self.copied,
                None => &mut self.unplaced,
            };
            let seen = seen.get_or_insert_default();
            // The nearest one tells when those before it were seen at the latest.
            for by in message.reached.iter().filter(|by| by.read.is_some()) {
                seen.retain(|known| !known.is_same(by));
                seen.push(Reached { delivered: None, ..by.clone() });
            }
            seen.truncate(MOST_DEVICES);
        }
    }

    /// What this device wrote and has no place yet may come to stand behind what has one, and behind
    /// what came from another device; it stands behind everything that was here when it was written.
    /// What came from other devices came in its order.
    ///
    /// Says on which devices a message was seen with one behind it; `None` if it is not known to be.
    fn covers(&self, message: &Message) -> Option<Vec<Reached>> {
        let open = matches!(message.delivery, Some(Delivery::Sent | Delivery::Delivered));
        let placed = message.archive_id.is_some();
        let behind = [
            self.unplaced.as_ref(),
            self.placed.as_ref().filter(|_| placed),
            self.copied.as_ref().filter(|_| placed || message.elsewhere),
        ];
        let seen: Vec<_> = behind.into_iter().flatten().collect();
        let covered = message.own && open && !seen.is_empty();
        covered.then(|| seen.into_iter().flatten().cloned().collect())
    }
}

/// Goes back through a conversation down to a place, and on until nothing is different.
fn spread_from(
    cx: &mut Cx<'_>,
    address: &BareJid,
    mut until: Option<Position>,
    lowest: Position,
    mut later: Later,
) -> Step {
    for _ in 0..MOST_PAGES {
        let page = cx.store.before(address, until, REACH)?;
        let Some(first) = page.first().map(|message| message.position) else { break };
        let mut different = false;
        for message in page.iter().rev() {
            later.look_at(message);
            if let Some(seen) = later.covers(message) {
                different = true;
                reach(cx, message.id, Delivery::Read, &seen)?;
            }
        }
        if first <= lowest && !different {
            break;
        }
        until = Some(first);
    }
    Ok(())
}

/// The name under which such conversations are stored.
const NAME: &str = "ticks";
/// How many of them.
const MOST: usize = 1000;
/// Messages that are looked at together, and how often at once.
const REACH: usize = 100;
const MOST_PAGES: usize = 100;
