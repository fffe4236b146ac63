//! A room as a state machine: it is given stanzas and says what is to happen. It knows no sockets, no
//! store and no clock.
//!
//! Everything that happens in a room happens in one order, the order of the calls: what is reflected
//! first is archived first.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use store::rooms::Affiliation as Row;
use xmpp::{
    error::{Condition, ErrorType, StanzaError},
    ext::muc::{Affiliation, Role},
    jid::{BareJid, Jid},
    ns,
    stanza::{Kind, Stanza},
    time::Millis,
    xml::Element,
};

use super::{
    affiliations::{Affiliations, Change},
    bucket::{Bucket, Paces},
    hats::Hats,
    history::History,
    kept::Kept,
    nick::{Likeness, likeness},
    requests::Requests,
    settings::Settings,
    tokens::Tokens,
    voices::Voices,
};
use crate::{router::facts::Facts, secret::mac};

/// A room.
pub struct Room {
    pub(super) jid: BareJid,
    pub(super) settings: Settings,
    pub(super) subject: Option<Subject>,
    pub(super) affiliations: Affiliations,
    /// A vCard, as text (XEP-0486).
    pub(super) vcard: Option<String>,
    /// XEP-0317.
    pub(super) hats: Hats,
    pub(super) voices: Voices,
    /// Of strangers who want to be members.
    pub(super) requests: Requests,
    /// XEP-0488.
    pub(super) tokens: Tokens,
    pub(super) occupants: BTreeMap<Box<str>, Occupant>,
    /// The nickname of each full address that is in the room.
    pub(super) nicks: HashMap<Jid, Box<str>>,
    pub(super) history: History,
    /// Made and not yet configured: nobody else comes in (§10.1.1).
    pub(super) locked: bool,
    pub(super) bounds: Bounds,
    /// Archive id of the next message.
    pub(super) next_id: u64,
    /// Origins of messages that came lately, with their archive ids (XEP-0359).
    pub(super) sent: Sent,
    /// What each person may still do, and what all of them together: messages, and presence.
    pub(super) paces: Paces,
    pub(super) bucket: Bucket,
    pub(super) crowd: Bucket,
    /// What the presence of those on the lists may cost.
    pub(super) regulars: Bucket,
    pub(super) questions: super::passing::Questions,
    pub(super) invitations: super::inviting::Sendings,
    pub(super) privates: super::inviting::Sendings,
    salt: [u8; 32],
}

/// What a server allows.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Occupants of one room.
    pub occupants: u32,
    /// Bytes of the items in one answer.
    pub answer_bytes: usize,
    /// Messages a second of one occupant, averaged over ten seconds; 0 for no limit.
    pub messages_per_second: u32,
}

/// Somebody in the room, with one session or several under one nickname.
pub struct Occupant {
    pub(super) jid: BareJid,
    pub(super) role: Role,
    /// XEP-0421.
    pub(super) id: Box<str>,
    /// What the nickname looks like.
    pub(super) like: Likeness,
    /// At least one.
    pub(super) sessions: SmallVec<[Visit; 1]>,
    /// Its presence as others get it, once somebody got it.
    pub(super) shown: RefCell<Shown>,
}

/// The presence of an occupant as it was written last, for everybody who comes in after that.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// For whom it is true: what is written in it that may change.
    pub(super) of: (Affiliation, Role),
    /// With the address, for who may see it, and without.
    pub(super) open: Option<Bytes>,
    pub(super) veiled: Option<Bytes>,
}

impl Occupant {
    /// Somebody without sessions yet.
    pub(super) fn new(nick: &str, jid: BareJid, role: Role, id: String) -> Self {
        let like = likeness(nick).unwrap_or_default();
        Occupant {
            jid,
            role,
            id: id.into(),
            like,
            sessions: SmallVec::new(),
            shown: RefCell::default(),
        }
    }
}

/// One session in the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    pub(super) jid: Jid,
    /// Its last presence, without addresses and without what only rooms may say; read again when it is
    /// written, which is seldom.
    pub(super) presence: Bytes,
}

/// The subject, as the message that set it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The message without recipient.
    pub(super) xml: String,
    /// Its text.
    pub(super) text: String,
    /// When.
    pub(super) at: u64,
}

/// What is to happen, in this order.
#[derive(Debug)]
pub enum Effect {
    /// Somebody gets a stanza.
    Send {
        /// A full address.
        to: Jid,
        /// What it is.
        kind: Kind,
        /// The stanza.
        bytes: Bytes,
        /// Whether it has no recipient yet, because others get the same bytes.
        shared: bool,
        /// A sleeping phone has to wake up for it (XEP-0352).
        urgent: bool,
    },
    /// Somebody hears that a message of theirs did not arrive.
    Error {
        /// A full address.
        to: Jid,
        /// The error. It has no recipient yet.
        message: Bytes,
    },
    /// A message goes to somebody as messages of strangers do: it may wait for them, and their
    /// devices share it.
    Route {
        /// Whom.
        to: Jid,
        /// The message, complete.
        message: Bytes,
        /// How whoever caused it hears that it could not go out.
        back: Box<Back>,
    },
    /// An account is asked for what it keeps, by an occupant whose name is in the request.
    Ask {
        /// Its address.
        to: Jid,
        /// The request, complete.
        request: Bytes,
    },
    /// Somebody hears that what they sent through the room did not arrive, now or when they are back.
    Return {
        /// Whom.
        to: Jid,
        /// The error, complete.
        message: Bytes,
    },
    /// A message was reflected and is to be kept.
    Archive(Box<Line>),
    /// Somebody wrote: people who are not looking may want to know.
    Wake {
        /// Who.
        author: BareJid,
        /// The beginning of the text, where it can be read.
        text: Option<String>,
    },
    /// The room changed: it is to be stored before whoever changed it is answered.
    Save {
        /// Beside its lists, the rest as well.
        state: bool,
        /// Entries of its lists.
        changes: Vec<Change>,
    },
    /// Somebody takes back their own message (XEP-0424).
    Retract {
        /// Its archive id.
        id: u64,
        /// The occupant who must have sent it.
        author: String,
        /// What takes its place.
        tombstone: Box<Element>,
    },
    /// The room is no more.
    Destroy,
}

impl Effect {
    /// The stanza that is sent at once to one address, complete.
    #[cfg(any(test, feature = "model"))]
    pub(super) fn stanza(&self) -> Option<(&Jid, Kind, Bytes)> {
        match self {
            Effect::Send { to, kind, bytes, shared: true, .. } => {
                Some((to, *kind, crate::session::frame::addressed(*kind, bytes, to.as_str())))
            }
            Effect::Send { to, kind, bytes, .. } => Some((to, *kind, bytes.clone())),
            Effect::Error { to, message } => {
                let kind = Kind::Message;
                Some((to, kind, crate::session::frame::addressed(kind, message, to.as_str())))
            }
            _ => None,
        }
    }
}

/// A message that comes back to whoever sent it through the room.
#[derive(Clone, Debug)]
pub struct Back {
    /// Who sent it.
    pub(super) to: Jid,
    /// From where it comes back.
    pub(super) from: String,
    /// What its sender called it.
    pub(super) id: Option<String>,
    /// What says which one it was.
    pub(super) x: Option<Element>,
}

impl Back {
    /// Whether it is an invitation.
    pub(super) fn invites(&self) -> bool {
        self.x.is_some()
    }

    /// The message with the reason.
    pub(super) fn message(&self, error: &StanzaError) -> Bytes {
        Element::new("message", ns::CLIENT)
            .with_attr("from", self.from.as_str())
            .with_attr("to", self.to.as_str())
            .with_attr("type", "error")
            .with_attr_opt("id", self.id.as_deref())
            .with_children(self.x.clone())
            .with_child(in_short(error).element())
            .to_bytes(ns::CLIENT)
    }
}

/// An error that came from outside, as others get it. What a recipient, or their server, says beside the
/// condition could name them, or be whatever they want to be read in the name of the room.
pub(super) fn in_short(error: &StanzaError) -> StanzaError {
    StanzaError::new(error.condition).with_type(error.kind)
}

/// A message for the archive.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its id.
    pub id: u64,
    /// When it came.
    pub at: Millis,
    /// Who wrote it, with their nickname; `None` for the room itself.
    pub author: Option<(BareJid, Box<str>)>,
    /// What its sender called it.
    pub origin: Option<u64>,
    /// The message.
    pub stanza: Bytes,
}

/// The effects of a call.
pub type Effects = Vec<Effect>;

/// Messages that came lately.
#[derive(Debug, Default)]
pub struct Sent {
    ids: HashMap<u64, u64>,
    order: std::collections::VecDeque<u64>,
}

impl Sent {
    /// The archive id of a message that came before.
    #[must_use]
    pub fn find(&self, origin: u64) -> Option<u64> {
        self.ids.get(&origin).copied()
    }

    /// Notes a message.
    pub fn note(&mut self, origin: u64, id: u64) {
        if self.ids.insert(origin, id).is_none() {
            self.order.push_back(origin);
        }
        if self.order.len() > MOST_SENT
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    /// How many are remembered.
    #[cfg(any(test, feature = "model"))]
    pub(super) fn len(&self) -> usize {
        debug_assert_eq!(self.ids.len(), self.order.len());
        self.ids.len()
    }

    /// It was not kept after all.
    pub fn forget(&mut self, origin: u64) {
        self.ids.remove(&origin);
        self.order.retain(|known| *known != origin);
    }
}

impl Room {
    /// A room that is being made, by nobody yet.
    #[must_use]
    pub fn new(jid: BareJid, settings: Settings, bounds: Bounds, salt: [u8; 32]) -> Self {
        Room {
            jid,
            settings,
            subject: None,
            affiliations: Affiliations::default(),
            vcard: None,
            hats: Hats::default(),
            voices: Voices::default(),
            requests: Requests::default(),
            tokens: Tokens::default(),
            occupants: BTreeMap::new(),
            nicks: HashMap::new(),
            history: History::default(),
            locked: true,
            bounds,
            next_id: 1,
            sent: Sent::default(),
            paces: Paces::default(),
            bucket: Bucket::default(),
            crowd: Bucket::default(),
            regulars: Bucket::default(),
            questions: super::passing::Questions::default(),
            invitations: super::inviting::Sendings::default(),
            privates: super::inviting::Sendings::default(),
            salt,
        }
    }

    /// A room as it was stored.
    #[must_use]
    pub fn load(jid: BareJid, kept: Kept, rows: Vec<Row>, bounds: Bounds, salt: [u8; 32]) -> Self {
        let Kept {
            settings,
            subject,
            vcard,
            hats,
            voices,
            requests,
            tokens,
            version,
            oldest,
            locked,
        } = kept;
        Room {
            subject,
            vcard,
            hats,
            voices,
            requests,
            tokens,
            affiliations: Affiliations::load(rows, version, oldest),
            locked,
            ..Room::new(jid, settings, bounds, salt)
        }
    }

    /// What makes occupant ids of this room (XEP-0421).
    pub(super) fn set_salt(&mut self, salt: [u8; 32]) {
        self.salt = salt;
    }

    /// What is to be stored beside the lists.
    #[must_use]
    pub fn kept(&self) -> Kept {
        Kept {
            settings: self.settings.clone(),
            subject: self.subject.clone(),
            vcard: self.vcard.clone(),
            hats: self.hats.clone(),
            voices: self.voices.clone(),
            requests: self.requests.clone(),
            tokens: self.tokens.clone(),
            version: self.affiliations.version(),
            oldest: self.affiliations.oldest(),
            locked: self.locked,
        }
    }

    /// Whether nobody is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.occupants.is_empty()
    }

    /// Its configuration.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The affiliation of an address.
    #[must_use]
    pub fn affiliation(&self, jid: &Jid) -> Affiliation {
        self.affiliations.of(jid)
    }

    /// The occupant behind a full address.
    pub(super) fn occupant(&self, jid: &Jid) -> Option<(&str, &Occupant)> {
        let nick = self.nicks.get(jid)?;
        self.occupants.get_key_value(nick).map(|(nick, occupant)| (&**nick, occupant))
    }

    /// The role of a full address; none for who is not in the room.
    pub(super) fn role(&self, jid: &Jid) -> Role {
        self.occupant(jid).map_or(Role::None, |(_, occupant)| occupant.role)
    }

    /// Whether an address may see who occupants are: in rooms where everybody may, those who may come
    /// in; otherwise moderators, and admins who are not there.
    #[must_use]
    pub fn may_see_addresses(&self, jid: &Jid) -> bool {
        let affiliation = self.affiliation(jid);
        match self.settings.non_anonymous {
            true => affiliation > Affiliation::None || self.nicks.contains_key(jid),
            false => affiliation >= Affiliation::Admin || self.role(jid) == Role::Moderator,
        }
    }

    /// Whether an address may read the archive: who could come in, or is there.
    #[must_use]
    pub fn may_read(&self, jid: &Jid) -> bool {
        let affiliation = self.affiliation(jid);
        let open = !self.settings.members_only && self.settings.password.is_none();
        self.nicks.contains_key(jid)
            || affiliation > Affiliation::None
            || (open && affiliation == Affiliation::None)
    }

    /// The role that somebody begins with (§5.1.2).
    pub(super) fn initial_role(&self, affiliation: Affiliation) -> Role {
        match affiliation {
            Affiliation::Owner | Affiliation::Admin => Role::Moderator,
            Affiliation::Member => Role::Participant,
            _ if self.settings.moderated => Role::Visitor,
            Affiliation::None => Role::Participant,
            Affiliation::Outcast => Role::None,
        }
    }

    /// Whether the coming and going of occupants of this role is shown to others.
    pub(super) fn shows(&self, role: Role) -> bool {
        self.settings.shows(role)
    }

    /// What stands for a person in this room and nowhere else (XEP-0421).
    #[must_use]
    pub fn occupant_id(&self, jid: &BareJid) -> String {
        occupant_id(&self.salt, jid)
    }

    /// What follows from `parts` for whoever knows the secret of the room.
    pub(super) fn salted(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac(&self.salt, parts)
    }

    /// The address of an occupant.
    pub(super) fn occupant_jid(&self, nick: &str) -> String {
        format!("{}/{nick}", self.jid)
    }

    /// Sends the same stanza, written without recipient, to every session in the room.
    pub(super) fn broadcast(&self, kind: Kind, bytes: &Bytes, out: &mut Effects) {
        for visit in self.occupants.values().flat_map(|occupant| &occupant.sessions) {
            out.push(send(&visit.jid, kind, bytes));
        }
    }

    /// Sends a message to every session in the room; one that can wait does not wake anybody.
    pub(super) fn reflect(&self, bytes: &Bytes, lasting: bool, out: &mut Effects) {
        let first = out.len();
        self.broadcast(Kind::Message, bytes, out);
        for effect in out.iter_mut().skip(first) {
            if let Effect::Send { urgent, .. } = effect {
                *urgent = lasting;
            }
        }
    }

    /// A message of the room itself with a status, such as that its configuration changed.
    pub(super) fn broadcast_status(&self, codes: &[u16], out: &mut Effects) {
        let x = Element::new("x", ns::MUC_USER)
            .with_children(codes.iter().map(|code| xmpp::ext::muc::status(*code)));
        let message = Element::new("message", ns::CLIENT)
            .with_attr("from", self.jid.as_str())
            .with_attr("type", "groupchat")
            .with_child(x);
        self.broadcast(Kind::Message, &message.to_bytes(ns::CLIENT), out);
    }
}

/// What stands for a person in the room with this salt.
pub(super) fn occupant_id(salt: &[u8; 32], jid: &BareJid) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(mac(salt, &[jid.as_str().as_bytes()]))
}

/// A stanza for one recipient, who is not written in it: the bytes are shared with others.
pub(super) fn send(to: &Jid, kind: Kind, bytes: &Bytes) -> Effect {
    let urgent = kind != Kind::Presence;
    Effect::Send { to: to.clone(), kind, bytes: bytes.clone(), shared: true, urgent }
}

/// Returns a stanza to its sender with an error. Errors are never answered.
pub(super) fn refuse(
    room: &BareJid,
    to: &Jid,
    stanza: &Stanza,
    error: &StanzaError,
    out: &mut Effects,
) {
    if matches!(stanza.type_().as_deref(), Some("error" | "result")) {
        return;
    }
    let from = stanza.to().map_or_else(|| room.as_str().to_owned(), |to| to.into_owned());
    let mut told = error.element();
    told.set_attr("by", room.as_str());
    let mut answer = Element::new(stanza.name(), ns::CLIENT)
        .with_attr("from", from)
        .with_attr("type", "error")
        .with_attr_opt("id", stanza.id());
    if stanza.kind() == Kind::Presence {
        // §7.2.5: clients know by it that the error is about coming in.
        answer.push(Element::new("x", ns::MUC));
    }
    if let Some(query) = stanza.child("query", ns::MUC_ADMIN)
        && error.condition == Condition::NotAllowed
    {
        // §8.4: along with what was asked for.
        answer.push(query.element());
    }
    answer.push(told);
    let bytes = answer.to_bytes(ns::CLIENT);
    out.push(match stanza.kind() {
        Kind::Message if !Facts::read(stanza).passing(stanza) => {
            Effect::Error { to: to.clone(), message: bytes }
        }
        kind => send(to, kind, &bytes),
    });
}

/// An error with the condition's usual type.
pub(super) fn error(condition: Condition, text: &str) -> StanzaError {
    StanzaError::new(condition).with_text(text)
}

/// An error that ends by itself.
pub(super) fn wait(condition: Condition, text: &str) -> StanzaError {
    error(condition, text).with_type(ErrorType::Wait)
}

/// Origins of messages that are remembered.
pub(super) const MOST_SENT: usize = 1000;
