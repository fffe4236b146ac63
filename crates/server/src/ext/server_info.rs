//! XEP-0485: PubSub Server Information 1.0.0

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use parking_lot::Mutex;
use xmpp::{
    ext::{
        disco::Info,
        form::{Field, FieldType, Form, FormType},
        pubsub::Item,
    },
    jid::Jid,
    ns,
    stanza::{Kind, Stanza},
    time::Millis,
    xml::Element,
};

use super::{Extension, Scope, Spec, pubsub};
use crate::{components::pending::Purpose, config::Config, s2s::Facts, server::Server};

/// Tells everybody which domains the server is connected to, where the operator wants that.
pub const EXTENSION: Extension = Extension {
    name: "server_info",
    specs: &[Spec { xep: 485, version: "1.0.0", title: "PubSub Server Information" }],
    offered: |config| config.pubsub.enabled && config.pubsub.server_info,
    features: &[(Scope::Server, ns::SERVERINFO)],
    forms: &[(Scope::Server, form)],
    ..Extension::NOTHING
};

/// The node, and the one item in it (XEP-0485 §5).
const NODE: &str = "serverinfo";
const ITEM: &str = "current";

fn form(config: &Config) -> Option<Form> {
    let service = config.pubsub.address(&config.domain);
    let field = Field::new("serverinfo-pubsub-node", FieldType::TextSingle);
    let uri = format!("xmpp:{service}?;node={NODE}");
    Some(Form::typed(FormType::Result, ns::SERVER_INFO).with_field(field.with_value(uri)))
}

/// What is known of other domains, and what was published last.
#[derive(Default)]
pub struct ServerInfo(Mutex<State>);

#[derive(Default)]
struct State {
    /// Whether a domain lets others name it, and since when that is known.
    willing: HashMap<String, (bool, Millis)>,
    published: Option<Element>,
}

/// Domains that are remembered.
const MOST_DOMAINS: usize = 5000;
/// For how many milliseconds.
const KNOWN_FOR: u64 = 24 * 60 * 60 * 1000;

impl ServerInfo {
    /// A domain said what it can do.
    pub fn learned(&self, server: &Server, domain: &str, answer: &Stanza) {
        let info = answer.child("query", ns::DISCO_INFO);
        let info = info.and_then(|query| Info::parse(&query.element()));
        let willing = info.is_some_and(|info| info.has_feature(ns::SERVERINFO));
        self.remember(domain, willing, server.now());
    }

    /// When too many are known, those go of which it has to be asked again anyway.
    fn remember(&self, domain: &str, willing: bool, now: Millis) {
        let mut state = self.0.lock();
        let known = &mut state.willing;
        if known.len() >= MOST_DOMAINS && !known.contains_key(domain) {
            known.retain(|_, (_, since)| is_fresh(*since, now));
        }
        if known.len() < MOST_DOMAINS || known.contains_key(domain) {
            known.insert(domain.to_owned(), (willing, now));
        }
    }

    /// Whether a domain may be named; `None` when that is not known.
    fn willing(&self, domain: &str, now: Millis) -> Option<bool> {
        let state = self.0.lock();
        let (willing, since) = state.willing.get(domain)?;
        is_fresh(*since, now).then_some(*willing)
    }
}

/// Whether what was heard then still counts.
fn is_fresh(since: Millis, now: Millis) -> bool {
    now.0.saturating_sub(since.0) < KNOWN_FOR
}

/// Publishes what has changed. Called every few minutes.
pub async fn refresh(server: &Arc<Server>) {
    let config = server.config();
    if !(EXTENSION.offered)(&config) {
        return;
    }
    let streams = server.s2s.streams.all();
    let remotes: BTreeMap<&str, Vec<&Facts>> =
        streams.iter().fold(BTreeMap::new(), |mut all: BTreeMap<&str, Vec<&Facts>>, stream| {
            all.entry(stream.pair.remote.as_str()).or_default().push(stream);
            all
        });
    for domain in remotes.keys() {
        if server.info.willing(domain, server.now()).is_none() {
            ask(server, domain);
        }
    }
    let told = describe(server, &remotes);
    if server.info.0.lock().published.as_ref() == Some(&told) {
        return;
    }
    let mut item = Item::new(ITEM);
    item.payloads.push(told.clone());
    let access = pubsub::AccessModel::Open;
    // A failure was counted and logged where it happened; the next time is soon.
    if pubsub::publish_own(server, &server.pubsub(), NODE, item, access).await.is_ok() {
        server.info.0.lock().published = Some(told);
    }
}

fn describe(server: &Server, remotes: &BTreeMap<&str, Vec<&Facts>>) -> Element {
    let remote = |(domain, streams): (&&str, &Vec<&Facts>)| {
        // XEP-0485 §7: named is who lets others name it.
        let named = server.info.willing(domain, server.now()) == Some(true);
        let connection = |stream: &&Facts| {
            let direction = match (stream.bidi, stream.incoming) {
                (true, _) => "bidi",
                (false, true) => "incoming",
                (false, false) => "outgoing",
            };
            Element::new("connection", ns::SERVERINFO).with_attr("type", direction)
        };
        Element::new("remote-domain", ns::SERVERINFO)
            .with_attr_opt("name", named.then_some(*domain))
            .with_children(streams.iter().map(connection))
    };
    let federation =
        Element::new("federation", ns::SERVERINFO).with_children(remotes.iter().map(remote));
    let domain = Element::new("domain", ns::SERVERINFO)
        .with_attr("name", server.domain())
        .with_child(federation);
    let version = Element::new("query", ns::VERSION)
        .with_child(Element::new("name", ns::VERSION).with_text("Anemone"))
        .with_child(Element::new("version", ns::VERSION).with_text(env!("CARGO_PKG_VERSION")));
    Element::new("serverinfo", ns::SERVERINFO).with_child(domain).with_child(version)
}

/// Asks a domain whether it lets others name it.
fn ask(server: &Arc<Server>, domain: &str) {
    let Ok(to) = Jid::new(domain) else { return };
    let id = server.fresh_id();
    let question = Element::new("iq", ns::CLIENT)
        .with_attr("type", "get")
        .with_attr("id", &id)
        .with_attr("from", server.domain())
        .with_attr("to", domain)
        .with_child(Element::new("query", ns::DISCO_INFO));
    let purpose = Purpose::Learn(domain.to_owned());
    if server.components.pending.add(server, id, to.clone(), purpose).is_ok() {
        let bytes = question.to_bytes(ns::CLIENT);
        server.s2s.post(server, server.domain(), &to, Kind::Iq, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_that_were_not_heard_of_for_long_make_room_for_others() {
        let info = ServerInfo::default();
        let early = Millis(1_000_000);
        for number in 0..MOST_DOMAINS {
            info.remember(&format!("x{number}.example"), true, early);
        }
        info.remember("late.example", true, early.plus(1));
        assert_eq!(info.willing("late.example", early.plus(1)), None, "there is no room");
        info.remember("x7.example", false, early.plus(2));
        assert_eq!(info.willing("x7.example", early.plus(2)), Some(false), "known ones may change");
        let day = early.plus(KNOWN_FOR + 1);
        info.remember("late.example", true, day);
        assert_eq!(info.willing("late.example", day), Some(true));
        assert_eq!(info.willing("x7.example", day), Some(false), "it is not old yet");
        assert_eq!(info.0.lock().willing.len(), 2);
    }
}
