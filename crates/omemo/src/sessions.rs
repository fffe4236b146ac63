//! All sessions with one device of a peer, in one version of OMEMO.

use std::collections::VecDeque;
use std::fmt;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::bundle::Bundle;
use crate::device::Device;
use crate::error::{DecryptionError, EncryptionError, InitiationError};
use crate::identity::IdentityKey;
use crate::ratchet::MAX_FORWARD_JUMP;
use crate::session::{KeyMessage, Session};
use crate::state::{Reader, StateError, Writer};
use crate::version::Version;
use crate::wire::{self, Element, KeyExchange, Message};

/// Sessions that are kept behind the current one, for messages that are late.
pub const MAX_ARCHIVED_SESSIONS: usize = 40;

/// The sessions with one device of a peer, in one version of OMEMO: the current one, with which
/// is encrypted, and up to [`MAX_ARCHIVED_SESSIONS`] earlier ones that can still decrypt.
///
/// A new key exchange, ours or the peer's, makes the session it opens the current one. So does an
/// authentic message in an archived session: when both sides opened one at the same time, this is
/// how they come to use the same (Sesame §3.4).
///
/// Every change of the value has to reach the disk before its result is used; [`Encrypted`] and
/// [`Decrypted`] say what exactly. Only one task of one process may own a value at a time: nothing
/// here notices that two have gone on from the same state.
#[derive(Clone, Debug)]
pub struct Sessions {
    version: Version,
    generation: u64,
    /// The newest first: the current one, then the archive.
    sessions: VecDeque<Session>,
}

/// A message for one device, and the state that must be stored before the message is sent.
///
/// If the message went out first and the state were lost, the next message would be encrypted
/// with the same key.
#[must_use = "the state has to be stored, then the message has to be sent"]
pub struct Encrypted {
    /// [`Sessions::to_bytes`] after the encryption.
    pub state: Zeroizing<Vec<u8>>,
    /// To be sent once the state is stored, or never.
    pub message: KeyMessage,
}

/// What was in a `<key/>`.
///
/// Store the plaintext (or what it gave), [`Decrypted::state`] and, where
/// [`Decrypted::used_pre_key`] is set, the device in one transaction: the message cannot be
/// decrypted a second time.
#[must_use = "the plaintext has to be stored together with the state"]
pub struct Decrypted {
    /// What the peer encrypted: the key material of the payload.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// [`Sessions::to_bytes`] after the decryption.
    pub state: Zeroizing<Vec<u8>>,
    /// Who wrote it. In the legacy version the sign of the Ed25519 form is not known and 0.
    pub identity: IdentityKey,
    /// The message opened a session. Answer with an empty message, so that the peer stops
    /// repeating the key exchange; but not to strangers, to whom it would give away presence.
    pub new_session: bool,
    /// The prekey that was used up. Store the device, [`maintain`](Device::maintain) it and
    /// publish its bundles.
    pub used_pre_key: Option<u32>,
    /// Answer with an empty message: see [`Sessions::needs_heartbeat`].
    pub needs_heartbeat: bool,
}

impl fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decrypted")
            .field("identity", &self.identity)
            .field("new_session", &self.new_session)
            .field("used_pre_key", &self.used_pre_key)
            .field("needs_heartbeat", &self.needs_heartbeat)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encrypted").field("message", &self.message).finish_non_exhaustive()
    }
}

/// Steps of chains that are computed for one message of which the session is not known, in all
/// sessions together. A message of a chain's beginning is tried in all of them.
const MAX_CHAIN_STEPS: u32 = 4 * (MAX_FORWARD_JUMP + 1);

impl Sessions {
    /// No session yet with a device.
    pub fn new(version: Version) -> Self {
        Self { version, generation: 0, sessions: VecDeque::new() }
    }

    /// Which OMEMO they are for.
    pub fn version(&self) -> Version {
        self.version
    }

    /// How often the value has changed; of two states of it the higher one is the later.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether there is a session to encrypt with.
    pub fn is_open(&self) -> bool {
        !self.sessions.is_empty()
    }

    /// Whether the peer is known to have the current session. Until then each message is a key
    /// exchange.
    pub fn is_confirmed(&self) -> bool {
        self.sessions.front().is_some_and(Session::is_confirmed)
    }

    /// The identity key of the device, once there is a session.
    pub fn identity(&self) -> Option<&IdentityKey> {
        self.sessions.front().map(Session::theirs)
    }

    /// Whether the peer has sent so much without an answer that it must get one: an empty message
    /// (XEP-0384, "Business Rules": a counter of 53 or higher). True until something is encrypted.
    pub fn needs_heartbeat(&self) -> bool {
        self.sessions.front().is_some_and(Session::needs_heartbeat)
    }

    /// Opens a session with the keys of a bundle, and archives the current one. Do it just before
    /// something is encrypted: each use of a prekey that nobody hears of may collide with
    /// another's.
    ///
    /// # Errors
    ///
    /// The bundle is for the other version, has another identity key than the sessions so far or
    /// no usable prekey. Nothing has changed then.
    pub fn initiate<R: CryptoRng + ?Sized>(
        &mut self,
        device: &Device,
        bundle: &Bundle,
        rng: &mut R,
    ) -> Result<(), InitiationError> {
        if bundle.version() != self.version {
            return Err(InitiationError::Version);
        }
        if self.identity().is_some_and(|known| known != bundle.identity()) {
            return Err(InitiationError::IdentityChanged);
        }
        self.push(Session::initiate(device, bundle, rng)?);
        self.generation += 1;
        Ok(())
    }

    /// Encrypts the key material of a payload ([`crate::payload`]) with the current session.
    ///
    /// # Errors
    ///
    /// There is no session, or it is used up. Nothing has changed then.
    pub fn encrypt<R: CryptoRng + ?Sized>(
        &mut self,
        plaintext: &[u8],
        rng: &mut R,
    ) -> Result<Encrypted, EncryptionError> {
        let session = self.sessions.front_mut().ok_or(EncryptionError::NoSession)?;
        let message = session.encrypt(plaintext, rng)?;
        self.generation += 1;
        Ok(Encrypted { state: self.to_bytes(), message })
    }

    /// Decrypts the content of a `<key/>` that the device sent to ours. Whether it is a key
    /// exchange is seen from the bytes, not from the attribute, on which senders disagree.
    ///
    /// # Errors
    ///
    /// See [`DecryptionError`]. Neither the sessions nor the device have changed then.
    pub fn decrypt(
        &mut self,
        device: &mut Device,
        bytes: &[u8],
    ) -> Result<Decrypted, DecryptionError> {
        match wire::parse(self.version, bytes)? {
            Element::Message(message) => self.decrypt_message(&message),
            Element::KeyExchange(exchange) => self.decrypt_key_exchange(device, &exchange),
        }
    }

    fn decrypt_message(&mut self, message: &Message<'_>) -> Result<Decrypted, DecryptionError> {
        // The session that has seen the ratchet key is the right one; otherwise each may be.
        let ratchet_key = &message.header.ratchet_key;
        let known = self.sessions.iter().position(|session| session.knows_ratchet_key(ratchet_key));
        if let Some(position) = known {
            return self.decrypt_with(position, message);
        }
        let mut failure = DecryptionError::NoSession;
        let mut budget = MAX_CHAIN_STEPS;
        for position in 0..self.sessions.len() {
            let begins = self.sessions.get(position).is_some_and(Session::may_begin_a_chain);
            let steps = if begins { message.header.counter.saturating_add(1) } else { 0 };
            let Some(left) = budget.checked_sub(steps) else { continue };
            budget = left;
            match self.decrypt_with(position, message) {
                Err(error) if position == 0 || error == DecryptionError::Expired => failure = error,
                Err(_) => {}
                decrypted => return decrypted,
            }
        }
        Err(failure)
    }

    fn decrypt_with(
        &mut self,
        position: usize,
        message: &Message<'_>,
    ) -> Result<Decrypted, DecryptionError> {
        let session = self.sessions.get_mut(position).ok_or(DecryptionError::NoSession)?;
        let opened = session.open(message)?;
        let plaintext = session.commit(opened);
        if let Some(session) = self.sessions.remove(position) {
            self.sessions.push_front(session);
        }
        self.decrypted(plaintext)
    }

    fn decrypt_key_exchange(
        &mut self,
        device: &mut Device,
        exchange: &KeyExchange<'_>,
    ) -> Result<Decrypted, DecryptionError> {
        let theirs = wire::parse_identity_key(self.version, exchange.identity_key)?;
        if self.identity().is_some_and(|known| *known != theirs) {
            return Err(DecryptionError::IdentityChanged);
        }
        // XEP-0384, "Double Ratchet": a key exchange is repeated until it is answered.
        let known = |session: &Session| session.was_opened_by(&exchange.base_key);
        if let Some(position) = self.sessions.iter().position(known) {
            return self.decrypt_with(position, &exchange.message);
        }
        // XEP-0384, "Key Exchange": one without a prekey must be rejected.
        let pre_key_id = exchange.pre_key_id.ok_or(DecryptionError::NoPreKey)?;
        let mut session = Session::accept(self.version, device, &theirs, pre_key_id, exchange)?;
        let opened = session.open(&exchange.message)?;
        let plaintext = session.commit(opened);
        self.push(session);
        let used_pre_key = device.use_pre_key(pre_key_id).then_some(pre_key_id);
        Ok(Decrypted { new_session: true, used_pre_key, ..self.decrypted(plaintext)? })
    }

    fn decrypted(&mut self, plaintext: Zeroizing<Vec<u8>>) -> Result<Decrypted, DecryptionError> {
        self.generation += 1;
        let identity = *self.identity().ok_or(DecryptionError::NoSession)?;
        Ok(Decrypted {
            plaintext,
            state: self.to_bytes(),
            identity,
            new_session: false,
            used_pre_key: None,
            needs_heartbeat: self.needs_heartbeat(),
        })
    }

    fn push(&mut self, session: Session) {
        self.sessions.push_front(session);
        self.sessions.truncate(1 + MAX_ARCHIVED_SESSIONS);
    }

    /// Everything, private keys included, for storage that encrypts.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Writer::new();
        out.byte(self.version.to_byte());
        out.u64(self.generation);
        out.len(self.sessions.len());
        self.sessions.iter().for_each(|session| session.write(&mut out));
        out.finish()
    }

    /// Reads what [`Sessions::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// The bytes are damaged or from a later version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        let mut from = Reader::new(bytes)?;
        let version = Version::from_byte(from.byte()?).ok_or(StateError::Value)?;
        let generation = from.u64()?;
        let sessions = (0..from.len(1 + MAX_ARCHIVED_SESSIONS)?)
            .map(|_| Session::read(version, &mut from))
            .collect::<Result<_, StateError>>()?;
        from.finish()?;
        Ok(Self { version, generation, sessions })
    }
}
