//! XEP-0480: giving the server keys that it lacks for the account, once it has proven that it knows
//! those it has.

use super::auth::could_bind;
use super::machine::{Core, Error};
use super::offer::Offer;
use crate::ext::sasl_upgrade::{self, Salt};
use crate::ns;
use crate::sasl::scram_client::{self, Credential};
use crate::sasl::{Hash, MAX_ITERATIONS, MIN_ITERATIONS, Mechanism, prepare_password};
use crate::xml::Element;

/// What to ask for along with an authentication. Whoever sits in between could log in with what is
/// given, so it takes a mechanism that is bound to the channel wherever the connection can be (§5).
pub(super) fn wanted(core: &Core, offer: &Offer, mechanism: Mechanism) -> Vec<Hash> {
    let password = matches!(core.settings.credential, Some(Credential::Password(_)));
    let tied = match mechanism {
        Mechanism::ScramPlus(_) => true,
        Mechanism::Scram(_) => !could_bind(core),
        Mechanism::Plain | Mechanism::Token(_) => false,
    };
    if password && tied { offer.upgrades() } else { Vec::new() }
}

/// The task of a `<continue/>` that was asked for, which is then no longer open.
pub(super) fn task(demand: &Element, open: &mut Vec<Hash>) -> Option<Hash> {
    let tasks = demand.child("tasks", ns::SASL2)?.children();
    let mut named = tasks.filter_map(|task| sasl_upgrade::parse_task(&task.text()));
    let hash = named.find(|hash| open.contains(hash))?;
    open.retain(|one| *one != hash);
    Some(hash)
}

/// Answers a salt. Costs CPU time in proportion to the rounds that the server demands, within the
/// bounds of a login.
pub(super) fn answer(core: &Core, data: &Element, hash: Hash) -> Result<Element, Error> {
    let salt = Salt::parse(data, hash).ok_or(Error::Protocol("no salt"))?;
    match salt.iterations {
        few @ 0..MIN_ITERATIONS => return Err(scram_client::Error::TooFewIterations(few).into()),
        MIN_ITERATIONS..=MAX_ITERATIONS => {}
        many => return Err(scram_client::Error::TooManyIterations(many).into()),
    }
    let Some(Credential::Password(password)) = &core.settings.credential else {
        return Err(Error::Task);
    };
    let password = password.expose_str().unwrap_or_default();
    let prepared = prepare_password(password).map_err(scram_client::Error::from)?;
    let salted = hash.pbkdf2(prepared.expose(), &salt.salt, salt.iterations);
    Ok(sasl_upgrade::data(sasl_upgrade::salted(&salted)))
}
