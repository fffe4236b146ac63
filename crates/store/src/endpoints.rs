//! Addresses that applications of a device have at this server (UnifiedPush), and what was posted to them and
//! has not reached the device.

use bytes::Bytes;

use crate::{AccountId, Fut, Millis};

/// Names an address: random bytes, made by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub [u8; 16]);

/// Names a message: random bytes, made by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub [u8; 16]);

/// The address of one application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name.
    pub id: EndpointId,
    /// Whose device has the application.
    pub account: AccountId,
    /// The application, as the device calls it.
    pub application: [u8; 32],
    /// Which of the application's addresses.
    pub instance: [u8; 32],
    /// The device: resource of the session that asked for it last.
    pub resource: Box<str>,
    /// When it ends.
    pub expires: Millis,
}

/// Something that was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its name.
    pub id: MessageId,
    /// To which address.
    pub endpoint: EndpointId,
    /// One with the same topic that waits is replaced.
    pub topic: Option<Box<str>>,
    /// When it is of no use any more.
    pub expires: Millis,
    /// What.
    pub payload: Bytes,
}

/// A message that waits for its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Grows with each message and is never used twice.
    pub number: u64,
    /// Its name.
    pub id: MessageId,
    /// For which application.
    pub application: [u8; 32],
    /// For which of the application's addresses.
    pub instance: [u8; 32],
    /// What.
    pub payload: Bytes,
}

/// How many messages may wait; the oldest make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    /// For one address.
    pub of_endpoint: u64,
    /// For all addresses of an account.
    pub of_account: u64,
}

/// What the device said of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The application has it.
    Taken,
    /// There is no such application: its address ends.
    Unknown,
}

/// Addresses of applications.
pub trait Endpoints: Send + Sync {
    /// Makes an address, and returns the name it has. When the account has one for the same application
    /// and instance that has not ended, that one stays with its name and gets the new device and end. At
    /// most `limit` are left; those that end first make room.
    fn register(&self, endpoint: Endpoint, now: Millis, limit: u64) -> Fut<'_, EndpointId>;

    /// An address, ended or not.
    fn load(&self, id: EndpointId) -> Fut<'_, Option<Endpoint>>;

    /// The addresses of an account, in order of their names.
    fn list(&self, account: AccountId) -> Fut<'_, Vec<Endpoint>>;

    /// Keeps a message. `false` when its address is not there or has ended.
    fn keep(&self, message: Message, now: Millis, most: Most) -> Fut<'_, bool>;

    /// What waits for a device with numbers above `after`, in order, at most `limit`.
    fn waiting(
        &self,
        account: AccountId,
        resource: &str,
        after: u64,
        now: Millis,
        limit: u32,
    ) -> Fut<'_, Vec<Waiting>>;

    /// Forgets a message that the device answered. `false` when none of that name waits for it.
    fn answered(
        &self,
        account: AccountId,
        resource: &str,
        id: MessageId,
        word: Word,
    ) -> Fut<'_, bool>;

    /// Forgets what has ended. Tells how many addresses and messages.
    fn expire(&self, now: Millis) -> Fut<'_, u64>;
}
