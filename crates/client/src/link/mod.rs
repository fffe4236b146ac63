//! The connection and the session: making them, losing them, and getting them back.
//!
//! A *session* is what the server calls us; it may outlive connections by resumption (XEP-0198).
//! Its counters and queue live in memory only: after the end of the process the session is given
//! up, and what matters is sent again from the outbox and fetched again from the archive.

mod negotiate;
mod out;
mod stream;

use bytes::Bytes;
use xmpp::ext::sasl2::UserAgent;
use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::sm::{self, Sm};
use xmpp::stream::TlsInfo;
use xmpp::stream::client::{Negotiation, TlsPending};
use xmpp::time::Millis;
use xmpp::xml::{Element, Framing, Reader};

use crate::account;
use crate::cx::{Cx, Step};
use crate::effect::{Effect, Lost, Target};
use crate::features::{Feature, Spec};
use crate::iq::Answer;
use crate::machine::each;
use crate::store::QueuedId;
use crate::view::{Connection, Outcome, Problem};

pub(crate) use negotiate::{KEYS, USED};
pub(crate) use out::{ask, finish_step, has_room, join_sends, largest, send_stanza, set_active};
use out::{send_activity, write};

/// What it follows, with the crate `xmpp`.
pub(crate) const SPECS: &[Spec] = &[
    Spec { number: "RFC 5802", version: "" },
    Spec { number: "RFC 5929", version: "" },
    Spec { number: "RFC 6120", version: "" },
    Spec { number: "RFC 7395", version: "" },
    Spec { number: "RFC 7677", version: "" },
    Spec { number: "RFC 9266", version: "" },
    Spec { number: "XEP-0198", version: "1.6.3" },
    Spec { number: "XEP-0352", version: "1.0.0" },
    Spec { number: "XEP-0386", version: "1.1.0" },
    Spec { number: "XEP-0388", version: "1.0.4" },
    Spec { number: "XEP-0440", version: "1.0.0" },
    Spec { number: "XEP-0474", version: "0.5.0" },
    Spec { number: "XEP-0478", version: "0.2.0" },
    Spec { number: "XEP-0484", version: "0.2.0" },
];

/// The connection and the session.
pub(crate) struct Link {
    phase: Phase,
    reader: Option<Reader>,
    framing: Framing,
    /// What is known about the encryption of the connection.
    tls: Option<TlsInfo>,
    /// The session, as long as it may go on.
    pub(crate) session: Option<Session>,
    /// What was missed has been fetched.
    pub(crate) caught_up: bool,
    /// A connection is wanted.
    wanted: bool,
    /// Tries that failed in a row.
    failures: u32,
    /// When the last session was made or resumed.
    opened: Option<u64>,
    /// The request that waits for the outcome of the login.
    login: Option<u64>,
    registering: Option<Registering>,
    /// Whether somebody looks (XEP-0352).
    active: bool,
    /// The token is to be forgotten by the server with the next login.
    pub(crate) invalidate: bool,
    /// When bytes last arrived.
    heard: u64,
    /// A sign of life was asked for at that moment.
    probed: Option<u64>,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            phase: Phase::Offline,
            reader: None,
            framing: Framing::Tcp,
            tls: None,
            session: None,
            caught_up: false,
            wanted: false,
            failures: 0,
            opened: None,
            login: None,
            registering: None,
            active: true,
            invalidate: false,
            heard: 0,
            probed: None,
        }
    }
}

/// An account to be made with the next login.
#[derive(Clone)]
pub(crate) struct Registering {
    /// The invitation.
    pub(crate) token: Option<String>,
    /// Whom to be in touch with afterwards.
    pub(crate) inviter: Option<BareJid>,
}

/// Where the connection is.
enum Phase {
    /// There is none, and nothing is going to make one.
    Offline,
    /// The driver was asked for one; it has until this moment.
    Connecting(u64),
    /// The driver starts TLS.
    Tls(Box<TlsPending>, u64),
    /// The session is being negotiated; the server has until this moment.
    Negotiating(Box<Negotiation>, u64),
    /// Stanzas flow.
    Open,
    /// The driver was asked to close it.
    Closing(Next),
    /// The next try is at this moment.
    Waiting { until: u64, shown: Millis, reason: String },
    /// The user has to do something.
    Stopped(Connection),
}

/// What comes after a connection was closed.
#[derive(Clone, Debug)]
enum Next {
    Offline,
    /// Another try, for this reason.
    Again(String),
    Stopped(Connection),
}

/// A bound resource.
pub(crate) struct Session {
    /// The features of the stream it began on.
    pub(crate) features: Option<Element>,
    /// Stream management, if it is on.
    managed: Option<Managed>,
}

impl Session {
    /// Whether the stream offered a feature.
    pub(crate) fn offers(&self, name: &str, ns: &str) -> bool {
        self.features.as_ref().is_some_and(|features| features.child(name, ns).is_some())
    }
}

struct Managed {
    /// Each stanza remembers which row of the outbox it was.
    sm: Sm<Option<QueuedId>>,
    /// With this the session can be resumed.
    id: Option<String>,
}

impl Link {
    /// What a user interface shows.
    pub(crate) fn connection(&self) -> Connection {
        match &self.phase {
            Phase::Offline | Phase::Closing(Next::Offline) => Connection::Offline,
            Phase::Connecting(_) | Phase::Tls(..) | Phase::Negotiating(..) => {
                Connection::Connecting
            }
            Phase::Open if self.caught_up => Connection::Online,
            Phase::Open => Connection::CatchingUp,
            Phase::Closing(Next::Again(_)) => Connection::Connecting,
            Phase::Closing(Next::Stopped(connection)) | Phase::Stopped(connection) => {
                connection.clone()
            }
            Phase::Waiting { shown, reason, .. } => {
                Connection::Waiting { reason: reason.clone(), until: *shown }
            }
        }
    }
}

/// Whether stanzas can be written.
pub(crate) fn is_open(link: &Link) -> bool {
    matches!(link.phase, Phase::Open)
}

/// Whether the stream has acknowledgements.
pub(crate) fn is_managed(link: &Link) -> bool {
    link.session.as_ref().is_some_and(|session| session.managed.is_some())
}

/// When [`on_time`] has something to do.
pub(crate) fn deadline(link: &Link) -> Option<u64> {
    match &link.phase {
        Phase::Connecting(until) | Phase::Tls(_, until) | Phase::Negotiating(_, until) => {
            Some(*until)
        }
        Phase::Waiting { until, .. } => Some(*until),
        Phase::Open => {
            let life = match link.probed {
                Some(probed) => probed.saturating_add(PROBE_TIMEOUT),
                None => link.heard.saturating_add(SILENCE),
            };
            let managed = link.session.as_ref().and_then(|session| session.managed.as_ref());
            let ask = managed.and_then(|managed| managed.sm.deadline()).map(|at| at.0);
            Some(ask.map_or(life, |ask| ask.min(life)))
        }
        Phase::Offline | Phase::Closing(_) | Phase::Stopped(_) => None,
    }
}

/// Whatever is due by now.
pub(crate) fn on_time(cx: &mut Cx<'_>) -> Step {
    let now = cx.now.steady;
    if deadline(&cx.state.link).is_none_or(|deadline| deadline > now) {
        return Ok(());
    }
    match &cx.state.link.phase {
        Phase::Waiting { .. } => connect(cx, false),
        Phase::Connecting(_) | Phase::Tls(..) | Phase::Negotiating(..) => {
            close(cx, Next::Again("the server does not answer".to_owned()))
        }
        Phase::Open => match cx.state.link.probed {
            Some(probed) if probed.saturating_add(PROBE_TIMEOUT) <= now => {
                close(cx, Next::Again("the connection is dead".to_owned()))
            }
            None if cx.state.link.heard.saturating_add(SILENCE) <= now => probe(cx),
            _ => {
                ask(cx);
                Ok(())
            }
        },
        Phase::Offline | Phase::Closing(_) | Phase::Stopped(_) => Ok(()),
    }
}

/// Asks the server for a sign of life.
fn probe(cx: &mut Cx<'_>) -> Step {
    cx.state.link.probed = Some(cx.now.steady);
    if is_managed(&cx.state.link) {
        ask(cx);
        return Ok(());
    }
    cx.iq_get(None, Element::new("ping", ns::PING), |_, _| Ok(()))
}

/// Asks for a connection. `now` also when the next try would be later, or the last one was refused.
pub(crate) fn connect(cx: &mut Cx<'_>, now: bool) -> Step {
    cx.state.link.wanted = true;
    match &cx.state.link.phase {
        Phase::Stopped(_) | Phase::Offline if !now => return Ok(()),
        Phase::Offline | Phase::Stopped(_) | Phase::Waiting { .. } => {}
        Phase::Closing(_) => {
            cx.state.link.phase = Phase::Closing(Next::Again(String::new()));
            return Ok(());
        }
        Phase::Connecting(_) | Phase::Tls(..) | Phase::Negotiating(..) | Phase::Open => {
            return Ok(());
        }
    }
    let Some(login) = &cx.state.login else { return Ok(()) };
    if login.password.is_none() && login.token.is_none() && cx.store.value(KEYS)?.is_none() {
        return stop(cx, Connection::Refused("the password is needed".to_owned()));
    }
    let target = Target {
        domain: login.address.domain().to_string(),
        server: login.server.clone(),
        pinned: login.pinned,
    };
    cx.state.link.phase = Phase::Connecting(cx.now.steady.saturating_add(CONNECT_TIMEOUT));
    cx.effects.push(Effect::Connect(target));
    account::show(cx)
}

/// A new login: whatever there is ends, and the outcome is the request's.
pub(crate) fn login(cx: &mut Cx<'_>, number: u64, registering: Option<Registering>) -> Step {
    if let Some(earlier) = cx.state.link.login.replace(number) {
        cx.failed(earlier, Problem::Cancelled);
    }
    cx.state.link.registering = registering;
    cx.state.link.failures = 0;
    if matches!(cx.state.link.phase, Phase::Open | Phase::Tls(..) | Phase::Negotiating(..)) {
        return close(cx, Next::Again(String::new()));
    }
    connect(cx, true)
}

/// Ends the session and begins another one.
pub(crate) fn reconnect(cx: &mut Cx<'_>) -> Step {
    end_session(cx)?;
    close(cx, Next::Again(String::new()))
}

/// Closes the stream properly and stays offline.
pub(crate) fn disconnect(cx: &mut Cx<'_>) -> Step {
    cx.state.link.wanted = false;
    match cx.state.link.phase {
        Phase::Open | Phase::Tls(..) | Phase::Negotiating(..) | Phase::Connecting(_) => {
            close(cx, Next::Offline)
        }
        Phase::Closing(_) => {
            cx.state.link.phase = Phase::Closing(Next::Offline);
            Ok(())
        }
        Phase::Offline | Phase::Waiting { .. } | Phase::Stopped(_) => {
            cx.state.link.phase = Phase::Offline;
            end_session(cx)?;
            account::show(cx)
        }
    }
}

/// The network is another one, or the machine woke up.
pub(crate) fn on_network_changed(cx: &mut Cx<'_>) -> Step {
    match &cx.state.link.phase {
        Phase::Waiting { .. } => {
            cx.state.link.failures = 0;
            connect(cx, true)
        }
        Phase::Connecting(_) | Phase::Tls(..) | Phase::Negotiating(..) => {
            close(cx, Next::Again(String::new()))
        }
        Phase::Open if cx.state.link.probed.is_none() => {
            probe(cx)?;
            // A dead connection is to be noticed soon: half of the time has passed already.
            let probed = cx.now.steady.saturating_sub(PROBE_TIMEOUT / 2);
            cx.state.link.probed = Some(probed);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Closes the connection.
fn close(cx: &mut Cx<'_>, next: Next) -> Step {
    if is_open(&cx.state.link) {
        // XEP-0198 §4: with a last acknowledgement the server knows what need not be stored.
        let managed = cx.state.link.session.as_ref().and_then(|one| one.managed.as_ref());
        if let Some(managed) = managed {
            let mut bytes = Vec::new();
            sm::write_ack(&mut bytes, managed.sm.ack_value());
            write(cx, bytes.into());
        }
        if matches!(next, Next::Offline | Next::Stopped(_)) {
            let end = match cx.state.link.framing {
                Framing::Tcp => Bytes::from_static(b"</stream:stream>"),
                Framing::WebSocket => {
                    Bytes::from_static(b"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
                }
            };
            cx.effects.push(Effect::Send(end));
            end_session(cx)?;
        }
    }
    cx.effects.push(Effect::Close);
    cx.state.link.phase = Phase::Closing(next);
    cx.state.link.reader = None;
    account::show(cx)
}

/// Nothing more happens until the user does something.
fn stop(cx: &mut Cx<'_>, connection: Connection) -> Step {
    let reason = match &connection {
        Connection::Refused(reason) => reason.clone(),
        Connection::Untrusted { problem, .. } => problem.clone(),
        _ => String::new(),
    };
    cx.state.link.phase = Phase::Stopped(connection);
    end_session(cx)?;
    // Whoever waits for the login can then see what stopped it.
    account::show(cx)?;
    login_failed(cx, Problem::Login(reason));
    Ok(())
}

fn login_failed(cx: &mut Cx<'_>, problem: Problem) {
    if let Some(number) = cx.state.link.login.take() {
        cx.failed(number, problem);
    }
}

/// There is no connection any more.
pub(crate) fn on_disconnected(cx: &mut Cx<'_>, lost: Lost) -> Step {
    cx.state.link.reader = None;
    let before = std::mem::replace(&mut cx.state.link.phase, Phase::Offline);
    let opened = cx.state.link.opened;
    let worked = opened.is_some_and(|at| cx.now.steady.saturating_sub(at) >= WORKED);
    if worked && matches!((&before, &lost), (Phase::Open, Lost::Network(_))) {
        // It worked until the network broke, as it does on a train: the next try is soon.
        cx.state.link.failures = cx.state.link.failures.min(AFTER_WORKING);
    }
    match (before, lost) {
        (_, Lost::Certificate { problem, fingerprint }) => {
            stop(cx, Connection::Untrusted { problem, fingerprint })
        }
        (Phase::Closing(Next::Stopped(connection)), _) => stop(cx, connection),
        (Phase::Closing(Next::Offline), _) => {
            end_session(cx)?;
            account::show(cx)
        }
        (Phase::Closing(Next::Again(reason)), _) if reason.is_empty() => connect(cx, true),
        (Phase::Closing(Next::Again(reason)), _) | (_, Lost::Network(reason)) => wait(cx, reason),
        (before @ (Phase::Stopped(_) | Phase::Waiting { .. } | Phase::Offline), Lost::Closed) => {
            cx.state.link.phase = before;
            Ok(())
        }
        (_, Lost::Ended) => wait(cx, "the server closed the connection".to_owned()),
        (_, Lost::Closed) => wait(cx, "the connection was closed".to_owned()),
    }
}

/// Tries again later: twice as long each time, up to a limit, and not at the same moment as others.
fn wait(cx: &mut Cx<'_>, reason: String) -> Step {
    login_failed(cx, Problem::Unreachable(reason.clone()));
    if !cx.state.link.wanted {
        cx.state.link.phase = Phase::Offline;
        return account::show(cx);
    }
    // A server that closes what it just opened must not be asked again at once.
    let opened = cx.state.link.opened.take();
    if opened.is_some_and(|at| cx.now.steady.saturating_sub(at) >= STABLE) {
        cx.state.link.failures = 0;
    }
    let exponent = cx.state.link.failures.min(16);
    cx.state.link.failures = cx.state.link.failures.saturating_add(1);
    let longest = (FIRST_WAIT << exponent).min(LONGEST_WAIT);
    let half = longest / 2;
    let wait = u64::from(half) + u64::from(cx.rng.below(half + 1));
    let until = cx.now.steady.saturating_add(wait);
    cx.state.link.phase = Phase::Waiting { until, shown: cx.now.wall.plus(wait), reason };
    account::show(cx)
}

/// The session is gone for good: nobody waits for its answers any more.
fn end_session(cx: &mut Cx<'_>) -> Step {
    if cx.state.link.session.take().is_none() {
        return Ok(());
    }
    cx.state.link.caught_up = false;
    cx.state.outbox.session_ended();
    while let Some(then) = cx.state.iq.pop() {
        then(cx, Answer::Lost)?;
    }
    each(cx, |feature: &Feature| feature.ended)
}

/// The archive holds nothing that is not here.
pub(crate) fn on_caught_up(cx: &mut Cx<'_>) -> Step {
    if !std::mem::replace(&mut cx.state.link.caught_up, true) {
        // What may have arrived before is known now, and the rest can be sent again.
        cx.wake_outbox();
        account::show(cx)?;
        each(cx, |feature: &Feature| feature.caught_up)?;
    }
    Ok(())
}

/// What the server is told about this installation.
fn user_agent(cx: &Cx<'_>) -> UserAgent {
    UserAgent {
        id: cx.state.login.as_ref().map(|login| login.client_id.clone()),
        software: Some(cx.options.software.clone()),
        device: Some(cx.options.device.clone()),
    }
}

fn login_done(cx: &mut Cx<'_>) {
    if let Some(number) = cx.state.link.login.take() {
        cx.done(number, Outcome::Done);
    }
}

pub(crate) use stream::on_bytes;

pub(crate) use negotiate::{on_connected, on_tls};

/// How long the driver may take to connect, and the server to negotiate: milliseconds, like all.
const CONNECT_TIMEOUT: u64 = 60_000;
const NEGOTIATION_TIMEOUT: u64 = 60_000;
/// After this much silence the server is asked for a sign of life …
const SILENCE: u64 = 90_000;
/// … and has this long to give it.
const PROBE_TIMEOUT: u64 = 20_000;
/// A connection that lasted so long was a good one.
const STABLE: u64 = 60_000;
/// Waiting after the first failure, and at most.
const FIRST_WAIT: u32 = 2_000;
const LONGEST_WAIT: u32 = 120_000;
/// A session that lasted so long worked.
const WORKED: u64 = 5_000;
/// As how many failures those before a session that worked count: eight seconds at most.
const AFTER_WORKING: u32 = 2;
/// Bounds of the session's queue: the outbox's share, and room for everything else.
const SM_LIMITS: sm::Limits = sm::Limits {
    stanzas: 1000,
    bytes: 16 * 1024 * 1024,
    ask_stanzas: 10,
    ask_bytes: 64 * 1024,
    ask_millis: 3000,
};
