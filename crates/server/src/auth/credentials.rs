//! SCRAM keys of accounts (RFC 5802): made from a password, kept instead of it, looked up at login.

use store::{AccountId, StoreError, accounts::Credential};
use xmpp::{
    error::{Condition, ErrorType, StanzaError},
    ext::sasl_upgrade::Salt,
    jid::BareJid,
    sasl::{Hash, ScramKeys},
    stream::server::{
        AccountState, Credentials, PasswordCheck, PasswordLookup, ScramLookup, UpgradeLookup,
    },
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
    let (keys, _, state) = keys(server, &lookup.account, lookup.hash).await?;
    Ok(Credentials { keys, state })
}

/// Checks a password that was sent as it is (PLAIN). Unknown accounts take as long as known ones.
///
/// # Errors
/// When the store could not be read.
pub async fn password(
    server: &Server,
    lookup: PasswordLookup,
) -> Result<PasswordCheck, StoreError> {
    let hashes = server.hashes();
    let usual = hashes.contains(&Hash::Sha256);
    let hash = hashes.first().filter(|_| !usual).copied().unwrap_or(Hash::Sha256);
    let (keys, exists, state) = keys(server, &lookup.account, hash).await?;
    let check = tokio::task::spawn_blocking(move || {
        keys.verify_password(lookup.password.expose_str().unwrap_or_default())
    });
    let right = check.await.unwrap_or(false) && exists;
    Ok(if right { PasswordCheck::Right(state) } else { PasswordCheck::Wrong })
}

/// XEP-0480: what an account lacks, with fresh salts for the keys that its client would make. Nothing
/// where the system has no random numbers.
///
/// # Errors
/// When the store could not be read.
pub async fn lacking(server: &Server, lookup: &UpgradeLookup) -> Result<Vec<Salt>, StoreError> {
    let name = lookup.account.node().map(|node| node.as_str()).unwrap_or_default();
    let Some((_, keys)) = server.store.accounts.login(name).await? else { return Ok(Vec::new()) };
    let lacks = |hash: &Hash| keys.iter().all(|one| one.hash != password::hash_number(*hash));
    let hashes = lookup.hashes.iter().copied().filter(lacks);
    Ok(hashes.filter_map(|hash| password::salt(hash, server.iterations())).collect())
}

/// XEP-0480: keeps the keys that a client gave. Those of a password that was changed meanwhile are not
/// taken: then no hash lacks keys. With the last account that lacked some, everybody is offered more.
///
/// # Errors
/// When the store failed.
pub async fn upgrade(
    server: &Server,
    account: AccountId,
    keys: &[ScramKeys],
) -> Result<(), StoreError> {
    let keys = keys.iter().map(password::stored).collect();
    if server.store.accounts.add_credentials(account, keys).await? > 0 {
        server.choose_hashes().await?;
    }
    Ok(())
}

/// The keys of an account and whether it may log in. Nobody else's name takes another path: both
/// kinds cost one read of the store, and made-up keys are computed for both.
async fn keys(
    server: &Server,
    account: &BareJid,
    hash: Hash,
) -> Result<(ScramKeys, bool, AccountState), StoreError> {
    let name = account.node().map(|node| node.as_str()).unwrap_or_default();
    let found = server.store.accounts.login(name).await?;
    let secret = server.secret.derive("scram of unknown accounts");
    let fake = ScramKeys::fake(&*secret, account.as_str(), hash, server.iterations());
    let number = password::hash_number(hash);
    let state = found.as_ref().map_or(AccountState::Active, |(row, _)| state(row));
    let stored = found.as_ref().and_then(|(_, all)| all.iter().find(|one| one.hash == number));
    Ok(match stored.and_then(password::keys) {
        Some(keys) => (keys, true, state),
        None => (fake, false, state),
    })
}

/// Whether an account may log in.
#[must_use]
pub fn state(row: &store::accounts::Account) -> AccountState {
    if row.disabled { AccountState::Disabled } else { AccountState::Active }
}
