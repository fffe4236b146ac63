//! Invitations: XEP-0401 0.6, XEP-0379, XEP-0445. Only the hash of a token is kept.

use crate::accounts::Credential;
use crate::{AccountId, Fut, Millis, StoreError};

/// SHA-256 of an invitation's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

/// Number of an invitation, for lists and revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InviteId(pub i64);

/// What an invitation is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Creating an account; with an inviter, also becoming contacts.
    Account,
    /// Becoming a contact of the inviter (XEP-0379).
    Contact,
    /// Setting a new password for [`NewInvite::subject`].
    Reset,
}

/// An invitation to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInvite {
    /// Hash of the token in the link.
    pub hash: TokenHash,
    /// What for.
    pub kind: Kind,
    /// The inviting account; `None` for the operator.
    pub created_by: Option<AccountId>,
    /// Now.
    pub created_at: Millis,
    /// Suggested (account) or remembered (reset) name.
    pub name: Option<Box<str>>,
    /// The account whose password may be set.
    pub subject: Option<AccountId>,
    /// End.
    pub expires_at: Millis,
    /// How often it can be used.
    pub uses: u32,
    /// Whoever creates an account with it may use administration commands.
    pub admin: bool,
    /// A remark for the list.
    pub note: Box<str>,
}

/// A stored invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// Number.
    pub id: InviteId,
    /// As created, with [`NewInvite::uses`] counted down.
    pub invite: NewInvite,
    /// Revoked: can no longer be used.
    pub revoked: bool,
    /// Who used it, oldest first: the account while it exists, and when.
    pub used_by: Vec<(Option<AccountId>, Millis)>,
}

impl Invite {
    /// Whether it can be used at this time.
    pub fn is_valid(&self, now: Millis) -> bool {
        !self.revoked && self.invite.uses > 0 && now < self.invite.expires_at
    }
}

/// Why an invitation was not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UseError {
    /// Unknown, used up, expired or revoked.
    #[error("the invitation cannot be used")]
    Invalid,
    /// The environment's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Invitations. Creating an account consumes one through [`crate::accounts::NewAccount::invite`].
pub trait Invites: Send + Sync {
    /// Stores an invitation.
    fn create(&self, invite: NewInvite) -> Fut<'_, InviteId>;

    /// The invitation of a token, valid or not.
    fn by_hash(&self, hash: TokenHash) -> Fut<'_, Option<Invite>>;

    /// Newest first, those older than `before`, of one inviter or of all, at most `limit`.
    fn list(
        &self,
        created_by: Option<AccountId>,
        before: Option<InviteId>,
        limit: u32,
    ) -> Fut<'_, Vec<Invite>>;

    /// Takes one use, for contact invitations; [`Invites::reset`] does it for the others. Returns it as it is
    /// afterwards.
    fn consume(
        &self,
        hash: TokenHash,
        now: Millis,
        by: Option<AccountId>,
    ) -> Fut<'_, Invite, UseError>;

    /// Takes one use of a reset invitation and replaces all keys of its account as
    /// [`crate::accounts::Accounts::set_credentials`] does, all or nothing. Returns whose.
    fn reset(
        &self,
        hash: TokenHash,
        now: Millis,
        credentials: Vec<Credential>,
    ) -> Fut<'_, AccountId, UseError>;

    /// Revokes. `false` when it does not exist.
    fn revoke(&self, id: InviteId) -> Fut<'_, bool>;

    /// Removes invitations that ended before `before`. Returns how many.
    fn expire(&self, before: Millis) -> Fut<'_, u64>;
}
