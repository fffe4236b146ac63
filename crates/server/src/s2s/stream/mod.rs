//! A stream with another server, once it is negotiated: reads and writes until it ends. The same
//! for streams we opened and streams we accepted.

mod managing;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::AsyncWriteExt as _,
    time::{Instant as Deadline, sleep, timeout, timeout_at},
};
use xmpp::{
    error::{Condition, StanzaError, StreamCondition, StreamError},
    jid::Jid,
    ns, sm,
    stanza::{Kind, Stanza},
    stream::s2s::{dialback::Claim, receiving::Pair},
    xml::{Element, Event, Reader},
};

pub(super) use self::managing::Beginning;
use super::{
    Remote, dialback,
    inbound::Inbound,
    incoming::{self, Source},
    outgoing::{Failure, Input, Phase},
    policy,
    streams::Place,
};
use crate::{
    limits::Pace,
    net::{
        listen::down,
        wire::{Transport, read_into},
    },
    server::Server,
};

/// A negotiated stream.
pub(super) struct Stream<T> {
    pub(super) server: Arc<Server>,
    pub(super) transport: T,
    pub(super) reader: Reader,
    /// Among the streams that are open.
    pub(super) place: Place,
    pub(super) pair: Pair,
    /// What comes in, where the peer may send.
    pub(super) inbound: Option<Arc<Inbound>>,
    /// Number of this connection among those of `inbound`.
    pub(super) epoch: u64,
    /// The queue that it carries, or may.
    pub(super) outbound: Option<Arc<Remote>>,
    /// What is left of the beginning.
    pub(super) beginning: Beginning,
    pub(super) output: Vec<u8>,
    pub(super) pace: Pace,
    /// Stanzas and bytes that were read and not counted yet.
    pub(super) unpaid: (u64, u64),
    pub(super) busy: Instant,
    /// Since when the peer owes an acknowledgement.
    pub(super) unanswered: Option<Instant>,
}

/// Why a stream ended.
pub(super) enum End {
    /// The peer closed it.
    Closed,
    /// The connection was lost.
    Lost,
    /// It goes on over another connection.
    Replaced,
    /// Nothing was said for long.
    Idle,
    /// The operator wants it.
    Operator,
    /// The server goes down.
    Shutdown,
    /// The peer ended it.
    Told(StreamError),
    /// We end it.
    Error(StreamError),
}

impl<T: Transport> Stream<T> {
    /// Serves until the end, and cleans up.
    pub(super) async fn run(mut self) {
        let end = self.serve().await;
        self.finish(end).await;
    }

    async fn serve(&mut self) -> End {
        let mut shutdown = self.server.shutdown.subscribe();
        let ending = self.place.ending();
        loop {
            if let Err(end) = self.handle_events().await {
                return end;
            }
            if let Err(end) = self.write().await {
                return end;
            }
            if let Err(end) = self.paced().await {
                return end;
            }
            let pause = match self.pause() {
                Ok(pause) => pause,
                Err(end) => return end,
            };
            let carried = self.carried();
            tokio::select! {
                biased;
                () = down(&mut shutdown) => {
                    return self.bring().await.err().unwrap_or(End::Shutdown);
                }
                () = ending.notified() => return End::Operator,
                read = read_into(&mut self.transport, &mut self.reader) => match read {
                    Ok(0) | Err(_) => return End::Lost,
                    Ok(length) => self.received(length),
                },
                () = woken(self.inbound.as_deref(), carried.as_deref()) => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// The server goes down: what is in memory alone still goes out, and the peer has a moment to acknowledge it.
    async fn bring(&mut self) -> Result<(), End> {
        let until = Deadline::now() + GOING;
        while self.has_fleeting() {
            // Half a stanza would be no goodbye.
            timeout_at(until, self.write()).await.map_err(|_| End::Lost)??;
            self.ask_for_all();
            timeout_at(until, self.write()).await.map_err(|_| End::Lost)??;
            let carried = self.carried();
            let event = async {
                tokio::select! {
                    read = read_into(&mut self.transport, &mut self.reader) => match read {
                        Ok(0) | Err(_) => Err(End::Lost),
                        Ok(_) => Ok(()),
                    },
                    () = woken(self.inbound.as_deref(), carried.as_deref()) => Ok(()),
                }
            };
            match timeout_at(until, event).await {
                Ok(event) => event?,
                Err(_) => return Ok(()),
            }
            self.handle_events().await?;
        }
        Ok(())
    }

    /// Whether something of the queue is in memory alone and on its way over this stream.
    fn has_fleeting(&self) -> bool {
        self.outbound.as_ref().is_some_and(|remote| {
            let queue = &remote.lock().queue;
            queue.phase() == Phase::Online { carrier: self.place.number() }
                && queue.fleeting().next().is_some()
        })
    }

    /// Asks the peer to acknowledge what it was not asked about yet.
    fn ask_for_all(&mut self) {
        let Some(remote) = &self.outbound else { return };
        let mut state = remote.lock();
        if let Some(sm) = state.queue.sm().filter(|sm| sm.deadline().is_some()) {
            self.output.extend_from_slice(sm::REQUEST);
            sm.requested();
        }
    }

    /// The queue, once this stream carries it: its wake-up call is for one stream alone.
    fn carried(&self) -> Option<Arc<Remote>> {
        self.outbound.clone().filter(|_| matches!(self.beginning, Beginning::Over))
    }

    /// How long to wait for something to happen, or why not to.
    fn pause(&mut self) -> Result<Duration, End> {
        let now = Instant::now();
        let left = |since: Instant, limit: Duration| {
            limit.checked_sub(now.saturating_duration_since(since)).filter(|left| !left.is_zero())
        };
        let mut pause = LOOK_AROUND;
        match &self.beginning {
            Beginning::Enabling(since) | Beginning::Resuming(since, _) => {
                pause = pause.min(left(*since, ANSWER).ok_or(End::Lost)?);
            }
            Beginning::Waiting(since) => match left(*since, FIRST_WORD) {
                Some(left) => pause = pause.min(left),
                None => self.carry(None),
            },
            Beginning::Over => {}
        }
        if let Some(since) = self.unanswered {
            let Some(left) = left(since, ANSWER) else {
                if let Some(remote) = &self.outbound {
                    remote.lock().queue.note_stall();
                }
                return Err(End::Lost);
            };
            pause = pause.min(left);
        }
        if let Some(remote) = &self.outbound {
            let mut state = remote.lock();
            let online = Phase::Online { carrier: self.place.number() };
            let carried = state.queue.phase() == online;
            if !carried && matches!(self.beginning, Beginning::Over) {
                // What it was to carry went back to its senders.
                return Err(End::Lost);
            }
            if left(self.busy, IDLE).is_none() && state.queue.is_empty() && carried {
                return Err(End::Idle);
            }
            let now = self.server.steady();
            if state.queue.answer_due().is_some_and(|due| carried && due <= now) {
                let known = state.queue.is_silent();
                drop(state);
                remote.input(&self.server, Input::Silent { carrier: self.place.number() });
                state = remote.lock();
                if state.queue.phase() != online {
                    return Err(End::Lost);
                }
                if state.queue.is_silent() && !known {
                    let remote = &self.pair.remote;
                    tracing::warn!(remote, "s2s_silent: what is sent counts as arrived unanswered");
                }
            }
            let answer = state.queue.answer_due();
            let acknowledgement = state.queue.sm().and_then(|sm| sm.deadline());
            let deadline = [answer, acknowledgement].into_iter().flatten().min();
            if let Some(deadline) = deadline.filter(|_| carried) {
                let wait = deadline.0.saturating_sub(now.0);
                pause = pause.min(Duration::from_millis(wait.max(1)));
            }
        }
        Ok(pause)
    }

    fn received(&mut self, bytes: usize) {
        self.busy = Instant::now();
        self.server.metrics.bytes_received.add(bytes as u64);
        self.unpaid.1 += bytes as u64;
    }

    /// Leaves the socket alone for a while when what was read was too much.
    async fn paced(&mut self) -> Result<(), End> {
        let pause = self.due();
        if pause > Duration::ZERO {
            self.write().await?;
            sleep(pause).await;
        }
        Ok(())
    }

    /// How long the socket is to be left alone, because of what this stream and all of its domain sent.
    fn due(&mut self) -> Duration {
        let read = std::mem::take(&mut self.unpaid);
        let metrics = &self.server.metrics;
        let (own, all) =
            self.server.s2s.paces.both(&*self.pair.remote, &mut self.pace, read, Instant::now());
        for (pause, counter) in [(own, &metrics.pauses_connection), (all, &metrics.pauses_domain)] {
            if !pause.is_zero() {
                counter.increment();
            }
        }
        own.max(all)
    }

    async fn handle_events(&mut self) -> Result<(), End> {
        loop {
            match self.reader.next() {
                Ok(None) => return Ok(()),
                Ok(Some(Event::Stanza(stanza))) => {
                    self.unpaid.0 += 1;
                    self.handle(stanza).await?;
                    if self.output.len() > WRITE_SIZE {
                        self.write().await?;
                    }
                }
                Ok(Some(Event::Oversized(head))) => self.oversized(&head)?,
                Ok(Some(Event::Close)) => return Err(End::Closed),
                Ok(Some(Event::Open(_))) => return Err(error(StreamCondition::BadFormat)),
                Err(fault) => {
                    self.server.metrics.errors_peer.increment();
                    return Err(error(fault.stream_condition()));
                }
            }
        }
    }

    async fn handle(&mut self, stanza: Stanza) -> Result<(), End> {
        if stanza.kind() == Kind::Other {
            return self.nonza(&stanza).await;
        }
        self.first_stanza();
        self.addressed(&stanza)?;
        let Some(inbound) = self.inbound.clone() else {
            // A stream that nobody allowed to be used backwards.
            return Err(error(StreamCondition::NotAuthorized));
        };
        if policy::permits(&self.server.config(), &self.pair.remote).is_err() {
            return Err(error(StreamCondition::PolicyViolation));
        }
        let tag = inbound.receive(self.epoch).ok_or(End::Replaced)?;
        self.server.metrics.s2s_received.increment();
        let source = Source { pair: &self.pair, inbound: &inbound };
        Box::pin(incoming::handle(&self.server, source, &stanza, tag)).await;
        Ok(())
    }

    /// Once there is a stanza, the peer will not resume another stream here: what goes to it may.
    fn first_stanza(&mut self) {
        if let Beginning::Waiting(_) = self.beginning {
            self.carry(None);
        }
    }

    /// RFC 6120 §8.1.1.2 and §8.1.2.2: both addresses are there, and belong to the stream.
    fn addressed(&self, stanza: &Stanza) -> Result<(), End> {
        let address = |address: Option<std::borrow::Cow<'_, str>>| {
            address.and_then(|text| Jid::new(&text).ok())
        };
        let (Some(from), Some(to)) = (address(stanza.from()), address(stanza.to())) else {
            return Err(error(StreamCondition::ImproperAddressing));
        };
        if from.domain().as_str() != self.pair.remote {
            return Err(error(StreamCondition::InvalidFrom));
        }
        if to.domain().as_str() != self.pair.local {
            return Err(error(StreamCondition::HostUnknown));
        }
        Ok(())
    }

    /// A stanza over the limit: its sender is told, the stream goes on.
    fn oversized(&mut self, head: &Stanza) -> Result<(), End> {
        self.server.metrics.errors_peer.increment();
        if head.kind() == Kind::Other {
            return Err(error(StreamCondition::PolicyViolation));
        }
        self.first_stanza();
        self.addressed(head)?;
        let inbound = self.inbound.clone();
        let inbound = inbound.ok_or_else(|| error(StreamCondition::NotAuthorized))?;
        let tag = inbound.receive(self.epoch).ok_or(End::Replaced)?;
        let refused = StanzaError::new(Condition::PolicyViolation)
            .with_text("the stanza is larger than this server allows");
        let source = Source { pair: &self.pair, inbound: &inbound };
        incoming::reject(&self.server, source, head, &refused, tag);
        Ok(())
    }

    async fn nonza(&mut self, stanza: &Stanza) -> Result<(), End> {
        match (stanza.name(), stanza.ns().as_ref()) {
            ("error", ns::STREAM) => Err(End::Told(StreamError::parse(&stanza.element()))),
            (name @ ("enabled" | "resumed" | "failed"), ns::SM) => self.answered(name, stanza),
            (_, ns::SM) => self.stream_management(stanza).await,
            ("verify" | "result", ns::DIALBACK) => self.claim(stanza),
            _ => Err(error(StreamCondition::UnsupportedStanzaType)),
        }
    }

    /// Keys of dialback are asked about on any stream. Further domains are not added to one.
    fn claim(&mut self, stanza: &Stanza) -> Result<(), End> {
        let Some(claim) = Claim::parse(stanza) else {
            return Err(error(StreamCondition::ImproperAddressing));
        };
        let answer = match claim.id {
            Some(_) => claim.answer(&dialback::vouch(&self.server, &claim)),
            None => {
                let refused = Condition::FeatureNotImplemented;
                claim.answer(&xmpp::stream::s2s::dialback::Verdict::Error(refused))
            }
        };
        self.element(&answer);
        Ok(())
    }

    /// Writes what waits, until nothing does.
    async fn write(&mut self) -> Result<(), End> {
        loop {
            if let Some(inbound) = self.inbound.clone() {
                if inbound.epoch() != self.epoch {
                    return Err(End::Replaced);
                }
                for stanza in inbound.take_failed() {
                    incoming::not_stored(&self.server, &self.pair, &stanza);
                }
                inbound.write_due(&mut self.output);
            }
            let mut written = Vec::new();
            if let Some(remote) = &self.outbound {
                let (now, output) = (self.server.steady(), &mut self.output);
                let mut state = remote.lock();
                written = state.queue.write(now, self.place.number(), output, WRITE_SIZE);
                let id = self.server.fresh_id();
                if state.queue.ask(now, self.place.number(), &id) {
                    output.extend_from_slice(&question(&self.pair, &id));
                }
            }
            if self.output.is_empty() {
                return Ok(());
            }
            self.server.metrics.bytes_sent.add(self.output.len() as u64);
            self.server.metrics.s2s_sent.add(written.len() as u64);
            let writing = async {
                self.transport.write_all(&self.output).await?;
                self.transport.flush().await
            };
            if !matches!(timeout(ANSWER, writing).await, Ok(Ok(()))) {
                return Err(End::Lost);
            }
            self.output.clear();
            self.output.shrink_to(WRITE_SIZE);
            if !written.is_empty() {
                self.busy = Instant::now();
            }
            let carrier = self.place.number();
            let Some(remote) = &self.outbound else { continue };
            remote.input(&self.server, Input::Flushed { carrier });
            if remote.lock().queue.sm().is_some_and(|sm| sm.unacked().len() > 0) {
                self.unanswered.get_or_insert_with(Instant::now);
            }
        }
    }

    fn element(&mut self, element: &Element) {
        self.output.extend_from_slice(&element.to_bytes(ns::CLIENT));
    }

    /// Says goodbye as far as there is somebody to hear it, and gives back what was not done.
    async fn finish(mut self, end: End) {
        let lost = matches!(end, End::Lost | End::Replaced);
        if let Some(inbound) = self.inbound.clone() {
            if !lost {
                // Acknowledgements that are still written save the peer a repetition.
                let _ = timeout(GOODBYE, self.server.store.archive.barrier()).await;
                if inbound.epoch() == self.epoch {
                    inbound.write_ack(&mut self.output);
                }
            }
            inbound.detach(self.epoch, self.server.steady());
            if matches!(end, End::Closed | End::Idle | End::Operator) {
                self.server.s2s.forget(&inbound);
            }
        }
        let failure = match &end {
            // If it does not come back, the next attempt says so.
            End::Told(told) if told.condition == StreamCondition::SystemShutdown => None,
            End::Told(told) => Some(format!("the other server ended the stream: {}", said(told))),
            End::Error(ours) => Some(format!("this server ended the stream: {}", said(ours))),
            _ => None,
        };
        let (remote, number, reason) = (&self.pair.remote, self.place.number(), end.word());
        tracing::debug!(remote, number, reason, detail = failure, "s2s_closed");
        if let Some(remote) = &self.outbound {
            let failure = failure.map(Failure::passing);
            let input = match self.beginning {
                // It never carried the queue, which still waits for the outcome.
                Beginning::Enabling(_) | Beginning::Resuming(..) => {
                    let early = || Failure::passing("the connection broke before it was ready");
                    Input::Failed(failure.unwrap_or_else(early))
                }
                _ => Input::Lost { carrier: self.place.number(), failure },
            };
            remote.input(&self.server, input);
        }
        let error = match end {
            End::Error(error) => Some(error),
            End::Shutdown => Some(StreamError::new(StreamCondition::SystemShutdown)),
            _ => None,
        };
        if !lost {
            self.close(error).await;
        }
        // Last: the server goes down when all have said goodbye.
        drop(self.place);
    }

    async fn close(&mut self, error: Option<StreamError>) {
        if let Some(error) = error {
            self.output.extend_from_slice(&error.to_bytes());
        }
        self.output.extend_from_slice(b"</stream:stream>");
        let goodbye = async {
            self.transport.write_all(&self.output).await?;
            self.transport.flush().await?;
            self.transport.shutdown().await
        };
        let _ = timeout(GOODBYE, goodbye).await;
    }
}

impl End {
    /// A word for the log.
    fn word(&self) -> &'static str {
        match self {
            End::Closed => "closed by the other server",
            End::Lost => "connection lost",
            End::Replaced => "resumed elsewhere",
            End::Idle => "idle",
            End::Operator => "the operator",
            End::Shutdown => "shutdown",
            End::Told(_) => "error of the other server",
            End::Error(_) => "error",
        }
    }
}

/// Resolves when either half may have something to write.
async fn woken(inbound: Option<&Inbound>, outbound: Option<&Remote>) {
    let inbound = async {
        match inbound {
            Some(inbound) => inbound.woken().await,
            None => std::future::pending().await,
        }
    };
    let outbound = async {
        match outbound {
            Some(outbound) => outbound.woken().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = inbound => {}
        () = outbound => {}
    }
}

/// Asks another server something that it answers after all that came before (XEP-0199).
fn question(pair: &Pair, id: &str) -> Vec<u8> {
    let iq = Element::new("iq", ns::CLIENT)
        .with_attr("type", "get")
        .with_attr("id", id)
        .with_attr("from", pair.local.as_str())
        .with_attr("to", pair.remote.as_str())
        .with_child(Element::new("ping", ns::PING));
    iq.to_bytes(ns::CLIENT).to_vec()
}

fn error(condition: StreamCondition) -> End {
    End::Error(StreamError::new(condition))
}

fn said(error: &StreamError) -> String {
    match &error.text {
        Some(text) => format!("{} ({text})", error.condition.name()),
        None => error.condition.name().to_owned(),
    }
}

/// XML that is written at a time.
const WRITE_SIZE: usize = 64 * 1024;
/// How long a peer may take to answer, or to read.
const ANSWER: Duration = Duration::from_secs(60);
/// How long a peer may take to ask for stream management before it goes without.
const FIRST_WORD: Duration = Duration::from_secs(5);
/// How long a stream that carries our queue stays open without anything to carry.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// At least this often a stream looks at its times.
const LOOK_AROUND: Duration = Duration::from_secs(60);
const GOODBYE: Duration = Duration::from_secs(5);
/// How long a peer has to acknowledge when the server goes down, which waits a little longer.
const GOING: Duration = Duration::from_secs(2);
