//! A stream with another server, once it is negotiated: reads and writes until it ends. The same
//! for streams we opened and streams we accepted.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::AsyncWriteExt as _,
    time::{sleep, timeout},
};
use xmpp::{
    error::{Condition, StanzaError, StreamCondition, StreamError},
    jid::Jid,
    ns,
    sm::{self, Nonza, Resume},
    stanza::{Kind, Stanza},
    stream::s2s::{dialback::Claim, receiving::Pair},
    xml::{Element, Event, Reader},
};

use super::{
    Managing, Remote, dialback,
    inbound::Inbound,
    incoming::{self, Source},
    outgoing::{Failure, Input, Managed, Phase},
    policy,
};
use crate::{
    limits::Pace,
    net::{
        listen::down,
        wire::{Transport, read_into},
    },
    server::Server,
    session::resume::fresh_id,
};

/// A negotiated stream.
pub(super) struct Stream<T> {
    pub(super) server: Arc<Server>,
    pub(super) transport: T,
    pub(super) reader: Reader,
    pub(super) number: u64,
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
    pub(super) busy: Instant,
    /// Since when the peer owes an acknowledgement.
    pub(super) unanswered: Option<Instant>,
}

/// What has to happen before a stream carries a queue.
#[derive(Clone, Debug)]
pub(super) enum Beginning {
    /// Nothing: it does, or never will.
    Over,
    /// We asked for stream management.
    Enabling(Instant),
    /// We asked to go on with a session.
    Resuming(Instant, Managing),
    /// The peer may ask for stream management; whatever else comes first, the stream goes without.
    Waiting(Instant),
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
        loop {
            if let Err(end) = self.handle_events().await {
                return end;
            }
            if let Err(end) = self.write().await {
                return end;
            }
            let pause = match self.pause() {
                Ok(pause) => pause,
                Err(end) => return end,
            };
            let carried = self.carried();
            tokio::select! {
                biased;
                () = down(&mut shutdown) => return End::Shutdown,
                read = read_into(&mut self.transport, &mut self.reader) => match read {
                    Ok(0) | Err(_) => return End::Lost,
                    Ok(length) => if let Err(end) = self.paced(length).await { return end },
                },
                () = woken(self.inbound.as_deref(), carried.as_deref()) => {}
                () = sleep(pause) => {}
            }
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
            pause = pause.min(left(since, ANSWER).ok_or(End::Lost)?);
        }
        if let Some(remote) = &self.outbound {
            let mut state = remote.lock();
            let online = Phase::Online { carrier: self.number };
            let carried = state.queue.phase() == online;
            if left(self.busy, IDLE).is_none() && state.queue.is_empty() && carried {
                return Err(End::Idle);
            }
            let now = self.server.now();
            if state.queue.answer_due().is_some_and(|due| carried && due <= now) {
                let known = state.queue.is_silent();
                drop(state);
                remote.input(&self.server, Input::Silent { carrier: self.number });
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

    /// Counts what was read, and leaves the socket alone for a while when it was too much.
    async fn paced(&mut self, bytes: usize) -> Result<(), End> {
        self.busy = Instant::now();
        self.server.metrics.bytes_received.add(bytes as u64);
        let pause = self.pace.read(1, bytes as u64, Instant::now());
        if pause > Duration::ZERO {
            self.write().await?;
            sleep(pause).await;
        }
        Ok(())
    }

    async fn handle_events(&mut self) -> Result<(), End> {
        loop {
            match self.reader.next() {
                Ok(None) => return Ok(()),
                Ok(Some(Event::Stanza(stanza))) => {
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
        incoming::refuse(&self.server, &self.pair, head, &refused);
        inbound.settle(tag);
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

    async fn stream_management(&mut self, stanza: &Stanza) -> Result<(), End> {
        let managed = self.inbound.as_ref().is_some_and(|inbound| inbound.managed());
        let incoming = matches!(self.beginning, Beginning::Waiting(_))
            || (self.outbound.is_none() && self.inbound.is_some());
        match Nonza::parse(stanza) {
            Some(Nonza::Request) if managed => {
                if let Some(inbound) = &self.inbound {
                    inbound.ask();
                }
            }
            // A stream in one direction: nothing came, nothing is counted.
            Some(Nonza::Request) => sm::write_ack(&mut self.output, 0),
            Some(Nonza::Ack(h)) => {
                self.unanswered = None;
                let carrier = self.number;
                let outbound = self.outbound.as_ref();
                if outbound.is_some_and(|it| it.input(&self.server, Input::Acked { carrier, h })) {
                    let sent = outbound.and_then(|it| Some(it.lock().queue.sm()?.sent_count()));
                    let broken = sm::HandledTooHigh { h, sent: sent.unwrap_or_default() };
                    return Err(End::Error(broken.stream_error()));
                }
            }
            Some(Nonza::Enable(enable)) if incoming && !managed => self.enable(enable.resume),
            Some(Nonza::Resume(resume)) if incoming && !managed => self.resume(&resume).await,
            // Some servers first send what waited, then ask. Their stanzas are counted from here on;
            // ours go on as they began.
            Some(Nonza::Enable(_)) if self.may_count_late() && !managed => {
                if let Some(inbound) = &self.inbound {
                    inbound.enable();
                }
                self.element(&sm::Enabled::default().element());
            }
            _ => {
                self.element(&sm::failed(Condition::UnexpectedRequest, None));
            }
        }
        Ok(())
    }

    /// Whether nothing is under way that decides how the stream is counted.
    fn may_count_late(&self) -> bool {
        self.inbound.is_some() && matches!(self.beginning, Beginning::Over)
    }

    /// The peer wants its stanzas acknowledged (XEP-0198 §3).
    fn enable(&mut self, resume: bool) {
        let Some(inbound) = self.inbound.clone() else { return };
        inbound.enable();
        let mut enabled = sm::Enabled::default();
        if let Ok(id) = fresh_id() {
            if resume {
                self.server.s2s.keep(&id, &inbound);
                enabled.max = u32::try_from(super::RESUMABLE.as_secs()).ok();
                enabled.id = Some(id.clone());
            }
            self.server.s2s.note(self.number, |facts| facts.managed = true);
            self.element(&enabled.element());
            self.carry(Some(Managing { id, ours: false, inbound }));
        } else {
            self.element(&sm::failed(Condition::InternalServerError, None));
        }
    }

    /// The peer goes on with a session of an earlier stream (XEP-0198 §5).
    async fn resume(&mut self, resume: &Resume) {
        let found = self.server.s2s.find(&resume.previd, &self.pair);
        let Some(inbound) = found else {
            return self.element(&sm::failed(Condition::ItemNotFound, None));
        };
        // What came before is settled first, so that the peer need not send it again.
        if let Err(error) = self.server.store.archive.barrier().await {
            self.server.store_failed("resumption", &error);
        }
        let (epoch, handled) = inbound.resume();
        self.epoch = epoch;
        self.inbound = Some(inbound);
        self.server.s2s.note(self.number, |facts| facts.managed = true);
        let answer = Resume { previd: resume.previd.clone(), h: handled };
        self.element(&answer.resumed());
        let waiting = std::mem::replace(&mut self.beginning, Beginning::Over);
        if let (Beginning::Waiting(_), Some(remote)) = (waiting, self.outbound.clone()) {
            // Only the queue that counted in this session goes on in it.
            let mine = {
                let state = remote.lock();
                let session = state.session.as_ref().filter(|session| !session.ours);
                let same = session.is_some_and(|session| session.id == resume.previd);
                let free = matches!(state.queue.phase(), Phase::Idle | Phase::Resting { .. });
                same && free && state.queue.resumable()
            };
            if mine {
                let managed = Managed::Resumed(resume.h);
                remote.input(&self.server, Input::Opened { carrier: self.number, managed });
            } else {
                self.outbound = None;
            }
        }
    }

    /// An incoming stream that may be used backwards carries our queue, if no other one does.
    fn carry(&mut self, session: Option<Managing>) {
        let waiting = std::mem::replace(&mut self.beginning, Beginning::Over);
        if let (Beginning::Waiting(_), Some(remote)) = (waiting, &self.outbound)
            && !remote.attach(&self.server, self.number, session)
        {
            self.outbound = None;
        }
    }

    /// The peer's answer to what we asked of stream management.
    fn answered(&mut self, name: &str, stanza: &Stanza) -> Result<(), End> {
        let Some(remote) = self.outbound.clone() else {
            return Err(error(StreamCondition::UnsupportedStanzaType));
        };
        let carrier = self.number;
        let beginning = std::mem::replace(&mut self.beginning, Beginning::Over);
        let managed = match (name, beginning) {
            ("enabled", Beginning::Enabling(_)) => {
                let enabled = sm::Enabled::parse(&stanza.element());
                let inbound = self.inbound.clone();
                let inbound = inbound.unwrap_or_else(|| Inbound::new(self.pair.clone()));
                inbound.enable();
                self.server.s2s.note(carrier, |facts| facts.managed = true);
                let session = enabled.id.map(|id| Managing { id, ours: true, inbound });
                remote.lock().session = session;
                Managed::New
            }
            ("resumed", Beginning::Resuming(_, session)) => {
                let Some(resumed) = Resume::parse(&stanza.element()) else {
                    return Err(error(StreamCondition::BadFormat));
                };
                if resumed.previd != session.id {
                    return Err(error(StreamCondition::BadFormat));
                }
                self.server.s2s.note(carrier, |facts| facts.managed = true);
                Managed::Resumed(resumed.h)
            }
            ("failed", Beginning::Resuming(_, session)) => {
                remote.lock().session = None;
                if self.inbound.as_ref().is_some_and(|it| Arc::ptr_eq(it, &session.inbound)) {
                    self.inbound = Some(Inbound::new(self.pair.clone()));
                    self.epoch = 0;
                }
                self.ask_to_manage(None);
                return Ok(());
            }
            ("failed", Beginning::Enabling(_)) => Managed::Not,
            _ => return Err(error(StreamCondition::UnsupportedStanzaType)),
        };
        if remote.input(&self.server, Input::Opened { carrier, managed }) {
            return Err(error(StreamCondition::UndefinedCondition));
        }
        Ok(())
    }

    /// Asks the peer to manage the stream: to go on with a session, or to begin one.
    pub(super) fn ask_to_manage(&mut self, session: Option<Managing>) {
        let now = Instant::now();
        match session {
            None => {
                self.element(&sm::Enable { resume: true, max: None }.element());
                self.beginning = Beginning::Enabling(now);
            }
            Some(session) => {
                let h = session.inbound.handled();
                if self.inbound.is_some() {
                    let (epoch, _) = session.inbound.resume();
                    self.inbound = Some(session.inbound.clone());
                    self.epoch = epoch;
                }
                self.element(&Resume { previd: session.id.clone(), h }.request());
                self.beginning = Beginning::Resuming(now, session);
            }
        }
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
                let (now, output) = (self.server.now(), &mut self.output);
                let mut state = remote.lock();
                written = state.queue.write(now, self.number, output, WRITE_SIZE);
                let id = self.server.fresh_id();
                if state.queue.ask(now, self.number, &id) {
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
            let carrier = self.number;
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
            inbound.detach(self.epoch, self.server.now());
            if matches!(end, End::Closed | End::Idle) {
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
        let (remote, number, reason) = (&self.pair.remote, self.number, end.word());
        tracing::debug!(remote, number, reason, detail = failure, "s2s_closed");
        if let Some(remote) = &self.outbound {
            let failure = failure.map(Failure::passing);
            let input = match self.beginning {
                // It never carried the queue, which still waits for the outcome.
                Beginning::Enabling(_) | Beginning::Resuming(..) => {
                    let early = || Failure::passing("the connection broke before it was ready");
                    Input::Failed(failure.unwrap_or_else(early))
                }
                _ => Input::Lost { carrier: self.number, failure },
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
        self.server.s2s.closed(self.number);
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
