//! What a negotiation wants to be done with the connection.

use crate::xml::{Element, Framing, Limits, Reader};

/// Bytes to write, and what must happen to the reader before it is asked again.
///
/// The driver passes one to each call, then writes [`Out::bytes`] (or one WebSocket message per
/// [`Out::frames`]) and calls [`Out::apply`].
#[derive(Debug, Default)]
pub struct Out {
    bytes: Vec<u8>,
    /// Where each first-level element ends, for framings that send one per message.
    ends: Vec<usize>,
    restart: bool,
    discard: bool,
    limits: Option<Limits>,
}

impl Out {
    /// Nothing to do.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything to write, in order.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, cut into WebSocket messages.
    pub fn frames(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, end)| self.bytes.get(start..*end))
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Brings the reader into the state the negotiation is in, and forgets what was written.
    pub fn apply(&mut self, reader: &mut Reader) {
        if let Some(limits) = self.limits.take() {
            reader.set_limits(limits);
        }
        if std::mem::take(&mut self.discard) {
            reader.discard_unread();
        }
        if std::mem::take(&mut self.restart) {
            reader.restart();
        }
        self.bytes.clear();
        self.ends.clear();
    }

    /// Appends one first-level element, serialised.
    pub(super) fn frame(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
    }

    /// Appends one first-level element.
    ///
    /// RFC 7395 §3.3.3: over WebSocket no stream header declares the default namespace.
    pub(super) fn element(&mut self, element: &Element, framing: Framing) {
        let parent_ns = match framing {
            Framing::Tcp => crate::ns::CLIENT,
            Framing::WebSocket => "",
        };
        element.write(&mut self.bytes, parent_ns);
        self.ends.push(self.bytes.len());
    }

    /// The next bytes from the peer open a new stream.
    pub(super) fn restart(&mut self) {
        self.restart = true;
    }

    /// The next bytes are encrypted and open a new stream. What came before is not used: it may be
    /// somebody else's (RFC 6120 §5.4.3.3).
    pub(super) fn encrypt(&mut self) {
        self.discard = true;
        self.restart = true;
    }

    /// From now on the peer may send this much.
    pub(super) fn limits(&mut self, limits: Limits) {
        self.limits = Some(limits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_a_frame() {
        let mut out = Out::new();
        out.frame(b"<a/>");
        out.element(&Element::new("iq", crate::ns::CLIENT), Framing::WebSocket);
        let frames: Vec<_> = out.frames().collect();
        assert_eq!(frames, [&b"<a/>"[..], b"<iq xmlns='jabber:client'/>"]);
    }
}
