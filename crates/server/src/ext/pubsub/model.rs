//! The nodes of an account, and people who use them.
//!
//! [`play`] lets the owner of an account and three others do to its nodes whatever a [`Tape`] says.
//! After each step what is in memory must be what the store would give back, nodes must have no more
//! items than they may, pages must come to the whole, and a request that was refused must have changed
//! nothing.

use std::{cell::RefCell, fmt::Write as _, sync::Arc};

use store::pubsub::{Query, Select};
use xmpp::{
    error::Condition,
    ext::pubsub::Affiliation,
    jid::Jid,
    ns,
    xml::{Element, Limits},
};

use super::{
    node::{Node, Service},
    options::AccessModel,
    state,
};
use crate::{
    account::Account,
    ext::{IqAnswer, Scope},
    iq::IqKind,
    model::{Stage, Tape},
};

/// Lets people do what the tape says until it is over.
///
/// # Panics
/// When a rule is broken.
pub fn play(input: &[u8]) {
    thread_local! {
        // Making a server takes longer than playing with it.
        static STAGE: RefCell<Option<(Stage, u32)>> = const { RefCell::new(None) };
    }
    let (stage, played) = STAGE.take().unwrap_or_else(|| (Stage::new(), 0));
    let mut tape = Tape::new(input);
    let world = World { account: stage.juliet(), stage: &stage };
    for _ in 0..MOST_STEPS {
        if tape.is_over() {
            break;
        }
        world.step(&mut tape);
    }
    world.clear();
    drop(world);
    if played < PLAYS {
        STAGE.set(Some((stage, played + 1)));
    }
}

struct World<'a> {
    stage: &'a Stage,
    account: Arc<Account>,
}

/// Everything about the nodes: in memory, and the ids of their items, oldest first.
#[derive(Debug, Clone, PartialEq)]
struct Picture(Vec<(Node, Vec<String>)>);

impl World<'_> {
    fn step(&self, tape: &mut Tape<'_>) {
        // The owner does most.
        let who = PEOPLE[tape.below(8).saturating_sub(4)];
        let jid = Jid::new(who).expect("an address");
        let node = tape.one_of(NODES);
        let before = self.picture();
        let act = tape.below(16);
        let (kind, payload) = match act {
            0..=2 => ("set", create(node, tape)),
            3..=6 => ("set", publish(node, tape)),
            7 => {
                let item = format!("<item id='{}'/>", tape.one_of(IDS));
                ("set", format!("<retract node='{node}' notify='true'>{item}</retract>"))
            }
            8 | 9 => subscribe(node, who, tape),
            10 => retrieve(node, tape),
            11 => configure(node, tape),
            12 => affiliate(node, tape),
            13 => (
                "set",
                match tape.below(3) {
                    0 => format!("<purge node='{node}'/>"),
                    1 => format!("<delete node='{node}'><redirect uri='xmpp:a'/></delete>"),
                    _ => format!(
                        "<subscriptions node='{node}'><subscription jid='{}' \
                                  subscription='{}'/></subscriptions>",
                        tape.one_of(PEOPLE),
                        tape.one_of(&["subscribed", "none", "pending", "x"])
                    ),
                },
            ),
            14 => return self.discover(&jid, node, tape, &before),
            _ => return self.anything(&jid, tape, &before),
        };
        let namespace = match act {
            11..=13 => ns::PUBSUB_OWNER,
            _ => ns::PUBSUB,
        };
        let xml = format!("<pubsub xmlns='{namespace}'>{payload}</pubsub>");
        let payload =
            Element::parse(xml.as_bytes(), &Limits::CLIENT).expect("what is written here");
        let kind = if kind == "set" { IqKind::Set } else { IqKind::Get };
        let answer = self.ask(&jid, kind, &payload, &before);
        self.follow(act, who, node, &payload, &answer);
    }

    /// What a request that succeeded must have led to.
    fn follow(&self, act: usize, who: &str, node: &str, payload: &Element, answer: &IqAnswer) {
        let after = self.picture();
        let found = after.0.iter().find(|(found, _)| *found.name == *node);
        if answer.is_err() {
            return;
        }
        match act {
            3..=6 => {
                let (found, items) = found.expect("there is a node to publish to");
                let published = payload.first_child().and_then(|publish| publish.first_child());
                let id = published.and_then(|item| item.attr("id"));
                if let Some(id) = id.filter(|_| found.config.persist_items && found.keep() > 0) {
                    assert_eq!(items.last().map(String::as_str), Some(id), "{found:?}");
                }
            }
            7 => {
                let gone = payload.first_child().and_then(|retract| retract.first_child());
                let gone = gone.and_then(|item| item.attr("id")).unwrap_or_default();
                let (_, items) = found.expect("there is a node to take it from");
                assert!(!items.iter().any(|id| id == gone), "{gone} was retracted");
            }
            10 => {
                let (node, items) = found.expect("what can be read is there");
                self.may_have_read(node, who);
                self.pages(node, items);
            }
            _ => {}
        }
    }

    /// Who reads must be allowed to.
    fn may_have_read(&self, node: &Node, who: &str) {
        let bare = Jid::new(who).expect("an address").to_bare();
        if bare == *self.account.jid() {
            return;
        }
        let affiliation = node.listed_affiliation(&bare);
        assert_ne!(affiliation, Affiliation::Outcast, "{who} reads {node:?}");
        let subscribed = node.subscriptions.iter().any(|sub| {
            sub.jid.to_bare() == bare
                && sub.state == xmpp::ext::pubsub::SubscriptionState::Subscribed
        });
        let listed = matches!(
            affiliation,
            Affiliation::Owner | Affiliation::Publisher | Affiliation::Member
        );
        let may = match node.config.access {
            AccessModel::Open => true,
            AccessModel::Authorize => listed || subscribed,
            // Nobody here is on anybody's roster.
            _ => listed,
        };
        assert!(may, "{who} reads {node:?}");
    }

    /// Page by page it is the same as at once, and every page says how many there are.
    fn pages(&self, node: &Node, items: &[String]) {
        let (mut seen, mut after) = (Vec::new(), String::new());
        let owner = Jid::new(PEOPLE[0]).expect("an address");
        for _ in 0..=items.len() {
            let xml = format!(
                "<pubsub xmlns='{}'><items node='{}'/><set xmlns='http://jabber.org/protocol/rsm'>\
                 <max>2</max>{after}</set></pubsub>",
                ns::PUBSUB,
                node.name
            );
            let payload = Element::parse(xml.as_bytes(), &Limits::CLIENT).expect("XML");
            let account = Some(&self.account);
            let answer = self.stage.ask(&owner, &[Scope::Account], account, IqKind::Get, &payload);
            let answer = answer.expect("the owner reads").expect("a page");
            let page = answer.child("items", ns::PUBSUB).expect("items");
            let ids: Vec<String> =
                page.children().filter_map(|item| item.attr("id").map(str::to_owned)).collect();
            assert!(ids.len() <= 2);
            let Some(last) = ids.last() else { break };
            let set = answer.child("set", ns::RSM).expect("a page says which");
            if let Some(count) = set.child("count", ns::RSM) {
                assert_eq!(count.text(), items.len().to_string());
            }
            after = format!("<after>{last}</after>");
            seen.extend(ids);
        }
        assert_eq!(seen, items, "{node:?}");
    }

    fn discover(&self, who: &Jid, node: &str, tape: &mut Tape<'_>, before: &Picture) {
        let namespace = tape.one_of(&[ns::DISCO_INFO, ns::DISCO_ITEMS]);
        let node = if tape.chance(2) { format!(" node='{node}'") } else { String::new() };
        let xml = format!("<query xmlns='{namespace}'{node}/>");
        let payload = Element::parse(xml.as_bytes(), &Limits::CLIENT).expect("XML");
        let _ = self.ask(who, IqKind::Get, &payload, before);
        assert_eq!(*before, self.picture(), "looking changed something");
    }

    fn anything(&self, who: &Jid, tape: &mut Tape<'_>, before: &Picture) {
        let kind = if tape.chance(2) { IqKind::Get } else { IqKind::Set };
        let piece = tape.piece();
        let Ok(payload) = Element::parse(piece, &Limits::CLIENT) else { return };
        let _ = self.ask(who, kind, &payload, before);
    }

    /// Asks, and holds the outcome to the rules.
    fn ask(&self, who: &Jid, kind: IqKind, payload: &Element, before: &Picture) -> IqAnswer {
        let account = Some(&self.account);
        let answer = self.stage.ask(who, &[Scope::Account], account, kind, payload);
        let after = self.picture();
        match &answer {
            Err(error) => {
                assert_eq!(*before, after, "refused with {error:?}, and done: {payload:?}");
                assert_ne!(error.condition, Condition::InternalServerError, "{payload:?}");
            }
            Ok(_) if kind == IqKind::Get => assert_eq!(*before, after, "{payload:?}"),
            Ok(_) => {}
        }
        for (node, items) in &after.0 {
            assert!(items.len() <= node.keep() as usize, "{} items of {node:?}", items.len());
            let mut different = items.clone();
            different.sort_unstable();
            different.dedup();
            assert_eq!(different.len(), items.len(), "one id, two items");
            let mut addresses: Vec<&Jid> =
                node.subscriptions.iter().map(|subscriber| &subscriber.jid).collect();
            addresses.sort_unstable();
            addresses.dedup();
            assert_eq!(addresses.len(), node.subscriptions.len(), "{node:?}");
        }
        self.check_stored();
        answer
    }

    /// A restart would find what is in memory.
    fn check_stored(&self) {
        let server = &self.stage.server;
        let (memory, stored) = self.stage.run(async {
            let stored = state::load(server, &self.account).await.expect("a store");
            let memory = self.account.pubsub.open(server, &self.account).await.expect("nodes");
            (memory.clone(), stored)
        });
        let sorted = |service: Service| {
            let mut nodes: Vec<Node> = service.nodes.into_values().collect();
            for node in &mut nodes {
                node.affiliations.sort_unstable_by(|one, other| one.0.cmp(&other.0));
                node.subscriptions.sort_unstable_by(|one, other| one.jid.cmp(&other.jid));
            }
            nodes
        };
        assert_eq!(sorted(memory), sorted(stored));
    }

    fn picture(&self) -> Picture {
        let server = &self.stage.server;
        self.stage.run(async {
            let service = self.account.pubsub.open(server, &self.account).await.expect("nodes");
            let mut all = Vec::new();
            for node in service.nodes.values() {
                let query = Query {
                    node: node.name.clone(),
                    select: Select::First,
                    max: store::pubsub::MAX_PAGE,
                    max_bytes: u64::MAX,
                    ids_only: true,
                    ..Query::default()
                };
                let page = server.store.pubsub.items(self.account.id, query).await;
                let page = page.expect("a page");
                let ids = page.items.into_iter().map(|item| item.id.into()).collect();
                all.push((node.clone(), ids));
            }
            Picture(all)
        })
    }

    /// The owner deletes everything, for whoever plays next.
    fn clear(&self) {
        let owner = Jid::new(PEOPLE[0]).expect("an address");
        for (node, _) in self.picture().0 {
            let xml = format!("<delete xmlns='{}' node=''/>", ns::PUBSUB_OWNER);
            let mut delete = Element::parse(xml.as_bytes(), &Limits::CLIENT).expect("XML");
            delete.set_attr("node", &*node.name);
            let payload = Element::new("pubsub", ns::PUBSUB_OWNER).with_child(delete);
            let account = Some(&self.account);
            let deleted = self.stage.ask(&owner, &[Scope::Account], account, IqKind::Set, &payload);
            assert_eq!(deleted, Ok(None), "{node:?}");
        }
        assert_eq!(self.picture(), Picture(Vec::new()));
    }
}

fn create(node: &str, tape: &mut Tape<'_>) -> String {
    let configure = match tape.below(3) {
        0 => String::new(),
        _ => format!("<configure>{}</configure>", form(ns::PUBSUB_NODE_CONFIG, tape)),
    };
    match tape.chance(12) {
        true => format!("<create/>{configure}"),
        false => format!("<create node='{node}'/>{configure}"),
    }
}

fn publish(node: &str, tape: &mut Tape<'_>) -> String {
    let payload = tape.one_of(&["<x xmlns='urn:x'/>", "", "<entry xmlns='urn:y'>é</entry>"]);
    let item = match tape.chance(6) {
        true => format!("<item>{payload}</item>"),
        false => format!("<item id='{}'>{payload}</item>", tape.one_of(IDS)),
    };
    let options = match tape.chance(6) {
        true => {
            format!("<publish-options>{}</publish-options>", form(ns::PUBSUB_PUBLISH_OPTIONS, tape))
        }
        false => String::new(),
    };
    format!("<publish node='{node}'>{item}</publish>{options}")
}

fn subscribe(node: &str, who: &str, tape: &mut Tape<'_>) -> (&'static str, String) {
    let bare = who.split('/').next().unwrap_or_default();
    let jid = match tape.below(4) {
        0 => who,
        1 => tape.one_of(PEOPLE),
        _ => bare,
    };
    match tape.below(6) {
        0 => ("set", format!("<unsubscribe node='{node}' jid='{jid}'/>")),
        1 => ("get", format!("<options node='{node}' jid='{jid}'/>")),
        2 => {
            let form = format!(
                "<x xmlns='jabber:x:data' type='submit'><field var='pubsub#deliver'>\
                 <value>{}</value></field></x>",
                tape.one_of(&["0", "1", "x"])
            );
            ("set", format!("<options node='{node}' jid='{jid}'>{form}</options>"))
        }
        _ => ("set", format!("<subscribe node='{node}' jid='{jid}'/>")),
    }
}

fn retrieve(node: &str, tape: &mut Tape<'_>) -> (&'static str, String) {
    let items = match tape.below(4) {
        0 => format!("<items node='{node}' max_items='1'/>"),
        1 => format!("<items node='{node}'><item id='{}'/></items>", tape.one_of(IDS)),
        2 => format!("<items node='{node}'/><set xmlns='{}'><max>1</max><before/></set>", ns::RSM),
        _ => format!("<items node='{node}'/>"),
    };
    ("get", items)
}

fn configure(node: &str, tape: &mut Tape<'_>) -> (&'static str, String) {
    match tape.chance(6) {
        true => ("get", format!("<configure node='{node}'/>")),
        false => {
            let form = form(ns::PUBSUB_NODE_CONFIG, tape);
            ("set", format!("<configure node='{node}'>{form}</configure>"))
        }
    }
}

fn affiliate(node: &str, tape: &mut Tape<'_>) -> (&'static str, String) {
    let mut entries = String::new();
    for _ in 0..tape.below(3) {
        let jid = tape.one_of(PEOPLE).split('/').next().unwrap_or_default();
        let word =
            tape.one_of(&["owner", "publisher", "publish-only", "member", "none", "outcast"]);
        let _ = write!(entries, "<affiliation jid='{jid}' affiliation='{word}'/>");
    }
    let kind = if entries.is_empty() { "get" } else { "set" };
    (kind, format!("<affiliations node='{node}'>{entries}</affiliations>"))
}

fn form(form_type: &str, tape: &mut Tape<'_>) -> String {
    let mut form = format!(
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>\
         <value>{form_type}</value></field>"
    );
    for _ in 0..=tape.below(3) {
        let (var, values) = FIELDS[tape.below(FIELDS.len())];
        let value = tape.one_of(values);
        let _ = write!(form, "<field var='pubsub#{var}'><value>{value}</value></field>");
    }
    form.push_str("</x>");
    form
}

/// The owner first.
const PEOPLE: &[&str] =
    &["juliet@a.example/1", "romeo@a.example/1", "nurse@b.example/2", "friar@c.example/3"];
const NODES: &[&str] = &["n", "m", "urn:xmpp:bookmarks:1", "urn:xmpp:avatar:metadata"];
const IDS: &[&str] = &["1", "2", "3", "4", "current", "a b"];
const FLAG: &[&str] = &["0", "1"];
const FIELDS: &[(&str, &[&str])] = &[
    ("access_model", &["open", "whitelist", "authorize", "presence", "roster", "x"]),
    ("max_items", &["1", "2", "max", "0", "-1", "99999999999", ""]),
    ("max_items", &["1", "2", "3"]),
    ("persist_items", FLAG),
    ("deliver_payloads", FLAG),
    ("deliver_notifications", FLAG),
    ("notify_retract", FLAG),
    ("notify_delete", FLAG),
    ("notify_sub", FLAG),
    ("send_last_published_item", &["never", "on_sub", "on_sub_and_presence", "x"]),
    ("publish_model", &["publishers", "subscribers", "open", "x"]),
    ("item_expire", &["max", "60", "0", "x"]),
    ("title", &["x", ""]),
    ("itemreply", &["owner", "publisher"]),
];
const MOST_STEPS: usize = 60;
/// With one server.
const PLAYS: u32 = 300;

#[cfg(test)]
mod tests {
    use crate::model;

    #[test]
    fn nodes_keep_their_promises_whatever_people_do() {
        for seed in 0..40 {
            super::play(&model::bytes(seed, 400));
        }
    }
}
