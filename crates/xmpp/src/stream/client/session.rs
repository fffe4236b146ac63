//! RFC 6120 §7, XEP-0198 §3 and §5: from an authenticated stream to a session.

use super::machine::{Core, Error, Next, State};
use super::offer::Offer;
use crate::error::StanzaError;
use crate::jid::FullJid;
use crate::ns;
use crate::sasl::scram_client::ClientKeys;
use crate::sasl::{Mechanism, Secret, ht};
use crate::sm;
use crate::stanza::Stanza;
use crate::stream::Out;
use crate::stream::server::Profile;
use crate::time::Millis;
use crate::xml::Element;

/// A session and how it came about.
#[derive(Debug)]
pub struct Established {
    /// Our address. After a resumption the caller knows it; then this is `None`.
    pub jid: Option<FullJid>,
    /// The profile that was used.
    pub profile: Profile,
    /// The mechanism that was used.
    pub mechanism: Mechanism,
    /// Stream management, if it is on.
    pub managed: Option<Managed>,
    /// `<bound/>` with what Bind 2 brought.
    pub bound: Option<Element>,
    /// The features of the authenticated stream; there are none after an inline resumption.
    pub features: Option<Element>,
    /// A token for the next login.
    pub token: Option<IssuedToken>,
    /// Keys for the next login with the password.
    pub keys: Option<ClientKeys>,
    /// Stanzas that came while stream management was being enabled. They count for it only if it
    /// had been enabled before; the server sends `<enabled/>` first, so they do not.
    pub early: Vec<Stanza>,
}

/// What became of stream management.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Managed {
    /// A new session: both counters begin at zero.
    Enabled(sm::Enabled),
    /// The earlier session goes on; the server has handled this many of our stanzas.
    Resumed(u32),
}

/// A token from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedToken {
    /// The token.
    pub secret: Secret,
    /// Until when it can be used.
    pub expiry: Millis,
    /// What it can be used with.
    pub method: ht::Method,
}

/// What is awaited.
#[derive(Debug)]
pub(super) struct Pending {
    offer: Offer,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Resume,
    Bind,
    Enable { jid: FullJid, early: Vec<Stanza> },
}

/// The stream is authenticated. `bound` skips to stream management.
pub(super) fn begin(
    core: &mut Core,
    offer: &Offer,
    bound: Option<FullJid>,
    out: &mut Out,
) -> Result<Next, Error> {
    let managed = offer.feature("sm", ns::SM).is_some();
    let stage = match (bound, core.settings.resume.take()) {
        (None, Some(resume)) if managed => {
            out.element(&resume.request(), core.framing());
            core.settings.resume = Some(resume);
            Stage::Resume
        }
        (None, _) => {
            out.element(&bind(core.settings.resource.as_deref()), core.framing());
            Stage::Bind
        }
        (Some(jid), _) => match core.settings.bind.enable.filter(|_| managed) {
            Some(enable) => {
                out.element(&enable.element(), core.framing());
                Stage::Enable { jid, early: Vec::new() }
            }
            None => return Ok(established(core, jid, None, None, Some(offer), Vec::new())),
        },
    };
    Ok(Next::Read(State::Session(Box::new(Pending { offer: offer.clone(), stage }))))
}

/// The answer to a request.
pub(super) fn on_element(
    core: &mut Core,
    pending: Pending,
    stanza: Stanza,
    out: &mut Out,
) -> Result<Next, Error> {
    let Pending { offer, stage } = pending;
    let managing = stanza.ns() == ns::SM;
    match stage {
        Stage::Resume if managing && stanza.name() == "resumed" => resumed(core, &stanza.element()),
        Stage::Resume if managing && stanza.name() == "failed" => {
            core.settings.resume = None;
            begin(core, &offer, None, out)
        }
        Stage::Bind if stanza.name() == "iq" => {
            let jid = bound(&stanza.element())?;
            if jid.to_bare() != core.settings.account {
                return Err(Error::Protocol("a session of another account"));
            }
            if core.settings.bind.inactive && offer.feature("csi", ns::CSI).is_some() {
                out.element(&Element::new("inactive", ns::CSI), core.framing());
            }
            begin(core, &offer, Some(jid), out)
        }
        Stage::Enable { jid, early } if managing => {
            let element = stanza.element();
            let enabled = stanza.name() == "enabled";
            let managed = enabled.then(|| Managed::Enabled(sm::Enabled::parse(&element)));
            Ok(established(core, jid, managed, None, Some(&offer), early))
        }
        Stage::Enable { jid, mut early } if early.len() < MAX_EARLY => {
            early.push(stanza);
            let stage = Stage::Enable { jid, early };
            Ok(Next::Read(State::Session(Box::new(Pending { offer, stage }))))
        }
        Stage::Resume | Stage::Bind | Stage::Enable { .. } => {
            Err(Error::Protocol("no answer to the request"))
        }
    }
}

/// The earlier session goes on.
pub(super) fn resumed(core: &mut Core, resumed: &Element) -> Result<Next, Error> {
    let answer = sm::Resume::parse(resumed).ok_or(Error::Protocol("resumed without a count"))?;
    let asked = core.settings.resume.as_ref().map(|resume| resume.previd.as_str());
    if asked != Some(answer.previd.as_str()) {
        return Err(Error::Protocol("another session was resumed"));
    }
    Ok(finish(core, None, Some(Managed::Resumed(answer.h)), None, None, Vec::new()))
}

/// There is a new session.
pub(super) fn established(
    core: &mut Core,
    jid: FullJid,
    managed: Option<Managed>,
    bound: Option<Element>,
    offer: Option<&Offer>,
    early: Vec<Stanza>,
) -> Next {
    finish(core, Some(jid), managed, bound, offer, early)
}

fn finish(
    core: &mut Core,
    jid: Option<FullJid>,
    managed: Option<Managed>,
    bound: Option<Element>,
    offer: Option<&Offer>,
    early: Vec<Stanza>,
) -> Next {
    let (profile, mechanism) = core.authenticated.unwrap_or((Profile::Sasl, Mechanism::Plain));
    Next::Established(Box::new(Established {
        jid,
        profile,
        mechanism,
        managed,
        bound,
        features: offer.map(|offer| offer.element().clone()),
        token: core.issued.take(),
        keys: core.keys.take(),
        early,
    }))
}

fn bind(resource: Option<&str>) -> Element {
    let resource = resource.map(|resource| Element::new("resource", ns::BIND).with_text(resource));
    let bind = Element::new("bind", ns::BIND).with_children(resource);
    Element::new("iq", ns::CLIENT).with_attr("type", "set").with_attr("id", "bind").with_child(bind)
}

fn bound(iq: &Element) -> Result<FullJid, Error> {
    if iq.attr("type") == Some("error") {
        let error = iq.child("error", ns::CLIENT).ok_or(Error::Protocol("an empty error"))?;
        return Err(Error::Bind(StanzaError::parse(error)));
    }
    let jid = iq.child("bind", ns::BIND).and_then(|bind| bind.child("jid", ns::BIND));
    let jid = jid.ok_or(Error::Protocol("no address was bound"))?;
    FullJid::new(jid.text().trim()).map_err(|_| Error::Protocol("no full address"))
}

/// A server has nothing to say yet; a few stanzas are more than enough.
const MAX_EARLY: usize = 32;
