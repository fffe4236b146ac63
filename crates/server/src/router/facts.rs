//! What the router needs to know about a message, read from its index in one pass.

use smallvec::SmallVec;
use xmpp::{
    ns,
    stanza::{Child, Stanza},
};

/// The `type` attribute of a message (RFC 6121 §5.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageType {
    /// A line in a one-to-one conversation.
    Chat,
    /// An answer that says why an earlier message failed.
    Error,
    /// A line in a room.
    Groupchat,
    /// An alert to which nobody answers.
    Headline,
    /// A single message outside of a conversation; also everything unknown.
    Normal,
}

impl MessageType {
    /// Reads the attribute; what is absent or unknown counts as normal, as the RFC wants it.
    #[must_use]
    pub fn parse(value: Option<&str>) -> Self {
        match value {
            Some("chat") => Self::Chat,
            Some("error") => Self::Error,
            Some("groupchat") => Self::Groupchat,
            Some("headline") => Self::Headline,
            _ => Self::Normal,
        }
    }
}

/// The facts of one message. Filled by [`Facts::read`], never changed afterwards.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Its type.
    pub kind: MessageType,
    /// A `<body/>`.
    pub body: bool,
    /// An encrypted payload: OMEMO of either version, or OpenPGP.
    pub encrypted: bool,
    /// XEP-0334 hints.
    pub hints: Hints,
    /// XEP-0280 `<private/>`: no copies for other devices.
    pub private: bool,
    /// Already a carbon or an archive result: nothing of that sort is copied again.
    pub forwarded: bool,
    /// XEP-0184, XEP-0333, XEP-0308, XEP-0424, XEP-0444 and other payloads that change a
    /// conversation and so belong to its history.
    pub conversational: bool,
    /// XEP-0085 chat state.
    pub chat_state: bool,
    /// A `<stanza-id/>`, which only servers may write: a client's own must be looked at.
    pub stanza_ids: bool,
    /// `<subject/>` without a body, or another payload of weight.
    pub subject: bool,
    /// Jingle message initiation (XEP-0353): calls ring on every device.
    pub call: bool,
    /// XEP-0045: came through a room, or is on its way there.
    pub room: bool,
    /// An invitation to a room, of the inviter (XEP-0249) or through the room (XEP-0045 §7.8.2).
    pub invitation: bool,
    /// XEP-0359 `<origin-id/>`.
    pub origin_id: Option<SmallVec<[u8; 40]>>,
}

/// XEP-0334: what the sender wants stored and copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// `<no-permanent-store/>`.
    pub no_permanent_store: bool,
    /// `<no-store/>`.
    pub no_store: bool,
    /// `<no-copy/>`.
    pub no_copy: bool,
    /// `<store/>`.
    pub store: bool,
}

impl Facts {
    /// Reads the facts from the index of `message`.
    #[must_use]
    pub fn read(message: &Stanza) -> Self {
        let mut facts = Self {
            kind: MessageType::parse(message.type_().as_deref()),
            body: false,
            encrypted: false,
            hints: Hints::default(),
            private: false,
            forwarded: false,
            conversational: false,
            chat_state: false,
            stanza_ids: false,
            subject: false,
            call: false,
            room: false,
            invitation: false,
            origin_id: None,
        };
        for child in message.children() {
            facts.note(&child);
        }
        facts
    }

    /// Whether it is a line that people read or that changes one, rather than a passing signal.
    #[must_use]
    pub fn lasting(&self) -> bool {
        self.body || self.encrypted || self.conversational || self.call
    }

    /// Whether it is worth nothing an hour later: a typing notification, or an alert (RFC 6121 §5.2.2), which
    /// is for those who are there (§8.5.2.2.1), unless its sender says that it should last.
    #[must_use]
    pub fn passing(&self, message: &Stanza) -> bool {
        let typing = self.chat_state && !self.lasting() && message.children().len() == 1;
        typing || (self.kind == MessageType::Headline && !self.hints.store)
    }

    fn note(&mut self, child: &Child<'_>) {
        let namespace = child.ns();
        match (child.name(), namespace.as_ref()) {
            ("body", ns::CLIENT) => self.body = true,
            ("subject", ns::CLIENT) => self.subject = true,
            ("encrypted", ns::OMEMO_LEGACY | ns::OMEMO) | ("openpgp", ns::OPENPGP) => {
                self.encrypted = true;
            }
            ("x", ns::PGP_LEGACY) => self.encrypted = true,
            ("store", ns::HINTS) => self.hints.store = true,
            ("no-store", ns::HINTS) => self.hints.no_store = true,
            ("no-permanent-store", ns::HINTS) => self.hints.no_permanent_store = true,
            ("no-copy", ns::HINTS) => self.hints.no_copy = true,
            ("private", ns::CARBONS) => self.private = true,
            ("sent" | "received", ns::CARBONS) | ("result", ns::MAM) => self.forwarded = true,
            ("stanza-id", ns::STANZA_ID) => self.stanza_ids = true,
            ("origin-id", ns::STANZA_ID) => {
                self.origin_id = child.attr("id").map(|id| SmallVec::from_slice(id.as_bytes()));
            }
            (_, ns::CHAT_STATES) => self.chat_state = true,
            (_, ns::JINGLE_MESSAGE) => self.call = true,
            (_, ns::RECEIPTS) => self.conversational |= child.name() == "received",
            (_, ns::CHAT_MARKERS) => self.conversational |= child.name() != "markable",
            (_, ns::CORRECT | ns::RETRACT | ns::REACTIONS | ns::REPLY) => {
                self.conversational = true;
            }
            ("x", ns::MUC_USER) => {
                self.room = true;
                // XEP-0045 §7.8.2: who is away now is invited all the same.
                let mediated = is_mediated(child);
                self.conversational |= self.kind == MessageType::Normal && mediated;
                self.invitation |= mediated;
            }
            ("x", ns::CONFERENCE) => {
                self.conversational = true;
                self.invitation = true;
            }
            _ => {}
        }
    }
}

/// An invitation that a room passes on, or its refusal.
fn is_mediated(x: &Child<'_>) -> bool {
    let x = x.element();
    ["invite", "decline"].iter().any(|name| x.child(name, ns::MUC_USER).is_some())
}
