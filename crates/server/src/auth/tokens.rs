//! XEP-0484: Fast Authentication Streamlining Tokens 0.2.0: issued, rotated, forgotten
//!
//! The store keeps a random number for each token; the token itself comes from it and the server's
//! secret, so that a stolen database logs nobody in.

use store::{
    AccountId, Millis as StoreMillis, SecretBytes, StoreError,
    tokens::{Slot, Token},
};
use xmpp::{
    ext::sasl2::UserAgent,
    sasl::{Secret, ht},
    stream::server::{AccountState, Candidate, FastUse, IssuedToken, TokenLookup},
    time::Millis,
};

use super::credentials;
use crate::{account::Account, server::Server};

/// A token older than this is replaced when it is used.
const ROTATE_AFTER_DAYS: u64 = 7;

/// The tokens that a client may log in with, and what is stored about each, newest first.
///
/// # Errors
/// When the store could not be read.
pub async fn candidates(
    server: &Server,
    lookup: &TokenLookup,
) -> Result<(Vec<Candidate>, Vec<Token>), StoreError> {
    let name = lookup.account.node().map(|node| node.as_str()).unwrap_or_default();
    let account = server.store.accounts.by_name(name).await?;
    let state = account.as_ref().map_or(AccountState::Active, credentials::state);
    // Also for a name that nobody has, so that it takes as long as one that somebody has.
    let id = account.map_or(NOBODY, |account| account.id);
    let mut stored = server.store.tokens.load(id, &lookup.client).await?;
    stored.retain(|token| &*token.mechanism == lookup.method.name());
    stored.reverse();
    stored.truncate(Candidate::MAX);
    let candidate = |token: &Token| Candidate {
        token: derive(server, lookup.account.as_str(), &lookup.client, &token.key.0),
        valid: token.expires_at.0 > server.now().0,
        state,
    };
    Ok((stored.iter().map(candidate).collect(), stored))
}

/// What a login with a token led to.
#[derive(Debug, PartialEq, Eq)]
pub enum Use {
    /// It stays good.
    Good,
    /// It is old: the client should get another one for this mechanism.
    Rotate(ht::Method),
    /// The client asked to forget it.
    Forgotten,
}

/// Notes that a token was used.
///
/// # Errors
/// When the store could not be written.
pub async fn used(server: &Server, token: &Token, fast: FastUse) -> Result<Use, StoreError> {
    let tokens = &server.store.tokens;
    if fast.invalidate {
        tokens.revoke(token.account, Some(&token.client)).await?;
        return Ok(Use::Forgotten);
    }
    let now = server.now().0;
    let counter = fast.count.map(u64::from);
    tokens.used(token.account, &token.client, token.slot, StoreMillis(now), counter).await?;
    let age_days = now.saturating_sub(token.created_at.0) / MILLIS_PER_DAY;
    let method = ht::Method::from_name(&token.mechanism);
    Ok(match method.filter(|_| age_days >= ROTATE_AFTER_DAYS) {
        Some(method) => Use::Rotate(method),
        None => Use::Good,
    })
}

/// Makes a token for a client. `None` when tokens are switched off or the client did not say which
/// one it is, because a token belongs to one client.
///
/// # Errors
/// When the store could not be written.
pub async fn issue(
    server: &Server,
    account: &Account,
    agent: Option<&UserAgent>,
    method: ht::Method,
) -> Result<Option<IssuedToken>, StoreError> {
    let login = &server.config().login;
    let client = agent.and_then(|agent| agent.id.as_deref()).filter(|_| login.tokens);
    let mut key = vec![0; KEY_BYTES];
    let (Some(client), Ok(())) = (client, getrandom::fill(&mut key)) else { return Ok(None) };
    let now = server.now();
    let expiry = Millis(now.0 + login.token_days * MILLIS_PER_DAY);
    let token = derive(server, account.bare(), client, &key);
    let row = Token {
        account: account.id,
        client: client.into(),
        slot: Slot::New,
        mechanism: method.name().into(),
        key: SecretBytes(key),
        description: agent.map(describe).unwrap_or_default().into(),
        created_at: StoreMillis(now.0),
        expires_at: StoreMillis(expiry.0),
        last_used: None,
        counter: 0,
    };
    server.store.tokens.save(row).await?;
    Ok(Some(IssuedToken { token, expiry }))
}

/// What a client says about itself, for lists of devices.
#[must_use]
pub fn describe(agent: &UserAgent) -> String {
    let parts = [agent.software.as_deref(), agent.device.as_deref()];
    let mut text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    text.truncate(text.floor_char_boundary(MAX_DESCRIPTION));
    text
}

fn derive(server: &Server, account: &str, client: &str, key: &[u8]) -> Secret {
    let secret = server.secret.derive("fast tokens");
    ht::derive_token(&*secret, account, client, key)
}

/// No account has this number.
const NOBODY: AccountId = AccountId(0);
const KEY_BYTES: usize = 32;
const MAX_DESCRIPTION: usize = 200;
const MILLIS_PER_DAY: u64 = 24 * 60 * 60 * 1000;
