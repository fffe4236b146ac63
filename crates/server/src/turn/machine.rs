//! One client of the relay, without its sockets: what comes in, and what is to be done about it.
//!
//! `turn-server-proto` speaks STUN and TURN (RFC 8489, RFC 8656). Around it stands what an operator
//! decides: whose passwords are good, how much one account may have, and where nothing is ever sent.
//!
//! A machine belongs to one client at one address, so what one client can fill is bounded by this
//! file, and what breaks in it breaks for that client alone. To the crate every client looks as if it
//! came over UDP: a whole frame at a time. Connections are taken apart in [`super::frames`].

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use turn_server_proto::{
    api::{SocketAllocateError, Transmit, TurnServerApi as _, TurnServerPollRet},
    server::TurnServer,
    stun::Instant as Moment,
    types::{
        AddressFamily, TransportType,
        attribute::XorPeerAddress,
        message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION},
        prelude::DelayedTransmitBuild as _,
        stun::{
            attribute::{ErrorCode, Fingerprint, Software, Userhash, Username, XorMappedAddress},
            message::{
                BINDING, IntegrityAlgorithm, LongTermCredentials, LongTermKeyCredentials, Message,
                MessageClass, MessageWriteVec, TransactionId,
            },
            prelude::{
                Attribute as _, AttributeFromRaw as _, AttributeStaticType as _, MessageWrite as _,
                MessageWriteExt as _,
            },
        },
    },
};
use zeroize::Zeroizing;

/// What the operator decides, and what other clients have taken.
pub trait Rules {
    /// The password that belongs to a name now; nothing when the name is not one of ours or has
    /// ended.
    fn password(&self, name: &str) -> Option<Zeroizing<String>>;
    /// The name behind a hash of it, which clients that hide their name send (RFC 8489 §14.4).
    fn name_of(&self, hash: &[u8; 32]) -> Option<String>;
    /// Whether the account behind a name may have one more allocation.
    fn may_allocate(&self, name: &str) -> bool;
    /// Whether clients may ask for packets to and from an address.
    fn may_reach(&self, peer: IpAddr) -> bool;
    /// Whether a packet may go to this very place.
    fn may_send(&self, peer: SocketAddr) -> bool;
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// A frame for the client.
    ToClient(Vec<u8>),
    /// A packet for a peer.
    ToPeer {
        /// The relay's address that it comes from.
        relay: SocketAddr,
        /// Where it goes.
        peer: SocketAddr,
        /// What it is.
        data: Vec<u8>,
    },
    /// A relay's address is wanted: answered by [`Machine::allocated`].
    Allocate(Family),
    /// A relay's address is not needed any more.
    Release(SocketAddr),
}

/// The kind of address that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Why there is no relay's address for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRelay {
    /// The relay has no address of that kind.
    Family,
    /// Everything is taken.
    Full,
}

/// One client.
pub struct Machine {
    server: TurnServer,
    /// Where the client is, as it learns it itself.
    client: SocketAddr,
    realm: String,
    began: Instant,
    user: Option<LongTermCredentials>,
    relays: Vec<SocketAddr>,
    /// Whom the client may talk to, and until when; so that their number is bounded.
    peers: BTreeMap<IpAddr, Instant>,
    /// The last answer. A client that has not got it asks again with the same transaction id
    /// (RFC 8489 §6.3.1).
    answered: Option<(TransactionId, Vec<u8>)>,
    actions: Vec<Action>,
}

impl Machine {
    /// A client that was not seen before. `realm` is the domain of the server.
    #[must_use]
    pub fn new(realm: &str, client: SocketAddr, now: Instant) -> Self {
        Self {
            server: TurnServer::new(TransportType::Udp, HERE, realm.to_owned()),
            client,
            realm: realm.to_owned(),
            began: now,
            user: None,
            relays: Vec::new(),
            peers: BTreeMap::new(),
            answered: None,
            actions: Vec::new(),
        }
    }

    /// The name that the client has proven to know the password of.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_ref().map(LongTermCredentials::username)
    }

    /// Whether the client has an address at the relay.
    #[must_use]
    pub fn is_relaying(&self) -> bool {
        !self.relays.is_empty()
    }

    /// A frame from the client: a STUN message, or data for a channel.
    pub fn from_client(&mut self, frame: &[u8], rules: &dyn Rules, now: Instant) -> Vec<Action> {
        if let Ok(message) = Message::from_bytes(frame)
            && message.has_class(MessageClass::Request)
        {
            let id = message.transaction_id();
            match &self.answered {
                Some((last, answer)) if *last == id => {
                    return vec![Action::ToClient(answer.clone())];
                }
                _ => self.answered = None,
            }
            if let Some(refusal) = self.examine(&message, rules, now) {
                self.answer(id, refusal);
                return std::mem::take(&mut self.actions);
            }
            self.pass(frame, rules, now);
            self.remember(id);
        } else {
            self.pass(frame, rules, now);
        }
        std::mem::take(&mut self.actions)
    }

    /// A packet from a peer to one of the client's addresses at the relay.
    pub fn from_peer(
        &mut self,
        relay: SocketAddr,
        peer: SocketAddr,
        data: &[u8],
        now: Instant,
    ) -> Option<Vec<u8>> {
        let moment = self.moment(now);
        let transmit = Transmit::new(data, TransportType::Udp, peer, relay);
        let transmit = self.server.recv(transmit, moment)?;
        (transmit.to == self.client).then(|| transmit.data.build())
    }

    /// What became of [`Action::Allocate`].
    pub fn allocated(
        &mut self,
        family: Family,
        outcome: Result<SocketAddr, NoRelay>,
        now: Instant,
    ) -> Vec<Action> {
        let outcome = outcome.map_err(|reason| match reason {
            NoRelay::Family => SocketAllocateError::AddressFamilyNotSupported,
            NoRelay::Full => SocketAllocateError::InsufficientCapacity,
        });
        if let Ok(relay) = outcome {
            self.relays.push(relay);
        }
        let (udp, moment) = (TransportType::Udp, self.moment(now));
        let family = match family {
            Family::V4 => AddressFamily::IPV4,
            Family::V6 => AddressFamily::IPV6,
        };
        self.server.allocated_socket(udp, HERE, self.client, udp, family, outcome, moment);
        self.drain(now);
        if let Some(Action::ToClient(answer)) = self.actions.first()
            && let Ok(message) = Message::from_bytes(answer)
        {
            self.answered = Some((message.transaction_id(), answer.clone()));
        }
        std::mem::take(&mut self.actions)
    }

    /// Time has passed. Returns what ended by it and when to come again.
    pub fn tick(&mut self, now: Instant) -> (Vec<Action>, Duration) {
        self.peers.retain(|_, until| *until > now);
        let wait = self.drain(now);
        (std::mem::take(&mut self.actions), wait)
    }

    /// Lets the crate work, and keeps back what may not leave.
    fn pass(&mut self, frame: &[u8], rules: &dyn Rules, now: Instant) {
        let transmit = Transmit::new(frame, TransportType::Udp, self.client, HERE);
        let moment = self.moment(now);
        if let Some(transmit) = self.server.recv(transmit, moment) {
            if transmit.from == HERE || transmit.to == HERE {
                self.actions.push(Action::ToClient(transmit.data.build()));
            } else if rules.may_send(transmit.to) {
                let (relay, peer) = (transmit.from, transmit.to);
                self.actions.push(Action::ToPeer { relay, peer, data: transmit.data.build() });
            }
        }
        self.drain(now);
    }

    /// What stands in the way of a request. A client that is unknown so far is looked up here.
    fn examine(
        &mut self,
        message: &Message<'_>,
        rules: &dyn Rules,
        now: Instant,
    ) -> Option<Vec<u8>> {
        if message.method() == BINDING {
            return None;
        }
        self.recognise(message, rules);
        let user = self.user.clone()?;
        let algorithm = message.validate_integrity(&self.keyed(&user).into()).ok()?;
        let code = match message.method() {
            // What it proved once has ended since.
            _ if rules.password(user.username()).is_none() => ErrorCode::UNAUTHORIZED,
            ALLOCATE if !self.is_relaying() && !rules.may_allocate(user.username()) => {
                ErrorCode::ALLOCATION_QUOTA_REACHED
            }
            CREATE_PERMISSION | CHANNEL_BIND => self.refuse_peers(message, rules, now)?,
            _ => return None,
        };
        self.refusal(message, code, &user, algorithm)
    }

    /// Notes who the client is, once it has proven that it knows the password.
    fn recognise(&mut self, message: &Message<'_>, rules: &dyn Rules) {
        if self.user.is_some() {
            return;
        }
        let plain = message.attribute::<Username>().map(|name| name.username().to_owned());
        let hidden = || rules.name_of(message.attribute::<Userhash>().ok()?.hash());
        let Some(name) = plain.ok().or_else(hidden) else { return };
        let Some(password) = rules.password(&name) else { return };
        let user = LongTermCredentials::new(name.clone(), password.to_string());
        if message.validate_integrity(&self.keyed(&user).into()).is_err() {
            return;
        }
        self.server.add_user(name, password.to_string());
        self.user = Some(user);
    }

    /// Which error a request for peers deserves; it is noted whom it is for when none.
    fn refuse_peers(
        &mut self,
        message: &Message<'_>,
        rules: &dyn Rules,
        now: Instant,
    ) -> Option<u16> {
        let is_channel = message.method() == CHANNEL_BIND;
        let id = message.transaction_id();
        let peers: Vec<SocketAddr> = message
            .iter_attributes()
            .filter(|(_, attribute)| attribute.get_type() == XorPeerAddress::TYPE)
            .filter_map(|(_, attribute)| XorPeerAddress::from_raw(attribute).ok())
            .map(|address| address.addr(id))
            .collect();
        let is_forbidden = |peer: &SocketAddr| {
            !rules.may_reach(peer.ip()) || (is_channel && !rules.may_send(*peer))
        };
        if peers.iter().any(is_forbidden) {
            return Some(ErrorCode::FORBIDDEN);
        }
        self.peers.retain(|_, until| *until > now);
        let fresh = peers.iter().filter(|peer| !self.peers.contains_key(&peer.ip())).count();
        if self.peers.len() + fresh > MOST_PEERS {
            return Some(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        self.peers.extend(peers.iter().map(|peer| (peer.ip(), now + PEER)));
        None
    }

    /// An error in the form of an answer, signed as the request was.
    fn refusal(
        &self,
        message: &Message<'_>,
        code: u16,
        user: &LongTermCredentials,
        algorithm: IntegrityAlgorithm,
    ) -> Option<Vec<u8>> {
        let error = ErrorCode::builder(code).build().ok()?;
        let mut answer = Message::builder_error(message, MessageWriteVec::with_capacity(96));
        answer.add_attribute(&error).ok()?;
        answer.add_message_integrity(&self.keyed(user).into(), algorithm).ok()?;
        Some(answer.finish())
    }

    fn keyed(&self, user: &LongTermCredentials) -> LongTermKeyCredentials {
        user.clone().to_key(self.realm.clone())
    }

    fn answer(&mut self, id: TransactionId, answer: Vec<u8>) {
        self.answered = Some((id, answer.clone()));
        self.actions.push(Action::ToClient(answer));
    }

    /// Keeps the answer to a request in case it gets lost.
    fn remember(&mut self, id: TransactionId) {
        let answer = self.actions.iter().find_map(|action| match action {
            Action::ToClient(answer) => Some(answer),
            _ => None,
        });
        if let Some(answer) = answer {
            self.answered = Some((id, answer.clone()));
        }
    }

    /// Everything the crate wants done. Returns how long it can wait.
    fn drain(&mut self, now: Instant) -> Duration {
        let moment = self.moment(now);
        while let Some(transmit) = self.server.poll_transmit(moment) {
            self.actions.push(Action::ToClient(transmit.data));
        }
        // It answers once for each socket that it opens or closes, of which there are two at most.
        for _ in 0..MOST_STEPS {
            match self.server.poll(moment) {
                TurnServerPollRet::WaitUntil(until) => {
                    return until.saturating_duration_since(moment);
                }
                TurnServerPollRet::AllocateSocket { family, .. } => {
                    let family = match family {
                        AddressFamily::IPV4 => Family::V4,
                        AddressFamily::IPV6 => Family::V6,
                    };
                    self.actions.push(Action::Allocate(family));
                }
                TurnServerPollRet::SocketClose { listen_addr, .. } => {
                    self.relays.retain(|relay| *relay != listen_addr);
                    self.actions.push(Action::Release(listen_addr));
                }
                // Connections to peers (RFC 6062) are for clients that come over TCP, and none does
                // as far as the crate knows.
                TurnServerPollRet::TcpConnect { .. } | TurnServerPollRet::TcpClose { .. } => {}
            }
        }
        Duration::ZERO
    }

    /// The crate counts from when the client appeared.
    fn moment(&self, now: Instant) -> Moment {
        Moment::ZERO + now.saturating_duration_since(self.began)
    }
}

/// What a client that hides its name sends in its place.
#[must_use]
pub fn hash(name: &str, realm: &str) -> [u8; 32] {
    Userhash::compute(name, realm)
}

/// Whether a frame looks like a request: only those are looked at from strangers.
#[must_use]
pub fn is_request(frame: &[u8]) -> bool {
    Message::from_bytes(frame).is_ok_and(|message| message.has_class(MessageClass::Request))
}

/// The answer to the question how a client looks from here (RFC 8489 §12), which needs no machine.
#[must_use]
pub fn binding(frame: &[u8], client: SocketAddr) -> Option<Vec<u8>> {
    let message = Message::from_bytes(frame).ok()?;
    if !message.has_class(MessageClass::Request) || message.method() != BINDING {
        return None;
    }
    let known = [Fingerprint::TYPE, Software::TYPE];
    let room = MessageWriteVec::with_capacity(64);
    if let Some(refusal) = Message::check_attribute_types(&message, &known, &[], room) {
        return Some(refusal.finish());
    }
    let address = XorMappedAddress::new(client, message.transaction_id());
    let mut answer = Message::builder_success(&message, MessageWriteVec::with_capacity(64));
    answer.add_attribute(&address).ok()?;
    answer.add_fingerprint().ok()?;
    Some(answer.finish())
}

/// The server's own address as the crate knows it. It is compared and never used.
const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 3478);
/// Addresses that one client may exchange packets with at a time.
const MOST_PEERS: usize = 64;
/// How long the crate remembers such an address (RFC 8656 §9); a channel's lasts as long as the
/// longer of both.
const PEER: Duration = Duration::from_secs(600);
const MOST_STEPS: usize = 16;
