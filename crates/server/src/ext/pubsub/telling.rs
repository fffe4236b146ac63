//! What has to be told about the nodes of an account, in order.
//!
//! What happens to a node is decided, stored and queued while the nodes are locked, so that everybody
//! hears of it in that order. Telling it takes time: people who are away are read from the store, their messages
//! wait for room in it. That is done behind the lock, by one at a time, while others go on with the nodes.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use xmpp::jid::{BareJid, Jid};

use super::{
    deliver::{hand_over, send_to},
    greet::{last_for, may_tell},
    notify::Notice,
};
use crate::{account::Account, server::Server, session::Session};

/// The queue. It has a bound in those who add to it: who changes a node waits until that was told, and the last
/// item of a node is in it once for each device, however often that comes online.
#[derive(Default)]
pub(super) struct Telling {
    queue: Mutex<Queue>,
    /// Held by whoever tells.
    teller: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Event>,
    /// Who is still to be told the last item of which node.
    lasts: HashSet<(Key, Box<str>)>,
    /// How many events there were, and how many of them are over.
    added: u64,
    over: u64,
}

/// Who a recipient is.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Address(Jid),
    /// The number of the session.
    Device(u64),
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
    fn key(&self) -> Key {
        match self {
            Recipient::Address(jid) => Key::Address(jid.clone()),
            Recipient::Device(session) => Key::Device(session.number),
        }
    }

    /// The person.
    pub(super) fn bare(&self) -> BareJid {
        match self {
            Recipient::Address(jid) => jid.to_bare(),
            Recipient::Device(session) => session.account.jid().clone(),
        }
    }
}

impl Telling {
    /// Puts something at the end of the queue. Called while the nodes are locked. Returns whether there is anything
    /// to tell that was not there already.
    pub(super) fn add(&self, to: impl IntoIterator<Item = Recipient>, what: What) -> bool {
        let mut queue = self.queue.lock();
        let queue = &mut *queue;
        let lasts = &mut queue.lasts;
        let news = |to: &Recipient| match &what {
            What::Notice(_) => true,
            What::Last(node) => lasts.insert((to.key(), node.clone())),
        };
        let to: VecDeque<Recipient> = to.into_iter().filter(news).collect();
        if to.is_empty() {
            return false;
        }
        queue.waiting.push_back(Event { to, what });
        queue.added += 1;
        true
    }

    /// Tells everything that is in the queue now, behind whoever does so already. The nodes must not be locked.
    pub(super) async fn tell(&self, server: &Server, account: &Account) {
        let end = {
            let queue = self.queue.lock();
            if queue.over >= queue.added {
                return;
            }
            queue.added
        };
        let _teller = self.teller.lock().await;
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
        let mut queue = self.queue.lock();
        while queue.over < end {
            let event = queue.waiting.front_mut()?;
            if let Some(to) = event.to.pop_front() {
                let what = event.what.clone();
                if let What::Last(node) = &what {
                    queue.lasts.remove(&(to.key(), node.clone()));
                }
                return Some((to, what));
            }
            queue.waiting.pop_front();
            queue.over += 1;
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
    use crate::{
        model::Stage,
        session::{Origin, life},
    };

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
    fn the_last_item_of_a_node_is_queued_once_for_each_device() {
        let stage = Stage::new();
        let (server, juliet) = (&stage.server, stage.juliet());
        let bind = |resource| {
            let bound = life::bind(server, &juliet, Some(resource), Origin::default());
            Recipient::Device(stage.run(bound).unwrap())
        };
        let (phone, desk) = (bind("phone"), bind("desk"));
        let telling = Telling::default();
        let add = |to: &Recipient, node: &str| telling.add([to.clone()], What::Last(node.into()));
        assert!(add(&phone, "mood") && add(&phone, "tune") && add(&desk, "mood"));
        assert!(!add(&phone, "mood") && !add(&desk, "mood"), "it comes online once more");
        assert!(telling.next(3).is_some());
        assert!(add(&phone, "mood"), "the item may have been read by then");
        assert_eq!(telling.queue.lock().added, 4);
        assert_eq!(std::iter::from_fn(|| telling.next(4)).count(), 3);
        assert!(telling.queue.lock().lasts.is_empty());
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
            let teller = telling.teller.lock().await;
            let mut tasks = Vec::new();
            for (number, id) in ["second", "third"].into_iter().enumerate() {
                tasks.push(tokio::spawn(publish(server.clone(), juliet.clone(), id)));
                while telling.queue.lock().added <= number as u64 {
                    tokio::task::yield_now().await;
                }
            }
            let open = timeout(Duration::from_secs(60), juliet.pubsub.open(server, &juliet)).await;
            drop(open.expect("nobody holds the nodes").unwrap());
            assert!(tasks.iter().all(|task| !task.is_finished()), "what is not told is not done");
            drop(teller);
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
