//! What is written on the stream that carries the queue.

use xmpp::{sm, stanza::Kind, time::Millis};

use super::Outgoing;

impl Outgoing {
    /// Takes what is to be written on the stream `carrier`: at most about `most` bytes. Returns the
    /// kinds of the stanzas written.
    pub fn write(
        &mut self,
        now: Millis,
        carrier: u64,
        out: &mut Vec<u8>,
        most: usize,
    ) -> Vec<Kind> {
        let mut written = Vec::new();
        if !self.carries(carrier) {
            return written;
        }
        if let Some(sm) = self.sm.as_mut().filter(|_| std::mem::take(&mut self.rewrite)) {
            for entry in sm.unacked() {
                out.extend_from_slice(&entry.bytes);
                written.push(entry.meta.kind);
            }
            if !written.is_empty() {
                out.extend_from_slice(sm::REQUEST);
                sm.requested();
            }
        }
        while out.len() < most
            && (self.sm.is_some() || self.has_room())
            && let Some(entry) = self.waiting.pop_front()
        {
            self.waiting_bytes -= entry.bytes.len();
            let (bytes, kind) = (entry.bytes.clone(), entry.kind);
            if let Some(sm) = &mut self.sm {
                if let Err(sm::Full(full)) = sm.sent(now, bytes.clone(), entry) {
                    self.waiting_bytes += full.bytes.len();
                    self.waiting.push_front(full.meta);
                    // The answer makes room.
                    out.extend_from_slice(sm::REQUEST);
                    sm.requested();
                    break;
                }
            } else {
                self.unflushed_bytes += entry.bytes.len();
                self.unflushed.push_back(entry);
            }
            out.extend_from_slice(&bytes);
            written.push(kind);
        }
        if let Some(sm) = self.sm.as_mut().filter(|sm| sm.request_due(now)) {
            out.extend_from_slice(sm::REQUEST);
            sm.requested();
        }
        written
    }

    /// Whether more may be written that is not known to arrive.
    fn has_room(&self) -> bool {
        let unacked = self.bounds.unacked;
        let (stanzas, bytes) = match &self.sm {
            Some(sm) => (sm.unacked().len(), sm.queue_bytes()),
            None => (self.unflushed.len(), self.unflushed_bytes),
        };
        stanzas < unacked.stanzas && bytes < unacked.bytes
    }

    /// Whether [`Outgoing::write`] would write a stanza.
    #[must_use]
    pub fn has_more(&self, carrier: u64) -> bool {
        self.carries(carrier) && (self.rewrite || (self.has_room() && !self.waiting.is_empty()))
    }
}
