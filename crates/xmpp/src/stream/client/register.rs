//! XEP-0077, XEP-0445: making the account first.

use super::auth;
use super::machine::{Core, Error, Next, State};
use super::offer::Offer;
use crate::error::StanzaError;
use crate::ext::register;
use crate::ns;
use crate::stream::Out;
use crate::xml::Element;

/// Which answer is awaited.
#[derive(Debug)]
pub(super) enum Registering {
    /// To the invitation.
    Preauth,
    /// To the registration.
    Submission,
}

/// Shows the invitation, or registers at once.
pub(super) fn begin(core: &mut Core, offer: Offer, out: &mut Out) -> Result<Next, Error> {
    let token = core.settings.register.as_ref().and_then(|register| register.token.as_deref());
    match token {
        Some(token) => {
            let iq = set("preauth", core).with_child(register::preauth(token));
            out.element(&iq, core.framing());
            Ok(Next::Read(State::Registering(Registering::Preauth, offer)))
        }
        None => submit(core, offer, out),
    }
}

/// An answer.
pub(super) fn on_answer(
    core: &mut Core,
    registering: Registering,
    offer: Offer,
    iq: &Element,
    out: &mut Out,
) -> Result<Next, Error> {
    match iq.attr("type") {
        Some("result") if iq.name() == "iq" => match registering {
            Registering::Preauth => submit(core, offer, out),
            Registering::Submission => {
                core.registered = true;
                auth::begin(core, offer, out)
            }
        },
        Some("error") if iq.name() == "iq" => {
            let error = iq.child("error", ns::CLIENT).ok_or(Error::Protocol("an empty error"))?;
            Err(Error::Registration(StanzaError::parse(error)))
        }
        _ => Err(Error::Protocol("no answer to the registration")),
    }
}

fn submit(core: &mut Core, offer: Offer, out: &mut Out) -> Result<Next, Error> {
    let settings = &core.settings;
    let (Some(register), Some(node)) = (&settings.register, settings.account.node()) else {
        return Err(Error::NoMechanism);
    };
    let query = register::submission(node.as_str(), &register.password);
    out.element(&set("register", core).with_child(query), core.framing());
    Ok(Next::Read(State::Registering(Registering::Submission, offer)))
}

fn set(id: &str, core: &Core) -> Element {
    Element::new("iq", ns::CLIENT)
        .with_attr("type", "set")
        .with_attr("id", id)
        .with_attr("to", core.settings.account.domain().to_string())
}
