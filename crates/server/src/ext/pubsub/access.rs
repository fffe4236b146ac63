//! Who may do what with a node: affiliations (XEP-0060 §4.1) and access models (§4.5).

use xmpp::{
    error::{Condition, StanzaError},
    ext::pubsub::{Affiliation, PubsubError},
    jid::{BareJid, Jid},
};

use super::{
    node::{Node, Service, is_of},
    options::{AccessModel, PublishModel},
};

/// Somebody who wants something, and how the owner of the account stands to them.
#[derive(Clone, Debug)]
pub struct Requester<'a> {
    /// The full address.
    pub jid: &'a Jid,
    /// The bare address.
    pub bare: &'a BareJid,
    /// What the owner's roster says.
    pub relation: Relation,
    /// How many nodes of the shared service they may own.
    pub may_own: usize,
}

/// How the owner of an account stands to somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// Whether they see the owner's presence: a subscription of `from` or `both`.
    pub presence: bool,
    /// The groups they are in.
    pub groups: Vec<String>,
}

impl Service {
    /// Whether somebody may retrieve the items of a node (§6.5) and hear of its events.
    ///
    /// # Errors
    /// The error that the specification names for the access model.
    pub fn may_read(&self, node: &Node, who: &Requester<'_>) -> Result<(), StanzaError> {
        self.allows(node, who.bare, &who.relation)
    }

    /// The same for somebody who asked for nothing, such as the recipient of an event.
    ///
    /// # Errors
    /// As for [`Service::may_read`].
    pub fn allows(
        &self,
        node: &Node,
        bare: &BareJid,
        relation: &Relation,
    ) -> Result<(), StanzaError> {
        match self.affiliation(node, bare) {
            Affiliation::Owner | Affiliation::Publisher | Affiliation::Member => return Ok(()),
            Affiliation::Outcast | Affiliation::PublishOnly => return Err(forbidden()),
            Affiliation::None => {}
        }
        match node.config.access {
            AccessModel::Authorize if node.is_subscribed(bare) => Ok(()),
            AccessModel::Authorize => Err(PubsubError::SubscriptionNeeded.into()),
            _ => passes_gate(node, relation),
        }
    }

    /// Whether somebody may ask to be subscribed (§6.1). With the access model `authorize` this
    /// says nothing about the answer.
    ///
    /// # Errors
    /// The error that the specification names.
    pub fn may_subscribe(&self, node: &Node, who: &Requester<'_>) -> Result<(), StanzaError> {
        if !node.config.subscribe {
            return Err(PubsubError::Unsupported("subscribe").into());
        }
        match self.affiliation(node, who.bare) {
            Affiliation::Owner | Affiliation::Publisher | Affiliation::Member => Ok(()),
            Affiliation::Outcast | Affiliation::PublishOnly => Err(forbidden()),
            Affiliation::None => passes_gate(node, &who.relation),
        }
    }

    /// Whether somebody may publish (§7.1.3.1).
    ///
    /// # Errors
    /// `forbidden`.
    pub fn may_publish(&self, node: &Node, who: &Requester<'_>) -> Result<(), StanzaError> {
        let allowed = match self.affiliation(node, who.bare) {
            Affiliation::Owner | Affiliation::Publisher | Affiliation::PublishOnly => true,
            Affiliation::Outcast => false,
            Affiliation::Member | Affiliation::None => match node.config.publish {
                PublishModel::Publishers => false,
                PublishModel::Subscribers => node.is_subscribed(who.bare),
                PublishModel::Open => true,
            },
        };
        if allowed { Ok(()) } else { Err(forbidden()) }
    }

    /// Whether somebody may remove an item that `publisher` published (§7.2.3.1): owners any,
    /// everybody else who may publish only their own.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn may_retract(
        &self,
        node: &Node,
        who: &Requester<'_>,
        publisher: Option<&Jid>,
    ) -> Result<(), StanzaError> {
        if self.affiliation(node, who.bare) == Affiliation::Owner {
            return Ok(());
        }
        self.may_publish(node, who)?;
        let own = publisher.is_some_and(|publisher| is_of(publisher, who.bare));
        if own { Ok(()) } else { Err(forbidden()) }
    }

    /// The node of that name, for one of its owners.
    ///
    /// # Errors
    /// `item-not-found`, or `forbidden` for everybody else (§8).
    pub fn owned(&self, name: &str, who: &Requester<'_>) -> Result<&Node, StanzaError> {
        let node = self.existing(name)?;
        match self.affiliation(node, who.bare) {
            Affiliation::Owner => Ok(node),
            _ => Err(forbidden()),
        }
    }

    /// The node of that name.
    ///
    /// # Errors
    /// `item-not-found`.
    pub fn existing(&self, name: &str) -> Result<&Node, StanzaError> {
        self.node(name).ok_or_else(|| StanzaError::new(Condition::ItemNotFound))
    }
}

/// What the access model asks of somebody without an affiliation.
fn passes_gate(node: &Node, relation: &Relation) -> Result<(), StanzaError> {
    let error = match node.config.access {
        AccessModel::Open | AccessModel::Authorize => return Ok(()),
        AccessModel::Presence if relation.presence => return Ok(()),
        AccessModel::Presence => PubsubError::PresenceSubscriptionRequired,
        AccessModel::Roster if relation.presence && in_group(node, relation) => return Ok(()),
        AccessModel::Roster => PubsubError::NotInRosterGroup,
        AccessModel::Whitelist => PubsubError::ClosedNode,
    };
    Err(error.into())
}

fn in_group(node: &Node, relation: &Relation) -> bool {
    relation.groups.iter().any(|group| node.config.groups.contains(group))
}

/// RFC 6120 §8.3.3.4.
#[must_use]
pub(super) fn forbidden() -> StanzaError {
    StanzaError::new(Condition::Forbidden)
}

#[cfg(test)]
mod tests {
    use xmpp::{ext::pubsub::SubscriptionState, time::Millis};

    use super::{super::node::Subscriber, *};

    struct Stage {
        service: Service,
        node: Node,
    }

    fn stage(access: AccessModel) -> Stage {
        let owner = BareJid::new("juliet@capulet.example").unwrap();
        let mut node = Node::new("urn:example", Millis(0));
        node.config.access = access;
        node.config.groups = vec!["Friends".into()];
        Stage { service: Service::new(owner), node }
    }

    fn ask<T>(relation: &Relation, with: impl Fn(&Requester<'_>) -> T) -> T {
        let jid = Jid::new("romeo@montague.example/orchard").unwrap();
        let bare = jid.to_bare();
        with(&Requester { jid: &jid, bare: &bare, relation: relation.clone(), may_own: 0 })
    }

    fn read(stage: &Stage, relation: &Relation) -> Result<(), String> {
        ask(relation, |who| stage.service.may_read(&stage.node, who)).map_err(name)
    }

    fn subscribe(stage: &Stage, relation: &Relation) -> Result<(), String> {
        ask(relation, |who| stage.service.may_subscribe(&stage.node, who)).map_err(name)
    }

    fn name(error: StanzaError) -> String {
        error.app.map_or(error.condition.name().to_owned(), |app| app.name().to_owned())
    }

    fn contact(groups: &[&str]) -> Relation {
        Relation { presence: true, groups: groups.iter().map(|&group| group.into()).collect() }
    }

    fn affiliate(stage: &mut Stage, affiliation: Affiliation) {
        let romeo = BareJid::new("romeo@montague.example").unwrap();
        stage.node.affiliations = vec![(romeo, affiliation)];
    }

    #[test]
    fn each_access_model_names_its_error() {
        let stranger = Relation::default();
        for (access, error) in [
            (AccessModel::Presence, "presence-subscription-required"),
            (AccessModel::Roster, "not-in-roster-group"),
            (AccessModel::Whitelist, "closed-node"),
        ] {
            let stage = stage(access);
            assert_eq!(read(&stage, &stranger), Err(error.into()));
            assert_eq!(subscribe(&stage, &stranger), Err(error.into()));
        }
        let stage = stage(AccessModel::Authorize);
        assert_eq!(read(&stage, &stranger), Err("not-subscribed".into()));
        assert_eq!(subscribe(&stage, &stranger), Ok(()));
    }

    #[test]
    fn contacts_pass_where_presence_or_group_suffice() {
        assert_eq!(read(&stage(AccessModel::Open), &Relation::default()), Ok(()));
        assert_eq!(read(&stage(AccessModel::Presence), &contact(&[])), Ok(()));
        assert_eq!(read(&stage(AccessModel::Roster), &contact(&["Friends"])), Ok(()));
        let other = read(&stage(AccessModel::Roster), &contact(&["Servants"]));
        assert_eq!(other, Err("not-in-roster-group".into()));
        let unseen = Relation { presence: false, groups: vec!["Friends".into()] };
        let other = read(&stage(AccessModel::Roster), &unseen);
        assert_eq!(other, Err("not-in-roster-group".into()));
    }

    #[test]
    fn affiliations_stand_above_the_access_model() {
        let mut closed = stage(AccessModel::Whitelist);
        affiliate(&mut closed, Affiliation::Member);
        assert_eq!(read(&closed, &Relation::default()), Ok(()));
        assert_eq!(subscribe(&closed, &Relation::default()), Ok(()));
        let mut open = stage(AccessModel::Open);
        for affiliation in [Affiliation::Outcast, Affiliation::PublishOnly] {
            affiliate(&mut open, affiliation);
            assert_eq!(read(&open, &contact(&[])), Err("forbidden".into()));
            assert_eq!(subscribe(&open, &contact(&[])), Err("forbidden".into()));
        }
    }

    #[test]
    fn only_approved_subscribers_read_an_authorize_node() {
        let mut stage = stage(AccessModel::Authorize);
        let jid = Jid::new("romeo@montague.example").unwrap();
        let state = SubscriptionState::Pending;
        stage.node.subscriptions = vec![Subscriber { jid, state, deliver: true }];
        assert_eq!(read(&stage, &contact(&[])), Err("not-subscribed".into()));
        stage.node.subscriptions[0].state = SubscriptionState::Subscribed;
        assert_eq!(read(&stage, &Relation::default()), Ok(()));
    }

    #[test]
    fn publishing_follows_affiliation_and_publish_model() {
        let publish = |stage: &Stage| {
            ask(&Relation::default(), |who| stage.service.may_publish(&stage.node, who)).is_ok()
        };
        let mut stage = stage(AccessModel::Open);
        assert!(!publish(&stage));
        for affiliation in [Affiliation::Publisher, Affiliation::PublishOnly, Affiliation::Owner] {
            affiliate(&mut stage, affiliation);
            assert!(publish(&stage));
        }
        affiliate(&mut stage, Affiliation::Member);
        assert!(!publish(&stage));
        stage.node.config.publish = PublishModel::Open;
        assert!(publish(&stage));
        affiliate(&mut stage, Affiliation::Outcast);
        assert!(!publish(&stage));
    }

    #[test]
    fn publishers_remove_only_their_own_items() {
        let mut stage = stage(AccessModel::Open);
        affiliate(&mut stage, Affiliation::Publisher);
        let own = Jid::new("romeo@montague.example/tower").unwrap();
        let other = Jid::new("juliet@capulet.example/balcony").unwrap();
        let retract = |stage: &Stage, publisher: Option<&Jid>| {
            ask(&Relation::default(), |who| {
                stage.service.may_retract(&stage.node, who, publisher).is_ok()
            })
        };
        assert!(retract(&stage, Some(&own)));
        assert!(!retract(&stage, Some(&other)));
        assert!(!retract(&stage, None));
        affiliate(&mut stage, Affiliation::Owner);
        assert!(retract(&stage, Some(&other)));
    }
}
