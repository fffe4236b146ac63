//! Errors about messages of other servers. Each is on disk before its message is acknowledged: the server that
//! sent it has no more of it then, and its sender would hear nothing if this one ended.

use std::sync::Arc;

use bytes::Bytes;
use store::{
    StoreError,
    archive::{Ticket, Unit},
};
use xmpp::{jid::Jid, stanza::Kind};

use super::{Durable, policy};
use crate::server::Server;

/// Sends the error about a message to the server that it came from. `ticket` is told when it is on disk. While
/// the store takes nothing, or too much waits for that server, it is in memory alone.
pub fn send(
    server: &Server,
    local: &str,
    to: &Jid,
    error: Bytes,
    ticket: Option<(Arc<dyn Ticket>, u64)>,
) {
    let letter = Durable { local, to, kind: Kind::Message, bytes: error.clone(), account: None };
    let waits = ticket.clone().map(|(ticket, tag)| (told(ticket), tag));
    if policy::permits(&server.config(), to.domain().as_str()).is_ok()
        && server.s2s.send(server, letter, Unit::new(), waits).is_ok()
    {
        return;
    }
    server.s2s.post(server, local, to, Kind::Message, error);
    if let Some((ticket, tag)) = ticket {
        ticket.settled(tag, Ok(()));
    }
}

/// The same ticket, of somebody who hears already that something failed: should the disk refuse that as well,
/// there is no second error.
pub fn told(ticket: Arc<dyn Ticket>) -> Arc<dyn Ticket> {
    Arc::new(Told(ticket))
}

struct Told(Arc<dyn Ticket>);

impl Ticket for Told {
    fn settled(&self, tag: u64, _: Result<(), &StoreError>) {
        self.0.settled(tag, Ok(()));
    }
}

#[cfg(test)]
mod tests {
    use store::sqlite;
    use xmpp::{stanza::Stanza, stream::s2s::receiving::Pair, xml::Limits};

    use super::*;
    use crate::{
        ext::muc::{operator, service},
        model::Stage,
        router::message,
        s2s::{inbound::Inbound, incoming::Source},
    };

    /// Gives a message of `b.example` to the server, and waits until it is acknowledged. How many of those that
    /// could not be stored are to be told of.
    fn receive(stage: &Stage, from: &str, xml: &str) -> usize {
        let server = &stage.server;
        let message = Stanza::parse(xml.to_owned().into(), &Limits::CLIENT).unwrap();
        let (from, to) = (Jid::new(from).unwrap(), Jid::new(&message.to().unwrap()).unwrap());
        let pair = Pair { local: to.domain().as_str().into(), remote: "b.example".into() };
        let inbound = Inbound::new(pair.clone());
        inbound.enable();
        let tag = inbound.receive(0).unwrap();
        stage.run(async {
            let source = Source { pair: &pair, inbound: &inbound };
            Box::pin(message::receive(server, source, &message, (&from, &to), tag)).await;
            while inbound.handled() == 0 {
                // It fails where the disk does.
                let _ = server.store.archive.barrier().await;
            }
        });
        inbound.take_failed().len()
    }

    /// What is on disk for `b.example`.
    fn stored(stage: &Stage, local: &str) -> Vec<Stanza> {
        let loaded = stage.server.store.outbox.load(local.into(), "b.example".into(), 0, 100);
        let stored = stage.run(loaded).unwrap().into_iter();
        stored.map(|parcel| Stanza::parse(parcel.stanza, &Limits::TRUSTED).unwrap()).collect()
    }

    fn open_room(stage: &Stage) {
        let owner = Jid::new("hecate@b.example").unwrap().to_bare();
        let made = operator::create(&stage.server, "coven", &owner, true, None);
        stage.run(made).expect("no room of that name");
    }

    #[test]
    fn an_error_is_on_disk_before_what_it_is_about_is_acknowledged() {
        let stage = Stage::with("");
        open_room(&stage);
        let body = "<body>Double</body>";
        let typing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
        for (to, kind, inside, told) in [
            ("nobody@a.example", "chat", body, 1),
            ("nobody@a.example", "chat", typing, 0),
            ("coven@conference.a.example", "groupchat", body, 1),
            ("coven@conference.a.example", "groupchat", typing, 0),
            ("coven@conference.a.example/hag", "chat", body, 1),
            ("nowhere@conference.a.example", "groupchat", body, 1),
        ] {
            let local = to.split(['@', '/']).nth(1).unwrap();
            let before = stored(&stage, local).len();
            let xml = format!(
                "<message from='hag66@b.example/pda' to='{to}' type='{kind}' id='m'>{inside}</message>"
            );
            assert_eq!(receive(&stage, "hag66@b.example/pda", &xml), 0);
            let errors = stored(&stage, local).split_off(before);
            assert_eq!(errors.len(), told, "{xml} {errors:?}");
            for error in errors {
                assert_eq!(error.to().as_deref(), Some("hag66@b.example/pda"));
                assert_eq!(
                    (error.type_().as_deref(), error.id().as_deref()),
                    (Some("error"), Some("m"))
                );
            }
        }
    }

    #[test]
    fn a_private_message_is_acknowledged_when_it_is_on_disk() {
        let faults = Arc::new(sqlite::Faults::default());
        let options = sqlite::Options { faults: Some(faults.clone()), ..Default::default() };
        let stage = Stage::over("", options);
        open_room(&stage);
        let (hag, crone) = ("hag66@b.example/pda", "crone1@b.example/desktop");
        for (witch, nick) in [(hag, "thirdwitch"), (crone, "firstwitch")] {
            let from = Jid::new(witch).unwrap();
            let to = Jid::new(&format!("coven@conference.a.example/{nick}")).unwrap();
            let xml = "<presence><x xmlns='http://jabber.org/protocol/muc'/></presence>";
            let join = Stanza::parse(xml.into(), &Limits::CLIENT).unwrap();
            let sender = service::Sender::new(&from);
            stage.run(service::receive(&stage.server, sender, &to, &join));
        }
        let xml = format!(
            "<message from='{hag}' to='coven@conference.a.example/firstwitch' type='chat' id='m'>\
             <body>Double</body></message>"
        );
        let local = "conference.a.example";
        assert_eq!(receive(&stage, hag, &xml), 0);
        assert_eq!(stored(&stage, local).len(), 1);
        // More than are made use of.
        (0..3).for_each(|_| faults.fail_commit(StoreError::Full));
        assert_eq!(receive(&stage, hag, &xml), 1, "its sender hears of it");
    }
}
