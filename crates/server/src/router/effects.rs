//! What a message's passes through the pipeline want to happen, collected and then done in order.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use smallvec::SmallVec;
use store::archive::Append;
use xmpp::jid::Jid;

use crate::{
    account::Account,
    push::{Reason, Registration},
    session::{
        Session,
        frame::{Copies, Frame},
    },
};

/// Filled by hooks, emptied by the router.
#[derive(Default)]
pub struct Effects {
    /// Archive rows of both sides: one transaction, so that no crash can separate them.
    pub appends: SmallVec<[Append; 2]>,
    /// The accounts of these rows, whose count of unsubmitted messages is to be lowered.
    pub recorded: SmallVec<[Arc<Account>; 2]>,
    /// Frames for devices of the account whose pass is running. They are handed over before its
    /// lock is released, so that every device and the archive see one order.
    pub frames: SmallVec<[(Arc<Session>, Frame); 4]>,
    /// The message as another domain gets it: its outbox row is in one transaction with `appends`.
    pub outgoing: Option<Outgoing>,
    /// Devices that sleep and are to be woken.
    pub wakes: Vec<(Arc<Registration>, Reason)>,
    /// A service that takes no more notifications (XEP-0357 §8).
    pub withdrawn: Option<Arc<Registration>>,
}

/// A message for another domain.
pub struct Outgoing {
    /// Whom it is for.
    pub to: Jid,
    /// As it is sent.
    pub bytes: Bytes,
    /// Whether it has to arrive, or may be dropped when the domain cannot be reached.
    pub durable: bool,
}

impl Effects {
    /// The rows were submitted, or never will be.
    pub fn submitted(&mut self) {
        for account in self.recorded.drain(..) {
            account.unsubmitted.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Hands the collected frames to their sessions.
    pub fn hand_over(&mut self) {
        let kept = self.frames.iter().any(|(_, frame)| frame.archived.is_some());
        let copies = Copies::of(if kept { self.frames.len() } else { 0 });
        for (session, frame) in self.frames.drain(..) {
            session.deliver(Frame { copies: copies.clone(), ..frame });
        }
    }
}
