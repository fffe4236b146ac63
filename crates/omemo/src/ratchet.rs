//! The Double Ratchet, with the symbols of its specification in the comments.
//!
//! Receiving is split: [`DoubleRatchet::receive`] looks and computes, and only when the message
//! has proven to be authentic [`DoubleRatchet::commit`] changes anything. So a forged message
//! costs no state, and there is no copy of the state to make.

use std::collections::VecDeque;

use rand_core::CryptoRng;

use crate::chain_key::ChainKey;
use crate::curve::{KeyError, PublicKey, SecretKey, SharedSecret};
use crate::error::{DecryptionError, EncryptionError};
use crate::message_key::MessageKey;
use crate::root_key::RootKey;
use crate::state::{Reader, StateError, Writer};
use crate::version::Version;
use crate::wire::Header;

/// How far a message may be ahead of the last one of its chain (XEP-0384, `MAX_SKIP`). Checked
/// before anything is computed.
pub const MAX_FORWARD_JUMP: u32 = 1000;

/// Skipped message keys that a session keeps; the oldest go first (XEP-0384, `MAX_SKIP`).
pub const MAX_SKIPPED_KEYS: usize = 1000;

/// Receiving chains that a session keeps: the current one, and four before it for messages that
/// are late.
///
/// The chains are kept instead of filling up the skipped keys from `PN` when a new one begins:
/// libsignal and what descends from it counts `PN` one too low.
pub const MAX_RECEIVING_CHAINS: usize = 5;

/// From this counter on a chain of the peer has to be answered (XEP-0384, "Business Rules").
pub const HEARTBEAT_COUNTER: u32 = 53;

/// Ratchet keys whose chains are gone that are still recognised, and whose skipped keys are kept.
const MAX_EXPIRED_CHAINS: usize = 40;

/// One Double Ratchet. Which of the two parties it belongs to matters only at the start.
#[derive(Clone, Debug)]
pub(crate) struct DoubleRatchet {
    version: Version,
    /// `RK`
    root: RootKey,
    sending: Sending,
    /// `CKr` and its predecessors, the newest last.
    receiving: VecDeque<ReceivingChain>,
    /// `MKSKIPPED`, the oldest first.
    skipped: VecDeque<SkippedKey>,
    /// The beginnings of the ratchet keys of chains that are gone, the oldest first.
    expired: VecDeque<[u8; 8]>,
}

/// Our half of the ratchet.
#[derive(Clone, Debug)]
enum Sending {
    /// The responder before the first message: its signed prekey stands in for `DHs`.
    Opening { ratchet_key: SecretKey },
    /// `DHs`, `CKs` and `PN`.
    Active { ratchet_key: SecretKey, chain: ChainKey, previous_counter: u32 },
    /// The peer has a new ratchet key (`DHr`), and we have not written since. `DHs` is drawn when
    /// we do, so that it exists no longer than it has to.
    Due { their_ratchet_key: PublicKey, previous_counter: u32 },
}

#[derive(Clone, Debug)]
struct ReceivingChain {
    ratchet_key: [u8; 32],
    chain: ChainKey,
    /// Something was sent after [`HEARTBEAT_COUNTER`] was reached.
    answered: bool,
    /// Skipped keys before this counter made room for others: what they were for may be new.
    forgotten: u32,
}

#[derive(Clone, Debug)]
struct SkippedKey {
    ratchet_key: [u8; 32],
    counter: u32,
    key: MessageKey,
}

/// What a received message would change.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) message_key: MessageKey,
    change: Change,
}

#[derive(Debug)]
enum Change {
    /// A key that had been skipped is used up.
    UseSkipped { position: usize },
    /// A known chain moves on.
    Advance { position: usize, chain: ChainKey, skipped: Vec<SkippedKey> },
    /// A new chain begins.
    Ratchet { root: RootKey, ratchet_key: PublicKey, chain: ChainKey, skipped: Vec<SkippedKey> },
}

impl DoubleRatchet {
    /// The party that opened the session (`RatchetInitAlice`): `their_ratchet_key` is the signed
    /// prekey of the peer.
    pub(crate) fn initiate<R: CryptoRng + ?Sized>(
        version: Version,
        root: &RootKey,
        their_ratchet_key: &PublicKey,
        rng: &mut R,
    ) -> Result<Self, KeyError> {
        let ratchet_key = SecretKey::random(rng);
        let (root, chain) = root.advance(version, &ratchet_key.agree(their_ratchet_key)?);
        let sending = Sending::Active { ratchet_key, chain, previous_counter: 0 };
        Ok(Self::new(version, root, sending))
    }

    /// The party that was written to (`RatchetInitBob`): `ratchet_key` is its signed prekey.
    pub(crate) fn accept(version: Version, root: RootKey, ratchet_key: SecretKey) -> Self {
        Self::new(version, root, Sending::Opening { ratchet_key })
    }

    fn new(version: Version, root: RootKey, sending: Sending) -> Self {
        Self {
            version,
            root,
            sending,
            receiving: VecDeque::new(),
            skipped: VecDeque::new(),
            expired: VecDeque::new(),
        }
    }

    /// The header and the key of the next message (`RatchetEncrypt`). The ratchet has moved on;
    /// that must be stored before the message goes out.
    pub(crate) fn send<R: CryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
    ) -> Result<(Header, MessageKey), EncryptionError> {
        let (root, ratchet_key, chain, previous_counter) = match &self.sending {
            Sending::Opening { .. } => return Err(EncryptionError::NoSession),
            Sending::Active { ratchet_key, chain, previous_counter } => {
                (None, ratchet_key.clone(), chain.clone(), *previous_counter)
            }
            Sending::Due { their_ratchet_key, previous_counter } => {
                let ratchet_key = SecretKey::random(rng);
                let shared = ratchet_key.agree(their_ratchet_key)?;
                let (root, chain) = self.root.advance(self.version, &shared);
                (Some(root), ratchet_key, chain, *previous_counter)
            }
        };
        let counter = chain.index();
        let (message_key, chain) = chain.step().ok_or(EncryptionError::Exhausted)?;
        let ratchet_public = *ratchet_key.public_key().as_bytes();
        let header = Header { ratchet_key: ratchet_public, counter, previous_counter };
        self.root = root.unwrap_or_else(|| self.root.clone());
        self.sending = Sending::Active { ratchet_key, chain, previous_counter };
        if self.needs_heartbeat()
            && let Some(newest) = self.receiving.back_mut()
        {
            newest.answered = true;
        }
        Ok((header, message_key))
    }

    /// The key of a received message and what it would change (`RatchetDecrypt`).
    pub(crate) fn receive(&self, header: &Header) -> Result<Step, DecryptionError> {
        if let Some(step) = self.skipped_step(header) {
            return Ok(step);
        }
        let known = self.receiving.iter().enumerate();
        let known = known.rev().find(|(_, chain)| chain.ratchet_key == header.ratchet_key);
        if let Some((position, receiving)) = known {
            if header.counter < receiving.forgotten {
                return Err(DecryptionError::Expired);
            }
            let (message_key, chain, skipped) = advance(&receiving.chain, header)?;
            return Ok(Step { message_key, change: Change::Advance { position, chain, skipped } });
        }
        if self.expired.iter().any(|key| header.ratchet_key.starts_with(key)) {
            return Err(DecryptionError::Expired);
        }
        self.ratchet_step(header)
    }

    fn skipped_step(&self, header: &Header) -> Option<Step> {
        let position = self.skipped.iter().position(|skipped| {
            skipped.counter == header.counter && skipped.ratchet_key == header.ratchet_key
        })?;
        let message_key = self.skipped.get(position)?.key.clone();
        Some(Step { message_key, change: Change::UseSkipped { position } })
    }

    /// `DHRatchet`, its first half: the second waits until we write.
    fn ratchet_step(&self, header: &Header) -> Result<Step, DecryptionError> {
        if header.counter > MAX_FORWARD_JUMP {
            return Err(DecryptionError::TooFarAhead { jump: header.counter });
        }
        let ours = match &self.sending {
            Sending::Opening { ratchet_key } | Sending::Active { ratchet_key, .. } => ratchet_key,
            // The peer cannot have a new key: it has not seen one of ours since its last.
            Sending::Due { .. } => return Err(DecryptionError::BadMac),
        };
        let ratchet_key = PublicKey::from_bytes(&header.ratchet_key)?;
        let shared: SharedSecret = ours.agree(&ratchet_key)?;
        let (root, chain) = self.root.advance(self.version, &shared);
        let (message_key, chain, skipped) = advance(&chain, header)?;
        let change = Change::Ratchet { root, ratchet_key, chain, skipped };
        Ok(Step { message_key, change })
    }

    /// Makes the change, after the message has been authenticated.
    pub(crate) fn commit(&mut self, step: Step) {
        match step.change {
            Change::UseSkipped { position } => {
                self.skipped.remove(position);
            }
            Change::Advance { position, chain, skipped } => {
                if let Some(receiving) = self.receiving.get_mut(position) {
                    receiving.chain = chain;
                }
                self.keep_skipped(skipped);
            }
            Change::Ratchet { root, ratchet_key, chain, skipped } => {
                let previous_counter = match &self.sending {
                    Sending::Opening { .. } => 0,
                    Sending::Active { chain, .. } => chain.index(),
                    Sending::Due { previous_counter, .. } => *previous_counter,
                };
                self.root = root;
                self.sending = Sending::Due { their_ratchet_key: ratchet_key, previous_counter };
                let ratchet_key = *ratchet_key.as_bytes();
                let (answered, forgotten) = (false, 0);
                self.receiving.push_back(ReceivingChain {
                    ratchet_key,
                    chain,
                    answered,
                    forgotten,
                });
                self.expire_chains();
                self.keep_skipped(skipped);
            }
        }
    }

    /// Skipped keys outlive their chain, until even its ratchet key is no longer recognised: they
    /// are not kept forever (XEP-0384, "deletion policy for skipped message keys").
    fn expire_chains(&mut self) {
        while self.receiving.len() > MAX_RECEIVING_CHAINS
            && let Some(oldest) = self.receiving.pop_front()
        {
            self.expired.extend(oldest.ratchet_key.first_chunk::<8>());
        }
        while self.expired.len() > MAX_EXPIRED_CHAINS
            && let Some(forgotten) = self.expired.pop_front()
        {
            self.skipped.retain(|skipped| !skipped.ratchet_key.starts_with(&forgotten));
        }
    }

    fn keep_skipped(&mut self, skipped: Vec<SkippedKey>) {
        self.skipped.extend(skipped);
        while self.skipped.len() > MAX_SKIPPED_KEYS
            && let Some(oldest) = self.skipped.pop_front()
        {
            let mut chains = self.receiving.iter_mut();
            if let Some(chain) = chains.find(|chain| chain.ratchet_key == oldest.ratchet_key) {
                chain.forgotten = chain.forgotten.max(oldest.counter.saturating_add(1));
            }
        }
    }

    /// What an earlier format did not say: whether keys made room, and up to which.
    fn assume_forgotten(&mut self) {
        if self.skipped.len() < MAX_SKIPPED_KEYS {
            return;
        }
        for chain in &mut self.receiving {
            let kept = self.skipped.iter().filter(|key| key.ratchet_key == chain.ratchet_key);
            chain.forgotten = kept.map(|key| key.counter).min().unwrap_or(chain.chain.index());
        }
    }

    /// Whether the ratchet key belongs to a chain that is or was received.
    pub(crate) fn knows(&self, ratchet_key: &[u8; 32]) -> bool {
        self.receiving.iter().any(|chain| chain.ratchet_key == *ratchet_key)
            || self.skipped.iter().any(|skipped| skipped.ratchet_key == *ratchet_key)
    }

    /// Whether the peer can have a ratchet key that is not known.
    pub(crate) fn may_begin_a_chain(&self) -> bool {
        !matches!(self.sending, Sending::Due { .. })
    }

    /// Whether the peer has sent so much under one ratchet key that it must be answered.
    pub(crate) fn needs_heartbeat(&self) -> bool {
        let newest = self.receiving.back();
        newest.is_some_and(|newest| !newest.answered && newest.chain.index() > HEARTBEAT_COUNTER)
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        out.bytes(self.root.as_bytes());
        match &self.sending {
            Sending::Opening { ratchet_key } => {
                out.byte(0);
                out.secret_key(ratchet_key);
            }
            Sending::Active { ratchet_key, chain, previous_counter } => {
                out.byte(1);
                out.secret_key(ratchet_key);
                write_chain(chain, out);
                out.u32(*previous_counter);
            }
            Sending::Due { their_ratchet_key, previous_counter } => {
                out.byte(2);
                out.public_key(their_ratchet_key);
                out.u32(*previous_counter);
            }
        }
        out.len(self.receiving.len());
        for receiving in &self.receiving {
            out.bytes(&receiving.ratchet_key);
            write_chain(&receiving.chain, out);
            out.flag(receiving.answered);
            out.u32(receiving.forgotten);
        }
        out.len(self.skipped.len());
        for skipped in &self.skipped {
            out.bytes(&skipped.ratchet_key);
            out.u32(skipped.counter);
            out.bytes(skipped.key.as_bytes());
        }
        out.len(self.expired.len());
        self.expired.iter().for_each(|key| out.bytes(key));
    }

    pub(crate) fn read(version: Version, from: &mut Reader<'_>) -> Result<Self, StateError> {
        let root = RootKey::new(from.secret()?);
        let sending = match from.byte()? {
            0 => Sending::Opening { ratchet_key: from.secret_key()? },
            1 => Sending::Active {
                ratchet_key: from.secret_key()?,
                chain: read_chain(from)?,
                previous_counter: from.u32()?,
            },
            2 => Sending::Due {
                their_ratchet_key: from.public_key()?,
                previous_counter: from.u32()?,
            },
            _ => return Err(StateError::Value),
        };
        let receiving = (0..from.len(MAX_RECEIVING_CHAINS)?).map(|_| {
            Ok(ReceivingChain {
                ratchet_key: from.bytes()?,
                chain: read_chain(from)?,
                answered: from.flag()?,
                forgotten: if from.format() < 2 { 0 } else { from.u32()? },
            })
        });
        let receiving = receiving.collect::<Result<_, StateError>>()?;
        let skipped = (0..from.len(MAX_SKIPPED_KEYS)?).map(|_| {
            let (ratchet_key, counter) = (from.bytes()?, from.u32()?);
            Ok(SkippedKey { ratchet_key, counter, key: MessageKey::new(from.secret()?) })
        });
        let skipped = skipped.collect::<Result<_, StateError>>()?;
        let expired = (0..from.len(MAX_EXPIRED_CHAINS)?).map(|_| from.bytes());
        let expired = expired.collect::<Result<_, StateError>>()?;
        let mut ratchet = Self { version, root, sending, receiving, skipped, expired };
        if from.format() < 2 {
            ratchet.assume_forgotten();
        }
        Ok(ratchet)
    }
}

/// Moves a chain to the message of `header`: its key, the chain after it, the keys in between.
fn advance(
    chain: &ChainKey,
    header: &Header,
) -> Result<(MessageKey, ChainKey, Vec<SkippedKey>), DecryptionError> {
    let jump = header.counter.checked_sub(chain.index()).ok_or(DecryptionError::Duplicate)?;
    if jump > MAX_FORWARD_JUMP {
        return Err(DecryptionError::TooFarAhead { jump });
    }
    let ratchet_key = header.ratchet_key;
    let mut skipped = Vec::new();
    let mut chain = chain.clone();
    loop {
        let counter = chain.index();
        let (key, next) = chain.step().ok_or(DecryptionError::TooFarAhead { jump })?;
        chain = next;
        if counter == header.counter {
            return Ok((key, chain, skipped));
        }
        skipped.push(SkippedKey { ratchet_key, counter, key });
    }
}

fn write_chain(chain: &ChainKey, out: &mut Writer) {
    out.bytes(chain.as_bytes());
    out.u32(chain.index());
}

fn read_chain(from: &mut Reader<'_>) -> Result<ChainKey, StateError> {
    Ok(ChainKey::new(from.secret()?, from.u32()?))
}
