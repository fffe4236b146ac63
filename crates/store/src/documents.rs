//! Small documents of an account by key: private XML (XEP-0049), vcard-temp (XEP-0054), last activity
//! (XEP-0012) and the like. Keys are chosen by the extension, for instance `vcard` or
//! `private:{namespace}element`.

use bytes::Bytes;

use crate::{AccountId, Fut, StoreError};

/// Longest key in bytes.
pub const MAX_KEY: usize = 1024;

/// Why a document was not saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SaveError {
    /// All documents of the account together would pass the quota.
    #[error("the quota of the account is used up")]
    Quota,
    /// The environment's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Private documents.
pub trait Documents: Send + Sync {
    /// The document of this key.
    fn load(&self, account: AccountId, key: &str) -> Fut<'_, Option<Bytes>>;

    /// Adds or replaces a document if all keys and documents of the account then have at most `quota`
    /// bytes. Returns the bytes now used.
    fn save(
        &self,
        account: AccountId,
        key: &str,
        document: Bytes,
        quota: u64,
    ) -> Fut<'_, u64, SaveError>;

    /// Removes a document. `false` when there was none.
    fn delete(&self, account: AccountId, key: &str) -> Fut<'_, bool>;

    /// Keys that begin with `prefix` and the bytes of each document, in order of key.
    fn keys(&self, account: AccountId, prefix: &str) -> Fut<'_, Vec<(Box<str>, u64)>>;
}
