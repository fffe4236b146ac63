//! XEP-0191: Blocking Command 1.3, XEP-0377: Blocking Command Reports 0.4.1

use std::collections::BTreeSet;

use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::xml::Element;

use super::{Feature, IqRoute, Reply, Spec, roster};
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::iq::Answer;
use crate::verified::blocklist_push;

pub(crate) const FEATURE: Feature = Feature {
    name: "blocking",
    specs: &[
        Spec { number: "XEP-0191", version: "1.3" },
        Spec { number: "XEP-0377", version: "0.4.1" },
    ],
    online: Some(on_online),
    iq: &[
        IqRoute { set: true, name: "block", ns: ns::BLOCKING, handle: on_push },
        IqRoute { set: true, name: "unblock", ns: ns::BLOCKING, handle: on_push },
    ],
    command: Some(command),
    ..Feature::NOTHING
};

fn on_online(cx: &mut Cx<'_>) -> Step {
    cx.iq_get(None, Element::new("blocklist", ns::BLOCKING), on_list)
}

fn on_list(cx: &mut Cx<'_>, answer: Answer) -> Step {
    let Some(list) = answer.payload("blocklist", ns::BLOCKING) else { return Ok(()) };
    let listed: BTreeSet<BareJid> = addresses(list).collect();
    let known = cx.state.features.roster.contacts.values().filter(|contact| contact.blocked);
    let known: Vec<BareJid> = known.map(|contact| contact.address.clone()).collect();
    for address in known.iter().filter(|address| !listed.contains(*address)) {
        roster::change(cx, address, |contact| contact.blocked = false)?;
    }
    for address in listed {
        roster::change(cx, &address, |contact| contact.blocked = true)?;
    }
    Ok(())
}

/// Whole addresses: what is blocked of a domain or resource is not shown on people.
fn addresses(list: &Element) -> impl Iterator<Item = BareJid> + '_ {
    let items = list.children().filter(|child| child.is("item", ns::BLOCKING));
    items.filter_map(|item| BareJid::new(item.attr("jid")?).ok()).take(MOST)
}

fn on_push(cx: &mut Cx<'_>, iq: &Element) -> Step<Reply> {
    let Some(push) = blocklist_push(iq, cx.me) else {
        return Ok(Err(xmpp::error::Condition::ServiceUnavailable));
    };
    let blocked = push.0.name() == "block";
    let mut changed: Vec<BareJid> = addresses(&push.0).collect();
    if changed.is_empty() && !blocked {
        // An empty list unblocks everybody (§3.5).
        let contacts = cx.state.features.roster.contacts.values();
        changed = contacts.filter(|one| one.blocked).map(|one| one.address.clone()).collect();
    }
    for address in changed {
        roster::change(cx, &address, |contact| contact.blocked = blocked)?;
    }
    Ok(Ok(None))
}

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    let (name, address, report) = match command {
        Command::Block { address, report } => ("block", address, report),
        Command::Unblock(address) => ("unblock", address, false),
        command => return Ok(Some(command)),
    };
    let report = report.then(|| {
        Element::new("report", ns::REPORTING).with_attr("reason", "urn:xmpp:reporting:spam")
    });
    let item = Element::new("item", ns::BLOCKING)
        .with_attr("jid", address.to_string())
        .with_children(report);
    cx.iq_for(number, None, Element::new(name, ns::BLOCKING).with_child(item))?;
    Ok(None)
}

/// Blocked addresses that are kept.
const MOST: usize = 10_000;
