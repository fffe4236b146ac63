//! SCRAM keys of accounts (RFC 5802): made from a password, kept instead of it, looked up at login.

use store::{StoreError, accounts::Credential};
use xmpp::{
    error::{Condition, ErrorType, StanzaError},
    jid::BareJid,
    sasl::{Hash, ScramKeys},
    stream::server::{AccountState, Credentials, PasswordCheck, PasswordLookup, ScramLookup},
};

use crate::{
    password::{self, Password, Unacceptable},
    server::Server,
};

/// Makes the keys for a password that somebody chose for the account `name`. That takes some
/// hundred milliseconds of a processor, away from the tasks that serve connections.
///
/// # Errors
/// `not-acceptable` with words that say what is wrong with the password.
pub async fn choose(
    server: &Server,
    name: &str,
    chosen: Password,
) -> Result<Vec<Credential>, StanzaError> {
    let config = server.config();
    let refused = |error: Unacceptable| {
        StanzaError::new(Condition::NotAcceptable)
            .with_type(ErrorType::Modify)
            .with_text(error.to_string())
    };
    password::verify(&chosen, name, config.registration.password_length).map_err(refused)?;
    let iterations = config.login.iterations;
    let work = tokio::task::spawn_blocking(move || password::credentials(&chosen, iterations));
    match work.await {
        Ok(made) => made.map_err(refused),
        Err(_) => Err(StanzaError::new(Condition::InternalServerError)),
    }
}

/// Answers a question of a negotiation. An account that does not exist gets keys that look like
/// any others, always the same, and that no password fits.
///
/// # Errors
/// When the store could not be read.
pub async fn scram(server: &Server, lookup: &ScramLookup) -> Result<Credentials, StoreError> {
    let (found, state) = keys(server, &lookup.account, lookup.hash).await?;
    let fake = || fake(server, &lookup.account, lookup.hash);
    Ok(Credentials { keys: found.unwrap_or_else(fake), state })
}

/// Checks a password that was sent as it is (PLAIN). Unknown accounts take as long as known ones.
///
/// # Errors
/// When the store could not be read.
pub async fn password(
    server: &Server,
    lookup: PasswordLookup,
) -> Result<PasswordCheck, StoreError> {
    let hash = Hash::Sha256;
    let (found, state) = keys(server, &lookup.account, hash).await?;
    let exists = found.is_some();
    let keys = found.unwrap_or_else(|| fake(server, &lookup.account, hash));
    let check = tokio::task::spawn_blocking(move || {
        keys.verify_password(lookup.password.expose_str().unwrap_or_default())
    });
    let right = check.await.unwrap_or(false) && exists;
    Ok(if right { PasswordCheck::Right(state) } else { PasswordCheck::Wrong })
}

/// Whether an account may log in.
///
/// # Errors
/// When the store could not be read.
pub async fn state(server: &Server, account: &BareJid) -> Result<AccountState, StoreError> {
    let name = account.node().map(|node| node.as_str()).unwrap_or_default();
    let row = server.store.accounts.by_name(name).await?;
    let disabled = row.is_some_and(|row| row.disabled);
    Ok(if disabled { AccountState::Disabled } else { AccountState::Active })
}

async fn keys(
    server: &Server,
    account: &BareJid,
    hash: Hash,
) -> Result<(Option<ScramKeys>, AccountState), StoreError> {
    let name = account.node().map(|node| node.as_str()).unwrap_or_default();
    let Some(row) = server.store.accounts.by_name(name).await? else {
        return Ok((None, AccountState::Active));
    };
    let state = if row.disabled { AccountState::Disabled } else { AccountState::Active };
    let credentials = server.store.accounts.credentials(row.id).await?;
    let number = password::hash_number(hash);
    let stored = credentials.iter().find(|credential| credential.hash == number);
    Ok((stored.and_then(password::keys), state))
}

fn fake(server: &Server, account: &BareJid, hash: Hash) -> ScramKeys {
    let secret = server.secret.derive("scram of unknown accounts");
    ScramKeys::fake(&*secret, account.as_str(), hash, server.iterations())
}
