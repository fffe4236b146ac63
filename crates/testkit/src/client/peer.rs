//! Another server, as far as tests need one: it says what it wants, not what it should.

use std::io;
use std::net::SocketAddr;

use base64::Engine as _;

use super::connection::{Connection, Incoming, Trust};
use crate::tree::{Tree, escape};

/// A stream from one domain to another (RFC 6120 between servers).
pub struct Peer {
    connection: Connection,
    from: String,
    to: String,
}

impl Peer {
    /// Connects, goes through STARTTLS and opens the stream inside of TLS. Gives the features that are
    /// offered then. `trust` knows the authority of the other side and shows the own certificate.
    ///
    /// # Errors
    /// When the other side does not come along.
    pub async fn connect(
        address: SocketAddr,
        trust: &Trust,
        from: &str,
        to: &str,
    ) -> io::Result<(Self, Tree)> {
        let connection = Connection::tcp(address).await?;
        let mut peer = Peer { connection, from: from.to_owned(), to: to.to_owned() };
        peer.open().await?;
        peer.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await?;
        let answer = peer.receive().await?;
        if answer.name != "proceed" {
            return Err(io::Error::other(format!("no TLS but {}", answer.pretty())));
        }
        peer.connection.start_tls(trust).await?;
        let features = peer.open().await?;
        Ok((peer, features))
    }

    /// Sends a header and takes the answer to it.
    async fn open(&mut self) -> io::Result<Tree> {
        let (from, to) = (escape(&self.from), escape(&self.to));
        let header = format!(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
             xmlns:stream='http://etherx.jabber.org/streams' \
             xmlns:db='jabber:server:dialback' from='{from}' to='{to}' version='1.0'>"
        );
        self.send(&header).await?;
        self.receive().await
    }

    /// SASL EXTERNAL: the certificate says who this is. The stream is open anew afterwards.
    ///
    /// # Errors
    /// When it is not believed.
    pub async fn authenticate(&mut self) -> io::Result<()> {
        let name = base64::engine::general_purpose::STANDARD.encode(&self.from);
        self.send(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>{name}</auth>"
        ))
        .await?;
        let answer = self.receive().await?;
        if answer.name != "success" {
            return Err(io::Error::other(answer.pretty()));
        }
        self.connection.restart();
        self.open().await.map(drop)
    }

    /// Sends XML as it is.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, xml: &str) -> io::Result<()> {
        self.connection.write(xml.as_bytes()).await
    }

    /// The next element.
    ///
    /// # Errors
    /// When the stream ends, or nothing comes.
    pub async fn receive(&mut self) -> io::Result<Tree> {
        self.connection.element().await
    }

    /// Waits until the other side has ended the stream. Gives the elements that came before.
    ///
    /// # Errors
    /// When it does not.
    pub async fn until_closed(&mut self) -> io::Result<Vec<Tree>> {
        let mut seen = Vec::new();
        loop {
            match self.connection.next().await? {
                Incoming::Element(element) => seen.push(element),
                Incoming::Close | Incoming::End(_) => return Ok(seen),
                Incoming::Header(_) | Incoming::Declaration => {}
            }
        }
    }
}
