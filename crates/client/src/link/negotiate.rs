//! From a connection to a session.
//!
//! The password is kept no longer than it is needed. Once the server has given a token (XEP-0484)
//! the password is forgotten; the keys that SCRAM made of it stay for the day when the token is
//! refused (they open this account only, and are void once the password changes). When both are
//! refused the user is asked again. Where there are no tokens the password stays: some servers
//! choose another salt for each login, and keys are worth nothing there.

use xmpp::error::{Condition, StanzaError};
use xmpp::ext::bind2::Bind;
use xmpp::ns;
use xmpp::sasl::scram_client::{self, ClientKeys, Credential};
use xmpp::sasl::{Mechanism, ht};
use xmpp::sm::{Enable, Resume, Sm};
use xmpp::stream::client::{
    Encryption, Error, Established, Managed as Management, Negotiation, Preference, Registration,
    Settings, Step as Negotiated, Token,
};
use xmpp::stream::{Out, TlsInfo};
use xmpp::xml::{Element, Event, Framing, Limits, Reader};

use super::{
    Managed, NEGOTIATION_TIMEOUT, Next, Phase, SM_LIMITS, Session, close, end_session, login_done,
    login_failed, send_activity, stream, user_agent,
};
use crate::account;
use crate::cx::{Cx, Step};
use crate::effect::Effect;
use crate::features::Feature;
use crate::iq::describe;
use crate::machine::{each, run_deferred};
use crate::outbox;
use crate::store::StoredToken;
use crate::view::{Connection, Problem};

/// The name under which SCRAM keys are stored.
pub(crate) const KEYS: &str = "scram-keys";

/// The name of the mark that this account was logged in once.
pub(crate) const USED: &str = "used";

/// There is a connection.
pub(crate) fn on_connected(cx: &mut Cx<'_>, tls: Option<TlsInfo>, framing: Framing) -> Step {
    if !matches!(cx.state.link.phase, Phase::Connecting(_)) {
        return Ok(());
    }
    let Some(settings) = settings(cx, tls.as_ref(), framing)? else { return Ok(()) };
    let mut reader = Reader::new(Limits::BEFORE_AUTH, framing);
    // Features of servers with many extensions are larger than what a client says before login.
    reader.set_limits(Limits { element_bytes: 64 * 1024, elements: 512, ..Limits::BEFORE_AUTH });
    cx.state.link.reader = Some(reader);
    cx.state.link.framing = framing;
    cx.state.link.tls.clone_from(&tls);
    let mut out = Out::new();
    let seed = cx.rng.bytes();
    let negotiation = Negotiation::start(settings, tls, seed, &mut out);
    let until = cx.now.steady.saturating_add(NEGOTIATION_TIMEOUT);
    cx.state.link.phase = Phase::Negotiating(Box::new(negotiation), until);
    flush(cx, out);
    Ok(())
}

/// TLS was started.
pub(crate) fn on_tls(cx: &mut Cx<'_>, tls: TlsInfo) -> Step {
    match std::mem::replace(&mut cx.state.link.phase, Phase::Offline) {
        Phase::Tls(pending, until) => {
            cx.state.link.tls = Some(tls.clone());
            let mut out = Out::new();
            let negotiated = pending.answer(tls, &mut out);
            proceed(cx, negotiated, until, out)
        }
        other => {
            cx.state.link.phase = other;
            Ok(())
        }
    }
}

/// Takes an element of the negotiation.
pub(super) fn on_event(
    cx: &mut Cx<'_>,
    negotiation: Negotiation,
    until: u64,
    event: Event,
) -> Step {
    let mut out = Out::new();
    let negotiated = negotiation.handle(event, &mut out);
    proceed(cx, negotiated, until, out)
}

fn proceed(cx: &mut Cx<'_>, negotiated: Negotiated, until: u64, out: Out) -> Step {
    flush(cx, out);
    match negotiated {
        Negotiated::Read(negotiation) => {
            cx.state.link.phase = Phase::Negotiating(Box::new(negotiation), until);
            Ok(())
        }
        Negotiated::StartTls(pending) => {
            cx.state.link.phase = Phase::Tls(Box::new(pending), until);
            if let Some(login) = &cx.state.login {
                let domain = login.address.domain().to_string();
                let pinned = login.pinned;
                cx.effects.push(Effect::StartTls { domain, pinned });
            }
            Ok(())
        }
        Negotiated::Established(established) => on_established(cx, *established),
        Negotiated::Failed(error) => on_failed(cx, &error),
    }
}

/// Writes what the negotiation wants to be written.
fn flush(cx: &mut Cx<'_>, mut out: Out) {
    match cx.state.link.framing {
        Framing::Tcp if out.is_empty() => {}
        Framing::Tcp => {
            cx.effects.push(Effect::Send(bytes::Bytes::copy_from_slice(out.bytes())));
        }
        Framing::WebSocket => {
            let frames: Vec<_> = out.frames().map(bytes::Bytes::copy_from_slice).collect();
            cx.effects.extend(frames.into_iter().map(Effect::Send));
        }
    }
    if let Some(reader) = &mut cx.state.link.reader {
        out.apply(reader);
    }
}

fn settings(cx: &mut Cx<'_>, tls: Option<&TlsInfo>, framing: Framing) -> Step<Option<Settings>> {
    let stored = cx.store.value(KEYS)?.and_then(|keys| ClientKeys::from_bytes(&keys));
    let Some(login) = &cx.state.login else { return Ok(None) };
    // Whether a token is too old its server decides: a clock here that is ahead must not make the
    // user look for the password. One that is refused costs a round trip.
    let at_hand = login.password.is_some();
    let token = login.token.as_ref().filter(|token| !at_hand || token.expiry > cx.now.wall);
    let token = token.and_then(|token| {
        let method = ht::Method::from_name(&token.mechanism)?;
        let invalidate = cx.state.link.invalidate;
        Some(Token { secret: token.secret.clone(), method, invalidate })
    });
    let scram = Mechanism::PASSWORD.into_iter().filter(|one| *one != Mechanism::Plain);
    let mut mechanisms: Vec<Mechanism> = scram.collect();
    let credential = match (&login.password, stored) {
        (Some(password), _) => Some(Credential::Password(password.clone())),
        (None, Some(keys)) => {
            mechanisms.retain(|one| match one {
                Mechanism::Scram(hash) | Mechanism::ScramPlus(hash) => *hash == keys.hash(),
                Mechanism::Plain | Mechanism::Token(_) => false,
            });
            Some(Credential::Keys(keys))
        }
        (None, None) => None,
    };
    let register = cx.state.link.registering.as_ref().zip(login.password.as_ref());
    let register = register.map(|(registering, password)| Registration {
        password: password.clone(),
        token: registering.token.clone(),
    });
    let session = cx.state.link.session.as_ref();
    let resume = session.and_then(|session| session.managed.as_ref()).and_then(|managed| {
        let previd = managed.id.clone()?;
        Some(Resume { previd, h: managed.sm.ack_value() })
    });
    let tag = resource_tag(&cx.options.software);
    let method = match tls {
        // STARTTLS comes later; every TLS library of today exports keys.
        None => ht::Method::SHA_256_EXPR,
        Some(tls) if tls.exporter.is_some() => ht::Method::SHA_256_EXPR,
        Some(tls) if tls.end_point.is_some() => ht::Method::SHA_256_ENDP,
        Some(_) => ht::Method::SHA_256_NONE,
    };
    Ok(Some(Settings {
        account: login.address.clone(),
        credential,
        token,
        framing,
        encryption: Encryption::Required,
        preference: Preference::Any,
        mechanisms,
        channel_binding: true,
        resource: Some(format!("{tag}.{}", login.client_id.get(..8).unwrap_or(""))),
        bind: Bind {
            tag: Some(tag),
            carbons: true,
            enable: Some(Enable { resume: true, max: Some(RESUMABLE_SECONDS) }),
            inactive: !cx.state.link.active,
            other: Vec::new(),
        },
        resume,
        user_agent: Some(user_agent(cx)),
        request_token: (!cx.state.link.invalidate).then_some(method),
        register,
        lang: None,
    }))
}

/// The first part of the resource: the program's name in lower case, letters only.
fn resource_tag(software: &str) -> String {
    let letters = software.chars().filter(char::is_ascii_alphabetic).take(32);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

fn on_established(cx: &mut Cx<'_>, established: Established) -> Step {
    keep_credentials(cx, &established)?;
    cx.state.link.opened = Some(cx.now.steady);
    cx.state.link.heard = cx.now.steady;
    cx.state.link.probed = None;
    if let Some(reader) = &mut cx.state.link.reader {
        reader.set_limits(READER_LIMITS);
    }
    cx.state.link.phase = Phase::Open;
    let registered = cx.state.link.registering.take();
    login_done(cx);
    if cx.state.link.invalidate {
        return crate::features::logout::on_invalidated(cx);
    }
    match (&established.managed, &established.jid) {
        (Some(Management::Resumed(h)), _) => on_resumed(cx, *h),
        (_, None) => close(cx, Next::Again("no session was bound".to_owned())),
        (_, Some(_)) => {
            end_session(cx)?;
            let managed = match established.managed {
                Some(Management::Enabled(enabled)) => {
                    Some(Managed { sm: Sm::new(SM_LIMITS), id: enabled.id })
                }
                _ => None,
            };
            cx.state.link.session = Some(Session { features: established.features, managed });
            account::show(cx)?;
            if registered.is_some() {
                crate::features::archive::on_registered(cx)?;
            }
            on_new_session(cx)?;
            if let Some(inviter) = registered.and_then(|registering| registering.inviter) {
                crate::features::roster::greet(cx, &inviter)?;
            }
            for stanza in established.early {
                stream::on_stanza(cx, stanza)?;
            }
            run_deferred(cx)
        }
    }
}

/// A session that begins.
fn on_new_session(cx: &mut Cx<'_>) -> Step {
    // Bind 2 does not say whether it enabled them; enabling twice is harmless.
    cx.iq_set(None, Element::new("enable", ns::CARBONS), |_, _| Ok(()))?;
    each(cx, |feature: &Feature| feature.online)
}

/// The session goes on: the server says what it has, and gets the rest again.
fn on_resumed(cx: &mut Cx<'_>, h: u32) -> Step {
    let session = cx.state.link.session.as_mut();
    let Some(managed) = session.and_then(|session| session.managed.as_mut()) else {
        return close(cx, Next::Again("a session that is not known".to_owned()));
    };
    managed.sm.rewind();
    let Ok(handled) = managed.sm.acknowledge(h) else {
        end_session(cx)?;
        return close(cx, Next::Again("the server counted wrong".to_owned()));
    };
    let handled: Vec<_> = handled.filter_map(|entry| entry.meta).collect();
    let again: Vec<_> = managed.sm.unacked().map(|entry| entry.bytes.clone()).collect();
    for row in handled {
        outbox::on_acknowledged(cx, row)?;
    }
    outbox::on_room(cx);
    for bytes in again {
        super::write(cx, bytes);
    }
    super::ask(cx);
    send_activity(cx);
    account::show(cx)?;
    each(cx, |feature: &Feature| feature.resumed)?;
    run_deferred(cx)
}

/// Keeps the token and the keys of the next login, and forgets the password.
fn keep_credentials(cx: &mut Cx<'_>, established: &Established) -> Step {
    if let Some(keys) = &established.keys {
        cx.store.save_value(KEYS, Some(&keys.to_bytes()))?;
    }
    let has_keys = cx.store.value(KEYS)?.is_some();
    let token = established.token.as_ref().map(|token| StoredToken {
        secret: token.secret.clone(),
        mechanism: token.method.name().to_owned(),
        expiry: token.expiry,
    });
    cx.store.save_value(USED, Some(b"1"))?;
    let used_token = matches!(established.mechanism, Mechanism::Token(_));
    account::change_login(cx, |login| {
        if has_keys && token.is_some() {
            login.password = None;
        }
        // A password that was needed although there is a token: the token is of no use any more.
        if token.is_some() || !used_token {
            login.token = token;
        }
    })
}

fn on_failed(cx: &mut Cx<'_>, error: &Error) -> Step {
    if let Error::Registration(refused) = error {
        login_failed(cx, no_account(refused));
    }
    let next = match error {
        Error::Refused(failure)
            if failure.condition == xmpp::sasl::Condition::TemporaryAuthFailure =>
        {
            Next::Again(error.to_string())
        }
        Error::Scram(scram_client::Error::Keys) => {
            cx.store.save_value(KEYS, None)?;
            Next::Stopped(Connection::Refused("the password is needed again".to_owned()))
        }
        Error::Stream(stream_error) => match super::stream::verdict(stream_error) {
            Some(refused) => Next::Stopped(refused),
            None => Next::Again(error.to_string()),
        },
        Error::Closed | Error::Protocol(_) | Error::Bind(_) => Next::Again(error.to_string()),
        Error::Unencrypted
        | Error::NoMechanism
        | Error::Downgrade(_)
        | Error::Refused(_)
        | Error::Scram(_)
        | Error::Task
        | Error::Registration(_) => Next::Stopped(Connection::Refused(refusal(error))),
    };
    close(cx, next)
}

/// Why there is no account (XEP-0077 §3.1, XEP-0445 §3).
fn no_account(refused: &StanzaError) -> Problem {
    let words = describe(refused);
    match refused.condition {
        Condition::Conflict => Problem::NameTaken,
        Condition::NotAllowed | Condition::ItemNotFound | Condition::Forbidden => {
            Problem::NotInvited(words)
        }
        Condition::NotAcceptable | Condition::JidMalformed => Problem::Invalid(words),
        _ => Problem::Refused(words),
    }
}

/// In words for a person.
fn refusal(error: &Error) -> String {
    match error {
        Error::Refused(failure) => match (&failure.text, failure.condition) {
            (Some(text), _) => text.chars().take(200).collect(),
            (None, xmpp::sasl::Condition::NotAuthorized) => {
                "the address or the password is wrong".to_owned()
            }
            (None, _) => error.to_string(),
        },
        Error::Registration(refused) => match &refused.text {
            Some(text) => text.chars().take(200).collect(),
            None => error.to_string(),
        },
        _ => error.to_string(),
    }
}

/// How long the server is asked to keep a session without a connection.
const RESUMABLE_SECONDS: u32 = 600;
/// What a server may send. Archives hold what other servers allowed, wrapped in elements of their own, and
/// rosters are long. What is an error here comes again with the next connection, and with each after it: so
/// nothing is that somebody else could have written, and that can be passed.
const READER_LIMITS: Limits = Limits {
    element_bytes: 2 * 1024 * 1024,
    elements: 64 * 1024,
    depth: 256,
    attributes: 1024,
    namespaces: 512,
    name_bytes: 4096,
    skip_deep: true,
    ..Limits::SERVER
};
