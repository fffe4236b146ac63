//! RFC 7395: XMPP over WebSocket, made to look like the byte streams of the other transports.
//!
//! Reading gives the bytes of text messages, each followed by a newline: whitespace between
//! elements means nothing, and half an element before it would be malformed anyway. Each write is
//! sent as one message, which is what [`super::wire::Output`] does with each element.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message, Utf8Bytes,
        protocol::{Role, WebSocketConfig},
    },
};
use xmpp::xml::Limits;

use super::{negotiate::BUDGET, wire::Transport, ws_gate::Gated};

/// A WebSocket that carries XMPP.
pub struct WebSocket<T> {
    inner: WebSocketStream<Gated<T>>,
    received: Bytes,
    newline: bool,
}

impl<T: AsyncRead + AsyncWrite + Unpin> WebSocket<T> {
    /// Takes over a connection whose WebSocket handshake is done. Messages may have `limit` bytes,
    /// and what other transports may send before login until the client has logged in.
    pub async fn new(stream: T, limit: usize) -> Self {
        let config = WebSocketConfig::default()
            .max_message_size(Some(limit))
            .max_frame_size(Some(limit))
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0);
        let gated = Gated::new(stream, Limits::BEFORE_AUTH.element_bytes, BUDGET + HEADS);
        let inner = WebSocketStream::from_raw_socket(gated, Role::Server, Some(config)).await;
        Self { inner, received: Bytes::new(), newline: false }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for WebSocket<T> {
    fn admitted(&mut self) {
        self.inner.get_mut().open();
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocket<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if !self.received.is_empty() {
                let length = self.received.len().min(buffer.remaining());
                buffer.put_slice(&self.received[..length]);
                self.received.advance(length);
                self.newline = self.received.is_empty();
                return Poll::Ready(Ok(()));
            }
            if std::mem::take(&mut self.newline) && buffer.remaining() > 0 {
                buffer.put_slice(b"\n");
                return Poll::Ready(Ok(()));
            }
            match ready!(Pin::new(&mut self.inner).poll_next(context)) {
                Some(Ok(Message::Text(text))) => self.received = text.into(),
                // RFC 7395 §3.2: binary messages are not XMPP.
                Some(Ok(Message::Binary(_))) => {
                    return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
                }
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Ok(())),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(ended(error)),
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocket<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.inner).poll_ready(context)).map_err(io::Error::other)?;
        let text = Utf8Bytes::try_from(Bytes::copy_from_slice(bytes)).map_err(io::Error::other)?;
        Pin::new(&mut self.inner).start_send(Message::Text(text)).map_err(io::Error::other)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context).map_err(io::Error::other)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(context).map_err(io::Error::other)
    }
}

/// A peer that closes the connection has closed the stream, in whatever way it did.
fn ended(error: tungstenite::Error) -> io::Result<()> {
    match error {
        tungstenite::Error::ConnectionClosed
        | tungstenite::Error::AlreadyClosed
        | tungstenite::Error::Protocol(
            tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        ) => Ok(()),
        tungstenite::Error::Io(error) => Err(error),
        tungstenite::Error::Capacity(error) => {
            Err(io::Error::new(io::ErrorKind::QuotaExceeded, error))
        }
        other => Err(io::Error::new(io::ErrorKind::InvalidData, other)),
    }
}

/// Bytes of the read buffer; the library's default of 128 KiB is a lot for an idle client.
const READ_BUFFER: usize = 4096;
/// What the heads of frames may take before login, beside the XML in them.
const HEADS: usize = 4096;
