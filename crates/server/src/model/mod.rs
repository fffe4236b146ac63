//! Models that hold the server's state machines to their promises, whoever drives them: the fuzzer with
//! what it comes upon, unit tests with what a seed gives.
//!
//! A model turns bytes into things that people do, does them to the real code, and keeps a simple picture
//! of its own of what must come of it. It panics where the two differ. The server has no use for any of
//! this; it is compiled for tests, and with the feature `model` for the workspace `fuzz`.

pub mod forms;
mod stage;
pub mod web;

pub use self::stage::Stage;
pub use crate::{
    ext::{muc::model as rooms, pubsub::model as nodes},
    s2s::outgoing::model as outbox,
};

/// Bytes that decide what happens. When they are over, everything is 0.
#[derive(Clone, Debug)]
pub struct Tape<'a>(&'a [u8]);

impl<'a> Tape<'a> {
    /// A tape at its beginning.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let (first, rest) =
            self.0.split_first().map_or((0, self.0), |(first, rest)| (*first, rest));
        self.0 = rest;
        first
    }

    /// A number below `limit`, which is at least 1 and at most 256.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit.max(1)
    }

    /// One of several.
    ///
    /// # Panics
    /// When there are none.
    pub fn one_of<'b, T: ?Sized>(&mut self, all: &[&'b T]) -> &'b T {
        all[self.below(all.len())]
    }

    /// Whether one of `chances` cases has come.
    pub fn chance(&mut self, chances: usize) -> bool {
        self.below(chances) == chances - 1
    }

    /// As many bytes as the next one says, if there are so many.
    pub fn piece(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (piece, rest) = self.0.split_at(length);
        self.0 = rest;
        piece
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}

/// Bytes for a tape that a seed determines (SplitMix64).
#[must_use]
pub fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed;
    let mut all = Vec::with_capacity(count + 8);
    while all.len() < count {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        all.extend((mixed ^ (mixed >> 31)).to_le_bytes());
    }
    all.truncate(count);
    all
}
