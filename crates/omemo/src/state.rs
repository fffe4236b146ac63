//! How a device and its sessions are written down: for our own storage, not for the wire.
//!
//! The first byte is a version, numbers are little-endian, lists begin with their length. What is
//! written holds private keys; keeping it encrypted is up to the storage.

use zeroize::{Zeroize, Zeroizing};

use crate::curve::{PublicKey, SecretKey};
use crate::secret::Secret;

/// Stored state that could not be read. It is damaged, or newer than this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Written by a later version of this code.
    #[error("the state has format {0}, which is not known here")]
    Format(u8),
    /// It ends too early or too late.
    #[error("the state has the wrong length")]
    Length,
    /// A value that is never written.
    #[error("the state holds an impossible value")]
    Value,
}

/// The format that is written. Before 2, what made room among the skipped keys was not noted.
pub(crate) const FORMAT: u8 = 2;

/// Appends values to a buffer that is wiped when dropped and when it moves to grow.
pub(crate) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    pub(crate) fn new() -> Self {
        let mut writer = Self(Zeroizing::new(Vec::with_capacity(1024)));
        writer.byte(FORMAT);
        writer
    }

    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        if self.0.capacity() - self.0.len() < bytes.len() {
            let mut larger = Vec::with_capacity((self.0.len() + bytes.len()) * 2);
            larger.extend_from_slice(&self.0);
            self.0.zeroize();
            self.0 = Zeroizing::new(larger);
        }
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn byte(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.byte(value.into());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// The length of a list. Every list here is far below the limit of the type.
    pub(crate) fn len(&mut self, len: usize) {
        self.u32(u32::try_from(len).unwrap_or(u32::MAX));
    }

    pub(crate) fn public_key(&mut self, key: &PublicKey) {
        self.bytes(key.as_bytes());
    }

    pub(crate) fn secret_key(&mut self, key: &SecretKey) {
        self.bytes(key.as_bytes());
    }
}

/// Reads what [`Writer`] wrote.
pub(crate) struct Reader<'a> {
    format: u8,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, StateError> {
        match bytes.split_first() {
            Some((&format @ 1..=FORMAT, rest)) => Ok(Self { format, rest }),
            Some((&format, _)) => Err(StateError::Format(format)),
            None => Err(StateError::Length),
        }
    }

    /// The format of what is read.
    pub(crate) fn format(&self) -> u8 {
        self.format
    }

    /// Everything must have been read.
    pub(crate) fn finish(self) -> Result<(), StateError> {
        if self.rest.is_empty() { Ok(()) } else { Err(StateError::Length) }
    }

    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], StateError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(StateError::Length)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], StateError> {
        self.array().copied()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, StateError> {
        let [byte] = self.bytes()?;
        Ok(byte)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, StateError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(StateError::Value),
        }
    }

    pub(crate) fn u32(&mut self) -> Result<u32, StateError> {
        self.bytes().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, StateError> {
        self.bytes().map(u64::from_le_bytes)
    }

    /// The length of a list of at most `max` items.
    pub(crate) fn len(&mut self, max: usize) -> Result<usize, StateError> {
        usize::try_from(self.u32()?).ok().filter(|len| *len <= max).ok_or(StateError::Value)
    }

    pub(crate) fn secret(&mut self) -> Result<Secret<32>, StateError> {
        self.array().map(Secret::copy_of)
    }

    pub(crate) fn secret_key(&mut self) -> Result<SecretKey, StateError> {
        self.secret().map(SecretKey::from_secret)
    }

    /// A key that was checked before it was stored.
    pub(crate) fn public_key(&mut self) -> Result<PublicKey, StateError> {
        self.bytes().map(PublicKey::from_trusted)
    }
}
