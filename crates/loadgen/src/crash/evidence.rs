//! What the devices and the archives say, for the checker.

use memchr::memmem;

use crate::scan;

/// Names one message for ever: the device that wrote it and its number there.
/// Its text form is the message's id and origin-id (XEP-0359).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId {
    /// The device that wrote it.
    pub device: usize,
    /// Its number among that device's messages, from 0.
    pub number: usize,
}

/// Everything one device did and saw, over all its connections.
#[derive(Debug, Default)]
pub struct DeviceLog {
    /// The archive it reads: that of its account, or of its room.
    pub reads: usize,
    /// The archives that keep what it writes: of both people, or of the room.
    pub writes: Vec<usize>,
    /// Whether it is in a room.
    pub room: bool,
    /// Whether that room is on another server than the device's account.
    pub far: bool,
    /// Its messages by number: whether the server has acknowledged each.
    pub acknowledged: Vec<bool>,
    /// What came, in the order in which it came.
    pub arrivals: Vec<Arrival>,
    /// Messages that came back as errors.
    pub refused: Vec<MessageId>,
    /// What it asked its archive for, and how far it came, each with the number of messages that had arrived.
    pub readings: Vec<Reading>,
}

/// A step on the way through an archive.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The connection, counted per device.
    pub connection: u32,
    /// How many messages had arrived.
    pub arrivals: usize,
    /// What was asked or answered.
    pub what: String,
}

/// A message that reached a device.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Which one.
    pub message: MessageId,
    /// The connection it came over, counted per device.
    pub connection: u32,
    /// Whether the server sent it by itself: directly, as a carbon, or after a
    /// resumption; otherwise it was asked for in the archive.
    pub live: bool,
    /// Whether it was marked as delayed (XEP-0203), as what had waited is.
    pub delayed: bool,
    /// Its id in the archive of the device's account, if that was told.
    pub archive_id: Option<String>,
}

/// One message in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// Its id there.
    pub id: String,
    /// Which one.
    pub message: MessageId,
}

impl DeviceLog {
    /// Whether a message of its own must be where it belongs. A room on another server says so by
    /// showing it: whoever it has forgotten gets an answer, which can die with that server.
    pub fn promised(&self, message: MessageId) -> bool {
        let shown = || self.arrivals.iter().any(|arrival| arrival.message == message);
        self.acknowledged.get(message.number) == Some(&true) && (!self.far || shown())
    }

    /// Notes a step on the way through the archive.
    pub fn read(&mut self, connection: u32, what: String) {
        let arrivals = self.arrivals.len();
        self.readings.push(Reading { connection, arrivals, what });
    }

    /// Why a message did not come here, as far as its neighbours in the archive tell: in words.
    pub fn explain_absence(&self, message: MessageId, archive: &[Archived]) -> Vec<String> {
        let Some(place) = archive.iter().position(|item| item.message == message) else {
            return vec!["it is not in the archive".to_owned()];
        };
        let around = &archive[place.saturating_sub(3)..archive.len().min(place + 4)];
        let mut lines: Vec<String> = around
            .iter()
            .map(|item| {
                let ways = self.explain(item.message).join("; ");
                format!("archive id {}, {}: {ways}", item.id, item.message)
            })
            .collect();
        lines.extend(self.readings.iter().rev().take(SHOWN).rev().map(|reading| {
            let Reading { connection, arrivals, what } = reading;
            format!("connection {connection}, after {arrivals} arrivals: {what}")
        }));
        lines
    }

    /// How a message came here, in words, for whoever has to find out why.
    pub fn explain(&self, message: MessageId) -> Vec<String> {
        let arrivals = self.arrivals.iter().enumerate();
        let of_message = arrivals.filter(|(_, arrival)| arrival.message == message);
        of_message
            .map(|(place, arrival)| {
                let way = if arrival.live { "live" } else { "from the archive" };
                let delayed = if arrival.delayed { ", delayed" } else { "" };
                let id = arrival.archive_id.as_deref().unwrap_or("none");
                format!(
                    "arrival {place}, connection {}: {way}{delayed}, archive id {id}",
                    arrival.connection
                )
            })
            .collect()
    }
}

impl MessageId {
    /// The first id of this form in `bytes`.
    pub fn find(bytes: &[u8]) -> Option<Self> {
        let at = memmem::find(bytes, MARK)? + MARK.len();
        let text = std::str::from_utf8(bytes.get(at..at + 13)?).ok()?;
        let (device, number) = text.split_once('-')?;
        Some(Self { device: device.parse().ok()?, number: number.parse().ok()? })
    }
}

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "crash-{:04}-{:08}", self.device, self.number)
    }
}

/// The id that the archive of `owner` gave a message that came live: that of
/// the `<stanza-id/>` whose `by` is the owner's bare address (XEP-0359 §3).
pub fn stanza_id(stanza: &[u8], owner: &str) -> Option<String> {
    memmem::find_iter(stanza, b"<stanza-id").find_map(|at| {
        let tag = &stanza[at..at + memchr::memchr(b'>', &stanza[at..])?];
        if scan::attribute(tag, "by") != Some(owner.as_bytes()) {
            return None;
        }
        Some(String::from_utf8_lossy(scan::attribute(tag, "id")?).into_owned())
    })
}

/// Steps that are shown.
const SHOWN: usize = 12;
const MARK: &[u8] = b"crash-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_their_text_form() {
        let id = MessageId { device: 12, number: 3456 };
        let stanza = format!("<message id='{id}'><origin-id id='{id}'/></message>");
        assert_eq!(MessageId::find(stanza.as_bytes()), Some(id));
        assert_eq!(MessageId::find(b"<message id='crash-x'/>"), None);
    }

    #[test]
    fn only_the_own_archives_id_is_taken() {
        let stanza =
            b"<message><stanza-id by='room@x' id='no'/><stanza-id id=\"7\" by=\"u1@x\"/></message>";
        assert_eq!(stanza_id(stanza, "u1@x").as_deref(), Some("7"));
        assert_eq!(stanza_id(stanza, "u2@x"), None);
    }
}
