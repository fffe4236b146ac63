//! What is moved, in a form that knows nothing of where it comes from.

use store::{Millis, prefs::Preferences, roster};
use xmpp::{
    ext::{form::Form, muc::Affiliation},
    jid::BareJid,
    sasl::ScramKeys,
    xml::Element,
};

use crate::password::Password;

/// One thing to be taken in. What comes after a [`Record::Person`], a [`Record::Room`] or a
/// [`Record::Service`] belongs to it, up to the next of the three.
#[derive(Debug)]
pub(crate) enum Record {
    /// An account.
    Person(Box<Person>),
    /// Keys of its password that come later than the account.
    Keys(Box<ScramKeys>),
    /// Whether it may not log in, where that comes later than the account.
    Disabled(bool),
    /// One of its contacts.
    Contact(roster::Item),
    /// A subscription request that it has not answered.
    Request(Request),
    /// Its vcard-temp (XEP-0054).
    Vcard(Element),
    /// A private document (XEP-0049).
    Private(Element),
    /// An address that it blocks (XEP-0191).
    Blocked(String),
    /// What it wants archived (XEP-0441).
    Preferences(Preferences),
    /// One of its nodes (XEP-0060).
    Node(Node),
    /// An item of a node that came before.
    Item(Item),
    /// A message of the archive of the account or of the room, in order of time.
    Message(Line),
    /// A message that waits for the account to come online. It may be in the archive as well, before or
    /// after.
    Waiting(Line),
    /// A room.
    Room(Box<Room>),
    /// The service for publishing: nodes that come after it are its own.
    Service,
    /// Something that was not taken.
    Skipped(Skipped),
}

/// An account.
#[derive(Debug, Default)]
pub(crate) struct Person {
    /// The local part, as the source has it.
    pub(crate) name: String,
    /// The domain it had at the source, where that may be another one than this server's.
    pub(crate) origin: Option<String>,
    /// Its keys; empty when there are none.
    pub(crate) keys: Vec<ScramKeys>,
    /// Its password, where the source knows it.
    pub(crate) password: Option<Password>,
    /// May not log in.
    pub(crate) disabled: bool,
    /// When it was made.
    pub(crate) created: Option<Millis>,
    /// When it last logged in.
    pub(crate) last_login: Option<Millis>,
}

/// A subscription request.
#[derive(Debug)]
pub(crate) struct Request {
    /// Who asks.
    pub(crate) from: String,
    /// The presence, if the source kept it.
    pub(crate) presence: Option<Element>,
}

/// A node.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Its name.
    pub(crate) name: String,
    /// Its configuration (XEP-0060 §16.4.4), as far as the source tells it.
    pub(crate) config: Option<Form>,
    /// When it was made.
    pub(crate) created: Option<Millis>,
    /// Affiliations of others than the owner; of the service, which owns none itself, of everybody.
    pub(crate) affiliations: Vec<(String, String)>,
    /// Explicit subscriptions.
    pub(crate) subscriptions: Vec<store::pubsub::Subscription>,
}

/// An item.
#[derive(Debug)]
pub(crate) struct Item {
    /// Its node.
    pub(crate) node: String,
    /// Its id.
    pub(crate) id: String,
    /// Who published it; the owner when it is not known.
    pub(crate) publisher: Option<String>,
    /// When.
    pub(crate) published: Option<Millis>,
    /// Its payload.
    pub(crate) payload: Option<Element>,
}

/// A message.
#[derive(Debug)]
pub(crate) struct Line {
    /// When it was received; 0 when the source does not tell.
    pub(crate) at: Millis,
    /// The message.
    pub(crate) message: Element,
}

/// A room.
#[derive(Debug)]
pub(crate) struct Room {
    /// Its address at the source.
    pub(crate) jid: BareJid,
    /// Its configuration as a form (XEP-0045 §10.1.3). What is not in it is as in a public channel, the
    /// default of other servers.
    pub(crate) config: Form,
    /// Its subject: text, nickname of who set it, and when.
    pub(crate) subject: Option<(String, String, Millis)>,
    /// A vCard, as text (XEP-0486).
    pub(crate) vcard: Option<String>,
    /// Who belongs to it: address, affiliation, reserved nickname, reason.
    pub(crate) affiliations: Vec<(String, Affiliation, Option<String>, Option<String>)>,
}

/// Something that was not taken.
#[derive(Debug)]
pub(crate) struct Skipped {
    /// Of whom or what, such as an address.
    pub(crate) what: String,
    /// Why.
    pub(crate) why: String,
}

impl Record {
    /// Something that was not taken.
    pub(crate) fn skipped(what: impl Into<String>, why: impl Into<String>) -> Record {
        Record::Skipped(Skipped { what: what.into(), why: why.into() })
    }
}
