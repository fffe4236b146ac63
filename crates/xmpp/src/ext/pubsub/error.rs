//! The errors of XEP-0060: each use case of the specification names the condition and the type.

use crate::error::{Condition, ErrorType, StanzaError};
use crate::ns;
use crate::xml::Element;

/// One row of the error tables of XEP-0060.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PubsubError {
    /// §6.1.3.1: the subscribed address is not the one of the requester.
    InvalidJid,
    /// §6.1.3.2, §6.5.9.5: the owner's presence must be subscribed first.
    PresenceSubscriptionRequired,
    /// §6.1.3.3, §6.5.9.6: not in one of the allowed groups of the owner's roster.
    NotInRosterGroup,
    /// §6.1.3.4, §6.5.9.7: not on the whitelist.
    ClosedNode,
    /// §6.1.3.7: a request is already waiting for approval.
    PendingSubscription,
    /// §6.1.3.9: the limit of subscriptions is reached.
    TooManySubscriptions,
    /// The node or the service does not do this; the word is the name of the feature.
    Unsupported(&'static str),
    /// §6.2.3.2: nothing to unsubscribe.
    NotSubscribed,
    /// §6.3.4.2: no subscription whose options could be set.
    NoOptions,
    /// §6.5.9.3: only subscribers retrieve items.
    SubscriptionNeeded,
    /// §6.3.4.3: whose options?
    JidRequired,
    /// §6.3.7: options that make no sense.
    InvalidOptions,
    /// §7.1.3.6: more than one payload, or of the wrong kind.
    InvalidPayload,
    /// §7.1.3.5: the payload is larger than the node allows.
    PayloadTooBig,
    /// §7.1.3.6, §7.2.3.4: an item, or its id, is missing.
    ItemRequired,
    /// §7.1.3.6: the item has no payload.
    PayloadRequired,
    /// §7.1.3.6: a node for bare notifications takes no item.
    ItemForbidden,
    /// §7.1.3.4: the node is full and configured to stay as it is.
    NodeFull,
    /// §12.9: a batch holds more items than the node may.
    MaxItemsExceeded,
    /// §8.1: the limit of nodes is reached.
    MaxNodesExceeded,
    /// §7.1.5: a publish option is not met, or not known.
    PreconditionNotMet,
    /// §8.1.2: there is no such access model here.
    UnsupportedAccessModel,
    /// §7.2.3.3, §8.2.3.3: which node?
    NodeidRequired,
}

impl PubsubError {
    /// The name of the condition in the protocol's own namespace.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            PubsubError::InvalidJid => "invalid-jid",
            PubsubError::PresenceSubscriptionRequired => "presence-subscription-required",
            PubsubError::NotInRosterGroup => "not-in-roster-group",
            PubsubError::ClosedNode => "closed-node",
            PubsubError::PendingSubscription => "pending-subscription",
            PubsubError::TooManySubscriptions => "too-many-subscriptions",
            PubsubError::Unsupported(_) => "unsupported",
            PubsubError::NotSubscribed
            | PubsubError::NoOptions
            | PubsubError::SubscriptionNeeded => "not-subscribed",
            PubsubError::JidRequired => "jid-required",
            PubsubError::InvalidOptions => "invalid-options",
            PubsubError::InvalidPayload => "invalid-payload",
            PubsubError::PayloadTooBig => "payload-too-big",
            PubsubError::ItemRequired => "item-required",
            PubsubError::PayloadRequired => "payload-required",
            PubsubError::ItemForbidden => "item-forbidden",
            PubsubError::NodeFull => "node-full",
            PubsubError::MaxItemsExceeded => "max-items-exceeded",
            PubsubError::MaxNodesExceeded => "max-nodes-exceeded",
            PubsubError::PreconditionNotMet => "precondition-not-met",
            PubsubError::UnsupportedAccessModel => "unsupported-access-model",
            PubsubError::NodeidRequired => "nodeid-required",
        }
    }

    fn condition(self) -> (Condition, ErrorType) {
        match self {
            PubsubError::InvalidJid
            | PubsubError::JidRequired
            | PubsubError::InvalidOptions
            | PubsubError::InvalidPayload
            | PubsubError::ItemRequired
            | PubsubError::PayloadRequired
            | PubsubError::ItemForbidden
            | PubsubError::NodeidRequired => (Condition::BadRequest, ErrorType::Modify),
            PubsubError::PresenceSubscriptionRequired
            | PubsubError::NotInRosterGroup
            | PubsubError::PendingSubscription
            | PubsubError::SubscriptionNeeded => (Condition::NotAuthorized, ErrorType::Auth),
            PubsubError::ClosedNode | PubsubError::MaxItemsExceeded => {
                (Condition::NotAllowed, ErrorType::Cancel)
            }
            PubsubError::TooManySubscriptions => (Condition::PolicyViolation, ErrorType::Wait),
            PubsubError::Unsupported(_) => (Condition::FeatureNotImplemented, ErrorType::Cancel),
            PubsubError::NotSubscribed => (Condition::UnexpectedRequest, ErrorType::Cancel),
            PubsubError::NoOptions => (Condition::UnexpectedRequest, ErrorType::Modify),
            PubsubError::PayloadTooBig | PubsubError::UnsupportedAccessModel => {
                (Condition::NotAcceptable, ErrorType::Modify)
            }
            PubsubError::NodeFull | PubsubError::PreconditionNotMet => {
                (Condition::Conflict, ErrorType::Cancel)
            }
            // The schema has the condition and no use case says where it belongs; the account has
            // to make room first, as with a full quota.
            PubsubError::MaxNodesExceeded => (Condition::ResourceConstraint, ErrorType::Wait),
        }
    }
}

impl From<PubsubError> for StanzaError {
    fn from(error: PubsubError) -> StanzaError {
        let (condition, kind) = error.condition();
        let mut app = Element::new(error.name(), ns::PUBSUB_ERRORS);
        if let PubsubError::Unsupported(feature) = error {
            app.set_attr("feature", feature);
        }
        StanzaError::new(condition).with_type(kind).with_app(app)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(error: PubsubError) -> (ErrorType, Condition, String) {
        let error = StanzaError::from(error);
        (error.kind, error.condition, error.app.unwrap().name().to_owned())
    }

    #[test]
    fn the_same_condition_differs_by_use_case() {
        use Condition::{NotAuthorized, UnexpectedRequest};
        let name = "not-subscribed".to_owned();
        let unsubscribe = row(PubsubError::NotSubscribed);
        assert_eq!(unsubscribe, (ErrorType::Cancel, UnexpectedRequest, name.clone()));
        let options = row(PubsubError::NoOptions);
        assert_eq!(options, (ErrorType::Modify, UnexpectedRequest, name.clone()));
        let items = row(PubsubError::SubscriptionNeeded);
        assert_eq!(items, (ErrorType::Auth, NotAuthorized, name));
    }

    #[test]
    fn an_unsupported_feature_is_named() {
        let error = StanzaError::from(PubsubError::Unsupported("subscribe"));
        assert_eq!(error.condition, Condition::FeatureNotImplemented);
        assert_eq!(error.app.unwrap().attr("feature"), Some("subscribe"));
    }
}
