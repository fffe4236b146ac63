//! XEP-0045: a device that writes into a room.
//!
//! A room forgets who is in it when its server is killed, and nobody tells a device on another server.
//! So it asks every now and then whether it is still there (XEP-0410), comes in again when it is not,
//! and sends again what the room has returned: with the same origin-id, so that the room can tell.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Device;
use crate::connection::{Outgoing, is_answer};
use crate::crash::evidence::MessageId;
use crate::scan;

/// A device's place in a room.
#[derive(Debug)]
pub(super) struct Visit {
    /// Its address in the room.
    occupant: String,
    /// Whether it believes to be there.
    pub(super) inside: bool,
    /// Whether it may have missed something while it was not there.
    pub(super) behind: bool,
    /// When it last asked to come in, or whether it is there.
    asked: Option<Instant>,
    /// Questions by their numbers: how often servers had been killed when they were asked.
    questions: HashMap<u64, u64>,
    count: u64,
    /// As often as servers had been killed when the room was asked for the last time and said yes.
    pub(super) sure: Option<u64>,
    /// What the room has returned, or the own server may not have.
    pub(super) returned: BTreeSet<usize>,
}

impl Visit {
    pub(super) fn new(room: &str, number: usize) -> Self {
        Self {
            occupant: format!("{room}/device{number}"),
            inside: false,
            behind: true,
            asked: None,
            questions: HashMap::new(),
            count: 0,
            sure: None,
            returned: BTreeSet::new(),
        }
    }

    fn is_due(&self, pause: Duration) -> bool {
        self.asked.is_none_or(|asked| asked.elapsed() >= pause)
    }
}

impl Device {
    /// Asks to come in.
    pub(super) async fn come_in(&mut self, writer: &mut Outgoing) -> Result<()> {
        let Some(visit) = &mut self.visit else { return Ok(()) };
        visit.inside = false;
        visit.behind = true;
        visit.sure = None;
        visit.asked = Some(Instant::now());
        let text = format!(
            "<presence to='{}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/>\
             </x></presence>",
            visit.occupant
        );
        self.say(text, None, writer).await
    }

    /// What has to be done for the place in the room, now and then.
    pub(super) async fn keep_place(&mut self, writer: &mut Outgoing) -> Result<()> {
        let all = self.orders.borrow().all();
        let Some(visit) = &mut self.visit else { return Ok(()) };
        if !visit.inside {
            return match visit.is_due(PATIENCE) {
                true => self.come_in(writer).await,
                false => Ok(()),
            };
        }
        if visit.is_due(PAUSE) && visit.sure != Some(all) || visit.is_due(PATIENCE) {
            visit.asked = Some(Instant::now());
            visit.count += 1;
            visit.questions.insert(visit.count, all);
            let text = format!(
                "<iq type='get' id='here-{}' to='{}'><ping xmlns='urn:xmpp:ping'/></iq>",
                visit.count, visit.occupant
            );
            self.say(text, None, writer).await?;
        }
        while let Some(number) = self.visit.as_mut().and_then(|visit| visit.returned.pop_first()) {
            self.say(self.message(number), Some(number), writer).await?;
        }
        let behind = self.visit.as_mut().is_some_and(|visit| std::mem::take(&mut visit.behind));
        // The answer may have died with the room's server.
        let lost = self.catching_up.as_ref().is_some_and(|query| query.asked.elapsed() > ANSWER);
        match behind || lost {
            true => self.catch_up(writer).await,
            false => Ok(()),
        }
    }

    /// Presence of the room.
    pub(super) fn presence_arrived(&mut self, stanza: &[u8]) {
        let Some(visit) = &mut self.visit else { return };
        if scan::attribute(stanza, "from") != Some(visit.occupant.as_bytes()) {
            return;
        }
        match scan::attribute(stanza, "type") {
            None => visit.inside = true,
            // Not let in, or thrown out; it asks again when it is time.
            Some(_) => visit.inside = false,
        }
    }

    /// Whether an IQ is the answer to a question whether it is there.
    pub(super) fn place_answered(&mut self, stanza: &[u8]) -> bool {
        let Some(visit) = &mut self.visit else { return false };
        let asked = |number: &u64| is_answer(stanza, &format!("here-{number}"));
        let Some(number) = visit.questions.keys().copied().find(asked) else { return false };
        let kills = visit.questions.remove(&number);
        if scan::attribute(stanza, "type") == Some(b"result") {
            visit.sure = visit.sure.max(kills);
        } else {
            visit.inside = false;
        }
        true
    }

    /// The room returns a message: nothing was promised any more.
    pub(super) fn came_back(&mut self, message: MessageId) -> Result<()> {
        let Some(visit) = &mut self.visit else { return Ok(()) };
        visit.inside = false;
        visit.sure = None;
        if message.device == self.number {
            visit.returned.insert(message.number);
            self.notes()?.log.acknowledged[message.number] = false;
        }
        Ok(())
    }
}

/// Between two questions while it is not sure.
const PAUSE: Duration = Duration::from_millis(100);
/// Between two questions, or two attempts to come in.
const PATIENCE: Duration = Duration::from_millis(700);
/// How long a page of the archive may take.
const ANSWER: Duration = Duration::from_secs(2);
