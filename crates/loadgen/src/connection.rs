//! One XML stream over one socket, read piece by piece.

use anyhow::{Context, Result, anyhow, bail};
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::scan::{self, Piece, Scanner};

/// The stream of a client after TLS.
pub type Secured = TlsStream<TcpStream>;
/// The reading half of a client.
pub type Incoming = Reader<ReadHalf<Secured>>;
/// The writing half of a client.
pub type Outgoing = WriteHalf<Secured>;

/// What a stream brought, as bytes of the reader's buffer.
#[derive(Debug, Clone, Copy)]
pub enum Frame<'a> {
    /// The stream header, with the XML declaration.
    Header(&'a [u8]),
    /// A complete first-level element.
    Stanza(&'a [u8]),
    /// The end of the stream, closed by the peer.
    Close,
}

/// Reads pieces from anything that has bytes.
#[derive(Debug)]
pub struct Reader<S> {
    stream: S,
    buffer: Vec<u8>,
    start: usize,
    scanner: Scanner,
    handled: u32,
}

impl<S: AsyncRead + Unpin> Reader<S> {
    /// A reader at the beginning of a stream.
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new(), start: 0, scanner: Scanner::default(), handled: 0 }
    }

    /// The next piece; waits for it. A closed socket is [`Frame::Close`] too.
    pub async fn next(&mut self) -> Result<Frame<'_>> {
        let piece = loop {
            match self.scanner.next(&self.buffer[self.start..]) {
                Ok(Some(piece)) => break piece,
                Ok(None) if self.fill().await? => {}
                Ok(None) => return Ok(Frame::Close),
                Err(_) => bail!("not XMPP: {}", excerpt(&self.buffer[self.start..])),
            }
        };
        let from = self.start;
        let (Piece::Header(length) | Piece::Stanza(length) | Piece::Close(length)) = piece;
        self.start += length;
        let bytes = self.buffer[from..self.start].trim_ascii_start();
        if is_stanza(bytes) {
            self.handled = self.handled.wrapping_add(1);
        }
        Ok(match piece {
            Piece::Header(_) => Frame::Header(bytes),
            Piece::Stanza(_) => Frame::Stanza(bytes),
            Piece::Close(_) => Frame::Close,
        })
    }

    /// How many stanzas have come since [`Reader::count_from`]: the `h` of
    /// XEP-0198 §4, modulo 2^32 like there.
    pub fn handled(&self) -> u32 {
        self.handled
    }

    /// Sets the count of stanzas, when stream management begins or is resumed.
    pub fn count_from(&mut self, handled: u32) {
        self.handled = handled;
    }

    /// The next first-level element; the end of the stream is an error.
    pub async fn stanza(&mut self) -> Result<&[u8]> {
        match self.next().await? {
            Frame::Stanza(bytes) if scan::is_element(bytes, "stream:error") => {
                Err(anyhow!("stream error: {}", excerpt(bytes)))
            }
            Frame::Stanza(bytes) => Ok(bytes),
            Frame::Header(_) => bail!("a second stream header"),
            Frame::Close => bail!("the server closed the stream"),
        }
    }

    /// Takes the stream back, when nothing of it is left unread.
    pub fn into_inner(self) -> Result<S> {
        if self.start < self.buffer.len() {
            bail!("the peer sent more than it may: {}", excerpt(&self.buffer[self.start..]));
        }
        Ok(self.stream)
    }

    async fn fill(&mut self) -> Result<bool> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        if self.buffer.len() > MAX_PIECE {
            bail!("a piece of more than {MAX_PIECE} bytes");
        }
        self.buffer.reserve(READ_SIZE);
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }
}

/// A stream that one task both reads and writes: negotiation, and requests
/// that wait for their answers.
#[derive(Debug)]
pub struct Connection<S> {
    reader: Reader<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A connection on which nothing has been said yet.
    pub fn new(stream: S) -> Self {
        Self { reader: Reader::new(stream) }
    }

    /// Writes `text` and flushes it.
    pub async fn send(&mut self, text: impl AsRef<[u8]>) -> Result<()> {
        send(&mut self.reader.stream, text.as_ref()).await
    }

    /// See [`Reader::stanza`].
    pub async fn stanza(&mut self) -> Result<&[u8]> {
        self.reader.stanza().await
    }

    /// See [`Reader::next`].
    pub async fn next(&mut self) -> Result<Frame<'_>> {
        self.reader.next().await
    }

    /// See [`Reader::count_from`].
    pub fn count_from(&mut self, handled: u32) {
        self.reader.count_from(handled);
    }

    /// Sends an IQ whose id is `id` and returns the answer, result or error;
    /// other stanzas that come before it are dropped.
    pub async fn request(&mut self, id: &str, iq: impl AsRef<[u8]>) -> Result<String> {
        self.send(iq).await?;
        loop {
            let stanza = self.stanza().await?;
            if is_answer(stanza, id) {
                return Ok(String::from_utf8_lossy(stanza).into_owned());
            }
        }
    }

    /// Waits until the server has handled everything sent so far.
    pub async fn barrier(&mut self) -> Result<()> {
        self.request("barrier", PING).await.context("no answer to a ping").map(drop)
    }

    /// Tells the server how many stanzas have come (XEP-0198 §4).
    pub async fn acknowledge(&mut self) -> Result<()> {
        let handled = self.reader.handled();
        self.send(format!("<a xmlns='urn:xmpp:sm:3' h='{handled}'/>")).await
    }

    /// Closes the stream and waits until the server has closed it too.
    pub async fn close(mut self) -> Result<()> {
        self.send("</stream:stream>").await?;
        while !matches!(self.next().await, Ok(Frame::Close) | Err(_)) {}
        Ok(())
    }

    /// Takes the socket back, see [`Reader::into_inner`].
    pub fn into_inner(self) -> Result<S> {
        self.reader.into_inner()
    }

    /// Two halves for two tasks; what was read stays with the reader.
    pub fn split(self) -> (Reader<ReadHalf<S>>, WriteHalf<S>) {
        let Reader { stream, buffer, start, scanner, handled } = self.reader;
        let (read, write) = tokio::io::split(stream);
        (Reader { stream: read, buffer, start, scanner, handled }, write)
    }
}

/// Writes `bytes` and flushes them.
pub async fn send(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await?;
    Ok(())
}

/// Whether an element counts for XEP-0198: a message, presence or IQ.
pub fn is_stanza(bytes: &[u8]) -> bool {
    ["message", "iq", "presence"].into_iter().any(|name| scan::is_element(bytes, name))
}

/// Whether `stanza` is the answer to the IQ with this id.
pub fn is_answer(stanza: &[u8], id: &str) -> bool {
    scan::is_element(stanza, "iq")
        && scan::attribute(stanza, "id") == Some(id.as_bytes())
        && matches!(scan::attribute(stanza, "type"), Some(b"result" | b"error"))
}

/// The beginning of what came instead of what was expected, for an error.
pub fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned()
}

/// What a stanza of type `error` says is wrong, for an error.
pub fn complaint(stanza: &[u8]) -> String {
    excerpt(memmem::find(stanza, b"<error").map_or(stanza, |at| &stanza[at..]))
}

/// XEP-0199: XMPP Ping to the own account's server.
const PING: &str = "<iq type='get' id='barrier'><ping xmlns='urn:xmpp:ping'/></iq>";

/// Room made before each read; rustls hands out at most one record of 16 KiB.
const READ_SIZE: usize = 16 * 1024;

/// No server sends more in one element unless something is wrong.
const MAX_PIECE: usize = 4 * 1024 * 1024;
