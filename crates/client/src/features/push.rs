//! Being woken while nothing of this program runs: Web Push, enabled by XEP-0357
//!
//! The driver makes a subscription with the key that the server tells; the server is told of it with
//! every new session, since it wakes the device that asked last.

use xmpp::ext::disco::Info;
use xmpp::ext::form::{Field, Form, FormType};
use xmpp::ns;
use xmpp::xml::{Element, Limits};

use super::{Feature, Spec};
use crate::command::{Command, PushSubscription};
use crate::cx::{Cx, Step};
use crate::iq::Answer;
use crate::view::{Outcome, Problem};

pub(crate) const FEATURE: Feature = Feature {
    name: "push",
    specs: &[Spec { number: "XEP-0357", version: "0.4.1" }],
    online: Some(on_online),
    command: Some(command),
    ..Feature::NOTHING
};

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    match command {
        Command::PushKey => tell_key(cx, number)?,
        Command::SetPush(subscription) => set(cx, number, subscription)?,
        command => return Ok(Some(command)),
    }
    Ok(None)
}

/// The key that a push service is to know the server by (RFC 8292).
fn tell_key(cx: &mut Cx<'_>, number: u64) -> Step {
    cx.iq_get(None, Element::new("query", ns::DISCO_INFO), move |cx, answer| {
        match (key(&answer), answer.problem()) {
            (Some(key), _) => cx.done(number, Outcome::Text(key)),
            (None, Some(problem)) => cx.failed(number, problem),
            (None, None) => {
                let problem = "this server wakes nobody by Web Push".to_owned();
                cx.failed(number, Problem::Unsupported(problem));
            }
        }
        Ok(())
    })
}

fn key(answer: &Answer) -> Option<String> {
    let info = answer.payload("query", ns::DISCO_INFO).and_then(Info::parse)?;
    let form = info.forms.iter().find(|form| form.form_type() == Some(ns::WEB_PUSH))?;
    form.value("vapid").filter(|key| !key.is_empty()).map(str::to_owned)
}

fn set(cx: &mut Cx<'_>, number: u64, subscription: Option<PushSubscription>) -> Step {
    match subscription {
        Some(subscription) => turn_on(cx, number, &subscription),
        None => turn_off(cx, number),
    }
}

fn turn_on(cx: &mut Cx<'_>, number: u64, subscription: &PushSubscription) -> Step {
    if !cx.online() {
        cx.failed(number, Problem::Timeout);
        return Ok(());
    }
    let old = kept(cx)?;
    let node = old.as_ref().and_then(|old| old.attr("node")).map(str::to_owned);
    let node = node.unwrap_or_else(|| cx.rng.id());
    let request = enable(cx, &node, subscription);
    // Without an answer the next session asks again.
    keep(cx, Some(&request))?;
    cx.iq_set(None, request, move |cx, answer| {
        if let Answer::Error(_) = answer {
            // The server wakes who it woke before.
            keep(cx, old.as_ref())?;
        }
        cx.done(number, answer.problem().map_or(Outcome::Done, Outcome::Failed));
        Ok(())
    })
}

/// Without a session, or an answer, the next one tells the server.
fn turn_off(cx: &mut Cx<'_>, number: u64) -> Step {
    let Some(old) = kept(cx)? else {
        cx.done(number, Outcome::Done);
        return Ok(());
    };
    let request = disable(&old);
    keep(cx, Some(&request))?;
    if !cx.online() {
        cx.done(number, Outcome::Done);
        return Ok(());
    }
    cx.iq_set(None, request, move |cx, answer| {
        if answer != Answer::Lost {
            keep(cx, None)?;
        }
        cx.done(number, answer.problem().map_or(Outcome::Done, Outcome::Failed));
        Ok(())
    })
}

/// This device is left for good: the server does not wake it any more.
pub(super) fn withdraw(cx: &mut Cx<'_>) -> Step {
    let Some(old) = kept(cx)? else { return Ok(()) };
    cx.iq_set(None, disable(&old), |_, _| Ok(()))
}

fn disable(old: &Element) -> Element {
    Element::new("disable", ns::PUSH)
        .with_attr_opt("jid", old.attr("jid"))
        .with_attr_opt("node", old.attr("node"))
}

fn enable(cx: &Cx<'_>, node: &str, subscription: &PushSubscription) -> Element {
    let field = |name: &str, value: &str| Field::untyped(name).with_value(value);
    let form = Form::typed(FormType::Submit, ns::WEB_PUSH)
        .with_field(field("endpoint", &subscription.endpoint))
        .with_field(field("p256dh", &subscription.p256dh))
        .with_field(field("auth", &subscription.auth));
    Element::new("enable", ns::PUSH)
        .with_attr("jid", cx.me.domain().as_str())
        .with_attr("node", node)
        .with_child(form.to_element())
}

/// The request as it was sent last.
fn kept(cx: &Cx<'_>) -> Step<Option<Element>> {
    let kept = cx.store.value(KEPT)?;
    Ok(kept.and_then(|xml| Element::parse(&xml, &Limits::SERVER).ok()))
}

fn keep(cx: &Cx<'_>, request: Option<&Element>) -> Step {
    let bytes = request.map(|request| request.to_bytes(""));
    cx.store.save_value(KEPT, bytes.as_deref())
}

fn on_online(cx: &mut Cx<'_>) -> Step {
    let Some(request) = kept(cx)? else { return Ok(()) };
    let on = request.name() == "enable";
    cx.iq_set(None, request, move |cx, answer| match answer {
        Answer::Result(_) if on => Ok(()),
        // It is off; or it is not wanted any more, or not there, and the driver finds out when it
        // looks again.
        Answer::Result(_) | Answer::Error(_) => keep(cx, None),
        Answer::Lost => Ok(()),
    })
}

/// The name under which the last request is stored.
const KEPT: &str = "push";
