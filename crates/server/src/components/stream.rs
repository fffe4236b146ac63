//! One connection of a component, from its first byte to its last.

use std::{fmt::Write as _, sync::Arc};

use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use xmpp::{
    error::{Condition, StanzaError, StreamCondition, StreamError},
    jid::Jid,
    ns,
    stanza::Kind,
    stream::s2s::receiving::Pair,
    xml::{Event, Framing, Limits, Reader, escape_attribute_into},
};

use super::Link;
use crate::{
    net::{conn::Peer, listen::down, wire::read_into},
    s2s::{
        inbound::Inbound,
        incoming::{self, Source},
        presence,
    },
    server::Server,
    session::resume::fresh_id,
};

/// Serves a connection until it ends.
pub async fn serve(server: Arc<Server>, stream: TcpStream, mut peer: Peer) {
    let reader = Reader::new(Limits::BEFORE_AUTH, Framing::Tcp);
    let mut connection =
        Connection { server, stream, reader, opened: false, out: Vec::new(), written: 0 };
    let deadline = Instant::now() + connection.server.config().limits.unauthenticated();
    let identified = timeout_at(deadline, connection.identify(&mut peer)).await;
    let domain = match identified {
        Ok(Ok(domain)) => domain,
        Ok(Err(end)) => return connection.finish(end).await,
        Err(_) => return connection.finish(error(StreamCondition::ConnectionTimeout)).await,
    };
    peer.admission.authenticated();
    let server = connection.server.clone();
    let link = server.components.open(&domain, server.now());
    tracing::info!(domain, "component_connected");
    super::introduce(&server, &link);
    let end = connection.run(&domain, &link).await;
    server.components.close(&link);
    if !server.components.connected(&domain) {
        server.components.pending.give_up(&server, Some(&domain));
    }
    tracing::info!(domain, "component_disconnected");
    connection.finish(end).await;
}

struct Connection {
    server: Arc<Server>,
    stream: TcpStream,
    reader: Reader,
    /// The header was written.
    opened: bool,
    /// What is still to be written, and the part of it that was.
    out: Vec<u8>,
    written: usize,
}

/// How a connection ended: closed by the component, or with an error.
type End = Option<StreamError>;

fn error(condition: StreamCondition) -> End {
    Some(StreamError::new(condition))
}

impl Connection {
    /// The header and the handshake: whose domain it is.
    async fn identify(&mut self, peer: &mut Peer) -> Result<String, End> {
        let header = match self.event(Some(peer)).await? {
            Event::Open(header) => header,
            _ => return Err(error(StreamCondition::BadFormat)),
        };
        let to = header.to.unwrap_or_default();
        let id = fresh_id().map_err(|_| error(StreamCondition::InternalServerError))?;
        self.open(&to, &id).await?;
        if header.ns != ns::COMPONENT {
            return Err(error(StreamCondition::InvalidNamespace));
        }
        let config = self.server.config();
        let Some(secret) = config.components.hosts.secret(&to) else {
            return Err(error(StreamCondition::HostUnknown));
        };
        let handshake = match self.event(Some(peer)).await? {
            Event::Stanza(stanza) if stanza.name() == "handshake" => stanza.element().text(),
            _ => return Err(error(StreamCondition::NotAuthorized)),
        };
        let expected = proof(&id, secret.expose());
        if !bool::from(expected.as_bytes().ct_eq(handshake.trim().as_bytes())) {
            tracing::warn!(domain = to, "a component gave a wrong secret");
            return Err(error(StreamCondition::NotAuthorized));
        }
        self.write(b"<handshake/>").await?;
        let bytes = usize::try_from(config.federation.stanza_bytes).unwrap_or(usize::MAX);
        self.reader.set_limits(Limits { element_bytes: bytes, ..Limits::SERVER });
        Ok(to)
    }

    async fn open(&mut self, from: &str, id: &str) -> Result<(), End> {
        let mut header = b"<?xml version='1.0'?><stream:stream xmlns='".to_vec();
        header.extend_from_slice(ns::COMPONENT.as_bytes());
        header.extend_from_slice(b"' xmlns:stream='");
        header.extend_from_slice(ns::STREAM.as_bytes());
        header.extend_from_slice(b"' from='");
        escape_attribute_into(&mut header, from);
        header.extend_from_slice(b"' id='");
        escape_attribute_into(&mut header, id);
        header.extend_from_slice(b"'>");
        self.opened = true;
        self.write(&header).await
    }

    async fn run(&mut self, domain: &str, link: &Arc<Link>) -> End {
        match self.exchange(domain, link).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn exchange(
        &mut self,
        domain: &str,
        link: &Arc<Link>,
    ) -> Result<std::convert::Infallible, End> {
        let local = self.server.domain().to_owned();
        let pair = Pair { local, remote: domain.to_owned() };
        let inbound = Inbound::new(pair.clone());
        presence::refresh(&self.server, &pair);
        let mut shutdown = self.server.shutdown.subscribe();
        let mut patience = Instant::now() + PATIENCE;
        loop {
            while let Some(event) = self.next()? {
                self.handle(&pair, &inbound, event).await?;
            }
            for stanza in inbound.take_failed() {
                incoming::not_stored(&self.server, &pair, &stanza);
            }
            if self.written == self.out.len() {
                self.out.clear();
                self.written = 0;
                link.take(&mut self.out);
                patience = Instant::now() + PATIENCE;
            }
            if let Some(closing) = link.closing() {
                return Err(Some(closing));
            }
            let Self { stream, reader, out, written, .. } = self;
            let rest = out.get(*written..).unwrap_or_default();
            // A component that writes before it reads on is heard all the same.
            let (mut from, mut to) = stream.split();
            tokio::select! {
                () = down(&mut shutdown) => return Err(error(StreamCondition::SystemShutdown)),
                read = read_into(&mut from, reader) => match read {
                    Ok(0) | Err(_) => return Err(None),
                    Ok(length) => self.server.metrics.bytes_received.add(length as u64),
                },
                wrote = timeout_at(patience, to.write(rest)), if !rest.is_empty() => match wrote {
                    Ok(Ok(length)) if length > 0 => {
                        *written += length;
                        patience = Instant::now() + PATIENCE;
                    }
                    _ => return Err(None),
                },
                () = link.woken() => {}
                () = inbound.woken() => {}
            }
        }
    }

    fn next(&mut self) -> Result<Option<Event>, End> {
        self.reader.next().map_err(|fault| error(fault.stream_condition()))
    }

    async fn handle(
        &mut self,
        pair: &Pair,
        inbound: &Arc<Inbound>,
        event: Event,
    ) -> Result<(), End> {
        let (stanza, whole) = match event {
            Event::Stanza(stanza) => (stanza, true),
            Event::Oversized(head) => (head, false),
            Event::Close => return Err(None),
            Event::Open(_) => return Err(error(StreamCondition::BadFormat)),
        };
        if stanza.kind() == Kind::Other {
            let told = stanza.name() == "error" && stanza.ns() == ns::STREAM;
            return Err(if told { None } else { error(StreamCondition::UnsupportedStanzaType) });
        }
        // XEP-0114 §3: both addresses are there, and it speaks for its own domain.
        let address =
            |text: Option<std::borrow::Cow<'_, str>>| text.and_then(|text| Jid::new(&text).ok());
        let (Some(from), Some(_)) = (address(stanza.from()), address(stanza.to())) else {
            return Err(error(StreamCondition::ImproperAddressing));
        };
        if from.domain().as_str() != pair.remote {
            return Err(error(StreamCondition::InvalidFrom));
        }
        if !whole {
            let refused = StanzaError::new(Condition::PolicyViolation)
                .with_text("the stanza is larger than this server allows");
            incoming::refuse(&self.server, pair, &stanza, &refused);
            return Ok(());
        }
        let Some(tag) = inbound.receive(0) else { return Err(None) };
        let source = Source { pair, inbound };
        Box::pin(incoming::handle(&self.server, source, &stanza, tag)).await;
        Ok(())
    }

    /// The next event of a stream that is not identified yet.
    async fn event(&mut self, mut peer: Option<&mut Peer>) -> Result<Event, End> {
        loop {
            if let Some(event) = self.next()? {
                return Ok(event);
            }
            let read = match &mut peer {
                Some(peer) => tokio::select! {
                    read = read_into(&mut self.stream, &mut self.reader) => read,
                    () = peer.admission.evicted() => {
                        return Err(error(StreamCondition::ResourceConstraint));
                    }
                },
                None => read_into(&mut self.stream, &mut self.reader).await,
            };
            match read {
                Ok(0) | Err(_) => return Err(None),
                Ok(_) => {}
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        let writing = timeout(PATIENCE, self.stream.write_all(bytes)).await;
        match writing {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(None),
        }
    }

    /// Says why, if there is something to say, and closes.
    async fn finish(&mut self, end: End) {
        // The end of a stanza that was begun.
        let out = std::mem::take(&mut self.out);
        if self.write(out.get(self.written..).unwrap_or_default()).await.is_err() {
            return;
        }
        if let Some(reason) = end {
            if !self.opened {
                let _ = self.open("", "").await;
            }
            let mut last = reason.element().to_bytes(ns::CLIENT).to_vec();
            last.extend_from_slice(b"</stream:stream>");
            let _ = self.write(&last).await;
        } else if self.opened {
            let _ = self.write(b"</stream:stream>").await;
        }
        let _ = timeout(PATIENCE, self.stream.shutdown()).await;
    }
}

/// XEP-0114 §3: what only who knows the secret can say of a stream.
fn proof(id: &str, secret: &str) -> String {
    let digest = Sha1::new().chain_update(id).chain_update(secret).finalize();
    digest.iter().fold(String::with_capacity(40), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// How long a component may leave its socket unread.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_a_hash_in_small_letters() {
        // SHA-1 of "abc", whose parts are the id and the secret.
        assert_eq!(proof("a", "bc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
