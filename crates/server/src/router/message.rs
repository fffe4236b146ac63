//! Messages: from a session through the sender's stages, the recipient's stages, to the store and
//! the mailboxes.

use std::sync::Arc;

use store::{
    StoreError,
    archive::{Ticket, Unit},
};
use xmpp::{
    edit::Edit,
    error::{Condition, StanzaError},
    jid::Jid,
    stanza::{Kind, Stanza},
};

use super::{
    effects::{Effects, Outgoing},
    facts::{Facts, MessageType},
    pipeline::{Direction, Flow, Letter, Pass},
    resolve::{Target, resolve},
    stored,
};
use crate::{
    account::Account,
    ext::{archive, block_lists, muc, privilege, pubsub, strangers},
    push,
    s2s::{
        Durable, Unsent,
        incoming::{self, Source},
        outbox, policy,
    },
    server::Server,
    session::Session,
};

/// Routes a message that a client sent. `tag` is its number in the session: the session is told
/// when everything the message caused is on disk, and may acknowledge it then (XEP-0198).
pub async fn route(server: &Arc<Server>, session: &Arc<Session>, message: &Stanza, tag: u64) {
    let to = match recipient(session, message) {
        Ok(to) => to,
        Err(error) => return refuse(session, message, &error, tag),
    };
    let target = match resolve(server, &to).await {
        Ok(target) => target,
        Err(error) => {
            server.store_failed("resolve", &error);
            return refuse(
                session,
                message,
                &StanzaError::new(Condition::InternalServerError),
                tag,
            );
        }
    };
    let facts = Facts::read(message);
    let letter = Letter {
        server,
        message,
        facts: &facts,
        from: session.full(),
        sender: session.account.jid(),
        to: &to,
        session: Some(session),
        now: server.now(),
    };
    let mut effects = Effects::default();
    if let Target::Rooms = target {
        return to_room(letter, session, effects, tag).await;
    }
    let outcome = match pass_out(letter, &session.account, &mut effects) {
        Flow::Continue => pass_in(letter, &target, &mut effects),
        end => end,
    };
    finish(server, &Sender::Session(session), message, outcome, effects, tag);
}

/// Who sent a message, as far as it must hear of its end.
enum Sender<'a> {
    /// A session of this server.
    Session(&'a Arc<Session>),
    /// A stream of another server.
    Elsewhere(Source<'a>),
}

impl Sender<'_> {
    fn bounce(&self, server: &Server, message: &Stanza, error: &StanzaError) {
        match self {
            Sender::Session(session) => {
                bounce(session, message, error);
                // It did not arrive: when its sender tries again, that is the first time.
                archive::forget(server, session, message);
            }
            Sender::Elsewhere(source) => incoming::refuse(server, source.pair, message, error),
        }
    }

    /// The message is refused, and nothing of it is stored.
    fn reject(&self, server: &Server, message: &Stanza, error: &StanzaError, tag: u64) {
        match self {
            Sender::Session(session) => {
                self.bounce(server, message, error);
                session.settle(tag);
            }
            Sender::Elsewhere(source) => incoming::reject(server, *source, message, error, tag),
        }
    }

    fn settle(&self, tag: u64) {
        match self {
            Sender::Session(session) => session.settle(tag),
            Sender::Elsewhere(source) => source.inbound.settle(tag),
        }
    }

    fn expect(&self, tag: u64, message: &Stanza) {
        match self {
            Sender::Session(session) => session.expect(tag, message),
            Sender::Elsewhere(source) => source.inbound.expect(tag, message),
        }
    }

    fn ticket(&self) -> Arc<dyn Ticket> {
        match self {
            Sender::Session(session) => Arc::clone(session) as Arc<dyn Ticket>,
            Sender::Elsewhere(source) => Arc::clone(source.inbound) as Arc<dyn Ticket>,
        }
    }
}

/// To a room: the sender's stages, as for any message, then the room. A line for everybody is in the
/// archive of the room; one for a single occupant in that of the sender.
async fn to_room(letter: Letter<'_>, session: &Arc<Session>, mut effects: Effects, tag: u64) {
    let Letter { server, message, to, .. } = letter;
    match pass_out(letter, &session.account, &mut effects) {
        Flow::Continue => {}
        end => {
            let sender = Sender::Session(session);
            return finish(server, &sender, message, end, effects, tag);
        }
    }
    let from = session.jid.clone().into();
    let mut sender =
        muc::service::Sender { session: Some(session), ..muc::service::Sender::new(&from) };
    if effects.appends.is_empty() {
        sender.ticket = Some((session.clone(), tag));
        return Box::pin(muc::service::receive(server, sender, to, message)).await;
    }
    Box::pin(muc::service::receive(server, sender, to, message)).await;
    finish(server, &Sender::Session(session), message, Flow::Done, effects, tag);
}

/// Sends a message of a room on to somebody, through the recipient's stages as that of a stranger.
/// Its `from` is the room's.
///
/// # Errors
/// What whoever caused it should be told, when it was not taken: there is nobody of that name, they do not
/// want it, or too much waits for their server.
pub async fn send_on(server: &Arc<Server>, to: &Jid, message: &Stanza) -> Result<(), StanzaError> {
    pass_on(server, to, message, None).await
}

/// The same, and waits until the message is on disk, if it is one that is kept.
///
/// # Errors
/// As above, or when the disk does not take it.
pub async fn send_and_wait(
    server: &Arc<Server>,
    to: &Jid,
    message: &Stanza,
) -> Result<(), StanzaError> {
    let (ticket, stored) = stored::ticket();
    pass_on(server, to, message, Some((ticket, 0))).await?;
    stored.await.map_err(|error| server.store_failed("archive", &error))
}

async fn pass_on(
    server: &Arc<Server>,
    to: &Jid,
    message: &Stanza,
    ticket: Option<(Arc<dyn Ticket>, u64)>,
) -> Result<(), StanzaError> {
    let Some(from) = message.from().and_then(|from| Jid::new(&from).ok()) else { return Ok(()) };
    let target = match resolve(server, to).await {
        Ok(target @ Target::Account(_)) => target,
        Ok(Target::Remote) => {
            policy::permits(&server.config(), to.domain().as_str()).map_err(|no| no.error())?;
            let local = from.domain().as_str();
            let bytes = message.bytes().clone();
            let letter = Durable { local, to, kind: Kind::Message, bytes, account: None };
            let sent = server.s2s.send(server, letter, Unit::new(), ticket);
            return sent.map_err(|unsent| unsent.error(server, "outbox"));
        }
        // §7.8.2 of XEP-0045: an address that nobody has.
        Ok(_) => return Err(StanzaError::new(Condition::ItemNotFound)),
        Err(error) => return Err(server.store_failed("resolve", &error)),
    };
    let (facts, sender) = (Facts::read(message), from.to_bare());
    let letter = Letter {
        server,
        message,
        facts: &facts,
        from: from.as_str(),
        sender: &sender,
        to,
        session: None,
        now: server.now(),
    };
    let mut effects = Effects::default();
    let outcome = pass_in(letter, &target, &mut effects);
    if let Flow::Refuse(error) = outcome {
        effects.submitted();
        return Err(error);
    }
    let unit: Unit = std::mem::take(&mut effects.appends);
    let kept = match (unit.is_empty(), ticket) {
        (true, None) => Ok(()),
        (true, Some((ticket, tag))) => {
            ticket.settled(tag, Ok(()));
            Ok(())
        }
        (false, ticket) => server.store.archive.append(unit, ticket),
    };
    effects.submitted();
    kept.map_err(|busy| server.store_failed("archive", &busy.into()))
}

/// The sender's stages: archive and copies for their own other devices.
fn pass_out(letter: Letter<'_>, account: &Arc<Account>, effects: &mut Effects) -> Flow {
    let mut state = account.lock();
    let hooks = letter.server.registry.outbound();
    let mut pass = Pass::new(letter, Direction::Outbound, account, &mut state, effects);
    let flow = pass.run(hooks);
    effects.hand_over();
    flow
}

/// The recipient's stages.
fn pass_in(letter: Letter<'_>, target: &Target, effects: &mut Effects) -> Flow {
    match target {
        Target::Account(account) => {
            let mut state = account.lock();
            let hooks = letter.server.registry.inbound();
            let mut pass = Pass::new(letter, Direction::Inbound, account, &mut state, effects);
            let flow = pass.run(hooks);
            // Under the lock: what a device reads next comes after this, as in the archive.
            effects.hand_over();
            drop(state);
            for (registration, reason) in effects.wakes.drain(..) {
                letter.server.pushes.wake(&registration, reason, letter.server.steady());
            }
            if let Some(registration) = effects.withdrawn.take() {
                tokio::spawn(push::withdraw(letter.server.clone(), registration));
            }
            flow
        }
        Target::Nobody => Flow::Refuse(StanzaError::new(Condition::ServiceUnavailable)),
        // Server and services have no conversations; errors and chat states that reach it are noise.
        Target::Server | Target::Upload | Target::Bytestreams if letter.facts.body => {
            Flow::Refuse(StanzaError::new(Condition::ServiceUnavailable))
        }
        Target::Server | Target::Upload | Target::Bytestreams | Target::Rooms => Flow::Drop,
        Target::Pubsub(service) => pubsub::decided(letter, service),
        Target::Remote => send_out(letter, effects),
    }
}

/// To another domain: through its queue, if this server talks to it.
fn send_out(letter: Letter<'_>, effects: &mut Effects) -> Flow {
    let Letter { server, message, facts, from, to, .. } = letter;
    let domain = to.domain().as_str();
    let permitted = match letter.session {
        Some(session) => policy::lets_send(server, session.account.jid(), domain),
        None => policy::permits(&server.config(), domain).map_err(|no| no.error()),
    };
    if let Err(error) = permitted {
        return Flow::Refuse(error);
    }
    let bytes = Edit::new(message).from(from).finish();
    if !server.s2s.has_room(server.domain(), to, bytes.len()) {
        return Flow::Refuse(outbox::full());
    }
    effects.outgoing = Some(Outgoing { to: to.clone(), bytes, durable: !facts.passing(message) });
    Flow::Done
}

/// Takes a message of another server, through the recipient's stages.
pub async fn receive(
    server: &Arc<Server>,
    source: Source<'_>,
    message: &Stanza,
    (from, to): (&Jid, &Jid),
    tag: u64,
) {
    server.metrics.messages_received.increment();
    let sender = Sender::Elsewhere(source);
    let target = match resolve(server, to).await {
        Ok(target) => target,
        Err(error) => {
            let error = server.store_failed("resolve", &error);
            return sender.reject(server, message, &error, tag);
        }
    };
    if let Target::Rooms = target {
        sender.expect(tag, message);
        let ticket = Some((sender.ticket(), tag));
        let sender = muc::service::Sender { ticket, ..muc::service::Sender::new(from) };
        return Box::pin(muc::service::receive(server, sender, to, message)).await;
    }
    if matches!(target, Target::Server) && block_lists::notified(server, from, message) {
        return sender.settle(tag);
    }
    if let (Target::Server, Some(privileged)) = (&target, privilege::message(server, message, from))
    {
        return match privileged {
            Ok(sent) => on_behalf(server, sender, message, sent, tag).await,
            Err(error) => sender.reject(server, message, &error, tag),
        };
    }
    let (facts, bare) = (Facts::read(message), from.to_bare());
    let letter = Letter {
        server,
        message,
        facts: &facts,
        from: from.as_str(),
        sender: &bare,
        to,
        session: None,
        now: server.now(),
    };
    let admitted = Box::pin(strangers::admit(letter, &target)).await;
    let mut effects = Effects::default();
    let outcome = match (target, admitted) {
        // The stream is for this server; nothing passes through it.
        (Target::Remote, _) => Flow::Refuse(StanzaError::new(Condition::ItemNotFound)),
        (_, Err(error)) => Flow::Refuse(error),
        (target, Ok(())) => pass_in(letter, &target, &mut effects),
    };
    if let (Flow::Refuse(_), Target::Account(account)) = (&outcome, &target_of(server, to)) {
        archive::forget_received(server, account, message);
    }
    finish(server, &sender, message, outcome, effects, tag);
}

/// Sends the message of an account, or of the server, that a component was allowed to write
/// (XEP-0356 §5.3): through the account's stages, as if one of its devices had sent it. What goes
/// wrong is told to the component about `carrier`, which brought it.
async fn on_behalf(
    server: &Arc<Server>,
    component: Sender<'_>,
    carrier: &Stanza,
    (message, from, to): (Stanza, Jid, Jid),
    tag: u64,
) {
    let found = async {
        let account = match from.node() {
            Some(_) => server.account(&from).await?,
            None => None,
        };
        Ok((account, resolve(server, &to).await?))
    };
    let refused = match found.await {
        Err(error) => Some(server.store_failed("resolve", &error)),
        Ok((None, _)) if from.node().is_some() => Some(StanzaError::new(Condition::Forbidden)),
        Ok((account, target)) => {
            let (facts, bare) = (Facts::read(&message), from.to_bare());
            let letter = Letter {
                server,
                message: &message,
                facts: &facts,
                from: from.as_str(),
                sender: &bare,
                to: &to,
                session: None,
                now: server.now(),
            };
            let mut effects = Effects::default();
            let sent = match &account {
                Some(account) => pass_out(letter, account, &mut effects),
                None => Flow::Continue,
            };
            let outcome = match (sent, &target) {
                // Rooms know devices; an account as such is in none of them.
                (Flow::Continue, Target::Rooms) => {
                    Flow::Refuse(StanzaError::new(Condition::NotAcceptable))
                }
                (Flow::Continue, target) => pass_in(letter, target, &mut effects),
                (end, _) => end,
            };
            return finish(server, &component, carrier, outcome, effects, tag);
        }
    };
    match refused {
        Some(error) => component.reject(server, carrier, &error, tag),
        None => component.settle(tag),
    }
}

/// Stores what was recorded and tells the session how it ended.
fn finish(
    server: &Arc<Server>,
    sender: &Sender<'_>,
    message: &Stanza,
    outcome: Flow,
    mut effects: Effects,
    tag: u64,
) {
    if let Flow::Refuse(error) = &outcome {
        if effects.appends.is_empty() {
            return sender.reject(server, message, error, tag);
        }
        sender.bounce(server, message, error);
        effects.appends.iter_mut().for_each(|append| append.origin_hash = None);
    }
    // An empty unit is stored after everything before it: exactly what a repetition waits for.
    let outgoing = effects.outgoing.take();
    let durable = outgoing.as_ref().is_some_and(|outgoing| outgoing.durable);
    if let Some(Outgoing { to, bytes, durable: false }) = &outgoing {
        server.s2s.post(server, server.domain(), to, Kind::Message, bytes.clone());
    }
    if effects.appends.is_empty() && !durable && !matches!(outcome, Flow::Repeated) {
        return sender.settle(tag);
    }
    sender.expect(tag, message);
    let unit: Unit = std::mem::take(&mut effects.appends);
    server.metrics.archive_rows.add(unit.len() as u64);
    let ticket = sender.ticket();
    let submitted = match outgoing.filter(|outgoing| outgoing.durable) {
        Some(Outgoing { to, bytes, .. }) => {
            let account = match sender {
                Sender::Session(session) => Some(session.account.id),
                Sender::Elsewhere(_) => None,
            };
            let local = server.domain();
            let letter = Durable { local, to: &to, kind: Kind::Message, bytes, account };
            server.s2s.send(server, letter, unit, Some((ticket.clone(), tag)))
        }
        None => {
            let stored = server.store.archive.append(unit, Some((ticket.clone(), tag)));
            stored.map_err(Unsent::from)
        }
    };
    match submitted {
        Ok(()) => {}
        // There was room when it was looked for.
        Err(Unsent::Full) => {
            sender.bounce(server, message, &outbox::full());
            ticket.settled(tag, Ok(()));
        }
        Err(Unsent::Store(busy)) => {
            let error = StoreError::from(busy);
            server.store_failed("message", &error);
            ticket.settled(tag, Err(&error));
        }
    }
    effects.submitted();
}

/// The account behind an address, if it is in memory.
fn target_of(server: &Server, to: &Jid) -> Target {
    server.loaded(&to.to_bare()).map_or(Target::Nobody, Target::Account)
}

/// Sends a message back to its sender as an error, and counts it as handled.
fn refuse(session: &Arc<Session>, message: &Stanza, error: &StanzaError, tag: u64) {
    bounce(session, message, error);
    session.settle(tag);
}

/// Tells the sender why a message was not delivered (RFC 6120 §8.3.1).
///
/// Errors are never answered with errors.
pub fn bounce(session: &Arc<Session>, message: &Stanza, error: &StanzaError) {
    if MessageType::parse(message.type_().as_deref()) == MessageType::Error {
        return;
    }
    let to = message.to();
    let edit = Edit::new(message)
        .from(to.as_deref().unwrap_or(session.account.bare()))
        .to(session.full())
        .attr("type", Some("error"))
        // The sender knows what it sent; its id is enough to find it.
        .drop_if(|_| true)
        .append(error.element().to_bytes(xmpp::ns::CLIENT));
    session.deliver(crate::session::frame::Frame::message(edit.finish()));
}

fn recipient(session: &Arc<Session>, message: &Stanza) -> Result<Jid, StanzaError> {
    match message.to() {
        None => Ok(session.account.jid().clone().into()),
        Some(to) => Jid::new(&to).map_err(|_| StanzaError::new(Condition::JidMalformed)),
    }
}

#[cfg(test)]
mod tests {
    use xmpp::xml::Limits;

    use super::*;
    use crate::{
        model::Stage,
        session::{Origin, life},
    };

    #[test]
    fn what_the_store_does_not_take_was_not_sent_on() {
        let stage = Stage::new();
        let (server, juliet) = (&stage.server, stage.juliet());
        let xml = "<message from='hall@conference.a.example/nurse' to='juliet@a.example' type='chat'>\
                   <body>Ay me</body></message>";
        let message = Stanza::parse(xml.into(), &Limits::CLIENT).unwrap();
        let to = juliet.jid().clone().into();
        let send = || stage.run(Box::pin(send_on(server, &to, &message)));
        assert_eq!(send().map_err(|error| error.condition), Ok(()));
        stage.run(server.store.maintenance.close()).unwrap();
        let refused = send().map_err(|error| error.condition);
        assert_eq!(refused, Err(Condition::ResourceConstraint));
    }

    #[test]
    fn what_passes_does_not_wait_on_disk_for_another_server() {
        let stage = Stage::with("");
        let (server, juliet) = (&stage.server, stage.juliet());
        let bound = life::bind(server, &juliet, Some("balcony"), Origin::default());
        let session = stage.run(bound).unwrap();
        let stored = || {
            stage.run(async {
                server.store.archive.barrier().await.unwrap();
                let waiting = server.store.outbox.waiting().await.unwrap();
                waiting.iter().map(|waiting| waiting.count).sum::<u64>()
            })
        };
        let store = "<store xmlns='urn:xmpp:hints'/>";
        let composing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
        let (text, mut tag) = ("<body>Ay me</body>", 0);
        for (kind, inside, expected) in [
            ("chat", text.to_owned(), 1),
            ("chat", composing.to_owned(), 1),
            ("headline", text.to_owned(), 1),
            ("headline", format!("{text}{store}"), 2),
        ] {
            tag += 1;
            let xml =
                format!("<message to='romeo@b.example' type='{kind}' id='m'>{inside}</message>");
            let message = Stanza::parse(xml.clone().into(), &Limits::CLIENT).unwrap();
            stage.run(route(server, &session, &message, tag));
            assert_eq!(stored(), expected, "{xml}");
        }
        let remote = server.s2s.remote("a.example", "b.example");
        assert_eq!(remote.lock().queue.held().stanzas, 4, "all of them are sent");
    }
}
