//! What must hold after any number of crashes.
//!
//! The rules are those of the project's promise: what the server has
//! acknowledged is in the archives of both sides exactly once and in the order
//! in which its device wrote it, and every other device of the two people has
//! it. A device may see a message twice, over two connections: it cannot tell
//! the server what it saw just before a crash, and merges copies by their
//! origin-id. Over one connection it may not. What comes live comes in the order
//! of the archive.
//!
//! For somebody on another server nothing else holds. That server acknowledges a
//! message (XEP-0198) when it is in its archive; one that was killed before it could
//! say so is sent the message again, from the outbox on disk, and recognises it by
//! its sender and origin-id. A room acknowledges what is in its archive, and shows
//! other servers nothing before. One that had stored a message it gets once more
//! shows it to its author again, under the same id. A room may also return
//! a message, when it has forgotten who is in it; then nothing is promised until it
//! was sent again. Who is on another server than the room is promised nothing before
//! the room has shown them their message: what it returns can die with its server.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::evidence::{Archived, Arrival, DeviceLog, MessageId};

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Acknowledged, and not in the archive that keeps it.
    NotArchived(MessageId, usize),
    /// More than once in the archive that keeps it.
    ArchivedTwice(MessageId, usize),
    /// In this archive after a later message of the same device.
    ArchivedLate(MessageId, usize),
    /// In this archive, and never written to or by it.
    Stranger(MessageId, usize),
    /// Acknowledged, and this device never got it.
    NotReceived(MessageId, usize),
    /// Came to this device twice over the same connection.
    ReceivedTwice(MessageId, usize),
    /// Came live to this device after one that is later in the archive.
    ReceivedLate(MessageId, usize),
    /// Came back as an error.
    Refused(MessageId),
}

/// Checks everything; nothing found means that every promise was kept. The
/// index of `devices` is the device's number, that of `archives` the account's.
pub fn check(devices: &[&DeviceLog], archives: &[Vec<Archived>]) -> Vec<Violation> {
    let mut found = Vec::new();
    let positions: Vec<HashMap<MessageId, usize>> =
        archives.iter().map(|archive| positions(archive)).collect();
    for (account, archive) in archives.iter().enumerate() {
        check_archive(account, archive, devices, &mut found);
    }
    for (number, device) in devices.iter().enumerate() {
        found.extend(device.refused.iter().map(|&message| Violation::Refused(message)));
        for message in acknowledged(number, device) {
            for &account in &device.writes {
                if !positions[account].contains_key(&message) {
                    found.push(Violation::NotArchived(message, account));
                }
            }
        }
        check_received(number, devices, &mut found);
        check_live(number, device, &archives[device.reads], &positions[device.reads], &mut found);
    }
    found
}

/// Where each message is first in an archive.
fn positions(archive: &[Archived]) -> HashMap<MessageId, usize> {
    let mut positions = HashMap::with_capacity(archive.len());
    for (position, item) in archive.iter().enumerate() {
        positions.entry(item.message).or_insert(position);
    }
    positions
}

fn acknowledged(number: usize, device: &DeviceLog) -> impl Iterator<Item = MessageId> {
    let all = 0..device.acknowledged.len();
    all.map(move |message| MessageId { device: number, number: message })
        .filter(|message| device.promised(*message))
}

/// Each message once, and those of one device in their order.
fn check_archive(
    account: usize,
    archive: &[Archived],
    devices: &[&DeviceLog],
    found: &mut Vec<Violation>,
) {
    let mut seen = HashSet::with_capacity(archive.len());
    let mut latest = vec![0; devices.len()];
    for &Archived { message, .. } in archive {
        let belongs = devices.get(message.device).is_some_and(|device| {
            device.writes.contains(&account) && message.number < device.acknowledged.len()
        });
        if !belongs {
            found.push(Violation::Stranger(message, account));
        } else if !seen.insert(message) {
            found.push(Violation::ArchivedTwice(message, account));
        } else if message.number < latest[message.device] {
            found.push(Violation::ArchivedLate(message, account));
        } else {
            latest[message.device] = message.number;
        }
    }
}

/// Everything acknowledged that one of the two people wrote on another device, or anybody in the
/// room: there its author as well.
fn check_received(receiver: usize, devices: &[&DeviceLog], found: &mut Vec<Violation>) {
    let arrived: HashSet<MessageId> =
        devices[receiver].arrivals.iter().map(|arrival| arrival.message).collect();
    let reads = devices[receiver].reads;
    for (number, device) in devices.iter().enumerate() {
        let own = number == receiver && !device.room;
        if own || !device.writes.contains(&reads) {
            continue;
        }
        let missing = acknowledged(number, device).filter(|message| !arrived.contains(message));
        found.extend(missing.map(|message| Violation::NotReceived(message, receiver)));
    }
}

/// No double over one connection, and the order of the archive.
fn check_live(
    number: usize,
    device: &DeviceLog,
    archive: &[Archived],
    positions: &HashMap<MessageId, usize>,
    found: &mut Vec<Violation>,
) {
    let (mut seen, mut shown) = (HashSet::new(), HashSet::new());
    let mut latest = (0, 0);
    for arrival in &device.arrivals {
        let Arrival { message, connection, .. } = *arrival;
        // One that had stored it shows it once more to its author, whose server sent it once more: an
        // answer, which comes when that was sent. What was shown before the server was killed may have
        // died with it, so it can be the first.
        let before = !shown.insert(message);
        let answer = device.room && message.device == number;
        if !arrival.live || answer && before {
            continue;
        }
        if !seen.insert((connection, message)) {
            found.push(Violation::ReceivedTwice(message, number));
        }
        let Some(&position) = positions.get(&message) else { continue };
        // What had waited for a device is marked with its time (XEP-0203) and
        // put in its place by that, like what comes from the archive.
        if arrival.delayed || answer {
            continue;
        }
        // A message that came before a crash and was stored after it, when its
        // sender had sent it again, is at another place than when it came.
        if arrival.archive_id.as_ref().is_some_and(|id| *id != archive[position].id) {
            continue;
        }
        if latest.0 == connection && position < latest.1 {
            found.push(Violation::ReceivedLate(message, number));
        }
        latest = (connection, position);
    }
}

impl Violation {
    /// Whether it may only be that something is still on its way: to a device, or from one server to
    /// another.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::NotReceived(..) | Self::NotArchived(..))
    }

    /// The message, and the device that saw what it should not have, or nothing; of one that is in no
    /// archive, its author.
    pub fn at_device(&self) -> Option<(MessageId, usize)> {
        match *self {
            Self::NotArchived(message, _) => Some((message, message.device)),
            Self::NotReceived(message, device)
            | Self::ReceivedTwice(message, device)
            | Self::ReceivedLate(message, device) => Some((message, device)),
            _ => None,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotArchived(message, account) => {
                write!(f, "{message} is acknowledged and not in archive {account}")
            }
            Self::ArchivedTwice(message, account) => {
                write!(f, "{message} is in archive {account} again")
            }
            Self::ArchivedLate(message, account) => {
                write!(f, "{message} is too late in archive {account}")
            }
            Self::Stranger(message, account) => {
                write!(f, "{message} does not belong into archive {account}")
            }
            Self::NotReceived(message, device) => {
                write!(f, "{message} is acknowledged and did not reach device {device}")
            }
            Self::ReceivedTwice(message, device) => {
                write!(f, "{message} reached device {device} twice over one connection")
            }
            Self::ReceivedLate(message, device) => {
                write!(f, "{message} reached device {device} after a later one")
            }
            Self::Refused(message) => write!(f, "{message} came back as an error"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(device: usize, number: usize) -> MessageId {
        MessageId { device, number }
    }

    fn archive(messages: &[MessageId]) -> Vec<Archived> {
        messages
            .iter()
            .enumerate()
            .map(|(at, &message)| Archived { id: at.to_string(), message })
            .collect()
    }

    fn device(account: usize, acknowledged: usize, arrivals: &[(MessageId, u32)]) -> DeviceLog {
        let arrival = |&(message, connection)| Arrival {
            message,
            connection,
            live: true,
            delayed: false,
            archive_id: None,
        };
        DeviceLog {
            reads: account,
            writes: vec![account, 1 - account],
            room: false,
            far: false,
            acknowledged: vec![true; acknowledged],
            arrivals: arrivals.iter().map(arrival).collect(),
            refused: Vec::new(),
            readings: Vec::new(),
        }
    }

    /// Device 0 of account 0 wrote three messages; device 1 of account 1 and
    /// device 2 of account 0 got them.
    fn good() -> (Vec<DeviceLog>, Vec<Vec<Archived>>) {
        let all = [id(0, 0), id(0, 1), id(0, 2)];
        let got = all.map(|message| (message, 0));
        let devices = vec![device(0, 3, &[]), device(1, 0, &got), device(0, 0, &got)];
        (devices, vec![archive(&all), archive(&all)])
    }

    fn verdict((devices, archives): &(Vec<DeviceLog>, Vec<Vec<Archived>>)) -> Vec<Violation> {
        check(&devices.iter().collect::<Vec<_>>(), archives)
    }

    #[test]
    fn a_good_history_has_no_violation() {
        assert_eq!(verdict(&good()), []);
    }

    #[test]
    fn a_message_missing_from_one_archive_is_found() {
        let mut history = good();
        history.1[1].remove(1);
        assert_eq!(verdict(&history), [Violation::NotArchived(id(0, 1), 1)]);
    }

    #[test]
    fn an_unacknowledged_message_may_be_missing_everywhere() {
        let mut history = good();
        history.0[0].acknowledged.push(false);
        assert_eq!(verdict(&history), []);
    }

    #[test]
    fn a_double_in_an_archive_is_found_even_when_unacknowledged() {
        let mut history = good();
        history.0[0].acknowledged[2] = false;
        history.1[0].push(Archived { id: "9".into(), message: id(0, 2) });
        assert_eq!(verdict(&history), [Violation::ArchivedTwice(id(0, 2), 0)]);
    }

    #[test]
    fn swapped_messages_in_an_archive_are_found() {
        let mut history = good();
        history.1[0] = archive(&[id(0, 1), id(0, 0), id(0, 2)]);
        let expected = [Violation::ArchivedLate(id(0, 0), 0), Violation::ReceivedLate(id(0, 1), 2)];
        assert_eq!(verdict(&history), expected);
    }

    #[test]
    fn a_message_nobody_wrote_is_found() {
        let mut history = good();
        history.1[0].push(Archived { id: "9".into(), message: id(0, 7) });
        history.1[1].push(Archived { id: "9".into(), message: id(5, 0) });
        assert_eq!(
            verdict(&history),
            [Violation::Stranger(id(0, 7), 0), Violation::Stranger(id(5, 0), 1)]
        );
    }

    #[test]
    fn a_message_that_missed_a_device_is_found() {
        let mut history = good();
        history.0[2].arrivals.pop();
        assert_eq!(verdict(&history), [Violation::NotReceived(id(0, 2), 2)]);
    }

    #[test]
    fn a_double_over_one_connection_is_found_and_over_two_is_merged() {
        let mut history = good();
        let copy = |connection| Arrival {
            message: id(0, 2),
            connection,
            live: true,
            delayed: false,
            archive_id: None,
        };
        history.0[1].arrivals.push(copy(1));
        assert_eq!(verdict(&history), []);
        history.0[1].arrivals.push(copy(1));
        assert_eq!(verdict(&history), [Violation::ReceivedTwice(id(0, 2), 1)]);
    }

    #[test]
    fn a_room_may_answer_its_author_once_more_and_nobody_else() {
        let mut history = good();
        for device in &mut history.0 {
            device.room = true;
            device.writes = vec![0];
            device.reads = 0;
        }
        history.1.pop();
        let own = history.0[1].arrivals.clone();
        history.0[0].arrivals.extend(own);
        assert_eq!(verdict(&history), []);
        let copy = history.0[0].arrivals[0].clone();
        history.0[0].arrivals.push(copy.clone());
        assert_eq!(verdict(&history), []);
        history.0[1].arrivals.push(copy);
        let expected =
            [Violation::ReceivedTwice(id(0, 0), 1), Violation::ReceivedLate(id(0, 0), 1)];
        assert_eq!(verdict(&history), expected);
    }

    #[test]
    fn a_room_elsewhere_promises_what_it_has_shown() {
        let mut history = good();
        for device in &mut history.0 {
            device.room = true;
            device.writes = vec![0];
            device.reads = 0;
        }
        history.1.pop();
        history.0[0].far = true;
        history.1[0].remove(2);
        for device in &mut history.0 {
            device.arrivals.pop();
        }
        assert_eq!(verdict(&history), []);
        history.0[0].far = false;
        assert!(verdict(&history).contains(&Violation::NotArchived(id(0, 2), 0)));
    }

    #[test]
    fn live_messages_out_of_the_archives_order_are_found() {
        let mut history = good();
        history.0[1].arrivals.swap(0, 2);
        let expected = [Violation::ReceivedLate(id(0, 1), 1), Violation::ReceivedLate(id(0, 0), 1)];
        assert_eq!(verdict(&history), expected);
    }

    #[test]
    fn a_message_that_had_waited_is_placed_by_its_time() {
        let mut history = good();
        history.0[1].arrivals.swap(1, 2);
        assert_eq!(verdict(&history), [Violation::ReceivedLate(id(0, 1), 1)]);
        history.0[1].arrivals[2].delayed = true;
        assert_eq!(verdict(&history), []);
    }

    #[test]
    fn a_message_stored_again_after_a_crash_may_have_moved() {
        let mut history = good();
        history.0[1].arrivals.swap(0, 2);
        for arrival in &mut history.0[1].arrivals {
            arrival.archive_id = Some("before the crash".into());
        }
        assert_eq!(verdict(&history), []);
    }

    #[test]
    fn a_bounce_is_found() {
        let mut history = good();
        history.0[0].refused.push(id(0, 1));
        assert_eq!(verdict(&history), [Violation::Refused(id(0, 1))]);
    }
}
