//! RFC 6120 §6, XEP-0388, XEP-0440 §4: choosing a mechanism and proving who we are.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::machine::{Core, Error, Next, State};
use super::offer::Offer;
use super::{Preference, Token, login, upgrade};
use crate::ext::{sasl_upgrade, sasl2};
use crate::ns;
use crate::sasl::plain::Plain;
use crate::sasl::scram_client::{Binding, Client, Credential, Verifier};
use crate::sasl::{ChannelBinding, Hash, Mechanism, ht, scram_client};
use crate::stream::Out;
use crate::stream::server::Profile;
use crate::xml::Element;

/// An authentication that has begun.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) profile: Profile,
    pub(super) mechanism: Mechanism,
    /// Needed for downgrade protection, and to try again with the password.
    offer: Offer,
    /// The tasks that were asked for and have not come yet (XEP-0480).
    upgrades: Vec<Hash>,
    stage: Stage,
}

/// What the server must send next.
#[derive(Debug)]
enum Stage {
    /// SCRAM's challenge.
    ScramFirst(Client),
    /// SCRAM's proof, on success or, by the letter of RFC 5802, as a challenge.
    ScramFinal(Verifier),
    /// HT's proof.
    Token(Token),
    /// Nothing further.
    Plain,
    /// Nothing further: the server has proven itself.
    Proven,
    /// The salt for a task (XEP-0480).
    Task(Hash),
}

/// Chooses and begins.
pub(super) fn begin(core: &mut Core, offer: Offer, out: &mut Out) -> Result<Next, Error> {
    let sasl2 = !offer.mechanisms(Profile::Sasl2).is_empty() && core.tls.is_some();
    let profile = match core.settings.preference {
        Preference::Any if sasl2 => Profile::Sasl2,
        Preference::Sasl2 if sasl2 => Profile::Sasl2,
        Preference::Sasl2 => return Err(Error::NoMechanism),
        Preference::Any | Preference::Sasl => Profile::Sasl,
    };
    let token = core.settings.token.take().filter(|token| {
        let bindable = token.method.binding_data(core.tls.as_ref()).is_some();
        profile == Profile::Sasl2 && bindable && offer.fast(token.method)
    });
    match token {
        Some(token) => begin_token(core, offer, token, out),
        None => begin_password(core, offer, profile, out),
    }
}

fn begin_token(core: &mut Core, offer: Offer, token: Token, out: &mut Out) -> Result<Next, Error> {
    let data = token.method.binding_data(core.tls.as_ref()).unwrap_or_default();
    let message = ht::initiate(token.method, username(core), &token.secret, data);
    let mechanism = Mechanism::Token(token.method);
    let (stage, upgrades) = (Stage::Token(token), Vec::new());
    let exchange = Exchange { profile: Profile::Sasl2, mechanism, offer, upgrades, stage };
    send_first(core, exchange, &message, out)
}

fn begin_password(
    core: &mut Core,
    offer: Offer,
    profile: Profile,
    out: &mut Out,
) -> Result<Next, Error> {
    let Some(credential) = &core.settings.credential else { return Err(Error::NoMechanism) };
    let Choice { mechanism, binding, doubtful } = choose(core, &offer, profile)?;
    let (message, stage) = match (mechanism, credential) {
        (Mechanism::Scram(hash) | Mechanism::ScramPlus(hash), _) => {
            let name = username(core).to_owned();
            let mut client = Client::new(hash, binding, &name, None, &core.nonces.next());
            if doubtful {
                client = client.demand_protection();
            }
            (client.first().into_bytes(), Stage::ScramFirst(client))
        }
        (Mechanism::Plain, Credential::Password(password)) => {
            let authcid = username(core).to_owned();
            let plain = Plain { authzid: None, authcid, password: password.clone() };
            (plain.message().expose().to_vec(), Stage::Plain)
        }
        (Mechanism::Plain, Credential::Keys(_)) | (Mechanism::Token(_), _) => {
            return Err(Error::NoMechanism);
        }
    };
    let upgrades = upgrade::wanted(core, &offer, mechanism);
    send_first(core, Exchange { profile, mechanism, offer, upgrades, stage }, &message, out)
}

/// Sends the mechanism's first message in the way of the profile.
fn send_first(
    core: &mut Core,
    exchange: Exchange,
    message: &[u8],
    out: &mut Out,
) -> Result<Next, Error> {
    let text = BASE64_STANDARD.encode(message);
    let element = match exchange.profile {
        Profile::Sasl => Element::new("auth", ns::SASL)
            .with_attr("mechanism", exchange.mechanism.name())
            .with_text(text),
        Profile::Sasl2 => {
            let token = match &exchange.stage {
                Stage::Token(token) => Some(token),
                _ => None,
            };
            let Exchange { offer, mechanism, upgrades, .. } = &exchange;
            login::request(core, offer, *mechanism, token, upgrades, text).element()
        }
    };
    out.element(&element, core.framing());
    Ok(Next::Read(State::Exchange(Box::new(exchange))))
}

/// What to authenticate with.
struct Choice {
    mechanism: Mechanism,
    binding: Binding,
    /// XEP-0474 §7, new rule 6: the server seems to share no type of channel binding with us, which
    /// is only believed if it says so under the protection of the password.
    doubtful: bool,
}

/// The best mechanism both sides know, and what to say about channel binding.
fn choose(core: &Core, offer: &Offer, profile: Profile) -> Result<Choice, Error> {
    let names = offer.mechanisms(profile);
    let binding = choose_binding(core, offer, profile, &names)?;
    let binds = matches!(binding, Some(Binding::Bound(..)));
    let password = matches!(core.settings.credential, Some(Credential::Password(_)));
    let usable = |mechanism: &Mechanism| {
        let fits = match mechanism {
            Mechanism::ScramPlus(_) => binds,
            Mechanism::Scram(_) => true,
            Mechanism::Plain => password,
            Mechanism::Token(_) => false,
        };
        fits && names.iter().any(|name| name == mechanism.name())
    };
    let chosen = core.settings.mechanisms.iter().copied().find(usable);
    let mechanism = chosen.ok_or(Error::NoMechanism)?;
    let doubtful = binding.is_none();
    let binding = match binding {
        // A mechanism without binding is preferred.
        Some(Binding::Bound(..)) if !mechanism.binds_channel() => Binding::Unsupported,
        binding => binding.unwrap_or(Binding::Unsupported),
    };
    Ok(Choice { mechanism, binding, doubtful })
}

/// XEP-0440 §4; `None` if both sides could bind and share no type.
fn choose_binding(
    core: &Core,
    offer: &Offer,
    profile: Profile,
    names: &[String],
) -> Result<Option<Binding>, Error> {
    if !could_bind(core) {
        return Ok(Some(Binding::Unsupported)); // Rule 2.
    }
    let plus = names.iter().any(|name| name.ends_with("-PLUS"));
    let bound = |kind: ChannelBinding| {
        let data = core.tls.as_ref().and_then(|tls| tls.data(kind))?;
        Some(Binding::Bound(kind, data.to_vec()))
    };
    match (plus, offer.bindings()) {
        (false, None) => Ok(Some(Binding::NotOffered)), // Rule 3.
        (true, None) if profile == Profile::Sasl2 => {
            Err(Error::Downgrade("no channel binding types")) // Rule 4.
        }
        // From before XEP-0440: nobody can know the type. Of those that still exist, some offer
        // what TLS 1.3 no longer has (ejabberd 23.01) and refuse the default of RFC 9266 §3.
        (true, None) => Ok(Some(Binding::Unsupported)),
        (false, Some(_)) => Err(Error::Downgrade("no mechanism binds to the channel")), // Rule 5.
        (true, Some(types)) => {
            // Rule 7: the strongest common one. Rule 6 in the form of XEP-0474 if there is none.
            let common = |kind: &ChannelBinding| types.iter().any(|name| name == kind.name());
            Ok(ChannelBinding::ALL.into_iter().filter(common).find_map(bound))
        }
    }
}

/// Whether the connection has anything to bind to.
pub(super) fn could_bind(core: &Core) -> bool {
    let bindings = core.tls.as_ref().map(|tls| tls.bindings().count());
    core.settings.channel_binding && bindings.unwrap_or_default() > 0
}

/// While an authentication is going on.
pub(super) fn on_element(
    core: &mut Core,
    exchange: Exchange,
    element: &Element,
    out: &mut Out,
) -> Result<Next, Error> {
    let namespace = match exchange.profile {
        Profile::Sasl => ns::SASL,
        Profile::Sasl2 => ns::SASL2,
    };
    if element.ns() != namespace {
        return Err(Error::Protocol("an element inside an authentication"));
    }
    match element.name() {
        "challenge" => on_challenge(core, exchange, &decode(&element.text())?, out),
        "failure" => on_failure(core, exchange, element, out),
        "success" if exchange.profile == Profile::Sasl2 => {
            let success = sasl2::Success::parse(element).ok_or(Error::Protocol("success"))?;
            check_proof(core, exchange.stage, success.additional_data.as_deref())?;
            core.authenticated = Some((exchange.profile, exchange.mechanism));
            login::on_success(core, &exchange.offer, success)
        }
        "success" => {
            let text = element.text();
            let data = if text.trim().is_empty() { None } else { Some(decode(&text)?) };
            check_proof(core, exchange.stage, data.as_deref())?;
            core.authenticated = Some((exchange.profile, exchange.mechanism));
            out.restart();
            core.open(out);
            Ok(Next::Read(State::Header))
        }
        "continue" => on_continue(core, exchange, element, out),
        "task-data" => on_task_data(core, exchange, element, out),
        _ => Err(Error::Protocol("an unknown SASL element")),
    }
}

fn on_challenge(
    core: &mut Core,
    exchange: Exchange,
    challenge: &[u8],
    out: &mut Out,
) -> Result<Next, Error> {
    let (message, stage) = match exchange.stage {
        Stage::ScramFirst(client) => {
            let version = core.tls.as_ref().and_then(|tls| tls.version);
            let advertised = exchange.offer.advertised(exchange.profile, version);
            let credential = core.settings.credential.as_ref().ok_or(Error::NoMechanism)?;
            let (message, verifier, keys) = client.respond(challenge, credential, &advertised)?;
            core.keys = Some(keys);
            (message, Stage::ScramFinal(verifier))
        }
        Stage::ScramFinal(verifier) => {
            verifier.verify(challenge)?;
            (String::new(), Stage::Proven)
        }
        Stage::Token(_) | Stage::Plain | Stage::Proven | Stage::Task(_) => {
            return Err(Error::Protocol("a challenge where the mechanism has none"));
        }
    };
    let namespace = match exchange.profile {
        Profile::Sasl => ns::SASL,
        Profile::Sasl2 => ns::SASL2,
    };
    let response = Element::new("response", namespace).with_text(BASE64_STANDARD.encode(message));
    out.element(&response, core.framing());
    Ok(Next::Read(State::Exchange(Box::new(Exchange { stage, ..exchange }))))
}

/// XEP-0388 §2.6.3: the server has let us in and demands a task: one of those we asked for.
fn on_continue(
    core: &Core,
    mut exchange: Exchange,
    element: &Element,
    out: &mut Out,
) -> Result<Next, Error> {
    let data = element.child("additional-data", ns::SASL2);
    let data = data.map(|data| decode(&data.text())).transpose()?;
    check_proof(core, exchange.stage, data.as_deref())?;
    let hash = upgrade::task(element, &mut exchange.upgrades).ok_or(Error::Task)?;
    out.element(&sasl_upgrade::next(hash), core.framing());
    let exchange = Exchange { stage: Stage::Task(hash), ..exchange };
    Ok(Next::Read(State::Exchange(Box::new(exchange))))
}

/// XEP-0480 §3: the salt for the task that has begun.
fn on_task_data(
    core: &Core,
    exchange: Exchange,
    element: &Element,
    out: &mut Out,
) -> Result<Next, Error> {
    let Stage::Task(hash) = exchange.stage else {
        return Err(Error::Protocol("data for no task"));
    };
    out.element(&upgrade::answer(core, element, hash)?, core.framing());
    let exchange = Exchange { stage: Stage::Proven, ..exchange };
    Ok(Next::Read(State::Exchange(Box::new(exchange))))
}

/// A token may be used up or forgotten: then there is still the password (XEP-0484 §5.1).
fn on_failure(
    core: &mut Core,
    exchange: Exchange,
    element: &Element,
    out: &mut Out,
) -> Result<Next, Error> {
    match exchange.stage {
        Stage::Token(_) if core.settings.credential.is_some() => {
            begin_password(core, exchange.offer, exchange.profile, out)
        }
        _ => Err(Error::Refused(sasl2::parse_failure(element))),
    }
}

/// Success counts only if the server has proven that it knows the account.
fn check_proof(core: &Core, stage: Stage, data: Option<&[u8]>) -> Result<(), Error> {
    let unproven = || Error::Scram(scram_client::Error::ServerUnproven);
    match stage {
        Stage::ScramFinal(verifier) => Ok(verifier.verify(data.ok_or_else(unproven)?)?),
        Stage::Token(token) => {
            let binding = token.method.binding_data(core.tls.as_ref()).unwrap_or_default();
            let answer = data.ok_or_else(unproven)?;
            let known = ht::verify_responder(token.method, &token.secret, binding, answer);
            known.then_some(()).ok_or_else(unproven)
        }
        Stage::ScramFirst(_) | Stage::Task(_) => Err(unproven()),
        Stage::Plain | Stage::Proven => Ok(()),
    }
}

fn username(core: &Core) -> &str {
    core.settings.account.node().map(|node| node.as_str()).unwrap_or_default()
}

/// RFC 6120 §6.4.2 writes an empty message as `=`.
fn decode(text: &str) -> Result<Vec<u8>, Error> {
    let text = text.trim();
    let text = if text == "=" { "" } else { text };
    BASE64_STANDARD.decode(text).map_err(|_| Error::Protocol("no base64"))
}
