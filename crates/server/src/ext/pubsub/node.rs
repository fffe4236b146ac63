//! What the server knows of the nodes of one account.

use std::collections::BTreeMap;

use xmpp::{
    ext::pubsub::{Affiliation, SubscriptionState},
    jid::{BareJid, Jid},
    time::Millis,
};

use super::{defaults, options::Config};

/// All nodes of one account, its virtual pubsub service (XEP-0060 §9), or of the service that
/// everybody shares.
#[derive(Clone, Debug)]
pub struct Service {
    /// The address: of the account, which owns every node, or of the service, which owns none.
    pub owner: BareJid,
    /// Everybody's: whoever makes a node owns it.
    pub shared: bool,
    /// The nodes by name.
    pub nodes: BTreeMap<Box<str>, Node>,
}

/// One node. Its items are in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: Box<str>,
    /// Its configuration.
    pub config: Config,
    /// When it was made.
    pub created: Millis,
    /// The affiliations of others than the account itself, which always is an owner.
    pub affiliations: Vec<(BareJid, Affiliation)>,
    /// The explicit subscriptions.
    pub subscriptions: Vec<Subscriber>,
}

/// One explicit subscription. There is at most one for an address, so none has an id.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscriber {
    /// The subscribed address, with or without a resource.
    pub jid: Jid,
    /// `subscribed` or `pending`.
    pub state: SubscriptionState,
    /// The option `pubsub#deliver`: whether notifications are wanted.
    pub deliver: bool,
}

impl Service {
    /// A service without nodes.
    #[must_use]
    pub fn new(owner: BareJid) -> Self {
        // An account has a name; the service that everybody shares is a domain.
        Self { shared: owner.node().is_none(), owner, nodes: BTreeMap::new() }
    }

    /// A node of this service as it is when nobody configured it.
    #[must_use]
    pub fn blank(&self, name: &str, created: Millis) -> Node {
        Node::with(name, self.defaults(name), created)
    }

    /// The configuration of a new node.
    #[must_use]
    pub fn defaults(&self, name: &str) -> Config {
        if self.shared { defaults::shared() } else { defaults::config(name) }
    }

    /// Puts back what nobody may change.
    pub fn enforce(&self, name: &str, config: &mut Config) {
        if self.shared {
            // The service sees nobody's presence.
            config.presence_based_delivery = false;
        } else {
            defaults::enforce(name, config);
        }
    }

    /// Those who own a node.
    pub fn owners<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = &'a BareJid> {
        let listed = node.affiliations.iter();
        let listed = listed.filter(|(_, has)| *has == Affiliation::Owner).map(|(jid, _)| jid);
        (!self.shared).then_some(&self.owner).into_iter().chain(listed)
    }

    /// Whose address stands for the owner's, where items carry it.
    #[must_use]
    pub fn owner_of<'a>(&'a self, node: &'a Node) -> &'a BareJid {
        self.owners(node).next().unwrap_or(&self.owner)
    }

    /// Whose roster decides about a node. Nobody becomes that because others name them an owner: what
    /// stands in their roster would be told to whoever tries.
    #[must_use]
    pub fn host<'a>(&'a self, node: &'a Node) -> Option<&'a BareJid> {
        if !self.shared {
            return Some(&self.owner);
        }
        let host = node.config.host.as_ref();
        host.filter(|host| node.listed_affiliation(host) == Affiliation::Owner)
    }

    /// How many nodes somebody owns.
    #[must_use]
    pub fn owned_by(&self, jid: &BareJid) -> usize {
        self.nodes.values().filter(|node| self.affiliation(node, jid) == Affiliation::Owner).count()
    }

    /// The node of that name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.get(name)
    }

    /// The affiliation of `jid` with a node.
    #[must_use]
    pub fn affiliation(&self, node: &Node, jid: &BareJid) -> Affiliation {
        if *jid == self.owner { Affiliation::Owner } else { node.listed_affiliation(jid) }
    }
}

impl Node {
    /// A node of an account with the default configuration.
    #[must_use]
    pub fn new(name: &str, created: Millis) -> Self {
        Self::with(name, defaults::config(name), created)
    }

    fn with(name: &str, config: Config, created: Millis) -> Self {
        let (affiliations, subscriptions) = (Vec::new(), Vec::new());
        Self { name: name.into(), config, created, affiliations, subscriptions }
    }

    /// The node as far as its items need it.
    #[must_use]
    pub fn without_subscribers(&self) -> Self {
        Self {
            name: self.name.clone(),
            config: self.config.clone(),
            created: self.created,
            affiliations: self.affiliations.clone(),
            subscriptions: Vec::new(),
        }
    }

    /// The affiliation that somebody other than the account has.
    #[must_use]
    pub fn listed_affiliation(&self, jid: &BareJid) -> Affiliation {
        let found = self.affiliations.iter().find(|(listed, _)| listed == jid);
        found.map_or(Affiliation::None, |(_, affiliation)| *affiliation)
    }

    /// The subscription of exactly that address.
    #[must_use]
    pub fn subscriber(&self, jid: &Jid) -> Option<&Subscriber> {
        self.subscriptions.iter().find(|subscriber| subscriber.jid == *jid)
    }

    /// Whether any address of `bare` is subscribed.
    #[must_use]
    pub fn is_subscribed(&self, bare: &BareJid) -> bool {
        self.subscriptions.iter().any(|subscriber| {
            subscriber.state == SubscriptionState::Subscribed && is_of(&subscriber.jid, bare)
        })
    }

    /// How many items are kept.
    #[must_use]
    pub fn keep(&self) -> u32 {
        if self.config.persist_items { self.config.max_items.or(defaults::MAX_ITEMS) } else { 0 }
    }

    /// The moment before which items have expired.
    #[must_use]
    pub fn horizon(&self, now: Millis) -> Option<Millis> {
        match self.config.item_expire {
            super::options::Bound::Max => None,
            super::options::Bound::Count(seconds) => {
                Some(Millis(now.0.saturating_sub(u64::from(seconds) * 1000)))
            }
        }
    }
}

/// Whether `jid` is an address of `bare`.
#[must_use]
pub(super) fn is_of(jid: &Jid, bare: &BareJid) -> bool {
    jid.domain() == bare.domain() && jid.node() == bare.node()
}
