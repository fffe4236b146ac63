//! A client and a server connected by memory, with room for somebody in between.

use std::sync::Arc;

use xmpp::jid::BareJid;
use xmpp::sasl::TlsInfo;
use xmpp::stream::{Out, client, server};
use xmpp::xml::{Framing, Limits, Reader};

use crate::house::{House, tls};

/// A connection between both.
pub(crate) struct Pair<'a> {
    pub(crate) house: &'a mut House,
    pub(crate) client: client::Settings,
    /// What each side believes about encryption, now or once STARTTLS is done.
    pub(crate) client_tls: TlsInfo,
    pub(crate) server_tls: TlsInfo,
    /// Whether the connection is encrypted from the start.
    pub(crate) direct: bool,
    /// Changes what passes; the flag says that it comes from the server.
    pub(crate) tamper: fn(bool, String) -> String,
    /// Everything that was written, `C: ` and `S: ` in front of it.
    pub(crate) transcript: String,
}

/// How it ended on both sides.
pub(crate) struct End {
    pub(crate) client: Result<Box<client::Established>, client::Error>,
    pub(crate) server: Option<Box<server::Established>>,
    pub(crate) transcript: String,
}

impl End {
    pub(crate) fn client_error(self) -> client::Error {
        self.client.expect_err("the client is not connected")
    }

    pub(crate) fn jid(&self) -> String {
        let client = self.client.as_ref().expect("the client is connected");
        let server = self.server.as_ref().expect("the server is connected");
        if let Some(jid) = &client.jid {
            assert_eq!(*jid, server.jid);
        }
        assert_eq!(client.mechanism, server.mechanism);
        assert_eq!(client.profile, server.profile);
        server.jid.to_string()
    }
}

pub(crate) fn juliet() -> client::Settings {
    client::Settings::new(BareJid::new("juliet@example.org").unwrap(), "r0m30")
}

impl<'a> Pair<'a> {
    pub(crate) fn new(house: &'a mut House, client: client::Settings) -> Self {
        Self {
            house,
            client,
            client_tls: tls(),
            server_tls: tls(),
            direct: false,
            tamper: |_, text| text,
            transcript: String::new(),
        }
    }

    pub(crate) fn direct(mut self) -> Self {
        self.direct = true;
        self
    }

    pub(crate) fn tampered(mut self, tamper: fn(bool, String) -> String) -> Self {
        self.tamper = tamper;
        self
    }

    /// Lets both talk until neither has anything to say.
    pub(crate) fn run(mut self) -> End {
        let framing = self.client.framing;
        let direct = |tls: &TlsInfo| self.direct.then(|| tls.clone());
        let (mut to_server, mut to_client) = (Out::new(), Out::new());
        let mut client_reader = Reader::new(Limits::SERVER, framing);
        let mut server_reader = Reader::new(Limits::BEFORE_AUTH, framing);
        let settings = Arc::new(self.house.settings.clone());
        let server = server::Negotiation::new(settings, framing, direct(&self.server_tls), [1; 32]);
        let client = client::Negotiation::start(
            self.client.clone(),
            direct(&self.client_tls),
            [2; 32],
            &mut to_server,
        );
        let mut server = server::Step::Read(server);
        let mut client = client::Step::Read(client);
        loop {
            let mut spoken = !to_server.is_empty();
            self.carry(false, &mut to_server, &mut client_reader, &mut server_reader);
            while let server::Step::Read(waiting) = server {
                let Some(event) = server_reader.next().expect("XML from the client") else {
                    server = server::Step::Read(waiting);
                    break;
                };
                spoken = true;
                server = self.house.run(waiting.handle(event, &mut to_client), &mut to_client);
                self.carry(true, &mut to_client, &mut server_reader, &mut client_reader);
            }
            while let client::Step::Read(waiting) = client {
                let Some(event) = client_reader.next().expect("XML from the server") else {
                    client = client::Step::Read(waiting);
                    break;
                };
                spoken = true;
                client = waiting.handle(event, &mut to_server);
                self.carry(false, &mut to_server, &mut client_reader, &mut server_reader);
            }
            (client, server) = match (client, server) {
                (client::Step::StartTls(ours), server::Step::StartTls(theirs)) => (
                    ours.answer(self.client_tls.clone(), &mut to_server),
                    theirs.answer(self.server_tls.clone(), &mut to_client),
                ),
                (client, server) if spoken => (client, server),
                (client::Step::Established(client), server) => {
                    return self.end(Ok(client), server);
                }
                (client::Step::Failed(error), server) => return self.end(Err(error), server),
                (_, server) => return self.end(Err(client::Error::Closed), server),
            };
        }
    }

    fn end(
        self,
        client: Result<Box<client::Established>, client::Error>,
        server: server::Step,
    ) -> End {
        let server = match server {
            server::Step::Established(established) => Some(established),
            _ => None,
        };
        End { client, server, transcript: self.transcript }
    }

    /// Delivers what one side wrote, and does to its reader what it asks for.
    fn carry(&mut self, from_server: bool, out: &mut Out, own: &mut Reader, other: &mut Reader) {
        let framing = self.client.framing;
        let frames: Vec<String> = match framing {
            Framing::Tcp => vec![String::from_utf8(out.bytes().to_vec()).unwrap()],
            Framing::WebSocket => {
                out.frames().map(|frame| String::from_utf8(frame.to_vec()).unwrap()).collect()
            }
        };
        out.apply(own);
        for frame in frames.into_iter().filter(|frame| !frame.is_empty()) {
            let who = if from_server { "S: " } else { "C: " };
            self.transcript.push_str(&format!("{who}{frame}\n"));
            other.push((self.tamper)(from_server, frame).as_bytes());
        }
    }
}
