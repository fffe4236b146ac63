//! A server spoken to in plain text.

use std::sync::Arc;

use xmpp::error::StreamCondition;
use xmpp::sasl::TlsInfo;
use xmpp::stream::Out;
use xmpp::stream::server::{Established, Negotiation, Step};
use xmpp::xml::{Framing, Limits, Reader};

use crate::house::House;

/// One connection to the server.
pub(crate) struct Wire {
    pub(crate) house: House,
    reader: Reader,
    step: Option<Step>,
    framing: Framing,
}

pub(crate) const OPEN: &str = "<?xml version='1.0'?><stream:stream to='example.org' version='1.0' \
    xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

impl Wire {
    pub(crate) fn new(house: House, framing: Framing, tls: Option<TlsInfo>) -> Self {
        let settings = Arc::new(house.settings.clone());
        let negotiation = Negotiation::new(settings, framing, tls, [3; 32]);
        let reader = Reader::new(Limits::BEFORE_AUTH, framing);
        Self { house, reader, step: Some(Step::Read(negotiation)), framing }
    }

    /// An encrypted stream of a house, opened.
    pub(crate) fn open(house: House) -> Self {
        let mut wire = Self::new(house, Framing::Tcp, Some(crate::house::tls()));
        wire.send(OPEN);
        wire
    }

    /// Sends text and gives what the server wrote.
    pub(crate) fn send(&mut self, text: &str) -> String {
        self.reader.push(text.as_bytes());
        let mut written = String::new();
        while let Some(Step::Read(negotiation)) = self.step.take() {
            let mut out = Out::new();
            let next = match self.reader.next() {
                Ok(Some(event)) => self.house.run(negotiation.handle(event, &mut out), &mut out),
                Ok(None) => {
                    self.step = Some(Step::Read(negotiation));
                    break;
                }
                Err(error) => {
                    let error = error.stream_condition().into();
                    negotiation.fail(error, &mut out);
                    Step::Closed(None)
                }
            };
            if self.framing == Framing::WebSocket {
                for frame in out.frames() {
                    written.push_str(&String::from_utf8_lossy(frame));
                    written.push('\n');
                }
            } else {
                written.push_str(&String::from_utf8_lossy(out.bytes()));
            }
            out.apply(&mut self.reader);
            let over = !matches!(next, Step::Read(_));
            self.step = Some(next);
            if over {
                break;
            }
        }
        written
    }

    /// Finishes STARTTLS.
    pub(crate) fn encrypt(&mut self, tls: TlsInfo) {
        let Some(Step::StartTls(waiting)) = self.step.take() else {
            panic!("TLS does not start here");
        };
        let mut out = Out::new();
        self.step = Some(waiting.answer(tls, &mut out));
        out.apply(&mut self.reader);
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.step, Some(Step::Closed(_)))
    }

    pub(crate) fn established(self) -> Established {
        match self.step {
            Some(Step::Established(established)) => *established,
            other => panic!("no session: {other:?}"),
        }
    }

    /// Sends text that must end the stream with this error.
    #[track_caller]
    pub(crate) fn ends_with(&mut self, text: &str, condition: StreamCondition) -> String {
        let written = self.send(text);
        let error = format!("<{} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>", condition.name());
        assert!(written.contains(&error), "{} is not in {written}", condition.name());
        let end = match self.framing {
            Framing::Tcp => "</stream:stream>",
            Framing::WebSocket => "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>\n",
        };
        assert!(written.ends_with(end), "not closed: {written}");
        assert!(self.is_closed());
        written
    }
}

/// A base64 message as it stands in SASL elements.
pub(crate) fn base64(message: &str) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(message)
}
