//! Rosters, personal nodes, service discovery.

use xmpp::error::Condition;
use xmpp::ext::disco::{Identity, Info};
use xmpp::ext::form::Form;
use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::xml::Element;

use super::{Server, bare};

impl Server {
    pub(super) fn info(&self, query: &Element) -> Info {
        let info = Info::new()
            .with_identity(Identity::new("server", "im"))
            .with_feature(ns::MAM)
            .with_feature(ns::CARBONS)
            .with_feature(ns::BLOCKING);
        let told =
            [(self.stanza_ids, ns::STANZA_ID), (self.publish_options, ns::PUBSUB_PUBLISH_OPTIONS)];
        let told = told.into_iter().filter(|(told, _)| *told);
        let info = told.fold(info, |info, (_, feature)| info.with_feature(feature));
        match query.attr("node") {
            Some(node) => info.with_node(node),
            None => info,
        }
    }

    pub(super) fn roster(
        &mut self,
        account: &BareJid,
        kind: Option<&str>,
        query: &Element,
    ) -> Option<Element> {
        if kind == Some("set") {
            let mut item = query.first_child().unwrap().clone();
            let address = bare(item.attr("jid").unwrap());
            let roster = &mut self.accounts.get_mut(account).unwrap().roster;
            if item.attr("subscription") == Some("remove") {
                roster.remove(&address);
            } else {
                let known = roster.get(&address).and_then(|known| known.attr("subscription"));
                item.set_attr("subscription", known.unwrap_or("none").to_owned());
                roster.insert(address, item.clone());
            }
            let push = Element::new("iq", ns::CLIENT)
                .with_attr("type", "set")
                .with_attr("id", "roster-push")
                .with_child(
                    Element::new("query", ns::ROSTER).with_attr("ver", "2").with_child(item),
                );
            for session in self.sessions_of(account) {
                self.deliver(&session, &push);
            }
            return None;
        }
        let items = self.accounts[account].roster.values().cloned();
        Some(Element::new("query", ns::ROSTER).with_attr("ver", "1").with_children(items))
    }

    pub(super) fn pubsub(
        &mut self,
        owner: &BareJid,
        query: &Element,
    ) -> Result<Option<Element>, Condition> {
        let request = query.first_child().unwrap();
        let node = request.attr("node").unwrap().to_owned();
        let account = self.accounts.get_mut(owner).ok_or(Condition::ServiceUnavailable)?;
        match request.name() {
            "items" => {
                let items = account.nodes.get(&node).ok_or(Condition::ItemNotFound)?;
                let wanted: Vec<&str> =
                    request.children().filter_map(|item| item.attr("id")).collect();
                let items = items
                    .iter()
                    .filter(|(id, _)| wanted.is_empty() || wanted.contains(&id.as_str()));
                let items = items.map(|(id, payload)| {
                    Element::new("item", ns::PUBSUB).with_attr("id", id).with_child(payload.clone())
                });
                let items =
                    Element::new("items", ns::PUBSUB).with_attr("node", node).with_children(items);
                Ok(Some(Element::new("pubsub", ns::PUBSUB).with_child(items)))
            }
            "publish" => {
                let item = request.first_child().unwrap();
                let id = item.attr("id").unwrap_or("current").to_owned();
                let payload = item.first_child().unwrap().clone();
                account.nodes.entry(node.clone()).or_default().insert(id.clone(), payload.clone());
                let item =
                    Element::new("item", ns::PUBSUB_EVENT).with_attr("id", id).with_child(payload);
                self.tell(owner, &node, item);
                Ok(None)
            }
            "retract" => {
                let id = request.first_child().and_then(|item| item.attr("id")).unwrap().to_owned();
                if let Some(items) = account.nodes.get_mut(&node) {
                    items.remove(&id);
                }
                let item = Element::new("retract", ns::PUBSUB_EVENT).with_attr("id", id);
                self.tell(owner, &node, item);
                Ok(None)
            }
            _ => Err(Condition::FeatureNotImplemented),
        }
    }

    /// An event for the devices of the owner and of their contacts.
    fn tell(&mut self, owner: &BareJid, node: &str, item: Element) {
        let items =
            Element::new("items", ns::PUBSUB_EVENT).with_attr("node", node).with_child(item);
        let message = Element::new("message", ns::CLIENT)
            .with_attr("from", owner.to_string())
            .with_attr("type", "headline")
            .with_child(Element::new("event", ns::PUBSUB_EVENT).with_child(items));
        let friends: Vec<BareJid> = self.accounts[owner].roster.keys().cloned().collect();
        for friend in friends.iter().chain([owner]) {
            for session in self.sessions_of(friend) {
                self.deliver(&session, &message);
            }
        }
    }
}

/// Whether something is to be published with more options than the two that everybody knows.
pub(super) fn asks_much(pubsub: &Element) -> bool {
    let options = pubsub.child("publish-options", ns::PUBSUB).and_then(Form::child_of);
    options.is_some_and(|form| form.value("pubsub#max_items").is_some())
}
