//! Two and three devices with one another, through the public interface, in both versions.

mod bundles;
mod messages;
mod order;

use omemo::{Bundle, DecryptionError, Device, DeviceId, Sessions, Version};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const NOW_MS: u64 = 1_800_000_000_000;

/// Romeo's and Juliet's devices and what each has of the other.
struct Pair {
    version: Version,
    rng: ChaCha20Rng,
    romeo: Device,
    juliet: Device,
    to_juliet: Sessions,
    to_romeo: Sessions,
}

impl Pair {
    /// Romeo has opened a session; Juliet does not know yet.
    fn new(version: Version) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(version as u64);
        let [romeo, juliet] = [1, 2].map(|id| device(id, &mut rng));
        let mut pair = Self {
            version,
            rng,
            romeo,
            juliet,
            to_juliet: Sessions::new(version),
            to_romeo: Sessions::new(version),
        };
        pair.romeo_initiates();
        pair
    }

    /// Both have written in the session.
    fn confirmed(version: Version) -> Self {
        let mut pair = Self::new(version);
        let message = pair.romeo_writes(b"romeo");
        assert_eq!(pair.juliet_reads(&message).unwrap(), b"romeo");
        let message = pair.juliet_writes(b"juliet");
        assert_eq!(pair.romeo_reads(&message).unwrap(), b"juliet");
        pair
    }

    fn romeo_initiates(&mut self) {
        let bundle = bundle(&self.juliet, self.version);
        self.to_juliet.initiate(&self.romeo, &bundle, &mut self.rng).unwrap();
    }

    fn romeo_writes(&mut self, text: &[u8]) -> Vec<u8> {
        self.to_juliet.encrypt(text, &mut self.rng).unwrap().message.bytes
    }

    fn juliet_writes(&mut self, text: &[u8]) -> Vec<u8> {
        self.to_romeo.encrypt(text, &mut self.rng).unwrap().message.bytes
    }

    fn juliet_reads(&mut self, bytes: &[u8]) -> Result<Vec<u8>, DecryptionError> {
        self.to_romeo.decrypt(&mut self.juliet, bytes).map(|read| read.plaintext.to_vec())
    }

    fn romeo_reads(&mut self, bytes: &[u8]) -> Result<Vec<u8>, DecryptionError> {
        self.to_juliet.decrypt(&mut self.romeo, bytes).map(|read| read.plaintext.to_vec())
    }
}

fn device(id: u32, rng: &mut ChaCha20Rng) -> Device {
    Device::generate(DeviceId::new(id).unwrap(), NOW_MS, rng)
}

fn bundle(device: &Device, version: Version) -> Bundle {
    Bundle::verify(version, device.bundle(version)).unwrap()
}
