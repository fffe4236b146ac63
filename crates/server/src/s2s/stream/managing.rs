//! XEP-0198 between servers: which stream carries a queue, and goes on where another one ended.

use std::{sync::Arc, time::Instant};

use xmpp::{
    error::{Condition, StreamCondition},
    sm::{self, Nonza, Resume},
    stanza::Stanza,
};

use super::{End, Stream, error};
use crate::{
    net::wire::Transport,
    s2s::{
        Managing, RESUMABLE,
        inbound::Inbound,
        outgoing::{Input, Managed, Phase},
    },
    session::resume::fresh_id,
};

/// What has to happen before a stream carries a queue.
#[derive(Clone, Debug)]
pub(in crate::s2s) enum Beginning {
    /// Nothing: it does, or never will.
    Over,
    /// We asked for stream management.
    Enabling(Instant),
    /// We asked to go on with a session.
    Resuming(Instant, Managing),
    /// The peer may ask for stream management; whatever else comes first, the stream goes without.
    Waiting(Instant),
}

impl<T: Transport> Stream<T> {
    pub(super) async fn stream_management(&mut self, stanza: &Stanza) -> Result<(), End> {
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
                let carrier = self.place.number();
                let outbound = self.outbound.as_ref();
                let before = outbound.map_or(0, |it| it.lock().queue.unacked());
                if outbound.is_some_and(|it| it.input(&self.server, Input::Acked { carrier, h })) {
                    let sent = outbound.and_then(|it| Some(it.lock().queue.sm()?.sent_count()));
                    let broken = sm::HandledTooHigh { h, sent: sent.unwrap_or_default() };
                    return Err(End::Error(broken.stream_error()));
                }
                self.acknowledged(before);
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

    /// The peer has acknowledged some of so many, or none of them.
    fn acknowledged(&mut self, before: usize) {
        let queue = self.outbound.as_ref().map(|it| it.lock());
        let (left, stalled) =
            queue.map_or((0, false), |state| (state.queue.unacked(), state.queue.has_stalled()));
        self.unanswered = match self.unanswered {
            _ if left == 0 => None,
            _ if left < before => Some(Instant::now()),
            // To be there is enough for a peer that got nowhere on another stream either.
            _ if stalled => None,
            since => since,
        };
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
                enabled.max = u32::try_from(RESUMABLE.as_secs()).ok();
                enabled.id = Some(id.clone());
            }
            self.place.note(|facts| facts.managed = true);
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
        self.place.note(|facts| facts.managed = true);
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
                remote.input(&self.server, Input::Opened { carrier: self.place.number(), managed });
            } else {
                self.outbound = None;
            }
        }
    }

    /// An incoming stream that may be used backwards carries our queue, if no other one does.
    pub(super) fn carry(&mut self, session: Option<Managing>) {
        let waiting = std::mem::replace(&mut self.beginning, Beginning::Over);
        if let (Beginning::Waiting(_), Some(remote)) = (waiting, &self.outbound)
            && !remote.attach(&self.server, self.place.number(), session)
        {
            self.outbound = None;
        }
    }

    /// The peer's answer to what we asked of stream management.
    pub(super) fn answered(&mut self, name: &str, stanza: &Stanza) -> Result<(), End> {
        let Some(remote) = self.outbound.clone() else {
            return Err(error(StreamCondition::UnsupportedStanzaType));
        };
        let carrier = self.place.number();
        let beginning = std::mem::replace(&mut self.beginning, Beginning::Over);
        let managed = match (name, beginning) {
            ("enabled", Beginning::Enabling(_)) => {
                let enabled = sm::Enabled::parse(&stanza.element());
                let inbound = self.inbound.clone();
                let inbound = inbound.unwrap_or_else(|| Inbound::new(self.pair.clone()));
                inbound.enable();
                self.place.note(|facts| facts.managed = true);
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
                self.place.note(|facts| facts.managed = true);
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
    pub(in crate::s2s) fn ask_to_manage(&mut self, session: Option<Managing>) {
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
}
