//! XEP-0045: Multi-User Chat 1.35.5, what outlasts a visit: the rooms, who belongs to them, and who
//! is in them while the server restarts. Their messages are in the archive domain.

use bytes::Bytes;

use crate::{AccountId, Fut, Millis, StoreError};

/// A room. Numbers are never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(pub i64);

impl RoomId {
    /// Whose archive the room's is: archives are numbered, those of accounts upwards from 1, those of
    /// rooms downwards from -1.
    #[must_use]
    pub fn archive(self) -> AccountId {
        AccountId(-self.0)
    }
}

/// A room that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRoom {
    /// Local part of its address, unique.
    pub name: Box<str>,
    /// Who makes it.
    pub creator: Option<AccountId>,
    /// When.
    pub created: Millis,
    /// Configuration and whatever else there is, in the caller's own format.
    pub state: Bytes,
    /// What lists show of it.
    pub card: Card,
    /// Its lists: written with it or not at all, so that no room is ever without its bans.
    pub affiliations: Vec<Affiliation>,
}

/// What lists show of a room. It is kept beside the state, which may be large.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    /// Its name for people; empty for none.
    pub title: Box<str>,
    /// Whether it wants to be found.
    pub public: bool,
    /// Whether only members come in.
    pub members_only: bool,
    /// Whether it outlasts its last occupant.
    pub persistent: bool,
    /// For how many days its owners want messages to be kept ([`crate::retentions::Retention::own`]).
    pub kept_days: Option<u32>,
}

/// A room in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its number.
    pub id: RoomId,
    /// Local part of its address.
    pub name: Box<str>,
    /// Who made it, while that account exists.
    pub creator: Option<AccountId>,
    /// When it was made.
    pub created: Millis,
    /// What else is shown.
    pub card: Card,
}

/// Which rooms of a list, which is in order of name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Select {
    /// From the beginning.
    #[default]
    First,
    /// After a name, whether or not there is a room of that name.
    After(Box<str>),
    /// The last ones before a name.
    Before(Box<str>),
    /// The last ones.
    Last,
    /// From this place on, counted from 0.
    From(u64),
}

/// A room without its affiliations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Its number.
    pub id: RoomId,
    /// Local part of its address.
    pub name: Box<str>,
    /// Who made it, while that account exists.
    pub creator: Option<AccountId>,
    /// When it was made.
    pub created: Millis,
    /// As it was saved last.
    pub state: Bytes,
}

/// One entry of a room's lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affiliation {
    /// Bare address, or a domain; unique within the room.
    pub jid: Box<str>,
    /// The caller's word for it.
    pub affiliation: Box<str>,
    /// The nickname that is reserved for the address.
    pub nick: Option<Box<str>>,
    /// Why.
    pub reason: Option<Box<str>>,
    /// Number of the change that made it so (XEP-0463).
    pub version: u64,
}

/// Why a room was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// There is one of that name.
    #[error("there is a room of that name")]
    Exists,
    /// Its maker has as many as one may have.
    #[error("the account has too many rooms")]
    Limit,
    /// The environment's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Rooms.
pub trait Rooms: Send + Sync {
    /// Makes a room; its maker may then have at most `limit`.
    fn create(&self, room: NewRoom, limit: u64) -> Fut<'_, RoomId, CreateError>;

    /// The room of this name.
    fn by_name(&self, name: &str) -> Fut<'_, Option<Room>>;

    /// A room as lists show it.
    fn card(&self, name: &str) -> Fut<'_, Option<Listed>>;

    /// Rooms in order of name, of all or of those that want to be found.
    fn list(&self, public: bool, select: Select, limit: u32) -> Fut<'_, Vec<Listed>>;

    /// How many rooms want to be found: those before a name, and all.
    fn count_public(&self, before: &str) -> Fut<'_, (u64, u64)>;

    /// The lists of a room, in order of address.
    fn affiliations(&self, id: RoomId) -> Fut<'_, Vec<Affiliation>>;

    /// How many entries of a room's lists have one of these words for affiliation.
    fn count_affiliated(&self, id: RoomId, affiliations: &'static [&'static str]) -> Fut<'_, u64>;

    /// Names of the rooms in whose lists an address is.
    fn with(&self, jid: &str) -> Fut<'_, Vec<Box<str>>>;

    /// Replaces the state and what lists show, if they are given, and sets entries by address; `None` removes one. `false`
    /// when there is no such room. The call hands it over: nobody has to wait for it, and a later call
    /// comes later.
    fn save(
        &self,
        id: RoomId,
        state: Option<(Bytes, Card)>,
        changes: Vec<(Box<str>, Option<Affiliation>)>,
    ) -> Fut<'static, bool>;

    /// Removes a room with its lists and its archive, for good. `false` when there was none. The call hands
    /// the removal of the room over, as that of [`Rooms::save`] does; the archive goes while it is waited
    /// for, or later.
    fn delete(&self, id: RoomId) -> Fut<'_, bool>;

    /// Keeps, in the caller's own format, who is in a room until [`Rooms::wake`].
    fn hibernate(&self, visits: Vec<(RoomId, Bytes)>) -> Fut<'_, ()>;

    /// Takes what [`Rooms::hibernate`] kept, with the rooms' names.
    fn wake(&self) -> Fut<'_, Vec<(Box<str>, Bytes)>>;
}
