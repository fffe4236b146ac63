//! SCRAM keys of accounts (RFC 5802): made from a password, kept instead of it, looked up at login.

use store::{SecretBytes, StoreError, accounts::Credential};
use xmpp::{
    jid::BareJid,
    sasl::{Hash, PasswordError, SALT_BYTES, ScramKeys, prepare_password},
    stream::server::{AccountState, Credentials, PasswordCheck, PasswordLookup, ScramLookup},
};

use crate::server::Server;

/// Why there are no keys for a password.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The password is not allowed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// It is too short.
    #[error("the password must have at least {0} characters")]
    Short(u64),
    /// The system gives no randomness.
    #[error("the system gives no randomness: {0}")]
    Random(getrandom::Error),
    /// The work was interrupted.
    #[error("the keys could not be computed")]
    Interrupted,
}

/// Makes the keys for a password, one set for each hash. Takes some hundred milliseconds of a
/// processor, away from the tasks that serve connections.
///
/// # Errors
/// When the password is too short or not allowed.
pub async fn make(
    password: &str,
    shortest: u64,
    iterations: u32,
) -> Result<Vec<Credential>, MakeError> {
    if (password.chars().count() as u64) < shortest {
        return Err(MakeError::Short(shortest));
    }
    let password = prepare_password(password)?;
    let work = tokio::task::spawn_blocking(move || {
        let text = password.expose_str().unwrap_or_default();
        Hash::ALL.iter().map(|hash| derive(*hash, text, iterations)).collect()
    });
    work.await.map_err(|_| MakeError::Interrupted)?
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
    let stored = credentials.into_iter().find(|credential| credential.hash == number(hash));
    let keys = stored.and_then(|stored| {
        let Credential { iterations, salt, stored_key, server_key, .. } = &stored;
        ScramKeys::from_parts(hash, *iterations, salt.clone(), &stored_key.0, &server_key.0)
    });
    Ok((keys, state))
}

fn fake(server: &Server, account: &BareJid, hash: Hash) -> ScramKeys {
    let secret = server.secret.derive("scram of unknown accounts");
    ScramKeys::fake(&*secret, account.as_str(), hash, server.iterations())
}

fn derive(hash: Hash, password: &str, iterations: u32) -> Result<Credential, MakeError> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(MakeError::Random)?;
    let keys = ScramKeys::derive(hash, password, &salt, iterations)?;
    Ok(Credential {
        hash: number(hash),
        iterations,
        salt: salt.to_vec(),
        stored_key: SecretBytes(keys.stored_key.as_ref().to_vec()),
        server_key: SecretBytes(keys.server_key.as_ref().to_vec()),
    })
}

/// How the store numbers the hash functions. Never changes.
fn number(hash: Hash) -> u8 {
    match hash {
        Hash::Sha1 => 1,
        Hash::Sha256 => 2,
        Hash::Sha512 => 3,
    }
}
