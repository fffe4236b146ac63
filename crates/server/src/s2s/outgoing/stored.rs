//! What waits in the store alone: newer parcels than fit into memory, read back as older ones leave. What is
//! posted behind them and is not durable keeps its place in memory.

use super::{Effect, Entry, Held, Outgoing};

impl Outgoing {
    /// Whether parcels wait in the store that are not in memory.
    pub(super) fn spilled(&self) -> bool {
        self.loaded < self.newest
    }

    /// Reads the next ones when there is room for them.
    pub(super) fn load(&mut self, effects: &mut Vec<Effect>) {
        let low = self.waiting.len() < self.bounds.stanzas / 2
            && self.waiting_bytes < self.bounds.bytes / 2;
        if self.spilled() && low && !self.loading {
            self.loading = true;
            self.asked = self.newest;
            effects.push(Effect::Load { after: self.loaded, limit: BATCH });
        }
    }

    /// The store gave these.
    pub(super) fn take_loaded(
        &mut self,
        entries: Vec<Entry>,
        complete: bool,
        effects: &mut Vec<Effect>,
    ) {
        self.loading = false;
        for entry in entries {
            let Some(parcel) = entry.parcel.filter(|parcel| *parcel > self.loaded) else {
                continue;
            };
            self.let_in(parcel - 1, effects);
            self.loaded = parcel;
            self.beyond = self.beyond.minus(Held::of(&entry));
            self.push(entry, effects);
        }
        if complete {
            // What was posted in the meantime may not have been there when the store was read.
            self.loaded = self.loaded.max(self.asked);
        }
        self.let_in(self.loaded, effects);
        if !self.spilled() {
            // Some may have gone with their account.
            self.beyond = Held::default();
        }
    }

    /// What was posted behind no parcel newer than this one is next.
    fn let_in(&mut self, parcel: u64, effects: &mut Vec<Effect>) {
        while let Some((_, entry)) = self.behind.pop_front_if(|(before, _)| *before <= parcel) {
            self.behind_bytes -= entry.bytes.len();
            self.push(entry, effects);
        }
    }
}

/// Parcels read at a time.
pub(super) const BATCH: u32 = 200;
