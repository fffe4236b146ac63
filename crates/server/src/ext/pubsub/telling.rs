//! What has to be told about the nodes of an account, in a row.
//!
//! What happens to a node is decided, stored and put into the row while the nodes are locked, so that everybody
//! hears of it in that order. Telling it takes time: people who are away are read from the store, their messages
//! wait for room in it. That is done behind the lock, by one at a time, while others go on with the nodes.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use xmpp::jid::{BareJid, Jid};

use super::{
    deliver::{hand_over, send_to},
    greet::{last_for, may_tell},
    notify::Notice,
};
use crate::{account::Account, server::Server, session::Session};

/// The row. Whoever adds to it waits until that was told, so that it is as long as those who wait are many.
#[derive(Default)]
pub(super) struct Telling {
    row: Mutex<Row>,
    /// Whose turn it is to tell.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Row {
    waiting: VecDeque<Event>,
    /// How many there were, and how many of them are over.
    added: u64,
    over: u64,
}

struct Event {
    to: VecDeque<Recipient>,
    what: What,
}

/// Who is told.
#[derive(Clone)]
pub(super) enum Recipient {
    /// Whoever has an address.
    Address(Jid),
    /// A device that is here.
    Device(Arc<Session>),
}

/// What they are told.
#[derive(Clone)]
pub(super) enum What {
    /// Something that happened.
    Notice(Notice),
    /// The last item of a node, as it is by then.
    Last(Box<str>),
}

impl Recipient {
    /// The person.
    pub(super) fn bare(&self) -> BareJid {
        match self {
            Recipient::Address(jid) => jid.to_bare(),
            Recipient::Device(session) => session.account.jid().clone(),
        }
    }
}

impl Telling {
    /// Puts something at the end of the row. Called while the nodes are locked.
    pub(super) fn add(&self, to: impl IntoIterator<Item = Recipient>, what: What) {
        let to: VecDeque<Recipient> = to.into_iter().collect();
        if !to.is_empty() {
            let mut row = self.row.lock();
            row.waiting.push_back(Event { to, what });
            row.added += 1;
        }
    }

    /// Tells everything that is in the row now, behind whoever does so already. The nodes must not be locked.
    pub(super) async fn tell(&self, server: &Server, account: &Account) {
        let end = {
            let row = self.row.lock();
            if row.over >= row.added {
                return;
            }
            row.added
        };
        let _turn = self.turn.lock().await;
        while let Some((to, what)) = self.next(end) {
            let notice = match what {
                What::Notice(notice) => Some(notice),
                What::Last(node) => last_for(server, account, &node, &to).await,
            };
            match (notice, to) {
                (Some(notice), Recipient::Address(jid)) => {
                    send_to(server, account, &jid, &notice).await;
                }
                (Some(notice), Recipient::Device(session)) if may_tell(account, &session) => {
                    hand_over(server, account, &session, &notice);
                }
                _ => {}
            }
        }
    }

    /// Who is next to be told something, of the first `end` that there were.
    fn next(&self, end: u64) -> Option<(Recipient, What)> {
        let mut row = self.row.lock();
        while row.over < end {
            let event = row.waiting.front_mut()?;
            if let Some(to) = event.to.pop_front() {
                return Some((to, event.what.clone()));
            }
            row.waiting.pop_front();
            row.over += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;
    use xmpp::{
        ext::pubsub::{Item, SubscriptionState},
        ns,
        xml::{Element, Limits},
    };

    use super::{
        super::{node::Subscriber, options::NotificationType, write},
        *,
    };
    use crate::model::Stage;

    /// Publishes in Juliet's name, to a node that she herself is told of when she is back.
    async fn publish(server: Arc<Server>, juliet: Arc<Account>, id: &str) {
        let payload = Element::new("mood", "urn:verona:mood");
        let item = Item { id: Some(id.to_owned()), publisher: None, payloads: vec![payload] };
        let kept = |config: &mut super::super::options::Config| {
            config.notification_type = NotificationType::Normal;
        };
        write::publish_own(&server, &juliet, "mood", item, kept).await.unwrap();
    }

    #[test]
    fn others_go_on_with_the_nodes_while_somebody_is_told_and_the_order_stays() {
        let stage = Stage::new();
        let (server, juliet) = (&stage.server, stage.juliet());
        let kept = stage.run(async {
            publish(server.clone(), juliet.clone(), "first").await;
            let mut service = juliet.pubsub.open(server, &juliet).await.unwrap();
            let jid = Jid::from(juliet.jid().clone());
            let subscriber =
                Subscriber { jid, state: SubscriptionState::Subscribed, deliver: true };
            service.nodes.get_mut("mood").unwrap().subscriptions.push(subscriber);
            drop(service);

            let telling = &juliet.pubsub.telling;
            let turn = telling.turn.lock().await;
            let mut tasks = Vec::new();
            for (number, id) in ["second", "third"].into_iter().enumerate() {
                tasks.push(tokio::spawn(publish(server.clone(), juliet.clone(), id)));
                while telling.row.lock().added <= number as u64 {
                    tokio::task::yield_now().await;
                }
            }
            let open = timeout(Duration::from_secs(60), juliet.pubsub.open(server, &juliet)).await;
            drop(open.expect("nobody holds the nodes").unwrap());
            assert!(tasks.iter().all(|task| !task.is_finished()), "what is not told is not done");
            drop(turn);
            for task in tasks {
                task.await.unwrap();
            }
            server.store.archive.barrier().await.unwrap();
            server.store.archive.pending(juliet.id, 0, u32::MAX).await.unwrap()
        });
        let ids: Vec<String> = kept
            .iter()
            .map(|row| {
                let message = Element::parse(&row.stanza, &Limits::TRUSTED).unwrap();
                let event = message.child("event", ns::PUBSUB_EVENT).unwrap();
                let items = event.child("items", ns::PUBSUB_EVENT).unwrap();
                items.child("item", ns::PUBSUB_EVENT).unwrap().attr("id").unwrap().to_owned()
            })
            .collect();
        assert_eq!(ids, ["second", "third"]);
    }
}
