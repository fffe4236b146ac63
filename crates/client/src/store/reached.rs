//! On which devices an own message is, and since when.

use serde::{Deserialize, Serialize};
use xmpp::time::Millis;

use super::Message;

/// What a device of whom a message was written to told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// The device as OMEMO numbers it, if it told it encrypted.
    pub device: Option<u32>,
    /// The resource it told it from. Devices whose numbers are not known are told apart by it.
    pub resource: String,
    /// What its program calls itself, if that was known then (XEP-0115).
    pub program: Option<String>,
    /// Since when it is there (XEP-0184).
    pub delivered: Option<Millis>,
    /// When it was seen there (XEP-0333).
    pub read: Option<Millis>,
}

impl Reached {
    /// Whether it is the same device, as far as can be told.
    pub(crate) fn is_same(&self, other: &Reached) -> bool {
        match (self.device, other.device) {
            (Some(one), Some(other)) => one == other,
            _ => self.resource == other.resource,
        }
    }

    /// The first time counts: what is told again says nothing new.
    fn learn(&mut self, told: &Reached) {
        let first = |one: Option<Millis>, other: Option<Millis>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.device = self.device.or(told.device);
        self.resource.clone_from(&told.resource);
        if told.program.is_some() {
            self.program.clone_from(&told.program);
        }
        self.delivered = first(self.delivered, told.delivered);
        self.read = first(self.read, told.read);
        if self.delivered.is_some() {
            // What was seen was there, whichever of both was told first.
            self.delivered = first(self.delivered, self.read);
        }
    }
}

impl Message {
    /// A device told how far this message got. Says whether that is news.
    pub(crate) fn reach(&mut self, told: &Reached) -> bool {
        if let Some(known) = self.reached.iter_mut().find(|known| known.is_same(told)) {
            let before = known.clone();
            known.learn(told);
            return (before.delivered, before.read) != (known.delivered, known.read);
        }
        let room = self.own && self.reached.len() < MOST_DEVICES;
        if room {
            self.reached.push(told.clone());
        }
        room
    }
}

/// More devices of one message are not kept.
pub(crate) const MOST_DEVICES: usize = 16;

#[cfg(test)]
mod tests {
    use super::super::conformance::message;
    use super::*;

    fn told(device: Option<u32>, resource: &str, delivered: u64, read: u64) -> Reached {
        let time = |time: u64| Some(Millis(time)).filter(|time| time.0 > 0);
        let (delivered, read) = (time(delivered), time(read));
        Reached { device, resource: resource.into(), program: None, delivered, read }
    }

    fn own() -> Message {
        Message { own: true, ..message("romeo@example.org", 1, "a") }
    }

    #[test]
    fn a_device_is_known_by_its_number_and_else_by_its_resource() {
        let mut message = own();
        assert!(message.reach(&told(Some(7), "a", 10, 0)));
        // It is connected anew, and its program puts one of both in plain sight.
        assert!(message.reach(&told(Some(7), "b", 0, 20)));
        assert!(!message.reach(&told(None, "b", 12, 30)));
        assert!(message.reach(&told(None, "a", 15, 0)));
        assert!(message.reach(&told(Some(8), "c", 16, 0)));
        let known: Vec<_> = message.reached.iter().map(|one| (one.delivered, one.read)).collect();
        let expected = [(10, 20), (15, 0), (16, 0)];
        let expected = expected.map(|(delivered, read)| told(None, "", delivered, read));
        assert_eq!(known, expected.map(|one| (one.delivered, one.read)));
    }

    #[test]
    fn nothing_was_seen_before_it_was_there() {
        let words = [told(Some(7), "a", 30, 0), told(Some(7), "a", 0, 20)];
        for order in [[0, 1], [1, 0]] {
            let mut message = own();
            for one in order {
                message.reach(&words[one]);
            }
            let known = &message.reached[0];
            assert_eq!((known.delivered, known.read), (Some(Millis(20)), Some(Millis(20))));
        }
    }

    #[test]
    fn a_flood_of_devices_is_not_kept() {
        let mut message = own();
        for number in 0..1000 {
            message.reach(&told(None, &number.to_string(), 1, 0));
        }
        assert_eq!(message.reached.len(), MOST_DEVICES);
        assert!(message.reach(&told(None, "3", 0, 9)), "those that are known go on");
        let of_others = &mut super::super::conformance::message("romeo@example.org", 1, "a");
        assert!(!of_others.reach(&told(None, "a", 1, 1)));
    }
}
