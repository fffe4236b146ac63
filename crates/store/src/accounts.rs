//! Local accounts and their SCRAM keys (RFC 5802). Passwords never come here.

use crate::{AccountId, Fut, Millis, SecretBytes, StoreError, invites::TokenHash};

/// One account without its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number, the key of every other domain.
    pub id: AccountId,
    /// The localpart, normalised by the caller.
    pub name: Box<str>,
    /// May use administration commands.
    pub admin: bool,
    /// May not log in.
    pub disabled: bool,
    /// When it was created.
    pub created_at: Millis,
    /// When it last logged in, as exactly as the caller wants it known.
    pub last_login: Option<Millis>,
    /// The account that invited it, while that still exists.
    pub invited_by: Option<AccountId>,
}

/// SCRAM keys for one hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Which hash, as numbered by the caller (one credential per number).
    pub hash: u8,
    /// Iterations of PBKDF2.
    pub iterations: u32,
    /// Salt.
    pub salt: Vec<u8>,
    /// `StoredKey` of RFC 5802.
    pub stored_key: SecretBytes,
    /// `ServerKey` of RFC 5802.
    pub server_key: SecretBytes,
}

/// An account to be created.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The localpart, normalised by the caller.
    pub name: Box<str>,
    /// Its keys; empty when a password is set later.
    pub credentials: Vec<Credential>,
    /// May use administration commands.
    pub admin: bool,
    /// Create it although the name is reserved: the operator gives it away on purpose.
    pub ignore_reservation: bool,
    /// Now.
    pub created_at: Millis,
    /// The inviter, when there is one. With `invite` set and this unset, the invitation's creator.
    pub invited_by: Option<AccountId>,
    /// An invitation to consume in the same transaction: one use of it becomes this account's.
    pub invite: Option<TokenHash>,
}

/// Why an account was not created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// The name is taken.
    #[error("the account exists already")]
    Exists,
    /// The name belonged to a deleted account and is kept free until then, so that a stranger does
    /// not receive what is meant for its former owner.
    #[error("the name belonged to a deleted account and is reserved")]
    Reserved {
        /// End of the reservation.
        until: Millis,
    },
    /// The invitation is unknown, used up, expired, revoked, or of another kind.
    #[error("the invitation cannot be used")]
    Invite,
    /// The environment's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One change to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Forbid or allow login.
    Disabled(bool),
    /// Give or take administration.
    Admin(bool),
    /// Logged in at this time.
    LastLogin(Millis),
}

/// Who may log in.
pub trait Accounts: Send + Sync {
    /// Creates an account, consuming an invitation when one is given, all or nothing.
    fn create(&self, account: NewAccount) -> Fut<'_, AccountId, CreateError>;

    /// The account of this name.
    fn by_name(&self, name: &str) -> Fut<'_, Option<Account>>;

    /// The account of this name with all its keys, as a login needs it. It takes as long for a name
    /// that nobody has: who may not log in does not learn from it who exists.
    fn login(&self, name: &str) -> Fut<'_, Option<(Account, Vec<Credential>)>>;

    /// The account of this number.
    fn by_id(&self, id: AccountId) -> Fut<'_, Option<Account>>;

    /// All keys of an account, by hash; empty when it does not exist.
    fn credentials(&self, id: AccountId) -> Fut<'_, Vec<Credential>>;

    /// Accounts in order of name, those after `after`, at most `limit`.
    fn list(&self, after: Option<&str>, limit: u32) -> Fut<'_, Vec<Account>>;

    /// The administrators that may log in, in order of name; a thousand at most.
    fn admins(&self) -> Fut<'_, Vec<Account>>;

    /// How many accounts there are.
    fn count(&self) -> Fut<'_, u64>;

    /// How many accounts that may log in have keys, but none for this hash.
    fn lacking(&self, hash: u8) -> Fut<'_, u64>;

    /// Replaces all keys, and with them ends the other ways in: whoever knew the old password may hold a token made
    /// with it, or a link ([`crate::invites::Kind::Reset`]) with which to set one of their own. `false` when the
    /// account does not exist.
    fn set_credentials(&self, id: AccountId, credentials: Vec<Credential>) -> Fut<'_, bool>;

    /// Adds keys for hashes that the account has none for; what is there stays, even when it changed a
    /// moment ago. Tells how many were added: none when the account does not exist.
    fn add_credentials(&self, id: AccountId, credentials: Vec<Credential>) -> Fut<'_, u64>;

    /// Changes one property. `false` when the account does not exist.
    fn change(&self, id: AccountId, change: Change) -> Fut<'_, bool>;

    /// Removes the account with everything that belongs to it and reserves the name until
    /// `reserved_until`. `false` when it does not exist.
    ///
    /// The account and its small rows go in one transaction, after which nothing of it can be read.
    /// Its archive, which may be millions of rows, follows in short transactions that let others
    /// write; the future resolves after the last. Should the process end before,
    /// [`crate::archive::Archive::expire`] goes on with it.
    fn delete(&self, id: AccountId, reserved_until: Millis) -> Fut<'_, bool>;

    /// Forgets the names of deleted accounts whose reservation is over. Tells how many.
    fn expire_reservations(&self, now: Millis) -> Fut<'_, u64>;
}
