//! One client on stage: its connection, and what it received and has not been asked about yet.

use std::collections::VecDeque;
use std::io;

use super::caps::Caps;
use super::script::Role;
use super::{component, foreign};
use crate::client::session::FRAMING;
use crate::client::{Connection, Identity, Incoming};
use crate::tree::{STREAMS, Tree};

pub(super) const SM: &str = "urn:xmpp:sm:3";

/// A client on stage.
pub(super) struct Actor {
    pub(super) role: Role,
    /// User name, unique to this run of the play.
    pub(super) user: String,
    pub(super) password: String,
    pub(super) connection: Option<Connection>,
    /// The certificate that another server shows.
    pub(super) identity: Option<Identity>,
    /// True if the tested server opened the connection.
    pub(super) accepted: bool,
    /// True from binding or resuming to the end of the connection.
    pub(super) bound: bool,
    /// True if something was sent that the server may not have dealt with yet.
    pub(super) unsettled: bool,
    /// True after raw bytes, which may be half a stanza: nothing can be asked then.
    pub(super) mid_stanza: bool,
    /// True from the client's stream header until TLS or a login makes a new one necessary.
    pub(super) stream_open: bool,
    /// The features the server announced last.
    pub(super) features: Option<Tree>,
    pub(super) declared: bool,
    /// The id in the last stream header of the server.
    pub(super) stream_id: Option<String>,
    /// `</stream:stream>` or `<close/>` came.
    pub(super) closed: bool,
    /// The connection ended, and why.
    pub(super) ended: Option<String>,
    queues: [VecDeque<Tree>; 4],
    pub(super) sm: StreamManagement,
    pub(super) caps: Option<Caps>,
}

/// XEP-0198 as the client sees it.
#[derive(Default)]
pub(super) struct StreamManagement {
    pub(super) active: bool,
    pub(super) id: Option<String>,
    /// Stanzas received since `<enabled/>`.
    pub(super) handled: u32,
    /// `<r/>` is left unanswered.
    pub(super) silent: bool,
}

/// Kinds of elements that wait in separate queues, because plays mostly look at one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Messages, IQs and everything not below.
    Stanza = 0,
    Presence = 1,
    /// `<r/>` and `<a/>` of stream management.
    Ack = 2,
    /// Stream headers and features.
    Stream = 3,
}

impl Class {
    pub(super) fn of(name: &str, ns: &str) -> Self {
        match (name, ns) {
            ("presence", "jabber:client") => Class::Presence,
            ("r" | "a", SM) => Class::Ack,
            ("stream" | "features", STREAMS) | ("open", FRAMING) => Class::Stream,
            _ => Class::Stanza,
        }
    }
}

/// RFC 6121 §4.3.2 lets servers answer the probe of an offline contact with `unavailable` from its bare
/// address. It says nothing new and not all do it, so plays are not told.
fn says_nobody_is_there(element: &Tree) -> bool {
    element.is("presence", "jabber:client")
        && element.attr("type") == Some("unavailable")
        && element.attr("from").is_some_and(|from| !from.contains('/'))
}

impl Actor {
    pub(super) fn new(role: Role, user: String, password: String) -> Self {
        Actor {
            role,
            user,
            password,
            connection: None,
            identity: None,
            accepted: false,
            bound: false,
            unsettled: false,
            mid_stanza: false,
            stream_open: false,
            features: None,
            declared: false,
            stream_id: None,
            closed: false,
            ended: None,
            queues: Default::default(),
            sm: StreamManagement::default(),
            caps: None,
        }
    }

    pub(super) fn queue(&mut self, class: Class) -> &mut VecDeque<Tree> {
        &mut self.queues[class as usize]
    }

    /// Forgets everything about an earlier connection but what is needed to resume its stream.
    pub(super) fn take_new(&mut self, connection: Connection) {
        self.connection = Some(connection);
        self.accepted = false;
        self.bound = false;
        self.unsettled = false;
        self.mid_stanza = false;
        self.stream_open = false;
        self.features = None;
        self.declared = false;
        self.stream_id = None;
        self.closed = false;
        self.ended = None;
        self.sm.active = false;
        for queue in &mut self.queues {
            queue.clear();
        }
    }

    pub(super) fn leave(&mut self) -> Option<Connection> {
        self.bound = false;
        self.unsettled = false;
        self.mid_stanza = false;
        self.stream_open = false;
        self.features = None;
        self.sm.active = false;
        self.connection.take()
    }

    /// True if the client can ask the server something.
    pub(super) fn is_online(&self) -> bool {
        let connected = self.connection.is_some() && self.ended.is_none() && !self.closed;
        self.bound && connected && !self.mid_stanza
    }

    /// Sorts what arrived into the queues and returns what has to be answered at once.
    pub(super) fn sort_incoming(&mut self) -> Vec<(Incoming, Option<String>)> {
        let Some(connection) = &mut self.connection else { return Vec::new() };
        let arrived: Vec<_> = connection.pending().drain(..).collect();
        let mut seen = Vec::new();
        for incoming in arrived {
            let incoming = match (&self.role.server, &self.role.component) {
                (Some(_), _) => foreign::understood(incoming, foreign::SERVER),
                (_, Some(_)) => foreign::understood(incoming, component::NAMESPACE),
                _ => incoming,
            };
            let answer = self.sort(&incoming);
            seen.push((incoming, answer));
        }
        seen
    }

    fn sort(&mut self, incoming: &Incoming) -> Option<String> {
        match incoming {
            Incoming::Declaration => self.declared = true,
            Incoming::Header(header) => {
                self.stream_id = Some(header.attr("id").unwrap_or_default().to_owned());
                self.queue(Class::Stream).push_back(header.clone());
            }
            Incoming::Element(element) if element.is("close", FRAMING) => self.closed = true,
            Incoming::Close => self.closed = true,
            Incoming::End(why) => self.ended = Some(why.clone()),
            Incoming::Element(element) => return self.sort_element(element),
        }
        None
    }

    fn sort_element(&mut self, element: &Tree) -> Option<String> {
        if element.ns == "jabber:client" && self.sm.active {
            self.sm.handled = self.sm.handled.wrapping_add(1);
        }
        if let Some(server) = self.role.server.as_ref().filter(|it| foreign::asks(element, it)) {
            let answers = server.both_ways && !self.sm.silent;
            return answers.then(|| foreign::answer(element));
        }
        if let Some(answer) = self.caps.as_ref().and_then(|caps| caps.answer(element)) {
            return Some(answer);
        }
        if says_nobody_is_there(element) {
            return None;
        }
        self.queue(Class::of(&element.name, &element.ns)).push_back(element.clone());
        match element.name.as_str() {
            "features" if element.ns == STREAMS => self.features = Some(element.clone()),
            "enabled" if element.ns == SM => {
                self.sm.active = true;
                self.sm.handled = 0;
                self.sm.id = element.attr("id").map(str::to_owned);
            }
            "resumed" if element.ns == SM => {
                self.sm.active = true;
                self.bound = true;
            }
            "r" if element.ns == SM && !self.sm.silent => return Some(self.acknowledgement()),
            _ => {}
        }
        None
    }

    /// Takes note of the stream management that came along with a SASL2 login.
    pub(super) fn start_inline(&mut self, success: &Tree) {
        if success.child("resumed", SM).is_some() {
            self.sm.active = true;
        }
        let bound = success.child("bound", "urn:xmpp:bind:0");
        if let Some(enabled) = bound.and_then(|bound| bound.child("enabled", SM)) {
            self.sm.active = true;
            self.sm.handled = 0;
            self.sm.id = enabled.attr("id").map(str::to_owned);
        }
    }

    /// `<a/>` for everything received so far.
    pub(super) fn acknowledgement(&self) -> String {
        format!("<a xmlns='{SM}' h='{}'/>", self.sm.handled)
    }

    /// Writes to the connection.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let connection = self.connection.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        connection.write(bytes).await
    }
}
