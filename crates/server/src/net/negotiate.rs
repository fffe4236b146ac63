//! Drives the negotiation of a stream ([`xmpp::stream::server`]) from its first byte to a session:
//! reads and writes, looks up what it asks for, keeps the deadline and the budget of bytes.

use std::{io::ErrorKind, net::IpAddr, sync::Arc, time::Instant};

use store::{StoreError, tokens::Token};
use tokio::time::{Instant as Deadline, sleep, sleep_until};
use xmpp::{
    error::{Condition, StanzaError, StreamCondition, StreamError},
    ext::{bind2, sasl2::UserAgent},
    sm,
    stream::{
        Out,
        server::{
            BindRequest, Bound, Established, Login, LoginAnswer, LoginSession, Refused,
            ResumeFailed, Resumed, Step, TlsPending, Waiting,
        },
    },
    xml::{Event, Reader},
};

use super::{
    conn::Peer,
    wire::{Transport, read_into},
};
use crate::{
    account::{Account, CaughtUp},
    auth::{credentials, registration, tokens},
    limits::Verdict,
    server::Server,
    session::{Origin, Session, life, resume},
};

/// Bytes that a client may send before it has logged in.
pub const BUDGET: usize = 32 * 1024;

/// A stream on its way to a session.
pub struct Driver<'a, T> {
    /// The server.
    pub server: &'a Arc<Server>,
    /// The connection.
    pub transport: &'a mut T,
    /// What is read from it.
    pub reader: &'a mut Reader,
    /// Where it comes from.
    pub peer: &'a mut Peer,
    /// When it must have logged in.
    pub deadline: Deadline,
    /// Bytes read so far.
    pub read: &'a mut usize,
    /// WebSocket messages have boundaries.
    pub websocket: bool,
    /// The tokens that were looked up last.
    pub tokens: Vec<Token>,
    /// The session, once there is one. What is still here when the negotiation is over never got a
    /// client.
    pub session: Option<Arc<Session>>,
    /// Number of this connection among those of the session.
    pub epoch: u64,
}

/// How a negotiation ended.
pub enum Outcome {
    /// TLS is to be started on this connection.
    StartTls(Waiting<TlsPending>),
    /// The client has a session.
    Ready(Box<Established>, Arc<Session>),
    /// The connection is to be closed.
    Closed,
}

impl<T: Transport> Driver<'_, T> {
    /// Runs until TLS, a session, or the end.
    pub async fn run(&mut self, mut step: Step) -> Outcome {
        let mut out = Out::new();
        loop {
            step = match step {
                Step::Read(negotiation) => {
                    if self.write(&mut out).await.is_err() {
                        return Outcome::Closed;
                    }
                    match self.event().await {
                        Ok(event) => negotiation.handle(event, &mut out),
                        Err(Some(error)) => {
                            negotiation.fail(error, &mut out);
                            Step::Closed(None)
                        }
                        Err(None) => return Outcome::Closed,
                    }
                }
                Step::StartTls(waiting) => {
                    let written = self.write(&mut out).await;
                    return if written.is_ok() {
                        Outcome::StartTls(waiting)
                    } else {
                        Outcome::Closed
                    };
                }
                Step::Established(established) => {
                    let written = self.write(&mut out).await;
                    if written.is_err() {
                        return Outcome::Closed;
                    }
                    return match self.session.take() {
                        Some(session) => Outcome::Ready(established, session),
                        None => Outcome::Closed,
                    };
                }
                Step::Closed(_) => {
                    // The peer may be gone already; there is nothing left to do about it.
                    let _ = self.write(&mut out).await;
                    return Outcome::Closed;
                }
                question => self.answer(question, &mut out).await,
            };
        }
    }

    /// Answers what the negotiation asks.
    async fn answer(&mut self, step: Step, out: &mut Out) -> Step {
        let server = self.server.clone();
        let address = self.address();
        match step {
            Step::Scram(lookup, waiting) => {
                if let Err(error) = patience(&server, address, lookup.account.as_str()).await {
                    return waiting.refuse(error, out);
                }
                match credentials::scram(&server, &lookup).await {
                    Ok(found) => waiting.answer(found, out),
                    Err(error) => self.broken(error, |error| waiting.fail(error, out)),
                }
            }
            Step::Password(lookup, waiting) => {
                if let Err(error) = patience(&server, address, lookup.account.as_str()).await {
                    return waiting.refuse(error, out);
                }
                match credentials::password(&server, lookup).await {
                    Ok(check) => waiting.answer(check, out),
                    Err(error) => self.broken(error, |error| waiting.fail(error, out)),
                }
            }
            Step::Token(lookup, waiting) => match tokens::candidates(&server, &lookup).await {
                Ok((candidates, stored)) => {
                    self.tokens = stored;
                    waiting.answer(&candidates, out)
                }
                Err(error) => self.broken(error, |error| waiting.fail(error, out)),
            },
            Step::Upgrade(lookup, waiting) => match credentials::lacking(&server, &lookup).await {
                Ok(lacking) => waiting.answer(lacking, out),
                Err(error) => self.broken(error, |error| waiting.fail(error, out)),
            },
            Step::Refused(refused, waiting) => {
                self.refused(&refused);
                waiting.answer(out)
            }
            Step::Preauth(token, waiting) => {
                waiting.answer(registration::preauth(&server, &token).await, out)
            }
            Step::Register(request, waiting) => {
                let made = registration::register(&server, request, self.address()).await;
                waiting.answer(made, out)
            }
            Step::Login(login, waiting) => match self.login(*login).await {
                Ok(answer) => waiting.answer(answer, out),
                Err(Failed::Store(error)) => self.broken(error, |error| waiting.fail(error, out)),
                Err(Failed::Stanza(error)) => {
                    waiting.fail(stream_error(&error), out);
                    Step::Closed(None)
                }
            },
            Step::Bind(request, waiting) => {
                let bound = self.bind(request).await;
                waiting.answer(bound, out)
            }
            Step::Resume(request, waiting) => {
                let account = request.authenticated.account().clone();
                self.authenticated(account.as_str());
                let resumed = self.resume(account.as_str(), &request.resume).await;
                waiting.answer(resumed, out)
            }
            done => done,
        }
    }

    /// SASL2: resumes or binds, and issues a token (XEP-0388, XEP-0386, XEP-0484).
    async fn login(&mut self, login: Login) -> Result<LoginAnswer, Failed> {
        let server = self.server;
        let jid = login.authenticated.account().clone();
        self.authenticated(jid.as_str());
        let mut wanted = login.request_token;
        let mut token_id = None;
        if login.fast.is_none() {
            server.metrics.logins_password.increment();
        }
        if let Some(fast) = login.fast
            && let Some(token) = self.tokens.get(fast.candidate)
        {
            server.metrics.logins_token.increment();
            token_id = Some(token.client.to_string());
            match tokens::used(server, token, fast).await {
                Ok(tokens::Use::Rotate(method)) => wanted = wanted.or(Some(method)),
                Ok(_) => {}
                // A token that cannot be forgotten must not look as if it were. Beside that, a
                // full disk keeps nobody out.
                Err(error) if fast.invalidate => return Err(error.into()),
                Err(error) => {
                    server.store_failed("token", &error);
                }
            }
        }
        let account = server.account(&jid.clone().into()).await?.ok_or_else(gone)?;
        if !login.upgraded.is_empty()
            && let Err(error) = credentials::upgrade(server, account.id, &login.upgraded).await
        {
            // As with tokens: a full disk keeps nobody out.
            server.store_failed("keys", &error);
        }
        let session = self.session_for(&account, &login, token_id).await?;
        let token = match wanted {
            Some(method) => {
                // A full disk costs the client its token, not its login.
                let agent = login.user_agent.as_ref();
                let issued = tokens::issue(server, &account, agent, method).await;
                issued.unwrap_or_else(|error| {
                    server.store_failed("token", &error);
                    None
                })
            }
            None => None,
        };
        Ok(LoginAnswer { session, token })
    }

    async fn session_for(
        &mut self,
        account: &Arc<Account>,
        login: &Login,
        token: Option<String>,
    ) -> Result<LoginSession, Failed> {
        let mut resume_failed = None;
        if let Some(resume) = &login.resume {
            match self.resume(account.bare(), resume).await {
                Ok(resumed) => return Ok(LoginSession::Resumed(resumed)),
                Err(failed) => resume_failed = Some(failed),
            }
        }
        let Some(bind) = &login.bind else { return Ok(LoginSession::Unbound { resume_failed }) };
        let agent = login.user_agent.as_ref();
        let resource = self.resource(account.bare(), bind.tag.as_deref(), agent)?;
        let origin = Origin {
            mechanism: login.authenticated.mechanism().name().to_owned(),
            client: agent.map(tokens::describe),
            token,
            ..self.origin()
        };
        let session = life::bind(self.server, account, Some(&resource), origin).await?;
        self.session = Some(session.clone());
        let mut inline = Vec::new();
        {
            let mut state = account.lock();
            let newest = state.archive.newest();
            if let Some(resource) = state.resource(&session) {
                resource.carbons = bind.carbons;
                // XEP-0386 §5: who binds like this reads the archive and gets no offline messages.
                resource.caught_up = self.server.archives().then_some(CaughtUp::to(newest));
                if resource.caught_up.is_some() {
                    session.link().set_awaited_backlog(false);
                }
            }
        }
        if let Some(enable) = &bind.enable {
            inline.push(super::conn::enable_sm(self.server, &session, enable));
        }
        session.link().set_inactive(bind.inactive);
        if self.server.archives() {
            inline.push(crate::ext::archive::metadata_element(self.server, account.id).await?);
        }
        let jid = session.jid.clone();
        Ok(LoginSession::Bound(Bound { jid, resume_failed, inline }))
    }

    /// The resource of a Bind 2 session: the client's tag, and something that is the same whenever
    /// the same client comes back (XEP-0386 §3.3).
    fn resource(
        &self,
        account: &str,
        tag: Option<&str>,
        agent: Option<&UserAgent>,
    ) -> Result<String, Failed> {
        let failed = || StanzaError::new(Condition::InternalServerError);
        let identifier = match agent.and_then(|agent| agent.id.as_deref()) {
            Some(id) => self.server.secret.short("bind2 resource", &[account, id]),
            None => resume::fresh_id().map_err(|_| failed())?,
        };
        let resource = bind2::resource(tag, &identifier).map_err(|_| failed())?;
        Ok(resource.as_str().to_owned())
    }

    /// RFC 6120 §7: binds a resource on a classic stream.
    async fn bind(&mut self, request: BindRequest) -> Result<xmpp::jid::FullJid, StanzaError> {
        let jid = request.authenticated.account().clone();
        self.authenticated(jid.as_str());
        let found = self.server.account(&jid.into()).await;
        let account =
            found.map_err(|error| self.server.store_failed("bind", &error))?.ok_or_else(gone)?;
        let origin = Origin {
            mechanism: request.authenticated.mechanism().name().to_owned(),
            client: request.user_agent.as_ref().map(tokens::describe),
            ..self.origin()
        };
        let session =
            life::bind(self.server, &account, request.resource.as_deref(), origin).await?;
        let jid = session.jid.clone();
        self.session = Some(session);
        Ok(jid)
    }

    /// XEP-0198 §5: goes on with a session of this account.
    async fn resume(
        &mut self,
        account: &str,
        resume: &sm::Resume,
    ) -> Result<Resumed, ResumeFailed> {
        let failed = ResumeFailed { condition: Condition::ItemNotFound, handled: None };
        let found = self.server.resumable.find(&resume.previd);
        let found = found.filter(|session| session.account.bare() == account);
        let Some(session) = found else {
            self.server.metrics.resume_failed.increment();
            return Err(failed);
        };
        // What the client sent before is settled first, so that it need not send it again.
        if let Err(error) = self.server.store.archive.barrier().await {
            self.server.store_failed("resumption", &error);
        }
        let resumed = {
            let mut link = session.link();
            let resumed = if link.resumable() { link.resume(resume.h).ok() } else { None };
            let handled = link.sm().map_or(0, |sm| sm.ack_value());
            resumed.map(|delivered| (delivered, handled, link.epoch()))
        };
        let Some((delivered, handled, epoch)) = resumed else {
            self.server.metrics.resume_failed.increment();
            return Err(failed);
        };
        self.epoch = epoch;
        life::delivered(self.server, &session.account, delivered);
        // The task of the connection before, if there is one still, sees that it was replaced.
        session.nudge();
        self.server.metrics.resumed.increment();
        let jid = session.jid.clone();
        self.session = Some(session);
        Ok(Resumed { jid, handled })
    }

    fn refused(&self, refused: &Refused) {
        self.server.metrics.logins_failed.increment();
        if refused.failure.condition == xmpp::sasl::Condition::NotAuthorized
            && let Some(account) = &refused.account
        {
            self.server.logins.failed(account.as_str(), self.address(), Instant::now());
        }
    }

    fn authenticated(&mut self, account: &str) {
        if self.peer.admission.authenticated() {
            self.server.logins.succeeded(account, self.address(), Instant::now());
        }
    }

    fn broken(&self, error: StoreError, fail: impl FnOnce(StreamError)) -> Step {
        self.server.store_failed("login", &error);
        fail(StreamError::new(StreamCondition::InternalServerError));
        Step::Closed(None)
    }

    /// The next event, the error to end the stream with, or nothing when the peer is gone.
    async fn event(&mut self) -> Result<Event, Option<StreamError>> {
        loop {
            match self.reader.next() {
                Ok(Some(event)) => return Ok(event),
                Ok(None) => {}
                Err(error) => return Err(Some(StreamError::new(error.stream_condition()))),
            }
            let mut shutdown = self.server.shutdown.subscribe();
            let read = tokio::select! {
                read = read_into(self.transport, self.reader) => read,
                () = sleep_until(self.deadline) => {
                    self.server.metrics.login_timeouts.increment();
                    let error = StreamError::new(StreamCondition::ConnectionTimeout);
                    return Err(Some(error.with_text("logging in took too long")));
                }
                () = self.peer.admission.evicted() => {
                    return Err(Some(StreamError::new(StreamCondition::ResourceConstraint)));
                }
                () = super::listen::down(&mut shutdown) => {
                    return Err(Some(StreamError::new(StreamCondition::SystemShutdown)));
                }
            };
            match read {
                Ok(length) if length > 0 => *self.read += length,
                Err(error) if error.kind() == ErrorKind::QuotaExceeded => *self.read = usize::MAX,
                _ => return Err(None),
            }
            if *self.read > BUDGET {
                let error = StreamError::new(StreamCondition::PolicyViolation);
                return Err(Some(error.with_text("too much was sent before logging in")));
            }
        }
    }

    async fn write(&mut self, out: &mut Out) -> std::io::Result<()> {
        use tokio::io::AsyncWriteExt as _;
        if !out.is_empty() {
            let writing = async {
                if self.websocket {
                    for frame in out.frames() {
                        self.transport.write_all(frame).await?;
                    }
                } else {
                    self.transport.write_all(out.bytes()).await?;
                }
                self.transport.flush().await
            };
            let limit = self.deadline + WRITE_GRACE;
            tokio::time::timeout_at(limit, writing).await??;
        }
        out.apply(self.reader);
        Ok(())
    }

    fn address(&self) -> IpAddr {
        self.peer.address.ip()
    }

    fn origin(&self) -> Origin {
        Origin {
            transport: self.peer.transport,
            address: crate::log::LogAddr(self.address()).to_string(),
            since: self.server.now(),
            ..Origin::default()
        }
    }
}

/// Waits before a login that follows wrong passwords.
async fn patience(
    server: &Server,
    address: IpAddr,
    account: &str,
) -> Result<(), xmpp::sasl::Failure> {
    match server.logins.before(account, address, Instant::now()) {
        Verdict::Proceed => Ok(()),
        Verdict::Wait(pause) => {
            server.metrics.logins_throttled.increment();
            sleep(pause).await;
            Ok(())
        }
        Verdict::Refuse => {
            server.metrics.logins_throttled.increment();
            let condition = xmpp::sasl::Condition::TemporaryAuthFailure;
            Err(xmpp::sasl::Failure::new(condition)
                .with_text("too many attempts; try again in a few minutes"))
        }
    }
}

/// Why a login did not lead to a session.
enum Failed {
    Stanza(StanzaError),
    Store(StoreError),
}

impl From<StanzaError> for Failed {
    fn from(error: StanzaError) -> Self {
        Self::Stanza(error)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The account was deleted between proof and session.
fn gone() -> StanzaError {
    StanzaError::new(Condition::NotAuthorized)
}

/// Inside SASL2 there is no stanza to answer with an error, so the stream ends.
fn stream_error(error: &StanzaError) -> StreamError {
    let condition = match error.condition {
        Condition::ResourceConstraint => StreamCondition::ResourceConstraint,
        Condition::NotAuthorized => StreamCondition::NotAuthorized,
        _ => StreamCondition::InternalServerError,
    };
    let stream = StreamError::new(condition);
    match &error.text {
        Some(text) => stream.with_text(text.clone()),
        None => stream,
    }
}

/// A little more than the deadline, so that the error that says so can still be written.
const WRITE_GRACE: std::time::Duration = std::time::Duration::from_secs(5);
