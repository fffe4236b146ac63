//! RFC 6120 §4 and RFC 7395 §3: streams as events

use super::chars::{space_len, valid_len};
use super::header::{Context, StreamHeader, declaration_len, stream_header, websocket_header};
use super::index::{Form, Index};
use super::names::Outer;
use super::scan::{Scanner, Token};
use super::{Bound, Limits, XmlError};
use crate::ns;
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
    /// A first-level element exceeds [`Limits::element_bytes`] or [`Limits::elements`], or
    /// [`Limits::depth`] where [`Limits::skip_deep`] says so. The stanza has the attributes of the
    /// start tag and no content; the rest is skipped.
    Oversized(Stanza),
    /// The stream was closed by the peer. No event follows until [`Reader::restart`].
    Close,
}

/// Reads a stream in pieces of any size.
///
/// A reader holds no more than one unfinished element and what was pushed last; between elements
/// it holds no buffer.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    framing: Framing,
    phase: Phase,
    buffer: Vec<u8>,
    /// Where the current element begins in the buffer.
    start: usize,
    /// How much of the buffer consists of allowed characters; nothing else is looked at.
    valid: usize,
    /// What is wrong with the character there, unless it only lacks its end.
    fault: Option<XmlError>,
    scanner: Scanner,
    index: Index,
    context: Context,
}

/// What the reader expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// An XML declaration or the stream header.
    Declaration,
    /// The stream header.
    Header,
    /// The end of a stream whose header was an empty-element tag.
    EmptyStream,
    /// First-level elements.
    Elements,
    /// The rest of an element that is too large.
    Skipping,
    /// Nothing.
    Closed,
    /// Nothing, for this reason.
    Failed(XmlError),
}

impl Reader {
    /// A reader that expects the opening of a stream.
    pub fn new(limits: Limits, framing: Framing) -> Reader {
        let mut reader = Reader {
            limits,
            framing,
            phase: Phase::Declaration,
            buffer: Vec::new(),
            start: 0,
            valid: 0,
            fault: None,
            scanner: Scanner::new(),
            index: Index::empty(),
            context: Context::default(),
        };
        reader.restart();
        reader
    }

    /// Adds bytes from the network. Ask [`Reader::next`] until it returns `None` before adding
    /// more, or the buffer grows.
    pub fn push(&mut self, bytes: &[u8]) {
        if matches!(self.phase, Phase::Closed | Phase::Failed(_)) {
            return;
        }
        // Moving only when half is free keeps the cost in proportion to what was read.
        if self.start > 0 && self.start >= self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.valid -= self.start;
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
        if self.fault.is_none() {
            let (len, fault) = valid_len(self.buffer.get(self.valid..).unwrap_or_default());
            self.valid += len;
            self.fault = fault;
        }
    }

    /// The next event, `None` when more bytes are needed.
    ///
    /// # Errors
    ///
    /// The input breaks a rule; the stream cannot go on. Later calls return the same error.
    #[allow(clippy::should_implement_trait, reason = "an iterator would end at an error")]
    pub fn next(&mut self) -> Result<Option<Event>, XmlError> {
        // Whatever comes before a bad character is read first.
        let result = match (self.event(), self.fault) {
            (Ok(None), Some(fault)) if self.phase != Phase::Closed => Err(fault),
            (result, _) => result,
        };
        match &result {
            Err(error) => self.end(Phase::Failed(*error)),
            Ok(Some(Event::Close)) => self.end(Phase::Closed),
            Ok(_) if self.unread() == 0 => self.release(),
            Ok(_) => {}
        }
        result
    }

    /// Replaces the limits.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Expects the opening of a new stream, as after STARTTLS and SASL. Unread bytes stay.
    pub fn restart(&mut self) {
        self.scanner.reset();
        self.context = Context::default();
        self.phase = match self.framing {
            Framing::Tcp => Phase::Declaration,
            Framing::WebSocket => {
                self.context = Context::websocket();
                Phase::Elements
            }
        };
    }

    /// Whether no part of an element is waiting for its rest.
    pub fn is_idle(&self) -> bool {
        self.unread() == 0 && self.phase != Phase::Skipping
    }

    /// Bytes that were added and are not part of a returned event.
    pub fn unread(&self) -> usize {
        self.buffer.len().saturating_sub(self.start)
    }

    /// Forgets unread bytes: whatever came unencrypted before TLS must not be used after it
    /// (RFC 6120 §5.4.3.3).
    pub fn discard_unread(&mut self) {
        self.release();
        self.scanner.reset();
    }

    /// Ends a WebSocket message.
    ///
    /// # Errors
    ///
    /// The message does not hold whole elements (RFC 7395 §3.3.3).
    pub fn end_message(&mut self) -> Result<(), XmlError> {
        if self.is_idle() {
            return Ok(());
        }
        let error = XmlError::Incomplete;
        self.end(Phase::Failed(error));
        Err(error)
    }

    fn end(&mut self, phase: Phase) {
        self.phase = phase;
        self.release();
    }

    fn release(&mut self) {
        self.buffer = Vec::new();
        self.start = 0;
        self.valid = 0;
        self.fault = None;
    }

    fn event(&mut self) -> Result<Option<Event>, XmlError> {
        loop {
            let event = match self.phase {
                Phase::Failed(error) => return Err(error),
                Phase::Closed => return Ok(None),
                Phase::EmptyStream => return Ok(Some(Event::Close)),
                Phase::Declaration => self.declaration()?,
                Phase::Header => return self.header(),
                Phase::Elements => return self.element(),
                Phase::Skipping => self.skip()?,
            };
            // These two phases yield nothing themselves: either they are over, or they need more.
            if !event {
                return Ok(None);
            }
        }
    }

    /// Passes an XML declaration. White space before it is not allowed by XML, but some clients
    /// end `<auth/>` with a line break, and after it a new stream begins.
    fn declaration(&mut self) -> Result<bool, XmlError> {
        self.skip_space();
        if self.input().is_empty() {
            return Ok(false);
        }
        let Some(len) = declaration_len(self.input())? else { return Ok(false) };
        self.start += len;
        self.phase = Phase::Header;
        Ok(true)
    }

    fn header(&mut self) -> Result<Option<Event>, XmlError> {
        if !self.at_element()? {
            return Ok(None);
        }
        let input = self.buffer.get(self.start..self.valid).unwrap_or_default();
        let within = input.get(..self.limits.element_bytes).unwrap_or(input);
        let Some(token) = self.scanner.next(within, &self.limits, &Outer::default())? else {
            return if within.len() < input.len() {
                Err(XmlError::Limit(Bound::ElementBytes))
            } else {
                Ok(None)
            };
        };
        let (header, context) = stream_header(&self.scanner, input)?;
        self.context = context;
        self.phase = if token == Token::Empty { Phase::EmptyStream } else { Phase::Elements };
        self.start += self.scanner.pos();
        self.scanner.reset();
        Ok(Some(Event::Open(header)))
    }

    /// A first-level element, or the end of the stream.
    fn element(&mut self) -> Result<Option<Event>, XmlError> {
        if !self.at_element()? {
            return Ok(None);
        }
        let outer = self.context.outer();
        let limits = self.scanned();
        let input = self.buffer.get(self.start..self.valid).unwrap_or_default();
        let within = input.get(..self.limits.element_bytes).unwrap_or(input);
        loop {
            let Some(token) = self.scanner.next(within, &limits, &outer)? else {
                return if within.len() < input.len() {
                    self.oversized(Bound::ElementBytes)
                } else {
                    Ok(None)
                };
            };
            if token == Token::OuterEnd {
                return Ok(Some(Event::Close));
            }
            // The table knows nothing below the first-level children.
            if self.scanner.names.depth() <= 2 || outer.is_foreign() {
                self.index.token(token, &self.scanner, within, &outer);
            }
            if self.scanner.names.elements() > self.limits.elements {
                return self.oversized(Bound::Elements);
            }
            if self.scanner.names.depth() > self.limits.depth {
                return self.oversized(Bound::Depth);
            }
            if self.scanner.names.depth() == 0 {
                return self.complete();
            }
        }
    }

    /// The limits while an element is read: one that is too deep may still be passed.
    fn scanned(&self) -> Limits {
        let depth = if self.limits.skip_deep { DEEPEST } else { self.limits.depth };
        Limits { depth: depth.max(self.limits.depth), ..self.limits }
    }

    /// Turns a complete element into an event.
    fn complete(&mut self) -> Result<Option<Event>, XmlError> {
        let len = self.scanner.pos();
        let index = std::mem::replace(&mut self.index, Index::empty());
        let form = index.form(&self.scanner);
        let (outer, most) = (self.context.outer(), self.limits.element_bytes);
        let element = self.input().get(..len).unwrap_or_default();
        let head = (form == Form::Foreign).then(|| index.without_content(element));
        let event = match (Stanza::assemble(element, index, form, &outer, most), head) {
            // Writing it anew made it longer than it came.
            (Err(XmlError::Limit(bound)), Some((head, index))) => {
                self.refuse(Stanza::assemble(&head, index, form, &outer, usize::MAX)?, bound)?
            }
            (stanza, _) => self.accept(stanza?)?,
        };
        self.start += len;
        self.scanner.reset();
        Ok(Some(event))
    }

    fn accept(&self, stanza: Stanza) -> Result<Event, XmlError> {
        match self.framing {
            Framing::WebSocket if stanza.ns() == ns::FRAMING => framing_event(&stanza),
            _ => Ok(Event::Stanza(stanza)),
        }
    }

    /// Reports an element that is too large, as soon as that is known.
    fn oversized(&mut self, bound: Bound) -> Result<Option<Event>, XmlError> {
        if self.scanner.names.elements() == 0 {
            return Err(XmlError::Limit(bound));
        }
        let index = std::mem::replace(&mut self.index, Index::empty());
        let form = index.form(&self.scanner);
        let (head, index) = index.without_content(self.input());
        let stanza = Stanza::assemble(&head, index, form, &self.context.outer(), usize::MAX)?;
        self.phase = Phase::Skipping;
        self.refuse(stanza, bound).map(Some)
    }

    fn refuse(&self, stanza: Stanza, bound: Bound) -> Result<Event, XmlError> {
        if self.limits.skip_oversized {
            Ok(Event::Oversized(stanza))
        } else {
            Err(XmlError::Limit(bound))
        }
    }

    /// Checks and forgets the rest of an element that is too large; true when it is over.
    fn skip(&mut self) -> Result<bool, XmlError> {
        let outer = self.context.outer();
        let limits = self.scanned();
        let input = self.buffer.get(self.start..self.valid).unwrap_or_default();
        while self.scanner.next(input, &limits, &outer)?.is_some() {
            if self.scanner.names.depth() == 0 {
                self.start += self.scanner.pos();
                self.scanner.reset();
                self.phase = Phase::Elements;
                return Ok(true);
            }
        }
        if self.scanner.passed() > SKIPPED_AT_ONCE {
            let mut rest = Vec::new();
            self.scanner.compact(input, &mut rest);
            let cut = self.buffer.get(self.valid..).unwrap_or_default();
            self.start = 0;
            self.valid = rest.len();
            rest.extend_from_slice(cut);
            self.buffer = rest;
        }
        Ok(false)
    }

    fn input(&self) -> &[u8] {
        self.buffer.get(self.start..self.valid).unwrap_or_default()
    }

    /// Passes white space, which keeps connections alive (RFC 6120 §4.6.1).
    fn skip_space(&mut self) {
        self.start += space_len(self.input());
    }

    /// Passes white space and says whether an element follows, or is being read already.
    fn at_element(&mut self) -> Result<bool, XmlError> {
        self.skip_space();
        match self.input().first() {
            None => Ok(false),
            Some(b'<') => Ok(true),
            Some(_) => Err(XmlError::TextOutside),
        }
    }
}

/// RFC 7395 §3.4 and §3.6.
fn framing_event(stanza: &Stanza) -> Result<Event, XmlError> {
    match stanza.name() {
        "open" => Ok(Event::Open(websocket_header(&stanza.element()))),
        "close" => Ok(Event::Close),
        _ => Err(XmlError::Framing),
    }
}

/// Bytes of an oversized element that are passed before memory is freed.
const SKIPPED_AT_ONCE: usize = 16 * 1024;
/// Levels of an element that is passed.
const DEEPEST: usize = 1 << 20;
