//! Our own device: its identity and its prekeys, for both versions of OMEMO.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::bundle::BundleParts;
use crate::curve::SecretKey;
use crate::error::DecryptionError;
use crate::identity::{IdentityKey, IdentityKeyPair};
use crate::state::{Reader, StateError, Writer};
use crate::version::Version;

/// Prekeys that the bundle holds after [`Device::maintain`].
pub const PRE_KEYS: usize = 100;

/// How old a signed prekey gets: one week. [`MAX_OLD_SIGNED_PRE_KEYS`] before it are kept.
pub const SIGNED_PRE_KEY_PERIOD_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// Signed prekeys that are kept behind the current one: three, so that a clock that jumps forth and
/// back does not take away one that was published minutes ago.
pub const MAX_OLD_SIGNED_PRE_KEYS: usize = 3;

/// Used prekeys that are kept until [`Device::forget_used_pre_keys`]; the oldest go first.
pub const MAX_USED_PRE_KEYS: usize = 1000;

/// The id of a device, 1 to 2^31 - 1, unique within an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(u32);

impl DeviceId {
    /// The largest id.
    pub const MAX: Self = Self(i32::MAX as u32);

    /// `None` if the number is out of range.
    pub fn new(id: u32) -> Option<Self> {
        (1..=Self::MAX.0).contains(&id).then_some(Self(id))
    }

    /// Draws an id. Before it is published, check that the account has no such device yet.
    pub fn random<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        // Off by 2^-31 from uniform, and never 0.
        Self(rng.next_u32() % Self::MAX.0 + 1)
    }

    /// The number.
    pub fn to_u32(self) -> u32 {
        self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Our own device.
///
/// One identity key serves both versions, and so do the prekeys: whoever uses one in either
/// version uses it up for both. The device changes when it is maintained, when a key exchange
/// uses a prekey and when used prekeys are forgotten; store it each time
/// ([`Device::to_bytes`]), and publish both bundles anew.
pub struct Device {
    id: DeviceId,
    identity: IdentityKeyPair,
    signed_pre_key: SignedPreKey,
    /// The newest first.
    old_signed_pre_keys: VecDeque<SignedPreKey>,
    /// In the bundle.
    pre_keys: BTreeMap<u32, SecretKey>,
    /// No longer in the bundle, still accepted.
    used_pre_keys: BTreeMap<u32, SecretKey>,
    next_pre_key_id: u32,
}

#[derive(Clone)]
struct SignedPreKey {
    id: u32,
    key: SecretKey,
    created_ms: u64,
}

/// What [`Device::maintain`] changed. Anything means: store the device, publish the bundles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Changes {
    /// There is a new signed prekey.
    pub signed_pre_key: bool,
    /// So many prekeys were added.
    pub pre_keys: usize,
}

impl Changes {
    /// Whether there was any.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }
}

impl Device {
    /// A new device with a new identity, at `now_ms` (milliseconds since 1970).
    pub fn generate<R: CryptoRng + ?Sized>(id: DeviceId, now_ms: u64, rng: &mut R) -> Self {
        let mut device = Self {
            id,
            identity: IdentityKeyPair::generate(rng),
            signed_pre_key: SignedPreKey { id: 1, key: SecretKey::random(rng), created_ms: now_ms },
            old_signed_pre_keys: VecDeque::new(),
            pre_keys: BTreeMap::new(),
            used_pre_keys: BTreeMap::new(),
            next_pre_key_id: 1,
        };
        device.refill(rng);
        device
    }

    /// Its id.
    pub fn id(&self) -> DeviceId {
        self.id
    }

    /// Its public identity key.
    pub fn identity(&self) -> &IdentityKey {
        self.identity.public()
    }

    /// Its identity key pair, which signs the label.
    pub fn identity_key_pair(&self) -> &IdentityKeyPair {
        &self.identity
    }

    /// What to publish for `version`.
    pub fn bundle(&self, version: Version) -> BundleParts {
        let encode = |key: &SecretKey| match version {
            Version::Legacy => key.public_key().to_prefixed_bytes().to_vec(),
            Version::Omemo2 => key.public_key().as_bytes().to_vec(),
        };
        let signed_pre_key = encode(&self.signed_pre_key.key);
        let identity_key = match version {
            Version::Legacy => self.identity().curve25519().to_prefixed_bytes().to_vec(),
            Version::Omemo2 => self.identity().as_ed25519().to_vec(),
        };
        BundleParts {
            identity_key,
            signed_pre_key_id: self.signed_pre_key.id,
            signature: self.identity.sign(&signed_pre_key).to_vec(),
            signed_pre_key,
            pre_keys: self.pre_keys.iter().map(|(id, key)| (*id, encode(key))).collect(),
        }
    }

    /// Rotates the signed prekey when it is a week old and fills the prekeys up to [`PRE_KEYS`].
    ///
    /// Call it after each key exchange, and now and then, at least daily.
    pub fn maintain<R: CryptoRng + ?Sized>(&mut self, now_ms: u64, rng: &mut R) -> Changes {
        Changes { signed_pre_key: self.rotate(now_ms, rng), pre_keys: self.refill(rng) }
    }

    fn rotate<R: CryptoRng + ?Sized>(&mut self, now_ms: u64, rng: &mut R) -> bool {
        // A clock that was wrong, in either direction, must not stop the rotation for years.
        if self.signed_pre_key.created_ms.abs_diff(now_ms) < SIGNED_PRE_KEY_PERIOD_MS {
            return false;
        }
        let new = SignedPreKey {
            id: next_id(self.signed_pre_key.id),
            key: SecretKey::random(rng),
            created_ms: now_ms,
        };
        self.old_signed_pre_keys.push_front(std::mem::replace(&mut self.signed_pre_key, new));
        self.old_signed_pre_keys.truncate(MAX_OLD_SIGNED_PRE_KEYS);
        true
    }

    /// Fills the prekeys up to [`PRE_KEYS`] and leaves the signed one as it is: for callers who know
    /// that the clock cannot be relied on. Says how many were added.
    pub fn refill<R: CryptoRng + ?Sized>(&mut self, rng: &mut R) -> usize {
        let missing = PRE_KEYS.saturating_sub(self.pre_keys.len());
        for _ in 0..missing {
            self.pre_keys.insert(self.next_pre_key_id, SecretKey::random(rng));
            self.next_pre_key_id = next_id(self.next_pre_key_id);
        }
        missing
    }

    /// Deletes the private keys of the prekeys that were used.
    ///
    /// Call it after a key exchange that arrived live; while catching up with an archive wait for
    /// the end, because two senders may have taken the same prekey (XEP-0384, "Business Rules").
    /// Says whether there were any; then store the device.
    pub fn forget_used_pre_keys(&mut self) -> bool {
        !std::mem::take(&mut self.used_pre_keys).is_empty()
    }

    pub(crate) fn identity_secret(&self) -> SecretKey {
        self.identity.secret_key()
    }

    pub(crate) fn signed_pre_key(&self, id: u32) -> Result<&SecretKey, DecryptionError> {
        std::iter::once(&self.signed_pre_key)
            .chain(&self.old_signed_pre_keys)
            .find(|key| key.id == id)
            .map(|key| &key.key)
            .ok_or(DecryptionError::UnknownSignedPreKey { id })
    }

    pub(crate) fn pre_key(&self, id: u32) -> Result<&SecretKey, DecryptionError> {
        let key = self.pre_keys.get(&id).or_else(|| self.used_pre_keys.get(&id));
        key.ok_or(if (1..self.next_pre_key_id).contains(&id) {
            DecryptionError::UsedPreKey { id }
        } else {
            DecryptionError::UnknownPreKey { id }
        })
    }

    /// Takes a prekey out of the bundle; says whether it still was in there.
    pub(crate) fn use_pre_key(&mut self, id: u32) -> bool {
        let Some(key) = self.pre_keys.remove(&id) else { return false };
        self.used_pre_keys.insert(id, key);
        if self.used_pre_keys.len() > MAX_USED_PRE_KEYS {
            self.used_pre_keys.pop_first();
        }
        true
    }

    /// Everything, private keys included, for storage that encrypts.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Writer::new();
        out.u32(self.id.0);
        out.bytes(self.identity.seed());
        self.signed_pre_key.write(&mut out);
        out.byte(u8::try_from(self.old_signed_pre_keys.len()).unwrap_or(0));
        self.old_signed_pre_keys.iter().for_each(|key| key.write(&mut out));
        for pre_keys in [&self.pre_keys, &self.used_pre_keys] {
            out.len(pre_keys.len());
            for (id, key) in pre_keys {
                out.u32(*id);
                out.secret_key(key);
            }
        }
        out.u32(self.next_pre_key_id);
        out.finish()
    }

    /// Reads what [`Device::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// The bytes are damaged or from a later version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        let mut from = Reader::new(bytes)?;
        let device = Self {
            id: DeviceId::new(from.u32()?).ok_or(StateError::Value)?,
            identity: IdentityKeyPair::from_seed(&from.secret()?).ok_or(StateError::Value)?,
            signed_pre_key: SignedPreKey::read(&mut from)?,
            old_signed_pre_keys: match usize::from(from.byte()?) {
                count @ 0..=MAX_OLD_SIGNED_PRE_KEYS => {
                    (0..count).map(|_| SignedPreKey::read(&mut from)).collect::<Result<_, _>>()?
                }
                _ => return Err(StateError::Value),
            },
            pre_keys: read_pre_keys(&mut from, PRE_KEYS)?,
            used_pre_keys: read_pre_keys(&mut from, MAX_USED_PRE_KEYS)?,
            next_pre_key_id: from.u32()?,
        };
        from.finish()?;
        Ok(device)
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device")
            .field("id", &self.id)
            .field("identity", self.identity())
            .finish_non_exhaustive()
    }
}

impl SignedPreKey {
    fn write(&self, out: &mut Writer) {
        out.u32(self.id);
        out.secret_key(&self.key);
        out.u64(self.created_ms);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, StateError> {
        Ok(Self { id: from.u32()?, key: from.secret_key()?, created_ms: from.u64()? })
    }
}

fn read_pre_keys(
    from: &mut Reader<'_>,
    max: usize,
) -> Result<BTreeMap<u32, SecretKey>, StateError> {
    (0..from.len(max)?).map(|_| Ok((from.u32()?, from.secret_key()?))).collect()
}

/// Counts from 1 and stays below 2^24 - 1, the limit of libsignal.
fn next_id(id: u32) -> u32 {
    if id < 0xff_fffe { id + 1 } else { 1 }
}
