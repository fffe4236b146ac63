//! XEP-0388, XEP-0386, XEP-0484: everything in one request.

use super::machine::{Core, Error, Next, State};
use super::offer::Offer;
use super::session::{self, IssuedToken};
use super::{Managed, Token};
use crate::error::{Condition, StanzaError};
use crate::ext::fast::{self, Fast};
use crate::ext::sasl_upgrade;
use crate::ext::sasl2::{Authenticate, Success};
use crate::jid::FullJid;
use crate::ns;
use crate::sasl::{Hash, Mechanism};
use crate::sm;
use crate::stream::Out;
use crate::xml::Element;

/// What SASL2 brought, while the features are awaited.
#[derive(Debug)]
pub(super) struct Authenticating {
    /// The session's address and `<bound/>`, if Bind 2 was used.
    bound: Option<(FullJid, Element)>,
    /// Why the earlier session was not resumed.
    resume_failed: bool,
}

/// Writes the request.
pub(super) fn request(
    core: &Core,
    offer: &Offer,
    mechanism: Mechanism,
    token: Option<&Token>,
    upgrades: &[Hash],
    initial: String,
) -> Authenticate {
    let settings = &core.settings;
    let mut inline = Vec::new();
    if offer.inline("sm", ns::SM).is_some() {
        inline.extend(settings.resume.as_ref().map(sm::Resume::request));
    }
    if offer.inline("bind", ns::BIND2).is_some() {
        let mut bind = settings.bind.clone();
        bind.carbons &= offer.binds(ns::CARBONS);
        bind.inactive &= offer.binds(ns::CSI);
        bind.enable = bind.enable.filter(|_| offer.binds(ns::SM));
        inline.push(bind.element());
    }
    inline.extend(token.map(|token| Fast { count: None, invalidate: token.invalidate }.element()));
    let wanted = settings.request_token.filter(|method| offer.fast(*method));
    inline.extend(wanted.map(fast::request));
    inline.extend(upgrades.iter().copied().map(sasl_upgrade::upgrade));
    Authenticate {
        mechanism: mechanism.name().to_owned(),
        initial_response: Some(initial),
        user_agent: settings.user_agent.clone(),
        inline,
    }
}

/// The server let us in.
pub(super) fn on_success(core: &mut Core, offer: &Offer, success: Success) -> Result<Next, Error> {
    let child = |name: &str, ns: &str| success.inline.iter().find(|child| child.is(name, ns));
    let method = match (core.settings.request_token, core.authenticated) {
        // A new token comes for the method that was asked for, or was used (XEP-0484 §4.5).
        (Some(method), _) => Some(method).filter(|method| offer.fast(*method)),
        (None, Some((_, Mechanism::Token(method)))) => Some(method),
        (None, _) => None,
    };
    let token = child("token", ns::FAST).and_then(fast::parse_token);
    core.issued =
        token.zip(method).map(|((secret, expiry), method)| IssuedToken { secret, expiry, method });
    if let Some(resumed) = child("resumed", ns::SM) {
        return session::resumed(core, resumed);
    }
    let bound = match child("bound", ns::BIND2) {
        Some(bound) => {
            let jid = FullJid::new(&success.authorization_identifier)
                .map_err(|_| Error::Protocol("no full address"))?;
            Some((jid, bound.clone()))
        }
        None => None,
    };
    let resume_failed = child("failed", ns::SM).is_some();
    Ok(Next::Read(State::LoggedIn(Box::new(Authenticating { bound, resume_failed }))))
}

/// The features after success.
pub(super) fn on_features(
    core: &mut Core,
    authenticating: Authenticating,
    offer: Offer,
    out: &mut Out,
) -> Result<Next, Error> {
    if authenticating.resume_failed {
        core.settings.resume = None;
    }
    let Some((jid, bound)) = authenticating.bound else {
        return session::begin(core, &offer, None, out);
    };
    if jid.to_bare() != core.settings.account {
        return Err(Error::Bind(StanzaError::new(Condition::Conflict)));
    }
    let enabled = bound.child("enabled", ns::SM).map(sm::Enabled::parse);
    let managed = enabled.map(Managed::Enabled);
    Ok(session::established(core, jid, managed, Some(bound), Some(&offer), Vec::new()))
}
