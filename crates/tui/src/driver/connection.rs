//! One connection: a task that connects, reads, and writes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use client::Input;
use client::effect::{Lost, Target};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::timeout;
use xmpp::xml::Framing;

use super::Message;
use super::connect::{self, Connection, Ways};
use super::tls::{self, Pinned, Protocol};

/// What the core wants of a connection, in order.
enum Order {
    Send(Bytes),
    StartTls { domain: String, pinned: Option<[u8; 32]> },
    Close,
}

/// The core's end of a connection.
pub(super) struct Link {
    number: u64,
    orders: UnboundedSender<Order>,
    waiting: Arc<AtomicUsize>,
}

impl Link {
    /// Starts to connect. What happens comes through `inbox`, with the number of the link.
    pub(super) fn open(
        number: u64,
        ways: Ways,
        target: Target,
        inbox: mpsc::Sender<Message>,
    ) -> Self {
        // Bounded by its bytes, in `send`.
        let (orders, taken) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let queue = Queue { orders: taken, waiting: Arc::clone(&waiting) };
        tokio::spawn(async move {
            let teller = Teller { number, inbox };
            let lost = run(&ways, &target, queue, &teller).await;
            teller.tell(Input::Disconnected(lost)).await;
        });
        Self { number, orders, waiting }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Writes bytes. False when so many wait already that the connection must be dead.
    pub(super) fn send(&self, bytes: Bytes) -> bool {
        let before = self.waiting.fetch_add(bytes.len(), Ordering::Relaxed);
        before <= MOST_WAITING && self.order(Order::Send(bytes))
    }

    pub(super) fn start_tls(&self, domain: String, pinned: Option<[u8; 32]>) {
        self.order(Order::StartTls { domain, pinned });
    }

    pub(super) fn close(&self) {
        self.order(Order::Close);
    }

    /// False when the connection has ended; that it has is on its way to the core.
    fn order(&self, order: Order) -> bool {
        self.orders.send(order).is_ok()
    }
}

/// The task's end.
struct Queue {
    orders: UnboundedReceiver<Order>,
    waiting: Arc<AtomicUsize>,
}

impl Queue {
    /// `None` when the core has let go of the connection.
    async fn next(&mut self) -> Option<Order> {
        let order = self.orders.recv().await?;
        if let Order::Send(bytes) = &order {
            self.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
        }
        Some(order)
    }
}

struct Teller {
    number: u64,
    inbox: mpsc::Sender<Message>,
}

impl Teller {
    /// Waits for room: a slow core makes the server wait.
    async fn tell(&self, input: Input) {
        // The core is gone when the program ends.
        let _ = self.inbox.send(Message::Link(self.number, Box::new(input))).await;
    }
}

async fn run(ways: &Ways, target: &Target, mut queue: Queue, teller: &Teller) -> Lost {
    let connecting = connect::connect(ways, target);
    let connection = tokio::select! {
        connection = connecting => connection,
        // Only an end can be wanted of what is not there yet.
        _ = queue.next() => return Lost::Closed,
    };
    match connection {
        Err(lost) => lost,
        Ok(Connection::Direct(stream)) => {
            let facts = tls::facts(stream.get_ref().1);
            teller.tell(Input::Connected { tls: Some(facts), framing: Framing::Tcp }).await;
            talk(*stream, queue, teller).await
        }
        Ok(Connection::Plain(stream)) => {
            teller.tell(Input::Connected { tls: None, framing: Framing::Tcp }).await;
            match negotiate(stream, &mut queue, teller).await {
                Err(lost) => lost,
                Ok((stream, domain, pinned)) => {
                    let pinned = pinned.map(Pinned::only);
                    let securing = ways.trust.connect(stream, &domain, pinned, Protocol::StartTls);
                    match timeout(SECURE, securing).await {
                        Err(_) => Lost::Network(format!("{domain} does not answer")),
                        Ok(Err(failure)) => failure.into(),
                        Ok(Ok(stream)) => {
                            let facts = tls::facts(stream.get_ref().1);
                            teller.tell(Input::TlsStarted(facts)).await;
                            talk(stream, queue, teller).await
                        }
                    }
                }
            }
        }
    }
}

type ForTls = (TcpStream, String, Option<[u8; 32]>);

/// The few elements before STARTTLS: one side speaks at a time.
async fn negotiate(
    mut stream: TcpStream,
    queue: &mut Queue,
    teller: &Teller,
) -> Result<ForTls, Lost> {
    let mut buffer = BytesMut::with_capacity(READ);
    loop {
        tokio::select! {
            // Nothing that the server sent before TLS may be read as if it were protected: once TLS
            // is wanted, reading ends.
            biased;
            order = queue.next() => match order {
                Some(Order::Send(bytes)) => write(&mut stream, &bytes).await?,
                Some(Order::StartTls { domain, pinned }) => return Ok((stream, domain, pinned)),
                Some(Order::Close) | None => {
                    end(&mut stream).await;
                    return Err(Lost::Closed);
                }
            },
            read = stream.read_buf(&mut buffer) => {
                let bytes = received(read, &mut buffer)?;
                teller.tell(Input::Received(bytes)).await;
            }
        }
    }
}

/// Reads and writes at the same time, until one of both ends.
async fn talk<S>(stream: S, mut queue: Queue, teller: &Teller) -> Lost
where
    S: AsyncRead + AsyncWrite,
{
    let (mut from, mut to) = tokio::io::split(stream);
    let reading = async {
        let mut buffer = BytesMut::with_capacity(READ);
        loop {
            let read = from.read_buf(&mut buffer).await;
            match received(read, &mut buffer) {
                Ok(bytes) => teller.tell(Input::Received(bytes)).await,
                Err(lost) => return lost,
            }
        }
    };
    let writing = async {
        loop {
            match queue.next().await {
                Some(Order::Send(bytes)) => {
                    if let Err(lost) = write(&mut to, &bytes).await {
                        return lost;
                    }
                }
                // There is TLS already.
                Some(Order::StartTls { .. }) => {}
                Some(Order::Close) | None => {
                    end(&mut to).await;
                    return Lost::Closed;
                }
            }
        }
    };
    tokio::select! {
        lost = writing => lost,
        lost = reading => lost,
    }
}

fn received(read: io::Result<usize>, buffer: &mut BytesMut) -> Result<Bytes, Lost> {
    match read {
        Ok(0) => Err(Lost::Ended),
        Ok(_) => {
            let bytes = buffer.split().freeze();
            buffer.reserve(READ);
            Ok(bytes)
        }
        Err(error) => Err(broken(&error)),
    }
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), Lost> {
    let writing = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    match timeout(WRITE, writing).await {
        Ok(written) => written.map_err(|error| broken(&error)),
        Err(_) => Err(Lost::Network("the server takes nothing any more".to_owned())),
    }
}

fn broken(error: &io::Error) -> Lost {
    match error.kind() {
        // TLS without its closing alert: how many servers hang up.
        io::ErrorKind::UnexpectedEof => Lost::Ended,
        io::ErrorKind::ConnectionReset => Lost::Network("the connection was reset".to_owned()),
        _ => Lost::Network(format!("the connection broke: {error}")),
    }
}

/// Lets the other side know; whether it hears is its affair.
async fn end(stream: &mut (impl AsyncWrite + Unpin)) {
    let _ = timeout(END, stream.shutdown()).await;
}

/// Bytes that are read at once.
const READ: usize = 16 * 1024;
/// Bytes that may wait to be written: twice what the core keeps unacknowledged.
const MOST_WAITING: usize = 32 * 1024 * 1024;
const SECURE: Duration = Duration::from_secs(20);
/// How long one write may take.
const WRITE: Duration = Duration::from_secs(60);
const END: Duration = Duration::from_secs(2);
