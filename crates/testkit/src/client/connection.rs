//! One connection to a server: TCP, TLS or WebSocket, with a reader of elements on top.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::websocket::{self, Frames, Message};
use crate::tree::{Found, Framing, Reader, Tree};

/// The only use of time in tests: how long to wait before calling an answer missing.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// What arrived on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// The XML declaration before a stream header.
    Declaration,
    /// A stream header; over WebSocket `<open/>` arrives as an element instead.
    Header(Tree),
    /// A complete element.
    Element(Tree),
    /// `</stream:stream>`.
    Close,
    /// Nothing will follow, and why.
    End(String),
}

/// What to trust and whom to name when TLS starts.
#[derive(Clone)]
pub struct Trust {
    roots: Arc<rustls::RootCertStore>,
    domain: String,
    identity: Option<Identity>,
}

/// A certificate with what belongs to it, the end entity first, and its key.
pub type Identity = Arc<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>;

impl Trust {
    /// Trusts one certificate authority for one domain.
    ///
    /// # Panics
    /// If the certificate is not one; test certificates are made by the tests.
    pub fn new(authority: &CertificateDer<'_>, domain: &str) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(authority.clone().into_owned()).expect("a CA certificate");
        Trust { roots: Arc::new(roots), domain: domain.to_owned(), identity: None }
    }

    /// The same, with a certificate of one's own to show.
    #[must_use]
    pub fn showing(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// The authorities that are trusted, for clients with a TLS of their own.
    pub fn roots(&self) -> Arc<rustls::RootCertStore> {
        self.roots.clone()
    }

    /// The domain whose certificate is expected.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    pub(super) async fn handshake(
        &self,
        tcp: TcpStream,
        alpn: Option<&str>,
    ) -> io::Result<TlsStream<TcpStream>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(self.roots.clone());
        let mut config = match self.identity.as_deref() {
            Some((chain, key)) => builder
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .map_err(io::Error::other)?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from(self.domain.clone()).map_err(io::Error::other)?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
        Ok(TlsStream::Client(stream))
    }
}

enum Transport {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// While one becomes the other.
    Gone,
}

impl Transport {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Transport::Tcp(stream) => stream.read(buffer).await,
            Transport::Tls(stream) => stream.read(buffer).await,
            Transport::Gone => Ok(0),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Transport::Tcp(stream) => stream.write_all(bytes).await,
            Transport::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
            Transport::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

/// A connection to a server.
pub struct Connection {
    transport: Transport,
    reader: Reader,
    frames: Option<Frames>,
    pending: VecDeque<Incoming>,
    ended: bool,
}

impl Connection {
    /// Connects by TCP.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn tcp(address: SocketAddr) -> io::Result<Self> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        Ok(Self::over(Transport::Tcp(tcp), Framing::Stream))
    }

    /// XEP-0368: connects by TCP and starts TLS at once, for `xmpp-client` or `xmpp-server`.
    ///
    /// # Errors
    /// When nobody listens or TLS fails.
    pub async fn direct_tls(address: SocketAddr, trust: &Trust, alpn: &str) -> io::Result<Self> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let tls = trust.handshake(tcp, Some(alpn)).await?;
        Ok(Self::over(Transport::Tls(Box::new(tls)), Framing::Stream))
    }

    /// A connection that another server opened.
    pub fn accepted(tcp: TcpStream) -> Self {
        Self::over(Transport::Tcp(tcp), Framing::Stream)
    }

    /// RFC 7395: connects by HTTPS and asks for a WebSocket.
    ///
    /// # Errors
    /// When nobody listens, TLS fails or the server does not speak XMPP over WebSocket there.
    pub async fn websocket(address: SocketAddr, trust: &Trust, path: &str) -> io::Result<Self> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let tls = trust.handshake(tcp, Some("http/1.1")).await?;
        let mut connection = Self::over(Transport::Tls(Box::new(tls)), Framing::Documents);
        let request = websocket::upgrade_request(&trust.domain, path);
        connection.transport.write(request.as_bytes()).await?;
        let mut response = Vec::new();
        while !response.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if connection.transport.read(&mut byte).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            response.push(byte[0]);
        }
        websocket::check_upgrade(&String::from_utf8_lossy(&response)).map_err(io::Error::other)?;
        connection.frames = Some(Frames::default());
        Ok(connection)
    }

    fn over(transport: Transport, framing: Framing) -> Self {
        let reader = Reader::new(framing);
        Connection { transport, reader, frames: None, pending: VecDeque::new(), ended: false }
    }

    /// True for a WebSocket, where every element is a document of its own.
    pub fn is_websocket(&self) -> bool {
        self.frames.is_some()
    }

    /// True inside of TLS.
    pub fn is_encrypted(&self) -> bool {
        matches!(self.transport, Transport::Tls(_))
    }

    /// Starts TLS on a TCP connection, RFC 6120 §5.4.3; the stream begins anew.
    ///
    /// # Errors
    /// When the handshake fails.
    pub async fn start_tls(&mut self, trust: &Trust) -> io::Result<()> {
        let Transport::Tcp(tcp) = std::mem::replace(&mut self.transport, Transport::Gone) else {
            return Err(io::Error::other("TLS is there already"));
        };
        // RFC 7301 in STARTTLS is optional; without it the server must not insist.
        let tls = trust.handshake(tcp, None).await?;
        self.transport = Transport::Tls(Box::new(tls));
        self.reader = Reader::new(Framing::Stream);
        Ok(())
    }

    /// The same on the side that was connected to. Gives the protocol that was agreed on (RFC 7301).
    ///
    /// # Errors
    /// When the handshake fails.
    pub async fn accept_tls(&mut self, config: Arc<ServerConfig>) -> io::Result<Option<String>> {
        let Transport::Tcp(tcp) = std::mem::replace(&mut self.transport, Transport::Gone) else {
            return Err(io::Error::other("TLS is there already"));
        };
        let tls = TlsAcceptor::from(config).accept(tcp).await?;
        let protocol = tls.get_ref().1.alpn_protocol().map(|it| String::from_utf8_lossy(it).into());
        self.transport = Transport::Tls(Box::new(TlsStream::Server(tls)));
        self.reader = Reader::new(Framing::Stream);
        Ok(protocol)
    }

    /// Expects a new stream header, RFC 6120 §4.3.3.
    pub fn restart(&mut self) {
        self.reader.restart();
    }

    /// Writes bytes as they are; over WebSocket as one text message.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.frames {
            Some(_) => {
                let frame = websocket::text_frame(&String::from_utf8_lossy(bytes));
                self.transport.write(&frame).await
            }
            None => self.transport.write(bytes).await,
        }
    }

    /// Ends a WebSocket the way RFC 6455 §7.1.2 wants; TCP and TLS just end.
    pub async fn close(&mut self) {
        if self.frames.is_some() {
            let _ = self.transport.write(&websocket::close_frame()).await;
        }
    }

    /// What arrived and was not taken yet.
    pub fn pending(&mut self) -> &mut VecDeque<Incoming> {
        &mut self.pending
    }

    /// Reads what has come, at least one byte. May be cancelled without loss. After the end it never returns.
    pub async fn fill(&mut self) {
        if self.ended {
            return std::future::pending().await;
        }
        let mut buffer = vec![0; 64 * 1024];
        match self.transport.read(&mut buffer).await {
            Ok(0) => self.end("the connection was closed".into()),
            Err(error) => self.end(format!("the connection failed: {error}")),
            Ok(length) => {
                if let Err(why) = self.take(&buffer[..length]).await {
                    self.end(format!("the server sent what is not XML for a client: {why}"));
                }
            }
        }
    }

    fn end(&mut self, why: String) {
        self.ended = true;
        self.pending.push_back(Incoming::End(why));
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(frames) = &mut self.frames else {
            self.reader.push(bytes);
            return self.collect();
        };
        frames.push(bytes);
        while let Some(message) = self.frames.as_mut().map_or(Ok(None), Frames::next)? {
            match message {
                Message::Text(text) => {
                    self.reader.push(text.as_bytes());
                    self.collect()?;
                }
                Message::Ping(payload) => {
                    let _ = self.transport.write(&websocket::pong_frame(&payload)).await;
                }
                Message::Close(reason) => {
                    self.end(reason);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn collect(&mut self) -> Result<(), String> {
        while let Some(found) = self.reader.read()? {
            self.pending.push_back(match found {
                Found::Declaration => Incoming::Declaration,
                Found::Header(header) => Incoming::Header(header),
                Found::Element(element) => Incoming::Element(element),
                Found::Close => Incoming::Close,
            });
        }
        Ok(())
    }

    /// The next thing to arrive.
    ///
    /// # Errors
    /// When nothing arrives for as long as [`PATIENCE`].
    pub async fn next(&mut self) -> io::Result<Incoming> {
        loop {
            if let Some(incoming) = self.pending.pop_front() {
                return Ok(incoming);
            }
            tokio::time::timeout(PATIENCE, self.fill()).await.map_err(|_| {
                io::Error::new(io::ErrorKind::TimedOut, "the server did not answer")
            })?;
        }
    }

    /// The next element; headers and declarations are passed over.
    ///
    /// # Errors
    /// When the stream ends instead.
    pub async fn element(&mut self) -> io::Result<Tree> {
        loop {
            match self.next().await? {
                Incoming::Element(element) => return Ok(element),
                Incoming::Header(_) | Incoming::Declaration => {}
                Incoming::Close => return Err(io::Error::other("the server closed the stream")),
                Incoming::End(why) => return Err(io::Error::other(why)),
            }
        }
    }

    /// Channel binding data of this TLS connection, `None` without TLS or for an unknown type.
    pub fn channel_binding(&self, kind: &str) -> Option<Vec<u8>> {
        let Transport::Tls(tls) = &self.transport else { return None };
        let TlsStream::Client(tls) = &**tls else { return None };
        let (_, session) = tls.get_ref();
        match kind {
            // RFC 9266 §2: 32 bytes, this label, an empty context.
            "tls-exporter" => {
                let out = session
                    .export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""))
                    .ok()?;
                Some(out.to_vec())
            }
            // RFC 5929 §4.1: the hash of the certificate; test certificates are signed with SHA-256.
            "tls-server-end-point" => {
                let certificate = session.peer_certificates()?.first()?;
                Some(Sha256::digest(certificate).to_vec())
            }
            _ => None,
        }
    }
}
