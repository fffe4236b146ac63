//! XEP-0065: SOCKS5 Bytestreams: the proxy between two clients that cannot reach each other. Both come to
//! its port and name their stream; then the one who began, a user of this server, has it activated
//! (`ext/bytestreams.rs`).

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout, timeout_at},
};

use self::socks::{Greeting, Step, StreamName};
use crate::{
    limits::{Admission, Bucket},
    net::{conn::Peer, listen::down},
    server::Server,
};

pub mod socks;

/// Connections that wait for their streams, and streams that flow. A field of the server.
#[derive(Default)]
pub struct Bytestreams {
    waiting: Mutex<HashMap<StreamName, Pair>>,
    /// How many ends have waited so far.
    ends: AtomicU64,
    /// How many streams each account has.
    flowing: Mutex<HashMap<Box<str>, u64>>,
}

/// One or both ends of a stream.
struct Pair {
    ends: Vec<End>,
    /// Until when they may wait.
    until: Instant,
}

struct End {
    stream: TcpStream,
    admission: Admission,
    /// What tells it from all others.
    number: u64,
}

/// Whether the client has closed its connection. What it sent stays there to be read.
fn is_gone(stream: &TcpStream) -> bool {
    let mut byte = [0];
    let peek = std::pin::pin!(stream.peek(&mut byte));
    let mut context = Context::from_waker(Waker::noop());
    matches!(peek.poll(&mut context), Poll::Ready(Ok(0) | Err(_)))
}

/// Why a stream is not activated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody waits for it.
    Unknown,
    /// One end waits.
    Half,
    /// The account has enough of them.
    TooMany,
}

impl Bytestreams {
    /// Whether somebody more may wait. Those who have gone meanwhile are forgotten.
    fn has_room(&self, name: &StreamName, now: Instant) -> bool {
        let mut waiting = self.waiting.lock();
        waiting.retain(|_, pair| {
            pair.ends.retain(|end| !is_gone(&end.stream));
            pair.until > now && !pair.ends.is_empty()
        });
        match waiting.get(name) {
            Some(pair) => pair.ends.len() < 2,
            None => waiting.len() < MOST_WAITING,
        }
    }

    /// Ends the connection of one who waits.
    fn leave(&self, name: &StreamName, number: u64) {
        let mut waiting = self.waiting.lock();
        if let Some(pair) = waiting.get_mut(name) {
            pair.ends.retain(|end| end.number != number);
            if pair.ends.is_empty() {
                waiting.remove(name);
            }
        }
    }

    /// Notes that somebody waits. Gives the connection back when it is too late or too much.
    fn wait(&self, name: &StreamName, end: End, now: Instant) -> Result<(), End> {
        if !self.has_room(name, now) {
            return Err(end);
        }
        let mut waiting = self.waiting.lock();
        let pair = waiting
            .entry(*name)
            .or_insert_with(|| Pair { ends: Vec::with_capacity(2), until: now + WAITING });
        if pair.ends.len() == 2 {
            return Err(end);
        }
        pair.ends.push(end);
        Ok(())
    }

    /// Ends the connections that have waited too long.
    fn tidy(&self, now: Instant) {
        self.waiting.lock().retain(|_, pair| pair.until > now);
    }

    fn take(&self, name: &StreamName, now: Instant) -> Result<[End; 2], Refusal> {
        let mut waiting = self.waiting.lock();
        waiting.retain(|_, pair| pair.until > now);
        match waiting.get(name).map(|pair| pair.ends.len()) {
            None => return Err(Refusal::Unknown),
            Some(2) => {}
            Some(_) => return Err(Refusal::Half),
        }
        let ends = waiting.remove(name).map(|pair| pair.ends).unwrap_or_default();
        <[End; 2]>::try_from(ends).map_err(|_| Refusal::Half)
    }
}

/// A place among the streams of an account. Given back when dropped.
struct Place {
    server: Arc<Server>,
    account: Box<str>,
}

impl Place {
    fn take(server: &Arc<Server>, account: &str) -> Option<Place> {
        let most = server.config().bytestreams.streams_per_account;
        let mut flowing = server.bytestreams.flowing.lock();
        let count = flowing.entry(account.into()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { server: server.clone(), account: account.into() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut flowing = self.server.bytestreams.flowing.lock();
        if let Some(count) = flowing.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                flowing.remove(&self.account);
            }
        }
    }
}

/// Lets the ends of a stream talk, for an account.
///
/// # Errors
/// When they are not there, or the account has enough streams.
pub fn activate(server: &Arc<Server>, account: &str, name: &StreamName) -> Result<(), Refusal> {
    let place = Place::take(server, account).ok_or(Refusal::TooMany)?;
    let [first, second] = server.bytestreams.take(name, Instant::now())?;
    let server = server.clone();
    tokio::spawn(async move { flow(&server, place, first, second).await });
    Ok(())
}

/// A connection, from its first byte until it waits.
pub async fn serve(server: Arc<Server>, mut stream: TcpStream, peer: Peer) {
    let patience = server.config().limits.unauthenticated();
    let greeted = tokio::select! {
        greeted = timeout(patience, greet(&mut stream)) => greeted,
        () = peer.admission.evicted() => return,
    };
    let Ok(Some(name)) = greeted else { return };
    if !server.bytestreams.has_room(&name, Instant::now()) {
        let _ = stream.write_all(socks::NOT_ALLOWED).await;
        return;
    }
    // The answer comes before the stream can be activated: nothing that the other side sends may
    // stand before it.
    if stream.write_all(&socks::granted(&name)).await.is_err() {
        return;
    }
    let number = server.bytestreams.ends.fetch_add(1, Ordering::Relaxed);
    let evicted = peer.admission.eviction();
    let end = End { stream, admission: peer.admission, number };
    if server.bytestreams.wait(&name, end, Instant::now()).is_err() {
        return;
    }
    let mut shutdown = server.shutdown.subscribe();
    tokio::select! {
        () = sleep(WAITING + Duration::from_secs(1)) => server.bytestreams.tidy(Instant::now()),
        () = down(&mut shutdown) => server.bytestreams.waiting.lock().clear(),
        () = evicted => server.bytestreams.leave(&name, number),
    }
}

async fn greet(stream: &mut TcpStream) -> Option<StreamName> {
    let mut greeting = Greeting::default();
    let mut piece = [0; 256];
    loop {
        let length = stream.read(&mut piece).await.ok().filter(|length| *length > 0)?;
        let mut step = greeting.push(piece.get(..length)?);
        while let Step::Answer(answer) = step {
            stream.write_all(answer).await.ok()?;
            step = greeting.push(b"");
        }
        match step {
            Step::Named(name) => return Some(name),
            Step::Refuse(answer) => {
                let _ = stream.write_all(answer).await;
                return None;
            }
            Step::More | Step::Answer(_) => {}
        }
    }
}

/// Both ways, until both ends are through, nothing has passed for a while, or the server goes down.
async fn flow(server: &Arc<Server>, place: Place, first: End, second: End) {
    let _place = place;
    let mut admissions = [first.admission, second.admission];
    for admission in &mut admissions {
        admission.authenticated();
    }
    let (first_in, first_out) = first.stream.into_split();
    let (second_in, second_out) = second.stream.into_split();
    let config = server.config();
    let pace = config.limits.throttle.then_some(config.bytestreams.bytes_per_second);
    let pace = || pace.map(|pace| Bucket::new(pace, Instant::now()));
    let count = |bytes| server.metrics.bytestream_bytes.add(bytes);
    let moved = Moved::new(Duration::from_secs(config.bytestreams.idle_seconds));
    let mut shutdown = server.shutdown.subscribe();
    tokio::select! {
        _ = async {
            tokio::join!(
                copy(&moved, pace(), count, first_in, second_out),
                copy(&moved, pace(), count, second_in, first_out),
            )
        } => {}
        () = down(&mut shutdown) => {}
    }
}

/// When something passed last, either way: a file goes one way for a long time.
struct Moved {
    last: Mutex<tokio::time::Instant>,
    idle: Duration,
}

impl Moved {
    fn new(idle: Duration) -> Self {
        Self { last: Mutex::new(tokio::time::Instant::now()), idle }
    }

    /// Something passed, and for as long as `pause` nothing more shall.
    fn note(&self, pause: Duration) {
        *self.last.lock() = tokio::time::Instant::now() + pause;
    }

    /// Waits for something, for as long as anything passes; `None` when nothing did for too long.
    async fn patient<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            let until = *self.last.lock() + self.idle;
            match timeout_at(until, &mut work).await {
                Ok(done) => return Some(done),
                Err(_) if *self.last.lock() + self.idle <= until => return None,
                Err(_) => {}
            }
        }
    }
}

/// One way, until its end. The other way may go on.
async fn copy(
    moved: &Moved,
    mut pace: Option<Bucket>,
    count: impl Fn(u64),
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) {
    let mut buffer = vec![0; PIECE];
    loop {
        let Some(Ok(length)) = moved.patient(from.read(&mut buffer)).await else { return };
        let Some(piece) = buffer.get(..length).filter(|piece| !piece.is_empty()) else { break };
        let Some(Ok(())) = moved.patient(to.write_all(piece)).await else { return };
        count(length as u64);
        let pause = pace.as_mut().map(|pace| pace.take(length as u64, Instant::now()));
        let pause = pause.unwrap_or_default();
        moved.note(pause);
        sleep(pause).await;
    }
    let _ = to.shutdown().await;
}

/// How long an end waits for the other one and for the activation.
const WAITING: Duration = Duration::from_secs(60);
/// Streams that wait at a time.
const MOST_WAITING: usize = 1000;
const PIECE: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    #[tokio::test]
    async fn a_file_that_goes_one_way_is_not_cut() {
        let moved = Moved::new(Duration::from_secs(1));
        let (mut sender, near) = duplex(PIECE);
        let (far, mut receiver) = duplex(PIECE);
        let (near_in, near_out) = tokio::io::split(near);
        let (far_in, far_out) = tokio::io::split(far);
        let flow = async {
            tokio::join!(
                copy(&moved, None, |_| {}, near_in, far_out),
                copy(&moved, None, |_| {}, far_in, near_out),
            )
        };
        let people = async {
            let begun = Instant::now();
            while begun.elapsed() < 2 * moved.idle {
                sender.write_all(b"piece").await.unwrap();
                receiver.read_exact(&mut [0; 5]).await.unwrap();
                sleep(moved.idle / 50).await;
            }
            // Nothing came back for longer than that, and now something does.
            receiver.write_all(b"thanks").await.unwrap();
            sender.read_exact(&mut [0; 6]).await.unwrap();
        };
        tokio::join!(flow, people);
    }

    #[tokio::test]
    async fn whoever_closed_the_connection_is_gone() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(!is_gone(&stream), "who is silent is there");
        client.write_all(b"x").await.unwrap();
        stream.readable().await.unwrap();
        assert!(!is_gone(&stream));
        stream.read_exact(&mut [0]).await.unwrap();
        drop(client);
        stream.readable().await.unwrap();
        assert!(is_gone(&stream));
    }

    #[tokio::test]
    async fn a_silent_stream_ends() {
        let moved = Moved::new(Duration::from_millis(10));
        assert_eq!(moved.patient(std::future::pending::<()>()).await, None);
    }
}
