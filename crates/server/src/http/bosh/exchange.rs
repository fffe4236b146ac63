//! XEP-0124: requests that come in any order, answers that leave in the order of `rid`. No sockets
//! and no clock here.

use std::collections::{BTreeMap, VecDeque};

use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::sync::oneshot;

/// How many requests of a session may be open at a time (§ Overactivity), and how many answers are
/// kept for clients whose connection broke (§ Broken Connections).
pub const REQUESTS: u64 = 2;

/// What a client asked for with one request.
#[derive(Debug, Default)]
pub struct Asked {
    /// XML for the stream, without a wrapper.
    pub payload: Bytes,
    /// The client ends the session (§ Terminating the BOSH Session).
    pub terminate: bool,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// In good order, by either side.
    Closed,
    /// With a terminal binding condition.
    Condition(&'static str),
}

impl Ending {
    /// The request is not one that the session can deal with. Which it is not, is not told: that
    /// would help to guess.
    pub const UNEXPECTED: Ending = Ending::Condition("item-not-found");
    /// Too many requests at a time.
    pub const OVERACTIVE: Ending = Ending::Condition("policy-violation");
}

/// The two directions of one session.
#[derive(Debug)]
pub struct Exchange {
    /// The request whose turn is next.
    next: u64,
    hold: usize,
    /// Attributes of the first answer.
    greeting: Option<String>,
    /// Requests that came before their turn.
    early: BTreeMap<u64, (Asked, oneshot::Sender<Bytes>)>,
    /// Requests that wait for an answer, the oldest first.
    held: VecDeque<(u64, oneshot::Sender<Bytes>)>,
    /// The last answers, for who did not get them.
    answered: VecDeque<(u64, Bytes)>,
    /// Elements for the client.
    out: BytesMut,
    end: Option<Ending>,
    told: bool,
}

impl Exchange {
    /// A session whose first request is `rid`; the first answer has the attributes `greeting`.
    #[must_use]
    pub fn new(rid: u64, hold: usize, greeting: String) -> Self {
        Self {
            next: rid,
            hold,
            greeting: Some(greeting),
            early: BTreeMap::new(),
            held: VecDeque::new(),
            answered: VecDeque::new(),
            out: BytesMut::new(),
            end: None,
            told: false,
        }
    }

    /// Takes a request. What it and those that waited for it say is handed to `feed` in order; the
    /// answer goes through the returned channel.
    pub fn take(
        &mut self,
        rid: u64,
        asked: Asked,
        mut feed: impl FnMut(Asked),
    ) -> oneshot::Receiver<Bytes> {
        let (reply, answer) = oneshot::channel();
        if rid < self.next {
            self.repeated(rid, reply);
        } else if rid >= self.next + REQUESTS {
            self.refuse(reply, Ending::UNEXPECTED);
        } else {
            self.early.insert(rid, (asked, reply));
            while let Some((asked, reply)) = self.early.remove(&self.next) {
                let last = asked.terminate;
                self.held.push_back((self.next, reply));
                self.next += 1;
                // After the end nobody listens.
                if self.end.is_none() {
                    feed(asked);
                }
                // One more is allowed, to end the session.
                if self.held.len() as u64 > REQUESTS + u64::from(last) {
                    self.end(Ending::OVERACTIVE);
                }
            }
        }
        answer
    }

    /// A request that was seen before: its client did not get the answer, or no longer waits for it
    /// over the connection of the first.
    fn repeated(&mut self, rid: u64, reply: oneshot::Sender<Bytes>) {
        if let Some((_, first)) = self.held.iter_mut().find(|(held, _)| *held == rid) {
            let first = std::mem::replace(first, reply);
            // § Recoverable Binding Conditions. Whoever still listens there may ask again.
            let _ = first.send(body(" type='error'", b""));
            return;
        }
        match self.answered.iter().find(|(answered, _)| *answered == rid) {
            // A client that left again may come back a third time.
            Some((_, answer)) => drop(reply.send(answer.clone())),
            None => self.refuse(reply, Ending::UNEXPECTED),
        }
    }

    fn refuse(&mut self, reply: oneshot::Sender<Bytes>, ending: Ending) {
        self.end(ending);
        let _ = reply.send(terminated(ending, b""));
    }

    /// An element for the client; it leaves with the next [`Exchange::settle`].
    pub fn put(&mut self, element: &[u8]) {
        self.out.put_slice(element);
    }

    /// Bytes that wait for a request to answer.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.out.len()
    }

    /// The session is over. What waits for the client still goes out.
    pub fn end(&mut self, ending: Ending) {
        self.end.get_or_insert(ending);
    }

    /// Whether it is over.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether it is over and the client has been told.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.told
    }

    /// Whether somebody waits for an answer who is still there.
    #[must_use]
    pub fn is_attended(&self) -> bool {
        let early = self.early.values().map(|(_, reply)| reply);
        self.held.iter().map(|(_, reply)| reply).chain(early).any(|reply| !reply.is_closed())
    }

    /// Answers who need not wait any longer: one when there is something to say, and those that are
    /// more than the client wants held, once what they said has been `read`.
    pub fn settle(&mut self, read: bool) {
        if (!self.out.is_empty() || self.end.is_some()) && !self.told {
            self.answer_oldest();
        }
        while !self.held.is_empty()
            && (self.told || (read && self.greeting.is_none() && self.held.len() > self.hold))
        {
            self.answer_oldest();
        }
    }

    /// Request `rid` has waited long enough, and with it all before it.
    pub fn expire(&mut self, rid: u64) {
        while self.held.front().is_some_and(|(held, _)| *held <= rid) {
            self.answer_oldest();
        }
        // It came before its turn, which never came.
        if self.early.contains_key(&rid) {
            self.end(Ending::UNEXPECTED);
            if let Some((_, reply)) = self.early.remove(&rid) {
                self.refuse(reply, Ending::UNEXPECTED);
            }
        }
    }

    fn answer_oldest(&mut self) {
        let Some((rid, reply)) = self.held.pop_front() else { return };
        let content = self.out.split();
        let answer = match self.end.filter(|_| !self.told) {
            Some(ending) => {
                self.told = true;
                terminated(ending, &content)
            }
            None => body(&self.greeting.take().unwrap_or_default(), &content),
        };
        self.answered.push_back((rid, answer.clone()));
        if self.answered.len() as u64 > REQUESTS {
            self.answered.pop_front();
        }
        // Who is gone asks again, with the same number.
        let _ = reply.send(answer);
    }
}

/// The answer of a session that has ended, or of one that there is not.
#[must_use]
pub fn terminated(ending: Ending, content: &[u8]) -> Bytes {
    match ending {
        Ending::Closed => body(" type='terminate'", content),
        Ending::Condition(condition) => {
            body(&format!(" type='terminate' condition='{condition}'"), content)
        }
    }
}

/// The wrapper with attributes, each with a space before it.
fn body(attributes: &str, content: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(128 + attributes.len() + content.len());
    bytes.put_slice(b"<body xmlns='http://jabber.org/protocol/httpbind'");
    if !content.is_empty() {
        bytes.put_slice(b" xmlns:stream='http://etherx.jabber.org/streams'");
    }
    bytes.put_slice(attributes.as_bytes());
    if content.is_empty() {
        bytes.put_slice(b"/>");
    } else {
        bytes.put_slice(b">");
        bytes.put_slice(content);
        bytes.put_slice(b"</body>");
    }
    bytes.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &'static str) -> Asked {
        Asked { payload: Bytes::from_static(text.as_bytes()), terminate: false }
    }

    /// What arrived, in order.
    #[derive(Default)]
    struct Heard(String);

    impl Heard {
        fn ask(
            &mut self,
            exchange: &mut Exchange,
            rid: u64,
            text: &'static str,
        ) -> oneshot::Receiver<Bytes> {
            let heard = &mut self.0;
            exchange.take(rid, asked(text), |asked| {
                heard.push_str(std::str::from_utf8(&asked.payload).unwrap());
            })
        }
    }

    fn got(answer: &mut oneshot::Receiver<Bytes>) -> Option<String> {
        answer.try_recv().ok().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn greeted() -> (Exchange, Heard) {
        let (mut exchange, mut heard) =
            (Exchange::new(10, 1, " sid='s'".to_owned()), Heard::default());
        let mut first = heard.ask(&mut exchange, 10, "");
        exchange.settle(true);
        assert!(got(&mut first).is_none(), "the greeting waits for the features");
        exchange.put(b"<features/>");
        exchange.settle(true);
        assert!(got(&mut first).unwrap().contains(" sid='s'><features/></body>"));
        (exchange, heard)
    }

    #[test]
    fn a_request_waits_until_there_is_something_to_say_or_another_comes() {
        let (mut exchange, mut heard) = greeted();
        let mut first = heard.ask(&mut exchange, 11, "<a/>");
        exchange.settle(true);
        assert!(got(&mut first).is_none());
        let mut second = heard.ask(&mut exchange, 12, "<b/>");
        exchange.settle(false);
        assert!(got(&mut first).is_none(), "nobody sends faster than the stream is read");
        exchange.settle(true);
        assert_eq!(got(&mut first).unwrap(), "<body xmlns='http://jabber.org/protocol/httpbind'/>");
        exchange.put(b"<c/>");
        exchange.settle(true);
        assert!(got(&mut second).unwrap().ends_with("><c/></body>"));
        assert_eq!(heard.0, "<a/><b/>");
    }

    #[test]
    fn requests_are_heard_in_the_order_of_their_numbers() {
        let (mut exchange, mut heard) = greeted();
        let _later = heard.ask(&mut exchange, 12, "<b/>");
        assert_eq!(heard.0, "");
        let _sooner = heard.ask(&mut exchange, 11, "<a/>");
        assert_eq!(heard.0, "<a/><b/>");
    }

    #[test]
    fn an_answer_that_was_lost_is_given_again_and_nothing_is_heard_twice() {
        let (mut exchange, mut heard) = greeted();
        drop(heard.ask(&mut exchange, 11, "<a/>"));
        assert!(!exchange.is_attended());
        exchange.put(b"<b/>");
        exchange.settle(true);
        let mut again = heard.ask(&mut exchange, 11, "<a/>");
        assert!(got(&mut again).unwrap().contains("<b/>"));
        assert_eq!(heard.0, "<a/>");
        // One that still waits moves to the new connection.
        let mut first = heard.ask(&mut exchange, 12, "");
        let mut second = heard.ask(&mut exchange, 12, "");
        assert!(got(&mut first).unwrap().contains("type='error'"));
        exchange.put(b"<c/>");
        exchange.settle(true);
        assert!(got(&mut second).unwrap().contains("<c/>"));
    }

    #[test]
    fn numbers_outside_the_window_end_the_session() {
        for rid in [1, 9, 13, u64::MAX - 1] {
            let (mut exchange, mut heard) = greeted();
            let mut answer = heard.ask(&mut exchange, rid, "<a/>");
            assert!(got(&mut answer).unwrap().contains("condition='item-not-found'"), "{rid}");
            assert!(exchange.has_ended() && heard.0.is_empty());
        }
    }

    #[test]
    fn too_many_at_a_time_end_the_session() {
        let (mut exchange, mut heard) = greeted();
        let mut answers: Vec<_> =
            (11..=13).map(|rid| heard.ask(&mut exchange, rid, "<a/>")).collect();
        exchange.settle(false);
        assert!(got(&mut answers[0]).unwrap().contains("condition='policy-violation'"));
        assert!(got(&mut answers[2]).unwrap().ends_with("httpbind'/>"));
        assert!(exchange.is_over());
    }

    #[test]
    fn the_end_is_told_once_with_what_was_left_to_say() {
        let (mut exchange, mut heard) = greeted();
        exchange.put(b"<bye/>");
        exchange.end(Ending::Closed);
        exchange.settle(true);
        assert!(!exchange.is_over(), "nobody asked yet");
        let mut answer = heard.ask(&mut exchange, 11, "<a/>");
        exchange.settle(true);
        let answer = got(&mut answer).unwrap();
        assert!(answer.contains(" type='terminate'><bye/></body>"), "{answer}");
        assert!(exchange.is_over() && heard.0.is_empty());
    }

    #[test]
    fn who_has_waited_long_enough_is_answered_with_all_before() {
        let (mut exchange, mut heard) = greeted();
        let mut first = heard.ask(&mut exchange, 11, "");
        let mut second = heard.ask(&mut exchange, 12, "");
        exchange.expire(12);
        assert!(got(&mut first).unwrap().ends_with("httpbind'/>"));
        assert!(got(&mut second).unwrap().ends_with("httpbind'/>"));
        // Its turn never came.
        let mut early = heard.ask(&mut exchange, 14, "");
        exchange.expire(14);
        assert!(got(&mut early).unwrap().contains("item-not-found"));
    }
}
