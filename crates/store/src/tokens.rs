//! XEP-0484: Fast Authentication Streamlining Tokens 0.2. One device (SASL2 user agent) has a current
//! token and, while it rotates, a new one; the old stays good until the new one is used.

use crate::{AccountId, Fut, Millis, SecretBytes};

/// Most devices of one account with tokens; the longest unused makes room.
pub const MAX_DEVICES: usize = 50;

/// Which token of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The one in use.
    Current,
    /// Given out, not used yet.
    New,
}

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Whose.
    pub account: AccountId,
    /// The id of the SASL2 user agent.
    pub client: Box<str>,
    /// Which of the device's tokens.
    pub slot: Slot,
    /// The mechanism it is bound to.
    pub mechanism: Box<str>,
    /// What the server needs to verify it; the caller decides how it is protected.
    pub key: SecretBytes,
    /// Software and device as told by the client, for lists.
    pub description: Box<str>,
    /// When it was given out.
    pub created_at: Millis,
    /// When it ends.
    pub expires_at: Millis,
    /// When it was last used.
    pub last_used: Option<Millis>,
    /// Greatest `count` seen (XEP-0484 §3.6).
    pub counter: u64,
}

/// Login tokens.
pub trait Tokens: Send + Sync {
    /// The tokens of one device, current before new.
    fn load(&self, account: AccountId, client: &str) -> Fut<'_, Vec<Token>>;

    /// Adds a token or replaces the one in its slot. Beyond [`MAX_DEVICES`], the device unused for
    /// longest loses its tokens.
    fn save(&self, token: Token) -> Fut<'_, ()>;

    /// Notes a successful login. A new token becomes the current one and the old is forgotten. With a
    /// counter: `false`, and nothing changes, unless it is greater than the last (a replay). Also
    /// `false` when the token is gone.
    fn used(
        &self,
        account: AccountId,
        client: &str,
        slot: Slot,
        at: Millis,
        counter: Option<u64>,
    ) -> Fut<'_, bool>;

    /// Tokens of one account or of all, in order of account and client, at most `limit`.
    fn list(&self, account: Option<AccountId>, limit: u32) -> Fut<'_, Vec<Token>>;

    /// Forgets the tokens of one device, or of all devices of the account. Returns how many.
    fn revoke(&self, account: AccountId, client: Option<&str>) -> Fut<'_, u64>;

    /// Forgets tokens that ended before `now`. Returns how many.
    fn expire(&self, now: Millis) -> Fut<'_, u64>;
}
