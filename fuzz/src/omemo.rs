//! Devices for the fuzzer: with keys that are always the same, and sessions between them.

use std::collections::VecDeque;
use std::sync::LazyLock;

use omemo::{Bundle, BundleParts, DecryptionError, Device, DeviceId, Sessions, Version};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// What a target starts from: Juliet's device and sessions before a valid key exchange and a valid
/// message of Romeo's.
struct Fixture {
    device: Vec<u8>,
    sessions: Vec<u8>,
    exchange: Vec<u8>,
    message: Vec<u8>,
}

static FIXTURES: LazyLock<[Fixture; 2]> =
    LazyLock::new(|| [fixture(Version::Legacy), fixture(Version::Omemo2)]);

fn fixture(version: Version) -> Fixture {
    let mut pair = Pair::new(version);
    let exchange = pair.write(0);
    let device = pair.devices[1].to_bytes().to_vec();
    pair.read(1, &exchange).expect("it is valid");
    let answer = pair.write(1);
    pair.read(0, &answer).expect("it is valid");
    let message = pair.write(0);
    Fixture { device, sessions: pair.sessions[1].to_bytes().to_vec(), exchange, message }
}

/// Both versions of OMEMO, by a bit of the input.
fn version(options: u8) -> Version {
    if options & 1 == 0 { Version::Legacy } else { Version::Omemo2 }
}

/// Any bytes, or a valid key exchange or message with some bytes replaced, inserted and removed,
/// are read or leave everything as it was.
pub fn message(options: u8, input: &[u8]) {
    let fixture = &FIXTURES[usize::from(options & 1)];
    let mut device = Device::from_bytes(&fixture.device).expect("it was written here");
    let mut sessions = if options & 2 == 0 {
        Sessions::new(version(options))
    } else {
        Sessions::from_bytes(&fixture.sessions).expect("it was written here")
    };
    let bytes = match options >> 2 & 3 {
        0 => edited(&fixture.exchange, input),
        1 => edited(&fixture.message, input),
        _ => input.to_vec(),
    };
    let before = (sessions.to_bytes(), device.to_bytes());
    match sessions.decrypt(&mut device, &bytes) {
        Ok(read) => assert_eq!(*read.plaintext, *TEXT),
        Err(_) => assert!(before == (sessions.to_bytes(), device.to_bytes())),
    }
}

/// A bundle of any bytes, or a valid one that was changed: whatever is accepted has the keys that
/// were signed.
pub fn bundle(options: u8, input: &[u8]) {
    let fixture = &FIXTURES[usize::from(options & 1)];
    let device = Device::from_bytes(&fixture.device).expect("it was written here");
    let good = device.bundle(version(options));
    let mut fields = input.split(|byte| *byte == 0xff);
    let mut field = |value: &[u8]| {
        let edits = fields.next().unwrap_or_default();
        if options & 2 == 0 { edited(value, edits) } else { edits.to_vec() }
    };
    let parts = BundleParts {
        identity_key: field(&good.identity_key),
        signed_pre_key_id: good.signed_pre_key_id,
        signed_pre_key: field(&good.signed_pre_key),
        signature: field(&good.signature),
        pre_keys: good.pre_keys.iter().take(3).map(|(id, key)| (id - 1, field(key))).collect(),
    };
    let signed = (parts.identity_key.clone(), parts.signed_pre_key.clone());
    let Ok(bundle) = Bundle::verify(version(options), parts) else { return };
    assert_eq!(signed, (good.identity_key, good.signed_pre_key));
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut sessions = Sessions::new(version(options));
    if sessions.initiate(&device, &bundle, &mut rng).is_ok() {
        assert!(sessions.encrypt(TEXT, &mut rng).is_ok_and(|sent| sent.message.key_exchange));
    }
}

/// Stored state of any bytes is refused, or is the same once it has been written.
pub fn state(options: u8, input: &[u8]) {
    let fixture = &FIXTURES[usize::from(options & 1)];
    let input = match options >> 1 & 3 {
        0 => edited(&fixture.sessions, input),
        1 => edited(&fixture.device, input),
        _ => input.to_vec(),
    };
    if let Ok(sessions) = Sessions::from_bytes(&input) {
        assert_eq!(*sessions.to_bytes(), input);
    }
    if let Ok(device) = Device::from_bytes(&input) {
        let written = device.to_bytes();
        let again = Device::from_bytes(&written).expect("it was written here");
        assert_eq!(again.to_bytes(), written);
    }
}

/// Two devices write, read, lose, repeat and reorder messages, open sessions and are stored and
/// loaded, as the bytes say. Each message is read once.
pub fn events(options: u8, input: &[u8]) {
    let mut pair = Pair::new(version(options));
    // Below the limit of the archive, so that no session is gone when a late message comes.
    let mut openings = 30;
    let mut under_way: VecDeque<(usize, Vec<u8>, bool)> = VecDeque::new();
    for event in input.iter().take(200) {
        let side = usize::from(event & 1);
        let pick = usize::from(event >> 4).min(under_way.len().saturating_sub(1));
        match event >> 1 & 7 {
            0..=2 => {
                let bytes = pair.write(side);
                under_way.push_back((1 - side, bytes, false));
            }
            3 | 4 => {
                let Some((to, bytes, read)) = under_way.get_mut(pick) else { continue };
                match pair.read(*to, bytes) {
                    Ok(()) => assert!(!std::mem::replace(read, true), "it was read twice"),
                    Err(DecryptionError::Duplicate) => assert!(*read, "it was new"),
                    Err(DecryptionError::Expired | DecryptionError::UsedPreKey { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
                if event >> 1 & 7 == 3 {
                    under_way.remove(pick);
                }
            }
            5 => drop(under_way.remove(pick)),
            6 if event >> 4 == 0 && openings > 0 => {
                openings -= 1;
                pair.initiate(side);
            }
            6 => drop(pair.devices[side].forget_used_pre_keys()),
            _ => pair.reload(),
        }
    }
}

struct Pair {
    rng: ChaCha20Rng,
    version: Version,
    devices: [Device; 2],
    sessions: [Sessions; 2],
}

impl Pair {
    fn new(version: Version) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(0);
        let devices = [1, 2].map(|id| {
            let id = DeviceId::new(id).expect("in range");
            Device::generate(id, 0, &mut rng)
        });
        let sessions = [Sessions::new(version), Sessions::new(version)];
        Self { rng, version, devices, sessions }
    }

    fn initiate(&mut self, side: usize) {
        let parts = self.devices[1 - side].bundle(self.version);
        let bundle = Bundle::verify(self.version, parts).expect("it is valid");
        let initiated = self.sessions[side].initiate(&self.devices[side], &bundle, &mut self.rng);
        initiated.expect("it has prekeys");
    }

    fn write(&mut self, side: usize) -> Vec<u8> {
        if !self.sessions[side].is_open() {
            self.initiate(side);
        }
        let sent = self.sessions[side].encrypt(TEXT, &mut self.rng).expect("there is a session");
        sent.message.bytes
    }

    fn read(&mut self, side: usize, bytes: &[u8]) -> Result<(), DecryptionError> {
        let read = self.sessions[side].decrypt(&mut self.devices[side], bytes)?;
        assert_eq!(*read.plaintext, *TEXT);
        if read.used_pre_key.is_some() {
            let _ = self.devices[side].maintain(0, &mut self.rng);
        }
        Ok(())
    }

    fn reload(&mut self) {
        for device in &mut self.devices {
            *device = Device::from_bytes(&device.to_bytes()).expect("it was written here");
        }
        for sessions in &mut self.sessions {
            *sessions = Sessions::from_bytes(&sessions.to_bytes()).expect("it was written here");
        }
    }
}

/// Applies edits of three bytes: where, what to do, with which byte.
fn edited(bytes: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for edit in edits.chunks_exact(3).take(16) {
        let at = usize::from(edit[0]).min(bytes.len().saturating_sub(1));
        match edit[1] & 3 {
            0 | 1 if at < bytes.len() => bytes[at] = edit[2],
            2 if at < bytes.len() => drop(bytes.remove(at)),
            _ => bytes.insert(at, edit[2]),
        }
    }
    bytes
}

/// As long as the key material of a payload.
const TEXT: &[u8] = b"forty-eight bytes as in the key of some payload!";
