//! One pass of a message through the stages of one account: the sender's or the recipient's.

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;
use xmpp::{
    edit::Edit,
    error::StanzaError,
    jid::{BareJid, Jid},
    ns,
    stanza::Stanza,
    time::Millis,
};

use super::{effects::Effects, facts::Facts};
use crate::{
    account::{Account, AccountState},
    ext::MessageHook,
    server::Server,
    session::Session,
};

/// What a hook decided.
#[derive(Debug)]
pub enum Flow {
    /// The next hook is asked.
    Continue,
    /// The message has arrived; nothing further happens to it in this pass.
    Done,
    /// The message is dropped and the sender is told nothing.
    Drop,
    /// The message was sent before and has arrived: nothing happens again, but it is acknowledged
    /// only when its first sending is on disk.
    Repeated,
    /// The message goes back to its sender.
    Refuse(StanzaError),
}

/// Which way a message goes through an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The account's own client sent it.
    Outbound,
    /// Somebody sent it to the account.
    Inbound,
}

/// A message while it passes through one account, whose state is locked meanwhile.
pub struct Pass<'a> {
    /// The server.
    pub server: &'a Arc<Server>,
    /// The account whose stages run.
    pub account: &'a Arc<Account>,
    /// Its state.
    pub state: &'a mut AccountState,
    /// Sender's or recipient's pass.
    pub direction: Direction,
    /// The message as it was received.
    pub message: &'a Stanza,
    /// What it is.
    pub facts: &'a Facts,
    /// Full address of the sender, as text.
    pub from: &'a str,
    /// Bare address of the sender.
    pub sender: &'a BareJid,
    /// Resolved recipient; an absent `to` means the sender's own account (RFC 6120 §10.3.1).
    pub to: &'a Jid,
    /// The session that sent it, when it is one of ours.
    pub session: Option<&'a Arc<Session>>,
    /// When the server received it.
    pub now: Millis,
    /// Devices that were chosen by the Deliver stage, as indices into `state.resources`.
    pub delivered: SmallVec<[usize; 4]>,
    /// Archive id that the Record stage gave it, and whether it waits for an offline account.
    pub archived: Option<u64>,
    /// Set with `archived` when no device was connected: the row waits in the offline queue.
    pub pending: bool,
    /// Set with `archived` when it only waits: who looks in the archive does not find it.
    pub hidden: bool,
    /// The id that the Record stage set aside for a message that no archive keeps, should it have to wait.
    pub place: Option<u64>,
    /// What is to happen.
    pub effects: &'a mut Effects,
    form: Option<Bytes>,
    chosen: Option<SmallVec<[usize; 4]>>,
}

/// The parts of a [`Pass`] that both passes of a message share.
#[derive(Clone, Copy)]
pub struct Letter<'a> {
    /// The server.
    pub server: &'a Arc<Server>,
    /// The message as it was received.
    pub message: &'a Stanza,
    /// What it is.
    pub facts: &'a Facts,
    /// Full address of the sender, as text.
    pub from: &'a str,
    /// Bare address of the sender.
    pub sender: &'a BareJid,
    /// Resolved recipient.
    pub to: &'a Jid,
    /// The session that sent it, when it is one of ours.
    pub session: Option<&'a Arc<Session>>,
    /// When the server received it.
    pub now: Millis,
}

impl<'a> Pass<'a> {
    /// A pass of `letter` through `account`.
    pub fn new(
        letter: Letter<'a>,
        direction: Direction,
        account: &'a Arc<Account>,
        state: &'a mut AccountState,
        effects: &'a mut Effects,
    ) -> Self {
        let Letter { server, message, facts, from, sender, to, session, now } = letter;
        Self {
            server,
            account,
            state,
            direction,
            message,
            facts,
            from,
            sender,
            to,
            session,
            now,
            delivered: SmallVec::new(),
            archived: None,
            pending: false,
            hidden: false,
            place: None,
            effects,
            form: None,
            chosen: None,
        }
    }

    /// Runs the hooks in order until one of them ends the pass.
    pub fn run(&mut self, hooks: &[MessageHook]) -> Flow {
        for hook in hooks {
            match hook(self) {
                Flow::Continue => {}
                end => return end,
            }
        }
        Flow::Continue
    }

    /// The message as this account's devices and archive see it: true sender, no forged ids, and
    /// this archive's `<stanza-id/>` (XEP-0359) if it was recorded. Written once and shared.
    pub fn form(&mut self) -> Bytes {
        if let Some(form) = &self.form {
            return form.clone();
        }
        let form = self.write();
        self.form = Some(form.clone());
        form
    }

    /// The devices that RFC 6121 §8.5 chooses, as indices into `state.resources`.
    pub fn chosen(&mut self) -> SmallVec<[usize; 4]> {
        if self.chosen.is_none() {
            self.chosen = Some(super::deliver::choose(self));
        }
        self.chosen.clone().unwrap_or_default()
    }

    /// Whether the message reaches no device now, since none that would get it has a connection, or each is
    /// being given what had waited: it then also waits in the offline queue.
    pub fn unreachable(&mut self) -> bool {
        let chosen = self.chosen();
        !chosen.iter().any(|&at| self.state.resources[at].session.reaches())
    }

    /// Full address of the sender.
    #[must_use]
    pub fn from_jid(&self) -> Jid {
        match self.session {
            Some(session) => session.jid.clone().into(),
            // Of another server, or of a room: it was an address before it became text.
            None => Jid::new(self.from).unwrap_or_else(|_| self.sender.clone().into()),
        }
    }

    /// Whether the other side of the message is the account itself.
    #[must_use]
    pub fn to_self(&self) -> bool {
        self.to.as_str().split('/').next() == Some(self.sender.as_str())
    }

    fn write(&self) -> Bytes {
        let own = self.account.bare();
        let mut edit = Edit::new(self.message).from(self.from);
        if self.message.to().is_none() {
            edit = edit.to(own);
        }
        if self.facts.stanza_ids {
            // XEP-0359 §6: only this server may speak in the name of this archive.
            edit = edit.drop_if(|child| {
                child.name() == "stanza-id"
                    && child.ns() == ns::STANZA_ID
                    && child.attr("by").is_none_or(|by| {
                        // However it is spelled: clients normalise it.
                        by == own || Jid::new(&by).is_ok_and(|by| by.as_str() == own)
                    })
            });
        }
        // XEP-0313 §3.3: it names a message of the archive, and clients begin to read behind it.
        if let Some(id) = self.archived.filter(|_| !self.hidden) {
            edit = edit.append(stanza_id(own, id));
        }
        edit.finish()
    }
}

/// The `<stanza-id/>` of an archived message.
#[must_use]
pub fn stanza_id(by: &str, id: u64) -> Vec<u8> {
    let mut xml = Vec::with_capacity(80 + by.len());
    xml.extend_from_slice(b"<stanza-id xmlns='urn:xmpp:sid:0' by='");
    xmpp::xml::escape_into(&mut xml, by);
    xml.extend_from_slice(b"' id='");
    xml.extend_from_slice(id.to_string().as_bytes());
    xml.extend_from_slice(b"'/>");
    xml
}
