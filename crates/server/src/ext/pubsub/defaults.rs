//! What a personal node is like before anybody configured it, and what no configuration changes.
//!
//! Two kinds of nodes have an access model that clients cannot choose. OMEMO device lists and
//! bundles are always `open`: when they are not, contacts silently stop being able to encrypt,
//! which is the most frequent failure of OMEMO in practice. Bookmarks, read markers and private
//! storage are always `whitelist` with nobody but the owner on the list: when they are not, a
//! client that forgot an option shows a person's rooms to all contacts. For these nodes a request
//! for another access model is accepted and has no effect, both in a configuration and in publish
//! options: refusing it would only break the client that asked. The configuration that the client
//! reads back says what is true.

use xmpp::ns;

use super::options::{
    AccessModel, Bound, Config, ItemReply, NodeFull, NotificationType, PublishModel, SendLast,
};

/// The most items of one node; what `max` stands for. An item counts against the bytes of the
/// account as well.
pub(super) const MAX_ITEMS: u32 = 1000;

/// The longest life of an item in seconds; what `max` stands for: it never expires.
pub(super) const MAX_EXPIRE: u32 = u32::MAX;

/// The largest payload of one item in bytes, unless the server's limit for stanzas is smaller.
pub(super) const MAX_PAYLOAD: u32 = 1_048_576;

/// The most nodes of one account. The older OMEMO uses a node per device.
pub(super) const MAX_NODES: usize = 500;

/// The most affiliations of one node.
pub(super) const MAX_AFFILIATIONS: usize = 1000;

/// The most subscriptions of one node.
pub(super) const MAX_SUBSCRIPTIONS: usize = 1000;

/// The most subscriptions that one person has to one node: one for each device.
pub(super) const MAX_OWN_SUBSCRIPTIONS: usize = 10;

/// The most subscriptions of one node that wait for an owner.
pub(super) const MAX_PENDING: usize = 50;

/// The longest name of a node and the longest id of an item, in bytes, as of a resource.
pub(super) const MAX_NAME: usize = 1023;

/// The configuration of a new node of that name.
#[must_use]
pub(super) fn config(node: &str) -> Config {
    let collection = is_collection(node);
    let mut config = Config {
        access: AccessModel::Presence,
        groups: Vec::new(),
        publish: PublishModel::Publishers,
        max_items: if collection { Bound::Max } else { Bound::Count(1) },
        item_expire: Bound::Max,
        persist_items: true,
        deliver_notifications: true,
        deliver_payloads: true,
        notify_config: false,
        notify_delete: true,
        notify_retract: true,
        notify_sub: false,
        presence_based_delivery: false,
        subscribe: true,
        // A client that keeps a collection fetches it; one item of many tells it nothing.
        send_last: if collection { SendLast::Never } else { SendLast::OnSubAndPresence },
        notification_type: NotificationType::Headline,
        node_full: NodeFull::RetractOldest,
        item_reply: ItemReply::None,
        max_payload_size: MAX_PAYLOAD,
        title: None,
        description: None,
        language: None,
        semantic_type: None,
        contact: Vec::new(),
        host: None,
    };
    enforce(node, &mut config);
    config
}

/// The configuration of a new node of the service that everybody shares: anybody may subscribe, the
/// owner publishes, and what was published stays.
#[must_use]
pub(super) fn shared() -> Config {
    Config {
        access: AccessModel::Open,
        max_items: Bound::Max,
        send_last: SendLast::OnSubAndPresence,
        item_reply: ItemReply::Publisher,
        ..config("")
    }
}

/// Nodes of that service that are the server's: what it tells about itself (XEP-0485), and reports
/// that it keeps for its operator (XEP-0377).
pub(super) const RESERVED: &[&str] = &["serverinfo", "reports"];

/// The most nodes of that service.
pub(super) const MAX_SHARED_NODES: usize = 10_000;

/// Puts back what no client may change on the node of that name.
pub(super) fn enforce(node: &str, config: &mut Config) {
    let Some(access) = forced_access(node) else { return };
    config.access = access;
    config.groups = Vec::new();
    config.publish = PublishModel::Publishers;
}

/// The access model that the node of that name always has, if it has one.
#[must_use]
pub(super) fn forced_access(node: &str) -> Option<AccessModel> {
    let open = matches!(node, ns::OMEMO_LEGACY_DEVICES | ns::OMEMO_DEVICES | ns::OMEMO_BUNDLES)
        || node.starts_with(ns::OMEMO_LEGACY_BUNDLES);
    if open {
        return Some(AccessModel::Open);
    }
    is_private(node).then_some(AccessModel::Whitelist)
}

/// Whether the node of that name is nobody's business but the owner's.
#[must_use]
pub(super) fn is_private(node: &str) -> bool {
    // XEP-0223 and XEP-0049 name private storage `storage:…` (bookmarks, notes on contacts).
    // XEP-0292 §4.2 keeps what a person notes about contacts at `urn:xmpp:contacts`, XEP-0373 §5.3
    // the encrypted backup of the secret key.
    matches!(node, ns::BOOKMARKS | ns::MDS | CONTACTS | OPENPGP_SECRET_KEY)
        || node.starts_with("storage:")
}

/// Whether the node of that name holds one item per thing rather than the state of one thing.
fn is_collection(node: &str) -> bool {
    matches!(node, ns::OMEMO_BUNDLES | ns::BOOKMARKS | ns::MDS | ns::MICROBLOG | CONTACTS)
}

/// XEP-0292: vCards that a person keeps of contacts.
const CONTACTS: &str = "urn:xmpp:contacts";

/// XEP-0373: the backup of the secret key.
const OPENPGP_SECRET_KEY: &str = "urn:xmpp:openpgp:0:secret-key";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn omemo_nodes_are_always_open() {
        for node in [
            "eu.siacs.conversations.axolotl.devicelist",
            "eu.siacs.conversations.axolotl.bundles:31415",
            "urn:xmpp:omemo:2:devices",
            "urn:xmpp:omemo:2:bundles",
        ] {
            let mut config = config(node);
            assert_eq!(config.access, AccessModel::Open);
            config.access = AccessModel::Whitelist;
            enforce(node, &mut config);
            assert_eq!(config.access, AccessModel::Open, "{node}");
        }
    }

    #[test]
    fn private_nodes_are_always_closed() {
        for node in [
            "urn:xmpp:bookmarks:1",
            "storage:bookmarks",
            "storage:rosternotes",
            "urn:xmpp:mds:displayed:0",
        ] {
            let mut config = config(node);
            config.access = AccessModel::Open;
            config.publish = PublishModel::Open;
            enforce(node, &mut config);
            assert_eq!(config.access, AccessModel::Whitelist, "{node}");
            assert_eq!(config.publish, PublishModel::Publishers);
            assert!(is_private(node));
        }
    }

    #[test]
    fn other_nodes_follow_the_defaults_of_personal_eventing() {
        let config = config("http://jabber.org/protocol/tune");
        assert_eq!(config.access, AccessModel::Presence);
        assert_eq!(config.send_last, SendLast::OnSubAndPresence);
        assert_eq!(config.max_items, Bound::Count(1));
        assert_eq!(forced_access("http://jabber.org/protocol/tune"), None);
    }
}
