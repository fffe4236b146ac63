//! The message that the load consists of.
//!
//! What a client sends for a short text encrypted with OMEMO (XEP-0384 0.3,
//! the version in use everywhere) to a contact with three devices and to two
//! other devices of its own: 1.2 KB with `<encrypted/>`, XEP-0380
//! `<encryption/>`, XEP-0359 `<origin-id/>`, XEP-0334 `<store/>` and the
//! fallback body. The keys and the ciphertext are noise; no server looks.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

/// What a message of the load says about itself, in its `id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Which sender-to-receiver direction it belongs to.
    pub flow: u32,
    /// Its number within the flow, from 0.
    pub number: u64,
    /// When it was written, on [`clock`].
    pub sent: Duration,
}

impl Stamp {
    /// Reads the stamp of a message from its bytes, or `None` when the message
    /// is not one of the load.
    pub fn find(bytes: &[u8]) -> Option<Self> {
        let at = memmem::find(bytes, MARK)?;
        let id = bytes.get(at..at + ID_LENGTH)?;
        Some(Self {
            flow: u32::try_from(hex(&id[3..11])?).ok()?,
            number: hex(&id[12..24])?,
            sent: Duration::from_nanos(hex(&id[25..41])?),
        })
    }

    /// The text form, always [`ID_LENGTH`] bytes.
    pub fn id(&self) -> String {
        let nanos = u64::try_from(self.sent.as_nanos()).unwrap_or(u64::MAX);
        format!("lg-{:08x}-{:012x}-{nanos:016x}", self.flow, self.number)
    }
}

/// The one clock of all clients. It starts at the time of day, so that a run on data of an earlier
/// one makes no id twice: a server recognises the repetition of a message by it.
pub fn clock() -> Duration {
    static START: OnceLock<(Instant, Duration)> = OnceLock::new();
    let (start, day) = START.get_or_init(|| {
        (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    });
    *day + start.elapsed()
}

/// Writes the messages of one flow: a prepared text in which only the id
/// changes.
#[derive(Debug)]
pub struct Template {
    bytes: Vec<u8>,
    holes: [usize; 2],
    flow: u32,
}

impl Template {
    /// A template for messages to `to` (an address that needs no escaping).
    pub fn new(to: &str, flow: u32) -> Self {
        Self::with_type(to, "chat", flow)
    }

    /// The same for messages to everybody in a room.
    pub fn to_room(room: &str, flow: u32) -> Self {
        Self::with_type(room, "groupchat", flow)
    }

    fn with_type(to: &str, kind: &str, flow: u32) -> Self {
        let blank = Stamp { flow, number: 0, sent: Duration::ZERO }.id();
        let bytes = omemo_message(to, kind, &blank).into_bytes();
        let mut found = memmem::find_iter(&bytes, MARK);
        // Both are in the text above; an address cannot contain the mark's id.
        let holes = [found.next().unwrap_or(0), found.next().unwrap_or(0)];
        drop(found);
        Self { bytes, holes, flow }
    }

    /// The message numbered `number`, stamped with the present time.
    pub fn stamped(&mut self, number: u64) -> &[u8] {
        let id = Stamp { flow: self.flow, number, sent: clock() }.id();
        for hole in self.holes {
            self.bytes[hole..hole + ID_LENGTH].copy_from_slice(id.as_bytes());
        }
        &self.bytes
    }
}

/// Whether the ciphertext of a message arrived as it was sent.
pub fn is_intact(bytes: &[u8]) -> bool {
    memmem::find(bytes, ciphertext().as_bytes()).is_some()
}

/// Length of an id: `lg-`, flow, `-`, number, `-`, nanoseconds, in hexadecimal.
pub const ID_LENGTH: usize = 41;

const MARK: &[u8] = b"lg-";

fn omemo_message(to: &str, kind: &str, id: &str) -> String {
    // A key element holds 66 to 90 bytes: a Signal message of 49 bytes and its
    // framing; one of them still begins a session.
    let keys: String = [
        (1_480_215_977, 66, ""),
        (702_914_330, 66, ""),
        (1_911_044_817, 66, ""),
        (93_481_275, 90, " prekey='true'"),
        (1_208_846_001, 66, ""),
    ]
    .into_iter()
    .map(|(device, length, prekey)| {
        format!("<key rid='{device}'{prekey}>{}</key>", noise(length, device))
    })
    .collect();
    format!(
        "<message to='{to}' type='{kind}' id='{id}'>\
         <encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1480215977'>{keys}\
         <iv>{}</iv></header><payload>{}</payload></encrypted>\
         <encryption xmlns='urn:xmpp:eme:0' name='OMEMO' namespace='eu.siacs.conversations.axolotl'/>\
         <body>I sent you an OMEMO encrypted message but your client does not seem to support that.</body>\
         <origin-id xmlns='urn:xmpp:sid:0' id='{id}'/><store xmlns='urn:xmpp:hints'/></message>",
        noise(12, 5),
        ciphertext()
    )
}

fn ciphertext() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| noise(42, 7))
}

/// The same in Base64.
fn noise(length: usize, seed: u32) -> String {
    STANDARD.encode(random_bytes(length, seed))
}

/// Bytes without a pattern, the same in every run.
pub fn random_bytes(length: usize, seed: u32) -> Vec<u8> {
    let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
    .take(length)
    .collect()
}

fn hex(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_survives_the_message() {
        let mut template = Template::new("u1@localhost", 0xabc);
        for number in [0, 1, 0xffff_ffff_ffff] {
            let message = template.stamped(number).to_vec();
            let stamp = Stamp::find(&message).unwrap();
            assert_eq!((stamp.flow, stamp.number), (0xabc, number));
            assert!(stamp.sent <= clock() && is_intact(&message));
            assert_eq!(memmem::find_iter(&message, stamp.id().as_bytes()).count(), 2);
        }
    }

    #[test]
    fn the_message_has_the_size_of_the_real_ones() {
        let length = Template::new("u1@localhost", 0).stamped(0).len();
        assert!((1_150..=1_250).contains(&length), "{length}");
    }

    #[test]
    fn other_stanzas_have_no_stamp() {
        assert_eq!(Stamp::find(b"<message id='lg-1'/>"), None);
        assert_eq!(Stamp::find(b"<presence/>"), None);
    }
}
