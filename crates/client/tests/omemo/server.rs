//! What the server does with what devices send: messages, archives, personal nodes, rosters.

use xmpp::ext::delay::Delay;
use xmpp::ext::form::{Field, Form, FormType};
use xmpp::ext::forward::Forwarded;
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use crate::world::{DOMAIN, Node, World};

impl World {
    pub(crate) fn on_stanza(&mut self, index: usize, stanza: Element) {
        match stanza.name() {
            "message" => self.on_message(index, stanza),
            "presence" => self.on_presence(index, &stanza),
            "iq" => self.on_iq(index, &stanza),
            _ => {}
        }
    }

    fn on_presence(&mut self, index: usize, stanza: &Element) {
        if stanza.attr("to").is_some() || stanza.attr("type").is_some() {
            return;
        }
        let Some(link) = &mut self.devices[index].link else { return };
        if std::mem::replace(&mut link.available, true) {
            return;
        }
        let address = self.devices[index].address.clone();
        let mut owners = vec![address.clone()];
        owners.extend(self.accounts[&address].contacts.clone());
        for owner in owners {
            for node in [ns::OMEMO_DEVICES, ns::OMEMO_LEGACY_DEVICES] {
                if let Some(event) = self.event(&owner, node) {
                    self.deliver(index, event);
                }
            }
        }
    }

    /// The event of the last item of a node.
    fn event(&self, owner: &BareJid, node: &str) -> Option<Element> {
        let (id, payload) = self.accounts.get(owner)?.nodes.get(node)?.items.last()?;
        Some(event(owner, node, id, payload))
    }

    fn on_message(&mut self, index: usize, mut message: Element) {
        message.set_attr("from", self.full(index));
        self.log.push((index, message.clone()));
        let Some(to) = message.attr("to").and_then(|to| Jid::new(to).ok()) else { return };
        self.route(&message, &to.to_bare(), Some(index));
    }

    /// What a server does with a message of one of its users to another.
    pub(crate) fn route(&mut self, message: &Element, to: &BareJid, from: Option<usize>) {
        let hint = |name: &str| message.child(name, ns::HINTS).is_some();
        let kept =
            !hint("no-store") && (hint("store") || message.child("body", ns::CLIENT).is_some());
        let sender = Jid::new(message.attr("from").unwrap()).unwrap().to_bare();
        let received = self.keep(to, message, kept);
        for device in self.available(to) {
            if Some(device) != from || sender == *to {
                self.deliver(device, received.clone());
            }
        }
        if sender == *to {
            return;
        }
        let sent = self.keep(&sender, message, kept);
        for device in self.available(&sender).into_iter().filter(|device| Some(*device) != from) {
            let forwarded = Forwarded { delay: None, stanza: sent.clone() };
            let carbon = Element::new("message", ns::CLIENT)
                .with_attr("from", sender.as_str())
                .with_attr("to", self.full(device))
                .with_attr("type", "chat")
                .with_child(Element::new("sent", ns::CARBONS).with_child(forwarded.to_element()));
            self.deliver(device, carbon);
        }
    }

    /// Keeps a message in an archive; it comes back with its id there.
    fn keep(&mut self, owner: &BareJid, message: &Element, kept: bool) -> Element {
        let mut message = message.clone();
        if let (true, Some(account)) = (kept, self.accounts.get_mut(owner)) {
            self.counter += 1;
            let id = format!("a{:08}", self.counter);
            account.archive.push((id.clone(), self.now.wall, message.clone()));
            message.push(
                Element::new("stanza-id", ns::STANZA_ID)
                    .with_attr("by", owner.as_str())
                    .with_attr("id", id),
            );
        }
        message
    }

    fn on_iq(&mut self, index: usize, iq: &Element) {
        let Some(kind @ ("get" | "set")) = iq.attr("type") else { return };
        let me = self.devices[index].address.clone();
        let owner = iq.attr("to").map_or(me.clone(), |to| Jid::new(to).unwrap().to_bare());
        let Some(payload) = iq.first_child().cloned() else { return };
        let answer = if payload.is("query", ns::MAM) && owner == me {
            Ok(Some(self.query(index, &payload)))
        } else if payload.is("pubsub", ns::PUBSUB) {
            self.pubsub(&me, &owner, kind == "set", &payload)
        } else if payload.is("pubsub", ns::PUBSUB_OWNER) && owner == me {
            self.configure(&me, kind == "set", &payload)
        } else if payload.is("query", ns::ROSTER) {
            Ok(Some(self.roster(&me)))
        } else if payload.is("query", ns::DISCO_INFO) {
            Ok(Some(disco()))
        } else if payload.is("query", ns::DISCO_ITEMS) {
            let item = Element::new("item", ns::DISCO_ITEMS).with_attr("jid", "up.example.org");
            Ok(Some(Element::new("query", ns::DISCO_ITEMS).with_child(item)))
        } else if payload.is("request", ns::HTTP_UPLOAD) {
            Ok(Some(self.slot()))
        } else if payload.is("ping", ns::PING) || kind == "set" {
            Ok(None)
        } else {
            Err("item-not-found")
        };
        let mut reply = Element::new("iq", ns::CLIENT)
            .with_attr_opt("id", iq.attr("id"))
            .with_attr_opt("from", iq.attr("to"))
            .with_attr("to", self.full(index));
        match answer {
            Ok(payload) => {
                reply.set_attr("type", "result");
                reply = reply.with_children(payload);
            }
            Err(condition) => {
                reply.set_attr("type", "error");
                let mut error = Element::new("error", ns::CLIENT).with_attr("type", "cancel");
                if condition == "precondition-not-met" {
                    error.push(Element::new("conflict", ns::STANZA_ERRORS));
                    error.push(Element::new(condition, ns::PUBSUB_ERRORS));
                } else {
                    error.push(Element::new(condition, ns::STANZA_ERRORS));
                }
                reply.push(error);
            }
        }
        self.deliver(index, reply);
    }

    /// A place for a file.
    fn slot(&mut self) -> Element {
        self.counter += 1;
        let url = format!("https://up.example.org/{}/canary-address-yranac", self.counter);
        let place = |name: &str| Element::new(name, ns::HTTP_UPLOAD).with_attr("url", url.as_str());
        Element::new("slot", ns::HTTP_UPLOAD).with_child(place("put")).with_child(place("get"))
    }

    fn roster(&self, me: &BareJid) -> Element {
        let item = |jid: &BareJid| {
            Element::new("item", ns::ROSTER)
                .with_attr("jid", jid.as_str())
                .with_attr("subscription", "both")
        };
        Element::new("query", ns::ROSTER).with_children(self.accounts[me].contacts.iter().map(item))
    }

    fn pubsub(
        &mut self,
        me: &BareJid,
        owner: &BareJid,
        set: bool,
        pubsub: &Element,
    ) -> Result<Option<Element>, &'static str> {
        let first = pubsub.first_child().ok_or("bad-request")?;
        let node = first.attr("node").ok_or("bad-request")?.to_owned();
        match first.name() {
            "items" if !set => {
                if owner.domain().to_string() != DOMAIN {
                    return Err("remote-server-not-found");
                }
                let account = self.accounts.get(owner).ok_or("service-unavailable")?;
                let found = account.nodes.get(&node).ok_or("item-not-found")?;
                if found.access != "open" && me != owner {
                    return Err("forbidden");
                }
                let ids: Vec<&str> = first.children().filter_map(|item| item.attr("id")).collect();
                let items =
                    found.items.iter().filter(|(id, _)| ids.is_empty() || ids.contains(&&**id));
                let items = items.map(|(id, payload)| {
                    Element::new("item", ns::PUBSUB)
                        .with_attr("id", id.as_str())
                        .with_child(payload.clone())
                });
                let items = Element::new("items", ns::PUBSUB)
                    .with_attr("node", node.as_str())
                    .with_children(items);
                Ok(Some(Element::new("pubsub", ns::PUBSUB).with_child(items)))
            }
            "publish" if set && me == owner => self.publish(me, &node, first, pubsub),
            "retract" if set && me == owner => {
                let id = first.first_child().and_then(|item| item.attr("id")).unwrap_or_default();
                let account = self.accounts.get_mut(me).unwrap();
                if let Some(node) = account.nodes.get_mut(&node) {
                    node.items.retain(|(known, _)| known != id);
                }
                Ok(None)
            }
            _ => Err("bad-request"),
        }
    }

    fn publish(
        &mut self,
        me: &BareJid,
        name: &str,
        publish: &Element,
        pubsub: &Element,
    ) -> Result<Option<Element>, &'static str> {
        let option = |name: &str| {
            let form = pubsub.child("publish-options", ns::PUBSUB)?;
            xmpp::ext::form::Form::child_of(form)?.value(name).map(str::to_owned)
        };
        let (access, most) = (option("pubsub#access_model"), option("pubsub#max_items"));
        let checks = self.checks_options;
        let account = self.accounts.get_mut(me).unwrap();
        let node = account.nodes.entry(name.to_owned()).or_insert_with(|| Node {
            items: Vec::new(),
            access: if checks { access.clone() } else { None }.unwrap_or("presence".to_owned()),
            max_items: if checks { most.clone() } else { None }.unwrap_or("1".to_owned()),
        });
        let differs =
            |wanted: &Option<String>, has: &str| wanted.as_ref().is_some_and(|it| it != has);
        if checks && (differs(&access, &node.access) || differs(&most, &node.max_items)) {
            return Err("precondition-not-met");
        }
        let item = publish.first_child().ok_or("bad-request")?;
        let id = item.attr("id").unwrap_or("current").to_owned();
        let payload = item.first_child().ok_or("bad-request")?.clone();
        node.items.retain(|(known, _)| *known != id);
        if node.max_items == "1" {
            node.items.clear();
        }
        node.items.push((id, payload));
        self.announce(me, name);
        Ok(None)
    }

    /// Tells everybody who sees the account of the last item of a node.
    pub(crate) fn announce(&mut self, owner: &BareJid, node: &str) {
        if ![ns::OMEMO_DEVICES, ns::OMEMO_LEGACY_DEVICES].contains(&node) {
            return;
        }
        let Some(event) = self.event(owner, node) else { return };
        let mut audience = vec![owner.clone()];
        audience.extend(self.accounts[owner].contacts.clone());
        for account in audience {
            for device in self.available(&account) {
                self.deliver(device, event.clone());
            }
        }
    }

    fn configure(
        &mut self,
        me: &BareJid,
        set: bool,
        pubsub: &Element,
    ) -> Result<Option<Element>, &'static str> {
        let first = pubsub.first_child().ok_or("bad-request")?;
        let name = first.attr("node").ok_or("bad-request")?;
        let account = self.accounts.get_mut(me).unwrap();
        if first.name() == "delete" {
            return account.nodes.remove(name).map(|_| None).ok_or("item-not-found");
        }
        let node = account.nodes.get_mut(name).ok_or("item-not-found")?;
        if set {
            let form = Form::child_of(first).ok_or("bad-request")?;
            if let Some(access) = form.value("pubsub#access_model") {
                node.access = access.to_owned();
            }
            if let Some(most) = form.value("pubsub#max_items") {
                node.max_items = most.to_owned();
            }
            return Ok(None);
        }
        let form = Form::typed(FormType::Form, ns::PUBSUB_NODE_CONFIG)
            .with_field(Field::untyped("pubsub#access_model").with_value(node.access.as_str()))
            .with_field(Field::untyped("pubsub#max_items").with_value(node.max_items.as_str()))
            .with_field(Field::untyped("pubsub#persist_items").with_value("1"));
        let configure = Element::new("configure", ns::PUBSUB_OWNER)
            .with_attr("node", name)
            .with_child(form.to_element());
        Ok(Some(Element::new("pubsub", ns::PUBSUB_OWNER).with_child(configure)))
    }

    /// Answers an archive query: the results, then the end.
    fn query(&mut self, index: usize, query: &Element) -> Element {
        use xmpp::ext::rsm::{Position, Request};
        let me = self.devices[index].address.clone();
        let set = query.child("set", ns::RSM).and_then(Request::parse).unwrap_or_default();
        let all = &self.accounts[&me].archive;
        let at = |id: &str| all.iter().position(|(known, ..)| known == id);
        let most = set.max.unwrap_or(100).min(100);
        let (from, to) = match &set.position {
            Position::After(id) => {
                let from = at(id).map_or(0, |at| at + 1);
                (from, (from + most).min(all.len()))
            }
            Position::Before(id) => {
                let to = at(id).unwrap_or(0);
                (to.saturating_sub(most), to)
            }
            Position::Last => (all.len().saturating_sub(most), all.len()),
            _ => (0, most.min(all.len())),
        };
        let complete = match &set.position {
            Position::Before(_) | Position::Last => from == 0,
            _ => to == all.len(),
        };
        let page: Vec<_> = all[from..to].to_vec();
        let mut answer = Element::new("set", ns::RSM);
        for (name, entry) in [("first", page.first()), ("last", page.last())] {
            if let Some((id, ..)) = entry {
                answer.push(Element::new(name, ns::RSM).with_text(id.as_str()));
            }
        }
        answer.push(Element::new("count", ns::RSM).with_text(all.len().to_string()));
        for (id, time, stanza) in page {
            let forwarded = Forwarded { delay: Some(Delay::new(time)), stanza };
            let result = Element::new("result", ns::MAM)
                .with_attr_opt("queryid", query.attr("queryid"))
                .with_attr("id", id)
                .with_child(forwarded.to_element());
            let message = Element::new("message", ns::CLIENT)
                .with_attr("from", me.as_str())
                .with_attr("to", self.full(index))
                .with_child(result);
            self.deliver(index, message);
        }
        Element::new("fin", ns::MAM)
            .with_attr_opt("complete", complete.then_some("true"))
            .with_child(answer)
    }
}

/// The event of a personal node.
pub(crate) fn event(owner: &BareJid, node: &str, id: &str, payload: &Element) -> Element {
    let item =
        Element::new("item", ns::PUBSUB_EVENT).with_attr("id", id).with_child(payload.clone());
    let items = Element::new("items", ns::PUBSUB_EVENT).with_attr("node", node).with_child(item);
    Element::new("message", ns::CLIENT)
        .with_attr("from", owner.as_str())
        .with_attr("type", "headline")
        .with_child(Element::new("event", ns::PUBSUB_EVENT).with_child(items))
}

fn disco() -> Element {
    let feature = |var: &str| Element::new("feature", ns::DISCO_INFO).with_attr("var", var);
    Element::new("query", ns::DISCO_INFO)
        .with_child(
            Element::new("identity", ns::DISCO_INFO)
                .with_attr("category", "server")
                .with_attr("type", "im"),
        )
        .with_children(
            [ns::MAM, ns::CARBONS, ns::DISCO_INFO, ns::HTTP_UPLOAD, ns::STANZA_ID].map(feature),
        )
}
