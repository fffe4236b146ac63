//! RFC 6120 §4 and RFC 7395 §3: streams as events

use super::{Element, Limits, XmlError};
use crate::stanza::Stanza;

/// How first-level elements are framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// RFC 6120: one long document whose root is the stream.
    Tcp,
    /// RFC 7395: every message is one document; `<open/>` and `<close/>` delimit the stream.
    WebSocket,
}

/// What the reader found.
#[derive(Clone, Debug)]
pub enum Event {
    /// The stream was opened.
    Open(StreamHeader),
    /// A complete first-level element: a stanza, or a nonza such as `<auth/>` or `<r/>`.
    Stanza(Stanza),
    /// A first-level element exceeds [`Limits::element_bytes`] or [`Limits::elements`]. The stanza
    /// has the attributes of the start tag and no content; the rest is skipped.
    Oversized(Stanza),
    /// The stream was closed by the peer. No event follows.
    Close,
}

/// The attributes of the element that opens a stream (RFC 6120 §4.7).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamHeader {
    /// Whom the stream is for.
    pub to: Option<String>,
    /// Who opens it.
    pub from: Option<String>,
    /// The stream's id, given by the receiving side.
    pub id: Option<String>,
    /// The XMPP version; missing before XMPP 1.0.
    pub version: Option<String>,
    /// The default language.
    pub lang: Option<String>,
    /// The content namespace: the default namespace of the header; over WebSocket `jabber:client`.
    pub ns: String,
}

/// Reads a stream in pieces of any size.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    framing: Framing,
    buffer: Vec<u8>,
}

impl Reader {
    /// A reader that expects the opening of a stream.
    pub fn new(limits: Limits, framing: Framing) -> Reader {
        Reader { limits, framing, buffer: Vec::new() }
    }

    /// Adds bytes from the network. Ask [`Reader::next`] until it returns `None` before adding
    /// more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next event, `None` when more bytes are needed.
    ///
    /// # Errors
    ///
    /// The input breaks a rule; the stream cannot go on. Later calls return the same error.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Event>, XmlError> {
        let _ = (self.framing, &self.limits);
        Ok(None)
    }

    /// Replaces the limits, from the next element on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Expects the opening of a new stream, as after STARTTLS and SASL. Unread bytes stay.
    pub fn restart(&mut self) {}

    /// Whether no part of an element is waiting for its rest.
    pub fn is_idle(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Bytes that were added and are not part of a returned event.
    pub fn unread(&self) -> usize {
        self.buffer.len()
    }

    /// Forgets unread bytes: whatever came unencrypted before TLS must not be used after it
    /// (RFC 6120 §5.4.3.3).
    pub fn discard_unread(&mut self) {
        self.buffer = Vec::new();
    }

    /// Ends a WebSocket message.
    ///
    /// # Errors
    ///
    /// The message does not hold whole elements (RFC 7395 §3.3.3).
    pub fn end_message(&mut self) -> Result<(), XmlError> {
        if self.is_idle() { Ok(()) } else { Err(XmlError::NotWellFormed("incomplete message")) }
    }
}

impl Element {
    /// Reads one element, with whitespace and an XML declaration around it at most.
    ///
    /// # Errors
    ///
    /// The bytes are not one element of restricted XML within the limits.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Element, XmlError> {
        let _ = (bytes, limits);
        Err(XmlError::NotWellFormed("no element"))
    }
}
