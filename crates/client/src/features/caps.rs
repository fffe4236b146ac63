//! XEP-0115: Entity Capabilities 1.6.0, XEP-0030: Service Discovery 2.5.0

use std::collections::{BTreeMap, BTreeSet};

use xmpp::error::Condition;
use xmpp::ext::caps::{self, Caps};
use xmpp::ext::disco::{Identity, Info};
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use super::{ALL, Feature, IqRoute, Reply, Spec, roster};
use crate::cx::{Cx, Step};
use crate::iq::Answer;

pub(crate) const FEATURE: Feature = Feature {
    name: "caps",
    specs: &[
        Spec { number: "XEP-0115", version: "1.6.0" },
        Spec { number: "XEP-0030", version: "2.5.0" },
    ],
    features: &[ns::DISCO_INFO, ns::CAPS],
    ended: Some(on_ended),
    iq: &[IqRoute { set: false, name: "query", ns: ns::DISCO_INFO, handle: on_info }],
    ..Feature::NOTHING
};

/// What others can do.
#[derive(Default)]
pub(crate) struct State {
    /// Programs by the verified hash.
    known: BTreeMap<String, Program>,
    /// Hashes that are being asked for.
    asked: BTreeSet<String>,
}

/// What is behind a hash.
#[derive(Default)]
struct Program {
    /// What it calls itself.
    name: Option<String>,
    features: BTreeSet<String>,
}

/// What this program can do, as others see it.
fn own_info(cx: &Cx<'_>) -> Info {
    let features =
        ALL.iter().flat_map(|feature| feature.features.iter().map(|var| (*var).to_owned()));
    let notify = ALL.iter().flat_map(|feature| feature.notify);
    let notify = notify.map(|node| format!("{node}+notify"));
    let features: BTreeSet<String> = features.chain(notify).collect();
    let identity = Identity::new("client", cx.options.kind.as_str());
    Info::new()
        .with_identity(identity.with_name(cx.options.software.as_str()))
        .with_features(features)
}

/// The hash of it, for presence.
pub(crate) fn own(cx: &Cx<'_>) -> Caps {
    Caps::of(NODE, &own_info(cx))
}

/// Answers what this program can do, to those who may know that it is there.
fn on_info(cx: &mut Cx<'_>, iq: &Element) -> Step<Reply> {
    let allowed = match iq.attr("from").map(Jid::new) {
        None => true,
        Some(Ok(from)) => {
            let address = from.to_bare();
            address == *cx.me
                || from.as_str() == cx.me.domain().as_str()
                || roster::sees_us(cx, &address)
        }
        Some(Err(_)) => false,
    };
    if !allowed {
        return Ok(Err(Condition::ServiceUnavailable));
    }
    let info = own_info(cx);
    let node = iq.child("query", ns::DISCO_INFO).and_then(|query| query.attr("node"));
    match node {
        None => Ok(Ok(Some(info.to_element()))),
        Some(node) if node == own(cx).disco_node() => {
            Ok(Ok(Some(info.with_node(node).to_element())))
        }
        Some(_) => Ok(Err(Condition::ItemNotFound)),
    }
}

fn on_ended(cx: &mut Cx<'_>) -> Step {
    cx.state.features.caps.asked.clear();
    Ok(())
}

fn info(answer: &Answer) -> Option<Info> {
    answer.payload("query", ns::DISCO_INFO).and_then(Info::parse)
}

/// Whether one of somebody's sessions has a feature.
pub(crate) fn supports(cx: &Cx<'_>, address: &BareJid, feature: &str) -> bool {
    let resources = cx.state.features.presence.people.get(address);
    let resources = resources.into_iter().flat_map(BTreeMap::values);
    let known = &cx.state.features.caps.known;
    resources
        .filter_map(|resource| resource.caps.as_ref())
        .any(|caps| known.get(&caps.ver).is_some_and(|one| one.features.contains(feature)))
}

/// What the program behind one of somebody's sessions calls itself.
pub(crate) fn program(cx: &Cx<'_>, address: &BareJid, resource: &str) -> Option<String> {
    let session = cx.state.features.presence.people.get(address)?.get(resource)?;
    cx.state.features.caps.known.get(&session.caps.as_ref()?.ver)?.name.clone()
}

/// The name that a program gives itself, if people can read it.
fn name_of(info: &Info) -> Option<String> {
    let mut names = info.identities.iter().filter(|one| one.category == "client");
    let name = names.find_map(|one| one.name.as_deref())?;
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Finds out what is behind a hash, once for everybody who shows it.
pub(crate) fn learn(cx: &mut Cx<'_>, from: &Jid, caps: Caps) -> Step {
    if !caps.is_verifiable()
        || caps.ver.len() > MAX_HASH_BYTES
        || cx.state.features.caps.known.contains_key(&caps.ver)
    {
        return Ok(());
    }
    if let Some(kept) = cx.store.value(&stored(&caps.ver))? {
        // What was kept without a name is asked for once more.
        if let Some(program) = read(&String::from_utf8_lossy(&kept)) {
            remember(cx, caps.ver, program);
            return Ok(());
        }
    }
    if cx.state.features.caps.asked.len() >= MAX_ASKED
        || !cx.state.features.caps.asked.insert(caps.ver.clone())
    {
        return Ok(());
    }
    let query = Element::new("query", ns::DISCO_INFO).with_attr("node", caps.disco_node());
    cx.iq_get(Some(from.clone()), query, move |cx, answer| {
        cx.state.features.caps.asked.remove(&caps.ver);
        let Some(info) = info(&answer) else { return Ok(()) };
        // Only what the hash proves may count for others who show it (XEP-0115 §5.4).
        if caps::verify(&caps, &info).is_ok() {
            let name = name_of(&info);
            keep(cx, &caps.ver, name.as_deref(), &info.features)?;
            let features = info.features.into_iter().collect();
            remember(cx, caps.ver, Program { name, features });
        }
        Ok(())
    })
}

/// Keeps what is behind a hash for the next start: the latest ones, and nothing that is too long.
fn keep(cx: &mut Cx<'_>, hash: &str, name: Option<&str>, features: &[String]) -> Step {
    let lines = format!("{NAMED}{}\n{}", name.unwrap_or_default(), features.join("\n"));
    if lines.len() > MAX_KEPT_BYTES {
        return Ok(());
    }
    let kept = cx.store.value(KEPT)?;
    let kept = kept.map(|kept| String::from_utf8_lossy(&kept).into_owned()).unwrap_or_default();
    let mut hashes: Vec<&str> = kept.lines().filter(|known| *known != hash).collect();
    hashes.push(hash);
    let excess = hashes.len().saturating_sub(MAX_KNOWN);
    for old in hashes.drain(..excess) {
        cx.store.save_value(&stored(old), None)?;
    }
    cx.store.save_value(KEPT, Some(hashes.join("\n").as_bytes()))?;
    cx.store.save_value(&stored(hash), Some(lines.as_bytes()))
}

fn read(kept: &str) -> Option<Program> {
    let mut lines = kept.lines();
    let name = lines.next()?.strip_prefix(NAMED)?;
    let name = Some(name.to_owned()).filter(|name| !name.is_empty());
    Some(Program { name, features: lines.map(str::to_owned).collect() })
}

fn remember(cx: &mut Cx<'_>, hash: String, program: Program) {
    let known = &mut cx.state.features.caps.known;
    if known.len() >= MAX_KNOWN {
        known.pop_first();
    }
    known.insert(hash, program);
}

fn stored(hash: &str) -> String {
    format!("caps {hash}")
}

/// Names the program, not the person.
const NODE: &str = "urn:clownfish:client";
/// The name under which the stored hashes are listed, the oldest first.
const KEPT: &str = "caps";
/// What stands before the name of a program, in the first line of what is kept.
const NAMED: &str = "name ";
/// Longest name of a program.
const MAX_NAME_CHARS: usize = 60;
/// Longest list of features that is stored.
const MAX_KEPT_BYTES: usize = 64 * 1024;
/// Hashes that are kept in memory and in the store, and asked for at once.
const MAX_KNOWN: usize = 500;
const MAX_ASKED: usize = 32;
/// The length of any hash function's output in base64.
const MAX_HASH_BYTES: usize = 128;
