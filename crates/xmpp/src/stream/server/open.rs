//! RFC 6120 §4 and §5: opening streams, STARTTLS, and who handles what arrives.

use super::state::{Core, Next, State};
use super::{Authenticated, Profile, bind, exchange, login, register, upgrade};
use crate::error::{StreamCondition, StreamError};
use crate::jid::{BareJid, Jid, domain_part};
use crate::ns;
use crate::sasl::Condition;
use crate::stanza::{Kind, Stanza};
use crate::stream::{Out, TlsInfo};
use crate::xml::{Element, Event, StreamHeader};

/// Takes what the reader found.
pub(super) fn handle(
    core: &mut Core,
    state: State,
    event: Event,
    out: &mut Out,
) -> Result<Next, StreamError> {
    match (event, state) {
        (Event::Close, _) => {
            core.close(None, out);
            Ok(Next::Closed)
        }
        (Event::Open(header), State::Header(authenticated)) => {
            on_header(core, header, authenticated, out)
        }
        (Event::Open(_), _) => Err(StreamCondition::BadFormat.into()),
        (Event::Oversized(_), _) => Err(StreamError::new(StreamCondition::PolicyViolation)
            .with_text("The element is too large.")),
        (Event::Stanza(_), State::Header(_)) => Err(StreamCondition::BadFormat.into()),
        (Event::Stanza(stanza), State::Open) => on_element(core, &stanza, out),
        (Event::Stanza(stanza), State::Exchange(exchange)) => {
            exchange::on_element(core, *exchange, &stanza.element(), out)
        }
        (Event::Stanza(stanza), State::Upgrading(upgrading)) => {
            upgrade::on_element(core, *upgrading, &stanza.element(), out)
        }
        (Event::Stanza(stanza), State::Bindable(authenticated)) => {
            bind::on_element(core, authenticated, &stanza, out)
        }
    }
}

/// The connection has been encrypted: nothing that was said before counts (RFC 6120 §5.4.3.3).
pub(super) fn encrypted(core: &mut Core, tls: TlsInfo) -> Next {
    core.tls = Some(tls);
    core.opened = false;
    core.domain = None;
    core.from = None;
    Next::Read(State::Header(None))
}

/// §4.7 and §4.9: the peer opens a stream.
fn on_header(
    core: &mut Core,
    header: StreamHeader,
    authenticated: Option<Authenticated>,
    out: &mut Out,
) -> Result<Next, StreamError> {
    core.opened = false;
    core.from = None;
    if header.ns != ns::CLIENT {
        return Err(StreamCondition::InvalidNamespace.into());
    }
    on_to(core, header.to.as_deref(), authenticated.as_ref())?;
    if !header.version.as_deref().is_some_and(supports_version) {
        return Err(StreamError::new(StreamCondition::UnsupportedVersion)
            .with_text("This server speaks XMPP 1.0."));
    }
    on_from(core, header.from.as_deref(), authenticated.as_ref())?;
    core.open(out);
    match authenticated {
        None => {
            core.write_features_before(out);
            Ok(Next::Read(State::Open))
        }
        Some(authenticated) => {
            core.write_features_after(false, out);
            Ok(Next::Read(State::Bindable(authenticated)))
        }
    }
}

/// §4.9.3.6: the domain must be served here; after authentication it is the account's.
fn on_to(
    core: &mut Core,
    to: Option<&str>,
    authenticated: Option<&Authenticated>,
) -> Result<(), StreamError> {
    let to = to.filter(|to| !to.is_empty()).ok_or_else(|| {
        StreamError::new(StreamCondition::ImproperAddressing)
            .with_text("The stream is not addressed to a domain.")
    })?;
    let domain = domain_part(to).map_err(|_| StreamCondition::HostUnknown)?;
    let served = core.settings.domains.iter().any(|served| served == domain.as_str());
    let moved =
        authenticated.is_some_and(|proof| proof.account().domain().as_str() != domain.as_str());
    if !served || moved {
        return Err(StreamCondition::HostUnknown.into());
    }
    core.domain = Some(domain.as_str().to_owned());
    Ok(())
}

/// §4.9.3.9: who the peer says it is must be of the domain it asks for, and stay who it proved to
/// be.
fn on_from(
    core: &mut Core,
    from: Option<&str>,
    authenticated: Option<&Authenticated>,
) -> Result<(), StreamError> {
    let Some(from) = from.filter(|from| !from.is_empty()) else { return Ok(()) };
    let from: BareJid = Jid::new(from).map_err(|_| StreamCondition::InvalidFrom)?.into_bare();
    let foreign = core.domain.as_deref() != Some(from.domain().as_str());
    let other =
        authenticated.is_some_and(|proof| from.node().is_some() && *proof.account() != from);
    if foreign || other {
        return Err(StreamCondition::InvalidFrom.into());
    }
    core.from = Some(from);
    Ok(())
}

/// §4.7.5: the major version is 1 or higher; we answer with our own.
fn supports_version(version: &str) -> bool {
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    let number = |text: &str| text.parse::<u16>().ok();
    number(major).is_some_and(|major| major >= 1) && number(minor).is_some()
}

/// Before authentication.
fn on_element(core: &mut Core, stanza: &Stanza, out: &mut Out) -> Result<Next, StreamError> {
    match (stanza.name(), stanza.ns().as_ref()) {
        ("starttls", ns::TLS) => on_starttls(core, out),
        ("auth", ns::SASL) => exchange::on_auth(core, &stanza.element(), out),
        ("authenticate", ns::SASL2) => login::on_authenticate(core, &stanza.element(), out),
        // RFC 6120 §6.4.5: nothing is going on that could be continued.
        ("response" | "abort", ns::SASL) => {
            Ok(exchange::stray(Profile::Sasl, Condition::MalformedRequest))
        }
        ("response" | "abort", ns::SASL2) => {
            Ok(exchange::stray(Profile::Sasl2, Condition::MalformedRequest))
        }
        _ if stanza.kind() == Kind::Iq => register::on_iq(core, &stanza.element(), out),
        _ => Err(unexpected(stanza)),
    }
}

/// What is told about an element that has no place in a negotiation.
pub(super) fn unexpected(stanza: &Stanza) -> StreamError {
    match stanza.kind() {
        // §4.9.3.12: stanzas before authentication, and before binding (§7.1).
        Kind::Message | Kind::Presence | Kind::Iq => StreamCondition::NotAuthorized.into(),
        Kind::Other => {
            let stray = matches!(stanza.name(), "message" | "presence" | "iq");
            if stray {
                StreamCondition::InvalidNamespace.into()
            } else {
                StreamCondition::UnsupportedStanzaType.into()
            }
        }
    }
}

/// §5.4.2: proceed, or fail and close.
fn on_starttls(core: &mut Core, out: &mut Out) -> Result<Next, StreamError> {
    if core.offers_starttls() {
        out.element(&Element::new("proceed", ns::TLS), core.framing);
        out.encrypt();
        Ok(Next::StartTls)
    } else {
        out.element(&Element::new("failure", ns::TLS), core.framing);
        core.close(None, out);
        Ok(Next::Closed)
    }
}
