//! The presence subscription state machine of RFC 6121 Appendix A, as pure functions.
//!
//! "Outbound" is what the account's own client sends to a contact, "inbound" what a contact sends
//! to the account. The nine states of the RFC are the combinations of four flags.

/// The four kinds of subscription stanza.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Asks to see the other's presence.
    Subscribe,
    /// Lets the other see one's presence.
    Subscribed,
    /// Stops seeing the other's presence.
    Unsubscribe,
    /// Stops letting the other see one's presence, or refuses.
    Unsubscribed,
}

impl Change {
    /// Reads the `type` attribute of a presence stanza.
    #[must_use]
    pub fn parse(kind: &str) -> Option<Self> {
        match kind {
            "subscribe" => Some(Self::Subscribe),
            "subscribed" => Some(Self::Subscribed),
            "unsubscribe" => Some(Self::Unsubscribe),
            "unsubscribed" => Some(Self::Unsubscribed),
            _ => None,
        }
    }

    /// The `type` attribute.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Subscribed => "subscribed",
            Self::Unsubscribe => "unsubscribe",
            Self::Unsubscribed => "unsubscribed",
        }
    }
}

/// How an account and a contact stand to each other, seen from the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The account sees the contact's presence.
    pub to: bool,
    /// The contact sees the account's presence.
    pub from: bool,
    /// The account asked and has no answer yet.
    pub pending_out: bool,
    /// The contact asked and has no answer yet.
    pub pending_in: bool,
    /// The account approved a request that has not come yet (RFC 6121 §3.4).
    pub approved: bool,
}

/// What an outbound change leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The standing afterwards.
    pub standing: Standing,
    /// Whether the stanza goes to the contact.
    pub route: bool,
}

/// What an inbound change leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// The standing afterwards.
    pub standing: Standing,
    /// Whether the stanza is shown to the account's clients.
    pub deliver: bool,
    /// Whether the server answers `subscribed` in the account's name.
    pub approve: bool,
}

impl Standing {
    /// The `subscription` attribute of a roster item (RFC 6121 §2.1.2.5).
    #[must_use]
    pub fn subscription(&self) -> &'static str {
        match (self.to, self.from) {
            (false, false) => "none",
            (true, false) => "to",
            (false, true) => "from",
            (true, true) => "both",
        }
    }

    /// Appendix A.2: the account's client sends `change`.
    #[must_use]
    pub fn send(self, change: Change) -> Sent {
        let mut standing = self;
        let route = match change {
            Change::Subscribe => {
                standing.pending_out = !self.to;
                true
            }
            Change::Unsubscribe => {
                standing.to = false;
                standing.pending_out = false;
                true
            }
            Change::Subscribed => {
                standing.from |= self.pending_in;
                standing.pending_in = false;
                // §3.4.2: without a request this approves one in advance.
                standing.approved |= !self.pending_in && !self.from;
                self.pending_in
            }
            Change::Unsubscribed => {
                standing.from = false;
                standing.pending_in = false;
                standing.approved = false;
                self.from || self.pending_in
            }
        };
        Sent { standing, route }
    }

    /// Appendix A.3: the contact sends `change`.
    #[must_use]
    pub fn receive(self, change: Change) -> Received {
        let mut standing = self;
        let (deliver, approve) = match change {
            Change::Subscribe if self.from => (false, true),
            Change::Subscribe if self.approved => {
                standing.from = true;
                standing.approved = false;
                (false, true)
            }
            Change::Subscribe => {
                standing.pending_in = true;
                (!self.pending_in, false)
            }
            Change::Unsubscribe => {
                standing.from = false;
                standing.pending_in = false;
                (self.from || self.pending_in, false)
            }
            Change::Subscribed => {
                standing.to |= self.pending_out;
                standing.pending_out = false;
                (self.pending_out, false)
            }
            Change::Unsubscribed => {
                standing.to = false;
                standing.pending_out = false;
                (self.to || self.pending_out, false)
            }
        };
        Received { standing, deliver, approve }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The RFC's name of a state, such as "None + Pending Out+In".
    fn state(name: &str) -> Standing {
        let (subscription, pending) = name.split_once(" + ").unwrap_or((name, ""));
        Standing {
            to: matches!(subscription, "To" | "Both"),
            from: matches!(subscription, "From" | "Both"),
            pending_out: pending.contains("Out"),
            pending_in: pending.contains("In"),
            approved: false,
        }
    }

    /// Rows of Appendix A: change, state before, passed on?, state after.
    const SENT: &str = include_str!("subscription_sent.txt");
    const RECEIVED: &str = include_str!("subscription_received.txt");

    fn rows(table: &str) -> impl Iterator<Item = (Change, Standing, bool, Standing, &str)> {
        table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
            let mut cells = line.split('|').map(str::trim);
            let mut cell = || cells.next().expect("four cells a row");
            let change = Change::parse(cell()).expect("a kind of change");
            (change, state(cell()), cell() == "yes", state(cell()), line)
        })
    }

    #[test]
    fn outbound_changes_follow_appendix_a_2() {
        for (change, before, routed, after, line) in rows(SENT) {
            let sent = before.send(change);
            let standing = Standing { approved: false, ..sent.standing };
            assert_eq!((sent.route, standing), (routed, after), "{line}");
        }
    }

    #[test]
    fn inbound_changes_follow_appendix_a_3() {
        for (change, before, delivered, after, line) in rows(RECEIVED) {
            let received = before.receive(change);
            assert_eq!((received.deliver, received.standing), (delivered, after), "{line}");
        }
    }

    #[test]
    fn an_approval_in_advance_answers_the_request_that_follows() {
        let approved = Standing::default().send(Change::Subscribed);
        assert!(!approved.route && approved.standing.approved);
        let received = approved.standing.receive(Change::Subscribe);
        assert!(received.approve && !received.deliver && received.standing.from);
        assert!(!received.standing.approved);
    }

    #[test]
    fn a_second_request_of_a_subscriber_is_approved_silently() {
        let received = state("From").receive(Change::Subscribe);
        assert!(received.approve && !received.deliver);
    }
}
