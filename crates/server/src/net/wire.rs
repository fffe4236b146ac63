//! Reading and writing of one client connection, the same for TCP, TLS and WebSocket.

use std::{cell::RefCell, future::poll_fn, io, pin::Pin, task::Poll};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;
use xmpp::xml::Reader;

use crate::session::frame::{Frame, tag, write_recipient};

/// A connection that carries XML: a byte stream, or a WebSocket's messages made to look like one.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send {
    /// The client has logged in. A transport that reads ahead of the XML bounds what it keeps before
    /// that.
    fn admitted(&mut self) {}
}

impl Transport for TcpStream {}

#[cfg(any(test, feature = "model"))]
impl Transport for tokio::io::DuplexStream {}

impl Transport for Box<TlsStream<TcpStream>> {}

// To another server, which is no client.
impl Transport for Box<tokio_rustls::client::TlsStream<TcpStream>> {}

/// Bytes taken from a socket at a time. TLS records are at most this large.
const READ_SIZE: usize = 16 * 1024;

thread_local! {
    // One buffer a thread instead of one a connection: an idle connection costs no read buffer.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_SIZE].into_boxed_slice());
}

/// Reads what is there into `reader`. Returns the number of bytes; 0 means that the peer closed.
/// Cancel-safe: bytes are never lost.
///
/// # Errors
/// Those of the transport.
pub async fn read_into<T: AsyncRead + Unpin>(
    transport: &mut T,
    reader: &mut Reader,
) -> io::Result<usize> {
    poll_fn(|context| {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            match Pin::new(&mut *transport).poll_read(context, &mut buffer) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) => {
                    reader.push(buffer.filled());
                    Poll::Ready(Ok(buffer.filled().len()))
                }
            }
        })
    })
    .await
}

/// Collects what is to be written and writes it at once.
///
/// On WebSockets every element is a message of its own (RFC 7395 §3.1), so the boundaries are kept.
#[derive(Debug, Default)]
pub struct Output {
    bytes: Vec<u8>,
    /// Ends of the elements, kept only for WebSockets.
    ends: Vec<usize>,
    websocket: bool,
    /// The recipient of stanzas that are shared, as an attribute.
    to: Box<[u8]>,
}

impl Output {
    /// An empty output for a connection of the given kind, of the session with this full address.
    #[must_use]
    pub fn new(websocket: bool, to: &str) -> Self {
        let mut attribute = Vec::new();
        write_recipient(&mut attribute, to);
        Self { bytes: Vec::new(), ends: Vec::new(), websocket, to: attribute.into() }
    }

    /// Appends one complete element that needs no change, such as a nonza.
    pub fn element(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.websocket {
            self.ends.push(self.bytes.len());
        }
    }

    /// Appends a stanza. Its root carries no default namespace; on a WebSocket, where no stream
    /// header declares one, it is added (RFC 7395 §3.3.3).
    pub fn frame(&mut self, frame: &Frame) {
        let name = tag(frame.kind);
        match frame.bytes.strip_prefix(name) {
            Some(rest) if (self.websocket || frame.shared) && !name.is_empty() => {
                self.bytes.extend_from_slice(name);
                if self.websocket {
                    self.bytes.extend_from_slice(b" xmlns='jabber:client'");
                }
                if frame.shared {
                    self.bytes.extend_from_slice(&self.to);
                }
                self.element(rest);
            }
            _ => self.element(&frame.bytes),
        }
    }

    /// Whether nothing waits to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What waits to be written, for tests.
    #[cfg(test)]
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Bytes that wait to be written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Writes everything out and gives the buffer back to the system when it has grown.
    ///
    /// # Errors
    /// Those of the transport.
    pub async fn flush<T: Transport>(&mut self, transport: &mut T) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        if self.websocket {
            let mut start = 0;
            for end in self.ends.drain(..) {
                // One write is one message: the WebSocket transport frames it so.
                transport.write_all(&self.bytes[start..end]).await?;
                start = end;
            }
        } else {
            transport.write_all(&self.bytes).await?;
        }
        transport.flush().await?;
        self.bytes.clear();
        // The next burst allocates again; thousands of idle connections keep nothing.
        self.bytes.shrink_to(0);
        self.ends.shrink_to(0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn what_many_get_is_addressed_on_its_way_out() {
        let presence = Frame::presence(Bytes::from_static(b"<presence from='a@b/c'/>"));
        for (websocket, shared, expected) in [
            (false, false, "<presence from='a@b/c'/>"),
            (false, true, "<presence to='o&apos;brien@a/x' from='a@b/c'/>"),
            (true, true, "<presence xmlns='jabber:client' to='o&apos;brien@a/x' from='a@b/c'/>"),
        ] {
            let mut out = Output::new(websocket, "o'brien@a/x");
            out.frame(&presence.clone().shared(shared));
            assert_eq!(out.text(), expected);
        }
    }
}
