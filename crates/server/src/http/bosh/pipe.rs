//! The stream behind a BOSH session, made to look like a WebSocket: every write is one element.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use parking_lot::{Mutex, MutexGuard};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::oneshot,
};

use super::exchange::{Asked, Ending, Exchange};
use crate::net::wire::Transport;

/// One BOSH session, between the requests and the stream.
pub struct Session {
    /// How long a request waits for an answer.
    wait: Duration,
    state: Mutex<State>,
}

struct State {
    exchange: Exchange,
    /// What the client said and the stream has not read.
    input: BytesMut,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Nothing more comes from the client.
    hung_up: bool,
    /// The client has logged in.
    admitted: bool,
    /// Since when nobody waits for an answer.
    idle: Instant,
}

impl Session {
    /// A session whose requests wait so long for an answer, and the stream's end of it.
    #[must_use]
    pub fn new(exchange: Exchange, wait: Duration) -> (Arc<Session>, Pipe) {
        let state = State {
            exchange,
            input: BytesMut::new(),
            reader: None,
            writer: None,
            hung_up: false,
            admitted: false,
            idle: Instant::now(),
        };
        let session = Arc::new(Session { wait, state: Mutex::new(state) });
        (session.clone(), Pipe(session))
    }

    /// How long a request waits for an answer (XEP-0124 § Session Creation Response).
    #[must_use]
    pub fn wait(&self) -> Duration {
        self.wait
    }

    /// Whether the client has logged in.
    #[must_use]
    pub fn is_admitted(&self) -> bool {
        self.state.lock().admitted
    }

    /// Whether the session is over and its client knows.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state.lock().exchange.is_over()
    }

    /// How long nobody has waited for an answer.
    #[must_use]
    pub fn idle(&self) -> Duration {
        let mut state = self.state.lock();
        if state.exchange.is_attended() {
            state.idle = Instant::now();
        }
        state.idle.elapsed()
    }

    /// Takes a request; its answer comes through the channel.
    pub fn take(&self, rid: u64, asked: Asked) -> oneshot::Receiver<Bytes> {
        let mut state = self.state.lock();
        let State { exchange, input, hung_up, .. } = &mut *state;
        let answer = exchange.take(rid, asked, |asked| {
            input.put_slice(&asked.payload);
            *hung_up |= asked.terminate;
        });
        *hung_up |= exchange.has_ended();
        state.settle();
        answer
    }

    /// Request `rid` has waited long enough.
    pub fn expire(&self, rid: u64) {
        let mut state = self.state.lock();
        state.exchange.expire(rid);
        state.hung_up |= state.exchange.has_ended();
        state.settle();
    }

    /// The client does not come back: the stream is lost, as when a connection breaks.
    pub fn hang_up(&self) {
        let mut state = self.state.lock();
        state.hung_up = true;
        state.settle();
    }
}

impl State {
    /// After every change: answers what can be answered, wakes who can go on.
    fn settle(&mut self) {
        self.exchange.settle(self.input.is_empty());
        if (!self.input.is_empty() || self.hung_up)
            && let Some(reader) = self.reader.take()
        {
            reader.wake();
        }
        if (self.exchange.waiting() < WAITING || self.hung_up)
            && let Some(writer) = self.writer.take()
        {
            writer.wake();
        }
        if self.exchange.is_attended() {
            self.idle = Instant::now();
        }
    }
}

/// The stream's end of a session.
pub struct Pipe(Arc<Session>);

impl Pipe {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock()
    }
}

impl Transport for Pipe {
    fn admitted(&mut self) {
        self.state().admitted = true;
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if state.input.is_empty() {
            if state.hung_up {
                return Poll::Ready(Ok(()));
            }
            state.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let length = state.input.len().min(buffer.remaining());
        buffer.put_slice(&state.input[..length]);
        state.input.advance(length);
        if state.input.is_empty() {
            // The next burst allocates again.
            state.input = BytesMut::new();
            state.settle();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        element: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        if state.exchange.has_ended() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if state.exchange.waiting() >= WAITING {
            if state.hung_up {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            state.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        if element.starts_with(b"<stream:error") {
            state.exchange.put(element);
            state.exchange.end(ending(element));
        } else if element.starts_with(b"<close ") {
            state.exchange.end(Ending::Closed);
        } else if !element.starts_with(b"<open ") {
            // XEP-0206: the stream's header is not passed on.
            state.exchange.put(element);
        }
        Poll::Ready(Ok(element.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.state().settle();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        state.exchange.end(Ending::Closed);
        state.settle();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let mut state = self.state();
        state.hung_up = true;
        state.input.clear();
        state.exchange.end(Ending::Closed);
        state.settle();
    }
}

/// What a stream error is called in terms of BOSH (XEP-0124 § Terminal Binding Conditions).
fn ending(error: &[u8]) -> Ending {
    let says = |condition: &[u8]| error.windows(condition.len()).any(|at| at == condition);
    if says(b"<host-unknown ") {
        Ending::Condition("host-unknown")
    } else {
        Ending::Condition("remote-stream-error")
    }
}

/// Bytes that may wait for the client's next request. A stream that has more to say waits.
const WAITING: usize = 64 * 1024;
