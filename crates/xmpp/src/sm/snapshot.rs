//! The state of a session as bytes, so that it survives a restart of the server.

use bytes::Bytes;

use super::{Entry, Limits, Sm};

impl<M> Sm<M> {
    /// Writes the counters and the queue. `meta` appends what must be kept of an entry; it need not
    /// mark where that ends.
    ///
    /// Stanzas that came in and are not settled are left out on purpose: their effects may be lost,
    /// and the peer, who was not told that they were handled, sends them again.
    pub fn snapshot(&self, mut meta: impl FnMut(&M, &mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.queue_bytes + 16 * self.queue.len() + 32);
        out.push(VERSION);
        out.extend_from_slice(&self.settled.to_be_bytes());
        out.extend_from_slice(&self.acked.to_be_bytes());
        let mut kept = Vec::new();
        for entry in &self.queue {
            kept.clear();
            meta(&entry.meta, &mut kept);
            write_part(&mut out, &kept);
            write_part(&mut out, &entry.bytes);
        }
        out
    }

    /// Reads what [`Sm::snapshot`] wrote. `meta` reads what was kept of an entry. `None` if the
    /// bytes are not a snapshot, or `meta` says so.
    pub fn restore(
        limits: Limits,
        snapshot: &Bytes,
        mut meta: impl FnMut(&[u8]) -> Option<M>,
    ) -> Option<Self> {
        let (version, rest) = snapshot.split_first_chunk()?;
        if *version != [VERSION] {
            return None;
        }
        let (settled, rest) = rest.split_first_chunk()?;
        let (acked, mut rest) = rest.split_first_chunk()?;
        let mut sm = Self::new(limits);
        sm.settled = u64::from_be_bytes(*settled);
        sm.received = sm.settled;
        sm.acked = u64::from_be_bytes(*acked);
        while !rest.is_empty() {
            let kept = read_part(&mut rest)?;
            let bytes = Bytes::copy_from_slice(read_part(&mut rest)?);
            sm.queue_bytes += bytes.len();
            sm.queue.push_back(Entry { bytes, meta: meta(kept)? });
        }
        Some(sm)
    }
}

fn write_part(out: &mut Vec<u8>, part: &[u8]) {
    // Stanzas are bounded far below 4 GiB by the limits of the reader.
    out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(part);
}

fn read_part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, tail) = rest.split_first_chunk()?;
    let (part, tail) = tail.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *rest = tail;
    Some(part)
}

/// Raised when the layout changes; snapshots of other versions are refused, and their clients start
/// a new session.
const VERSION: u8 = 1;
