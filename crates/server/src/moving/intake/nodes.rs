//! Nodes and their items: those of accounts, and those of the service that everybody shares.

use std::collections::{BTreeMap, BTreeSet};

use store::{AccountId, pubsub};
use xmpp::{
    jid::{BareJid, Jid},
    ns,
    xml::{Element, Limits},
};

use super::{Intake, Owner, PersonDesk};
use crate::{
    admin::{Fault, FaultCode},
    ext::pubsub as nodes,
    moving::record::{Item, Node},
};

impl Intake<'_> {
    /// The service for publishing, which has nodes and nothing else.
    pub(super) async fn service(&mut self) -> Result<Owner, Fault> {
        let address = self.config.pubsub.address(&self.config.domain);
        let Ok(jid) = BareJid::new(&address) else { return Ok(Owner::Refused) };
        let id = AccountId::PUBSUB;
        let nodes = self.nodes_of(id, &jid).await?;
        Ok(Owner::Person(Box::new(PersonDesk {
            id: Some(id),
            jid,
            former: None,
            keyless: false,
            password: None,
            keys: Vec::new(),
            contacts: Vec::new(),
            requests: Vec::new(),
            blocked: BTreeSet::new(),
            nodes,
            vcard: false,
            vcard4: None,
            shelf: None,
            waiting: Vec::new(),
        })))
    }

    /// The nodes that are there, and how many items each keeps.
    pub(super) async fn nodes_of(
        &self,
        id: AccountId,
        jid: &BareJid,
    ) -> Result<BTreeMap<String, u32>, Fault> {
        let mut nodes = BTreeMap::new();
        for node in self.store.pubsub.nodes(id).await? {
            let keep = nodes::kept_items(jid, &node.name, &node.config);
            nodes.insert(node.name.into(), keep);
        }
        Ok(nodes)
    }

    pub(super) async fn node(&mut self, desk: &mut PersonDesk, node: Node) -> Result<(), Fault> {
        if desk.nodes.contains_key(&node.name) || node.name.is_empty() {
            return Ok(());
        }
        let form = node.config.as_ref();
        if desk.id == Some(AccountId::PUBSUB) && nodes::is_reserved(&node.name) {
            self.report.skip(&node.name, "a node whose name this server uses itself");
            return Ok(());
        }
        let (config, keep) = nodes::moved_in_config(&desk.jid, &node.name, form);
        if keep == 0 && node.subscriptions.is_empty() && node.affiliations.is_empty() {
            // Clients make such a node again when they need it.
            return Ok(());
        }
        desk.nodes.insert(node.name.clone(), keep);
        self.report.nodes += 1;
        let Some(id) = desk.id.filter(|_| !self.wish.dry_run) else { return Ok(()) };
        let listed = node.affiliations.iter().filter_map(|(jid, word)| {
            let jid = BareJid::new(jid).ok()?;
            let word = xmpp::ext::pubsub::Affiliation::parse(word)?;
            Some((jid.as_str().into(), Some(word.as_str().into())))
        });
        let subscribed = node.subscriptions.into_iter().filter(|one| Jid::new(&one.jid).is_ok());
        let changes = vec![
            pubsub::Change::Create(config, node.created.unwrap_or(self.now)),
            pubsub::Change::Affiliate(listed.collect()),
            pubsub::Change::Subscribe(subscribed.collect()),
        ];
        self.store.pubsub.change(id, &node.name, changes).await?;
        Ok(())
    }

    pub(super) async fn item(&mut self, desk: &mut PersonDesk, item: Item) -> Result<(), Fault> {
        if item.node == ns::VCARD4_NODE {
            desk.vcard4 = item.payload.clone();
        }
        let what = || format!("{}: {} in {}", desk.jid, item.id, item.node);
        let Some(keep) = desk.nodes.get(&item.node).copied().filter(|keep| *keep > 0) else {
            self.report.skip(&what(), "an item of a node that keeps none");
            return Ok(());
        };
        if let Some(id) = desk.id {
            let query = pubsub::Query {
                node: item.node.as_str().into(),
                select: pubsub::Select::Ids(vec![item.id.as_str().into()]),
                max: 1,
                max_bytes: u64::MAX,
                horizon: None,
                ids_only: true,
                order: pubsub::Order::Modified,
                descending: false,
            };
            let found = self.store.pubsub.items(id, query).await;
            if found.is_ok_and(|page| !page.items.is_empty()) {
                return Ok(());
            }
        }
        let payload = item.payload.as_ref().map(|payload| payload.to_bytes(""));
        let readable = |bytes: &bytes::Bytes| Element::parse(bytes, &Limits::SERVER).is_ok();
        if item.id.is_empty() || payload.as_ref().is_some_and(|bytes| !readable(bytes)) {
            self.report.skip(&what(), "an item that makes no sense");
            return Ok(());
        }
        self.report.items += 1;
        let Some(id) = desk.id.filter(|_| !self.wish.dry_run) else { return Ok(()) };
        let publisher = item.publisher.as_deref().and_then(|jid| Jid::new(jid).ok());
        let publisher = publisher.filter(|jid| Some(jid.to_bare()) != desk.former);
        let publication = pubsub::Publication {
            node: item.node.as_str().into(),
            create: None,
            items: vec![pubsub::Item {
                id: item.id.as_str().into(),
                publisher: publisher.as_ref().map_or(desk.jid.as_str(), Jid::as_str).into(),
                published: item.published.unwrap_or(self.now),
                payload,
            }],
            keep,
            reject_when_full: false,
            horizon: None,
            quota: u64::MAX,
            share: None,
        };
        let published = self.store.pubsub.publish(id, publication).await;
        published.map_err(|error| Fault::new(FaultCode::Storage, error.to_string()))?;
        Ok(())
    }
}
